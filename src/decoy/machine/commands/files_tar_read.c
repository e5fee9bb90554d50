/* tar: archives read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_tar.h"

uint64_t tar_octal(const char *field, size_t size)
{
	uint64_t value = 0;

	if ((unsigned char)field[0] == 0x80) { /* GNU's base 256 */
		for (size_t i = 1; i < size; i++)
			value = value << 8 | (unsigned char)field[i];
		return value;
	}
	for (size_t i = 0; i < size && field[i]; i++)
		if (field[i] >= '0' && field[i] <= '7')
			value = value * 8 + (uint64_t)(field[i] - '0');
	return value;
}

/* size bytes, or fewer at the end; -errno. */
static ssize_t take_bytes(struct tar *tar, void *at, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = unpacker_read(tar->unpacker, (uint8_t *)at + done, size - done);

		process_step(tar->process);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static bool copy_out(struct tar *tar, uint64_t size, int file)
{
	uint8_t bytes[4096];
	uint64_t left = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK, kept = size;

	while (left) {
		size_t want = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		ssize_t got = take_bytes(tar, bytes, want);
		size_t part = kept < want ? (size_t)kept : want;

		if (got < (ssize_t)want) {
			process_complain(tar->process, "Unexpected EOF in archive");
			process_complain(tar->process, "Error is not recoverable: exiting now");
			return false;
		}
		if (file == 1)
			process_put(tar->process, slice_of(bytes, part));
		else if (file >= 0 && process_write(tar->process, file, slice_of(bytes, part)) < 0)
			tar->status = 2;
		kept -= part;
		left -= want;
	}
	return true;
}

static bool is_wanted(struct tar *tar, const char *name)
{
	if (tar_is_excluded(tar, name))
		return false;
	if (!tar->member_count)
		return true;
	for (int i = 0; i < tar->member_count; i++) {
		size_t length = strlen(tar->members[i]);

		while (length > 1 && tar->members[i][length - 1] == '/')
			length--;
		if (text_glob(tar->members[i], name) || (!strncmp(tar->members[i], name, length) &&
							 (!name[length] || name[length] == '/'))) {
			tar->matched[i] = true;
			return true;
		}
	}
	return false;
}

static void make_parents(struct process *process, const char *path)
{
	char *copy = process_copy_text(process, path);

	for (char *slash = copy + 1; *copy && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)process_make_folder(process, copy, 0777);
		*slash = '/';
	}
	process_give(process, copy);
}

static void extract_failed(struct tar *tar, const char *name, const char *doing, int error)
{
	process_flush(tar->process);
	process_complain(tar->process, "%s: %s: %s", name, doing, strerror(-error));
	tar->status = 2;
}

static bool extract_file(struct tar *tar, const char *name, const struct file_status *status)
{
	struct process *process = tar->process;
	int file = process_open(process, name, O_WRONLY | O_CREAT | O_EXCL, status->mode & 0777);

	if (file == -ENOENT) {
		make_parents(process, name);
		file = process_open(process, name, O_WRONLY | O_CREAT | O_EXCL,
				    status->mode & 0777);
	}
	if (file == -EEXIST && !tar->keep_old) {
		(void)process_unlink(process, name);
		file = process_open(process, name, O_WRONLY | O_CREAT | O_EXCL,
				    status->mode & 0777);
	}
	if (file < 0) {
		extract_failed(tar, name, "Cannot open", file);
		return copy_out(tar, status->size, -1);
	}
	if (!copy_out(tar, status->size, file)) {
		process_close(process, file);
		return false;
	}
	process_close(process, file);
	return true;
}

static void extract_other(struct tar *tar, const char *name, const char *link, char type,
			  const struct file_status *status)
{
	struct process *process = tar->process;
	struct file_status there;
	int error;

	make_parents(process, name);
	if (type == '5') {
		error = process_make_folder(process, name, status->mode & 07777);
		if (error == -EEXIST && process_stat(process, name, true, &there) == 0 &&
		    S_ISDIR(there.mode))
			error = 0;
		if (error < 0)
			extract_failed(tar, name, "Cannot mkdir", error);
		return;
	}
	(void)process_unlink(process, name);
	if (type == '1')
		error = process_link(process, link, name);
	else if (type == '2')
		error = process_symlink(process, link, name);
	else
		error = process_make_node(process, name, status->mode,
					  status->device_major << 8 | status->device_minor);
	if (error < 0 && type == '1') {
		process_complain(process, "%s: Cannot hard link to '%s': %s", name, link,
				 strerror(-error));
		tar->status = 2;
	} else if (error < 0) {
		extract_failed(tar, name, type == '2' ? "Cannot create symlink" : "Cannot mknod",
			       error);
	}
}

