/* p0f's signatures: reading and matching; see p0f.h. */
#include "capture/fingerprint/p0f.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

#define MEMORY_MAX (8 * 1024 * 1024)

enum window_kind { WINDOW_ANY, WINDOW_IS, WINDOW_MULTIPLE, WINDOW_MSS, WINDOW_MTU };

struct signature {
	const char *label;
	bool generic, application, bad_ttl;
	int8_t version; /* 4, 6, -1: both */
	int16_t scale;  /* -1: any */
	int8_t payload; /* -1: any */
	uint8_t window_kind, ttl, layout[TCP_LAYOUT_MAX], layout_count, end_padding;
	uint16_t options_length;
	int32_t mss; /* -1: any */
	uint32_t window, quirks;
	struct signature *next;
};

struct mtu {
	const char *label;
	unsigned mtu;
	struct mtu *next;
};

struct p0f {
	struct arena arena;
	struct signature *requests, **requests_end, *responses, **responses_end;
	struct mtu *mtus;
};

/* --- reading --- */

struct reading {
	struct p0f *p0f;
	enum {
		SECTION_NONE,
		SECTION_MTU,
		SECTION_REQUEST,
		SECTION_RESPONSE,
		SECTION_OTHER
	} section;
	const char *label;
	bool generic, application;
};

static bool number(struct slice text, int64_t most, int64_t *value)
{
	return slice_number(text, 0, most, value) == 0;
}

static bool read_ttl(struct signature *s, struct slice text)
{
	size_t plus = slice_find_byte(text, '+');
	int64_t ttl, more = 0;

	if (text.length && text.at[text.length - 1] == '-') {
		s->bad_ttl = true;
		text.length--;
	}
	if (!number(slice_first(text, plus), 255, &ttl) ||
	    (plus != SIZE_MAX && !number(slice_from(text, plus + 1), 255, &more)) ||
	    ttl + more > 255 || ttl < 1)
		return false;
	s->ttl = (uint8_t)(ttl + more);
	return true;
}

static bool read_window(struct signature *s, struct slice text)
{
	struct slice size;
	int64_t value = 0;

	(void)slice_next(&text, ',', &size);
	s->window_kind = WINDOW_IS;
	if (slice_is(size, "*"))
		s->window_kind = WINDOW_ANY;
	else if (slice_starts(size, "%") && number(slice_from(size, 1), 65535, &value) && value)
		s->window_kind = WINDOW_MULTIPLE;
	else if (slice_starts(size, "mss*") && number(slice_from(size, 4), 1000, &value))
		s->window_kind = WINDOW_MSS;
	else if (slice_starts(size, "mtu*") && number(slice_from(size, 4), 1000, &value))
		s->window_kind = WINDOW_MTU;
	else if (!number(size, 65535, &value))
		return false;
	s->window = (uint32_t)value;
	s->scale = -1;
	if (slice_is(text, "*"))
		return true;
	if (!number(text, 255, &value))
		return false;
	s->scale = (int16_t)value;
	return true;
}

static bool read_layout(struct signature *s, struct slice text)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} names[] = {{"nop", 1}, {"mss", 2}, {"ws", 3}, {"sok", 4}, {"sack", 5}, {"ts", 8}};
	struct slice name;

	while (slice_next(&text, ',', &name)) {
		int64_t value = -1;

		if (s->layout_count == TCP_LAYOUT_MAX)
			return false;
		if (slice_starts(name, "eol+")) {
			if (!number(slice_from(name, 4), 255, &value))
				return false;
			s->end_padding = (uint8_t)value;
			value = 0;
		} else if (slice_starts(name, "?")) {
			if (!number(slice_from(name, 1), 255, &value))
				return false;
		}
		for (size_t i = 0; i < ARRAY_COUNT(names) && value < 0; i++)
			if (slice_is(name, names[i].name))
				value = names[i].kind;
		if (value < 0)
			return false;
		s->layout[s->layout_count++] = (uint8_t)value;
	}
	return true;
}

static bool read_quirks(struct signature *s, struct slice text)
{
	struct slice name;

	while (slice_next(&text, ',', &name)) {
		size_t i = 0;

		while (tcp_quirk_names[i] && !slice_is(name, tcp_quirk_names[i]))
			i++;
		if (!tcp_quirk_names[i])
			return false;
		s->quirks |= 1u << i;
	}
	return true;
}

/* ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass */
static const char *read_tcp(struct reading *r, struct slice text)
{
	struct signature *s = arena_take(&r->p0f->arena, sizeof(*s));
	struct signature ***end =
		r->section == SECTION_REQUEST ? &r->p0f->requests_end : &r->p0f->responses_end;
	struct slice parts[8];
	int64_t value;
	size_t count = 0;

	if (!s)
		return "out of memory";
	while (count < 8 && slice_find_byte(text, ':') != SIZE_MAX)
		(void)slice_next(&text, ':', &parts[count++]);
	if (count != 7)
		return "a signature has eight fields";
	parts[7] = text;
	s->label = r->label;
	s->generic = r->generic;
	s->application = r->application;
	s->version = slice_is(parts[0], "4") ? 4 : slice_is(parts[0], "6") ? 6 : -1;
	if (s->version < 0 && !slice_is(parts[0], "*"))
		return "the version is 4, 6 or *";
	if (!read_ttl(s, parts[1]))
		return "this is no time to live";
	if (!number(parts[2], 255, &value))
		return "this is no length of IP options";
	s->options_length = (uint16_t)value;
	s->mss = -1;
	if (!slice_is(parts[3], "*")) {
		if (!number(parts[3], 65535, &value))
			return "this is no MSS";
		s->mss = (int32_t)value;
	}
	if (!read_window(s, parts[4]))
		return "this is no window and scale";
	if (!read_layout(s, parts[5]))
		return "this is no layout of options";
	if (!read_quirks(s, parts[6]))
		return "this is no list of quirks";
	s->payload = slice_is(parts[7], "*") ? -1 : slice_is(parts[7], "+");
	**end = s;
	*end = &s->next;
	return NULL;
}

static const char *read_mtu(struct reading *r, struct slice text)
{
	struct mtu *mtu = arena_take(&r->p0f->arena, sizeof(*mtu));
	int64_t value;

	if (!mtu || !number(text, 65535, &value))
		return "this is no MTU";
	mtu->label = r->label;
	mtu->mtu = (unsigned)value;
	mtu->next = r->p0f->mtus;
	r->p0f->mtus = mtu;
	return NULL;
}

/* type:class:name:flavor, of an MTU only a text */
static const char *read_label(struct reading *r, struct slice text)
{
	struct slice type, class, name;
	char label[200];

	if (r->section == SECTION_MTU) {
		r->label = arena_text(&r->p0f->arena, text);
		return r->label ? NULL : "out of memory";
	}
	(void)slice_next(&text, ':', &type);
	(void)slice_next(&text, ':', &class);
	(void)slice_next(&text, ':', &name);
	if (!(slice_is(type, "s") || slice_is(type, "g")) || !class.length || !name.length)
		return "a label is s or g, class, name and flavour";
	r->generic = slice_is(type, "g");
	r->application = slice_is(class, "!");
	(void)snprintf(label, sizeof(label), "%.*s%s%.*s", (int)slice_first(name, 90).length,
		       (const char *)name.at, text.length ? " " : "",
		       (int)slice_first(text, 90).length, (const char *)text.at);
	r->label = arena_text(&r->p0f->arena, slice_text(label));
	return r->label ? NULL : "out of memory";
}

static const char *read_line(struct reading *r, struct slice line)
{
	size_t equals = slice_find_byte(line, '=');
	struct slice key = slice_trim(slice_first(line, equals));
	struct slice value =
		equals == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_from(line, equals + 1));

	if (line.at[0] == '[') {
		r->label = NULL;
		r->section = slice_is(line, "[mtu]")            ? SECTION_MTU
			     : slice_is(line, "[tcp:request]")  ? SECTION_REQUEST
			     : slice_is(line, "[tcp:response]") ? SECTION_RESPONSE
			     : slice_starts(line, "[http:")     ? SECTION_OTHER
								: SECTION_NONE;
		return r->section == SECTION_NONE ? "an unknown section" : NULL;
	}
	if (equals == SIZE_MAX)
		return "neither a section nor KEY = VALUE";
	if (slice_is(key, "classes") || slice_is(key, "ua_os") || slice_is(key, "sys") ||
	    r->section == SECTION_OTHER)
		return NULL;
	if (slice_is(key, "label"))
		return read_label(r, value);
	if (!slice_is(key, "sig"))
		return "an unknown key";
	if (!r->label)
		return "a signature without a label before it";
	return r->section == SECTION_MTU ? read_mtu(r, value) : read_tcp(r, value);
}

