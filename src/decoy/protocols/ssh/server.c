/* What all sessions share; see server.h. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/ssh/exchange.h"
#include "decoy/protocols/ssh/server.h"

#define GATHERED_MAX ((size_t)256 * 1024)
#define SOURCES      1024 /* whose budgets are remembered */
/* What one source may use up in costly operations, in tenths of a millisecond: a tenth of a
 * processor, and two seconds at once. */
#define BUDGET_A_MINUTE 60000
#define BUDGET_AT_ONCE  20000

static const char *const keys_choices[] = {"authorized", "policy", NULL};
static const char *const tunnel_choices[] = {"fake", "refuse", "forbid", NULL};

#define FIELD_OF(member) offsetof(struct ssh_options, member)

static const struct directive directives[] = {
	{"build", DIRECTIVE_TEXT, FIELD_OF(build), "", 0, 0, NULL,
	 "Which OpenSSH is played: 9.2p1-debian12, 8.4p1-debian11 or 6.0p1-debian7; empty: the "
	 "persona's ssh.build",
	 false},
	{"max-startups", DIRECTIVE_TEXT, FIELD_OF(max_startups), "10:30:100", 0, 0, NULL,
	 "Connections without log-in as in sshd_config, start:rate:full, of one worker; off: as "
	 "many as come",
	 false},
	{"grace", DIRECTIVE_DURATION, FIELD_OF(grace), "120s", SECOND, HOUR, NULL,
	 "Time to log in (LoginGraceTime)", false},
	{"tries", DIRECTIVE_NUMBER, FIELD_OF(tries), "6", 1, 1000, NULL,
	 "Failed log-ins until the connection ends (MaxAuthTries)", false},
	{"sessions", DIRECTIVE_NUMBER, FIELD_OF(sessions), "10", 1, 100, NULL,
	 "Shells and commands at a time in one connection (MaxSessions)", false},
	{"fail-delay", DIRECTIVE_DURATION, FIELD_OF(fail_delay), "2s", 0, MINUTE, NULL,
	 "What a wrong password takes, varied as PAM does", false},
	{"login-delay", DIRECTIVE_TEXT, FIELD_OF(login_delay_text), "70ms", 0, 0, NULL,
	 "What a right password takes, varied in the same way: a number and ms or s", false},
	{"keys", DIRECTIVE_CHOICE, FIELD_OF(keys), "authorized", 0, 0, keys_choices,
	 "Public keys that let in: those that an intruder wrote into authorized_keys, or what the "
	 "access policy says of the fingerprint (SHA256:...) as if it were a password",
	 false},
	{"tunnels", DIRECTIVE_CHOICE, FIELD_OF(tunnels), "fake", 0, 0, tunnel_choices,
	 "Connections asked for through this host: fake answers HTTP, TLS and mail ports itself "
	 "and "
	 "lets others time out, refuse refuses all, forbid is AllowTcpForwarding no",
	 false},
	{"compression", DIRECTIVE_BOOLEAN, FIELD_OF(compression), "yes", 0, 0, NULL,
	 "Offer zlib@openssh.com as the build does", false},
	{"idle-after-login", DIRECTIVE_DURATION, FIELD_OF(idle), "6h", MINUTE, 30 * DAY, NULL,
	 "A logged-in session ends when its client was silent this long; sshd itself has no limit",
	 false},
	{"evidence-bytes", DIRECTIVE_SIZE, FIELD_OF(evidence), "64M", 4096, (int64_t)1 << 40, NULL,
	 "Bytes of files that one connection may leave as evidence, each with its name and 4 KiB; "
	 "those beyond are told with their hashes and not kept",
	 false},
};

const struct config_section ssh_section = {
	.path = "services[] (ssh)",
	.directives = directives,
	.count = ARRAY_COUNT(directives),
	.help = "The SSH server.",
};

/* --- preparing --- */

static int complain(char **why, const char *what, const char *text, const char *mend)
{
	struct writer words = writer_growing(512);

	writer_format(&words, "%s '%s' %s", what, text, mend);
	writer_u8(&words, 0);
	*why = words.failed ? NULL : strdup((const char *)words.at);
	writer_free(&words);
	return -1;
}

/* "10:30:100", "100", "off". */
static int take_startups(struct ssh_server *server, const char *text, char **why)
{
	struct slice rest = slice_text(text), part;
	int64_t numbers[3] = {0, 30, 0};
	size_t count = 0;

	if (slice_is(rest, "off"))
		return 0;
	while (slice_next(&rest, ':', &part)) {
		if (count == 3 || slice_number(part, 1, 100000, &numbers[count++]) < 0)
			return complain(why, "max-startups", text, "is not start:rate:full or off");
	}
	if (count == 1)
		numbers[2] = numbers[0];
	if ((count != 1 && count != 3) || numbers[1] > 100 || numbers[0] > numbers[2])
		return complain(why, "max-startups", text, "is not start:rate:full or off");
	server->max_startups.start = (unsigned)numbers[0];
	server->max_startups.rate = (unsigned)numbers[1];
	server->max_startups.full = (unsigned)numbers[2];
	return 0;
}

