/* FTP: protocol, options, lines and commands of the control connection. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/protocols/ftp/ftp.h"

#define IDLE         (300 * SECOND) /* vsftpd's idle_session_timeout */
#define LOGIN_DELAY  (3 * SECOND)   /* of PAM and delay_failed_login */
#define FAILURES_MAX 3              /* vsftpd's max_login_fails */
#define VERB_MAX     16
#define IAC          0xff

static_assert(sizeof(struct ftp) < 200, "what lives long belongs on the desk");

static const struct directive directives[] = {
	{.name = "anonymous",
	 .type = DIRECTIVE_BOOLEAN,
	 .offset = offsetof(struct ftp_options, anonymous),
	 .standard = "true",
	 .help = "Whether the users anonymous and ftp get in with any password."},
	{.name = "passive-address",
	 .type = DIRECTIVE_TEXT,
	 .offset = offsetof(struct ftp_options, passive_address),
	 .help = "IPv4 address that PASV announces, for a sensor behind address translation."},
};

static const struct config_section section = {
	.path = "services[] of protocol ftp",
	.directives = directives,
	.count = ARRAY_COUNT(directives),
	.help = "FTP as vsftpd 3.0.3 speaks it.",
};

void ftp_write_shown(struct writer *out, struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		writer_u8(out, text.at[i] < 0x20 || text.at[i] == 0x7f ? '?' : text.at[i]);
}

void ftp_heard(struct session *session, struct ftp *ftp)
{
	if (!ftp->leaving)
		session_timer(session, IDLE);
}

static void leave(struct ftp_call *call, const char *words, const char *reason)
{
	session_text(call->session, words);
	call->ftp->leaving = true;
	session_close(call->session, reason);
}

static void reply(struct ftp_call *call, const char *words)
{
	session_text(call->session, words);
}

/* --- who --- */

static struct slice user_of(const struct ftp *ftp)
{
	return slice_of(ftp->desk->user, ftp->desk->user_length);
}

static void do_user(struct ftp_call *call)
{
	struct ftp *ftp = call->ftp;
	struct slice user = slice_first(call->argument, FTP_USER_MAX);

	if (ftp->logged_in && ftp->guest) {
		reply(call, "530 Can't change from guest user.\r\n");
	} else if (ftp->logged_in) {
		reply(call, slice_equal(user, user_of(ftp))
				    ? "331 Any password will do.\r\n"
				    : "530 Can't change to another user.\r\n");
	} else {
		if (user.length)
			memcpy(ftp->desk->user, user.at, user.length);
		ftp->desk->user_length = (uint16_t)user.length;
		ftp->has_user = true;
		reply(call, "331 Please specify the password.\r\n");
	}
}

static bool is_guest(const struct ftp_call *call)
{
	const struct ftp_options *options = session_options(call->session);
	struct slice user = user_of(call->ftp);

	return options && options->anonymous &&
	       (slice_is_nocase(user, "anonymous") || slice_is_nocase(user, "ftp"));
}

/* Guests are let in by the service's option, not by the access policy. */
static void report_guest(struct ftp_call *call)
{
	struct event *event = session_event(call->session, "auth.attempt");

	event_set_words(event, FIELD_EVENT_OUTCOME, "success");
	event_set_text(event, FIELD_USER_NAME, user_of(call->ftp));
	event_set_words(event, FIELD_AUTH_METHOD, "password");
	event_set_text(event, FIELD_AUTH_PASSWORD, call->argument);
	event_set_words(event, FIELD_AUTH_RULE, "anonymous");
	event_set_words(event, FIELD_AUTH_DEPTH, access_depth_names[ACCESS_USER]);
	session_report(call->session, event);
}

