/* tar in zstd, with a manifest; see archive.h. */
#include "exchange/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/hash.h"

#define BLOCK          512
#define BUFFER         ((size_t)128 * 1024) /* a few zstd blocks */
#define LEVEL          3                    /* zstd's own standard */
#define MANIFEST_TITLE "sundew-archive 1\n"
#define NUMBER_OCTAL   8589934592u /* 8 GiB: a size from here on does not fit 11 octal digits */

/* A tar header, all text (POSIX.1-1988, 10.1.1). */
struct header {
	char name[100], mode[8], user[8], group[8], size[12], modified[12], sum[8], type;
	char link[100], magic[6], version[2], user_name[32], group_name[32], device[16];
	char prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct archive_writer {
	int file;
	ZSTD_CCtx *zstd;
	struct writer manifest;
	char problem[256];
	uint8_t in[BUFFER], out[BUFFER];
};

struct archive_reader {
	int file;
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer input;
	bool frame_ended, is_unread;
	struct archive_member member;
	struct writer manifest;
	char problem[256];
	uint8_t in[BUFFER], out[BUFFER];
};

static int fail(char problem[256], const char *format, ...) PRINTF(2, 3);
static int fail(char problem[256], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, 256, format, arguments);
	va_end(arguments);
	return -1;
}

static size_t padding(uint64_t size)
{
	return (size_t)(-size & (BLOCK - 1));
}

static int write_all(int file, const uint8_t *at, size_t length)
{
	while (length > 0) {
		ssize_t count = write(file, at, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return -1;
		at += count;
		length -= (size_t)count;
	}
	return 0;
}

static void note(struct writer *manifest, const struct archive_member *member, struct hash *hash)
{
	uint8_t digest[SHA256_LENGTH];

	hash_finish(hash, digest);
	if (manifest->length == 0)
		writer_text(manifest, MANIFEST_TITLE);
	writer_hex(manifest, slice_of(digest, sizeof(digest)));
	writer_format(manifest, "  %llu  %s\n", (unsigned long long)member->size, member->name);
}

/* Relative, every part a plain name, printable: safe to open below a folder and to print. */
static bool name_is_sound(const char *name)
{
	struct slice rest = slice_text(name), part;

	if (rest.length == 0 || rest.length > ARCHIVE_NAME_MAX || rest.at[rest.length - 1] == '/')
		return false;
	for (size_t i = 0; i < rest.length; i++)
		if (rest.at[i] < 0x20 || rest.at[i] > 0x7e)
			return false;
	while (slice_next(&rest, '/', &part))
		if (part.length == 0 || slice_is(part, ".") || slice_is(part, ".."))
			return false;
	return true;
}

/* The sum of a header's bytes with its own field taken as spaces. */
static unsigned header_sum(const struct header *header)
{
	const uint8_t *bytes = (const uint8_t *)header;
	size_t start = offsetof(struct header, sum), end = start + sizeof(header->sum);
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= start && i < end ? ' ' : bytes[i];
	return sum;
}

/* --- writing --- */

struct archive_writer *archive_writer_new(int file)
{
	struct archive_writer *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return NULL;
	archive->file = file;
	archive->manifest = writer_growing(ARCHIVE_MANIFEST_MAX);
	archive->zstd = ZSTD_createCCtx();
	if (!archive->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_checksumFlag, 1))) {
		archive_writer_free(archive);
		return NULL;
	}
	return archive;
}

