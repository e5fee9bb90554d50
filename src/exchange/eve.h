/* Events as Suricata's EVE records (docs.suricata.io, "EVE JSON Format", the forms of Suricata 8),
 * so that what reads a Suricata's eve.json reads ours: one object of JSON a line, told apart by
 * event_type.
 *
 *     rule.alert                               alert
 *     http.request                             http
 *     client.fingerprint, server.fingerprint   tls, ssh (those of TCP alone have no record)
 *     protocol.request                         ftp, sip, dns, smb, by their protocol
 *     auth.attempt over SMB                    smb
 *     protocol.error                           anomaly
 *     payload.captured                         fileinfo (recordings have no record)
 *     session.close                            flow
 *
 * A record holds what the event holds and nothing that would have to be made up. Text that is not
 * UTF-8 is written as Suricata writes it: \xNN for each byte beyond ASCII.
 */
#ifndef EXCHANGE_EVE_H
#define EXCHANGE_EVE_H

#include "event/event.h"

#define EVE_ACTIONS_MAX 64

struct eve {
	uint64_t records;
	/* Events without a record, by their place in event_actions; the last: any other action. */
	uint64_t left_out[EVE_ACTIONS_MAX];
};

/* Appends the event's record and a newline; false, and counted, where EVE has no such record. */
bool eve_write(struct eve *eve, const struct event *event, struct writer *out);
/* One sentence on what was left out; nothing when nothing was. */
void eve_tell_left_out(const struct eve *eve, struct writer *out);

/* The number that all records of a session share: 51 bits, which every reader of JSON holds
 * exactly. */
int64_t eve_flow_id(struct slice session);

enum eve_protocol { EVE_ICMP = 1, EVE_TCP = 6, EVE_UDP = 17, EVE_ICMP6 = 58, EVE_SCTP = 132 };

/* Both ends of a record, as its packet went: for an answer the source is the server. */
struct eve_ends {
	const struct address *source, *destination; /* NULL: unknown */
	int64_t source_port, destination_port;      /* -1: none */
	uint8_t protocol;                           /* of IP, enum eve_protocol; 0: unknown */
	int64_t icmp_type, icmp_code;               /* -1: none */
};

/* Community ID, version 1, seed 0 (github.com/corelight/community-id-spec), NUL-terminated. False
 * where what it is made of is not known. */
#define EVE_COMMUNITY_ID_LENGTH 30
bool eve_community_id(const struct eve_ends *ends, char text[EVE_COMMUNITY_ID_LENGTH + 1]);

#endif
