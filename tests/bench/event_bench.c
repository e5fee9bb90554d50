/* How many events a second are written and read, on one core; prints figures, judges nothing. */
#include <stdio.h>

#include "base/clock.h"
#include "event/event.h"

#define ROUNDS 1000000

static void fill(struct event *event)
{
	struct address attacker = address_v4(0xc6336417), decoy = address_v4(0xc0000202);

	event_clear(event);
	event_set_number(event, FIELD_TIME, 1795478376123456);
	event_set_words(event, FIELD_EVENT_ID, "01KAS9Z5V4TQ4M6T1P9G7N3B2C");
	event_set_words(event, FIELD_EVENT_ACTION, "auth.attempt");
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	event_set_words(event, FIELD_OBSERVER_NAME, "sensor-frankfurt-1");
	event_set_address(event, FIELD_SOURCE_IP, &attacker);
	event_set_number(event, FIELD_SOURCE_PORT, 51234);
	event_set_address(event, FIELD_DESTINATION_IP, &decoy);
	event_set_number(event, FIELD_DESTINATION_PORT, 22);
	event_set_words(event, FIELD_NETWORK_TRANSPORT, "tcp");
	event_set_words(event, FIELD_NETWORK_PROTOCOL, "ssh");
	event_set_words(event, FIELD_USER_NAME, "root");
	event_set_words(event, FIELD_SESSION_ID, "01KAS9Z5TRX2W0C8Z4M5K6J7H8");
	event_set_words(event, FIELD_AUTH_METHOD, "password");
	event_set_words(event, FIELD_AUTH_PASSWORD, "hunter2!");
}

static void print_rate(const char *what, int64_t began)
{
	double seconds = (double)(clock_monotonic() - began) / (double)SECOND;

	printf("%-6s %10.0f events/s\n", what, ROUNDS / seconds);
}

int main(void)
{
	struct event event;
	static struct event_habits habits;
	struct writer out = writer_growing(EVENT_LINE_MAX);
	struct arena arena = arena_of(EVENT_LINE_MAX);
	const char *why = "";
	int64_t began = clock_monotonic();

	for (int i = 0; i < ROUNDS; i++) {
		writer_clear(&out);
		fill(&event);
		event_write_as_usual(&event, &out, &habits);
	}
	print_rate("write", began);
	began = clock_monotonic();
	for (int i = 0; i < ROUNDS; i++) {
		if (event_read_as_usual(&event, writer_slice(&out), &arena, &why, &habits) < 0) {
			fprintf(stderr, "cannot read back what was written: %s\n", why);
			return 1;
		}
		arena_drop(&arena);
	}
	print_rate("read", began);
	printf("%.*s\n", (int)out.length, (const char *)out.at);
	writer_free(&out);
	return 0;
}
