/* How a client gets in: PRELOGIN, LOGIN7 and its NTLM dialogue, and the log-in of TDS 4.2. */
#include "mssql.h"

#include "decoy/tls.h"

#define SECRET_MAX 1024 /* longest user, password or NTLM response that is looked at, in bytes */

/* --- PRELOGIN (MS-TDS 2.2.6.5) --- */

enum prelogin_option {
	OPTION_VERSION,
	OPTION_ENCRYPTION,
	OPTION_INSTANCE,
	OPTION_THREAD,
	OPTION_MARS,
	OPTION_TRACE,
	OPTION_END = 0xff
};
#define PRELOGIN_OPTIONS 6

enum { ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUP, ENCRYPT_REQ };

static uint8_t answer_encryption(struct session *session, struct mssql *mssql, uint8_t wish)
{
	const struct mssql_options *options = session_options(session);
	int ours = options ? options->encryption : MSSQL_OFF;

	if (ours == MSSQL_NOT_SUPPORTED || !session_has_tls(session) || wish > ENCRYPT_REQ)
		return ENCRYPT_NOT_SUP;
	if (wish == ENCRYPT_NOT_SUP)
		return ours == MSSQL_REQUIRED ? ENCRYPT_REQ : ENCRYPT_NOT_SUP;
	mssql->tls = MSSQL_TLS_ALL;
	if (wish == ENCRYPT_OFF) {
		if (ours == MSSQL_REQUIRED)
			return ENCRYPT_REQ;
		if (ours == MSSQL_ON)
			return ENCRYPT_ON;
		mssql->tls = MSSQL_TLS_LOGIN;
		return ENCRYPT_OFF;
	}
	return ENCRYPT_ON;
}

struct prelogin {
	uint8_t options[PRELOGIN_OPTIONS]; /* that the client sent, in its order */
	size_t count;
	uint8_t encryption;
	struct slice instance;
};

static int read_prelogin(struct slice message, struct prelogin *prelogin)
{
	struct cursor c = cursor_of(message);

	*prelogin = (struct prelogin){.encryption = ENCRYPT_NOT_SUP};
	for (;;) {
		uint8_t option = cursor_u8(&c);
		if (c.failed)
			return -1;
		if (option == OPTION_END)
			return 0;
		size_t offset = cursor_u16be(&c), length = cursor_u16be(&c);
		struct slice value = slice_first(slice_from(message, offset), length);
		if (option == OPTION_ENCRYPTION && value.length > 0)
			prelogin->encryption =
				value.at[0] & 0x7f; /* without "client certificate" */
		if (option == OPTION_INSTANCE)
			prelogin->instance = slice_first(value, slice_find_byte(value, 0));
		/* What is newer than ours is left out, as an older server does. */
		if (option < PRELOGIN_OPTIONS &&
		    !memchr(prelogin->options, option, prelogin->count))
			prelogin->options[prelogin->count++] = option;
	}
}

static void answer_prelogin(struct session *session, const struct prelogin *prelogin,
			    uint8_t encryption)
{
	static const uint8_t lengths[PRELOGIN_OPTIONS] = {6, 1, 1, 0, 1, 0};
	uint8_t room[128], packet[160], version[4];
	struct writer body = writer_fixed(room, sizeof(room));
	struct writer out = writer_fixed(packet, sizeof(packet));
	size_t offset = prelogin->count * 5 + 1;

	mssql_product_version(session, version);
	for (size_t i = 0; i < prelogin->count; i++) {
		uint8_t option = prelogin->options[i];
		writer_u8(&body, option);
		writer_u16be(&body, (uint16_t)offset);
		writer_u16be(&body, lengths[option]);
		offset += lengths[option];
	}
	writer_u8(&body, OPTION_END);
	for (size_t i = 0; i < prelogin->count; i++) {
		uint8_t option = prelogin->options[i];
		if (option == OPTION_VERSION) {
			writer_bytes(&body, slice_of(version, sizeof(version)));
			writer_u16be(&body, 0);
		} else if (lengths[option] == 1) {
			writer_u8(&body, option == OPTION_ENCRYPTION ? encryption : 0);
		}
	}
	tds_packets(&out, TDS_RESPONSE, TDS_PACKET_USUAL, 0, writer_slice(&body));
	session_write(session, writer_slice(&out));
}

