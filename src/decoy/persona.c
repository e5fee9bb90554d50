/* Personas: reading, choosing by the installation's secret, look-up; see persona.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/hash.h"
#include "decoy/persona.h"

/* Limits on a persona file, which a user may have got from anywhere. */
#define KEYS_MAX        4096  /* fills the table at most half */
#define KEY_LENGTH_MAX  128   /* with NUL */
#define VALUE_MAX       16384 /* of a value once its references stand resolved */
#define LABEL_MAX       512   /* of a derivation; our own, and short */
#define REFERENCE_DEPTH 8     /* of references within references; stops circles */
#define MEMORY_MAX      ((size_t)16 << 20)
#define SLOTS           8192 /* of the hash table; a power of two */

/* Before the installation the machine had been up for weeks; later it is started anew every few
 * months, as when a kernel is replaced. The first bound must stay below the second. */
#define UP_BEFORE_MIN (16 * DAY)
#define UP_BEFORE_MAX (55 * DAY)
#define UP_MIN        (60 * DAY)
#define UP_MAX        (150 * DAY)
#define REBOOTS_MAX   1000 /* centuries: a clock beyond is wrong and must not cost time */

struct trait {
	const char *key, *text;
	const struct config_node *node; /* where it was written; while reading */
};

struct persona {
	struct arena arena;
	uint8_t secret[PERSONA_SECRET_LENGTH];
	uint64_t table_key[2];
	int64_t installed;
	const char *name, *host_name;
	struct trait *traits; /* KEYS_MAX at most */
	size_t count;
	uint16_t *slots; /* index into traits plus one; NULL: no key at all */
};

struct loading {
	struct persona *persona;
	struct config *config;
};

/* SHA-256 in counter mode over secret, label and the block's number. */
void persona_derive(const struct persona *persona, const char *label, void *out, size_t length)
{
	uint8_t *at = out;

	for (uint32_t block = 0; length; block++) {
		uint8_t digest[SHA256_LENGTH], room[PERSONA_SECRET_LENGTH + LABEL_MAX + 4];
		struct writer w = writer_fixed(room, sizeof(room));
		size_t part = length < sizeof(digest) ? length : sizeof(digest);

		writer_bytes(&w, slice_of(persona->secret, sizeof(persona->secret)));
		writer_bytes(&w, slice_first(slice_text(label), LABEL_MAX));
		writer_u32be(&w, block);
		hash_sha256_once(writer_slice(&w), digest);
		memcpy(at, digest, part);
		at += part;
		length -= part;
	}
}

int64_t persona_derive_number(const struct persona *persona, const char *label, int64_t low,
			      int64_t high)
{
	uint64_t value, span = (uint64_t)high - (uint64_t)low + 1;

	persona_derive(persona, label, &value, sizeof(value));
	if (high <= low)
		return low;
	/* span is 0 when every number is asked for. */
	return (int64_t)((uint64_t)low + (span ? value % span : value));
}

int64_t persona_boot_time(const struct persona *persona, int64_t now)
{
	int64_t boot = persona->installed -
		       persona_derive_number(persona, "boot", UP_BEFORE_MIN, UP_BEFORE_MAX);

	if (boot >= now) /* the clock was set back: still a while ago */
		return now - persona_derive_number(persona, "boot", UP_BEFORE_MIN, UP_BEFORE_MAX);
	for (int reboot = 1; reboot <= REBOOTS_MAX; reboot++) {
		char label[32];
		struct writer w = writer_fixed(label, sizeof(label));
		int64_t next;

		writer_format(&w, "reboot %d", reboot);
		next = boot + persona_derive_number(persona, label, UP_MIN, UP_MAX);
		if (next >= now)
			break;
		boot = next;
	}
	return boot;
}

int64_t persona_installed(const struct persona *persona)
{
	return persona->installed;
}

static size_t first_slot(const struct persona *persona, const char *key)
{
	return hash_sip(persona->table_key, slice_text(key)) % SLOTS;
}

static struct trait *find_trait(const struct persona *persona, const char *key)
{
	if (!persona->slots)
		return NULL;
	for (size_t slot = first_slot(persona, key); persona->slots[slot];
	     slot = (slot + 1) % SLOTS) {
		struct trait *trait = &persona->traits[persona->slots[slot] - 1];

		if (strcmp(trait->key, key) == 0)
			return trait;
	}
	return NULL;
}

