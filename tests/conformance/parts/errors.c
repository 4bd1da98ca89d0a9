// Errors: thrown in, raised, caught at any level, rethrown, not caught; cleanup on the way.
#include <backend.h>
#include "../kit.h"

CORO_DECL(plain, (struct trace * t;), (word x;), ())
CORO_DECL(catcher, (struct trace * t;), (word x; word e;), ())
CORO_DECL(raiser, (word e; word yields;), (word x;), ())
CORO_DECL(catches_callee, (struct trace * t; word e; word yields;), (word x;), (SUB(raiser)))
CORO_DECL(level, (struct trace * t; word depth; word catch_at; word rethrow_at;), (word x; word e;),
          (REC(level)))
CORO_DECL(in_loop, (struct trace * t; word n;), (word x; word e; word i; word caught;), ())
CORO_DECL(nested_try, (struct trace * t; word raise_inner; word raise_in_catch;), (word x; word e;),
          ())
CORO_DECL(returns_inside, (struct trace * t; word from_catch;), (word x; word e;), ())
CORO_DECL(dead_handler, (struct trace * t; word how;), (word x; word e;), (SUB(returns_inside)))
CORO_DECL(left_try, (struct trace * t;), (word x; word e;), ())
CORO_DECL(after_callee_try, (struct trace * t;), (word x; word e;), (SUB(catcher)))
CORO_DECL(raise_in_body, (struct trace * t;), (word x; word e;), ())
CORO_DECL(cleans, (struct trace * t; word id; word e;), (word x;), ())
CORO_DECL(cleans_and_calls, (struct trace * t; word id; word e;), (word x;), (SUB(cleans)))
CORO_DECL(catches_cleaners, (struct trace * t; word e;), (word x; word err;),
          (SUB(cleans_and_calls)))
CORO_DECL(passes_word, (), (word x; word e; unsigned i;), (SUB(raiser)))
CORO_DECL(retry, (struct trace * t;), (word x; word e; word tries;), (SUB(raiser)))
CORO_DECL(locals_in_try, (struct trace * t;),
          (word x; word e; word a; word b; word c; word d; word f; word g;), (SUB(raiser)))
CORO_DECL(throws_on, (struct trace * t; co_handle * other;), (word x; word out; int status;), ())

#define CO_BODIES(_)                                                                               \
    _(plain)                                                                                       \
    _(catcher)                                                                                     \
    _(raiser)                                                                                      \
    _(catches_callee)                                                                              \
    _(level)                                                                                       \
    _(in_loop)                                                                                     \
    _(nested_try)                                                                                  \
    _(returns_inside)                                                                              \
    _(dead_handler)                                                                                \
    _(left_try)                                                                                    \
    _(after_callee_try)                                                                            \
    _(raise_in_body)                                                                               \
    _(cleans)                                                                                      \
    _(cleans_and_calls) _(catches_cleaners) _(passes_word) _(retry) _(locals_in_try) _(throws_on)

#if CO_PART_BODIES
CORO(plain) {
    CO_BEGIN(plain)
        mark(my->t, 1);
        CO_YIELD(my->x, 10);
        mark(my->t, 2);
        CO_YIELD(my->x, 20);
        CO_RETURN(30);
    CO_END
}

CORO(catcher) {
    CO_BEGIN(catcher)
        CO_TRY
            CO_YIELD(my->x, 10);
            mark(my->t, my->x);
            CO_YIELD(my->x, 11);
            mark(my->t, my->x);
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
            CO_YIELD(my->x, my->e);
            mark(my->t, my->x);
        CO_END_TRY
        CO_YIELD(my->x, 12);
        CO_RETURN(my->x);
    CO_END
}

CORO(raiser) {
    CO_BEGIN(raiser)
        while (my->yields > 0) {
            my->yields--;
            CO_YIELD(my->x, my->yields);
        }
        CO_RAISE(my->e);
    CO_END
}

CORO(catches_callee) {
    CO_BEGIN(catches_callee)
        my->x = 77;
        CO_TRY
            CO_CALL(my->x, raiser, my->e, my->yields);
            mark(my->t, 1);
            CO_CATCH(my->e)
            mark(my->t, my->x); // the call gave no value
            mark(my->t, my->e);
        CO_END_TRY
        CO_YIELD(my->x, 8);
        CO_CALL(my->x, raiser, my->x, 0);
        CO_RETURN(9);
    CO_END
}