static void do_pass(struct ftp_call *call)
{
	struct ftp *ftp = call->ftp;
	struct session_login login = {
		.method = "password", .user = user_of(ftp), .password = call->argument};

	if (ftp->logged_in) {
		reply(call, "230 Already logged in.\r\n");
		return;
	}
	if (!ftp->has_user) {
		reply(call, "503 Login with USER first.\r\n");
		return;
	}
	ftp->has_user = false;
	ftp->guest = is_guest(call);
	if (ftp->guest)
		report_guest(call);
	if (ftp->guest || session_login(call->session, &login).allowed) {
		ftp->logged_in = true;
		reply(call, "230 Login successful.\r\n");
		return;
	}
	session_delay(call->session, LOGIN_DELAY);
	if (++ftp->failures >= FAILURES_MAX)
		leave(call, "530 Login incorrect.\r\n", "login failures");
	else
		reply(call, "530 Login incorrect.\r\n");
}

static void do_quit(struct ftp_call *call)
{
	leave(call, "221 Goodbye.\r\n", "quit");
}

/* --- about the server --- */

static void do_stat(struct ftp_call *call)
{
	char address[ADDRESS_TEXT_MAX];
	struct writer out = writer_growing(FTP_FILE_MAX);
	struct ftp_path path;

	if (call->argument.length) {
		writer_text(&out, "213-Status follows:\r\n");
		if (ftp_resolve(call->ftp, call->argument, &path))
			(void)!ftp_make_list(call->session, call->ftp, ftp_path_slice(&path), true,
					     true, &out);
		writer_text(&out, "213 End of status\r\n");
	} else {
		address_text(&session_peer(call->session)->address, address);
		writer_format(
			&out,
			"211-FTP server status:\r\n     Connected to %s\r\n     Logged in as ",
			address);
		ftp_write_shown(&out, call->ftp->guest ? SLICE("ftp") : user_of(call->ftp));
		writer_format(&out,
			      "\r\n     TYPE: %s\r\n"
			      "     No session bandwidth limit\r\n"
			      "     Session timeout in seconds is 300\r\n"
			      "     Control connection is plain text\r\n"
			      "     Data connections will be plain text\r\n"
			      "     At session startup, client count was 1\r\n"
			      "     vsFTPd 3.0.3 - secure, fast, stable\r\n"
			      "211 End of status\r\n",
			      call->ftp->ascii ? "ASCII" : "BINARY");
	}
	session_write(call->session, writer_slice(&out));
	writer_free(&out);
}

static void do_type(struct ftp_call *call)
{
	static const struct {
		const char *argument;
		bool ascii;
	} types[] = {{"I", false}, {"L8", false}, {"L 8", false}, {"A", true}, {"A N", true}};

	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (slice_is_nocase(call->argument, types[i].argument)) {
			call->ftp->ascii = types[i].ascii;
			reply(call, types[i].ascii ? "200 Switching to ASCII mode.\r\n"
						   : "200 Switching to Binary mode.\r\n");
			return;
		}
	}
	reply(call, "500 Unrecognised TYPE command.\r\n");
}

static void do_mode(struct ftp_call *call)
{
	reply(call, slice_is_nocase(call->argument, "S") ? "200 Mode set to S.\r\n"
							 : "504 Bad MODE command.\r\n");
}

static void do_stru(struct ftp_call *call)
{
	reply(call, slice_is_nocase(call->argument, "F") ? "200 Structure set to F.\r\n"
							 : "504 Bad STRU command.\r\n");
}

static void do_opts(struct ftp_call *call)
{
	reply(call, slice_is_nocase(call->argument, "UTF8 ON") ? "200 Always in UTF8 mode.\r\n"
							       : "501 Option not understood.\r\n");
}

static void do_rest(struct ftp_call *call)
{
	int64_t position;

	if (slice_number(call->argument, 0, INT64_MAX, &position) < 0)
		position = 0;
	call->ftp->restart = (uint64_t)position;
	session_print(call->session, "350 Restart position accepted (%lld).\r\n",
		      (long long)position);
}

/* --- files --- */

/* The node that the argument names; *path is its place. */
static struct ftp_node node_of(struct ftp_call *call, struct ftp_path *path)
{
	if (call->argument.length == 0 || !ftp_resolve(call->ftp, call->argument, path)) {
		path->length = 0; /* no place at all: nothing can be made there */
		return (struct ftp_node){.bait = -1};
	}
	return ftp_find(call->session, call->ftp, ftp_path_slice(path));
}

