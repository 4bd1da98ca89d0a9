// Many at once, limits, leaks, reuse, moving, threads.
#include <backend.h>
#include "../kit.h"

CORO_DECL(four, (word id;), (word x; word a; word b; word c;), ())
CORO_DECL(dig, (word depth;), (word x;), (REC(dig)))
CORO_DECL(survivor, (struct trace * t; word depth;), (word x; word e;), (REC(dig)))
CORO_DECL(leaf_call, (word id;), (word x;), (SUB(four)))
CORO_DECL(fragile, (word depth;), (word x; word e;), (REC(dig)))

#define CO_BODIES(_) _(four) _(dig) _(survivor) _(leaf_call) _(fragile)

#if CO_PART_BODIES
// A flat generator with some words alive across its yields.
CORO(four) {
    CO_BEGIN(four)
        my->a = my->id * 3;
        my->b = ~my->id;
        my->c = my->id ^ 0x5555;
        CO_YIELD(my->x, my->id);
        CO_YIELD(my->x, my->a + my->b + my->c + my->x);
        CO_RETURN(my->a ^ my->b ^ my->c);
    CO_END
}

CORO(dig) {
    CO_BEGIN(dig)
        if (my->depth > 1) {
            CO_CALLREC(my->x, dig, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1);
        }
        CO_RETURN(my->x + 1);
    CO_END
}

// Whatever happens to its call, it goes on.
CORO(survivor) {
    CO_BEGIN(survivor)
        CO_TRY
            CO_CALLREC(my->x, dig, my->depth);
            mark(my->t, my->x);
            CO_CATCH(my->e)
            mark(my->t, my->e);
        CO_END_TRY
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
    CO_END
}

CORO(leaf_call) {
    CO_BEGIN(leaf_call)
        CO_CALL(my->x, four, my->id);
        CO_RETURN(my->x);
    CO_END
}

