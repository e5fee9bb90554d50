/* unzip: lists and unpacks; stored and deflated members, as zip makes them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "decoy/machine/commands/files_change.h"

/* The end record stands within the last bytes; the directory of a large archive is not read. */
#define ZIP_TAIL_MAX      65558
#define ZIP_DIRECTORY_MAX ((size_t)1024 * 1024)

struct zip {
	struct process *process;
	const char *archive, *folder;
	int file;
	bool list, test, to_output, overwrite, never, quiet, flat, all;
	char **members;
	int member_count;
	uint64_t total, packed;
	unsigned count;
	int status;
};

struct zip_member {
	char *name;
	unsigned method, flags, mode, crc;
	uint64_t packed, size, header;
	int64_t modified;
};

static int64_t dos_time(unsigned date, unsigned time)
{
	struct civil_time at = {.year = 1980 + (int)(date >> 9),
				.month = (int)(date >> 5 & 15),
				.day = (int)(date & 31),
				.hour = (int)(time >> 11),
				.minute = (int)(time >> 5 & 63),
				.second = (int)(time & 31) * 2};

	if (at.month < 1 || at.month > 12 || at.day < 1)
		return 315532800 * SECOND;
	return clock_from_civil(&at);
}

static void *zip_take(void *process, uInt count, uInt size)
{
	return process_take(process, (size_t)count * size);
}

static void zip_give(void *process, void *at)
{
	process_give(process, at);
}

/* The member's bytes to a descriptor (1: standard output, -1: nowhere). False: damaged. */
static bool unpack_member(struct zip *zip, const struct zip_member *member, int out)
{
	struct process *process = zip->process;
	z_stream z = {.zalloc = zip_take, .zfree = zip_give, .opaque = process};
	uint8_t header[30], in[4096], bytes[4096];
	uint64_t left = member->packed;
	uLong crc = crc32(0, NULL, 0);
	bool ended = false, sound = true;
	int64_t at;

	if (process_seek(process, zip->file, (int64_t)member->header, SEEK_SET) < 0 ||
	    process_read(process, zip->file, header, sizeof(header)) != sizeof(header) ||
	    memcmp(header, "PK\3\4", 4) != 0)
		return false;
	at = (int64_t)member->header + 30 + (header[26] | header[27] << 8) +
	     (header[28] | header[29] << 8);
	if (process_seek(process, zip->file, at, SEEK_SET) < 0 ||
	    (member->method == 8 && inflateInit2(&z, -15) != Z_OK))
		return false;
	while (left && sound && !ended) {
		ssize_t got = process_read(process, zip->file, in,
					   left < sizeof(in) ? (size_t)left : sizeof(in));

		process_step(process);
		if (got <= 0) {
			sound = false;
			break;
		}
		left -= (uint64_t)got;
		z.next_in = in;
		z.avail_in = (uInt)got;
		do {
			size_t made = (size_t)got;
			const uint8_t *from = in;

			if (member->method == 8) {
				int result;

				z.next_out = bytes;
				z.avail_out = sizeof(bytes);
				result = inflate(&z, Z_NO_FLUSH);
				ended = result == Z_STREAM_END;
				sound = ended || result == Z_OK || result == Z_BUF_ERROR;
				made = sizeof(bytes) - z.avail_out;
				from = bytes;
			}
			crc = crc32(crc, from, (uInt)made);
			if (out == 1)
				process_put(process, slice_of(from, made));
			else if (out > 1 && process_write(process, out, slice_of(from, made)) < 0)
				sound = false;
		} while (sound && !ended && member->method == 8 && z.avail_out == 0);
	}
	if (member->method == 8)
		inflateEnd(&z);
	return sound && (uint32_t)crc == member->crc;
}

static void make_parents(struct process *process, char *path)
{
	for (char *slash = path + 1; *path && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)process_make_folder(process, path, 0777);
		*slash = '/';
	}
}

static bool may_write(struct zip *zip, const char *path)
{
	struct file_status status;

	if (zip->overwrite || process_stat(zip->process, path, false, &status) < 0)
		return true;
	if (zip->never)
		return false;
	return files_ask(zip->process, "replace %s? [y]es, [n]o, [A]ll, [N]one, [r]ename: ", path);
}