struct p0f *p0f_read(struct slice text, char why[160])
{
	struct p0f *p0f = calloc(1, sizeof(*p0f));
	struct reading r = {.p0f = p0f};
	struct slice line;
	unsigned number_of_line = 0;

	if (!p0f) {
		(void)snprintf(why, 160, "out of memory");
		return NULL;
	}
	p0f->arena = arena_of(MEMORY_MAX);
	p0f->requests_end = &p0f->requests;
	p0f->responses_end = &p0f->responses;
	while (slice_next(&text, '\n', &line)) {
		const char *wrong;

		number_of_line++;
		line = slice_trim(line);
		if (!line.length || line.at[0] == ';')
			continue;
		wrong = read_line(&r, line);
		if (wrong) {
			(void)snprintf(why, 160, "line %u: %s", number_of_line, wrong);
			p0f_free(p0f);
			return NULL;
		}
	}
	return p0f;
}

void p0f_free(struct p0f *p0f)
{
	if (!p0f)
		return;
	arena_drop(&p0f->arena);
	free(p0f);
}

/* --- matching --- */

static bool window_matches(const struct signature *s, const struct tcp_print *p)
{
	switch (s->window_kind) {
	case WINDOW_IS:
		return p->window == s->window;
	case WINDOW_MULTIPLE:
		return p->window % s->window == 0;
	case WINDOW_MSS:
		return !p->by_mtu && p->multiplier == (int32_t)s->window;
	case WINDOW_MTU:
		return p->by_mtu && p->multiplier == (int32_t)s->window;
	default:
		return true;
	}
}

/* False: no match. *fuzzy is set when it is one only by and large. */
static bool signature_matches(const struct signature *s, const struct tcp_print *p, bool *fuzzy)
{
	uint32_t quirks = s->quirks, gone, come;

	*fuzzy = false;
	if (s->layout_count != p->layout_count ||
	    memcmp(s->layout, p->layout, p->layout_count) != 0 ||
	    (s->version >= 0 && s->version != p->version))
		return false;
	if (s->version < 0)
		quirks &= p->version == 4 ? ~(uint32_t)QUIRK_FLOW
					  : ~(uint32_t)(QUIRK_DF | QUIRK_ID | QUIRK_NO_ID);
	gone = quirks & ~p->quirks;
	come = p->quirks & ~quirks;
	if (gone & ~(uint32_t)(QUIRK_DF | QUIRK_ID) || come & ~(uint32_t)(QUIRK_NO_ID | QUIRK_ECN))
		return false;
	*fuzzy = gone || come;
	if (s->end_padding != p->end_padding || s->options_length != p->options_length)
		return false;
	if (s->bad_ttl ? s->ttl < p->ttl : false)
		return false;
	if (!s->bad_ttl && (s->ttl < p->ttl || s->ttl - p->ttl > P0F_DISTANCE))
		*fuzzy = true;
	return (s->mss < 0 || s->mss == p->mss) && (s->scale < 0 || s->scale == p->scale) &&
	       (s->payload < 0 || s->payload == p->payload) && window_matches(s, p);
}

static const char *find_link(const struct p0f *p0f, const struct tcp_print *p)
{
	unsigned mtu = p->mss + (p->version == 4 ? 40u : 60u);

	for (const struct mtu *at = p0f->mtus; at && p->mss; at = at->next)
		if (at->mtu == mtu)
			return at->label;
	return NULL;
}

struct p0f_match p0f_find(const struct p0f *p0f, const struct tcp_print *print)
{
	const struct signature *generic = NULL, *rough = NULL, *found = NULL;
	struct p0f_match match = {.distance = ttl_distance(print->ttl)};

	for (const struct signature *s = print->response ? p0f->responses : p0f->requests;
	     s && !found; s = s->next) {
		bool fuzzy;

		if (!signature_matches(s, print, &fuzzy))
			continue;
		if (!fuzzy && !s->generic)
			found = s;
		else if (!fuzzy && !generic)
			generic = s;
		else if (fuzzy && !rough && !s->application)
			rough = s;
	}
	match.fuzzy = !found && !generic && rough;
	if (!found)
		found = generic ? generic : rough;
	if (found) {
		match.label = found->label;
		match.generic = found->generic;
		match.application = found->application;
		if (!match.fuzzy && !found->bad_ttl)
			match.distance = (unsigned)(found->ttl - print->ttl);
	}
	if (!found || (found->mss < 0 && !found->application))
		match.link = find_link(p0f, print);
	return match;
}
