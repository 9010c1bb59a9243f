// SPDX-License-Identifier: GPL-2.0
/* mlbctl cluster group, mlbctl cluster role: who serves which clients. */
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "daemon.h"

#define SEEN_PREFIXES (1u << 0)
#define SEEN_SERVICES (1u << 1)
#define SEEN_GROUPS (1u << 2)
#define SEEN_NODES (1u << 3)
#define SEEN_SPARES (1u << 4)
#define SEEN_FAILBACK (1u << 5)
#define SEEN_WITHOUT_SPARE (1u << 6)
#define SEEN_EXCLUSIVE (1u << 7)

static const char *const without_spare_words[] = { "spread", "refuse", NULL };
static const char *const yes_words[] = { "no", "yes", NULL };

/* clang-format off */
#define GROUP_ARG							\
	{ .type = ARG_STRING,						\
	  .name = "group",						\
	  .value = "GROUP",						\
	  .help = "its name",						\
	  .flags = ARG_POSITIONAL,					\
	  .offset = offsetof(struct cluster_group_args, name) }

#define ROLE_ARG							\
	{ .type = ARG_STRING,						\
	  .name = "role",						\
	  .value = "ROLE",						\
	  .help = "its name",						\
	  .flags = ARG_POSITIONAL,					\
	  .offset = offsetof(struct cluster_role_args, name) }

#define NODES_ARG(required)						\
	{ .type = ARG_NODES,						\
	  .name = "nodes",						\
	  .value = "ID,...",						\
	  .help = "its homes; of an exclusive role the first that is well\n" \
		  "has it",						\
	  .flags = required,						\
	  .field = SEEN_NODES,						\
	  .offset = offsetof(struct cluster_role_args, nodes) }

#define ROLE_CHANGE_ARGS						\
	{ .type = ARG_STRING,						\
	  .name = "services",						\
	  .value = "VIP:PORT,...",					\
	  .help = "what it serves, \"all\" if not set",			\
	  .field = SEEN_SERVICES,					\
	  .offset = offsetof(struct cluster_role_args, services) },	\
	{ .type = ARG_STRING,						\
	  .name = "groups",						\
	  .value = "GROUP,...",						\
	  .help = "whom it serves; \"others\", if not set, is every client\n" \
		  "that no other role of the service names",		\
	  .field = SEEN_GROUPS,						\
	  .offset = offsetof(struct cluster_role_args, groups) },	\
	{ .type = ARG_NODES,						\
	  .name = "spares",						\
	  .value = "ID,...",						\
	  .help = "who may stand in, the preferred ones first; \"all\", if not\n" \
		  "set, is any node that is no role's home",		\
	  .field = SEEN_SPARES,						\
	  .offset = offsetof(struct cluster_role_args, spares) },	\
	{ .type = ARG_STRING,						\
	  .name = "failback",						\
	  .value = "yes|no|SECONDS",					\
	  .help = "whether a home that is well again takes it back: \"yes\"\n" \
		  "if not set, or when it has been for so long",	\
	  .field = SEEN_FAILBACK,					\
	  .offset = offsetof(struct cluster_role_args, failback) },	\
	{ .type = ARG_WORD,						\
	  .name = "without-spare",					\
	  .value = "POLICY",						\
	  .help = "with neither home nor spare: spread (if not set), all\n" \
		  "other nodes serve its clients; refuse, nobody does",	\
	  .field = SEEN_WITHOUT_SPARE,					\
	  .offset = offsetof(struct cluster_role_args, without_spare),	\
	  .words = without_spare_words },				\
	{ .type = ARG_WORD,						\
	  .name = "exclusive",						\
	  .value = "yes|no",						\
	  .help = "never two nodes hold it, not even while it moves",	\
	  .field = SEEN_EXCLUSIVE,					\
	  .offset = offsetof(struct cluster_role_args, exclusive),	\
	  .words = yes_words }
/* clang-format on */

const struct arg cluster_group_args[] = {
	GROUP_ARG,
	{ .type = ARG_STRING,
	  .name = "prefixes",
	  .value = "ADDR/LEN,...",
	  .help = "clients; the longest prefix of all groups decides",
	  .flags = ARG_REQUIRED,
	  .field = SEEN_PREFIXES,
	  .offset = offsetof(struct cluster_group_args, prefixes) },
	{}
};

const struct arg cluster_group_del_args[] = { GROUP_ARG, {} };
const struct arg cluster_role_add_args[] = { ROLE_ARG, NODES_ARG(ARG_REQUIRED),
					     ROLE_CHANGE_ARGS, {} };
