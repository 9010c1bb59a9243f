/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* A file in memory, which can be opened by its name again and again. */
const char *fuzz_file(const void *data, size_t size);

/**
 * fuzz_memory() - have memory for all but one of what is asked for from now on
 * @fail: counted from 1; 0: none
 *
 * Asked for by the sources that are fuzzed, and not by libraries.
 */
void fuzz_memory(size_t fail);

/* There is memory again. Return: how often it was asked for. */
size_t fuzz_memory_end(void);

/* One of 1 to n, the same for the same input; 0 of none. */
size_t fuzz_choose(const void *data, size_t size, size_t n);

#endif /* FUZZ_H */
