/* What runs behind a session's channel: a log-in on the fake machine, its output within the
 * client's window, its end as OpenSSH tells it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/ssh/connection.h"

#define RUNS_AT_ONCE 8 /* input that makes room for more input, and so on */
#define AGENT_SOCKET 64
#define SOON         1 /* monotonic; 0 would be no time at all to the timer */

/* --- output --- */

static void flush(struct ssh_channel *channel)
{
	struct writer *gathered = &channel->ssh->server->gathered;

	if (gathered->length && !channel->streams_lost)
		ssh_channel_send(channel, (enum machine_stream)channel->gathers,
				 writer_slice(gathered));
	writer_clear(gathered);
}

static void on_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct ssh_channel *channel = context;

	if (channel->gathers != (uint8_t)stream)
		flush(channel);
	channel->gathers = (uint8_t)stream;
	writer_bytes(&channel->ssh->server->gathered, bytes);
}

static void on_end(void *context, int status, int signal)
{
	struct ssh_channel *channel = context;

	channel->ended = true;
	channel->status = status;
	channel->signal = signal;
}

static const char *signal_name(int signal)
{
	static const char *const names[32] = {
		[SIGABRT] = "ABRT", [SIGALRM] = "ALRM", [SIGFPE] = "FPE",   [SIGHUP] = "HUP",
		[SIGILL] = "ILL",   [SIGINT] = "INT",   [SIGKILL] = "KILL", [SIGPIPE] = "PIPE",
		[SIGQUIT] = "QUIT", [SIGSEGV] = "SEGV", [SIGTERM] = "TERM", [SIGUSR1] = "USR1",
		[SIGUSR2] = "USR2"};

	return signal > 0 && signal < 32 && names[signal] ? names[signal] : "SIG@openssh.com";
}

static void send_status(struct ssh_channel *channel)
{
	struct writer *w;

	if (channel->signal) {
		w = ssh_channel_request(channel, "exit-signal");
		wire_put_text(w, signal_name(channel->signal));
		writer_u8(w, 0);
		wire_put_text(w, "");
		wire_put_text(w, "");
	} else {
		w = ssh_channel_request(channel, "exit-status");
		writer_u32be(w, (uint32_t)channel->status & 0xff);
	}
	ssh_packet_send(channel->ssh);
}

/* EOF, the status, eow@openssh.com where the client knows it and has not ended its side, CLOSE.
 * Which of EOF and status comes first is a race in sshd; this is how it mostly ends. */
static void tell_end(struct ssh_channel *channel)
{
	bool status_first = channel->ssh->server->build->status_first;

	if (!channel->streams_lost && !status_first)
		ssh_channel_send_eof(channel);
	send_status(channel);
	if (channel->ssh->flags & SSH_OPENSSH && !channel->eof_received && !channel->streams_lost) {
		(void)ssh_channel_request(channel, "eow@openssh.com");
		ssh_packet_send(channel->ssh);
	}
	if (!channel->streams_lost && status_first)
		ssh_channel_send_eof(channel);
	ssh_channel_close(channel);
}

/* Standard output and errors share the window: errors get the smaller part. */
static void give_room(struct ssh_channel *channel)
{
	size_t room = ssh_channel_room(channel), errors = channel->terminal ? 0 : room / 4;

	if (room < channel->remote_window)
		channel->ssh->flags |= SSH_STARVED;
	machine_room(channel->machine, MACHINE_OUTPUT, room - errors);
	machine_room(channel->machine, MACHINE_ERRORS, errors);
}

void ssh_program_run(struct ssh_channel *channel)
{
	struct writer *gathered = &channel->ssh->server->gathered;

	if (!channel->machine || channel->close_sent)
		return;
	writer_clear(gathered);
	give_room(channel);
	machine_run(channel->machine);
	flush(channel);
	if (gathered->failed)
		writer_free(gathered);
	if (!channel->ended)
		return;
	tell_end(channel);
	ssh_program_free(channel);
}

/* --- input --- */

static size_t hand_over(struct ssh_channel *channel)
{
	size_t taken;

	/* The terminal echoes at once. */
	writer_clear(&channel->ssh->server->gathered);
	give_room(channel);
	taken = machine_input(channel->machine, writer_slice(&channel->input));
	flush(channel);
	if (taken == 0)
		return 0;
	if (taken == channel->input.length) {
		size_t limit = channel->input.limit;

		writer_free(&channel->input);
		channel->input = writer_growing(limit);
	} else {
		writer_consume(&channel->input, taken);
	}
	ssh_channel_consumed(channel, taken);
	return taken;
}

