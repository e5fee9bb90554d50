/* How ls shows what it found. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_ls.h"

int64_t ls_time_of(const struct ls *ls, const struct ls_entry *entry)
{
	switch (ls->time) {
	case LS_CHANGED:
		return entry->status.changed;
	case LS_ACCESSED:
		return entry->status.accessed;
	case LS_BORN:
		return entry->status.born;
	case LS_MODIFIED:
		break;
	}
	return entry->status.modified;
}

/* --- names --- */

static const char *escaped(struct process *process, const char *name, bool quotes)
{
	static const char letters[] = "\a\b\t\n\v\f\r", words[] = "abtnvfr";
	struct text out = {0};

	if (quotes)
		text_add_byte(process, &out, '"');
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;
		const char *found = strchr(letters, c);

		if (found)
			text_format(process, &out, "\\%c", words[found - letters]);
		else if (c < 32 || c >= 127)
			text_format(process, &out, "\\%03o", c);
		else if (c == '\\' || (quotes && c == '"') || (!quotes && c == ' '))
			text_format(process, &out, "\\%c", c);
		else
			text_add_byte(process, &out, c);
	}
	if (quotes)
		text_add_byte(process, &out, '"');
	return out.data ? out.data : "";
}

const char *ls_shown_name(const struct ls *ls, const char *name)
{
	char *copy;

	switch (ls->quoting) {
	case LS_SHELL:
		return files_quote_if_needed(ls->process, name);
	case LS_C:
		return escaped(ls->process, name, true);
	case LS_ESCAPE:
		return escaped(ls->process, name, false);
	case LS_LITERAL:
		break;
	}
	if (!ls->hide_controls)
		return name;
	copy = process_copy_text(ls->process, name);
	for (char *at = copy; *at; at++)
		if ((unsigned char)*at < 32 || *at == 127)
			*at = '?';
	return copy;
}

static char indicator_of(const struct ls *ls, unsigned mode)
{
	if (ls->indicator == LS_PLAIN)
		return 0;
	if (S_ISDIR(mode))
		return '/';
	if (ls->indicator == LS_SLASH)
		return 0;
	if (S_ISLNK(mode))
		return '@';
	if (S_ISFIFO(mode))
		return '|';
	if (S_ISSOCK(mode))
		return '=';
	return ls->indicator == LS_CLASSIFY && S_ISREG(mode) && mode & 0111 ? '*' : 0;
}

/* Colours as dircolors has them without a file. */
static const char *color_of(const char *name, unsigned mode, bool orphan)
{
	static const struct {
		const char *end, *color;
	} kinds[] = {
		{".tar", "01;31"},       {".tgz", "01;31"},      {".gz", "01;31"},
		{".xz", "01;31"},        {".bz2", "01;31"},      {".zip", "01;31"},
		{".deb", "01;31"},       {".rpm", "01;31"},      {".7z", "01;31"},
		{".rar", "01;31"},       {".zst", "01;31"},      {".jar", "01;31"},
		{".cpio", "01;31"},      {".jpg", "01;35"},      {".png", "01;35"},
		{".gif", "01;35"},       {".svg", "01;35"},      {".mp4", "01;35"},
		{".mp3", "00;36"},       {".wav", "00;36"},      {".bak", "00;90"},
		{".old", "00;90"},       {"~", "00;90"},         {".tmp", "00;90"},
		{".dpkg-dist", "00;90"}, {".dpkg-old", "00;90"}, {".orig", "00;90"},
		{".swp", "00;90"},
	};
	size_t length = strlen(name);

	if (orphan)
		return "40;31;01";
	switch (mode & S_IFMT) {
	case S_IFDIR:
		if (mode & S_ISVTX)
			return mode & S_IWOTH ? "30;42" : "37;44";
		return mode & S_IWOTH ? "34;42" : "01;34";
	case S_IFLNK:
		return "01;36";
	case S_IFIFO:
		return "40;33";
	case S_IFSOCK:
		return "01;35";
	case S_IFBLK:
	case S_IFCHR:
		return "40;33;01";
	default:
		break;
	}
	if (mode & S_ISUID)
		return "37;41";
	if (mode & S_ISGID)
		return "30;43";
	if (mode & 0111)
		return "01;32";
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		size_t end = strlen(kinds[i].end);

		if (length >= end && !strcmp(name + length - end, kinds[i].end))
			return kinds[i].color;
	}
	return NULL;
}

