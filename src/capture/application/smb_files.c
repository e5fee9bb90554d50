/* Files that SMB reads and writes, put together, and what passes through pipes. */
#include "capture/application/smb.h"

static void copy(char *out, struct slice text)
{
	text = slice_first(text, SMB_NAME_MAX - 1);
	if (text.length)
		memcpy(out, text.at, text.length);
	out[text.length] = '\0';
}

void smb_asks(struct smb *smb, uint64_t message, uint64_t file, struct slice name)
{
	struct smb_asked *asked = &smb->asked[smb->asked_next++ % SMB_ASKED_MAX];

	asked->used = true;
	asked->message = message;
	asked->file = file;
	copy(asked->name, name);
}

struct smb_asked *smb_answers(struct smb *smb, uint64_t message)
{
	for (size_t i = 0; i < SMB_ASKED_MAX; i++)
		if (smb->asked[i].used && smb->asked[i].message == message) {
			smb->asked[i].used = false;
			return &smb->asked[i];
		}
	return NULL;
}

void smb_opened(struct smb *smb, uint64_t file, const char *name)
{
	struct smb_name *slot = &smb->names[smb->name_next++ % SMB_ASKED_MAX];

	slot->used = true;
	slot->file = file;
	copy(slot->name, slice_text(name));
}

static const char *name_of(const struct smb *smb, uint64_t file)
{
	for (size_t i = 0; i < SMB_ASKED_MAX; i++)
		if (smb->names[i].used && smb->names[i].file == file)
			return smb->names[i].name;
	return "";
}

static void offer(struct smb *smb, struct application_context *context,
		  struct smb_transfer *transfer)
{
	struct findings_view *v = arena_take(context->scratch, sizeof(*v));
	enum direction direction = transfer->direction;

	if (transfer->told || !transfer->bytes.length || !v)
		return;
	transfer->told = true;
	view_start(v, context);
	if (*transfer->name)
		view_buffer(v, BUFFER_FILE_NAME, slice_text(transfer->name));
	view_buffer(v, BUFFER_FILE, writer_slice(&transfer->bytes));
	view_fact(v, FACT_FILE_SIZE, (int64_t)transfer->length);
	view_offer(v, direction, smb->transactions[direction]++);
}

static void end_transfer(struct smb *smb, struct application_context *context,
			 struct smb_transfer *transfer)
{
	offer(smb, context, transfer);
	transfer->used = transfer->told = false;
	transfer->length = 0;
	writer_clear(&transfer->bytes);
}

static struct smb_transfer *transfer_of(struct smb_message *message, uint64_t file)
{
	struct smb *smb = message->smb;
	struct smb_transfer *transfer;

	for (size_t i = 0; i < SMB_TRANSFERS_MAX; i++)
		if (smb->transfers[i].used && smb->transfers[i].file == file &&
		    smb->transfers[i].direction == message->direction)
			return &smb->transfers[i];
	transfer = &smb->transfers[smb->transfer_next++ % SMB_TRANSFERS_MAX];
	if (transfer->used)
		end_transfer(smb, message->context, transfer);
	if (!transfer->bytes.limit)
		transfer->bytes = writer_growing(APPLICATION_BODY_MAX);
	transfer->used = true;
	transfer->file = file;
	transfer->direction = message->direction;
	copy(transfer->name, slice_text(name_of(smb, file)));
	return transfer;
}

/* Calls are numbered along with the messages that carry them. */
static void pipe_data(struct smb_message *message, struct slice bytes)
{
	struct dcerpc *rpc = &message->smb->rpc;
	uint64_t *number = &message->smb->transactions[message->direction];

	rpc->transactions[message->direction] = *number;
	(void)dcerpc_read(rpc, message->context, message->direction, bytes);
	*number = rpc->transactions[message->direction];
}

void smb_data(struct smb_message *message, uint64_t file, struct slice bytes, uint64_t length)
{
	struct smb_transfer *transfer;

	if (dcerpc_is_unit(bytes)) {
		pipe_data(message, bytes);
		return;
	}
	if (!bytes.length)
		return;
	transfer = transfer_of(message, file);
	transfer->length += length;
	writer_bytes(&transfer->bytes,
		     slice_first(bytes, APPLICATION_BODY_MAX - transfer->bytes.length));
	if (transfer->bytes.length == APPLICATION_BODY_MAX)
		offer(message->smb, message->context, transfer);
}

void smb_closed(struct smb *smb, struct application_context *context, uint64_t file)
{
	for (size_t i = 0; i < SMB_TRANSFERS_MAX; i++)
		if (smb->transfers[i].used && smb->transfers[i].file == file)
			end_transfer(smb, context, &smb->transfers[i]);
}

void smb_files_end(struct smb *smb, struct application_context *context)
{
	for (size_t i = 0; i < SMB_TRANSFERS_MAX; i++)
		if (smb->transfers[i].used)
			end_transfer(smb, context, &smb->transfers[i]);
}

void smb_files_drop(struct smb *smb)
{
	for (size_t i = 0; i < SMB_TRANSFERS_MAX; i++)
		writer_free(&smb->transfers[i].bytes);
}