static void add_trait(struct loading *l, const char *key, const struct config_node *node)
{
	struct persona *p = l->persona;
	const struct trait *other = find_trait(p, key);
	char *copy = arena_text(&p->arena, slice_text(key));
	size_t slot = first_slot(p, key);

	if (other) {
		config_error(l->config, node,
			     "'%s' was given in line %u already: keep one of the two", key,
			     config_line(other->node));
		return;
	}
	if (p->count >= KEYS_MAX || !copy) {
		config_error(l->config, NULL, "more than %d keys in one persona", KEYS_MAX);
		return;
	}
	while (p->slots[slot])
		slot = (slot + 1) % SLOTS;
	p->traits[p->count++] = (struct trait){copy, config_text(node), node};
	p->slots[slot] = (uint16_t)p->count;
}

/* Which of a list's items this installation has; NULL (and an error) for an empty list. */
static const struct config_node *choose(struct loading *l, const char *key,
					const struct config_node *node)
{
	char label[KEY_LENGTH_MAX + 16];
	struct writer w = writer_fixed(label, sizeof(label));
	size_t count;

	while (config_is_list(node)) {
		count = config_count(node);
		if (count == 0) {
			config_error(l->config, node,
				     "'%s' has nothing to choose from: add an item to the list",
				     key);
			return NULL;
		}
		writer_clear(&w);
		writer_format(&w, "choice %s", key);
		node = config_item(node, (size_t)persona_derive_number(l->persona, label, 0,
								       (int64_t)count - 1));
	}
	return node;
}

/* Depth is bounded by the configuration's own limit. */
static void flatten(struct loading *l, const char *key, const struct config_node *node)
{
	const struct config_node *child;
	const char *name;

	node = choose(l, key, node);
	if (config_count(node) == 0) /* 'key:' without a value: as if it were not there */
		return;
	if (!config_is_mapping(node)) {
		add_trait(l, key, node);
		return;
	}
	for (size_t i = 0; (child = config_entry(node, i, &name)); i++) {
		char room[KEY_LENGTH_MAX];
		struct writer w = writer_fixed(room, sizeof(room));

		writer_format(&w, "%s%s%s", key, key[0] ? "." : "", name);
		if (w.failed)
			config_error(l->config, child, "a name longer than %d bytes: shorten it",
				     KEY_LENGTH_MAX - 1);
		else
			flatten(l, room, child);
	}
}

/* Splits text at its first "${name}". False when there is none; *closed tells whether '}' is there.
 */
static bool next_reference(struct slice *text, struct slice *before, struct slice *name,
			   bool *closed)
{
	size_t start = slice_find(*text, SLICE("${")), end;

	if (start == SIZE_MAX)
		return false;
	*before = slice_first(*text, start);
	*text = slice_from(*text, start + 2);
	end = slice_find_byte(*text, '}');
	*closed = end != SIZE_MAX;
	*name = slice_first(*text, end);
	*text = *closed ? slice_from(*text, end + 1) : slice_from(*text, text->length);
	return true;
}

/* "${hex.16}" and "${number.1-99}" in the value of `key`. False: the name is neither. */
static bool write_derived(const struct persona *persona, const char *key, struct slice name,
			  struct writer *out)
{
	uint8_t bytes[32];
	int64_t low, high, digits;
	struct slice range;
	size_t dash;

	if (slice_starts(name, "hex.") && slice_number(slice_from(name, 4), 2, 64, &digits) == 0) {
		uint8_t hex[2 * sizeof(bytes)];
		struct writer w = writer_fixed(hex, sizeof(hex));

		persona_derive(persona, key, bytes, sizeof(bytes));
		writer_hex(&w, slice_of(bytes, sizeof(bytes)));
		writer_bytes(out, slice_of(hex, (size_t)digits));
		return true;
	}
	if (!slice_starts(name, "number."))
		return false;
	range = slice_from(name, 7);
	dash = slice_find_byte(range, '-');
	if (dash == SIZE_MAX || slice_number(slice_first(range, dash), 0, INT32_MAX, &low) < 0 ||
	    slice_number(slice_from(range, dash + 1), low, INT32_MAX, &high) < 0)
		return false;
	writer_decimal(out, persona_derive_number(persona, key, low, high));
	return true;
}

