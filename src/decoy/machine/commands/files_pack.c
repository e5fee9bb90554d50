/* Packing and unpacking as a stream: gzip, bzip2, xz. The libraries' memory is the process's, so
 * that it goes with it, and counts. */
#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>

#include "decoy/machine/commands/files.h"

#define PACK_BUFFER 8192
/* What xz may take to unpack: -6 needs 9 MiB, more than a log-in has; -3 and below work. */
#define XZ_MEMORY_MAX ((uint64_t)5 * 1024 * 1024)

static void *zlib_take(void *process, uInt count, uInt size)
{
	return process_take(process, (size_t)count * size);
}

static void zlib_give(void *process, void *at)
{
	process_give(process, at);
}

static void *bzip_take(void *process, int count, int size)
{
	return process_take(process, (size_t)count * (size_t)size);
}

static void *lzma_take(void *process, size_t count, size_t size)
{
	return process_take(process, count * size);
}

/* --- out of a packed stream --- */

struct unpacker {
	struct process *process;
	int descriptor;
	enum files_packing packing;
	bool ended, started, begun;
	uint64_t taken;
	z_stream zlib;
	bz_stream bzip;
	lzma_stream lzma;
	lzma_allocator allocator;
	uint8_t *in;
	size_t in_at, in_length;
};

enum files_packing files_packing_of(struct slice start)
{
	if (start.length >= 2 && start.at[0] == 0x1f && start.at[1] == 0x8b)
		return PACK_GZIP;
	if (start.length >= 3 && !memcmp(start.at, "BZh", 3))
		return PACK_BZIP2;
	if (start.length >= 6 && !memcmp(start.at,
					 "\xfd"
					 "7zXZ\0",
					 6))
		return PACK_XZ;
	return PACK_NONE;
}

static int start_unpacking(struct unpacker *unpacker)
{
	switch (unpacker->packing) {
	case PACK_GZIP:
		unpacker->zlib = (z_stream){
			.zalloc = zlib_take, .zfree = zlib_give, .opaque = unpacker->process};
		return inflateInit2(&unpacker->zlib, 16 + 15) == Z_OK ? 0 : -ENOMEM;
	case PACK_BZIP2:
		unpacker->bzip = (bz_stream){
			.bzalloc = bzip_take, .bzfree = zlib_give, .opaque = unpacker->process};
		return BZ2_bzDecompressInit(&unpacker->bzip, 0, 1) == BZ_OK ? 0 : -ENOMEM;
	case PACK_XZ:
		unpacker->allocator = (lzma_allocator){lzma_take, zlib_give, unpacker->process};
		unpacker->lzma = (lzma_stream)LZMA_STREAM_INIT;
		unpacker->lzma.allocator = &unpacker->allocator;
		return lzma_stream_decoder(&unpacker->lzma, XZ_MEMORY_MAX, LZMA_CONCATENATED) ==
				       LZMA_OK
			       ? 0
			       : -ENOMEM;
	case PACK_NONE:
		break;
	}
	return 0;
}

struct unpacker *unpacker_open(struct process *process, int descriptor, enum files_packing packing)
{
	struct unpacker *unpacker = process_take(process, sizeof(*unpacker));

	unpacker->process = process;
	unpacker->descriptor = descriptor;
	unpacker->packing = packing;
	unpacker->in = process_take(process, PACK_BUFFER);
	unpacker->started = start_unpacking(unpacker) == 0;
	return unpacker;
}

uint64_t unpacker_taken(const struct unpacker *unpacker)
{
	return unpacker->taken;
}

static ssize_t refill(struct unpacker *unpacker)
{
	ssize_t got;

	if (unpacker->in_at < unpacker->in_length)
		return 1;
	got = process_read(unpacker->process, unpacker->descriptor, unpacker->in, PACK_BUFFER);
	process_step(unpacker->process);
	if (got > 0) {
		unpacker->in_at = 0;
		unpacker->in_length = (size_t)got;
		unpacker->taken += (uint64_t)got;
	}
	return got;
}

