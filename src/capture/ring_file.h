/* The files of a packet ring: names, listing, records; for packet_ring*.c only.
 *
 *     0000000007-1764240000000000.pcap
 *     number     time of its first packet, microseconds since 1970
 *
 * The form is pcap, little-endian, with microseconds, which every tool reads
 * (draft-ietf-opsawg-pcap). Files of one number were written side by side, one for each link type.
 * Packets may be RING_DISORDER late against the newest one before them; where the clock steps back
 * further the next file begins, and one number is left out to say so.
 */
#ifndef CAPTURE_RING_FILE_H
#define CAPTURE_RING_FILE_H

#include "base/clock.h"
#include "capture/packet.h"

#define RING_NAME_MAX     48
#define RING_NUMBER_MAX   ((int64_t)999999999999999)     /* a name with more is not one of ours */
#define RING_TIME_MAX     ((int64_t)UINT32_MAX * SECOND) /* pcap's seconds have 32 bits */
#define RING_DISORDER     (10 * SECOND)
#define RING_FRAME_MAX    262144 /* what tcpdump and wireshark take at most */
#define RING_HEADER_BYTES 24
#define RING_RECORD_BYTES 16

struct ring_file {
	uint64_t number;
	int64_t start;
	uint64_t bytes;
};

struct ring_list {
	struct ring_file *items; /* by number, then start; the caller frees */
	size_t count;
};

void ring_file_name(uint64_t number, int64_t start, char name[RING_NAME_MAX]);
/* Regular files with such names; 0, or -1 with errno. */
MUST_CHECK int ring_file_list(int folder, struct ring_list *list);
/* Opens one, never anything but a regular file; -1 with errno. */
MUST_CHECK int ring_file_open(int folder, const struct ring_file *file, int flags);

void ring_file_put_header(struct writer *out, enum link_type link, uint32_t frame_bytes);
/* The time must be within 0 .. RING_TIME_MAX. */
void ring_file_put_record(struct writer *out, struct slice frame, uint32_t wire_length,
			  int64_t time);

struct ring_record {
	uint64_t offset; /* of its header in the file */
	int64_t time;
	uint32_t wire_length;
	struct slice frame; /* valid until the next call */
};

struct ring_reader {
	int file;
	enum link_type link;
	uint64_t next; /* where the next record starts; the end of what is whole */
	uint8_t *room;
	size_t begin, end; /* bytes in room that are still to be read */
};

/* Takes over nothing: the descriptor stays the caller's. 0, or -1: no header of ours (errno 0) or
 * an error. Call ring_reader_close in any case. */
MUST_CHECK int ring_reader_open(struct ring_reader *reader, int file);
/* 1, or 0 at the end, or -1: broken from reader->next on (errno 0), or an error. */
MUST_CHECK int ring_reader_next(struct ring_reader *reader, struct ring_record *record);
void ring_reader_close(struct ring_reader *reader);
/* The record at an offset that ring_reader_next gave; room holds RING_RECORD_BYTES +
 * RING_FRAME_MAX. -1: it is not there any more. */
MUST_CHECK int ring_file_record(int file, uint64_t offset, uint8_t *room,
				struct ring_record *record);

#endif
