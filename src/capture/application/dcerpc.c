/* DCE/RPC over TCP; see dcerpc.h. */
#include "capture/application/dcerpc.h"

enum {
	UNIT_REQUEST = 0,
	UNIT_RESPONSE = 2,
	UNIT_FAULT = 3,
	UNIT_BIND = 11,
	UNIT_ALTER = 14,
	UNIT_MAX = 19
};
enum { FLAG_FIRST = 1, FLAG_LAST = 2, FLAG_OBJECT = 0x80 };

struct unit {
	uint8_t type, flags;
	bool little;
	uint16_t length, trailer; /* trailer: of authentication */
	struct slice body;
};

bool dcerpc_is_unit(struct slice bytes)
{
	return bytes.length >= DCERPC_HEADER_BYTES && bytes.at[0] == 5 && bytes.at[1] <= 1 &&
	       bytes.at[2] <= UNIT_MAX && (bytes.at[4] & 0xef) == 0 && bytes.at[5] <= 3;
}

static uint16_t u16(struct cursor *c, bool little)
{
	return little ? cursor_u16le(c) : cursor_u16be(c);
}

static uint32_t u32(struct cursor *c, bool little)
{
	return little ? cursor_u32le(c) : cursor_u32be(c);
}

/* 0: not all of it is there; SIZE_MAX: it is none. */
static size_t read_unit(struct slice bytes, struct unit *unit)
{
	struct cursor c = cursor_of(bytes);

	if (bytes.length < DCERPC_HEADER_BYTES)
		return 0;
	if (!dcerpc_is_unit(bytes))
		return SIZE_MAX;
	cursor_skip(&c, 2);
	unit->type = cursor_u8(&c);
	unit->flags = cursor_u8(&c);
	unit->little = cursor_u8(&c) & 0x10;
	cursor_skip(&c, 3);
	unit->length = u16(&c, unit->little);
	unit->trailer = u16(&c, unit->little);
	if (unit->length < DCERPC_HEADER_BYTES)
		return SIZE_MAX;
	if (unit->length > bytes.length)
		return 0;
	unit->body = slice_from(slice_first(bytes, unit->length), DCERPC_HEADER_BYTES);
	return unit->length;
}

/* --- binding --- */

static void put_interface(char out[DCERPC_INTERFACE_MAX], struct slice id, bool little)
{
	static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	struct writer w = writer_fixed(out, DCERPC_INTERFACE_MAX - 1);

	for (size_t i = 0; i < sizeof(order); i++) {
		size_t at = little ? order[i] : i;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			writer_u8(&w, '-');
		writer_hex(&w, slice_of(id.at + at, 1));
	}
	out[w.length] = '\0';
}

static void read_bind(struct dcerpc *dcerpc, const struct unit *unit)
{
	struct cursor c = cursor_of(unit->body);
	uint8_t count;

	cursor_skip(&c, 8);
	count = cursor_u8(&c);
	cursor_skip(&c, 3);
	for (uint8_t i = 0; i < count && !c.failed; i++) {
		uint16_t id = u16(&c, unit->little);
		uint8_t syntaxes = cursor_u8(&c);
		struct slice interface;
		size_t at = dcerpc->context_count;

		cursor_skip(&c, 1);
		interface = cursor_take(&c, 16);
		cursor_skip(&c, 4 + 20 * (size_t)syntaxes);
		if (interface.length < 16 || at == DCERPC_CONTEXTS_MAX)
			return;
		dcerpc->contexts[at].id = id;
		put_interface(dcerpc->contexts[at].interface, interface, unit->little);
		dcerpc->context_count++;
	}
}

/* --- calls --- */

static const char *interface_of(const struct dcerpc *dcerpc, uint16_t id)
{
	for (size_t i = dcerpc->context_count; i; i--)
		if (dcerpc->contexts[i - 1].id == id)
			return dcerpc->contexts[i - 1].interface;
	return NULL;
}

