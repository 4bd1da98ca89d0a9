// CO_DELEGATE: another coroutine's yields, sends, result and errors pass through a body.
#include <backend.h>
#include "../kit.h"

CORO_DECL(inner, (struct trace * t; word n; word e;), (word x; word err; word i;), ())
CORO_DECL(relay, (struct trace * t; co_handle * other;), (word x; word err;), ())
CORO_DECL(catching, (struct trace * t; co_handle * other;), (word x; word err;), ())
CORO_DECL(straight_on, (co_handle * other;), (word x;), ())
CORO_DECL(after_error, (co_handle * other; word in_callee;), (word x; word err;),
          (SUB(straight_on)))
CORO_DECL(caller, (struct trace * t; co_handle * other;), (word x;), (SUB(relay)))
CORO_DECL(owner, (struct trace * t;), (word x; int status; CO_VAR(inner) own;), ())

#define CO_BODIES(_) _(inner) _(relay) _(catching) _(straight_on) _(after_error) _(caller) _(owner)

#if CO_PART_BODIES
CORO(inner) {
    CO_BEGIN(inner)
        CO_TRY
            for (my->i = 0; my->i < my->n; my->i++) {
                CO_YIELD(my->x, 100 + my->i);
                mark(my->t, my->x);
            }
            CO_CATCH(my->err)
            mark(my->t, 1000 + my->err);
            if (my->err == 13) {
                CO_RAISE(14);
            }
            CO_YIELD(my->x, 50);
            mark(my->t, my->x);
        CO_END_TRY
        if (my->e) {
            CO_RAISE(my->e);
        }
        CO_RETURN(my->i);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

CORO(relay) {
    CO_BEGIN(relay)
        CO_YIELD(my->x, 7);
        CO_DELEGATE(my->x, *my->other);
        mark(my->t, 2000 + my->x);
        CO_YIELD(my->x, 8);
        CO_RETURN(9);
        CO_FINALLY
        mark(my->t, 2);
    CO_END_FINALLY
}

CORO(catching) {
    CO_BEGIN(catching)
        CO_TRY
            CO_DELEGATE(my->x, *my->other);
            mark(my->t, 2000 + my->x);
            CO_CATCH(my->err)
            mark(my->t, 3000 + my->err);
        CO_END_TRY
        CO_YIELD(my->x, 8);
        CO_RETURN(my->x);
    CO_END
}

CORO(straight_on) {
    CO_BEGIN(straight_on)
        CO_DELEGATE(my->x, *my->other);
        CO_RETURN(my->x);
    CO_END
}

// Delegates behind an error that it caught, without a yield between, itself or in a callee.
CORO(after_error) {
    CO_BEGIN(after_error)
        CO_TRY
            CO_YIELD(my->x, 1);
            CO_CATCH(my->err)
            if (my->in_callee) {
                CO_CALL(my->x, straight_on, my->other);
            } else {
                CO_DELEGATE(my->x, *my->other);
            }
        CO_END_TRY
        CO_RETURN(my->x);
    CO_END
}

CORO(caller) {
    CO_BEGIN(caller)
        CO_CALL(my->x, relay, my->t, my->other);
        CO_RETURN(my->x + 1);
        CO_FINALLY
        mark(my->t, 3);
    CO_END_FINALLY
}

// Its own locals may be elsewhere at each resume: the handle is good until the next yield.
CORO(owner) {
    CO_BEGIN(owner)
        my->status = CO_INIT(inner, &my->own, my->t, 3, 0);
        if (my->status < 0) {
            CO_RAISE((word)my->status);
        }
        CO_DELEGATE(my->x, CO_HANDLE(&my->own));
        mark(my->t, 2000 + my->x);
        CO_YIELD(my->x, 8);
        CO_RETURN(my->x);
        CO_FINALLY
        mark(my->t, 4);
        my->status = CO_FINI(inner, &my->own);
    CO_END_FINALLY
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <string.h>

KIT_DRIVERS(CO_BODIES)

KIT_CHECK(values, 0, KIT_ALWAYS,
          "values come out and sends go in; the result is the delegate's value") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(relay) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 3, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(relay, &v, &t, &handle);
    WANT_GO(relay, &v, 0, CO_YIELDED, 7);
    WANT_GO(relay, &v, 30, CO_YIELDED, 100);
    WANT_GO(relay, &v, 31, CO_YIELDED, 101);
    WANT_GO(relay, &v, 32, CO_YIELDED, 102);
    WANT_GO(relay, &v, 33, CO_YIELDED, 8);
    WANT_TRACE(&t, 31, 32, 33, 1, 2003);
    WANT_GO(relay, &v, 0, CO_RETURNED, 9);
    WANT_FINI(relay, &v);
    WANT_FINI(inner, &i);
    WANT_TRACE(&t, 31, 32, 33, 1, 2003, 2);
}

KIT_CHECK(halfway, 0, KIT_ALWAYS,
          "delegating to a coroutine that has already been resumed goes on with it") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 4, 0);
    WANT_GO(inner, &i, 0, CO_YIELDED, 100);
    WANT_GO(inner, &i, 5, CO_YIELDED, 101);
    handle = CO_HANDLE(&i);
    WANT_INIT(catching, &v, &t, &handle);
    WANT_GO(catching, &v, 99, CO_YIELDED, 102); // ignored: the first resume
    WANT_GO(catching, &v, 7, CO_YIELDED, 103);
    WANT_GO(catching, &v, 8, CO_YIELDED, 8);
    WANT_TRACE(&t, 5, 0, 7, 8, 1, 2004); // a delegate sends 0 first
    WANT_FINI(catching, &v);
    WANT_FINI(inner, &i);
}