CORO(fragile) {
    CO_BEGIN(fragile)
        CO_TRY
            CO_CALLREC(my->x, dig, my->depth);
            CO_CATCH(my->e)
            CO_CALLREC(my->x, dig, my->depth / 2);
            CO_RAISE(my->e);
        CO_END_TRY
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef KIT_ASAN
#include <sanitizer/lsan_interface.h>
#endif

KIT_DRIVERS(CO_BODIES)

static bool claims(unsigned capability) {
    return ((unsigned)(CO_BACKEND_CAPS)&capability) != 0;
}

// How many a check may have alive here. Kernel threads are dear; so are stacks to a sanitizer,
// which keeps a shadow of them; and what is there must be enough for a page and its page table
// each.
static size_t at_most(size_t wanted) {
    struct co_limit limit = co_backend_limit();
    size_t pages = (size_t)sysconf(_SC_AVPHYS_PAGES) / 4;
    size_t most = CO_BINDING == CO_BINDING_OPAQUE ? 100000 : 10000; // pages take their time
    if (claims(CO_CAP_PARALLEL) || kit_sanitized)
        most = 1000;
    most = pages < most ? pages : most;
    most = limit.live < most ? limit.live : most;
    return wanted < most ? wanted : most;
}

static word four_second(word id, word sent) {
    return id * 3 + ~id + (id ^ 0x5555) + sent;
}

static word four_result(word id) {
    return id * 3 ^ ~id ^ id ^ 0x5555;
}

KIT_CHECK(limit_is_stated, 0, KIT_ALWAYS,
          "the backend says how many can be alive, and what sets that limit") {
    struct co_limit limit = co_backend_limit();
    if (limit.live == 0)
        FAIL("no coroutine at all can be alive, says co_backend_limit");
    if (limit.reason == NULL || limit.reason[0] == '\0')
        FAIL("co_backend_limit gives no reason");
    if (CO_RT(backend_reason)() == NULL)
        FAIL("co_backend_reason is NULL before anything has failed");
}

KIT_CHECK(
    many_alive, 0, KIT_ALWAYS,
    "100 000 alive, or the stated limit: resumed in mixed order, some closed, some returned") {
    size_t n = at_most(100000);
    CO_VAR(four) *v = (CO_VAR(four) *)calloc(n, sizeof *v);
    if (v == NULL)
        FAIL("no memory for %zu variables", n);
    for (size_t i = 0; i < n; i++) {
        int status = CO_INIT(four, &v[i], i);
        if (status != 0)
            FAIL("CO_INIT number %zu of %zu gives %d: %s", i + 1, n, status,
                 CO_RT(backend_reason)());
        WANT_GO(four, &v[i], 0, CO_YIELDED, i);
    }
    const size_t stride = 7919; // prime, and no divisor of n
    for (size_t k = 0; k < n; k++) {
        size_t i = k * stride % n;
        if (n % stride != 0 || k < n / stride)
            WANT_GO(four, &v[i], k, CO_YIELDED, four_second(i, k));
    }
    for (size_t i = 0; i < n; i += 3)
        WANT_FINI(four, &v[i]);
    for (size_t i = 1; i < n; i += 3)
        if (n % stride != 0)
            WANT_GO(four, &v[i], 0, CO_RETURNED, four_result(i));
    for (size_t i = 0; i < n; i++)
        WANT_FINI(four, &v[i]);
    free(v);
    CO_RT(backend_trim)();
}

KIT_CHECK(beyond_the_limit, 0, KIT_ALWAYS,
          "asking for more than the stated limit is refused with CO_E_NOMEM, or works") {
    struct co_limit limit = co_backend_limit();
    if (limit.live > 100000 || claims(CO_CAP_PARALLEL) || kit_sanitized)
        kit_not_claimed("no limit that could be reached here");
    size_t n = limit.live + limit.live / 8 + 16, made = 0;
    CO_VAR(four) *v = (CO_VAR(four) *)calloc(n, sizeof *v);
    if (v == NULL)
        FAIL("no memory for %zu variables", n);
    int status = 0;
    while (made < n && (status = CO_INIT(four, &v[made], made)) == 0) {
        word out = 0;
        status = GO(four, &v[made], 0, &out);
        made++;
        if (status != CO_YIELDED)
            break;
    }
    if (made < n) {
        WANT_STATUS(status, CO_E_NOMEM);
        if (made < limit.live)
            FAIL("only %zu of the stated %zu: %s", made, limit.live, CO_RT(backend_reason)());
        if (CO_RT(backend_reason)()[0] == '\0')
            FAIL("CO_E_NOMEM without a reason");
    }
    for (size_t i = 0; i < made; i++)
        WANT_FINI(four, &v[i]);
    CO_VAR(four) again = {};
    WANT_INIT(four, &again, 3);
    WANT_GO(four, &again, 0, CO_YIELDED, 3);
    WANT_FINI(four, &again);
    free(v);
}

// Every way a coroutine can end, n at a time, with and without calls.
static void churn(size_t n) {
    n = kit_sanitized ? n / 8 + 1 : n;
    CO_VAR(four) *f = (CO_VAR(four) *)calloc(n, sizeof *f);
    CO_VAR(leaf_call) *c = (CO_VAR(leaf_call) *)calloc(n, sizeof *c);
    CO_VAR(dig) *d = (CO_VAR(dig) *)calloc(n, sizeof *d);
    CO_VAR(fragile) *g = (CO_VAR(fragile) *)calloc(n, sizeof *g);
    word out = 0;
    if (f == NULL || c == NULL || d == NULL || g == NULL)
        FAIL("no memory for the variables");
    for (size_t i = 0; i < n; i++) {
        WANT_INIT(four, &f[i], i);
        WANT_INIT(leaf_call, &c[i], i);
        WANT_STATUS(CO_INIT_STACK(dig, &d[i], 32768, 1 + i % 16), 0);
        WANT_INIT(fragile, &g[i], 1 + i % 8);
        if (i % 5 == 0)
            continue; // these are never started
        WANT_GO(four, &f[i], 0, CO_YIELDED, i);
        WANT_GO(leaf_call, &c[i], 0, CO_YIELDED, i);
        WANT_GO(dig, &d[i], 0, CO_YIELDED, 1);
        WANT_GO(fragile, &g[i], 0, CO_YIELDED, 1);
        switch (i % 5) {
        case 1: // these return
            WANT_GO(four, &f[i], 0, CO_YIELDED, four_second(i, 0));
            WANT_GO(four, &f[i], 0, CO_RETURNED, four_result(i));
            WANT_STATUS(GO(leaf_call, &c[i], 0, &out), CO_YIELDED);
            WANT_GO(leaf_call, &c[i], 0, CO_RETURNED, four_result(i));
            WANT_GO(dig, &d[i], 4, CO_RETURNED, 5 + i % 16);
            WANT_STATUS(GO(fragile, &g[i], 0, &out), CO_RETURNED);
            break;
        case 2: // these fail
            WANT_HURL(four, &f[i], 6, CO_FAILED, 6);
            WANT_HURL(leaf_call, &c[i], 6, CO_FAILED, 6);
            WANT_HURL(dig, &d[i], 6, CO_FAILED, 6);
            WANT_HURL(fragile, &g[i], 6, CO_YIELDED, 1); // the handler calls once more
            WANT_GO(fragile, &g[i], 0, CO_FAILED, 6);
            break;
        case 3: // these are closed in the handler's call, or where they are
            WANT_HURL(fragile, &g[i], 6, CO_YIELDED, 1);
            break;
        }
    }
    for (size_t i = 0; i < n; i++) {
        WANT_FINI(four, &f[i]);
        WANT_FINI(leaf_call, &c[i]);
        WANT_FINI(dig, &d[i]);
        WANT_FINI(fragile, &g[i]);
    }
    free(f);
    free(c);
    free(d);
    free(g);
}

KIT_CHECK(no_leak, CO_CAP_RECURSION, KIT_ALWAYS,
          "memory and mappings come back after coroutines that returned, failed, were closed") {
    size_t n = at_most(claims(CO_CAP_PARALLEL) ? 400 : 4000) / 4;
    churn(4); // code that runs for the first time becomes resident as well
    CO_RT(backend_trim)();
    struct kit_memory before = kit_memory_now();
    churn(n);
    CO_RT(backend_trim)();
    malloc_trim(0);
    struct kit_memory first = kit_memory_now();
    for (int i = 0; i < 4; i++) {
        churn(n);
        CO_RT(backend_trim)();
    }
    malloc_trim(0);
    struct kit_memory last = kit_memory_now();
#ifdef KIT_ASAN
    if (__lsan_do_recoverable_leak_check() != 0)
        FAIL("the leak checker has found something");
#endif
    if (kit_sanitized)
        return;
    // The C library keeps some ended threads' stacks, and arenas for malloc in threads.
    size_t slack = claims(CO_CAP_PARALLEL) ? 64 : 4;
    if (first.mappings > before.mappings + slack || last.mappings > first.mappings + slack)
        FAIL("mappings: %zu before, %zu after, %zu after four times more", before.mappings,
             first.mappings, last.mappings);
    if (last.heap > first.heap)
        FAIL("malloc'ed bytes: %zu before, %zu after, %zu after four times more", before.heap,
             first.heap, last.heap);
    size_t some = claims(CO_CAP_PARALLEL) ? 4 << 20 : 512 << 10;
    if (first.resident > before.resident + some || last.resident > first.resident + some)
        FAIL("resident bytes: %zu before, %zu after, %zu after four times more", before.resident,
             first.resident, last.resident);
}

KIT_CHECK(no_growth_without_trim, CO_CAP_RECURSION, KIT_ALWAYS,
          "what is kept for reuse is reused: the same again takes no more memory") {
    size_t n = at_most(claims(CO_CAP_PARALLEL) ? 200 : 2000) / 4;
    churn(n);
    churn(n);
    struct kit_memory first = kit_memory_now();
    for (int i = 0; i < 6; i++)
        churn(n);
    struct kit_memory last = kit_memory_now();
    if (kit_sanitized)
        return;
    size_t slack = claims(CO_CAP_PARALLEL) ? 64 : 4;
    if (last.mappings > first.mappings + slack)
        FAIL("mappings: %zu, then %zu", first.mappings, last.mappings);
    if (last.heap > first.heap)
        FAIL("malloc'ed bytes: %zu, then %zu", first.heap, last.heap);
    if (last.resident > first.resident + (claims(CO_CAP_PARALLEL) ? 4 << 20 : 512 << 10))
        FAIL("resident bytes: %zu, then %zu", first.resident, last.resident);
}

KIT_CHECK(callee_memory, 0, KIT_ALWAYS,
          "10 000 calls in one coroutine after another take no more memory than 100") {
    CO_VAR(leaf_call) v = {};
    struct kit_memory first = {};
    for (word i = 0; i < (claims(CO_CAP_PARALLEL) ? 1000 : 10000); i++) {
        if (i == 100)
            first = kit_memory_now();
        WANT_INIT(leaf_call, &v, i);
        WANT_GO(leaf_call, &v, 0, CO_YIELDED, i);
        if (i % 3 == 1)
            WANT_GO(leaf_call, &v, 2, CO_YIELDED, four_second(i, 2));
        else if (i % 3 == 2)
            WANT_HURL(leaf_call, &v, 2, CO_FAILED, 2);
        WANT_FINI(leaf_call, &v);
    }
    struct kit_memory last = kit_memory_now();
    if (!kit_sanitized && last.resident > first.resident + (1 << 20))
        FAIL("resident bytes: %zu after 100, %zu at the end", first.resident, last.resident);
}

KIT_CHECK(fresh_storage, 0, KIT_ALWAYS,
          "with storage=fresh everything works, and the setting can be taken back") {
    size_t n = at_most(400) / 4;
    kit_configure(true, true, 0);
    churn(n);
    CO_RT(backend_trim)();
    kit_configure(false, true, 0);
    churn(n);
    CO_RT(backend_trim)();
    kit_configure(true, true, 0);
    churn(n);
}

KIT_CHECK(without_guard, 0, KIT_ALWAYS, "with guard=no everything works") {
    size_t n = at_most(400) / 4;
    kit_configure(false, false, 0);
    churn(n);
    CO_RT(backend_trim)();
    kit_configure(true, false, 0);
    churn(n);
}

KIT_CHECK(trim_twice, 0, KIT_ALWAYS,
          "trim when nothing was made, twice in a row, and between uses") {
    CO_RT(backend_trim)();
    CO_RT(backend_trim)();
    churn(4);
    CO_RT(backend_trim)();
    CO_RT(backend_trim)();
    churn(4);
}

// ---- Lack of memory -----------------------------------------------------------------------------

KIT_CHECK(no_memory_at_all, CO_CAP_RECURSION, KIT_ALWAYS,
          "with one byte allowed: CO_INIT gives CO_E_NOMEM, or the call in it raises CO_NOMEM") {
    kit_configure(false, true, 1);
    CO_VAR(survivor) v = {};
    struct trace t = {};
    int status = CO_INIT(survivor, &v, &t, 20);
    if (status == 0) {
        WANT_GO(survivor, &v, 0, CO_YIELDED, 2);
        WANT_TRACE(&t, CO_NOMEM);
        WANT_GO(survivor, &v, 0, CO_RETURNED, 3);
    } else {
        WANT_STATUS(status, CO_E_NOMEM);
    }
    if (CO_RT(backend_reason)()[0] == '\0')
        FAIL("co_backend_reason does not say which limit it was");
    WANT_FINI(survivor, &v);
    struct trace u = {};
    kit_configure(false, true, 0);
    WANT_INIT(survivor, &v, &u, 20);
    WANT_GO(survivor, &v, 0, CO_YIELDED, 1);
    WANT_GO(survivor, &v, 5, CO_YIELDED, 2);
    WANT_TRACE(&u, 25);
    WANT_FINI(survivor, &v);
}

// Makes up to n coroutines that dig; returns how many were neither refused nor failed.
static size_t dig_under_limit(CO_VAR(dig) * v, size_t n) {
    size_t working = 0;
    for (size_t i = 0; i < n; i++) {
        word out = 0;
        int status = CO_INIT(dig, &v[i], 20);
        if (status != CO_E_NOMEM) {
            WANT_STATUS(status, 0);
            status = GO(dig, &v[i], 0, &out);
            if (status == CO_YIELDED) {
                working++;
                continue;
            }
            if (status != CO_E_NOMEM) {
                WANT_STATUS(status, CO_FAILED);
                WANT(out, CO_NOMEM);
            }
        }
        WANT_FINI(dig, &v[i]);
        memset((void *)&v[i], 0, sizeof v[i]);
    }
    return working;
}

KIT_CHECK(
    little_memory, CO_CAP_RECURSION, KIT_ALWAYS,
    "under a limit some are refused; those that work finish, and their memory serves others") {
    enum { N = 400 };
    static CO_VAR(dig) v[N];
    static const size_t limits[] = {64 << 10, 256 << 10, 4 << 20, 64 << 20};
    size_t n = at_most(N);
    for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
        kit_configure(false, true, limits[k]);
        size_t working = dig_under_limit(v, n);
        if (limits[k] == 64 << 10 && working == n && n == N)
            FAIL("%d coroutines, %d calls deep, in 64 KiB", N, 20);
        size_t finished = 0;
        for (size_t i = 0; i < n; i++) {
            word out = 0;
            // The refused ones are all-zero.
            static const CO_VAR(dig) zero = {};
            if (memcmp(&v[i], &zero, sizeof zero) == 0)
                continue;
            if (i % 2 == 0) {
                WANT_STATUS(GO(dig, &v[i], 3, &out), CO_RETURNED);
                WANT(out, 23);
            }
            finished++;
            WANT_FINI(dig, &v[i]);
            memset((void *)&v[i], 0, sizeof v[i]);
        }
        WANT(finished, working);
        size_t again = dig_under_limit(v, n);
        if (again < working)
            FAIL("%zu fitted at first, %zu afterwards", working, again);
        for (size_t i = 0; i < n; i++) {
            WANT_FINI(dig, &v[i]);
            memset((void *)&v[i], 0, sizeof v[i]);
        }
        CO_RT(backend_trim)();
    }
    kit_configure(false, true, 0);
    WANT(dig_under_limit(v, n), n);
    for (size_t i = 0; i < n; i++)
        WANT_FINI(dig, &v[i]);
}

