/* Bytes to tokens (RFC 854), and what the kernel's terminal driver does to a line that is typed:
 * erase, kill, word erase, and the echo of each (termios(3): ECHOE, ECHOK, ECHOCTL). */
#include "decoy/protocols/telnet/telnet.h"

#define ERASE      0x7f
#define KILL       0x15 /* ^U */
#define WORD_ERASE 0x17 /* ^W */
#define SUSPEND    0x1a /* ^Z: the line is thrown away */

/* Length of a subnegotiation from IAC SB to IAC SE, or 0 when its end is not there. */
static size_t subnegotiation_length(struct slice input)
{
	for (size_t i = 3; i + 1 < input.length; i++) {
		if (input.at[i] != TELNET_IAC)
			continue;
		if (input.at[i + 1] == TELNET_SE)
			return i + 2;
		i++; /* IAC IAC, or a command that has no business here */
	}
	return 0;
}

static struct telnet_token command_token(struct slice input)
{
	struct telnet_token token = {.kind = TOKEN_PART};
	uint8_t command;

	if (input.length < 2)
		return token;
	command = input.at[1];
	if (command == TELNET_IAC)
		return (struct telnet_token){.kind = TOKEN_DATA, .byte = TELNET_IAC, .length = 2};
	if (command < TELNET_SB)
		return (struct telnet_token){.kind = TOKEN_COMMAND, .byte = command, .length = 2};
	if (input.length < 3)
		return token;
	token.byte = command;
	token.option = input.at[2];
	if (command != TELNET_SB) {
		token.kind = TOKEN_NEGOTIATION;
		token.length = 3;
		return token;
	}
	token.length = subnegotiation_length(input);
	if (token.length) {
		token.kind = TOKEN_SUBNEGOTIATION;
		token.body = slice_of(input.at + 3, token.length - 5);
	}
	return token;
}

struct telnet_token telnet_token(struct slice input)
{
	if (input.length == 0)
		return (struct telnet_token){.kind = TOKEN_PART};
	if (input.at[0] == TELNET_IAC)
		return command_token(input);
	return (struct telnet_token){.kind = TOKEN_DATA, .byte = input.at[0], .length = 1};
}

bool telnet_edits(uint8_t byte)
{
	return byte == ERASE || byte == KILL || byte == WORD_ERASE || byte == SUSPEND;
}

static size_t without_word(const uint8_t *line, size_t length)
{
	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	while (length && line[length - 1] != ' ' && line[length - 1] != '\t')
		length--;
	return length;
}

/* Length of the line after an editing byte. */
static size_t after_edit(const uint8_t *line, size_t length, uint8_t byte)
{
	switch (byte) {
	case ERASE:
		return length ? length - 1 : 0;
	case WORD_ERASE:
		return without_word(line, length);
	default:
		return 0;
	}
}

size_t telnet_line(struct slice input, uint8_t line[TELNET_LINE_MAX])
{
	size_t length = 0;

	while (input.length) {
		struct telnet_token token = telnet_token(input);

		if (token.kind == TOKEN_PART)
			break;
		input = slice_from(input, token.length);
		if (token.kind == TOKEN_COMMAND && token.byte == TELNET_EC)
			length = after_edit(line, length, ERASE);
		else if (token.kind == TOKEN_COMMAND && token.byte == TELNET_EL)
			length = 0;
		else if (token.kind == TOKEN_DATA && telnet_edits(token.byte))
			length = after_edit(line, length, token.byte);
		else if (token.kind == TOKEN_DATA && length < TELNET_LINE_MAX)
			line[length++] = token.byte;
	}
	return length;
}

static bool is_control(uint8_t byte)
{
	return byte < 0x20 && byte != '\t';
}

void telnet_echo(struct session *session, uint8_t byte)
{
	uint8_t control[2] = {'^', (uint8_t)(byte ^ 0x40)};
	static const uint8_t doubled[2] = {TELNET_IAC, TELNET_IAC};

	if (is_control(byte))
		session_write(session, slice_of(control, 2));
	else if (byte == TELNET_IAC)
		session_write(session, slice_of(doubled, 2));
	else
		session_write(session, slice_of(&byte, 1));
}

void telnet_echo_edit(struct session *session, struct slice line, uint8_t byte)
{
	size_t length = line.length, left = after_edit(line.at, line.length, byte);

	if (byte == SUSPEND) {
		static const uint8_t mark[] = {TELNET_IAC, TELNET_DM, '^', 'Z'};

		session_write(session, slice_of(mark, sizeof(mark)));
		return;
	}
	for (; length > left; length--) {
		session_text(session, "\b \b");
		if (is_control(line.at[length - 1]))
			session_text(session, "\b \b");
	}
}
