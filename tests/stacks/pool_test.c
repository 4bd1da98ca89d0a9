// Size classes and their pools: which class a body gets, that slots are never handed out twice,
// what giving back twice does, a micro pool in the caller's storage, chunks bound to a NUMA node.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <backend.h>

CORO_DECL(flat, (word a;), (word x;), ())
CORO_DECL(recursive, (word depth;), (word x;), REC(recursive))
CORO_DECL(pointer, (word(*f)(word);), (word x;), ())

#if CO_PART_BODIES
CORO(flat) {
    CO_BEGIN(flat)
        CO_YIELD(my->x, my->a + 1);
        CO_RETURN(my->x);
    CO_END
}
CORO(recursive) {
    CO_BEGIN(recursive)
        my->x = my->depth;
        if (my->depth > 0)
            CO_CALLREC(my->x, recursive, my->depth - 1);
        CO_YIELD(my->x, my->x + my->depth);
        CO_RETURN(my->x);
    CO_END
}
CORO(pointer) {
    CO_BEGIN(pointer)
        CO_YIELD(my->x, CO_CCALL(my->f, 1));
        CO_RETURN(my->x);
    CO_END
}
#define CO_BODIES(_) _(flat) _(recursive) _(pointer)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static word one(word a) {
    return a;
}

static unsigned class_of(const struct co_stackful *co) {
    return co->stack->chunk->class_;
}

