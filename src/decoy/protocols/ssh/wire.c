/* SSH's wire form; see wire.h. */
#include "decoy/protocols/ssh/wire.h"

struct slice wire_string(struct cursor *c)
{
	uint32_t length = cursor_u32be(c);

	return cursor_take(c, length);
}

struct slice wire_text(struct cursor *c)
{
	struct slice text = wire_string(c);
	size_t nul = slice_find_byte(text, 0);

	if (nul == SIZE_MAX)
		return text;
	if (nul + 1 != text.length) {
		c->failed = true;
		return (struct slice){0};
	}
	return slice_first(text, nul);
}

void wire_end(struct cursor *c)
{
	if (c->left)
		c->failed = true;
}

void wire_put_string(struct writer *w, struct slice s)
{
	writer_u32be(w, (uint32_t)s.length);
	writer_bytes(w, s);
}

void wire_put_text(struct writer *w, const char *text)
{
	wire_put_string(w, slice_text(text));
}

void wire_put_mpint(struct writer *w, struct slice number)
{
	while (number.length && number.at[0] == 0)
		number = slice_from(number, 1);
	if (number.length && number.at[0] & 0x80) {
		writer_u32be(w, (uint32_t)number.length + 1);
		writer_u8(w, 0);
	} else {
		writer_u32be(w, (uint32_t)number.length);
	}
	writer_bytes(w, number);
}

bool wire_next_name(struct slice *list, struct slice *name)
{
	return slice_next(list, ',', name);
}

bool wire_list_has(struct slice list, struct slice name)
{
	struct slice item;

	while (wire_next_name(&list, &item)) {
		if (slice_equal(item, name))
			return true;
	}
	return false;
}

struct slice wire_choose(struct slice client, struct slice server)
{
	struct slice name;

	while (wire_next_name(&client, &name)) {
		if (name.length && wire_list_has(server, name))
			return name;
	}
	return (struct slice){0};
}
