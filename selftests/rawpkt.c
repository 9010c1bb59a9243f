// SPDX-License-Identifier: GPL-2.0
/* Command line of rawpkt. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"

static const char usage[] =
"usage: rawpkt tcp [options] SRC SPORT DST DPORT\n"
"  -f FLAGS   of FSRPAUEC (S)\n"
"  -o OPTION  mss, capable[=VERSION], keys, join=TOKEN|random,\n"
"             join16, join24, hex=BYTES; may be given more than once\n"
"  -q SEQ -a ACK -p PAYLOAD_BYTES\n"
"  -d DOFF    data offset that the header claims, in words\n"
"  -c BYTES   cut the segment off after so many\n"
"  -b         wrong checksum\n"
"  -F BYTES   in two fragments, the first with BYTES of TCP\n"
"  -L BYTES -D DEV -M MAC\n"
"             put all but BYTES of the packet in pages of the skb\n"
"  -n N       so many, from source ports SPORT, SPORT+1...\n"
"  -t MS      as many as can be sent in that time, from all ports or, over and\n"
"             over, from N; prints how many\n"
"  -w MS      wait for what comes back and print rst, synack, ack or none\n"
"       rawpkt udp [-t | -x BYTES:MASK] [-s SRC -F BYTES [-O | -I]] [-n N]\n"
"             DST DPORT FILE\n"
"             send FILE (N times); -t: cut to each shorter length; -x: as many\n"
"             times, each time with another of its first BYTES bytes changed;\n"
"             -F: in two fragments, the first with BYTES, -O: that overlap,\n"
"             -I: of which only the first is sent\n"
"       rawpkt capture [-m MIN] [-w MS] DEV PORT FILE\n"
"             write the next UDP datagram's payload to FILE\n"
"       rawpkt icmp [-m MTU] [-t BYTES] [-e] [-i] [-n N] FROM SRC SPORT DST DPORT\n"
"             Fragmentation Needed or Packet Too Big from FROM about a segment\n"
"             that SRC sent to DST, of which it has BYTES (8); -e: IPv6\n"
"             extension headers, outside and in the segment; -i: the embedded\n"
"             packet is itself an ICMP error; -n: N, about DPORT, DPORT+1...\n"
"       rawpkt verify [-n COUNT] [-w MS] DEV PORT\n"
"             judge the checksums of the next COUNT tunnel packets from DEV\n"
"       rawpkt synack [-n COUNT] [-w MS] DEV PORT\n"
"             print checksum and options of the next COUNT SYN/ACKs from DEV\n"
"       rawpkt reach [-s SRC] [-w MS] DST...\n"
"             a packet goes to each and one comes back\n";

static int usage_error(void)
{
	fputs(usage, stderr);
	return 2;
}

static int fail(const char *what)
{
	fprintf(stderr, "rawpkt: %s: %s\n", what, strerror(errno));
	return 1;
}

static int cmd_tcp(int argc, char **argv)
{
	struct raw_segment seg = { .flags = 0x02, .doff = -1, .cut = -1 };
	const char *dev = NULL, *mac = NULL;
	size_t first = 0, linear = 0;
	unsigned int count = 1;
	int c, wait = 0, fd = -1, flood_ms = 0;
	uint64_t sent;

	seg.seq = random();
	while ((c = getopt(argc, argv, "f:o:q:a:p:d:c:bF:L:D:M:n:t:w:")) != -1) {
		switch (c) {
		case 'f':
			if (raw_flags_parse(optarg, &seg.flags))
				return usage_error();
			break;
		case 'o':
			if (raw_option_add(&seg, optarg))
				return usage_error();
			break;
		case 'q': seg.seq = strtoul(optarg, NULL, 0); break;
		case 'a': seg.ack = strtoul(optarg, NULL, 0); break;
		case 'p': seg.payload = strtoul(optarg, NULL, 0); break;
		case 'd': seg.doff = atoi(optarg); break;
		case 'c': seg.cut = atoi(optarg); break;
		case 'b': seg.bad_sum = true; break;
		case 'F': first = strtoul(optarg, NULL, 0); break;
		case 'L': linear = strtoul(optarg, NULL, 0); break;
		case 'D': dev = optarg; break;
		case 'M': mac = optarg; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 't': flood_ms = atoi(optarg); break;
		case 'w': wait = atoi(optarg); break;
		default: return usage_error();
		}
	}
	if (argc - optind != 4 || raw_addr_parse(argv[optind], &seg.src) ||
	    raw_addr_parse(argv[optind + 2], &seg.dst) ||
	    seg.src.family != seg.dst.family || (linear && (!dev || !mac)))
		return usage_error();
	seg.sport = atoi(argv[optind + 1]);
	seg.dport = atoi(argv[optind + 3]);

	if (!wait && !first && !linear && (flood_ms || count > 1) &&
	    seg.opt_len + seg.payload + 100 <= RAW_SMALL) {
		if (raw_flood(&seg, flood_ms ? UINT64_MAX : count,
			      count > 1 ? count : UINT16_MAX + 1, flood_ms,
			      &sent))
			return fail("send");
		if (flood_ms)
			printf("%llu\n", (unsigned long long)sent);
		return 0;
	}
	if (wait) {
		fd = raw_reply_open(&seg);
		if (fd < 0)
			return fail("socket");
	}
	while (count--) {
		uint8_t pkt[RAW_MAX];
		size_t len = raw_build(&seg, pkt);
		int err;

		if (!len)
			return usage_error();
		if (first)
			err = raw_send_fragments(&seg.dst, pkt, len, first,
						 RAW_FRAGMENTS_WHOLE);
		else if (linear)
			err = raw_send_paged(dev, mac, pkt, len, linear,
					     seg.dst.family);
		else
			err = raw_send_ip(&seg.dst, pkt, len);
		if (err)
			return fail("send");
		if (wait)
			puts(raw_reply_wait(fd, &seg, wait));
		seg.sport++;
	}
	return 0;
}

/* How "rawpkt udp" sends: by a socket, or with @first in fragments. */
struct udp_way {
	struct raw_addr src, dst;
	uint16_t dport;
	size_t first;
	enum raw_fragments kind;
	int fd;
};

