/* SMB 2 and 3 in the clear (MS-SMB2). */
#include "capture/application/smb.h"

#define HEADER_BYTES 64

enum command {
	SESSION_SETUP = 1,
	TREE_CONNECT = 3,
	CREATE = 5,
	CLOSE = 6,
	READ = 8,
	WRITE = 9,
	IOCTL = 11,
};

enum { FLAG_RESPONSE = 1 };

struct header {
	uint32_t status;
	uint16_t command;
	bool response;
	uint32_t next;
	uint64_t message;
};

static bool read_header(struct slice bytes, struct header *header)
{
	struct cursor c = cursor_of(bytes);

	cursor_skip(&c, 8);
	header->status = cursor_u32le(&c);
	header->command = cursor_u16le(&c);
	cursor_skip(&c, 2);
	header->response = cursor_u32le(&c) & FLAG_RESPONSE;
	header->next = cursor_u32le(&c);
	header->message = cursor_u64le(&c);
	return !c.failed && bytes.length >= HEADER_BYTES && slice_starts(bytes, "\xfeSMB");
}

/* Sixteen bytes; two numbers that are enough to tell files of one connection apart. */
static uint64_t file_id(struct cursor *c)
{
	uint64_t persistent = cursor_u64le(c), fleeting = cursor_u64le(c);

	return fleeting ^ (persistent << 32 | persistent >> 32);
}

static struct slice part_at(struct smb_message *m, struct slice bytes, size_t offset, size_t length)
{
	struct smb_message one = *m;

	one.bytes = bytes;
	return smb_part(&one, offset, length);
}

static void read_request(struct smb_message *m, const struct header *header, struct slice bytes)
{
	struct cursor c = cursor_of(slice_from(bytes, HEADER_BYTES));
	struct arena *arena = m->context->scratch;
	size_t offset, length;
	uint64_t file;

	switch (header->command) {
	case SESSION_SETUP:
		cursor_skip(&c, 12);
		offset = cursor_u16le(&c);
		length = cursor_u16le(&c);
		smb_security(m, part_at(m, bytes, offset, length));
		break;
	case TREE_CONNECT:
		cursor_skip(&c, 4);
		offset = cursor_u16le(&c);
		length = cursor_u16le(&c);
		smb_tree(m, smb_text(arena, part_at(m, bytes, offset, length), true));
		break;
	case CREATE:
		cursor_skip(&c, 44);
		offset = cursor_u16le(&c);
		length = cursor_u16le(&c);
		smb_asks(m->smb, header->message, 0,
			 smb_text(arena, part_at(m, bytes, offset, length), true));
		break;
	case CLOSE:
		cursor_skip(&c, 8);
		smb_closed(m->smb, m->context, file_id(&c));
		break;
	case READ:
		cursor_skip(&c, 16);
		smb_asks(m->smb, header->message, file_id(&c), slice_of(NULL, 0));
		break;
	case WRITE:
		cursor_skip(&c, 2);
		offset = cursor_u16le(&c);
		length = cursor_u32le(&c);
		cursor_skip(&c, 8);
		file = file_id(&c);
		if (!c.failed)
			smb_data(m, file, part_at(m, bytes, offset, length), length);
		break;
	case IOCTL:
		cursor_skip(&c, 8);
		file = file_id(&c);
		offset = cursor_u32le(&c);
		length = cursor_u32le(&c);
		if (dcerpc_is_unit(part_at(m, bytes, offset, length)))
			smb_data(m, file, part_at(m, bytes, offset, length), length);
		break;
	default:
		break;
	}
}

static void read_response(struct smb_message *m, const struct header *header, struct slice bytes)
{
	struct cursor c = cursor_of(slice_from(bytes, HEADER_BYTES));
	struct smb_asked *asked;
	size_t offset, length;
	uint64_t file;

	switch (header->command) {
	case CREATE:
		asked = smb_answers(m->smb, header->message);
		cursor_skip(&c, 64);
		file = file_id(&c);
		if (asked && !c.failed)
			smb_opened(m->smb, file, asked->name);
		break;
	case READ:
		asked = smb_answers(m->smb, header->message);
		cursor_skip(&c, 2);
		offset = cursor_u8(&c);
		cursor_skip(&c, 1);
		length = cursor_u32le(&c);
		if (!c.failed)
			smb_data(m, asked ? asked->file : 0, part_at(m, bytes, offset, length),
				 length);
		break;
	case IOCTL:
		cursor_skip(&c, 8);
		file = file_id(&c);
		cursor_skip(&c, 8);
		offset = cursor_u32le(&c);
		length = cursor_u32le(&c);
		if (dcerpc_is_unit(part_at(m, bytes, offset, length)))
			smb_data(m, file, part_at(m, bytes, offset, length), length);
		break;
	default:
		break;
	}
}

void smb2_read(struct smb_message *m)
{
	struct slice rest = m->bytes;
	struct header header;

	view_fact(m->view, FACT_SMB_VERSION, 2);
	for (unsigned i = 0; i < SMB_CHAIN_MAX && read_header(rest, &header); i++) {
		struct slice bytes = header.next ? slice_first(rest, header.next) : rest;

		view_fact(m->view, FACT_SMB_COMMAND, header.command);
		if (header.response) {
			view_fact(m->view, FACT_SMB_STATUS, header.status);
			read_response(m, &header, bytes);
		} else {
			read_request(m, &header, bytes);
		}
		if (header.next < HEADER_BYTES)
			break;
		rest = slice_from(rest, header.next);
	}
}
