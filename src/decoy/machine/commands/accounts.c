/* The files of accounts; see accounts.h. */
#include "decoy/machine/commands/accounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/terminal.h"

#define FILE_MAX      ((size_t)512 * 1024)
#define PASSWORD_MAX  512
#define GROUPS_MAX    64
#define TREE_DEPTH    32
#define SALT_LENGTH   22
#define DIGEST_LENGTH 43
#define HASH_PREFIX   "$y$j9T$"

const char *accounts_usage(const char *name)
{
	for (const struct accounts_usage *at = accounts_usages; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return at->text;
	return "";
}

/* --- lines --- */

static void split(struct process *p, struct slice text, struct account_line *line)
{
	struct slice part;
	*line = (struct account_line){.count = 0};
	char *copy = process_copy_slice(p, text);
	struct slice rest = slice_of(copy, text.length);
	for (bool more = true; more && line->count < ACCOUNTS_FIELDS;) {
		more = slice_find_byte(rest, ':') != SIZE_MAX;
		if (!slice_next(&rest, ':', &part))
			part = slice_of(copy + text.length, 0);
		copy[part.at - (const uint8_t *)copy + (ptrdiff_t)part.length] = '\0';
		line->fields[line->count++] = copy + (part.at - (const uint8_t *)copy);
	}
	for (size_t i = line->count; i < ACCOUNTS_FIELDS; i++)
		line->fields[i] = (char *)"";
}

static bool is_called(struct slice line, const char *name)
{
	size_t length = strlen(name);
	return line.length > length && line.at[length] == ':' && memcmp(line.at, name, length) == 0;
}

bool accounts_find(struct process *p, const char *path, const char *name, struct account_line *line)
{
	struct text file = {0};
	struct slice rest, text;
	bool found = false;
	if (process_read_file(p, path, FILE_MAX, &file) != 0)
		return false;
	rest = text_slice(&file);
	while (!found && slice_next(&rest, '\n', &text)) {
		found = is_called(text, name);
		if (found)
			split(p, text, line);
		process_step(p);
	}
	process_give(p, file.data);
	return found;
}

bool accounts_find_number(struct process *p, const char *path, size_t field, unsigned number,
			  struct account_line *line)
{
	struct text file = {0};
	struct slice rest, text;
	bool found = false;
	if (process_read_file(p, path, FILE_MAX, &file) != 0)
		return false;
	rest = text_slice(&file);
	while (!found && slice_next(&rest, '\n', &text)) {
		split(p, text, line);
		found = line->count > field && line->fields[field][0] != '\0' &&
			strtoul(line->fields[field], NULL, 10) == number;
		process_step(p);
	}
	process_give(p, file.data);
	return found;
}

static void add_line(struct process *p, struct text *out, const struct account_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		text_format(p, out, "%s%s", i ? ":" : "", line->fields[i]);
	text_add_byte(p, out, '\n');
}

/* line NULL: drops. */
static int change(struct process *p, const char *path, const char *name,
		  const struct account_line *line)
{
	struct text file = {0}, out = {0};
	struct slice rest, text;
	bool done = false;
	int error = process_read_file(p, path, FILE_MAX, &file);
	if (error && error != -ENOENT)
		return error;
	rest = text_slice(&file);
	while (slice_next(&rest, '\n', &text)) {
		process_step(p);
		if (name && !done && is_called(text, name)) {
			if (line)
				add_line(p, &out, line);
			done = true;
			continue;
		}
		text_add(p, &out, text);
		text_add_byte(p, &out, '\n');
	}
	if (line && !done)
		add_line(p, &out, line);
	int descriptor = process_open(p, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (descriptor >= 0) {
		ssize_t written = process_write(p, descriptor, text_slice(&out));
		error = written < 0 ? (int)written : 0;
		process_close(p, descriptor);
	} else {
		error = descriptor;
	}
	process_give(p, file.data);
	process_give(p, out.data);
	return error;
}

int accounts_put(struct process *p, const char *path, const char *name,
		 const struct account_line *line)
{
	return change(p, path, name, line);
}

int accounts_drop(struct process *p, const char *path, const char *name)
{
	return change(p, path, name, NULL);
}

#define SYSTEM_MAX 999
#define NORMAL_MIN 1000
#define NORMAL_MAX 60000

/* Marks the numbers of a file that are below `most`; returns the highest normal one, or 0. */
static unsigned mark_used(struct process *p, const char *path, bool *used, unsigned most)
{
	struct account_line line;
	struct text file = {0};
	struct slice rest, text;
	unsigned highest = 0;
	if (process_read_file(p, path, FILE_MAX, &file) != 0)
		return 0;
	rest = text_slice(&file);
	while (slice_next(&rest, '\n', &text)) {
		split(p, text, &line);
		unsigned long number = strtoul(line.fields[2], NULL, 10);
		if (number < most)
			used[number] = true;
		if (number >= NORMAL_MIN && number < NORMAL_MAX && number > highest)
			highest = (unsigned)number;
		process_step(p);
	}
	process_give(p, file.data);
	return highest;
}

unsigned accounts_free_number(struct process *p, const char *path, unsigned first)
{
	bool *used = process_take(p, NORMAL_MIN);
	unsigned highest = mark_used(p, path, used, NORMAL_MIN);
	unsigned free = highest ? highest + 1 : NORMAL_MIN;
	if (first < NORMAL_MIN)
		for (free = SYSTEM_MAX; free > first && used[free];)
			free--;
	process_give(p, used);
	return free;
}

unsigned accounts_free_pair(struct process *p, unsigned first, bool groups)
{
	bool *used = process_take(p, NORMAL_MAX);
	(void)mark_used(p, ACCOUNTS_USERS, used, NORMAL_MAX);
	if (groups)
		(void)mark_used(p, ACCOUNTS_GROUPS, used, NORMAL_MAX);
	while (first < NORMAL_MAX - 1 && used[first])
		first++;
	process_give(p, used);
	return first;
}

/* --- members --- */

bool accounts_is_member(const char *members, const char *name)
{
	struct slice rest = slice_text(members), part;
	while (slice_next(&rest, ',', &part))
		if (slice_is(part, name))
			return true;
	return false;
}

char *accounts_add_member(struct process *p, const char *members, const char *name)
{
	return process_format(p, "%s%s%s", members, *members ? "," : "", name);
}

char *accounts_drop_member(struct process *p, const char *members, const char *name)
{
	struct slice rest = slice_text(members), part;
	struct text out = {0};
	text_add_words(p, &out, "");
	while (slice_next(&rest, ',', &part)) {
		if (slice_is(part, name))
			continue;
		if (out.length)
			text_add_byte(p, &out, ',');
		text_add(p, &out, part);
	}
	return process_copy_slice(p, text_slice(&out));
}

void accounts_identity(struct process *p, const struct machine_account *account,
		       struct process_identity *identity)
{
	struct text file = {0};
	struct slice rest, text;
	unsigned *groups = process_take(p, GROUPS_MAX * sizeof(*groups));
	size_t count = 0;
	groups[count++] = account->gid;
	if (process_read_file(p, ACCOUNTS_GROUPS, FILE_MAX, &file) == 0) {
		rest = text_slice(&file);
		while (count < GROUPS_MAX && slice_next(&rest, '\n', &text)) {
			struct account_line line;
			split(p, text, &line);
			unsigned gid = (unsigned)strtoul(line.fields[GROUP_ID], NULL, 10);
			if (gid != account->gid &&
			    accounts_is_member(line.fields[GROUP_MEMBERS], account->name))
				groups[count++] = gid;
			process_step(p);
		}
	}
	process_give(p, file.data);
	*identity = (struct process_identity){.uid = account->uid,
					      .gid = account->gid,
					      .effective_uid = account->uid,
					      .effective_gid = account->gid,
					      .groups = groups,
					      .group_count = count};
}

/* --- passwords --- */

/* Not yescrypt itself, which takes memory and time by design: a digest that looks like it. */
static void make_digest(const char *salt, const char *password, char digest[DIGEST_LENGTH + 1])
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint8_t bytes[SHA256_LENGTH];
	struct hash *hash = hash_sha256();
	memset(digest, '.', DIGEST_LENGTH);
	digest[DIGEST_LENGTH] = '\0';
	if (!hash)
		return;
	hash_add(hash, slice_of(salt, SALT_LENGTH));
	hash_add(hash, slice_text(password));
	hash_finish(hash, bytes);
	hash_free(hash);
	for (size_t i = 0, bit = 0; i < DIGEST_LENGTH; i++, bit += 6) {
		unsigned value = (unsigned)bytes[bit / 8] >> (bit % 8);
		if (bit % 8 > 2 && bit / 8 + 1 < sizeof(bytes))
			value |= (unsigned)bytes[bit / 8 + 1] << (8 - bit % 8);
		digest[i] = alphabet[value & 63];
	}
}

char *accounts_hash(struct process *p, const char *password)
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char salt[SALT_LENGTH + 1], digest[DIGEST_LENGTH + 1];
	process_random(p, salt, SALT_LENGTH);
	for (size_t i = 0; i < SALT_LENGTH; i++)
		salt[i] = alphabet[(unsigned char)salt[i] & 63];
	/* The last letter holds two bits of a 128-bit salt. */
	salt[SALT_LENGTH - 1] = alphabet[(unsigned char)salt[0] & 3];
	salt[SALT_LENGTH] = '\0';
	make_digest(salt, password, digest);
	return process_format(p, HASH_PREFIX "%s$%s", salt, digest);
}

