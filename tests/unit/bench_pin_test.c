// Where a sample is taken: on the first unit where that is calm, else on the calmer one. What a
// core does is made up here, by the unit that asks.
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/bench/pin.h"

static int first, other, looks;
static double at_first, at_other;

static double look(void) {
    looks++;
    return sched_getcpu() == first ? at_first : at_other;
}

// The last two units that this process may use; without a second one, other is -1.
static void find_units(void) {
    cpu_set_t set;
    first = other = -1;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) {
            other = first;
            first = cpu;
        }
}

// Where it ends; each core makes so many additions in a cycle, and 3 are wanted.
static int seek(double here, double there, int second) {
    struct cb_pins pins;
    char why[256];
    at_first = here;
    at_other = there;
    looks = 0;
    assert_int_equal(cb_pin_start(&pins, &first, 1, 1, why, sizeof why), CB_PIN_OK);
    const struct cb_calm calm = {.width = 3, .wait_ms = 5};
    assert_true(cb_pin_seek_calm(&pins, second, &calm, look));
    assert_int_equal(sched_getcpu(), pins.cpus[0]);
    assert_false(cb_pin_moved(&pins));
    cb_pin_stop();
    return pins.cpus[0];
}

static void stays_where_it_is_calm(void **state) {
    (void)state;
    find_units();
    assert_int_equal(seek(3, 4, other), first);
    assert_int_equal(looks, 1);
}

static void waits_on_its_only_unit(void **state) {
    (void)state;
    find_units();
    assert_int_equal(seek(2, 4, -1), first);
    assert_true(looks > 1);
}

static void goes_where_it_is_calmer(void **state) {
    (void)state;
    find_units();
    if (other < 0)
        skip();
    assert_int_equal(seek(2, 3, other), other);
    assert_int_equal(looks, 2);
    assert_int_equal(seek(1, 2, other), other);
    assert_int_equal(seek(2, 1, other), first);
    assert_int_equal(seek(2, 2, other), first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_where_it_is_calm),
        cmocka_unit_test(waits_on_its_only_unit),
        cmocka_unit_test(goes_where_it_is_calmer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
