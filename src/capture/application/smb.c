/* SMB over TCP, with or without NetBIOS in front (RFC 1002, MS-SMB2 2.1): one message at a time. */
#include "capture/application/smb.h"

#define FRAME_BYTES 4
#define RESYNC_MAX  4096

static bool is_smb(struct slice bytes)
{
	return bytes.length >= 4 && (bytes.at[0] >= 0xfc) && memcmp(bytes.at + 1, "SMB", 3) == 0;
}

static size_t frame_length(struct slice bytes)
{
	return (size_t)bytes.at[1] << 16 | (size_t)bytes.at[2] << 8 | bytes.at[3];
}

static enum recognition smb_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	if (bytes.length && bytes.at[0] != 0 && (port != 139 || bytes.at[0] < 0x81))
		return RECOGNISED_NO;
	if (bytes.length < FRAME_BYTES)
		return RECOGNISED_MAYBE;
	/* A NetBIOS session request comes before SMB. */
	if (bytes.at[0] >= 0x81 && bytes.at[0] <= 0x85)
		return frame_length(bytes) <= 512 ? RECOGNISED_YES : RECOGNISED_NO;
	if (bytes.length < 2 * FRAME_BYTES)
		return RECOGNISED_MAYBE;
	return is_smb(slice_from(bytes, FRAME_BYTES)) ? RECOGNISED_YES : RECOGNISED_NO;
}

/* --- what smb1.c and smb2.c share --- */

struct slice smb_part(const struct smb_message *message, size_t offset, size_t length)
{
	return slice_first(slice_from(message->bytes, offset), length);
}

static void put_code_point(struct writer *out, uint32_t code)
{
	if (code < 0x80) {
		writer_u8(out, (uint8_t)code);
	} else if (code < 0x800) {
		writer_u8(out, (uint8_t)(0xc0 | code >> 6));
		writer_u8(out, (uint8_t)(0x80 | (code & 63)));
	} else {
		writer_u8(out, (uint8_t)(0xe0 | code >> 12));
		writer_u8(out, (uint8_t)(0x80 | (code >> 6 & 63)));
		writer_u8(out, (uint8_t)(0x80 | (code & 63)));
	}
}

struct slice smb_text(struct arena *arena, struct slice bytes, bool wide)
{
	struct writer out;
	void *at;

	if (!wide)
		return slice_first(bytes, slice_find_byte(bytes, '\0'));
	bytes = slice_first(bytes, 2 * (size_t)SMB_NAME_MAX);
	at = arena_take(arena, bytes.length * 2 + 1);
	out = writer_fixed(at, at ? bytes.length * 2 : 0);
	for (size_t i = 0; i + 1 < bytes.length; i += 2) {
		uint32_t code = (uint32_t)bytes.at[i] | (uint32_t)bytes.at[i + 1] << 8;

		if (!code)
			break;
		put_code_point(&out, code);
	}
	return writer_slice(&out);
}

void smb_tree(struct smb_message *message, struct slice path)
{
	size_t length = path.length;
	bool pipe = length >= 4 && slice_is_nocase(slice_from(path, length - 4), "IPC$");

	view_buffer(message->view, pipe ? BUFFER_SMB_NAMED_PIPE : BUFFER_SMB_SHARE, path);
}

void smb_security(struct smb_message *message, struct slice blob)
{
	static const uint8_t mark[] = "NTLMSSP";
	size_t at = slice_find(blob, slice_of(mark, sizeof(mark)));
	struct slice ntlm = slice_from(blob, at), fields[2];
	struct cursor c = cursor_of(ntlm);
	bool wide;

	cursor_skip(&c, 8);
	if (at == SIZE_MAX || cursor_u32le(&c) != 3)
		return;
	cursor_skip(&c, 16); /* the two responses */
	for (size_t i = 0; i < 2; i++) {
		size_t length = cursor_u16le(&c), offset;

		cursor_skip(&c, 2);
		offset = cursor_u32le(&c);
		fields[i] = slice_first(slice_from(ntlm, offset), length);
	}
	cursor_skip(&c, 16); /* workstation, session key */
	wide = !(cursor_u32le(&c) & 2);
	if (c.failed)
		wide = true;
	view_buffer(message->view, BUFFER_SMB_NTLMSSP_DOMAIN,
		    smb_text(message->context->scratch, fields[0], wide));
	view_buffer(message->view, BUFFER_SMB_NTLMSSP_USER,
		    smb_text(message->context->scratch, fields[1], wide));
}

