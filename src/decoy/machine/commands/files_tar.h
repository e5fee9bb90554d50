/* tar: what its parts share. */
#ifndef DECOY_MACHINE_COMMANDS_FILES_TAR_H
#define DECOY_MACHINE_COMMANDS_FILES_TAR_H

#include "decoy/machine/commands/files.h"

#define TAR_BLOCK  512
#define TAR_RECORD 10240

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], modified[12], checksum[8], type,
		link[100], magic[8], user[32], group[32], major[8], minor[8], prefix[155],
		padding[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a block of tar");

struct tar {
	struct process *process;
	char action; /* c r u x t */
	const char *archive, *folder;
	bool verbose, very, keep_modes, absolute, to_output, keep_old, remove, no_owner, numeric,
		no_recursion, follow, no_times, to_command;
	enum files_packing packing;
	bool auto_packing;
	unsigned strip;
	const char *excludes[16];
	size_t exclude_count;
	char **members;
	int member_count;
	bool *matched;
	struct packer *packer;
	struct unpacker *unpacker;
	uint64_t written;
	int status;
	bool told_leading, told_leading_link;
	uint64_t archive_inode;
	struct tar_known *known; /* members that an archive to be added to has */
};

/* files_tar_write.c, files_tar_read.c, files_tar_add.c: exit status */
int tar_create(struct tar *tar);
int tar_read(struct tar *tar);
int tar_add(struct tar *tar);
/* Writes the members and the end, from where the descriptor stands, and closes it. */
int tar_write_members(struct tar *tar, int out);
/* Puts the members of another archive in (-A). */
void tar_add_archive(struct tar *tar, const char *name);
/* Whether the archive does not have the file or has an older one (-u). */
bool tar_is_newer(const struct tar *tar, const char *name, int64_t modified);
/* A number of a header. */
uint64_t tar_octal(const char *field, size_t size);
/* files_tar.c: what both need */
unsigned tar_sum(const struct tar_header *header);
/* A path without what would lead out of the folder; told once. */
const char *tar_member_name(struct tar *tar, const char *path);
void tar_list_line(struct tar *tar, const char *name, const struct file_status *status,
		   const char *user, const char *group, char type, const char *link, bool errors);
bool tar_is_excluded(const struct tar *tar, const char *path);

#endif
