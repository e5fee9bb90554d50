/* gpg as GnuPG 2.2.40 of Debian 12 with an empty key ring, on a host whose key servers do not
 * answer. */
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/text.h"
#include "decoy/machine/limits.h"

#define NOTICE                                                            \
	"This is free software: you are free to change and redistribute " \
	"it.\nThere is NO WARRANTY, to the extent permitted by law.\n\n"
#define ARMOUR_LINE 64

struct gpg {
	struct process *process;
	const char *home, *output, *passphrase;
	bool batch, armour;
	const char *recipient;
};

enum {
	GPG_VERSION = TEXT_OWN,
	GPG_IMPORT,
	GPG_RECEIVE,
	GPG_SEARCH,
	GPG_REFRESH,
	GPG_VERIFY,
	GPG_EXPORT,
	GPG_DEARMOR,
	GPG_ENARMOR,
	GPG_GENERATE,
	GPG_DELETE,
	GPG_PACKETS,
	GPG_CLEARSIGN,
	GPG_FINGERPRINT,
	GPG_HOME,
	GPG_BATCH,
	GPG_PASSPHRASE,
	GPG_IGNORED,
	GPG_IGNORED_NEEDS,
	GPG_RING,
	GPG_EDIT
};

/* The folder of the keys, made at the first use as gpg tells. */
static void make_home(struct gpg *gpg)
{
	struct process *p = gpg->process;
	const char *const files[] = {"pubring.kbx", "trustdb.gpg"};
	struct file_status status;

	if (process_stat(p, gpg->home, true, &status) < 0 &&
	    process_make_folder(p, gpg->home, 0700) == 0)
		process_error(p, "gpg: directory '%s' created\n", gpg->home);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		char *path = process_format(p, "%s/%s", gpg->home, files[i]);
		int file;

		if (process_stat(p, path, true, &status) == 0)
			continue;
		file = process_open(p, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (file < 0)
			continue;
		process_close(p, file);
		if (i == 0)
			process_error(p, "gpg: keybox '%s' created\n", path);
		else
			process_error(p, "gpg: %s: trustdb created\n", path);
	}
}

static int version(struct gpg *gpg)
{
	process_print(gpg->process,
		      "gpg (GnuPG) 2.2.40\nlibgcrypt 1.10.1\nCopyright (C) 2022 g10 Code GmbH\n"
		      "License GNU GPL-3.0-or-later <https://gnu.org/licenses/gpl.html>\n%.*s\n"
		      "Home: %s\nSupported algorithms:\n"
		      "Pubkey: RSA, ELG, DSA, ECDH, ECDSA, EDDSA\n"
		      "Cipher: IDEA, 3DES, CAST5, BLOWFISH, AES, AES192, AES256, TWOFISH,\n"
		      "        CAMELLIA128, CAMELLIA192, CAMELLIA256\n"
		      "Hash: SHA1, RIPEMD160, SHA256, SHA384, SHA512, SHA224\n"
		      "Compression: Uncompressed, ZIP, ZLIB, BZIP2\n",
		      (int)sizeof(NOTICE) - 2, NOTICE, gpg->home);
	return 0;
}

/* A file, or what comes in. 0 after the words of why not. */
static bool read_input(struct gpg *gpg, const char *name, struct text *text)
{
	int error = name && strcmp(name, "-") != 0
			    ? process_read_file(gpg->process, name, TEXT_WHOLE_MAX, text)
			    : process_read_all(gpg->process, 0, TEXT_WHOLE_MAX, text);

	if (error)
		process_error(gpg->process, "gpg: can't open '%s': %s\n", name ? name : "-",
			      strerror(-error));
	return !error;
}

