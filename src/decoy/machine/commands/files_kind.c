/* file: what a file is, by its first bytes. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_change.h"

#define START_MAX 4096

enum { FILE_MIME_TYPE = TEXT_OWN, FILE_MIME_ENCODING, FILE_EXTENSION };

struct kind {
	struct process *process;
	bool brief, mime, mime_type, follow, zero, no_pad, special;
	char separator;
};

/* --- ELF --- */

static uint64_t field(struct slice s, size_t at, unsigned size, bool big)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		size_t place = at + (big ? i : size - 1 - i);

		value = value << 8 | (place < s.length ? s.at[place] : 0);
	}
	return value;
}

static const char *elf_machine(uint64_t machine)
{
	static const struct {
		uint64_t number;
		const char *name;
	} machines[] = {{2, "SPARC"},
			{3, "Intel 80386"},
			{4, "Motorola m68k, 68020"},
			{8, "MIPS"},
			{20, "PowerPC or cisco 4500"},
			{21, "64-bit PowerPC or cisco 7500"},
			{40, "ARM"},
			{42, "Renesas SH"},
			{62, "x86-64"},
			{183, "ARM aarch64"},
			{243, "UCB RISC-V"}};

	for (size_t i = 0; i < ARRAY_COUNT(machines); i++)
		if (machines[i].number == machine)
			return machines[i].name;
	return "unknown arch";
}

struct elf {
	bool wide, big, interpreted, dynamic;
	char interpreter[256], build_id[41];
	unsigned kernel[3];
	bool has_kernel;
};

static void elf_note(struct elf *elf, struct slice s, uint64_t offset, uint64_t size)
{
	while (size >= 12 && offset + 12 <= s.length) {
		uint64_t name = field(s, offset, 4, elf->big),
			 length = field(s, offset + 4, 4, elf->big),
			 type = field(s, offset + 8, 4, elf->big);
		uint64_t at = offset + 12 + ((name + 3) & ~(uint64_t)3);
		uint64_t next = at + ((length + 3) & ~(uint64_t)3);

		if (name > 64 || length > 64 || next > s.length)
			return;
		if (type == 3 && name == 4 && !memcmp(s.at + offset + 12, "GNU", 4) &&
		    length <= 20) {
			struct writer hex = writer_fixed(elf->build_id, sizeof(elf->build_id) - 1);

			writer_hex(&hex, slice_of(s.at + at, (size_t)length));
			elf->build_id[hex.length] = '\0';
		}
		if (type == 1 && name == 4 && !memcmp(s.at + offset + 12, "GNU", 4) &&
		    length >= 16) {
			elf->has_kernel = true;
			for (unsigned i = 0; i < 3; i++)
				elf->kernel[i] = (unsigned)field(s, at + 4 + 4 * i, 4, elf->big);
		}
		size -= next - offset < size ? next - offset : size;
		offset = next;
	}
}

static void elf_segments(struct elf *elf, struct slice s)
{
	uint64_t table = field(s, elf->wide ? 32 : 28, elf->wide ? 8 : 4, elf->big);
	uint64_t size = field(s, elf->wide ? 54 : 42, 2, elf->big);
	uint64_t count = field(s, elf->wide ? 56 : 44, 2, elf->big);

	for (uint64_t i = 0; i < count && i < 64; i++) {
		uint64_t at = table + i * size, type = field(s, at, 4, elf->big);
		uint64_t offset = field(s, at + (elf->wide ? 8 : 4), elf->wide ? 8 : 4, elf->big);
		uint64_t length = field(s, at + (elf->wide ? 32 : 16), elf->wide ? 8 : 4, elf->big);

		if (at + size > s.length)
			return;
		if (type == 2)
			elf->dynamic = true;
		if (type == 3 && offset < s.length && length < sizeof(elf->interpreter) &&
		    offset + length <= s.length) {
			elf->interpreted = true;
			memcpy(elf->interpreter, s.at + offset, (size_t)length);
		}
		if (type == 4 && offset < s.length)
			elf_note(elf, s, offset, length);
	}
}

