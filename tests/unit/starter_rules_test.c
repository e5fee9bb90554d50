/* The rules that come with Sundew: all of share/rules loads, and each rule is played its case and
 * its near miss out of tests/rules, as packets, through the sensor.
 *
 *     sid 9100001
 *     tcp 40000 > 6379              a conversation; also udp, and icmp IDENTIFIER > SEQUENCE
 *     > "CONFIG SET dir /tmp\r\n"   a packet of the client; < one of the server
 *       "more" "A"*20               goes on with the line before
 *     repeat 5                      the conversation five times, 100 ms apart, from other ports
 *     also 9100002 9100401          these may fire too on what raises the sid, no others
 *     miss                          what follows must not raise the sid
 *     tcp 40000 > 6379
 *     syn window=1024 ttl=64 id=1 seq=2 ack=0 flags=S options=mss1460,sackok,ts,nop,ws7,eol
 *
 * A case may hold several conversations and several misses. `seq=server` is the server's address;
 * `icmp 1 > 2 type=8 code=0` sets what an echo request has otherwise.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/rules/engine.h"
#include "capture/sensor.h"
#include "capture/transport.h"

#define CLIENT      0xc6336407u /* 198.51.100.7 */
#define SERVER      0xc0000201u /* 192.0.2.1 */
#define FIRST_SID   9100001u
#define LAST_SID    9109999u
#define SIDS        (LAST_SID - FIRST_SID + 1)
#define RULES_MIN   150
#define STEPS_MAX   64
#define FIRED_MAX   256
#define ALSO_MAX    16
#define FILES_MAX   64
#define SEGMENT_MAX 60000

struct syn {
	uint32_t sequence, acknowledgement;
	uint16_t window, id;
	uint8_t ttl, flags;
	uint8_t options[40];
	size_t option_length;
};

struct step {
	enum direction direction;
	bool is_syn;
	struct slice bytes;
	struct syn syn;
};

struct conversation {
	uint8_t protocol; /* of IP */
	uint16_t client_port, server_port;
	uint8_t icmp_type, icmp_code;
	struct step steps[STEPS_MAX];
	size_t count;
	unsigned repeat;
};

struct file {
	char name[512];
	struct slice text;
};

struct suite {
	struct engine *engine;
	struct arena arena;
	struct file rules[FILES_MAX], cases[FILES_MAX], classification;
	size_t rule_files, case_files;
	struct rule_classes classes;
	struct variables variables;
	unsigned flaws; /* all that is wrong, told one by one */

	/* The scene that is read and played. */
	const struct file *file;
	unsigned line;       /* that is read */
	unsigned scene_line; /* of sid or miss */
	uint32_t sid;
	bool miss, open;
	struct conversation *conversation;
	struct sensor *sensor;
	int64_t now;
	unsigned conversations;

	uint32_t fired[FIRED_MAX], also[ALSO_MAX];
	size_t fired_count, also_count;
	uint8_t has_case[SIDS], has_miss[SIDS];
};

static void flaw(struct suite *s, const char *file, unsigned line, const char *format, ...)
	PRINTF(4, 5);
static void flaw(struct suite *s, const char *file, unsigned line, const char *format, ...)
{
	char text[2048];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_error("%s:%u: %s\n", file, line, text);
	s->flaws++;
}

/* --- files --- */

static struct slice read_whole(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct slice text;
	long size;
	uint8_t *at;

	if (!file)
		return slice_of(NULL, 0);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size >= 0);
	rewind(file);
	at = arena_take(arena, (size_t)size + 1);
	assert_non_null(at);
	text = slice_of(at, fread(at, 1, (size_t)size, file));
	assert_int_equal(text.length, size);
	(void)fclose(file);
	return text;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static size_t read_folder(struct suite *s, const char *folder, const char *ending,
			  struct file *files)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	if (!directory)
		fail_msg("%s: cannot be opened", folder);
	while ((entry = readdir(directory))) {
		struct slice name = slice_text(entry->d_name);

		if (name.length <= strlen(ending) ||
		    !slice_is(slice_from(name, name.length - strlen(ending)), ending))
			continue;
		assert_true(count < FILES_MAX);
		(void)snprintf(files[count].name, sizeof(files[count].name), "%s/%s", folder,
			       entry->d_name);
		files[count].text = read_whole(&s->arena, files[count].name);
		count++;
	}
	(void)closedir(directory);
	qsort(files, count, sizeof(*files), compare_files);
	return count;
}

