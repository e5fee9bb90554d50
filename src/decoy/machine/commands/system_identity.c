/* Identities: id, groups, whoami, logname, getent. */
#include <stdio.h>

#include "decoy/machine/commands/system.h"

struct identity {
	unsigned uid, gid, groups[64];
	size_t count;
};

static void own_identity(struct process *p, struct identity *id)
{
	id->uid = p->identity.uid;
	id->gid = p->identity.gid;
	id->groups[id->count++] = id->gid;
	for (size_t i = 0; i < p->identity.group_count && id->count < ARRAY_COUNT(id->groups); i++)
		if (p->identity.groups[i] != id->gid)
			id->groups[id->count++] = p->identity.groups[i];
}

/* The groups of an account as /etc/group has them. False: no such account. */
static bool other_identity(struct process *p, const char *name, struct identity *id)
{
	const struct machine_account *account = command_account(p, name);
	struct text groups = {0};
	struct slice rest, line;

	if (!account) {
		unsigned uid, gid;

		if (command_user_id(p, name, &uid, &gid) < 0)
			return false;
		account = command_account(p, command_user_name(p, uid));
		if (!account)
			return false;
	}
	id->uid = account->uid;
	id->gid = account->gid;
	id->groups[id->count++] = id->gid;
	if (process_read_file(p, "/etc/group", 1 << 20, &groups) < 0)
		return true;
	rest = text_slice(&groups);
	while (slice_next(&rest, '\n', &line)) {
		struct slice field, gid, member;
		int64_t number;

		(void)slice_next(&line, ':', &field);
		(void)slice_next(&line, ':', &field);
		(void)slice_next(&line, ':', &gid);
		while (slice_next(&line, ',', &member))
			if (slice_is(member, account->name) &&
			    slice_number(gid, 0, UINT32_MAX, &number) == 0 &&
			    (unsigned)number != id->gid && id->count < ARRAY_COUNT(id->groups))
				id->groups[id->count++] = (unsigned)number;
	}
	process_give(p, groups.data);
	return true;
}

static void put_named(struct process *p, const char *label, unsigned id, const char *name)
{
	int64_t number;

	process_print(p, "%s%u", label, id);
	if (slice_number(slice_text(name), 0, UINT32_MAX, &number)) /* no bare number */
		process_print(p, "(%s)", name);
}

static void put_id(struct process *p, const struct identity *id, int what, bool names,
		   char separator)
{
	if (what == 'u') {
		if (names)
			process_print(p, "%s", command_user_name(p, id->uid));
		else
			process_print(p, "%u", id->uid);
	} else if (what == 'g') {
		if (names)
			process_print(p, "%s", command_group_name(p, id->gid));
		else
			process_print(p, "%u", id->gid);
	} else if (what == 'G') {
		for (size_t i = 0; i < id->count; i++) {
			if (i)
				process_put_byte(p, (uint8_t)separator);
			if (names)
				process_print(p, "%s", command_group_name(p, id->groups[i]));
			else
				process_print(p, "%u", id->groups[i]);
		}
	} else {
		put_named(p, "uid=", id->uid, command_user_name(p, id->uid));
		put_named(p, " gid=", id->gid, command_group_name(p, id->gid));
		for (size_t i = 0; i < id->count; i++)
			put_named(p, i ? "," : " groups=", id->groups[i],
				  command_group_name(p, id->groups[i]));
	}
}

