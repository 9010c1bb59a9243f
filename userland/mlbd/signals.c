// SPDX-License-Identifier: GPL-2.0
/* Signals. */
#include <signal.h>

#include "log.h"
#include "mlbd.h"

static const int numbers[] = { SIGHUP, SIGTERM, SIGINT };
static uv_signal_t handles[3];

static void on_signal(uv_signal_t *handle, int number)
{
	struct mlbd *mlbd = handle->data;

	if (number == SIGHUP) {
		mlbd_reload(mlbd);
		return;
	}
	log_notice("signal %d: leaving; the kernel goes on alone", number);
	uv_stop(&mlbd->loop);
}

int signals_open(struct mlbd *mlbd)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 3; i++) {
		int ret = uv_signal_init(&mlbd->loop, &handles[i]);

		handles[i].data = mlbd;
		if (!ret)
			ret = uv_signal_start(&handles[i], on_signal,
					      numbers[i]);
		if (ret)
			return ret;
	}
	return 0;
}

void signals_close(void)
{
	for (size_t i = 0; i < 3; i++)
		if (handles[i].data)
			uv_close((uv_handle_t *)&handles[i], NULL);
}
