/* The terminal driver (terminal.h): lines, echo, signals, translation of newlines; as Linux's N_TTY
 * does it. */
#include <stdlib.h>

#include "decoy/machine/process_state.h"

#define CONTROL(letter) ((uint8_t)((letter)&0x1f))
#define DELETE          0x7f
#define TAB_WIDTH       8
#define INPUT_FIRST     64

void terminal_modes_usual(struct terminal_modes *modes)
{
	static const uint8_t control[TERMINAL_CONTROLS] = {
		[TERMINAL_INTR] = CONTROL('C'),    [TERMINAL_QUIT] = 0x1c,
		[TERMINAL_ERASE] = DELETE,         [TERMINAL_KILL] = CONTROL('U'),
		[TERMINAL_EOF] = CONTROL('D'),     [TERMINAL_START] = CONTROL('Q'),
		[TERMINAL_STOP] = CONTROL('S'),    [TERMINAL_SUSP] = CONTROL('Z'),
		[TERMINAL_REPRINT] = CONTROL('R'), [TERMINAL_WERASE] = CONTROL('W'),
		[TERMINAL_LNEXT] = CONTROL('V'),
	};

	*modes = (struct terminal_modes){
		.input = TERMINAL_ICRNL | TERMINAL_IXON,
		.output = TERMINAL_OPOST | TERMINAL_ONLCR,
		.local = TERMINAL_ISIG | TERMINAL_ICANON | TERMINAL_ECHO | TERMINAL_ECHOE |
			 TERMINAL_ECHOK | TERMINAL_ECHOCTL | TERMINAL_ECHOKE | TERMINAL_IEXTEN,
		.minimum = 1,
		.input_speed = 38400,
		.output_speed = 38400,
		.columns = 80,
		.rows = 24,
	};
	memcpy(modes->control, control, sizeof(control));
}

/* Opcodes of RFC 4254 section 8 and RFC 8160. */
static const struct {
	uint8_t opcode;
	enum { TO_CONTROL, TO_INPUT, TO_OUTPUT, TO_LOCAL, TO_INPUT_SPEED, TO_OUTPUT_SPEED } where;
	uint32_t what;
} opcodes[] = {
	{1, TO_CONTROL, TERMINAL_INTR},     {2, TO_CONTROL, TERMINAL_QUIT},
	{3, TO_CONTROL, TERMINAL_ERASE},    {4, TO_CONTROL, TERMINAL_KILL},
	{5, TO_CONTROL, TERMINAL_EOF},      {6, TO_CONTROL, TERMINAL_EOL},
	{7, TO_CONTROL, TERMINAL_EOL2},     {8, TO_CONTROL, TERMINAL_START},
	{9, TO_CONTROL, TERMINAL_STOP},     {10, TO_CONTROL, TERMINAL_SUSP},
	{12, TO_CONTROL, TERMINAL_REPRINT}, {13, TO_CONTROL, TERMINAL_WERASE},
	{14, TO_CONTROL, TERMINAL_LNEXT},   {30, TO_INPUT, TERMINAL_IGNPAR},
	{31, TO_INPUT, TERMINAL_PARMRK},    {32, TO_INPUT, TERMINAL_INPCK},
	{33, TO_INPUT, TERMINAL_ISTRIP},    {34, TO_INPUT, TERMINAL_INLCR},
	{35, TO_INPUT, TERMINAL_IGNCR},     {36, TO_INPUT, TERMINAL_ICRNL},
	{37, TO_INPUT, TERMINAL_IUCLC},     {38, TO_INPUT, TERMINAL_IXON},
	{39, TO_INPUT, TERMINAL_IXANY},     {40, TO_INPUT, TERMINAL_IXOFF},
	{41, TO_INPUT, TERMINAL_IMAXBEL},   {42, TO_INPUT, TERMINAL_IUTF8},
	{50, TO_LOCAL, TERMINAL_ISIG},      {51, TO_LOCAL, TERMINAL_ICANON},
	{53, TO_LOCAL, TERMINAL_ECHO},      {54, TO_LOCAL, TERMINAL_ECHOE},
	{55, TO_LOCAL, TERMINAL_ECHOK},     {56, TO_LOCAL, TERMINAL_ECHONL},
	{57, TO_LOCAL, TERMINAL_NOFLSH},    {58, TO_LOCAL, TERMINAL_TOSTOP},
	{59, TO_LOCAL, TERMINAL_IEXTEN},    {60, TO_LOCAL, TERMINAL_ECHOCTL},
	{61, TO_LOCAL, TERMINAL_ECHOKE},    {70, TO_OUTPUT, TERMINAL_OPOST},
	{71, TO_OUTPUT, TERMINAL_OLCUC},    {72, TO_OUTPUT, TERMINAL_ONLCR},
	{73, TO_OUTPUT, TERMINAL_OCRNL},    {74, TO_OUTPUT, TERMINAL_ONOCR},
	{75, TO_OUTPUT, TERMINAL_ONLRET},   {128, TO_INPUT_SPEED, 0},
	{129, TO_OUTPUT_SPEED, 0},
};

