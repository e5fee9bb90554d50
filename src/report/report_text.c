/* The report as text for a terminal or a mail. */
#include "base/clock.h"
#include "report/report.h"

#define KEY_WIDTH 34
#define BAR_WIDTH 40

static void pad(struct writer *out, size_t start, size_t width)
{
	while (out->length - start < width)
		writer_u8(out, ' ');
}

static void bar(struct writer *out, int64_t count, int64_t most)
{
	int64_t width = most ? (count * BAR_WIDTH + most - 1) / most : 0;

	while (width-- > 0)
		writer_u8(out, '#');
}

static void write_table(const struct report *report, enum report_table table, struct writer *out)
{
	const struct query_rows *rows = &report->tables[table];

	if (rows->count == 0)
		return;
	writer_format(out, "\n%s (%s)\n", report_heading(table),
		      dimension_measure_name(rows->measure));
	for (size_t i = 0; i < rows->count; i++) {
		struct writer key = writer_growing(65536), remark = writer_growing(65536);
		size_t start = out->length;

		report_row(table, &rows->rows[i], &key, &remark);
		writer_text(out, "  ");
		writer_bytes(out, writer_slice(&key));
		pad(out, start, KEY_WIDTH);
		writer_format(out, "%10lld  ", (long long)rows->rows[i].count);
		writer_bytes(out, writer_slice(&remark));
		writer_u8(out, '\n');
		writer_free(&key);
		writer_free(&remark);
	}
	if (rows->distinct > (int64_t)rows->count)
		writer_format(out, "  and %lld more\n",
			      (long long)(rows->distinct - (int64_t)rows->count));
}

static void write_hours(const struct report *report, struct writer *out)
{
	int64_t most = 0;

	for (int hour = 0; hour < 24; hour++)
		most = report->hours[hour] > most ? report->hours[hour] : most;
	writer_text(out, "\nBy hour of the day, UTC (connections)\n");
	for (int hour = 0; hour < 24; hour++) {
		writer_format(out, "  %02d %10lld  ", hour, (long long)report->hours[hour]);
		bar(out, report->hours[hour], most);
		writer_u8(out, '\n');
	}
}

static void write_time_line(const struct report *report, struct writer *out)
{
	int64_t most = 0;

	for (size_t i = 0; i < report->point_count; i++) {
		int64_t count = report->points[i].counts[MEASURE_CONNECTIONS];

		most = count > most ? count : most;
	}
	writer_format(out, "\nOver time, by %s (connections)\n",
		      report->bucket == HOUR ? "hour" : "day");
	for (size_t i = 0; i < report->point_count; i++) {
		int64_t count = report->points[i].counts[MEASURE_CONNECTIONS];
		char time[CLOCK_TEXT_LENGTH + 1];

		clock_text(report->points[i].time, time);
		writer_format(out, "  %.*s%10lld  ", report->bucket == HOUR ? 16 : 10, time,
			      (long long)count);
		bar(out, count, most);
		writer_u8(out, '\n');
	}
}

void report_write_text(const struct report *report, struct writer *out)
{
	const struct query_totals *totals = &report->totals;
	char from[CLOCK_TEXT_LENGTH + 1], to[CLOCK_TEXT_LENGTH + 1];

	clock_text(report->range.since, from);
	clock_text(report->range.until ? report->range.until : report->made, to);
	writer_format(out, "%s\n%.16s to %.16s UTC\n\n", report->title,
		      report->range.since ? from : "the beginning   ", to);
	writer_format(out,
		      "  %10lld connections\n  %10lld sessions\n  %10lld events\n"
		      "  %10lld credentials tried\n  %10lld commands\n  %10lld payloads captured\n"
		      "  %10lld sources\n  %10lld countries\n",
		      (long long)totals->counts[MEASURE_CONNECTIONS],
		      (long long)totals->counts[MEASURE_SESSIONS],
		      (long long)totals->counts[MEASURE_EVENTS],
		      (long long)totals->counts[MEASURE_CREDENTIALS],
		      (long long)totals->counts[MEASURE_COMMANDS],
		      (long long)totals->counts[MEASURE_PAYLOADS], (long long)totals->sources,
		      (long long)totals->countries);
	for (int table = 0; table < REPORT_TABLES; table++)
		write_table(report, (enum report_table)table, out);
	if (report->systems_unknown > 0)
		writer_format(out, "\nOperating system not yet determined: %lld connections\n",
			      (long long)report->systems_unknown);
	write_hours(report, out);
	write_time_line(report, out);
	writer_format(out, "\n%s\n", report->attribution);
}
