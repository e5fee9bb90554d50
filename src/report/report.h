/* The report of a period: gathered once from the store, written in several forms. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "store/query.h"

#define REPORT_ROWS      10
#define REPORT_COUNTRIES 20
#define REPORT_PLACES    2000

/* The tables of a report, in the order in which they are shown. */
enum report_table {
	REPORT_SOURCES,
	REPORT_PORTS,
	REPORT_COUNTRY,
	REPORT_PROTOCOLS,
	REPORT_USERS,
	REPORT_PASSWORDS,
	REPORT_PAIRS,
	REPORT_COMMANDS,
	REPORT_REQUESTS,
	REPORT_PATHS,
	REPORT_PAYLOADS,
	REPORT_SYSTEMS,
	REPORT_SENSORS,
	REPORT_TABLES
};

struct report {
	const char *title;
	const char *attribution; /* of the GeoIP data */
	int64_t made;            /* microseconds */
	struct query_range range;
	struct query_totals totals;
	struct query_rows tables[REPORT_TABLES];
	struct query_rows places;
	int64_t hours[24];
	struct query_point *points;
	size_t point_count;
	int64_t bucket;          /* of points, microseconds */
	int64_t systems_unknown; /* connections whose operating system is not yet determined */
};

/* Asks the store for everything; -1 with the reason in store_problem. Free in any case. */
MUST_CHECK int report_gather(struct store *store, const struct query_range *range,
			     struct report *report);
void report_free(struct report *report);

/* Heading of a table, the heading of its key column, and of a row: its key as plain text for a
 * person (already without control characters) and a remark ("" for none). */
const char *report_heading(enum report_table table);
const char *report_key_heading(enum report_table table);
void report_row(enum report_table table, const struct query_row *row, struct writer *key,
		struct writer *remark);

void report_write_text(const struct report *report, struct writer *out);
/* One self-contained page without scripts. */
void report_write_html(const struct report *report, struct writer *out);
void report_write_json(const struct report *report, struct writer *out);

#endif
