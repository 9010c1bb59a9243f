// SPDX-License-Identifier: GPL-2.0
/* mlbctl cluster: what all nodes agree on, through mlbd. */
#include <errno.h>
#include <string.h>

#include "cluster.h"
#include "daemon.h"
#include "mlbctl.h"
#include "nouns.h"
#include "print.h"
#include "settings.h"

struct file_args {
	const char *path;
};

struct cluster_node_args {
	struct mlb_node node;
	uint32_t drain_timeout;
	const char *roles;
};

#define NODE_SEEN_ROLES (1u << 30)
#define NODE_SEEN_DRAIN (1u << 29)
#define DRAIN_MAX 604800

static const struct arg no_args[] = { {} };

static const struct arg node_args[] = { { .type = ARG_U16,
					  .name = "node",
					  .value = "ID",
					  .help = "number of the node",
					  .flags = ARG_POSITIONAL,
					  .offset =
						  offsetof(struct mlb_node, id),
					  .min = 1,
					  .max = MLB_NODE_ID_MAX },
					{} };

static const struct arg cluster_node_args[] = {
	{ .type = ARG_U16,
	  .name = "node",
	  .value = "ID",
	  .help = "number of the node",
	  .flags = ARG_POSITIONAL,
	  .field = MLB_F_NODE_ID,
	  .offset = offsetof(struct cluster_node_args, node.id),
	  .min = 1,
	  .max = MLB_NODE_ID_MAX },
	{ .type = ARG_U32,
	  .name = "weight",
	  .value = "W",
	  .help = "share of new connections under maglev, 0..65535",
	  .field = MLB_F_NODE_WEIGHT,
	  .offset = offsetof(struct cluster_node_args, node.weight),
	  .max = MLB_WEIGHT_MAX },
	{ .type = ARG_WORD,
	  .name = "state",
	  .value = "STATE",
	  .help = "active: takes everything; drain: no new connections;\n"
		  "maintenance: no joins either",
	  .field = MLB_F_NODE_STATE,
	  .offset = offsetof(struct cluster_node_args, node.state),
	  .words = node_state_words },
	{ .type = ARG_U32,
	  .name = "drain-timeout",
	  .value = "S",
	  .help = "the drain ends: see \"node drain\"; 0 is no timeout",
	  .field = NODE_SEEN_DRAIN,
	  .offset = offsetof(struct cluster_node_args, drain_timeout),
	  .max = DRAIN_MAX },
	{ .type = ARG_STRING,
	  .name = "roles",
	  .value = "ROLE,...",
	  .help = "as a spare it takes these alone, \"all\" or \"none\"",
	  .field = NODE_SEEN_ROLES,
	  .offset = offsetof(struct cluster_node_args, roles) },
	{}
};

struct cluster_drain_args {
	uint16_t node;
	uint32_t timeout;
};

static const struct arg drain_args[] = {
	{ .type = ARG_U16,
	  .name = "node",
	  .value = "ID",
	  .help = "number of the node",
	  .flags = ARG_POSITIONAL,
	  .offset = offsetof(struct cluster_drain_args, node),
	  .min = 1,
	  .max = MLB_NODE_ID_MAX },
	{ .type = ARG_U32,
	  .name = "timeout",
	  .value = "S",
	  .help = "seconds after which it ends all the same, 1..604800",
	  .offset = offsetof(struct cluster_drain_args, timeout),
	  .min = 1,
	  .max = DRAIN_MAX },
	{}
};

static const struct arg save_args[] = { { .type = ARG_STRING,
					  .name = "file",
					  .value = "FILE",
					  .help = "where to, - is standard output",
					  .flags = ARG_POSITIONAL,
					  .offset = offsetof(struct file_args,
							     path) },
					{} };

static const struct arg load_args[] = { { .type = ARG_STRING,
					  .name = "file",
					  .value = "FILE",
					  .help = "as \"cluster save\" writes it, - is standard input",
					  .flags = ARG_POSITIONAL,
					  .offset = offsetof(struct file_args,
							     path) },
					{} };

