/* sundew restore: puts a backup in place, all of it or nothing.
 *
 * Everything is unpacked into a folder of its own inside the data folder. Only when all sums held
 * and the database could be opened are the parts renamed to where they belong.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/folders.h"
#include "exchange/archive.h"

static const struct command_option restore_options[] = {
	{"force", 0, NULL,
	 "Also when the data folder is not empty: what is replaced is kept beside it"},
	OPTION_DATA,
};

/* What is put in place; the spool is only moved away, for its events belong to the old database. */
static const char *const top_names[] = {
	"sundew.yaml",  "secret", "certificate.pem", "key.pem",  "ssh_host_keys.pem",
	"access.table", "store",  "evidence",        "machines", "spool"};

struct restore {
	struct folders folders;
	const char *source;
	char staging_path[PATH_LENGTH], replaced_name[64];
	int file, data, staging;
	bool made_data, is_empty;
	struct archive_reader *archive;
	uint64_t files;
	int64_t events;
};

/* --- the data folder --- */

static bool folder_is_empty(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	bool empty = directory != NULL;

	while (directory && (entry = readdir(directory)))
		empty = empty && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
				  !strcmp(entry->d_name, "lost+found"));
	if (directory)
		closedir(directory);
	return empty;
}

static int open_places(struct restore *restore, bool force)
{
	restore->file = open(restore->source, O_RDONLY | O_CLOEXEC);
	if (restore->file < 0) {
		log_error("cannot open %s: %m", restore->source);
		return -1;
	}
	restore->made_data = access(restore->folders.data, F_OK) < 0;
	restore->data = folders_open(&restore->folders, ".", true);
	if (restore->data < 0)
		return -1;
	restore->is_empty = folder_is_empty(restore->data);
	if (!restore->is_empty && !force) {
		log_error("the folder %s is not empty: choose another with --data, or stop Sundew "
			  "there and give --force",
			  restore->folders.data);
		return -1;
	}
	folders_path(&restore->folders, ".restore-XXXXXX", restore->staging_path);
	if (!mkdtemp(restore->staging_path)) {
		log_error("cannot write in %s: %m", restore->folders.data);
		restore->staging_path[0] = 0;
		return -1;
	}
	restore->staging = open(restore->staging_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return restore->staging < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	return remove(path);
}

static void close_places(struct restore *restore)
{
	if (restore->staging >= 0)
		close(restore->staging);
	if (restore->staging_path[0] &&
	    nftw(restore->staging_path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		log_warning("cannot remove %s: %m", restore->staging_path);
	if (restore->data >= 0)
		close(restore->data);
	if (restore->made_data)
		rmdir(restore->folders.data); /* goes only when it is still empty */
	if (restore->file >= 0)
		close(restore->file);
	archive_reader_free(restore->archive);
}

/* --- unpacking --- */

static bool is_known(const char *name)
{
	if (strncmp(name, "evidence/", 9) == 0 || strncmp(name, "machines/", 9) == 0 ||
	    strcmp(name, "store/" STORE_FILE) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(top_names); i++)
		if (strcmp(name, top_names[i]) == 0)
			return strchr(name, '.') || strcmp(name, "secret") == 0;
	return false;
}

static int make_parents(int folder, const char *name)
{
	char path[ARCHIVE_NAME_MAX + 1];

	for (size_t i = 0; name[i]; i++) {
		if (name[i] == '/') {
			path[i] = 0;
			if (mkdirat(folder, path, 0700) < 0 && errno != EEXIST)
				return -1;
		}
		path[i] = name[i];
	}
	return 0;
}

static int unpack_one(struct restore *restore, const struct archive_member *member)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = member->modified}};
	int file, result = -1;

	if (!is_known(member->name)) {
		log_error("cannot use %s: %s has no place in a data folder", restore->source,
			  member->name);
		return -1;
	}
	file = make_parents(restore->staging, member->name) < 0
		       ? -1
		       : openat(restore->staging, member->name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0) {
		log_error("cannot write %s/%s: %m", restore->staging_path, member->name);
		return -1;
	}
	if (archive_extract(restore->archive, file) < 0)
		log_error("cannot use %s: %s", restore->source,
			  archive_reader_problem(restore->archive));
	/* The age of the secret is when this installation was made. Never set-id bits. */
	else if (fchmod(file, member->mode & 01777) < 0 || futimens(file, times) < 0)
		log_error("cannot set the mode of %s: %m", member->name);
	else
		result = 0;
	if (close(file) < 0)
		result = -1;
	restore->files++;
	return result;
}

