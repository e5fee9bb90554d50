/* The terminal driver, byte for byte as Linux's N_TTY: what every step gives was taken from a real
 * pseudo-terminal with the same modes and cat(1) behind it; here the fake machine's cat reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/machine/machine.h"
#include "decoy/machine/terminal.h"
#include "decoy/registry.h"
#include "decoy/stage.h"

#define STEPS_MAX  8
#define OUTPUT_MAX ((size_t)65536)
#define TURNS_MAX  10000

struct step {
	const char *keys;
	size_t keys_length;
	const char *shown;
	size_t shown_length;
	const char *shown_by_key; /* NULL: the same when the keys come one by one */
	size_t shown_by_key_length;
};

static const struct scene {
	const char *name;
	const char *modes; /* RFC 4254 section 8 */
	size_t modes_length;
	struct step steps[STEPS_MAX];
} scenes[] = {
	{"line",
	 "",
	 0,
	 {
		 {"ab c\r", 5, "ab c\r\nab c\r\n", 12, NULL, 0},
		 {"x\n", 2, "x\r\nx\r\n", 6, NULL, 0},
	 }},
	{"erase",
	 "",
	 0,
	 {
		 {"abc\177\177d\r", 7, "abc\b \b\b \bd\r\nad\r\n", 16, NULL, 0},
		 {"\177\177z\r", 4, "z\r\nz\r\n", 6, NULL, 0},
	 }},
	{"erase of controls",
	 "",
	 0,
	 {
		 {"a\001\033\177\177b\r", 7, "a^A^[\b \b\b \b\b \b\b \bb\r\nab\r\n", 24, NULL, 0},
	 }},
	{"erase of a tab",
	 "",
	 0,
	 {
		 {"ab\tc\177\177\177d\r", 9, "ab\tc\b \b\b\b\b\b\b\b\b \bd\r\nad\r\n", 23, NULL, 0},
		 {"\t\177\r", 3, "\t\b\b\b\b\b\b\b\b\r\n\r\n", 13, NULL, 0},
		 {"a\t\t\177\r", 5, "a\t\t\b\b\b\b\b\b\b\b\r\na\t\r\n", 17, NULL, 0},
		 {"\001\t\177x\r", 5, "^A\t\b\b\b\b\b\bx\r\n\001x\r\n", 16, NULL, 0},
		 {"abcdefgh\t\177\r", 11, "abcdefgh\t\b\b\b\b\b\b\b\b\r\nabcdefgh\r\n", 29, NULL,
		  0},
	 }},
	{"erase of tab behind output",
	 "",
	 0,
	 {
		 {"ab\004", 3, "abab", 4, NULL, 0},
		 {"\tc\177\177\r", 5, "\tc\b \b\b\b\b\b\r\n\r\n", 13, NULL, 0},
	 }},
	{"kill",
	 "",
	 0,
	 {
		 {"abc\025d\r", 6, "abc\b \b\b \b\b \bd\r\nd\r\n", 18, NULL, 0},
		 {"a\tb\001\025x\r", 7, "a\tb^A\b \b\b \b\b \b\b\b\b\b\b\b\b\b \bx\r\nx\r\n", 30,
		  NULL, 0},
		 {"\025\r", 2, "\r\n\r\n", 4, NULL, 0},
	 }},
	{"kill without echoke",
	 "\075\000\000\000\000",
	 5,
	 {
		 {"abc\025d\r", 6, "abc^U\r\nd\r\nd\r\n", 13, NULL, 0},
	 }},
	{"kill without echoke and echok",
	 "\075\000\000\000\000\067\000\000\000\000",
	 10,
	 {
		 {"abc\025d\r", 6, "abc^Ud\r\nd\r\n", 11, NULL, 0},
	 }},
	{"kill without echoe",
	 "\066\000\000\000\000",
	 5,
	 {
		 {"abc\025d\r", 6, "abc^U\r\nd\r\nd\r\n", 13, NULL, 0},
	 }},
	{"word erase",
	 "",
	 0,
	 {
		 {"one two\027x\r", 10, "one two\b \b\b \b\b \bx\r\none x\r\n", 26, NULL, 0},
		 {"one  two  \027x\r", 13, "one  two  \b \b\b \b\b \b\b \b\b \bx\r\none  x\r\n", 36,
		  NULL, 0},
		 {"a.b-c\027x\r", 8, "a.b-c\b \bx\r\na.b-x\r\n", 18, NULL, 0},
		 {"a_b\027x\r", 6, "a_b\b \b\b \b\b \bx\r\nx\r\n", 18, NULL, 0},
		 {"/bin/ls\027\027x\r", 11, "/bin/ls\b \b\b \b\b \b\b \b\b \b\b \bx\r\n/x\r\n", 32,
		  NULL, 0},
		 {"..\027x\r", 5, "..\b \b\b \bx\r\nx\r\n", 14, NULL, 0},
		 {"\027x\r", 3, "x\r\nx\r\n", 6, NULL, 0},
	 }},
	{"word erase utf8",
	 "\052\000\000\000\001",
	 5,
	 {
		 {"a \303\244\303\266\027x\r", 9, "a \303\244\303\266\b \b\b \bx\r\na x\r\n", 20,
		  NULL, 0},
		 {"\342\202\254\342\202\254-\342\202\254\027x\r", 13,
		  "\342\202\254\342\202\254-\342\202\254\b \bx\r\n\342\202\254\342\202\254-x\r\n",
		  26, NULL, 0},
	 }},
	{"word erase bytes",
	 "",
	 0,
	 {
		 {"a \303\244\303\266\027x\r", 9,
		  "a \303\244\303\266\b \b\b \bx\r\na \303\244x\r\n", 22, NULL, 0},
	 }},
	{"utf8 erase",
	 "\052\000\000\000\001",
	 5,
	 {
		 {"\303\244\177x\r", 5, "\303\244\b \bx\r\nx\r\n", 11, NULL, 0},
		 {"\342\202\254\177x\r", 6, "\342\202\254\b \bx\r\nx\r\n", 12, NULL, 0},
		 {"a\360\237\230\200\177x\r", 8, "a\360\237\230\200\b \bx\r\nax\r\n", 15, NULL, 0},
		 {"\200\200\177x\r", 5, "\200\200x\r\n\200\200x\r\n", 10, NULL, 0},
	 }},
	{"bytes erase",
	 "",
	 0,
	 {
		 {"\303\244\177x\r", 5, "\303\244\b \bx\r\n\303x\r\n", 12, NULL, 0},
	 }},
	{"no echoe",
	 "\066\000\000\000\000",
	 5,
	 {
		 {"abc\177\177d\r", 7, "abc^?^?d\r\nad\r\n", 14, NULL, 0},
		 {"\177a\r", 3, "a\r\na\r\n", 6, NULL, 0},
	 }},
	{"no echoctl",
	 "\074\000\000\000\000",
	 5,
	 {
		 {"a\001b\177\177c\r", 7, "a\001b\b \bc\r\nac\r\n", 13, NULL, 0},
		 {"x\003", 2, "\003<END>", 6, "x\003<END>", 7},
	 }},
	{"no echo",
	 "\065\000\000\000\000",
	 5,
	 {
		 {"abc\177d\r", 6, "abd\r\n", 5, NULL, 0},
		 {"x\025y\r", 4, "y\r\n", 3, NULL, 0},
		 {"\004", 1, "<END>", 5, NULL, 0},
	 }},
	{"no echo, echonl",
	 "\065\000\000\000\000\070\000\000\000\001",
	 10,
	 {
		 {"ab\r", 3, "\r\nab\r\n", 6, NULL, 0},
	 }},
	{"end of file behind a part",
	 "",
	 0,
	 {
		 {"ab\004", 3, "abab", 4, NULL, 0},
		 {"c\r", 2, "c\r\nc\r\n", 6, NULL, 0},
		 {"d\004e\004", 4, "dede", 4, "ddee", 4},
		 {"\004", 1, "<END>", 5, NULL, 0},
	 }},
	{"end of file twice",
	 "",
	 0,
	 {
		 {"ab\004\004", 4, "abab<END>", 9, NULL, 0},
	 }},
	{"end of file alone",
	 "",
	 0,
	 {
		 {"\004", 1, "<END>", 5, NULL, 0},
	 }},
	{"end of file behind a line",
	 "",
	 0,
	 {
		 {"ab\rcd\004", 6, "ab\r\ncdab\r\ncd", 12, "ab\r\nab\r\ncdcd", 12},
		 {"x\r", 2, "x\r\nx\r\n", 6, NULL, 0},
	 }},
	{"type-ahead",
	 "",
	 0,
	 {
		 {"a\rb\rc\r", 6, "a\r\nb\r\nc\r\na\r\nb\r\nc\r\n", 18,
		  "a\r\na\r\nb\r\nb\r\nc\r\nc\r\n", 18},
	 }},
	{"literal next",
	 "",
	 0,
	 {
		 {"a\026\003b\r", 5, "a^\b^Cb\r\na\003b\r\n", 13, NULL, 0},
		 {"\026\026\r", 3, "^\b^V\r\n\026\r\n", 9, NULL, 0},
		 {"\026\177\177x\r", 5, "^\b^?\b \b\b \bx\r\nx\r\n", 16, NULL, 0},
		 {"\026\r\r", 3, "^\b^M\r\n\r\r\n", 9, NULL, 0},
		 {"\026\n\r", 3, "^\b^J\r\n\r\n\r\n", 10, NULL, 0},
		 {"\026\004\r", 3, "^\b^D\r\n\004\r\n", 9, NULL, 0},
		 {"\026\025y\r", 4, "^\b^Uy\r\n\025y\r\n", 11, NULL, 0},
		 {"\026\023\r", 3, "^\b^S\r\n\023\r\n", 9, NULL, 0},
	 }},
	{"no iexten",
	 "\073\000\000\000\000",
	 5,
	 {
		 {"a b\027c\r", 6, "a b^Wc\r\na b\027c\r\n", 15, NULL, 0},
		 {"a\026b\r", 4, "a^Vb\r\na\026b\r\n", 11, NULL, 0},
		 {"ab\022\r", 4, "ab^R\r\nab\022\r\n", 11, NULL, 0},
	 }},
	{"reprint",
	 "",
	 0,
	 {
		 {"ab\001\022c\r", 6, "ab^A^R\r\nab^Ac\r\nab\001c\r\n", 21, NULL, 0},
	 }},
	{"discard",
	 "",
	 0,
	 {
		 {"ab\017c\r", 5, "ab^Oc\r\nab\017c\r\n", 13, NULL, 0},
	 }},
	{"interrupt",
	 "",
	 0,
	 {
		 {"abc\003", 4, "^C<END>", 7, "abc^C<END>", 10},
	 }},
	{"quit",
	 "",
	 0,
	 {
		 {"abc\034", 4, "^\\<END>", 7, "abc^\\<END>", 10},
	 }},
	{"no isig",
	 "\062\000\000\000\000",
	 5,
	 {
		 {"a\003b\034\032\r", 6, "a^Cb^\\^Z\r\na\003b\034\032\r\n", 17, NULL, 0},
	 }},
	{"noflsh",
	 "\071\000\000\000\001\074\000\000\000\001",
	 10,
	 {
		 {"abc\003", 4, "abc^C<END>", 10, NULL, 0},
	 }},
	{"stop and start",
	 "",
	 0,
	 {
		 {"a\023", 2, "", 0, "a", 1},
		 {"bc\r", 3, "", 0, NULL, 0},
		 {"d\r", 2, "", 0, NULL, 0},
		 {"\021", 1, "abc\r\nd\r\nabc\r\nd\r\n", 16, "bc\r\nd\r\nabc\r\nd\r\n", 15},
	 }},
	{"stop twice",
	 "",
	 0,
	 {
		 {"\023\023ab\021", 5, "ab", 2, NULL, 0},
	 }},
	{"start without stop",
	 "",
	 0,
	 {
		 {"a\021b\r", 4, "ab\r\nab\r\n", 8, NULL, 0},
	 }},
	{"stop, any",
	 "\047\000\000\000\001",
	 5,
	 {
		 {"a\023", 2, "", 0, "a", 1},
		 {"b", 1, "ab", 2, "b", 1},
		 {"c\r", 2, "c\r\nabc\r\n", 8, NULL, 0},
	 }},
	{"no ixon",
	 "\046\000\000\000\000",
	 5,
	 {
		 {"a\023b\021\r", 5, "a^Sb^Q\r\na\023b\021\r\n", 14, NULL, 0},
	 }},
	{"stopped, interrupt",
	 "",
	 0,
	 {
		 {"a\023", 2, "", 0, "a", 1},
		 {"b\003", 2, "^C<END>", 7, NULL, 0},
	 }},
	{"igncr",
	 "\043\000\000\000\001",
	 5,
	 {
		 {"a\rb\n", 4, "ab\r\nab\r\n", 8, NULL, 0},
	 }},
	{"no icrnl",
	 "\044\000\000\000\000",
	 5,
	 {
		 {"a\rb\n", 4, "a^Mb\r\na\rb\r\n", 11, NULL, 0},
	 }},
	{"inlcr",
	 "\042\000\000\000\001\044\000\000\000\000",
	 10,
	 {
		 {"a\nb\r\004", 5, "a^Mb^Ma\rb\r", 10, NULL, 0},
	 }},
	{"inlcr and icrnl",
	 "\042\000\000\000\001",
	 5,
	 {
		 {"a\nb\r", 4, "a^Mb\r\na\rb\r\n", 11, NULL, 0},
	 }},
	{"istrip",
	 "\041\000\000\000\001",
	 5,
	 {
		 {"\341\342\215", 3, "ab\r\nab\r\n", 8, NULL, 0},
	 }},
	{"no opost",
	 "\106\000\000\000\000",
	 5,
	 {
		 {"a\rb\r", 4, "a\nb\na\nb\n", 8, "a\na\nb\nb\n", 8},
	 }},
	{"no onlcr",
	 "\110\000\000\000\000",
	 5,
	 {
		 {"ab\rc\r", 5, "ab\nc\nab\nc\n", 10, "ab\nab\nc\nc\n", 10},
	 }},
	{"ocrnl",
	 "\111\000\000\000\001\044\000\000\000\000\110\000\000\000\000",
	 15,
	 {
		 {"a\rb\n", 4, "a^Mb\na\nb\n", 9, NULL, 0},
	 }},
	{"ocrnl and onlcr",
	 "\111\000\000\000\001\044\000\000\000\000",
	 10,
	 {
		 {"a\rb\n", 4, "a^Mb\r\na\nb\r\n", 11, NULL, 0},
	 }},
	{"onocr",
	 "\112\000\000\000\001\044\000\000\000\000",
	 10,
	 {
		 {"\ra\rb\n", 5, "^Ma^Mb\r\na\rb\r\n", 13, NULL, 0},
	 }},
	{"onlret",
	 "\113\000\000\000\001\110\000\000\000\000",
	 10,
	 {
		 {"ab\rc\t\177\r", 7, "ab\nc\t\b\b\b\b\b\b\b\nab\nc\n", 18,
		  "ab\nab\nc\t\b\b\b\b\b\b\b\nc\n", 18},
	 }},
	{"olcuc",
	 "\107\000\000\000\001",
	 5,
	 {
		 {"aBc\r", 4, "ABC\r\nABC\r\n", 10, NULL, 0},
	 }},
	{"other characters",
	 "\003\000\000\000\010\004\000\000\000\030\001\000\000\000\013\005\000\000\000\032",
	 20,
	 {
		 {"ab\bc\r", 5, "ab\b \bc\r\nac\r\n", 12, NULL, 0},
		 {"ab\030c\r", 5, "ab\b \b\b \bc\r\nc\r\n", 14, NULL, 0},
		 {"ab\177\r", 4, "ab^?\r\nab\177\r\n", 11, NULL, 0},
		 {"\013", 1, "^K<END>", 7, NULL, 0},
	 }},
	{"no characters",
	 "\003\000\000\000\377\004\000\000\000\377\001\000\000\000\377",
	 15,
	 {
		 {"ab\025\003\177\r", 6, "ab^U^C^?\r\nab\025\003\177\r\n", 17, NULL, 0},
		 {"a\000b\r", 4, "a^@b\r\na\000b\r\n", 11, NULL, 0},
	 }},
	{"end of line",
	 "\006\000\000\000\073\007\000\000\000\054",
	 10,
	 {
		 {"ab;", 3, "ab;ab;", 6, NULL, 0},
		 {"c,", 2, "c,c,", 4, NULL, 0},
		 {"d\r", 2, "d\r\nd\r\n", 6, NULL, 0},
	 }},
	{"nul",
	 "",
	 0,
	 {
		 {"a\000b\177\177c\r", 7, "a^@b\b \b\b \b\b \bc\r\nac\r\n", 20, NULL, 0},
	 }},
	{"bell and others",
	 "",
	 0,
	 {
		 {"\007\013\014\035\036\037\r", 7, "^G^K^L^]^^^_\r\n\007\013\014\035\036\037\r\n",
		  22, NULL, 0},
	 }},
	{"del shown",
	 "\003\000\000\000\010",
	 5,
	 {
		 {"a\177\bb\r", 5, "a^?\b \b\b \bb\r\nab\r\n", 16, NULL, 0},
	 }},
	{"raw",
	 "\063\000\000\000\000\065\000\000\000\000\062\000\000\000\000\044\000\000\000\000\046\000"
	 "\000\000\000\106\000\000\000\000\073\000\000\000\000",
	 35,
	 {
		 {"ab\003\004\r\n\177\025\026", 9, "ab\003\004\r\n\177\025\026", 9, NULL, 0},
	 }},
	{"cbreak",
	 "\063\000\000\000\000",
	 5,
	 {
		 {"ab\177\025\027\026\004\r", 8, "ab^?^U^W^V^D\r\nab\177\025\027\026\004\r\n", 23,
		  "aabb^?\177^U\025^W\027^V\026^D\004\r\n\r\n", 23},
		 {"\003", 1, "^C<END>", 7, NULL, 0},
	 }},
	{"cbreak without echo",
	 "\063\000\000\000\000\065\000\000\000\000",
	 10,
	 {
		 {"ab\r", 3, "ab\r\n", 4, NULL, 0},
	 }},
};

