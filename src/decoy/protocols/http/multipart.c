/* Multipart bodies; see multipart.h. */
#include <stdlib.h>

#include "decoy/protocols/http/multipart.h"

enum { PREAMBLE, AFTER_BOUNDARY, HEADER, CONTENT, EPILOGUE };

/* The value of a parameter such as boundary=... or filename="...". */
static struct slice parameter(struct slice text, const char *name)
{
	size_t at = slice_find_nocase(text, name), end = 0;
	struct slice value;

	if (at == SIZE_MAX)
		return slice_of(NULL, 0);
	value = slice_from(text, at + strlen(name));
	if (value.length && value.at[0] == '"') {
		value = slice_from(value, 1);
		end = slice_find_byte(value, '"');
		return end == SIZE_MAX ? value : slice_first(value, end);
	}
	while (end < value.length && !memchr(";, \t\r\n", value.at[end], 6))
		end++;
	return slice_first(value, end);
}

struct multipart *multipart_open(struct slice content_type)
{
	struct slice boundary = parameter(content_type, "boundary=");
	struct multipart *multipart;

	if (!slice_starts_nocase(content_type, "multipart/") || boundary.length == 0 ||
	    boundary.length > MULTIPART_BOUNDARY_MAX)
		return NULL;
	multipart = calloc(1, sizeof(*multipart));
	if (!multipart)
		return NULL;
	memcpy(multipart->boundary, "\r\n--", 4);
	memcpy(multipart->boundary + 4, boundary.at, boundary.length);
	multipart->boundary_length = (uint8_t)(boundary.length + 4);
	multipart->matched = 2; /* the first one needs no line end before it */
	return multipart;
}

static void begin_file(struct multipart *m, struct session *session)
{
	struct slice header = slice_of(m->header, m->header_length);
	struct slice name = parameter(header, "filename=");

	if (name.at && m->files < MULTIPART_FILES_MAX) {
		m->files++;
		m->file = session_evidence(session, EVIDENCE_PAYLOAD, "upload", name);
	}
	m->header_length = 0;
	m->state = CONTENT;
}

static void take_header_byte(struct multipart *m, struct session *session, uint8_t byte)
{
	if (m->header_length == sizeof(m->header)) {
		memmove(m->header + sizeof(m->header) / 2 + 1, m->header + sizeof(m->header) - 3,
			3);
		m->header_length = sizeof(m->header) / 2 + 4;
	}
	m->header[m->header_length++] = byte;
	if (m->header_length >= 4 && memcmp(m->header + m->header_length - 4, "\r\n\r\n", 4) == 0)
		begin_file(m, session);
	else if (m->header_length == 2 && memcmp(m->header, "\r\n", 2) == 0)
		begin_file(m, session);
}

/* What follows a boundary: "--" ends the body, a line end begins a part. */
static void take_after_boundary(struct multipart *m, uint8_t byte)
{
	if (byte == '\n')
		m->state = HEADER;
	else if (byte == '-')
		m->state = EPILOGUE;
}

/* Looks for the boundary; returns how many bytes of `bytes` were used up. */
static size_t take_content(struct multipart *m, struct slice bytes)
{
	size_t start = 0, i;

	for (i = 0; i < bytes.length; i++) {
		uint8_t byte = bytes.at[i];

		if (byte != m->boundary[m->matched]) {
			if (m->matched == 0)
				continue;
			/* Only CR begins a boundary, so what matched so far was content. */
			if (i < m->matched && m->state == CONTENT)
				evidence_add(m->file, slice_of(m->boundary, m->matched - i));
			m->matched = byte == '\r';
			continue;
		}
		if (++m->matched < m->boundary_length)
			continue;
		if (i + 1 > m->boundary_length)
			evidence_add(m->file, slice_first(slice_from(bytes, start),
							  i + 1 - m->boundary_length));
		evidence_finish(m->file, NULL);
		m->file = NULL;
		m->matched = 0;
		m->state = AFTER_BOUNDARY;
		return i + 1;
	}
	if (bytes.length > m->matched)
		evidence_add(m->file, slice_first(bytes, bytes.length - m->matched));
	return bytes.length;
}

void multipart_add(struct multipart *m, struct session *session, struct slice bytes)
{
	while (bytes.length && m->state != EPILOGUE) {
		size_t used = 1;

		if (m->state == PREAMBLE || m->state == CONTENT)
			used = take_content(m, bytes);
		else if (m->state == AFTER_BOUNDARY)
			take_after_boundary(m, bytes.at[0]);
		else
			take_header_byte(m, session, bytes.at[0]);
		bytes = slice_from(bytes, used);
	}
}

void multipart_finish(struct multipart *m)
{
	if (!m)
		return;
	if (m->matched && m->state == CONTENT)
		evidence_add(m->file, slice_of(m->boundary, m->matched));
	evidence_finish(m->file, NULL);
	free(m);
}
