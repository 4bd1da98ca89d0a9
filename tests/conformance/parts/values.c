// Values in and out, locals across yields, handles.
#include <backend.h>
#include "../kit.h"

CORO_DECL(at_once, (word result;), (), ())
CORO_DECL(count, (word n;), (word i; word sent;), ())
CORO_DECL(parrot, (), (word x; word i;), ())
CORO_DECL(odd, (), (word x; unsigned i;), ())
CORO_DECL(sum, (struct trace * t;), (word x; word total;), ())
CORO_DECL(typed, (const char *text; double d; char c; struct co_result pair;), (word x; int i;), ())
CORO_DECL(lanes, (word rounds;),
          (word i; word x; word a; word b; word c; word d; word e; word f; word g; word h; word k;
           word l; word m; word n;),
          ())
CORO_DECL(array, (), (word x; word i; word table[100];), ())
CORO_DECL(short_array, (), (word x; word i; word table[30];), ())
CORO_DECL(once, (word n;), (word x; word calls;), ())
CORO_DECL(falls_off, (struct trace * t;), (word x;), ())

// Every local feeds another, so that one lost or stale word shows in all later values.
#define MIX(p)                                                                                     \
    ((p)->a = (p)->a * 3 + (p)->x, (p)->b += (p)->a ^ (p)->i, (p)->c = (p)->c * 5 + (p)->b,        \
     (p)->d ^= (p)->c + 7, (p)->e = (p)->e * 9 + (p)->d, (p)->f += (p)->e, (p)->g ^= (p)->f << 1,  \
     (p)->h = (p)->h * 17 + (p)->g, (p)->k -= (p)->h, (p)->l += (p)->k ^ 0x55,                     \
     (p)->m = (p)->m * 33 + (p)->l, (p)->n ^= (p)->m,                                              \
     (p)->a + (p)->b + (p)->c + (p)->d + (p)->e + (p)->f + (p)->g + (p)->h + (p)->k + (p)->l +     \
         (p)->m + (p)->n)
#define MIX_START(p)                                                                               \
    ((p)->a = 1, (p)->b = 2, (p)->c = 3, (p)->d = 4, (p)->e = 5, (p)->f = 6, (p)->g = 7,           \
     (p)->h = 8, (p)->k = 9, (p)->l = 10, (p)->m = 11, (p)->n = 12, (p)->x = 0)

#define CO_BODIES(_)                                                                               \
    _(at_once)                                                                                     \
    _(count) _(parrot) _(odd) _(sum) _(typed) _(lanes) _(array) _(short_array) _(once) _(falls_off)

#if CO_PART_BODIES
CORO(at_once) {
    CO_BEGIN(at_once)
        CO_RETURN(my->result);
    CO_END
}

CORO(count) {
    CO_BEGIN(count)
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_YIELD(my->sent, my->i);
        }
        CO_RETURN(my->n * 100);
    CO_END
}

// Yields what was sent last; returns how often it was asked.
CORO(parrot) {
    CO_BEGIN(parrot)
        my->i = 0;
        my->x = 1000;
        while (my->x != 0) {
            my->i++;
            CO_YIELD(my->x, my->x);
        }
        CO_RETURN(my->i);
    CO_END
}

// Yields the odd words, answers each with the complement of what was sent.
CORO(odd) {
    CO_BEGIN(odd)
        for (my->i = 0; my->i < ODD_WORDS; my->i++) {
            CO_YIELD(my->x, odd_word(my->i));
            CO_YIELD(my->x, ~my->x);
        }
        CO_RETURN(my->x);
    CO_END
}

CORO(sum) {
    CO_BEGIN(sum)
        my->total = 0;
        do {
            CO_YIELD(my->x, my->total);
            mark(my->t, my->x);
            my->total += my->x;
        } while (my->x != 0);
        CO_RETURN(my->total);
    CO_END
}

CORO(typed) {
    CO_BEGIN(typed)
        for (my->i = 0; my->i < 2; my->i++) {
            CO_YIELD(my->x, (word)my->text[my->i]);
        }
        CO_YIELD(my->x, (word)(my->d * 4));
        CO_YIELD(my->x, (word)my->c);
        CO_YIELD(my->x, my->pair.v);
        CO_RETURN(my->pair.st);
    CO_END
}

CORO(lanes) {
    CO_BEGIN(lanes)
        MIX_START(my);
        for (my->i = 0; my->i < my->rounds; my->i++) {
            CO_YIELD(my->x, MIX(my));
        }
        CO_RETURN(MIX(my));
    CO_END
}

