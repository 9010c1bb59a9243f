// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "flow.h"
#include "net.h"
#include "netlink.h"
#include "owner.h"
#include "selftest.h"

static int __init mlb_init(void)
{
	int err;

	err = mlb_selftest();
	if (err)
		return err;
	err = mlb_owner_module_init();
	if (err)
		return err;
	err = mlb_flow_module_init();
	if (err)
		goto err_owner;
	err = mlb_net_register();
	if (err)
		goto err_flow;
	err = mlb_netlink_register();
	if (err)
		goto err_net;
	err = mlb_selftest_owner();
	if (err)
		goto err_netlink;
	err = mlb_selftest_learn();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	mlb_netlink_unregister();
err_net:
	mlb_net_unregister();
	rcu_barrier();
err_flow:
	mlb_flow_module_exit();
err_owner:
	mlb_owner_module_exit();
	return err;
}

static void __exit mlb_exit(void)
{
	mlb_selftest_learn_end();
	mlb_netlink_unregister();
	mlb_net_unregister();
	rcu_barrier();
	mlb_flow_module_exit();
	mlb_owner_module_exit();
}

module_init(mlb_init);
module_exit(mlb_exit);

MODULE_DESCRIPTION("Multipath TCP load balancing in a cluster behind one address");
MODULE_LICENSE("GPL");
MODULE_VERSION(MLB_VERSION);
MODULE_ALIAS_GENL_FAMILY(MLB_FAMILY_NAME);
