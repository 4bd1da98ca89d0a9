// CO_AWAIT: a body waits for an awaitable; its driver can tell waiting from an item.
#include <backend.h>
#include "../kit.h"

// Is pending so many times, then answers. What it saw of its askers is compared by the check.
struct gate {
    struct co_awaitable base;
    word pending, asked;
    struct co_result answer;
    const struct co_waker *seen;
};

CORO_DECL(waits, (struct trace * t; struct co_awaitable * a;), (word x; word err;), ())
CORO_DECL(waits_and_yields, (struct co_awaitable * a;), (word x; word i;), ())
CORO_DECL(waits_for_all, (struct co_awaitable * *a; word n;), (word x; word i; word sum;), ())
CORO_DECL(waits_deep, (struct co_awaitable * a; word depth;), (word x;), (REC(waits_deep)))
CORO_DECL(calls, (struct trace * t; struct co_awaitable * a;), (word x; word y;), (SUB(waits)))
CORO_DECL(hands_on, (co_handle * other;), (word x;), ())
CORO_DECL(polls_another, (co_handle * other; const struct co_waker *waker;), (word x; word out;),
          ())
CORO_DECL(tries, (struct trace * t; struct co_awaitable * a; struct co_awaitable * then;),
          (word x; word err;), ())

#define CO_BODIES(_)                                                                               \
    _(waits)                                                                                       \
    _(waits_and_yields)                                                                            \
    _(waits_for_all) _(waits_deep) _(calls) _(hands_on) _(polls_another) _(tries)

#if CO_PART_BODIES
CORO(waits) {
    CO_BEGIN(waits)
        my->err = 5; // kept across the wait
        CO_AWAIT(my->x, my->a);
        mark(my->t, my->x);
        CO_RETURN(my->x + my->err);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

CORO(waits_and_yields) {
    CO_BEGIN(waits_and_yields)
        for (my->i = 0; my->i < 3; my->i++) {
            CO_YIELD(my->x, 0);
            CO_AWAIT(my->x, my->a);
            CO_YIELD(my->x, CO_PENDING);
        }
        CO_RETURN(my->x);
    CO_END
}

CORO(waits_for_all) {
    CO_BEGIN(waits_for_all)
        my->sum = 0;
        my->i = 0;
        while (my->i < my->n) {
            CO_AWAIT(my->x, my->a[my->i]);
            my->sum += my->x << my->i++;
        }
        CO_RETURN(my->sum);
    CO_END
}

CORO(waits_deep) {
    CO_BEGIN(waits_deep)
        if (my->depth == 0) {
            CO_AWAIT(my->x, my->a);
        } else {
            CO_CALLREC(my->x, waits_deep, my->a, my->depth - 1);
        }
        CO_RETURN(my->x + 1);
    CO_END
}

CORO(calls) {
    CO_BEGIN(calls)
        CO_CALL(my->x, waits, my->t, my->a);
        CO_YIELD(my->y, my->x);
        CO_RETURN(my->y);
        CO_FINALLY
        mark(my->t, 2);
    CO_END_FINALLY
}

CORO(hands_on) {
    CO_BEGIN(hands_on)
        CO_DELEGATE(my->x, *my->other);
        CO_RETURN(my->x);
    CO_END
}

// Its items say what the other one answers.
CORO(polls_another) {
    CO_BEGIN(polls_another)
        for (;;) {
            my->out = (word)co_poll(*my->other, my->waker, 0, &my->x);
            CO_YIELD(my->x, my->out);
        }
    CO_END
}

CORO(tries) {
    CO_BEGIN(tries)
        CO_TRY
            CO_AWAIT(my->x, my->a);
            mark(my->t, my->x);
            CO_CATCH(my->err)
            mark(my->t, 1000 + my->err);
            CO_AWAIT(my->x, my->then);
        CO_END_TRY
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

static struct co_result gate_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct gate *gate = (struct gate *)self;
    struct co_result pending = {0, CO_PENDING};
    gate->asked++;
    gate->seen = waker;
    if (gate->pending == 0)
        return gate->answer;
    gate->pending--;
    return pending;
}

static struct gate gate_of(word pending, word v, word st) {
    struct gate gate = {};
    gate.base.ask = gate_ask;
    gate.pending = pending;
    gate.answer.v = v;
    gate.answer.st = st;
    return gate;
}

// An awaitable that drives a coroutine: the futures of one body nest in those of another.
struct driven {
    struct co_awaitable base;
    co_handle co;
};

static struct co_result driven_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct co_result r = {0, 0};
    r.st = (word)co_poll(((struct driven *)self)->co, waker, 0, &r.v);
    return r;
}

