/* sftp-server of OpenSSH 9.2p1: SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's
 * extensions, on standard input and output.
 *
 * What is malformed beyond reading ends the server as the real one ends (status 255, nothing said);
 * a packet of more than 256 KiB ends it with 11.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/sftp.h"
#include "decoy/machine/limits.h"

#define NAMES_A_PACKET 100
#define HALF_A_YEAR    ((int64_t)365 * 24 * 60 * 60 / 2)
#define SECOND         ((int64_t)1000000)

/* --- handles: the number that was freed last is given next --- */

static struct sftp_handle *handle_new(struct sftp *sftp)
{
	if (sftp->unused < 0) {
		if (sftp->handle_count >= MACHINE_DESCRIPTORS_MAX)
			return NULL;
		if (sftp->handle_count == sftp->handle_room) {
			sftp->handle_room = sftp->handle_room ? sftp->handle_room * 2 : 8;
			sftp->handles = process_retake(sftp->process, sftp->handles,
						       sftp->handle_room * sizeof(*sftp->handles));
		}
		sftp->handles[sftp->handle_count] = (struct sftp_handle){.next_unused = -1};
		sftp->unused = (int)sftp->handle_count++;
	}
	struct sftp_handle *handle = &sftp->handles[sftp->unused];
	sftp->unused = handle->next_unused;
	return handle;
}

static void send_handle(struct sftp *sftp, const struct sftp_handle *handle)
{
	sftp_begin(sftp, SFTP_HANDLE);
	sftp_put_u32(sftp, 4);
	sftp_put_u32(sftp, (uint32_t)(handle - sftp->handles));
	sftp_send_packet(sftp);
}

/* --- the requests of version 3 --- */

static void do_open(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	uint32_t wanted = sftp_take_u32(sftp);
	struct sftp_attributes a = sftp_take_attributes(sftp);
	int flags = 0;
	if ((wanted & SFTP_OPEN_READ) && (wanted & SFTP_OPEN_WRITE))
		flags = O_RDWR;
	else if (wanted & SFTP_OPEN_WRITE)
		flags = O_WRONLY;
	if (wanted & SFTP_OPEN_APPEND)
		flags |= O_APPEND;
	if (wanted & SFTP_OPEN_CREATE)
		flags |= O_CREAT;
	if (wanted & SFTP_OPEN_TRUNCATE)
		flags |= O_TRUNC;
	if (wanted & SFTP_OPEN_EXCLUSIVE)
		flags |= O_EXCL;
	unsigned mode = a.flags & SFTP_ATTR_MODE ? a.mode & 07777 : 0666;
	int descriptor = process_open(sftp->process, name, flags, mode);
	struct sftp_handle *handle = descriptor < 0 ? NULL : handle_new(sftp);
	if (descriptor < 0) {
		sftp_send_error(sftp, descriptor);
	} else if (!handle) {
		process_close(sftp->process, descriptor);
		sftp_send_status(sftp, SFTP_FAILURE);
	} else {
		*handle = (struct sftp_handle){
			.use = SFTP_FILE, .descriptor = descriptor, .flags = flags, .name = name};
		send_handle(sftp, handle);
		return;
	}
	process_give(sftp->process, name);
}

static void do_close(struct sftp *sftp)
{
	struct sftp_handle *handle = sftp_take_handle(sftp);
	int error = 0;
	if (!handle) {
		sftp_send_status(sftp, SFTP_NO_SUCH_FILE);
		return;
	}
	if (handle->use == SFTP_FILE)
		error = process_close(sftp->process, handle->descriptor);
	process_give(sftp->process, handle->name);
	process_give(sftp->process, handle->entries);
	*handle = (struct sftp_handle){.next_unused = sftp->unused};
	sftp->unused = (int)(handle - sftp->handles);
	sftp_send_error(sftp, error);
}

