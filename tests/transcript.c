/* Plays the transcripts of tests/protocols against the protocols; see tests/protocols/README.md.
 *
 *     transcript PROTOCOL FILE...     exit status 1 when anything differs
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define EVENTS_MAX 4096
#define STEPS_MAX  64 /* delays that may pass by themselves before something must come */

enum pace { WHOLE, BYTES, PIECES, PACE_COUNT };
static const char *const pace_names[] = {"whole", "byte by byte", "pieces"};

struct player {
	struct stage stage;
	struct session *session;
	const char *file;
	unsigned line;
	enum pace pace;
	uint64_t draws;
	struct writer output, channel_output;
	struct {
		char *text; /* one "path=value" a line, after the action */
	} events[EVENTS_MAX];
	size_t event_count, event_next;
	bool closed, ended, failed, channel_open;
};

static void complain(struct player *p, const char *format, ...) PRINTF(2, 3);
static void complain(struct player *p, const char *format, ...)
{
	struct writer text = writer_growing(1024 * 1024), safe = writer_growing(4 * 1024 * 1024);
	va_list arguments;

	va_start(arguments, format);
	writer_vformat(&text, format, arguments);
	va_end(arguments);
	writer_printable(&safe, writer_slice(&text));
	printf("%s:%u (%s): %.*s\n", p->file, p->line, pace_names[p->pace], (int)safe.length,
	       (const char *)safe.at);
	writer_free(&text);
	writer_free(&safe);
	p->failed = true;
}

/* --- events --- */

static void append_value(struct writer *out, const struct event *event, enum event_field field)
{
	char text[ADDRESS_TEXT_MAX];

	switch (event_fields[field].type) {
	case FIELD_TYPE_NUMBER:
	case FIELD_TYPE_TIME:
		writer_decimal(out, event->values[field].number);
		break;
	case FIELD_TYPE_REAL:
		writer_format(out, "%g", event->values[field].real);
		break;
	case FIELD_TYPE_ADDRESS:
		address_text(&event->values[field].address, text);
		writer_text(out, text);
		break;
	case FIELD_TYPE_TEXTS:
		for (size_t i = 0; i < event->values[field].texts.count; i++) {
			if (i)
				writer_text(out, ",");
			writer_bytes(out, event->values[field].texts.items[i]);
		}
		break;
	default:
		writer_bytes(out, event->values[field].text);
	}
}

/* Each field as "path\x1f value-bytes \x1e", so that values may hold anything else. */
static void on_event(struct stage *stage, const struct event *event)
{
	struct player *p = stage->owner;
	struct writer out = writer_growing(1024 * 1024), line = writer_growing(EVENT_LINE_MAX);

	for (int field = 0; field < FIELD_COUNT; field++) {
		if (!event_has(event, (enum event_field)field))
			continue;
		writer_format(&out, "\x1e%s\x1f", event_fields[field].path);
		append_value(&out, event, (enum event_field)field);
	}
	writer_text(&out, "\x1e");
	event_write(event, &line);
	if (line.failed)
		complain(p, "an event does not fit a line");
	writer_free(&line);
	if (p->event_count < EVENTS_MAX) {
		char *text = malloc(out.length + 1);

		if (!text)
			fatal("out of memory");
		for (size_t i = 0; i < out.length; i++)
			text[i] =
				out.at[i] ? (char)out.at[i] : '\x1d'; /* NUL, as patterns see it */
		text[out.length] = 0;
		p->events[p->event_count++].text = text;
	}
	writer_free(&out);
}

/* --- driving --- */

static void collect(struct player *p)
{
	struct slice out;
	bool reset;

	while (p->session && (out = session_output(p->session)).length) {
		writer_bytes(&p->output, out);
		session_sent(p->session, out.length);
	}
	while (p->session && (out = session_channel_output(p->session)).length) {
		writer_bytes(&p->channel_output, out);
		session_channel_sent(p->session, out.length);
	}
	if (p->session && p->channel_open && session_channel_is_over(p->session)) {
		p->channel_open = false;
		session_channel_ended(p->session);
		collect(p);
	}
	if (p->session && session_is_over(p->session, &reset)) {
		session_end(p->session, "end");
		p->session = NULL;
		p->closed = true;
	}
}

