/* Channels: windows, data, their ends (RFC 4254, section 5), with OpenSSH's words for clients that
 * break the rules. */
#include <stdlib.h>

#include "decoy/protocols/ssh/connection.h"

#define STDERR           1 /* SSH_EXTENDED_DATA_STDERR */
#define CHANNELS_AT_ONCE 4

static size_t held_by(const struct ssh_connection *connection)
{
	size_t held = 0;

	for (size_t i = 0; i < connection->count; i++)
		held += connection->channels[i] ? connection->channels[i]->input.length : 0;
	return held;
}

struct ssh_channel *ssh_channel_at(const struct ssh *ssh, uint32_t id)
{
	const struct ssh_connection *connection = ssh->connection;

	return id < connection->count ? connection->channels[id] : NULL;
}

/* --- beginning and end --- */

struct ssh_channel *ssh_channel_new(struct ssh *ssh, enum ssh_channel_kind kind)
{
	struct ssh_connection *connection = ssh->connection;
	struct ssh_channel *channel;
	size_t id = 0;

	while (id < connection->count && connection->channels[id])
		id++;
	if (id >= SSH_CHANNELS_MAX)
		return NULL;
	if (id == connection->count) {
		size_t count = connection->count + CHANNELS_AT_ONCE;
		struct ssh_channel **grown =
			realloc(connection->channels, count * sizeof(struct ssh_channel *));

		if (!grown)
			return NULL;
		memset(grown + connection->count, 0,
		       CHANNELS_AT_ONCE * sizeof(struct ssh_channel *));
		connection->channels = grown;
		connection->count = count;
	}
	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->ssh = ssh;
	channel->kind = (uint8_t)kind;
	channel->id = (uint32_t)id;
	channel->input = writer_growing(SSH_CHANNEL_WINDOW + SSH_CHANNEL_WINDOW / 8);
	connection->channels[id] = channel;
	return channel;
}

void ssh_channel_free(struct ssh_channel *channel)
{
	struct ssh_connection *connection = channel->ssh->connection;

	if (channel->kind == SSH_CHANNEL_SESSION)
		connection->sessions--;
	connection->channels[channel->id] = NULL;
	ssh_program_free(channel);
	ssh_tunnel_free(channel);
	ssh_request_free(channel);
	writer_free(&channel->input);
	free(channel);
}

void ssh_channel_confirm(struct ssh_channel *channel)
{
	struct writer *w = ssh_packet_begin(channel->ssh, SSH_CHANNEL_OPEN_CONFIRMATION);

	writer_u32be(w, channel->remote_id);
	writer_u32be(w, channel->id);
	writer_u32be(w, channel->window);
	writer_u32be(w, SSH_CHANNEL_PACKET);
	ssh_packet_send(channel->ssh);
}

void ssh_channel_refuse(struct ssh *ssh, uint32_t remote_id, uint32_t reason, const char *text)
{
	struct writer *w = ssh_packet_begin(ssh, SSH_CHANNEL_OPEN_FAILURE);

	writer_u32be(w, remote_id);
	writer_u32be(w, reason);
	wire_put_text(w, text);
	wire_put_text(w, "");
	ssh_packet_send(ssh);
}

static void send_bare(struct ssh_channel *channel, enum ssh_message message)
{
	struct writer *w = ssh_packet_begin(channel->ssh, message);

	writer_u32be(w, channel->remote_id);
	ssh_packet_send(channel->ssh);
}

void ssh_channel_send_eof(struct ssh_channel *channel)
{
	if (channel->eof_sent || channel->close_sent)
		return;
	channel->eof_sent = true;
	send_bare(channel, SSH_CHANNEL_EOF);
}

void ssh_channel_close(struct ssh_channel *channel)
{
	if (channel->close_sent)
		return;
	channel->close_sent = true;
	channel->input_open = false;
	send_bare(channel, SSH_CHANNEL_CLOSE);
}

/* --- windows --- */

static void send_adjust(struct ssh_channel *channel, uint32_t count)
{
	struct writer *w = ssh_packet_begin(channel->ssh, SSH_CHANNEL_WINDOW_ADJUST);

	writer_u32be(w, channel->remote_id);
	writer_u32be(w, count);
	ssh_packet_send(channel->ssh);
	channel->window += count;
}

void ssh_channel_open_window(struct ssh_channel *channel)
{
	channel->input_open = true;
	channel->window_max = SSH_CHANNEL_WINDOW;
	send_adjust(channel, SSH_CHANNEL_WINDOW);
}

