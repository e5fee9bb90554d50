/* The SSH server: RFC 4250 to 4254 as OpenSSH speaks them, with its extensions. No I/O.
 *
 *   identification.c  the first lines          packet.c     packets, both ways
 *   kexinit.c         lists and choices        kex.c        the exchange's course, keys
 *   exchange.c        its methods              auth.c       log-in
 *   connection.c      requests, dispatch       channel.c    channels, windows, data
 *   request.c         a session's requests     program.c    what runs behind a channel
 *   tunnel.c          ports that are asked for nested.c     the host's own ports among them
 *   server.c          what all sessions share
 */
#ifndef DECOY_SSH_H
#define DECOY_SSH_H

#include "decoy/protocol.h"
#include "decoy/protocols/ssh/builds.h"
#include "decoy/protocols/ssh/cipher.h"
#include "decoy/protocols/ssh/mac.h"
#include "decoy/protocols/ssh/wire.h"

/* --- limits, all OpenSSH's where it has one --- */

#define SSH_PACKET_MAX   ((uint32_t)256 * 1024) /* PACKET_MAX_SIZE */
#define SSH_INPUT_MAX    ((size_t)SSH_PACKET_MAX + 16 * 1024)
#define SSH_LINE_MAX     8192 /* SSH_MAX_BANNER_LEN */
#define SSH_ATTEMPTS_MAX 1024 /* log-in requests of any kind */
#define SSH_DIGEST_MAX   64
/* Output that waits for the client: beyond it nothing more is made and no input taken. */
#define SSH_OUTPUT_PAUSE ((size_t)192 * 1024)
/* Packets that wait for the end of a key exchange. */
#define SSH_QUEUE_MAX ((size_t)512 * 1024)

enum ssh_message {
	SSH_DISCONNECT = 1,
	SSH_IGNORE = 2,
	SSH_UNIMPLEMENTED = 3,
	SSH_DEBUG = 4,
	SSH_SERVICE_REQUEST = 5,
	SSH_SERVICE_ACCEPT = 6,
	SSH_EXT_INFO = 7,
	SSH_KEXINIT = 20,
	SSH_NEWKEYS = 21,
	SSH_KEX_FIRST = 30, /* meaning depends on the method */
	SSH_KEX_LAST = 49,
	SSH_USERAUTH_REQUEST = 50,
	SSH_USERAUTH_FAILURE = 51,
	SSH_USERAUTH_SUCCESS = 52,
	SSH_USERAUTH_BANNER = 53,
	SSH_USERAUTH_PK_OK = 60,
	SSH_USERAUTH_INFO_REQUEST = 60,
	SSH_USERAUTH_INFO_RESPONSE = 61,
	SSH_GLOBAL_REQUEST = 80,
	SSH_REQUEST_SUCCESS = 81,
	SSH_REQUEST_FAILURE = 82,
	SSH_CHANNEL_OPEN = 90,
	SSH_CHANNEL_OPEN_CONFIRMATION = 91,
	SSH_CHANNEL_OPEN_FAILURE = 92,
	SSH_CHANNEL_WINDOW_ADJUST = 93,
	SSH_CHANNEL_DATA = 94,
	SSH_CHANNEL_EXTENDED_DATA = 95,
	SSH_CHANNEL_EOF = 96,
	SSH_CHANNEL_CLOSE = 97,
	SSH_CHANNEL_REQUEST = 98,
	SSH_CHANNEL_SUCCESS = 99,
	SSH_CHANNEL_FAILURE = 100,
};

/* --- a session --- */

struct ssh_server; /* server.c */
struct ssh_kex;    /* kex.c */
struct ssh_auth;   /* auth.c */
struct ssh_connection;
struct z_stream_s;

/* Bytes one way. */
struct ssh_direction {
	uint32_t sequence;
	uint32_t packets; /* since the last key exchange */
	uint64_t blocks, blocks_max;
	const struct ssh_cipher *cipher; /* NULL: none yet */
	const struct ssh_mac *mac;       /* NULL: none, or the cipher's own */
	void *cipher_state, *mac_state;
	struct z_stream_s *zlib;
	bool compresses; /* agreed upon, whether it began or not */
	bool compresses_late;
};

enum {
	SSH_INITIAL = 1 << 0, /* before the first key exchange is over */
	SSH_STRICT = 1 << 1,
	SSH_EXT_INFO_WANTED = 1 << 2,
	SSH_LOGGED_IN = 1 << 3,
	SSH_REKEYING = 1 << 4,  /* our KEXINIT left, our NEWKEYS has not */
	SSH_OVER = 1 << 5,      /* nothing more is read */
	SSH_SKIP_NEXT = 1 << 6, /* a guess that was wrong */
	SSH_COUNTED = 1 << 7,   /* among the server's connections without log-in */
	SSH_IDENTIFIED = 1 << 8,
	SSH_NO_MORE_SESSIONS = 1 << 9,
	SSH_PAUSED = 1 << 10,     /* input waits for output to leave */
	SSH_OLD_CURVE = 1 << 11,  /* OpenSSH 6.5 and 6.6 pad curve25519@libssh.org wrongly */
	SSH_OLD_GROUPS = 1 << 12, /* clients that break at modern group exchanges */
	SSH_OPENSSH = 1 << 13,    /* the client is one: it knows eow@openssh.com */
	SSH_RSA_256 = 1 << 14,
	SSH_RSA_512 = 1 << 15,
	SSH_WANTS_REKEY = 1 << 16,
	SSH_SCANNER = 1 << 18,
	SSH_NO_HOST_KEYS = 1 << 19, /* clients that break at hostkeys-00 */
	SSH_STARVED = 1 << 17,      /* a program waits for output to leave */
	SSH_FED = 1 << 21,          /* ... and it has left: programs go on in the next turn */
	SSH_NESTED = 1 << 20,       /* came through a tunnel of another one */
};

