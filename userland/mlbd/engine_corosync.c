// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster engine by corosync: messages and the presence of mlbds by a CPG
 * group, membership and quorum by votequorum, the cluster's name and who should
 * be in it by cmap.
 *
 * Corosync's calls block while corosync does not answer, so a connection is made
 * by a worker. On the loop only calls are made that do not wait: dispatches of
 * what has arrived, and sending, which is refused when there is no room.
 */
#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/votequorum.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "engine.h"
#include "libmlb.h"
#include "log.h"

static const struct cpg_name group = { .length = 3, .value = "mlb" };

/* From one attempt to connect to the next, doubled each time. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000

/* Corosync does not tell when it has room again. */
#define ROOM_MS 4

/* Messages that are handed on before others on the loop have their turn. */
#define DISPATCH_MAX 32

/**
 * struct connection - to one life of corosync
 * @cpg_poll, @quorum_poll: their descriptors
 * @handles: of libuv, that are not closed yet
 * @dispatching: inside a dispatch, which has to return first
 * @broken: to be closed
 */
struct connection {
	struct engine *engine;
	cpg_handle_t cpg;
	votequorum_handle_t quorum;
	bool have_cpg;
	bool have_quorum;
	uv_poll_t cpg_poll;
	uv_poll_t quorum_poll;
	unsigned int handles;
	bool broken;
	char fault[160];
	char name[ENGINE_NAME_MAX];
	uint16_t listed[ENGINE_NODES_MAX];
	size_t n_listed;
	uv_work_t work;
};

struct engine {
	uv_loop_t *loop;
	uint16_t node;
	const struct engine_events *events;
	void *arg;
	struct connection *connection; /* or NULL */
	uv_timer_t retry;
	uv_timer_t room;
	unsigned int handles;
	uint64_t retry_ms;
	bool closing;
	struct engine_view view;
	/* Of votequorum, as it was told last. */
	uint64_t ring;
	uint64_t group_ring; /* of CPG */
	uint16_t nodes[ENGINE_NODES_MAX];
	size_t n_nodes;
	bool quorate;
	/* Until it says whether these are quorate. */
	uint64_t next_ring;
	uint16_t next[ENGINE_NODES_MAX];
	size_t n_next;
	bool present[MLB_NODE_ID_MAX + 1];
	struct log_limit limit;
};

static void connect_soon(struct engine *engine);

static bool valid_node(uint32_t id)
{
	return id && id <= MLB_NODE_ID_MAX;
}

static void tell_view(struct engine *engine)
{
	struct engine_view *view = &engine->view;

	if (!view->connected)
		return;
	view->quorate = engine->quorate;
	view->ring = engine->ring;
	view->group_ring = engine->group_ring;
	memcpy(view->nodes, engine->nodes, sizeof(view->nodes));
	view->n_nodes = engine->n_nodes;
	engine->events->view(engine->arg, view);
}

static void tell_disconnected(struct engine *engine, const char *fault)
{
	struct engine_view *view = &engine->view;
	bool same = !view->connected && !strcmp(view->fault, fault);

	memset(view, 0, sizeof(*view));
	snprintf(view->fault, sizeof(view->fault), "%s", fault);
	memset(engine->present, 0, sizeof(engine->present));
	engine->n_nodes = 0;
	engine->n_next = 0;
	engine->ring = 0;
	engine->next_ring = 0;
	engine->group_ring = 0;
	engine->quorate = false;
	if (same)
		return;
	log_warning("not connected to corosync: %s", fault);
	engine->events->view(engine->arg, view);
}

static void on_deliver(cpg_handle_t handle, const struct cpg_name *name,
		       uint32_t node, uint32_t pid, void *data, size_t len)
{
	void *context = NULL;
	struct engine *engine;

	(void)name;
	(void)pid;
	cpg_context_get(handle, &context);
	engine = context;
	if (valid_node(node) && engine->present[node])
		engine->events->message(engine->arg, (uint16_t)node, data, len);
}

static bool among(uint32_t node, const struct cpg_address *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].nodeid == node)
			return true;
	return false;
}

static void one_joined(struct engine *engine, uint32_t node)
{
	if (!valid_node(node)) {
		if (log_allowed(&engine->limit))
			log_warning("corosync node %u is not an id that mlb can use (1 to %d); its mlbd is ignored",
				    node, MLB_NODE_ID_MAX);
		return;
	}
	engine->present[node] = true;
	engine->events->joined(engine->arg, (uint16_t)node);
}

static void one_left(struct engine *engine, uint32_t node)
{
	if (!valid_node(node) || !engine->present[node])
		return;
	engine->present[node] = false;
	engine->events->left(engine->arg, (uint16_t)node);
}

