/* Look-ups in mmdb files (libmaxminddb) and the table of networks. */
#include "store/geo.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <maxminddb.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/asn_table.h"
#include "store/country.h"

#define FILES_MAX 8

struct geo_file {
	MMDB_s mmdb;
	char name[128];
	bool is_city;
	bool is_ipv4_only;
};

struct geo {
	struct geo_file files[FILES_MAX]; /* city files first */
	size_t count;
	struct asn_table *networks;
	char description[1024];
};

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length > tail && strcmp(name + length - tail, end) == 0;
}

/* mmdb_open wants a path; the folder's descriptor makes it independent of changes to the path. */
static void add_file(struct geo *geo, const char *folder, const char *name)
{
	struct geo_file *file = &geo->files[geo->count];
	struct writer path;
	char room[4096] = {0};
	int status;

	if (geo->count == FILES_MAX)
		return;
	path = writer_fixed(room, sizeof(room) - 1);
	writer_format(&path, "%s/%s", folder, name);
	if (path.failed)
		return;
	status = MMDB_open(room, MMDB_MODE_MMAP, &file->mmdb);
	if (status != MMDB_SUCCESS) {
		log_warning("%s cannot be used: %s; run scripts/geo-fetch again", room,
			    MMDB_strerror(status));
		return;
	}
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->is_city = strstr(name, "city") || strstr(name, "City");
	file->is_ipv4_only = file->mmdb.metadata.ip_version == 4;
	geo->count++;
}

