/* Reads a site into memory; see website.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/clock.h"
#include "decoy/website/picture.h"
#include "decoy/website/website.h"

#define FILL_DEPTH_MAX 6 /* a choice may name choices; more levels are a circle */
#define KEY_MAX        64
#define FOLDER_DEPTH   4
#define PATH_ROOM      512
#define WORDS_FILE     "site.words"

struct website {
	struct website_page pages[WEBSITE_PAGES_MAX];
	size_t count;
};

struct reading {
	struct website *website;
	const struct persona *persona;
	struct arena *arena;
	struct slice words;
	char why[PATH_ROOM + 128];
};

/* --- templates --- */

/* The line "name: value" of the words. */
static bool find_words(struct slice words, struct slice key, struct slice *value)
{
	struct slice line, name = {NULL, 0};

	while (slice_next(&words, '\n', &line)) {
		if (line.length == 0 || line.at[0] == '#')
			continue;
		slice_next(&line, ':', &name);
		if (slice_equal(slice_trim(name), key)) {
			*value = slice_trim(line);
			return true;
		}
	}
	return false;
}

static struct slice choose(struct slice choices, const char *label, const struct persona *persona)
{
	struct slice rest = choices, choice = choices;
	int64_t count = 0, wanted;

	while (slice_next(&rest, '|', &choice))
		count++;
	if (count == 0)
		return choices;
	wanted = persona_derive_number(persona, label, 0, count - 1);
	rest = choices;
	for (int64_t i = 0; i <= wanted; i++)
		slice_next(&rest, '|', &choice);
	return slice_trim(choice);
}

/* number.LABEL.LOW.HIGH */
static bool fill_number(struct writer *out, struct slice key, const struct persona *persona)
{
	char label[KEY_MAX + 16];
	struct slice rest = key, high, word = {NULL, 0}, name = {NULL, 0}, low = {NULL, 0};
	int64_t from, to;

	slice_next(&rest, '.', &word);
	slice_next(&rest, '.', &name);
	slice_next(&rest, '.', &low);
	high = rest;
	if (!slice_is(word, "number") || slice_number(low, 0, INT32_MAX, &from) < 0 ||
	    slice_number(high, from, INT32_MAX, &to) < 0)
		return false;
	snprintf(label, sizeof(label), "website.%.*s", (int)name.length, (const char *)name.at);
	writer_decimal(out, persona_derive_number(persona, label, from, to));
	return true;
}

static void fill(struct writer *out, struct slice text, struct slice words,
		 const struct persona *persona, unsigned depth);

static void fill_key(struct writer *out, struct slice key, struct slice words,
		     const struct persona *persona, unsigned depth)
{
	char name[KEY_MAX], label[KEY_MAX + 16];
	struct slice choices;
	const char *text;

	if (key.length >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)key.length, (const char *)key.at);
	text = persona_text(persona, name, NULL);
	if (text) {
		writer_text(out, text);
	} else if (slice_is(key, "host.name")) {
		writer_text(out, persona_host_name(persona));
	} else if (find_words(words, key, &choices)) {
		snprintf(label, sizeof(label), "website.%s", name);
		fill(out, choose(choices, label, persona), words, persona, depth + 1);
	} else {
		(void)fill_number(out, key, persona);
	}
}

static void fill(struct writer *out, struct slice text, struct slice words,
		 const struct persona *persona, unsigned depth)
{
	while (text.length && depth < FILL_DEPTH_MAX) {
		size_t at = slice_find(text, SLICE("${")), end;

		writer_bytes(out, slice_first(text, at));
		if (at == SIZE_MAX)
			return;
		text = slice_from(text, at + 2);
		end = slice_find_byte(text, '}');
		if (end == SIZE_MAX)
			return;
		fill_key(out, slice_first(text, end), words, persona, depth);
		text = slice_from(text, end + 1);
	}
}

void website_fill(struct writer *out, struct slice text, struct slice words,
		  const struct persona *persona)
{
	fill(out, text, words, persona, 0);
}

