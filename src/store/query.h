/* Questions to the store, shared by command line, reports and API. All only read.
 *
 * Times are microseconds; a range is [since, until), 0 meaning open. Tallies are kept by the hour:
 * for them since is rounded down and until up to a full hour. Costs: "tally" functions read packed
 * counts (months, days, and hours at the edges) and never events, so they depend on the number of
 * distinct keys in the range, not on the number of events. "row" functions read as many rows as
 * they return where the filter has a source, a session or only times, more where it has not.
 *
 * Every function returns 0, or -1 with the reason in store_problem(). What an answer owns is freed
 * with its _free, which accepts NULL. Keys may hold any bytes: escape when printing.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/dimension.h"
#include "store/store.h"

struct query_range {
	int64_t since, until;
	const char *sensor; /* only this sensor; NULL: all */
};

/* --- tallies --- */

struct query_row {
	struct slice key; /* also NUL-terminated */
	int64_t count;
	/* For sources only, else empty and 0: */
	char country[3];
	uint32_t asn;
	/* For credentials only: where in key the password starts (user NUL password), else 0. */
	size_t password_at;
	/* For locations only: */
	double latitude, longitude;
};

struct query_rows {
	struct query_row *rows; /* highest count first, then by key */
	size_t count;
	int64_t distinct; /* keys in the range, beyond the limit too */
	int64_t total;    /* sum over all of them */
	enum measure measure;
	void *memory;
};

/* The most frequent keys of a dimension: "source.ip" and so on. limit 0: all. MEASURE_OWN for the
 * dimension's own; -1 where the dimension is not tallied by that measure. Tally. */
MUST_CHECK int query_top(struct store *store, const struct dimension *dimension,
			 enum measure measure, const struct query_range *range, size_t limit,
			 struct query_rows *rows);
void query_rows_free(struct query_rows *rows);

struct query_totals {
	int64_t counts[MEASURE_COUNT]; /* by enum measure */
	int64_t sources;               /* distinct addresses */
	int64_t countries;             /* distinct countries */
};

/* Tally. */
MUST_CHECK int query_totals(struct store *store, const struct query_range *range,
			    struct query_totals *totals);

struct query_point {
	int64_t time; /* start of the bucket */
	int64_t counts[MEASURE_COUNT];
};

/* One point a bucket (a whole number of hours, aligned to days in UTC when it is whole days), empty
 * ones included, oldest first; an open range starts at the first tally and ends at the last. At
 * most QUERY_POINTS_MAX points: -1 beyond. Free *points with free(). Tally. */
#define QUERY_POINTS_MAX 100000
MUST_CHECK int query_timeline(struct store *store, const struct query_range *range, int64_t bucket,
			      struct query_point **points, size_t *count);

/* The same for one key of a dimension (key as query_top gives it): counts of `measure` a bucket, in
 * counts[measure]. For novelty and trends. Tally. */
MUST_CHECK int query_timeline_key(struct store *store, const struct dimension *dimension,
				  enum measure measure, struct slice key,
				  const struct query_range *range, int64_t bucket,
				  struct query_point **points, size_t *count);

/* By hour of the day in UTC. MEASURE_EVENTS or MEASURE_CONNECTIONS. Tally. */
MUST_CHECK int query_hours_of_day(struct store *store, enum measure measure,
				  const struct query_range *range, int64_t hours[24]);

/* Connections by place, in whole degrees: rows with latitude and longitude set. Tally. */
MUST_CHECK int query_locations(struct store *store, const struct query_range *range, size_t limit,
			       struct query_rows *rows);

/* Countries of the `sources` most active sources (connections), each with the sum of their counts.
 * Tally. */
MUST_CHECK int query_countries_of_top_sources(struct store *store, const struct query_range *range,
					      size_t sources, struct query_rows *rows);

/* --- rows --- */

