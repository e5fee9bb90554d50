/* Any port without a protocol of its own: says nothing and keeps what comes.
 *
 * The first bytes stand in one protocol.request event (verb "data"), told when enough of them came,
 * when the client pauses, or at the end; the whole conversation is evidence.
 */
#include "decoy/protocol.h"

#define ENOUGH 512                 /* bytes that tell a protocol from another */
#define PAUSE  (500 * MILLISECOND) /* a client that is silent so long has said its first piece */

struct unknown {
	uint16_t kept;
	bool told;
	uint64_t seen;
	uint8_t *first; /* ENOUGH bytes, from the session's arena, once something came */
};

static void tell(struct session *session, struct unknown *unknown)
{
	struct event *event;

	if (unknown->told || unknown->seen == 0)
		return;
	unknown->told = true;
	event = session_event(session, "protocol.request");
	event_set_words(event, FIELD_REQUEST_VERB, "data");
	event_set_text(event, FIELD_RAW, slice_of(unknown->first, unknown->kept));
	event_set_number(event, FIELD_RAW_LENGTH, (int64_t)unknown->seen);
	session_report(session, event);
}

static size_t unknown_input(struct session *session, void *state, struct slice bytes)
{
	struct unknown *unknown = state;
	struct slice kept = slice_first(bytes, ENOUGH - unknown->kept);

	if (!unknown->first)
		unknown->first = arena_take(session_arena(session), ENOUGH);
	if (unknown->first && kept.length) {
		memcpy(unknown->first + unknown->kept, kept.at, kept.length);
		unknown->kept = (uint16_t)(unknown->kept + kept.length);
	}
	unknown->seen += bytes.length;
	if (unknown->kept == ENOUGH || session_transport(session) == UDP)
		tell(session, unknown);
	else if (!unknown->told)
		session_timer(session, PAUSE);
	return bytes.length;
}

static void unknown_timer(struct session *session, void *state)
{
	tell(session, state);
}

static void unknown_closed(struct session *session, void *state)
{
	tell(session, state);
}

const struct protocol protocol_unknown = {
	.name = "unknown",
	.title = "Any other port",
	.speaks_first = CLIENT,
	.state_size = sizeof(struct unknown),
	.input = unknown_input,
	.timer = unknown_timer,
	.closed = unknown_closed,
};
