/* sundew export: events out of the store. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"
#include "exchange/csv.h"
#include "exchange/eve.h"

static const struct command_option export_options[] = {
	{"format", 0, "FORM", "ndjson (default), csv, or eve: records as Suricata writes them"},
	{"output", 'o', "FILE", "Write there instead of on standard output"},
	OPTION_RANGE,
	OPTION_FILTERS,
	OPTION_LIMIT,
	OPTION_DATA,
	OPTION_CONFIG,
};

/* Columns of the CSV form. */
static const enum event_field columns[] = {
	FIELD_TIME,
	FIELD_EVENT_ID,
	FIELD_EVENT_ACTION,
	FIELD_EVENT_OUTCOME,
	FIELD_OBSERVER_NAME,
	FIELD_SESSION_ID,
	FIELD_SOURCE_IP,
	FIELD_SOURCE_PORT,
	FIELD_SOURCE_COUNTRY,
	FIELD_SOURCE_ASN,
	FIELD_DESTINATION_IP,
	FIELD_DESTINATION_PORT,
	FIELD_NETWORK_TRANSPORT,
	FIELD_NETWORK_PROTOCOL,
	FIELD_USER_NAME,
	FIELD_AUTH_PASSWORD,
	FIELD_REQUEST_VERB,
	FIELD_REQUEST_TEXT,
	FIELD_HTTP_METHOD,
	FIELD_URL_ORIGINAL,
	FIELD_USER_AGENT,
	FIELD_COMMAND,
	FIELD_FILE_NAME,
	FIELD_FILE_SHA256,
	FIELD_EVENT_REASON,
};

enum form { FORM_NDJSON, FORM_CSV, FORM_EVE, FORM_COUNT };
static const char *const form_names[] = {"ndjson", "csv", "eve"};

struct exporter {
	struct writer out;
	struct arena arena;
	struct eve eve;
	int file;
	enum form form;
	bool broken;
	uint64_t unread; /* events that could not be read back */
};

static void flush(struct exporter *exporter)
{
	struct slice rest = writer_slice(&exporter->out);

	while (rest.length && !exporter->broken) {
		ssize_t put = write(exporter->file, rest.at, rest.length);

		exporter->broken |= put <= 0;
		rest = slice_from(rest, put > 0 ? (size_t)put : 0);
	}
	exporter->broken |= exporter->out.failed;
	writer_clear(&exporter->out);
}

static void csv_field(struct exporter *exporter, const struct event *event, enum event_field field,
		      bool first)
{
	char text[64];
	struct slice value = {NULL, 0};

	text[0] = 0;
	if (event_has(event, field)) {
		switch (event_fields[field].type) {
		case FIELD_TYPE_TIME:
			clock_text(event_number(event, field), text);
			break;
		case FIELD_TYPE_NUMBER:
			snprintf(text, sizeof(text), "%lld", (long long)event_number(event, field));
			break;
		case FIELD_TYPE_ADDRESS:
			address_text(event_address(event, field), text);
			break;
		default:
			value = event_text(event, field);
		}
	}
	csv_cell(&exporter->out, text[0] ? slice_text(text) : value, first);
}

static void csv_row(struct exporter *exporter, const struct event *event)
{
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		csv_field(exporter, event, columns[i], i == 0);
	writer_text(&exporter->out, "\r\n");
}

static void csv_header(struct exporter *exporter)
{
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		csv_cell(&exporter->out, slice_text(event_fields[columns[i]].path), i == 0);
	writer_text(&exporter->out, "\r\n");
}

static enum form form_named(const struct invocation *invocation)
{
	const char *name = option_value(invocation, "format");

	for (size_t i = 0; name && i < FORM_COUNT; i++)
		if (strcmp(name, form_names[i]) == 0)
			return (enum form)i;
	if (name)
		usage_error(invocation, "--format %s: must be ndjson, csv or eve", name);
	return FORM_NDJSON;
}

/* What the output lacks. */
static void tell_missing(struct exporter *exporter)
{
	if (exporter->unread)
		log_error("%llu events could not be read and are missing",
			  (unsigned long long)exporter->unread);
	writer_clear(&exporter->out);
	eve_tell_left_out(&exporter->eve, &exporter->out);
	if (exporter->out.length)
		fprintf(stderr, "sundew: %.*s", (int)exporter->out.length,
			(const char *)exporter->out.at);
}

static bool export_event(void *context, const struct query_event *found)
{
	struct exporter *exporter = context;
	struct event event;
	const char *why;

	if (exporter->form == FORM_NDJSON) {
		writer_bytes(&exporter->out, found->json);
		writer_u8(&exporter->out, '\n');
	} else if (event_read(&event, found->json, &exporter->arena, &why) < 0) {
		exporter->unread++;
	} else if (exporter->form == FORM_EVE) {
		(void)eve_write(&exporter->eve, &event, &exporter->out);
	} else {
		csv_row(exporter, &event);
	}
	arena_drop(&exporter->arena);
	if (exporter->out.length > 65536)
		flush(exporter);
	return !exporter->broken;
}

static int run_export(const struct invocation *invocation)
{
	struct address source;
	struct query_filter filter = filter_options(invocation, 0, &source);
	const char *path = option_value(invocation, "output");
	struct exporter exporter = {.out = writer_growing((size_t)8 << 20),
				    .arena = arena_of((size_t)16 << 20),
				    .file = STDOUT_FILENO,
				    .form = form_named(invocation)};
	struct query_page page;
	struct folders folders;
	struct store *store;
	int result;

	if (!option_given(invocation, "limit"))
		filter.limit = SIZE_MAX / 2;
	/* What reads Suricata's files expects them as they were written. */
	filter.oldest_first |= exporter.form == FORM_EVE && !option_given(invocation, "limit");
	folders_find(invocation, &folders);
	store = host_store(&folders);
	if (!store)
		return EXIT_TROUBLE;
	if (path)
		exporter.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (exporter.file < 0) {
		log_error("cannot write %s: %m", path);
		store_close(store);
		return EXIT_TROUBLE;
	}
	if (exporter.form == FORM_CSV)
		csv_header(&exporter);
	result = query_events(store, &filter, export_event, &exporter, &page);
	if (result < 0)
		log_error("%s", store_problem(store));
	flush(&exporter);
	if (exporter.broken)
		log_error("the output could not be written whole: %m");
	tell_missing(&exporter);
	store_close(store);
	writer_free(&exporter.out);
	return result < 0 || exporter.broken ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_export = {
	.name = "export",
	.summary = "Export events as JSON lines, CSV or EVE records",
	.options = export_options,
	.option_count = ARRAY_COUNT(export_options),
	.run = run_export,
};