struct ssh {
	struct session *session;
	struct ssh_server *server; /* NULL: nothing was prepared */
	uint32_t flags;
	uint32_t partial_length;        /* of the packet that is coming in; 0: not known */
	uint8_t partial[SSH_BLOCK_MAX]; /* its first block, decrypted */
	uint32_t discard;               /* bytes that are swallowed before the end */
	struct ssh_direction in, out;
	struct slice client_version; /* in the session's arena */
	uint8_t session_id[SSH_DIGEST_MAX];
	uint8_t session_id_length;
	uint8_t host_key;               /* enum host_key_type of the first exchange */
	const char *host_key_algorithm; /* of the first exchange */
	int64_t grace_until;            /* monotonic; 0: logged in */
	int64_t timer_at;               /* when the timer is set to; 0: to nothing */
	struct writer queue;            /* packets that wait for our NEWKEYS: length, payload */
	struct ssh_kex *kex;
	struct ssh_auth *auth;
	struct ssh_connection *connection;
};

/* --- packet.c --- */

/* Uses up whole packets while that makes sense; how many bytes. */
size_t ssh_packet_input(struct ssh *ssh, struct slice bytes);
/* A writer for the payload of a packet that begins with this message; then ssh_packet_send. */
struct writer *ssh_packet_begin(struct ssh *ssh, enum ssh_message message);
void ssh_packet_send(struct ssh *ssh);
/* Sends what waited for the end of a key exchange. */
void ssh_packet_release(struct ssh *ssh);
/* Takes the keys of a direction into use; key material lies in this order: iv, key, MAC key. */
MUST_CHECK int ssh_packet_set_keys(struct ssh *ssh, struct ssh_direction *direction,
				   const struct ssh_cipher *cipher, const struct ssh_mac *mac,
				   const uint8_t *iv, const uint8_t *key, const uint8_t *mac_key);
void ssh_packet_drop_keys(struct ssh_direction *direction);
/* OpenSSH's ssh_packet_disconnect: the text leaves, then the connection ends. */
void ssh_disconnect(struct ssh *ssh, const char *reason, const char *format, ...) PRINTF(3, 4);
/* SSH_MSG_DEBUG: what ssh -v shows. */
void ssh_debug(struct ssh *ssh, const char *text);
/* What OpenSSH answers with nothing at all. */
void ssh_hang_up(struct ssh *ssh, const char *reason);
/* The same for bytes that are not SSH, with a protocol.error event. */
void ssh_malformed(struct ssh *ssh, const char *what, struct slice bytes);
/* Bytes of memory that it holds beside the session's own. */
size_t ssh_footprint(const struct ssh *ssh);

/* --- compress.c --- */

/* The payload in writer, from offset on, compressed; -1 when memory is out. */
MUST_CHECK int ssh_compress(struct ssh_direction *out, struct writer *packet, size_t offset,
			    struct writer *scratch);
/* -1: broken, or larger than a packet may be. */
MUST_CHECK int ssh_uncompress(struct ssh_direction *in, struct slice payload, struct writer *out);
void ssh_compress_end(struct ssh_direction *direction, bool deflates);

/* --- identification.c --- */

/* Uses up the client's first line; how many bytes. */
size_t ssh_identification_input(struct ssh *ssh, struct slice bytes);

/* --- kex.c --- */

void ssh_kex_begin(struct ssh *ssh); /* sends our KEXINIT */
void ssh_kex_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload);
void ssh_kex_free(struct ssh *ssh);
/* Work that was put off because its source had used up its share; ssh_kex_due tells when. */
void ssh_kex_resume(struct ssh *ssh);
int64_t ssh_kex_due(const struct ssh *ssh);

/* --- auth.c --- */

void ssh_auth_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload);
void ssh_auth_free(struct ssh *ssh);

/* --- connection.c --- */

void ssh_connection_open(struct ssh *ssh, struct slice user, enum access_depth depth);
void ssh_connection_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload);
/* Time passed, or output left: lets programs go on. */
void ssh_connection_run(struct ssh *ssh);
/* Monotonic time at which ssh_connection_run is due; INT64_MAX: never. */
int64_t ssh_connection_due(const struct ssh *ssh);
void ssh_connection_free(struct ssh *ssh);

/* --- report.c --- */

struct ssh_choice;
void ssh_report_kexinit(struct ssh *ssh, struct slice payload, const struct ssh_choice *choice);
void ssh_report_version(struct ssh *ssh);

/* --- ssh.c --- */

int64_t ssh_monotonic(const struct ssh *ssh);
/* Sets the session's one timer to whatever is due first. */
void ssh_schedule(struct ssh *ssh);

#endif
