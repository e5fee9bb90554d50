/* Requests of a logged-in client that belong to no channel, and to whom the others go; what
 * OpenSSH's serverloop.c does. */
#include <stdlib.h>

#include "decoy/protocols/ssh/connection.h"

#define OPEN_CONNECT_FAILED 2
#define PROOFS_MAX          8 /* keys that one hostkeys-prove may name: we have three */
#define RSA_SIGNATURE_COST  25

void ssh_connection_open(struct ssh *ssh, struct slice user, enum access_depth depth)
{
	const struct host_keys *keys = session_host_keys(ssh->session);
	struct writer *w;

	ssh->connection = calloc(1, sizeof(*ssh->connection));
	if (!ssh->connection) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	ssh->connection->user = user;
	ssh->connection->depth = depth;
	ssh->connection->evidence_left = (uint64_t)ssh->server->options->evidence;
	ssh->grace_until = 0;
	session_idle(ssh->session, ssh->server->options->idle);
	if (!ssh->server->build->hostkeys_prove || ssh->flags & SSH_NO_HOST_KEYS)
		return;
	w = ssh_packet_begin(ssh, SSH_GLOBAL_REQUEST);
	wire_put_text(w, "hostkeys-00@openssh.com");
	writer_u8(w, 0);
	for (int type = 0; type < HOST_KEY_TYPES; type++)
		wire_put_string(w, host_keys_public(keys, (enum host_key_type)type));
	ssh_packet_send(ssh);
}

void ssh_connection_free(struct ssh *ssh)
{
	struct ssh_connection *connection = ssh->connection;

	if (!connection)
		return;
	for (size_t i = 0; i < connection->count; i++) {
		if (connection->channels[i])
			ssh_channel_free(connection->channels[i]);
	}
	ssh_tunnel_free_forwards(ssh);
	free(connection->channels);
	free(connection);
	ssh->connection = NULL;
}

/* --- global requests --- */

static int key_of_blob(const struct host_keys *keys, struct slice blob)
{
	for (int type = 0; type < HOST_KEY_TYPES; type++) {
		if (slice_equal(blob, host_keys_public(keys, (enum host_key_type)type)))
			return type;
	}
	return -1;
}

static const char *proof_algorithm(const struct ssh *ssh, enum host_key_type type)
{
	if (type != HOST_KEY_RSA)
		return host_keys_type_name(type);
	if (ssh->host_key == HOST_KEY_RSA)
		return ssh->host_key_algorithm;
	if (ssh->flags & SSH_RSA_512)
		return "rsa-sha2-512";
	return ssh->flags & SSH_RSA_256 ? "rsa-sha2-256" : "ssh-rsa";
}

/* hostkeys-prove-00@openssh.com: a signature of each key named, over a text of ours. */
static bool prove(struct ssh *ssh, struct cursor *rest, struct writer *proofs)
{
	const struct host_keys *keys = session_host_keys(ssh->session);
	uint8_t room[2048];

	for (unsigned count = 0; rest->left; count++) {
		struct slice blob = wire_string(rest);
		int type = rest->failed ? -1 : key_of_blob(keys, blob);
		struct writer text = writer_fixed(room, sizeof(room));
		struct writer *signature = &ssh->server->scratch;

		if (type < 0 || count == PROOFS_MAX ||
		    (type == HOST_KEY_RSA &&
		     !ssh_server_affords(ssh->server, ssh->session, RSA_SIGNATURE_COST)))
			return false;
		wire_put_text(&text, "hostkeys-prove-00@openssh.com");
		wire_put_string(&text, slice_of(ssh->session_id, ssh->session_id_length));
		wire_put_string(&text, blob);
		writer_clear(signature);
		if (text.failed || host_keys_sign(keys, (enum host_key_type)type,
						  proof_algorithm(ssh, (enum host_key_type)type),
						  writer_slice(&text), signature) < 0)
			return false;
		wire_put_string(proofs, writer_slice(signature));
	}
	return true;
}

static void global_request(struct ssh *ssh, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	struct slice type = wire_text(&c);
	bool wants_reply = cursor_u8(&c) != 0, granted = false;
	struct writer reply = writer_growing(8192);
	uint16_t port = 0;

	if (c.failed) {
		ssh_malformed(ssh, "request that cannot be read", payload);
		return;
	}
	if (slice_is(type, "tcpip-forward")) {
		granted = ssh_tunnel_forward(ssh, &c, wants_reply, &port);
		if (port)
			writer_u32be(&reply, port);
	} else if (slice_is(type, "cancel-tcpip-forward")) {
		granted = ssh_tunnel_cancel(ssh, &c);
	} else if (slice_is(type, "streamlocal-forward@openssh.com")) {
		granted = ssh_tunnel_forward_socket(ssh, &c);
	} else if (slice_is(type, "no-more-sessions@openssh.com")) {
		ssh->flags |= SSH_NO_MORE_SESSIONS;
		granted = true;
	} else if (slice_is(type, "hostkeys-prove-00@openssh.com")) {
		granted = prove(ssh, &c, &reply);
	} else if (!slice_is(type, "keepalive@openssh.com")) {
		session_report_request(ssh->session, "global-request", type);
	}
	if (c.failed) {
		ssh_malformed(ssh, "request that cannot be read", payload);
	} else if (wants_reply) {
		struct writer *w =
			ssh_packet_begin(ssh, granted ? SSH_REQUEST_SUCCESS : SSH_REQUEST_FAILURE);
		if (granted)
			writer_bytes(w, writer_slice(&reply));
		ssh_packet_send(ssh);
	}
	writer_free(&reply);
}

