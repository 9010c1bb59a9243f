// SPDX-License-Identifier: GPL-2.0
/*
 * Gratuitous ARP (RFC 5227 section 3) and unsolicited neighbour advertisements
 * (RFC 4861 section 7.2.6): the neighbours' entries for the address change to
 * this host at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "vip.h"

static int packet_fd = -1;

/* It hears nothing: no protocol is named. */
int vip_tell_open(void)
{
	if (packet_fd < 0)
		packet_fd = socket(AF_PACKET,
				   SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   0);
	return packet_fd < 0 ? -errno : 0;
}

static int send_to(unsigned int dev, uint16_t protocol,
		   const uint8_t mac[ETH_ALEN], const void *data, size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)dev,
		.sll_halen = ETH_ALEN,
	};

	memcpy(to.sll_addr, mac, ETH_ALEN);
	return sendto(packet_fd, data, len, 0, (struct sockaddr *)&to,
		      sizeof(to)) < 0 ?
		       -errno :
		       0;
}

static int tell_arp(const struct mlb_addr *addr, unsigned int dev,
		    const uint8_t mac[ETH_ALEN])
{
	static const uint8_t all[ETH_ALEN] = { 0xff, 0xff, 0xff,
					       0xff, 0xff, 0xff };
	struct ether_arp arp = {
		.ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
			    .ar_pro = htons(ETHERTYPE_IP),
			    .ar_hln = ETH_ALEN,
			    .ar_pln = sizeof(addr->v4),
			    .ar_op = htons(ARPOP_REQUEST) },
	};

	memcpy(arp.arp_sha, mac, ETH_ALEN);
	memcpy(arp.arp_spa, &addr->v4, sizeof(addr->v4));
	memcpy(arp.arp_tpa, &addr->v4, sizeof(addr->v4));
	return send_to(dev, ETHERTYPE_ARP, all, &arp, sizeof(arp));
}

/* RFC 1071, over the pseudo header of RFC 8200 section 8.1 and what follows. */
static uint32_t sum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

struct advertisement {
	struct ip6_hdr ip;
	struct nd_neighbor_advert na;
	struct nd_opt_hdr opt;
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

static int tell_nd(const struct mlb_addr *addr, unsigned int dev,
		   const uint8_t mac[ETH_ALEN])
{
	static const uint8_t all[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
	const size_t len =
		sizeof(struct advertisement) - sizeof(struct ip6_hdr);
	struct advertisement ad = {
		.ip = { .ip6_flow = htonl(6u << 28),
			.ip6_plen = htons((uint16_t)len),
			.ip6_nxt = IPPROTO_ICMPV6,
			.ip6_hlim = 255,
			.ip6_src = addr->v6 },
		.na = { .nd_na_type = ND_NEIGHBOR_ADVERT,
			.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE,
			.nd_na_target = addr->v6 },
		.opt = { .nd_opt_type = ND_OPT_TARGET_LINKADDR,
			 .nd_opt_len = 1 },
	};
	uint32_t check;

	inet_pton(AF_INET6, "ff02::1", &ad.ip.ip6_dst);
	memcpy(ad.mac, mac, ETH_ALEN);
	check = sum((uint32_t)len + IPPROTO_ICMPV6, (uint8_t *)&ad + 8,
		    2 * sizeof(struct in6_addr) + len);
	while (check >> 16)
		check = (check & 0xffff) + (check >> 16);
	ad.na.nd_na_cksum = htons((uint16_t)~check);
	return send_to(dev, ETHERTYPE_IPV6, all, &ad, sizeof(ad));
}

int vip_tell(const struct config_vip *vip)
{
	unsigned int dev = if_nametoindex(vip->dev);
	struct ifreq req = {};
	uint8_t mac[ETH_ALEN];

	if (packet_fd < 0)
		return -EBADF;
	memcpy(req.ifr_name, vip->dev, sizeof(vip->dev));
	if (!dev || ioctl(packet_fd, SIOCGIFFLAGS, &req))
		return -errno;
	/* Without a carrier it would be lost, and nobody would say so. */
	if (!(req.ifr_flags & IFF_RUNNING))
		return -ENETDOWN;
	if (ioctl(packet_fd, SIOCGIFHWADDR, &req))
		return -errno;
	if (req.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EPROTONOSUPPORT;
	memcpy(mac, req.ifr_hwaddr.sa_data, sizeof(mac));
	return vip->addr.family == AF_INET ? tell_arp(&vip->addr, dev, mac) :
					     tell_nd(&vip->addr, dev, mac);
}