static void put_colored(struct ls *ls, const char *name, const char *shown, unsigned mode,
			bool orphan)
{
	const char *color = ls->color ? color_of(name, mode, orphan) : NULL;

	if (!color) {
		process_put_text(ls->process, shown);
		return;
	}
	if (!ls->colored)
		process_put_text(ls->process, "\033[0m");
	ls->colored = true;
	process_print(ls->process, "\033[%sm%s\033[0m", color, shown);
}

static void put_name(struct ls *ls, const struct ls_entry *entry, bool spaced)
{
	bool orphan = S_ISLNK(entry->status.mode) && entry->target && !entry->target_mode;
	char mark = indicator_of(ls, entry->status.mode);

	if (spaced && entry->shown[0] != '\'' && entry->shown[0] != '"')
		process_put_byte(ls->process, ' ');
	put_colored(ls, entry->name, entry->shown, entry->status.mode, orphan && ls->color);
	if (ls->format == LS_LONG && entry->target) {
		process_put_text(ls->process, " -> ");
		put_colored(ls, entry->target, ls_shown_name(ls, entry->target), entry->target_mode,
			    orphan);
		mark = indicator_of(ls, entry->target_mode);
		if (S_ISLNK(entry->target_mode) || !entry->target_mode)
			mark = 0;
	}
	if (mark)
		process_put_byte(ls->process, (uint8_t)mark);
}

/* --- columns --- */

void ls_block_text(const struct ls *ls, uint64_t blocks512, char text[24])
{
	uint64_t unit = ls->unit ? ls->unit : 1024;

	if (ls->human)
		files_human_size(blocks512 * 512, text);
	else
		snprintf(text, 24, "%llu",
			 (unsigned long long)((blocks512 * 512 + unit - 1) / unit));
}

struct ls_widths {
	int inode, blocks, links, owner, group, size, major, minor;
	bool spaced;
};

static void wider(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static const char *owner_text(const struct ls *ls, unsigned id, bool group)
{
	if (ls->numeric)
		return process_format(ls->process, "%u", id);
	return group ? command_group_name(ls->process, id) : command_user_name(ls->process, id);
}

static void size_text(const struct ls *ls, const struct ls_entry *entry, char text[24])
{
	if (ls->human)
		files_human_size(entry->status.size, text);
	else if (ls->unit)
		snprintf(text, 24, "%llu%.1s",
			 (unsigned long long)((entry->status.size + ls->unit - 1) / ls->unit),
			 &ls->unit_letter);
	else
		snprintf(text, 24, "%llu", (unsigned long long)entry->status.size);
}

static bool is_device(unsigned mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

static void measure(struct ls *ls, const struct ls_entry *entries, size_t count,
		    struct ls_widths *widths)
{
	char text[24];

	for (size_t i = 0; i < count; i++) {
		const struct ls_entry *entry = &entries[i];

		process_step(ls->process);
		if (ls->quoting == LS_SHELL && ls->terminal &&
		    (entry->shown[0] == '\'' || entry->shown[0] == '"') &&
		    entry->shown != entry->name)
			widths->spaced = true;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)entry->status.inode);
		wider(&widths->inode, text);
		ls_block_text(ls, entry->status.blocks, text);
		wider(&widths->blocks, text);
		if (ls->format != LS_LONG)
			continue;
		snprintf(text, sizeof(text), "%u", entry->status.links);
		wider(&widths->links, text);
		wider(&widths->owner, owner_text(ls, entry->status.uid, false));
		wider(&widths->group, owner_text(ls, entry->status.gid, true));
		if (is_device(entry->status.mode)) {
			snprintf(text, sizeof(text), "%u", entry->status.device_major);
			wider(&widths->major, text);
			snprintf(text, sizeof(text), "%u", entry->status.device_minor);
			wider(&widths->minor, text);
		} else {
			size_text(ls, entry, text);
			wider(&widths->size, text);
		}
	}
	if (widths->major && widths->major + 2 + widths->minor > widths->size)
		widths->size = widths->major + 2 + widths->minor;
}

