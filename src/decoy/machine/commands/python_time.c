/* Python's time and datetime on the fake host's clock; see python.h. */
#include <time.h>

#include "base/clock.h"
#include "decoy/machine/commands/python.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

static struct python_value now(struct python *py, struct python_arguments *arguments)
{
	return python_float((double)process_now(py->process) / (double)SECOND);
}

static struct python_value now_fine(struct python *py, struct python_arguments *arguments)
{
	return python_int(process_now(py->process) * 1000 +
			  (int64_t)process_random_number(py->process, 1000));
}

static struct python_value sleep_for(struct python *py, struct python_arguments *arguments)
{
	double seconds = python_number(first_of(arguments));

	if (!python_is_number(first_of(arguments)))
		return first_of(arguments).kind == PYTHON_OPAQUE
			       ? python_none()
			       : python_raise(py, "TypeError",
					      "'%s' object cannot be interpreted as an integer",
					      python_type_name(first_of(arguments)));
	if (seconds < 0)
		return python_raise(py, "ValueError", "sleep length must be non-negative");
	python_flush(py);
	(void)process_sleep(py->process,
			    seconds < 1e9 ? (int64_t)(seconds * (double)SECOND) : INT64_MAX / 4);
	python_interrupted(py);
	return python_none();
}

/* A moment in seconds, from an argument or from the clock. */
static int64_t moment(struct python *py, struct python_value given)
{
	double seconds = python_is_number(given) ? python_number(given) : 0;

	if (!python_is_number(given) || !(seconds > -6e10 && seconds < 2e11))
		return process_now(py->process) / SECOND;
	return (int64_t)seconds;
}

static struct tm broken_down(int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm tm;

	gmtime_r(&at, &tm);
	return tm;
}

static struct python_value parts(struct python *py, struct python_arguments *arguments)
{
	static const char *const fields[] = {"tm_year", "tm_mon",  "tm_mday", "tm_hour",  "tm_min",
					     "tm_sec",  "tm_wday", "tm_yday", "tm_isdst", NULL};
	struct tm tm = broken_down(moment(py, first_of(arguments)));
	int values[] = {tm.tm_year + 1900,    tm.tm_mon + 1,  tm.tm_mday,
			tm.tm_hour,           tm.tm_min,      tm.tm_sec,
			(tm.tm_wday + 6) % 7, tm.tm_yday + 1, 0};
	struct python_value items[ARRAY_COUNT(values)];

	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		items[i] = python_int(values[i]);
	return python_named(py, "time.struct_time", fields, items);
}

/* One letter behind a %; false: strftime(3) has none of it. */
static bool add_part(struct python *py, struct text *out, char letter, const struct tm *tm)
{
	static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					   "Thursday", "Friday", "Saturday"};
	static const char *const months[] = {"January",   "February", "March",    "April",
					     "May",       "June",     "July",     "August",
					     "September", "October",  "November", "December"};
	const struct {
		char letter;
		int width, value;
	} numbers[] = {
		{'Y', 1, tm->tm_year + 1900},
		{'m', 2, tm->tm_mon + 1},
		{'d', 2, tm->tm_mday},
		{'H', 2, tm->tm_hour},
		{'M', 2, tm->tm_min},
		{'S', 2, tm->tm_sec},
		{'y', 2, tm->tm_year % 100},
		{'j', 3, tm->tm_yday + 1},
		{'I', 2, (tm->tm_hour + 11) % 12 + 1},
		{'w', 1, tm->tm_wday},
		{'f', 6, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		if (numbers[i].letter == letter) {
			text_format(py->process, out, "%0*d", numbers[i].width, numbers[i].value);
			return true;
		}
	switch (letter) {
	case 'a':
	case 'A':
		text_format(py->process, out, "%.*s", letter == 'a' ? 3 : 20, days[tm->tm_wday]);
		return true;
	case 'b':
	case 'B':
		text_format(py->process, out, "%.*s", letter == 'b' ? 3 : 20, months[tm->tm_mon]);
		return true;
	case 'e':
		text_format(py->process, out, "%2d", tm->tm_mday);
		return true;
	case 'p':
		text_add_words(py->process, out, tm->tm_hour < 12 ? "AM" : "PM");
		return true;
	case 'Z':
		text_add_words(py->process, out, "UTC");
		return true;
	case 'z':
		text_add_words(py->process, out, "+0000");
		return true;
	case '%':
		text_add_byte(py->process, out, '%');
		return true;
	default:
		return false;
	}
}

static struct python_value written(struct python *py, struct slice how, const struct tm *tm)
{
	static const char *const wholes[][2] = {{"F", "%Y-%m-%d"},
						{"T", "%H:%M:%S"},
						{"D", "%m/%d/%y"},
						{"R", "%H:%M"},
						{"c", "%a %b %e %H:%M:%S %Y"},
						{"x", "%m/%d/%y"},
						{"X", "%H:%M:%S"}};
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < how.length; i++) {
		bool known = false;

		if (how.at[i] != '%' || i + 1 == how.length) {
			text_add_byte(py->process, &out, how.at[i]);
			continue;
		}
		i++;
		for (size_t j = 0; j < ARRAY_COUNT(wholes) && !known; j++) {
			known = how.at[i] == (uint8_t)wholes[j][0][0];
			if (known)
				text_add(py->process, &out,
					 written(py, slice_text(wholes[j][1]), tm).text);
		}
		if (!known && !add_part(py, &out, (char)how.at[i], tm)) {
			text_add_byte(py->process, &out, '%');
			text_add_byte(py->process, &out, how.at[i]);
		}
	}
	return python_text(text_slice(&out));
}

