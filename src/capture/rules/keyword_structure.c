/* Tests that read a structure at the place in the buffer where the last match ended: BER elements
 * (X.690) with ber_data, ber_skip and asn1, and the address of an FTP PORT command (RFC 959).
 */
#include "capture/rules/keyword.h"

#define BER_DEPTH_MAX    16
#define BER_ELEMENTS_MAX 512
#define REAL_MAX         256 /* a longer number in text is an attack on who reads it */

enum { BER_BIT_STRING = 3, BER_REAL = 9, BER_CONSTRUCTED = 0x20 };

struct ber_element {
	uint8_t tag; /* with class; of tags with more than one byte the first */
	size_t header, length;
};

/* The element at the beginning; false when there is none. Its length may promise more bytes than
 * there are. */
static bool ber_read(struct slice bytes, struct ber_element *element)
{
	struct cursor c = cursor_of(bytes);
	uint8_t first;

	element->tag = cursor_u8(&c);
	if ((element->tag & 0x1f) == 0x1f)
		while (cursor_u8(&c) & 0x80)
			;
	first = cursor_u8(&c);
	element->length = first;
	if (first & 0x80) {
		unsigned count = first & 0x7f;

		if (count > 8)
			return false;
		element->length = 0;
		while (count--)
			element->length = element->length << 8 | cursor_u8(&c);
	}
	element->header = bytes.length - c.left;
	return !c.failed;
}

/* --- ber_data:TYPE; ber_skip:TYPE[,optional] --- */

enum { BER_ENTER, BER_SKIP };

static bool ber_holds(const struct test *test, struct match *m)
{
	struct slice rest = slice_from(m->buffer, m->position);
	struct ber_element element;
	bool skip = test->as.number.high == BER_SKIP;

	if (!ber_read(rest, &element) || element.tag != test->as.number.low)
		return test->as.number.fact && rest.length;
	if (skip && element.length > rest.length - element.header)
		return false;
	m->position += element.header + (skip ? element.length : 0);
	return true;
}

static int read_ber(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct slice type;
	int64_t tag;

	(void)slice_next(&value, ',', &type);
	value = slice_trim(value);
	if (!test || builder_compare(b, slice_trim(type), &test->as.number) < 0)
		return -1;
	tag = test->as.number.low;
	if (test->as.number.compare != COMPARE_EQUAL || tag < 0 || tag > 255)
		return builder_fail(b, "%s needs a type of one byte", keyword->name);
	if (value.length && (keyword->argument != BER_SKIP || !slice_is(value, "optional")))
		return builder_fail(b, "%s does not know %.*s", keyword->name,
				    (int)slice_first(value, 40).length, (const char *)value.at);
	test->as.number.fact = value.length > 0;
	test->as.number.high = keyword->argument;
	test->relative = true;
	test->holds = ber_holds;
	return 0;
}

/* --- asn1:what[, what][, oversize_length N][, relative_offset N | absolute_offset N] --- */

enum { ASN1_BIT_STRING = 1, ASN1_REAL = 2, ASN1_LENGTH = 4 };

struct asn1_walk {
	unsigned wanted, left;
	uint32_t longest;
};

static bool asn1_element(struct asn1_walk *walk, const struct ber_element *element,
			 struct slice contents)
{
	if (walk->wanted & ASN1_LENGTH && element->length > walk->longest)
		return true;
	/* More unused bits than a byte has. */
	if (walk->wanted & ASN1_BIT_STRING && element->tag == BER_BIT_STRING && contents.length &&
	    contents.at[0] > 7)
		return true;
	/* Text, by the first byte's two high bits; X.690 8.5.6. */
	return walk->wanted & ASN1_REAL && element->tag == BER_REAL && contents.length &&
	       (contents.at[0] & 0xc0) == 0 && element->length > REAL_MAX;
}

