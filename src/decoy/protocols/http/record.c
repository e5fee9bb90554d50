/* Events; see record.h. */
#include "decoy/protocols/http/record.h"
#include "decoy/protocols/http/uri.h"

#define HASHCAT_DIGEST 11400 /* the arithmetic is that of SIP (RFC 2617), and so is the form */

static void set_header(struct event *event, enum event_field field, const struct http_head *head,
		       const char *name)
{
	struct slice value = http_head_value(head, name);

	if (value.at)
		event_set_text(event, field, value);
}

static struct slice domain_of(const struct http_head *head)
{
	struct http_uri uri;
	struct slice host;

	http_uri_split(&uri, head->target);
	if (uri.host.length)
		return uri.host;
	if (slice_is(head->method, "CONNECT")) {
		host = head->target;
		slice_next(&host, ':', &uri.host);
		return uri.host;
	}
	host = http_head_value(head, "host");
	if (host.length && host.at[0] == '[')
		return host;
	slice_next(&host, ':', &uri.host);
	return uri.host;
}

void http_record_request(struct session *session, const struct http_record *record)
{
	const struct http_head *head = record->head;
	struct slice lines[EVENT_LIST_MAX], domain = domain_of(head);
	struct http_tags tags = {.count = 0};
	size_t count = head->count < EVENT_LIST_MAX ? head->count : EVENT_LIST_MAX;
	struct event *event = session_event(session, "http.request");

	event_set_text(event, FIELD_HTTP_METHOD, head->method);
	event_set_text(event, FIELD_URL_ORIGINAL, head->target);
	event_set_text(event, FIELD_HTTP_VERSION, head->version);
	if (domain.length)
		event_set_text(event, FIELD_URL_DOMAIN, domain);
	set_header(event, FIELD_USER_AGENT, head, "user-agent");
	set_header(event, FIELD_HTTP_REFERRER, head, "referer");
	for (size_t i = 0; i < count; i++)
		lines[i] = head->headers[i].line;
	if (count)
		event_set_texts(event, FIELD_HTTP_HEADERS, lines, count);
	if (record->body_size) {
		event_set_text(event, FIELD_HTTP_BODY, record->body);
		event_set_number(event, FIELD_HTTP_BODY_BYTES, (int64_t)record->body_size);
	}
	if (record->status)
		event_set_number(event, FIELD_HTTP_STATUS, record->status);
	if (record->with_raw) {
		event_set_text(event, FIELD_RAW, slice_first(head->raw, EVENT_BYTES_MAX));
		event_set_number(event, FIELD_RAW_LENGTH, (int64_t)head->raw.length);
	}
	http_tricks(&tags, head, record->body);
	if (record->tag)
		http_tags_add(&tags, record->tag);
	if (tags.count)
		event_set_texts(event, FIELD_TAGS, tags.items, tags.count);
	session_report(session, event);
	http_report_downloads(session, head, record->body);
}

/* A parameter of a Digest header. */
static struct slice digest_part(struct slice text, const char *name)
{
	struct slice item, key = {NULL, 0};

	while (slice_next(&text, ',', &item)) {
		slice_next(&item, '=', &key);
		if (!slice_is_nocase(slice_trim(key), name))
			continue;
		item = slice_trim(item);
		if (item.length >= 2 && item.at[0] == '"')
			item = slice_first(slice_from(item, 1), item.length - 2);
		return item;
	}
	return slice_of(NULL, 0);
}

static void record_digest(struct session *session, const struct http_head *head, struct slice text)
{
	static const char *const order[] = {"nonce", "cnonce", "nc", "qop"};
	uint8_t room[2048];
	struct writer response = writer_fixed(room, sizeof(room));
	struct session_login login = {.method = "digest", .hashcat_mode = HASHCAT_DIGEST};
	struct slice hash = digest_part(text, "response");

	login.user = digest_part(text, "username");
	login.domain = digest_part(text, "realm");
	writer_text(&response, "$sip$***");
	writer_bytes(&response, login.user);
	writer_u8(&response, '*');
	writer_bytes(&response, login.domain);
	writer_u8(&response, '*');
	writer_bytes(&response, head->method);
	writer_text(&response, "**");
	writer_bytes(&response, digest_part(text, "uri"));
	writer_text(&response, "*");
	for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
		writer_u8(&response, '*');
		writer_bytes(&response, digest_part(text, order[i]));
	}
	writer_text(&response, "*MD5*");
	writer_bytes(&response, hash);
	if (response.failed || hash.length == 0)
		return;
	login.response = writer_slice(&response);
	(void)session_login(session, &login);
}

static bool record_basic(struct session *session, struct slice text)
{
	uint8_t room[1024];
	struct writer decoded = writer_fixed(room, sizeof(room));
	struct session_login login = {.method = "basic"};

	if (http_base64_decode(&decoded, text) < 0 ||
	    slice_find_byte(writer_slice(&decoded), ':') == SIZE_MAX)
		return false;
	login.password = writer_slice(&decoded);
	slice_next(&login.password, ':', &login.user);
	return session_login(session, &login).allowed;
}

bool http_record_authorization(struct session *session, const struct http_head *head)
{
	struct slice value = http_head_value(head, "authorization"), scheme = {NULL, 0};

	if (!value.length)
		value = http_head_value(head, "proxy-authorization");
	slice_next(&value, ' ', &scheme);
	value = slice_trim(value);
	if (value.length == 0)
		return false;
	if (slice_is_nocase(scheme, "basic"))
		return record_basic(session, value);
	if (slice_is_nocase(scheme, "digest"))
		record_digest(session, head, value);
	if (slice_is_nocase(scheme, "bearer")) {
		struct session_login login = {.method = "bearer", .password = value};

		(void)session_login(session, &login);
	}
	return false;
}
