/* What find does with what it found: -print, -printf, -ls, -delete, -exec. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/files_find.h"

/* Linux takes 128 KiB and more; a batch of xargs and find is smaller. */
#define BATCH_BYTES_MAX (MACHINE_ARGUMENTS_MAX / 4)

static void put(struct find *find, const struct find_test *test, const char *text, size_t length)
{
	if (test->output > 1)
		(void)!process_write(find->process, test->output, slice_of(text, length));
	else
		process_put(find->process, slice_of(text, length));
}

bool find_print(struct find *find, const struct find_test *test, struct find_file *file)
{
	put(find, test, file->path, strlen(file->path));
	put(find, test, "\n", 1);
	return true;
}

bool find_print0(struct find *find, const struct find_test *test, struct find_file *file)
{
	put(find, test, file->path, strlen(file->path) + 1);
	return true;
}

/* --- -printf --- */

static const char *time_text(struct process *process, int64_t time, char letter)
{
	struct civil_time at = clock_civil(time);
	char full[64];
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	switch (letter) {
	case '@':
		return process_format(process, "%lld.%06d0000", (long long)(time / SECOND),
				      (int)(time % SECOND));
	case 'Y':
		return process_format(process, "%04d", at.year);
	case 'm':
		return process_format(process, "%02d", at.month);
	case 'd':
		return process_format(process, "%02d", at.day);
	case 'H':
		return process_format(process, "%02d", at.hour);
	case 'M':
		return process_format(process, "%02d", at.minute);
	case 'S':
		return process_format(process, "%02d.%06d0000", at.second, at.microsecond);
	case 'T':
		return process_format(process, "%02d:%02d:%02d.%06d0000", at.hour, at.minute,
				      at.second, at.microsecond);
	case 'F':
		return process_format(process, "%04d-%02d-%02d", at.year, at.month, at.day);
	case 'D':
		return process_format(process, "%02d/%02d/%02d", at.month, at.day, at.year % 100);
	case 'b':
		return months[(unsigned)(at.month - 1) % 12];
	case 'a':
		return days[(unsigned)at.weekday % 7];
	case '+':
		files_full_time_text(time, full, sizeof(full));
		full[10] = '+';
		full[strcspn(full, " ")] = '\0';
		return process_copy_text(process, full);
	default: /* as ctime */
		return process_format(process, "%s %s %2d %02d:%02d:%02d.%06d0000 %04d",
				      days[(unsigned)at.weekday % 7],
				      months[(unsigned)(at.month - 1) % 12], at.day, at.hour,
				      at.minute, at.second, at.microsecond, at.year);
	}
}

static const char *path_item(struct find *find, const struct find_file *file, char letter)
{
	struct process *process = find->process;
	const char *slash = strrchr(file->path, '/');

	switch (letter) {
	case 'p':
		return file->path;
	case 'f':
		return file->name;
	case 'h':
		if (!slash)
			return ".";
		return process_copy_slice(
			process, slice_of(file->path, slash == file->path && !slash[1]
							      ? 1
							      : (size_t)(slash - file->path)));
	case 'H':
		return file->start;
	default: /* P */
		return file->path[file->names] == '/' ? file->path + file->names + 1
						      : file->path + file->names;
	}
}

static const char *number(struct process *process, uint64_t value)
{
	return process_format(process, "%llu", (unsigned long long)value);
}

