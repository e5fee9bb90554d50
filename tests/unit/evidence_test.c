/* Pieces of evidence that come whole: hashed right, written once while they repeat. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/registry.h"
#include "decoy/session.h"

#define WHILE (20 * SECOND) /* that a piece is remembered */

struct inbox {
	char path[64];
	struct trap trap;
	struct service service;
	struct session *session;
	int64_t now;
	/* The last payload.captured. */
	int told;
	char sha256[SHA256_HEX + 1], md5[2 * MD5_LENGTH + 1];
	bool stored;
	int64_t size;
	size_t content; /* bytes of it that the event holds */
};

static int64_t trap_time(struct trap *trap)
{
	return ((struct inbox *)trap->context)->now;
}

static void trap_random(struct trap *trap, void *at, size_t length)
{
	memset(at, 7, length);
}

static void copy_text(char *to, struct slice text, size_t length)
{
	assert_int_equal(text.length, length);
	memcpy(to, text.at, length);
	to[length] = 0;
}

static void trap_record(struct trap *trap, const struct event *event)
{
	struct inbox *inbox = trap->context;

	if (!slice_is(event_text(event, FIELD_EVENT_ACTION), "payload.captured"))
		return;
	inbox->told++;
	copy_text(inbox->sha256, event_text(event, FIELD_FILE_SHA256), SHA256_HEX);
	copy_text(inbox->md5, event_text(event, FIELD_FILE_MD5), 2 * MD5_LENGTH);
	inbox->stored = slice_is(event_text(event, FIELD_EVENT_OUTCOME), "success");
	inbox->size = event_number(event, FIELD_FILE_SIZE);
	inbox->content = event_text(event, FIELD_EVIDENCE_CONTENT).length;
}

static void open_inbox(struct inbox *inbox)
{
	struct endpoint nobody = {.address = address_v4(0x7f000001), .port = 1};

	memset(inbox, 0, sizeof(*inbox));
	snprintf(inbox->path, sizeof(inbox->path), "/tmp/sundew-evidence-XXXXXX");
	assert_non_null(mkdtemp(inbox->path));
	inbox->now = HOUR;
	inbox->service = (struct service){.protocol = &protocol_unknown,
					  .idle = MINUTE,
					  .lifetime = HOUR,
					  .input_bytes = 1000};
	inbox->trap = (struct trap){.sensor = "test",
				    .session_memory = 65536,
				    .evidence_bytes = 4096,
				    .evidence_folder = open(inbox->path, O_RDONLY | O_DIRECTORY),
				    .context = inbox,
				    .wall = trap_time,
				    .monotonic = trap_time,
				    .random = trap_random,
				    .record = trap_record};
	assert_true(inbox->trap.evidence_folder >= 0);
	inbox->session =
		session_open(&inbox->trap, &inbox->service, TCP, &nobody, &nobody, NULL, 0);
	assert_non_null(inbox->session);
}

/* Removes what lies there and returns how many files that were. */
static int empty_inbox(const struct inbox *inbox)
{
	DIR *folder = opendir(inbox->path);
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
		count++;
	}
	closedir(folder);
	return count;
}

static void close_inbox(struct inbox *inbox)
{
	session_end(inbox->session, "end");
	(void)empty_inbox(inbox);
	close(inbox->trap.evidence_folder);
	assert_int_equal(rmdir(inbox->path), 0);
}

/* Keeps the piece, checks what was told of it, and returns how many files were written. */
static int keep(struct inbox *inbox, enum evidence_kind kind, struct slice piece)
{
	struct slice kept = slice_first(piece, (size_t)inbox->trap.evidence_bytes);
	uint8_t sha256[SHA256_LENGTH], md5[MD5_LENGTH];
	char text[SHA256_HEX + 1] = {0};
	struct writer hex = writer_fixed(text, SHA256_HEX);
	int told = inbox->told;

	session_keep(inbox->session, kind, "test", SLICE("name"), piece);
	assert_int_equal(inbox->told, told + 1);
	hash_sha256_once(kept, sha256);
	writer_hex(&hex, slice_of(sha256, sizeof(sha256)));
	assert_string_equal(inbox->sha256, text);
	hash_md5_once(kept, md5);
	hex = writer_fixed(text, SHA256_HEX);
	memset(text, 0, sizeof(text));
	writer_hex(&hex, slice_of(md5, sizeof(md5)));
	assert_string_equal(inbox->md5, text);
	assert_true(inbox->stored);
	assert_int_equal(inbox->size, piece.length);
	return empty_inbox(inbox);
}