void ssh_program_input(struct ssh_channel *channel)
{
	for (int i = 0; i < RUNS_AT_ONCE && channel->machine; i++) {
		size_t taken = channel->input.length ? hand_over(channel) : 0;

		if (channel->input.length == 0 && channel->eof_received && !channel->input_ended) {
			channel->input_ended = true;
			machine_input_end(channel->machine);
		} else if (taken == 0) {
			break;
		}
		ssh_program_run(channel);
	}
}

static bool has_input(const struct ssh_channel *channel)
{
	return channel->input.length || (channel->eof_received && !channel->input_ended);
}

void ssh_program_go_on(struct ssh_channel *channel)
{
	ssh_program_run(channel);
	if (channel->machine && !channel->close_sent && has_input(channel))
		ssh_program_input(channel);
}

int64_t ssh_program_due(const struct ssh_channel *channel)
{
	/* What did not fit before, or was too much for one turn. */
	if (!channel->close_sent && has_input(channel) && machine_input_room(channel->machine))
		return SOON;
	return machine_deadline(channel->machine);
}

void ssh_program_resize(struct ssh_channel *channel)
{
	if (!channel->machine)
		return;
	writer_clear(&channel->ssh->server->gathered);
	machine_resize(channel->machine, channel->terminal->columns, channel->terminal->rows);
	flush(channel);
	ssh_program_run(channel);
}

void ssh_program_signal(struct ssh_channel *channel, int signal)
{
	writer_clear(&channel->ssh->server->gathered);
	machine_signal(channel->machine, signal);
	flush(channel);
}

/* --- beginning and end --- */

/* What sshd itself adds to the client's variables. */
static size_t list_variables(struct ssh_channel *channel, char agent[AGENT_SOCKET],
			     struct slice list[SSH_VARIABLES_MAX + 2])
{
	size_t count = 0;

	for (const struct ssh_variable *at = channel->variables; at; at = at->next)
		list[count++] = slice_of(at->text, at->length);
	if (channel->x11)
		list[count++] = SLICE("DISPLAY=localhost:10.0");
	if (channel->ssh->connection->agent) {
		static const char letters[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
		char random[11] = {0};

		for (size_t i = 0; i < sizeof(random) - 1; i++)
			random[i] = letters[session_random_number(channel->ssh->session,
								  sizeof(letters) - 1)];
		snprintf(agent, AGENT_SOCKET, "SSH_AUTH_SOCK=/tmp/ssh-XXXX%s/agent.%d", random,
			 (int)session_random_number(channel->ssh->session, 30000) + 800);
		list[count++] = slice_text(agent);
	}
	return count;
}

bool ssh_program_start(struct ssh_channel *channel, struct slice command, const char *program)
{
	struct ssh_connection *connection = channel->ssh->connection;
	struct ssh_terminal *own = channel->terminal;
	struct slice variables[SSH_VARIABLES_MAX + 2];
	char agent[AGENT_SOCKET];
	struct machine_terminal terminal;
	struct machine_start start = {
		.session = channel->ssh->session,
		.service = "sshd",
		.user = connection->user,
		.depth = connection->depth,
		.evidence_left = &connection->evidence_left,
		.command = command.at ? &command : NULL,
		.program = program,
		.environment = variables,
		.environment_count = list_variables(channel, agent, variables),
		.context = channel,
		.output = on_output,
		.ended = on_end,
	};

	if (own) {
		terminal = (struct machine_terminal){own->type, own->columns, own->rows,
						     slice_of(own->modes, own->modes_length)};
		start.terminal = &terminal;
	}
	channel->machine = machine_new(&start);
	if (!channel->machine)
		return false;
	channel->larval = false;
	ssh_channel_open_window(channel);
	return true;
}

void ssh_program_abandon(struct ssh_channel *channel)
{
	channel->streams_lost = true;
	machine_input_end(channel->machine);
	ssh_program_run(channel);
	if (channel->machine)
		machine_hang_up(channel->machine);
}

void ssh_program_free(struct ssh_channel *channel)
{
	machine_free(channel->machine);
	channel->machine = NULL;
}
