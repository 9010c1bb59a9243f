/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The peers: what the engine, their mlbds and our kernel know of them. Pure:
 * nothing here tells anybody or waits for anything.
 */
#ifndef MLBD_MEMBERS_H
#define MLBD_MEMBERS_H

#include "engine.h"
#include "goal.h"
#include "hello.h"
#include "report.h"

/* Nodes that were members once stay as dead; so many can be known. */
#define MEMBERS_MAX 256

/**
 * struct peer - another node
 * @member: the engine sees it alive
 * @daemon: its mlbd is there
 * @greeted: it has said @hello
 * @up: it is in use: not dead in the kernel
 * @in_kernel: the kernel has its node, not dead, with
 * @kernel_addr: as its address
 * @unsure: it has been in use since before this node had quorum, and has not
 *	been heard since: others may have lost it meanwhile
 * @current: its kernel knows who does what now
 * @fault: why it is not used, or ""
 * @addr: its tunnel while it was ready last, without a fault: what the kernel
 *	is to have; AF_UNSPEC until then
 * @since: when its mlbd came, ms of the loop's clock
 * @reported: it has told how it is:
 * @report: what it told last
 * @heard: when that was, or since when it is used and one waits for the first;
 *	an mlbd that comes and goes is none that tells
 */
struct peer {
	uint16_t id;
	bool member;
	bool daemon;
	bool greeted;
	bool up;
	bool in_kernel;
	bool unsure;
	bool current;
	char fault[160];
	struct mlb_addr addr;
	struct mlb_addr kernel_addr;
	struct hello hello;
	uint64_t since;
	bool reported;
	struct report report;
	uint64_t heard;
};

/* A node that has not told for so long how it is, does not do well. */
#define REPORT_OLD_MS 5000

/**
 * struct members - the peers, by id
 */
struct members {
	struct peer peers[MEMBERS_MAX];
	size_t n;
};

struct peer *members_find(struct members *members, uint16_t id);

/* Return: NULL when there are too many. */
struct peer *members_get(struct members *members, uint16_t id);
void members_drop(struct members *members, uint16_t id);
void members_free(struct members *members);

/* Whether it told something that can be relied on. */
bool peer_usable(const struct peer *peer);

/* Whether nothing of it is there: it can be forgotten. */
bool peer_gone(const struct peer *peer);

/* A peer's mlbd has left, or the engine is gone: what it said is void. */
void peer_left(struct peer *peer);

/**
 * enum peer_step - what became of a peer
 */
enum peer_step { PEER_SAME, PEER_UP, PEER_MOVED, PEER_DEAD };

/*
 * What a quorate view makes of it: up once its mlbd is ready, and from then on
 * as long as the view has it, with its mlbd or without; moved when it has
 * another address meanwhile.
 */
enum peer_step peer_judge(struct peer *peer, const struct engine_view *view);

/* Who is up at the address that @peer says is its own, or NULL. */
const struct peer *members_rival(const struct members *members,
				 const struct peer *peer);

/* Those that are dead and had the address of @peer have it no more. */
void members_take_addr(struct members *members, const struct peer *peer);

/* For goal_make(); those that have never been up are left out. */
size_t members_goal(const struct members *members,
		    struct goal_node nodes[MEMBERS_MAX]);

/* The newest document that a peer has told of; all zero without any. */
struct document_stamp members_newest(const struct members *members);

/* How many have this document or a later one; all, when it is NULL. */
size_t members_confirmed(const struct members *members,
			 const struct document_stamp *stamp);

/* Whether all mlbds that are there have said hello, or had @patience ms to. */
bool members_greeted(const struct members *members, uint64_t now,
		     uint64_t patience);

/*
 * Whether an mlbd is here that speaks no protocol of ours, or none that is as
 * new as @least.
 */
bool members_foreign(const struct members *members, uint32_t least);

/* The newest protocol that all mlbds that are here speak, this one among them. */
uint32_t members_protocol(const struct members *members);

/*
 * How many peers with a lower id than @self have the document of this stamp,
 * and whether any has an older one.
 */
size_t members_before(const struct members *members, uint16_t self,
		      const struct document_stamp *stamp, bool *behind);

#endif /* MLBD_MEMBERS_H */