const struct arg cluster_role_set_args[] = { ROLE_ARG, NODES_ARG(0),
					     ROLE_CHANGE_ARGS, {} };
const struct arg cluster_role_del_args[] = { ROLE_ARG, {} };

const struct arg cluster_role_move_args[] = {
	ROLE_ARG,
	{ .type = ARG_STRING,
	  .name = "to",
	  .value = "ID,...|home",
	  .help = "who is its home for the time being, until \"home\"",
	  .flags = ARG_POSITIONAL,
	  .offset = offsetof(struct cluster_role_args, to) },
	{}
};

json_t *cluster_words(const char *text, const char *none)
{
	json_t *list = json_array();

	if (!strcmp(text, none))
		return list;
	for (;;) {
		size_t len = strcspn(text, ",");

		json_array_append_new(list, json_stringn(text, len));
		if (!text[len])
			return list;
		text += len + 1;
	}
}

static void print_entry(FILE *to, const json_t *entry)
{
	if (json_is_integer(entry))
		fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(entry));
	else
		fputs(json_string_value(entry) ? json_string_value(entry) : "?",
		      to);
}

void cluster_print_list(struct output *out, const json_t *list, const char *key,
			const char *label, const char *none)
{
	char *text = NULL;
	const json_t *entry;
	size_t size, i;
	FILE *to;

	if (out->json) {
		out_json(out, key, json_deep_copy(list));
		return;
	}
	to = open_memstream(&text, &size);
	if (!to)
		return;
	if (!json_array_size(list))
		fputs(none, to);
	json_array_foreach(list, i, entry) {
		if (i)
			fputc(',', to);
		print_entry(to, entry);
	}
	fclose(to);
	out_str(out, key, label, text);
	free(text);
}

static json_t *group_change(struct mlbctl *ctl, const char *op)
{
	const struct cluster_group_args *args = ctl->data;
	json_t *object =
		json_pack("{s:s, s:s}", "op", op, "group", args->name);

	if (args->prefixes)
		json_object_set_new(object, "prefixes",
				    cluster_words(args->prefixes, ""));
	return object;
}

int cluster_group_add(struct mlbctl *ctl)
{
	return cluster_change(ctl, group_change(ctl, "group-add"));
}

int cluster_group_set(struct mlbctl *ctl)
{
	return cluster_change(ctl, group_change(ctl, "group-set"));
}

int cluster_group_del(struct mlbctl *ctl)
{
	return cluster_change(ctl, group_change(ctl, "group-del"));
}

void cluster_print_group(struct output *out, const json_t *group)
{
	out_str(out, "group", NULL, cluster_text(group, "group"));
	cluster_print_list(out, json_object_get(group, "prefixes"), "prefixes",
			   "prefixes", "none");
}

int cluster_group_list(struct mlbctl *ctl)
{
	return cluster_list(ctl, "groups", cluster_print_group);
}

static json_t *node_ids(const struct node_list *list)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(ids, json_integer(list->id[i]));
	return ids;
}

static bool good_failback(const char *text)
{
	uint32_t s;

	return !strcmp(text, "yes") || !strcmp(text, "no") ||
	       parse_u32(text, 1, INT32_MAX, &s);
}

int cluster_role_prepare(struct mlbctl *ctl)
{
	const struct cluster_role_args *args = ctl->data;

	if (!ctl->seen)
		return usage_error(ctl, "nothing to change");
	if (ctl->seen & SEEN_NODES && !args->nodes.n)
		return usage_error(ctl, "a role's homes are named one by one");
	if (args->failback && !good_failback(args->failback))
		return usage_error(ctl,
				   "failback \"%s\" is not yes, no or seconds",
				   args->failback);
	return 0;
}

static json_t *failback(const char *text)
{
	uint32_t s;

	return parse_u32(text, 1, INT32_MAX, &s) ? json_integer(s) :
						   json_string(text);
}