static void reply_path(struct ftp_call *call, const struct ftp_path *path, const char *after)
{
	struct writer out = writer_growing(4096);

	writer_text(&out, "257 \"");
	for (size_t i = 0; i < path->length; i++) {
		if (path->at[i] == '"')
			writer_u8(&out, '"');
		ftp_write_shown(&out, slice_of(path->at + i, 1));
	}
	writer_format(&out, "\" %s\r\n", after);
	session_write(call->session, writer_slice(&out));
	writer_free(&out);
}

static void do_pwd(struct ftp_call *call)
{
	reply_path(call, &call->ftp->desk->folder, "is the current directory");
}

static void do_cwd(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node;

	if (slice_is(call->argument, "~"))
		call->argument = SLICE("/");
	node = node_of(call, &path);
	if (!node.found || !node.folder) {
		reply(call, "550 Failed to change directory.\r\n");
		return;
	}
	call->ftp->desk->folder = path;
	reply(call, "250 Directory successfully changed.\r\n");
}

/* A browser that was sent here to attack: vsftpd says so and hangs up. */
static void do_http(struct ftp_call *call)
{
	reply(call, "500 HTTP protocol commands not allowed.\r\n");
	call->ftp->leaving = true;
	session_close(call->session, "http");
}

static void do_cdup(struct ftp_call *call)
{
	call->argument = SLICE("..");
	do_cwd(call);
}

static void do_mkd(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node = node_of(call, &path);
	struct ftp_upload *made = NULL;

	if (!node.found && ftp_can_make(call->session, call->ftp, ftp_path_slice(&path)))
		made = ftp_remember(call->session, call->ftp, ftp_path_slice(&path));
	if (!made) {
		reply(call, "550 Create directory operation failed.\r\n");
		return;
	}
	made->folder = true;
	made->size = 4096;
	reply_path(call, &path, "created");
}

static void do_rmd(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node = node_of(call, &path);

	if (!node.upload || !node.folder ||
	    !ftp_is_empty(call->session, call->ftp, ftp_path_slice(&path))) {
		reply(call, "550 Remove directory operation failed.\r\n");
		return;
	}
	node.upload->gone = true;
	reply(call, "250 Remove directory operation successful.\r\n");
}

static void do_dele(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node = node_of(call, &path);

	if (!node.upload || node.folder) {
		reply(call, "550 Delete operation failed.\r\n");
		return;
	}
	node.upload->gone = true;
	reply(call, "250 Delete operation successful.\r\n");
}

static void do_rnfr(struct ftp_call *call)
{
	struct ftp_node node = node_of(call, &call->ftp->desk->rename);

	call->ftp->has_rename = node.found;
	reply(call, node.found ? "350 Ready for RNTO.\r\n" : "550 RNFR command failed.\r\n");
}

static void do_rnto(struct ftp_call *call)
{
	struct ftp *ftp = call->ftp;
	struct ftp_path path;
	struct ftp_node to, from;
	struct ftp_upload *made = NULL;

	if (!ftp->has_rename) {
		reply(call, "503 RNFR required first.\r\n");
		return;
	}
	ftp->has_rename = false;
	to = node_of(call, &path);
	from = ftp_find(call->session, ftp, ftp_path_slice(&ftp->desk->rename));
	if (from.upload && !from.folder && !to.found &&
	    ftp_can_make(call->session, ftp, ftp_path_slice(&path)))
		made = ftp_remember(call->session, ftp, ftp_path_slice(&path));
	if (!made) {
		reply(call, "550 Rename failed.\r\n");
		return;
	}
	made->size = from.size;
	made->modified = from.modified;
	from.upload->gone = true;
	reply(call, "250 Rename successful.\r\n");
}

static void do_size(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node = node_of(call, &path);

	if (node.found && !node.folder)
		session_print(call->session, "213 %llu\r\n", (unsigned long long)node.size);
	else
		reply(call, "550 Could not get file size.\r\n");
}

