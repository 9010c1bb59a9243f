/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between mlbds. One header, then a body of the kind: JSON for what
 * is rare, packed entries for owners. All integers are big-endian. What comes
 * from a peer is proven here before anything else looks at it.
 */
#ifndef MLBD_WIRE_H
#define MLBD_WIRE_H

#include "libmlb.h"
#include <jansson.h>

#define WIRE_VERSION 1

enum wire_kind {
	WIRE_HELLO = 1,		/* JSON: protocols, address, key id, stamp */
	WIRE_OWNERS,		/* entries, of now or of a repetition */
	WIRE_REPEAT_BEGIN,	/* no body */
	WIRE_REPEAT_END,	/* no body */
	WIRE_PROPOSE,		/* JSON: a change of the document */
	WIRE_DOCUMENT,		/* JSON: the document whole */
};

/* Most entries in one message. */
#define WIRE_OWNERS_MAX 16384

/**
 * struct wire_owner - an entry of a WIRE_OWNERS message
 * @token, @cpu: as in struct mlb_owner
 * @withdrawn: the token is owned no more
 */
struct wire_owner {
	uint32_t token;
	uint16_t cpu;
	bool withdrawn;
};

/**
 * struct wire_message - a message that has been proven whole
 * @kind: what it is
 * @repeat: WIRE_OWNERS: part of a repetition, not new
 * @sequence: numbers the owner messages of one run of a sender
 * @run: tells runs of a sender's mlbd apart
 * @sent: sender's clock, ms, for the lag of the sync
 * @owners: WIRE_OWNERS: @n_owners entries still packed; wire_owner() reads one
 * @json: JSON kinds: the body; freed by wire_free()
 */
struct wire_message {
	enum wire_kind kind;
	bool repeat;
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
struct wire_owner wire_owner(const struct wire_message *message, size_t i);

#endif /* MLBD_WIRE_H */
