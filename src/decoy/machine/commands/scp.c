/* scp: the side that sshd starts (`scp -t` takes files, `scp -f` gives them) with the copy protocol
 * of rcp as OpenSSH 9.2 speaks it, and the client's words for a host that is out of reach.
 *
 * A message is one byte: 0 (well), or 1 and a line (an error, go on). `C0644 SIZE NAME` announces a
 * file, `D0755 0 NAME` ... `E` a folder, `T` the times of what comes next.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"

#define LINE_MAX_LENGTH 2048
#define COPY_LENGTH     4096
#define DEPTH_MAX       64 /* folders within each other; PATH_MAX ends it earlier on a real host */
#define MODE_MASK       07777u
#define NAME_CUT        1024 /* "%.1024s" of a folder's name */

struct copy {
	struct process *process;
	bool times, recursive, folder_wanted, verbose;
	unsigned errors;
	bool noted; /* an error of the file at hand went out already */
};

/* What the T line said. */
struct times {
	bool set;
	int64_t accessed, modified;
};

static const char usage_text[] =
	"usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n"
	"           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n"
	"           [-P port] [-S program] [-X sftp_option] source ... target\n";

static void answer(struct copy *copy, struct slice bytes)
{
	(void)process_write(copy->process, 1, bytes);
}

static void answer_well(struct copy *copy)
{
	answer(copy, slice_of("", 1));
}

PRINTF(2, 3)
static void answer_error(struct copy *copy, const char *format, ...)
{
	char words[LINE_MAX_LENGTH];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	struct text line = {0};
	text_add_words(copy->process, &line, "\1scp: ");
	text_add_words(copy->process, &line, words);
	text_add_byte(copy->process, &line, '\n');
	answer(copy, text_slice(&line));
	process_give(copy->process, line.data);
	copy->errors++;
}

_Noreturn static void broken(struct copy *copy, const char *why)
{
	answer_error(copy, "protocol error: %s", why);
	process_exit(copy->process, 1);
}

static bool read_byte(struct copy *copy, char *byte)
{
	return process_read(copy->process, 0, byte, 1) == 1;
}

/* The peer's word on what was sent: 0 well, -1 an error that it told. Ends when it is gone. */
static int response(struct copy *copy)
{
	char first, byte;
	if (!read_byte(copy, &first))
		process_exit(copy->process, 1);
	if (first == 0)
		return 0;
	/* Anything else is text of an error up to the line's end. */
	size_t length = 1;
	do {
		if (!read_byte(copy, &byte))
			process_exit(copy->process, 1);
	} while (++length < LINE_MAX_LENGTH && byte != '\n');
	copy->errors++;
	if (first == 1)
		return -1;
	process_exit(copy->process, 1);
}

/* --- taking: scp -t --- */

