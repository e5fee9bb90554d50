/* Tokens, rows and packets of the Tabular Data Stream; see tds.h. */
#include "tds.h"

#include "base/clock.h"

#define NVARCHAR_MAX 4000 /* characters of a column that is no stream */
#define VARCHAR_MAX  8000
#define OLD_MAX      255 /* the same before TDS 7.0 */

static const uint8_t collation[5] = {0x09, 0x04, 0xd0, 0x00, 0x34};

/* --- text --- */

/* Takes one code point off the front of UTF-8 text. */
static uint32_t next_code_point(struct slice *text)
{
	size_t length = utf8_sequence(*text);
	const uint8_t *at = text->at;
	uint32_t point;

	if (length <= 1) {
		point = at[0];
		length = 1;
	} else {
		point = at[0] & (0x7fU >> length);
		for (size_t i = 1; i < length; i++)
			point = point << 6 | (at[i] & 0x3f);
	}
	*text = slice_from(*text, length);
	return point;
}

void tds_to_utf16(struct slice utf8, struct writer *out)
{
	while (utf8.length > 0) {
		uint32_t point = next_code_point(&utf8);
		if (point >= 0x10000) {
			writer_u16le(out, (uint16_t)(0xd800 + ((point - 0x10000) >> 10)));
			writer_u16le(out, (uint16_t)(0xdc00 + ((point - 0x10000) & 0x3ff)));
		} else {
			writer_u16le(out, (uint16_t)point);
		}
	}
}

static void to_latin1(struct slice utf8, struct writer *out)
{
	while (utf8.length > 0) {
		uint32_t point = next_code_point(&utf8);
		writer_u8(out, point < 0x100 ? (uint8_t)point : '?');
	}
}

