/* ssh, ssh-keygen, ssh-keyscan, and ftp as a client: OpenSSH 9.2p1 and tnftp of Debian 12. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "decoy/machine/command.h"
#include "decoy/machine/commands/accounts.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/packages.h"
#include "decoy/machine/host.h"
#include "decoy/persona.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)
#define BLOB_MAX     1024

/* --- fingerprints --- */

static void add_base64(struct process *p, struct text *out, struct slice bytes, bool padded)
{
	struct writer w = writer_growing(BLOB_MAX * 4);
	writer_base64(&w, bytes);
	struct slice words = writer_slice(&w);
	while (!padded && words.length && words.at[words.length - 1] == '=')
		words.length--;
	text_add(p, out, words);
	writer_free(&w);
}

static size_t decode_base64(struct slice from, uint8_t *out, size_t room)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, value = 0;
	size_t length = 0;
	for (size_t i = 0; i < from.length && from.at[i] != '=' && length < room; i++) {
		const char *found = memchr(alphabet, from.at[i], 64);
		if (!found)
			break;
		value = value << 6 | (unsigned)(found - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[length++] = (uint8_t)(value >> bits);
		}
	}
	return length;
}

static char *fingerprint(struct process *p, struct slice blob)
{
	uint8_t digest[SHA256_LENGTH];
	struct text out = {0};
	hash_sha256_once(blob, digest);
	text_add_words(p, &out, "SHA256:");
	add_base64(p, &out, slice_of(digest, sizeof(digest)), false);
	return out.data;
}

/* The drunken bishop (Loss, Limmer, von Gernler 2009) over 17 by 9 squares. */
static void print_randomart(struct process *p, struct slice blob, const char *title)
{
	static const char marks[] = " .o+=*BOX@%&#/^SE";
	uint8_t digest[SHA256_LENGTH], field[17][9] = {{0}};
	int x = 8, y = 4;
	hash_sha256_once(blob, digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		unsigned moves = digest[i];
		for (unsigned j = 0; j < 4; j++, moves >>= 2) {
			x += moves & 1 ? 1 : -1;
			y += moves & 2 ? 1 : -1;
			x = x < 0 ? 0 : x > 16 ? 16 : x;
			y = y < 0 ? 0 : y > 8 ? 8 : y;
			if (field[x][y] < 14)
				field[x][y]++;
		}
	}
	field[8][4] = 15;
	field[x][y] = 16;
	int length = (int)strlen(title) + 2, left = (17 - length) / 2;
	process_print(p, "+%.*s[%s]%.*s+\n", left, "-----------------", title, 17 - length - left,
		      "-----------------");
	for (int row = 0; row < 9; row++) {
		process_put_byte(p, '|');
		for (int column = 0; column < 17; column++)
			process_put_byte(p, (uint8_t)marks[field[column][row]]);
		process_put_text(p, "|\n");
	}
	process_put_text(p, "+----[SHA256]-----+\n");
}

/* --- ssh --- */

static const char *ssh_version(struct process *p)
{
	const char *version = packages_version(p, "openssh-client", "1:9.2p1-2+deb12u10");
	const char *colon = strchr(version, ':');
	version = colon ? colon + 1 : version;
	size_t upstream = strcspn(version, "-");
	return process_format(p, "OpenSSH_%.*s Debian%s, %s", (int)upstream, version,
			      version + upstream, packages_openssl(p));
}