/* A control line with its newline; false: the peer is done. */
static bool read_line(struct copy *copy, char line[LINE_MAX_LENGTH])
{
	size_t length = 0;
	char byte;
	if (!read_byte(copy, &byte))
		return false;
	if (byte == '\n')
		broken(copy, "unexpected <newline>");
	line[length++] = byte;
	do {
		if (!read_byte(copy, &byte))
			broken(copy, "lost connection");
		line[length++] = byte;
	} while (length < LINE_MAX_LENGTH - 1 && byte != '\n');
	line[length] = '\0';
	if (copy->verbose)
		process_error(copy->process, "Sink: %s", line);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "SECONDS MICROSECONDS" and the end character; what is wrong, or NULL. */
static const char *read_moment(char **at, char end, const char *const words[3], int64_t *moment)
{
	if (!is_digit(**at))
		return words[0];
	unsigned long long seconds = strtoull(*at, at, 10);
	if (**at != ' ')
		return words[1];
	(*at)++;
	long microseconds = strtol(*at, at, 10);
	if (**at != end || microseconds < 0 || microseconds > 999999)
		return words[2];
	(*at)++;
	if (seconds > (unsigned long long)INT64_MAX / 1000000 - 1)
		seconds = 0;
	*moment = (int64_t)seconds * 1000000 + microseconds;
	return NULL;
}

static void read_times(struct copy *copy, char *at, struct times *times)
{
	static const char *const modified[3] = {"mtime.sec not present", "mtime.sec not delimited",
						"mtime.usec not delimited"};
	static const char *const accessed[3] = {"atime.sec not present", "atime.sec not delimited",
						"atime.usec not delimited"};
	const char *wrong = read_moment(&at, ' ', modified, &times->modified);
	if (!wrong)
		wrong = read_moment(&at, '\0', accessed, &times->accessed);
	if (wrong)
		broken(copy, wrong);
	times->set = true;
	answer_well(copy);
}

struct announced {
	bool folder;
	unsigned mode;
	int64_t size;
	char *name;
};

static void read_announcement(struct copy *copy, char *line, bool first,
			      struct announced *announced)
{
	char *at = line;
	if (*at != 'C' && *at != 'D') {
		if (first) {
			answer_error(copy, "%s", line);
			process_exit(copy->process, 1);
		}
		broken(copy, "expected control record");
	}
	*announced = (struct announced){.folder = *at == 'D'};
	for (++at; at < line + 5; at++) {
		if (*at < '0' || *at > '7')
			broken(copy, "bad mode");
		announced->mode = (announced->mode << 3) | (unsigned)(*at - '0');
	}
	if (!copy->times)
		announced->mode &= ~(copy->process->umask | 07000);
	if (*at++ != ' ')
		broken(copy, "mode not delimited");
	if (!is_digit(*at))
		broken(copy, "size not present");
	errno = 0;
	announced->size = strtoll(at, &at, 10);
	if (*at++ != ' ')
		broken(copy, "size not delimited");
	if (announced->size < 0 || errno == ERANGE)
		broken(copy, "size out of range");
	if (*at == '\0' || strchr(at, '/') || strcmp(at, ".") == 0 || strcmp(at, "..") == 0) {
		answer_error(copy, "error: unexpected filename: %s", at);
		process_exit(copy->process, 1);
	}
	announced->name = at;
}

static void note_error(struct copy *copy, const char *path, const char *what, int error)
{
	if (copy->noted)
		return;
	copy->noted = true;
	answer_error(copy, "%s: %s%s", path, what, strerror(-error));
}

/* Bytes of the file; keeps in step with the peer when they cannot be written. */
static void take_bytes(struct copy *copy, int file, const char *path, int64_t size, bool *failed)
{
	struct process *p = copy->process;
	char *buffer = process_take(p, COPY_LENGTH);
	for (int64_t left = size; left > 0;) {
		size_t want = left < COPY_LENGTH ? (size_t)left : COPY_LENGTH;
		ssize_t count = process_read(p, 0, buffer, want);
		if (count <= 0) {
			answer_error(copy, "%s", strerror(EPIPE));
			process_exit(p, 1);
		}
		left -= count;
		process_step(p);
		if (*failed)
			continue;
		ssize_t written = process_write(p, file, slice_of(buffer, (size_t)count));
		if (written != count) {
			note_error(copy, path, "", written < 0 ? (int)written : -EIO);
			*failed = true;
		}
	}
	process_give(p, buffer);
}

static void take_file(struct copy *copy, const char *path, const struct announced *announced,
		      const struct file_status *before, struct times *times)
{
	struct process *p = copy->process;
	bool failed = false;
	/* process_open applies the umask; scp wants to be able to write. */
	int file = process_open(p, path, O_WRONLY | O_CREAT, announced->mode | S_IWUSR);
	if (file < 0) {
		answer_error(copy, "%s: %s", path, strerror(-file));
		return;
	}
	answer_well(copy);
	copy->noted = false;
	take_bytes(copy, file, path, announced->size, &failed);
	if (!failed && (!before || S_ISREG(before->mode))) {
		int error = process_truncate_descriptor(p, file, (uint64_t)announced->size);
		if (error)
			note_error(copy, path, "truncate: ", error);
	}
	unsigned with_write = announced->mode | S_IWUSR;
	int error = 0;
	if (copy->times && (before || announced->mode != with_write))
		error = process_change_mode(p, path, announced->mode);
	else if (!copy->times && !before && announced->mode != with_write)
		error = process_change_mode(p, path, announced->mode & ~p->umask);
	if (error)
		note_error(copy, path, "set mode: ", error);
	process_close(p, file);
	(void)response(copy);
	if (times->set && !failed) {
		times->set = false;
		error = process_change_times(p, path, true, times->accessed, times->modified);
		if (error)
			note_error(copy, path, "set times: ", error);
	}
	if (!copy->noted)
		answer_well(copy);
	copy->noted = false;
}

static void take(struct copy *copy, const char *target, unsigned depth);

/* False: the error went out. */
static void take_folder(struct copy *copy, const char *path, const struct announced *announced,
			const struct file_status *before, struct times *times, unsigned depth)
{
	struct process *p = copy->process;
	bool change_mode = copy->times;
	int error = 0;
	if (!copy->recursive)
		broken(copy, "received directory without -r");
	if (before && !S_ISDIR(before->mode)) {
		error = -ENOTDIR;
	} else if (before) {
		if (copy->times)
			(void)process_change_mode(p, path, announced->mode);
	} else {
		change_mode = true;
		error = process_make_folder(p, path, announced->mode | S_IRWXU);
	}
	if (!error && depth >= DEPTH_MAX)
		error = -ENAMETOOLONG;
	if (error) {
		answer_error(copy, "%s: %s", path, strerror(-error));
		return;
	}
	struct times own = *times;
	times->set = false;
	take(copy, path, depth + 1);
	if (own.set)
		(void)process_change_times(p, path, true, own.accessed, own.modified);
	if (change_mode)
		(void)process_change_mode(p, path, announced->mode);
}

static void take(struct copy *copy, const char *target, unsigned depth)
{
	struct process *p = copy->process;
	struct file_status status;
	struct times times = {0};
	/* A log-in's memory, not its stack: folders nest. */
	char *line = process_take(p, LINE_MAX_LENGTH);
	if (copy->folder_wanted) {
		int error = process_stat(p, target, true, &status);
		if (!error && !S_ISDIR(status.mode))
			error = -ENOTDIR;
		if (error) {
			answer_error(copy, "%s: %s", target, strerror(-error));
			process_exit(p, 1);
		}
	}
	answer_well(copy);
	bool into = process_stat(p, target, true, &status) == 0 && S_ISDIR(status.mode);
	for (bool first = true; read_line(copy, line); first = false) {
		process_step(p);
		if (line[0] == 1 || line[0] == 2) {
			if (line[0] == 2)
				process_exit(p, 1);
			copy->errors++;
			continue;
		}
		if (line[0] == 'E') {
			answer_well(copy);
			break;
		}
		size_t length = strlen(line);
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] == 'T') {
			read_times(copy, line + 1, &times);
			continue;
		}
		struct announced announced;
		read_announcement(copy, line, first, &announced);
		char *path = into ? process_format(p, "%s%s%s", target,
						   strcmp(target, "/") ? "/" : "", announced.name)
				  : process_copy_text(p, target);
		bool there = process_stat(p, path, true, &status) == 0;
		if (announced.folder)
			take_folder(copy, path, &announced, there ? &status : NULL, &times, depth);
		else
			take_file(copy, path, &announced, there ? &status : NULL, &times);
		process_give(p, path);
	}
	process_give(p, line);
}

