// Coroutine calls: values and sends through the caller, recursion, depth.
#include <backend.h>
#include "../kit.h"

struct tree {
    const struct tree *left, *right;
    word key;
};

CORO_DECL(twice, (word n;), (), ())
CORO_DECL(ask, (word question;), (word x;), ())
CORO_DECL(dialogue, (), (word x; word y; word i;), (SUB(ask)))
CORO_DECL(no_yield, (word n;), (word x; word i; word total;), (SUB(twice)))
CORO_DECL(no_yield_deep, (word depth;), (word x;), (REC(no_yield_deep)))
CORO_DECL(middle, (word n;), (word x; word y;), (SUB(ask) SUB(twice)))
CORO_DECL(outer, (word n;), (word x; word y; word i;), (SUB(middle) SUB(ask)))
CORO_DECL(walk, (const struct tree *t;), (word sum; word x;), (REC(walk)))
CORO_DECL(nest, (word depth;), (word x; word y;), (REC(nest)))
CORO_DECL(driver, (word n;), (word x; word out; word total; int status; CO_VAR(ask) inner;), ())
CORO_DECL(big_frame, (word depth;), (word x; word i; word table[300];), (REC(big_frame)))

#define CO_BODIES(_)                                                                               \
    _(twice)                                                                                       \
    _(ask)                                                                                         \
    _(dialogue)                                                                                    \
    _(no_yield) _(no_yield_deep) _(middle) _(outer) _(walk) _(nest) _(driver) _(big_frame)

#if CO_PART_BODIES
CORO(twice) {
    CO_BEGIN(twice)
        CO_RETURN(my->n * 2);
    CO_END
}

CORO(ask) {
    CO_BEGIN(ask)
        CO_YIELD(my->x, my->question);
        CO_RETURN(my->x + 1);
    CO_END
}

// Calls and yields in turn: after each return the caller has to be the one that is resumed.
CORO(dialogue) {
    CO_BEGIN(dialogue)
        my->y = 0;
        for (my->i = 0; my->i < 100; my->i++) {
            CO_CALL(my->x, ask, my->i * 2);
            my->y = my->y * 7 + my->x;
            CO_YIELD(my->x, my->i * 2 + 1);
            my->y = my->y * 7 + my->x;
        }
        CO_RETURN(my->y);
    CO_END
}

CORO(no_yield) {
    CO_BEGIN(no_yield)
        my->total = 0;
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_CALL(my->x, twice, my->i);
            my->total += my->x;
        }
        CO_RETURN(my->total);
    CO_END
}

CORO(no_yield_deep) {
    CO_BEGIN(no_yield_deep)
        my->x = 0;
        if (my->depth > 1) {
            CO_CALLREC(my->x, no_yield_deep, my->depth - 1);
        }
        CO_RETURN(my->x + 1);
    CO_END
}

CORO(middle) {
    CO_BEGIN(middle)
        CO_CALL(my->x, ask, my->n);
        CO_CALL(my->y, twice, my->x);
        CO_CALL(my->x, ask, my->y);
        CO_RETURN(my->x * 1000 + my->y);
    CO_END
}

CORO(outer) {
    CO_BEGIN(outer)
        my->y = 0;
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_CALL(my->x, middle, my->i * 10);
            my->y += my->x;
            CO_CALL(my->x, ask, my->y);
            my->y += my->x;
        }
        CO_RETURN(my->y);
    CO_END
}

CORO(walk) {
    CO_BEGIN(walk)
        my->sum = 0;
        if (my->t->left) {
            CO_CALLREC(my->x, walk, my->t->left);
            my->sum += my->x;
        }
        CO_YIELD(my->x, my->t->key);
        my->sum += my->x + 1;
        if (my->t->right) {
            CO_CALLREC(my->x, walk, my->t->right);
            my->sum += my->x;
        }
        CO_RETURN(my->sum);
    CO_END
}

// The innermost yields twice; each level on the way out yields once and adds what was sent.
CORO(nest) {
    CO_BEGIN(nest)
        if (my->depth > 1) {
            CO_CALLREC(my->x, nest, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1000001);
            CO_YIELD(my->y, 1000002);
            my->x += my->y;
        }
        CO_YIELD(my->y, my->depth);
        CO_RETURN(my->x + my->y);
    CO_END
}

// A coroutine that owns and drives another one.
CORO(driver) {
    CO_BEGIN(driver)
        my->total = 0;
        while (my->n-- > 0) {
            my->status = CO_INIT(ask, &my->inner, my->n);
            my->status = CO_RESUME(ask, &my->inner, 0, &my->out);
            my->total = my->total * 10 + my->out;
            CO_YIELD(my->x, my->total);
            my->status = co_resume(CO_HANDLE(&my->inner), my->x, &my->out);
            my->total = my->total * 10 + my->out + (word)my->status;
            my->status = CO_FINI(ask, &my->inner);
        }
        CO_RETURN(my->total);
    CO_END
}

