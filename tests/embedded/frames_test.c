// Frames inside frames: a nest of calls is one object without any allocation, a frame has room for
// its largest callee and not for all, recursion is boxed, alignment is kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <backend.h>
#include "../conformance/kit.h"

// The memory that frames were seen in.
struct span {
    const char *low, *high;
    word frames;
};

CORO_DECL(l00, (struct span * s; word key;), (word x;), ())

// 64 levels, each calling the one below; their names are octal numbers.
#define ROW(_, r)                                                                                  \
    _(r##1, r##0)                                                                                  \
    _(r##2, r##1) _(r##3, r##2) _(r##4, r##3) _(r##5, r##4) _(r##6, r##5) _(r##7, r##6)
#define NEXT_ROW(_, r, before) _(r##0, before##7) ROW(_, r)
#define LEVELS(_)                                                                                  \
    ROW(_, 0)                                                                                      \
    NEXT_ROW(_, 1, 0)                                                                              \
    NEXT_ROW(_, 2, 1)                                                                              \
    NEXT_ROW(_, 3, 2)                                                                              \
    NEXT_ROW(_, 4, 3)                                                                              \
    NEXT_ROW(_, 5, 4) NEXT_ROW(_, 6, 5) NEXT_ROW(_, 7, 6)
#define LEVEL_DECL(n, below)                                                                       \
    CORO_DECL(l##n, (struct span * s; word key;), (word x;), (SUB(l##below)))
LEVELS(LEVEL_DECL)

CORO_DECL(small, (word n;), (word x;), ())
CORO_DECL(medium, (word n;), (word x; word table[20];), ())
CORO_DECL(large, (word n;), (word x; word table[50];), ())
CORO_DECL(chooses, (word n;), (word x; word sum;), (SUB(small) SUB(medium) SUB(large)))
CORO_DECL(digs, (word depth;), (word x;), (REC(digs)))
CORO_DECL(wide, (word n;), (word x; __attribute__((aligned(64))) char lines[128];), ())
CORO_DECL(calls_wide, (word n;), (word x;), (SUB(wide)))

#if CO_PART_BODIES
static void note(struct span *s, const void *frame, size_t bytes) {
    const char *low = (const char *)frame, *high = low + bytes;
    s->low = s->frames == 0 || low < s->low ? low : s->low;
    s->high = s->frames == 0 || high > s->high ? high : s->high;
    s->frames++;
}

CORO(l00) {
    CO_BEGIN(l00)
        note(my->s, my, sizeof *my);
        CO_YIELD(my->x, my->key);
        CO_RETURN(my->x);
    CO_END
}

#define LEVEL(n, below)                                                                            \
    CORO(l##n) {                                                                                   \
        CO_BEGIN(l##n)                                                                             \
            note(my->s, my, sizeof *my);                                                           \
            CO_CALL(my->x, l##below, my->s, my->key + 1);                                          \
            CO_RETURN(my->x * 3 + my->key);                                                        \
        CO_END                                                                                     \
    }
LEVELS(LEVEL)

CORO(small) {
    CO_BEGIN(small)
        CO_YIELD(my->x, my->n);
        CO_RETURN(my->n + my->x);
    CO_END
}

#define FILLS(name)                                                                                \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            for (word i = 0; i < sizeof my->table / sizeof my->table[0]; i++)                      \
                my->table[i] = my->n + i;                                                          \
            CO_YIELD(my->x, my->n);                                                                \
            CO_RETURN(my->table[sizeof my->table / sizeof my->table[0] - 1] + my->x);              \
        CO_END                                                                                     \
    }
FILLS(medium)
FILLS(large)

CORO(chooses) {
    CO_BEGIN(chooses)
        my->sum = 0;
        CO_CALL(my->x, small, my->n);
        my->sum += my->x;
        CO_CALL(my->x, large, my->n);
        my->sum += my->x;
        CO_CALL(my->x, medium, my->n);
        CO_RETURN(my->sum + my->x);
    CO_END
}

CORO(digs) {
    CO_BEGIN(digs)
        if (my->depth > 0) {
            CO_CALLREC(my->x, digs, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1);
        }
        CO_RETURN(my->x + 1);
    CO_END
}

CORO(wide) {
    CO_BEGIN(wide)
        CO_YIELD(my->x, (word)my->lines % 64);
        CO_RETURN(my->n + my->x);
    CO_END
}

CORO(calls_wide) {
    CO_BEGIN(calls_wide)
        CO_CALL(my->x, wide, my->n);
        CO_RETURN(my->x);
    CO_END
}
#define CO_BODIES(_) _(l00) _(small) _(medium) _(large) _(chooses) _(digs) _(wide) _(calls_wide)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// allocations.c asks: whether it may stand before the C library's functions.
#ifdef KIT_ASAN
const bool kit_sanitized = true;
#else
const bool kit_sanitized = false;
#endif

// No memory from here on, neither the backend's nor anybody's.
static void forbid_memory(void) {
    struct co_config config = {.guard = true, .memory_limit = 1};
    assert_int_equal(co_backend_configure(&config), 0);
    kit_fail_allocation(1, true);
}

static unsigned allow_memory(void) {
    unsigned failed = kit_allocations_failed();
    kit_fail_allocation(0, false);
    struct co_config config = {.guard = true};
    assert_int_equal(co_backend_configure(&config), 0);
    return failed;
}

// What comes out of a nest whose leaf returns `sent`.
static word result_of(word levels, word sent) {
    for (word level = 1; level < levels; level++)
        sent = sent * 3 + levels - 1 - level;
    return sent;
}

// A nest of so many levels: run to its end, and once more closed while its leaf waits.
#define NEST(name, root, levels)                                                                   \
    static void name(void **state) {                                                               \
        (void)state;                                                                               \
        struct span s = {NULL, NULL, 0};                                                           \
        CO_VAR(root) v;                                                                            \
        word out[3] = {0, 0, 0};                                                                   \
        int is[5];                                                                                 \
        forbid_memory();                                                                           \
        is[0] = CO_INIT(root, &v, &s, 0);                                                          \
        is[1] = CO_RESUME(root, &v, 0, &out[0]);                                                   \
        word frames = s.frames;                                                                    \
        is[2] = CO_RESUME(root, &v, 5, &out[1]);                                                   \
        is[3] = CO_FINI(root, &v) + CO_INIT(root, &v, &s, 0);                                      \
        is[4] = CO_RESUME(root, &v, 0, &out[2]);                                                   \
        int closed = CO_FINI(root, &v);                                                            \
        assert_int_equal(allow_memory(), 0);                                                       \
        assert_int_equal(is[0], 0);                                                                \
        assert_int_equal(is[1], CO_YIELDED);                                                       \
        assert_int_equal(is[2], CO_RETURNED);                                                      \
        assert_int_equal(is[3], 0);                                                                \
        assert_int_equal(is[4], CO_YIELDED);                                                       \
        assert_int_equal(closed, 0);                                                               \
        assert_int_equal(out[0], (levels)-1);                                                      \
        assert_int_equal(out[1], result_of(levels, 5));                                            \
        assert_int_equal(out[2], (levels)-1);                                                      \
        assert_int_equal(frames, levels);                                                          \
        assert_true(s.low >= (const char *)&v && s.high <= (const char *)(&v + 1));                \
        assert_int_equal(sizeof v.frame, (levels) * sizeof(struct co_frame_l00));                  \
    }
NEST(eight_levels, l07, 8)
NEST(sixty_four_levels, l77, 64)

static void room_for_the_largest(void **state) {
    (void)state;
    size_t own = offsetof(struct co_frame_chooses, co_sub_large);
    assert_int_equal(sizeof(struct co_frame_chooses), own + sizeof(struct co_frame_large));
    assert_int_equal(offsetof(struct co_frame_chooses, co_sub_small), own);
    assert_int_equal(offsetof(struct co_frame_chooses, co_sub_medium), own);
    CO_VAR(chooses) v;
    word out = 0;
    assert_int_equal(CO_INIT(chooses, &v, 100), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CO_RESUME(chooses, &v, i, &out), CO_YIELDED);
        assert_int_equal(out, 100);
    }
    assert_int_equal(CO_RESUME(chooses, &v, 3, &out), CO_RETURNED);
    assert_int_equal(out, 100 + 1 + 149 + 2 + 119 + 3);
    assert_int_equal(CO_FINI(chooses, &v), 0);
}

static void recursion_is_boxed(void **state) {
    (void)state;
    CO_VAR(digs) v;
    word out = 0;
    assert_int_equal(sizeof(struct co_frame_digs),
                     offsetof(struct co_frame_digs, co_rec_digs) + sizeof(void *));
    assert_int_equal(CO_INIT(digs, &v, 1), 0);
    forbid_memory();
    int status = CO_RESUME(digs, &v, 0, &out);
    allow_memory();
    assert_int_equal(status, CO_FAILED);
    assert_int_equal(out, CO_NOMEM);
    assert_int_equal(CO_FINI(digs, &v), 0);
    assert_int_equal(CO_INIT(digs, &v, 1000), 0);
    assert_int_equal(CO_RESUME(digs, &v, 0, &out), CO_YIELDED);
    assert_int_equal(CO_RESUME(digs, &v, 7, &out), CO_RETURNED);
    assert_int_equal(out, 7 + 1001);
    assert_int_equal(CO_FINI(digs, &v), 0);
    co_backend_trim();
}

// Through the handle too, which has to find the frame behind the root.
static void alignment_is_kept(void **state) {
    (void)state;
    CO_VAR(wide) w;
    CO_VAR(calls_wide) c;
    word out = 1;
    assert_int_equal(CO_INIT(wide, &w, 4), 0);
    assert_int_equal(CO_INIT(calls_wide, &c, 5), 0);
    assert_int_equal(co_resume(CO_HANDLE(&w), 0, &out), CO_YIELDED);
    assert_int_equal(out, 0);
    out = 1;
    assert_int_equal(co_resume(CO_HANDLE(&c), 0, &out), CO_YIELDED);
    assert_int_equal(out, 0);
    assert_int_equal(CO_RESUME(wide, &w, 2, &out), CO_RETURNED);
    assert_int_equal(out, 6);
    assert_int_equal(CO_RESUME(calls_wide, &c, 2, &out), CO_RETURNED);
    assert_int_equal(out, 7);
    assert_int_equal(CO_FINI(wide, &w), 0);
    assert_int_equal(CO_FINI(calls_wide, &c), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_levels),         cmocka_unit_test(sixty_four_levels),
        cmocka_unit_test(room_for_the_largest), cmocka_unit_test(recursion_is_boxed),
        cmocka_unit_test(alignment_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
