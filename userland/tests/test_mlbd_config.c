// SPDX-License-Identifier: GPL-2.0
/* mlb.conf: what is read from a good one, and what a bad one is refused with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static char dir[] = "/tmp/test_mlbd_config.XXXXXX";
static char key[64], conf[64];

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(text, 1, len, to), len);
	assert_int_equal(fclose(to), 0);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(conf, sizeof(conf), "%s/mlb.conf", dir);
	umask(077);
	write_file(key, "0123456789abcdef", 16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(key);
	unlink(conf);
	return rmdir(dir);
}

/* KEY in a text is the path of the key file. */
static int load(const char *text, struct config **config,
		struct config_error *error)
{
	const char *at = strstr(text, "KEY");
	char whole[8192];

	snprintf(whole, sizeof(whole), "%.*s%s%s",
		 at ? (int)(at - text) : (int)strlen(text), text,
		 at ? key : "", at ? at + 3 : "");
	write_file(conf, whole, strlen(whole));
	return config_load(conf, config, error);
}

#define NODE "[node]\nid = 1\naddr = 10.0.0.1\n" /* 3 lines */
#define NONE "[cluster]\nengine = none\nkey-file = KEY\n" /* 3 lines */
#define COROSYNC "[cluster]\nengine = corosync\nkey-file = KEY\n"
#define TWO "[node 2]\naddr = 10.0.0.2\n" /* 2 lines */

static void test_whole(void **state)
{
	const char *text =
		"\xef\xbb\xbf# a comment\n"
		"; another\n"
		"\n"
		"  [ node ]  # this host\n"
		"\tid=7\n"
		"addr : 2001:db8::7 ; inline\r\n"
		"weight = 0\n"
		"state = drain\n"
		"[cluster]\n"
		"key-file = KEY\n"
		"engine = none\n"
		"sync-tick = 1000\n"
		"[kernel]\n"
		"port = 5000\n"
		"max-owners = 10\n"
		"resolve-timeout = 9\n"
		"alive-interval = 0\n"
		"alive-multiplier = 4\n"
		"[daemon]\n"
		"socket = /run/x\n"
		"state-dir = /var/x\n"
		"metrics-file = /m/x.prom\n"
		"metrics-interval = 3\n"
		"[node   3]\n"
		"addr = 2001:db8::3\n"
		"encap = gue\n"
		"[node 2]\n"
		"addr = 2001:db8::2\n"
		"weight = 5\n"
		"encap = gue\n"
		"port = 7\n"
		"[service one]\n"
		"vip = [2001:db8:9::1]:443\n"
		"[service two]\n"
		"vip = 192.0.2.1:80\n"
		"sched = maglev\n"
		"nodes = 7,2,3";
	struct config_error error;
	struct config *c;

	(void)state;
	if (load(text, &c, &error))
		fail_msg("%u: %s", error.line, error.text);
	assert_int_equal(c->engine, CONFIG_ENGINE_NONE);
	assert_int_equal(c->self.id, 7);
	assert_int_equal(c->self.addr.family, AF_INET6);
	assert_int_equal(c->self.weight, 0);
	assert_int_equal(c->self.state, MLB_NODE_STATE_DRAIN);
	assert_true(c->self.fields & MLB_F_NODE_SELF);
	assert_int_equal(c->key_len, 16);
	assert_memory_equal(c->key, "0123456789abcdef", 16);
	assert_int_equal(c->sync_tick, 1000);
	assert_int_equal(c->settings.fields,
			 MLB_F_CONFIG_PORT | MLB_F_CONFIG_MAX_OWNERS |
				 MLB_F_CONFIG_RESOLVE_TIMEOUT |
				 MLB_F_CONFIG_ALIVE_INTERVAL |
				 MLB_F_CONFIG_ALIVE_MULTIPLIER);
	assert_int_equal(c->settings.alive_interval, 0);
	assert_int_equal(c->settings.alive_multiplier, 4);
	assert_int_equal(c->settings.port, 5000);
	assert_string_equal(c->socket, "/run/x");
	assert_string_equal(c->state_dir, "/var/x");
	assert_string_equal(c->metrics_file, "/m/x.prom");
	assert_int_equal(c->metrics_interval, 3);
	assert_int_equal(c->n_nodes, 2);
	assert_int_equal(c->nodes[0].id, 3);
	assert_int_equal(c->nodes[0].weight, 1);
	assert_int_equal(c->nodes[0].encap_port, 6080);
	assert_int_equal(c->nodes[1].encap_port, 7);
	assert_int_equal(c->nodes[1].weight, 5);
	assert_int_equal(c->n_services, 2);
	assert_int_equal(c->services[0].n_nodes, 0);
	assert_int_equal(c->services[0].vip.port, 443);
	assert_int_equal(c->services[1].scheduler, MLB_SCHEDULER_MAGLEV);
	assert_int_equal(c->services[1].n_nodes, 3);
	assert_int_equal(c->services[1].nodes[0], 2);
	assert_int_equal(c->services[1].nodes[2], 7);
	config_free(c);
}

