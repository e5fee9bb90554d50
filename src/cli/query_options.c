/* Shared query options; see query_options.h. */
#include "cli/query_options.h"
#include "base/clock.h"

struct query_range range_options(const struct invocation *invocation, int64_t standard)
{
	int64_t now = clock_wall();

	return (struct query_range){
		.since = option_time(invocation, "since", now, standard ? now - standard : 0),
		.until = option_time(invocation, "until", now, 0),
		.sensor = option_value(invocation, "sensor"),
	};
}

struct query_filter filter_options(const struct invocation *invocation, int64_t standard,
				   struct address *source)
{
	struct query_filter filter = query_filter_any();
	const char *from = option_value(invocation, "source");

	filter.range = range_options(invocation, standard);
	if (from) {
		if (address_parse(slice_text(from), source) < 0)
			usage_error(invocation, "--source %s: not an address", from);
		filter.source = source;
	}
	filter.port = (int)option_number(invocation, "port", -1, 0, 65535);
	filter.protocol = slice_text(option_value(invocation, "protocol"));
	filter.action = slice_text(option_value(invocation, "action"));
	filter.user = slice_text(option_value(invocation, "user"));
	filter.session = slice_text(option_value(invocation, "session"));
	filter.oldest_first = option_given(invocation, "oldest-first");
	filter.limit = (size_t)option_number(invocation, "limit", 100, 1, INT64_MAX / 2);
	return filter;
}

void short_time(int64_t microseconds, char text[20])
{
	char whole[CLOCK_TEXT_LENGTH + 1];

	clock_text(microseconds, whole);
	memcpy(text, whole, 19);
	text[10] = ' ';
	text[19] = 0;
}
