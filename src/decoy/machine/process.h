/* A process of the fake machine, as the code of a command sees it: POSIX in small.
 *
 * A command is a function like main(). It may wait (read, write, sleep, wait for children): others
 * run meanwhile. It may be ended at any such point and never comes back from it, so it keeps memory
 * only from process_take and files only in its descriptor table; both are given back with the
 * process. Calls that can fail return a negative errno of Linux (-ENOENT); strerror() has the words
 * that glibc's programs print.
 */
#ifndef DECOY_MACHINE_PROCESS_H
#define DECOY_MACHINE_PROCESS_H

#include <errno.h>
#include <signal.h>

#include "base/bytes.h"
#include "decoy/machine/file_system.h"
#include "decoy/machine/machine.h"

struct process;
struct host;
struct shell;
struct command_accounts;

typedef int process_main(struct process *process, int argc, char **argv);

struct process_identity {
	unsigned uid, gid, effective_uid, effective_gid;
	const unsigned *groups;
	size_t group_count;
};

struct process {
	struct machine *machine;
	struct process *parent; /* NULL: the session leader's is the service */
	unsigned pid, group, session;
	const char *name; /* comm: at most 15 letters are shown */
	char **argv;
	int argc;
	char **environment; /* ends with NULL; replaced as a whole by process_set_environment */
	struct process_identity identity;
	unsigned umask;
	int64_t started;     /* wall, microseconds */
	uint64_t cpu;        /* microseconds of processor time that it pretends to have used */
	bool busybox;        /* runs as an applet of BusyBox: its words differ */
	struct shell *shell; /* the shell that this process is, for its own use; else NULL */
	/* command.c's: NULL until it is needed. The rest is process.c's; see process_state.h. */
	struct command_accounts *accounts;
};

/* --- memory: counted for the log-in, given back with the process --- */

/* Never NULL: a process that asks for more than there is ends as on a real host ("Cannot allocate
 * memory", status 1; `short of memory` is told once to the log). Zeroed. */
void *process_take(struct process *process, size_t size);
void *process_retake(struct process *process, void *at, size_t size); /* grown part not zeroed */
void process_give(struct process *process, void *at);                 /* accepts NULL */
char *process_copy_text(struct process *process, const char *text);
char *process_copy_slice(struct process *process, struct slice s); /* NUL-terminated */
char *process_format(struct process *process, const char *format, ...) PRINTF(2, 3);

/* Bytes that grow in the process's memory; zeroed is empty. data is NUL-terminated. */
struct text {
	char *data;
	size_t length, capacity;
};
void text_add(struct process *process, struct text *text, struct slice s);
void text_add_byte(struct process *process, struct text *text, uint8_t byte);
void text_add_words(struct process *process, struct text *text, const char *words);
void text_format(struct process *process, struct text *text, const char *format, ...) PRINTF(3, 4);
void text_vformat(struct process *process, struct text *text, const char *format, va_list arguments)
	PRINTF(3, 0);
static inline struct slice text_slice(const struct text *text)
{
	return slice_of(text->data, text->length);
}
static inline void text_clear(struct text *text)
{
	text->length = 0;
}

/* --- descriptors --- */

/* Bytes read (0: end), or -errno. Waits. Reading the terminal in canonical mode gives a line. */
ssize_t process_read(struct process *process, int descriptor, void *at, size_t size);
/* All of it, or -errno; waits. A pipe without reader ends the process as SIGPIPE does. */
ssize_t process_write(struct process *process, int descriptor, struct slice bytes);
/* Descriptor or -errno; flags and mode as open(2). */
int process_open(struct process *process, const char *path, int flags, unsigned mode);
int process_close(struct process *process, int descriptor);
/* dup2; to -1: the lowest free. */
int process_duplicate(struct process *process, int from, int to);
/* fcntl F_DUPFD: the lowest free from `lowest` on. */
int process_duplicate_above(struct process *process, int from, int lowest);
int process_close_on_execute(struct process *process, int descriptor, bool close);
int process_make_pipe(struct process *process, int ends[2]);
/* A pipe that already holds these bytes, or an unnamed file: for here-documents. Descriptor. */
int process_here(struct process *process, struct slice bytes);
int64_t process_seek(struct process *process, int descriptor, int64_t offset, int whence);
int process_truncate_descriptor(struct process *process, int descriptor, uint64_t size);
int process_status_of(struct process *process, int descriptor, struct file_status *status);
bool process_is_terminal(struct process *process, int descriptor);
/* True when process_read would not wait. */
bool process_has_input(struct process *process, int descriptor);
/* Waits until there is input on the descriptor or the time is over (-1: no limit); true: input. */
bool process_await_input(struct process *process, int descriptor, int64_t microseconds);
/* The file behind a descriptor, or NULL for pipes and terminals. */
const char *process_path_of(struct process *process, int descriptor);

