/* The far ends of tunnels: services of other hosts that do not exist, which answer enough for the
 * client to show what it wanted. */
#ifndef DECOY_SSH_RELAY_H
#define DECOY_SSH_RELAY_H

#include "base/bytes.h"

struct session;

enum ssh_relay_kind { SSH_RELAY_NONE, SSH_RELAY_HTTP, SSH_RELAY_MAIL, SSH_RELAY_TLS };

/* What listens at a port of the world. */
enum ssh_relay_kind ssh_relay_at(uint32_t port);

struct ssh_relay {
	uint8_t kind;
	bool in_data;   /* a mail's text is coming */
	unsigned lines; /* of a mail's header that came, or requests */
};

/* What it says at once. */
void ssh_relay_greet(struct ssh_relay *relay, struct session *session, struct slice host,
		     struct writer *out);
/* Uses up whole lines or requests; how many bytes. *over: it closes. */
size_t ssh_relay_input(struct ssh_relay *relay, struct session *session, struct slice bytes,
		       struct writer *out, bool *over);

#endif
