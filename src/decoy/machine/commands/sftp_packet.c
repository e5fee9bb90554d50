/* Reading and writing of SFTP packets; see sftp.h. */
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/sftp.h"
#include "decoy/machine/limits.h"

#define SECOND ((int64_t)1000000)
/* A packet buffer beyond this is given back at once: a server waits long. */
#define KEEP_LENGTH 8192

_Noreturn void sftp_broken(struct process *p)
{
	process_exit(p, 255);
}

/* --- what is read --- */

/* Every reader ends the server when there is too little. */
uint32_t sftp_take_u32(struct sftp *sftp)
{
	uint32_t number = cursor_u32be(&sftp->in);
	if (sftp->in.failed)
		sftp_broken(sftp->process);
	return number;
}

uint64_t sftp_take_u64(struct sftp *sftp)
{
	uint64_t number = cursor_u64be(&sftp->in);
	if (sftp->in.failed)
		sftp_broken(sftp->process);
	return number;
}

struct slice sftp_take_string(struct sftp *sftp)
{
	struct slice bytes = cursor_take(&sftp->in, sftp_take_u32(sftp));
	if (sftp->in.failed)
		sftp_broken(sftp->process);
	return bytes;
}

/* A string for C: without NUL within. */
char *sftp_take_text(struct sftp *sftp)
{
	struct slice bytes = sftp_take_string(sftp);
	if (slice_find_byte(bytes, 0) != SIZE_MAX && bytes.at[bytes.length - 1] != '\0')
		sftp_broken(sftp->process);
	if (slice_find_byte(bytes, 0) < bytes.length - (bytes.length > 0))
		sftp_broken(sftp->process);
	return process_copy_slice(sftp->process, bytes);
}

struct sftp_attributes sftp_take_attributes(struct sftp *sftp)
{
	struct sftp_attributes a = {.flags = sftp_take_u32(sftp)};
	if (a.flags & SFTP_ATTR_SIZE)
		a.size = sftp_take_u64(sftp);
	if (a.flags & SFTP_ATTR_OWNER) {
		a.uid = sftp_take_u32(sftp);
		a.gid = sftp_take_u32(sftp);
	}
	if (a.flags & SFTP_ATTR_MODE)
		a.mode = sftp_take_u32(sftp);
	if (a.flags & SFTP_ATTR_TIMES) {
		a.accessed = sftp_take_u32(sftp);
		a.modified = sftp_take_u32(sftp);
	}
	if (a.flags & SFTP_ATTR_EXTENDED) {
		for (uint32_t count = sftp_take_u32(sftp); count > 0; count--) {
			(void)sftp_take_string(sftp);
			(void)sftp_take_string(sftp);
		}
	}
	return a;
}

/* --- what is written: a packet is built in `out` and sent whole --- */

void sftp_put_u32(struct sftp *sftp, uint32_t number)
{
	const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number};
	text_add(sftp->process, &sftp->out, slice_of(bytes, 4));
}

void sftp_put_u64(struct sftp *sftp, uint64_t number)
{
	sftp_put_u32(sftp, (uint32_t)(number >> 32));
	sftp_put_u32(sftp, (uint32_t)number);
}

void sftp_put_string(struct sftp *sftp, struct slice bytes)
{
	sftp_put_u32(sftp, (uint32_t)bytes.length);
	text_add(sftp->process, &sftp->out, bytes);
}

void sftp_begin(struct sftp *sftp, uint8_t type)
{
	text_clear(&sftp->out);
	sftp_put_u32(sftp, 0);
	text_add_byte(sftp->process, &sftp->out, type);
	if (type != SFTP_VERSION)
		sftp_put_u32(sftp, sftp->id);
}

void sftp_send_packet(struct sftp *sftp)
{
	size_t length = sftp->out.length - 4;
	for (unsigned i = 0; i < 4; i++)
		sftp->out.data[i] = (char)(uint8_t)(length >> (24 - 8 * i));
	(void)process_write(sftp->process, 1, text_slice(&sftp->out));
	if (sftp->out.capacity > KEEP_LENGTH) { /* a big one: memory back while it waits */
		process_give(sftp->process, sftp->out.data);
		sftp->out = (struct text){0};
	}
}

void sftp_send_words(struct sftp *sftp, enum sftp_status status, const char *words)
{
	sftp_begin(sftp, SFTP_STATUS);
	sftp_put_u32(sftp, (uint32_t)status);
	if (sftp->version >= 3) {
		sftp_put_string(sftp, slice_text(words));
		sftp_put_string(sftp, SLICE(""));
	}
	sftp_send_packet(sftp);
}

