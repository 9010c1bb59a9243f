/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster engine: who is there, who has quorum, and messages that every
 * member gets in one order. All of it is somebody else's work (corosync); this
 * is the shape in which the rest of mlbd sees it.
 *
 * Everything runs on the loop's thread. No call blocks.
 */
#ifndef MLBD_ENGINE_H
#define MLBD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define ENGINE_NODES_MAX 64
/* Bytes of a cluster's name, corosync's limit for a value. */
#define ENGINE_NAME_MAX 256
/* Corosync's limit for a CPG message, less its own header; see wire.h. */
#define ENGINE_MESSAGE_MAX 1000000

/**
 * struct engine_view - the nodes that the engine sees alive
 * @connected: the engine answers and this mlbd is in its group; without it
 *	nothing below is known
 * @fault: why it is not connected, as text for people, or ""
 * @name: what the engine's configuration calls the cluster, or ""
 * @quorate: this side may decide
 * @ring: grows with each change of membership, never repeats in a cluster
 * @group_ring: the ring of which all @joined and @left have been told: when it
 *	is @ring, no peer's mlbd is here that is not known
 * @nodes: ids of the nodes, this one among them, ascending
 * @listed: those that the engine's configuration names, here or not; none, if
 *	it need not name them. What is added later is seen when it is here
 */
struct engine_view {
	bool connected;
	char fault[160];
	char name[ENGINE_NAME_MAX];
	bool quorate;
	uint64_t ring;
	uint64_t group_ring;
	uint16_t nodes[ENGINE_NODES_MAX];
	size_t n_nodes;
	uint16_t listed[ENGINE_NODES_MAX];
	size_t n_listed;
};

/**
 * struct engine_events - what the engine tells
 * @view: membership or quorum changed
 * @joined: a peer's mlbd (or our own) joined; what it missed is not repeated
 * @left: a peer's mlbd left, with its node (see @view) or without it
 * @message: a message of a member, our own among them; @data lives until the
 *	callback returns, and is as hostile as any input
 * @room: after engine_send() gave -EAGAIN: try again
 *
 * @joined, @left, @message and the views that change @group_ring come in the same
 * order at every member of a partition. Other views have no order with them. A view that is not connected stands
 * for @left of all; after the next one that is, @joined comes for each that is
 * there.
 */
struct engine_events {
	void (*view)(void *arg, const struct engine_view *view);
	void (*joined)(void *arg, uint16_t node);
	void (*left)(void *arg, uint16_t node);
	void (*message)(void *arg, uint16_t sender, const void *data,
			size_t len);
	void (*room)(void *arg);
};

struct engine;

/**
 * engine_open() - connect to the engine, and again whenever it goes away
 * @engine: owned by the caller, to be given to engine_close()
 * @node: id of this node; corosync's nodeid has to be the same
 *
 * An engine that is not there yet is not an error: the view says so.
 *
 * Return: 0 or a negative errno.
 */
int engine_open(struct engine **engine, uv_loop_t *loop, uint16_t node,
		const struct engine_events *events, void *arg);
void engine_close(struct engine *engine);

/**
 * engine_send() - send a message to all members, this one included
 *
 * Return: 0; -EAGAIN when the engine has no room (@room tells when it has);
 * -ENOTCONN; -EMSGSIZE.
 */
int engine_send(struct engine *engine, const void *data, size_t len);

#endif /* MLBD_ENGINE_H */
