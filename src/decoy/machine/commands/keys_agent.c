/* ssh-agent, ssh-add, ssh-copy-id of OpenSSH 9.2p1. The agent is a process of the fake machine that
 * keeps what it was given in its environment. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/text.h"
#include "decoy/machine/limits.h"

#define KEY_MAX        ((size_t)16 * 1024)
#define IDENTITY       "_IDENTITY="
#define IDENTITIES_MAX 16
#define SERVED         ((int64_t)1000000)

static int serve(struct process *p, int argc, char **argv)
{
	process_set_environment(p, (char *[]){NULL});
	for (bool more = true; more;)
		process_sleep(p, SERVED);
	return 0;
}

static const char agent_usage[] =
	"usage: ssh-agent [-c | -s] [-Dd] [-a bind_address] [-E fingerprint_hash]\n"
	"                 [-O option] [-P allowed_providers] [-t life]\n"
	"       ssh-agent [-a bind_address] [-E fingerprint_hash] [-O option]\n"
	"                 [-P allowed_providers] [-t life] command [arg ...]\n"
	"       ssh-agent [-c | -s] -k\n";

static int stop_agent(struct process *p, bool csh)
{
	const char *text = process_environment(p, "SSH_AGENT_PID");
	int64_t pid;

	if (!text) {
		process_error(p, "SSH_AGENT_PID not set, cannot kill agent\n");
		return 1;
	}
	if (slice_number(slice_text(text), 1, INT32_MAX, &pid) != 0) {
		process_error(p, "SSH_AGENT_PID=\"%s\", which is not a good PID\n", text);
		return 1;
	}
	if (process_kill(p, (int)pid, SIGTERM) < 0) {
		process_error(p, "kill: No such process\n");
		return 1;
	}
	process_print(p, csh ? "unsetenv SSH_AUTH_SOCK;\nunsetenv SSH_AGENT_PID;\n"
			     : "unset SSH_AUTH_SOCK;\nunset SSH_AGENT_PID;\n");
	process_print(p, "echo Agent pid %lld killed;\n", (long long)pid);
	return 0;
}

static char *make_socket(struct process *p)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char name[13] = "";

	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = letters[process_random_number(p, sizeof(letters) - 1)];
	(void)process_make_folder(p, process_format(p, "/tmp/ssh-%s", name), 0700);
	return process_format(p, "/tmp/ssh-%s/agent.%u", name, p->pid);
}

static int agent_main(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	const char *shell = process_environment(p, "SHELL"), *socket = NULL;
	bool csh = shell && strlen(shell) > 3 && strcmp(shell + strlen(shell) - 3, "csh") == 0;
	bool stop = false;
	int option, pid;

	while ((option = outside_option(p, &state, argc, argv, "cDdksE:a:O:P:t:")) != -1) {
		if (option == '?') {
			process_error(p, "%s", agent_usage);
			return 1;
		}
		csh = option == 'c' || (csh && option != 's');
		stop = stop || option == 'k';
		socket = option == 'a' ? state.argument : socket;
	}
	if (stop)
		return stop_agent(p, csh);
	socket = socket ? socket : make_socket(p);
	if (process_make_node(p, socket, S_IFSOCK | 0600, 0) < 0) {
		process_error(p, "bind: Address already in use\n");
		return 1;
	}
	process_flush(p);
	pid = process_spawn(p, &(struct process_start){.name = "ssh-agent",
						       .run = serve,
						       .argc = argc,
						       .argv = argv,
						       .descriptors = (const int[]){-1, -1, -1},
						       .descriptor_count = 3,
						       .own_group = true});
	if (pid < 0) {
		process_error(p, "fork: %s\n", strerror(-pid));
		return 1;
	}
	if (state.index < argc) {
		size_t count = 0;
		char **environment;

		while (p->environment[count])
			count++;
		environment = process_take(p, (count + 3) * sizeof(*environment));
		memcpy(environment, p->environment, count * sizeof(*environment));
		environment[count] = process_format(p, "SSH_AUTH_SOCK=%s", socket);
		environment[count + 1] = process_format(p, "SSH_AGENT_PID=%d", pid);
		option = command_run_program(p, argv + state.index, environment);
		(void)process_kill(p, pid, SIGTERM);
		(void)process_unlink(p, socket);
		return option;
	}
	process_print(p,
		      csh ? "setenv SSH_AUTH_SOCK %s;\nsetenv SSH_AGENT_PID %d;\n"
			  : "SSH_AUTH_SOCK=%s; export SSH_AUTH_SOCK;\nSSH_AGENT_PID=%d; export "
			    "SSH_AGENT_PID;\n",
		      socket, pid);
	process_print(p, "echo Agent pid %d;\n", pid);
	return 0;
}

/* --- ssh-add --- */

/* The agent that the environment names; NULL: there is none. */
static struct process *find_agent(struct process *p)
{
	const char *socket = process_environment(p, "SSH_AUTH_SOCK");
	struct file_status status;