/* The stub data as far as it is there; whole when this fragment is the last. */
static struct slice gather(struct dcerpc *dcerpc, const struct unit *unit, enum direction direction,
			   struct slice stub)
{
	struct writer *at = &dcerpc->stubs[direction];

	if (unit->flags & FLAG_FIRST && unit->flags & FLAG_LAST)
		return stub;
	if (!at->limit)
		*at = writer_growing(DCERPC_STUB_MAX);
	if (unit->flags & FLAG_FIRST)
		writer_clear(at);
	writer_bytes(at, slice_first(stub, DCERPC_STUB_MAX - at->length));
	return writer_slice(at);
}

static void read_call(struct dcerpc *dcerpc, struct application_context *context,
		      enum direction direction, const struct unit *unit)
{
	bool request = unit->type == UNIT_REQUEST;
	struct cursor c = cursor_of(unit->body);
	uint16_t id, operation;
	const char *interface;
	struct findings_view v;
	struct slice stub;

	(void)u32(&c, unit->little);
	id = u16(&c, unit->little);
	operation = u16(&c, unit->little);
	if (request && unit->flags & FLAG_OBJECT)
		cursor_skip(&c, 16);
	if (c.failed)
		return;
	stub = slice_of(c.at, c.left);
	if (unit->trailer && unit->trailer + 8u <= stub.length)
		stub.length -= unit->trailer + 8u;
	stub = gather(dcerpc, unit, direction, stub);
	if (!(unit->flags & FLAG_LAST))
		return;
	interface = interface_of(dcerpc, id);
	view_start(&v, context);
	view_buffer(&v, BUFFER_DCERPC_STUB, stub);
	if (interface)
		view_buffer(&v, BUFFER_DCERPC_INTERFACE, slice_text(interface));
	if (request)
		view_fact(&v, FACT_DCERPC_OPNUM, operation);
	view_offer(&v, direction, dcerpc->transactions[direction]++);
}

size_t dcerpc_read(struct dcerpc *dcerpc, struct application_context *context,
		   enum direction direction, struct slice bytes)
{
	size_t used = 0;

	while (used < bytes.length) {
		struct unit unit;
		size_t length = read_unit(slice_from(bytes, used), &unit);

		if (length == SIZE_MAX)
			return bytes.length;
		if (!length)
			break;
		used += length;
		if (unit.type == UNIT_REQUEST || unit.type == UNIT_RESPONSE) {
			read_call(dcerpc, context, direction, &unit);
		} else if (unit.type == UNIT_BIND || unit.type == UNIT_ALTER) {
			read_bind(dcerpc, &unit);
		}
	}
	return used;
}

void dcerpc_drop(struct dcerpc *dcerpc)
{
	writer_free(&dcerpc->stubs[0]);
	writer_free(&dcerpc->stubs[1]);
}

size_t dcerpc_held(const struct dcerpc *dcerpc)
{
	return dcerpc->stubs[0].capacity + dcerpc->stubs[1].capacity;
}

/* --- over TCP --- */

static enum recognition tcp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	if (bytes.length < DCERPC_HEADER_BYTES)
		return bytes.length && bytes.at[0] != 5 ? RECOGNISED_NO : RECOGNISED_MAYBE;
	return dcerpc_is_unit(bytes) ? RECOGNISED_YES : RECOGNISED_NO;
}

static size_t tcp_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	size_t used = dcerpc_read(state, context, direction, bytes);

	return last ? bytes.length : used;
}

static void tcp_drop(void *state)
{
	dcerpc_drop(state);
}

static size_t tcp_held(const void *state)
{
	return dcerpc_held(state);
}

const struct application application_dcerpc = {
	.id = APPLICATION_DCERPC,
	.transports = {TRANSPORT_TCP},
	.recognise = tcp_recognise,
	.state_size = sizeof(struct dcerpc),
	.input = tcp_input,
	.drop = tcp_drop,
	.held = tcp_held,
};
