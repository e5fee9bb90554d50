/* Column mappings; see mapping.h. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "exchange/mapping.h"

static const struct {
	const char *name, *pairs;
} known[] = {
	/* The 'marx-geo' teaching data: AWS honeypots of 2013. */
	{"marx", "datetime=@timestamp,host=observer.name,proto=network.transport,spt=source.port,"
		 "dpt=destination.port,srcstr=source.ip,cc=source.geo.country_iso_code,"
		 "latitude=source.geo.location.lat,longitude=source.geo.location.lon"},
};

const char *mapping_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].pairs;
	}
	return NULL;
}

static int find_column(const struct slice *header, int columns, struct slice name)
{
	for (int i = 0; i < columns; i++) {
		if (slice_equal(slice_trim(header[i]), name))
			return i;
	}
	return -1;
}

int mapping_read(struct mapping *mapping, const char *pairs, const struct slice *header,
		 int columns, struct writer *why)
{
	struct slice rest = slice_text(pairs), pair;

	mapping->columns = columns;
	for (int i = 0; i < columns; i++)
		mapping->fields[i] = FIELD_COUNT;
	while (slice_next(&rest, ',', &pair)) {
		struct slice field = pair, column = pair;
		enum event_field target;
		int at;

		(void)slice_next(&field, '=', &column);
		target = event_field_named(slice_trim(field));
		at = find_column(header, columns, slice_trim(column));
		if (target == FIELD_COUNT || at < 0) {
			writer_text(why,
				    at < 0 ? "the file has no column '" : "there is no field '");
			writer_printable(why, at < 0 ? column : field);
			writer_text(why, at < 0 ? "'" : "': docs/EVENTS.md lists them");
			return -1;
		}
		mapping->fields[at] = target;
	}
	return 0;
}

static struct slice lower(struct slice text, struct arena *arena)
{
	char *copy = arena_text(arena, text);

	for (size_t i = 0; copy && i < text.length; i++) {
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] | 0x20);
	}
	return copy ? slice_of(copy, text.length) : text;
}

static int set_real(struct event *event, enum event_field field, struct slice cell)
{
	char text[64], *end;
	double real;

	if (cell.length >= sizeof(text))
		return -1;
	memcpy(text, cell.at, cell.length);
	text[cell.length] = 0;
	real = strtod(text, &end);
	if (*end || end == text || !isfinite(real))
		return -1;
	event_set_real(event, field, real);
	return 0;
}

static int set_field(struct event *event, enum event_field field, struct slice cell,
		     struct arena *arena)
{
	struct address address;
	int64_t number;

	switch (event_fields[field].type) {
	case FIELD_TYPE_TIME:
		if (clock_parse(cell, &number) < 0)
			return -1;
		event_set_number(event, field, number);
		return 0;
	case FIELD_TYPE_NUMBER:
		if (slice_number(cell, INT64_MIN, INT64_MAX, &number) < 0)
			return -1;
		event_set_number(event, field, number);
		return 0;
	case FIELD_TYPE_REAL:
		return set_real(event, field, cell);
	case FIELD_TYPE_ADDRESS:
		if (address_parse(cell, &address) < 0)
			return -1;
		event_set_address(event, field, &address);
		return 0;
	case FIELD_TYPE_TEXT:
		event_set_text(event, field,
			       field == FIELD_NETWORK_TRANSPORT ? lower(cell, arena) : cell);
		return 0;
	default:
		return -1;
	}
}

int mapping_apply(const struct mapping *mapping, const struct slice *cells, int count,
		  struct event *event, struct arena *arena, struct writer *why)
{
	event_clear(event);
	if (count != mapping->columns) {
		writer_format(why, "%d columns where the header has %d", count, mapping->columns);
		return -1;
	}
	event_set_words(event, FIELD_EVENT_ACTION, mapping->action);
	for (int i = 0; i < count; i++) {
		struct slice cell = slice_trim(cells[i]);

		if (mapping->fields[i] == FIELD_COUNT)
			continue;
		/* A country that the table leaves open stays open: ours would be today's. */
		if (cell.length == 0) {
			if (mapping->fields[i] == FIELD_SOURCE_COUNTRY)
				event_set_words(event, FIELD_SOURCE_COUNTRY, "");
			continue;
		}
		if (set_field(event, mapping->fields[i], cell, arena) < 0) {
			writer_text(why, "'");
			writer_printable(why, slice_first(cell, 60));
			writer_format(why, "' is no value for %s",
				      event_fields[mapping->fields[i]].path);
			return -1;
		}
	}
	if (!event_has(event, FIELD_TIME)) {
		writer_text(why, "no time");
		return -1;
	}
	return 0;
}

void mapping_id(struct slice row, uint64_t number, int64_t time, char id[ULID_LENGTH + 1])
{
	struct hash *hash = hash_sha256();
	uint8_t digest[SHA256_LENGTH] = {0}, bytes[16];
	int64_t milliseconds = time < 0 ? 0 : time / MILLISECOND;

	if (hash) {
		hash_add(hash, slice_of(&number, sizeof(number)));
		hash_add(hash, row);
		hash_finish(hash, digest);
		hash_free(hash);
	}
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
	memcpy(bytes + 6, digest, 10);
	ulid_text(bytes, id);
}