// One co_poll, and what must come of it; a pending one gives no value.
static void want_poll_(int line, const char *text, co_handle co, const struct co_waker *waker,
                       int status, word value) {
    word out = ~value;
    int is = co_poll(co, waker, 0, &out);
    kit_want_answer(__FILE__, line, text, is, status, status == CO_PENDING ? value : out, value);
}
#define WANT_POLL(v, status, value)                                                                \
    want_poll_(__LINE__, "co_poll of " #v, CO_HANDLE(v), &waker, status, value)

static const struct co_waker waker = {};

KIT_CHECK(ready, 0, KIT_ALWAYS, "what is ready suspends nobody, by co_poll and by co_resume") {
    struct trace t = {};
    struct gate g = gate_of(0, 7, CO_RETURNED);
    CO_VAR(waits) v = {}, w = {};
    WANT_INIT(waits, &v, &t, &g.base);
    WANT_POLL(&v, CO_RETURNED, 12);
    WANT(g.asked, 1);
    WANT(g.seen == &waker, 1);
    WANT_FINI(waits, &v);
    WANT_INIT(waits, &w, &t, &g.base);
    WANT_GO(waits, &w, 0, CO_RETURNED, 12);
    WANT(g.asked, 2);
    WANT(g.seen != NULL && g.seen != &waker, 1); // nobody's, and not the last one's
    WANT_FINI(waits, &w);
    WANT_TRACE(&t, 7, 1, 7, 1);
}

KIT_CHECK(pending, 0, KIT_ALWAYS, "while it is pending it is asked at each poll, with that waker") {
    struct trace t = {};
    struct gate g = gate_of(3, 7, CO_RETURNED);
    CO_VAR(waits) v = {};
    WANT_INIT(waits, &v, &t, &g.base);
    for (word i = 1; i <= 3; i++) {
        struct co_waker other = {};
        want_poll_(__LINE__, "co_poll", CO_HANDLE(&v), &other, CO_PENDING, 0);
        WANT(g.asked, i);
        WANT(g.seen == &other, 1);
    }
    WANT_NO_TRACE(&t);
    WANT_POLL(&v, CO_RETURNED, 12);
    WANT(g.seen == &waker, 1);
    WANT_FINI(waits, &v);
    WANT_TRACE(&t, 7, 1);
}

KIT_CHECK(all_words, 0, KIT_ALWAYS,
          "each word that an awaitable answers arrives, and each argument is right in a loop") {
    struct gate g[8];
    struct co_awaitable *a[8];
    word sum = 0;
    CO_VAR(waits_for_all) v = {};
    for (unsigned i = 0; i < 8; i++) {
        g[i] = gate_of(i % 3, odd_word(3 * i), CO_RETURNED);
        a[i] = &g[i].base;
        sum += odd_word(3 * i) << i;
    }
    WANT_INIT(waits_for_all, &v, a, 8);
    for (unsigned i = 0; i < 7; i++)
        WANT_POLL(&v, CO_PENDING, 0);
    WANT_POLL(&v, CO_RETURNED, sum);
    WANT_FINI(waits_for_all, &v);
}

KIT_CHECK(items, 0, KIT_ALWAYS, "an item is never taken for waiting, nor waiting for an item") {
    struct gate g = gate_of(0, 9, CO_RETURNED);
    CO_VAR(waits_and_yields) v = {};
    WANT_INIT(waits_and_yields, &v, &g.base);
    for (word i = 0; i < 3; i++) {
        g.pending = i;
        WANT_POLL(&v, CO_YIELDED, 0);
        for (word k = 0; k < i; k++)
            WANT_POLL(&v, CO_PENDING, 0);
        WANT_POLL(&v, CO_YIELDED, CO_PENDING);
    }
    WANT_POLL(&v, CO_RETURNED, 0);
    WANT_FINI(waits_and_yields, &v);
}

KIT_CHECK(resumed, 0, KIT_ALWAYS,
          "co_resume, which has no waker, sees a yield of 0 and asks again; co_poll may go on") {
    struct trace t = {};
    struct gate g = gate_of(3, 7, CO_RETURNED);
    CO_VAR(waits) v = {};
    WANT_INIT(waits, &v, &t, &g.base);
    WANT_GO(waits, &v, 1, CO_YIELDED, 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_GO(waits, &v, 2, CO_YIELDED, 0);
    WANT_GO(waits, &v, 3, CO_RETURNED, 12);
    WANT(g.asked, 4);
    WANT_FINI(waits, &v);
}

KIT_CHECK(of_another, 0, KIT_ALWAYS,
          "one that waits says nothing of another one that is polled next") {
    struct trace t = {};
    struct gate g = gate_of(3, 7, CO_RETURNED);
    CO_VAR(waits) v = {};
    CO_VAR(waits_and_yields) w = {};
    WANT_INIT(waits, &v, &t, &g.base);
    WANT_INIT(waits_and_yields, &w, &g.base);
    WANT_GO(waits, &v, 1, CO_YIELDED, 0);
    WANT_POLL(&w, CO_YIELDED, 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_GO(waits_and_yields, &w, 0, CO_YIELDED, 0); // waits
    WANT_FINI(waits, &v);
    WANT_FINI(waits_and_yields, &w);
}

KIT_CHECK(driven_by_a_body, 0, KIT_ALWAYS,
          "a body that polls another one is not itself waiting, whatever that one answers") {
    static const struct co_waker its_own = {};
    struct trace t = {};
    struct gate g = gate_of(2, 7, CO_RETURNED);
    CO_VAR(waits) i = {};
    CO_VAR(polls_another) v = {};
    co_handle handle;
    WANT_INIT(waits, &i, &t, &g.base);
    handle = CO_HANDLE(&i);
    WANT_INIT(polls_another, &v, &handle, &its_own);
    WANT_POLL(&v, CO_YIELDED, CO_PENDING);
    WANT(g.seen == &its_own, 1);
    WANT_POLL(&v, CO_YIELDED, CO_PENDING);
    WANT_POLL(&v, CO_YIELDED, CO_RETURNED);
    WANT_FINI(polls_another, &v);
    WANT_FINI(waits, &i);
}

KIT_CHECK(error, 0, KIT_ALWAYS, "an awaitable's error is raised at CO_AWAIT, and caught there") {
    struct trace t = {};
    struct gate g = gate_of(1, 77, CO_FAILED), then = gate_of(1, 8, CO_RETURNED);
    CO_VAR(tries) v = {};
    CO_VAR(waits) w = {};
    WANT_INIT(tries, &v, &t, &g.base, &then.base);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_POLL(&v, CO_PENDING, 0); // of the second one
    WANT_POLL(&v, CO_RETURNED, 8);
    WANT_TRACE(&t, 1077);
    WANT_FINI(tries, &v);
    g.pending = 1;
    WANT_INIT(waits, &w, &t, &g.base);
    WANT_POLL(&w, CO_PENDING, 0);
    WANT_POLL(&w, CO_FAILED, 77);
    WANT_FINI(waits, &w);
    WANT_TRACE(&t, 1077, 1);
}

KIT_CHECK(thrown, 0, KIT_ALWAYS, "an error thrown into a body that waits is raised at CO_AWAIT") {
    struct trace t = {};
    struct gate g = gate_of(9, 7, CO_RETURNED), then = gate_of(0, 8, CO_RETURNED);
    CO_VAR(tries) v = {};
    WANT_INIT(tries, &v, &t, &g.base, &then.base);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_HURL(tries, &v, 4, CO_RETURNED, 8);
    WANT(g.asked, 1);
    WANT_FINI(tries, &v);
    WANT_TRACE(&t, 1004);
}

KIT_CHECK(closed, 0, KIT_ALWAYS, "closing a body that waits runs its cleanups, innermost first") {
    struct trace t = {};
    struct gate g = gate_of(9, 7, CO_RETURNED);
    CO_VAR(calls) v = {};
    WANT_INIT(calls, &v, &t, &g.base);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_FINI(calls, &v);
    WANT_TRACE(&t, 1, 2);
    WANT(g.asked, 1);
}

KIT_CHECK(in_callee, 0, KIT_ALWAYS, "a callee waits on behalf of its caller") {
    struct trace t = {};
    struct gate g = gate_of(2, 7, CO_RETURNED);
    CO_VAR(calls) v = {};
    WANT_INIT(calls, &v, &t, &g.base);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT(g.seen == &waker, 1);
    WANT_POLL(&v, CO_YIELDED, 12);
    WANT_POLL(&v, CO_RETURNED, 0);
    WANT_FINI(calls, &v);
    WANT_TRACE(&t, 7, 1, 2);
}

KIT_CHECK(deep, CO_CAP_RECURSION, KIT_ALWAYS, "waiting behind a hundred calls") {
    struct gate g = gate_of(2, 7, CO_RETURNED);
    CO_VAR(waits_deep) v = {};
    WANT_STATUS(CO_INIT_STACK(waits_deep, &v, 100 * KIT_LEVEL_BYTES, &g.base, 99), 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT(g.asked, 2);
    WANT(g.seen == &waker, 1);
    WANT_POLL(&v, CO_RETURNED, 107);
    WANT_FINI(waits_deep, &v);
}

KIT_CHECK(delegated, 0, KIT_ALWAYS, "waiting and items pass through a delegate as what they are") {
    struct gate g = gate_of(1, 7, CO_RETURNED);
    CO_VAR(waits_and_yields) i = {};
    CO_VAR(hands_on) v = {};
    co_handle handle;
    WANT_INIT(waits_and_yields, &i, &g.base);
    handle = CO_HANDLE(&i);
    WANT_INIT(hands_on, &v, &handle);
    WANT_POLL(&v, CO_YIELDED, 0);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT(g.seen == &waker, 1);
    WANT_POLL(&v, CO_YIELDED, CO_PENDING);
    WANT_FINI(hands_on, &v);
    WANT_FINI(waits_and_yields, &i);
}

KIT_CHECK(delegated_throw, 0, KIT_ALWAYS,
          "an error thrown through a delegate makes the other wait for something else") {
    struct trace t = {};
    struct gate g = gate_of(9, 7, CO_RETURNED), then = gate_of(2, 8, CO_RETURNED);
    CO_VAR(tries) i = {};
    CO_VAR(hands_on) v = {};
    co_handle handle;
    WANT_INIT(tries, &i, &t, &g.base, &then.base);
    handle = CO_HANDLE(&i);
    WANT_INIT(hands_on, &v, &handle);
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_HURL(hands_on, &v, 4, CO_YIELDED, 0); // without a waker it is a yield
    WANT_POLL(&v, CO_PENDING, 0);
    WANT_POLL(&v, CO_RETURNED, 8);
    WANT_TRACE(&t, 1004);
    WANT_FINI(hands_on, &v);
    WANT_FINI(tries, &i);
}

KIT_CHECK(nested, 0, KIT_ALWAYS,
          "an awaitable may drive a coroutine that waits; each keeps its waker") {
    struct trace t = {};
    struct gate g = gate_of(2, 7, CO_RETURNED), after = gate_of(1, 20, CO_RETURNED);
    CO_VAR(waits) inner = {};
    CO_VAR(waits_for_all) outer = {};
    struct driven driven = {};
    struct co_awaitable *both[2] = {&driven.base, &after.base};
    WANT_INIT(waits, &inner, &t, &g.base);
    driven.base.ask = driven_ask;
    driven.co = CO_HANDLE(&inner);
    WANT_INIT(waits_for_all, &outer, both, 2);
    WANT_POLL(&outer, CO_PENDING, 0);
    WANT(g.seen == &waker, 1);
    WANT_POLL(&outer, CO_PENDING, 0);
    WANT_POLL(&outer, CO_PENDING, 0);
    WANT(after.seen == &waker, 1);
    WANT_POLL(&outer, CO_RETURNED, 12 + 40);
    WANT_FINI(waits_for_all, &outer);
    WANT_FINI(waits, &inner);
    WANT_TRACE(&t, 7, 1);
}
#endif
