/* Countries, networks, and their absence. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/asn_table.h"
#include "store/country.h"
#include "store/geo.h"

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(slice_text(text), &parsed), 0);
	return parsed;
}

static void test_countries_are_sorted_and_on_earth(void **state)
{
	size_t count = 0;

	for (; countries[count].code[0]; count++) {
		const struct country *country = &countries[count];

		if (count > 0)
			assert_true(strcmp(countries[count - 1].code, country->code) < 0);
		assert_true(country->latitude >= -90 && country->latitude <= 90);
		assert_true(country->longitude >= -180 && country->longitude <= 180);
		assert_ptr_equal(country_find(slice_text(country->code)), country);
	}
	assert_true(count >= 249);
	assert_null(country_find(SLICE("ZZ")));
	assert_null(country_find(SLICE("")));
	assert_null(country_find(SLICE("DEU")));
	assert_string_equal(country_name("DE"), "Germany");
	assert_string_equal(country_name("ZZ"), "ZZ");
	assert_string_equal(country_name(""), "unknown");
}

static void test_absent_data_is_no_error(void **state)
{
	static const char *const folders[] = {NULL, "/nonexistent/geo"};

	for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
		struct geo *geo = geo_open(folders[i]);
		struct address one = address("192.0.2.1");
		struct place place;

		assert_non_null(geo);
		assert_false(geo_has_data(geo));
		assert_non_null(strstr(geo_description(geo), "no GeoIP data"));
		geo_find(geo, &one, &place);
		assert_string_equal(place.country, "");
		assert_false(place.has_location);
		assert_int_equal(place.asn, 0);
		geo_close(geo);
	}
	geo_close(NULL);
}

static FILE *csv(const char *text)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	fputs(text, file);
	rewind(file);
	return file;
}

static struct asn_table *make_table(const char *ipv4, const char *ipv6, long rows)
{
	FILE *files[2] = {csv(ipv4), csv(ipv6)};
	char path[] = "/tmp/sundew-asn-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	struct asn_table *table;

	assert_non_null(out);
	assert_int_equal(asn_table_make(files[0], files[1], "made for a test", out), rows);
	fclose(out);
	fclose(files[0]);
	fclose(files[1]);
	table = asn_table_open(AT_FDCWD, path);
	unlink(path);
	return table;
}

static void expect(const struct asn_table *table, const char *text, uint32_t number,
		   const char *name)
{
	struct address one = address(text);
	const char *found;

	assert_int_equal(asn_table_find(table, &one, &found), number);
	assert_string_equal(found, name);
}

static void test_network_table(void **state)
{
	struct asn_table *table;

	log_open("test", LOG_LEVEL_ERROR, false);
	table = make_table("192.0.2.0,192.0.2.127,64500,\"One, \"\"Two\"\" Ltd\"\n"
			   "rubbish\n"
			   "198.51.100.0,198.51.100.255,64501,Three\n"
			   "203.0.113.0,255.255.255.255,64500,ignored\n",
			   "2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,64502,Six\n", 4);
	assert_non_null(table);
	expect(table, "192.0.2.0", 64500, "One, \"Two\" Ltd");
	expect(table, "192.0.2.127", 64500, "One, \"Two\" Ltd");
	expect(table, "192.0.2.128", 0, "");
	expect(table, "192.0.1.255", 0, "");
	expect(table, "198.51.100.7", 64501, "Three");
	expect(table, "255.255.255.255", 64500, "One, \"Two\" Ltd");
	expect(table, "0.0.0.0", 0, "");
	expect(table, "2001:db8::1", 64502, "Six");
	expect(table, "2001:db8:1::", 0, "");
	assert_string_equal(asn_table_description(table), "made for a test");
	asn_table_close(table);
}

static void test_broken_table_is_refused(void **state)
{
	char path[] = "/tmp/sundew-asn-XXXXXX";
	int fd = mkstemp(path);
	static const char almost[64] = "SUNDEWAS\1\0\0\0\377\377\377\377";

	assert_null(asn_table_open(AT_FDCWD, path));
	assert_int_equal(write(fd, almost, sizeof(almost)), sizeof(almost));
	assert_null(asn_table_open(AT_FDCWD, path));
	close(fd);
	unlink(path);
	assert_null(asn_table_open(AT_FDCWD, path));
}

/* With the data of scripts/geo-fetch, where it is. */
static void test_real_data(void **state)
{
	const char *source = getenv("SUNDEW_SOURCE");
	struct address dns = address("8.8.8.8"), china = address("218.92.0.1");
	struct address six = address("2001:4860:4860::8888"), local = address("10.0.0.1");
	char folder[512];
	struct place place;
	struct geo *geo;

	snprintf(folder, sizeof(folder), "%s/.geo", source ? source : ".");
	geo = geo_open(folder);
	assert_non_null(geo);
	if (!geo_has_data(geo)) {
		geo_close(geo);
		print_message("no data in .geo: run scripts/geo-fetch\n");
		skip();
	}
	assert_non_null(strstr(geo_description(geo), "built 20"));
	geo_find(geo, &dns, &place);
	assert_string_equal(place.country, "US");
	assert_int_equal(place.asn, 15169);
	assert_true(place.as_name[0]);
	assert_true(place.has_location);
	geo_find(geo, &china, &place);
	assert_string_equal(place.country, "CN");
	geo_find(geo, &six, &place);
	assert_string_equal(place.country, "US");
	assert_int_equal(place.asn, 15169);
	geo_find(geo, &local, &place);
	assert_string_equal(place.country, "");
	geo_close(geo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_countries_are_sorted_and_on_earth),
		cmocka_unit_test(test_absent_data_is_no_error),
		cmocka_unit_test(test_network_table),
		cmocka_unit_test(test_broken_table_is_refused),
		cmocka_unit_test(test_real_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
