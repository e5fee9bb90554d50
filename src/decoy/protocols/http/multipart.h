/* Files inside a multipart/form-data body (RFC 7578), as they stream past. */
#ifndef DECOY_HTTP_MULTIPART_H
#define DECOY_HTTP_MULTIPART_H

#include "decoy/protocol.h"

#define MULTIPART_BOUNDARY_MAX 72   /* RFC 2046: 70, and the two dashes before it */
#define MULTIPART_HEADER_MAX   1024 /* of one part; a longer one is not looked into */
#define MULTIPART_FILES_MAX    16   /* payloads of one request; the rest is in the body */

struct multipart {
	uint8_t boundary[MULTIPART_BOUNDARY_MAX + 4]; /* with CR LF and dashes before it */
	uint8_t boundary_length;
	uint8_t state;
	uint8_t files;
	uint16_t matched; /* bytes of the boundary that the last bytes may begin */
	uint16_t header_length;
	struct evidence *file;
	uint8_t header[MULTIPART_HEADER_MAX];
};

/* A reader for a body of this Content-Type; NULL when it is no multipart body. */
struct multipart *multipart_open(struct slice content_type);
/* The next bytes of the body; each file becomes evidence of origin "upload". */
void multipart_add(struct multipart *multipart, struct session *session, struct slice bytes);
/* The body ended: finishes what is open and frees the reader. Accepts NULL. */
void multipart_finish(struct multipart *multipart);

#endif