CORO(big_frame) {
    CO_BEGIN(big_frame)
        for (my->i = 0; my->i < 300; my->i++)
            my->table[my->i] = my->depth * 1000 + my->i;
        my->x = 0;
        if (my->depth > 1) {
            CO_CALLREC(my->x, big_frame, my->depth - 1);
        } else {
            CO_YIELD(my->x, 5);
        }
        for (my->i = 0; my->i < 300; my->i++)
            my->x += my->table[my->i] - my->i;
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

KIT_CHECK(without_yield, 0, KIT_ALWAYS,
          "a callee that does not yield returns its value to the caller") {
    CO_VAR(no_yield) v = {};
    WANT_INIT(no_yield, &v, 1000);
    WANT_GO(no_yield, &v, 0, CO_RETURNED, 999 * 1000);
    WANT_FINI(no_yield, &v);
}

KIT_CHECK(yields_through, 0, KIT_ALWAYS,
          "caller and callee yield in turn, 100 calls: sends reach whoever yielded") {
    CO_VAR(dialogue) v = {};
    WANT_INIT(dialogue, &v);
    word y = 0;
    WANT_GO(dialogue, &v, 0, CO_YIELDED, 0);
    for (word i = 0; i < 100; i++) {
        word to_callee = i * 31, to_caller = i * 41;
        WANT_GO(dialogue, &v, to_callee, CO_YIELDED, i * 2 + 1);
        y = (y * 7 + to_callee + 1) * 7 + to_caller;
        if (i < 99)
            WANT_GO(dialogue, &v, to_caller, CO_YIELDED, (i + 1) * 2);
        else
            WANT_GO(dialogue, &v, to_caller, CO_RETURNED, y);
    }
    WANT_FINI(dialogue, &v);
}

KIT_CHECK(several_callees, 0, KIT_ALWAYS,
          "three levels, several callees in one body, each result where it belongs") {
    CO_VAR(outer) v = {};
    WANT_INIT(outer, &v, 10);
    word y = 0;
    word sent = 0;
    for (word i = 0; i < 10; i++) {
        WANT_GO(outer, &v, sent, CO_YIELDED, i * 10); // middle's first question
        word twice_ = (++sent + 1) * 2;
        WANT_GO(outer, &v, sent, CO_YIELDED, twice_); // middle's second
        y += (++sent + 1) * 1000 + twice_;
        WANT_GO(outer, &v, sent, CO_YIELDED, y); // outer's
        y += ++sent + 1;
    }
    WANT_GO(outer, &v, sent, CO_RETURNED, y);
    WANT_FINI(outer, &v);
}

KIT_CHECK(recursion, CO_CAP_RECURSION, KIT_ALWAYS,
          "a tree of 1023 nodes is walked in order, sums returned") {
    enum { N = 1023 };
    static struct tree nodes[N + 1];
    for (word i = 1; i <= N; i++) {
        nodes[i].left = 2 * i <= N ? &nodes[2 * i] : NULL;
        nodes[i].right = 2 * i <= N ? &nodes[2 * i + 1] : NULL;
        // In-order number of a node in a heap-shaped perfect tree.
        unsigned level = 31 - (unsigned)__builtin_clz((unsigned)i);
        nodes[i].key = (2 * (i - ((word)1 << level)) + 1) << (9 - level);
    }
    CO_VAR(walk) v = {};
    WANT_INIT(walk, &v, &nodes[1]);
    word total = 0, sent = 0;
    for (word key = 1; key <= N; key++) {
        WANT_GO(walk, &v, sent, CO_YIELDED, key);
        sent = key * 3;
        total += sent + 1;
    }
    WANT_GO(walk, &v, sent, CO_RETURNED, total);
    WANT_FINI(walk, &v);
}

static void check_nesting(word depth) {
    CO_VAR(nest) v = {};
    WANT_STATUS(CO_INIT_STACK(nest, &v, depth * KIT_LEVEL_BYTES + 65536, depth), 0);
    WANT_GO(nest, &v, 0, CO_YIELDED, 1000001);
    WANT_GO(nest, &v, 11, CO_YIELDED, 1000002);
    WANT_GO(nest, &v, 22, CO_YIELDED, 1);
    word total = 33;
    for (word level = 1; level < depth; level++) {
        total += level;
        WANT_GO(nest, &v, level, CO_YIELDED, level + 1);
    }
    WANT_GO(nest, &v, depth, CO_RETURNED, total + depth);
    WANT_FINI(nest, &v);
}

KIT_CHECK(nesting_1_to_40, CO_CAP_RECURSION, KIT_ALWAYS,
          "every depth of nesting up to 40, each level yielding") {
    for (word depth = 1; depth <= 40; depth++)
        check_nesting(depth);
}

KIT_CHECK(nesting_1000, CO_CAP_RECURSION, KIT_ALWAYS,
          "nesting 1000 deep, each level yielding on the way out") {
    check_nesting(1000);
}

KIT_CHECK(deep_recursion, CO_CAP_RECURSION, KIT_ALWAYS,
          "recursion 8000 deep: into it, a few yields at the bottom, closed and returned from") {
    enum { DEPTH = 8000 };
    const size_t need = kit_sanitized ? DEPTH * 1024 + 65536 : DEPTH * 512 + 65536;
    CO_VAR(nest) v = {};
    WANT_STATUS(CO_INIT_STACK(nest, &v, need, DEPTH), 0);
    WANT_GO(nest, &v, 0, CO_YIELDED, 1000001);
    WANT_FINI(nest, &v);
    WANT_STATUS(CO_INIT_STACK(nest, &v, need, DEPTH), 0);
    WANT_GO(nest, &v, 0, CO_YIELDED, 1000001);
    WANT_GO(nest, &v, 11, CO_YIELDED, 1000002);
    WANT_GO(nest, &v, 22, CO_YIELDED, 1);
    for (word level = 1; level < 100; level++)
        WANT_GO(nest, &v, level, CO_YIELDED, level + 1);
    WANT_FINI(nest, &v);
}

KIT_CHECK(flat_depth, CO_CAP_FLAT_STACK | CO_CAP_RECURSION, KIT_ALWAYS,
          "recursion deeper than the resumer's stack could be: closed, failed and returned from") {
    const word depth = kit_sanitized ? 100000 : 1000000;
    CO_VAR(nest) v = {};
    word out = 0;
    WANT_STATUS(CO_INIT(nest, &v, depth), 0);
    WANT_GO(nest, &v, 0, CO_YIELDED, 1000001);
    WANT_FINI(nest, &v);
    WANT_STATUS(CO_INIT(nest, &v, depth), 0);
    WANT_GO(nest, &v, 0, CO_YIELDED, 1000001);
    WANT_STATUS(CO_THROW(nest, &v, 77, &out), CO_FAILED);
    WANT(out, 77);
    WANT_FINI(nest, &v);
    CO_VAR(no_yield_deep) d = {};
    WANT_INIT(no_yield_deep, &d, depth);
    WANT_GO(no_yield_deep, &d, 0, CO_RETURNED, depth);
    WANT_FINI(no_yield_deep, &d);
}

KIT_CHECK(flat_calls, CO_CAP_FLAT_STACK, KIT_ALWAYS,
          "calls in a row, none of which yields: none leaves anything on the resumer's stack") {
    const word n = kit_sanitized ? 300000 : 3000000;
    CO_VAR(no_yield) v = {};
    WANT_INIT(no_yield, &v, n);
    WANT_GO(no_yield, &v, 0, CO_RETURNED, n * (n - 1));
    WANT_FINI(no_yield, &v);
}

KIT_CHECK(driven_by_coroutine, 0, KIT_ALWAYS,
          "a body keeps another coroutine among its locals and drives it") {
    CO_VAR(driver) v = {};
    WANT_INIT(driver, &v, 5);
    word total = 0, sent = 0;
    for (word n = 5; n-- > 0;) {
        total = total * 10 + n;
        WANT_GO(driver, &v, sent, CO_YIELDED, total);
        sent = n + 40;
        total = total * 10 + sent + 1;
    }
    WANT_GO(driver, &v, sent, CO_RETURNED, total);
    WANT_FINI(driver, &v);
}

KIT_CHECK(drivers_in_turn, 0, KIT_ALWAYS,
          "several bodies that keep a coroutine among their locals, resumed in turn") {
    enum { N = 3, ROUNDS = 5 };
    CO_VAR(driver) v[N] = {};
    word total[N] = {}, sent[N] = {};
    for (word k = 0; k < N; k++)
        WANT_INIT(driver, &v[k], ROUNDS);
    for (word n = ROUNDS; n-- > 0;)
        for (word k = 0; k < N; k++) {
            total[k] = total[k] * 10 + n;
            WANT_GO(driver, &v[k], sent[k], CO_YIELDED, total[k]);
            sent[k] = n + 40 + k;
            total[k] = total[k] * 10 + sent[k] + 1;
        }
    for (word k = 0; k < N; k++) {
        WANT_GO(driver, &v[k], sent[k], CO_RETURNED, total[k]);
        WANT_FINI(driver, &v[k]);
    }
}

KIT_CHECK(large_frames, CO_CAP_RECURSION, KIT_ALWAYS,
          "frames of some KiB, larger than pools may hold, nested") {
    CO_VAR(big_frame) v = {};
    for (int round = 0; round < 3; round++) {
        WANT_STATUS(CO_INIT_STACK(big_frame, &v, 20 * 4096 + 65536, 20), 0);
        WANT_GO(big_frame, &v, 0, CO_YIELDED, 5);
        WANT_GO(big_frame, &v, 9, CO_RETURNED, 9 + 300 * 1000 * (20 * 21 / 2));
        WANT_FINI(big_frame, &v);
    }
}
#endif
