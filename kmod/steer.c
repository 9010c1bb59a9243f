// SPDX-License-Identifier: GPL-2.0
/*
 * The packet path: which node gets a packet, and sending it there. The first
 * rule that matches decides:
 *
 *   1. flow known: its node; but a SYN with MP_JOIN whose token is known goes
 *      by that, for the 4-tuple may be in use anew;
 *   2. SYN with MP_JOIN: the owner of its token, asking the peers if need be;
 *   3. any other SYN: the scheduler's choice;
 *   4. socket on this host: here; else whichever peer says that it has the
 *      flow;
 *   5. nobody: the local stack, whose RST is the truth.
 *
 * A packet that came out of the tunnel is for this host and goes nowhere else.
 */
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/l3mdev.h>
#include <net/tcp.h>

#include "device.h"
#include "net.h"
#include "node.h"
#include "packet.h"
#include "service.h"
#include "steer.h"
#include "trace.h"
#include "tunnel.h"

/**
 * mlb_steer_socket() - the socket that has a flow on this host
 * @mn: the namespace
 * @t: the flow
 * @dev: device that the packet came in on, or NULL
 *
 * Inside rcu_read_lock(). Finds connection requests and TIME_WAIT too, and no
 * listeners.
 *
 * Return: the socket with a reference, see sock_gen_put(); or NULL.
 */
struct sock *mlb_steer_socket(struct mlb_net *mn, const struct mlb_tuple *t,
			      const struct net_device *dev)
{
	int dif = dev ? dev->ifindex : 0, sdif = 0;

	if (dev && netif_is_l3_slave(dev)) {
		sdif = dif;
		dif = l3mdev_master_ifindex_rcu(dev);
	}
	if (ipv6_addr_v4mapped(&t->daddr))
		return __inet_lookup_established(mn->net,
						 t->saddr.s6_addr32[3], t->sport,
						 t->daddr.s6_addr32[3],
						 ntohs(t->dport), dif, sdif);
	return __inet6_lookup_established(mn->net, &t->saddr, t->sport,
					  &t->daddr, ntohs(t->dport), dif,
					  sdif);
}

/**
 * mlb_steer_socket_is_past() - whether a socket only remembers a flow
 * @sk: a socket that mlb_steer_socket() gave
 *
 * True in TIME_WAIT: the 4-tuple may be in use anew, on another node. The same
 * small socket stands for FIN_WAIT_2 too, where the client's FIN is to come.
 */
bool mlb_steer_socket_is_past(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT &&
	       inet_twsk(sk)->tw_substate == TCP_TIME_WAIT;
}

static unsigned int steer_local(const struct mlb_packet *pkt,
				enum mlb_rule rule)
{
	trace_mlb_steer(&pkt->tuple, rule, 0);
	return NF_ACCEPT;
}

static unsigned int steer_remote(struct mlb_net *mn, struct sk_buff *skb,
				 const struct mlb_packet *pkt,
				 struct mlb_node *node, enum mlb_rule rule,
				 __be16 sport)
{
	trace_mlb_steer(&pkt->tuple, rule, node->id);
	mlb_tunnel_send(mn, skb, node, &pkt->tuple, pkt->thoff, sport);
	return NF_STOLEN;
}

/* A packet with a socket skips early demultiplexing, which would have taken
 * the socket's cached route; so take it here.
 */
static void steer_cached_route(struct sk_buff *skb, struct sock *sk)
{
	struct dst_entry *dst = rcu_dereference(sk->sk_rx_dst);

	if (dst)
		dst = dst_check(dst, skb->protocol == htons(ETH_P_IPV6) ?
				     READ_ONCE(sk->sk_rx_dst_cookie) : 0);
	if (dst && READ_ONCE(sk->sk_rx_dst_ifindex) == skb->skb_iif)
		skb_dst_set_noref(skb, dst);
}

/*
 * The packet goes to this socket. It is handed over on the packet, as TPROXY
 * does, so that the stack does not look it up again; and if it is the third
 * packet of an MPTCP handshake, its token is learnt.
 */
static void steer_hand_over(struct mlb_net *mn, struct sk_buff *skb,
			    const struct mlb_packet *pkt, struct sock *sk)
{
	if ((sk->sk_state == TCP_NEW_SYN_RECV ||
	     sk->sk_state == TCP_SYN_RECV) && pkt->ack && !pkt->closing) {
		struct mlb_mptcp mp;

		mlb_packet_options(skb, pkt, &mp);
		if (mp.kind == MLB_MPTCP_KEYS)
			mlb_learn_handshake(mn, mp.peer_key);
	}
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_edemux;
	if (sk_fullsock(sk))
		steer_cached_route(skb, sk);
}

