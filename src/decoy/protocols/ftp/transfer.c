/* The data connection: where it is to be, and what goes over it.
 *
 * vsftpd first waits for the connection, then says 150, then moves the bytes, then says 226. Active
 * mode is agreed to and never carried out: the decoy connects to nobody.
 */
#include "decoy/protocols/ftp/ftp.h"

#define ACCEPT_WAIT (60 * SECOND) /* vsftpd's accept_timeout */
#define FIRST_PORT  1024          /* lower ones are refused: bounce attacks aim there */

/* --- where --- */

static void drop_way(struct ftp *ftp)
{
	ftp->way = WAY_NONE;
}

static bool listen_channel(struct ftp_call *call, uint16_t *port)
{
	drop_way(call->ftp);
	if (session_channel_listen(call->session, port) < 0) {
		session_text(call->session, "425 Failed to establish connection.\r\n");
		return false;
	}
	call->ftp->way = WAY_PASSIVE;
	return true;
}

void ftp_pasv(struct ftp_call *call)
{
	const struct ftp_options *options = session_options(call->session);
	struct address own = session_local(call->session)->address;
	uint16_t port;

	if (call->ftp->all_extended) {
		session_text(call->session, "550 Permission denied.\r\n");
		return;
	}
	if (!listen_channel(call, &port))
		return;
	if (options && options->passive_address &&
	    address_parse(slice_text(options->passive_address), &own) < 0)
		own = session_local(call->session)->address;
	if (own.family != 4)
		own = address_v4(0); /* as vsftpd on IPv6: clients then use the address they know */
	session_print(call->session, "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n",
		      own.bytes[0], own.bytes[1], own.bytes[2], own.bytes[3], port >> 8,
		      port & 255u);
}

void ftp_epsv(struct ftp_call *call)
{
	const char *family = session_local(call->session)->address.family == 6 ? "2" : "1";
	uint16_t port;

	if (slice_is_nocase(call->argument, "ALL")) {
		call->ftp->all_extended = true;
		session_text(call->session, "200 EPSV ALL ok.\r\n");
	} else if (call->argument.length && !slice_is(call->argument, family)) {
		session_text(call->session, "522 Bad network protocol.\r\n");
	} else if (listen_channel(call, &port)) {
		session_print(call->session, "229 Entering Extended Passive Mode (|||%u|)\r\n",
			      port);
	}
}

/* "h1,h2,h3,h4,p1,p2" of PORT. */
static bool parse_port(struct slice argument, struct endpoint *to)
{
	int64_t numbers[6];
	struct slice part;
	size_t count = 0;

	while (count < ARRAY_COUNT(numbers) && slice_next(&argument, ',', &part)) {
		if (slice_number(slice_trim(part), 0, 255, &numbers[count++]) < 0)
			return false;
	}
	if (count != ARRAY_COUNT(numbers) || argument.length)
		return false;
	*to = (struct endpoint){address_v4((uint32_t)(numbers[0] << 24 | numbers[1] << 16 |
						      numbers[2] << 8 | numbers[3])),
				(uint16_t)(numbers[4] << 8 | numbers[5])};
	return true;
}

/* "|1|192.0.2.1|5000|" of EPRT; the first byte is the separator (RFC 2428). */
static bool parse_eprt(struct slice argument, struct endpoint *to)
{
	struct slice family, address, number;
	int64_t port;
	uint8_t separator;

	if (argument.length == 0)
		return false;
	separator = argument.at[0];
	argument = slice_from(argument, 1);
	if (!slice_next(&argument, separator, &family) ||
	    !slice_next(&argument, separator, &address) ||
	    !slice_next(&argument, separator, &number) ||
	    slice_number(number, 0, 65535, &port) < 0 || address_parse(address, &to->address) < 0)
		return false;
	to->port = (uint16_t)port;
	return slice_is(family, to->address.family == 6 ? "2" : "1");
}

static const char *tag_of(const struct session *session, bool parsed, const struct endpoint *to)
{
	return parsed && !address_equal(&to->address, &session_peer(session)->address)
		       ? "ftp-bounce"
		       : NULL;
}

const char *ftp_port_tag(const struct session *session, struct slice argument)
{
	struct endpoint to = {0};

	return tag_of(session, parse_port(argument, &to), &to);
}

const char *ftp_eprt_tag(const struct session *session, struct slice argument)
{
	struct endpoint to = {0};

	return tag_of(session, parse_eprt(argument, &to), &to);
}

static bool take_active(struct ftp_call *call, const struct endpoint *to)
{
	drop_way(call->ftp);
	session_channel_close(call->session);
	if (tag_of(call->session, true, to) || to->port < FIRST_PORT)
		return false;
	call->ftp->way = WAY_ACTIVE;
	return true;
}

void ftp_port(struct ftp_call *call)
{
	struct endpoint to = {0};

	if (call->ftp->all_extended)
		session_text(call->session, "550 Permission denied.\r\n");
	else if (!parse_port(call->argument, &to) || !take_active(call, &to))
		session_text(call->session, "500 Illegal PORT command.\r\n");
	else
		session_text(call->session,
			     "200 PORT command successful. Consider using PASV.\r\n");
}

