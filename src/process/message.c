/* Messages over a socket pair. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/message.h"

struct header {
	uint32_t type;
	uint32_t length;
};

/* Room for the descriptors, aligned as the CMSG macros want it. */
union control {
	struct cmsghdr header;
	uint8_t bytes[CMSG_SPACE(MESSAGE_DESCRIPTORS_MAX * sizeof(int))];
};

int message_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

enum message_result message_send(int pipe, uint32_t type, struct slice payload,
				 const int *descriptors, size_t count)
{
	struct header header = {type, (uint32_t)payload.length};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)payload.at, payload.length}};
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = ARRAY_COUNT(parts)};
	union control control = {0};

	if (payload.length > MESSAGE_PAYLOAD_MAX || count > MESSAGE_DESCRIPTORS_MAX)
		return MESSAGE_REFUSED;
	if (count > 0) {
		struct cmsghdr *rights;

		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
		rights = CMSG_FIRSTHDR(&packet);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), descriptors, count * sizeof(int));
	}
	while (sendmsg(pipe, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		switch (errno) {
		case EINTR:
			continue;
		case EAGAIN:
		case ENOBUFS:
		case ETOOMANYREFS: /* descriptors in flight that the other side has not taken yet */
			return MESSAGE_NONE;
		case EPIPE:
		case ECONNRESET:
			return MESSAGE_CLOSED;
		default:
			return MESSAGE_REFUSED;
		}
	}
	return MESSAGE_OK;
}

void message_close_descriptors(struct message *message)
{
	while (message->descriptor_count > 0)
		close(message->descriptors[--message->descriptor_count]);
}

/* The control buffer holds no more descriptors than the message does, so all of them fit. */
static void take_descriptors(struct message *message, struct msghdr *packet)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c; c = CMSG_NXTHDR(packet, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int descriptor;

			memcpy(&descriptor, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (message->descriptor_count < MESSAGE_DESCRIPTORS_MAX)
				message->descriptors[message->descriptor_count++] = descriptor;
			else
				close(descriptor);
		}
	}
}

enum message_result message_receive(int pipe, struct message *message)
{
	struct header header = {0};
	struct iovec parts[] = {{&header, sizeof(header)},
				{message->payload, sizeof(message->payload)}};
	union control control;
	struct msghdr packet = {.msg_iov = parts,
				.msg_iovlen = ARRAY_COUNT(parts),
				.msg_control = control.bytes,
				.msg_controllen = sizeof(control.bytes)};
	ssize_t received;

	message->type = 0;
	message->length = 0;
	message->descriptor_count = 0;
	do
		received = recvmsg(pipe, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return errno == EAGAIN ? MESSAGE_NONE : MESSAGE_CLOSED;

	take_descriptors(message, &packet);
	/* An empty packet looks like the end of the pipe. We send none; who does is not ours. */
	if (received == 0) {
		message_close_descriptors(message);
		return MESSAGE_CLOSED;
	}
	if ((size_t)received < sizeof(header) || packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    header.length != (size_t)received - sizeof(header)) {
		message_close_descriptors(message);
		return MESSAGE_REFUSED;
	}
	message->type = header.type;
	message->length = header.length;
	return MESSAGE_OK;
}
