// SPDX-License-Identifier: GPL-2.0
/* Virtual addresses of an interface: what neighbours are told, and when. */
#include "world.h"

/* One address, on an interface. */
static struct vips *begin_dev(void)
{
	struct config config = world_config(1);
	struct vips *vips = world_begin(0);

	config.vips[0].table = 0;
	strcpy(config.vips[0].dev, "eth0");
	strcpy(config.vips[0].role, "web");
	assert_int_equal(vips_reload(vips, &config), 0);
	config.vips[0].dev[0] = '\0';
	return vips;
}

/* Neighbours are told some times, and again when the address was away. */
void test_tell(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	world_tick();
	assert_int_equal(told, 1);
	/* Whatever else happens within a second, they are told later as well. */
	for (int i = 0; i < 20; i++) {
		vips_poke(vips);
		vips_poke(vips);
		if (work)
			world_work();
		timer_cb(timer);
		world_run();
	}
	assert_int_equal(told, 1);
	asked = 0;
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_int_equal(told, 5);
	/* It is asked for all the time: else it would go by itself. */
	assert_int_equal(asked, 20);
	wants[1] = VIP_DOWN;
	world_tick();
	world_tick();
	assert_false(routes[1]);
	assert_int_equal(told, 5);
	wants[1] = VIP_UP;
	vips_poke(vips);
	world_run();
	assert_int_equal(told, 6);
	assert_events("1:announced 1:withdrawn 1:announced ");
	assert_string_equal(json_string_value(json_object_get(last, "role")),
			    "web");
	assert_int_equal(json_integer_value(json_object_get(last, "epoch")),
			 17);
	assert_int_equal(json_integer_value(json_object_get(last, "lasted")),
			 1000);
	world_end(vips);
}

/* After a split others may have told them otherwise. */
void test_heal(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_int_equal(told, 5);
	ring = 2;
	vips_poke(vips);
	world_run();
	assert_int_equal(told, 6);
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_int_equal(told, 10);
	assert_events("1:announced ");
	world_end(vips);
}

/* Who cannot hear, or cannot be told, is told when that is over. */
void test_deaf(void **state)
{
	struct vips *vips = begin_dev();
	json_t *json;

	(void)state;
	wants[1] = VIP_UP;
	tell_error = -ENETDOWN;
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_true(routes[1]);
	assert_true(errors);
	json = vips_json(vips);
	assert_non_null(strstr(json_string_value(json_object_get(
				       json_array_get(json, 0), "error")),
			       "neighbours cannot be told"));
	json_decref(json);
	tell_error = 0;
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_int_equal(told, 5);
	json = vips_json(vips);
	assert_true(json_is_null(
		json_object_get(json_array_get(json, 0), "error")));
	json_decref(json);
	world_end(vips);
}

/*
 * Until a service was looked at an address stays; who does not know whether it
 * is his lets it go, with the time that it has.
 */
void test_unsure(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	world_tick();
	asked = 0;
	wants[1] = VIP_KEEP;
	for (int i = 0; i < 20; i++)
		world_tick();
	assert_int_equal(asked, 20);
	wants[1] = VIP_WAIT;
	for (int i = 0; i < VIP_VALID_S - 1; i++)
		world_tick();
	assert_int_equal(asked, 20);
	assert_events("1:announced ");
	world_tick();
	assert_events("1:withdrawn ");
	assert_int_equal(asked, 20);
	routes[1] = false;
	wants[1] = VIP_UP;
	world_tick();
	assert_events("1:announced ");
	assert_int_equal(warnings, 1);
	world_end(vips);
}

/* An mlbd that hung believes what was so before it did. */
void test_hung(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	world_tick();
	assert_events("1:announced ");
	now += 20000;
	routes[1] = false;
	asked = 0;
	timer_cb(timer);
	world_run();
	for (int i = 0; i < 10; i++) {
		vips_poke(vips);
		world_run();
	}
	assert_int_equal(asked, 0);
	assert_events("1:withdrawn ");
	/* Another has it. */
	wants[1] = VIP_DOWN;
	world_tick();
	assert_false(routes[1]);
	assert_events("");
	/* Nobody has. */
	wants[1] = VIP_UP;
	world_tick();
	assert_true(routes[1]);
	assert_events("1:announced ");
	world_end(vips);
}

/* One that is gone before anybody took it away was announced until now. */
void test_vanished(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	wants[1] = VIP_UP;
	world_tick();
	routes[1] = false;
	wants[1] = VIP_DOWN;
	world_tick();
	assert_events("1:announced 1:withdrawn ");
	world_end(vips);
}

/* Others wait until an address is gone, however long that takes. */
void test_let_go(void **state)
{
	struct vips *vips = begin_dev();

	(void)state;
	assert_true(vips_let_go(NULL));
	assert_true(vips_let_go(vips));
	wants[1] = VIP_UP;
	world_tick();
	assert_true(vips_let_go(vips));
	wants[1] = VIP_DOWN;
	assert_false(vips_let_go(vips));
	route_error = -ENOBUFS;
	world_tick();
	assert_false(vips_let_go(vips));
	assert_int_equal(gone, 0);
	route_error = 0;
	world_tick();
	assert_true(vips_let_go(vips));
	assert_int_equal(gone, 1);
	world_tick();
	assert_int_equal(gone, 1);
	world_end(vips);

	/* An mlbd that was killed may have left it. */
	vips = begin_dev();
	wants[1] = VIP_DOWN;
	assert_false(vips_let_go(vips));
	world_tick();
	assert_int_equal(gone, 1);
	assert_true(vips_let_go(vips));
	world_end(vips);
}

/* What an earlier file named, and no reload took away. */
void test_sweep(void **state)
{
	struct config config = world_config(1);
	struct vips *vips;

	(void)state;
	memset(routes, 0, sizeof(routes));
	sweeps = 0;
	routes[1] = true;
	routes[2] = true;
	wants[1] = VIP_KEEP;
	assert_int_equal(vips_open(&vips, &loop, &config, &calls, wants), 0);
	for (int i = 0; i < 3; i++)
		world_tick();
	assert_true(routes[1]);
	assert_false(routes[2]);
	assert_int_equal(sweeps, 1);
	world_end(vips);
}

/* Many pokes of no concern cost nothing. */
void test_poke(void **state)
{
	struct vips *vips = world_begin(1);

	(void)state;
	wants[1] = VIP_UP;
	vips_poke(vips);
	world_run();
	for (int i = 0; i < 10; i++) {
		vips_poke(vips);
		assert_null(work);
	}
	assert_int_equal(asked, 1);
	world_end(vips);
}
