/* sed's s command; see text_sed_run.h. */
#include <ctype.h>

#include "decoy/machine/commands/text_sed_run.h"

struct sed_case {
	char lasting, once;
};

static void add_changed(struct sed_run *run, struct text *out, struct slice text,
			struct sed_case *letters)
{
	if (!letters->lasting && !letters->once) {
		text_add(run->process, out, text);
		return;
	}
	for (size_t i = 0; i < text.length; i++) {
		int byte = text.at[i];
		char how = letters->once ? letters->once : letters->lasting;

		if (how == 'u' || how == 'U')
			byte = toupper(byte);
		else if (how == 'l' || how == 'L')
			byte = tolower(byte);
		letters->once = 0;
		text_add_byte(run->process, out, (uint8_t)byte);
	}
}

static void add_replacement(struct sed_run *run, const struct sed_command *command,
			    struct text *out, const struct regex_span *spans)
{
	struct sed_case letters = {0, 0};

	for (size_t i = 0; i < command->part_count; i++) {
		const struct sed_part *part = &command->parts[i];

		if (part->change == 'l' || part->change == 'u')
			letters.once = part->change;
		else if (part->change) {
			letters.lasting = part->change == 'E' ? 0 : part->change;
			letters.once = 0;
		}
		add_changed(run, out, part->text, &letters);
		if (part->group >= 0 && spans[part->group].start != SIZE_MAX)
			add_changed(run, out,
				    slice_of(run->space.data + spans[part->group].start,
					     spans[part->group].end - spans[part->group].start),
				    &letters);
	}
}

static bool replace(struct sed_run *run, const struct sed_command *command)
{
	struct regex_span spans[REGEX_SPANS];
	struct text out = {0};
	size_t start = 0, copied = 0, previous = SIZE_MAX;
	uint64_t count = 0;
	bool replaced = false;

	text_add_words(run->process, &run->space, "");
	while (start <= run->space.length && sed_matches(run, command->regex, start, spans)) {
		size_t from = spans[0].start, end = spans[0].end;

		process_step(run->process);
		if (from == end && from == previous) { /* nothing, right behind a match */
			start++;
			continue;
		}
		previous = end;
		count++;
		if (count >= command->which) {
			text_add(run->process, &out,
				 slice_of(run->space.data + copied, from - copied));
			add_replacement(run, command, &out, spans);
			copied = end;
			replaced = true;
			if (!command->global || out.length > SED_SPACE_MAX)
				break;
		}
		start = end > from ? end : end + 1;
	}
	if (!replaced)
		return false;
	text_add(run->process, &out,
		 slice_of(run->space.data + copied, run->space.length - copied));
	process_give(run->process, run->space.data);
	run->space = out;
	return true;
}

void sed_substitute(struct sed_run *run, struct sed_command *command)
{
	if (!replace(run, command))
		return;
	run->replaced = true;
	if (command->evaluate) {
		struct text out = {0};

		text_add_words(run->process, &out, "");
		text_add_byte(run->process, &run->space, 0);
		text_capture(run->process, run->space.data, &out);
		if (out.length > 0 && out.data[out.length - 1] == '\n')
			out.length--;
		process_give(run->process, run->space.data);
		run->space = out;
	}
	if (command->print)
		sed_put_line(run, run->out, text_slice(&run->space), run->newline);
	if (command->file)
		sed_put_line(run, command->file, text_slice(&run->space), run->newline);
}
