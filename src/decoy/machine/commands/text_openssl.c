/* openssl: version, rand, passwd, enc -base64, base64, dgst. */
#define OPENSSL_SUPPRESS_DEPRECATED /* a state without memory of its own */
#include <openssl/md5.h>

#include "decoy/machine/commands/packages.h"
#include "decoy/machine/commands/text_openssl.h"

/* --- passwd: MD5 crypt as Poul-Henning Kamp's --- */

void text_openssl_put64(struct text *out, struct process *process, uint32_t value, int count)
{
	static const char letters[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (; count > 0; count--, value >>= 6)
		text_add_byte(process, out, (uint8_t)letters[value & 63]);
}

static char *md5_crypt(struct process *process, const char *magic, struct slice salt,
		       struct slice password)
{
	static const uint8_t order[5][3] = {
		{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
	uint8_t digest[16];
	struct text out = {0};
	MD5_CTX state;

	MD5_Init(&state);
	MD5_Update(&state, password.at, password.length);
	MD5_Update(&state, salt.at, salt.length);
	MD5_Update(&state, password.at, password.length);
	MD5_Final(digest, &state);
	MD5_Init(&state);
	MD5_Update(&state, password.at, password.length);
	MD5_Update(&state, magic, strlen(magic));
	MD5_Update(&state, salt.at, salt.length);
	for (size_t left = password.length; left > 0; left -= left > 16 ? 16 : left)
		MD5_Update(&state, digest, left > 16 ? 16 : left);
	for (size_t bit = password.length; bit > 0; bit >>= 1)
		MD5_Update(&state, bit & 1 ? (const uint8_t *)"" : password.at, 1);
	MD5_Final(digest, &state);
	for (unsigned round = 0; round < 1000; round++) {
		MD5_Init(&state);
		MD5_Update(&state, round & 1 ? password.at : digest,
			   round & 1 ? password.length : 16);
		if (round % 3)
			MD5_Update(&state, salt.at, salt.length);
		if (round % 7)
			MD5_Update(&state, password.at, password.length);
		MD5_Update(&state, round & 1 ? digest : password.at,
			   round & 1 ? 16 : password.length);
		MD5_Final(digest, &state);
	}
	text_add_words(process, &out, magic);
	text_add(process, &out, salt);
	text_add_byte(process, &out, '$');
	for (size_t i = 0; i < 5; i++)
		text_openssl_put64(&out, process,
				   (uint32_t)digest[order[i][0]] << 16 |
					   (uint32_t)digest[order[i][1]] << 8 | digest[order[i][2]],
				   4);
	text_openssl_put64(&out, process, digest[11], 2);
	return out.data;
}

static int passwd(struct process *process, int argc, char **argv)
{
	const char *magic = "$1$", *salt = NULL;
	struct line_reader reader;
	struct slice line;
	bool newline, input = false;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-apr1") == 0)
			magic = "$apr1$";
		else if (strcmp(argv[i], "-5") == 0 || strcmp(argv[i], "-6") == 0)
			magic = argv[i][1] == '5' ? "$5$" : "$6$";
		else if (strcmp(argv[i], "-salt") == 0 && i + 1 < argc)
			salt = argv[++i];
		else if (strcmp(argv[i], "-stdin") == 0)
			input = true;
		else if (strcmp(argv[i], "-1") != 0 && strcmp(argv[i], "-noverify") != 0) {
			process_error(process,
				      "passwd: Unknown option: %s\npasswd: Use -help for "
				      "summary.\n",
				      argv[i][0] == '-' ? argv[i] + 1 : argv[i]);
			return 1;
		}
	}
	if (!salt) {
		struct text made = {0};

		for (int k = 0; k < (magic[1] == '5' || magic[1] == '6' ? 4 : 2); k++)
			text_openssl_put64(&made, process,
					   (uint32_t)process_random_number(process, 1u << 24), 4);
		salt = made.data;
	}
	line_reader_open(&reader, 0);
	for (bool first = true;; first = false) {
		struct slice password;

		if (input || (first && i >= argc)) {
			if (!input)
				process_error(process, "Password: ");
			if (!line_reader_next(process, &reader, &line, &newline))
				return 0;
			password = line;
		} else if (i < argc)
			password = slice_text(argv[i++]);
		else
			return 0;
		password = slice_first(password, 256);
		if (magic[1] == '5' || magic[1] == '6')
			process_print(process, "%s\n",
				      text_sha_crypt(process, magic[1] == '6',
						     slice_first(slice_text(salt), 16), password));
		else
			process_print(process, "%s\n",
				      md5_crypt(process, magic, slice_first(slice_text(salt), 8),
						password));
	}
}

/* --- rand --- */

static int random_bytes_out(struct process *process, int argc, char **argv)
{
	bool hex = false, base64 = false;
	int64_t count = -1;
	uint8_t *bytes;
	char *encoded;
	struct writer w;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-hex") == 0)
			hex = true;
		else if (strcmp(argv[i], "-base64") == 0)
			base64 = true;
		else if (slice_number(slice_text(argv[i]), 1, 1000000, &count) != 0)
			count = -1;
	}
	if (count < 0) {
		process_error(process, "Extra arguments given.\nrand: Use -help for summary.\n");
		return 1;
	}
	bytes = process_take(process, (size_t)count);
	process_random(process, bytes, (size_t)count);
	if (!hex && !base64) {
		process_put(process, slice_of(bytes, (size_t)count));
		return 0;
	}
	encoded = process_take(process, (size_t)count * 2 + 8);
	w = writer_fixed(encoded, (size_t)count * 2 + 8);
	if (hex)
		writer_hex(&w, slice_of(bytes, (size_t)count));
	else
		writer_base64(&w, slice_of(bytes, (size_t)count));
	for (size_t at = 0; at < w.length; at += 64) {
		size_t part = base64 && w.length - at > 64 ? 64 : w.length - at;

		process_put(process, slice_of(encoded + at, part));
		process_put_byte(process, '\n');
		if (hex)
			break;
	}
	return 0;
}

/* --- what other programs here do as well --- */

static int run_as(struct process *process, const char *program, int argc, char **argv)
{
	const struct command *command = command_find(program, COMMAND_BOTH);

	if (!command)
		return 1;
	process->argv = argv;
	process->argc = argc;
	return command->run(process, argc, argv);
}

static int base64(struct process *process, int argc, char **argv)
{
	char **words = process_take(process, 8 * sizeof(*words));
	const char *wrap = "-w64", *file = NULL;
	bool decode = false;
	int count = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-d") == 0)
			decode = true;
		else if (strcmp(argv[i], "-A") == 0)
			wrap = "-w0";
		else if (strcmp(argv[i], "-in") == 0 && i + 1 < argc)
			file = argv[++i];
	}
	words[count++] = process_copy_text(process, "base64");
	words[count++] = process_copy_text(process, decode ? "-di" : wrap);
	if (file)
		words[count++] = process_copy_text(process, file);
	return run_as(process, "base64", count, words);
}

