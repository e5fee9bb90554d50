/* FTP's control connection (RFC 959): commands and replies. */
#include "capture/application/lines.h"
#include "capture/application/view.h"

#define COMMAND_MAX 4096 /* longer is no command of anybody's */

struct ftp {
	uint64_t transactions[2];
	bool cut[2]; /* the rest of a line that was too long comes */
};

static bool is_command(struct slice line)
{
	static const char *const commands[] = {"USER", "PASS", "AUTH", "FEAT", "SYST", "QUIT",
					       "HELP", "OPTS", "PORT", "PASV", "EPSV", "TYPE",
					       "LIST", "RETR", "STOR", "CWD",  "PWD",  "NOOP",
					       "SITE", "EPRT", "HOST"};

	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		size_t length = strlen(commands[i]);

		if (slice_starts_nocase(line, commands[i]) &&
		    (line.length == length || line.at[length] == ' '))
			return true;
	}
	return false;
}

static bool is_reply(struct slice line)
{
	return line.length >= 4 && line.at[0] >= '1' && line.at[0] <= '5' && line.at[1] >= '0' &&
	       line.at[1] <= '9' && line.at[2] >= '0' && line.at[2] <= '9' &&
	       (line.at[3] == ' ' || line.at[3] == '-');
}

static enum recognition ftp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	size_t end = slice_find_byte(bytes, '\n');
	struct slice line = slice_trim(slice_first(bytes, end));

	if (end == SIZE_MAX)
		return bytes.length < 512 ? RECOGNISED_MAYBE : RECOGNISED_NO;
	if (direction == TO_SERVER)
		return is_command(line) && (port == 21 || slice_starts_nocase(line, "USER ") ||
					    slice_starts_nocase(line, "AUTH TLS") ||
					    slice_is_nocase(line, "FEAT"))
			       ? RECOGNISED_YES
			       : RECOGNISED_NO;
	return is_reply(line) && line.at[0] == '2' &&
			       (port == 21 || slice_find_nocase(line, "ftp") != SIZE_MAX)
		       ? RECOGNISED_YES
		       : RECOGNISED_NO;
}

static size_t ftp_input(void *state, struct application_context *context, enum direction direction,
			struct slice bytes, bool last)
{
	struct ftp *ftp = state;
	size_t used = 0, more;

	while (used < bytes.length) {
		struct slice line = line_first(slice_from(bytes, used), last, &more);
		struct findings_view v;
		size_t space = slice_find_byte(line, ' ');

		if (!more)
			break;
		used += more;
		if (ftp->cut[direction]) {
			ftp->cut[direction] = bytes.at[used - 1] != '\n';
			continue;
		}
		ftp->cut[direction] = bytes.at[used - 1] != '\n';
		view_start(&v, context);
		if (direction == TO_SERVER) {
			view_buffer(&v, BUFFER_FTP_COMMAND, slice_first(line, space));
			if (space != SIZE_MAX)
				view_buffer(&v, BUFFER_FTP_COMMAND_DATA,
					    slice_from(line, space + 1));
		} else if (is_reply(line)) {
			view_buffer(&v, BUFFER_FTP_COMPLETION_CODE, slice_first(line, 3));
			view_buffer(&v, BUFFER_FTP_REPLY, slice_from(line, 4));
		} else {
			view_buffer(&v, BUFFER_FTP_REPLY, line);
		}
		if (line.length > COMMAND_MAX)
			view_anomaly(&v, direction == TO_SERVER ? "ftp.request_command_too_long"
								: "ftp.response_command_too_long");
		view_offer(&v, direction, ftp->transactions[direction]++);
		if (direction == TO_CLIENT && slice_starts(line, "234 ")) {
			context->become(context, APPLICATION_TLS);
			return used;
		}
	}
	return used;
}

const struct application application_ftp = {
	.id = APPLICATION_FTP,
	.transports = {TRANSPORT_TCP},
	.recognise = ftp_recognise,
	.state_size = sizeof(struct ftp),
	.input = ftp_input,
};