/* Standard output is buffered (4 KiB; flushed before reading standard input, when the process ends,
 * and at each line end on a terminal); standard error is not. */
void process_print(struct process *process, const char *format, ...) PRINTF(2, 3);
void process_put(struct process *process, struct slice bytes);
void process_put_text(struct process *process, const char *text);
void process_put_byte(struct process *process, uint8_t byte);
void process_flush(struct process *process);
/* To standard error as it stands. */
void process_error(struct process *process, const char *format, ...) PRINTF(2, 3);
/* The same, as GNU programs do: "name: ... \n" (name: last part of argv[0]; BusyBox: the applet).
 */
void process_complain(struct process *process, const char *format, ...) PRINTF(2, 3);

/* Lines of a descriptor, however long (up to 1 MiB). */
struct line_reader {
	int descriptor;
	bool ended;
	size_t start, end, capacity;
	char *buffer;
};
void line_reader_open(struct line_reader *reader, int descriptor);
/* The next line without its end; *newline tells whether it had one. False: no more. The slice is
 * valid until the next call, and line.at[line.length] may be written to. */
bool line_reader_next(struct process *process, struct line_reader *reader, struct slice *line,
		      bool *newline);
/* As far as the delimiter in place of the newline (for -z and -d). */
bool line_reader_until(struct process *process, struct line_reader *reader, uint8_t delimiter,
		       struct slice *line, bool *delimited);
/* Everything up to the end (at most limit bytes; -EFBIG beyond), appended to text. */
int process_read_all(struct process *process, int descriptor, size_t limit, struct text *text);
/* A whole file. */
int process_read_file(struct process *process, const char *path, size_t limit, struct text *text);

/* --- files: relative paths start at the working folder; 0 or -errno --- */

int process_stat(struct process *process, const char *path, bool follow,
		 struct file_status *status);
int process_access(struct process *process, const char *path, int mode);
int process_make_folder(struct process *process, const char *path, unsigned mode);
int process_make_node(struct process *process, const char *path, unsigned mode, unsigned device);
int process_unlink(struct process *process, const char *path);
int process_remove_folder(struct process *process, const char *path);
int process_rename(struct process *process, const char *from, const char *to);
int process_link(struct process *process, const char *from, const char *to);
int process_symlink(struct process *process, const char *target, const char *path);
/* Length or -errno; NUL-terminated. */
ssize_t process_readlink(struct process *process, const char *path, char *target, size_t size);
int process_change_mode(struct process *process, const char *path, unsigned mode);
int process_change_owner(struct process *process, const char *path, bool follow, unsigned uid,
			 unsigned gid); /* ~0u: as it is */
int process_change_times(struct process *process, const char *path, bool follow, int64_t accessed,
			 int64_t modified); /* microseconds */
int process_truncate(struct process *process, const char *path, uint64_t size);
/* Copies contents without reading them, so that a copy of a program stays that program. */
int process_clone_file(struct process *process, const char *from, const char *to, unsigned mode);
/* Digests of a file of the image as the real host has it; false: read it and reckon. */
bool process_digests(struct process *process, const char *path, struct file_digests *digests);
/* Names of a folder with . and .., in the order that readdir would give. */
struct folder_entry {
	const char *name;
	uint64_t inode;
	unsigned type; /* S_IFMT part of the mode */
};
/* Count, or -errno; *entries and each name are pieces of the process's memory. */
ssize_t process_list(struct process *process, const char *path, struct folder_entry **entries);
int process_change_folder(struct process *process, const char *path);
/* Absolute path of the working folder. */
const char *process_folder(struct process *process);
/* Canonical absolute path as realpath(3); all but the last part must exist unless `all`. */
int process_real_path(struct process *process, const char *path, bool all, char *real, size_t size);
int process_file_system_status(struct process *process, const char *path,
			       struct file_system_status *status);

/* --- time, randomness, environment --- */

int64_t process_now(struct process *process); /* wall, microseconds */
/* False when a caught signal cut it short. */
bool process_sleep(struct process *process, int64_t microseconds);
/* To be called in every loop that an attacker's input can make long: lets others run when the turn
 * is over, slows a log-in that burns time. Pretends a little processor time. */
