/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /etc/mlb/mlb.conf: what belongs to this node alone.
 *
 * With "engine = corosync" services and weights are the cluster's (see
 * document.h) and have no place in the file. With "engine = none" the file is
 * all there is: nodes, services and weights stand in it.
 */
#ifndef MLBD_CONFIG_H
#define MLBD_CONFIG_H

#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/un.h>

#include "document.h"
#include "libmlb.h"

#define CONFIG_FILE "/etc/mlb/mlb.conf"
#define CONFIG_SOCKET "/run/mlb/mlbd.sock"
#define CONFIG_SOCKET_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path)

enum config_engine {
	CONFIG_ENGINE_NONE,
	CONFIG_ENGINE_COROSYNC,
};

#define CONFIG_NAME_MAX 48
#define CONFIG_TEXT_MAX 200

enum check_type {
	CHECK_TCP,
	CHECK_MPTCP,
	CHECK_HTTP,
	CHECK_COMMAND,
};

extern const char *const check_type_words[];

/**
 * struct check_timing - when a check is made, and how its results count
 * @interval: ms from one begin to the next
 * @timeout: ms after which there is no answer
 * @rise, @fall: good and bad results in a row that change the state
 */
struct check_timing {
	uint32_t interval;
	uint32_t timeout;
	uint32_t rise;
	uint32_t fall;
};

/**
 * struct check_question - what a check looks at; what is not used is zero
 * @service: the service whose health it tells
 * @target: where to connect
 * @own: @target's address is the service's, which has to be of this host
 * @path, @host: of the HTTP request; @host may be ""
 * @status_min, @status_max: what an HTTP server may answer
 * @command: for the shell
 */
struct check_question {
	enum check_type type;
	struct mlb_endpoint service;
	struct mlb_endpoint target;
	bool own;
	char path[CONFIG_TEXT_MAX];
	char host[CONFIG_TEXT_MAX];
	uint16_t status_min;
	uint16_t status_max;
	char command[CONFIG_TEXT_MAX];
};

/**
 * struct config_check - one [check NAME]
 * @name: letters, digits and "._-"
 */
struct config_check {
	char name[CONFIG_NAME_MAX];
	struct check_timing timing;
	struct check_question question;
};

/**
 * struct config_vip - one [vip NAME]: a virtual address that follows health
 * @table: of the kernel's routes, in which its route stands while this node is
 *	to get packets for it, or 0
 * @dev: or else the interface that has the address then
 * @role: whose holder that is
 */
struct config_vip {
	char name[CONFIG_NAME_MAX];
	struct mlb_addr addr;
	uint32_t table;
	char dev[IF_NAMESIZE];
	char role[DOCUMENT_NAME];
};

/**
 * struct config - a whole, checked configuration
 * @self: this node: id and addr; engine none: weight and state too
 * @key, @key_len: the cluster key, from its file; wiped by config_free()
 * @settings: for the kernel: what the file names, and always the port
 * @nodes: engine none: the other nodes
 * @services: engine none: with their pools, which they own
 * @checks: of this node's services
 * @vips: that this node's routers are told of
 * @state_dir: where the cluster's document is kept
 * @socket: control socket
 * @metrics_file: Prometheus text for node_exporter, or ""
 * @metrics_interval: seconds between its versions
 * @sync_tick: ms in which owner events are gathered into one message, 10..1000
 */
struct config {
	enum config_engine engine;
	struct mlb_node self;
	uint8_t key[MLB_KEY_LEN_MAX];
	size_t key_len;
	struct mlb_config settings;
	struct mlb_node *nodes;
	size_t n_nodes;
	struct mlb_service *services;
	size_t n_services;
	struct config_check *checks;
	size_t n_checks;
	struct config_vip *vips;
	size_t n_vips;
	char state_dir[PATH_MAX];
	char socket[CONFIG_SOCKET_MAX];
	char metrics_file[PATH_MAX];
	unsigned int metrics_interval;
	unsigned int sync_tick;
};

/**
 * struct config_error - the first thing wrong in a file
 * @line: counted from 1, or 0 when it is about no line
 */
struct config_error {
	unsigned int line;
	char text[256];
};

/**
 * config_load() - read and check a file
 * @config: owned by the caller, to be given to config_free()
 *
 * The key file is read too. A path in @error.text stands where the fault is in
 * another file.
 *
 * Return: 0, or a negative errno with @error filled and @config NULL.
 */
int config_load(const char *path, struct config **config,
		struct config_error *error);
void config_free(struct config *config);

/* Whether it has a [vip NAME] with an interface. */
bool config_has_dev(const struct config *config);

/**
 * config_same_identity() - whether a running mlbd can go from one to the other
 *
 * Return: NULL, or what cannot change without a restart.
 */
const char *config_same_identity(const struct config *a,
				 const struct config *b);

#endif /* MLBD_CONFIG_H */