static const char *elf_words(struct process *process, struct slice s, bool stripped)
{
	struct elf elf = {.wide = s.at[4] == 2, .big = s.at[5] == 2};
	struct text out = {0};
	uint64_t type = field(s, 16, 2, elf.big), machine = field(s, 18, 2, elf.big);
	uint64_t flags = field(s, elf.wide ? 48 : 36, 4, elf.big);

	elf_segments(&elf, s);
	text_format(process, &out, "ELF %s-bit %s ", elf.wide ? "64" : "32",
		    elf.big ? "MSB" : "LSB");
	text_add_words(process, &out,
		       type == 1                                        ? "relocatable"
		       : type == 2                                      ? "executable"
		       : type == 3 && (elf.interpreted || !elf.dynamic) ? "pie executable"
		       : type == 3                                      ? "shared object"
		       : type == 4                                      ? "core file"
									: "no file type");
	text_format(process, &out, ", %s, ", elf_machine(machine));
	if (machine == 40 && flags >> 24 == 5)
		text_add_words(process, &out, "EABI5 ");
	if (machine == 8)
		text_format(process, &out, "%s ",
			    flags >> 28 == 0   ? "MIPS-I"
			    : flags >> 28 == 7 ? "MIPS32 rel2"
					       : "MIPS32");
	text_format(process, &out, "version 1 (%s)", s.at[7] == 3 ? "GNU/Linux" : "SYSV");
	if (elf.interpreted)
		text_format(process, &out, ", dynamically linked, interpreter %s", elf.interpreter);
	else if (type == 2 || type == 3)
		text_add_words(process, &out,
			       elf.dynamic ? ", dynamically linked" : ", statically linked");
	if (elf.build_id[0])
		text_format(process, &out, ", BuildID[sha1]=%s", elf.build_id);
	if (elf.has_kernel)
		text_format(process, &out, ", for GNU/Linux %u.%u.%u", elf.kernel[0], elf.kernel[1],
			    elf.kernel[2]);
	if (type != 1)
		text_add_words(process, &out, stripped ? ", stripped" : ", not stripped");
	return out.data;
}

/* --- other magic --- */

static const struct {
	const char *magic;
	unsigned length, offset;
	const char *words, *mime;
} magics[] = {
	{"BZh", 3, 0, "bzip2 compressed data, block size = 900k", "application/x-bzip2"},
	{"\xfd"
	 "7zXZ",
	 5, 0, "XZ compressed data, checksum CRC64", "application/x-xz"},
	{"7z\xbc\xaf\x27\x1c", 6, 0, "7-zip archive data, version 0.4",
	 "application/x-7z-compressed"},
	{"Rar!", 4, 0, "RAR archive data, v5", "application/x-rar"},
	{"\x28\xb5\x2f\xfd", 4, 0, "Zstandard compressed data (v0.8+), Dictionary ID: None",
	 "application/zstd"},
	{"!<arch>\ndebian", 14, 0, "Debian binary package (format 2.0)",
	 "application/vnd.debian.binary-package"},
	{"!<arch>", 7, 0, "current ar archive", "application/x-archive"},
	{"\x89PNG\r\n", 6, 0, "PNG image data", "image/png"},
	{"GIF87a", 6, 0, "GIF image data, version 87a", "image/gif"},
	{"GIF89a", 6, 0, "GIF image data, version 89a", "image/gif"},
	{"\xff\xd8\xff", 3, 0, "JPEG image data", "image/jpeg"},
	{"%PDF-1.", 7, 0, "PDF document, version 1.", "application/pdf"},
	{"SQLite format 3", 15, 0, "SQLite 3.x database", "application/vnd.sqlite3"},
	{"ustar  ", 7, 257, "POSIX tar archive (GNU)", "application/x-tar"},
	{"ustar", 5, 257, "POSIX tar archive", "application/x-tar"},
	{"070701", 6, 0, "ASCII cpio archive (SVR4 with no CRC)", "application/x-cpio"},
	{"hsqs", 4, 0, "Squashfs filesystem, little endian", "application/octet-stream"},
	{"-----BEGIN OPENSSH PRIVATE KEY", 30, 0, "OpenSSH private key", "text/plain"},
	{"-----BEGIN RSA PRIVATE KEY", 26, 0, "PEM RSA private key", "text/plain"},
	{"-----BEGIN CERTIFICATE", 22, 0, "PEM certificate", "text/plain"},
	{"ssh-rsa ", 8, 0, "OpenSSH RSA public key", "text/plain"},
	{"ssh-ed25519 ", 12, 0, "OpenSSH ED25519 public key", "text/plain"},
	{"\xde\x12\x04\x95", 4, 0, "GNU message catalog (little endian), revision 0.0",
	 "application/x-gettext-translation"},
	{"TZif2", 5, 0, "timezone data (fat), version 2", "application/tzif"},
};

