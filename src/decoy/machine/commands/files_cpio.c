/* cpio as GNU's 2.13: the old binary format, odc and newc. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files.h"

#define CPIO_BLOCK      512
#define STORED_NAME_MAX ((uint64_t)MACHINE_PATH_MAX)

enum format { FORMAT_BINARY, FORMAT_ODC, FORMAT_NEWC };

/* Fields of a header in the order of the formats; newc has four numbers of devices and a sum. */
struct entry {
	uint64_t device, inode, mode, uid, gid, links, special, modified, size, name_length;
};

struct cpio {
	struct process *process;
	char action; /* o i p t */
	enum format format;
	const char *archive, *folder;
	bool verbose, make_folders, keep_times, replace, quiet, to_output, numeric, absolute, link,
		only_others;
	char **patterns;
	int pattern_count;
	int file; /* the archive */
	uint64_t bytes;
	uint32_t inodes; /* given out so far */
	int status;
};

/* --- writing --- */

static void put(struct cpio *c, struct slice bytes)
{
	int error = c->file == 1 ? 0 : (int)process_write(c->process, c->file, bytes);

	if (c->file == 1)
		process_put(c->process, bytes);
	c->bytes += bytes.length;
	if (error < 0) {
		process_complain(c->process, "write error: %s", strerror(-error));
		process_exit(c->process, 2);
	}
}

static void put_padding(struct cpio *c, unsigned to)
{
	static const uint8_t zeros[CPIO_BLOCK];

	if (c->bytes % to)
		put(c, slice_of(zeros, to - (size_t)(c->bytes % to)));
}

static void put_short(struct cpio *c, uint64_t value)
{
	uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

	put(c, slice_of(bytes, 2));
}

static void put_header(struct cpio *c, const struct entry *e, const char *name)
{
	char text[128];
	unsigned padding = c->format == FORMAT_NEWC ? 4 : c->format == FORMAT_BINARY ? 2 : 1;

	if (c->format == FORMAT_NEWC) {
		snprintf(text, sizeof(text),
			 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
			 (unsigned)e->inode, (unsigned)e->mode, (unsigned)e->uid, (unsigned)e->gid,
			 (unsigned)e->links, (unsigned)e->modified, (unsigned)e->size,
			 (unsigned)(e->device >> 8), (unsigned)(e->device & 255),
			 (unsigned)(e->special >> 8), (unsigned)(e->special & 255),
			 (unsigned)e->name_length, 0u);
		put(c, slice_text(text));
	} else if (c->format == FORMAT_ODC) {
		snprintf(text, sizeof(text), "070707%06o%06o%06o%06o%06o%06o%06o%011llo%06o%011llo",
			 (unsigned)e->device & 0777777, (unsigned)e->inode & 0777777,
			 (unsigned)e->mode & 0777777, (unsigned)e->uid & 0777777,
			 (unsigned)e->gid & 0777777, (unsigned)e->links & 0777777,
			 (unsigned)e->special & 0777777, (unsigned long long)e->modified,
			 (unsigned)e->name_length, (unsigned long long)e->size);
		put(c, slice_text(text));
	} else {
		const uint64_t fields[] = {
			070707,         e->device,     e->inode,   e->mode,           e->uid,
			e->gid,         e->links,      e->special, e->modified >> 16, e->modified,
			e->name_length, e->size >> 16, e->size};

		for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
			put_short(c, fields[i]);
	}
	put(c, slice_of(name, strlen(name) + 1));
	put_padding(c, padding);
}

static void put_contents(struct cpio *c, const char *name, uint64_t size)
{
	int file = process_open(c->process, name, O_RDONLY, 0);
	uint8_t bytes[4096];
	uint64_t left = size;

	while (left) {
		size_t want = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		ssize_t got = file < 0 ? 0 : process_read(c->process, file, bytes, want);

		process_step(c->process);
		if (got <= 0) { /* it shrank */
			memset(bytes, 0, want);
			got = (ssize_t)want;
		}
		put(c, slice_of(bytes, (size_t)got));
		left -= (uint64_t)got;
	}
	if (file >= 0)
		(void)process_close(c->process, file);
}

