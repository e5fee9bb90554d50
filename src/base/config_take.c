/* Configuration: from nodes to structs by tables of directives; see config.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/config_state.h"
#include "base/config_types.h"
#include "base/log.h"

/* One value on its way into the owner's struct. */
struct taking {
	struct config *config;
	const struct config_section *section;
	const struct directive *directive;
	const struct config_node *node;
	uint8_t *at;
};

static const char *choice_name(const void *choices, size_t index)
{
	return ((const char *const *)choices)[index];
}

/* "limits.sessions must be a whole number from 1 to 9, not 'x'". Always -1. */
static int refuse(struct taking *t, const struct config_node *node)
{
	const char *path = t->section->path ? t->section->path : "";
	struct writer accepted = writer_growing(4096);
	const char *found = "a list", *hint = "";

	config_types_accepted(t->directive, &accepted);
	if (node->kind == CONFIG_SCALAR) {
		found = config_quote(t->config, slice_text(node->text));
		if (t->directive->type == DIRECTIVE_CHOICE)
			hint = config_suggestion(t->config, node->text, choice_name,
						 t->directive->choices);
	} else if (node->kind == CONFIG_MAPPING) {
		found = "a mapping";
	} else if (node->kind == CONFIG_NOTHING) {
		found = "nothing";
	}
	node->marks->refused = true;
	config_error(t->config, node, "%s%s%s must be %.*s, not %s%s", path, path[0] ? "." : "",
		     t->directive->name, (int)accepted.length,
		     accepted.length ? (const char *)accepted.at : "", found, hint);
	writer_free(&accepted);
	return -1;
}

static int out_of_memory(struct taking *t)
{
	config_error(t->config, NULL, CONFIG_OUT_OF_MEMORY);
	return -1;
}

static int take_text(struct taking *t)
{
	const char *text = t->node->text;

	if (t->node->kind != CONFIG_SCALAR)
		return refuse(t, t->node);
	memcpy(t->at, &text, sizeof(text));
	return 0;
}

static bool within_bounds(const struct directive *d, int64_t number)
{
	return (d->minimum == 0 && d->maximum == 0) ||
	       (number >= d->minimum && number <= d->maximum);
}

/* NUMBER, DURATION, SIZE. */
static int take_integer(struct taking *t)
{
	struct slice text = slice_text(t->node->text);
	int64_t number = 0;
	int result = -1;

	if (t->node->kind != CONFIG_SCALAR)
		return refuse(t, t->node);
	if (t->directive->type == DIRECTIVE_NUMBER)
		result = slice_number(text, INT64_MIN, INT64_MAX, &number);
	else if (t->directive->type == DIRECTIVE_DURATION)
		result = clock_parse_duration(text, &number);
	else
		result = config_types_parse_size(text, &number);
	if (result < 0 || !within_bounds(t->directive, number))
		return refuse(t, t->node);
	memcpy(t->at, &number, sizeof(number));
	return 0;
}

static int take_real(struct taking *t)
{
	double number;

	if (t->node->kind != CONFIG_SCALAR || config_types_parse_real(t->node->text, &number) < 0)
		return refuse(t, t->node);
	memcpy(t->at, &number, sizeof(number));
	return 0;
}

static int take_boolean(struct taking *t)
{
	static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false",
									       "off"};
	struct slice text = slice_text(config_text(t->node));

	for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
		bool is_yes = slice_is_nocase(text, yes[i]);

		if (is_yes || slice_is_nocase(text, no[i])) {
			memcpy(t->at, &is_yes, sizeof(is_yes));
			return 0;
		}
	}
	return refuse(t, t->node);
}

static int take_choice(struct taking *t)
{
	if (t->node->kind != CONFIG_SCALAR)
		return refuse(t, t->node);
	for (int i = 0; t->directive->choices[i]; i++) {
		if (strcmp(t->directive->choices[i], t->node->text) == 0) {
			memcpy(t->at, &i, sizeof(i));
			return 0;
		}
	}
	return refuse(t, t->node);
}

static int take_texts(struct taking *t)
{
	size_t count = config_count(t->node);
	const char **items = arena_take(t->config->arena, (count ? count : 1) * sizeof(*items));
	struct config_texts texts = {items, count};
	int result = 0;

	if (!items)
		return out_of_memory(t);
	for (size_t i = 0; i < count; i++) {
		const struct config_node *item = config_item(t->node, i);

		items[i] = item->text;
		if (item->kind != CONFIG_SCALAR)
			result = refuse(t, item);
	}
	if (result == 0)
		memcpy(t->at, &texts, sizeof(texts));
	return result;
}

