// SPDX-License-Identifier: GPL-2.0
/* mlbctl status: how the cluster is, seen from the mlbd of this node. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "mlbctl.h"
#include "print.h"

#define SEEN_WATCH (1u << 0)

/* Counting a larger flow table takes longer than one likes to wait. */
#define FLOWS_MAX 200000

static const struct arg args[] = { { .type = ARG_FLAG,
				     .dash = 'w',
				     .name = "watch",
				     .help = "again every second, until interrupted",
				     .field = SEEN_WATCH },
				   {} };

static json_t *in(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(in(object, key));
}

static const char *text(const json_t *object, const char *key, const char *none)
{
	const char *value = json_string_value(in(object, key));

	return value ? value : none;
}

/* An unsigned number as text, or a dash when it is not known. */
static const char *count(char to[24], const json_t *value)
{
	if (!json_is_integer(value))
		return "-";
	snprintf(to, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return to;
}

static void put_duration(FILE *to, json_int_t s)
{
	if (s >= 86400)
		fprintf(to, "%" PRId64 "d %" PRId64 "h", (int64_t)s / 86400,
			(int64_t)s / 3600 % 24);
	else if (s >= 3600)
		fprintf(to, "%" PRId64 "h %" PRId64 "min", (int64_t)s / 3600,
			(int64_t)s / 60 % 60);
	else if (s >= 60)
		fprintf(to, "%" PRId64 "min", (int64_t)s / 60);
	else
		fprintf(to, "%" PRId64 "s", (int64_t)s);
}

static int count_flow(const struct mlb_flow *flow, void *arg)
{
	uint32_t *flows = arg;

	if (flow->node <= MLB_NODE_ID_MAX)
		flows[flow->node]++;
	return 0;
}

/* Adds to each node of the kernel how many flows it has, if that can be known. */
static void add_flows(json_t *status)
{
	static uint32_t flows[MLB_NODE_ID_MAX + 1];
	json_t *kernel = in(status, "kernel"), *node;
	struct mlb *mlb;
	size_t i;
	int ret;

	if (number(in(kernel, "settings"), "flows") > FLOWS_MAX ||
	    mlb_open(&mlb))
		return;
	memset(flows, 0, sizeof(flows));
	ret = mlb_flow_each(mlb, NULL, count_flow, flows);
	mlb_close(mlb);
	if (ret && ret != -EAGAIN)
		return;
	json_array_foreach(in(kernel, "nodes"), i, node) {
		json_int_t id = number(node, "id");

		if (id > 0 && id <= MLB_NODE_ID_MAX)
			json_object_set_new(node, "flows",
					    json_integer(flows[id]));
	}
}

static const json_t *find(const json_t *array, const char *key, json_int_t id)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(array, i, entry)
		if (number(entry, key) == id)
			return entry;
	return NULL;
}

static const char *mlbd_word(const json_t *peer)
{
	if (!peer)
		return "-";
	if (json_is_string(in(peer, "fault")))
		return "fault";
	if (!json_is_true(in(peer, "member")))
		return "lost";
	if (!json_is_true(in(peer, "daemon")))
		return "no mlbd";
	if (!json_is_true(in(peer, "ready")))
		return "joining";
	return json_is_false(in(peer, "in-step")) ? "syncing" : "ready";
}

static void put_node(FILE *to, const char *id, const char *addr,
		     const char *state, const json_t *peer, const json_t *node)
{
	char weight[24], owners[24], flows[24], lag[24];

	fprintf(to, "%5s  %-24s %-12s %-8s %7s %9s %9s %7s\n", id, addr, state,
		mlbd_word(peer), count(weight, in(node, "weight")),
		count(owners, in(node, "owners")),
		count(flows, in(node, "flows")), count(lag, in(peer, "lag")));
}

