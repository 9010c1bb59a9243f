// SPDX-License-Identifier: GPL-2.0
/*
 * Listings. The kernel gives them in many messages and marks those that a
 * change of the table may have made wrong (NLM_F_DUMP_INTR). What fits in the
 * stage is held back until its end has come, so that a disturbed listing can
 * be thrown away and asked for anew; a larger one has to be handed on while it
 * arrives, and only a warning is left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

struct dump {
	struct mlb *mlb;
	const struct mlb_attr_names *names;
	struct nlmsghdr *request;
	mlb_msg_fn *fn;
	void *arg;

	char *stage; /* messages held back, each NLMSG_ALIGNed */
	size_t staged;
	size_t room;
	bool staging;
	bool disturbed;
	int result; /* what fn ended the listing with */
};

static void deliver(struct dump *d, struct nlmsghdr *nlh)
{
	if (!d->result)
		d->result = d->fn(nlh, d->arg);
}

static void deliver_staged(struct dump *d)
{
	size_t at = 0;

	while (at < d->staged) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(d->stage + at);

		deliver(d, nlh);
		at += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	d->staged = 0;
	d->staging = false;
}

/* Without the memory to hold a message back, it is handed on. */
static bool hold_back(struct dump *d, const struct nlmsghdr *nlh)
{
	size_t need = d->staged + NLMSG_ALIGN(nlh->nlmsg_len);

	if (!d->staging || need > MLB_STAGE_SIZE)
		return false;
	if (need > d->room) {
		size_t room = d->room ? d->room : MLB_RECV_SIZE;
		char *stage;

		while (room < need)
			room *= 2;
		stage = realloc(d->stage, room);
		if (!stage)
			return false;
		d->stage = stage;
		d->room = room;
	}
	memcpy(d->stage + d->staged, nlh, nlh->nlmsg_len);
	d->staged = need;
	return true;
}

/* Returns 1 at the end of the listing, 0 to read on, or a negative errno. */
static int take(struct dump *d, struct nlmsghdr *nlh)
{
	struct mlb *mlb = d->mlb;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		d->disturbed = true;

	if (nlh->nlmsg_type == NLMSG_DONE) {
		int ret = mlb_error_done(mlb, nlh, d->request, d->names);

		return ret ? ret : 1;
	}
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *err = NLMSG_DATA(nlh);

		if (NLMSG_PAYLOAD(nlh, 0) < sizeof(*err))
			return mlb_error_local(mlb, EBADMSG, NULL);
		if (err->error)
			return mlb_error_kernel(mlb, nlh, d->request, d->names);
		return 1;
	}
	if (nlh->nlmsg_type != mlb->family)
		return 0;
	if (hold_back(d, nlh))
		return 0;
	if (d->staging)
		deliver_staged(d);
	deliver(d, nlh);
	return 0;
}

/* As take(), for a listing from its first message to its last. */
static int dump_once(struct dump *d, struct nl_msg *msg)
{
	struct mlb *mlb = d->mlb;
	int ret = mlb_send(mlb, msg);

	d->staged = 0;
	d->staging = true;
	d->disturbed = false;

	while (!ret) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)mlb->buf;
		ssize_t n = mlb_recv(mlb, 0);
		int rem = (int)n;

		if (n < 0)
			return (int)n;
		for (; !ret && nlmsg_ok(nlh, rem); nlh = nlmsg_next(nlh, &rem))
			if (nlh->nlmsg_seq == mlb->seq)
				ret = take(d, nlh);
	}
	return ret;
}

int mlb_dump_free(struct mlb *mlb, struct nl_msg *msg,
		  const struct mlb_attr_names *names, mlb_msg_fn *fn, void *arg)
{
	struct dump d = {
		.mlb = mlb,
		.names = names,
		.request = nlmsg_hdr(msg),
		.fn = fn,
		.arg = arg,
	};
	int ret;

	d.request->nlmsg_flags |= NLM_F_DUMP;
	ret = dump_once(&d, msg);

	/* A table that moves has moved some ms later. */
	for (int tries = 1; ret == 1 && d.disturbed && d.staging &&
			    tries < MLB_DUMP_TRIES; tries++) {
		usleep(1000u << tries);
		ret = dump_once(&d, msg);
	}

	if (ret == 1) {
		if (d.staging)
			deliver_staged(&d);
		ret = d.result;
		if (ret < 0)
			mlb_error_local(mlb, -ret, NULL);
		else if (!ret && d.disturbed)
			ret = mlb_error_local(
				mlb, EAGAIN,
				"the table changed while it was listed: entries may be missing or repeated");
	}

	free(d.stage);
	nlmsg_free(msg);
	return ret;
}
