/* A static site that the http decoy shows: files of a folder in share/websites/, filled in for this
 * installation, whole in memory before the sandbox closes, and never changed after.
 *
 * share/websites/company/site.words explains what the pages may ask for. No two installations share
 * the hash of a page or of the favicon.
 */
#ifndef DECOY_WEBSITE_H
#define DECOY_WEBSITE_H

#include "base/arena.h"
#include "decoy/persona.h"

#define WEBSITE_PAGES_MAX 256
#define WEBSITE_FILE_MAX  (1024 * 1024)

struct website_page {
	const char *path; /* "/about.html"; "/_login.html" is not to be served by that name */
	struct slice body;
	/* gzip as nginx and as Apache would make it; empty when they would not. */
	struct slice nginx_gzip, apache_gzip;
	int64_t modified; /* microseconds */
};

struct website;

/* Reads the folder; pages live in the arena. NULL with *why (from malloc) when it cannot be used.
 */
struct website *website_read(const char *folder, const struct persona *persona, struct arena *arena,
			     char **why);
/* The page of that path, or NULL. */
const struct website_page *website_find(const struct website *website, struct slice path);
/* True when the path (with its slash at the end) is a folder that has pages in it. */
bool website_is_folder(const struct website *website, struct slice path);

/* gzip as nginx makes it on the way out. */
MUST_CHECK int website_gzip_nginx(struct writer *out, struct slice body);

/* Fills a template in: for tests, and for other makers of pages. */
void website_fill(struct writer *out, struct slice text, struct slice words,
		  const struct persona *persona);

#endif