static const char *item_text(struct find *find, const struct find_file *file, char letter)
{
	struct process *process = find->process;
	const struct file_status *status = &file->status;
	struct file_system_status system;
	char text[MACHINE_PATH_MAX];

	switch (letter) {
	case 'p':
	case 'f':
	case 'h':
	case 'H':
	case 'P':
		return path_item(find, file, letter);
	case 's':
		return number(process, status->size);
	case 'k':
		return number(process, (status->blocks + 1) / 2);
	case 'b':
		return number(process, status->blocks);
	case 'd':
		return number(process, file->depth);
	case 'm':
		return process_format(process, "%o", status->mode & 07777);
	case 'M':
		files_mode_text(status->mode, text);
		return process_copy_text(process, text);
	case 'u':
		return command_user_name(process, status->uid);
	case 'g':
		return command_group_name(process, status->gid);
	case 'U':
		return number(process, status->uid);
	case 'G':
		return number(process, status->gid);
	case 'i':
		return number(process, status->inode);
	case 'n':
		return number(process, status->links);
	case 'l':
		return S_ISLNK(status->mode) && process_readlink(process, file->path, text,
								 sizeof(text)) >= 0
			       ? process_copy_text(process, text)
			       : "";
	case 'y':
	case 'Y':
		files_mode_text(status->mode, text);
		text[0] = text[0] == '-' ? 'f' : text[0];
		text[1] = '\0';
		return process_copy_text(process, text);
	case 't':
		return time_text(process, status->modified, 'c');
	case 'a':
		return time_text(process, status->accessed, 'c');
	case 'c':
		return time_text(process, status->changed, 'c');
	case 'F':
		if (process_file_system_status(process, file->path, &system) == 0)
			return system.type;
		return "ext4";
	case 'D':
		return "2049";
	case 'S':
		return "1";
	default:
		return NULL;
	}
}

static int64_t time_of(const struct file_status *status, char letter)
{
	return letter == 'A'   ? status->accessed
	       : letter == 'C' ? status->changed
	       : letter == 'B' ? status->born
			       : status->modified;
}

bool find_printf(struct find *find, const struct find_test *test, struct find_file *file)
{
	struct text out = {0};

	for (const char *at = test->text; *at; at++) {
		char width[16] = "";
		size_t length;
		const char *text;
		int byte;

		if (*at == '\\' && at[1]) {
			length = text_escape(at + 1, &byte, false);
			if (byte == -2) {
				break;
			} else if (byte >= 0) {
				text_add_byte(find->process, &out, (uint8_t)byte);
			} else {
				text_add_byte(find->process, &out, '\\');
			}
			at += length;
			continue;
		}
		if (*at != '%' || !at[1]) {
			text_add_byte(find->process, &out, (uint8_t)*at);
			continue;
		}
		at++;
		length = strspn(at, "-+ 0#.123456789");
		memcpy(width, at, length < 15 ? length : 15);
		at += length;
		if (!*at)
			break;
		if (strchr("ACTB", *at) && at[1]) {
			text = time_text(find->process, time_of(&file->status, *at), at[1]);
			at++;
		} else {
			text = item_text(find, file, *at);
		}
		if (*at == '%') {
			text_add_byte(find->process, &out, '%');
		} else if (!text) {
			text_add_byte(find->process, &out, '%');
			text_add_byte(find->process, &out, (uint8_t)*at);
		} else if (width[0]) {
			long room = strtol(width, NULL, 10);

			room = room > 1000 ? 1000 : room < -1000 ? -1000 : room;
			if (width[0] == '0')
				for (long i = (long)strlen(text); i < room; i++)
					text_add_byte(find->process, &out, '0');
			text_format(find->process, &out, "%*s", width[0] == '0' ? 0 : (int)room,
				    text);
		} else {
			text_add_words(find->process, &out, text);
		}
	}
	if (out.length)
		put(find, test, out.data, out.length);
	process_give(find->process, out.data);
	return true;
}

bool find_ls(struct find *find, const struct find_test *test, struct find_file *file)
{
	struct process *process = find->process;
	const struct file_status *status = &file->status;
	char mode[11], time[64], target[MACHINE_PATH_MAX] = "";
	char *line;

	files_mode_text(status->mode, mode);
	files_time_text(status->modified, find->now, time, sizeof(time));
	if (S_ISLNK(status->mode))
		(void)!process_readlink(process, file->path, target, sizeof(target));
	line = process_format(
		process, "%9llu %6llu %s %3u %-8s %-8s %8llu %s %s%s%s\n",
		(unsigned long long)status->inode, (unsigned long long)((status->blocks + 1) / 2),
		mode, status->links, command_user_name(process, status->uid),
		command_group_name(process, status->gid), (unsigned long long)status->size, time,
		file->path, target[0] ? " -> " : "", target);
	put(find, test, line, strlen(line));
	process_give(process, line);
	return true;
}

