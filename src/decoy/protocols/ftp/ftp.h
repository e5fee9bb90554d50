/* FTP as vsftpd 3.0.3 speaks it (RFC 959, 2428, 3659): what the files of this folder share.
 *
 * ftp.c is the control dialogue, transfer.c the data connection, tree.c the files that a session
 * sees, bait.c what stands in them.
 */
#ifndef FTP_H
#define FTP_H

#include "decoy/protocol.h"

#define FTP_LINE_MAX 4096 /* vsftpd's own limit of a command line */
#define FTP_PATH_MAX 512  /* of a normalised path; longer ones do not exist */
#define FTP_NAME_MAX 255  /* of one component, as on ext4 */
#define FTP_USER_MAX 128
#define FTP_UPLOADS_MAX                                                          \
	64 /* that a session sees listed; further ones are kept as evidence only \
	    */
#define FTP_FILE_MAX (256 * 1024) /* of a bait file; far below what a channel holds */

enum ftp_way { WAY_NONE, WAY_PASSIVE, WAY_ACTIVE, WAY_LOST };
enum ftp_transfer { TRANSFER_NONE, TRANSFER_LIST, TRANSFER_NAMES, TRANSFER_FETCH, TRANSFER_STORE };

struct ftp_options {
	bool anonymous;
	const char *passive_address;
};

struct ftp_path {
	uint16_t length;
	uint8_t at[FTP_PATH_MAX];
};

/* What the session put there itself. */
struct ftp_upload {
	struct ftp_upload *next;
	struct slice path; /* in the arena */
	uint64_t size;
	int64_t modified;
	bool folder, gone;
};

/* Memory of a session that has said something; in its arena. */
struct ftp_desk {
	uint16_t user_length;
	uint8_t user[FTP_USER_MAX];
	struct ftp_path folder, rename, target;
	uint16_t shown_length;
	uint8_t shown[FTP_PATH_MAX]; /* the name as the client wrote it, for the 150 reply */
	uint16_t queued;
	uint8_t queue[FTP_LINE_MAX + 2]; /* commands that came during a transfer wait here */
};

struct ftp {
	struct ftp_desk *desk;
	struct ftp_upload *uploads;
	struct evidence *evidence;
	uint64_t stored, restart;
	uint8_t upload_count, failures;
	enum ftp_way way;
	enum ftp_transfer transfer;
	bool logged_in, guest, has_user, ascii, has_rename, all_extended, running, drained, leaving,
		show_hidden, playing;
};

/* One command. */
struct ftp_call {
	struct session *session;
	struct ftp *ftp;
	struct slice argument;
};

/* --- ftp.c --- */

/* Writes text with control bytes as '?', as vsftpd does. */
void ftp_write_shown(struct writer *out, struct slice text);
/* Restarts the idle timer. */
void ftp_heard(struct session *session, struct ftp *ftp);
/* Plays the commands that waited for a transfer to end. */
void ftp_play_queue(struct session *session, struct ftp *ftp);

/* --- transfer.c --- */

void ftp_pasv(struct ftp_call *call);
void ftp_epsv(struct ftp_call *call);
void ftp_port(struct ftp_call *call);
void ftp_eprt(struct ftp_call *call);
/* "ftp-bounce" when the command names a host that is not the client, else NULL. */
const char *ftp_port_tag(const struct session *session, struct slice argument);
const char *ftp_eprt_tag(const struct session *session, struct slice argument);
void ftp_list(struct ftp_call *call);
void ftp_nlst(struct ftp_call *call);
void ftp_retr(struct ftp_call *call);
void ftp_stor(struct ftp_call *call);
void ftp_stou(struct ftp_call *call);
void ftp_channel_opened(struct session *session, void *state);
void ftp_channel_input(struct session *session, void *state, struct slice bytes);
void ftp_channel_drained(struct session *session, void *state);
void ftp_channel_closed(struct session *session, void *state);
/* What is still arriving when the session ends becomes evidence as far as it came. */
void ftp_transfer_cut(struct ftp *ftp);

/* --- tree.c --- */

struct ftp_node {
	bool found, folder;
	int bait; /* index into the bait, or -1 */
	struct ftp_upload *upload;
	uint64_t size;
	int64_t modified;
};

/* The argument as seen from the session's folder, without "." and "..", "/" in front. False when it
 * is too long to exist. */
MUST_CHECK bool ftp_resolve(const struct ftp *ftp, struct slice argument, struct ftp_path *path);
static inline struct slice ftp_path_slice(const struct ftp_path *path)
{
	return slice_of(path->at, path->length);
}
struct ftp_node ftp_find(const struct session *session, const struct ftp *ftp, struct slice path);
/* True when something may be made at the path: its parent is a folder. */
bool ftp_can_make(const struct session *session, const struct ftp *ftp, struct slice path);
/* Remembers an upload or a new folder; NULL when there are too many. */
struct ftp_upload *ftp_remember(struct session *session, struct ftp *ftp, struct slice path);
bool ftp_is_empty(const struct session *session, const struct ftp *ftp, struct slice path);
/* `ls -l` lines (or bare names) of a folder, a file, or what a pattern in the last component fits.
 * False when there is no such folder. */
MUST_CHECK bool ftp_make_list(const struct session *session, const struct ftp *ftp,
			      struct slice path, bool long_form, bool hidden, struct writer *out);

/* --- bait.c --- */

struct ftp_bait {
	const char *path;
	/* NULL: a folder. Writes the same bytes every time. */
	void (*make)(const struct persona *persona, struct writer *out);
};

extern const struct ftp_bait ftp_baits[];
extern const size_t ftp_bait_count;
uint64_t ftp_bait_size(const struct persona *persona, size_t index);
int64_t ftp_bait_modified(const struct persona *persona, size_t index);

#endif
