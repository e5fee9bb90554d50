/* Time: date, cal, hwclock, timedatectl. The host's clock runs on UTC. */
#include <ctype.h>
#include <stdio.h>

#include "decoy/machine/commands/system.h"

static const char *const long_months[] = {"January",   "February", "March",    "April",
					  "May",       "June",     "July",     "August",
					  "September", "October",  "November", "December"};
static const char *const long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday"};

static int day_of_year(const struct civil_time *c)
{
	struct civil_time first = {.year = c->year, .month = 1, .day = 1};
	struct civil_time day = {.year = c->year, .month = c->month, .day = c->day};

	return (int)((clock_from_civil(&day) - clock_from_civil(&first)) / DAY);
}

/* ISO 8601's week and its year. */
static int iso_week(const struct civil_time *c, int *year)
{
	int weekday = (c->weekday + 6) % 7, day = day_of_year(c);
	int week = (day - weekday + 10) / 7;
	struct civil_time last = {.year = c->year - 1, .month = 12, .day = 31};

	*year = c->year;
	if (week < 1) {
		last = clock_civil(clock_from_civil(&last));
		(*year)--;
		return (day_of_year(&last) - (last.weekday + 6) % 7 + 10) / 7;
	}
	if (week == 53) {
		struct civil_time next = {.year = c->year + 1, .month = 1, .day = 1};

		next = clock_civil(clock_from_civil(&next));
		if ((next.weekday + 6) % 7 < 4) {
			(*year)++;
			return 1;
		}
	}
	return week;
}

struct field {
	char pad; /* 0: usual, '-', '_', '0' */
	bool upper;
	int width;
};

static void put_number(struct process *p, struct text *text, const struct field *f, int64_t value,
		       int width, char pad)
{
	if (f->pad == '-')
		width = 0;
	else if (f->pad == '_')
		pad = ' ';
	else if (f->pad == '0')
		pad = '0';
	if (f->width)
		width = f->width;
	text_format(p, text, pad == ' ' ? "%*lld" : "%0*lld", width, (long long)value);
}

static void put_words(struct process *p, struct text *text, const struct field *f,
		      const char *words)
{
	for (; *words; words++)
		text_add_byte(p, text,
			      (uint8_t)(f->upper ? toupper((unsigned char)*words) : *words));
}

static void date_format(struct process *p, struct text *text, const char *format, int64_t time,
			unsigned depth);

static void date_field(struct process *p, struct text *text, const struct field *f, char letter,
		       int64_t time, unsigned depth)
{
	struct civil_time c = clock_civil(time);
	int year, week, hour = c.hour % 12 ? c.hour % 12 : 12;
	static const struct {
		char letter;
		const char *format;
	} composed[] = {{'c', "%a %b %e %H:%M:%S %Y"},
			{'D', "%m/%d/%y"},
			{'F', "%Y-%m-%d"},
			{'r', "%I:%M:%S %p"},
			{'R', "%H:%M"},
			{'T', "%H:%M:%S"},
			{'x', "%m/%d/%y"},
			{'X', "%H:%M:%S"}};

	for (size_t i = 0; i < ARRAY_COUNT(composed); i++)
		if (composed[i].letter == letter && depth < 3) {
			date_format(p, text, composed[i].format, time, depth + 1);
			return;
		}
	week = iso_week(&c, &year);
	switch (letter) {
	case 'a':
		put_words(p, text, f, system_days[c.weekday]);
		break;
	case 'A':
		put_words(p, text, f, long_days[c.weekday]);
		break;
	case 'b':
	case 'h':
		put_words(p, text, f, system_months[c.month - 1]);
		break;
	case 'B':
		put_words(p, text, f, long_months[c.month - 1]);
		break;
	case 'C':
		put_number(p, text, f, c.year / 100, 2, '0');
		break;
	case 'd':
		put_number(p, text, f, c.day, 2, '0');
		break;
	case 'e':
		put_number(p, text, f, c.day, 2, ' ');
		break;
	case 'g':
		put_number(p, text, f, year % 100, 2, '0');
		break;
	case 'G':
		put_number(p, text, f, year, 4, '0');
		break;
	case 'H':
		put_number(p, text, f, c.hour, 2, '0');
		break;
	case 'k':
		put_number(p, text, f, c.hour, 2, ' ');
		break;
	case 'I':
		put_number(p, text, f, hour, 2, '0');
		break;
	case 'l':
		put_number(p, text, f, hour, 2, ' ');
		break;
	case 'j':
		put_number(p, text, f, day_of_year(&c) + 1, 3, '0');
		break;
	case 'm':
		put_number(p, text, f, c.month, 2, '0');
		break;
	case 'M':
		put_number(p, text, f, c.minute, 2, '0');
		break;
	case 'n':
		text_add_byte(p, text, '\n');
		break;
	case 'N':
		if (f->width == 3 || f->pad == '3')
			text_format(p, text, "%03d", c.microsecond / 1000);
		else
			text_format(p, text, "%06d%03d", c.microsecond, (int)(time % 991) % 1000);
		break;
	case 'p':
		text_add_words(p, text, c.hour < 12 ? "AM" : "PM");
		break;
	case 'P':
		text_add_words(p, text, c.hour < 12 ? "am" : "pm");
		break;
	case 'q':
		put_number(p, text, f, (c.month + 2) / 3, 1, '0');
		break;
	case 's':
		put_number(p, text, f, time / SECOND, 0, '0');
		break;
	case 'S':
		put_number(p, text, f, c.second, 2, '0');
		break;
	case 't':
		text_add_byte(p, text, '\t');
		break;
	case 'u':
		put_number(p, text, f, c.weekday ? c.weekday : 7, 1, '0');
		break;
	case 'w':
		put_number(p, text, f, c.weekday, 1, '0');
		break;
	case 'U':
		put_number(p, text, f, (day_of_year(&c) + 7 - c.weekday) / 7, 2, '0');
		break;
	case 'W':
		put_number(p, text, f, (day_of_year(&c) + 7 - (c.weekday + 6) % 7) / 7, 2, '0');
		break;
	case 'V':
		put_number(p, text, f, week, 2, '0');
		break;
	case 'y':
		put_number(p, text, f, c.year % 100, 2, '0');
		break;
	case 'Y':
		put_number(p, text, f, c.year, 4, '0');
		break;
	case 'z':
		text_add_words(p, text, "+0000");
		break;
	case 'Z':
		text_add_words(p, text, "UTC");
		break;
	case '%':
		text_add_byte(p, text, '%');
		break;
	default:
		text_format(p, text, "%%%c", letter);
	}
}

