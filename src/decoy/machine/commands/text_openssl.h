/* openssl's own. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_OPENSSL_H
#define DECOY_MACHINE_COMMANDS_TEXT_OPENSSL_H

#include "decoy/machine/commands/text.h"

/* crypt(3)'s letters for the low bits of the value. */
void text_openssl_put64(struct text *out, struct process *process, uint32_t value, int count);
/* $5$ or $6$ (wide) with 5000 rounds; a password of up to 256 bytes. */
char *text_sha_crypt(struct process *process, bool wide, struct slice salt, struct slice password);

#endif
