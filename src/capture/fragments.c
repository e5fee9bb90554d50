/* The table of datagrams that wait for pieces. */
#include "capture/fragments.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define BUCKETS       256
#define DATAGRAM_MAX  65535
#define HEADER_MAX_V4 60
#define HEADER_V6     40

struct piece {
	uint32_t from, to;  /* bytes of the datagram's payload */
	struct piece *next; /* in order of from; never overlapping */
	uint8_t bytes[];
};

struct datagram {
	struct address source, destination;
	uint32_t id;
	uint16_t vlan;
	uint8_t protocol;
	int64_t started;
	uint32_t length; /* of the payload; 0: the last piece is still missing */
	uint32_t held;
	unsigned count;
	uint8_t header[HEADER_MAX_V4];
	size_t header_length; /* 0: the first piece is still missing */
	struct piece *pieces;
	struct datagram *bucket_next, *older, *newer;
	unsigned bucket;
};

struct fragments {
	struct datagram *buckets[BUCKETS];
	struct datagram *oldest, *newest;
	size_t count, bytes;
	uint64_t dropped;
	bool overlapped; /* the piece that came last */
	uint64_t key[2];
	uint8_t whole[HEADER_MAX_V4 + DATAGRAM_MAX];
};

struct fragments *fragments_new(void)
{
	struct fragments *f = calloc(1, sizeof(*f));

	if (f)
		random_bytes(f->key, sizeof(f->key));
	return f;
}

static void drop(struct fragments *f, struct datagram *d)
{
	struct datagram **link = &f->buckets[d->bucket];

	while (*link != d)
		link = &(*link)->bucket_next;
	*link = d->bucket_next;
	if (d->older)
		d->older->newer = d->newer;
	else
		f->oldest = d->newer;
	if (d->newer)
		d->newer->older = d->older;
	else
		f->newest = d->older;
	for (struct piece *piece = d->pieces, *next; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	f->bytes -= d->held;
	f->count--;
	free(d);
}

static bool is_of(const struct datagram *d, const struct packet *p)
{
	return d->id == p->ip_id && d->protocol == p->fragment_protocol &&
	       d->vlan == (p->vlan_count ? p->vlans[0] : 0) &&
	       address_equal(&d->source, &p->source) &&
	       address_equal(&d->destination, &p->destination);
}

static struct datagram *find(struct fragments *f, const struct packet *p)
{
	uint8_t key[37];
	struct datagram *d;
	unsigned bucket;

	memcpy(key, p->source.bytes, 16);
	memcpy(key + 16, p->destination.bytes, 16);
	memcpy(key + 32, &p->ip_id, 4);
	key[36] = p->fragment_protocol;
	bucket = (unsigned)(hash_sip(f->key, slice_of(key, sizeof(key))) % BUCKETS);
	for (d = f->buckets[bucket]; d; d = d->bucket_next)
		if (is_of(d, p))
			return d;
	if (f->count >= FRAGMENTS_DATAGRAMS_MAX) {
		drop(f, f->oldest);
		f->dropped++;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->source = p->source;
	d->destination = p->destination;
	d->id = p->ip_id;
	d->protocol = p->fragment_protocol;
	d->vlan = p->vlan_count ? p->vlans[0] : 0;
	d->started = p->time;
	d->bucket = bucket;
	d->bucket_next = f->buckets[bucket];
	f->buckets[bucket] = d;
	d->older = f->newest;
	if (f->newest)
		f->newest->newer = d;
	else
		f->oldest = d;
	f->newest = d;
	f->count++;
	return d;
}

/* Puts what of [from, to) is not there yet into the list. -1: the datagram is to be given up. */
static int insert(struct fragments *f, struct datagram *d, uint32_t from, struct slice bytes,
		  bool strict)
{
	struct piece **link = &d->pieces;
	uint32_t to = from + (uint32_t)bytes.length, at = from;

	while (at < to) {
		struct piece *next, *fresh;
		uint32_t until = to;

		while (*link && (*link)->to <= at)
			link = &(*link)->next;
		next = *link;
		if (next && next->from <= at) {
			f->overlapped = true;
			/* The very same piece again is a copy on the way, not an overlap. */
			if (strict && !(next->from == from && next->to == to))
				return -1;
			at = next->to;
			continue;
		}
		if (next && next->from < until) {
			f->overlapped = true;
			if (strict)
				return -1;
			until = next->from;
		}
		if (++d->count > FRAGMENTS_PIECES_MAX)
			return -1;
		fresh = malloc(sizeof(*fresh) + until - at);
		if (!fresh)
			return -1;
		memcpy(fresh->bytes, bytes.at + (at - from), until - at);
		fresh->from = at;
		fresh->to = until;
		fresh->next = next;
		*link = fresh;
		d->held += until - at;
		f->bytes += until - at;
		at = until;
	}
	return 0;
}

static bool is_whole(const struct datagram *d)
{
	/* The pieces do not overlap: as many bytes as the length are all of them. */
	return d->length && d->header_length && d->held == d->length;
}

/* The datagram as it was before it was cut: lengths and offsets mended, no fragment header. */
static struct slice assemble(struct fragments *f, const struct datagram *d)
{
	size_t total = d->header_length + d->length;
	uint8_t *out = f->whole;

	memcpy(out, d->header, d->header_length);
	for (const struct piece *piece = d->pieces; piece; piece = piece->next)
		memcpy(out + d->header_length + piece->from, piece->bytes, piece->to - piece->from);
	if (d->source.family == 4) {
		out[2] = (uint8_t)(total >> 8);
		out[3] = (uint8_t)total;
		out[6] = out[7] = 0;
	} else {
		out[4] = (uint8_t)(d->length >> 8);
		out[5] = (uint8_t)d->length;
		out[6] = d->protocol;
	}
	return slice_of(out, total);
}

static void keep_header(struct datagram *d, const struct packet *p)
{
	size_t length = p->version == 4 ? p->network.length - p->network_payload.length : HEADER_V6;

	if (length <= sizeof(d->header)) {
		memcpy(d->header, p->network.at, length);
		d->header_length = length;
	}
}

bool fragments_add(struct fragments *f, const struct packet *p, struct slice *network)
{
	uint32_t end = p->fragment_offset + (uint32_t)p->network_payload.length;
	int64_t limit = p->time - FRAGMENTS_WAIT_SECONDS * SECOND;
	struct datagram *d;

	f->overlapped = false;
	while (f->oldest && (f->oldest->started < limit || f->bytes > FRAGMENTS_BYTES_MAX)) {
		drop(f, f->oldest);
		f->dropped++;
	}
	if (!p->network_payload.length || end > DATAGRAM_MAX - HEADER_MAX_V4)
		return false;
	d = find(f, p);
	if (!d)
		return false;
	if (!p->fragment_offset && !d->header_length)
		keep_header(d, p);
	if (!p->more_fragments && !d->length)
		d->length = end;
	if ((d->length && end > d->length) ||
	    insert(f, d, p->fragment_offset, p->network_payload, p->version == 6) < 0) {
		drop(f, d);
		f->dropped++;
		return false;
	}
	if (!is_whole(d))
		return false;
	*network = assemble(f, d);
	drop(f, d);
	return true;
}

bool fragments_overlapped(const struct fragments *f)
{
	return f->overlapped;
}

uint64_t fragments_dropped(const struct fragments *f)
{
	return f->dropped;
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	while (f->oldest)
		drop(f, f->oldest);
	free(f);
}