/* --- the rules --- */

static void refused(void *context, const char *file, const struct rule_text *text, const char *why)
{
	flaw(context, file, text->line, "refused: %s", why);
}

static void load(struct suite *s)
{
	const char *source = getenv("SUNDEW_SOURCE"), *share = getenv("SUNDEW_SHARE");
	struct engine_report report = {s, refused};
	char folder[480];
	unsigned line = 0;
	const char *why;

	if (!source)
		fail_msg("SUNDEW_SOURCE is not set: the folder of the sources");
	s->arena = arena_of((size_t)64 * 1024 * 1024);
	if (share)
		(void)snprintf(folder, sizeof(folder), "%s/rules", share);
	else
		(void)snprintf(folder, sizeof(folder), "%s/share/rules", source);
	s->rule_files = read_folder(s, folder, ".rules", s->rules);
	(void)snprintf(s->classification.name, sizeof(s->classification.name),
		       "%s/classification.config", folder);
	s->classification.text = read_whole(&s->arena, s->classification.name);
	if (!s->classification.text.length)
		fail_msg("%s: is not there or empty", s->classification.name);
	(void)snprintf(folder, sizeof(folder), "%s/tests/rules", source);
	s->case_files = read_folder(s, folder, ".cases", s->cases);

	why = rule_classes_read(&s->classes, s->classification.text, &s->arena, &line);
	if (why)
		fail_msg("%s:%u: %s", s->classification.name, line, why);
	rule_variables_start(&s->variables);
	s->engine = engine_new(&s->variables);
	assert_non_null(s->engine);
	engine_set_classes(s->engine, &s->classes);
	for (size_t i = 0; i < s->rule_files; i++)
		engine_add(s->engine, s->rules[i].name, s->rules[i].text, &report);
	why = engine_ready(s->engine, -1);
	if (why)
		fail_msg("rules: %s", why);
}

static bool sid_is_ours(uint32_t sid)
{
	return sid >= FIRST_SID && sid <= LAST_SID;
}

/* What a reader of an alert is told must be there. */
static void check_rules(struct suite *s)
{
	size_t count, doubles;
	const struct rule *const *rules = engine_rules(s->engine, &count);
	const struct engine_double *twice = engine_doubles(s->engine, &doubles);

	for (size_t i = 0; i < doubles; i++)
		flaw(s, twice[i].dropped->file, twice[i].dropped->line,
		     "sid %u is in %s:%u as well", twice[i].dropped->sid, twice[i].kept->file,
		     twice[i].kept->line);
	for (size_t i = 0; i < count; i++) {
		const struct rule *r = rules[i];

		if (!sid_is_ours(r->sid))
			flaw(s, r->file, r->line, "sid %u is not in our range", r->sid);
		if (!r->message || strncmp(r->message, "SUNDEW ", 7) != 0)
			flaw(s, r->file, r->line, "sid %u: msg does not begin with SUNDEW", r->sid);
		if (!r->class_title)
			flaw(s, r->file, r->line, "sid %u: classtype is not in %s", r->sid,
			     s->classification.name);
		if (!r->reference)
			flaw(s, r->file, r->line, "sid %u: no reference", r->sid);
		if (!r->revision)
			flaw(s, r->file, r->line, "sid %u: no rev", r->sid);
	}
}

/* Rules that only set marks are proved by those that ask for them. */
static void check_all_are_played(struct suite *s)
{
	size_t count;
	const struct rule *const *rules = engine_rules(s->engine, &count);

	for (size_t i = 0; i < count; i++) {
		const struct rule *r = rules[i];

		if (r->no_alert || !sid_is_ours(r->sid))
			continue;
		if (!s->has_case[r->sid - FIRST_SID])
			flaw(s, r->file, r->line, "sid %u has no case", r->sid);
		else if (!s->has_miss[r->sid - FIRST_SID])
			flaw(s, r->file, r->line, "sid %u has no near miss", r->sid);
	}
}