/* The first one that has us is that of our own join: all are new to us then. */
static void on_members(cpg_handle_t handle, const struct cpg_name *name,
		       const struct cpg_address *members, size_t n_members,
		       const struct cpg_address *left, size_t n_left,
		       const struct cpg_address *joined, size_t n_joined)
{
	void *context = NULL;
	struct engine *engine;

	(void)name;
	cpg_context_get(handle, &context);
	engine = context;
	if (!engine->view.connected) {
		if (!among(engine->node, members, n_members))
			return;
		engine->view.connected = true;
		engine->view.fault[0] = '\0';
		engine->retry_ms = RETRY_MIN_MS;
		log_notice("connected to corosync");
		tell_view(engine);
		joined = members;
		n_joined = n_members;
		n_left = 0;
	}
	for (size_t i = 0; i < n_left; i++)
		one_left(engine, left[i].nodeid);
	for (size_t i = 0; i < n_joined; i++)
		one_joined(engine, joined[i].nodeid);
	/* Another mlbd of a node of which one left: new, as far as we know. */
	for (size_t i = 0; i < n_left; i++)
		if (valid_node(left[i].nodeid) &&
		    !engine->present[left[i].nodeid] &&
		    among(left[i].nodeid, members, n_members))
			one_joined(engine, left[i].nodeid);
}

/*
 * Two halves of a cluster may count their rings alike; whose ring it is tells
 * them apart.
 */
static uint64_t ring_number(uint64_t seq, uint32_t node)
{
	return (seq << 12 | (node & 0xfff)) & INT64_MAX;
}

/* Comes after on_members() for what the ring has changed in the group. */
static void on_ring(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t n,
		    const uint32_t *nodes)
{
	void *context = NULL;
	struct engine *engine;

	(void)n;
	(void)nodes;
	cpg_context_get(handle, &context);
	engine = context;
	engine->group_ring = ring_number(ring.seq, ring.nodeid);
	tell_view(engine);
}

static int id_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/*
 * A new ring. Whether it is quorate is told later: until then the old view
 * stands, for a minority must not take the others for dead.
 */
static void on_nodes(votequorum_handle_t handle, uint64_t context,
		     votequorum_ring_id_t ring, uint32_t n, uint32_t nodes[])
{
	void *engine_context = NULL;
	struct engine *engine;

	(void)context;
	votequorum_context_get(handle, &engine_context);
	engine = engine_context;
	engine->next_ring = ring_number(ring.seq, ring.nodeid);
	engine->n_next = 0;
	for (uint32_t i = 0; i < n; i++)
		if (valid_node(nodes[i]) && engine->n_next < ENGINE_NODES_MAX)
			engine->next[engine->n_next++] = (uint16_t)nodes[i];
	qsort(engine->next, engine->n_next, sizeof(*engine->next), id_cmp);
}

static void on_quorum(votequorum_handle_t handle, uint64_t context,
		      uint32_t quorate, uint32_t n, votequorum_node_t nodes[])
{
	void *engine_context = NULL;
	struct engine *engine;

	(void)context;
	(void)n;
	(void)nodes;
	votequorum_context_get(handle, &engine_context);
	engine = engine_context;
	engine->quorate = quorate;
	engine->ring = engine->next_ring;
	memcpy(engine->nodes, engine->next, sizeof(engine->nodes));
	engine->n_nodes = engine->n_next;
	tell_view(engine);
}

static void finalize(struct connection *c)
{
	if (c->have_cpg)
		cpg_finalize(c->cpg);
	if (c->have_quorum)
		votequorum_finalize(c->quorum);
	c->have_cpg = false;
	c->have_quorum = false;
}

static bool works(struct connection *c, cs_error_t error, const char *what)
{
	if (error == CS_OK)
		return true;
	snprintf(c->fault, sizeof(c->fault), "%s: %s%s", what,
		 cs_strerror(error),
		 error == CS_ERR_ACCESS ?
			 " (mlbd's user needs a file in /etc/corosync/uidgid.d)" :
			 "");
	return false;
}

static bool connect_quorum(struct connection *c)
{
	votequorum_callbacks_t callbacks = {
		.votequorum_quorum_notify_fn = on_quorum,
		.votequorum_nodelist_notify_fn = on_nodes,
	};

	if (!works(c, votequorum_initialize(&c->quorum, &callbacks),
		   "votequorum"))
		return false;
	c->have_quorum = true;
	return works(c, votequorum_context_set(c->quorum, c->engine),
		     "votequorum") &&
	       works(c, votequorum_trackstart(c->quorum, 0, CS_TRACK_CHANGES),
		     "votequorum");
}

