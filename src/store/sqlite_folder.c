/* System calls for SQLite that understand /descriptor/N/file. */
#include "store/sqlite_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#define PREFIX "/descriptor/"

/* The folder to start from and, in *path, what is left of the name; AT_FDCWD for other names. */
static int folder_of(const char **path)
{
	const char *number = *path + sizeof(PREFIX) - 1;
	char *end;
	long fd;

	if (strncmp(*path, PREFIX, sizeof(PREFIX) - 1) != 0)
		return AT_FDCWD;
	fd = strtol(number, &end, 10);
	if (end == number || fd < 0 || fd > INT_MAX)
		return AT_FDCWD;
	if (*end == '\0')
		*path = ".";
	else if (*end == '/')
		*path = end + 1;
	else
		return AT_FDCWD;
	return (int)fd;
}

static int folder_open(const char *path, int flags, int mode)
{
	int folder = folder_of(&path);

	return openat(folder, path, flags | O_CLOEXEC, mode);
}

static int folder_access(const char *path, int mode)
{
	int folder = folder_of(&path);

	return faccessat(folder, path, mode, 0);
}

static int folder_stat(const char *path, struct stat *status)
{
	int folder = folder_of(&path);

	return fstatat(folder, path, status, 0);
}

/* The parts of the name that are no folders of the disk do not exist, and are no links either. */
static int folder_lstat(const char *path, struct stat *status)
{
	int folder;

	if (strcmp(path, "/descriptor") == 0) {
		errno = ENOENT;
		return -1;
	}
	folder = folder_of(&path);
	if (folder != AT_FDCWD && strcmp(path, ".") == 0) {
		errno = ENOENT;
		return -1;
	}
	return fstatat(folder, path, status, AT_SYMLINK_NOFOLLOW);
}

static int folder_unlink(const char *path)
{
	int folder = folder_of(&path);

	return unlinkat(folder, path, 0);
}

/* Opens the folder that a file is in, to sync it. */
static int folder_open_directory(const char *path, int *fd)
{
	char parent[PATH_MAX];
	const char *name = path;
	int folder = folder_of(&name);
	const char *slash = strrchr(path, '/');

	if (folder != AT_FDCWD)
		snprintf(parent, sizeof(parent), ".");
	else if (slash)
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path + 1), path);
	else
		snprintf(parent, sizeof(parent), ".");
	*fd = openat(folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? SQLITE_CANTOPEN : SQLITE_OK;
}

int sqlite_folder_install(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {
#define CALL(name, function) {name, (sqlite3_syscall_ptr)(void (*)(void))function}
		CALL("open", folder_open),     CALL("access", folder_access),
		CALL("stat", folder_stat),     CALL("lstat", folder_lstat),
		CALL("unlink", folder_unlink), CALL("openDirectory", folder_open_directory),
#undef CALL
	};
	sqlite3_vfs *vfs;

	/* Accounting takes a lock at every allocation. Refused once SQLite runs, which does no
	 * harm. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	vfs = sqlite3_vfs_find("unix");
	if (!vfs || vfs->iVersion < 3)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(calls); i++)
		if (vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call) != SQLITE_OK)
			return -1;
	return 0;
}

int sqlite_folder_name(int folder_fd, const char *file, char name[SQLITE_FOLDER_NAME_MAX])
{
	int length;

	if (folder_fd < 0 || strchr(file, '/') || file[0] == '\0' || file[0] == '.')
		return -1;
	length = snprintf(name, SQLITE_FOLDER_NAME_MAX, PREFIX "%d/%s", folder_fd, file);
	return length > 0 && length < SQLITE_FOLDER_NAME_MAX - 8 ? 0 : -1;
}
