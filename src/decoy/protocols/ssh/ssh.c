/* SSH: the protocol's entry points. */
#include "decoy/protocols/ssh/server.h"
#include "decoy/session.h"

#define SOON 1 /* microseconds */

int64_t ssh_monotonic(const struct ssh *ssh)
{
	struct trap *trap = session_trap(ssh->session);

	return trap->monotonic(trap);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void ssh_schedule(struct ssh *ssh)
{
	int64_t due = earlier(ssh_kex_due(ssh), ssh_connection_due(ssh)), now;

	if (ssh->flags & SSH_OVER)
		return;
	if (ssh->grace_until)
		due = earlier(due, ssh->grace_until);
	if (ssh->flags & SSH_FED)
		due = SOON;
	session_holds(ssh->session, ssh_footprint(ssh));
	if (due == ssh->timer_at)
		return;
	ssh->timer_at = due;
	if (due == INT64_MAX) {
		session_timer(ssh->session, 0);
		return;
	}
	now = ssh_monotonic(ssh);
	session_timer(ssh->session, due > now ? due - now : 1);
}

static void ssh_opened(struct session *session, void *state)
{
	const struct ssh_options *options = session_options(session);
	struct ssh *ssh = state;

	ssh->session = session;
	ssh->server = options ? options->server : NULL;
	if (!ssh->server || !session_host_keys(session)) {
		ssh_hang_up(ssh, "not prepared");
		return;
	}
	if (!ssh_server_admit(ssh)) {
		if (ssh->server->build->tells_dropped)
			session_text(session, "Exceeded MaxStartups\r\n");
		ssh_hang_up(ssh, "shed: startups");
		return;
	}
	ssh->flags |= SSH_INITIAL;
	ssh->grace_until = ssh_monotonic(ssh) + options->grace;
	session_print(session, "%s\r\n", ssh->server->banner);
	ssh_schedule(ssh);
}

static size_t ssh_input(struct session *session, void *state, struct slice bytes)
{
	struct ssh *ssh = state;
	size_t used;

	if (ssh->flags & SSH_OVER)
		return bytes.length;
	if (ssh->flags & SSH_PAUSED || ssh_kex_due(ssh) != INT64_MAX)
		return 0; /* it is offered again when that is over */
	used = ssh->flags & SSH_IDENTIFIED ? ssh_packet_input(ssh, bytes)
					   : ssh_identification_input(ssh, bytes);
	ssh_schedule(ssh);
	return used;
}

/* Lets the session offer what it kept. */
static void take_up_input(struct ssh *ssh)
{
	session_delay(ssh->session, SOON);
}

static void ssh_timer(struct session *session, void *state)
{
	struct ssh *ssh = state;
	int64_t now = ssh_monotonic(ssh);

	ssh->timer_at = 0;
	ssh->flags &= ~(uint32_t)SSH_FED;
	if (ssh->grace_until && now >= ssh->grace_until) {
		ssh_hang_up(ssh, "login grace time");
		return;
	}
	if (now >= ssh_kex_due(ssh)) {
		ssh_kex_resume(ssh);
		take_up_input(ssh);
	}
	if (ssh->connection)
		ssh_connection_run(ssh);
	ssh_schedule(ssh);
}

static void ssh_drained(struct session *session, void *state)
{
	struct ssh *ssh = state;

	if (ssh->flags & SSH_OVER)
		return;
	if (ssh->flags & SSH_PAUSED) {
		ssh->flags &= ~(uint32_t)SSH_PAUSED;
		take_up_input(ssh);
	}
	if (ssh->flags & SSH_STARVED) { /* in the next turn: others want theirs */
		ssh->flags &= ~(uint32_t)SSH_STARVED;
		ssh->flags |= SSH_FED;
	}
	ssh_schedule(ssh);
}

static void ssh_closed(struct session *session, void *state)
{
	struct ssh *ssh = state;

	if (!ssh->server)
		return;
	ssh->flags |= SSH_OVER;
	ssh_server_forget(ssh);
	ssh_connection_free(ssh);
	ssh_auth_free(ssh);
	ssh_kex_free(ssh);
	ssh_packet_drop_keys(&ssh->in);
	ssh_packet_drop_keys(&ssh->out);
	ssh_compress_end(&ssh->in, false);
	ssh_compress_end(&ssh->out, true);
	writer_free(&ssh->queue);
}

static int ssh_recognise(struct slice first)
{
	return slice_starts(first, "SSH-") ? 100 : 0;
}

const struct protocol protocol_ssh = {
	.name = "ssh",
	.title = "Secure Shell",
	.ports = {{TCP, 22, false}, {TCP, 2222, false}},
	.speaks_first = SERVER,
	.state_size = sizeof(struct ssh),
	.input_max = SSH_INPUT_MAX,
	.options = &ssh_section,
	.options_size = sizeof(struct ssh_options),
	.prepare = ssh_server_prepare,
	.release = ssh_server_release,
	.recognise = ssh_recognise,
	.opened = ssh_opened,
	.input = ssh_input,
	.timer = ssh_timer,
	.drained = ssh_drained,
	.closed = ssh_closed,
};