/* --- packets --- */

static void put_sum(uint8_t *at, uint32_t sum)
{
	sum = ~sum & 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static void send_ip(struct suite *s, uint8_t protocol, enum direction direction, uint8_t ttl,
		    uint16_t id, struct slice transport)
{
	static uint8_t room[SEGMENT_MAX + 100];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u16be(&w, 0x4500);
	writer_u16be(&w, (uint16_t)(20 + transport.length));
	writer_u16be(&w, id);
	writer_u16be(&w, 0x4000);
	writer_u8(&w, ttl);
	writer_u8(&w, protocol);
	writer_u16be(&w, 0);
	writer_u32be(&w, direction == TO_SERVER ? CLIENT : SERVER);
	writer_u32be(&w, direction == TO_SERVER ? SERVER : CLIENT);
	put_sum(room + 10, packet_sum(0, slice_of(room, 20)));
	writer_bytes(&w, transport);
	assert_false(w.failed);
	s->now += 100;
	sensor_packet(s->sensor, LINK_RAW, writer_slice(&w), (uint32_t)w.length, s->now);
}

/* Of the pseudo-header (RFC 9293, 3.1): both directions have the same. */
static uint32_t sum_of_ends(uint8_t protocol, size_t length)
{
	return (CLIENT >> 16) + (CLIENT & 0xffff) + (SERVER >> 16) + (SERVER & 0xffff) + protocol +
	       (uint32_t)length;
}

static void send_tcp(struct suite *s, const struct conversation *c, enum direction direction,
		     const struct syn *header, struct slice payload)
{
	static uint8_t room[SEGMENT_MAX + 60];
	struct writer w = writer_fixed(room, sizeof(room));
	bool up = direction == TO_SERVER;

	writer_u16be(&w, up ? c->client_port : c->server_port);
	writer_u16be(&w, up ? c->server_port : c->client_port);
	writer_u32be(&w, header->sequence);
	writer_u32be(&w, header->acknowledgement);
	writer_u8(&w, (uint8_t)((20 + header->option_length) / 4 << 4));
	writer_u8(&w, header->flags);
	writer_u16be(&w, header->window);
	writer_u32be(&w, 0);
	writer_bytes(&w, slice_of(header->options, header->option_length));
	writer_bytes(&w, payload);
	assert_false(w.failed);
	put_sum(room + 16, packet_sum(sum_of_ends(6, w.length), writer_slice(&w)));
	send_ip(s, 6, direction, header->ttl, header->id, writer_slice(&w));
}

static void send_udp(struct suite *s, const struct conversation *c, enum direction direction,
		     struct slice payload)
{
	static uint8_t room[SEGMENT_MAX + 8];
	struct writer w = writer_fixed(room, sizeof(room));
	bool up = direction == TO_SERVER;

	writer_u16be(&w, up ? c->client_port : c->server_port);
	writer_u16be(&w, up ? c->server_port : c->client_port);
	writer_u16be(&w, (uint16_t)(8 + payload.length));
	writer_u16be(&w, 0);
	writer_bytes(&w, payload);
	assert_false(w.failed);
	put_sum(room + 6, packet_sum(sum_of_ends(17, w.length), writer_slice(&w)));
	send_ip(s, 17, direction, 64, 1, writer_slice(&w));
}

static void send_icmp(struct suite *s, const struct conversation *c, enum direction direction,
		      struct slice payload)
{
	static uint8_t room[SEGMENT_MAX + 8];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_u8(&w, direction == TO_SERVER ? c->icmp_type : 0);
	writer_u8(&w, direction == TO_SERVER ? c->icmp_code : 0);
	writer_u16be(&w, 0);
	writer_u16be(&w, c->client_port);
	writer_u16be(&w, c->server_port);
	writer_bytes(&w, payload);
	assert_false(w.failed);
	put_sum(room + 2, packet_sum(0, writer_slice(&w)));
	send_ip(s, 1, direction, 64, 1, writer_slice(&w));
}

/* A handshake, each packet acknowledged by the next one of the other side, an end. */
static void play_tcp(struct suite *s, const struct conversation *c)
{
	static const uint8_t segment_size[4] = {2, 4, 5, 180};
	uint32_t next[2] = {1000, 5000};
	struct syn header = {.window = 64240, .ttl = 64, .id = 1};
	struct slice none = slice_of(NULL, 0);

	header.sequence = next[TO_SERVER]++;
	header.flags = TCP_SYN;
	header.option_length = sizeof(segment_size);
	memcpy(header.options, segment_size, sizeof(segment_size));
	send_tcp(s, c, TO_SERVER, &header, none);
	header.sequence = next[TO_CLIENT]++;
	header.acknowledgement = next[TO_SERVER];
	header.flags = TCP_SYN | TCP_ACK;
	send_tcp(s, c, TO_CLIENT, &header, none);
	header.option_length = 0;
	for (size_t i = 0; i <= c->count + 2; i++) {
		bool data = i && i <= c->count;
		enum direction side = data                ? c->steps[i - 1].direction
				      : i == c->count + 2 ? TO_CLIENT
							  : TO_SERVER;

		header.id++;
		header.sequence = next[side];
		header.acknowledgement = next[side == TO_SERVER ? TO_CLIENT : TO_SERVER];
		header.flags = data ? TCP_PSH | TCP_ACK : i ? TCP_FIN | TCP_ACK : TCP_ACK;
		send_tcp(s, c, side, &header, data ? c->steps[i - 1].bytes : none);
		next[side] += data ? (uint32_t)c->steps[i - 1].bytes.length : i ? 1 : 0;
	}
}

static void play_once(struct suite *s, const struct conversation *c)
{
	if (c->protocol == 6 && !(c->count && c->steps[0].is_syn)) {
		play_tcp(s, c);
		return;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct step *step = &c->steps[i];

		if (c->protocol == 6)
			send_tcp(s, c, step->direction, &step->syn, step->bytes);
		else if (c->protocol == 17)
			send_udp(s, c, step->direction, step->bytes);
		else
			send_icmp(s, c, step->direction, step->bytes);
	}
}

/* The conversation that was read. */
static void play_conversation(struct suite *s)
{
	struct conversation *c = s->conversation;

	if (!c->protocol)
		return;
	if (!c->count)
		flaw(s, s->file->name, s->line, "sid %u: a conversation without packets", s->sid);
	for (unsigned i = 0; i < c->repeat; i++) {
		play_once(s, c);
		c->client_port++;
		s->now += 100 * MILLISECOND;
	}
	s->conversations++;
	memset(c, 0, sizeof(*c));
}

/* --- scenes --- */

static void alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct suite *s = context;

	for (size_t i = 0; i < s->fired_count; i++)
		if (s->fired[i] == rule->sid)
			return;
	if (s->fired_count < FIRED_MAX)
		s->fired[s->fired_count++] = rule->sid;
}

