/* Configuration: a YAML file read into nodes that remember their line, and directive tables, owned
 * by the module that uses the values, that turn nodes into structs.
 *
 * Nothing stops at the first mistake: every error is kept as "file:line: what, and how to mend" and
 * all are printed at once. A name that no table asked for is an error that suggests the nearest
 * known one.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/address.h"
#include "base/arena.h"
#include "base/bytes.h"

struct config;
struct config_node;

enum directive_type {
	DIRECTIVE_TEXT,     /* const char *; NULL when there is neither value nor default */
	DIRECTIVE_NUMBER,   /* int64_t, minimum..maximum */
	DIRECTIVE_REAL,     /* double */
	DIRECTIVE_BOOLEAN,  /* bool */
	DIRECTIVE_DURATION, /* int64_t microseconds: 90, 90s, 15m, 24h, 7d */
	DIRECTIVE_SIZE,     /* int64_t bytes: 4096, 64K, 16M, 2G (powers of 1024) */
	DIRECTIVE_CHOICE,   /* int: index into choices */
	DIRECTIVE_TEXTS,    /* struct config_texts: a list, or one text */
	DIRECTIVE_PORTS,    /* struct config_ports: 80, [80, 8080], "8000-8010" */
	DIRECTIVE_NODE,     /* const struct config_node *: a mapping or list that the owner walks */
};

struct config_texts {
	const char *const *items;
	size_t count;
};

struct config_port_range {
	uint16_t first, last;
};

struct config_ports {
	const struct config_port_range *ranges;
	size_t count;
};

struct directive {
	const char *name;
	enum directive_type type;
	size_t offset;              /* into the owner's struct */
	const char *standard;       /* default as it would be written in the file; NULL: none */
	int64_t minimum, maximum;   /* NUMBER, DURATION, SIZE; both 0: no bounds */
	const char *const *choices; /* CHOICE; ends with NULL */
	const char *help;           /* one sentence, for docs/CONFIGURATION.md */
	bool required;
};

/* A table and its documentation: `path` is where it stands in the file ("limits", "services[]"). */
struct config_section {
	const char *path;
	const struct directive *directives;
	size_t count;
	const char *help;
};

/* Reads the file. Always returns a config (NULL only when memory is out); errors, a missing file
 * among them, are kept in it. `name` stands in messages. */
struct config *config_read(const char *path);
struct config *config_parse(struct slice text, const char *name);
void config_free(struct config *config);

/* The top mapping (an empty one when the file is empty or broken). */
const struct config_node *config_root(const struct config *config);
/* Child of a mapping, or NULL; marks the name as known. */
const struct config_node *config_child(const struct config_node *mapping, const char *name);
/* Items of a list; a lone scalar or mapping counts as a list of one; 0 for NULL. */
size_t config_count(const struct config_node *node);
const struct config_node *config_item(const struct config_node *node, size_t index);
/* Name of the index-th entry of a mapping and its node; for free-form mappings (personas). */
const struct config_node *config_entry(const struct config_node *mapping, size_t index,
				       const char **name);
bool config_is_mapping(const struct config_node *node);
bool config_is_list(const struct config_node *node);
/* A scalar's text; "" for others and NULL. */
const char *config_text(const struct config_node *node);
unsigned config_line(const struct config_node *node);

/* Fills `target` from the mapping by a table: defaults first, then what the file says. mapping may
 * be NULL: defaults only. Texts live as long as the config. Several tables may be applied to one
 * mapping (a service's own and its protocol's); config_finish reports what none of them knew. */
void config_take(struct config *config, const struct config_node *mapping,
		 const struct config_section *section, void *target);
/* The same, from defaults alone, with no config at hand (tests, `sundew decoy`). */
void config_defaults(const struct config_section *section, void *target, struct arena *arena);

/* Records an error at a node's line (NULL: the file as a whole). */
void config_error(struct config *config, const struct config_node *node, const char *format, ...)
	PRINTF(3, 4);
/* Reports names that nothing asked for; call once, after everything was taken. Returns the number
 * of errors in all. */
size_t config_finish(struct config *config);
size_t config_error_count(const struct config *config);
/* "sundew.yaml:12: unknown name 'prots' (did you mean 'ports'?)" */
const char *config_error_text(const struct config *config, size_t index);
/* Memory that lives as long as the config. */
struct arena *config_arena(struct config *config);

/* Appends the reference of one table as Markdown (docs/CONFIGURATION.md is made of these). */
void config_describe(const struct config_section *section, struct writer *out);
/* Distance of two names (Damerau-Levenshtein), for suggestions of other tables. */
unsigned config_name_distance(const char *a, const char *b);

#endif
