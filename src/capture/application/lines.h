/* Protocols of lines: what SMTP, FTP and SIP readers share. */
#ifndef CAPTURE_APPLICATION_LINES_H
#define CAPTURE_APPLICATION_LINES_H

#include "base/bytes.h"

#define LINE_BYTES_MAX 8192

/* The first line without its end. *used is what it takes; 0: not all of it is there yet. A line
 * that is too long is cut. */
static inline struct slice line_first(struct slice bytes, bool last, size_t *used)
{
	size_t end = slice_find_byte(bytes, '\n');
	struct slice line = slice_first(bytes, end);

	*used = end == SIZE_MAX ? 0 : end + 1;
	if (end == SIZE_MAX && (last || bytes.length > LINE_BYTES_MAX))
		*used = bytes.length;
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

#endif