/* --- messages --- */

static void read_message(struct smb *smb, struct application_context *context,
			 enum direction direction, struct slice bytes)
{
	struct findings_view *v = arena_take(context->scratch, sizeof(*v));
	struct smb_message message = {smb, context, v, direction, bytes};

	if (!v || !is_smb(bytes))
		return;
	view_start(v, context);
	if (bytes.at[0] == 0xff)
		smb1_read(&message);
	else if (bytes.at[0] == 0xfe)
		smb2_read(&message);
	else
		return; /* encrypted or compressed */
	view_offer(v, direction, smb->transactions[direction]++);
}

/* Where a message begins after something was lost; SIZE_MAX: not in there. */
static size_t find_message(struct slice bytes)
{
	for (size_t i = 0; i + 2 * FRAME_BYTES <= bytes.length; i++)
		if (bytes.at[i] == 0 && is_smb(slice_from(bytes, i + FRAME_BYTES)))
			return i;
	return SIZE_MAX;
}

/* 0: more is needed. */
static size_t step(struct smb *smb, struct application_context *context, enum direction direction,
		   struct slice bytes, bool last)
{
	size_t length, there;

	if (smb->skip[direction]) {
		length = bytes.length < smb->skip[direction] ? bytes.length
							     : (size_t)smb->skip[direction];
		smb->skip[direction] -= length;
		return length;
	}
	if (smb->lost[direction]) {
		there = find_message(bytes);
		if (there == SIZE_MAX)
			return bytes.length > RESYNC_MAX ? bytes.length - 2 * FRAME_BYTES : 0;
		smb->lost[direction] = false;
		if (there)
			return there;
	}
	if (bytes.length < FRAME_BYTES)
		return 0;
	if (bytes.at[0] != 0 && (bytes.at[0] < 0x81 || bytes.at[0] > 0x85)) {
		smb->lost[direction] = true;
		return 1;
	}
	length = frame_length(bytes);
	there = bytes.length - FRAME_BYTES;
	if (there < length && there < SMB_MESSAGE_MAX && !last)
		return 0;
	there = there < length ? there : length;
	if (there > SMB_MESSAGE_MAX)
		there = SMB_MESSAGE_MAX;
	read_message(smb, context, direction, slice_of(bytes.at + FRAME_BYTES, there));
	smb->skip[direction] = length - there;
	return there + FRAME_BYTES;
}

static size_t smb_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	struct smb *smb = state;
	size_t used = 0, more = 1;

	while (more && used < bytes.length) {
		more = step(smb, context, direction, slice_from(bytes, used), last);
		used += more;
	}
	return last ? bytes.length : used;
}

static void smb_gap(void *state, struct application_context *context, enum direction direction,
		    uint64_t length)
{
	struct smb *smb = state;

	if (length <= smb->skip[direction] && smb->skip[direction]) {
		smb->skip[direction] -= length;
		return;
	}
	smb->skip[direction] = 0;
	smb->lost[direction] = true;
}

static void smb_finish(void *state, struct application_context *context)
{
	smb_files_end(state, context);
}

static void smb_drop(void *state)
{
	struct smb *smb = state;

	smb_files_drop(smb);
	dcerpc_drop(&smb->rpc);
}

static size_t smb_held(const void *state)
{
	const struct smb *smb = state;
	size_t held = dcerpc_held(&smb->rpc);

	for (size_t i = 0; i < SMB_TRANSFERS_MAX; i++)
		held += smb->transfers[i].bytes.capacity;
	return held;
}

const struct application application_smb = {
	.id = APPLICATION_SMB,
	.transports = {TRANSPORT_TCP},
	.recognise = smb_recognise,
	.state_size = sizeof(struct smb),
	.input = smb_input,
	.gap = smb_gap,
	.finish = smb_finish,
	.drop = smb_drop,
	.held = smb_held,
};
