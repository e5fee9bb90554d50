/* Compression of payloads: zlib@openssh.com, which begins after the log-in, and zlib. */
#include <stdlib.h>
#include <zlib.h>

#include "decoy/protocols/ssh/ssh.h"

#define LEVEL 6 /* OpenSSH's */

static int begin(struct ssh_direction *direction, bool deflates)
{
	if (direction->zlib)
		return 0;
	direction->zlib = calloc(1, sizeof(*direction->zlib));
	if (!direction->zlib)
		return -1;
	if ((deflates ? deflateInit(direction->zlib, LEVEL) : inflateInit(direction->zlib)) == Z_OK)
		return 0;
	free(direction->zlib);
	direction->zlib = NULL;
	return -1;
}

int ssh_compress(struct ssh_direction *out, struct writer *packet, size_t offset,
		 struct writer *scratch)
{
	struct z_stream_s *z;
	size_t room = packet->length + 64; /* a first guess; the loop makes more */

	if (begin(out, true) < 0)
		return -1;
	z = out->zlib;
	writer_clear(scratch);
	z->next_in = packet->at + offset;
	z->avail_in = (unsigned)(packet->length - offset);
	do {
		uint8_t *at = writer_reserve(scratch, room);

		if (!at)
			return -1;
		z->next_out = at;
		z->avail_out = (unsigned)room;
		if (deflate(z, Z_PARTIAL_FLUSH) != Z_OK)
			return -1;
		writer_commit(scratch, room - z->avail_out);
	} while (z->avail_out == 0);
	packet->length = offset;
	writer_bytes(packet, writer_slice(scratch));
	return packet->failed ? -1 : 0;
}

int ssh_uncompress(struct ssh_direction *in, struct slice payload, struct writer *out)
{
	uint8_t room[4096];
	struct z_stream_s *z;
	int status;

	if (begin(in, false) < 0)
		return -1;
	z = in->zlib;
	z->next_in = (uint8_t *)(uintptr_t)payload.at;
	z->avail_in = (unsigned)payload.length;
	for (;;) {
		z->next_out = room;
		z->avail_out = sizeof(room);
		status = inflate(z, Z_SYNC_FLUSH);
		if (status == Z_BUF_ERROR)
			return 0; /* all of it is there */
		if (status != Z_OK)
			return -1;
		writer_bytes(out, slice_of(room, sizeof(room) - z->avail_out));
		if (out->failed || out->length > SSH_PACKET_MAX)
			return -1;
	}
}

void ssh_compress_end(struct ssh_direction *direction, bool deflates)
{
	if (!direction->zlib)
		return;
	if (deflates)
		deflateEnd(direction->zlib);
	else
		inflateEnd(direction->zlib);
	free(direction->zlib);
	direction->zlib = NULL;
}