/* Lets the clock run to the next deadline within `limit`; false when there is none. */
static bool advance(struct player *p, int64_t limit)
{
	int64_t due = p->session ? session_deadline(p->session) : INT64_MAX;

	if (due > limit)
		return false;
	if (due > p->stage.monotonic) {
		p->stage.wall += due - p->stage.monotonic;
		p->stage.monotonic = due;
	}
	session_tick(p->session);
	collect(p);
	return true;
}

/* Delays of the decoy pass by themselves; its timers do not. */
static void settle(struct player *p)
{
	collect(p);
	for (int i = 0; i < STEPS_MAX && p->session && session_held_until(p->session); i++)
		(void)advance(p, session_held_until(p->session));
}

static void pass_time(struct player *p, int64_t duration)
{
	int64_t until = p->stage.monotonic + duration;

	while (p->session && advance(p, until))
		;
	if (until > p->stage.monotonic) {
		p->stage.wall += until - p->stage.monotonic;
		p->stage.monotonic = until;
	}
	collect(p);
}

static void send_bytes(struct player *p, struct slice bytes, bool channel)
{
	bool datagrams = p->session && session_transport(p->session) == UDP;

	while (bytes.length && p->session) {
		size_t length = bytes.length;

		if (!datagrams && p->pace == BYTES)
			length = 1;
		else if (!datagrams && p->pace == PIECES)
			length = 1 +
				 (size_t)((p->draws = p->draws * 6364136223846793005u + 1) >> 33) %
					 bytes.length;
		if (channel)
			session_channel_feed(p->session, slice_first(bytes, length));
		else
			session_feed(p->session, slice_first(bytes, length));
		collect(p);
		bytes = slice_from(bytes, length);
	}
}

/* --- the language --- */

static struct slice unescape(struct slice text, struct writer *out)
{
	writer_clear(out);
	while (text.length) {
		if (text.at[0] == '\\' && text.length >= 2) {
			static const char from[] = "rnt0\\s", to[] = "\r\n\t\0\\ ";
			const char *form = memchr(from, text.at[1], 6);
			uint8_t byte;

			if (form) {
				writer_u8(out, (uint8_t)to[form - from]);
				text = slice_from(text, 2);
				continue;
			}
			if (text.at[1] == 'x' && text.length >= 4 &&
			    slice_unhex(slice_of(text.at + 2, 2), &byte, 1) == 1) {
				writer_u8(out, byte);
				text = slice_from(text, 4);
				continue;
			}
		}
		writer_u8(out, text.at[0]);
		text = slice_from(text, 1);
	}
	return writer_slice(out);
}

