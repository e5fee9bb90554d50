/* gzip, gunzip, zcat, bzip2, bunzip2, bzcat, xz, unxz, xzcat. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_change.h"

enum { GZIP_IGNORED = TEXT_OWN };

struct gzip_kind {
	const char *name, *suffix, *version;
	enum files_packing packing;
};

static const struct gzip_kind kinds[] = {
	{"gzip", ".gz", "1.12", PACK_GZIP},
	{"bzip2", ".bz2", "1.0.8", PACK_BZIP2},
	{"xz", ".xz", "(XZ Utils) 5.4.1", PACK_XZ},
};

struct gzip {
	struct process *process;
	const struct gzip_kind *kind;
	bool unpack, to_output, keep, force, verbose, quiet, list, test, recursive, no_name;
	int level, status;
	bool listed;
	unsigned list_count; /* of xz -l: files, and their sizes together */
	uint64_t list_packed, list_size;
};

static void complain(struct gzip *gzip, const char *name, const char *words)
{
	struct process *process = gzip->process;

	gzip->status = 1;
	if (gzip->kind->packing == PACK_BZIP2)
		process_error(process, "%s: %s: %s\n", files_own_name(process), name, words);
	else if (gzip->kind->packing == PACK_XZ || process->busybox)
		process_complain(process, "%s: %s", name, words);
	else /* gunzip and zcat are scripts that run gzip */
		process_error(process, "\ngzip: %s: %s\n", name, words);
}

/* Messages without the empty line. */
static void name_complain(struct gzip *gzip, const char *path, const char *words)
{
	if (gzip->kind->packing == PACK_GZIP && !gzip->process->busybox)
		process_error(gzip->process, "gzip: %s: %s\n", path, words);
	else
		process_complain(gzip->process, "%s: %s", path, words);
}

/* The words for bytes that are no archive; reading them. */
static const char *wrong_words(const struct gzip *gzip, ssize_t error)
{
	if (error == -EILSEQ && gzip->kind->packing != PACK_BZIP2)
		return gzip->kind->packing == PACK_GZIP ? "not in gzip format"
							: "File format not recognized";
	if (gzip->kind->packing == PACK_GZIP)
		return error == -ENODATA ? "unexpected end of file"
					 : "invalid compressed data--format violated";
	if (gzip->kind->packing == PACK_XZ)
		return error == -ENODATA  ? "Unexpected end of input"
		       : error == -ENOMEM ? "Memory usage limit reached"
					  : "Compressed data is corrupt";
	return error == -ENODATA ? "Compressed file ends unexpectedly" : "data integrity error";
}

static int unpack_stream(struct gzip *gzip, const char *shown, int in, int out, uint64_t *size)
{
	struct process *process = gzip->process;
	struct unpacker *unpacker = unpacker_open(process, in, gzip->kind->packing);
	const size_t room = 16384;
	uint8_t *bytes = process_take(process, room);
	ssize_t got;
	int result = 0;

	*size = 0;
	while ((got = unpacker_read(unpacker, bytes, room)) > 0) {
		*size += (uint64_t)got;
		process_step(process);
		if (out == 1)
			process_put(process, slice_of(bytes, (size_t)got));
		else if (out >= 0 && (result = (int)process_write(
					      process, out, slice_of(bytes, (size_t)got))) < 0)
			break;
	}
	if (out == 1)
		process_flush(process);
	if (got == -EILSEQ && gzip->kind->packing == PACK_BZIP2) {
		process_error(process, "%s: (stdin) is not a bzip2 file.\n",
			      files_own_name(process));
		gzip->status = 2;
		result = -1;
	} else if (got < 0) {
		complain(gzip, shown, wrong_words(gzip, got));
		result = -1;
	} else if (result < 0) {
		complain(gzip, shown, strerror(-result));
	}
	unpacker_close(unpacker);
	process_give(process, bytes);
	return result < 0 ? -1 : 0;
}

