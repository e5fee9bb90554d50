/* Redirections: of this process, with a way back, or of a child's table. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/outside.h"
#include "decoy/machine/host.h"
#include "decoy/machine/shell/state.h"

#define HIDDEN_LOWEST 10

int redirect_hide(struct shell *shell, int descriptor)
{
	int copy = process_duplicate_above(shell->process, descriptor, HIDDEN_LOWEST);

	if (copy >= 0 && copy < 64)
		shell->hidden_descriptors |= (uint64_t)1 << copy;
	return copy;
}

void redirect_close_hidden(struct shell *shell, int descriptor)
{
	if (descriptor < 0)
		return;
	process_close(shell->process, descriptor);
	if (descriptor < 64)
		shell->hidden_descriptors &= ~((uint64_t)1 << descriptor);
}

static bool reads(enum redirection_kind kind)
{
	return kind == REDIRECT_READ || kind == REDIRECT_FROM || kind == REDIRECT_HERE ||
	       kind == REDIRECT_HERE_TABS || kind == REDIRECT_HERE_STRING || kind == REDIRECT_BOTH;
}

static void complain(struct shell *shell, enum redirection_kind kind, const char *name, int error)
{
	bool dash = shell_has(shell, SHELL_DASH), creates = !reads(kind);

	if (shell_has(shell, SHELL_BASH)) {
		message_say(shell, "%s: %s", name, strerror(-error));
		return;
	}
	if (error == -ENOENT)
		message_say(shell,
			    dash ? (creates ? "cannot create %s: Directory nonexistent"
					    : "cannot open %s: No such file")
				 : (creates ? "can't create %s: nonexistent directory"
					    : "can't open %s: no such file"),
			    name);
	else
		message_say(shell,
			    dash ? (creates ? "cannot create %s: %s" : "cannot open %s: %s")
				 : (creates ? "can't create %s: %s" : "can't open %s: %s"),
			    name, strerror(-error));
}

static bool is_own_address(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "localhost") || !strcmp(host, "::1") ||
	       !strcmp(host, "0");
}

/* bash's errors of the system's calls have no line number. */
static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* /dev/tcp/host/port: outbound is filtered, so it takes its time and fails; nothing is sent. */
static int open_network(struct shell *shell, const char *path)
{
	const char *host = path + 9, *slash = strchr(host, '/');
	bool udp = path[5] == 'u';
	struct text url = {0};
	char *name;
	const char *error = "Connection timed out";
	bool numeric;

	if (!slash || slash == host || !slash[1])
		return process_open(shell->process, path, O_RDWR, 0);
	name = pool_text(shell->scratch, slice_of(host, (size_t)(slash - host)));
	numeric = strspn(name, "0123456789.") == strlen(name) || strchr(name, ':');
	text_format(shell->process, &url, "%s://%s:%s", udp ? "udp" : "tcp", name, slash + 1);
	output_flush(shell);
	if (udp && numeric) {
		process_report_download(shell->process, text_slice(&url), NULL);
		process_give(shell->process, url.data);
		return process_open(shell->process, "/dev/null", O_RDWR, 0);
	}
	/* The host's own services greet whoever comes. */
	if (is_own_address(name) && !udp) {
		unsigned port = (unsigned)strtoul(slash + 1, NULL, 10) & 0xffff;
		struct outside_place place;

		if (outside_resolve_now(shell->process, name, &place) == OUTSIDE_FOUND &&
		    outside_connect_now(shell->process, &place.address, port, false) == 0) {
			process_give(shell->process, url.data);
			return process_here(shell->process,
					    slice_text(outside_greeting(shell->process, port)));
		}
	}
	if (is_own_address(name))
		error = "Connection refused";
	else if (!numeric)
		error = "Temporary failure in name resolution";
	process_report_download(shell->process, text_slice(&url), error);
	process_give(shell->process, url.data);
	if (!numeric && !is_own_address(name)) {
		if (process_sleep(shell->process, (int64_t)20 * 1000000))
			message_say(shell, "%s: %s", name, error);
		message_say(shell, "%s: Invalid argument", path);
		return -ECHRNG; /* told */
	}
	if (error[11] == 't' && !process_sleep(shell->process, (int64_t)131 * 1000000))
		return -EINTR;
	process_error(shell->process, "%s: connect: %s\n", last_part(shell->called), error);
	return error[11] == 't' ? -ETIMEDOUT : -ECONNREFUSED;
}

