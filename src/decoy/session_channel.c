/* The data connection beside a session; see session_channel_listen. */
#include <stdlib.h>

#include "decoy/session_state.h"

#define CHANNEL_OUTPUT_MAX ((size_t)1024 * 1024) /* a listing or a bait file, not a mirror */

static void wake(struct session *session)
{
	if (session->trap->wake)
		session->trap->wake(session->trap, session);
}

static void forget_channel(struct session *session)
{
	buffer_drop(&session->channel->output, SIZE_MAX);
	free(session->channel);
	session->channel = NULL;
}

int session_channel_listen(struct session *session, uint16_t *port)
{
	struct trap *trap = session->trap;

	if (session->channel) {
		trap->channel_drop(trap, session);
		forget_channel(session);
	}
	if (!trap->channel_listen || session->flags & (CLOSING | FAILED))
		return -1;
	session->channel = calloc(1, sizeof(*session->channel));
	if (!session->channel)
		return -1;
	if (trap->channel_listen(trap, session, port) < 0) {
		forget_channel(session);
		return -1;
	}
	return 0;
}

bool session_channel_is_open(const struct session *session)
{
	return session->channel && session->channel->open;
}

void session_channel_write(struct session *session, struct slice bytes)
{
	if (!session->channel || session->channel->closing)
		return;
	if (buffer_add(&session->channel->output, bytes, CHANNEL_OUTPUT_MAX) < 0)
		session->channel->closing = true;
	session->sent += bytes.length;
	wake(session);
}

void session_channel_close(struct session *session)
{
	if (!session->channel)
		return;
	session->channel->closing = true;
	wake(session);
}

void session_channel_accepted(struct session *session)
{
	const struct protocol *protocol = session->service->protocol;

	if (!session->channel || session->channel->open)
		return;
	session->channel->open = true;
	if (protocol->channel_opened)
		protocol->channel_opened(session, session_state(session));
	wake(session);
}

void session_channel_feed(struct session *session, struct slice bytes)
{
	const struct protocol *protocol = session->service->protocol;

	session->heard = session->trap->monotonic(session->trap);
	session->received += bytes.length;
	if (session->received > session->service->input_bytes)
		session_fail(session, "byte limit");
	else if (protocol->channel_input)
		protocol->channel_input(session, session_state(session), bytes);
	wake(session);
}

void session_channel_ended(struct session *session)
{
	const struct protocol *protocol = session->service->protocol;
	bool was_open = session->channel && session->channel->open;

	if (!session->channel)
		return;
	forget_channel(session);
	if (was_open && protocol->channel_closed && !(session->flags & FAILED))
		protocol->channel_closed(session, session_state(session));
	wake(session);
}

struct slice session_channel_output(struct session *session)
{
	return session->channel && session->channel->open ? buffer_slice(session->channel->output)
							  : (struct slice){NULL, 0};
}

void session_channel_sent(struct session *session, size_t count)
{
	const struct protocol *protocol = session->service->protocol;

	if (!session->channel)
		return;
	buffer_drop(&session->channel->output, count);
	if (!session->channel->output && protocol->channel_drained &&
	    !(session->flags & (CLOSING | FAILED)))
		protocol->channel_drained(session, session_state(session));
}

bool session_channel_is_over(const struct session *session)
{
	return session->channel && session->channel->closing && !session->channel->output;
}
