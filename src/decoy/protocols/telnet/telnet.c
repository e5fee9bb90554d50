/* Telnet: the log-in dialogue of a Debian server (inetutils telnetd and shadow's login) or of a
 * small device (BusyBox telnetd and login), byte for byte as they hold it.
 *
 * A line stays in the session's input until its end has come, so a session that waits for a name
 * holds no buffer; `looked` remembers how far the echo is.
 */
#include "decoy/protocols/telnet/telnet.h"

/* A client that does not negotiate gets its prompt after this. The real telnetd waits for ever; a
 * scanner's probe is over by then and sees the same silence. */
#define NEGOTIATION_PATIENCE (10 * SECOND)
#define INETUTILS_TRIES      5 /* LOGIN_RETRIES of login.defs */
#define BUSYBOX_TRIES        3
#define FAIL_DELAY           (3 * SECOND) /* of pam_faildelay, which varies it by a quarter; BusyBox's */
#define SHELL_IDLE           (15 * MINUTE)
#define END_OF_FILE          0x04 /* ^D */
#define INTERRUPT            0x03 /* ^C */
#define QUIT                 0x1c /* ^\ */
#define SUSPEND              0x1a /* ^Z */
#define ERASE                0x7f
#define KILL                 0x15 /* ^U */

static const struct telnet_options plain_options = {
	.prompt = true, .timeout = MINUTE, .evidence = (int64_t)64 * 1024 * 1024};

static const struct telnet_options *options_of(const struct session *session)
{
	const struct telnet_options *options = session_options(session);

	return options ? options : &plain_options;
}

static bool is_busybox(const struct telnet *telnet)
{
	return (telnet->flags & TELNET_BUSYBOX) != 0;
}

struct slice telnet_user(const struct telnet *telnet)
{
	return telnet->long_name.at ? telnet->long_name
				    : slice_of(telnet->name, telnet->name_length);
}

static void keep_user(struct session *session, struct telnet *telnet, struct slice user)
{
	telnet->long_name = (struct slice){0};
	telnet->name_length = 0;
	if (user.length > TELNET_NAME_MAX) {
		telnet->long_name = arena_copy(session_arena(session), user);
	} else if (user.length) {
		memcpy(telnet->name, user.at, user.length);
		telnet->name_length = (uint8_t)user.length;
	}
}

/* --- the dialogue --- */

static void ask_user(struct session *session, struct telnet *telnet)
{
	telnet->stage = TELNET_USER;
	session_print(session, "%s login: ", persona_host_name(session_persona(session)));
}

static void begin_login(struct session *session, struct telnet *telnet)
{
	const struct persona *persona = session_persona(session);
	const char *issue;

	if (is_busybox(telnet)) {
		issue = persona_text(persona, "telnet.issue", NULL);
		if (issue)
			session_print(session, "\r\r\n%s\r\n\r", issue);
		else
			session_text(session, "\r\n");
	} else {
		telnet_settle(session, telnet);
		issue = persona_text(persona, "host.issue", NULL);
		if (issue)
			session_print(session, "\r\n%s\r\n\r\n", issue);
		else
			session_print(session, "\r\nLinux 6.1.0-28-amd64 (%s) (pts/0)\r\n\r\n",
				      persona_host_name(persona));
		telnet_client_report(session, telnet);
	}
	ask_user(session, telnet);
	session_timer(session, options_of(session)->timeout);
}

static void refuse(struct session *session, struct telnet *telnet)
{
	const struct telnet_options *options = options_of(session);
	unsigned limit = options->tries       ? (unsigned)options->tries
			 : is_busybox(telnet) ? BUSYBOX_TRIES
					      : INETUTILS_TRIES;
	int64_t quarter = is_busybox(telnet) ? 0 : FAIL_DELAY / 4;

	session_delay(session,
		      FAIL_DELAY - quarter +
			      (int64_t)session_random_number(session, (uint64_t)(2 * quarter + 1)));
	session_text(session,
		     is_busybox(telnet) ? "Login incorrect\r\n" : "\r\nLogin incorrect\r\n");
	if (++telnet->tries < limit) {
		ask_user(session, telnet);
		return;
	}
	if (!is_busybox(telnet))
		session_print(session, "Maximum number of tries exceeded (%u)\r\n", limit);
	telnet->stage = TELNET_OVER;
	session_close(session, "tries");
}

static void try_login(struct session *session, struct telnet *telnet, struct slice password)
{
	struct session_login login = {
		.method = "password", .user = telnet_user(telnet), .password = password};
	struct access_decision decision = session_login(session, &login);

	if (!decision.allowed || decision.depth == ACCESS_NONE) {
		refuse(session, telnet);
		return;
	}
	session_timer(session, 0);
	session_idle(session, SHELL_IDLE);
	telnet->evidence_left = (uint64_t)options_of(session)->evidence;
	if (decision.depth == ACCESS_ROOT || slice_is(login.user, "root"))
		telnet->flags |= TELNET_ROOT;
	telnet_shell_open(session, telnet, decision.depth, password);
}