static int pack_stream(struct gzip *gzip, const char *shown, int in, int out, const char *name,
		       int64_t modified, uint64_t *size, uint64_t *packed)
{
	struct process *process = gzip->process;
	struct packer *packer =
		packer_open(process, out, gzip->kind->packing, gzip->level,
			    gzip->no_name ? NULL : name, gzip->no_name ? 0 : modified);
	const size_t room = 16384;
	uint8_t *bytes = process_take(process, room);
	ssize_t got;
	int error = 0;

	*size = 0;
	while ((got = process_read(process, in, bytes, room)) > 0 && !error) {
		*size += (uint64_t)got;
		error = packer_write(packer, slice_of(bytes, (size_t)got));
	}
	*packed = packer_put(packer);
	if (packer_close(packer) < 0)
		error = -ENOSPC;
	if (got < 0 || error < 0)
		complain(gzip, shown, strerror(got < 0 ? (int)-got : -error));
	process_give(process, bytes);
	return got < 0 || error < 0 ? -1 : 0;
}

/* True when the stream starts as it must; reads and goes back (files only). */
static bool has_magic(struct gzip *gzip, int in)
{
	uint8_t start[6];
	ssize_t got = process_read(gzip->process, in, start, sizeof(start));

	(void)process_seek(gzip->process, in, 0, SEEK_SET);
	return got > 0 && files_packing_of(slice_of(start, (size_t)got)) == gzip->kind->packing;
}

static void not_packed(struct gzip *gzip, const char *path)
{
	struct process *process = gzip->process;

	if (gzip->kind->packing == PACK_GZIP) {
		complain(gzip, path, process->busybox ? "invalid magic" : "not in gzip format");
	} else if (gzip->kind->packing == PACK_XZ) {
		complain(gzip, path, "File format not recognized");
	} else {
		process_error(process, "%s: %s is not a bzip2 file.\n", files_own_name(process),
			      path);
		gzip->status = 1;
	}
}

/* "60 B", "17.6 KiB" */
static char *nice_size(struct process *process, uint64_t size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double number = (double)size / 1024;
	size_t unit = 0;

	if (size <= 9999)
		return process_format(process, "%llu B", (unsigned long long)size);
	while (number > 9999.9 && unit + 1 < ARRAY_COUNT(units)) {
		number /= 1024;
		unit++;
	}
	return process_format(process, "%.1f %s", number, units[unit]);
}

static void put_xz_row(struct gzip *gzip, unsigned count, uint64_t packed, uint64_t size,
		       const char *name)
{
	double ratio = size ? (double)packed / (double)size : 10;

	process_print(gzip->process, "%5u %7u  %11s  %11s  %5s  %-7s %s\n", count, count,
		      nice_size(gzip->process, packed), nice_size(gzip->process, size),
		      ratio > 9.999 ? "---" : process_format(gzip->process, "%.3f", ratio), "CRC64",
		      name);
}

static void list_xz(struct gzip *gzip, const char *path, uint64_t packed, uint64_t size)
{
	if (!gzip->listed)
		process_put_text(gzip->process, "Strms  Blocks   Compressed Uncompressed  Ratio  "
						"Check   Filename\n");
	gzip->listed = true;
	gzip->list_count++;
	gzip->list_packed += packed;
	gzip->list_size += size;
	put_xz_row(gzip, 1, packed, size, path);
}

/* Behind more than one file, what they are together. */
static void list_xz_end(struct gzip *gzip)
{
	if (gzip->kind->packing != PACK_XZ || gzip->list_count < 2)
		return;
	for (int i = 0; i < 79; i++)
		process_put_byte(gzip->process, '-');
	process_put_byte(gzip->process, '\n');
	put_xz_row(gzip, gzip->list_count, gzip->list_packed, gzip->list_size,
		   process_format(gzip->process, "%u files", gzip->list_count));
}

