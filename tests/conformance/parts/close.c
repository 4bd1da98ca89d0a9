// Close: in every state, cleanups innermost first, not catchable.
#include <backend.h>
#include "../kit.h"

CORO_DECL(guarded, (struct trace * t; word id;), (word x; word e;), ())
CORO_DECL(nested, (struct trace * t; word depth;), (word x;), (REC(nested)))
CORO_DECL(stubborn_callee, (struct trace * t;), (word x; word e;), (SUB(guarded)))
CORO_DECL(stubborn, (struct trace * t;), (word x; word e;), (SUB(stubborn_callee)))
CORO_DECL(fails, (struct trace * t; word e;), (word x;), ())
CORO_DECL(owner, (struct trace * t;), (word x; int status; word out; CO_VAR(guarded) inner;), ())
CORO_DECL(closer, (co_handle * other; struct trace * t;), (word x; int status;), ())
CORO_DECL(in_handler, (struct trace * t;), (word x; word e;), ())
CORO_DECL(uses_locals, (struct trace * t;), (word x; word a; word b; word c;), ())

#define CO_BODIES(_)                                                                               \
    _(guarded)                                                                                     \
    _(nested)                                                                                      \
    _(stubborn_callee) _(stubborn) _(fails) _(owner) _(closer) _(in_handler) _(uses_locals)

#if CO_PART_BODIES
CORO(guarded) {
    CO_BEGIN(guarded)
        mark(my->t, 500 + my->id);
        CO_TRY
            CO_YIELD(my->x, 1);
            CO_YIELD(my->x, 2);
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
        CO_END_TRY
        CO_RETURN(3);
        CO_FINALLY
        mark(my->t, my->id);
    CO_END_FINALLY
}

CORO(nested) {
    CO_BEGIN(nested)
        if (my->depth > 1) {
            CO_CALLREC(my->x, nested, my->t, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1);
        }
        CO_RETURN(2);
        CO_FINALLY
        mark(my->t, my->depth);
    CO_END_FINALLY
}

// Handlers all the way: none of them may see a close.
CORO(stubborn_callee) {
    CO_BEGIN(stubborn_callee)
        CO_TRY
            CO_CALL(my->x, guarded, my->t, 1);
            CO_CATCH(my->e)
            mark(my->t, 2000 + my->e);
            CO_YIELD(my->x, 9);
        CO_END_TRY
        mark(my->t, 2999);
        CO_FINALLY
        mark(my->t, 2);
    CO_END_FINALLY
}

CORO(stubborn) {
    CO_BEGIN(stubborn)
        CO_TRY
            CO_CALL(my->x, stubborn_callee, my->t);
            CO_CATCH(my->e)
            mark(my->t, 3000 + my->e);
            CO_YIELD(my->x, 9);
        CO_END_TRY
        mark(my->t, 3999);
        CO_FINALLY
        mark(my->t, 3);
    CO_END_FINALLY
}

