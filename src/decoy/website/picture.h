/* Pictures of a site that are drawn for the installation, so that no two share their hashes. */
#ifndef DECOY_PICTURE_H
#define DECOY_PICTURE_H

#include "decoy/persona.h"

/* A favicon: 16 by 16, colours and pattern the installation's. */
void picture_favicon(struct writer *out, const struct persona *persona);
/* A PNG of 960 by 600 for IIS's first page. */
void picture_welcome(struct writer *out, const struct persona *persona);

#endif
