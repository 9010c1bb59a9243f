// SPDX-License-Identifier: GPL-2.0
/* The order in which mlbd comes up and goes. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mlbd.h"

static void on_owner(void *arg, const struct mlb_owner *owner, bool add)
{
	struct mlbd *mlbd = arg;

	cluster_owner(mlbd->cluster, owner, add);
}

static void on_flushed(void *arg)
{
	(void)arg;
}

static void on_lost(void *arg)
{
	struct mlbd *mlbd = arg;

	cluster_owners_lost(mlbd->cluster);
}

static void on_changed(void *arg)
{
	struct mlbd *mlbd = arg;

	cluster_poke(mlbd->cluster);
}

static void on_unloaded(void *arg)
{
	struct mlbd *mlbd = arg;

	vips_withdraw(mlbd->vips);
	log_error(
		"the mlb module was unloaded; nothing is left to do: load it and start mlbd again");
	mlbd->exit_status = 1;
	uv_stop(&mlbd->loop);
}

static const struct kernel_events kernel_events = {
	.owner = on_owner,
	.flushed = on_flushed,
	.lost = on_lost,
	.changed = on_changed,
	.unloaded = on_unloaded,
};

static void on_health(void *arg, const struct mlb_endpoint *service,
		      enum health_state state)
{
	struct mlbd *mlbd = arg;

	/* Who has no check, or has not looked yet, is taken to be well. */
	cluster_health(mlbd->cluster, service, state == HEALTH_DOWN);
	vips_poke(mlbd->vips);
}

static void on_cluster(void *arg)
{
	struct mlbd *mlbd = arg;

	vips_poke(mlbd->vips);
}

static bool let_go(void *arg)
{
	const struct mlbd *mlbd = arg;

	return vips_let_go(mlbd->vips);
}

static const struct cluster_watch cluster_follower = {
	.changed = on_cluster,
	.let_go = let_go,
};

/* Return: whether the services of the address are to be looked at. */
static bool want_by_role(struct mlbd *mlbd, const struct config_vip *vip,
			 struct vip_wish *wish)
{
	struct cluster_hold hold;

	cluster_holds(mlbd->cluster, vip->role, &hold);
	wish->want = hold.answer == CLUSTER_HOLDS_NOT ? VIP_DOWN : VIP_WAIT;
	wish->why = hold.why;
	wish->epoch = hold.epoch;
	wish->ring = hold.ring;
	return hold.answer == CLUSTER_HOLDS;
}

static void want_vip(void *arg, const struct config_vip *vip,
		     struct vip_wish *wish)
{
	struct mlbd *mlbd = arg;
	enum mlb_node_state state;

	if (!cluster_self(mlbd->cluster, &state)) {
		wish->want = VIP_WAIT;
		wish->why = "this node is not ready";
		return;
	}
	if (state != MLB_NODE_STATE_ACTIVE && state != MLB_NODE_STATE_DRAIN) {
		wish->want = VIP_DOWN;
		wish->why = "this node is in maintenance";
		return;
	}
	if (vip->dev[0] && !want_by_role(mlbd, vip, wish))
		return;
	switch (health_of_addr(mlbd->health, &vip->addr)) {
	case HEALTH_DOWN:
		wish->want = VIP_DOWN;
		wish->why = "a service of it is down";
		break;
	case HEALTH_UNKNOWN:
		wish->want = VIP_KEEP;
		wish->why = "a service of it was not looked at yet";
		break;
	default:
		wish->want = VIP_UP;
	}
}

static void on_vip_gone(void *arg)
{
	struct mlbd *mlbd = arg;

	cluster_poke(mlbd->cluster);
}

static const struct vip_calls vip_calls = {
	.want = want_vip,
	.gone = on_vip_gone,
};

static int failed(const char *what, int ret)
{
	log_error("%s: %s", what, strerror(-ret));
	return ret;
}

static int open_kernel(struct mlbd *mlbd)
{
	int ret = kernel_open(&mlbd->kernel, &mlbd->loop, &kernel_events, mlbd);

	if (ret == -ENOENT) {
		log_error("the mlb module is not loaded: modprobe mlb");
		return ret;
	}
	return ret ? failed("netlink", ret) : 0;
}

