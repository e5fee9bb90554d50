/* What the commands for files share; see files.h. */
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/commands/files.h"
#include "decoy/machine/commands/system.h"

/* --- names in messages --- */

static bool needs_quotes(const char *name)
{
	if (!*name || *name == '#' || *name == '~')
		return true;
	return strpbrk(name, " \t\n!\"$&'()*;<=>?[\\^`{|}") != NULL || (name[0] == '-' && false);
}

static bool has_controls(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < 32 || *name == 127 || (unsigned char)*name >= 128)
			return true;
	return false;
}

/* 'a'$'\n''b': control bytes and what is not ASCII stand in parts of their own. */
static const char *quote_controls(struct process *process, const char *name)
{
	static const char letters[] = "\a\b\t\n\v\f\r", words[] = "abtnvfr";
	struct text out = {0};
	bool plain = true;

	text_add_byte(process, &out, '\'');
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;
		const char *found = strchr(letters, c);

		if (c >= 32 && c < 127) {
			if (!plain)
				text_add_words(process, &out, "''");
			plain = true;
			if (c == '\'')
				text_add_words(process, &out, "'\\'");
			text_add_byte(process, &out, c);
			continue;
		}
		if (plain)
			text_add_words(process, &out, "'$'");
		plain = false;
		if (found)
			text_format(process, &out, "\\%c", words[found - letters]);
		else
			text_format(process, &out, "\\%03o", c);
	}
	text_add_byte(process, &out, '\'');
	return out.data;
}

const char *files_quote(struct process *process, const char *name)
{
	struct text out = {0};

	if (has_controls(name))
		return quote_controls(process, name);
	if (!strchr(name, '\''))
		return process_format(process, "'%s'", name);
	/* Double quotes do when nothing in them is special. */
	if (!strpbrk(name, "\"$\\`!"))
		return process_format(process, "\"%s\"", name);
	text_add_byte(process, &out, '\'');
	for (; *name; name++) {
		if (*name == '\'')
			text_add_words(process, &out, "'\\'");
		text_add_byte(process, &out, (uint8_t)*name);
	}
	text_add_byte(process, &out, '\'');
	return out.data;
}

const char *files_quote_if_needed(struct process *process, const char *name)
{
	return needs_quotes(name) || has_controls(name) ? files_quote(process, name) : name;
}

void files_complain(struct process *process, const char *doing, const char *name, int error)
{
	if (process->busybox)
		process_complain(process, "can't %s '%s': %s",
				 !strncmp(doing, "cannot ", 7) ? doing + 7 : doing, name,
				 strerror(-error));
	else
		process_complain(process, "%s %s: %s", doing, files_quote(process, name),
				 strerror(-error));
}

/* --- texts --- */

void files_mode_text(unsigned mode, char text[11])
{
	static const char letters[] = "rwxrwxrwx";

	switch (mode & S_IFMT) {
	case S_IFDIR:
		text[0] = 'd';
		break;
	case S_IFLNK:
		text[0] = 'l';
		break;
	case S_IFCHR:
		text[0] = 'c';
		break;
	case S_IFBLK:
		text[0] = 'b';
		break;
	case S_IFIFO:
		text[0] = 'p';
		break;
	case S_IFSOCK:
		text[0] = 's';
		break;
	default:
		text[0] = '-';
		break;
	}
	for (unsigned i = 0; i < 9; i++)
		text[i + 1] = mode & (0400u >> i) ? letters[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & 0100 ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & 0010 ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & 0001 ? 't' : 'T';
	text[10] = '\0';
}

void files_human_size(uint64_t size, char text[24])
{
	static const char letters[] = "KMGTPE";
	uint64_t unit = 1, tenths;
	int power = -1;

	if (size < 1024) {
		snprintf(text, 24, "%u", (unsigned)size);
		return;
	}
	while (size / unit >= 1024) {
		unit *= 1024;
		power++;
	}
	tenths = size / unit * 10 + (size % unit * 10 + unit - 1) / unit;
	if (tenths > 99) {
		uint64_t whole = size / unit + (size % unit != 0);

		if (whole >= 1024)
			snprintf(text, 24, "1.0%c", letters[power + 1]);
		else
			snprintf(text, 24, "%u%c", (unsigned)whole, letters[power]);
	} else {
		snprintf(text, 24, "%u.%u%c", (unsigned)(tenths / 10), (unsigned)(tenths % 10),
			 letters[power]);
	}
}

static const char *const months[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void files_time_text(int64_t time, int64_t now, char *text, size_t size)
{
	struct civil_time at = clock_civil(time);
	const char *month = months[(unsigned)(at.month - 1) % 12];

	/* Half a mean year of the Gregorian calendar, as GNU has it. */
	if (time <= now && now - time < 31556952 / 2 * SECOND)
		snprintf(text, size, "%s %2d %02d:%02d", month, at.day, at.hour, at.minute);
	else
		snprintf(text, size, "%s %2d  %4d", month, at.day, at.year);
}

void files_full_time_text(int64_t time, char *text, size_t size)
{
	struct civil_time at = clock_civil(time);

	snprintf(text, size, "%04d-%02d-%02d %02d:%02d:%02d.%06d%03d +0000", at.year, at.month,
		 at.day, at.hour, at.minute, at.second, at.microsecond,
		 at.microsecond ? (int)((uint64_t)time * 7919 % 1000) : 0);
}

/* --- paths --- */

const char *files_own_name(const struct process *process)
{
	const char *last = strrchr(process->argv[0], '/');

	if (!process->busybox)
		return process->name;
	return last ? last + 1 : process->argv[0];
}

char *files_join(struct process *process, const char *folder, const char *name)
{
	size_t length = strlen(folder);
	const char *slash = length && folder[length - 1] == '/' ? "" : "/";

	return process_format(process, "%s%s%s", folder, slash, name);
}

char *files_last(struct process *process, const char *path)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end == 1 && path[0] == '/')
		start = 0;
	return process_copy_slice(process, slice_of(path + start, end - start));
}