/* --- gzip, once, as the servers would each time --- */

static int deflate_into(struct writer *out, struct slice body, int level, int window, int memory)
{
	z_stream stream = {0};
	uLong bound;
	int result = -1;

	if (deflateInit2(&stream, level, Z_DEFLATED, window + 16, memory, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return -1;
	bound = deflateBound(&stream, body.length) + 32;
	stream.next_in = (Bytef *)(uintptr_t)body.at;
	stream.avail_in = (uInt)body.length;
	stream.next_out = writer_reserve(out, bound);
	stream.avail_out = (uInt)bound;
	if (stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END) {
		writer_commit(out, stream.total_out);
		result = 0;
	}
	deflateEnd(&stream);
	return result;
}

int website_gzip_nginx(struct writer *out, struct slice body)
{
	int window = 15, memory = 8;

	/* nginx makes the window fit a body whose length it knows. */
	while (window > 9 && body.length < ((size_t)1 << (window - 1)) - 262) {
		window--;
		memory--;
	}
	return deflate_into(out, body, 1, window, memory < 1 ? 1 : memory);
}

static bool has_type(const char *path, const char *const *types)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && types[i]; i++) {
		if (strcmp(dot, types[i]) == 0)
			return true;
	}
	return false;
}

static void compress_page(struct arena *arena, struct website_page *page)
{
	static const char *const nginx[] = {".html", NULL};
	static const char *const apache[] = {".html", ".css", ".txt", ".xml", ".js", NULL};
	struct writer packed = writer_growing(WEBSITE_FILE_MAX);

	if (page->body.length < 20) /* gzip_min_length of nginx */
		return;
	if (has_type(page->path, nginx) && website_gzip_nginx(&packed, page->body) == 0)
		page->nginx_gzip = arena_copy(arena, writer_slice(&packed));
	writer_clear(&packed);
	if (has_type(page->path, apache) && deflate_into(&packed, page->body, 6, 15, 9) == 0)
		page->apache_gzip = arena_copy(arena, writer_slice(&packed));
	writer_free(&packed);
}

/* --- files --- */

static int read_file(struct reading *r, const char *path, struct writer *out)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (!file) {
		snprintf(r->why, sizeof(r->why),
			 "cannot read %.400s: is the share folder complete?", path);
		return -1;
	}
	do {
		uint8_t *room = writer_reserve(out, 4096);

		got = room ? fread(room, 1, 4096, file) : 0;
		writer_commit(out, got);
	} while (got > 0);
	fclose(file);
	if (out->failed) {
		snprintf(r->why, sizeof(r->why), "%.400s is larger than a page may be", path);
		return -1;
	}
	return 0;
}

/* Weeks to years ago, differing by page, never later than the installation. */
static int64_t modified_time(const struct persona *persona, const char *path)
{
	char label[PATH_ROOM + 32];
	const struct civil_time published = {.year = 2023, .month = 5, .day = 2};
	int64_t site, page;

	snprintf(label, sizeof(label), "website.modified.%.400s", path);
	site = persona_derive_number(persona, "website.modified", 0, 500 * 86400);
	page = persona_derive_number(persona, label, 0, INT64_C(20) * 86400 * 1000000);
	return clock_from_civil(&published) + site * SECOND + page;
}

static int add_page(struct reading *r, const char *path, struct slice body)
{
	struct website_page *page = &r->website->pages[r->website->count];

	if (r->website->count == WEBSITE_PAGES_MAX) {
		snprintf(r->why, sizeof(r->why), "more than %d pages", WEBSITE_PAGES_MAX);
		return -1;
	}
	page->path = arena_text(r->arena, slice_text(path));
	page->body = arena_copy(r->arena, body);
	if (!page->path || !page->body.at) {
		snprintf(r->why, sizeof(r->why), "no memory for %.400s", path);
		return -1;
	}
	page->modified = modified_time(r->persona, path);
	compress_page(r->arena, page);
	r->website->count++;
	return 0;
}