static const char *stored_name(const char *name)
{
	while (name[0] == '.' && name[1] == '/' && name[2])
		for (name += 2; *name == '/'; name++)
			continue;
	return name;
}

static void add(struct cpio *c, const char *name)
{
	struct file_status status;
	char *target = NULL;
	int error = process_stat(c->process, name, false, &status);
	unsigned padding = c->format == FORMAT_NEWC ? 4 : c->format == FORMAT_BINARY ? 2 : 1;
	struct entry e;

	if (error < 0) {
		process_complain(c->process, "%s: Cannot stat: %s", name, strerror(-error));
		c->status = 2;
		return;
	}
	if (S_ISREG(status.mode) && process_access(c->process, name, 4) < 0) {
		process_complain(c->process, "%s: Cannot open: %s", name, strerror(EACCES));
		c->status = 2;
		return;
	}
	e = (struct entry){.device = 0x0801,
			   .inode = ++c->inodes,
			   .mode = status.mode,
			   .uid = status.uid,
			   .gid = status.gid,
			   .links = S_ISDIR(status.mode) ? 2 : 1,
			   .special = status.device_major << 8 | status.device_minor,
			   .modified = (uint64_t)(status.modified / SECOND),
			   .size = S_ISREG(status.mode) ? status.size : 0};
	if (S_ISLNK(status.mode) && (target = files_target(c->process, name, &error)))
		e.size = strlen(target);
	e.name_length = strlen(stored_name(name)) + 1;
	put_header(c, &e, stored_name(name));
	if (target)
		put(c, slice_text(target));
	else
		put_contents(c, name, e.size);
	put_padding(c, padding);
	if (c->verbose)
		process_error(c->process, "%s\n", name);
}

/* --- reading --- */

static bool take(struct cpio *c, void *at, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got =
			process_read(c->process, c->file, (uint8_t *)at + done, length - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	c->bytes += length;
	return true;
}

static _Noreturn void premature(struct cpio *c)
{
	process_flush(c->process);
	process_complain(c->process, "premature end of archive");
	process_exit(c->process, 2);
}

static void skip_padding(struct cpio *c, uint64_t to)
{
	uint8_t bytes[4];

	if (c->bytes % to && !take(c, bytes, (size_t)(to - c->bytes % to)))
		premature(c);
}

static uint64_t number(const char *text, size_t length, unsigned base)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned digit = text[i] <= '9' ? (unsigned)(text[i] - '0')
						: (unsigned)((text[i] | 32) - 'a' + 10);

		value = value * base + (digit < base ? digit : 0);
	}
	return value;
}

static void read_newc(const char *text, struct entry *e)
{
	uint64_t fields[13];

	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		fields[i] = number(text + 8 * i, 8, 16);
	*e = (struct entry){.inode = fields[0],
			    .mode = fields[1],
			    .uid = fields[2],
			    .gid = fields[3],
			    .links = fields[4],
			    .modified = fields[5],
			    .size = fields[6],
			    .special = fields[9] << 8 | fields[10],
			    .name_length = fields[11]};
}

static void read_odc(const char *text, struct entry *e)
{
	*e = (struct entry){.device = number(text, 6, 8),
			    .inode = number(text + 6, 6, 8),
			    .mode = number(text + 12, 6, 8),
			    .uid = number(text + 18, 6, 8),
			    .gid = number(text + 24, 6, 8),
			    .links = number(text + 30, 6, 8),
			    .special = number(text + 36, 6, 8),
			    .modified = number(text + 42, 11, 8),
			    .name_length = number(text + 53, 6, 8),
			    .size = number(text + 59, 11, 8)};
}

