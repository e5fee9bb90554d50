/* The sandbox: code inside it tries each forbidden thing and is refused, and can do what it is for.
 *
 * Every role is tried twice: entered by root (empty root folder, other user) when the test runs as
 * root, and entered by an unprivileged user. One child a role and way; it reports each try as the
 * errno it got, 0 for success. Children end by _exit: a leak checker needs what the sandbox
 * refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "process/roles.h"

#define NOBODY 65534

enum folder {
	SPOOL,
	OTHER_SPOOL,
	INBOX,
	STORE,
	SPOOLS,
	EVIDENCE,
	DATA,
	DASHBOARD,
	SETTINGS,
	FOLDERS
};

static const char *const folder_paths[FOLDERS] = {
	[DATA] = "",
	[SPOOLS] = "spools",
	[SPOOL] = "spools/decoy-0",
	[STORE] = "store",
	[OTHER_SPOOL] = "spools/decoy-1",
	[EVIDENCE] = "evidence",
	[DASHBOARD] = "www",
	[INBOX] = "evidence/inbox",
	[SETTINGS] = "settings",
};

/* What a child finds when it wakes up inside. */
struct scene {
	char base[64];
	int folders[FOLDERS];
	int listener, client, plain, datagram, datagram_client;
	struct sockaddr_in listener_address, datagram_client_address;
	pid_t parent;
};

/* --- things to try: 0 or more for success, -1 with errno --- */

typedef long attempt(const struct scene *scene);

static long connect_tcp(const struct scene *s)
{
	return connect(s->plain, (const struct sockaddr *)&s->listener_address,
		       sizeof(s->listener_address));
}

/* A shut-down listener is an unconnected socket again; with fast open a send would connect it. */
static long fast_open(const struct scene *s)
{
	shutdown(s->listener, SHUT_RDWR);
	return sendto(s->listener, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
		      (const struct sockaddr *)&s->listener_address, sizeof(s->listener_address));
}

static long fast_open_message(const struct scene *s)
{
	struct sockaddr_in to = s->listener_address;
	struct iovec part = {(void *)"x", 1};
	struct msghdr packet = {&to, sizeof(to), &part, 1, NULL, 0, 0};

	return sendmsg(s->plain, &packet, MSG_FASTOPEN | MSG_NOSIGNAL);
}

static long bind_tcp(const struct scene *s)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	return bind(s->plain, (const struct sockaddr *)&any, sizeof(any));
}

static long exec_true(const struct scene *s)
{
	char *arguments[] = {(char *)"true", NULL}, *none[] = {NULL};

	return execve("/bin/true", arguments, none);
}

static long attach_parent(const struct scene *s)
{
	return ptrace(PTRACE_ATTACH, s->parent, NULL, NULL);
}

static long set_process_limit(const struct scene *s)
{
	struct rlimit much = {100, 100};

	return syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &much, NULL);
}

static long map_executable(const struct scene *s)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long make_executable(const struct scene *s)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long attach_filter(const struct scene *s)
{
	return setsockopt(s->plain, SOL_SOCKET, SO_ATTACH_FILTER, "", 0);
}

static long clone_process(const struct scene *s)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long epoll_waits(const struct scene *s)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, s->datagram, &event) < 0)
		return -1;
	return epoll_wait(epoll, &event, 1, 0);
}

static long draw_random(const struct scene *s)
{
	uint8_t bytes[16];

	return getrandom(bytes, sizeof(bytes), 0);
}

static long read_clock(const struct scene *s)
{
	struct timespec nap = {0, 1};

	return clock_monotonic() > 0 && clock_wall() > 0 ? nanosleep(&nap, NULL) : -1;
}

static long allocate(const struct scene *s)
{
	void *memory = malloc(8 << 20);
	bool got = memory != NULL;

	if (got)
		memset(memory, 1, 8 << 20);
	free(memory);
	return got ? 0 : -1;
}

