/* The first lines (RFC 4253, section 4.2): ours is the build's, the client's is judged as OpenSSH's
 * kex_exchange_identification does. */
#include "decoy/protocols/ssh/server.h"

#define RAW_SHOWN 256

/* What OpenSSH does differently for some clients, told by what they call themselves (compat.c); the
 * first that matches counts. */
static const struct {
	const char *pattern; /* '*' at the end: a beginning */
	uint32_t flags;
} kinds[] = {
	{"OpenSSH_2*", 0},
	{"OpenSSH_3*", 0},
	{"OpenSSH_4*", 0},
	{"OpenSSH_6.6.1*", SSH_OPENSSH},
	{"OpenSSH_6.5*", SSH_OPENSSH | SSH_OLD_CURVE},
	{"OpenSSH_6.6*", SSH_OPENSSH | SSH_OLD_CURVE},
	{"OpenSSH*", SSH_OPENSSH},
	{"Cisco-1.*", SSH_NO_HOST_KEYS},
	{"PuTTY_Local:*", SSH_OLD_GROUPS},
	{"PuTTY-Release-0.5*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.5*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.60*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.61*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.62*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.63*", SSH_OLD_GROUPS},
	{"PuTTY_Release_0.64*", SSH_OLD_GROUPS},
	{"FuTTY*", SSH_OLD_GROUPS},
	{"Probe-*", SSH_SCANNER},
	{"TeraTerm SSH*", SSH_NO_HOST_KEYS},
	{"TTSSH/1.5.*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.1*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.2*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.3*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.4*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.5*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.6*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.70*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.71*", SSH_NO_HOST_KEYS},
	{"TTSSH/2.72*", SSH_NO_HOST_KEYS},
	{"WinSCP_release_4*", SSH_OLD_GROUPS},
	{"WinSCP_release_5.0*", SSH_OLD_GROUPS},
	{"WinSCP_release_5.1", SSH_OLD_GROUPS},
	{"WinSCP_release_5.1.*", SSH_OLD_GROUPS},
	{"WinSCP_release_5.5", SSH_OLD_GROUPS},
	{"WinSCP_release_5.5.*", SSH_OLD_GROUPS},
	{"WinSCP_release_5.6", SSH_OLD_GROUPS},
	{"WinSCP_release_5.6.*", SSH_OLD_GROUPS},
	{"WinSCP_release_5.7", SSH_OLD_GROUPS},
	{"WinSCP_release_5.7.1", SSH_OLD_GROUPS},
	{"WinSCP_release_5.7.2", SSH_OLD_GROUPS},
	{"WinSCP_release_5.7.3", SSH_OLD_GROUPS},
	{"WinSCP_release_5.7.4", SSH_OLD_GROUPS},
};

static void refuse(struct ssh *ssh, const char *text, struct slice line)
{
	session_report_garbage(ssh->session, "not an SSH identification",
			       slice_first(line, RAW_SHOWN));
	session_text(ssh->session, text);
	ssh_hang_up(ssh, "protocol error");
}

/* OpenSSH writes the text and the line's end apart, and reads no further than to what is wrong.
 * Where the client sent more, the kernel ends the connection with a reset, and the line's end,
 * which waits for the text's acknowledgement, is lost. */
static void refuse_invalid(struct ssh *ssh, struct slice line, bool sent_more)
{
	if (ssh->server->build->old_mismatch)
		refuse(ssh, "Protocol mismatch.\n", line);
	else if (!sent_more)
		refuse(ssh, "Invalid SSH identification string.\r\n", line);
	else
		refuse(ssh, "Invalid SSH identification string.", line);
	if (sent_more)
		session_abort(ssh->session, "protocol error");
}

/* A number as sscanf's %d reads it; false: there is none. */
static bool take_number(struct slice *text, int *number)
{
	size_t i = 0;
	int64_t value = 0;
	bool negative = false;

	while (i < text->length && (text->at[i] == ' ' || text->at[i] == '\t'))
		i++;
	if (i < text->length && (text->at[i] == '-' || text->at[i] == '+'))
		negative = text->at[i++] == '-';
	if (i == text->length || text->at[i] < '0' || text->at[i] > '9')
		return false;
	for (; i < text->length && text->at[i] >= '0' && text->at[i] <= '9'; i++) {
		if (value < INT32_MAX)
			value = value * 10 + (text->at[i] - '0');
	}
	*number = (int)(negative ? -(value & INT32_MAX) : value & INT32_MAX);
	*text = slice_from(*text, i);
	return true;
}

static bool take_byte(struct slice *text, uint8_t byte)
{
	if (text->length == 0 || text->at[0] != byte)
		return false;
	*text = slice_from(*text, 1);
	return true;
}

static bool matches(const char *pattern, struct slice software)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] != '*')
		return slice_is(software, pattern);
	length--;
	return slice_equal(slice_first(software, length), slice_of(pattern, length));
}

static uint32_t kind_of(struct slice software)
{
	if (slice_find(software, SLICE("SSH_Version_Mapper")) != SIZE_MAX)
		return SSH_SCANNER;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (matches(kinds[i].pattern, software))
			return kinds[i].flags;
	}
	return 0;
}

static void take_line(struct ssh *ssh, struct slice line, bool sent_more)
{
	struct slice rest = slice_from(line, 4);
	int major, minor;

	/* sscanf("SSH-%d.%d-%[^\n]") */
	if (!take_number(&rest, &major) || !take_byte(&rest, '.') || !take_number(&rest, &minor) ||
	    !take_byte(&rest, '-') || rest.length == 0) {
		refuse_invalid(ssh, line, sent_more);
		return;
	}
	ssh->client_version = arena_copy(session_arena(ssh->session), line);
	if (!ssh->client_version.at) {
		ssh_hang_up(ssh, "memory");
		return;
	}
	if (!(major == 2 || (major == 1 && minor == 99))) {
		ssh_report_version(ssh);
		refuse(ssh, "Protocol major versions differ.\r\n", line);
		return;
	}
	ssh->flags |= kind_of(rest);
	if (ssh->flags & SSH_SCANNER) { /* "Don't panic": OpenSSH goes without a word */
		ssh_report_version(ssh);
		ssh_hang_up(ssh, "scanner");
		return;
	}
	ssh->flags |= SSH_IDENTIFIED;
	ssh_kex_begin(ssh);
}

size_t ssh_identification_input(struct ssh *ssh, struct slice bytes)
{
	size_t length = 0;
	bool carriage_return = false;

	for (size_t i = 0; i < bytes.length; i++) {
		uint8_t byte = bytes.at[i];

		if (byte == '\r') {
			carriage_return = true;
			continue;
		}
		if (byte == '\n') {
			struct slice line = slice_first(bytes, length);

			if (length > 4 && slice_starts(line, "SSH-"))
				take_line(ssh, line, i + 1 < bytes.length);
			else
				refuse_invalid(ssh, slice_first(bytes, i + 1),
					       i + 1 < bytes.length);
			return i + 1;
		}
		if (byte == 0 || carriage_return || ++length > SSH_LINE_MAX) {
			refuse_invalid(ssh, bytes, i + 1 < bytes.length);
			return bytes.length;
		}
	}
	return 0;
}
