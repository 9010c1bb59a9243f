// SPDX-License-Identifier: GPL-2.0
/* Routes by which a routing daemon hears of virtual addresses, and addresses. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vip.h"

/* "ip route show proto 109 table all" lists them. */
#define ROUTE_PROTOCOL 109

/* Several seconds' worth of calls; see vip_set(). */
#define VALID_S 10

static int put_addr(struct nl_msg *msg, int type, const struct mlb_addr *addr)
{
	if (addr->family == AF_INET)
		return nla_put(msg, type, sizeof(addr->v4), &addr->v4);
	return nla_put(msg, type, sizeof(addr->v6), &addr->v6);
}

/*
 * A blackhole is the same with IPv4 and IPv6, names no device, and goes to
 * peers of a routing protocol like any other. No packet comes to it: the
 * address is this host's.
 */
static struct nl_msg *route_message(const struct config_vip *vip, bool there)
{
	struct rtmsg route = {
		.rtm_family = (unsigned char)vip->addr.family,
		.rtm_dst_len = vip->addr.family == AF_INET ? 32 : 128,
		.rtm_protocol = ROUTE_PROTOCOL,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_BLACKHOLE,
	};
	int flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nl_msg *msg = nlmsg_alloc_simple(
		there ? RTM_NEWROUTE : RTM_DELROUTE,
		there ? flags | NLM_F_CREATE | NLM_F_EXCL : flags);

	if (!msg || nlmsg_append(msg, &route, sizeof(route), NLMSG_ALIGNTO) ||
	    put_addr(msg, RTA_DST, &vip->addr) ||
	    nla_put_u32(msg, RTA_TABLE, vip->table)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Whatever else comes is not the answer. */
static int take_answer(int fd)
{
	_Alignas(struct nlmsghdr) char buf[8192];

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *head = (const struct nlmsghdr *)buf;
		const struct nlmsgerr *error = nlmsg_data(head);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n >= NLMSG_LENGTH(sizeof(*error)) &&
		    head->nlmsg_type == NLMSG_ERROR)
			return error->error;
	}
}

static int ask(struct nl_msg *msg)
{
	const struct nlmsghdr *head = nlmsg_hdr(msg);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int ret;

	if (fd < 0)
		return -errno;
	ret = send(fd, head, head->nlmsg_len, 0) < 0 ? -errno : take_answer(fd);
	close(fd);
	return ret;
}

/*
 * Never preferred, so that no connection of this host's own comes from it; and
 * not for longer than this mlbd can say that it should be here.
 */
static struct nl_msg *addr_message(const struct config_vip *vip, bool there,
				   int how)
{
	struct ifaddrmsg addr = {
		.ifa_family = (unsigned char)vip->addr.family,
		.ifa_prefixlen = vip->addr.family == AF_INET ? 32 : 128,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = if_nametoindex(vip->dev),
	};
	struct ifa_cacheinfo life = { .ifa_valid = VALID_S };
	int flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nl_msg *msg =
		nlmsg_alloc_simple(there ? RTM_NEWADDR : RTM_DELADDR,
				   there ? flags | NLM_F_CREATE | how : flags);

	if (!msg || nlmsg_append(msg, &addr, sizeof(addr), NLMSG_ALIGNTO) ||
	    put_addr(msg, IFA_LOCAL, &vip->addr) ||
	    put_addr(msg, IFA_ADDRESS, &vip->addr) ||
	    nla_put_u32(msg, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE) ||
	    nla_put(msg, IFA_CACHEINFO, sizeof(life), &life)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int ask_once(struct nl_msg *msg)
{
	int ret = msg ? ask(msg) : -ENOMEM;

	nlmsg_free(msg);
	return ret;
}

static int set_addr(const struct config_vip *vip, bool there)
{
	int ret;

	if (!if_nametoindex(vip->dev))
		return there ? -ENODEV : 0;
	ret = ask_once(addr_message(vip, there, NLM_F_EXCL));
	if (there && ret == -EEXIST)
		return ask_once(addr_message(vip, there, NLM_F_REPLACE));
	if (!there && ret == -EADDRNOTAVAIL)
		return 0;
	return ret ? ret : 1;
}

int vip_set(const struct config_vip *vip, bool there)
{
	int ret;

	if (vip->dev[0])
		return set_addr(vip, there);
	ret = ask_once(route_message(vip, there));
	if (ret == (there ? -EEXIST : -ESRCH))
		return 0;
	return ret ? ret : 1;
}