void mssql_prelogin(struct session *session, struct mssql *mssql, struct slice message)
{
	static const char *const names[] = {"off", "on", "not supported", "required"};
	struct prelogin prelogin;

	if (read_prelogin(message, &prelogin) != 0) {
		session_report_garbage(session, "broken PRELOGIN", message);
		session_close(session, "not this protocol");
		return;
	}
	uint8_t encryption = answer_encryption(session, mssql, prelogin.encryption);
	struct event *event = session_event(session, "protocol.request");
	event_set_words(event, FIELD_REQUEST_VERB, "PRELOGIN");
	if (prelogin.instance.length > 0)
		event_set_text(event, FIELD_REQUEST_TEXT, prelogin.instance);
	event_set_words(event, FIELD_MSSQL_ENCRYPTION, names[encryption]);
	session_report(session, event);
	answer_prelogin(session, &prelogin, encryption);
	mssql->phase = MSSQL_LOGIN;
	if (mssql->tls != MSSQL_CLEAR) {
		/* Before TDS 8 the server must have the last word of the handshake; in 1.3 it has
		 * not. */
		struct tls_pipe *pipe = session_tls_pipe(session);
		if (pipe)
			tls_pipe_forbid_tls13(pipe);
		mssql->phase = MSSQL_HANDSHAKE;
	}
	if (encryption == ENCRYPT_REQ && mssql->tls == MSSQL_CLEAR)
		session_close(session, "encryption required");
}

/* --- the answer to a log-in --- */

static bool is_known_database(struct slice name)
{
	static const char *const known[] = {"master", "tempdb", "model", "msdb"};

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (slice_is_nocase(name, known[i]))
			return true;
	}
	return false;
}

static struct slice keep(struct session *session, struct slice text)
{
	return arena_copy(session_arena(session), slice_first(text, MSSQL_NAME_MAX));
}

static void send_message(struct tds_stream *out, enum tds_token token, uint32_t number,
			 uint8_t state, uint8_t severity, const char *before, struct slice name,
			 const char *after)
{
	struct tds_message message = {token, number, state, severity, NULL, 1};
	uint8_t room[512];
	struct writer text = writer_fixed(room, sizeof(room));

	writer_text(&text, before);
	writer_bytes(&text, slice_first(name, 2 * MSSQL_NAME_MAX));
	writer_text(&text, after);
	tds_message(out, &message, writer_slice(&text));
}

static void refuse(struct session *session, struct mssql *mssql, bool integrated)
{
	struct tds_stream out = mssql_stream(session, mssql);

	if (integrated)
		send_message(
			&out, TDS_TOKEN_ERROR, 18452, 1, 14,
			"Login failed. The login is from an untrusted domain and cannot be used "
			"with Integrated authentication.",
			slice_of(NULL, 0), "");
	else
		send_message(&out, TDS_TOKEN_ERROR, 18456, 1, 14, "Login failed for user '",
			     mssql->user, "'.");
	tds_done(&out, TDS_TOKEN_DONE, TDS_DONE_ERROR, TDS_COMMAND_NONE, 0);
	mssql_send(session, mssql, &out);
	session_close(session, "login failed");
}

