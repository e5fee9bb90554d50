/* Reading capture files with libpcap. */
#include "capture/packet_file.h"

#include <pcap/pcap.h>

#include "base/clock.h"

_Static_assert(PACKET_FILE_WHY >= PCAP_ERRBUF_SIZE, "libpcap's messages fit");

struct packet_file *packet_file_open(const char *path, char why[PACKET_FILE_WHY])
{
	return (struct packet_file *)pcap_open_offline(path, why);
}

static pcap_t *handle(const struct packet_file *file)
{
	return (pcap_t *)(uintptr_t)file;
}

enum link_type packet_file_link(const struct packet_file *file)
{
	return (enum link_type)pcap_datalink(handle(file));
}

int packet_file_next(struct packet_file *file, struct slice *frame, uint32_t *wire_length,
		     int64_t *time)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int got = pcap_next_ex(handle(file), &header, &bytes);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1)
		return -1;
	*frame = slice_of(bytes, header->caplen);
	*wire_length = header->len;
	*time = (int64_t)header->ts.tv_sec * SECOND + header->ts.tv_usec;
	return 1;
}

const char *packet_file_why(struct packet_file *file)
{
	return pcap_geterr(handle(file));
}

void packet_file_close(struct packet_file *file)
{
	if (file)
		pcap_close(handle(file));
}
