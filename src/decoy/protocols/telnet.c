/* Telnet (RFC 854, option negotiation as in RFC 1143) with the log-in dialogue of login(1).
 *
 * Two daemons are played: inetutils telnetd as Debian ships it (negotiates terminal and environment
 * before it shows a prompt) and busybox telnetd as small devices have it (prompt at once). Both were
 * compared with the real ones; see docs/protocols/telnet.md. Who gets in finds a machine whose disk
 * fails: every command is recorded and answered with an input/output error.
 */
#include "decoy/protocol.h"

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240 };
enum {
	OPTION_ECHO = 1,
	OPTION_TERMINAL = 24,
	OPTION_NAWS = 31,
	OPTION_SPEED = 32,
	OPTION_DISPLAY = 35,
	OPTION_ENVIRON_OLD = 36,
	OPTION_ENVIRON = 39,
};

#define LINE_LENGTH_MAX   256  /* what login(1) takes of a name; more is dropped */
#define SUBOPTION_MAX     1024 /* an unended suboption beyond it is passed over */
#define VARIABLES_MAX     16
#define TRIES_MAX         5    /* LOGIN_RETRIES of Debian's login.defs */
#define LOGIN_TIMEOUT     (60 * SECOND)
#define NEGOTIATION_WAIT  (3 * SECOND) /* a client that does not answer gets its prompt after this */

enum phase { NEGOTIATING, ASKING, SIZING, NAME, PASSWORD, SHELL };
enum style { STYLE_INETUTILS, STYLE_BUSYBOX };

struct telnet {
	uint8_t phase, style, tries;
	bool after_cr;
	uint8_t awaited;  /* bits of questions[] without an answer */
	uint8_t promised; /* bits of questions[] that the client will tell about */
	uint16_t length;
	uint8_t *line;   /* LINE_LENGTH_MAX bytes once something was typed */
	char *user;
	struct client *client; /* what it told about itself; NULL: nothing */
};

struct client {
	struct slice variables[VARIABLES_MAX];
	size_t count;
	bool tricky; /* a USER that login(1) would take for an option */
	char terminal[96];
};

struct options {
	bool prompt;
	const char *style;
};

static const struct directive directives[] = {
	{"prompt", DIRECTIVE_BOOLEAN, offsetof(struct options, prompt), "yes", 0, 0, NULL,
	 "After a log-in show a prompt and record what is typed; no: the account is not available",
	 false},
	{"style", DIRECTIVE_TEXT, offsetof(struct options, style), NULL, 0, 0, NULL,
	 "Which daemon: inetutils or busybox; default: the persona's telnet.style", false},
};

static const struct config_section section = {
	"services[] telnet", directives, ARRAY_COUNT(directives), "Telnet log-in."};

/* What inetutils telnetd asks of the client first, and in which order it then asks for the values. */
static const uint8_t questions[] = {OPTION_TERMINAL, OPTION_SPEED, OPTION_DISPLAY, OPTION_ENVIRON,
				    OPTION_ENVIRON_OLD};
static const uint8_t asking_order[] = {1, 2, 3, 0};

static const struct options *options_of(const struct session *session)
{
	return session_options(session);
}

static const char *host_name(const struct session *session)
{
	return persona_host_name(session_persona(session));
}

/* --- prompts --- */

static void ask_name(struct session *session, struct telnet *telnet)
{
	telnet->phase = NAME;
	telnet->length = 0;
	session_print(session, "%s login: ", host_name(session));
}

static void report_client(struct session *session, const struct client *client)
{
	struct event *event = session_event(session, "client.fingerprint");
	static const struct slice trick = {(const uint8_t *)"telnet-user-option", 18};

	if (client->count)
		event_set_texts(event, FIELD_ENVIRONMENT, client->variables, client->count);
	if (client->terminal[0])
		event_set_words(event, FIELD_TERMINAL, client->terminal);
	if (client->tricky)
		event_set_texts(event, FIELD_TAGS, &trick, 1);
	session_report(session, event);
}

static void take_byte(struct session *session, struct telnet *telnet, uint8_t byte);

static void begin_login(struct session *session, struct telnet *telnet)
{
	const struct persona *persona = session_persona(session);
	uint16_t early = telnet->length;
	uint8_t *typed = telnet->line;

	if (telnet->client)
		report_client(session, telnet->client);
	session_timer(session, LOGIN_TIMEOUT);
	if (telnet->style == STYLE_INETUTILS) {
		session_write(session, SLICE("\xff\xfe\x01\xff\xfb\x01\xff\xfd\x06\xff\xfd\x00"));
		session_print(session, "\r\nLinux %s (%s) (pts/0)\r\n\r\n",
			      persona_text(persona, "host.kernel", "6.1.0-28-amd64"),
			      host_name(session));
	} else {
		session_text(session, "\r\n");
	}
	telnet->line = NULL;
	ask_name(session, telnet);
	/* What was typed while the daemon negotiated comes now, as from a terminal's buffer. */
	for (uint16_t i = 0; i < early; i++)
		take_byte(session, telnet, typed[i]);
}