// Puts what is sent into one element after the other.
#define FILLING(name, elements)                                                                    \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            for (my->i = 0; my->i < (elements); my->i++) {                                         \
                CO_YIELD(my->table[my->i], my->i);                                                 \
            }                                                                                      \
            my->x = 0;                                                                             \
            for (my->i = 0; my->i < (elements); my->i++)                                           \
                my->x = my->x * 31 + my->table[my->i];                                             \
            CO_RETURN(my->x);                                                                      \
        CO_END                                                                                     \
    }
FILLING(array, 100)
FILLING(short_array, 30)

CORO(once) {
    CO_BEGIN(once)
        my->calls = 0;
        CO_YIELD(my->x, my->calls++);
        CO_YIELD(my->x, my->calls++);
        CO_RETURN(my->calls++ * 10 + my->n++);
    CO_END
}

CORO(falls_off) {
    CO_BEGIN(falls_off)
        CO_YIELD(my->x, 7);
        mark(my->t, my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

KIT_CHECK(returns_at_once, 0, KIT_ALWAYS,
          "a body without a yield runs when first resumed, and returns") {
    CO_VAR(at_once) v = {};
    WANT_INIT(at_once, &v, 77);
    WANT_GO(at_once, &v, 0, CO_RETURNED, 77);
    WANT_FINI(at_once, &v);
}

KIT_CHECK(order, 0, KIT_ALWAYS, "values come out in the order they are yielded, the result last") {
    CO_VAR(count) v = {};
    WANT_INIT(count, &v, 100);
    for (word i = 0; i < 100; i++)
        WANT_GO(count, &v, 0, CO_YIELDED, i);
    WANT_GO(count, &v, 0, CO_RETURNED, 10000);
    WANT_FINI(count, &v);
}

KIT_CHECK(loop_by_name, 0, KIT_ALWAYS, "a plain loop that resumes by name sees every value once") {
    CO_VAR(count) v;
    word total = 0, out = 0;
    WANT_INIT(count, &v, 1000);
    int status;
    while ((status = CO_RESUME(count, &v, 0, &out)) == CO_YIELDED)
        total += out;
    WANT_STATUS(status, CO_RETURNED);
    WANT(out, 100000);
    WANT(total, 999 * 1000 / 2);
    WANT_FINI(count, &v);
}

KIT_CHECK(loop_by_handle, 0, KIT_ALWAYS, "the same loop through the handle") {
    CO_VAR(count) v;
    word total = 0, out = 0;
    WANT_INIT(count, &v, 1000);
    co_handle handle = CO_HANDLE(&v);
    int status;
    while ((status = co_resume(handle, 0, &out)) == CO_YIELDED)
        total += out;
    WANT_STATUS(status, CO_RETURNED);
    WANT(total, 999 * 1000 / 2);
    WANT_STATUS(co_close(handle), 0);
    WANT_FINI(count, &v);
}

KIT_CHECK(empty_variable, 0, KIT_ALWAYS, "an all-zero variable may be finished with CO_FINI") {
    static CO_VAR(count) v;
    WANT_FINI(count, &v);
    WANT_FINI(count, &v);
}

KIT_CHECK(variable_used_again, 0, KIT_ALWAYS, "a variable serves one coroutine after another") {
    CO_VAR(count) v = {};
    for (word n = 0; n < 50; n++) {
        WANT_INIT(count, &v, n);
        for (word i = 0; i < n; i++)
            WANT_GO(count, &v, 0, CO_YIELDED, i);
        WANT_GO(count, &v, 0, CO_RETURNED, n * 100);
        WANT_FINI(count, &v);
    }
}

KIT_CHECK(send, 0, KIT_ALWAYS,
          "a yield gives what the next resume sends; the first resume's is ignored") {
    CO_VAR(parrot) v = {};
    WANT_INIT(parrot, &v);
    WANT_GO(parrot, &v, 4711, CO_YIELDED, 1000);
    for (word i = 1; i < 100; i++)
        WANT_GO(parrot, &v, i * i, CO_YIELDED, i * i);
    WANT_GO(parrot, &v, 0, CO_RETURNED, 100);
    WANT_FINI(parrot, &v);
}

KIT_CHECK(send_is_seen_before_next_yield, 0, KIT_ALWAYS,
          "what is sent is there before the body goes on") {
    CO_VAR(sum) v = {};
    struct trace t = {};
    WANT_INIT(sum, &v, &t);
    WANT_GO(sum, &v, 99, CO_YIELDED, 0);
    WANT_GO(sum, &v, 5, CO_YIELDED, 5);
    WANT_TRACE(&t, 5);
    WANT_GO(sum, &v, 6, CO_YIELDED, 11);
    WANT_GO(sum, &v, 0, CO_RETURNED, 11);
    WANT_TRACE(&t, 5, 6, 0);
    WANT_FINI(sum, &v);
}

KIT_CHECK(odd_words, 0, KIT_ALWAYS,
          "every word travels, also those that look like statuses or codes") {
    CO_VAR(odd) v = {};
    WANT_INIT(odd, &v);
    WANT_GO(odd, &v, 12, CO_YIELDED, odd_word(0));
    for (unsigned i = 0; i < ODD_WORDS; i++) {
        WANT_GO(odd, &v, odd_word(i + 5), CO_YIELDED, ~odd_word(i + 5));
        if (i + 1 < ODD_WORDS)
            WANT_GO(odd, &v, odd_word(i), CO_YIELDED, odd_word(i + 1));
    }
    WANT_GO(odd, &v, odd_word(2), CO_RETURNED, odd_word(2));
    WANT_FINI(odd, &v);
    for (unsigned i = 0; i < ODD_WORDS; i++) {
        CO_VAR(at_once) r = {};
        WANT_INIT(at_once, &r, odd_word(i));
        WANT_GO(at_once, &r, 0, CO_RETURNED, odd_word(i));
        WANT_FINI(at_once, &r);
    }
}

KIT_CHECK(arguments, 0, KIT_ALWAYS,
          "arguments of any type arrive: pointer, double, char, structure") {
    CO_VAR(typed) v = {};
    struct co_result pair;
    pair.v = 11;
    pair.st = 22;
    WANT_INIT(typed, &v, "hi", 2.5, 'c', pair);
    pair.v = 0; // the coroutine has a copy
    WANT_GO(typed, &v, 0, CO_YIELDED, 'h');
    WANT_GO(typed, &v, 0, CO_YIELDED, 'i');
    WANT_GO(typed, &v, 0, CO_YIELDED, 10);
    WANT_GO(typed, &v, 0, CO_YIELDED, 'c');
    WANT_GO(typed, &v, 0, CO_YIELDED, 11);
    WANT_GO(typed, &v, 0, CO_RETURNED, 22);
    WANT_FINI(typed, &v);
}

KIT_CHECK(locals, 0, KIT_ALWAYS,
          "twelve locals keep their values across 1000 yields, in two bodies in turn") {
    struct twin {
        word i, x, a, b, c, d, e, f, g, h, k, l, m, n;
    } twin[2];
    CO_VAR(lanes) v[2] = {};
    for (int j = 0; j < 2; j++) {
        MIX_START(&twin[j]);
        twin[j].i = 0;
        WANT_INIT(lanes, &v[j], 1000);
        WANT_GO(lanes, &v[j], 0, CO_YIELDED, MIX(&twin[j]));
    }
    for (word i = 1; i < 1000; i++)
        for (unsigned j = 0; j < 2; j++) {
            twin[j].x = i * 77 + j;
            twin[j].i = i;
            WANT_GO(lanes, &v[j], twin[j].x, CO_YIELDED, MIX(&twin[j]));
        }
    for (int j = 0; j < 2; j++) {
        twin[j].i = 1000;
        twin[j].x = 3;
        WANT_GO(lanes, &v[j], 3, CO_RETURNED, MIX(&twin[j]));
        WANT_FINI(lanes, &v[j]);
    }
}

#define WANT_FILLED(name, elements)                                                                \
    do {                                                                                           \
        CO_VAR(name) v[2] = {};                                                                    \
        word expected[2] = {0, 0};                                                                 \
        for (int k = 0; k < 2; k++) {                                                              \
            WANT_INIT(name, &v[k]);                                                                \
            WANT_GO(name, &v[k], 0, CO_YIELDED, 0);                                                \
        }                                                                                          \
        for (word i = 0; i < 2 * (elements); i++) {                                                \
            word sent = i * 1234567;                                                               \
            expected[i % 2] = expected[i % 2] * 31 + sent;                                         \
            if (i / 2 + 1 < (elements))                                                            \
                WANT_GO(name, &v[i % 2], sent, CO_YIELDED, i / 2 + 1);                             \
            else                                                                                   \
                WANT_GO(name, &v[i % 2], sent, CO_RETURNED, expected[i % 2]);                      \
        }                                                                                          \
        for (int k = 0; k < 2; k++)                                                                \
            WANT_FINI(name, &v[k]);                                                                \
    } while (0)

KIT_CHECK(local_array, 0, KIT_ALWAYS,
          "arrays among the locals keep every element, in two coroutines in turn") {
    WANT_FILLED(array, 100);
    WANT_FILLED(short_array, 30);
}

KIT_CHECK(interleaved, 0, KIT_ALWAYS, "many coroutines of one body do not touch each other") {
    enum { N = 64 };
    static CO_VAR(count) v[N];
    for (word i = 0; i < N; i++)
        WANT_INIT(count, &v[i], i);
    for (word step = 0; step < N; step++)
        for (word i = 0; i < N; i++) {
            if (step < i)
                WANT_GO(count, &v[i], 0, CO_YIELDED, step);
            else if (step == i)
                WANT_GO(count, &v[i], 0, CO_RETURNED, i * 100);
        }
    for (word i = 0; i < N; i++)
        WANT_FINI(count, &v[i]);
}

KIT_CHECK(mixed_handles, 0, KIT_ALWAYS,
          "bodies of several types are resumed through one type of handle") {
    CO_VAR(count) c = {};
    CO_VAR(parrot) p = {};
    CO_VAR(lanes) l = {};
    struct trace t = {};
    CO_VAR(sum) s = {};
    WANT_INIT(count, &c, 5);
    WANT_INIT(parrot, &p);
    WANT_INIT(lanes, &l, 5);
    WANT_INIT(sum, &s, &t);
    co_handle handles[4];
    handles[0] = CO_HANDLE(&c);
    handles[1] = CO_HANDLE(&p);
    handles[2] = CO_HANDLE(&s);
    handles[3] = CO_HANDLE(&l);
    word total = 0;
    for (word step = 0; step < 5; step++)
        for (int i = 0; i < 4; i++) {
            word out = 0;
            WANT_STATUS(co_resume(handles[i], step + 1, &out), CO_YIELDED);
            if (i < 3)
                total = total * 3 + out;
        }
    word expected = 0, sums = 0;
    for (word step = 0; step < 5; step++) {
        expected = expected * 3 + step;
        expected = expected * 3 + (step == 0 ? 1000 : step + 1);
        sums += step == 0 ? 0 : step + 1;
        expected = expected * 3 + sums;
    }
    WANT(total, expected);
    for (int i = 0; i < 4; i++)
        WANT_STATUS(co_close(handles[i]), 0);
    WANT_FINI(count, &c);
    WANT_FINI(parrot, &p);
    WANT_FINI(sum, &s);
    WANT_FINI(lanes, &l);
}

KIT_CHECK(evaluated_once, 0, KIT_ALWAYS, "the macros evaluate each argument once") {
    CO_VAR(once) v[3] = {};
    word n = 5;
    int i = 0;
    WANT_STATUS(CO_INIT(once, &v[i++], n++), 0);
    WANT(i, 1);
    WANT(n, 6);
    WANT_STATUS(CO_INIT_STACK(once, &v[i++], 16384, n++), 0);
    WANT(i, 2);
    WANT(n, 7);
    word out[4] = {}, in = 1;
    int o = 0;
    i = 0;
    WANT_STATUS(CO_RESUME(once, &v[i++], in++, &out[o++]), CO_YIELDED);
    WANT(i, 1);
    WANT(in, 2);
    WANT(o, 1);
    co_handle handles[2] = {CO_HANDLE(&v[0]), CO_HANDLE(&v[1])};
    i = 1;
    WANT_STATUS(co_resume(handles[i++], in++, &out[o++]), CO_YIELDED);
    WANT(i, 2);
    WANT(in, 3);
    WANT(o, 2);
    WANT_GO(once, &v[0], 0, CO_YIELDED, 1);
    WANT_GO(once, &v[0], 0, CO_RETURNED, 25);
    i = 1;
    WANT_STATUS(CO_THROW(once, &v[i++], in++, &out[o++]), CO_FAILED);
    WANT(i, 2);
    WANT(in, 4);
    WANT(o, 3);
    i = 0;
    WANT_STATUS(CO_FINI(once, &v[i++]), 0);
    WANT(i, 1);
    WANT_STATUS(CO_FINI(once, &v[i++]), 0);
    WANT(i, 2);
}

KIT_CHECK(falls_off, 0, KIT_ALWAYS, "a body that runs off its end returns 0") {
    CO_VAR(falls_off) v = {};
    struct trace t = {};
    WANT_INIT(falls_off, &v, &t);
    WANT_GO(falls_off, &v, 0, CO_YIELDED, 7);
    WANT_GO(falls_off, &v, 3, CO_RETURNED, 0);
    WANT_TRACE(&t, 3);
    WANT_FINI(falls_off, &v);
}
#endif