static void set_flag(uint32_t *flags, uint32_t flag, bool on)
{
	*flags = on ? *flags | flag : *flags & ~flag;
}

static void set_mode(struct terminal_modes *modes, uint8_t opcode, uint32_t value)
{
	for (size_t i = 0; i < ARRAY_COUNT(opcodes); i++) {
		if (opcodes[i].opcode != opcode)
			continue;
		switch (opcodes[i].where) {
		case TO_CONTROL: /* 255: no character */
			modes->control[opcodes[i].what] = value > 254 ? 0 : (uint8_t)value;
			break;
		case TO_INPUT:
			set_flag(&modes->input, opcodes[i].what, value != 0);
			break;
		case TO_OUTPUT:
			set_flag(&modes->output, opcodes[i].what, value != 0);
			break;
		case TO_LOCAL:
			set_flag(&modes->local, opcodes[i].what, value != 0);
			break;
		case TO_INPUT_SPEED:
			modes->input_speed = value;
			break;
		case TO_OUTPUT_SPEED:
			modes->output_speed = value;
			break;
		}
	}
}

void terminal_modes_decode(struct terminal_modes *modes, struct slice encoded)
{
	struct cursor c = cursor_of(encoded);

	while (c.left && !c.failed) {
		uint8_t opcode = cursor_u8(&c);
		uint32_t value;

		if (opcode == 0 || opcode >= 160)
			return;
		value = cursor_u32be(&c);
		if (!c.failed)
			set_mode(modes, opcode, value);
	}
}

void terminal_modes_restore(struct terminal_modes *modes, const struct terminal_modes *before)
{
	unsigned columns = modes->columns, rows = modes->rows;

	*modes = *before;
	modes->columns = columns;
	modes->rows = rows;
}

void terminal_open(struct terminal *terminal, const struct machine_terminal *setup)
{
	terminal_modes_usual(&terminal->modes);
	terminal_modes_decode(&terminal->modes, setup->modes);
	/* As the kernel keeps them (struct winsize). */
	terminal->modes.columns = (uint16_t)setup->columns;
	terminal->modes.rows = (uint16_t)setup->rows;
	for (size_t i = 0; setup->type && setup->type[i] && i < sizeof(terminal->modes.type) - 1;
	     i++)
		terminal->modes.type[i] = setup->type[i];
}

/* --- output --- */

static bool is_control_byte(uint8_t byte)
{
	return byte < ' ' || byte == DELETE;
}

static bool is_utf8_tail(const struct terminal *terminal, uint8_t byte)
{
	return terminal->modes.input & TERMINAL_IUTF8 && (byte & 0xc0) == 0x80;
}

