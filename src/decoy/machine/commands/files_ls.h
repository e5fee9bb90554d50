/* ls: what its parts share. */
#ifndef DECOY_MACHINE_COMMANDS_FILES_LS_H
#define DECOY_MACHINE_COMMANDS_FILES_LS_H

#include "decoy/machine/commands/files.h"

enum ls_format { LS_LONG, LS_ONE, LS_COLUMNS, LS_ACROSS, LS_COMMAS };
enum ls_sort { LS_NAME, LS_TIME, LS_SIZE, LS_EXTENSION, LS_VERSION, LS_NOT };
enum ls_time { LS_MODIFIED, LS_CHANGED, LS_ACCESSED, LS_BORN };
enum ls_quoting { LS_LITERAL, LS_SHELL, LS_C, LS_ESCAPE };

struct ls {
	struct process *process;
	enum ls_format format;
	enum ls_sort sort;
	enum ls_time time;
	enum ls_quoting quoting;
	bool all, almost_all, folder_itself, reverse, recursive, human, si, inode, blocks, numeric,
		no_owner, no_group, color, full_time, iso, long_iso, folders_first, follow,
		no_backups, terminal, hide_controls, context;
	enum { LS_PLAIN, LS_SLASH, LS_KINDS, LS_CLASSIFY } indicator;
	uint64_t unit;    /* of blocks and sizes; 0: as usual */
	char unit_letter; /* shown behind them, or 0 */
	unsigned width;
	const char *ignore;
	bool colored, headings, printed;
	int status;
};

struct ls_entry {
	const char *name, *shown;
	char *target;
	struct file_status status;
	unsigned target_mode; /* of a link; 0: leads nowhere */
	bool known;
};

/* --- files_ls_show.c --- */
int64_t ls_time_of(const struct ls *ls, const struct ls_entry *entry);
const char *ls_shown_name(const struct ls *ls, const char *name);
/* Blocks of 512 as the options have them shown. */
void ls_block_text(const struct ls *ls, uint64_t blocks512, char text[24]);
void ls_put_entries(struct ls *ls, const struct ls_entry *entries, size_t count);

#endif