static const char *gzip_words(struct process *process, struct slice s, uint64_t size)
{
	struct text out = {0};
	uint32_t time = (uint32_t)field(s, 4, 4, false);
	unsigned flags = s.length > 3 ? s.at[3] : 0;

	text_add_words(process, &out, "gzip compressed data");
	if (flags & 8 && s.length > 10)
		text_format(process, &out, ", was \"%.*s\"",
			    (int)strnlen((const char *)s.at + 10, s.length - 10), s.at + 10);
	if (time) {
		struct civil_time at = clock_civil((int64_t)time * SECOND);
		static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
		static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
						     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

		text_format(process, &out, ", last modified: %s %s %2d %02d:%02d:%02d %d",
			    days[(unsigned)at.weekday % 7], months[(unsigned)(at.month - 1) % 12],
			    at.day, at.hour, at.minute, at.second, at.year);
	}
	if (s.length > 8 && s.at[8] == 2)
		text_add_words(process, &out, ", max compression");
	if (s.length > 9 && s.at[9] == 3)
		text_add_words(process, &out, ", from Unix");
	text_format(process, &out, ", original size modulo 2^32 %llu", (unsigned long long)size);
	return out.data;
}

static const char *script_words(struct process *process, struct slice line, const char *text)
{
	static const struct {
		const char *name, *words;
	} names[] = {{"/bin/sh", "POSIX shell script"},
		     {"/bin/dash", "a /bin/dash script"},
		     {"/bin/bash", "Bourne-Again shell script"},
		     {"/usr/bin/bash", "Bourne-Again shell script"},
		     {"/usr/bin/env bash", "Bourne-Again shell script"},
		     {"/usr/bin/perl", "Perl script"},
		     {"/usr/bin/python3", "Python script"},
		     {"/usr/bin/python", "Python script"},
		     {"/usr/bin/env python3", "Python script"},
		     {"/usr/bin/env python", "Python script"},
		     {"/usr/bin/php", "PHP script"},
		     {"/usr/bin/awk", "awk script"}};

	line = slice_trim(slice_from(line, 2));
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		size_t length = strlen(names[i].name);

		if (slice_starts(line, names[i].name) &&
		    (line.length == length || line.at[length] == ' '))
			return process_format(process, "%s, %s executable", names[i].words, text);
	}
	return process_format(process, "a %.*s script, %s executable",
			      (int)(line.length > 80 ? 80 : line.length), (const char *)line.at,
			      text);
}

/* "ASCII text", "Unicode text, UTF-8 text", "data"; NULL when it is no text. */
static const char *text_words(struct process *process, struct slice s, bool *ascii)
{
	bool carriage = false, newline = false, bare = false, high = false, latin = false,
	     escape = false;
	size_t longest = 0, line = 0;
	struct text out = {0};

	for (size_t i = 0; i < s.length; i++) {
		uint8_t c = s.at[i];

		line++;
		if (c == '\n') {
			if (i && s.at[i - 1] == '\r')
				carriage = true;
			else
				bare = true;
			newline = true;
			longest = line > longest ? line : longest;
			line = 0;
		} else if (c >= 128) {
			size_t length = utf8_sequence(slice_from(s, i));

			if (length > 1) {
				high = true;
				i += length - 1;
			} else if (i + 4 < s.length) {
				latin = c >= 0xa0;
				if (!latin)
					return NULL;
			}
		} else if (c == 27) {
			escape = true;
		} else if (c < 7 || (c > 13 && c < 32) || c == 127) {
			return NULL;
		}
	}
	longest = line > longest ? line : longest;
	*ascii = !high && !latin;
	text_add_words(process, &out,
		       latin  ? "ISO-8859 text"
		       : high ? "Unicode text, UTF-8 text"
			      : "ASCII text");
	if (longest > 300)
		text_format(process, &out, ", with very long lines (%zu)",
			    longest - (line != longest));
	if (!newline)
		text_add_words(process, &out, ", with no line terminators");
	else if (carriage && bare)
		text_add_words(process, &out, ", with CRLF, LF line terminators");
	else if (carriage)
		text_add_words(process, &out, ", with CRLF line terminators");
	if (escape)
		text_add_words(process, &out, ", with escape sequences");
	return out.data;
}