bool accounts_matches(const char *hash, const char *password)
{
	char digest[DIGEST_LENGTH + 1];
	size_t prefix = strlen(HASH_PREFIX);
	if (strlen(hash) != prefix + SALT_LENGTH + 1 + DIGEST_LENGTH ||
	    memcmp(hash, HASH_PREFIX, prefix) != 0)
		return false;
	make_digest(hash + prefix, password, digest);
	return memcmp(hash + prefix + SALT_LENGTH + 1, digest, DIGEST_LENGTH) == 0;
}

long accounts_today(struct process *p)
{
	return (long)(process_now(p) / 1000000 / 86400);
}

int accounts_set_password(struct process *p, const char *name, const char *hash)
{
	struct account_line line;
	if (!accounts_find(p, ACCOUNTS_SHADOW, name, &line)) {
		line = (struct account_line){.count = 9};
		static const char *const usual[] = {"", "", "", "0", "99999", "7", "", "", ""};
		for (size_t i = 0; i < ACCOUNTS_FIELDS; i++)
			line.fields[i] = (char *)usual[i];
		line.fields[SHADOW_NAME] = process_copy_text(p, name);
	}
	line.fields[SHADOW_PASSWORD] = process_copy_text(p, hash);
	line.fields[SHADOW_CHANGED] = process_format(p, "%ld", accounts_today(p));
	return accounts_put(p, ACCOUNTS_SHADOW, name, &line);
}

