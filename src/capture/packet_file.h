/* Packets out of a capture file, pcap or pcapng (libpcap reads both). */
#ifndef CAPTURE_PACKET_FILE_H
#define CAPTURE_PACKET_FILE_H

#include "capture/packet.h"

#define PACKET_FILE_WHY 256 /* what pcap needs for a message */

struct packet_file;

/* "-" is standard input. NULL with a reason in `why`. */
struct packet_file *packet_file_open(const char *path, char why[PACKET_FILE_WHY]);
enum link_type packet_file_link(const struct packet_file *file);
/* The next one: the frame is valid until the next call. 1, or 0 at the end, or -1 (packet_file_why)
 * when the file is broken from here on. */
MUST_CHECK int packet_file_next(struct packet_file *file, struct slice *frame,
				uint32_t *wire_length, int64_t *time);
const char *packet_file_why(struct packet_file *file);
/* Accepts NULL. */
void packet_file_close(struct packet_file *file);

#endif
