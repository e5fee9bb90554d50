/* The report as JSON. */
#include "base/clock.h"
#include "base/json.h"
#include "report/report.h"

static void write_table(const struct report *report, enum report_table table,
			struct json_writer *json)
{
	const struct query_rows *rows = &report->tables[table];

	json_key(json, report_heading(table));
	json_object(json);
	json_key(json, "counts");
	json_text(json, dimension_measure_name(rows->measure));
	json_key(json, "distinct");
	json_number(json, rows->distinct);
	json_key(json, "rows");
	json_array(json);
	for (size_t i = 0; i < rows->count; i++) {
		json_object(json);
		json_key(json, "key");
		json_string(json, rows->rows[i].key);
		json_key(json, "count");
		json_number(json, rows->rows[i].count);
		if (rows->rows[i].country[0]) {
			json_key(json, "country");
			json_text(json, rows->rows[i].country);
		}
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

static void write_totals(const struct report *report, struct json_writer *json)
{
	json_key(json, "totals");
	json_object(json);
	for (int measure = 0; measure < MEASURE_COUNT; measure++) {
		json_key(json, dimension_measure_name((enum measure)measure));
		json_number(json, report->totals.counts[measure]);
	}
	json_key(json, "sources");
	json_number(json, report->totals.sources);
	json_key(json, "countries");
	json_number(json, report->totals.countries);
	json_object_end(json);
}

void report_write_json(const struct report *report, struct writer *out)
{
	struct json_writer json = json_writer_of(out);
	char time[CLOCK_TEXT_LENGTH + 1];

	json_object(&json);
	json_key(&json, "title");
	json_text(&json, report->title);
	clock_text(report->made, time);
	json_key(&json, "made");
	json_text(&json, time);
	write_totals(report, &json);
	for (int table = 0; table < REPORT_TABLES; table++)
		write_table(report, (enum report_table)table, &json);
	json_key(&json, "operating_system_unknown");
	json_number(&json, report->systems_unknown);
	json_key(&json, "hours");
	json_array(&json);
	for (int hour = 0; hour < 24; hour++)
		json_number(&json, report->hours[hour]);
	json_array_end(&json);
	json_key(&json, "time_line");
	json_array(&json);
	for (size_t i = 0; i < report->point_count; i++) {
		json_object(&json);
		clock_text(report->points[i].time, time);
		json_key(&json, "time");
		json_text(&json, time);
		json_key(&json, "connections");
		json_number(&json, report->points[i].counts[MEASURE_CONNECTIONS]);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_key(&json, "attribution");
	json_text(&json, report->attribution);
	json_object_end(&json);
	writer_u8(out, '\n');
}
