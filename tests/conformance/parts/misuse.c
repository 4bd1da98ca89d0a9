// Misuse: each kind has its error code in the checked build, and does no harm.
#include <backend.h>
#include "../kit.h"

CORO_DECL(two, (), (word x;), ())
CORO_DECL(failing, (), (word x;), ())
// Does something with `other`, which may be itself, and marks what that said.
enum deed { RESUME, THROW, CLOSE };
CORO_DECL(meddler, (co_handle * other; struct trace * t; enum deed deed;),
          (word x; word out; int status;), ())
CORO_DECL(meddling_callee, (co_handle * other; struct trace * t; enum deed deed;),
          (word x; word out; int status;), (SUB(meddler)))
CORO_DECL(late, (struct trace * t;), (word x;), ())

// The code is what counts; `out` must not be needed.
static inline int do_to(co_handle other, enum deed deed, word *out) {
    switch (deed) {
    case RESUME:
        return co_resume(other, 5, out);
    case THROW:
        return co_throw(other, 5, out);
    default:
        return co_close(other);
    }
}

#define CO_BODIES(_) _(two) _(failing) _(meddler) _(meddling_callee) _(late)

#if CO_PART_BODIES
CORO(two) {
    CO_BEGIN(two)
        CO_YIELD(my->x, 1);
        CO_RETURN(2);
    CO_END
}

CORO(failing) {
    CO_BEGIN(failing)
        CO_RAISE(3);
    CO_END
}

CORO(meddler) {
    CO_BEGIN(meddler)
        CO_YIELD(my->x, 1);
        my->status = do_to(*my->other, my->deed, &my->out);
        mark(my->t, (word)my->status);
        CO_YIELD(my->x, 2);
        CO_RETURN(3);
        CO_FINALLY
        mark(my->t, 100);
    CO_END_FINALLY
}

CORO(meddling_callee) {
    CO_BEGIN(meddling_callee)
        CO_CALL(my->x, meddler, my->other, my->t, my->deed);
        CO_RETURN(my->x);
    CO_END
}

static __attribute__((noinline)) word yield_deep(co_handle self) {
    return CO_DEEP_YIELD(self, 99);
}

