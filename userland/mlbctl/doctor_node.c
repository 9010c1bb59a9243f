// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: whether each node answers, and what fits on the way to it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "print.h"

#define PROBES 3
#define LOOKS 35 /* after each probe */
#define LOOK_MS 10

#define UDP_LEN 8
#define TUNNEL_LEN 16
#define GUE_LEN 4
#define IPV4_LEN 20
#define IPV6_LEN 40
#define TCP_LEN 20
#define ETHERNET_MTU 1500
#define IPV6_MIN_MTU 1280

/* Peers that are to answer; the index of each in doctor->nodes. */
struct awaited {
	size_t index[MLB_NODE_ID_MAX];
	size_t n;
};

static uint64_t rx_mac(struct doctor *doctor)
{
	struct mlb_stats stats;

	return mlb_stats_get(doctor->mlb, &stats) ?
		       0 :
		       stats.value[MLB_A_STATS_TUNNEL_RX_MAC];
}

/* False when the node cannot be asked, which has been said. */
static bool send_probe(struct doctor *doctor, const struct mlb_node *node)
{
	const struct mlb_error *error = mlb_last_error(doctor->mlb);
	int ret = mlb_node_probe(doctor->mlb, node->id);

	switch (-ret) {
	case 0:
		return true;
	case EPERM:
	case EACCES:
		doctor_say(doctor, DOCTOR_NOTE, "node", "run it as root",
			   "node %u: not asked", node->id);
		return false;
	case EOPNOTSUPP:
		doctor_say(doctor, DOCTOR_NOTE, "node", NULL,
			   "node %u: not asked: %s", node->id, error->text);
		return false;
	case EHOSTUNREACH:
		doctor_say(doctor, DOCTOR_WRONG, "node",
			   "ip route get ADDRESS says why", "node %u: %s",
			   node->id, error->text);
		return false;
	default:
		doctor_say(doctor, DOCTOR_WRONG, "node", NULL, "node %u: %s",
			   node->id, error->text);
		return false;
	}
}

/* Tell of those that have answered, and keep the others. */
static void look(struct doctor *doctor, struct awaited *awaited)
{
	size_t left = 0;

	for (size_t i = 0; i < awaited->n; i++) {
		size_t index = awaited->index[i];
		struct mlb_node node;

		if (mlb_node_get(doctor->mlb, doctor->nodes[index].id, &node) ||
		    !(node.fields & MLB_F_NODE_RTT)) {
			awaited->index[left++] = index;
			continue;
		}
		doctor_say(doctor, DOCTOR_OK, "node", NULL,
			   "node %u: answers after %u us, with the same key",
			   node.id, node.rtt);
	}
	awaited->n = left;
}

static void tell_silent(struct doctor *doctor, const struct mlb_node *node,
			bool wrong_mac)
{
	char remedy[256], addr[ADDR_TEXT];
	unsigned int port = doctor->config.port;

	addr_text(&node->addr, addr);
	snprintf(
		remedy, sizeof(remedy),
		"compare port and key-id of \"mlbctl set\" on both nodes; if \"tunnel rx-mac\" grows there while doctor runs here, the keys differ, else a firewall may stop UDP port %u",
		port);
	doctor_say(
		doctor, DOCTOR_WRONG, "node", remedy,
		"node %u (%s, UDP port %u): does not answer%s", node->id, addr,
		port,
		wrong_mac ?
			"; packets with a wrong key do come in, so the keys differ" :
			"");
}

static void check_answers(struct doctor *doctor)
{
	const struct timespec wait = { .tv_nsec = LOOK_MS * 1000000L };
	struct awaited awaited = {};
	uint64_t macs;

	for (size_t i = 0; i < doctor->n_nodes; i++) {
		const struct mlb_node *node = &doctor->nodes[i];

		if (node == doctor->self)
			continue;
		if (node->state == MLB_NODE_STATE_DEAD)
			doctor_say(
				doctor, DOCTOR_NOTE, "node",
				"mlbctl node set ID state active, when it is back",
				"node %u: is said to be dead", node->id);
		else if (send_probe(doctor, node))
			awaited.index[awaited.n++] = i;
	}
	for (unsigned int probe = 1; awaited.n; probe++) {
		for (unsigned int i = 0; awaited.n && i < LOOKS; i++) {
			look(doctor, &awaited);
			if (awaited.n)
				nanosleep(&wait, NULL);
		}
		if (probe == PROBES)
			break;
		for (size_t i = 0; i < awaited.n; i++)
			mlb_node_probe(doctor->mlb,
				       doctor->nodes[awaited.index[i]].id);
	}
	macs = awaited.n ? rx_mac(doctor) : 0;
	for (size_t i = 0; i < awaited.n; i++)
		tell_silent(doctor, &doctor->nodes[awaited.index[i]], macs);
}

