/* Cutting a conversation out of the packet ring: all of it, nothing else, in order. */
#include "ring_fixture.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "capture/packet_ring_cut.h"

#define CLIENT_PORT 40000
#define SERVER_PORT 80
#define OTHER       0xcb007107u /* 203.0.113.7, a router */

static const struct packet_ring_limits roomy = {.total_bytes = 64 << 20, .segment_bytes = 8 << 20};

struct scene {
	const struct ring_fixture *fixture;
	struct packet_ring *ring;
	struct writer w;
	struct packet_cut cut;
	struct packet_cut_counts counts;
	/* What came out: the last bytes of each packet, and its time. */
	enum link_type link;
	char tails[128][5];
	int64_t times[128];
	uint32_t lengths[128], wire_lengths[128];
	size_t count;
	uint8_t room[4096];
};

static void start(struct scene *scene, void **state, const struct packet_ring_limits *limits)
{
	memset(scene, 0, sizeof(*scene));
	scene->fixture = *state;
	scene->ring = packet_ring_open(scene->fixture->folder, limits);
	assert_non_null(scene->ring);
	scene->w = writer_fixed(scene->room, sizeof(scene->room));
	scene->cut = (struct packet_cut){.client = {address_v4(CLIENT), CLIENT_PORT},
					 .server = {address_v4(SERVER), SERVER_PORT},
					 .protocol = 6,
					 .from = NOON,
					 .until = NOON + MINUTE};
}

static void add(struct scene *scene, enum link_type link, int64_t time)
{
	add_written(scene->ring, link, &scene->w, time);
}

/* Payloads end in four letters that name the packet. */
static void add_tcp(struct scene *scene, bool to_server, const char *name, int64_t time)
{
	if (to_server)
		put_tcp(&scene->w, CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, name);
	else
		put_tcp(&scene->w, SERVER, SERVER_PORT, CLIENT, CLIENT_PORT, name);
	add(scene, LINK_RAW, time);
}

static void read_out(struct scene *scene, int out)
{
	char path[64], why[PACKET_FILE_WHY];
	struct packet_file *file;
	struct slice frame;
	int got;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	file = packet_file_open(path, why);
	assert_non_null(file);
	/* libpcap has a number of its own for raw IP. */
	scene->link = packet_file_link(file);
	if (scene->link == LINK_RAW_BSD)
		scene->link = LINK_RAW;
	while ((got = packet_file_next(file, &frame, &scene->wire_lengths[scene->count],
				       &scene->times[scene->count])) == 1) {
		assert_true(scene->count + 1 < ARRAY_COUNT(scene->tails));
		assert_true(frame.length >= 4);
		memcpy(scene->tails[scene->count], frame.at + frame.length - 4, 4);
		scene->tails[scene->count][4] = '\0';
		scene->lengths[scene->count++] = (uint32_t)frame.length;
	}
	assert_int_equal(got, 0);
	packet_file_close(file);
}

/* Cuts, and joins the names of what came out. */
static const char *cut(struct scene *scene)
{
	static char names[1024];
	char why[PACKET_CUT_WHY];
	int out = memfd_create("out", MFD_CLOEXEC);
	struct stat about;

	assert_true(out >= 0);
	if (scene->ring)
		assert_int_equal(packet_ring_flush(scene->ring), 0);
	if (packet_ring_cut(scene->fixture->folder, &scene->cut, out, &scene->counts, why) < 0)
		fail_msg("%s", why);
	scene->count = 0;
	assert_int_equal(fstat(out, &about), 0);
	if (about.st_size)
		read_out(scene, out);
	close(out);
	assert_int_equal(scene->counts.packets, scene->count);
	names[0] = '\0';
	for (size_t i = 0; i < scene->count; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, "%s%s", i ? " " : "",
			 scene->tails[i]);
		assert_true(i == 0 || scene->times[i] >= scene->times[i - 1]);
	}
	return names;
}

static void finish(struct scene *scene)
{
	packet_ring_close(scene->ring);
}