int cluster_change(struct mlbctl *ctl, json_t *object)
{
	json_t *answer;
	int ret = daemon_ask(json_pack("{s:s, s:o}", "op", "change", "change",
				       object),
			     &answer);

	if (!ret && ctl->out.json) {
		json_dumpf(answer, ctl->out.file, JSON_COMPACT);
		fputc('\n', ctl->out.file);
	}
	json_decref(answer);
	return ret;
}

static json_t *service_change(struct mlbctl *ctl, const char *op)
{
	const struct service_args *args = ctl->data;
	char text[ENDPOINT_TEXT];
	json_t *object = json_pack("{s:s, s:s}", "op", op, "vip",
				   endpoint_text(&args->service.vip, text));

	if (ctl->seen & MLB_F_SERVICE_SCHEDULER)
		json_object_set_new(object, "scheduler",
				    json_string(word_of(
					    scheduler_words,
					    args->service.scheduler)));
	if (ctl->seen & MLB_F_SERVICE_NODES) {
		json_t *nodes = json_array();

		for (size_t i = 0; i < args->nodes.n; i++)
			json_array_append_new(nodes,
					      json_integer(args->nodes.id[i]));
		json_object_set_new(object, "nodes", nodes);
	}
	return object;
}

static int service_add(struct mlbctl *ctl)
{
	return cluster_change(ctl, service_change(ctl, "service-add"));
}

static int prepare_service_set(struct mlbctl *ctl)
{
	if (!ctl->seen)
		return usage_error(ctl, "nothing to change");
	return 0;
}

static int service_set(struct mlbctl *ctl)
{
	return cluster_change(ctl, service_change(ctl, "service-set"));
}

static int service_del(struct mlbctl *ctl)
{
	return cluster_change(ctl, service_change(ctl, "service-del"));
}

static int prepare_node_set(struct mlbctl *ctl)
{
	const struct cluster_node_args *args = ctl->data;
	const struct mlb_node *node = &args->node;

	if (!(ctl->seen & ~MLB_F_NODE_ID))
		return usage_error(ctl, "nothing to change");
	if (ctl->seen & MLB_F_NODE_STATE && node->state == MLB_NODE_STATE_DEAD)
		return usage_error(ctl, "a node is dead when the cluster has lost it; use maintenance");
	return 0;
}

static int node_set(struct mlbctl *ctl)
{
	const struct cluster_node_args *args = ctl->data;
	const struct mlb_node *node = &args->node;
	json_t *object =
		json_pack("{s:s, s:i}", "op", "node-set", "node", node->id);

	if (ctl->seen & MLB_F_NODE_WEIGHT)
		json_object_set_new(object, "weight",
				    json_integer(node->weight));
	if (ctl->seen & MLB_F_NODE_STATE)
		json_object_set_new(object, "state",
				    json_string(word_of(node_state_words,
							node->state)));
	if (ctl->seen & NODE_SEEN_DRAIN)
		json_object_set_new(object, "drain-timeout",
				    json_integer(args->drain_timeout));
	if (args->roles && !strcmp(args->roles, "all"))
		json_object_set_new(object, "roles", json_string("all"));
	else if (args->roles)
		json_object_set_new(object, "roles",
				    cluster_words(args->roles, "none"));
	return cluster_change(ctl, object);
}

static int node_forget(struct mlbctl *ctl)
{
	const struct mlb_node *node = ctl->data;

	return cluster_change(ctl, json_pack("{s:s, s:i}", "op", "node-forget", "node",
				     node->id));
}

static int node_drain(struct mlbctl *ctl)
{
	const struct cluster_drain_args *args = ctl->data;

	return cluster_change(ctl, json_pack("{s:s, s:i, s:s, s:I}", "op",
					     "node-set", "node", args->node,
					     "state", "drain", "drain-timeout",
					     (json_int_t)args->timeout));
}

