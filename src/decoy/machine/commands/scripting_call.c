/* What the calls of a one-liner do; see scripting.h. */
#include "decoy/machine/commands/scripting.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/host.h"

#define TEXT_MAX ((size_t)256 * 1024)

/* --- what programs do --- */

/* Output of a line of shell. */
struct slice script_output_of(struct script *s, struct slice line)
{
	struct process *p = s->process;
	struct text out = {0};
	int ends[2], saved;
	process_flush(p);
	/* A file in between: the child may say more than a pipe holds. */
	char *path = process_format(p, "/tmp/.%08llx",
				    (unsigned long long)process_random_number(p, UINT32_MAX));
	ends[1] = process_open(p, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (ends[1] < 0)
		return slice_of("", 0);
	(void)process_unlink(p, path);
	saved = process_duplicate(p, 1, -1);
	process_duplicate(p, ends[1], 1);
	s->status = command_run_line(p, process_copy_slice(p, line));
	process_duplicate(p, saved, 1);
	process_close(p, saved);
	(void)process_seek(p, ends[1], 0, SEEK_SET);
	(void)process_read_all(p, ends[1], TEXT_MAX, &out);
	process_close(p, ends[1]);
	return text_slice(&out);
}

static int run_line(struct script *s, struct slice line)
{
	process_flush(s->process);
	return command_run_line(s->process, process_copy_slice(s->process, line));
}

/* A text, or a list of words as one line. */
static struct slice line_of(struct script *s, const struct script_value *value)
{
	struct process *p = s->process;
	struct text out = {0};
	if (value->kind != SCRIPT_LIST)
		return script_as_text(s, value);
	for (size_t i = 0; i < value->count; i++) {
		struct slice word = script_as_text(s, &value->items[i]);
		text_add_words(p, &out, i ? " '" : "'");
		for (size_t j = 0; j < word.length; j++) {
			if (word.at[j] == '\'')
				text_add_words(p, &out, "'\\'");
			text_add_byte(p, &out, word.at[j]);
		}
		text_add_byte(p, &out, '\'');
	}
	return text_slice(&out);
}

bool script_connects(struct process *p, struct slice program, bool waits)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://"};
	struct address address;
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
		size_t at = slice_find(program, slice_text(schemes[i]));
		if (at == SIZE_MAX)
			continue;
		size_t end = at;
		while (end < program.length && program.at[end] > ' ' &&
		       !strchr("\"'<>)", program.at[end]))
			end++;
		process_report_download(p, slice_of(program.at + at, end - at),
					strerror(ETIMEDOUT));
		return true;
	}
	for (size_t at = 0; at < program.length; at++) {
		size_t end = at;
		if (!isdigit(program.at[at]) ||
		    (at && (isdigit(program.at[at - 1]) || program.at[at - 1] == '.')))
			continue;
		while (end < program.length && (isdigit(program.at[end]) || program.at[end] == '.'))
			end++;
		struct slice word = slice_of(program.at + at, end - at);
		if (word.length >= 7 && address_parse(word, &address) == 0 &&
		    !address_is_loopback(&address) && address.bytes[0] != 0) {
			char *url = process_format(p, "tcp://%.*s", (int)word.length,
						   (const char *)word.at);
			process_report_download(p, slice_text(url), strerror(ETIMEDOUT));
			if (waits)
				(void)outside_connect(p, &address, 0, false, -1);
			return true;
		}
		at = end;
		process_step(p);
	}
	return false;
}

/* Base64 as far as it goes. */
static struct slice decode_base64(struct script *s, struct slice from)
{
	struct text out = {0};
	unsigned bits = 0, value = 0;
	text_add_words(s->process, &out, "");
	for (size_t i = 0; i < from.length && from.at[i] != '='; i++) {
		static const char alphabet[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
		const char *found = strchr(alphabet, from.at[i]);
		if (!found || from.at[i] == '\0')
			continue;
		value = value << 6 | (unsigned)(found - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			text_add_byte(s->process, &out, (uint8_t)(value >> bits));
		}
	}
	return text_slice(&out);
}

static struct slice in_case(struct script *s, struct slice text, bool upper)
{
	struct text out = {0};

	text_add_words(s->process, &out, "");
	for (size_t i = 0; i < text.length; i++)
		text_add_byte(s->process, &out,
			      (uint8_t)(upper ? toupper(text.at[i]) : tolower(text.at[i])));
	return text_slice(&out);
}

static struct slice joined(struct script *s, const struct script_value *arguments, size_t count)
{
	struct text out = {0};

	text_add_words(s->process, &out, "");
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			text_add(s->process, &out, script_as_text(s, &arguments[0]));
		text_add(s->process, &out, script_as_text(s, &arguments[i]));
	}
	return text_slice(&out);
}

