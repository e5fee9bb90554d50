/* The seccomp filter: named groups of system calls, and one table for those whose arguments decide.
 *
 * What is on no list is answered with EPERM and logged by the kernel (SCMP_FLTATR_CTL_LOG), so that
 * a refusal shows in the journal. Only a foreign architecture's calls (x32, i386) kill: nothing of
 * ours makes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "process/filter.h"

#define EVERYONE 0 /* a group that every role has */

/* Calls that libseccomp knows but this architecture lacks are passed over when added. */
#define CALL(name) SCMP_SYS(name)
#define END        (-1000000)

static const int memory_calls[] = {CALL(munmap), CALL(mremap), CALL(brk), CALL(madvise), END};

static const int time_calls[] = {CALL(clock_gettime),
				 CALL(clock_getres),
				 CALL(gettimeofday),
				 CALL(time),
				 CALL(clock_nanosleep),
				 CALL(nanosleep),
				 END};

static const int polling_calls[] = {CALL(poll),
				    CALL(ppoll),
				    CALL(select),
				    CALL(pselect6),
				    CALL(epoll_create1),
				    CALL(epoll_ctl),
				    CALL(epoll_wait),
				    CALL(epoll_pwait),
				    CALL(epoll_pwait2),
				    CALL(eventfd2),
				    CALL(timerfd_create),
				    CALL(timerfd_settime),
				    CALL(timerfd_gettime),
				    END};

/* recvmsg is the pipe to the supervisor; sendmsg stands with the conditions. */
static const int held_calls[] = {CALL(read),    CALL(write),    CALL(readv),   CALL(writev),
				 CALL(pread64), CALL(pwrite64), CALL(lseek),   CALL(close),
				 CALL(fstat),   CALL(dup),      CALL(recvmsg), END};

static const int self_calls[] = {CALL(getrandom),
				 CALL(futex),
				 CALL(sched_yield),
				 CALL(sched_getaffinity),
				 CALL(getpid),
				 CALL(gettid),
				 CALL(getppid),
				 CALL(getuid),
				 CALL(geteuid),
				 CALL(getgid),
				 CALL(getegid),
				 CALL(uname),
				 CALL(getrlimit),
				 CALL(getrusage),
				 CALL(sysinfo),
				 CALL(restart_syscall),
				 CALL(exit),
				 CALL(exit_group),
				 CALL(rt_sigaction),
				 CALL(rt_sigprocmask),
				 CALL(rt_sigreturn),
				 CALL(sigaltstack),
				 END};

static const int stream_calls[] = {
	CALL(accept4),    CALL(accept),   CALL(getsockname), CALL(getpeername),
	CALL(getsockopt), CALL(shutdown), CALL(recvfrom),    END};

static const int datagram_calls[] = {CALL(recvfrom), CALL(recvmmsg), CALL(getsockname),
				     CALL(getsockopt), END};

/* PACKET_STATISTICS, and SO_ERROR when an interface goes. */
static const int packet_calls[] = {CALL(getsockopt), END};

static const int file_calls[] = {CALL(openat),     CALL(newfstatat), CALL(statx),   CALL(faccessat),
				 CALL(faccessat2), CALL(getdents64), CALL(mkdirat), CALL(unlinkat),
				 CALL(renameat),   CALL(renameat2),  CALL(linkat),  CALL(ftruncate),
				 CALL(fallocate),  CALL(fadvise64),  CALL(fsync),   CALL(fdatasync),
				 CALL(fstatfs),    CALL(flock),      CALL(umask),   END};

/* SQLite names files by path. */
static const int database_calls[] = {CALL(open),     CALL(stat),       CALL(lstat), CALL(access),
				     CALL(unlink),   CALL(mkdir),      CALL(rmdir), CALL(getcwd),
				     CALL(readlink), CALL(readlinkat), END};

static const struct {
	unsigned calls;
	const int *list;
} groups[] = {
	{EVERYONE, memory_calls},
	{EVERYONE, time_calls},
	{EVERYONE, polling_calls},
	{EVERYONE, held_calls},
	{EVERYONE, self_calls},
	{SANDBOX_STREAMS, stream_calls},
	{SANDBOX_DATAGRAMS, datagram_calls},
	{SANDBOX_PACKETS, packet_calls},
	{SANDBOX_FILES, file_calls},
	{SANDBOX_DATABASE, database_calls},
};

/* Allowed when the argument, masked, has the value. */
struct condition {
	unsigned calls;
	int call;
	unsigned argument;
	uint64_t mask, value;
};

#define ALL_BITS UINT64_MAX
#define LOW      UINT32_MAX /* int arguments: the upper half of the register may hold anything */

/* MSG_FASTOPEN in a send is a connect by another name, and Landlock does not see it: a listener
 * that is shut down could be made a way out. */