static json_t *role_change(struct mlbctl *ctl, const char *op)
{
	const struct cluster_role_args *args = ctl->data;
	json_t *object = json_pack("{s:s, s:s}", "op", op, "role", args->name);

	if (ctl->seen & SEEN_SERVICES)
		json_object_set_new(object, "services",
				    cluster_words(args->services, "all"));
	if (ctl->seen & SEEN_GROUPS)
		json_object_set_new(object, "groups",
				    cluster_words(args->groups, "others"));
	if (ctl->seen & SEEN_NODES)
		json_object_set_new(object, "nodes", node_ids(&args->nodes));
	if (ctl->seen & SEEN_SPARES)
		json_object_set_new(object, "spares", node_ids(&args->spares));
	if (ctl->seen & SEEN_FAILBACK)
		json_object_set_new(object, "failback",
				    failback(args->failback));
	if (ctl->seen & SEEN_WITHOUT_SPARE)
		json_object_set_new(
			object, "without-spare",
			json_string(without_spare_words[args->without_spare]));
	if (ctl->seen & SEEN_EXCLUSIVE)
		json_object_set_new(object, "exclusive",
				    json_boolean(args->exclusive));
	return object;
}

int cluster_role_add(struct mlbctl *ctl)
{
	return cluster_change(ctl, role_change(ctl, "role-add"));
}

int cluster_role_set(struct mlbctl *ctl)
{
	return cluster_change(ctl, role_change(ctl, "role-set"));
}

int cluster_role_del(struct mlbctl *ctl)
{
	return cluster_change(ctl, role_change(ctl, "role-del"));
}

int cluster_role_prepare_move(struct mlbctl *ctl)
{
	struct cluster_role_args *args = ctl->data;
	const char *wrong;

	if (!strcmp(args->to, "home"))
		return 0;
	wrong = parse_node_list(args->to, &args->nodes);
	if (wrong || !args->nodes.n)
		return usage_error(ctl, "\"%s\" is neither \"home\" nor a list of node ids with commas",
				   args->to);
	return 0;
}

int cluster_role_move(struct mlbctl *ctl)
{
	const struct cluster_role_args *args = ctl->data;

	return cluster_change(ctl, json_pack("{s:s, s:s, s:o}", "op",
					     "role-move", "role", args->name,
					     "nodes", node_ids(&args->nodes)));
}

static void print_failback(struct output *out, const json_t *value)
{
	if (json_is_integer(value))
		out_uint(out, "failback", "failback",
			 (uint64_t)json_integer_value(value), NULL);
	else
		out_str(out, "failback", "failback",
			json_string_value(value) ? json_string_value(value) :
						   "?");
}

void cluster_print_role(struct output *out, const json_t *role)
{
	bool exclusive = json_is_true(json_object_get(role, "exclusive"));

	out_str(out, "role", NULL, cluster_text(role, "role"));
	cluster_print_list(out, json_object_get(role, "nodes"), "nodes",
			   "nodes", "none");
	cluster_print_list(out, json_object_get(role, "services"), "services",
			   "services", "all");
	cluster_print_list(out, json_object_get(role, "groups"), "groups",
			   "groups", "others");
	cluster_print_list(out, json_object_get(role, "spares"), "spares",
			   "spares", "all");
	print_failback(out, json_object_get(role, "failback"));
	out_str(out, "without-spare", "without-spare",
		cluster_text(role, "without-spare"));
	if (out->json)
		out_flag(out, "exclusive", exclusive);
	else
		out_str(out, "exclusive", "exclusive", yes_words[exclusive]);
}

/* And who does it now, of which nobody is the author but the cluster. */
static void print_held(struct output *out, const json_t *role)
{
	const json_t *assigned = json_object_get(role, "assigned");
	const json_t *moved = json_object_get(role, "moved");
	const json_t *leaving = json_object_get(assigned, "leaving");
	const json_t *fenced = json_object_get(assigned, "fenced");

	cluster_print_role(out, role);
	if (out->json) {
		out_json(out, "moved", json_deep_copy(moved));
		out_json(out, "assigned", json_deep_copy(assigned));
		return;
	}
	if (json_array_size(moved))
		cluster_print_list(out, moved, "moved", "moved-to", "none");
	cluster_print_list(out, json_object_get(assigned, "nodes"), "held",
			   "held-by", "none");
	if (json_array_size(leaving))
		cluster_print_list(out, leaving, "leaving", "leaving", "none");
	if (json_array_size(fenced))
		cluster_print_list(out, fenced, "fenced", "fenced", "none");
	if (json_is_true(json_object_get(assigned, "spread")))
		out_word(out, "spread");
	out_uint(out, "epoch", "epoch", cluster_number(assigned, "epoch"),
		 NULL);
	out_str(out, "reason", "because", cluster_text(assigned, "reason"));
}

int cluster_role_list(struct mlbctl *ctl)
{
	return cluster_list(ctl, "roles", print_held);
}
