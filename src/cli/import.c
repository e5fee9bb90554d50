/* sundew import: events of other programs and other sensors, into the store. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/folders.h"
#include "exchange/asciicast.h"
#include "exchange/mapping.h"

#define COMPLAINTS_MAX 10
#define ROWS_A_BATCH   1000
#define PROGRESS_EVERY 5000
#define RECORDING_MAX  ((size_t)256 * 1024 * 1024)

static const struct command_option import_options[] = {
	{"format", 0, "FORM",
	 "ndjson (Sundew's own events), csv or ttylog (Cowrie's recordings); default: by the "
	 "file's name and beginning"},
	{"map", 0, "PAIRS", "For csv: column=field,column=field ... or a known name (marx)"},
	{"action", 0, "NAME", "For csv: event.action of the rows (default: session.open)"},
	OPTION_DATA,
	OPTION_CONFIG,
};

struct import {
	const struct invocation *invocation;
	struct folders folders;
	struct store *store;
	const char *file;
	uint64_t line, stored, known, skipped;
	bool csv, has_header, show_progress, failed;
	struct mapping mapping;
	struct writer scratch, json, why;
	struct arena arena;
};

static void complain(struct import *import, struct slice why)
{
	if (import->skipped++ < COMPLAINTS_MAX)
		log_warning("%s:%llu: skipped: %.*s", import->file,
			    (unsigned long long)import->line, (int)why.length,
			    (const char *)why.at);
}

static void count_result(struct import *import, enum store_result result, const char *why)
{
	switch (result) {
	case STORE_STORED:
		import->stored++;
		break;
	case STORE_KNOWN:
		import->known++;
		break;
	case STORE_DAMAGED:
		complain(import, slice_text(why));
		break;
	case STORE_FAILED:
		log_error("the store refused: %s", store_problem(import->store));
		import->failed = true;
		break;
	}
}

static void import_event(struct import *import, struct event *event, struct slice row)
{
	char id[ULID_LENGTH + 1];

	mapping_id(row, import->line, event_number(event, FIELD_TIME), id);
	event_set_words(event, FIELD_EVENT_ID, id);
	event_set_words(event, FIELD_ORIGIN, "csv");
	writer_clear(&import->json);
	event_write(event, &import->json);
	if (import->json.failed) {
		complain(import, SLICE("the row is too large"));
		return;
	}
	count_result(import, store_add_event(import->store, event, writer_slice(&import->json)),
		     "not an event");
}

static void import_csv_row(struct import *import, struct slice row)
{
	struct slice cells[CSV_COLUMNS_MAX];
	struct event event;
	int count = csv_split(row, cells, &import->scratch);
	const char *map = option_value(import->invocation, "map");

	writer_clear(&import->why);
	if (count < 0) {
		complain(import, SLICE("a quote does not close, or there are too many columns"));
		return;
	}
	if (!import->has_header) {
		import->has_header = true;
		if (mapping_read(&import->mapping, mapping_named(map) ? mapping_named(map) : map,
				 cells, count, &import->why) < 0) {
			log_error("%s: --map: %.*s", import->file, (int)import->why.length,
				  (const char *)import->why.at);
			import->failed = true;
		}
		return;
	}
	if (mapping_apply(&import->mapping, cells, count, &event, &import->arena, &import->why) < 0)
		complain(import, writer_slice(&import->why));
	else
		import_event(import, &event, row);
	arena_drop(&import->arena);
}

static int import_row(struct import *import, struct slice row)
{
	if (store_batch(import->store) >= ROWS_A_BATCH &&
	    (store_commit(import->store) < 0 || store_begin(import->store) < 0)) {
		log_error("the store refused: %s", store_problem(import->store));
		return -1;
	}
	if (import->csv)
		import_csv_row(import, row);
	else if (row.length)
		count_result(import,
			     store_add(import->store, row, NULL, (struct spool_position){0, 0}),
			     "not an event of Sundew");
	if (import->show_progress && import->line % PROGRESS_EVERY == 0)
		fprintf(stderr, "\r%s: %llu rows", import->file, (unsigned long long)import->line);
	return import->failed ? -1 : 0;
}

/* Lines of a plain or gzip file; a quoted line break belongs to its cell. */
static int import_lines(struct import *import, gzFile file)
{
	struct writer line = writer_growing(EVENT_LINE_MAX);
	char room[65536];
	int result = 0;

	while (result == 0 && gzgets(file, room, sizeof(room))) {
		struct slice part = slice_text(room);
		size_t quotes = 0;

		writer_bytes(&line, part);
		if (part.length == sizeof(room) - 1 && room[part.length - 1] != '\n')
			continue;
		for (size_t i = 0; import->csv && i < line.length; i++)
			quotes += line.at[i] == '"';
		if (quotes % 2 && !line.failed)
			continue;
		import->line++;
		if (line.failed) {
			complain(import, SLICE("the line is too long"));
		} else {
			struct slice row = writer_slice(&line);

			while (row.length && strchr("\r\n", row.at[row.length - 1]))
				row.length--;
			result = import_row(import, row);
		}
		writer_clear(&line);
	}
	writer_free(&line);
	return result;
}

