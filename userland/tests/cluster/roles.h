/* SPDX-License-Identifier: GPL-2.0 */
/* Clusters with roles: what is done to them, and who serves whom. */
#ifndef TESTS_CLUSTER_ROLES_H
#define TESTS_CLUSTER_ROLES_H

#include "sim.h"
#include "wire.h"

/* In JSON with ' for ". */
json_t *json(const char *text);
void propose(struct sim_node *node, const char *text);
/* What has to be made, and what has to be refused with a text that has @part. */
void change(struct sim_node *node, const char *text);
void refused(struct sim_node *node, const char *text, const char *part);

void service(void);
/* Role rN for 10.N.0.0/16. */
void role(unsigned int n, const char *rest, bool exclusive);
/* Its service does not work at a node. */
void down(unsigned int id, bool is_down);
/* As the network has it: who is in its second part. */
void parts(const char *second);
void back(unsigned int id);
/* As if @sender had sent it. */
void say(struct sim_node *to, uint16_t sender, enum wire_kind kind,
	 const char *text);

/* For whom a node's kernel has the clients of 10.N.0.0/16, as bits. */
uint64_t pool(const struct sim_node *node, unsigned int n);
uint64_t bits(const char *nodes);
/* In the kernels of all who have quorum and an mlbd. */
bool serve(unsigned int n, const char *nodes);
/* Return: ms until it was so. */
uint64_t until(unsigned int n, const char *nodes, uint64_t most);
void stays(unsigned int n, const char *nodes, uint64_t ms);

#endif /* TESTS_CLUSTER_ROLES_H */