static void welcome(struct session *session, struct mssql *mssql, uint16_t packet_size)
{
	struct tds_stream out = mssql_stream(session, mssql);
	uint8_t version[4];
	char now[8], before[8];
	struct writer w = writer_fixed(now, sizeof(now));
	struct writer b = writer_fixed(before, sizeof(before));

	mssql_product_version(session, version);
	tds_environment(&out, TDS_ENV_DATABASE, mssql->database,
			mssql->version == TDS_VERSION_42 ? slice_of(NULL, 0) : SLICE("master"));
	send_message(&out, TDS_TOKEN_INFO, 5701, 2, 0, "Changed database context to '",
		     mssql->database, "'.");
	if (mssql->version >= TDS_VERSION_71)
		tds_collation(&out);
	if (mssql->version >= TDS_VERSION_70) {
		tds_environment(&out, TDS_ENV_LANGUAGE, SLICE("us_english"), slice_of(NULL, 0));
		send_message(&out, TDS_TOKEN_INFO, 5703, 1, 0,
			     "Changed language setting to us_english.", slice_of(NULL, 0), "");
	}
	tds_login_ack(&out, "Microsoft SQL Server", version);
	writer_decimal(&w, packet_size);
	writer_decimal(&b, mssql->version == TDS_VERSION_42 ? packet_size : TDS_PACKET_USUAL);
	tds_environment(&out, TDS_ENV_PACKET_SIZE, writer_slice(&w), writer_slice(&b));
	tds_done(&out, TDS_TOKEN_DONE, 0, TDS_COMMAND_NONE, 0);
	mssql_send(session, mssql, &out);
	mssql->packet_size = packet_size;
	mssql->phase = MSSQL_READY;
}

static void decide(struct session *session, struct mssql *mssql, const struct session_login *login,
		   uint16_t packet_size)
{
	uint16_t *memory = session_memory(session, 2 * sizeof(uint16_t));
	struct access_decision decision = session_login(session, login);

	/* Only the log-in was encrypted; the answer is in the clear again (mssql_send knows). */
	session_random(session, &mssql->spid, 1);
	mssql->spid = (uint16_t)(51 + (mssql->spid & 0x3f));
	if (!decision.allowed) {
		refuse(session, mssql, login->hashcat_mode != 0);
		return;
	}
	mssql->administrator = decision.depth == ACCESS_ROOT || slice_is_nocase(mssql->user, "sa");
	if (mssql->database.length == 0 || !is_known_database(mssql->database))
		mssql->database = SLICE("master");
	const struct mssql_options *options = session_options(session);
	mssql->running = options && options->xp_cmdshell ? 2 : 0;
	mssql->configured = mssql->running;
	if (memory) {
		mssql->configured |= memory[0];
		mssql->running |= memory[1];
	}
	welcome(session, mssql, packet_size);
}

/* One event with all that the client says of itself; auth.attempt follows with the decision. */
static void report_login(struct session *session, struct mssql *mssql, const char *verb,
			 struct slice library, struct slice database)
{
	static const char *const encryption[] = {"none", "login", "session"};
	struct tls_pipe *pipe = mssql->tls == MSSQL_CLEAR ? NULL : session_tls_pipe(session);
	struct event *event = session_event(session, "protocol.request");

	event_set_words(event, FIELD_REQUEST_VERB, verb);
	event_set_text(event, FIELD_USER_NAME, mssql->user);
	if (pipe) {
		event_set_words(event, FIELD_TLS_VERSION, tls_pipe_version(pipe));
		event_set_words(event, FIELD_TLS_CIPHER, tls_pipe_cipher(pipe));
		if (tls_pipe_server_name(pipe).length > 0)
			event_set_text(event, FIELD_TLS_SERVER_NAME, tls_pipe_server_name(pipe));
	}
	event_set_text(event, FIELD_MSSQL_HOST, mssql->host);
	event_set_text(event, FIELD_MSSQL_APPLICATION, mssql->application);
	event_set_text(event, FIELD_MSSQL_LIBRARY, library);
	event_set_text(event, FIELD_MSSQL_DATABASE, database);
	event_set_words(event, FIELD_MSSQL_ENCRYPTION, encryption[mssql->tls]);
	session_report(session, event);
}

