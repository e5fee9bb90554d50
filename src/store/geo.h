/* Where an address is and who runs its network.
 *
 * Countries (and cities where the data has them) come from mmdb files, of the flat kind that
 * npm's @ip-location-db packages hold (country_code, latitude, longitude, city) or of MaxMind's
 * tree (country.iso_code, location.latitude). Networks come from a table that scripts/geo-fetch
 * makes (asn_table.h). Any of them may be absent. All are opened at the start and only read from
 * memory later, so they work in a sandbox.
 */
#ifndef STORE_GEO_H
#define STORE_GEO_H

#include "base/address.h"

struct geo;

struct place {
	char country[3];   /* ISO 3166-1, "" when unknown */
	char city[64];     /* "" when unknown */
	bool has_location; /* from city data or else the middle of the country */
	bool is_centroid;
	double latitude, longitude;
	uint32_t asn;     /* 0 when unknown */
	char as_name[96]; /* "" when unknown */
};

/* Opens what it finds in the folder: every *.mmdb (city files win over country files) and
 * asn.table. folder may be NULL or absent: then nothing is known of any address. NULL only without
 * memory. */
struct geo *geo_open(const char *folder);
void geo_close(struct geo *geo);

/* Never fails; what is not known is empty or zero. Private and reserved addresses are nowhere. */
void geo_find(const struct geo *geo, const struct address *address, struct place *place);

/* Lets go of the pages of the maps that were touched; they come back when needed. */
void geo_rest(const struct geo *geo);

/* One line for a person: what data is in use, when it was built, whose it is and under what
 * licence; or that there is none and how to get it. */
const char *geo_description(const struct geo *geo);
bool geo_has_data(const struct geo *geo);

#endif
