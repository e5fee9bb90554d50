/* Counters: a sealed memory file, mapped whole before the processes are forked.
 *
 *     | status of all rows, written by the supervisor | row 0 | row 1 | ...
 *
 * F_SEAL_FUTURE_WRITE lets the mapping made before the seal be written and no later one, so a row
 * that is mapped again read-only stays so, whatever the process does. Every part fills whole pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process/counters.h"

#define EVERY_ROW SIZE_MAX

struct status_words {
	_Atomic int64_t pid, started, since;
	_Atomic uint64_t deaths, refused;
};

struct counters {
	const char *const *rows, *const *columns;
	size_t row_count, column_count;
	size_t status_bytes, row_bytes;
	size_t own; /* the row that may be written, or EVERY_ROW */
	int descriptor;
	uint8_t *shared;
};

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static size_t shared_bytes(const struct counters *c)
{
	return c->status_bytes + c->row_count * c->row_bytes;
}

static _Atomic uint64_t *cell(const struct counters *c, size_t row, size_t column)
{
	if (row >= c->row_count || column >= c->column_count)
		return NULL;
	return (_Atomic uint64_t *)(void *)(c->shared + c->status_bytes + row * c->row_bytes) +
	       column;
}

static bool may_write(const struct counters *c, size_t row)
{
	return c->own == EVERY_ROW || c->own == row;
}

struct counters *counters_make(const char *const *rows, size_t row_count,
			       const char *const *columns, size_t column_count)
{
	struct counters *c;
	void *shared;

	if (row_count == 0 || row_count > COUNTERS_ROWS_MAX || column_count > COUNTERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	*c = (struct counters){
		.rows = rows,
		.columns = columns,
		.row_count = row_count,
		.column_count = column_count,
		.status_bytes = whole_pages(row_count * sizeof(struct status_words)),
		.row_bytes = whole_pages((column_count ? column_count : 1) * sizeof(uint64_t)),
		.own = EVERY_ROW,
	};
	c->descriptor = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->descriptor < 0)
		goto fail_memory;
	if (ftruncate(c->descriptor, (off_t)shared_bytes(c)) < 0)
		goto fail_file;
	shared = mmap(NULL, shared_bytes(c), PROT_READ | PROT_WRITE, MAP_SHARED, c->descriptor, 0);
	if (shared == MAP_FAILED)
		goto fail_file;
	c->shared = shared;
	if (fcntl(c->descriptor, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		goto fail_mapping;
	return c;

fail_mapping:
	munmap(c->shared, shared_bytes(c));
fail_file:
	close(c->descriptor);
fail_memory:
	free(c);
	return NULL;
}

void counters_free(struct counters *c)
{
	if (c == NULL)
		return;
	munmap(c->shared, shared_bytes(c));
	if (c->descriptor >= 0)
		close(c->descriptor);
	free(c);
}

static int map_read_only(const struct counters *c, size_t from, size_t to)
{
	void *mapped;

	if (from == to)
		return 0;
	mapped = mmap(c->shared + from, to - from, PROT_READ, MAP_SHARED | MAP_FIXED, c->descriptor,
		      (off_t)from);
	return mapped == MAP_FAILED ? -1 : 0;
}

int counters_narrow(struct counters *c, size_t row)
{
	size_t own = c->status_bytes + row * c->row_bytes;

	if (row >= c->row_count || c->descriptor < 0) {
		errno = EINVAL;
		return -1;
	}
	if (map_read_only(c, 0, own) < 0 ||
	    map_read_only(c, own + c->row_bytes, shared_bytes(c)) < 0)
		return -1;
	close(c->descriptor);
	c->descriptor = -1;
	c->own = row;
	return 0;
}

size_t counters_rows(const struct counters *c)
{
	return c->row_count;
}

size_t counters_columns(const struct counters *c)
{
	return c->column_count;
}

const char *counters_row_name(const struct counters *c, size_t row)
{
	return row < c->row_count ? c->rows[row] : NULL;
}

const char *counters_column_name(const struct counters *c, size_t column)
{
	return column < c->column_count ? c->columns[column] : NULL;
}

uint64_t counters_read(const struct counters *c, size_t row, size_t column)
{
	const _Atomic uint64_t *at = cell(c, row, column);

	return at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
}

void counters_add(struct counters *c, size_t row, size_t column, uint64_t delta)
{
	_Atomic uint64_t *at = cell(c, row, column);

	if (at && may_write(c, row))
		atomic_fetch_add_explicit(at, delta, memory_order_relaxed);
}

void counters_set(struct counters *c, size_t row, size_t column, uint64_t value)
{
	_Atomic uint64_t *at = cell(c, row, column);

	if (at && may_write(c, row))
		atomic_store_explicit(at, value, memory_order_relaxed);
}

static struct status_words *status_words(const struct counters *c, size_t row)
{
	return (struct status_words *)(void *)c->shared + row;
}

struct counters_status counters_status(const struct counters *c, size_t row)
{
	struct status_words *words;

	if (row >= c->row_count)
		return (struct counters_status){0};
	words = status_words(c, row);
	return (struct counters_status){
		.pid = (int32_t)words->pid,
		.started = words->started != 0,
		.since = words->since,
		.deaths = words->deaths,
		.refused = words->refused,
	};
}

void counters_set_status(struct counters *c, size_t row, const struct counters_status *status)
{
	struct status_words *words;

	if (row >= c->row_count || c->own != EVERY_ROW)
		return;
	words = status_words(c, row);
	words->pid = status->pid;
	words->started = status->started;
	words->since = status->since;
	words->deaths = status->deaths;
	words->refused = status->refused;
}