// The smallest limit with which one coroutine works, to half a KiB.
static size_t least_limit(CO_VAR(dig) * v) {
    size_t low = 0, high = 256 << 20;
    while (high - low > 512) {
        size_t middle = low + (high - low) / 2;
        kit_configure(false, true, middle);
        if (dig_under_limit(v, 1) == 1)
            high = middle;
        else
            low = middle;
        WANT_FINI(dig, v);
        memset((void *)v, 0, sizeof *v);
    }
    return high;
}

// One more step with a coroutine that is at `*at`: 0 not started, 1 suspended, 2 over. Gives
// whether it made one; what has no memory may be resumed again.
static bool one_step(CO_VAR(dig) * v, int *at) {
    word out = 0;
    int status = GO(dig, v, 3, &out);
    if (status == CO_E_NOMEM)
        return false;
    if (status == CO_FAILED) {
        WANT(out, CO_NOMEM);
        *at = 2;
        return true;
    }
    WANT_STATUS(status, *at == 0 ? CO_YIELDED : CO_RETURNED);
    WANT(out, *at == 0 ? 1 : 23);
    *at += 1;
    return true;
}

KIT_CHECK(refused_resume, CO_CAP_RECURSION, KIT_ALWAYS,
          "a resume that has no memory loses nothing: it can be done again when others are over") {
    enum { N = 24 };
    static CO_VAR(dig) v[N];
    static int at[N];
    size_t least = least_limit(&v[0]), n = at_most(N);
    for (size_t more = 0; more < 24 << 10; more += 1 << 10) {
        kit_configure(false, true, least + more);
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            at[i] = 2;
            if (CO_INIT(dig, &v[i], 20) == 0) {
                at[i] = 0;
                left++;
                one_step(&v[i], &at[i]);
            }
        }
        for (size_t before = left + 1; left != 0 && left < before;) {
            before = left;
            left = 0;
            for (size_t i = 0; i < n; i++) {
                while (at[i] != 2 && one_step(&v[i], &at[i]))
                    ;
                left += at[i] != 2;
            }
        }
        if (left != 0)
            FAIL("with %zu bytes, %zu coroutines are never resumed", least + more, left);
        for (size_t i = 0; i < n; i++) {
            WANT_FINI(dig, &v[i]);
            memset((void *)&v[i], 0, sizeof v[i]);
        }
    }
}

