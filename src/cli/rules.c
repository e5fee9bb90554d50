/* sundew rules: check and list detection rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/rule_files.h"
#include "cli/rules_change.h"

#define REASONS_MAX   256 /* different ones that the summary counts */
#define REASONS_SHOWN 20
#define UNKNOWN       "unknown keyword "

static const struct command_option rules_options[] = {
	{"quiet", 'q', NULL, "check: only the summary"},
	{"strict", 0, NULL, "check: exit with 1 if any rule was refused"},
	{"cache", 0, "DIR", "check: keep compiled rules in this folder"},
	{"sid", 0, "N", "list: only the rule of that number, with its text"},
	{"changes", 0, "FILE", "What is changed of the rules; disable and enable write it"},
	{"class", 0, "NAME", "list: only rules of that class"},
	{"variables", 0, "NAME=VALUE;...", "Variables of the rules, like HOME_NET=192.0.2.0/24"},
	{"classes", 0, "FILE", "Classes and their priorities, a classification.config"},
	OPTION_JSON,
};

/* Reasons for refusals and how often they came up; keywords that are not known apart. */
struct reasons {
	struct reason {
		char text[80];
		size_t count;
	} items[REASONS_MAX];
	size_t count;
};

struct check {
	struct writer out;
	bool quiet, json;
	struct reasons keywords, others;
};

static void count_reason(struct reasons *reasons, const char *text)
{
	struct reason *fresh = &reasons->items[reasons->count];
	char cut[sizeof(fresh->text)];

	(void)snprintf(cut, sizeof(cut), "%s", text);
	for (size_t i = 0; i < reasons->count; i++)
		if (strcmp(reasons->items[i].text, cut) == 0) {
			reasons->items[i].count++;
			return;
		}
	if (reasons->count == REASONS_MAX)
		return;
	memcpy(fresh->text, cut, sizeof(cut));
	fresh->count = 1;
	reasons->count++;
}

static int compare_reasons(const void *a, const void *b)
{
	const struct reason *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	return strcmp(left->text, right->text);
}

/* --- each refusal --- */

static void print_refusal(struct check *check, const char *file, unsigned line, unsigned column,
			  struct slice sid, const char *why)
{
	int64_t number;

	if (check->json) {
		struct json_writer j = json_writer_of(&check->out);

		json_object(&j);
		json_key(&j, "file");
		json_text(&j, file);
		json_key(&j, "line");
		json_number(&j, line);
		if (column) {
			json_key(&j, "column");
			json_number(&j, column);
		}
		if (slice_number(sid, 0, UINT32_MAX, &number) == 0) {
			json_key(&j, "sid");
			json_number(&j, number);
		}
		json_key(&j, "reason");
		json_text(&j, why);
		json_object_end(&j);
	} else {
		writer_printable(&check->out, slice_text(file));
		writer_format(&check->out, ":%u:", line);
		if (column)
			writer_format(&check->out, "%u:", column);
		if (slice_number(sid, 0, UINT32_MAX, &number) == 0)
			writer_format(&check->out, " sid %lld:", (long long)number);
		writer_u8(&check->out, ' ');
		writer_printable(&check->out, slice_text(why));
	}
	writer_u8(&check->out, '\n');
	if (print_out(&check->out) < 0)
		exit(EXIT_TROUBLE);
	writer_clear(&check->out);
}

static void refused(void *context, const char *file, const struct rule_text *text, const char *why)
{
	const struct rule_option *sid = rule_option_named(text, "sid");
	struct check *check = context;

	if (strncmp(why, UNKNOWN, sizeof(UNKNOWN) - 1) == 0)
		count_reason(&check->keywords, why + sizeof(UNKNOWN) - 1);
	else
		count_reason(&check->others, why);
	if (!check->quiet)
		print_refusal(check, file, text->line, text->column,
			      sid ? sid->value : slice_of(NULL, 0), why);
}

static void report_doubles(struct check *check, const struct engine *engine)
{
	size_t count;
	const struct engine_double *doubles = engine_doubles(engine, &count);

	for (size_t i = 0; i < count; i++) {
		const struct rule *kept = doubles[i].kept, *dropped = doubles[i].dropped;
		char why[256], sid[16];

		count_reason(&check->others, "another rule has the same sid");
		(void)snprintf(sid, sizeof(sid), "%u", dropped->sid);
		(void)snprintf(why, sizeof(why), "%s:%u has the same sid%s", kept->file, kept->line,
			       kept->revision > dropped->revision ? " and is newer" : "");
		if (!check->quiet)
			print_refusal(check, dropped->file, dropped->line, 0, slice_text(sid), why);
	}
}

