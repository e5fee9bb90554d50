/* SFTP version 3: numbers of draft-ietf-secsh-filexfer-02, and the state of a server. */
#ifndef DECOY_MACHINE_COMMANDS_SFTP_H
#define DECOY_MACHINE_COMMANDS_SFTP_H

#include "decoy/machine/process.h"

enum {
	SFTP_INIT = 1,
	SFTP_VERSION,
	SFTP_OPEN,
	SFTP_CLOSE,
	SFTP_READ,
	SFTP_WRITE,
	SFTP_LSTAT,
	SFTP_FSTAT,
	SFTP_SETSTAT,
	SFTP_FSETSTAT,
	SFTP_OPENDIR,
	SFTP_READDIR,
	SFTP_REMOVE,
	SFTP_MKDIR,
	SFTP_RMDIR,
	SFTP_REALPATH,
	SFTP_STAT,
	SFTP_RENAME,
	SFTP_READLINK,
	SFTP_SYMLINK,
	SFTP_STATUS = 101,
	SFTP_HANDLE,
	SFTP_DATA,
	SFTP_NAME,
	SFTP_ATTRS,
	SFTP_EXTENDED = 200,
	SFTP_EXTENDED_REPLY,
};

enum sftp_status {
	SFTP_OK,
	SFTP_END,
	SFTP_NO_SUCH_FILE,
	SFTP_DENIED,
	SFTP_FAILURE,
	SFTP_BAD_MESSAGE,
	SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST,
	SFTP_UNSUPPORTED,
};

#define SFTP_ATTR_SIZE     1u
#define SFTP_ATTR_OWNER    2u
#define SFTP_ATTR_MODE     4u
#define SFTP_ATTR_TIMES    8u
#define SFTP_ATTR_EXTENDED 0x80000000u

#define SFTP_OPEN_READ      1u
#define SFTP_OPEN_WRITE     2u
#define SFTP_OPEN_APPEND    4u
#define SFTP_OPEN_CREATE    8u
#define SFTP_OPEN_TRUNCATE  16u
#define SFTP_OPEN_EXCLUSIVE 32u

/* A packet, and the bytes of one read or write. */
#define SFTP_PACKET_MAX (256u * 1024)
#define SFTP_READ_MAX   (SFTP_PACKET_MAX - 1024)

struct sftp_attributes {
	uint32_t flags, uid, gid, mode, accessed, modified;
	uint64_t size;
};

struct sftp_handle {
	enum { SFTP_UNUSED, SFTP_FILE, SFTP_FOLDER } use;
	int descriptor, flags, next_unused;
	char *name;
	struct folder_entry *entries;
	size_t entry, entry_count;
};

struct sftp {
	struct process *process;
	struct cursor in; /* the packet at hand */
	struct text out;
	uint32_t id, version;
	bool begun;
	struct sftp_handle *handles;
	size_t handle_count, handle_room;
	int unused; /* the handle to give next, or -1 */
};

/* "-rwxr-xr-x " of a mode, as strmode(3). */
void sftp_mode_words(unsigned mode, char words[12]);

/* Malformed beyond reading: ends the server. */
_Noreturn void sftp_broken(struct process *p);
/* What is read from the packet at hand; each ends the server when there is too little. */
uint32_t sftp_take_u32(struct sftp *sftp);
uint64_t sftp_take_u64(struct sftp *sftp);
struct slice sftp_take_string(struct sftp *sftp);
char *sftp_take_text(struct sftp *sftp);
struct sftp_attributes sftp_take_attributes(struct sftp *sftp);
/* What is written: a packet is built in `out` and sent whole. */
void sftp_put_u32(struct sftp *sftp, uint32_t number);
void sftp_put_u64(struct sftp *sftp, uint64_t number);
void sftp_put_string(struct sftp *sftp, struct slice bytes);
void sftp_begin(struct sftp *sftp, uint8_t type);
void sftp_send_packet(struct sftp *sftp);
void sftp_send_words(struct sftp *sftp, enum sftp_status status, const char *words);
void sftp_send_status(struct sftp *sftp, enum sftp_status status);
enum sftp_status sftp_status_of(int64_t error);
void sftp_send_error(struct sftp *sftp, int64_t error);
void sftp_put_attributes(struct sftp *sftp, const struct file_status *status);
void sftp_send_attributes(struct sftp *sftp, const struct file_status *status);
void sftp_send_name(struct sftp *sftp, const char *name);
/* The handle of that text, or NULL; of files only. */
struct sftp_handle *sftp_handle_from(struct sftp *sftp, struct slice text);
struct sftp_handle *sftp_take_handle(struct sftp *sftp);
struct sftp_handle *sftp_take_file_handle(struct sftp *sftp);
const char *sftp_handle_path(struct sftp *sftp, const struct sftp_handle *handle);
/* 0 or -errno: the last error counts, as in the real server. */
int sftp_set_attributes(struct sftp *sftp, const char *path, const struct sftp_attributes *a,
			bool follow);

/* Runs the extended request whose name comes next in the packet. */
void sftp_extended(struct sftp *sftp);
/* Puts the list of extensions into a VERSION packet. */
void sftp_put_extensions(struct sftp *sftp);

#endif
