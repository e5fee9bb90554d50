/* tar: archives that are added to (-r, -u, -A). */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/commands/files_tar.h"

#define KNOWN_MAX 20000

struct tar_known {
	struct tar_known *next;
	const char *name;
	int64_t modified;
};

bool tar_is_newer(const struct tar *tar, const char *name, int64_t modified)
{
	for (const struct tar_known *known = tar->known; known; known = known->next)
		if (strcmp(known->name, name) == 0)
			return modified / SECOND > known->modified / SECOND;
	return true;
}

static void remember(struct tar *tar, const struct tar_header *header)
{
	struct tar_known *known = process_take(tar->process, sizeof(*known));

	known->name = process_copy_slice(
		tar->process, slice_of(header->name, strnlen(header->name, sizeof(header->name))));
	known->modified =
		(int64_t)(tar_octal(header->modified, sizeof(header->modified)) & 0xffffffffff) *
		SECOND;
	known->next = tar->known; /* the last of a name counts */
	tar->known = known;
}

/* Where the members of an archive end; -1: it is none. */
static int64_t find_end(struct tar *tar, int file, bool keep)
{
	int64_t at = 0;
	struct tar_header header;

	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		ssize_t got;
		uint64_t size;

		if (process_seek(tar->process, file, at, SEEK_SET) < 0)
			return -1;
		got = process_read(tar->process, file, &header, TAR_BLOCK);
		process_step(tar->process);
		if (got == 0 || (got == TAR_BLOCK && !header.name[0]))
			return at;
		if (got < TAR_BLOCK || tar_octal(header.checksum, 8) != tar_sum(&header))
			return -1;
		if (keep)
			remember(tar, &header);
		size = tar_octal(header.size, sizeof(header.size));
		if (size > MACHINE_FILE_MAX)
			return -1;
		at += TAR_BLOCK + (int64_t)((size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
	}
	return -1;
}

void tar_add_archive(struct tar *tar, const char *name)
{
	struct process *process = tar->process;
	int file = process_open(process, name, O_RDONLY, 0);
	int64_t left;
	uint8_t bytes[4096];

	if (file < 0) {
		process_complain(process, "%s: Cannot open: %s", name, strerror(-file));
		tar->status = 2;
		return;
	}
	left = find_end(tar, file, false);
	if (left < 0) {
		process_complain(process, "This does not look like a tar archive");
		tar->status = 2;
	}
	(void)process_seek(process, file, 0, SEEK_SET);
	while (left > 0) {
		size_t want = left < (int64_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);
		ssize_t got = process_read(process, file, bytes, want);

		process_step(process);
		if (got <= 0)
			break;
		tar->written += (uint64_t)got;
		(void)packer_write(tar->packer, slice_of(bytes, (size_t)got));
		left -= got;
	}
	process_close(process, file);
}

static int refuse(struct tar *tar, const char *words, const char *more)
{
	process_complain(tar->process, "%s%s", words, more);
	process_complain(tar->process, "At beginning of tape, quitting now");
	process_complain(tar->process, "Error is not recoverable: exiting now");
	return 2;
}

int tar_add(struct tar *tar)
{
	struct process *process = tar->process;
	struct file_status status;
	int64_t end;
	int file;

	if (tar->packing != PACK_NONE) {
		process_complain(process, "Cannot update compressed archives");
		process_error(process, "Try 'tar --help' or 'tar --usage' for more information.\n");
		return 2;
	}
	if (strcmp(tar->archive, "-") == 0) {
		process_complain(process, "Options '-Aru' are incompatible with '-f -'");
		process_error(process, "Try 'tar --help' or 'tar --usage' for more information.\n");
		return 2;
	}
	file = process_open(process, tar->archive, O_RDWR | O_CREAT, 0666);
	if (file < 0)
		return refuse(tar, tar->archive, ": Cannot read: Bad file descriptor");
	if (process_status_of(process, file, &status) == 0)
		tar->archive_inode = status.inode;
	end = find_end(tar, file, tar->action == 'u');
	if (end < 0) {
		process_complain(process, "This does not look like a tar archive");
		process_complain(process, "Exiting with failure status due to previous errors");
		return 2;
	}
	if (process_truncate_descriptor(process, file, (uint64_t)end) < 0 ||
	    process_seek(process, file, end, SEEK_SET) < 0)
		return refuse(tar, tar->archive, ": Cannot seek");
	tar->written = (uint64_t)end;
	return tar_write_members(tar, file);
}