/* A header is one, whatever an editor has put before it. */
static void test_begins(void **state)
{
	static const char *const begins[] = {
		"", "\xef\xbb\xbf", " \xef\xbb\xbf\t", "\f", "\v", "\r", "\n \f",
	};
	struct config_error error;
	struct config *c;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		snprintf(text, sizeof(text), "%s" NODE COROSYNC, begins[i]);
		if (load(text, &c, &error))
			fail_msg("%zu: %u: %s", i, error.line, error.text);
		config_free(c);
		snprintf(text, sizeof(text), "%s[kernel]\nport = 0\n",
			 begins[i]);
		assert_int_not_equal(load(text, &c, &error), 0);
		assert_non_null(strstr(error.text, "port"));
		/* None below it: passed over, this would be accepted. */
		snprintf(text, sizeof(text), "%s[kernels]\n" NODE COROSYNC,
			 begins[i]);
		assert_int_not_equal(load(text, &c, &error), 0);
		assert_non_null(strstr(error.text, "[kernels]"));
	}
}

static void test_defaults(void **state)
{
	struct config_error error;
	struct config *c;

	(void)state;
	assert_int_equal(load(NODE COROSYNC, &c, &error), 0);
	assert_int_equal(c->engine, CONFIG_ENGINE_COROSYNC);
	assert_int_equal(c->settings.fields, MLB_F_CONFIG_PORT);
	assert_int_equal(c->settings.port, MLB_DEFAULT_PORT);
	assert_int_equal(c->sync_tick, 10);
	assert_string_equal(c->socket, CONFIG_SOCKET);
	assert_string_equal(c->state_dir, "/var/lib/mlb");
	assert_string_equal(c->metrics_file, "");
	assert_null(config_same_identity(c, c));
	config_free(c);
}

#define CHECK "[check a]\nservice = 10.9.0.1:80\n" /* 2 lines */

