// Stacks of their own: guards, large frames against guards, giving back.
// Needs one of: CO_CAP_GUARD CO_CAP_GIVES_BACK
#include <backend.h>
#include "common/mutant.h"
#include "../kit.h"

// Where a neighbour is: bytes that nobody else may write, and its frame.
struct place {
    volatile unsigned char *canary;
    const char *frame;
};

CORO_DECL(neighbour, (struct place * where;), (word x; volatile unsigned char canary[256];), ())
CORO_DECL(overflowing, (size_t bytes;), (word x;), ())
CORO_DECL(leaping, (word(*leap)(word);), (word x;), ())
CORO_DECL(excursion, (size_t bytes;), (word x;), ())

#define CO_BODIES(_) _(neighbour) _(overflowing) _(leaping) _(excursion)

#if CO_PART_BODIES
CORO(neighbour) {
    CO_BEGIN(neighbour)
        for (my->x = 0; my->x < sizeof my->canary; my->x++)
            my->canary[my->x] = 0xC5;
        my->where->canary = my->canary;
        my->where->frame = (const char *)__builtin_frame_address(0);
        CO_YIELD(my->x, 1);
        my->canary[my->x % sizeof my->canary] = 0; // it lives across the yield
        CO_RETURN(2);
    CO_END
}

CORO(overflowing) {
    CO_BEGIN(overflowing)
        CO_YIELD(my->x, 1);
        my->x = use_stack((const char *)__builtin_frame_address(0), my->bytes);
        CO_RETURN(my->x);
    CO_END
}

// Says where it is, is told how large a frame it shall have.
CORO(leaping) {
    CO_BEGIN(leaping)
        CO_YIELD(my->x, (word)__builtin_frame_address(0));
        my->x = CO_CCALL(my->leap, my->x);
        CO_RETURN(my->x);
    CO_END
}

// Far down and back, twice, with a yield between.
CORO(excursion) {
    CO_BEGIN(excursion)
        CO_YIELD(my->x, use_stack((const char *)__builtin_frame_address(0), my->bytes));
        CO_YIELD(my->x, use_stack((const char *)__builtin_frame_address(0), my->bytes));
        CO_RETURN(2);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

KIT_DRIVERS(CO_BODIES)

// ---- Guards -------------------------------------------------------------------------------------

enum { NEIGHBOURS = 8, STACK = 8192, NOWHERE = 64 << 20, FAR = 40000 };
static struct place places[NEIGHBOURS];

// Coroutines that take turns at the same addresses are elsewhere while they wait.
static bool is_elsewhere(int i) {
    for (int k = 0; k < NEIGHBOURS; k++)
        if (k != i && places[k].canary == places[i].canary)
            return true;
    return false;
}

// On a stack of its own: the one that overflowed has no room. Lets the fault kill the process as it
// would have done, unless a neighbour was overwritten first.
static void look_at_canaries(int signal_number) {
    for (int i = 0; i < NEIGHBOURS; i++)
        for (int k = 0; places[i].canary != NULL && !is_elsewhere(i) && k < 256; k++)
            if (places[i].canary[k] != 0xC5)
                FAIL("the overflow overwrote a neighbour before it faulted");
    signal(signal_number, SIG_DFL);
}

static void give_signal_stack(void) {
    stack_t stack = {};
    stack.ss_size = 65536;
    stack.ss_sp =
        malloc(stack.ss_size); // lives as long as its thread: this process is about to die
    if (stack.ss_sp == NULL || sigaltstack(&stack, NULL) != 0)
        FAIL("no signal stack");
}

static void expect_fault(void) {
    struct co_config config = {};
    config.guard = true;
    config.thread_started = give_signal_stack;
    WANT_STATUS(CO_RT(backend_configure)(&config), 0);
    give_signal_stack();
    struct sigaction action = {};
    action.sa_handler = look_at_canaries;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGSEGV, &action, NULL);
}