static int open_file(struct shell *shell, const struct redirection *redirection, const char *name)
{
	struct file_status status;
	int flags = 0, result;

	if (shell_has(shell, SHELL_BASH) &&
	    (!strncmp(name, "/dev/tcp/", 9) || !strncmp(name, "/dev/udp/", 9)))
		return open_network(shell, name);
	switch (redirection->kind) {
	case REDIRECT_READ:
		flags = O_RDONLY;
		break;
	case REDIRECT_APPEND:
	case REDIRECT_APPEND_ALL:
		flags = O_WRONLY | O_CREAT | O_APPEND;
		break;
	case REDIRECT_BOTH:
		flags = O_RDWR | O_CREAT;
		break;
	default:
		flags = O_WRONLY | O_CREAT | O_TRUNC;
		if (redirection->kind != REDIRECT_CLOBBER &&
		    shell_option_is(shell, SET_NOCLOBBER) &&
		    process_stat(shell->process, name, true, &status) == 0 && S_ISREG(status.mode))
			return -EEXIST;
	}
	if (shell->restricted && flags != O_RDONLY) {
		message_say(shell, "%s: restricted: cannot redirect output", name);
		return -ECHRNG;
	}
	output_flush(shell);
	result = process_open(shell->process, name, flags, 0666);
	return result;
}

/* The one file that the target names; NULL: told. */
static const char *target_name(struct shell *shell, const struct redirection *redirection)
{
	struct fields fields = {0};

	if (!shell_has(shell, SHELL_BASH))
		return expand_single(shell, redirection->target.text, EXPAND_SINGLE);
	if (expand_word(shell, &redirection->target, &fields) < 0)
		return NULL;
	if (fields.count != 1) {
		message_say(shell, "%s: ambiguous redirect", redirection->target.text);
		return NULL;
	}
	return fields.at[0];
}

/* Where a redirection's bytes come from or go to. */
struct source {
	int descriptor; /* -1: closed */
	bool opened;    /* anew: to be closed when it was put in its place */
	bool moved;     /* n>&m-: m is closed after */
	bool all;       /* standard error, too */
};

static int here_text(struct shell *shell, const struct redirection *redirection,
		     struct source *source)
{
	struct text text = {0};
	const char *body = redirection->here;

	if (redirection->kind == REDIRECT_HERE_STRING) {
		body = expand_single(shell, redirection->target.text, EXPAND_SINGLE);
		if (!body)
			return -1;
		text_add_words(shell->process, &text, body);
		text_add_byte(shell->process, &text, '\n');
		source->descriptor = process_here(shell->process, text_slice(&text));
		process_give(shell->process, text.data);
	} else {
		if (!redirection->here_plain)
			body = expand_single(shell, body,
					     EXPAND_HERE | EXPAND_SINGLE | EXPAND_QUOTED);
		if (!body)
			return -1;
		source->descriptor = process_here(shell->process, slice_text(body));
	}
	source->opened = true;
	return source->descriptor < 0 ? -1 : 0;
}

static int duplicate(struct shell *shell, const struct redirection *redirection,
		     struct source *source)
{
	const char *name = target_name(shell, redirection);
	size_t length = name ? strlen(name) : 0;