static void test_checks(void **state)
{
	const char *text = NODE COROSYNC
		"[check a.B-1_]\n"
		"service = 10.9.0.1:80\n"
		"type = tcp\n"
		"[check all]\n"
		"service = [2001:db8:9::1]:443\n"
		"type = http\n"
		"addr = 127.0.0.1\n"
		"port = 8080\n"
		"interval = 200\n"
		"timeout = 100\n"
		"rise = 4\n"
		"fall = 1\n"
		"path = /x?y=1\n"
		"host = www.example:8080\n"
		"status = 200-204\n"
		"[check command]\n"
		"service = 10.9.0.1:80\n"
		"type = command\n"
		"interval = 3600000\n"
		"command = curl -fsS \"http://$MLB_ADDR/\" | grep -q 'a b'; exit $?\n"
		"[check http]\n"
		"service = 10.9.0.1:80\n"
		"type = http\n"
		"status = 401\n"
		"[vip one]\n"
		"addr = 10.9.0.1\n"
		"table = 100\n"
		"[vip two]\n"
		"addr = 2001:db8:9::1\n"
		"table = 1000\n"
		"[vip three]\n"
		"addr = 10.9.0.3\n"
		"dev = eth0.100\n"
		"role = web\n";
	const struct config_check *check;
	struct config_error error;
	struct config *c;

	(void)state;
	if (load(text, &c, &error))
		fail_msg("%u: %s", error.line, error.text);
	assert_int_equal(c->n_checks, 4);
	check = &c->checks[0];
	assert_string_equal(check->name, "a.B-1_");
	assert_int_equal(check->timing.interval, 1000);
	assert_int_equal(check->timing.timeout, 1000);
	assert_int_equal(check->timing.rise, 2);
	assert_int_equal(check->timing.fall, 3);
	assert_int_equal(check->question.type, CHECK_TCP);
	assert_true(check->question.own);
	assert_int_equal(check->question.target.port, 80);
	assert_int_equal(check->question.target.addr.v4.s_addr,
			 check->question.service.addr.v4.s_addr);
	check = &c->checks[1];
	assert_int_equal(check->timing.interval, 200);
	assert_int_equal(check->timing.timeout, 100);
	assert_int_equal(check->timing.rise, 4);
	assert_int_equal(check->timing.fall, 1);
	assert_false(check->question.own);
	assert_int_equal(check->question.service.port, 443);
	assert_int_equal(check->question.target.port, 8080);
	assert_int_equal(check->question.target.addr.family, AF_INET);
	assert_string_equal(check->question.path, "/x?y=1");
	assert_string_equal(check->question.host, "www.example:8080");
	assert_int_equal(check->question.status_min, 200);
	assert_int_equal(check->question.status_max, 204);
	check = &c->checks[2];
	assert_int_equal(check->timing.timeout, 60000);
	assert_string_equal(check->question.command,
			    "curl -fsS \"http://$MLB_ADDR/\" | grep -q 'a b'; exit $?");
	check = &c->checks[3];
	assert_string_equal(check->question.path, "/");
	assert_int_equal(check->question.status_min, 401);
	assert_int_equal(check->question.status_max, 401);
	assert_int_equal(c->n_vips, 3);
	assert_string_equal(c->vips[2].dev, "eth0.100");
	assert_string_equal(c->vips[2].role, "web");
	assert_true(config_has_dev(c));
	assert_string_equal(c->vips[0].name, "one");
	assert_int_equal(c->vips[0].table, 100);
	assert_int_equal(c->vips[1].addr.family, AF_INET6);
	config_free(c);
}

