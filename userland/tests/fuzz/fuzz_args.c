// SPDX-License-Identifier: GPL-2.0
/*
 * Words of a command line, each by itself and all of them together. What is
 * accepted can be written, and is read again as the same; numbers are judged
 * by the C library, too.
 */
#include <errno.h>

#include "args.h"
#include "fuzz.h"
#include "parse.h"
#include "text.h"

#define WORDS_MAX 48
#define LIST_TEXT (MLB_NODE_ID_MAX * sizeof("4095,"))

static void check_number(const char *s, uint32_t min, uint32_t max)
{
	unsigned long long value;
	uint32_t got = 0;
	char again[32];
	bool good;

	errno = 0;
	value = strtoull(s, NULL, 10);
	snprintf(again, sizeof(again), "%llu", value);
	good = !errno && value >= min && value <= max && !strcmp(s, again);
	check(parse_u32(s, min, max, &got) == good, "it is a number there");
	check(!good || got == value, "and that one");
}

static void check_token(const char *s)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *digits = hex ? s + 2 : s;
	unsigned long long value;
	uint32_t got = 0, again = 0;
	char text[16];
	bool good;

	errno = 0;
	value = strtoull(digits, NULL, hex ? 16 : 10);
	good = digits[0] && !errno && value <= UINT32_MAX &&
	       !digits[strspn(digits, hex ? "0123456789abcdefABCDEF" :
					    "0123456789")] &&
	       (hex || digits[0] != '0' || !digits[1]);
	check(parse_token(s, &got) == good, "it is a token");
	if (!good)
		return;
	check(got == value, "and that one");
	snprintf(text, sizeof(text), "0x%08x", got);
	check(parse_token(text, &again) && again == got,
	      "a token is read as it is written");
}

static bool same_addr(const struct mlb_addr *a, const struct mlb_addr *b)
{
	return a->family == b->family &&
	       !memcmp(&a->v6, &b->v6, a->family == AF_INET ? 4 : 16);
}

static bool same_end(const struct mlb_endpoint *a, const struct mlb_endpoint *b)
{
	return a->port == b->port && same_addr(&a->addr, &b->addr);
}

static void check_addr(const char *s)
{
	struct mlb_addr addr, again;
	char text[ADDR_TEXT];

	if (parse_addr(s, &addr)) {
		check(addr.family == AF_UNSPEC, "what is refused is none");
		return;
	}
	check(!parse_addr(addr_text(&addr, text), &again) &&
		      same_addr(&addr, &again),
	      "an address is read as it is written");
}

static void check_endpoint(const char *s)
{
	struct mlb_endpoint end, again;
	char text[ENDPOINT_TEXT];

	if (parse_endpoint(s, &end))
		return;
	check(end.port, "a port is not 0");
	check(!parse_endpoint(endpoint_text(&end, text), &again) &&
		      same_end(&end, &again),
	      "an endpoint is read as it is written");
}

static void check_flow(const char *s)
{
	struct mlb_endpoint src, dst, src_again, dst_again;
	char text[2 * ENDPOINT_TEXT], one[ENDPOINT_TEXT], two[ENDPOINT_TEXT];

	if (parse_flow(s, &src, &dst))
		return;
	snprintf(text, sizeof(text), "%s-%s", endpoint_text(&src, one),
		 endpoint_text(&dst, two));
	check(!parse_flow(text, &src_again, &dst_again) &&
		      same_end(&src, &src_again) && same_end(&dst, &dst_again),
	      "a flow is read as it is written");
}

static void client_text(const struct mlb_client *client, char *text)
{
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT];
	int n = sprintf(text, "%s-%s,", endpoint_text(&client->src, src),
			endpoint_text(&client->dst, dst));

	for (size_t i = 0; i < MLB_MPTCP_KEY_LEN; i++)
		n += sprintf(text + n, "%02x", client->key[i]);
}

static void check_client(const char *s)
{
	const struct mlb_client *client, *again;
	char text[2 * ENDPOINT_TEXT + 64];

	fuzz_memory(1);
	check(parse_client(s, &client), "there is no memory for a client");
	fuzz_memory(2);
	check(parse_client(s, &client), "or for some of it");
	fuzz_memory_end();
	if (parse_client(s, &client))
		return;
	client_text(client, text);
	check(!parse_client(text, &again) &&
		      same_end(&client->src, &again->src) &&
		      same_end(&client->dst, &again->dst) &&
		      !memcmp(client->key, again->key, sizeof(again->key)),
	      "a client is read as it is written");
	free((void *)(uintptr_t)client);
	free((void *)(uintptr_t)again);
}

