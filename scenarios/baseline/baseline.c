// What the loop, a call, a call through a pointer and nested calls cost here without coroutines.
//
// No coroutine is used, yet each bench program measures this: the same compiler, flags and binding
// as the backend's own cells.
#include <backend.h>
#include "corobench/scenario.h"

// Plain functions that live where the bodies of coroutines live, hidden from the loop as they are.
CO_BODY_LINKAGE word CO_SYM(plain)(word x);
CO_BODY_LINKAGE word CO_SYM(nest)(word depth, word key);

#if CO_PART_BODIES
CO_BODY_LINKAGE word CO_SYM(plain)(word x) {
    return x + 1;
}

// The shape and the arithmetic of `unwind`, with an addition where that one yields.
CO_BODY_LINKAGE word CO_SYM(nest)(word depth, word key) {
    word x = depth > 1 ? CO_SYM(nest)(depth - 1, key + depth) : key + 1;
    return cb_mix(x, key);
}
#define CO_BODIES(_)
#endif

#if CO_PART_LOOP
enum op { LOOP, CALL, INDIRECT_CALL, CALLS };

static enum op op;
static word frames;
// Volatile, so that no compiler finds out what it points to; read once a run.
static word (*volatile pointer)(word) = CO_SYM(plain);

static int prepare(const struct cb_params *params) {
    op = cb_param_is(params, "op", "call")            ? CALL
         : cb_param_is(params, "op", "indirect-call") ? INDIRECT_CALL
         : cb_param_is(params, "op", "calls")         ? CALLS
                                                      : LOOP;
    frames = (word)cb_param(params, "frames", 1);
    return 0;
}

static word run_loop(word n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + 1);
    return check;
}

static word run_call(word n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, CO_SYM(plain)(i));
    return check;
}

static word run_indirect_call(word n) {
    word check = 0;
    word (*f)(word) = pointer;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, f(i));
    return check;
}

static word run_calls(word n) {
    word check = 0, depth = frames;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, CO_SYM(nest)(depth, i));
    return check;
}

static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    switch (op) {
    case LOOP:
        done.checksum = run_loop(n);
        break;
    case CALL:
        done.checksum = run_call(n);
        break;
    case INDIRECT_CALL:
        done.checksum = run_indirect_call(n);
        break;
    case CALLS:
        done.checksum = run_calls(n);
        break;
    }
    return done;
}

// What the outermost of the nested calls returns, from the inside out.
static word nested(word key) {
    for (word depth = frames; depth > 1; depth--)
        key += depth;
    word x = key + 1;
    for (word depth = 1; depth <= frames; depth++) {
        x = cb_mix(x, key);
        key -= depth + 1;
    }
    return x;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, op == CALLS ? nested(i) : i + 1);
    struct cb_counts all = {check, 0, 0};
    return all;
}

CB_SCENARIO(.id = "baseline", .unit = "operation", .kind = CB_KIND_TIME,
            .quick = CB_LIST("op=indirect-call"), .normal = CB_LIST("frames=16;op=calls"),
            .full = CB_LIST("op=loop", "op=call", "frames=4;op=calls", "frames=64;op=calls"),
            .prepare = prepare, .run = run, .expect = expect);
#endif
