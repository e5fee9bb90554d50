/* Files to be stolen: made on demand from the installation's secret, the same bytes every time, and
 * nothing in them that another installation has too. */
#include <stdio.h>

#include "decoy/protocols/ftp/ftp.h"

#define PASSWORD_LENGTH  12
#define OLDEST           (1672531200 * SECOND) /* 2023-01-01: the bait lies there for years */
#define AGE_SPAN_MINUTES (500 * 24 * 60)

static const char *text_of(const struct persona *persona, const char *key, const char *fallback)
{
	return persona_text(persona, key, fallback);
}

static void write_password(const struct persona *persona, const char *label, struct writer *out)
{
	static const char letters[] =
		"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#-_+";
	uint8_t bytes[PASSWORD_LENGTH];

	persona_derive(persona, label, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		writer_u8(out, (uint8_t)letters[bytes[i] % (sizeof(letters) - 1)]);
}

static void make_readme(const struct persona *persona, struct writer *out)
{
	writer_format(out,
		      "%s - file exchange\n\n"
		      "Partners put their files here; they are picked up every night at %02d:15.\n"
		      "Please do not remove anything from backup/.\n\n"
		      "Questions: %s\n",
		      text_of(persona, "organization.name", "File server"),
		      (int)persona_derive_number(persona, "ftp.readme.hour", 1, 4),
		      text_of(persona, "site.contact", "it@localhost"));
}

static void make_notes(const struct persona *persona, struct writer *out)
{
	writer_format(out,
		      "todo\n- move %s to the new rack\n- database password is still the one in "
		      "config.php.bak, change it!!\n- vpn user for the tax people: extern%d / ",
		      persona_host_name(persona),
		      (int)persona_derive_number(persona, "ftp.notes.user", 1, 40));
	write_password(persona, "ftp.notes.password", out);
	writer_format(out,
		      "\n- call %s about invoice %d\n- restore test of backup/ (last one failed)\n",
		      text_of(persona, "organization.city", "the branch"),
		      (int)persona_derive_number(persona, "ftp.notes.invoice", 20000, 79999));
}

static void make_config(const struct persona *persona, struct writer *out)
{
	const char *slug = text_of(persona, "organization.slug", "portal");

	writer_format(
		out,
		"<?php\n// %s\n$config['db_host'] = '10.%d.%d.%d';\n$config['db_name'] = '%s';\n"
		"$config['db_user'] = '%s_app';\n$config['db_pass'] = '",
		persona_host_name(persona), (int)persona_derive_number(persona, "ftp.net.a", 1, 60),
		(int)persona_derive_number(persona, "ftp.net.b", 0, 250),
		(int)persona_derive_number(persona, "ftp.net.c", 2, 250), slug, slug);
	write_password(persona, "ftp.config.database", out);
	writer_text(out, "';\n$config['smtp_pass'] = '");
	write_password(persona, "ftp.config.smtp", out);
	writer_text(out, "';\n$config['admin_user'] = 'admin';\n$config['admin_pass'] = '");
	write_password(persona, "ftp.config.admin", out);
	writer_text(out, "';\n$config['debug'] = false;\n");
}

static const char *const first_names[] = {
	"Anna",  "Boris", "Carla", "David", "Elena", "Frank", "Greta", "Hugo",   "Irene", "Jonas",
	"Karin", "Luca",  "Marta", "Nils",  "Olga",  "Paul",  "Rosa",  "Stefan", "Tina",  "Viktor",
};
static const char *const last_names[] = {
	"Albrecht", "Bergman",  "Castelli", "Dumont",   "Eriksen",  "Fontaine", "Garland",
	"Hoekstra", "Ivarsson", "Jansen",   "Kowalski", "Lindner",  "Moreau",   "Novak",
	"Oakley",   "Petersen", "Quinn",    "Rossi",    "Sandberg", "Thornton",
};

/* example.* is reserved (RFC 2606): nobody real gets mail or blame. */
static void write_customer(struct writer *out, size_t i, const uint8_t random[8])
{
	const char *first = first_names[random[0] % ARRAY_COUNT(first_names)];
	const char *last = last_names[random[1] % ARRAY_COUNT(last_names)];

	writer_format(out, "%zu;%s;%s;%s.%s%u@example.%s;%u;%u.%02u\n",
		      1000 + i * 3 + random[2] % 3u, first, last, first, last, random[3] % 100u,
		      random[4] & 1 ? "com" : "net", 10000u + random[5] * 331u, random[6] * 37u,
		      random[7] % 100u);
}

static void make_customers(const struct persona *persona, struct writer *out)
{
	int64_t count = persona_derive_number(persona, "ftp.customers.count", 180, 420);
	char label[40];
	uint8_t random[8];

	writer_text(out, "id;first_name;last_name;email;zip;balance\n");
	for (int64_t i = 0; i < count; i++) {
		snprintf(label, sizeof(label), "ftp.customer.%d", (int)i);
		persona_derive(persona, label, random, sizeof(random));
		write_customer(out, (size_t)i, random);
	}
}

static void make_users(const struct persona *persona, struct writer *out)
{
	int64_t count = persona_derive_number(persona, "ftp.users.count", 8, 24);
	char label[40];
	uint8_t random[18];

	writer_text(out,
		    "-- table users\nINSERT INTO `users` (`id`,`login`,`hash`,`role`) VALUES\n");
	for (int64_t i = 0; i < count; i++) {
		snprintf(label, sizeof(label), "ftp.user.%d", (int)i);
		persona_derive(persona, label, random, sizeof(random));
		writer_format(out, "(%d,'%c%s','", (int)i + 1,
			      first_names[random[0] % ARRAY_COUNT(first_names)][0] | 0x20,
			      last_names[random[1] % ARRAY_COUNT(last_names)]);
		writer_hex(out, slice_of(random + 2, 16));
		writer_format(out, "','%s')%s\n", i == 0 ? "admin" : "user",
			      i + 1 < count ? "," : ";");
	}
}

const struct ftp_bait ftp_baits[] = {
	{"/backup", NULL},
	{"/backup/users.sql", make_users},
	{"/config.php.bak", make_config},
	{"/customers.csv", make_customers},
	{"/notes.txt", make_notes},
	{"/readme.txt", make_readme},
};
const size_t ftp_bait_count = ARRAY_COUNT(ftp_baits);

uint64_t ftp_bait_size(const struct persona *persona, size_t index)
{
	struct writer out = writer_growing(FTP_FILE_MAX);
	uint64_t size = 4096; /* of a folder, on ext4 */

	if (ftp_baits[index].make) {
		ftp_baits[index].make(persona, &out);
		size = out.length;
	}
	writer_free(&out);
	return size;
}

int64_t ftp_bait_modified(const struct persona *persona, size_t index)
{
	char label[64];

	snprintf(label, sizeof(label), "ftp.modified.%s", ftp_baits[index].path);
	return OLDEST + persona_derive_number(persona, label, 0, AGE_SPAN_MINUTES) * MINUTE +
	       persona_derive_number(persona, label, 0, 59) * SECOND;
}
