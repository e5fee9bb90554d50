/* Modbus over TCP (Modbus Messaging on TCP/IP Implementation Guide V1.0b). */
#include "capture/application/view.h"

#define HEADER_BYTES  7
#define LENGTH_MAX    254
#define FUNCTION_MAX  43 /* the highest public one; 0x80 marks an error */
#define FUNCTION_MASK 0x7f

struct modbus {
	uint64_t transactions[2];
	bool lost[2];
};

static bool is_header(struct slice bytes)
{
	uint16_t length;

	if (bytes.length < HEADER_BYTES + 1)
		return false;
	length = (uint16_t)(bytes.at[4] << 8 | bytes.at[5]);
	return bytes.at[2] == 0 && bytes.at[3] == 0 && length >= 2 && length <= LENGTH_MAX;
}

static enum recognition modbus_recognise(struct slice bytes, enum direction direction,
					 uint16_t port)
{
	uint8_t function;

	if (bytes.length < HEADER_BYTES + 1)
		return bytes.length > 3 && (bytes.at[2] || bytes.at[3]) ? RECOGNISED_NO
									: RECOGNISED_MAYBE;
	function = bytes.at[HEADER_BYTES] & FUNCTION_MASK;
	if (!is_header(bytes) || !function)
		return RECOGNISED_NO;
	/* On another port only what fits exactly. */
	return port == 502 || (bytes.length == bytes.at[5] + 6u && bytes.at[4] == 0 &&
			       function <= FUNCTION_MAX)
		       ? RECOGNISED_YES
		       : RECOGNISED_NO;
}

static size_t modbus_input(void *state, struct application_context *context,
			   enum direction direction, struct slice bytes, bool last)
{
	struct modbus *modbus = state;
	size_t used = 0;

	while (!modbus->lost[direction] && bytes.length - used > HEADER_BYTES) {
		struct slice rest = slice_from(bytes, used);
		size_t length;
		struct findings_view v;

		if (!is_header(rest)) {
			modbus->lost[direction] = true;
			break;
		}
		length = 6u + (size_t)(rest.at[4] << 8 | rest.at[5]);
		if (rest.length < length && !last)
			break;
		view_start(&v, context);
		view_fact(&v, FACT_MODBUS_UNIT, rest.at[6]);
		view_fact(&v, FACT_MODBUS_FUNCTION, rest.at[7]);
		view_offer(&v, direction, modbus->transactions[direction]++);
		used += length < rest.length ? length : rest.length;
	}
	return last || modbus->lost[direction] ? bytes.length : used;
}

const struct application application_modbus = {
	.id = APPLICATION_MODBUS,
	.transports = {TRANSPORT_TCP},
	.recognise = modbus_recognise,
	.state_size = sizeof(struct modbus),
	.input = modbus_input,
};
