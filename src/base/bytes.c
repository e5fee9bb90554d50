/* Slices, cursors and writers; see bytes.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/bytes.h"

struct slice slice_from(struct slice s, size_t offset)
{
	if (offset > s.length)
		offset = s.length;
	return (struct slice){s.at ? s.at + offset : NULL, s.length - offset};
}

struct slice slice_first(struct slice s, size_t length)
{
	return (struct slice){s.at, length < s.length ? length : s.length};
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_text(text));
}

bool slice_starts(struct slice s, const char *text)
{
	return slice_is(slice_first(s, strlen(text)), text);
}

bool slice_starts_nocase(struct slice s, const char *text)
{
	return slice_is_nocase(slice_first(s, strlen(text)), text);
}

bool slice_is_nocase(struct slice s, const char *text)
{
	size_t length = strlen(text);

	return s.length == length &&
	       (length == 0 || strncasecmp((const char *)s.at, text, length) == 0);
}

int slice_compare(struct slice a, struct slice b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter ? memcmp(a.at, b.at, shorter) : 0;

	if (order != 0)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

size_t slice_find_byte(struct slice s, uint8_t byte)
{
	const uint8_t *found = s.length ? memchr(s.at, byte, s.length) : NULL;

	return found ? (size_t)(found - s.at) : SIZE_MAX;
}

size_t slice_find(struct slice s, struct slice needle)
{
	const uint8_t *found;

	if (needle.length == 0)
		return 0;
	if (s.length < needle.length)
		return SIZE_MAX;
	found = memmem(s.at, s.length, needle.at, needle.length);
	return found ? (size_t)(found - s.at) : SIZE_MAX;
}

size_t slice_find_nocase(struct slice s, const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; length <= s.length && i <= s.length - length; i++) {
		if (strncasecmp((const char *)s.at + i, text, length) == 0)
			return i;
	}
	return SIZE_MAX;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.length && is_blank(s.at[0]))
		s = slice_from(s, 1);
	while (s.length && is_blank(s.at[s.length - 1]))
		s.length--;
	return s;
}

bool slice_next(struct slice *rest, uint8_t separator, struct slice *part)
{
	size_t end;

	*part = (struct slice){NULL, 0};
	if (rest->length == 0)
		return false;
	end = slice_find_byte(*rest, separator);
	*part = slice_first(*rest, end);
	*rest = end == SIZE_MAX ? slice_from(*rest, rest->length) : slice_from(*rest, end + 1);
	return true;
}

int slice_number(struct slice s, int64_t minimum, int64_t maximum, int64_t *number)
{
	bool negative = s.length && s.at[0] == '-';
	int64_t value = 0;

	if (negative)
		s = slice_from(s, 1);
	if (s.length == 0)
		return -1;
	for (size_t i = 0; i < s.length; i++) {
		int digit = s.at[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return -1;
	}
	/* The sum runs below zero because that side is the longer one. */
	if (!negative && __builtin_mul_overflow(value, -1, &value))
		return -1;
	if (value < minimum || value > maximum)
		return -1;
	*number = value;
	return 0;
}