// Levels count down to 1, which yields; level catch_at catches, level rethrow_at raises it once
// more plus 1.
CORO(level) {
    CO_BEGIN(level)
        if (my->depth == my->catch_at || my->depth == my->rethrow_at) {
            CO_TRY
                if (my->depth > 1) {
                    CO_CALLREC(my->x, level, my->t, my->depth - 1, my->catch_at, my->rethrow_at);
                } else {
                    CO_YIELD(my->x, 10);
                }
                CO_CATCH(my->e)
                mark(my->t, 100 + my->depth);
                if (my->depth == my->rethrow_at) {
                    CO_RAISE(my->e + 1);
                }
                CO_YIELD(my->x, my->e);
                my->x += 5;
            CO_END_TRY
        } else if (my->depth > 1) {
            CO_CALLREC(my->x, level, my->t, my->depth - 1, my->catch_at, my->rethrow_at);
        } else {
            CO_YIELD(my->x, 10);
        }
        CO_RETURN(my->x + 1);
        CO_FINALLY
        mark(my->t, my->depth);
    CO_END_FINALLY
}

CORO(in_loop) {
    CO_BEGIN(in_loop)
        my->caught = 0;
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_TRY
                if (my->i % 3 == 2) {
                    CO_RAISE(1);
                }
                CO_YIELD(my->x, my->i);
                CO_CATCH(my->e)
                my->caught += my->e;
            CO_END_TRY
        }
        CO_RETURN(my->caught);
    CO_END
}

CORO(nested_try) {
    CO_BEGIN(nested_try)
        CO_TRY
            CO_TRY
                CO_YIELD(my->x, 1);
                if (my->raise_inner) {
                    CO_RAISE(my->raise_inner);
                }
                mark(my->t, 1);
                CO_CATCH(my->e)
                mark(my->t, 1000 + my->e);
                if (my->raise_in_catch) {
                    CO_RAISE(my->raise_in_catch);
                }
                CO_YIELD(my->x, 2);
            CO_END_TRY
            CO_YIELD(my->x, 3);
            mark(my->t, 3);
            CO_CATCH(my->e)
            mark(my->t, 2000 + my->e);
            CO_YIELD(my->x, 4);
            CO_TRY
                CO_YIELD(my->x, 5);
                CO_CATCH(my->e)
                mark(my->t, 3000 + my->e);
            CO_END_TRY
        CO_END_TRY
        CO_YIELD(my->x, 6);
        CO_RETURN(7);
    CO_END
}

CORO(returns_inside) {
    CO_BEGIN(returns_inside)
        CO_TRY
            CO_TRY
                CO_YIELD(my->x, 1);
                if (my->from_catch) {
                    CO_RAISE(5);
                }
                CO_RETURN(50);
                CO_CATCH(my->e)
                CO_RETURN(60);
            CO_END_TRY
            CO_CATCH(my->e)
            mark(my->t, 9999);
        CO_END_TRY
        mark(my->t, 9998);
    CO_END
}

// The callee returned from inside its handlers: they are gone, and an error here is not theirs.
CORO(dead_handler) {
    CO_BEGIN(dead_handler)
        if (my->how == 2) {
            CO_TRY
                CO_CALL(my->x, returns_inside, my->t, 1);
                CO_YIELD(my->x, my->x);
                CO_CATCH(my->e)
                mark(my->t, 1000 + my->e);
            CO_END_TRY
        } else {
            CO_CALL(my->x, returns_inside, my->t, my->how);
            CO_YIELD(my->x, my->x);
        }
        CO_YIELD(my->x, 3);
        CO_RETURN(4);
    CO_END
}

CORO(left_try) {
    CO_BEGIN(left_try)
        CO_TRY
            CO_YIELD(my->x, 1);
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
        CO_END_TRY
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
    CO_END
}

CORO(after_callee_try) {
    CO_BEGIN(after_callee_try)
        CO_CALL(my->x, catcher, my->t);
        CO_YIELD(my->x, 40);
        CO_RETURN(41);
    CO_END
}