static void test_both_directions_and_nothing_else(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	add_tcp(&scene, true, "one1", NOON);
	add_tcp(&scene, false, "two2", NOON + 1);
	put_tcp(&scene.w, CLIENT, CLIENT_PORT + 1, SERVER, SERVER_PORT, "port");
	add(&scene, LINK_RAW, NOON + 2);
	put_tcp(&scene.w, CLIENT, CLIENT_PORT, SERVER, SERVER_PORT + 1, "port");
	add(&scene, LINK_RAW, NOON + 2);
	put_tcp(&scene.w, CLIENT, SERVER_PORT, SERVER, CLIENT_PORT, "swap");
	add(&scene, LINK_RAW, NOON + 2);
	put_tcp(&scene.w, OTHER, CLIENT_PORT, SERVER, SERVER_PORT, "addr");
	add(&scene, LINK_RAW, NOON + 2);
	put_ip(&scene.w, 17, CLIENT, SERVER, 1, 0, 12);
	writer_u16be(&scene.w, CLIENT_PORT);
	writer_u16be(&scene.w, SERVER_PORT);
	writer_u32be(&scene.w, 12 << 16);
	writer_text(&scene.w, "udp!");
	add(&scene, LINK_RAW, NOON + 2);
	add_tcp(&scene, true, "thre", NOON + 3);
	assert_string_equal(cut(&scene), "one1 two2 thre");
	assert_int_equal(scene.link, LINK_RAW);
	assert_int_equal(scene.counts.looked_at, 8);
	assert_int_equal(scene.counts.first, NOON);
	assert_int_equal(scene.counts.last, NOON + 3);
	assert_int_equal(scene.counts.since, NOON);
	assert_int_equal(scene.times[2], NOON + 3);
	scene.cut.protocol = 17;
	assert_string_equal(cut(&scene), "udp!");
	scene.cut.protocol = 0;
	assert_string_equal(cut(&scene), "one1 two2 port port swap udp! thre");
	/* Only the port of the decoy is known. */
	scene.cut.protocol = 6;
	scene.cut.server.address.family = 0;
	assert_string_equal(cut(&scene), "one1 two2 thre");
	finish(&scene);
}

static void test_time(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	add_tcp(&scene, true, "befo", NOON - 1);
	add_tcp(&scene, true, "edge", NOON);
	add_tcp(&scene, true, "last", NOON + MINUTE);
	add_tcp(&scene, true, "late", NOON + MINUTE + 1);
	assert_string_equal(cut(&scene), "edge last");
	scene.cut.margin = 1;
	assert_string_equal(cut(&scene), "befo edge last late");
	scene.cut.from = INT64_MIN;
	scene.cut.until = INT64_MAX;
	assert_string_equal(cut(&scene), "befo edge last late");
	finish(&scene);
}

/* Late packets, of several files. */
static void test_order(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 1 << 20, .segment_bytes = 200};
	struct scene scene;

	start(&scene, state, &small);
	add_tcp(&scene, true, "e--4", NOON + 4 * SECOND);
	add_tcp(&scene, true, "a--0", NOON);
	add_tcp(&scene, true, "b--1", NOON + SECOND);
	add_tcp(&scene, true, "f--5", NOON + 5 * SECOND);
	add_tcp(&scene, true, "c--2", NOON + 2 * SECOND);
	add_tcp(&scene, false, "d--2", NOON + 2 * SECOND);
	assert_string_equal(cut(&scene), "a--0 b--1 c--2 d--2 e--4 f--5");
	assert_true(scene.counts.read >= 3);
	finish(&scene);
}

static void test_files_of_other_times_are_not_read(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 1 << 20, .segment_bytes = 200};
	struct scene scene;

	start(&scene, state, &small);
	for (int i = 0; i < 60; i++)
		add_tcp(&scene, true, i == 30 ? "this" : "else", NOON + i * MINUTE);
	scene.cut.from = scene.cut.until = NOON + 30 * MINUTE;
	assert_string_equal(cut(&scene), "this");
	assert_true(scene.counts.read <= 3);
	assert_int_equal(scene.counts.read + scene.counts.skipped,
			 packet_ring_counts(scene.ring).files);
	/* Before and after all. */
	scene.cut.from = scene.cut.until = NOON - HOUR;
	assert_string_equal(cut(&scene), "");
	assert_int_equal(scene.counts.read, 0);
	assert_int_equal(scene.counts.since, NOON);
	scene.cut.from = scene.cut.until = NOON + 2 * HOUR;
	assert_string_equal(cut(&scene), "");
	assert_int_equal(scene.counts.read, 1); /* the one that is being written */
	finish(&scene);
}