static void put_time(const struct ls *ls, const struct ls_entry *entry)
{
	char text[64];
	int64_t time = ls_time_of(ls, entry), now = process_now(ls->process);

	if (ls->full_time) {
		files_full_time_text(time, text, sizeof(text));
	} else if (ls->long_iso || ls->iso) {
		struct civil_time at = clock_civil(time);

		if (ls->long_iso)
			snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d", at.year, at.month,
				 at.day, at.hour, at.minute);
		else if (time <= now && now - time < 31556952 / 2 * SECOND)
			snprintf(text, sizeof(text), "%02d-%02d %02d:%02d", at.month, at.day,
				 at.hour, at.minute);
		else
			snprintf(text, sizeof(text), "%04d-%02d-%02d ", at.year, at.month, at.day);
	} else {
		files_time_text(time, now, text, sizeof(text));
	}
	process_print(ls->process, "%s ", text);
}

static void put_front(const struct ls *ls, const struct ls_entry *entry,
		      const struct ls_widths *widths)
{
	char text[24];

	if (ls->inode)
		process_print(ls->process, "%*llu ", widths->inode,
			      (unsigned long long)entry->status.inode);
	if (ls->blocks) {
		ls_block_text(ls, entry->status.blocks, text);
		process_print(ls->process, "%*s ", widths->blocks, text);
	}
	if (ls->context && ls->format != LS_LONG)
		process_put_text(ls->process, "? ");
}

static void put_long(struct ls *ls, const struct ls_entry *entry, const struct ls_widths *widths)
{
	struct process *process = ls->process;
	char mode[11], size[24];

	files_mode_text(entry->status.mode, mode);
	put_front(ls, entry, widths);
	process_print(process, "%s %*u ", mode, widths->links, entry->status.links);
	if (!ls->no_owner)
		process_print(process, "%-*s ", widths->owner,
			      owner_text(ls, entry->status.uid, false));
	if (!ls->no_group)
		process_print(process, "%-*s ", widths->group,
			      owner_text(ls, entry->status.gid, true));
	if (ls->context)
		process_put_text(process, "? ");
	if (is_device(entry->status.mode)) {
		int major = widths->size - widths->minor - 2;

		process_print(process, "%*u, %*u ", major > widths->major ? major : widths->major,
			      entry->status.device_major, widths->minor,
			      entry->status.device_minor);
	} else {
		size_text(ls, entry, size);
		process_print(process, "%*s ", widths->size, size);
	}
	put_time(ls, entry);
	put_name(ls, entry, widths->spaced);
	process_put_byte(process, '\n');
}

static unsigned cell_width(const struct ls *ls, const struct ls_entry *entry,
			   const struct ls_widths *widths)
{
	unsigned width = 0;

	for (const char *at = entry->shown; *at; at++)
		width += ((unsigned char)*at & 0xc0) != 0x80; /* not a byte within UTF-8 */
	if (widths->spaced && entry->shown[0] != '\'' && entry->shown[0] != '"')
		width++;
	if (ls->inode)
		width += (unsigned)widths->inode + 1;
	if (ls->blocks)
		width += (unsigned)widths->blocks + 1;
	return width + (indicator_of(ls, entry->status.mode) != 0);
}