KIT_CHECK(error, 0, KIT_ALWAYS,
          "an error that ends the other coroutine is raised at the delegate, and caught there") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 1, 77);
    handle = CO_HANDLE(&i);
    WANT_INIT(catching, &v, &t, &handle);
    WANT_GO(catching, &v, 0, CO_YIELDED, 100);
    WANT_GO(catching, &v, 1, CO_YIELDED, 8);
    WANT_TRACE(&t, 1, 1, 3077);
    WANT_GO(catching, &v, 4, CO_RETURNED, 4);
    WANT_FINI(catching, &v);
    WANT_FINI(inner, &i);
}

KIT_CHECK(error_uncaught, 0, KIT_ALWAYS, "not caught there, it fails the delegating coroutine") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(relay) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 0, 77);
    handle = CO_HANDLE(&i);
    WANT_INIT(relay, &v, &t, &handle);
    WANT_GO(relay, &v, 0, CO_YIELDED, 7);
    WANT_GO(relay, &v, 0, CO_FAILED, 77);
    WANT_TRACE(&t, 1, 2);
    WANT_FINI(relay, &v);
    WANT_FINI(inner, &i);
}

KIT_CHECK(throw_through, 0, KIT_ALWAYS,
          "an error thrown in is thrown at the other's yield, which may catch it") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 2, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(catching, &v, &t, &handle);
    WANT_GO(catching, &v, 0, CO_YIELDED, 100);
    WANT_HURL(catching, &v, 6, CO_YIELDED, 50);
    WANT_GO(catching, &v, 61, CO_YIELDED, 8);
    WANT_TRACE(&t, 1006, 61, 1, 2000);
    WANT_FINI(catching, &v);
    WANT_FINI(inner, &i);
}

KIT_CHECK(throw_through_both, 0, KIT_ALWAYS,
          "what the other raises in answer is raised at the delegate") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 2, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(catching, &v, &t, &handle);
    WANT_GO(catching, &v, 0, CO_YIELDED, 100);
    WANT_HURL(catching, &v, 13, CO_YIELDED, 8);
    WANT_TRACE(&t, 1013, 1, 3014);
    WANT_FINI(catching, &v);
    WANT_FINI(inner, &i);
}

KIT_CHECK(
    behind_a_caught_error, 0, KIT_ALWAYS,
    "a delegate in a handler, or in a callee called there, resumes the other; the error is over") {
    for (word in_callee = 0; in_callee < 2; in_callee++) {
        struct trace t = {};
        CO_VAR(inner) i = {};
        CO_VAR(after_error) v = {};
        co_handle handle;
        WANT_INIT(inner, &i, &t, 2, 0);
        WANT_GO(inner, &i, 0, CO_YIELDED, 100); // started: a throw would be caught
        handle = CO_HANDLE(&i);
        WANT_INIT(after_error, &v, &handle, in_callee);
        WANT_GO(after_error, &v, 0, CO_YIELDED, 1);
        WANT_HURL(after_error, &v, 6, CO_YIELDED, 101);
        WANT_GO(after_error, &v, 9, CO_RETURNED, 2);
        WANT_TRACE(&t, 0, 9, 1);
        WANT_FINI(after_error, &v);
        WANT_FINI(inner, &i);
    }
}