static void restore(struct tar *tar, const char *name, char type, const struct file_status *status)
{
	struct process *process = tar->process;
	bool root = process->identity.effective_uid == 0;

	if (type == '1')
		return;
	if (root && !tar->no_owner)
		(void)process_change_owner(process, name, false, status->uid, status->gid);
	if (type != '2')
		(void)process_change_mode(process, name,
					  root || tar->keep_modes
						  ? status->mode & 07777
						  : status->mode & 0777 & ~process->umask);
	if (!tar->no_times)
		(void)process_change_times(process, name, type != '2', process_now(process),
					   status->modified);
}

static bool take_member(struct tar *tar, const char *full, const char *link, char type,
			const struct file_status *status, const struct tar_header *header)
{
	struct process *process = tar->process;
	char user[33], group[33];
	const char *name = full;
	bool wanted = is_wanted(tar, full), regular = type == '0' || type == '\0' || type == '7';

	snprintf(user, sizeof(user), "%.32s", header->user);
	snprintf(group, sizeof(group), "%.32s", header->group);
	if (!user[0] || tar->numeric)
		snprintf(user, sizeof(user), "%u", status->uid);
	if (!group[0] || tar->numeric)
		snprintf(group, sizeof(group), "%u", status->gid);
	for (unsigned i = 0; i < tar->strip && *name; i++) {
		name += strcspn(name, "/");
		name += strspn(name, "/");
	}
	if (!wanted || !*name)
		return copy_out(tar, regular ? status->size : 0, -1);
	if (tar->action == 't') /* told, although the names are shown as they are */
		(void)tar_member_name(tar, full);
	if (tar->verbose || tar->action == 't')
		tar_list_line(tar, full, status, user, group, type,
			      type == '1' || type == '2' ? link : NULL, tar->to_output);
	if (tar->action == 't')
		return copy_out(tar, regular ? status->size : 0, -1);
	if (tar->to_output)
		return copy_out(tar, regular ? status->size : 0, regular ? 1 : -1);
	name = tar_member_name(tar, name);
	if (regular) {
		if (!extract_file(tar, name, status))
			return false;
	} else {
		extract_other(tar, name, link, type, status);
	}
	restore(tar, name, type, status);
	process_step(process);
	return true;
}