bool find_delete(struct find *find, const struct find_test *test, struct find_file *file)
{
	int error;

	if (!strcmp(file->path, "."))
		return true;
	error = S_ISDIR(file->status.mode) ? process_remove_folder(find->process, file->path)
					   : process_unlink(find->process, file->path);
	if (error == 0)
		return true;
	process_complain(find->process, "cannot delete %s: %s",
			 files_quote(find->process, file->path), strerror(-error));
	find->status = 1;
	return false;
}

/* --- -exec --- */

static int run_arguments(struct find *find, char **arguments)
{
	char path[MACHINE_PATH_MAX];
	int error;

	process_flush(find->process);
	error = command_which(find->process, arguments[0], path, sizeof(path));
	if (error < 0) {
		process_complain(find->process, "%s: %s", files_quote(find->process, arguments[0]),
				 strerror(-error));
		return 1;
	}
	return command_run_program(find->process, arguments, NULL);
}

static char *replaced(struct find *find, const char *word, const char *path)
{
	struct text out = {0};
	const char *braces;

	while ((braces = strstr(word, "{}")) != NULL) {
		text_add(find->process, &out, slice_of(word, (size_t)(braces - word)));
		text_add_words(find->process, &out, path);
		word = braces + 2;
	}
	text_add_words(find->process, &out, word);
	return out.data ? out.data : process_copy_text(find->process, "");
}

void find_run_batch(struct find *find, const struct find_test *test)
{
	struct find_batch *batch = test->batch;
	size_t fixed = (size_t)test->argument_count;
	char **arguments;

	if (!batch->count)
		return;
	arguments = process_take(find->process, (fixed + batch->count + 1) * sizeof(*arguments));
	memcpy(arguments, test->arguments, fixed * sizeof(*arguments));
	memcpy(arguments + fixed, batch->paths, batch->count * sizeof(*arguments));
	if (run_arguments(find, arguments) != 0)
		find->status = 1;
	for (size_t i = 0; i < batch->count; i++)
		process_give(find->process, batch->paths[i]);
	process_give(find->process, arguments);
	batch->count = batch->bytes = 0;
}

bool find_execute(struct find *find, const struct find_test *test, struct find_file *file)
{
	struct process *process = find->process;
	struct find_batch *batch = test->batch;
	char here[MACHINE_PATH_MAX];
	const char *path = file->path;
	char **arguments;
	int status;

	if (test->in_folder)
		path = process_format(process, "./%s", file->name);
	if (batch) {
		if (batch->count == batch->room) {
			batch->room = batch->room ? batch->room * 2 : 16;
			batch->paths = process_retake(process, batch->paths,
						      batch->room * sizeof(*batch->paths));
		}
		batch->paths[batch->count++] = process_copy_text(process, path);
		batch->bytes += strlen(path) + 1;
		if (batch->bytes > BATCH_BYTES_MAX)
			find_run_batch(find, test);
		return true;
	}
	arguments = process_take(process, ((size_t)test->argument_count + 1) * sizeof(*arguments));
	for (int i = 0; i < test->argument_count; i++)
		arguments[i] = replaced(find, test->arguments[i], path);
	if (test->asks && !files_ask(process, "< %s ... %s > ? ", arguments[0], path))
		return false;
	snprintf(here, sizeof(here), "%s", process_folder(process));
	if (test->in_folder) {
		char *folder = process_copy_text(process, file->path);
		char *slash = strrchr(folder, '/');

		if (slash) {
			slash[slash == folder] = '\0';
			(void)process_change_folder(process, folder);
		}
		process_give(process, folder);
	}
	status = run_arguments(find, arguments);
	if (test->in_folder)
		(void)process_change_folder(process, here);
	for (int i = 0; i < test->argument_count; i++)
		process_give(process, arguments[i]);
	process_give(process, arguments);
	return status == 0;
}
