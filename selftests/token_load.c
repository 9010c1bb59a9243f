// SPDX-License-Identifier: GPL-2.0
/*
 * Load for the owner tables of a cluster: tokens appear on one node as if its
 * connections had just been accepted (kmod/selftest_learn.c), and it is measured
 * when the kernels of other nodes know them. Nodes are named by their network
 * namespaces, the node's id stands before each: "1:/run/netns/n1".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libmlb.h"

static const char usage[] =
"usage: token_load run [options] SOURCE OBSERVER...\n"
"  -r RATE    tokens a second (1000)\n"
"  -n N       tokens (10 s of them); SIGTERM ends it sooner\n"
"  -s FIRST   number of the first one (0)\n"
"  -i MS      from one sample to the next (5)\n"
"  -w MS      longest wait at the end until the observers have all (30000)\n"
"       token_load drop NODE\n"
"             all tokens that were made are given up\n"
"       token_load await [-w MS] [-d SLACK] SOURCE OBSERVER...\n"
"             until the observers have as many of the source's, but for SLACK\n"
"       token_load same NODE NODE...\n"
"             whether the nodes' tables are the same\n"
"       token_load cpu PID...\n"
"             CPU time that each has used, us\n";

#define LEARN "/proc/thread-self/net/mlb_learn"
#define PAGE_TOKENS 1000 /* in one write, which is less than a page */
#define NODES_MAX 8
#define NS_PER_S 1000000000ull
#define TURN_NS 1000000ull

struct node {
	uint16_t id;
	int learn;
	struct mlb *mlb;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "token_load: %s: %s\n", what, strerror(error));
	exit(1);
}