	if (!name)
		return -1;
	if (!strcmp(name, "-"))
		return 0; /* descriptor -1 */
	if (length && isdigit((uint8_t)name[0]) &&
	    strspn(name, "0123456789") + (name[length - 1] == '-') == length && length < 6) {
		source->descriptor = (int)strtol(name, NULL, 10);
		source->moved = name[length - 1] == '-';
		return 0;
	}
	if (redirection->kind == REDIRECT_TO && shell_has(shell, SHELL_BASH | SHELL_ASH) &&
	    redirection->descriptor < 0) {
		int result = open_file(shell, redirection, name);

		if (result < 0) {
			complain(shell, redirection->kind, name, result);
			return -1;
		}
		source->descriptor = result;
		source->opened = source->all = true;
		return 0;
	}
	if (shell_has(shell, SHELL_BASH))
		message_say(shell, "%s: ambiguous redirect", redirection->target.text);
	else
		message_say(shell, shell_has(shell, SHELL_DASH) ? "Syntax error: Bad fd number"
								: "syntax error: bad fd number");
	return -1;
}

static int find_source(struct shell *shell, const struct redirection *redirection,
		       struct source *source)
{
	const char *name;
	int result;

	*source = (struct source){.descriptor = -1};
	switch (redirection->kind) {
	case REDIRECT_HERE:
	case REDIRECT_HERE_TABS:
	case REDIRECT_HERE_STRING:
		return here_text(shell, redirection, source);
	case REDIRECT_FROM:
	case REDIRECT_TO:
		return duplicate(shell, redirection, source);
	default:
		break;
	}
	name = target_name(shell, redirection);
	if (!name)
		return -1;
	result = open_file(shell, redirection, name);
	if (result == -EEXIST) {
		message_say(shell,
			    shell_has(shell, SHELL_BASH)   ? "%s: cannot overwrite existing file"
			    : shell_has(shell, SHELL_DASH) ? "cannot create %s: File exists"
							   : "can't create %s: File exists",
			    name);
		return -1;
	}
	if (result < 0) {
		if (result != -ECHRNG && result != -EINTR)
			complain(shell, redirection->kind, name, result);
		return -1;
	}
	source->descriptor = result;
	source->opened = true;
	source->all = redirection->kind == REDIRECT_ALL || redirection->kind == REDIRECT_APPEND_ALL;
	return 0;
}

static int target_of(const struct redirection *redirection)
{
	if (redirection->descriptor >= 0)
		return redirection->descriptor;
	return reads(redirection->kind) ? 0 : 1;
}

static bool is_open(struct shell *shell, int descriptor)
{
	struct file_status status;

	if (descriptor >= 0 && descriptor < 64 && (shell->hidden_descriptors >> descriptor & 1))
		return false;
	return process_status_of(shell->process, descriptor, &status) != -EBADF;
}

static void bad_descriptor(struct shell *shell, int descriptor)
{
	message_say(shell, "%d: Bad file descriptor", descriptor);
}

static int put(struct shell *shell, int from, int to, struct redirections *undo, bool keep)
{
	if (!keep) {
		struct saved_descriptor *saved;

		if (undo->count == REDIRECTIONS_SAVED)
			return -1;
		saved = &undo->saved[undo->count++];
		saved->descriptor = to;
		saved->copy = from == to ? -1 : redirect_hide(shell, to);
		if (saved->copy < 0)
			saved->copy = -1;
	}
	if (to == 1)
		output_flush(shell);
	if (from < 0)
		process_close(shell->process, to);
	else if (process_duplicate(shell->process, from, to) < 0)
		return -1;
	return 0;
}

/* {name}>: a descriptor from 10 on, kept; its number in the variable. */
static int put_variable(struct shell *shell, const struct redirection *redirection,
			const struct source *source)
{
	int made;

	if (source->descriptor < 0) {
		const char *value = variables_get(shell, redirection->variable);
		int64_t number;

		if (value && builtin_number(value, &number) == 0 && number > 2)
			process_close(shell->process, (int)number);
		return 0;
	}
	made = process_duplicate_above(shell->process, source->descriptor, HIDDEN_LOWEST);
	if (made < 0)
		return -1;
	return variables_set_number(shell, redirection->variable, made);
}

