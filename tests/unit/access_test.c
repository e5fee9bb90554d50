/* Access policy: rules, the default policy against crowds of guessers, and the shared memory. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decoy/access.h"
#include "decoy/access_memory.h"
#include "decoy/access_rule.h"

#define NOON ((int64_t)1700000000 / 86400 * DAY + 12 * HOUR)

static const uint64_t key[2] = {1, 2};

static const char *const top_passwords[] = {
	"123456",   "password", "12345678",   "qwerty",    "123456789", "12345",    "1234",
	"111111",   "1234567",  "dragon",     "123123",    "baseball",  "abc123",   "football",
	"monkey",   "letmein",  "696969",     "shadow",    "master",    "666666",   "qwertyuiop",
	"123321",   "mustang",  "1234567890", "michael",   "654321",    "superman", "1qaz2wsx",
	"7777777",  "121212",   "000000",     "qazwsx",    "123qwe",    "killer",   "trustno1",
	"jordan",   "jennifer", "zxcvbnm",    "asdfgh",    "hunter",    "buster",   "soccer",
	"harley",   "batman",   "andrew",     "tigger",    "sunshine",  "iloveyou", "2000",
	"charlie",  "robert",   "thomas",     "hockey",    "ranger",    "daniel",   "starwars",
	"klaster",  "112233",   "george",     "computer",  "michelle",  "jessica",  "pepper",
	"1111",     "zxcvbn",   "555555",     "11111111",  "131313",    "freedom",  "777777",
	"pass",     "maggie",   "159753",     "aaaaaa",    "ginger",    "princess", "joshua",
	"cheese",   "amanda",   "summer",     "love",      "ashley",    "nicole",   "chelsea",
	"matthew",  "access",   "yankees",    "987654321", "dallas",    "austin",   "thunder",
	"taylor",   "matrix",   "admin",      "root",      "toor",      "vizxv",    "xc3511",
	"changeme", "P@ssw0rd",
};

struct table {
	void *mapped;
	struct access_memory *memory;
};

static struct table table_new(void)
{
	struct table t;

	t.mapped = mmap(NULL, access_memory_size(), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(t.mapped != MAP_FAILED);
	t.memory = access_memory_at(t.mapped, key);
	return t;
}

static void table_free(struct table *t)
{
	munmap(t->mapped, access_memory_size());
}

static struct access_try try_of(uint32_t source, const char *user, const char *password)
{
	return (struct access_try){.protocol = "telnet",
				   .source = address_v4(source),
				   .user = slice_text(user),
				   .password = slice_text(password),
				   .password_known = true,
				   .now = NOON};
}

static struct access_decision decide(const struct access_policy *policy, struct table *t,
				     uint32_t source, const char *user, const char *password)
{
	struct access_try attempt = try_of(source, user, password);

	return access_decide(policy, t->memory, &attempt);
}

struct rules {
	struct config *config;
	struct access_policy *policy;
};

static struct rules rules_of(const char *text)
{
	struct rules r = {config_parse(slice_text(text), "x.yaml"), NULL};

	r.policy = access_policy_take(r.config, config_child(config_root(r.config), "access"),
				      ACCESS_AS_CONFIGURED);
	assert_non_null(r.policy);
	if (config_finish(r.config))
		fail_msg("%s", config_error_text(r.config, 0));
	return r;
}

static void rules_free(struct rules *r)
{
	access_policy_free(r->policy);
	config_free(r->config);
}

static void test_outcomes(void **state)
{
	struct rules r = rules_of("access:\n- {name: no, users: [bad*], outcome: refuse}\n"
				  "- {name: yes, users: guest, outcome: accept, depth: login}\n"
				  "- {name: keep, users: k?, outcome: remember, depth: root}\n"
				  "- {name: after, users: [a], outcome: accept-after, after: 2}\n"
				  "- {name: rest}\n");
	struct table t = table_new();
	struct access_decision d = decide(r.policy, &t, 1, "badger", "x");

	assert_false(d.allowed);
	assert_string_equal(d.rule, "no");
	assert_int_equal(d.tries, 1);
	d = decide(r.policy, &t, 1, "guest", "x");
	assert_true(d.allowed && d.depth == ACCESS_LOGIN && d.tries == 2);
	assert_string_equal(d.rule, "yes");
	d = decide(r.policy, &t, 1, "guest", "x");
	assert_true(d.allowed && d.tries == 2);
	d = decide(r.policy, &t, 2, "ka", "1");
	assert_true(d.allowed && d.depth == ACCESS_ROOT);
	d = decide(r.policy, &t, 2, "ka", "1");
	assert_string_equal(d.rule, "remembered");
	assert_true(d.allowed && d.depth == ACCESS_ROOT);
	assert_false(decide(r.policy, &t, 2, "ka", "2").allowed);
	assert_false(decide(r.policy, &t, 3, "a", "1").allowed);
	assert_false(decide(r.policy, &t, 3, "a", "1").allowed);
	assert_false(decide(r.policy, &t, 3, "a", "2").allowed);
	assert_false(decide(r.policy, &t, 3, "a", "1").allowed); /* failed once, fails always */
	assert_true(decide(r.policy, &t, 3, "a", "3").allowed);
	assert_true(decide(r.policy, &t, 3, "a", "3").allowed);
	assert_false(decide(r.policy, &t, 3, "a", "4").allowed);
	d = decide(r.policy, &t, 4, "other", "x");
	assert_false(d.allowed);
	assert_string_equal(d.rule, "rest");
	table_free(&t);
	rules_free(&r);
}