static void list_file(struct gzip *gzip, const char *path, int in, uint64_t packed)
{
	uint64_t size = 0;
	double ratio;

	if (unpack_stream(gzip, path, in, -1, &size) < 0)
		return;
	if (gzip->kind->packing == PACK_XZ) {
		list_xz(gzip, path, packed, size);
		return;
	}
	if (!gzip->listed)
		process_put_text(
			gzip->process,
			"         compressed        uncompressed  ratio uncompressed_name\n");
	gzip->listed = true;
	ratio = size ? 100.0 * ((double)size - (double)packed + 18) / (double)size : 0;
	process_print(gzip->process, "%19llu %19llu %5.1f%% %.*s\n", (unsigned long long)packed,
		      (unsigned long long)size, ratio,
		      (int)(strlen(path) - strlen(gzip->kind->suffix)), path);
}

/* Name of the file that comes out; NULL when there is none. */
static char *target_name(struct gzip *gzip, const char *path)
{
	struct process *process = gzip->process;
	const char *suffix = gzip->kind->suffix;
	size_t length = strlen(path), end = strlen(suffix);

	if (!gzip->unpack) {
		if (length > end && !strcmp(path + length - end, suffix) && !gzip->force) {
			if (gzip->kind->packing == PACK_BZIP2)
				process_error(process,
					      "bzip2: Input file %s already has .bz2 suffix.\n",
					      path);
			else
				process_complain(process, "%s already has %s suffix -- unchanged",
						 path, suffix);
			gzip->status = gzip->kind->packing == PACK_GZIP ? 2 : 1;
			return NULL;
		}
		return process_format(process, "%s%s", path, suffix);
	}
	if (length > end && !strcmp(path + length - end, suffix))
		return process_copy_slice(process, slice_of(path, length - end));
	if (length > 4 &&
	    (!strcmp(path + length - 4, ".tgz") || !strcmp(path + length - 4, ".txz") ||
	     !strcmp(path + length - 4, ".tbz")))
		return process_format(process, "%.*s.tar", (int)length - 4, path);
	if (gzip->kind->packing == PACK_BZIP2) {
		process_error(process,
			      "bunzip2: Can't guess original name for %s -- using %s.out\n", path,
			      path);
		return process_format(process, "%s.out", path);
	}
	name_complain(gzip, path,
		      gzip->kind->packing == PACK_XZ ? "Filename has an unknown suffix, skipping"
		      : process->busybox             ? "unknown suffix - ignored"
						     : "unknown suffix -- ignored");
	gzip->status = gzip->kind->packing == PACK_GZIP ? 2 : 1;
	return NULL;
}

static void do_file(struct gzip *gzip, const char *path);

static void do_folder(struct gzip *gzip, const char *path)
{
	struct process *process = gzip->process;
	struct folder_entry *entries;
	ssize_t count;

	if (!gzip->recursive) {
		if (gzip->kind->packing == PACK_BZIP2)
			process_error(process, "%s: Input file %s is a directory.\n",
				      files_own_name(process), path);
		else if (gzip->kind->packing == PACK_XZ)
			process_complain(process, "%s: Is a directory, skipping", path);
		else
			process_complain(process, "%s is a directory -- ignored", path);
		gzip->status = gzip->kind->packing == PACK_GZIP ? 2 : 1;
		return;
	}
	count = files_list(process, path, &entries);
	for (ssize_t i = 0; i < count; i++) {
		char *below = files_join(process, path, entries[i].name);

		if (strlen(below) < MACHINE_PATH_MAX / 8)
			do_file(gzip, below);
		process_give(process, below);
	}
	if (count >= 0)
		files_list_free(process, entries, count);
}