static int take_ports(struct taking *t)
{
	size_t count = config_count(t->node);
	struct config_port_range *ranges =
		arena_take(t->config->arena, (count ? count : 1) * sizeof(*ranges));
	struct config_ports ports = {ranges, count};
	int result = 0;

	if (!ranges)
		return out_of_memory(t);
	for (size_t i = 0; i < count; i++) {
		const struct config_node *item = config_item(t->node, i);

		if (config_types_parse_ports(slice_text(config_text(item)), &ranges[i]) < 0)
			result = refuse(t, item);
	}
	if (result == 0)
		memcpy(t->at, &ports, sizeof(ports));
	return result;
}

static int take_node(struct taking *t)
{
	memcpy(t->at, &t->node, sizeof(t->node));
	return 0;
}

/* Returns 0, or -1 after an error was recorded; the target is unchanged then. */
static int take_value(struct taking *t)
{
	switch (t->directive->type) {
	case DIRECTIVE_TEXT:
		return take_text(t);
	case DIRECTIVE_NUMBER:
	case DIRECTIVE_DURATION:
	case DIRECTIVE_SIZE:
		return take_integer(t);
	case DIRECTIVE_REAL:
		return take_real(t);
	case DIRECTIVE_BOOLEAN:
		return take_boolean(t);
	case DIRECTIVE_CHOICE:
		return take_choice(t);
	case DIRECTIVE_TEXTS:
		return take_texts(t);
	case DIRECTIVE_PORTS:
		return take_ports(t);
	case DIRECTIVE_NODE:
		return take_node(t);
	}
	return -1;
}

/* What stands for a value that is neither given nor has a default. */
static void clear_value(enum directive_type type, uint8_t *at)
{
	static const size_t sizes[] = {
		[DIRECTIVE_TEXT] = sizeof(char *),
		[DIRECTIVE_NUMBER] = sizeof(int64_t),
		[DIRECTIVE_REAL] = sizeof(double),
		[DIRECTIVE_BOOLEAN] = sizeof(bool),
		[DIRECTIVE_DURATION] = sizeof(int64_t),
		[DIRECTIVE_SIZE] = sizeof(int64_t),
		[DIRECTIVE_CHOICE] = sizeof(int),
		[DIRECTIVE_TEXTS] = sizeof(struct config_texts),
		[DIRECTIVE_PORTS] = sizeof(struct config_ports),
		[DIRECTIVE_NODE] = sizeof(struct config_node *),
	};

	memset(at, 0, sizes[type]);
}

/* A default may be a list ("[80, 8080]") or quoted; else it is the text itself, whatever is in it.
 */
static void take_standard(struct config *config, const struct config_section *section,
			  const struct directive *directive, uint8_t *at)
{
	struct config reading = {.name = "default", .arena = config->arena};
	struct taking t = {&reading, section, directive, NULL, at};
	const char *standard = directive->standard;
	struct config_node *node;

	clear_value(directive->type, at);
	if (!standard)
		return;
	node = config_node_new(&reading, CONFIG_SCALAR, 0);
	if (!node) {
		out_of_memory(&(struct taking){.config = config});
		return;
	}
	node->text = standard;
	reading.root = node;
	if (standard[0] == '[' || standard[0] == '"' || standard[0] == '\'')
		config_load(&reading, slice_text(standard));
	t.node = reading.root;
	if (reading.message_count || take_value(&t) < 0)
		fatal("the table of '%s' has a default that it refuses itself: %s", section->path,
		      config_error_text(&reading, 0));
}

static void take_given(struct config *config, const struct config_node *mapping,
		       const struct config_section *section, const struct directive *directive,
		       uint8_t *at)
{
	struct taking t = {config, section, directive, config_child(mapping, directive->name), at};
	const char *path = section->path ? section->path : "";

	if (t.node && t.node->kind != CONFIG_NOTHING)
		(void)take_value(&t);
	else if (directive->required && !config->broken)
		config_error(config, mapping, "%s%s%s is missing%s%s: add a line '%s: ...'", path,
			     path[0] ? "." : "", directive->name, directive->help ? ", " : "",
			     directive->help ? directive->help : "", directive->name);
}

void config_take(struct config *config, const struct config_node *mapping,
		 const struct config_section *section, void *target)
{
	if (mapping && mapping->kind == CONFIG_NOTHING)
		mapping = NULL;
	if (mapping && mapping->kind != CONFIG_MAPPING) {
		mapping->marks->refused = true;
		config_error(config, mapping, "%s must be made of lines 'name: value', not %s",
			     section->path && section->path[0] ? section->path : "the file",
			     mapping->kind == CONFIG_LIST
				     ? "a list"
				     : config_quote(config, slice_text(mapping->text)));
		mapping = NULL;
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct directive *directive = &section->directives[i];
		uint8_t *at = (uint8_t *)target + directive->offset;

		take_standard(config, section, directive, at);
		if (mapping)
			take_given(config, mapping, section, directive, at);
	}
}

void config_defaults(const struct config_section *section, void *target, struct arena *arena)
{
	struct config config = {.name = "defaults", .arena = arena};

	config_take(&config, NULL, section, target);
}
