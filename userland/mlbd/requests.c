// SPDX-License-Identifier: GPL-2.0
/* From the control socket to the parts that know. */
#include "mlbd.h"

static json_t *status(void *arg)
{
	return mlbd_status(arg);
}

static json_t *document(void *arg)
{
	struct mlbd *mlbd = arg;

	return cluster_document(mlbd->cluster);
}

static int reload(void *arg, const char **error)
{
	struct mlbd *mlbd = arg;

	*error = mlbd->reload_error;
	return mlbd_reload(mlbd);
}

static int change(void *arg, json_t *object, control_result_fn *fn,
		  void *fn_arg)
{
	struct mlbd *mlbd = arg;

	return cluster_propose(mlbd->cluster, object, fn, fn_arg);
}

const struct control_calls mlbd_control_calls = {
	.status = status,
	.document = document,
	.reload = reload,
	.change = change,
};