static struct trait *find_named(const struct persona *persona, struct slice name)
{
	char key[KEY_LENGTH_MAX];

	if (name.length == 0 || name.length >= sizeof(key))
		return NULL;
	memcpy(key, name.at, name.length);
	key[name.length] = 0;
	return find_trait(persona, key);
}

static const char *nearest_key(const struct persona *persona, struct slice name, char *room,
			       size_t size)
{
	const char *best = NULL;
	unsigned nearest = (unsigned)(name.length < 64 ? name.length : 64) / 3 + 2;
	struct writer w = writer_fixed(room, size);

	writer_format(&w, "%.*s", (int)(name.length < 64 ? name.length : 64),
		      (const char *)name.at);
	for (size_t i = 0; i < persona->count; i++) {
		unsigned distance = config_name_distance(room, persona->traits[i].key);

		if (distance < nearest) {
			nearest = distance;
			best = persona->traits[i].key;
		}
	}
	writer_clear(&w);
	writer_u8(&w, 0);
	if (best) {
		writer_clear(&w);
		writer_format(&w, " (did you mean '%s'?)", best);
	}
	return room;
}

/* Every reference of the file, of the choices not taken too: whether a file is right must not
 * depend on the installation. */
static void check_references(struct loading *l, const struct config_node *node)
{
	struct slice text = slice_text(config_text(node)), before, name;
	const struct config_node *child;
	bool closed;

	for (size_t i = 0; config_is_mapping(node) && (child = config_entry(node, i, NULL)); i++)
		check_references(l, child);
	for (size_t i = 0; config_is_list(node) && (child = config_item(node, i)); i++)
		check_references(l, child);
	while (next_reference(&text, &before, &name, &closed)) {
		char hint[KEY_LENGTH_MAX + 32];
		uint8_t room[64];
		struct writer derived = writer_fixed(room, sizeof(room));
		struct writer shown = writer_growing(4096);

		writer_printable(&shown, slice_first(name, 80));
		if (!closed)
			config_error(l->config, node, "'${' without '}': close the reference");
		else if (!find_named(l->persona, name) &&
			 !write_derived(l->persona, "", name, &derived))
			config_error(l->config, node,
				     "'${%.*s}' stands for a key that is not there%s",
				     (int)shown.length, shown.at ? (const char *)shown.at : "",
				     nearest_key(l->persona, name, hint, sizeof(hint)));
		writer_free(&shown);
	}
}

/* Appends the value of a trait with its references replaced; -1 when they go in a circle. */
static int write_value(const struct persona *persona, const struct trait *trait, unsigned depth,
		       struct writer *out)
{
	struct slice text = slice_text(config_text(trait->node)), before, name;
	bool closed;

	if (depth > REFERENCE_DEPTH)
		return -1;
	while (next_reference(&text, &before, &name, &closed)) {
		const struct trait *other = find_named(persona, name);

		writer_bytes(out, before);
		if (other && write_value(persona, other, depth + 1, out) < 0)
			return -1;
		if (!other)
			(void)write_derived(persona, trait->key, name, out);
		if (out->failed)
			return -1;
	}
	writer_bytes(out, text);
	return out->failed ? -1 : 0;
}

static void resolve(struct loading *l)
{
	struct persona *p = l->persona;
	struct writer w = writer_growing(VALUE_MAX);

	for (size_t i = 0; i < p->count; i++) {
		writer_clear(&w);
		if (write_value(p, &p->traits[i], 0, &w) < 0)
			config_error(l->config, p->traits[i].node,
				     "the references of '%s' go in a circle, more than %d deep, or "
				     "make more than %d bytes",
				     p->traits[i].key, REFERENCE_DEPTH, VALUE_MAX);
		p->traits[i].text = arena_text(&p->arena, writer_slice(&w));
		if (!p->traits[i].text)
			config_error(l->config, NULL,
				     "the persona takes more memory than there is");
	}
	for (size_t i = 0; i < p->count; i++)
		p->traits[i].node = NULL;
	writer_free(&w);
}

