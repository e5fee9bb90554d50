/* The sandbox, step by step. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/filter.h"
#include "process/sandbox.h"

/* Landlock as of version 6; Debian 12's header stops at version 2. The kernel takes a shorter or a
 * longer struct as long as what it does not know is zero. Names and values: linux/landlock.h. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};
#define FILES_VERSION_1 ((1ULL << 13) - 1)      /* EXECUTE .. MAKE_SYM */
#define FILES_REFER     (1ULL << 13)            /* version 2: rename and link between folders */
#define FILES_TRUNCATE  (1ULL << 14)            /* version 3 */
#define FILES_IOCTL_DEV (1ULL << 15)            /* version 5 */
#define NET_ALL         (1ULL << 0 | 1ULL << 1) /* version 4: bind and connect of TCP */
#define SCOPE_ALL       (1ULL << 0 | 1ULL << 1) /* version 6: abstract sockets, signals */

static const struct {
	unsigned right;
	uint64_t access;
} landlock_rights[] = {
	{SANDBOX_READ, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR},
	{SANDBOX_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE | FILES_TRUNCATE},
	{SANDBOX_CREATE, LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | FILES_REFER},
	{SANDBOX_REMOVE, LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR},
};

static int limit(__rlimit_resource_t resource, uint64_t value)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return -1;
	if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	return setrlimit(resource, &now);
}

static int limit_resources(const struct sandbox *sandbox)
{
	if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NPROC, 0) < 0)
		return -1;
	if (sandbox->files && limit(RLIMIT_NOFILE, sandbox->files) < 0)
		return -1;
#ifndef __SANITIZE_ADDRESS__ /* its shadow takes terabytes of address space */
	if (sandbox->memory_bytes && limit(RLIMIT_AS, sandbox->memory_bytes) < 0)
		return -1;
#endif
	return 0;
}

/* An empty folder that is already removed: nothing can ever be put into it. */
static int open_empty_folder(void)
{
	static const char *const places[] = {"/run", "/tmp", "/dev/shm", "/var/tmp"};
	int descriptor = -1;

	for (size_t i = 0; i < ARRAY_COUNT(places) && descriptor < 0; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/sundew-XXXXXX", places[i]);
		if (mkdtemp(path) == NULL)
			continue;
		descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (descriptor >= 0 && (fchmod(descriptor, 0555) < 0 || rmdir(path) < 0)) {
			close(descriptor);
			return -1;
		}
	}
	return descriptor;
}

/* Without root only the working directory changes, and paths are Landlock's matter. */
static int change_root(int home, bool root)
{
	int folder = home, r = -1;

	if (home < 0 && !root)
		return chdir("/");
	if (home < 0)
		folder = open_empty_folder();
	if (folder < 0 || fchdir(folder) < 0)
		goto done;
	if (root && (chroot(".") < 0 || chdir("/") < 0))
		goto done;
	r = 0;
done:
	if (folder != home && folder >= 0)
		close(folder);
	return r;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &header, none);
}

/* The bounding set needs CAP_SETPCAP, so it goes while there is some; without it there is nothing
 * that no_new_privs leaves to gain. */
static int drop_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL && capability > 0 ? 0 : -1;
	}
	return 0;
}

static int change_user(const struct sandbox_user *user)
{
	if (setgroups(0, NULL) < 0)
		return -1;
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

int sandbox_landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

static int add_folder(int ruleset, const struct sandbox_folder *folder, uint64_t handled)
{
	struct landlock_path_beneath_attr beneath = {.parent_fd = folder->descriptor};

	for (size_t i = 0; i < ARRAY_COUNT(landlock_rights); i++) {
		if (folder->rights & landlock_rights[i].right)
			beneath.allowed_access |= landlock_rights[i].access;
	}
	beneath.allowed_access &= handled;
	if (beneath.allowed_access == 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath,
			    0);
}

static int enter_landlock(const struct sandbox_folder *folders, size_t count)
{
	int version = sandbox_landlock_version(), ruleset, r = -1;
	struct ruleset rules = {
		.handled_access_fs = FILES_VERSION_1 | (version >= 2 ? FILES_REFER : 0) |
				     (version >= 3 ? FILES_TRUNCATE : 0) |
				     (version >= 5 ? FILES_IOCTL_DEV : 0),
		.handled_access_net = version >= 4 ? NET_ALL : 0,
		.scoped = version >= 6 ? SCOPE_ALL : 0,
	};

	if (version == 0)
		return 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (add_folder(ruleset, &folders[i], rules.handled_access_fs) < 0)
			goto done;
	}
	r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
done:
	close(ruleset);
	return r;
}

int sandbox_enter(const struct sandbox *sandbox, int home, const struct sandbox_folder *folders,
		  size_t count, const struct sandbox_user *user, const char **why)
{
	bool root = geteuid() == 0;
	int death_signal = 0;

	*why = "limiting resources";
	if (limit_resources(sandbox) < 0)
		return -1;
	*why = "finding the home folder among the granted descriptors";
	if (sandbox->home && home < 0) {
		errno = ENOENT;
		return -1;
	}
	*why = "changing the root folder";
	if (change_root(home, root) < 0)
		return -1;
	/* The kernel forgets the parent-death signal when the user changes. */
	*why = "reading the parent-death signal";
	if (prctl(PR_GET_PDEATHSIG, &death_signal) < 0)
		return -1;
	*why = "emptying the capability bounding set";
	if (root && drop_bounding_set() < 0)
		return -1;
	*why = "changing to the unprivileged user";
	if (root && user && change_user(user) < 0)
		return -1;
	*why = "dropping capabilities";
	if (drop_capabilities() < 0)
		return -1;
	*why = "forbidding new privileges and dumps";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	*why = "tying this process to its parent again";
	if (prctl(PR_SET_PDEATHSIG, death_signal) < 0)
		return -1;
	*why = "entering Landlock";
	if (enter_landlock(folders, count) < 0)
		return -1;
	*why = "installing the system call filter";
	if (filter_install(sandbox->calls) < 0)
		return -1;
	*why = NULL;
	return 0;
}
