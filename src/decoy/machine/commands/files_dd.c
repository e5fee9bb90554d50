/* dd. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_change.h"

/* The largest block: dd takes it all at once, from the log-in's memory. */
#define DD_BLOCK_MAX ((uint64_t)2 * 1024 * 1024)
/* What a disk of this kind does, for the pretence of time: bytes a second. */
#define DD_SPEED ((uint64_t)400 * 1024 * 1024)

struct dd {
	struct process *process;
	const char *from, *to;
	uint64_t in_block, out_block, count, skip, seek;
	bool has_count, no_truncate, no_error, sync, append, quiet, no_transfer, lower, upper, swap,
		skip_bytes, seek_bytes, count_bytes, direct;
	uint64_t full_in, part_in, full_out, part_out, bytes;
};

static bool number(struct dd *dd, const char *text, uint64_t *value)
{
	uint64_t total = 1;

	/* 2x512 and 1M and 4kB */
	for (;;) {
		char part[32];
		size_t length = strcspn(text, "x");
		uint64_t factor;

		if (length == 0 || length >= sizeof(part))
			return false;
		memcpy(part, text, length);
		part[length] = '\0';
		if (part[length - 1] == 'w' && length > 1) {
			part[length - 1] = '\0';
			if (command_size(part, &factor) < 0)
				return false;
			factor *= 2;
		} else if (command_size(part, &factor) < 0) {
			return false;
		}
		if (factor && total > UINT64_MAX / factor)
			return false;
		total *= factor;
		if (!text[length])
			break;
		text += length + 1;
	}
	*value = total;
	return true;
}

_Noreturn static void wrong(struct dd *dd, const char *words, const char *text)
{
	process_complain(dd->process, "%s %s", words, files_quote(dd->process, text));
	text_try_help(dd->process, 1);
}

_Noreturn static void no_number(struct dd *dd, const char *text)
{
	process_complain(dd->process, "invalid number: %s", files_quote(dd->process, text));
	process_exit(dd->process, 1);
}

static bool flag(struct dd *dd, const char *list, const char *name)
{
	struct slice rest = slice_text(list), part;

	while (slice_next(&rest, ',', &part))
		if (slice_is(part, name))
			return true;
	return false;
}

static void operand(struct dd *dd, const char *text)
{
	static const struct {
		const char *name;
		size_t at;
	} numbers[] = {
		{"ibs", offsetof(struct dd, in_block)}, {"obs", offsetof(struct dd, out_block)},
		{"count", offsetof(struct dd, count)},  {"skip", offsetof(struct dd, skip)},
		{"iseek", offsetof(struct dd, skip)},   {"seek", offsetof(struct dd, seek)},
		{"oseek", offsetof(struct dd, seek)}};
	const char *equals = strchr(text, '=');
	struct slice name;

	if (!equals)
		wrong(dd, "unrecognized operand", text);
	name = slice_of(text, (size_t)(equals - text));
	equals++;
	if (slice_is(name, "if")) {
		dd->from = equals;
	} else if (slice_is(name, "of")) {
		dd->to = equals;
	} else if (slice_is(name, "bs")) {
		if (!number(dd, equals, &dd->in_block) || !dd->in_block)
			no_number(dd, equals);
		dd->out_block = dd->in_block;
	} else if (slice_is(name, "cbs")) {
		return;
	} else if (slice_is(name, "conv")) {
		dd->no_truncate |= flag(dd, equals, "notrunc");
		dd->no_error |= flag(dd, equals, "noerror");
		dd->sync |= flag(dd, equals, "sync");
		dd->lower |= flag(dd, equals, "lcase");
		dd->upper |= flag(dd, equals, "ucase");
		dd->swap |= flag(dd, equals, "swab");
	} else if (slice_is(name, "iflag")) {
		dd->skip_bytes |= flag(dd, equals, "skip_bytes");
		dd->count_bytes |= flag(dd, equals, "count_bytes");
	} else if (slice_is(name, "oflag")) {
		dd->append |= flag(dd, equals, "append");
		dd->seek_bytes |= flag(dd, equals, "seek_bytes");
		dd->direct |= flag(dd, equals, "dsync") || flag(dd, equals, "sync");
	} else if (slice_is(name, "status")) {
		if (strcmp(equals, "none") != 0 && strcmp(equals, "noxfer") != 0 &&
		    strcmp(equals, "progress") != 0)
			wrong(dd, "invalid status level:", equals);
		dd->quiet = !strcmp(equals, "none");
		dd->no_transfer = !strcmp(equals, "noxfer");
	} else {
		for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
			uint64_t *value = (void *)((char *)dd + numbers[i].at);

			if (!slice_is(name, numbers[i].name))
				continue;
			if (!number(dd, equals, value) || (i < 2 && !*value))
				no_number(dd, equals);
			if (i == 2)
				dd->has_count = true;
			return;
		}
		wrong(dd, "unrecognized operand", text);
	}
}

