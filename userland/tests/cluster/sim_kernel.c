// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel of each node: its tables, its events, its snapshots, which are not
 * taken in one moment.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "ending.h"
#include "sim.h"
#include "sockets.h"
#include "text.h"

/* Pointers to nothing: the address is the number of the node. */
struct sim_node *sim_of_kernel(const struct kernel *kernel)
{
	return (struct sim_node *)(uintptr_t)kernel;
}

struct mlb *kernel_mlb(struct kernel *kernel)
{
	return (struct mlb *)kernel;
}

static struct sim_node *of_mlb(const struct mlb *mlb)
{
	return (struct sim_node *)(uintptr_t)mlb;
}

const struct kernel_state *kernel_state(const struct kernel *kernel)
{
	return &sim_of_kernel(kernel)->kernel.state;
}

const struct mlb_error *mlb_last_error(const struct mlb *mlb)
{
	return &of_mlb(mlb)->kernel.error;
}

int mlb_config_get(struct mlb *mlb, struct mlb_config *config)
{
	struct sim_kernel *k = &of_mlb(mlb)->kernel;

	memset(config, 0, sizeof(*config));
	if (k->keyed) {
		config->fields = MLB_F_CONFIG_KEY_ID;
		config->key_id[0] = k->key;
	}
	return 0;
}

int mlb_stats_get(struct mlb *mlb, struct mlb_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->value[MLB_A_STATS_OWNER_LEARNT] = of_mlb(mlb)->kernel.n_own;
	return 0;
}

int mlb_node_each(struct mlb *mlb, mlb_node_fn *fn, void *arg)
{
	struct sim_kernel *k = &of_mlb(mlb)->kernel;

	if (k->unlisted) {
		k->unlisted--;
		return -ENOMEM;
	}
	for (int i = 1; i <= SIM_NODES; i++)
		if (k->present[i])
			fn(&k->nodes[i], arg);
	return 0;
}

static bool find_claim(const struct sim_kernel *k, uint32_t token,
		       uint16_t node, size_t *at)
{
	for (*at = 0; *at < k->n_claims; ++*at)
		if (k->claims[*at].token == token &&
		    k->claims[*at].node == node)
			return true;
	return false;
}

bool sim_kernel_claims(const struct sim_node *node, uint32_t token,
		       uint16_t owner)
{
	size_t at;

	return find_claim(&node->kernel, token, owner, &at);
}

static void purge(struct sim_kernel *k, uint16_t node)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_claims; i++) {
		if (k->claims[i].node != node)
			k->claims[n++] = k->claims[i];
		else
			SIM_TRACE(k->claims[i].token, "node %u flushes",
				  sim.running);
	}
	k->n_claims = n;
}

static int refuse(struct sim_kernel *k, int error, const char *text)
{
	k->error.code = error;
	snprintf(k->error.text, sizeof(k->error.text), "%s", text);
	return -error;
}

/* Every third token's connection has a client that the token tells. It lives
 * until so many other tokens have been asked for.
 */
static const struct mlb_client *client_of(uint32_t token)
{
	static struct mlb_client clients[1 << 16];
	struct mlb_client *client = &clients[token % (1 << 16)];

	if (token % 3)
		return NULL;
	memset(client, 0, sizeof(*client));
	client->src.addr.family = token % 2 ? AF_INET : AF_INET6;
	client->dst.addr.family = client->src.addr.family;
	client->src.addr.v4.s_addr = token;
	client->dst.addr.v4.s_addr = ~token;
	client->src.port = (uint16_t)token;
	client->dst.port = 443;
	memcpy(client->key, &token, sizeof(token));
	return client;
}

/* What the owner's kernel told of a connection is what the others hear. */
static void check_client(const struct mlb_owner *entry)
{
	const struct mlb_client *want = client_of(entry->token);

	if (!want != !entry->client ||
	    (want && memcmp(want, entry->client, sizeof(*want))))
		fail_msg("seed %u, %llu ms: token %u of node %u has another client",
			 sim.seed, (unsigned long long)sim.now, entry->token,
			 entry->node);
}

