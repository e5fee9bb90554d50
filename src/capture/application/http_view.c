/* The buffers of an HTTP message, as the Suricata user guide (HTTP keywords) describes them. */
#include "capture/application/http.h"
#include "capture/application/mime.h"

#define BUFFERS_MAX   96
#define FACTS_MAX     24
#define ANOMALIES_MAX 8

struct view {
	struct application_context *context;
	const struct http_head *head;
	struct buffer buffers[BUFFERS_MAX];
	size_t count;
	struct fact facts[FACTS_MAX];
	size_t fact_count;
	const char *anomalies[ANOMALIES_MAX];
	size_t anomaly_count;
	bool has_files;
};

static void add(struct view *v, enum buffer_id id, struct slice bytes)
{
	static const uint8_t nothing;

	if (v->count < BUFFERS_MAX && wants_buffer(v->context->wants, id))
		v->buffers[v->count++] =
			(struct buffer){id, bytes.at ? bytes : slice_of(&nothing, 0)};
}

static void add_fact(struct view *v, enum fact_id id, uint64_t value)
{
	if (v->fact_count < FACTS_MAX)
		v->facts[v->fact_count++] = (struct fact){id, (int64_t)value};
}

static void add_anomaly(struct view *v, const char *name)
{
	if (v->anomaly_count < ANOMALIES_MAX)
		v->anomalies[v->anomaly_count++] = name;
}

static void add_header(struct view *v, enum buffer_id id, const char *name)
{
	struct slice value;

	if (!wants_buffer(v->context->wants, id))
		return;
	value = http_header_value(v->head, name);
	if (value.at)
		add(v, id, value);
}

static struct writer room(struct view *v, size_t size)
{
	void *at = arena_take(v->context->scratch, size ? size : 1);

	return writer_fixed(at, at ? size : 0);
}

/* --- the target --- */

static void decode_percent(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		int high = i + 2 < text.length ? hex_value(text.at[i + 1]) : -1;
		int low = i + 2 < text.length ? hex_value(text.at[i + 2]) : -1;

		if (text.at[i] == '%' && high >= 0 && low >= 0) {
			writer_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			writer_u8(out, text.at[i]);
		}
	}
}

/* Without "//", "/./" and "/x/.." (RFC 3986, 5.2.4), in place. */
static size_t normalise_path(uint8_t *path, size_t length)
{
	size_t out = 0;

	for (size_t i = 0; i < length;) {
		size_t end = i + 1;

		if (path[i] != '/') {
			path[out++] = path[i++];
			continue;
		}
		while (end < length && path[end] != '/')
			end++;
		if (end == i + 1 && end < length) { /* // */
			i = end;
		} else if (end == i + 2 && path[i + 1] == '.') {
			i = end;
			if (end == length)
				path[out++] = '/';
		} else if (end == i + 3 && path[i + 1] == '.' && path[i + 2] == '.') {
			while (out && path[--out] != '/')
				;
			i = end;
			if (end == length)
				path[out++] = '/';
		} else {
			memmove(path + out, path + i, end - i);
			out += end - i;
			i = end;
		}
	}
	return out;
}

/* The path and query of a target that may be a whole URL; *host is its host, if there is one. */
static struct slice strip_origin(struct slice target, struct slice *host)
{
	size_t colon = slice_find(target, SLICE("://"));
	struct slice rest;
	size_t end = 0;

	*host = slice_of(NULL, 0);
	if (colon == SIZE_MAX || colon > 10 || slice_starts(target, "/"))
		return target;
	rest = slice_from(target, colon + 3);
	while (end < rest.length && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	*host = slice_first(rest, end);
	return end == rest.length ? SLICE("/") : slice_from(rest, end);
}

static struct slice normal_target(struct view *v, struct slice target)
{
	size_t question = slice_find_byte(target, '?');
	struct slice path = slice_first(target, question);
	struct writer out = room(v, target.length + 1);

