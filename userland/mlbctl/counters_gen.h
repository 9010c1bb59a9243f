/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit: generated from include/netlink/mlb.yaml. */
MLB_COUNTER(MLB_A_STATS_STEER_FLOW, "steer", "flow",
	    "packets of a known flow sent to its node")
MLB_COUNTER(MLB_A_STATS_STEER_SOCKET, "steer", "socket",
	    "packets whose socket is on this node")
MLB_COUNTER(MLB_A_STATS_STEER_COOKIE, "steer", "cookie",
	    "acknowledgments of a SYN cookie of this node")
MLB_COUNTER(MLB_A_STATS_STEER_JOIN_LOCAL, "steer", "join-local",
	    "MP_JOIN SYNs whose connection is on this node")
MLB_COUNTER(MLB_A_STATS_STEER_JOIN_OWNER, "steer", "join-owner",
	    "MP_JOIN SYNs sent to the node that the owner table gave")
MLB_COUNTER(MLB_A_STATS_STEER_JOIN_RESOLVED, "steer", "join-resolved",
	    "MP_JOIN SYNs sent to the node that answered a query")
MLB_COUNTER(MLB_A_STATS_STEER_NEW_LOCAL, "steer", "new-local",
	    "SYNs of new connections kept on this node")
MLB_COUNTER(MLB_A_STATS_STEER_NEW_REMOTE, "steer", "new-remote",
	    "SYNs of new connections sent to the node that the scheduler chose")
MLB_COUNTER(MLB_A_STATS_STEER_RESOLVED, "steer", "resolved",
	    "packets of unknown flows sent to the node that answered a query")
MLB_COUNTER(MLB_A_STATS_STEER_SYN, "steer", "syn",
	    "packets of unknown flows sent where their SYN went a moment ago")
MLB_COUNTER(MLB_A_STATS_STEER_PLAIN, "steer", "plain",
	    "packets of unknown flows that no peer claimed, sent by consistent hash to a node without mlb")
MLB_COUNTER(MLB_A_STATS_STEER_NO_NODE, "steer", "no-node",
	    "SYNs of new connections that no node could take, left to the local stack")
MLB_COUNTER(MLB_A_STATS_STEER_UNCLAIMED, "steer", "unclaimed",
	    "packets that no node claimed, left to the local stack for its RST")
MLB_COUNTER(MLB_A_STATS_STEER_REFUSED_STATE, "steer", "refused-state",
	    "MP_JOIN SYNs, or tokens asked for, refused because their owner takes no joins (maintenance, dead or deleted)")
MLB_COUNTER(MLB_A_STATS_STEER_REFUSED_RIVAL, "steer", "refused-rival",
	    "MP_JOIN SYNs refused because two nodes announced their token")
MLB_COUNTER(MLB_A_STATS_STEER_TUNNEL_IN, "steer", "tunnel-in",
	    "packets that came out of the tunnel for this node")
MLB_COUNTER(MLB_A_STATS_STEER_GONE, "steer", "gone",
	    "packets that came out of the tunnel for a flow that is not on this node, dropped; the peers were told")
MLB_COUNTER(MLB_A_STATS_STEER_ICMP, "steer", "icmp",
	    "ICMP errors about a flow of another node sent there")
MLB_COUNTER(MLB_A_STATS_BAD_HEADER, "bad", "header",
	    "packets to a service with a truncated or lying IP or TCP header, left to the stack")
MLB_COUNTER(MLB_A_STATS_BAD_OPTION, "bad", "option",
	    "packets to a service with a malformed TCP or MPTCP option, steered as plain TCP")
MLB_COUNTER(MLB_A_STATS_BAD_VERSION, "bad", "version",
	    "SYNs with MP_CAPABLE of a version other than 1, steered as plain TCP")
MLB_COUNTER(MLB_A_STATS_BAD_FRAGMENT, "bad", "fragment",
	    "IP fragments to a service address, left to the stack")
MLB_COUNTER(MLB_A_STATS_BAD_ICMP_MTU, "bad", "icmp-mtu",
	    "ICMP errors with an MTU below 552 (IPv4) or 1280 (IPv6), which TCP does not follow below that")
MLB_COUNTER(MLB_A_STATS_OWNER_LEARNT, "owner", "learnt",
	    "tokens learnt from connections of this node")
