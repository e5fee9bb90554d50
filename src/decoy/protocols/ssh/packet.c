/* The binary packet protocol (RFC 4253, section 6): packets in and out, and what OpenSSH does with
 * bytes that are none. */
#include <stdlib.h>

#include "decoy/protocols/ssh/connection.h"

#define HEADER      5 /* length of the packet, length of the padding */
#define PADDING_MIN 4
#define ZLIB_COST   ((size_t)320 * 1024) /* of a deflate and an inflate state (zconf.h) */
#define RAW_SHOWN   256
/* Types that a peer may not use at all (RFC 4250, 4.1.2). */
#define LOCAL_FIRST 192

/* --- ending --- */

void ssh_hang_up(struct ssh *ssh, const char *reason)
{
	ssh->flags |= SSH_OVER;
	session_close(ssh->session, reason);
}

void ssh_malformed(struct ssh *ssh, const char *what, struct slice bytes)
{
	if (ssh->flags & SSH_OVER)
		return;
	session_report_garbage(ssh->session, what, slice_first(bytes, RAW_SHOWN));
	ssh_hang_up(ssh, "protocol error");
}

void ssh_disconnect(struct ssh *ssh, const char *reason, const char *format, ...)
{
	uint8_t room[1024];
	struct writer text = writer_fixed(room, sizeof(room)), *w;
	va_list arguments;

	if (ssh->flags & SSH_OVER)
		return;
	va_start(arguments, format);
	writer_vformat(&text, format, arguments);
	va_end(arguments);
	w = ssh_packet_begin(ssh, SSH_DISCONNECT);
	writer_u32be(w, 2); /* SSH_DISCONNECT_PROTOCOL_ERROR, whatever happened */
	wire_put_string(w, writer_slice(&text));
	wire_put_text(w, "");
	ssh_packet_send(ssh);
	ssh_hang_up(ssh, reason);
}

void ssh_debug(struct ssh *ssh, const char *text)
{
	struct writer *w = ssh_packet_begin(ssh, SSH_DEBUG);

	writer_u8(w, 0); /* not to be shown by all means */
	wire_put_text(w, text);
	wire_put_text(w, "");
	ssh_packet_send(ssh);
}

/* --- keys --- */

static uint64_t blocks_before_rekey(const struct ssh_cipher *cipher)
{
	return cipher->block >= 16 ? (uint64_t)1 << (2 * cipher->block)
				   : ((uint64_t)1 << 30) / cipher->block;
}

void ssh_packet_drop_keys(struct ssh_direction *direction)
{
	if (direction->cipher)
		ssh_cipher_free(direction->cipher, direction->cipher_state);
	if (direction->mac)
		ssh_mac_free(direction->mac, direction->mac_state);
	direction->cipher_state = direction->mac_state = NULL;
	direction->cipher = NULL;
	direction->mac = NULL;
}

int ssh_packet_set_keys(struct ssh *ssh, struct ssh_direction *direction,
			const struct ssh_cipher *cipher, const struct ssh_mac *mac,
			const uint8_t *iv, const uint8_t *key, const uint8_t *mac_key)
{
	ssh_packet_drop_keys(direction);
	direction->packets = 0;
	direction->blocks = 0;
	direction->blocks_max = blocks_before_rekey(cipher);
	if (ssh->flags & SSH_STRICT)
		direction->sequence = 0;
#ifdef SUNDEW_TEST_HOOKS
	if (ssh->server->clear)
		return 0;
#endif
	direction->cipher_state =
		ssh_cipher_new(cipher, ssh->server->primitives, key, iv, direction == &ssh->out);
	direction->mac_state = mac ? ssh_mac_new(mac, mac_key) : NULL;
	direction->cipher = cipher;
	direction->mac = mac;
	return direction->cipher_state && (!mac || direction->mac_state) ? 0 : -1;
}

