/* What a source did to the files, kept for when it comes back.
 *
 * One file a source, of records that each worker appends with a single write: a mark, the length, a
 * checksum, and in the body the operation by paths (so that a new image does not harm it). A record
 * that a killed worker left torn, or bytes that a bad disk changed, are skipped to the next sound
 * record. Each writer has a number, by which it knows its own records when it reads on. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "decoy/machine/file_system_inside.h"
#include "decoy/machine/host.h"

#define MARK 0x4c4e524au /* "JRNL" */
/* Contents in one record; larger writes become several. */
#define RECORD_BYTES_MAX ((size_t)256 * 1024)
#define RECORD_MAX       (RECORD_BYTES_MAX + 2 * MACHINE_PATH_MAX + 128)
#define FRAME            12
/* Waiting records are written when they are this much, and whenever a file is closed. */
#define WAITING_MAX ((size_t)64 * 1024)
/* False marks that are tried in a damaged journal before it is given up. */
#define RESYNC_MAX 64
/* A journal is written anew when it is this large and several times what it says. */
#define COMPACT_MIN   ((uint64_t)256 * 1024)
#define COMPACT_TIMES 3
/* The folder is measured once in so many bytes written; a journal counts as a block at least. */
#define BYTES_A_SWEEP ((uint64_t)16 * 1024 * 1024)
#define BLOCK_BYTES   4096

void journal_setup(struct file_systems *all)
{
	uint64_t keys[4] = {0x6a6f75726e616c, 1, 0x6a6f75726e616c, 2};

	if (all->host && host_persona(all->host))
		persona_derive(host_persona(all->host), "file systems", keys, sizeof(keys));
	memcpy(all->journal_key, keys, sizeof(keys));
}

static uint32_t checksum(const struct file_system *fs, struct slice body)
{
	uLong start = crc32(0, (const Bytef *)fs->all->journal_key, sizeof(fs->all->journal_key));

	return (uint32_t)crc32(start, body.at, (uInt)body.length);
}

/* --- records --- */

static void add_text(struct writer *out, const char *text)
{
	size_t length = text ? strnlen(text, MACHINE_PATH_MAX - 1) : 0;

	writer_u16le(out, (uint16_t)length);
	writer_bytes(out, slice_of(text, length));
}

void journal_encode(const struct file_system *fs, const struct journal_record *record,
		    struct writer *out)
{
	size_t start = out->length;
	struct slice body;
	struct writer frame;

	writer_u32le(out, MARK);
	writer_u64le(out, 0); /* length and checksum, below */
	writer_u32le(out, fs->journal.writer);
	writer_u8(out, (uint8_t)record->word);
	writer_u64le(out, (uint64_t)record->now);
	add_text(out, record->path);
	add_text(out, record->other);
	for (unsigned i = 0; i < ARRAY_COUNT(record->numbers); i++)
		writer_u64le(out, record->numbers[i]);
	writer_bytes(out, record->bytes);
	if (out->failed)
		return;
	body = slice_from(writer_slice(out), start + FRAME);
	frame = writer_fixed(out->at + start + 4, 8);
	writer_u32le(&frame, (uint32_t)body.length);
	writer_u32le(&frame, checksum(fs, body));
}

static bool take_text(struct cursor *c, char text[MACHINE_PATH_MAX])
{
	struct slice s = cursor_take(c, cursor_u16le(c));

	if (c->failed || s.length >= MACHINE_PATH_MAX || slice_find_byte(s, 0) != SIZE_MAX)
		return false;
	if (s.length)
		memcpy(text, s.at, s.length);
	text[s.length] = '\0';
	return true;
}

