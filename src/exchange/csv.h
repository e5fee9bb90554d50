/* CSV (RFC 4180): records in, records out. */
#ifndef EXCHANGE_CSV_H
#define EXCHANGE_CSV_H

#include "base/bytes.h"

#define CSV_COLUMNS_MAX 256

/* Splits one record (quotes may hold commas and doubled quotes). Cells that need unquoting are
 * written into scratch, whose memory they borrow. Returns the number of cells, or -1 when a quote
 * does not close or there are too many. */
MUST_CHECK int csv_split(struct slice record, struct slice cells[CSV_COLUMNS_MAX],
			 struct writer *scratch);

/* Appends a cell. Control bytes and what is not text become \xNN; a cell that a spreadsheet would
 * run as a formula gets an apostrophe in front. */
void csv_cell(struct writer *out, struct slice text, bool first);

#endif
