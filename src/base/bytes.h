/* Bytes from outside: slices, cursors that read them, writers that make them.
 *
 * A slice is a view and owns nothing. A cursor and a writer carry a sticky error: after the first
 * failure every further call does nothing and yields zero, so a parser checks once, at its end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK     __attribute__((warn_unused_result))
#define PRINTF(f, a)   __attribute__((format(printf, f, a)))
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct slice {
	const uint8_t *at;
	size_t length;
};

/* A slice of a string literal, without its NUL. */
#define SLICE(literal) ((struct slice){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const void *at, size_t length)
{
	return (struct slice){at, length};
}

/* A slice of our own NUL-terminated text; NULL gives the empty slice. */
static inline struct slice slice_text(const char *text)
{
	return (struct slice){(const uint8_t *)text, text ? strlen(text) : 0};
}

/* The part from offset on, the part of at most length bytes; both clamp, never fail. */
struct slice slice_from(struct slice s, size_t offset);
struct slice slice_first(struct slice s, size_t length);

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice s, const char *text);
/* The same without regard to ASCII case. */
bool slice_is_nocase(struct slice s, const char *text);
bool slice_starts(struct slice s, const char *text);
bool slice_starts_nocase(struct slice s, const char *text);
int slice_compare(struct slice a, struct slice b);

/* Offset of the first occurrence, or SIZE_MAX. */
size_t slice_find_byte(struct slice s, uint8_t byte);
size_t slice_find(struct slice s, struct slice needle);
size_t slice_find_nocase(struct slice s, const char *text);
static inline bool slice_contains_nocase(struct slice s, const char *text)
{
	return slice_find_nocase(s, text) != SIZE_MAX;
}

/* The value of a hexadecimal digit, or -1. */
static inline int hex_value(uint8_t byte)
{
	uint8_t lower = byte | 0x20;

	return byte >= '0' && byte <= '9'     ? byte - '0'
	       : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
					      : -1;
}

static inline uint8_t ascii_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* Without leading and trailing spaces, tabs, CR and LF. */
struct slice slice_trim(struct slice s);

/* Takes the part before the separator off the front of *rest (and drops the separator); the whole
 * rest when there is none. Returns false, and an empty part, when *rest was empty at the call. */
bool slice_next(struct slice *rest, uint8_t separator, struct slice *part);

/* Decimal number of the whole slice within [minimum, maximum]; -1 when it is anything else. */
MUST_CHECK int slice_number(struct slice s, int64_t minimum, int64_t maximum, int64_t *number);
/* Hexadecimal digits (even count) to bytes; returns the count or -1. */
MUST_CHECK int slice_unhex(struct slice s, uint8_t *out, size_t capacity);

struct cursor {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct cursor cursor_of(struct slice s)
{
	return (struct cursor){s.at, s.length, false};
}

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16be(struct cursor *c);
uint16_t cursor_u16le(struct cursor *c);
uint32_t cursor_u32be(struct cursor *c);
uint32_t cursor_u32le(struct cursor *c);
uint64_t cursor_u64be(struct cursor *c);
uint64_t cursor_u64le(struct cursor *c);
/* The next length bytes; the empty slice (and failed) when fewer are left. */
struct slice cursor_take(struct cursor *c, size_t length);
/* Bytes up to the first occurrence of byte, which is dropped; fails when it is not there. */
struct slice cursor_until(struct cursor *c, uint8_t byte);
static inline void cursor_skip(struct cursor *c, size_t length)
{
	(void)cursor_take(c, length);
}

/* A writer fills a fixed array, or (growing) memory of its own up to a limit. */
struct writer {
	uint8_t *at;
	size_t length;
	size_t capacity;
	size_t limit; /* 0: fixed; else the most that a growing writer may hold */
	bool failed;
};

static inline struct writer writer_fixed(void *at, size_t capacity)
{
	return (struct writer){.at = at, .capacity = capacity};
}

static inline struct writer writer_growing(size_t limit)
{
	return (struct writer){.limit = limit};
}

/* Frees what a growing writer holds, and empties any writer. */
void writer_free(struct writer *w);
static inline void writer_clear(struct writer *w)
{
	w->length = 0;
	w->failed = false;
}
static inline struct slice writer_slice(const struct writer *w)
{
	return (struct slice){w->at, w->length};
}
/* Drops the first count bytes. */
void writer_consume(struct writer *w, size_t count);
/* Room for length more bytes, or NULL and failed; the bytes count only after writer_commit. */
uint8_t *writer_reserve(struct writer *w, size_t length);
static inline void writer_commit(struct writer *w, size_t length)
{
	w->length += length;
}

void writer_u8(struct writer *w, uint8_t value);
void writer_u16be(struct writer *w, uint16_t value);
void writer_u16le(struct writer *w, uint16_t value);
void writer_u32be(struct writer *w, uint32_t value);
void writer_u32le(struct writer *w, uint32_t value);
void writer_u64be(struct writer *w, uint64_t value);
void writer_u64le(struct writer *w, uint64_t value);
void writer_bytes(struct writer *w, struct slice s);
void writer_text(struct writer *w, const char *text);
void writer_format(struct writer *w, const char *format, ...) PRINTF(2, 3);
void writer_vformat(struct writer *w, const char *format, va_list arguments) PRINTF(2, 0);
void writer_hex(struct writer *w, struct slice s);
void writer_base64(struct writer *w, struct slice s);
void writer_decimal(struct writer *w, int64_t number);

/* Text for a person: control bytes, DEL, C1, bidirectional overrides and bytes that are not UTF-8
 * as \xNN, so that nothing an attacker sent can act on a terminal. */
void writer_printable(struct writer *w, struct slice s);

/* Length of the valid UTF-8 sequence at the start of s (RFC 3629), or 0. */
size_t utf8_sequence(struct slice s);
/* True of a sequence that is a C1 control, a mark that reorders text on a screen (U+200E/F,
 * U+202A-E, U+2066-9, U+061C), a line separator (U+2028/9) or the byte order mark. */
bool utf8_acts_on_screen(struct slice sequence);

#endif
