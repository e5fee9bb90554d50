/* Rules that only name addresses (lists of known attackers), found by a packet's two ends. */
#ifndef CAPTURE_RULES_IP_MAP_H
#define CAPTURE_RULES_IP_MAP_H

#include "capture/rules/rule.h"

struct ip_map;

struct ip_map *ip_map_new(void);
int ip_map_add(struct ip_map *map, const struct rule *rule);
/* Call once after the last ip_map_add. */
int ip_map_ready(struct ip_map *map);
/* Calls `found` with the index of every rule that one of its address sets may hold for. */
void ip_map_find(const struct ip_map *map, const struct address *source,
		 const struct address *destination, void (*found)(void *context, uint32_t rule),
		 void *context);
void ip_map_free(struct ip_map *map);

#endif
