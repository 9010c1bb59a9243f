// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: whether each service has its address and a server here. */
#include <net/if.h>
#include <string.h>

#include "doctor.h"
#include "print.h"

/* The listeners that the kernel would choose from for a service. */
struct servers {
	const struct mlb_endpoint *vip;
	int rank; /* of those counted: 2 for the address itself, 1 for any */
	unsigned int n;
	unsigned int plain;
	uint32_t device;
};

static bool is_any(const struct mlb_addr *addr)
{
	return addr->family == AF_INET ? !addr->v4.s_addr :
					 IN6_IS_ADDR_UNSPECIFIED(&addr->v6);
}

static bool same(const struct mlb_addr *a, const struct mlb_addr *b)
{
	if (a->family == AF_INET6 && b->family == AF_INET)
		return IN6_IS_ADDR_V4MAPPED(&a->v6) &&
		       !memcmp(&a->v6.s6_addr[12], &b->v4, 4);
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
				      IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

/* 0: does not serve it. */
static int rank(const struct listener *listener, const struct mlb_endpoint *vip)
{
	if (listener->port != vip->port)
		return 0;
	if (same(&listener->addr, &vip->addr))
		return 2;
	if (!is_any(&listener->addr) ||
	    (listener->addr.family == AF_INET && vip->addr.family == AF_INET6))
		return 0;
	return listener->addr.family != vip->addr.family && listener->v6only ?
		       0 :
		       1;
}

static void count(const struct listener *listener, void *arg)
{
	struct servers *servers = arg;
	int r = rank(listener, servers->vip);

	if (!r || r < servers->rank)
		return;
	if (r > servers->rank)
		*servers = (struct servers){ .vip = servers->vip, .rank = r };
	servers->n++;
	servers->plain += !listener->mptcp;
	if (listener->device)
		servers->device = listener->device;
}

static void check_server(struct doctor *doctor, const struct mlb_endpoint *vip,
			 const char *name)
{
	struct servers servers = { .vip = vip };
	char device[IF_NAMESIZE] = "?";

	if (doctor_each_listener(count, &servers)) {
		doctor_say(doctor, DOCTOR_NOTE, "server", "modprobe tcp_diag",
			   "%s: cannot be looked for: no socket diagnosis",
			   name);
		return;
	}
	if (!servers.n) {
		doctor_say(
			doctor, DOCTOR_WRONG, "server",
			"start the server, listening at the service's address or at any",
			"%s: nothing listens here", name);
		return;
	}
	if (servers.device) {
		if_indextoname(servers.device, device);
		doctor_say(
			doctor, DOCTOR_NOTE, "server",
			"let it listen on every device, or put mlb0 into the same VRF",
			"%s: listens on device %s only, not on what mlb0 takes out of the tunnel",
			name, device);
	}
	if (servers.plain)
		doctor_say(
			doctor, DOCTOR_NOTE, "server",
			"let it open its socket with IPPROTO_MPTCP, or start it by \"mptcpize run\"",
			"%s: the server has no MPTCP, clients get plain TCP",
			name);
	else
		doctor_say(doctor, DOCTOR_OK, "server", NULL,
			   "%s: listens, with MPTCP", name);
}

static bool serves_here(const struct doctor *doctor,
			const struct mlb_service *service)
{
	if (!service->n_nodes)
		return true;
	for (size_t i = 0; i < service->n_nodes; i++)
		if (doctor->self && service->nodes[i] == doctor->self->id)
			return true;
	return false;
}

static int check_service(const struct mlb_service *service, void *arg)
{
	const struct mlb_addr *addr = &service->vip.addr;
	struct doctor *doctor = arg;
	char name[ENDPOINT_TEXT], remedy[100], text[ADDR_TEXT];

	doctor->ipv4 |= addr->family == AF_INET;
	doctor->ipv6 |= addr->family == AF_INET6;
	endpoint_text(&service->vip, name);
	if (!serves_here(doctor, service)) {
		doctor_say(doctor, DOCTOR_OK, "service", NULL,
			   "%s: served by other nodes", name);
		return 0;
	}
	addr_text(addr, text);
	snprintf(remedy, sizeof(remedy), "ip addr add %s/%d dev lo", text,
		 addr->family == AF_INET ? 32 : 128);
	if (doctor_addr_is_local(addr))
		doctor_say(doctor, DOCTOR_OK, "service", NULL,
			   "%s: the address is here", name);
	else
		doctor_say(doctor, DOCTOR_WRONG, "service", remedy,
			   "%s: this host does not have the address", name);
	check_server(doctor, &service->vip, name);
	return 0;
}

void doctor_services(struct doctor *doctor)
{
	unsigned int before = doctor->ipv4 + doctor->ipv6;

	if (mlb_service_each(doctor->mlb, check_service, doctor))
		doctor_say(doctor, DOCTOR_NOTE, "service", NULL,
			   "the list of services: %s",
			   mlb_last_error(doctor->mlb)->text);
	else if (before == (unsigned int)doctor->ipv4 + doctor->ipv6)
		doctor_say(doctor, DOCTOR_WRONG, "service",
			   "mlbctl service add VIP:PORT",
			   "there is no service: nothing is steered");
}