KIT_CHECK(no_allocation, CO_CAP_NO_ALLOCATION, KIT_ALWAYS,
          "a coroutine without calls lives in the caller's storage: no memory is needed") {
    kit_configure(false, true, 1);
    struct kit_memory before = kit_memory_now();
    CO_VAR(four) v[10] = {};
    for (word i = 0; i < 10; i++)
        WANT_INIT(four, &v[i], i);
    for (word i = 0; i < 10; i++)
        WANT_GO(four, &v[i], 0, CO_YIELDED, i);
    WANT(kit_memory_now().heap, before.heap);
    for (word i = 0; i < 10; i++) {
        WANT_GO(four, &v[i], 1, CO_YIELDED, four_second(i, 1));
        WANT_GO(four, &v[i], 1, CO_RETURNED, four_result(i));
        WANT_FINI(four, &v[i]);
    }
}

KIT_CHECK(calls_in_place, CO_CAP_NO_ALLOCATION | CO_CAP_CALLS_IN_PLACE, KIT_ALWAYS,
          "coroutine calls need no memory: none is allowed, and every allocation fails") {
    kit_configure(false, true, 1);
    kit_fail_allocation(1, true);
    CO_VAR(leaf_call) v = {};
    for (word i = 0; i < 3; i++) {
        WANT_INIT(leaf_call, &v, i);
        WANT_GO(leaf_call, &v, 0, CO_YIELDED, i);
        WANT_GO(leaf_call, &v, 1, CO_YIELDED, four_second(i, 1));
        if (i == 0)
            WANT_GO(leaf_call, &v, 0, CO_RETURNED, four_result(i));
        else if (i == 1)
            WANT_HURL(leaf_call, &v, 8, CO_FAILED, 8);
        WANT_FINI(leaf_call, &v);
    }
    unsigned failed = kit_allocations_failed();
    kit_fail_allocation(0, false);
    WANT(failed, 0);
}

