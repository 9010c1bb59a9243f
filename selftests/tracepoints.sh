#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# If this fails, nobody can find out why a packet went where it went.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

TRACE=/sys/kernel/tracing

trace_off()
{
	echo 0 > $TRACE/events/mlb/enable
	echo > $TRACE/trace
}

check_trace() # DESCRIPTION PATTERN
{
	grep -Eq "$2" "$TMP/trace"
	check_true "$1" test $? = 0
}

test_begin
[ -d $TRACE/events ] || mount -t tracefs tracefs $TRACE
[ -d $TRACE/events ] || missing "the kernel has no tracefs"
cluster_up 2
mlb_load
for event in mlb_steer mlb_park mlb_suspect; do
	check_true "there is an event $event" test -e $TRACE/events/mlb/$event/enable
done
mlb_up
services_up
servers_up
router_pin 0 1
router_pin 1 2
endpoints_add
must tee $TRACE/events/mlb/enable <<< 1 > "$TMP/out"
client_run v4 -n 3 -b 2000 -s 20000 "$VIP4" "$PORT"
client_run v6 -n 3 -b 2000 -s 20000 "$VIP6" "$PORT"
on_client "$RAWPKT" tcp -o join=random -w 5000 "${CLIENT4[1]}" 5000 "$VIP4" \
	"$PORT" > "$TMP/out"
service_all set "$VIP4:$PORT" sched maglev
client_run maglev -n 10 -t -b 2000 "$VIP4" "$PORT"
cp $TRACE/trace "$TMP/trace"
trace_off
check_trace "new connections, kept here" 'mlb_steer:.*rule=new node=0'
check_trace "new connections, sent on" 'mlb_steer:.*rule=new node=2'
check_trace "a join that waits, with its token" \
	'mlb_park:.*src=\[::ffff:10\.1\.2\.2\].*token=0x[0-9a-f]+'
check_trace "a join sent on by an answer" 'mlb_steer:.*rule=resolved node=1'
check_trace "packets of a known flow" 'mlb_steer:.*rule=flow node=1'
check_trace "packets with a socket here" 'mlb_steer:.*rule=socket node=0'
check_trace "packets out of the tunnel" 'mlb_steer:.*rule=tunnel node=0'
check_trace "a join that nobody claimed" 'mlb_steer:.*rule=unclaimed node=0'
check_trace "IPv6 addresses" \
	'mlb_steer:.*src=\[2001:db8:1:2::2\]:[0-9]+ dst=\[2001:db8:9::1\]:8080'

# And the tracer may be there while the module goes.
echo 1 > $TRACE/events/mlb/enable
check_true "the module unloads with events enabled" rmmod mlb
check_true "and takes them with it" test ! -e $TRACE/events/mlb
tap_done