// A C function called by a cleanup may yield, as far as any compiler can see.
CORO(late) {
    CO_BEGIN(late)
        CO_YIELD(my->x, 1);
        CO_RETURN(2);
        CO_FINALLY
        mark(my->t, 1);
        my->x = yield_deep(CO_SELF);
        mark(my->t, 2);
    CO_END_FINALLY
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

// Resume, throw: by name and through the handle, twice, always the same code.
#define WANT_REFUSED(name, v, code)                                                                \
    do {                                                                                           \
        word ignored_ = 0;                                                                         \
        for (int round_ = 0; round_ < 2; round_++) {                                               \
            WANT_STATUS(CO_RESUME(name, v, 1, &ignored_), code);                                   \
            WANT_STATUS(co_resume(CO_HANDLE(v), 1, &ignored_), code);                              \
            WANT_STATUS(CO_THROW(name, v, 1, &ignored_), code);                                    \
            WANT_STATUS(co_throw(CO_HANDLE(v), 1, &ignored_), code);                               \
        }                                                                                          \
    } while (0)

KIT_CHECK(returned, 0, KIT_CHECKED, "resume or throw into what has returned: CO_E_FINISHED") {
    CO_VAR(two) v = {};
    WANT_INIT(two, &v);
    WANT_GO(two, &v, 0, CO_YIELDED, 1);
    WANT_GO(two, &v, 0, CO_RETURNED, 2);
    WANT_REFUSED(two, &v, CO_E_FINISHED);
    WANT_FINI(two, &v);
}

KIT_CHECK(failed, 0, KIT_CHECKED, "resume or throw into what has failed by itself: CO_E_FINISHED") {
    CO_VAR(failing) v = {};
    WANT_INIT(failing, &v);
    WANT_GO(failing, &v, 0, CO_FAILED, 3);
    WANT_REFUSED(failing, &v, CO_E_FINISHED);
    WANT_FINI(failing, &v);
}

KIT_CHECK(failed_by_throw, 0, KIT_CHECKED,
          "resume or throw into what a throw has ended: CO_E_FINISHED") {
    CO_VAR(two) v = {};
    WANT_INIT(two, &v);
    WANT_GO(two, &v, 0, CO_YIELDED, 1);
    WANT_HURL(two, &v, 7, CO_FAILED, 7);
    WANT_REFUSED(two, &v, CO_E_FINISHED);
    WANT_FINI(two, &v);
}

KIT_CHECK(failed_unstarted, 0, KIT_CHECKED,
          "resume or throw into what a throw has ended unstarted: CO_E_FINISHED") {
    CO_VAR(two) v = {};
    WANT_INIT(two, &v);
    WANT_HURL(two, &v, 7, CO_FAILED, 7);
    WANT_REFUSED(two, &v, CO_E_FINISHED);
    WANT_FINI(two, &v);
}

KIT_CHECK(empty, 0, KIT_CHECKED,
          "resume or throw into an all-zero variable: CO_E_INVALID; close: nothing") {
    static CO_VAR(two) v;
    WANT_REFUSED(two, &v, CO_E_INVALID);
    WANT_STATUS(co_close(CO_HANDLE(&v)), 0);
    WANT_FINI(two, &v);
    WANT_INIT(two, &v);
    WANT_GO(two, &v, 0, CO_YIELDED, 1);
    WANT_FINI(two, &v);
}

KIT_CHECK(closed, 0, KIT_CHECKED,
          "resume or throw after CO_FINI: refused, whatever was left to do") {
    for (int yields = 0; yields <= 2; yields++) {
        CO_VAR(two) v = {};
        WANT_INIT(two, &v);
        word out = 0;
        for (int i = 0; i < yields; i++)
            WANT_STATUS(GO(two, &v, 0, &out), i == 0 ? CO_YIELDED : CO_RETURNED);
        WANT_FINI(two, &v);
        int status = CO_RESUME(two, &v, 0, &out);
        if (status != CO_E_INVALID && status != CO_E_FINISHED)
            FAIL("resume after CO_FINI gives %d, neither CO_E_INVALID nor CO_E_FINISHED", status);
        status = CO_THROW(two, &v, 0, &out);
        if (status != CO_E_INVALID && status != CO_E_FINISHED)
            FAIL("throw after CO_FINI gives %d, neither CO_E_INVALID nor CO_E_FINISHED", status);
        WANT_FINI(two, &v);
    }
}

static void meddle_with_itself(enum deed deed, bool in_callee) {
    struct trace t = {};
    co_handle handle;
    CO_VAR(meddler) v = {};
    CO_VAR(meddling_callee) w = {};
    if (in_callee) {
        WANT_INIT(meddling_callee, &w, &handle, &t, deed);
        handle = CO_HANDLE(&w);
    } else {
        WANT_INIT(meddler, &v, &handle, &t, deed);
        handle = CO_HANDLE(&v);
    }
    word out = 0;
    WANT_STATUS(co_resume(handle, 0, &out), CO_YIELDED);
    WANT_STATUS(co_resume(handle, 0, &out), CO_YIELDED);
    WANT(out, 2);
    WANT_TRACE(&t, (word)CO_E_RUNNING);
    WANT_STATUS(co_resume(handle, 0, &out), CO_RETURNED);
    WANT(out, 3);
    WANT_TRACE(&t, (word)CO_E_RUNNING, 100);
    WANT_FINI(meddler, &v);
    WANT_FINI(meddling_callee, &w);
}

KIT_CHECK(resume_itself, 0, KIT_CHECKED,
          "a body that resumes itself gets CO_E_RUNNING and goes on") {
    meddle_with_itself(RESUME, false);
    meddle_with_itself(RESUME, true);
}

KIT_CHECK(throw_into_itself, 0, KIT_CHECKED,
          "a body that throws into itself gets CO_E_RUNNING and goes on") {
    meddle_with_itself(THROW, false);
    meddle_with_itself(THROW, true);
}

KIT_CHECK(close_from_inside, 0, KIT_CHECKED,
          "a body that closes itself gets CO_E_RUNNING and goes on") {
    meddle_with_itself(CLOSE, false);
    meddle_with_itself(CLOSE, true);
}

// a resumes b, which does something to a, which is running though it is not the innermost.
static void meddle_with_resumer(enum deed deed) {
    CO_VAR(meddler) a = {}, b = {};
    struct trace ta = {}, tb = {};
    co_handle handle_a, handle_b;
    WANT_INIT(meddler, &b, &handle_a, &tb, deed);
    handle_b = CO_HANDLE(&b);
    WANT_INIT(meddler, &a, &handle_b, &ta, RESUME);
    handle_a = CO_HANDLE(&a);
    WANT_GO(meddler, &b, 0, CO_YIELDED, 1);
    WANT_GO(meddler, &a, 0, CO_YIELDED, 1);
    WANT_GO(meddler, &a, 0, CO_YIELDED, 2);
    WANT_TRACE(&tb, (word)CO_E_RUNNING);
    WANT_TRACE(&ta, CO_YIELDED);
    WANT_GO(meddler, &a, 0, CO_RETURNED, 3);
    WANT_GO(meddler, &b, 0, CO_RETURNED, 3);
    WANT_FINI(meddler, &a);
    WANT_FINI(meddler, &b);
}

KIT_CHECK(resume_resumer, 0, KIT_CHECKED,
          "resuming the one that resumed me: CO_E_RUNNING, both go on") {
    meddle_with_resumer(RESUME);
}

KIT_CHECK(throw_into_resumer, 0, KIT_CHECKED,
          "throwing into the one that resumed me: CO_E_RUNNING, both go on") {
    meddle_with_resumer(THROW);
}

KIT_CHECK(close_resumer, 0, KIT_CHECKED,
          "closing the one that resumed me: CO_E_RUNNING, both go on") {
    meddle_with_resumer(CLOSE);
}

KIT_CHECK(yield_while_closing, CO_CAP_DEEP_YIELD, KIT_CHECKED,
          "a cleanup that yields while closing: CO_E_CLOSING, and the close is completed") {
    CO_VAR(late) v = {};
    struct trace t = {};
    WANT_INIT(late, &v, &t);
    WANT_GO(late, &v, 0, CO_YIELDED, 1);
    WANT_STATUS(CO_FINI(late, &v), CO_E_CLOSING);
    WANT(t.event[0], 1);
    word out = 0;
    int status = CO_RESUME(late, &v, 0, &out);
    if (status != CO_E_INVALID && status != CO_E_FINISHED)
        FAIL("resume afterwards gives %d, neither CO_E_INVALID nor CO_E_FINISHED", status);
    WANT_FINI(late, &v);
}

KIT_CHECK(refused_harmlessly, 0, KIT_CHECKED, "after all these refusals everything still works") {
    static CO_VAR(two) empty;
    WANT_REFUSED(two, &empty, CO_E_INVALID);
    meddle_with_itself(CLOSE, false);
    meddle_with_resumer(THROW);
    for (int i = 0; i < 100; i++) {
        CO_VAR(two) v = {};
        WANT_INIT(two, &v);
        WANT_GO(two, &v, 0, CO_YIELDED, 1);
        WANT_GO(two, &v, 0, CO_RETURNED, 2);
        WANT_REFUSED(two, &v, CO_E_FINISHED);
        WANT_FINI(two, &v);
    }
}
#endif
