/* Mail with attachments, read as forgivingly as mail programs do: white space, padding and line
 * ends in odd places are passed over, a message that is cut short is read as far as it goes. */
#include "capture/application/mime.h"

#define PARAMETER_PIECES_MAX 16
#define PARTS_MAX            64
#define LINE_LENGTH_MAX      998 /* RFC 5322, 2.1.1 */
#define BOUNDARY_LENGTH_MAX  254
#define HEADER_NAME_MAX      128
#define HEADER_VALUE_MAX     2000

struct walk {
	struct mime_mail *mail;
	struct arena *arena;
	struct slice boundary;
	unsigned depth, parts;
};

static void anomaly(struct mime_mail *mail, const char *name)
{
	for (size_t i = 0; i < mail->anomaly_count; i++)
		if (mail->anomalies[i] == name)
			return;
	if (mail->anomaly_count < MIME_ANOMALIES_MAX)
		mail->anomalies[mail->anomaly_count++] = name;
}

static struct writer room(struct arena *arena, size_t size)
{
	void *at = arena_take(arena, size ? size : 1);

	return writer_fixed(at, at ? size : 0);
}

/* --- headers --- */

static struct slice line_next(struct slice *rest)
{
	struct slice line;

	(void)slice_next(rest, '\n', &line);
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

struct slice mime_head(struct slice part, struct slice *body)
{
	struct slice rest = part;

	while (rest.length) {
		const uint8_t *start = rest.at;
		struct slice line = line_next(&rest);

		if (!line.length) {
			*body = rest;
			return slice_of(part.at, (size_t)(start - part.at));
		}
	}
	*body = slice_of(NULL, 0);
	return part;
}

/* Of the lines that go on with the one before. */
static size_t folded_length(struct slice block)
{
	struct slice rest = block;

	while (rest.length && (rest.at[0] == ' ' || rest.at[0] == '\t'))
		(void)line_next(&rest);
	return block.length - rest.length;
}

struct slice mime_header(struct slice block, const char *name, struct arena *arena)
{
	size_t length = strlen(name);

	while (block.length) {
		struct slice line = line_next(&block), value;
		struct writer out;

		if (!slice_starts_nocase(line, name))
			continue;
		value = slice_trim(slice_from(line, length));
		if (!value.length || value.at[0] != ':')
			continue;
		value = slice_trim(slice_from(value, 1));
		if (!block.length || (block.at[0] != ' ' && block.at[0] != '\t'))
			return value.length ? value : SLICE("");
		out = room(arena, value.length + folded_length(block));
		writer_bytes(&out, value);
		while (block.length && (block.at[0] == ' ' || block.at[0] == '\t')) {
			value = slice_trim(line_next(&block));
			if (out.length)
				writer_u8(&out, ' ');
			writer_bytes(&out, value);
		}
		return out.at ? writer_slice(&out) : slice_of(NULL, 0);
	}
	return slice_of(NULL, 0);
}

/* One "name=value" of a header: what stands before the next ';' outside quotes. */
static bool parameter_next(struct slice *rest, struct slice *key, struct slice *value)
{
	size_t at = 0, equals;
	bool quoted = false;
	struct slice part;

	if (!rest->length)
		return false;
	for (; at < rest->length && (quoted || rest->at[at] != ';'); at++)
		if (rest->at[at] == '"')
			quoted = !quoted;
		else if (rest->at[at] == '\\' && quoted)
			at++;
	part = slice_trim(slice_first(*rest, at));
	*rest = slice_from(*rest, at + 1);
	equals = slice_find_byte(part, '=');
	*key = slice_trim(slice_first(part, equals));
	*value = equals == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_from(part, equals + 1));
	return true;
}

static void put_unquoted(struct writer *out, struct slice value)
{
	bool quoted = value.length && value.at[0] == '"';

	for (size_t i = quoted; i < value.length; i++) {
		if (quoted && value.at[i] == '"')
			return;
		if (quoted && value.at[i] == '\\' && i + 1 < value.length)
			i++;
		writer_u8(out, value.at[i]);
	}
}

