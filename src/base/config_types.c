/* Configuration: how single values are written; see config_types.h. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config_types.h"

struct unit {
	int64_t size;
	const char *suffix;
};

static const struct unit sizes[] = {
	{(int64_t)1 << 40, "T"}, {(int64_t)1 << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}, {1, ""}};
static const struct unit durations[] = {{DAY, "d"}, {HOUR, "h"}, {MINUTE, "m"}, {SECOND, "s"}};

/* What people read about each type; `form` completes "must be ...". */
static const struct {
	const char *name, *form;
} types[] = {
	[DIRECTIVE_TEXT] = {"text", "a text"},
	[DIRECTIVE_NUMBER] = {"number", "a whole number"},
	[DIRECTIVE_REAL] = {"real", "a number such as 0.25"},
	[DIRECTIVE_BOOLEAN] = {"yes/no", "yes or no (or true, false, on, off)"},
	[DIRECTIVE_DURATION] = {"duration", "a length of time such as 90s, 15m, 24h or 7d"},
	[DIRECTIVE_SIZE] = {"size", "a size such as 4096, 64K, 16M or 2G"},
	[DIRECTIVE_CHOICE] = {"choice", "one of "},
	[DIRECTIVE_TEXTS] = {"texts", "a text or a list of texts"},
	[DIRECTIVE_PORTS] = {"ports",
			     "a port (1 to 65535), a range such as 8000-8010, or a list of these"},
	[DIRECTIVE_NODE] = {"block", "a mapping or a list"},
};

const char *config_types_name(enum directive_type type)
{
	return types[type].name;
}

int config_types_parse_size(struct slice text, int64_t *bytes)
{
	int64_t unit = 1, count;

	for (size_t i = 0; text.length && sizes[i].size > 1; i++) {
		if ((text.at[text.length - 1] & ~0x20) == sizes[i].suffix[0]) {
			unit = sizes[i].size;
			text.length--;
			break;
		}
	}
	if (slice_number(text, 0, INT64_MAX / unit, &count) < 0)
		return -1;
	*bytes = count * unit;
	return 0;
}

int config_types_parse_real(const char *text, double *number)
{
	char *end;

	if (text[0] == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
		return -1;
	*number = strtod(text, &end);
	return *end == 0 && end != text && isfinite(*number) ? 0 : -1;
}

int config_types_parse_ports(struct slice text, struct config_port_range *range)
{
	size_t dash = slice_find_byte(text, '-');
	int64_t first, last;

	if (slice_number(slice_trim(slice_first(text, dash)), 1, 65535, &first) < 0)
		return -1;
	last = first;
	if (dash != SIZE_MAX &&
	    slice_number(slice_trim(slice_from(text, dash + 1)), first, 65535, &last) < 0)
		return -1;
	*range = (struct config_port_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

/* A bound as it would be written in the file: the largest unit that leaves no rest. */
static void write_bound(enum directive_type type, int64_t number, struct writer *out)
{
	const struct unit *units = type == DIRECTIVE_SIZE ? sizes : durations;
	size_t count = type == DIRECTIVE_SIZE ? ARRAY_COUNT(sizes) : ARRAY_COUNT(durations);

	for (size_t i = 0; type != DIRECTIVE_NUMBER && number != 0 && i < count; i++) {
		if (number % units[i].size == 0) {
			writer_decimal(out, number / units[i].size);
			writer_text(out, units[i].suffix);
			return;
		}
	}
	if (type == DIRECTIVE_DURATION && number != 0)
		writer_format(out, "%.6gs", (double)number / (double)SECOND);
	else
		writer_decimal(out, number);
}

static void write_bounds(const struct directive *d, struct writer *out)
{
	bool has_low = d->minimum != INT64_MIN, has_high = d->maximum != INT64_MAX;

	if (d->type != DIRECTIVE_NUMBER && d->type != DIRECTIVE_DURATION &&
	    d->type != DIRECTIVE_SIZE)
		return;
	if ((d->minimum == 0 && d->maximum == 0) || (!has_low && !has_high))
		return;
	writer_text(out, has_low && has_high ? " from "
			 : has_low           ? " of at least "
					     : " of at most ");
	if (has_low)
		write_bound(d->type, d->minimum, out);
	if (has_low && has_high)
		writer_text(out, " to ");
	if (has_high)
		write_bound(d->type, d->maximum, out);
}

static void write_choices(const struct directive *d, struct writer *out)
{
	for (size_t i = 0; d->choices[i]; i++)
		writer_format(out, "%s%s", i ? ", " : "", d->choices[i]);
}

void config_types_accepted(const struct directive *directive, struct writer *out)
{
	writer_text(out, types[directive->type].form);
	if (directive->type == DIRECTIVE_CHOICE)
		write_choices(directive, out);
	write_bounds(directive, out);
}