static bool same_prefix(const struct mlb_prefix *a, const struct mlb_prefix *b)
{
	return a->len == b->len && same_addr(&a->addr, &b->addr);
}

static void check_prefix(const char *s)
{
	struct mlb_prefix prefix, again;
	char text[PREFIX_TEXT];

	if (parse_prefix(s, &prefix))
		return;
	check(prefix.len <= (prefix.addr.family == AF_INET ? 32 : 128),
	      "a length is none of another family");
	check(!parse_prefix(prefix_text(&prefix, text), &again) &&
		      same_prefix(&prefix, &again),
	      "a prefix is read as it is written");
}

static void check_prefixes(const char *s)
{
	struct mlb_prefix *list, *again;
	size_t n, n_again, used = 0;
	char *text, one[PREFIX_TEXT];

	fuzz_memory(1);
	check(parse_prefix_list(s, &list, &n) && !list && !n,
	      "there is no memory for a list");
	fuzz_memory_end();
	if (parse_prefix_list(s, &list, &n)) {
		check(!list && !n, "what is refused is empty");
		return;
	}
	text = malloc(n * PREFIX_TEXT + 1);
	for (size_t i = 0; i < n; i++)
		used += (size_t)sprintf(text + used, "%s%s", i ? "," : "",
					prefix_text(&list[i], one));
	check(!parse_prefix_list(text, &again, &n_again) && n == n_again,
	      "a list of prefixes is read as it is written");
	for (size_t i = 0; i < n; i++)
		check(same_prefix(&list[i], &again[i]), "in its order");
	free(text);
	free(list);
	free(again);
}

static void nodes_text(const struct node_list *list, const char *empty,
		       char text[LIST_TEXT])
{
	size_t used = 0;

	strcpy(text, empty);
	for (size_t i = 0; i < list->n; i++)
		used += (size_t)sprintf(text + used, "%s%u", i ? "," : "",
					list->id[i]);
}

static void check_nodes(const char *s)
{
	static struct node_list list, again;
	static char text[LIST_TEXT];

	if (!parse_node_list(s, &list)) {
		nodes_text(&list, "all", text);
		check(!strcmp(s, text), "nodes are written in one way");
	}
	if (!parse_pool_nodes(s, &again)) {
		nodes_text(&again, "none", text);
		check(!strcmp(s, text), "and those of a pool");
	}
}

struct values {
	uint32_t token;
	uint32_t number;
	uint16_t narrow;
	enum mlb_node_state state;
	struct mlb_addr addr;
	struct mlb_endpoint end;
	struct node_list nodes;
	const char *string;
	const struct mlb_client *client;
};

#define VALUE(kind, word, member) \
	.type = kind, .name = word, .value = "X", .help = "some", \
	.offset = offsetof(struct values, member)

enum {
	SEEN_TOKEN = 1 << 0,
	SEEN_NUMBER = 1 << 1,
	SEEN_NARROW = 1 << 2,
	SEEN_STATE = 1 << 3,
	SEEN_ADDR = 1 << 4,
	SEEN_END = 1 << 5,
	SEEN_NODES = 1 << 6,
	SEEN_STRING = 1 << 7,
	SEEN_CLIENT = 1 << 8,
	SEEN_FLAG = 1 << 9,
};