/* The kernel's nodes, then members that the kernel does not have. */
static void put_nodes(FILE *to, const json_t *status)
{
	const json_t *nodes = in(in(status, "kernel"), "nodes"), *node;
	const json_t *peers = in(in(status, "cluster"), "nodes"), *peer;
	char id[24], mark[32];
	size_t i;

	fprintf(to, "\n%5s  %-24s %-12s %-8s %7s %9s %9s %7s\n", "node",
		"address", "state", "mlbd", "weight", "owners", "flows",
		"lag ms");
	json_array_foreach(nodes, i, node) {
		char state[32];

		snprintf(mark, sizeof(mark), "%s%s", count(id, in(node, "id")),
			 json_is_true(in(node, "self")) ? "*" : " ");
		snprintf(state, sizeof(state), "%s%s", text(node, "state", "?"),
			 json_is_true(in(node, "suspect")) ? ", silent" : "");
		put_node(to, mark, text(node, "addr", "?"), state,
			 find(peers, "node", number(node, "id")), node);
	}
	json_array_foreach(peers, i, peer) {
		if (find(nodes, "id", number(peer, "node")))
			continue;
		snprintf(mark, sizeof(mark), "%s ",
			 count(id, in(peer, "node")));
		put_node(to, mark, text(peer, "addr", "?"), "-", peer, NULL);
	}
}

static void put_drain(FILE *to, const json_t *drain, const json_t *node)
{
	char connections[24];

	if (!drain)
		return;
	if (node)
		fprintf(to, "node %" JSON_INTEGER_FORMAT " drains since ",
			number(node, "node"));
	else
		fputs("this node drains since ", to);
	put_duration(to, number(drain, "for"));
	fprintf(to, ": %s connections left",
		count(connections, in(drain, "connections")));
	if (json_is_true(in(drain, "ends")))
		fputs(", then maintenance", to);
	if (json_is_integer(in(drain, "left"))) {
		fputs(", at the latest in ", to);
		put_duration(to, number(drain, "left"));
	}
	fputc('\n', to);
}

/* What others told a second ago, and of this node what is so now. */
static void put_drains(FILE *to, const json_t *status)
{
	const json_t *cluster = in(status, "cluster"), *node;
	size_t i;

	put_drain(to, in(cluster, "drain"), NULL);
	json_array_foreach(in(cluster, "nodes"), i, node)
		if (!json_is_true(in(node, "self")) &&
		    json_is_true(in(node, "daemon")))
			put_drain(to, in(node, "drain"), node);
}

static void put_head(FILE *to, const json_t *status)
{
	const json_t *cluster = in(status, "cluster");
	const json_t *stamp = in(cluster, "stamp");

	fprintf(to, "node %" JSON_INTEGER_FORMAT ", mlbd %s for ",
		number(status, "node"), text(status, "version", "?"));
	put_duration(to, number(status, "uptime"));
	if (!strcmp(text(status, "engine", ""), "none")) {
		fputs(", no cluster engine\n", to);
		return;
	}
	fprintf(to, "\n%s: ", text(status, "engine", "?"));
	if (!json_is_true(in(cluster, "connected")))
		fputs("not there\n", to);
	else
		fprintf(to, "%s, ring %" JSON_INTEGER_FORMAT "\n",
			json_is_true(in(cluster, "quorate")) ?
				"quorum" :
				"NO QUORUM: nothing is changed",
			number(cluster, "ring"));
	if (stamp)
		fprintf(to, "document: version %" JSON_INTEGER_FORMAT " of ring %" JSON_INTEGER_FORMAT ", %s\n",
			number(stamp, "version"), number(stamp, "ring"),
			json_is_true(in(cluster, "persisted")) ? "saved" :
								 "not saved");
	put_drains(to, status);
}

