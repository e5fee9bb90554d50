/* tar: archives written. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_tar.h"

static void put_octal(char *field, size_t size, uint64_t value)
{
	field[size - 1] = '\0';
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static int put_bytes(struct tar *tar, const void *at, size_t length)
{
	tar->written += length;
	return packer_write(tar->packer, slice_of(at, length));
}

static int put_padding(struct tar *tar)
{
	static const uint8_t zeros[TAR_BLOCK];
	size_t over = (size_t)(tar->written % TAR_BLOCK);

	return over ? put_bytes(tar, zeros, TAR_BLOCK - over) : 0;
}

static int put_header(struct tar *tar, struct tar_header *header)
{
	memcpy(header->magic, "ustar  ", 8);
	put_octal(header->checksum, 7, tar_sum(header));
	header->checksum[7] = ' ';
	return put_bytes(tar, header, TAR_BLOCK);
}

/* A name too long for its field goes before, as GNU tar does it. */
static int put_long(struct tar *tar, const char *text, char type)
{
	struct tar_header header = {.name = "././@LongLink"};
	size_t length = strlen(text) + 1;

	put_octal(header.mode, 8, 0644);
	put_octal(header.uid, 8, 0);
	put_octal(header.gid, 8, 0);
	put_octal(header.size, 12, length);
	put_octal(header.modified, 12, 0);
	memcpy(header.user, "root", 4);
	memcpy(header.group, "root", 4);
	header.type = type;
	if (put_header(tar, &header) < 0 || put_bytes(tar, text, length) < 0)
		return -1;
	return put_padding(tar);
}

static int put_contents(struct tar *tar, const char *path, int file, uint64_t size)
{
	const size_t room = 4096;
	uint8_t *bytes = process_take(tar->process, room);
	uint64_t left = size;

	while (left) {
		size_t want = left < room ? (size_t)left : room;
		ssize_t got = process_read(tar->process, file, bytes, want);

		process_step(tar->process);
		if (got <= 0) {
			process_complain(tar->process,
					 "%s: File shrank by %llu bytes; padding with zeros", path,
					 (unsigned long long)left);
			tar->status = 1;
			memset(bytes, 0, room);
			got = (ssize_t)want;
		}
		if (put_bytes(tar, bytes, (size_t)got) < 0)
			break;
		left -= (uint64_t)got;
	}
	process_give(tar->process, bytes);
	return left ? -1 : put_padding(tar);
}

static void add_path(struct tar *tar, const char *path, unsigned depth);

static void add_folder(struct tar *tar, const char *path, unsigned depth)
{
	struct process *process = tar->process;
	struct folder_entry *entries;
	ssize_t count = files_list(process, path, &entries);

	if (count < 0) {
		process_complain(process, "%s: Cannot open: %s", path, strerror((int)-count));
		tar->status = 2;
		return;
	}
	for (ssize_t i = 0; i < count && depth < FILES_DEPTH_MAX; i++) {
		char *below = files_join(process, path, entries[i].name);

		add_path(tar, below, depth + 1);
		process_give(process, below);
	}
	files_list_free(process, entries, count);
}

static void fill_header(struct tar *tar, struct tar_header *header,
			const struct file_status *status)
{
	const char *user = command_user_name(tar->process, status->uid);
	const char *group = command_group_name(tar->process, status->gid);

	put_octal(header->mode, 8, status->mode & 07777);
	put_octal(header->uid, 8, status->uid);
	put_octal(header->gid, 8, status->gid);
	put_octal(header->size, 12, S_ISREG(status->mode) ? status->size : 0);
	put_octal(header->modified, 12,
		  status->modified > 0 ? (uint64_t)(status->modified / SECOND) : 0);
	memcpy(header->user, user, strnlen(user, 31));
	memcpy(header->group, group, strnlen(group, 31));
	header->type = S_ISDIR(status->mode)    ? '5'
		       : S_ISLNK(status->mode)  ? '2'
		       : S_ISCHR(status->mode)  ? '3'
		       : S_ISBLK(status->mode)  ? '4'
		       : S_ISFIFO(status->mode) ? '6'
						: '0';
	if (S_ISCHR(status->mode) || S_ISBLK(status->mode)) {
		put_octal(header->major, 8, status->device_major);
		put_octal(header->minor, 8, status->device_minor);
	}
}

