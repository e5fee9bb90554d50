/* crontab (cron 3.0pl1 of Debian), at, atq, atrm, batch: what is to run later is kept, and is
 * evidence by being written.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/outside.h"

#define TABLES       "/var/spool/cron/crontabs"
#define JOBS         "/var/spool/cron/atjobs"
#define TABLE_MAX    ((size_t)1024 * 1024)
#define HEADER_LINES 3

static const char template_text[] =
	"# Edit this file to introduce tasks to be run by cron.\n# \n"
	"# Each task to run has to be defined through a single line\n"
	"# indicating with different fields when the task will be run\n"
	"# and what command to run for the task\n# \n"
	"# To define the time you can provide concrete values for\n"
	"# minute (m), hour (h), day of month (dom), month (mon),\n"
	"# and day of week (dow) or use '*' in these fields (for 'any').\n# \n"
	"# Notice that tasks will be started based on the cron's system\n"
	"# daemon's notion of time and timezones.\n# \n"
	"# Output of the crontab jobs (including errors) is sent through\n"
	"# email to the user the crontab file belongs to (unless redirected).\n# \n"
	"# For example, you can run a backup of all your user accounts\n"
	"# at 5 a.m every week with:\n"
	"# 0 5 * * 1 tar -zcf /var/backups/home.tgz /home/\n# \n"
	"# For more information see the manual pages of crontab(5) and cron(8)\n# \n"
	"# m h  dom mon dow   command\n";

/* --- what a table may say --- */

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
					  "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field {
	const char *wrong;
	long low, high;
	const char *const *names;
} fields[] = {{"bad minute", 0, 59, NULL},
	      {"bad hour", 0, 23, NULL},
	      {"bad day-of-month", 1, 31, NULL},
	      {"bad month", 1, 12, month_names},
	      {"bad day-of-week", 0, 7, day_names}};

static bool take_value(const char **at, const struct field *field)
{
	char *end;
	long value = strtol(*at, &end, 10);
	if (isdigit((unsigned char)**at) && end != *at) {
		*at = end;
		return value >= field->low && value <= field->high;
	}
	for (size_t i = 0; field->names && field->names[i]; i++)
		if (strncasecmp(*at, field->names[i], 3) == 0) {
			*at += 3;
			return true;
		}
	return false;
}

static bool take_field(const char **at, const struct field *field)
{
	do {
		if (**at == ',')
			(*at)++;
		if (**at == '*')
			(*at)++;
		else if (!take_value(at, field) || (**at == '-' && !take_value((++*at, at), field)))
			return false;
		if (**at == '/') {
			char *end;
			long step = strtol(*at + 1, &end, 10);
			if (end == *at + 1 || step < 1)
				return false;
			*at = end;
		}
	} while (**at == ',');
	return **at == ' ' || **at == '\t';
}

static bool is_assignment(const char *line)
{
	const char *at = line;
	while (isalnum((unsigned char)*at) || *at == '_')
		at++;
	if (at == line)
		return false;
	while (*at == ' ' || *at == '\t')
		at++;
	return *at == '=';
}

/* What is wrong with a line, or NULL; *later: the reader had gone to the next line. */
static const char *line_error(const char *line, bool *later)
{
	static const char *const words[] = {"reboot", "yearly", "annually", "monthly",
					    "weekly", "daily",  "midnight", "hourly"};
	*later = false;
	while (*line == ' ' || *line == '\t')
		line++;
	if (*line == '\0' || *line == '#' || is_assignment(line))
		return NULL;
	if (*line == '@') {
		size_t length = strcspn(line + 1, " \t");
		for (size_t i = 0; i < ARRAY_COUNT(words); i++)
			if (strlen(words[i]) == length && strncmp(line + 1, words[i], length) == 0)
				return NULL;
		return "bad time specifier";
	}
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		if (!take_field(&line, &fields[i])) {
			*later = *line == '\0' || !strpbrk(line, " \t");
			/* A last field may end the line. */
			if (i == ARRAY_COUNT(fields) - 1 && *line == '\0')
				return NULL;
			return fields[i].wrong;
		}
		while (*line == ' ' || *line == '\t')
			line++;
	}
	return NULL;
}

struct crontab {
	struct process *process;
	const char *user, *path;
	bool list, edit, remove, ask, dry;
};