static socklen_t socket_addr(struct sockaddr_storage *storage,
			     const struct mlb_addr *addr, uint16_t port)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)storage;
	struct sockaddr_in *sin = (struct sockaddr_in *)storage;

	memset(storage, 0, sizeof(*storage));
	storage->ss_family = addr->family;
	if (addr->family == AF_INET) {
		sin->sin_addr = addr->v4;
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	sin6->sin6_addr = addr->v6;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

/* The MTU on the way to a node; a negative errno where there is none. */
static int path_mtu(const struct mlb_addr *self, const struct mlb_addr *peer,
		    uint16_t port)
{
	bool ipv6 = peer->family == AF_INET6;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(int);
	int mtu = 0, ret = 0;
	int fd = socket(peer->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, socket_addr(&addr, self, 0)) ||
	    connect(fd, (struct sockaddr *)&addr,
		    socket_addr(&addr, peer, port)) ||
	    getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       ipv6 ? IPV6_MTU : IP_MTU, &mtu, &len))
		ret = -errno;
	close(fd);
	return ret ? ret : mtu;
}

/* What stands in front of a packet on the way to a node. */
static int overhead(const struct mlb_node *node)
{
	int ip = node->addr.family == AF_INET6 ? IPV6_LEN : IPV4_LEN;

	switch (node->encap) {
	case MLB_ENCAP_MLB:
		return ip + UDP_LEN + TUNNEL_LEN;
	case MLB_ENCAP_GUE:
		return ip + UDP_LEN + GUE_LEN;
	default:
		return ip;
	}
}

static void check_mtu(struct doctor *doctor, const struct mlb_node *node)
{
	int head = overhead(node);
	int mtu =
		path_mtu(&doctor->self->addr, &node->addr, doctor->config.port);
	int room = mtu - head;
	char remedy[100];

	if (mtu < 0) {
		doctor_say(doctor, DOCTOR_WRONG, "mtu",
			   "ip route get ADDRESS says why",
			   "node %u: no way to it: %s", node->id,
			   strerror(-mtu));
		return;
	}
	if (room >= ETHERNET_MTU) {
		doctor_say(doctor, DOCTOR_OK, "mtu", NULL,
			   "node %u: %d, packets of %d bytes fit the tunnel",
			   node->id, mtu, room);
		return;
	}
	snprintf(remedy, sizeof(remedy),
		 "an MTU of %d or more on the network between the nodes",
		 ETHERNET_MTU + head);
	if (doctor->ipv6 && room < IPV6_MIN_MTU)
		doctor_say(
			doctor, DOCTOR_WRONG, "mtu", remedy,
			"node %u: %d, of which the tunnel leaves %d: IPv6 needs %d",
			node->id, mtu, room, IPV6_MIN_MTU);
	else
		doctor_say(
			doctor, DOCTOR_NOTE, "mtu", remedy,
			"node %u: %d, of which the tunnel leaves %d: the MSS of connections is lowered to %d (IPv4), %d (IPv6)",
			node->id, mtu, room, room - IPV4_LEN - TCP_LEN,
			room - IPV6_LEN - TCP_LEN);
}

static void tell_suspect(struct doctor *doctor, const struct mlb_node *node)
{
	doctor_say(
		doctor, DOCTOR_WRONG, "alive",
		"see whether it runs, and whether both hosts let UDP of the tunnel's port in",
		"node %u: suspect, last heard %u ms ago; new connections avoid it",
		node->id, node->silent);
}

/* Whether the peers are heard by themselves, without a question. */
static void check_alive(struct doctor *doctor)
{
	unsigned int peers = 0, heard = 0;

	if (!doctor->config.alive_interval) {
		doctor_say(doctor, DOCTOR_NOTE, "alive",
			   "mlbctl set alive-interval 50, on each node",
			   "off: a node that fails gets new connections until it is set dead");
		return;
	}
	for (size_t i = 0; i < doctor->n_nodes; i++) {
		const struct mlb_node *node = &doctor->nodes[i];

		if (node == doctor->self || node->encap != MLB_ENCAP_MLB ||
		    node->state == MLB_NODE_STATE_DEAD)
			continue;
		peers++;
		if (node->fields & MLB_F_NODE_SUSPECT)
			tell_suspect(doctor, node);
		else if (node->fields & MLB_F_NODE_SILENT)
			heard++;
		else
			doctor_say(doctor, DOCTOR_NOTE, "alive",
				   "mlbctl doctor, on that node",
				   "node %u: was never heard", node->id);
	}
	if (peers && heard == peers)
		doctor_say(doctor, DOCTOR_OK, "alive", NULL,
			   "all other nodes are heard");
}

void doctor_nodes(struct doctor *doctor)
{
	if (!doctor->self || !(doctor->config.fields & MLB_F_CONFIG_KEY_ID))
		return;
	check_alive(doctor);
	check_answers(doctor);
	for (size_t i = 0; i < doctor->n_nodes; i++)
		if (&doctor->nodes[i] != doctor->self &&
		    doctor->nodes[i].state != MLB_NODE_STATE_DEAD)
			check_mtu(doctor, &doctor->nodes[i]);
}