static int digest(struct process *process, int argc, char **argv, const char *algorithm)
{
	int status = 0, files = 0;

	for (int i = 1; i < argc || files == 0; i++) {
		struct text out = {0};
		const char *file = i < argc ? argv[i] : "-";
		char *upper;
		size_t end;

		if (i < argc && argv[i][0] == '-')
			continue;
		files++;
		text_capture(process,
			     process_format(process, "%ssum '%s' 2>/dev/null", algorithm, file),
			     &out);
		end = out.length ? slice_find_byte(text_slice(&out), ' ') : SIZE_MAX;
		if (end == SIZE_MAX) {
			process_error(process, "%s: No such file or directory\n", file);
			status = 1;
			continue;
		}
		upper = process_copy_text(process, algorithm);
		for (char *at = upper; *at; at++)
			*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
		process_print(process, "%s%s(%s)= %.*s\n", strlen(algorithm) > 4 ? "SHA2-" : "",
			      strlen(algorithm) > 4 ? upper + 3 : upper,
			      strcmp(file, "-") == 0 ? "stdin" : file, (int)end, out.data);
	}
	return status;
}

static int openssl_main(struct process *process, int argc, char **argv)
{
	static const char *const digests[] = {"md5",    "sha1",   "sha224",
					      "sha256", "sha384", "sha512"};
	const char *word = argc > 1 ? argv[1] : "";

	if (argc < 2 || strcmp(word, "help") == 0) {
		process_error(process,
			      "help:\n\nStandard commands\nbase64            dgst              "
			      "enc               help              \npasswd            rand   "
			      "           version           \n");
		return argc < 2 ? 1 : 0;
	}
	if (strcmp(word, "version") == 0) {
		process_print(process, "%s (Library: %s)\n", packages_openssl(process),
			      packages_openssl(process));
		return 0;
	}
	if (strcmp(word, "rand") == 0)
		return random_bytes_out(process, argc - 1, argv + 1);
	if (strcmp(word, "passwd") == 0)
		return passwd(process, argc - 1, argv + 1);
	if (strcmp(word, "base64") == 0 ||
	    (strcmp(word, "enc") == 0 && argc > 2 &&
	     (strcmp(argv[2], "-base64") == 0 || strcmp(argv[2], "-a") == 0)))
		return base64(process, argc - 1, argv + 1);
	for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
		if (strcmp(word, digests[i]) == 0)
			return digest(process, argc - 1, argv + 1, digests[i]);
		for (int k = 2; strcmp(word, "dgst") == 0 && k < argc; k++) {
			if (argv[k][0] == '-' && strcmp(argv[k] + 1, digests[i]) == 0)
				return digest(process, argc - 1, argv + 1, digests[i]);
		}
	}
	if (strcmp(word, "dgst") == 0)
		return digest(process, argc - 1, argv + 1, "sha256");
	process_error(process, "Invalid command '%s'; type \"help\" for a list.\n", word);
	return 1;
}

static const struct command commands[] = {
	{"openssl", openssl_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_openssl = {"text_openssl", commands};
