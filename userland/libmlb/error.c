// SPDX-License-Identifier: GPL-2.0
/*
 * Failures: the errno, the kernel's extended acknowledgement and the place in
 * the request that it points at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

void mlb_error_clear(struct mlb *mlb)
{
	memset(&mlb->error, 0, sizeof(mlb->error));
	mlb->error.index = MLB_NO_INDEX;
}

int mlb_error_local(struct mlb *mlb, int code, const char *text)
{
	mlb_error_clear(mlb);
	mlb->error.code = code;
	snprintf(mlb->error.text, sizeof(mlb->error.text), "%s",
		 text ? text : strerror(code));
	return -code;
}

/*
 * The attribute of the request's top level that holds the byte at offset, and
 * how many of its type stand before it: the kernel may point at an attribute
 * inside a nest, and what the caller knows is the nest.
 */
static void locate(struct mlb_error *error, struct nlmsghdr *request,
		   uint32_t offset, const struct mlb_attr_names *names)
{
	const char *base = (const char *)request;
	struct nlattr *attr, *at = NULL;
	size_t index = 0;
	int rem;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, rem) {
		const char *end =
			(const char *)attr + nla_len(attr) + NLA_HDRLEN;

		if (base + offset < end) {
			if (base + offset >= (const char *)attr)
				at = attr;
			break;
		}
	}
	if (!at)
		return;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, rem) {
		if (attr == at)
			break;
		if (nla_type(attr) == nla_type(at))
			index++;
	}
	error->index = index;
	if ((size_t)nla_type(at) < names->n)
		error->attr = names->names[nla_type(at)];
}

static void read_tlvs(struct mlb_error *error, const char *data, int len,
		      struct nlmsghdr *request,
		      const struct mlb_attr_names *names)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	uint32_t value;

	/* libnl's parser reads only, but does not say so. */
	if (nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)(uintptr_t)data,
		      len, NULL) < 0)
		return;

	if (mlb_get_u32(tb[NLMSGERR_ATTR_OFFS], &value) &&
	    value >= NLMSG_HDRLEN + GENL_HDRLEN)
		locate(error, request, value, names);

	if (tb[NLMSGERR_ATTR_MSG]) {
		int n = nla_len(tb[NLMSGERR_ATTR_MSG]);

		snprintf(error->text, sizeof(error->text), "%.*s", n,
			 (const char *)nla_data(tb[NLMSGERR_ATTR_MSG]));
	}

	/* An attribute that is missing has no place to point at. */
	if (mlb_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE], &value) &&
	    value < names->n && names->names[value]) {
		error->attr = names->names[value];
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text),
				 "%s is missing", error->attr);
	}
}

static int finish(struct mlb *mlb, int code, const char *data, size_t used,
		  size_t len, bool tlvs, struct nlmsghdr *request,
		  const struct mlb_attr_names *names)
{
	struct mlb_error *error = &mlb->error;

	mlb_error_clear(mlb);
	error->code = code;
	error->kernel = true;
	/* NLMSG_ALIGN cuts to 32 bits, so a lie is found out before it. */
	if (used < len)
		used = NLMSG_ALIGN(used);
	if (tlvs && used < len)
		read_tlvs(error, data + used, (int)(len - used), request,
			  names);
	if (!error->text[0])
		snprintf(error->text, sizeof(error->text), "%s",
			 strerror(code));
	return -code;
}

/* From an NLMSG_ERROR whose code is not 0; the caller has checked its size. */
int mlb_error_kernel(struct mlb *mlb, struct nlmsghdr *answer,
		     struct nlmsghdr *request,
		     const struct mlb_attr_names *names)
{
	const struct nlmsgerr *err = NLMSG_DATA(answer);
	size_t len = NLMSG_PAYLOAD(answer, 0);
	size_t used = sizeof(*err);

	/* Without NLM_F_CAPPED the payload of the request stands in between. */
	if (!(answer->nlmsg_flags & NLM_F_CAPPED) &&
	    err->msg.nlmsg_len > sizeof(err->msg))
		used += err->msg.nlmsg_len - sizeof(err->msg);

	return finish(mlb, -err->error, (const char *)err, used, len,
		      answer->nlmsg_flags & NLM_F_ACK_TLVS, request, names);
}

/* From the NLMSG_DONE of a dump that failed on its way: 0 if it did not. */
int mlb_error_done(struct mlb *mlb, struct nlmsghdr *done,
		   struct nlmsghdr *request, const struct mlb_attr_names *names)
{
	size_t len = NLMSG_PAYLOAD(done, 0);
	int code;

	if (len < sizeof(code))
		return 0;
	memcpy(&code, NLMSG_DATA(done), sizeof(code));
	if (code >= 0)
		return 0;
	return finish(mlb, -code, NLMSG_DATA(done), sizeof(code), len,
		      done->nlmsg_flags & NLM_F_ACK_TLVS, request, names);
}