struct query_filter {
	struct query_range range;
	const struct address *source; /* NULL: any */
	struct slice session;         /* empty: any; so are all below */
	struct slice action, protocol, transport, user, password, country, outcome;
	int port; /* destination port; -1: any (0 is a port) */
	bool oldest_first;
	size_t limit; /* 0: 100 */
	/* Where an earlier answer stopped: its `next`; empty: from the start. */
	const char *cursor;
};

static inline struct query_filter query_filter_any(void)
{
	return (struct query_filter){.port = -1};
}

#define QUERY_CURSOR_MAX 192
struct query_page {
	size_t count;
	char next[QUERY_CURSOR_MAX]; /* "" when there is no more */
};

struct query_event {
	int64_t number; /* rises in order of arrival; for live streams */
	int64_t time;
	struct slice json; /* one line, with country and network added where the store knew them */
};

/* Events by time; stops early when visit returns false (the page then goes on after that event). */
MUST_CHECK int query_events(struct store *store, const struct query_filter *filter,
			    bool (*visit)(void *context, const struct query_event *event),
			    void *context, struct query_page *page);

/* Events that arrived after number, in order of arrival, at most limit: for a live stream. The
 * range's sensor is heeded, its times are not. Pass query_newest's answer to start from now. */
MUST_CHECK int query_events_after(struct store *store, int64_t number, const char *sensor,
				  size_t limit,
				  bool (*visit)(void *context, const struct query_event *event),
				  void *context);
MUST_CHECK int query_newest(struct store *store, int64_t *number);

/* One event by its id: 1 when found, 0 when not. */
MUST_CHECK int query_event(struct store *store, struct slice id,
			   bool (*visit)(void *context, const struct query_event *event),
			   void *context);

struct query_session {
	struct slice id;
	int64_t first, last; /* times of its first and last event */
	int64_t duration;    /* microseconds, from session.close; 0 while open */
	bool closed;
	char source[ADDRESS_TEXT_MAX];
	char country[3];
	uint32_t asn;
	struct slice sensor, protocol, transport, reason, user;
	int source_port, destination_port;
	bool login; /* an attempt succeeded */
	int64_t events, attempts, commands, payloads;
	int64_t bytes_in, bytes_out;
};

/* Sessions by the time of their first event. Of the filter: range, source, session, protocol,
 * transport, country, port, outcome ("success": got in), order, limit, cursor. */
MUST_CHECK int query_sessions(struct store *store, const struct query_filter *filter,
			      bool (*visit)(void *context, const struct query_session *session),
			      void *context, struct query_page *page);

struct query_source {
	char address[ADDRESS_TEXT_MAX];
	int64_t first, last;
	int64_t events, connections, sessions, attempts;
	char country[3];
	struct slice city, as_name, system;
	uint32_t asn;
	bool has_location;
	double latitude, longitude;
};

/* What is known of one address, ever: 1 when seen, 0 when not. One row. */
MUST_CHECK int query_source(struct store *store, const struct address *address,
			    bool (*visit)(void *context, const struct query_source *source),
			    void *context);

struct query_payload {
	struct slice sha256, md5, name, origin;
	int64_t size, first, last, count;
};

/* Newest first. Of the filter: range (of the last time seen), limit, cursor. */
MUST_CHECK int query_payloads(struct store *store, const struct query_filter *filter,
			      bool (*visit)(void *context, const struct query_payload *payload),
			      void *context, struct query_page *page);

struct query_credential {
	struct slice user, password;
	int64_t first, last, count, successes;
};

/* Most tried first, over all time (query_top with "credential" answers for a range). */
MUST_CHECK int query_credentials(struct store *store, size_t limit,
				 bool (*visit)(void *context,
					       const struct query_credential *credential),
				 void *context);

/* Name of an autonomous system as last seen; "" when unknown. Copied, NUL-terminated. */
MUST_CHECK int query_as_name(struct store *store, uint32_t asn, char *name, size_t size);

#endif
