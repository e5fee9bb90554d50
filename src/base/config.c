/* Configuration: the tree as its walkers see it, errors, and names nobody asked for; see config.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/config_state.h"

#define QUOTE_MAX   80   /* bytes of a value that a message repeats */
#define MESSAGE_MAX 2048 /* bytes of a message: it is one line on a terminal */

struct config_node *config_node_new(struct config *config, enum config_kind kind, unsigned line)
{
	struct config_node *node = arena_take(config->arena, sizeof(*node));
	struct config_marks *marks = arena_take(config->arena, sizeof(*marks));

	if (!node || !marks)
		return NULL;
	marks->config = config;
	*node = (struct config_node){.kind = kind, .line = line, .text = "", .marks = marks};
	return node;
}

int config_prepare(struct config *config, struct arena *arena, const char *name)
{
	config->arena = arena;
	config->name = arena_text(arena, slice_text(name));
	config->root = config_node_new(config, CONFIG_MAPPING, 0);
	return config->name && config->root ? 0 : -1;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_drop(&config->own);
	free(config);
}

const struct config_node *config_root(const struct config *config)
{
	return config->root;
}

struct arena *config_arena(struct config *config)
{
	return config->arena;
}

static void remember_asked(const struct config_node *mapping, const char *name)
{
	struct config_marks *marks = mapping->marks;
	struct config_asked *asked;

	for (asked = marks->asked; asked; asked = asked->next) {
		if (strcmp(asked->name, name) == 0)
			return;
	}
	asked = arena_take(marks->config->arena, sizeof(*asked));
	if (!asked)
		return;
	asked->name = arena_text(marks->config->arena, slice_text(name));
	if (!asked->name)
		return;
	asked->next = marks->asked;
	marks->asked = asked;
}

const struct config_node *config_child(const struct config_node *mapping, const char *name)
{
	if (!config_is_mapping(mapping))
		return NULL;
	remember_asked(mapping, name);
	for (size_t i = 0; i < mapping->count; i++) {
		if (strcmp(mapping->children[i].name, name) == 0) {
			mapping->children[i].known = true;
			return mapping->children[i].node;
		}
	}
	return NULL;
}

size_t config_count(const struct config_node *node)
{
	if (!node || node->kind == CONFIG_NOTHING)
		return 0;
	return node->kind == CONFIG_LIST ? node->count : 1;
}

const struct config_node *config_item(const struct config_node *node, size_t index)
{
	if (index >= config_count(node))
		return NULL;
	return node->kind == CONFIG_LIST ? node->children[index].node : node;
}

const struct config_node *config_entry(const struct config_node *mapping, size_t index,
				       const char **name)
{
	if (!config_is_mapping(mapping) || index >= mapping->count)
		return NULL;
	mapping->children[index].known = true;
	if (name)
		*name = mapping->children[index].name;
	return mapping->children[index].node;
}

bool config_is_mapping(const struct config_node *node)
{
	return node && node->kind == CONFIG_MAPPING;
}

bool config_is_list(const struct config_node *node)
{
	return node && node->kind == CONFIG_LIST;
}

const char *config_text(const struct config_node *node)
{
	return node && node->kind == CONFIG_SCALAR ? node->text : "";
}

unsigned config_line(const struct config_node *node)
{
	return node ? node->line : 0;
}

const char *config_quote(struct config *config, struct slice text)
{
	uint8_t room[4 * QUOTE_MAX + 16];
	struct writer w = writer_fixed(room, sizeof(room));
	const char *quoted;

	writer_u8(&w, '\'');
	writer_printable(&w, slice_first(text, QUOTE_MAX));
	writer_text(&w, text.length > QUOTE_MAX ? "...'" : "'");
	quoted = arena_text(config->arena, writer_slice(&w));
	return quoted ? quoted : "the value";
}

/* Keeps messages in order of lines, and each only once. */
static void add_message(struct config *config, unsigned line, struct slice text)
{
	struct config_message **at = &config->messages, *message;

	while (*at && (*at)->line <= line) {
		if ((*at)->line == line && slice_is(text, (*at)->text))
			return;
		at = &(*at)->next;
	}
	if (config->message_count >= CONFIG_ERRORS_MAX)
		return;
	message = arena_take(config->arena, sizeof(*message));
	if (!message) {
		config->broken = true;
		return;
	}
	message->line = line;
	message->text = arena_text(config->arena, text);
	if (!message->text)
		message->text = CONFIG_OUT_OF_MEMORY;
	message->next = *at;
	*at = message;
	config->message_count++;
}

