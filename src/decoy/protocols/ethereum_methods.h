/* The methods of the ethereum decoy: what a geth node with open, careless settings answers. */
#ifndef DECOY_ETHEREUM_METHODS_H
#define DECOY_ETHEREUM_METHODS_H

#include "base/json.h"
#include "decoy/protocol.h"

#define ETHEREUM_ARGUMENTS_MAX 6
#define ETHEREUM_ACCOUNTS      3
#define ETHEREUM_TEXT_MAX      512 /* a password, an address, a field of a transaction */

/* One call. The handler writes the result, or sets an error and writes nothing. */
struct ethereum_call {
	struct session *session;
	struct slice method;                            /* unescaped */
	struct slice arguments[ETHEREUM_ARGUMENTS_MAX]; /* each as JSON */
	size_t count;
	struct json_writer *result;
	int error; /* 0: none */
	char message[160];
};

/* Runs the call. Unknown methods get geth's error. */
void ethereum_run(struct ethereum_call *call);
/* The raw JSON of a value whose first token was just read; reads past it. Empty when broken. */
struct slice ethereum_raw(struct json_reader *reader, enum json_kind kind, struct slice token);
/* A field of a JSON object, unescaped when it is a string, else raw; false when it is not there. */
bool ethereum_field(struct slice object, const char *name, struct writer *out);

#endif
