/* What happened: one event, in memory and as a line of JSON.
 *
 * The struct borrows all text; it lives on the stack or in a session and is written out before the
 * next one is made. Text may hold any bytes: what is not UTF-8 (or holds a NUL) is escaped without
 * loss when written and its field named in sundew.escaped.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "base/address.h"
#include "base/arena.h"
#include "base/bytes.h"

#define EVENT_SCHEMA_VERSION 1
#define EVENT_LINE_MAX       (256 * 1024) /* longest line of JSON; every field's cap is below it */
#define EVENT_TEXT_MAX       8192 /* a text field is cut here and named in sundew.truncated */
#define EVENT_LIST_MAX       64   /* items of a list field that are kept */
#define EVENT_BYTES_MAX      4096 /* of a BYTES field; evidence holds the rest */

enum event_field {
#define FIELD(symbol, path, type, meaning) FIELD_##symbol,
#include "event/schema.def"
#undef FIELD
	FIELD_COUNT
};

enum field_type {
	FIELD_TYPE_TIME,
	FIELD_TYPE_TEXT,
	FIELD_TYPE_NUMBER,
	FIELD_TYPE_REAL,
	FIELD_TYPE_ADDRESS,
	FIELD_TYPE_TEXTS,
	FIELD_TYPE_BYTES,
};

struct field_description {
	const char *path;
	enum field_type type;
	const char *meaning;
};

/* Indexed by enum event_field. */
extern const struct field_description event_fields[FIELD_COUNT];

/* The field of that path, or FIELD_COUNT. */
enum event_field event_field_named(struct slice path);

/* The actions of event.action, with what each means; ends with a NULL name. */
struct event_action {
	const char *name, *meaning;
};
extern const struct event_action event_actions[];

struct event {
	uint64_t present[(FIELD_COUNT + 63) / 64];
	union {
		int64_t number; /* NUMBER, and TIME in microseconds */
		double real;
		struct slice text; /* TEXT and BYTES */
		struct address address;
		struct {
			const struct slice *items;
			size_t count;
		} texts;
	} values[FIELD_COUNT];
};

/* Only the presence bits need clearing, so making an event costs nothing per field. */
static inline void event_clear(struct event *event)
{
	memset(event->present, 0, sizeof(event->present));
}

static inline bool event_has(const struct event *event, enum event_field field)
{
	return event->present[field / 64] >> (field % 64) & 1;
}

static inline void event_mark(struct event *event, enum event_field field)
{
	event->present[field / 64] |= (uint64_t)1 << (field % 64);
}

static inline void event_unset(struct event *event, enum event_field field)
{
	event->present[field / 64] &= ~((uint64_t)1 << (field % 64));
}

/* Setters; each replaces what was there. Empty text counts as present. */
void event_set_text(struct event *event, enum event_field field, struct slice text);
void event_set_words(struct event *event, enum event_field field, const char *text);
void event_set_number(struct event *event, enum event_field field, int64_t number);
void event_set_real(struct event *event, enum event_field field, double real);
void event_set_address(struct event *event, enum event_field field, const struct address *address);
void event_set_texts(struct event *event, enum event_field field, const struct slice *items,
		     size_t count);

/* Getters; zero, the empty slice or NULL where the field is absent. */
struct slice event_text(const struct event *event, enum event_field field);
int64_t event_number(const struct event *event, enum event_field field);
const struct address *event_address(const struct event *event, enum event_field field);

/* Appends one JSON object without a newline. Fields that would pass their cap are cut and named in
 * sundew.truncated; the writer's own limit is the only failure (out->failed). */
void event_write(const struct event *event, struct writer *out);

/* What one event's form has in common with the next one's. Who writes or reads events all the time
 * keeps one, zeroed at first, and gets the same results in half the time. */
#define EVENT_OPENINGS      256
#define EVENT_OPENING_BYTES 60
struct event_habits {
	struct event_opening {
		uint8_t field, after; /* the field and the one that stands before it, each + 1 */
		uint8_t length;
		uint8_t depth;                     /* objects that are open at the value */
		uint8_t text[EVENT_OPENING_BYTES]; /* brackets, names, quotes up to the colon */
	} openings[EVENT_OPENINGS];
	uint8_t follows[FIELD_COUNT + 1][2]; /* reading: what came after a field lately, + 1 */
	struct event_second {
		int64_t number; /* since 1970, + 1 */
		char text[28];  /* of a time in it */
	} written, read;
};
void event_write_as_usual(const struct event *event, struct writer *out,
			  struct event_habits *habits);

/* Reads one line. Unknown fields are passed over (a newer sensor may send them), wrong types and
 * broken JSON are an error. Text is unescaped back to the bytes that were recorded. Memory for what
 * cannot be borrowed from the line comes from the arena. Returns 0, or -1 with *why a reason. */
MUST_CHECK int event_read(struct event *event, struct slice line, struct arena *arena,
			  const char **why);
MUST_CHECK int event_read_as_usual(struct event *event, struct slice line, struct arena *arena,
				   const char **why, struct event_habits *habits);

/* --- identifiers: ULID (github.com/ulid/spec), 48 bits of milliseconds and 80 random bits --- */

#define ULID_LENGTH 26

struct ulid_source {
	uint8_t last[16];
	int64_t last_millisecond;
	/* Random bytes that were fetched and not used: asking for each ten costs more than the
	 * rest. */
	uint8_t random[160];
	size_t random_left;
};

/* The next identifier, NUL-terminated; rises even within one millisecond. */
void ulid_next(struct ulid_source *source, int64_t microseconds, char text[ULID_LENGTH + 1]);
/* The text of a ULID's 16 bytes (ulid_source.last holds the newest). */
void ulid_text(const uint8_t bytes[16], char text[ULID_LENGTH + 1]);
/* Milliseconds since 1970 that the identifier holds, or -1 if it is not a ULID. */
int64_t ulid_milliseconds(struct slice text);

#endif