/* Glob with '*' only, by the usual two-pointer walk. The pattern's `\*` is a literal star. */
static bool glob(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
	struct writer literal = writer_growing(1 << 20);
	uint8_t *is_star = calloc(1, pattern.length + 1);
	bool matches;

	if (!is_star)
		fatal("out of memory");
	/* Unescape piece by piece so that escaped bytes never act as stars. */
	for (size_t i = 0; i < pattern.length;) {
		struct slice rest = slice_from(pattern, i);
		struct writer piece = writer_growing(64);
		size_t length = 1;

		if (rest.at[0] == '\\' && rest.length >= 2)
			length = rest.at[1] == 'x' && rest.length >= 4 ? 4 : 2;
		if (rest.at[0] == '*')
			is_star[literal.length] = 1;
		if (length == 2 && rest.at[1] == '*')
			writer_u8(&literal, '*');
		else
			writer_bytes(&literal, unescape(slice_first(rest, length), &piece));
		writer_free(&piece);
		i += length;
	}
	pattern = writer_slice(&literal);
	while (t < text.length) {
		if (p < pattern.length && is_star[p]) {
			star = p++;
			mark = t;
		} else if (p < pattern.length && pattern.at[p] == text.at[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			break;
		}
	}
	while (t == text.length && p < pattern.length && is_star[p])
		p++;
	matches = t == text.length && p == pattern.length;
	writer_free(&literal);
	free(is_star);
	return matches;
}

static void expect_line(struct player *p, struct writer *output, struct slice pattern)
{
	struct slice all = writer_slice(output), line;
	size_t end = slice_find_byte(all, '\n');
	struct slice bare;

	line = end == SIZE_MAX ? all : slice_first(all, end + 1);
	bare = line;
	while (bare.length &&
	       (bare.at[bare.length - 1] == '\n' || bare.at[bare.length - 1] == '\r'))
		bare.length--;
	if (line.length == 0)
		complain(p, "expected '%.*s', nothing came", (int)pattern.length, pattern.at);
	else if (!glob(pattern, line) && !glob(pattern, bare))
		complain(p, "expected '%.*s', got '%.*s'", (int)pattern.length,
			 (const char *)pattern.at, (int)line.length, (const char *)line.at);
	writer_consume(output, line.length);
}

static void expect_hex(struct player *p, struct slice pattern)
{
	struct slice all = writer_slice(&p->output), word;
	size_t at = 0;

	while (slice_next(&pattern, ' ', &word)) {
		uint8_t byte = 0;

		if (word.length == 0)
			continue;
		if (slice_is(word, "**")) {
			at = all.length;
			continue;
		}
		if (at >= all.length) {
			complain(p, "expected more bytes than the %zu that came", all.length);
			break;
		}
		if (!slice_is(word, "..") &&
		    (slice_unhex(word, &byte, 1) != 1 || byte != all.at[at])) {
			complain(p, "byte %zu: expected %.*s, got %02x", at, (int)word.length,
				 (const char *)word.at, all.at[at]);
			at = all.length;
			break;
		}
		at++;
	}
	writer_consume(&p->output, at);
}

static struct slice event_value(const char *event, struct slice path, bool *found)
{
	char key[256];
	const char *at, *end;

	snprintf(key, sizeof(key), "\x1e%.*s\x1f", (int)path.length, (const char *)path.at);
	at = strstr(event, key);
	*found = at != NULL;
	if (!at)
		return (struct slice){NULL, 0};
	at += strlen(key);
	end = strchr(at, '\x1e');
	return slice_of(at, (size_t)(end - at));
}

static bool event_matches(const char *event, struct slice conditions, struct slice *missed)
{
	struct slice word;

	while (slice_next(&conditions, ' ', &word)) {
		struct slice path = word, value;
		bool found, absent = word.length && word.at[0] == '-';

		*missed = word;
		if (word.length == 0)
			continue;
		if (absent) {
			event_value(event, slice_from(word, 1), &found);
			if (found)
				return false;
			continue;
		}
		path = slice_first(word, slice_find_byte(word, '='));
		value = event_value(event, path, &found);
		if (!found || !glob(slice_from(word, path.length + 1), value))
			return false;
	}
	return true;
}

static void expect_event(struct player *p, struct slice text)
{
	struct slice action, missed = {NULL, 0};
	bool found;

	text = slice_trim(text);
	if (!slice_next(&text, ' ', &action))
		return;
	for (; p->event_next < p->event_count; p->event_next++) {
		const char *event = p->events[p->event_next].text;

		if (!slice_equal(event_value(event, SLICE("event.action"), &found), action))
			continue;
		p->event_next++;
		if (!event_matches(event, text, &missed))
			complain(p, "event %.*s: '%.*s' does not hold in %s", (int)action.length,
				 (const char *)action.at, (int)missed.length,
				 (const char *)missed.at, event);
		return;
	}
	complain(p, "no (more) event %.*s", (int)action.length, (const char *)action.at);
}

static void expect_no_event(struct player *p, struct slice action)
{
	bool found;

	action = slice_trim(action);
	for (size_t i = p->event_next; i < p->event_count; i++) {
		if (slice_equal(event_value(p->events[i].text, SLICE("event.action"), &found),
				action))
			complain(p, "unexpected event %s", p->events[i].text);
	}
}

static void send_hex(struct player *p, struct slice text)
{
	struct writer bytes = writer_growing(1 << 20);
	struct slice word;

	while (slice_next(&text, ' ', &word)) {
		uint8_t room[256];
		int count = slice_unhex(word, room, sizeof(room));

		if (count < 0) {
			complain(p, "'%.*s' is not hexadecimal", (int)word.length,
				 (const char *)word.at);
			break;
		}
		writer_bytes(&bytes, slice_of(room, (size_t)count));
	}
	send_bytes(p, writer_slice(&bytes), false);
	writer_free(&bytes);
}

static void play_channel(struct player *p, struct slice text, struct writer *scratch)
{
	if (slice_is(text, " open")) {
		if (!p->session || !p->stage.channel_wanted)
			complain(p, "nobody listens for a data connection");
		else
			session_channel_accepted(p->session);
		p->channel_open = true;
	} else if (slice_starts(text, "> ")) {
		send_bytes(p, unescape(slice_from(text, 2), scratch), true);
	} else if (slice_starts(text, "< ")) {
		settle(p);
		expect_line(p, &p->channel_output, slice_from(text, 2));
	} else if (slice_is(text, " close")) {
		if (p->session)
			session_channel_ended(p->session);
		p->channel_open = false;
	} else {
		complain(p, "not a line of a transcript");
	}
	collect(p);
}

static bool all_blank(const struct writer *w)
{
	return w->length == 0;
}

static void play_line(struct player *p, struct slice line, struct writer *scratch)
{
	int64_t duration;

	if (line.length == 0 || line.at[0] == '#')
		return;
	if (slice_starts(line, "> ")) {
		settle(p);
		send_bytes(p, unescape(slice_from(line, 2), scratch), false);
	} else if (slice_starts(line, ">x ")) {
		settle(p);
		send_hex(p, slice_from(line, 3));
	} else if (slice_starts(line, "< ")) {
		settle(p);
		expect_line(p, &p->output, slice_from(line, 2));
	} else if (slice_starts(line, "<< ")) {
		settle(p);
		if (!glob(slice_from(line, 3), writer_slice(&p->output)))
			complain(p, "got '%.*s'", (int)p->output.length,
				 (const char *)p->output.at);
		writer_clear(&p->output);
	} else if (slice_starts(line, "<x ")) {
		settle(p);
		expect_hex(p, slice_from(line, 3));
	} else if (slice_is(line, "<silence")) {
		settle(p);
		if (!all_blank(&p->output))
			complain(p, "expected nothing, got '%.*s'", (int)p->output.length,
				 (const char *)p->output.at);
	} else if (slice_is(line, "<close")) {
		settle(p);
		if (!p->closed)
			complain(p, "the server did not close");
	} else if (slice_starts(line, "!none ")) {
		expect_no_event(p, slice_from(line, 6));
	} else if (slice_starts(line, "! ")) {
		settle(p);
		expect_event(p, slice_from(line, 2));
	} else if (slice_starts(line, "@ ")) {
		if (clock_parse_duration(slice_from(line, 2), &duration) < 0)
			complain(p, "not a length of time");
		else
			pass_time(p, duration);
	} else if (slice_starts(line, "channel")) {
		play_channel(p, slice_from(line, 7), scratch);
	} else if (slice_is(line, "end")) {
		settle(p);
		if (p->session)
			session_feed_end(p->session);
		settle(p);
	} else {
		complain(p, "not a line of a transcript");
	}
}

/* --- a file --- */

struct setup {
	enum transport transport;
	enum access_override access;
	int64_t port;
	struct writer options, persona; /* YAML of the service and the persona */
};

static void read_setup(struct slice text, struct setup *setup)
{
	struct slice line, word, name;

	while (slice_next(&text, '\n', &line)) {
		if (!slice_starts(line, "# option "))
			continue;
		word = slice_trim(slice_from(line, 9));
		if (!slice_next(&word, ' ', &name))
			continue;
		if (slice_is(name, "transport"))
			setup->transport = slice_is(word, "udp") ? UDP : TCP;
		else if (slice_is(name, "access"))
			setup->access = slice_is(word, "always") ? ACCESS_ALWAYS : ACCESS_NEVER;
		else if (slice_is(name, "port"))
			(void)!slice_number(word, 1, 65535, &setup->port);
		else if (slice_starts(name, "persona."))
			writer_format(&setup->persona, "%.*s: %.*s\n", (int)name.length - 8,
				      (const char *)name.at + 8, (int)word.length,
				      (const char *)word.at);
		else
			writer_format(&setup->options, "%.*s: %.*s\n", (int)name.length,
				      (const char *)name.at, (int)word.length,
				      (const char *)word.at);
	}
}

static struct persona *setup_persona(const struct setup *setup, const char *share)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {7};
	struct writer text = writer_growing(1 << 20);
	char name[] = "/tmp/transcript-persona-XXXXXX", *why = NULL;
	struct persona *persona;
	int file;

	if (setup->persona.length == 0)
		return persona_plain(secret, 1790000000 * SECOND);
	writer_bytes(&text, writer_slice(&setup->persona));
	file = mkstemp(name);
	if (file < 0 || write(file, text.at, text.length) != (ssize_t)text.length)
		fatal("cannot write a persona for the transcript");
	close(file);
	persona = persona_read(name, secret, 1790000000 * SECOND, &why);
	if (!persona)
		fatal("persona of the transcript: %s", why);
	unlink(name);
	writer_free(&text);
	return persona;
}

