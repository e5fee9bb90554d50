/* MQTT 3.1, 3.1.1 and 5 (OASIS): who connects, what is published and subscribed to. */
#include "capture/application/view.h"

#define PACKET_MAX        (64 * 1024) /* of a packet that is looked at */
#define SUBSCRIPTIONS_MAX 16

enum packet_type {
	CONNECT = 1,
	CONNACK = 2,
	PUBLISH = 3,
	SUBSCRIBE = 8,
	DISCONNECT = 14,
	AUTH = 15,
};

struct mqtt {
	uint64_t transactions[2], skip[2];
	uint8_t version;
	bool connected, lost[2];
};

/* The length behind the first byte: *used bytes of it. False: broken; *used 0: more is needed. */
static bool read_length(struct slice bytes, size_t *length, size_t *used)
{
	*length = *used = 0;
	for (size_t i = 1; i <= 4; i++) {
		if (i >= bytes.length)
			return true;
		*length |= (size_t)(bytes.at[i] & 0x7f) << 7 * (i - 1);
		if (!(bytes.at[i] & 0x80)) {
			*used = i + 1;
			return true;
		}
	}
	return false;
}

static struct slice take_text(struct cursor *c)
{
	return cursor_take(c, cursor_u16be(c));
}

/* MQTT 5 puts properties in many places. False: they are longer than what holds them. */
static bool skip_properties(struct cursor *c, uint8_t version)
{
	size_t length = 0;

	if (version < 5)
		return true;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t byte = cursor_u8(c);

		length |= (size_t)(byte & 0x7f) << 7 * i;
		if (!(byte & 0x80))
			break;
	}
	cursor_skip(c, length);
	return !c->failed;
}

static enum recognition mqtt_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t length, used;
	struct slice name;
	struct cursor c;

	if (!bytes.length)
		return RECOGNISED_MAYBE;
	if (direction == TO_CLIENT)
		return (port == 1883 && bytes.length >= 4 && bytes.at[0] == CONNACK << 4 &&
			bytes.at[1] >= 2)
			       ? RECOGNISED_YES
			       : RECOGNISED_NO;
	if (bytes.at[0] != CONNECT << 4 || !read_length(bytes, &length, &used))
		return RECOGNISED_NO;
	if (!used)
		return RECOGNISED_MAYBE;
	c = cursor_of(slice_from(bytes, used));
	name = take_text(&c);
	if (c.failed)
		return bytes.length < 16 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	return slice_is(name, "MQTT") || slice_is(name, "MQIsdp") ? RECOGNISED_YES : RECOGNISED_NO;
}

static void view_connect(struct findings_view *v, struct mqtt *mqtt, struct cursor c)
{
	uint8_t flags;
	struct slice client, user, password;

	(void)take_text(&c);
	mqtt->version = cursor_u8(&c);
	flags = cursor_u8(&c);
	cursor_skip(&c, 2);
	if (!skip_properties(&c, mqtt->version))
		view_anomaly(v, "mqtt.malformed_traffic");
	client = take_text(&c);
	if (!c.failed)
		view_buffer(v, BUFFER_MQTT_CLIENT, client);
	if (flags & 0x04) { /* a will: topic and message */
		(void)skip_properties(&c, mqtt->version);
		(void)take_text(&c);
		(void)take_text(&c);
	}
	user = flags & 0x80 ? take_text(&c) : slice_of(NULL, 0);
	if (flags & 0x80 && !c.failed)
		view_buffer(v, BUFFER_MQTT_USER, user);
	password = flags & 0x40 ? take_text(&c) : slice_of(NULL, 0);
	if (flags & 0x40 && !c.failed)
		view_buffer(v, BUFFER_MQTT_PASSWORD, password);
	if (mqtt->connected)
		view_anomaly(v, "mqtt.double_connect");
	mqtt->connected = true;
}

static void view_publish(struct findings_view *v, struct mqtt *mqtt, uint8_t flags, struct cursor c)
{
	uint8_t quality = flags >> 1 & 3;
	struct slice topic = take_text(&c);

	if (quality == 3)
		view_anomaly(v, "mqtt.invalid_qos_level");
	if (quality)
		cursor_skip(&c, 2);
	if (!skip_properties(&c, mqtt->version) || c.failed) {
		view_anomaly(v, "mqtt.malformed_traffic");
		return;
	}
	view_buffer(v, BUFFER_MQTT_TOPIC, topic);
	view_buffer(v, BUFFER_MQTT_MESSAGE, slice_of(c.at, c.left));
}

static void view_subscribe(struct findings_view *v, struct mqtt *mqtt, struct cursor c)
{
	cursor_skip(&c, 2);
	if (!skip_properties(&c, mqtt->version))
		view_anomaly(v, "mqtt.malformed_traffic");
	for (unsigned i = 0; i < SUBSCRIPTIONS_MAX && c.left && !c.failed; i++) {
		struct slice topic = take_text(&c);

		cursor_skip(&c, 1);
		if (!c.failed)
			view_buffer(v, BUFFER_MQTT_SUBSCRIPTION, topic);
	}
}

static void read_packet(struct mqtt *mqtt, struct application_context *context,
			enum direction direction, uint8_t first, struct slice body)
{
	struct cursor c = cursor_of(body);
	uint8_t type = first >> 4;
	struct findings_view v;

	view_start(&v, context);
	view_fact(&v, FACT_MQTT_TYPE, type);
	if (type == CONNECT)
		view_connect(&v, mqtt, c);
	else if (type == PUBLISH)
		view_publish(&v, mqtt, first & 15, c);
	else if (type == SUBSCRIBE)
		view_subscribe(&v, mqtt, c);
	else if (type == 0)
		view_anomaly(&v, "mqtt.unassigned_msg_type");
	else if (!mqtt->connected && type != CONNACK)
		view_anomaly(&v, "mqtt.unintroduced_message");
	view_offer(&v, direction, mqtt->transactions[direction]++);
}

static size_t step(struct mqtt *mqtt, struct application_context *context, enum direction direction,
		   struct slice bytes, bool last)
{
	size_t length, used, there;

	if (mqtt->skip[direction]) {
		there = bytes.length < mqtt->skip[direction] ? bytes.length
							     : (size_t)mqtt->skip[direction];
		mqtt->skip[direction] -= there;
		return there;
	}
	if (mqtt->lost[direction] || !read_length(bytes, &length, &used)) {
		mqtt->lost[direction] = true;
		return bytes.length;
	}
	if (!used)
		return 0;
	there = bytes.length - used;
	if (there < length && there < PACKET_MAX && !last)
		return 0;
	there = there < length ? there : length;
	there = there < PACKET_MAX ? there : PACKET_MAX;
	read_packet(mqtt, context, direction, bytes.at[0], slice_of(bytes.at + used, there));
	mqtt->skip[direction] = length - there;
	return used + there;
}

static size_t mqtt_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	size_t used = 0, more = 1;

	while (more && used < bytes.length) {
		more = step(state, context, direction, slice_from(bytes, used), last);
		used += more;
	}
	return last ? bytes.length : used;
}

const struct application application_mqtt = {
	.id = APPLICATION_MQTT,
	.transports = {TRANSPORT_TCP},
	.recognise = mqtt_recognise,
	.state_size = sizeof(struct mqtt),
	.input = mqtt_input,
};
