/* Which addresses and ports are steered; see any_port.h and process/steer.h. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/any_port.h"

#define LOOK_EVERY (5 * SECOND) /* at the tables of sockets */

static bool is_any(const struct address *address)
{
	static const uint8_t nothing[16];

	return memcmp(address->bytes, nothing, 16) == 0;
}

static bool is_loopback(const struct address *address)
{
	static const uint8_t one[16] = {[15] = 1};

	return address->family == 4 ? address->bytes[0] == 127
				    : memcmp(address->bytes, one, 16) == 0;
}

struct steered {
	struct address addresses[STEER_ADDRESSES];
	size_t count;
	bool everywhere, loopback;
};

static void read_addresses(const struct decoy_settings *settings, struct steered *steered)
{
	for (size_t i = 0; i < settings->addresses.count; i++) {
		struct address *address = &steered->addresses[steered->count];

		if (steered->count == STEER_ADDRESSES ||
		    address_parse(slice_text(settings->addresses.items[i]), address) < 0)
			continue; /* the first is said when it is attached, the second before */
		if (is_any(address)) {
			steered->everywhere = true;
		} else {
			steered->loopback |= is_loopback(address);
			steered->count++;
		}
	}
}

static void list_left(const struct installation *host, struct steer_ports *leave)
{
	const struct config_ports *ports = &host->settings.decoy.leave_ports;
	struct steered steered = {.count = 0};

	memset(leave, 0, sizeof(*leave));
	read_addresses(&host->settings.decoy, &steered);
	for (size_t i = 0; i < ports->count; i++) {
		steer_ports_add(leave, false, ports->ranges[i].first, ports->ranges[i].last);
		steer_ports_add(leave, true, ports->ranges[i].first, ports->ranges[i].last);
	}
	if (steer_ports_add_used(leave, steered.loopback) < 0)
		log_warning("cannot read which ports the host uses: %m");
}

static enum steer_socket kind_of(const struct open_socket *socket)
{
	bool v6 = socket->endpoint.address.family != 4;

	if (socket->transport == UDP)
		return v6 ? STEER_UDP6 : STEER_UDP4;
	return v6 ? STEER_TCP6 : STEER_TCP4;
}

int any_port_open(struct installation *host)
{
	struct steered steered = {.count = 0};
	struct steer_setup setup = {.way = (enum steer_way)host->settings.decoy.any_port_by,
				    .sockets = {-1, -1, -1, -1}};
	char why[STEER_WHY];

	if (!host->settings.decoy.any_port)
		return 0;
	read_addresses(&host->settings.decoy, &steered);
	setup.addresses = steered.addresses;
	setup.address_count = steered.count;
	setup.everywhere = steered.everywhere;
	for (size_t i = 0; i < host->sockets.count; i++) {
		const struct open_socket *socket = &host->sockets.items[i];

		if (socket->any_port && socket->worker == 0)
			setup.sockets[kind_of(socket)] = socket->descriptor;
	}
	list_left(host, &host->left_alone);
	host->steer = steer_open(&setup, &host->left_alone, why);
	if (!host->steer) {
		log_error("any-port cannot be had: %s; take it out of the configuration, or start "
			  "as root",
			  why);
		return -1;
	}
	log_info("any port: all on which no other program listens lead to the decoys (%s)",
		 steer_name(host->steer));
	return 0;
}

void any_port_watch(struct installation *host, int64_t now)
{
	struct steer_ports *leave;

	if (!host->steer || now < host->any_port_at)
		return;
	host->any_port_at = now + LOOK_EVERY;
	leave = malloc(sizeof(*leave));
	if (!leave)
		return;
	list_left(host, leave);
	if (memcmp(leave, &host->left_alone, sizeof(*leave)) != 0) {
		if (steer_leave(host->steer, leave) < 0)
			log_error("cannot change the ports that are left to the host: %m");
		else
			host->left_alone = *leave;
	}
	free(leave);
}

void any_port_close(struct installation *host)
{
	steer_close(host->steer);
	host->steer = NULL;
}