static void bad_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void sleep_until(uint64_t at)
{
	struct timespec ts = { at / NS_PER_S, at % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Handles and files stay in the namespace in which they were opened. */
static struct node node_open(const char *arg)
{
	struct node node = {};
	char *path;
	int fd, ret;

	node.id = strtoul(arg, &path, 10);
	if (!node.id || *path++ != ':')
		bad_usage();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path, errno);
	close(fd);
	ret = mlb_open(&node.mlb);
	if (ret)
		die(path, -ret);
	node.learn = open(LEARN, O_RDWR | O_CLOEXEC);
	if (node.learn < 0)
		die(LEARN, errno);
	return node;
}

static size_t nodes_open(struct node *nodes, char **args)
{
	size_t n = 0;

	for (; args[n]; n++) {
		if (n == NODES_MAX)
			bad_usage();
		nodes[n] = node_open(args[n]);
	}
	return n;
}

/* How many entries of the node @id this one has. */
static uint32_t owners_of(const struct node *at, uint16_t id)
{
	struct mlb_node node;
	int ret = mlb_node_get(at->mlb, id, &node);

	if (ret)
		die(mlb_last_error(at->mlb)->text, -ret);
	return node.owners;
}

/* Like a hash, and no two numbers have the same; 0 alone has 0. */
static uint32_t token_of(uint32_t number)
{
	uint32_t x = number + 1;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

struct sample {
	uint32_t token;
	uint64_t born;
};

/* What one observer has seen of the samples, which come in their order. */
struct seen {
	const struct node *node;
	size_t n;
	uint64_t *after;
};

struct run {
	uint64_t rate, total, first, sample_ns, wait_ns;
	struct node nodes[NODES_MAX];
	size_t n_observers;
	struct seen seen[NODES_MAX];
	struct sample *samples;
	size_t n_samples, room;
	uint64_t begun, ended, made, next_sample;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void run_make(struct run *r, uint64_t n)
{
	uint32_t tokens[PAGE_TOKENS];
	uint64_t now = now_ns();

	for (uint64_t i = 0; i < n; i++)
		tokens[i] = token_of(r->first + r->made + i);
	if (now >= r->next_sample && r->n_samples < r->room) {
		r->samples[r->n_samples++] =
			(struct sample){ tokens[n - 1], now };
		r->next_sample = now + r->sample_ns;
	}
	if (write(r->nodes[0].learn, tokens, n * sizeof(*tokens)) !=
	    (ssize_t)(n * sizeof(*tokens)))
		die(LEARN, errno);
	r->made += n;
}

/* Return: whether the observer has all samples. */
static bool run_look(struct run *r, struct seen *seen)
{
	struct mlb_owner owner;

	while (seen->n < r->n_samples) {
		const struct sample *sample = &r->samples[seen->n];
		int ret = mlb_owner_get(seen->node->mlb, sample->token, &owner);

		if (ret == -ENOENT)
			return false;
		if (ret)
			die("owner get", -ret);
		seen->after[seen->n++] = now_ns() - sample->born;
	}
	return true;
}

static bool run_look_all(struct run *r)
{
	bool all = true;

	for (size_t i = 0; i < r->n_observers; i++)
		if (!run_look(r, &r->seen[i]))
			all = false;
	return all;
}

/* How many tokens the last of the observers has not. */
static uint32_t behind(struct run *r)
{
	uint32_t have = owners_of(&r->nodes[0], r->nodes[0].id), most = 0;

	for (size_t i = 0; i < r->n_observers; i++) {
		uint32_t n = owners_of(&r->nodes[1 + i], r->nodes[0].id);

		if (have > n && have - n > most)
			most = have - n;
	}
	return most;
}

static void run_load(struct run *r)
{
	uint64_t turn = now_ns();

	r->begun = turn;
	while (r->made < r->total && !stopped) {
		uint64_t due = (now_ns() - r->begun) * r->rate / NS_PER_S + 1;

		if (due > r->total)
			due = r->total;
		while (r->made < due) {
			uint64_t n = due - r->made;

			run_make(r, n < PAGE_TOKENS ? n : PAGE_TOKENS);
		}
		run_look_all(r);
		turn += TURN_NS;
		if (turn < now_ns())
			turn = now_ns();
		else
			sleep_until(turn);
	}
	r->ended = now_ns();
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void run_report(struct run *r, uint32_t at_end, uint32_t missing,
		       uint64_t drained)
{
	uint64_t *all = calloc(r->n_samples * r->n_observers + 1, sizeof(*all));
	uint64_t took = r->ended - r->begun;
	size_t n = 0;

	if (!all)
		die("samples", ENOMEM);
	for (size_t i = 0; i < r->n_observers; i++) {
		memcpy(all + n, r->seen[i].after,
		       r->seen[i].n * sizeof(*all));
		n += r->seen[i].n;
	}
	qsort(all, n, sizeof(*all), by_value);
	printf("tokens=%llu ms=%llu rate=%llu samples=%zu unseen=%zu "
	       "p50=%llu p99=%llu worst=%llu behind=%u missing=%u drained=%llu\n",
	       (unsigned long long)r->made, (unsigned long long)took / 1000000,
	       (unsigned long long)(r->made * NS_PER_S / (took ? took : 1)), n,
	       r->n_samples * r->n_observers - n,
	       (unsigned long long)(n ? all[n / 2] / 1000 : 0),
	       (unsigned long long)(n ? all[n * 99 / 100] / 1000 : 0),
	       (unsigned long long)(n ? all[n - 1] / 1000 : 0), at_end, missing,
	       (unsigned long long)drained / 1000000);
	free(all);
}

static int run(struct run *r)
{
	uint32_t at_end, missing;
	uint64_t turn;

	r->room = r->total * NS_PER_S / r->rate / r->sample_ns + 1000;
	r->samples = calloc(r->room, sizeof(*r->samples));
	for (size_t i = 0; i < r->n_observers; i++) {
		r->seen[i].node = &r->nodes[1 + i];
		r->seen[i].after = calloc(r->room, sizeof(uint64_t));
		if (!r->samples || !r->seen[i].after)
			die("samples", ENOMEM);
	}
	signal(SIGTERM, stop);
	run_load(r);
	at_end = behind(r);
	turn = r->ended;
	while ((!run_look_all(r) || (missing = behind(r))) &&
	       now_ns() < r->ended + r->wait_ns)
		sleep_until(turn += TURN_NS);
	missing = behind(r);
	run_report(r, at_end, missing, now_ns() - r->ended);
	return missing ? 1 : 0;
}

static int drop(const struct node *node)
{
	const uint32_t none = 0;

	if (write(node->learn, &none, sizeof(none)) != sizeof(none))
		die(LEARN, errno);
	return 0;
}

static int await(struct run *r, uint32_t slack)
{
	uint64_t begun = now_ns();
	uint32_t missing;

	while ((missing = behind(r)) > slack && now_ns() < begun + r->wait_ns)
		sleep_until(now_ns() + 10 * TURN_NS);
	printf("ms=%llu missing=%u\n",
	       (unsigned long long)(now_ns() - begun) / 1000000, missing);
	return missing > slack ? 1 : 0;
}

struct table {
	uint64_t *entries;
	size_t n, room;
};

static int take_entry(const struct mlb_owner *owner, void *arg)
{
	struct table *t = arg;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 4096;
		t->entries = reallocarray(t->entries, t->room,
					  sizeof(*t->entries));
		if (!t->entries)
			die("table", ENOMEM);
	}
	t->entries[t->n++] = (uint64_t)owner->token << 32 |
			     (uint32_t)owner->rival << 16 | owner->node;
	return 0;
}

static struct table table_read(const struct node *node)
{
	struct table table = {};
	int ret = mlb_owner_each(node->mlb, 0, take_entry, &table);

	if (ret)
		die("owner list", -ret);
	if (table.n)
		qsort(table.entries, table.n, sizeof(uint64_t), by_value);
	return table;
}

/* How many entries only one of them has. */
static size_t tables_differ(const struct table *a, const struct table *b)
{
	size_t i = 0, j = 0, same = 0;

	while (i < a->n && j < b->n) {
		uint64_t x = a->entries[i], y = b->entries[j];

		same += x == y;
		i += x <= y;
		j += y <= x;
	}
	return a->n + b->n - 2 * same;
}

static int same(const struct node *nodes, size_t n)
{
	struct table first = table_read(&nodes[0]);
	size_t differ = 0;

	for (size_t i = 1; i < n; i++) {
		struct table other = table_read(&nodes[i]);

		differ += tables_differ(&first, &other);
		free(other.entries);
	}
	printf("entries=%zu differ=%zu\n", first.n, differ);
	free(first.entries);
	return differ ? 1 : 0;
}

/* More exact than the ticks that /proc tells. */
static int cpu(char **pids)
{
	for (; *pids; pids++) {
		struct timespec ts;
		clockid_t clock;
		int ret = clock_getcpuclockid(atoi(*pids), &clock);

		if (ret || clock_gettime(clock, &ts))
			die(*pids, ret ? ret : errno);
		printf("%llu%c", (unsigned long long)ts.tv_sec * 1000000 +
		       ts.tv_nsec / 1000, pids[1] ? ' ' : '\n');
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct run r = { .rate = 1000, .sample_ns = 5, .wait_ns = 30000 };
	uint32_t slack = 0;
	const char *what;
	size_t n;
	int c;

	if (argc < 2)
		bad_usage();
	what = argv[1];
	argv++;
	argc--;
	while ((c = getopt(argc, argv, "r:n:s:i:w:d:")) != -1) {
		uint64_t v = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (c) {
		case 'r': r.rate = v; break;
		case 'n': r.total = v; break;
		case 's': r.first = v; break;
		case 'i': r.sample_ns = v; break;
		case 'w': r.wait_ns = v; break;
		case 'd': slack = v; break;
		default: bad_usage();
		}
	}
	if (!r.rate || !r.sample_ns || optind == argc)
		bad_usage();
	if (!r.total)
		r.total = 10 * r.rate;
	r.sample_ns *= 1000000;
	r.wait_ns *= 1000000;
	if (!strcmp(what, "cpu"))
		return cpu(argv + optind);
	n = nodes_open(r.nodes, argv + optind);
	r.n_observers = n - 1;
	if (!strcmp(what, "drop") && n == 1)
		return drop(r.nodes);
	if (!strcmp(what, "same") && n > 1)
		return same(r.nodes, n);
	if (!strcmp(what, "run"))
		return run(&r);
	if (!strcmp(what, "await"))
		return await(&r, slack);
	bad_usage();
}