static void do_mdtm(struct ftp_call *call)
{
	struct ftp_path path;
	struct ftp_node node = node_of(call, &path);
	struct civil_time t = clock_civil(node.modified);

	if (node.found && !node.folder)
		session_print(call->session, "213 %04d%02d%02d%02d%02d%02d\r\n", t.year, t.month,
			      t.day, t.hour, t.minute, t.second);
	else
		reply(call, "550 Could not get file modification time.\r\n");
}

static void do_site(struct ftp_call *call)
{
	struct slice rest = call->argument, word = {NULL, 0}, mode;
	struct ftp_path path;
	struct ftp_node node;

	(void)!slice_next(&rest, ' ', &word);
	if (slice_is_nocase(word, "HELP")) {
		reply(call, "214 CHMOD UMASK HELP\r\n");
	} else if (slice_is_nocase(word, "UMASK")) {
		reply(call, rest.length ? "200 UMASK set to 022\r\n"
					: "200 Your current UMASK is 022\r\n");
	} else if (slice_is_nocase(word, "CHMOD")) {
		if (!slice_next(&rest, ' ', &mode) || rest.length == 0) {
			reply(call, "500 SITE CHMOD needs 2 arguments.\r\n");
			return;
		}
		call->argument = rest;
		node = node_of(call, &path);
		reply(call, node.upload ? "200 SITE CHMOD command ok.\r\n"
					: "550 SITE CHMOD command failed.\r\n");
	} else {
		reply(call, "500 Unknown SITE command.\r\n");
	}
}

/* --- the table --- */

static const char features[] =
	"211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n"
	" SIZE\r\n TVFS\r\n211 End\r\n";
static const char help[] =
	"214-The following commands are recognized.\r\n"
	" ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\r\n"
	" MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN REST RETR RMD  RNFR\r\n"
	" RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD\r\n"
	" XPWD XRMD\r\n"
	"214 Help OK.\r\n";

static const struct command {
	const char *name;
	bool needs_login;
	void (*handle)(struct ftp_call *call); /* NULL: `words` are the whole answer */
	const char *words;
	const char *(*tag)(const struct session *session, struct slice argument);
} commands[] = {
	{"USER", false, do_user},
	{"PASS", false, do_pass},
	{"QUIT", false, do_quit},
	{"FEAT", false, NULL, features},
	{"OPTS", false, do_opts},
	{"SYST", true, NULL, "215 UNIX Type: L8\r\n"},
	{"HELP", true, NULL, help},
	{"NOOP", true, NULL, "200 NOOP ok.\r\n"},
	{"ALLO", true, NULL, "202 ALLO command ignored.\r\n"},
	{"ACCT", true, NULL, "502 ACCT not implemented.\r\n"},
	{"SMNT", true, NULL, "502 SMNT not implemented.\r\n"},
	{"REIN", true, NULL, "502 REIN not implemented.\r\n"},
	{"ABOR", true, NULL, "225 No transfer to ABOR.\r\n"},
	{"STAT", true, do_stat},
	{"TYPE", true, do_type},
	{"MODE", true, do_mode},
	{"STRU", true, do_stru},
	{"REST", true, do_rest},
	{"SITE", true, do_site},
	{"PWD", true, do_pwd},
	{"XPWD", true, do_pwd},
	{"CWD", true, do_cwd},
	{"XCWD", true, do_cwd},
	{"CDUP", true, do_cdup},
	{"XCUP", true, do_cdup},
	{"MKD", true, do_mkd},
	{"XMKD", true, do_mkd},
	{"RMD", true, do_rmd},
	{"XRMD", true, do_rmd},
	{"DELE", true, do_dele},
	{"RNFR", true, do_rnfr},
	{"RNTO", true, do_rnto},
	{"SIZE", true, do_size},
	{"MDTM", true, do_mdtm},
	{"LIST", true, ftp_list},
	{"NLST", true, ftp_nlst},
	{"RETR", true, ftp_retr},
	{"STOR", true, ftp_stor},
	{"APPE", true, ftp_stor},
	{"STOU", true, ftp_stou},
	{"PBSZ", true, NULL, "550 Permission denied.\r\n"}, /* without ssl_enable */
	{"PROT", true, NULL, "550 Permission denied.\r\n"},
	{"GET", true, do_http},
	{"POST", true, do_http},
	{"HEAD", true, do_http},
	{"OPTIONS", true, do_http},
	{"CONNECT", true, do_http},
	{"PASV", true, ftp_pasv},
	{"EPSV", true, ftp_epsv},
	{"PORT", true, ftp_port, NULL, ftp_port_tag},
	{"EPRT", true, ftp_eprt, NULL, ftp_eprt_tag},
};