static void write_file(struct gzip *gzip, const char *path, const char *target, int in,
		       const struct file_status *status)
{
	struct process *process = gzip->process;
	uint64_t size = 0, packed = 0;
	struct file_status there;
	int out, failed;

	if (!gzip->force && process_stat(process, target, false, &there) == 0) {
		if (gzip->kind->packing == PACK_GZIP && process_is_terminal(process, 0)) {
			if (!files_ask(process,
				       "%s: %s already exists; do you wish to overwrite (y or n)? ",
				       files_own_name(process), target)) {
				process_error(process, "\tnot overwritten\n");
				gzip->status = 2;
				return;
			}
		} else {
			if (gzip->kind->packing == PACK_GZIP) {
				process_complain(process, "%s already exists;\tnot overwritten",
						 target);
				gzip->status = 2;
			} else if (gzip->kind->packing == PACK_BZIP2) {
				process_error(process, "%s: Output file %s already exists.\n",
					      files_own_name(process), target);
				gzip->status = 1;
			} else {
				complain(gzip, target, strerror(EEXIST));
			}
			return;
		}
	}
	out = process_open(process, target, O_WRONLY | O_CREAT | O_TRUNC, status->mode & 0777);
	if (out < 0) {
		complain(gzip, target, strerror(-out));
		return;
	}
	failed = gzip->unpack ? unpack_stream(gzip, path, in, out, &size)
			      : pack_stream(gzip, path, in, out, files_last(process, path),
					    status->modified, &size, &packed);
	process_close(process, out);
	if (failed) {
		(void)process_unlink(process, target);
		return;
	}
	(void)process_change_owner(process, target, true, status->uid, status->gid);
	(void)process_change_mode(process, target, status->mode & 0777);
	(void)process_change_times(process, target, true, status->accessed, status->modified);
	if (gzip->verbose && gzip->kind->packing == PACK_GZIP) {
		double more = (double)(gzip->unpack ? size : size);
		double less = (double)(gzip->unpack ? status->size : packed);

		process_error(process, "%s:\t%5.1f%% -- %s %s\n", path,
			      more > 0 ? 100.0 * (more - less + 18) / more : 0.0,
			      gzip->keep ? "created" : "replaced with", target);
	}
	if (!gzip->keep)
		(void)process_unlink(process, path);
}

static void do_file(struct gzip *gzip, const char *path)
{
	struct process *process = gzip->process;
	struct file_status status;
	uint64_t size, packed;
	char *target = NULL;
	bool writes;
	int in, error = process_stat(process, path, true, &status);

	process_step(process);
	if (error == -ENOENT && gzip->unpack && gzip->kind->packing == PACK_GZIP) {
		char *other = process_format(process, "%s.gz", path);

		error = process_stat(process, other, true, &status);
		if (strlen(path) < 3 || strcmp(path + strlen(path) - 3, ".gz") != 0)
			path = other;
	}
	if (error < 0) {
		if (gzip->kind->packing == PACK_BZIP2)
			process_error(process, "%s: Can't open input file %s: %s.\n",
				      files_own_name(process), path, strerror(-error));
		else
			name_complain(gzip, path, strerror(-error));
		gzip->status = 1;
		return;
	}
	if (S_ISDIR(status.mode)) {
		do_folder(gzip, path);
		return;
	}
	/* xz looks into the file first. */
	writes = !gzip->to_output && !gzip->list && !gzip->test;
	if (writes && (gzip->kind->packing != PACK_XZ || !gzip->unpack) &&
	    !(target = target_name(gzip, path)))
		return;
	in = process_open(process, path, O_RDONLY, 0);
	if (in < 0) {
		name_complain(gzip, path, strerror(-in));
		gzip->status = 1;
		return;
	}
	if (gzip->unpack && !has_magic(gzip, in)) {
		if (gzip->force && gzip->to_output)
			(void)text_copy(process, in, UINT64_MAX);
		else
			not_packed(gzip, path);
	} else if (gzip->list) {
		list_file(gzip, path, in, status.size);
	} else if (gzip->test) {
		if (unpack_stream(gzip, path, in, -1, &size) == 0 && gzip->verbose)
			process_error(process, "%s:\t OK\n", path);
	} else if (gzip->to_output) {
		process_flush(process);
		if (gzip->unpack)
			(void)unpack_stream(gzip, path, in, 1, &size);
		else
			(void)pack_stream(gzip, path, in, 1, files_last(process, path),
					  status.modified, &size, &packed);
	} else {
		if (!target)
			target = target_name(gzip, path);
		if (target)
			write_file(gzip, path, target, in, &status);
	}
	process_close(process, in);
}

