/* TFTP (RFC 1350): which file is asked for or offered. */
#include "capture/application/view.h"

#define NAME_BYTES_MAX 512

enum { READ_REQUEST = 1, WRITE_REQUEST = 2 };

struct tftp {
	uint64_t transactions;
};

static bool read_request(struct slice bytes, struct slice *name)
{
	static const char *const modes[] = {"netascii", "octet", "mail"};
	struct cursor c = cursor_of(bytes);
	uint16_t operation = cursor_u16be(&c);
	struct slice mode;

	*name = cursor_until(&c, 0);
	mode = cursor_until(&c, 0);
	if (c.failed || (operation != READ_REQUEST && operation != WRITE_REQUEST) ||
	    !name->length || name->length > NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++)
		if (slice_is_nocase(mode, modes[i]))
			return true;
	return false;
}

static enum recognition tftp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	struct slice name;

	return direction == TO_SERVER && read_request(bytes, &name) ? RECOGNISED_YES
								    : RECOGNISED_NO;
}

static size_t tftp_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	struct tftp *tftp = state;
	struct findings_view v;
	struct slice name;

	if (direction != TO_SERVER || !read_request(bytes, &name))
		return bytes.length;
	view_start(&v, context);
	view_buffer(&v, BUFFER_TFTP_FILE, name);
	view_buffer(&v, BUFFER_FILE_NAME, name);
	view_offer(&v, TO_SERVER, tftp->transactions++);
	return bytes.length;
}

const struct application application_tftp = {
	.id = APPLICATION_TFTP,
	.transports = {TRANSPORT_UDP},
	.recognise = tftp_recognise,
	.state_size = sizeof(struct tftp),
	.input = tftp_input,
};