static void error_at(struct config *config, unsigned line, const char *format, va_list arguments)
	PRINTF(3, 0);

static void error_at(struct config *config, unsigned line, const char *format, va_list arguments)
{
	struct writer w = writer_growing(MESSAGE_MAX);
	uint8_t room[MESSAGE_MAX];

	writer_text(&w, config->name);
	if (line)
		writer_format(&w, ":%u", line);
	writer_text(&w, ": ");
	writer_vformat(&w, format, arguments);
	if (w.failed) {
		/* Too long for a line: what fits of it. */
		int length = snprintf((char *)room, sizeof(room), "%.512s:%u: (too long to show)",
				      config->name, line);

		add_message(config, line, slice_of(room, length > 0 ? (size_t)length : 0));
	} else {
		add_message(config, line, writer_slice(&w));
	}
	writer_free(&w);
}

void config_error_at(struct config *config, unsigned line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_at(config, line, format, arguments);
	va_end(arguments);
}

void config_error(struct config *config, const struct config_node *node, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_at(config, config_line(node), format, arguments);
	va_end(arguments);
}

size_t config_error_count(const struct config *config)
{
	/* Broken without a message: there was no memory for one. */
	return config->broken && config->message_count == 0 ? 1 : config->message_count;
}

const char *config_error_text(const struct config *config, size_t index)
{
	const struct config_message *message = config->messages;

	while (message && index-- > 0)
		message = message->next;
	return message ? message->text : CONFIG_OUT_OF_MEMORY;
}

unsigned config_name_distance(const char *a, const char *b)
{
	unsigned rows[3][CONFIG_NAME_MAX + 1] = {{0}};
	size_t height = strnlen(a, CONFIG_NAME_MAX), width = strnlen(b, CONFIG_NAME_MAX);
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t x = 0; x <= width; x++)
		row[x] = (unsigned)x;
	for (size_t y = 1; y <= height; y++) {
		unsigned *spare = before;

		before = above;
		above = row;
		row = spare;
		row[0] = (unsigned)y;
		for (size_t x = 1; x <= width; x++) {
			unsigned best = above[x - 1] + (a[y - 1] != b[x - 1]);

			if (above[x] + 1 < best)
				best = above[x] + 1;
			if (row[x - 1] + 1 < best)
				best = row[x - 1] + 1;
			if (y > 1 && x > 1 && a[y - 1] == b[x - 2] && a[y - 2] == b[x - 1] &&
			    before[x - 2] + 1 < best)
				best = before[x - 2] + 1;
			row[x] = best;
		}
	}
	return row[width];
}

const char *config_suggestion(struct config *config, const char *name,
			      const char *(*known)(const void *of, size_t index), const void *of)
{
	unsigned nearest = (unsigned)strnlen(name, CONFIG_NAME_MAX) / 3 + 2;
	const char *candidate, *best = NULL;
	uint8_t room[CONFIG_NAME_MAX + 64];
	struct writer w = writer_fixed(room, sizeof(room));

	for (size_t i = 0; (candidate = known(of, i)); i++) {
		unsigned distance = config_name_distance(name, candidate);

		if (distance < nearest) {
			nearest = distance;
			best = candidate;
		}
	}
	if (!best)
		return "";
	writer_format(&w, " (did you mean '%s'?)", best);
	best = w.failed ? NULL : arena_text(config->arena, writer_slice(&w));
	return best ? best : "";
}

static const char *asked_name(const void *of, size_t index)
{
	const struct config_asked *asked = of;

	while (asked && index-- > 0)
		asked = asked->next;
	return asked ? asked->name : NULL;
}

static void report_unknown(struct config *config, const struct config_node *node)
{
	if (node->marks->refused)
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct config_entry *child = &node->children[i];

		if (child->name && !child->known)
			config_error_at(config, child->line, "unknown name %s%s",
					config_quote(config, slice_text(child->name)),
					config_suggestion(config, child->name, asked_name,
							  node->marks->asked));
		else
			report_unknown(config, child->node);
	}
}

size_t config_finish(struct config *config)
{
	if (!config->finished) {
		config->finished = true;
		report_unknown(config, config->root);
	}
	return config_error_count(config);
}
