/* What the fuzz targets share when they play without libFuzzer. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"

/* FUZZ_SEED, a number: other mutations. */
static inline uint64_t fuzz_seed(uint64_t standard)
{
	const char *text = getenv("FUZZ_SEED");

	return text ? strtoull(text, NULL, 10) : standard;
}

/* FUZZ_CORPUS, a folder: keeps the input there, for libFuzzer to begin with. */
static inline void fuzz_keep(struct slice input, const char *kind, unsigned long number)
{
	const char *folder = getenv("FUZZ_CORPUS");
	char path[512];
	FILE *file;

	if (!folder)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s-%lu", folder, kind, number);
	file = fopen(path, "wb");
	if (!file || fwrite(input.at, 1, input.length, file) != input.length || fclose(file) != 0)
		fatal("cannot write %s", path);
}

#endif