static int put_output(struct gpg *gpg, const char *name, struct slice bytes)
{
	struct process *p = gpg->process;
	int file;

	if (gpg->output)
		name = gpg->output;
	if (!name || strcmp(name, "-") == 0) {
		process_put(p, bytes);
		return 0;
	}
	file = process_open(p, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file < 0) {
		process_error(p, "gpg: can't create '%s': %s\n", name, strerror(-file));
		return 2;
	}
	(void)process_write(p, file, bytes);
	process_close(p, file);
	return 0;
}

static void add_armour(struct process *p, struct text *out, const char *title, struct slice bytes)
{
	struct writer w = writer_growing(TEXT_WHOLE_MAX * 2);
	uint32_t sum = 0xb704ce; /* RFC 4880 section 6.1 */
	struct slice rest;

	for (size_t i = 0; i < bytes.length; i++) {
		sum ^= (uint32_t)bytes.at[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			sum = (sum << 1) ^ (sum & 0x800000 ? 0x1864cfb : 0);
	}
	writer_base64(&w, bytes);
	text_format(p, out, "-----BEGIN PGP %s-----\n\n", title);
	for (rest = writer_slice(&w); rest.length; rest = slice_from(rest, ARMOUR_LINE)) {
		text_add(p, out, slice_first(rest, ARMOUR_LINE));
		text_add_byte(p, out, '\n');
	}
	writer_clear(&w);
	writer_base64(
		&w,
		slice_of((uint8_t[]){(uint8_t)(sum >> 16), (uint8_t)(sum >> 8), (uint8_t)sum}, 3));
	text_add_byte(p, out, '=');
	text_add(p, out, writer_slice(&w));
	text_format(p, out, "\n-----END PGP %s-----\n", title);
	writer_free(&w);
}

/* What an armoured text holds; false: it is none. */
static bool read_armour(struct process *p, struct slice text, struct text *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct slice line;
	bool inside = false, body = false;
	uint32_t value = 0;
	unsigned bits = 0;

	while (slice_next(&text, '\n', &line)) {
		process_step(p);
		line = slice_trim(line);
		if (slice_starts(line, "-----BEGIN PGP "))
			inside = true;
		else if (slice_starts(line, "-----END ") || slice_starts(line, "="))
			break;
		else if (inside && !body)
			body = line.length == 0;
		else if (body)
			for (size_t i = 0; i < line.length; i++) {
				const char *found = memchr(alphabet, line.at[i], 64);

				if (!found)
					continue;
				value = value << 6 | (uint32_t)(found - alphabet);
				bits += 6;
				if (bits >= 8) {
					bits -= 8;
					text_add_byte(p, out, (uint8_t)(value >> bits));
				}
			}
	}
	return body && out->length;
}

static int dearmor(struct gpg *gpg, const char *name, bool back)
{
	struct text in = {0}, out = {0};

	if (!read_input(gpg, name, &in)) {
		process_error(gpg->process, "gpg: %s failed: %s\n",
			      back ? "enarmoring" : "dearmoring", strerror(ENOENT));
		return 2;
	}
	if (back) {
		add_armour(gpg->process, &out, "ARMORED FILE", text_slice(&in));
	} else if (!read_armour(gpg->process, text_slice(&in), &out)) {
		process_error(gpg->process, "gpg: no valid OpenPGP data found.\n");
		return 2;
	}
	return put_output(
		gpg,
		name && strcmp(name, "-") != 0
			? process_format(gpg->process, "%s.%s", name, back ? "asc" : "gpg")
			: NULL,
		text_slice(&out));
}

/* A symmetrically encrypted message: what its packets (RFC 4880 sections 5.3 and 5.13) look like.
 */
static int encrypt(struct gpg *gpg, const char *name)
{
	struct process *p = gpg->process;
	struct text in = {0}, out = {0}, armoured = {0};
	uint8_t head[15] = {0x8c, 0x0d, 0x04, 0x09, 0x03, 0x02};
	uint8_t random[64];

	if (!gpg->passphrase) {
		if (gpg->batch)
			process_error(p, "gpg: Sorry, we are in batchmode - can't get input\n");
		else
			process_error(p, "gpg: problem with the agent: Inappropriate ioctl for "
					 "device\ngpg: error creating passphrase: Operation "
					 "cancelled\n");
		process_error(p, "gpg: symmetric encryption of '%s' failed: Operation cancelled\n",
			      name ? name : "[stdin]");
		return 2;
	}
	if (!read_input(gpg, name, &in)) {
		process_error(p, "gpg: symmetric encryption of '%s' failed: %s\n", name,
			      strerror(ENOENT));
		return 2;
	}
	process_random(p, head + 6, 8);
	head[14] = 0xff;
	text_add(p, &out, slice_of(head, sizeof(head)));
	text_add_byte(p, &out, 0xd2);
	/* Random prefix, literal packet with name and time, sum: some 48 bytes more. */
	if (in.length + 48 < 192) {
		text_add_byte(p, &out, (uint8_t)(in.length + 48));
	} else {
		text_add_byte(p, &out, 0xff);
		for (int shift = 24; shift >= 0; shift -= 8)
			text_add_byte(p, &out, (uint8_t)((in.length + 48) >> shift));
	}
	text_add_byte(p, &out, 1);
	for (size_t left = in.length + 47; left;) {
		size_t part = left < sizeof(random) ? left : sizeof(random);

		process_random(p, random, part);
		text_add(p, &out, slice_of(random, part));
		left -= part;
		process_step(p);
	}
	if (gpg->armour)
		add_armour(p, &armoured, "MESSAGE", text_slice(&out));
	return put_output(
		gpg, name ? process_format(p, "%s.%s", name, gpg->armour ? "asc" : "gpg") : NULL,
		text_slice(gpg->armour ? &armoured : &out));
}

static int decrypt(struct gpg *gpg, const char *name, const char *doing)
{
	struct process *p = gpg->process;
	struct text in = {0}, out = {0};
	struct slice message;

	if (!read_input(gpg, name, &in)) {
		process_error(p, "gpg: %s failed: %s\n", doing, strerror(ENOENT));
		return 2;
	}
	message = read_armour(p, text_slice(&in), &out) ? text_slice(&out) : text_slice(&in);
	if (message.length < 2 || message.at[0] != 0x8c) {
		process_error(p,
			      "gpg: no valid OpenPGP data found.\ngpg: %s failed: Unknown system "
			      "error\n",
			      doing);
		return 2;
	}
	process_error(p, "gpg: AES256.CFB encrypted data\n");
	if (!gpg->passphrase) {
		process_error(p, "gpg: problem with the agent: Inappropriate ioctl for device\n");
		process_error(p, "gpg: encrypted with 1 passphrase\ngpg: decryption failed: No "
				 "secret key\n");
	} else {
		process_error(p, "gpg: encrypted with 1 passphrase\ngpg: decryption failed: Bad "
				 "session key\n");
	}
	return 2;
}

static int import(struct gpg *gpg, int count, char **names)
{
	struct process *p = gpg->process;
	struct text in = {0};

	for (int i = 0; i < (count ? count : 1); i++)
		if (read_input(gpg, count ? names[i] : NULL, &in))
			process_error(p, "gpg: no valid OpenPGP data found.\n");
	process_error(p, "gpg: Total number processed: 0\n");
	return 2;
}

static int ask_server(struct gpg *gpg, const char *doing)
{
	struct outside_place place;

	(void)outside_resolve(gpg->process, "keyserver.ubuntu.com", &place);
	process_error(gpg->process, "gpg: keyserver %s failed: No name\n", doing);
	return 2;
}

static void put_title(struct gpg *gpg)
{
	process_put_text(gpg->process,
			 "gpg (GnuPG) 2.2.40; Copyright (C) 2022 g10 Code GmbH\n" NOTICE);
	process_flush(gpg->process);
}

static int generate(struct gpg *gpg)
{
	if (gpg->batch) {
		process_error(gpg->process, "gpg: -:1: missing argument\n");
		return 2;
	}
	put_title(gpg);
	process_error(gpg->process, "gpg: cannot open '/dev/tty': No such device or address\n");
	return 2;
}

static const struct option_word words[] = {{"version", GPG_VERSION},
					   {"help", 'h'},
					   {"list-keys", 'k'},
					   {"list-public-keys", 'k'},
					   {"list-secret-keys", 'K'},
					   {"fingerprint", GPG_FINGERPRINT},
					   {"import", GPG_IMPORT},
					   {"recv-keys", GPG_RECEIVE},
					   {"receive-keys", GPG_RECEIVE},
					   {"search-keys", GPG_SEARCH},
					   {"refresh-keys", GPG_REFRESH},
					   {"verify", GPG_VERIFY},
					   {"export", GPG_EXPORT},
					   {"export-secret-keys", GPG_EXPORT},
					   {"dearmor", GPG_DEARMOR},
					   {"dearmour", GPG_DEARMOR},
					   {"enarmor", GPG_ENARMOR},
					   {"gen-key", GPG_GENERATE},
					   {"generate-key", GPG_GENERATE},
					   {"full-generate-key", GPG_GENERATE},
					   {"full-gen-key", GPG_GENERATE},
					   {"delete-keys", GPG_DELETE},
					   {"delete-key", GPG_DELETE},
					   {"delete-secret-keys", GPG_DELETE},
					   {"edit-key", GPG_EDIT},
					   {"list-packets", GPG_PACKETS},
					   {"clearsign", GPG_CLEARSIGN},
					   {"clear-sign", GPG_CLEARSIGN},
					   {"detach-sign", 'b'},
					   {"sign", 's'},
					   {"encrypt", 'e'},
					   {"decrypt", 'd'},
					   {"symmetric", 'c'},
					   {"armor", 'a'},
					   {"output", 'o', OPTION_NEEDS},
					   {"recipient", 'r', OPTION_NEEDS},
					   {"local-user", 'u', OPTION_NEEDS},
					   {"homedir", GPG_HOME, OPTION_NEEDS},
					   {"batch", GPG_BATCH},
					   {"yes", GPG_IGNORED},
					   {"no-tty", GPG_IGNORED},
					   {"quiet", 'q'},
					   {"verbose", 'v'},
					   {"passphrase", GPG_PASSPHRASE, OPTION_NEEDS},
					   {"pinentry-mode", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"passphrase-fd", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"keyserver", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"keyserver-options", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"cipher-algo", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"trust-model", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"keyid-format", GPG_IGNORED_NEEDS, OPTION_NEEDS},
					   {"keyring", GPG_RING, OPTION_NEEDS},
					   {"no-default-keyring", GPG_IGNORED},
					   {"with-colons", GPG_IGNORED},
					   {"always-trust", GPG_IGNORED},
					   {NULL}};

static int needs_key(struct gpg *gpg, int action, const char *name)
{
	struct process *p = gpg->process;

	if (action == 'e' && gpg->recipient) {
		process_error(p,
			      "gpg: %s: skipped: No public key\ngpg: %s: encryption failed: No "
			      "public key\n",
			      gpg->recipient, name ? name : "[stdin]");
		return 2;
	}
	if (action == 'e') {
		process_error(p, "You did not specify a user ID. (you may use \"-r\")\n\n"
				 "Current recipients:\n\nEnter the user ID.  End with an empty "
				 "line: \ngpg: no valid addressees\n");
		process_error(p, "gpg: %s: encryption failed: No user ID\n",
			      name ? name : "[stdin]");
		return 2;
	}
	process_error(p,
		      "gpg: no default secret key: No secret key\ngpg: %s failed: No secret "
		      "key\n",
		      process_format(p, action == GPG_CLEARSIGN ? "%s: clear-sign" : "signing",
				     name ? name : "[stdin]"));
	return 2;
}

static int act(struct gpg *gpg, int action, int count, char **names)
{
	struct process *p = gpg->process;
	const char *first = count ? names[0] : NULL;

	switch (action) {
	case 'k':
	case 'K':
	case GPG_FINGERPRINT:
		if (!first)
			return 0;
		process_error(p, "gpg: error reading key: No %s key\n",
			      action == 'K' ? "secret" : "public");
		return 2;
	case GPG_IMPORT:
		return import(gpg, count, names);
	case GPG_RECEIVE:
		return ask_server(gpg, "receive");
	case GPG_SEARCH:
		return ask_server(gpg, "search");
	case GPG_REFRESH:
		return 0;
	case GPG_VERIFY:
		return decrypt(gpg, first, "verify signatures");
	case GPG_EXPORT:
		process_error(p, "gpg: WARNING: nothing exported\n");
		return first ? 0 : 2;
	case GPG_DEARMOR:
	case GPG_ENARMOR:
		return dearmor(gpg, first, action == GPG_ENARMOR);
	case GPG_GENERATE:
		return generate(gpg);
	case GPG_DELETE:
	case GPG_EDIT:
		put_title(gpg);
		process_error(p,
			      action == GPG_EDIT ? "gpg: No public key\n"
						 : "gpg: key \"%s\" not found: Not found\ngpg: "
						   "%s: delete key failed: Not found\n",
			      first ? first : "", first ? first : "");
		return 2;
	case GPG_PACKETS:
		return decrypt(gpg, first, "processing message");
	case 'c':
		return encrypt(gpg, first);
	case 'd':
		return decrypt(gpg, first, "decrypt_message");
	case 0:
		process_error(p, "gpg: WARNING: no command supplied.  Trying to guess what you "
				 "mean ...\n");
		return decrypt(gpg, first, "processing message");
	default:
		return needs_key(gpg, action, first);
	}
}

static int gpg_main(struct process *process, int argc, char **argv)
{
	struct gpg gpg = {.process = process};
	struct option_state state = {0};
	const char *home = process_environment(process, "HOME");
	int option, action = 0;

	gpg.home = process_environment(process, "GNUPGHOME");
	if (!gpg.home)
		gpg.home = process_format(process, "%s/.gnupg", home ? home : "/root");
	for (int i = 1; i < argc; i++) { /* gpg's own words for what it does not know */
		size_t length = strcspn(argv[i], "=");
		bool known = strncmp(argv[i], "--", 2) != 0 || !argv[i][2];

		for (size_t j = 0; words[j].name && !known; j++)
			known = strncmp(argv[i] + 2, words[j].name, length - 2) == 0;
		if (!known) {
			process_error(process, "invalid option \"%s\"\n", argv[i]);
			return 2;
		}
	}
	while ((option = option_next(process, &state, argc, argv,
				     "hkKseEdcbao:r:u:qvtz:", words)) != -1) {
		if (option == GPG_VERSION || option == 'h')
			return version(&gpg);
		if (option == '?')
			return 2;
		if (option == 'o')
			gpg.output = state.argument;
		else if (option == 'r')
			gpg.recipient = state.argument;
		else if (option == GPG_HOME)
			gpg.home = state.argument;
		else if (option == GPG_PASSPHRASE)
			gpg.passphrase = state.argument;
		else if (option == GPG_BATCH)
			gpg.batch = true;
		else if (option == 'a')
			gpg.armour = true;
		else if (option != 'u' && option != 'q' && option != 'v' && option != 't' &&
			 option != 'z' && option != GPG_IGNORED && option != GPG_IGNORED_NEEDS &&
			 option != GPG_RING)
			action = option;
	}
	if (action != GPG_DEARMOR && action != GPG_ENARMOR)
		make_home(&gpg);
	return act(&gpg, action, argc - state.index, argv + state.index);
}

static const struct command commands[] = {
	{"gpg", gpg_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_gpg = {"gpg", commands};