static long append(const struct scene *s)
{
	int file = openat(s->folders[SPOOL], "0000000001.ndjson",
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	if (file < 0 || write(file, "{}\n", 3) != 3 || fdatasync(file) < 0)
		return -1;
	return close(file);
}

static long put_evidence(const struct scene *s)
{
	int file = openat(s->folders[INBOX], ".part", O_WRONLY | O_CREAT | O_EXCL, 0640);

	if (file < 0 || write(file, "MZ", 2) != 2 || close(file) < 0)
		return -1;
	return renameat(s->folders[INBOX], ".part", s->folders[INBOX], "payload");
}

static long move_evidence(const struct scene *s)
{
	int file = openat(s->folders[INBOX], "moving", O_WRONLY | O_CREAT, 0640);

	if (file < 0 || close(file) < 0 || mkdirat(s->folders[EVIDENCE], "aa", 0750) < 0)
		return -1;
	return renameat(s->folders[INBOX], "moving", s->folders[EVIDENCE], "aa/aabb");
}

static long read_spool(const struct scene *s)
{
	int file = openat(s->folders[SPOOLS], "decoy-1/there", O_RDONLY);
	char byte;

	return file < 0 ? -1 : read(file, &byte, 1);
}

static long accept_and_talk(const struct scene *s)
{
	int one = 1, peer = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct sockaddr_in who;
	socklen_t length = sizeof(who);
	char byte;

	if (peer < 0 || setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    getpeername(peer, (struct sockaddr *)&who, &length) < 0 ||
	    recv(peer, &byte, 1, 0) != 1 || send(peer, "y", 1, MSG_NOSIGNAL) != 1)
		return -1;
	return shutdown(peer, SHUT_WR);
}

static long accept_only(const struct scene *s)
{
	return accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
}

static long answer_datagram(const struct scene *s)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char byte;

	if (recvfrom(s->datagram, &byte, 1, 0, (struct sockaddr *)&from, &length) != 1)
		return -1;
	return sendto(s->datagram, "y", 1, 0, (struct sockaddr *)&from, length);
}

static long send_datagram(const struct scene *s)
{
	return sendto(s->datagram, "y", 1, 0, (const struct sockaddr *)&s->datagram_client_address,
		      sizeof(s->datagram_client_address));
}