static int node_undrain(struct mlbctl *ctl)
{
	const struct mlb_node *node = ctl->data;

	return cluster_change(ctl, json_pack("{s:s, s:i, s:s}", "op",
					     "node-set", "node", node->id,
					     "state", "active"));
}

static int prepare_set(struct mlbctl *ctl)
{
	const struct arg *own;

	for_each_setting(own, ctl->seen & ~SETTINGS_OF_CLUSTER)
		return usage_error(ctl, "%s is each node's own: see [kernel] in mlb.conf(5)",
				   own->name);
	if (!ctl->seen)
		return usage_error(ctl, "nothing to change");
	return 0;
}

static int set(struct mlbctl *ctl)
{
	struct output out = { .json = true };
	struct mlb_config *config = ctl->data;

	/* The words of "mlbctl -j set" are those of the document. */
	config->fields = ctl->seen;
	out_begin(&out);
	print_config(&out, config);
	json_object_del(out.object, "key-id");
	return cluster_change(ctl, json_pack("{s:s, s:o}", "op", "set", "settings",
				     out.object));
}

static int document(json_t **object)
{
	return daemon_ask(json_pack("{s:s}", "op", "document"), object);
}

const char *cluster_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

uint64_t cluster_number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* One object of the document as a record. */
static void print_service_object(struct output *out, const json_t *service)
{
	out_str(out, "vip", NULL, cluster_text(service, "vip"));
	out_str(out, "scheduler", "sched", cluster_text(service, "scheduler"));
	cluster_print_list(out, json_object_get(service, "nodes"), "nodes",
			   "nodes", "all");
}

static void print_node_object(struct output *out, const json_t *node)
{
	out_uint(out, "node", NULL, cluster_number(node, "node"), NULL);
	out_uint(out, "weight", "weight", cluster_number(node, "weight"), NULL);
	out_str(out, "state", "state", cluster_text(node, "state"));
	if (json_object_get(node, "drain-timeout"))
		out_uint(out, "drain-timeout", "drain-timeout",
			 cluster_number(node, "drain-timeout"), NULL);
	if (json_object_get(node, "roles"))
		cluster_print_list(out, json_object_get(node, "roles"),
				   "roles", "roles", "none");
}

int cluster_list(struct mlbctl *ctl, const char *key,
		 void (*print)(struct output *out, const json_t *object))
{
	const json_t *entry;
	json_t *object;
	size_t i;
	int ret = document(&object);

	if (ret)
		return ret;
	out_list_begin(&ctl->out);
	json_array_foreach(json_object_get(object, key), i, entry) {
		out_begin(&ctl->out);
		print(&ctl->out, entry);
		out_end(&ctl->out);
	}
	out_list_end(&ctl->out);
	json_decref(object);
	return 0;
}

static int service_list(struct mlbctl *ctl)
{
	return cluster_list(ctl, "services", print_service_object);
}

static int node_list(struct mlbctl *ctl)
{
	return cluster_list(ctl, "nodes", print_node_object);
}

static void show_each(struct output *out, const json_t *document,
		      const char *key, const char *word,
		      void (*print)(struct output *out, const json_t *object))
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(document, key), i, entry) {
		out_begin(out);
		out_word(out, word);
		print(out, entry);
		out_end(out);
	}
}

/* As the commands that would make it. */
static void show_text(struct output *out, json_t *object)
{
	const json_t *stamp = json_object_get(object, "stamp"), *entry;
	json_t *settings = json_object_get(object, "settings");
	const char *key;

	fprintf(out->file, "# version %" JSON_INTEGER_FORMAT " of ring %" JSON_INTEGER_FORMAT ", hash %s\n",
		(json_int_t)cluster_number(stamp, "version"),
		(json_int_t)cluster_number(stamp, "ring"), cluster_text(stamp, "hash"));
	show_each(out, object, "services", "service add", print_service_object);
	show_each(out, object, "groups", "group add", cluster_print_group);
	show_each(out, object, "roles", "role add", cluster_print_role);
	show_each(out, object, "nodes", "node set", print_node_object);
	json_object_foreach(settings, key, entry) {
		out_begin(out);
		out_word(out, "set");
		if (json_is_string(entry))
			out_str(out, key, key, json_string_value(entry));
		else
			out_uint(out, key, key,
				 (uint64_t)json_integer_value(entry), NULL);
		out_end(out);
	}
}

