/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libmlb: typed calls to the mlb kernel module.
 *
 * This library is the only code in user space that knows netlink. Its source
 * of truth is include/netlink/mlb.yaml; the enums and limits named here come
 * from <linux/mlb.h>, which is generated from it.
 *
 * Conventions, valid for every call unless its own comment says otherwise:
 *
 *  - Returns 0, or a negative errno. The text of a failure, the kernel's own
 *    words where it gave some, is in mlb_last_error() until the next call.
 *  - Integers are in host order, addresses in network order, times in
 *    milliseconds.
 *  - Structures are owned by the caller; the library keeps no pointer into
 *    them. What a callback is handed lives until the callback returns.
 *  - A "fields" member says which of the optional members hold a value, in
 *    both directions: what a request does not name keeps its value (or takes
 *    the kernel's default), and what an answer does not name was not told.
 *  - A handle may be used by one thread at a time. Handles do not share state.
 *  - A call acts on the network namespace in which its handle was opened.
 */
#ifndef LIBMLB_H
#define LIBMLB_H

#include <linux/mlb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct mlb;
struct mlb_monitor;

/**
 * struct mlb_addr - an IPv4 or IPv6 address
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for "none"
 * @v4: valid for AF_INET
 * @v6: valid for AF_INET6
 */
struct mlb_addr {
	sa_family_t family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/**
 * struct mlb_endpoint - address and TCP port
 */
struct mlb_endpoint {
	struct mlb_addr addr;
	uint16_t port;
};

/* Values of mlb_error.index and mlb_owner.cpu that mean "not known". */
#define MLB_NO_INDEX SIZE_MAX
#define MLB_NO_CPU UINT32_MAX

/**
 * struct mlb_error - why the last call on a handle failed
 * @code: positive errno, 0 when the last call succeeded
 * @kernel: the kernel refused; otherwise the failure is on this side
 * @text: the kernel's extended acknowledgement, or a description of @code;
 *	never empty after a failure
 * @attr: name of the attribute at fault as the YAML spec writes it, or NULL;
 *	points to constant storage
 * @index: for bulk calls the entry at fault, counted from 0 over the whole
 *	array that was passed, or MLB_NO_INDEX
 */
struct mlb_error {
	int code;
	bool kernel;
	char text[256];
	const char *attr;
	size_t index;
};

/**
 * mlb_open() - open a handle for requests
 * @mlb: where the handle is stored; NULL is stored on failure
 *
 * Return: 0, -ENOENT when the kernel has no mlb family (the module is not
 * loaded), or another negative errno. As a failed open leaves no handle, there
 * is no mlb_last_error() for it.
 */
int mlb_open(struct mlb **mlb);

/**
 * mlb_set_timeout() - how long a call waits for a message that does not come
 * @ms: 0, as at first: for ever
 *
 * Then it fails with -ETIMEDOUT. What it asked for may have been done.
 *
 * It is for an answer that was lost, and no limit of how long a call takes: the
 * kernel does what it is asked for while the request is sent, and makes most of
 * a listing while it is read.
 */
int mlb_set_timeout(struct mlb *mlb, unsigned int ms);

/**
 * mlb_close() - close a handle and free what belongs to it
 * @mlb: the handle, or NULL
 */
void mlb_close(struct mlb *mlb);

/**
 * mlb_last_error() - the failure of the last call on a handle
 *
 * Return: owned by the handle, overwritten by the next call on it.
 */
const struct mlb_error *mlb_last_error(const struct mlb *mlb);

/*
 * Settings
 */

#define MLB_F_CONFIG_RESOLVE_TIMEOUT (1u << 0)
#define MLB_F_CONFIG_RESOLVE_RATE (1u << 1)
#define MLB_F_CONFIG_MAX_FLOWS (1u << 2)
#define MLB_F_CONFIG_MAX_OWNERS (1u << 3)
#define MLB_F_CONFIG_PORT (1u << 4)
#define MLB_F_CONFIG_KEY_ID (1u << 5)
#define MLB_F_CONFIG_FLOWS (1u << 6)
#define MLB_F_CONFIG_OWNERS (1u << 7)
#define MLB_F_CONFIG_PARKED (1u << 8)
#define MLB_F_CONFIG_ALIVE_INTERVAL (1u << 9)
#define MLB_F_CONFIG_ALIVE_MULTIPLIER (1u << 10)
#define MLB_F_CONFIG_FASTCLOSE (1u << 11)
#define MLB_F_CONFIG_DEAD (1u << 12)

/**
 * struct mlb_config - settings and table sizes of a namespace
 * @fields: MLB_F_CONFIG_* that are set
 * @resolve_timeout: how long a packet waits for the peers, ms, 2..1000
 * @resolve_rate: most queries to all nodes, most queries to single nodes, and
 *	most answers, sent in a second
 * @max_flows: most flow entries
 * @max_owners: most owner entries
 * @port: UDP port of the tunnel
 * @alive_interval: from one message that this node is alive to the next, ms,
 *	10..10000; 0 sends none, and suspects no node
 * @alive_multiplier: peers suspect this node after so many intervals of
 *	silence, 2..255
 * @fastclose: whether clients are told that their connection's node is dead
 * @key_id: fingerprint of the cluster key; not set while there is no key
 * @flows: flow entries now; read only, as are the following
 * @owners: owner entries now
 * @parked: packets waiting for an answer now
 * @dead: connections of dead nodes whose clients can be told now
 */
struct mlb_config {
	unsigned int fields;
	uint32_t resolve_timeout;
	uint32_t resolve_rate;
	uint32_t max_flows;
	uint32_t max_owners;
	uint16_t port;
	uint32_t alive_interval;
	uint32_t alive_multiplier;
	enum mlb_fastclose fastclose;
	uint8_t key_id[MLB_KEY_ID_LEN];
	uint32_t flows;
	uint32_t owners;
	uint32_t parked;
	uint32_t dead;
};

int mlb_config_get(struct mlb *mlb, struct mlb_config *config);

/**
 * mlb_config_set() - change the settings named in @config->fields
 *
 * All of them change or none does. Read-only fields give -EINVAL. Needs
 * CAP_NET_ADMIN, as does everything below that changes something.
 */
int mlb_config_set(struct mlb *mlb, const struct mlb_config *config);

/**
 * mlb_key_set() - set the cluster key
 * @key: MLB_KEY_LEN_MIN to MLB_KEY_LEN_MAX bytes
 *
 * The library's own copy is wiped before this returns; wiping @key is the
 * caller's part.
 */
int mlb_key_set(struct mlb *mlb, const void *key, size_t len);

/*
 * Nodes
 */

#define MLB_F_NODE_ID (1u << 0)
#define MLB_F_NODE_ADDR (1u << 1)
#define MLB_F_NODE_WEIGHT (1u << 2)
#define MLB_F_NODE_STATE (1u << 3)
#define MLB_F_NODE_SELF (1u << 4)
#define MLB_F_NODE_OWNERS (1u << 5)
#define MLB_F_NODE_ENCAP (1u << 6)
#define MLB_F_NODE_ENCAP_PORT (1u << 7)
#define MLB_F_NODE_RTT (1u << 8)
#define MLB_F_NODE_SUSPECT (1u << 9)
#define MLB_F_NODE_SILENT (1u << 10)
#define MLB_F_NODE_LATER (1u << 11)

/**
 * struct mlb_node - a cluster member
 * @fields: MLB_F_NODE_* that are set; a request always carries @id
 * @id: 1..MLB_NODE_ID_MAX
 * @addr: its address in the cluster network
 * @weight: share of new connections under maglev, 0..MLB_WEIGHT_MAX
 * @state: what it takes
 * @owners: owner entries that name it; read only
 * @encap: how packets reach it; MLB_ENCAP_MLB unless set
 * @encap_port: UDP port of its decapsulator, with MLB_ENCAP_GUE
 * @rtt: microseconds that it took to answer the last mlb_node_probe(); not set
 *	until it has answered; read only
 * @silent: milliseconds since anything was heard from it; not set before; read
 *	only
 *
 * MLB_F_NODE_SELF has no member: set, the node is this host. Neither has
 * MLB_F_NODE_SUSPECT: set, the node was silent for as long as it said that it
 * would not be, or does not hear this host, or was so a moment ago once too
 * often. It gets no new connections; its state is another matter. Read only.
 * MLB_F_NODE_LATER, in a request: the pools that the node is in follow within a
 * moment, one after the other, and the request does not wait for them. For who
 * changes many nodes.
 */
struct mlb_node {
	unsigned int fields;
	uint16_t id;
	struct mlb_addr addr;
	uint32_t weight;
	enum mlb_node_state state;
	uint32_t owners;
	enum mlb_encap encap;
	uint16_t encap_port;
	uint32_t rtt;
	uint32_t silent;
};

/**
 * typedef mlb_node_fn - takes one node of a listing
 *
 * Return: 0 to go on; anything else ends the listing and becomes its result.
 */
typedef int mlb_node_fn(const struct mlb_node *node, void *arg);

int mlb_node_add(struct mlb *mlb, const struct mlb_node *node);

/* Only weight and state can change; -EINVAL when @node->fields names others. */
int mlb_node_set(struct mlb *mlb, const struct mlb_node *node);

int mlb_node_del(struct mlb *mlb, uint16_t id);
int mlb_node_get(struct mlb *mlb, uint16_t id, struct mlb_node *node);

/**
 * mlb_node_probe() - ask a node to answer
 *
 * Returns when the query is sent. The answer shows in mlb_node_get() as rtt; it
 * proves that packets pass both ways and that both nodes have the same key.
 */
int mlb_node_probe(struct mlb *mlb, uint16_t id);

/**
 * mlb_node_each() - list all nodes
 *
 * Listings of every kind are consistent when they fit in the library's buffer
 * (1 MiB, more than all nodes need): a listing that the kernel marks as
 * disturbed by a change is asked for anew, a few times. A larger one is handed
 * on while it arrives. Where a disturbed listing had to be handed on, -EAGAIN
 * is returned at its end: entries may have been missed or repeated.
 */
int mlb_node_each(struct mlb *mlb, mlb_node_fn *fn, void *arg);

/*
 * Services
 */

#define MLB_F_SERVICE_SCHEDULER (1u << 0)
#define MLB_F_SERVICE_NODES (1u << 1)

/**
 * struct mlb_service - a virtual address and port that the cluster serves
 * @fields: MLB_F_SERVICE_* that are set; a request always carries @vip
 * @vip: virtual address and port
 * @scheduler: how the node of a new connection is chosen
 * @nodes: ids of the pool's nodes, @n_nodes of them; with none the pool is
 *	every node
 */
struct mlb_service {
	unsigned int fields;
	struct mlb_endpoint vip;
	enum mlb_scheduler scheduler;
	const uint16_t *nodes;
	size_t n_nodes;
};

typedef int mlb_service_fn(const struct mlb_service *service, void *arg);

int mlb_service_add(struct mlb *mlb, const struct mlb_service *service);
int mlb_service_set(struct mlb *mlb, const struct mlb_service *service);
int mlb_service_del(struct mlb *mlb, const struct mlb_endpoint *vip);
int mlb_service_each(struct mlb *mlb, mlb_service_fn *fn, void *arg);

#include "libmlb_pools.h"
#include "libmlb_owner.h"

/*
 * Flow table
 */

/**
 * struct mlb_flow - a TCP 5-tuple and the node that has it
 * @src: the client's end
 * @dst: the service
 * @node: where its packets go
 * @state: what has been seen of it
 * @expires: ms until the entry goes if no packet comes
 */
struct mlb_flow {
	struct mlb_endpoint src;
	struct mlb_endpoint dst;
	uint16_t node;
	enum mlb_flow_state state;
	uint32_t expires;
};

typedef int mlb_flow_fn(const struct mlb_flow *flow, void *arg);

/**
 * mlb_flow_each() - list the flow table
 * @vip: only flows of this service, or NULL for all
 */
int mlb_flow_each(struct mlb *mlb, const struct mlb_endpoint *vip,
		  mlb_flow_fn *fn, void *arg);

/*
 * What the packet path would do
 */

#define MLB_F_PACKET_FLOW (1u << 0)
#define MLB_F_PACKET_SYN (1u << 1)
#define MLB_F_PACKET_TOKEN (1u << 2)

/**
 * struct mlb_packet - a packet to ask about
 * @fields: MLB_F_PACKET_* that are set
 * @src: the client's end, with MLB_F_PACKET_FLOW
 * @dst: the service, likewise
 * @token: the packet is a SYN with MP_JOIN and this token
 *
 * MLB_F_PACKET_SYN has no member: set, the packet is a SYN. With a token alone,
 * the question is what a join of that connection would meet, whoever sends it.
 */
struct mlb_packet {
	unsigned int fields;
	struct mlb_endpoint src;
	struct mlb_endpoint dst;
	uint32_t token;
};

/**
 * struct mlb_explanation - what becomes of a packet, and why
 * @verdict: where it goes
 * @rule: the rule that decides
 * @reason: why the rule decides so
 * @node: where it is sent, or who is asked first; 0 for the local stack and
 *	when all peers are asked
 * @group: of the client, where a pool was looked for; 0 for none
 */
struct mlb_explanation {
	enum mlb_verdict verdict;
	enum mlb_rule rule;
	enum mlb_reason reason;
	uint16_t node;
	uint16_t group;
};

/**
 * mlb_explain() - what the packet path would do with a packet now
 *
 * Nothing is sent and no counter moves. Needs CAP_NET_ADMIN.
 */
int mlb_explain(struct mlb *mlb, const struct mlb_packet *packet,
		struct mlb_explanation *explanation);

/*
 * Counters
 */

/**
 * struct mlb_stats - counters since the namespace was made
 * @value: indexed by MLB_A_STATS_*
 * @present: which of them the kernel told (a module older than this library
 *	has fewer)
 */
struct mlb_stats {
	uint64_t value[MLB_A_STATS_MAX + 1];
	bool present[MLB_A_STATS_MAX + 1];
};

int mlb_stats_get(struct mlb *mlb, struct mlb_stats *stats);

/*
 * Events
 */

/**
 * enum mlb_event_type - what an event says, and which member it fills
 * @MLB_EVENT_CONFIG: settings were changed; config
 * @MLB_EVENT_NODE: a node was added or changed; node
 * @MLB_EVENT_NODE_DEL: a node was deleted; node, at least its id
 * @MLB_EVENT_SERVICE: a service was added or changed; service
 * @MLB_EVENT_SERVICE_DEL: a service was deleted; service, at least its vip
 * @MLB_EVENT_OWNER_ADD: a token was learnt, or seen, on this node; owner
 * @MLB_EVENT_OWNER_DEL: a token that was learnt or seen on this node is so no
 *	more; owner, at least its token
 * @MLB_EVENT_LIMIT: a table is full; limit
 * @MLB_EVENT_LOST: the socket's buffer overflowed and events are missing, how
 *	many is not known; some that are older than the gap can still follow;
 *	no member
 * @MLB_EVENT_UNLOADED: the module was unloaded, nothing will follow; no member
 * @MLB_EVENT_POOLS: groups, or pools for them, were replaced; pools
 */
enum mlb_event_type {
	MLB_EVENT_CONFIG,
	MLB_EVENT_NODE,
	MLB_EVENT_NODE_DEL,
	MLB_EVENT_SERVICE,
	MLB_EVENT_SERVICE_DEL,
	MLB_EVENT_OWNER_ADD,
	MLB_EVENT_OWNER_DEL,
	MLB_EVENT_LIMIT,
	MLB_EVENT_LOST,
	MLB_EVENT_UNLOADED,
	MLB_EVENT_POOLS,
};

struct mlb_event {
	enum mlb_event_type type;
	union {
		struct mlb_config config;
		struct mlb_node node;
		struct mlb_service service;
		struct mlb_owner owner;
		struct mlb_pools_summary pools;
		struct {
			enum mlb_table table;
			uint32_t limit;
		} limit;
	};
};

typedef int mlb_event_fn(const struct mlb_event *event, void *arg);

#define MLB_GROUP_OWNER (1u << 0)
#define MLB_GROUP_EVENT (1u << 1)

/**
 * mlb_monitor_open() - subscribe to events
 * @monitor: where the subscription is stored; NULL is stored on failure
 * @groups: MLB_GROUP_* to listen to, at least one
 *
 * When this returns 0, no later event is missed without an MLB_EVENT_LOST.
 *
 * Return: as mlb_open().
 */
int mlb_monitor_open(struct mlb_monitor **monitor, unsigned int groups);

void mlb_monitor_close(struct mlb_monitor *monitor);

/* The descriptor to poll for input; owned by @monitor. */
int mlb_monitor_fd(const struct mlb_monitor *monitor);

/**
 * mlb_monitor_read() - hand over the events that have arrived
 *
 * Never blocks, and returns to the caller now and then even when events arrive
 * faster than they are handled: poll again.
 *
 * Return: 0, a negative errno, or what @fn returned to end the reading.
 */
int mlb_monitor_read(struct mlb_monitor *monitor, mlb_event_fn *fn, void *arg);

#endif /* LIBMLB_H */