/* channel_check_window. */
void ssh_channel_consumed(struct ssh_channel *channel, size_t count)
{
	channel->consumed += (uint32_t)count;
	if (channel->close_sent || channel->consumed == 0 || channel->ssh->flags & SSH_OVER ||
	    (channel->window_max - channel->window <= 3 * SSH_CHANNEL_PACKET &&
	     channel->window >= channel->window_max / 2))
		return;
	send_adjust(channel, channel->consumed);
	channel->consumed = 0;
}

size_t ssh_channel_room(const struct ssh_channel *channel)
{
	size_t waiting = session_output_waiting(channel->ssh->session);
	size_t room = waiting < SSH_OUTPUT_PAUSE ? SSH_OUTPUT_PAUSE - waiting : 0;

	if (channel->ssh->flags & (SSH_REKEYING | SSH_OVER))
		return 0;
	return room < channel->remote_window ? room : channel->remote_window;
}

void ssh_channel_send(struct ssh_channel *channel, enum machine_stream stream, struct slice bytes)
{
	size_t most = channel->remote_packet < SSH_CHANNEL_PACKET ? channel->remote_packet
								  : SSH_CHANNEL_PACKET;

	while (bytes.length && most && !channel->close_sent) {
		struct slice piece = slice_first(bytes, most);
		struct writer *w = ssh_packet_begin(
			channel->ssh,
			stream == MACHINE_ERRORS ? SSH_CHANNEL_EXTENDED_DATA : SSH_CHANNEL_DATA);

		writer_u32be(w, channel->remote_id);
		if (stream == MACHINE_ERRORS)
			writer_u32be(w, STDERR);
		wire_put_string(w, piece);
		ssh_packet_send(channel->ssh);
		channel->remote_window -= (uint32_t)piece.length;
		bytes = slice_from(bytes, piece.length);
	}
}

struct writer *ssh_channel_request(struct ssh_channel *channel, const char *type)
{
	struct writer *w = ssh_packet_begin(channel->ssh, SSH_CHANNEL_REQUEST);

	writer_u32be(w, channel->remote_id);
	wire_put_text(w, type);
	writer_u8(w, 0);
	return w;
}

/* --- messages --- */

static void pass_on(struct ssh_channel *channel)
{
	if (channel->tunnel)
		ssh_tunnel_input(channel);
	else if (channel->machine)
		ssh_program_input(channel);
}

static void take_data(struct ssh_channel *channel, struct cursor *c)
{
	struct ssh *ssh = channel->ssh;
	struct slice data;

	if (channel->larval || channel->kind == SSH_CHANNEL_LISTENER)
		return; /* not open: passed over unread */
	data = wire_string(c);
	wire_end(c);
	if (c->failed)
		return;
	if (!channel->input_open) {
		channel->window -=
			data.length > channel->window ? channel->window : (uint32_t)data.length;
		ssh_channel_consumed(channel, data.length);
		return;
	}
	if (data.length > channel->window) {
		channel->exceeded += (uint32_t)data.length - channel->window;
		channel->window = 0;
		if (channel->exceeded > channel->window_max / 10) {
			ssh_disconnect(ssh, "protocol error",
				       "channel %u: peer ignored channel window", channel->id);
			return;
		}
	} else {
		channel->window -= (uint32_t)data.length;
		channel->exceeded = 0;
	}
	writer_bytes(&channel->input, data);
	if (channel->input.failed || held_by(ssh->connection) > SSH_HELD_MAX) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	pass_on(channel);
}

static void take_extended_data(struct ssh_channel *channel, struct cursor *c)
{
	if (channel->larval || channel->kind == SSH_CHANNEL_LISTENER)
		return;
	if (channel->eof_received)
		ssh_disconnect(channel->ssh, "protocol error",
			       "Received extended_data after EOF on channel %u.", channel->id);
	else if (c->left < 4)
		ssh_disconnect(channel->ssh, "protocol error", "Invalid extended_data message");
	/* A server has nowhere to write it: "bad ext data". */
}

static void take_eof(struct ssh_channel *channel, struct cursor *c)
{
	wire_end(c);
	if (c->failed) {
		ssh_disconnect(channel->ssh, "protocol error", "Invalid ieof message");
		return;
	}
	channel->eof_received = true;
	pass_on(channel);
}

