// SPDX-License-Identifier: GPL-2.0
/*
 * Any text as mlb.conf: it is refused with a reason and a line, or each line of
 * it counts, and what it means, when written out, means the same.
 */
#include <ctype.h>

#include "config.h"
#include "config_read.h"
#include "fuzz.h"
#include "key_file.h"
#include "settings.h"
#include "text.h"

/* Instead of the file system, where a name could be that of a device. */
const char *key_file_read(const char *path, uint8_t key[MLB_KEY_LEN_MAX],
			  size_t *len)
{
	if (strcmp(path, "KEY"))
		return "is none";
	memset(key, 'k', MLB_KEY_LEN_MIN);
	*len = MLB_KEY_LEN_MIN;
	return NULL;
}

static void write_node(FILE *to, const struct config *config,
		       const struct mlb_node *node)
{
	char text[ADDR_TEXT];

	fprintf(to, "addr=%s\n", addr_text(&node->addr, text));
	if (config->engine == CONFIG_ENGINE_COROSYNC)
		return;
	fprintf(to, "weight=%u\nstate=%s\n", node->weight,
		word_of(node_state_words, node->state));
	if (node == &config->self)
		return;
	fprintf(to, "encap=%s\n", word_of(encap_words, node->encap));
	if (node->encap == MLB_ENCAP_GUE)
		fprintf(to, "port=%u\n", node->encap_port);
}

static void write_settings(FILE *to, const struct mlb_config *config)
{
	const struct arg *setting;

	fprintf(to, "[kernel]\n");
	for_each_setting(setting, config->fields) {
		uint32_t value = setting_get(config, setting);

		if (setting->type == ARG_WORD)
			fprintf(to, "%s=%s\n", setting->name,
				word_of(setting->words, value));
		else
			fprintf(to, "%s=%u\n", setting->name, value);
	}
}

static void write_service(FILE *to, const struct mlb_service *service, size_t i)
{
	char text[ENDPOINT_TEXT];

	fprintf(to, "[service %zu]\nvip=%s\nsched=%s\n", i,
		endpoint_text(&service->vip, text),
		word_of(scheduler_words, service->scheduler));
	for (size_t j = 0; j < service->n_nodes; j++)
		fprintf(to, "%s%u", j ? "," : "nodes=", service->nodes[j]);
	fputc('\n', to);
}

static void write_check(FILE *to, const struct config_check *check)
{
	const struct check_question *q = &check->question;
	char text[ENDPOINT_TEXT];

	fprintf(to, "[check %s]\nservice=%s\ntype=%s\nport=%u\n", check->name,
		endpoint_text(&q->service, text),
		word_of(check_type_words, q->type), q->target.port);
	if (!q->own)
		fprintf(to, "addr=%s\n", addr_text(&q->target.addr, text));
	fprintf(to, "interval=%u\ntimeout=%u\nrise=%u\nfall=%u\n",
		check->timing.interval, check->timing.timeout,
		check->timing.rise, check->timing.fall);
	if (q->type == CHECK_HTTP)
		fprintf(to, "path=%s\nstatus=%u-%u\n", q->path, q->status_min,
			q->status_max);
	if (q->host[0])
		fprintf(to, "host=%s\n", q->host);
	if (q->type == CHECK_COMMAND)
		fprintf(to, "command=%s\n", q->command);
}

static void write_vip(FILE *to, const struct config_vip *vip)
{
	char text[ADDR_TEXT];

	fprintf(to, "[vip %s]\naddr=%s\n", vip->name,
		addr_text(&vip->addr, text));
	if (vip->table)
		fprintf(to, "table=%u\n", vip->table);
	else
		fprintf(to, "dev=%s\nrole=%s\n", vip->dev, vip->role);
}

/* The caller frees it. */
static char *text_of(const struct config *config, size_t *size)
{
	char *text;
	FILE *to = open_memstream(&text, size);

	fprintf(to, "[cluster]\nengine=%s\nkey-file=KEY\nsync-tick=%u\n",
		config->engine == CONFIG_ENGINE_NONE ? "none" : "corosync",
		config->sync_tick);
	fprintf(to, "[daemon]\nstate-dir=%s\nsocket=%s\nmetrics-interval=%u\n",
		config->state_dir, config->socket, config->metrics_interval);
	if (config->metrics_file[0])
		fprintf(to, "metrics-file=%s\n", config->metrics_file);
	write_settings(to, &config->settings);
	fprintf(to, "[node]\nid=%u\n", config->self.id);
	write_node(to, config, &config->self);
	for (size_t i = 0; i < config->n_nodes; i++) {
		fprintf(to, "[node %u]\n", config->nodes[i].id);
		write_node(to, config, &config->nodes[i]);
	}
	for (size_t i = 0; i < config->n_services; i++)
		write_service(to, &config->services[i], i);
	for (size_t i = 0; i < config->n_checks; i++)
		write_check(to, &config->checks[i]);
	for (size_t i = 0; i < config->n_vips; i++)
		write_vip(to, &config->vips[i]);
	fclose(to);
	return text;
}