static bool take_options(struct player *p, struct setup *setup, struct config **config)
{
	const struct protocol *protocol = p->stage.service.protocol;
	void *options = (void *)(uintptr_t)p->stage.service.options;

	*config = config_parse(writer_slice(&setup->options), p->file);
	if (!*config)
		fatal("out of memory");
	if (protocol->options)
		config_take(*config, config_root(*config), protocol->options, options);
	p->stage.trap.policy = access_policy_take(*config, NULL, setup->access);
	if (config_finish(*config)) {
		complain(p, "%s", config_error_text(*config, 0));
		return false;
	}
	return true;
}

static bool play_file(const struct protocol *protocol, const char *file, struct slice text,
		      enum pace pace, const char *share)
{
	struct player *p = calloc(1, sizeof(*p));
	struct setup setup = {.options = writer_growing(1 << 16),
			      .persona = writer_growing(1 << 16)};
	struct writer scratch = writer_growing(1 << 22);
	struct persona *persona;
	struct config *config = NULL;
	struct slice line;
	char *why = NULL;
	bool failed;

	if (!p)
		fatal("out of memory");
	read_setup(text, &setup);
	persona = setup_persona(&setup, share);
	p->file = file;
	p->pace = pace;
	p->output = writer_growing(1 << 24);
	p->channel_output = writer_growing(1 << 24);
	stage_open(&p->stage, protocol, persona);
	p->stage.seed = 42;
	p->stage.owner = p;
	p->stage.on_event = on_event;
	p->stage.service.record_conversation = protocol == protocol_named(SLICE("unknown"));
	if (take_options(p, &setup, &config)) {
		if (stage_prepare(&p->stage, share, &why) < 0)
			fatal("%s: %s", protocol->name, why);
		if (stage_machine(&p->stage, share, NULL, &why) < 0)
			fatal("%s: %s", protocol->name, why);
		p->session = stage_session(&p->stage, setup.transport);
		while (slice_next(&text, '\n', &line)) {
			p->line++;
			play_line(p, line, &scratch);
		}
		settle(p);
		if (p->output.length)
			complain(p, "left over: '%.*s'", (int)p->output.length,
				 (const char *)p->output.at);
		session_end(p->session, "end");
	}
	failed = p->failed;
	access_policy_free((void *)(uintptr_t)p->stage.trap.policy);
	stage_close(&p->stage);
	config_free(config);
	persona_free(persona);
	for (size_t i = 0; i < p->event_count; i++)
		free(p->events[i].text);
	writer_free(&p->output);
	writer_free(&p->channel_output);
	writer_free(&scratch);
	writer_free(&setup.options);
	writer_free(&setup.persona);
	free(p);
	return !failed;
}