static int show(struct mlbctl *ctl)
{
	json_t *object;
	int ret = document(&object);

	if (ret)
		return ret;
	if (ctl->out.json) {
		json_dumpf(object, ctl->out.file, JSON_COMPACT);
		fputc('\n', ctl->out.file);
	} else {
		show_text(&ctl->out, object);
	}
	json_decref(object);
	return 0;
}

/*
 * The stamp stays out: what is loaded gets a new one. So does who holds which
 * role, which is nobody's wish.
 */
static int save(struct mlbctl *ctl)
{
	const struct file_args *args = ctl->data;
	bool to_stdout = !strcmp(args->path, "-");
	json_t *object, *role;
	size_t i;
	FILE *to;
	int ret = document(&object);

	if (ret)
		return ret;
	json_object_del(object, "stamp");
	json_array_foreach(json_object_get(object, "roles"), i, role) {
		json_object_del(role, "assigned");
		json_object_del(role, "asked");
	}
	to = to_stdout ? ctl->out.file : fopen(args->path, "we");
	if (to) {
		json_dumpf(object, to, JSON_INDENT(2));
		fputc('\n', to);
	}
	json_decref(object);
	if (!to || ferror(to) || (!to_stdout && fclose(to))) {
		fprintf(stderr, "mlbctl: %s: %s\n", args->path,
			strerror(errno));
		return EXIT_REFUSED;
	}
	return 0;
}

static int load(struct mlbctl *ctl)
{
	const struct file_args *args = ctl->data;
	json_error_t error;
	json_t *object;

	if (!strcmp(args->path, "-"))
		object = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	else
		object = json_load_file(args->path, JSON_REJECT_DUPLICATES,
					&error);
	if (!object) {
		if (error.line > 0)
			fprintf(stderr, "mlbctl: %s:%d: %s\n", args->path,
				error.line, error.text);
		else
			fprintf(stderr, "mlbctl: %s\n", error.text);
		return EXIT_USAGE;
	}
	return cluster_change(ctl, json_pack("{s:s, s:o}", "op", "load", "document",
				     object));
}

static int reload(struct mlbctl *ctl)
{
	json_t *answer;
	int ret = daemon_ask(json_pack("{s:s}", "op", "reload"), &answer);

	(void)ctl;
	json_decref(answer);
	return ret;
}

