/* Cowrie's ttylogs; see asciicast.h. */
#include "base/clock.h"
#include "base/json.h"
#include "exchange/asciicast.h"

#define RECORD_HEADER 24

enum operation { OPENED = 1, CLOSED, WROTE, EXECUTED };
enum direction { INPUT = 1, OUTPUT, COMMAND };

struct record {
	uint32_t operation, direction;
	int64_t time; /* microseconds */
	struct slice bytes;
};

/* False at the end and at what is no record. */
static bool next_record(struct cursor *c, struct record *record)
{
	uint32_t length, seconds, micros;

	if (c->left < RECORD_HEADER)
		return false;
	record->operation = cursor_u32le(c);
	(void)cursor_u32le(c);
	length = cursor_u32le(c);
	record->direction = cursor_u32le(c);
	seconds = cursor_u32le(c);
	micros = cursor_u32le(c);
	record->time = (int64_t)seconds * SECOND + micros;
	record->bytes = cursor_take(c, length);
	return !c->failed && record->operation >= OPENED && record->operation <= EXECUTED &&
	       record->direction <= COMMAND && micros < SECOND;
}

bool ttylog_is_one(struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	struct record record;

	return next_record(&c, &record);
}

/* Text in which a byte that is no UTF-8 is a lone surrogate. */
static void add_text(struct writer *out, struct slice bytes)
{
	while (bytes.length) {
		size_t run = 0, sequence;

		while (run < bytes.length && (sequence = utf8_sequence(slice_from(bytes, run))) > 0)
			run += sequence;
		json_escape(out, slice_first(bytes, run));
		bytes = slice_from(bytes, run);
		if (bytes.length) {
			writer_format(out, "\\udc%02x", bytes.at[0]);
			bytes = slice_from(bytes, 1);
		}
	}
}

static struct slice command_of(struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	struct record record;

	while (next_record(&c, &record))
		if (record.direction == COMMAND || record.operation == EXECUTED)
			return record.bytes;
	return slice_of(NULL, 0);
}

int ttylog_convert(struct slice bytes, struct writer *out, int64_t *started, bool *torn,
		   const char **why)
{
	struct cursor c = cursor_of(bytes);
	struct slice command = command_of(bytes);
	struct record record;
	size_t whole = 0;

	*why = "not a ttylog of Cowrie";
	if (!next_record(&c, &record))
		return -1;
	*started = record.time;
	writer_format(out, "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": %lld",
		      (long long)(*started / SECOND));
	if (command.length) {
		writer_text(out, ", \"command\": ");
		json_quote(out, command);
	}
	writer_text(out, "}\n");
	c = cursor_of(bytes);
	while (next_record(&c, &record)) {
		int64_t elapsed = record.time > *started ? record.time - *started : 0;

		whole = bytes.length - c.left;
		if (record.operation != WROTE || record.bytes.length == 0)
			continue;
		writer_format(out, "[%lld.%06lld, \"%s\", \"", (long long)(elapsed / SECOND),
			      (long long)(elapsed % SECOND),
			      record.direction == OUTPUT ? "o" : "i");
		add_text(out, record.bytes);
		writer_text(out, "\"]\n");
	}
	*torn = whole < bytes.length;
	*why = "the recording is too long";
	return out->failed ? -1 : 0;
}
