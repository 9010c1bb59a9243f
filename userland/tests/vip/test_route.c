// SPDX-License-Identifier: GPL-2.0
/* Virtual addresses: what routers are told, and what becomes of what they were.
 */
#include "world.h"

void test_follows(void **state)
{
	struct vips *vips = world_begin(2);

	(void)state;
	/* As long as nothing is known nothing is done. */
	world_tick();
	assert_int_equal(asked, 0);
	wants[1] = VIP_UP;
	wants[2] = VIP_DOWN;
	vips_poke(vips);
	world_run();
	assert_true(routes[1]);
	assert_false(routes[2]);
	/* It was not there: that is no news. */
	assert_events("1:announced ");
	wants[1] = VIP_DOWN;
	wants[2] = VIP_UP;
	vips_poke(vips);
	world_run();
	assert_false(routes[1]);
	assert_true(routes[2]);
	assert_events("1:withdrawn 2:announced ");
	wants[2] = VIP_KEEP;
	world_tick();
	assert_true(routes[2]);
	assert_events("");
	world_end(vips);
	assert_true(routes[2]);
}

/* One that was there before is no news either, and what others change is. */
void test_repairs(void **state)
{
	struct vips *vips = world_begin(1);

	(void)state;
	routes[1] = true;
	wants[1] = VIP_UP;
	world_tick();
	assert_events("");
	routes[1] = false;
	world_tick();
	assert_true(routes[1]);
	assert_int_equal(warnings, 1);
	assert_events("1:announced ");
	world_end(vips);
}

/* What changes while a worker is busy is not forgotten. */
void test_meanwhile(void **state)
{
	struct vips *vips = world_begin(1);

	(void)state;
	wants[1] = VIP_UP;
	vips_poke(vips);
	wants[1] = VIP_DOWN;
	vips_poke(vips);
	vips_poke(vips);
	world_work();
	assert_true(routes[1]);
	assert_non_null(work);
	world_work();
	assert_null(work);
	assert_false(routes[1]);
	assert_events("1:announced 1:withdrawn ");
	world_end(vips);
}

void test_failure(void **state)
{
	struct vips *vips = world_begin(1);
	json_t *json;

	(void)state;
	wants[1] = VIP_UP;
	route_error = -EPERM;
	world_tick();
	world_tick();
	assert_int_equal(errors, 2);
	json = vips_json(vips);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json, 0), "error")),
			    strerror(EPERM));
	json_decref(json);
	route_error = 0;
	world_tick();
	assert_true(routes[1]);
	assert_events("1:announced ");
	world_end(vips);
}

void test_reload(void **state)
{
	struct vips *vips = world_begin(2);
	struct config config = world_config(3);
	json_t *json;

	(void)state;
	for (int i = 1; i < 4; i++)
		wants[i] = VIP_UP;
	world_tick();
	assert_events("1:announced 2:announced ");
	assert_int_equal(vips_reload(vips, &config), 0);
	world_tick();
	assert_events("3:announced ");

	/* What the file loses goes, even if that takes two tries. */
	config.n_vips = 1;
	assert_int_equal(vips_reload(vips, &config), 0);
	route_error = -ENOBUFS;
	world_tick();
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 3);
	json_decref(json);
	route_error = 0;
	world_tick();
	assert_true(routes[1]);
	assert_false(routes[2] || routes[3]);
	assert_events("2:withdrawn 3:withdrawn ");
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 1);
	json_decref(json);

	/* Another table is another route. */
	config.vips[0].table = 101;
	assert_int_equal(vips_reload(vips, &config), 0);
	json = vips_json(vips);
	assert_int_equal(json_array_size(json), 2);
	json_decref(json);
	world_end(vips);
}

void test_withdraw(void **state)
{
	struct vips *vips = world_begin(2);

	(void)state;
	wants[1] = VIP_UP;
	wants[2] = VIP_UP;
	world_tick();
	vips_withdraw(vips);
	assert_false(routes[1] || routes[2]);
	world_end(vips);

	/* The worker that was about to announce one comes too late. */
	vips = world_begin(1);
	wants[1] = VIP_UP;
	vips_poke(vips);
	assert_non_null(work);
	vips_withdraw(vips);
	world_work();
	assert_false(routes[1]);
	assert_events("");

	/* A worker that is busy when all ends. */
	vips_poke(vips);
	vips_close(vips);
	close_cb((uv_handle_t *)timer);
	world_work();
	assert_null(work);
}
