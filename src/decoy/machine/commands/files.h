/* What the commands for files share. */
#ifndef DECOY_MACHINE_COMMANDS_FILES_H
#define DECOY_MACHINE_COMMANDS_FILES_H

#include "base/clock.h"
#include "decoy/machine/command.h"
#include "decoy/machine/commands/text.h"
#include "decoy/machine/limits.h"

/* Folders within folders that a recursive command goes down: each takes some of its stack, so paths
 * stand in the process's memory. */
#define FILES_DEPTH_MAX 100

/* A name as GNU programs quote it in messages: 'name', "it's", or 'a'$'\n''b'. In the process's
 * memory. */
const char *files_quote(struct process *process, const char *name);
/* The same only where a shell would need it (ls on a terminal). */
const char *files_quote_if_needed(struct process *process, const char *name);
/* "cannot stat 'x': No such file or directory" and its like, error negative. */
void files_complain(struct process *process, const char *doing, const char *name, int error);

/* "drwxr-xr-x" */
void files_mode_text(unsigned mode, char text[11]);
/* A size in powers of 1024 as -h shows it ("1.5K"), rounded up. */
void files_human_size(uint64_t size, char text[24]);
/* "Nov 25 22:15" or "Nov 25  2024" as ls -l shows it. */
void files_time_text(int64_t time, int64_t now, char *text, size_t size);
/* "2026-11-25 22:15:43.000000000 +0000" */
void files_full_time_text(int64_t time, char *text, size_t size);

/* The name that a command was called by: of an applet, the applet's. */
const char *files_own_name(const struct process *process);
/* folder/name, in the process's memory. */
char *files_join(struct process *process, const char *folder, const char *name);
/* Last part of a path without trailing slashes, in the process's memory. */
char *files_last(struct process *process, const char *path);
/* Entries of a folder without . and .., as readdir gives them; count or -errno. */
ssize_t files_list(struct process *process, const char *path, struct folder_entry **entries);
void files_list_free(struct process *process, struct folder_entry *entries, ssize_t count);

/* Target of a link, in the process's memory; NULL with *error. */
char *files_target(struct process *process, const char *path, int *error);
/* A mode as chmod takes it ("755", "u+x,go-w"), applied to an old one; folder: X counts. -1: it is
 * none. ask_umask: letters without u, g, o leave the umask's bits alone. */
MUST_CHECK int files_parse_mode(const char *text, unsigned old, bool folder, unsigned umask,
				unsigned *mode);
/* Asks on standard error and reads an answer: true for y. */
bool files_ask(struct process *process, const char *format, ...) PRINTF(2, 3);
/* A date as `date -d` and touch -d take it. */
MUST_CHECK int files_parse_date(struct process *process, const char *text, int64_t *time);
/* Copies the contents of one open file to another: 0 or -errno. */
int files_copy_bytes(struct process *process, int from, int to);
/* True when a yes is locale's yes. Removes a tree below path without asking; 0 or first -errno. */
int files_remove_tree(struct process *process, const char *path);

/* Output that archives go to: bytes, and padding. */
enum files_packing { PACK_NONE, PACK_GZIP, PACK_BZIP2, PACK_XZ };
/* A stream of unpacked bytes out of a descriptor. */
struct unpacker;
struct unpacker *unpacker_open(struct process *process, int descriptor, enum files_packing packing);
/* What the first bytes say a file is. */
enum files_packing files_packing_of(struct slice start);
/* Bytes, 0 at the end, -EILSEQ when it does not begin as it must, -EINVAL for wrong ones, -ENODATA
 * when it ends too early, -ENOMEM. */
ssize_t unpacker_read(struct unpacker *unpacker, void *at, size_t size);
void unpacker_close(struct unpacker *unpacker);
/* For gzip -l and messages: bytes in so far. */
uint64_t unpacker_taken(const struct unpacker *unpacker);
struct packer;
struct packer *packer_open(struct process *process, int descriptor, enum files_packing packing,
			   int level, const char *name, int64_t modified);
int packer_write(struct packer *packer, struct slice bytes); /* 0 or -errno */
int packer_close(struct packer *packer);
/* Bytes written so far. */
uint64_t packer_put(const struct packer *packer);

/* Commands that are split over files. */
int files_tar(struct process *process, int argc, char **argv);
int files_find(struct process *process, int argc, char **argv);
int files_ls(struct process *process, int argc, char **argv);

#endif