/* --- terminal recordings --- */

/* Puts a recording where decoys leave evidence; the store moves it to its place. */
static int keep_recording(struct import *import, struct slice cast, const char *hex)
{
	char name[SHA256_HEX + 16];
	int inbox = folders_open(&import->folders, "evidence/inbox", true), file, result = -1;

	if (inbox < 0)
		return -1;
	snprintf(name, sizeof(name), "%s.terminal", hex);
	file = openat(inbox, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0) {
		result = write(file, cast.at, cast.length) == (ssize_t)cast.length ? 0 : -1;
		close(file);
	}
	if (result < 0)
		log_error("cannot keep the recording of %s: %m", import->file);
	close(inbox);
	return result;
}

/* The session's id of Cowrie, from the file's name (DATE-TIME-SESSION-NUMBER.log), else the name.
 */
static struct slice session_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice rest = slice_text(slash ? slash + 1 : path), whole = rest, part;

	for (int i = 0; i < 2; i++)
		if (!slice_next(&rest, '-', &part) ||
		    slice_number(part, 0, 99999999, &(int64_t){0}) < 0)
			return whole;
	return slice_next(&rest, '-', &part) && part.length ? part : whole;
}

static int import_recording(struct import *import, struct slice bytes)
{
	struct writer cast = writer_growing(RECORDING_MAX), hex = writer_growing(SHA256_HEX + 1);
	char id[ULID_LENGTH + 1], session[ULID_LENGTH + 1];
	uint8_t digest[SHA256_LENGTH];
	struct event event;
	const char *why;
	int64_t started;
	bool torn;
	int result = -1;

	if (ttylog_convert(bytes, &cast, &started, &torn, &why) < 0) {
		complain(import, slice_text(why));
		result = 0;
		goto done;
	}
	if (torn)
		log_warning("%s: the end is torn; all before it is imported", import->file);
	hash_sha256_once(writer_slice(&cast), digest);
	writer_hex(&hex, slice_of(digest, sizeof(digest)));
	writer_u8(&hex, 0);
	if (keep_recording(import, writer_slice(&cast), (const char *)hex.at) < 0)
		goto done;
	event_clear(&event);
	mapping_id(writer_slice(&cast), 0, started, id);
	mapping_id(session_of_path(import->file), 0, 0, session);
	event_set_number(&event, FIELD_TIME, started);
	event_set_words(&event, FIELD_EVENT_ID, id);
	event_set_words(&event, FIELD_EVENT_ACTION, "payload.captured");
	event_set_words(&event, FIELD_SESSION_ID, session);
	event_set_words(&event, FIELD_EVIDENCE_KIND, "terminal");
	event_set_words(&event, FIELD_EVIDENCE_ORIGIN, "terminal");
	event_set_text(&event, FIELD_FILE_NAME, slice_text(import->file));
	event_set_words(&event, FIELD_FILE_SHA256, (const char *)hex.at);
	event_set_number(&event, FIELD_FILE_SIZE, (int64_t)cast.length);
	event_set_words(&event, FIELD_ORIGIN, "cowrie");
	writer_clear(&import->json);
	event_write(&event, &import->json);
	count_result(import, store_add_event(import->store, &event, writer_slice(&import->json)),
		     "not an event");
	result = import->failed ? -1 : 0;
done:
	writer_free(&cast);
	writer_free(&hex);
	return result;
}

