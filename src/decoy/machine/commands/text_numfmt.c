/* numfmt as GNU coreutils 9.1. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

#define INVALID_STATUS 2
#define PADDING_MAX    256

enum scale { SCALE_NONE, SCALE_SI, SCALE_IEC, SCALE_IEC_I, SCALE_AUTO };
static const char *const to_scales[] = {"none", "si", "iec", "iec-i"};
static const char *const from_scales[] = {"none", "auto", "si", "iec", "iec-i"};
static const enum scale from_meanings[] = {SCALE_NONE, SCALE_AUTO, SCALE_SI, SCALE_IEC,
					   SCALE_IEC_I};
enum rounding { ROUND_UP, ROUND_DOWN, ROUND_FROM_ZERO, ROUND_TO_ZERO, ROUND_NEAREST };
static const char *const roundings[] = {"up", "down", "from-zero", "towards-zero", "nearest"};
enum invalid { INVALID_ABORT, INVALID_FAIL, INVALID_WARN, INVALID_IGNORE };
static const char *const invalids[] = {"abort", "fail", "warn", "ignore"};
static const char powers[] = "\0KMGTPEZY";

struct numfmt {
	struct process *process;
	enum scale from, to;
	enum rounding rounding;
	enum invalid invalid;
	double from_unit, to_unit;
	int64_t padding, header;
	bool fields_given, zero, debug, aligned, failed;
	uint64_t first_field, last_field;
	int delimiter; /* -1: blanks */
	const char *suffix;
	/* --format: what stands before and behind, and digits behind the point (-1: as needed) */
	struct slice before, behind;
	int64_t width, precision;
	bool left, zeros;
};

static unsigned choice(struct numfmt *n, const char *option, const char *word,
		       const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return (unsigned)i;
	process_complain(n->process, "invalid argument '%s' for '--%s'", word, option);
	process_error(n->process, "Valid arguments are:\n");
	for (size_t i = 0; i < count; i++)
		process_error(n->process, "  - '%s'\n", words[i]);
	text_try_help(n->process, 1);
}

/* --- reading a number --- */

/* Words of what is wrong with it, or NULL. */
static const char *read_number(struct numfmt *n, const char *text, double *value)
{
	struct process *p = n->process;
	char *end;
	const char *at = text + (*text == '-'), *letter;
	size_t power;

	if (!isdigit((unsigned char)*at) && *at != '.')
		return process_format(p, "invalid number: '%s'", text);
	for (; isdigit((unsigned char)*at) || *at == '.'; at++)
		continue;
	*value = strtod(process_copy_slice(p, slice_of(text, (size_t)(at - text))), &end);
	if (!*at)
		return NULL;
	letter = *at ? memchr(powers + 1, *at == 'k' ? 'K' : *at, sizeof(powers) - 2) : NULL;
	if (!letter)
		return process_format(p, "invalid suffix in input: '%s'", text);
	if (n->from == SCALE_NONE)
		return process_format(p, "rejecting suffix in input: '%s' (consider using --from)",
				      text);
	power = (size_t)(letter - powers);
	at++;
	if (n->from == SCALE_IEC_I && *at != 'i')
		return process_format(p, "missing 'i' suffix in input: '%s' (e.g Ki/Mi/Gi)", text);
	if (n->from == SCALE_IEC_I || (n->from == SCALE_AUTO && *at == 'i')) {
		at++;
		*value *= pow(1024, (double)power);
	} else {
		*value *= pow(n->from == SCALE_IEC ? 1024 : 1000, (double)power);
	}
	if (*at)
		return process_format(p, "invalid suffix in input '%s': '%s'", text, at);
	return NULL;
}

/* --- writing it --- */

static double round_as(enum rounding how, double value)
{
	switch (how) {
	case ROUND_UP:
		return ceil(value);
	case ROUND_DOWN:
		return floor(value);
	case ROUND_FROM_ZERO:
		return value < 0 ? floor(value) : ceil(value);
	case ROUND_TO_ZERO:
		return trunc(value);
	default:
		return round(value);
	}
}

