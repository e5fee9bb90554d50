/* SIP requests (RFC 3261 section 7): tolerant where servers are, strict where framing depends on
 * it. */
#include "decoy/protocols/sip/sip.h"

static const struct {
	const char *name, *compact;
	enum sip_header_name header;
} names[] = {
	{"Via", "v", SIP_VIA},
	{"From", "f", SIP_FROM},
	{"To", "t", SIP_TO},
	{"Call-ID", "i", SIP_CALL_ID},
	{"CSeq", "", SIP_CSEQ},
	{"Contact", "m", SIP_CONTACT},
	{"Content-Length", "l", SIP_CONTENT_LENGTH},
	{"Authorization", "", SIP_AUTHORIZATION},
	{"Proxy-Authorization", "", SIP_PROXY_AUTHORIZATION},
	{"Expires", "", SIP_EXPIRES},
	{"User-Agent", "", SIP_USER_AGENT},
	{"Record-Route", "", SIP_RECORD_ROUTE},
};

static enum sip_header_name header_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (slice_is_nocase(name, names[i].name) || slice_is_nocase(name, names[i].compact))
			return names[i].header;
	}
	return SIP_OTHER;
}

/* Length of the head with its empty line, or SIZE_MAX; bare LF counts as a line end. */
static size_t head_length(struct slice bytes)
{
	for (size_t at = 0;;) {
		size_t end = slice_find_byte(slice_from(bytes, at), '\n');

		if (end == SIZE_MAX)
			return SIZE_MAX;
		at += end + 1;
		if (at < bytes.length && bytes.at[at] == '\n')
			return at + 1;
		if (at + 1 < bytes.length && bytes.at[at] == '\r' && bytes.at[at + 1] == '\n')
			return at + 2;
	}
}

/* The next header with its folded lines. */
static bool next_line(struct slice *rest, struct slice *line)
{
	size_t at = 0;

	if (rest->length == 0)
		return false;
	for (;;) {
		size_t end = slice_find_byte(slice_from(*rest, at), '\n');

		at = end == SIZE_MAX ? rest->length : at + end + 1;
		if (at >= rest->length || (rest->at[at] != ' ' && rest->at[at] != '\t'))
			break;
	}
	*line = slice_trim(slice_first(*rest, at));
	*rest = slice_from(*rest, at);
	return true;
}

static bool is_token(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return text.length > 0 && text.length <= 32;
}

static bool read_first_line(struct slice line, struct sip_message *message)
{
	struct slice rest = line;

	message->first_line = line;
	if (slice_starts(line, "SIP/2.0 ")) {
		message->is_response = true;
		return true;
	}
	if (!slice_next(&rest, ' ', &message->method) || !is_token(message->method) ||
	    !slice_next(&rest, ' ', &message->uri) || message->uri.length == 0)
		return false;
	return slice_starts_nocase(slice_trim(rest), "SIP/");
}

static bool read_head(struct slice head, struct sip_message *message)
{
	struct slice line;

	*message = (struct sip_message){0};
	if (!next_line(&head, &line) || !read_first_line(line, message))
		return false;
	while (next_line(&head, &line)) {
		size_t colon = slice_find_byte(line, ':');
		struct sip_header *header;

		if (line.length == 0 || colon == SIZE_MAX || message->count == SIP_HEADERS_MAX)
			continue;
		header = &message->headers[message->count++];
		header->name = header_named(slice_trim(slice_first(line, colon)));
		header->value = slice_trim(slice_from(line, colon + 1));
	}
	return true;
}

enum sip_status sip_read(struct slice bytes, bool stream, struct sip_message *message, size_t *used)
{
	size_t blank = 0, head, left;
	int64_t length = 0;
	struct slice value;

	while (blank < bytes.length && (bytes.at[blank] == '\r' || bytes.at[blank] == '\n'))
		blank++;
	*used = blank;
	if (blank == bytes.length || (stream && blank))
		return blank >= 4 || (!stream && blank) ? SIP_KEEP_ALIVE : SIP_MORE;
	bytes = slice_from(bytes, blank);
	head = head_length(bytes);
	if (head == SIZE_MAX) {
		size_t end = slice_find_byte(bytes, '\n');

		*message = (struct sip_message){0};
		if (stream &&
		    (end == SIZE_MAX
			     ? bytes.length < 1024
			     : read_first_line(slice_trim(slice_first(bytes, end)), message)))
			return SIP_MORE;
		if (stream)
			return SIP_BROKEN;
		head = bytes.length;
	}
	if (!read_head(slice_first(bytes, head), message))
		return SIP_BROKEN;
	left = bytes.length - head;
	value = sip_header(message, SIP_CONTENT_LENGTH);
	if (value.length && slice_number(value, 0, (int64_t)SIP_MESSAGE_MAX, &length) < 0)
		return SIP_BROKEN;
	if (!stream && !value.length)
		length = (int64_t)left;
	if (left < (size_t)length) {
		if (stream)
			return head + (size_t)length > SIP_MESSAGE_MAX ? SIP_BROKEN : SIP_MORE;
		length = (int64_t)left;
	}
	message->body = slice_first(slice_from(bytes, head), (size_t)length);
	*used = blank + head + (size_t)length;
	return SIP_READY;
}

struct slice sip_header(const struct sip_message *message, enum sip_header_name name)
{
	for (size_t i = 0; i < message->count; i++) {
		if (message->headers[i].name == name)
			return message->headers[i].value;
	}
	return (struct slice){0};
}

struct slice sip_parameter(struct slice value, const char *name)
{
	size_t behind = slice_find_byte(value, '>');
	struct slice part, key;

	if (behind != SIZE_MAX)
		value = slice_from(value, behind + 1);
	part = sip_cut(&value, ';');
	while (slice_next(&value, ';', &part)) {
		part = slice_trim(part);
		key = sip_cut(&part, '=');
		if (slice_is_nocase(slice_trim(key), name))
			return slice_trim(part);
	}
	return (struct slice){0};
}

struct slice sip_address(struct slice value)
{
	size_t open = slice_find_byte(value, '<');
	struct slice uri;

	if (open == SIZE_MAX) {
		uri = sip_cut(&value, ';');
		return slice_trim(uri);
	}
	value = slice_from(value, open + 1);
	uri = sip_cut(&value, '>');
	return slice_trim(uri);
}

struct slice sip_user(struct slice uri)
{
	size_t colon = slice_find_byte(uri, ':'), at = slice_find_byte(uri, '@');
	struct slice user;

	if (slice_starts_nocase(uri, "tel:"))
		at = uri.length;
	if (at == SIZE_MAX || (colon != SIZE_MAX && colon > at))
		return (struct slice){0};
	user = slice_first(uri, at);
	user = slice_from(user, colon == SIZE_MAX ? 0 : colon + 1);
	user = slice_first(user, slice_find_byte(user, ';'));
	user = slice_first(user, slice_find_byte(user, ':'));
	return user;
}

void sip_unfold(struct writer *out, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		if (value.at[i] != '\r' && value.at[i] != '\n')
			writer_u8(out, value.at[i]);
	}
}
