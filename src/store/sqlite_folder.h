/* SQLite inside a folder that is known by its descriptor only.
 *
 * A sandboxed process has an empty root, and SQLite opens its files (database, -wal, -shm) by path
 * whenever it needs them. So its system calls are given another meaning for names of one form:
 * "/descriptor/7/sundew.db" is sundew.db in the folder of descriptor 7, opened with openat() and
 * the like (sqlite.org/c3ref/vfs.html, xSetSystemCall). The number is in the name: nothing is
 * global.
 */
#ifndef STORE_SQLITE_FOLDER_H
#define STORE_SQLITE_FOLDER_H

#include "base/bytes.h"

#define SQLITE_FOLDER_NAME_MAX 128

/* Teaches SQLite those names; as often as one likes. -1 when its VFS cannot. */
MUST_CHECK int sqlite_folder_install(void);
/* Writes the name to hand to sqlite3_open_v2; -1 when file is too long or no plain file name. */
MUST_CHECK int sqlite_folder_name(int folder_fd, const char *file,
				  char name[SQLITE_FOLDER_NAME_MAX]);

#endif
