/* The committed documentation of events is what the tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "event/describe.h"
#include "event/event.h"

#define DOCUMENT_MAX (1024 * 1024)

static void compare(const char *name, void (*describe)(struct writer *))
{
	struct writer wanted = writer_growing(DOCUMENT_MAX), path = writer_growing(4096);
	const char *root = getenv("SUNDEW_SOURCE");
	uint8_t *found = malloc(DOCUMENT_MAX);
	FILE *file;
	size_t length;

	assert_non_null(root);
	assert_non_null(found);
	writer_format(&path, "%s/docs/%s", root, name);
	writer_u8(&path, 0);
	describe(&wanted);
	assert_false(wanted.failed);
	file = fopen((const char *)path.at, "rb");
	if (!file)
		fail_msg("docs/%s is missing: make it with `sundew docs docs`", name);
	length = fread(found, 1, DOCUMENT_MAX, file);
	fclose(file);
	if (!slice_equal(writer_slice(&wanted), slice_of(found, length)))
		fail_msg("docs/%s is not what src/event/ says: run `sundew docs docs`", name);
	free(found);
	writer_free(&wanted);
	writer_free(&path);
}

static void test_documents_are_current(void **state)
{
	compare("EVENTS.md", describe_events_markdown);
	compare("event.schema.json", describe_events_schema);
}

/* Every path is found in the schema by walking it, and leads to a leaf with a type. */
static void test_schema_holds_every_field(void **state)
{
	struct writer out = writer_growing(DOCUMENT_MAX);
	json_error_t error;
	json_t *schema;

	describe_events_schema(&out);
	schema = json_loadb((const char *)out.at, out.length, JSON_REJECT_DUPLICATES, &error);
	if (!schema)
		fail_msg("not JSON: %s", error.text);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		struct slice rest = slice_text(event_fields[i].path), part;
		json_t *node = schema;

		while (slice_next(&rest, '.', &part)) {
			assert_true(json_is_false(json_object_get(node, "additionalProperties")));
			node = json_object_getn(json_object_get(node, "properties"),
						(const char *)part.at, part.length);
			assert_non_null(node);
		}
		assert_string_equal(json_string_value(json_object_get(node, "description")),
				    event_fields[i].meaning);
	}
	json_decref(schema);
	writer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents_are_current),
		cmocka_unit_test(test_schema_holds_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
