/* BER (X.690) as far as SNMP, Kerberos and LDAP use it: one-byte tags, definite lengths. */
#ifndef CAPTURE_APPLICATION_BER_H
#define CAPTURE_APPLICATION_BER_H

#include "base/bytes.h"

enum { BER_INTEGER = 0x02, BER_OCTETS = 0x04, BER_ENUMERATED = 0x0a, BER_SEQUENCE = 0x30 };

/* The next element: its tag and content; a content that is cut short is given as far as it goes.
 * Tag 0 and failed at the end. */
static inline uint8_t ber_next(struct cursor *c, struct slice *content)
{
	uint8_t tag = cursor_u8(c), first = cursor_u8(c);
	size_t length = first;

	*content = slice_of(NULL, 0);
	if (first & 0x80) {
		length = 0;
		if ((first & 0x7f) > 4)
			c->failed = true;
		for (unsigned i = 0; i < (first & 0x7fu) && !c->failed; i++)
			length = length << 8 | cursor_u8(c);
	}
	if (c->failed)
		return 0;
	*content = cursor_take(c, length < c->left ? length : c->left);
	return tag;
}

/* The content of the next element if it has that tag; else it stays where it is, false. */
static inline bool ber_take(struct cursor *c, uint8_t tag, struct slice *content)
{
	if (c->failed || !c->left || c->at[0] != tag)
		return false;
	return ber_next(c, content) == tag && !c->failed;
}

static inline int64_t ber_number(struct slice content)
{
	int64_t number = content.length && content.at[0] & 0x80 ? -1 : 0;

	for (size_t i = 0; i < content.length && i < 8; i++)
		number = (int64_t)((uint64_t)number << 8 | content.at[i]);
	return number;
}

/* Whether a first element says how long all is, and that is what there is. *length: of all of it;
 * 0: not told yet. */
static inline bool ber_spans(struct slice bytes, size_t *length)
{
	struct cursor c = cursor_of(bytes);
	uint8_t first;
	size_t rest = 0;

	*length = 0;
	cursor_skip(&c, 1);
	first = cursor_u8(&c);
	if (c.failed)
		return true;
	if (!(first & 0x80)) {
		*length = 2u + first;
		return true;
	}
	if ((first & 0x7f) > 4 || (first & 0x7f) == 0)
		return false;
	for (unsigned i = 0; i < (first & 0x7fu); i++)
		rest = rest << 8 | cursor_u8(&c);
	if (c.failed)
		return true;
	*length = rest + 2 + (first & 0x7fu);
	return true;
}

#endif
