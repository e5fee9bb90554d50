/* Targets, forms, base64; see uri.h. */
#include "decoy/protocols/http/uri.h"

void http_uri_split(struct http_uri *uri, struct slice target)
{
	size_t scheme = slice_find(target, SLICE("://")), end;
	struct slice rest = target, authority;

	memset(uri, 0, sizeof(*uri));
	if (scheme != SIZE_MAX && scheme > 0 && target.at[0] != '/' &&
	    slice_find_byte(slice_first(target, scheme), '?') == SIZE_MAX) {
		uri->scheme = slice_first(target, scheme);
		rest = slice_from(target, scheme + 3);
		for (end = 0; end < rest.length && rest.at[end] != '/' && rest.at[end] != '?';
		     end++)
			continue;
		authority = slice_first(rest, end);
		rest = slice_from(rest, end);
		end = slice_find_byte(authority, ']');
		end = end == SIZE_MAX ? 0 : end;
		end += slice_find_byte(slice_from(authority, end), ':') == SIZE_MAX
			       ? authority.length
			       : slice_find_byte(slice_from(authority, end), ':');
		uri->host = slice_first(authority, end);
		uri->port = slice_from(authority, end + 1);
	}
	uri->has_query = slice_find_byte(rest, '?') != SIZE_MAX;
	slice_next(&rest, '?', &uri->path);
	uri->query = rest;
}

/* The byte of %XX at the start of s, or -1. */
static int percent_byte(struct slice s)
{
	if (s.length < 3 || s.at[0] != '%' || hex_value(s.at[1]) < 0 || hex_value(s.at[2]) < 0)
		return -1;
	return hex_value(s.at[1]) << 4 | hex_value(s.at[2]);
}

/* Takes the last segment off; -1 when there is none. */
static int drop_segment(struct writer *out)
{
	if (out->length <= 1)
		return -1;
	out->length--;
	while (out->length && out->at[out->length - 1] != '/')
		out->length--;
	return out->length ? 0 : -1;
}

/* "." and ".." at the end of what was written: resolved when the segment ends. */
static int end_segment(struct writer *out, bool last)
{
	struct slice path = writer_slice(out);
	size_t start = path.length;
	struct slice segment;

	while (start && path.at[start - 1] != '/')
		start--;
	segment = slice_from(path, start);
	if (slice_is(segment, ".")) {
		out->length--;
		return 0;
	}
	if (slice_is(segment, "..")) {
		out->length -= 2;
		return drop_segment(out);
	}
	if (!last && segment.length)
		writer_u8(out, '/');
	return 0;
}

int http_path_decode(struct writer *out, struct slice path, enum http_dialect dialect)
{
	unsigned run = 0; /* length of the current segment */

	if (path.length == 0 || path.at[0] != '/') {
		writer_u8(out, '/');
		return out->failed || path.length ? -1 : 0;
	}
	writer_u8(out, '/');
	for (size_t i = 1; i < path.length; i++) {
		uint8_t c = path.at[i];
		bool encoded = c == '%';

		if (c == '#')
			break;
		if (encoded) {
			int byte = percent_byte(slice_from(path, i));

			if (byte < 0 || (byte == 0 && dialect == HTTP_NGINX) ||
			    (dialect == HTTP_IIS && (byte < 0x20 || byte == 0x7f)))
				return -1;
			c = (uint8_t)byte;
			i += 2;
			/* Apache answers 404 to these; so does a name that nothing has. */
			if (dialect == HTTP_APACHE && (c == '/' || c == 0))
				c = 1;
		}
		if (c == '\\' && dialect == HTTP_IIS)
			c = '/';
		if (dialect == HTTP_IIS && (c == '/' ? (run = 0) : ++run) > HTTP_IIS_SEGMENT_MAX)
			return -1;
		if (c == '/' && end_segment(out, false) < 0)
			return -1;
		if (c != '/')
			writer_u8(out, c);
	}
	if (end_segment(out, true) < 0)
		return -1;
	return out->failed ? -1 : 0;
}

void http_percent_decode(struct writer *out, struct slice text, bool form)
{
	for (size_t i = 0; i < text.length; i++) {
		int byte = percent_byte(slice_from(text, i));

		if (byte >= 0) {
			writer_u8(out, (uint8_t)byte);
			i += 2;
		} else {
			writer_u8(out, form && text.at[i] == '+' ? ' ' : text.at[i]);
		}
	}
}

bool http_form_field(struct writer *out, struct slice form, const char *name)
{
	struct slice field, key = {NULL, 0};

	while (slice_next(&form, '&', &field)) {
		slice_next(&field, '=', &key);
		if (slice_is_nocase(key, name)) {
			http_percent_decode(out, field, true);
			return true;
		}
	}
	return false;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

int http_base64_decode(struct writer *out, struct slice text)
{
	uint32_t bits = 0;
	unsigned count = 0;

	while (text.length && text.at[text.length - 1] == '=')
		text.length--;
	for (size_t i = 0; i < text.length; i++) {
		int value = base64_value(text.at[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			writer_u8(out, (uint8_t)(bits >> count));
		}
	}
	return out->failed || text.length % 4 == 1 ? -1 : 0;
}