struct slice mime_parameter(struct slice value, const char *name, struct arena *arena)
{
	struct writer out = room(arena, value.length);
	size_t length = strlen(name);
	bool found = false;
	struct slice key, piece;
	unsigned pieces = 0;

	while (parameter_next(&value, &key, &piece) && pieces < PARAMETER_PIECES_MAX) {
		if (!slice_starts_nocase(key, name) ||
		    (key.length > length && key.at[length] != '*'))
			continue;
		if (found && key.length == length)
			continue;
		found = true;
		pieces++;
		put_unquoted(&out, piece);
	}
	return found && out.at ? writer_slice(&out) : slice_of(NULL, 0);
}

/* --- bodies --- */

static int base64_value(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z'   ? byte - 'A'
	       : byte >= 'a' && byte <= 'z' ? byte - 'a' + 26
	       : byte >= '0' && byte <= '9' ? byte - '0' + 52
	       : byte == '+'                ? 62
	       : byte == '/'                ? 63
					    : -1;
}

/* Groups of four, each with its own padding: mail programs read on behind padding. */
static void put_base64(struct writer *out, struct slice text, struct mime_mail *mail)
{
	uint32_t bits = 0;
	unsigned digits = 0, padding = 0;

	for (size_t i = 0; i < text.length && !out->failed; i++) {
		int value = base64_value(text.at[i]);

		if (value < 0 && text.at[i] != '=') {
			if (text.at[i] > ' ')
				anomaly(mail, "smtp.mime_invalid_base64");
			continue;
		}
		if (value < 0 && !digits)
			continue;
		padding += value < 0;
		bits = bits << 6 | (value < 0 ? 0 : (uint32_t)value);
		if (++digits < 4)
			continue;
		for (unsigned byte = 0; byte < 3 - (padding > 2 ? 2 : padding); byte++)
			writer_u8(out, (uint8_t)(bits >> (16 - 8 * byte)));
		bits = digits = padding = 0;
	}
	/* What is left of a group that was cut off. */
	if (digits >= 2)
		writer_u8(out, (uint8_t)(bits << 6 * (4 - digits) >> 16));
	if (digits == 3)
		writer_u8(out, (uint8_t)(bits << 6 >> 8));
}