/* A new use of the 4-tuple begins here; what was known of it is over. */
static void steer_forget_flow(struct mlb_net *mn, const struct mlb_packet *pkt)
{
	struct mlb_flow *flow = mlb_flow_find(mn, &pkt->tuple);

	if (flow)
		mlb_flow_remove(mn, flow);
}

/* Out of the tunnel. The sender has decided; learn and deliver. */
static unsigned int steer_tunnel_in(struct mlb_net *mn, struct sk_buff *skb,
				    const struct mlb_packet *pkt)
{
	struct sock *sk;

	mlb_count(mn, STEER_TUNNEL_IN);
	if (pkt->syn) {
		steer_forget_flow(mn, pkt);
	} else {
		sk = mlb_steer_socket(mn, &pkt->tuple, skb->dev);
		if (sk)
			steer_hand_over(mn, skb, pkt, sk);
	}
	return steer_local(pkt, MLB_RULE_TUNNEL);
}

/* Rule 1 for packets that are no SYN. NF_QUEUE: does not apply. */
static unsigned int steer_flow(struct mlb_net *mn, struct sk_buff *skb,
			       const struct mlb_packet *pkt)
{
	struct mlb_flow *flow = mlb_flow_find(mn, &pkt->tuple);
	struct mlb_node *node;

	if (!flow)
		return NF_QUEUE;
	node = mlb_node_find(mn, flow->node);
	if (unlikely(!node || node->self || !mlb_node_reachable(node))) {
		mlb_flow_remove(mn, flow);
		return NF_QUEUE;
	}
	mlb_flow_touch(flow, pkt->syn, pkt->closing);
	mlb_count(mn, STEER_FLOW);
	return steer_remote(mn, skb, pkt, node, MLB_RULE_FLOW, flow->sport);
}

/*
 * Rule 1 for a SYN. One that opens the 4-tuple of a closing flow anew is not
 * part of it; any other is for TCP at the flow's node to judge, which knows
 * the sequence numbers (RFC 9293 3.10.7.4).
 */
static unsigned int steer_flow_syn(struct mlb_net *mn, struct sk_buff *skb,
				   const struct mlb_packet *pkt)
{
	struct mlb_flow *flow = mlb_flow_find(mn, &pkt->tuple);

	if (flow && READ_ONCE(flow->state) == MLB_FLOW_STATE_CLOSING) {
		mlb_flow_remove(mn, flow);
		return NF_QUEUE;
	}
	return steer_flow(mn, skb, pkt);
}

/* Rule 2. */
static unsigned int steer_join(struct mlb_net *mn, struct sk_buff *skb,
			       const struct nf_hook_state *state,
			       const struct mlb_packet *pkt, u32 token)
{
	struct mlb_owner *owner = mlb_owner_find(mn, token);
	struct mlb_question question;
	struct mlb_node *node;
	unsigned int verdict;

	if (owner && owner->origin != MLB_OWNER_LOCAL) {
		mlb_owner_used(owner);
		node = mlb_node_find(mn, owner->node);
		if (!node || node->self || !mlb_node_takes_joins(node)) {
			mlb_count(mn, STEER_REFUSED_STATE);
			return steer_local(pkt, MLB_RULE_JOIN);
		}
		mlb_count(mn, STEER_JOIN_OWNER);
		mlb_flow_insert(mn, &pkt->tuple, node->id, MLB_FLOW_STATE_SYN);
		return steer_remote(mn, skb, pkt, node, MLB_RULE_JOIN,
				    mlb_flow_sport(&pkt->tuple));
	}
	if (owner || mlb_token_is_local(mn, token)) {
		mlb_count(mn, STEER_JOIN_LOCAL);
		steer_forget_flow(mn, pkt);
		return steer_local(pkt, MLB_RULE_JOIN);
	}
	verdict = steer_flow_syn(mn, skb, pkt);
	if (verdict != NF_QUEUE)
		return verdict;

	if (!token) {	/* no connection has it; peers refuse to be asked */
		mlb_count(mn, STEER_UNCLAIMED);
		return steer_local(pkt, MLB_RULE_UNCLAIMED);
	}
	question = (struct mlb_question) {
		.kind = MLB_TUNMSG_TOKEN,
		.token = token,
		.tuple = pkt->tuple,
	};
	return mlb_resolve_packet(mn, skb, state, &question);
}

