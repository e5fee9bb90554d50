/* Numbers for texts and addresses that repeat, with a bounded cache in front of the tables. */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include "store/geo.h"

#define INTERN_TEXT_MAX 512 /* bytes of a text that count; texts alike so far are one */

struct intern;
struct store;

struct intern_source {
	struct address address;
	uint32_t id;
	struct place place; /* from the geo data */
};

struct intern *intern_new(const uint64_t secret[2]);
void intern_free(struct intern *intern);
/* After a rollback: numbers given out since may be gone. */
void intern_forget(struct intern *intern);

/* The number of a text, made if need be. -1 when the database refuses. */
MUST_CHECK int intern_word(struct store *store, struct slice text, uint32_t *id);
/* The number of a pair of user name and password (each a word's number or 0), made if need be. -1
 * when the database refuses. */
MUST_CHECK int intern_credential(struct store *store, uint32_t user, uint32_t password,
				 int64_t time, uint32_t *id);
/* The number of a text that is known, or 0. */
uint32_t intern_known_word(struct store *store, struct slice text);
/* The source, made if need be; valid until the next call. NULL when the database refuses. */
const struct intern_source *intern_source(struct store *store, const struct address *address,
					  int64_t time);

#endif