static bool needs_rekey(const struct ssh *ssh)
{
	if (!(ssh->flags & SSH_LOGGED_IN) || ssh->flags & SSH_REKEYING || ssh->kex)
		return false;
	if (ssh->in.packets == 0 && ssh->out.packets == 0)
		return false;
	return ssh->in.packets >> 31 || ssh->out.packets >> 31 ||
	       (ssh->in.blocks_max && ssh->in.blocks > ssh->in.blocks_max) ||
	       (ssh->out.blocks_max && ssh->out.blocks > ssh->out.blocks_max);
}

/* --- out --- */

struct writer *ssh_packet_begin(struct ssh *ssh, enum ssh_message message)
{
	struct writer *w = &ssh->server->packet;

	writer_clear(w);
	writer_u32be(w, 0);
	writer_u8(w, 0);
	writer_u8(w, (uint8_t)message);
	return w;
}

static void add_padding(struct ssh *ssh, struct writer *w, size_t block, bool apart)
{
	size_t padding = block - (w->length - (apart ? 4 : 0)) % block;
	uint32_t length;
	uint8_t *at;

	if (padding < PADDING_MIN)
		padding += block;
	at = writer_reserve(w, padding + SSH_TAG_MAX);
	if (!at)
		return;
	if (ssh->out.cipher)
		session_random(ssh->session, at, padding);
	else
		memset(at, 0, padding);
	writer_commit(w, padding);
	length = (uint32_t)w->length - 4;
	w->at[0] = (uint8_t)(length >> 24);
	w->at[1] = (uint8_t)(length >> 16);
	w->at[2] = (uint8_t)(length >> 8);
	w->at[3] = (uint8_t)length;
	w->at[4] = (uint8_t)padding;
}

static void encrypt(struct ssh_direction *out, struct writer *w)
{
	size_t length = w->length;

	if (out->cipher && out->cipher->tag) {
		out->cipher->seal(out->cipher_state, out->sequence, w->at, length - 4);
		writer_commit(w, out->cipher->tag);
		return;
	}
	if (out->mac && !out->mac->etm)
		ssh_mac_compute(out->mac, out->mac_state, out->sequence, writer_slice(w),
				w->at + length);
	if (out->cipher) {
		size_t clear = out->mac && out->mac->etm ? 4 : 0;

		out->cipher->crypt(out->cipher_state, w->at + clear, w->at + clear, length - clear);
	}
	if (out->mac && out->mac->etm)
		ssh_mac_compute(out->mac, out->mac_state, out->sequence, writer_slice(w),
				w->at + length);
	if (out->mac)
		writer_commit(w, out->mac->tag);
}

static void send_now(struct ssh *ssh)
{
	struct ssh_direction *out = &ssh->out;
	struct writer *w = &ssh->server->packet;
	bool apart = out->cipher && (out->cipher->tag || (out->mac && out->mac->etm));
	size_t block = out->cipher ? out->cipher->block : 8;

	if (out->compresses && ssh_compress(out, w, HEADER, &ssh->server->scratch) < 0)
		w->failed = true;
	add_padding(ssh, w, block, apart);
	if (w->failed) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	out->packets++;
	out->blocks += w->length / block;
	encrypt(out, w);
	out->sequence++;
	session_write(ssh->session, writer_slice(w));
}

/* Messages of the transport itself, which go on during a key exchange. */
static bool goes_on(uint8_t type)
{
	return type <= SSH_KEX_LAST && type != SSH_SERVICE_REQUEST && type != SSH_SERVICE_ACCEPT &&
	       type != SSH_EXT_INFO;
}

static void wait_for_keys(struct ssh *ssh)
{
	struct slice payload = slice_from(writer_slice(&ssh->server->packet), HEADER);

	if (!ssh->queue.limit)
		ssh->queue = writer_growing(SSH_QUEUE_MAX);
	wire_put_string(&ssh->queue, payload);
	if (ssh->queue.failed)
		ssh_hang_up(ssh, "memory");
}

