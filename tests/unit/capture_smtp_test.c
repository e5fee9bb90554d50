/* SMTP for the rules: envelopes, mails, attachments. */
#include "capture_reader.h"

static const char *const envelope[] = {"smtp.helo",  "smtp.mail_from", "smtp.rcpt_to",
				       "email.from", "email.to",       "email.subject",
				       NULL};
static const char *const files[] = {"file.name", "file.data", NULL};

static void an_envelope_and_headers(void **state)
{
	const struct play_step steps[] = {
		SAYS_SERVER("220 mail.example ESMTP\r\n"),
		SAYS_CLIENT("EHLO box.example\r\n"),
		SAYS_SERVER("250-mail.example\r\n250 PIPELINING\r\n"),
		SAYS_CLIENT("MAIL FROM:<a@b.example> SIZE=100\r\nrcpt to: <c@d.example>\r\n"
			    "RCPT TO:<e@f.example>\r\nDATA\r\n"),
		SAYS_SERVER("250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n"),
		SAYS_CLIENT("From: A <a@b.example>\r\nto: c@d.example\r\nSubject: one\r\n  two\r\n"
			    "\r\nhello\r\n..dot\r\n.\r\n"),
		SAYS_SERVER("250 ok\r\n"),
		SAYS_CLIENT("MAIL FROM:<>\r\nQUIT\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, envelope, steps,
		   "> 0 smtp.helo=box.example\n"
		   "> 0 smtp.mail_from=<a@b.example>\n"
		   "> 0 smtp.rcpt_to=<c@d.example>\n"
		   "> 0 smtp.rcpt_to=<e@f.example>\n"
		   "> 0 email.from=A <a@b.example>\n"
		   "> 0 email.to=c@d.example\n"
		   "> 0 email.subject=one two\n"
		   "> 1 smtp.helo=box.example\n"
		   "> 1 smtp.mail_from=<>\n");
}

static void attachments_are_decoded(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("EHLO x\r\nMAIL FROM:<a@b>\r\nDATA\r\n"),
		SAYS_CLIENT(
			"Content-Type: multipart/mixed;\r\n boundary=\"=x y\"\r\n\r\npreamble\r\n"
			"--=x y\r\nContent-Type: text/plain\r\n\r\nnot a file\r\n"
			"--=x y\r\nContent-Disposition: attachment;\r\n filename*0=one;\r\n"
			"\tfilename*1=\".zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
			"NA=\r\n=Mg\r\n==\r\n"
			"--=x y \r\nContent-Type: text/html; name=\"a;b.html\"\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			"=3Cb=\r\n>x=2\r\n"
			"--=x y\r\nContent-Type: multipart/related; boundary=in\r\n\r\n"
			"--in\r\nContent-Disposition: attachment\r\n\r\ninside\r\n--in--\r\n"
			"--=x y--\r\nafter\r\n.\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, files, steps,
		   "> 0 file.name=one.zip\n> 0 file.data=42\n"
		   "> 0 file.name=a;b.html\n> 0 file.data=<b>x=2\n"
		   "> 0 file.name=\n> 0 file.data=inside\n"
		   "> 0 filesize:2\n> 0 filesize:6\n> 0 filesize:6\n"
		   "> 0 !smtp.mime_invalid_qp\n");
}

static void a_mail_that_is_cut_off(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("MAIL FROM:<a@b>\r\nDATA\r\n"),
		SAYS_CLIENT("Content-Disposition: attachment; filename=x\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\naGFsZ"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, files, steps,
		   "> 0 file.name=x\n> 0 file.data=hal\n> 0 filesize:3\n");
}

static void chunks(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("MAIL FROM:<a@b>\r\nBDAT 12\r\nSubject: a\r\n"),
		SAYS_CLIENT("BDAT 0\r\nBDAT 7 LAST\r\n\r\n.\r\nhiMAIL FROM:<c@d>\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, envelope, steps,
		   "> 0 smtp.mail_from=<a@b>\n> 0 email.subject=a\n"
		   "> 1 smtp.mail_from=<c@d>\n");
}

static void a_refused_message_is_not_waited_for(void **state)
{
	const struct play_step steps[] = {
		SAYS_SERVER("220 x smtp\r\n"),
		SAYS_CLIENT("MAIL FROM:<a@b>\r\nDATA\r\n"),
		SAYS_SERVER("250 ok\r\n503 no\r\n"),
		SAYS_CLIENT("RSET\r\nMAIL FROM:<c@d>\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, envelope, steps,
		   "> 0 smtp.mail_from=<a@b>\n> 0 !smtp.data_command_rejected\n"
		   "> 1 smtp.mail_from=<c@d>\n");
}

static void starttls(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("EHLO x\r\nSTARTTLS\r\n"),
		SAYS_SERVER("250 STARTTLS\r\n220 go\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, envelope, steps, "> 0 smtp.helo=x\n= tls\n");
}

static void a_gap_in_a_mail(void **state)
{
	const struct play_step steps[] = {
		SAYS_CLIENT("MAIL FROM:<a@b>\r\nDATA\r\nSubject: a\r\n\r\nx\r\n"),
		LOST_CLIENT(100),
		SAYS_CLIENT("y\r\n.\r\nMAIL FROM:<c@d>\r\n"),
	};

	PLAY_CHECK(APPLICATION_SMTP, TRANSPORT_TCP, envelope, steps,
		   "> 0 smtp.mail_from=<a@b>\n> 0 email.subject=a\n> 1 smtp.mail_from=<c@d>\n");
}

static void long_mails_are_cut(void **state)
{
	struct play play;
	char line[1001];
	const char *said;

	memset(line, 'x', sizeof(line));
	line[998] = '\r';
	line[999] = '\n';
	play_start(&play, APPLICATION_SMTP, TRANSPORT_TCP, files);
	play_bytes(&play, TO_SERVER,
		   SLICE("MAIL FROM:<a@b>\r\nDATA\r\n"
			 "Content-Disposition: attachment; filename=x\r\n\r\n"),
		   100);
	for (unsigned i = 0; i < 1000; i++)
		play_bytes(&play, TO_SERVER, slice_of(line, 1000), 1000);
	play_bytes(&play, TO_SERVER, SLICE(".\r\n"), 100);
	said = play_end(&play);
	assert_non_null(strstr(said, "> 0 filesize:102400\n"));
	assert_null(strstr(strstr(said, "filesize") + 1, "filesize"));
	play_free(&play);
}

static void garbage(void **state)
{
	play_garbage(APPLICATION_SMTP, TRANSPORT_TCP,
		     SLICE("MAIL FROM:<a@b>\r\nDATA\r\nContent-Type: multipart/mixed;boundary=x\r\n"
			   "\r\n--x\r\nContent-Disposition: attachment\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n.\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_and_headers),
		cmocka_unit_test(attachments_are_decoded),
		cmocka_unit_test(a_mail_that_is_cut_off),
		cmocka_unit_test(chunks),
		cmocka_unit_test(a_refused_message_is_not_waited_for),
		cmocka_unit_test(starttls),
		cmocka_unit_test(a_gap_in_a_mail),
		cmocka_unit_test(long_mails_are_cut),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