static void play_body(struct file_system *fs, struct slice body, uint32_t writer)
{
	struct cursor c = cursor_of(body);
	char path[MACHINE_PATH_MAX], other[MACHINE_PATH_MAX];
	struct journal_record record = {.path = path, .other = other};

	if (cursor_u32le(&c) == writer)
		return;
	record.word = cursor_u8(&c);
	record.now = (int64_t)cursor_u64le(&c);
	if (!take_text(&c, path) || !take_text(&c, other))
		return;
	for (unsigned i = 0; i < ARRAY_COUNT(record.numbers); i++)
		record.numbers[i] = cursor_u64le(&c);
	record.bytes = slice_of(c.at, c.left);
	if (!c.failed)
		journal_play(fs, &record);
}

/* The body of the record at the front of s; its at is NULL when there is none that is sound. */
static struct slice sound_body(const struct file_system *fs, struct slice s)
{
	struct cursor c = cursor_of(s);
	uint32_t mark = cursor_u32le(&c), length = cursor_u32le(&c), sum = cursor_u32le(&c);
	struct slice body;

	if (c.failed || mark != MARK || length > RECORD_MAX || length > c.left)
		return (struct slice){0};
	body = cursor_take(&c, length);
	return checksum(fs, body) == sum ? body : (struct slice){0};
}

size_t journal_replay(struct file_system *fs, struct slice bytes, uint32_t writer)
{
	static const uint8_t mark[4] = {MARK & 0xff, MARK >> 8 & 0xff, MARK >> 16 & 0xff,
					MARK >> 24};
	size_t at = 0, sound = 0;
	unsigned tries = 0;

	fs->replaying = true;
	while (at < bytes.length) {
		struct slice rest = slice_from(bytes, at);
		struct slice body = sound_body(fs, rest);
		size_t next;

		if (body.at) {
			play_body(fs, body, writer);
			at += FRAME + body.length;
			sound = at;
			continue;
		}
		next = slice_find(slice_from(rest, 1), slice_of(mark, sizeof(mark)));
		if (next == SIZE_MAX || ++tries > RESYNC_MAX)
			break;
		at += 1 + next;
	}
	fs->replaying = false;
	return sound;
}

/* --- the file --- */

static void name_journal(struct file_system *fs)
{
	struct slice source = slice_of(&fs->source.bytes, sizeof(fs->source.bytes));

	snprintf(fs->journal.name, sizeof(fs->journal.name), "%016llx%016llx",
		 (unsigned long long)hash_sip(fs->all->journal_key[0], source),
		 (unsigned long long)(hash_sip(fs->all->journal_key[1], source) +
				      fs->source.family));
}

static void forget_file(struct journal *journal)
{
	if (journal->file >= 0)
		close(journal->file);
	journal->file = -1;
	journal->read = journal->length = 0;
}