/* --- giving: scp -f --- */

static int send_times(struct copy *copy, const struct file_status *status)
{
	char *line = process_format(copy->process, "T%llu 0 %llu 0\n",
				    (unsigned long long)(status->modified / 1000000),
				    (unsigned long long)(status->accessed / 1000000));
	if (copy->verbose)
		process_error(copy->process,
			      "File mtime %lld atime %lld\nSending file "
			      "timestamps: %s",
			      (long long)(status->modified / 1000000),
			      (long long)(status->accessed / 1000000), line);
	answer(copy, slice_text(line));
	process_give(copy->process, line);
	return response(copy);
}

static void give(struct copy *copy, const char *name, unsigned depth);

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void give_folder(struct copy *copy, const char *path, const struct file_status *status,
			unsigned depth)
{
	struct process *p = copy->process;
	struct folder_entry *entries;
	ssize_t count = process_list(p, path, &entries);
	if (count < 0) {
		answer_error(copy, "%s: %s", path, strerror((int)-count));
		return;
	}
	if (copy->times && send_times(copy, status) < 0)
		return;
	char *line = process_format(p, "D%04o %d %.*s\n", status->mode & MODE_MASK, 0, NAME_CUT,
				    last_part(path));
	if (copy->verbose)
		process_error(p, "Entering directory: %s", line);
	answer(copy, slice_text(line));
	process_give(p, line);
	if (response(copy) < 0)
		return;
	for (ssize_t i = 0; i < count; i++) {
		if (strcmp(entries[i].name, ".") == 0 || strcmp(entries[i].name, "..") == 0)
			continue;
		if (depth >= DEPTH_MAX) {
			answer_error(copy, "%s/%s: name too long", path, entries[i].name);
			continue;
		}
		char *below = process_format(p, "%s/%s", path, entries[i].name);
		give(copy, below, depth + 1);
		process_give(p, below);
	}
	process_give(p, entries);
	answer(copy, SLICE("E\n"));
	(void)response(copy);
}

