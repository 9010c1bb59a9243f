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

#include "libmlb.h"

enum config_engine {
	CONFIG_ENGINE_NONE,
	CONFIG_ENGINE_COROSYNC,
};

/**
 * struct config - a whole, checked configuration
 * @self: this node: id, addr, weight
 * @key_file: file with the cluster key
 * @settings: for the kernel; MLB_F_CONFIG_* of what the file names
 * @nodes: engine none: the other nodes
 * @services: engine none: with their pools, which they own
 * @state_dir: where the cluster's document is kept
 * @socket: control socket
 * @metrics_file: Prometheus text for node_exporter, or NULL
 * @metrics_interval: seconds between its versions
 * @sync_tick: ms in which owner events are gathered into one message, 10..1000
 */
struct config {
	enum config_engine engine;
	struct mlb_node self;
	char *key_file;
	struct mlb_config settings;
	struct mlb_node *nodes;
	size_t n_nodes;
	struct mlb_service *services;
	size_t n_services;
	char *state_dir;
	char *socket;
	char *metrics_file;
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
 * Return: 0, or a negative errno with @error filled and @config NULL.
 */
int config_load(const char *path, struct config **config,
		struct config_error *error);
void config_free(struct config *config);

#endif /* MLBD_CONFIG_H */