static bool asn1_finds(struct asn1_walk *walk, struct slice bytes, unsigned depth)
{
	struct ber_element element;

	while (bytes.length && walk->left && ber_read(bytes, &element)) {
		struct slice contents =
			slice_first(slice_from(bytes, element.header), element.length);

		walk->left--;
		if (asn1_element(walk, &element, contents))
			return true;
		if (element.tag & BER_CONSTRUCTED && depth < BER_DEPTH_MAX &&
		    asn1_finds(walk, contents, depth + 1))
			return true;
		bytes = slice_from(bytes, element.header + contents.length);
	}
	return false;
}

static bool asn1_holds(const struct test *test, struct match *m)
{
	struct asn1_walk walk = {test->as.byte.flags, BER_ELEMENTS_MAX, test->as.byte.multiplier};
	int64_t begin = test->as.byte.offset.value + (test->relative ? (int64_t)m->position : 0);

	return begin >= 0 && asn1_finds(&walk, slice_from(m->buffer, (size_t)begin), 0);
}

static int read_asn1(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct slice word;

	if (!test)
		return -1;
	while (slice_next(&value, ',', &word)) {
		struct slice name, rest;
		int64_t number = 0;
		bool numbered;

		word = slice_trim(word);
		name = slice_first(word, slice_find_byte(word, ' '));
		rest = slice_trim(slice_from(word, name.length));
		numbered = slice_number(rest, -65535, UINT32_MAX, &number) == 0;
		if (slice_is(name, "bitstring_overflow")) {
			test->as.byte.flags |= ASN1_BIT_STRING;
		} else if (slice_is(name, "double_overflow")) {
			test->as.byte.flags |= ASN1_REAL;
		} else if (slice_is(name, "oversize_length") && numbered && number > 0) {
			test->as.byte.flags |= ASN1_LENGTH;
			test->as.byte.multiplier = (uint32_t)number;
		} else if ((slice_is(name, "relative_offset") ||
			    slice_is(name, "absolute_offset")) &&
			   numbered) {
			test->relative = slice_is(name, "relative_offset");
			test->as.byte.offset.value = number;
		} else {
			return builder_fail(b, "asn1 does not know %.*s",
					    (int)slice_first(word, 40).length,
					    (const char *)word.at);
		}
	}
	if (!test->as.byte.flags)
		return builder_fail(b, "asn1 needs something to look for");
	test->holds = asn1_holds;
	return 0;
}

/* --- ftpbounce --- */

static const struct address *sender(const struct inspection *i)
{
	if (i->kind == INSPECT_PACKET && i->packet)
		return &i->packet->source;
	return !i->flow ? NULL : i->direction == TO_SERVER ? &i->flow->client : &i->flow->server;
}

/* PORT h1,h2,h3,h4,p1,p2 with another address than the sender's. */
static bool ftpbounce_holds(const struct test *test, struct match *m)
{
	const struct address *from = sender(m->inspection);
	struct slice rest = slice_from(m->buffer, m->position), part;
	size_t command = slice_find_nocase(rest, "PORT ");
	bool other = false;

	if (!from || from->family != 4)
		return false;
	/* A content before it may have matched the command already. */
	if (command != SIZE_MAX)
		rest = slice_from(rest, command + 5);
	for (size_t i = 0; i < 4; i++) {
		int64_t number;

		if (!slice_next(&rest, ',', &part) ||
		    slice_number(slice_trim(part), 0, 255, &number) < 0)
			return false;
		other |= number != from->bytes[i];
	}
	return other;
}

static int read_ftpbounce(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);

	if (!test)
		return -1;
	test->relative = true;
	test->holds = ftpbounce_holds;
	return 0;
}

static const struct keyword table[] = {
	{"ber_data", "A BER element begins here; go on with its contents", read_ber, BER_ENTER},
	{"ber_skip", "A BER element begins here; go on behind it", read_ber, BER_SKIP},
	{"asn1", "A malformed BER element", read_asn1, 0},
	{"ftpbounce", "An FTP PORT command names somebody else", read_ftpbounce, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_structure = table;