static void date_format(struct process *p, struct text *text, const char *format, int64_t time,
			unsigned depth)
{
	for (; *format; format++) {
		struct field f = {0};

		if (*format != '%' || !format[1]) {
			text_add_byte(p, text, (uint8_t)*format);
			continue;
		}
		format++;
		for (; *format && strchr("-_0^#", *format); format++) {
			if (*format == '^' || *format == '#')
				f.upper = true;
			else
				f.pad = *format;
		}
		for (; *format >= '0' && *format <= '9' && f.width < 200; format++)
			f.width = f.width * 10 + (*format - '0');
		while (*format == 'E' || *format == 'O')
			format++;
		if (*format == ':' && strchr(format, 'z')) {
			size_t colons = strspn(format, ":");

			format += colons;
			text_add_words(p, text,
				       colons == 1   ? "+00:00"
				       : colons == 2 ? "+00:00:00"
						     : "+00");
			continue;
		}
		if (!*format)
			return;
		date_field(p, text, &f, *format, time, depth);
	}
}

/* --- what -d understands --- */

#define MONTHS_MAX 2400000 /* microseconds of so many years fit */

struct reading {
	struct civil_time c;
	int64_t shift; /* microseconds */
	int months;
	bool dated;
};

static bool take_months(struct reading *r, int64_t count, int length)
{
	if (count > MONTHS_MAX || count < -MONTHS_MAX)
		return false;
	r->months += (int)count * length;
	return r->months <= MONTHS_MAX && r->months >= -MONTHS_MAX;
}

static bool take_unit(struct reading *r, const char *word, int64_t count)
{
	static const struct {
		const char *name;
		int64_t length;
	} units[] = {{"sec", SECOND},    {"second", SECOND},     {"min", MINUTE},
		     {"minute", MINUTE}, {"hour", HOUR},         {"day", DAY},
		     {"week", 7 * DAY},  {"fortnight", 14 * DAY}};
	size_t length = strlen(word);

	if (length && word[length - 1] == 's')
		length--;
	if (strncmp(word, "month", length) == 0 && length == 5)
		return take_months(r, count, 1);
	if (strncmp(word, "year", length) == 0 && length == 4)
		return take_months(r, count, 12);
	for (size_t i = 0; i < ARRAY_COUNT(units); i++)
		if (strlen(units[i].name) == length && strncmp(word, units[i].name, length) == 0)
			return !__builtin_mul_overflow(count, units[i].length, &count) &&
			       !__builtin_add_overflow(r->shift, count, &r->shift);
	return false;
}

