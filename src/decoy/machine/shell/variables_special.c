/* Variables and parameters that are made when they are asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/host.h"
#include "decoy/machine/shell/state.h"

static const char *number(struct shell *shell, int64_t value)
{
	char *text = pool_take(shell->scratch, 24);

	snprintf(text, 24, "%lld", (long long)value);
	return text;
}

static const char *get_random(struct shell *shell)
{
	/* bash's own generator: the same seed gives the same numbers. */
	int64_t seed = (int64_t)(shell->random & 0xffffffff), high, low;

	if (!shell->random) {
		shell->random = process_random_number(shell->process, 0xfffffffe) + 1;
		seed = (int64_t)shell->random;
	}
	if (!seed)
		seed = 123459876;
	high = seed / 127773;
	low = seed - 127773 * high;
	seed = 16807 * low - 2836 * high;
	if (seed < 0)
		seed += 0x7fffffff;
	shell->random = ((uint64_t)seed & 0xffffffff) | ((uint64_t)1 << 32);
	return number(shell, ((seed >> 16) ^ (seed & 65535)) & 32767);
}

static const char *get_seconds(struct shell *shell)
{
	return number(shell, (process_now(shell->process) - shell->seconds_base) / 1000000);
}

static const char *get_line(struct shell *shell)
{
	return number(shell, shell_has(shell, SHELL_ASH) && shell->from_string ? 0 : shell->line);
}

static const char *get_pid(struct shell *shell)
{
	return number(shell, shell->process->pid);
}

static const char *get_parent(struct shell *shell)
{
	return number(shell, process_parent_id(shell->process));
}

static const char *get_uid(struct shell *shell)
{
	return number(shell, shell->process->identity.uid);
}

static const char *get_effective_uid(struct shell *shell)
{
	return number(shell, shell->process->identity.effective_uid);
}

static const char *get_subshell(struct shell *shell)
{
	return number(shell, shell->subshells);
}

static const char *get_version(struct shell *shell)
{
	return "5.2.15(1)-release";
}

static const char *get_path_of_bash(struct shell *shell)
{
	return "/bin/bash";
}

static const char *get_host(struct shell *shell)
{
	return host_names(process_host(shell->process))->node;
}

static const char *get_host_type(struct shell *shell)
{
	return "x86_64";
}

static const char *get_machine_type(struct shell *shell)
{
	return "x86_64-pc-linux-gnu";
}

static const char *get_system_type(struct shell *shell)
{
	return "linux-gnu";
}

static const char *get_shell_options(struct shell *shell)
{
	return options_list(shell, false);
}

static const char *get_bash_options(struct shell *shell)
{
	return options_list(shell, true);
}

static const char *get_epoch(struct shell *shell)
{
	return number(shell, process_now(shell->process) / 1000000);
}

static const char *get_epoch_fine(struct shell *shell)
{
	char *text = pool_take(shell->scratch, 32);
	int64_t now = process_now(shell->process);

	snprintf(text, 32, "%lld.%06lld", (long long)(now / 1000000), (long long)(now % 1000000));
	return text;
}

static const char *get_secure_random(struct shell *shell)
{
	return number(shell, (int64_t)process_random_number(shell->process, (uint64_t)1 << 32));
}

static const char *get_history_number(struct shell *shell)
{
	return number(shell, shell->interactive
				     ? (int64_t)(history_first(shell) + history_count(shell))
				     : 1);
}

static const char *get_function(struct shell *shell)
{
	return special_array(shell, "FUNCNAME", 0, NULL);
}

static const char *get_source(struct shell *shell)
{
	return special_array(shell, "BASH_SOURCE", 0, NULL);
}

static const char *get_groups(struct shell *shell)
{
	return special_array(shell, "GROUPS", 0, NULL);
}

static const char *get_pipe_status(struct shell *shell)
{
	return special_array(shell, "PIPESTATUS", 0, NULL);
}

static const char *get_version_info(struct shell *shell)
{
	return "5";
}

static const char *get_folders(struct shell *shell)
{
	return special_array(shell, "DIRSTACK", 0, NULL);
}

static const char *get_underscore(struct shell *shell)
{
	return shell->last_argument ? shell->last_argument : "";
}

static const char *get_called(struct shell *shell)
{
	return shell->name;
}

static const char *get_command_text(struct shell *shell)
{
	return shell->command_text;
}

static const char *get_two(struct shell *shell)
{
	return "1";
}

