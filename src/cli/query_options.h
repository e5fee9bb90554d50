/* Options and output that the commands which ask the store share. */
#ifndef CLI_QUERY_OPTIONS_H
#define CLI_QUERY_OPTIONS_H

#include "cli/command.h"
#include "store/query.h"

#define OPTION_RANGE                                                                     \
	{"since", 0, "TIME", "From here on: a length of time back (24h, 7d) or a date"}, \
		{"until", 0, "TIME", "Up to here, in the same forms"},                   \
	{                                                                                \
		"sensor", 0, "NAME", "Only this sensor"                                  \
	}
#define OPTION_LIMIT                                  \
	{                                             \
		"limit", 'n', "N", "How many at most" \
	}
#define OPTION_FILTERS                                                                             \
	{"source", 0, "ADDRESS", "Only from this address"}, {"port", 0, "N", "Only to this port"}, \
		{"protocol", 0, "NAME", "Only of this protocol"},                                  \
		{"action", 0, "NAME", "Only this action (docs/EVENTS.md lists them)"},             \
		{"user", 0, "NAME", "Only with this user name"},                                   \
		{"session", 0, "ID", "Only of this session"},                                      \
	{                                                                                          \
		"oldest-first", 0, NULL, "Oldest first"                                            \
	}

/* standard: microseconds back from now when --since is not given; 0: from the beginning. */
struct query_range range_options(const struct invocation *invocation, int64_t standard);
/* The address must outlive the filter. */
struct query_filter filter_options(const struct invocation *invocation, int64_t standard,
				   struct address *source);

/* "2026-11-23 20:59:36" (UTC), NUL-terminated. */
void short_time(int64_t microseconds, char text[20]);

#endif