static void take_line(struct session *session, struct telnet *telnet, struct slice line,
		      bool end_of_file)
{
	switch (telnet->stage) {
	case TELNET_USER:
		keep_user(session, telnet, line);
		if (end_of_file && line.length == 0) {
			try_login(session, telnet, (struct slice){0});
			break;
		}
		telnet->stage = TELNET_PASSWORD;
		session_text(session, "Password: ");
		break;
	case TELNET_PASSWORD:
		try_login(session, telnet, line);
		break;
	default:
		break;
	}
}

/* --- bytes --- */

static bool echoes(const struct telnet *telnet)
{
	return telnet->stage != TELNET_PASSWORD && telnet_echoes(telnet);
}

/* ^C and ^\: login(1) dies of them, and telnetd with it. */
static void interrupt(struct session *session, struct telnet *telnet, uint8_t byte)
{
	const uint8_t mark[] = {TELNET_IAC, TELNET_DM, '^', (uint8_t)(byte ^ 0x40)};

	if (echoes(telnet))
		session_write(session, slice_of(mark, sizeof(mark)));
	telnet->typed = 0;
	telnet->overflow = (struct slice){0};
	telnet->stage = TELNET_OVER;
	session_close(session, "interrupt");
}

static void end_line(struct session *session, struct telnet *telnet, struct slice input,
		     bool end_of_file)
{
	uint8_t room[TELNET_LINE_MAX];
	struct slice line = slice_of(room, telnet_line(input, room));

	telnet_client_report(session, telnet);
	if (telnet->overflow.at) {
		line = telnet->overflow;
		session_text(session, "\r\n"); /* as the terminal driver does after a full buffer */
	}
	telnet->typed = 0;
	session_text(session, "\r\n");
	take_line(session, telnet, line, end_of_file);
	if (telnet->overflow.at && !telnet->long_name.at && !telnet->client)
		arena_drop(session_arena(session)); /* only the line lay there */
	telnet->overflow = (struct slice){0};
}

static void edit(struct session *session, struct telnet *telnet, struct slice input, uint8_t byte)
{
	uint8_t room[TELNET_LINE_MAX];
	struct slice line = slice_of(room, telnet_line(input, room));

	if (echoes(telnet) && !telnet->overflow.at)
		telnet_echo_edit(session, line, byte);
	telnet->typed++; /* the byte itself stays in the input, to be replayed at the line's end */
}

/* One character; `input` is the line before it. True when a line ended. */
static bool take_data(struct session *session, struct telnet *telnet, struct slice input,
		      uint8_t byte)
{
	bool after_cr = (telnet->flags & TELNET_AFTER_CR) != 0;

	telnet->flags &= (uint8_t)~TELNET_AFTER_CR;
	if (after_cr && (byte == '\n' || byte == 0))
		return false;
	if (byte == '\r' || byte == '\n' || byte == END_OF_FILE) {
		if (byte == '\r')
			telnet->flags |= TELNET_AFTER_CR;
		end_line(session, telnet, input, byte == END_OF_FILE);
		return true;
	}
	if (byte == INTERRUPT || byte == QUIT) {
		interrupt(session, telnet, byte);
		return true;
	}
	if (telnet_edits(byte)) {
		edit(session, telnet, input, byte);
		return false;
	}
	if (echoes(telnet))
		telnet_echo(session, byte);
	if (!telnet->overflow.at)
		telnet->typed++;
	return false;
}

static bool take_command(struct session *session, struct telnet *telnet, struct slice input,
			 uint8_t command)
{
	switch (command) {
	case TELNET_AYT:
		if (telnet->yes_count++ < TELNET_YES_MAX)
			session_text(session, "\r\n[Yes]\r\n");
		else
			telnet->yes_count = TELNET_YES_MAX;
		return false;
	case TELNET_IP:
		if (telnet->stage < TELNET_USER)
			return false;
		interrupt(session, telnet, INTERRUPT);
		return true;
	case TELNET_EC:
		edit(session, telnet, input, ERASE);
		return false;
	case TELNET_EL:
		edit(session, telnet, input, KILL);
		return false;
	default:
		return false;
	}
}

static void take_option(struct session *session, struct telnet *telnet,
			const struct telnet_token *token)
{
	if (token->kind == TOKEN_SUBNEGOTIATION)
		telnet_subnegotiate(session, telnet, token->option, token->body);
	else
		telnet_negotiate(session, telnet, token->byte, token->option);
	if (telnet->stage < TELNET_USER && telnet_advance(session, telnet))
		begin_login(session, telnet);
}