static const char *by_contents(struct kind *kind, struct slice s, uint64_t size, bool image,
			       const char **mime)
{
	struct process *process = kind->process;
	const char *text;
	bool ascii = true;

	if (s.length >= 20 && !memcmp(s.at,
				      "\x7f"
				      "ELF",
				      4)) {
		*mime = field(s, 16, 2, s.at[5] == 2) == 3 ? "application/x-pie-executable"
							   : "application/x-executable";
		return elf_words(process, s,
				 image || field(s, s.at[4] == 2 ? 60 : 48, 2, s.at[5] == 2) == 0);
	}
	if (s.length >= 2 && s.at[0] == 0x1f && s.at[1] == 0x8b) {
		*mime = "application/gzip";
		return gzip_words(process, s, size);
	}
	if (s.length >= 4 && !memcmp(s.at, "PK\3\4", 4)) {
		*mime = "application/zip";
		return process_format(process,
				      "Zip archive data, at least v%u.%u to extract, compression "
				      "method=%s",
				      s.at[4] / 10, s.at[4] % 10,
				      field(s, 8, 2, false) ? "deflate" : "store");
	}
	if (s.length >= 64 && !memcmp(s.at, "MZ", 2)) {
		uint64_t at = field(s, 60, 4, false);

		*mime = "application/x-dosexec";
		if (at + 26 < s.length && !memcmp(s.at + at, "PE\0\0", 4))
			return field(s, at + 24, 2, false) == 0x20b
				       ? "PE32+ executable (console) x86-64, for MS Windows"
				       : "PE32 executable (console) Intel 80386, for MS Windows";
		return "MS-DOS executable";
	}
	for (size_t i = 0; i < ARRAY_COUNT(magics); i++)
		if (s.length >= magics[i].offset + magics[i].length &&
		    !memcmp(s.at + magics[i].offset, magics[i].magic, magics[i].length)) {
			*mime = magics[i].mime;
			return magics[i].words;
		}
	text = text_words(process, s, &ascii);
	if (!text) {
		*mime = "application/octet-stream";
		return s.length == 1 ? "very short file (no magic)" : "data";
	}
	*mime = "text/plain";
	if (s.length > 2 && s.at[0] == '#' && s.at[1] == '!') {
		size_t end = slice_find_byte(s, '\n');

		*mime = slice_contains_nocase(slice_first(s, end), "python")
				? "text/x-script.python"
			: slice_contains_nocase(slice_first(s, end), "perl") ? "text/x-perl"
									     : "text/x-shellscript";
		return script_words(process, slice_first(s, end), text);
	}
	if (slice_starts_nocase(slice_trim(s), "<!doctype html") ||
	    slice_starts_nocase(slice_trim(s), "<html")) {
		*mime = "text/html";
		return process_format(process, "HTML document, %s", text);
	}
	if (slice_starts(s, "<?xml")) {
		*mime = "text/xml";
		return process_format(process, "XML 1.0 document, %s", text);
	}
	if (slice_starts(s, "<?php")) {
		*mime = "text/x-php";
		return process_format(process, "PHP script, %s", text);
	}
	if (slice_find(s, SLICE("#include <")) != SIZE_MAX) {
		*mime = "text/x-c";
		return process_format(process, "C source, %s", text);
	}
	if (s.length >= 2 && (s.at[0] == '{' || s.at[0] == '[') &&
	    strchr("}]", slice_trim(s).at[slice_trim(s).length - 1])) {
		*mime = "application/json";
		return "JSON text data";
	}
	return text;
}

/* --- a file --- */

static const char *link_words(struct kind *kind, const char *path, const char **mime)
{
	char target[MACHINE_PATH_MAX];
	struct file_status status;

	*mime = "inode/symlink";
	if (process_readlink(kind->process, path, target, sizeof(target)) < 0)
		return "unreadable symlink";
	return process_format(kind->process, "%s symbolic link to %s",
			      process_stat(kind->process, path, true, &status) < 0 ? "broken" : "",
			      target);
}