/* --- the summary --- */

static size_t doubles_of(const struct engine *engine, const char *file)
{
	size_t count, found = 0;
	const struct engine_double *doubles = engine_doubles(engine, &count);

	for (size_t i = 0; i < count; i++)
		found += doubles[i].dropped->file == file;
	return found;
}

static double share_of(size_t loaded, size_t read)
{
	return read ? 100.0 * (double)loaded / (double)read : 0;
}

static void print_counts(struct writer *out, size_t read, size_t refused_count, const char *name)
{
	writer_format(out, "%8zu %8zu %8zu %7.2f %%  ", read, read - refused_count, refused_count,
		      share_of(read - refused_count, read));
	writer_printable(out, slice_text(name));
	writer_u8(out, '\n');
}

static void print_reasons(struct writer *out, const char *title, const struct reasons *reasons)
{
	if (reasons->count)
		writer_format(out, "%s\n", title);
	for (size_t i = 0; i < reasons->count && i < REASONS_SHOWN; i++) {
		writer_format(out, "%8zu  ", reasons->items[i].count);
		writer_printable(out, slice_text(reasons->items[i].text));
		writer_u8(out, '\n');
	}
}

static void summarise_text(struct check *check, const struct rule_files *files, int64_t took)
{
	struct engine_counts counts = engine_counts(files->engine);
	struct writer *out = &check->out;

	writer_text(out, "    read   loaded  refused     share  file\n");
	for (size_t i = 0; i < files->count && files->count > 1; i++) {
		const struct rule_file *file = &files->files[i];

		print_counts(out, file->read, file->refused + doubles_of(files->engine, file->path),
			     file->path);
	}
	print_counts(out, counts.read, counts.refused,
		     files->count > 1 ? "all" : files->files[0].path);
	writer_format(out,
		      "%.2f s; %zu rules have no content to be found by; %zu contents in %zu "
		      "databases of %.1f MiB\n",
		      (double)took / 1e6, counts.always, counts.patterns, counts.databases,
		      (double)counts.bytes / 1048576);
	print_reasons(out, "Keywords that are not known:", &check->keywords);
	print_reasons(out, "Other reasons:", &check->others);
}

static void json_reasons(struct json_writer *j, const char *key, const struct reasons *reasons)
{
	json_key(j, key);
	json_object(j);
	for (size_t i = 0; i < reasons->count; i++) {
		json_key(j, reasons->items[i].text);
		json_number(j, (int64_t)reasons->items[i].count);
	}
	json_object_end(j);
}

static void json_counts(struct json_writer *j, size_t read, size_t refused_count)
{
	json_key(j, "read");
	json_number(j, (int64_t)read);
	json_key(j, "loaded");
	json_number(j, (int64_t)(read - refused_count));
	json_key(j, "refused");
	json_number(j, (int64_t)refused_count);
}

static void summarise_json(struct check *check, const struct rule_files *files, int64_t took)
{
	struct engine_counts counts = engine_counts(files->engine);
	struct json_writer j = json_writer_of(&check->out);

	json_object(&j);
	json_key(&j, "summary");
	json_object(&j);
	json_counts(&j, counts.read, counts.refused);
	json_key(&j, "seconds");
	json_real(&j, (double)took / 1e6);
	json_key(&j, "without_content");
	json_number(&j, (int64_t)counts.always);
	json_key(&j, "contents");
	json_number(&j, (int64_t)counts.patterns);
	json_key(&j, "databases");
	json_number(&j, (int64_t)counts.databases);
	json_key(&j, "database_bytes");
	json_number(&j, (int64_t)counts.bytes);
	json_key(&j, "files");
	json_array(&j);
	for (size_t i = 0; i < files->count; i++) {
		const struct rule_file *file = &files->files[i];

		json_object(&j);
		json_key(&j, "file");
		json_text(&j, file->path);
		json_counts(&j, file->read, file->refused + doubles_of(files->engine, file->path));
		json_object_end(&j);
	}
	json_array_end(&j);
	json_reasons(&j, "unknown_keywords", &check->keywords);
	json_reasons(&j, "reasons", &check->others);
	json_object_end(&j);
	json_object_end(&j);
	writer_u8(&check->out, '\n');
}