char *accounts_ask_on(struct process *p, int from, int to, const char *prompt, bool echo)
{
	struct terminal_modes *modes = process_terminal(p, from);
	uint32_t before = modes ? modes->local : 0;
	enum signal_action action = process_signal_action(p, SIGINT);
	char *line = process_take(p, PASSWORD_MAX);
	size_t length = 0;
	bool ended = false, broken = false;
	process_flush(p);
	if (to >= 0)
		(void)process_write(p, to, slice_text(prompt));
	if (modes && !echo) {
		modes->local &= ~(uint32_t)(TERMINAL_ECHO | TERMINAL_ECHONL);
		process_on_signal(p, SIGINT, SIGNAL_CAUGHT);
	}
	for (char byte; length < PASSWORD_MAX - 1; line[length++] = byte) {
		ssize_t count = process_read(p, from, &byte, 1);
		broken = count == -EINTR;
		ended = count <= 0 && length == 0;
		if (count <= 0 || byte == '\n')
			break;
	}
	line[length] = '\0';
	if (modes && !echo) {
		modes->local = before;
		process_on_signal(p, SIGINT, action);
		if (to >= 0)
			(void)process_write(p, to, SLICE("\n"));
	}
	if (broken)
		process_exit(p, 130);
	if (ended) {
		process_give(p, line);
		return NULL;
	}
	process_report_input(p, slice_of(line, length));
	return line;
}