static int unpack(struct restore *restore)
{
	struct archive_member member;
	int more;

	restore->archive = archive_reader_new(restore->file);
	if (!restore->archive) {
		log_error("cannot read %s: out of memory", restore->source);
		return -1;
	}
	while ((more = archive_next(restore->archive, &member)) > 0)
		if (unpack_one(restore, &member) < 0)
			return -1;
	if (more < 0)
		log_error("cannot use %s: %s", restore->source,
			  archive_reader_problem(restore->archive));
	else if (faccessat(restore->staging, "store/" STORE_FILE, F_OK, 0) < 0 ||
		 faccessat(restore->staging, "secret", F_OK, 0) < 0 ||
		 faccessat(restore->staging, "sundew.yaml", F_OK, 0) < 0)
		log_error("cannot use %s: configuration, secret or database is not in it",
			  restore->source);
	else
		return 0;
	return -1;
}

/* --- checking and putting in place --- */

/* Opens the database for writing, which migrates one of an older Sundew, and forgets how far the
 * spools were read: the new host's begin anew. */
static int check_store(struct restore *restore)
{
	int folder = openat(restore->staging, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store_status status;
	struct store *store;
	char why[512];
	int result = -1;

	if (folder < 0)
		return -1;
	store = store_open(folder, STORE_WRITE, NULL, why, sizeof(why));
	if (!store)
		log_error("cannot use %s: %s", restore->source, why);
	else if (store_forget_positions(store) < 0 || store_status(store, &status) < 0)
		log_error("cannot use %s: its database: %s", restore->source, store_problem(store));
	else
		result = 0;
	if (result == 0)
		restore->events = status.events;
	store_close(store);
	close(folder);
	return result;
}

static int give_entries(int folder, const struct passwd *user)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int result = directory ? 0 : -1;

	while (result == 0 && (entry = readdir(directory))) {
		int below;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		result = fchownat(folder, entry->d_name, user->pw_uid, user->pw_gid,
				  AT_SYMLINK_NOFOLLOW);
		below = openat(folder, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0) { /* as deep as unpacked: names are at most 100 bytes */
			if (result == 0)
				result = give_entries(below, user);
			close(below);
		}
	}
	if (directory)
		closedir(directory);
	return result;
}