static bool connect_cpg(struct connection *c)
{
	cpg_model_v1_data_t model = {
		.model = CPG_MODEL_V1,
		.cpg_deliver_fn = on_deliver,
		.cpg_confchg_fn = on_members,
		.cpg_totem_confchg_fn = on_ring,
		.flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	unsigned int node = 0;

	if (!works(c,
		   cpg_model_initialize(&c->cpg, CPG_MODEL_V1,
					(cpg_model_data_t *)&model, c->engine),
		   "CPG"))
		return false;
	c->have_cpg = true;
	if (!works(c, cpg_local_get(c->cpg, &node), "CPG"))
		return false;
	if (node != c->engine->node) {
		snprintf(c->fault, sizeof(c->fault),
			 "this is corosync's node %u, but mlb's node %u: make nodeid in corosync.conf and id in mlb.conf the same",
			 node, c->engine->node);
		return false;
	}
	return works(c, cpg_join(c->cpg, &group), "CPG");
}

/* Without a nodelist, as with multicast, nobody can tell. */
static void read_nodelist(struct connection *c, cmap_handle_t cmap)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];
	cmap_iter_handle_t iter;

	if (cmap_iter_init(cmap, "nodelist.node.", &iter) != CS_OK)
		return;
	while (c->n_listed < ENGINE_NODES_MAX &&
	       cmap_iter_next(cmap, iter, key, NULL, NULL) == CS_OK) {
		const char *last = strrchr(key, '.');
		uint32_t id;

		if (last && !strcmp(last, ".nodeid") &&
		    cmap_get_uint32(cmap, key, &id) == CS_OK && valid_node(id))
			c->listed[c->n_listed++] = (uint16_t)id;
	}
	cmap_iter_finalize(cmap, iter);
}

/*
 * Corosync itself does not mind what its cluster is called: with the same key,
 * nodes of any name find together.
 */
static bool read_cluster(struct connection *c)
{
	cmap_handle_t cmap;
	char *name = NULL;

	if (!works(c, cmap_initialize(&cmap), "cmap"))
		return false;
	if (cmap_get_string(cmap, "totem.cluster_name", &name) == CS_OK)
		snprintf(c->name, sizeof(c->name), "%s", name);
	free(name);
	read_nodelist(c, cmap);
	cmap_finalize(cmap);
	return true;
}

/* In a thread of its own; the engine is only read. */
static void connect_work(uv_work_t *work)
{
	struct connection *c = work->data;

	if (!read_cluster(c) || !connect_quorum(c) || !connect_cpg(c))
		finalize(c);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	if (!--c->handles)
		free(c);
}

static void disconnect(struct engine *engine, const char *fault)
{
	struct connection *c = engine->connection;

	engine->connection = NULL;
	uv_poll_stop(&c->cpg_poll);
	uv_poll_stop(&c->quorum_poll);
	uv_close((uv_handle_t *)&c->cpg_poll, on_closed);
	uv_close((uv_handle_t *)&c->quorum_poll, on_closed);
	finalize(c);
	uv_timer_stop(&engine->room);
	tell_disconnected(engine, fault);
	connect_soon(engine);
}

static void after_dispatch(struct connection *c, cs_error_t error)
{
	if (error != CS_OK && error != CS_ERR_TRY_AGAIN) {
		works(c, error, "connection lost");
		c->broken = true;
	}
	if (c->broken)
		disconnect(c->engine, c->fault);
}

static void on_cpg(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;
	cs_error_t error = CS_OK;

	(void)events;
	if (status < 0)
		error = CS_ERR_LIBRARY;
	for (int i = 0; error == CS_OK && !c->broken && i < DISPATCH_MAX; i++)
		error = cpg_dispatch(c->cpg, CS_DISPATCH_ONE_NONBLOCKING);
	after_dispatch(c, error);
}

static void on_votequorum(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;
	cs_error_t error = CS_ERR_LIBRARY;

	(void)events;
	if (status >= 0)
		error = votequorum_dispatch(c->quorum, CS_DISPATCH_ALL);
	after_dispatch(c, error);
}

static int watch(struct connection *c, uv_poll_t *poll, int fd, uv_poll_cb cb)
{
	int ret = uv_poll_init(c->engine->loop, poll, fd);

	if (ret)
		return ret;
	poll->data = c;
	c->handles++;
	return uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, cb);
}