static int check_rules(const struct invocation *invocation)
{
	struct check *check = calloc(1, sizeof(*check));
	struct rule_files files = {0};
	struct engine_report report = {check, refused};
	int64_t started = clock_monotonic();
	int result = EXIT_GOOD;

	if (!check)
		fatal("out of memory");
	check->out = writer_growing(1024 * 1024);
	check->quiet = option_given(invocation, "quiet");
	check->json = option_given(invocation, "json");
	rule_files_load(&files, invocation, invocation->words + 1, invocation->word_count - 1,
			&report);
	report_doubles(check, files.engine);
	qsort(check->keywords.items, check->keywords.count, sizeof(struct reason), compare_reasons);
	qsort(check->others.items, check->others.count, sizeof(struct reason), compare_reasons);
	if (check->json)
		summarise_json(check, &files, clock_monotonic() - started);
	else
		summarise_text(check, &files, clock_monotonic() - started);
	if (print_out(&check->out) < 0 ||
	    (option_given(invocation, "strict") && engine_counts(files.engine).refused))
		result = EXIT_TROUBLE;
	writer_free(&check->out);
	rule_files_close(&files);
	free(check);
	return result;
}

/* --- list --- */

static void list_as_json(struct writer *out, const struct rule *rule, bool with_text)
{
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
	if (with_text) {
		json_key(&j, "text");
		json_string(&j, rule->text);
	}
	json_object_end(&j);
}

static void list_rule(struct writer *out, const struct rule *rule, bool json, bool with_text)
{
	if (json) {
		list_as_json(out, rule, with_text);
	} else {
		writer_format(out, "%u:%u:%u  %u  ", rule->gid, rule->sid, rule->revision,
			      rule->priority);
		writer_printable(out, slice_text(rule->class_type ? rule->class_type : "-"));
		writer_text(out, "  ");
		writer_printable(out, slice_text(rule->message ? rule->message : ""));
		if (with_text) {
			writer_text(out, "\n  ");
			writer_printable(out, slice_text(rule->file));
			writer_format(out, ":%u\n  ", rule->line);
			writer_printable(out, rule->text);
		}
	}
	writer_u8(out, '\n');
}

static int list_rules(const struct invocation *invocation)
{
	int64_t sid = option_number(invocation, "sid", -1, 1, UINT32_MAX);
	const char *class = option_value(invocation, "class");
	struct writer out = writer_growing(64 * 1024 * 1024);
	struct rule_files files = {0};
	const struct rule *const *rules;
	size_t count;
	int result;

	rule_files_load(&files, invocation, invocation->words + 1, invocation->word_count - 1,
			NULL);
	rules = engine_rules(files.engine, &count);
	for (size_t i = 0; i < count; i++) {
		if (sid >= 0 && rules[i]->sid != sid)
			continue;
		if (class && !(rules[i]->class_type && strcmp(class, rules[i]->class_type) == 0))
			continue;
		list_rule(&out, rules[i], option_given(invocation, "json"), sid >= 0);
	}
	result = print_out(&out);
	writer_free(&out);
	rule_files_close(&files);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

static int rules_run(const struct invocation *invocation)
{
	if (strcmp(invocation->words[0], "check") == 0)
		return check_rules(invocation);
	if (strcmp(invocation->words[0], "list") == 0)
		return list_rules(invocation);
	if (strcmp(invocation->words[0], "disable") == 0)
		return rules_change(invocation, false);
	if (strcmp(invocation->words[0], "enable") == 0)
		return rules_change(invocation, true);
	usage_error(invocation, "check, list, disable or enable, not %s", invocation->words[0]);
}

const struct command command_rules = {
	.name = "rules",
	.summary = "Check, list, disable and enable detection rules",
	.arguments = "check|list FILE... or disable|enable SID...",
	.details =
		"Rules are files in the language of Snort 2.9, Snort 3 or Suricata. `check` loads "
		"them as the sensor would, names each one that is refused with file, line, column, "
		"number and reason, and sums up: how many of each file loaded, which keywords are "
		"not known and how often they came up. `list` prints those that load, in the order "
		"in which they are evaluated: number, priority, class, name. `disable` and "
		"`enable` "
		"write into the file of changes (--changes), which is apart from the rules and so "
		"survives their updates; it also takes Suricata's `threshold` and `suppress` "
		"lines.",
	.options = rules_options,
	.option_count = ARRAY_COUNT(rules_options),
	.words_min = 2,
	.words_max = 257,
	.run = rules_run,
};
