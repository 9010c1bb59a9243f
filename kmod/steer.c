// SPDX-License-Identifier: GPL-2.0
/*
 * The packet path: the hook, and carrying out what decide.c says.
 *
 * A packet that came out of the tunnel is for this host and goes nowhere else.
 * What nobody claims goes to the local stack, whose RST is the truth.
 */
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/l3mdev.h>
#include <net/tcp.h>

#include "decide.h"
#include "device.h"
#include "net.h"
#include "node.h"
#include "packet.h"
#include "reset.h"
#include "service.h"
#include "socket.h"
#include "steer.h"
#include "syn.h"
#include "trace.h"
#include "tunnel.h"

/* A packet with a socket skips early demultiplexing, which would have taken
 * the socket's cached route; so take it here.
 */
static void steer_cached_route(struct sk_buff *skb, struct sock *sk)
{
	struct dst_entry *dst = rcu_dereference(sk->sk_rx_dst);

	if (skb_dst(skb))	/* a tunnel's metadata */
		return;
	if (dst)
		dst = dst_check(dst, skb->protocol == htons(ETH_P_IPV6) ?
				     READ_ONCE(sk->sk_rx_dst_cookie) : 0);
	if (dst && READ_ONCE(sk->sk_rx_dst_ifindex) == skb->skb_iif)
		skb_dst_set_noref(skb, dst);
}

/* If the packet is the third of an MPTCP handshake, learn its token. */
static void steer_learn(struct mlb_net *mn, struct sk_buff *skb,
			struct mlb_packet *pkt)
{
	mlb_packet_options(skb, pkt);
	if (pkt->mp.kind == MLB_MPTCP_KEYS)
		mlb_learn_handshake(mn, &pkt->tuple, &pkt->mp);
}

/* Whether the packet can be the third of the socket's handshake. */
static bool steer_completes(const struct sock *sk, const struct mlb_packet *pkt)
{
	if (!pkt->ack || pkt->closing)
		return false;
	if (sk->sk_state == TCP_NEW_SYN_RECV)	/* a guess costs nothing */
		return ntohl(pkt->ack_seq) ==
		       tcp_rsk(inet_reqsk(sk))->snt_isn + 1;
	return sk->sk_state == TCP_SYN_RECV;	/* TCP Fast Open */
}

/*
 * The packet goes to this socket. It is handed over on the packet, as TPROXY
 * does, so that the stack does not look it up again. The reference goes along.
 */
static void steer_hand_over(struct mlb_net *mn, struct sk_buff *skb,
			    struct mlb_packet *pkt, struct sock *sk)
{
	if (steer_completes(sk, pkt))
		steer_learn(mn, skb, pkt);
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_edemux;
	if (sk_fullsock(sk))
		steer_cached_route(skb, sk);
}

static void steer_forget_flow(struct mlb_net *mn, const struct mlb_packet *pkt)
{
	struct mlb_flow *flow = mlb_flow_find(mn, &pkt->tuple);

	if (flow)
		mlb_flow_remove(mn, flow);
}

/*
 * Out of the tunnel. The sender has decided; learn and deliver. But if it went
 * by an entry of another use of the 4-tuple, an RST from here would end a
 * connection of another node: the peers are told, and the next packet finds its
 * way, or gets its RST from them.
 */
static unsigned int steer_tunnel_in(struct mlb_net *mn, struct sk_buff *skb,
				    struct mlb_packet *pkt)
{
	struct sock *sk;
	bool refused;

	mlb_count(mn, STEER_TUNNEL_IN);
	trace_mlb_steer(&pkt->tuple, MLB_RULE_TUNNEL, 0);
	if (pkt->icmp)
		return NF_ACCEPT;
	if (pkt->syn) {
		/* What was known of the 4-tuple is over. */
		steer_forget_flow(mn, pkt);
		return NF_ACCEPT;
	}
	sk = mlb_socket_find(mn, &pkt->tuple, skb->dev);
	refused = sk && pkt->ack && mlb_socket_refuses(sk, pkt->ack_seq);
	/* TIME_WAIT waits for FINs only. */
	if (sk && !refused && (pkt->closing || !mlb_socket_is_past(sk))) {
		steer_hand_over(mn, skb, pkt, sk);
		return NF_ACCEPT;
	}
	if (sk)
		sock_gen_put(sk);
	if (refused)
		goto gone;
	if (!pkt->ack || pkt->closing)
		return NF_ACCEPT;
	if (mlb_socket_cookie(mn, &pkt->tuple, pkt->seq, pkt->ack_seq,
			      skb->dev)) {
		steer_learn(mn, skb, pkt);
		return NF_ACCEPT;
	}
gone:
	mlb_count(mn, STEER_GONE);
	mlb_answer_gone(mn, &pkt->tuple);
	return NF_DROP;
}