void ssh_packet_send(struct ssh *ssh)
{
	uint8_t type = ssh->server->packet.length > HEADER ? ssh->server->packet.at[HEADER] : 0;

	if (ssh->flags & SSH_OVER)
		return;
	if (ssh->flags & SSH_REKEYING && !goes_on(type)) {
		wait_for_keys(ssh);
		return;
	}
	send_now(ssh);
	if (type == SSH_KEXINIT)
		ssh->flags |= SSH_REKEYING;
	if (type == SSH_USERAUTH_SUCCESS) {
		ssh->in.compresses |= ssh->in.compresses_late;
		ssh->out.compresses |= ssh->out.compresses_late;
	}
	if (needs_rekey(ssh))
		ssh->flags |= SSH_WANTS_REKEY; /* begun between packets, not in the middle of one */
}

void ssh_packet_release(struct ssh *ssh)
{
	struct writer queue = ssh->queue;
	struct cursor c = cursor_of(writer_slice(&queue));

	ssh->flags &= ~(uint32_t)SSH_REKEYING;
	ssh->queue = (struct writer){0};
	while (c.left && !(ssh->flags & SSH_OVER)) {
		struct slice payload = wire_string(&c);
		struct writer *w = ssh_packet_begin(ssh, (enum ssh_message)0);

		w->length = HEADER;
		writer_bytes(w, payload);
		ssh_packet_send(ssh);
	}
	writer_free(&queue);
}

/* --- in --- */

/* A packet that cannot be one: OpenSSH ends at once, but for CBC, where it swallows as much as the
 * largest packet first, lest the time tell where the error was. */
static void corrupt(struct ssh *ssh, const char *what, struct slice bytes, size_t swallow)
{
	const struct ssh_cipher *cipher = ssh->in.cipher;

	if (!cipher || !cipher->cbc || (ssh->in.mac && ssh->in.mac->etm)) {
		ssh_malformed(ssh, what, bytes);
		return;
	}
	session_report_garbage(ssh->session, what, slice_first(bytes, RAW_SHOWN));
	ssh->discard = (uint32_t)swallow;
}

static uint32_t u32_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Learns the length of the packet that comes; false when there is too little of it, or it is none.
 */
static bool begin_packet(struct ssh *ssh, struct slice bytes, size_t block, bool apart)
{
	struct ssh_direction *in = &ssh->in;
	uint32_t length;

	if (bytes.length < (apart ? 4 : block))
		return false;
	if (apart) {
		length = in->cipher->tag
				 ? in->cipher->length(in->cipher_state, in->sequence, bytes.at)
				 : u32_at(bytes.at);
	} else {
		if (in->cipher)
			in->cipher->crypt(in->cipher_state, ssh->partial, bytes.at, block);
		else
			memcpy(ssh->partial, bytes.at, block);
		length = u32_at(ssh->partial);
	}
	if (length < 1 + PADDING_MIN || length > SSH_PACKET_MAX) {
		corrupt(ssh, "bad packet length", bytes, SSH_PACKET_MAX);
		return false;
	}
	if ((apart ? length : 4 + length - block) % block) {
		corrupt(ssh, "packet length is not whole blocks", bytes, SSH_PACKET_MAX - block);
		return false;
	}
	ssh->partial_length = length;
	return true;
}

