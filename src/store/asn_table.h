/* Which autonomous system an address belongs to: a table made once from CSV rows
 * (first address, last address, number, name), then mapped and searched.
 *
 * The file, all numbers little-endian:
 *   "SUNDEWAS", u32 version, u32 count of IPv4 rows, u32 of IPv6 rows, u32 of names, u32 bytes of
 * names IPv4 rows, by address: u32 first, u32 last, u32 name IPv6 rows, by address: u64 first, u64
 * last (upper halves; nobody routes less), u32 name, u32 0 names: u32 number of the system, u32
 * offset of its text (NUL-terminated) texts; the first is the description of the data
 */
#ifndef STORE_ASN_TABLE_H
#define STORE_ASN_TABLE_H

#include <stdio.h>

#include "base/address.h"

struct asn_table;

/* Maps the file; NULL when it is absent or not such a table. */
struct asn_table *asn_table_open(int folder_fd, const char *name);
void asn_table_close(struct asn_table *table);
/* The number, or 0; *name is its text, valid as long as the table. */
uint32_t asn_table_find(const struct asn_table *table, const struct address *address,
			const char **name);
/* Lets go of pages that were touched. */
void asn_table_rest(const struct asn_table *table);
/* Where and of when the data are. */
const char *asn_table_description(const struct asn_table *table);

/* Makes the table of the CSV files (NULL: none), which must be sorted as npm's are. Returns the
 * number of rows, or -1 after a log line. */
long asn_table_make(FILE *ipv4, FILE *ipv6, const char *description, FILE *out);

#endif
