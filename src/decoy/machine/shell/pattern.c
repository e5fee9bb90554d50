/* Patterns: * ? [...] and the extended @( | ) of bash. Recursion and backtracking are bounded by
 * steps: process_step slows an intruder's worst pattern down. */
#include <ctype.h>

#include "decoy/machine/shell/state.h"

struct matcher {
	struct shell *shell;
	bool extended, no_case;
	unsigned depth;
	size_t steps;
};

#define MATCH_DEPTH_MAX 200
#define MATCH_STEPS_MAX ((size_t)400000)

static uint8_t folded(const struct matcher *matcher, uint8_t byte)
{
	return matcher->no_case ? (uint8_t)tolower(byte) : byte;
}

static bool in_class(const char *name, size_t length, uint8_t byte)
{
	static const struct {
		const char *name;
		int (*is)(int byte);
	} classes[] = {
		{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
		{"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
		{"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
	};

	for (size_t i = 0; i < ARRAY_COUNT(classes); i++)
		if (strlen(classes[i].name) == length && !memcmp(classes[i].name, name, length))
			return classes[i].is(byte) != 0;
	return length == 4 && !memcmp(name, "word", 4) && (isalnum(byte) || byte == '_');
}

/* [...] at the bracket. Length of the set, 0: none (a plain bracket). */
static size_t match_set(const struct matcher *matcher, const char *pattern, size_t length,
			uint8_t byte, bool *matched)
{
	size_t at = 1;
	bool negated = at < length && (pattern[at] == '!' || pattern[at] == '^'), found = false;

	at += negated;
	for (size_t first = at;; at++) {
		uint8_t low, high;

		if (at >= length)
			return 0;
		if (pattern[at] == ']' && at > first)
			break;
		if (pattern[at] == '[' && at + 1 < length && pattern[at + 1] == ':') {
			size_t end = at + 2;

			while (end + 1 < length &&
			       !(pattern[end] == ':' && pattern[end + 1] == ']'))
				end++;
			if (end + 1 < length) {
				found |= in_class(pattern + at + 2, end - at - 2, byte);
				at = end + 1;
				continue;
			}
		}
		if (pattern[at] == '\\' && at + 1 < length)
			at++;
		low = high = (uint8_t)pattern[at];
		if (at + 2 < length && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
			at += 2;
			if (pattern[at] == '\\' && at + 1 < length)
				at++;
			high = (uint8_t)pattern[at];
		}
		if ((byte >= low && byte <= high) ||
		    (matcher->no_case && ((tolower(byte) >= low && tolower(byte) <= high) ||
					  (toupper(byte) >= low && toupper(byte) <= high))))
			found = true;
	}
	*matched = found != negated;
	return at + 1;
}

/* Offset behind the ")" of a group whose "(" is at `open`, or 0. */
static size_t group_end(const char *pattern, size_t length, size_t open)
{
	size_t depth = 0;

	for (size_t i = open; i < length; i++) {
		if (pattern[i] == '\\')
			i++;
		else if (pattern[i] == '(')
			depth++;
		else if (pattern[i] == ')' && !--depth)
			return i + 1;
	}
	return 0;
}

static bool match(struct matcher *matcher, const char *pattern, size_t length, const uint8_t *s,
		  size_t left);

/* Whether one of the alternatives a|b|c matches s as a whole. */
static bool match_alternatives(struct matcher *matcher, const char *body, size_t length,
			       const uint8_t *s, size_t left)
{
	size_t start = 0, depth = 0;

	for (size_t i = 0; i <= length; i++) {
		if (i < length && body[i] == '\\') {
			i++;
			continue;
		}
		if (i < length && body[i] == '(')
			depth++;
		if (i < length && body[i] == ')')
			depth--;
		if (i < length && (body[i] != '|' || depth))
			continue;
		if (match(matcher, body + start, i - start, s, left))
			return true;
		start = i + 1;
	}
	return false;
}

/* op(body)rest against s: op is one of ? * + @ !. */
static bool match_group(struct matcher *matcher, char op, const char *body, size_t body_length,
			const char *rest, size_t rest_length, const uint8_t *s, size_t left)
{
	if ((op == '?' || op == '*') && match(matcher, rest, rest_length, s, left))
		return true;
	for (size_t take = 0; take <= left; take++) {
		bool here = match_alternatives(matcher, body, body_length, s, take);

		if (op == '!') {
			if (!here && match(matcher, rest, rest_length, s + take, left - take))
				return true;
			continue;
		}
		if (!here)
			continue;
		if (match(matcher, rest, rest_length, s + take, left - take))
			return true;
		if ((op == '*' || op == '+') && take &&
		    match_group(matcher, '*', body, body_length, rest, rest_length, s + take,
				left - take))
			return true;
	}
	return false;
}

/* One element that is no star; the bytes of the pattern it takes, 0: no match. */
static size_t match_one(struct matcher *matcher, const char *pattern, size_t length, uint8_t byte)
{
	bool matched = false;
	size_t taken;

	switch (pattern[0]) {
	case '?':
		return 1;
	case '[':
		taken = match_set(matcher, pattern, length, byte, &matched);
		if (taken)
			return matched ? taken : 0;
		break;
	case '\\':
		if (length > 1)
			return folded(matcher, (uint8_t)pattern[1]) == folded(matcher, byte) ? 2
											     : 0;
		break;
	default:
		break;
	}
	return folded(matcher, (uint8_t)pattern[0]) == folded(matcher, byte) ? 1 : 0;
}

static bool match_here(struct matcher *matcher, const char *pattern, size_t length,
		       const uint8_t *s, size_t left)
{
	const char *star = NULL;
	size_t star_length = 0, star_left = 0, taken;
	const uint8_t *star_at = NULL;

	for (;;) {
		if (++matcher->steps % 1024 == 0)
			process_step(matcher->shell->process);
		if (matcher->steps > MATCH_STEPS_MAX)
			return false;
		if (length > 1 && matcher->extended && pattern[1] == '(' &&
		    strchr("?*+@!", pattern[0])) {
			size_t end = group_end(pattern, length, 1);

			if (end) {
				if (match_group(matcher, pattern[0], pattern + 2, end - 3,
						pattern + end, length - end, s, left))
					return true;
				goto back;
			}
		}
		if (length && pattern[0] == '*') {
			star = ++pattern;
			star_length = --length;
			star_at = s;
			star_left = left;
			continue;
		}
		if (!length) {
			if (!left)
				return true;
		} else if (left && (taken = match_one(matcher, pattern, length, *s))) {
			pattern += taken;
			length -= taken;
			s++;
			left--;
			continue;
		}
	back:
		if (!star || !star_left)
			return false;
		s = ++star_at;
		left = --star_left;
		pattern = star;
		length = star_length;
	}
}

static bool match(struct matcher *matcher, const char *pattern, size_t length, const uint8_t *s,
		  size_t left)
{
	bool result;

	if (matcher->depth >= MATCH_DEPTH_MAX || shell_stack_is_low(matcher->shell))
		return false;
	matcher->depth++;
	result = match_here(matcher, pattern, length, s, left);
	matcher->depth--;
	return result;
}

bool pattern_matches(struct shell *shell, const char *pattern, struct slice s, bool extended,
		     bool no_case)
{
	struct matcher matcher = {.shell = shell, .extended = extended, .no_case = no_case};

	return match(&matcher, pattern, strlen(pattern), s.at, s.length);
}

bool pattern_has_magic(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '*' || *pattern == '?')
			return true;
		else if (*pattern == '[' && strchr(pattern, ']'))
			return true;
		else if (strchr("@!+", *pattern) && pattern[1] == '(')
			return true;
	}
	return false;
}

char *pattern_plain(struct shell *shell, const char *pattern)
{
	char *plain = pool_text(shell->scratch, slice_text(pattern)), *to = plain;

	for (; *pattern; pattern++) {
		if (*pattern == '\\' && pattern[1])
			pattern++;
		*to++ = *pattern;
	}
	*to = '\0';
	return plain;
}
