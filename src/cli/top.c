/* sundew top: what was seen most. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"

#define BAR_WIDTH 30

static const struct command_option top_options[] = {
	{"by", 0, "FIELD", "What to count: source.ip, destination.port, country, user.name ..."},
	{"measure", 0, "NAME",
	 "events, connections, sessions or credentials (default: the field's own)"},
	OPTION_LIMIT,
	OPTION_RANGE,
	OPTION_JSON,
	OPTION_DATA,
	OPTION_CONFIG,
};

static void list_dimensions(struct writer *out)
{
	for (const struct dimension *d = dimensions; d->name; d++)
		writer_format(out, "  %-24s %-28s counts %s\n", d->name, d->title,
			      dimension_measure_name(d->own));
}

static const struct dimension *dimension_option(const struct invocation *invocation)
{
	const char *name = option_value(invocation, "by");
	const struct dimension *dimension = name ? dimension_named(slice_text(name)) : NULL;
	struct writer out = writer_growing(65536);

	if (dimension)
		return dimension;
	list_dimensions(&out);
	if (name && strcmp(name, "list") != 0)
		usage_error(invocation,
			    "--by %s: nothing is counted by that; `sundew top --by list` "
			    "shows what is",
			    name);
	(void)!print_out(&out);
	writer_free(&out);
	return NULL;
}

static void print_key(const struct query_row *row, struct writer *out)
{
	if (row->password_at) {
		writer_printable(out, slice_first(row->key, row->password_at - 1));
		writer_text(out, " / ");
		writer_printable(out, slice_from(row->key, row->password_at));
		return;
	}
	writer_printable(out, row->key);
	if (row->key.length == 0)
		writer_text(out, "(empty)");
}

static void print_text(const struct dimension *dimension, const struct query_rows *rows,
		       struct writer *out)
{
	writer_format(out, "%-36s %10s  share of %lld %s\n", dimension->title, "count",
		      (long long)rows->total, dimension_measure_name(rows->measure));
	for (size_t i = 0; i < rows->count; i++) {
		const struct query_row *row = &rows->rows[i];
		double share = rows->total ? (double)row->count / (double)rows->total : 0;
		size_t start = out->length;

		print_key(row, out);
		if (row->country[0])
			writer_format(out, " %s", row->country);
		while (out->length - start < 36)
			writer_u8(out, ' ');
		writer_format(out, " %10lld  %5.1f%% ", (long long)row->count, 100 * share);
		for (int bar = 0; bar < (int)(share * BAR_WIDTH + 0.5); bar++)
			writer_u8(out, '#');
		writer_u8(out, '\n');
	}
	if (rows->distinct > (int64_t)rows->count)
		writer_format(out, "and %lld more\n",
			      (long long)(rows->distinct - (int64_t)rows->count));
}

static void print_json(const struct query_rows *rows, struct writer *out)
{
	struct json_writer json = json_writer_of(out);

	json_array(&json);
	for (size_t i = 0; i < rows->count; i++) {
		const struct query_row *row = &rows->rows[i];

		json_object(&json);
		json_key(&json, "key");
		json_string(&json, row->key);
		json_key(&json, "count");
		json_number(&json, row->count);
		if (row->country[0]) {
			json_key(&json, "country");
			json_text(&json, row->country);
		}
		if (row->asn) {
			json_key(&json, "asn");
			json_number(&json, row->asn);
		}
		json_object_end(&json);
	}
	json_array_end(&json);
	writer_u8(out, '\n');
}

static int top(const struct invocation *invocation)
{
	const struct dimension *dimension = dimension_option(invocation);
	const char *measure_name = option_value(invocation, "measure");
	enum measure measure = MEASURE_OWN;
	struct query_range range = range_options(invocation, 0);
	struct writer out = writer_growing((size_t)1 << 30);
	struct folders folders;
	struct query_rows rows;
	struct store *store;
	int result;

	if (!dimension)
		return option_given(invocation, "by") ? EXIT_GOOD : EXIT_USAGE;
	if (measure_name) {
		measure = dimension_measure_named(slice_text(measure_name));
		if (measure == MEASURE_COUNT)
			usage_error(invocation,
				    "--measure %s: must be events, connections, sessions or "
				    "credentials",
				    measure_name);
	}
	folders_find(invocation, &folders);
	store = host_store(&folders);
	if (!store)
		return EXIT_TROUBLE;
	if (query_top(store, dimension, measure, &range,
		      (size_t)option_number(invocation, "limit", 10, 0, 1000000000), &rows) < 0) {
		log_error("%s", store_problem(store));
		store_close(store);
		return EXIT_TROUBLE;
	}
	if (option_given(invocation, "json"))
		print_json(&rows, &out);
	else
		print_text(dimension, &rows, &out);
	result = print_out(&out);
	query_rows_free(&rows);
	store_close(store);
	writer_free(&out);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_top = {
	.name = "top",
	.summary = "Show what was seen most: sources, ports, countries, users, passwords ...",
	.options = top_options,
	.option_count = ARRAY_COUNT(top_options),
	.run = top,
};