CORO(raise_in_body) {
    CO_BEGIN(raise_in_body)
        CO_TRY
            mark(my->t, 1);
            CO_RAISE(7);
            CO_CATCH(my->e)
            mark(my->t, 1000 + my->e);
        CO_END_TRY
        CO_RAISE(8);
        CO_FINALLY
        mark(my->t, 3);
    CO_END_FINALLY
}

CORO(cleans) {
    CO_BEGIN(cleans)
        CO_YIELD(my->x, my->id);
        if (my->e) {
            CO_RAISE(my->e);
        }
        CO_RETURN(my->id + 1);
        CO_FINALLY
        mark(my->t, my->id);
    CO_END_FINALLY
}

CORO(cleans_and_calls) {
    CO_BEGIN(cleans_and_calls)
        CO_CALL(my->x, cleans, my->t, my->id * 10, my->e);
        CO_YIELD(my->x, my->x);
        CO_RETURN(my->id);
        CO_FINALLY
        mark(my->t, my->id);
    CO_END_FINALLY
}

CORO(catches_cleaners) {
    CO_BEGIN(catches_cleaners)
        CO_TRY
            CO_CALL(my->x, cleans_and_calls, my->t, 2, my->e);
            CO_CATCH(my->err)
            mark(my->t, 1000 + my->err);
        CO_END_TRY
        CO_RETURN(1);
        CO_FINALLY
        mark(my->t, 1);
    CO_END_FINALLY
}

CORO(passes_word) {
    CO_BEGIN(passes_word)
        for (my->i = 0; my->i < ODD_WORDS; my->i++) {
            CO_TRY
                CO_CALL(my->x, raiser, odd_word(my->i), 1);
                CO_CATCH(my->e)
                CO_YIELD(my->x, my->e);
            CO_END_TRY
            CO_TRY
                CO_YIELD(my->x, 1);
                CO_CATCH(my->e)
                CO_YIELD(my->x, my->e);
            CO_END_TRY
        }
        CO_RETURN(0);
    CO_END
}

// Tries again until it goes well, with a yield in the handler and a call in the try.
CORO(retry) {
    CO_BEGIN(retry)
        my->tries = 0;
        while (my->tries < 5) {
            CO_TRY
                CO_CALL(my->x, raiser, my->tries, 1);
                CO_CATCH(my->e)
                CO_YIELD(my->x, 100 + my->e);
            CO_END_TRY
            my->tries++;
        }
        CO_RETURN(my->tries);
    CO_END
}

// What changed inside the try has its latest value in the handler: in a register or not.
CORO(locals_in_try) {
    CO_BEGIN(locals_in_try)
        my->a = my->b = my->c = my->d = my->f = my->g = 1;
        CO_TRY
            my->a = 2;
            my->b = 3;
            CO_YIELD(my->c, 1);
            my->a += my->c;
            my->d = my->a * 2;
            CO_YIELD(my->f, my->d);
            my->g = 100;
            while (my->g > 5)
                my->g--;
            CO_CALL(my->x, raiser, 7, 1);
            my->g = 0;
            CO_CATCH(my->e)
            mark(my->t, my->a);
            mark(my->t, my->b);
            mark(my->t, my->c);
            mark(my->t, my->d);
            mark(my->t, my->f);
            mark(my->t, my->g);
        CO_END_TRY
        CO_RETURN(my->a + my->b + my->c + my->d + my->f + my->g);
    CO_END
}

