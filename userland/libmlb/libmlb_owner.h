/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libmlb: the owner table
 *
 * A part of libmlb.h, which includes it and says what holds for all calls.
 */
#ifndef LIBMLB_OWNER_H
#define LIBMLB_OWNER_H

#ifndef LIBMLB_H
#error "include libmlb.h"
#endif

/**
 * struct mlb_client - how to tell a client that its connection's node is dead
 * @src: the client's end of the first subflow
 * @dst: the service
 * @key: the client's key (RFC 8684 3.1), as in the option; whoever knows it can
 *	end the connection
 */
struct mlb_client {
	struct mlb_endpoint src;
	struct mlb_endpoint dst;
	uint8_t key[MLB_MPTCP_KEY_LEN];
};

/**
 * struct mlb_owner - which node holds a connection
 * @token: of the connection (RFC 8684 3.2)
 * @node: its node
 * @cpu: the CPU there that took the first subflow, or MLB_NO_CPU
 * @rival: another node that announced the token too, so that joins are
 *	refused, or 0; read only
 * @local: learnt from a connection of this host; read only
 * @seen: learnt here from a handshake with a node that has no mlb; read only
 * @age: ms since the entry was made, or since a join last used it where it
 *	was made from a peer's answer or from such a handshake; read only
 * @client: its client, where fastclose is on, or NULL; from listings and events
 *	valid until the callback returns, not told by mlb_owner_get()
 */
struct mlb_owner {
	uint32_t token;
	uint32_t cpu;
	uint32_t age;
	uint16_t node;
	uint16_t rival;
	bool local;
	bool seen;
	const struct mlb_client *client;
};

typedef int mlb_owner_fn(const struct mlb_owner *owner, void *arg);

/**
 * mlb_owner_get() - look one token up
 *
 * Return: -ENOENT when the table does not have it.
 */
int mlb_owner_get(struct mlb *mlb, uint32_t token, struct mlb_owner *owner);

/**
 * mlb_owner_each() - list the owner table
 * @node: only entries of which this is the node or the rival, or 0 for all
 */
int mlb_owner_each(struct mlb *mlb, uint16_t node, mlb_owner_fn *fn, void *arg);

/*
 * An entry that exists does not refuse the request with -EEXIST: it is
 * overwritten, or contested if it is of another node.
 */
#define MLB_OWNER_REPLACE (1u << 0)
#define MLB_OWNER_ANNOUNCE (1u << 1)

/**
 * mlb_owner_add() - add entries of other nodes
 * @entries: what is added; what is read only is ignored
 * @flags: 0, MLB_OWNER_REPLACE or MLB_OWNER_ANNOUNCE
 * @done: unless NULL, how many entries, from the first, have been added
 *
 * A message to the kernel, MLB_OWNER_BATCH entries, is taken whole or not at
 * all; larger arrays are sent in several messages and the first refusal ends
 * the call. mlb_last_error()->index then names the entry that was refused,
 * where the kernel says it.
 */
int mlb_owner_add(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  unsigned int flags, size_t *done);
#define MLB_OWNER_BATCH 2048

/* Delete entries of other nodes by their token; otherwise as mlb_owner_add. */
int mlb_owner_del(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  size_t *done);

/**
 * mlb_owner_withdraw() - take announcements of nodes back
 * @entries: tokens and the nodes that announced them
 * @done: unless NULL, how many entries, from the first, were in messages that
 *	the kernel took as a whole
 *
 * An entry that is contested becomes its rival's, any other is deleted.
 *
 * Return: -ENOENT when an announcement was not there (any more); all others
 * have been taken back then, and mlb_last_error()->index names the first that
 * was not there.
 */
int mlb_owner_withdraw(struct mlb *mlb, const struct mlb_owner *entries,
		       size_t n, size_t *done);

/**
 * struct mlb_ended - what has become of connections that were to end
 * @ended: their application and their client have been told
 * @gone: they had ended before
 * @detached: no application holds them, so they go on: it has not accepted them
 *	yet, or has closed them and what it sent before is on its way
 */
struct mlb_ended {
	uint64_t ended;
	uint64_t gone;
	uint64_t detached;
};

/**
 * mlb_owner_end() - end connections of this host, as if their application did
 * @entries: their tokens
 * @ended: what became of them; in a failure of those before it
 *
 * A message to the kernel, MLB_OWNER_BATCH entries, of which one is of another
 * node is refused before the first has ended; mlb_last_error()->index names
 * that entry. Tokens of no connection are counted as gone.
 *
 * Return: -EPERM when a token is of another node.
 */
int mlb_owner_end(struct mlb *mlb, const struct mlb_owner *entries, size_t n,
		  struct mlb_ended *ended);

/*
 * The same for all that the owner table has of this host, which is listed again
 * when it has changed meanwhile. Of several times @ended counts all that have
 * ended, and the others of the last one.
 *
 * Return: -EAGAIN or -EPERM when it changed each time: some may go on.
 */
int mlb_owner_end_all(struct mlb *mlb, struct mlb_ended *ended);

/* Delete every entry of other nodes, or those of @node when it is not 0. */
int mlb_owner_flush(struct mlb *mlb, uint16_t node);

#endif /* LIBMLB_OWNER_H */
