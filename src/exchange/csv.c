/* CSV; see csv.h. */
#include "exchange/csv.h"

/* A quoted cell from behind its opening quote; moves *record to behind the closing one. */
static int take_quoted(struct slice *record, struct slice *cell, struct writer *scratch)
{
	size_t start = scratch->length;

	for (;;) {
		size_t quote = slice_find_byte(*record, '"');

		if (quote == SIZE_MAX)
			return -1;
		writer_bytes(scratch, slice_first(*record, quote));
		*record = slice_from(*record, quote + 1);
		if (record->length == 0 || record->at[0] != '"')
			break;
		writer_u8(scratch, '"');
		*record = slice_from(*record, 1);
	}
	if (scratch->failed || (record->length && record->at[0] != ','))
		return -1;
	*cell = slice_of(scratch->at + start, scratch->length - start);
	return 0;
}

int csv_split(struct slice record, struct slice cells[CSV_COLUMNS_MAX], struct writer *scratch)
{
	int count = 0;
	bool more = true;

	writer_clear(scratch);
	/* All room at once: the cells point into it. */
	if (!writer_reserve(scratch, record.length + 1))
		return -1;
	while (more) {
		size_t comma;

		if (count == CSV_COLUMNS_MAX)
			return -1;
		if (record.length && record.at[0] == '"') {
			record = slice_from(record, 1);
			if (take_quoted(&record, &cells[count++], scratch) < 0)
				return -1;
			more = record.length > 0;
			record = slice_from(record, 1);
			continue;
		}
		comma = slice_find_byte(record, ',');
		cells[count++] = slice_first(record, comma);
		more = comma != SIZE_MAX;
		if (more)
			record = slice_from(record, comma + 1);
	}
	return count;
}

void csv_cell(struct writer *out, struct slice text, bool first)
{
	struct writer safe = writer_growing((size_t)16 << 20);

	if (!first)
		writer_u8(out, ',');
	writer_printable(&safe, text);
	writer_u8(out, '"');
	if (safe.length && strchr("=+-@", safe.at[0]))
		writer_u8(out, '\'');
	for (size_t i = 0; i < safe.length; i++) {
		if (safe.at[i] == '"')
			writer_u8(out, '"');
		writer_u8(out, safe.at[i]);
	}
	writer_u8(out, '"');
	writer_free(&safe);
}