static size_t translate_newline(struct terminal *terminal, uint8_t out[2])
{
	if (terminal->modes.output & (TERMINAL_ONLRET | TERMINAL_ONLCR))
		terminal->column = 0;
	terminal->line_column = terminal->column;
	if (!(terminal->modes.output & TERMINAL_ONLCR))
		return 1;
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

static size_t translate_return(struct terminal *terminal, uint8_t out[2])
{
	uint32_t flags = terminal->modes.output;

	if (flags & TERMINAL_ONOCR && terminal->column == 0)
		return 0;
	if (flags & TERMINAL_OCRNL)
		out[0] = '\n';
	if (!(flags & TERMINAL_OCRNL) || flags & TERMINAL_ONLRET)
		terminal->line_column = terminal->column = 0;
	return 1;
}

/* One byte of a program's output as it goes to the client: none to two bytes. */
static size_t translate(struct terminal *terminal, uint8_t byte, uint8_t out[2])
{
	out[0] = byte;
	if (!(terminal->modes.output & TERMINAL_OPOST))
		return 1;
	switch (byte) {
	case '\n':
		return translate_newline(terminal, out);
	case '\r':
		return translate_return(terminal, out);
	case '\t':
		terminal->column = (terminal->column / TAB_WIDTH + 1) * TAB_WIDTH;
		return 1;
	case '\b':
		terminal->column -= terminal->column > 0;
		return 1;
	default:
		if (is_control_byte(byte))
			return 1;
		if (terminal->modes.output & TERMINAL_OLCUC && byte >= 'a' && byte <= 'z')
			out[0] = (uint8_t)(byte - 'a' + 'A');
		terminal->column += !is_utf8_tail(terminal, byte);
		return 1;
	}
}

static void send_out(struct machine *machine, const uint8_t *at, size_t length)
{
	machine_send(machine, MACHINE_OUTPUT, slice_of(at, length));
}

void terminal_flush_echo(struct machine *machine)
{
	struct terminal *terminal = machine->terminal;
	size_t count = terminal->echo_length;

	if (count == 0 || terminal->stopped || machine->hung_up)
		return;
	if (count > machine->room[MACHINE_OUTPUT])
		count = machine->room[MACHINE_OUTPUT];
	if (count == 0)
		return;
	send_out(machine, terminal->echo, count);
	terminal->echo_length -= count;
	memmove(terminal->echo, terminal->echo + count, terminal->echo_length);
}

size_t terminal_write(struct machine *machine, struct slice bytes)
{
	struct terminal *terminal = machine->terminal;
	uint8_t out[1024];
	size_t used = 0;

	if (terminal->stopped)
		return 0;
	terminal_flush_echo(machine);
	while (used < bytes.length && !terminal->echo_length) {
		size_t length = 0, before = used;

		while (used < bytes.length && length + 2 <= sizeof(out) &&
		       length + 2 <= machine->room[MACHINE_OUTPUT])
			length += translate(terminal, bytes.at[used++], out + length);
		if (used == before)
			break;
		send_out(machine, out, length);
	}
	return used;
}

/* --- echo --- */

static void echo_bytes(struct terminal *terminal, const void *at, size_t length)
{
	const uint8_t *bytes = at;

	/* Translated now, since the cursor's place counts; what does not fit is lost, as on a real
	 * terminal whose output is held. */
	for (size_t i = 0; i < length && terminal->echo_length + 2 <= sizeof(terminal->echo); i++)
		terminal->echo_length +=
			translate(terminal, bytes[i], terminal->echo + terminal->echo_length);
}

/* A character that is typed, or a control character's picture. */
static void echo_byte(struct terminal *terminal, uint8_t byte)
{
	if (terminal->modes.local & TERMINAL_ECHOCTL && is_control_byte(byte) && byte != '\t') {
		uint8_t shown[2] = {'^', byte ^ 0x40};

		echo_bytes(terminal, shown, 2);
	} else {
		echo_bytes(terminal, &byte, 1);
	}
}

/* ... of which the line begins here if it is the first. */
static void echo_typed(struct terminal *terminal, uint8_t byte)
{
	if (!(terminal->modes.local & TERMINAL_ECHO))
		return;
	if (terminal->input_length == terminal->ready)
		terminal->line_column = terminal->column;
	echo_byte(terminal, byte);
}

/* --- input --- */

static int keep(struct machine *machine, uint8_t byte)
{
	struct terminal *terminal = machine->terminal;

	if (terminal->input_length >= MACHINE_TERMINAL_INPUT_MAX)
		return -1;
	if (terminal->input_length == terminal->input_capacity) {
		size_t capacity =
			terminal->input_capacity ? terminal->input_capacity * 2 : INPUT_FIRST;
		uint8_t *grown = machine_take(machine, capacity);

		if (!grown)
			return -1;
		if (terminal->input_length)
			memcpy(grown, terminal->input, terminal->input_length);
		machine_give(machine, terminal->input, terminal->input_capacity);
		terminal->input = grown;
		terminal->input_capacity = capacity;
	}
	terminal->input[terminal->input_length++] = byte;
	return 0;
}

/* The columns that a tab took: what stands between it and the tab before it or the line's start. */
static void rub_out_tab(struct terminal *terminal)
{
	const uint8_t *input = terminal->input;
	size_t at = terminal->input_length;
	unsigned columns = 0;

	for (; at > terminal->ready && input[at - 1] != '\t'; at--) {
		if (is_control_byte(input[at - 1]))
			columns += terminal->modes.local & TERMINAL_ECHOCTL ? 2 : 0;
		else
			columns += !is_utf8_tail(terminal, input[at - 1]);
	}
	if (at == terminal->ready)
		columns += terminal->line_column;
	for (columns = TAB_WIDTH - columns % TAB_WIDTH; columns > 0; columns--)
		echo_bytes(terminal, "\b", 1);
}

static void rub_out(struct terminal *terminal, uint8_t byte)
{
	bool pictured = terminal->modes.local & TERMINAL_ECHOCTL;

	if (!(terminal->modes.local & TERMINAL_ECHO))
		return;
	if (byte == '\t') {
		rub_out_tab(terminal);
		return;
	}
	if (is_control_byte(byte) && pictured)
		echo_bytes(terminal, "\b \b", 3);
	if (!is_control_byte(byte) || pictured)
		echo_bytes(terminal, "\b \b", 3);
}

/* Length of the line's last character; 0: there is none, or only the end of one. */
static size_t last_character(const struct terminal *terminal)
{
	size_t at = terminal->input_length;

	if (at == terminal->ready)
		return 0;
	do {
		at--;
	} while (is_utf8_tail(terminal, terminal->input[at]) && at > terminal->ready);
	return is_utf8_tail(terminal, terminal->input[at]) ? 0 : terminal->input_length - at;
}

static void erase_one(struct terminal *terminal)
{
	size_t length = last_character(terminal);

	if (length == 0)
		return;
	terminal->input_length -= length;
	if (terminal->modes.local & TERMINAL_ECHO && !(terminal->modes.local & TERMINAL_ECHOE))
		echo_byte(terminal, terminal->modes.control[TERMINAL_ERASE]);
	else
		rub_out(terminal, terminal->input[terminal->input_length]);
}

/* The kernel's isalnum takes bytes for Latin-1. */
static bool is_word(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' ||
	       (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

static void erase_word(struct terminal *terminal)
{
	bool in_word = false;
	size_t length;

	while ((length = last_character(terminal)) > 0) {
		uint8_t byte = terminal->input[terminal->input_length - length];

		if (in_word && !is_word(byte))
			return;
		in_word = in_word || is_word(byte);
		terminal->input_length -= length;
		rub_out(terminal, byte);
	}
}

static void erase_line(struct terminal *terminal)
{
	static const uint32_t visibly = TERMINAL_ECHOK | TERMINAL_ECHOKE | TERMINAL_ECHOE;
	uint32_t local = terminal->modes.local;
	size_t length;

	if (terminal->input_length == terminal->ready)
		return;
	if (local & TERMINAL_ECHO && (local & visibly) == visibly) {
		while ((length = last_character(terminal)) > 0) {
			terminal->input_length -= length;
			rub_out(terminal, terminal->input[terminal->input_length]);
		}
		return;
	}
	terminal->input_length = terminal->ready;
	if (!(local & TERMINAL_ECHO))
		return;
	echo_byte(terminal, terminal->modes.control[TERMINAL_KILL]);
	if (local & TERMINAL_ECHOK)
		echo_bytes(terminal, "\n", 1);
}

static void reprint(struct terminal *terminal)
{
	echo_byte(terminal, terminal->modes.control[TERMINAL_REPRINT]);
	echo_bytes(terminal, "\n", 1);
	for (size_t i = terminal->ready; i < terminal->input_length; i++)
		echo_byte(terminal, terminal->input[i]);
}

static bool is_control(const struct terminal_modes *modes, unsigned which, uint8_t byte)
{
	return byte && modes->control[which] == byte;
}

/* Signals and flow control; true when the byte was one. */
static bool take_signal(struct machine *machine, uint8_t byte)
{
	static const struct {
		unsigned control;
		int signal;
	} signals[] = {{TERMINAL_INTR, SIGINT}, {TERMINAL_QUIT, SIGQUIT}, {TERMINAL_SUSP, SIGTSTP}};
	struct terminal *terminal = machine->terminal;
	const struct terminal_modes *modes = &terminal->modes;

	if (modes->input & TERMINAL_IXON) {
		if (is_control(modes, TERMINAL_STOP, byte)) {
			terminal->stopped = true;
			return true;
		}
		if (is_control(modes, TERMINAL_START, byte)) {
			terminal->stopped = false;
			return true;
		}
	}
	if (!(modes->local & TERMINAL_ISIG))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(signals); i++) {
		if (!is_control(modes, signals[i].control, byte))
			continue;
		if (!(modes->local & TERMINAL_NOFLSH)) {
			terminal->input_length = terminal->ready = 0;
			terminal->end_count = 0;
			terminal->echo_length = 0;
			if (machine->flushed)
				machine->flushed(machine->context);
		}
		if (modes->input & TERMINAL_IXON)
			terminal->stopped = false;
		if (modes->local & TERMINAL_ECHO)
			echo_byte(terminal, byte);
		signal_group(machine, terminal->foreground, signals[i].signal);
		return true;
	}
	return false;
}

static void end_of_line(struct terminal *terminal)
{
	terminal->ready = terminal->input_length;
}

static void end_of_file(struct terminal *terminal)
{
	/* With an empty line the next read gives nothing; else what was typed is sent as it is. */
	if (terminal->end_count < ARRAY_COUNT(terminal->ends))
		terminal->ends[terminal->end_count++] = (uint16_t)terminal->input_length;
	end_of_line(terminal);
}

/* True when the byte edited the line. */
static bool edit_line(struct terminal *terminal, uint8_t byte)
{
	const struct terminal_modes *modes = &terminal->modes;

	if (is_control(modes, TERMINAL_ERASE, byte)) {
		erase_one(terminal);
	} else if (is_control(modes, TERMINAL_KILL, byte)) {
		erase_line(terminal);
	} else if (modes->local & TERMINAL_IEXTEN && is_control(modes, TERMINAL_WERASE, byte)) {
		erase_word(terminal);
	} else if ((modes->local & (TERMINAL_IEXTEN | TERMINAL_ECHO)) ==
			   (TERMINAL_IEXTEN | TERMINAL_ECHO) &&
		   is_control(modes, TERMINAL_REPRINT, byte)) {
		reprint(terminal);
	} else if (modes->local & TERMINAL_IEXTEN && is_control(modes, TERMINAL_LNEXT, byte)) {
		terminal->literal = true;
		if (modes->local & TERMINAL_ECHO && modes->local & TERMINAL_ECHOCTL)
			echo_bytes(terminal, "^\b", 2);
	} else if (is_control(modes, TERMINAL_EOF, byte)) {
		end_of_file(terminal);
	} else {
		return false;
	}
	return true;
}

/* A line's character, or its end. */
static bool take_character(struct machine *machine, uint8_t byte, bool literal)
{
	struct terminal *terminal = machine->terminal;
	const struct terminal_modes *modes = &terminal->modes;
	bool canonical = modes->local & TERMINAL_ICANON;
	bool newline = byte == '\n' && !literal;

	if (newline && modes->local & TERMINAL_ECHO)
		echo_bytes(terminal, "\n", 1);
	else if (newline && canonical && modes->local & TERMINAL_ECHONL)
		echo_bytes(terminal, "\n", 1);
	else
		echo_typed(terminal, byte);
	if (keep(machine, byte) < 0)
		return false;
	if (!canonical || newline ||
	    (!literal &&
	     (is_control(modes, TERMINAL_EOL, byte) ||
	      (is_control(modes, TERMINAL_EOL2, byte) && modes->local & TERMINAL_IEXTEN))))
		end_of_line(terminal);
	return true;
}

/* Room for one more byte. A line that is full, with none before it, goes on in its last place. */
static bool make_room(struct terminal *terminal)
{
	if (terminal->input_length < MACHINE_TERMINAL_INPUT_MAX - 1)
		return true;
	if (!(terminal->modes.local & TERMINAL_ICANON) || terminal->ready || terminal->end_count)
		return false;
	terminal->input_length = MACHINE_TERMINAL_INPUT_MAX - 1;
	return true;
}

/* True when it was taken. */
static bool take_byte(struct machine *machine, uint8_t byte)
{
	struct terminal *terminal = machine->terminal;
	const struct terminal_modes *modes = &terminal->modes;
	bool literal = terminal->literal;

	if (modes->input & TERMINAL_ISTRIP)
		byte &= 0x7f;
	if (!literal && take_signal(machine, byte))
		return true;
	if (!make_room(terminal))
		return false;
	terminal->literal = false;
	if (terminal->stopped && modes->input & TERMINAL_IXON && modes->input & TERMINAL_IXANY)
		terminal->stopped = false;
	if (literal)
		return take_character(machine, byte, true);
	if (byte == '\r' && modes->input & TERMINAL_IGNCR)
		return true;
	if (byte == '\r' && modes->input & TERMINAL_ICRNL)
		byte = '\n';
	else if (byte == '\n' && modes->input & TERMINAL_INLCR)
		byte = '\r';
	if (modes->local & TERMINAL_ICANON && edit_line(terminal, byte))
		return true;
	return take_character(machine, byte, false);
}

size_t terminal_take(struct machine *machine, struct slice bytes)
{
	size_t used = 0;

	while (used < bytes.length && take_byte(machine, bytes.at[used])) {
		used++;
		if (machine->terminal->echo_length > sizeof(machine->terminal->echo) / 2)
			terminal_flush_echo(machine);
	}
	terminal_flush_echo(machine);
	return used;
}

size_t terminal_input_room(const struct terminal *terminal)
{
	if (terminal->input_length < MACHINE_TERMINAL_INPUT_MAX - 1)
		return MACHINE_TERMINAL_INPUT_MAX - 1 - terminal->input_length;
	return terminal->modes.local & TERMINAL_ICANON && !terminal->ready && !terminal->end_count;
}

bool terminal_has_input(const struct terminal *terminal)
{
	if (terminal->hung_up)
		return true;
	/* A program that left canonical mode may read the line that was begun. */
	if (!(terminal->modes.local & TERMINAL_ICANON))
		return terminal->input_length > 0 || terminal->modes.minimum == 0;
	return terminal->ready > 0 || terminal->end_count > 0;
}

static void drop_input(struct machine *machine, size_t count)
{
	struct terminal *terminal = machine->terminal;

	terminal->input_length -= count;
	terminal->ready -= count < terminal->ready ? count : terminal->ready;
	if (terminal->input_length == 0) {
		machine_give(machine, terminal->input, terminal->input_capacity);
		terminal->input = NULL;
		terminal->input_capacity = 0;
	} else {
		memmove(terminal->input, terminal->input + count, terminal->input_length);
	}
	for (unsigned i = 0; i < terminal->end_count; i++)
		terminal->ends[i] = (uint16_t)(terminal->ends[i] - count);
}

static void drop_end(struct terminal *terminal)
{
	terminal->end_count--;
	memmove(terminal->ends, terminal->ends + 1, terminal->end_count * sizeof(*terminal->ends));
}

size_t terminal_read(struct machine *machine, void *at, size_t size)
{
	struct terminal *terminal = machine->terminal;
	const struct terminal_modes *modes = &terminal->modes;
	size_t count = 0, limit;
	bool line_end = false;

	if (!(modes->local & TERMINAL_ICANON)) {
		terminal->end_count = 0;
		terminal->ready = terminal->input_length;
		count = size < terminal->input_length ? size : terminal->input_length;
		if (count)
			memcpy(at, terminal->input, count);
		drop_input(machine, count);
		return count;
	}
	limit = terminal->end_count ? terminal->ends[0] : terminal->ready;
	while (count < limit && count < size && !line_end) {
		uint8_t byte = terminal->input[count++];

		line_end = byte == '\n' || is_control(modes, TERMINAL_EOL, byte);
	}
	if (count)
		memcpy(at, terminal->input, count);
	/* ^D behind a part of a line ends this read and is gone. */
	if (terminal->end_count && count == terminal->ends[0] && !line_end)
		drop_end(terminal);
	if (count)
		drop_input(machine, count);
	return count;
}

/* --- calls of programs --- */

struct terminal_modes *process_terminal(struct process *process, int descriptor)
{
	return process_is_terminal(process, descriptor) ? &process->machine->terminal->modes : NULL;
}

const char *process_terminal_name(struct process *process)
{
	return process->machine->terminal ? process->machine->terminal->name : "?";
}

int process_set_foreground(struct process *process, unsigned group)
{
	if (!process->machine->terminal)
		return -ENOTTY;
	process->machine->terminal->foreground = group;
	return 0;
}

unsigned process_foreground(struct process *process)
{
	return process->machine->terminal ? process->machine->terminal->foreground : 0;
}
