/* The inside of a configuration; only the config_*.c files may look. */
#ifndef BASE_CONFIG_STATE_H
#define BASE_CONFIG_STATE_H

#include "base/config.h"

/* Limits on the file: it is the owner's own, but a mistake (a log given as configuration, a
 * generator run wild) must end in a message and not in gigabytes. */
#define CONFIG_SIZE_MAX     ((size_t)4 << 20) /* bytes of the file */
#define CONFIG_DEPTH_MAX    32                /* mappings and lists within each other */
#define CONFIG_CHILDREN_MAX 10000 /* of one mapping or list: names are compared in pairs */
#define CONFIG_ERRORS_MAX   1000  /* kept; more help nobody */
#define CONFIG_MEMORY_MAX   ((size_t)256 << 20)
#define CONFIG_NAME_MAX     64 /* longer names are compared by their first bytes for suggestions */

enum config_kind { CONFIG_NOTHING, CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAPPING };

struct config_entry {
	const char *name; /* NULL in a list */
	struct config_node *node;
	unsigned line;
	bool known;
};

/* A name that a table asked for: what suggestions are made from. */
struct config_asked {
	struct config_asked *next;
	const char *name;
};

/* What changes while the tree is walked; behind a pointer because the walkers see const nodes. */
struct config_marks {
	struct config *config;
	struct config_asked *asked;
	bool refused; /* an error was given for the whole of it: say nothing of its names */
};

struct config_node {
	enum config_kind kind;
	unsigned line;
	const char *text; /* SCALAR */
	struct config_entry *children;
	size_t count, capacity;
	struct config_marks *marks;
};

struct config_message {
	struct config_message *next;
	unsigned line;
	const char *text; /* whole, with file and line */
};

struct config {
	struct arena own;
	struct arena *arena; /* own, or (for defaults) the caller's */
	const char *name;
	struct config_node *root;
	struct config_message *messages; /* in order of lines */
	size_t message_count;
	bool broken; /* could not be read: what is missing from it says nothing */
	bool finished;
};

#define CONFIG_OUT_OF_MEMORY "the configuration takes more memory than there is"

/* A node of the tree; NULL when memory is out. */
struct config_node *config_node_new(struct config *config, enum config_kind kind, unsigned line);
/* Makes `config` an empty one; its tree is a mapping without entries. -1: memory is out. */
MUST_CHECK int config_prepare(struct config *config, struct arena *arena, const char *name);
/* Reads YAML into the tree. */
void config_load(struct config *config, struct slice text);
void config_error_at(struct config *config, unsigned line, const char *format, ...) PRINTF(3, 4);
/* Printable, quoted, shortened text of a value for a message. */
const char *config_quote(struct config *config, struct slice text);
/* " (did you mean 'ports'?)" or "". */
const char *config_suggestion(struct config *config, const char *name,
			      const char *(*known)(const void *of, size_t index), const void *of);

#endif
