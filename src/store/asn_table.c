/* Making and searching the table of autonomous systems. */
#include "store/asn_table.h"

#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define MAGIC        "SUNDEWAS"
#define VERSION      1
#define FILE_MAX     (256u << 20)
#define CSV_LINE_MAX 1024

struct header {
	char magic[8];
	uint32_t version, ipv4_count, ipv6_count, name_count, text_bytes;
	uint32_t unused;
};

struct row4 {
	uint32_t first, last, name;
};

struct row6 {
	uint64_t first, last;
	uint32_t name, unused;
};

struct name {
	uint32_t number, text;
};

struct asn_table {
	void *map;
	size_t size;
	uint32_t ipv4_count, ipv6_count, name_count, text_bytes;
	const struct row6 *ipv6;
	const struct row4 *ipv4;
	const struct name *names;
	const char *texts;
};

/* --- searching --- */

/* Rows of 64 bits come first in the file, so that all are aligned. */
static bool lay_out(struct asn_table *table)
{
	const struct header *header = table->map;
	const uint8_t *at = (const uint8_t *)table->map + sizeof(*header);
	uint64_t needed;

	if (table->size < sizeof(*header) || memcmp(header->magic, MAGIC, 8) != 0 ||
	    le32toh(header->version) != VERSION)
		return false;
	table->ipv4_count = le32toh(header->ipv4_count);
	table->ipv6_count = le32toh(header->ipv6_count);
	table->name_count = le32toh(header->name_count);
	table->text_bytes = le32toh(header->text_bytes);
	needed = sizeof(*header) + (uint64_t)table->ipv4_count * sizeof(struct row4) +
		 (uint64_t)table->ipv6_count * sizeof(struct row6) +
		 (uint64_t)table->name_count * sizeof(struct name) + table->text_bytes;
	if (needed != table->size || table->text_bytes == 0)
		return false;
	table->ipv6 = (const void *)at;
	at += table->ipv6_count * sizeof(struct row6);
	table->ipv4 = (const void *)at;
	at += table->ipv4_count * sizeof(struct row4);
	table->names = (const void *)at;
	at += table->name_count * sizeof(struct name);
	table->texts = (const char *)at;
	return table->texts[table->text_bytes - 1] == '\0';
}

struct asn_table *asn_table_open(int folder_fd, const char *name)
{
	struct asn_table *table = calloc(1, sizeof(*table));
	int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (!table || fd < 0 || fstat(fd, &status) < 0 || status.st_size <= 0 ||
	    status.st_size > FILE_MAX)
		goto fail;
	table->size = (size_t)status.st_size;
	table->map = mmap(NULL, table->size, PROT_READ, MAP_SHARED, fd, 0);
	if (table->map == MAP_FAILED) {
		table->map = NULL;
		goto fail;
	}
	close(fd);
	if (lay_out(table))
		return table;
	log_warning("%s is no table of networks: run scripts/geo-fetch again", name);
	asn_table_close(table);
	return NULL;
fail:
	if (fd >= 0)
		close(fd);
	free(table);
	return NULL;
}

void asn_table_close(struct asn_table *table)
{
	if (!table)
		return;
	if (table->map)
		munmap(table->map, table->size);
	free(table);
}

static uint32_t named(const struct asn_table *table, uint32_t name, const char **text)
{
	uint32_t at;

	if (name >= table->name_count)
		return 0;
	at = le32toh(table->names[name].text);
	if (at < table->text_bytes)
		*text = table->texts + at;
	return le32toh(table->names[name].number);
}

static uint64_t upper_half(const struct address *address)
{
	uint64_t half = 0;

	for (int i = 0; i < 8; i++)
		half = half << 8 | address->bytes[i];
	return half;
}

static uint32_t find4(const struct asn_table *table, uint32_t address, const char **name)
{
	size_t low = 0, high = table->ipv4_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct row4 *row = &table->ipv4[middle];

		if (le32toh(row->last) < address)
			low = middle + 1;
		else if (le32toh(row->first) > address)
			high = middle;
		else
			return named(table, le32toh(row->name), name);
	}
	return 0;
}

static uint32_t find6(const struct asn_table *table, uint64_t address, const char **name)
{
	size_t low = 0, high = table->ipv6_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct row6 *row = &table->ipv6[middle];

		if (le64toh(row->last) < address)
			low = middle + 1;
		else if (le64toh(row->first) > address)
			high = middle;
		else
			return named(table, le32toh(row->name), name);
	}
	return 0;
}

uint32_t asn_table_find(const struct asn_table *table, const struct address *address,
			const char **name)
{
	*name = "";
	if (address->family == 4)
		return find4(table, (uint32_t)(upper_half(address) >> 32), name);
	if (address->family == 6)
		return find6(table, upper_half(address), name);
	return 0;
}

void asn_table_rest(const struct asn_table *table)
{
	(void)madvise(table->map, table->size, MADV_DONTNEED);
}

const char *asn_table_description(const struct asn_table *table)
{
	return table->texts;
}

/* --- making --- */

struct maker {
	struct writer ipv6, ipv4, names, texts;
	uint32_t *numbers; /* by slot: name + 1 */
	size_t slot_count;
	uint32_t name_count;
};