static void test_conditions(void **state)
{
	struct rules r = rules_of("access:\n- {name: net, sources: [192.0.2.0/24, "
				  "'2001:db8::/32'], outcome: accept}\n"
				  "- {name: proto, protocols: [ftp, ssh], outcome: accept}\n"
				  "- {name: night, users: [n], hours: 22-6, outcome: accept}\n"
				  "- {name: day, users: [d], hours: 8-18, outcome: accept}\n"
				  "- {name: word, passwords: [secret], outcome: accept}\n"
				  "- {name: third, users: [t], tries: 3-, outcome: accept}\n"
				  "- {name: odd, users: [p*], plausible: no, outcome: accept}\n"
				  "- {name: half, users: [half], chance: 0.5, outcome: accept}\n"
				  "- {name: rest}\n");
	struct table t = table_new();
	struct access_try a = try_of(0xc0000205, "x", "y");
	unsigned lucky = 0;

	assert_true(access_decide(r.policy, t.memory, &a).allowed);
	assert_int_equal(address_parse(SLICE("2001:db8::7"), &a.source), 0);
	assert_true(access_decide(r.policy, t.memory, &a).allowed);
	a = try_of(5, "x", "y");
	assert_false(access_decide(r.policy, t.memory, &a).allowed);
	a.protocol = "ssh";
	assert_true(access_decide(r.policy, t.memory, &a).allowed);
	for (int hour = 0; hour < 24; hour++) {
		a = try_of(6, "n", "y");
		a.now = NOON - 12 * HOUR + hour * HOUR;
		assert_int_equal(access_decide(r.policy, t.memory, &a).allowed,
				 hour >= 22 || hour < 6);
		a.user = SLICE("d");
		assert_int_equal(access_decide(r.policy, t.memory, &a).allowed,
				 hour >= 8 && hour < 18);
	}
	a = try_of(7, "x", "secret");
	assert_true(access_decide(r.policy, t.memory, &a).allowed);
	a.password_known = false;
	assert_false(access_decide(r.policy, t.memory, &a).allowed);
	assert_false(decide(r.policy, &t, 8, "t", "1").allowed);
	assert_false(decide(r.policy, &t, 8, "t", "2").allowed);
	assert_true(decide(r.policy, &t, 8, "t", "3").allowed);
	assert_false(decide(r.policy, &t, 9, "p", "1").allowed);
	assert_true(decide(r.policy, &t, 9, "p", "xK9mQ2vL8pR4tZ").allowed);
	for (uint32_t source = 1000; source < 2000; source++) {
		bool first = decide(r.policy, &t, source, "half", "x").allowed;

		lucky += first;
		assert_int_equal(decide(r.policy, &t, source, "half", "x").allowed, first);
	}
	assert_in_range(lucky, 420, 580);
	table_free(&t);
	rules_free(&r);
}