static int run_id(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"context", 'Z'}, {"group", 'g'}, {"groups", 'G'}, {"name", 'n'},
		{"real", 'r'},    {"user", 'u'},  {"zero", 'z'},   TEXT_WORDS};
	static const char usage[] =
		" [OPTION]... [USER]...\nPrint user and group information for each specified "
		"USER,\nor "
		"(when USER omitted) for the current user.\n\n"
		"  -a             ignore, for compatibility with other versions\n"
		"  -Z, --context  print only the security context of the process\n"
		"  -g, --group    print only the effective group ID\n"
		"  -G, --groups   print all group IDs\n"
		"  -n, --name     print a name instead of a number, for -ugG\n"
		"  -r, --real     print the real ID instead of the effective ID, with -ugG\n"
		"  -u, --user     print only the effective user ID\n"
		"  -z, --zero     delimit entries with NUL characters, not whitespace;\n"
		"                   not permitted in default format\n"
		"      --help        display this help and exit\n"
		"      --version     output version information and exit\n\n"
		"Without any OPTION, print some useful set of identified information.\n\n"
		"GNU coreutils online help: <https://www.gnu.org/software/coreutils/>\n"
		"Report any translation bugs to <https://translationproject.org/team/>\n"
		"Full documentation <https://www.gnu.org/software/coreutils/id>\n"
		"or available locally via: info '(coreutils) id invocation'\n";
	struct option_state state = {0};
	bool names = false, real = false, zero = false;
	int option, what = 0, status = 0;

	while ((option = option_next(p, &state, argc, argv, "agnruzGZ", words)) != -1) {
		switch (option) {
		case 'a':
			break;
		case 'n':
			names = true;
			break;
		case 'r':
			real = true;
			break;
		case 'z':
			zero = true;
			break;
		case 'Z':
			process_complain(p,
					 "--context (-Z) works only on an SELinux-enabled kernel");
			return 1;
		case 'u':
		case 'g':
		case 'G':
			if (what && what != option) {
				process_complain(p,
						 "cannot print \"only\" of more than one choice");
				return 1;
			}
			what = option;
			break;
		default:
			text_other_option(p, option, COREUTILS, usage, 1);
		}
	}
	if (!what && (names || real)) {
		process_complain(p, "cannot print only names or real IDs in default format");
		return 1;
	}
	if (!what && zero) {
		process_complain(p, "option --zero not permitted in default format");
		return 1;
	}
	for (int i = state.index; i == state.index || i < argc; i++) {
		struct identity id = {0};

		if (i >= argc) {
			own_identity(p, &id);
		} else if (!other_identity(p, argv[i], &id)) {
			process_complain(p, p->busybox ? "unknown user %s" : "'%s': no such user",
					 argv[i]);
			status = 1;
			continue;
		}
		put_id(p, &id, what, names, zero ? 0 : ' ');
		process_put_byte(p, zero ? 0 : '\n');
	}
	return status;
}

static int run_groups(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int option, status = 0;

	while ((option = option_next(p, &state, argc, argv, "", words)) != -1)
		text_other_option(
			p, option, COREUTILS,
			" [OPTION]... [USERNAME]...\nPrint group memberships for each "
			"USERNAME or, if no USERNAME is specified, for\nthe current process "
			"(which may differ if the groups database has changed).\n",
			1);
	for (int i = state.index; i == state.index || i < argc; i++) {
		struct identity id = {0};

		if (i >= argc) {
			own_identity(p, &id);
		} else if (!other_identity(p, argv[i], &id)) {
			process_complain(p, "'%s': no such user", argv[i]);
			status = 1;
			continue;
		} else {
			process_print(p, "%s : ", argv[i]);
		}
		put_id(p, &id, 'G', true, ' ');
		process_put_byte(p, '\n');
	}
	return status;
}

static int run_whoami(struct process *p, int argc, char **argv)
{
	static const struct option_word words[] = {TEXT_WORDS};
	struct option_state state = {0};
	int option;

	while ((option = option_next(p, &state, argc, argv, "", words)) != -1)
		text_other_option(p, option, COREUTILS,
				  " [OPTION]...\nPrint the user name associated with the current "
				  "effective user ID.\nSame as id -un.\n",
				  1);
	if (state.index < argc) {
		process_complain(p, "extra operand '%s'\nTry '%s --help' for more information.",
				 argv[state.index], argv[0]);
		return 1;
	}
	process_print(p, "%s\n", command_user_name(p, p->identity.effective_uid));
	return 0;
}

static int run_logname(struct process *p, int argc, char **argv)
{
	struct machine_service service;

	(void)argc;
	(void)argv;
	machine_service(p->machine, &service);
	if (service.terminal[0] == '?' || strcmp(service.terminal, "notty") == 0) {
		process_complain(p, "no login name");
		return 1;
	}
	process_print(p, "%s\n", service.user);
	return 0;
}