/* --- channels --- */

static void open_session(struct ssh *ssh, uint32_t remote_id, uint32_t window, uint32_t packet,
			 struct cursor *rest)
{
	struct ssh_connection *connection = ssh->connection;
	struct ssh_channel *channel = NULL;

	wire_end(rest);
	if (rest->failed)
		return;
	if (ssh->flags & SSH_NO_MORE_SESSIONS) {
		ssh_disconnect(ssh, "protocol error",
			       "Possible attack: attempt to open a session after additional "
			       "sessions disabled");
		return;
	}
	if (connection->sessions < (unsigned)ssh->server->options->sessions)
		channel = ssh_channel_new(ssh, SSH_CHANNEL_SESSION);
	if (!channel) {
		ssh_channel_refuse(ssh, remote_id, OPEN_CONNECT_FAILED, "open failed");
		return;
	}
	connection->sessions++;
	channel->larval = true;
	channel->remote_id = remote_id;
	channel->remote_window = window;
	channel->remote_packet = packet;
	ssh_channel_confirm(channel);
}

/* PermitTunnel no. */
static void refuse_device(struct ssh *ssh, uint32_t remote_id, struct cursor *rest)
{
	uint32_t mode = cursor_u32be(rest);
	struct event *event;

	cursor_u32be(rest); /* unit */
	wire_end(rest);
	if (rest->failed)
		return;
	event = ssh_tunnel_event(ssh, "tun", (struct slice){0}, 0);
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	session_report(ssh->session, event);
	ssh_debug(ssh, mode == 1 || mode == 2 ? "Server has rejected tunnel device forwarding"
					      : "Unsupported tunnel device mode.");
	ssh_channel_refuse(ssh, remote_id, OPEN_CONNECT_FAILED, "open failed");
}

static void open_channel(struct ssh *ssh, struct slice payload)
{
	struct cursor c = cursor_of(payload);
	struct slice kind = wire_text(&c);
	uint32_t remote_id = cursor_u32be(&c), window = cursor_u32be(&c), packet = cursor_u32be(&c);

	if (!c.failed && slice_is(kind, "session")) {
		open_session(ssh, remote_id, window, packet, &c);
	} else if (!c.failed && (slice_is(kind, "direct-tcpip") ||
				 slice_is(kind, "direct-streamlocal@openssh.com"))) {
		ssh_tunnel_open(ssh, kind, remote_id, window, packet, &c);
	} else if (!c.failed && slice_is(kind, "tun@openssh.com")) {
		refuse_device(ssh, remote_id, &c);
	} else if (!c.failed) {
		session_report_request(ssh->session, "channel-open", kind);
		ssh_channel_refuse(ssh, remote_id, OPEN_CONNECT_FAILED, "open failed");
	}
	if (c.failed)
		ssh_malformed(ssh, "channel request that cannot be read", payload);
}

void ssh_connection_message(struct ssh *ssh, uint8_t type, uint32_t sequence, struct slice payload)
{
	struct writer *w;

	switch (type) {
	case SSH_GLOBAL_REQUEST:
		global_request(ssh, payload);
		break;
	case SSH_CHANNEL_OPEN:
		open_channel(ssh, payload);
		break;
	case SSH_CHANNEL_OPEN_CONFIRMATION:
	case SSH_CHANNEL_OPEN_FAILURE:
	case SSH_CHANNEL_WINDOW_ADJUST:
	case SSH_CHANNEL_DATA:
	case SSH_CHANNEL_EXTENDED_DATA:
	case SSH_CHANNEL_EOF:
	case SSH_CHANNEL_CLOSE:
	case SSH_CHANNEL_REQUEST:
		ssh_channel_message(ssh, type, payload);
		break;
	case SSH_REQUEST_SUCCESS:
	case SSH_REQUEST_FAILURE:
	case SSH_CHANNEL_SUCCESS:
	case SSH_CHANNEL_FAILURE:
		break;
	default:
		w = ssh_packet_begin(ssh, SSH_UNIMPLEMENTED);
		writer_u32be(w, sequence);
		ssh_packet_send(ssh);
	}
}

/* --- time --- */

void ssh_connection_run(struct ssh *ssh)
{
	struct ssh_connection *connection = ssh->connection;

	for (size_t i = 0; connection && i < connection->count && !(ssh->flags & SSH_OVER); i++) {
		struct ssh_channel *channel = connection->channels[i];

		if (channel && channel->machine)
			ssh_program_go_on(channel);
		else if (channel && channel->tunnel)
			ssh_tunnel_run(channel);
	}
}

int64_t ssh_connection_due(const struct ssh *ssh)
{
	const struct ssh_connection *connection = ssh->connection;
	int64_t due = INT64_MAX;

	for (size_t i = 0; connection && i < connection->count; i++) {
		const struct ssh_channel *channel = connection->channels[i];
		int64_t own = !channel           ? INT64_MAX
			      : channel->machine ? ssh_program_due(channel)
			      : channel->tunnel  ? ssh_tunnel_due(channel)
						 : INT64_MAX;

		due = own < due ? own : due;
	}
	return due;
}
