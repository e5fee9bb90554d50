/* See rules_change.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/rules/changes.h"
#include "cli/rule_files.h"
#include "cli/rules_change.h"

#define CHANGES_BYTES ((size_t)16 * 1024 * 1024)

/* True when the line switches one of the rules that are named. */
static bool is_replaced(struct slice line, const struct invocation *invocation)
{
	struct slice number;

	line = slice_trim(line);
	if (slice_starts(line, "disable "))
		number = slice_from(line, strlen("disable "));
	else if (slice_starts(line, "enable "))
		number = slice_from(line, strlen("enable "));
	else
		return false;
	number = slice_trim(slice_first(number, slice_find_byte(number, '#')));
	for (size_t i = 1; i < invocation->word_count; i++) {
		if (slice_is(number, invocation->words[i]))
			return true;
	}
	return false;
}

static void check_changes(struct slice text, const char *path)
{
	char why[RULE_CHANGES_WHY];
	unsigned line;
	struct rule_changes *changes = rule_changes_read(text, &line, why);

	if (!changes)
		fatal("%s:%u: %s; nothing was changed", path, line, why);
	rule_changes_free(changes);
}

static int replace(const char *path, const struct writer *text)
{
	char fresh[4096];
	int file;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return -1;
	file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0)
		return -1;
	if (write(file, text->at, text->length) != (ssize_t)text->length || fsync(file) < 0 ||
	    rename(fresh, path) < 0) {
		int problem = errno;

		close(file);
		unlink(fresh);
		errno = problem;
		return -1;
	}
	close(file);
	return 0;
}

int rules_change(const struct invocation *invocation, bool enable)
{
	const char *path = option_value(invocation, "changes");
	struct writer text = writer_growing(CHANGES_BYTES);
	struct slice rest, line;
	size_t length;
	char *before;

	if (!path)
		usage_error(invocation, "in which file? --changes FILE, which `rules-changes:` "
					"below `capture:` names");
	before = rule_files_read(path, &length);
	if (!before && errno != ENOENT)
		fatal("cannot read %s: %m", path);
	rest = slice_of(before, before ? length : 0);
	while (slice_next(&rest, '\n', &line)) {
		if (is_replaced(line, invocation) || (!line.length && !rest.length))
			continue;
		writer_bytes(&text, line);
		writer_u8(&text, '\n');
	}
	for (size_t i = 1; i < invocation->word_count; i++)
		writer_format(&text, "%s %s\n", enable ? "enable" : "disable",
			      invocation->words[i]);
	if (text.failed)
		fatal("%s is too large", path);
	check_changes(writer_slice(&text), path);
	if (replace(path, &text) < 0)
		fatal("cannot write %s: %m; nothing was changed", path);
	printf("%s: %zu rules %s; the sensor reads it on reload (SIGHUP)\n", path,
	       invocation->word_count - 1, enable ? "enabled" : "disabled");
	writer_free(&text);
	free(before);
	return EXIT_GOOD;
}