CORO(fails) {
    CO_BEGIN(fails)
        CO_YIELD(my->x, 1);
        CO_RAISE(my->e);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

// Cleanup code that ends another coroutine, as an owner does.
CORO(owner) {
    CO_BEGIN(owner)
        my->status = CO_INIT(guarded, &my->inner, my->t, 7);
        my->status = CO_RESUME(guarded, &my->inner, 0, &my->out);
        CO_YIELD(my->x, my->out);
        CO_RETURN(2);
        CO_FINALLY
        my->status = CO_FINI(guarded, &my->inner);
        mark(my->t, 50 + (word)my->status);
    CO_END_FINALLY
}

CORO(closer) {
    CO_BEGIN(closer)
        CO_YIELD(my->x, 1);
        my->status = co_close(*my->other);
        mark(my->t, 600 + (word)my->status);
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
    CO_END
}

CORO(in_handler) {
    CO_BEGIN(in_handler)
        CO_TRY
            CO_YIELD(my->x, 1);
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
            CO_TRY
                CO_YIELD(my->x, 2);
                CO_CATCH(my->e)
                mark(my->t, 2000 + my->e);
            CO_END_TRY
            mark(my->t, 3000);
        CO_END_TRY
        mark(my->t, 4000);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

CORO(uses_locals) {
    CO_BEGIN(uses_locals)
        my->a = 11;
        my->b = 22;
        CO_YIELD(my->c, 1);
        my->a += my->c;
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
        CO_FINALLY
        mark(my->t, my->a);
        mark(my->t, my->b);
        mark(my->t, my->c);
    CO_END_FINALLY
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

KIT_CHECK(unstarted, 0, KIT_ALWAYS,
          "closing before the first resume runs nothing: the body never started") {
    if ((unsigned)CO_BACKEND_CAPS & CO_CAP_EAGER)
        kit_not_claimed("a body starts when it is created");
    CO_VAR(guarded) v = {};
    struct trace t = {};
    WANT_INIT(guarded, &v, &t, 1);
    WANT_FINI(guarded, &v);
    WANT_INIT(guarded, &v, &t, 1);
    WANT_STATUS(co_close(CO_HANDLE(&v)), 0);
    WANT_FINI(guarded, &v);
    WANT_NO_TRACE(&t);
}

KIT_CHECK(suspended, 0, KIT_ALWAYS, "closing at each yield runs the cleanup once and no handler") {
    for (int yields = 1; yields <= 2; yields++) {
        CO_VAR(guarded) v = {};
        struct trace t = {};
        WANT_INIT(guarded, &v, &t, 1);
        for (int i = 1; i <= yields; i++)
            WANT_GO(guarded, &v, 0, CO_YIELDED, (word)i);
        WANT_FINI(guarded, &v);
        WANT_TRACE(&t, 501, 1);
    }
}

KIT_CHECK(by_handle, 0, KIT_ALWAYS, "co_close closes; CO_FINI afterwards finds nothing to do") {
    CO_VAR(guarded) v = {};
    struct trace t = {};
    WANT_INIT(guarded, &v, &t, 1);
    WANT_GO(guarded, &v, 0, CO_YIELDED, 1);
    WANT_STATUS(co_close(CO_HANDLE(&v)), 0);
    WANT_TRACE(&t, 501, 1);
    WANT_FINI(guarded, &v);
    WANT_TRACE(&t, 501, 1);
}

KIT_CHECK(twice, 0, KIT_ALWAYS, "a second CO_FINI runs nothing and is no error") {
    CO_VAR(guarded) v = {};
    struct trace t = {};
    WANT_INIT(guarded, &v, &t, 1);
    WANT_GO(guarded, &v, 0, CO_YIELDED, 1);
    WANT_FINI(guarded, &v);
    WANT_FINI(guarded, &v);
    WANT_TRACE(&t, 501, 1);
}

KIT_CHECK(returned, 0, KIT_ALWAYS, "closing what has returned runs no cleanup again") {
    CO_VAR(guarded) v = {};
    struct trace t = {};
    WANT_INIT(guarded, &v, &t, 1);
    WANT_GO(guarded, &v, 0, CO_YIELDED, 1);
    WANT_GO(guarded, &v, 0, CO_YIELDED, 2);
    WANT_GO(guarded, &v, 0, CO_RETURNED, 3);
    WANT_TRACE(&t, 501, 1);
    WANT_STATUS(co_close(CO_HANDLE(&v)), 0);
    WANT_FINI(guarded, &v);
    WANT_TRACE(&t, 501, 1);
}

KIT_CHECK(failed, 0, KIT_ALWAYS, "closing what has failed runs no cleanup again") {
    CO_VAR(fails) v = {};
    struct trace t = {};
    for (int thrown = 0; thrown < 2; thrown++) {
        WANT_INIT(fails, &v, &t, 9);
        WANT_GO(fails, &v, 0, CO_YIELDED, 1);
        if (thrown)
            WANT_HURL(fails, &v, 9, CO_FAILED, 9);
        else
            WANT_GO(fails, &v, 0, CO_FAILED, 9);
        WANT_FINI(fails, &v);
    }
    WANT_TRACE(&t, 1, 1);
}

KIT_CHECK(innermost_first, CO_CAP_RECURSION, KIT_ALWAYS,
          "nested calls are cleaned up innermost first") {
    CO_VAR(nested) v = {};
    struct trace t = {};
    WANT_STATUS(CO_INIT_STACK(nested, &v, 10 * KIT_LEVEL_BYTES, &t, 10), 0);
    WANT_GO(nested, &v, 0, CO_YIELDED, 1);
    WANT_FINI(nested, &v);
    WANT_TRACE(&t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
}

KIT_CHECK(innermost_first_1000, CO_CAP_RECURSION, KIT_ALWAYS,
          "1000 nested calls are all cleaned up") {
    CO_VAR(nested) v = {};
    struct trace t = {};
    WANT_STATUS(CO_INIT_STACK(nested, &v, 1000 * KIT_LEVEL_BYTES + 65536, &t, 1000), 0);
    WANT_GO(nested, &v, 0, CO_YIELDED, 1);
    WANT_FINI(nested, &v);
    WANT(t.n, 1000);
    WANT(t.event[60], 61);
}

KIT_CHECK(not_catchable, 0, KIT_ALWAYS, "no handler at any level sees a close") {
    CO_VAR(stubborn) v = {};
    struct trace t = {};
    WANT_INIT(stubborn, &v, &t);
    WANT_GO(stubborn, &v, 0, CO_YIELDED, 1);
    WANT_FINI(stubborn, &v);
    WANT_TRACE(&t, 501, 1, 2, 3);
}

KIT_CHECK(in_handler, 0, KIT_ALWAYS,
          "closing at a yield inside a handler runs the cleanup and nothing else") {
    CO_VAR(in_handler) v = {};
    struct trace t = {};
    WANT_INIT(in_handler, &v, &t);
    WANT_GO(in_handler, &v, 0, CO_YIELDED, 1);
    WANT_HURL(in_handler, &v, 5, CO_YIELDED, 2);
    WANT_FINI(in_handler, &v);
    WANT_TRACE(&t, 1005, 1);
}

KIT_CHECK(error_instead, 0, KIT_ALWAYS,
          "the same bodies catch an error, go on behind it, and clean up once") {
    CO_VAR(stubborn) v = {};
    struct trace t = {};
    WANT_INIT(stubborn, &v, &t);
    WANT_GO(stubborn, &v, 0, CO_YIELDED, 1);
    WANT_GO(stubborn, &v, 0, CO_YIELDED, 2);
    WANT_HURL(stubborn, &v, 5, CO_RETURNED, 0);
    WANT_TRACE(&t, 501, 1005, 1, 2999, 2, 3999, 3);
    WANT_FINI(stubborn, &v);
    WANT_TRACE(&t, 501, 1005, 1, 2999, 2, 3999, 3);
}

KIT_CHECK(owned, 0, KIT_ALWAYS, "a cleanup may finish a coroutine that the body owns") {
    CO_VAR(owner) v = {};
    struct trace t = {};
    WANT_INIT(owner, &v, &t);
    WANT_GO(owner, &v, 0, CO_YIELDED, 1);
    WANT_FINI(owner, &v);
    WANT_TRACE(&t, 507, 7, 50);
    struct trace u = {};
    WANT_INIT(owner, &v, &u);
    WANT_GO(owner, &v, 0, CO_YIELDED, 1);
    WANT_HURL(owner, &v, 4, CO_FAILED, 4);
    WANT_TRACE(&u, 507, 7, 50);
    WANT_FINI(owner, &v);
}

KIT_CHECK(by_coroutine, 0, KIT_ALWAYS, "one coroutine closes another and goes on") {
    CO_VAR(guarded) g = {};
    CO_VAR(closer) v = {};
    struct trace t = {};
    WANT_INIT(guarded, &g, &t, 4);
    WANT_GO(guarded, &g, 0, CO_YIELDED, 1);
    co_handle handle = CO_HANDLE(&g);
    WANT_INIT(closer, &v, &handle, &t);
    WANT_GO(closer, &v, 0, CO_YIELDED, 1);
    WANT_GO(closer, &v, 0, CO_YIELDED, 2);
    WANT_TRACE(&t, 504, 4, 600);
    WANT_GO(closer, &v, 0, CO_RETURNED, 3);
    WANT_FINI(closer, &v);
    WANT_FINI(guarded, &g);
}

KIT_CHECK(locals_in_cleanup, 0, KIT_ALWAYS,
          "a cleanup sees the locals as they were at the last yield") {
    CO_VAR(uses_locals) v = {};
    struct trace t = {};
    WANT_INIT(uses_locals, &v, &t);
    WANT_GO(uses_locals, &v, 0, CO_YIELDED, 1);
    WANT_GO(uses_locals, &v, 33, CO_YIELDED, 2);
    WANT_FINI(uses_locals, &v);
    WANT_TRACE(&t, 44, 22, 33);
}

KIT_CHECK(locals_in_cleanup_after_throw, 0, KIT_ALWAYS, "a cleanup on error sees them as well") {
    CO_VAR(uses_locals) v = {};
    struct trace t = {};
    WANT_INIT(uses_locals, &v, &t);
    WANT_GO(uses_locals, &v, 0, CO_YIELDED, 1);
    WANT_GO(uses_locals, &v, 33, CO_YIELDED, 2);
    WANT_HURL(uses_locals, &v, 8, CO_FAILED, 8);
    WANT_TRACE(&t, 44, 22, 33);
    WANT_FINI(uses_locals, &v);
}

KIT_CHECK(many_in_any_order, 0, KIT_ALWAYS,
          "100 suspended coroutines are closed in mixed order, others unharmed") {
    enum { N = 100 };
    static CO_VAR(guarded) v[N];
    static struct trace t[N];
    for (word i = 0; i < N; i++) {
        WANT_INIT(guarded, &v[i], &t[i], i);
        WANT_GO(guarded, &v[i], 0, CO_YIELDED, 1);
    }
    for (word k = 0; k < N; k++) {
        word i = k * 37 % N;
        WANT(t[i].n, 1);
        if (i % 2 == 0)
            WANT_GO(guarded, &v[i], 0, CO_YIELDED, 2);
        WANT_FINI(guarded, &v[i]);
        WANT(t[i].n, 2);
        WANT(t[i].event[1], i);
    }
}
#endif
