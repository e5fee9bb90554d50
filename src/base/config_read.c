/* Configuration: YAML 1.1 through libyaml's events into the tree; see config.h.
 *
 * Of YAML we take mappings, lists and scalars. Anchors, aliases and tags are refused: they make a
 * small file stand for a huge one, and nobody needs them here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "base/config_state.h"

enum outcome { GO_ON, STOP };

struct reader {
	struct config *config;
	yaml_parser_t parser;
	struct slice text;
	struct config_node *open[CONFIG_DEPTH_MAX + 1]; /* from the root inwards */
	unsigned depth;
	const char *name; /* of the value that comes next in the mapping; NULL: a name comes next */
	unsigned name_line;
	struct config_node *top;
	unsigned documents;
};

static unsigned line_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}

static enum outcome out_of_memory(struct reader *r)
{
	config_error_at(r->config, 0, CONFIG_OUT_OF_MEMORY);
	return STOP;
}

/* libyaml gives a line for what the grammar refuses, and only an offset for bytes that are no text.
 */
static void report_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = line_of(&p->problem_mark);
	const char *problem = p->problem ? p->problem : "it cannot be read";

	if (p->error == YAML_READER_ERROR) {
		struct slice before = slice_first(r->text, p->problem_offset);

		line = 1;
		for (size_t i = 0; i < before.length; i++)
			line += before.at[i] == '\n';
	}
	if (p->error == YAML_MEMORY_ERROR)
		out_of_memory(r);
	else if (p->context && p->context_mark.line != p->problem_mark.line)
		config_error_at(r->config, line, "this is not YAML: %s (%s that begins in line %u)",
				problem, p->context, line_of(&p->context_mark));
	else
		config_error_at(r->config, line, "this is not YAML: %s%s%s", problem,
				p->context ? " " : "", p->context ? p->context : "");
}

static bool add_child(struct config *config, struct config_node *parent, struct config_entry child)
{
	if (parent->count == parent->capacity) {
		size_t capacity = parent->capacity ? 2 * parent->capacity : 4;
		struct config_entry *grown = arena_take(config->arena, capacity * sizeof(*grown));

		if (!grown)
			return false;
		if (parent->count)
			memcpy(grown, parent->children, parent->count * sizeof(*grown));
		parent->children = grown;
		parent->capacity = capacity;
	}
	parent->children[parent->count++] = child;
	return true;
}

static bool is_duplicate(struct reader *r, const struct config_node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		if (strcmp(mapping->children[i].name, r->name) == 0) {
			config_error_at(r->config, r->name_line,
					"%s was given in line %u already: keep one of the two",
					config_quote(r->config, slice_text(r->name)),
					mapping->children[i].line);
			return true;
		}
	}
	return false;
}

/* Hangs a finished or just opened node where the reader stands. */
static enum outcome place(struct reader *r, struct config_node *node)
{
	struct config_node *parent = r->depth ? r->open[r->depth - 1] : NULL;
	struct config_entry child = {NULL, node, node->line, false};

	if (!parent) {
		r->top = node;
		return GO_ON;
	}
	if (parent->count >= CONFIG_CHILDREN_MAX) {
		config_error_at(r->config, node->line,
				"more than %d entries in one place: is this the right file?",
				CONFIG_CHILDREN_MAX);
		return STOP;
	}
	if (parent->kind == CONFIG_MAPPING) {
		bool duplicate = is_duplicate(r, parent);

		child.name = r->name;
		child.line = r->name_line;
		if (node->kind != CONFIG_SCALAR)
			node->line = r->name_line;
		r->name = NULL;
		if (duplicate)
			return GO_ON;
	}
	return add_child(r->config, parent, child) ? GO_ON : out_of_memory(r);
}

static bool expects_name(const struct reader *r)
{
	return r->depth && r->open[r->depth - 1]->kind == CONFIG_MAPPING && !r->name;
}

/* Anchors and tags: an error each, and the node is taken as if they were not there. */
static void refuse_extras(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag,
			  unsigned line)
{
	if (anchor)
		config_error_at(r->config, line,
				"anchors (&%.40s) are not supported: write the value out",
				(const char *)anchor);
	if (tag)
		config_error_at(r->config, line,
				"tags (such as !!str) are not supported: remove it");
}

/* A plain empty value, '~' and 'null' say that nothing is given, so that the default holds. */
static bool says_nothing(const yaml_event_t *event, struct slice text)
{
	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text.length == 0 || slice_is(text, "~") || slice_is(text, "null"));
}

static enum outcome take_scalar(struct reader *r, const yaml_event_t *event)
{
	struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
	unsigned line = line_of(&event->start_mark);
	struct config_node *node;
	char *copy = arena_text(r->config->arena, text);

	if (!copy)
		return out_of_memory(r);
	refuse_extras(r, event->data.scalar.anchor, event->data.scalar.tag, line);
	if (slice_find_byte(text, 0) != SIZE_MAX)
		config_error_at(r->config, line, "a NUL byte (\\0) cannot be part of a value");
	if (expects_name(r)) {
		r->name = copy;
		r->name_line = line;
		return GO_ON;
	}
	node = config_node_new(r->config,
			       says_nothing(event, text) ? CONFIG_NOTHING : CONFIG_SCALAR, line);
	if (!node)
		return out_of_memory(r);
	node->text = copy;
	return place(r, node);
}

