/* A ring in a folder of its own, and packets to put into it. */
#ifndef TESTS_UNIT_RING_FIXTURE_H
#define TESTS_UNIT_RING_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/packet_file.h"
#include "capture/packet_ring.h"
#include "capture/ring_file.h"

#define NOON   ((int64_t)1764244800 * SECOND)
#define CLIENT 0xc0000201u /* 192.0.2.1 */
#define SERVER 0xc6336402u /* 198.51.100.2 */

struct ring_fixture {
	char path[64];
	int folder;
};

static int ring_set_up(void **state)
{
	struct ring_fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	memcpy(fixture->path, "/tmp/sundew-ring-XXXXXX", 24);
	if (!mkdtemp(fixture->path))
		return -1;
	fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fixture;
	return fixture->folder < 0 ? -1 : 0;
}

static inline void ring_empty(const struct ring_fixture *fixture)
{
	DIR *folder = opendir(fixture->path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(fixture->folder, entry->d_name, 0);
	if (folder)
		closedir(folder);
}

static int ring_tear_down(void **state)
{
	struct ring_fixture *fixture = *state;

	ring_empty(fixture);
	close(fixture->folder);
	rmdir(fixture->path);
	free(fixture);
	return 0;
}

static inline struct ring_list ring_files(const struct ring_fixture *fixture)
{
	struct ring_list list;

	assert_int_equal(ring_file_list(fixture->folder, &list), 0);
	return list;
}

static inline void ring_path(const struct ring_fixture *fixture, const struct ring_file *file,
			     char path[PATH_MAX])
{
	char name[RING_NAME_MAX];

	ring_file_name(file->number, file->start, name);
	snprintf(path, PATH_MAX, "%s/%s", fixture->path, name);
}

/* --- packets, made in a writer that the caller clears --- */

static inline void put_ethernet(struct writer *w, bool six)
{
	writer_bytes(w, slice_of("\2\0\0\0\0\1\2\0\0\0\0\2", 12));
	writer_u16be(w, six ? 0x86dd : 0x0800);
}

static inline void put_ip(struct writer *w, uint8_t protocol, uint32_t from, uint32_t to,
			  uint16_t id, uint16_t piece, size_t length)
{
	writer_u16be(w, 0x4500);
	writer_u16be(w, (uint16_t)(20 + length));
	writer_u16be(w, id);
	writer_u16be(w, piece);
	writer_u8(w, 64);
	writer_u8(w, protocol);
	writer_u16be(w, 0);
	writer_u32be(w, from);
	writer_u32be(w, to);
}

static inline void put_tcp_header(struct writer *w, uint16_t from, uint16_t to)
{
	writer_u16be(w, from);
	writer_u16be(w, to);
	writer_u64be(w, 0x0000000100000002);
	writer_u16be(w, 0x5018);
	writer_u16be(w, 1000);
	writer_u32be(w, 0);
}

/* A whole TCP packet without a link header. */
static inline void put_tcp(struct writer *w, uint32_t from, uint16_t from_port, uint32_t to,
			   uint16_t to_port, const char *payload)
{
	put_ip(w, 6, from, to, 7, 0x4000, 20 + strlen(payload));
	put_tcp_header(w, from_port, to_port);
	writer_text(w, payload);
}

static inline void add_written(struct packet_ring *ring, enum link_type link, struct writer *w,
			       int64_t time)
{
	assert_false(w->failed);
	packet_ring_add(ring, link, writer_slice(w), (uint32_t)w->length, time);
	writer_clear(w);
}

#endif
