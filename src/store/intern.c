/* Caches are direct-mapped: a newcomer takes the place of who was there. Texts are known by 128
 * bits of keyed hash, so the cache need not hold them. */
#include "store/intern.h"

#include <stdlib.h>

#include "base/hash.h"
#include "store/inside.h"

/* 4 MiB when all are in use; memory is touched as they come. */
#define WORD_SLOTS   65536
#define SOURCE_SLOTS 8192
#define PAIR_SLOTS   32768

struct word {
	uint64_t hash[2];
	uint32_t id; /* 0: free */
};

struct pair {
	uint32_t user, password, id; /* id 0: free */
};

struct intern {
	uint64_t secret[2], other_secret[2];
	struct pair pairs[PAIR_SLOTS];
	struct word words[WORD_SLOTS];
	struct intern_source sources[SOURCE_SLOTS];
};

struct intern *intern_new(const uint64_t secret[2])
{
	struct intern *intern = calloc(1, sizeof(*intern));

	if (!intern)
		return NULL;
	memcpy(intern->secret, secret, sizeof(intern->secret));
	random_bytes(intern->other_secret, sizeof(intern->other_secret));
	return intern;
}

void intern_free(struct intern *intern)
{
	free(intern);
}

void intern_forget(struct intern *intern)
{
	for (size_t i = 0; i < WORD_SLOTS; i++)
		intern->words[i].id = 0;
	for (size_t i = 0; i < SOURCE_SLOTS; i++)
		intern->sources[i].id = 0;
	for (size_t i = 0; i < PAIR_SLOTS; i++)
		intern->pairs[i].id = 0;
}

/* 1 found, 0 not, -1 failed. */
static int find(struct store *store, enum statement which, struct slice text, bool is_text,
		int64_t *id)
{
	sqlite3_stmt *statement = store_statement(store, which);
	int answer;

	if (!statement)
		return -1;
	if (is_text)
		bind_text(statement, 1, text);
	else
		bind_blob(statement, 1, text);
	answer = sqlite3_step(statement);
	if (answer == SQLITE_ROW)
		*id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (answer == SQLITE_ROW)
		return 1;
	return answer == SQLITE_DONE ? 0 : store_failed(store, "looking up a text");
}

int intern_word(struct store *store, struct slice text, uint32_t *id)
{
	struct intern *intern = store->intern;
	struct slice key = slice_first(text, INTERN_TEXT_MAX);
	struct word *word;
	uint64_t hash[2];
	sqlite3_stmt *add;
	int64_t number = 0;
	int found;

	table_hash_twice(intern->secret, intern->other_secret, key, hash);
	word = &intern->words[hash[0] % WORD_SLOTS];
	if (word->id && word->hash[0] == hash[0] && word->hash[1] == hash[1]) {
		*id = word->id;
		return 0;
	}
	found = find(store, STATEMENT_WORD_FIND, key, false, &number);
	if (found < 0)
		return -1;
	if (!found) {
		add = store_statement(store, STATEMENT_WORD_ADD);
		if (!add)
			return -1;
		bind_blob(add, 1, key);
		if (store_run(store, add) < 0)
			return -1;
		number = sqlite3_last_insert_rowid(store->database);
	}
	*word = (struct word){{hash[0], hash[1]}, (uint32_t)number};
	*id = (uint32_t)number;
	return 0;
}

/* The row's number, or 0 when there is none; -1 failed. */
static int64_t find_pair(struct store *store, uint32_t user, uint32_t password)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_CREDENTIAL_FIND);
	int64_t id = 0;
	int answer;

	if (!statement)
		return -1;
	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_int64(statement, 2, password);
	answer = sqlite3_step(statement);
	if (answer == SQLITE_ROW)
		id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (answer == SQLITE_ROW || answer == SQLITE_DONE)
		return id;
	return store_failed(store, "looking up a credential");
}

int intern_credential(struct store *store, uint32_t user, uint32_t password, int64_t time,
		      uint32_t *id)
{
	struct intern *intern = store->intern;
	uint32_t key[2] = {user, password};
	uint64_t hash = table_hash(intern->secret, slice_of(key, sizeof(key)));
	struct pair *pair = &intern->pairs[hash % PAIR_SLOTS];
	int64_t number;

	if (pair->id && pair->user == user && pair->password == password) {
		*id = pair->id;
		return 0;
	}
	number = find_pair(store, user, password);
	if (number < 0)
		return -1;
	if (number == 0) {
		sqlite3_stmt *add = store_statement(store, STATEMENT_CREDENTIAL_ADD);

		if (!add)
			return -1;
		sqlite3_bind_int64(add, 1, user);
		sqlite3_bind_int64(add, 2, password);
		sqlite3_bind_int64(add, 3, time);
		if (store_run(store, add) < 0)
			return -1;
		number = sqlite3_last_insert_rowid(store->database);
	}
	*pair = (struct pair){user, password, (uint32_t)number};
	*id = (uint32_t)number;
	return 0;
}

uint32_t intern_known_word(struct store *store, struct slice text)
{
	int64_t id = 0;

	if (find(store, STATEMENT_WORD_FIND, slice_first(text, INTERN_TEXT_MAX), false, &id) <= 0)
		return 0;
	return (uint32_t)id;
}

const struct intern_source *intern_source(struct store *store, const struct address *address,
					  int64_t time)
{
	struct intern *intern = store->intern;
	uint64_t hash = table_hash(intern->secret, slice_of(address, sizeof(*address)));
	struct intern_source *source = &intern->sources[hash % SOURCE_SLOTS];
	char text[ADDRESS_TEXT_MAX];
	struct slice key;
	sqlite3_stmt *add;
	int64_t number = 0;
	int found;

	if (source->id && address_equal(&source->address, address))
		return source;
	key = slice_of(text, address_text(address, text));
	found = find(store, STATEMENT_SOURCE_FIND, key, true, &number);
	if (found < 0)
		return NULL;
	if (!found) {
		add = store_statement(store, STATEMENT_SOURCE_ADD);
		if (!add)
			return NULL;
		bind_text(add, 1, key);
		sqlite3_bind_int64(add, 2, time);
		sqlite3_bind_int64(add, 3, time);
		if (store_run(store, add) < 0)
			return NULL;
		number = sqlite3_last_insert_rowid(store->database);
	}
	source->address = *address;
	source->id = (uint32_t)number;
	if (store->geo)
		geo_find(store->geo, address, &source->place);
	else
		memset(&source->place, 0, sizeof(source->place));
	return source;
}