	if (!socket || process_stat(p, socket, true, &status) < 0 || !S_ISSOCK(status.mode))
		return NULL;
	for (size_t i = 0;; i++) {
		struct process *agent = process_at(p->machine, i);

		if (!agent)
			return NULL;
		if (strcmp(agent->name, "ssh-agent") == 0 &&
		    process_condition(agent) != PROCESS_ZOMBIE)
			return agent;
	}
}

static void set_identities(struct process *agent, char **lines, size_t count)
{
	lines[count] = NULL;
	process_set_environment(agent, lines);
}

static size_t identities(struct process *p, const struct process *agent, char **lines)
{
	size_t count = 0;

	for (char **at = agent->environment; at && *at && count < IDENTITIES_MAX; at++)
		if (strncmp(*at, IDENTITY, strlen(IDENTITY)) == 0)
			lines[count++] = process_copy_text(p, *at);
	return count;
}

/* What `ssh-keygen -l` says of the public key. */
static void put_fingerprint(struct process *p, const char *line)
{
	char *path = process_format(p, "/tmp/.%08llx",
				    (unsigned long long)process_random_number(p, UINT32_MAX));
	char *argv[] = {(char *)(uintptr_t) "ssh-keygen", (char *)(uintptr_t) "-lf", path, NULL};
	int file = process_open(p, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (file < 0)
		return;
	(void)process_write(p, file, slice_text(process_format(p, "%s\n", line)));
	process_close(p, file);
	(void)command_run_program(p, argv, NULL);
	(void)process_unlink(p, path);
}

static int list(struct process *p, const struct process *agent, bool whole)
{
	char *lines[IDENTITIES_MAX + 1];
	size_t count = identities(p, agent, lines);

	for (size_t i = 0; i < count; i++) {
		const char *line = lines[i] + strlen(IDENTITY);

		if (whole)
			process_print(p, "%s\n", line);
		else
			put_fingerprint(p, line);
	}
	if (count)
		return 0;
	process_put_text(p, "The agent has no identities.\n");
	return 1;
}

static const char *kind_of(const char *line)
{
	return strstr(line, "ssh-ed25519")   ? "ED25519"
	       : strstr(line, "ecdsa-sha2-") ? "ECDSA"
	       : strstr(line, "ssh-dss")     ? "DSA"
					     : "RSA";
}

static int change(struct process *p, struct process *agent, const char *name, bool adds)
{
	char *lines[IDENTITIES_MAX + 2];
	size_t count = identities(p, agent, lines), at = 0;
	struct text key = {0}, public = {0};
	int error = process_read_file(p, name, KEY_MAX, &key);
	const char *comment, *line;

	if (error) {
		process_error(p, "%s: %s\n", name, strerror(-error));
		return 1;
	}
	if (process_read_file(p, process_format(p, "%s.pub", name), KEY_MAX, &public) ||
	    slice_find(text_slice(&key), SLICE("PRIVATE KEY")) == SIZE_MAX) {
		process_error(p, "Error loading key \"%s\": %s\n", name,
			      slice_find(text_slice(&key), SLICE("PRIVATE KEY")) == SIZE_MAX
				      ? "error in libcrypto"
				      : "invalid format");
		return 1;
	}
	line = process_format(p, IDENTITY "%s",
			      process_copy_slice(p, slice_trim(text_slice(&public))));
	comment = strrchr(line, ' ') ? strrchr(line, ' ') + 1 : name;
	while (at < count && strcmp(lines[at], line) != 0)
		at++;
	if (!adds && at == count) {
		process_error(p, "Could not remove identity \"%s\": agent refused operation\n",
			      name);
		return 1;
	}
	if (adds && at == count && count < IDENTITIES_MAX)
		lines[count++] = (char *)(uintptr_t)line;
	else if (!adds)
		lines[at] = lines[--count];
	set_identities(agent, lines, count);
	if (adds)
		process_error(p, "Identity added: %s (%s)\n", name, comment);
	else
		process_error(p, "Identity removed: %s %s (%s)\n", name, kind_of(line), comment);
	return 0;
}

static int add_usual(struct process *p, struct process *agent, bool adds)
{
	static const char *const names[] = {"id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"};
	const char *home = process_environment(p, "HOME");
	struct file_status status;
	int result = 1;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char *path = process_format(p, "%s/.ssh/%s", home ? home : "/root", names[i]);

		if (process_stat(p, path, true, &status) == 0 && !change(p, agent, path, adds))
			result = 0;
	}
	return result;
}