static uint16_t agreed_size(uint32_t wish)
{
	if (wish == 0)
		return TDS_PACKET_USUAL;
	if (wish < TDS_PACKET_MINIMUM)
		return TDS_PACKET_MINIMUM;
	return (uint16_t)(wish > TDS_PACKET_MAXIMUM ? TDS_PACKET_MAXIMUM : wish);
}

/* --- NTLM (MS-NLMP): we challenge, and keep the response in the form that hashcat reads --- */

static struct slice ntlm_field(struct slice message, size_t at)
{
	struct cursor c = cursor_of(slice_from(message, at));
	size_t length = cursor_u16le(&c);

	cursor_skip(&c, 2);
	size_t offset = cursor_u32le(&c);
	return slice_first(slice_from(message, offset), length);
}

static void put_pair(struct writer *out, uint16_t kind, const char *text)
{
	uint8_t room[2 * MSSQL_NAME_MAX];
	struct writer w = writer_fixed(room, sizeof(room));

	tds_to_utf16(slice_first(slice_text(text), MSSQL_NAME_MAX), &w);
	writer_u16le(out, kind);
	writer_u16le(out, (uint16_t)w.length);
	writer_bytes(out, writer_slice(&w));
}

static void challenge(struct session *session, struct mssql *mssql)
{
	struct tds_stream out = mssql_stream(session, mssql);
	uint8_t pairs_room[1536], name_room[2 * MSSQL_NAME_MAX], room[2048];
	struct writer pairs = writer_fixed(pairs_room, sizeof(pairs_room));
	struct writer name = writer_fixed(name_room, sizeof(name_room));
	struct writer w = writer_fixed(room, sizeof(room));
	const char *host = mssql_server_name(session);

	session_random(session, mssql->challenge, sizeof(mssql->challenge));
	tds_to_utf16(slice_first(slice_text(host), MSSQL_NAME_MAX), &name);
	/* A machine in no domain names itself everywhere (MS-NLMP 2.2.2.1). */
	put_pair(&pairs, 2, host);
	put_pair(&pairs, 1, host);
	put_pair(&pairs, 4, host);
	put_pair(&pairs, 3, host);
	writer_u16le(&pairs, 7); /* time: 100 ns since 1601 */
	writer_u16le(&pairs, 8);
	writer_u64le(&pairs, (uint64_t)session_now(session) * 10 + 116444736000000000ULL);
	writer_u32le(&pairs, 0);

	writer_bytes(&w, SLICE("NTLMSSP\0"));
	writer_u32le(&w, 2);
	writer_u16le(&w, (uint16_t)name.length);
	writer_u16le(&w, (uint16_t)name.length);
	writer_u32le(&w, 56);
	writer_u32le(&w,
		     0xe28a8215); /* as Windows Server answers; the target is a server or domain */
	writer_bytes(&w, slice_of(mssql->challenge, sizeof(mssql->challenge)));
	writer_u64le(&w, 0);
	writer_u16le(&w, (uint16_t)pairs.length);
	writer_u16le(&w, (uint16_t)pairs.length);
	writer_u32le(&w, (uint32_t)(56 + name.length));
	writer_bytes(&w, SLICE("\x0a\0\x63\x45\0\0\0\x0f")); /* 10.0.17763: Windows Server 2019 */
	writer_bytes(&w, writer_slice(&name));
	writer_bytes(&w, writer_slice(&pairs));
	tds_sspi(&out, writer_slice(&w));
	mssql_send(session, mssql, &out);
	mssql->phase = MSSQL_CHALLENGED;
}

/* NetNTLMv2 (5600) USER::DOMAIN:CHALLENGE:PROOF:BLOB or v1 (5500) USER::DOMAIN:LM:NT:CHALLENGE. */
static int crackable(const struct mssql *mssql, struct slice user, struct slice domain,
		     struct slice lm, struct slice nt, struct writer *out)
{
	struct slice challenge_bytes = slice_of(mssql->challenge, sizeof(mssql->challenge));