static void test_wrong_rules(void **state)
{
	static const char *const cases[][2] = {
		{"{name: a, hours: 8-25}", "x.yaml:2: access[].hours must be a number or a range"},
		{"{name: a, tries: 9-3}", "x.yaml:2: access[].tries must be a number or a range"},
		{"{name: a, after: x}", "x.yaml:2: access[].after must be a number or a range"},
		{"{name: a, hours: ''}", "x.yaml:2: access[].hours must be a number or a range"},
		{"{name: a, chance: 1.5}",
		 "x.yaml:2: access[].chance must be a number from 0 to 1"},
		{"{name: a, sources: [1.2.3.4/33]}", "x.yaml:2: access[].sources must be networks"},
		{"{name: a, outcome: accept, depth: none}",
		 "x.yaml:2: a rule that lets somebody in"},
		{"{name: a, outcme: accept}", "unknown name 'outcme' (did you mean 'outcome'?)"},
		{"text", "x.yaml:2: access[] must be made of lines"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[256];
		struct writer w = writer_fixed(text, sizeof(text));
		struct access_policy *policy;
		struct config *config;

		writer_format(&w, "access:\n- %s\n", cases[i][0]);
		config = config_parse(writer_slice(&w), "x.yaml");
		policy = access_policy_take(config, config_child(config_root(config), "access"),
					    ACCESS_AS_CONFIGURED);
		assert_int_equal(config_finish(config), 1);
		if (!strstr(config_error_text(config, 0), cases[i][1]))
			fail_msg("%s", config_error_text(config, 0));
		access_policy_free(policy);
		config_free(config);
	}
}

static void test_override(void **state)
{
	struct access_policy *always = access_policy_take(NULL, NULL, ACCESS_ALWAYS);
	struct access_policy *never = access_policy_take(NULL, NULL, ACCESS_NEVER);
	struct table t = table_new();
	struct access_decision d = decide(always, &t, 1, "root", "");

	assert_true(d.allowed && d.depth == ACCESS_ROOT);
	for (int i = 0; i < 100; i++)
		assert_false(decide(never, &t, 1, "root", top_passwords[i]).allowed);
	access_policy_free(always);
	access_policy_free(never);
	table_free(&t);
}

static void test_glob(void **state)
{
	assert_true(access_rule_glob("", SLICE("")));
	assert_true(access_rule_glob("*", SLICE("")));
	assert_true(access_rule_glob("a*b*c", SLICE("axxbyybzzc")));
	assert_false(access_rule_glob("a*b*c", SLICE("axxbyybzz")));
	assert_true(access_rule_glob("a?c", SLICE("abc")));
	assert_false(access_rule_glob("a?", SLICE("a")));
	assert_false(access_rule_glob("a", SLICE("ab")));
	assert_false(access_rule_glob("a", slice_of("a\0", 2)));
}

/* A thousand guessers go through a word list of a hundred as root, or as a user. */
static void simulate(struct access_policy *policy, const char *user, uint32_t base)
{
	struct table t = table_new();
	unsigned inside = 0, roots = 0, earliest = 1000, latest = 0;

	for (uint32_t source = base; source < base + 1000; source++) {
		for (unsigned i = 0; i < ARRAY_COUNT(top_passwords); i++) {
			struct access_decision d =
				decide(policy, &t, source, user, top_passwords[i]);

			if (!d.allowed)
				continue;
			inside++;
			roots += d.depth == ACCESS_ROOT;
			earliest = i + 1 < earliest ? i + 1 : earliest;
			latest = i + 1 > latest ? i + 1 : latest;
			for (int again = 0; again < 3; again++) {
				struct access_decision same =
					decide(policy, &t, source, user, top_passwords[i]);

				assert_true(same.allowed && same.depth == d.depth);
			}
			assert_false(decide(policy, &t, source, user, "another").allowed);
			assert_false(decide(policy, &t, source, user, top_passwords[0]).allowed);
			break;
		}
	}
	/* A thousand in 32768 places: next to none is forgotten on the way. */
	assert_in_range(inside, 990, 1000);
	assert_in_range(earliest, 5, 8);
	assert_in_range(latest, 13, 20);
	if (strcmp(user, "root") == 0)
		assert_in_range(roots, 500, 750);
	else
		assert_int_equal(roots, 0);
	table_free(&t);
}

static void test_default_policy(void **state)
{
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);

	simulate(policy, "root", 0x0a000000);
	simulate(policy, "oracle", 0x0b000000);
	access_policy_free(policy);
}