MLB_COUNTER(MLB_A_STATS_OWNER_WITHDRAWN, "owner", "withdrawn",
	    "tokens withdrawn because their connection ended")
MLB_COUNTER(MLB_A_STATS_OWNER_ADDED, "owner", "added",
	    "entries added through netlink")
MLB_COUNTER(MLB_A_STATS_OWNER_DELETED, "owner", "deleted",
	    "entries deleted through netlink or with their node")
MLB_COUNTER(MLB_A_STATS_OWNER_CACHED, "owner", "cached",
	    "entries made from a peer's answer")
MLB_COUNTER(MLB_A_STATS_OWNER_SEEN, "owner", "seen",
	    "tokens learnt here from handshakes with nodes without mlb")
MLB_COUNTER(MLB_A_STATS_OWNER_EVICTED, "owner", "evicted",
	    "entries of answers or of nodes without mlb removed to make room")
MLB_COUNTER(MLB_A_STATS_OWNER_CONFLICT, "owner", "conflict",
	    "tokens that two nodes have announced")
MLB_COUNTER(MLB_A_STATS_OWNER_COLLISION, "owner", "collision",
	    "SYN/ACKs sent without MP_CAPABLE because another node has their token")
MLB_COUNTER(MLB_A_STATS_OWNER_FULL, "owner", "full",
	    "entries not made because the table is at max-owners")
MLB_COUNTER(MLB_A_STATS_LEARN_DROPPED, "learn", "dropped",
	    "handshakes not looked at because too many wait for confirmation")
MLB_COUNTER(MLB_A_STATS_LEARN_UNCONFIRMED, "learn", "unconfirmed",
	    "handshakes whose third packet TCP did not accept, or whose connection was over at once")
MLB_COUNTER(MLB_A_STATS_FLOW_CREATED, "flow", "created",
	    "flow entries made")
MLB_COUNTER(MLB_A_STATS_FLOW_EXPIRED, "flow", "expired",
	    "flow entries removed after their time without a packet")
MLB_COUNTER(MLB_A_STATS_FLOW_EVICTED, "flow", "evicted",
	    "flow entries removed to make room for new ones")
MLB_COUNTER(MLB_A_STATS_FLOW_REMOVED, "flow", "removed",
	    "flow entries removed because their node or service went or their 4-tuple was used anew")
MLB_COUNTER(MLB_A_STATS_FLOW_FAILED, "flow", "failed",
	    "flow entries not made for want of memory")
MLB_COUNTER(MLB_A_STATS_RESOLVE_STARTED, "resolve", "started",
	    "tokens and flows asked for")
MLB_COUNTER(MLB_A_STATS_RESOLVE_FOUND, "resolve", "found",
	    "of these, answered")
MLB_COUNTER(MLB_A_STATS_RESOLVE_TIMEOUT, "resolve", "timeout",
	    "of these, claimed by nobody")
MLB_COUNTER(MLB_A_STATS_RESOLVE_NEGATIVE, "resolve", "negative",
	    "packets not asked for because nobody claimed their key a moment ago")
MLB_COUNTER(MLB_A_STATS_RESOLVE_PARKED, "resolve", "parked",
	    "packets that waited for an answer")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_KEY, "resolve", "drop-key",
	    "packets dropped because too many wait for the same answer")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_FULL, "resolve", "drop-full",
	    "packets dropped because too many wait in all")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_RATE, "resolve", "drop-rate",
	    "packets dropped because resolve-rate was reached")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_ICMP, "resolve", "drop-icmp",
	    "ICMP errors about unknown flows dropped because their part of resolve-rate was used up")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_GONE, "resolve", "drop-gone",
	    "waiting packets dropped because their device, service or namespace went")
MLB_COUNTER(MLB_A_STATS_RESOLVE_QUERY_TX, "resolve", "query-tx",
	    "queries sent")
MLB_COUNTER(MLB_A_STATS_RESOLVE_QUERY_RX, "resolve", "query-rx",
	    "queries received")
MLB_COUNTER(MLB_A_STATS_RESOLVE_ANSWER_TX, "resolve", "answer-tx",
	    "answers sent")
MLB_COUNTER(MLB_A_STATS_RESOLVE_ANSWER_RX, "resolve", "answer-rx",
	    "answers received")
MLB_COUNTER(MLB_A_STATS_RESOLVE_ANSWER_LATE, "resolve", "answer-late",
	    "answers that nobody waited for any more")