int slice_unhex(struct slice s, uint8_t *out, size_t capacity)
{
	if (s.length % 2 || s.length / 2 > capacity)
		return -1;
	for (size_t i = 0; i < s.length / 2; i++) {
		int high = hex_value(s.at[2 * i]), low = hex_value(s.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(s.length / 2);
}

struct slice cursor_take(struct cursor *c, size_t length)
{
	struct slice taken = {c->at, length};

	if (c->failed || length > c->left) {
		c->failed = true;
		return (struct slice){c->at, 0};
	}
	if (length) {
		c->at += length;
		c->left -= length;
	}
	return taken;
}

struct slice cursor_until(struct cursor *c, uint8_t byte)
{
	size_t end = slice_find_byte(slice_of(c->at, c->left), byte);
	struct slice taken;

	if (c->failed || end == SIZE_MAX) {
		c->failed = true;
		return (struct slice){c->at, 0};
	}
	taken = cursor_take(c, end);
	cursor_skip(c, 1);
	return taken;
}

static uint64_t cursor_be(struct cursor *c, size_t length)
{
	struct slice s = cursor_take(c, length);
	uint64_t value = 0;

	for (size_t i = 0; i < s.length; i++)
		value = value << 8 | s.at[i];
	return value;
}

static uint64_t cursor_le(struct cursor *c, size_t length)
{
	struct slice s = cursor_take(c, length);
	uint64_t value = 0;

	for (size_t i = s.length; i > 0; i--)
		value = value << 8 | s.at[i - 1];
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_be(c, 1);
}

uint16_t cursor_u16be(struct cursor *c)
{
	return (uint16_t)cursor_be(c, 2);
}

uint16_t cursor_u16le(struct cursor *c)
{
	return (uint16_t)cursor_le(c, 2);
}

uint32_t cursor_u32be(struct cursor *c)
{
	return (uint32_t)cursor_be(c, 4);
}

uint32_t cursor_u32le(struct cursor *c)
{
	return (uint32_t)cursor_le(c, 4);
}

uint64_t cursor_u64be(struct cursor *c)
{
	return cursor_be(c, 8);
}

uint64_t cursor_u64le(struct cursor *c)
{
	return cursor_le(c, 8);
}

void writer_free(struct writer *w)
{
	if (w->limit)
		free(w->at);
	*w = (struct writer){.limit = w->limit};
}

void writer_consume(struct writer *w, size_t count)
{
	if (count >= w->length) {
		w->length = 0;
		return;
	}
	memmove(w->at, w->at + count, w->length - count);
	w->length -= count;
}

static bool writer_grow(struct writer *w, size_t needed)
{
	size_t capacity = w->capacity ? w->capacity : 128;
	uint8_t *grown;

	if (needed > w->limit)
		return false;
	while (capacity < needed)
		capacity *= 2;
	if (capacity > w->limit)
		capacity = w->limit;
	grown = realloc(w->at, capacity);
	if (!grown)
		return false;
	w->at = grown;
	w->capacity = capacity;
	return true;
}

uint8_t *writer_reserve(struct writer *w, size_t length)
{
	size_t needed;

	if (w->failed)
		return NULL;
	if (__builtin_add_overflow(w->length, length, &needed) ||
	    (needed > w->capacity && !writer_grow(w, needed))) {
		w->failed = true;
		return NULL;
	}
	return w->at + w->length;
}

void writer_bytes(struct writer *w, struct slice s)
{
	uint8_t *at;

	if (s.length == 0)
		return;
	at = writer_reserve(w, s.length);
	if (!at)
		return;
	memcpy(at, s.at, s.length);
	w->length += s.length;
}

void writer_text(struct writer *w, const char *text)
{
	writer_bytes(w, slice_text(text));
}

static void writer_be(struct writer *w, uint64_t value, unsigned length)
{
	uint8_t *at = writer_reserve(w, length);

	for (unsigned i = 0; at && i < length; i++)
		at[i] = (uint8_t)(value >> (8 * (length - 1 - i)));
	if (at)
		w->length += length;
}

static void writer_le(struct writer *w, uint64_t value, unsigned length)
{
	uint8_t *at = writer_reserve(w, length);

	for (unsigned i = 0; at && i < length; i++)
		at[i] = (uint8_t)(value >> (8 * i));
	if (at)
		w->length += length;
}

void writer_u8(struct writer *w, uint8_t value)
{
	writer_be(w, value, 1);
}

void writer_u16be(struct writer *w, uint16_t value)
{
	writer_be(w, value, 2);
}

void writer_u16le(struct writer *w, uint16_t value)
{
	writer_le(w, value, 2);
}

void writer_u32be(struct writer *w, uint32_t value)
{
	writer_be(w, value, 4);
}

void writer_u32le(struct writer *w, uint32_t value)
{
	writer_le(w, value, 4);
}

void writer_u64be(struct writer *w, uint64_t value)
{
	writer_be(w, value, 8);
}

void writer_u64le(struct writer *w, uint64_t value)
{
	writer_le(w, value, 8);
}

void writer_vformat(struct writer *w, const char *format, va_list arguments)
{
	va_list again;
	uint8_t *at;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	/* vsnprintf wants room for its NUL; it is not counted as content. */
	at = length < 0 ? NULL : writer_reserve(w, (size_t)length + 1);
	if (!at) {
		w->failed = true;
		return;
	}
	vsnprintf((char *)at, (size_t)length + 1, format, arguments);
	w->length += (size_t)length;
}

void writer_format(struct writer *w, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	writer_vformat(w, format, arguments);
	va_end(arguments);
}

void writer_hex(struct writer *w, struct slice s)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *at = writer_reserve(w, 2 * s.length);

	for (size_t i = 0; at && i < s.length; i++) {
		at[2 * i] = (uint8_t)digits[s.at[i] >> 4];
		at[2 * i + 1] = (uint8_t)digits[s.at[i] & 15];
	}
	if (at)
		w->length += 2 * s.length;
}

void writer_base64(struct writer *w, struct slice s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *at = writer_reserve(w, (s.length + 2) / 3 * 4);

	for (size_t i = 0; at && i < s.length; i += 3) {
		size_t left = s.length - i;
		uint32_t group = (uint32_t)s.at[i] << 16;

		group |= left > 1 ? (uint32_t)s.at[i + 1] << 8 : 0;
		group |= left > 2 ? s.at[i + 2] : 0;
		*at++ = (uint8_t)digits[group >> 18];
		*at++ = (uint8_t)digits[group >> 12 & 63];
		*at++ = left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=';
		*at++ = left > 2 ? (uint8_t)digits[group & 63] : '=';
		w->length += 4;
	}
}

void writer_decimal(struct writer *w, int64_t number)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);
	uint64_t value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value);
	if (number < 0)
		digits[--at] = '-';
	writer_bytes(w, slice_of(digits + at, sizeof(digits) - at));
}