static void read_binary(const uint8_t *bytes, struct entry *e)
{
	uint64_t fields[12];

	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		fields[i] = (uint64_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
	*e = (struct entry){.device = fields[0],
			    .inode = fields[1],
			    .mode = fields[2],
			    .uid = fields[3],
			    .gid = fields[4],
			    .links = fields[5],
			    .special = fields[6],
			    .modified = fields[7] << 16 | fields[8],
			    .name_length = fields[9],
			    .size = fields[10] << 16 | fields[11]};
}

/* The next header with its name; junk before it is passed over. */
static char *next_entry(struct cpio *c, struct entry *e)
{
	char text[128];
	uint64_t skipped = 0;
	unsigned padding;
	char *name;

	if (!take(c, text, 6))
		premature(c);
	while (memcmp(text, "070701", 6) != 0 && memcmp(text, "070702", 6) != 0 &&
	       memcmp(text, "070707", 6) != 0 && memcmp(text, "\307\161", 2) != 0) {
		memmove(text, text + 1, 5);
		process_step(c->process);
		if (!take(c, text + 5, 1))
			premature(c);
		skipped++;
	}
	if (skipped)
		process_complain(c->process, "warning: skipped %llu bytes of junk",
				 (unsigned long long)skipped);
	c->format = memcmp(text, "07070", 5) != 0 ? FORMAT_BINARY
		    : text[5] == '7'              ? FORMAT_ODC
						  : FORMAT_NEWC;
	padding = c->format == FORMAT_NEWC ? 4 : c->format == FORMAT_BINARY ? 2 : 1;
	if (!take(c, text + 6, c->format == FORMAT_NEWC ? 104 : c->format == FORMAT_ODC ? 70 : 20))
		premature(c);
	if (c->format == FORMAT_NEWC)
		read_newc(text + 6, e);
	else if (c->format == FORMAT_ODC)
		read_odc(text + 6, e);
	else
		read_binary((uint8_t *)text + 2, e);
	if (e->name_length == 0 || e->name_length > STORED_NAME_MAX)
		premature(c);
	name = process_take(c->process, (size_t)e->name_length + 1);
	if (!take(c, name, (size_t)e->name_length))
		premature(c);
	if (padding > 1)
		skip_padding(c, padding);
	return name;
}

/* The contents to a descriptor (-1: nowhere). */
static void take_contents(struct cpio *c, uint64_t size, int file)
{
	uint8_t bytes[4096];

	while (size) {
		size_t want = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);

		process_step(c->process);
		if (!take(c, bytes, want))
			premature(c);
		if (file == 1)
			process_put(c->process, slice_of(bytes, want));
		else if (file >= 0 && process_write(c->process, file, slice_of(bytes, want)) < 0)
			c->status = 2;
		size -= want;
	}
	if (c->format != FORMAT_ODC)
		skip_padding(c, c->format == FORMAT_NEWC ? 4 : 2);
}

static bool is_wanted(struct cpio *c, const char *name)
{
	bool found = c->pattern_count == 0;

	for (int i = 0; i < c->pattern_count && !found; i++)
		found = text_glob(c->patterns[i], name);
	return found != c->only_others;
}

static void list(struct cpio *c, const struct entry *e, const char *name, const char *target)
{
	struct process *p = c->process;
	char mode[11], when[32];

	if (!c->verbose) {
		process_print(p, "%s\n", name);
		return;
	}
	files_mode_text((unsigned)e->mode, mode);
	files_time_text((int64_t)e->modified * SECOND, process_now(p), when, sizeof(when));
	process_print(p, "%s %3llu ", mode, (unsigned long long)e->links);
	if (c->numeric)
		process_print(p, "%-8llu %-8llu", (unsigned long long)e->uid,
			      (unsigned long long)e->gid);
	else
		process_print(p, "%-8s %-8s", command_user_name(p, (unsigned)e->uid),
			      command_group_name(p, (unsigned)e->gid));
	process_print(p, " %8llu %s %s", (unsigned long long)e->size, when, name);
	if (target)
		process_print(p, " -> %s", target);
	process_put_byte(p, '\n');
}

