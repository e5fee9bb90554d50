/* EVE records, between the files that write them. */
#ifndef EXCHANGE_EVE_RECORD_H
#define EXCHANGE_EVE_RECORD_H

#include "base/json.h"
#include "exchange/eve.h"

/* Writes "name": {...} or whatever the record has of its own. */
typedef void eve_body(struct json_writer *j, const struct event *event,
		      const struct eve_ends *ends);

struct eve_kind {
	const char *name;
	const char *application; /* app_proto that goes with it; NULL: the event's */
	eve_body *body;
};

/* The record that an event becomes; NULL: none. */
const struct eve_kind *eve_kind_of(const struct event *event);
/* Values with their names; a name of NULL: an item of a list. */
void eve_time(struct json_writer *j, const char *key, int64_t time);
void eve_string(struct json_writer *j, const char *key, struct slice text);
/* Only if the event has the field. */
void eve_text(struct json_writer *j, const char *key, const struct event *event,
	      enum event_field field);
void eve_number(struct json_writer *j, const char *key, const struct event *event,
		enum event_field field);
/* IPv6 addresses are written out, without "::", as Suricata does. */
void eve_endpoint(struct json_writer *j, const char *address_key, const char *port_key,
		  const struct address *address, int64_t port);

#endif
