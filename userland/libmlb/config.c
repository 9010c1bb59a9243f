// SPDX-License-Identifier: GPL-2.0
/* Settings and the cluster key. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char *const config_attrs[] = {
	[MLB_A_CONFIG_RESOLVE_TIMEOUT] = "resolve-timeout",
	[MLB_A_CONFIG_RESOLVE_RATE] = "resolve-rate",
	[MLB_A_CONFIG_MAX_FLOWS] = "max-flows",
	[MLB_A_CONFIG_MAX_OWNERS] = "max-owners",
	[MLB_A_CONFIG_PORT] = "port",
	[MLB_A_CONFIG_KEY] = "key",
	[MLB_A_CONFIG_ALIVE_INTERVAL] = "alive-interval",
	[MLB_A_CONFIG_ALIVE_MULTIPLIER] = "alive-multiplier",
	[MLB_A_CONFIG_FASTCLOSE] = "fastclose",
};

static const struct mlb_attr_names config_names = MLB_ATTR_NAMES(config_attrs);

#define WRITABLE                                                      \
	(MLB_F_CONFIG_RESOLVE_TIMEOUT | MLB_F_CONFIG_RESOLVE_RATE |   \
	 MLB_F_CONFIG_MAX_FLOWS | MLB_F_CONFIG_MAX_OWNERS |           \
	 MLB_F_CONFIG_PORT | MLB_F_CONFIG_ALIVE_INTERVAL |            \
	 MLB_F_CONFIG_ALIVE_MULTIPLIER | MLB_F_CONFIG_FASTCLOSE)

int mlb_config_decode(struct nlmsghdr *nlh, struct mlb_config *config)
{
	struct nlattr *tb[MLB_A_CONFIG_MAX + 1];
	const struct nlattr *key_id;
	uint32_t fastclose;
	int ret = mlb_parse(nlh, tb, MLB_A_CONFIG_MAX);

	if (ret)
		return ret;

	memset(config, 0, sizeof(*config));
	if (mlb_get_u32(tb[MLB_A_CONFIG_RESOLVE_TIMEOUT],
			&config->resolve_timeout))
		config->fields |= MLB_F_CONFIG_RESOLVE_TIMEOUT;
	if (mlb_get_u32(tb[MLB_A_CONFIG_RESOLVE_RATE], &config->resolve_rate))
		config->fields |= MLB_F_CONFIG_RESOLVE_RATE;
	if (mlb_get_u32(tb[MLB_A_CONFIG_MAX_FLOWS], &config->max_flows))
		config->fields |= MLB_F_CONFIG_MAX_FLOWS;
	if (mlb_get_u32(tb[MLB_A_CONFIG_MAX_OWNERS], &config->max_owners))
		config->fields |= MLB_F_CONFIG_MAX_OWNERS;
	if (mlb_get_u16(tb[MLB_A_CONFIG_PORT], &config->port))
		config->fields |= MLB_F_CONFIG_PORT;
	if (mlb_get_u32(tb[MLB_A_CONFIG_FLOWS], &config->flows))
		config->fields |= MLB_F_CONFIG_FLOWS;
	if (mlb_get_u32(tb[MLB_A_CONFIG_OWNERS], &config->owners))
		config->fields |= MLB_F_CONFIG_OWNERS;
	if (mlb_get_u32(tb[MLB_A_CONFIG_PARKED], &config->parked))
		config->fields |= MLB_F_CONFIG_PARKED;

	if (mlb_get_u32(tb[MLB_A_CONFIG_ALIVE_INTERVAL],
			&config->alive_interval))
		config->fields |= MLB_F_CONFIG_ALIVE_INTERVAL;
	if (mlb_get_u32(tb[MLB_A_CONFIG_ALIVE_MULTIPLIER],
			&config->alive_multiplier))
		config->fields |= MLB_F_CONFIG_ALIVE_MULTIPLIER;

	if (mlb_get_u32(tb[MLB_A_CONFIG_FASTCLOSE], &fastclose)) {
		config->fastclose = fastclose;
		config->fields |= MLB_F_CONFIG_FASTCLOSE;
	}
	if (mlb_get_u32(tb[MLB_A_CONFIG_DEAD], &config->dead))
		config->fields |= MLB_F_CONFIG_DEAD;

	key_id = tb[MLB_A_CONFIG_KEY_ID];
	if (key_id && nla_len(key_id) == sizeof(config->key_id)) {
		memcpy(config->key_id, nla_data(key_id),
		       sizeof(config->key_id));
		config->fields |= MLB_F_CONFIG_KEY_ID;
	}
	return 0;
}

static int config_answer(struct nlmsghdr *nlh, void *arg)
{
	return mlb_config_decode(nlh, arg);
}

int mlb_config_get(struct mlb *mlb, struct mlb_config *config)
{
	struct nl_msg *msg = mlb_msg_new(mlb, MLB_CMD_CONFIG_GET, 0, 0);

	memset(config, 0, sizeof(*config));
	if (!msg)
		return -ENOMEM;
	return mlb_do_free(mlb, msg, &config_names, config_answer, config);
}

int mlb_config_set(struct mlb *mlb, const struct mlb_config *config)
{
	struct nl_msg *msg;

	if (config->fields & ~WRITABLE)
		return mlb_error_local(mlb, EINVAL,
				       "a setting that can only be read");

	msg = mlb_msg_new(mlb, MLB_CMD_CONFIG_SET, 0, 128);
	if (!msg)
		return -ENOMEM;
	if (config->fields & MLB_F_CONFIG_RESOLVE_TIMEOUT)
		NLA_PUT_U32(msg, MLB_A_CONFIG_RESOLVE_TIMEOUT,
			    config->resolve_timeout);
	if (config->fields & MLB_F_CONFIG_RESOLVE_RATE)
		NLA_PUT_U32(msg, MLB_A_CONFIG_RESOLVE_RATE,
			    config->resolve_rate);
	if (config->fields & MLB_F_CONFIG_MAX_FLOWS)
		NLA_PUT_U32(msg, MLB_A_CONFIG_MAX_FLOWS, config->max_flows);
	if (config->fields & MLB_F_CONFIG_MAX_OWNERS)
		NLA_PUT_U32(msg, MLB_A_CONFIG_MAX_OWNERS, config->max_owners);
	if (config->fields & MLB_F_CONFIG_PORT)
		NLA_PUT_U16(msg, MLB_A_CONFIG_PORT, config->port);
	if (config->fields & MLB_F_CONFIG_ALIVE_INTERVAL)
		NLA_PUT_U32(msg, MLB_A_CONFIG_ALIVE_INTERVAL,
			    config->alive_interval);
	if (config->fields & MLB_F_CONFIG_ALIVE_MULTIPLIER)
		NLA_PUT_U32(msg, MLB_A_CONFIG_ALIVE_MULTIPLIER,
			    config->alive_multiplier);
	if (config->fields & MLB_F_CONFIG_FASTCLOSE)
		NLA_PUT_U32(msg, MLB_A_CONFIG_FASTCLOSE, config->fastclose);
	return mlb_do_free(mlb, msg, &config_names, NULL, NULL);

nla_put_failure:
	nlmsg_free(msg);
	return mlb_error_local(mlb, EMSGSIZE, NULL);
}

int mlb_key_set(struct mlb *mlb, const void *key, size_t len)
{
	struct nl_msg *msg;
	int ret;

	if (len < MLB_KEY_LEN_MIN || len > MLB_KEY_LEN_MAX)
		return mlb_error_local(mlb, EINVAL,
				       "a key has from 16 to 64 bytes");

	msg = mlb_msg_new(mlb, MLB_CMD_KEY_SET, 0, nla_total_size((int)len));
	if (!msg)
		return -ENOMEM;
	if (nla_put(msg, MLB_A_CONFIG_KEY, (int)len, key) < 0)
		ret = mlb_error_local(mlb, EMSGSIZE, NULL);
	else
		ret = mlb_do(mlb, msg, &config_names, NULL, NULL);

	/* NETLINK_CAP_ACK keeps it out of the answer, so this is the one copy. */
	explicit_bzero(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	return ret;
}
