// SPDX-License-Identifier: GPL-2.0
/*
 * A file for "mlbctl pool load": what is accepted is accepted again as the
 * lists print it, and is the same.
 */
#include "fuzz.h"
#include "pool_file.h"
#include "print.h"

/* The caller frees it. */
static char *text_of(const struct mlb_pools *pools, size_t *size)
{
	char *text;
	struct output out = { .file = open_memstream(&text, size) };

	for (size_t i = 0; i < pools->n_groups; i++) {
		out_begin(&out);
		print_group(&out, &pools->groups[i]);
		out_end(&out);
	}
	for (size_t i = 0; i < pools->n_pools; i++) {
		out_begin(&out);
		print_group_pool(&out, &pools->pools[i]);
		out_end(&out);
	}
	fclose(out.file);
	return text;
}

/* Whatever it had by then is freed. */
static void without_memory(const char *path, size_t fail)
{
	struct pool_file file = {};
	char error[ARGS_ERROR_SIZE] = "";

	fuzz_memory(fail);
	check(!pool_file_read(&file, path, error) && error[0],
	      "what does not fit into memory is refused");
	fuzz_memory_end();
	pool_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_file file = {}, again = {};
	char error[ARGS_ERROR_SIZE] = "", *text, *text_again;
	const char *path = fuzz_file(data, size);
	size_t len, len_again, fail;
	bool good;

	fuzz_memory(0);
	good = pool_file_read(&file, path, error);
	fail = fuzz_choose(data, size, fuzz_memory_end());
	if (fail)
		without_memory(path, fail);
	if (!good) {
		check(!strncmp(error, "line ", 5), "a refusal says where");
		pool_file_free(&file);
		return 0;
	}
	text = text_of(&file.pools, &len);
	check(pool_file_read(&again, fuzz_file(text, len), error),
	      "what is printed can be read");
	text_again = text_of(&again.pools, &len_again);
	check(len == len_again && !memcmp(text, text_again, len),
	      "and is the same");
	free(text);
	free(text_again);
	pool_file_free(&file);
	pool_file_free(&again);
	return 0;
}
