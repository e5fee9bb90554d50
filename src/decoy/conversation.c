/* A conversation: what both sides said, with the time, as a piece of evidence.
 *
 * One record after another, all numbers big-endian:
 *     u8  direction     0 from the client, 1 from the decoy
 *     u32 milliseconds  since the session began
 *     u32 length, then so many bytes
 * after the 8 bytes "SUNDEWC1". Kept only when the client said something.
 */
#include <stdlib.h>

#include "decoy/session_state.h"

#define CONVERSATION_MAX                                                         \
	((size_t)64 * 1024) /* of both sides together; the first bytes tell most \
			     */
#define RECORD_HEADER 9
#define MAGIC         SLICE("SUNDEWC1")

struct conversation {
	struct buffer *records;
	bool client_spoke;
};

void conversation_add(struct session *session, bool from_client, struct slice bytes)
{
	uint8_t header[RECORD_HEADER];
	struct writer w = writer_fixed(header, sizeof(header));
	struct conversation *conversation = session->conversation;
	size_t held, room, limit = CONVERSATION_MAX + MAGIC.length;

	if (!session->service->record_conversation || session->tarpit.interval)
		return;
	if (!conversation) {
		conversation = session->conversation = calloc(1, sizeof(*conversation));
		if (!conversation)
			return;
	}
	conversation->client_spoke |= from_client;
	if (!conversation->records && buffer_add(&conversation->records, MAGIC, MAGIC.length) < 0)
		return;
	held = conversation->records->length - MAGIC.length;
	room = held + RECORD_HEADER < CONVERSATION_MAX ? CONVERSATION_MAX - held - RECORD_HEADER
						       : 0;
	bytes = slice_first(bytes, room);
	if (bytes.length == 0)
		return;
	writer_u8(&w, !from_client);
	writer_u32be(&w, (uint32_t)((session->trap->monotonic(session->trap) - session->started) /
				    MILLISECOND));
	writer_u32be(&w, (uint32_t)bytes.length);
	if (buffer_add(&conversation->records, writer_slice(&w), limit) < 0 ||
	    buffer_add(&conversation->records, bytes, limit) < 0)
		return;
}

void conversation_drop(struct session *session)
{
	if (!session->conversation)
		return;
	buffer_drop(&session->conversation->records, SIZE_MAX);
	free(session->conversation);
	session->conversation = NULL;
}

void conversation_finish(struct session *session)
{
	struct conversation *conversation = session->conversation;

	if (conversation && conversation->client_spoke)
		session_keep(session, EVIDENCE_CONVERSATION, "bytes", SLICE(""),
			     buffer_slice(conversation->records));
	conversation_drop(session);
}
