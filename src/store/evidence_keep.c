/* The evidence keeper; see evidence_keep.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/evidence_keep.h"

#define LOOK_EVERY     SECOND
#define PART_AGE       DAY /* a part this old belongs to nobody any more */
#define AFTER_REMOVAL  0.9 /* of the cap, so that not every new piece removes one */
#define NAME_MAX_BYTES 96

struct evidence_keeper {
	int folder, inbox;
	uint64_t cap, bytes;
	struct spool *spool;
	const char *sensor;
	struct ulid_source ulids;
	int64_t looked;
	bool failing; /* said so, since the last piece that could be moved */
};

struct piece {
	char name[NAME_MAX_BYTES]; /* "AB/SHA256.KIND" */
	uint64_t size;
	int64_t changed;
};

struct pieces {
	struct piece *items;
	size_t count, room;
};

/* 64 hexadecimal digits, a dot, a kind. */
static bool is_evidence_name(const char *name)
{
	struct slice s = slice_text(name);
	uint8_t digest[SHA256_LENGTH];

	return s.length > SHA256_HEX + 1 && s.length < NAME_MAX_BYTES - 4 &&
	       s.at[SHA256_HEX] == '.' &&
	       slice_unhex(slice_first(s, SHA256_HEX), digest, sizeof(digest)) == SHA256_LENGTH;
}

static DIR *open_listing(int folder, const char *name)
{
	int copy = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = copy < 0 ? NULL : fdopendir(copy);

	if (!listing && copy >= 0)
		close(copy);
	return listing;
}

static struct piece *add_piece(struct pieces *pieces)
{
	if (pieces->count == pieces->room) {
		size_t room = pieces->room ? 2 * pieces->room : 64;
		struct piece *grown = reallocarray(pieces->items, room, sizeof(*grown));

		if (!grown)
			return NULL;
		pieces->items = grown;
		pieces->room = room;
	}
	return &pieces->items[pieces->count++];
}

/* Adds the unpinned pieces of one folder; -1 when memory is out. */
static int list_folder(int folder, const char *name, struct pieces *pieces)
{
	DIR *listing = open_listing(folder, name);
	struct dirent *entry;
	int result = 0;

	while (result == 0 && listing && (entry = readdir(listing))) {
		struct stat status;
		struct piece *piece;

		if (!is_evidence_name(entry->d_name) ||
		    fstatat(dirfd(listing), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode) || status.st_mode & S_ISVTX)
			continue;
		piece = add_piece(pieces);
		if (!piece) {
			result = -1;
			break;
		}
		snprintf(piece->name, sizeof(piece->name), "%.2s/%.90s", name, entry->d_name);
		piece->size = (uint64_t)status.st_size;
		piece->changed = status.st_mtim.tv_sec * SECOND + status.st_mtim.tv_nsec / 1000;
	}
	if (listing)
		closedir(listing);
	return result;
}

/* All unpinned pieces; the keeper's sum becomes theirs. */
static int list_all(struct evidence_keeper *keeper, struct pieces *pieces)
{
	char name[3];

	for (int i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "%02x", i);
		if (list_folder(keeper->folder, name, pieces) < 0)
			return -1;
	}
	keeper->bytes = 0;
	for (size_t i = 0; i < pieces->count; i++)
		keeper->bytes += pieces->items[i].size;
	return 0;
}

struct evidence_keeper *evidence_keeper_open(int evidence_folder, uint64_t total_bytes,
					     struct spool *spool, const char *sensor)
{
	struct evidence_keeper *keeper = calloc(1, sizeof(*keeper));
	struct pieces pieces = {NULL, 0, 0};

