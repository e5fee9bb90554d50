/* sundew events: single events, filtered; with --follow as they come. */
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"

static const struct command_option events_options[] = {
	OPTION_RANGE,  OPTION_FILTERS,
	OPTION_LIMIT,  {"follow", 'f', NULL, "Print new events as they come, until interrupted"},
	OPTION_JSON,   OPTION_DATA,
	OPTION_CONFIG,
};

struct printer {
	struct writer out;
	struct arena arena;
	bool json;
	int64_t newest;
	bool broken;
};

/* Fields that say what happened, in the order in which they are shown. */
static const enum event_field shown[] = {
	FIELD_EVENT_OUTCOME, FIELD_USER_NAME,   FIELD_AUTH_PASSWORD, FIELD_HTTP_METHOD,
	FIELD_URL_ORIGINAL,  FIELD_HTTP_STATUS, FIELD_REQUEST_VERB,  FIELD_REQUEST_TEXT,
	FIELD_COMMAND,       FIELD_FILE_NAME,   FIELD_FILE_SIZE,     FIELD_FILE_SHA256,
	FIELD_EVENT_REASON,  FIELD_STATUS_NAME, FIELD_MESSAGE,
};

static void print_line(const struct event *event, struct writer *out)
{
	char time[20], address[ADDRESS_TEXT_MAX] = "";

	short_time(event_number(event, FIELD_TIME), time);
	if (event_has(event, FIELD_SOURCE_IP))
		address_text(event_address(event, FIELD_SOURCE_IP), address);
	writer_format(out, "%s  ", time);
	writer_printable(out, event_text(event, FIELD_EVENT_ACTION));
	writer_format(out, "  %s", address);
	if (event_has(event, FIELD_DESTINATION_PORT)) {
		writer_format(out, " -> %lld ",
			      (long long)event_number(event, FIELD_DESTINATION_PORT));
		writer_printable(out, event_text(event, FIELD_NETWORK_PROTOCOL));
	}
	for (size_t i = 0; i < ARRAY_COUNT(shown); i++) {
		if (!event_has(event, shown[i]))
			continue;
		writer_text(out, "  ");
		if (event_fields[shown[i]].type == FIELD_TYPE_NUMBER)
			writer_decimal(out, event_number(event, shown[i]));
		else
			writer_printable(out, slice_first(event_text(event, shown[i]), 200));
	}
	writer_u8(out, '\n');
}

static bool print_event(void *context, const struct query_event *found)
{
	struct printer *printer = context;
	struct event event;
	const char *why;

	printer->newest = found->number;
	if (printer->json) {
		writer_bytes(&printer->out, found->json);
		writer_u8(&printer->out, '\n');
	} else if (event_read(&event, found->json, &printer->arena, &why) == 0) {
		print_line(&event, &printer->out);
	}
	arena_drop(&printer->arena);
	if (printer->out.length > 65536) {
		printer->broken = print_out(&printer->out) < 0;
		writer_clear(&printer->out);
	}
	return !printer->broken;
}

/* New events until the reader goes away or the user interrupts (which ends the program). */
static int follow(struct store *store, const struct query_filter *filter, struct printer *printer)
{
	struct timespec pause = {0, 250 * 1000000};

	while (!printer->broken) {
		if (query_events_after(store, printer->newest, filter->range.sensor, 1000,
				       print_event, printer) < 0)
			return -1;
		printer->broken |= print_out(&printer->out) < 0;
		writer_clear(&printer->out);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int events(const struct invocation *invocation)
{
	struct address source;
	struct query_filter filter = filter_options(invocation, 0, &source);
	struct printer printer = {.out = writer_growing((size_t)1 << 30),
				  .arena = arena_of((size_t)16 << 20),
				  .json = option_given(invocation, "json")};
	struct query_page page;
	struct folders folders;
	struct store *store;
	int result = 0;

	folders_find(invocation, &folders);
	store = host_store(&folders);
	if (!store)
		return EXIT_TROUBLE;
	if (option_given(invocation, "follow")) {
		result = query_newest(store, &printer.newest);
		if (result == 0)
			result = follow(store, &filter, &printer);
	} else {
		result = query_events(store, &filter, print_event, &printer, &page);
	}
	if (result < 0)
		log_error("%s", store_problem(store));
	if (print_out(&printer.out) < 0)
		result = -1;
	store_close(store);
	writer_free(&printer.out);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_events = {
	.name = "events",
	.summary = "Show single events, newest first",
	.options = events_options,
	.option_count = ARRAY_COUNT(events_options),
	.run = events,
};