static int give_tree(const struct restore *restore, const char *name, const struct passwd *user)
{
	int folder =
		openat(restore->staging, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int result;

	if (folder < 0)
		return errno == ENOENT ? 0 : -1;
	result = fchown(folder, user->pw_uid, user->pw_gid);
	if (result == 0)
		result = give_entries(folder, user);
	close(folder);
	return result;
}

/* As root: database and evidence belong to the user that the processes become on this host. */
static void give_to_user(const struct restore *restore)
{
	struct folders staged = restore->folders;
	struct host_settings settings;
	struct config *config;
	const struct passwd *user;

	if (geteuid() != 0)
		return;
	if (snprintf(staged.config, PATH_LENGTH, "%s/sundew.yaml", restore->staging_path) >=
	    PATH_LENGTH)
		return;
	config = host_settings_read(&staged, ACCESS_AS_CONFIGURED, &settings);
	user = config ? getpwnam(settings.user) : NULL;
	if (!user || give_tree(restore, "store", user) < 0 ||
	    give_tree(restore, "evidence", user) < 0)
		log_warning("cannot give store and evidence to the user of the configuration: mend "
			    "`user:` and chown both folders before `sundew run`");
	if (config)
		decoy_settings_free(&settings.decoy);
	config_free(config);
}

/* What was done with each of top_names, to be undone when a later one fails. */
struct swap {
	bool was_kept, was_placed;
};

/* Swaps one name; what was there goes to the folder of replaced things (-1: there is none). */
static int swap_in(const struct restore *restore, int replaced, const char *name, struct swap *swap)
{
	if (replaced >= 0) {
		swap->was_kept = renameat(restore->data, name, replaced, name) == 0;
		if (!swap->was_kept && errno != ENOENT)
			return -1;
	}
	swap->was_placed = renameat(restore->staging, name, restore->data, name) == 0;
	return swap->was_placed || errno == ENOENT ? 0 : -1;
}

static void swap_out(const struct restore *restore, int replaced, const char *name,
		     const struct swap *swap)
{
	if (swap->was_placed && renameat(restore->data, name, restore->staging, name) < 0)
		log_error("cannot move %s out again: %m", name);
	if (swap->was_kept && renameat(replaced, name, restore->data, name) < 0)
		log_error("cannot move %s back; it is in %s", name, restore->replaced_name);
}

static int make_replaced(struct restore *restore)
{
	struct civil_time now = clock_civil(clock_wall());

	snprintf(restore->replaced_name, sizeof(restore->replaced_name),
		 "replaced-%04d%02d%02d-%02d%02d%02d", now.year, now.month, now.day, now.hour,
		 now.minute, now.second);
	if (mkdirat(restore->data, restore->replaced_name, 0700) < 0)
		return -1;
	return openat(restore->data, restore->replaced_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int put_in_place(struct restore *restore)
{
	struct swap swaps[ARRAY_COUNT(top_names)] = {{false, false}};
	int replaced = -1;

	if (!restore->is_empty) {
		replaced = make_replaced(restore);
		if (replaced < 0) {
			log_error("cannot make a folder in %s: %m", restore->folders.data);
			return -1;
		}
	}
	if (syncfs(restore->data) < 0)
		goto fail;
	for (size_t i = 0; i < ARRAY_COUNT(top_names); i++)
		if (swap_in(restore, replaced, top_names[i], &swaps[i]) < 0)
			goto fail;
	if (syncfs(restore->data) < 0)
		log_warning("cannot sync %s: %m", restore->folders.data);
	if (replaced >= 0)
		close(replaced);
	return 0;
fail:
	log_error("cannot put the backup in place: %m");
	for (size_t i = 0; i < ARRAY_COUNT(top_names); i++)
		swap_out(restore, replaced, top_names[i], &swaps[i]);
	if (replaced >= 0) {
		close(replaced);
		unlinkat(restore->data, restore->replaced_name, AT_REMOVEDIR);
	}
	return -1;
}

static int run_restore(const struct invocation *invocation)
{
	struct restore restore = {
		.source = invocation->words[0], .file = -1, .data = -1, .staging = -1};
	int result = EXIT_TROUBLE;

	folders_find(invocation, &restore.folders);
	if (open_places(&restore, option_given(invocation, "force")) == 0 &&
	    unpack(&restore) == 0 && check_store(&restore) == 0) {
		give_to_user(&restore);
		if (put_in_place(&restore) == 0)
			result = EXIT_GOOD;
	}
	close_places(&restore);
	if (result != EXIT_GOOD)
		return result;
	printf("%s: %llu files, %lld events\n", restore.folders.data,
	       (unsigned long long)restore.files, (long long)restore.events);
	if (restore.replaced_name[0])
		printf("what was there before is in %s/%s\n", restore.folders.data,
		       restore.replaced_name);
	return result;
}

const struct command command_restore = {
	.name = "restore",
	.summary = "Put a backup in place",
	.arguments = "FILE",
	.details = "Unpacks what `sundew backup` wrote, on this host or another. Nothing is put in "
		   "place\n"
		   "before every file agrees with its SHA-256 and the database could be opened. "
		   "Sundew\n"
		   "must not run on the data folder meanwhile.",
	.options = restore_options,
	.option_count = ARRAY_COUNT(restore_options),
	.words_min = 1,
	.words_max = 1,
	.run = run_restore,
};
