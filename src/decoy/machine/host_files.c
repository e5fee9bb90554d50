/* Files that the story writes: account files, and the templates of share/machines/debian/.
 *
 * The manifest there has a line a file: path, mode, owner:group, time, template, and perhaps a
 * condition (a persona key, "key=value", "plain": without an image, or one with ! before it). Time:
 * "installed" and "booted" of the fake host, or "12d": so many days before the story was told, all
 * varied by some hours. In a path and in a template ${persona.KEY} and ${host.NAME} stand for what
 * they say. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "decoy/machine/host_state.h"

#define TEMPLATE_MAX   ((size_t)128 * 1024)
#define CRYPT_ALPHABET "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void crypt_letters(const struct host *host, const char *label, char *text, size_t length)
{
	uint8_t bytes[64];

	persona_derive(host->persona, label, bytes, sizeof(bytes));
	for (size_t i = 0; i < length && i < sizeof(bytes); i++)
		text[i] = CRYPT_ALPHABET[bytes[i] & 63];
	text[length] = 0;
}

/* --- accounts --- */

static int64_t hours_before(const struct host *host, const char *label, int64_t days)
{
	return host->made - days * DAY - host_number(host, label, 0, 20 * 3600) * SECOND;
}

static void make_passwd(struct host *host)
{
	struct writer w = writer_growing(TEMPLATE_MAX);

	for (size_t i = 0; i < host->account_count; i++) {
		const struct machine_account *a = &host->accounts[i];

		writer_format(&w, "%s:x:%u:%u:%s:%s:%s\n", a->name, a->uid, a->gid, a->gecos,
			      a->home, a->shell);
	}
	host_add_file(host, "/etc/passwd", 0644, 0, 0, host->os_installed + 11 * DAY,
		      writer_slice(&w));
	host_add_file(host, "/etc/passwd-", 0644, 0, 0, host->os_installed + 11 * DAY - HOUR,
		      writer_slice(&w));
	writer_free(&w);
}

static void make_shadow(struct host *host)
{
	struct writer w = writer_growing(TEMPLATE_MAX);
	int64_t day = host->os_installed / DAY;

	for (size_t i = 0; i < host->account_count; i++) {
		const struct machine_account *a = &host->accounts[i];
		bool person = a->uid == 0 || (a->uid >= 1000 && a->uid < 60000);
		char label[96], salt[23], hash[44];

		(void)snprintf(label, sizeof(label), "machine/shadow/salt/%.40s", a->name);
		crypt_letters(host, label, salt, 22);
		/* The last letter of 16 bytes carries two bits. */
		salt[21] = CRYPT_ALPHABET[(unsigned char)salt[21] & 3];
		(void)snprintf(label, sizeof(label), "machine/shadow/hash/%.40s", a->name);
		crypt_letters(host, label, hash, 43);
		hash[42] = CRYPT_ALPHABET[(unsigned char)hash[42] & 15];
		if (person)
			writer_format(&w, "%s:$y$j9T$%s$%s:%lld:0:99999:7:::\n", a->name, salt,
				      hash, (long long)(day + (a->uid ? (int64_t)a->uid % 7 : 0)));
		else if (a->uid >= 100 && a->uid < 1000)
			writer_format(&w, "%s:!:%lld::::::\n", a->name, (long long)day);
		else
			writer_format(&w, "%s:*:%lld:0:99999:7:::\n", a->name, (long long)day);
	}
	host_add_file(host, "/etc/shadow", 0640, 0, 42, host->os_installed + 11 * DAY,
		      writer_slice(&w));
	writer_free(&w);
}

static void make_groups(struct host *host)
{
	struct writer w = writer_growing(TEMPLATE_MAX);

	for (size_t i = 0; i < host->group_count; i++)
		writer_format(&w, "%s:x:%u:%s\n", host->groups[i].name, host->groups[i].gid,
			      host->groups[i].members);
	host_add_file(host, "/etc/group", 0644, 0, 0, host->os_installed + 11 * DAY,
		      writer_slice(&w));
	writer_clear(&w);
	for (size_t i = 0; i < host->group_count; i++) {
		unsigned gid = host->groups[i].gid;

		writer_format(&w, "%s:%s::%s\n", host->groups[i].name,
			      gid >= 100 && gid != 65534 ? "!" : "*", host->groups[i].members);
	}
	host_add_file(host, "/etc/gshadow", 0640, 0, 42, host->os_installed + 11 * DAY,
		      writer_slice(&w));
	writer_free(&w);
}

