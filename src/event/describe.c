/* Documentation out of tables; see describe.h. */
#include "event/describe.h"
#include "base/json.h"
#include "event/event.h"

struct type_description {
	const char *name, *form; /* in the table; as JSON Schema */
};

static const struct type_description types[] = {
	[FIELD_TYPE_TIME] = {"time", "\"type\": \"string\", \"format\": \"date-time\""},
	[FIELD_TYPE_TEXT] = {"text", "\"type\": \"string\""},
	[FIELD_TYPE_NUMBER] = {"whole number", "\"type\": \"integer\""},
	[FIELD_TYPE_REAL] = {"number", "\"type\": \"number\""},
	[FIELD_TYPE_ADDRESS] = {"IP address",
				"\"type\": \"string\", \"anyOf\": [{\"format\": \"ipv4\"}, "
				"{\"format\": \"ipv6\"}]"},
	[FIELD_TYPE_TEXTS] = {"list of text",
			      "\"type\": \"array\", \"items\": {\"type\": \"string\"}"},
	[FIELD_TYPE_BYTES] = {"bytes (base64)",
			      "\"type\": \"string\", \"contentEncoding\": \"base64\""},
};

static const char introduction[] = "# Events\n\n"
				   "This page is made from `src/event/schema.def` and the table of "
				   "actions; regenerate it with\n"
				   "`sundew docs docs`.\n\n"
				   "An event is one line: a JSON object, UTF-8, nested by the dots "
				   "of the paths below. Names are\n"
				   "those of the Elastic Common Schema where it has one; ours are "
				   "under `sundew`. Fields that do\n"
				   "not apply are absent. `sundew.schema` is always there. "
				   "`event.schema.json` is the same as a\n"
				   "JSON Schema.\n\n";

static const char escaping[] =
	"\n## Bytes that are not text\n\n"
	"Attackers send any bytes; JSON holds only UTF-8. A text that is not valid UTF-8, or that "
	"holds\n"
	"a NUL, is written with `\\xNN` (two hexadecimal digits) for each such byte and `\\\\` for "
	"each\n"
	"backslash, and the path of its field is listed in `sundew.escaped`. A list is escaped as "
	"a\n"
	"whole. Fields that are not listed there are to be taken as they are, backslashes "
	"included.\n\n"
	"To get the bytes back: decode the JSON; for each path in `sundew.escaped`, replace from "
	"left\n"
	"to right `\\\\` by one backslash and `\\xNN` by that byte. In Python:\n\n"
	"```python\n"
	"import re\n"
	"def raw(text):\n"
	"    return re.sub(rb'\\\\(\\\\|x[0-9a-f]{2})',\n"
	"                  lambda m: b'\\\\' if m[1] == b'\\\\' else "
	"bytes.fromhex(m[1][1:].decode()),\n"
	"                  text.encode())\n"
	"```\n\n"
	"Control characters, and characters that act on a terminal or turn the direction of text, "
	"are\n"
	"always written as JSON's `\\uXXXX`: a line can be shown as it is.\n\n"
	"## Limits\n\n";

/* A cell of a table: a bar would end it. */
static void write_cell(struct writer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			writer_u8(out, '\\');
		writer_u8(out, (uint8_t)*text);
	}
}

static struct slice group_of(const char *path)
{
	return slice_first(slice_text(path), slice_find_byte(slice_text(path), '.'));
}

static void write_fields(struct writer *out)
{
	struct slice group = {NULL, 0};

	writer_text(out, "\n## Fields\n");
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const struct field_description *field = &event_fields[i];

		if (!slice_equal(group, group_of(field->path))) {
			group = group_of(field->path);
			writer_text(out, "\n### ");
			writer_bytes(out, group);
			writer_text(out, "\n\n| field | type | meaning |\n|---|---|---|\n");
		}
		writer_format(out, "| `%s` | %s | ", field->path, types[field->type].name);
		write_cell(out, field->meaning);
		writer_text(out, " |\n");
	}
}

void describe_events_markdown(struct writer *out)
{
	writer_text(out, introduction);
	writer_text(out, "## Actions\n\nThe value of `event.action`.\n\n"
			 "| action | meaning |\n|---|---|\n");
	for (const struct event_action *action = event_actions; action->name; action++) {
		writer_format(out, "| `%s` | ", action->name);
		write_cell(out, action->meaning);
		writer_text(out, " |\n");
	}
	write_fields(out);
	writer_text(out, escaping);
	writer_format(
		out,
		"A text is cut at %d bytes, a list at %d items, bytes at %d; a line is at most\n"
		"%d bytes long. What was cut is listed in `sundew.truncated`.\n",
		EVENT_TEXT_MAX, EVENT_LIST_MAX, EVENT_BYTES_MAX, EVENT_LINE_MAX);
}

static void indent(struct writer *out, unsigned depth)
{
	writer_u8(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		writer_text(out, "  ");
}

/* Fields first..last share the prefix; returns after writing the members of that object. */
static void write_properties(struct writer *out, size_t first, size_t last, size_t prefix,
			     unsigned depth)
{
	for (size_t i = first, next; i < last; i = next) {
		struct slice rest = slice_from(slice_text(event_fields[i].path), prefix);
		struct slice name = slice_first(rest, slice_find_byte(rest, '.'));

		if (i > first)
			writer_u8(out, ',');
		indent(out, depth);
		json_quote(out, name);
		writer_text(out, ": {");
		if (name.length == rest.length) {
			writer_format(out,
				      "%s, \"description\": ", types[event_fields[i].type].form);
			json_quote(out, slice_text(event_fields[i].meaning));
			writer_u8(out, '}');
			next = i + 1;
			continue;
		}
		for (next = i + 1; next < last; next++) {
			if (strncmp(event_fields[next].path, event_fields[i].path,
				    prefix + name.length + 1) != 0)
				break;
		}
		writer_text(out, "\"type\": \"object\", \"additionalProperties\": false, "
				 "\"properties\": {");
		write_properties(out, i, next, prefix + name.length + 1, depth + 1);
		indent(out, depth);
		writer_text(out, "}}");
	}
}

void describe_events_schema(struct writer *out)
{
	writer_text(out, "{\n"
			 "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
			 "  \"title\": \"Sundew event\",\n");
	writer_format(out, "  \"description\": \"One line of a spool, version %d\",\n",
		      EVENT_SCHEMA_VERSION);
	writer_text(out, "  \"type\": \"object\",\n"
			 "  \"required\": [\"sundew\"],\n"
			 "  \"additionalProperties\": false,\n"
			 "  \"properties\": {");
	write_properties(out, 0, FIELD_COUNT, 0, 2);
	writer_text(out, "\n  }\n}\n");
}
