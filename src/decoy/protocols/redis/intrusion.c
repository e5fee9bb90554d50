/* What intruders leave: payloads that the database file would carry, and addresses to fetch from.
 */
#include <stdio.h>

#include "decoy/protocols/redis/redis.h"

#define LARGE_VALUE   1024
#define ADDRESSES_MAX 8    /* a value */
#define ADDRESS_MAX   1024 /* bytes of one */
#define INSPECTED_MAX 65536

static bool has_any(struct slice text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (slice_contains_nocase(text, words[i]))
			return true;
	}
	return false;
}

/* Five fields of a time table at the start of some line, or @reboot. */
static bool has_cron_line(struct slice text)
{
	struct slice line;

	while (slice_next(&text, '\n', &line)) {
		size_t fields = 0;
		struct slice word;

		line = slice_trim(line);
		while (fields < 5 && slice_next(&line, ' ', &word) && word.length) {
			bool fits = word.length < 24;

			for (size_t i = 0; i < word.length && fits; i++)
				fits = strchr("*/,-0123456789", word.at[i]) != NULL && word.at[i];
			if (!fits)
				break;
			fields++;
		}
		if (fields == 5 || (fields == 0 && (slice_starts(line, "@reboot") ||
						    slice_starts(line, "@hourly"))))
			return true;
	}
	return false;
}

/* The trick that the value serves, or NULL. */
static const char *trick_of(struct slice value, const char *directory, const char *file)
{
	static const char *const keys[] = {"ssh-rsa ", "ssh-ed25519 ", "ssh-dss ", "ecdsa-sha2-",
					   NULL};
	static const char *const shells[] = {"<?php", "<?=", "<%", "eval(", "Runtime.getRuntime",
					     NULL};

	value = slice_first(value, INSPECTED_MAX);
	if (has_any(value, keys))
		return "ssh-key-write";
	if (has_any(value, shells))
		return "webshell-write";
	if (has_cron_line(value))
		return "cron-write";
	if (strstr(directory, "cron") || strcmp(file, "crontab") == 0)
		return value.length > 8 ? "cron-write" : NULL;
	return NULL;
}

static bool ends_address(uint8_t c)
{
	return c <= ' ' || c >= 0x7f || strchr("\"'`<>|;\\)(", c) != NULL;
}

void redis_report_addresses(struct session *session, struct slice text)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://", "tftp://"};
	size_t count = 0;

	text = slice_first(text, INSPECTED_MAX);
	for (size_t i = 0; i < text.length && count < ADDRESSES_MAX; i++) {
		struct slice rest = slice_from(text, i), host;
		struct event *event;
		size_t scheme = 0, length;

		while (scheme < ARRAY_COUNT(schemes) && !slice_starts_nocase(rest, schemes[scheme]))
			scheme++;
		if (scheme == ARRAY_COUNT(schemes))
			continue;
		length = strlen(schemes[scheme]);
		while (length < rest.length && length < ADDRESS_MAX &&
		       !ends_address(rest.at[length]))
			length++;
		rest.length = length;
		host = slice_from(rest, strlen(schemes[scheme]));
		i += length - 1;
		host = slice_first(host, slice_find_byte(host, '/'));
		host = slice_first(host, slice_find_byte(host, ':'));
		if (host.length == 0)
			continue;
		event = session_event(session, "download.attempt");
		event_set_text(event, FIELD_URL_ORIGINAL, rest);
		event_set_text(event, FIELD_URL_DOMAIN, host);
		session_report(session, event);
		count++;
	}
}

static void keep(struct session *session, struct slice value, const char *directory,
		 const char *file, const char *trick)
{
	struct evidence *evidence =
		session_evidence(session, EVIDENCE_PAYLOAD, "write", slice_text(file));
	struct slice tag = slice_text(trick);
	struct event more;
	char path[512];

	snprintf(path, sizeof(path), "%s%s%s", directory,
		 directory[0] && directory[strlen(directory) - 1] == '/' ? "" : "/", file);
	evidence_add(evidence, value);
	event_clear(&more);
	event_set_words(&more, FIELD_FILE_PATH, path);
	event_set_texts(&more, FIELD_TAGS, &tag, 1);
	evidence_finish(evidence, &more);
	redis_report_addresses(session, value);
}

void redis_keep_writes(struct session *session, struct redis *redis)
{
	const char *directory = redis_directory(session, redis), *file = redis_file(redis);
	struct store_entry entry;

	if (!redis->store)
		return;
	for (size_t at = 0; store_next(redis->store, &at, &entry);) {
		const char *trick;

		if (!(entry.flags & STORE_WRITTEN) || entry.flags & STORE_RECORDED)
			continue;
		trick = trick_of(entry.value, entry.type == STORE_STRING ? directory : "", file);
		if (!trick)
			continue;
		store_mark(redis->store, &entry, STORE_RECORDED);
		keep(session, entry.value, directory, file, trick);
	}
}

void redis_inspect_value(struct call *call, struct slice key, struct slice value)
{
	const char *trick = trick_of(value, redis_directory(call->session, call->redis),
				     redis_file(call->redis));

	if (trick)
		redis_tag(call, trick);
	if (value.length > LARGE_VALUE)
		session_keep(call->session, EVIDENCE_PAYLOAD, "write", slice_first(key, 255),
			     value);
}