static void extract(struct zip *zip, const struct zip_member *member)
{
	struct process *process = zip->process;
	const char *name = member->name;
	char *path;
	size_t length;
	int out;
	bool sound;

	/* Nothing leads out of the folder. */
	while (*name == '/')
		name++;
	while (!strncmp(name, "../", 3))
		name += 3;
	if (zip->flat && strrchr(name, '/'))
		name = strrchr(name, '/') + 1;
	if (!*name)
		return;
	path = zip->folder ? files_join(process, zip->folder, name)
			   : process_copy_text(process, name);
	length = strlen(path);
	make_parents(process, path);
	if (path[length - 1] == '/') {
		if (!zip->quiet)
			process_print(process, "   creating: %s\n", path);
		(void)process_make_folder(process, path, 0777);
		return;
	}
	if (!may_write(zip, path))
		return;
	(void)process_unlink(process, path);
	out = process_open(process, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (out < 0) {
		process_error(process, "error:  cannot create %s\n        %s\n", path,
			      strerror(-out));
		zip->status = 50;
		return;
	}
	if (!zip->quiet)
		process_print(process, " %s: %s  \n", member->method ? " inflating" : "extracting",
			      path);
	sound = unpack_member(zip, member, out);
	process_close(process, out);
	if (!sound) {
		process_error(process, "%s:  bad CRC\n", path);
		zip->status = 2;
	}
	if (member->mode)
		(void)process_change_mode(process, path, member->mode & 07777);
	(void)process_change_times(process, path, true, member->modified, member->modified);
}

static void visit(struct zip *zip, const struct zip_member *member)
{
	struct process *process = zip->process;
	struct civil_time at = clock_civil(member->modified);
	bool wanted = !zip->member_count;

	for (int i = 0; i < zip->member_count; i++)
		wanted |= text_glob(zip->members[i], member->name);
	if (!wanted)
		return;
	zip->count++;
	zip->total += member->size;
	zip->packed += member->packed;
	process_step(process);
	if (zip->list) {
		process_print(process, "%9llu  %04d-%02d-%02d %02d:%02d   %s\n",
			      (unsigned long long)member->size, at.year, at.month, at.day, at.hour,
			      at.minute, member->name);
	} else if (zip->test) {
		bool sound = unpack_member(zip, member, -1);

		process_print(process, "    testing: %-23s  %s\n", member->name,
			      sound ? "OK" : "bad CRC");
		zip->status = sound ? zip->status : 2;
	} else if (zip->to_output) {
		(void)unpack_member(zip, member, 1);
	} else {
		extract(zip, member);
	}
}

static bool read_directory(struct zip *zip, struct slice directory, unsigned count)
{
	struct cursor c = cursor_of(directory);

	for (unsigned i = 0; i < count; i++) {
		struct zip_member member = {0};
		struct slice name;
		unsigned time, date, system, name_length, extra, comment, attributes;

		if (cursor_u32le(&c) != 0x02014b50 || c.failed)
			return false;
		system = cursor_u16le(&c) >> 8;
		cursor_skip(&c, 2);
		member.flags = cursor_u16le(&c);
		member.method = cursor_u16le(&c);
		time = cursor_u16le(&c);
		date = cursor_u16le(&c);
		member.crc = cursor_u32le(&c);
		member.packed = cursor_u32le(&c);
		member.size = cursor_u32le(&c);
		name_length = cursor_u16le(&c);
		extra = cursor_u16le(&c);
		comment = cursor_u16le(&c);
		cursor_skip(&c, 4);
		attributes = cursor_u32le(&c);
		member.header = cursor_u32le(&c);
		name = cursor_take(&c, name_length);
		cursor_skip(&c, extra + comment);
		if (c.failed || name.length >= MACHINE_PATH_MAX ||
		    slice_find_byte(name, 0) != SIZE_MAX)
			return false;
		member.name = process_copy_slice(zip->process, name);
		member.mode = system == 3 ? attributes >> 16 : 0;
		member.modified = dos_time(date, time);
		visit(zip, &member);
		process_give(zip->process, member.name);
	}
	return true;
}

static int no_archive(struct zip *zip)
{
	process_error(zip->process,
		      "  End-of-central-directory signature not found.  Either this file is not\n"
		      "  a zipfile, or it constitutes one disk of a multi-part archive.  In the\n"
		      "  latter case the central directory and zipfile comment will be found on\n"
		      "  the last disk(s) of this archive.\n");
	process_error(zip->process,
		      "unzip:  cannot find zipfile directory in one of %s or\n"
		      "        %s.zip, and cannot find %s.ZIP, period.\n",
		      zip->archive, zip->archive, zip->archive);
	return 9;
}

static int read_archive(struct zip *zip)
{
	struct process *process = zip->process;
	int64_t size = process_seek(process, zip->file, 0, SEEK_END);
	size_t tail = size < ZIP_TAIL_MAX ? (size_t)(size > 0 ? size : 0) : ZIP_TAIL_MAX, at = tail,
	       done = 0;
	uint8_t *bytes = process_take(process, tail + 1), *directory;
	struct cursor c;
	unsigned count;
	uint64_t length, offset;

	(void)process_seek(process, zip->file, size - (int64_t)tail, SEEK_SET);
	while (done < tail) {
		ssize_t got = process_read(process, zip->file, bytes + done, tail - done);

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	while (at >= 22 && memcmp(bytes + at - 22, "PK\5\6", 4) != 0)
		at--;
	if (done < tail || at < 22)
		return no_archive(zip);
	c = cursor_of(slice_of(bytes + at - 22, 22));
	cursor_skip(&c, 10);
	count = cursor_u16le(&c);
	length = cursor_u32le(&c);
	offset = cursor_u32le(&c);
	if (length > ZIP_DIRECTORY_MAX || offset + length > (uint64_t)size)
		return no_archive(zip);
	process_give(process, bytes);
	directory = process_take(process, (size_t)length + 1);
	(void)process_seek(process, zip->file, (int64_t)offset, SEEK_SET);
	for (done = 0; done < length;) {
		ssize_t got =
			process_read(process, zip->file, directory + done, (size_t)length - done);

		if (got <= 0)
			return no_archive(zip);
		done += (size_t)got;
	}
	if (zip->list)
		process_put_text(process, "  Length      Date    Time    Name\n"
					  "---------  ---------- -----   ----\n");
	if (!read_directory(zip, slice_of(directory, (size_t)length), count))
		return no_archive(zip);
	if (zip->list)
		process_print(process,
			      "---------                     -------\n%9llu                     %u "
			      "file%s\n",
			      (unsigned long long)zip->total, zip->count,
			      zip->count == 1 ? "" : "s");
	if (zip->test)
		process_print(process, "No errors detected in compressed data of %s.\n",
			      zip->archive);
	return zip->status;
}

int files_unzip(struct process *process, int argc, char **argv)
{
	struct zip zip = {.process = process};
	struct option_state state = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv, "lvtpcond:qjaCLuf:x:P:", NULL)) !=
	       -1)
		switch (option) {
		case 'l':
		case 'v':
			zip.list = true;
			break;
		case 't':
			zip.test = true;
			break;
		case 'p':
		case 'c':
			zip.to_output = true;
			break;
		case 'o':
			zip.overwrite = true;
			break;
		case 'n':
			zip.never = true;
			break;
		case 'd':
			zip.folder = state.argument;
			break;
		case 'q':
			zip.quiet = true;
			break;
		case 'j':
			zip.flat = true;
			break;
		case '?':
			return 10;
		default:
			break;
		}
	if (state.index >= argc) {
		process_put_text(
			process,
			"UnZip 6.00 of 20 April 2009, by Debian. Original by Info-ZIP.\n\n"
			"Usage: unzip [-Z] [-opts[modifiers]] file[.zip] [list] [-x xlist] [-d "
			"exdir]\n");
		return 0;
	}
	zip.archive = argv[state.index];
	zip.members = argv + state.index + 1;
	zip.member_count = argc - state.index - 1;
	zip.file = process_open(process, zip.archive, O_RDONLY, 0);
	if (zip.file < 0)
		zip.file = process_open(process, process_format(process, "%s.zip", zip.archive),
					O_RDONLY, 0);
	if (zip.file < 0) {
		process_error(process, "unzip:  cannot find or open %s, %s.zip or %s.ZIP.\n",
			      zip.archive, zip.archive, zip.archive);
		return 9;
	}
	if (!zip.quiet && !zip.to_output)
		process_print(process, "Archive:  %s\n", zip.archive);
	return read_archive(&zip);
}
