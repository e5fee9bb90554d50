/* Packing counts, and sums of them by key; see tally_pack.h. */
#include "store/tally_pack.h"

#include <stdlib.h>

/* --- packing --- */

static void put_number(struct writer *w, uint64_t number)
{
	uint8_t bytes[10];
	size_t length = 0;

	do {
		bytes[length] = (uint8_t)(number & 0x7f);
		number >>= 7;
		if (number)
			bytes[length] |= 0x80;
		length++;
	} while (number);
	writer_bytes(w, slice_of(bytes, length));
}

static inline uint64_t take_number(struct cursor *c)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (c->left == 0)
			break;
		byte = *c->at++;
		c->left--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	c->failed = true;
	return 0;
}

void tally_pack(struct tally_packer *packer, uint64_t key, int64_t count)
{
	put_number(packer->out, key - packer->last);
	put_number(packer->out, (uint64_t)count);
	packer->last = key;
}

bool tally_reader_next(struct tally_reader *reader, uint64_t *key, int64_t *count)
{
	if (reader->cursor.left == 0 || reader->cursor.failed)
		return false;
	reader->key += take_number(&reader->cursor);
	*count = (int64_t)take_number(&reader->cursor);
	*key = reader->key;
	return !reader->cursor.failed;
}

/* --- sums --- */

static int grow_pages(struct tally_sums *sums, size_t page)
{
	size_t count = sums->page_count ? sums->page_count : 64;
	struct tally_page **pages;

	while (count <= page)
		count *= 2;
	pages = calloc(count, sizeof(*pages));
	if (!pages)
		return -1;
	if (sums->page_count)
		memcpy(pages, sums->pages, sums->page_count * sizeof(*pages));
	free(sums->pages);
	sums->pages = pages;
	sums->page_count = count;
	return 0;
}

static struct tally_page *page_of(struct tally_sums *sums, uint32_t key)
{
	size_t page = key / TALLY_PAGE;

	if (page >= sums->page_count && grow_pages(sums, page) < 0)
		return NULL;
	if (!sums->pages[page])
		sums->pages[page] = calloc(1, sizeof(struct tally_page));
	return sums->pages[page];
}

static int carry(struct tally_page *page, unsigned at, uint64_t sum)
{
	if (!page->carries)
		page->carries = calloc(TALLY_PAGE, sizeof(*page->carries));
	if (!page->carries)
		return -1;
	page->carries[at] += (uint32_t)(sum >> 32);
	return 0;
}

/* Inlined into the loop that reads packed counts. */
static inline int add_sum(struct tally_sums *sums, uint32_t key, int64_t count)
{
	size_t number = key / TALLY_PAGE;
	struct tally_page *page = number < sums->page_count ? sums->pages[number] : NULL;
	uint64_t sum;

	if (!page) {
		page = page_of(sums, key);
		if (!page)
			return -1;
	}
	sum = page->counts[key % TALLY_PAGE] + (uint64_t)count;
	page->counts[key % TALLY_PAGE] = (uint32_t)sum;
	return sum >> 32 ? carry(page, key % TALLY_PAGE, sum) : 0;
}

int tally_sums_add(struct tally_sums *sums, uint32_t key, int64_t count)
{
	return add_sum(sums, key, count);
}

static inline int64_t count_at(const struct tally_page *page, unsigned at)
{
	int64_t count = page->counts[at];

	return page->carries ? count | (int64_t)page->carries[at] << 32 : count;
}

/* The first cell from `at` on with a count, or TALLY_PAGE; passes over zeros four at a time. */
static unsigned next_in_page(const struct tally_page *page, unsigned at)
{
	while (at < TALLY_PAGE) {
		uint64_t cells[2];

		if (at % 4 == 0 && !page->carries) {
			memcpy(cells, &page->counts[at], sizeof(cells));
			if (!(cells[0] | cells[1])) {
				at += 4;
				continue;
			}
		}
		if (count_at(page, at))
			return at;
		at++;
	}
	return at;
}

bool tally_sums_next(const struct tally_sums *sums, uint64_t *key, int64_t *count)
{
	size_t number = *key / TALLY_PAGE;
	unsigned at = *key % TALLY_PAGE;

	for (; number < sums->page_count; number++, at = 0) {
		const struct tally_page *page = sums->pages[number];

		if (!page)
			continue;
		at = next_in_page(page, at);
		if (at == TALLY_PAGE)
			continue;
		*key = (uint64_t)number * TALLY_PAGE + at;
		*count = count_at(page, at);
		return true;
	}
	return false;
}

int64_t tally_sums_distinct(const struct tally_sums *sums)
{
	int64_t distinct = 0;

	for (size_t i = 0; i < sums->page_count; i++) {
		const struct tally_page *page = sums->pages[i];
		uint32_t number = 0;

		for (unsigned at = 0; page && at < TALLY_PAGE; at++)
			number += page->counts[at] != 0;
		for (unsigned at = 0; page && page->carries && at < TALLY_PAGE; at++)
			number += page->counts[at] == 0 && page->carries[at];
		distinct += number;
	}
	return distinct;
}

void tally_sums_free(struct tally_sums *sums)
{
	for (size_t i = 0; i < sums->page_count; i++) {
		if (sums->pages[i])
			free(sums->pages[i]->carries);
		free(sums->pages[i]);
	}
	free(sums->pages);
	*sums = (struct tally_sums){0};
}

/* A number at *at, or false; most have one or two bytes. */
static inline bool next_number(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
	const uint8_t *p = *at;

	if (end - p >= 2 && (p[0] & p[1]) < 0x80) {
		*number = p[0] < 0x80 ? p[0] : (uint64_t)(p[0] & 0x7f) | (uint64_t)p[1] << 7;
		*at = p + 1 + (p[0] >> 7);
		return true;
	}
	struct cursor rest = cursor_of(slice_of(p, (size_t)(end - p)));

	*number = take_number(&rest);
	*at = end - rest.left;
	return !rest.failed;
}

int tally_sums_add_packed(struct tally_sums *sums, struct slice packed, uint32_t sensor)
{
	const uint8_t *at = packed.at, *end = packed.at + packed.length;
	uint64_t key = 0, step, count;

	while (at < end) {
		if (!next_number(&at, end, &step) || !next_number(&at, end, &count))
			return -1;
		key += step;
		if ((sensor == 0 || key >> 32 == sensor) &&
		    add_sum(sums, (uint32_t)key, (int64_t)count) < 0)
			return -1;
	}
	return 0;
}