// ---- Moving -------------------------------------------------------------------------------------

KIT_CHECK(moved, CO_CAP_MOVABLE | CO_CAP_RECURSION, KIT_ALWAYS,
          "a suspended coroutine is copied elsewhere and resumed there, flat, in a call and in "
          "recursive ones") {
    CO_VAR(four) from = {}, to = {};
    WANT_INIT(four, &from, 6);
    WANT_GO(four, &from, 0, CO_YIELDED, 6);
    memcpy((void *)&to, &from, sizeof to);
    memset((void *)&from, 0xA5, sizeof from);
    WANT_GO(four, &to, 1, CO_YIELDED, four_second(6, 1));
    WANT_GO(four, &to, 1, CO_RETURNED, four_result(6));
    WANT_FINI(four, &to);
    CO_VAR(leaf_call) caller = {}, moved_caller = {};
    WANT_INIT(leaf_call, &caller, 7);
    WANT_GO(leaf_call, &caller, 0, CO_YIELDED, 7);
    memcpy((void *)&moved_caller, &caller, sizeof caller);
    memset((void *)&caller, 0xA5, sizeof caller);
    WANT_GO(leaf_call, &moved_caller, 1, CO_YIELDED, four_second(7, 1));
    WANT_GO(leaf_call, &moved_caller, 1, CO_RETURNED, four_result(7));
    WANT_FINI(leaf_call, &moved_caller);
    CO_VAR(dig) nested = {}, copy = {};
    WANT_INIT(dig, &nested, 10);
    WANT_GO(dig, &nested, 0, CO_YIELDED, 1);
    memcpy((void *)&copy, &nested, sizeof copy);
    memset((void *)&nested, 0xA5, sizeof nested);
    WANT_GO(dig, &copy, 5, CO_RETURNED, 15);
    WANT_FINI(dig, &copy);
}

