/* Microsoft SQL Server over TDS (MS-TDS): packets, the TLS inside them, and whose turn it is. */
#include "mssql.h"

#include "decoy/tls.h"

/* Handshake bytes a packet; SQL Server's own packets are as large. */
#define HANDSHAKE_PACKET  TDS_PACKET_USUAL
#define TLS_RECORD_HEADER 5
#define TLS_RECORD_MAX    (16384 + 2048) /* RFC 5246, 6.2.3 */

static const char *const encryption_names[] = {"off", "on", "required", "not-supported", NULL};

static const struct directive mssql_directives[] = {
	{.name = "encryption",
	 .type = DIRECTIVE_CHOICE,
	 .offset = offsetof(struct mssql_options, encryption),
	 .standard = "off",
	 .choices = encryption_names,
	 .help = "Encryption as offered in PRELOGIN: off (the log-in alone is encrypted when the "
		 "client "
		 "can), on (whatever the client can), required, or not-supported."},
	{.name = "xp_cmdshell",
	 .type = DIRECTIVE_BOOLEAN,
	 .offset = offsetof(struct mssql_options, xp_cmdshell),
	 .standard = "false",
	 .help = "Whether xp_cmdshell works before the intruder has enabled it with sp_configure."},
};

static const struct config_section mssql_options = {
	.path = "services[].mssql",
	.directives = mssql_directives,
	.count = ARRAY_COUNT(mssql_directives),
	.help = "The SQL Server decoy.",
};

/* --- what the persona says --- */

const char *mssql_server_name(struct session *session)
{
	const struct persona *persona = session_persona(session);

	return persona_text(persona, "mssql.server_name", persona_host_name(persona));
}

const char *mssql_product_version_text(struct session *session)
{
	return persona_text(session_persona(session), "mssql.version", "15.0.2000.5");
}

/* "15.0.2000.5" is 0f 00 07 d0. */
void mssql_product_version(struct session *session, uint8_t version[4])
{
	struct slice rest = slice_text(mssql_product_version_text(session)), part;
	int64_t numbers[3] = {15, 0, 2000};

	for (size_t i = 0; i < ARRAY_COUNT(numbers) && slice_next(&rest, '.', &part); i++) {
		if (slice_number(part, 0, 65535, &numbers[i]) != 0)
			numbers[i] = 0;
	}
	version[0] = (uint8_t)numbers[0];
	version[1] = (uint8_t)numbers[1];
	version[2] = (uint8_t)(numbers[2] >> 8);
	version[3] = (uint8_t)numbers[2];
}

/* --- sending --- */

struct tds_stream mssql_stream(struct session *session, const struct mssql *mssql)
{
	return (struct tds_stream){.bytes = writer_growing(MSSQL_RESPONSE_MAX),
				   .version = mssql->version,
				   .server = mssql_server_name(session)};
}

static void write_encrypted(struct session *session, struct slice bytes)
{
	struct tls_pipe *pipe = session_tls_pipe(session);
	struct writer cipher = writer_growing(2 * MSSQL_RESPONSE_MAX);

	if (!pipe || tls_pipe_write(pipe, bytes) != 0)
		session_close(session, "tls error");
	else
		tls_pipe_output(pipe, &cipher);
	session_write(session, writer_slice(&cipher));
	writer_free(&cipher);
}

void mssql_send(struct session *session, struct mssql *mssql, struct tds_stream *out)
{
	struct writer packets = writer_growing(2 * MSSQL_RESPONSE_MAX);

	tds_finish(out);
	tds_packets(&packets, TDS_RESPONSE, mssql->packet_size, mssql->spid,
		    writer_slice(&out->bytes));
	if (out->bytes.failed || packets.failed)
		session_close(session, "output limit");
	else if (mssql->tls == MSSQL_TLS_ALL)
		write_encrypted(session, writer_slice(&packets));
	else
		session_write(session, writer_slice(&packets));
	writer_free(&packets);
	writer_free(&out->bytes);
}

void mssql_decode(const struct mssql *mssql, struct slice bytes, struct writer *out)
{
	if (mssql->version == TDS_VERSION_42)
		writer_bytes(out, bytes);
	else
		tds_to_utf8(bytes, out);
}

/* --- receiving --- */

static void garbage(struct session *session, const char *what, struct slice bytes)
{
	session_report_garbage(session, what, bytes);
	session_close(session, "not this protocol");
}

