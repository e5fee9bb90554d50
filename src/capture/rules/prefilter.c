/* Hyperscan databases, one for each group; see prefilter.h. */
#include "capture/rules/prefilter.h"

#include <errno.h>
#include <fcntl.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define CACHE_VERSION "sundew-2"
#define CACHE_MAX     ((size_t)256 * 1024 * 1024)

struct pattern {
	struct slice bytes;
	bool nocase;
	uint32_t rule;
};

struct group {
	struct pattern *patterns; /* sorted, alike ones together */
	size_t count, capacity;
	uint32_t *
		first; /* of each distinct pattern: its place among patterns; one more at the end */
	size_t distinct;
	hs_database_t *database;
	size_t bytes;
};

struct prefilter {
	struct group groups[GROUPS_MAX];
	hs_scratch_t *scratch;
};

struct prefilter *prefilter_new(void)
{
	return calloc(1, sizeof(struct prefilter));
}

int prefilter_add(struct prefilter *prefilter, unsigned group, const struct rule *rule)
{
	struct group *g = &prefilter->groups[group];

	if (g->count == g->capacity) {
		size_t capacity = g->capacity ? 2 * g->capacity : 16;
		struct pattern *grown = reallocarray(g->patterns, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		g->patterns = grown;
		g->capacity = capacity;
	}
	g->patterns[g->count++] =
		(struct pattern){rule->fast->bytes, rule->fast->nocase, rule->index};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct pattern *left = a, *right = b;
	int order = slice_compare(left->bytes, right->bytes);

	if (order)
		return order;
	if (left->nocase != right->nocase)
		return left->nocase ? 1 : -1;
	return left->rule < right->rule ? -1 : left->rule > right->rule;
}

static int find_distinct(struct group *g)
{
	qsort(g->patterns, g->count, sizeof(*g->patterns), compare);
	g->first = calloc(g->count + 1, sizeof(*g->first));
	if (!g->first)
		return -1;
	for (size_t i = 0; i < g->count; i++)
		if (i == 0 || g->patterns[i].nocase != g->patterns[i - 1].nocase ||
		    !slice_equal(g->patterns[i].bytes, g->patterns[i - 1].bytes))
			g->first[g->distinct++] = (uint32_t)i;
	g->first[g->distinct] = (uint32_t)g->count;
	return 0;
}

/* --- the cache --- */

static void cache_name(const struct group *g, unsigned group, char name[SHA256_HEX + 8])
{
	struct hash *hash = hash_sha256();
	uint8_t digest[SHA256_LENGTH];
	struct writer w = writer_fixed(name, SHA256_HEX);
	const char *version = hs_version();

	hash_add(hash, SLICE(CACHE_VERSION));
	hash_add(hash, slice_text(version));
	hash_add(hash, slice_of(&group, sizeof(group)));
	for (size_t i = 0; i < g->distinct; i++) {
		const struct pattern *p = &g->patterns[g->first[i]];
		uint64_t length = p->bytes.length << 1 | p->nocase;

		hash_add(hash, slice_of(&length, sizeof(length)));
		hash_add(hash, p->bytes);
	}
	hash_finish(hash, digest);
	hash_free(hash);
	writer_hex(&w, slice_of(digest, sizeof(digest)));
	memcpy(name + SHA256_HEX, ".hs", 4);
}

/* A file is a digest and the database behind it; whatever is not whole is made anew. */
static hs_database_t *cache_load(int folder, const char *name)
{
	uint8_t digest[SHA256_LENGTH], *bytes = NULL;
	hs_database_t *database = NULL;
	struct stat status;
	size_t length;
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (file < 0)
		return NULL;
	if (fstat(file, &status) < 0 || status.st_size <= SHA256_LENGTH ||
	    (size_t)status.st_size > CACHE_MAX)
		goto out;
	length = (size_t)status.st_size;
	bytes = malloc(length);
	if (!bytes || read(file, bytes, length) != (ssize_t)length)
		goto out;
	hash_sha256_once(slice_of(bytes + SHA256_LENGTH, length - SHA256_LENGTH), digest);
	if (memcmp(digest, bytes, SHA256_LENGTH) == 0 &&
	    hs_deserialize_database((const char *)bytes + SHA256_LENGTH, length - SHA256_LENGTH,
				    &database) != HS_SUCCESS)
		database = NULL;
out:
	free(bytes);
	close(file);
	return database;
}

static void cache_save(int folder, const char *name, const hs_database_t *database)
{
	uint8_t digest[SHA256_LENGTH];
	char *bytes = NULL, part[SHA256_HEX + 16];
	size_t length;
	int file;

	if (hs_serialize_database(database, &bytes, &length) != HS_SUCCESS)
		return;
	(void)snprintf(part, sizeof(part), "%s.part", name);
	file = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0) {
		hash_sha256_once(slice_of(bytes, length), digest);
		/* A cache that cannot be written only costs time. */
		if (write(file, digest, sizeof(digest)) != (ssize_t)sizeof(digest) ||
		    write(file, bytes, length) != (ssize_t)length ||
		    renameat(folder, part, folder, name) < 0)
			(void)unlinkat(folder, part, 0);
		close(file);
	}
	free(bytes);
}