static int month_of(const char *word)
{
	for (int i = 0; i < 12; i++)
		if (slice_is_nocase(slice_text(word), system_months[i]) ||
		    slice_is_nocase(slice_text(word), long_months[i]))
			return i + 1;
	return 0;
}

static bool read_word(struct reading *r, const char *word, const char *next, bool *took_next)
{
	int a, b, c, used = 0;
	long long number;

	if (strcmp(word, "now") == 0 || strcmp(word, "UTC") == 0 || strcmp(word, "GMT") == 0 ||
	    strcmp(word, "Z") == 0 || strcmp(word, "+0000") == 0)
		return true;
	if (strcmp(word, "today") == 0)
		return true;
	if (strcmp(word, "yesterday") == 0)
		return take_unit(r, "day", -1);
	if (strcmp(word, "tomorrow") == 0)
		return take_unit(r, "day", 1);
	if (strcmp(word, "ago") == 0) {
		if (r->shift == INT64_MIN)
			return false;
		r->shift = -r->shift;
		r->months = -r->months;
		return true;
	}
	if ((strcmp(word, "next") == 0 || strcmp(word, "last") == 0) && next) {
		*took_next = true;
		return take_unit(r, next, *word == 'n' ? 1 : -1);
	}
	if (strcmp(word, "midnight") == 0) {
		r->c.hour = r->c.minute = r->c.second = r->c.microsecond = 0;
		return true;
	}
	if (sscanf(word, "%4d-%2d-%2d%n", &a, &b, &c, &used) == 3 &&
	    (!word[used] || word[used] == 'T')) {
		if (b < 1 || b > 12 || c < 1 || c > 31)
			return false;
		r->c = (struct civil_time){.year = a,
					   .month = b,
					   .day = c,
					   .hour = r->dated ? r->c.hour : 0,
					   .minute = r->dated ? r->c.minute : 0,
					   .second = r->dated ? r->c.second : 0};
		r->dated = true;
		/* A date behind the T would nest as deep as its text is long. */
		return !word[used] || (!strchr(word + used + 1, 'T') &&
				       read_word(r, word + used + 1, NULL, took_next));
	}
	if (sscanf(word, "%2d/%2d/%4d%n", &a, &b, &c, &used) == 3 && !word[used]) {
		if (a < 1 || a > 12 || b < 1 || b > 31)
			return false;
		r->c = (struct civil_time){.year = c < 70 ? 2000 + c : c, .month = a, .day = b};
		r->dated = true;
		return true;
	}
	c = 0;
	if (sscanf(word, "%2d:%2d%n:%2d%n", &a, &b, &used, &c, &used) >= 2 && a < 24 && b < 60 &&
	    c < 60) {
		r->c.hour = a;
		r->c.minute = b;
		r->c.second = c;
		r->c.microsecond = 0;
		r->dated = true;
		return true;
	}
	if (month_of(word) && next) {
		r->c.month = month_of(word);
		if (sscanf(next, "%d%n", &a, &used) == 1 && a >= 1 && a <= 31) {
			*took_next = true;
			r->c.day = a;
			r->c.hour = r->c.minute = r->c.second = r->c.microsecond = 0;
		}
		return true;
	}
	if (sscanf(word, "%lld%n", &number, &used) == 1) {
		if (word[used])
			return take_unit(r, word + used, number);
		if (next && take_unit(r, next, number)) {
			*took_next = true;
			return true;
		}
		if (next && month_of(next) && number >= 1 && number <= 31) {
			r->c.day = (int)number;
			r->c.month = month_of(next);
			r->c.hour = r->c.minute = r->c.second = r->c.microsecond = 0;
			*took_next = true;
			return true;
		}
		if (number >= 1970 && number <= 9999 && used == 4) {
			r->c.year = (int)number;
			return true;
		}
		return false;
	}
	if (take_unit(r, word, 1))
		return true;
	for (int i = 0; i < 7; i++)
		if (slice_starts_nocase(slice_text(word), system_days[i])) {
			if (r->c.weekday != i && !r->dated)
				r->shift += ((i - r->c.weekday + 7) % 7) * DAY;
			if (!r->dated)
				r->c.hour = r->c.minute = r->c.second = r->c.microsecond = 0;
			return true;
		}
	return false;
}