static const struct {
	const char *text;
	unsigned int line;
	const char *error;
} bad[] = {
	{ "", 0, "there is no [cluster]" },
	{ NONE, 0, "there is no [node], this host's" },
	{ NODE, 0, "there is no [cluster]" },
	{ "id = 1\n", 1, "\"id\" stands before any section" },
	{ NODE "nonsense\n", 4, "neither a [section] nor a key with = and its value" },
	{ NODE "[node\n", 4, "the ] of a section is missing" },
	{ NODE "[node] x\n", 4, "\"x\" after a section's ]" },
	{ NODE "[noode]\n", 4, "no section is called [noode]; is it [node]?" },
	{ NODE "[nod 2]\n", 4, "no section is called [nod 2]; is it [node 2]?" },
	{ NODE "[frobnicate]\n", 4, "no section is called [frobnicate]" },
	{ NODE "[]\n", 4, "no section is called []" },
	{ NODE "[cluster x]\n", 4, "no section is called [cluster x]; is it [cluster]?" },
	{ NODE "[service]\n", 4, "[service] needs a name of yours: [service web]" },
	{ NODE "[node]\n", 4, "[node] is on line 1 already" },
	{ NODE TWO "[node  2]\n", 6, "[node 2] is on line 4 already" },
	{ NODE "[node 0]\n", 4, "[node 0]: \"0\" is not a node id from 1 to 4095" },
	{ NODE "[node 02]\n", 4, "[node 02]: \"02\" is not a node id from 1 to 4095" },
	{ NODE "[node 4096]\n", 4, "[node 4096]: \"4096\" is not a node id from 1 to 4095" },
	{ NODE "[node -1]\n", 4, "[node -1]: \"-1\" is not a node id from 1 to 4095" },
	{ NODE "[service 0123456789012345678901234567890123456789]\n", 4,
	  "the name of the section is too long" },
	{ NODE "adr = 5\n", 4, "[node] has no key \"adr\"; is it \"addr\"?" },
	{ NODE "nonsense = 5\n", 4, "[node] has no key \"nonsense\"" },
	{ NODE "Addr = 10.0.0.1\n", 4, "[node] has no key \"Addr\"; is it \"addr\"?" },
	{ NODE "id = 1\n", 4, "\"id\" is on line 2 already" },
	{ NODE "weight =\n", 4, "\"weight\" has no value" },
	{ NODE "weight = 5x\n", 4, "weight \"5x\" is not a number from 0 to 65535" },
	{ NODE "weight = 65536\n", 4, "weight \"65536\" is not a number from 0 to 65535" },
	{ NODE "state = asleep\n", 4,
	  "state \"asleep\" is none of active, drain, maintenance, dead" },
	{ "[node]\nid = 1\naddr = 10.0.0\n", 3,
	  "addr \"10.0.0\" is not an IPv4 or IPv6 address" },
	{ "[node]\nid = 1\n  0 = 1\n", 3, "[node] has no key \"0\"" },
	{ "[node]\nid = 1\n[kernel]\nport = 0\n", 4,
	  "port \"0\" is not a number from 1 to 65535" },
	{ "[node]\nid = 1\n" NONE, 1, "[node] needs \"addr\"" },
	{ "[node]\naddr = 10.0.0.1\n" NONE, 1, "[node] needs \"id\"" },
	{ "[node]\nid = 1\naddr = 127.0.0.1\n" NONE, 3,
	  "addr is an address of this host alone" },
	{ "[node]\nid = 1\naddr = ::1\n" NONE, 3,
	  "addr is an address of this host alone" },
	{ NODE "[cluster]\nengine = none\n", 4, "[cluster] needs \"key-file\"" },
	{ NODE "[cluster]\nkey-file = KEY\n", 4, "[cluster] needs \"engine\"" },
	{ NODE "[cluster]\nengine = none\nkey-file = /nonexistent\n", 6,
	  "/nonexistent: No such file or directory" },
	{ NODE "[cluster]\nengine = none\nkey-file = /dev/null\n", 6,
	  "/dev/null: is not a regular file" },
	{ NODE "[cluster]\nengine = raft\n", 5,
	  "engine \"raft\" is none of none, corosync" },
	{ NODE "[cluster]\nsync-tick = 9\n", 5,
	  "sync-tick \"9\" is not a number from 10 to 1000" },
	{ NODE NONE "state = dead\n", 7, "[cluster] has no key \"state\"" },
	{ NODE "state = dead\n" NONE, 4,
	  "this host cannot be dead; use maintenance" },
	{ NODE NONE "[node 1]\naddr = 10.0.0.2\n", 7,
	  "[node 1] is this host: it stands in [node]" },
	{ NODE NONE "[node 2]\n", 7, "[node 2] needs \"addr\"" },
	{ NODE NONE "[node 2]\naddr = 10.0.0.1\n", 8,
	  "node 1 has this address already" },
	{ NODE NONE TWO "[node 3]\naddr = 10.0.0.2\n", 10,
	  "node 2 has this address already" },
	{ NODE NONE "[node 2]\naddr = 2001:db8::2\n", 8,
	  "nodes' addresses are all IPv4 or all IPv6" },
	{ NODE NONE TWO "port = 7\n", 9, "port is for encap = gue only" },
	{ NODE NONE TWO "encap = ipip\nport = 7\n", 10,
	  "port is for encap = gue only" },
	{ NODE NONE "[service a]\nsched = local\n", 7,
	  "[service a] needs \"vip\"" },
	{ NODE NONE "[service a]\nvip = 10.9.0.1\n", 8,
	  "vip \"10.9.0.1\" has no port: write ADDR:PORT" },
	{ NODE NONE "[service a]\nvip = 10.0.0.1:80\n", 8,
	  "node 1 has this address; a service needs one of its own" },
	{ NODE NONE "[service a]\nvip = 127.0.0.1:80\n", 8,
	  "vip is an address of this host alone" },
	{ NODE NONE "[service a]\nvip = 10.9.0.1:80\n[service b]\nvip = 10.9.0.1:80\n",
	  10, "another service has this vip" },
	{ NODE NONE "[service a]\nvip = 10.9.0.1:80\nnodes = 1,2\n", 9,
	  "there is no [node 2]" },
	{ NODE NONE "[service a]\nvip = 10.9.0.1:80\nnodes = 1,1\n", 9,
	  "nodes \"1,1\" names a node twice" },
	{ NODE NONE "[daemon]\nsocket = run/mlb\n", 8,
	  "socket \"run/mlb\" does not begin with /" },
	{ NODE NONE
	  "[daemon]\nsocket = /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901\n",
	  8, "socket has more than 107 characters" },
	{ NODE "weight = 5\n" COROSYNC, 4,
	  "with engine = corosync weight is the cluster's: use \"mlbctl cluster node set\"" },
	{ NODE COROSYNC "[kernel]\nresolve-rate = 5\n", 8,
	  "with engine = corosync resolve-rate is the cluster's: use \"mlbctl cluster set\"" },
	{ NODE COROSYNC "[kernel]\nport = 5\nalive-interval = 100\n", 9,
	  "with engine = corosync alive-interval is the cluster's: use \"mlbctl cluster set\"" },
	{ NODE NONE "[kernel]\nalive-interval = 9\n", 8,
	  "alive-interval \"9\" is not a number from 10 to 10000, or 0" },
	{ NODE COROSYNC TWO, 7,
	  "with engine = corosync [node 2] is the cluster's: use \"mlbctl cluster node set\"" },
	{ NODE COROSYNC "[service a]\nvip = 10.9.0.1:80\n", 7,
	  "with engine = corosync [service a] is the cluster's: use \"mlbctl cluster service add\"" },
	{ NODE "[check]\n", 4, "[check] needs a name of yours: [check web]" },
	{ NODE COROSYNC "[check a b]\n" CHECK "type = tcp\n", 7,
	  "[check a b] needs \"service\"" },
	{ NODE COROSYNC "[check a b]\nservice = 10.9.0.1:80\ntype = tcp\n", 7,
	  "the name of a check has letters, digits, \".\", \"_\" and \"-\" only" },
	{ NODE COROSYNC CHECK, 7, "[check a] needs \"type\"" },
	{ NODE COROSYNC "[check a]\ntype = tcp\n", 7,
	  "[check a] needs \"service\"" },
	{ NODE COROSYNC CHECK "type = udp\n", 9,
	  "type \"udp\" is none of tcp, mptcp, http, command" },
	{ NODE COROSYNC CHECK "type = tcp\npath = /\n", 10,
	  "path is for type = http only" },
	{ NODE COROSYNC CHECK "host = x\ntype = command\ncommand = x\n", 9,
	  "host is for type = http only" },
	{ NODE COROSYNC CHECK "type = mptcp\nstatus = 200\n", 10,
	  "status is for type = http only" },
	{ NODE COROSYNC CHECK "type = tcp\ncommand = true\n", 10,
	  "command is for type = command only" },
	{ NODE COROSYNC CHECK "type = command\n", 7,
	  "type = command needs \"command\"" },
	{ NODE COROSYNC CHECK "type = http\npath = x\n", 10,
	  "path has to begin with / and be without blanks" },
	{ NODE COROSYNC CHECK "type = http\npath = /a b\n", 10,
	  "path has to begin with / and be without blanks" },
	{ NODE COROSYNC CHECK "type = http\nhost = a b\n", 10,
	  "host has to be without blanks" },
	{ NODE COROSYNC CHECK "type = http\nstatus = 99\n", 10,
	  "status is a number from 100 to 599, or two with - between them" },
	{ NODE COROSYNC CHECK "type = http\nstatus = 300-200\n", 10,
	  "status is a number from 100 to 599, or two with - between them" },
	{ NODE COROSYNC CHECK "type = http\nstatus = 2xx\n", 10,
	  "status is a number from 100 to 599, or two with - between them" },
	{ NODE COROSYNC CHECK "type = http\nstatus = -200\n", 10,
	  "status is a number from 100 to 599, or two with - between them" },
	{ NODE COROSYNC CHECK "type = tcp\ninterval = 19\n", 10,
	  "interval \"19\" is not a number from 20 to 3600000" },
	{ NODE COROSYNC CHECK "type = tcp\ntimeout = 60001\n", 10,
	  "timeout \"60001\" is not a number from 10 to 60000" },
	{ NODE COROSYNC CHECK "type = tcp\nrise = 0\n", 10,
	  "rise \"0\" is not a number from 1 to 1000" },
	{ NODE COROSYNC CHECK "type = tcp\nport = 0\n", 10,
	  "port \"0\" is not a number from 1 to 65535" },
	{ NODE COROSYNC CHECK "type = tcp\naddr = 0.0.0.0\n", 10,
	  "addr \"0.0.0.0\" is an unspecified address" },
	{ NODE COROSYNC CHECK "type = tcp\n" CHECK, 10,
	  "[check a] is on line 7 already" },
	{ NODE "[vip]\n", 4, "[vip] needs a name of yours: [vip web]" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\n", 7,
	  "[vip a] needs either \"table\" or \"dev\"" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ntable = 5\ndev = eth0\n", 7,
	  "[vip a] needs either \"table\" or \"dev\"" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = eth0\n", 7,
	  "[vip a] needs \"role\"" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ntable = 5\nrole = web\n", 10,
	  "role is for dev only" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = eth012345678901234\nrole = web\n",
	  9, "dev \"eth012345678901234\" is no name of an interface with neighbours" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = lo\nrole = web\n", 9,
	  "dev \"lo\" is no name of an interface with neighbours" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = ../eth0\nrole = web\n",
	  9, "dev \"../eth0\" is no name of an interface with neighbours" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = eth0\nrole = all\n", 10,
	  "no role can have the name \"all\"" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = eth0\nrole = a,b\n", 10,
	  "no role can have the name \"a,b\"" },
	{ NODE COROSYNC "[vip a]\naddr = 10.0.0.1\ndev = eth0\nrole = web\n", 8,
	  "this is the address of [node], which stays here" },
	{ NODE NONE "[service a]\nvip = 10.9.0.1:80\n[vip a]\naddr = 10.9.0.1\ndev = eth0\nrole = web\n",
	  11, "dev is for engine = corosync only: the cluster says which node has the address" },
	{ NODE COROSYNC "[vip a]\ntable = 5\n", 7, "[vip a] needs \"addr\"" },
	{ NODE COROSYNC "[vip a b]\naddr = 10.9.0.1\ntable = 5\n", 7,
	  "the name of a vip has letters, digits, \".\", \"_\" and \"-\" only" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ntable = 0\n", 9,
	  "table \"0\" is not a number from 1 to 2147483647" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ntable = 255\n", 9,
	  "table 255 is one that this host routes by" },
	{ NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ntable = 5\n[vip b]\naddr = 10.9.0.1\ntable = 6\n",
	  11, "[vip a] has this address already" },
	{ NODE NONE "[vip a]\naddr = 10.9.0.1\ntable = 5\n[service a]\nvip = 10.9.0.2:1\n",
	  8, "no [service] has this address" },
	{ NODE NONE CHECK "type = tcp\n", 8,
	  "there is no [service] with this vip" },
	{ NODE NONE CHECK "type = tcp\n[service a]\nvip = 10.9.0.1:81\n", 8,
	  "there is no [service] with this vip" },
};