/* How many columns fit, with the width of each; columns are filled downwards or across. */
static size_t fit_columns(const struct ls *ls, const unsigned *cells, size_t count, bool across,
			  unsigned *columns)
{
	size_t most = ls->width / 3 ? ls->width / 3 : 1;

	if (most > count)
		most = count;
	for (size_t tries = most; tries > 1; tries--) {
		size_t rows = (count + tries - 1) / tries,
		       used = across ? tries : (count + rows - 1) / rows;
		unsigned total = 0;

		process_step(ls->process);
		if (used != tries && !across)
			continue;
		memset(columns, 0, tries * sizeof(*columns));
		for (size_t i = 0; i < count; i++) {
			size_t column = across ? i % tries : i / rows;
			unsigned cell = cells[i] + (column + 1 < tries ? 2 : 0);

			if (cell > columns[column])
				columns[column] = cell;
		}
		for (size_t c = 0; c < tries; c++)
			total += columns[c];
		if (total < ls->width)
			return tries;
	}
	columns[0] = 0;
	return 1;
}

static void indent(struct process *process, unsigned from, unsigned to)
{
	/* Tabs where they save something, as ls does. */
	while (from < to) {
		if (to / 8 > (from + 1) / 8) {
			process_put_byte(process, '\t');
			from += 8 - from % 8;
		} else {
			process_put_byte(process, ' ');
			from++;
		}
	}
}

static void put_columns(struct ls *ls, const struct ls_entry *entries, size_t count,
			const struct ls_widths *widths, bool across)
{
	unsigned *cells = process_take(ls->process, (count + 1) * sizeof(*cells));
	unsigned *columns = process_take(ls->process, (count + 1) * sizeof(*columns));
	size_t used, rows;

	for (size_t i = 0; i < count; i++)
		cells[i] = cell_width(ls, &entries[i], widths);
	used = fit_columns(ls, cells, count, across, columns);
	rows = (count + used - 1) / used;
	for (size_t row = 0; row < rows; row++) {
		unsigned at = 0, place = 0;

		process_step(ls->process);
		for (size_t column = 0; column < used; column++) {
			size_t i = across ? row * used + column : column * rows + row;
			size_t next = across ? i + 1 : i + rows;

			if (i >= count)
				break;
			put_front(ls, &entries[i], widths);
			put_name(ls, &entries[i], widths->spaced);
			if (column + 1 == used || next >= count)
				break;
			place += columns[column];
			indent(ls->process, at + cells[i], place);
			at = place;
		}
		process_put_byte(ls->process, '\n');
	}
	process_give(ls->process, cells);
	process_give(ls->process, columns);
}

static void put_commas(struct ls *ls, const struct ls_entry *entries, size_t count,
		       const struct ls_widths *widths)
{
	unsigned at = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned width = cell_width(ls, &entries[i], widths);

		if (i) {
			bool fits = at + 2 + width + (i + 1 < count) < ls->width;

			process_put_text(ls->process, fits ? ", " : ",\n");
			at = fits ? at + 2 : 0;
		}
		put_front(ls, &entries[i], widths);
		put_name(ls, &entries[i], false);
		at += width;
	}
	if (count)
		process_put_byte(ls->process, '\n');
}

void ls_put_entries(struct ls *ls, const struct ls_entry *entries, size_t count)
{
	struct ls_widths widths = {0};

	measure(ls, entries, count, &widths);
	switch (ls->format) {
	case LS_LONG:
		for (size_t i = 0; i < count; i++) {
			process_step(ls->process);
			put_long(ls, &entries[i], &widths);
		}
		break;
	case LS_ONE:
		for (size_t i = 0; i < count; i++) {
			put_front(ls, &entries[i], &widths);
			put_name(ls, &entries[i], widths.spaced);
			process_put_byte(ls->process, '\n');
		}
		break;
	case LS_COMMAS:
		put_commas(ls, entries, count, &widths);
		break;
	case LS_COLUMNS:
	case LS_ACROSS:
		if (count)
			put_columns(ls, entries, count, &widths, ls->format == LS_ACROSS);
		break;
	}
}