static void make_parents(struct cpio *c, const char *name)
{
	char *copy = process_copy_text(c->process, name);

	for (char *at = copy; *at && (at = strchr(at + 1, '/'));) {
		*at = '\0';
		(void)process_make_folder(c->process, copy, 0777);
		*at = '/';
	}
}

/* What may lead out of the folder is stored within it, as --no-absolute-filenames does. */
static const char *safe_name(const struct cpio *c, const char *name)
{
	for (const char *at = name; !c->absolute && (at = strstr(at, "../")) != NULL; at += 3)
		if (at == name || at[-1] == '/')
			name = at + 3;
	while (!c->absolute && *name == '/')
		name++;
	return *name ? name : ".";
}

static void set_attributes(struct cpio *c, const char *name, const struct entry *e)
{
	if (c->process->identity.effective_uid == 0)
		(void)process_change_owner(c->process, name, false, (unsigned)e->uid,
					   (unsigned)e->gid);
	if ((e->mode & S_IFMT) != S_IFLNK)
		(void)process_change_mode(c->process, name, (unsigned)e->mode & 07777);
	if (c->keep_times)
		(void)process_change_times(c->process, name, false, process_now(c->process),
					   (int64_t)e->modified * SECOND);
}

/* Whether an older file or none is in the way. */
static bool may_make(struct cpio *c, const char *name, const struct entry *e, bool folder)
{
	struct file_status status;

	if (process_stat(c->process, name, false, &status) < 0)
		return true;
	if (folder && S_ISDIR(status.mode))
		return true;
	if (!c->replace && status.modified / SECOND >= (int64_t)e->modified) {
		process_complain(c->process, "%s not created: newer or same age version exists",
				 name);
		return false;
	}
	(void)process_unlink(c->process, name);
	return true;
}

