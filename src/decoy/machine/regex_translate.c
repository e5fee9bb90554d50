/* From POSIX patterns (basic, extended, awk's; with GNU's additions) to Perl's. */
#include <ctype.h>

#include "decoy/machine/regex_translate.h"

/* Groups within each other; nobody writes more, and PCRE2 recurses while it compiles. */
#define GROUP_DEPTH_MAX 100
/* glibc's RE_DUP_MAX. */
#define REPEAT_MAX 32767

struct translation {
	struct process *process;
	struct slice pattern;
	size_t at;
	struct text *out;
	struct regex_traits *traits;
	const char *why;
	unsigned base; /* groups of earlier patterns (grep's lines) */
	unsigned closed, opened;
	bool basic, awk, grep, escapes;
	/* Where the last item began in `out`, for repeats; repeated: it has one already. */
	size_t item;
	bool has_item, repeated;
	size_t groups[GROUP_DEPTH_MAX];
	unsigned depth;
	unsigned order[REGEX_SPANS]; /* open groups' numbers are not to be referred to */
};

static void put(struct translation *t, const char *words)
{
	text_add_words(t->process, t->out, words);
}

static int peek(const struct translation *t, size_t ahead)
{
	return t->at + ahead < t->pattern.length ? t->pattern.at[t->at + ahead] : -1;
}

static void put_literal(struct translation *t, int byte)
{
	if (isalnum(byte))
		text_add_byte(t->process, t->out, (uint8_t)byte);
	else
		text_format(t->process, t->out, "\\x%02x", (unsigned)byte);
}

static void begin_item(struct translation *t)
{
	t->item = t->out->length;
	t->has_item = true;
	t->repeated = false;
}

static void literal_item(struct translation *t, int byte)
{
	begin_item(t);
	put_literal(t, byte);
}

static void anchor(struct translation *t, const char *words)
{
	put(t, words);
	t->has_item = false;
}

/* --- brackets --- */

/* Length of "[:name:]" and its like at the position, or 0; -1 when it has no end. */
static int special_length(const struct translation *t)
{
	int kind = peek(t, 1);

	if (peek(t, 0) != '[' || (kind != ':' && kind != '.' && kind != '='))
		return 0;
	for (size_t i = 2; peek(t, i) >= 0 && i < 40; i++) {
		if (peek(t, i) == kind && peek(t, i + 1) == ']')
			return (int)i + 2;
	}
	return -1;
}

static bool class_name(struct translation *t, int length)
{
	static const char *const names[] = {"alpha", "digit", "alnum", "upper", "lower", "space",
					    "blank", "punct", "print", "graph", "cntrl", "xdigit"};
	struct slice name = slice_of(t->pattern.at + t->at + 2, (size_t)length - 4);

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is(name, names[i])) {
			text_format(t->process, t->out, "[:%s:]", names[i]);
			t->at += (size_t)length;
			return true;
		}
	}
	t->why = "Invalid character class name";
	return false;
}

