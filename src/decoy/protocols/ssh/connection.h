/* The connection protocol (RFC 4254): what a logged-in session holds. */
#ifndef DECOY_SSH_CONNECTION_H
#define DECOY_SSH_CONNECTION_H

#include "decoy/machine/machine.h"
#include "decoy/protocols/ssh/server.h"

/* OpenSSH's CHAN_SES_* and CHAN_TCP_*. */
#define SSH_CHANNEL_PACKET ((uint32_t)32 * 1024)
#define SSH_CHANNEL_WINDOW (64 * SSH_CHANNEL_PACKET)
/* OpenSSH counts to 10000; nobody who is up to any good gets to a hundred. */
#define SSH_CHANNELS_MAX 128
/* What all channels of a session may hold of input that nobody reads: two full windows. */
#define SSH_HELD_MAX      ((size_t)2 * SSH_CHANNEL_WINDOW)
#define SSH_VARIABLES_MAX 128 /* session.c of OpenSSH */
#define SSH_VARIABLE_SIZE 4096
#define SSH_MODES_MAX     1024
#define SSH_TERM_MAX      64

enum ssh_channel_kind {
	SSH_CHANNEL_SESSION,
	SSH_CHANNEL_TUNNEL,
	SSH_CHANNEL_LISTENER, /* takes a number, as the sockets of OpenSSH's listeners do */
};

struct ssh_tunnel; /* tunnel.c */

struct ssh_terminal {
	char type[SSH_TERM_MAX];
	unsigned columns, rows;
	size_t modes_length;
	uint8_t modes[];
};

struct ssh_variable {
	struct ssh_variable *next;
	size_t length;
	uint8_t text[]; /* NAME=value */
};

struct ssh_channel {
	struct ssh *ssh;
	uint8_t kind;
	bool larval; /* a session that runs nothing yet */
	bool eof_sent, eof_received, close_sent;
	bool input_open;  /* what the client sends is read by somebody */
	bool input_ended; /* the program was told of the client's EOF */
	bool ended;       /* the program is over */
	bool subsystem, x11, streams_lost;
	uint8_t variable_count;
	uint32_t id, remote_id;
	uint32_t remote_window, remote_packet;
	uint32_t window, window_max, consumed, exceeded;
	int status, signal;
	struct writer input; /* sent by the client, not yet taken by the program */
	struct ssh_terminal *terminal;
	struct ssh_variable *variables;
	struct machine *machine;
	struct ssh_tunnel *tunnel;
	uint8_t gathers; /* enum machine_stream of what lies in server->gathered */
};

struct ssh_forward {
	struct ssh_forward *next;
	uint32_t port;
	uint32_t listeners[2]; /* channel numbers */
	size_t length;
	uint8_t host[];
};

struct ssh_connection {
	struct slice user; /* in the session's arena */
	enum access_depth depth;
	unsigned sessions;
	uint64_t evidence_left; /* bytes that files and tunnels may still leave */
	unsigned nested;        /* sessions within tunnels */
	bool agent;             /* was asked for */
	size_t count;           /* of places in channels */
	struct ssh_channel **channels;
	struct ssh_forward *forwards;
};

/* --- channel.c --- */

/* The channel of that number, or NULL. */
struct ssh_channel *ssh_channel_at(const struct ssh *ssh, uint32_t id);
/* A new one at the lowest free number; NULL: there may be no more. */
struct ssh_channel *ssh_channel_new(struct ssh *ssh, enum ssh_channel_kind kind);
void ssh_channel_free(struct ssh_channel *channel);
/* Answers to CHANNEL_OPEN. */
void ssh_channel_confirm(struct ssh_channel *channel);
void ssh_channel_refuse(struct ssh *ssh, uint32_t remote_id, uint32_t reason, const char *text);
/* Opens the client's window: from now on it may send. */
void ssh_channel_open_window(struct ssh_channel *channel);
/* Somebody took so many bytes of what the client sent. */
void ssh_channel_consumed(struct ssh_channel *channel, size_t count);
/* Sends data within the client's window (the caller keeps to it). */
void ssh_channel_send(struct ssh_channel *channel, enum machine_stream stream, struct slice bytes);
/* Room for data now: the client's window and what may wait in the session. */
size_t ssh_channel_room(const struct ssh_channel *channel);
void ssh_channel_send_eof(struct ssh_channel *channel);
/* Sends CLOSE; the channel goes when the client's has come too. */
void ssh_channel_close(struct ssh_channel *channel);
/* Begins a CHANNEL_REQUEST of ours, without a wish for a reply. */
struct writer *ssh_channel_request(struct ssh_channel *channel, const char *type);
void ssh_channel_message(struct ssh *ssh, uint8_t type, struct slice payload);

/* --- request.c --- */

/* A request on a session's channel; whether it is granted. */
bool ssh_request(struct ssh_channel *channel, struct slice type, struct cursor *rest);
void ssh_request_free(struct ssh_channel *channel);

/* --- program.c --- */

/* Starts what the channel is for: a shell (command.at NULL), a command, or a program. */
bool ssh_program_start(struct ssh_channel *channel, struct slice command, const char *program);
void ssh_program_input(struct ssh_channel *channel);
void ssh_program_resize(struct ssh_channel *channel);
void ssh_program_signal(struct ssh_channel *channel, int signal);
/* Lets it go on, and sends what it says. */
void ssh_program_run(struct ssh_channel *channel);
/* The same, and then hands over input that waited. */
void ssh_program_go_on(struct ssh_channel *channel);
/* Monotonic time at which that is due; INT64_MAX: never. */
int64_t ssh_program_due(const struct ssh_channel *channel);
/* The client closed the channel: whatever ends of it tells its status, the rest is hung up. */
void ssh_program_abandon(struct ssh_channel *channel);
void ssh_program_free(struct ssh_channel *channel);

/* --- tunnel.c --- */

/* CHANNEL_OPEN of kind direct-tcpip or direct-streamlocal@openssh.com. */
void ssh_tunnel_open(struct ssh *ssh, struct slice kind, uint32_t remote_id, uint32_t window,
		     uint32_t packet, struct cursor *rest);
void ssh_tunnel_input(struct ssh_channel *channel);
/* Time passed: it opens, fails (and the channel is gone) or ends. */
void ssh_tunnel_run(struct ssh_channel *channel);
int64_t ssh_tunnel_due(const struct ssh_channel *channel);
/* Memory that sessions within tunnels hold. */
size_t ssh_tunnel_footprint(const struct ssh *ssh);
void ssh_tunnel_free(struct ssh_channel *channel);
/* Global requests; whether they are granted. The port that was allocated goes to *port. */
bool ssh_tunnel_forward(struct ssh *ssh, struct cursor *rest, bool wants_reply, uint16_t *port);
bool ssh_tunnel_cancel(struct ssh *ssh, struct cursor *rest);
bool ssh_tunnel_forward_socket(struct ssh *ssh, struct cursor *rest);
void ssh_tunnel_free_forwards(struct ssh *ssh);
/* A tunnel.attempt with what is known; the caller adds and reports. */
struct event *ssh_tunnel_event(struct ssh *ssh, const char *kind, struct slice host, uint32_t port);

#endif