static void give_bytes(struct copy *copy, int file, const char *name, uint64_t size)
{
	struct process *p = copy->process;
	char *buffer = process_take(p, COPY_LENGTH);
	int error = 0;
	for (uint64_t left = size; left > 0;) {
		size_t want = left < COPY_LENGTH ? (size_t)left : COPY_LENGTH;
		ssize_t count = error ? -1 : process_read(p, file, buffer, want);
		if (count <= 0) {
			/* The peer expects the bytes all the same. */
			if (!error)
				error = count < 0 ? (int)-count : EIO;
			memset(buffer, 0, want);
			count = (ssize_t)want;
		}
		answer(copy, slice_of(buffer, (size_t)count));
		left -= (uint64_t)count;
		process_step(p);
	}
	process_give(p, buffer);
	if (error)
		answer_error(copy, "%s: %s", name, strerror(error));
	else
		answer_well(copy);
	(void)response(copy);
}

static void give(struct copy *copy, const char *given, unsigned depth)
{
	struct process *p = copy->process;
	struct file_status status;
	char *name = process_copy_text(p, given);
	for (size_t length = strlen(name); length > 1 && name[length - 1] == '/';)
		name[--length] = '\0';
	int file = process_open(p, name, O_RDONLY | O_NONBLOCK, 0);
	int error = file < 0 ? file : process_status_of(p, file, &status);
	if (error) {
		answer_error(copy, "%s: %s", name, strerror(-error));
	} else if (S_ISDIR(status.mode) && copy->recursive) {
		process_close(p, file);
		file = -1;
		give_folder(copy, name, &status, depth);
	} else if (!S_ISREG(status.mode)) {
		answer_error(copy, "%s: not a regular file", name);
	} else if (!copy->times || send_times(copy, &status) == 0) {
		char *line = process_format(p, "C%04o %lld %s\n", status.mode & MODE_MASK,
					    (long long)status.size, last_part(name));
		if (copy->verbose)
			process_error(p, "Sending file modes: %s", line);
		answer(copy, slice_text(line));
		process_give(p, line);
		if (response(copy) == 0)
			give_bytes(copy, file, name, status.size);
	}
	if (file >= 0)
		process_close(p, file);
	process_give(p, name);
}

/* --- the client's side --- */