static void test_crude_scanners_stay_outside(void **state)
{
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct table t = table_new();

	for (uint32_t source = 1; source < 500; source++) {
		/* Few pairs, over and over. */
		for (int i = 0; i < 40; i++)
			assert_false(decide(policy, &t, source, "root", top_passwords[10 + i % 4])
					     .allowed);
	}
	access_policy_free(policy);
	table_free(&t);
}

static void test_random_pairs_never_get_in(void **state)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct table t = table_new();
	uint64_t random = 88172645463325252;

	for (int round = 0; round < 5000; round++) {
		char text[2][33] = {{0}, {0}};

		for (int i = 0; i < 64; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			text[i / 32][i % 32] = letters[random % (sizeof(letters) - 1)];
		}
		assert_false(
			decide(policy, &t, 1 + (uint32_t)round % 50, text[0], text[1]).allowed);
	}
	assert_false(decide(policy, &t, 1, "root", "\x01\x02zz").allowed);
	access_policy_free(policy);
	table_free(&t);
}

static void test_responses(void **state)
{
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct table t = table_new();
	unsigned first = 0;

	for (unsigned i = 1; i <= 30; i++) {
		char response[17];
		struct writer w = writer_fixed(response, sizeof(response));
		struct access_try a = try_of(77, "100", response);
		struct access_decision d;

		writer_format(&w, "%016x", i);
		a.password = writer_slice(&w);
		a.password_known = false;
		d = access_decide(policy, t.memory, &a);
		if (d.allowed && !first)
			first = i;
		assert_int_equal(d.allowed, first != 0);
	}
	assert_in_range(first, 5, 14);
	access_policy_free(policy);
	table_free(&t);
}

static void test_without_memory(void **state)
{
	struct rules r = rules_of("access: {name: a, chance: 0.5, outcome: accept}");
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct access_try a = try_of(1, "root", "vizxv");

	for (int i = 0; i < 50; i++)
		assert_false(access_decide(policy, NULL, &a).allowed);
	(void)access_decide(r.policy, NULL, &a);
	access_policy_free(policy);
	rules_free(&r);
}

static void test_survives_restart(void **state)
{
	struct rules r = rules_of("access: {name: keep, outcome: remember, depth: root}");
	char path[] = "access_test.XXXXXX";
	static const uint64_t other[2] = {3, 4};
	int file = mkstemp(path);

	assert_true(file >= 0);
	unlink(path);
	assert_int_equal(ftruncate(file, (off_t)access_memory_size()), 0);
	for (int round = 0; round < 3; round++) {
		struct table t;
		struct access_decision d;

		t.mapped = mmap(NULL, access_memory_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
				file, 0);
		assert_true(t.mapped != MAP_FAILED);
		t.memory = access_memory_at(t.mapped, round == 2 ? other : key);
		d = decide(r.policy, &t, 9, "a", "b");
		assert_true(d.allowed);
		assert_string_equal(d.rule, round == 1 ? "remembered" : "keep");
		table_free(&t);
	}
	close(file);
	rules_free(&r);
}