static int read_page(struct reading *r, const char *file, const char *path)
{
	struct writer raw = writer_growing(WEBSITE_FILE_MAX),
		      filled = writer_growing(WEBSITE_FILE_MAX);
	static const char *const templates[] = {".html", ".htm", ".css", ".txt",
						".xml",  ".js",  ".svg", NULL};
	int result = read_file(r, file, &raw);

	if (result == 0 && has_type(file, templates)) {
		website_fill(&filled, writer_slice(&raw), r->words, r->persona);
		result = add_page(r, path, writer_slice(&filled));
	} else if (result == 0) {
		result = add_page(r, path, writer_slice(&raw));
	}
	writer_free(&raw);
	writer_free(&filled);
	return result;
}

static int read_folder(struct reading *r, const char *folder, const char *path, unsigned depth)
{
	DIR *directory = depth < FOLDER_DEPTH ? opendir(folder) : NULL;
	const struct dirent *entry;
	int result = 0;

	if (!directory) {
		snprintf(r->why, sizeof(r->why), "cannot open the site's folder %.400s", folder);
		return -1;
	}
	while (result == 0 && (entry = readdir(directory))) {
		char file[PATH_ROOM], below[PATH_ROOM];
		struct stat status;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, WORDS_FILE) == 0)
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name) >= PATH_ROOM ||
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= PATH_ROOM ||
		    stat(file, &status) < 0)
			continue;
		if (S_ISDIR(status.st_mode))
			result = read_folder(r, file, below, depth + 1);
		else if (S_ISREG(status.st_mode))
			result = read_page(r, file, below);
	}
	closedir(directory);
	return result;
}

static int compare_pages(const void *a, const void *b)
{
	return strcmp(((const struct website_page *)a)->path,
		      ((const struct website_page *)b)->path);
}

/* The picture that the folder lacks: of IIS's first page, which has no icon, or the icon. */
static int add_picture(struct reading *r)
{
	bool is_iis = website_find(r->website, SLICE("/iisstart.htm"));
	const char *path = is_iis ? "/iisstart.png" : "/favicon.ico";
	struct writer picture = writer_growing(WEBSITE_FILE_MAX);
	int result = 0;

	if (!website_find(r->website, slice_text(path))) {
		if (is_iis)
			picture_welcome(&picture, r->persona);
		else
			picture_favicon(&picture, r->persona);
		result = add_page(r, path, writer_slice(&picture));
	}
	writer_free(&picture);
	return result;
}

static int read_site(struct reading *r, const char *folder)
{
	int result = read_folder(r, folder, "", 0);

	if (result == 0)
		result = add_picture(r);
	qsort(r->website->pages, r->website->count, sizeof(r->website->pages[0]), compare_pages);
	return result;
}

struct website *website_read(const char *folder, const struct persona *persona, struct arena *arena,
			     char **why)
{
	struct writer words = writer_growing(WEBSITE_FILE_MAX);
	struct reading r = {.persona = persona, .arena = arena};
	char path[PATH_ROOM];

	*why = NULL;
	r.website = arena_take(arena, sizeof(*r.website));
	snprintf(path, sizeof(path), "%.400s/" WORDS_FILE, folder);
	if (!r.website)
		snprintf(r.why, sizeof(r.why), "no memory for the site %.400s", folder);
	else if (read_file(&r, path, &words) == 0) {
		r.words = writer_slice(&words);
		if (read_site(&r, folder) == 0) {
			writer_free(&words);
			return r.website;
		}
	}
	writer_free(&words);
	*why = strdup(r.why);
	return NULL;
}

const struct website_page *website_find(const struct website *website, struct slice path)
{
	for (size_t i = 0; website && i < website->count; i++) {
		if (slice_is(path, website->pages[i].path))
			return &website->pages[i];
	}
	return NULL;
}

bool website_is_folder(const struct website *website, struct slice path)
{
	for (size_t i = 0; website && i < website->count; i++) {
		struct slice page = slice_text(website->pages[i].path);

		if (page.length > path.length && slice_equal(slice_first(page, path.length), path))
			return true;
	}
	return false;
}
