// SPDX-License-Identifier: GPL-2.0
/* Ending what is left of a drain, in a worker. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "log.h"
#include "sockets.h"

/*
 * What an application has not accepted yet it may accept now, and what it has
 * closed may be through now. So often it is tried again; then its subflows are
 * reset, of which its client makes less.
 */
#define TRIES 8
#define TRY_US 50000

/* Work is done by then, and an answer that is not there was lost. */
#define ANSWER_MS 10000

struct ending {
	uv_work_t work;
	ending_fn *fn;
	void *arg;
	struct mlb_endpoint *services;
	size_t n_services;
	atomic_bool stop;
	struct ending_result result;
	uint64_t left;
	int owner_status;
	int socket_status;
};

/* Others change the owner table meanwhile; they come to an end. */
static bool go_on(int ret, const struct mlb_ended *ended)
{
	if (ret == -EAGAIN || ret == -EPERM)
		return true;
	return !ret && ended->detached;
}

static int end_owned(struct ending *e)
{
	struct mlb_ended ended;
	struct mlb *mlb;
	int ret = mlb_open(&mlb);

	if (ret)
		return ret;
	mlb_set_timeout(mlb, ANSWER_MS);
	for (int i = 0; i < TRIES && !e->stop; i++) {
		ret = mlb_owner_end_all(mlb, &ended);
		e->result.connections += ended.ended;
		if (!go_on(ret, &ended))
			break;
		usleep(TRY_US);
	}
	mlb_close(mlb);
	return ret;
}

static void on_work(uv_work_t *work)
{
	struct ending *e = work->data;
	struct sockets_ended ended;

	e->owner_status = end_owned(e);
	e->socket_status =
		sockets_end(e->services, e->n_services, &e->stop, &ended);
	e->result.sockets = ended.ended;
	e->left = ended.left;
}

static void log_failures(const struct ending *e)
{
	static bool said;

	if (e->owner_status)
		log_warning("what is left of Multipath TCP connections cannot be ended as such: %s",
			    strerror(-e->owner_status));
	if (e->socket_status == -EOPNOTSUPP) {
		if (!said)
			log_warning("this kernel cannot end TCP connections (CONFIG_INET_DIAG_DESTROY): %" PRIu64
				    " go on", e->left);
		said = true;
	} else if (e->socket_status) {
		log_warning("TCP connections cannot be ended: %s",
			    strerror(-e->socket_status));
	}
}

static void on_done(uv_work_t *work, int status)
{
	struct ending *e = work->data;

	(void)status;	/* nobody cancels it */
	if (!e->stop) {
		log_failures(e);
		e->fn(e->arg, &e->result);
	}
	free(e->services);
	free(e);
}

int ending_start(struct ending **ending, uv_loop_t *loop,
		 const struct document *document, ending_fn *fn, void *arg)
{
	struct ending *e = calloc(1, sizeof(*e));
	int ret = -ENOMEM;

	*ending = NULL;
	if (!e)
		return -ENOMEM;
	e->fn = fn;
	e->arg = arg;
	e->services = calloc(document->n_services + 1, sizeof(*e->services));
	for (size_t i = 0; e->services && i < document->n_services; i++)
		e->services[e->n_services++] = document->services[i].vip;
	e->work.data = e;
	if (e->services)
		ret = uv_queue_work(loop, &e->work, on_work, on_done);
	if (ret) {
		free(e->services);
		free(e);
		return ret;
	}
	*ending = e;
	return 0;
}

void ending_stop(struct ending *ending)
{
	if (ending)
		ending->stop = true;
}