// ---- Threads ------------------------------------------------------------------------------------

static void *resume_elsewhere(void *arg) {
    CO_VAR(leaf_call) *v = (CO_VAR(leaf_call) *)arg;
    WANT_GO(leaf_call, v, 8, CO_YIELDED, four_second(3, 8));
    return NULL;
}

KIT_CHECK(migrates, CO_CAP_MIGRATES, KIT_ALWAYS,
          "a coroutine started by one thread is resumed by another, and ended by the first") {
    CO_VAR(leaf_call) v = {};
    WANT_INIT(leaf_call, &v, 3);
    WANT_GO(leaf_call, &v, 0, CO_YIELDED, 3);
    pthread_t thread;
    if (pthread_create(&thread, NULL, resume_elsewhere, &v) != 0)
        FAIL("no thread");
    pthread_join(thread, NULL);
    WANT_GO(leaf_call, &v, 0, CO_RETURNED, four_result(3));
    WANT_FINI(leaf_call, &v);
}

static pthread_t first_thread;
static unsigned started, started_here;

static void count_thread(void) {
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    if (pthread_equal(pthread_self(), first_thread))
        __atomic_fetch_add(&started_here, 1, __ATOMIC_SEQ_CST);
}

KIT_CHECK(thread_hook, CO_CAP_PARALLEL, KIT_ALWAYS,
          "the thread_started setting is called on each thread that the backend starts") {
    struct co_config config = {};
    config.guard = true;
    config.thread_started = count_thread;
    first_thread = pthread_self();
    WANT_STATUS(CO_RT(backend_configure)(&config), 0);
    CO_VAR(four) v[4] = {};
    for (word i = 0; i < 4; i++) {
        WANT_INIT(four, &v[i], i);
        WANT_GO(four, &v[i], 0, CO_YIELDED, i);
    }
    WANT(started, 4);
    WANT(started_here, 0);
    for (word i = 0; i < 4; i++)
        WANT_FINI(four, &v[i]);
}
#endif
