/* SSH's clear part (RFC 4253): identification strings and KEXINIT. */
#include "capture/application/view.h"
#include "capture/fingerprint/ssh_fingerprint.h"

#define BANNER_MAX     512
#define PACKET_MAX     35000
#define HASSH_TEXT_MAX 16384

enum ssh_phase { PHASE_BANNER, PHASE_KEXINIT, PHASE_DONE };

struct ssh {
	struct {
		uint8_t phase;
		char protocol[32], software[BANNER_MAX];
	} sides[2];
};

static enum recognition ssh_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	if (bytes.length < 4)
		return bytes.length && memcmp(bytes.at, "SSH-", bytes.length) == 0
			       ? RECOGNISED_MAYBE
			       : RECOGNISED_NO;
	return slice_starts(bytes, "SSH-") ? RECOGNISED_YES : RECOGNISED_NO;
}

static void copy(char *out, size_t size, struct slice text)
{
	text = slice_first(text, size - 1);
	if (text.length)
		memcpy(out, text.at, text.length);
	out[text.length] = '\0';
}

static void offer(struct ssh *ssh, struct application_context *context, enum direction direction,
		  struct slice hassh, struct slice text)
{
	bool server = direction == TO_CLIENT;
	struct findings_view v;

	view_start(&v, context);
	view_buffer(&v, BUFFER_SSH_PROTOCOL, slice_text(ssh->sides[direction].protocol));
	view_buffer(&v, BUFFER_SSH_SOFTWARE, slice_text(ssh->sides[direction].software));
	if (hassh.length) {
		view_buffer(&v, server ? BUFFER_HASSH_SERVER : BUFFER_HASSH, hassh);
		view_buffer(&v, server ? BUFFER_HASSH_SERVER_STRING : BUFFER_HASSH_STRING, text);
	}
	view_offer(&v, direction, 0);
}

static void tell(struct ssh *ssh, struct application_context *context, struct slice hassh,
		 struct slice text, bool server)
{
	struct event event;

	event_clear(&event);
	event_set_words(&event, FIELD_EVENT_ACTION,
			server ? "server.fingerprint" : "client.fingerprint");
	event_set_words(&event, server ? FIELD_SERVER_SOFTWARE : FIELD_USER_AGENT,
			ssh->sides[server].software);
	event_set_text(&event, server ? FIELD_SSH_HASSH_SERVER : FIELD_SSH_HASSH, hassh);
	event_set_text(&event, FIELD_SSH_HASSH_ALGORITHMS, text);
	context->tell(context, &event);
}

/* "SSH-2.0-software comment" */
static size_t read_banner(struct ssh *ssh, struct slice bytes, enum direction direction, bool last)
{
	size_t end = slice_find_byte(bytes, '\n'), dash;
	struct slice line = slice_trim(slice_first(bytes, end));

	if (end == SIZE_MAX && !last)
		return bytes.length > BANNER_MAX
			       ? (ssh->sides[direction].phase = PHASE_DONE, bytes.length)
			       : 0;
	if (!slice_starts(line, "SSH-"))
		return end == SIZE_MAX ? bytes.length : end + 1; /* lines before it are allowed */
	line = slice_from(line, 4);
	dash = slice_find_byte(line, '-');
	copy(ssh->sides[direction].protocol, sizeof(ssh->sides[0].protocol),
	     slice_first(line, dash));
	if (dash != SIZE_MAX) {
		struct slice software = slice_from(line, dash + 1);

		copy(ssh->sides[direction].software, sizeof(ssh->sides[0].software), software);
	}
	ssh->sides[direction].phase = PHASE_KEXINIT;
	return end == SIZE_MAX ? bytes.length : end + 1;
}

static size_t read_kexinit(struct ssh *ssh, struct application_context *context, struct slice bytes,
			   enum direction direction)
{
	struct cursor c = cursor_of(bytes);
	uint32_t length = cursor_u32be(&c);
	uint8_t padding = cursor_u8(&c);
	struct slice payload;
	uint8_t *room;
	struct writer text;
	char hash[HASSH_MAX];

	if (c.failed)
		return 0;
	if (length < 2 || length > PACKET_MAX || padding + 1u > length) {
		ssh->sides[direction].phase = PHASE_DONE;
		offer(ssh, context, direction, slice_of(NULL, 0), slice_of(NULL, 0));
		return bytes.length;
	}
	payload = cursor_take(&c, length - padding - 1);
	cursor_skip(&c, padding);
	if (c.failed)
		return 0;
	room = arena_take(context->scratch, HASSH_TEXT_MAX);
	text = writer_fixed(room, room ? HASSH_TEXT_MAX : 0);
	ssh->sides[direction].phase = PHASE_DONE;
	if (hassh_of(payload, direction == TO_CLIENT, &text, hash) == 0) {
		offer(ssh, context, direction, slice_text(hash), writer_slice(&text));
		tell(ssh, context, slice_text(hash), writer_slice(&text), direction == TO_CLIENT);
	} else {
		offer(ssh, context, direction, slice_of(NULL, 0), slice_of(NULL, 0));
	}
	return length + 4;
}

static size_t ssh_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	struct ssh *ssh = state;
	size_t used = 0, more = 1;

	while (more && used < bytes.length) {
		struct slice rest = slice_from(bytes, used);

		switch (ssh->sides[direction].phase) {
		case PHASE_BANNER:
			more = read_banner(ssh, rest, direction, last);
			break;
		case PHASE_KEXINIT:
			more = read_kexinit(ssh, context, rest, direction);
			break;
		default:
			more = rest.length;
		}
		used += more;
	}
	if (last && ssh->sides[direction].phase == PHASE_KEXINIT) {
		ssh->sides[direction].phase = PHASE_DONE;
		offer(ssh, context, direction, slice_of(NULL, 0), slice_of(NULL, 0));
	}
	return last ? bytes.length : used;
}

static void ssh_gap(void *state, struct application_context *context, enum direction direction,
		    uint64_t length)
{
	((struct ssh *)state)->sides[direction].phase = PHASE_DONE;
}

const struct application application_ssh = {
	.id = APPLICATION_SSH,
	.transports = {TRANSPORT_TCP},
	.recognise = ssh_recognise,
	.state_size = sizeof(struct ssh),
	.input = ssh_input,
	.gap = ssh_gap,
};
