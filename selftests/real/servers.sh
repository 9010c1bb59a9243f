# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The servers on every node, each as its own manual has it for Multipath TCP:
#
#	8081	nginx		listen ... multipath
#	8082	HAProxy		bind mptcp4@..., before the Go server
#	8083	Go's net/http	without a word
#	5201	iperf3		on node 1: what belongs together must meet there
#
# GET /data is the file, PUT /sum answers with the SHA-256 of what was sent.

HTTP=$MLB_TESTS/real/http

# Each service with another scheduler, or other nodes.
real_services()
{
	local vip

	for vip in "$VIP4" "[$VIP6]"; do
		service_all add "$vip:8081"
		service_all add "$vip:8082" sched maglev
		service_all add "$vip:8083" sched maglev
		service_all add "$vip:5201" sched maglev nodes 1
	done
}

nginx_conf() # NODE
{
	cat <<-END
		daemon off;
		pid $TMP/nginx.$1.pid;
		error_log $TMP/nginx.$1.log;
		worker_processes 1;
		events { worker_connections 512; }
		http {
			access_log off;
			client_body_temp_path $TMP/nginx.$1.body;
			proxy_temp_path $TMP/nginx.$1.proxy;
			client_max_body_size 0;
			sendfile on;
			server {
				listen $VIP4:8081 multipath;
				listen [$VIP6]:8081 multipath;
				root $TMP/www;
				location /sum {
					proxy_pass http://127.0.0.1:8000;
					proxy_request_buffering off;
					proxy_http_version 1.1;
				}
			}
		}
	END
}

haproxy_conf()
{
	cat <<-END
		global
			nbthread 1
			maxconn 200
		defaults
			mode http
			timeout connect 20s
			timeout client 120s
			timeout server 120s
		frontend multipath
			bind mptcp4@$VIP4:8082
			bind mptcp6@$VIP6:8082
			default_backend go
		backend go
			server go 127.0.0.1:8000
	END
}

listen_on() # NODE PORT...
{
	local port

	for port in "${@:2}"; do
		[ "$(on_node "$1" ss -Hltn "sport = :$port" | wc -l)" -ge 2 ] ||
			return 1
	done
}

real_servers_up()
{
	local i ns

	real_services
	mkdir -p "$TMP/www"
	ln "$TMP/data" "$TMP/www/data"
	chmod -R a+rX "$TMP"
	haproxy_conf > "$TMP/haproxy.conf"
	for ((i = 1; i <= NODES; i++)); do
		ns=$PREFIX-n$i
		nginx_conf "$i" > "$TMP/nginx.$i.conf"
		spawn "$ns" "$TMP/http.$i" "$HTTP" serve "$TMP/data" \
			"127.0.0.1:8000" "$VIP4:8083" "[$VIP6]:8083"
		spawn "$ns" "$TMP/nginx.$i" nginx -c "$TMP/nginx.$i.conf"
		spawn "$ns" "$TMP/haproxy.$i" haproxy -db -f "$TMP/haproxy.conf"
	done
	spawn "$PREFIX-n1" "$TMP/iperf3.4" iperf3 -s -4 -m -B "$VIP4" -F "$TMP/put.4"
	spawn "$PREFIX-n1" "$TMP/iperf3.6" iperf3 -s -6 -m -B "$VIP6" -F "$TMP/put.6"
	for ((i = 1; i <= NODES; i++)); do
		wait_for 20 listen_on "$i" 8081 8082 8083 || bail "no server:
$(tail -n 5 "$TMP"/{http,nginx,haproxy}."$i" "$TMP/nginx.$i.log" 2>&1)"
	done
	wait_for 20 listen_on 1 5201 || bail "no server: $(cat "$TMP"/iperf3.*)"
}

# What all nodes have counted so far, on one line.
node_counts() # COUNTER...
{
	local i name

	for ((i = 1; i <= NODES; i++)); do
		on_node "$i" nstat -asz
		ctl "$i" stats | awk '{ print $1 "." $2, $3 }'
	done > "$TMP/counts"
	for name; do
		awk -v n="$name" '$1 == n { sum += $2 }
			END { printf "%s=%d ", n, sum }' "$TMP/counts"
	done
	echo
}

# For who reads about a failure.
servers_tell()
{
	local i file

	stats_mark
	nodes_tell
	for ((i = 1; i <= NODES; i++)); do
		echo "node $i: $(ctl "$i" stats nonzero | xargs)"
	done
	for file in "$TMP"/{http,nginx,haproxy,iperf3}.* "$TMP/mptcpd"; do
		[ ! -f "$file" ] || [[ $file = *.conf ]] ||
			tail -n 3 "$file" | sed "s|^|${file##*/}: |"
	done
}