/* False: nobody understands it. */
static bool read_date(struct process *p, const char *text, int64_t now, int64_t *time)
{
	struct reading r = {.c = clock_civil(now)};
	char *words[24];
	size_t count = 0;
	struct slice rest = slice_trim(slice_text(text)), word;
	int64_t seconds;

	if (rest.length && rest.at[0] == '@') {
		struct slice digits = slice_from(rest, 1);
		size_t dot = slice_find_byte(digits, '.');

		if (slice_number(slice_first(digits, dot), -(1ll << 40), 1ll << 40, &seconds))
			return false;
		*time = seconds * SECOND;
		return true;
	}
	if (!rest.length) {
		r.c.hour = r.c.minute = r.c.second = r.c.microsecond = 0;
	}
	while (slice_next(&rest, ' ', &word))
		if (word.length && count < ARRAY_COUNT(words)) {
			size_t comma = word.length;

			if (word.at[comma - 1] == ',')
				comma--;
			words[count++] = process_copy_slice(p, slice_first(word, comma));
		}
	for (size_t i = 0; i < count; i++) {
		bool took_next = false;

		if (!read_word(&r, words[i], i + 1 < count ? words[i + 1] : NULL, &took_next))
			return false;
		i += took_next;
	}
	if (r.months) {
		int all = r.c.year * 12 + r.c.month - 1 + r.months;

		r.c.year = (all - (all < 0 ? 11 : 0)) / 12;
		r.c.month = all - r.c.year * 12 + 1;
	}
	return !__builtin_add_overflow(clock_from_civil(&r.c), r.shift, time);
}

bool system_read_date(struct process *p, const char *text, int64_t *time)
{
	return read_date(p, text, process_now(p), time);
}

static int run_date(struct process *p, int argc, char **argv)
{
	enum { RFC3339 = TEXT_OWN, RESOLUTION };
	static const struct option_word words[] = {{"date", 'd', OPTION_NEEDS},
						   {"debug", RESOLUTION},
						   {"file", 'f', OPTION_NEEDS},
						   {"iso-8601", 'I', OPTION_MAY},
						   {"rfc-email", 'R'},
						   {"rfc-822", 'R'},
						   {"rfc-2822", 'R'},
						   {"rfc-3339", RFC3339, OPTION_NEEDS},
						   {"reference", 'r', OPTION_NEEDS},
						   {"set", 's', OPTION_NEEDS},
						   {"utc", 'u'},
						   {"universal", 'u'},
						   TEXT_WORDS};
	struct option_state state = {0};
	const char *format = NULL, *given = NULL, *reference = NULL, *set = NULL;
	int64_t now = process_now(p), time = now;
	struct text text = {0};
	int option;

	while ((option = option_next(p, &state, argc, argv, "d:f:I::r:Rs:u", words)) != -1) {
		switch (option) {
		case 'd':
			given = state.argument;
			break;
		case 'I':
			format = !state.argument || strcmp(state.argument, "date") == 0 ? "%Y-%m-%d"
				 : state.argument[0] == 'h' ? "%Y-%m-%dT%H%:z"
				 : state.argument[0] == 'm' ? "%Y-%m-%dT%H:%M%:z"
				 : state.argument[0] == 'n' ? "%Y-%m-%dT%H:%M:%S,%N%:z"
							    : "%Y-%m-%dT%H:%M:%S%:z";
			break;
		case 'R':
			format = "%a, %d %b %Y %H:%M:%S %z";
			break;
		case RFC3339:
			format = state.argument[0] == 'd'   ? "%Y-%m-%d"
				 : state.argument[0] == 'n' ? "%Y-%m-%d %H:%M:%S.%N%:z"
							    : "%Y-%m-%d %H:%M:%S%:z";
			break;
		case 'r':
			reference = state.argument;
			break;
		case 's':
			set = state.argument;
			break;
		case 'u':
		case 'f':
		case RESOLUTION:
			break;
		default:
			text_other_option(
				p, option, COREUTILS,
				" [OPTION]... [+FORMAT]\n  or:  date [-u|--utc|--universal] "
				"[MMDDhhmm[[CC]YY][.ss]]\nDisplay date and time in the given "
				"FORMAT.\n",
				1);
		}
	}
	if (state.index < argc && argv[state.index][0] == '+') {
		if (format) {
			process_complain(p, "multiple output formats specified");
			return 1;
		}
		format = argv[state.index] + 1;
		if (state.index + 1 < argc) {
			process_complain(
				p, "extra operand '%s'\nTry '%s --help' for more information.",
				argv[state.index + 1], argv[0]);
			return 1;
		}
	} else if (state.index < argc) {
		int64_t digits;

		if (slice_number(slice_text(argv[state.index]), 0, INT64_MAX, &digits)) {
			process_complain(p, "invalid date '%s'", argv[state.index]);
			return 1;
		}
		set = "now";
	}
	if (reference) {
		struct file_status status;
		int error = process_stat(p, reference, true, &status);

		if (error < 0) {
			process_complain(p, "%s: %s", reference, strerror(-error));
			return 1;
		}
		time = status.modified;
	}
	if (set)
		given = set;
	if (given && !read_date(p, given, now, &time)) {
		process_complain(p, "invalid date '%s'", given);
		return 1;
	}
	if (set && p->identity.effective_uid != 0)
		process_complain(p, "cannot set date: Operation not permitted");
	date_format(p, &text, format ? format : "%a %b %e %H:%M:%S %Z %Y", time, 0);
	process_put(p, text_slice(&text));
	process_put_byte(p, '\n');
	return set && p->identity.effective_uid != 0 ? 1 : 0;
}