	writer_bytes(out, user);
	writer_text(out, "::");
	writer_bytes(out, domain);
	writer_text(out, ":");
	if (nt.length <= 24) {
		writer_hex(out, lm);
		writer_text(out, ":");
		writer_hex(out, nt);
		writer_text(out, ":");
		writer_hex(out, challenge_bytes);
		return 5500;
	}
	writer_hex(out, challenge_bytes);
	writer_text(out, ":");
	writer_hex(out, slice_first(nt, 16));
	writer_text(out, ":");
	writer_hex(out, slice_from(nt, 16));
	return 5600;
}

void mssql_sspi(struct session *session, struct mssql *mssql, struct slice message)
{
	size_t start = slice_find(message, SLICE("NTLMSSP\0\x03\0\0\0"));
	struct slice token = slice_from(message, start);
	struct writer user = writer_growing(SECRET_MAX * 2),
		      domain = writer_growing(SECRET_MAX * 2);
	struct writer response = writer_growing(8 * SECRET_MAX);

	if (token.length < 64) {
		session_report_garbage(session, "no NTLM response", message);
		session_close(session, "not this protocol");
		return;
	}
	tds_to_utf8(slice_first(ntlm_field(token, 36), SECRET_MAX), &user);
	tds_to_utf8(slice_first(ntlm_field(token, 28), SECRET_MAX), &domain);
	struct session_login login = {.method = "ntlm",
				      .user = writer_slice(&user),
				      .domain = writer_slice(&domain),
				      .verb = "LOGIN7"};
	login.hashcat_mode = crackable(mssql, login.user, login.domain,
				       slice_first(ntlm_field(token, 12), SECRET_MAX),
				       slice_first(ntlm_field(token, 20), SECRET_MAX), &response);
	login.response = writer_slice(&response);
	mssql->user = keep(session, login.user);
	decide(session, mssql, &login, mssql->packet_size);
	writer_free(&user);
	writer_free(&domain);
	writer_free(&response);
}

/* --- LOGIN7 (MS-TDS 2.2.6.4) --- */

enum {
	LOGIN7_HOST = 36,
	LOGIN7_USER = 40,
	LOGIN7_PASSWORD = 44,
	LOGIN7_APPLICATION = 48,
	LOGIN7_LIBRARY = 60,
	LOGIN7_DATABASE = 68,
	LOGIN7_SSPI = 78,
	LOGIN7_LEAST = 86
};
#define LOGIN7_INTEGRATED 0x80 /* of OptionFlags2 */

/* Text of a field: offset in bytes, length in characters. */
static struct slice login7_text(struct slice message, size_t at, struct arena *scratch)
{
	struct cursor c = cursor_of(slice_from(message, at));
	size_t offset = cursor_u16le(&c), length = cursor_u16le(&c);
	struct slice raw = slice_first(slice_from(message, offset), 2 * length);
	uint8_t room[3 * SECRET_MAX / 2], plain[SECRET_MAX];
	struct writer text = writer_fixed(room, sizeof(room));

	raw = slice_first(raw, SECRET_MAX);
	if (at == LOGIN7_PASSWORD) {
		for (size_t i = 0; i < raw.length; i++) {
			uint8_t byte = raw.at[i] ^ 0xa5;
			plain[i] = (uint8_t)(byte << 4 | byte >> 4);
		}
		raw = slice_of(plain, raw.length);
	}
	tds_to_utf8(raw, &text);
	return arena_copy(scratch, writer_slice(&text));
}

static enum tds_version version_of(uint32_t number)
{
	switch (number >> 24) {
	case 0x70:
		return TDS_VERSION_70;
	case 0x71:
		return TDS_VERSION_71;
	case 0x72:
		return TDS_VERSION_72;
	case 0x73:
		return TDS_VERSION_73;
	default:
		return TDS_VERSION_74;
	}
}