static void inspect(void *context, const struct inspection *inspection)
{
	struct suite *s = context;

	engine_inspect(s->engine, inspection, alert, s);
}

static void start_scene(struct suite *s, bool miss)
{
	struct sensor_setup setup = sensor_setup_default;

	setup.listener = (struct sensor_listener){
		.context = s, .wants = engine_wants(s->engine), .inspect = inspect};
	s->sensor = sensor_new(&setup);
	assert_non_null(s->sensor);
	s->now += 24 * HOUR; /* what thresholds and marks remember is over */
	s->miss = miss;
	s->open = true;
	s->scene_line = s->line;
	s->fired_count = 0;
	s->conversations = 0;
}

static bool may_fire(const struct suite *s, uint32_t sid)
{
	for (size_t i = 0; i < s->also_count; i++)
		if (s->also[i] == sid)
			return true;
	return sid == s->sid;
}

static void end_scene(struct suite *s)
{
	char all[1024] = "none";
	struct writer w = writer_fixed(all, sizeof(all) - 1);
	bool fired = false;

	if (!s->open)
		return;
	play_conversation(s);
	sensor_finish(s->sensor);
	if (sensor_counts(s->sensor).wrong_sums)
		flaw(s, s->file->name, s->scene_line, "sid %u: wrong checksums", s->sid);
	sensor_free(s->sensor);
	s->open = false;
	for (size_t i = 0; i < s->fired_count; i++) {
		fired |= s->fired[i] == s->sid;
		if (!s->miss && !may_fire(s, s->fired[i]))
			flaw(s, s->file->name, s->scene_line, "sid %u: %u fires too", s->sid,
			     s->fired[i]);
		writer_format(&w, "%s%u", i ? " " : "", s->fired[i]);
	}
	all[s->fired_count ? w.length : 4] = '\0';
	if (!s->conversations)
		flaw(s, s->file->name, s->scene_line, "sid %u: nothing is played", s->sid);
	else if (!s->miss && !fired)
		flaw(s, s->file->name, s->scene_line, "sid %u did not fire; fired: %s", s->sid,
		     all);
	else if (s->miss && fired)
		flaw(s, s->file->name, s->scene_line, "sid %u fired on its near miss; fired: %s",
		     s->sid, all);
	if (sid_is_ours(s->sid))
		(s->miss ? s->has_miss : s->has_case)[s->sid - FIRST_SID] = 1;
}

