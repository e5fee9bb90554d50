/* The report as one page: no scripts, nothing fetched, every byte of an attacker escaped twice (for
 * the eye by writer_printable, for the browser by escape). */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/report.h"
#include "report/world.h"

#define MAP_WIDTH    960
#define MAP_HEIGHT   440
#define MAP_TOP      84.0  /* degrees of latitude at the upper edge ... */
#define MAP_SPAN     144.0 /* ... and from there to the lower one */
#define CHART_WIDTH  960
#define CHART_HEIGHT 160

static const char style[] =
	":root{--ink:#1d2430;--soft:#5d6878;--line:#d8dee6;--paper:#fff;--panel:#f6f8fa;--bar:#"
	"2f6f9f;"
	"--land:#dfe5eb;--dot:#c2410c}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9aa7b8;--line:#2c3542;"
	"--paper:#11161d;--panel:#18202a;--bar:#5aa9dd;--land:#2a3441;--dot:#fb923c}}"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:980px;margin:2rem auto;padding:0 1rem}"
	"h1{font-size:1.6rem;margin:0}h2{font-size:1.05rem;margin:0 0 .5rem}"
	"p.when{color:var(--soft);margin:.2rem 0 1.2rem}"
	".totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(110px,1fr));gap:.6rem;"
	"margin-bottom:1.2rem}.totals div{background:var(--panel);border:1px solid var(--line);"
	"border-radius:6px;padding:.5rem .7rem}.totals b{display:block;font-size:1.35rem}"
	".totals span{color:var(--soft);font-size:.85rem}"
	".tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:1rem}"
	"section{background:var(--panel);border:1px solid var(--line);border-radius:6px;"
	"padding:.8rem 1rem;margin-bottom:1rem;min-width:0}.tables section{margin:0}"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}"
	"td,th{text-align:left;padding:.15rem .4rem .15rem 0;vertical-align:top}"
	"th{color:var(--soft);font-weight:normal}td.n,th.n{text-align:right;white-space:nowrap}"
	"td.k{font-family:ui-monospace,monospace;font-size:.82rem;word-break:break-all}"
	"td.r{color:var(--soft)}svg{width:100%;height:auto;display:block}"
	".b{fill:var(--bar)}.land{fill:var(--land)}.dot{fill:var(--dot);fill-opacity:.55}"
	"text{fill:var(--soft);font-size:11px}footer{color:var(--soft);font-size:.8rem}"
	"@media print{body{margin:0;max-width:none}section{break-inside:avoid}}"
	"@media(max-width:520px){.tables{grid-template-columns:1fr}}";

static void escape(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		switch (text.at[i]) {
		case '&':
			writer_text(out, "&amp;");
			break;
		case '<':
			writer_text(out, "&lt;");
			break;
		case '>':
			writer_text(out, "&gt;");
			break;
		case '"':
			writer_text(out, "&quot;");
			break;
		case '\'':
			writer_text(out, "&#39;");
			break;
		default:
			writer_u8(out, text.at[i]);
		}
	}
}

static void escape_text(struct writer *out, const char *text)
{
	struct writer safe = writer_growing(1 << 20);

	writer_printable(&safe, slice_text(text));
	escape(out, writer_slice(&safe));
	writer_free(&safe);
}

static void write_table(const struct report *report, enum report_table table, struct writer *out)
{
	const struct query_rows *rows = &report->tables[table];

	if (rows->count == 0)
		return;
	writer_format(
		out,
		"<section><h2>%s</h2><table><thead><tr><th>%s</th><th class=n>%s</th><th></th>"
		"</tr></thead><tbody>",
		report_heading(table), report_key_heading(table),
		dimension_measure_name(rows->measure));
	for (size_t i = 0; i < rows->count; i++) {
		struct writer key = writer_growing(65536), remark = writer_growing(65536);

		report_row(table, &rows->rows[i], &key, &remark);
		writer_text(out, "<tr><td class=k>");
		escape(out, writer_slice(&key));
		writer_format(out, "</td><td class=n>%lld</td><td class=r>",
			      (long long)rows->rows[i].count);
		escape(out, writer_slice(&remark));
		writer_text(out, "</td></tr>");
		writer_free(&key);
		writer_free(&remark);
	}
	writer_text(out, "</tbody></table>");
	if (rows->distinct > (int64_t)rows->count)
		writer_format(out, "<p class=when>and %lld more</p>",
			      (long long)(rows->distinct - (int64_t)rows->count));
	writer_text(out, "</section>\n");
}