ssize_t files_list(struct process *process, const char *path, struct folder_entry **entries)
{
	ssize_t count = process_list(process, path, entries), kept = 0;

	for (ssize_t i = 0; i < count; i++) {
		const char *name = (*entries)[i].name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			(*entries)[kept++] = (*entries)[i];
	}
	process_step(process);
	return count < 0 ? count : kept;
}

void files_list_free(struct process *process, struct folder_entry *entries, ssize_t count)
{
	for (ssize_t i = 0; i < count; i++)
		process_give(process, (void *)(uintptr_t)entries[i].name);
	process_give(process, entries);
}

char *files_target(struct process *process, const char *path, int *error)
{
	char *target = process_take(process, MACHINE_PATH_MAX);
	ssize_t length = process_readlink(process, path, target, MACHINE_PATH_MAX);

	if (length >= 0)
		return process_retake(process, target, (size_t)length + 1);
	process_give(process, target);
	*error = (int)length;
	return NULL;
}

/* --- modes --- */

static unsigned who_mask(const char **at)
{
	unsigned mask = 0;

	for (;; (*at)++) {
		if (**at == 'u')
			mask |= 04700;
		else if (**at == 'g')
			mask |= 02070;
		else if (**at == 'o')
			mask |= 01007;
		else if (**at == 'a')
			mask |= 07777;
		else
			return mask;
	}
}

static int one_change(const char **at, bool folder, unsigned umask, unsigned *mode)
{
	unsigned who = who_mask(at), allowed = who ? who : 07777 & ~umask;

	if (!who)
		who = 07777;
	if (!**at || !strchr("+-=", **at))
		return -1;
	while (**at && strchr("+-=", **at)) {
		char operation = *(*at)++;
		unsigned bits = 0;

		if (strchr("ugo", **at) && **at) {
			unsigned from = **at == 'u' ? *mode >> 6 : **at == 'g' ? *mode >> 3 : *mode;

			bits = (from & 7) * 0111;
			(*at)++;
		}
		for (; **at && strchr("rwxXst", **at); (*at)++)
			switch (**at) {
			case 'r':
				bits |= 0444;
				break;
			case 'w':
				bits |= 0222;
				break;
			case 'x':
				bits |= 0111;
				break;
			case 'X':
				if (folder || *mode & 0111)
					bits |= 0111;
				break;
			case 's':
				bits |= 06000;
				break;
			default:
				bits |= 01000;
				break;
			}
		bits &= allowed;
		if (operation == '+')
			*mode |= bits;
		else if (operation == '-')
			*mode &= ~bits;
		else
			*mode = (*mode & ~(who & (folder ? 00777u : 07777u))) | bits;
	}
	return 0;
}

int files_parse_mode(const char *text, unsigned old, bool folder, unsigned umask, unsigned *mode)
{
	if (*text >= '0' && *text <= '7') {
		size_t digits = strspn(text, "01234567");
		unsigned long value = strtoul(text, NULL, 8);

		if (text[digits] || value > 07777)
			return -1;
		*mode = (unsigned)value;
		/* A folder keeps its set-id bits unless five digits say otherwise. */
		if (folder && digits < 5)
			*mode |= old & 06000;
		return 0;
	}
	*mode = old & 07777;
	if (!*text)
		return -1;
	for (;;) {
		if (one_change(&text, folder, umask, mode) < 0)
			return -1;
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -1;
	}
}

/* --- questions, dates --- */

