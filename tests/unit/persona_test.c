/* Personas: choices, references, stability, and what the shipped ones must and must not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/persona.h"

#define INSTALLED ((int64_t)1700000000 * SECOND)

static void make_secret(uint8_t secret[PERSONA_SECRET_LENGTH], unsigned seed)
{
	memset(secret, 7, PERSONA_SECRET_LENGTH);
	memcpy(secret, &seed, sizeof(seed));
}

static struct persona *persona_of(const char *text, unsigned seed, char **why)
{
	char path[] = "persona_test.XXXXXX";
	uint8_t secret[PERSONA_SECRET_LENGTH];
	struct persona *persona;
	int file = mkstemp(path);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
	make_secret(secret, seed);
	persona = persona_read(path, secret, INSTALLED, why);
	unlink(path);
	return persona;
}

static struct persona *shipped(const char *name, unsigned seed)
{
	const char *root = getenv("SUNDEW_SOURCE");
	uint8_t secret[PERSONA_SECRET_LENGTH];
	char path[4096], *why;
	struct writer w = writer_fixed(path, sizeof(path));
	struct persona *persona;

	writer_format(&w, "%s/share/personas/%s.yaml", root ? root : ".", name);
	make_secret(secret, seed);
	persona = persona_read(path, secret, INSTALLED, &why);
	if (!persona)
		fail_msg("%s", why);
	return persona;
}

static void test_reading(void **state)
{
	char *why;
	struct persona *p =
		persona_of("a:\n  b: 12\n  c: \"<${a.b}>\"\n  none:\nd: \"${a.c}${a.c}\"\n"
			   "yes: no\nhex: \"${hex.16}\"\nn: \"${number.5-7}\"\n"
			   "host: {name: alpha}\n",
			   1, &why);

	if (!p)
		fail_msg("%s", why);
	assert_string_equal(persona_text(p, "a.b", ""), "12");
	assert_int_equal(persona_number(p, "a.b", 0), 12);
	assert_int_equal(persona_number(p, "a.c", -1), -1);
	assert_string_equal(persona_text(p, "d", ""), "<12><12>");
	assert_string_equal(persona_text(p, "yes", ""), "no");
	assert_string_equal(persona_text(p, "a.none", "x"), "x");
	assert_null(persona_text(p, "a", NULL));
	assert_int_equal(strlen(persona_text(p, "hex", "")), 16);
	assert_in_range(persona_number(p, "n", 0), 5, 7);
	assert_string_equal(persona_host_name(p), "alpha");
	persona_free(p);
}

static void assert_refused(const char *text, const char *message)
{
	char *why = NULL;
	struct persona *p = persona_of(text, 1, &why);

	assert_null(p);
	if (!why || !strstr(why, message))
		fail_msg("%s", why ? why : "no message");
	free(why);
}

static void test_errors(void **state)
{
	char *why;
	uint8_t secret[PERSONA_SECRET_LENGTH] = {0};

	assert_refused("a: 1\nb: x${ac}", ":2: '${ac}' stands for a key that is not there "
					  "(did you mean 'a'?)");
	assert_refused("a: [x, '${nothing.there}', y, z]\n", ":1: '${nothing.there}' stands for");
	assert_refused("a: '${b'\nb: 1", ":1: '${' without '}'");
	assert_refused("a: '${b}'\nb: '${a}'", ":1: the references of 'a' go in a circle");
	assert_refused("a: []", ":1: 'a' has nothing to choose from");
	assert_refused("a: {b: 1}\na.b: 2", ":2: 'a.b' was given in line 1 already");
	assert_refused("a: *b", "aliases");
	assert_refused(
		"a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nb: '${a}${a}${a}${a}${a}${a}${a}${a}'\n"
		"c: '${b}${b}${b}${b}${b}${b}${b}${b}'\nd: '${c}${c}${c}${c}${c}${c}${c}${c}'\n"
		"e: '${d}${d}'",
		"more than 16384 bytes");
	assert_null(persona_read("no/such.yaml", secret, 0, &why));
	assert_non_null(strstr(why, "no/such.yaml: cannot be read"));
	free(why);
}

static void test_depth(void **state)
{
	struct writer w = writer_growing(4096);
	char *why;

	for (int depth = 8; depth <= 9; depth++) {
		struct persona *p;

		writer_clear(&w);
		for (int i = 0; i < depth; i++)
			writer_format(&w, "k%d: '${k%d}'\n", i, i + 1);
		writer_format(&w, "k%d: end\n%c", depth, 0);
		p = persona_of((const char *)w.at, 1, &why);
		assert_int_equal(p != NULL, depth == 8);
		persona_free(p);
		free(why);
	}
	writer_free(&w);
}

static void test_choices_are_stable_and_vary(void **state)
{
	unsigned seen[4] = {0};
	char *why;

	for (unsigned seed = 0; seed < 200; seed++) {
		struct persona *p = persona_of("a: ['0', '1', '2', '3']", seed, &why);
		struct persona *again = persona_of("a: ['0', '1', '2', '3']", seed, &why);

		assert_string_equal(persona_text(p, "a", ""), persona_text(again, "a", ""));
		seen[persona_number(p, "a", 0)]++;
		persona_free(p);
		persona_free(again);
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 25, 75);
}

static void test_derive(void **state)
{
	uint8_t secret[PERSONA_SECRET_LENGTH], a[100], b[100];
	struct persona *p, *q;

	make_secret(secret, 1);
	p = persona_plain(secret, INSTALLED);
	make_secret(secret, 2);
	q = persona_plain(secret, INSTALLED);
	persona_derive(p, "x", a, sizeof(a));
	persona_derive(p, "x", b, sizeof(b));
	assert_memory_equal(a, b, sizeof(a));
	persona_derive(p, "y", b, sizeof(b));
	assert_memory_not_equal(a, b, 16);
	persona_derive(q, "x", b, sizeof(b));
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(a, a + 32, 32);
	assert_int_equal(persona_derive_number(p, "n", 5, 5), 5);
	assert_int_equal(persona_derive_number(p, "n", 5, 4), 5);
	(void)persona_derive_number(p, "n", INT64_MIN, INT64_MAX);
	assert_string_equal(persona_text(p, "ftp.banner", "fallback"), "fallback");
	assert_string_equal(persona_name(p), "plain");
	assert_true(strlen(persona_host_name(p)) > 3);
	persona_free(p);
	persona_free(q);
}

static void test_boot_time(void **state)
{
	uint8_t secret[PERSONA_SECRET_LENGTH];

	for (unsigned seed = 0; seed < 50; seed++) {
		struct persona *p;
		int64_t boot, previous = 0, reboots = 0;

		make_secret(secret, seed);
		p = persona_plain(secret, INSTALLED);
		boot = persona_boot_time(p, INSTALLED);
		assert_true(boot < INSTALLED - 14 * DAY && boot > INSTALLED - 60 * DAY);
		for (int64_t now = INSTALLED; now < INSTALLED + 1000 * DAY; now += DAY) {
			boot = persona_boot_time(p, now);
			assert_true(boot < now && boot >= previous);
			assert_true(now - boot <= 150 * DAY);
			reboots += boot != previous;
			previous = boot;
		}
		assert_in_range(reboots, 6, 20);
		assert_true(persona_boot_time(p, 5) < 5);
		assert_true(persona_boot_time(p, INT64_MAX) > 0);
		persona_free(p);
	}
}

/* Constants by which other honeypots are told (reference: what gives honeypots away). */
static const char *const giveaways[] = {
	"aaaaaaaa",
	"a4dfe80bf5c61e3a",
	"foobar123",
	"1729232896",
	"Technodrome",
	"Mouser Factory",
	"Venus",
	"88111222",
	"IM151-8",
	"CP 443-1 EX40",
	"SIMATIC",
	"Alerton",
	"1756-L61",
	"7079450",
	"9999FF1B",
	"AI21400",
	"OpenSSH_6.0p1",
	"OpenSSH_5.1p1",
	"9.2p1 Debian-2+deb12u3",
	"6.6.1p1 Ubuntu",
	"2.2.22 (Ubuntu)",
	"Microsoft FTP Server",
	"POP3 server ready",
	"IMAP4rev1 Server Ready",
	"5.7.16",
	"5.5.43",
	"starltexx",
	"Green Goblin",
	"89d3241",
	"6.5.6944.0",
	"HL-L2360",
	"schizo",
	"svr04",
	"nas3",
	"phil",
	"Nepenthes",
	"Welcome to the ftp",
	"dionaea",
	"cowrie",
	"honeypot",
};