/* --- templates --- */

static void put_time(struct writer *w, int64_t time)
{
	struct civil_time c = clock_civil(time);

	writer_format(w, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static void put_address(struct writer *w, struct address address)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(&address, text);
	writer_text(w, text);
}

/* The boot's id as systemd has it in names. */
static const char *boot_word(struct host *host)
{
	char dashed[37], word[33];
	size_t length = 0;

	host_boot_id(host, host->made, dashed);
	for (const char *at = dashed; *at && length < sizeof(word) - 1; at++)
		if (*at != '-')
			word[length++] = *at;
	word[length] = 0;
	return host_format(host, "%s", word);
}

/* ${host.NAME}; false: there is none. */
static bool put_fact(struct host *host, struct writer *w, struct slice name)
{
	const struct host_interface *eth = &host->interfaces[1];
	const struct {
		const char *name, *text;
	} texts[] = {
		{"name", host->names.node},
		{"domain", host->names.domain},
		{"kernel", host->names.release},
		{"kernel_build", host->names.version},
		{"interface", eth->name},
		{"machine_id", host->machine_id},
		{"boot_word", boot_word(host)},
		{"disk", host->disk.name},
		{"root_uuid", host->disk.root_uuid},
		{"swap_uuid", host->disk.swap_uuid},
		{"admin", host->person_count ? host->people[0].user : "admin"},
		{"admin_given", host->person_count ? host->people[0].given : "Admin"},
		{"second", host->person_count > 1 ? host->people[1].user : "operator"},
		{"second_given", host->person_count > 1 ? host->people[1].given : "Operator"},
		{"third", host->person_count > 2 ? host->people[2].user : "operator"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (slice_is(name, texts[i].name)) {
			writer_text(w, texts[i].text);
			return true;
		}
	if (slice_is(name, "address"))
		put_address(w, eth->address);
	else if (slice_is(name, "network"))
		put_address(w, address_network(&eth->address, eth->prefix));
	else if (slice_is(name, "gateway"))
		put_address(w, host->gateway);
	else if (slice_is(name, "name_server"))
		put_address(w, host->name_server);
	else if (slice_is(name, "workstation"))
		put_address(w, host->people[0].workstation);
	else if (slice_is(name, "neighbour")) {
		struct address other = eth->address;

		other.bytes[3] = (uint8_t)host_number(host, "neighbour", 10, 99);
		put_address(w, other);
	} else if (slice_is(name, "kernel_package") || slice_is(name, "kernel_source")) {
		/* "#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 (2025-03-06)" */
		const char *at = strstr(host->names.version, "Debian ");

		at = at ? at + strlen("Debian ") : host->names.release;
		for (size_t i = 0; at[i] && at[i] != ' '; i++)
			writer_u8(w, (uint8_t)(slice_is(name, "kernel_source") && at[i] == '-'
						       ? '+'
						       : at[i]));
	} else if (slice_starts(name, "pid.")) {
		const char *program =
			host_format(host, "%.*s", (int)name.length - 4, (const char *)name.at + 4);

		writer_format(w, "%u", host_process_id(host, program, host->made));
	} else if (slice_is(name, "installed_date"))
		put_time(w, host->os_installed);
	else if (slice_is(name, "recent_date"))
		put_time(w, host->made - host_number(host, "recent", 4, 30) * DAY);
	else
		return false;
	return true;
}

/* "${base64.64}", "${hex.32}", "${letters.6}": of the installation, the file and the place. */
static bool put_random(struct host *host, struct writer *w, struct slice name, const char *path)
{
	char label[160];
	uint8_t bytes[256];
	int64_t count;
	bool base64 = slice_starts(name, "base64."), letters = slice_starts(name, "letters.");

	if (!base64 && !letters && !slice_starts(name, "hex."))
		return false;
	if (slice_number(slice_from(name, letters ? 8 : base64 ? 7 : 4), 1, 256, &count))
		return false;
	(void)snprintf(label, sizeof(label), "machine/file/%.100s/%zu", path, w->length);
	persona_derive(host->persona, label, bytes, sizeof(bytes));
	if (letters)
		for (int64_t i = 0; i < count; i++) /* without the dot and the slash */
			writer_u8(w, (uint8_t)CRYPT_ALPHABET[2 + bytes[i] % 62]);
	else if (base64)
		writer_base64(w, slice_of(bytes, (size_t)count));
	else
		writer_hex(w, slice_of(bytes, (size_t)count / 2));
	return true;
}

static void put_template(struct host *host, struct writer *w, struct slice text, const char *path)
{
	while (text.length) {
		size_t start = slice_find(text, SLICE("${")), end;
		struct slice name;
		char key[128];

		if (start == SIZE_MAX) {
			writer_bytes(w, text);
			return;
		}
		writer_bytes(w, slice_first(text, start));
		text = slice_from(text, start);
		end = slice_find_byte(text, '}');
		name = end == SIZE_MAX ? text : slice_first(slice_from(text, 2), end - 2);
		if (end != SIZE_MAX && slice_starts(name, "host.") &&
		    put_fact(host, w, slice_from(name, 5))) {
			text = slice_from(text, end + 1);
			continue;
		}
		if (end != SIZE_MAX && put_random(host, w, name, path)) {
			text = slice_from(text, end + 1);
			continue;
		}
		if (end != SIZE_MAX && slice_starts(name, "persona.") && name.length < 120) {
			(void)snprintf(key, sizeof(key), "%.*s", (int)name.length - 8,
				       (const char *)name.at + 8);
			writer_text(w, persona_text(host->persona, key, ""));
			text = slice_from(text, end + 1);
			continue;
		}
		writer_bytes(w, slice_first(text, 2));
		text = slice_from(text, 2);
	}
}

static char *read_whole(const char *folder, const char *name, size_t *length)
{
	char path[4096];
	FILE *file;
	char *text;

	if ((size_t)snprintf(path, sizeof(path), "%s/machines/%s", folder, name) >= sizeof(path))
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return NULL;
	text = calloc(1, TEMPLATE_MAX + 1);
	*length = text ? fread(text, 1, TEMPLATE_MAX, file) : 0;
	(void)fclose(file);
	return text;
}

static unsigned id_of(const struct host *host, struct slice name, bool group)
{
	int64_t number;

	if (slice_number(name, 0, 65535, &number) == 0)
		return (unsigned)number;
	for (size_t i = 0; !group && i < host->account_count; i++)
		if (slice_is(name, host->accounts[i].name))
			return host->accounts[i].uid;
	for (size_t i = 0; group && i < host->group_count; i++)
		if (slice_is(name, host->groups[i].name))
			return host->groups[i].gid;
	return 0;
}

static int64_t time_of(const struct host *host, struct slice word, const char *path)
{
	int64_t length;

	if (slice_is(word, "booted"))
		return host_boot_time(host, host->made) + 4 * SECOND;
	if (slice_is(word, "installed") || clock_parse_duration(word, &length))
		return host->os_installed + host_number(host, path, 0, 1500) * SECOND;
	return hours_before(host, path, length / DAY);
}

static bool holds(const struct host *host, struct slice condition)
{
	char text[128];
	char *equals;
	const char *value;
	bool negative = slice_starts(condition, "!"), yes;

	condition = slice_from(condition, negative ? 1 : 0);
	if (!condition.length || condition.length >= sizeof(text))
		return true;
	memcpy(text, condition.at, condition.length);
	text[condition.length] = 0;
	equals = strchr(text, '=');
	if (equals)
		*equals++ = 0;
	if (strcmp(text, "third") == 0)
		yes = host->person_count > 2;
	else if (strcmp(text, "plain") == 0)
		yes = host->plain;
	else {
		value = persona_text(host->persona, text, NULL);
		yes = value && (!equals || strcmp(value, equals) == 0);
	}
	return yes != negative;
}

static void make_templated(struct host *host, const char *folder, struct slice line)
{
	struct slice words[6] = {0};
	char name[256], modes[16];
	struct writer path = writer_growing(4096), contents = writer_growing(TEMPLATE_MAX);
	struct slice owner, rest;
	size_t count = 0, length = 0;
	char *text = NULL;
	const char *kept;
	bool added = false;

	while (count < ARRAY_COUNT(words) && (line = slice_trim(line)).length) {
		size_t end = 0;

		while (end < line.length && line.at[end] != ' ' && line.at[end] != '\t')
			end++;
		words[count++] = slice_first(line, end);
		line = slice_from(line, end);
	}
	if (count < 5 || (count == 6 && !holds(host, words[5])))
		goto done;
	put_template(host, &path, words[0], "path");
	writer_u8(&path, 0);
	kept = host_format(host, "%s", path.failed ? "" : (const char *)path.at);
	rest = words[2];
	(void)slice_next(&rest, ':', &owner);
	for (struct slice *w = &owner; w; w = w == &owner ? &rest : NULL) {
		struct writer id = writer_growing(256);

		put_template(host, &id, *w, "owner");
		*w = arena_copy(&host->arena, writer_slice(&id));
		writer_free(&id);
	}
	(void)snprintf(modes, sizeof(modes), "%.*s", (int)words[1].length, words[1].at);
	if (slice_is(words[4], "/")) {
		(void)snprintf(modes, sizeof(modes), "%o",
			       S_IFDIR | (unsigned)strtoul(modes, NULL, 8));
	} else if (slice_is(words[4], "-")) {
		/* An empty file. */
	} else if (slice_starts(words[4], "->")) {
		if (host->file_count < HOST_FILES_MAX)
			host->files[host->file_count++] = (struct host_file){
				.path = kept,
				.mode = 0777,
				.modified = time_of(host, words[3], kept),
				.target = host_format(host, "%.*s", (int)words[4].length - 2,
						      (const char *)words[4].at + 2)};
		goto done;
	} else {
		added = slice_starts(words[4], "+");
		words[4] = slice_from(words[4], added ? 1 : 0);
		(void)snprintf(name, sizeof(name), "%s/%.*s", folder, (int)words[4].length,
			       (const char *)words[4].at);
		text = read_whole(host->share_folder, name, &length);
		if (!text)
			goto done;
		put_template(host, &contents, slice_of(text, length), kept);
	}
	count = host->file_count;
	host_add_file(host, kept, (unsigned)strtoul(modes, NULL, 8), id_of(host, owner, false),
		      id_of(host, rest, true), time_of(host, words[3], kept),
		      writer_slice(&contents));
	if (host->file_count > count)
		host->files[count].added = added;
done:
	free(text);
	writer_free(&path);
	writer_free(&contents);
}

void host_make_files(struct host *host)
{
	const char *folder = host->kind == HOST_ROUTER ? "router" : "debian";
	char name[64];
	size_t length;
	char *manifest;

	make_passwd(host);
	if (host->kind == HOST_DEBIAN)
		make_shadow(host);
	make_groups(host);
	host_add_file(host, "/etc/hostname", 0644, 0, 0, host->os_installed,
		      slice_text(host_format(host, "%s\n", host->names.node)));
	host_add_file(host, "/etc/hosts", 0644, 0, 0, host->os_installed + 300 * SECOND,
		      slice_text(host_format(
			      host,
			      "127.0.0.1\tlocalhost\n127.0.1.1\t%s.%s\t%s\n\n"
			      "# The following lines are desirable for IPv6 capable hosts\n"
			      "::1     localhost ip6-localhost ip6-loopback\n"
			      "ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n",
			      host->names.node, host->names.domain, host->names.node)));
	if (host->kind == HOST_DEBIAN) {
		host_add_file(host, "/etc/machine-id", 0444, 0, 0, host->os_installed,
			      slice_text(host_format(host, "%s\n", host->machine_id)));
		host_make_logs(host);
	}
	if (!host->share_folder)
		return;
	(void)snprintf(name, sizeof(name), "%s/manifest", folder);
	manifest = read_whole(host->share_folder, name, &length);
	if (manifest) {
		struct slice rest = slice_of(manifest, length), line;

		while (slice_next(&rest, '\n', &line))
			if (line.length && line.at[0] != '#')
				make_templated(host, folder, line);
	}
	free(manifest);
}