static void human(uint64_t bytes, unsigned base, char text[24])
{
	static const char *const units[2][6] = {{"B", "kB", "MB", "GB", "TB", "PB"},
						{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}};
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= base && unit < 5) {
		value /= base;
		unit++;
	}
	/* One decimal below ten, rounded as df -h does not: to the nearest. */
	if (unit && value < 9.95)
		snprintf(text, 24, "%.1f %s", value, units[base == 1024][unit]);
	else
		snprintf(text, 24, "%.0f %s", value, units[base == 1024][unit]);
}

static void tell(struct dd *dd, int64_t took)
{
	struct process *process = dd->process;
	char decimal[24], binary[24], speed[24], seconds[32];
	double time = (double)took / 1e6;

	if (dd->quiet)
		return;
	process_flush(process);
	process_error(process, "%llu+%llu records in\n%llu+%llu records out\n",
		      (unsigned long long)dd->full_in, (unsigned long long)dd->part_in,
		      (unsigned long long)dd->full_out, (unsigned long long)dd->part_out);
	if (dd->no_transfer || process->busybox)
		return;
	human(dd->bytes, 1000, decimal);
	human(dd->bytes, 1024, binary);
	human((uint64_t)((double)dd->bytes / (time > 0 ? time : 1e-6)), 1000, speed);
	snprintf(seconds, sizeof(seconds), "%g", time);
	process_error(process, "%llu byte%s", (unsigned long long)dd->bytes,
		      dd->bytes == 1 ? "" : "s");
	if (dd->bytes >= 1024)
		process_error(process, " (%s, %s)", decimal, binary);
	else if (dd->bytes >= 1000)
		process_error(process, " (%s)", decimal);
	process_error(process, " copied, %s s, %s/s\n", seconds, speed);
}

static void convert(const struct dd *dd, uint8_t *bytes, size_t length)
{
	for (size_t i = 0; dd->lower && i < length; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] = (uint8_t)(bytes[i] + 32);
	for (size_t i = 0; dd->upper && i < length; i++)
		if (bytes[i] >= 'a' && bytes[i] <= 'z')
			bytes[i] = (uint8_t)(bytes[i] - 32);
	for (size_t i = 0; dd->swap && i + 1 < length; i += 2) {
		uint8_t first = bytes[i];

		bytes[i] = bytes[i + 1];
		bytes[i + 1] = first;
	}
}

static void skip_input(struct dd *dd, int in, uint8_t *bytes)
{
	uint64_t left = dd->skip_bytes ? dd->skip : dd->skip * dd->in_block;

	if (!left || process_seek(dd->process, in, (int64_t)left, SEEK_CUR) >= 0)
		return;
	while (left) {
		ssize_t got =
			process_read(dd->process, in, bytes,
				     left < dd->in_block ? (size_t)left : (size_t)dd->in_block);

		process_step(dd->process);
		if (got <= 0)
			return;
		left -= (uint64_t)got;
	}
}

