/* SMB 1 (MS-CIFS, MS-SMB). */
#include "capture/application/smb.h"

#define HEADER_BYTES 32

enum command {
	CLOSE = 0x04,
	WRITE = 0x0b,
	TRANSACTION = 0x25,
	OPEN_ANDX = 0x2d,
	READ_ANDX = 0x2e,
	WRITE_ANDX = 0x2f,
	SESSION_SETUP_ANDX = 0x73,
	TREE_CONNECT_ANDX = 0x75,
	NT_CREATE_ANDX = 0xa2,
	NOTHING = 0xff,
};

enum { FLAG_RESPONSE = 0x80 };
enum { FLAG2_WIDE = 0x8000 };
enum { PIPE_TRANSACT = 0x26 };

/* One command of a message: its words and bytes. */
struct part {
	uint8_t command;
	bool wide;
	uint16_t message; /* the multiplex id */
	struct slice words, bytes;
	size_t bytes_at; /* offset of bytes in the message */
};

static bool has_andx(uint8_t command)
{
	return command == OPEN_ANDX || command == READ_ANDX || command == WRITE_ANDX ||
	       command == SESSION_SETUP_ANDX || command == TREE_CONNECT_ANDX ||
	       command == NT_CREATE_ANDX || command == 0x24 || command == 0x74;
}

static uint16_t word_at(const struct part *part, size_t offset)
{
	struct cursor c = cursor_of(slice_from(part->words, offset));

	return cursor_u16le(&c);
}

/* The text in the part's bytes from an offset on: wide text begins at even places. */
static struct slice text_at(struct smb_message *m, const struct part *part, size_t offset)
{
	if (part->wide && (part->bytes_at + offset) % 2)
		offset++;
	return smb_text(m->context->scratch, slice_from(part->bytes, offset), part->wide);
}

static void read_transaction(struct smb_message *m, const struct part *part, bool response)
{
	size_t length = word_at(part, response ? 12 : 22);
	size_t offset = word_at(part, response ? 14 : 24);
	struct slice data = smb_part(m, offset, length);

	if (dcerpc_is_unit(data))
		smb_data(m, 0, data, length);
}

static void read_request(struct smb_message *m, const struct part *part)
{
	uint64_t length;
	struct slice rest;

	switch (part->command) {
	case SESSION_SETUP_ANDX:
		if (part->words.length == 24)
			smb_security(m, slice_first(part->bytes, word_at(part, 14)));
		break;
	case TREE_CONNECT_ANDX:
		if (part->words.length >= 8)
			smb_tree(m, text_at(m, part, word_at(part, 6)));
		break;
	case NT_CREATE_ANDX:
	case OPEN_ANDX:
		smb_asks(m->smb, part->message, 0, text_at(m, part, 0));
		break;
	case READ_ANDX:
		smb_asks(m->smb, part->message, word_at(part, 4), slice_of(NULL, 0));
		break;
	case WRITE_ANDX:
		length = word_at(part, 20) | (uint64_t)word_at(part, 18) << 16;
		smb_data(m, word_at(part, 4), smb_part(m, word_at(part, 22), (size_t)length),
			 length);
		break;
	case WRITE:
		rest = slice_from(part->bytes, 3);
		smb_data(m, word_at(part, 0), slice_first(rest, word_at(part, 2)),
			 word_at(part, 2));
		break;
	case CLOSE:
		smb_closed(m->smb, m->context, word_at(part, 0));
		break;
	case TRANSACTION:
		if (part->words.length >= 30 && word_at(part, 28) == PIPE_TRANSACT)
			read_transaction(m, part, false);
		break;
	default:
		break;
	}
}

static void read_response(struct smb_message *m, const struct part *part)
{
	struct smb_asked *asked;
	size_t length;

	switch (part->command) {
	case NT_CREATE_ANDX:
	case OPEN_ANDX:
		asked = smb_answers(m->smb, part->message);
		if (asked && part->words.length >= 7)
			smb_opened(m->smb, word_at(part, part->command == OPEN_ANDX ? 4 : 5),
				   asked->name);
		break;
	case READ_ANDX:
		asked = smb_answers(m->smb, part->message);
		length = word_at(part, 10) | (size_t)word_at(part, 14) << 16;
		if (part->words.length >= 16)
			smb_data(m, asked ? asked->file : 0, smb_part(m, word_at(part, 12), length),
				 length);
		break;
	case TRANSACTION:
		if (part->words.length >= 20)
			read_transaction(m, part, true);
		break;
	default:
		break;
	}
}

/* False: it is not all there. What its bytes lack is forgiven. */
static bool read_part(struct smb_message *m, size_t offset, struct part *part)
{
	struct cursor c = cursor_of(slice_from(m->bytes, offset));
	size_t count;

	part->words = cursor_take(&c, (size_t)cursor_u8(&c) * 2);
	count = cursor_u16le(&c);
	if (c.failed)
		return false;
	part->bytes_at = m->bytes.length - c.left;
	part->bytes = slice_first(slice_of(c.at, c.left), count);
	return true;
}

void smb1_read(struct smb_message *m)
{
	struct cursor c = cursor_of(slice_from(m->bytes, 4));
	uint8_t command = cursor_u8(&c), flags;
	uint32_t status = cursor_u32le(&c);
	struct part part = {.command = command};
	size_t offset = HEADER_BYTES;

	flags = cursor_u8(&c);
	part.wide = cursor_u16le(&c) & FLAG2_WIDE;
	cursor_skip(&c, 18);
	part.message = cursor_u16le(&c);
	if (c.failed)
		return;
	view_fact(m->view, FACT_SMB_VERSION, 1);
	if (flags & FLAG_RESPONSE)
		view_fact(m->view, FACT_SMB_STATUS, status);
	for (unsigned i = 0; i < SMB_CHAIN_MAX && part.command != NOTHING; i++) {
		size_t next;

		view_fact(m->view, FACT_SMB_COMMAND, part.command);
		if (!read_part(m, offset, &part))
			return;
		if (flags & FLAG_RESPONSE)
			read_response(m, &part);
		else
			read_request(m, &part);
		if (!has_andx(part.command) || part.words.length < 4)
			return;
		next = word_at(&part, 2);
		part.command = part.words.at[0];
		/* Only forward, so that no chain goes round. */
		if (next <= offset)
			return;
		offset = next;
	}
}