static int add_main(struct process *p, int argc, char **argv)
{
	struct option_state state = {0};
	struct process *agent = find_agent(p);
	char *none[1] = {NULL};
	bool adds = true;
	int option, result = 0;

	if (!agent) {
		if (process_environment(p, "SSH_AUTH_SOCK") && argc >= 1)
			process_error(p, "Error connecting to agent: No such file or directory\n");
		else
			process_error(p, "Could not open a connection to your authentication "
					 "agent.\n");
		return 2;
	}
	while ((option = outside_option(p, &state, argc, argv,
					"vkKlLCcdDTxXE:e:h:H:M:m:Oqs:S:t:")) != -1) {
		if (option == 'l' || option == 'L')
			return list(p, agent, option == 'L');
		if (option == 'D') {
			set_identities(agent, none, 0);
			process_error(p, "All identities removed.\n");
			return 0;
		}
		if (option == '?') {
			process_error(p, "usage: ssh-add [-cDdKkLlqvXx] [-E fingerprint_hash] [-H "
					 "hostkey_file]\n");
			return 1;
		}
		adds = adds && option != 'd';
	}
	if (state.index >= argc)
		return add_usual(p, agent, adds);
	for (int i = state.index; i < argc; i++)
		result |= change(p, agent, argv[i], adds);
	return result;
}

/* --- ssh-copy-id --- */

static const char copy_usage[] =
	" [-h|-?|-f|-n|-s] [-i [identity_file]] [-p port] [-F alternative ssh_config file] [[-o "
	"<ssh -o options>] ...] [user@]hostname\n"
	"\t-f: force mode -- copy keys without trying to check if they are already installed\n"
	"\t-n: dry run    -- no keys are actually copied\n"
	"\t-s: use sftp   -- use sftp instead of executing remote-commands. Can be useful if the "
	"remote only allows sftp\n"
	"\t-h|-?: print this help\n";

/* The newest of the user's public keys, or NULL. */
static const char *usual_key(struct process *p)
{
	const char *home = process_environment(p, "HOME"), *found = NULL;
	char *folder = process_format(p, "%s/.ssh", home ? home : "/root");
	struct folder_entry *entries;
	ssize_t count = process_list(p, folder, &entries);
	int64_t newest = 0;

	for (ssize_t i = 0; i < count; i++) {
		char *path = process_format(p, "%s/%s", folder, entries[i].name);
		struct file_status status;

		if (text_glob("id*.pub", entries[i].name) &&
		    process_stat(p, path, true, &status) == 0 && status.modified > newest) {
			newest = status.modified;
			found = path;
		}
	}
	return found;
}

static const char *why_not(struct process *p, const char *target, unsigned port)
{
	const char *name = strrchr(target, '@') ? strrchr(target, '@') + 1 : target;
	struct outside_place place;
	enum outside_lookup found = outside_resolve(p, name, &place);
	int error;

	if (found != OUTSIDE_FOUND)
		return process_format(p, "ssh: Could not resolve hostname %s: %s", name,
				      outside_lookup_words[found]);
	error = outside_connect(p, &place.address, port, false, -1);
	if (error)
		return process_format(p, "ssh: connect to host %s port %u: %s", name, port,
				      strerror(-error));
	return "Host key verification failed.";
}

static int copy_main(struct process *p, int argc, char **argv)
{
	const char *program = "/usr/bin/ssh-copy-id", *key = NULL, *target = NULL;
	struct file_status status;
	int64_t port = 22;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-') {
			target = word;
		} else if (strncmp(word, "-i", 2) == 0) {
			key = word[2] ? word + 2 : i + 2 < argc ? argv[++i] : NULL;
		} else if (strncmp(word, "-p", 2) == 0) {
			word = word[2] ? word + 2 : i + 1 < argc ? argv[++i] : "";
			if (slice_number(slice_text(word), 1, 65535, &port) != 0)
				port = 22;
		} else if ((word[1] == 'o' || word[1] == 'F') && !word[2]) {
			i++;
		} else if (word[1] == 'h' || word[1] == '?') {
			target = NULL;
			break;
		}
	}
	if (!target) {
		process_error(p, "Usage: %s%s", program, copy_usage);
		return 1;
	}
	if (key && strcmp(key + (strlen(key) > 4 ? strlen(key) - 4 : 0), ".pub") != 0)
		key = process_format(p, "%s.pub", key);
	if (key && process_stat(p, key, true, &status) < 0) {
		process_error(p,
			      "\n%s: ERROR: failed to open ID file '%s': No such file or "
			      "directory\n\t(to install the contents of '%s' anyway, look at the "
			      "-f option)\n",
			      program, key, key);
		return 1;
	}
	key = key ? key : usual_key(p);
	if (!key) {
		process_error(p, "%s: ERROR: No identities found\n", program);
		return 1;
	}
	process_error(p, "%s: INFO: Source of key(s) to be installed: \"%s\"\n", program, key);
	process_error(p,
		      "%s: INFO: attempting to log in with the new key(s), to filter out any that "
		      "are already installed\n",
		      program);
	process_report_download(
		p, slice_text(process_format(p, "ssh://%s:%lld", target, (long long)port)),
		"ssh-copy-id");
	process_error(p, "\n%s: ERROR: %s\n\n", program, why_not(p, target, (unsigned)port));
	return 1;
}

static const struct command commands[] = {
	{"ssh-agent", agent_main, COMMAND_DEBIAN},
	{"ssh-add", add_main, COMMAND_DEBIAN},
	{"ssh-copy-id", copy_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_keys_agent = {"keys_agent", commands};
