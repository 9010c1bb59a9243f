// SPDX-License-Identifier: GPL-2.0
/* Traffic for the selftests: real MPTCP or TCP connections with checked data. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static const char usage[] =
"usage: mptcp_load server [options] ADDR PORT\n"
"       mptcp_load client [options] ADDR PORT\n"
"       mptcp_load probe [options] ADDR PORT [SOURCE_PORT...]\n"
"  -t         plain TCP\n"
"  -F         TCP Fast Open\n"
"  -K         the kernel stamps what it receives\n"
"  -M KEY     TCP-MD5 with this key (with -t)\n"
"  -A KEY     TCP-AO with this key (with -t)\n"
"server:\n"
"  -i ID      number that clients see, 0..63\n"
"client:\n"
"  -n N       connections (1)\n"
"  -b BYTES   data each way on each connection (65536)\n"
"  -u BYTES   other amount from client to server\n"
"  -r RATE    bytes a second each way on each connection (no limit)\n"
"  -s MS      longest wait for second subflows before data flows (0: none)\n"
"  -w         wait for a line on standard input before data flows\n"
"  -l         lift the limits on the rate when a (further) line comes\n"
"  -T MS      longest run; what is open then counts as timeout (60000)\n"
"  -S ADDR    source address\n"
"  -P PORT    source port (one connection only)\n"
"  -H         shut down the sending side when all is sent\n"
"  -e SEED    seed of the data (1)\n"
"probe: new connections until SIGTERM; a line for each: the times (us) when it\n"
"began and ended, who served it or why nobody, and how long (us) some work took\n"
"  -g MS      from one to the next (10)\n"
"  -S ADDR    source address, without which source ports have no effect\n";

static int parse_num(const char *arg, uint64_t max, uint64_t *val)
{
	char *end;

	if (*arg < '0' || *arg > '9')
		return -1;
	*val = strtoull(arg, &end, 10);
	return *end || *val > max ? -1 : 0;
}

static int parse_addr(const char *host, const char *port,
		      struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	uint64_t num;

	memset(ss, 0, sizeof(*ss));
	if (parse_num(port, 65535, &num))
		return -1;
	if (inet_pton(AF_INET, host, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(num);
		*len = sizeof(*sin);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(num);
		*len = sizeof(*sin6);
		return 0;
	}
	return -1;
}

static int usage_error(void)
{
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct load_options opt = {
		.connections = 1,
		.up = UINT64_MAX,
		.down = 65536,
		.total_ms = 60000,
		.seed = 1,
		.gap_ms = 10,
	};
	const char *source = NULL, *source_port = "0";
	bool probe = false;
	uint64_t v = 0;
	int c;

	if (argc < 2)
		return usage_error();
	if (!strcmp(argv[1], "server"))
		opt.server = true;
	else if (!strcmp(argv[1], "probe"))
		probe = true;
	else if (strcmp(argv[1], "client"))
		return usage_error();
	argv++;
	argc--;

	while ((c = getopt(argc, argv, "ti:n:b:u:r:s:wlT:S:P:He:g:FKM:A:")) != -1) {
		if (strchr("inbursTPeg", c) && parse_num(optarg, UINT64_MAX, &v))
			return usage_error();
		switch (c) {
		case 't': opt.plain_tcp = true; break;
		case 'i': opt.id = v; break;
		case 'n': opt.connections = v; break;
		case 'b': opt.down = v; break;
		case 'u': opt.up = v; break;
		case 'r': opt.rate = v; break;
		case 's': opt.second_ms = v; break;
		case 'w': opt.wait_stdin = true; break;
		case 'l': opt.lift_stdin = true; break;
		case 'T': opt.total_ms = v; break;
		case 'S': source = optarg; break;
		case 'P': opt.local_port = v; source_port = optarg; break;
		case 'H': opt.half_close = true; break;
		case 'e': opt.seed = v; break;
		case 'g': opt.gap_ms = v; break;
		case 'F': opt.fast_open = true; break;
		case 'K': opt.stamps = true; break;
		case 'M': opt.md5_key = optarg; break;
		case 'A': opt.ao_key = optarg; break;
		default: return usage_error();
		}
	}
	if ((probe ? argc - optind < 2 : argc - optind != 2) || !opt.connections ||
	    (opt.local_port && opt.connections > 1) ||
	    parse_addr(argv[optind], argv[optind + 1], &opt.addr,
		       &opt.addr_len))
		return usage_error();
	if (opt.up == UINT64_MAX)
		opt.up = opt.down;
	if (!source && opt.local_port)
		source = opt.addr.ss_family == AF_INET ? "0.0.0.0" : "::";
	if (source) {
		socklen_t len;

		if (parse_addr(source, source_port, &opt.bind_addr, &len) ||
		    len != opt.addr_len)
			return usage_error();
	}
	if (probe)
		return load_probe(&opt, argv + optind + 2);
	return opt.server ? load_server(&opt) : load_client(&opt);
}