/* --- log-in --- */

static void end_after_failures(struct session *session)
{
	session_print(session, "Maximum number of tries exceeded (%d)\r\n", TRIES_MAX);
	session_close(session, "tries");
}

static void welcome(struct session *session, struct telnet *telnet, enum access_depth depth)
{
	const struct persona *persona = session_persona(session);

	telnet->phase = SHELL;
	session_timer(session, 0);
	if (depth == ACCESS_LOGIN || !options_of(session)->prompt) {
		session_text(session, "\r\nThis account is currently not available.\r\n");
		session_close(session, "no shell");
		return;
	}
	session_print(session, "Linux %s %s #1 SMP PREEMPT_DYNAMIC x86_64\r\n\r\n%s@%s:~%c ",
		      host_name(session), persona_text(persona, "host.kernel", "6.1.0-28-amd64"),
		      telnet->user, host_name(session), strcmp(telnet->user, "root") ? '$' : '#');
}

static void try_login(struct session *session, struct telnet *telnet, struct slice password)
{
	struct session_login login = {.method = "password", .user = slice_text(telnet->user),
				      .password = password};
	struct access_decision decision = session_login(session, &login);

	session_text(session, "\r\n");
	if (decision.allowed) {
		welcome(session, telnet, decision.depth);
		return;
	}
	/* pam_unix waits about two seconds, give or take a quarter. */
	session_delay(session, 1500 * MILLISECOND +
				       (int64_t)session_random_number(session, (uint64_t)SECOND));
	session_text(session, "\r\nLogin incorrect\r\n");
	if (++telnet->tries >= TRIES_MAX)
		end_after_failures(session);
	else
		ask_name(session, telnet);
}

/* --- the machine whose disk fails --- */

static void answer_command(struct session *session, struct telnet *telnet, struct slice line)
{
	struct slice word = slice_trim(line), rest = word;
	struct event *event;

	if (word.length) {
		event = session_event(session, "command.input");
		event_set_text(event, FIELD_COMMAND, word);
		event_set_words(event, FIELD_USER_NAME, telnet->user);
		session_report(session, event);
	}
	(void)slice_next(&rest, ' ', &word);
	if (slice_is(word, "exit") || slice_is(word, "logout")) {
		session_text(session, "logout\r\n");
		session_close(session, "log-out");
		return;
	}
	if (slice_is(word, "echo")) {
		session_write(session, rest);
		session_text(session, "\r\n");
	} else if (word.length && !slice_is(word, "cd") && !slice_is(word, "export")) {
		session_text(session, "-bash: ");
		session_write(session, word);
		session_text(session, ": Input/output error\r\n");
	}
	session_print(session, "%s@%s:~%c ", telnet->user, host_name(session),
		      strcmp(telnet->user, "root") ? '$' : '#');
}

static void take_line(struct session *session, struct telnet *telnet)
{
	struct slice line = slice_of(telnet->line, telnet->length);

	telnet->length = 0;
	switch (telnet->phase) {
	case NAME:
		session_text(session, "\r\n");
		if (line.length == 0) {
			ask_name(session, telnet);
			break;
		}
		telnet->user = arena_text(session_arena(session), line);
		telnet->phase = PASSWORD;
		session_text(session, "Password: ");
		break;
	case PASSWORD:
		if (telnet->user)
			try_login(session, telnet, line);
		break;
	default:
		session_text(session, "\r\n");
		if (telnet->user)
			answer_command(session, telnet, line);
	}
}

/* --- typing --- */

static bool echoes(const struct telnet *telnet)
{
	return telnet->phase == NAME || telnet->phase == SHELL;
}

static void keep_byte(struct session *session, struct telnet *telnet, uint8_t byte)
{
	if (!telnet->line)
		telnet->line = arena_take(session_arena(session), LINE_LENGTH_MAX);
	if (!telnet->line || telnet->length == LINE_LENGTH_MAX)
		return;
	telnet->line[telnet->length++] = byte;
	if (echoes(telnet))
		session_write(session, slice_of(&byte, 1));
}

