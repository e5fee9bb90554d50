/* SMTP (RFC 5321) with what a mail carries: envelope, headers, attachments. One transaction is one
 * mail; a session without any is one too. */
#include "capture/application/lines.h"
#include "capture/application/mime.h"
#include "capture/application/view.h"

#define MESSAGE_MAX    (256 * 1024) /* of a mail that is kept; base64 adds a third */
#define ARGUMENT_MAX   320          /* RFC 5321, 4.5.3.1: a path has at most 256 bytes */
#define RECIPIENTS_MAX 16
#define COMMAND_MAX    512 /* RFC 5321, 4.5.3.1.4 */

enum smtp_phase {
	PHASE_COMMANDS,
	PHASE_DATA,  /* a message until a line with a dot */
	PHASE_CHUNK, /* the bytes of a BDAT (RFC 3030) */
	PHASE_TLS,
	PHASE_LOST,
};

struct smtp {
	uint8_t phase;
	bool starttls, told; /* told: the mail at hand was offered already */
	bool last_chunk, message_started, greeted, too_long, rejected;
	uint64_t transaction, chunk_left;
	char helo[ARGUMENT_MAX], from[ARGUMENT_MAX];
	bool has_helo, has_from;
	struct writer recipients; /* each with a NUL behind it */
	unsigned recipient_count;
	struct writer message;
};

static bool is_command(struct slice line, const char *command)
{
	size_t length = strlen(command);

	return slice_starts_nocase(line, command) &&
	       (line.length == length || line.at[length] <= ' ' || line.at[length] == ':');
}

static enum recognition smtp_recognise(struct slice bytes, enum direction direction, uint16_t port)
{
	bool usual = port == 25 || port == 587 || port == 2525;
	size_t end = slice_find_byte(bytes, '\n');
	struct slice line = slice_trim(slice_first(bytes, end));

	if (direction == TO_CLIENT) {
		if (bytes.length < 4)
			return bytes.length && memcmp(bytes.at, "220 ", bytes.length) != 0 &&
					       memcmp(bytes.at, "220-", bytes.length) != 0
				       ? RECOGNISED_NO
				       : RECOGNISED_MAYBE;
		if (!slice_starts(bytes, "220") || (bytes.at[3] != ' ' && bytes.at[3] != '-'))
			return RECOGNISED_NO;
		if (end == SIZE_MAX)
			return bytes.length < 1024 ? RECOGNISED_MAYBE : RECOGNISED_NO;
		return usual || slice_contains_nocase(line, "smtp") ||
				       slice_contains_nocase(line, "mail")
			       ? RECOGNISED_YES
			       : RECOGNISED_NO;
	}
	if (bytes.length < 5)
		return RECOGNISED_MAYBE;
	if (!is_command(bytes, "EHLO") && !is_command(bytes, "HELO") &&
	    !slice_starts_nocase(bytes, "MAIL FROM:"))
		return RECOGNISED_NO;
	return end == SIZE_MAX && bytes.length < COMMAND_MAX ? RECOGNISED_MAYBE : RECOGNISED_YES;
}

/* --- what a mail is offered as --- */

static void add_mail(struct findings_view *v, const struct mime_mail *mail)
{
	if (mail->from.at)
		view_buffer(v, BUFFER_EMAIL_FROM, mail->from);
	if (mail->to.at)
		view_buffer(v, BUFFER_EMAIL_TO, mail->to);
	if (mail->subject.at)
		view_buffer(v, BUFFER_EMAIL_SUBJECT, mail->subject);
	for (size_t i = 0; i < mail->attachment_count; i++) {
		view_buffer(v, BUFFER_FILE_NAME, mail->attachments[i].name);
		view_buffer(v, BUFFER_FILE, mail->attachments[i].bytes);
		view_fact(v, FACT_FILE_SIZE, (int64_t)mail->attachments[i].bytes.length);
	}
	for (size_t i = 0; i < mail->anomaly_count; i++)
		view_anomaly(v, mail->anomalies[i]);
}

