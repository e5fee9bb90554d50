/* Names and listing of a spool's segments, for the files of this folder only. */
#ifndef EVENT_SEGMENT_H
#define EVENT_SEGMENT_H

#include "base/bytes.h"

#define SEGMENT_NAME_MAX 64

/* Name of the plain or the compressed file of a segment. */
void segment_name(uint64_t number, bool compressed, char name[SEGMENT_NAME_MAX]);

/* What stands in the folder: both forms of one segment may be there for a moment. */
struct segment {
	uint64_t number;
	bool plain, compressed;
	uint64_t plain_bytes, compressed_bytes;
};

struct segment_list {
	struct segment *items; /* by rising number; the caller frees */
	size_t count;
};

/* 0, or -1 with errno. */
MUST_CHECK int segment_list(int folder_fd, struct segment_list *list);

/* The least segment number above `after`, 0 when there is none, -1 with errno. */
MUST_CHECK int64_t segment_after(int folder_fd, uint64_t after);

#endif