static double map_x(double longitude)
{
	return (longitude + 180) / 360 * MAP_WIDTH;
}

static double map_y(double latitude)
{
	return (MAP_TOP - latitude) / MAP_SPAN * MAP_HEIGHT;
}

static void write_land(struct writer *out)
{
	bool start = true;
	int before = 0;

	writer_text(out, "<path class=land d=\"");
	for (size_t i = 0; i + 1 < world_count;) {
		if (world_rings[i] == WORLD_END) {
			writer_text(out, "Z");
			start = true;
			i++;
			continue;
		}
		/* A ring that crosses the date line begins anew on the other side. */
		start |= abs(world_rings[i] - before) > 360;
		before = world_rings[i];
		writer_format(out, "%c%.0f %.0f", start ? 'M' : 'L', map_x(world_rings[i] / 2.0),
			      map_y(world_rings[i + 1] / 2.0));
		start = false;
		i += 2;
	}
	writer_text(out, "Z\"/>");
}

static void write_map(const struct report *report, struct writer *out)
{
	int64_t most = report->places.count ? report->places.rows[0].count : 0;

	writer_format(out,
		      "<section><h2>Where sources are (connections, approximate)</h2>"
		      "<svg viewBox=\"0 0 %d %d\" role=img aria-label=\"World map of source "
		      "locations\">",
		      MAP_WIDTH, MAP_HEIGHT);
	write_land(out);
	for (size_t i = 0; i < report->places.count; i++) {
		const struct query_row *row = &report->places.rows[i];

		writer_format(out,
			      "<circle class=dot cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%lld "
			      "connections</title></circle>",
			      map_x(row->longitude), map_y(row->latitude),
			      1.8 + 16 * sqrt((double)row->count / (double)most),
			      (long long)row->count);
	}
	writer_text(out, "</svg>");
	if (report->places.count == 0)
		writer_text(out, "<p class=when>No location is known in this period.</p>");
	writer_text(out, "</section>\n");
}

static void write_bar(struct writer *out, size_t index, size_t count, int64_t value, int64_t most,
		      const char *label)
{
	double width = (double)CHART_WIDTH / (double)count;
	double height = most ? (double)value / (double)most * CHART_HEIGHT : 0;

	writer_format(
		out,
		"<rect class=b x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s: "
		"%lld</title></rect>",
		(double)index * width + width * 0.1, CHART_HEIGHT - height + 14, width * 0.8,
		height, label, (long long)value);
}

static void open_chart(struct writer *out, const char *heading, int64_t most)
{
	writer_format(out,
		      "<section><h2>%s</h2><svg viewBox=\"0 0 %d %d\" role=img aria-label=\"%s\">"
		      "<text x=0 y=10>%lld</text>",
		      heading, CHART_WIDTH, CHART_HEIGHT + 32, heading, (long long)most);
}

static void write_hours(const struct report *report, struct writer *out)
{
	int64_t most = 0;
	char label[32];

	for (int hour = 0; hour < 24; hour++)
		most = report->hours[hour] > most ? report->hours[hour] : most;
	open_chart(out, "Connections by hour of the day (UTC)", most);
	for (int hour = 0; hour < 24; hour++) {
		struct writer text = writer_fixed(label, sizeof(label));

		writer_format(&text, "%02d:00", hour);
		write_bar(out, (size_t)hour, 24, report->hours[hour], most, label);
		writer_format(out, "<text x=\"%d\" y=\"%d\">%02d</text>",
			      hour * CHART_WIDTH / 24 + 13, CHART_HEIGHT + 28, hour);
	}
	writer_text(out, "</svg></section>\n");
}