/* The host's own daemon asks for passwords like any other. */
static int ssh_to_self(struct process *p, const char *user, const char *name, const char *address)
{
	struct text file = {0}, known = {0};
	struct slice rest, word, key = {0};
	uint8_t blob[BLOB_MAX];
	(void)process_read_file(p, "/etc/ssh/ssh_host_ed25519_key.pub", KEY_FILE_MAX, &file);
	rest = text_slice(&file);
	if (slice_next(&rest, ' ', &word) && slice_next(&rest, ' ', &word))
		key = word;
	size_t length = decode_base64(key, blob, sizeof(blob));
	const char *home = process_environment(p, "HOME");
	char *path = process_format(p, "%s/.ssh/known_hosts", home ? home : "/root");
	(void)process_read_file(p, path, KEY_FILE_MAX, &known);
	if (slice_find(text_slice(&known), slice_text(name)) == SIZE_MAX) {
		if (!process_is_terminal(p, 0)) {
			process_error(p, "Host key verification failed.\r\n");
			return 255;
		}
		process_error(
			p,
			"The authenticity of host '%s (%s)' can't be established.\r\nED25519 key "
			"fingerprint is %s.\r\nThis key is not known by any other names.\r\n",
			name, address, fingerprint(p, slice_of(blob, length)));
		const char *ask = "Are you sure you want to continue connecting "
				  "(yes/no/[fingerprint])? ";
		for (;;) {
			char *answer = accounts_ask(p, ask, true);
			if (!answer || strcmp(answer, "no") == 0) {
				process_error(p, "Host key verification failed.\r\n");
				return 255;
			}
			if (strcmp(answer, "yes") == 0)
				break;
			ask = "Please type 'yes', 'no' or the fingerprint: ";
			process_step(p);
		}
		process_error(p,
			      "Warning: Permanently added '%s' (ED25519) to the list of known "
			      "hosts.\r\n",
			      name);
		(void)process_make_folder(p, process_format(p, "%s/.ssh", home ? home : "/root"),
					  0700);
		int to = process_open(p, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (to >= 0) {
			char *line = process_format(p, "%s ssh-ed25519 %.*s\n", name,
						    (int)key.length, (const char *)key.at);
			(void)process_write(p, to, slice_text(line));
			process_close(p, to);
		}
	}
	for (int i = 0; i < 3; i++) {
		char *prompt = process_format(p, "%s@%s's password: ", user, name);
		if (!process_is_terminal(p, 0) || !accounts_ask(p, prompt, false))
			break;
		process_sleep(p, 2 * SECOND + (int64_t)process_random_number(p, SECOND));
		if (i < 2)
			process_error(p, "Permission denied, please try again.\r\n");
	}
	process_error(p, "%s@%s: Permission denied (publickey,password).\r\n", user, name);
	return 255;
}

static int ssh_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct outside_place place;
	const char *port = NULL, *user = NULL;
	int64_t limit = -1;
	for (int option;
	     (option = outside_option(process, &state, argc, argv,
				      "1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:"
				      "PQ:R:S:TVw:W:XYy")) != -1;) {
		if (option == 'V') {
			process_error(process, "%s\r\n", ssh_version(process));
			return 0;
		}
		if (option == 'p')
			port = state.argument;
		if (option == 'l')
			user = state.argument;
		if (option == 'o' && strncasecmp(state.argument, "port", 4) == 0)
			port = state.argument + 4 + strspn(state.argument + 4, "= ");
		if (option == 'o' && strncasecmp(state.argument, "connecttimeout", 14) == 0) {
			const char *value = state.argument + 14 + strspn(state.argument + 14, "= ");
			int64_t seconds;

			if (slice_number(slice_text(value), 1, 86400, &seconds) == 0)
				limit = seconds * SECOND;
		}
		if (option == '?') {
			process_error(process, "%s", outside_usage("ssh"));
			return 255;
		}
	}
	if (state.index >= argc) {
		process_error(process, "%s", outside_usage("ssh"));
		return 255;
	}
	const char *target = argv[state.index], *at = strrchr(target, '@');
	if (strncmp(target, "ssh://", 6) == 0)
		target += 6;
	const char *name = at ? at + 1 : target;
	if (at)
		user = process_copy_slice(process, slice_of(target, (size_t)(at - target)));
	if (!user)
		user = command_user_name(process, process->identity.uid);
	if (state.index + 1 >= argc && !process_is_terminal(process, 0))
		process_error(process,
			      "Pseudo-terminal will not be allocated because stdin is not a "
			      "terminal.\r\n");
	unsigned number = port ? (unsigned)strtoul(port, NULL, 10) & 0xffff : 22;
	if (outside_resolve_now(process, name, &place) == OUTSIDE_FOUND &&
	    outside_connect_now(process, &place.address, number, false) == 0)
		return ssh_to_self(process, user, name, place.text);
	outside_ssh(process, target, port,
		    process_format(process, "ssh://%s@%s:%u", user, name, number), limit);
	return 255;
}