static void put_quoted_printable(struct writer *out, struct slice text, struct mime_mail *mail)
{
	for (size_t i = 0; i < text.length; i++) {
		struct slice rest = slice_from(text, i + 1);
		int high = rest.length > 1 ? hex_value(rest.at[0]) : -1;
		int low = rest.length > 1 ? hex_value(rest.at[1]) : -1;

		if (text.at[i] != '=') {
			writer_u8(out, text.at[i]);
		} else if (high >= 0 && low >= 0) {
			writer_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else if (slice_starts(rest, "\r\n")) {
			i += 2;
		} else if (slice_starts(rest, "\n")) {
			i++;
		} else {
			anomaly(mail, "smtp.mime_invalid_qp");
			writer_u8(out, '=');
		}
	}
}

static struct slice decode(struct walk *walk, struct slice body, struct slice encoding)
{
	bool base64 = slice_contains_nocase(encoding, "base64");
	struct writer out;

	if (!base64 && !slice_contains_nocase(encoding, "quoted-printable"))
		return slice_first(body, APPLICATION_BODY_MAX);
	/* Neither grows: a decoded byte takes at least one. */
	out = room(walk->arena,
		   body.length < APPLICATION_BODY_MAX ? body.length : APPLICATION_BODY_MAX);
	if (base64)
		put_base64(&out, body, walk->mail);
	else
		put_quoted_printable(&out, body, walk->mail);
	return writer_slice(&out);
}

/* --- parts --- */

void mime_split(struct slice body, struct slice boundary,
		void (*part)(void *context, struct slice part), void *context)
{
	const uint8_t *start = NULL, *end = body.at;

	while (body.length) {
		const uint8_t *at = body.at;
		struct slice line = line_next(&body);
		struct slice after = slice_from(line, boundary.length + 2);

		if (!slice_starts(line, "--") || line.length < boundary.length + 2 ||
		    !slice_equal(slice_first(slice_from(line, 2), boundary.length), boundary) ||
		    (slice_trim(after).length && !slice_starts(after, "--"))) {
			end = body.at;
			continue;
		}
		/* The line end before a boundary belongs to it. */
		end = at;
		if (start && end > start && end[-1] == '\n')
			end--;
		if (start && end > start && end[-1] == '\r')
			end--;
		if (start)
			part(context, slice_of(start, (size_t)(end - start)));
		start = slice_starts(after, "--") ? NULL : body.at;
		end = body.at;
	}
	if (start)
		part(context, slice_of(start, (size_t)(end - start)));
}

static void read_part(struct walk *walk, struct slice part);

static void part_of(void *context, struct slice part)
{
	struct walk *walk = context, inside = *walk;

	if (walk->parts >= PARTS_MAX)
		return;
	inside.depth++;
	inside.parts++;
	read_part(&inside, part);
	walk->parts = inside.parts;
}

static struct slice name_of(struct walk *walk, struct slice head, struct slice type)
{
	struct slice disposition = mime_header(head, "Content-Disposition", walk->arena);
	struct slice name = slice_of(NULL, 0);

	if (disposition.at)
		name = mime_parameter(disposition, "filename", walk->arena);
	if (!name.at && type.at)
		name = mime_parameter(type, "name", walk->arena);
	if (!name.at && disposition.at && slice_starts_nocase(disposition, "attachment"))
		name = SLICE("");
	return name;
}

static void read_part(struct walk *walk, struct slice part)
{
	struct slice body, head = mime_head(part, &body);
	struct slice type = mime_header(head, "Content-Type", walk->arena), boundary, name;
	struct mime_mail *mail = walk->mail;

	if (type.at && slice_starts_nocase(type, "multipart/")) {
		boundary = mime_parameter(type, "boundary", walk->arena);
		if (boundary.length > BOUNDARY_LENGTH_MAX)
			anomaly(mail, "smtp.mime_long_boundary");
		if (boundary.length && walk->depth < MIME_DEPTH_MAX) {
			mime_split(body, boundary, part_of, walk);
			return;
		}
	}
	if (type.at && slice_starts_nocase(type, "message/rfc822") && walk->depth < MIME_DEPTH_MAX)
		part_of(walk, body);
	name = name_of(walk, head, type);
	if (!name.at || mail->attachment_count == MIME_ATTACHMENTS_MAX)
		return;
	body = decode(walk, body, mime_header(head, "Content-Transfer-Encoding", walk->arena));
	mail->attachments[mail->attachment_count++] =
		(struct mime_attachment){name, body.at ? body : SLICE("")};
}

static void check_lines(struct mime_mail *mail, struct slice head, struct slice message)
{
	while (message.length) {
		struct slice line = line_next(&message);

		if (line.length > LINE_LENGTH_MAX) {
			anomaly(mail, "smtp.mime_long_line");
			break;
		}
	}
	while (head.length) {
		struct slice line = line_next(&head);
		size_t colon = slice_find_byte(line, ':');

		if (colon != SIZE_MAX && colon > HEADER_NAME_MAX)
			anomaly(mail, "smtp.mime_long_header_name");
		if (line.length > HEADER_VALUE_MAX)
			anomaly(mail, "smtp.mime_long_header_value");
	}
}

void mime_read(struct mime_mail *mail, struct slice message, struct arena *arena)
{
	struct walk walk = {.mail = mail, .arena = arena};
	struct slice body, head = mime_head(message, &body);

	memset(mail, 0, sizeof(*mail));
	mail->from = mime_header(head, "From", arena);
	mail->to = mime_header(head, "To", arena);
	mail->subject = mime_header(head, "Subject", arena);
	check_lines(mail, head, message);
	read_part(&walk, message);
}