static void test_shipped_files_hold_no_giveaways(void **state)
{
	static const char *const names[] = {"debian-server", "windows-database"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const char *root = getenv("SUNDEW_SOURCE");
		char path[4096], text[65536];
		struct writer w = writer_fixed(path, sizeof(path));
		size_t length;
		FILE *file;

		writer_format(&w, "%s/share/personas/%s.yaml", root ? root : ".", names[i]);
		file = fopen(path, "r");
		assert_non_null(file);
		length = fread(text, 1, sizeof(text), file);
		fclose(file);
		assert_in_range(length, 1000, sizeof(text) - 1);
		for (size_t k = 0; k < ARRAY_COUNT(giveaways); k++) {
			if (slice_contains_nocase(slice_of(text, length), giveaways[k]))
				fail_msg("%s holds '%s'", path, giveaways[k]);
		}
	}
}

static void assert_has(const struct persona *p, const char *const *keys)
{
	for (; *keys; keys++) {
		const char *text = persona_text(p, *keys, "");

		if (text[0] == 0 || strstr(text, "${"))
			fail_msg("%s: '%s' is '%s'", persona_name(p), *keys, text);
	}
}

/* Distinct host names among many installations. */
static size_t check_host_names(const char *persona, void (*check)(const struct persona *p))
{
	enum { INSTALLATIONS = 400 };
	char names[INSTALLATIONS][16];
	size_t count = 0;

	for (unsigned seed = 0; seed < INSTALLATIONS; seed++) {
		struct persona *p = shipped(persona, seed);
		const char *name = persona_host_name(p);
		bool known = false;

		assert_in_range(strlen(name), 3, 15);
		for (size_t i = 0; i < count; i++)
			known = known || strcmp(names[i], name) == 0;
		if (!known)
			memcpy(names[count++], name, strlen(name) + 1);
		check(p);
		persona_free(p);
	}
	return count;
}

