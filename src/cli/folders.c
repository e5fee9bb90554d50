/* Where things lie; see folders.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/folders.h"

#define DATA_STANDARD "/var/lib/sundew"

static void set_path(char path[PATH_LENGTH], const char *format, ...) PRINTF(2, 3);
static void set_path(char path[PATH_LENGTH], const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, PATH_LENGTH, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= PATH_LENGTH)
		fatal("a path is longer than %d bytes", PATH_LENGTH);
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Folder of the running program. */
static void program_folder(char path[PATH_LENGTH])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_LENGTH - 1);
	char *slash;

	path[length > 0 ? length : 0] = 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
}

/* Beside the program when it runs from its build folder, else where it is installed. */
static void find_companion(char path[PATH_LENGTH], const char *variable, const char *in_source,
			   const char *installed)
{
	char program[PATH_LENGTH];
	const char *named = getenv(variable);

	if (named) {
		set_path(path, "%s", named);
		return;
	}
	program_folder(program);
	if (snprintf(path, PATH_LENGTH, "%s/../%s", program, in_source) < PATH_LENGTH &&
	    is_folder(path))
		return;
	if (snprintf(path, PATH_LENGTH, "%s/../%s", program, installed) >= PATH_LENGTH)
		fatal("a path is longer than %d bytes", PATH_LENGTH);
}

void folders_find(const struct invocation *invocation, struct folders *folders)
{
	const char *data = option_value(invocation, "data");
	const char *config = option_value(invocation, "config");
	char machine[PATH_LENGTH];

	if (!data)
		data = getenv("SUNDEW_DATA") ? getenv("SUNDEW_DATA") : DATA_STANDARD;
	set_path(folders->data, "%s", data);
	if (config)
		set_path(folders->config, "%s", config);
	else
		folders_path(folders, "sundew.yaml", folders->config);
	find_companion(folders->share, "SUNDEW_SHARE", "share/personas/..", "share/sundew");
	find_companion(folders->geo, "SUNDEW_GEO", ".geo", "share/sundew/geo");
	find_companion(machine, "SUNDEW_MACHINE", ".machine", "share/sundew/machine");
	set_path(folders->image, "%s/debian-12.img", machine);
}

void folders_path(const struct folders *folders, const char *name, char path[PATH_LENGTH])
{
	set_path(path, "%s/%s", folders->data, name);
}

static int make_folders(char *path)
{
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST) {
			*at = '/';
			return -1;
		}
		*at = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

int folders_open(const struct folders *folders, const char *name, bool make)
{
	char path[PATH_LENGTH];
	int folder;

	if (strcmp(name, ".") == 0)
		set_path(path, "%s", folders->data);
	else
		folders_path(folders, name, path);
	if (make && make_folders(path) < 0) {
		log_error("cannot make the folder %s: %m; choose another with --data", path);
		return -1;
	}
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		log_error("cannot open the folder %s: %m%s", path,
			  errno == ENOENT ? "; `sundew run` makes it, --data chooses another" : "");
	return folder;
}

int folders_secret(const struct folders *folders, uint8_t secret[PERSONA_SECRET_LENGTH],
		   int64_t *installed)
{
	char path[PATH_LENGTH];
	struct stat status;
	int file;

	folders_path(folders, "secret", path);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) {
		log_error("cannot open %s: %m", path);
		return -1;
	}
	if (read(file, secret, PERSONA_SECRET_LENGTH) != PERSONA_SECRET_LENGTH) {
		random_bytes(secret, PERSONA_SECRET_LENGTH);
		if (pwrite(file, secret, PERSONA_SECRET_LENGTH, 0) != PERSONA_SECRET_LENGTH ||
		    fsync(file) < 0) {
			log_error("cannot write %s: %m", path);
			close(file);
			return -1;
		}
	}
	*installed = fstat(file, &status) == 0 ? status.st_mtim.tv_sec * SECOND : clock_wall();
	close(file);
	return 0;
}

struct persona *installation_persona(const struct folders *folders,
				     const struct decoy_settings *settings)
{
	uint8_t secret[PERSONA_SECRET_LENGTH];
	struct persona *persona;
	char path[PATH_LENGTH], *why = NULL;
	int64_t installed;

	if (folders_secret(folders, secret, &installed) < 0)
		return NULL;
	set_path(path, "%s/personas/%s.yaml", settings->share, settings->persona_name);
	persona = persona_read(path, secret, installed, &why);
	if (!persona)
		log_error("cannot use the persona '%s': %s", settings->persona_name,
			  why ? why : "out of memory");
	free(why);
	return persona;
}

struct store *host_store(const struct folders *folders)
{
	int folder = folders_open(folders, "store", false);
	struct store *store;
	char why[512];

	if (folder < 0)
		return NULL;
	store = store_open(folder, STORE_READ, NULL, why, sizeof(why));
	if (!store)
		log_error("%s", why);
	return store;
}