static bool is_well_formed(struct crontab *crontab, const struct text *table, const char *name)
{
	struct process *p = crontab->process;
	struct slice rest = text_slice(table), line;
	unsigned number = 0;
	bool well = true, later;
	if (table->length && table->data[table->length - 1] != '\n') {
		process_error(p,
			      "new crontab file is missing newline before EOF, can't install.\n");
		return false;
	}
	for (; slice_next(&rest, '\n', &line); number++) {
		char *text = process_copy_slice(p, line);
		const char *error = line_error(text, &later);
		process_step(p);
		if (error) {
			process_error(p, "\"%s\":%u: %s\n", name, number + later, error);
			well = false;
			break;
		}
		process_give(p, text);
	}
	if (!well)
		process_error(p, "errors in crontab file, can't install.\n");
	return well;
}

static void now_words(struct process *p, int64_t moment, char words[32])
{
	struct tm broken_down;
	outside_local_time(p, moment, &broken_down);
	strftime(words, 32, "%a %b %e %H:%M:%S %Y", &broken_down);
}

static int install(struct crontab *crontab, const struct text *table, const char *name)
{
	struct process *p = crontab->process;
	struct text out = {0};
	char moment[32];
	unsigned uid = 0, gid = 0, own;
	now_words(p, process_now(p), moment);
	text_format(p, &out,
		    "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (%s installed on "
		    "%s)\n# (Cron version -- $Id: crontab.c,v 2.13 1994/01/17 03:20:37 vixie Exp "
		    "$)\n",
		    name, moment);
	text_add(p, &out, text_slice(table));
	int file = process_open(p, crontab->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0) {
		process_error(p, "%s/: mkstemp: %s\n", TABLES, strerror(-file));
		return 1;
	}
	(void)process_write(p, file, text_slice(&out));
	process_close(p, file);
	(void)process_change_mode(p, crontab->path, 0600);
	if (command_user_id(p, crontab->user, &uid, &own) == 0 &&
	    command_group_id(p, "crontab", &gid) == 0)
		(void)process_change_owner(p, crontab->path, true, uid, gid);
	process_give(p, out.data);
	return 0;
}

/* The table without its three lines; -ENOENT: there is none. */
static int read_table(struct crontab *crontab, struct text *table)
{
	struct process *p = crontab->process;
	struct text file = {0};
	int error = process_read_file(p, crontab->path, TABLE_MAX, &file);
	struct slice rest = text_slice(&file), line;
	if (error)
		return error;
	for (unsigned i = 0; i < HEADER_LINES; i++) {
		struct slice after = rest;
		if (!slice_next(&after, '\n', &line) || !slice_starts(line, "#"))
			break;
		rest = after;
	}
	text_add_words(p, table, "");
	text_add(p, table, rest);
	process_give(p, file.data);
	return 0;
}

static int replace(struct crontab *crontab, const char *name)
{
	struct process *p = crontab->process;
	struct text table = {0};
	int error = strcmp(name, "-") == 0 ? process_read_all(p, 0, TABLE_MAX, &table)
					   : process_read_file(p, name, TABLE_MAX, &table);
	if (error) {
		process_error(p, "%s: %s\n", name, strerror(-error));
		return 1;
	}
	if (!is_well_formed(crontab, &table, name))
		return 1;
	return crontab->dry ? 0 : install(crontab, &table, name);
}