static void offer(struct smtp *smtp, struct application_context *context)
{
	struct slice recipients = writer_slice(&smtp->recipients), recipient;
	struct findings_view *v = arena_take(context->scratch, sizeof(*v));
	struct mime_mail *mail = arena_take(context->scratch, sizeof(*mail));

	if (smtp->told || !v || !mail)
		return;
	smtp->told = true;
	view_start(v, context);
	if (smtp->has_helo)
		view_buffer(v, BUFFER_SMTP_HELO, slice_text(smtp->helo));
	if (smtp->has_from)
		view_buffer(v, BUFFER_SMTP_MAIL_FROM, slice_text(smtp->from));
	while (slice_next(&recipients, '\0', &recipient))
		view_buffer(v, BUFFER_SMTP_RCPT_TO, recipient);
	if (smtp->too_long)
		view_anomaly(v, "smtp.max_command_line_len_exceeded");
	if (smtp->rejected)
		view_anomaly(v, "smtp.data_command_rejected");
	if (smtp->message.length) {
		mime_read(mail, writer_slice(&smtp->message), context->scratch);
		add_mail(v, mail);
	}
	view_offer(v, TO_SERVER, smtp->transaction);
}

static void mail_over(struct smtp *smtp, struct application_context *context)
{
	offer(smtp, context);
	smtp->transaction++;
	smtp->told = smtp->has_from = smtp->message_started = smtp->last_chunk = false;
	smtp->too_long = smtp->rejected = false;
	smtp->recipient_count = 0;
	writer_clear(&smtp->recipients);
	writer_clear(&smtp->message);
}

static void keep_message(struct smtp *smtp, struct application_context *context, struct slice bytes)
{
	if (!smtp->message.limit)
		smtp->message = writer_growing(MESSAGE_MAX);
	smtp->message_started = true;
	writer_bytes(&smtp->message, slice_first(bytes, MESSAGE_MAX - smtp->message.length));
	if (smtp->message.length == MESSAGE_MAX)
		offer(smtp, context);
}

/* --- the client --- */

static void copy(char *out, struct slice text)
{
	text = slice_first(slice_trim(text), ARGUMENT_MAX - 1);
	if (text.length)
		memcpy(out, text.at, text.length);
	out[text.length] = '\0';
}

/* "<path> parameters" without the parameters */
static struct slice path_of(struct slice argument)
{
	size_t end = slice_find_byte(argument, '>');

	argument = slice_trim(argument);
	end = slice_find_byte(argument, '>');
	if (slice_starts(argument, "<") && end != SIZE_MAX)
		return slice_first(argument, end + 1);
	return slice_first(argument, slice_find_byte(argument, ' '));
}

static void read_chunk_size(struct smtp *smtp, struct slice argument)
{
	struct slice size = slice_trim(argument);
	size_t space = slice_find_byte(size, ' ');
	int64_t number;

	smtp->last_chunk = slice_contains_nocase(slice_from(size, space), "LAST");
	if (slice_number(slice_first(size, space), 0, INT32_MAX, &number) < 0)
		return;
	smtp->chunk_left = (uint64_t)number;
	smtp->phase = PHASE_CHUNK;
}

static void read_command(struct smtp *smtp, struct application_context *context, struct slice line)
{
	smtp->too_long |= line.length > COMMAND_MAX;
	if (is_command(line, "EHLO") || is_command(line, "HELO")) {
		copy(smtp->helo, slice_from(line, 4));
		smtp->has_helo = true;
	} else if (slice_starts_nocase(line, "MAIL FROM:")) {
		if (smtp->has_from)
			mail_over(smtp, context);
		copy(smtp->from, path_of(slice_from(line, 10)));
		smtp->has_from = true;
	} else if (slice_starts_nocase(line, "RCPT TO:") &&
		   smtp->recipient_count < RECIPIENTS_MAX) {
		char recipient[ARGUMENT_MAX];

		if (!smtp->recipients.limit)
			smtp->recipients = writer_growing(RECIPIENTS_MAX * ARGUMENT_MAX);
		copy(recipient, path_of(slice_from(line, 8)));
		writer_bytes(&smtp->recipients, slice_of(recipient, strlen(recipient) + 1));
		smtp->recipient_count++;
	} else if (is_command(line, "RSET") && smtp->has_from) {
		mail_over(smtp, context);
	} else if (is_command(line, "DATA")) {
		smtp->phase = PHASE_DATA;
	} else if (is_command(line, "BDAT")) {
		read_chunk_size(smtp, slice_from(line, 4));
	} else if (is_command(line, "STARTTLS")) {
		smtp->starttls = true;
	}
}

static size_t read_data_line(struct smtp *smtp, struct application_context *context,
			     struct slice bytes, bool last)
{
	size_t end = slice_find_byte(bytes, '\n');
	struct slice line = slice_first(bytes, end == SIZE_MAX ? end : end + 1);

