/* sundew docs: the documents that are made from the program's own tables. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/folders.h"
#include "decoy/registry.h"
#include "event/describe.h"

static void configuration(struct writer *out)
{
	writer_text(out, "# Configuration\n\nMade from the program's own tables by `sundew docs`. "
			 "`sundew check` reads a configuration and says what is wrong with it.\n");
	for (size_t i = 0; host_sections[i]; i++)
		config_describe(host_sections[i], out);
	for (size_t i = 0; decoy_sections[i]; i++)
		config_describe(decoy_sections[i], out);
	config_describe(&access_section, out);
	for (size_t i = 0; protocols[i]; i++) {
		if (!protocols[i]->options)
			continue;
		writer_format(out, "\n# Options of the protocol %s\n", protocols[i]->name);
		config_describe(protocols[i]->options, out);
	}
}

static int write_document(const char *folder, const char *name, struct writer *text)
{
	char path[PATH_LENGTH];
	int file, result = 0;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -1;
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0 || text->failed ||
	    write(file, text->at, text->length) != (ssize_t)text->length) {
		log_error("cannot write %s: %m", path);
		result = -1;
	}
	if (file >= 0)
		close(file);
	writer_clear(text);
	return result;
}

static int docs(const struct invocation *invocation)
{
	const char *folder = invocation->words[0];
	struct writer text = writer_growing((size_t)16 << 20);
	char name[128];
	int result = 0;

	describe_events_markdown(&text);
	result |= write_document(folder, "EVENTS.md", &text);
	describe_events_schema(&text);
	result |= write_document(folder, "event.schema.json", &text);
	configuration(&text);
	result |= write_document(folder, "CONFIGURATION.md", &text);
	snprintf(name, sizeof(name), "%.100s/man", folder);
	mkdir(name, 0755);
	commands_man(&text);
	result |= write_document(folder, "man/sundew.1.scd", &text);
	for (size_t i = 0; commands[i]; i++) {
		command_man(commands[i], &text);
		snprintf(name, sizeof(name), "man/sundew-%s.1.scd", commands[i]->name);
		result |= write_document(folder, name, &text);
	}
	writer_free(&text);
	return result < 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

const struct command command_docs = {
	.name = "docs",
	.summary = "Write the documents that are made from tables (for developers)",
	.arguments = "FOLDER",
	.words_min = 1,
	.words_max = 1,
	.run = docs,
};