static int apply_one(struct shell *shell, const struct redirection *redirection,
		     struct redirections *undo, bool keep)
{
	struct source source;
	int target = target_of(redirection), result = 0;

	if (find_source(shell, redirection, &source) < 0)
		return -1;
	if (!source.opened && source.descriptor >= 0 && !is_open(shell, source.descriptor)) {
		bad_descriptor(shell, source.descriptor);
		return -1;
	}
	if (!source.opened && source.descriptor == target && !redirection->variable)
		return 0;
	if (redirection->variable) {
		result = put_variable(shell, redirection, &source);
	} else if (target >= MACHINE_DESCRIPTORS_MAX - 32) {
		bad_descriptor(shell, target);
		result = -1;
	} else {
		result = put(shell, source.descriptor, target, undo, keep);
		if (source.all && result == 0)
			result = put(shell, source.descriptor, 2, undo, keep);
	}
	if ((source.opened && source.descriptor != target) || source.moved)
		process_close(shell->process, source.descriptor);
	return result;
}

int redirect_apply(struct shell *shell, const struct redirection *list, struct redirections *undo,
		   bool keep)
{
	undo->count = undo->opened_count = 0;
	for (; list; list = list->next)
		if (apply_one(shell, list, undo, keep) < 0) {
			redirect_undo(shell, undo);
			return -1;
		}
	return 0;
}

void redirect_undo(struct shell *shell, struct redirections *undo)
{
	while (undo->count) {
		struct saved_descriptor *saved = &undo->saved[--undo->count];

		if (saved->descriptor == 1)
			output_flush(shell);
		if (saved->copy >= 0) {
			process_duplicate(shell->process, saved->copy, saved->descriptor);
			redirect_close_hidden(shell, saved->copy);
		} else if (saved->copy == -1) {
			process_close(shell->process, saved->descriptor);
		}
	}
}

size_t launch_descriptors(struct shell *shell, int *map)
{
	for (int i = 0; i < 64; i++)
		map[i] = shell->hidden_descriptors >> i & 1 ? -1 : i;
	return 40;
}

int redirect_map(struct shell *shell, const struct redirection *list, struct redirect_table *table)
{
	table->opened_count = 0;
	table->count = launch_descriptors(shell, table->map);
	for (; list; list = list->next) {
		struct source source;
		int target = target_of(list), from;

		if (find_source(shell, list, &source) < 0)
			goto failed;
		from = source.descriptor;
		if (source.opened) {
			if (table->opened_count == REDIRECTIONS_SAVED) {
				process_close(shell->process, from);
				goto failed;
			}
			table->opened[table->opened_count++] = from;
			/* the child has it only where it was put */
			if (from < 64)
				table->map[from] = from == target ? from : -1;
		} else if (from >= 0) {
			int through = from < (int)table->count ? table->map[from] : -1;

			if (shell->coprocess.pid &&
			    (from == shell->coprocess.ends[0] || from == shell->coprocess.ends[1]))
				through = from;

			if (through < 0 || !is_open(shell, through)) {
				bad_descriptor(shell, from);
				goto failed;
			}
			if (source.moved && from < (int)table->count)
				table->map[from] = -1;
			from = through;
		}
		if (list->variable) {
			if (put_variable(shell, list, &source) < 0)
				goto failed;
			continue;
		}
		if (target >= (int)ARRAY_COUNT(table->map)) {
			bad_descriptor(shell, target);
			goto failed;
		}
		table->map[target] = from;
		if (source.all)
			table->map[2] = from;
		if (target >= (int)table->count)
			table->count = (size_t)target + 1;
	}
	return 0;
failed:
	redirect_close(shell, table);
	return -1;
}

void redirect_close(struct shell *shell, struct redirect_table *table)
{
	while (table->opened_count)
		process_close(shell->process, table->opened[--table->opened_count]);
}
