/* Fingerprints of a handshake into an event; see handshake.h. */
#include "capture/fingerprint/handshake.h"

static const char *finish(struct writer *w, char *text)
{
	text[w->length] = '\0';
	return text;
}

static void tell_client(struct event *event, struct handshake_room *room,
			const struct packet *packet, const struct tcp_print *print,
			const struct p0f_match *match)
{
	struct writer w = writer_fixed(room->muonfp, TCP_PRINT_MAX - 1);
	const char *tool = scanner_of(packet, print);

	tcp_print_muonfp(print, &w);
	event_set_words(event, FIELD_CLIENT_MUONFP, finish(&w, room->muonfp));
	event_set_words(event, FIELD_CLIENT_TCP, room->print);
	event_set_number(event, FIELD_CLIENT_DISTANCE, match->distance);
	if (match->link)
		event_set_words(event, FIELD_CLIENT_LINK, match->link);
	if (match->label && !match->application)
		event_set_words(event, FIELD_SOURCE_OS, match->label);
	room->tool = match->label && match->application ? match->label : tool;
	if (room->tool)
		event_set_words(event, FIELD_CLIENT_TOOL, room->tool);
}

bool handshake_event(struct event *event, struct handshake_room *room, const struct p0f *p0f,
		     const struct packet *packet, struct flow *flow, enum direction direction)
{
	bool syn = !(packet->flags & TCP_ACK);
	struct writer w = writer_fixed(room->print, TCP_PRINT_MAX - 1);
	struct p0f_match match = {.label = NULL};
	struct tcp_print print;

	/* The first of each: what comes again says the same. */
	if (!flow || flow->packets[direction] || syn != (direction == TO_SERVER) ||
	    packet->flags & (TCP_RST | TCP_FIN))
		return false;
	tcp_print_of(&print, packet, flow->syn_mss);
	if (syn)
		flow->syn_mss = print.mss;
	else if (!flow->packets[TO_SERVER])
		return false;
	tcp_print_text(&print, &w);
	(void)finish(&w, room->print);
	if (p0f)
		match = p0f_find(p0f, &print);
	event_set_words(event, FIELD_EVENT_ACTION,
			syn ? "client.fingerprint" : "server.fingerprint");
	if (syn) {
		tell_client(event, room, packet, &print, &match);
	} else {
		event_set_words(event, FIELD_SERVER_TCP, room->print);
		if (match.label)
			event_set_words(event, FIELD_SERVER_OS, match.label);
	}
	return true;
}