size_t utf8_sequence(struct slice s)
{
	static const struct {
		uint8_t first, last, low, high, length;
	} forms[] = {
		{0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s.length == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		if (s.at[0] < forms[i].first || s.at[0] > forms[i].last)
			continue;
		if (forms[i].length > s.length)
			return 0;
		for (size_t k = 1; k < forms[i].length; k++) {
			uint8_t low = k == 1 ? forms[i].low : 0x80;
			uint8_t high = k == 1 ? forms[i].high : 0xbf;

			if (s.at[k] < low || s.at[k] > high)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

bool utf8_acts_on_screen(struct slice sequence)
{
	const uint8_t *b = sequence.at;

	if (sequence.length == 2)
		return (b[0] == 0xc2 && b[1] < 0xa0) || (b[0] == 0xd8 && b[1] == 0x9c);
	if (sequence.length != 3)
		return false;
	if (b[0] == 0xe2 && b[1] == 0x80)
		return b[2] == 0x8e || b[2] == 0x8f || (b[2] >= 0xa8 && b[2] <= 0xae);
	if (b[0] == 0xe2 && b[1] == 0x81)
		return b[2] >= 0xa6 && b[2] <= 0xa9;
	return b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf;
}

void writer_printable(struct writer *w, struct slice s)
{
	while (s.length) {
		size_t length = utf8_sequence(s);
		struct slice sequence = slice_first(s, length ? length : 1);
		bool plain = length > 1 ? !utf8_acts_on_screen(sequence)
					: length == 1 && s.at[0] >= 0x20 && s.at[0] != 0x7f;

		if (plain) {
			writer_bytes(w, sequence);
		} else {
			for (size_t i = 0; i < sequence.length; i++) {
				writer_text(w, "\\x");
				writer_hex(w, slice_of(sequence.at + i, 1));
			}
		}
		s = slice_from(s, sequence.length);
	}
}
