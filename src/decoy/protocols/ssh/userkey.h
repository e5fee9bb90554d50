/* Users' public keys: what they are, their fingerprint, whether a signature is theirs. */
#ifndef DECOY_SSH_USERKEY_H
#define DECOY_SSH_USERKEY_H

#include "base/bytes.h"

struct ssh_user_key {
	struct slice blob, type;
	char fingerprint[64]; /* SHA256:..., NUL-terminated */
	bool known;           /* of a kind that is understood, and whole */
};

void ssh_user_key_read(struct slice blob, struct ssh_user_key *key);
/* Whether a signature algorithm goes with the key. */
bool ssh_user_key_fits(const struct ssh_user_key *key, struct slice algorithm);
bool ssh_user_key_verify(const struct ssh_user_key *key, struct slice algorithm,
			 struct slice signature, struct slice data);
/* "ssh-ed25519 AAAA..." */
void ssh_user_key_text(const struct ssh_user_key *key, struct writer *out);

#endif
