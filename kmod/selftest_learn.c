// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens without connections, in a module that was built with MLB_SELFTEST=1:
 * real ones cannot be made as fast as tables and announcements are measured.
 *
 * /proc/net/mlb_learn takes tokens of 4 bytes, host order, less than a page full
 * in a write, as if connections of this host had just been accepted. They stay
 * while the module does; the next write of token 0 gives them up.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "learn.h"
#include "net.h"
#include "netlink.h"
#include "owner.h"
#include "selftest.h"
#include "tunnel.h"

static bool learn_hold;

bool mlb_selftest_holds(void)
{
	return READ_ONCE(learn_hold);
}

static int learn_show(struct seq_file *seq, void *v)
{
	return 0;
}

static void learn_token(struct mlb_owner_batch *batch, u32 token, u16 self)
{
	u16 cpu = raw_smp_processor_id();

	if (mlb_owner_insert(batch->mn, token, self, cpu, MLB_OWNER_LOCAL, true))
		return;
	mlb_count(batch->mn, OWNER_LEARNT);
	mlb_owner_batch_add(batch, token, self, cpu);
}

static int learn_write(struct file *file, char *buf, size_t size)
{
	struct seq_file *seq = file->private_data;
	struct mlb_net *mn = mlb_net(seq_file_single_net(seq));
	const u32 *token = (const u32 *)buf;
	struct mlb_owner_batch batch;
	struct mlb_tunnel *tun;
	u16 self = 0;

	if (size % sizeof(*token))
		return -EINVAL;
	mlb_owner_batch_init(&batch, mn, MLB_CMD_OWNER_ADD_NTF);
	mutex_lock(&mn->learn.lock);
	rcu_read_lock();
	tun = rcu_dereference(mn->tunnel);
	if (tun)
		self = tun->self;
	rcu_read_unlock();
	WRITE_ONCE(learn_hold, true);
	for (; self && size; size -= sizeof(*token), token++) {
		if (*token)
			learn_token(&batch, *token, self);
		else
			WRITE_ONCE(learn_hold, false);
	}
	mutex_unlock(&mn->learn.lock);
	mlb_owner_batch_send(&batch);
	mlb_learn_watch(mn);
	return self ? 0 : -ENETDOWN;
}

static int __net_init learn_net_init(struct net *net)
{
	return proc_create_net_single_write("mlb_learn", 0600, net->proc_net,
					    learn_show, learn_write, NULL) ?
	       0 : -ENOMEM;
}

static void __net_exit learn_net_exit(struct net *net)
{
	remove_proc_entry("mlb_learn", net->proc_net);
}

/* A device operation, like the module's own: it ends before that. */
static struct pernet_operations learn_net_ops = {
	.init = learn_net_init,
	.exit = learn_net_exit,
};

int __init mlb_selftest_learn(void)
{
	return register_pernet_device(&learn_net_ops);
}

void mlb_selftest_learn_end(void)
{
	unregister_pernet_device(&learn_net_ops);
}
