/* What follows a log-in: a terminal of the fake machine, seen through telnetd. */
#include "decoy/protocols/telnet/telnet.h"

#define ROOM_MAX   ((size_t)32 * 1024) /* output that waits for the client before the shell does */
#define FULL_PAUSE (20 * MILLISECOND)  /* until input that found no room is tried again */

static bool is_busybox(const struct telnet *telnet)
{
	return (telnet->flags & TELNET_BUSYBOX) != 0;
}

/* What telnetd does to the terminal's output: IAC is doubled; inetutils puts a NUL behind a CR that
 * no LF follows (RFC 854). */
struct filter {
	struct session *session;
	uint8_t bytes[1024];
	size_t length;
};

static void put(struct filter *filter, uint8_t byte)
{
	if (filter->length == sizeof(filter->bytes)) {
		session_write(filter->session, slice_of(filter->bytes, filter->length));
		filter->length = 0;
	}
	filter->bytes[filter->length++] = byte;
}

static void send_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct session *session = context;
	struct telnet *telnet = session_protocol_state(session);
	struct filter filter = {.session = session};

	for (size_t i = 0; i < bytes.length; i++) {
		put(&filter, bytes.at[i]);
		if (bytes.at[i] == TELNET_IAC)
			put(&filter, TELNET_IAC);
		if (bytes.at[i] == '\r' && !is_busybox(telnet) &&
		    (i + 1 == bytes.length || bytes.at[i + 1] != '\n'))
			put(&filter, 0);
	}
	session_write(session, slice_of(filter.bytes, filter.length));
}

/* The kernel threw away what the terminal had still to show, and telnetd marks the place. */
static void mark_flush(void *context)
{
	static const uint8_t mark[] = {TELNET_IAC, TELNET_DM};
	struct session *session = context;

	if (!is_busybox(session_protocol_state(session)))
		session_write(session, slice_of(mark, sizeof(mark)));
}

static void end(void *context, int status, int signal)
{
	struct session *session = context;
	struct telnet *telnet = session_protocol_state(session);

	telnet->stage = TELNET_OVER;
	session_close(session, telnet->flags & TELNET_NO_SHELL ? "nologin" : "logout");
}

/* telnetd ignores the client's variables (2.4-2+deb12u3); DISPLAY comes from the option for it. */
static size_t make_environment(const struct telnet *telnet, struct writer *display,
			       struct slice list[1])
{
	if (is_busybox(telnet) || !telnet->window || !telnet->window->display[0])
		return 0;
	writer_format(display, "DISPLAY=%s", telnet->window->display);
	list[0] = writer_slice(display);
	return 1;
}

static void start_machine(struct session *session, struct telnet *telnet, enum access_depth depth,
			  struct slice password)
{
	char room[sizeof("DISPLAY=") + sizeof(telnet->window->display)];
	struct writer display = writer_fixed(room, sizeof(room));
	struct slice environment[1];
	const struct telnet_window *window = telnet->window;
	struct machine_terminal terminal = {
		.type = window && window->type[0] ? window->type
			: is_busybox(telnet)      ? ""
						  : "network",
		.columns = window && window->columns ? window->columns : 80,
		.rows = window && window->rows ? window->rows : 24,
	};
	struct machine_start start = {
		.session = session,
		.service = "telnetd",
		.user = telnet_user(telnet),
		.password = password,
		.depth = depth,
		.evidence_left = &telnet->evidence_left,
		.environment = environment,
		.environment_count = make_environment(telnet, &display, environment),
		.no_shell = telnet->flags & TELNET_NO_SHELL,
		.terminal = &terminal,
		.context = session,
		.output = send_output,
		.flushed = mark_flush,
		.ended = end,
	};

	telnet->machine = machine_new(&start);
	telnet->stage = TELNET_SHELL;
	if (!telnet->machine) {
		session_text(session, is_busybox(telnet)
					      ? "login: can't fork: Out of memory\r\n"
					      : "login: failure forking: Resource temporarily "
						"unavailable\r\n");
		telnet->stage = TELNET_OVER;
		session_close(session, "machine");
		return;
	}
	telnet_shell_run(session, telnet);
}

void telnet_shell_open(struct session *session, struct telnet *telnet, enum access_depth depth,
		       struct slice password)
{
	const struct telnet_options *options = session_options(session);

	if (depth <= ACCESS_LOGIN || (options && !options->prompt))
		telnet->flags |= TELNET_NO_SHELL;
	start_machine(session, telnet, depth, password);
}

size_t telnet_shell_room(struct session *session, struct telnet *telnet)
{
	size_t room = machine_input_room(telnet->machine);

	if (room == 0)
		session_delay(session, FULL_PAUSE);
	return room;
}

void telnet_shell_input(struct session *session, struct telnet *telnet, struct slice bytes)
{
	(void)machine_input(telnet->machine, bytes);
	telnet_shell_run(session, telnet);
}

void telnet_shell_resize(struct session *session, struct telnet *telnet)
{
	if (!telnet->window || !telnet->window->columns || !telnet->window->rows)
		return;
	machine_resize(telnet->machine, telnet->window->columns, telnet->window->rows);
	telnet_shell_run(session, telnet);
}

void telnet_shell_run(struct session *session, struct telnet *telnet)
{
	size_t waiting = session_output_waiting(session);
	int64_t due, now;

	/* Telnetd may double every byte. */
	machine_room(telnet->machine, MACHINE_OUTPUT,
		     waiting < ROOM_MAX ? (ROOM_MAX - waiting) / 2 : 0);
	machine_run(telnet->machine);
	if (telnet->stage != TELNET_SHELL)
		return;
	if (machine_is_cut_off(telnet->machine)) {
		telnet->stage = TELNET_OVER;
		session_close(session, "killed");
		return;
	}
	due = machine_deadline(telnet->machine);
	now = session_monotonic(session);
	session_timer(session, due == INT64_MAX ? 0 : due > now ? due - now : 1);
}

void telnet_shell_close(struct telnet *telnet)
{
	machine_free(telnet->machine);
	telnet->machine = NULL;
}