/* The last one comes first down: see down(). */
static int up(struct mlbd *mlbd)
{
	int ret = turns_open(mlbd);

	if (ret)
		return failed("turns", ret);
	ret = signals_open(mlbd);
	if (ret)
		return failed("signals", ret);
	ret = open_kernel(mlbd);
	if (ret)
		return ret;
	ret = health_open(&mlbd->health, &mlbd->loop, mlbd->config, on_health,
			  mlbd);
	if (ret)
		return failed("checks", ret);
	ret = cluster_open(&mlbd->cluster, &mlbd->loop, mlbd->config,
			   mlbd->kernel);
	if (ret)
		return failed("cluster", ret);
	ret = vips_open(&mlbd->vips, &mlbd->loop, mlbd->config, &vip_calls,
			mlbd);
	if (ret)
		return failed("vips", ret);
	cluster_watch(mlbd->cluster, &cluster_follower, mlbd);
	ret = control_open(&mlbd->control, &mlbd->loop, mlbd->config->socket,
			   &mlbd_control_calls, mlbd);
	if (ret)
		return ret;
	ret = metrics_open(&mlbd->metrics, mlbd);
	if (ret)
		return failed("metrics", ret);
	ret = manager_open(mlbd);
	if (ret)
		return failed("service manager", ret);
	manager_ready();
	return 0;
}

/* The loop runs on until what was closed is gone. */
static void down(struct mlbd *mlbd)
{
	manager_close();
	metrics_close(mlbd->metrics);
	control_close(mlbd->control);
	if (mlbd->cluster)
		cluster_watch(mlbd->cluster, NULL, NULL);
	vips_close(mlbd->vips);
	cluster_close(mlbd->cluster);
	health_close(mlbd->health);
	kernel_close(mlbd->kernel);
	signals_close();
	turns_close();
	uv_run(&mlbd->loop, UV_RUN_DEFAULT);
	uv_loop_close(&mlbd->loop);
}

/* Where a service manager would have made them. */
static void make_directories(const struct config *config)
{
	char dir[CONFIG_SOCKET_MAX];
	char *slash;

	mkdir(config->state_dir, 0700);
	snprintf(dir, sizeof(dir), "%s", config->socket);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755);
	}
}

static int run(struct mlbd *mlbd)
{
	/* Workers allocate little and seldom: an arena each is a waste. */
	mallopt(M_ARENA_MAX, 1);
	make_directories(mlbd->config);
	if (config_has_dev(mlbd->config) && vip_tell_open()) {
		log_error("dev of [vip] needs CAP_NET_RAW: %m");
		return 1;
	}
	if (privileges_drop() || uv_loop_init(&mlbd->loop))
		return 1;
	mlbd->started = uv_now(&mlbd->loop);
	if (up(mlbd))
		mlbd->exit_status = 1;
	else
		uv_run(&mlbd->loop, UV_RUN_DEFAULT);
	down(mlbd);
	return mlbd->exit_status;
}

static void usage(FILE *to)
{
	fputs("Usage: mlbd [-f FILE]\n"
	      "       mlbd -t [-f FILE]\n"
	      "\n"
	      "  -f FILE   configuration instead of " CONFIG_FILE "\n"
	      "  -t        check it and do nothing else\n"
	      "  -h        this\n"
	      "  -V        version\n"
	      "\n"
	      "Exit status: 0 ended by a signal, or the file is good; 1 something failed;\n"
	      "2 wrong usage or configuration.\n",
	      to);
}

static int load(struct mlbd *mlbd)
{
	struct config_error error;
	int ret = config_load(mlbd->path, &mlbd->config, &error);

	if (ret && error.line)
		log_error("%s:%u: %s", mlbd->path, error.line, error.text);
	else if (ret)
		log_error("%s: %s", mlbd->path, error.text);
	return ret;
}

int main(int argc, char **argv)
{
	static struct mlbd mlbd = { .path = CONFIG_FILE };
	bool check = false;
	int option, status;

	while ((option = getopt(argc, argv, "f:thV")) != -1) {
		switch (option) {
		case 'f':
			mlbd.path = optarg;
			break;
		case 't':
			check = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("mlbd " MLB_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}

	log_open();
	if (load(&mlbd))
		return 2;
	status = check ? 0 : run(&mlbd);
	config_free(mlbd.config);
	return status;
}
