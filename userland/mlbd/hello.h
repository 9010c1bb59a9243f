/* SPDX-License-Identifier: GPL-2.0 */
/* What an mlbd says of itself when it meets others, and whether it fits. */
#ifndef MLBD_HELLO_H
#define MLBD_HELLO_H

#include "document.h"
#include "engine.h"

/* Protocols that this mlbd speaks; see README.md about upgrades. */
#define HELLO_PROTOCOL_MIN 1
#define HELLO_PROTOCOL_MAX 2

/**
 * struct hello - an mlbd, as it tells it
 * @protocol_min, @protocol_max: what it speaks
 * @cluster: what its engine's configuration calls the cluster, or ""
 * @addr, @port: its tunnel
 * @keyed: its kernel has a cluster key, of which
 * @key_id: is the fingerprint
 * @ready: it serves: kernel configured, document current
 * @stamp: its document
 * @version: of mlb, for people
 */
struct hello {
	uint32_t protocol_min;
	uint32_t protocol_max;
	char cluster[ENGINE_NAME_MAX];
	struct mlb_addr addr;
	uint16_t port;
	bool keyed;
	uint8_t key_id[MLB_KEY_ID_LEN];
	bool ready;
	struct document_stamp stamp;
	char version[24];
};

/* Keeps of it what can go into logs and to terminals. */
void hello_set_cluster(struct hello *hello, const char *name);

json_t *hello_json(const struct hello *hello);

/*
 * Keys that are not known are of a newer version and are passed over. Of one
 * that speaks no protocol of ours, nothing but what it speaks is looked at.
 *
 * Return: false for what is not a hello.
 */
bool hello_parse(const json_t *json, struct hello *hello);

bool hello_addr_same(const struct mlb_addr *a, const struct mlb_addr *b);
bool hello_same(const struct hello *a, const struct hello *b);
bool hello_protocol_fits(const struct hello *hello);

/* Why a peer cannot work with us, as text for people, or NULL. */
const char *hello_fault(const struct hello *ours, const struct hello *theirs,
			char *text, size_t size);

#endif /* MLBD_HELLO_H */