static void take_close(struct ssh_channel *channel, struct cursor *c)
{
	struct ssh *ssh = channel->ssh;

	wire_end(c);
	if (c->failed) {
		ssh_disconnect(ssh, "protocol error", "Invalid oclose message");
		return;
	}
	if (channel->machine)
		ssh_program_abandon(channel);
	ssh_channel_close(channel);
	ssh_channel_free(channel);
}

static void take_adjust(struct ssh_channel *channel, struct cursor *c)
{
	uint32_t count = cursor_u32be(c);

	wire_end(c);
	if (c->failed) {
		ssh_disconnect(channel->ssh, "protocol error", "Invalid window adjust message");
		return;
	}
	if (channel->remote_window + count < channel->remote_window) {
		c->failed = true; /* "adjust overflows": fatal */
		return;
	}
	channel->remote_window += count;
	if (channel->machine)
		ssh_program_go_on(channel);
	else if (channel->tunnel)
		ssh_tunnel_input(channel);
}

static void take_request(struct ssh_channel *channel, struct slice type, struct cursor *c)
{
	struct ssh *ssh = channel->ssh;
	bool wants_reply = cursor_u8(c) != 0, granted = false;
	uint32_t id = channel->id;

	if (c->failed)
		return;
	if (slice_is(type, "eow@openssh.com"))
		wire_end(c);
	else if (channel->kind == SSH_CHANNEL_SESSION)
		granted = ssh_request(channel, type, c);
	if (c->failed || ssh->flags & SSH_OVER || ssh_channel_at(ssh, id) != channel)
		return;
	if (wants_reply && !channel->close_sent)
		send_bare(channel, granted ? SSH_CHANNEL_SUCCESS : SSH_CHANNEL_FAILURE);
	if (granted && channel->machine)
		ssh_program_run(channel);
}

/* What OpenSSH calls a message in its complaints. */
static const char *name_of(uint8_t type)
{
	static const char *const names[] = {
		"open confirmation", "open failure", "window adjust", "data",
		"extended data",     "ieof",         "oclose"};

	return names[type - SSH_CHANNEL_OPEN_CONFIRMATION];
}

static void complain(struct ssh *ssh, uint8_t type, uint32_t id)
{
	if (type == SSH_CHANNEL_REQUEST)
		ssh_disconnect(ssh, "protocol error",
			       "server_input_channel_req: unknown channel %d", (int)id);
	else if (id > INT32_MAX)
		ssh_disconnect(ssh, "protocol error", "Invalid %s channel id", name_of(type));
	else if (type != SSH_CHANNEL_WINDOW_ADJUST)
		ssh_disconnect(ssh, "protocol error",
			       "%s packet referred to nonexistent channel %u", name_of(type), id);
}

static void take_message(struct ssh_channel *channel, uint8_t type, struct cursor *c)
{
	switch (type) {
	case SSH_CHANNEL_DATA:
		take_data(channel, c);
		break;
	case SSH_CHANNEL_EXTENDED_DATA:
		take_extended_data(channel, c);
		break;
	case SSH_CHANNEL_EOF:
		take_eof(channel, c);
		break;
	case SSH_CHANNEL_WINDOW_ADJUST:
		take_adjust(channel, c);
		break;
	case SSH_CHANNEL_OPEN_CONFIRMATION:
		ssh_disconnect(channel->ssh, "protocol error",
			       "Received open confirmation for non-opening channel %u.",
			       channel->id);
		break;
	default:
		ssh_disconnect(channel->ssh, "protocol error",
			       "Received open failure for non-opening channel %u.", channel->id);
	}
}

void ssh_channel_message(struct ssh *ssh, uint8_t type, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	uint32_t id = cursor_u32be(&c);
	struct slice request = type == SSH_CHANNEL_REQUEST ? wire_text(&c) : (struct slice){0};
	struct ssh_channel *channel = c.failed ? NULL : ssh_channel_at(ssh, id);

	if (c.failed && type != SSH_CHANNEL_REQUEST)
		ssh_disconnect(ssh, "protocol error", "Invalid %s message", name_of(type));
	else if (!channel && !c.failed)
		complain(ssh, type, id);
	/* CLOSE frees the channel, so nothing may look at it afterwards. */
	if (channel && type == SSH_CHANNEL_CLOSE)
		take_close(channel, &c);
	else if (channel && type == SSH_CHANNEL_REQUEST)
		take_request(channel, request, &c);
	else if (channel)
		take_message(channel, type, &c);
	if (c.failed && !(ssh->flags & SSH_OVER))
		ssh_malformed(ssh, "channel message that cannot be read", payload);
}