/* --- getent --- */

static int getent_file(struct process *p, const char *path, char *const *keys, int count)
{
	struct text text = {0};
	struct slice rest, line;
	int status = 0;

	if (process_read_file(p, path, 1 << 20, &text) < 0)
		return 2;
	if (count == 0) {
		process_put(p, text_slice(&text));
		return 0;
	}
	for (int i = 0; i < count; i++) {
		bool found = false;

		rest = text_slice(&text);
		while (!found && slice_next(&rest, '\n', &line)) {
			struct slice fields = line, name, field;

			(void)slice_next(&fields, ':', &name);
			(void)slice_next(&fields, ':', &field);
			(void)slice_next(&fields, ':', &field);
			if (!slice_is(name, keys[i]) && !slice_is(field, keys[i]))
				continue;
			process_put(p, line);
			process_put_byte(p, '\n');
			found = true;
		}
		if (!found)
			status = 2;
	}
	process_give(p, text.data);
	return status;
}

static int getent_hosts(struct process *p, const char *name)
{
	struct text text = {0};
	struct slice rest, line;
	bool six = strcmp(name, "localhost") == 0;

	if (process_read_file(p, "/etc/hosts", 1 << 16, &text) < 0)
		return 2;
	rest = text_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		struct slice address, word, words = line;
		size_t end = 0;

		if (!line.length || line.at[0] == '#')
			continue;
		while (end < line.length && line.at[end] != ' ' && line.at[end] != '\t')
			end++;
		address = slice_first(line, end);
		words = slice_trim(slice_from(line, end));
		for (struct slice at = words; at.length;) {
			end = 0;
			while (end < at.length && at.at[end] != ' ' && at.at[end] != '\t')
				end++;
			word = slice_first(at, end);
			at = slice_trim(slice_from(at, end));
			if (!slice_is(word, name) && !slice_is(address, name))
				continue;
			process_print(p, "%-15.*s ", six ? 3 : (int)address.length,
				      six ? "::1" : (const char *)address.at);
			if (six)
				process_put_text(p, "localhost ip6-localhost ip6-loopback");
			else
				for (size_t i = 0; i < words.length; i++)
					process_put_byte(p,
							 words.at[i] == '\t' ? ' ' : words.at[i]);
			process_put_byte(p, '\n');
			return 0;
		}
	}
	return 2;
}

static int run_getent(struct process *p, int argc, char **argv)
{
	static const char *const files[][2] = {
		{"passwd", "/etc/passwd"},     {"group", "/etc/group"},
		{"shadow", "/etc/shadow"},     {"gshadow", "/etc/gshadow"},
		{"services", "/etc/services"}, {"protocols", "/etc/protocols"},
		{"networks", "/etc/networks"},
	};

	if (argc < 2) {
		process_error(p,
			      "getent: wrong number of arguments\nTry `getent --help' or `getent "
			      "--usage' for more information.\n");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		if (strcmp(argv[1], files[i][0]) == 0)
			return getent_file(p, files[i][1], argv + 2, argc - 2);
	if (strncmp(argv[1], "hosts", 5) == 0 || strncmp(argv[1], "ahosts", 6) == 0)
		return argc > 2 ? getent_hosts(p, argv[2])
				: getent_file(p, "/etc/hosts", argv + 2, 0);
	process_error(p,
		      "Unknown database: %s\nTry `getent --help' or `getent --usage' for more "
		      "information.\n",
		      argv[1]);
	return 1;
}

static const struct command commands[] = {
	{"id", run_id, COMMAND_BOTH, "/usr/bin"},
	{"groups", run_groups, COMMAND_BOTH, "/usr/bin"},
	{"whoami", run_whoami, COMMAND_BOTH, "/usr/bin"},
	{"logname", run_logname, COMMAND_BOTH, "/usr/bin"},
	{"getent", run_getent, COMMAND_DEBIAN, "/usr/bin"},
	{NULL},
};
const struct command_family command_family_system_identity = {"system_identity", commands};