KIT_CHECK(close_through, 0, KIT_ALWAYS,
          "closing closes the other first; it is finished for its owner as well") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(relay) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 2, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(relay, &v, &t, &handle);
    WANT_GO(relay, &v, 0, CO_YIELDED, 7);
    WANT_GO(relay, &v, 0, CO_YIELDED, 100);
    WANT_FINI(relay, &v);
    WANT_TRACE(&t, 1, 2);
    WANT_FINI(inner, &i);
    WANT_TRACE(&t, 1, 2);
}

KIT_CHECK(from_callee, 0, KIT_ALWAYS,
          "a callee delegates; all passes through its caller, also a close") {
    struct trace t = {}, u = {};
    CO_VAR(inner) i = {};
    CO_VAR(caller) v = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 2, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(caller, &v, &t, &handle);
    WANT_GO(caller, &v, 0, CO_YIELDED, 7);
    WANT_GO(caller, &v, 0, CO_YIELDED, 100);
    WANT_HURL(caller, &v, 4, CO_YIELDED, 50);
    WANT_GO(caller, &v, 9, CO_YIELDED, 8);
    WANT_GO(caller, &v, 0, CO_RETURNED, 10);
    WANT_TRACE(&t, 1004, 9, 1, 2000, 2, 3);
    WANT_FINI(caller, &v);
    WANT_FINI(inner, &i);
    WANT_INIT(inner, &i, &u, 2, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(caller, &v, &u, &handle);
    WANT_GO(caller, &v, 0, CO_YIELDED, 7);
    WANT_GO(caller, &v, 0, CO_YIELDED, 100);
    WANT_FINI(caller, &v);
    WANT_TRACE(&u, 1, 2, 3);
    WANT_FINI(inner, &i);
}

// Resumes with so much more stack in use, which is overwritten first.
static __attribute__((noinline)) void resume_from_below(CO_VAR(owner) * v, int kilobytes, word in,
                                                        int status, word value) {
    char used[1024];
    memset(used, 0xA5, sizeof used);
    __asm__ volatile("" : : "r"(used) : "memory");
    if (kilobytes > 0)
        resume_from_below(v, kilobytes - 1, in, status, value);
    else
        WANT_GO(owner, v, in, status, value);
    __asm__ volatile("" : : "r"(used) : "memory");
}

KIT_CHECK(to_own_local, 0, KIT_ALWAYS,
          "a body delegates to a coroutine that is one of its locals, resumed from anywhere") {
    struct trace t = {}, u = {};
    CO_VAR(owner) v = {};
    WANT_INIT(owner, &v, &t);
    resume_from_below(&v, 30, 0, CO_YIELDED, 100);
    resume_from_below(&v, 0, 31, CO_YIELDED, 101);
    resume_from_below(&v, 9, 32, CO_YIELDED, 102);
    WANT_HURL(owner, &v, 6, CO_YIELDED, 50);
    resume_from_below(&v, 20, 34, CO_YIELDED, 8);
    WANT_GO(owner, &v, 5, CO_RETURNED, 5);
    WANT_TRACE(&t, 31, 32, 1006, 34, 1, 2002, 4);
    WANT_FINI(owner, &v);
    WANT_INIT(owner, &v, &u);
    resume_from_below(&v, 10, 0, CO_YIELDED, 100);
    WANT_FINI(owner, &v);
    WANT_TRACE(&u, 1, 4);
}

KIT_CHECK(chain_of_delegates, 0, KIT_ALWAYS,
          "ten coroutines delegate one to the next; sends, errors and closing pass all") {
    enum { N = 10 };
    for (int way = 0; way < 3; way++) {
        struct trace t = {};
        CO_VAR(inner) i = {};
        CO_VAR(catching) v[N] = {};
        co_handle handles[N + 1];
        WANT_INIT(inner, &i, &t, 2, 0);
        handles[0] = CO_HANDLE(&i);
        for (int k = 0; k < N; k++) {
            WANT_INIT(catching, &v[k], &t, &handles[k]);
            handles[k + 1] = CO_HANDLE(&v[k]);
        }
        WANT_GO(catching, &v[N - 1], 0, CO_YIELDED, 100);
        if (way == 0) {
            WANT_GO(catching, &v[N - 1], 70, CO_YIELDED, 101);
            WANT_TRACE(&t, 70);
        } else if (way == 1) {
            WANT_HURL(catching, &v[N - 1], 13, CO_YIELDED, 8);
            WANT_TRACE(&t, 1013, 1, 3014);
        }
        WANT_FINI(catching, &v[N - 1]);
        if (way != 1)
            WANT(t.event[t.n - 1], 1);
        for (int k = N - 1; k >= 0; k--)
            WANT_FINI(catching, &v[k]);
        WANT_FINI(inner, &i);
        WANT(t.n, way == 0 ? 2 : way == 1 ? 3 : 1);
    }
}

KIT_CHECK(one_after_another, 0, KIT_ALWAYS,
          "of coroutines that delegate one to the next, one more ends at each resume") {
    enum { N = 10 };
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v[N] = {};
    co_handle handles[N + 1];
    WANT_INIT(inner, &i, &t, 2, 0);
    handles[0] = CO_HANDLE(&i);
    for (int k = 0; k < N; k++) {
        WANT_INIT(catching, &v[k], &t, &handles[k]);
        handles[k + 1] = CO_HANDLE(&v[k]);
    }
    WANT_GO(catching, &v[N - 1], 0, CO_YIELDED, 100);
    WANT_GO(catching, &v[N - 1], 70, CO_YIELDED, 101);
    for (word k = 0; k < N; k++) {
        WANT_GO(catching, &v[N - 1], 80 + k, CO_YIELDED, 8);
        WANT(t.event[t.n - 1], k == 0 ? 2002 : 2080 + k);
    }
    WANT_GO(catching, &v[N - 1], 99, CO_RETURNED, 99);
    for (int k = N - 1; k >= 0; k--)
        WANT_FINI(catching, &v[k]);
    WANT_FINI(inner, &i);
}

KIT_CHECK(from_the_middle, 0, KIT_ALWAYS,
          "one of them is also resumed directly; the outermost goes on from there") {
    for (int closed = 0; closed < 2; closed++) {
        struct trace t = {};
        CO_VAR(inner) i = {};
        CO_VAR(catching) v[4] = {};
        co_handle handles[5];
        WANT_INIT(inner, &i, &t, 3, 0);
        handles[0] = CO_HANDLE(&i);
        for (int k = 0; k < 4; k++) {
            WANT_INIT(catching, &v[k], &t, &handles[k]);
            handles[k + 1] = CO_HANDLE(&v[k]);
        }
        WANT_GO(catching, &v[3], 0, CO_YIELDED, 100);
        WANT_GO(catching, &v[3], 1, CO_YIELDED, 101);
        WANT_GO(catching, &v[1], 2, CO_YIELDED, 102);
        WANT_GO(catching, &v[1], 3, CO_YIELDED, 8); // the inner one has ended
        WANT_TRACE(&t, 1, 2, 3, 1, 2003);
        if (!closed) {
            WANT_GO(catching, &v[3], 4, CO_YIELDED, 8);
            WANT_GO(catching, &v[2], 5, CO_YIELDED, 8);
            WANT_GO(catching, &v[3], 6, CO_YIELDED, 8);
            WANT_GO(catching, &v[3], 7, CO_RETURNED, 7);
            WANT_TRACE(&t, 1, 2, 3, 1, 2003, 2004, 2005, 2006);
        }
        for (int k = 3; k >= 0; k--)
            WANT_FINI(catching, &v[k]);
        WANT_FINI(inner, &i);
        WANT(t.n, closed ? 5 : 8);
    }
}

KIT_CHECK(two_to_one, 0, KIT_ALWAYS,
          "two delegate to the same coroutine and take its values in turn") {
    struct trace t = {};
    CO_VAR(inner) i = {};
    CO_VAR(catching) v = {}, w = {};
    co_handle handle;
    WANT_INIT(inner, &i, &t, 5, 0);
    handle = CO_HANDLE(&i);
    WANT_INIT(catching, &v, &t, &handle);
    WANT_GO(catching, &v, 0, CO_YIELDED, 100);
    WANT_INIT(catching, &w, &t, &handle);
    WANT_GO(catching, &w, 0, CO_YIELDED, 101); // sends 0, as a delegate does first
    WANT_GO(catching, &v, 2, CO_YIELDED, 102);
    WANT_GO(catching, &w, 3, CO_YIELDED, 103);
    WANT_GO(catching, &w, 4, CO_YIELDED, 104);
    WANT_GO(catching, &w, 5, CO_YIELDED, 8);
    WANT_GO(catching, &w, 6, CO_RETURNED, 6);
    WANT_TRACE(&t, 0, 2, 3, 4, 5, 1, 2005);
    WANT_FINI(catching, &w);
    WANT_FINI(catching, &v);
    WANT_FINI(inner, &i);
}
#endif
