#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Inside a machine of the lab: carry out what the harness sends over the virtio
# port, a command a line in base64, and answer with a line "STATUS OUTPUT", the
# output in base64 too. A command is on its own, but for those that begin with
# "here:", which leave variables and children to the next ones.

lab_port()
{
	local name dev

	while :; do
		for name in /sys/class/virtio-ports/*/name; do
			[ "$(cat "$name" 2> /dev/null)" = lab ] || continue
			dev=/dev/$(basename "$(dirname "$name")")
			[ ! -c "$dev" ] || { echo "$dev"; return; }
		done
		sleep 0.1
	done
}

lab_agent()
{
	local port command status

	port=$(lab_port)
	exec 7<> "$port"
	echo "up $(cut -d' ' -f1 /proc/uptime | base64 -w0)" >&7
	while read -r command <&7; do
		command=$(base64 -d <<< "$command")
		case $command in
		here:*)	eval "${command#here:}" ;;
		*)	(eval "$command") ;;
		esac > /run/lab-output 2>&1 < /dev/null 7>&-
		status=$?
		echo "$status $(base64 -w0 /run/lab-output)" >&7
	done
}

[ "${BASH_SOURCE[0]}" != "$0" ] || lab_agent