static int sftp_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	const char *port = NULL;
	for (int option;
	     (option = outside_option(process, &state, argc, argv,
				      "1246AafhNpqrvCc:D:i:l:o:s:S:b:B:F:J:P:R:X:")) != -1;) {
		if (option == 'P')
			port = state.argument;
		if (option == '?' || option == 'h') {
			process_error(process, "%s", outside_usage("sftp"));
			return 1;
		}
	}
	if (state.index >= argc) {
		process_error(process, "%s", outside_usage("sftp"));
		return 1;
	}
	const char *target = argv[state.index], *at = strchr(target, '@');
	size_t length = (size_t)(at ? at - target : 0);
	length += strcspn(target + length, ":");
	char *place = process_copy_slice(process, slice_of(target, length));
	outside_ssh(process, place, port, process_format(process, "sftp://%s", target), -1);
	process_error(process, "\rConnection closed.  \nConnection closed\r\n");
	return 255;
}

/* --- ssh-keygen --- */

static void add_u32(struct process *p, struct text *out, size_t number)
{
	const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number};
	text_add(p, out, slice_of(bytes, 4));
}

static void add_string(struct process *p, struct text *out, struct slice bytes)
{
	add_u32(p, out, bytes.length);
	text_add(p, out, bytes);
}

static void add_random(struct process *p, struct text *out, size_t length, uint8_t first)
{
	uint8_t bytes[BLOB_MAX];
	if (length > sizeof(bytes))
		length = sizeof(bytes);
	process_random(p, bytes, length);
	if (first)
		bytes[0] = first;
	bytes[length - 1] |= 1;
	add_string(p, out, slice_of(bytes, length));
}

struct key_kind {
	const char *option, *name, *title, *file;
	unsigned bits;
};

static const struct key_kind kinds[] = {
	{"rsa", "ssh-rsa", "RSA", "id_rsa", 3072},
	{"ed25519", "ssh-ed25519", "ED25519", "id_ed25519", 256},
	{"ecdsa", "ecdsa-sha2-nistp256", "ECDSA", "id_ecdsa", 256},
	{"dsa", "ssh-dss", "DSA", "id_dsa", 1024},
};

/* A public key that nobody has the other half of. */
static void make_blob(struct process *p, const struct key_kind *kind, unsigned bits,
		      struct text *out)
{
	add_string(p, out, slice_text(kind->name));
	if (kind->option[0] == 'r') {
		const uint8_t exponent[3] = {1, 0, 1};
		uint8_t modulus[BLOB_MAX];
		size_t length = bits / 8 + 1 < sizeof(modulus) ? bits / 8 + 1 : sizeof(modulus);
		process_random(p, modulus, length);
		modulus[0] = 0;
		modulus[1] |= 0x80;
		modulus[length - 1] |= 1;
		add_string(p, out, slice_of(exponent, 3));
		add_string(p, out, slice_of(modulus, length));
	} else if (kind->option[1] == 'd') {
		add_random(p, out, 32, 0);
	} else if (kind->option[0] == 'e') {
		add_string(p, out, SLICE("nistp256"));
		add_random(p, out, 65, 4);
	} else {
		for (int i = 0; i < 4; i++)
			add_random(p, out, i == 1 ? 20 : 128, 0x7f);
	}
}