/* A name that a machine could have, where the file gives none. */
static const char *make_host_name(struct persona *p)
{
	static const char *const roles[] = {"app", "web",   "portal", "intranet", "files", "erp",
					    "crm", "build", "wiki",   "mail",     "proxy", "data"};
	char room[32];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_format(&w, "%s%02d",
		      roles[persona_derive_number(p, "host role", 0, ARRAY_COUNT(roles) - 1)],
		      (int)persona_derive_number(p, "host number", 1, 24));
	return arena_text(&p->arena, writer_slice(&w));
}

static struct persona *persona_new(const uint8_t secret[PERSONA_SECRET_LENGTH], int64_t installed)
{
	struct persona *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->arena = arena_of(MEMORY_MAX);
	/* A clock that was never set must not make the arithmetic overflow. */
	p->installed = installed < 0 ? 0 : installed > INT64_MAX / 2 ? INT64_MAX / 2 : installed;
	memcpy(p->secret, secret, sizeof(p->secret));
	persona_derive(p, "persona table", p->table_key, sizeof(p->table_key));
	p->name = "plain";
	p->host_name = make_host_name(p);
	if (!p->host_name) {
		persona_free(p);
		return NULL;
	}
	return p;
}

struct persona *persona_plain(const uint8_t secret[PERSONA_SECRET_LENGTH], int64_t installed)
{
	return persona_new(secret, installed);
}

void persona_free(struct persona *persona)
{
	if (!persona)
		return;
	arena_drop(&persona->arena);
	explicit_bzero(persona->secret, sizeof(persona->secret));
	free(persona);
}

/* The file's name without folder and ".yaml". */
static const char *name_of(struct persona *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice name = slice_text(slash ? slash + 1 : path);

	if (name.length > 5 && slice_is(slice_from(name, name.length - 5), ".yaml"))
		name.length -= 5;
	return arena_text(&p->arena, name);
}

static char *all_errors(const struct config *config)
{
	struct writer w = writer_growing((size_t)1 << 20);

	for (size_t i = 0; i < config_error_count(config); i++)
		writer_format(&w, "%s%s", i ? "\n" : "", config_error_text(config, i));
	writer_u8(&w, 0);
	if (w.failed && w.at)
		w.at[w.length < w.capacity ? w.length : w.capacity - 1] = 0;
	return (char *)w.at;
}

static void load(struct loading *l, const char *path)
{
	struct persona *p = l->persona;
	const char *host_name;

	p->name = name_of(p, path);
	p->traits = arena_take(&p->arena, KEYS_MAX * sizeof(*p->traits));
	p->slots = arena_take(&p->arena, SLOTS * sizeof(*p->slots));
	if (!p->name || !p->traits || !p->slots) {
		config_error(l->config, NULL, "the persona takes more memory than there is");
		return;
	}
	flatten(l, "", config_root(l->config));
	check_references(l, config_root(l->config));
	if (config_error_count(l->config))
		return;
	resolve(l);
	host_name = persona_text(p, "host.name", NULL);
	if (host_name && host_name[0])
		p->host_name = host_name;
}

struct persona *persona_read(const char *path, const uint8_t secret[PERSONA_SECRET_LENGTH],
			     int64_t installed, char **why)
{
	struct loading l = {persona_new(secret, installed), config_read(path)};

	*why = NULL;
	if (!l.persona || !l.config) {
		*why = strdup("a persona takes more memory than there is");
		goto failed;
	}
	if (config_error_count(l.config) == 0)
		load(&l, path);
	if (config_error_count(l.config)) {
		*why = all_errors(l.config);
		goto failed;
	}
	config_free(l.config);
	return l.persona;
failed:
	config_free(l.config);
	persona_free(l.persona);
	return NULL;
}

const char *persona_name(const struct persona *persona)
{
	return persona->name;
}

const char *persona_text(const struct persona *persona, const char *key, const char *fallback)
{
	const struct trait *trait = find_trait(persona, key);

	return trait ? trait->text : fallback;
}

int64_t persona_number(const struct persona *persona, const char *key, int64_t fallback)
{
	int64_t number;

	if (slice_number(slice_text(persona_text(persona, key, NULL)), INT64_MIN, INT64_MAX,
			 &number) < 0)
		return fallback;
	return number;
}

const char *persona_host_name(const struct persona *persona)
{
	return persona->host_name;
}
