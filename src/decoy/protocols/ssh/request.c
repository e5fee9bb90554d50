/* Requests on a session's channel: what OpenSSH's session.c grants, in which order. */
#include <signal.h>
#include <stdlib.h>

#include "decoy/protocols/ssh/connection.h"

#define SFTP_SERVER "/usr/lib/openssh/sftp-server"
#define X11_DISPLAY "DISPLAY=localhost:10.0"

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"FPE", SIGFPE},   {"HUP", SIGHUP},
	{"ILL", SIGILL},   {"INT", SIGINT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE},
	{"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"TERM", SIGTERM}, {"USR1", SIGUSR1},
	{"USR2", SIGUSR2},
};

static void report(struct ssh_channel *channel, const char *verb, struct slice text)
{
	struct event *event = session_event(channel->ssh->session, "protocol.request");

	event_set_words(event, FIELD_REQUEST_VERB, verb);
	event_set_text(event, FIELD_USER_NAME, channel->ssh->connection->user);
	if (text.at)
		event_set_text(event, FIELD_REQUEST_TEXT, text);
	session_report(channel->ssh->session, event);
}

/* --- before the program: terminal, environment, X11, agent --- */

static bool take_pty(struct ssh_channel *channel, struct cursor *c)
{
	struct slice type, modes;
	uint32_t columns, rows;
	struct ssh_terminal *terminal;
	uint8_t room[128];
	struct writer text = writer_fixed(room, sizeof(room));
	struct event *event;

	if (channel->terminal) {
		ssh_disconnect(channel->ssh, "protocol error",
			       "Protocol error: you already have a pty.");
		return false;
	}
	type = wire_text(c);
	columns = cursor_u32be(c);
	rows = cursor_u32be(c);
	cursor_skip(c, 8); /* pixels */
	modes = wire_string(c);
	wire_end(c);
	if (c->failed)
		return false;
	modes = slice_first(modes, SSH_MODES_MAX);
	terminal = calloc(1, sizeof(*terminal) + modes.length);
	if (!terminal)
		return false;
	type = slice_first(type, SSH_TERM_MAX - 1);
	if (type.length)
		memcpy(terminal->type, type.at, type.length);
	terminal->columns = columns;
	terminal->rows = rows;
	terminal->modes_length = modes.length;
	if (modes.length)
		memcpy(terminal->modes, modes.at, modes.length);
	channel->terminal = terminal;
	writer_format(&text, "%s %ux%u", terminal->type, columns, rows);
	event = session_event(channel->ssh->session, "protocol.request");
	event_set_words(event, FIELD_REQUEST_VERB, "pty-req");
	event_set_text(event, FIELD_TERMINAL, writer_slice(&text));
	session_report(channel->ssh->session, event);
	return true;
}

/* Debian's sshd_config: AcceptEnv LANG LC_*. */
static bool accepts(struct slice name)
{
	return slice_is(name, "LANG") || slice_starts(name, "LC_");
}

static bool add_variable(struct ssh_channel *channel, struct slice name, struct slice value)
{
	size_t length = name.length + 1 + value.length;
	struct ssh_variable *variable;

	if (channel->variable_count >= SSH_VARIABLES_MAX || length > SSH_VARIABLE_SIZE)
		return false;
	variable = malloc(sizeof(*variable) + length);
	if (!variable)
		return false;
	variable->length = length;
	memcpy(variable->text, name.at, name.length);
	variable->text[name.length] = '=';
	if (value.length)
		memcpy(variable->text + name.length + 1, value.at, value.length);
	variable->next = channel->variables;
	channel->variables = variable;
	channel->variable_count++;
	return true;
}

static bool take_env(struct ssh_channel *channel, struct cursor *c)
{
	struct slice name = wire_text(c), value = wire_text(c), whole;
	struct writer text = writer_growing(2 * SSH_VARIABLE_SIZE);
	struct event *event;
	bool granted;

	wire_end(c);
	if (c->failed)
		return false;
	granted = accepts(name) && add_variable(channel, name, value);
	writer_bytes(&text, slice_first(name, SSH_VARIABLE_SIZE / 2));
	writer_u8(&text, '=');
	writer_bytes(&text, slice_first(value, SSH_VARIABLE_SIZE));
	whole = writer_slice(&text);
	event = session_event(channel->ssh->session, "protocol.request");
	event_set_words(event, FIELD_REQUEST_VERB, "env");
	event_set_words(event, FIELD_EVENT_OUTCOME, granted ? "success" : "failure");
	event_set_texts(event, FIELD_ENVIRONMENT, &whole, 1);
	session_report(channel->ssh->session, event);
	writer_free(&text);
	return granted;
}

/* xauth_valid_string. */
static bool is_harmless(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.at[i];

		if (!((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
		      (byte >= 'A' && byte <= 'Z') || memchr(".:/-_", byte, 5)))
			return false;
	}
	return true;
}