/* Next field of a CSV line, quotes taken off in place. */
static char *field(char **rest)
{
	char *start = *rest, *out, *in;

	if (*start != '"') {
		*rest = start + strcspn(start, ",\r\n");
		if (**rest)
			*(*rest)++ = '\0';
		return start;
	}
	for (in = out = ++start; *in; in++) {
		if (*in == '"' && in[1] != '"')
			break;
		if (*in == '"')
			in++;
		*out++ = *in;
	}
	*rest = *in ? in + 1 : in;
	if (**rest == ',')
		(*rest)++;
	*out = '\0';
	return start;
}

/* Systems appear again and again: open addressing by number. */
static uint32_t name_of(struct maker *maker, uint32_t number, const char *text)
{
	size_t slot = number * 2654435761u % maker->slot_count;

	while (maker->numbers[slot]) {
		const uint8_t *at = maker->names.at + (maker->numbers[slot] - 1) * 8;

		if ((at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		     (uint32_t)at[3] << 24) == number)
			return maker->numbers[slot] - 1;
		slot = (slot + 1) % maker->slot_count;
	}
	writer_u32le(&maker->names, number);
	writer_u32le(&maker->names, (uint32_t)maker->texts.length);
	writer_bytes(&maker->texts, slice_of(text, strlen(text) + 1));
	maker->numbers[slot] = ++maker->name_count;
	return maker->name_count - 1;
}

static bool make_row(struct maker *maker, char *line)
{
	const char *first_text = field(&line), *last_text = field(&line);
	const char *number_text = field(&line), *name_text = field(&line);
	struct address first, last;
	int64_t number;
	uint32_t name;

	if (address_parse(slice_text(first_text), &first) < 0 ||
	    address_parse(slice_text(last_text), &last) < 0 || first.family != last.family ||
	    slice_number(slice_text(number_text), 1, UINT32_MAX, &number) < 0 ||
	    maker->name_count >= maker->slot_count / 2)
		return false;
	name = name_of(maker, (uint32_t)number, name_text);
	if (first.family == 4) {
		writer_u32le(&maker->ipv4, (uint32_t)(upper_half(&first) >> 32));
		writer_u32le(&maker->ipv4, (uint32_t)(upper_half(&last) >> 32));
		writer_u32le(&maker->ipv4, name);
	} else {
		writer_u64le(&maker->ipv6, upper_half(&first));
		writer_u64le(&maker->ipv6, upper_half(&last));
		writer_u32le(&maker->ipv6, name);
		writer_u32le(&maker->ipv6, 0);
	}
	return true;
}

static long make_rows(struct maker *maker, FILE *csv)
{
	char line[CSV_LINE_MAX];
	long count = 0, passed_over = 0;

	while (csv && fgets(line, sizeof(line), csv)) {
		if (make_row(maker, line))
			count++;
		else
			passed_over++;
	}
	if (passed_over > 0)
		log_warning("%ld rows of the network table were passed over", passed_over);
	return count;
}

static bool put(FILE *out, struct slice bytes)
{
	return bytes.length == 0 || fwrite(bytes.at, 1, bytes.length, out) == bytes.length;
}

static bool put_all(struct maker *maker, FILE *out)
{
	uint8_t room[sizeof(struct header)];
	struct writer header = writer_fixed(room, sizeof(room));

	writer_text(&header, MAGIC);
	writer_u32le(&header, VERSION);
	writer_u32le(&header, (uint32_t)(maker->ipv4.length / sizeof(struct row4)));
	writer_u32le(&header, (uint32_t)(maker->ipv6.length / sizeof(struct row6)));
	writer_u32le(&header, maker->name_count);
	writer_u32le(&header, (uint32_t)maker->texts.length);
	writer_u32le(&header, 0);
	return put(out, writer_slice(&header)) && put(out, writer_slice(&maker->ipv6)) &&
	       put(out, writer_slice(&maker->ipv4)) && put(out, writer_slice(&maker->names)) &&
	       put(out, writer_slice(&maker->texts));
}

long asn_table_make(FILE *ipv4, FILE *ipv6, const char *description, FILE *out)
{
	struct maker maker = {
		.ipv6 = writer_growing(FILE_MAX),
		.ipv4 = writer_growing(FILE_MAX),
		.names = writer_growing(FILE_MAX),
		.texts = writer_growing(FILE_MAX),
		.slot_count = (1u << 19) - 1,
	};
	long count = -1;

	maker.numbers = calloc(maker.slot_count, sizeof(*maker.numbers));
	if (!maker.numbers)
		goto end;
	writer_bytes(&maker.texts, slice_of(description, strlen(description) + 1));
	count = make_rows(&maker, ipv4) + make_rows(&maker, ipv6);
	if (maker.ipv6.failed || maker.ipv4.failed || maker.names.failed || maker.texts.failed ||
	    !put_all(&maker, out)) {
		log_error("writing the network table failed: %m");
		count = -1;
	}
end:
	free(maker.numbers);
	writer_free(&maker.ipv6);
	writer_free(&maker.ipv4);
	writer_free(&maker.names);
	writer_free(&maker.texts);
	return count;
}