MLB_COUNTER(MLB_A_STATS_RESOLVE_ANSWER_LIMITED, "resolve", "answer-limited",
	    "queries not answered because resolve-rate was reached")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX, "tunnel", "tx",
	    "packets sent through the tunnel")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX_TOOBIG, "tunnel", "tx-toobig",
	    "packets too large for the tunnel, answered with an ICMP error")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX_FRAGMENTED, "tunnel", "tx-fragmented",
	    "packets too large for the tunnel, sent in fragments because no ICMP error may answer them")
MLB_COUNTER(MLB_A_STATS_MSS_CLAMPED, "mss", "clamped",
	    "SYN/ACKs whose MSS was lowered to what fits the tunnel")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX_ROUTE, "tunnel", "tx-route",
	    "packets dropped for want of a route to the node")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX_MEMORY, "tunnel", "tx-memory",
	    "packets dropped for want of memory")
MLB_COUNTER(MLB_A_STATS_TUNNEL_TX_KEY, "tunnel", "tx-key",
	    "packets dropped because no cluster key or self node is set")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX, "tunnel", "rx",
	    "client packets received through the tunnel")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX_SHORT, "tunnel", "rx-short",
	    "tunnel packets dropped as too short for what they say")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX_VERSION, "tunnel", "rx-version",
	    "tunnel packets dropped for a version, type or reserved field not known here")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX_SENDER, "tunnel", "rx-sender",
	    "tunnel packets dropped because the sender is no node known here, or this one")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX_MAC, "tunnel", "rx-mac",
	    "tunnel packets dropped because their MAC is wrong (another key, forged)")
MLB_COUNTER(MLB_A_STATS_TUNNEL_RX_INNER, "tunnel", "rx-inner",
	    "tunnel packets dropped because what they carry is not whole TCP to a service here (also nested tunnels)")
MLB_COUNTER(MLB_A_STATS_ALIVE_TX, "alive", "tx",
	    "messages sent that this node is alive")
MLB_COUNTER(MLB_A_STATS_ALIVE_RX, "alive", "rx",
	    "messages received that a node is alive")
MLB_COUNTER(MLB_A_STATS_RESOLVE_DROP_UNANSWERED, "resolve", "drop-unanswered",
	    "packets of unknown flows or joins dropped, and not answered with a RST, because a node that has not answered may have them")
MLB_COUNTER(MLB_A_STATS_NODE_SUSPECT, "node", "suspect",
	    "times that a node became suspect")
MLB_COUNTER(MLB_A_STATS_NODE_RESTORED, "node", "restored",
	    "times that a node was suspect no more")
MLB_COUNTER(MLB_A_STATS_STEER_REFUSED_GROUP, "steer", "refused-group",
	    "SYNs of new connections refused with a RST because no node of the pool for the client's group takes them")
MLB_COUNTER(MLB_A_STATS_RESET_TX, "reset", "tx",
	    "RSTs that this node has sent itself")
MLB_COUNTER(MLB_A_STATS_RESET_FAILED, "reset", "failed",
	    "RSTs not sent for want of a route or of memory")
MLB_COUNTER(MLB_A_STATS_RESET_FASTCLOSE, "reset", "fastclose",
	    "of these RSTs, those with MP_FASTCLOSE, for connections of dead nodes")
MLB_COUNTER(MLB_A_STATS_RESET_JOIN, "reset", "join",
	    "of these RSTs, those with MP_TCPRST, for joins of connections of dead nodes")
MLB_COUNTER(MLB_A_STATS_DEAD_KEPT, "dead", "kept",
	    "connections of nodes that became dead, remembered to tell their clients")
MLB_COUNTER(MLB_A_STATS_DEAD_FORGOTTEN, "dead", "forgotten",
	    "of these, forgotten after their time, for want of room, or because the node came back")
MLB_COUNTER(MLB_A_STATS_DEAD_PROBED, "dead", "probed",
	    "of these, whose clients were made to send a packet")
MLB_COUNTER(MLB_A_STATS_STEER_DROP_WAITING, "steer", "drop-waiting",
	    "SYNs of new connections dropped, and not refused, because another node is about to take the place of those of the pool for the client's group")
MLB_COUNTER(MLB_A_STATS_OWNER_ENDED, "owner", "ended",
	    "connections of this host ended because that was asked for (owner end)")