static int import_recording_file(struct import *import, gzFile file)
{
	struct writer bytes = writer_growing(RECORDING_MAX);
	char room[65536];
	int got, result = 0;

	while ((got = gzread(file, room, sizeof(room))) > 0)
		writer_bytes(&bytes, slice_of(room, (size_t)got));
	if (got < 0 || bytes.failed)
		complain(import, SLICE("cannot be read, or is too large"));
	else
		result = import_recording(import, writer_slice(&bytes));
	writer_free(&bytes);
	return result;
}

static bool is_recording(gzFile file, const char *form)
{
	uint8_t head[24];
	int got;

	if (form)
		return strcmp(form, "ttylog") == 0;
	got = gzread(file, head, sizeof(head));
	gzrewind(file);
	return got == sizeof(head) && memcmp(head, "\1\0\0\0", 4) == 0 &&
	       ttylog_is_one(slice_of(head, sizeof(head)));
}

static int import_file(struct import *import, const char *path)
{
	gzFile file = gzopen(path, "rb");
	const char *form = option_value(import->invocation, "format");
	bool recording;
	int result = -1;

	if (!file) {
		log_error("cannot open %s: %m", path);
		return -1;
	}
	import->file = path;
	import->line = 0;
	import->has_header = false;
	recording = is_recording(file, form);
	import->csv = form ? strcmp(form, "csv") == 0 : strstr(path, ".csv") != NULL;
	if (import->csv && !option_given(import->invocation, "map"))
		log_error("%s: a CSV file needs --map, for example --map "
			  "time=@timestamp,ip=source.ip",
			  path);
	else if (store_begin(import->store) < 0)
		log_error("the store refused: %s", store_problem(import->store));
	else
		result = recording ? import_recording_file(import, file)
				   : import_lines(import, file);
	if (result < 0)
		store_rollback(import->store);
	else if (store_commit(import->store) < 0)
		result = -1;
	gzclose(file);
	if (import->show_progress)
		fprintf(stderr, "\r\033[K");
	return result;
}

static int run_import(const struct invocation *invocation)
{
	struct import import = {
		.invocation = invocation,
		.show_progress = isatty(STDERR_FILENO),
		.scratch = writer_growing((size_t)1 << 20),
		.json = writer_growing(EVENT_LINE_MAX),
		.why = writer_growing(65536),
		.arena = arena_of((size_t)1 << 20),
	};
	struct geo *geo;
	char why[512];
	int folder, result = 0;

	folders_find(invocation, &import.folders);
	folder = folders_open(&import.folders, "store", true);
	if (folder < 0)
		return EXIT_TROUBLE;
	geo = geo_open(import.folders.geo);
	import.mapping.action = option_value(invocation, "action")
					? option_value(invocation, "action")
					: "session.open";
	import.store = store_open(folder, STORE_WRITE, geo, why, sizeof(why));
	if (!import.store) {
		log_error("%s", why);
		return EXIT_TROUBLE;
	}
	for (size_t i = 0; result == 0 && i < invocation->word_count; i++)
		result = import_file(&import, invocation->words[i]);
	while (result == 0 && store_tend(import.store) > 0)
		;
	printf("%llu imported, %llu known already, %llu skipped\n",
	       (unsigned long long)import.stored, (unsigned long long)import.known,
	       (unsigned long long)import.skipped);
	store_close(import.store);
	geo_close(geo);
	writer_free(&import.scratch);
	writer_free(&import.json);
	writer_free(&import.why);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_import = {
	.name = "import",
	.summary = "Import events: Sundew's own lines, CSV with a mapping of columns, or Cowrie's "
		   "ttylogs",
	.arguments = "FILE...",
	.details = "Files may be gzip-compressed. Rows that cannot be used are named and skipped; "
		   "a row\n"
		   "that is imported twice counts once.",
	.options = import_options,
	.option_count = ARRAY_COUNT(import_options),
	.words_min = 1,
	.words_max = 4000,
	.run = run_import,
};