void sftp_send_status(struct sftp *sftp, enum sftp_status status)
{
	static const char *const words[] = {
		"Success",           "End of file",     "No such file",
		"Permission denied", "Failure",         "Bad message",
		"No connection",     "Connection lost", "Operation unsupported"};
	sftp_send_words(sftp, status, words[status]);
}

/* 0 or -errno. */
enum sftp_status sftp_status_of(int64_t error)
{
	switch (-error) {
	case 0:
		return SFTP_OK;
	case ENOENT:
	case ENOTDIR:
	case EBADF:
	case ELOOP:
		return SFTP_NO_SUCH_FILE;
	case EPERM:
	case EACCES:
	case EFAULT:
		return SFTP_DENIED;
	case ENAMETOOLONG:
	case EINVAL:
		return SFTP_BAD_MESSAGE;
	case ENOSYS:
		return SFTP_UNSUPPORTED;
	default:
		return error > 0 ? SFTP_OK : SFTP_FAILURE;
	}
}

void sftp_send_error(struct sftp *sftp, int64_t error)
{
	sftp_send_status(sftp, sftp_status_of(error));
}

void sftp_put_attributes(struct sftp *sftp, const struct file_status *status)
{
	sftp_put_u32(sftp, SFTP_ATTR_SIZE | SFTP_ATTR_OWNER | SFTP_ATTR_MODE | SFTP_ATTR_TIMES);
	sftp_put_u64(sftp, status->size);
	sftp_put_u32(sftp, status->uid);
	sftp_put_u32(sftp, status->gid);
	sftp_put_u32(sftp, status->mode);
	sftp_put_u32(sftp, (uint32_t)(status->accessed / SECOND));
	sftp_put_u32(sftp, (uint32_t)(status->modified / SECOND));
}

void sftp_send_attributes(struct sftp *sftp, const struct file_status *status)
{
	sftp_begin(sftp, SFTP_ATTRS);
	sftp_put_attributes(sftp, status);
	sftp_send_packet(sftp);
}

/* A single name without attributes: real paths and targets. */
void sftp_send_name(struct sftp *sftp, const char *name)
{
	sftp_begin(sftp, SFTP_NAME);
	sftp_put_u32(sftp, 1);
	sftp_put_string(sftp, slice_text(name));
	sftp_put_string(sftp, slice_text(name));
	sftp_put_u32(sftp, 0);
	sftp_send_packet(sftp);
}

/* --- handles --- */

struct sftp_handle *sftp_handle_from(struct sftp *sftp, struct slice text)
{
	if (text.length != 4)
		return NULL;
	struct cursor cursor = cursor_of(text);
	uint32_t number = cursor_u32be(&cursor);
	if (number >= sftp->handle_count || sftp->handles[number].use == SFTP_UNUSED)
		return NULL;
	return &sftp->handles[number];
}

struct sftp_handle *sftp_take_handle(struct sftp *sftp)
{
	return sftp_handle_from(sftp, sftp_take_string(sftp));
}

struct sftp_handle *sftp_take_file_handle(struct sftp *sftp)
{
	struct sftp_handle *handle = sftp_take_handle(sftp);
	return handle && handle->use == SFTP_FILE ? handle : NULL;
}

const char *sftp_handle_path(struct sftp *sftp, const struct sftp_handle *handle)
{
	const char *path = process_path_of(sftp->process, handle->descriptor);
	return path ? path : handle->name;
}

/* The last error counts, as the real server has it. */
int sftp_set_attributes(struct sftp *sftp, const char *path, const struct sftp_attributes *a,
			bool follow)
{
	struct process *p = sftp->process;
	int error = 0, one;
	if (a->flags & SFTP_ATTR_MODE) {
		one = process_change_mode(p, path, a->mode & 07777);
		error = one ? one : error;
	}
	if (a->flags & SFTP_ATTR_TIMES) {
		one = process_change_times(p, path, follow, (int64_t)a->accessed * SECOND,
					   (int64_t)a->modified * SECOND);
		error = one ? one : error;
	}
	if (a->flags & SFTP_ATTR_OWNER) {
		one = process_change_owner(p, path, follow, a->uid, a->gid);
		error = one ? one : error;
	}
	return error;
}