static int city_first(const void *left, const void *right)
{
	const struct geo_file *a = left, *b = right;

	if (a->is_city != b->is_city)
		return a->is_city ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void describe(struct geo *geo)
{
	struct writer out = writer_fixed(geo->description, sizeof(geo->description) - 1);

	if (geo->count == 0 && !geo->networks)
		writer_text(&out, "no GeoIP data (scripts/geo-fetch gets them)");
	for (size_t i = 0; i < geo->count; i++) {
		const MMDB_metadata_s *metadata = &geo->files[i].mmdb.metadata;
		struct civil_time built = clock_civil((int64_t)metadata->build_epoch * SECOND);

		writer_format(&out, "%s%s built %04d-%02d-%02d", i ? "; " : "", geo->files[i].name,
			      built.year, built.month, built.day);
		if (strstr(geo->files[i].name, "dbip"))
			writer_text(&out,
				    " (IP Geolocation by DB-IP, https://db-ip.com, CC BY 4.0)");
		else if (strstr(geo->files[i].name, "geo-whois-asn"))
			writer_text(&out, " (geo-whois-asn-country, CC0)");
	}
	if (geo->networks)
		writer_format(&out, "%s%s", geo->count ? "; " : "",
			      asn_table_description(geo->networks));
}

struct geo *geo_open(const char *folder)
{
	struct geo *geo = calloc(1, sizeof(*geo));
	DIR *directory = geo && folder ? opendir(folder) : NULL;
	const struct dirent *entry;

	if (!geo)
		return NULL;
	if (directory) {
		while ((entry = readdir(directory)))
			if (ends_with(entry->d_name, ".mmdb"))
				add_file(geo, folder, entry->d_name);
		geo->networks = asn_table_open(dirfd(directory), "asn.table");
		closedir(directory);
	}
	/* A MMDB_s holds pointers into its own maps only, so moving it is safe. */
	qsort(geo->files, geo->count, sizeof(geo->files[0]), city_first);
	describe(geo);
	return geo;
}

void geo_close(struct geo *geo)
{
	if (!geo)
		return;
	for (size_t i = 0; i < geo->count; i++)
		MMDB_close(&geo->files[i].mmdb);
	asn_table_close(geo->networks);
	free(geo);
}

/* Text at one of two paths: the flat schema's key, or MaxMind's tree. */
static void take_text(MMDB_entry_s *entry, const char *const *flat, const char *const *tree,
		      char *out, size_t size)
{
	MMDB_entry_data_s data;
	size_t length;

	if ((MMDB_aget_value(entry, &data, flat) != MMDB_SUCCESS || !data.has_data ||
	     data.type != MMDB_DATA_TYPE_UTF8_STRING) &&
	    (MMDB_aget_value(entry, &data, tree) != MMDB_SUCCESS || !data.has_data ||
	     data.type != MMDB_DATA_TYPE_UTF8_STRING))
		return;
	length = data.data_size < size - 1 ? data.data_size : size - 1;
	memcpy(out, data.utf8_string, length);
	out[length] = '\0';
}

static bool take_real(MMDB_entry_s *entry, const char *const *flat, const char *const *tree,
		      double *out)
{
	MMDB_entry_data_s data;

	if ((MMDB_aget_value(entry, &data, flat) != MMDB_SUCCESS || !data.has_data) &&
	    (MMDB_aget_value(entry, &data, tree) != MMDB_SUCCESS || !data.has_data))
		return false;
	if (data.type == MMDB_DATA_TYPE_DOUBLE)
		*out = data.double_value;
	else if (data.type == MMDB_DATA_TYPE_FLOAT)
		*out = (double)data.float_value;
	else
		return false;
	return true;
}

static void take_entry(MMDB_entry_s *entry, struct place *place)
{
	static const char *const country[] = {"country_code", NULL};
	static const char *const country_tree[] = {"country", "iso_code", NULL};
	static const char *const city[] = {"city", NULL};
	static const char *const city_tree[] = {"city", "names", "en", NULL};
	static const char *const latitude[] = {"latitude", NULL};
	static const char *const latitude_tree[] = {"location", "latitude", NULL};
	static const char *const longitude[] = {"longitude", NULL};
	static const char *const longitude_tree[] = {"location", "longitude", NULL};
	double north, east;

	if (!place->country[0])
		take_text(entry, country, country_tree, place->country, sizeof(place->country));
	if (!place->city[0])
		take_text(entry, city, city_tree, place->city, sizeof(place->city));
	if (!place->has_location && take_real(entry, latitude, latitude_tree, &north) &&
	    take_real(entry, longitude, longitude_tree, &east) && fabs(north) <= 90 &&
	    fabs(east) <= 180) {
		place->has_location = true;
		place->latitude = north;
		place->longitude = east;
	}
}

void geo_find(const struct geo *geo, const struct address *address, struct place *place)
{
	struct endpoint endpoint = {.address = *address};
	struct sockaddr_storage socket_address;
	const struct country *country;
	const char *name = "";

	memset(place, 0, sizeof(*place));
	endpoint_to_socket(&endpoint, &socket_address);
	for (size_t i = 0; i < geo->count; i++) {
		MMDB_lookup_result_s found;
		int status;

		if (address->family == 0 || (geo->files[i].is_ipv4_only && address->family != 4))
			continue;
		found = MMDB_lookup_sockaddr(&geo->files[i].mmdb,
					     (const struct sockaddr *)&socket_address, &status);
		if (status == MMDB_SUCCESS && found.found_entry)
			take_entry(&found.entry, place);
	}
	if (geo->networks) {
		place->asn = asn_table_find(geo->networks, address, &name);
		snprintf(place->as_name, sizeof(place->as_name), "%s", name);
	}
	country = country_find(slice_text(place->country));
	if (country && !place->has_location) {
		place->has_location = place->is_centroid = true;
		place->latitude = (double)country->latitude;
		place->longitude = (double)country->longitude;
	}
}

void geo_rest(const struct geo *geo)
{
	for (size_t i = 0; i < geo->count; i++) {
		const MMDB_s *mmdb = &geo->files[i].mmdb;

		(void)madvise((void *)(uintptr_t)mmdb->file_content, (size_t)mmdb->file_size,
			      MADV_DONTNEED);
	}
	if (geo->networks)
		asn_table_rest(geo->networks);
}

const char *geo_description(const struct geo *geo)
{
	return geo->description;
}

bool geo_has_data(const struct geo *geo)
{
	return geo->count > 0 || geo->networks;
}