char *accounts_ask(struct process *p, const char *prompt, bool echo)
{
	return accounts_ask_on(p, 0, 2, prompt, echo);
}

int accounts_change_password(struct process *p, const char *name)
{
	for (int tries = 0; tries < 3; tries++) {
		char *first = accounts_ask(p, "New password: ", false);
		char *second = first ? accounts_ask(p, "Retype new password: ", false) : NULL;
		if (!second) {
			process_error(p, "Password change has been aborted.\n");
			return -1;
		}
		if (strcmp(first, second) != 0) {
			process_error(p, "Sorry, passwords do not match.\n");
			return -1;
		}
		if (*first == '\0') {
			process_error(p, "No password has been supplied.\n");
			continue;
		}
		return accounts_set_password(p, name, accounts_hash(p, first)) ? -1 : 0;
	}
	return -1;
}

/* --- running as another user --- */

static int run_child(struct process *p, int argc, char **argv)
{
	const struct accounts_run *run = process_handed_over(p);
	struct process_identity identity;
	accounts_identity(p, run->account, &identity);
	process_become(p, &identity);
	if (run->folder)
		(void)process_change_folder(p, run->folder);
	int error = process_execute(p, run->path, argv, p->environment);
	process_error(p, "%s: %s: %s\n", p->parent ? p->parent->name : "su", run->path,
		      strerror(-error));
	return error == -ENOENT ? 127 : 126;
}

int accounts_run(struct process *p, const struct accounts_run *run)
{
	int count = 0, status = 0;
	while (run->argv[count])
		count++;
	const struct process_start start = {.name = p->name,
					    .run = run_child,
					    .argc = count,
					    .argv = run->argv,
					    .environment = run->environment,
					    .hand_over = (void *)run};
	process_flush(p);
	process_on_signal(p, SIGINT, SIGNAL_IGNORED);
	process_on_signal(p, SIGQUIT, SIGNAL_IGNORED);
	int pid = process_spawn(p, &start);
	if (pid < 0) {
		process_complain(p, "cannot fork: %s", strerror(-pid));
		return 1;
	}
	while (process_wait(p, pid, 0, &status) == -EINTR)
		;
	if ((status & 0x7f) != 0)
		return 128 + (status & 0x7f);
	return (status >> 8) & 0xff;
}

/* --- adding and removing --- */

void accounts_add_group(struct process *p, const char *name, unsigned gid, const char *members)
{
	struct account_line group = {.count = 4}, shadow = {.count = 4};
	group.fields[0] = shadow.fields[0] = process_copy_text(p, name);
	group.fields[1] = (char *)"x";
	group.fields[2] = process_format(p, "%u", gid);
	group.fields[3] = shadow.fields[3] = process_copy_text(p, members);
	shadow.fields[1] = (char *)"!";
	shadow.fields[2] = (char *)"";
	(void)accounts_put(p, ACCOUNTS_GROUPS, NULL, &group);
	(void)accounts_put(p, ACCOUNTS_GSHADOW, NULL, &shadow);
	command_forget_accounts(p);
}

void accounts_make_home(struct process *p, const struct accounts_new_user *user)
{
	struct folder_entry *entries;
	if (process_make_folder(p, user->home, user->home_mode) != 0)
		return;
	(void)process_change_mode(p, user->home, user->home_mode);
	(void)process_change_owner(p, user->home, false, user->uid, user->gid);
	ssize_t count = process_list(p, "/etc/skel", &entries);
	for (ssize_t i = 0; i < count; i++) {
		char *from = process_format(p, "/etc/skel/%s", entries[i].name);
		char *to = process_format(p, "%s/%s", user->home, entries[i].name);
		struct file_status status;
		process_step(p);
		if (process_stat(p, from, false, &status) != 0 || !S_ISREG(status.mode))
			continue;
		if (process_clone_file(p, from, to, status.mode & 07777) != 0)
			continue;
		(void)process_change_owner(p, to, false, user->uid, user->gid);
		(void)process_change_times(p, to, false, status.accessed, status.modified);
	}
}

