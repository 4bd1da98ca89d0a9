// Two mistakes of the design that step functions come from, as it has them, and that the lowering
// here does not: a finished coroutine that becomes a failed one, and an async generator whose
// waiting is taken for an item. The design is "Async and Generators" of JustJIT's documentation;
// what is called written_ is its text, in C.
#include <backend.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

// ---- As written: gen_step, JITCoroutine_Send, _AsyncGeneratorAdapter ----------------------------

typedef const char *(*written_step)(int32_t *state, const char **locals, const char *sent);

struct written_coroutine {
    int32_t state;
    const char *locals[2];
    written_step step;
    struct written_coroutine *awaiting;
};

static const char *const stop_iteration = "StopIteration";
static const char *pending_exception;

// def gen(): yield 1; yield 2. The switch and its labels are those of the generated code.
static const char *written_gen(int32_t *state, const char **locals, const char *sent) {
    (void)locals;
    (void)sent;
    switch (*state) {
    case 0:
        *state = 1;
        return "1";
    case 1:
        *state = 2;
        return "2";
    case 2:
        *state = -1;
        pending_exception = stop_iteration;
        return NULL;
    default: // error:
        *state = -2;
        return NULL;
    }
}

static const char *written_send(struct written_coroutine *coro, const char *value) {
    if (coro->awaiting != NULL) {
        const char *result = written_send(coro->awaiting, value);
        if (result != NULL)
            return result; // "Propagate yielded value"
        if (pending_exception == stop_iteration) {
            pending_exception = NULL;
            value = "its result";
            coro->awaiting = NULL;
        }
    }
    return coro->step(&coro->state, coro->locals, value);
}

// An event loop's future: it yields itself once, and is done when it is sent to again.
static const char *written_future(int32_t *state, const char **locals, const char *sent) {
    (void)locals;
    (void)sent;
    if (*state == 0) {
        *state = 1;
        return "the future itself";
    }
    *state = -1;
    pending_exception = stop_iteration;
    return NULL;
}

static struct written_coroutine written_event;

// async def items(): yield "item 1"; await event; yield "item 2". The await sets `awaiting` and
// does its first SEND at once.
static const char *written_items(int32_t *state, const char **locals, const char *sent);
static struct written_coroutine written_generator;
static const char *written_items(int32_t *state, const char **locals, const char *sent) {
    (void)locals;
    (void)sent;
    switch (*state) {
    case 0:
        *state = 1;
        return "item 1";
    case 1:
        *state = 2;
        written_generator.awaiting = &written_event;
        return written_send(&written_event, NULL);
    case 2:
        *state = 3;
        return "item 2";
    case 3:
        *state = -1;
        pending_exception = stop_iteration;
        return NULL;
    default:
        *state = -2;
        return NULL;
    }
}

// __anext__: return self._inner.send(None); StopIteration becomes StopAsyncIteration, here NULL.
static const char *written_anext(struct written_coroutine *inner) {
    const char *value = written_send(inner, NULL);
    if (value == NULL && pending_exception == stop_iteration)
        pending_exception = NULL;
    return value;
}

static void as_written_returned_becomes_failed(void **test) {
    (void)test;
    struct written_coroutine gen = {.step = written_gen};
    assert_string_equal(written_send(&gen, NULL), "1");
    assert_string_equal(written_send(&gen, NULL), "2");
    assert_null(written_send(&gen, NULL));
    assert_ptr_equal(pending_exception, stop_iteration);
    assert_int_equal(gen.state, -1); // "Completed (returned)"
    pending_exception = NULL;
    assert_null(written_send(&gen, NULL));
    assert_null(pending_exception);  // not even StopIteration this time
    assert_int_equal(gen.state, -2); // "Error occurred"
}

static void as_written_waiting_becomes_an_item(void **test) {
    (void)test;
    written_event = (struct written_coroutine){.step = written_future};
    written_generator = (struct written_coroutine){.step = written_items};
    assert_string_equal(written_anext(&written_generator), "item 1");
    assert_string_equal(written_anext(&written_generator), "the future itself"); // an item, it says
    assert_string_equal(written_anext(&written_generator), "item 2");
    assert_null(written_anext(&written_generator));
}

// ---- The lowering here --------------------------------------------------------------------------

struct event {
    struct co_awaitable base;
    bool ready;
    word value;
    unsigned asked;
};

CORO_DECL(gen, (word e;), (word x;), ())
CORO_DECL(waits, (struct event * e;), (word x;), ())
CORO_DECL(items, (struct event * e; word deep;), (word x;), (SUB(waits)))
CORO_DECL(sums, (struct co_awaitable * next;), (word x; word n; word sum; word err;), ())

CORO(gen) {
    CO_BEGIN(gen)
        CO_YIELD(my->x, 1);
        CO_YIELD(my->x, 2);
        if (my->e) {
            CO_RAISE(my->e);
        }
        CO_RETURN(3);
    CO_END
}

CORO(waits) {
    CO_BEGIN(waits)
        CO_AWAIT(my->x, &my->e->base);
        CO_RETURN(my->x);
    CO_END
}

