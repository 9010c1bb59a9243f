// SPDX-License-Identifier: GPL-2.0
/* mlbctl doctor: the module itself and the host's kernel settings. */
#include <dirent.h>
#include <net/if.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "doctor.h"

#define CONF "/proc/sys/net/ipv4/conf/"
#define STRICT 1

void doctor_module(struct doctor *doctor)
{
	char version[32] = "";
	FILE *file;

	if (!doctor->mlb) {
		doctor_say(doctor, DOCTOR_WRONG, "module", "modprobe mlb",
			   "the module is not loaded");
		return;
	}
	file = fopen("/sys/module/mlb/version", "re");
	if (!file || fscanf(file, "%31s", version) != 1)
		doctor_say(doctor, DOCTOR_NOTE, "module", NULL,
			   "loaded, but /sys/module/mlb/version is not there");
	else if (strcmp(version, MLB_VERSION))
		doctor_say(doctor, DOCTOR_NOTE, "module",
			   "install both from the same release",
			   "the module is %s, mlbctl is " MLB_VERSION, version);
	else
		doctor_say(doctor, DOCTOR_OK, "module", NULL, "mlb %s",
			   version);
	if (file)
		fclose(file);
}

void doctor_mptcp(struct doctor *doctor)
{
	long enabled = doctor_number("/proc/sys/net/mptcp/enabled");

	if (enabled < 0)
		doctor_say(doctor, DOCTOR_WRONG, "mptcp",
			   "use a kernel that is built with CONFIG_MPTCP",
			   "the kernel has no MPTCP");
	else if (!enabled)
		doctor_say(
			doctor, DOCTOR_WRONG, "mptcp",
			"sysctl -w net.mptcp.enabled=1",
			"MPTCP is switched off: servers accept plain TCP only");
	else
		doctor_say(doctor, DOCTOR_OK, "mptcp", NULL, "enabled");

	if (!doctor_number("/proc/sys/net/mptcp/allow_join_initial_addr_port"))
		doctor_say(
			doctor, DOCTOR_WRONG, "mptcp",
			"sysctl -w net.mptcp.allow_join_initial_addr_port=1",
			"clients are told not to join at the service's address");
	if (doctor_number("/proc/sys/net/mptcp/checksum_enabled") > 0)
		doctor_say(
			doctor, DOCTOR_NOTE, "mptcp",
			"sysctl -w net.mptcp.checksum_enabled=0, unless a middlebox needs it",
			"DSS checksums are on: they cost time for each byte");
}

void doctor_syncookies(struct doctor *doctor)
{
	long mode = doctor_number("/proc/sys/net/ipv4/tcp_syncookies");

	if (mode > 0)
		doctor_say(doctor, DOCTOR_OK, "cookies", NULL,
			   mode == 1 ? "SYN cookies are sent in need" :
				       "SYN cookies are always sent");
	else
		doctor_say(doctor, DOCTOR_NOTE, "cookies",
			   "sysctl -w net.ipv4.tcp_syncookies=1",
			   "no SYN cookies: a SYN flood shuts clients out");
}

static long rp_filter(const char *dev)
{
	char path[sizeof(CONF) + IFNAMSIZ + sizeof("/rp_filter")];

	snprintf(path, sizeof(path), CONF "%.*s/rp_filter", IFNAMSIZ, dev);
	return doctor_number(path);
}

/* The names of those that only take packets whose answers they would send. */
static void strict_devices(char *names, size_t size)
{
	long all = rp_filter("all");
	DIR *dir = opendir(CONF);
	const struct dirent *entry;
	size_t len = 0;

	*names = '\0';
	while (dir && (entry = readdir(dir))) {
		const char *dev = entry->d_name;
		long own = rp_filter(dev);

		if (*dev == '.' || !strcmp(dev, "all") ||
		    !strcmp(dev, "default") || !strcmp(dev, "lo") ||
		    !strcmp(dev, "mlb0") || (own > all ? own : all) != STRICT)
			continue;
		len += (size_t)snprintf(names + len, size - len, "%s%s",
					len ? ", " : "", dev);
		if (len >= size)
			break;
	}
	if (dir)
		closedir(dir);
}

/*
 * The greater of the value for all devices and that for the device counts. On
 * a device without an IPv4 address, which mlb0 is, loose drops what strict
 * does: the routes to clients lead out of other devices.
 */
void doctor_rp_filter(struct doctor *doctor)
{
	long all = rp_filter("all"), own = rp_filter("mlb0");
	char devices[200];

	if (own > 0 || (own == 0 && all > 0))
		doctor_say(
			doctor, doctor->ipv4 ? DOCTOR_WRONG : DOCTOR_NOTE,
			"rp_filter",
			all > 0 ?
				"sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.mlb0.rp_filter=0" :
				"sysctl -w net.ipv4.conf.mlb0.rp_filter=0",
			"on for mlb0 (net.ipv4.conf.%s.rp_filter is %ld): clients' packets that come out of the tunnel are dropped",
			own > 0 ? "mlb0" : "all", own > 0 ? own : all);
	else if (own == 0)
		doctor_say(doctor, DOCTOR_OK, "rp_filter", NULL, "off on mlb0");

	strict_devices(devices, sizeof(devices));
	if (*devices)
		doctor_say(
			doctor, DOCTOR_NOTE, "rp_filter",
			"sysctl -w net.ipv4.conf.DEVICE.rp_filter=2, where clients' packets come in by another device than answers go out",
			"strict on %s", devices);
}

void doctor_clock(struct doctor *doctor)
{
	struct timex timex = {};

	if (adjtimex(&timex) == TIME_ERROR || timex.status & STA_UNSYNC)
		doctor_say(
			doctor, DOCTOR_NOTE, "clock",
			"run chrony or systemd-timesyncd",
			"not synchronised: logs of several nodes cannot be put in order");
	else
		doctor_say(doctor, DOCTOR_OK, "clock", NULL, "synchronised");
}