static const struct protocol nothing = {
	.name = "machine", .title = "test", .ports = {{TCP, 22, false}}, .gives_shells = true};

/* A machine with one terminal and cat on it. */
struct desk {
	struct stage stage;
	const struct persona *persona;
	struct session *session;
	struct machine *machine;
	struct writer shown;
	bool ended, wrote;
};

static void take_output(void *context, enum machine_stream stream, struct slice bytes)
{
	struct desk *desk = context;

	desk->wrote = true;
	writer_bytes(&desk->shown, bytes);
}

static void take_end(void *context, int status, int signal)
{
	struct desk *desk = context;

	desk->ended = true;
	writer_text(&desk->shown, "<END>");
}

static void ignore_event(struct stage *stage, const struct event *event)
{
}

static void set_up(struct desk *desk)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {7};
	const char *source = getenv("SUNDEW_SOURCE");
	char share[4096], *why = NULL;

	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	*desk = (struct desk){.persona = persona_plain(secret, 1790000000 * SECOND)};
	stage_open(&desk->stage, &nothing, desk->persona);
	desk->stage.seed = 1;
	desk->stage.on_event = ignore_event;
	assert_int_equal(stage_machine(&desk->stage, share, NULL, &why), 0);
	desk->shown = writer_growing(OUTPUT_MAX);
}