/* Packets that came as late as they may, at the edges of their files. */
static void test_late_at_the_edges(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 1 << 20, .segment_bytes = 168};
	struct scene scene;

	start(&scene, state, &small); /* two packets a file */
	add_tcp(&scene, true, "base", NOON);
	add_tcp(&scene, true, "high", NOON + HOUR);
	add_tcp(&scene, true, "late", NOON + HOUR - RING_DISORDER);
	add_tcp(&scene, true, "next", NOON + HOUR);
	add_tcp(&scene, true, "then", NOON + 2 * HOUR);
	add_tcp(&scene, true, "back", NOON + 2 * HOUR - RING_DISORDER);
	assert_int_equal(packet_ring_flush(scene.ring), 0);
	assert_int_equal(packet_ring_counts(scene.ring).files, 3);
	/* Later than the next file's name allows for. */
	scene.cut.from = scene.cut.until = NOON + HOUR;
	assert_string_equal(cut(&scene), "high next");
	/* Earlier than the name of its own. */
	scene.cut.from = scene.cut.until = NOON + 2 * HOUR - RING_DISORDER;
	assert_string_equal(cut(&scene), "back");
	finish(&scene);
}

/* More files than may stay open, and their packets in another order. */
static void test_many_files(void **state)
{
	const struct packet_ring_limits one_each = {.total_bytes = 1 << 20, .segment_bytes = 1};
	struct scene scene;
	struct rlimit before, few;
	char why[PACKET_CUT_WHY];
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	start(&scene, state, &one_each);
	for (int i = 0; i < 600; i++)
		add_tcp(&scene, true, "some", NOON + (i % 2 ? i : 600 - i));
	assert_int_equal(packet_ring_flush(scene.ring), 0);
	assert_int_equal(packet_ring_counts(scene.ring).files, 600);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){300, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	if (packet_ring_cut(scene.fixture->folder, &scene.cut, out, &scene.counts, why) < 0)
		fail_msg("%s", why);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(scene.counts.packets, 600);
	assert_int_equal(scene.counts.left_out, 0);
	close(out);
	finish(&scene);
}

/* Names do not lie when the clock stepped back: what is hidden behind an earlier start is found. */
static void test_clock_stepped_back(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	add_tcp(&scene, true, "fore", NOON);
	add_tcp(&scene, true, "far1", NOON + HOUR);
	add_tcp(&scene, true, "back", NOON + 30 * MINUTE);
	add_tcp(&scene, true, "far2", NOON + HOUR + 1);
	scene.cut.from = NOON + 59 * MINUTE;
	scene.cut.until = NOON + 61 * MINUTE;
	assert_string_equal(cut(&scene), "far1 far2");
	finish(&scene);
}

/* --- fragments --- */

static void add_fragment(struct scene *scene, bool to_server, uint16_t id, bool first,
			 const char *name, int64_t time)
{
	put_ip(&scene->w, 6, to_server ? CLIENT : SERVER, to_server ? SERVER : CLIENT, id,
	       first ? 0x2000 : 3, first ? 24 : 8);
	if (first)
		put_tcp_header(&scene->w, to_server ? CLIENT_PORT : SERVER_PORT,
			       to_server ? SERVER_PORT : CLIENT_PORT);
	else
		writer_text(&scene->w, "more");
	writer_text(&scene->w, name);
	add(scene, LINK_RAW, time);
}

static void test_fragments(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	add_fragment(&scene, true, 5, false, "pre5", NOON); /* the later one came first */
	add_fragment(&scene, true, 5, true, "fst5", NOON + 1);
	add_fragment(&scene, true, 5, false, "lat5", NOON + 2);
	add_fragment(&scene, true, 6, false, "no-6", NOON + 3);  /* whose is it? */
	add_fragment(&scene, false, 5, false, "no-d", NOON + 4); /* the other direction's 5 */
	/* As long as an identification is believed, and a microsecond longer. */
	add_fragment(&scene, true, 5, false, "wait", NOON + 1 + MINUTE);
	add_fragment(&scene, true, 5, false, "no-t", NOON + 2 + MINUTE);
	/* A first fragment of another connection. */
	put_ip(&scene.w, 6, CLIENT, SERVER, 6, 0x2000, 24);
	put_tcp_header(&scene.w, CLIENT_PORT + 1, SERVER_PORT);
	writer_text(&scene.w, "oth6");
	add(&scene, LINK_RAW, NOON + 5);
	scene.cut.until = NOON + HOUR;
	assert_string_equal(cut(&scene), "pre5 fst5 lat5 wait");
	finish(&scene);
}