static void add_path(struct tar *tar, const char *path, unsigned depth)
{
	struct process *process = tar->process;
	struct tar_header *header;
	struct file_status status;
	char *target = NULL, *name;
	int file = -1, error = process_stat(process, path, tar->follow, &status);

	process_step(process);
	if (error < 0) {
		process_complain(process, process->busybox ? "%s: %s" : "%s: Cannot stat: %s", path,
				 strerror(-error));
		tar->status = 2;
		return;
	}
	if (tar_is_excluded(tar, path))
		return;
	if (status.inode == tar->archive_inode && S_ISREG(status.mode)) {
		process_complain(process, "%s: file is the archive; not dumped", path);
		return;
	}
	if (S_ISSOCK(status.mode)) {
		process_complain(process, "%s: socket ignored", path);
		return;
	}
	if (tar->action == 'u' && !S_ISDIR(status.mode) &&
	    !tar_is_newer(tar, path, status.modified))
		return;
	if (S_ISREG(status.mode)) {
		file = process_open(process, path, O_RDONLY, 0);
		if (file < 0) {
			process_complain(process, "%s: Cannot open: %s", path, strerror(-file));
			tar->status = 2;
			return;
		}
	}
	if (S_ISLNK(status.mode))
		target = files_target(process, path, &error);
	error = 0;
	header = process_take(process, sizeof(*header));
	name = process_format(process, "%s%s", tar_member_name(tar, path),
			      S_ISDIR(status.mode) && path[strlen(path) - 1] != '/' ? "/" : "");
	fill_header(tar, header, &status);
	if (strlen(name) >= sizeof(header->name))
		error = put_long(tar, name, 'L');
	if (target && strlen(target) > sizeof(header->link))
		error |= put_long(tar, target, 'K');
	memcpy(header->name, name, strnlen(name, sizeof(header->name)));
	if (target)
		memcpy(header->link, target, strnlen(target, sizeof(header->link)));
	if (tar->verbose)
		tar_list_line(tar, name, &status, command_user_name(process, status.uid),
			      command_group_name(process, status.gid), header->type, target,
			      !strcmp(tar->archive, "-"));
	error |= put_header(tar, header);
	if (!error && file >= 0)
		error = put_contents(tar, path, file, status.size);
	if (file >= 0)
		process_close(process, file);
	process_give(process, header);
	process_give(process, name);
	process_give(process, target);
	if (error < 0) {
		process_complain(process, "%s: Cannot write: %s", tar->archive, strerror(ENOSPC));
		process_complain(process, "Error is not recoverable: exiting now");
		process_exit(process, 2);
	}
	if (S_ISDIR(status.mode) && !tar->no_recursion)
		add_folder(tar, path, depth);
	if (tar->remove && !S_ISDIR(status.mode))
		(void)process_unlink(process, path);
	else if (tar->remove)
		(void)process_remove_folder(process, path);
}

int tar_write_members(struct tar *tar, int out)
{
	struct process *process = tar->process;
	static const uint8_t zeros[TAR_BLOCK];

	process_flush(process);
	tar->packer = packer_open(process, out, tar->packing, 6, NULL, 0);
	if (tar->folder && process_change_folder(process, tar->folder) < 0) {
		process_complain(process, "%s: Cannot open: %s", tar->folder, strerror(ENOENT));
		process_complain(process, "Error is not recoverable: exiting now");
		return 2;
	}
	for (int i = 0; i < tar->member_count; i++) {
		/* -C in the middle. */
		if (!strcmp(tar->members[i], "-C") && i + 1 < tar->member_count) {
			if (process_change_folder(process, tar->members[++i]) < 0)
				tar->status = 2;
			continue;
		}
		if (tar->action == 'A')
			tar_add_archive(tar, tar->members[i]);
		else
			add_path(tar, tar->members[i], 0);
	}
	for (unsigned i = 0; i < 2 || tar->written % TAR_RECORD; i++)
		(void)put_bytes(tar, zeros, TAR_BLOCK);
	if (packer_close(tar->packer) < 0)
		tar->status = 2;
	if (out > 1)
		process_close(process, out);
	if (tar->status == 2 && process->busybox) {
		process_complain(process, "error exit delayed from previous errors");
		return 1;
	}
	if (tar->status == 2)
		process_complain(process, "Exiting with failure status due to previous errors");
	return tar->status;
}

int tar_create(struct tar *tar)
{
	struct process *process = tar->process;
	struct file_status status;
	int out = 1;

	if (!tar->member_count) {
		process_complain(process, "Cowardly refusing to create an empty archive");
		process_error(process, "Try 'tar --help' or 'tar --usage' for more information.\n");
		return 2;
	}
	if (strcmp(tar->archive, "-") != 0) {
		out = process_open(process, tar->archive, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (out < 0) {
			process_error(process,
				      "tar (child): %s: Cannot open: %s\ntar (child): Error is not "
				      "recoverable: exiting now\n",
				      tar->archive, strerror(-out));
			return 2;
		}
		if (process_status_of(process, out, &status) == 0)
			tar->archive_inode = status.inode;
	} else if (process_is_terminal(process, 1)) {
		process_complain(process,
				 "Refusing to write archive contents to terminal (missing -f "
				 "option?)");
		process_complain(process, "Error is not recoverable: exiting now");
		return 2;
	}
	return tar_write_members(tar, out);
}