static void erase(struct session *session, struct telnet *telnet, unsigned count)
{
	while (count-- && telnet->length) {
		telnet->length--;
		if (echoes(telnet))
			session_text(session, "\b \b");
	}
}

static void take_byte(struct session *session, struct telnet *telnet, uint8_t byte)
{
	bool second = telnet->after_cr && (byte == '\n' || byte == 0);

	telnet->after_cr = byte == '\r';
	if (second)
		return;
	switch (byte) {
	case '\r':
	case '\n':
		take_line(session, telnet);
		break;
	case 0x7f:
	case '\b':
		erase(session, telnet, 1);
		break;
	case 0x15: /* ^U */
		erase(session, telnet, LINE_LENGTH_MAX);
		break;
	case 0x03: /* ^C */
	case 0x04: /* ^D on an empty line */
		if (byte == 0x03 || telnet->length == 0)
			session_close(session, "interrupted");
		break;
	case 0:
		break;
	default:
		keep_byte(session, telnet, byte);
	}
}

/* --- options --- */

static struct client *client_of(struct session *session, struct telnet *telnet)
{
	if (!telnet->client)
		telnet->client = arena_take(session_arena(session), sizeof(*telnet->client));
	return telnet->client;
}

/* Appends "name=value" to what is known of the terminal. */
static void note_terminal(struct client *client, const char *name, struct slice value)
{
	size_t used = strlen(client->terminal);
	struct writer text = writer_fixed(client->terminal + used, sizeof(client->terminal) - used - 1);
	uint8_t room[48];
	struct writer printable = writer_fixed(room, sizeof(room));

	writer_printable(&printable, slice_first(value, 10));
	writer_format(&text, "%s%s=%.*s", used ? " " : "", name, (int)printable.length,
		      (const char *)printable.at);
	client->terminal[used + (text.failed ? 0 : text.length)] = 0;
}

/* NEW-ENVIRON (RFC 1572) IS: VAR or USERVAR, a name, VALUE, a value; ESC before what would be one of
 * these codes. */
static void note_environment(struct session *session, struct client *client, struct slice bytes)
{
	uint8_t room[SUBOPTION_MAX];
	size_t start = 0;

	while (start < bytes.length && client->count < VARIABLES_MAX) {
		struct writer text = writer_fixed(room, sizeof(room));
		size_t at = start + 1;

		for (; at < bytes.length && bytes.at[at] != 0 && bytes.at[at] != 3; at++) {
			if (bytes.at[at] == 2 && at + 1 < bytes.length)
				writer_u8(&text, bytes.at[++at]);
			else
				writer_u8(&text, bytes.at[at] == 1 ? '=' : bytes.at[at]);
		}
		start = at;
		if (text.length == 0)
			continue;
		client->tricky |= slice_starts(writer_slice(&text), "USER=-");
		client->variables[client->count] =
			arena_copy(session_arena(session), writer_slice(&text));
		client->count += client->variables[client->count].at != NULL;
	}
}

static void take_suboption(struct session *session, struct telnet *telnet, struct slice bytes)
{
	struct client *client = client_of(session, telnet);
	uint8_t option = bytes.length ? bytes.at[0] : 0;

	for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
		if (questions[i] == option)
			telnet->promised &= (uint8_t)~(1 << i);
	}
	if (!client || bytes.length < 2)
		return;
	if (option == OPTION_NAWS && bytes.length == 5) {
		char size[16];
		struct writer text = writer_fixed(size, sizeof(size));

		writer_format(&text, "%dx%d", bytes.at[1] << 8 | bytes.at[2],
			      bytes.at[3] << 8 | bytes.at[4]);
		note_terminal(client, "size", writer_slice(&text));
	}
	if (bytes.at[1] != 0) /* IS */
		return;
	if (option == OPTION_TERMINAL)
		note_terminal(client, "type", slice_from(bytes, 2));
	else if (option == OPTION_SPEED)
		note_terminal(client, "speed", slice_from(bytes, 2));
	else if (option == OPTION_ENVIRON || option == OPTION_ENVIRON_OLD)
		note_environment(session, client, slice_from(bytes, 2));
}

/* The daemon goes on once it has heard what it asked for. */
static void go_on(struct session *session, struct telnet *telnet)
{
	if (telnet->phase == NEGOTIATING && telnet->awaited == 0) {
		for (size_t i = 0; i < sizeof(asking_order); i++) {
			uint8_t ask[] = {IAC, SB, questions[asking_order[i]], 1, IAC, SE};

			if (telnet->promised >> asking_order[i] & 1)
				session_write(session, slice_of(ask, sizeof(ask)));
		}
		telnet->phase = ASKING;
	}
	if (telnet->phase == ASKING && (telnet->promised & 0x0f) == 0) {
		session_write(session, SLICE("\xff\xfb\x03\xff\xfd\x01\xff\xfd\x22\xff\xfd\x1f"
					     "\xff\xfb\x05\xff\xfd\x21"));
		telnet->phase = SIZING;
	}
}