/* Database errors come back as EIO. */
static long sqlite_does(const char *path, int flags, const char *sql)
{
	sqlite3 *database = NULL;
	int r = sqlite3_open_v2(path, &database, flags, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(database, sql, NULL, NULL, NULL);
	if (sqlite3_close(database) != SQLITE_OK || r != SQLITE_OK) {
		errno = EIO;
		return -1;
	}
	return 0;
}

static long write_database(const struct scene *s)
{
	return sqlite_does("new.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN;"
			   "CREATE TABLE t(a); INSERT INTO t VALUES (1); COMMIT;"
			   "PRAGMA wal_checkpoint(TRUNCATE);");
}

static long read_database(const struct scene *s)
{
	return sqlite_does("store/live.db", SQLITE_OPEN_READONLY, "SELECT count(*) FROM t;");
}

static long change_database(const struct scene *s)
{
	return sqlite_does("store/live.db", SQLITE_OPEN_READWRITE, "INSERT INTO t VALUES (2);");
}

static long write_settings(const struct scene *s)
{
	return sqlite_does("settings/users.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			   "PRAGMA journal_mode=WAL; CREATE TABLE u(a); INSERT INTO u VALUES (1);");
}

#define TRY(name, expression)                   \
	static long name(const struct scene *s) \
	{                                       \
		return (long)(expression);      \
	}

TRY(socket_inet, socket(AF_INET, SOCK_STREAM, 0))
TRY(socket_inet6, socket(AF_INET6, SOCK_DGRAM, 0))
TRY(socket_unix, socket(AF_UNIX, SOCK_STREAM, 0))
TRY(socket_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
TRY(socket_packet, socket(AF_PACKET, SOCK_RAW, 0))
TRY(listen_tcp, listen(s->plain, 1))
TRY(exec_at, syscall(SYS_execveat, s->folders[SPOOL], "", NULL, NULL, AT_EMPTY_PATH))
TRY(fork_process, syscall(SYS_fork))
TRY(vfork_process, syscall(SYS_vfork) == 0 ? (_exit(0), 0) : -1)
TRY(clone3_process, syscall(SYS_clone3, NULL, 0))
TRY(trace_me, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
TRY(read_other_memory, syscall(SYS_process_vm_readv, s->parent, NULL, 0, NULL, 0, 0))
TRY(signal_parent, kill(s->parent, 0))
TRY(signal_all, kill(-1, 0))
TRY(signal_parent_thread, syscall(SYS_tgkill, s->parent, s->parent, 0))
TRY(change_mode, fchmodat(s->folders[INBOX], "there", 0777, 0))
TRY(make_device, mknodat(s->folders[INBOX], "device", S_IFCHR, 0x103))
TRY(make_symlink, symlinkat("/etc/passwd", s->folders[INBOX], "link"))
TRY(unshare_user, unshare(CLONE_NEWUSER))
TRY(enter_namespace, setns(s->plain, 0))
TRY(load_bpf, syscall(SYS_bpf, 0, NULL, 0))
TRY(use_keys, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
TRY(open_perf, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0))
TRY(fault_user, syscall(SYS_userfaultfd, 0))
TRY(set_up_ring, syscall(SYS_io_uring_setup, 1, NULL))
TRY(mount_something, syscall(SYS_mount, "", "", "", 0, NULL))
TRY(load_kernel, syscall(SYS_kexec_load, 0, 0, NULL, 0))
TRY(make_memory_file, memfd_create("x", 0))
TRY(change_root, chroot("."))
TRY(leave_root, fchdir(s->folders[SPOOL]))
TRY(become_root, setuid(0))
TRY(type_ahead, ioctl(s->plain, TIOCSTI, "x"))
TRY(ask_for_signals, fcntl(s->plain, F_SETOWN, s->parent))
TRY(open_passwd, openat(AT_FDCWD, "/etc/passwd", O_RDONLY))
TRY(climb_out, openat(s->folders[SPOOL], "../../../../../../etc/passwd", O_RDONLY))
TRY(climb_beside, openat(s->folders[SPOOL], "../decoy-1/there", O_RDONLY))
TRY(open_unruled, openat(s->folders[OTHER_SPOOL], "there", O_RDONLY))
TRY(remove_from_spool, unlinkat(s->folders[SPOOL], "there", 0))
TRY(write_dashboard, openat(s->folders[DASHBOARD], "there", O_WRONLY))
TRY(make_in_dashboard, openat(s->folders[DASHBOARD], "new", O_WRONLY | O_CREAT, 0600))
TRY(cut_dashboard, openat(s->folders[DASHBOARD], "there", O_RDONLY | O_TRUNC))
TRY(remove_evidence, unlinkat(s->folders[EVIDENCE], "there", 0))
TRY(read_dashboard, openat(s->folders[DASHBOARD], "there", O_RDONLY))
TRY(remove_spool_segment, unlinkat(s->folders[OTHER_SPOOL], "there", 0))

enum role { DECOY = 1, STORE_ROLE = 2, WEB = 4, CAPTURE = 8, ALL = 15 };

/* In this order: what takes a listener away comes last. */
static const struct {
	const char *name;
	attempt *attempt;
	unsigned roles;
	int refusal, refusal_root; /* 0: must succeed */
} attempts[] = {
#define REFUSED(name, roles, error)              \
	{                                        \
#name, name, roles, error, error \
	}
#define ALLOWED(name, roles)             \
	{                                \
#name, name, roles, 0, 0 \
	}
	ALLOWED(epoll_waits, ALL),
	ALLOWED(draw_random, ALL),
	ALLOWED(read_clock, ALL),
	ALLOWED(allocate, ALL),
	ALLOWED(append, DECOY | CAPTURE),
	ALLOWED(put_evidence, DECOY | CAPTURE),
	ALLOWED(accept_and_talk, DECOY | WEB),
	ALLOWED(answer_datagram, DECOY),
	ALLOWED(write_database, STORE_ROLE),
	ALLOWED(move_evidence, STORE_ROLE),
	ALLOWED(read_spool, STORE_ROLE),
	ALLOWED(remove_spool_segment, STORE_ROLE),
	ALLOWED(read_database, WEB),
	ALLOWED(write_settings, WEB),
	ALLOWED(read_dashboard, WEB),
	REFUSED(connect_tcp, ALL, EPERM),
	REFUSED(fast_open_message, ALL, EPERM),
	REFUSED(bind_tcp, ALL, EPERM),
	REFUSED(listen_tcp, ALL, EPERM),
	REFUSED(socket_inet, ALL, EPERM),
	REFUSED(socket_inet6, ALL, EPERM),
	REFUSED(socket_unix, ALL, EPERM),
	REFUSED(socket_netlink, ALL, EPERM),
	REFUSED(socket_packet, ALL, EPERM),
	REFUSED(accept_only, STORE_ROLE | CAPTURE, EPERM),
	REFUSED(send_datagram, STORE_ROLE | CAPTURE, EPERM),
	REFUSED(exec_true, ALL, EPERM),
	REFUSED(exec_at, ALL, EPERM),
	REFUSED(fork_process, ALL, EPERM),
	REFUSED(vfork_process, ALL, EPERM),
	REFUSED(clone_process, ALL, EPERM),
	REFUSED(clone3_process, ALL, EPERM),
	REFUSED(trace_me, ALL, EPERM),
	REFUSED(attach_parent, ALL, EPERM),
	REFUSED(read_other_memory, ALL, EPERM),
	REFUSED(signal_parent, ALL, EPERM),
	REFUSED(signal_all, ALL, EPERM),
	REFUSED(signal_parent_thread, ALL, EPERM),
	REFUSED(map_executable, ALL, EPERM),
	REFUSED(make_executable, ALL, EPERM),
	REFUSED(change_mode, ALL, EPERM),
	REFUSED(make_device, ALL, EPERM),
	REFUSED(make_symlink, ALL, EPERM),
	REFUSED(unshare_user, ALL, EPERM),
	REFUSED(enter_namespace, ALL, EPERM),
	REFUSED(load_bpf, ALL, EPERM),
	REFUSED(use_keys, ALL, EPERM),
	REFUSED(open_perf, ALL, EPERM),
	REFUSED(fault_user, ALL, EPERM),
	REFUSED(set_up_ring, ALL, EPERM),
	REFUSED(mount_something, ALL, EPERM),
	REFUSED(load_kernel, ALL, EPERM),
	REFUSED(make_memory_file, ALL, EPERM),
	REFUSED(change_root, ALL, EPERM),
	REFUSED(leave_root, ALL, EPERM),
	REFUSED(become_root, ALL, EPERM),
	REFUSED(set_process_limit, ALL, EPERM),
	REFUSED(attach_filter, ALL, EPERM),
	REFUSED(type_ahead, ALL, EPERM),
	REFUSED(ask_for_signals, ALL, EPERM),
	{"open_passwd", open_passwd, ALL, EACCES, ENOENT}, /* the root folder is another one */
	REFUSED(climb_out, DECOY | STORE_ROLE | CAPTURE, EACCES),
	{"climb_out", climb_out, WEB, EACCES, ENOENT}, /* ".." stops at the root, its own data */
	REFUSED(climb_beside, DECOY | WEB | CAPTURE, EACCES),
	REFUSED(open_unruled, DECOY | WEB | CAPTURE, EACCES),
	REFUSED(remove_from_spool, DECOY | WEB | CAPTURE, EACCES),
	REFUSED(remove_evidence, DECOY | WEB | CAPTURE, EACCES),
	REFUSED(write_dashboard, ALL, EACCES),
	REFUSED(make_in_dashboard, ALL, EACCES),
	REFUSED(cut_dashboard, ALL, EACCES),
	REFUSED(change_database, WEB, EIO),
	REFUSED(fast_open, DECOY | WEB, EPERM),
};

/* --- the scene --- */

static void make_file(int folder, const char *name)
{
	int file = openat(folder, name, O_WRONLY | O_CREAT, 0666);

	assert_true(file >= 0);
	assert_int_equal(fchmod(file, 0666), 0);
	assert_int_equal(write(file, "x\n", 2), 2);
	close(file);
}

static void set_folders(struct scene *s)
{
	static const enum folder order[] = {DATA,     STORE, SPOOLS,    SPOOL,   OTHER_SPOOL,
					    EVIDENCE, INBOX, DASHBOARD, SETTINGS};

	snprintf(s->base, sizeof(s->base), "/tmp/sundew-sandbox-XXXXXX");
	assert_non_null(mkdtemp(s->base));
	for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", s->base, folder_paths[order[i]]);
		assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
		assert_int_equal(chmod(path, 0777), 0);
		s->folders[order[i]] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(s->folders[order[i]] >= 0);
		make_file(s->folders[order[i]], "there");
	}
}

static int loopback(int type, struct sockaddr_in *address)
{
	int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(*address);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(descriptor, (struct sockaddr *)address, length), 0);
	assert_int_equal(getsockname(descriptor, (struct sockaddr *)address, &length), 0);
	return descriptor;
}

/* A byte already waits in both directions' queues, so nothing inside has to wait. */
static void set_sockets(struct scene *s)
{
	struct sockaddr_in datagram_address;

	s->listener = loopback(SOCK_STREAM, &s->listener_address);
	assert_int_equal(listen(s->listener, 8), 0);
	s->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s->client, (struct sockaddr *)&s->listener_address,
				 sizeof(s->listener_address)),
			 0);
	assert_int_equal(send(s->client, "x", 1, 0), 1);
	s->plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->datagram = loopback(SOCK_DGRAM, &datagram_address);
	s->datagram_client = loopback(SOCK_DGRAM, &s->datagram_client_address);
	assert_int_equal(sendto(s->datagram_client, "x", 1, 0, (struct sockaddr *)&datagram_address,
				sizeof(datagram_address)),
			 1);
}