/* Length of "user@host" of a remote name, or 0. */
static size_t remote_part(const char *name)
{
	if (*name == ':')
		return 0;
	const char *at = name;
	if (strncmp(at, "scp://", 6) == 0) {
		size_t length = strcspn(at + 6, "/");
		return length + 6;
	}
	for (bool bracket = false; *at; at++) {
		if (*at == '[')
			bracket = true;
		else if (*at == ']')
			bracket = false;
		else if (*at == ':' && !bracket)
			return (size_t)(at - name);
		else if (*at == '/')
			return 0;
	}
	return 0;
}

static int copy_here(struct copy *copy, int count, char **names)
{
	struct process *p = copy->process;
	char **argv = process_take(p, sizeof(char *) * (size_t)(count + 5));
	int failed = 0;
	for (int i = 0; i < count - 1; i++) {
		int n = 0;
		argv[n++] = process_copy_text(p, "cp");
		if (copy->recursive)
			argv[n++] = process_copy_text(p, "-r");
		if (copy->times)
			argv[n++] = process_copy_text(p, "-p");
		argv[n++] = process_copy_text(p, "--");
		argv[n++] = names[i];
		argv[n++] = names[count - 1];
		argv[n] = NULL;
		failed |= command_run_program(p, argv, NULL) != 0;
	}
	return failed;
}

static int client(struct copy *copy, int count, char **names, const char *port)
{
	struct process *p = copy->process;
	const char *remote = NULL;
	if (count < 2) {
		process_error(p, "%s", usage_text);
		return 1;
	}
	for (int i = 0; i < count; i++)
		if (remote_part(names[i]) && (!remote || i == count - 1))
			remote = names[i];
	if (!remote)
		return copy_here(copy, count, names);
	if (!remote_part(names[count - 1]) && count > 2) {
		struct file_status status;
		int error = process_stat(p, names[count - 1], true, &status);
		if (!error && !S_ISDIR(status.mode))
			error = -ENOTDIR;
		if (error) {
			process_error(p, "scp: %s: %s\n", names[count - 1], strerror(-error));
			return 1;
		}
	}
	char *place = process_copy_slice(p, slice_of(remote, remote_part(remote)));
	char *skip = strncmp(place, "scp://", 6) == 0 ? place + 6 : place;
	char *url = process_format(p, "scp://%.*s%s", (int)strlen(skip), skip,
				   remote + strlen(place) + (remote[strlen(place)] == ':'));
	outside_ssh(p, skip, port, url, -1);
	process_error(p, "scp: Connection closed\r\n");
	return 255;
}

static int scp_main(struct process *process, int argc, char **argv)
{
	struct copy copy = {.process = process};
	struct option_state state = {0};
	bool gives = false, takes = false;
	const char *port = NULL;
	for (int option;
	     (option = outside_option(process, &state, argc, argv,
				      "12346ABCTdfOpqRrstvD:F:J:M:P:S:c:i:l:o:X:")) != -1;) {
		switch (option) {
		case 'd':
			copy.folder_wanted = true;
			break;
		case 'f':
			gives = true;
			break;
		case 't':
			takes = true;
			break;
		case 'p':
			copy.times = true;
			break;
		case 'r':
			copy.recursive = true;
			break;
		case 'v':
			copy.verbose = true;
			break;
		case 'P':
			port = state.argument;
			break;
		case '?':
			process_error(process, "%s", usage_text);
			return 1;
		default:
			break;
		}
	}
	argc -= state.index;
	argv += state.index;
	if (gives) {
		(void)response(&copy);
		for (int i = 0; i < argc; i++)
			give(&copy, argv[i], 0);
		return copy.errors != 0;
	}
	if (takes) {
		if (argc != 1) {
			answer_error(&copy, "ambiguous target");
			return 1;
		}
		take(&copy, argv[0], 0);
		return copy.errors != 0;
	}
	return client(&copy, argc, argv, port);
}

static const struct command commands[] = {
	{"scp", scp_main, COMMAND_DEBIAN, NULL, NULL},
	{0},
};

const struct command_family command_family_scp = {"scp", commands};
