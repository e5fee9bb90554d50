/* Rules and traffic at once: the text of rules up to a NUL, and bytes that are looked at with them
 * as a packet, a stretch of a stream and a transaction whose every buffer they are.
 *
 * With libFuzzer (clang -fsanitize=fuzzer -DLIBFUZZER) that is all. Built without it, the program
 * takes the rules of files, one by one, with bytes made from their own contents, and a number of
 * mutations of each:
 *
 *     rule_fuzz MUTATIONS FILE...
 *
 * FUZZ_SEED, a number, gives other mutations; FUZZ_CORPUS, a folder, keeps the inputs that the
 * rules themselves are, for libFuzzer to begin with.
 */
#include "fuzz_input.h"

#include "base/clock.h"
#include "capture/rules/engine.h"
#include "cli/rule_files.h"

#define INPUT_MAX 65536
#define NOW       ((int64_t)1700000000 * SECOND)

struct counts {
	unsigned long inputs, loaded, refused, alerts;
};

static void count_alert(void *context, const struct rule *rule, const struct inspection *inspection)
{
	/* Only what was loaded may alert. */
	if (!rule->sid && !rule->line)
		abort();
	((struct counts *)context)->alerts++;
}

static void check_refusal(void *context, const char *file, const struct rule_text *text,
			  const char *why)
{
	if (!why || !why[0] || !text->line || text->column > text->text.length + 1)
		abort();
	((struct counts *)context)->refused++;
}

static void look(struct engine *engine, struct slice bytes, struct counts *counts)
{
	static struct buffer buffers[BUFFER_COUNT];
	static struct fact facts[FACT_COUNT];
	static const char *const anomalies[] = {"http.invalid_content_length"};
	struct flow flow = {.client = address_v4(0x01020304),
			    .server = address_v4(0x05060708),
			    .client_port = 40000,
			    .server_port = 80,
			    .transport = TRANSPORT_TCP,
			    .state = FLOW_ESTABLISHED,
			    .started = NOW - SECOND,
			    .bytes = {10, 10}};
	struct packet packet;
	struct inspection inspection = {.flow = &flow, .packet = &packet, .time = NOW};

	/* Also as a packet of its own: headers that rules ask about are what comes. */
	if (packet_decode(&packet, LINK_RAW, bytes, (uint32_t)bytes.length, NOW, true) < 0)
		inspection.packet = NULL;
	for (int i = 0; i < BUFFER_COUNT; i++)
		buffers[i] = (struct buffer){(enum buffer_id)i, bytes};
	for (int i = 0; i < FACT_COUNT; i++)
		facts[i] = (struct fact){(enum fact_id)i, (int64_t)bytes.length};
	inspection.findings = (struct findings){buffers, 1, NULL, 0, NULL, 0};
	for (int pass = 0; pass < 2 * APPLICATION_COUNT; pass++) {
		inspection.direction = pass & 1 ? TO_CLIENT : TO_SERVER;
		inspection.application = (enum application_id)(pass / 2);
		flow.application = (uint8_t)inspection.application;
		inspection.kind = INSPECT_STREAM;
		inspection.findings.buffer_count = 1;
		inspection.findings.fact_count = inspection.findings.anomaly_count = 0;
		engine_inspect(engine, &inspection, count_alert, counts);
		inspection.kind = inspection.packet ? INSPECT_PACKET : INSPECT_STREAM;
		engine_inspect(engine, &inspection, count_alert, counts);
		inspection.kind = INSPECT_TRANSACTION;
		inspection.findings =
			(struct findings){buffers, BUFFER_COUNT, facts, FACT_COUNT, anomalies, 1};
		engine_inspect(engine, &inspection, count_alert, counts);
	}
	free(flow.bits);
	free(flow.numbers);
}

static void play(struct slice input, struct counts *counts)
{
	size_t end = slice_find_byte(input, '\0');
	struct slice text = slice_first(input, end);
	struct slice bytes = end == SIZE_MAX ? text : slice_from(input, end + 1);
	struct engine_report report = {counts, check_refusal};
	struct engine_counts known;
	struct variables variables;
	struct engine *engine;

	rule_variables_start(&variables);
	engine = engine_new(&variables);
	if (!engine)
		fatal("no memory");
	engine_add(engine, "fuzz", text, &report);
	if (engine_ready(engine, -1))
		abort();
	known = engine_counts(engine);
	if (known.loaded + known.refused != known.read)
		abort();
	counts->loaded += known.loaded;
	if (known.loaded)
		look(engine, bytes, counts);
	engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counts counts = {0};

	play(slice_of(data, size < INPUT_MAX ? size : INPUT_MAX), &counts);
	return 0;
}

#ifndef LIBFUZZER
static uint64_t draws = 1;

static size_t draw(size_t below)
{
	draws = draws * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(draws >> 33) % below;
}

/* What stands in quotes, with |hexadecimal| taken for bytes: the rule shall find it. */
static void harvest(struct slice rule, struct writer *out)
{
	bool quoted = false, hex = false;

	for (size_t i = 0; i < rule.length; i++) {
		uint8_t byte = rule.at[i], value;

		if (byte == '"') {
			quoted = !quoted;
			hex = false;
		} else if (quoted && byte == '|') {
			hex = !hex;
		} else if (quoted && hex && i + 1 < rule.length &&
			   slice_unhex(slice_of(rule.at + i, 2), &value, 1) == 1) {
			writer_u8(out, value);
			i++;
		} else if (quoted && !hex) {
			writer_u8(out, byte);
		}
	}
	writer_text(out, "\x05\x01\x02YXR0YWNrIGF0IGRhd24= 1,2,3,4 abcdefghijklmnopqrstuvwxyz");
}

