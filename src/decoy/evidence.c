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

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/session_state.h"

#define CONTENT_MAX        ((size_t)2048) /* of a piece that travels in its event */
#define PIECES_PER_SESSION 64             /* more than any honest client uploads in one go */
#define NAME_KEPT          1024
#define SEEN_FOR           (20 * SECOND) /* short beside any retention, so it cannot be gone again */

const char *const evidence_kind_names[] = {"payload", "terminal", "conversation"};

struct digests {
	uint8_t sha256[SHA256_LENGTH], md5[MD5_LENGTH];
};

struct evidence {
	struct evidence *next;
	struct session *session;
	enum evidence_kind kind;
	const char *origin;
	struct slice name;
	struct hash *hash;
	EVP_MD_CTX *md5;
	uint64_t size, kept;
	struct slice content; /* travels in the event; at NULL: it does not */
	int file;             /* -1: hashes only */
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

static struct evidence *begin_piece(struct session *session, enum evidence_kind kind,
				    const char *origin, struct slice name)
{
	size_t length = name.length < NAME_KEPT ? name.length : NAME_KEPT, open_pieces = 0;
	struct evidence *evidence;

	for (struct evidence *e = session->evidence; e; e = e->next)
		open_pieces++;
	if (open_pieces >= PIECES_PER_SESSION)
		return NULL;
	evidence = calloc(1, sizeof(*evidence) + length);
	if (!evidence)
		return NULL;
	*evidence =
		(struct evidence){.session = session, .kind = kind, .origin = origin, .file = -1};
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
	evidence->next = session->evidence;
	session->evidence = evidence;
	return evidence;
}

static void open_part(struct evidence *evidence)
{
	struct trap *trap = evidence->session->trap;
	char id[ULID_LENGTH + 1];

	if (trap->evidence_folder < 0)
		return;
	ulid_next(&trap->ulids, trap->wall(trap), id);
	snprintf(evidence->part, sizeof(evidence->part), "part-%s", id);
	evidence->file = openat(trap->evidence_folder, evidence->part,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

struct evidence *session_evidence(struct session *session, enum evidence_kind kind,
				  const char *origin, struct slice name)
{
	struct evidence *evidence = begin_piece(session, kind, origin, name);

	if (evidence)
		open_part(evidence);
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

/* Counts and hashes; returns what is below the cap. */
static struct slice note_bytes(struct evidence *evidence, struct slice bytes)
{
	uint64_t cap = evidence->session->trap->evidence_bytes, room;
	struct slice kept;

	evidence->size += bytes.length;
	room = cap > evidence->kept ? cap - evidence->kept : 0;
	kept = slice_first(bytes, room < SIZE_MAX ? (size_t)room : SIZE_MAX);
	hash_add(evidence->hash, kept);
	if (kept.length)
		EVP_DigestUpdate(evidence->md5, kept.at, kept.length);
	evidence->kept += kept.length;
	return kept;
}

static void write_part(struct evidence *evidence, struct slice bytes)
{
	while (evidence->file >= 0 && bytes.length) {
		ssize_t put = write(evidence->file, bytes.at, bytes.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			abandon_file(evidence);
			return;
		}
		bytes = slice_from(bytes, (size_t)put);
	}
}

void evidence_add(struct evidence *evidence, struct slice bytes)
{
	if (evidence && bytes.length)
		write_part(evidence, note_bytes(evidence, bytes));
}

uint64_t evidence_size(const struct evidence *evidence)
{
	return evidence->size;
}

static void report_evidence(struct evidence *evidence, const struct event *more,
			    const struct digests *digests, bool stored)
{
	uint8_t room[SHA256_HEX + 2 * MD5_LENGTH];
	struct writer hex = writer_fixed(room, sizeof(room));
	struct session *session = evidence->session;
	struct event *event = session_event(session, "payload.captured");

	writer_hex(&hex, slice_of(digests->sha256, sizeof(digests->sha256)));
	writer_hex(&hex, slice_of(digests->md5, sizeof(digests->md5)));
	event_set_text(event, FIELD_FILE_NAME, evidence->name);
	event_set_number(event, FIELD_FILE_SIZE, (int64_t)evidence->size);
	event_set_text(event, FIELD_FILE_SHA256, slice_of(room, SHA256_HEX));
	event_set_text(event, FIELD_FILE_MD5, slice_of(room + SHA256_HEX, 2 * MD5_LENGTH));
	event_set_words(event, FIELD_EVIDENCE_KIND, evidence_kind_names[evidence->kind]);
	event_set_words(event, FIELD_EVIDENCE_ORIGIN, evidence->origin);
	if (evidence->content.at)
		event_set_text(event, FIELD_EVIDENCE_CONTENT, evidence->content);
	event_set_words(event, FIELD_EVENT_OUTCOME, stored ? "success" : "failure");
	if (!stored && session->trap->evidence_folder >= 0)
		event_set_words(event, FIELD_EVENT_REASON, "the evidence folder took no more");
	if (session->trap->evidence && session->trap->evidence_folder >= 0 && !evidence->content.at)
		session->trap->evidence(session->trap, stored);
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

static void finish_digests(struct evidence *evidence, struct digests *digests)
{
	hash_finish(evidence->hash, digests->sha256);
	EVP_DigestFinal_ex(evidence->md5, digests->md5, NULL);
}

/* Gives the part its name; true when the piece is in the inbox. */
static bool name_part(struct evidence *evidence, const struct digests *digests)
{
	int folder = evidence->session->trap->evidence_folder;
	uint8_t room[SHA256_HEX];
	struct writer hex = writer_fixed(room, sizeof(room));
	char name[SHA256_HEX + 16];

	if (evidence->file < 0)
		return false;
	writer_hex(&hex, slice_of(digests->sha256, sizeof(digests->sha256)));
	snprintf(name, sizeof(name), "%.*s.%s", SHA256_HEX, (const char *)room,
		 evidence_kind_names[evidence->kind]);
	if (renameat(folder, evidence->part, folder, name) == 0)
		return true;
	unlinkat(folder, evidence->part, 0);
	return false;
}

static void end_piece(struct evidence *evidence, const struct event *more,
		      const struct digests *digests, bool stored)
{
	unlink_from_session(evidence);
	report_evidence(evidence, more, digests, stored);
	evidence_free(evidence);
}

void evidence_finish(struct evidence *evidence, const struct event *more)
{
	struct digests digests;

	if (!evidence)
		return;
	finish_digests(evidence, &digests);
	end_piece(evidence, more, &digests, name_part(evidence, &digests));
}

void evidence_finish_all(struct session *session)
{
	while (session->evidence)
		evidence_finish(session->evidence, NULL);
}

/* Scanners say the same thing thousands of times a minute: what this process put into the inbox a
 * moment ago is there, or filed already, and making the file anew would cost more than all else
 * that a connection costs; hashing it anew, as much as two events, so what is short is known by its
 * bytes. Attackers who push entries out only get their file written again. */
static struct evidence_seen *seen_entry(struct trap *trap, struct slice key)
{
	static const uint64_t secret[2] = {0, 0};

	return &trap->evidence_seen[hash_sip(secret, key) % ARRAY_COUNT(trap->evidence_seen)];
}

static const struct evidence_seen *seen_lately(struct trap *trap, enum evidence_kind kind,
					       struct slice key, bool by_digest)
{
	const struct evidence_seen *seen = seen_entry(trap, key);

	return seen->until > trap->monotonic(trap) && seen->kind == kind &&
			       seen->by_digest == by_digest &&
			       slice_equal(slice_of(seen->key, seen->key_length), key)
		       ? seen
		       : NULL;
}

static void remember(struct trap *trap, enum evidence_kind kind, struct slice key, bool by_digest,
		     const struct digests *digests)
{
	struct evidence_seen *seen = seen_entry(trap, key);

	seen->until = trap->monotonic(trap) + SEEN_FOR;
	seen->kind = (uint8_t)kind;
	seen->by_digest = by_digest;
	seen->key_length = (uint8_t)key.length;
	memcpy(seen->key, key.at, key.length);
	memcpy(seen->sha256, digests->sha256, sizeof(seen->sha256));
	memcpy(seen->md5, digests->md5, sizeof(seen->md5));
}

/* What sessions said and showed is mostly short, and different each time: a file for each would be
 * the dearest part of a session. Payloads are files always. */
static struct slice content_of(enum evidence_kind kind, struct slice bytes)
{
	return kind != EVIDENCE_PAYLOAD && bytes.length <= CONTENT_MAX ? bytes : slice_of(NULL, 0);
}

/* Tells a piece once more without hashing it. */
static void tell_again(struct session *session, const struct evidence_seen *seen,
		       const char *origin, struct slice name, struct slice bytes)
{
	struct evidence evidence = {.session = session,
				    .kind = seen->kind,
				    .origin = origin,
				    .name = slice_first(name, NAME_KEPT),
				    .size = bytes.length,
				    .kept = bytes.length,
				    .content = content_of(seen->kind, bytes)};
	struct digests digests;

	memcpy(digests.sha256, seen->sha256, sizeof(digests.sha256));
	memcpy(digests.md5, seen->md5, sizeof(digests.md5));
	report_evidence(&evidence, NULL, &digests, true);
}

void session_keep(struct session *session, enum evidence_kind kind, const char *origin,
		  struct slice name, struct slice bytes)
{
	struct trap *trap = session->trap;
	bool is_short = bytes.length && bytes.length <= EVIDENCE_KEY_MAX &&
			bytes.length <= trap->evidence_bytes;
	const struct evidence_seen *seen = is_short ? seen_lately(trap, kind, bytes, false) : NULL;
	struct evidence *evidence;
	struct digests digests;
	struct slice kept, key;
	bool stored;

	if (seen) {
		tell_again(session, seen, origin, name, bytes);
		return;
	}
	evidence = begin_piece(session, kind, origin, name);
	if (!evidence)
		return;
	kept = note_bytes(evidence, bytes);
	finish_digests(evidence, &digests);
	key = is_short ? bytes : slice_of(digests.sha256, sizeof(digests.sha256));
	evidence->content = content_of(kind, kept);
	stored = !is_short && !evidence->content.at && seen_lately(trap, kind, key, true);
	if (!stored) {
		if (evidence->content.at) {
			stored = true;
		} else {
			open_part(evidence);
			write_part(evidence, kept);
			stored = name_part(evidence, &digests);
		}
		if (stored && (is_short || !evidence->content.at))
			remember(trap, kind, key, !is_short, &digests);
	}
	end_piece(evidence, NULL, &digests, stored);
}