int mlb_owner_add(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  unsigned int flags, size_t *done)
{
	struct sim_node *node = of_mlb(mlb);
	struct sim_kernel *k = &node->kernel;
	size_t at;

	(void)done;
	assert_int_equal(flags, MLB_OWNER_ANNOUNCE);
	assert_true(n && n <= MLB_OWNER_BATCH);
	for (size_t i = 0; i < n; i++) {
		uint16_t id = entries[i].node;

		assert_true(entries[i].token);
		check_client(&entries[i]);
		assert_true(id && id <= SIM_NODES && id != node->id);
		if (!k->present[id] ||
		    k->nodes[id].state == MLB_NODE_STATE_DEAD)
			return refuse(k, EINVAL, "no such node");
	}
	if (sim.chaos && !sim_random(300))
		return refuse(k, ENOSPC, "the table is full");
	for (size_t i = 0; i < n; i++) {
		SIM_TRACE(entries[i].token, "node %u adds", node->id);
		if (find_claim(k, entries[i].token, entries[i].node, &at))
			continue;
		assert_true(k->n_claims < CLAIMS);
		k->claims[k->n_claims++] =
			(struct claim){ entries[i].token, entries[i].node };
	}
	return 0;
}

bool sim_kernel_owns(const struct sim_node *node, uint32_t token,
		     uint64_t *since)
{
	for (size_t i = 0; i < node->kernel.n_own; i++) {
		if (node->kernel.own[i].token != token)
			continue;
		*since = node->kernel.own[i].since;
		return true;
	}
	return false;
}

/* What its owner has had for long and still has must not go. */
static void check_withdrawal(const struct mlb_owner *entry)
{
	uint64_t since;

	if (sim_kernel_owns(&sim.nodes[entry->node], entry->token, &since) &&
	    sim.now - since > SIM_SLOWEST)
		fail_msg("seed %u, %llu ms: live token %u of node %u is withdrawn",
			 sim.seed, (unsigned long long)sim.now, entry->token,
			 entry->node);
}

int mlb_owner_withdraw(struct mlb *mlb, const struct mlb_owner *entries,
		       size_t n, size_t *done)
{
	struct sim_kernel *k = &of_mlb(mlb)->kernel;
	int ret = 0;
	size_t at;

	(void)done;
	assert_true(n && n <= MLB_OWNER_BATCH);
	if (sim.chaos && !sim_random(300))
		return refuse(k, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		SIM_TRACE(entries[i].token, "node %u withdraws",
			  of_mlb(mlb)->id);
		check_withdrawal(&entries[i]);
		if (find_claim(k, entries[i].token, entries[i].node, &at))
			k->claims[at] = k->claims[--k->n_claims];
		else
			ret = -ENOENT;
	}
	return ret;
}

static void tell(struct sim_node *node, const struct owner_event *event)
{
	struct sim_kernel *k = &node->kernel;

	SIM_TRACE(event->owner.token, "%s", event->add ? "begins" : "ends");
	if (!node->cluster)
		return;
	if (!k->n_events)
		k->events_due = sim.now + sim_random(8);
	if (k->n_events == 256 || (sim.chaos && !sim_random(200))) {
		/* The socket's buffer is full. */
		SIM_TRACE(event->owner.token, "and that is %s", "lost");
		k->overflowed = true;
		return;
	}
	k->events[k->n_events++] = *event;
}

void sim_kernel_own(struct sim_node *node, uint32_t token, bool add)
{
	struct sim_kernel *k = &node->kernel;
	struct owner_event event = {
		.owner = { .token = token,
			   .client = add ? client_of(token) : NULL,
			   .node = node->id,
			   .cpu = sim_random(4) ? sim_random(4) : MLB_NO_CPU },
		.add = add,
	};
	uint64_t since;

	if (sim_kernel_owns(node, token, &since) == add)
		return;
	if (add) {
		k->own[k->n_own++] = (struct own){ token, sim.now };
	} else {
		for (size_t i = 0; i < k->n_own; i++)
			if (k->own[i].token == token) {
				k->own[i] = k->own[--k->n_own];
				break;
			}
	}
	tell(node, &event);
}