void mssql_login7(struct session *session, struct mssql *mssql, struct slice message)
{
	struct arena scratch = arena_of(16 * 1024);
	struct cursor c = cursor_of(message);

	if (message.length < LOGIN7_LEAST) {
		session_report_garbage(session, "LOGIN7 too short", message);
		session_close(session, "not this protocol");
		return;
	}
	cursor_skip(&c, 4);
	mssql->version = version_of(cursor_u32le(&c));
	uint16_t size = agreed_size(cursor_u32le(&c));
	mssql->user = keep(session, login7_text(message, LOGIN7_USER, &scratch));
	mssql->host = keep(session, login7_text(message, LOGIN7_HOST, &scratch));
	mssql->application = keep(session, login7_text(message, LOGIN7_APPLICATION, &scratch));
	mssql->database = keep(session, login7_text(message, LOGIN7_DATABASE, &scratch));
	report_login(session, mssql, "LOGIN7", login7_text(message, LOGIN7_LIBRARY, &scratch),
		     mssql->database);

	struct cursor sspi = cursor_of(slice_from(message, LOGIN7_SSPI));
	size_t offset = cursor_u16le(&sspi), length = cursor_u16le(&sspi);
	struct slice token = slice_first(slice_from(message, offset), length);
	if (message.at[25] & LOGIN7_INTEGRATED &&
	    slice_find(token, SLICE("NTLMSSP\0")) != SIZE_MAX) {
		/* The answer goes out in packets of the usual size; the agreed one waits. */
		challenge(session, mssql);
		mssql->packet_size = size;
	} else if (message.at[25] & LOGIN7_INTEGRATED) {
		session_report_garbage(session, "integrated log-in that is not NTLM", token);
		refuse(session, mssql, true);
	} else {
		struct session_login login = {
			.method = "password",
			.user = login7_text(message, LOGIN7_USER, &scratch),
			.password = login7_text(message, LOGIN7_PASSWORD, &scratch),
			.verb = "LOGIN7"};
		decide(session, mssql, &login, size);
	}
	arena_drop(&scratch);
}

/* --- the log-in of TDS 4.2, which hydra and medusa still send: fixed fields, each with its length
 * behind it --- */

enum {
	OLD_HOST = 0,
	OLD_USER = 31,
	OLD_PASSWORD = 62,
	OLD_APPLICATION = 140,
	OLD_LIBRARY = 462,
	OLD_LEAST = 93
};
#define OLD_FIELD 30

static struct slice old_text(struct slice message, size_t at, size_t room)
{
	struct slice field = slice_first(slice_from(message, at), room + 1);

	if (field.length < room + 1)
		return slice_of(NULL, 0);
	size_t length = field.at[room];
	return slice_first(field, length > room ? room : length);
}

void mssql_old_login(struct session *session, struct mssql *mssql, struct slice message)
{
	if (message.length < OLD_LEAST) {
		session_report_garbage(session, "log-in too short", message);
		session_close(session, "not this protocol");
		return;
	}
	mssql->version = TDS_VERSION_42;
	mssql->user = keep(session, old_text(message, OLD_USER, OLD_FIELD));
	mssql->host = keep(session, old_text(message, OLD_HOST, OLD_FIELD));
	mssql->application = keep(session, old_text(message, OLD_APPLICATION, OLD_FIELD));
	report_login(session, mssql, "LOGIN", old_text(message, OLD_LIBRARY, 10),
		     slice_of(NULL, 0));
	struct session_login login = {.method = "password",
				      .user = mssql->user,
				      .password = old_text(message, OLD_PASSWORD, OLD_FIELD),
				      .verb = "LOGIN"};
	decide(session, mssql, &login, TDS_PACKET_MINIMUM);
}
