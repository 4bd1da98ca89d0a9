// Eager start: what a body did when it was created, and what may be done before its first resume.
// Needs one of: CO_CAP_EAGER
#include <backend.h>
#include "../kit.h"

CORO_DECL(plain, (struct trace * t; word n;), (word x; word e; word i;), ())
CORO_DECL(fails, (struct trace * t; word e;), (word x;), ())
CORO_DECL(dig, (struct trace * t; word depth;), (word x;), (REC(dig)))
CORO_DECL(careful, (struct trace * t; word depth;), (word x; word e;), (REC(dig)))
CORO_DECL(relay, (struct trace * t; co_handle * other;), (word x; word e;), ())
CORO_DECL(creator, (struct trace * t;), (word x; word out; int status; CO_VAR(plain) own;), ())
CORO_DECL(waits, (struct trace * t; struct co_awaitable * a;), (word x;), ())
CORO_DECL(creates_waiting, (struct co_awaitable * a; struct trace * t;),
          (word x; word out; int status; CO_VAR(waits) own;), ())

#define CO_BODIES(_)                                                                               \
    _(plain) _(fails) _(dig) _(careful) _(relay) _(creator) _(waits) _(creates_waiting)

#if CO_PART_BODIES
// Marks its start; yields n times; each error that is thrown in is caught once.
CORO(plain) {
    CO_BEGIN(plain)
        mark(my->t, 10);
        CO_TRY
            for (my->i = 0; my->i < my->n; my->i++) {
                CO_YIELD(my->x, 100 + my->i);
                mark(my->t, my->x);
            }
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
            CO_YIELD(my->x, 50);
        CO_END_TRY
        CO_RETURN(200 + my->n);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

CORO(fails) {
    CO_BEGIN(fails)
        mark(my->t, 11);
        CO_RAISE(my->e);
        CO_FINALLY
        mark(my->t, 2);
    CO_END_FINALLY
}

CORO(dig) {
    CO_BEGIN(dig)
        if (my->depth > 1) {
            CO_CALLREC(my->x, dig, my->t, my->depth - 1);
        } else {
            CO_YIELD(my->x, 7);
        }
        CO_RETURN(my->x + 1);
        CO_FINALLY
        mark(my->t, my->depth);
    CO_END_FINALLY
}

CORO(careful) {
    CO_BEGIN(careful)
        CO_CALLREC(my->x, dig, my->t, my->depth);
        CO_RETURN(my->x);
    CO_END
}

CORO(relay) {
    CO_BEGIN(relay)
        CO_DELEGATE(my->x, *my->other);
        mark(my->t, my->x);
        CO_RETURN(my->x + 1);
        CO_FINALLY
        mark(my->t, 3);
    CO_END_FINALLY
}

CORO(creator) {
    CO_BEGIN(creator)
        my->status = CO_INIT(plain, &my->own, my->t, 1);
        mark(my->t, 20);
        CO_YIELD(my->x, 300);
        my->status = CO_RESUME(plain, &my->own, 5, &my->out);
        CO_YIELD(my->x, my->out);
        CO_RETURN(0);
        CO_FINALLY
        my->status = CO_FINI(plain, &my->own);
    CO_END_FINALLY
}

CORO(waits) {
    CO_BEGIN(waits)
        mark(my->t, 30);
        CO_AWAIT(my->x, my->a);
        CO_RETURN(my->x);
    CO_END
}

CORO(creates_waiting) {
    CO_BEGIN(creates_waiting)
        CO_YIELD(my->x, 400);
        my->status = CO_INIT(waits, &my->own, my->t, my->a);
        CO_YIELD(my->x, 401);
        my->status = CO_RESUME(waits, &my->own, 0, &my->out);
        CO_RETURN(my->out);
        CO_FINALLY
        my->status = CO_FINI(waits, &my->own);
    CO_END_FINALLY
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

KIT_CHECK(started, CO_CAP_EAGER, KIT_ALWAYS,
          "creating runs to the first yield; its value is delivered, what is sent then ignored") {
    CO_VAR(plain) v = {};
    struct trace t = {};
    WANT_INIT(plain, &v, &t, 2);
    WANT_TRACE(&t, 10);
    WANT_GO(plain, &v, 77, CO_YIELDED, 100);
    WANT_TRACE(&t, 10);
    WANT_GO(plain, &v, 5, CO_YIELDED, 101);
    WANT_GO(plain, &v, 6, CO_RETURNED, 202);
    WANT_FINI(plain, &v);
    WANT_TRACE(&t, 10, 5, 6, 1);
}

KIT_CHECK(
    completed, CO_CAP_EAGER, KIT_ALWAYS,
    "what completes when it is created has run its cleanup; the first resume gives its result") {
    CO_VAR(plain) v = {};
    struct trace t = {};
    for (int resumed = 0; resumed < 2; resumed++) {
        t.n = 0;
        WANT_INIT(plain, &v, &t, 0);
        WANT_TRACE(&t, 10, 1);
        if (resumed)
            WANT_GO(plain, &v, 0, CO_RETURNED, 200);
        WANT_FINI(plain, &v);
        WANT_TRACE(&t, 10, 1);
    }
}

KIT_CHECK(completed_once, CO_CAP_EAGER, KIT_CHECKED,
          "a result that waited is delivered once; thrown into, it is gone") {
    CO_VAR(plain) v = {};
    struct trace t = {};
    word out;
    WANT_INIT(plain, &v, &t, 0);
    WANT_GO(plain, &v, 0, CO_RETURNED, 200);
    WANT_STATUS(GO(plain, &v, 0, &out), CO_E_FINISHED);
    WANT_FINI(plain, &v);
    WANT_INIT(plain, &v, &t, 0);
    WANT_HURL(plain, &v, 9, CO_FAILED, 9);
    WANT_STATUS(GO(plain, &v, 0, &out), CO_E_FINISHED);
    WANT_FINI(plain, &v);
}

KIT_CHECK(failed, CO_CAP_EAGER, KIT_ALWAYS,
          "an error that leaves the body when it is created is what the first resume says") {
    CO_VAR(fails) v = {};
    struct trace t = {};
    WANT_INIT(fails, &v, &t, 55);
    WANT_TRACE(&t, 11, 2);
    WANT_GO(fails, &v, 0, CO_FAILED, 55);
    WANT_FINI(fails, &v);
    WANT_TRACE(&t, 11, 2);
}

KIT_CHECK(
    thrown, CO_CAP_EAGER, KIT_ALWAYS,
    "thrown into before the first resume, the error is raised at the yield and can be caught") {
    CO_VAR(plain) v = {};
    struct trace t = {};
    WANT_INIT(plain, &v, &t, 2);
    WANT_HURL(plain, &v, 6, CO_YIELDED, 50);
    WANT_GO(plain, &v, 0, CO_RETURNED, 202);
    WANT_FINI(plain, &v);
    WANT_TRACE(&t, 10, 1006, 1);
}

KIT_CHECK(closed, CO_CAP_EAGER | CO_CAP_RECURSION, KIT_ALWAYS,
          "closed before the first resume, cleanups run, innermost first; what waited is dropped") {
    CO_VAR(plain) v = {};
    CO_VAR(careful) c = {};
    struct trace t = {};
    WANT_INIT(plain, &v, &t, 2);
    WANT_FINI(plain, &v);
    WANT_TRACE(&t, 10, 1);
    t.n = 0;
    WANT_INIT(careful, &c, &t, 3);
    WANT_FINI(careful, &c);
    WANT_TRACE(&t, 1, 2, 3);
}

KIT_CHECK(in_calls, CO_CAP_EAGER | CO_CAP_RECURSION, KIT_ALWAYS,
          "the first suspension may be calls down; the second resume goes there") {
    CO_VAR(careful) v = {};
    struct trace t = {};
    WANT_INIT(careful, &v, &t, 20);
    WANT_NO_TRACE(&t);
    WANT_GO(careful, &v, 0, CO_YIELDED, 7);
    WANT_GO(careful, &v, 5, CO_RETURNED, 25);
    WANT_FINI(careful, &v);
    WANT(t.n, 20);
}

KIT_CHECK(no_memory, CO_CAP_EAGER | CO_CAP_RECURSION, KIT_ALWAYS,
          "a call that finds no memory while the body is created fails the first resume") {
    kit_configure(false, true, 1);
    CO_VAR(careful) v = {};
    struct trace t = {};
    int status = CO_INIT(careful, &v, &t, 20);
    if (status == 0)
        WANT_GO(careful, &v, 0, CO_FAILED, CO_NOMEM);
    else
        WANT_STATUS(status, CO_E_NOMEM);
    WANT_FINI(careful, &v);
    kit_configure(false, true, 0);
}

KIT_CHECK(delegated, CO_CAP_EAGER, KIT_ALWAYS,
          "delegating when created to what waits takes its value; the second value comes next") {
    CO_VAR(plain) i = {};
    CO_VAR(relay) v = {}, w = {};
    struct trace t = {};
    co_handle handle = CO_HANDLE(&i), second = CO_HANDLE(&v);
    WANT_INIT(plain, &i, &t, 2);
    WANT_INIT(relay, &v, &t, &handle);
    WANT_INIT(relay, &w, &t, &second);
    WANT_TRACE(&t, 10);
    WANT_GO(relay, &w, 0, CO_YIELDED, 100);
    WANT_GO(relay, &w, 5, CO_YIELDED, 101);
    WANT_GO(relay, &w, 6, CO_RETURNED, 204);
    WANT_TRACE(&t, 10, 5, 6, 1, 202, 3, 203, 3);
    WANT_FINI(relay, &w);
    WANT_FINI(relay, &v);
    WANT_FINI(plain, &i);
}

KIT_CHECK(delegated_thrown, CO_CAP_EAGER, KIT_ALWAYS,
          "thrown into or closed before its first resume, a delegating body passes that on") {
    for (int close = 0; close < 2; close++) {
        CO_VAR(plain) i = {};
        CO_VAR(relay) v = {}, w = {};
        struct trace t = {};
        co_handle handle = CO_HANDLE(&i), second = CO_HANDLE(&v);
        WANT_INIT(plain, &i, &t, 2);
        WANT_INIT(relay, &v, &t, &handle);
        WANT_INIT(relay, &w, &t, &second);
        if (close) {
            WANT_FINI(relay, &w);
            WANT_TRACE(&t, 10, 1, 3, 3);
        } else {
            WANT_HURL(relay, &w, 6, CO_YIELDED, 50);
            WANT_GO(relay, &w, 0, CO_RETURNED, 204);
            WANT_TRACE(&t, 10, 1006, 1, 202, 3, 203, 3);
            WANT_FINI(relay, &w);
        }
        WANT_FINI(relay, &v);
        WANT_FINI(plain, &i);
    }
}

KIT_CHECK(created_by_a_body, CO_CAP_EAGER, KIT_ALWAYS,
          "a body that creates another one runs it at once, and is itself run at once") {
    CO_VAR(creator) v = {};
    struct trace t = {};
    WANT_INIT(creator, &v, &t);
    WANT_TRACE(&t, 10, 20);
    WANT_GO(creator, &v, 0, CO_YIELDED, 300);
    WANT_GO(creator, &v, 0, CO_YIELDED, 100);
    WANT_FINI(creator, &v);
    WANT_TRACE(&t, 10, 20, 1);
}

// Is pending once, then answers 8.
struct gate {
    struct co_awaitable base;
    unsigned asked;
    const struct co_waker *seen;
};

static struct co_result gate_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct gate *gate = (struct gate *)self;
    struct co_result r = {8, 0};
    gate->seen = waker;
    r.st = ++gate->asked == 1 ? (word)CO_PENDING : (word)CO_RETURNED;
    return r;
}

KIT_CHECK(awaits, CO_CAP_EAGER, KIT_ALWAYS,
          "what awaits first has started and not asked; its first poll does, with its waker") {
    static const struct co_waker waker = {};
    struct gate gate = {};
    CO_VAR(waits) v = {};
    struct trace t = {};
    word out = 0;
    gate.base.ask = gate_ask;
    WANT_INIT(waits, &v, &t, &gate.base);
    WANT_TRACE(&t, 30);
    WANT(gate.asked, 0);
    WANT_STATUS(co_poll(CO_HANDLE(&v), &waker, 0, &out), CO_PENDING);
    WANT(gate.seen == &waker, 1);
    WANT_STATUS(co_poll(CO_HANDLE(&v), &waker, 0, &out), CO_RETURNED);
    WANT(out, 8);
    WANT_FINI(waits, &v);
}

KIT_CHECK(
    awaits_in_a_poll, CO_CAP_EAGER, KIT_ALWAYS,
    "created by a body that is polled it asks with that waker; the creator's items stay items") {
    static const struct co_waker waker = {};
    struct gate gate = {};
    CO_VAR(creates_waiting) v = {};
    struct trace t = {};
    word out = 0;
    gate.base.ask = gate_ask;
    WANT_INIT(creates_waiting, &v, &gate.base, &t);
    WANT_STATUS(co_poll(CO_HANDLE(&v), &waker, 0, &out), CO_YIELDED);
    WANT(out, 400);
    WANT(gate.asked, 0);
    WANT_STATUS(co_poll(CO_HANDLE(&v), &waker, 0, &out), CO_YIELDED);
    WANT(out, 401);
    WANT(gate.asked, 1);
    WANT(gate.seen == &waker, 1);
    WANT_STATUS(co_poll(CO_HANDLE(&v), &waker, 0, &out), CO_RETURNED);
    WANT(out, 8);
    WANT_FINI(creates_waiting, &v);
}
#endif