static void check_debian(const struct persona *p)
{
	static const char *const keys[] = {"host.name",
					   "host.domain",
					   "host.issue",
					   "host.kernel",
					   "host.architecture",
					   "host.timezone",
					   "os.name",
					   "telnet.style",
					   "ftp.banner",
					   "ftp.style",
					   "http.server",
					   "http.style",
					   "http.title",
					   "redis.version",
					   "redis.build_id",
					   "sip.server",
					   "sip.style",
					   "ethereum.client",
					   "mssql.version",
					   "mssql.product",
					   "mssql.server_name",
					   "tls.organization",
					   "tls.country",
					   "tls.issuer",
					   NULL};
	const char *product = persona_text(p, "mssql.product", "");

	assert_has(p, keys);
	assert_int_equal(strcmp(persona_text(p, "http.style", ""), "nginx") == 0,
			 strncmp(persona_text(p, "http.server", ""), "nginx/", 6) == 0);
	assert_int_equal(strcmp(persona_text(p, "sip.style", ""), "kamailio") == 0,
			 strncmp(persona_text(p, "sip.server", ""), "kamailio", 8) == 0);
	assert_true(persona_text(p, "redis.version", "7")[0] < '7');
	assert_non_null(strstr(persona_text(p, "host.issue", ""), persona_host_name(p)));
	assert_non_null(strstr(product, persona_text(p, "mssql.version", "?")));
	assert_non_null(strstr(product, "on Linux (Debian GNU/Linux 12"));
	assert_string_equal(persona_text(p, "mssql.server_name", ""), persona_host_name(p));
	assert_int_equal(strlen(persona_text(p, "tls.country", "")), 2);
}

static void check_windows(const struct persona *p)
{
	static const char *const keys[] = {
		"host.name",        "host.domain",   "os.name",           "http.server",
		"mssql.version",    "mssql.product", "mssql.server_name", "mssql.instance",
		"tls.organization", "tls.country",   "tls.issuer",        NULL};

	assert_has(p, keys);
	assert_non_null(strstr(persona_text(p, "mssql.product", ""), "on Windows Server 2019"));
	assert_string_equal(persona_text(p, "http.server", ""), "Microsoft-IIS/10.0");
	assert_null(persona_text(p, "ftp.banner", NULL));
}

static void test_shipped(void **state)
{
	assert_in_range(check_host_names("debian-server", check_debian), 60, 400);
	assert_in_range(check_host_names("windows-database", check_windows), 60, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_choices_are_stable_and_vary),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_boot_time),
		cmocka_unit_test(test_shipped_files_hold_no_giveaways),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
