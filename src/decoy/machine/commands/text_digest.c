/* md5sum, sha1sum and the others, cksum, sum. */
#define OPENSSL_SUPPRESS_DEPRECATED  /* states without memory of their own: a command may be ended \
				      */
#include <ctype.h>

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "decoy/machine/commands/text.h"
#include "decoy/machine/commands/text_blake2.h"

#define DIGEST_MAX 64

enum digest_kind { OF_MD5, OF_SHA1, OF_SHA224, OF_SHA256, OF_SHA384, OF_SHA512, OF_B2 };

union digest_state {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha512;
	struct blake2 blake2;
};

static const struct digest_type {
	const char *program, *name;
	enum digest_kind kind;
	size_t length;
} types[] = {
	{"md5sum", "MD5", OF_MD5, 16},          {"sha1sum", "SHA1", OF_SHA1, 20},
	{"sha224sum", "SHA224", OF_SHA224, 28}, {"sha256sum", "SHA256", OF_SHA256, 32},
	{"sha384sum", "SHA384", OF_SHA384, 48}, {"sha512sum", "SHA512", OF_SHA512, 64},
	{"b2sum", "BLAKE2b", OF_B2, 64},
};

static void begin(const struct digest_type *type, union digest_state *state)
{
	switch (type->kind) {
	case OF_MD5:
		MD5_Init(&state->md5);
		break;
	case OF_SHA1:
		SHA1_Init(&state->sha1);
		break;
	case OF_SHA224:
		SHA224_Init(&state->sha256);
		break;
	case OF_SHA256:
		SHA256_Init(&state->sha256);
		break;
	case OF_SHA384:
		SHA384_Init(&state->sha512);
		break;
	case OF_SHA512:
		SHA512_Init(&state->sha512);
		break;
	default:
		blake2_begin(&state->blake2);
		break;
	}
}

static void update(const struct digest_type *type, union digest_state *state, const uint8_t *bytes,
		   size_t length)
{
	switch (type->kind) {
	case OF_MD5:
		MD5_Update(&state->md5, bytes, length);
		break;
	case OF_SHA1:
		SHA1_Update(&state->sha1, bytes, length);
		break;
	case OF_SHA224:
	case OF_SHA256:
		SHA256_Update(&state->sha256, bytes, length);
		break;
	case OF_SHA384:
	case OF_SHA512:
		SHA512_Update(&state->sha512, bytes, length);
		break;
	default:
		blake2_add(&state->blake2, bytes, length);
		break;
	}
}

static void finish(const struct digest_type *type, union digest_state *state, uint8_t *digest)
{
	switch (type->kind) {
	case OF_MD5:
		MD5_Final(digest, &state->md5);
		break;
	case OF_SHA1:
		SHA1_Final(digest, &state->sha1);
		break;
	case OF_SHA224:
		SHA224_Final(digest, &state->sha256);
		break;
	case OF_SHA256:
		SHA256_Final(digest, &state->sha256);
		break;
	case OF_SHA384:
		SHA384_Final(digest, &state->sha512);
		break;
	case OF_SHA512:
		SHA512_Final(digest, &state->sha512);
		break;
	default:
		blake2_end(&state->blake2, digest);
		break;
	}
}

static bool known(struct process *process, const struct digest_type *type, const char *name,
		  uint8_t *digest)
{
	struct file_digests digests;
	const uint8_t *from = type->kind == OF_MD5      ? digests.md5
			      : type->kind == OF_SHA1   ? digests.sha1
			      : type->kind == OF_SHA256 ? digests.sha256
			      : type->kind == OF_SHA512 ? digests.sha512
							: NULL;

	if (!from || strcmp(name, "-") == 0 || !process_digests(process, name, &digests))
		return false;
	memcpy(digest, from, type->length);
	return true;
}