static int copy(struct dd *dd, int in, int out)
{
	struct process *process = dd->process;
	size_t block = (size_t)(dd->in_block < DD_BLOCK_MAX ? dd->in_block : DD_BLOCK_MAX);
	uint8_t *bytes = process_take(process, block);
	uint64_t blocks = 0, left = dd->count_bytes ? dd->count : UINT64_MAX, held = 0;
	int status = 0;

	skip_input(dd, in, bytes);
	while (!dd->has_count || dd->count_bytes ? left > 0 : blocks < dd->count) {
		size_t want = dd->in_block < left ? (size_t)dd->in_block : (size_t)left;
		ssize_t got = process_read(process, in, bytes, want < block ? want : block), put;

		process_step(process);
		if (got < 0) {
			process_complain(
				process, "error reading %s: %s",
				files_quote(process, dd->from ? dd->from : "standard input"),
				strerror((int)-got));
			status = 1;
			break;
		}
		if (got == 0)
			break;
		blocks++;
		if ((size_t)got == dd->in_block)
			dd->full_in++;
		else
			dd->part_in++;
		if (dd->sync && (size_t)got < block) {
			memset(bytes + got, 0, block - (size_t)got);
			got = (ssize_t)block;
		}
		if (dd->count_bytes)
			left -= (uint64_t)got;
		convert(dd, bytes, (size_t)got);
		put = process_write(process, out, slice_of(bytes, (size_t)got));
		if (put < 0) {
			process_complain(process, "error writing %s: %s",
					 files_quote(process, dd->to ? dd->to : "standard output"),
					 strerror((int)-put));
			status = 1;
			break;
		}
		dd->bytes += (uint64_t)got;
		/* Output blocks are counted as dd would cut them. */
		if (dd->in_block == dd->out_block) {
			if ((size_t)got == dd->out_block)
				dd->full_out++;
			else
				dd->part_out++;
		} else {
			held += (uint64_t)got;
			dd->full_out += held / dd->out_block;
			held %= dd->out_block;
		}
	}
	if (held)
		dd->part_out++;
	process_give(process, bytes);
	return status;
}

int files_dd(struct process *process, int argc, char **argv)
{
	struct dd dd = {.process = process, .in_block = 512, .out_block = 512};
	int64_t began = process_now(process), took;
	int in = 0, out = 1, status;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			text_other_option(process, TEXT_HELP, COREUTILS,
					  "[OPERAND]...\n  or:  dd OPTION", 1);
		if (!strcmp(argv[i], "--version"))
			text_other_option(process, TEXT_VERSION, "(coreutils) 9.1", "", 1);
		if (strcmp(argv[i], "--") != 0)
			operand(&dd, argv[i]);
	}
	if (dd.in_block > DD_BLOCK_MAX * 16) {
		process_error(process, "dd: memory exhausted by input buffer of size %llu bytes\n",
			      (unsigned long long)dd.in_block);
		return 1;
	}
	if (dd.in_block > DD_BLOCK_MAX) {
		/* The same amount in smaller pieces; the counts come out as asked. */
		dd.count *= dd.in_block;
		dd.count_bytes = dd.has_count;
	}
	if (dd.from && (in = process_open(process, dd.from, O_RDONLY, 0)) < 0) {
		if (process->busybox)
			process_complain(process, "can't open '%s': %s", dd.from, strerror(-in));
		else
			process_complain(process, "failed to open %s: %s",
					 files_quote(process, dd.from), strerror(-in));
		return 1;
	}
	if (dd.to) {
		int flags = O_WRONLY | O_CREAT | (dd.append ? O_APPEND : 0) |
			    (dd.no_truncate || dd.seek ? 0 : O_TRUNC);

		out = process_open(process, dd.to, flags, 0666);
		if (out < 0) {
			if (process->busybox)
				process_complain(process, "can't open '%s': %s", dd.to,
						 strerror(-out));
			else
				process_complain(process, "failed to open %s: %s",
						 files_quote(process, dd.to), strerror(-out));
			return 1;
		}
		if (dd.seek) {
			uint64_t at = dd.seek_bytes ? dd.seek : dd.seek * dd.out_block;

			(void)process_seek(process, out, (int64_t)at, SEEK_SET);
			if (!dd.no_truncate)
				(void)process_truncate_descriptor(process, out, at);
		}
	}
	status = copy(&dd, in, out);
	took = process_now(process) - began;
	/* A disk takes its time. */
	if (dd.bytes > 1024 * 1024) {
		int64_t least = (int64_t)(dd.bytes * 1000000 / DD_SPEED);

		if (took < least) {
			process_sleep(process, least - took);
			took = process_now(process) - began;
		}
	}
	if (took < 60)
		took = 60 + (int64_t)process_random_number(process, 200);
	tell(&dd, took);
	return status;
}