/* Which shells have it; those of dash and ash are few. */
static const struct {
	const char *name;
	const char *(*get)(struct shell *shell);
	unsigned where;
	bool fixed; /* assignments are ignored */
} specials[] = {
	{"BASH", get_path_of_bash, SHELL_BASH, false},
	{"BASHOPTS", get_bash_options, SHELL_BASH, true},
	{"BASHPID", get_pid, SHELL_BASH, true},
	{"BASH_ARGV0", get_called, SHELL_BASH, true},
	{"BASH_EXECUTION_STRING", get_command_text, SHELL_BASH, false},
	{"BASH_SOURCE", get_source, SHELL_BASH, true},
	{"BASH_SUBSHELL", get_subshell, SHELL_BASH, true},
	{"BASH_VERSINFO", get_version_info, SHELL_BASH, true},
	{"BASH_VERSION", get_version, SHELL_BASH, false},
	{"DIRSTACK", get_folders, SHELL_BASH, true},
	{"EPOCHREALTIME", get_epoch_fine, SHELL_BASH | SHELL_ASH, true},
	{"EPOCHSECONDS", get_epoch, SHELL_BASH | SHELL_ASH, true},
	{"EUID", get_effective_uid, SHELL_BASH, true},
	{"FUNCNAME", get_function, SHELL_BASH | SHELL_ASH, true},
	{"GROUPS", get_groups, SHELL_BASH, true},
	{"HISTCMD", get_history_number, SHELL_BASH, true},
	{"HOSTNAME", get_host, SHELL_BASH, false},
	{"HOSTTYPE", get_host_type, SHELL_BASH, false},
	{"LINENO", get_line, SHELL_BASH | SHELL_ASH, true},
	{"MACHTYPE", get_machine_type, SHELL_BASH, false},
	{"OPTIND", get_two, SHELL_BASH, false},
	{"OSTYPE", get_system_type, SHELL_BASH, false},
	{"PIPESTATUS", get_pipe_status, SHELL_BASH, true},
	{"PPID", get_parent, SHELL_ANY, true},
	{"RANDOM", get_random, SHELL_BASH | SHELL_ASH, false},
	{"SECONDS", get_seconds, SHELL_BASH, false},
	{"SHELLOPTS", get_shell_options, SHELL_BASH, true},
	{"SRANDOM", get_secure_random, SHELL_BASH, true},
	{"UID", get_uid, SHELL_BASH, true},
	{"_", get_underscore, SHELL_BASH, false},
};

const char *special_get(struct shell *shell, const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(specials); i++)
		if (specials[i].name[0] == name[0] && !strcmp(specials[i].name, name))
			return shell_has(shell, specials[i].where) ? specials[i].get(shell) : NULL;
	return NULL;
}

const char *special_name(size_t index)
{
	return index < ARRAY_COUNT(specials) ? specials[index].name : NULL;
}

bool special_set(struct shell *shell, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_COUNT(specials); i++) {
		if (strcmp(specials[i].name, name) != 0 || !shell_has(shell, specials[i].where))
			continue;
		if (!strcmp(name, "RANDOM")) {
			shell->random = ((uint64_t)strtoul(value, NULL, 10) & 0xffffffff) |
					((uint64_t)1 << 32);
			return true;
		}
		if (!strcmp(name, "SECONDS")) {
			shell->seconds_base = process_now(shell->process) -
					      (int64_t)strtol(value, NULL, 10) * 1000000;
			return true;
		}
		if ((!strcmp(name, "UID") || !strcmp(name, "EUID") || !strcmp(name, "PPID") ||
		     !strcmp(name, "BASHOPTS") || !strcmp(name, "SHELLOPTS")) &&
		    shell_has(shell, SHELL_BASH)) {
			message_say(shell, "%s: readonly variable", name);
			return true;
		}
		return specials[i].fixed;
	}
	return false;
}

static const char *frame_name(struct shell *shell, size_t index, size_t *count, bool source)
{
	size_t total = 0;
	const char *found = NULL;

	for (struct frame *frame = shell->frame; frame; frame = frame->outer) {
		if (total++ == index)
			found = source ? (frame->file ? frame->file : "environment")
				       : (frame->function ? frame->function : "source");
	}
	if (total && !shell->interactive && shell->file) {
		if (total++ == index)
			found = source ? shell->file : "main";
	} else if (!total && source && shell->file) {
		if (total++ == index)
			found = shell->file;
	}
	if (count)
		*count = total;
	return found;
}

const char *special_array(struct shell *shell, const char *name, size_t index, size_t *count)
{
	static const char *const version[] = {"5", "2",       "15",
					      "1", "release", "x86_64-pc-linux-gnu"};
	size_t total = 0;
	const char *found = NULL;

	if (!strcmp(name, "FUNCNAME"))
		return frame_name(shell, index, count, false);
	if (!strcmp(name, "BASH_SOURCE"))
		return frame_name(shell, index, count, true);
	if (!strcmp(name, "PIPESTATUS")) {
		total = shell->pipe_status_count ? shell->pipe_status_count : 1;
		if (index < total)
			found = number(shell, shell->pipe_status_count ? shell->pipe_statuses[index]
								       : shell->status);
	} else if (!strcmp(name, "BASH_VERSINFO")) {
		total = ARRAY_COUNT(version);
		found = index < total ? version[index] : NULL;
	} else if (!strcmp(name, "GROUPS")) {
		const struct process_identity *identity = &shell->process->identity;

		total = identity->group_count ? identity->group_count : 1;
		if (index < total)
			found = number(shell, identity->group_count ? identity->groups[index]
								    : identity->gid);
	} else if (!strcmp(name, "DIRSTACK")) {
		total = shell->folder_count + 1;
		if (!index)
			found = process_folder(shell->process);
		else if (index < total)
			found = shell->folders[shell->folder_count - index];
	} else {
		return NULL;
	}
	if (count)
		*count = total;
	return found;
}

const char *special_parameter(struct shell *shell, const char *name, size_t length)
{
	int index = 0;

	if (length == 1) {
		switch (name[0]) {
		case '?':
			return number(shell, shell->status);
		case '#':
			return number(shell, shell->positional_count);
		case '$':
			return number(shell, shell->shell_pid);
		case '!':
			return shell->last_background ? number(shell, shell->last_background)
						      : NULL;
		case '-':
			return options_letters(shell);
		case '0':
			return shell->name;
		default:
			break;
		}
	}
	for (size_t i = 0; i < length && index < 1000000; i++)
		index = index * 10 + (name[i] - '0');
	if (!index)
		return shell->name;
	return index <= shell->positional_count ? shell->positional[index - 1] : NULL;
}
