/* What the client tells of itself: terminal (RFC 1091), speed (RFC 1079), display (RFC 1096),
 * window (RFC 1073) and environment (RFC 1572, RFC 1408), as one client.fingerprint event. */
#include "decoy/protocols/telnet/telnet.h"

#define VARIABLES_MAX 24
#define VALUE_MAX     1024 /* of one answer; longer ones are cut */
#define IS            0
#define INFO          2

struct telnet_client {
	struct slice terminal, speed, display;
	uint16_t columns, rows;
	uint8_t variable_count, tag_count;
	struct slice variables[VARIABLES_MAX]; /* NAME=value */
	struct slice tags[3];
};

/* The body with doubled IAC made single. */
static struct slice plain_body(struct slice body, uint8_t room[VALUE_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < body.length && length < VALUE_MAX; i++) {
		if (body.at[i] == TELNET_IAC && i + 1 < body.length)
			i++;
		room[length++] = body.at[i];
	}
	return slice_of(room, length);
}

/* Keeps a text that is not there yet: a flood of them must not eat the session's memory. */
static void keep(struct session *session, struct slice *at, struct slice value)
{
	if (!at->at && value.length)
		*at = arena_copy(session_arena(session), value);
}

static void add_tag(struct telnet_client *client, struct slice tag)
{
	for (size_t i = 0; i < client->tag_count; i++) {
		if (slice_equal(client->tags[i], tag))
			return;
	}
	if (client->tag_count < ARRAY_COUNT(client->tags))
		client->tags[client->tag_count++] = tag;
}

/* USER=-f root makes an unpatched telnetd call "login -f root": in without a password
 * (CVE-2026-24061); LD_PRELOAD and its like made others load a library (CVE-1999-0073). */
static void judge_variable(struct telnet_client *client, struct slice name, struct slice value)
{
	if (slice_is(name, "USER") && slice_starts(value, "-")) {
		add_tag(client, SLICE("telnet-user-option"));
		add_tag(client, SLICE("cve-2026-24061"));
	}
	if (slice_starts(name, "LD_") || slice_starts(name, "_RLD"))
		add_tag(client, SLICE("environment-injection"));
}

static void add_variable(struct session *session, struct telnet_client *client, struct slice name,
			 struct slice value)
{
	uint8_t room[VALUE_MAX + 1];
	struct writer text = writer_fixed(room, sizeof(room));

	if (name.length == 0 || client->variable_count == VARIABLES_MAX)
		return;
	judge_variable(client, name, value);
	writer_bytes(&text, name);
	writer_u8(&text, '=');
	writer_bytes(&text, value);
	client->variables[client->variable_count] =
		arena_copy(session_arena(session), writer_slice(&text));
	if (client->variables[client->variable_count].at)
		client->variable_count++;
}

/* VAR and USERVAR (0 and 3) start a name, VALUE (1) its value, ESC (2) quotes the next byte. */
static void learn_environment(struct session *session, struct telnet_client *client,
			      struct slice body)
{
	uint8_t room[VALUE_MAX];
	size_t length = 0, name_length = 0;
	bool in_value = false;

	for (size_t i = 0; i <= body.length; i++) {
		bool ends = i == body.length || body.at[i] == 0 || body.at[i] == 3;

		if (ends) {
			if (!in_value)
				name_length = length;
			add_variable(session, client, slice_of(room, name_length),
				     slice_of(room + name_length, length - name_length));
			length = name_length = 0;
			in_value = false;
		} else if (body.at[i] == 1 && !in_value) {
			in_value = true;
			name_length = length;
		} else {
			if (body.at[i] == 2 && i + 1 < body.length)
				i++;
			if (length < sizeof(room))
				room[length++] = body.at[i];
		}
	}
}

static void learn_size(struct telnet_client *client, struct slice body)
{
	struct cursor c = cursor_of(body);
	uint16_t columns = cursor_u16be(&c), rows = cursor_u16be(&c);

	if (c.failed)
		return;
	client->columns = columns;
	client->rows = rows;
}

void telnet_client_learn(struct session *session, struct telnet *telnet, uint8_t option,
			 struct slice body)
{
	struct telnet_client *client = telnet->client;
	uint8_t room[VALUE_MAX];
	struct slice plain = plain_body(body, room), value = slice_from(plain, 1);

	if (option != TELNET_TTYPE && option != TELNET_TSPEED && option != TELNET_XDISPLOC &&
	    option != TELNET_NAWS && option != TELNET_NEW_ENVIRON && option != TELNET_OLD_ENVIRON)
		return;
	if (!client)
		client = telnet->client = arena_take(session_arena(session), sizeof(*client));
	if (!client)
		return;
	if (option == TELNET_NAWS)
		learn_size(client, plain);
	else if (plain.length == 0 || (plain.at[0] != IS && plain.at[0] != INFO))
		return;
	else if (option == TELNET_TTYPE)
		keep(session, &client->terminal, value);
	else if (option == TELNET_TSPEED)
		keep(session, &client->speed, value);
	else if (option == TELNET_XDISPLOC)
		keep(session, &client->display, value);
	else
		learn_environment(session, client, value);
}

static void add_word(struct writer *text, const char *name, struct slice value)
{
	if (!value.length)
		return;
	if (text->length)
		writer_u8(text, ' ');
	writer_text(text, name);
	writer_bytes(text, value);
}

/* The newest of each; telnetd makes the terminal's name small. */
static void remember_window(struct telnet_window *window, const struct telnet_client *client)
{
	size_t length = 0;

	if (client->columns || client->rows) {
		window->columns = client->columns;
		window->rows = client->rows;
	}
	for (; length < client->terminal.length && length + 1 < sizeof(window->type); length++) {
		uint8_t byte = client->terminal.at[length];

		window->type[length] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
	}
	if (length)
		window->type[length] = '\0';
	if (client->display.length && client->display.length < sizeof(window->display)) {
		memcpy(window->display, client->display.at, client->display.length);
		window->display[client->display.length] = '\0';
	}
}

void telnet_client_report(struct session *session, struct telnet *telnet)
{
	struct telnet_client *client = telnet->client;
	struct telnet_window window = telnet->window ? *telnet->window : (struct telnet_window){0};
	struct writer terminal = writer_growing(4 * VALUE_MAX);
	struct event *event;

	if (!client)
		return;
	event = session_event(session, "client.fingerprint");
	add_word(&terminal, "", client->terminal);
	if (client->columns || client->rows)
		writer_format(&terminal, "%s%ux%u", terminal.length ? " " : "", client->columns,
			      client->rows);
	add_word(&terminal, "speed=", client->speed);
	add_word(&terminal, "display=", client->display);
	if (terminal.length)
		event_set_text(event, FIELD_TERMINAL, writer_slice(&terminal));
	if (client->variable_count)
		event_set_texts(event, FIELD_ENVIRONMENT, client->variables,
				client->variable_count);
	if (client->tag_count)
		event_set_texts(event, FIELD_TAGS, client->tags, client->tag_count);
	if (terminal.length || client->variable_count)
		session_report(session, event);
	writer_free(&terminal);
	remember_window(&window, client);
	telnet->client = NULL;
	telnet->window = NULL;
	if (!telnet->long_name.at && !telnet->overflow.at)
		arena_drop(session_arena(session)); /* nothing else of ours lies there */
	if (window.columns || window.type[0] || window.display[0]) {
		telnet->window = arena_take(session_arena(session), sizeof(window));
		if (telnet->window)
			*telnet->window = window;
	}
}
