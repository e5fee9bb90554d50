/* Any port without a protocol of its own: listens first, then hands over to the decoy that fits.
 *
 * The first bytes tell what the client speaks (TLS is unwrapped first). A decoy that speaks it too
 * takes the session over, with these bytes. A client that waits for the server to speak gets the
 * protocol that is customary on the port, where there is a decoy for it. All others are heard in
 * silence: the first bytes stand in one protocol.request event (verb "data"), told when enough of
 * them came, when the client pauses, or at the end; the whole conversation is evidence.
 */
#include "decoy/identify.h"

#define ENOUGH   512                 /* bytes that tell a protocol from another */
#define PAUSE    (500 * MILLISECOND) /* who is silent so long has said the first piece */
#define PATIENCE (300 * MILLISECOND) /* who says nothing so long waits for the server */

struct unknown {
	uint8_t *first;     /* ENOUGH bytes, from the session's arena, once something came */
	const char *spoken; /* what it was found to be; NULL: nothing that is known */
	uint64_t seen;
	uint16_t kept;
	bool decided; /* it is nobody else's */
	bool told;
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

static void keep(struct session *session, struct unknown *unknown, struct slice bytes)
{
	struct slice kept = slice_first(bytes, ENOUGH - unknown->kept);

	if (!unknown->first)
		unknown->first = arena_take(session_arena(session), ENOUGH);
	if (unknown->first && kept.length) {
		memcpy(unknown->first + unknown->kept, kept.at, kept.length);
		unknown->kept = (uint16_t)(unknown->kept + kept.length);
	}
	unknown->seen += bytes.length;
}

static void name_it(struct session *session, struct unknown *unknown, struct slice first)
{
	unknown->spoken = identify_first(first, session_transport(session));
	if (!unknown->spoken)
		return;
	unknown->decided = true;
	session_report(session, session_event(session, "protocol.identified"));
}

/* All that came so far stands in `bytes`. True when the session went elsewhere. */
static bool find_owner(struct session *session, struct unknown *unknown, struct slice bytes)
{
	if (session_has_tls(session) && !session_in_tls(session) && identify_tls(bytes)) {
		session_start_tls(session);
		unknown->seen = unknown->kept = 0; /* what is inside comes anew */
		return true;
	}
	if (session_hand_over(session, bytes))
		return true;
	name_it(session, unknown, bytes);
	return false;
}

static size_t take_datagram(struct session *session, struct unknown *unknown, struct slice bytes)
{
	keep(session, unknown, bytes);
	if (!unknown->decided)
		name_it(session, unknown, bytes);
	tell(session, unknown);
	return bytes.length;
}

static size_t unknown_input(struct session *session, void *state, struct slice bytes)
{
	struct unknown *unknown = state;

	if (session_transport(session) == UDP)
		return take_datagram(session, unknown, bytes);
	if (!unknown->decided) {
		if (find_owner(session, unknown, bytes))
			return 0;
		unknown->decided |= bytes.length >= ENOUGH;
		if (!unknown->decided) { /* the bytes stay: they may be another's */
			unknown->seen = unknown->kept = 0;
			keep(session, unknown, bytes);
			session_timer(session, PAUSE);
			return 0;
		}
		unknown->seen = unknown->kept = 0;
	}
	keep(session, unknown, bytes);
	if (unknown->kept == ENOUGH)
		tell(session, unknown);
	else if (!unknown->told)
		session_timer(session, PAUSE);
	return bytes.length;
}

static void unknown_opened(struct session *session, void *state)
{
	if (session_transport(session) == TCP &&
	    identify_port(session_local(session)->port) != NULL)
		session_timer(session, PATIENCE);
}

static void unknown_timer(struct session *session, void *state)
{
	struct unknown *unknown = state;
	const char *customary = identify_port(session_local(session)->port);

	if (unknown->seen == 0) {
		if (customary)
			session_hand_over_to(session, customary);
		return;
	}
	unknown->decided = true;
	tell(session, unknown);
}

static void unknown_closed(struct session *session, void *state)
{
	tell(session, state);
}

static const char *unknown_spoken(const void *state)
{
	const struct unknown *unknown = state;

	return unknown->spoken;
}

const struct protocol protocol_unknown = {
	.name = "unknown",
	.title = "Any other port",
	.speaks_first = CLIENT,
	.state_size = sizeof(struct unknown),
	.opened = unknown_opened,
	.input = unknown_input,
	.timer = unknown_timer,
	.closed = unknown_closed,
	.spoken = unknown_spoken,
};