static void clear_up(struct desk *desk)
{
	stage_close(&desk->stage);
	persona_free((void *)(uintptr_t)desk->persona);
	writer_free(&desk->shown);
}

/* Lets the machine run until it waits for keys. */
static void settle(struct desk *desk)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		int64_t due;

		machine_room(desk->machine, MACHINE_OUTPUT, 65536);
		desk->wrote = false;
		machine_run(desk->machine);
		due = machine_deadline(desk->machine);
		if (desk->ended || (!desk->wrote && due == INT64_MAX))
			return;
		if (due != INT64_MAX && due > desk->stage.monotonic)
			desk->stage.monotonic = due;
		desk->stage.monotonic += MILLISECOND;
	}
	fail_msg("the machine does not come to rest");
}

static void open_terminal(struct desk *desk, struct slice modes)
{
	struct machine_terminal terminal = {"vt100", 80, 24, modes};
	struct machine_start start = {
		.session = desk->session = stage_session(&desk->stage, TCP),
		.service = "sshd",
		.user = SLICE("root"),
		.depth = ACCESS_ROOT,
		.program = "/bin/cat",
		.terminal = &terminal,
		.context = desk,
		.output = take_output,
		.ended = take_end,
	};

	desk->ended = false;
	desk->machine = machine_new(&start);
	assert_non_null(desk->machine);
	writer_clear(&desk->shown);
	settle(desk);
	assert_int_equal(desk->shown.length, 0);
}