static void clear_scene(struct scene *s)
{
	char command[] = "rm", option[] = "-rf";
	char *arguments[] = {command, option, s->base, NULL};
	int others[] = {s->listener, s->client, s->plain, s->datagram, s->datagram_client};
	pid_t child;

	for (size_t i = 0; i < FOLDERS; i++)
		close(s->folders[i]);
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		close(others[i]);
	child = fork();
	if (child == 0) {
		execv("/bin/rm", arguments);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

/* --- one role, one way in --- */

static const struct {
	const char *name;
	enum role role;
	const struct sandbox *sandbox;
	struct {
		const char *name;
		enum folder folder;
	} granted[6];
} roles[] = {
	{"decoy", DECOY, &sandbox_decoy, {{"spool", SPOOL}, {"inbox", INBOX}}},
	{"capture", CAPTURE, &sandbox_capture, {{"spool", SPOOL}, {"packets", INBOX}}},
	{"store",
	 STORE_ROLE,
	 &sandbox_store,
	 {{"store", STORE}, {"spools", SPOOLS}, {"evidence", EVIDENCE}}},
	{"web",
	 WEB,
	 &sandbox_web,
	 {{"data", DATA},
	  {"store", STORE},
	  {"evidence", EVIDENCE},
	  {"dashboard", DASHBOARD},
	  {"settings", SETTINGS}}},
};

struct result {
	uint32_t attempt;
	int32_t error;
};

static int enter(const struct scene *s, size_t role, bool as_root)
{
	static const struct sandbox_user nobody = {NOBODY, NOBODY};
	const struct sandbox *sandbox = roles[role].sandbox;
	struct sandbox_folder folders[SANDBOX_FOLDERS_MAX];
	const char *why = NULL;
	size_t count = 0;
	int home = -1;

	for (size_t g = 0; g < ARRAY_COUNT(roles[role].granted) && roles[role].granted[g].name;
	     g++) {
		int descriptor = s->folders[roles[role].granted[g].folder];

		if (sandbox->home && strcmp(sandbox->home, roles[role].granted[g].name) == 0)
			home = descriptor;
		for (size_t f = 0; sandbox->folders[f].name; f++) {
			if (strcmp(sandbox->folders[f].name, roles[role].granted[g].name) == 0)
				folders[count++] = (struct sandbox_folder){
					descriptor, sandbox->folders[f].rights};
		}
	}
	if (!as_root && geteuid() == 0 &&
	    (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -1;
	if (sandbox_enter(sandbox, home, folders, count, as_root ? &nobody : NULL, &why) < 0) {
		fprintf(stderr, "%s: %s\n", why, strerror(errno));
		return -1;
	}
	return 0;
}

static _Noreturn void live_inside(const struct scene *s, size_t role, bool as_root, int results,
				  int go_on)
{
	struct result result = {UINT32_MAX, 0};
	char byte;

	if (enter(s, role, as_root) < 0)
		_exit(2);
	/* Lets the parent look at this process from outside. */
	if (write(results, &result, sizeof(result)) < 0 || read(go_on, &byte, 1) < 0)
		_exit(3);
	for (uint32_t i = 0; i < ARRAY_COUNT(attempts); i++) {
		if (!(attempts[i].roles & roles[role].role))
			continue;
		errno = 0;
		result = (struct result){i, attempts[i].attempt(s) < 0 ? errno : 0};
		if (write(results, &result, sizeof(result)) != sizeof(result))
			_exit(3);
	}
	_exit(0);
}

static void expect_status(const char *text, const char *field, const char *value)
{
	const char *at = strstr(text, field);

	assert_non_null(at);
	at += strlen(field);
	at += strspn(at, "\t ");
	if (strncmp(at, value, strlen(value)) != 0)
		fail_msg("%s is %.20s instead of %s", field, at, value);
}

static void look_from_outside(pid_t child, bool as_root)
{
	char path[64], text[8192];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	expect_status(text, "NoNewPrivs:", "1\n");
	expect_status(text, "Seccomp:", "2\n");
	expect_status(text, "CapPrm:", "0000000000000000\n");
	expect_status(text, "CapEff:", "0000000000000000\n");
	if (as_root) {
		expect_status(text, "CapBnd:", "0000000000000000\n");
		expect_status(text, "Uid:", "65534\t65534\t65534\t65534\n");
		expect_status(text, "Gid:", "65534\t65534\t65534\t65534\n");
		expect_status(text, "Groups:", "\n");
	}
}

static unsigned check_results(int results, size_t role, bool as_root)
{
	struct result result;
	unsigned wrong = 0, count = 0;

	while (read(results, &result, sizeof(result)) == sizeof(result)) {
		int expected;

		assert_true(result.attempt < ARRAY_COUNT(attempts));
		expected = as_root ? attempts[result.attempt].refusal_root
				   : attempts[result.attempt].refusal;
		count++;
		if (result.error == expected)
			continue;
		wrong++;
		print_error("%s %s, %s: \"%s\" instead of \"%s\"\n", roles[role].name,
			    as_root ? "from root" : "unprivileged", attempts[result.attempt].name,
			    strerror(result.error), strerror(expected));
	}
	for (size_t i = 0; i < ARRAY_COUNT(attempts); i++)
		count -= (attempts[i].roles & roles[role].role) != 0;
	assert_int_equal(count, 0); /* it lived to the end of the list */
	return wrong;
}

static void test_role(size_t role, bool as_root)
{
	struct scene scene = {.parent = getpid()};
	struct result ready;
	sqlite3 *live = NULL;
	int results[2], go_on[2], status;
	char path[128];
	unsigned wrong;
	pid_t child;

	set_folders(&scene);
	set_sockets(&scene);
	assert_int_equal(pipe2(results, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go_on, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		live_inside(&scene, role, as_root, results[1], go_on[0]);
	close(results[1]);
	if (read(results[0], &ready, sizeof(ready)) != sizeof(ready))
		fail_msg("%s could not enter its sandbox", roles[role].name);
	look_from_outside(child, as_root);

	/* A database that its writer holds open meanwhile, as the store does while the web reads.
	 */
	snprintf(path, sizeof(path), "%s/store/live.db", scene.base);
	assert_int_equal(sqlite3_open(path, &live), SQLITE_OK);
	assert_int_equal(sqlite3_exec(live,
				      "PRAGMA journal_mode=WAL; CREATE TABLE t(a);"
				      "INSERT INTO t VALUES (1);",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(write(go_on[1], "x", 1), 1);
	wrong = check_results(results[0], role, as_root);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);

	sqlite3_close(live);
	close(results[0]);
	close(go_on[0]);
	close(go_on[1]);
	clear_scene(&scene);
	assert_int_equal(wrong, 0);
}

static void test_roles_unprivileged(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(roles); i++)
		test_role(i, false);
}

static void test_roles_from_root(void **state)
{
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_COUNT(roles); i++)
		test_role(i, true);
}

/* The tries themselves must be able to succeed: outside, most of them do. */
static void test_tries_can_succeed(void **state)
{
	static attempt *const harmless[] = {socket_inet,   socket_unix,      connect_tcp,
					    open_passwd,   climb_beside,     map_executable,
					    clone_process, make_memory_file, trace_me,
					    signal_parent, write_dashboard,  make_symlink};
	struct scene scene = {.parent = getpid()};

	set_folders(&scene);
	set_sockets(&scene);
	for (size_t i = 0; i < ARRAY_COUNT(harmless); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(harmless[i](&scene) < 0 ? 1 : 0);
		assert_int_equal(waitpid(child, &status, WUNTRACED), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("try %zu does not succeed outside either", i);
	}
	clear_scene(&scene);
}

static void test_home_must_be_granted(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		const char *why = NULL;
		int r = sandbox_enter(&sandbox_store, -1, NULL, 0, NULL, &why);

		_exit(r == -1 && errno == ENOENT && why && strstr(why, "home") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tries_can_succeed),
		cmocka_unit_test(test_roles_unprivileged),
		cmocka_unit_test(test_roles_from_root),
		cmocka_unit_test(test_home_must_be_granted),
	};

	if (sandbox_landlock_version() == 0)
		return 77; /* meson: skipped; half of the refusals are Landlock's */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