static void test_eviction(void **state)
{
	struct table t = table_new();
	struct access_hold hold;

	/* One more than a bucket has ways: the one seen longest ago goes. */
	for (uint64_t i = 0; i <= ACCESS_WAYS; i++) {
		access_memory_hold(t.memory, 5 + i * ACCESS_BUCKETS, NOON + (int64_t)i * SECOND,
				   &hold);
		assert_int_equal(hold.trace.tries, 0);
		access_memory_see(&hold.trace, 42);
		access_memory_release(&hold);
	}
	for (uint64_t i = ACCESS_WAYS + 1; i-- > 0;) {
		access_memory_hold(t.memory, 5 + i * ACCESS_BUCKETS, NOON + MINUTE, &hold);
		assert_int_equal(hold.trace.tries, i > 0);
		assert_int_equal(access_memory_has_seen(&hold.trace, 42), i > 0);
		if (i > 0)
			access_memory_release(&hold);
	}
	access_memory_release(&hold);
	table_free(&t);
}

/* The time of a lock that nobody gives back. */
static void test_lock_is_taken_over(void **state)
{
	struct table t = table_new();
	struct access_hold dead, hold;
	int64_t start;

	access_memory_hold(t.memory, 5, NOON, &dead); /* never released */
	start = clock_monotonic();
	access_memory_hold(t.memory, 5, NOON, &hold);
	assert_non_null(hold.bucket);
	assert_true(clock_monotonic() - start < 5 * SECOND);
	access_memory_see(&hold.trace, 1);
	dead.trace.tries = 99;
	access_memory_release(&dead); /* too late: it is no longer its */
	access_memory_release(&hold);
	access_memory_hold(t.memory, 5, NOON, &hold);
	assert_int_equal(hold.trace.tries, 1);
	access_memory_release(&hold);
	table_free(&t);
}

_Noreturn static void hammer(const struct access_policy *policy, struct table *t, unsigned rounds,
			     unsigned seed)
{
	for (unsigned i = 0; rounds == 0 || i < rounds; i++) {
		char password[16];
		struct writer w = writer_fixed(password, sizeof(password));
		struct access_try a = try_of(i * 7 % 64, "user", "");

		writer_format(&w, "p%u", (i * 31 + seed) % 1000);
		a.password = writer_slice(&w);
		(void)access_decide(policy, t->memory, &a);
	}
	_exit(0);
}

static void test_many_processes(void **state)
{
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct table t = table_new();
	pid_t steady[4];
	int status;

	for (unsigned i = 0; i < 4; i++) {
		steady[i] = fork();
		assert_true(steady[i] >= 0);
		if (steady[i] == 0)
			hammer(policy, &t, 20000, i);
	}
	for (unsigned i = 0; i < 40; i++) {
		pid_t victim = fork();

		assert_true(victim >= 0);
		if (victim == 0)
			hammer(policy, &t, 0, i);
		usleep(1000 + i * 37); /* long enough to be in the middle of something */
		kill(victim, SIGKILL);
		assert_int_equal(waitpid(victim, &status, 0), victim);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(waitpid(steady[i], &status, 0), steady[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	for (uint32_t source = 0; source < 64; source++)
		assert_true(decide(policy, &t, source, "user", "p1").tries > 4);
	access_policy_free(policy);
	table_free(&t);
}

static void test_damaged_table(void **state)
{
	struct access_policy *policy = access_policy_take(NULL, NULL, ACCESS_AS_CONFIGURED);
	struct table t = table_new();
	struct access_decision d;

	for (int round = 0; round < 8; round++) {
		uint8_t *bytes = t.mapped;
		size_t header = round % 2 ? 0 : 64;

		if (round % 4 < 2)
			random_bytes(bytes + header, access_memory_size() - header);
		else
			memset(bytes + header, 0xff, access_memory_size() - header);
		t.memory = access_memory_at(t.mapped, key);
		for (uint32_t source = 0; source < 300; source++) {
			d = decide(policy, &t, source, "root", "vizxv");
			assert_true(d.depth <= ACCESS_ROOT && d.rule);
			assert_int_equal(d.allowed, d.depth != ACCESS_NONE);
		}
	}
	access_policy_free(policy);
	table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_wrong_rules),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_default_policy),
		cmocka_unit_test(test_crude_scanners_stay_outside),
		cmocka_unit_test(test_random_pairs_never_get_in),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_survives_restart),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_lock_is_taken_over),
		cmocka_unit_test(test_many_processes),
		cmocka_unit_test(test_damaged_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