static void close_terminal(struct desk *desk)
{
	machine_free(desk->machine);
	session_end(desk->session, "done");
}

static void type(struct desk *desk, const void *keys, size_t length)
{
	writer_clear(&desk->shown);
	assert_int_equal(machine_input(desk->machine, slice_of(keys, length)), length);
	settle(desk);
}

static void print_bytes(const char *what, struct slice bytes)
{
	struct writer line = writer_growing(OUTPUT_MAX);

	writer_printable(&line, bytes);
	print_error("  %s %.*s\n", what, (int)line.length, (const char *)line.at);
	writer_free(&line);
}

/* One scene, each step in one piece or a key at a time. Returns the number of steps that differ. */
static unsigned play(struct desk *desk, const struct scene *scene, bool by_key)
{
	unsigned differ = 0;

	open_terminal(desk, slice_of(scene->modes, scene->modes_length));
	for (size_t i = 0; i < STEPS_MAX && scene->steps[i].keys; i++) {
		const struct step *step = &scene->steps[i];
		struct slice wanted = slice_of(step->shown, step->shown_length);
		size_t piece = by_key ? 1 : step->keys_length;

		if (by_key && step->shown_by_key)
			wanted = slice_of(step->shown_by_key, step->shown_by_key_length);
		writer_clear(&desk->shown);
		for (size_t at = 0; at < step->keys_length; at += piece) {
			assert_int_equal(
				machine_input(desk->machine, slice_of(step->keys + at, piece)),
				piece);
			settle(desk);
		}
		if (slice_equal(writer_slice(&desk->shown), wanted))
			continue;
		differ++;
		print_error("%s, step %zu%s\n", scene->name, i + 1, by_key ? ", by key" : "");
		print_bytes("typed ", slice_of(step->keys, step->keys_length));
		print_bytes("wanted", wanted);
		print_bytes("got   ", writer_slice(&desk->shown));
	}
	close_terminal(desk);
	return differ;
}

