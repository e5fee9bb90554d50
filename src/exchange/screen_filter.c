/* A filter for terminal output; see screen_filter.h. */
#include "exchange/screen_filter.h"

#define ESCAPE 0x1b
#define BELL   0x07

/* Final bytes of control sequences that only draw. */
static const char drawing[] = "@ABCDEFGHIJKLMPSTXZ`adefmr";

/* Private modes that may be set and reset: wrap, cursor, alternate screens. */
static bool is_drawing_mode(struct slice parameters)
{
	static const char *const modes[] = {"7", "12", "25", "47", "1047", "1048", "1049"};

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++)
		if (slice_is(parameters, modes[i]))
			return true;
	return false;
}

static bool is_drawing(struct slice sequence)
{
	uint8_t last = sequence.at[sequence.length - 1];
	struct slice parameters = slice_first(sequence, sequence.length - 1);

	if (parameters.length && parameters.at[0] == '?')
		return (last == 'h' || last == 'l') && is_drawing_mode(slice_from(parameters, 1));
	for (size_t i = 0; i < parameters.length; i++)
		if (!(parameters.at[i] >= '0' && parameters.at[i] <= '9') &&
		    parameters.at[i] != ';' && parameters.at[i] != ':')
			return false;
	if (last == 'h' || last == 'l')
		return slice_is(parameters, "4"); /* insert mode */
	return memchr(drawing, last, sizeof(drawing) - 1) != NULL;
}

static void end_control(struct screen_filter *filter, struct writer *out)
{
	struct slice sequence = slice_of(filter->sequence, filter->length);

	filter->state = SCREEN_TEXT;
	if (filter->length > SCREEN_SEQUENCE_MAX || !is_drawing(sequence))
		return;
	writer_text(out, "\033[");
	writer_bytes(out, sequence);
}

static void take_control(struct screen_filter *filter, uint8_t byte, struct writer *out)
{
	if (byte < ' ' || byte >= 0x7f) { /* not a sequence at all */
		filter->state = byte == ESCAPE ? SCREEN_ESCAPE : SCREEN_TEXT;
		return;
	}
	if (filter->length < SCREEN_SEQUENCE_MAX)
		filter->sequence[filter->length] = byte;
	if (filter->length <= SCREEN_SEQUENCE_MAX)
		filter->length++;
	if (byte >= '@')
		end_control(filter, out);
}

static void take_escape(struct screen_filter *filter, uint8_t byte, struct writer *out)
{
	filter->state = SCREEN_TEXT;
	switch (byte) {
	case '[':
		filter->state = SCREEN_CONTROL;
		filter->length = 0;
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
	case 'k': /* screen's title */
		filter->state = SCREEN_STRING;
		break;
	case ESCAPE:
		filter->state = SCREEN_ESCAPE;
		break;
	case '7':
	case '8':
	case 'D':
	case 'E':
	case 'M':
		writer_u8(out, ESCAPE);
		writer_u8(out, byte);
		break;
	default:
		if (byte >= ' ' && byte <= '/') /* a character set: one more byte */
			filter->state = SCREEN_SKIP_ONE;
		break;
	}
}

static void take_character(struct screen_filter *filter, uint8_t byte, struct writer *out)
{
	struct slice whole;

	if (filter->character_length && (byte & 0xc0) != 0x80) {
		writer_text(out, "\xef\xbf\xbd");
		filter->character_length = 0;
	}
	if (byte < 0x80) {
		if (byte == '\b' || byte == '\t' || byte == '\n' || byte == '\r' ||
		    (byte >= ' ' && byte < 0x7f))
			writer_u8(out, byte);
		return;
	}
	filter->character[filter->character_length++] = byte;
	whole = slice_of(filter->character, filter->character_length);
	if (utf8_sequence(whole) == whole.length) {
		if (!utf8_acts_on_screen(whole))
			writer_bytes(out, whole);
		filter->character_length = 0;
	} else if (filter->character_length == sizeof(filter->character) ||
		   (filter->character_length == 1 && (byte < 0xc2 || byte > 0xf4))) {
		writer_text(out, "\xef\xbf\xbd");
		filter->character_length = 0;
	}
}

void screen_filter(struct screen_filter *filter, struct slice bytes, struct writer *out)
{
	for (size_t i = 0; i < bytes.length; i++) {
		uint8_t byte = bytes.at[i];

		switch (filter->state) {
		case SCREEN_TEXT:
			if (byte == ESCAPE)
				filter->state = SCREEN_ESCAPE;
			else
				take_character(filter, byte, out);
			break;
		case SCREEN_ESCAPE:
			take_escape(filter, byte, out);
			break;
		case SCREEN_CONTROL:
			take_control(filter, byte, out);
			break;
		case SCREEN_STRING:
			if (byte == BELL)
				filter->state = SCREEN_TEXT;
			else if (byte == ESCAPE)
				filter->state = SCREEN_STRING_ESCAPE;
			break;
		case SCREEN_STRING_ESCAPE:
			/* Another sequence ends the string, as terminals have it: nobody hides
			 * the rest behind one that is never closed. */
			if (byte == '\\')
				filter->state = SCREEN_TEXT;
			else
				take_escape(filter, byte, out);
			break;
		case SCREEN_SKIP_ONE:
			filter->state = SCREEN_TEXT;
			break;
		}
	}
}