void process_step(struct process *process);
void process_random(struct process *process, void *at, size_t length);
uint64_t process_random_number(struct process *process, uint64_t below);
const char *process_environment(struct process *process, const char *name); /* or NULL */
void process_set_environment(struct process *process, char **environment);  /* copied */

/* --- processes --- */

/* How a child starts; it gets copies of everything here and of the parent's descriptors, folder,
 * umask and identity. */
struct process_start {
	const char *name;
	process_main *run;
	int argc;
	char **argv;
	char **environment;     /* NULL: the parent's */
	void *hand_over;        /* comes out of process_handed_over in the child */
	const int *descriptors; /* from the parent: descriptors[i] becomes i; -1 closed. NULL: all
				 * that are not close-on-exec, as they are */
	size_t descriptor_count;
	bool own_group;  /* becomes leader of a new process group ... */
	unsigned group;  /* ... or joins this one; 0: the parent's */
	bool foreground; /* its group becomes the terminal's */
	bool busybox;
};
/* Process id, or -EAGAIN when there are too many. The child runs at the next wait. */
int process_spawn(struct process *process, const struct process_start *start);
void *process_handed_over(struct process *process);
/* Waits for a child (-1: any; 0: any of the own group; -group). Options as waitpid(2). Process id,
 * 0 (WNOHANG), -ECHILD or -EINTR. *status encoded as Linux does (WIFEXITED and so on work). */
int process_wait(struct process *process, int pid, int options, int *status);
/* Ends the calling process, flushed. Never returns. */
_Noreturn void process_exit(struct process *process, int status);
/* kill(2): pid > 0, 0 (own group) or -group. 0, -ESRCH, -EPERM. Processes of the host's story
 * (init, sshd ...) are there too, and a dead one stays dead for the source as long as it is
 * remembered. */
int process_kill(struct process *process, int pid, int signal);
enum signal_action { SIGNAL_DEFAULT, SIGNAL_IGNORED, SIGNAL_CAUGHT };
void process_on_signal(struct process *process, int signal, enum signal_action action);
enum signal_action process_signal_action(struct process *process, int signal);
/* The lowest caught signal that came and was not yet taken, or 0. */
int process_take_signal(struct process *process);
struct process *process_find(struct machine *machine, unsigned pid); /* of this log-in, or NULL */
/* Processes of this log-in, oldest first; for ps. Ends with NULL from the index past the last. */
struct process *process_at(struct machine *machine, size_t index);
/* The parent's id; for the session leader that of the service's process that serves this log-in
 * ("sshd: root@pts/0", parent "sshd: root [priv]"), whose line machine_service tells. */
unsigned process_parent_id(const struct process *process);
struct machine_service {
	const char *name;                    /* sshd, telnetd */
	unsigned pid, privileged_pid;        /* as the user; its root parent (0: none) */
	const char *user, *terminal;         /* who logged in; "pts/0" or "?" / "notty" */
	const struct endpoint *peer, *local; /* of the connection */
	int64_t since;                       /* wall, microseconds */
};
void machine_service(struct machine *machine, struct machine_service *service);
enum process_condition { PROCESS_RUNNING, PROCESS_SLEEPING, PROCESS_STOPPED, PROCESS_ZOMBIE };
enum process_condition process_condition(const struct process *process);
/* Becomes another program: same process, caught signals reset. Never returns when it could start;
 * -errno (ENOENT, EACCES, ENOEXEC ...) when not. argv[0] need not be the path. */
int process_execute(struct process *process, const char *path, char **argv, char **environment);
/* setuid, setgid, setgroups in one; the groups are copied. */
void process_become(struct process *process, const struct process_identity *identity);

/* --- terminal --- */

struct terminal_modes;
struct terminal_modes *process_terminal(struct process *process, int descriptor); /* or NULL */
/* The controlling terminal's name without /dev/ ("pts/0"), or "?" . */
const char *process_terminal_name(struct process *process);
int process_set_foreground(struct process *process, unsigned group);
unsigned process_foreground(struct process *process);

/* True of the name and password that this log-in came in with. */
bool process_is_login_password(struct process *process, const char *user, const char *password);

/* --- what the host is and what the owner learns --- */

const struct host *process_host(struct process *process);
struct session *process_session(struct process *process);
/* command.input: a command line as the intruder gave it. Shells call it. */
void process_report_command(struct process *process, struct slice line);
/* input for a program that asks for it (passwd, su, ftp ...): told as protocol.request `input`. */
void process_report_input(struct process *process, struct slice line);
/* download.attempt: what wget, curl, tftp ... were asked for. `error`: what the program said. */
void process_report_download(struct process *process, struct slice url, const char *error);

#endif
