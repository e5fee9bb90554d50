/* Transforms: a buffer's bytes made into others before they are looked at. */
#include "base/hash.h"
#include "capture/rules/keyword.h"
#include "capture/rules/regex.h"

static bool is_white(uint8_t byte)
{
	return byte == ' ' || (byte >= 9 && byte <= 13);
}

static struct slice dotprefix(struct slice in, struct writer *out, struct slice argument)
{
	writer_u8(out, '.');
	writer_bytes(out, in);
	return writer_slice(out);
}

bool transform_adds_dot(transform *make)
{
	return make == dotprefix;
}

static struct slice to_lowercase(struct slice in, struct writer *out, struct slice argument)
{
	for (size_t i = 0; i < in.length; i++)
		writer_u8(out, ascii_lower(in.at[i]));
	return writer_slice(out);
}

static struct slice to_uppercase(struct slice in, struct writer *out, struct slice argument)
{
	for (size_t i = 0; i < in.length; i++)
		writer_u8(out,
			  in.at[i] >= 'a' && in.at[i] <= 'z' ? (uint8_t)(in.at[i] - 32) : in.at[i]);
	return writer_slice(out);
}

static struct slice strip_whitespace(struct slice in, struct writer *out, struct slice argument)
{
	for (size_t i = 0; i < in.length; i++)
		if (!is_white(in.at[i]))
			writer_u8(out, in.at[i]);
	return writer_slice(out);
}

static struct slice compress_whitespace(struct slice in, struct writer *out, struct slice argument)
{
	for (size_t i = 0; i < in.length; i++)
		if (!is_white(in.at[i]))
			writer_u8(out, in.at[i]);
		else if (i == 0 || !is_white(in.at[i - 1]))
			writer_u8(out, ' ');
	return writer_slice(out);
}

static struct slice url_decode(struct slice in, struct writer *out, struct slice argument)
{
	for (size_t i = 0; i < in.length; i++) {
		if (in.at[i] == '%' && i + 2 < in.length && hex_value(in.at[i + 1]) >= 0 &&
		    hex_value(in.at[i + 2]) >= 0) {
			writer_u8(out, (uint8_t)(hex_value(in.at[i + 1]) << 4 |
						 hex_value(in.at[i + 2])));
			i += 2;
		} else {
			writer_u8(out, in.at[i] == '+' ? ' ' : in.at[i]);
		}
	}
	return writer_slice(out);
}

static struct slice to_md5(struct slice in, struct writer *out, struct slice argument)
{
	uint8_t digest[MD5_LENGTH];

	hash_md5_once(in, digest);
	writer_bytes(out, slice_of(digest, sizeof(digest)));
	return writer_slice(out);
}

static struct slice to_sha1(struct slice in, struct writer *out, struct slice argument)
{
	uint8_t digest[20];

	hash_sha1_once(in, digest);
	writer_bytes(out, slice_of(digest, sizeof(digest)));
	return writer_slice(out);
}

static struct slice to_sha256(struct slice in, struct writer *out, struct slice argument)
{
	uint8_t digest[SHA256_LENGTH];

	hash_sha256_once(in, digest);
	writer_bytes(out, slice_of(digest, sizeof(digest)));
	return writer_slice(out);
}

static struct slice xor_with(struct slice in, struct writer *out, struct slice key)
{
	for (size_t i = 0; i < in.length && key.length; i++)
		writer_u8(out, in.at[i] ^ key.at[i % key.length]);
	return writer_slice(out);
}

/* Names of headers in lower case, values as they are. */
static struct slice header_lowercase(struct slice in, struct writer *out, struct slice argument)
{
	bool name = true;

	for (size_t i = 0; i < in.length; i++) {
		if (in.at[i] == ':')
			name = false;
		else if (in.at[i] == '\n')
			name = true;
		writer_u8(out, name ? ascii_lower(in.at[i]) : in.at[i]);
	}
	return writer_slice(out);
}

/* HTTP/2's ":name: value" lines left out. */
static struct slice strip_pseudo_headers(struct slice in, struct writer *out, struct slice argument)
{
	struct slice line;

	while (slice_next(&in, '\n', &line))
		if (line.length && line.at[0] != ':') {
			writer_bytes(out, line);
			writer_u8(out, '\n');
		}
	return writer_slice(out);
}

static transform *const makers[] = {
	dotprefix, to_lowercase, to_uppercase, strip_whitespace, compress_whitespace,  url_decode,
	to_md5,    to_sha1,      to_sha256,    header_lowercase, strip_pseudo_headers,
};

static int add(struct builder *b, const struct keyword *keyword, transform *make,
	       struct slice argument)
{
	size_t at = b->transform_from + b->transform_count;

	if (!b->sticky)
		return builder_fail(b, "%s needs a buffer in front of it", keyword->name);
	if (b->transform_count == RULE_TRANSFORMS_MAX || at >= ARRAY_COUNT(b->transforms))
		return builder_fail(b, "more than %d transforms", RULE_TRANSFORMS_MAX);
	b->transforms[at].make = make;
	b->transforms[at].argument = argument;
	b->transform_count++;
	b->transforms_used = at + 1;
	return 0;
}

static int read_transform(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return add(b, keyword, makers[keyword->argument], slice_of(NULL, 0));
}

static int read_xor(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice inner = value;
	uint8_t *key;
	bool negated;
	int length;

	(void)!rule_unquote(value, &inner, &negated);
	key = arena_take(b->arena, inner.length / 2 + 1);
	length = key ? slice_unhex(inner, key, inner.length / 2) : -1;
	if (length <= 0)
		return builder_fail(b, "xor needs a key in hexadecimal");
	return add(b, keyword, xor_with, slice_of(key, (size_t)length));
}

/* --- pcrexform:"expression with a group" --- */

static struct slice capture(struct slice in, struct writer *out, struct slice argument)
{
	struct regex_capture *of;

	memcpy(&of, argument.at, sizeof(of));
	return rule_regex_capture(of, in);
}

static int read_capture(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct regex_capture *made, *kept = b->rule->captures;
	struct slice inner;
	char why[120];
	uint8_t *place;
	bool negated;

	if (rule_unquote(value, &inner, &negated) < 0 || negated)
		return builder_fail(b, "pcrexform needs an expression in quotes");
	made = rule_regex_capture_new(inner, kept, why);
	if (!made)
		return builder_fail(b, "pcrexform: %s", why);
	b->rule->captures = made;
	place = arena_take(b->arena, sizeof(made));
	if (!place)
		return builder_fail(b, "out of memory");
	memcpy(place, &made, sizeof(made));
	return add(b, keyword, capture, slice_of(place, sizeof(made)));
}

static const struct keyword table[] = {
	{"pcrexform", "What the group of a regular expression matches", read_capture, 0},
	{"dotprefix", "A dot in front", read_transform, 0},
	{"to_lowercase", "In lower case", read_transform, 1},
	{"to_uppercase", "In upper case", read_transform, 2},
	{"strip_whitespace", "Without white space", read_transform, 3},
	{"compress_whitespace", "Runs of white space as one", read_transform, 4},
	{"url_decode", "Percent signs undone", read_transform, 5},
	{"to_md5", "MD5 of it", read_transform, 6},
	{"to_sha1", "SHA-1 of it", read_transform, 7},
	{"to_sha256", "SHA-256 of it", read_transform, 8},
	{"header_lowercase", "Names of headers in lower case", read_transform, 9},
	{"strip_pseudo_headers", "Without HTTP/2's own headers", read_transform, 10},
	{"xor", "XORed with a key", read_xor, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_transform = table;
