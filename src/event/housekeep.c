/* Housekeeping of a spool: read segments are compressed, the oldest of them removed. A segment is
 * complete under one of its two names at any moment: the compressed form gets its name only after
 * it is on the disk, and the plain form goes after that. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "base/log.h"
#include "event/segment.h"
#include "event/spool.h"

#define ZSTD_LEVEL  3
#define CHUNK_BYTES (64 * 1024)
#define UNFINISHED  "compressing.tmp" /* one at a time; left over, it is overwritten */

struct packing {
	int from, to;
	ZSTD_CStream *zstd;
	uint8_t *in, *out;
};

static int write_all(int file, const uint8_t *at, size_t length)
{
	while (length) {
		ssize_t written = write(file, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

static int pack_chunk(struct packing *packing, size_t length, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer input = {packing->in, length, 0};
	size_t left;

	do {
		ZSTD_outBuffer output = {packing->out, CHUNK_BYTES, 0};

		left = ZSTD_compressStream2(packing->zstd, &output, &input, directive);
		if (ZSTD_isError(left)) {
			errno = EIO;
			return -1;
		}
		if (write_all(packing->to, packing->out, output.pos) < 0)
			return -1;
	} while (directive == ZSTD_e_end ? left > 0 : input.pos < input.size);
	return 0;
}

static int pack(struct packing *packing)
{
	struct stat about;

	if (fstat(packing->from, &about) < 0)
		return -1;
	ZSTD_CCtx_setParameter(packing->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(packing->zstd, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setPledgedSrcSize(packing->zstd, (unsigned long long)about.st_size);
	for (;;) {
		ssize_t got = read(packing->from, packing->in, CHUNK_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		if (pack_chunk(packing, (size_t)got, ZSTD_e_continue) < 0)
			return -1;
	}
	if (pack_chunk(packing, 0, ZSTD_e_end) < 0)
		return -1;
	return fsync(packing->to);
}

static int compress_segment(int folder, uint64_t number)
{
	struct packing packing = {-1, -1, ZSTD_createCStream(), malloc(CHUNK_BYTES),
				  malloc(CHUNK_BYTES)};
	char plain[SEGMENT_NAME_MAX], compressed[SEGMENT_NAME_MAX];
	int result = -1, problem;

	segment_name(number, false, plain);
	segment_name(number, true, compressed);
	errno = ENOMEM;
	if (!packing.zstd || !packing.in || !packing.out)
		goto done;
	packing.from = openat(folder, plain, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (packing.from < 0)
		goto done;
	packing.to = openat(folder, UNFINISHED,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (packing.to < 0)
		goto done;
	if (pack(&packing) < 0 || renameat(folder, UNFINISHED, folder, compressed) < 0) {
		problem = errno;
		unlinkat(folder, UNFINISHED, 0);
		errno = problem;
		goto done;
	}
	(void)fsync(folder);
	result = unlinkat(folder, plain, 0);
done:
	problem = errno;
	if (packing.to >= 0)
		close(packing.to);
	if (packing.from >= 0)
		close(packing.from);
	free(packing.out);
	free(packing.in);
	ZSTD_freeCStream(packing.zstd);
	errno = problem;
	if (result < 0)
		log_warning("cannot compress spool segment %s: %s; it stays as it is", plain,
			    strerror(problem));
	return result;
}

static int remove_form(int folder, uint64_t number, bool compressed)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(number, compressed, name);
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	log_warning("cannot remove spool segment %s: %s", name, strerror(errno));
	return -1;
}

static int remove_segment(int folder, const struct segment *segment)
{
	int result = 0;

	if (segment->plain && remove_form(folder, segment->number, false) < 0)
		result = -1;
	if (segment->compressed && remove_form(folder, segment->number, true) < 0)
		result = -1;
	return result;
}

/* Brings one segment into its compressed form. 1 when something changed, 0, or -1. */
static int settle(int folder, const struct segment *segment)
{
	if (!segment->plain)
		return 0;
	/* Both forms: a crash came between the rename and the removal. */
	if (segment->compressed)
		return remove_form(folder, segment->number, false) < 0 ? -1 : 1;
	return compress_segment(folder, segment->number) < 0 ? -1 : 1;
}

/* Removes the oldest read segments beyond keep_bytes. Counts them in *changed. */
static int trim(int folder, struct spool_position read, uint64_t keep_bytes, int *changed)
{
	struct segment_list list;
	uint64_t kept = 0;
	int result = 0;

	if (segment_list(folder, &list) < 0)
		return -1;
	/* From the newest down: what no longer fits goes, and all that is older with it. */
	for (size_t i = list.count; i > 0; i--) {
		const struct segment *segment = &list.items[i - 1];

		if (segment->number >= read.segment)
			continue;
		kept += segment->plain_bytes + segment->compressed_bytes;
		if (kept <= keep_bytes)
			continue;
		if (remove_segment(folder, segment) < 0)
			result = -1;
		else
			(*changed)++;
	}
	free(list.items);
	return result;
}

int spool_housekeep(int folder_fd, struct spool_position read, uint64_t keep_bytes)
{
	struct segment_list list;
	int changed = 0, result = 0;

	if (segment_list(folder_fd, &list) < 0)
		return -1;
	for (size_t i = 0; keep_bytes && i < list.count; i++) {
		int settled;

		if (list.items[i].number >= read.segment)
			break;
		settled = settle(folder_fd, &list.items[i]);
		if (settled < 0)
			result = -1;
		else
			changed += settled;
	}
	free(list.items);
	if (trim(folder_fd, read, keep_bytes, &changed) < 0)
		result = -1;
	return result < 0 ? -1 : changed;
}