static bool read_file(const char *name, struct writer *out)
{
	FILE *file = fopen(name, "rb");
	uint8_t room[4096];
	size_t got;

	if (!file)
		return false;
	while ((got = fread(room, 1, sizeof(room), file)) > 0)
		writer_bytes(out, slice_of(room, got));
	fclose(file);
	return !out->failed;
}

int main(int argc, char **argv)
{
	const char *share = getenv("SUNDEW_SHARE") ? getenv("SUNDEW_SHARE") : "share";
	const struct protocol *protocol = argc > 1 ? protocol_named(slice_text(argv[1])) : NULL;
	unsigned passed = 0, failed = 0;

	if (!protocol)
		fatal("usage: transcript PROTOCOL FILE...");
	for (int i = 2; i < argc; i++) {
		struct writer text = writer_growing(1 << 24);
		bool good = true;

		if (!read_file(argv[i], &text))
			fatal("cannot read %s", argv[i]);
		for (int pace = 0; pace < PACE_COUNT; pace++)
			good &= play_file(protocol, argv[i], writer_slice(&text), (enum pace)pace,
					  share);
		passed += good;
		failed += !good;
		writer_free(&text);
	}
	printf("%s: %u transcripts passed, %u failed\n", protocol->name, passed, failed);
	return failed ? 1 : 0;
}