	if (!keeper)
		return NULL;
	*keeper = (struct evidence_keeper){.folder = evidence_folder,
					   .cap = total_bytes,
					   .spool = spool,
					   .sensor = sensor,
					   .looked = INT64_MIN / 2};
	keeper->inbox = openat(evidence_folder, "inbox", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (keeper->inbox < 0 || list_all(keeper, &pieces) < 0) {
		evidence_keeper_close(keeper);
		keeper = NULL;
	}
	free(pieces.items);
	return keeper;
}

static void report_removal(struct evidence_keeper *keeper, const struct piece *piece)
{
	struct event event;
	char id[ULID_LENGTH + 1];
	int64_t now = clock_wall();

	if (!keeper->spool)
		return;
	event_clear(&event);
	ulid_next(&keeper->ulids, now, id);
	event_set_number(&event, FIELD_TIME, now);
	event_set_words(&event, FIELD_EVENT_ID, id);
	event_set_words(&event, FIELD_EVENT_ACTION, "payload.removed");
	event_set_words(&event, FIELD_EVENT_REASON, "evidence cap: the oldest goes first");
	event_set_words(&event, FIELD_OBSERVER_NAME, keeper->sensor);
	event_set_text(&event, FIELD_FILE_SHA256, slice_of(piece->name + 3, SHA256_HEX));
	event_set_number(&event, FIELD_FILE_SIZE, (int64_t)piece->size);
	event_set_words(&event, FIELD_EVIDENCE_KIND, piece->name + 3 + SHA256_HEX + 1);
	if (spool_append(keeper->spool, &event) < 0)
		log_warning("the spool took not the removal of %.64s", piece->name + 3);
}

static int by_age(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	return (left->changed > right->changed) - (left->changed < right->changed);
}

static void remove_oldest(struct evidence_keeper *keeper)
{
	uint64_t goal = (uint64_t)((double)keeper->cap * AFTER_REMOVAL);
	struct pieces pieces = {NULL, 0, 0};

	if (list_all(keeper, &pieces) == 0 && pieces.count) {
		qsort(pieces.items, pieces.count, sizeof(*pieces.items), by_age);
		for (size_t i = 0; i < pieces.count && keeper->bytes > goal; i++) {
			if (unlinkat(keeper->folder, pieces.items[i].name, 0) < 0)
				continue;
			keeper->bytes -= pieces.items[i].size;
			report_removal(keeper, &pieces.items[i]);
		}
	}
	if (keeper->spool)
		(void)spool_flush(keeper->spool);
	free(pieces.items);
}

static void complain(struct evidence_keeper *keeper, const char *name)
{
	if (!keeper->failing)
		log_warning("cannot move evidence %.64s to its place: %m; it waits in the inbox",
			    name);
	keeper->failing = true;
}

static void file_away(struct evidence_keeper *keeper, const char *name, uint64_t size)
{
	char folder[3] = {name[0], name[1], 0}, path[NAME_MAX_BYTES];

	snprintf(path, sizeof(path), "%.2s/%.90s", folder, name);
	if (faccessat(keeper->folder, path, F_OK, 0) == 0) {
		/* Seen before: the newer copy only says that it is still about. */
		unlinkat(keeper->inbox, name, 0);
		utimensat(keeper->folder, path, NULL, 0);
		return;
	}
	if (mkdirat(keeper->folder, folder, 0700) < 0 && errno != EEXIST) {
		complain(keeper, name);
		return;
	}
	if (renameat(keeper->inbox, name, keeper->folder, path) < 0) {
		complain(keeper, name);
		return;
	}
	keeper->failing = false;
	keeper->bytes += size;
}

void evidence_keeper_turn(struct evidence_keeper *keeper, int64_t now)
{
	DIR *listing;
	struct dirent *entry;
	int64_t wall = clock_wall();

	if (now < keeper->looked + LOOK_EVERY)
		return;
	if (now != INT64_MAX)
		keeper->looked = now;
	listing = open_listing(keeper->inbox, ".");
	while (listing && (entry = readdir(listing))) {
		struct stat status;

		if (fstatat(keeper->inbox, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		if (is_evidence_name(entry->d_name))
			file_away(keeper, entry->d_name, (uint64_t)status.st_size);
		else if (status.st_mtim.tv_sec * SECOND + PART_AGE < wall)
			unlinkat(keeper->inbox, entry->d_name, 0);
	}
	if (listing)
		closedir(listing);
	if (keeper->bytes > keeper->cap)
		remove_oldest(keeper);
}

uint64_t evidence_keeper_bytes(const struct evidence_keeper *keeper)
{
	return keeper->bytes;
}

void evidence_keeper_close(struct evidence_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->inbox >= 0)
		close(keeper->inbox);
	free(keeper);
}
