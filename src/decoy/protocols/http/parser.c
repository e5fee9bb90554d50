/* Head scanner and splitter; see parser.h. The states of the nginx dialect are those that its
 * answers to odd requests show; what each byte leads to was compared with the real server. */
#include "decoy/protocols/http/parser.h"
#include "decoy/protocols/http/uri.h"

enum state {
	START,
	METHOD,
	BEFORE_TARGET,
	SCHEME,
	SCHEME_SLASH,
	SCHEME_SLASH_SLASH,
	HOST_START,
	HOST,
	HOST_LITERAL,
	PORT,
	PATH,
	AFTER_TARGET,
	WORD_H,
	WORD_HT,
	WORD_HTT,
	WORD_HTTP,
	WORD_SLASH,
	MAJOR,
	MAJOR_MORE,
	MINOR,
	MINOR_MORE,
	AFTER_VERSION,
	LINE_END,
	SIMPLE_END,
	NAME_START,
	NAME,
	BEFORE_VALUE,
	VALUE,
	VALUE_END,
	HEAD_END,
	COMPLETE,
	BROKEN,
	BROKEN_VERSION,
};

static bool is_alpha(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_token_byte(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!is_token_byte(text.at[i]))
			return false;
	}
	return text.length > 0;
}

/* --- nginx: byte by byte --- */