bool files_ask(struct process *process, const char *format, ...)
{
	char words[MACHINE_PATH_MAX + 128];
	va_list arguments;
	char answer = 0, byte;
	bool first = true;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	process_flush(process);
	process_error(process, "%s", words);
	while (process_read(process, 0, &byte, 1) == 1 && byte != '\n') {
		if (first)
			answer = byte;
		first = false;
	}
	return answer == 'y' || answer == 'Y';
}

static bool words_ago(struct slice words, int64_t *time)
{
	static const struct {
		const char *name;
		int64_t length;
	} units[] = {{"sec", SECOND},    {"second", SECOND},  {"minute", MINUTE},
		     {"min", MINUTE},    {"hour", HOUR},      {"day", DAY},
		     {"week", 7 * DAY},  {"month", 30 * DAY}, {"fortnight", 14 * DAY},
		     {"year", 365 * DAY}};
	struct slice number, unit;
	int64_t count = 1;
	bool ago;

	words = slice_trim(words);
	ago = words.length > 4 && !memcmp(words.at + words.length - 4, " ago", 4);
	if (ago)
		words = slice_trim(slice_first(words, words.length - 4));
	slice_next(&words, ' ', &number);
	if (slice_number(number, -100000, 100000, &count) < 0) {
		if (number.length && number.at[0] == '+' &&
		    slice_number(slice_from(number, 1), 0, 100000, &count) == 0)
			unit = slice_trim(words);
		else
			unit = number;
	} else {
		unit = slice_trim(words);
	}
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		size_t length = strlen(units[i].name);

		if (slice_is(unit, units[i].name) ||
		    (unit.length == length + 1 && unit.at[length] == 's' &&
		     slice_is(slice_first(unit, length), units[i].name))) {
			*time += (ago ? -count : count) * units[i].length;
			return true;
		}
	}
	return false;
}

int files_parse_date(struct process *process, const char *text, int64_t *time)
{
	int64_t now = process_now(process), seconds;
	struct slice words = slice_trim(slice_text(text));
	static const char *const formats[] = {"%b %d %Y %H:%M:%S", "%b %d %Y",
					      "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M",
					      "%d %b %Y",          "%Y/%m/%d %H:%M:%S",
					      "%Y/%m/%d",          "%Y%m%d",
					      "%m/%d/%Y",          "%a %b %d %H:%M:%S %Y",
					      "%Y-%m-%d %H:%M",    "%a, %d %b %Y %H:%M:%S"};

	if (words.length == 0 || slice_is_nocase(words, "now") || slice_is_nocase(words, "today")) {
		*time = now;
		return 0;
	}
	if (words.at[0] == '@') {
		if (slice_number(slice_from(words, 1), -62135596800, 253402300799, &seconds) < 0)
			return -1;
		*time = seconds * SECOND;
		return 0;
	}
	*time = now;
	if (slice_is_nocase(words, "yesterday")) {
		*time -= DAY;
		return 0;
	}
	if (slice_is_nocase(words, "tomorrow")) {
		*time += DAY;
		return 0;
	}
	if (clock_parse(words, time) == 0 || words_ago(words, time))
		return 0;
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
		struct tm parts = {0};
		const char *end = strptime(text, formats[i], &parts);

		if (end && !*end) {
			struct civil_time civil = {.year = parts.tm_year + 1900,
						   .month = parts.tm_mon + 1,
						   .day = parts.tm_mday,
						   .hour = parts.tm_hour,
						   .minute = parts.tm_min,
						   .second = parts.tm_sec};

			*time = clock_from_civil(&civil);
			return 0;
		}
	}
	return system_read_date(process, text, time) ? 0 : -1;
}

/* --- contents, trees --- */

int files_copy_bytes(struct process *process, int from, int to)
{
	const size_t size = 32768;
	uint8_t *bytes = process_take(process, size);
	ssize_t got;
	int error = 0;

	while ((got = process_read(process, from, bytes, size)) > 0) {
		ssize_t put = process_write(process, to, slice_of(bytes, (size_t)got));

		process_step(process);
		if (put < 0) {
			error = (int)put;
			break;
		}
	}
	process_give(process, bytes);
	return got < 0 ? (int)got : error;
}

static int remove_tree(struct process *process, const char *path, unsigned depth)
{
	struct folder_entry *entries;
	ssize_t count;
	int first = process_unlink(process, path);

	if (first != -EISDIR)
		return first;
	if (depth > FILES_DEPTH_MAX)
		return -ENAMETOOLONG;
	count = files_list(process, path, &entries);
	if (count < 0)
		return (int)count;
	first = 0;
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);
		int error = remove_tree(process, below, depth + 1);

		if (!first)
			first = error;
		process_give(process, below);
	}
	files_list_free(process, entries, count);
	return first ? first : process_remove_folder(process, path);
}

int files_remove_tree(struct process *process, const char *path)
{
	return remove_tree(process, path, 0);
}