/* --- reading cases --- */

static bool skip_spaces(struct slice *rest)
{
	while (rest->length && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = slice_from(*rest, 1);
	return rest->length > 0;
}

static struct slice take_word(struct slice *rest)
{
	struct slice word;

	(void)skip_spaces(rest);
	word = *rest;
	for (size_t i = 0; i < word.length; i++)
		if (word.at[i] == ' ' || word.at[i] == '\t')
			word.length = i;
	*rest = slice_from(*rest, word.length);
	return word;
}

static bool take_number(struct slice text, int64_t maximum, int64_t *number)
{
	return slice_number(text, 0, maximum, number) == 0;
}

/* What stands behind a quote, up to the next one; false: broken. */
static bool take_quoted(struct slice *rest, struct writer *out)
{
	static const char letters[] = "rnt0\"\\", bytes[] = "\r\n\t\0\"\\";
	size_t i = 1;

	while (i < rest->length && rest->at[i] != '"') {
		uint8_t byte = rest->at[i++];

		if (byte == '\\' && i < rest->length && rest->at[i] == 'x') {
			if (i + 3 > rest->length ||
			    slice_unhex(slice_of(rest->at + i + 1, 2), &byte, 1) < 0)
				return false;
			i += 3;
		} else if (byte == '\\') {
			const char *letter = i < rest->length ? strchr(letters, rest->at[i]) : NULL;

			if (!letter || !*letter)
				return false;
			byte = (uint8_t)bytes[letter - letters];
			i++;
		}
		writer_u8(out, byte);
	}
	if (i >= rest->length)
		return false;
	*rest = slice_from(*rest, i + 1);
	return true;
}

/* "..."*N "...": NULL, or what is wrong with it. */
static const char *take_bytes(struct suite *s, struct slice rest, struct step *step)
{
	static uint8_t room[SEGMENT_MAX];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_bytes(&w, step->bytes);
	while (skip_spaces(&rest)) {
		size_t start = w.length, length;
		int64_t times = 1;

		if (rest.at[0] != '"' || !take_quoted(&rest, &w))
			return "bytes are written \"...\" with escapes of C";
		length = w.length - start;
		if (rest.length && rest.at[0] == '*') {
			struct slice number = take_word(&rest);

			if (!take_number(slice_from(number, 1), SEGMENT_MAX, &times) || !times)
				return "a number is expected behind *";
		}
		for (; times > 1 && !w.failed; times--)
			writer_bytes(&w, slice_of(room + start, length));
		if (w.failed)
			return "more bytes than a packet holds";
	}
	if (!w.length)
		return "no bytes";
	step->bytes = arena_copy(&s->arena, writer_slice(&w));
	return step->bytes.at ? NULL : "out of memory";
}

static const char *take_flags(struct slice text, uint8_t *flags)
{
	static const char letters[] = "FSRPAUEC";

	*flags = 0;
	for (size_t i = 0; i < text.length; i++) {
		const char *letter = strchr(letters, text.at[i]);

		if (text.at[i] == '0')
			continue;
		if (!letter)
			return "flags are letters of FSRPAUEC, or 0";
		*flags |= (uint8_t)(1 << (letter - letters));
	}
	return NULL;
}

static const char *take_options(struct slice list, struct syn *syn)
{
	struct writer w = writer_fixed(syn->options, sizeof(syn->options));
	struct slice item;
	int64_t number;

	while (slice_next(&list, ',', &item)) {
		if (slice_starts(item, "mss") && take_number(slice_from(item, 3), 65535, &number)) {
			writer_u16be(&w, 0x0204);
			writer_u16be(&w, (uint16_t)number);
		} else if (slice_starts(item, "ws") &&
			   take_number(slice_from(item, 2), 14, &number)) {
			writer_u16be(&w, 0x0303);
			writer_u8(&w, (uint8_t)number);
		} else if (slice_is(item, "sackok")) {
			writer_u16be(&w, 0x0402);
		} else if (slice_is(item, "ts")) {
			writer_u16be(&w, 0x080a);
			writer_u64be(&w, 0x0001000000000000);
		} else if (slice_is(item, "nop")) {
			writer_u8(&w, 1);
		} else if (slice_is(item, "eol")) {
			writer_u8(&w, 0);
		} else {
			return "options are mssN, wsN, sackok, ts, nop, eol";
		}
	}
	while (w.length % 4 && !w.failed)
		writer_u8(&w, 0);
	syn->option_length = w.length;
	return w.failed ? "more options than a header holds" : NULL;
}

static const char *take_syn(struct slice rest, struct step *step)
{
	struct syn *syn = &step->syn;

	*syn = (struct syn){
		.sequence = 1000, .window = 64240, .ttl = 64, .id = 1, .flags = TCP_SYN};
	step->is_syn = true;
	while (skip_spaces(&rest)) {
		struct slice value = take_word(&rest), name;
		const char *why = NULL;
		int64_t number = 0;

		(void)slice_next(&value, '=', &name);
		if (slice_is(name, "flags"))
			why = take_flags(value, &syn->flags);
		else if (slice_is(name, "options"))
			why = take_options(value, syn);
		else if (slice_is(name, "seq") && slice_is(value, "server"))
			syn->sequence = SERVER;
		else if (!take_number(value,
				      slice_is(name, "ttl") ? 255
				      : slice_is(name, "window") || slice_is(name, "id")
					      ? 65535
					      : UINT32_MAX,
				      &number))
			return "a number is expected";
		else if (slice_is(name, "seq"))
			syn->sequence = (uint32_t)number;
		else if (slice_is(name, "ack"))
			syn->acknowledgement = (uint32_t)number;
		else if (slice_is(name, "window"))
			syn->window = (uint16_t)number;
		else if (slice_is(name, "id"))
			syn->id = (uint16_t)number;
		else if (slice_is(name, "ttl"))
			syn->ttl = (uint8_t)number;
		else
			return "syn knows seq, ack, window, id, ttl, flags and options";
		if (why)
			return why;
	}
	return NULL;
}

static const char *start_conversation(struct suite *s, struct slice protocol, struct slice rest)
{
	struct conversation *c = s->conversation;
	int64_t client, server, number;
	struct slice from = take_word(&rest), arrow = take_word(&rest), to = take_word(&rest);

	play_conversation(s);
	if (!take_number(from, 65535, &client) || !slice_is(arrow, ">") ||
	    !take_number(to, 65535, &server))
		return "a conversation is written tcp PORT > PORT";
	memset(c, 0, sizeof(*c));
	c->protocol = slice_is(protocol, "tcp") ? 6 : slice_is(protocol, "udp") ? 17 : 1;
	c->client_port = (uint16_t)client;
	c->server_port = (uint16_t)server;
	c->repeat = 1;
	c->icmp_type = 8;
	while (skip_spaces(&rest)) {
		struct slice value = take_word(&rest), name;

		(void)slice_next(&value, '=', &name);
		if (c->protocol != 1 || !take_number(value, 255, &number))
			return "only icmp has more: type=N code=N";
		if (slice_is(name, "type"))
			c->icmp_type = (uint8_t)number;
		else if (slice_is(name, "code"))
			c->icmp_code = (uint8_t)number;
		else
			return "only icmp has more: type=N code=N";
	}
	return NULL;
}

static const char *add_step(struct suite *s, struct slice word, struct slice rest)
{
	struct conversation *c = s->conversation;
	struct step *step = &c->steps[c->count];

	if (!c->protocol)
		return "no conversation was opened";
	if (c->count == STEPS_MAX)
		return "more packets than there is room for";
	c->count++;
	step->direction = slice_is(word, "<") ? TO_CLIENT : TO_SERVER;
	if (slice_is(word, "syn"))
		return c->protocol == 6 ? take_syn(rest, step) : "syn is of tcp";
	if (c->count > 1 && c->steps[0].is_syn)
		return "syn stands alone";
	return take_bytes(s, rest, step);
}

static const char *take_line(struct suite *s, struct slice line)
{
	struct conversation *c = s->conversation;
	struct slice rest = line, word;
	int64_t number;

	if (!skip_spaces(&rest) || rest.at[0] == '#')
		return NULL;
	if (rest.at[0] == '"')
		return c->count ? take_bytes(s, rest, &c->steps[c->count - 1])
				: "bytes without a packet before them";
	word = take_word(&rest);
	if (slice_is(word, "sid")) {
		end_scene(s);
		if (!take_number(take_word(&rest), UINT32_MAX, &number))
			return "sid needs a number";
		s->sid = (uint32_t)number;
		s->also_count = 0;
		start_scene(s, false);
		return NULL;
	}
	if (!s->sid)
		return "sid is expected first";
	if (slice_is(word, "miss")) {
		end_scene(s);
		start_scene(s, true);
		return NULL;
	}
	if (slice_is(word, "also")) {
		while (skip_spaces(&rest)) {
			if (s->also_count == ALSO_MAX ||
			    !take_number(take_word(&rest), UINT32_MAX, &number))
				return "also needs numbers, not too many";
			s->also[s->also_count++] = (uint32_t)number;
		}
		return NULL;
	}
	if (slice_is(word, "tcp") || slice_is(word, "udp") || slice_is(word, "icmp"))
		return start_conversation(s, word, rest);
	if (slice_is(word, ">") || slice_is(word, "<") || slice_is(word, "syn"))
		return add_step(s, word, rest);
	if (slice_is(word, "repeat")) {
		if (!c->protocol || !take_number(take_word(&rest), 1000, &number) || !number)
			return "repeat needs a number and a conversation";
		c->repeat = (unsigned)number;
		return NULL;
	}
	return "sid, miss, tcp, udp, icmp, >, <, syn or repeat is expected";
}

static void play_file(struct suite *s, const struct file *file)
{
	struct slice rest = file->text, line;

	s->file = file;
	s->sid = 0;
	for (s->line = 1; slice_next(&rest, '\n', &line); s->line++) {
		const char *why = take_line(s, slice_trim(line));

		if (why)
			flaw(s, file->name, s->line, "%s", why);
	}
	end_scene(s);
}

/* --- the tests --- */

static int set_up(void **state)
{
	struct suite *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->conversation = calloc(1, sizeof(*s->conversation));
	assert_non_null(s->conversation);
	s->now = 1700000000 * SECOND;
	*state = s;
	load(s);
	return 0;
}

static int tear_down(void **state)
{
	struct suite *s = *state;

	engine_free(s->engine);
	arena_drop(&s->arena);
	free(s->conversation);
	free(s);
	return 0;
}

static void test_rules_load(void **state)
{
	struct suite *s = *state;
	struct engine_counts counts = engine_counts(s->engine);

	check_rules(s);
	assert_int_equal(s->flaws, 0);
	assert_int_equal(counts.refused, 0);
	assert_int_equal(counts.loaded, counts.read);
	if (counts.loaded < RULES_MIN)
		fail_msg("%zu rules, of at least %d", counts.loaded, RULES_MIN);
}

static void test_cases(void **state)
{
	struct suite *s = *state;

	s->flaws = 0;
	for (size_t i = 0; i < s->case_files; i++)
		play_file(s, &s->cases[i]);
	check_all_are_played(s);
	if (s->flaws)
		fail_msg("%u flaws", s->flaws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_load),
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