static char *show_number(struct numfmt *n, double value, int64_t digits)
{
	double base = n->to == SCALE_SI ? 1000 : 1024, factor;
	size_t power = 0;
	int64_t shown = n->precision >= 0 ? n->precision : digits;

	if (n->to == SCALE_NONE) {
		factor = pow(10, (double)shown);
		value = round_as(n->rounding, value * factor) / factor;
		return process_format(n->process, "%.*f", (int)shown, value);
	}
	while (fabs(value) >= base && power + 2 < sizeof(powers)) {
		value /= base;
		power++;
	}
	factor = n->precision >= 0 ? pow(10, (double)n->precision) : fabs(value) < 10 ? 10 : 1;
	value = round_as(n->rounding, value * factor) / factor;
	if (fabs(value) >= base && power + 2 < sizeof(powers)) {
		value /= base;
		power++;
	}
	shown = n->precision >= 0 ? n->precision : value != 0 && fabs(value) < 10 && power > 0;
	if (!power)
		return process_format(n->process, "%.*f", (int)shown, value);
	return process_format(n->process, "%.*f%c%s", (int)shown, value, powers[power],
			      n->to == SCALE_IEC_I ? "i" : "");
}

static void pad(struct numfmt *n, struct text *out, const char *word, int64_t width)
{
	int64_t length = (int64_t)strlen(word), wanted = width < 0 ? -width : width;

	for (int64_t i = length; width > 0 && i < wanted; i++)
		text_add_byte(n->process, out, ' ');
	text_add_words(n->process, out, word);
	for (int64_t i = length; width < 0 && i < wanted; i++)
		text_add_byte(n->process, out, ' ');
}

/* A field as it shall be; false: it is no number and stays. */
static bool convert(struct numfmt *n, const char *word, int64_t width, struct text *out)
{
	struct process *p = n->process;
	size_t length = strlen(word), end = n->suffix ? strlen(n->suffix) : 0;
	const char *wrong, *shown, *point;
	double value = 0;
	int64_t digits;

	if (end && length > end && strcmp(word + length - end, n->suffix) == 0)
		word = process_copy_slice(p, slice_of(word, length - end));
	wrong = read_number(n, word, &value);
	if (wrong) {
		if (n->invalid != INVALID_IGNORE) {
			process_flush(p);
			process_complain(p, "%s", wrong);
		}
		if (n->invalid == INVALID_ABORT)
			process_exit(p, INVALID_STATUS);
		n->failed = n->failed || n->invalid == INVALID_FAIL;
		return false;
	}
	point = strchr(word, '.');
	digits =
		point && !word[strspn(word, "-.0123456789")] && n->from_unit == 1 && n->to_unit == 1
			? (int64_t)strspn(point + 1, "0123456789")
			: 0;
	shown = show_number(n, value * n->from_unit / n->to_unit, digits);
	if (n->suffix)
		shown = process_format(p, "%s%s", shown, n->suffix);
	for (int64_t i = (int64_t)strlen(shown); n->zeros && i < n->width; i++)
		shown = process_format(p, "0%s", shown);
	text_add(p, out, n->before);
	pad(n, out, shown, width ? width : n->left ? -n->width : n->width);
	text_add(p, out, n->behind);
	return true;
}

