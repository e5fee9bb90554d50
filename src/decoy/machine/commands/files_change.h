/* Commands that change files, by file: what files.c puts into its table. */
#ifndef DECOY_MACHINE_COMMANDS_FILES_CHANGE_H
#define DECOY_MACHINE_COMMANDS_FILES_CHANGE_H

#include "decoy/machine/commands/files.h"

/* "regular empty file" as rm and stat say it. */
const char *files_kind_words(const struct file_status *status);

/* files_remove.c */
int files_rm(struct process *process, int argc, char **argv);
int files_rmdir(struct process *process, int argc, char **argv);
int files_unlink(struct process *process, int argc, char **argv);
int files_shred(struct process *process, int argc, char **argv);
/* files_copy.c */
int files_cp(struct process *process, int argc, char **argv);
int files_mv(struct process *process, int argc, char **argv);
int files_install(struct process *process, int argc, char **argv);
/* files_make.c */
int files_mkdir(struct process *process, int argc, char **argv);
int files_touch(struct process *process, int argc, char **argv);
int files_ln(struct process *process, int argc, char **argv);
int files_mktemp(struct process *process, int argc, char **argv);
int files_truncate(struct process *process, int argc, char **argv);
int files_mknod(struct process *process, int argc, char **argv);
int files_mkfifo(struct process *process, int argc, char **argv);
int files_sync(struct process *process, int argc, char **argv);
int files_link(struct process *process, int argc, char **argv);
/* files_mode.c */
int files_chmod(struct process *process, int argc, char **argv);
int files_chown(struct process *process, int argc, char **argv);
int files_chattr(struct process *process, int argc, char **argv);
int files_lsattr(struct process *process, int argc, char **argv);
/* files_stat.c */
int files_stat(struct process *process, int argc, char **argv);
int files_readlink(struct process *process, int argc, char **argv);
int files_realpath(struct process *process, int argc, char **argv);
int files_basename(struct process *process, int argc, char **argv);
int files_dirname(struct process *process, int argc, char **argv);
int files_pwd(struct process *process, int argc, char **argv);
/* files_size.c */
int files_du(struct process *process, int argc, char **argv);
int files_tree(struct process *process, int argc, char **argv);
/* files_dd.c */
int files_dd(struct process *process, int argc, char **argv);
/* files_kind.c */
int files_file(struct process *process, int argc, char **argv);
/* files_gzip.c */
int files_gzip(struct process *process, int argc, char **argv);
/* files_zip.c */
int files_unzip(struct process *process, int argc, char **argv);
/* files_cpio.c */
int files_cpio(struct process *process, int argc, char **argv);

#endif