/* One call of the library: 0 goes on, 1 at the end of a member, -errno. */
static int turn(struct unpacker *unpacker, uint8_t *out, size_t size, size_t *made)
{
	uint8_t *in = unpacker->in + unpacker->in_at;
	size_t length = unpacker->in_length - unpacker->in_at;
	int result;

	if (unpacker->packing == PACK_GZIP) {
		z_stream *z = &unpacker->zlib;

		z->next_in = in;
		z->avail_in = (uInt)length;
		z->next_out = out;
		z->avail_out = (uInt)size;
		result = inflate(z, Z_NO_FLUSH);
		unpacker->in_at += length - z->avail_in;
		*made = size - z->avail_out;
		return result == Z_STREAM_END                    ? 1
		       : result == Z_OK || result == Z_BUF_ERROR ? 0
								 : -EINVAL;
	}
	if (unpacker->packing == PACK_BZIP2) {
		bz_stream *b = &unpacker->bzip;

		b->next_in = (char *)in;
		b->avail_in = (unsigned)length;
		b->next_out = (char *)out;
		b->avail_out = (unsigned)size;
		result = BZ2_bzDecompress(b);
		unpacker->in_at += length - b->avail_in;
		*made = size - b->avail_out;
		return result == BZ_STREAM_END ? 1 : result == BZ_OK ? 0 : -EINVAL;
	}
	unpacker->lzma.next_in = in;
	unpacker->lzma.avail_in = length;
	unpacker->lzma.next_out = out;
	unpacker->lzma.avail_out = size;
	result = (int)lzma_code(&unpacker->lzma, length ? LZMA_RUN : LZMA_FINISH);
	unpacker->in_at += length - unpacker->lzma.avail_in;
	*made = size - unpacker->lzma.avail_out;
	return result == LZMA_STREAM_END                       ? 1
	       : result == LZMA_OK || result == LZMA_BUF_ERROR ? 0
	       : result == LZMA_MEMLIMIT_ERROR                 ? -ENOMEM
							       : -EINVAL;
}

/* Members one after the other are one stream. */
static bool next_member(struct unpacker *unpacker)
{
	if (unpacker->packing == PACK_XZ || refill(unpacker) <= 0)
		return false;
	if (unpacker->packing == PACK_GZIP)
		return unpacker->in[unpacker->in_at] == 0x1f &&
		       inflateReset(&unpacker->zlib) == Z_OK;
	if (unpacker->in[unpacker->in_at] != 'B')
		return false;
	BZ2_bzDecompressEnd(&unpacker->bzip);
	return start_unpacking(unpacker) == 0;
}

ssize_t unpacker_read(struct unpacker *unpacker, void *at, size_t size)
{
	if (unpacker->packing == PACK_NONE) {
		ssize_t got = process_read(unpacker->process, unpacker->descriptor, at, size);

		if (got > 0)
			unpacker->taken += (uint64_t)got;
		return got;
	}
	if (!unpacker->started)
		return -ENOMEM;
	while (!unpacker->ended) {
		size_t made = 0;
		ssize_t got = refill(unpacker);
		int result;

		if (got < 0)
			return got;
		if (got == 0)
			unpacker->in_at = unpacker->in_length = 0;
		if (got > 0 && !unpacker->begun &&
		    files_packing_of(slice_of(unpacker->in, unpacker->in_length)) !=
			    unpacker->packing)
			return -EILSEQ;
		unpacker->begun = true;
		result = turn(unpacker, at, size, &made);
		if (result < 0)
			return result;
		if (result == 1 && !next_member(unpacker))
			unpacker->ended = true;
		if (made)
			return (ssize_t)made;
		if (got == 0 && !unpacker->ended)
			return -ENODATA;
	}
	return 0;
}

void unpacker_close(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	if (unpacker->started && unpacker->packing == PACK_GZIP)
		inflateEnd(&unpacker->zlib);
	else if (unpacker->started && unpacker->packing == PACK_BZIP2)
		BZ2_bzDecompressEnd(&unpacker->bzip);
	else if (unpacker->packing == PACK_XZ)
		lzma_end(&unpacker->lzma);
	process_give(unpacker->process, unpacker->in);
	process_give(unpacker->process, unpacker);
}

/* --- into one --- */

struct packer {
	struct process *process;
	int descriptor, error;
	enum files_packing packing;
	z_stream zlib;
	bz_stream bzip;
	lzma_stream lzma;
	lzma_allocator allocator;
	gz_header header;
	uint8_t *out;
	uint64_t put;
	char name[MACHINE_NAME_MAX + 1];
};

