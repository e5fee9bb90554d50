/* How single values of the configuration are written, and how that is told to people. */
#ifndef BASE_CONFIG_TYPES_H
#define BASE_CONFIG_TYPES_H

#include "base/config.h"

MUST_CHECK int config_types_parse_size(struct slice text, int64_t *bytes);
/* Decimal, with an exponent if need be; no infinities, no hexadecimal. */
MUST_CHECK int config_types_parse_real(const char *text, double *number);
/* "80" or "8000-8010"; ports are 1 to 65535. */
MUST_CHECK int config_types_parse_ports(struct slice text, struct config_port_range *range);

/* "a whole number from 1 to 10": what a directive accepts, for messages and the reference. */
void config_types_accepted(const struct directive *directive, struct writer *out);
/* The type in a word or two. */
const char *config_types_name(enum directive_type type);

#endif