static bool write_key(struct process *p, const char *path, struct slice text, unsigned mode)
{
	(void)process_unlink(p, path);
	int file = process_open(p, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (file < 0) {
		process_error(p, "Saving key \"%s\" failed: %s\r\n", path, strerror(-file));
		return false;
	}
	(void)process_write(p, file, text);
	process_close(p, file);
	return true;
}

static bool save_pair(struct process *p, const struct key_kind *kind, const struct text *blob,
		      const char *path, const char *comment, bool locked)
{
	struct text inner = {0}, words = {0}, file = {0};
	text_add(p, &inner, slice_of("openssh-key-v1", 15));
	add_string(p, &inner, slice_text(locked ? "aes256-ctr" : "none"));
	add_string(p, &inner, slice_text(locked ? "bcrypt" : "none"));
	if (locked) {
		struct text options = {0};
		add_random(p, &options, 16, 0);
		add_u32(p, &options, 16);
		add_string(p, &inner, text_slice(&options));
	} else {
		add_string(p, &inner, SLICE(""));
	}
	add_u32(p, &inner, 1);
	add_string(p, &inner, text_slice(blob));
	add_random(p, &inner, kind->option[0] == 'r' ? 1000 : 144, 0);
	add_base64(p, &words, text_slice(&inner), true);
	text_add_words(p, &file, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < words.length; i += 70)
		text_format(p, &file, "%.*s\n",
			    words.length - i < 70 ? (int)(words.length - i) : 70, words.data + i);
	text_add_words(p, &file, "-----END OPENSSH PRIVATE KEY-----\n");
	if (!write_key(p, path, text_slice(&file), 0600))
		return false;
	text_clear(&file);
	text_format(p, &file, "%s ", kind->name);
	add_base64(p, &file, text_slice(blob), true);
	text_format(p, &file, " %s\n", comment);
	return write_key(p, process_format(p, "%s.pub", path), text_slice(&file), 0644);
}

static int show_fingerprint(struct process *p, const char *path)
{
	struct text file = {0};
	struct slice rest, kind, key;
	uint8_t blob[BLOB_MAX];
	if (process_read_file(p, process_format(p, "%s.pub", path), KEY_FILE_MAX, &file) != 0) {
		int error = process_read_file(p, path, KEY_FILE_MAX, &file);
		if (error) {
			process_error(p, "ssh-keygen: %s: %s\r\n", path, strerror(-error));
			return 255;
		}
	}
	rest = text_slice(&file);
	if (!slice_next(&rest, ' ', &kind) || !slice_next(&rest, ' ', &key)) {
		process_error(p, "%s is not a public key file.\r\n", path);
		return 255;
	}
	size_t length = decode_base64(key, blob, sizeof(blob));
	const struct key_kind *found = &kinds[0];
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (slice_is(kind, kinds[i].name))
			found = &kinds[i];
	unsigned bits = found->bits;
	if (found->option[0] == 'r' && length > 20)
		bits = (unsigned)((length - 23) / 8 * 64);
	rest = slice_trim(rest);
	process_print(p, "%u %s %.*s (%s)\n", bits, fingerprint(p, slice_of(blob, length)),
		      (int)rest.length, (const char *)rest.at, found->title);
	return 0;
}

static int keygen_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	const struct key_kind *kind = &kinds[0];
	const char *path = NULL, *phrase = NULL, *comment = NULL, *type = NULL;
	unsigned bits = 0;
	bool quiet = false, list = false, forget = false;
	struct text blob = {0};
	for (int option;
	     (option = outside_option(process, &state, argc, argv,
				      "ABHLQUXceghiklopquvyC:D:E:F:I:K:M:N:O:P:R:V:W:Y:Z:a:"
				      "b:f:g:m:n:r:s:t:w:z:")) != -1;) {
		switch (option) {
		case 't':
			type = state.argument;
			break;
		case 'f':
			path = state.argument;
			break;
		case 'N':
			phrase = state.argument;
			break;
		case 'C':
			comment = state.argument;
			break;
		case 'b':
			bits = (unsigned)strtoul(state.argument, NULL, 10);
			break;
		case 'q':
			quiet = true;
			break;
		case 'l':
			list = true;
			break;
		case 'R':
			forget = true;
			break;
		case '?':
			process_error(process, "%s", outside_usage("ssh-keygen"));
			return 1;
		default:
			break;
		}
	}
	const char *home = process_environment(process, "HOME");
	char *folder = process_format(process, "%s/.ssh", home ? home : "/root");
	if (forget) {
		process_error(process, "Cannot stat %s/known_hosts: No such file or directory\r\n",
			      folder);
		return 255;
	}
	if (type) {
		kind = NULL;
		for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
			if (strcmp(type, kinds[i].option) == 0 || strcmp(type, kinds[i].name) == 0)
				kind = &kinds[i];
		if (!kind) {
			process_error(process, "unknown key type %s\r\n", type);
			return 255;
		}
	}
	if (list)
		return show_fingerprint(
			process,
			path ? path : process_format(process, "%s/%s", folder, kind->file));
	if (!quiet)
		process_print(process, "Generating public/private %s key pair.\n", kind->option);
	process_flush(process);
	if (!path) {
		char *usual = process_format(process, "%s/%s", folder, kind->file);
		process_print(process, "Enter file in which to save the key (%s): ", usual);
		process_flush(process);
		char *answer = accounts_ask_on(process, 0, -1, "", true);
		if (!answer)
			return 1;
		path = *answer ? answer : usual;
		if (!*answer && process_access(process, folder, 0) != 0 &&
		    process_make_folder(process, folder, 0700) == 0)
			process_print(process, "Created directory '%s'.\n", folder);
	}
	if (process_access(process, path, 0) == 0) {
		process_print(process, "%s already exists.\nOverwrite (y/n)? ", path);
		process_flush(process);
		char *answer = accounts_ask_on(process, 0, -1, "", true);
		if (!answer || (*answer != 'y' && *answer != 'Y'))
			return 1;
	}
	while (!phrase) {
		char *first = accounts_ask(process,
					   "Enter passphrase (empty for no passphrase): ", false);
		char *second = first ? accounts_ask(process, "Enter same passphrase again: ", false)
				     : NULL;
		if (!second)
			return 1;
		if (strcmp(first, second) == 0)
			phrase = first;
		else
			process_print(process, "Passphrases do not match.  Try again.\n");
		process_step(process);
	}
	if (bits < 1024 || bits > 7680 || kind->option[0] != 'r')
		bits = kind->bits;
	bits = bits / 64 * 64;
	process_sleep(process, kind->option[0] == 'r'
				       ? 150000 + (int64_t)process_random_number(process, 900000)
				       : 12000);
	make_blob(process, kind, bits, &blob);
	if (!comment)
		comment = process_format(process, "%s@%s",
					 command_user_name(process, process->identity.uid),
					 host_names(process_host(process))->node);
	if (!save_pair(process, kind, &blob, path, comment, *phrase != '\0'))
		return 1;
	if (quiet)
		return 0;
	process_print(process,
		      "Your identification has been saved in %s\nYour public key has been saved in "
		      "%s.pub\nThe key fingerprint is:\n%s %s\nThe key's randomart image is:\n",
		      path, path, fingerprint(process, text_slice(&blob)), comment);
	print_randomart(process, text_slice(&blob),
			process_format(process, "%s %u", kind->title, bits));
	return 0;
}