static void connected(uv_work_t *work, int status)
{
	struct connection *c = work->data;
	struct engine *engine = c->engine;
	int cpg_fd, quorum_fd;

	if (status || !c->have_cpg || engine->closing) {
		engine->connection = NULL;
		if (!engine->closing) {
			tell_disconnected(engine, c->fault);
			connect_soon(engine);
		} else if (!--engine->handles) {
			free(engine);
		}
		free(c);
		return;
	}
	cpg_fd_get(c->cpg, &cpg_fd);
	votequorum_fd_get(c->quorum, &quorum_fd);
	if (watch(c, &c->cpg_poll, cpg_fd, on_cpg) ||
	    watch(c, &c->quorum_poll, quorum_fd, on_votequorum)) {
		log_error("corosync's descriptors cannot be watched");
		abort();
	}
	memcpy(engine->view.name, c->name, sizeof(c->name));
	memcpy(engine->view.listed, c->listed, sizeof(c->listed));
	engine->view.n_listed = c->n_listed;
	/* What came before the first poll. */
	on_votequorum(&c->quorum_poll, 0, 0);
	if (engine->connection == c)
		on_cpg(&c->cpg_poll, 0, 0);
}

static void on_retry(uv_timer_t *timer)
{
	struct engine *engine = timer->data;
	struct connection *c = calloc(1, sizeof(*c));

	if (c) {
		c->engine = engine;
		c->work.data = c;
		engine->connection = c;
		if (!uv_queue_work(engine->loop, &c->work, connect_work,
				   connected))
			return;
		engine->connection = NULL;
		free(c);
	}
	connect_soon(engine);
}

static void connect_soon(struct engine *engine)
{
	uv_timer_start(&engine->retry, on_retry, engine->retry_ms, 0);
	if (engine->retry_ms < RETRY_MAX_MS)
		engine->retry_ms *= 2;
}

static void on_room(uv_timer_t *timer)
{
	struct engine *engine = timer->data;

	if (engine->connection && engine->connection->broken)
		disconnect(engine, engine->connection->fault);
	else
		engine->events->room(engine->arg);
}

int engine_send(struct engine *engine, const void *data, size_t len)
{
	union {
		const void *ours;
		void *theirs;
	} bytes = { data };
	struct iovec iov = { bytes.theirs, len };
	struct connection *c = engine->connection;
	cs_error_t error;

	if (len > ENGINE_MESSAGE_MAX)
		return -EMSGSIZE;
	if (!engine->view.connected || !c || c->broken)
		return -ENOTCONN;
	error = cpg_mcast_joined(c->cpg, CPG_TYPE_AGREED, &iov, 1);
	if (error == CS_OK)
		return 0;
	if (error == CS_ERR_TRY_AGAIN) {
		if (!uv_is_active((uv_handle_t *)&engine->room))
			uv_timer_start(&engine->room, on_room, ROOM_MS, 0);
		return -EAGAIN;
	}
	/* Not from within the caller: it would be told of it in between. */
	works(c, error, "sending");
	c->broken = true;
	uv_timer_start(&engine->room, on_room, 0, 0);
	return -ENOTCONN;
}

int engine_open(struct engine **engine, uv_loop_t *loop, uint16_t node,
		const struct engine_events *events, void *arg)
{
	struct engine *e = calloc(1, sizeof(*e));

	*engine = NULL;
	if (!e)
		return -ENOMEM;
	e->loop = loop;
	e->node = node;
	e->events = events;
	e->arg = arg;
	e->retry_ms = RETRY_MIN_MS;
	uv_timer_init(loop, &e->retry);
	uv_timer_init(loop, &e->room);
	e->handles = 2;
	e->retry.data = e;
	e->room.data = e;
	uv_timer_start(&e->retry, on_retry, 0, 0);
	*engine = e;
	return 0;
}

static void on_engine_closed(uv_handle_t *handle)
{
	struct engine *engine = handle->data;

	if (!--engine->handles)
		free(engine);
}

/*
 * Our end of the group is left when the process ends: to say so would mean to
 * wait for corosync. A worker that is waiting for it has the engine until then.
 */
void engine_close(struct engine *engine)
{
	struct connection *c;

	if (!engine)
		return;
	c = engine->connection;
	engine->closing = true;
	engine->connection = NULL;
	if (c && c->handles) {
		uv_close((uv_handle_t *)&c->cpg_poll, on_closed);
		uv_close((uv_handle_t *)&c->quorum_poll, on_closed);
	} else if (c) {
		uv_cancel((uv_req_t *)&c->work);
		engine->handles++;
	}
	uv_close((uv_handle_t *)&engine->retry, on_engine_closed);
	uv_close((uv_handle_t *)&engine->room, on_engine_closed);
}
