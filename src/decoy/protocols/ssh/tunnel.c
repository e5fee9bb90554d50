/* Connections that clients ask for through this host (RFC 4254, section 7), and ports that they
 * want opened on it. Nothing is ever connected: the host's own ports are other decoys (nested.c), a
 * port that the world would answer is played by relay.c, others fail as on a host whose way out is
 * filtered. All that is sent is kept. */
#include <stdlib.h>

#include "decoy/machine/limits.h"
#include "decoy/protocols/ssh/connection.h"
#include "decoy/protocols/ssh/nested.h"
#include "decoy/protocols/ssh/relay.h"
#include "decoy/session.h"

#define OPEN_PROHIBITED     1
#define OPEN_CONNECT_FAILED 2
#define PRIVILEGED_PORT     1024
#define EPHEMERAL_FIRST     32768
#define EPHEMERAL_LAST      60999
#define HOST_MAX            256
#define FORWARDS_MAX        32
#define OUTPUT_MAX          ((size_t)64 * 1024)
#define RAW_KEPT            ((size_t)1024)
/* tcp_syn_retries 6: 1 + 2 + 4 + ... + 64 seconds, and what the kernel adds. */
#define CONNECT_TIMEOUT  (127 * SECOND + 360 * MILLISECOND)
#define NO_ROUTE         (3060 * MILLISECOND) /* three ARP requests */
#define ROUND_TRIP_LEAST (12 * MILLISECOND)
#define ROUND_TRIP_MORE  90000
/* A far end that has nothing to say goes after this. */
#define PATIENCE (30 * SECOND)
#define SOON     1 /* monotonic; 0 would be no time at all to the timer */

struct ssh_tunnel {
	bool fed_end;        /* its session was told of the client's EOF */
	bool own;            /* a service of the host itself is behind it */
	bool open;           /* CHANNEL_OPEN_CONFIRMATION was sent */
	int64_t due;         /* monotonic: when it opens, fails or ends */
	const char *failure; /* what it fails with then; NULL: it opens */
	struct ssh_relay relay;
	struct session *nested; /* of a service of the host itself; NULL: the relay answers */
	struct evidence *evidence;
	uint64_t sent; /* by the client */
	uint32_t port;
	size_t raw_length, host_length;
	uint8_t raw[RAW_KEPT];
	uint8_t host[];
};

struct event *ssh_tunnel_event(struct ssh *ssh, const char *kind, struct slice host, uint32_t port)
{
	struct event *event = session_event(ssh->session, "tunnel.attempt");

	event_set_words(event, FIELD_TUNNEL_KIND, kind);
	if (host.length)
		event_set_text(event, FIELD_TUNNEL_HOST, host);
	if (port)
		event_set_number(event, FIELD_TUNNEL_PORT, port);
	return event;
}

/* --- who answers --- */

static bool is_private(const struct address *address)
{
	static const char *const networks[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
					       "169.254.0.0/16", "fc00::/7",      "fe80::/10"};
	struct network network;

	for (size_t i = 0; i < ARRAY_COUNT(networks); i++) {
		if (network_parse(slice_text(networks[i]), &network) == 0 &&
		    network_holds(&network, address))
			return true;
	}
	return false;
}