static void settle(size_t first, size_t end, size_t stack) {
    static CO_VAR(neighbour) n[NEIGHBOURS];
    for (size_t i = first; i < end; i++) {
        WANT_STATUS(CO_INIT_STACK(neighbour, &n[i], stack, &places[i]), 0);
        WANT_GO(neighbour, &n[i], 0, CO_YIELDED, 1);
    }
}

// So many more that live on, without a watch on them.
static void crowd(size_t count) {
    if (count == 0)
        return;
    struct co_limit limit = co_backend_limit();
    size_t memory = (size_t)sysconf(_SC_AVPHYS_PAGES) / 4;
    if (kit_sanitized)
        kit_not_claimed("a sanitizer keeps a shadow of each stack");
    if (limit.live < count + 2 * NEIGHBOURS)
        kit_not_claimed(limit.reason);
    if (memory < count || (CO_BACKEND_CAPS & CO_CAP_PARALLEL) != 0)
        kit_not_claimed("too many for this machine's memory, or for its kernel threads");
    CO_VAR(neighbour) *n = (CO_VAR(neighbour) *)calloc(count, sizeof *n);
    static struct place unwatched;
    if (n == NULL)
        FAIL("no memory for %zu variables", count);
    for (size_t i = 0; i < count; i++) {
        if (CO_INIT_STACK(neighbour, &n[i], STACK, &unwatched) != 0)
            FAIL("number %zu of %zu: %s", i + 1, count, CO_RT(backend_reason)());
        WANT_GO(neighbour, &n[i], 0, CO_YIELDED, 1);
    }
}

// The one that overflows has `before` others made before it, `after` others after it, and
// neighbours that are watched on both sides.
static void overflow(size_t stack, size_t before, size_t after) {
    CO_VAR(overflowing) v = {};
    expect_fault();
    crowd(before);
    settle(0, NEIGHBOURS / 2, stack);
    WANT_STATUS(CO_INIT_STACK(overflowing, &v, stack, (size_t)NOWHERE), 0);
    WANT_GO(overflowing, &v, 0, CO_YIELDED, 1);
    settle(NEIGHBOURS / 2, NEIGHBOURS, stack);
    crowd(after);
    word out = 0;
    CO_RESUME(overflowing, &v, 0, &out);
    FAIL("%d MiB of stack were used and nothing faulted", NOWHERE >> 20);
}

KIT_CHECK(overflow, CO_CAP_GUARD, KIT_SEGV,
          "using more stack than there is faults before a neighbour is overwritten") {
    overflow(STACK, 0, 0);
}

KIT_CHECK(overflow_large, CO_CAP_GUARD | CO_CAP_STACK_SIZE, KIT_SEGV,
          "so it does on stacks for which more than the usual size was asked") {
    overflow(200000, 0, 0);
}

KIT_CHECK(overflow_early, CO_CAP_GUARD, KIT_SEGV,
          "so it does on one of the first stacks, when 40 000 came after it") {
    overflow(STACK, 0, FAR);
}

KIT_CHECK(overflow_late, CO_CAP_GUARD, KIT_SEGV,
          "so it does on stack 40 000: guards do not run out unnoticed") {
    overflow(STACK, FAR, 0);
}

KIT_CHECK(overflow_on_an_old_kernel, CO_CAP_GUARD, KIT_SEGV,
          "so it does where the kernel has no MADV_GUARD_INSTALL") {
    kit_play_kernel(KIT_KERNEL_OLD);
    overflow(STACK, 0, 0);
}

KIT_CHECK(overflow_if_the_kernel_lies, CO_CAP_GUARD, KIT_SEGV,
          "so it does where MADV_GUARD_INSTALL succeeds and guards nothing: guards are looked at") {
    kit_play_kernel(KIT_KERNEL_THAT_LIES);
    overflow(STACK, 0, 0);
}