static void test_bad(void **state)
{
	struct config_error error;
	struct config *config;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int ret = load(bad[i].text, &config, &error);

		if (!ret || config)
			fail_msg("taken: %s", bad[i].text);
		if (error.line != bad[i].line ||
		    strcmp(error.text, bad[i].error))
			fail_msg("%s: got %u: %s, want %u: %s", bad[i].text,
				 error.line, error.text, bad[i].line,
				 bad[i].error);
	}
}

static void test_lines(void **state)
{
	struct config_error error;
	struct config *config;
	char text[400];

	(void)state;
	/* One byte less than too long is taken as what it is. */
	memset(text, 'x', sizeof(text));
	text[197] = '\0';
	memcpy(text, "# ", 2);
	assert_true(load(text, &config, &error) < 0);
	assert_string_equal(error.text, "there is no [cluster]");
	text[197] = 'x';
	text[198] = '\0';
	assert_true(load(text, &config, &error) < 0);
	assert_int_equal(error.line, 1);
	assert_string_equal(error.text,
			    "the line is longer than 197 characters");

	write_file(conf, "[node]\nid = 1\0 2\n", 17);
	assert_true(config_load(conf, &config, &error) < 0);
	assert_int_equal(error.line, 2);
	assert_string_equal(error.text, "there is a zero byte in the line");

	assert_true(config_load("/nonexistent", &config, &error) < 0);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.text, "No such file or directory");
	assert_true(config_load(dir, &config, &error) < 0);
	assert_string_equal(error.text, "Is a directory");
}