static const struct condition conditions[] = {
	{EVERYONE, CALL(mmap), 2, PROT_EXEC, 0},
	{EVERYONE, CALL(mprotect), 2, PROT_EXEC, 0},
	{EVERYONE, CALL(sendmsg), 2, MSG_FASTOPEN, 0},
	{EVERYONE, CALL(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH}, /* fstat of some libcs */
	{EVERYONE, CALL(prlimit64), 2, ALL_BITS, 0},                   /* reading only */
	{EVERYONE, CALL(ioctl), 1, LOW, FIONREAD},
	{EVERYONE, CALL(ioctl), 1, LOW, FIONBIO},
	{EVERYONE, CALL(ioctl), 1, LOW, TCGETS},
	{EVERYONE, CALL(fcntl), 1, LOW, F_GETFD},
	{EVERYONE, CALL(fcntl), 1, LOW, F_SETFD},
	{EVERYONE, CALL(fcntl), 1, LOW, F_GETFL},
	{EVERYONE, CALL(fcntl), 1, LOW, F_SETFL},
	{EVERYONE, CALL(fcntl), 1, LOW, F_DUPFD_CLOEXEC},
	{SANDBOX_FILES, CALL(fcntl), 1, LOW, F_SETLK},
	{SANDBOX_FILES, CALL(fcntl), 1, LOW, F_SETLKW},
	{SANDBOX_FILES, CALL(fcntl), 1, LOW, F_GETLK},
	{SANDBOX_STREAMS, CALL(sendto), 3, MSG_FASTOPEN, 0},
	{SANDBOX_DATAGRAMS, CALL(sendto), 3, MSG_FASTOPEN, 0},
	{SANDBOX_DATAGRAMS, CALL(sendmmsg), 3, MSG_FASTOPEN, 0},
};

/* Socket options that a server sets on a connection. Filters, other protocols' layers (TCP_ULP),
 * devices and routes are not among them. */
static const struct {
	int level, option;
} socket_options[] = {
	{SOL_SOCKET, SO_KEEPALIVE},
	{SOL_SOCKET, SO_LINGER},
	{SOL_SOCKET, SO_SNDBUF},
	{SOL_SOCKET, SO_RCVBUF},
	{SOL_SOCKET, SO_RCVLOWAT},
	{SOL_SOCKET, SO_REUSEADDR},
	{IPPROTO_TCP, TCP_NODELAY},
	{IPPROTO_TCP, TCP_CORK},
	{IPPROTO_TCP, TCP_QUICKACK},
	{IPPROTO_TCP, TCP_KEEPIDLE},
	{IPPROTO_TCP, TCP_KEEPINTVL},
	{IPPROTO_TCP, TCP_KEEPCNT},
	{IPPROTO_TCP, TCP_USER_TIMEOUT},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP},
	{IPPROTO_IP, IP_TOS},
	{IPPROTO_IP, IP_TTL},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS},
	{IPPROTO_IPV6, IPV6_TCLASS},
};

static bool included(unsigned group, unsigned calls)
{
	return group == EVERYONE || (group & calls) != 0;
}

static int add_groups(scmp_filter_ctx filter, unsigned calls)
{
	for (size_t g = 0; g < ARRAY_COUNT(groups); g++) {
		if (!included(groups[g].calls, calls))
			continue;
		for (const int *call = groups[g].list; *call != END; call++) {
			int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *call, 0);

			if (r < 0 && r != -EEXIST)
				return r;
		}
	}
	return 0;
}

static int add_conditions(scmp_filter_ctx filter, unsigned calls)
{
	for (size_t i = 0; i < ARRAY_COUNT(conditions); i++) {
		const struct condition *c = &conditions[i];
		struct scmp_arg_cmp compare = {c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value};
		int r;

		if (!included(c->calls, calls))
			continue;
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, c->call, 1, &compare);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int add_socket_options(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ARRAY_COUNT(socket_options); i++) {
		struct scmp_arg_cmp compare[] = {
			{1, SCMP_CMP_MASKED_EQ, LOW, (uint64_t)socket_options[i].level},
			{2, SCMP_CMP_MASKED_EQ, LOW, (uint64_t)socket_options[i].option}};
		int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(setsockopt),
					       ARRAY_COUNT(compare), compare);

		if (r < 0)
			return r;
	}
	return 0;
}

/* abort(3) signals its own thread; no other process may be reached. */
static int add_own_signals(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)getpid()));
}

int filter_install(unsigned calls)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = -ENOMEM;

	if (filter == NULL)
		goto done;
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		goto done;
	/* Both are niceties that an older kernel may lack. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_groups(filter, calls);
	if (r < 0)
		goto done;
	r = add_conditions(filter, calls);
	if (r < 0)
		goto done;
	r = calls & (SANDBOX_STREAMS | SANDBOX_DATAGRAMS) ? add_socket_options(filter) : 0;
	if (r < 0)
		goto done;
	r = add_own_signals(filter);
	if (r < 0)
		goto done;
	r = seccomp_load(filter);
done:
	seccomp_release(filter);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}