static void steer_count(struct mlb_net *mn, const struct mlb_packet *pkt,
			const struct mlb_decision *d)
{
	bool remote = d->verdict == MLB_VERDICT_REMOTE;

	if (pkt->icmp) {
		if (remote)
			mlb_count(mn, STEER_ICMP);
		return;
	}
	switch (d->reason) {
	case MLB_REASON_FLOW_ENTRY:
		mlb_count(mn, STEER_FLOW);
		break;
	case MLB_REASON_TOKEN_LOCAL:
		mlb_count(mn, STEER_JOIN_LOCAL);
		break;
	case MLB_REASON_TOKEN_OWNER:
		mlb_count(mn, STEER_JOIN_OWNER);
		break;
	case MLB_REASON_TOKEN_CONTESTED:
		mlb_count(mn, STEER_REFUSED_RIVAL);
		break;
	case MLB_REASON_OWNER_STATE:
		mlb_count(mn, STEER_REFUSED_STATE);
		break;
	case MLB_REASON_NO_SELF:
	case MLB_REASON_SCHEDULER_LOCAL:
	case MLB_REASON_SCHEDULER_MAGLEV:
	case MLB_REASON_SCHEDULER_PAST:
		if (remote)
			mlb_count(mn, STEER_NEW_REMOTE);
		else
			mlb_count(mn, STEER_NEW_LOCAL);
		break;
	case MLB_REASON_NO_NODE:
		mlb_count(mn, STEER_NO_NODE);
		break;
	case MLB_REASON_GROUP_REFUSED:
		mlb_count(mn, STEER_REFUSED_GROUP);
		break;
	case MLB_REASON_GROUP_WAITS:
		mlb_count(mn, STEER_DROP_WAITING);
		break;
	case MLB_REASON_OWNER_DEAD:	/* the RST counts for itself */
		break;
	case MLB_REASON_SOCKET:
		mlb_count(mn, STEER_SOCKET);
		break;
	case MLB_REASON_SYN_COOKIE:
		mlb_count(mn, STEER_COOKIE);
		break;
	case MLB_REASON_SYN_FORWARDED:
		mlb_count(mn, STEER_SYN);
		break;
	case MLB_REASON_PLAIN_NODE:
		mlb_count(mn, STEER_PLAIN);
		break;
	case MLB_REASON_TOKEN_ZERO:
	case MLB_REASON_NO_PEERS:
		mlb_count(mn, STEER_UNCLAIMED);
		break;
	case MLB_REASON_PEERS_SILENT:
		if (d->verdict == MLB_VERDICT_DROP)
			mlb_count(mn, RESOLVE_DROP_UNANSWERED);
		else
			mlb_count(mn, STEER_UNCLAIMED);
		break;
	default:	/* the peers are asked, which counts for itself */
		break;
	}
}

/* The kernel of a node without mlb learns nothing, so this one does. */
static void steer_learn_seen(struct mlb_net *mn, struct sk_buff *skb,
			     struct mlb_packet *pkt,
			     const struct mlb_node *node)
{
	if (mlb_node_is_peer(node) || pkt->syn || pkt->closing)
		return;
	mlb_packet_options(skb, pkt);
	if (pkt->mp.kind == MLB_MPTCP_KEYS)
		mlb_learn_seen(mn, pkt->mp.peer_key, node->id);
}

/*
 * What this host will need to know about the flow of a packet that it sends
 * to another node. Junk must not fill the flow table: a SYN gets an entry only
 * if its token proves that there is a connection.
 */
static void steer_remember(struct mlb_net *mn, struct sk_buff *skb,
			   struct mlb_packet *pkt, const struct mlb_decision *d)
{
	if (pkt->icmp)
		return;
	switch (d->reason) {
	case MLB_REASON_FLOW_ENTRY:
		/* Perhaps the 4-tuple's next use, whose token is to be learnt
		 * from the packet behind the SYN.
		 */
		if (pkt->syn && !mlb_node_is_peer(d->node)) {
			mlb_flow_remove(mn, d->flow);
			mlb_syn_remember(mn, &pkt->tuple, d->node->id);
		} else {
			mlb_flow_touch(d->flow, pkt->syn, pkt->closing);
		}
		return;
	case MLB_REASON_TOKEN_OWNER:
		mlb_owner_used(d->owner);
		mlb_flow_insert(mn, &pkt->tuple, d->node->id,
				MLB_FLOW_STATE_SYN, pkt->mp.token);
		return;
	case MLB_REASON_SCHEDULER_MAGLEV:
	case MLB_REASON_SCHEDULER_PAST:
		mlb_syn_remember(mn, &pkt->tuple, d->node->id);
		return;
	}
	mlb_flow_insert(mn, &pkt->tuple, d->node->id,
			pkt->closing ? MLB_FLOW_STATE_CLOSING :
				       MLB_FLOW_STATE_ESTABLISHED, 0);
	steer_learn_seen(mn, skb, pkt, d->node);
}