/* Opens the file; makes it when asked to. False: there is none. */
static bool find_file(struct file_system *fs, bool make, struct stat *status)
{
	struct journal *journal = &fs->journal;

	if (journal->file >= 0 && fstat(journal->file, status) == 0 && status->st_nlink > 0)
		return true;
	/* Somebody wrote it anew: what we have in memory is in there too, up to our last words. */
	if (journal->file >= 0)
		forget_file(journal);
	journal->file =
		openat(fs->all->folder, journal->name,
		       O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
	if (journal->file < 0 || fstat(journal->file, status) < 0 || !S_ISREG(status->st_mode)) {
		forget_file(journal);
		return false;
	}
	return true;
}

/* Reads what is beyond journal->read and plays it. */
static void read_on(struct file_system *fs, uint64_t length)
{
	struct journal *journal = &fs->journal;
	size_t capacity = RECORD_MAX + FRAME, filled = 0;
	uint64_t at = journal->read;
	uint8_t *buffer;

	if (length <= at)
		return;
	if (length - at < capacity)
		capacity = (size_t)(length - at);
	buffer = malloc(capacity);
	while (buffer && at < length) {
		ssize_t got = pread(journal->file, buffer + filled, capacity - filled,
				    (off_t)(at + filled));
		size_t used;

		if (got <= 0 && filled == 0)
			break;
		filled += got > 0 ? (size_t)got : 0;
		used = journal_replay(fs, slice_of(buffer, filled), journal->writer);
		if (used) {
			journal->read = at + used;
		} else if (filled == capacity && capacity > RECORD_MAX) {
			used = filled - RECORD_MAX; /* a whole buffer of garbage */
		} else {
			break; /* torn at the end */
		}
		memmove(buffer, buffer + used, filled - used);
		filled -= used;
		at += used;
	}
	free(buffer);
	journal->length = length;
}

struct swept {
	struct timespec time;
	uint64_t bytes;
	char name[33];
};

static int by_age(const void *a, const void *b)
{
	const struct swept *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
	return (x->time.tv_nsec > y->time.tv_nsec) - (x->time.tv_nsec < y->time.tv_nsec);
}

/* All journals of the folder, their bytes added up; NULL: there are none, or no memory. */
static struct swept *list_journals(DIR *list, int folder, size_t *count, uint64_t *total)
{
	struct swept *found = NULL;
	const struct dirent *entry;
	size_t room = 0;

	*count = 0;
	*total = 0;
	while ((entry = readdir(list)) != NULL) {
		struct stat status;

		if (strlen(entry->d_name) != 32 ||
		    fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		if (*count == room) {
			size_t more = room ? room * 2 : 64;
			struct swept *grown = realloc(found, more * sizeof(*grown));

			if (!grown)
				break;
			found = grown;
			room = more;
		}
		found[*count] =
			(struct swept){status.st_mtim, (uint64_t)status.st_blocks * 512, ""};
		memcpy(found[*count].name, entry->d_name, sizeof(found->name));
		*total += found[(*count)++].bytes;
	}
	return found;
}

/* Removes the oldest journals when all take more than they may, and some more, so that the folder
 * is not gone through again soon: many sources make many small ones. */
static void sweep(struct file_systems *all)
{
	int folder = openat(all->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
	struct swept *found;
	uint64_t total;
	size_t count;

	if (!list) {
		if (folder >= 0)
			close(folder);
		return;
	}
	found = list_journals(list, all->folder, &count, &total);
	closedir(list);
	if (found && total > MACHINE_JOURNALS_MAX) {
		qsort(found, count, sizeof(*found), by_age);
		for (size_t i = 0; i < count && total > MACHINE_JOURNALS_MAX / 8 * 7; i++)
			if (unlinkat(all->folder, found[i].name, 0) == 0)
				total -= found[i].bytes;
	}
	free(found);
}

void journal_open(struct file_system *fs, int64_t now)
{
	struct stat status;

	if (fs->all->folder < 0)
		return;
	if (!fs->journal.name[0]) {
		name_journal(fs);
		while (!fs->journal.writer)
			random_bytes(&fs->journal.writer, sizeof(fs->journal.writer));
		fs->journal.waiting = writer_growing(WAITING_MAX + 2 * RECORD_MAX);
	}
	journal_flush(fs);
	if (find_file(fs, false, &status))
		read_on(fs, (uint64_t)status.st_size);
}

struct rewrite {
	struct file_system *fs;
	struct writer out;
	int file;
	uint64_t length;
	bool failed;
};

static void write_out(struct rewrite *rewrite)
{
	struct slice left = writer_slice(&rewrite->out);

	while (left.length && !rewrite->failed) {
		ssize_t put = write(rewrite->file, left.at, left.length);

		if (put <= 0)
			rewrite->failed = true;
		else
			left = slice_from(left, (size_t)put);
	}
	rewrite->length += rewrite->out.length;
	rewrite->failed |= rewrite->out.failed;
	writer_clear(&rewrite->out);
}

static void encode_parts(const struct file_system *fs, const struct journal_record *record,
			 struct writer *out, void (*full)(void *context), void *context)
{
	struct journal_record part = *record;

	do {
		part.bytes =
			slice_first(slice_from(record->bytes, part.numbers[0] - record->numbers[0]),
				    RECORD_BYTES_MAX);
		journal_encode(fs, &part, out);
		part.numbers[0] += part.bytes.length;
		if (out->length > WAITING_MAX)
			full(context);
	} while (record->word == JOURNAL_WRITE &&
		 part.numbers[0] - record->numbers[0] < record->bytes.length);
}

static void full_rewrite(void *context)
{
	write_out(context);
}

static void rewrite_record(void *context, const struct journal_record *record)
{
	struct rewrite *rewrite = context;

	encode_parts(rewrite->fs, record, &rewrite->out, full_rewrite, rewrite);
}

/* Writes the journal anew, without what is gone by now. */
static void compact(struct file_system *fs)
{
	struct rewrite rewrite = {.fs = fs, .out = writer_growing(WAITING_MAX + 2 * RECORD_MAX)};
	char name[40];
	struct stat status;

	snprintf(name, sizeof(name), "%s.new", fs->journal.name);
	/* A worker that was killed at this point leaves one; two at a time are one too many. */
	if (fstatat(fs->all->folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		(void)unlinkat(fs->all->folder, name, 0);
	rewrite.file = openat(fs->all->folder, name,
			      O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (rewrite.file < 0) {
		writer_free(&rewrite.out);
		return;
	}
	if (journal_tell(fs, rewrite_record, &rewrite) < 0)
		rewrite.failed = true;
	write_out(&rewrite);
	writer_free(&rewrite.out);
	if (rewrite.failed ||
	    renameat(fs->all->folder, name, fs->all->folder, fs->journal.name) < 0) {
		(void)unlinkat(fs->all->folder, name, 0);
		close(rewrite.file);
		return;
	}
	forget_file(&fs->journal);
	fs->journal.file = rewrite.file;
	fs->journal.read = fs->journal.length = rewrite.length;
}

void journal_flush(struct file_system *fs)
{
	struct journal *journal = &fs->journal;
	bool made = journal->file < 0;
	struct stat status;
	ssize_t put;

	if (!journal->waiting.length)
		return;
	if (fs->all->folder < 0 || !find_file(fs, true, &status)) {
		writer_free(&journal->waiting);
		journal->waiting = writer_growing(WAITING_MAX + 2 * RECORD_MAX);
		return;
	}
	if (made && status.st_size == 0)
		fs->all->journal_bytes += BLOCK_BYTES;
	fs->all->journal_bytes += journal->waiting.length;
	if (fs->all->journal_bytes > BYTES_A_SWEEP) {
		sweep(fs->all);
		fs->all->journal_bytes = 0;
	}
	put = write(journal->file, journal->waiting.at, journal->waiting.length);
	if (put > 0) {
		/* Nobody else wrote: there is nothing to read on from. */
		if (journal->read == (uint64_t)status.st_size)
			journal->read += (uint64_t)put;
		journal->length = (uint64_t)status.st_size + (uint64_t)put;
	}
	if (journal->waiting.capacity > 4096) {
		writer_free(&journal->waiting);
		journal->waiting = writer_growing(WAITING_MAX + 2 * RECORD_MAX);
	} else {
		writer_clear(&journal->waiting);
	}
	if (journal->length > MACHINE_JOURNAL_MAX) {
		read_on(fs, journal->length);
		compact(fs);
	}
}

static void full_waiting(void *context)
{
	journal_flush(context);
}

void journal_note(struct file_system *fs, const struct journal_record *record)
{
	if (fs->replaying || fs->all->folder < 0 || !fs->users)
		return;
	encode_parts(fs, record, &fs->journal.waiting, full_waiting, fs);
	if (fs->journal.waiting.failed)
		writer_clear(&fs->journal.waiting);
}

void journal_close(struct file_system *fs)
{
	struct stat status;

	journal_flush(fs);
	if (fs->journal.file >= 0 && fs->journal.length > COMPACT_MIN &&
	    fs->journal.length > COMPACT_TIMES * (fs->layer.bytes + fs->layer.count * 256) &&
	    find_file(fs, false, &status)) {
		read_on(fs, (uint64_t)status.st_size);
		compact(fs);
	}
	forget_file(&fs->journal);
	writer_free(&fs->journal.waiting);
}