static char *long_text(struct tar *tar, uint64_t size)
{
	size_t whole = (size_t)((size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
	char *text;

	if (size > 2 * MACHINE_PATH_MAX)
		return NULL;
	text = process_take(tar->process, whole + 1);
	return take_bytes(tar, text, whole) == (ssize_t)whole ? text : NULL;
}

/* path=, linkpath= and size= of pax records: "LENGTH KEY=VALUE\n" */
static void take_pax(struct tar *tar, const char *text, char **name, char **link)
{
	struct slice rest = slice_text(text), line;

	while (slice_next(&rest, '\n', &line)) {
		size_t space = slice_find_byte(line, ' ');
		struct slice word =
			space == SIZE_MAX ? (struct slice){0} : slice_from(line, space + 1);

		if (slice_starts(word, "path="))
			*name = process_copy_slice(tar->process, slice_from(word, 5));
		else if (slice_starts(word, "linkpath="))
			*link = process_copy_slice(tar->process, slice_from(word, 9));
	}
}

static void header_status(const struct tar_header *header, struct file_status *status)
{
	static const struct {
		char type;
		unsigned mode;
	} types[] = {{'1', S_IFREG}, {'2', S_IFLNK}, {'3', S_IFCHR},
		     {'4', S_IFBLK}, {'5', S_IFDIR}, {'6', S_IFIFO}};

	*status = (struct file_status){
		.mode = (unsigned)tar_octal(header->mode, 8) & 07777,
		.uid = (unsigned)tar_octal(header->uid, 8),
		.gid = (unsigned)tar_octal(header->gid, 8),
		.size = tar_octal(header->size, 12),
		.modified = (int64_t)(tar_octal(header->modified, 12) & 0xffffffffff) * SECOND,
		.device_major = (unsigned)tar_octal(header->major, 8),
		.device_minor = (unsigned)tar_octal(header->minor, 8)};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++)
		if (header->type == types[i].type)
			status->mode |= types[i].mode;
	if (!(status->mode & S_IFMT))
		status->mode |= S_IFREG;
	if (!S_ISREG(status->mode) || header->type == '1')
		status->size = 0;
}

static bool no_archive(struct tar *tar)
{
	process_complain(tar->process, "This does not look like a tar archive");
	tar->status = 2;
	return false;
}

static void read_members(struct tar *tar)
{
	struct tar_header header;
	char *name = NULL, *link = NULL;
	bool first = true;

	for (;;) {
		char own_name[sizeof(header.prefix) + sizeof(header.name) + 2];
		char own_link[sizeof(header.link) + 1];
		struct file_status status;
		ssize_t got = take_bytes(tar, &header, TAR_BLOCK);

		if (got < TAR_BLOCK) {
			if (got < 0 || (got > 0 && first) || (first && tar->packing == PACK_NONE)) {
				(void)no_archive(tar);
			} else if (got > 0) {
				process_complain(tar->process, "Unexpected EOF in archive");
				tar->status = 2;
			}
			return;
		}
		if (!header.name[0] && tar_octal(header.checksum, 8) == 0)
			return;
		if (tar_octal(header.checksum, 8) != tar_sum(&header)) {
			(void)no_archive(tar);
			if (!first || tar->unpacker)
				process_complain(tar->process, "Skipping to next header");
			return;
		}
		first = false;
		if (header.type == 'L' || header.type == 'K' || header.type == 'x' ||
		    header.type == 'g') {
			char *text = long_text(tar, tar_octal(header.size, 12));

			if (!text) {
				(void)no_archive(tar);
				return;
			}
			if (header.type == 'L')
				name = text;
			else if (header.type == 'K')
				link = text;
			else if (header.type == 'x')
				take_pax(tar, text, &name, &link);
			continue;
		}
		header_status(&header, &status);
		if (!memcmp(header.magic, "ustar\0", 6) && header.prefix[0])
			snprintf(own_name, sizeof(own_name), "%.155s/%.100s", header.prefix,
				 header.name);
		else
			snprintf(own_name, sizeof(own_name), "%.100s", header.name);
		snprintf(own_link, sizeof(own_link), "%.100s", header.link);
		/* Old archives mark folders only by their name. */
		if (!name && own_name[0] && own_name[strlen(own_name) - 1] == '/' &&
		    (header.type == '0' || !header.type)) {
			header.type = '5';
			status.mode = S_IFDIR | (status.mode & 07777);
		}
		if (!take_member(tar, name ? name : own_name, link ? link : own_link, header.type,
				 &status, &header)) {
			tar->status = 2;
			return;
		}
		name = link = NULL;
	}
}

static void tell_child(struct tar *tar, const char *words)
{
	process_flush(tar->process);
	process_error(tar->process, "%s\n", words);
	process_complain(tar->process, "Child returned status %d",
			 tar->packing == PACK_BZIP2 ? 2 : 1);
	process_complain(tar->process, "Error is not recoverable: exiting now");
}

int tar_read(struct tar *tar)
{
	struct process *process = tar->process;
	static const char *const wrong[] = {"", "\ngzip: stdin: not in gzip format",
					    "bzip2: (stdin) is not a bzip2 file.",
					    "xz: (stdin): File format not recognized"};
	uint8_t start[6];
	enum files_packing found = PACK_NONE;
	int in = 0;

	if (strcmp(tar->archive, "-") != 0) {
		ssize_t got;

		in = process_open(process, tar->archive, O_RDONLY, 0);
		if (in < 0 && process->busybox) {
			process_complain(process, "can't open '%s': %s", tar->archive,
					 strerror(-in));
			return 1;
		}
		if (in < 0 && tar->packing) {
			process_error(process,
				      "tar (child): %s: Cannot open: %s\ntar (child): Error is not "
				      "recoverable: exiting now\n",
				      tar->archive, strerror(-in));
			process_complain(process, "Child returned status 2");
			process_complain(process, "Error is not recoverable: exiting now");
			return 2;
		}
		if (in < 0) {
			process_complain(process, "%s: Cannot open: %s", tar->archive,
					 strerror(-in));
			process_complain(process, "Error is not recoverable: exiting now");
			return 2;
		}
		got = process_read(process, in, start, sizeof(start));
		if (got < 0) {
			process_complain(process, "%s: Cannot read: %s", tar->archive,
					 strerror((int)-got));
			process_complain(process, "At beginning of tape, quitting now");
			process_complain(process, "Error is not recoverable: exiting now");
			return 2;
		}
		found = files_packing_of(slice_of(start, (size_t)got));
		(void)process_seek(process, in, 0, SEEK_SET);
		if (tar->packing && found != tar->packing) {
			tell_child(tar, wrong[tar->packing]);
			return 2;
		}
		tar->packing = found;
	} else if (process_is_terminal(process, 0)) {
		process_complain(process,
				 "Refusing to read archive contents from terminal (missing -f "
				 "option?)");
		process_complain(process, "Error is not recoverable: exiting now");
		return 2;
	}
	tar->unpacker = unpacker_open(process, in, tar->packing);
	if (tar->folder && process_change_folder(process, tar->folder) < 0) {
		process_complain(process, "%s: Cannot open: %s", tar->folder, strerror(ENOENT));
		process_complain(process, "Error is not recoverable: exiting now");
		return 2;
	}
	tar->matched = process_take(process, (size_t)tar->member_count + 1);
	read_members(tar);
	for (int i = 0; i < tar->member_count; i++)
		if (!tar->matched[i]) {
			process_flush(process);
			process_complain(process, "%s: Not found in archive", tar->members[i]);
			tar->status = 2;
		}
	unpacker_close(tar->unpacker);
	if (tar->status == 2) {
		process_flush(process);
		process_complain(process, "Exiting with failure status due to previous errors");
	}
	return tar->status;
}