static int squeeze(struct archive_writer *archive, struct slice bytes, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = {bytes.at, bytes.length, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {archive->out, sizeof(archive->out), 0};

		left = ZSTD_compressStream2(archive->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return fail(archive->problem, "compressing: %s", ZSTD_getErrorName(left));
		if (write_all(archive->file, archive->out, out.pos) < 0)
			return fail(archive->problem, "writing the archive: %m");
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

/* Big sizes as GNU tar writes them: a first byte of 0x80, then a binary number. */
static void put_size(char field[12], uint64_t size)
{
	if (size < NUMBER_OCTAL) {
		snprintf(field, 12, "%011llo", (unsigned long long)size);
		return;
	}
	memset(field, 0, 12);
	field[0] = (char)0x80;
	for (size_t i = 12; size > 0; size >>= 8)
		field[--i] = (char)(size & 0xff);
}

static int write_header(struct archive_writer *archive, const struct archive_member *member)
{
	struct header header;
	int64_t modified = member->modified < 0 ? 0 : member->modified & 077777777777;

	if (!name_is_sound(member->name))
		return fail(archive->problem, "a file's name does not fit an archive");
	memset(&header, 0, sizeof(header));
	memcpy(header.name, member->name, strlen(member->name)); /* 100 bytes go without NUL */
	snprintf(header.mode, sizeof(header.mode), "%07o", member->mode & 07777);
	snprintf(header.user, sizeof(header.user), "%07o", 0);
	snprintf(header.group, sizeof(header.group), "%07o", 0);
	put_size(header.size, member->size);
	snprintf(header.modified, sizeof(header.modified), "%011llo", (unsigned long long)modified);
	header.type = '0';
	memcpy(header.magic, "ustar", 6);
	memcpy(header.version, "00", 2);
	snprintf(header.sum, sizeof(header.sum), "%06o", header_sum(&header));
	header.sum[7] = ' ';
	return squeeze(archive, slice_of(&header, sizeof(header)), ZSTD_e_continue);
}

static int write_padding(struct archive_writer *archive, uint64_t size)
{
	static const uint8_t zeros[BLOCK];

	return squeeze(archive, slice_of(zeros, padding(size)), ZSTD_e_continue);
}

static int copy_in(struct archive_writer *archive, const struct archive_member *member, int from,
		   struct hash *hash)
{
	for (uint64_t left = member->size; left > 0;) {
		size_t most = left < sizeof(archive->in) ? (size_t)left : sizeof(archive->in);
		ssize_t count = read(from, archive->in, most);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return fail(archive->problem, "reading %s: %m", member->name);
		if (count == 0)
			return fail(archive->problem, "%s became shorter while it was read",
				    member->name);
		hash_add(hash, slice_of(archive->in, (size_t)count));
		if (squeeze(archive, slice_of(archive->in, (size_t)count), ZSTD_e_continue) < 0)
			return -1;
		left -= (size_t)count;
	}
	return write_padding(archive, member->size);
}

int archive_add(struct archive_writer *archive, const struct archive_member *member, int from)
{
	struct hash *hash = hash_sha256();
	int result = -1;

	if (!hash)
		return fail(archive->problem, "out of memory");
	if (write_header(archive, member) == 0 && copy_in(archive, member, from, hash) == 0) {
		note(&archive->manifest, member, hash);
		result = archive->manifest.failed ? fail(archive->problem, "too many files") : 0;
	}
	hash_free(hash);
	return result;
}

int archive_finish(struct archive_writer *archive)
{
	static const uint8_t end[2 * BLOCK];
	struct archive_member manifest = {
		.name = ARCHIVE_MANIFEST, .size = archive->manifest.length, .mode = 0600};

	if (write_header(archive, &manifest) < 0 ||
	    squeeze(archive, writer_slice(&archive->manifest), ZSTD_e_continue) < 0 ||
	    write_padding(archive, manifest.size) < 0)
		return -1;
	return squeeze(archive, slice_of(end, sizeof(end)), ZSTD_e_end);
}

const char *archive_writer_problem(const struct archive_writer *archive)
{
	return archive->problem;
}

void archive_writer_free(struct archive_writer *archive)
{
	if (!archive)
		return;
	ZSTD_freeCCtx(archive->zstd);
	writer_free(&archive->manifest);
	free(archive);
}

/* --- reading --- */

struct archive_reader *archive_reader_new(int file)
{
	struct archive_reader *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return NULL;
	archive->file = file;
	archive->manifest = writer_growing(ARCHIVE_MANIFEST_MAX);
	archive->input.src = archive->in;
	archive->zstd = ZSTD_createDCtx();
	if (!archive->zstd) {
		archive_reader_free(archive);
		return NULL;
	}
	return archive;
}

/* 1 when there is input, 0 at the end of the file. */
static int fill(struct archive_reader *archive)
{
	ssize_t count;

	if (archive->input.pos < archive->input.size)
		return 1;
	do
		count = read(archive->file, archive->in, sizeof(archive->in));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return fail(archive->problem, "reading the archive: %m");
	archive->input.size = (size_t)count;
	archive->input.pos = 0;
	return count > 0;
}

/* Up to `most` bytes; fewer only at the end of the frame. -1 on damage. */
static ssize_t unsqueeze(struct archive_reader *archive, uint8_t *at, size_t most)
{
	ZSTD_outBuffer out = {at, most, 0};

	while (out.pos < most && !archive->frame_ended) {
		size_t left;
		int more = fill(archive);

		if (more < 0)
			return -1;
		if (more == 0)
			return fail(archive->problem, "it is cut off");
		left = ZSTD_decompressStream(archive->zstd, &out, &archive->input);
		if (ZSTD_isError(left))
			return fail(archive->problem, "it is damaged, or no zstd file (%s)",
				    ZSTD_getErrorName(left));
		archive->frame_ended = left == 0;
	}
	return (ssize_t)out.pos;
}

static int take(struct archive_reader *archive, uint8_t *at, size_t length)
{
	ssize_t count = unsqueeze(archive, at, length);

	if (count >= 0 && (size_t)count < length)
		return fail(archive->problem, "it is damaged: the tar inside is cut off");
	return count < 0 ? -1 : 0;
}

/* Octal digits up to a space or NUL, or GNU's binary form. */
static int read_number(const char *field, size_t length, uint64_t *number)
{
	size_t i = 0;

	*number = 0;
	if ((uint8_t)field[0] == 0x80) {
		for (i = 1; i < length; i++) {
			if (*number >> 55)
				return -1;
			*number = *number << 8 | (uint8_t)field[i];
		}
		return 0;
	}
	for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
		*number = *number << 3 | (uint64_t)(field[i] - '0');
	for (size_t k = i; k < length; k++)
		if (field[k] != ' ' && field[k] != 0)
			return -1;
	return i > 0 ? 0 : -1;
}

static int parse_header(struct archive_reader *archive, const struct header *header)
{
	struct archive_member *member = &archive->member;
	uint64_t sum, mode, modified;

	if (memcmp(header->magic, "ustar", 6) != 0 ||
	    read_number(header->sum, sizeof(header->sum), &sum) < 0 || sum != header_sum(header))
		return fail(archive->problem,
			    "it is damaged, or no tar inside: a header is broken");
	memcpy(member->name, header->name, sizeof(header->name));
	member->name[sizeof(header->name)] = 0;
	if (!name_is_sound(member->name) || header->prefix[0])
		return fail(archive->problem, "a member's name leads elsewhere or is too long");
	if (header->type != '0' || header->link[0])
		return fail(archive->problem, "the member %s is no plain file", member->name);
	if (read_number(header->size, sizeof(header->size), &member->size) < 0 ||
	    member->size > INT64_MAX - BLOCK ||
	    read_number(header->mode, sizeof(header->mode), &mode) < 0 ||
	    read_number(header->modified, sizeof(header->modified), &modified) < 0)
		return fail(archive->problem, "the header of %s is broken", member->name);
	member->mode = (uint32_t)mode & 07777;
	member->modified = (int64_t)modified;
	return 0;
}

/* The padding after the member's bytes: thrown away. */
static int skip_padding(struct archive_reader *archive)
{
	return take(archive, archive->out, padding(archive->member.size));
}

/* What must come after the manifest: two blocks of zeros, the end of the frame and of the file. */
static int read_end(struct archive_reader *archive)
{
	ssize_t more;

	if (take(archive, archive->out, 2 * (size_t)BLOCK) < 0)
		return -1;
	for (size_t i = 0; i < 2 * (size_t)BLOCK; i++)
		if (archive->out[i])
			return fail(archive->problem, "something follows the manifest");
	more = unsqueeze(archive, archive->out, 1);
	if (more < 0)
		return -1;
	return more > 0 || fill(archive) != 0 ? fail(archive->problem, "something follows its end")
					      : 0;
}

/* Line by line, to name the member that differs. */
static int compare(struct archive_reader *archive, struct slice written)
{
	struct slice seen = writer_slice(&archive->manifest), ours, theirs;

	while (slice_next(&seen, '\n', &ours)) {
		size_t name = ours.length;

		if (slice_next(&written, '\n', &theirs) && slice_equal(ours, theirs))
			continue;
		while (name > 0 && ours.at[name - 1] != ' ')
			name--;
		return fail(archive->problem, "%.*s is not as its manifest says",
			    (int)(ours.length - name), (const char *)ours.at + name);
	}
	if (written.length > 0)
		return fail(archive->problem, "its manifest names files that are not there");
	return 0;
}

static int read_manifest(struct archive_reader *archive)
{
	struct writer text = writer_growing(ARCHIVE_MANIFEST_MAX);
	uint64_t left = archive->member.size;
	int result = -1;

	if (left > ARCHIVE_MANIFEST_MAX)
		return fail(archive->problem, "its manifest is too long");
	while (left > 0) {
		size_t part = left < BUFFER ? (size_t)left : BUFFER;

		if (take(archive, archive->out, part) < 0)
			goto done;
		writer_bytes(&text, slice_of(archive->out, part));
		left -= part;
	}
	if (text.failed || archive->manifest.failed)
		fail(archive->problem, "out of memory");
	else if (skip_padding(archive) == 0 && read_end(archive) == 0)
		result = compare(archive, writer_slice(&text));
done:
	writer_free(&text);
	return result;
}

int archive_next(struct archive_reader *archive, struct archive_member *member)
{
	struct header header;

	if (archive->is_unread)
		return fail(archive->problem, "the member before was not read");
	if (take(archive, (uint8_t *)&header, sizeof(header)) < 0)
		return -1;
	if (header.name[0] == 0)
		return fail(archive->problem, "it holds no manifest: this is no backup of Sundew");
	if (parse_header(archive, &header) < 0)
		return -1;
	if (strcmp(archive->member.name, ARCHIVE_MANIFEST) == 0)
		return read_manifest(archive);
	archive->is_unread = true;
	*member = archive->member;
	return 1;
}

int archive_extract(struct archive_reader *archive, int to)
{
	struct hash *hash = hash_sha256();
	int result = -1;

	if (!hash)
		return fail(archive->problem, "out of memory");
	for (uint64_t left = archive->member.size; left > 0;) {
		size_t part = left < BUFFER ? (size_t)left : BUFFER;

		if (take(archive, archive->out, part) < 0)
			goto done;
		hash_add(hash, slice_of(archive->out, part));
		if (write_all(to, archive->out, part) < 0) {
			fail(archive->problem, "writing %s: %m", archive->member.name);
			goto done;
		}
		left -= part;
	}
	if (skip_padding(archive) < 0)
		goto done;
	note(&archive->manifest, &archive->member, hash);
	archive->is_unread = false;
	result = 0;
done:
	hash_free(hash);
	return result;
}

const char *archive_reader_problem(const struct archive_reader *archive)
{
	return archive->problem;
}

void archive_reader_free(struct archive_reader *archive)
{
	if (!archive)
		return;
	ZSTD_freeDCtx(archive->zstd);
	writer_free(&archive->manifest);
	free(archive);
}