static void convert_line(struct numfmt *n, struct slice line)
{
	struct process *p = n->process;
	struct text out = {0};
	size_t at = 0;

	for (uint64_t field = 1; at < line.length || field == 1; field++) {
		size_t start = at, word;
		bool wanted = field >= n->first_field && field <= n->last_field, done = false;
		int64_t width = n->padding;

		if (n->delimiter < 0) {
			while (at < line.length && isspace(line.at[at]))
				at++;
			word = at;
			while (at < line.length && !isspace(line.at[at]))
				at++;
			/* Leading blanks: the field keeps its width. */
			if (!width && (word - start > 1 || (field == 1 && word > start)))
				width = (int64_t)(at - start - (field > 1));
		} else {
			word = at;
			while (at < line.length && line.at[at] != n->delimiter)
				at++;
		}
		if (n->delimiter < 0 && field > 1)
			text_add_byte(p, &out, line.at[start]);
		if (wanted)
			done = convert(n,
				       process_copy_slice(p, slice_of(line.at + word, at - word)),
				       width, &out);
		if (!done)
			text_add(p, &out,
				 n->delimiter < 0 && field > 1
					 ? slice_of(line.at + start + 1, at - start - 1)
					 : slice_of(line.at + start, at - start));
		if (n->delimiter >= 0 && at < line.length) {
			text_add_byte(p, &out, line.at[at++]);
			if (at == line.length)
				break;
		}
		process_step(p);
	}
	process_put(p, text_slice(&out));
	process_give(p, out.data);
}

/* --- options --- */

static void take_format(struct numfmt *n, const char *format)
{
	struct process *p = n->process;
	const char *at = strchr(format, '%');
	char *end;

	while (at && at[1] == '%')
		at = strchr(at + 2, '%');
	if (!at) {
		process_complain(p, "format '%s' has no %% directive", format);
		process_exit(p, 1);
	}
	n->before = slice_of(format, (size_t)(at - format));
	for (at++; *at && strchr("-0' ", *at); at++) {
		n->left = n->left || *at == '-';
		n->zeros = n->zeros || *at == '0';
	}
	n->width = (int64_t)strtoul(at, &end, 10);
	at = end;
	if (*at == '.') {
		n->precision = (int64_t)strtoul(at + 1, &end, 10);
		at = end;
	}
	if (*at != 'f') {
		process_complain(p, "invalid format '%s', directive must be %%[0]['][-][N][.][N]f",
				 format);
		process_exit(p, 1);
	}
	n->behind = slice_text(at + 1);
	if (n->width > PADDING_MAX || n->precision > 60) {
		process_complain(p, "invalid precision in format '%s'", format);
		process_exit(p, 1);
	}
}

static double unit(struct numfmt *n, const char *text)
{
	struct numfmt plain = {.process = n->process, .from = SCALE_AUTO};
	double value;

	if (read_number(&plain, text, &value) == NULL && value >= 1)
		return value;
	process_complain(n->process, "invalid unit size: '%s'", text);
	process_exit(n->process, 1);
}

static void take_fields(struct numfmt *n, const char *text)
{
	char *end;

	n->first_field = strtoull(text, &end, 10);
	n->last_field = n->first_field;
	if (strcmp(text, "-") == 0)
		n->first_field = 1, n->last_field = UINT64_MAX, end++;
	else if (*end == '-')
		n->last_field = end[1] ? strtoull(end + 1, &end, 10) : (end++, UINT64_MAX);
	n->first_field += n->first_field == 0 && *text == '-';
	if (n->first_field == 0 || *end) {
		process_complain(n->process, "invalid field value '%s'", text);
		text_try_help(n->process, 1);
	}
}

static void take_padding(struct numfmt *n, const char *text)
{
	if (slice_number(slice_text(text), -PADDING_MAX, PADDING_MAX, &n->padding) == 0 &&
	    n->padding)
		return;
	process_complain(n->process, "invalid padding value '%s'", text);
	process_exit(n->process, 1);
}

enum {
	OPTION_FROM = TEXT_OWN,
	OPTION_TO,
	OPTION_FROM_UNIT,
	OPTION_TO_UNIT,
	OPTION_PADDING,
	OPTION_HEADER,
	OPTION_SUFFIX,
	OPTION_FORMAT,
	OPTION_ROUND,
	OPTION_INVALID,
	OPTION_FIELD,
	OPTION_GROUPING
};

