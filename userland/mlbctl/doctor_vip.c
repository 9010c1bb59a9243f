// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: who answers for the addresses that mlbd moves on a link. */
#include <net/if.h>
#include <string.h>

#include "daemon.h"
#include "doctor.h"

#define CONF "/proc/sys/net/ipv4/conf/"

/* The greater of the value for all devices and that for the device counts. */
static long setting(const char *dev, const char *name)
{
	char path[sizeof(CONF) + IFNAMSIZ + 32];
	long all, own;

	snprintf(path, sizeof(path), CONF "all/%s", name);
	all = doctor_number(path);
	snprintf(path, sizeof(path), CONF "%.*s/%s", IFNAMSIZ, dev, name);
	own = doctor_number(path);
	return own > all ? own : all;
}

/* Without mlbd, or one that does not answer, there is nothing to say. */
static json_t *ask_status(void)
{
	struct daemon *daemon;
	json_t *status = NULL;

	if (daemon_open(&daemon))
		return NULL;
	if (!daemon_send(daemon, json_pack("{s:s}", "op", "status")))
		daemon_next(daemon, true, &status);
	daemon_close(daemon);
	return status;
}

/* A node that has the address on lo alone would answer for it all the same. */
static void check_dev(struct doctor *doctor, const char *addr, const char *dev)
{
	long ignore = setting(dev, "arp_ignore");
	long announce = setting(dev, "arp_announce");

	if (!ignore)
		doctor_say(
			doctor, DOCTOR_WRONG, "vip",
			"sysctl -w net.ipv4.conf.all.arp_ignore=1",
			"this node answers ARP for %s on %s also while another has it",
			addr, dev);
	if (announce >= 0 && announce < 2)
		doctor_say(
			doctor, DOCTOR_WRONG, "vip",
			"sysctl -w net.ipv4.conf.all.arp_announce=2",
			"this node may tell neighbours on %s that it has %s while another has it",
			dev, addr);
	if (ignore && announce == 2)
		doctor_say(doctor, DOCTOR_OK, "vip", NULL,
			   "%s: only the node that has it answers on %s", addr,
			   dev);
}

void doctor_vips(struct doctor *doctor)
{
	json_t *status = ask_status();
	const json_t *vips = json_object_get(status, "vips"), *vip;
	size_t i;

	json_array_foreach(vips, i, vip) {
		const char *addr =
			json_string_value(json_object_get(vip, "addr"));
		const char *dev =
			json_string_value(json_object_get(vip, "dev"));

		if (addr && dev && !strchr(addr, ':'))
			check_dev(doctor, addr, dev);
	}
	json_decref(status);
}