static void do_input(struct gzip *gzip)
{
	struct process *process = gzip->process;
	uint64_t size, packed;

	if (!gzip->unpack && process_is_terminal(process, 1) && !gzip->force) {
		if (gzip->kind->packing == PACK_GZIP)
			process_complain(
				process,
				"compressed data not written to a terminal. Use -f to force "
				"compression.\nFor help, type: gzip -h");
		else if (gzip->kind->packing == PACK_XZ)
			process_complain(process,
					 "Compressed data cannot be written to a terminal");
		else
			process_error(process,
				      "bzip2: I won't write compressed data to a terminal.\n"
				      "bzip2: For help, type: `bzip2 --help'.\n");
		gzip->status = 1;
		return;
	}
	process_flush(process);
	if (gzip->unpack)
		(void)unpack_stream(gzip, gzip->kind->packing == PACK_XZ ? "(stdin)" : "stdin", 0,
				    gzip->test ? -1 : 1, &size);
	else
		(void)pack_stream(gzip, "stdin", 0, 1, NULL, 0, &size, &packed);
}

static void choose_kind(struct gzip *gzip, const char *name)
{
	gzip->kind = &kinds[strchr(name, 'x') ? 2 : strchr(name, 'b') ? 1 : 0];
	gzip->unpack = strstr(name, "un") != NULL || strstr(name, "cat") != NULL;
	gzip->to_output = strstr(name, "cat") != NULL;
	gzip->level = 6;
}

int files_gzip(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"best", '9'},
						   {"decompress", 'd'},
						   {"fast", '1'},
						   {"force", 'f'},
						   {"keep", 'k'},
						   {"list", 'l'},
						   {"name", 'N'},
						   {"no-name", 'n'},
						   {"quiet", 'q'},
						   {"recursive", 'r'},
						   {"rsyncable", GZIP_IGNORED},
						   {"small", 's'},
						   {"stdout", 'c'},
						   {"to-stdout", 'c'},
						   {"suffix", 'S', OPTION_NEEDS},
						   {"test", 't'},
						   {"uncompress", 'd'},
						   {"verbose", 'v'},
						   {"compress", 'z'},
						   {"extreme", 'e'},
						   {"threads", 'T', OPTION_NEEDS},
						   {"format", 'F', OPTION_NEEDS},
						   TEXT_WORDS};
	struct gzip gzip = {.process = process};
	struct option_state state = {0};
	int option;

	choose_kind(&gzip, files_own_name(process));
	while ((option = option_next(process, &state, argc, argv,
				     gzip.kind->packing == PACK_XZ
					     ? "123456789acdefhklnNqrsS:tT:F:vVLz0M:Q"
					     : "123456789acdefhklnNqrsS:tT:F:vVLz0M:",
				     words)) != -1)
		switch (option) {
		case 'c':
			gzip.to_output = true;
			break;
		case 'd':
			gzip.unpack = true;
			break;
		case 'f':
			gzip.force = true;
			break;
		case 'k':
			gzip.keep = true;
			break;
		case 'l':
			gzip.list = gzip.unpack = true;
			break;
		case 'n':
			gzip.no_name = true;
			break;
		case 'q':
			gzip.quiet = true;
			break;
		case 'r':
			gzip.recursive = true;
			break;
		case 't':
			gzip.test = gzip.unpack = true;
			break;
		case 'v':
			gzip.verbose = true;
			break;
		case 'z':
			gzip.unpack = false;
			break;
		case 'h':
		case 'V':
		case '?':
		case TEXT_HELP:
		case TEXT_VERSION:
			text_other_option(process,
					  option == 'h'   ? TEXT_HELP
					  : option == 'V' ? TEXT_VERSION
							  : option,
					  gzip.kind->version, "[OPTION]... [FILE]...", 1);
		default:
			if (option >= '1' && option <= '9')
				gzip.level = option - '0';
			break;
		}
	if (state.index >= argc) {
		if (gzip.list)
			return 0;
		do_input(&gzip);
	}
	for (int i = state.index; i < argc; i++) {
		if (!strcmp(argv[i], "-"))
			do_input(&gzip);
		else
			do_file(&gzip, argv[i]);
	}
	list_xz_end(&gzip);
	return gzip.status;
}