/* A line that passes what the terminal driver keeps: its beginning waits in the arena, the rest is
 * echoed and dropped. */
static void overflow(struct session *session, struct telnet *telnet, struct slice input)
{
	uint8_t room[TELNET_LINE_MAX];

	if (!telnet->overflow.at)
		telnet->overflow = arena_copy(session_arena(session),
					      slice_of(room, telnet_line(input, room)));
	telnet->typed = 0;
}

/* What comes before the negotiation is over waits, as in telnetd. A name and a password from a
 * client that will not negotiate at all are taken at once, since it may not stay: two lines, the
 * first a word (which a scanner's probes do not have). */
static bool is_blind_login(struct slice waiting)
{
	struct slice name;

	if (!slice_next(&waiting, '\n', &name))
		return false;
	name = slice_trim(name);
	if (name.length == 0 || slice_find_byte(waiting, '\n') == SIZE_MAX ||
	    waiting.at[0] == '\r' || waiting.at[0] == '\n')
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] <= ' ' || name.at[i] >= 0x7f)
			return false;
	}
	return true;
}

/* What telnetd types on the terminal for a command; 0: nothing. */
static uint8_t key_of_command(uint8_t command)
{
	switch (command) {
	case TELNET_IP:
		return INTERRUPT;
	case TELNET_ABORT:
	case TELNET_BREAK:
		return QUIT;
	case TELNET_SUSP:
		return SUSPEND;
	case TELNET_EOF:
		return END_OF_FILE;
	case TELNET_EC:
		return ERASE;
	case TELNET_EL:
		return KILL;
	default:
		return 0;
	}
}

/* Behind a log-in telnetd only passes on: bytes one way, options its own. */
static size_t pass_on(struct session *session, struct telnet *telnet, struct slice bytes)
{
	uint8_t plain[512];
	size_t used = 0, length = 0, room = telnet_shell_room(session, telnet);

	if (room > sizeof(plain))
		room = sizeof(plain);
	while (used < bytes.length && length < room) {
		struct telnet_token token = telnet_token(slice_from(bytes, used));
		bool after_cr = (telnet->flags & TELNET_AFTER_CR) != 0;

		if (token.kind == TOKEN_PART)
			break;
		/* What came before an option or a command goes first. */
		if (token.kind != TOKEN_DATA && length)
			break;
		used += token.length;
		if (token.kind == TOKEN_COMMAND && token.byte == TELNET_AYT) {
			take_command(session, telnet, slice_of(NULL, 0), token.byte);
			continue;
		}
		if (token.kind == TOKEN_NEGOTIATION || token.kind == TOKEN_SUBNEGOTIATION) {
			take_option(session, telnet, &token);
			telnet_client_report(session, telnet);
			telnet_shell_resize(session, telnet);
			continue;
		}
		if (token.kind == TOKEN_COMMAND)
			token.byte = key_of_command(token.byte);
		telnet->flags &= (uint8_t)~TELNET_AFTER_CR;
		if ((after_cr && (token.byte == '\n' || token.byte == 0)) ||
		    (token.kind == TOKEN_COMMAND && token.byte == 0))
			continue;
		if (token.byte == '\r')
			telnet->flags |= TELNET_AFTER_CR;
		plain[length++] = token.byte;
	}
	if (length)
		telnet_shell_input(session, telnet, slice_of(plain, length));
	return used;
}

static size_t telnet_input(struct session *session, void *state, struct slice bytes)
{
	struct telnet *telnet = state;
	size_t start = 0, at = telnet->looked; /* of the line that is typed; of what is new */
	bool ended = false;

	if (telnet->stage == TELNET_SHELL)
		return pass_on(session, telnet, bytes);
	/* After a line's end an answer may be held back, and what follows with it. */
	while (at < bytes.length && !ended && telnet->stage != TELNET_OVER) {
		struct slice before = slice_from(slice_first(bytes, at), start);
		struct telnet_token token = telnet_token(slice_from(bytes, at));

		if (token.kind == TOKEN_PART)
			break;
		if (token.kind == TOKEN_DATA && telnet->stage < TELNET_USER) {
			if (!is_blind_login(slice_from(bytes, at)))
				break;
			begin_login(session, telnet);
		}
		at += token.length;
		if (token.kind == TOKEN_DATA)
			ended = take_data(session, telnet, before, token.byte);
		else if (token.kind == TOKEN_COMMAND)
			ended = take_command(session, telnet, before, token.byte);
		else
			take_option(session, telnet, &token);
		if (telnet->typed >= TELNET_LINE_MAX)
			overflow(session, telnet, slice_from(slice_first(bytes, at), start));
		if (telnet->typed == 0)
			start = at; /* no line needs what came before */
	}
	telnet->looked = (uint16_t)(at - start);
	return start;
}