/* A struct_time, or now. */
static struct tm given_time(struct python *py, struct python_value given)
{
	struct civil_time civil = {0};

	if (given.kind != PYTHON_TUPLE || given.list->count < 6)
		return broken_down(process_now(py->process) / SECOND);
	civil.year = (int)(python_integer(given.list->items[0]) % 10000);
	civil.month = (int)(python_integer(given.list->items[1]) % 13);
	civil.day = (int)(python_integer(given.list->items[2]) % 32);
	civil.hour = (int)(python_integer(given.list->items[3]) % 24);
	civil.minute = (int)(python_integer(given.list->items[4]) % 60);
	civil.second = (int)(python_integer(given.list->items[5]) % 62);
	if (civil.year < 1 || civil.month < 1 || civil.day < 1 || civil.hour < 0 ||
	    civil.minute < 0 || civil.second < 0)
		return broken_down(0);
	return broken_down(clock_from_civil(&civil) / SECOND);
}

static struct python_value write_time(struct python *py, struct python_arguments *arguments)
{
	struct tm tm = given_time(py, python_argument(arguments, 1, NULL));

	if (first_of(arguments).kind != PYTHON_TEXT)
		return python_raise(py, "TypeError", "strftime() argument 1 must be str, not %s",
				    python_type_name(first_of(arguments)));
	return written(py, first_of(arguments).text, &tm);
}

static struct python_value plain_time(struct python *py, struct python_arguments *arguments)
{
	struct tm tm = broken_down(moment(py, first_of(arguments)));

	return written(py, SLICE("%a %b %e %H:%M:%S %Y"), &tm);
}

static struct python_value since_boot(struct python *py, struct python_arguments *arguments)
{
	return python_float((double)process_now(py->process) / (double)SECOND / 1000);
}

/* --- datetime: a thing with its parts; the number is the moment in microseconds --- */

static struct python_value make_moment(struct python *py, int64_t microseconds)
{
	static const char *const names[] = {"year",   "month",  "day",        "hour",
					    "minute", "second", "microsecond"};
	struct python_value made = python_thing(py, "datetime.datetime");
	struct civil_time c = clock_civil(microseconds);
	int values[] = {c.year, c.month, c.day, c.hour, c.minute, c.second, c.microsecond};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		python_thing_set(py, made, names[i], python_int(values[i]));
	made.object->number = microseconds;
	made.object->text = slice_text(
		process_format(py->process, "datetime.datetime(%d, %d, %d, %d, %d, %d, %d)", c.year,
			       c.month, c.day, c.hour, c.minute, c.second, c.microsecond));
	made.object->shown = slice_text(
		process_format(py->process,
			       c.microsecond ? "%04d-%02d-%02d %02d:%02d:%02d.%06d"
					     : "%04d-%02d-%02d %02d:%02d:%02d",
			       c.year, c.month, c.day, c.hour, c.minute, c.second, c.microsecond));
	return made;
}

static struct python_value date_now(struct python *py, struct python_arguments *arguments)
{
	return make_moment(py, process_now(py->process));
}

static struct python_value date_of_stamp(struct python *py, struct python_arguments *arguments)
{
	return make_moment(py, moment(py, first_of(arguments)) * SECOND);
}

static struct python_value date_today(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = make_moment(py, process_now(py->process));

	made.object->shown = slice_first(made.object->shown, 10);
	return made;
}

static struct python_value date_write(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	struct tm tm = broken_down(self.object->number / SECOND);

	return written(py, python_str(py, first_of(arguments)), &tm);
}

static struct python_value date_iso(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	char *text = process_copy_slice(py->process, self.object->shown),
	     *blank = strchr(text, ' ');

	if (blank)
		*blank = 'T';
	return python_words(text);
}

static struct python_value date_stamp(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	return python_float((double)self.object->number / (double)SECOND);
}

static struct python_value date_date(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	struct python_value made = make_moment(py, self.object->number);

	made.object->shown = slice_first(made.object->shown, 10);
	return made;
}

python_method_function *python_time_method(const char *class, const char *name)
{
	static const struct python_method_entry methods[] = {{"strftime", date_write},
							     {"isoformat", date_iso},
							     {"timestamp", date_stamp},
							     {"date", date_date}};

	for (size_t i = 0; strcmp(class, "datetime.datetime") == 0 && i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}

const struct python_entry python_time_functions[] = {
	{"time.time", now},
	{"time.time_ns", now_fine},
	{"time.sleep", sleep_for},
	{"time.localtime", parts},
	{"time.gmtime", parts},
	{"time.strftime", write_time},
	{"time.ctime", plain_time},
	{"time.asctime", plain_time},
	{"time.monotonic", since_boot},
	{"time.perf_counter", since_boot},
	{"datetime.datetime.now", date_now},
	{"datetime.datetime.utcnow", date_now},
	{"datetime.datetime.today", date_now},
	{"datetime.datetime.fromtimestamp", date_of_stamp},
	{"datetime.date.today", date_today},
	{0},
};

bool python_time_constant(struct python *py, const char *name, struct python_value *result)
{
	static const char *const classes[] = {"datetime.datetime", "datetime.date",
					      "datetime.timedelta"};

	for (size_t i = 0; i < ARRAY_COUNT(classes); i++)
		if (strcmp(classes[i], name) == 0) {
			*result = python_type(classes[i]);
			return true;
		}
	*result = python_int(0);
	return strcmp(name, "time.timezone") == 0;
}