int kernel_snapshot(struct kernel *kernel, uint16_t id, kernel_snapshot_fn *fn,
		    void *arg)
{
	struct sim_node *node = sim_of_kernel(kernel);
	struct sim_snapshot *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	/* Workers are few: one for this node, and one for all peers. */
	for (struct sim_snapshot *other = node->kernel.snapshots; other;
	     other = other->next)
		assert_true((other->node == node->id) != (id == node->id));
	s->node = id;
	s->fn = fn;
	s->arg = arg;
	s->due = sim.now + sim_random(20);
	s->owners = calloc(CLAIMS, sizeof(*s->owners));
	s->next = node->kernel.snapshots;
	node->kernel.snapshots = s;
	return 0;
}

static void snapshot_add(struct sim_snapshot *s, uint32_t token, bool local)
{
	if (token % 3 != s->phase)
		return;
	s->owners[s->n++] = (struct mlb_owner){ .token = token,
						.node = s->node,
						.cpu = MLB_NO_CPU,
						.local = local,
						.client = client_of(token) };
}

/* Return: whether it is through. */
static bool snapshot_read(struct sim_node *node, struct sim_snapshot *s)
{
	struct sim_kernel *k = &node->kernel;

	if (s->phase == 3)
		return true;
	for (size_t i = 0; s->node == node->id && i < k->n_own; i++)
		snapshot_add(s, k->own[i].token, true);
	for (size_t i = 0; i < k->n_claims; i++)
		if (k->claims[i].node == s->node)
			snapshot_add(s, k->claims[i].token, false);
	s->phase++;
	s->due = sim.now + sim_random(sim_chance(5) ? 500 : 20) + k->slow;
	return false;
}

uint64_t sim_kernel_due(const struct sim_node *node)
{
	const struct sim_kernel *k = &node->kernel;
	uint64_t due = k->n_events || k->overflowed ? k->events_due :
						      UINT64_MAX;

	for (struct sim_snapshot *s = k->snapshots; s; s = s->next)
		if (s->due < due)
			due = s->due;
	return due;
}

static void run_events(struct sim_node *node)
{
	struct sim_kernel *k = &node->kernel;
	size_t n = 1 + sim_random((uint32_t)k->n_events);

	if (n > k->n_events)
		n = k->n_events;
	for (size_t i = 0; i < n; i++)
		cluster_owner(node->cluster, &k->events[i].owner,
			      k->events[i].add);
	k->n_events -= n;
	memmove(k->events, k->events + n, k->n_events * sizeof(*k->events));
	if (k->overflowed) {
		/* Some that are older than the gap may follow. */
		k->overflowed = false;
		k->state.lost++;
		cluster_owners_lost(node->cluster);
	}
	k->events_due = sim.now + sim_random(8);
}

void sim_kernel_run(struct sim_node *node)
{
	struct sim_kernel *k = &node->kernel;

	if ((k->n_events || k->overflowed) && k->events_due <= sim.now) {
		run_events(node);
		return;
	}
	for (struct sim_snapshot **at = &k->snapshots; *at;
	     at = &(*at)->next) {
		struct sim_snapshot *s = *at;

		if (s->due > sim.now)
			continue;
		if (!snapshot_read(node, s))
			return;
		*at = s->next;
		if (sim.chaos && sim_chance(5)) {
			/* Disturbed: the first are missing. */
			s->n /= 2;
			s->fn(s->arg, -EAGAIN, s->owners, s->n);
		} else if (sim.chaos && sim_chance(2)) {
			free(s->owners);
			s->fn(s->arg, -ETIMEDOUT, NULL, 0);
		} else {
			s->fn(s->arg, 0, s->owners, s->n);
		}
		free(s);
		return;
	}
}

