/* Start lines and headers, read as forgivingly as browsers and servers do. */
#include "capture/application/http.h"

/* Letters that a header's name is made of, near enough. */
static size_t name_length(struct slice text)
{
	size_t length = 0;

	while (length < text.length &&
	       ((text.at[length] | 32) >= 'a' ? (text.at[length] | 32) <= 'z'
					      : text.at[length] == '-'))
		length++;
	return length;
}

/* White space that an empty line may hold: servers send it, clients pass over it. */
static size_t blank_length(struct slice bytes)
{
	size_t length = 0;

	while (length < bytes.length &&
	       (bytes.at[length] == ' ' || bytes.at[length] == '\t' || bytes.at[length] == '\r'))
		length++;
	return length;
}

/* What stands behind a line of white space: does the head go on there? Not told yet counts as yes
 * while more may come. */
static bool goes_on(struct slice after, bool last)
{
	size_t name = name_length(after);

	if (!after.length || after.at[0] == ' ' || after.at[0] == '\t' || after.at[0] == '\n' ||
	    slice_starts(after, "\r\n"))
		return true;
	return name == after.length ? !last : name && after.at[name] == ':';
}

size_t http_head_length(struct slice bytes, bool last)
{
	size_t at = 0;

	while (at < bytes.length) {
		const uint8_t *found = memchr(bytes.at + at, '\n', bytes.length - at);
		size_t next, blank;

		if (!found)
			return 0;
		at = (size_t)(found - bytes.at) + 1;
		blank = blank_length(slice_from(bytes, at));
		next = at + blank;
		if (next == bytes.length || bytes.at[next] != '\n')
			continue;
		if (!blank || (blank == 1 && bytes.at[at] == '\r') ||
		    !goes_on(slice_from(bytes, next + 1), last))
			return next + 1;
	}
	return 0;
}

/* Where a line ends at a lone CR: some clients take it for a line end when a header follows. */
static size_t lone_return(struct slice line)
{
	for (size_t i = 0; i + 1 < line.length; i++) {
		struct slice next = slice_from(line, i + 1);
		size_t length;

		if (line.at[i] != '\r')
			continue;
		length = name_length(next);
		if (length && length < next.length && next.at[length] == ':')
			return i;
	}
	return SIZE_MAX;
}

static struct slice next_line(struct slice *rest)
{
	struct slice line, after;
	size_t split;

	after = *rest;
	(void)slice_next(&after, '\n', &line);
	while (line.length > 1 && line.at[0] == '\r') { /* lines that end in LF CR */
		line = slice_from(line, 1);
		*rest = slice_from(*rest, 1);
	}
	split = slice_find_byte(line, '\r') != SIZE_MAX ? lone_return(line) : SIZE_MAX;
	if (split != SIZE_MAX) {
		line = slice_first(line, split);
		*rest = slice_from(*rest, split + 1);
		return line;
	}
	*rest = after;
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

/* What a line that goes on with the one before may begin with. */
static bool is_folded(uint8_t byte)
{
	return is_blank(byte) || byte == '\v' || byte == '\f' || byte == '\0';
}

/* Without white space and control bytes at its ends. */
static struct slice trim_wild(struct slice text)
{
	while (text.length && text.at[0] <= ' ')
		text = slice_from(text, 1);
	while (text.length && text.at[text.length - 1] <= ' ')
		text.length--;
	return text;
}

/* Headers that say how a body is sent. Some clients heed them even when the line is folded. */
static bool is_framing(struct slice line)
{
	return slice_starts_nocase(line, "Transfer-Encoding:") ||
	       slice_starts_nocase(line, "Content-Encoding:") ||
	       slice_starts_nocase(line, "Content-Length:");
}

/* Up to three words; the last one takes the rest. */
static void read_words(struct http_head *head, enum direction direction)
{
	struct slice rest = slice_trim(head->line);

	for (size_t i = 0; i < 3; i++) {
		size_t end = 0;

		if (i == 2) {
			head->words[i] = rest;
			break;
		}
		/* A target may hold spaces: it ends before the version. */
		if (i == 1 && direction == TO_SERVER) {
			size_t last = rest.length;

			while (last && !is_blank(rest.at[last - 1]))
				last--;
			end = last && slice_starts_nocase(slice_from(rest, last), "HTTP/")
				      ? last - 1
				      : rest.length;
			while (end && is_blank(rest.at[end - 1]))
				end--;
		} else {
			while (end < rest.length && !is_blank(rest.at[end]))
				end++;
		}
		head->words[i] = slice_first(rest, end);
		rest = slice_trim(slice_from(rest, end));
	}
}

static bool same_name(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if ((a.at[i] | 32) != (b.at[i] | 32))
			return false;
	return true;
}

static struct slice join(struct slice a, const char *between, struct slice b, struct arena *arena)
{
	size_t length = a.length + strlen(between) + b.length;
	uint8_t *out = arena_take(arena, length ? length : 1);
	struct writer w = writer_fixed(out, length);

	if (!out)
		return a;
	writer_bytes(&w, a);
	writer_text(&w, between);
	writer_bytes(&w, b);
	return writer_slice(&w);
}

static void add_header(struct http_head *head, struct slice line, struct arena *arena)
{
	size_t colon = slice_find_byte(line, ':');
	struct slice name = trim_wild(slice_first(line, colon));
	struct slice value =
		slice_trim(slice_from(line, colon == SIZE_MAX ? line.length : colon + 1));

	for (size_t i = 0; i < head->header_count; i++)
		if (same_name(head->headers[i].name, name)) {
			head->headers[i].value = join(head->headers[i].value, ", ", value, arena);
			return;
		}
	if (head->header_count < HTTP_HEADERS_MAX)
		head->headers[head->header_count++] = (struct http_header){name, value};
}

void http_head_read(struct http_head *head, struct slice raw, enum direction direction,
		    struct arena *arena)
{
	struct slice rest = raw;
	size_t lines = 0;

	*head = (struct http_head){.raw = raw};
	head->line = next_line(&rest);
	head->block = rest;
	read_words(head, direction);
	for (size_t i = 0; i < raw.length && lines < HTTP_HEADERS_MAX; i++)
		lines += raw.at[i] == '\n' || raw.at[i] == '\r';
	head->headers = arena_take(arena, (2 * lines + 1) * sizeof(*head->headers));
	while (head->headers && rest.length) {
		struct slice line = next_line(&rest), framing = {NULL, 0};

		if (!slice_trim(line).length)
			continue;
		/* Folded: it goes on with the one before. */
		while (rest.length && is_folded(rest.at[0])) {
			struct slice more = next_line(&rest);

			if (is_framing(trim_wild(more)))
				framing = trim_wild(more);
			line = join(line, " ", trim_wild(more), arena);
		}
		if (slice_trim(line).length)
			add_header(head, line, arena);
		if (framing.length)
			add_header(head, framing, arena);
	}
}

struct slice http_header_value(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_is_nocase(head->headers[i].name, name))
			return head->headers[i].value.at ? head->headers[i].value : SLICE("");
	return slice_of(NULL, 0);
}
