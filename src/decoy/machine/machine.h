/* The fake machine: one host behind SSH, Telnet and whatever else gives a shell, seen from a
 * protocol.
 *
 * A `struct machine` is one log-in on that host: a session leader (a log-in shell, `sh -c COMMAND`,
 * or a subsystem), the processes that come of it, and its terminal if it has one. All log-ins of
 * one source see the files that the source left. It does no I/O: input is given to it, output comes
 * through a callback, time comes from the session.
 */
#ifndef DECOY_MACHINE_H
#define DECOY_MACHINE_H

#include "decoy/protocol.h"

struct machine;

enum machine_stream { MACHINE_OUTPUT, MACHINE_ERRORS };

struct machine_terminal {
	const char *type; /* TERM */
	unsigned columns, rows;
	/* Encoded terminal modes of RFC 4254 section 8; empty: the usual ones. */
	struct slice modes;
};

/* How a log-in starts. Everything is copied. */
struct machine_start {
	struct session *session;
	const char *service; /* what brought it here: sshd, telnetd, ... (ps and w show it) */
	struct slice user;
	struct slice password;   /* that let him in, for sudo and passwd; empty: none was used */
	enum access_depth depth; /* ACCESS_USER, ACCESS_ROOT */
	const struct slice *command; /* of `exec`; NULL: a log-in shell */
	/* A program in place of a shell (path), e.g. the sftp server, or NULL; with its arguments
	 * (argv[0] and on, ends with NULL), or NULL: only its name. */
	const char *program;
	const char *const *arguments;
	const struct machine_terminal *terminal; /* NULL: three pipes */
	const struct slice *environment;         /* "NAME=value" beyond what log-in sets */
	size_t environment_count;
	/* The account is closed: the greeting, then what nologin(8) says, and the end. */
	bool no_shell;
	/* Bytes of evidence that the files of this log-in may still come to; shared by all channels
	 * of a connection, which owns it. NULL: no limit. */
	uint64_t *evidence_left;
	bool quiet; /* no "Last login" and message of the day (telnet's login(1) shows its own) */

	void *context;
	/* Output; never more than the room that was given for the stream. */
	void (*output)(void *context, enum machine_stream stream, struct slice bytes);
	/* A key's signal threw away what was typed and not yet read; before its echo. May be NULL.
	 */
	void (*flushed)(void *context);
	/* The session leader ended (signal 0: by exit with status); called once, from within
	 * machine_run. The machine stays until machine_free. */
	void (*ended)(void *context, int status, int signal);
};

/* NULL when memory or stacks are out. Nothing runs before machine_run. */
struct machine *machine_new(const struct machine_start *start);
void machine_free(struct machine *machine); /* accepts NULL; hangs everything up */

/* Bytes from the client. Returns how many were taken: the rest waits at the caller until
 * machine_run made room (SSH: the window is not opened further). */
size_t machine_input(struct machine *machine, struct slice bytes);
/* How many bytes machine_input would take now, at least. */
size_t machine_input_room(const struct machine *machine);
void machine_input_end(struct machine *machine);
/* Room for output on a stream from now on, in bytes; starts at 0. With a terminal only
 * MACHINE_OUTPUT is used. */
void machine_room(struct machine *machine, enum machine_stream stream, size_t room);
void machine_resize(struct machine *machine, unsigned columns, unsigned rows);
/* A signal for the foreground process group (numbers of Linux on x86). */
void machine_signal(struct machine *machine, int signal);
/* The terminal is gone: SIGHUP to all. */
void machine_hang_up(struct machine *machine);

/* Runs what can run. To be called after any of the above and when the deadline came. */
void machine_run(struct machine *machine);
/* Monotonic time at which machine_run is due without anything else happening; INT64_MAX: never. */
int64_t machine_deadline(const struct machine *machine);
bool machine_has_ended(const struct machine *machine);
/* Without a terminal: some process still holds a stream open (sshd closes the channel only then).
 */
bool machine_holds_output(const struct machine *machine);
/* The intruder killed the service's process that serves him: end the connection. */
bool machine_is_cut_off(const struct machine *machine);
/* Memory that it holds. */
size_t machine_footprint(const struct machine *machine);

/* A line of /etc/passwd. */
struct machine_account {
	const char *name, *home, *shell, *gecos;
	unsigned uid, gid;
};

#endif
