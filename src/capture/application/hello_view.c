/* The buffers and fingerprints of a TLS hello; see hello_view.h. */
#include "capture/application/hello_view.h"

#include "capture/fingerprint/tls_fingerprint.h"

const char *hello_version_name(int64_t version)
{
	return version == 0x0300   ? "SSLv3"
	       : version == 0x0301 ? "TLSv1"
	       : version == 0x0302 ? "TLSv1.1"
	       : version == 0x0303 ? "TLSv1.2"
	       : version == 0x0304 ? "TLSv1.3"
				   : NULL;
}

static void set_version(struct event *event, int64_t version)
{
	if (hello_version_name(version))
		event_set_words(event, FIELD_TLS_VERSION, hello_version_name(version));
}

static void tell(struct application_context *context, const struct tls_hello *hello,
		 const char *ja3, const char *ja4)
{
	struct event event;

	event_clear(&event);
	event_set_words(&event, FIELD_EVENT_ACTION,
			ja4 ? "client.fingerprint" : "server.fingerprint");
	event_set_words(&event, ja4 ? FIELD_TLS_JA3 : FIELD_TLS_JA3S, ja3);
	if (ja4)
		event_set_words(&event, FIELD_TLS_JA4, ja4);
	/* What a client offers is not what was agreed upon. */
	if (!ja4)
		set_version(&event, tls_hello_version(hello));
	if (hello->server_name.length)
		event_set_text(&event, FIELD_TLS_SERVER_NAME, hello->server_name);
	context->tell(context, &event);
}

void hello_view(struct findings_view *v, struct slice body, bool server, char transport)
{
	struct application_context *context = v->context;
	struct tls_hello *hello = arena_take(context->scratch, sizeof(*hello));
	uint8_t *room = arena_take(context->scratch, JA3_TEXT_MAX);
	struct writer text = writer_fixed(room, room ? JA3_TEXT_MAX : 0);
	char *hash = arena_take(context->scratch, JA3_HASH_MAX);
	char *ja4 = arena_take(context->scratch, JA4_MAX);

	if (!hello || !room || !hash || !ja4 || tls_hello_read(hello, body, server) < 0)
		return;
	view_fact(v, FACT_TLS_VERSION, tls_hello_version(hello));
	view_buffer(v, BUFFER_TLS_RANDOM, hello->random);
	view_buffer(v, BUFFER_TLS_RANDOM_TIME, slice_first(hello->random, 4));
	view_buffer(v, BUFFER_TLS_RANDOM_BYTES, slice_from(hello->random, 4));
	for (struct cursor c = cursor_of(hello->alpn_list); c.left;) {
		struct slice name = cursor_take(&c, cursor_u8(&c));

		if (c.failed)
			break;
		view_buffer(v, BUFFER_TLS_ALPN, name);
	}
	if (server) {
		ja3_server(hello, &text, hash);
		view_buffer(v, BUFFER_JA3S_HASH, slice_text(hash));
		view_buffer(v, BUFFER_JA3S_STRING, writer_slice(&text));
		tell(context, hello, hash, NULL);
		return;
	}
	if (hello->has_server_name)
		view_buffer(v, BUFFER_TLS_SNI, hello->server_name);
	ja3_client(hello, &text, hash);
	ja4_client(hello, transport, ja4);
	view_buffer(v, BUFFER_JA3_HASH, slice_text(hash));
	view_buffer(v, BUFFER_JA3_STRING, writer_slice(&text));
	view_buffer(v, BUFFER_JA4_HASH, slice_text(ja4));
	tell(context, hello, hash, ja4);
}