// A coroutine that throws into another one while it runs itself.
CORO(throws_on) {
    CO_BEGIN(throws_on)
        CO_YIELD(my->x, 1);
        my->status = co_throw(*my->other, my->x, &my->out);
        mark(my->t, (word)my->status);
        mark(my->t, my->out);
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

KIT_CHECK(uncaught, 0, KIT_ALWAYS,
          "a thrown error that nobody catches fails the coroutine with that word") {
    CO_VAR(plain) v = {};
    struct trace t = {};
    WANT_INIT(plain, &v, &t);
    WANT_GO(plain, &v, 0, CO_YIELDED, 10);
    WANT_HURL(plain, &v, 4711, CO_FAILED, 4711);
    WANT_TRACE(&t, 1);
    WANT_FINI(plain, &v);
}

KIT_CHECK(before_the_start, 0, KIT_ALWAYS,
          "a throw into an unstarted coroutine fails it; the body does not start") {
    if ((unsigned)CO_BACKEND_CAPS & CO_CAP_EAGER)
        kit_not_claimed("a body starts when it is created");
    CO_VAR(plain) v = {};
    CO_VAR(raise_in_body) c = {};
    struct trace t = {};
    WANT_INIT(plain, &v, &t);
    WANT_HURL(plain, &v, 5, CO_FAILED, 5);
    WANT_FINI(plain, &v);
    WANT_INIT(raise_in_body, &c, &t);
    WANT_HURL(raise_in_body, &c, 6, CO_FAILED, 6);
    WANT_FINI(raise_in_body, &c);
    WANT_NO_TRACE(&t);
}

KIT_CHECK(caught, 0, KIT_ALWAYS,
          "a thrown error is caught at the yield; handler and body go on yielding") {
    CO_VAR(catcher) v = {};
    struct trace t = {};
    WANT_INIT(catcher, &v, &t);
    WANT_GO(catcher, &v, 0, CO_YIELDED, 10);
    WANT_GO(catcher, &v, 5, CO_YIELDED, 11);
    WANT_HURL(catcher, &v, 70, CO_YIELDED, 70);
    WANT_GO(catcher, &v, 6, CO_YIELDED, 12);
    WANT_TRACE(&t, 5, 1070, 6);
    WANT_GO(catcher, &v, 8, CO_RETURNED, 8);
    WANT_FINI(catcher, &v);
}

KIT_CHECK(no_error_no_handler, 0, KIT_ALWAYS, "without an error the handler does not run") {
    CO_VAR(catcher) v = {};
    struct trace t = {};
    WANT_INIT(catcher, &v, &t);
    WANT_GO(catcher, &v, 0, CO_YIELDED, 10);
    WANT_GO(catcher, &v, 5, CO_YIELDED, 11);
    WANT_GO(catcher, &v, 6, CO_YIELDED, 12);
    WANT_TRACE(&t, 5, 6);
    WANT_GO(catcher, &v, 8, CO_RETURNED, 8);
    WANT_FINI(catcher, &v);
}

KIT_CHECK(throw_into_handler, 0, KIT_ALWAYS,
          "an error thrown at a yield in the handler passes that handler by") {
    CO_VAR(catcher) v = {};
    struct trace t = {};
    WANT_INIT(catcher, &v, &t);
    WANT_GO(catcher, &v, 0, CO_YIELDED, 10);
    WANT_HURL(catcher, &v, 70, CO_YIELDED, 70);
    WANT_HURL(catcher, &v, 80, CO_FAILED, 80);
    WANT_TRACE(&t, 1070);
    WANT_FINI(catcher, &v);
}

KIT_CHECK(raised_in_body, 0, KIT_ALWAYS,
          "CO_RAISE goes to the nearest handler, outside one it fails the body") {
    CO_VAR(raise_in_body) v = {};
    struct trace t = {};
    WANT_INIT(raise_in_body, &v, &t);
    WANT_GO(raise_in_body, &v, 0, CO_FAILED, 8);
    WANT_TRACE(&t, 1, 1007, 3);
    WANT_FINI(raise_in_body, &v);
}

KIT_CHECK(raised_in_callee, 0, KIT_ALWAYS,
          "a callee's error is caught in the caller, before or after yields") {
    for (word yields = 0; yields < 3; yields++) {
        CO_VAR(catches_callee) v = {};
        struct trace t = {};
        WANT_INIT(catches_callee, &v, &t, 55, yields);
        for (word i = yields; i-- > 0;)
            WANT_GO(catches_callee, &v, 0, CO_YIELDED, i);
        WANT_GO(catches_callee, &v, 0, CO_YIELDED, 8);
        WANT_TRACE(&t, 77, 55);
        WANT_GO(catches_callee, &v, 66, CO_FAILED, 66); // the second call is not guarded
        WANT_FINI(catches_callee, &v);
    }
}

KIT_CHECK(thrown_into_callee, 0, KIT_ALWAYS,
          "an error thrown at a callee's yield is caught in the caller") {
    CO_VAR(catches_callee) v = {};
    struct trace t = {};
    WANT_INIT(catches_callee, &v, &t, 55, 2);
    WANT_GO(catches_callee, &v, 0, CO_YIELDED, 1);
    WANT_HURL(catches_callee, &v, 99, CO_YIELDED, 8);
    WANT_TRACE(&t, 77, 99);
    WANT_FINI(catches_callee, &v);
}

enum { LEVELS = 8 };

KIT_CHECK(caught_at_each_level, CO_CAP_RECURSION, KIT_ALWAYS,
          "an error is caught at each level of nesting; levels below clean up first") {
    for (word at = 1; at <= LEVELS; at++) {
        CO_VAR(level) v = {};
        struct trace t = {};
        WANT_STATUS(CO_INIT_STACK(level, &v, (size_t)LEVELS * KIT_LEVEL_BYTES, &t, LEVELS, at, 0),
                    0);
        WANT_GO(level, &v, 0, CO_YIELDED, 10);
        WANT_HURL(level, &v, 300, CO_YIELDED, 300);
        WANT(t.n, at);
        for (word i = 1; i < at; i++)
            WANT(t.event[i - 1], i);
        WANT(t.event[at - 1], 100 + at);
        WANT_GO(level, &v, 1, CO_RETURNED, 1 + 5 + (LEVELS - at + 1));
        WANT(t.n, at + LEVELS - at + 1);
        WANT(t.event[t.n - 1], LEVELS);
        WANT_FINI(level, &v);
    }
}

KIT_CHECK(rethrown, CO_CAP_RECURSION, KIT_ALWAYS,
          "an error raised again in a handler is caught further out, at each level") {
    for (word rethrow = 1; rethrow < LEVELS; rethrow++)
        for (word at = rethrow + 1; at <= LEVELS; at++) {
            CO_VAR(level) v = {};
            struct trace t = {};
            WANT_STATUS(
                CO_INIT_STACK(level, &v, (size_t)LEVELS * KIT_LEVEL_BYTES, &t, LEVELS, at, rethrow),
                0);
            WANT_GO(level, &v, 0, CO_YIELDED, 10);
            WANT_HURL(level, &v, 300, CO_YIELDED, 301);
            WANT(t.n, at + 1);
            WANT(t.event[rethrow - 1], 100 + rethrow);
            WANT(t.event[at], 100 + at);
            WANT_GO(level, &v, 1, CO_RETURNED, 6 + (LEVELS - at + 1));
            WANT_FINI(level, &v);
        }
}

KIT_CHECK(uncaught_from_depth, CO_CAP_RECURSION, KIT_ALWAYS,
          "an error nobody catches runs every cleanup, innermost first") {
    CO_VAR(level) v = {};
    struct trace t = {};
    WANT_STATUS(CO_INIT_STACK(level, &v, 8 * KIT_LEVEL_BYTES, &t, 8, 0, 0), 0);
    WANT_GO(level, &v, 0, CO_YIELDED, 10);
    WANT_HURL(level, &v, 300, CO_FAILED, 300);
    WANT_TRACE(&t, 1, 2, 3, 4, 5, 6, 7, 8);
    WANT_FINI(level, &v);
}

KIT_CHECK(rethrown_uncaught, CO_CAP_RECURSION, KIT_ALWAYS,
          "raised again in a handler and caught by none: the new word fails it") {
    CO_VAR(level) v = {};
    struct trace t = {};
    WANT_STATUS(CO_INIT_STACK(level, &v, 3 * KIT_LEVEL_BYTES, &t, 3, 0, 2), 0);
    WANT_GO(level, &v, 0, CO_YIELDED, 10);
    WANT_HURL(level, &v, 300, CO_FAILED, 301);
    WANT_TRACE(&t, 1, 102, 2, 3);
    WANT_FINI(level, &v);
}

KIT_CHECK(through_1000_levels, CO_CAP_RECURSION, KIT_ALWAYS,
          "an error passes 1000 levels and is caught at the outermost") {
    CO_VAR(level) v = {};
    struct trace t = {};
    WANT_STATUS(CO_INIT_STACK(level, &v, 1000 * KIT_LEVEL_BYTES + 65536, &t, 1000, 1000, 0), 0);
    WANT_GO(level, &v, 0, CO_YIELDED, 10);
    WANT_HURL(level, &v, 300, CO_YIELDED, 300);
    WANT(t.n, 1000);
    WANT_GO(level, &v, 1, CO_RETURNED, 7);
    WANT_FINI(level, &v);
}

KIT_CHECK(in_loop, 0, KIT_ALWAYS,
          "a try in a loop is entered afresh each time, left by error or normally") {
    CO_VAR(in_loop) v = {};
    struct trace t = {};
    WANT_INIT(in_loop, &v, &t, 300);
    word thrown = 0;
    for (word i = 0; i < 300; i++) {
        if (i % 3 == 2)
            continue;
        if (i % 5 == 1) { // throw at the yield before this one
            WANT_HURL(in_loop, &v, i == 1 ? 7 : 1000, CO_YIELDED, i);
            thrown += i == 1 ? 7 : 1000;
        } else {
            WANT_GO(in_loop, &v, 0, CO_YIELDED, i);
        }
    }
    WANT_GO(in_loop, &v, 0, CO_RETURNED, 100 + thrown);
    WANT_FINI(in_loop, &v);
}

static void start_nested(CO_VAR(nested_try) * v, struct trace *t, word raise, word in_catch) {
    WANT_INIT(nested_try, v, t, raise, in_catch);
    WANT_GO(nested_try, v, 0, CO_YIELDED, 1);
}

KIT_CHECK(nested_inner, 0, KIT_ALWAYS,
          "of two nested tries the inner one catches, and the outer one still stands") {
    CO_VAR(nested_try) v = {};
    struct trace t = {};
    start_nested(&v, &t, 5, 0);
    WANT_GO(nested_try, &v, 0, CO_YIELDED, 2);
    WANT_TRACE(&t, 1005);
    WANT_GO(nested_try, &v, 0, CO_YIELDED, 3);
    WANT_HURL(nested_try, &v, 8, CO_YIELDED, 4);
    WANT_TRACE(&t, 1005, 2008);
    WANT_FINI(nested_try, &v);
}

KIT_CHECK(nested_raise_in_catch, 0, KIT_ALWAYS,
          "an error raised or thrown in the inner handler goes to the outer one") {
    CO_VAR(nested_try) v = {};
    struct trace t = {};
    start_nested(&v, &t, 5, 6);
    WANT_GO(nested_try, &v, 0, CO_YIELDED, 4);
    WANT_TRACE(&t, 1005, 2006);
    WANT_FINI(nested_try, &v);
    struct trace u = {};
    start_nested(&v, &u, 0, 0);
    WANT_HURL(nested_try, &v, 3, CO_YIELDED, 2);
    WANT_HURL(nested_try, &v, 4, CO_YIELDED, 4);
    WANT_TRACE(&u, 1003, 2004);
    WANT_FINI(nested_try, &v);
}

KIT_CHECK(nested_in_catch, 0, KIT_ALWAYS,
          "a try inside a handler catches; behind both, no handler is left") {
    CO_VAR(nested_try) v = {};
    struct trace t = {};
    start_nested(&v, &t, 0, 0);
    WANT_GO(nested_try, &v, 0, CO_YIELDED, 3);
    WANT_HURL(nested_try, &v, 1, CO_YIELDED, 4);
    WANT_GO(nested_try, &v, 0, CO_YIELDED, 5);
    WANT_HURL(nested_try, &v, 2, CO_YIELDED, 6);
    WANT_TRACE(&t, 1, 2001, 3002);
    WANT_HURL(nested_try, &v, 9, CO_FAILED, 9);
    WANT_FINI(nested_try, &v);
}

KIT_CHECK(left_normally, 0, KIT_ALWAYS,
          "a try that was left without an error catches nothing later") {
    CO_VAR(left_try) v = {};
    struct trace t = {};
    WANT_INIT(left_try, &v, &t);
    WANT_GO(left_try, &v, 0, CO_YIELDED, 1);
    WANT_GO(left_try, &v, 0, CO_YIELDED, 2);
    WANT_HURL(left_try, &v, 8, CO_FAILED, 8);
    WANT_NO_TRACE(&t);
    WANT_FINI(left_try, &v);
}

KIT_CHECK(callee_left_its_try, 0, KIT_ALWAYS,
          "a callee that caught and returned leaves no handler behind") {
    CO_VAR(after_callee_try) v = {};
    struct trace t = {};
    WANT_INIT(after_callee_try, &v, &t);
    WANT_GO(after_callee_try, &v, 0, CO_YIELDED, 10);
    WANT_HURL(after_callee_try, &v, 5, CO_YIELDED, 5);
    WANT_GO(after_callee_try, &v, 1, CO_YIELDED, 12);
    WANT_GO(after_callee_try, &v, 1, CO_YIELDED, 40);
    WANT_HURL(after_callee_try, &v, 8, CO_FAILED, 8);
    WANT_TRACE(&t, 1005, 1);
    WANT_FINI(after_callee_try, &v);
}

KIT_CHECK(
    return_inside_try, 0, KIT_ALWAYS,
    "after CO_RETURN from inside two tries, or from a handler, an error lands in none of them") {
    for (word how = 0; how < 2; how++) {
        CO_VAR(dead_handler) v = {};
        struct trace t = {};
        WANT_INIT(dead_handler, &v, &t, how);
        WANT_GO(dead_handler, &v, 0, CO_YIELDED, 1);
        WANT_GO(dead_handler, &v, 0, CO_YIELDED, how == 0 ? 50 : 60);
        WANT_HURL(dead_handler, &v, 8, CO_FAILED, 8);
        WANT_NO_TRACE(&t);
        WANT_FINI(dead_handler, &v);
    }
}

KIT_CHECK(return_inside_try_outer, 0, KIT_ALWAYS,
          "after such a return the caller's own handler is the nearest one") {
    CO_VAR(dead_handler) v = {};
    struct trace t = {};
    WANT_INIT(dead_handler, &v, &t, 2);
    WANT_GO(dead_handler, &v, 0, CO_YIELDED, 1);
    WANT_GO(dead_handler, &v, 0, CO_YIELDED, 60);
    WANT_HURL(dead_handler, &v, 8, CO_YIELDED, 3);
    WANT_TRACE(&t, 1008);
    WANT_HURL(dead_handler, &v, 9, CO_FAILED, 9);
    WANT_FINI(dead_handler, &v);
}

KIT_CHECK(root_returns_inside_try, 0, KIT_ALWAYS,
          "a coroutine that returned inside a try leaves no handler to the next one") {
    CO_VAR(returns_inside) v = {};
    CO_VAR(plain) p = {};
    struct trace t = {};
    WANT_INIT(returns_inside, &v, &t, 0);
    WANT_GO(returns_inside, &v, 0, CO_YIELDED, 1);
    WANT_GO(returns_inside, &v, 0, CO_RETURNED, 50);
    WANT_FINI(returns_inside, &v);
    WANT_INIT(plain, &p, &t); // may get the same stack
    WANT_GO(plain, &p, 0, CO_YIELDED, 10);
    WANT_HURL(plain, &p, 8, CO_FAILED, 8);
    WANT_FINI(plain, &p);
    WANT_TRACE(&t, 1);
}

KIT_CHECK(cleanup_before_handler, 0, KIT_ALWAYS,
          "the cleanups of failed callees run, innermost first, before the handler") {
    CO_VAR(catches_cleaners) v = {};
    struct trace t = {};
    WANT_INIT(catches_cleaners, &v, &t, 7);
    WANT_GO(catches_cleaners, &v, 0, CO_YIELDED, 20);
    WANT_GO(catches_cleaners, &v, 0, CO_RETURNED, 1);
    WANT_TRACE(&t, 20, 2, 1007, 1);
    WANT_FINI(catches_cleaners, &v);
}

KIT_CHECK(cleanup_on_return, 0, KIT_ALWAYS,
          "a cleanup runs once when its body returns, before the caller goes on") {
    CO_VAR(catches_cleaners) v = {};
    struct trace t = {};
    WANT_INIT(catches_cleaners, &v, &t, 0);
    WANT_GO(catches_cleaners, &v, 0, CO_YIELDED, 20);
    WANT_NO_TRACE(&t);
    WANT_GO(catches_cleaners, &v, 0, CO_YIELDED, 21);
    WANT_TRACE(&t, 20);
    WANT_GO(catches_cleaners, &v, 0, CO_RETURNED, 1);
    WANT_TRACE(&t, 20, 2, 1);
    WANT_FINI(catches_cleaners, &v);
    WANT_TRACE(&t, 20, 2, 1);
}

KIT_CHECK(odd_words, 0, KIT_ALWAYS,
          "every word can be raised, thrown and caught, also 0 and those like codes") {
    CO_VAR(passes_word) v = {};
    WANT_INIT(passes_word, &v);
    for (unsigned i = 0; i < ODD_WORDS; i++) {
        WANT_GO(passes_word, &v, 0, CO_YIELDED, 0);
        WANT_GO(passes_word, &v, 0, CO_YIELDED, odd_word(i));
        WANT_GO(passes_word, &v, 0, CO_YIELDED, 1);
        WANT_HURL(passes_word, &v, odd_word(i + 3), CO_YIELDED, odd_word(i + 3));
    }
    WANT_GO(passes_word, &v, 0, CO_RETURNED, 0);
    WANT_FINI(passes_word, &v);
    for (unsigned i = 0; i < ODD_WORDS; i++) {
        CO_VAR(raiser) r = {};
        WANT_INIT(raiser, &r, odd_word(i), 1);
        WANT_GO(raiser, &r, 0, CO_YIELDED, 0);
        WANT_GO(raiser, &r, 0, CO_FAILED, odd_word(i));
        WANT_FINI(raiser, &r);
        WANT_INIT(raiser, &r, 0, 1);
        WANT_GO(raiser, &r, 0, CO_YIELDED, 0);
        WANT_HURL(raiser, &r, odd_word(i), CO_FAILED, odd_word(i));
        WANT_FINI(raiser, &r);
    }
}

KIT_CHECK(retry, 0, KIT_ALWAYS, "call, fail, catch, yield, again: five times in one body") {
    CO_VAR(retry) v = {};
    struct trace t = {};
    WANT_INIT(retry, &v, &t);
    for (word i = 0; i < 5; i++) {
        WANT_GO(retry, &v, 0, CO_YIELDED, 0);
        if (i % 2)
            WANT_HURL(retry, &v, 70 + i, CO_YIELDED, 170 + i);
        else
            WANT_GO(retry, &v, 0, CO_YIELDED, 100 + i);
    }
    WANT_GO(retry, &v, 0, CO_RETURNED, 5);
    WANT_FINI(retry, &v);
}

KIT_CHECK(locals_in_handler, 0, KIT_ALWAYS, "a handler sees the locals as they were at the error") {
    CO_VAR(locals_in_try) v = {};
    struct trace t = {}, u = {};
    WANT_INIT(locals_in_try, &v, &t);
    WANT_GO(locals_in_try, &v, 0, CO_YIELDED, 1);
    WANT_GO(locals_in_try, &v, 40, CO_YIELDED, 84);
    WANT_GO(locals_in_try, &v, 50, CO_YIELDED, 0);
    WANT_GO(locals_in_try, &v, 0, CO_RETURNED, 42 + 3 + 40 + 84 + 50 + 5);
    WANT_TRACE(&t, 42, 3, 40, 84, 50, 5);
    WANT_FINI(locals_in_try, &v);
    WANT_INIT(locals_in_try, &v, &u);
    WANT_GO(locals_in_try, &v, 0, CO_YIELDED, 1);
    WANT_GO(locals_in_try, &v, 40, CO_YIELDED, 84);
    WANT_HURL(locals_in_try, &v, 9, CO_RETURNED, 42 + 3 + 40 + 84 + 1 + 1);
    WANT_TRACE(&u, 42, 3, 40, 84, 1, 1);
    WANT_FINI(locals_in_try, &v);
}

KIT_CHECK(thrown_by_coroutine, 0, KIT_ALWAYS,
          "one coroutine throws into another: each has its own handlers") {
    CO_VAR(throws_on) v = {};
    CO_VAR(catcher) c = {};
    struct trace t = {}, u = {};
    co_handle handle;
    WANT_INIT(catcher, &c, &u);
    handle = CO_HANDLE(&c);
    WANT_GO(catcher, &c, 0, CO_YIELDED, 10);
    WANT_INIT(throws_on, &v, &t, &handle);
    WANT_GO(throws_on, &v, 0, CO_YIELDED, 1);
    WANT_GO(throws_on, &v, 64, CO_YIELDED, 2);
    WANT_TRACE(&t, CO_YIELDED, 64);
    WANT_TRACE(&u, 1064);
    WANT_HURL(throws_on, &v, 65, CO_FAILED, 65);
    WANT_GO(catcher, &c, 6, CO_YIELDED, 12);
    WANT_FINI(throws_on, &v);
    WANT_FINI(catcher, &c);
}
#endif