static void check_again(const struct config *config)
{
	struct config_error error;
	struct config *again;
	size_t len, len_again;
	char *text = text_of(config, &len), *text_again;

	if (config_load(fuzz_file(text, len), &again, &error)) {
		fprintf(stderr, "%s%u: %s\n", text, error.line, error.text);
		check(false, "what is written can be read");
	}
	text_again = text_of(again, &len_again);
	check(len == len_again && !memcmp(text, text_again, len),
	      "and means the same");
	check(!config_same_identity(config, again), "of the same node");
	check(config_has_dev(config) == config_has_dev(again),
	      "with addresses on interfaces, or without");
	config_free(again);
	free(text);
	free(text_again);
}

#define MARK "\xef\xbb\xbf"

/* Without what nobody sees: blanks that begin a line, and byte order marks. */
static uint8_t *bare(const uint8_t *data, size_t size, size_t *len)
{
	uint8_t *to = malloc(size + 1);
	bool first = true, begin = true;

	*len = 0;
	for (size_t at = 0; at < size; at++) {
		if (begin && data[at] != '\n' && isspace(data[at]))
			continue;
		if (begin && first && size - at >= 3 &&
		    !memcmp(data + at, MARK, 3)) {
			at += 2;
			continue;
		}
		to[(*len)++] = data[at];
		begin = data[at] == '\n';
		first &= !begin;
	}
	return to;
}

/* Headers and keys, of which there is one on every line that is not empty. */
static void count_lines(const uint8_t *data, size_t size, size_t *sections,
			size_t *keys)
{
	bool begin = true;

	*sections = 0;
	*keys = 0;
	for (; size; data++, size--) {
		if (begin && *data == '[')
			++*sections;
		else if (begin && !memchr("\n;#", *data, 3))
			++*keys;
		begin = *data == '\n';
	}
}

static void check_whole(const uint8_t *data, size_t size)
{
	size_t sections, keys, got = 0;
	struct config_error error;
	struct config_file file;

	check(!config_read(fuzz_file(data, size), &file, &error),
	      "what is good as a whole is good in itself");
	count_lines(data, size, &sections, &keys);
	for (size_t i = 0; i < file.n; i++)
		got += (size_t)__builtin_popcount(file.sections[i].given);
	check(file.n == sections, "no section is passed over");
	check(got == keys, "and no key");
	config_file_free(&file);
}

/* It is all the same to it, whether the file is refused or not. */
static void check_bare(const uint8_t *data, size_t size, bool good,
		       const struct config_error *error)
{
	struct config_error error_bare;
	struct config *config;
	size_t len;
	uint8_t *text = bare(data, size, &len);

	check(good == !config_load(fuzz_file(text, len), &config, &error_bare),
	      "blanks change no verdict");
	if (good)
		check_whole(text, len);
	else
		check(error->line == error_bare.line &&
			      !strcmp(error->text, error_bare.text),
		      "and no reason");
	config_free(config);
	free(text);
}

static void check_refusal(const uint8_t *data, size_t size,
			  const struct config_error *error)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	check(error->text[0], "a refusal says why");
	check(error->line <= lines, "and where");
	check(error->line || !strncmp(error->text, "there is no [", 13),
	      "if there is a where");
}

/* Whatever it had by then is freed. */
static void without_memory(const char *path, size_t fail)
{
	struct config_error error;
	struct config *config;

	fuzz_memory(fail);
	check(config_load(path, &config, &error) && error.text[0],
	      "what does not fit into memory is refused");
	fuzz_memory_end();
	check(!config, "and is not there");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	struct config_error error;
	struct config *config;
	size_t fail;
	int ret;

	fuzz_memory(0);
	ret = config_load(path, &config, &error);
	fail = fuzz_choose(data, size, fuzz_memory_end());
	if (fail)
		without_memory(path, fail);
	check(!ret == !!config, "what is refused is not there");
	check_bare(data, size, !ret, &error);
	if (ret)
		check_refusal(data, size, &error);
	else
		check_again(config);
	config_free(config);
	return 0;
}
