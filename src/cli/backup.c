/* sundew backup: everything that makes this installation, in one file, while it runs.
 *
 * Events that still wait in the spools are not in it: they are seconds old. The inbox of evidence
 * is read before the rest, so that a piece that moves meanwhile is met once more, never missed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/folders.h"
#include "exchange/archive.h"

static const struct command_option backup_options[] = {
	OPTION_DATA,
	OPTION_CONFIG,
};

#define WORK_ARCHIVE "archive"

struct backup {
	struct folders folders;
	const char *target;
	char work_path[PATH_LENGTH]; /* beside the target, so that the archive can be renamed */
	int work, data, file;
	struct archive_writer *archive;
	uint64_t files, bytes;
	bool shows_progress;
};

static void show_pages(void *context, int done, int all)
{
	const struct backup *backup = context;

	if (backup->shows_progress && all > 0)
		fprintf(stderr, "\rdatabase: %3d %%", (int)((int64_t)100 * done / all));
}

static void show_files(const struct backup *backup)
{
	if (backup->shows_progress)
		fprintf(stderr, "\r%llu files, %llu MiB ", (unsigned long long)backup->files,
			(unsigned long long)(backup->bytes >> 20));
}

/* Adds folder/name under the given name; 0 also when it is not there (any more) or no file. */
static int add_file(struct backup *backup, int folder, const char *file_name, const char *name)
{
	int file = openat(folder, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct archive_member member;
	struct stat status;
	int result = 0;

	if (file < 0 && (errno == ENOENT || errno == ELOOP))
		return 0;
	if (file < 0 || fstat(file, &status) < 0) {
		log_error("cannot read %s: %m", name);
		if (file >= 0)
			close(file);
		return -1;
	}
	if (S_ISREG(status.st_mode)) {
		memset(&member, 0, sizeof(member));
		snprintf(member.name, sizeof(member.name), "%s", name);
		member.size = (uint64_t)status.st_size;
		member.mode = status.st_mode & 07777;
		member.modified = status.st_mtim.tv_sec;
		result = archive_add(backup->archive, &member, file);
		if (result < 0)
			log_error("cannot write the backup: %s",
				  archive_writer_problem(backup->archive));
		backup->files++;
		backup->bytes += member.size;
		show_files(backup);
	}
	close(file);
	return result;
}

static bool is_evidence(const char *name)
{
	return name[0] != '.' && strncmp(name, "part-", 5) != 0; /* unfinished ones begin so */
}

/* Files of one folder; what lies in folders below it comes with depth > 0. */
static int add_folder(struct backup *backup, int parent, const char *folder_name, const char *path,
		      unsigned depth)
{
	int folder = openat(parent, folder_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = folder < 0 ? NULL : fdopendir(folder);
	const struct dirent *entry;
	int result = 0;

	if (!directory && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (!directory) {
		log_error("cannot read the folder %s: %m", path);
		return -1;
	}
	while (result == 0 && (entry = readdir(directory))) {
		char name[ARCHIVE_NAME_MAX + 1];
		struct stat status;

		if (!is_evidence(entry->d_name) ||
		    fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(name)) {
			log_warning("left out a file of %s: its name is too long", path);
			continue;
		}
		if (S_ISREG(status.st_mode))
			result = add_file(backup, folder, entry->d_name, name);
		else if (S_ISDIR(status.st_mode) && depth > 0 &&
			 strcmp(entry->d_name, "inbox") != 0)
			result = add_folder(backup, folder, entry->d_name, name, depth - 1);
	}
	closedir(directory);
	return result;
}

static int copy_database(struct backup *backup)
{
	struct store *store = host_store(&backup->folders);
	int result;

	if (!store)
		return -1;
	result = store_backup(store, backup->work, STORE_FILE, show_pages, backup);
	if (result < 0)
		log_error("%s", store_problem(store));
	store_close(store);
	if (result == 0)
		result = add_file(backup, backup->work, STORE_FILE, "store/" STORE_FILE);
	unlinkat(backup->work, STORE_FILE, 0);
	return result;
}

static int add_all(struct backup *backup)
{
	static const char *const files[] = {"secret", "certificate.pem", "key.pem",
					    "ssh_host_keys.pem", "access.table"};

	if (add_file(backup, AT_FDCWD, backup->folders.config, "sundew.yaml") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		if (add_file(backup, backup->data, files[i], files[i]) < 0)
			return -1;
	if (copy_database(backup) < 0 ||
	    add_folder(backup, backup->data, "evidence/inbox", "evidence/inbox", 0) < 0 ||
	    add_folder(backup, backup->data, "evidence", "evidence", 1) < 0 ||
	    add_folder(backup, backup->data, "machines", "machines", 0) < 0)
		return -1;
	if (archive_finish(backup->archive) == 0)
		return 0;
	log_error("cannot write the backup: %s", archive_writer_problem(backup->archive));
	return -1;
}

/* The folder that the target goes to, synced so that its new name lasts. */
static int put_in_place(struct backup *backup)
{
	int parent = openat(backup->work, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = -1;

	if (parent >= 0 && fsync(backup->file) == 0 &&
	    renameat(backup->work, WORK_ARCHIVE, AT_FDCWD, backup->target) == 0 &&
	    fsync(parent) == 0)
		result = 0;
	else
		log_error("cannot put the backup at %s: %m", backup->target);
	if (parent >= 0)
		close(parent);
	return result;
}

/* A folder of our own beside the target, with the archive to be in it. */
static int open_work(struct backup *backup)
{
	struct stat status;

	if (stat(backup->target, &status) == 0 && !S_ISREG(status.st_mode)) {
		log_error("cannot write %s: there is something of that name that is no file",
			  backup->target);
		return -1;
	}
	if (snprintf(backup->work_path, PATH_LENGTH, "%s.XXXXXX", backup->target) >= PATH_LENGTH ||
	    !mkdtemp(backup->work_path)) {
		log_error("cannot write beside %s: %m", backup->target);
		backup->work_path[0] = 0;
		return -1;
	}
	backup->work = open(backup->work_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (backup->work >= 0)
		backup->file = openat(backup->work, WORK_ARCHIVE,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (backup->file < 0)
		log_error("cannot write in %s: %m", backup->work_path);
	return backup->file < 0 ? -1 : 0;
}

static void close_work(struct backup *backup)
{
	if (backup->file >= 0)
		close(backup->file);
	if (backup->work >= 0) {
		unlinkat(backup->work, WORK_ARCHIVE, 0);
		close(backup->work);
	}
	if (backup->work_path[0])
		rmdir(backup->work_path);
	if (backup->data >= 0)
		close(backup->data);
	archive_writer_free(backup->archive);
}

static int run_backup(const struct invocation *invocation)
{
	struct backup backup = {.target = invocation->words[0],
				.work = -1,
				.data = -1,
				.file = -1,
				.shows_progress = isatty(STDERR_FILENO) == 1};
	struct stat status;
	int result = EXIT_TROUBLE;

	folders_find(invocation, &backup.folders);
	backup.data = folders_open(&backup.folders, ".", false);
	if (backup.data < 0 || open_work(&backup) < 0)
		goto done;
	backup.archive = archive_writer_new(backup.file);
	if (!backup.archive) {
		log_error("cannot write the backup: out of memory");
		goto done;
	}
	result = add_all(&backup) < 0 ? EXIT_TROUBLE : EXIT_GOOD;
	if (backup.shows_progress)
		fputc('\n', stderr);
	if (result == EXIT_GOOD && put_in_place(&backup) < 0)
		result = EXIT_TROUBLE;
	if (result == EXIT_GOOD && fstat(backup.file, &status) == 0)
		printf("%s: %llu files, %llu bytes, packed into %lld\n", backup.target,
		       (unsigned long long)backup.files, (unsigned long long)backup.bytes,
		       (long long)status.st_size);
done:
	close_work(&backup);
	return result;
}

const struct command command_backup = {
	.name = "backup",
	.summary = "Write everything that makes this installation into one file",
	.arguments = "FILE",
	.details =
		"The file holds configuration, secret, certificate, SSH host keys, what sources\n"
		"tried and wrote, the database and all evidence: a tar compressed with zstd, "
		"whose\n"
		"last member MANIFEST has the\n"
		"SHA-256 of all others. Sundew may run meanwhile. Keep the file safe: it holds "
		"keys\n"
		"and malware. Events that wait in the spools (seconds old) are not in it.",
	.options = backup_options,
	.option_count = ARRAY_COUNT(backup_options),
	.words_min = 1,
	.words_max = 1,
	.run = run_backup,
};