// An async generator. One of its items is what an await yields underneath.
CORO(items) {
    CO_BEGIN(items)
        CO_YIELD(my->x, 10);
        if (my->deep) {
            CO_CALL(my->x, waits, my->e);
        } else {
            CO_AWAIT(my->x, &my->e->base);
        }
        CO_YIELD(my->x, my->x);
        CO_YIELD(my->x, 0);
        CO_RETURN(0);
    CO_END
}

// async for item in items: n += 1, sum += item
enum { NO_MORE = 1000 };
CORO(sums) {
    CO_BEGIN(sums)
        my->n = my->sum = 0;
        CO_TRY
            for (;;) {
                CO_AWAIT(my->x, my->next);
                my->n++;
                my->sum += my->x;
            }
            CO_CATCH(my->err)
            my->sum += my->err;
        CO_END_TRY
        CO_RETURN(my->sum * 100 + my->n);
    CO_END
}

static struct co_result ask_event(struct co_awaitable *self, const struct co_waker *waker) {
    struct event *e = (struct event *)self;
    struct co_result r = {e->value, e->ready ? (word)CO_RETURNED : (word)CO_PENDING};
    (void)waker; // the test knows when to look again
    e->asked++;
    return r;
}

// What __anext__ should be: an answer of three kinds. The generator's waiting is its own.
struct anext {
    struct co_awaitable base;
    co_handle generator;
};

static struct co_result ask_anext(struct co_awaitable *self, const struct co_waker *waker) {
    word out = 0;
    int status = co_poll(((struct anext *)self)->generator, waker, 0, &out);
    struct co_result r = {out, CO_RETURNED};
    if (status == CO_PENDING) {
        r.st = CO_PENDING;
    } else if (status != CO_YIELDED) {
        r.v = NO_MORE;
        r.st = CO_FAILED;
    }
    return r;
}

static void ended_stays_as_it_is(void **test) {
    (void)test;
    for (word error = 0; error < 10; error += 9) {
        CO_VAR(gen) v = {};
        word out = 0;
        assert_int_equal(CO_INIT(gen, &v, error), 0);
        assert_int_equal(CO_HANDLE(&v)->state, 0);
        assert_int_equal(CO_RESUME(gen, &v, 0, &out), CO_YIELDED);
        assert_int_equal(co_resume(CO_HANDLE(&v), 0, &out), CO_YIELDED);
        assert_int_equal(CO_RESUME(gen, &v, 0, &out), error ? CO_FAILED : CO_RETURNED);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(CO_HANDLE(&v)->state, error ? -2 : -1);
            assert_int_equal(CO_RESUME(gen, &v, 0, &out), CO_E_FINISHED);
            assert_int_equal(co_resume(CO_HANDLE(&v), 0, &out), CO_E_FINISHED);
            assert_int_equal((int)CO_SYM(gen)(CO_HANDLE(&v), 0, CO_SEND_).st, CO_E_FINISHED);
        }
        assert_int_equal(CO_FINI(gen, &v), 0);
        assert_int_equal(CO_HANDLE(&v)->state, error ? -2 : -1);
    }
}

static void waiting_is_no_item(void **test) {
    (void)test;
    for (word deep = 0; deep < 2; deep++) {
        struct event e = {{ask_event}, false, 20, 0};
        CO_VAR(items) v = {};
        word out = 0;
        assert_int_equal(CO_INIT(items, &v, &e, deep), 0);
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_YIELDED);
        assert_int_equal(out, 10);
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_PENDING);
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_PENDING);
        assert_int_equal(e.asked, 2);
        e.ready = true;
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_YIELDED);
        assert_int_equal(out, 20);
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_YIELDED);
        assert_int_equal(out, 0);
        assert_int_equal(co_poll(CO_HANDLE(&v), NULL, 0, &out), CO_RETURNED);
        assert_int_equal(CO_FINI(items, &v), 0);
    }
}

static void a_consumer_waits_with_its_generator(void **test) {
    (void)test;
    struct event e = {{ask_event}, false, 20, 0};
    struct anext next = {{ask_anext}, NULL};
    CO_VAR(items) v = {};
    CO_VAR(sums) consumer = {};
    word out = 0;
    assert_int_equal(CO_INIT(items, &v, &e, 1), 0);
    next.generator = CO_HANDLE(&v);
    assert_int_equal(CO_INIT(sums, &consumer, &next.base), 0);
    assert_int_equal(co_poll(CO_HANDLE(&consumer), NULL, 0, &out), CO_PENDING);
    assert_int_equal(co_poll(CO_HANDLE(&consumer), NULL, 0, &out), CO_PENDING);
    e.ready = true;
    assert_int_equal(co_poll(CO_HANDLE(&consumer), NULL, 0, &out), CO_RETURNED);
    assert_int_equal(out, (10 + 20 + 0 + NO_MORE) * 100 + 3);
    assert_int_equal(CO_FINI(sums, &consumer), 0);
    assert_int_equal(CO_FINI(items, &v), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_written_returned_becomes_failed),
        cmocka_unit_test(ended_stays_as_it_is),
        cmocka_unit_test(as_written_waiting_becomes_an_item),
        cmocka_unit_test(waiting_is_no_item),
        cmocka_unit_test(a_consumer_waits_with_its_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
