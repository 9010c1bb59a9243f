// SPDX-License-Identifier: GPL-2.0
/* Attributes in and out of messages, every length checked. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int mlb_put_addr(struct nl_msg *msg, int type, const struct mlb_addr *addr)
{
	if (addr->family == AF_INET)
		return nla_put(msg, type, sizeof(addr->v4), &addr->v4);
	return nla_put(msg, type, sizeof(addr->v6), &addr->v6);
}

int mlb_get_addr(const struct nlattr *attr, struct mlb_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (nla_len(attr) == sizeof(addr->v4)) {
		addr->family = AF_INET;
		memcpy(&addr->v4, nla_data(attr), sizeof(addr->v4));
	} else if (nla_len(attr) == sizeof(addr->v6)) {
		addr->family = AF_INET6;
		memcpy(&addr->v6, nla_data(attr), sizeof(addr->v6));
	} else {
		return -EBADMSG;
	}
	return 0;
}

/* False, and value untouched, when the attribute is absent or too short. */
bool mlb_get_u16(const struct nlattr *attr, uint16_t *value)
{
	if (!attr || nla_len(attr) < (int)sizeof(*value))
		return false;
	memcpy(value, nla_data(attr), sizeof(*value));
	return true;
}

bool mlb_get_u32(const struct nlattr *attr, uint32_t *value)
{
	if (!attr || nla_len(attr) < (int)sizeof(*value))
		return false;
	memcpy(value, nla_data(attr), sizeof(*value));
	return true;
}

/* tb has max + 1 places. Attributes that this library does not know are left. */
int mlb_parse(struct nlmsghdr *nlh, struct nlattr **tb, int max)
{
	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;
	return nlmsg_parse(nlh, GENL_HDRLEN, tb, max, NULL) < 0 ? -EBADMSG : 0;
}