static void write_time_line(const struct report *report, struct writer *out)
{
	int64_t most = 0;
	size_t step = report->point_count / 8 + 1;

	for (size_t i = 0; i < report->point_count; i++) {
		int64_t count = report->points[i].counts[MEASURE_CONNECTIONS];

		most = count > most ? count : most;
	}
	open_chart(out, report->bucket == HOUR ? "Connections by hour" : "Connections by day",
		   most);
	for (size_t i = 0; i < report->point_count; i++) {
		char time[CLOCK_TEXT_LENGTH + 1];

		clock_text(report->points[i].time, time);
		time[report->bucket == HOUR ? 16 : 10] = 0;
		write_bar(out, i, report->point_count,
			  report->points[i].counts[MEASURE_CONNECTIONS], most, time);
		if (i % step == 0)
			writer_format(out, "<text x=\"%.0f\" y=\"%d\">%s</text>",
				      (double)i * CHART_WIDTH / (double)report->point_count,
				      CHART_HEIGHT + 28, report->bucket == HOUR ? time + 5 : time);
	}
	writer_text(out, "</svg></section>\n");
}

static void write_total(struct writer *out, int64_t count, const char *label)
{
	writer_format(out, "<div><b>%lld</b><span>%s</span></div>", (long long)count, label);
}

static void write_totals(const struct report *report, struct writer *out)
{
	const int64_t *counts = report->totals.counts;

	writer_text(out, "<div class=totals>");
	write_total(out, counts[MEASURE_CONNECTIONS], "connections");
	write_total(out, counts[MEASURE_SESSIONS], "sessions");
	write_total(out, counts[MEASURE_EVENTS], "events");
	write_total(out, counts[MEASURE_CREDENTIALS], "credentials tried");
	write_total(out, counts[MEASURE_COMMANDS], "commands");
	write_total(out, counts[MEASURE_PAYLOADS], "payloads");
	write_total(out, report->totals.sources, "sources");
	write_total(out, report->totals.countries, "countries");
	writer_text(out, "</div>\n");
}

void report_write_html(const struct report *report, struct writer *out)
{
	char from[CLOCK_TEXT_LENGTH + 1], to[CLOCK_TEXT_LENGTH + 1], made[CLOCK_TEXT_LENGTH + 1];

	clock_text(report->range.since, from);
	clock_text(report->range.until ? report->range.until : report->made, to);
	clock_text(report->made, made);
	writer_format(out, "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
			   "<meta name=viewport content=\"width=device-width\">"
			   "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
			   "style-src 'unsafe-inline'\"><title>");
	escape_text(out, report->title);
	writer_format(out, "</title><style>%s</style></head>\n<body><h1>", style);
	escape_text(out, report->title);
	writer_format(out, "</h1><p class=when>%.16s to %.16s UTC</p>\n",
		      report->range.since ? from : "the beginning", to);
	write_totals(report, out);
	write_map(report, out);
	write_time_line(report, out);
	write_hours(report, out);
	writer_text(out, "<div class=tables>\n");
	for (int table = 0; table < REPORT_TABLES; table++)
		write_table(report, (enum report_table)table, out);
	if (report->systems_unknown > 0)
		writer_format(out,
			      "<section><h2>Operating systems</h2><p>Not yet determined: %lld "
			      "connections</p></section>",
			      (long long)report->systems_unknown);
	writer_text(out, "</div>\n<footer><p>Made by Sundew " SUNDEW_VERSION " on ");
	writer_format(out, "%.19s UTC. ", made);
	escape_text(out, report->attribution);
	writer_text(out, "</p></footer></body></html>\n");
}