static const char *choose_editor(struct process *p)
{
	const char *editor = process_environment(p, "VISUAL");
	char path[64];
	if (!editor)
		editor = process_environment(p, "EDITOR");
	if (editor && *editor)
		return editor;
	char *chosen = process_format(
		p, "%s/.selected_editor",
		process_environment(p, "HOME") ? process_environment(p, "HOME") : "/root");
	if (process_access(p, chosen, 0) != 0 && process_is_terminal(p, 0)) {
		process_put_text(p,
				 "\nSelect an editor.  To change later, run 'select-editor'.\n  1. "
				 "/bin/nano        <---- easiest\n  2. /usr/bin/vim.tiny\n  3. "
				 "/bin/ed\n\nChoose 1-3 [1]: ");
		process_flush(p);
		char *answer = accounts_ask_on(p, 0, -1, "", true);
		editor = answer && *answer == '2'   ? "/usr/bin/vim.tiny"
			 : answer && *answer == '3' ? "/bin/ed"
						    : "/bin/nano";
		int file = process_open(p, chosen, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (file >= 0) {
			char *line = process_format(p,
						    "# Generated by /usr/bin/select-editor\n"
						    "SELECTED_EDITOR=\"%s\"\n",
						    editor);
			(void)process_write(p, file, slice_text(line));
			process_close(p, file);
		}
		return editor;
	}
	return command_which(p, "nano", path, sizeof(path)) >= 0 ? "/bin/nano" : "vi";
}

static int edit(struct crontab *crontab)
{
	struct process *p = crontab->process;
	struct text table = {0}, after = {0};
	if (read_table(crontab, &table) != 0) {
		process_error(p, "no crontab for %s - using an empty one\n", crontab->user);
		text_add_words(p, &table, template_text);
	}
	char *folder = process_format(p, "/tmp/crontab.%06llx",
				      (unsigned long long)process_random_number(p, 0xffffff));
	char *copy = process_format(p, "%s/crontab", folder);
	(void)process_make_folder(p, folder, 0700);
	int file = process_open(p, copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file >= 0) {
		(void)process_write(p, file, text_slice(&table));
		process_close(p, file);
	}
	int status = command_run_line(p, process_format(p, "%s %s", choose_editor(p), copy));
	(void)process_read_file(p, copy, TABLE_MAX, &after);
	(void)process_unlink(p, copy);
	(void)process_remove_folder(p, folder);
	if (status != 0) {
		process_error(p, "crontab: \"%s\" exited with status %d\n", choose_editor(p),
			      status);
		return 1;
	}
	if (slice_equal(text_slice(&table), text_slice(&after))) {
		process_error(p, "No modification made\n");
		return 0;
	}
	process_error(p, "crontab: installing new crontab\n");
	if (!is_well_formed(crontab, &after, copy))
		return 1;
	return install(crontab, &after, copy);
}

static int crontab_usage(struct process *p, const char *why)
{
	const char *usage = strstr(outside_usage("crontab"), "usage:\t");
	process_error(p, "crontab: usage error: %s\n%s", why, usage ? usage : "");
	return 1;
}

static int crontab_main(struct process *process, int argc, char **argv)
{
	struct crontab crontab = {.process = process};
	struct option_state state = {0};
	unsigned uid, gid;
	crontab.user = command_user_name(process, process->identity.uid);
	for (int option;
	     (option = option_next(process, &state, argc, argv, "+:u:lerinh", NULL)) != -1;) {
		bool operations = crontab.list || crontab.edit || crontab.remove;
		switch (option) {
		case 'u':
			if (process->identity.uid != 0 &&
			    strcmp(state.argument, crontab.user) != 0) {
				process_error(process, "must be privileged to use -u\n");
				return 1;
			}
			if (command_user_id(process, state.argument, &uid, &gid) != 0) {
				process_error(process, "crontab:  user `%s' unknown\n",
					      state.argument);
				return 1;
			}
			crontab.user = state.argument;
			break;
		case 'l':
		case 'e':
		case 'r':
			if (operations)
				return crontab_usage(process, "only one operation permitted");
			crontab.list = option == 'l';
			crontab.edit = option == 'e';
			crontab.remove = option == 'r';
			break;
		case 'i':
			crontab.ask = true;
			break;
		case 'n':
			crontab.dry = true;
			break;
		default:
			return crontab_usage(process, "unrecognized option");
		}
	}
	crontab.path = process_format(process, TABLES "/%s", crontab.user);
	/* Set group id crontab: the folder is not the user's. */
	struct process_identity identity = process->identity;
	identity.effective_uid = 0;
	process_become(process, &identity);
	if (crontab.edit)
		return edit(&crontab);
	if (crontab.remove && crontab.ask) {
		process_print(process, "crontab: really delete %s's crontab? (y/n) ", crontab.user);
		process_flush(process);
		char *answer = accounts_ask_on(process, 0, -1, "", true);
		if (!answer || (*answer != 'y' && *answer != 'Y'))
			return 0;
	}
	if (crontab.list || crontab.remove) {
		struct text table = {0};
		if (read_table(&crontab, &table) != 0) {
			process_error(process, "no crontab for %s\n", crontab.user);
			return 1;
		}
		if (crontab.list)
			process_put(process, text_slice(&table));
		else
			(void)process_unlink(process, crontab.path);
		return 0;
	}
	return replace(&crontab, state.index < argc ? argv[state.index] : "-");
}

/* --- at --- */

/* "now + 5 minutes", "23:59 tomorrow", "midnight"; 0: not understood. */
static int64_t time_of(struct process *p, int count, char **words)
{
	struct tm now;
	int64_t moment = process_now(p) / SECOND;
	outside_local_time(p, process_now(p), &now);
	int64_t today = moment - now.tm_hour * 3600 - now.tm_min * 60 - now.tm_sec;
	int index = 0, hour, minute, used = 0;
	if (count == 0)
		return 0;
	if (strcmp(words[0], "now") == 0) {
		moment = moment - now.tm_sec;
	} else if (strcmp(words[0], "midnight") == 0) {
		moment = today + 86400;
	} else if (strcmp(words[0], "noon") == 0 || strcmp(words[0], "teatime") == 0) {
		moment = today + (words[0][0] == 'n' ? 12 : 16) * 3600;
	} else if (sscanf(words[0], "%d:%d%n", &hour, &minute, &used) == 2 && !words[0][used] &&
		   hour >= 0 && hour < 24 && minute >= 0 && minute < 60) {
		moment = today + hour * 3600 + minute * 60;
	} else {
		return 0;
	}
	if (moment < process_now(p) / SECOND - 60)
		moment += 86400;
	for (index = 1; index < count; index++) {
		static const struct {
			const char *unit;
			int64_t seconds;
		} units[] = {{"min", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}};
		bool known = false;
		if (strcmp(words[index], "tomorrow") == 0) {
			moment = today + 86400 + (moment - today) % 86400;
			continue;
		}
		if (strcmp(words[index], "today") == 0)
			continue;
		const char *number = words[index];
		if (strcmp(number, "+") == 0 && index + 1 < count)
			number = words[++index];
		else if (*number == '+')
			number++;
		for (size_t i = 0; index + 1 < count && i < ARRAY_COUNT(units); i++)
			if (strncmp(words[index + 1], units[i].unit, 3) == 0) {
				moment += strtol(number, NULL, 10) * units[i].seconds;
				known = true;
			}
		if (!known)
			return 0;
		index++;
	}
	return moment;
}

/* Jobs are files "a" NUMBER MINUTES, both in hexadecimal. */
static unsigned job_number(const char *name, int64_t *moment)
{
	unsigned number;
	unsigned long minutes;
	if ((*name != 'a' && *name != 'b') || sscanf(name + 1, "%5x%8lx", &number, &minutes) != 2)
		return 0;
	*moment = (int64_t)minutes * 60;
	return number;
}

static int list_jobs(struct process *p)
{
	struct folder_entry *entries;
	ssize_t count = process_list(p, JOBS, &entries);
	for (ssize_t i = 0; i < count; i++) {
		struct file_status status;
		int64_t moment;
		char words[32];
		unsigned number = job_number(entries[i].name, &moment);
		if (!number || process_stat(p, process_format(p, JOBS "/%s", entries[i].name), true,
					    &status) != 0)
			continue;
		now_words(p, moment * SECOND, words);
		process_print(p, "%u\t%s %c %s\n", number, words, entries[i].name[0],
			      command_user_name(p, status.uid));
	}
	return 0;
}

static char *find_job(struct process *p, unsigned wanted, unsigned *highest)
{
	struct folder_entry *entries;
	char *found = NULL;
	ssize_t count = process_list(p, JOBS, &entries);
	for (ssize_t i = 0; i < count; i++) {
		int64_t moment;
		unsigned number = job_number(entries[i].name, &moment);
		if (number > *highest)
			*highest = number;
		if (number && number == wanted)
			found = process_format(p, JOBS "/%s", entries[i].name);
	}
	return found;
}

static int keep_job(struct process *p, int64_t moment, const char *from, char queue)
{
	struct text job = {0};
	char words[32];
	unsigned highest = 0;
	text_format(p, &job, "#!/bin/sh\n# atrun uid=%u gid=%u\n# mail %s 0\numask %o\n",
		    p->identity.uid, p->identity.gid, command_user_name(p, p->identity.uid),
		    p->umask);
	for (size_t i = 0; p->environment && p->environment[i]; i++) {
		const char *sign = strchr(p->environment[i], '=');
		if (sign && strncmp(p->environment[i], "TERM=", 5) != 0)
			text_format(p, &job, "%.*s=%s; export %.*s\n",
				    (int)(sign - p->environment[i]), p->environment[i], sign + 1,
				    (int)(sign - p->environment[i]), p->environment[i]);
	}
	text_format(p, &job,
		    "cd %s || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n",
		    process_folder(p));
	process_error(p, "warning: commands will be executed using /bin/sh\n");
	if (process_is_terminal(p, 0))
		process_error(p, "at> ");
	int error = from ? process_read_file(p, from, TABLE_MAX, &job)
			 : process_read_all(p, 0, TABLE_MAX, &job);
	if (error) {
		process_error(p, "%s: %s\n", from ? from : "stdin", strerror(-error));
		return 1;
	}
	if (process_is_terminal(p, 0))
		process_error(p, "<EOT>\n");
	(void)find_job(p, 0, &highest);
	char *path = process_format(p, JOBS "/%c%05x%08llx", queue, highest + 1,
				    (unsigned long long)(moment / 60));
	(void)process_make_folder(p, JOBS, 01770);
	int file = process_open(p, path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	if (file < 0) {
		process_error(p, "Cannot create atjob file %s: %s\n", path, strerror(-file));
		return 1;
	}
	(void)process_write(p, file, text_slice(&job));
	process_close(p, file);
	now_words(p, moment * SECOND, words);
	process_error(p, "job %u at %s\n", highest + 1, words);
	return 0;
}

static int remove_jobs(struct process *p, int count, char **numbers)
{
	int status = 0;
	for (int i = 0; i < count; i++) {
		unsigned highest = 0;
		char *path = find_job(p, (unsigned)strtoul(numbers[i], NULL, 10), &highest);
		if (path) {
			(void)process_unlink(p, path);
			continue;
		}
		process_error(p, "Cannot find jobid %s\n", numbers[i]);
		status = 1;
	}
	return status;
}

static int at_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	const char *file = NULL, *last = strrchr(argv[0], '/');
	const char *name = last ? last + 1 : argv[0];
	bool list = strcmp(name, "atq") == 0, take = strcmp(name, "atrm") == 0, show = false;
	bool batch = strcmp(name, "batch") == 0;
	for (int option; (option = option_next(process, &state, argc, argv,
					       "+:q:f:MmvldrDbVct:", NULL)) != -1;) {
		list = list || option == 'l';
		take = take || option == 'd' || option == 'r';
		show = show || option == 'c';
		if (option == 'f')
			file = state.argument;
		if (option == 'V') {
			process_error(process, "at version 3.2.5\n");
			return 0;
		}
		if (option == '?') {
			process_error(process, "%s", outside_usage("at"));
			return 1;
		}
	}
	int count = argc - state.index;
	char **words = argv + state.index;
	if (list)
		return list_jobs(process);
	if (take)
		return remove_jobs(process, count, words);
	if (show) {
		unsigned highest = 0;
		struct text job = {0};
		char *path =
			count ? find_job(process, (unsigned)strtoul(words[0], NULL, 10), &highest)
			      : NULL;
		if (!path) {
			process_error(process, "Cannot find jobid %s\n", count ? words[0] : "0");
			return 1;
		}
		(void)process_read_file(process, path, TABLE_MAX, &job);
		process_put(process, text_slice(&job));
		return 0;
	}
	if (batch)
		return keep_job(process, process_now(process) / SECOND, file, 'b');
	if (count == 0) {
		process_error(process, "Garbled time\n");
		return 1;
	}
	int64_t moment = time_of(process, count, words);
	if (moment == 0) {
		process_error(process, "syntax error. Last token seen: %c\nGarbled time\n",
			      words[0][0]);
		return 1;
	}
	return keep_job(process, moment, file, 'a');
}

static const char *const at_names[] = {"atq", "atrm", NULL};

static const struct command commands[] = {
	{"crontab", crontab_main, COMMAND_DEBIAN, NULL, NULL},
	{"at", at_main, COMMAND_DEBIAN, NULL, at_names},
	{"batch", at_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_schedule = {"schedule", commands};
