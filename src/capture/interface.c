/* see interface.h. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "capture/interface.h"

#define SNAPSHOT 65535
#define BUFFER   (16 * 1024 * 1024)
#define WAIT     50

struct interface {
	pcap_t *pcap;
	int descriptor;
	char name[32];
	void (*packet)(void *context, struct slice frame, uint32_t wire_length, int64_t time);
	void *context;
};

static int set_filter(pcap_t *pcap, const char *filter)
{
	struct bpf_program program;
	int result;

	if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return -1;
	result = pcap_setfilter(pcap, &program);
	pcap_freecode(&program);
	return result;
}

static int activate(pcap_t *pcap, const struct interface_setup *setup, char why[INTERFACE_WHY])
{
	char problem[PCAP_ERRBUF_SIZE] = "";
	int status;

	pcap_set_snaplen(pcap, setup->snapshot ? setup->snapshot : SNAPSHOT);
	pcap_set_buffer_size(pcap, setup->buffer ? setup->buffer : BUFFER);
	pcap_set_timeout(pcap, setup->wait ? setup->wait : WAIT);
	pcap_set_promisc(pcap, 0);
	status = pcap_activate(pcap);
	if (status < 0) {
		snprintf(why, INTERFACE_WHY, "%s: %s%s%s", setup->device, pcap_statustostr(status),
			 pcap_geterr(pcap)[0] ? ": " : "", pcap_geterr(pcap));
		return -1;
	}
	if (setup->filter && set_filter(pcap, setup->filter) < 0) {
		snprintf(why, INTERFACE_WHY, "the filter \"%.200s\": %s", setup->filter,
			 pcap_geterr(pcap));
		return -1;
	}
	if (pcap_setnonblock(pcap, 1, problem) < 0) {
		snprintf(why, INTERFACE_WHY, "%s: %s", setup->device, problem);
		return -1;
	}
	return 0;
}

struct interface *interface_open(const struct interface_setup *setup, char why[INTERFACE_WHY])
{
	char problem[PCAP_ERRBUF_SIZE] = "";
	struct interface *in = calloc(1, sizeof(*in));

	if (!in) {
		snprintf(why, INTERFACE_WHY, "out of memory");
		return NULL;
	}
	in->pcap = pcap_create(setup->device, problem);
	if (!in->pcap) {
		snprintf(why, INTERFACE_WHY, "%s: %s", setup->device, problem);
		interface_close(in);
		return NULL;
	}
	if (activate(in->pcap, setup, why) < 0) {
		interface_close(in);
		return NULL;
	}
	snprintf(in->name, sizeof(in->name), "%s", setup->device);
	in->descriptor = pcap_get_selectable_fd(in->pcap);
	return in;
}

int interface_descriptor(const struct interface *in)
{
	return in->descriptor;
}

const char *interface_name(const struct interface *in)
{
	return in->name;
}

enum link_type interface_link(const struct interface *in)
{
	return (enum link_type)pcap_datalink(in->pcap);
}

static void take(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct interface *in = (struct interface *)(void *)context;

	in->packet(in->context, slice_of(bytes, header->caplen), header->len,
		   (int64_t)header->ts.tv_sec * SECOND + header->ts.tv_usec);
}

int interface_read(struct interface *in, int most,
		   void (*packet)(void *context, struct slice frame, uint32_t wire_length,
				  int64_t time),
		   void *context)
{
	in->packet = packet;
	in->context = context;
	return pcap_dispatch(in->pcap, most, take, (u_char *)in);
}

const char *interface_why(struct interface *in)
{
	return pcap_geterr(in->pcap);
}

int interface_count(struct interface *in, struct interface_counts *counts)
{
	struct pcap_stat stat;

	if (pcap_stats(in->pcap, &stat) < 0)
		return -1;
	*counts = (struct interface_counts){stat.ps_recv, stat.ps_drop};
	return 0;
}

void interface_close(struct interface *in)
{
	if (!in)
		return;
	if (in->pcap)
		pcap_close(in->pcap);
	free(in);
}