/* Bytes from an offset into the packet; how many, or -errno. */
static int64_t read_at(struct sftp *sftp, const struct sftp_handle *handle, uint64_t offset,
		       uint8_t *at, size_t length)
{
	struct process *p = sftp->process;
	size_t done = 0;
	if ((handle->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (offset > INT64_MAX)
		return -EINVAL;
	int64_t error = process_seek(p, handle->descriptor, (int64_t)offset, SEEK_SET);
	if (error < 0)
		return error;
	while (done < length) {
		ssize_t count = process_read(p, handle->descriptor, at + done, length - done);
		if (count < 0 && done == 0)
			return count;
		if (count <= 0)
			break;
		done += (size_t)count;
		process_step(p);
	}
	return (int64_t)done;
}

static void do_read(struct sftp *sftp)
{
	struct process *p = sftp->process;
	struct sftp_handle *handle = sftp_take_file_handle(sftp);
	uint64_t offset = sftp_take_u64(sftp);
	uint32_t length = sftp_take_u32(sftp);
	struct file_status status;
	if (!handle) {
		sftp_send_status(sftp, SFTP_FAILURE);
		return;
	}
	if (length > SFTP_READ_MAX)
		length = SFTP_READ_MAX;
	/* No more memory than the file can fill. */
	if (process_status_of(p, handle->descriptor, &status) == 0 && S_ISREG(status.mode) &&
	    status.size > 0) {
		uint64_t left = offset < status.size ? status.size - offset : 0;
		if (left < length && length > 0)
			length = left ? (uint32_t)left : 1;
	}
	uint8_t *bytes = process_take(p, length ? length : 1);
	int64_t count = read_at(sftp, handle, offset, bytes, length);
	if (count < 0) {
		sftp_send_error(sftp, count);
	} else if (count == 0 && length > 0) {
		sftp_send_status(sftp, SFTP_END);
	} else {
		sftp_begin(sftp, SFTP_DATA);
		sftp_put_string(sftp, slice_of(bytes, (size_t)count));
		sftp_send_packet(sftp);
	}
	process_give(p, bytes);
}

static void do_write(struct sftp *sftp)
{
	struct process *p = sftp->process;
	struct sftp_handle *handle = sftp_take_file_handle(sftp);
	uint64_t offset = sftp_take_u64(sftp);
	struct slice bytes = sftp_take_string(sftp);
	if (!handle) {
		sftp_send_status(sftp, SFTP_FAILURE);
		return;
	}
	int64_t error = 0;
	if (!(handle->flags & O_APPEND))
		error = offset > INT64_MAX
				? -EINVAL
				: process_seek(p, handle->descriptor, (int64_t)offset, SEEK_SET);
	if (error >= 0 && (handle->flags & O_ACCMODE) == O_RDONLY)
		error = -EBADF;
	if (error >= 0 && bytes.length > 0)
		error = process_write(p, handle->descriptor, bytes);
	sftp_send_error(sftp, error > 0 ? 0 : error);
}

static void stat_name(struct sftp *sftp, bool follow)
{
	struct file_status status;
	char *name = sftp_take_text(sftp);
	int error = process_stat(sftp->process, name, follow, &status);
	if (error)
		sftp_send_error(sftp, error);
	else
		sftp_send_attributes(sftp, &status);
	process_give(sftp->process, name);
}

static void do_stat(struct sftp *sftp)
{
	stat_name(sftp, true);
}

static void do_lstat(struct sftp *sftp)
{
	stat_name(sftp, false);
}

static void do_fstat(struct sftp *sftp)
{
	struct file_status status;
	struct sftp_handle *handle = sftp_take_file_handle(sftp);
	int error = handle ? process_status_of(sftp->process, handle->descriptor, &status) : -EIO;
	if (error)
		sftp_send_error(sftp, error);
	else
		sftp_send_attributes(sftp, &status);
}

static void do_setstat(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	struct sftp_attributes a = sftp_take_attributes(sftp);
	int first = 0;
	if (a.flags & SFTP_ATTR_SIZE)
		first = process_truncate(sftp->process, name, a.size);
	int error = sftp_set_attributes(sftp, name, &a, true);
	sftp_send_error(sftp, error ? error : first);
	process_give(sftp->process, name);
}

static void do_fsetstat(struct sftp *sftp)
{
	struct sftp_handle *handle = sftp_take_file_handle(sftp);
	struct sftp_attributes a = sftp_take_attributes(sftp);
	int first = 0;
	if (!handle) {
		sftp_send_status(sftp, SFTP_FAILURE);
		return;
	}
	if (a.flags & SFTP_ATTR_SIZE)
		first = (handle->flags & O_ACCMODE) == O_RDONLY
				? -EINVAL
				: process_truncate_descriptor(sftp->process, handle->descriptor,
							      a.size);
	int error = sftp_set_attributes(sftp, sftp_handle_path(sftp, handle), &a, true);
	sftp_send_error(sftp, error ? error : first);
}

static void do_opendir(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	struct folder_entry *entries = NULL;
	ssize_t count = process_list(sftp->process, name, &entries);
	struct sftp_handle *handle = count < 0 ? NULL : handle_new(sftp);
	if (count < 0) {
		sftp_send_error(sftp, count);
	} else if (!handle) {
		process_give(sftp->process, entries);
		sftp_send_status(sftp, SFTP_FAILURE);
	} else {
		*handle = (struct sftp_handle){.use = SFTP_FOLDER,
					       .name = name,
					       .entries = entries,
					       .entry_count = (size_t)count};
		send_handle(sftp, handle);
		return;
	}
	process_give(sftp->process, name);
}

static void add_long_name(struct sftp *sftp, struct text *out, const struct file_status *status,
			  const char *name)
{
	struct process *p = sftp->process;
	char date[32] = "", mode[12];
	struct tm broken_down;
	time_t seconds = (time_t)(status->modified / SECOND);
	if (gmtime_r(&seconds, &broken_down)) {
		bool recent = process_now(p) / SECOND - seconds < HALF_A_YEAR;
		strftime(date, sizeof(date), recent ? "%b %e %H:%M" : "%b %e  %Y", &broken_down);
	}
	sftp_mode_words(status->mode, mode);
	text_format(p, out, "%s %3u %-8s %-8s %8llu %s %s", mode, status->links,
		    command_user_name(p, status->uid), command_group_name(p, status->gid),
		    (unsigned long long)status->size, date, name);
}

static void do_readdir(struct sftp *sftp)
{
	struct process *p = sftp->process;
	struct sftp_handle *handle = sftp_take_handle(sftp);
	struct text line = {0};
	uint32_t count = 0;
	if (!handle || handle->use != SFTP_FOLDER) {
		sftp_send_status(sftp, SFTP_FAILURE);
		return;
	}
	sftp_begin(sftp, SFTP_NAME);
	size_t where = sftp->out.length;
	sftp_put_u32(sftp, 0);
	const char *slash = strcmp(handle->name, "/") ? "/" : "";
	for (; handle->entry < handle->entry_count && count < NAMES_A_PACKET; handle->entry++) {
		const char *name = handle->entries[handle->entry].name;
		struct file_status status;
		char *path = process_format(p, "%s%s%s", handle->name, slash, name);
		int error = process_stat(p, path, false, &status);
		process_give(p, path);
		process_step(p);
		if (error)
			continue;
		text_clear(&line);
		add_long_name(sftp, &line, &status, name);
		sftp_put_string(sftp, slice_text(name));
		sftp_put_string(sftp, text_slice(&line));
		sftp_put_attributes(sftp, &status);
		count++;
	}
	process_give(p, line.data);
	if (count == 0) {
		sftp_send_status(sftp, SFTP_END);
		return;
	}
	sftp->out.data[where + 3] = (char)(uint8_t)count;
	sftp_send_packet(sftp);
}

static void do_remove(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	sftp_send_error(sftp, process_unlink(sftp->process, name));
	process_give(sftp->process, name);
}

static void do_mkdir(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	struct sftp_attributes a = sftp_take_attributes(sftp);
	unsigned mode = a.flags & SFTP_ATTR_MODE ? a.mode & 07777 : 0777;
	sftp_send_error(sftp, process_make_folder(sftp->process, name, mode));
	process_give(sftp->process, name);
}

static void do_rmdir(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	sftp_send_error(sftp, process_remove_folder(sftp->process, name));
	process_give(sftp->process, name);
}

static void do_realpath(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	char *real = process_take(sftp->process, MACHINE_PATH_MAX);
	int error =
		process_real_path(sftp->process, *name ? name : ".", false, real, MACHINE_PATH_MAX);
	if (error < 0)
		sftp_send_error(sftp, error);
	else
		sftp_send_name(sftp, real);
	process_give(sftp->process, real);
	process_give(sftp->process, name);
}

/* Never onto what is there: files by a link, others after a look. */
static int rename_plainly(struct process *p, const char *from, const char *to)
{
	struct file_status status;
	int error = process_stat(p, from, false, &status);
	if (error)
		return error;
	if (!S_ISREG(status.mode)) {
		if (process_stat(p, to, true, &status) == 0)
			return -EEXIST;
		return process_rename(p, from, to);
	}
	error = process_link(p, from, to);
	if (error)
		return error;
	error = process_unlink(p, from);
	if (error)
		(void)process_unlink(p, to);
	return error;
}

static void do_rename(struct sftp *sftp)
{
	char *from = sftp_take_text(sftp), *to = sftp_take_text(sftp);
	sftp_send_error(sftp, rename_plainly(sftp->process, from, to));
	process_give(sftp->process, from);
	process_give(sftp->process, to);
}

static void do_readlink(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	char *target = process_take(sftp->process, MACHINE_PATH_MAX);
	ssize_t length = process_readlink(sftp->process, name, target, MACHINE_PATH_MAX);
	if (length < 0)
		sftp_send_error(sftp, length);
	else
		sftp_send_name(sftp, target);
	process_give(sftp->process, target);
	process_give(sftp->process, name);
}

static void do_symlink(struct sftp *sftp)
{
	/* OpenSSH has the two the other way round than the draft. */
	char *target = sftp_take_text(sftp), *path = sftp_take_text(sftp);
	sftp_send_error(sftp, process_symlink(sftp->process, target, path));
	process_give(sftp->process, target);
	process_give(sftp->process, path);
}

/* --- packets --- */

static void do_init(struct sftp *sftp)
{
	sftp->version = sftp_take_u32(sftp);
	sftp->begun = true;
	sftp_begin(sftp, SFTP_VERSION);
	sftp_put_u32(sftp, 3);
	sftp_put_extensions(sftp);
	sftp_send_packet(sftp);
}

static void (*const requests[])(struct sftp *sftp) = {
	[SFTP_OPEN] = do_open,           [SFTP_CLOSE] = do_close,       [SFTP_READ] = do_read,
	[SFTP_WRITE] = do_write,         [SFTP_LSTAT] = do_lstat,       [SFTP_FSTAT] = do_fstat,
	[SFTP_SETSTAT] = do_setstat,     [SFTP_FSETSTAT] = do_fsetstat, [SFTP_OPENDIR] = do_opendir,
	[SFTP_READDIR] = do_readdir,     [SFTP_REMOVE] = do_remove,     [SFTP_MKDIR] = do_mkdir,
	[SFTP_RMDIR] = do_rmdir,         [SFTP_REALPATH] = do_realpath, [SFTP_STAT] = do_stat,
	[SFTP_RENAME] = do_rename,       [SFTP_READLINK] = do_readlink, [SFTP_SYMLINK] = do_symlink,
	[SFTP_EXTENDED] = sftp_extended,
};

static void handle_packet(struct sftp *sftp)
{
	uint8_t type = cursor_u8(&sftp->in);
	if (type == SFTP_INIT) {
		do_init(sftp);
		return;
	}
	if (!sftp->begun)
		sftp_broken(sftp->process);
	sftp->id = sftp_take_u32(sftp);
	if (type < ARRAY_COUNT(requests) && requests[type])
		requests[type](sftp);
}

/* The whole length; false: the client is gone. */
static bool read_fully(struct process *p, uint8_t *at, size_t length)
{
	while (length > 0) {
		ssize_t count = process_read(p, 0, at, length);
		if (count <= 0)
			return false;
		at += count;
		length -= (size_t)count;
	}
	return true;
}

static int sftp_server_main(struct process *process, int argc, char **argv)
{
	struct sftp sftp = {.process = process, .unused = -1};
	uint8_t header[4], *packet = NULL;
	size_t room = 0;
	while (read_fully(process, header, sizeof(header))) {
		struct cursor cursor = cursor_of(slice_of(header, sizeof(header)));
		uint32_t length = cursor_u32be(&cursor);
		if (length > SFTP_PACKET_MAX)
			return 11;
		if (length == 0) {
			if (read_fully(process, header, 1))
				sftp_broken(process);
			break;
		}
		if (length > room) {
			process_give(process, packet);
			/* Small ones stay: most are. */
			room = length < 1024 ? 1024 : length;
			packet = process_take(process, room);
		}
		if (!read_fully(process, packet, length))
			break;
		sftp.in = cursor_of(slice_of(packet, length));
		handle_packet(&sftp);
		process_step(process);
	}
	return 0;
}

static const struct command commands[] = {
	{"sftp-server", sftp_server_main, COMMAND_DEBIAN, "/usr/lib/openssh", NULL},
	{0},
};

const struct command_family command_family_sftp_server = {"sftp-server", commands};