static unsigned int steer_remote(struct mlb_net *mn, struct sk_buff *skb,
				 struct mlb_packet *pkt,
				 const struct mlb_decision *d)
{
	__be16 sport = d->flow ? d->flow->sport : mlb_flow_sport(&pkt->tuple);

	steer_remember(mn, skb, pkt, d);
	trace_mlb_steer(&pkt->tuple, d->rule, d->node->id);
	mlb_tunnel_send(mn, skb, d->node, &pkt->tuple, pkt->thoff, sport);
	return NF_STOLEN;
}

/*
 * A join of a token that two nodes have is refused by all of them. The stack
 * of one that has it would take it, so the token is taken out.
 */
static unsigned int steer_contested(struct mlb_net *mn, struct sk_buff *skb,
				    const struct mlb_packet *pkt)
{
	if (!mlb_token_is_local(mn, pkt->mp.token) ||
	    mlb_packet_clear_token(skb, pkt))
		return NF_ACCEPT;
	return NF_DROP;
}

static unsigned int steer_local(struct mlb_net *mn, struct sk_buff *skb,
				struct mlb_packet *pkt,
				const struct mlb_decision *d)
{
	trace_mlb_steer(&pkt->tuple, d->rule, 0);
	if (d->reason == MLB_REASON_TOKEN_CONTESTED)
		return steer_contested(mn, skb, pkt);
	if (d->reason == MLB_REASON_SYN_COOKIE)
		steer_learn(mn, skb, pkt);
	if (d->sk && d->reason == MLB_REASON_SOCKET && !pkt->icmp)
		steer_hand_over(mn, skb, pkt, d->sk);
	else if (d->sk)
		sock_gen_put(d->sk);
	return NF_ACCEPT;
}

static unsigned int steer_reset(struct mlb_net *mn, const struct sk_buff *skb,
				const struct mlb_packet *pkt,
				const struct mlb_decision *d)
{
	trace_mlb_steer(&pkt->tuple, d->rule, 0);
	if (d->reason != MLB_REASON_OWNER_DEAD)
		mlb_reset_send(mn, skb, pkt);
	else if (d->dead)
		mlb_reset_fastclose(mn, skb, pkt, d->dead);
	else
		mlb_reset_join(mn, skb, pkt);
	return NF_DROP;
}

/* Whether a packet whose flow nobody has is answered here, and not by the
 * stack, since its node is dead and its client can be told.
 */
static bool steer_tell(struct mlb_net *mn, const struct sk_buff *skb,
		       const struct mlb_packet *pkt)
{
	struct mlb_client *client;

	if (pkt->syn || pkt->icmp)
		return false;
	client = mlb_dead_find(mn, &pkt->tuple);
	if (!client)
		return false;
	mlb_reset_fastclose(mn, skb, pkt, client);
	return true;
}