static int keyscan_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct outside_place place;
	int64_t limit = 5 * SECOND;
	unsigned port = 22;
	for (int option;
	     (option = outside_option(process, &state, argc, argv, "cDHv46p:T:t:f:")) != -1;) {
		if (option == 'p')
			port = (unsigned)strtoul(state.argument, NULL, 10);
		if (option == 'T')
			limit = strtol(state.argument, NULL, 10) * SECOND;
		if (option == '?') {
			process_error(process, "%s", outside_usage("ssh-keyscan"));
			return 1;
		}
	}
	if (state.index >= argc) {
		process_error(process, "%s", outside_usage("ssh-keyscan"));
		return 1;
	}
	int status = 1;
	for (int i = state.index; i < argc; i++) {
		enum outside_lookup found = outside_resolve_now(process, argv[i], &place);
		for (int tries = 0; found != OUTSIDE_FOUND && tries < 5; tries++) {
			(void)outside_resolve(process, argv[i], &place);
			process_error(process, "getaddrinfo %s: %s\r\n", argv[i],
				      outside_lookup_words[found]);
		}
		if (found != OUTSIDE_FOUND)
			continue;
		if (outside_connect(process, &place.address, port, false, limit) != 0)
			continue;
		struct text key = {0};
		static const char *const files[] = {"rsa", "ecdsa", "ed25519"};
		for (size_t j = 0; j < ARRAY_COUNT(files); j++) {
			text_clear(&key);
			if (process_read_file(process,
					      process_format(process,
							     "/etc/ssh/ssh_host_%s_key.pub",
							     files[j]),
					      KEY_FILE_MAX, &key) != 0)
				continue;
			struct slice rest = text_slice(&key), name, words;
			process_error(process, "# %s:%u %s", argv[i], port,
				      outside_greeting(process, port));
			if (slice_next(&rest, ' ', &name) && slice_next(&rest, ' ', &words))
				process_print(process, "%s %.*s %.*s\n", argv[i], (int)name.length,
					      (const char *)name.at, (int)words.length,
					      (const char *)words.at);
			process_flush(process);
			status = 0;
		}
	}
	return status;
}