/* One value as "%05.2f" has it. */
static void add_formatted(struct script *s, struct text *out, struct slice how,
			  const struct script_value *value)
{
	char type = (char)how.at[how.length - 1];
	bool left = false, zeros = false;
	int64_t width = 0, precision = -1;
	struct slice made;
	size_t at = 1;
	double number =
		value->kind == SCRIPT_NUMBER
			? value->number
			: strtod(process_copy_slice(s->process, script_as_text(s, value)), NULL);
	bool fits = number > -9e18 && number < 9e18;
	long long whole = fits ? (long long)number : 0;

	for (; strchr("-0+ #", how.at[at]); at++) {
		left = left || how.at[at] == '-';
		zeros = zeros || how.at[at] == '0';
	}
	for (; isdigit(how.at[at]) && width < 1000; at++)
		width = width * 10 + how.at[at] - '0';
	if (how.at[at] == '.')
		for (at++, precision = 0; isdigit(how.at[at]) && precision < 100; at++)
			precision = precision * 10 + how.at[at] - '0';
	made = type == 's' ? script_as_text(s, value)
	       : type == 'x'
		       ? slice_text(process_format(s->process, "%llx", (unsigned long long)whole))
	       : type == 'X'
		       ? slice_text(process_format(s->process, "%llX", (unsigned long long)whole))
	       : type == 'o'
		       ? slice_text(process_format(s->process, "%llo", (unsigned long long)whole))
	       : type == 'c' ? slice_text(process_format(s->process, "%c", (int)whole & 127))
	       : type == 'f'
		       ? slice_text(process_format(s->process, "%.*f",
						   precision < 0 ? 6 : (int)precision, number))
	       : type == 'e'
		       ? slice_text(process_format(s->process, "%.*e",
						   precision < 0 ? 6 : (int)precision, number))
	       : type == 'g' ? slice_text(process_format(s->process, "%g", number))
			     : slice_text(process_format(s->process, "%lld", whole));
	if (type == 's' && precision >= 0)
		made = slice_first(made, (size_t)precision);
	for (size_t i = made.length; !left && i < (size_t)width; i++)
		text_add_byte(s->process, out, zeros ? '0' : ' ');
	text_add(s->process, out, made);
	for (size_t i = made.length; left && i < (size_t)width; i++)
		text_add_byte(s->process, out, ' ');
}

static struct slice formatted(struct script *s, const struct script_value *arguments, size_t count)
{
	struct slice rest = count ? script_as_text(s, &arguments[0]) : (struct slice){0};
	struct script_value none = script_none();
	struct text out = {0};
	size_t next = 1;

	text_add_words(s->process, &out, "");
	while (rest.length) {
		size_t length = 1;

		if (rest.at[0] != '%') {
			text_add_byte(s->process, &out, rest.at[0]);
			rest = slice_from(rest, 1);
			continue;
		}
		while (length < rest.length && strchr("-0+ #.123456789", rest.at[length]) &&
		       rest.at[length])
			length++;
		if (length == rest.length)
			break;
		length++;
		if (rest.at[length - 1] == '%')
			text_add_byte(s->process, &out, '%');
		else
			add_formatted(s, &out, slice_first(rest, length),
				      next < count ? &arguments[next] : &none);
		next += rest.at[length - 1] != '%';
		rest = slice_from(rest, length);
		process_step(s->process);
	}
	return text_slice(&out);
}

static void run_again(struct script *s, struct slice program)
{
	const char *at = s->at, *end = s->end;
	if (s->depth >= SCRIPT_DEPTH) {
		s->beyond = true;
		return;
	}
	s->depth++;
	(void)script_run_line(s, program);
	s->depth--;
	s->at = at;
	s->end = end;
}

