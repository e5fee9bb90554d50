/* JSON (RFC 8259): a streaming writer and a pull reader; neither allocates. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/bytes.h"

#define JSON_DEPTH_MAX 64 /* more is nobody's data; both sides keep a bit a level */

struct json_writer {
	struct writer *out;
	uint64_t has_items; /* one bit a level: a comma is due before the next item */
	unsigned depth;
	bool after_key;
};

static inline struct json_writer json_writer_of(struct writer *out)
{
	return (struct json_writer){.out = out};
}

void json_object(struct json_writer *j);
void json_object_end(struct json_writer *j);
void json_array(struct json_writer *j);
void json_array_end(struct json_writer *j);
void json_key(struct json_writer *j, const char *key);
void json_key_slice(struct json_writer *j, struct slice key);
/* Bytes that are not UTF-8 become U+FFFD: whoever must not lose them escapes first. */
void json_string(struct json_writer *j, struct slice value);
void json_text(struct json_writer *j, const char *value);
void json_number(struct json_writer *j, int64_t value);
void json_real(struct json_writer *j, double value);
void json_boolean(struct json_writer *j, bool value);
void json_null(struct json_writer *j);
/* A value that is JSON already. */
void json_raw(struct json_writer *j, struct slice json);

/* Only the string with its quotes, for writers of other shapes. */
void json_quote(struct writer *out, struct slice value);
/* The same without the quotes. Characters that act on a terminal are written as \uXXXX. */
void json_escape(struct writer *out, struct slice value);

enum json_kind {
	JSON_ERROR, /* not JSON; stays so */
	JSON_END,   /* after the one value */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_reader {
	struct slice text;
	size_t at;
	uint64_t is_object; /* one bit a level */
	unsigned depth;
	uint8_t state;
};

static inline struct json_reader json_reader_of(struct slice text)
{
	return (struct json_reader){.text = text};
}

/* The next token. For keys and strings *token is what stands between the quotes, still escaped;
 * for numbers their text. JSON_END comes when only white space is left after the value. */
enum json_kind json_next(struct json_reader *reader, struct slice *token);
/* Goes on `at` a value inside so many objects, for who knows the text up to there. */
void json_jump(struct json_reader *reader, size_t at, unsigned depth);
/* Reads past the value whose first token was kind (nothing for scalars); -1 when it is broken. */
MUST_CHECK int json_skip(struct json_reader *reader, enum json_kind kind);
/* Undoes the escapes of a string token; lone surrogates become U+FFFD. */
void json_unescape(struct writer *out, struct slice token);
/* True when the token holds no backslash, so that it is its own value. */
static inline bool json_is_plain(struct slice token)
{
	return slice_find_byte(token, '\\') == SIZE_MAX;
}

#endif