/* Short pieces are known by their bytes, long ones by their digest, and the border is between. */
static void test_repeats_are_written_once(void **state)
{
	static const size_t lengths[] = {
		1, 33, EVIDENCE_KEY_MAX - 1, EVIDENCE_KEY_MAX, EVIDENCE_KEY_MAX + 1, 4096, 5000};
	uint8_t bytes[5000];
	struct inbox inbox;

	open_inbox(&inbox);
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		struct slice piece = slice_of(bytes, lengths[i]);

		memset(bytes, 'a' + (int)i, sizeof(bytes));
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, piece), 1);
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, piece), 0);
		inbox.now += WHILE - 1;
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, piece), 0);
		inbox.now += 1;
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, piece), 1);
	}
	close_inbox(&inbox);
}

/* Short recordings and conversations travel in the event; a payload never does. */
static void test_short_talk_needs_no_file(void **state)
{
	static const enum evidence_kind talk[] = {EVIDENCE_TERMINAL, EVIDENCE_CONVERSATION};
	struct inbox inbox;
	uint8_t bytes[2049];

	memset(bytes, 'y', sizeof(bytes));
	open_inbox(&inbox);
	for (size_t i = 0; i < ARRAY_COUNT(talk); i++) {
		assert_int_equal(keep(&inbox, talk[i], slice_of(bytes, 9)), 0);
		assert_int_equal(inbox.content, 9);
		assert_int_equal(keep(&inbox, talk[i], slice_of(bytes, 9)), 0);
		assert_int_equal(inbox.content, 9);
		assert_int_equal(keep(&inbox, talk[i], slice_of(bytes, 2047)), 0);
		assert_int_equal(keep(&inbox, talk[i], slice_of(bytes, 2048)), 0);
		assert_int_equal(inbox.content, 2048);
		assert_int_equal(keep(&inbox, talk[i], slice_of(bytes, 2049)), 1);
		assert_int_equal(inbox.content, 0);
	}
	assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(bytes, 9)), 1);
	assert_int_equal(inbox.content, 0);
	close_inbox(&inbox);
}

static void test_different_pieces_are_written(void **state)
{
	struct inbox inbox;
	uint8_t bytes[200] = {0};

	open_inbox(&inbox);
	for (int i = 0; i < 256; i++) {
		bytes[0] = (uint8_t)i;
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(bytes, 16)), 1);
		assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(bytes, 200)), 1);
	}
	assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(NULL, 0)), 1);
	close_inbox(&inbox);
}

/* A digest is no piece that happens to have its bytes. */
static void test_digest_is_not_a_piece(void **state)
{
	struct inbox inbox;
	uint8_t bytes[200] = {0}, digest[SHA256_LENGTH];

	open_inbox(&inbox);
	hash_sha256_once(slice_of(bytes, sizeof(bytes)), digest);
	assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(bytes, sizeof(bytes))), 1);
	assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, slice_of(digest, sizeof(digest))), 1);
	close_inbox(&inbox);
}

/* What could not be written is not taken for written. */
static void test_failure_is_not_remembered(void **state)
{
	struct inbox inbox;
	int folder;

	open_inbox(&inbox);
	folder = inbox.trap.evidence_folder;
	inbox.trap.evidence_folder = open("/dev/null", O_RDONLY);
	session_keep(inbox.session, EVIDENCE_PAYLOAD, "test", SLICE(""), SLICE("piece"));
	assert_false(inbox.stored);
	close(inbox.trap.evidence_folder);
	inbox.trap.evidence_folder = folder;
	assert_int_equal(keep(&inbox, EVIDENCE_PAYLOAD, SLICE("piece")), 1);
	close_inbox(&inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeats_are_written_once),
		cmocka_unit_test(test_short_talk_needs_no_file),
		cmocka_unit_test(test_different_pieces_are_written),
		cmocka_unit_test(test_digest_is_not_a_piece),
		cmocka_unit_test(test_failure_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
