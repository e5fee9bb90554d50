/* Gathering a report; see report.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "report/ports.h"
#include "report/report.h"
#include "store/country.h"

static const struct {
	const char *dimension, *heading, *key_heading;
	size_t limit;
} tables[REPORT_TABLES] = {
	[REPORT_SOURCES] = {"source.ip", "Top sources", "Source", REPORT_ROWS},
	[REPORT_PORTS] = {"destination.port", "Top ports", "Port", REPORT_ROWS},
	[REPORT_COUNTRY] = {"source.country", "Top countries", "Country", REPORT_COUNTRIES},
	[REPORT_PROTOCOLS] = {"network.protocol", "Protocols", "Protocol", REPORT_ROWS},
	[REPORT_USERS] = {"user.name", "Top user names", "User name", REPORT_ROWS},
	[REPORT_PASSWORDS] = {"password", "Top passwords", "Password", REPORT_ROWS},
	[REPORT_PAIRS] = {"credential", "Top pairs", "User name / password", REPORT_ROWS},
	[REPORT_COMMANDS] = {"command", "Top commands", "Command", REPORT_ROWS},
	[REPORT_REQUESTS] = {"request", "Top requests", "Request", REPORT_ROWS},
	[REPORT_PATHS] = {"url.path", "Top paths", "Path", REPORT_ROWS},
	[REPORT_PAYLOADS] = {"payload", "What was captured", "SHA-256", REPORT_ROWS},
	[REPORT_SYSTEMS] = {"source.os", "Operating systems", "System", REPORT_ROWS},
	[REPORT_SENSORS] = {"sensor", "Sensors", "Sensor", REPORT_ROWS},
};

/* Days for a period of more than four, else hours. */
static int64_t bucket_for(const struct query_range *range)
{
	int64_t until = range->until ? range->until : clock_wall();

	return range->since && until - range->since <= 4 * DAY ? HOUR : DAY;
}

static int count_systems(struct store *store, struct report *report)
{
	struct query_rows rows;

	/* Counted by connections, so that what is not known is the rest of them. */
	query_rows_free(&report->tables[REPORT_SYSTEMS]);
	if (query_top(store, dimension_named(SLICE("source.os")), MEASURE_CONNECTIONS,
		      &report->range, REPORT_ROWS, &rows) < 0)
		return -1;
	report->tables[REPORT_SYSTEMS] = rows;
	report->systems_unknown = report->totals.counts[MEASURE_CONNECTIONS] - rows.total;
	return 0;
}

int report_gather(struct store *store, const struct query_range *range, struct report *report)
{
	memset(report, 0, sizeof(*report));
	report->range = *range;
	report->made = clock_wall();
	report->bucket = bucket_for(range);
	if (query_totals(store, range, &report->totals) < 0 ||
	    query_hours_of_day(store, MEASURE_CONNECTIONS, range, report->hours) < 0 ||
	    query_timeline(store, range, report->bucket, &report->points, &report->point_count) <
		    0 ||
	    query_locations(store, range, REPORT_PLACES, &report->places) < 0)
		return -1;
	for (int i = 0; i < REPORT_TABLES; i++) {
		const struct dimension *dimension =
			dimension_named(slice_text(tables[i].dimension));

		if (!dimension || query_top(store, dimension, MEASURE_OWN, range, tables[i].limit,
					    &report->tables[i]) < 0)
			return -1;
	}
	return count_systems(store, report);
}

void report_free(struct report *report)
{
	for (int i = 0; i < REPORT_TABLES; i++)
		query_rows_free(&report->tables[i]);
	query_rows_free(&report->places);
	free(report->points);
}

const char *report_heading(enum report_table table)
{
	return tables[table].heading;
}

const char *report_key_heading(enum report_table table)
{
	return tables[table].key_heading;
}

void report_row(enum report_table table, const struct query_row *row, struct writer *key,
		struct writer *remark)
{
	int64_t port;
	char code[3] = "";

	if (row->password_at) {
		writer_printable(key, slice_first(row->key, row->password_at - 1));
		writer_text(key, " / ");
		writer_printable(key, slice_from(row->key, row->password_at));
	} else {
		writer_printable(key, slice_first(row->key, 300));
	}
	if (key->length == 0)
		writer_text(key, "(empty)");
	switch (table) {
	case REPORT_SOURCES:
		writer_text(remark, row->country[0] ? country_name(row->country) : "");
		break;
	case REPORT_PORTS:
		if (slice_number(row->key, 0, 65535, &port) == 0)
			writer_text(remark, port_use((uint16_t)port));
		break;
	case REPORT_COUNTRY:
		if (row->key.length == 2)
			memcpy(code, row->key.at, 2);
		writer_printable(remark, slice_text(country_name(code)));
		break;
	default:
		break;
	}
}
