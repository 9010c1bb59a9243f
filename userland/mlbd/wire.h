/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between mlbds. One header, then a body of the kind: JSON for what
 * is rare, packed entries for owners. All integers are big-endian. What comes
 * from a peer is proven here before anything else looks at it.
 *
 *	 0  magic "mlb", then WIRE_VERSION
 *	 4  kind, flags (bit 0: repeat, bit 1: clients), 2 bytes of 0
 *	 8  run
 *	12  length of the body
 *	16  sequence
 *	24  sent
 *	32  body; of WIRE_OWNERS: token (4), cpu (2), flags (2, bit 0: withdrawn);
 *	    with clients, each entry goes on: both addresses of the first subflow,
 *	    IPv4 as ::ffff:a.b.c.d, the client's first (16 each), both ports (2
 *	    each), the client's key (8); all 0 where it is not known
 */
#ifndef MLBD_WIRE_H
#define MLBD_WIRE_H

#include "libmlb.h"
#include <jansson.h>

#define WIRE_VERSION 1
#define WIRE_HEADER 32
#define WIRE_OWNER 8
#define WIRE_CLIENT 44

enum wire_kind {
	WIRE_HELLO = 1,		/* JSON: protocols, address, key id, stamp */
	WIRE_OWNERS,		/* entries, of now or of a repetition */
	WIRE_REPEAT_BEGIN,	/* no body */
	WIRE_REPEAT_END,	/* no body */
	WIRE_REPEAT_WANT,	/* JSON: who shall repeat; see sync.h */
	WIRE_PROPOSE,		/* JSON: a change of the document */
	WIRE_DOCUMENT,		/* JSON: the document whole */
	WIRE_REPORT,		/* JSON: how a node is; from protocol 2 on */
};

/* Most entries in one message, and in one with clients. */
#define WIRE_OWNERS_MAX 16384
#define WIRE_CLIENTS_MAX 2048
/* Most bytes of a message; corosync's limit for one, less its own header. */
#define WIRE_MAX 1000000
/* Of a body that is not of the document. */
#define WIRE_SMALL_MAX 65536

/* A cpu that is not known. */
#define WIRE_NO_CPU UINT16_MAX

/**
 * struct wire_owner - an entry of a WIRE_OWNERS message
 * @token: never 0
 * @cpu: as in struct mlb_owner, or WIRE_NO_CPU
 * @withdrawn: the token is owned no more; not in a repetition
 * @client: as in struct mlb_owner; not of one that is withdrawn
 */
struct wire_owner {
	uint32_t token;
	uint16_t cpu;
	bool withdrawn;
	const struct mlb_client *client;
};

/**
 * struct wire_message - a message that has been proven whole
 * @kind: what it is
 * @repeat: WIRE_OWNERS: part of a repetition, not new
 * @clients: WIRE_OWNERS: entries may have a client
 * @sequence: numbers WIRE_OWNERS, WIRE_REPEAT_BEGIN and WIRE_REPEAT_END of one
 *	run of a sender; in other kinds it is the number that the next of those
 *	will have
 * @run: tells runs of a sender's mlbd apart
 * @sent: sender's monotonic clock, ms, for the lag of the sync
 * @owners: WIRE_OWNERS: @n_owners entries still packed; wire_owner() reads one
 * @json: JSON kinds: the body, an object; freed by wire_free()
 */
struct wire_message {
	enum wire_kind kind;
	bool repeat;
	bool clients;
	uint32_t run;
	uint64_t sequence;
	uint64_t sent;
	const uint8_t *owners;
	size_t n_owners;
	json_t *json;
};

/**
 * wire_parse() - prove a message
 *
 * Return: 0; -EPROTONOSUPPORT for a version that is not spoken here; -EBADMSG
 * for everything else that is not whole.
 */
int wire_parse(const void *data, size_t len, struct wire_message *message);
void wire_free(struct wire_message *message);

/* client: where its client, if there is one, is written. */
struct wire_owner wire_owner(const struct wire_message *message, size_t i,
			     struct mlb_client *client);

/* Bytes of an entry. */
static inline size_t wire_owner_size(bool clients)
{
	return WIRE_OWNER + (clients ? WIRE_CLIENT : 0);
}

/* A copy for the heap; false without memory. None of none is none. */
bool wire_keep_client(struct wire_owner *owner);
/* Free what wire_keep_client() kept. */
void wire_drop_client(const struct wire_owner *owner);

/* The header of a message whose body has @body bytes. */
void wire_put_header(uint8_t to[WIRE_HEADER],
		     const struct wire_message *message, size_t body);
/* Into wire_owner_size() bytes. */
void wire_put_owner(uint8_t *to, const struct wire_owner *owner, bool clients);

/**
 * wire_pack() - a whole message of a JSON kind, or of one without a body
 * @data: to be freed by the caller
 *
 * Return: 0, -ENOMEM, or -EMSGSIZE for what wire_parse() would refuse.
 */
int wire_pack(const struct wire_message *message, uint8_t **data, size_t *len);

#endif /* MLBD_WIRE_H */
