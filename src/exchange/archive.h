/* An archive of files: a ustar tar (POSIX.1-1988) inside one zstd frame (RFC 8878) with its
 * checksum, so that `tar --zstd -xf` reads it too.
 *
 * The last member is MANIFEST: a first line that names the format, then for each member a line
 * "SHA256  SIZE  NAME" in the order of the archive. The reader makes the same text from what it saw
 * and wants the two to be equal; only then does archive_next return 0.
 *
 * Both sides stream: memory does not grow with the files, only (about 150 bytes each) with their
 * number.
 */
#ifndef EXCHANGE_ARCHIVE_H
#define EXCHANGE_ARCHIVE_H

#include "base/bytes.h"

#define ARCHIVE_NAME_MAX 100 /* bytes of a name: ustar's field; the prefix field is not used */
#define ARCHIVE_MANIFEST "MANIFEST"
#define ARCHIVE_MANIFEST_MAX \
	(256u << 20) /* of more than a million members; what the reader holds */

struct archive_member {
	char name[ARCHIVE_NAME_MAX + 1]; /* relative, no "." or "..", no control characters */
	uint64_t size;
	uint32_t mode;    /* permission bits */
	int64_t modified; /* seconds since 1970 */
};

struct archive_writer;

/* The file is borrowed and written from where it stands. NULL without memory. */
struct archive_writer *archive_writer_new(int file);
/* Adds member->size bytes read from `from`; fails when there are fewer, which leaves the archive
 * unfit for use. */
MUST_CHECK int archive_add(struct archive_writer *archive, const struct archive_member *member,
			   int from);
/* Adds the manifest and ends the archive; does not sync it. */
MUST_CHECK int archive_finish(struct archive_writer *archive);
/* What the last failure was. */
const char *archive_writer_problem(const struct archive_writer *archive);
void archive_writer_free(struct archive_writer *archive);

struct archive_reader;

/* The file is borrowed and read from where it stands. NULL without memory. */
struct archive_reader *archive_reader_new(int file);
/* The next member: 1; 0 when the archive has ended and everything read agrees with its manifest;
 * -1 when it is damaged or no archive of this kind. Its bytes must be read before the next call. */
MUST_CHECK int archive_next(struct archive_reader *archive, struct archive_member *member);
/* Writes the bytes of the member at hand to the file. */
MUST_CHECK int archive_extract(struct archive_reader *archive, int to);
const char *archive_reader_problem(const struct archive_reader *archive);
void archive_reader_free(struct archive_reader *archive);

#endif