static void scenes_are_as_on_linux(void **state)
{
	struct desk desk;
	unsigned differ = 0;

	set_up(&desk);
	for (size_t i = 0; i < ARRAY_COUNT(scenes); i++) {
		differ += play(&desk, &scenes[i], false);
		differ += play(&desk, &scenes[i], true);
	}
	clear_up(&desk);
	assert_int_equal(differ, 0);
}

/* A line holds 4095 characters and its end; what is more is shown and lost. */
static void long_lines_are_cut(void **state)
{
	static const size_t lengths[] = {4093, 4094, 4095, 4096, 4097, 5000};
	static uint8_t line[5000];
	struct desk desk;

	set_up(&desk);
	memset(line, 'a', sizeof(line));
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		size_t kept = lengths[i] < 4095 ? lengths[i] : 4095;

		open_terminal(&desk, slice_of(NULL, 0));
		type(&desk, line, lengths[i]);
		assert_int_equal(desk.shown.length, lengths[i]);
		type(&desk, "\r", 1);
		assert_int_equal(desk.shown.length, 2 + kept + 2);
		type(&desk, "b\r", 2);
		assert_memory_equal(desk.shown.at, "b\r\nb\r\n", 6);
		close_terminal(&desk);
	}
	clear_up(&desk);
}