/* 0, or what is wrong. */
static int digest_file(struct process *process, const struct digest_type *type, const char *name,
		       uint8_t *digest)
{
	union digest_state state;
	uint8_t bytes[2048];
	ssize_t got;
	int descriptor = text_open_quiet(process, name);

	if (descriptor < 0)
		return descriptor;
	if (known(process, type, name, digest)) {
		text_close(process, descriptor);
		return 0;
	}
	begin(type, &state);
	while ((got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
		update(type, &state, bytes, (size_t)got);
		process_step(process);
	}
	text_close(process, descriptor);
	finish(type, &state, digest);
	return got < 0 ? (int)got : 0;
}

/* --- checking --- */

struct digest_options {
	const struct digest_type *type;
	bool check, quiet, status_only, warn, strict, ignore_missing, tag, binary;
	uint8_t end;
};

struct tally {
	unsigned good, wrong_lines, mismatched, unreadable;
};

/* "hex  name" or "MD5 (name) = hex"; false: neither. */
static bool read_line(const struct digest_type *type, struct slice line, uint8_t *digest,
		      struct slice *name)
{
	size_t hex = type->length * 2;

	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (slice_starts(line, type->name)) {
		size_t open = slice_find(line, SLICE(" (")), close;

		if (open != strlen(type->name) || line.length < hex + 4)
			return false;
		close = line.length - hex;
		if (slice_unhex(slice_from(line, close), digest, DIGEST_MAX) < 0)
			return false;
		*name = slice_of(line.at + open + 2, close - 4 - open - 2);
		return true;
	}
	while (line.length > 0 && (*line.at == ' ' || *line.at == '\t'))
		line = slice_from(line, 1);
	if (line.length < hex + 3 || line.at[hex] != ' ' ||
	    slice_unhex(slice_first(line, hex), digest, DIGEST_MAX) < 0)
		return false;
	*name = slice_from(line,
			   line.at[hex + 1] == ' ' || line.at[hex + 1] == '*' ? hex + 2 : hex + 1);
	return true;
}

static void check_one(struct process *process, const struct digest_options *options,
		      const uint8_t *wanted, const char *name, struct tally *tally)
{
	uint8_t digest[DIGEST_MAX];
	int error = digest_file(process, options->type, name, digest);

	if (error == -ENOENT && options->ignore_missing)
		return;
	if (error != 0) {
		process_complain(process, "%s: %s", name, strerror(-error));
		tally->unreadable++;
		if (!options->status_only)
			process_print(process, "%s: FAILED open or read\n", name);
		return;
	}
	tally->good++;
	if (memcmp(digest, wanted, options->type->length) != 0) {
		tally->mismatched++;
		if (!options->status_only)
			process_print(process, "%s: FAILED\n", name);
	} else if (!options->quiet && !options->status_only)
		process_print(process, "%s: OK\n", name);
}

static void warn_count(struct process *process, unsigned count, const char *one, const char *many)
{
	if (count > 0) {
		process_flush(process);
		process_complain(process, "WARNING: %u %s", count, count == 1 ? one : many);
	}
}

static int check_file(struct process *process, const struct digest_options *options,
		      const char *list)
{
	struct tally tally = {0};
	struct line_reader reader;
	struct slice line, name;
	unsigned formed = 0;
	bool newline;
	int descriptor = text_open(process, list);

	if (descriptor < 0)
		return 1;
	line_reader_open(&reader, descriptor);
	while (line_reader_next(process, &reader, &line, &newline)) {
		uint8_t wanted[DIGEST_MAX];
		char *copy;

		if (line.length > 0 && *line.at == '#')
			continue;
		if (!read_line(options->type, line, wanted, &name)) {
			tally.wrong_lines++;
			continue;
		}
		formed++;
		copy = process_copy_slice(process, name);
		check_one(process, options, wanted, copy, &tally);
		process_give(process, copy);
	}
	process_give(process, reader.buffer);
	text_close(process, descriptor);
	if (formed == 0) {
		process_complain(process, "%s: no properly formatted checksum lines found",
				 strcmp(list, "-") == 0 ? "'standard input'" : list);
		return 1;
	}
	if (!options->status_only) {
		warn_count(process, tally.wrong_lines, "line is improperly formatted",
			   "lines are improperly formatted");
		warn_count(process, tally.unreadable, "listed file could not be read",
			   "listed files could not be read");
		warn_count(process, tally.mismatched, "computed checksum did NOT match",
			   "computed checksums did NOT match");
	}
	return tally.mismatched > 0 || tally.unreadable > 0 ||
	       (options->strict && tally.wrong_lines > 0);
}

/* --- the programs --- */

static void show(struct process *process, const struct digest_options *options,
		 const uint8_t *digest, const char *name)
{
	if (options->tag)
		process_print(process, "%s (%s) = ", options->type->name, name);
	for (size_t i = 0; i < options->type->length; i++)
		process_print(process, "%02x", digest[i]);
	if (!options->tag)
		process_print(process, " %c%s", options->binary ? '*' : ' ', name);
	process_put_byte(process, options->end);
}

enum { OPTION_QUIET = TEXT_OWN, OPTION_STATUS, OPTION_STRICT, OPTION_IGNORE, OPTION_TAG };

static int digest_main(struct process *process, int argc, char **argv, enum digest_kind kind)
{
	static const struct option_word words[] = {{"binary", 'b'},
						   {"check", 'c'},
						   {"ignore-missing", OPTION_IGNORE},
						   {"quiet", OPTION_QUIET},
						   {"status", OPTION_STATUS},
						   {"text", 't'},
						   {"warn", 'w'},
						   {"strict", OPTION_STRICT},
						   {"tag", OPTION_TAG},
						   {"zero", 'z'},
						   TEXT_WORDS};
	struct digest_options options = {.type = &types[kind], .end = '\n'};
	struct option_state state = {0};
	int option, status = 0, count;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "bctwz", words)) != -1) {
		if (option == 'c')
			options.check = true;
		else if (option == 'b')
			options.binary = true;
		else if (option == 't')
			options.binary = false;
		else if (option == 'w')
			options.warn = true;
		else if (option == 'z')
			options.end = 0;
		else if (option == OPTION_QUIET)
			options.quiet = true;
		else if (option == OPTION_STATUS)
			options.status_only = true;
		else if (option == OPTION_STRICT)
			options.strict = true;
		else if (option == OPTION_IGNORE)
			options.ignore_missing = true;
		else if (option == OPTION_TAG)
			options.tag = true;
		else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite or check (-c) checksums.",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		uint8_t digest[DIGEST_MAX];
		int error;

		if (options.check) {
			status |= check_file(process, &options, names[i]);
			continue;
		}
		error = digest_file(process, options.type, names[i], digest);
		if (error == 0)
			show(process, &options, digest, names[i]);
		else {
			process_complain(process,
					 process->busybox ? "can't open '%s': %s" : "%s: %s",
					 names[i], strerror(-error));
			status = 1;
		}
	}
	return status;
}

