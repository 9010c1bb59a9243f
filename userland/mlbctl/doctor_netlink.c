// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: what the host's own netlink families tell. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "doctor.h"

#define STATE_LISTEN 10

/*
 * One request, whose answers go to @fn. Return: a negative errno or
 * libnl's error if it was refused.
 */
static int ask(int protocol, struct nl_msg *msg, nl_recvmsg_msg_cb_t fn,
	       void *arg)
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret = -ENOMEM;

	if (sock && msg) {
		nl_socket_disable_auto_ack(sock);
		nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, arg);
		ret = nl_connect(sock, protocol);
		if (ret >= 0)
			ret = nl_send_auto(sock, msg);
		if (ret >= 0)
			ret = nl_recvmsgs_default(sock);
	}
	nlmsg_free(msg);
	nl_socket_free(sock);
	return ret < 0 ? ret : 0;
}

struct each {
	listener_fn *fn;
	void *arg;
};

/* A listener of MPTCP has the upper layer protocol of its subflows. */
static bool is_mptcp(struct nlattr *ulp)
{
	struct nlattr *name = ulp ? nla_find(nla_data(ulp), nla_len(ulp),
					     INET_ULP_INFO_NAME) :
				    NULL;

	return name && !strcmp(nla_data(name), "mptcp");
}

static int listener_answer(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const struct inet_diag_msg *diag = nlmsg_data(nlh);
	const struct each *each = arg;
	struct listener listener = {};
	struct nlattr *v6only;

	if (!nlmsg_valid_hdr(nlh, sizeof(*diag)))
		return NL_SKIP;
	listener.addr.family = diag->idiag_family;
	if (diag->idiag_family == AF_INET)
		memcpy(&listener.addr.v4, diag->id.idiag_src, 4);
	else
		memcpy(&listener.addr.v6, diag->id.idiag_src, 16);
	listener.port = ntohs(diag->id.idiag_sport);
	listener.device = diag->id.idiag_if;
	listener.mptcp = is_mptcp(
		nlmsg_find_attr(nlh, sizeof(*diag), INET_DIAG_ULP_INFO));
	v6only = nlmsg_find_attr(nlh, sizeof(*diag), INET_DIAG_SKV6ONLY);
	listener.v6only = v6only && nla_get_u8(v6only);
	each->fn(&listener, each->arg);
	return NL_OK;
}

int doctor_each_listener(listener_fn *fn, void *arg)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct each each = { fn, arg };
	int ret = 0;

	for (unsigned int i = 0; !ret && i < 2; i++) {
		struct inet_diag_req_v2 req = {
			.sdiag_family = families[i],
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1u << (INET_DIAG_INFO - 1),
			.idiag_states = 1u << STATE_LISTEN,
		};
		struct nl_msg *msg =
			nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);

		if (msg && nlmsg_append(msg, &req, sizeof(req), NLMSG_ALIGNTO)) {
			nlmsg_free(msg);
			return -ENOMEM;
		}
		ret = ask(NETLINK_SOCK_DIAG, msg, listener_answer, &each);
	}
	return ret;
}

static int route_answer(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const struct rtmsg *route = nlmsg_data(nlh);
	int *local = arg;

	if (nlmsg_valid_hdr(nlh, sizeof(*route)))
		*local = route->rtm_type == RTN_LOCAL;
	return NL_OK;
}

/* In a VRF, whose table was not asked. */
static bool device_has(const struct mlb_addr *addr)
{
	struct ifaddrs *all, *at;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (at = all; at && !found; at = at->ifa_next) {
		const struct sockaddr *sa = at->ifa_addr;

		if (!sa || sa->sa_family != addr->family)
			continue;
		if (addr->family == AF_INET)
			found = !memcmp(
				&((const struct sockaddr_in *)sa)->sin_addr,
				&addr->v4, sizeof(addr->v4));
		else
			found = !memcmp(
				&((const struct sockaddr_in6 *)sa)->sin6_addr,
				&addr->v6, sizeof(addr->v6));
	}
	freeifaddrs(all);
	return found;
}

bool doctor_addr_is_local(const struct mlb_addr *addr)
{
	bool ipv6 = addr->family == AF_INET6;
	struct rtmsg route = {
		.rtm_family = addr->family,
		.rtm_dst_len = ipv6 ? 128 : 32,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	int local = 0;

	if (!msg)
		return false;
	if (nlmsg_append(msg, &route, sizeof(route), NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, ipv6 ? 16 : 4,
		    ipv6 ? (const void *)&addr->v6 : &addr->v4)) {
		nlmsg_free(msg);
		return false;
	}
	ask(NETLINK_ROUTE, msg, route_answer, &local);
	return local || device_has(addr);
}
