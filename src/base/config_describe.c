/* Configuration: the reference of a table as Markdown; see config.h. */
#include "base/config_types.h"

/* A cell of a Markdown table: no line breaks, and bars do not end it. */
static void write_cell(struct writer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			writer_text(out, "\\|");
		else
			writer_u8(out, *text == '\n' ? ' ' : (uint8_t)*text);
	}
}

static void describe_directive(const struct directive *d, struct writer *out)
{
	uint8_t room[1024];
	struct writer accepted = writer_fixed(room, sizeof(room) - 1);

	config_types_accepted(d, &accepted);
	room[accepted.length] = 0;
	writer_format(out, "| `%s` | %s | ", d->name, config_types_name(d->type));
	if (d->standard) {
		writer_u8(out, '`');
		write_cell(out, d->standard);
		writer_u8(out, '`');
	} else {
		writer_text(out, d->required ? "required" : "none");
	}
	writer_text(out, " | ");
	write_cell(out, (const char *)room);
	writer_text(out, " | ");
	write_cell(out, d->help ? d->help : "");
	writer_text(out, " |\n");
}

void config_describe(const struct config_section *section, struct writer *out)
{
	if (section->path && section->path[0])
		writer_format(out, "## `%s`\n\n", section->path);
	if (section->help)
		writer_format(out, "%s\n\n", section->help);
	writer_text(out, "| Name | Type | Default | Accepted | Meaning |\n");
	writer_text(out, "|---|---|---|---|---|\n");
	for (size_t i = 0; i < section->count; i++)
		describe_directive(&section->directives[i], out);
	writer_text(out, "\n");
}
