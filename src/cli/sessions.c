/* sundew sessions: conversations that decoys held. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"

static const struct command_option sessions_options[] = {
	OPTION_RANGE,  OPTION_FILTERS,
	OPTION_LIMIT,  {"login", 0, NULL, "Only where somebody got in"},
	OPTION_JSON,   OPTION_DATA,
	OPTION_CONFIG,
};

struct printer {
	struct writer out;
	struct json_writer json;
	bool as_json;
};

static void json_pair(struct json_writer *json, const char *key, struct slice value)
{
	json_key(json, key);
	json_string(json, value);
}

static void json_count(struct json_writer *json, const char *key, int64_t value)
{
	json_key(json, key);
	json_number(json, value);
}

static void print_json(struct json_writer *json, const struct query_session *s)
{
	char time[CLOCK_TEXT_LENGTH + 1];

	json_object(json);
	json_pair(json, "id", s->id);
	clock_text(s->first, time);
	json_pair(json, "first", slice_text(time));
	clock_text(s->last, time);
	json_pair(json, "last", slice_text(time));
	json_pair(json, "source", slice_text(s->source));
	json_pair(json, "country", slice_text(s->country));
	json_count(json, "port", s->destination_port);
	json_pair(json, "protocol", s->protocol);
	json_pair(json, "sensor", s->sensor);
	json_key(json, "closed");
	json_boolean(json, s->closed);
	json_pair(json, "reason", s->reason);
	json_key(json, "login");
	json_boolean(json, s->login);
	json_pair(json, "user", s->user);
	json_count(json, "events", s->events);
	json_count(json, "attempts", s->attempts);
	json_count(json, "commands", s->commands);
	json_count(json, "payloads", s->payloads);
	json_count(json, "bytes_in", s->bytes_in);
	json_count(json, "bytes_out", s->bytes_out);
	json_count(json, "duration_us", s->duration);
	json_object_end(json);
}

static bool print_session(void *context, const struct query_session *s)
{
	struct printer *printer = context;
	char time[20];

	if (printer->as_json) {
		print_json(&printer->json, s);
		return !printer->out.failed;
	}
	short_time(s->first, time);
	writer_printable(&printer->out, s->id);
	writer_format(&printer->out, "  %s  %-15s %-2s -> %5d ", time, s->source, s->country,
		      s->destination_port);
	writer_printable(&printer->out, s->protocol);
	writer_format(&printer->out,
		      "  %.1fs  %lld events, %lld log-ins, %lld commands, %lld payloads",
		      (double)s->duration / 1e6, (long long)s->events, (long long)s->attempts,
		      (long long)s->commands, (long long)s->payloads);
	if (s->login) {
		writer_text(&printer->out, "  in as ");
		writer_printable(&printer->out, s->user);
	}
	writer_u8(&printer->out, '\n');
	return !printer->out.failed;
}

static int sessions(const struct invocation *invocation)
{
	struct address source;
	struct query_filter filter = filter_options(invocation, 0, &source);
	struct printer printer = {.out = writer_growing((size_t)1 << 30),
				  .as_json = option_given(invocation, "json")};
	struct query_page page;
	struct folders folders;
	struct store *store;
	int result;

	if (option_given(invocation, "login"))
		filter.outcome = SLICE("success");
	folders_find(invocation, &folders);
	store = host_store(&folders);
	if (!store)
		return EXIT_TROUBLE;
	printer.json = json_writer_of(&printer.out);
	if (printer.as_json)
		json_array(&printer.json);
	result = query_sessions(store, &filter, print_session, &printer, &page);
	if (printer.as_json) {
		json_array_end(&printer.json);
		writer_u8(&printer.out, '\n');
	}
	if (result < 0)
		log_error("%s", store_problem(store));
	else
		result = print_out(&printer.out);
	store_close(store);
	writer_free(&printer.out);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_sessions = {
	.name = "sessions",
	.summary = "List sessions, newest first",
	.options = sessions_options,
	.option_count = ARRAY_COUNT(sessions_options),
	.run = sessions,
};
