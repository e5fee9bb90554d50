/* The inside of the fake machine's processes; only machine.c, login.c, terminal.c and the
 * process*.c files may look.
 *
 * machine.c     log-ins: input, output, the scheduler
 * process.c     life of a process: spawn, execute, exit, wait, memory
 * process_look.c  what it sees of others, of its host, of time
 * signal.c      signals
 * descriptor.c  open files, pipes, reading and writing
 * paths.c       calls on paths
 * output.c      buffered output
 * driver.c      the terminal driver (terminal.h)
 * capture.c     what the owner learns: commands, downloads, files that were written
 * login.c       how a log-in begins: account, environment, greeting
 */
#ifndef DECOY_MACHINE_PROCESS_STATE_H
#define DECOY_MACHINE_PROCESS_STATE_H

#include <setjmp.h>

#include "decoy/machine/command.h"
#include "decoy/machine/coroutine.h"
#include "decoy/machine/host.h"
#include "decoy/machine/limits.h"
#include "decoy/machine/process.h"
#include "decoy/machine/recording.h"
#include "decoy/machine/terminal.h"
#include "decoy/session.h"

#define LEADER_PASSWORD_MAX 128
#define LEADER_NAME_MAX     64
#define OUTPUT_BUFFER       4096
#define CHANGED_MAX         32 /* files that wait to be kept as evidence */
#define SIGNALS             64
#define BIT_OF(signal)      ((uint64_t)1 << ((signal)-1))

/* Memory of a process: each piece is on its list. */
struct piece {
	struct piece *previous, *next;
	size_t size;
	max_align_t bytes[];
};

struct pipe {
	size_t readers, writers; /* open files */
	size_t start, length, capacity;
	uint8_t *bytes; /* ring */
};

enum open_kind {
	OPEN_NODE,
	OPEN_PIPE_READ,
	OPEN_PIPE_WRITE,
	OPEN_TERMINAL,
	OPEN_CLIENT_INPUT,  /* no terminal: what the client sends ... */
	OPEN_CLIENT_OUTPUT, /* ... and gets */
	OPEN_NULL,
	OPEN_ZERO,
	OPEN_RANDOM,
	OPEN_FULL,
	OPEN_MEMORY, /* a here-document */
};

/* An open file description: shared by duplicated and inherited descriptors. */
struct open_file {
	unsigned references;
	enum open_kind kind;
	int flags; /* of open(2) */
	node_number node;
	uint64_t offset;
	struct pipe *pipe;
	enum machine_stream stream;
	bool written;
	uint8_t *memory;
	size_t memory_size;
	char *path; /* absolute, of a node */
};

struct descriptor {
	struct open_file *file;
	bool close_on_exec;
};

enum wait_kind {
	WAIT_NOTHING, /* runnable */
	WAIT_READ,    /* file has input, or its end */
	WAIT_WRITE,   /* file takes output */
	WAIT_CHILD,
	WAIT_TIME,
	WAIT_SIGNAL, /* pause */
};

struct process_entry {
	struct process public; /* first */
	struct process_entry *older, *newer;
	struct coroutine *coroutine;
	jmp_buf base; /* process_execute starts the next program from here */
	process_main *run;
	void *handed_over;
	struct piece *pieces;
	struct descriptor *descriptors;
	size_t descriptor_count;
	char *output; /* buffered standard output */
	size_t output_length;
	node_number folder;
	char *working_folder;
	enum wait_kind wait;
	struct open_file *wait_file;
	struct open_file *held; /* in use by a call that waits; one reference */
	int64_t wait_until;     /* monotonic; 0: no limit */
	bool interrupted;       /* a caught signal came while it waited */
	bool timed_out, orphan, exiting, machine_short;
	int exit_status; /* of one that is exiting, as waitpid gives it */
	int wait_pid, wait_options;
	bool stopped, stop_told, ended;
	int wait_status; /* as waitpid gives it, once ended */
	int stop_signal;
	uint64_t ignored, caught, pending;
	unsigned program_depth; /* #! after #! */
};

struct changed_file {
	node_number node;
	char *path;
};

struct terminal {
	struct terminal_modes modes;
	char name[16];       /* pts/0 */
	unsigned foreground; /* process group */
	uint8_t *input;      /* not yet read */
	size_t input_length, input_capacity;
	size_t ready;      /* bytes of it that may be read */
	uint16_t ends[16]; /* places of ^D among them */
	unsigned end_count;
	unsigned column;      /* of the cursor, for erasing */
	unsigned line_column; /* where the line that is typed began */
	bool stopped;         /* ^S */
	bool literal;         /* ^V came */
	uint8_t echo[512];    /* that had no room yet */
	size_t echo_length;
	bool hung_up;
};