static const struct verb verbs[] = {
	{ .name = "service add",
	  .help = "serve an address and port on every node",
	  .args = service_change_args,
	  .size = sizeof(struct service_args),
	  .run = service_add,
	  .own_socket = true },
	{ .name = "service set",
	  .help = "change scheduler or pool; what is not named stays",
	  .args = service_change_args,
	  .size = sizeof(struct service_args),
	  .prepare = prepare_service_set,
	  .run = service_set,
	  .own_socket = true },
	{ .name = "service del",
	  .help = "stop serving, and delete the flow entries",
	  .args = service_del_args,
	  .size = sizeof(struct service_args),
	  .run = service_del,
	  .own_socket = true },
	{ .name = "service list",
	  .help = "show the cluster's services",
	  .args = no_args,
	  .run = service_list,
	  .own_socket = true },
	{ .name = "node set",
	  .help = "change weight, state or roles of a node, on every node",
	  .args = cluster_node_args,
	  .size = sizeof(struct cluster_node_args),
	  .prepare = prepare_node_set,
	  .run = node_set,
	  .own_socket = true },
	{ .name = "node drain",
	  .help = "no new connections; maintenance when the last has ended, or\n"
		  "at the timeout, which ends what is left",
	  .args = drain_args,
	  .size = sizeof(struct cluster_drain_args),
	  .run = node_drain,
	  .own_socket = true },
	{ .name = "node undrain",
	  .help = "from drain or maintenance back to active",
	  .args = node_args,
	  .size = sizeof(struct mlb_node),
	  .run = node_undrain,
	  .own_socket = true },
	{ .name = "node forget",
	  .help = "the node has weight 1 and is active again, when it is there",
	  .args = node_args,
	  .size = sizeof(struct mlb_node),
	  .run = node_forget,
	  .own_socket = true },
	{ .name = "node list",
	  .help = "show what was set for nodes",
	  .args = no_args,
	  .run = node_list,
	  .own_socket = true },
	{ .name = "group add",
	  .help = "give a name to clients",
	  .args = cluster_group_args,
	  .size = sizeof(struct cluster_group_args),
	  .run = cluster_group_add,
	  .own_socket = true },
	{ .name = "group set",
	  .help = "give a group other clients",
	  .args = cluster_group_args,
	  .size = sizeof(struct cluster_group_args),
	  .run = cluster_group_set,
	  .own_socket = true },
	{ .name = "group del",
	  .help = "forget a group that no role needs",
	  .args = cluster_group_del_args,
	  .size = sizeof(struct cluster_group_args),
	  .run = cluster_group_del,
	  .own_socket = true },
	{ .name = "group list",
	  .help = "show the groups and their clients",
	  .args = no_args,
	  .run = cluster_group_list,
	  .own_socket = true },
	{ .name = "role add",
	  .help = "have some nodes serve some clients, and others stand in",
	  .args = cluster_role_add_args,
	  .size = sizeof(struct cluster_role_args),
	  .prepare = cluster_role_prepare,
	  .run = cluster_role_add,
	  .own_socket = true },
	{ .name = "role set",
	  .help = "change a role; what is not named stays",
	  .args = cluster_role_set_args,
	  .size = sizeof(struct cluster_role_args),
	  .prepare = cluster_role_prepare,
	  .run = cluster_role_set,
	  .own_socket = true },
	{ .name = "role del",
	  .help = "forget a role: its clients are any node's",
	  .args = cluster_role_del_args,
	  .size = sizeof(struct cluster_role_args),
	  .run = cluster_role_del,
	  .own_socket = true },
	{ .name = "role move",
	  .help = "have other nodes do a role from now on",
	  .args = cluster_role_move_args,
	  .size = sizeof(struct cluster_role_args),
	  .prepare = cluster_role_prepare_move,
	  .run = cluster_role_move,
	  .own_socket = true },
	{ .name = "role list",
	  .help = "show the roles and who holds them",
	  .args = no_args,
	  .run = cluster_role_list,
	  .own_socket = true },
	{ .name = "set",
	  .help = "change settings on every node",
	  .args = setting_args,
	  .size = sizeof(struct mlb_config),
	  .prepare = prepare_set,
	  .run = set,
	  .own_socket = true },
	{ .name = "show",
	  .help = "show all that the cluster has agreed on",
	  .args = no_args,
	  .run = show,
	  .own_socket = true },
	{ .name = "save",
	  .help = "write all that the cluster has agreed on to a file",
	  .args = save_args,
	  .size = sizeof(struct file_args),
	  .run = save,
	  .own_socket = true },
	{ .name = "load",
	  .help = "have the cluster agree on a file, whole, instead of what is",
	  .args = load_args,
	  .size = sizeof(struct file_args),
	  .run = load,
	  .own_socket = true },
	{ .name = "reload",
	  .help = "have mlbd on this node read its file again",
	  .args = no_args,
	  .run = reload,
	  .own_socket = true },
	{}
};

static struct command command = {
	.name = "cluster",
	.help = "what all nodes agree on, through mlbd",
	.verbs = verbs,
};

MLBCTL_COMMAND(command)