/* What a resolver would know: letters, digits, dots, and a dot among them. */
static bool is_name(struct slice host)
{
	bool dotted = false;

	for (size_t i = 0; i < host.length; i++) {
		uint8_t byte = host.at[i];

		dotted |= byte == '.' && i > 0 && i + 1 < host.length;
		if (!(byte == '.' || byte == '-' || byte == '_' || (byte >= '0' && byte <= '9') ||
		      (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')))
			return false;
	}
	return dotted;
}

static int64_t round_trip(struct ssh *ssh)
{
	return ROUND_TRIP_LEAST + (int64_t)session_random_number(ssh->session, ROUND_TRIP_MORE);
}

/* Decides what becomes of it, and after which time. */
static void decide(struct ssh *ssh, struct ssh_tunnel *tunnel, struct slice host)
{
	struct address address = {.family = 0};
	bool numeric = address_parse(host, &address) == 0;
	int64_t now = ssh_monotonic(ssh);

	tunnel->relay.kind = (uint8_t)ssh_relay_at(tunnel->port);
	tunnel->due = now + round_trip(ssh);
	if (!numeric)
		address.family = 0;
	if (ssh_nested_is_own(ssh, host)) {
		tunnel->relay.kind = SSH_RELAY_NONE;
		tunnel->own = ssh->server->options->tunnels == SSH_TUNNELS_FAKE &&
			      ssh_nested_listens(ssh, tunnel->port);
		tunnel->failure = tunnel->own ? NULL : "Connection refused";
		tunnel->due = now;
	} else if (!numeric && !is_name(host)) {
		tunnel->failure = "Name or service not known";
	} else if (ssh->server->options->tunnels == SSH_TUNNELS_REFUSE) {
		tunnel->failure = "Connection refused";
	} else if (numeric && is_private(&address)) {
		tunnel->failure = "No route to host";
		tunnel->due = now + NO_ROUTE;
	} else if (tunnel->relay.kind == SSH_RELAY_NONE) {
		tunnel->failure = "Connection timed out";
		tunnel->due = now + CONNECT_TIMEOUT;
	}
}

static void report_open(struct ssh *ssh, const char *kind, struct slice host, uint32_t port,
			struct slice origin, uint32_t origin_port, const char *failure)
{
	uint8_t room[300];
	struct writer text = writer_fixed(room, sizeof(room));
	struct event *event = ssh_tunnel_event(ssh, kind, host, port);

	writer_bytes(&text, slice_first(origin, 255));
	writer_format(&text, ":%u", origin_port);
	event_set_text(event, FIELD_TUNNEL_ORIGIN, writer_slice(&text));
	event_set_words(event, FIELD_EVENT_OUTCOME, failure ? "failure" : "success");
	if (failure)
		event_set_words(event, FIELD_EVENT_REASON, failure);
	session_report(ssh->session, event);
}

/* --- opening --- */

static void start(struct ssh *ssh, struct slice host, uint32_t port, struct slice origin,
		  uint32_t origin_port, struct ssh_channel *like)
{
	struct ssh_channel *channel = NULL;
	struct ssh_tunnel *tunnel;

	host = slice_first(host, HOST_MAX);
	tunnel = calloc(1, sizeof(*tunnel) + host.length);
	if (tunnel)
		channel = ssh_channel_new(ssh, SSH_CHANNEL_TUNNEL);
	if (!channel) {
		free(tunnel);
		ssh_channel_refuse(ssh, like->remote_id, OPEN_CONNECT_FAILED, "open failed");
		return;
	}
	tunnel->port = port;
	tunnel->host_length = host.length;
	if (host.length)
		memcpy(tunnel->host, host.at, host.length);
	channel->tunnel = tunnel;
	channel->remote_id = like->remote_id;
	channel->remote_window = like->remote_window;
	channel->remote_packet = like->remote_packet;
	decide(ssh, tunnel, host);
	report_open(ssh, "direct-tcpip", host, port, origin, origin_port, tunnel->failure);
	ssh_tunnel_run(channel);
}

static void open_socket(struct ssh *ssh, uint32_t remote_id, struct cursor *rest)
{
	struct slice path = wire_text(rest), origin = wire_text(rest);
	uint32_t origin_port = cursor_u32be(rest);

	wire_end(rest);
	if (rest->failed)
		return;
	report_open(ssh, "direct-streamlocal", path, 0, origin, origin_port, "open failed");
	ssh_channel_refuse(ssh, remote_id, OPEN_CONNECT_FAILED, "open failed");
}

void ssh_tunnel_open(struct ssh *ssh, struct slice kind, uint32_t remote_id, uint32_t window,
		     uint32_t packet, struct cursor *rest)
{
	struct ssh_channel like = {
		.remote_id = remote_id, .remote_window = window, .remote_packet = packet};
	struct slice host, origin;
	uint32_t port, origin_port;

	if (!slice_is(kind, "direct-tcpip")) {
		open_socket(ssh, remote_id, rest);
		return;
	}
	host = wire_text(rest);
	port = cursor_u32be(rest);
	origin = wire_text(rest);
	origin_port = cursor_u32be(rest);
	wire_end(rest);
	if (rest->failed)
		return;
	if (port > UINT16_MAX || origin_port > UINT16_MAX ||
	    ssh->server->options->tunnels == SSH_TUNNELS_FORBID) {
		report_open(ssh, "direct-tcpip", host, port, origin, origin_port, "prohibited");
		ssh_channel_refuse(ssh, remote_id, OPEN_PROHIBITED, "open failed");
		return;
	}
	start(ssh, host, port, origin, origin_port, &like);
}

/* --- the open tunnel --- */

static struct slice host_of(const struct ssh_tunnel *tunnel)
{
	return slice_of(tunnel->host, tunnel->host_length);
}

/* What the far end says, within the client's window; what does not fit is lost with it. */
static void say(struct ssh_channel *channel, const struct writer *out)
{
	size_t room = channel->remote_window < OUTPUT_MAX ? channel->remote_window : OUTPUT_MAX;

	ssh_channel_send(channel, MACHINE_OUTPUT, slice_first(writer_slice(out), room));
}

static void begin_evidence(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	uint8_t room[HOST_MAX + 8];
	struct writer name = writer_fixed(room, sizeof(room));

	writer_bytes(&name, host_of(tunnel));
	writer_format(&name, ":%u", tunnel->port);
	tunnel->evidence = session_evidence(channel->ssh->session, EVIDENCE_PAYLOAD, "tunnel",
					    writer_slice(&name));
}

/* What came until now is kept, and said not to be all. */
static void cut_evidence(struct ssh_tunnel *tunnel)
{
	struct event more;

	event_clear(&more);
	event_set_words(&more, FIELD_EVENT_REASON, "cut at the log-in's evidence limit");
	evidence_finish(tunnel->evidence, &more);
	tunnel->evidence = NULL;
}

static void keep(struct ssh_channel *channel, struct slice bytes)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	uint64_t *left = &channel->ssh->connection->evidence_left;
	uint64_t piece = MACHINE_EVIDENCE_PIECE + tunnel->host_length;
	struct slice raw = slice_first(bytes, RAW_KEPT - tunnel->raw_length);

	if (bytes.length == 0)
		return;
	if (!tunnel->evidence && tunnel->sent == 0 && *left > piece) {
		*left -= piece;
		begin_evidence(channel);
	}
	if (tunnel->evidence) {
		struct slice fits = slice_first(bytes, *left < SIZE_MAX ? (size_t)*left : SIZE_MAX);

		evidence_add(tunnel->evidence, fits);
		*left -= fits.length;
		if (fits.length < bytes.length)
			cut_evidence(tunnel);
	}
	tunnel->sent += bytes.length;
	memcpy(tunnel->raw + tunnel->raw_length, raw.at, raw.length);
	tunnel->raw_length += raw.length;
}

static void end(struct ssh_channel *channel)
{
	channel->tunnel->due = INT64_MAX;
	if (channel->close_sent)
		return;
	ssh_channel_send_eof(channel);
	ssh_channel_close(channel);
}

/* --- a service of the host itself --- */

static void end_nested(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;

	if (!tunnel->nested)
		return;
	channel->ssh->connection->nested--;
	session_end(tunnel->nested, "client");
	tunnel->nested = NULL;
}

static void feed_nested(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	size_t length = channel->input.length;

	if (length) {
		session_feed(tunnel->nested, writer_slice(&channel->input));
		writer_consume(&channel->input, length);
		ssh_channel_consumed(channel, length);
		tunnel->sent += length;
	}
	if (channel->eof_received && !tunnel->fed_end) {
		tunnel->fed_end = true;
		session_feed_end(tunnel->nested);
	}
}

/* Its output, within the client's window and what may wait. */
static void drain_nested(struct ssh_channel *channel)
{
	struct session *nested = channel->tunnel->nested;
	struct slice output;

	while ((output = session_output(nested)).length && !channel->close_sent) {
		size_t room = ssh_channel_room(channel);

		if (room < channel->remote_window)
			channel->ssh->flags |= SSH_STARVED;
		if (room == 0)
			return;
		output = slice_first(output, room);
		ssh_channel_send(channel, MACHINE_OUTPUT, output);
		session_sent(nested, output.length);
	}
}

/* Only from the timer: what all sessions of the server share is in use while input is read. */
static void run_nested(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	bool reset;

	tunnel->due = INT64_MAX;
	if (!tunnel->nested)
		return;
	feed_nested(channel);
	if (session_deadline(tunnel->nested) <= ssh_monotonic(channel->ssh))
		session_tick(tunnel->nested);
	drain_nested(channel);
	if (!session_is_over(tunnel->nested, &reset))
		return;
	end_nested(channel);
	end(channel);
}

static void open_nested(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;

	tunnel->nested = ssh_nested_open(channel->ssh, tunnel->port);
	if (!tunnel->nested) {
		end(channel);
		return;
	}
	channel->ssh->connection->nested++;
	tunnel->due = SOON;
}

void ssh_tunnel_input(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	struct writer out = writer_growing(OUTPUT_MAX);
	struct slice input = writer_slice(&channel->input);
	bool over = false;
	size_t used;

	if (!tunnel->open || channel->close_sent || tunnel->own) {
		if (tunnel->nested)
			tunnel->due = SOON;
		writer_free(&out);
		return;
	}
	used = input.length
		       ? ssh_relay_input(&tunnel->relay, channel->ssh->session, input, &out, &over)
		       : 0;
	keep(channel, slice_first(input, used));
	say(channel, &out);
	writer_free(&out);
	if (used) {
		writer_consume(&channel->input, used);
		ssh_channel_consumed(channel, used);
		tunnel->due = ssh_monotonic(channel->ssh) + PATIENCE;
	}
	if (over || channel->eof_received)
		end(channel);
}

static void open_now(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	struct writer greeting = writer_growing(OUTPUT_MAX);

	tunnel->open = true;
	tunnel->due = ssh_monotonic(channel->ssh) + PATIENCE;
	channel->window = channel->window_max = SSH_CHANNEL_WINDOW;
	channel->input_open = true;
	ssh_channel_confirm(channel);
	if (tunnel->own) {
		writer_free(&greeting);
		open_nested(channel);
		return;
	}
	ssh_relay_greet(&tunnel->relay, channel->ssh->session, host_of(tunnel), &greeting);
	say(channel, &greeting);
	writer_free(&greeting);
}

void ssh_tunnel_run(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;

	if (tunnel->own && tunnel->open) {
		run_nested(channel);
		return;
	}
	if (ssh_monotonic(channel->ssh) < tunnel->due)
		return;
	if (tunnel->open) {
		end(channel);
	} else if (!tunnel->failure) {
		open_now(channel);
	} else {
		ssh_channel_refuse(channel->ssh, channel->remote_id, OPEN_CONNECT_FAILED,
				   tunnel->failure);
		ssh_channel_free(channel);
	}
}

int64_t ssh_tunnel_due(const struct ssh_channel *channel)
{
	const struct ssh_tunnel *tunnel = channel->tunnel;
	int64_t due = tunnel->nested ? session_deadline(tunnel->nested) : INT64_MAX;

	due = due < tunnel->due ? due : tunnel->due;
	return due < SOON ? SOON : due;
}

size_t ssh_tunnel_footprint(const struct ssh *ssh)
{
	const struct ssh_connection *connection = ssh->connection;
	size_t sum = 0;

	for (size_t i = 0; connection && connection->nested && i < connection->count; i++) {
		const struct ssh_channel *channel = connection->channels[i];

		if (channel && channel->tunnel && channel->tunnel->nested)
			sum += session_footprint(channel->tunnel->nested);
	}
	return sum;
}

void ssh_tunnel_free(struct ssh_channel *channel)
{
	struct ssh_tunnel *tunnel = channel->tunnel;
	struct event *event;

	if (!tunnel)
		return;
	end_nested(channel);
	/* What no relay took for a whole request was sent all the same. */
	if (tunnel->open && !tunnel->own)
		keep(channel, writer_slice(&channel->input));
	if (tunnel->sent && !tunnel->own) {
		evidence_finish(tunnel->evidence, NULL);
		event = session_event(channel->ssh->session, "protocol.request");
		event_set_words(event, FIELD_REQUEST_VERB, "tunnel-data");
		event_set_text(event, FIELD_TUNNEL_HOST, host_of(tunnel));
		event_set_number(event, FIELD_TUNNEL_PORT, tunnel->port);
		event_set_text(event, FIELD_RAW, slice_of(tunnel->raw, tunnel->raw_length));
		event_set_number(event, FIELD_RAW_LENGTH, (int64_t)tunnel->sent);
		session_report(channel->ssh->session, event);
	}
	free(tunnel);
	channel->tunnel = NULL;
}

/* --- ports that are wanted here --- */

static struct ssh_forward *forward_at(const struct ssh_connection *connection, struct slice host,
				      uint32_t port)
{
	for (struct ssh_forward *at = connection->forwards; at; at = at->next) {
		if (at->port == port && slice_equal(slice_of(at->host, at->length), host))
			return at;
	}
	return NULL;
}

static size_t count_forwards(const struct ssh_connection *connection)
{
	size_t count = 0;

	for (const struct ssh_forward *at = connection->forwards; at; at = at->next)
		count++;
	return count;
}

static bool may_listen(struct ssh *ssh, struct slice host, uint32_t port, bool wants_reply)
{
	const struct ssh_connection *connection = ssh->connection;

	if (port > INT32_MAX || (port == 0 && !wants_reply) ||
	    ssh->server->options->tunnels == SSH_TUNNELS_FORBID) {
		ssh_debug(ssh, "Server has disabled port forwarding.");
		return false;
	}
	if (count_forwards(connection) >= FORWARDS_MAX)
		return false;
	if (port && port < PRIVILEGED_PORT && connection->depth != ACCESS_ROOT)
		return false;
	for (const struct ssh_forward *at = connection->forwards; at; at = at->next) {
		if (port && at->port == port)
			return false; /* in use */
	}
	return port != session_local(ssh->session)->port && port != 22;
}

/* Takes the numbers that OpenSSH's two sockets, of IPv4 and IPv6, would have. */
static bool add_forward(struct ssh *ssh, struct slice host, uint32_t port)
{
	struct ssh_forward *forward;

	host = slice_first(host, HOST_MAX);
	forward = calloc(1, sizeof(*forward) + host.length);
	if (!forward)
		return false;
	for (size_t i = 0; i < 2; i++) {
		struct ssh_channel *channel = ssh_channel_new(ssh, SSH_CHANNEL_LISTENER);

		forward->listeners[i] = channel ? channel->id : UINT32_MAX;
	}
	forward->port = port;
	forward->length = host.length;
	if (host.length)
		memcpy(forward->host, host.at, host.length);
	forward->next = ssh->connection->forwards;
	ssh->connection->forwards = forward;
	return true;
}

bool ssh_tunnel_forward(struct ssh *ssh, struct cursor *rest, bool wants_reply, uint16_t *port)
{
	struct slice host = wire_text(rest);
	uint32_t wanted = cursor_u32be(rest);
	struct event *event;
	bool granted;

	if (rest->failed)
		return false;
	granted = may_listen(ssh, host, wanted, wants_reply);
	if (granted && wanted == 0)
		*port = (uint16_t)(EPHEMERAL_FIRST +
				   session_random_number(ssh->session,
							 EPHEMERAL_LAST - EPHEMERAL_FIRST));
	granted = granted && add_forward(ssh, host, wanted ? wanted : *port);
	event = ssh_tunnel_event(ssh, "tcpip-forward", host, wanted ? wanted : *port);
	event_set_words(event, FIELD_EVENT_OUTCOME, granted ? "success" : "failure");
	session_report(ssh->session, event);
	if (!granted)
		*port = 0;
	return granted;
}

static void drop_forward(struct ssh *ssh, struct ssh_forward *forward)
{
	struct ssh_forward **at = &ssh->connection->forwards;

	while (*at && *at != forward)
		at = &(*at)->next;
	if (*at)
		*at = forward->next;
	for (size_t i = 0; i < 2; i++) {
		struct ssh_channel *channel = ssh_channel_at(ssh, forward->listeners[i]);

		if (channel && channel->kind == SSH_CHANNEL_LISTENER)
			ssh_channel_free(channel);
	}
	free(forward);
}

bool ssh_tunnel_cancel(struct ssh *ssh, struct cursor *rest)
{
	struct slice host = wire_text(rest);
	uint32_t port = cursor_u32be(rest);
	struct ssh_forward *forward;

	if (rest->failed)
		return false;
	forward = forward_at(ssh->connection, host, port);
	if (!forward)
		return false;
	drop_forward(ssh, forward);
	return true;
}

bool ssh_tunnel_forward_socket(struct ssh *ssh, struct cursor *rest)
{
	struct slice path = wire_text(rest);
	struct event *event;

	if (rest->failed)
		return false;
	event = ssh_tunnel_event(ssh, "streamlocal-forward", path, 0);
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	session_report(ssh->session, event);
	return false;
}

void ssh_tunnel_free_forwards(struct ssh *ssh)
{
	while (ssh->connection->forwards)
		drop_forward(ssh, ssh->connection->forwards);
}