/* One of each type; two keywords that begin in the same way. */
static const struct arg table[] = {
	{ VALUE(ARG_TOKEN, "token", token), .field = SEEN_TOKEN,
	  .flags = ARG_POSITIONAL | ARG_OR_STDIN },
	{ VALUE(ARG_U32, "weight", number), .field = SEEN_NUMBER, .min = 10,
	  .max = 1000, .zero = true, .flags = ARG_REQUIRED },
	{ VALUE(ARG_U16, "port", narrow), .field = SEEN_NARROW, .min = 1,
	  .max = UINT16_MAX, .dash = 'p' },
	{ VALUE(ARG_WORD, "state", state), .field = SEEN_STATE,
	  .words = node_state_words },
	{ VALUE(ARG_ADDR, "addr", addr), .field = SEEN_ADDR },
	{ VALUE(ARG_ENDPOINT, "vip", end), .field = SEEN_END },
	{ VALUE(ARG_NODES, "nodes", nodes), .field = SEEN_NODES },
	{ VALUE(ARG_STRING, "string", string), .field = SEEN_STRING },
	{ VALUE(ARG_CLIENT, "client", client), .field = SEEN_CLIENT },
	{ .type = ARG_FLAG, .name = "all", .help = "every", .dash = 'a',
	  .field = SEEN_FLAG },
	{}
};

static size_t add(char **words, size_t n, const char *key, const char *value)
{
	if (key)
		words[n++] = strdup(key);
	if (value)
		words[n++] = strdup(value);
	return n;
}

/* Everything that was seen, in the order of the table. */
static size_t write_words(const struct values *v, unsigned int seen,
			  char **words)
{
	static char text[LIST_TEXT];
	size_t n = 0;

	snprintf(text, sizeof(text), "%u", v->token);
	n = add(words, n, NULL, text);
	snprintf(text, sizeof(text), "%u", v->number);
	n = add(words, n, "weight", text);
	snprintf(text, sizeof(text), "%u", v->narrow);
	if (seen & SEEN_NARROW)
		n = add(words, n, "-p", text);
	if (seen & SEEN_STATE)
		n = add(words, n, "state", word_of(node_state_words, v->state));
	if (seen & SEEN_ADDR)
		n = add(words, n, "addr", addr_text(&v->addr, text));
	if (seen & SEEN_END)
		n = add(words, n, "vip", endpoint_text(&v->end, text));
	if (seen & SEEN_NODES) {
		nodes_text(&v->nodes, "all", text);
		n = add(words, n, "nodes", text);
	}
	if (seen & SEEN_STRING)
		n = add(words, n, "string", v->string);
	if (seen & SEEN_CLIENT) {
		client_text(v->client, text);
		n = add(words, n, "client", text);
	}
	if (seen & SEEN_FLAG)
		n = add(words, n, "all", NULL);
	return n;
}

static void free_words(char **words, size_t n)
{
	while (n)
		free(words[--n]);
}

static void check_again(const struct values *values, unsigned int seen)
{
	static struct values again;
	char *words[24], *same[24], error[ARGS_ERROR_SIZE] = "";
	unsigned int seen_again;
	size_t n, n_same;

	memset(&again, 0, sizeof(again));
	n = write_words(values, seen, words);
	check(args_parse(table, (int)n, words, &again, &seen_again, error) &&
		      seen == seen_again,
	      "a command line is read as it is written");
	n_same = write_words(&again, seen, same);
	check(n == n_same, "with as many words");
	for (size_t i = 0; i < n; i++)
		check(!strcmp(words[i], same[i]), "which are the same");
	free((void *)(uintptr_t)again.client);
	free_words(words, n);
	free_words(same, n_same);
}

static void check_line(char *line)
{
	static struct values values;
	char *words[WORDS_MAX], *rest, *word, error[ARGS_ERROR_SIZE] = "";
	unsigned int seen;
	int n = 0;

	for (word = strtok_r(line, " \n", &rest); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \n", &rest))
		words[n++] = word;
	args_complete(table, n, words);
	memset(&values, 0, sizeof(values));
	if (!args_parse(table, n, words, &values, &seen, error))
		check(error[0], "a refusal says why");
	else if (seen == ARG_SEEN_STDIN)
		check(n == 1 && !strcmp(words[0], "-"), "\"-\" is alone");
	else
		check_again(&values, seen);
	free((void *)(uintptr_t)values.client);
}

static void check_word(const char *s)
{
	check_number(s, 0, UINT32_MAX);
	check_number(s, 1, UINT16_MAX);
	check_token(s);
	check_addr(s);
	check_endpoint(s);
	check_flow(s);
	check_client(s);
	check_prefix(s);
	check_prefixes(s);
	check_nodes(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = strndup((const char *)data, size);
	static bool silent;

	if (!silent)
		silent = freopen("/dev/null", "w", stdout);
	check_word(line);
	check_line(line);
	free(line);
	return 0;
}