static void take_option(struct numfmt *n, int option, const char *argument)
{
	switch (option) {
	case OPTION_FROM:
		n->from = from_meanings[choice(n, "from", argument, from_scales,
					       ARRAY_COUNT(from_scales))];
		break;
	case OPTION_TO:
		n->to = (enum scale)choice(n, "to", argument, to_scales, ARRAY_COUNT(to_scales));
		break;
	case OPTION_FROM_UNIT:
		n->from_unit = unit(n, argument);
		break;
	case OPTION_TO_UNIT:
		n->to_unit = unit(n, argument);
		break;
	case OPTION_PADDING:
		take_padding(n, argument);
		break;
	case OPTION_HEADER:
		if (slice_number(slice_text(argument ? argument : "1"), 1, INT32_MAX, &n->header)) {
			process_complain(n->process, "invalid header value '%s'", argument);
			process_exit(n->process, 1);
		}
		break;
	case OPTION_SUFFIX:
		n->suffix = argument;
		break;
	case OPTION_FORMAT:
		take_format(n, argument);
		break;
	case OPTION_ROUND:
		n->rounding = (enum rounding)choice(n, "round", argument, roundings,
						    ARRAY_COUNT(roundings));
		break;
	case OPTION_INVALID:
		n->invalid = (enum invalid)choice(n, "invalid", argument, invalids,
						  ARRAY_COUNT(invalids));
		break;
	case OPTION_FIELD:
		take_fields(n, argument);
		break;
	case 'd':
		n->delimiter = (uint8_t)argument[0];
		break;
	case 'z':
		n->zero = true;
		break;
	case OPTION_GROUPING: /* the C locale groups nothing */
		break;
	default:
		text_other_option(n->process, option, COREUTILS, "[OPTION]... [NUMBER]...", 1);
	}
}

static int numfmt_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"from", OPTION_FROM, OPTION_NEEDS},
						   {"to", OPTION_TO, OPTION_NEEDS},
						   {"from-unit", OPTION_FROM_UNIT, OPTION_NEEDS},
						   {"to-unit", OPTION_TO_UNIT, OPTION_NEEDS},
						   {"padding", OPTION_PADDING, OPTION_NEEDS},
						   {"header", OPTION_HEADER, OPTION_MAY},
						   {"suffix", OPTION_SUFFIX, OPTION_NEEDS},
						   {"format", OPTION_FORMAT, OPTION_NEEDS},
						   {"round", OPTION_ROUND, OPTION_NEEDS},
						   {"invalid", OPTION_INVALID, OPTION_NEEDS},
						   {"field", OPTION_FIELD, OPTION_NEEDS},
						   {"grouping", OPTION_GROUPING},
						   {"delimiter", 'd', OPTION_NEEDS},
						   {"zero-terminated", 'z'},
						   TEXT_WORDS};
	struct numfmt n = {.process = process,
			   .rounding = ROUND_FROM_ZERO,
			   .from_unit = 1,
			   .to_unit = 1,
			   .first_field = 1,
			   .last_field = 1,
			   .delimiter = -1,
			   .precision = -1};
	struct option_state state = {0};
	struct line_reader reader;
	struct slice line;
	bool newline;
	int option;

	while ((option = option_next(process, &state, argc, argv, "d:z", words)) != -1)
		take_option(&n, option, state.argument);
	for (int i = state.index; i < argc; i++) {
		convert_line(&n, slice_text(argv[i]));
		process_put_byte(process, n.zero ? '\0' : '\n');
	}
	if (state.index < argc)
		return n.failed ? INVALID_STATUS : 0;
	line_reader_open(&reader, 0);
	while (line_reader_until(process, &reader, n.zero ? '\0' : '\n', &line, &newline)) {
		if (n.header-- > 0)
			process_put(process, line);
		else
			convert_line(&n, line);
		if (newline)
			process_put_byte(process, n.zero ? '\0' : '\n');
	}
	return n.failed ? INVALID_STATUS : 0;
}

static const struct command commands[] = {
	{"numfmt", numfmt_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_numfmt = {"text_numfmt", commands};