	/* A line without an end is kept as it comes, if it cannot be the dot. */
	if (end == SIZE_MAX && !last && bytes.length < LINE_BYTES_MAX)
		return 0;
	if (slice_is(slice_trim(line), ".") && line.at[0] == '.') {
		smtp->phase = PHASE_COMMANDS;
		mail_over(smtp, context);
		return line.length;
	}
	keep_message(smtp, context, slice_from(line, slice_starts(line, "..") ? 1 : 0));
	return line.length;
}

static size_t read_client(struct smtp *smtp, struct application_context *context,
			  struct slice bytes, bool last)
{
	size_t used, take;
	struct slice line;

	switch (smtp->phase) {
	case PHASE_COMMANDS:
		line = line_first(bytes, last, &used);
		if (used)
			read_command(smtp, context, line);
		return used;
	case PHASE_DATA:
		return read_data_line(smtp, context, bytes, last);
	case PHASE_CHUNK:
		take = bytes.length < smtp->chunk_left ? bytes.length : (size_t)smtp->chunk_left;
		keep_message(smtp, context, slice_first(bytes, take));
		smtp->chunk_left -= take;
		if (!smtp->chunk_left) {
			smtp->phase = PHASE_COMMANDS;
			if (smtp->last_chunk)
				mail_over(smtp, context);
		}
		return take;
	default:
		return bytes.length;
	}
}

/* --- the server --- */

static bool read_reply(struct smtp *smtp, struct application_context *context, struct slice line)
{
	bool refused = line.length && (line.at[0] == '4' || line.at[0] == '5');

	smtp->greeted = true;
	if (smtp->starttls && slice_starts(line, "220")) {
		offer(smtp, context);
		context->become(context, APPLICATION_TLS);
		return true;
	}
	if (smtp->starttls && refused)
		smtp->starttls = false;
	/* The message that was announced is not sent. */
	if (smtp->phase == PHASE_DATA && refused && !smtp->message_started) {
		smtp->phase = PHASE_COMMANDS;
		smtp->rejected = true;
	}
	return false;
}

static size_t smtp_input(void *state, struct application_context *context, enum direction direction,
			 struct slice bytes, bool last)
{
	struct smtp *smtp = state;
	size_t used = 0, more;

	while (used < bytes.length) {
		struct slice rest = slice_from(bytes, used), line;
		uint8_t phase = smtp->phase;

		if (direction == TO_SERVER) {
			more = read_client(smtp, context, rest, last);
			if (!more && smtp->phase == phase)
				break;
		} else {
			line = line_first(rest, last, &more);
			if (!more)
				break;
			if (read_reply(smtp, context, line))
				return used + more;
		}
		used += more;
	}
	if (last && direction == TO_SERVER &&
	    (smtp->has_from || smtp->message.length || (smtp->has_helo && !smtp->transaction)))
		mail_over(smtp, context);
	return last ? bytes.length : used;
}

/* A mail with a hole is still a mail; anything else is found again at the next line. */
static void smtp_gap(void *state, struct application_context *context, enum direction direction,
		     uint64_t length)
{
	struct smtp *smtp = state;

	if (direction == TO_CLIENT || smtp->phase != PHASE_CHUNK)
		return;
	if (length >= smtp->chunk_left)
		smtp->phase = PHASE_COMMANDS;
	smtp->chunk_left -= length < smtp->chunk_left ? length : smtp->chunk_left;
}

static void smtp_finish(void *state, struct application_context *context)
{
	struct smtp *smtp = state;

	if (smtp->has_from || smtp->message.length || (smtp->has_helo && !smtp->transaction))
		offer(smtp, context);
}

static void smtp_drop(void *state)
{
	struct smtp *smtp = state;

	writer_free(&smtp->recipients);
	writer_free(&smtp->message);
}

static size_t smtp_held(const void *state)
{
	const struct smtp *smtp = state;

	return smtp->recipients.capacity + smtp->message.capacity;
}

const struct application application_smtp = {
	.id = APPLICATION_SMTP,
	.transports = {TRANSPORT_TCP},
	.recognise = smtp_recognise,
	.state_size = sizeof(struct smtp),
	.input = smtp_input,
	.gap = smtp_gap,
	.finish = smtp_finish,
	.drop = smtp_drop,
	.held = smtp_held,
};
