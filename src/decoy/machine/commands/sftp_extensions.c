/* The extensions of OpenSSH's sftp-server (its PROTOCOL file, section 4). */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/sftp.h"
#include "decoy/machine/limits.h"

/* What the server promises (1024 descriptors less five); ours run out a little earlier. */
#define HANDLES_TOLD 1019
#define COPY_LENGTH  8192

static void ext_rename(struct sftp *sftp)
{
	char *from = sftp_take_text(sftp), *to = sftp_take_text(sftp);
	sftp_send_error(sftp, process_rename(sftp->process, from, to));
	process_give(sftp->process, from);
	process_give(sftp->process, to);
}

static void send_file_system(struct sftp *sftp, const char *path)
{
	struct file_system_status s;
	int error = path ? process_file_system_status(sftp->process, path, &s) : -EIO;
	if (error) {
		sftp_send_error(sftp, error);
		return;
	}
	uint64_t id = 0;
	for (const char *at = s.source ? s.source : "none"; *at; at++)
		id = id * 1099511628211u + (uint8_t)*at;
	sftp_begin(sftp, SFTP_EXTENDED_REPLY);
	sftp_put_u64(sftp, s.block_size);
	sftp_put_u64(sftp, s.block_size);
	sftp_put_u64(sftp, s.blocks);
	sftp_put_u64(sftp, s.free_blocks);
	sftp_put_u64(sftp, s.available_blocks);
	sftp_put_u64(sftp, s.files);
	sftp_put_u64(sftp, s.free_files);
	sftp_put_u64(sftp, s.free_files);
	sftp_put_u64(sftp, id);
	sftp_put_u64(sftp, s.read_only ? 1 : 0);
	sftp_put_u64(sftp, MACHINE_NAME_MAX);
	sftp_send_packet(sftp);
}

static void ext_statvfs(struct sftp *sftp)
{
	char *path = sftp_take_text(sftp);
	send_file_system(sftp, path);
	process_give(sftp->process, path);
}

static void ext_fstatvfs(struct sftp *sftp)
{
	struct sftp_handle *handle = sftp_take_file_handle(sftp);
	send_file_system(sftp, handle ? sftp_handle_path(sftp, handle) : NULL);
}

static void ext_hardlink(struct sftp *sftp)
{
	char *from = sftp_take_text(sftp), *to = sftp_take_text(sftp);
	sftp_send_error(sftp, process_link(sftp->process, from, to));
	process_give(sftp->process, from);
	process_give(sftp->process, to);
}

static void ext_fsync(struct sftp *sftp)
{
	sftp_send_status(sftp, sftp_take_file_handle(sftp) ? SFTP_OK : SFTP_NO_SUCH_FILE);
}

static void ext_lsetstat(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	struct sftp_attributes a = sftp_take_attributes(sftp);
	struct file_status status;
	int first = 0;
	if (a.flags & SFTP_ATTR_SIZE)
		first = -EINVAL; /* there is no lchsize */
	if ((a.flags & SFTP_ATTR_MODE) && process_stat(sftp->process, name, false, &status) == 0 &&
	    S_ISLNK(status.mode)) {
		first = -EOPNOTSUPP;
		a.flags &= ~SFTP_ATTR_MODE;
	}
	int error = sftp_set_attributes(sftp, name, &a, false);
	sftp_send_error(sftp, error ? error : first);
	process_give(sftp->process, name);
}

static void ext_limits(struct sftp *sftp)
{
	sftp_begin(sftp, SFTP_EXTENDED_REPLY);
	sftp_put_u64(sftp, SFTP_PACKET_MAX);
	sftp_put_u64(sftp, SFTP_READ_MAX);
	sftp_put_u64(sftp, SFTP_READ_MAX);
	sftp_put_u64(sftp, HANDLES_TOLD);
	sftp_send_packet(sftp);
}

static void ext_expand_path(struct sftp *sftp)
{
	struct process *p = sftp->process;
	char *name = sftp_take_text(sftp);
	const char *path = name;
	if (name[0] == '~' && (name[1] == '\0' || name[1] == '/')) {
		/* The server was started at home. */
		path = process_format(p, "%s%s", process_folder(p), name + 1);
	} else if (name[0] == '~') {
		size_t length = strcspn(name + 1, "/");
		char *user = process_copy_slice(p, slice_of(name + 1, length));
		const struct machine_account *account = command_account(p, user);
		if (!account) {
			sftp_send_words(sftp, SFTP_NO_SUCH_FILE, "no such user");
			return;
		}
		path = process_format(p, "%s%s", account->home, name + 1 + length);
	} else if (name[0] != '/') {
		path = process_format(p, "%s/%s", process_folder(p), name);
	}
	char *real = process_take(p, MACHINE_PATH_MAX);
	int error = process_real_path(p, path, false, real, MACHINE_PATH_MAX);
	if (error < 0)
		sftp_send_error(sftp, error);
	else
		sftp_send_name(sftp, real);
	process_give(p, real);
}