/* Behind the next semicolon. */
static size_t next_option(const uint8_t *bytes, size_t length, size_t at)
{
	while (at < length && bytes[at] != ';')
		at++;
	return at < length ? at + 1 : length;
}

/* Takes an option out, or puts one in a second time; the rule may well stay one. */
static size_t mutate_options(uint8_t *bytes, size_t length)
{
	size_t from = next_option(bytes, length, draw(length));
	size_t to = next_option(bytes, length, from), at, size = to - from;
	uint8_t copy[512];

	if (size == 0 || size > sizeof(copy) || length + size > INPUT_MAX)
		return length;
	memcpy(copy, bytes + from, size);
	if (draw(2)) {
		memmove(bytes + from, bytes + to, length - to);
		length -= size;
	}
	if (draw(3)) {
		at = next_option(bytes, length, draw(length));
		memmove(bytes + at + size, bytes + at, length - at);
		memcpy(bytes + at, copy, size);
		length += size;
	}
	return length;
}

/* Flips, cuts, doubles, moves, and puts in what the language is made of. */
static size_t mutate(uint8_t *bytes, size_t length)
{
	static const char *const pieces[] = {"(",
					     ")",
					     ";",
					     ":",
					     "\"",
					     "|",
					     "!",
					     "\\",
					     "[",
					     "]",
					     ",",
					     "$",
					     "/",
					     "-1",
					     "65536",
					     "99999999999999999999",
					     "0",
					     "<>",
					     "any",
					     "\n",
					     "\\\n",
					     "#",
					     "\xef\xbb\xbf",
					     "alert ",
					     "|00",
					     "relative",
					     "content:\"",
					     "pcre:\"/",
					     "nocase;",
					     "http_uri;",
					     "sid:1;",
					     "distance:-5;",
					     "within:0;",
					     "depth:size;",
					     "x",
					     "$HOME_NET",
					     "::/0",
					     "/129"};

	for (size_t i = 0, count = 1 + draw(3); i < count && length > 1; i++) {
		size_t at = draw(length), other = draw(length), size;
		const char *piece;

		switch (draw(9)) {
		case 5:
		case 6:
		case 7:
		case 8:
			length = mutate_options(bytes, length);
			break;
		case 0:
			bytes[at] ^= (uint8_t)(1 << draw(8));
			break;
		case 1: /* some go, now and then all that follow */
			size = draw(20) ? draw(8) + 1 : length;
			size = size < length - at ? size : length - at;
			memmove(bytes + at, bytes + at + size, length - at - size);
			length -= size;
			break;
		case 2: /* some stand there twice */
			size = draw(length - at < 64 ? length - at : 64) + 1;
			if (size > length - at || length + size > INPUT_MAX)
				break;
			memmove(bytes + at + size, bytes + at, length - at);
			length += size;
			break;
		case 3: /* some stand elsewhere too */
			size = draw(24) + 1;
			if (at + size <= length && other + size <= length)
				memmove(bytes + at, bytes + other, size);
			break;
		default:
			piece = pieces[draw(ARRAY_COUNT(pieces))];
			size = strlen(piece);
			if (length + size <= INPUT_MAX) {
				memmove(bytes + at + size, bytes + at, length - at);
				memcpy(bytes + at, piece, size);
				length += size;
			}
		}
	}
	return length;
}

static void replay(struct slice rule, unsigned long mutations, uint8_t *room, struct counts *counts)
{
	struct writer bytes = writer_growing(INPUT_MAX);

	harvest(rule, &bytes);
	for (unsigned long i = 0; i <= mutations; i++) {
		size_t length = rule.length;

		memcpy(room, rule.at, rule.length);
		if (i)
			length = mutate(room, length);
		if (length + 1 + bytes.length <= 2 * INPUT_MAX) {
			room[length++] = '\0';
			memcpy(room + length, bytes.at, bytes.length);
			length += bytes.length;
		}
		if (i == 0)
			fuzz_keep(slice_of(room, length), "rule", counts->inputs);
		play(slice_of(room, length), counts);
		counts->inputs++;
	}
	writer_free(&bytes);
}

int main(int argc, char **argv)
{
	uint8_t *room = calloc(2, INPUT_MAX);
	struct counts counts = {0};

	if (!room || argc < 3)
		fatal("usage: rule_fuzz MUTATIONS FILE...");
	draws = fuzz_seed(1);
	for (int i = 2; i < argc; i++) {
		struct arena arena = arena_of((size_t)64 * 1024 * 1024);
		size_t length;
		char *text = rule_files_read(argv[i], &length);
		struct rule_reader reader;
		struct rule_text rule;
		const char *why;

		if (!text)
			fatal("cannot read %s", argv[i]);
		reader = rule_reader_of(slice_of(text, length));
		while (rule_next(&reader, &arena, &rule, &why) != RULE_END) {
			if (rule.text.length < INPUT_MAX / 2)
				replay(rule.text, strtoul(argv[1], NULL, 10), room, &counts);
			if (arena.taken > arena.cap / 2)
				arena_drop(&arena);
		}
		arena_drop(&arena);
		free(text);
	}
	printf("%lu inputs, %lu rules loaded, %lu refused, %lu alerts\n", counts.inputs,
	       counts.loaded, counts.refused, counts.alerts);
	free(room);
	return counts.alerts ? 0 : 1;
}
#endif