	path = slice_first(path, slice_find_byte(path, '#'));
	decode_percent(&out, path);
	if (out.at)
		out.length = normalise_path(out.at, out.length);
	if (question != SIZE_MAX) {
		struct slice query = slice_from(target, question);

		query = slice_first(query, slice_find_byte(query, '#'));
		decode_percent(&out, query);
	}
	return writer_slice(&out);
}

/* --- headers --- */

static bool is_cookie(const struct view *v, struct slice name, enum direction direction)
{
	return slice_is_nocase(name, direction == TO_SERVER ? "Cookie" : "Set-Cookie");
}

static size_t room_for_headers(const struct view *v)
{
	size_t size = v->head->line.length + 8;

	for (size_t i = 0; i < v->head->header_count; i++)
		size += v->head->headers[i].name.length + v->head->headers[i].value.length + 4;
	return size;
}

static void put_header(struct writer *out, const struct http_header *header)
{
	writer_bytes(out, header->name);
	writer_text(out, ": ");
	writer_bytes(out, header->value);
}

static void add_header_buffers(struct view *v, enum direction direction)
{
	enum buffer_id each =
		direction == TO_SERVER ? BUFFER_HTTP_REQUEST_HEADER : BUFFER_HTTP_RESPONSE_HEADER;
	const struct http_head *head = v->head;
	const struct wants *wants = v->context->wants;

	if (wants_buffer(wants, BUFFER_HTTP_HEADER)) {
		struct writer out = room(v, room_for_headers(v));

		for (size_t i = 0; i < head->header_count; i++)
			if (!is_cookie(v, head->headers[i].name, direction)) {
				put_header(&out, &head->headers[i]);
				writer_text(&out, "\r\n");
			}
		writer_text(&out, "\r\n");
		add(v, BUFFER_HTTP_HEADER, writer_slice(&out));
	}
	if (wants_buffer(wants, BUFFER_HTTP_HEADER_NAMES)) {
		struct writer out = room(v, room_for_headers(v));

		writer_text(&out, "\r\n");
		for (size_t i = 0; i < head->header_count; i++) {
			writer_bytes(&out, head->headers[i].name);
			writer_text(&out, "\r\n");
		}
		writer_text(&out, "\r\n");
		add(v, BUFFER_HTTP_HEADER_NAMES, writer_slice(&out));
	}
	if (wants_buffer(wants, BUFFER_HTTP_START)) {
		struct writer out = room(v, head->raw.length + 8);

		writer_bytes(&out, head->line);
		writer_text(&out, "\r\n");
		writer_bytes(&out, head->block);
		add(v, BUFFER_HTTP_START, writer_slice(&out));
	}
	add(v, BUFFER_HTTP_HEADER_RAW, head->block);
	if (wants_buffer(wants, each))
		for (size_t i = 0; i < head->header_count; i++) {
			struct writer out = room(v, head->headers[i].name.length +
							    head->headers[i].value.length + 2);

			put_header(&out, &head->headers[i]);
			add(v, each, writer_slice(&out));
		}
	add_header(v, BUFFER_HTTP_CONTENT_TYPE, "Content-Type");
	add_header(v, BUFFER_HTTP_CONTENT_LENGTH, "Content-Length");
	add_header(v, BUFFER_HTTP_CONNECTION, "Connection");
	add_header(v, BUFFER_HTTP_COOKIE, direction == TO_SERVER ? "Cookie" : "Set-Cookie");
}

/* --- both sides --- */

static void add_host(struct view *v, struct slice host)
{
	struct slice value = host.at ? host : http_header_value(v->head, "Host");
	struct writer out;
	size_t colon;

	if (!value.at)
		return;
	add(v, BUFFER_HTTP_HOST_RAW, value);
	if (!wants_buffer(v->context->wants, BUFFER_HTTP_HOST))
		return;
	colon = value.length;
	while (colon && value.at[colon - 1] >= '0' && value.at[colon - 1] <= '9')
		colon--;
	if (colon && value.at[colon - 1] == ':')
		value = slice_first(value, colon - 1);
	out = room(v, value.length);
	for (size_t i = 0; i < value.length; i++)
		writer_u8(&out, ascii_lower(value.at[i]));
	add(v, BUFFER_HTTP_HOST, writer_slice(&out));
}

struct slice http_file_name(struct slice target)
{
	struct slice host, path = strip_origin(target, &host);
	size_t start;

