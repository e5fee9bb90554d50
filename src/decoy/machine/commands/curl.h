/* The options of curl(1). */
#ifndef DECOY_MACHINE_COMMANDS_CURL_H
#define DECOY_MACHINE_COMMANDS_CURL_H

#include <stdbool.h>

struct curl_option {
	const char *name;
	char letter; /* or a blank */
	bool argument;
};
extern const struct curl_option curl_options[]; /* ends with a NULL name; sorted */
extern const char curl_version[], curl_help[];

#endif
