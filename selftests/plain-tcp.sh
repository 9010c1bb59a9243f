#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, clients without MPTCP can no longer use the service.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

N=$(scaled 50 10)

plain() # 4|6 local|maglev
{
	local name="IPv$1, $2"

	service_all set "$VIP4:$PORT" sched "$2"
	service_all set "[$VIP6]:$PORT" sched "$2"
	stats_mark
	client_run "plain$1" -t -n "$N" -b 200000 "$(vip "$1")" "$PORT"
	check_eq "$name: every plain transfer is whole" "${R[ok]}" "$N"
	check_eq "$name: it teaches no token" "$(moved owner learnt)" 0
	check_eq "$name: nothing counts as bad" $(($(moved bad header) +
		$(moved bad option) + $(moved bad version))) 0
}

test_begin
cluster_up 3
mlb_up
services_up
servers_up
for f in 4 6; do
	plain $f local
	plain $f maglev
	check_ge "IPv$f, maglev: some were forwarded" "$(moved tunnel rx)" "$N"
done
# A server that does not speak MPTCP is served too.
children_end
servers_up -t
client_run fallback -n "$N" -b 20000 "$VIP4" "$PORT"
check_eq "MPTCP client, plain server: every transfer is whole" "${R[ok]}" "$N"
check_eq "MPTCP client, plain server: no token is learnt" "$(owner_total_local)" 0
tap_done