/* Rule 3. */
static unsigned int steer_new(struct mlb_net *mn, struct sk_buff *skb,
			      const struct mlb_packet *pkt)
{
	struct mlb_tunnel *tun = rcu_dereference(mn->tunnel);
	struct mlb_node *self = tun ? mlb_node_find(mn, tun->self) : NULL;
	struct mlb_node *node;
	u16 id;

	/* Without a self node, or ECMP has balanced and this host may serve. */
	if (!self || (pkt->svc->scheduler == MLB_SCHEDULER_LOCAL &&
		      mlb_node_takes_new(self) &&
		      mlb_service_has_node(pkt->svc, self->id)))
		goto local;
	id = mlb_service_schedule(mn, pkt->svc, &pkt->tuple);
	node = id ? mlb_node_find(mn, id) : NULL;
	if (!node) {
		mlb_count(mn, STEER_NO_NODE);
		return steer_local(pkt, MLB_RULE_NEW);
	}
	if (node->self)
		goto local;
	mlb_count(mn, STEER_NEW_REMOTE);
	return steer_remote(mn, skb, pkt, node, MLB_RULE_NEW,
			    mlb_flow_sport(&pkt->tuple));
local:
	mlb_count(mn, STEER_NEW_LOCAL);
	return steer_local(pkt, MLB_RULE_NEW);
}

static unsigned int steer_syn(struct mlb_net *mn, struct sk_buff *skb,
			      const struct nf_hook_state *state,
			      const struct mlb_packet *pkt)
{
	struct mlb_mptcp mp;
	unsigned int verdict;

	mlb_packet_options(skb, pkt, &mp);
	if (mp.kind == MLB_MPTCP_JOIN)
		return steer_join(mn, skb, state, pkt, mp.token);
	if (mp.kind == MLB_MPTCP_BAD)
		mlb_count(mn, BAD_OPTION);
	else if (mp.kind == MLB_MPTCP_VERSION)
		mlb_count(mn, BAD_VERSION);

	verdict = steer_flow_syn(mn, skb, pkt);
	return verdict == NF_QUEUE ? steer_new(mn, skb, pkt) : verdict;
}

/* Rule 4. */
static unsigned int steer_unknown(struct mlb_net *mn, struct sk_buff *skb,
				  const struct nf_hook_state *state,
				  const struct mlb_packet *pkt)
{
	struct mlb_question question;
	struct sock *sk;

	sk = mlb_steer_socket(mn, &pkt->tuple, skb->dev);
	if (sk && !mlb_steer_socket_is_past(sk)) {
		mlb_count(mn, STEER_SOCKET);
		steer_hand_over(mn, skb, pkt, sk);
		return steer_local(pkt, MLB_RULE_SOCKET);
	}
	question = (struct mlb_question) {
		.kind = MLB_TUNMSG_FLOW,
		.tuple = pkt->tuple,
		.weak_self = sk,
	};
	if (sk)
		sock_gen_put(sk);
	if (pkt->svc->scheduler != MLB_SCHEDULER_LOCAL)
		question.hint = mlb_service_schedule(mn, pkt->svc,
						     &pkt->tuple);
	return mlb_resolve_packet(mn, skb, state, &question);
}

/*
 * Whether a packet came to this host from outside, for the first time: not one
 * that another hook gave a socket, nor a broadcast frame that other nodes get
 * too, nor the host's own, nor the second pass of a VRF, nor what a bridge
 * only passes on.
 */
static bool steer_is_mine(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	const struct nf_bridge_info *bridge = nf_bridge_info_get(skb);

	if (bridge && bridge->pkt_otherhost)
		return false;
#endif
	return !skb->sk && skb->pkt_type == PACKET_HOST &&
	       !(skb->dev->flags & IFF_LOOPBACK) &&
	       !netif_is_l3_master(skb->dev);
}

static unsigned int steer_hook(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct mlb_net *mn = priv;
	struct mlb_packet pkt;
	unsigned int verdict;

	if (!steer_is_mine(skb) ||
	    !mlb_packet_parse(mn, skb, state->pf, &pkt))
		return NF_ACCEPT;
	if (mlb_device_is(skb->dev))
		return steer_tunnel_in(mn, skb, &pkt);
	if (pkt.syn)
		return steer_syn(mn, skb, state, &pkt);
	verdict = steer_flow(mn, skb, &pkt);
	return verdict == NF_QUEUE ? steer_unknown(mn, skb, state, &pkt) :
				     verdict;
}

