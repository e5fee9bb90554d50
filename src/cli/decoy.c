/* sundew decoy: one protocol on standard input and output, to try it by hand or under socat. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/folders.h"
#include "decoy/host_keys.h"
#include "decoy/registry.h"
#include "decoy/stage.h"
#include "decoy/tls.h"

static const struct command_option decoy_options[] = {
	{"list", 'l', NULL, "List the protocols"},
	{"udp", 'u', NULL, "Treat each read as one datagram"},
	{"tls", 0, NULL, "TLS from the first byte, with a certificate made for the occasion"},
	{"access", 0, "POLICY", "always or never: who gets in (default: the built-in policy)"},
	{"persona", 'p', "NAME", "The host to play (default: debian-server)"},
	{"events", 'e', NULL, "Print events as JSON lines on standard error"},
};

static int list_protocols(void)
{
	struct writer out = writer_growing(65536);
	int result;

	for (size_t i = 0; protocols[i]; i++) {
		writer_format(&out, "%-10s %s", protocols[i]->name, protocols[i]->title);
		for (size_t k = 0; k < PROTOCOL_PORTS_MAX && protocols[i]->ports[k].port; k++)
			writer_format(&out, " %u/%s%s", protocols[i]->ports[k].port,
				      protocols[i]->ports[k].transport == UDP ? "udp" : "tcp",
				      protocols[i]->ports[k].tls ? "+tls" : "");
		writer_text(&out, "\n");
	}
	result = print_out(&out);
	writer_free(&out);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

static void print_event(struct stage *stage, const struct event *event)
{
	struct writer line = writer_growing(EVENT_LINE_MAX + 1);

	event_write(event, &line);
	writer_u8(&line, '\n');
	if (!line.failed && write(STDERR_FILENO, line.at, line.length) < 0)
		stage->on_event = NULL;
	writer_free(&line);
}

/* Sends what may leave. -1 when nobody reads any more. */
static int flush(struct session *session)
{
	struct slice out;

	while ((out = session_output(session)).length) {
		ssize_t put = write(STDOUT_FILENO, out.at, out.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		session_sent(session, (size_t)put);
	}
	return 0;
}

static void play(struct stage *stage, struct session *session)
{
	uint8_t room[65536];
	bool reset, ended = false;

	while (flush(session) == 0 && !session_is_over(session, &reset)) {
		struct pollfd input = {ended ? -1 : STDIN_FILENO, POLLIN, 0};
		int64_t wait = session_deadline(session) - clock_monotonic();
		ssize_t got;

		wait = wait < 0 ? 0 : wait / MILLISECOND + 1;
		if (poll(&input, 1, wait > 60000 ? 60000 : (int)wait) == 1) {
			got = read(STDIN_FILENO, room, sizeof(room));
			if (got > 0) {
				session_feed(session, slice_of(room, (size_t)got));
			} else {
				session_feed_end(session);
				ended = true;
			}
		}
		if (clock_monotonic() >= session_deadline(session))
			session_tick(session);
	}
	session_end(session, "end");
}

static struct tls_settings *make_tls(const struct persona *persona)
{
	struct writer pem = writer_growing(65536);
	struct tls_subject subject = {.common_name = persona_host_name(persona),
				      .not_before = clock_wall() - 90 * DAY,
				      .not_after = clock_wall() + 275 * DAY};
	struct tls_settings *settings = NULL;
	const char *why = NULL;

	if (tls_make_certificate(&subject, &pem, &pem) == 0)
		settings = tls_settings_parse(writer_slice(&pem), &why);
	if (!settings)
		log_warning("no certificate: %s", why ? why : "out of memory");
	writer_free(&pem);
	return settings;
}

static struct host_keys *make_host_keys(void)
{
	struct writer pem = writer_growing(65536);
	struct host_keys *keys = NULL;
	const char *why;

	if (host_keys_make(2048, &pem) == 0)
		keys = host_keys_parse(writer_slice(&pem), &why);
	writer_free(&pem);
	return keys;
}

static int decoy(const struct invocation *invocation)
{
	static const uint8_t secret[PERSONA_SECRET_LENGTH] = {1};
	const char *let_in = option_value(invocation, "access");
	const char *name = option_value(invocation, "persona");
	const struct protocol *protocol;
	struct config *config;
	struct persona *persona;
	struct folders folders;
	struct stage stage;
	struct session *session;
	char path[PATH_LENGTH + 64], *why = NULL;

	if (option_given(invocation, "list"))
		return list_protocols();
	if (invocation->word_count == 0)
		usage_error(invocation, "name a protocol, or --list them");
	protocol = protocol_named(slice_text(invocation->words[0]));
	if (!protocol)
		usage_error(invocation, "there is no protocol '%s'; --list shows all",
			    invocation->words[0]);
	folders_find(invocation, &folders);
	snprintf(path, sizeof(path), "%s/personas/%.40s.yaml", folders.share,
		 name ? name : "debian-server");
	persona = persona_read(path, secret, clock_wall() - 30 * DAY, &why);
	if (!persona) {
		log_error("%s", why ? why : "out of memory");
		return EXIT_TROUBLE;
	}
	config = config_parse(SLICE(""), "built-in");
	stage_open(&stage, protocol, persona);
	stage.follows_clock = true;
	stage.on_event = option_given(invocation, "events") ? print_event : NULL;
	stage.service.record_conversation = false;
	stage.service.tls = option_given(invocation, "tls");
	stage.trap.tls = make_tls(persona);
	stage.trap.host_keys = make_host_keys();
	stage.trap.policy = access_policy_take(config, NULL,
					       !let_in                     ? ACCESS_AS_CONFIGURED
					       : !strcmp(let_in, "always") ? ACCESS_ALWAYS
									   : ACCESS_NEVER);
	if (stage_prepare(&stage, folders.share, &why) < 0) {
		log_error("%s", why ? why : "out of memory");
		return EXIT_TROUBLE;
	}
	if (stage_machine(&stage, folders.share,
			  access(folders.image, R_OK) == 0 ? folders.image : NULL, &why) < 0) {
		log_error("%s", why ? why : "out of memory");
		return EXIT_TROUBLE;
	}
	session = stage_session(&stage, option_given(invocation, "udp") ? UDP : TCP);
	if (session)
		play(&stage, session);
	access_policy_free((void *)(uintptr_t)stage.trap.policy);
	tls_settings_free((void *)(uintptr_t)stage.trap.tls);
	host_keys_free((void *)(uintptr_t)stage.trap.host_keys);
	stage_close(&stage);
	persona_free(persona);
	config_free(config);
	return EXIT_GOOD;
}

const struct command command_decoy = {
	.name = "decoy",
	.summary = "Play one protocol on standard input and output",
	.arguments = "PROTOCOL",
	.details =
		"For trying a decoy by hand, and under socat for trying clients on it:\n"
		"  socat TCP-LISTEN:2121,fork,reuseaddr,bind=127.0.0.1 EXEC:\"sundew decoy ftp\"",
	.options = decoy_options,
	.option_count = ARRAY_COUNT(decoy_options),
	.words_max = 1,
	.run = decoy,
};