struct packer *packer_open(struct process *process, int descriptor, enum files_packing packing,
			   int level, const char *name, int64_t modified)
{
	struct packer *packer = process_take(process, sizeof(*packer));

	packer->process = process;
	packer->descriptor = descriptor;
	packer->packing = packing;
	packer->out = process_take(process, PACK_BUFFER);
	switch (packing) {
	case PACK_GZIP:
		packer->zlib =
			(z_stream){.zalloc = zlib_take, .zfree = zlib_give, .opaque = process};
		if (deflateInit2(&packer->zlib, level, Z_DEFLATED, 16 + 15, 8,
				 Z_DEFAULT_STRATEGY) != Z_OK)
			packer->error = -ENOMEM;
		if (name)
			memcpy(packer->name, name, strnlen(name, MACHINE_NAME_MAX));
		packer->header = (gz_header){.time = (uLong)(modified / SECOND),
					     .os = 3,
					     .name = name ? (Bytef *)packer->name : NULL};
		if (!packer->error)
			deflateSetHeader(&packer->zlib, &packer->header);
		break;
	case PACK_BZIP2:
		packer->bzip =
			(bz_stream){.bzalloc = bzip_take, .bzfree = zlib_give, .opaque = process};
		/* A block of 900 kB, as bzip2 takes, would need more memory than a log-in has. */
		if (BZ2_bzCompressInit(&packer->bzip, 3, 0, 0) != BZ_OK)
			packer->error = -ENOMEM;
		break;
	case PACK_XZ:
		packer->allocator = (lzma_allocator){lzma_take, zlib_give, process};
		packer->lzma = (lzma_stream)LZMA_STREAM_INIT;
		packer->lzma.allocator = &packer->allocator;
		if (lzma_easy_encoder(&packer->lzma, 0, LZMA_CHECK_CRC64) != LZMA_OK)
			packer->error = -ENOMEM;
		break;
	case PACK_NONE:
		break;
	}
	return packer;
}

uint64_t packer_put(const struct packer *packer)
{
	return packer->put;
}

static void put_out(struct packer *packer, size_t length)
{
	ssize_t put;

	process_step(packer->process);
	if (!length || packer->error)
		return;
	put = process_write(packer->process, packer->descriptor, slice_of(packer->out, length));
	packer->put += length;
	if (put < 0)
		packer->error = (int)put;
}

/* Feeds the library; with finish, until it has ended. */
static int pump(struct packer *packer, struct slice bytes, bool finish)
{
	bool more = true;

	while (more && !packer->error) {
		size_t left = 0;

		if (packer->packing == PACK_GZIP) {
			z_stream *z = &packer->zlib;
			int result;

			z->next_in = (Bytef *)(uintptr_t)bytes.at;
			z->avail_in = (uInt)bytes.length;
			z->next_out = packer->out;
			z->avail_out = PACK_BUFFER;
			result = deflate(z, finish ? Z_FINISH : Z_NO_FLUSH);
			bytes = slice_of(z->next_in, z->avail_in);
			left = z->avail_out;
			more = finish ? result == Z_OK || result == Z_BUF_ERROR : left == 0;
		} else if (packer->packing == PACK_BZIP2) {
			bz_stream *b = &packer->bzip;
			int result;

			b->next_in = (char *)(uintptr_t)bytes.at;
			b->avail_in = (unsigned)bytes.length;
			b->next_out = (char *)packer->out;
			b->avail_out = PACK_BUFFER;
			result = BZ2_bzCompress(b, finish ? BZ_FINISH : BZ_RUN);
			bytes = slice_of(b->next_in, b->avail_in);
			left = b->avail_out;
			more = finish ? result == BZ_FINISH_OK : bytes.length > 0;
		} else {
			int result;

			packer->lzma.next_in = bytes.at;
			packer->lzma.avail_in = bytes.length;
			packer->lzma.next_out = packer->out;
			packer->lzma.avail_out = PACK_BUFFER;
			result = (int)lzma_code(&packer->lzma, finish ? LZMA_FINISH : LZMA_RUN);
			bytes = slice_of(packer->lzma.next_in, packer->lzma.avail_in);
			left = packer->lzma.avail_out;
			more = result == LZMA_OK && (finish || bytes.length > 0 || left == 0);
		}
		put_out(packer, PACK_BUFFER - left);
	}
	return packer->error;
}

int packer_write(struct packer *packer, struct slice bytes)
{
	if (packer->error || !bytes.length)
		return packer->error;
	if (packer->packing == PACK_NONE) {
		ssize_t put = process_write(packer->process, packer->descriptor, bytes);

		packer->put += bytes.length;
		packer->error = put < 0 ? (int)put : 0;
		return packer->error;
	}
	return pump(packer, bytes, false);
}

int packer_close(struct packer *packer)
{
	struct process *process = packer->process;
	int error = packer->packing == PACK_NONE ? packer->error
						 : pump(packer, (struct slice){0}, true);

	if (packer->packing == PACK_GZIP)
		deflateEnd(&packer->zlib);
	else if (packer->packing == PACK_BZIP2)
		BZ2_bzCompressEnd(&packer->bzip);
	else if (packer->packing == PACK_XZ)
		lzma_end(&packer->lzma);
	process_give(process, packer->out);
	process_give(process, packer);
	return error;
}
