/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MLB_COMPAT_NET_GENETLINK_H
#define _MLB_COMPAT_NET_GENETLINK_H

#include <linux/version.h>
#include_next <net/genetlink.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)

static inline int genl_register_split_ops(struct genl_family *family,
					  const struct genl_split_ops *ops,
					  unsigned int n)
{
	family->split_ops = ops;
	family->n_split_ops = n;
	return genl_register_family(family);
}

#else

struct genl_split_ops {
	const struct nla_policy *policy;
	unsigned int maxattr;
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*start)(struct netlink_callback *cb);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
	u8 cmd;
	u8 flags;
	u8 validate;
};

/* An operation that does and dumps is one here: a pair of split operations
 * becomes one, with the policy of the first that has any.
 */
static inline int genl_register_split_ops(struct genl_family *family,
					  const struct genl_split_ops *split,
					  unsigned int n)
{
	static struct genl_ops ops[64] __ro_after_init;
	unsigned int used = 0;

	for (unsigned int i = 0; i < n; i++, split++) {
		struct genl_ops *op;

		if (!used || ops[used - 1].cmd != split->cmd) {
			if (used == ARRAY_SIZE(ops))
				return -E2BIG;
			used++;
		}
		op = &ops[used - 1];
		op->cmd = split->cmd;
		op->validate |= split->validate;
		op->flags |= split->flags & (GENL_ADMIN_PERM |
					     GENL_UNS_ADMIN_PERM);
		if (!op->policy) {
			op->policy = split->policy;
			op->maxattr = split->maxattr;
		}
		if (split->doit)
			op->doit = split->doit;
		if (split->dumpit) {
			op->start = split->start;
			op->dumpit = split->dumpit;
			op->done = split->done;
		}
	}
	family->ops = ops;
	family->n_ops = used;
	return genl_register_family(family);
}

#define genl_info_dump(cb) genl_dumpit_info(cb)

#endif

#endif