static void put_utf8(struct writer *out, uint32_t point)
{
	if (point < 0x80) {
		writer_u8(out, (uint8_t)point);
		return;
	}
	if (point < 0x800) {
		writer_u8(out, (uint8_t)(0xc0 | point >> 6));
	} else {
		if (point < 0x10000) {
			writer_u8(out, (uint8_t)(0xe0 | point >> 12));
		} else {
			writer_u8(out, (uint8_t)(0xf0 | point >> 18));
			writer_u8(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
		}
		writer_u8(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
	}
	writer_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
}

void tds_to_utf8(struct slice utf16, struct writer *out)
{
	for (size_t i = 0; i + 1 < utf16.length; i += 2) {
		uint32_t unit = utf16.at[i] | (uint32_t)utf16.at[i + 1] << 8;
		if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < utf16.length) {
			uint32_t low = utf16.at[i + 2] | (uint32_t)utf16.at[i + 3] << 8;
			if (low >= 0xdc00 && low < 0xe000) {
				unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			}
		}
		put_utf8(out, unit);
	}
}

static void put_text(struct tds_stream *out, struct slice text)
{
	if (out->version == TDS_VERSION_42)
		to_latin1(text, &out->bytes);
	else
		tds_to_utf16(text, &out->bytes);
}

/* UTF-16 units, or characters before 7.0, that the text will take. */
static size_t units_of(const struct tds_stream *out, struct slice text)
{
	size_t units = 0;

	while (text.length > 0)
		units +=
			next_code_point(&text) >= 0x10000 && out->version != TDS_VERSION_42 ? 2 : 1;
	return units;
}

/* The longest start of the text that takes at most `most` units. */
static struct slice fitting(const struct tds_stream *out, struct slice text, size_t most)
{
	struct slice rest = text;
	size_t units = 0;

	while (rest.length > 0) {
		struct slice before = rest;
		units +=
			next_code_point(&rest) >= 0x10000 && out->version != TDS_VERSION_42 ? 2 : 1;
		if (units > most)
			return slice_first(text, text.length - before.length);
	}
	return text;
}

/* Text behind a count of one byte (B_VARCHAR) or two (US_VARCHAR). */
static void put_short(struct tds_stream *out, struct slice text)
{
	text = fitting(out, text, 255);
	writer_u8(&out->bytes, (uint8_t)units_of(out, text));
	put_text(out, text);
}

static void put_long(struct tds_stream *out, struct slice text)
{
	text = fitting(out, text, NVARCHAR_MAX);
	writer_u16le(&out->bytes, (uint16_t)units_of(out, text));
	put_text(out, text);
}

/* Tokens begin with their length; it is filled in once it is known. */
static size_t begin_token(struct tds_stream *out, uint8_t token)
{
	writer_u8(&out->bytes, token);
	writer_u16le(&out->bytes, 0);
	return out->bytes.length;
}

static void end_token(struct tds_stream *out, size_t start)
{
	if (out->bytes.failed)
		return;
	size_t length = out->bytes.length - start;
	out->bytes.at[start - 2] = (uint8_t)length;
	out->bytes.at[start - 1] = (uint8_t)(length >> 8);
}

/* --- tokens --- */

void tds_message(struct tds_stream *out, const struct tds_message *message, struct slice text)
{
	size_t start = begin_token(out, (uint8_t)message->token);

	writer_u32le(&out->bytes, message->number);
	writer_u8(&out->bytes, message->state);
	writer_u8(&out->bytes, message->severity);
	put_long(out, text);
	put_short(out, slice_text(out->server));
	put_short(out, slice_text(message->procedure));
	if (out->version >= TDS_VERSION_72)
		writer_u32le(&out->bytes, message->line);
	else
		writer_u16le(&out->bytes, (uint16_t)message->line);
	end_token(out, start);
}

void tds_environment(struct tds_stream *out, enum tds_environment kind, struct slice now,
		     struct slice before)
{
	size_t start = begin_token(out, 0xe3);

	writer_u8(&out->bytes, (uint8_t)kind);
	put_short(out, now);
	put_short(out, before);
	end_token(out, start);
}

void tds_collation(struct tds_stream *out)
{
	size_t start = begin_token(out, 0xe3);

	writer_u8(&out->bytes, 7);
	writer_u8(&out->bytes, sizeof(collation));
	writer_bytes(&out->bytes, slice_of(collation, sizeof(collation)));
	writer_u8(&out->bytes, 0);
	end_token(out, start);
}

void tds_login_ack(struct tds_stream *out, const char *program, const uint8_t version[4])
{
	/* As a server answers, most significant byte first (MS-TDS 2.2.7.14). */
	static const uint32_t versions[] = {
		[TDS_VERSION_42] = 0x04020000, [TDS_VERSION_70] = 0x07000000,
		[TDS_VERSION_71] = 0x71000001, [TDS_VERSION_72] = 0x72090002,
		[TDS_VERSION_73] = 0x730b0003, [TDS_VERSION_74] = 0x74000004,
	};
	size_t start = begin_token(out, 0xad);
	struct slice name = slice_text(program);

	writer_u8(&out->bytes, 1); /* the language is Transact-SQL */
	writer_u32be(&out->bytes, versions[out->version]);
	/* From TDS 7.0 on the name ends with two NULs that count. */
	struct slice end = out->version == TDS_VERSION_42 ? slice_of(NULL, 0) : SLICE("\0\0");
	writer_u8(&out->bytes, (uint8_t)(units_of(out, name) + end.length));
	put_text(out, name);
	put_text(out, end);
	writer_bytes(&out->bytes, slice_of(version, 4));
	end_token(out, start);
}

void tds_sspi(struct tds_stream *out, struct slice token)
{
	size_t start = begin_token(out, 0xed);

	writer_bytes(&out->bytes, token);
	end_token(out, start);
}

void tds_done(struct tds_stream *out, enum tds_token token, unsigned status,
	      enum tds_command command, uint64_t rows)
{
	writer_u8(&out->bytes, (uint8_t)token);
	out->last_done = out->bytes.length;
	writer_u16le(&out->bytes, (uint16_t)(status | TDS_DONE_MORE));
	writer_u16le(&out->bytes, (uint16_t)command);
	if (out->version >= TDS_VERSION_72)
		writer_u64le(&out->bytes, rows);
	else
		writer_u32le(&out->bytes, (uint32_t)rows);
}

void tds_finish(struct tds_stream *out)
{
	if (out->last_done && out->last_done < out->bytes.length)
		out->bytes.at[out->last_done] &= (uint8_t)~TDS_DONE_MORE;
}

void tds_return_status(struct tds_stream *out, int32_t status)
{
	writer_u8(&out->bytes, 0x79);
	writer_u32le(&out->bytes, (uint32_t)status);
}

static void put_user_type(struct tds_stream *out)
{
	if (out->version >= TDS_VERSION_72)
		writer_u32le(&out->bytes, 0);
	else
		writer_u16le(&out->bytes, 0);
}

void tds_return_number(struct tds_stream *out, uint16_t ordinal, const char *name, int32_t number)
{
	writer_u8(&out->bytes, 0xac);
	writer_u16le(&out->bytes, ordinal);
	put_short(out, slice_text(name));
	writer_u8(&out->bytes, 1); /* an output parameter */
	put_user_type(out);
	writer_u16le(&out->bytes, 0);
	writer_u8(&out->bytes, 0x26);
	writer_u8(&out->bytes, 4);
	writer_u8(&out->bytes, 4);
	writer_u32le(&out->bytes, (uint32_t)number);
}

/* --- rows --- */

struct kind_code {
	uint8_t fixed, nullable; /* type bytes; 0: only the other */
	uint8_t size;            /* of a number; 0: text with a count of two bytes */
	uint8_t old;             /* type byte of the nullable form before TDS 7.0 */
};

static const struct kind_code codes[] = {
	[TDS_NULL] = {0, 0x26, 4, 0x26},      [TDS_INT] = {0x38, 0x26, 4, 0x26},
	[TDS_BIGINT] = {0x7f, 0x26, 8, 0x26}, [TDS_BIT] = {0x32, 0x68, 1, 0x26},
	[TDS_VARCHAR] = {0, 0xa7, 0, 0x27},   [TDS_NVARCHAR] = {0, 0xe7, 0, 0x27},
	[TDS_BINARY] = {0, 0xa5, 0, 0x25},    [TDS_DATETIME] = {0x3d, 0x6f, 8, 0x6f},
};

static bool is_fixed(const struct tds_stream *out, const struct tds_column *column)
{
	return !column->nullable && codes[column->kind].fixed && out->version != TDS_VERSION_42;
}

/* Bytes of a number on the wire; TDS 4.2 has none of eight. */
static uint8_t number_size(const struct tds_stream *out, const struct tds_column *column)
{
	if (out->version == TDS_VERSION_42 && column->kind == TDS_BIGINT)
		return 4;
	return codes[column->kind].size;
}

static size_t byte_width(const struct tds_column *column)
{
	size_t width = column->width ? column->width : 1;

	if (column->kind == TDS_NVARCHAR)
		return 2 * (width > NVARCHAR_MAX ? NVARCHAR_MAX : width);
	return width > VARCHAR_MAX ? VARCHAR_MAX : width;
}

static void put_type(struct tds_stream *out, const struct tds_column *column)
{
	const struct kind_code *code = &codes[column->kind];
	struct writer *w = &out->bytes;

	if (out->version == TDS_VERSION_42) {
		writer_u8(w, code->old);
		writer_u8(w, code->size ? number_size(out, column) : OLD_MAX);
	} else if (is_fixed(out, column)) {
		writer_u8(w, code->fixed);
	} else if (code->size) {
		writer_u8(w, code->nullable);
		writer_u8(w, code->size);
	} else {
		writer_u8(w, code->nullable);
		writer_u16le(w, (uint16_t)byte_width(column));
		if (column->kind != TDS_BINARY && out->version >= TDS_VERSION_71)
			writer_bytes(w, slice_of(collation, sizeof(collation)));
	}
}

/* Before TDS 7.0 names and types come in two tokens. */
static void old_columns(struct tds_stream *out, const struct tds_column *columns, size_t count)
{
	size_t start = begin_token(out, 0xa0);

	for (size_t i = 0; i < count; i++)
		put_short(out, columns[i].name);
	end_token(out, start);
	start = begin_token(out, 0xa1);
	for (size_t i = 0; i < count; i++) {
		writer_u16le(&out->bytes, 0);
		writer_u16le(&out->bytes, 0);
		put_type(out, &columns[i]);
	}
	end_token(out, start);
}

void tds_columns(struct tds_stream *out, const struct tds_column *columns, size_t count)
{
	if (out->version == TDS_VERSION_42) {
		old_columns(out, columns, count);
		return;
	}
	writer_u8(&out->bytes, 0x81);
	writer_u16le(&out->bytes, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		put_user_type(out);
		/* Computed (0x20), perhaps null (0x01). */
		writer_u16le(&out->bytes,
			     is_fixed(out, &columns[i]) || !columns[i].nullable ? 0x20 : 0x21);
		put_type(out, &columns[i]);
		put_short(out, columns[i].name);
	}
}

static void put_datetime(struct writer *w, int64_t microseconds)
{
	/* Days since 1900 and three-hundredths of a second since midnight. */
	int64_t days = microseconds / DAY, rest = microseconds % DAY;

	if (rest < 0) {
		rest += DAY;
		days--;
	}
	writer_u32le(w, (uint32_t)(days + 25567));
	writer_u32le(w, (uint32_t)(rest * 3 / 10000));
}

static void put_number(struct tds_stream *out, const struct tds_column *column, int64_t number)
{
	uint8_t size = number_size(out, column);

	if (!is_fixed(out, column))
		writer_u8(&out->bytes, size);
	if (column->kind == TDS_DATETIME)
		put_datetime(&out->bytes, number);
	else if (size == 8)
		writer_u64le(&out->bytes, (uint64_t)number);
	else if (size == 4)
		writer_u32le(&out->bytes, (uint32_t)number);
	else
		writer_u8(&out->bytes, number != 0);
}

static void put_string(struct tds_stream *out, const struct tds_column *column, struct slice text)
{
	uint8_t room[2 * VARCHAR_MAX];
	struct writer w = writer_fixed(room, sizeof(room));
	bool old = out->version == TDS_VERSION_42;

	/* One byte makes at most two, so the room suffices. */
	text = slice_first(text, VARCHAR_MAX);
	if (column->kind == TDS_BINARY)
		writer_bytes(&w, text);
	else if (column->kind == TDS_NVARCHAR && !old)
		tds_to_utf16(text, &w);
	else
		to_latin1(text, &w);
	struct slice bytes = slice_first(writer_slice(&w), old ? OLD_MAX : byte_width(column));
	if (old)
		writer_u8(&out->bytes, (uint8_t)bytes.length);
	else
		writer_u16le(&out->bytes, (uint16_t)bytes.length);
	writer_bytes(&out->bytes, bytes);
}

static void put_null(struct tds_stream *out, const struct tds_column *column)
{
	if (is_fixed(out, column))
		put_number(out, column, 0);
	else if (codes[column->kind].size || out->version == TDS_VERSION_42)
		writer_u8(&out->bytes, 0);
	else
		writer_u16le(&out->bytes, 0xffff);
}

static void put_value(struct tds_stream *out, const struct tds_column *column,
		      const struct tds_value *value)
{
	bool is_number = codes[value->kind].size != 0;
	char text[32];

	if (value->kind == TDS_NULL) {
		put_null(out, column);
	} else if (codes[column->kind].size) {
		int64_t number = value->number;
		if (!is_number && slice_number(value->text, INT32_MIN, INT32_MAX, &number) != 0)
			put_null(out, column);
		else
			put_number(out, column, number);
	} else if (is_number) {
		struct writer w = writer_fixed(text, sizeof(text));
		writer_decimal(&w, value->number);
		put_string(out, column, writer_slice(&w));
	} else {
		put_string(out, column, value->text);
	}
}

void tds_row(struct tds_stream *out, const struct tds_column *columns,
	     const struct tds_value *values, size_t count)
{
	writer_u8(&out->bytes, 0xd1);
	for (size_t i = 0; i < count; i++)
		put_value(out, &columns[i], &values[i]);
}

/* --- packets --- */

void tds_packets(struct writer *out, enum tds_packet type, uint16_t size, uint16_t spid,
		 struct slice message)
{
	uint8_t number = 1;

	do {
		struct slice part = slice_first(message, (size_t)size - TDS_HEADER);
		message = slice_from(message, part.length);
		writer_u8(out, (uint8_t)type);
		writer_u8(out, message.length == 0);
		writer_u16be(out, (uint16_t)(part.length + TDS_HEADER));
		writer_u16be(out, spid);
		writer_u8(out, number++);
		writer_u8(out, 0);
		writer_bytes(out, part);
	} while (message.length > 0);
}