static const char *words_of(struct kind *kind, const char *path, const char **mime)
{
	struct process *process = kind->process;
	struct file_status status;
	uint8_t *start;
	const char *words, *prefix = "";
	ssize_t got;
	int file, error = process_stat(process, path, kind->follow, &status);

	*mime = NULL;
	if (error < 0)
		return process_format(process, "cannot open `%s' (%s)", path, strerror(-error));
	if (S_ISLNK(status.mode)) {
		words = link_words(kind, path, mime);
		return words[0] == ' ' ? words + 1 : words;
	}
	if (S_ISDIR(status.mode)) {
		*mime = "inode/directory";
		return status.mode & S_ISVTX ? "sticky, directory" : "directory";
	}
	if (S_ISCHR(status.mode) || S_ISBLK(status.mode)) {
		*mime = S_ISCHR(status.mode) ? "inode/chardevice" : "inode/blockdevice";
		return process_format(process, "%s special (%u/%u)",
				      S_ISCHR(status.mode) ? "character" : "block",
				      status.device_major, status.device_minor);
	}
	if (S_ISFIFO(status.mode) || S_ISSOCK(status.mode)) {
		*mime = S_ISFIFO(status.mode) ? "inode/fifo" : "inode/socket";
		return S_ISFIFO(status.mode) ? "fifo (named pipe)" : "socket";
	}
	*mime = "inode/x-empty";
	file = process_open(process, path, O_RDONLY, 0);
	if (file < 0)
		return process_format(process, "regular file, no read permission");
	start = process_take(process, START_MAX + 1);
	got = process_read(process, file, start, START_MAX);
	process_close(process, file);
	if (status.mode & S_ISUID)
		prefix = "setuid ";
	else if (status.mode & S_ISGID)
		prefix = "setgid ";
	if (got <= 0)
		return process_format(process, "%sempty", prefix);
	words = by_contents(kind, slice_of(start, (size_t)got), status.size, status.size > 4096,
			    mime);
	return process_format(process, "%s%s", prefix, words);
}

static void show(struct kind *kind, const char *path, int width)
{
	struct process *process = kind->process;
	const char *mime, *words = words_of(kind, path, &mime);

	process_step(process);
	if (!kind->brief)
		process_print(process, "%s%c%*s ", path, kind->separator,
			      kind->no_pad ? 0 : width - (int)strlen(path), "");
	if ((kind->mime || kind->mime_type) && mime) {
		process_put_text(process, mime);
		if (kind->mime && !kind->mime_type)
			process_print(process, "; charset=%s",
				      !strncmp(mime, "text", 4) ? "us-ascii" : "binary");
		process_put_byte(process, '\n');
		return;
	}
	process_print(process, "%s\n", words);
}

int files_file(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"brief", 'b'},
						   {"dereference", 'L'},
						   {"mime", 'i'},
						   {"mime-type", FILE_MIME_TYPE},
						   {"mime-encoding", FILE_MIME_ENCODING},
						   {"no-dereference", 'h'},
						   {"no-pad", 'N'},
						   {"separator", 'F', OPTION_NEEDS},
						   {"special-files", 's'},
						   {"uncompress", 'z'},
						   {"version", 'v'},
						   {"help", TEXT_HELP},
						   {NULL}};
	struct kind kind = {.process = process, .separator = ':'};
	struct option_state state = {0};
	int option, width = 0;

	while ((option = option_next(process, &state, argc, argv, "bcCdEf:F:hiklLm:nNprsSvzZ0",
				     words)) != -1)
		switch (option) {
		case 'b':
			kind.brief = true;
			break;
		case 'i':
			kind.mime = true;
			break;
		case FILE_MIME_TYPE:
			kind.mime_type = true;
			break;
		case 'L':
			kind.follow = true;
			break;
		case 'N':
			kind.no_pad = true;
			break;
		case 'F':
			kind.separator = state.argument[0];
			break;
		case 'v':
			process_put_text(
				process,
				"file-5.44\nmagic file from /etc/magic:/usr/share/misc/magic\n");
			return 0;
		case '?':
		case TEXT_HELP:
			process_error(
				process,
				"Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] "
				"[--mime-encoding]\n            [--mime-type] [-e <testname>] [-F "
				"<separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P "
				"<parameter=value>] [--exclude-quiet]\n            <file> ...\n"
				"       file -C [-m <magicfiles>]\n       file [--help]\n");
			return option == '?';
		default:
			break;
		}
	if (state.index >= argc) {
		process_error(process,
			      "Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] "
			      "[--mime-encoding]\n            [--mime-type] [-e <testname>] [-F "
			      "<separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P "
			      "<parameter=value>] [--exclude-quiet]\n            <file> ...\n"
			      "       file -C [-m <magicfiles>]\n       file [--help]\n");
		return 1;
	}
	for (int i = state.index; i < argc; i++)
		if ((int)strlen(argv[i]) > width)
			width = (int)strlen(argv[i]);
	for (int i = state.index; i < argc; i++)
		show(&kind, argv[i], width);
	return 0;
}