static int make_file(struct cpio *c, const char *name)
{
	int file = process_open(c->process, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file == -ENOENT && c->make_folders) {
		make_parents(c, name);
		file = process_open(c->process, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	}
	if (file < 0) {
		process_complain(c->process, "%s: Cannot open: %s", name, strerror(-file));
		c->status = 2;
	}
	return file;
}

static void make_other(struct cpio *c, const char *name, const struct entry *e, const char *target)
{
	int error;

	if (c->make_folders)
		make_parents(c, name);
	if (S_ISDIR(e->mode))
		error = process_make_folder(c->process, name, (unsigned)e->mode & 07777);
	else if (target)
		error = process_symlink(c->process, target, name);
	else
		error = process_make_node(c->process, name, (unsigned)e->mode,
					  (unsigned)e->special);
	if (error == -EEXIST && S_ISDIR(e->mode))
		error = 0;
	if (error < 0) {
		process_complain(c->process, "%s: Cannot %s: %s", name,
				 S_ISDIR(e->mode) ? "make directory"
				 : target         ? "symlink"
						  : "mknod",
				 strerror(-error));
		c->status = 2;
	}
}

/* A text of the archive: where a link leads to. */
static char *take_target(struct cpio *c, const struct entry *e)
{
	char *target;

	if (e->size >= MACHINE_PATH_MAX)
		premature(c);
	target = process_take(c->process, (size_t)e->size + 1);
	if (!take(c, target, (size_t)e->size))
		premature(c);
	if (c->format != FORMAT_ODC)
		skip_padding(c, c->format == FORMAT_NEWC ? 4 : 2);
	return target;
}

static void extract(struct cpio *c, const struct entry *e, const char *stored)
{
	const char *name = safe_name(c, stored);
	char *target = S_ISLNK(e->mode) ? take_target(c, e) : NULL;
	bool regular = S_ISREG(e->mode), makes = may_make(c, name, e, S_ISDIR(e->mode));
	int file = -1;

	if (makes && regular) {
		file = make_file(c, name);
		makes = file >= 0;
	} else if (makes) {
		make_other(c, name, e, target);
	}
	if (!target)
		take_contents(c, e->size, file);
	if (file >= 0)
		(void)process_close(c->process, file);
	if (!makes)
		return;
	set_attributes(c, name, e);
	if (c->verbose)
		process_error(c->process, "%s\n", name);
}

static void read_archive(struct cpio *c)
{
	struct entry e;

	for (;;) {
		char *name = next_entry(c, &e);

		if (strcmp(name, "TRAILER!!!") == 0)
			break;
		if (!is_wanted(c, name))
			take_contents(c, e.size, -1);
		else if (c->action == 't') {
			char *target = S_ISLNK(e.mode) && c->verbose ? take_target(c, &e) : NULL;

			list(c, &e, name, target);
			if (!target)
				take_contents(c, e.size, -1);
		} else if (c->to_output)
			take_contents(c, e.size, S_ISREG(e.mode) ? 1 : -1);
		else
			extract(c, &e, name);
		process_give(c->process, name);
		process_step(c->process);
	}
}

/* --- passing through --- */

static void pass(struct cpio *c, const char *name)
{
	struct file_status status;
	char *to = process_format(c->process, "%s/%s", c->folder, stored_name(name));
	char *target = NULL;
	struct entry e;
	int error = process_stat(c->process, name, false, &status), file;

	if (error < 0) {
		process_complain(c->process, "%s: Cannot stat: %s", name, strerror(-error));
		c->status = 2;
		return;
	}
	e = (struct entry){.mode = status.mode,
			   .uid = status.uid,
			   .gid = status.gid,
			   .special = status.device_major << 8 | status.device_minor,
			   .modified = (uint64_t)(status.modified / SECOND)};
	if (!may_make(c, to, &e, S_ISDIR(status.mode)))
		return;
	if (S_ISLNK(status.mode))
		target = files_target(c->process, name, &error);
	if (!S_ISREG(status.mode)) {
		make_other(c, to, &e, target);
	} else if (c->link) {
		error = process_link(c->process, name, to);
	} else {
		file = make_file(c, to);
		if (file < 0)
			return;
		(void)process_close(c->process, file);
		error = process_clone_file(c->process, name, to, status.mode & 07777);
		c->bytes += status.size;
	}
	if (error < 0) {
		process_complain(c->process, "%s: Cannot open: %s", name, strerror(-error));
		c->status = 2;
		return;
	}
	set_attributes(c, to, &e);
	if (c->verbose)
		process_error(c->process, "%s\n", to);
}

/* --- options --- */

static void each_name(struct cpio *c, void (*does)(struct cpio *c, const char *name), uint8_t end)
{
	struct line_reader reader;
	struct slice line;
	bool newline;

	line_reader_open(&reader, 0);
	while (line_reader_until(c->process, &reader, end, &line, &newline)) {
		if (line.length)
			does(c, process_copy_slice(c->process, line));
		process_step(c->process);
	}
}

static void tell_blocks(struct cpio *c)
{
	uint64_t blocks = (c->bytes + CPIO_BLOCK - 1) / CPIO_BLOCK;

	process_flush(c->process);
	if (!c->quiet)
		process_error(c->process, "%llu block%s\n", (unsigned long long)blocks,
			      blocks == 1 ? "" : "s");
}

static void set_format(struct cpio *c, const char *name)
{
	static const struct {
		const char *name;
		enum format format;
	} formats[] = {{"bin", FORMAT_BINARY}, {"odc", FORMAT_ODC}, {"newc", FORMAT_NEWC}};

	for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
		if (strcmp(formats[i].name, name) == 0) {
			c->format = formats[i].format;
			return;
		}
	process_complain(c->process, "invalid archive format `%s'; valid formats are:", name);
	process_error(c->process, "crc newc odc bin ustar tar (all-caps also recognized)\n");
	process_exit(c->process, 2);
}

enum { OPTION_QUIET = TEXT_OWN, OPTION_TO_STDOUT, OPTION_NO_ABSOLUTE };

static void take_option(struct cpio *c, int option, const char *argument)
{
	static const struct {
		char letter;
		size_t offset;
	} flags[] = {{'v', offsetof(struct cpio, verbose)},
		     {'d', offsetof(struct cpio, make_folders)},
		     {'m', offsetof(struct cpio, keep_times)},
		     {'u', offsetof(struct cpio, replace)},
		     {'n', offsetof(struct cpio, numeric)},
		     {'l', offsetof(struct cpio, link)},
		     {'f', offsetof(struct cpio, only_others)}};

	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if (option == flags[i].letter)
			*(bool *)((char *)c + flags[i].offset) = true;
	if (option == 'o' || option == 'i' || option == 'p')
		c->action = c->action == 't' ? 't' : (char)option;
	else if (option == 't')
		c->action = 't';
	else if (option == 'c')
		c->format = FORMAT_ODC;
	else if (option == 'H')
		set_format(c, argument);
	else if (option == 'F' || option == 'O' || option == 'I')
		c->archive = argument;
	else if (option == OPTION_QUIET)
		c->quiet = true;
	else if (option == OPTION_TO_STDOUT)
		c->to_output = true;
	else if (option == OPTION_NO_ABSOLUTE)
		c->absolute = false;
	else if (option == '?') {
		process_error(c->process,
			      "Try 'cpio --help' or 'cpio --usage' for more information.\n");
		process_exit(c->process, 64);
	} else if (option == TEXT_VERSION || option == TEXT_HELP)
		text_other_option(c->process, option, "(GNU cpio) 2.13",
				  "[OPTION...] [destination-directory]", 2);
}

static void open_archive(struct cpio *c)
{
	c->file = c->action == 'o' ? 1 : 0;
	if (!c->archive)
		return;
	c->file = process_open(c->process, c->archive,
			       c->action == 'o' ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0666);
	if (c->file < 0) {
		process_complain(c->process, "Cannot open `%s': %s", c->archive,
				 strerror(-c->file));
		process_exit(c->process, 2);
	}
}

static int cpio_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"create", 'o'},
						   {"extract", 'i'},
						   {"pass-through", 'p'},
						   {"list", 't'},
						   {"verbose", 'v'},
						   {"make-directories", 'd'},
						   {"preserve-modification-time", 'm'},
						   {"unconditional", 'u'},
						   {"format", 'H', OPTION_NEEDS},
						   {"file", 'F', OPTION_NEEDS},
						   {"numeric-uid-gid", 'n'},
						   {"null", '0'},
						   {"link", 'l'},
						   {"nonmatching", 'f'},
						   {"quiet", OPTION_QUIET},
						   {"to-stdout", OPTION_TO_STDOUT},
						   {"no-absolute-filenames", OPTION_NO_ABSOLUTE},
						   TEXT_WORDS};
	struct cpio c = {.process = process, .absolute = true};
	struct option_state state = {0};
	uint8_t end = '\n';
	int option;

	while ((option = option_next(process, &state, argc, argv,
				     ":oiptvdmuncl0fH:F:O:I:aBkLE:", words)) != -1) {
		if (option == '0')
			end = '\0';
		take_option(&c, option, state.argument);
	}
	if (!c.action) {
		process_complain(process, "You must specify one of -oipt options.");
		process_error(process,
			      "Try 'cpio --help' or 'cpio --usage' for more information.\n");
		return 2;
	}
	c.patterns = argv + state.index;
	c.pattern_count = argc - state.index;
	if (c.action == 'p') {
		if (c.pattern_count != 1) {
			process_complain(process, "Too few arguments");
			return 2;
		}
		c.folder = c.patterns[0];
		each_name(&c, pass, end);
	} else if (c.action == 'o') {
		open_archive(&c);
		each_name(&c, add, end);
		put_header(&c, &(struct entry){.links = 1, .name_length = 11}, "TRAILER!!!");
		put_padding(&c, CPIO_BLOCK);
	} else {
		open_archive(&c);
		read_archive(&c);
	}
	tell_blocks(&c);
	return c.status;
}

static const struct command commands[] = {
	{"cpio", cpio_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_files_cpio = {"files_cpio", commands};
