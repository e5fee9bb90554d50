/* sundew report: who attacked what, when and from where. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/folders.h"
#include "cli/query_options.h"
#include "report/report.h"

static const struct command_option report_options[] = {
	OPTION_RANGE,
	{"format", 0, "FORM", "text (default), html or json"},
	{"output", 'o', "FILE", "Write there instead of on standard output"},
	{"title", 0, "TEXT", "Title of the report"},
	OPTION_DATA,
	OPTION_CONFIG,
};

static const struct {
	const char *name;
	void (*write)(const struct report *report, struct writer *out);
} forms[] = {{"text", report_write_text}, {"html", report_write_html}, {"json", report_write_json}};

static int write_report(const struct report *report, size_t form, const char *path)
{
	struct writer out = writer_growing((size_t)64 << 20);
	int file, result;

	forms[form].write(report, &out);
	if (!path) {
		result = print_out(&out);
	} else {
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		result = file < 0 || out.failed ||
					 write(file, out.at, out.length) != (ssize_t)out.length
				 ? -1
				 : 0;
		if (result < 0)
			log_error("cannot write %s: %m", path);
		if (file >= 0)
			close(file);
	}
	writer_free(&out);
	return result;
}

static int run_report(const struct invocation *invocation)
{
	const char *form = option_value(invocation, "format");
	struct query_range range = range_options(invocation, 7 * DAY);
	struct folders folders;
	struct report report;
	struct store *store;
	struct geo *geo;
	size_t index = 0;
	int result;

	while (form && index < ARRAY_COUNT(forms) && strcmp(form, forms[index].name) != 0)
		index++;
	if (index == ARRAY_COUNT(forms))
		usage_error(invocation, "--format %s: must be text, html or json", form);
	folders_find(invocation, &folders);
	store = host_store(&folders);
	if (!store)
		return EXIT_TROUBLE;
	geo = geo_open(folders.geo);
	result = report_gather(store, &range, &report);
	if (result < 0)
		log_error("%s", store_problem(store));
	report.title = option_value(invocation, "title") ? option_value(invocation, "title")
							 : "Sundew: what attackers did";
	report.attribution = geo ? geo_description(geo) : "";
	if (result == 0)
		result = write_report(&report, index, option_value(invocation, "output"));
	report_free(&report);
	geo_close(geo);
	store_close(store);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_report = {
	.name = "report",
	.summary = "Report on a period: as text, as one web page, or as JSON",
	.options = report_options,
	.option_count = ARRAY_COUNT(report_options),
	.run = run_report,
};
