/* The table of sessions: found by both ends, not before its time, whole entries only. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/session_table.h"

static struct session_ends ends_number(unsigned number)
{
	struct session_ends ends = {.transport = 6};

	ends.peer.address = address_v4(0xc0000200 + number / 50000);
	ends.peer.port = (uint16_t)(1024 + number % 50000);
	ends.local.address = address_v4(0xc6336401);
	ends.local.port = 22;
	return ends;
}

static void name_number(unsigned number, char name[SESSION_NAME_LENGTH + 1])
{
	snprintf(name, SESSION_NAME_LENGTH + 1, "%026u", number);
}

static void a_session_is_found_by_its_ends(void **state)
{
	struct session_table *table = session_table_make();
	struct session_ends ends = ends_number(1), other = ends_number(2);
	char name[SESSION_NAME_LENGTH + 1], found[SESSION_NAME_LENGTH + 1];

	assert_non_null(table);
	name_number(1, name);
	assert_false(session_table_find(table, &ends, 0, found));
	session_table_put(table, &ends, 1000, name);
	assert_true(session_table_find(table, &ends, 0, found));
	assert_string_equal(found, name);
	assert_false(session_table_find(table, &other, 0, found));
	other = ends;
	other.transport = 17;
	assert_false(session_table_find(table, &other, 0, found));
	other = ends;
	other.local.port = 23;
	assert_false(session_table_find(table, &other, 0, found));
	session_table_put(NULL, &ends, 1000, name); /* nobody asks */
}

static void an_older_connection_of_the_same_ends_is_not_it(void **state)
{
	struct session_table *table = session_table_make();
	struct session_ends ends = ends_number(1);
	char name[SESSION_NAME_LENGTH + 1], found[SESSION_NAME_LENGTH + 1];

	assert_non_null(table);
	name_number(1, name);
	session_table_put(table, &ends, 1000, name);
	assert_true(session_table_find(table, &ends, 1000, found));
	assert_false(session_table_find(table, &ends, 1001, found));
	name_number(2, name);
	session_table_put(table, &ends, 2000, name);
	assert_true(session_table_find(table, &ends, 1001, found));
	assert_string_equal(found, name);
}

static void the_newest_stay(void **state)
{
	struct session_table *table = session_table_make();
	unsigned there = 0, many = 4 * SESSION_TABLE_SLOTS;
	char name[SESSION_NAME_LENGTH + 1], found[SESSION_NAME_LENGTH + 1];

	assert_non_null(table);
	for (unsigned i = 0; i < many; i++) {
		struct session_ends ends = ends_number(i);

		name_number(i, name);
		session_table_put(table, &ends, i + 1, name);
	}
	for (unsigned i = many - SESSION_TABLE_SLOTS / 4; i < many; i++) {
		struct session_ends ends = ends_number(i);

		if (!session_table_find(table, &ends, 0, found))
			continue;
		name_number(i, name);
		assert_string_equal(found, name);
		there++;
	}
	assert_true(there > SESSION_TABLE_SLOTS / 4 * 95 / 100);
}

/* Two writers fight for the same few entries; what the reader gets is one of what was put. */
static void a_reader_gets_whole_entries(void **state)
{
	struct session_table *table = session_table_make();
	unsigned found_some = 0;
	pid_t writers[2];

	assert_non_null(table);
	for (unsigned w = 0; w < 2; w++) {
		writers[w] = fork();
		assert_true(writers[w] >= 0);
		if (writers[w] == 0) {
			for (unsigned i = 0;; i++) {
				struct session_ends ends = ends_number(i % 8);
				char name[SESSION_NAME_LENGTH + 1];

				memset(name, 'A' + (int)(i * 2 + w) % 26, SESSION_NAME_LENGTH);
				name[SESSION_NAME_LENGTH] = '\0';
				session_table_put(table, &ends, i, name);
			}
		}
	}
	for (unsigned i = 0; i < 400000; i++) {
		struct session_ends ends = ends_number(i % 8);
		char name[SESSION_NAME_LENGTH + 1];

		if (!session_table_find(table, &ends, 0, name))
			continue;
		found_some++;
		assert_int_equal(strlen(name), SESSION_NAME_LENGTH);
	}
	for (unsigned w = 0; w < 2; w++) {
		kill(writers[w], SIGKILL);
		waitpid(writers[w], NULL, 0);
	}
	assert_true(found_some > 0);
}

static void who_only_reads_cannot_write(void **state)
{
	struct session_table *table = session_table_make();
	struct session_ends ends = ends_number(1);
	char name[SESSION_NAME_LENGTH + 1];
	int status;
	pid_t child;

	assert_non_null(table);
	name_number(1, name);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		if (session_table_seal(table) < 0)
			_exit(2);
		session_table_put(table, &ends, 1, name);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_found_by_its_ends),
		cmocka_unit_test(an_older_connection_of_the_same_ends_is_not_it),
		cmocka_unit_test(the_newest_stay),
		cmocka_unit_test(a_reader_gets_whole_entries),
		cmocka_unit_test(who_only_reads_cannot_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
