// SPDX-License-Identifier: GPL-2.0
/*
 * Ending connections of this host, so that their clients and applications hear
 * of it now: before a node goes that has to go.
 *
 * What is done to the socket is what its own application does that disconnects
 * it, connect() with AF_UNSPEC: MPTCP then sends MP_FASTCLOSE on each subflow
 * (RFC 8684 3.5), which a client needs to give the connection up at once; that
 * every single subflow is reset would not tell it so.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "net.h"
#include "netlink.h"

/* What has become of the connections of a request. */
struct end_counts {
	u32 ended;
	u32 gone;
	u32 detached;
};

/*
 * The caller must hold the socket's lock: so it is not accepted, closed or
 * disconnected meanwhile. Who waits in it to read or write finds
 * sk_disconnects changed.
 *
 * One without a struct socket is left alone. What has not been accepted is for
 * accept() to find, and disconnecting what was closed would keep MPTCP's worker
 * from ever freeing it.
 */
static void end_sock(struct sock *sk, struct end_counts *counts)
{
	int err;

	sock_owned_by_me(sk);

	if ((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)) {
		counts->gone++;
		return;
	}
	if (!sk->sk_socket || sock_flag(sk, SOCK_DEAD)) {
		counts->detached++;
		return;
	}
	/* As tcp_abort(), which SOCK_DESTROY calls. */
	WRITE_ONCE(sk->sk_err, ECONNABORTED);
	sk->sk_disconnects++;
	err = sk->sk_prot->disconnect(sk, 0);
	sk->sk_socket->state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
	if (err)
		counts->detached++;
	else
		counts->ended++;
}

static void end_token(struct mlb_net *mn, u32 token, struct end_counts *counts)
{
	struct sock *sk = mlb_token_sock(mn, token);

	if (!sk) {
		counts->gone++;
		return;
	}
	lock_sock(sk);
	/* Meanwhile its application may have ended it and begun another. */
	if (mlb_token_is_local(mn, token))
		end_sock(sk, counts);
	else
		counts->gone++;
	release_sock(sk);
	sock_put(sk);
}

/* Return: the token, or 0 having said what is wrong. */
static u32 end_parse(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[MLB_A_OWNER_ENTRY_MAX + 1];
	u32 token = 0;

	if (nla_parse_nested(tb, MLB_A_OWNER_ENTRY_MAX, attr,
			     mlb_owner_entry_nl_policy, extack))
		return 0;
	for (int i = 1; i <= MLB_A_OWNER_ENTRY_MAX; i++) {
		if (tb[i] && i != MLB_A_OWNER_ENTRY_TOKEN) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "what is to end is told by its token alone");
			return 0;
		}
	}
	if (tb[MLB_A_OWNER_ENTRY_TOKEN])
		token = nla_get_u32(tb[MLB_A_OWNER_ENTRY_TOKEN]);
	if (!token)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a token is missing or 0, which no connection has");
	return token;
}

/* Whether the owner table has the token, and if so whether as this host's. */
static bool end_known(struct mlb_net *mn, u32 token, bool *local)
{
	const struct mlb_owner *owner;

	rcu_read_lock();
	owner = mlb_owner_find(mn, token);
	*local = owner && owner->origin == MLB_OWNER_LOCAL;
	rcu_read_unlock();
	return owner;
}

static int end_judge(struct mlb_net *mn, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	u32 token = end_parse(attr, extack);
	bool local;

	if (!token)
		return -EINVAL;
	if (!end_known(mn, token, &local) || local)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "a token is of another node; only its node can end the connection");
	return -EPERM;
}

/*
 * Takes a while with many, in which generic netlink lets no family come or go:
 * who ends many does so in several requests. Of this module no lock is held.
 */
static void end_all(struct mlb_net *mn, struct genl_info *info,
		    struct end_counts *counts)
{
	struct nlattr *attr;
	bool local;
	int rem;

	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		u32 token = end_parse(attr, NULL);

		if (fatal_signal_pending(current))
			break;
		if (end_known(mn, token, &local) && local)
			end_token(mn, token, counts);
		else
			counts->gone++;
		cond_resched();
	}
	mlb_count_add(mn, OWNER_ENDED, counts->ended);
}

int mlb_nl_owner_end_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mlb_net *mn = mlb_net(genl_info_net(info));
	struct end_counts counts = {};
	struct sk_buff *reply;
	struct nlattr *attr;
	int rem, err;
	void *hdr;

	if (mlb_nl_missing(info, MLB_A_OWNER_ENTRY, "no entry is given"))
		return -EINVAL;
	nla_for_each_attr_type(attr, MLB_A_OWNER_ENTRY,
			       genlmsg_data(info->genlhdr),
			       genlmsg_len(info->genlhdr), rem) {
		err = end_judge(mn, attr, info->extack);
		if (err)
			return err;
	}
	reply = genlmsg_new(3 * nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &mlb_nl_family, 0,
				MLB_CMD_OWNER_END);
	if (!hdr)
		goto err_size;

	end_all(mn, info, &counts);
	if (nla_put_u32(reply, MLB_A_OWNER_ENDED, counts.ended) ||
	    nla_put_u32(reply, MLB_A_OWNER_GONE, counts.gone) ||
	    nla_put_u32(reply, MLB_A_OWNER_DETACHED, counts.detached))
		goto err_size;
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);

err_size:
	nlmsg_free(reply);
	return -EMSGSIZE;
}