/* Decrypts a whole packet into server->payload and checks it. */
static bool open_packet(struct ssh *ssh, struct slice bytes, size_t block, bool apart)
{
	struct ssh_direction *in = &ssh->in;
	struct writer *plain = &ssh->server->payload;
	size_t length = ssh->partial_length;
	uint8_t tag[SSH_TAG_MAX], *at;

	writer_clear(plain);
	at = writer_reserve(plain, 4 + length + SSH_BLOCK_MAX);
	if (!at) {
		ssh_hang_up(ssh, "memory");
		return false;
	}
	if (in->mac && in->mac->etm) {
		ssh_mac_compute(in->mac, in->mac_state, in->sequence,
				slice_first(bytes, 4 + length), tag);
		if (memcmp(tag, bytes.at + 4 + length, in->mac->tag) != 0) {
			ssh_malformed(ssh, "wrong MAC", bytes);
			return false;
		}
	}
	if (in->cipher && in->cipher->tag) {
		if (!in->cipher->open(in->cipher_state, in->sequence, bytes.at, length, at + 4)) {
			ssh_malformed(ssh, "wrong tag", bytes);
			return false;
		}
	} else if (apart) {
		in->cipher->crypt(in->cipher_state, at + 4, bytes.at + 4, length);
	} else {
		memcpy(at, ssh->partial, block);
		if (in->cipher)
			in->cipher->crypt(in->cipher_state, at + block, bytes.at + block,
					  4 + length - block);
		else
			memcpy(at + block, bytes.at + block, 4 + length - block);
	}
	writer_commit(plain, 4 + length);
	if (in->mac && !in->mac->etm) {
		ssh_mac_compute(in->mac, in->mac_state, in->sequence, writer_slice(plain), tag);
		if (memcmp(tag, bytes.at + 4 + length, in->mac->tag) != 0) {
			corrupt(ssh, "wrong MAC", bytes, SSH_PACKET_MAX - length - 4);
			return false;
		}
	}
	return true;
}

static void take_disconnect(struct ssh *ssh, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	uint32_t code = cursor_u32be(&c);
	struct slice text = wire_string(&c);
	uint8_t room[16];
	struct writer number = writer_fixed(room, sizeof(room));
	struct event *event = session_event(ssh->session, "protocol.request");

	writer_decimal(&number, code);
	event_set_words(event, FIELD_REQUEST_VERB, "disconnect");
	event_set_text(event, FIELD_REQUEST_TEXT, text);
	event_set_text(event, FIELD_RESPONSE_CODE, writer_slice(&number));
	/* Every client ends with 11; who says more is worth an event. */
	if (!c.failed && !(code == 11 && slice_is(text, "disconnected by user")))
		session_report(ssh->session, event);
	ssh_hang_up(ssh, "client");
}

/* What the transport takes itself, but for the first key exchange with a strict client. True: it is
 * dealt with. */
static bool take_transport(struct ssh *ssh, uint8_t type, struct slice payload)
{
	struct cursor c = cursor_of(payload);

	if (type == SSH_DISCONNECT) {
		take_disconnect(ssh, payload);
		return true;
	}
	if (ssh->flags & SSH_INITIAL && ssh->flags & SSH_STRICT)
		return false;
	if (type == SSH_IGNORE)
		return true;
	if (type == SSH_DEBUG) {
		cursor_u8(&c);
		(void)wire_string(&c);
		(void)wire_string(&c);
	} else if (type == SSH_UNIMPLEMENTED) {
		cursor_u32be(&c);
	} else {
		return false;
	}
	if (c.failed)
		ssh_malformed(ssh, "message cut short", payload);
	return true;
}

static void dispatch(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload)
{
	if (take_transport(ssh, type, payload))
		return;
	if (ssh->flags & SSH_SKIP_NEXT) {
		ssh->flags &= ~(uint32_t)SSH_SKIP_NEXT;
		return;
	}
	if (ssh->flags & SSH_INITIAL || (type >= SSH_KEXINIT && type <= SSH_KEX_LAST))
		ssh_kex_message(ssh, type, sequence, payload);
	else if (!(ssh->flags & SSH_LOGGED_IN))
		ssh_auth_message(ssh, type, sequence, payload);
	else
		ssh_connection_message(ssh, type, sequence, payload);
}

/* The payload of the packet in server->payload; the empty slice when it is broken. */
static struct slice payload_of(struct ssh *ssh)
{
	struct writer *plain = &ssh->server->payload, *scratch = &ssh->server->scratch;
	struct slice body = slice_from(writer_slice(plain), HEADER);
	uint8_t padding = plain->at[4];

