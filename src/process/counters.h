/* Counters that every process can read and only their owner can write: what /metrics and
 * sensor.status show.
 *
 * One table in shared memory: a row a process, a column a counter; rows and columns are named when
 * it is made. Each row has pages of its own, and counters_narrow takes the right to write all
 * others away for good, so that a process taken over by an attacker can lie only about itself.
 */
#ifndef PROCESS_COUNTERS_H
#define PROCESS_COUNTERS_H

#include "base/bytes.h"

#define COUNTERS_MAX      256 /* columns */
#define COUNTERS_ROWS_MAX 128 /* rows: the supervisor's and one for each process it may have */

struct counters;

/* What the supervisor knows about a process; row 0, the supervisor's own, tells about itself. */
struct counters_status {
	int32_t pid;   /* 0 while it waits to be restarted */
	bool started;  /* 1 once it reported that it works */
	int64_t since; /* wall clock of its last fork, microseconds */
	uint64_t deaths;
	uint64_t refused; /* messages from it that broke the form */
};

/* Names are borrowed and must outlive the table. NULL with errno on failure. */
struct counters *counters_make(const char *const *rows, size_t row_count,
			       const char *const *columns, size_t column_count);
void counters_free(struct counters *counters);
/* Keeps only one row writable in this process; cannot be undone. -1 with errno. */
MUST_CHECK int counters_narrow(struct counters *counters, size_t row);

size_t counters_rows(const struct counters *counters);
size_t counters_columns(const struct counters *counters);
const char *counters_row_name(const struct counters *counters, size_t row);
const char *counters_column_name(const struct counters *counters, size_t column);

/* Rows and columns out of range read as zero; they and rows that are not one's own are not written.
 */
uint64_t counters_read(const struct counters *counters, size_t row, size_t column);
void counters_add(struct counters *counters, size_t row, size_t column, uint64_t delta);
void counters_set(struct counters *counters, size_t row, size_t column, uint64_t value);

struct counters_status counters_status(const struct counters *counters, size_t row);
/* The supervisor's part: the status table is read-only to everyone else. */
void counters_set_status(struct counters *counters, size_t row,
			 const struct counters_status *status);

#endif