static void put_ip6(struct writer *w, uint8_t next, uint8_t from, uint8_t to, size_t length)
{
	writer_u32be(w, 0x60000000);
	writer_u16be(w, (uint16_t)length);
	writer_u8(w, next);
	writer_u8(w, 64);
	for (unsigned end = 0; end < 2; end++) {
		writer_u32be(w, 0x20010db8);
		writer_u64be(w, 0);
		writer_u32be(w, end ? to : from);
	}
}

static void test_ip6(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	assert_int_equal(address_parse(SLICE("2001:db8::1"), &scene.cut.client.address), 0);
	assert_int_equal(address_parse(SLICE("2001:db8::2"), &scene.cut.server.address), 0);
	scene.cut.protocol = 17;
	for (uint16_t port = SERVER_PORT; port < SERVER_PORT + 2; port++) {
		put_ip6(&scene.w, 17, 1, 2, 12);
		writer_u16be(&scene.w, CLIENT_PORT);
		writer_u16be(&scene.w, port);
		writer_u32be(&scene.w, 12 << 16);
		writer_text(&scene.w, port == SERVER_PORT ? "six6" : "port");
		add(&scene, LINK_RAW, NOON);
	}
	/* Fragments: next header, reserved, offset with flag, identification. */
	for (unsigned later = 0; later < 2; later++) {
		put_ip6(&scene.w, 44, 2, 1, 24);
		writer_u16be(&scene.w, 17 << 8);
		writer_u16be(&scene.w, later ? 16 : 1);
		writer_u32be(&scene.w, 0x12345678);
		writer_u16be(&scene.w, later ? 0x6161 : SERVER_PORT);
		writer_u16be(&scene.w, later ? 0x6161 : CLIENT_PORT);
		writer_u32be(&scene.w, 24 << 16);
		writer_text(&scene.w, later ? "aaaalate" : "aaaafrst");
		add(&scene, LINK_RAW, NOON + 1 + later);
	}
	/* An error that quotes the first packet's beginning. */
	put_ip6(&scene.w, 58, 9, 1, 8 + 48);
	writer_u16be(&scene.w, 1 << 8 | 4);
	writer_u16be(&scene.w, 0);
	writer_u32be(&scene.w, 0);
	put_ip6(&scene.w, 17, 1, 2, 1000);
	writer_u16be(&scene.w, CLIENT_PORT);
	writer_u16be(&scene.w, SERVER_PORT);
	writer_text(&scene.w, "quot");
	add(&scene, LINK_RAW, NOON + 5);
	assert_string_equal(cut(&scene), "six6 frst late quot");
	finish(&scene);
}

static void add_error(struct scene *scene, uint8_t type, uint16_t port, const char *name)
{
	put_ip(&scene->w, 1, OTHER, CLIENT, 1, 0, 8 + 28);
	writer_u16be(&scene->w, (uint16_t)(type << 8 | 1));
	writer_u16be(&scene->w, 0);
	writer_u32be(&scene->w, 0);
	/* The header says a thousand bytes; eight of them are quoted. */
	put_ip(&scene->w, 6, CLIENT, SERVER, 7, 0x4000, 1000);
	writer_u16be(&scene->w, CLIENT_PORT);
	writer_u16be(&scene->w, port);
	writer_text(&scene->w, name);
	add(scene, LINK_RAW, NOON + 1);
}

static void test_icmp(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	add_tcp(&scene, true, "one1", NOON);
	add_error(&scene, 3, SERVER_PORT, "unre");
	add_error(&scene, 11, SERVER_PORT, "time");
	add_error(&scene, 3, SERVER_PORT + 1, "port");
	add_error(&scene, 8, SERVER_PORT, "ping"); /* an echo quotes nothing */
	assert_string_equal(cut(&scene), "one1 unre time");
	/* A ping is a conversation too. */
	scene.cut.protocol = 1;
	scene.cut.server = (struct endpoint){address_v4(OTHER), 0};
	assert_string_equal(cut(&scene), "unre time port ping");
	finish(&scene);
}

static void test_tunnel(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	put_ip(&scene.w, 4, OTHER, OTHER + 1, 1, 0, 44); /* IP in IP */
	put_tcp(&scene.w, CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, "insi");
	add(&scene, LINK_RAW, NOON);
	assert_string_equal(cut(&scene), "insi");
	finish(&scene);
}