/* RFC 4254 section 8. */
static void modes_are_decoded(void **state)
{
	struct terminal_modes modes;
	static const uint8_t encoded[] = {
		1,   0, 0, 0,    2,                 /* VINTR ^B */
		7,   0, 0, 0,    255,               /* VEOL2: none */
		53,  0, 0, 0,    0,                 /* ECHO off */
		42,  0, 0, 0,    1,                 /* IUTF8 */
		128, 0, 0, 0x96, 0,                 /* speeds */
		129, 0, 1, 0xc2, 0,                 /* ... */
		99,  0, 0, 0,    7,                 /* unknown */
		0,   3, 0, 0,    0,   9, 0xff, 0xff /* behind the end */
	};

	terminal_modes_usual(&modes);
	terminal_modes_decode(&modes, slice_of(encoded, sizeof(encoded)));
	assert_int_equal(modes.control[TERMINAL_INTR], 2);
	assert_int_equal(modes.control[TERMINAL_EOL2], 0);
	assert_int_equal(modes.control[TERMINAL_ERASE], 0x7f);
	assert_false(modes.local & TERMINAL_ECHO);
	assert_true(modes.input & TERMINAL_IUTF8);
	assert_int_equal(modes.input_speed, 38400);
	assert_int_equal(modes.output_speed, 115200);
	/* Cut off in the middle, at every place. */
	for (size_t length = 0; length < sizeof(encoded); length++) {
		terminal_modes_usual(&modes);
		terminal_modes_decode(&modes, slice_of(encoded, length));
		assert_int_equal(modes.control[TERMINAL_INTR], length < 5 ? 3 : 2);
		assert_int_equal(modes.output_speed, length < 30 ? 38400 : 115200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes_are_as_on_linux),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(modes_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