/* vsftpd looks at the family before anything else: 1, or 2 where the session itself is IPv6. */
static bool eprt_family_fits(const struct ftp_call *call)
{
	struct slice rest = slice_from(call->argument, 1), family = {NULL, 0};

	if (call->argument.length && call->argument.at[0] != '|')
		return true; /* another complaint */
	(void)!slice_next(&rest, '|', &family);
	return slice_is(family, "1") ||
	       (slice_is(family, "2") && session_local(call->session)->address.family == 6);
}

void ftp_eprt(struct ftp_call *call)
{
	struct endpoint to = {0};

	if (!eprt_family_fits(call))
		session_text(call->session, "500 Bad EPRT protocol.\r\n");
	else if (!parse_eprt(call->argument, &to))
		session_text(call->session, "500 Bad EPRT command.\r\n");
	else if (!take_active(call, &to))
		session_text(call->session, "500 Illegal EPRT command.\r\n");
	else
		session_text(call->session,
			     "200 EPRT command successful. Consider using EPSV.\r\n");
}

/* --- the transfer --- */

static void finish(struct session *session, struct ftp *ftp, const char *reply)
{
	ftp->transfer = TRANSFER_NONE;
	ftp->running = false;
	ftp->restart = 0;
	drop_way(ftp);
	session_text(session, reply);
	ftp_heard(session, ftp);
	ftp_play_queue(session, ftp);
}

void ftp_transfer_cut(struct ftp *ftp)
{
	evidence_finish(ftp->evidence, NULL);
	ftp->evidence = NULL;
}

/* Hands the whole to the channel; channel_closed answers when it has left. */
static void send_all(struct session *session, struct ftp *ftp, struct slice bytes)
{
	ftp->drained = bytes.length == 0;
	session_channel_write(session, bytes);
	session_channel_close(session);
}

static void run_list(struct session *session, struct ftp *ftp)
{
	struct writer out = writer_growing(FTP_FILE_MAX);

	session_text(session, "150 Here comes the directory listing.\r\n");
	if (!ftp_make_list(session, ftp, ftp_path_slice(&ftp->desk->target),
			   ftp->transfer == TRANSFER_LIST, ftp->show_hidden, &out))
		ftp->restart = UINT64_MAX; /* no such folder: told at the end */
	send_all(session, ftp, writer_slice(&out));
	writer_free(&out);
}

static void run_fetch(struct session *session, struct ftp *ftp)
{
	struct ftp_node node = ftp_find(session, ftp, ftp_path_slice(&ftp->desk->target));
	struct writer out = writer_growing(FTP_FILE_MAX), reply = writer_growing(2048);
	struct slice rest;

	if (node.bait >= 0 && ftp_baits[node.bait].make)
		ftp_baits[node.bait].make(session_persona(session), &out);
	writer_text(&reply, "150 Opening BINARY mode data connection for ");
	ftp_write_shown(&reply, slice_of(ftp->desk->shown, ftp->desk->shown_length));
	writer_format(&reply, " (%zu bytes).\r\n", out.length);
	session_write(session, writer_slice(&reply));
	rest = slice_from(writer_slice(&out),
			  ftp->restart < out.length ? (size_t)ftp->restart : out.length);
	send_all(session, ftp, rest);
	writer_free(&reply);
	writer_free(&out);
}

static void run_store(struct session *session, struct ftp *ftp)
{
	struct slice path = ftp_path_slice(&ftp->desk->target);

	ftp->stored = 0;
	ftp->evidence = session_evidence(session, EVIDENCE_PAYLOAD, "upload", path);
	session_write(session, slice_of(ftp->desk->shown, ftp->desk->shown_length));
}

static void run(struct session *session, struct ftp *ftp)
{
	ftp->running = true;
	session_timer(session, 300 * SECOND);
	if (ftp->transfer == TRANSFER_STORE)
		run_store(session, ftp);
	else if (ftp->transfer == TRANSFER_FETCH)
		run_fetch(session, ftp);
	else
		run_list(session, ftp);
}

/* True when PASV or PORT came before; answers otherwise. */
static bool has_way(struct ftp_call *call)
{
	if (call->ftp->way == WAY_NONE)
		session_text(call->session, "425 Use PORT or PASV first.\r\n");
	return call->ftp->way != WAY_NONE;
}

static void show(struct ftp *ftp, struct slice text)
{
	text = slice_first(text, sizeof(ftp->desk->shown));
	if (text.length)
		memcpy(ftp->desk->shown, text.at, text.length);
	ftp->desk->shown_length = (uint16_t)text.length;
}

static void start(struct ftp_call *call, enum ftp_transfer transfer)
{
	struct ftp *ftp = call->ftp;

	ftp->transfer = transfer;
	if (ftp->way != WAY_PASSIVE)
		finish(call->session, ftp, "425 Failed to establish connection.\r\n");
	else if (session_channel_is_open(call->session))
		run(call->session, ftp);
	else
		session_timer(call->session, ACCEPT_WAIT);
}