static unsigned int steer_ask(struct mlb_net *mn, struct sk_buff *skb,
			      const struct nf_hook_state *state,
			      const struct mlb_packet *pkt,
			      const struct mlb_decision *d)
{
	struct mlb_question question = {
		.kind = d->rule == MLB_RULE_JOIN ? MLB_TUNMSG_TOKEN :
						   MLB_TUNMSG_FLOW,
		.token = d->rule == MLB_RULE_JOIN ? pkt->mp.token : 0,
		.tuple = pkt->tuple,
		.peers = d->peers,
		.weak_self = d->sk,
		.icmp = pkt->icmp,
	};
	unsigned int verdict;

	if (d->sk)
		sock_gen_put(d->sk);
	if (pkt->ack && !pkt->closing) {
		question.seq = pkt->seq;
		question.ack = pkt->ack_seq;
	}
	if (d->node && mlb_node_is_peer(d->node))
		question.hint = d->node->id;
	else if (d->node)
		question.fallback = d->node->id;
	verdict = mlb_resolve_packet(mn, skb, state, &question);
	if (verdict == NF_ACCEPT && steer_tell(mn, skb, pkt))
		return NF_DROP;
	return verdict;
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

static unsigned int steer_packet(struct mlb_net *mn, struct sk_buff *skb,
				 const struct nf_hook_state *state,
				 struct mlb_packet *pkt)
{
	struct mlb_decision d;

	mlb_decide(mn, skb, pkt, skb->dev, &d);
	if (unlikely(d.stale))
		mlb_flow_remove(mn, d.stale);
	mlb_packet_count_bad(mn, skb, pkt);
	steer_count(mn, pkt, &d);
	switch (d.verdict) {
	case MLB_VERDICT_REMOTE:
		if (d.sk)
			sock_gen_put(d.sk);
		return steer_remote(mn, skb, pkt, &d);
	case MLB_VERDICT_ASK:
		return steer_ask(mn, skb, state, pkt, &d);
	case MLB_VERDICT_DROP:
		return NF_DROP;
	case MLB_VERDICT_RESET:
		return steer_reset(mn, skb, pkt, &d);
	default:
		return steer_local(mn, skb, pkt, &d);
	}
}

static unsigned int steer_hook(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	unsigned int verdict = NF_ACCEPT;
	struct mlb_net *mn = priv;
	struct mlb_packet pkt;

	if (!steer_is_mine(skb) ||
	    !mlb_packet_parse(mn, skb, state->pf, &pkt))
		return NF_ACCEPT;
	/* A verdict of NFQUEUE brings packets in process context. */
	local_bh_disable();
	if (mlb_device_is(skb->dev))
		verdict = steer_tunnel_in(mn, skb, &pkt);
	else
		verdict = steer_packet(mn, skb, state, &pkt);
	local_bh_enable();
	return verdict;
}

/**
 * mlb_steer_found() - a parked packet is to go to a node
 * @mn: the namespace
 * @skb: the packet; taken
 * @node: the node
 * @kind: what was asked
 * @claimed: a peer said that the node has it; else nobody said anything
 *
 * Softirq context, inside rcu_read_lock().
 */
void mlb_steer_found(struct mlb_net *mn, struct sk_buff *skb,
		     struct mlb_node *node, enum mlb_tunmsg_kind kind,
		     bool claimed)
{
	struct mlb_packet pkt;

	if (!mlb_packet_parse(mn, skb, skb->protocol == htons(ETH_P_IPV6) ?
			      NFPROTO_IPV6 : NFPROTO_IPV4, &pkt)) {
		mlb_count(mn, RESOLVE_DROP_GONE);	/* the service went */
		kfree_skb(skb);
		return;
	}
	if (pkt.icmp)
		mlb_count(mn, STEER_ICMP);
	else if (kind == MLB_TUNMSG_TOKEN)
		mlb_count(mn, STEER_JOIN_RESOLVED);
	else if (claimed)
		mlb_count(mn, STEER_RESOLVED);
	else
		mlb_count(mn, STEER_PLAIN);
	if (kind == MLB_TUNMSG_TOKEN)
		mlb_packet_options(skb, &pkt);
	if (!pkt.icmp) {
		mlb_flow_insert(mn, &pkt.tuple, node->id,
				kind == MLB_TUNMSG_TOKEN ? MLB_FLOW_STATE_SYN :
				pkt.closing ? MLB_FLOW_STATE_CLOSING :
					      MLB_FLOW_STATE_ESTABLISHED,
				kind == MLB_TUNMSG_TOKEN ? pkt.mp.token : 0);
		steer_learn_seen(mn, skb, &pkt, node);
	}
	trace_mlb_steer(&pkt.tuple, MLB_RULE_RESOLVED, node->id);
	mlb_tunnel_send(mn, skb, node, &pkt.tuple, pkt.thoff,
			mlb_flow_sport(&pkt.tuple));
}

/* The bridge's next function may have gone with its module. The packet comes
 * in anew, from the bridge itself; the negative entry lets it pass.
 */
static bool steer_continue_bridged(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	if (nf_bridge_info_get(skb)) {
		skb_ext_del(skb, SKB_EXT_BRIDGE_NF);
		netif_rx(skb);
		return true;
	}
#endif
	return false;
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
void mlb_steer_continue(struct mlb_net *mn, struct sk_buff *skb, mlb_okfn okfn)
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	const struct nf_hook_entries *entries;
	struct nf_hook_state state;
	struct mlb_packet pkt;
	unsigned int next = 0;

	if ((trace_mlb_steer_enabled() || READ_ONCE(mn->dead.count)) &&
	    mlb_packet_parse(mn, skb, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
			     &pkt)) {
		trace_mlb_steer(&pkt.tuple, MLB_RULE_UNCLAIMED, 0);
		if (steer_tell(mn, skb, &pkt)) {
			consume_skb(skb);
			return;
		}
	}

	nf_hook_state_init(&state, NF_INET_PRE_ROUTING,
			   ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4, skb->dev, NULL,
			   NULL, mn->net, okfn);
	/* Removed meanwhile with the hooks, or moved away with its device. */
	if (!net_eq(dev_net(skb->dev), mn->net) ||
	    !(skb->dev->flags & IFF_UP))
		goto gone;
	if (steer_continue_bridged(skb))
		return;
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
	int err = mlb_syn_begin(mn);

	BUILD_BUG_ON(sizeof(mn->hook_ops) != sizeof(steer_ops));
	if (err)
		return err;
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