static void put_services(FILE *to, const json_t *status)
{
	const json_t *services = in(in(status, "kernel"), "services"), *service;
	size_t i;

	fputc('\n', to);
	json_array_foreach(services, i, service) {
		const char *addr = text(service, "addr", "?");
		const json_t *nodes = in(service, "nodes"), *id;
		bool v6 = strchr(addr, ':');
		size_t j;

		fprintf(to, "service %s%s%s:%" JSON_INTEGER_FORMAT " sched %s nodes ",
			v6 ? "[" : "", addr, v6 ? "]" : "",
			number(service, "port"), text(service, "sched", "?"));
		if (!json_array_size(nodes))
			fputs("all", to);
		json_array_foreach(nodes, j, id)
			fprintf(to, "%s%" JSON_INTEGER_FORMAT, j ? "," : "",
				json_integer_value(id));
		fputc('\n', to);
	}
}

static void put_ids(FILE *to, const char *before, const json_t *ids)
{
	const json_t *id;
	size_t i;

	json_array_foreach(ids, i, id)
		fprintf(to, "%s%" JSON_INTEGER_FORMAT, i ? "," : before,
			json_integer_value(id));
}

/* Who does what, and why. */
static void put_roles(FILE *to, const json_t *status)
{
	const json_t *cluster = in(status, "cluster"), *role;
	size_t i;

	if (!json_array_size(in(cluster, "roles")))
		return;
	if (json_is_integer(in(cluster, "manager")))
		fprintf(to, "\nmanager: node %" JSON_INTEGER_FORMAT "\n",
			number(cluster, "manager"));
	else
		fputs("\nmanager: none, roles stay as they are\n", to);
	json_array_foreach(in(cluster, "roles"), i, role) {
		fprintf(to, "role %s: ", text(role, "role", "?"));
		if (!json_array_size(in(role, "nodes")))
			fputs("nobody", to);
		put_ids(to, "node ", in(role, "nodes"));
		put_ids(to, ", leaving node ", in(role, "leaving"));
		put_ids(to, ", fenced node ", in(role, "fenced"));
		fprintf(to, " since version %" JSON_INTEGER_FORMAT " (%s)\n",
			number(role, "epoch"), text(role, "reason", "?"));
	}
}

static void put_checks(FILE *to, const json_t *status)
{
	const json_t *checks = in(in(status, "health"), "checks"), *check;
	char took[24];
	size_t i;

	json_array_foreach(checks, i, check) {
		fprintf(to, "check %s of %s: %s for ", text(check, "check", "?"),
			text(check, "service", "?"), text(check, "state", "?"));
		put_duration(to, (json_int_t)json_number_value(in(check, "for")));
		fprintf(to, ", %s, took %s ms", text(check, "type", "?"),
			count(took, in(check, "took")));
		if (json_is_string(in(check, "reason")))
			fprintf(to, ": %s", text(check, "reason", "?"));
		fputc('\n', to);
	}
}

static void put_vips(FILE *to, const json_t *status)
{
	const json_t *vip;
	size_t i;

	json_array_foreach(in(status, "vips"), i, vip) {
		fprintf(to, "vip %s: %s %s for ", text(vip, "addr", "?"),
			text(vip, "state", "?"), text(vip, "where", "?"));
		put_duration(to, (json_int_t)json_number_value(in(vip, "for")));
		if (json_is_string(in(vip, "role")))
			fprintf(to, ", role %s", text(vip, "role", "?"));
		if (json_is_string(in(vip, "reason")))
			fprintf(to, ": %s", text(vip, "reason", "?"));
		fputc('\n', to);
	}
}

static void put_tables(FILE *to, const json_t *status)
{
	const json_t *kernel = in(status, "kernel");
	const json_t *settings = in(kernel, "settings");
	const json_t *owner = in(in(kernel, "stats"), "owner");
	const json_t *sync = in(in(status, "cluster"), "sync");

	fprintf(to, "\nowners %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ", flows %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ", parked %" JSON_INTEGER_FORMAT "; collisions %" JSON_INTEGER_FORMAT ", conflicts %" JSON_INTEGER_FORMAT "\n",
		number(settings, "owners"), number(settings, "max-owners"),
		number(settings, "flows"), number(settings, "max-flows"),
		number(settings, "parked"), number(owner, "collision"),
		number(owner, "conflict"));
	if (sync)
		fprintf(to, "sync: %" JSON_INTEGER_FORMAT " entries wait, %" JSON_INTEGER_FORMAT " sent, %" JSON_INTEGER_FORMAT " repetitions%s\n",
			number(sync, "queued"), number(sync, "sent"),
			number(sync, "repeats"),
			json_is_true(in(sync, "repeating")) ? ", one now" : "");
}