/* --- link types --- */

static void test_link_headers(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	put_ethernet(&scene.w, false);
	put_tcp(&scene.w, CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, "ethe");
	writer_text(&scene.w, "pad"); /* what Ethernet adds to short packets */
	add(&scene, LINK_ETHERNET, NOON);
	cut(&scene);
	assert_int_equal(scene.link, LINK_ETHERNET);
	assert_int_equal(scene.lengths[0], 14 + 44 + 3);
	assert_false(scene.counts.several_links);
	/* With a second kind all are taken off. */
	add_tcp(&scene, false, "raw!", NOON + 1);
	put_ethernet(&scene.w, false);
	put_tcp(&scene.w, CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, "more than was kept");
	packet_ring_add(scene.ring, LINK_ETHERNET, slice_first(writer_slice(&scene.w), 60),
			(uint32_t)scene.w.length, NOON + 2);
	writer_clear(&scene.w);
	assert_string_equal(cut(&scene), "ethe raw! re t");
	assert_true(scene.counts.several_links);
	assert_int_equal(scene.link, LINK_RAW);
	assert_int_equal(scene.lengths[0], 44);
	assert_int_equal(scene.wire_lengths[0], 44);
	assert_int_equal(scene.lengths[2], 46);
	assert_int_equal(scene.wire_lengths[2], 40 + 18);
	finish(&scene);
}

/* --- limits and damage --- */

static void test_most_packets(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	for (int i = 0; i < 10; i++)
		add_tcp(&scene, true, "some", NOON + i);
	for (size_t most = 9; most <= 11; most++) {
		scene.cut.packets = most;
		cut(&scene);
		assert_int_equal(scene.counts.packets, most < 10 ? most : 10);
		assert_int_equal(scene.counts.left_out, most < 10 ? 10 - most : 0);
	}
	finish(&scene);
}

static void damage(const struct scene *scene, size_t file, off_t at, const char *bytes)
{
	struct ring_list list = ring_files(scene->fixture);
	char path[PATH_MAX];
	int opened;

	assert_true(file < list.count);
	ring_path(scene->fixture, &list.items[file], path);
	free(list.items);
	opened = open(path, O_WRONLY);
	assert_true(opened >= 0);
	assert_int_equal(pwrite(opened, bytes, 4, at), 4);
	close(opened);
}

static void test_broken_files(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 1 << 20, .segment_bytes = 240};
	const off_t record = RING_RECORD_BYTES + 44;
	struct scene scene;

	start(&scene, state, &small);
	add_tcp(&scene, true, "a--1", NOON);
	add_tcp(&scene, true, "a--2", NOON + 1);
	add_tcp(&scene, true, "a--3", NOON + 2);
	add_tcp(&scene, true, "b--1", NOON + 3);
	add_tcp(&scene, true, "b--2", NOON + 4);
	add_tcp(&scene, true, "b--3", NOON + 5);
	add_tcp(&scene, true, "c--1", NOON + 6);
	assert_string_equal(cut(&scene), "a--1 a--2 a--3 b--1 b--2 b--3 c--1");
	assert_int_equal(scene.counts.read, 3);
	assert_int_equal(scene.counts.broken, 0);
	/* The length of the first file's third record; the second's header. */
	damage(&scene, 0, RING_HEADER_BYTES + 2 * record + 8, "\xff\xff\xff\x7f");
	assert_string_equal(cut(&scene), "a--1 a--2 b--1 b--2 b--3 c--1");
	assert_int_equal(scene.counts.broken, 1);
	damage(&scene, 1, 0, "junk");
	assert_string_equal(cut(&scene), "a--1 a--2 c--1");
	assert_int_equal(scene.counts.broken, 2);
	/* A record that says it is longer than its file. */
	damage(&scene, 0, RING_HEADER_BYTES + record + 8, "\x00\x10\x00\x00");
	damage(&scene, 0, RING_HEADER_BYTES + record + 12, "\x00\x10\x00\x00");
	assert_string_equal(cut(&scene), "a--1 c--1");
	/* In the newest file a torn record is one that is being written. */
	damage(&scene, 2, RING_HEADER_BYTES + 8, "\x00\x10\x00\x00");
	damage(&scene, 2, RING_HEADER_BYTES + 12, "\x00\x10\x00\x00");
	assert_string_equal(cut(&scene), "a--1");
	assert_int_equal(scene.counts.broken, 2);
	finish(&scene);
}