	path = slice_first(path, slice_find_byte(path, '?'));
	path = slice_first(path, slice_find_byte(path, '#'));
	start = path.length;
	while (start && path.at[start - 1] != '/')
		start--;
	return slice_from(path, start);
}

/* A part of a form that is a file has a name. */
static void view_form_part(void *context, struct slice part)
{
	struct view *v = context;
	struct slice body, head = mime_head(part, &body), disposition, name;

	disposition = mime_header(head, "Content-Disposition", v->context->scratch);
	name = disposition.at ? mime_parameter(disposition, "filename", v->context->scratch)
			      : slice_of(NULL, 0);
	if (!name.at)
		return;
	v->has_files = true;
	add(v, BUFFER_FILE_NAME, name);
	add(v, BUFFER_FILE, body);
	add_fact(v, FACT_FILE_SIZE, body.length);
}

static void view_request_body(struct view *v, const struct http_message *message)
{
	struct slice body = message->body, boundary = {NULL, 0};
	struct slice encodings = http_header_value(v->head, "Content-Encoding");
	struct slice type = http_header_value(v->head, "Content-Type");

	if (!body.length)
		return;
	if (encodings.length && (wants_buffer(v->context->wants, BUFFER_FILE) ||
				 wants_buffer(v->context->wants, BUFFER_HTTP_REQUEST_BODY)))
		body = http_decode(encodings, body, v->context->scratch);
	add(v, BUFFER_HTTP_REQUEST_BODY, body);
	if (type.length && slice_starts_nocase(type, "multipart/"))
		boundary = mime_parameter(type, "boundary", v->context->scratch);
	if (boundary.length)
		mime_split(body, boundary, view_form_part, v);
	if (v->has_files)
		return;
	if (*message->file)
		add(v, BUFFER_FILE_NAME, slice_text(message->file));
	add(v, BUFFER_FILE, body);
	add_fact(v, FACT_FILE_SIZE, encodings.length ? body.length : message->body_length);
}

static void check_request(struct view *v, const struct http_message *message)
{
	const struct http_head *head = v->head;
	struct slice chunked = http_header_value(head, "Transfer-Encoding");
	struct slice allowed = http_header_value(head, "Authorization");

	if (message->anomalies & HTTP_CHUNK_EXTENSION)
		add_anomaly(v, "http.request_chunk_extension");
	if (chunked.at && !slice_is_nocase(chunked, "chunked"))
		add_anomaly(v, "http.invalid_transfer_encoding_value_in_request");
	if (!head->words[2].length)
		add_anomaly(v, "http.request_line_missing_protocol");
	if (slice_is(head->words[2], "HTTP/1.1") && !http_header_value(head, "Host").at)
		add_anomaly(v, "http.missing_host_header");
	if (allowed.at && !slice_starts_nocase(allowed, "Basic") &&
	    !slice_starts_nocase(allowed, "Digest") && !slice_starts_nocase(allowed, "Bearer"))
		add_anomaly(v, "http.request_auth_unrecognized");
}

static void view_request(struct view *v, const struct http_message *message)
{
	const struct http_head *head = v->head;
	struct slice host, target = strip_origin(head->words[1], &host), normal;

	normal = normal_target(v, target);
	add(v, BUFFER_HTTP_METHOD, head->words[0]);
	add(v, BUFFER_HTTP_URI, normal);
	add(v, BUFFER_HTTP_URI_RAW, head->words[1]);
	add(v, BUFFER_HTTP_PROTOCOL, head->words[2].length ? head->words[2] : SLICE("HTTP/0.9"));
	add(v, BUFFER_HTTP_REQUEST_LINE, head->line);
	add_fact(v, FACT_HTTP_URI_LENGTH, normal.length);
	add_fact(v, FACT_HTTP_URI_RAW_LENGTH, head->words[1].length);
	add_host(v, host);
	add_header(v, BUFFER_HTTP_USER_AGENT, "User-Agent");
	add_header(v, BUFFER_HTTP_REFERER, "Referer");
	add_header(v, BUFFER_HTTP_ACCEPT, "Accept");
	add_header(v, BUFFER_HTTP_ACCEPT_LANGUAGE, "Accept-Language");
	add_header(v, BUFFER_HTTP_ACCEPT_ENCODING, "Accept-Encoding");
	view_request_body(v, message);
	check_request(v, message);
}

static void view_response(struct view *v, const struct http_message *message)
{
	const struct http_head *head = v->head;
	struct slice body = message->body;
	struct slice encodings = http_header_value(head, "Content-Encoding");

	add(v, BUFFER_HTTP_STATUS, head->words[1]);
	add(v, BUFFER_HTTP_STATUS_MESSAGE, head->words[2]);
	add(v, BUFFER_HTTP_PROTOCOL, head->words[0]);
	add(v, BUFFER_HTTP_RESPONSE_LINE, head->line);
	add_header(v, BUFFER_HTTP_SERVER, "Server");
	add_header(v, BUFFER_HTTP_LOCATION, "Location");
	if (!body.length)
		return;
	if (encodings.length && (wants_buffer(v->context->wants, BUFFER_FILE) ||
				 wants_buffer(v->context->wants, BUFFER_HTTP_RESPONSE_BODY)))
		body = http_decode(encodings, body, v->context->scratch);
	if (wants_buffer(v->context->wants, BUFFER_FILE_NAME)) {
		struct slice disposition = http_header_value(head, "Content-Disposition"), name;

		name = disposition.at ? mime_parameter(disposition, "filename", v->context->scratch)
				      : slice_of(NULL, 0);
		if (!name.at)
			name = slice_text(message->file);
		if (name.length)
			add(v, BUFFER_FILE_NAME, name);
	}
	add(v, BUFFER_HTTP_RESPONSE_BODY, body);
	add(v, BUFFER_FILE, body);
	/* Compressed without saying so in a header that all understand. */
	if (body.at == message->body.at && slice_starts(body, "\x1f\x8b\x08")) {
		body = http_decode(SLICE("gzip"), body, v->context->scratch);
		add(v, BUFFER_HTTP_RESPONSE_BODY, body);
		add(v, BUFFER_FILE, body);
	}
	add_fact(v, FACT_FILE_SIZE, encodings.length ? body.length : message->body_length);
}

void http_view(struct application_context *context, const struct http_message *message,
	       uint64_t transaction)
{
	struct view v;
	struct findings findings;

	v.context = context;
	v.head = message->head;
	v.count = v.fact_count = v.anomaly_count = 0;
	v.has_files = false;
	if (message->direction == TO_SERVER)
		view_request(&v, message);
	else
		view_response(&v, message);
	add_header_buffers(&v, message->direction);
	findings = (struct findings){.buffers = v.buffers,
				     .buffer_count = v.count,
				     .facts = v.facts,
				     .fact_count = v.fact_count,
				     .anomalies = v.anomalies,
				     .anomaly_count = v.anomaly_count};
	context->inspect(context, message->direction, transaction, &findings);
}