KIT_CHECK(
    no_stack_without_guard, CO_CAP_GUARD, KIT_ALWAYS,
    "where each guard is a mapping, more stacks than there may be are refused, not unguarded") {
    kit_play_kernel(KIT_KERNEL_OLD);
    struct co_limit limit = co_backend_limit();
    if (limit.live > FAR || (CO_BACKEND_CAPS & CO_CAP_PARALLEL) != 0 || kit_sanitized)
        kit_not_claimed("no limit of mappings that could be reached here");
    size_t n = 2 * limit.live, made = 0;
    CO_VAR(neighbour) *v = (CO_VAR(neighbour) *)calloc(n, sizeof *v);
    if (v == NULL)
        FAIL("no memory for %zu variables", n);
    while (made < n && CO_INIT_STACK(neighbour, &v[made], STACK, NULL) == 0)
        made++;
    if (made == n)
        FAIL("%zu stacks are alive where the limit is %zu: %s", n, limit.live, limit.reason);
    if (strstr(CO_RT(backend_reason)(), "max_map_count") == NULL)
        FAIL("the reason does not name the limit: %s", CO_RT(backend_reason)());
    for (size_t i = 0; i < made; i++)
        WANT_FINI(neighbour, &v[i]);
    free(v);
}

// A frame that reaches right into the stack below. Compiled with -fstack-clash-protection it
// touches each page on its way, the guard too; without, as the mutant shows, it steps over the
// guard.
KIT_CHECK(overflow_by_a_frame, CO_CAP_GUARD, KIT_SEGV,
          "a frame larger than the guard faults if it was compiled to touch each of its pages") {
    CO_VAR(leaping) v = {};
    expect_fault();
    settle(0, NEIGHBOURS / 2, STACK);
    WANT_STATUS(
        CO_INIT_STACK(leaping, &v, STACK, CO_MUTATE(unprobed, kit_leap_probed, kit_leap_unprobed)),
        0);
    word frame = 0, out = 0;
    WANT_STATUS(GO(leaping, &v, 0, &frame), CO_YIELDED);
    settle(NEIGHBOURS / 2, NEIGHBOURS, STACK);
    word below = 0;
    for (int i = 0; i < NEIGHBOURS; i++)
        if ((word)places[i].frame < frame && (word)places[i].frame > below)
            below = (word)places[i].frame;
    if (below == 0)
        kit_not_claimed("no stack lies below another");
    CO_RESUME(leaping, &v, frame - below, &out);
    FAIL("a frame of %zu bytes reached the stack below and nothing faulted",
         (size_t)(frame - below));
}

// ---- Giving back --------------------------------------------------------------------------------

enum { DEEP = 48 << 10, MANY = 2000 };

// How much more is resident while `n` are back from far down.
static size_t go_deep(CO_VAR(excursion) * v, size_t n, size_t before) {
    for (size_t i = 0; i < n; i++) {
        WANT_STATUS(CO_INIT_STACK(excursion, &v[i], DEEP + 4096, (size_t)DEEP), 0);
        WANT_GO(excursion, &v[i], 0, CO_YIELDED, 1);
    }
    return kit_memory_now().resident - before;
}

KIT_CHECK(gives_back, CO_CAP_GIVES_BACK, KIT_ALWAYS,
          "of what many stacks took far down, half at most is still there after they ended") {
    static CO_VAR(excursion) v[MANY];
    if (kit_sanitized || (size_t)sysconf(_SC_AVPHYS_PAGES) / 4 < MANY * (DEEP / 4096 + 1))
        kit_not_claimed("resident bytes say nothing under a sanitizer; or too little memory");
    size_t before = kit_memory_now().resident;
    for (int round = 0; round < 3; round++) {
        size_t deep = go_deep(v, MANY, before);
        if (deep < (size_t)MANY * DEEP)
            FAIL("%d coroutines %d bytes deep take %zu bytes", MANY, DEEP, deep);
        for (size_t i = 0; i < MANY; i++)
            WANT_FINI(excursion, &v[i]);
        size_t after = kit_memory_now().resident - before;
        if (after > deep / 2)
            FAIL("%zu bytes when deep, %zu after they ended", deep, after);
    }
}
#endif