static void put_wrong(FILE *to, const char *what, const char *why)
{
	if (why)
		fprintf(to, "! %s: %s\n", what, why);
}

/* What somebody should do something about. */
static void put_errors(FILE *to, const json_t *status)
{
	const json_t *kernel = in(status, "kernel");
	const json_t *cluster = in(status, "cluster");
	json_t *errors = in(cluster, "errors");
	const json_t *peer, *value, *check;
	const char *name;
	char what[96];
	size_t i;

	put_wrong(to, text(status, "engine", "engine"),
		  text(cluster, "fault", NULL));
	put_wrong(to, "the old configuration is kept",
		  text(status, "reload-error", NULL));
	put_wrong(to, "the kernel refuses", text(kernel, "refused", NULL));
	put_wrong(to, "the document cannot be saved",
		  text(cluster, "persist-error", NULL));
	json_array_foreach(in(cluster, "nodes"), i, peer) {
		snprintf(what, sizeof(what), "node %" JSON_INTEGER_FORMAT,
			 number(peer, "node"));
		put_wrong(to, what, text(peer, "fault", NULL));
	}
	json_array_foreach(in(status, "vips"), i, check) {
		snprintf(what, sizeof(what), "vip %s", text(check, "addr", "?"));
		put_wrong(to, what, text(check, "error", NULL));
	}
	json_array_foreach(in(in(status, "health"), "checks"), i, check) {
		if (strcmp(text(check, "state", ""), "down"))
			continue;
		snprintf(what, sizeof(what), "service %s",
			 text(check, "service", "?"));
		put_wrong(to, what, text(check, "reason", "is down"));
	}
	json_object_foreach(errors, name, value)
		if (json_integer_value(value))
			fprintf(to, "! messages of peers: %s: %" JSON_INTEGER_FORMAT "\n",
				name, json_integer_value(value));
	if (number(kernel, "repaired"))
		fprintf(to, "! changed behind mlbd's back and put back: %" JSON_INTEGER_FORMAT " times\n",
			number(kernel, "repaired"));
}

static int show(struct mlbctl *ctl)
{
	FILE *to = ctl->out.file;
	json_t *status;
	int ret = daemon_ask(json_pack("{s:s}", "op", "status"), &status);

	if (ret)
		return ret;
	add_flows(status);
	if (ctl->out.json) {
		json_dumpf(status, to, JSON_COMPACT);
		fputc('\n', to);
	} else {
		if (ctl->seen & SEEN_WATCH && isatty(fileno(to)))
			fputs("\033[H\033[2J", to);
		put_head(to, status);
		put_nodes(to, status);
		put_services(to, status);
		put_roles(to, status);
		put_checks(to, status);
		put_vips(to, status);
		put_tables(to, status);
		put_errors(to, status);
	}
	json_decref(status);
	return 0;
}

static int run(struct mlbctl *ctl)
{
	const struct timespec pause = { .tv_sec = 1 };
	int ret = show(ctl);

	while (!ret && ctl->seen & SEEN_WATCH && !fflush(ctl->out.file)) {
		nanosleep(&pause, NULL);
		ret = show(ctl);
	}
	return ret;
}

static const struct verb verbs[] = {
	{ .help = "show nodes, quorum, sync, tables and what is wrong, from mlbd",
	  .args = args,
	  .run = run,
	  .own_socket = true },
	{}
};

static struct command command = {
	.name = "status",
	.help = "the cluster at a glance",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