/* An answer to a question, or a wish of the client's; wishes are refused, once for each. */
static void take_option(struct session *session, struct telnet *telnet, uint8_t verb, uint8_t option)
{
	static const uint8_t offered[] = {1, 3, 5, 6, 0, 33, 34, 37, 38, OPTION_NAWS};

	for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
		if (questions[i] == option && (verb == WILL || verb == WONT)) {
			if (verb == WILL && telnet->awaited >> i & 1)
				telnet->promised |= (uint8_t)(1 << i);
			telnet->awaited &= (uint8_t)~(1 << i);
			go_on(session, telnet);
			return;
		}
	}
	if (telnet->phase == SIZING && option == OPTION_ECHO && (verb == WILL || verb == WONT)) {
		begin_login(session, telnet);
		return;
	}
	if (memchr(offered, option, sizeof(offered)))
		return;
	if (verb == DO || verb == WILL) {
		uint8_t refusal[] = {IAC, verb == DO ? WONT : DONT, option};

		session_write(session, slice_of(refusal, sizeof(refusal)));
	}
}

/* Bytes that a telnet command takes up, 0 while it is not whole. */
static size_t take_command(struct session *session, struct telnet *telnet, struct slice bytes)
{
	size_t end;

	if (bytes.length < 2)
		return 0;
	if (bytes.at[1] >= WILL && bytes.at[1] <= DONT) {
		if (bytes.length < 3)
			return 0;
		take_option(session, telnet, bytes.at[1], bytes.at[2]);
		return 3;
	}
	if (bytes.at[1] != SB)
		return 2;
	end = slice_find(bytes, SLICE("\xff\xf0"));
	if (end == SIZE_MAX)
		return bytes.length > SUBOPTION_MAX ? bytes.length : 0;
	if (end <= SUBOPTION_MAX)
		take_suboption(session, telnet, slice_first(slice_from(bytes, 2), end - 2));
	go_on(session, telnet);
	return end + 2;
}

/* --- the protocol --- */

static void telnet_opened(struct session *session, void *state)
{
	struct telnet *telnet = state;
	const char *style = options_of(session) ? options_of(session)->style : NULL;

	if (!style)
		style = persona_text(session_persona(session), "telnet.style", "inetutils");
	if (strcmp(style, "busybox") == 0) {
		telnet->style = STYLE_BUSYBOX;
		session_write(session, SLICE("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03"));
		begin_login(session, telnet);
		return;
	}
	telnet->awaited = (1 << ARRAY_COUNT(questions)) - 1;
	session_write(session, SLICE("\xff\xfb\x25\xff\xfb\x26\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23"
				     "\xff\xfd\x27\xff\xfd\x24"));
	session_timer(session, NEGOTIATION_WAIT);
}

static size_t telnet_input(struct session *session, void *state, struct slice bytes)
{
	struct telnet *telnet = state;

	if (bytes.at[0] == IAC) {
		if (bytes.length >= 2 && bytes.at[1] == IAC) {
			keep_byte(session, telnet, IAC);
			return 2;
		}
		return take_command(session, telnet, bytes);
	}
	if (telnet->phase < NAME)
		keep_byte(session, telnet, bytes.at[0]);
	else
		take_byte(session, telnet, bytes.at[0]);
	return 1;
}

static void telnet_timer(struct session *session, void *state)
{
	struct telnet *telnet = state;

	if (telnet->phase < NAME) {
		begin_login(session, telnet);
		return;
	}
	session_text(session, "\r\nLogin timed out after 60 seconds.\r\n");
	session_close(session, "log-in timed out");
}

static int telnet_recognise(struct slice first)
{
	return first.length >= 3 && first.at[0] == IAC && first.at[1] >= SB ? 90 : 0;
}

const struct protocol protocol_telnet = {
	.name = "telnet",
	.title = "Telnet log-in",
	.ports = {{TCP, 23, false}, {TCP, 2323, false}},
	.speaks_first = SERVER,
	.state_size = sizeof(struct telnet),
	.options = &section,
	.options_size = sizeof(struct options),
	.recognise = telnet_recognise,
	.opened = telnet_opened,
	.input = telnet_input,
	.timer = telnet_timer,
};