/* --- compiling --- */

static hs_database_t *compile(const struct group *g, const char **why)
{
	const char **texts = calloc(g->distinct, sizeof(*texts));
	unsigned *flags = calloc(g->distinct, sizeof(*flags));
	unsigned *ids = calloc(g->distinct, sizeof(*ids));
	size_t *lengths = calloc(g->distinct, sizeof(*lengths));
	hs_compile_error_t *error = NULL;
	hs_database_t *database = NULL;

	*why = "out of memory";
	if (!texts || !flags || !ids || !lengths)
		goto out;
	for (size_t i = 0; i < g->distinct; i++) {
		const struct pattern *p = &g->patterns[g->first[i]];

		texts[i] = (const char *)p->bytes.at;
		lengths[i] = p->bytes.length;
		flags[i] = HS_FLAG_SINGLEMATCH | (p->nocase ? HS_FLAG_CASELESS : 0);
		ids[i] = (unsigned)i;
	}
	if (hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned)g->distinct, HS_MODE_BLOCK,
				 NULL, &database, &error) != HS_SUCCESS) {
		*why = "Hyperscan refuses the contents of the rules";
		hs_free_compile_error(error);
		database = NULL;
	}
out:
	free(texts);
	free(flags);
	free(ids);
	free(lengths);
	return database;
}

const char *prefilter_ready(struct prefilter *prefilter, int cache)
{
	for (unsigned i = 0; i < GROUPS_MAX; i++) {
		struct group *g = &prefilter->groups[i];
		char name[SHA256_HEX + 8];
		const char *why;

		if (!g->count)
			continue;
		if (find_distinct(g) < 0)
			return "out of memory";
		if (cache >= 0) {
			cache_name(g, i, name);
			g->database = cache_load(cache, name);
		}
		if (!g->database) {
			g->database = compile(g, &why);
			if (!g->database)
				return why;
			if (cache >= 0)
				cache_save(cache, name, g->database);
		}
		(void)hs_database_size(g->database, &g->bytes);
		if (hs_alloc_scratch(g->database, &prefilter->scratch) != HS_SUCCESS)
			return "out of memory";
	}
	return NULL;
}

bool prefilter_has(const struct prefilter *prefilter, unsigned group)
{
	return prefilter->groups[group].database;
}

/* --- searching --- */

struct search {
	const struct group *group;
	void (*found)(void *context, uint32_t rule);
	void *context;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *context)
{
	const struct search *search = context;
	const struct group *g = search->group;

	for (uint32_t i = g->first[id]; i < g->first[id + 1]; i++)
		search->found(search->context, g->patterns[i].rule);
	return 0;
}

void prefilter_search(struct prefilter *prefilter, unsigned group, struct slice bytes,
		      void (*found)(void *context, uint32_t rule), void *context)
{
	struct search search = {&prefilter->groups[group], found, context};

	if (search.group->database && bytes.length && bytes.length <= UINT32_MAX)
		(void)hs_scan(search.group->database, (const char *)bytes.at,
			      (unsigned)bytes.length, 0, prefilter->scratch, on_match, &search);
}

void prefilter_measure(const struct prefilter *prefilter, size_t *databases, size_t *patterns,
		       size_t *bytes)
{
	*databases = *patterns = *bytes = 0;
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		*databases += prefilter->groups[i].database != NULL;
		*patterns += prefilter->groups[i].distinct;
		*bytes += prefilter->groups[i].bytes;
	}
}

void prefilter_free(struct prefilter *prefilter)
{
	if (!prefilter)
		return;
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		free(prefilter->groups[i].patterns);
		free(prefilter->groups[i].first);
		hs_free_database(prefilter->groups[i].database);
	}
	hs_free_scratch(prefilter->scratch);
	free(prefilter);
}