/* Each file with one byte changed, cut off, or left out is read without harm. */
static void test_damaged(void **state)
{
	static const char text[] = NODE
		"[cluster]\nengine = none\nkey-file = /nonexistent\n" TWO
		"encap = gue\nport = 5\n"
		"[service a]\nvip = [2001:db8::1]:80\nnodes = 1,2\n"
		"[check a]\nservice = [2001:db8::1]:80\ntype = http\nstatus = 1\n";
	struct config_error error;
	struct config *config;
	char copy[sizeof(text)];

	(void)state;
	srandom(1);
	for (int i = 0; i < 3000; i++) {
		size_t len = sizeof(text) - 1;

		memcpy(copy, text, sizeof(text));
		switch (i % 3) {
		case 0:
			copy[random() % (long)len] = (char)random();
			break;
		case 1:
			len = (size_t)random() % len;
			break;
		case 2:
			copy[random() % (long)len] = "[]=\n; \t\r"[random() % 8];
			break;
		}
		write_file(conf, copy, len);
		assert_true(config_load(conf, &config, &error) < 0);
		assert_true(error.text[0]);
	}
}

static void test_identity(void **state)
{
	struct config_error error;
	struct config *a, *b;

	(void)state;
	assert_int_equal(load(NODE NONE, &a, &error), 0);
	assert_int_equal(load(NODE COROSYNC, &b, &error), 0);
	assert_string_equal(config_same_identity(a, b), "engine");
	config_free(b);
	assert_int_equal(load("[node]\nid = 2\naddr = 10.0.0.1\n" NONE, &b,
			      &error),
			 0);
	assert_string_equal(config_same_identity(a, b), "id of [node]");
	config_free(b);
	assert_int_equal(load(NODE NONE "[daemon]\nsocket = /x\n", &b, &error),
			 0);
	assert_string_equal(config_same_identity(a, b), "socket");
	config_free(b);
	assert_int_equal(load(NODE COROSYNC "[vip a]\naddr = 10.9.0.1\ndev = eth0\nrole = web\n",
			      &b, &error),
			 0);
	config_free(a);
	assert_int_equal(load(NODE COROSYNC, &a, &error), 0);
	assert_string_equal(config_same_identity(a, b), "dev of [vip]");
	assert_null(config_same_identity(b, a));
	config_free(b);
	config_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	cmocka_unit_test(test_begins),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_checks),	cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests_name("mlbd_config", tests, setup,
					   teardown);
}