/* --- the session --- */

static bool wants_busybox(const struct session *session)
{
	int style = options_of(session)->style;

	if (style == TELNET_STYLE_PERSONA)
		return strcmp(persona_text(session_persona(session), "telnet.style", "inetutils"),
			      "busybox") == 0;
	return style == TELNET_STYLE_BUSYBOX;
}

static void telnet_opened(struct session *session, void *state)
{
	struct telnet *telnet = state;

	if (wants_busybox(session))
		telnet->flags |= TELNET_BUSYBOX;
	telnet_greet(session, telnet);
	if (is_busybox(telnet))
		begin_login(session, telnet);
	else
		session_timer(session, NEGOTIATION_PATIENCE);
}

static void telnet_timer(struct session *session, void *state)
{
	struct telnet *telnet = state;
	int64_t seconds = options_of(session)->timeout / SECOND;

	if (telnet->stage == TELNET_SHELL) {
		telnet_shell_run(session, telnet);
		return;
	}
	if (telnet->stage < TELNET_USER) {
		begin_login(session, telnet);
		session_delay(session, MILLISECOND); /* what waits is offered again after it */
		return;
	}
	session_print(session,
		      is_busybox(telnet) ? "\r\nLogin timed out after %lld seconds\r\n"
					 : "\r\nLogin timed out after %lld seconds.\r\n",
		      (long long)seconds);
	session_close(session, "timeout");
}

static void telnet_drained(struct session *session, void *state)
{
	struct telnet *telnet = state;

	if (telnet->stage == TELNET_SHELL)
		telnet_shell_run(session, telnet);
}

static void telnet_closed(struct session *session, void *state)
{
	struct telnet *telnet = state;

	telnet_shell_close(telnet);
	telnet_client_report(session, telnet);
	if (telnet->stage == TELNET_PASSWORD) {
		struct event *event = session_event(session, "protocol.request");

		event_set_words(event, FIELD_REQUEST_VERB, "login");
		event_set_text(event, FIELD_USER_NAME, telnet_user(telnet));
		session_report(session, event);
	}
}

static int telnet_recognise(struct slice first)
{
	return first.length >= 3 && first.at[0] == TELNET_IAC && first.at[1] >= TELNET_WILL &&
			       first.at[1] <= TELNET_DONT
		       ? 90
		       : 0;
}

static const char *const styles[] = {"persona", "inetutils", "busybox", NULL};

static const struct directive directives[] = {
	{.name = "style",
	 .type = DIRECTIVE_CHOICE,
	 .offset = offsetof(struct telnet_options, style),
	 .standard = "persona",
	 .choices = styles,
	 .help = "Whose telnetd and login are played: the persona's telnet.style, or one of "
		 "these."},
	{.name = "prompt",
	 .type = DIRECTIVE_BOOLEAN,
	 .offset = offsetof(struct telnet_options, prompt),
	 .standard = "yes",
	 .help = "After a log-in show a prompt and record what is typed; no: the account is not "
		 "available."},
	{.name = "tries",
	 .type = DIRECTIVE_NUMBER,
	 .offset = offsetof(struct telnet_options, tries),
	 .standard = "0",
	 .minimum = 0,
	 .maximum = 100,
	 .help = "Failed log-ins until the connection ends; 0: as the style has it (5; BusyBox "
		 "3)."},
	{.name = "timeout",
	 .type = DIRECTIVE_DURATION,
	 .offset = offsetof(struct telnet_options, timeout),
	 .standard = "60s",
	 .minimum = SECOND,
	 .maximum = HOUR,
	 .help = "Time to log in."},
	{.name = "evidence-bytes",
	 .type = DIRECTIVE_SIZE,
	 .offset = offsetof(struct telnet_options, evidence),
	 .standard = "64M",
	 .minimum = 4096,
	 .maximum = (int64_t)1 << 40,
	 .help = "Bytes of files that one log-in may leave as evidence, each with its name and "
		 "4 KiB; those beyond are told with their hashes and not kept."},
};

static const struct config_section section = {
	.path = "services[] (telnet)",
	.directives = directives,
	.count = ARRAY_COUNT(directives),
	.help = "The Telnet server.",
};

const struct protocol protocol_telnet = {
	.name = "telnet",
	.title = "Telnet",
	.ports = {{TCP, 23, false}, {TCP, 2323, false}},
	.speaks_first = SERVER,
	.gives_shells = true,
	.state_size = sizeof(struct telnet),
	.input_max = TELNET_INPUT_MAX,
	.options = &section,
	.options_size = sizeof(struct telnet_options),
	.recognise = telnet_recognise,
	.opened = telnet_opened,
	.input = telnet_input,
	.timer = telnet_timer,
	.drained = telnet_drained,
	.closed = telnet_closed,
};