/* --- cal --- */

static void put_month(struct process *p, int year, int month, bool name_year)
{
	struct civil_time first = {.year = year, .month = month, .day = 1};
	struct civil_time next = {
		.year = month == 12 ? year + 1 : year, .month = month % 12 + 1, .day = 1};
	int days = (int)((clock_from_civil(&next) - clock_from_civil(&first)) / DAY), column;
	char title[40];
	int left;

	first = clock_civil(clock_from_civil(&first));
	if (name_year)
		(void)snprintf(title, sizeof(title), "%s %d", long_months[month - 1], year);
	else
		(void)snprintf(title, sizeof(title), "%s", long_months[month - 1]);
	left = (20 - (int)strlen(title)) / 2;
	process_print(p, "%*s%-*s  \n", left, "", 20 - left, title);
	process_put_text(p, "Su Mo Tu We Th Fr Sa  \n");
	column = first.weekday;
	process_print(p, "%*s", column * 3, "");
	for (int day = 1; day <= days; day++) {
		process_print(p, "%2d ", day);
		if (++column == 7) {
			process_put_text(p, " \n");
			column = 0;
		}
	}
	if (column)
		process_print(p, "%*s \n", (7 - column) * 3, "");
	if (first.weekday + days <= 35)
		process_print(p, "%*s\n", 22, "");
}

static int run_cal(struct process *p, int argc, char **argv)
{
	struct civil_time c = system_civil(process_now(p));
	int64_t year = c.year, month = c.month;

	if (argc > 2 && (slice_number(slice_text(argv[1]), 1, 12, &month) ||
			 slice_number(slice_text(argv[2]), 1, 9999, &year))) {
		process_complain(p, "%s is neither a month number (1..12) nor a name", argv[1]);
		return 64;
	}
	put_month(p, (int)year, (int)month, true);
	return 0;
}

/* --- hwclock, timedatectl --- */

static int run_hwclock(struct process *p, int argc, char **argv)
{
	struct civil_time c = system_civil(process_now(p));

	if (p->identity.effective_uid != 0) {
		process_complain(p, "Cannot access the Hardware Clock via any known method.");
		process_complain(
			p,
			"Use the --verbose option to see the details of our search for an access "
			"method.");
		return 1;
	}
	if (argc > 1 && strcmp(argv[1], "-r") != 0 && strcmp(argv[1], "--show") != 0)
		return 0;
	process_print(p, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00:00\n", c.year, c.month, c.day,
		      c.hour, c.minute, c.second, c.microsecond);
	return 0;
}

static int run_timedatectl(struct process *p, int argc, char **argv)
{
	struct text text = {0};
	int64_t now = process_now(p);

	if (argc > 1 && strcmp(argv[1], "status") != 0) {
		if (strncmp(argv[1], "set-", 4) == 0)
			return 0;
		process_error(p, "Unknown command verb %s.\n", argv[1]);
		return 1;
	}
	date_format(p, &text,
		    "               Local time: %a %Y-%m-%d %H:%M:%S UTC\n"
		    "           Universal time: %a %Y-%m-%d %H:%M:%S UTC\n"
		    "                 RTC time: %a %Y-%m-%d %H:%M:%S\n"
		    "                Time zone: Etc/UTC (UTC, +0000)\n"
		    "System clock synchronized: yes\n"
		    "              NTP service: active\n"
		    "          RTC in local TZ: no\n",
		    now, 0);
	process_put(p, text_slice(&text));
	return 0;
}

static const struct command commands[] = {
	{"date", run_date, COMMAND_BOTH, "/usr/bin"},
	{"cal", run_cal, COMMAND_BUSYBOX, "/usr/bin"},
	{"hwclock", run_hwclock, COMMAND_BOTH, "/usr/sbin"},
	{"timedatectl", run_timedatectl, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_time = {"system_time", commands};