static char *services_text(const struct kernel_goal *goal)
{
	size_t size = 1 + 128 * (goal->n_services + 1), used = 0;
	char *text = calloc(1, size), vip[ENDPOINT_TEXT];

	for (size_t i = 0; i < goal->n_services; i++) {
		const struct mlb_service *s = &goal->services[i];

		used += (size_t)snprintf(text + used, size - used,
					 "%s %d %zu;",
					 endpoint_text(&s->vip, vip),
					 s->scheduler, s->n_nodes);
	}
	return text;
}

static uint8_t clients_of(const struct mlb_pools *pools, uint16_t group)
{
	for (size_t i = 0; i < pools->n_groups; i++)
		if (pools->groups[i].id == group)
			return (uint8_t)(ntohl(pools->groups[i]
						       .prefixes[0]
						       .addr.v4.s_addr) >>
					 16);
	return 0;
}

static void take_pools(struct sim_kernel *k, const struct mlb_pools *pools)
{
	k->n_pools = 0;
	for (size_t i = 0; i < pools->n_pools; i++) {
		const struct mlb_group_pool *from = &pools->pools[i];
		struct sim_pool *to = &k->pools[k->n_pools++];

		assert_true(k->n_pools <= SIM_POOLS);
		*to = (struct sim_pool){ clients_of(pools, from->group) };
		for (size_t j = 0; j < from->n_nodes; j++) {
			assert_true(k->present[from->nodes[j]]);
			to->nodes |= UINT64_C(1) << from->nodes[j];
		}
	}
}

bool sim_kernel_serves(const struct sim_node *node, uint8_t clients)
{
	const struct sim_kernel *k = &node->kernel;

	for (size_t i = 0; i < k->n_pools; i++)
		if (k->pools[i].clients == clients &&
		    k->pools[i].nodes & UINT64_C(1) << node->id)
			return true;
	return false;
}

static bool takes_from(const struct sim_node *node, const struct sim_node *of)
{
	return node->kernel.present[of->id] &&
	       node->kernel.nodes[of->id].state != MLB_NODE_STATE_DEAD;
}

/* Two that work together never do what is one node's work. */
static void check_exclusive(const struct sim_node *node)
{
	for (uint8_t clients = 0; clients < 64; clients++) {
		if (!(sim.exclusive & UINT64_C(1) << clients) ||
		    !sim_kernel_serves(node, clients))
			continue;
		for (unsigned int i = 1; i <= sim.n; i++) {
			const struct sim_node *other = &sim.nodes[i];

			if (other != node && other->powered &&
			    same_ring(node, other) && node->ring_quorate &&
			    takes_from(node, other) &&
			    takes_from(other, node) &&
			    sim_kernel_serves(other, clients))
				fail_msg("seed %u, %llu ms: nodes %u and %u both serve 10.%u.0.0/16",
					 sim.seed, (unsigned long long)sim.now,
					 node->id, i, clients);
		}
	}
}

static bool addr_differs(const struct mlb_addr *a, const struct mlb_addr *b)
{
	return a->family != b->family || a->v4.s_addr != b->v4.s_addr;
}

/* As kmod/node.c and kmod/tunnel.c judge, but all at once. */
static const char *judge_addrs(const struct sim_node *node,
			       const struct kernel_goal *goal)
{
	for (size_t i = 0; i < goal->n_nodes; i++) {
		const struct mlb_node *n = &goal->nodes[i];

		if (n->id == node->id && addr_differs(&n->addr, &node->host))
			return "not an address of this host";
		for (size_t j = 0; j < i; j++) {
			const struct mlb_addr *other = &goal->nodes[j].addr;

			if (other->family != n->addr.family)
				return "all IPv4 or all IPv6";
			if (!addr_differs(other, &n->addr))
				return "another node has this address";
		}
	}
	return NULL;
}

