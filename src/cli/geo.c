/* sundew geo: makes the table of networks from CSV files; scripts/geo-fetch calls it. */
#include <stdio.h>

#include "base/log.h"
#include "cli/command.h"
#include "store/asn_table.h"

static int run_geo(const struct invocation *invocation)
{
	FILE *ipv4 = fopen(invocation->words[0], "r"), *ipv6 = fopen(invocation->words[1], "r");
	FILE *out = fopen(invocation->words[2], "wb");
	long rows = -1;

	if (!ipv4 || !ipv6 || !out)
		log_error("cannot open the files: %m");
	else
		rows = asn_table_make(ipv4, ipv6, invocation->words[3], out);
	if (ipv4)
		fclose(ipv4);
	if (ipv6)
		fclose(ipv6);
	if (out && fclose(out) != 0)
		rows = -1;
	if (rows < 0) {
		log_error("cannot make %s", invocation->words[2]);
		return EXIT_TROUBLE;
	}
	printf("%ld ranges in %s\n", rows, invocation->words[2]);
	return EXIT_GOOD;
}

const struct command command_geo = {
	.name = "geo",
	.summary = "Make the table of networks from CSV files (scripts/geo-fetch does)",
	.arguments = "IPV4.csv IPV6.csv OUTPUT DESCRIPTION",
	.words_min = 4,
	.words_max = 4,
	.run = run_geo,
};