/* Whatever the files hold: a cut ends well, and so does the next start of the ring. */
static void test_damage_of_any_kind(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 1 << 20, .segment_bytes = 2000};
	uint32_t dice = 4711, used = 0;

	for (unsigned round = 0; round < 300; round++) {
		struct scene scene;
		struct ring_list list;

		start(&scene, state, &small);
		for (int i = 0; i < 60; i++)
			add_tcp(&scene, i & 1, "some", NOON + i);
		packet_ring_close(scene.ring);
		scene.ring = NULL;
		list = ring_files(scene.fixture);
		for (unsigned k = 0; k <= round % 8; k++) {
			uint8_t junk[4];

			for (size_t i = 0; i < sizeof(junk); i++) {
				dice = dice * 1664525 + 1013904223;
				junk[i] = (uint8_t)(dice >> 24);
			}
			dice = dice * 1664525 + 1013904223;
			damage(&scene, (dice >> 8) % list.count,
			       (off_t)((dice >> 16) % (list.items[0].bytes - 4)), (char *)junk);
		}
		free(list.items);
		cut(&scene);
		assert_true(scene.count <= 60);
		used += scene.counts.packets > 0;
		scene.ring = packet_ring_open(scene.fixture->folder, &small);
		assert_non_null(scene.ring);
		add_tcp(&scene, true, "next", NOON + SECOND);
		assert_non_null(strstr(cut(&scene), "next"));
		finish(&scene);
		ring_empty(scene.fixture);
	}
	assert_true(used > 200);
}

/* Another process cuts while packets come in and the oldest files go. */
static void test_while_it_is_written(void **state)
{
	const struct packet_ring_limits small = {.total_bytes = 200000, .segment_bytes = 20000};
	struct scene scene;
	int ready[2], status;
	char byte;
	pid_t child;

	start(&scene, state, &small);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 60000; i++) {
			add_tcp(&scene, i & 1, "some", NOON + i);
			if (i % 100 == 0)
				(void)packet_ring_flush(scene.ring);
			if (i == 10000 && write(ready[1], "", 1) != 1)
				_exit(1);
		}
		_exit(packet_ring_counts(scene.ring).dropped != 0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	do {
		char why[PACKET_CUT_WHY];
		int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (packet_ring_cut(scene.fixture->folder, &scene.cut, out, &scene.counts, why) < 0)
			fail_msg("%s", why);
		close(out);
		assert_true(scene.counts.packets > 100);
		assert_int_equal(scene.counts.broken, 0);
	} while (waitpid(child, &status, WNOHANG) == 0);
	assert_int_equal(status, 0);
	finish(&scene);
}

static void test_nothing_there(void **state)
{
	struct scene scene;

	start(&scene, state, &roomy);
	assert_string_equal(cut(&scene), "");
	assert_int_equal(scene.counts.since, 0);
	finish(&scene);
}

static void test_output_refused(void **state)
{
	struct scene scene;
	char why[PACKET_CUT_WHY];
	int out = open("/dev/full", O_WRONLY | O_CLOEXEC);

	start(&scene, state, &roomy);
	add_tcp(&scene, true, "one1", NOON);
	assert_int_equal(packet_ring_flush(scene.ring), 0);
	assert_int_equal(
		packet_ring_cut(scene.fixture->folder, &scene.cut, out, &scene.counts, why), -1);
	assert_non_null(strstr(why, "No space left"));
	close(out);
	finish(&scene);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)
	const struct CMUnitTest tests[] = {
		RING_TEST(test_both_directions_and_nothing_else),
		RING_TEST(test_time),
		RING_TEST(test_order),
		RING_TEST(test_files_of_other_times_are_not_read),
		RING_TEST(test_many_files),
		RING_TEST(test_late_at_the_edges),
		RING_TEST(test_clock_stepped_back),
		RING_TEST(test_fragments),
		RING_TEST(test_ip6),
		RING_TEST(test_icmp),
		RING_TEST(test_tunnel),
		RING_TEST(test_link_headers),
		RING_TEST(test_most_packets),
		RING_TEST(test_broken_files),
		RING_TEST(test_damage_of_any_kind),
		RING_TEST(test_while_it_is_written),
		RING_TEST(test_nothing_there),
		RING_TEST(test_output_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