int kernel_apply(struct kernel *kernel, const struct kernel_goal *goal)
{
	struct sim_node *node = sim_of_kernel(kernel);
	struct sim_kernel *k = &node->kernel;
	bool wanted[SIM_NODES + 1] = {};
	const char *refused = judge_addrs(node, goal);
	size_t n_nodes = goal->n_nodes;

	/* The heart of it: a minority changes nothing. */
	assert_true(node->told.connected);
	assert_true(node->told.quorate);
	k->applied++;
	k->state.pooled = false;
	k->state.applying = false;
	if (sim.chaos && !sim_random(50))
		return refuse(k, EBUSY, "not now");
	if (refused)
		return refuse(k, EADDRINUSE, refused);
	/* A turn is over with nothing done, some nodes, or all of them. */
	if (sim.chaos && !sim_random(4)) {
		k->state.applying = true;
		n_nodes = sim_random((uint32_t)goal->n_nodes + 1);
	}
	for (size_t i = 0; i < n_nodes; i++) {
		const struct mlb_node *n = &goal->nodes[i];

		assert_true(n->id && n->id <= SIM_NODES);
		wanted[n->id] = true;
		if (k->present[n->id] &&
		    (addr_differs(&n->addr, &k->nodes[n->id].addr) ||
		     (n->state == MLB_NODE_STATE_DEAD &&
		      k->nodes[n->id].state != MLB_NODE_STATE_DEAD)))
			purge(k, n->id);
		k->present[n->id] = true;
		k->nodes[n->id] = *n;
	}
	if (k->state.applying)
		return -EINPROGRESS;
	for (uint16_t i = 1; i <= SIM_NODES; i++) {
		if (wanted[i])
			continue;
		k->present[i] = false;
		purge(k, i);
	}
	free(k->services);
	k->services = services_text(goal);
	k->keyed = true;
	k->key = *(const uint8_t *)goal->key;
	take_pools(k, goal->pools);
	k->state.pooled = true;
	check_exclusive(node);
	return 0;
}

void sim_kernel_reset(struct sim_node *node)
{
	struct sim_kernel *k = &node->kernel;

	free(k->services);
	memset(k, 0, sizeof(*k));
}

/* mlbd has gone: nobody waits for events and snapshots. */
void sim_kernel_end(struct sim_node *node)
{
	struct sim_kernel *k = &node->kernel;

	k->n_events = 0;
	k->overflowed = false;
	while (k->snapshots) {
		struct sim_snapshot *s = k->snapshots;

		k->snapshots = s->next;
		free(s->owners);
		free(s);
	}
}

/* What @node holds of @of is what that has. */
void sim_kernel_check(const struct sim_node *node, const struct sim_node *of)
{
	size_t n = 0, at;

	for (size_t i = 0; i < of->kernel.n_own; i++)
		if (!find_claim(&node->kernel, of->kernel.own[i].token, of->id,
				&at))
			fail_msg("seed %u: node %u lacks token %u of node %u",
				 sim.seed, node->id, of->kernel.own[i].token,
				 of->id);
	for (size_t i = 0; i < node->kernel.n_claims; i++)
		n += node->kernel.claims[i].node == of->id;
	if (n != of->kernel.n_own)
		fail_msg("seed %u: node %u has %zu tokens of node %u, which has %zu",
			 sim.seed, node->id, n, of->id, of->kernel.n_own);
}

int sockets_count(struct mlb_endpoint *services, size_t n, uint64_t *count)
{
	(void)services;
	(void)n;
	*count = sim.nodes[sim.running].connections;
	return 0;
}

/* No connection here minds. */
int ending_start(struct ending **ending, uv_loop_t *loop,
		 const struct document *document, ending_fn *fn, void *arg)
{
	(void)loop;
	(void)document;
	(void)fn;
	(void)arg;
	*ending = NULL;
	sim.nodes[sim.running].connections = 0;
	return 0;
}

void ending_stop(struct ending *ending)
{
	(void)ending;
}