static void stated_needs(void **state) {
    (void)state;
    static const struct {
        size_t need;
        unsigned class_;
    } cases[] = {
        {1, CO_CLASS_MICRO},
        {CO_NEED_MICRO, CO_CLASS_MICRO},
        {CO_NEED_MICRO + 1, CO_CLASS_SMALL},
        {CO_NEED_SMALL, CO_CLASS_SMALL},
        {CO_NEED_SMALL + 1, CO_CLASS_MEDIUM},
        {CO_NEED_MEDIUM + 1, CO_CLASS_LARGE},
        {CO_NEED_LARGE + 1, CO_CLASS_HUGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (CO_STACK_ASAN && cases[i].class_ < CO_CLASS_MEDIUM)
            continue; // there is no such class then
        CO_VAR(flat) v;
        memset((void *)&v, 0, sizeof v);
        assert_int_equal(CO_INIT_STACK(flat, &v, cases[i].need, 1), 0);
        assert_int_equal(class_of(&v.co_), cases[i].class_);
        assert_true((size_t)((char *)v.co_.stack - v.co_.stack->low) >= cases[i].need);
        assert_int_equal(CO_FINI(flat, &v), 0);
    }
}

// A body without bound gets room to grow; its bound puts a flat one into a packed class in a build
// that nothing instruments.
static void computed_needs(void **state) {
    (void)state;
    CO_VAR(flat) f;
    CO_VAR(recursive) r;
    CO_VAR(pointer) p;
    assert_int_equal(CO_INIT(flat, &f, 1), 0);
    assert_int_equal(CO_INIT(recursive, &r, 10), 0);
    assert_int_equal(CO_INIT(pointer, &p, one), 0);
    assert_int_equal(class_of(&r.co_), CO_CLASS_LARGE);
    assert_int_equal(class_of(&p.co_), CO_CLASS_LARGE);
#ifdef NDEBUG
    assert_in_range(class_of(&f.co_), CO_CLASS_MICRO, CO_CLASS_SMALL);
#endif
    word out;
    assert_int_equal(CO_RESUME(flat, &f, 0, &out), CO_YIELDED);
    assert_int_equal(out, 2);
    CO_FINI(flat, &f);
    CO_FINI(recursive, &r);
    CO_FINI(pointer, &p);
}

static int by_address(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    return x < y ? -1 : x > y;
}

// More than one chunk of each class: all apart by what the class promises, and the holes that are
// made at random are the ones that are filled.
static void slots(void **state) {
    (void)state;
    static const size_t needs[] = {CO_STACK_ASAN ? 5000 : 100, CO_STACK_ASAN ? 6000 : 1000, 5000};
    enum { N = 5000 };
    struct co_stack **all = (struct co_stack **)calloc(N, sizeof *all);
    assert_non_null(all);
    for (size_t k = 0; k < sizeof needs / sizeof needs[0]; k++) {
        size_t n = needs[k] > 4096 ? 1500 : N;
        for (size_t i = 0; i < n; i++) {
            all[i] = co_stack_new(needs[k]);
            assert_non_null(all[i]);
            memset(all[i]->low, 0x5A, (size_t)((char *)all[i] - all[i]->low));
        }
        for (int round = 0; round < 3; round++) {
            for (size_t i = (size_t)round; i < n; i += 7)
                co_stack_free(all[i]);
            for (size_t i = (size_t)round; i < n; i += 7)
                all[i] = co_stack_new(needs[k]);
            qsort(all, n, sizeof *all, by_address);
            for (size_t i = 1; i < n; i++) {
                assert_true(all[i - 1] < all[i]);
                assert_true((char *)(all[i - 1] + 1) <= all[i]->low);
                assert_true((size_t)((char *)all[i] - all[i]->low) >= needs[k]);
            }
        }
        for (size_t i = 0; i < n; i++)
            co_stack_free(all[i]);
    }
    free(all);
    co_backend_trim();
}

// Runs f in a child: the signal that ended it.
static int signal_of(void (*f)(void)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(2); // the message is for people
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void free_twice(void) {
    struct co_stack *stack = co_stack_new(100);
    co_stack_free(stack);
    co_stack_free(stack);
}

static void overflow_small(void) {
    CO_VAR(flat) v;
    word out;
    CO_INIT_STACK(flat, &v, CO_NEED_SMALL, 1);
    memset(v.co_.stack->low, 0, 8); // as a body does that goes too deep
    CO_RESUME(flat, &v, 0, &out);
}

static void mistakes(void **state) {
    (void)state;
    assert_int_equal(signal_of(free_twice), SIGABRT);
    if (!CO_STACK_ASAN)
        assert_int_equal(signal_of(overflow_small), SIGABRT);
}

static void lent(void **state) {
    (void)state;
    enum { SLOTS = 100 };
    _Alignas(64) char pool[SLOTS * CO_CLASS_MICRO_STRIDE + sizeof(struct co_chunk) + 64];
    if (CO_STACK_ASAN)
        return;
    assert_int_equal(co_classes_lend(pool, 64), 0);
    size_t n = co_classes_lend(pool, sizeof pool);
    assert_in_range(n, SLOTS, SLOTS + 1);
    CO_VAR(flat) v[SLOTS + 10];
    word out;
    for (size_t i = 0; i < n + 5; i++) {
        assert_int_equal(CO_INIT_STACK(flat, &v[i], CO_NEED_MICRO, i), 0);
        const char *at = (const char *)v[i].co_.stack;
        assert_true((at >= pool && at < pool + sizeof pool) == (i < n));
    }
    for (size_t i = 0; i < n + 5; i++) {
        assert_int_equal(CO_RESUME(flat, &v[i], 0, &out), CO_YIELDED);
        assert_int_equal(out, i + 1);
    }
    for (size_t i = 0; i < n + 5; i++)
        assert_int_equal(CO_FINI(flat, &v[i]), 0);
    co_backend_trim();
    assert_int_equal(CO_INIT_STACK(flat, &v[0], CO_NEED_MICRO, 1), 0);
    const char *at = (const char *)v[0].co_.stack;
    assert_false(at >= pool && at < pool + sizeof pool);
    CO_FINI(flat, &v[0]);
    co_backend_trim();
}

// Maps a chunk and gives it back; what the backend then says of NUMA.
static const char *numa_says(int *policy) {
    struct co_stack *stack = co_stack_new(5000);
    assert_non_null(stack);
    const unsigned long by_address = 2; // MPOL_F_ADDR
    *policy = -1;
    syscall(SYS_get_mempolicy, policy, NULL, 0, stack->low, by_address);
    co_stack_free(stack);
    co_backend_trim();
    return co_classes_numa_says();
}

// With one node nothing is bound. Told of two, a chunk is bound to the node of this thread, which
// works on a machine with one node too; some containers refuse it, and then creation goes on.
static void nodes(void **state) {
    (void)state;
    const struct co_numa before = co_classes_numa;
    int policy;
    co_classes_numa.nodes = 1;
    co_classes_numa.at = NULL;
    assert_string_equal(numa_says(&policy), "one NUMA node: nothing to bind");
    assert_null(co_classes_numa.at);
    assert_true(policy <= 0); // the default policy, or the kernel does not say

    co_classes_numa.nodes = 2;
    const char *says = numa_says(&policy);
    assert_non_null(co_classes_numa.at);
    assert_true(co_classes_numa.bytes > 5000);
#if CO_CLASSES_HWLOC
    if (co_classes_numa.bound == before.bound + 1) {
        assert_string_equal(says, "chunks are bound to the node of the thread that maps them");
        assert_int_not_equal(policy, 0);
    } else {
        assert_int_equal(co_classes_numa.bound, before.bound);
        assert_true(policy <= 0);
        assert_string_not_equal(says, "chunks are bound to the node of the thread that maps them");
    }
#else
    assert_string_equal(says, "built without hwloc: chunks are not bound");
#endif
    co_classes_numa.nodes = 0; // this machine's own, whatever it has
    says = numa_says(&policy);
    assert_true(co_classes_numa.nodes >= 1);
    assert_true((co_classes_numa.nodes == 1) == (strncmp(says, "one NUMA node", 13) == 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stated_needs), cmocka_unit_test(computed_needs), cmocka_unit_test(slots),
        cmocka_unit_test(mistakes),     cmocka_unit_test(lent),           cmocka_unit_test(nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