static void start_list(struct ftp_call *call, enum ftp_transfer transfer)
{
	struct slice rest = call->argument, word;

	if (!has_way(call))
		return;
	call->ftp->show_hidden = false;
	while (rest.length && rest.at[0] == '-' && slice_next(&rest, ' ', &word)) {
		if (slice_find_byte(word, 'a') != SIZE_MAX)
			call->ftp->show_hidden = true;
	}
	if (!ftp_resolve(call->ftp, rest, &call->ftp->desk->target))
		call->ftp->desk->target.length = 0; /* nothing is there */
	start(call, transfer);
}

void ftp_list(struct ftp_call *call)
{
	start_list(call, TRANSFER_LIST);
}

void ftp_nlst(struct ftp_call *call)
{
	start_list(call, TRANSFER_NAMES);
}

void ftp_retr(struct ftp_call *call)
{
	struct ftp_node node;

	if (!has_way(call))
		return;
	if (!ftp_resolve(call->ftp, call->argument, &call->ftp->desk->target)) {
		session_text(call->session, "550 Failed to open file.\r\n");
		return;
	}
	node = ftp_find(call->session, call->ftp, ftp_path_slice(&call->ftp->desk->target));
	/* Uploads are evidence, never handed out again: the decoy must not spread anything. */
	if (!node.found || node.folder || node.upload) {
		session_text(call->session, "550 Failed to open file.\r\n");
		return;
	}
	show(call->ftp, call->argument);
	start(call, TRANSFER_FETCH);
}

static void start_store(struct ftp_call *call, struct slice reply)
{
	struct slice path = ftp_path_slice(&call->ftp->desk->target);
	struct ftp_node node = ftp_find(call->session, call->ftp, path);

	if (node.folder || !ftp_can_make(call->session, call->ftp, path)) {
		session_text(call->session, "553 Could not create file.\r\n");
		return;
	}
	show(call->ftp, reply);
	start(call, TRANSFER_STORE);
}

void ftp_stor(struct ftp_call *call)
{
	if (!has_way(call))
		return;
	if (!ftp_resolve(call->ftp, call->argument, &call->ftp->desk->target))
		session_text(call->session, "553 Could not create file.\r\n");
	else
		start_store(call, SLICE("150 Ok to send data.\r\n"));
}

void ftp_stou(struct ftp_call *call)
{
	uint8_t name[32], reply[64];
	struct writer w = writer_fixed(name, sizeof(name)), r = writer_fixed(reply, sizeof(reply));

	if (!has_way(call))
		return;
	writer_text(&w, "STOU");
	for (unsigned i = 1; i <= FTP_UPLOADS_MAX + 1; i++) {
		if (ftp_resolve(call->ftp, writer_slice(&w), &call->ftp->desk->target) &&
		    !ftp_find(call->session, call->ftp, ftp_path_slice(&call->ftp->desk->target))
			     .found)
			break;
		writer_clear(&w);
		writer_format(&w, "STOU.%u", i);
	}
	writer_format(&r, "150 FILE: %.*s\r\n", (int)w.length, (const char *)name);
	start_store(call, writer_slice(&r));
}

/* --- what the channel tells --- */

void ftp_channel_opened(struct session *session, void *state)
{
	struct ftp *ftp = state;

	if (ftp->transfer != TRANSFER_NONE && !ftp->running)
		run(session, ftp);
}

void ftp_channel_input(struct session *session, void *state, struct slice bytes)
{
	struct ftp *ftp = state;

	if (!ftp->running || ftp->transfer != TRANSFER_STORE)
		return; /* nobody asked for these */
	evidence_add(ftp->evidence, bytes);
	ftp->stored += bytes.length;
	session_timer(session, 300 * SECOND);
}

void ftp_channel_drained(struct session *session, void *state)
{
	struct ftp *ftp = state;

	ftp->drained = true;
}

static void finish_store(struct session *session, struct ftp *ftp)
{
	struct ftp_upload *upload = ftp_remember(session, ftp, ftp_path_slice(&ftp->desk->target));

	if (upload)
		upload->size = ftp->stored;
	ftp_transfer_cut(ftp);
	finish(session, ftp, "226 Transfer complete.\r\n");
}

void ftp_channel_closed(struct session *session, void *state)
{
	struct ftp *ftp = state;
	bool names = ftp->transfer == TRANSFER_LIST || ftp->transfer == TRANSFER_NAMES;

	if (!ftp->running) {
		if (ftp->way == WAY_PASSIVE)
			ftp->way = WAY_LOST;
		return;
	}
	if (ftp->transfer == TRANSFER_STORE)
		finish_store(session, ftp);
	else if (!ftp->drained)
		finish(session, ftp, "426 Failure writing network stream.\r\n");
	else if (names && ftp->restart == UINT64_MAX)
		finish(session, ftp, "226 Transfer done (but failed to open directory).\r\n");
	else
		finish(session, ftp,
		       names ? "226 Directory send OK.\r\n" : "226 Transfer complete.\r\n");
}