static const struct command *command_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (slice_is_nocase(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

/* --- lines --- */

static void report(struct session *session, const struct command *command, struct slice verb,
		   struct slice argument, struct slice line)
{
	const char *mark = command && command->tag ? command->tag(session, argument) : NULL;
	struct slice tag = slice_text(mark);
	struct event *event = session_event(session, "protocol.request");
	uint8_t upper[VERB_MAX];

	verb = slice_first(verb, VERB_MAX);
	for (size_t i = 0; i < verb.length; i++)
		upper[i] = verb.at[i] >= 'a' && verb.at[i] <= 'z' ? verb.at[i] & 0xdf : verb.at[i];
	event_set_text(event, FIELD_REQUEST_VERB, slice_of(upper, verb.length));
	event_set_text(event, FIELD_REQUEST_TEXT, line);
	if (mark)
		event_set_texts(event, FIELD_TAGS, &tag, 1);
	session_report(session, event);
}

/* Commands of Telnet (RFC 854) that clients put before ABOR. Returns what is left in `out`. */
static struct slice strip_telnet(struct slice line, uint8_t out[FTP_LINE_MAX])
{
	size_t length = 0;

	for (size_t i = 0; i < line.length; i++) {
		if (line.at[i] != IAC)
			out[length++] = line.at[i];
		else if (i + 1 < line.length && line.at[i + 1] >= 0xfb && line.at[i + 1] <= 0xfe)
			i += 2;
		else
			i++;
	}
	return slice_of(out, length);
}

static void play_line(struct session *session, struct ftp *ftp, struct slice line)
{
	uint8_t stripped[FTP_LINE_MAX];
	struct ftp_call call = {.session = session, .ftp = ftp};
	const struct command *command;
	struct slice verb = {NULL, 0};

	while (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	line = strip_telnet(line, stripped);
	ftp_heard(session, ftp);
	if (line.length == 0)
		return; /* vsftpd ignores these, for some address translators send them */
	call.argument = line;
	(void)!slice_next(&call.argument, ' ', &verb);
	command = command_named(verb);
	report(session, command, verb, call.argument, line);
	if (!ftp->logged_in && (!command || command->needs_login))
		reply(&call, "530 Please login with USER and PASS.\r\n");
	else if (!command)
		reply(&call, "500 Unknown command.\r\n");
	else if (command->handle)
		command->handle(&call);
	else
		reply(&call, command->words);
}

static void refuse_line(struct session *session, struct ftp *ftp, struct slice bytes)
{
	session_report_garbage(session, "line too long", bytes);
	session_text(session, "500 Input line too long.\r\n");
	ftp->leaving = true;
	session_close(session, "line too long");
}

/* Plays the first line, if there is a whole one; returns its length. */
static size_t play_first(struct session *session, struct ftp *ftp, struct slice bytes)
{
	size_t end = slice_find_byte(bytes, '\n');
	size_t length = end == SIZE_MAX ? bytes.length : end;

	if (length && bytes.at[length - 1] == '\r')
		length--; /* the limit is of the line, not of its end */
	if (length > FTP_LINE_MAX) {
		refuse_line(session, ftp, bytes);
		return bytes.length;
	}
	if (end == SIZE_MAX)
		return 0;
	play_line(session, ftp, slice_first(bytes, length));
	return end + 1;
}

/* As with vsftpd, what comes during a transfer is read after it. */
static size_t put_in_queue(struct session *session, struct ftp *ftp, struct slice bytes)
{
	struct ftp_desk *desk = ftp->desk;
	struct slice part = slice_first(bytes, sizeof(desk->queue) - desk->queued);

	if (part.length == 0) {
		refuse_line(session, ftp, bytes);
		return bytes.length;
	}
	memcpy(desk->queue + desk->queued, part.at, part.length);
	desk->queued = (uint16_t)(desk->queued + part.length);
	return part.length;
}

/* Takes the line off before it is played: it may start a transfer, during which more is queued. A
 * transfer that fails at once comes back here and leaves the rest to the loop below. */
void ftp_play_queue(struct session *session, struct ftp *ftp)
{
	struct ftp_desk *desk = ftp->desk;
	uint8_t line[sizeof(desk->queue)];
	size_t end;

	if (!desk || ftp->playing)
		return;
	ftp->playing = true;
	while (!ftp->leaving && ftp->transfer == TRANSFER_NONE &&
	       (end = slice_find_byte(slice_of(desk->queue, desk->queued), '\n')) != SIZE_MAX) {
		memcpy(line, desk->queue, end + 1);
		desk->queued = (uint16_t)(desk->queued - (end + 1));
		memmove(desk->queue, desk->queue + end + 1, desk->queued);
		(void)!play_first(session, ftp, slice_of(line, end + 1));
	}
	ftp->playing = false;
}

static size_t ftp_input(struct session *session, void *state, struct slice bytes)
{
	struct ftp *ftp = state;

	if (ftp->leaving)
		return bytes.length;
	if (!ftp->desk) {
		ftp->desk = arena_take(session_arena(session), sizeof(*ftp->desk));
		if (!ftp->desk)
			return bytes.length;
		ftp->desk->folder.length = 1;
		ftp->desk->folder.at[0] = '/';
	}
	/* Half a line that waited in the queue comes before what comes now. */
	if (ftp->transfer != TRANSFER_NONE || ftp->desk->queued) {
		size_t used = put_in_queue(session, ftp, bytes);

		ftp_play_queue(session, ftp);
		return used;
	}
	return play_first(session, ftp, bytes);
}

static void ftp_opened(struct session *session, void *state)
{
	session_print(session, "220 %s\r\n",
		      persona_text(session_persona(session), "ftp.banner", "(vsFTPd 3.0.3)"));
	session_idle(session, IDLE + 10 * SECOND); /* the timer speaks first */
	session_timer(session, IDLE);
}

static void ftp_timer(struct session *session, void *state)
{
	struct ftp *ftp = state;
	struct ftp_call call = {.session = session, .ftp = ftp};

	if (ftp->transfer != TRANSFER_NONE && !ftp->running) {
		ftp->transfer = TRANSFER_NONE;
		ftp->way = WAY_NONE;
		session_channel_close(session);
		session_text(session, "425 Failed to establish connection.\r\n");
		ftp_heard(session, ftp);
		ftp_play_queue(session, ftp);
	} else if (ftp->running) {
		leave(&call, "421 Data timeout. Reconnect. Sorry.\r\n", "data timeout");
	} else {
		leave(&call, "421 Timeout.\r\n", "timeout");
	}
}

static void ftp_closed(struct session *session, void *state)
{
	ftp_transfer_cut(state);
}

static int ftp_prepare(void *options, const struct persona *persona, const char *share_folder,
		       struct arena *arena, char **why)
{
	const struct ftp_options *o = options;
	struct address address;

	if (!o->passive_address ||
	    (address_parse(slice_text(o->passive_address), &address) == 0 && address.family == 4))
		return 0;
	if (asprintf(why, "passive-address '%s' is not an IPv4 address", o->passive_address) < 0)
		*why = NULL;
	return -1;
}

const struct protocol protocol_ftp = {
	.name = "ftp",
	.title = "FTP (vsftpd)",
	.ports = {{TCP, 21}, {TCP, 2121}},
	.speaks_first = SERVER,
	.state_size = sizeof(struct ftp),
	.options = &section,
	.options_size = sizeof(struct ftp_options),
	.prepare = ftp_prepare,
	.opened = ftp_opened,
	.input = ftp_input,
	.timer = ftp_timer,
	.closed = ftp_closed,
	.channel_opened = ftp_channel_opened,
	.channel_input = ftp_channel_input,
	.channel_closed = ftp_channel_closed,
	.channel_drained = ftp_channel_drained,
};