/* Sends what the handshake has for the client, inside PRELOGIN packets. */
static void send_handshake(struct session *session, struct tls_pipe *pipe)
{
	struct writer cipher = writer_growing(MSSQL_RESPONSE_MAX);
	struct writer packets = writer_growing(MSSQL_RESPONSE_MAX);

	tls_pipe_output(pipe, &cipher);
	if (cipher.length > 0)
		tds_packets(&packets, TDS_PRELOGIN, HANDSHAKE_PACKET, 0, writer_slice(&cipher));
	session_write(session, writer_slice(&packets));
	writer_free(&packets);
	writer_free(&cipher);
}

static void continue_handshake(struct session *session, struct mssql *mssql, struct slice message)
{
	struct tls_pipe *pipe = session_tls_pipe(session);
	int result = pipe ? tls_pipe_feed(pipe, message) : -1;

	if (pipe)
		send_handshake(session, pipe);
	if (result != 0)
		garbage(session, "no TLS handshake in the packet", message);
	else if (tls_pipe_is_ready(pipe))
		mssql->phase = MSSQL_LOGIN;
}

static void attention(struct session *session, struct mssql *mssql)
{
	struct tds_stream out = mssql_stream(session, mssql);

	session_report_request(session, "ATTENTION", slice_of(NULL, 0));
	tds_done(&out, TDS_TOKEN_DONE, TDS_DONE_ATTENTION, TDS_COMMAND_NONE, 0);
	mssql_send(session, mssql, &out);
}

static void ready(struct session *session, struct mssql *mssql, struct slice message)
{
	switch (mssql->message_type) {
	case TDS_BATCH:
		mssql_batch(session, mssql, message);
		break;
	case TDS_RPC:
		mssql_request(session, mssql, message);
		break;
	case TDS_ATTENTION:
		attention(session, mssql);
		break;
	case TDS_BULK:
	case TDS_TRANSACTION: {
		struct tds_stream out = mssql_stream(session, mssql);
		if (mssql->message_type == TDS_BULK)
			session_keep(session, EVIDENCE_PAYLOAD, "bulk", slice_of(NULL, 0), message);
		tds_done(&out, TDS_TOKEN_DONE, 0, TDS_COMMAND_OTHER, 0);
		mssql_send(session, mssql, &out);
		break;
	}
	default:
		garbage(session, "packet out of turn", message);
	}
}

static void dispatch(struct session *session, struct mssql *mssql, struct slice message)
{
	enum tds_packet type = mssql->message_type;

	switch (mssql->phase) {
	case MSSQL_PRELOGIN:
		if (type == TDS_PRELOGIN) {
			mssql_prelogin(session, mssql, message);
			return;
		}
		/* Old clients begin with the log-in. */
		__attribute__((fallthrough));
	case MSSQL_LOGIN:
		if (type == TDS_LOGIN7)
			mssql_login7(session, mssql, message);
		else if (type == TDS_OLD_LOGIN)
			mssql_old_login(session, mssql, message);
		else
			garbage(session, "packet before the log-in", message);
		break;
	case MSSQL_HANDSHAKE:
		if (type == TDS_PRELOGIN)
			continue_handshake(session, mssql, message);
		else
			garbage(session, "packet within the handshake", message);
		break;
	case MSSQL_CHALLENGED:
		if (type == TDS_SSPI)
			mssql_sspi(session, mssql, message);
		else
			garbage(session, "packet before the response", message);
		break;
	case MSSQL_READY:
		ready(session, mssql, message);
	}
}

static bool is_known(uint8_t type)
{
	return (type >= TDS_BATCH && type <= TDS_RPC) || type == TDS_ATTENTION ||
	       type == TDS_BULK || type == TDS_TRANSACTION ||
	       (type >= TDS_LOGIN7 && type <= TDS_PRELOGIN);
}

/* Takes one packet off the front; returns the bytes used, 0 when it is not whole yet. */
static size_t take_packet(struct session *session, struct mssql *mssql, struct slice bytes)
{
	struct cursor c = cursor_of(bytes);
	uint8_t type = cursor_u8(&c), status = cursor_u8(&c);
	size_t length = cursor_u16be(&c);

	if (!is_known(type) || (mssql->message.length > 0 && type != mssql->message_type)) {
		garbage(session, "no TDS packet", bytes);
		return bytes.length;
	}
	if (bytes.length < TDS_HEADER)
		return 0;
	if (length < TDS_HEADER || length > TDS_PACKET_MAXIMUM) {
		garbage(session, "TDS packet of impossible length", bytes);
		return bytes.length;
	}
	if (bytes.length < length)
		return 0;
	mssql->message_type = type;
	writer_bytes(&mssql->message, slice_of(bytes.at + TDS_HEADER, length - TDS_HEADER));
	if (mssql->message.failed) {
		garbage(session, "TDS message too long", bytes);
		return bytes.length;
	}
	/* The log-in of TDS 4.2 marks its last packet too, so one bit tells for all. */
	if (status & 1) {
		struct writer message = mssql->message;
		mssql->message = writer_growing(MSSQL_MESSAGE_MAX);
		dispatch(session, mssql, writer_slice(&message));
		writer_free(&message);
	}
	return length;
}

