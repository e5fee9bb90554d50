/* The little of cmd.exe that intruders ask through xp_cmdshell. */
#include "query.h"

#define COMMANDS_MAX 16 /* joined by & in one line */

static const struct {
	const char *command, *output; /* %h: host name in lower case, %H: as it is */
} answers[] = {
	{"whoami", "nt service\\mssqlserver\n"},
	{"whoami /priv",
	 "\nPRIVILEGES INFORMATION\n----------------------\n\n"
	 "Privilege Name                Description                               State   \n"
	 "============================= ========================================= ========\n"
	 "SeAssignPrimaryTokenPrivilege Replace a process level token             Disabled\n"
	 "SeIncreaseQuotaPrivilege      Adjust memory quotas for a process        Disabled\n"
	 "SeChangeNotifyPrivilege       Bypass traverse checking                  Enabled \n"
	 "SeImpersonatePrivilege        Impersonate a client after authentication Enabled \n"
	 "SeCreateGlobalPrivilege       Create global objects                     Enabled \n"
	 "SeIncreaseWorkingSetPrivilege Increase a process working set            Disabled\n"},
	{"hostname", "%H\n"},
	{"ver", "\nMicrosoft Windows [Version 10.0.17763.737]\n"},
	{"cd", "C:\\Windows\\system32\n"},
	{"chdir", "C:\\Windows\\system32\n"},
	{"net user",
	 "\nUser accounts for \\\\%H\n\n"
	 "-------------------------------------------------------------------------------\n"
	 "Administrator            DefaultAccount           Guest                    \n"
	 "WDAGUtilityAccount       \nThe command completed successfully.\n\n"},
	{"net localgroup administrators",
	 "Alias name     administrators\nComment        Administrators have complete and "
	 "unrestricted "
	 "access to the computer/domain\n\nMembers\n\n"
	 "-------------------------------------------------------------------------------\n"
	 "Administrator\nThe command completed successfully.\n\n"},
	{"ipconfig", "\nWindows IP Configuration\n\n\nEthernet adapter Ethernet0:\n\n"
		     "   Connection-specific DNS Suffix  . : \n"
		     "   IPv4 Address. . . . . . . . . . . : %A\n"
		     "   Subnet Mask . . . . . . . . . . . : 255.255.255.0\n"
		     "   Default Gateway . . . . . . . . . : \n"},
	{"echo %username%", "MSSQLSERVER\n"},
	{"echo %computername%", "%H\n"},
};

/* Programs that run and say nothing that anyone would miss. */
static const char *const silent[] = {
	"powershell",   "certutil", "bitsadmin", "reg",      "sc",       "net",
	"taskkill",     "schtasks", "wmic",      "del",      "copy",     "move",
	"mkdir",        "md",       "rd",        "attrib",   "start",    "cmd",
	"cscript",      "wscript",  "regsvr32",  "rundll32", "mshta",    "netsh",
	"cacls",        "icacls",   "takeown",   "ftp",      "tftp",     "set",
	"cls",          "ren",      "timeout",   "ping",     "curl",     "tasklist",
	"systeminfo",   "dir",      "type",      "if",       "for",      "powershell.exe",
	"certutil.exe", "cmd.exe",  "reg.exe",   "sc.exe",   "wmic.exe", "exit",
	"rem",
};

static void put_answer(struct session *session, const char *output, struct writer *out)
{
	char address[ADDRESS_TEXT_MAX];

	address_text(&session_local(session)->address, address);
	for (; *output; output++) {
		if (*output != '%') {
			writer_u8(out, (uint8_t)*output);
		} else if (*++output == 'H') {
			writer_text(out, mssql_server_name(session));
		} else if (*output == 'A') {
			writer_text(out, address);
		}
	}
}

static struct slice first_word(struct slice command)
{
	size_t length = 0;

	if (command.length > 0 && command.at[0] == '"') {
		command = slice_from(command, 1);
		return slice_first(command, slice_find_byte(command, '"'));
	}
	while (length < command.length && !memchr(" \t/\\>|\r\n", command.at[length], 8))
		length++;
	return slice_first(command, length);
}

static void run_one(struct session *session, struct slice command, struct writer *out)
{
	command = slice_trim(command);
	while (slice_starts_nocase(command, "cmd /c ") ||
	       slice_starts_nocase(command, "cmd.exe /c "))
		command = slice_trim(slice_from(command, slice_find_nocase(command, "/c") + 2));
	if (command.length > 1 && command.at[0] == '"' && command.at[command.length - 1] == '"')
		command = slice_of(command.at + 1, command.length - 2);
	for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
		if (slice_is_nocase(command, answers[i].command)) {
			put_answer(session, answers[i].output, out);
			return;
		}
	}
	struct slice word = first_word(command);
	if (slice_is_nocase(word, "echo")) {
		if (slice_find_byte(command, '>') == SIZE_MAX) {
			writer_bytes(out, slice_first(slice_trim(slice_from(command, 4)), 8000));
			writer_u8(out, '\n');
		}
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(silent); i++) {
		if (slice_is_nocase(word, silent[i]))
			return;
	}
	/* A path to a program of the intruder's own: it was dropped before, and is quiet. */
	if (word.length == 0 || word.length > MSSQL_NAME_MAX ||
	    slice_find_byte(command, '\\') != SIZE_MAX)
		return;
	writer_text(out, "'");
	writer_bytes(out, word);
	writer_text(out, "' is not recognized as an internal or external command,\n"
			 "operable program or batch file.\n");
}

void shell_run(struct session *session, struct slice command, struct writer *out)
{
	struct slice part;

	for (unsigned i = 0; i < COMMANDS_MAX && slice_next(&command, '&', &part); i++) {
		if (slice_trim(part).length > 0)
			run_one(session, part, out);
	}
}