#define DIGEST(name, kind)                                                     \
	static int name##_main(struct process *process, int argc, char **argv) \
	{                                                                      \
		return digest_main(process, argc, argv, kind);                 \
	}
DIGEST(md5sum, OF_MD5)
DIGEST(sha1sum, OF_SHA1)
DIGEST(sha224sum, OF_SHA224)
DIGEST(sha256sum, OF_SHA256)
DIGEST(sha384sum, OF_SHA384)
DIGEST(sha512sum, OF_SHA512)
DIGEST(b2sum, OF_B2)

/* --- cksum and sum --- */

static uint32_t crc_step(uint32_t crc, uint8_t byte)
{
	crc ^= (uint32_t)byte << 24;
	for (int i = 0; i < 8; i++)
		crc = crc & 0x80000000u ? (crc << 1) ^ 0x04c11db7u : crc << 1;
	return crc;
}

static int cksum_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"algorithm", 'a', OPTION_NEEDS}, {"check", 'c'}, TEXT_WORDS};
	struct option_state state = {0};
	int option, status = 0, count;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "a:c", words)) != -1) {
		if (option != 'a' && option != 'c')
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite CRC checksum and size of "
					  "each FILE.",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);
		uint32_t crc = 0;
		uint64_t length = 0;
		uint8_t bytes[2048];
		ssize_t got;

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		while ((got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
			for (ssize_t at = 0; at < got; at++)
				crc = crc_step(crc, bytes[at]);
			length += (uint64_t)got;
			process_step(process);
		}
		text_close(process, descriptor);
		for (uint64_t rest = length; rest > 0; rest >>= 8)
			crc = crc_step(crc, (uint8_t)rest);
		process_print(process, "%u %llu%s%s\n", ~crc, (unsigned long long)length,
			      state.index < argc ? " " : "", state.index < argc ? names[i] : "");
	}
	return status;
}

static int sum_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"sysv", 's'}, TEXT_WORDS};
	struct option_state state = {0};
	int option, status = 0, count;
	bool sysv = false;
	char **names;

	while ((option = option_next(process, &state, argc, argv, "rs", words)) != -1) {
		if (option == 's' || option == 'r')
			sysv = option == 's';
		else
			text_other_option(
				process, option, COREUTILS,
				"[OPTION]... [FILE]...\nWrite checksum and blocks of each "
				"FILE.",
				1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++) {
		int descriptor = text_open(process, names[i]);
		uint64_t length = 0;
		uint32_t sum = 0;
		uint8_t bytes[2048];
		ssize_t got;

		if (descriptor < 0) {
			status = 1;
			continue;
		}
		while ((got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
			for (ssize_t at = 0; at < got; at++) {
				if (!sysv)
					sum = ((sum >> 1) | (sum & 1) << 15);
				sum += bytes[at];
				if (!sysv)
					sum &= 0xffff;
			}
			length += (uint64_t)got;
			process_step(process);
		}
		text_close(process, descriptor);
		if (sysv) {
			sum = (sum & 0xffff) + (sum >> 16);
			sum = (sum & 0xffff) + (sum >> 16);
			process_print(process, "%u %llu", sum,
				      (unsigned long long)(length + 511) / 512);
		} else
			process_print(process, "%05u %5llu", sum,
				      (unsigned long long)(length + 1023) / 1024);
		process_print(process, "%s%s\n", state.index < argc ? " " : "",
			      state.index < argc ? names[i] : "");
	}
	return status;
}

static const struct command commands[] = {
	{"md5sum", md5sum_main, COMMAND_BOTH},
	{"sha1sum", sha1sum_main, COMMAND_BOTH},
	{"sha224sum", sha224sum_main, COMMAND_DEBIAN},
	{"sha256sum", sha256sum_main, COMMAND_BOTH},
	{"sha384sum", sha384sum_main, COMMAND_DEBIAN},
	{"sha512sum", sha512sum_main, COMMAND_BOTH},
	{"b2sum", b2sum_main, COMMAND_DEBIAN},
	{"cksum", cksum_main, COMMAND_BOTH},
	{"sum", sum_main, COMMAND_DEBIAN},
	{NULL},
};
const struct command_family command_family_text_digest = {"text_digest", commands};
