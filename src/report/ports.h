/* What ports are commonly used for. */
#ifndef REPORT_PORTS_H
#define REPORT_PORTS_H

#include <stdint.h>

/* "" when nothing in particular is known of the port. */
const char *port_use(uint16_t port);

#endif
