/* Outline of the land for maps; see world.c for its origin. */
#ifndef REPORT_WORLD_H
#define REPORT_WORLD_H

#include <stddef.h>
#include <stdint.h>

#define WORLD_END INT16_MAX /* ends a ring; points are pairs of longitude, latitude */

extern const int16_t world_rings[];
extern const size_t world_count;

#endif