static int udp_send(const struct udp_way *way, const uint8_t *data, size_t len)
{
	uint8_t pkt[RAW_MAX];

	if (!way->first)
		return send(way->fd, data, len, 0) == (ssize_t)len ? 0 : -1;
	len = raw_build_udp(&way->src, &way->dst, way->dport, data, len, pkt);
	return raw_send_fragments(&way->dst, pkt, len, way->first, way->kind);
}

static int cmd_udp(int argc, char **argv)
{
	size_t len, first = 0, changed = 0, count = 1;
	struct udp_way way = {};
	unsigned int mask = 0;
	uint8_t buf[RAW_MAX];
	bool cut = false;
	FILE *f;
	int c;

	while ((c = getopt(argc, argv, "tx:s:F:OIn:")) != -1) {
		switch (c) {
		case 's':
			if (raw_addr_parse(optarg, &way.src))
				return usage_error();
			break;
		case 'F': way.first = strtoul(optarg, NULL, 0); break;
		case 'O': way.kind = RAW_FRAGMENTS_OVERLAP; break;
		case 'I': way.kind = RAW_FRAGMENTS_FIRST; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 't':
			cut = true;
			break;
		case 'x':
			if (sscanf(optarg, "%zu:%u", &changed, &mask) != 2 ||
			    !changed || !mask || mask > 255)
				return usage_error();
			break;
		default:
			return usage_error();
		}
	}
	if (argc - optind != 3 || raw_addr_parse(argv[optind], &way.dst) ||
	    (cut && changed) ||
	    (way.first && way.src.family != way.dst.family))
		return usage_error();
	way.dport = atoi(argv[optind + 1]);
	f = fopen(argv[optind + 2], "rb");
	if (!f)
		return fail(argv[optind + 2]);
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (changed > len || len > RAW_MAX - 100)
		return usage_error();
	way.fd = raw_udp_connect(NULL, &way.dst, way.dport);
	if (way.fd < 0)
		return fail("socket");

	/* Cut: lengths 0 to len - 1. Changed: bytes 0 to changed - 1. */
	if (cut || changed)
		count = cut ? len : changed;
	for (; first < count; first++) {
		if (changed)
			buf[first] ^= mask;
		if (udp_send(&way, buf, cut ? first : len))
			return fail("send");
		if (changed)
			buf[first] ^= mask;
	}
	close(way.fd);
	return 0;
}

static int cmd_capture(int argc, char **argv)
{
	size_t min_len = 0;
	int c, wait = 10000;

	while ((c = getopt(argc, argv, "m:w:")) != -1) {
		switch (c) {
		case 'm': min_len = strtoul(optarg, NULL, 0); break;
		case 'w': wait = atoi(optarg); break;
		default: return usage_error();
		}
	}
	if (argc - optind != 3)
		return usage_error();
	if (raw_capture(argv[optind], atoi(argv[optind + 1]), min_len,
			argv[optind + 2], wait))
		return fail("capture");
	return 0;
}

/* "verify" and "synack" */
static int cmd_watch(int argc, char **argv)
{
	int (*watch)(const char *dev, uint16_t port, unsigned int count,
		     int ms) = strcmp(argv[0], "synack") ? raw_verify :
							   raw_synack;
	unsigned int count = 1000;
	int c, wait = 2000;

	while ((c = getopt(argc, argv, "n:w:")) != -1) {
		switch (c) {
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'w': wait = atoi(optarg); break;
		default: return usage_error();
		}
	}
	if (argc - optind != 2)
		return usage_error();
	if (watch(argv[optind], atoi(argv[optind + 1]), count, wait))
		return fail(argv[0]);
	return 0;
}

static int cmd_reach(int argc, char **argv)
{
	struct raw_addr src, dst, *from = NULL;
	int c, wait = 5000;

	while ((c = getopt(argc, argv, "s:w:")) != -1) {
		switch (c) {
		case 's':
			if (raw_addr_parse(optarg, &src))
				return usage_error();
			from = &src;
			break;
		case 'w': wait = atoi(optarg); break;
		default: return usage_error();
		}
	}
	for (; optind < argc; optind++) {
		if (raw_addr_parse(argv[optind], &dst))
			return usage_error();
		if (raw_reach(from, &dst, wait))
			return fail(argv[optind]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return fail("getrandom");
	srandom(seed);
	if (argc > 1 && !strcmp(argv[1], "tcp"))
		return cmd_tcp(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "udp"))
		return cmd_udp(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "capture"))
		return cmd_capture(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "icmp"))
		return raw_icmp(argc - 1, argv + 1);
	if (argc > 1 && (!strcmp(argv[1], "verify") ||
			 !strcmp(argv[1], "synack")))
		return cmd_watch(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "reach"))
		return cmd_reach(argc - 1, argv + 1);
	return usage_error();
}