static void take_plain(struct session *session, struct mssql *mssql)
{
	size_t used;

	while (mssql->plain.length > 0 &&
	       (used = take_packet(session, mssql, writer_slice(&mssql->plain))) > 0)
		writer_consume(&mssql->plain, used);
	if (mssql->plain.length == 0)
		writer_free(&mssql->plain);
}

/* Takes one TLS record, decrypts it, and takes the packets that came out. */
static size_t take_record(struct session *session, struct mssql *mssql, struct slice bytes)
{
	struct tls_pipe *pipe = session_tls_pipe(session);
	struct cursor c = cursor_of(bytes);
	uint8_t room[4096];
	ssize_t count = 0;
	bool closed = false;

	cursor_skip(&c, 3);
	size_t length = TLS_RECORD_HEADER + (size_t)cursor_u16be(&c);
	if (c.failed || (length <= TLS_RECORD_MAX && bytes.length < length))
		return 0;
	if (length > TLS_RECORD_MAX || !pipe ||
	    tls_pipe_feed(pipe, slice_first(bytes, length)) != 0) {
		garbage(session, "broken TLS record", bytes);
		return bytes.length;
	}
	while ((count = tls_pipe_read(pipe, room, sizeof(room), &closed)) > 0)
		writer_bytes(&mssql->plain, slice_of(room, (size_t)count));
	if (count < 0 || mssql->plain.failed)
		garbage(session, "broken TLS record", bytes);
	else if (closed)
		session_close(session, "client");
	else
		take_plain(session, mssql);
	return length;
}

static size_t input(struct session *session, void *state, struct slice bytes)
{
	struct mssql *mssql = state;
	bool is_record = bytes.at[0] >= 20 && bytes.at[0] <= 23;

	/* After the handshake records come bare. Where the log-in alone is encrypted, clear packets
	 * follow it, and no packet type looks like a record. */
	if (mssql->tls != MSSQL_CLEAR && mssql->phase > MSSQL_HANDSHAKE) {
		if (is_record)
			return take_record(session, mssql, bytes);
		if (mssql->tls == MSSQL_TLS_ALL) {
			garbage(session, "clear packet where TLS was agreed", bytes);
			return bytes.length;
		}
	}
	return take_packet(session, mssql, bytes);
}

static void opened(struct session *session, void *state)
{
	struct mssql *mssql = state;

	mssql->version = TDS_VERSION_74;
	mssql->packet_size = TDS_PACKET_USUAL;
	mssql->message = writer_growing(MSSQL_MESSAGE_MAX);
	mssql->plain = writer_growing(MSSQL_MESSAGE_MAX);
}

static void closed(struct session *session, void *state)
{
	struct mssql *mssql = state;

	writer_free(&mssql->message);
	writer_free(&mssql->plain);
}

static int recognise(struct slice first)
{
	struct cursor c = cursor_of(first);
	uint8_t type = cursor_u8(&c), status = cursor_u8(&c);
	uint16_t length = cursor_u16be(&c);

	cursor_skip(&c, 4);
	uint8_t body = cursor_u8(&c);
	if (c.failed || length < TDS_HEADER || status > 1)
		return 0;
	/* PRELOGIN begins with its option VERSION; the window is always zero. */
	if (type == TDS_PRELOGIN && status == 1 && first.at[7] == 0 && body == 0)
		return 95;
	if (type == TDS_LOGIN7 && length > 94 && first.at[7] == 0)
		return 85;
	if (type == TDS_OLD_LOGIN && length == 512)
		return 85;
	return 0;
}

const struct protocol protocol_mssql = {
	.name = "mssql",
	.title = "Microsoft SQL Server",
	.ports = {{TCP, 1433}},
	.speaks_first = CLIENT,
	.state_size = sizeof(struct mssql),
	.input_max = (size_t)64 * 1024, /* one packet or TLS record, and what follows it at once */
	.options = &mssql_options,
	.options_size = sizeof(struct mssql_options),
	.recognise = recognise,
	.opened = opened,
	.input = input,
	.closed = closed,
};
