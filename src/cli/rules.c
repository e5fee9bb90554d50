/* sundew rules: check and list detection rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/rule_files.h"

#define REASONS_MAX 64 /* unknown keywords that the summary names */

static const struct command_option rules_options[] = {
	{"quiet", 'q', NULL, "check: only the summary"},
	{"strict", 0, NULL, "check: exit with 1 if any rule was refused"},
	{"sid", 0, "N", "list: only that rule"},
	{"class", 0, "NAME", "list: only rules of that class"},
	{"cache", 0, "DIR", "check: keep compiled rules in this folder"},
	OPTION_JSON,
};

struct check {
	struct writer out;
	bool quiet, json;
	struct reason {
		char text[64];
		size_t count;
	} reasons[REASONS_MAX];
	size_t reason_count;
};

/* Reasons without the rule's own details: what stands behind "unknown keyword" is kept. */
static void count_reason(struct check *check, const char *why)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s", why);
	for (size_t i = 0; i < check->reason_count; i++)
		if (strcmp(check->reasons[i].text, text) == 0) {
			check->reasons[i].count++;
			return;
		}
	if (check->reason_count == REASONS_MAX)
		return;
	memcpy(check->reasons[check->reason_count].text, text, sizeof(text));
	check->reasons[check->reason_count++].count = 1;
}

static void refused(void *context, const char *file, const struct rule_text *text, const char *why)
{
	struct check *check = context;

	count_reason(check, why);
	if (check->quiet)
		return;
	if (check->json) {
		struct json_writer j = json_writer_of(&check->out);

		json_object(&j);
		json_key(&j, "file");
		json_text(&j, file);
		json_key(&j, "line");
		json_number(&j, text->line);
		json_key(&j, "reason");
		json_text(&j, why);
		json_object_end(&j);
		writer_u8(&check->out, '\n');
	} else {
		writer_printable(&check->out, slice_text(file));
		writer_format(&check->out, ":%u: ", text->line);
		writer_printable(&check->out, slice_text(why));
		writer_u8(&check->out, '\n');
	}
	if (print_out(&check->out) < 0)
		exit(EXIT_TROUBLE);
	writer_clear(&check->out);
}

static int compare_reasons(const void *a, const void *b)
{
	const struct reason *left = a, *right = b;

	return left->count > right->count ? -1 : left->count < right->count;
}

static void summarise(struct check *check, const struct engine *engine, int64_t took)
{
	struct engine_counts counts = engine_counts(engine);
	double share = counts.read ? 100.0 * (double)counts.loaded / (double)counts.read : 0;

	writer_format(&check->out, "%zu rules read, %zu loaded (%.2f %%), %zu refused; %.2f s\n",
		      counts.read, counts.loaded, share, counts.refused, (double)took / 1e6);
	writer_format(&check->out,
		      "%zu have no content to be found by; %zu contents in %zu databases of "
		      "%.1f MiB\n",
		      counts.always, counts.patterns, counts.databases,
		      (double)counts.bytes / 1048576);
	qsort(check->reasons, check->reason_count, sizeof(check->reasons[0]), compare_reasons);
	for (size_t i = 0; i < check->reason_count && i < 20; i++) {
		writer_format(&check->out, "%7zu  ", check->reasons[i].count);
		writer_printable(&check->out, slice_text(check->reasons[i].text));
		writer_u8(&check->out, '\n');
	}
}

static void list_rule(struct writer *out, const struct rule *rule, bool json)
{
	if (json) {
		struct json_writer j = json_writer_of(out);

		json_object(&j);
		json_key(&j, "gid");
		json_number(&j, rule->gid);
		json_key(&j, "sid");
		json_number(&j, rule->sid);
		json_key(&j, "revision");
		json_number(&j, rule->revision);
		json_key(&j, "name");
		json_text(&j, rule->message ? rule->message : "");
		json_key(&j, "class");
		json_text(&j, rule->class_type ? rule->class_type : "");
		json_key(&j, "priority");
		json_number(&j, rule->priority);
		json_key(&j, "file");
		json_text(&j, rule->file);
		json_key(&j, "line");
		json_number(&j, rule->line);
		json_object_end(&j);
	} else {
		writer_format(out, "%u:%u:%u  ", rule->gid, rule->sid, rule->revision);
		writer_printable(out, slice_text(rule->message ? rule->message : ""));
		writer_text(out, "  [");
		writer_printable(out, slice_text(rule->class_type ? rule->class_type : "-"));
		writer_text(out, "]");
	}
	writer_u8(out, '\n');
}

static int list(const struct invocation *invocation, const struct engine *engine)
{
	int64_t sid = option_number(invocation, "sid", -1, 1, UINT32_MAX);
	const char *class = option_value(invocation, "class");
	struct writer out = writer_growing(64 * 1024 * 1024);
	const struct rule *const *rules;
	size_t count;
	int result;

	rules = engine_rules(engine, &count);
	for (size_t i = 0; i < count; i++) {
		if (sid >= 0 && rules[i]->sid != sid)
			continue;
		if (class && !(rules[i]->class_type && strcmp(class, rules[i]->class_type) == 0))
			continue;
		list_rule(&out, rules[i], option_given(invocation, "json"));
	}
	result = print_out(&out);
	writer_free(&out);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

static int rules_run(const struct invocation *invocation)
{
	struct rule_files files = {0};
	struct check check = {.out = writer_growing(1024 * 1024),
			      .quiet = option_given(invocation, "quiet"),
			      .json = option_given(invocation, "json")};
	bool checking = strcmp(invocation->words[0], "check") == 0;
	struct engine_report report = {&check, checking ? refused : NULL};
	int64_t started = clock_monotonic();
	int result = EXIT_GOOD;

	if (!checking && strcmp(invocation->words[0], "list") != 0)
		usage_error(invocation, "check or list, not %s", invocation->words[0]);
	rule_files_load(&files, invocation, invocation->words + 1, invocation->word_count - 1,
			&report);
	if (!checking) {
		result = list(invocation, files.engine);
	} else {
		if (!check.json)
			summarise(&check, files.engine, clock_monotonic() - started);
		if (print_out(&check.out) < 0 ||
		    (option_given(invocation, "strict") && engine_counts(files.engine).refused))
			result = EXIT_TROUBLE;
	}
	writer_free(&check.out);
	rule_files_close(&files);
	return result;
}

const struct command command_rules = {
	.name = "rules",
	.summary = "Check and list detection rules",
	.arguments = "check|list FILE...",
	.details =
		"Rules are files in the language of Snort 2.9, Snort 3 or Suricata. `check` loads "
		"them as the sensor would, names each one that is refused with file, line and "
		"reason, and sums up. `list` prints those that load, in the order in which they "
		"are evaluated.",
	.options = rules_options,
	.option_count = ARRAY_COUNT(rules_options),
	.words_min = 2,
	.words_max = 257,
	.run = rules_run,
};