static int hex_digits(const struct translation *t, size_t ahead, unsigned *value)
{
	int count = 0;

	*value = 0;
	while (count < 2 && peek(t, ahead + (size_t)count) >= 0 &&
	       isxdigit(peek(t, ahead + (size_t)count))) {
		int digit = tolower(peek(t, ahead + (size_t)count));

		*value = *value * 16 + (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
		count++;
	}
	return count;
}

/* The control character that a backslash and what follows mean to sed or awk; its length in the
 * pattern behind the backslash, or 0. */
static int control_escape(const struct translation *t, unsigned *byte)
{
	static const char letters[] = "nt"
				      "fvar",
			  bytes[] = "\n\t\f\v\a\r";
	int next = peek(t, 1);
	const char *found = next > 0 ? strchr(letters, next) : NULL;
	unsigned value = 0;
	int count = 0;

	if (found) {
		*byte = (unsigned char)bytes[found - letters];
		return 1;
	}
	if (t->awk && next == 'b') {
		*byte = '\b';
		return 1;
	}
	if (next == 'x' && !t->awk) {
		count = hex_digits(t, 2, byte);
		return count > 0 ? count + 1 : 0;
	}
	if (t->awk) {
		while (count < 3 && peek(t, 1 + (size_t)count) >= '0' &&
		       peek(t, 1 + (size_t)count) <= '7') {
			value = value * 8 + (unsigned)(peek(t, 1 + (size_t)count) - '0');
			count++;
		}
		*byte = value & 255;
		return count;
	}
	if (next == 'o' || next == 'd') {
		int base = next == 'o' ? 8 : 10;

		while (count < 3 && peek(t, 2 + (size_t)count) >= '0' &&
		       peek(t, 2 + (size_t)count) < '0' + base) {
			value = value * (unsigned)base +
				(unsigned)(peek(t, 2 + (size_t)count) - '0');
			count++;
		}
		*byte = value & 255;
		return count > 0 ? count + 1 : 0;
	}
	if (next == 'c' && peek(t, 2) > 0) {
		*byte = (unsigned)toupper(peek(t, 2)) ^ 64;
		return 2;
	}
	return 0;
}

/* One member of a bracket: its byte, or -1 (a class, already put), or -2 (error). */
static int bracket_member(struct translation *t)
{
	int special = special_length(t);
	unsigned byte;
	int length;

	if (special > 0 && peek(t, 1) == ':')
		return class_name(t, special) ? -1 : -2;
	if (special > 0) {
		if (special != 5) {
			t->why = "Invalid collation character";
			return -2;
		}
		length = peek(t, 2);
		t->at += 5;
		return length;
	}
	if (special < 0 && peek(t, 1) != '=') {
		t->why = "Unmatched [, [^, [:, [., or [=";
		return -2;
	}
	if (peek(t, 0) == '\\' && (t->awk || t->escapes)) {
		length = control_escape(t, &byte);
		if (length > 0) {
			t->at += 1 + (size_t)length;
			return (int)byte;
		}
		if (t->awk && peek(t, 1) >= 0) {
			t->at += 2;
			return t->pattern.at[t->at - 1];
		}
		if (peek(t, 1) == ']' || peek(t, 1) < 0) {
			t->at++;
			return '\\';
		}
	}
	return t->pattern.at[t->at++];
}

/* [:space:] where [[:space:]] was meant. */
static bool bare_class(const struct translation *t)
{
	size_t i = 1;

	if (peek(t, 0) != ':')
		return false;
	while (peek(t, i) >= 0 && peek(t, i) != ']')
		i++;
	return i > 1 && peek(t, i) == ']' && peek(t, i - 1) == ':' && !t->awk;
}

static void bracket(struct translation *t)
{
	bool first = true;

	if (bare_class(t)) {
		t->why = "character class syntax is [[:space:]], not [:space:]";
		return;
	}
	begin_item(t);
	put(t, "[");
	if (peek(t, 0) == '^') {
		put(t, "^");
		t->at++;
	}
	for (;; first = false) {
		int low = peek(t, 0), high;

		if (low < 0) {
			t->why = "Unmatched [, [^, [:, [., or [=";
			return;
		}
		if (low == ']' && !first)
			break;
		low = bracket_member(t);
		if (low == -2)
			return;
		if (low == -1)
			continue;
		if (peek(t, 0) != '-' || peek(t, 1) == ']' || peek(t, 1) < 0) {
			text_format(t->process, t->out, "\\x%02x", (unsigned)low);
			continue;
		}
		t->at++;
		high = bracket_member(t);
		if (high == -2)
			return;
		if (high < low) {
			t->why = "Invalid range end";
			return;
		}
		text_format(t->process, t->out, "\\x%02x-\\x%02x", (unsigned)low, (unsigned)high);
	}
	t->at++;
	put(t, "]");
}

/* --- groups and repeats --- */

static void open_group(struct translation *t)
{
	if (t->depth == GROUP_DEPTH_MAX) {
		t->why = "Regular expression too big";
		return;
	}
	t->groups[t->depth++] = t->out->length;
	t->opened++;
	t->traits->groups++;
	if (t->opened <= REGEX_SPANS - 1)
		t->order[t->opened] = t->depth;
	put(t, "(");
	t->has_item = false;
}

static void close_group(struct translation *t)
{
	t->item = t->groups[--t->depth];
	for (unsigned i = 1; i < REGEX_SPANS && i <= t->opened; i++) {
		if (t->order[i] > t->depth)
			t->order[i] = 0;
	}
	put(t, ")");
	t->has_item = true;
	t->repeated = false;
}

static void alternative(struct translation *t)
{
	put(t, "|");
	t->traits->alternatives = true;
	t->has_item = false;
}

static void repeat(struct translation *t, const char *words)
{
	if (t->repeated) { /* a*+ would be possessive, a+? lazy */
		text_add_words(t->process, t->out, ")   ");
		memmove(t->out->data + t->item + 3, t->out->data + t->item,
			t->out->length - t->item - 3);
		memcpy(t->out->data + t->item, "(?:", 3);
	}
	put(t, words);
	t->repeated = true;
}

/* `{` with the numbers up to the closing one at the position; -1: not a repeat at all. */
static int read_repeat(struct translation *t, int *low, int *high)
{
	size_t i = 0;
	int numbers[2] = {-1, -1};
	int which = 0;

	for (;; i++) {
		int byte = peek(t, i);

		if (byte >= '0' && byte <= '9') {
			if (numbers[which] < 0)
				numbers[which] = 0;
			if (numbers[which] <= REPEAT_MAX)
				numbers[which] = numbers[which] * 10 + (byte - '0');
		} else if (byte == ',' && which == 0) {
			which = 1;
		} else if (t->basic ? byte == '\\' && peek(t, i + 1) == '}' : byte == '}') {
			i += t->basic ? 2 : 1;
			break;
		} else {
			if (byte < 0 && t->basic)
				t->why = "Unmatched \\{";
			else if (t->basic)
				t->why = "Invalid content of \\{\\}";
			return -1;
		}
	}
	if (which == 0 && numbers[0] < 0) {
		if (t->basic)
			t->why = "Invalid content of \\{\\}";
		return -1;
	}
	if (numbers[0] > REPEAT_MAX || numbers[1] > REPEAT_MAX)
		t->why = "Regular expression too big";
	*low = numbers[0] < 0 ? 0 : numbers[0];
	*high = which == 0 ? *low : numbers[1];
	if (*high >= 0 && *high < *low)
		t->why = "Invalid content of \\{\\}";
	t->at += i;
	return 0;
}

static void braces(struct translation *t)
{
	char words[40];
	int low, high;
	struct writer w = writer_fixed(words, sizeof(words));

	if (t->basic && !t->has_item && !t->grep) {
		t->why = "Invalid preceding regular expression";
		return;
	}
	if (read_repeat(t, &low, &high) != 0) {
		if (!t->why)
			literal_item(t, '{');
		return;
	}
	if (!t->has_item && !t->basic && t->grep)
		process_complain(t->process, "warning: {...} at start of expression");
	if (t->why || !t->has_item)
		return;
	if (high < 0)
		writer_format(&w, "{%d,}", low);
	else
		writer_format(&w, "{%d,%d}", low, high);
	writer_u8(&w, 0);
	repeat(t, words);
}

static void repeat_letter(struct translation *t, int letter)
{
	char words[2] = {(char)letter, '\0'};

	if (t->has_item) {
		if (t->basic && t->repeated && letter == '*' && !t->grep) {
			t->why = "Invalid preceding regular expression";
			return;
		}
		repeat(t, words);
	} else if (t->basic)
		literal_item(t, letter);
	else if (t->awk)
		t->why = "missing operand";
	else if (!t->grep)
		t->why = "Invalid preceding regular expression";
	else /* grep passes over a repeat of nothing */
		process_complain(t->process, "warning: %c at start of expression", letter);
}

/* --- the rest --- */

static void back_reference(struct translation *t, int digit)
{
	unsigned number = (unsigned)(digit - '0');

	if (number > t->opened || t->order[number] != 0) {
		t->why = "Invalid back reference";
		return;
	}
	begin_item(t);
	text_format(t->process, t->out, "\\g{%u}", t->base + number);
	t->traits->back_references = true;
}

static void class_escape(struct translation *t, int letter)
{
	begin_item(t);
	text_format(t->process, t->out, "\\%c", letter);
}

/* Behind a backslash that is not one of the syntax's own. */
static void other_escape(struct translation *t, int letter)
{
	switch (letter) {
	case 'w':
	case 'W':
	case 's':
	case 'S':
		class_escape(t, letter);
		break;
	case 'b':
	case 'B':
		anchor(t, letter == 'b' ? "\\b" : "\\B");
		break;
	case '<':
		anchor(t, "\\b(?=\\w)");
		break;
	case '>':
		anchor(t, "\\b(?<=\\w)");
		break;
	case '`':
		anchor(t, "\\A");
		break;
	case '\'':
		anchor(t, "\\z");
		break;
	default:
		if (letter >= '1' && letter <= '9')
			back_reference(t, letter);
		else
			literal_item(t, letter);
		break;
	}
}

static void escape(struct translation *t)
{
	int next = peek(t, 1);
	unsigned byte;
	int length = t->escapes || t->awk ? control_escape(t, &byte) : 0;

	if (length > 0) {
		t->at += 1 + (size_t)length;
		literal_item(t, (int)byte);
		return;
	}
	if (next < 0) {
		if (t->awk) {
			literal_item(t, '\\');
			t->at++;
		} else
			t->why = "Trailing backslash";
		return;
	}
	t->at += 2;
	if (t->awk) {
		literal_item(t, next);
		return;
	}
	if (!t->basic) {
		other_escape(t, next);
		return;
	}
	switch (next) {
	case '(':
		open_group(t);
		break;
	case ')':
		if (t->depth == 0)
			t->why = "Unmatched ) or \\)";
		else
			close_group(t);
		break;
	case '|':
		alternative(t);
		break;
	case '{':
		braces(t);
		break;
	case '+':
	case '?':
		if (t->has_item)
			repeat(t, next == '+' ? "+" : "?");
		else
			literal_item(t, next);
		break;
	default:
		other_escape(t, next);
		break;
	}
}

/* In basic patterns ^ and $ are themselves but at the ends of the whole, a group, an alternative.
 */
static bool begins_here(const struct translation *t)
{
	size_t at = t->at;
	const uint8_t *p = t->pattern.at;

	if (!t->basic || at == 0)
		return true;
	if (at >= 2 && p[at - 2] == '\\' && (p[at - 1] == '(' || p[at - 1] == '|'))
		return true;
	return p[at - 1] == '\n';
}

static bool ends_here(const struct translation *t)
{
	if (!t->basic || peek(t, 1) < 0)
		return true;
	if (peek(t, 1) == '\\' && (peek(t, 2) == ')' || peek(t, 2) == '|'))
		return true;
	return peek(t, 1) == '\n';
}

static void close_extended(struct translation *t)
{
	if (t->depth > 0)
		close_group(t);
	else if (t->grep || t->awk)
		literal_item(t, ')');
	else
		t->why = "Unmatched ) or \\)";
	t->at++;
}

static void one(struct translation *t)
{
	int byte = peek(t, 0);

	switch (byte) {
	case '\\':
		escape(t);
		return;
	case '[':
		t->at++;
		bracket(t);
		return;
	case '.':
		begin_item(t);
		put(t, ".");
		break;
	case '*':
		repeat_letter(t, byte);
		break;
	case '^':
		if (begins_here(t))
			anchor(t, "^");
		else
			literal_item(t, byte);
		break;
	case '$':
		if (ends_here(t))
			anchor(t, "$");
		else
			literal_item(t, byte);
		break;
	case '+':
	case '?':
		if (t->basic)
			literal_item(t, byte);
		else
			repeat_letter(t, byte);
		break;
	case '{':
		if (t->basic || t->awk) {
			literal_item(t, byte);
			break;
		}
		t->at++;
		braces(t);
		return;
	case '(':
		if (t->basic)
			literal_item(t, byte);
		else
			open_group(t);
		break;
	case ')':
		if (t->basic)
			literal_item(t, byte);
		else {
			close_extended(t);
			return;
		}
		break;
	case '|':
		if (t->basic)
			literal_item(t, byte);
		else
			alternative(t);
		break;
	default:
		literal_item(t, byte);
		break;
	}
	t->at++;
}

const char *regex_translate(struct process *process, struct slice pattern, enum regex_syntax syntax,
			    unsigned flags, struct text *out, struct regex_traits *traits)
{
	struct translation t = {
		.process = process,
		.pattern = pattern,
		.out = out,
		.traits = traits,
		.base = traits->groups,
		.basic = syntax == REGEX_BASIC,
		.awk = syntax == REGEX_AWK,
		.grep = (flags & REGEX_GREP) != 0,
		.escapes = (flags & REGEX_ESCAPES) != 0,
	};

	if (syntax == REGEX_FIXED) {
		for (size_t i = 0; i < pattern.length; i++)
			put_literal(&t, pattern.at[i]);
		return NULL;
	}
	while (t.at < pattern.length && !t.why) {
		process_step(process);
		one(&t);
	}
	if (!t.why && t.depth > 0)
		t.why = syntax == REGEX_AWK ? "missing ')'" : "Unmatched ( or \\(";
	return t.why;
}
