/* Countries of ISO 3166-1: name, and roughly the middle for a map without city data. */
#ifndef STORE_COUNTRY_H
#define STORE_COUNTRY_H

#include "base/bytes.h"

struct country {
	char code[3];
	float latitude, longitude;
	const char *name;
};

/* Sorted by code; ends with an empty code. */
extern const struct country countries[];

/* NULL for a code that is not assigned. */
const struct country *country_find(struct slice code);
/* The English name, or the code itself, or "unknown" for the empty one. */
const char *country_name(const char *code);

#endif