/* A call whose name ends like that; arguments are evaluated. */
struct script_value script_call(struct script *s, struct slice name,
				const struct script_value *arguments, size_t count)
{
	struct process *p = s->process;
	struct script_value nothing = script_none();
	const struct script_value *first = count ? &arguments[0] : &nothing;
	size_t dot = name.length;
	while (dot > 0 && name.at[dot - 1] != '.' && name.at[dot - 1] != ':')
		dot--;
	struct slice last = slice_from(name, dot);
	if (slice_is(last, "system") || slice_is(last, "call") || slice_is(last, "run") ||
	    slice_is(last, "Popen") || slice_is(last, "check_call")) {
		struct script_value all = *first;
		if (count > 1)
			all = (struct script_value){.kind = SCRIPT_LIST,
						    .items = (struct script_value *)arguments,
						    .count = count};
		int status = run_line(s, line_of(s, &all));
		return slice_is(last, "system") || slice_is(last, "call")
			       ? script_number_value(slice_is(last, "call") ? status : status * 256,
						     false)
			       : script_opaque();
	}
	if (slice_is(last, "popen") || slice_is(last, "check_output") ||
	    slice_is(last, "getoutput")) {
		struct slice out = script_output_of(s, line_of(s, first));
		if (slice_is(last, "getoutput"))
			while (out.length && out.at[out.length - 1] == '\n')
				out.length--;
		return script_text_value(out);
	}
	if (slice_is(last, "spawn")) {
		s->status = run_line(s, line_of(s, first));
		return script_number_value(s->status * 256, false);
	}
	if (slice_starts(last, "exec")) {
		s->status = run_line(s, line_of(s, first));
		s->exited = true;
		return script_none();
	}
	if (slice_is(last, "exec") || slice_is(last, "eval")) {
		run_again(s, script_as_text(s, first));
		return script_none();
	}
	if (slice_is(last, "exit") || slice_is(last, "quit") || slice_is(last, "_exit") ||
	    slice_is(last, "die")) {
		s->exited = true;
		s->status = first->kind == SCRIPT_NUMBER ? (int)first->number & 255 : 0;
		if (slice_is(last, "die")) {
			process_flush(p);
			process_error(p, "%.*s", (int)script_as_text(s, first).length,
				      (const char *)script_as_text(s, first).at);
			s->status = 255;
		}
		return script_none();
	}
	if (slice_is(last, "sleep")) {
		process_flush(p);
		process_sleep(p, (int64_t)(first->number * (double)SECOND));
		return script_none();
	}
	if (slice_is(last, "len") || slice_is(last, "length"))
		return script_number_value((double)(first->kind == SCRIPT_LIST
							    ? first->count
							    : script_as_text(s, first).length),
					   false);
	if (slice_is(last, "b64decode") || slice_is(last, "decode_base64"))
		return script_text_value(decode_base64(s, script_as_text(s, first)));
	if (slice_is(last, "str") || slice_is(last, "bytes") || slice_is(last, "repr"))
		return script_text_value(script_as_text(s, first));
	if (slice_is(last, "int"))
		return script_number_value(
			first->kind == SCRIPT_NUMBER
				? (double)(long long)first->number
				: strtod(process_copy_slice(p, script_as_text(s, first)), NULL),
			false);
	if (slice_is(last, "uc") || slice_is(last, "lc"))
		return script_text_value(
			in_case(s, script_as_text(s, first), slice_is(last, "uc")));
	if (slice_is(last, "join") && count)
		return script_text_value(joined(s, arguments, count));
	if (slice_is(last, "sprintf") || slice_is(last, "printf")) {
		struct slice made = formatted(s, arguments, count);

		if (slice_is(last, "sprintf"))
			return script_text_value(made);
		process_put(p, made);
		return script_number_value(1, false);
	}
	if (slice_is(last, "time"))
		return script_number_value((double)(process_now(p) / SECOND), false);
	if (slice_is(last, "chr")) {
		char *byte = process_take(p, 2);
		byte[0] = (char)(int)first->number;
		return script_text_value(slice_of(byte, 1));
	}
	if (slice_is(last, "ord"))
		return script_number_value(
			script_as_text(s, first).length ? script_as_text(s, first).at[0] : 0,
			false);
	if (slice_is(last, "getcwd"))
		return script_text_value(slice_text(process_folder(p)));
	if (slice_is(last, "getuid") || slice_is(last, "geteuid"))
		return script_number_value(p->identity.uid, false);
	if (slice_is(last, "getpid"))
		return script_number_value(p->pid, false);
	if (slice_is(last, "setuid") || slice_is(last, "setgid")) {
		return script_none();
	}
	if (slice_is(last, "gethostname") || slice_is(last, "node"))
		return script_text_value(slice_text(host_names(process_host(p))->node));
	if (slice_is(name, "platform.system"))
		return script_text_value(SLICE("Linux"));
	if (slice_is(name, "platform.machine"))
		return script_text_value(slice_text(host_names(process_host(p))->machine));
	if (slice_is(name, "platform.release"))
		return script_text_value(slice_text(host_names(process_host(p))->release));
	if (slice_is(name, "platform.platform"))
		return script_text_value(slice_text(process_format(
			p, "Linux-%s-%s-with-glibc2.36", host_names(process_host(p))->release,
			host_names(process_host(p))->machine)));
	if (slice_is(last, "read") || slice_is(last, "decode") || slice_is(last, "strip"))
		return *first;
	return script_opaque();
}