/* "70ms", "1s", "0". */
static int take_login_delay(struct ssh_options *options, char **why)
{
	struct slice text = slice_text(options->login_delay_text);
	int64_t unit = SECOND, number;

	if (text.length > 2 && slice_is(slice_from(text, text.length - 2), "ms")) {
		unit = MILLISECOND;
		text = slice_first(text, text.length - 2);
	} else if (text.length > 1 && text.at[text.length - 1] == 's') {
		text = slice_first(text, text.length - 1);
	}
	if (slice_number(text, 0, 60000, &number) < 0)
		return complain(why, "login-delay", options->login_delay_text,
				"is not a time such as 70ms or 1s");
	options->login_delay = number * unit;
	return 0;
}

static int take_build(struct ssh_server *server, const struct ssh_options *options,
		      const struct persona *persona, char **why)
{
	const char *name = options->build && options->build[0]
				   ? options->build
				   : persona_text(persona, "ssh.build", "9.2p1-debian12");

	server->build = ssh_build_named(name);
	if (!server->build)
		return complain(why, "SSH build", name,
				"is unknown: 9.2p1-debian12, 8.4p1-debian11, 6.0p1-debian7");
	/* A banner belongs to a build: a persona's is used with its own only. */
	server->banner = options->build && options->build[0]
				 ? server->build->banner
				 : persona_text(persona, "ssh.banner", server->build->banner);
	server->issue = persona_text(persona, "ssh.issue", NULL);
	server->keyboard_interactive = slice_is(
		slice_text(persona_text(persona, "ssh.keyboard_interactive", "no")), "yes");
	server->methods = server->keyboard_interactive ? "publickey,password,keyboard-interactive"
						       : "publickey,password";
	return 0;
}

static void free_server(struct ssh_server *server)
{
	if (!server)
		return;
	ssh_primitives_free(server->primitives);
	ssh_exchanger_free(server->exchanger);
	sources_free(server->sources);
	writer_free(&server->packet);
	writer_free(&server->payload);
	writer_free(&server->scratch);
	writer_free(&server->gathered);
	free(server);
}

int ssh_server_prepare(void *at, const struct persona *persona, const char *share_folder,
		       struct arena *arena, char **why)
{
	struct ssh_options *options = at;
	struct ssh_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -1;
	server->options = options;
	server->packet = writer_growing(SSH_PACKET_MAX + SSH_INPUT_MAX);
	server->payload = writer_growing(SSH_PACKET_MAX + SSH_INPUT_MAX);
	server->scratch = writer_growing(SSH_PACKET_MAX + SSH_INPUT_MAX);
	server->gathered = writer_growing(GATHERED_MAX);
	server->primitives = ssh_primitives_new();
	server->exchanger = ssh_exchanger_new();
	server->sources = sources_new(SOURCES);
	server->groups = ssh_groups_read(share_folder, arena);
#ifdef SUNDEW_TEST_HOOKS
	server->clear = getenv("SUNDEW_SSH_CLEAR") != NULL;
#endif
	if (!server->primitives || !server->exchanger || !server->sources || !server->groups ||
	    take_build(server, options, persona, why) < 0 ||
	    take_startups(server, options->max_startups, why) < 0 ||
	    take_login_delay(options, why) < 0) {
		free_server(server);
		return -1;
	}
	options->server = server;
	return 0;
}

void ssh_server_release(void *at)
{
	struct ssh_options *options = at;

	free_server(options->server);
	options->server = NULL;
}

/* --- who may --- */

/* should_drop_connection of OpenSSH. */
static bool drops(const struct ssh_server *server, struct session *session)
{
	unsigned start = server->max_startups.start, full = server->max_startups.full;
	unsigned rate = server->max_startups.rate, odds;

	if (full == 0 || server->startups < start)
		return false;
	if (server->startups >= full || rate == 100)
		return true;
	odds = (100 - rate) * (server->startups - start) / (full - start) + rate;
	return session_random_number(session, 100) < odds;
}

bool ssh_server_admit(struct ssh *ssh)
{
	if (drops(ssh->server, ssh->session))
		return false;
	ssh->server->startups++;
	ssh->flags |= SSH_COUNTED;
	return true;
}

void ssh_server_forget(struct ssh *ssh)
{
	if (ssh->flags & SSH_COUNTED)
		ssh->server->startups--;
	ssh->flags &= ~(uint32_t)SSH_COUNTED;
}

bool ssh_server_affords(struct ssh_server *server, struct session *session, unsigned cost)
{
	int64_t now = session_now(session);
	struct source *source;

	if (cost == 0)
		return true;
	source =
		sources_find(server->sources, &session_peer(session)->address, now, BUDGET_AT_ONCE);
	/* One token is taken by source_allow itself, which fills the bucket too. */
	if (!source || !source_allow(source, now, BUDGET_A_MINUTE, BUDGET_AT_ONCE))
		return false;
	if (source->tokens + 1 < cost)
		return false;
	source->tokens -= cost - 1;
	return true;
}