	if (padding < PADDING_MIN) {
		ssh_disconnect(ssh, "protocol error", "Corrupted padlen %d on input.", padding);
		return (struct slice){0};
	}
	if (padding > body.length) {
		ssh_malformed(ssh, "more padding than packet", writer_slice(plain));
		return (struct slice){0};
	}
	body = slice_first(body, body.length - padding);
	if (ssh->in.compresses) {
		writer_clear(scratch);
		if (ssh_uncompress(&ssh->in, body, scratch) < 0) {
			ssh_malformed(ssh, "broken compression", body);
			return (struct slice){0};
		}
		/* The answer will need the scratch: the payload goes where the packet was. */
		writer_clear(plain);
		writer_bytes(plain, writer_slice(scratch));
		body = writer_slice(plain);
	}
	if (body.length == 0)
		ssh_malformed(ssh, "empty packet", body);
	return body;
}

static void take_payload(struct ssh *ssh)
{
	uint32_t sequence = ssh->in.sequence++;
	struct slice payload = payload_of(ssh);
	uint8_t type;

	if (payload.length == 0)
		return;
	type = payload.at[0];
	if (type == 0 || type >= LOCAL_FIRST) {
		session_report_garbage(ssh->session, "invalid packet type",
				       slice_first(payload, RAW_SHOWN));
		ssh_disconnect(ssh, "protocol error", "Invalid ssh2 packet type: %d", type);
		return;
	}
	dispatch(ssh, type, sequence, slice_from(payload, 1));
	if (needs_rekey(ssh) || ssh->flags & SSH_WANTS_REKEY) {
		ssh->flags &= ~(uint32_t)SSH_WANTS_REKEY;
		if (needs_rekey(ssh))
			ssh_kex_begin(ssh);
	}
}

/* One packet from the front; how many bytes it was, 0: it is not whole, or the end. */
static size_t take_packet(struct ssh *ssh, struct slice bytes)
{
	struct ssh_direction *in = &ssh->in;
	size_t block = in->cipher ? in->cipher->block : 8;
	bool apart = in->cipher && (in->cipher->tag || (in->mac && in->mac->etm));
	size_t tag = in->cipher && in->cipher->tag ? in->cipher->tag : in->mac ? in->mac->tag : 0;
	size_t total;

	if (!ssh->partial_length && !begin_packet(ssh, bytes, block, apart))
		return 0;
	total = 4 + (size_t)ssh->partial_length + tag;
	if (bytes.length < total)
		return 0;
	if (!open_packet(ssh, bytes, block, apart))
		return 0;
	in->packets++;
	in->blocks += (4 + (size_t)ssh->partial_length) / block;
	ssh->partial_length = 0;
	take_payload(ssh);
	return total;
}

static size_t swallow(struct ssh *ssh, struct slice bytes)
{
	size_t count = bytes.length < ssh->discard ? bytes.length : ssh->discard;

	ssh->discard -= (uint32_t)count;
	if (ssh->discard == 0)
		ssh_hang_up(ssh, "protocol error");
	return count;
}

size_t ssh_packet_input(struct ssh *ssh, struct slice bytes)
{
	size_t used = 0;

	if (ssh->discard)
		return swallow(ssh, bytes);
	while (!(ssh->flags & (SSH_OVER | SSH_PAUSED)) && !ssh->discard &&
	       ssh_kex_due(ssh) == INT64_MAX) {
		size_t step = take_packet(ssh, slice_from(bytes, used));

		used += step;
		if (step == 0)
			break;
		if (session_output_waiting(ssh->session) > SSH_OUTPUT_PAUSE)
			ssh->flags |= SSH_PAUSED;
		/* A log-in may be answered late: what follows waits in the session. */
		if (!(ssh->flags & SSH_LOGGED_IN))
			break;
	}
	return used;
}

static size_t direction_footprint(const struct ssh_direction *direction)
{
	return (direction->cipher ? direction->cipher->state_size : 0) +
	       (direction->mac ? ssh_mac_size(direction->mac) : 0) +
	       (direction->zlib ? ZLIB_COST / 2 : 0);
}

size_t ssh_footprint(const struct ssh *ssh)
{
	return direction_footprint(&ssh->in) + direction_footprint(&ssh->out) +
	       ssh->queue.capacity + ssh_tunnel_footprint(ssh);
}
