/* ULIDs (github.com/ulid/spec): 26 characters of Crockford's base 32, sortable by time. */
#include "base/clock.h"
#include "base/hash.h"
#include "event/event.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define MILLISECOND_LAST ((INT64_C(1) << 48) - 1) /* in the year 10889 */

/* Adds one to the random part; true when it ran over. */
static bool step(uint8_t random[10])
{
	for (int i = 9; i >= 0; i--) {
		if (++random[i])
			return false;
	}
	return true;
}

static void draw(struct ulid_source *source)
{
	if (source->random_left < 10) {
		random_bytes(source->random, sizeof(source->random));
		source->random_left = sizeof(source->random);
	}
	source->random_left -= 10;
	memcpy(source->last + 6, source->random + source->random_left, 10);
}

static void put_time(uint8_t bytes[16], int64_t millisecond)
{
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(millisecond >> (40 - 8 * i));
}

/* 128 bits in groups of five from the end; the first group has three. */
void ulid_text(const uint8_t bytes[16], char text[ULID_LENGTH + 1])
{
	uint64_t high = 0, low = 0;

	for (unsigned i = 0; i < 8; i++) {
		high = high << 8 | bytes[i];
		low = low << 8 | bytes[i + 8];
	}
	for (unsigned i = 0; i < 12; i++)
		text[25 - i] = digits[low >> (5 * i) & 31];
	text[13] = digits[(high << 4 | low >> 60) & 31];
	for (unsigned i = 0; i < 13; i++)
		text[12 - i] = digits[high >> (5 * i + 1) & 31];
	text[ULID_LENGTH] = 0;
}

void ulid_next(struct ulid_source *source, int64_t microseconds, char text[ULID_LENGTH + 1])
{
	int64_t millisecond = microseconds / MILLISECOND;

	if (millisecond < 0)
		millisecond = 0;
	if (millisecond > MILLISECOND_LAST)
		millisecond = MILLISECOND_LAST;
	/* A clock that steps back waits at the last time it showed: order and uniqueness come
	 * first. */
	if (millisecond > source->last_millisecond) {
		draw(source);
		/* Room to count up to the millisecond's end. */
		source->last[6] &= 0x7f;
		source->last_millisecond = millisecond;
	} else if (step(source->last + 6)) {
		source->last_millisecond++;
	}
	put_time(source->last, source->last_millisecond);
	ulid_text(source->last, text);
}

/* Value of a digit in either case (the specification reads I and L as 1, O as 0), or -1. */
static int digit_value(uint8_t byte)
{
	const char *found;

	if (byte >= 'a' && byte <= 'z')
		byte = (uint8_t)(byte - 'a' + 'A');
	if (byte == 'I' || byte == 'L')
		return 1;
	if (byte == 'O')
		return 0;
	found = byte ? strchr(digits, byte) : NULL;
	return found ? (int)(found - digits) : -1;
}

int64_t ulid_milliseconds(struct slice text)
{
	int64_t millisecond = 0;

	if (text.length != ULID_LENGTH || digit_value(text.at[0]) > 7)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		int value = digit_value(text.at[i]);

		if (value < 0)
			return -1;
		if (i < 10)
			millisecond = millisecond << 5 | value;
	}
	return millisecond;
}