static enum sftp_status copy_data(struct sftp *sftp, struct sftp_handle *from, uint64_t from_offset,
				  uint64_t length, struct sftp_handle *to, uint64_t to_offset)
{
	struct process *p = sftp->process;
	bool to_end = length == 0;
	char *buffer;
	int64_t error;
	if (!from || !to || from == to)
		return SFTP_FAILURE;
	if (from_offset > INT64_MAX || to_offset > INT64_MAX)
		return SFTP_BAD_MESSAGE;
	error = process_seek(p, from->descriptor, (int64_t)from_offset, SEEK_SET);
	if (error >= 0 && !(to->flags & O_APPEND))
		error = process_seek(p, to->descriptor, (int64_t)to_offset, SEEK_SET);
	if (error < 0)
		return sftp_status_of(error);
	buffer = process_take(p, COPY_LENGTH);
	error = 0;
	while (error == 0 && (to_end || length > 0)) {
		size_t want = to_end || length > COPY_LENGTH ? COPY_LENGTH : (size_t)length;
		ssize_t count = (from->flags & O_ACCMODE) == O_WRONLY
					? -EBADF
					: process_read(p, from->descriptor, buffer, want);
		process_step(p);
		if (count <= 0) {
			error = count;
			break;
		}
		ssize_t written =
			(to->flags & O_ACCMODE) == O_RDONLY
				? -EBADF
				: process_write(p, to->descriptor, slice_of(buffer, (size_t)count));
		error = written < 0 ? written : 0;
		length -= to_end ? 0 : (uint64_t)count;
	}
	process_give(p, buffer);
	return sftp_status_of(error);
}

static void ext_copy_data(struct sftp *sftp)
{
	struct slice from = sftp_take_string(sftp);
	uint64_t from_offset = sftp_take_u64(sftp), length = sftp_take_u64(sftp);
	struct slice to = sftp_take_string(sftp);
	uint64_t to_offset = sftp_take_u64(sftp);
	struct sftp_handle *source = sftp_handle_from(sftp, from),
			   *target = sftp_handle_from(sftp, to);
	if (source && source->use != SFTP_FILE)
		source = NULL;
	if (target && target->use != SFTP_FILE)
		target = NULL;
	sftp_send_status(sftp, copy_data(sftp, source, from_offset, length, target, to_offset));
}

static void ext_home(struct sftp *sftp)
{
	char *user = sftp_take_text(sftp);
	const struct machine_account *account = command_account(sftp->process, user);
	if (account)
		sftp_send_name(sftp, account->home);
	else
		sftp_send_status(sftp, SFTP_FAILURE);
	process_give(sftp->process, user);
}

/* Names of ids, empty where there is none. */
static void put_names(struct sftp *sftp, struct slice ids, bool groups)
{
	struct process *p = sftp->process;
	struct cursor cursor = cursor_of(ids);
	size_t where = sftp->out.length;
	sftp_put_u32(sftp, 0);
	while (cursor.left > 0) {
		uint32_t id = cursor_u32be(&cursor);
		if (cursor.failed)
			sftp_broken(p);
		const char *name = groups ? command_group_name(p, id) : command_user_name(p, id);
		bool is_number = name[0] >= '0' && name[0] <= '9';
		sftp_put_string(sftp, slice_text(is_number ? "" : name));
		process_step(p);
	}
	size_t length = sftp->out.length - where - 4;
	for (unsigned i = 0; i < 4; i++)
		sftp->out.data[where + i] = (char)(uint8_t)(length >> (24 - 8 * i));
}

static void ext_names_by_id(struct sftp *sftp)
{
	struct slice uids = sftp_take_string(sftp), gids = sftp_take_string(sftp);
	sftp_begin(sftp, SFTP_EXTENDED_REPLY);
	put_names(sftp, uids, false);
	put_names(sftp, gids, true);
	sftp_send_packet(sftp);
}

static const struct sftp_extension {
	const char *name, *version;
	void (*run)(struct sftp *sftp);
} extensions[] = {
	{"posix-rename@openssh.com", "1", ext_rename},
	{"statvfs@openssh.com", "2", ext_statvfs},
	{"fstatvfs@openssh.com", "2", ext_fstatvfs},
	{"hardlink@openssh.com", "1", ext_hardlink},
	{"fsync@openssh.com", "1", ext_fsync},
	{"lsetstat@openssh.com", "1", ext_lsetstat},
	{"limits@openssh.com", "1", ext_limits},
	{"expand-path@openssh.com", "1", ext_expand_path},
	{"copy-data", "1", ext_copy_data},
	{"home-directory", "1", ext_home},
	{"users-groups-by-id@openssh.com", "1", ext_names_by_id},
};

void sftp_extended(struct sftp *sftp)
{
	char *name = sftp_take_text(sftp);
	for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
		if (strcmp(name, extensions[i].name) == 0) {
			process_give(sftp->process, name);
			extensions[i].run(sftp);
			return;
		}
	}
	process_give(sftp->process, name);
	sftp_send_status(sftp, SFTP_UNSUPPORTED);
}

void sftp_put_extensions(struct sftp *sftp)
{
	for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
		sftp_put_string(sftp, slice_text(extensions[i].name));
		sftp_put_string(sftp, slice_text(extensions[i].version));
	}
}
