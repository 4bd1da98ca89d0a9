// Pools of several threads: no slot belongs to two, what another thread gives back is taken again,
// what a thread leaves behind is adopted. Built with the thread sanitizer, so that a race is a
// failure; no coroutine runs, since that sanitizer does not know other stacks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <backend.h>

enum { SOME = 100, THREADS = 4, SHARED = 512, ROUNDS = 20000 };

static const size_t needs[] = {100, 1000, 5000, 20000};
static struct co_stack *kept[SOME];

static void run_thread(void *(*f)(void *), void *arg) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, f, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *take(void *need) {
    for (size_t i = 0; i < SOME; i++)
        kept[i] = co_stack_new(*(const size_t *)need);
    return NULL;
}

static void *give_back(void *arg) {
    for (size_t i = 0; i < SOME; i++)
        co_stack_free(kept[i]);
    return arg;
}

static bool is_kept(const struct co_stack *stack) {
    for (size_t i = 0; i < SOME; i++)
        if (kept[i] == stack)
            return true;
    return false;
}

// Its own pool is empty: the stacks that it gave back to another thread's pool are nearest.
static void *steal(void *need) {
    give_back(NULL);
    struct co_stack *stolen[SOME];
    for (size_t i = 0; i < SOME; i++) {
        stolen[i] = co_stack_new(*(const size_t *)need);
        assert_true(is_kept(stolen[i]));
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(stolen[i], stolen[j]);
    }
    memcpy(kept, stolen, sizeof kept);
    return give_back(NULL);
}

static void stolen(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof needs / sizeof needs[0]; k++) {
        size_t need = needs[k];
        take(&need);
        run_thread(steal, &need);
        co_backend_trim();
    }
}

static void *take_and_give_back(void *need) {
    take(need);
    return give_back(NULL);
}

static void adopted(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof needs / sizeof needs[0]; k++) {
        size_t need = needs[k];
        run_thread(take_and_give_back, &need);
        struct co_stack *stack = co_stack_new(need);
        assert_true(is_kept(stack));
        co_stack_free(stack);
        co_backend_trim();
    }
}

// A board of stacks that all threads take from and put on: what is taken off is given back by a
// thread that most likely did not make it.
static struct {
    pthread_mutex_t lock;
    struct co_stack *on[SHARED];
} board = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct co_stack *exchange(size_t at, struct co_stack *stack) {
    pthread_mutex_lock(&board.lock);
    struct co_stack *old = board.on[at];
    board.on[at] = stack;
    pthread_mutex_unlock(&board.lock);
    return old;
}

// The words below the record say whose the stack is; two owners would overwrite each other's.
static void sign(struct co_stack *stack, word who) {
    ((word *)stack)[-1] = who;
    ((word *)stack)[-2] = (word)stack ^ who;
}

static bool signed_well(const struct co_stack *stack) {
    const word *top = (const word *)stack;
    return (top[-1] ^ top[-2]) == (word)stack;
}

static void *churn(void *seed) {
    uint32_t random = *(const uint32_t *)seed;
    for (word i = 0; i < ROUNDS; i++) {
        random = random * 1664525 + 1013904223;
        struct co_stack *stack = co_stack_new(needs[random >> 30 & 1]);
        if (stack == NULL)
            abort();
        sign(stack, i);
        stack = exchange(random >> 16 & (SHARED - 1), stack);
        if (stack == NULL)
            continue;
        if (!signed_well(stack))
            abort();
        co_stack_free(stack);
    }
    return NULL;
}

static void churned(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        seeds[i] = i * 77 + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &seeds[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < SHARED; i++)
        if (board.on[i] != NULL)
            co_stack_free(board.on[i]);
    co_backend_trim();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stolen),
        cmocka_unit_test(adopted),
        cmocka_unit_test(churned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
