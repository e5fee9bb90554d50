/* Reading classification.config; see classes.h. */
#include "capture/rules/classes.h"

static const struct rule_class usual[] = {
	{"attempted-admin", NULL, 1},
	{"attempted-dos", NULL, 2},
	{"attempted-recon", NULL, 2},
	{"attempted-user", NULL, 1},
	{"bad-unknown", NULL, 2},
	{"client-side-exploit", NULL, 1},
	{"coin-mining", NULL, 2},
	{"command-and-control", NULL, 1},
	{"credential-theft", NULL, 1},
	{"default-login-attempt", NULL, 2},
	{"denial-of-service", NULL, 2},
	{"domain-c2", NULL, 1},
	{"exploit-kit", NULL, 1},
	{"external-ip-check", NULL, 2},
	{"file-format", NULL, 1},
	{"icmp-event", NULL, 3},
	{"inappropriate-content", NULL, 1},
	{"malware-cnc", NULL, 1},
	{"misc-activity", NULL, 3},
	{"misc-attack", NULL, 2},
	{"network-scan", NULL, 3},
	{"non-standard-protocol", NULL, 2},
	{"not-suspicious", NULL, 3},
	{"policy-violation", NULL, 1},
	{"protocol-command-decode", NULL, 3},
	{"pup-activity", NULL, 2},
	{"rpc-portmap-decode", NULL, 2},
	{"sdf", NULL, 2},
	{"shellcode-detect", NULL, 1},
	{"social-engineering", NULL, 2},
	{"string-detect", NULL, 3},
	{"successful-admin", NULL, 1},
	{"successful-dos", NULL, 2},
	{"successful-recon-largescale", NULL, 2},
	{"successful-recon-limited", NULL, 2},
	{"successful-user", NULL, 1},
	{"suspicious-filename-detect", NULL, 2},
	{"suspicious-login", NULL, 2},
	{"system-call-detect", NULL, 2},
	{"targeted-activity", NULL, 1},
	{"tcp-connection", NULL, 4},
	{"trojan-activity", NULL, 1},
	{"unknown", NULL, 3},
	{"unsuccessful-user", NULL, 1},
	{"unusual-client-port-connection", NULL, 2},
	{"web-application-activity", NULL, 2},
	{"web-application-attack", NULL, 1},
};

void rule_classes_start(struct rule_classes *classes)
{
	memcpy(classes->items, usual, sizeof(usual));
	classes->count = ARRAY_COUNT(usual);
}

const struct rule_class *rule_class_named(const struct rule_classes *classes, const char *name)
{
	for (size_t i = 0; name && i < classes->count; i++)
		if (strcmp(classes->items[i].name, name) == 0)
			return &classes->items[i];
	return NULL;
}

static const char *read_class(struct rule_classes *classes, struct slice line, struct arena *arena)
{
	struct slice name, title;
	struct rule_class made;
	int64_t priority;
	size_t place = 0;

	(void)slice_next(&line, ',', &name);
	(void)slice_next(&line, ',', &title);
	name = slice_trim(name);
	if (!name.length || slice_number(slice_trim(line), 1, RULE_PRIORITY_MAX, &priority) < 0)
		return "a class is written NAME,TITLE,PRIORITY";
	made.name = arena_text(arena, name);
	made.title = arena_text(arena, slice_trim(title));
	made.priority = (uint8_t)priority;
	if (!made.name || !made.title)
		return "out of memory";
	while (place < classes->count && strcmp(classes->items[place].name, made.name) != 0)
		place++;
	if (place == RULE_CLASSES_MAX)
		return "more classes than there is room for";
	classes->items[place] = made;
	if (place == classes->count)
		classes->count++;
	return NULL;
}

const char *rule_classes_read(struct rule_classes *classes, struct slice text, struct arena *arena,
			      unsigned *line)
{
	static const char start[] = "config classification:";
	struct slice one;

	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3);
	for (*line = 1; slice_next(&text, '\n', &one); ++*line) {
		const char *why;

		one = slice_trim(one);
		if (!one.length || one.at[0] == '#')
			continue;
		if (!slice_starts(one, start))
			return "no \"config classification:\"";
		why = read_class(classes, slice_from(one, sizeof(start) - 1), arena);
		if (why)
			return why;
	}
	return NULL;
}
