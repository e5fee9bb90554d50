/* Evidence on its way in: written to the inbox as it comes, named by its SHA-256 when it is whole.
 *
 * The inbox is a folder that only the store empties. A file is "part-..." while it grows and
 * "SHA256.KIND" when finished: the rename is the only thing that makes it evidence, so a crash
 * leaves a part, never half a piece under a whole one's name.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "decoy/session_state.h"

#define PIECES_PER_SESSION 64 /* more than any honest client uploads in one go */
#define NAME_KEPT          1024

const char *const evidence_kind_names[] = {"payload", "terminal", "conversation"};

struct evidence {
	struct evidence *next;
	struct session *session;
	enum evidence_kind kind;
	const char *origin;
	struct slice name;
	struct hash *hash;
	EVP_MD_CTX *md5;
	uint64_t size, kept;
	int file; /* -1: hashes only */
	char part[8 + ULID_LENGTH + 1];
};

static void evidence_free(struct evidence *evidence)
{
	if (evidence->file >= 0)
		close(evidence->file);
	hash_free(evidence->hash);
	EVP_MD_CTX_free(evidence->md5);
	free(evidence);
}

struct evidence *session_evidence(struct session *session, enum evidence_kind kind,
				  const char *origin, struct slice name)
{
	struct trap *trap = session->trap;
	size_t length = name.length < NAME_KEPT ? name.length : NAME_KEPT, open_pieces = 0;
	struct evidence *evidence;
	char id[ULID_LENGTH + 1];

	for (struct evidence *e = session->evidence; e; e = e->next)
		open_pieces++;
	if (open_pieces >= PIECES_PER_SESSION)
		return NULL;
	evidence = calloc(1, sizeof(*evidence) + length);
	if (!evidence)
		return NULL;
	*evidence = (struct evidence){.session = session, .kind = kind, .origin = origin, .file = -1};
	if (length)
		memcpy(evidence + 1, name.at, length);
	evidence->name = slice_of(evidence + 1, length);
	evidence->hash = hash_sha256();
	evidence->md5 = EVP_MD_CTX_new();
	if (!evidence->hash || !evidence->md5 ||
	    EVP_DigestInit_ex(evidence->md5, EVP_md5(), NULL) != 1) {
		evidence_free(evidence);
		return NULL;
	}
	if (trap->evidence_folder >= 0) {
		ulid_next(&trap->ulids, trap->wall(trap), id);
		snprintf(evidence->part, sizeof(evidence->part), "part-%s", id);
		evidence->file = openat(trap->evidence_folder, evidence->part,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	evidence->next = session->evidence;
	session->evidence = evidence;
	return evidence;
}

/* Gives up on the file; the hashes go on. */
static void abandon_file(struct evidence *evidence)
{
	close(evidence->file);
	evidence->file = -1;
	unlinkat(evidence->session->trap->evidence_folder, evidence->part, 0);
	evidence->kept = 0;
}

void evidence_add(struct evidence *evidence, struct slice bytes)
{
	uint64_t cap, room;
	struct slice kept;

	if (!evidence || bytes.length == 0)
		return;
	cap = evidence->session->trap->evidence_bytes;
	evidence->size += bytes.length;
	room = cap > evidence->kept ? cap - evidence->kept : 0;
	kept = slice_first(bytes, room < SIZE_MAX ? (size_t)room : SIZE_MAX);
	hash_add(evidence->hash, kept);
	if (kept.length)
		EVP_DigestUpdate(evidence->md5, kept.at, kept.length);
	evidence->kept += kept.length;
	while (evidence->file >= 0 && kept.length) {
		ssize_t put = write(evidence->file, kept.at, kept.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			abandon_file(evidence);
			return;
		}
		kept = slice_from(kept, (size_t)put);
	}
}

uint64_t evidence_size(const struct evidence *evidence)
{
	return evidence->size;
}

static void report_evidence(struct evidence *evidence, const struct event *more,
			    const char *sha256, struct slice md5, bool stored)
{
	struct session *session = evidence->session;
	struct event *event = session_event(session, "payload.captured");

	event_set_text(event, FIELD_FILE_NAME, evidence->name);
	event_set_number(event, FIELD_FILE_SIZE, (int64_t)evidence->size);
	event_set_text(event, FIELD_FILE_SHA256, slice_of(sha256, SHA256_HEX));
	event_set_text(event, FIELD_FILE_MD5, md5);
	event_set_words(event, FIELD_EVIDENCE_KIND, evidence_kind_names[evidence->kind]);
	event_set_words(event, FIELD_EVIDENCE_ORIGIN, evidence->origin);
	event_set_words(event, FIELD_EVENT_OUTCOME, stored ? "success" : "failure");
	if (!stored && session->trap->evidence_folder >= 0)
		event_set_words(event, FIELD_EVENT_REASON, "the evidence folder took no more");
	if (evidence->kept < evidence->size && stored)
		event_set_words(event, FIELD_EVENT_REASON, "cut at the size cap");
	for (int field = 0; more && field < FIELD_COUNT; field++) {
		if (event_has(more, (enum event_field)field)) {
			event->values[field] = more->values[field];
			event_mark(event, (enum event_field)field);
		}
	}
	session_report(session, event);
}

static void unlink_from_session(struct evidence *evidence)
{
	struct evidence **at = &evidence->session->evidence;

	while (*at && *at != evidence)
		at = &(*at)->next;
	if (*at)
		*at = evidence->next;
}

void evidence_finish(struct evidence *evidence, const struct event *more)
{
	uint8_t sha256[SHA256_LENGTH], md5[MD5_LENGTH], room[SHA256_HEX + 2 * MD5_LENGTH];
	struct writer hex = writer_fixed(room, sizeof(room));
	char name[SHA256_HEX + 16];
	bool stored = false;

	if (!evidence)
		return;
	unlink_from_session(evidence);
	hash_finish(evidence->hash, sha256);
	EVP_DigestFinal_ex(evidence->md5, md5, NULL);
	writer_hex(&hex, slice_of(sha256, sizeof(sha256)));
	writer_hex(&hex, slice_of(md5, sizeof(md5)));
	if (evidence->file >= 0) {
		int folder = evidence->session->trap->evidence_folder;

		snprintf(name, sizeof(name), "%.*s.%s", SHA256_HEX, (const char *)room,
			 evidence_kind_names[evidence->kind]);
		stored = renameat(folder, evidence->part, folder, name) == 0;
		if (!stored)
			unlinkat(folder, evidence->part, 0);
	}
	report_evidence(evidence, more, (const char *)room,
			slice_of(room + SHA256_HEX, 2 * MD5_LENGTH), stored);
	evidence_free(evidence);
}

void evidence_finish_all(struct session *session)
{
	while (session->evidence)
		evidence_finish(session->evidence, NULL);
}

void session_keep(struct session *session, enum evidence_kind kind, const char *origin,
		  struct slice name, struct slice bytes)
{
	struct evidence *evidence = session_evidence(session, kind, origin, name);

	evidence_add(evidence, bytes);
	evidence_finish(evidence, NULL);
}