/* --- ftp --- */

static int ftp_main(struct process *process, int argc, char **argv)
{
	struct option_state state = {0};
	struct outside_place place;
	struct line_reader reader;
	struct slice line;
	bool newline;
	for (int option; (option = option_next(process, &state, argc, argv,
					       "+:46AadefginN:o:pP:q:r:Rs:tT:u:vVx:", NULL)) != -1;)
		if (option == '?') {
			process_error(process, "%s", outside_usage("ftp"));
			return 1;
		}
	const char *host = state.index < argc ? argv[state.index] : NULL;
	const char *port = host && state.index + 1 < argc ? argv[state.index + 1] : NULL;
	line_reader_open(&reader, 0);
	for (;;) {
		if (host) {
			unsigned number = port ? (unsigned)strtoul(port, NULL, 10) & 0xffff : 21;
			enum outside_lookup found = outside_resolve_now(process, host, &place);
			char *url = process_format(process, "ftp://%s:%u", host, number);
			process_report_download(process, slice_text(url),
						found ? outside_lookup_words[found]
						      : strerror(ETIMEDOUT));
			if (found) {
				(void)outside_resolve(process, host, &place);
				process_error(process, "ftp: Can't lookup `%s:%s': %s\n", host,
					      port ? port : "ftp", outside_lookup_words[found]);
			} else {
				int error =
					outside_connect(process, &place.address, number, false, -1);
				process_error(
					process,
					"ftp: Can't connect to `%s:%u': %s\nftp: Can't connect "
					"to `%s:%s'\n",
					place.text, number, strerror(error ? -error : ECONNREFUSED),
					host, port ? port : "ftp");
			}
			host = NULL;
		}
		if (process_is_terminal(process, 0))
			process_put_text(process, "ftp> ");
		process_flush(process);
		if (!line_reader_next(process, &reader, &line, &newline))
			break;
		process_report_input(process, line);
		struct slice rest = slice_trim(line), verb, word;
		process_step(process);
		if (!slice_next(&rest, ' ', &verb))
			continue;
		if (slice_is(verb, "quit") || slice_is(verb, "bye") || slice_is(verb, "exit"))
			return 0;
		rest = slice_trim(rest);
		if (slice_is(verb, "open") && slice_next(&rest, ' ', &word)) {
			host = process_copy_slice(process, word);
			port = rest.length ? process_copy_slice(process, slice_trim(rest)) : NULL;
		} else if (slice_is(verb, "help") || slice_is(verb, "?")) {
			process_put_text(process,
					 "Commands may be abbreviated.  Commands are:\n\n");
		} else if (slice_is(verb, "binary") || slice_is(verb, "get") ||
			   slice_is(verb, "put") || slice_is(verb, "ls") || slice_is(verb, "cd") ||
			   slice_is(verb, "user") || slice_is(verb, "pwd") ||
			   slice_is(verb, "dir") || slice_is(verb, "mget")) {
			process_put_text(process, "Not connected.\n");
		} else {
			process_put_text(process, "?Invalid command.\n");
		}
	}
	return 0;
}

static const struct command commands[] = {
	{"ssh", ssh_main, COMMAND_DEBIAN, NULL, (const char *const[]){"slogin", NULL}},
	{"sftp", sftp_main, COMMAND_DEBIAN, NULL, NULL},
	{"ssh-keygen", keygen_main, COMMAND_DEBIAN, NULL, NULL},
	{"ssh-keyscan", keyscan_main, COMMAND_DEBIAN, NULL, NULL},
	{"tnftp", ftp_main, COMMAND_DEBIAN, NULL, (const char *const[]){"ftp", "pftp", NULL}},
	{0},
};

const struct command_family command_family_keys = {"keys", commands};
