/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of mlbctl doctor share. */
#ifndef MLBCTL_DOCTOR_H
#define MLBCTL_DOCTOR_H

#include "mlbctl.h"

/**
 * enum doctor_result - what a check has found
 * @DOCTOR_OK: nothing
 * @DOCTOR_NOTE: it works, but not as well as it could, or could not be looked at
 * @DOCTOR_WRONG: something does not work
 */
enum doctor_result { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WRONG };

/**
 * struct doctor - one examination
 * @mlb: NULL while the module is not loaded
 * @out: a list that has begun
 * @quiet: what is ok is not told
 * @found: results of each kind
 * @config: of the module, zero if it is not known
 * @nodes: all, @n_nodes of them; owned by this
 * @self: the entry that is this host, or NULL
 * @ipv4: some service has an IPv4 address
 * @ipv6: some service has an IPv6 address
 */
struct doctor {
	struct mlb *mlb;
	struct output *out;
	bool quiet;
	unsigned int found[DOCTOR_WRONG + 1];

	struct mlb_config config;
	struct mlb_node *nodes;
	size_t n_nodes;
	const struct mlb_node *self;
	bool ipv4;
	bool ipv6;
};

/**
 * doctor_say() - tell a result
 * @check: name of the check
 * @remedy: what to do, NULL if nothing
 */
void doctor_say(struct doctor *doctor, enum doctor_result result,
		const char *check, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Return: the number in a file, -1 if it cannot be read. */
long doctor_number(const char *path);

/* doctor_host.c: what needs no module */
void doctor_module(struct doctor *doctor);
void doctor_mptcp(struct doctor *doctor);
void doctor_syncookies(struct doctor *doctor);
void doctor_rp_filter(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);

/* doctor_cluster.c: the module's settings */
void doctor_cluster(struct doctor *doctor);
void doctor_tables(struct doctor *doctor);

/* doctor_node.c: each node's reach */
void doctor_nodes(struct doctor *doctor);

/* doctor_service.c: each service's address and server */
void doctor_services(struct doctor *doctor);

/* doctor_vip.c: addresses that mlbd moves on a link */
void doctor_vips(struct doctor *doctor);

/**
 * struct listener - a TCP socket that listens
 * @addr: zero for any address
 * @v6only: an IPv6 socket that takes no IPv4
 * @mptcp: it accepts MPTCP
 * @device: index of the device that it is bound to, or 0
 */
struct listener {
	struct mlb_addr addr;
	uint16_t port;
	bool v6only;
	bool mptcp;
	uint32_t device;
};

typedef void listener_fn(const struct listener *listener, void *arg);

/* doctor_netlink.c: what the host's own netlink tells; a negative errno if not */
int doctor_each_listener(listener_fn *fn, void *arg);
/* Whether packets to the address are for this host; without a device too. */
bool doctor_addr_is_local(const struct mlb_addr *addr);

#endif /* MLBCTL_DOCTOR_H */
