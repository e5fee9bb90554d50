/* Messages between the supervisor and its children: one packet each on a SOCK_SEQPACKET pair, with
 * descriptors beside the bytes (SCM_RIGHTS, unix(7)).
 *
 * A packet is a header {type, length} and that many bytes. Whatever does not fit that form, or the
 * limits below, is refused whole; its descriptors are closed.
 */
#ifndef PROCESS_MESSAGE_H
#define PROCESS_MESSAGE_H

#include "base/bytes.h"

#define MESSAGE_PAYLOAD_MAX                                                   \
	8192 /* state changes and names; anything bigger goes in a descriptor \
	      */
#define MESSAGE_DESCRIPTORS_MAX                                          \
	32 /* far below the kernel's 253, so that one packet always fits \
	    */

enum message_type {
	MESSAGE_STARTED = 1,         /* child: set up and confined, work begins */
	MESSAGE_RELOAD,              /* supervisor: the configuration was read again */
	MESSAGE_DRAIN,               /* supervisor: take nothing new, finish, return from run */
	MESSAGE_APPLICATION = 0x100, /* from here on: the application's own */
};

struct message {
	uint32_t type;
	size_t length;
	uint8_t payload[MESSAGE_PAYLOAD_MAX];
	int descriptors[MESSAGE_DESCRIPTORS_MAX]; /* the receiver's to keep or close */
	size_t descriptor_count;
};

static inline struct slice message_payload(const struct message *message)
{
	return slice_of(message->payload, message->length);
}

enum message_result {
	MESSAGE_OK,
	MESSAGE_NONE,    /* nothing waits now (receiving), no room now (sending) */
	MESSAGE_REFUSED, /* it broke the form or a limit and was dropped; the pipe is still good */
	MESSAGE_CLOSED,  /* the other side is gone */
};

/* Makes a pair of non-blocking, close-on-exec ends; -1 with errno. */
MUST_CHECK int message_pair(int ends[2]);
/* Sends one message; the descriptors stay the caller's. Never blocks. */
MUST_CHECK enum message_result message_send(int pipe, uint32_t type, struct slice payload,
					    const int *descriptors, size_t count);
/* Receives one message; descriptors arrive close-on-exec. Never blocks. */
MUST_CHECK enum message_result message_receive(int pipe, struct message *message);
/* Closes the descriptors that came with a message and that nobody took. */
void message_close_descriptors(struct message *message);

#endif