static enum state step_start(enum state state, uint8_t c)
{
	switch (state) {
	case START:
		if (c == '\r' || c == '\n')
			return START;
		return (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ? METHOD : BROKEN;
	case METHOD:
		if (c == ' ')
			return BEFORE_TARGET;
		return (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ? METHOD : BROKEN;
	case BEFORE_TARGET:
		if (c == '/')
			return PATH;
		if (is_alpha(c))
			return SCHEME;
		return c == ' ' ? BEFORE_TARGET : BROKEN;
	case SCHEME:
		if (is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.')
			return SCHEME;
		return c == ':' ? SCHEME_SLASH : BROKEN;
	case SCHEME_SLASH:
		return c == '/' ? SCHEME_SLASH_SLASH : BROKEN;
	case SCHEME_SLASH_SLASH:
		return c == '/' ? HOST_START : BROKEN;
	default:
		return BROKEN;
	}
}

static enum state step_host(enum state state, uint8_t c)
{
	if (state == HOST_START && c == '[')
		return HOST_LITERAL;
	if (state == HOST_LITERAL) {
		if (c == ']')
			return HOST;
		return is_alpha(c) || is_digit(c) || (c && strchr(":.-_~!$&'()*+,;=", c))
			       ? HOST_LITERAL
			       : BROKEN;
	}
	if (state != PORT && (is_alpha(c) || is_digit(c) || c == '.' || c == '-'))
		return HOST;
	if (state == PORT && is_digit(c))
		return PORT;
	if (c == '/' || c == '?')
		return PATH;
	if (c == ' ')
		return AFTER_TARGET;
	return c == ':' && state != PORT ? PORT : BROKEN;
}

static enum state step_target(enum state state, uint8_t c)
{
	if (state == PATH) {
		if (c == ' ')
			return AFTER_TARGET;
		if (c == '\r')
			return SIMPLE_END;
		if (c == '\n')
			return NAME_START;
		return c < 0x20 || c == 0x7f ? BROKEN : PATH;
	}
	if (c == ' ')
		return AFTER_TARGET;
	if (c == '\r')
		return SIMPLE_END;
	if (c == '\n')
		return NAME_START;
	return c == 'H' ? WORD_H : BROKEN;
}

static enum state step_version(enum state state, uint8_t c)
{
	static const char word[] = "TTP/";

	if (state >= WORD_H && state <= WORD_HTTP)
		return c == (uint8_t)word[state - WORD_H] ? state + 1 : BROKEN;
	switch (state) {
	case WORD_SLASH:
		if (!is_digit(c) || c == '0')
			return BROKEN;
		return c == '1' ? MAJOR : BROKEN_VERSION;
	case MAJOR:
		if (c == '.')
			return MINOR;
		return is_digit(c) ? BROKEN_VERSION : BROKEN;
	case MINOR:
		return is_digit(c) ? MINOR_MORE : BROKEN;
	case MINOR_MORE:
	case AFTER_VERSION:
		if (c == '\r')
			return LINE_END;
		if (c == '\n')
			return NAME_START;
		if (c == ' ')
			return AFTER_VERSION;
		return state == MINOR_MORE && is_digit(c) ? MINOR_MORE : BROKEN;
	default: /* LINE_END, SIMPLE_END */
		return c == '\n' ? NAME_START : BROKEN;
	}
}

static enum state step_header(enum state state, uint8_t c)
{
	switch (state) {
	case NAME_START:
		if (c == '\r')
			return HEAD_END;
		if (c == '\n')
			return COMPLETE;
		return c <= 0x20 || c == 0x7f || c == ':' ? BROKEN : NAME;
	case NAME:
		if (c == ':')
			return BEFORE_VALUE;
		if (c == '\r')
			return VALUE_END;
		if (c == '\n')
			return NAME_START;
		return c <= 0x20 || c == 0x7f ? BROKEN : NAME;
	case BEFORE_VALUE:
	case VALUE:
		if (c == '\r')
			return VALUE_END;
		if (c == '\n')
			return NAME_START;
		return c == 0 ? BROKEN : VALUE;
	case VALUE_END:
		if (c == '\n')
			return NAME_START;
		return c == '\r' ? VALUE_END : BROKEN;
	default: /* HEAD_END */
		return c == '\n' ? COMPLETE : BROKEN;
	}
}

static enum state step(enum state state, uint8_t c)
{
	if (state <= SCHEME_SLASH_SLASH)
		return step_start(state, c);
	if (state <= PORT)
		return step_host(state, c);
	if (state <= AFTER_TARGET)
		return step_target(state, c);
	if (state <= SIMPLE_END)
		return step_version(state, c);
	return step_header(state, c);
}

static bool target_is_fine(struct slice line)
{
	uint8_t room[HTTP_LARGE_BUFFER];
	struct writer path = writer_fixed(room, sizeof(room));
	struct http_head head;
	struct http_uri uri;

	http_head_split(&head, line);
	http_uri_split(&uri, head.target);
	return http_path_decode(&path, uri.path, HTTP_NGINX) == 0;
}

/* The request line is there: nginx judges its path before it reads on. */
static bool request_line_done(struct http_scan *scan, struct slice bytes, enum state before)
{
	struct slice line = slice_from(slice_first(bytes, scan->at + 1), scan->line);

	scan->simple = before == SIMPLE_END || before == PATH || before == AFTER_TARGET;
	if (scan->simple && !slice_starts(line, "GET "))
		scan->fault = HTTP_BAD_LINE;
	else if (!target_is_fine(line))
		scan->fault = HTTP_BAD_TARGET;
	return scan->fault == HTTP_FINE;
}

/* The current buffer is full in the middle of a line: does nginx have another? */
static bool next_buffer(struct http_scan *scan)
{
	if (scan->at - scan->line >= HTTP_LARGE_BUFFER || scan->buffers == HTTP_LARGE_BUFFERS) {
		scan->fault = scan->in_headers ? HTTP_HEADER_TOO_LONG : HTTP_LINE_TOO_LONG;
		return false;
	}
	scan->buffers++;
	scan->buffer_end = scan->line + HTTP_LARGE_BUFFER;
	return true;
}

static enum http_progress scan_nginx(struct http_scan *scan, struct slice bytes)
{
	if (scan->buffer_end == 0)
		scan->buffer_end = HTTP_SMALL_BUFFER;
	for (; scan->at < bytes.length; scan->at++) {
		enum state before = scan->state, after;

		if (scan->at == scan->buffer_end && !next_buffer(scan))
			return HTTP_FAULTY;
		after = step(before, bytes.at[scan->at]);
		scan->state = after;
		if (before == START)
			scan->line = scan->at;
		if (after == BROKEN || after == BROKEN_VERSION) {
			scan->fault = after == BROKEN_VERSION ? HTTP_BAD_VERSION
				      : scan->in_headers      ? HTTP_BAD_HEADER
							      : HTTP_BAD_LINE;
			scan->at++;
			return HTTP_FAULTY;
		}
		if (after == NAME_START && before != NAME_START) {
			bool first = !scan->in_headers;

			if (first && !request_line_done(scan, bytes, before)) {
				scan->at++;
				return HTTP_FAULTY;
			}
			scan->in_headers = true;
			scan->line = scan->at + 1;
			if (scan->simple)
				after = COMPLETE;
		}
		if (after == COMPLETE) {
			scan->at++;
			return HTTP_COMPLETE;
		}
	}
	/* The fault shows when the buffer is full, not when the next byte comes. */
	if (scan->at == scan->buffer_end && scan->at - scan->line >= HTTP_LARGE_BUFFER)
		return next_buffer(scan) ? HTTP_MORE : HTTP_FAULTY;
	return HTTP_MORE;
}

/* --- Apache, IIS and Go: line by line --- */

static struct slice without_line_end(struct slice line)
{
	if (line.length && line.at[line.length - 1] == '\n')
		line.length--;
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((text.at[i] < 0x20 && text.at[i] != '\t') || text.at[i] == 0x7f)
			return true;
	}
	return false;
}

static enum http_fault apache_version(struct slice version)
{
	if (version.length != 8 || !slice_starts(version, "HTTP/") || !is_digit(version.at[5]) ||
	    version.at[6] != '.' || !is_digit(version.at[7]))
		return HTTP_BAD_LINE;
	return version.at[5] == '0' ? HTTP_BAD_LINE : HTTP_FINE;
}

static enum http_fault apache_line(struct http_scan *scan, struct slice line)
{
	struct slice rest = without_line_end(line), method = {NULL, 0}, target = {NULL, 0};
	struct http_uri uri;

	if (line.length > HTTP_APACHE_LINE_MAX + 2)
		return HTTP_LINE_TOO_LONG;
	if (line.length < 2 || line.at[line.length - 2] != '\r')
		return HTTP_BAD_LINE;
	slice_next(&rest, ' ', &method);
	slice_next(&rest, ' ', &target);
	if (!http_is_token(method) || target.length == 0 || has_control(target) ||
	    slice_find_byte(target, '\t') != SIZE_MAX)
		return HTTP_BAD_LINE;
	scan->simple = rest.length == 0;
	if (scan->simple ? !slice_is(method, "GET") : apache_version(rest) != HTTP_FINE)
		return HTTP_BAD_LINE;
	http_uri_split(&uri, target);
	if (slice_is(method, "CONNECT"))
		return target.at[0] == '/' ? HTTP_BAD_LINE : HTTP_FINE;
	if (slice_find_byte(target, '#') != SIZE_MAX ||
	    (uri.path.length && uri.path.at[0] != '/' &&
	     !(slice_is(target, "*") && slice_is(method, "OPTIONS"))))
		return HTTP_BAD_LINE;
	return HTTP_FINE;
}

static enum http_fault apache_header(struct http_scan *scan, struct slice line)
{
	struct slice value = without_line_end(line), name;
	bool fold = line.at[0] == ' ' || line.at[0] == '\t';

	if (line.length > HTTP_APACHE_LINE_MAX + 2)
		return HTTP_HEADER_TOO_LONG;
	if (line.length < 2 || line.at[line.length - 2] != '\r' || has_control(value))
		return HTTP_BAD_HEADER;
	if (fold)
		return scan->headers ? HTTP_FINE : HTTP_BAD_HEADER;
	if (slice_find_byte(value, ':') == SIZE_MAX)
		return HTTP_BAD_HEADER;
	slice_next(&value, ':', &name);
	if (!http_is_token(name))
		return HTTP_BAD_HEADER;
	return ++scan->headers > HTTP_APACHE_HEADERS_MAX ? HTTP_TOO_MANY_HEADERS : HTTP_FINE;
}

static enum http_fault iis_target(struct slice method, struct slice target)
{
	uint8_t room[HTTP_IIS_HEAD_MAX];
	struct writer path = writer_fixed(room, sizeof(room));
	struct http_uri uri;

	if (slice_is(target, "*"))
		return slice_is(method, "OPTIONS") ? HTTP_FINE : HTTP_BAD_TARGET;
	if (has_control(target) || slice_find_byte(target, '\t') != SIZE_MAX ||
	    (target.at[0] != '/' && !slice_starts_nocase(target, "http://") &&
	     !slice_starts_nocase(target, "https://")))
		return HTTP_BAD_TARGET;
	http_uri_split(&uri, target);
	return http_path_decode(&path, uri.path, HTTP_IIS) < 0 ? HTTP_BAD_TARGET : HTTP_FINE;
}

static enum http_fault iis_line(struct slice line)
{
	struct slice rest = without_line_end(line), method = {NULL, 0}, target = {NULL, 0};

	slice_next(&rest, ' ', &method);
	slice_next(&rest, ' ', &target);
	if (target.length == 0 || iis_target(method, target) != HTTP_FINE)
		return HTTP_BAD_TARGET;
	if (rest.length != 8 || !slice_starts(rest, "HTTP/") || !is_digit(rest.at[5]) ||
	    rest.at[6] != '.' || !is_digit(rest.at[7]) || rest.at[5] == '0')
		return HTTP_BAD_LINE;
	return rest.at[5] == '1' ? HTTP_FINE : HTTP_BAD_VERSION;
}

static enum http_fault go_line(struct slice line)
{
	struct slice version = without_line_end(line), method = {NULL, 0}, target = {NULL, 0};

	slice_next(&version, ' ', &method);
	slice_next(&version, ' ', &target);
	if (!http_is_token(method) || version.length == 0 || has_control(target))
		return HTTP_BAD_LINE;
	if (version.length != 8 || !slice_starts(version, "HTTP/") || !is_digit(version.at[5]) ||
	    version.at[6] != '.' || !is_digit(version.at[7]))
		return HTTP_BAD_LINE;
	if (version.at[5] != '1')
		return HTTP_BAD_VERSION;
	return target.length && (target.at[0] == '/' || target.at[0] == '*' ||
				 slice_find_byte(target, ':') != SIZE_MAX)
		       ? HTTP_FINE
		       : HTTP_BAD_LINE;
}

static enum http_fault go_header(struct http_scan *scan, struct slice line)
{
	struct slice value = without_line_end(line), name;

	if (line.at[0] == ' ' || line.at[0] == '\t')
		return scan->headers ? HTTP_FINE : HTTP_BAD_HEADER;
	if (slice_find_byte(value, ':') == SIZE_MAX || has_control(value))
		return HTTP_BAD_HEADER;
	slice_next(&value, ':', &name);
	if (scan->headers < UINT16_MAX)
		scan->headers++;
	return http_is_token(name) ? HTTP_FINE : HTTP_BAD_HEADER;
}

/* One whole line; true when it ended the head. */
static bool take_line(struct http_scan *scan, enum http_dialect dialect, struct slice line)
{
	bool empty = without_line_end(line).length == 0;

	if (!scan->in_headers) {
		if (empty && dialect != HTTP_GO)
			return false; /* these pass over empty lines before a request */
		scan->in_headers = true;
		scan->fault = dialect == HTTP_APACHE ? apache_line(scan, line)
			      : dialect == HTTP_IIS  ? iis_line(line)
						     : go_line(line);
		return scan->simple;
	}
	if (empty && (dialect != HTTP_APACHE || line.length == 2))
		return true;
	scan->fault = dialect == HTTP_APACHE ? apache_header(scan, line) : go_header(scan, line);
	return false;
}

/* HTTP.sys gives up at the first wrong byte of a method: how many bytes until then, or 0. */
static size_t bad_method(struct slice line)
{
	size_t i = 0;

	if (line.length && (line.at[0] == '\n' || line.at[0] == '\r'))
		return line.length > 1 && line.at[0] == '\r' && line.at[1] != '\n' ? 2 : 0;
	while (i < line.length && is_token_byte(line.at[i]))
		i++;
	return i == line.length || (i && line.at[i] == ' ') ? 0 : i + 1;
}

static enum http_progress scan_lines(struct http_scan *scan, enum http_dialect dialect,
				     struct slice bytes)
{
	for (;;) {
		size_t end = slice_find_byte(slice_from(bytes, scan->at), '\n'), bad = 0;
		bool done;

		if (dialect == HTTP_IIS && !scan->in_headers)
			bad = bad_method(slice_from(bytes, scan->line));
		if (bad) {
			scan->at = scan->line + (uint32_t)bad;
			scan->fault = HTTP_BAD_METHOD;
			return HTTP_FAULTY;
		}
		if (end == SIZE_MAX) {
			scan->at = (uint32_t)bytes.length;
			return HTTP_MORE;
		}
		scan->at += (uint32_t)end + 1;
		done = take_line(scan, dialect,
				 slice_from(slice_first(bytes, scan->at), scan->line));
		if (scan->fault != HTTP_FINE)
			return HTTP_FAULTY;
		scan->line = scan->at;
		if (done)
			return HTTP_COMPLETE;
	}
}

enum http_progress http_scan(struct http_scan *scan, enum http_dialect dialect, struct slice bytes)
{
	size_t most = dialect == HTTP_IIS ? HTTP_IIS_HEAD_MAX : HTTP_HEAD_MAX;
	struct slice within = slice_first(bytes, most);
	enum http_progress progress = dialect == HTTP_NGINX ? scan_nginx(scan, within)
							    : scan_lines(scan, dialect, within);

	if (progress == HTTP_MORE && within.length == most) {
		scan->fault = scan->in_headers ? HTTP_HEADER_TOO_LONG : HTTP_LINE_TOO_LONG;
		return HTTP_FAULTY;
	}
	return progress;
}

/* --- cutting --- */

/* The first line of *rest with its line end, taken off. */
static struct slice take_raw_line(struct slice *rest)
{
	size_t end = slice_find_byte(*rest, '\n');
	struct slice line = slice_first(*rest, end == SIZE_MAX ? rest->length : end + 1);

	*rest = slice_from(*rest, line.length);
	return line;
}

static void split_line(struct http_head *head)
{
	struct slice rest = head->line;
	size_t last;

	slice_next(&rest, ' ', &head->method);
	while (rest.length && rest.at[0] == ' ')
		rest = slice_from(rest, 1);
	while (rest.length && rest.at[rest.length - 1] == ' ')
		rest.length--;
	for (last = rest.length; last > 0 && rest.at[last - 1] != ' '; last--)
		continue;
	if (last == 0 || !slice_starts_nocase(slice_from(rest, last), "HTTP/")) {
		head->target = rest;
		head->simple = true;
		head->minor = 9;
		return;
	}
	head->version = slice_from(rest, last);
	head->target = slice_first(rest, last - 1);
	while (head->target.length && head->target.at[head->target.length - 1] == ' ')
		head->target.length--;
	head->minor = head->version.length == 8 && head->version.at[7] == '0' &&
				      head->version.at[5] == '1'
			      ? 0
			      : 1;
}

static void split_header(struct http_head *head, struct slice line)
{
	struct http_header *header = &head->headers[head->count];
	struct slice rest = line;

	header->line = line;
	slice_next(&rest, ':', &header->name);
	header->name = slice_trim(header->name);
	header->value = slice_trim(rest);
}

static void continue_header(struct http_head *head, struct slice line)
{
	struct http_header *header = &head->headers[head->count - 1];

	head->folded = true;
	header->line.length = (size_t)(line.at + line.length - header->line.at);
	header->value.length = (size_t)(line.at + line.length - header->value.at);
	header->value = slice_trim(header->value);
}

void http_head_split(struct http_head *head, struct slice raw)
{
	struct slice rest = raw;

	memset(head, 0, offsetof(struct http_head, headers));
	head->raw = raw;
	while (rest.length && (rest.at[0] == '\r' || rest.at[0] == '\n'))
		rest = slice_from(rest, 1);
	head->line = without_line_end(take_raw_line(&rest));
	split_line(head);
	while (rest.length) {
		struct slice whole = take_raw_line(&rest), line = without_line_end(whole);

		if (whole.length - line.length == 1)
			head->bare_lines = true;
		if (line.length == 0)
			break;
		if ((line.at[0] == ' ' || line.at[0] == '\t') && head->count &&
		    head->count < HTTP_HEADERS_MAX) {
			continue_header(head, line);
			continue;
		}
		if (head->count < HTTP_HEADERS_MAX)
			split_header(head, line);
		head->count++;
	}
	if (head->count > HTTP_HEADERS_MAX)
		head->count = HTTP_HEADERS_MAX;
}

const struct http_header *http_head_find(const struct http_head *head, const char *name,
					 size_t *count)
{
	const struct http_header *first = NULL;

	*count = 0;
	for (size_t i = 0; i < head->count; i++) {
		if (!slice_is_nocase(head->headers[i].name, name))
			continue;
		if (!first)
			first = &head->headers[i];
		++*count;
	}
	return first;
}

struct slice http_head_value(const struct http_head *head, const char *name)
{
	size_t count;
	const struct http_header *header = http_head_find(head, name, &count);

	return header ? header->value : slice_of(NULL, 0);
}

bool http_head_lists(const struct http_head *head, const char *name, const char *word)
{
	for (size_t i = 0; i < head->count; i++) {
		struct slice rest = head->headers[i].value, item;

		if (!slice_is_nocase(head->headers[i].name, name))
			continue;
		while (slice_next(&rest, ',', &item)) {
			if (slice_is_nocase(slice_trim(item), word))
				return true;
		}
	}
	return false;
}
