/* What follows a log-in: the account's greeting, and either its end, as nologin(8) has it, or the
 * prompt of a machine whose disk fails: every command is recorded and none can be loaded. */
#include "decoy/protocols/telnet/telnet.h"

#define COMMAND_SHOWN 256 /* of a word that is not found: no more comes back than was sent */

static const char free_software[] =
	"\r\n"
	"The programs included with the Debian GNU/Linux system are free software;\r\n"
	"the exact distribution terms for each program are described in the\r\n"
	"individual files in /usr/share/doc/*/copyright.\r\n"
	"\r\n"
	"Debian GNU/Linux comes with ABSOLUTELY NO WARRANTY, to the extent\r\n"
	"permitted by applicable law.\r\n";

/* Somebody logged in during the working hours of the day before, from inside. */
static void print_last_login(struct session *session)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const struct persona *persona = session_persona(session);
	int64_t day = session_now(session) / DAY - 1;
	int64_t second = persona_derive_number(persona, "telnet last login", 8 * 3600, 18 * 3600);
	struct civil_time t = clock_civil(day * DAY + second * SECOND);

	session_print(session,
		      "Last login: %s %s %2d %02d:%02d:%02d UTC %d from 10.%d.%d.%d on pts/0\r\n",
		      days[t.weekday], months[t.month - 1], t.day, t.hour, t.minute, t.second,
		      t.year, (int)persona_derive_number(persona, "telnet last net", 0, 99),
		      (int)persona_derive_number(persona, "telnet last subnet", 0, 60),
		      (int)persona_derive_number(persona, "telnet last host", 2, 250));
}

void telnet_shell_prompt(struct session *session, const struct telnet *telnet)
{
	const char *host = persona_host_name(session_persona(session));
	struct slice user = telnet_user(telnet);

	if (telnet->flags & TELNET_BUSYBOX)
		session_text(session, telnet->flags & TELNET_ROOT ? "~ # " : "~ $ ");
	else if (telnet->flags & TELNET_ROOT)
		session_print(session, "root@%s:~# ", host);
	else
		session_print(session, "%.*s@%s:~$ ", (int)user.length, (const char *)user.at,
			      host);
}

void telnet_welcome(struct session *session, struct telnet *telnet, enum access_depth depth)
{
	const struct telnet_options *options = session_options(session);
	const struct persona *persona = session_persona(session);

	if (!(telnet->flags & TELNET_BUSYBOX)) {
		session_print(session, "Linux %s %s %s %s\r\n%s", persona_host_name(persona),
			      persona_text(persona, "host.kernel", "6.1.0-28-amd64"),
			      persona_text(persona, "host.kernel_build",
					   "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)"),
			      persona_text(persona, "host.architecture", "x86_64"), free_software);
		print_last_login(session);
	}
	if (depth > ACCESS_LOGIN && (!options || options->prompt)) {
		telnet_shell_prompt(session, telnet);
		return;
	}
	session_text(session, "This account is currently not available.\r\n");
	telnet->stage = TELNET_OVER;
	session_close(session, "nologin");
}

/* Echo, cd and export are in the shell itself; for all else the disk would have to be read. */
static void answer(struct session *session, const struct telnet *telnet, struct slice line)
{
	const char *shell = telnet->flags & TELNET_BUSYBOX ? "-sh" : "-bash";
	struct slice word, rest = line;

	(void)slice_next(&rest, ' ', &word);
	if (slice_is(word, "echo")) {
		session_write(session, rest);
		session_text(session, "\r\n");
	} else if (!slice_is(word, "cd") && !slice_is(word, "export")) {
		session_print(session, "%s: ", shell);
		session_write(session, slice_first(word, COMMAND_SHOWN));
		session_text(session, ": Input/output error\r\n");
	}
}

void telnet_shell_line(struct session *session, struct telnet *telnet, struct slice line)
{
	struct slice command = slice_trim(line);
	struct event *event;

	if (command.length) {
		event = session_event(session, "command.input");
		event_set_text(event, FIELD_COMMAND, line);
		if (telnet_user(telnet).length)
			event_set_text(event, FIELD_USER_NAME, telnet_user(telnet));
		session_report(session, event);
	}
	if (slice_is(command, "exit") || slice_is(command, "logout")) {
		if (!(telnet->flags & TELNET_BUSYBOX))
			session_text(session, "logout\r\n");
		telnet->stage = TELNET_OVER;
		session_close(session, "logout");
		return;
	}
	if (command.length)
		answer(session, telnet, command);
	telnet_shell_prompt(session, telnet);
}