/**
 * mlb_steer_found() - a peer has what a parked packet waited for
 * @mn: the namespace
 * @skb: the packet; taken
 * @node: the peer
 * @kind: what was asked
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_steer_found(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, enum mlb_tunmsg_kind kind)
{
	bool join = kind == MLB_TUNMSG_TOKEN;
	struct mlb_packet pkt;

	if (!mlb_packet_parse(mn, skb, skb->protocol == htons(ETH_P_IPV6) ?
			      NFPROTO_IPV6 : NFPROTO_IPV4, &pkt)) {
		mlb_count(mn, RESOLVE_DROP_GONE);	/* the service went */
		kfree_skb(skb);
		return;
	}
	if (join)
		mlb_count(mn, STEER_JOIN_RESOLVED);
	else
		mlb_count(mn, STEER_RESOLVED);
	mlb_flow_insert(mn, &pkt.tuple, node->id,
			join ? MLB_FLOW_STATE_SYN :
			pkt.closing ? MLB_FLOW_STATE_CLOSING :
				      MLB_FLOW_STATE_ESTABLISHED);
	steer_remote(mn, skb, &pkt, node, MLB_RULE_RESOLVED,
		     mlb_flow_sport(&pkt.tuple));
}

/**
 * mlb_steer_continue() - give a parked packet to the local stack
 * @mn: the namespace
 * @skb: the packet; taken
 * @okfn: the stack's next function, from the hook's state
 *
 * Goes on with the hooks behind this one, as if it had accepted the packet.
 * Softirq context, inside rcu_read_lock().
 */
void mlb_steer_continue(struct mlb_net *mn, struct sk_buff *skb,
			int (*okfn)(struct net *net, struct sock *sk,
				    struct sk_buff *skb))
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	const struct nf_hook_entries *entries;
	struct nf_hook_state state;
	struct mlb_packet pkt;
	unsigned int next = 0;

	if (trace_mlb_steer_enabled() &&
	    mlb_packet_parse(mn, skb, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4, &pkt))
		trace_mlb_steer(&pkt.tuple, MLB_RULE_UNCLAIMED, 0);

	nf_hook_state_init(&state, NF_INET_PRE_ROUTING,
			   ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4, skb->dev, NULL,
			   NULL, mn->net, okfn);
	/* Removed meanwhile with the hooks, or moved away with its device. */
	if (!net_eq(dev_net(skb->dev), mn->net) ||
	    !(skb->dev->flags & IFF_UP))
		goto gone;
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	/* The bridge's next function may have gone with its module. Come in
	 * anew, from the bridge itself; the negative entry lets it pass.
	 */
	if (nf_bridge_info_get(skb)) {
		skb_ext_del(skb, SKB_EXT_BRIDGE_NF);
		netif_rx(skb);
		return;
	}
#endif
	entries = ipv6 ?
		rcu_dereference(mn->net->nf.hooks_ipv6[NF_INET_PRE_ROUTING]) :
		rcu_dereference(mn->net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]);
	if (!entries)
		goto gone;
	while (next < entries->num_hook_entries &&
	       entries->hooks[next].hook != steer_hook)
		next++;
	if (next++ == entries->num_hook_entries)
		goto gone;
	if (next == entries->num_hook_entries ||
	    nf_hook_slow(skb, &state, entries, next) == 1)
		okfn(mn->net, NULL, skb);
	return;
gone:
	mlb_count(mn, RESOLVE_DROP_GONE);
	kfree_skb(skb);
}

/* After raw and defragmentation, before connection tracking. */
static const struct nf_hook_ops steer_ops[] = {
	{
		.hook = steer_hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK - 1,
	}, {
		.hook = steer_hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_CONNTRACK - 1,
	},
};

/**
 * mlb_steer_hook() - begin to steer in a namespace
 * @mn: the namespace
 *
 * Called when its first service comes. Process context.
 */
int mlb_steer_hook(struct mlb_net *mn)
{
	struct nf_hook_ops *ops = mn->hook_ops;

	BUILD_BUG_ON(sizeof(mn->hook_ops) != sizeof(steer_ops));
	memcpy(ops, steer_ops, sizeof(steer_ops));
	for (unsigned int i = 0; i < ARRAY_SIZE(steer_ops); i++)
		ops[i].priv = mn;
	return nf_register_net_hooks(mn->net, ops, ARRAY_SIZE(steer_ops));
}

/**
 * mlb_steer_unhook() - steer no more
 * @mn: the namespace
 *
 * Called when the last service has gone. Packets may be in the hook until the
 * end of the present RCU grace period.
 */
void mlb_steer_unhook(struct mlb_net *mn)
{
	nf_unregister_net_hooks(mn->net, mn->hook_ops, ARRAY_SIZE(steer_ops));
}