struct machine {
	struct session *session;
	const struct host *host;
	struct file_system *files;
	void *context;
	void (*output)(void *context, enum machine_stream stream, struct slice bytes);
	void (*flushed)(void *context);
	void (*ended)(void *context, int status, int signal);
	const char *service;
	char user[LEADER_NAME_MAX];
	char password[LEADER_PASSWORD_MAX]; /* of the log-in; empty: none */
	unsigned service_pid, privileged_pid;
	int64_t since;
	struct process_entry *oldest, *newest;
	size_t count;
	struct process_entry *leader;
	unsigned next_pid;
	size_t memory;
	struct terminal *terminal; /* NULL: pipes */
	struct pipe *input;        /* without a terminal */
	bool input_ended;
	struct recording *recording; /* NULL: none */
	size_t room[2];
	size_t client_writers[2];      /* open files */
	unsigned served;               /* process id: the round has come this far; 0: a new one */
	size_t slice_left;             /* steps of the process that runs */
	size_t steps_left;             /* of this turn */
	unsigned steps_unlooked;       /* since the time was looked at */
	int64_t turn_began, turn_time; /* of the processor's time */
	bool turn_late;
	int64_t steps_fast, steps_counted_at;
	int64_t deadline;
	bool leader_ended, told, running, hung_up, cut_off;
	int leader_status; /* as waitpid gives it */
	struct process_entry *current;
	struct changed_file changed[CHANGED_MAX];
	size_t changed_count;
	uint64_t *evidence_left; /* NULL: no limit */
};

static inline struct process_entry *entry_of(struct process *process)
{
	return (struct process_entry *)process;
}

static inline int64_t machine_monotonic(struct machine *machine)
{
	struct trap *trap = session_trap(machine->session);

	return trap->monotonic(trap);
}

/* process.c */
struct process_entry *process_new(struct machine *machine, struct process_entry *parent);
/* Ends it with a status as waitpid gives it; not from inside its own coroutine. */
void process_finish(struct process_entry *entry, int wait_status);
void process_remove(struct process_entry *entry);
/* Starts the coroutine with entry->run. -EAGAIN without a stack. */
int process_begin(struct process_entry *entry);
/* Waits in the current coroutine until something of the kind may go on, or until the monotonic
 * time. False: the time is over or (entry->interrupted) a signal came. */
bool process_pause(struct process_entry *entry, enum wait_kind kind, struct open_file *file,
		   int64_t until);
/* WAIT_CHILD is over. */
bool process_child_is_ready(struct process_entry *parent);
/* Gives an ended process's memory back. */
void process_forget(struct process_entry *entry);
/* Ends the current process inside its coroutine by a signal. */
_Noreturn void process_die(struct process_entry *entry, int signal);
void *machine_take(struct machine *machine, size_t size); /* NULL: none */
void machine_give(struct machine *machine, void *at, size_t size);

/* signal.c */
void signal_deliver(struct process_entry *entry, int signal);
void signal_group(struct machine *machine, unsigned group, int signal);

/* descriptor.c */
struct open_file *open_file_new(struct machine *machine, enum open_kind kind, int flags);
void open_file_release(struct machine *machine, struct open_file *file);
int descriptor_give(struct process_entry *entry, struct open_file *file, int lowest);
/* Puts a file at that number; what was there is closed. */
int descriptor_put(struct process_entry *entry, struct open_file *file, int number);
void descriptors_close_all(struct process_entry *entry);
int descriptors_inherit(struct process_entry *child, struct process_entry *parent,
			const struct process_start *start);
/* Gives back what the process holds in a call. */
void open_file_let_go(struct process_entry *entry);
bool open_file_has_input(struct machine *machine, struct open_file *file,
			 struct process_entry *entry);
bool open_file_takes_output(struct machine *machine, struct open_file *file);
struct pipe *pipe_new(struct machine *machine);
void pipe_free(struct machine *machine, struct pipe *pipe);
size_t pipe_put(struct machine *machine, struct pipe *pipe, struct slice bytes);

/* driver.c */
void terminal_open(struct terminal *terminal, const struct machine_terminal *setup);
size_t terminal_take(struct machine *machine, struct slice bytes);
/* How many bytes terminal_take takes now, at least. A line that is too long is cut, not held back.
 */
size_t terminal_input_room(const struct terminal *terminal);
bool terminal_has_input(const struct terminal *terminal);
/* Bytes of the next line or of what is there. */
size_t terminal_read(struct machine *machine, void *at, size_t size);
/* Writes as much as there is room for; returns the bytes used up. */
size_t terminal_write(struct machine *machine, struct slice bytes);
void terminal_flush_echo(struct machine *machine);

/* paths.c */
struct file_access process_file_access(struct process_entry *entry);

/* machine.c */
/* True when the turn has taken its time: it is over. Asked at every step. */
bool machine_is_late(struct machine *machine);
/* To the client, within its room; recorded. */
void machine_send(struct machine *machine, enum machine_stream stream, struct slice bytes);

/* capture.c */
void capture_changed(struct machine *machine, node_number node, const char *path);
/* Keeps one (node 0: all) of the files that wait. */
void capture_keep(struct machine *machine, node_number node);

/* login.c */
/* Makes the leader ready to run: account, environment, folder, greeting. 0 or -1. */
MUST_CHECK int login_begin(struct machine *machine, const struct machine_start *start);

#endif