/* Listeners of OpenSSH are channels, and so take numbers that the client sees. */
static void take_numbers(struct ssh *ssh, unsigned count)
{
	while (count--)
		(void)ssh_channel_new(ssh, SSH_CHANNEL_LISTENER);
}

static bool take_x11(struct ssh_channel *channel, struct cursor *c)
{
	struct ssh *ssh = channel->ssh;
	struct slice protocol, cookie;
	struct event *event;

	if (channel->x11)
		return false;
	cursor_u8(c); /* a single connection */
	protocol = wire_text(c);
	cookie = wire_text(c);
	cursor_u32be(c); /* screen */
	wire_end(c);
	if (c->failed)
		return false;
	event = ssh_tunnel_event(ssh, "x11", protocol, 0);
	event_set_text(event, FIELD_REQUEST_TEXT, cookie);
	session_report(ssh->session, event);
	channel->x11 = is_harmless(protocol) && is_harmless(cookie);
	if (channel->x11)
		take_numbers(ssh, 2); /* 127.0.0.1 and ::1 */
	return channel->x11;
}

static bool take_agent(struct ssh_channel *channel, struct cursor *c)
{
	struct ssh *ssh = channel->ssh;

	wire_end(c);
	if (c->failed || ssh->connection->agent)
		return false;
	ssh->connection->agent = true;
	session_report(ssh->session, ssh_tunnel_event(ssh, "agent", (struct slice){0}, 0));
	take_numbers(ssh, 1);
	return true;
}

/* --- the program --- */

static bool take_shell(struct ssh_channel *channel, struct cursor *c)
{
	wire_end(c);
	if (c->failed)
		return false;
	report(channel, "shell", (struct slice){0});
	return ssh_program_start(channel, (struct slice){0}, NULL);
}

static bool take_exec(struct ssh_channel *channel, struct cursor *c)
{
	struct slice command = wire_text(c);

	wire_end(c);
	if (c->failed)
		return false;
	report(channel, "exec", command);
	if (!command.at)
		command.at = (const uint8_t *)"";
	return ssh_program_start(channel, command, NULL);
}

static bool take_subsystem(struct ssh_channel *channel, struct cursor *c)
{
	struct slice name = wire_text(c);

	wire_end(c);
	if (c->failed)
		return false;
	report(channel, "subsystem", name);
	if (!slice_is(name, "sftp"))
		return false;
	channel->subsystem = true;
	return ssh_program_start(channel, (struct slice){0}, SFTP_SERVER);
}

/* --- beside it --- */

static bool take_window_change(struct ssh_channel *channel, struct cursor *c)
{
	uint32_t columns = cursor_u32be(c), rows = cursor_u32be(c);

	cursor_skip(c, 8);
	wire_end(c);
	if (c->failed)
		return false;
	if (channel->terminal) {
		channel->terminal->columns = columns;
		channel->terminal->rows = rows;
		ssh_program_resize(channel);
	}
	return true;
}

static bool take_break(struct ssh_channel *channel, struct cursor *c)
{
	cursor_u32be(c);
	wire_end(c);
	return !c->failed && channel->terminal && channel->machine;
}

static bool take_signal(struct ssh_channel *channel, struct cursor *c)
{
	struct slice name = wire_text(c);

	wire_end(c);
	if (c->failed) {
		c->failed = false; /* OpenSSH only says no */
		return false;
	}
	report(channel, "signal", name);
	for (size_t i = 0; i < ARRAY_COUNT(signals); i++) {
		if (!slice_is(name, signals[i].name))
			continue;
		if (!channel->machine || channel->subsystem)
			return false;
		ssh_program_signal(channel, signals[i].number);
		return true;
	}
	return false;
}

static const struct {
	const char *name;
	bool (*take)(struct ssh_channel *channel, struct cursor *c);
	bool larval; /* only before the program runs */
} requests[] = {
	{"shell", take_shell, true},
	{"exec", take_exec, true},
	{"pty-req", take_pty, true},
	{"x11-req", take_x11, true},
	{"auth-agent-req@openssh.com", take_agent, true},
	{"subsystem", take_subsystem, true},
	{"env", take_env, true},
	{"window-change", take_window_change, false},
	{"break", take_break, false},
	{"signal", take_signal, false},
};

bool ssh_request(struct ssh_channel *channel, struct slice type, struct cursor *rest)
{
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		if (!slice_is(type, requests[i].name))
			continue;
		return (channel->larval || !requests[i].larval) && requests[i].take(channel, rest);
	}
	report(channel, "channel-request", type);
	return false;
}

void ssh_request_free(struct ssh_channel *channel)
{
	struct ssh_variable *next;

	for (struct ssh_variable *at = channel->variables; at; at = next) {
		next = at->next;
		free(at);
	}
	channel->variables = NULL;
	free(channel->terminal);
	channel->terminal = NULL;
}
