// SPDX-License-Identifier: GPL-2.0
/* Routes by which a routing daemon hears of virtual addresses, and addresses. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vip.h"

/* "ip route show proto 109 table all" lists them. */
#define ROUTE_PROTOCOL 109

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
 * Never preferred (IPv6), and behind the interface's other addresses (IPv4, as
 * the last one that came), so that no connection of this host's own comes from
 * it; and not for longer than this mlbd can say that it should be here. Detection
 * of duplicates would keep it from its service for a second, and off it as long as
 * one who is hung has it.
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
	struct ifa_cacheinfo life = { .ifa_valid = VIP_VALID_S };
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

/**
 * struct found - routes of ours
 */
struct found {
	struct config_vip *vips;
	size_t n;
};

static int take_route(struct found *found, struct nlmsghdr *head)
{
	const struct rtmsg *route = nlmsg_data(head);
	struct config_vip vip = {}, *new;
	struct nlattr *attr[RTA_MAX + 1];
	size_t len = route->rtm_family == AF_INET ? sizeof(vip.addr.v4) :
						    sizeof(vip.addr.v6);

	if (nlmsg_parse(head, sizeof(*route), attr, RTA_MAX, NULL) ||
	    route->rtm_protocol != ROUTE_PROTOCOL ||
	    route->rtm_type != RTN_BLACKHOLE ||
	    (route->rtm_family != AF_INET && route->rtm_family != AF_INET6) ||
	    route->rtm_dst_len != len * 8 || !attr[RTA_DST] ||
	    nla_len(attr[RTA_DST]) != (int)len || !attr[RTA_TABLE])
		return 0;
	vip.table = nla_get_u32(attr[RTA_TABLE]);
	vip.addr.family = route->rtm_family;
	if (route->rtm_family == AF_INET)
		memcpy(&vip.addr.v4, nla_data(attr[RTA_DST]), len);
	else
		memcpy(&vip.addr.v6, nla_data(attr[RTA_DST]), len);
	new = reallocarray(found->vips, found->n + 1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	found->vips = new;
	new[found->n++] = vip;
	return 0;
}

/* Return: 1 at the end, 0 before it, or a negative errno. */
static int take_routes(struct found *found, void *data, size_t len)
{
	int left = (int)len, ret = 0;

	for (struct nlmsghdr *h = data; !ret && nlmsg_ok(h, left);
	     h = nlmsg_next(h, &left)) {
		/* Both begin with an error. */
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return nlmsg_datalen(h) < (int)sizeof(int) ?
				       -EBADMSG :
				       *(const int *)nlmsg_data(h) ?: 1;
		if (h->nlmsg_type == RTM_NEWROUTE)
			ret = take_route(found, h);
	}
	return ret;
}

/* The kernel looks through all routes, but shows only ours. */
static int find_routes(struct found *found, unsigned char family)
{
	static _Thread_local _Alignas(struct nlmsghdr) char buf[32768];
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} message = {
		.head = { .nlmsg_len = sizeof(message),
			  .nlmsg_type = RTM_GETROUTE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.route = { .rtm_family = family,
			   .rtm_protocol = ROUTE_PROTOCOL },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int ret = 0, strict = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict,
		   sizeof(strict));
	if (send(fd, &message, sizeof(message), 0) < 0)
		ret = -errno;
	while (!ret) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		ret = n < 0 ? -errno : take_routes(found, buf, (size_t)n);
	}
	close(fd);
	/* No table of that family is no route either. */
	return ret > 0 || ret == -ENOENT ? 0 : ret;
}

static bool is_named(const struct config_vip *vips, size_t n,
		     const struct config_vip *vip)
{
	for (size_t i = 0; i < n; i++)
		if (vips[i].table == vip->table &&
		    vips[i].addr.family == vip->addr.family &&
		    !memcmp(&vips[i].addr.v6, &vip->addr.v6,
			    vip->addr.family == AF_INET ?
				    sizeof(vip->addr.v4) :
				    sizeof(vip->addr.v6)))
			return true;
	return false;
}

int vip_sweep(const struct config_vip *vips, size_t n)
{
	struct found found = {};
	int ret = find_routes(&found, AF_INET), gone = 0;

	if (!ret)
		ret = find_routes(&found, AF_INET6);
	for (size_t i = 0; i < found.n; i++)
		if (!is_named(vips, n, &found.vips[i]))
			gone += vip_set(&found.vips[i], false) == 1;
	free(found.vips);
	return ret ? ret : gone;
}