void accounts_add_user(struct process *p, const struct accounts_new_user *user)
{
	struct account_line line = {.count = 7}, shadow = {.count = 9};
	line.fields[USER_NAME] = shadow.fields[0] = process_copy_text(p, user->name);
	line.fields[USER_PASSWORD] = (char *)"x";
	line.fields[USER_ID] = process_format(p, "%u", user->uid);
	line.fields[USER_GROUP] = process_format(p, "%u", user->gid);
	line.fields[USER_GECOS] = process_copy_text(p, user->gecos);
	line.fields[USER_HOME] = process_copy_text(p, user->home);
	line.fields[USER_SHELL] = process_copy_text(p, user->shell);
	shadow.fields[SHADOW_PASSWORD] = process_copy_text(p, user->password);
	shadow.fields[SHADOW_CHANGED] = process_format(p, "%ld", accounts_today(p));
	static const char *const usual[] = {"0", "99999", "7", "", "", ""};
	for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
		shadow.fields[SHADOW_MINIMUM + i] = (char *)usual[i];
	(void)accounts_put(p, ACCOUNTS_USERS, NULL, &line);
	(void)accounts_put(p, ACCOUNTS_SHADOW, NULL, &shadow);
	if (user->own_group)
		accounts_add_group(p, user->name, user->gid, "");
	if (user->make_home)
		accounts_make_home(p, user);
	command_forget_accounts(p);
}

static void leave_groups(struct process *p, const char *path, const char *name)
{
	struct text file = {0};
	struct slice rest, text;
	if (process_read_file(p, path, FILE_MAX, &file) != 0)
		return;
	rest = text_slice(&file);
	while (slice_next(&rest, '\n', &text)) {
		struct account_line line;
		split(p, text, &line);
		process_step(p);
		if (line.count < 4 || !accounts_is_member(line.fields[GROUP_MEMBERS], name))
			continue;
		line.fields[GROUP_MEMBERS] =
			accounts_drop_member(p, line.fields[GROUP_MEMBERS], name);
		(void)accounts_put(p, path, line.fields[0], &line);
	}
	process_give(p, file.data);
}

void accounts_drop_user(struct process *p, const char *name)
{
	struct account_line group;
	leave_groups(p, ACCOUNTS_GROUPS, name);
	leave_groups(p, ACCOUNTS_GSHADOW, name);
	if (accounts_find(p, ACCOUNTS_GROUPS, name, &group) &&
	    group.fields[GROUP_MEMBERS][0] == '\0') {
		(void)accounts_drop(p, ACCOUNTS_GROUPS, name);
		(void)accounts_drop(p, ACCOUNTS_GSHADOW, name);
	}
	(void)accounts_drop(p, ACCOUNTS_USERS, name);
	(void)accounts_drop(p, ACCOUNTS_SHADOW, name);
	command_forget_accounts(p);
}

void accounts_join(struct process *p, const char *user, const char *group)
{
	static const char *const paths[] = {ACCOUNTS_GROUPS, ACCOUNTS_GSHADOW};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		struct account_line line;
		if (!accounts_find(p, paths[i], group, &line) ||
		    accounts_is_member(line.fields[GROUP_MEMBERS], user))
			continue;
		if (line.count < 4)
			line.count = 4;
		line.fields[GROUP_MEMBERS] =
			accounts_add_member(p, line.fields[GROUP_MEMBERS], user);
		(void)accounts_put(p, paths[i], group, &line);
	}
	command_forget_accounts(p);
}

void accounts_remove_tree(struct process *p, const char *path, unsigned depth)
{
	struct file_status status;
	struct folder_entry *entries;
	if (process_stat(p, path, false, &status) != 0)
		return;
	process_step(p);
	if (!S_ISDIR(status.mode)) {
		(void)process_unlink(p, path);
		return;
	}
	ssize_t count = depth < TREE_DEPTH ? process_list(p, path, &entries) : 0;
	for (ssize_t i = 0; i < count; i++) {
		if (strcmp(entries[i].name, ".") == 0 || strcmp(entries[i].name, "..") == 0)
			continue;
		char *below = process_format(p, "%s/%s", path, entries[i].name);
		accounts_remove_tree(p, below, depth + 1);
		process_give(p, below);
	}
	(void)process_remove_folder(p, path);
}
