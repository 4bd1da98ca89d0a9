// How far down the native stack a coroutine runs when it is resumed through wrappers around it.
// Where delegations collapse it is the same for one as for many, whoever of them is driven and
// however the chain was made; elsewhere each wrapper adds its frames.
#include <backend.h>

#include <stddef.h>
#include <stdint.h>

enum { MOST = 64 };

CORO_DECL(source, (word n;), (word x; word i;), ())
CORO_DECL(wrapper, (co_handle other;), (word x;), ())
CORO_DECL(late_wrapper, (co_handle other;), (word x;), ())
#define CO_BODIES(_) _(source) _(wrapper) _(late_wrapper)

#if CO_PART_BODIES
// The address of a frame on the stack that the body runs on.
static __attribute__((noinline)) word here(word unused) {
    (void)unused;
    return (word)__builtin_frame_address(0);
}

CORO(source) {
    CO_BEGIN(source)
        for (my->i = 0; my->i < my->n; my->i++)
            CO_YIELD(my->x, CO_CCALL(here, 0));
        CO_RETURN(CO_CCALL(here, 0));
    CO_END
}

CORO(wrapper) {
    CO_BEGIN(wrapper)
        CO_DELEGATE(my->x, my->other);
        CO_RETURN(my->x);
    CO_END
}

// Is suspended once before it delegates.
CORO(late_wrapper) {
    CO_BEGIN(late_wrapper)
        CO_YIELD(my->x, 0);
        CO_DELEGATE(my->x, my->other);
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const bool collapses = ((unsigned)CO_BACKEND_CAPS & CO_CAP_EAGER) != 0;

struct chain {
    CO_VAR(source) source;
    CO_VAR(wrapper) wrapper[MOST];
    co_handle outermost;
};

static void wrap(struct chain *chain, unsigned wrappers, word n) {
    assert_int_equal(CO_INIT(source, &chain->source, n), 0);
    chain->outermost = CO_HANDLE(&chain->source);
    for (unsigned i = 0; i < wrappers; i++) {
        assert_int_equal(CO_INIT(wrapper, &chain->wrapper[i], chain->outermost), 0);
        chain->outermost = CO_HANDLE(&chain->wrapper[i]);
    }
}

static void unwrap(struct chain *chain, unsigned wrappers) {
    while (wrappers-- > 0)
        assert_int_equal(CO_FINI(wrapper, &chain->wrapper[wrappers]), 0);
    assert_int_equal(CO_FINI(source, &chain->source), 0);
}

// Resumed always from the same depth: bytes from here down to the source's frame.
static __attribute__((noinline)) size_t depth_of(co_handle co, int status) {
    word out = 0;
    assert_int_equal(co_resume(co, 0, &out), status);
    return (uintptr_t)__builtin_frame_address(0) - out;
}

static struct chain one, many;

static void a_resume_costs_no_stack_for_wrappers(void **test) {
    (void)test;
    wrap(&one, 1, 6);
    wrap(&many, MOST, 6);
    for (int i = 0; i < 5; i++) {
        size_t through_one = depth_of(one.outermost, CO_YIELDED);
        size_t through_many = depth_of(many.outermost, CO_YIELDED);
        if (i < 2)
            continue; // the first may walk, one way or another
        if (collapses)
            assert_int_equal(through_many, through_one);
        else
            assert_true(through_many >= through_one + (MOST - 1) * 16);
    }
    unwrap(&many, MOST);
    unwrap(&one, 1);
}

// A coroutine that was the outermost of a chain becomes part of a longer one.
static void chains_join(void **test) {
    (void)test;
    CO_VAR(late_wrapper) late[2] = {};
    size_t depth[2] = {0, 0};
    word out;
    for (int i = 0; i < 2; i++) {
        unsigned wrappers = i == 0 ? 1 : MOST;
        struct chain *chain = i == 0 ? &one : &many;
        wrap(chain, wrappers, 9);
        for (int k = 0; k < 3; k++)
            depth_of(chain->outermost, CO_YIELDED);
        assert_int_equal(CO_INIT(late_wrapper, &late[i], chain->outermost), 0);
        assert_int_equal(co_resume(CO_HANDLE(&late[i]), 0, &out), CO_YIELDED);
        for (int k = 0; k < 4; k++)
            depth[i] = depth_of(CO_HANDLE(&late[i]), CO_YIELDED);
        assert_int_equal(CO_FINI(late_wrapper, &late[i]), 0);
        unwrap(chain, wrappers);
    }
    assert_int_equal(collapses, depth[0] == depth[1]);
}

// As the source ends, all wrappers end one after the other, in one resume, on a flat stack.
static void all_end_at_once(void **test) {
    (void)test;
    wrap(&many, MOST, 1);
    word out = 0;
    assert_int_equal(co_resume(many.outermost, 0, &out), CO_YIELDED);
    assert_int_equal(co_resume(many.outermost, 0, &out), CO_RETURNED);
    assert_true(out != 0);
    unwrap(&many, MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resume_costs_no_stack_for_wrappers),
        cmocka_unit_test(chains_join),
        cmocka_unit_test(all_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