static enum outcome open_node(struct reader *r, enum config_kind kind, unsigned line)
{
	struct config_node *node;

	if (expects_name(r)) {
		config_error_at(r->config, line,
				"a name must be plain text, not a list or a mapping");
		return STOP;
	}
	if (r->depth >= CONFIG_DEPTH_MAX) {
		config_error_at(r->config, line,
				"nested more than %d deep: is this the right file?",
				CONFIG_DEPTH_MAX);
		return STOP;
	}
	node = config_node_new(r->config, kind, line);
	if (!node)
		return out_of_memory(r);
	if (place(r, node) == STOP)
		return STOP;
	r->open[r->depth++] = node;
	return GO_ON;
}

static enum outcome take_alias(struct reader *r, const yaml_event_t *event)
{
	unsigned line = line_of(&event->start_mark);
	struct config_node *node = config_node_new(r->config, CONFIG_NOTHING, line);

	config_error_at(r->config, line,
			"aliases (*%.40s) are not supported: write the value out, or quote a text "
			"that begins with '*'",
			(const char *)event->data.alias.anchor);
	if (!node)
		return out_of_memory(r);
	if (expects_name(r))
		return STOP;
	return place(r, node);
}

static enum outcome take_event(struct reader *r, const yaml_event_t *event)
{
	unsigned line = line_of(&event->start_mark);

	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return STOP;
	case YAML_DOCUMENT_START_EVENT:
		if (r->documents++ == 0)
			return GO_ON;
		config_error_at(r->config, line,
				"a second document begins here: remove the line '---'");
		return STOP;
	case YAML_SCALAR_EVENT:
		return take_scalar(r, event);
	case YAML_ALIAS_EVENT:
		return take_alias(r, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_extras(r, event->data.sequence_start.anchor, event->data.sequence_start.tag,
			      line);
		return open_node(r, CONFIG_LIST, line);
	case YAML_MAPPING_START_EVENT:
		refuse_extras(r, event->data.mapping_start.anchor, event->data.mapping_start.tag,
			      line);
		return open_node(r, CONFIG_MAPPING, line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return GO_ON;
	default:
		return GO_ON;
	}
}

void config_load(struct config *config, struct slice text)
{
	struct reader r = {.config = config, .text = text};
	enum outcome outcome = GO_ON;

	if (!yaml_parser_initialize(&r.parser)) {
		out_of_memory(&r);
		config->broken = true;
		return;
	}
	yaml_parser_set_input_string(&r.parser, text.length ? text.at : (const uint8_t *)"",
				     text.length);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	while (outcome == GO_ON) {
		yaml_event_t event;

		if (!yaml_parser_parse(&r.parser, &event)) {
			report_syntax(&r);
			config->broken = true;
			break;
		}
		outcome = take_event(&r, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&r.parser);
	if (r.depth)
		config->broken = true; /* it stopped in the middle */
	else if (r.top && r.top->kind != CONFIG_NOTHING && !config->broken)
		config->root = r.top;
}

static void load_top(struct config *config, struct slice text)
{
	config_load(config, text);
	if (config_is_mapping(config->root))
		return;
	config_error(config, config->root,
		     "the file must be made of lines 'name: value', not of a single %s",
		     config_is_list(config->root) ? "list" : "text");
	config->broken = true;
	config->root = config_node_new(config, CONFIG_MAPPING, 0);
}

static struct config *config_new(const char *name)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->own = arena_of(CONFIG_MEMORY_MAX);
	if (config_prepare(config, &config->own, name) < 0) {
		config_free(config);
		return NULL;
	}
	return config;
}

/* NULL when load_top had no memory left for the empty root. */
static struct config *checked(struct config *config)
{
	if (config->root)
		return config;
	config_free(config);
	return NULL;
}

struct config *config_parse(struct slice text, const char *name)
{
	struct config *config = config_new(name);

	if (!config)
		return NULL;
	if (text.length > CONFIG_SIZE_MAX) {
		config_error(config, NULL, "larger than %zu MiB: is this the right file?",
			     CONFIG_SIZE_MAX >> 20);
		config->broken = true;
		return config;
	}
	load_top(config, text);
	return checked(config);
}

static struct config *unreadable(const char *path, int error)
{
	struct config *config = config_new(path);

	if (!config)
		return NULL;
	config_error(config, NULL, "cannot be read: %s%s", strerror(error),
		     error == ENOENT ? "; make the file or give another one with -c" : "");
	config->broken = true;
	return config;
}

struct config *config_read(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	/* One byte more than is allowed, so that config_parse sees that it is too much. */
	struct writer w = writer_growing(CONFIG_SIZE_MAX + 1);
	struct config *config;

	if (file < 0)
		return unreadable(path, errno);
	while (w.length <= CONFIG_SIZE_MAX) {
		size_t wanted = CONFIG_SIZE_MAX + 1 - w.length;
		uint8_t *at = writer_reserve(&w, wanted > 65536 ? 65536 : wanted);
		ssize_t got = at ? read(file, at, wanted > 65536 ? 65536 : wanted) : -1;

		if (got < 0 && at && errno == EINTR)
			continue;
		if (got < 0)
			error = at ? errno : ENOMEM;
		if (got <= 0)
			break;
		writer_commit(&w, (size_t)got);
	}
	close(file);
	config = error ? unreadable(path, error) : config_parse(writer_slice(&w), path);
	writer_free(&w);
	return config;
}
