// One round trip on a coroutine that keeps `k` words across its yield, all of them changed and
// needed in each round.
//
// A word is replaced by a function of itself and of what is sent in, so none can be worked out
// anew; the answer is the sum of all, so none can wait.
#include <backend.h>
#include "corobench/scenario.h"

// Sent in, it makes the coroutine return. A loop that counts up never sends it.
#define STOP (~(word)0)

#define WORDS0(_)
#define WORDS4(_) _(0) _(1) _(2) _(3)
#define WORDS8(_) WORDS4(_) _(4) _(5) _(6) _(7)
#define WORDS16(_) WORDS8(_) _(8) _(9) _(10) _(11) _(12) _(13) _(14) _(15)
#define WORDS32(_)                                                                                 \
    WORDS16(_)                                                                                     \
    _(16) _(17) _(18) _(19) _(20) _(21) _(22) _(23) _(24) _(25) _(26) _(27) _(28) _(29) _(30) _(31)
#define MOST 32

#define SIZES(_) _(0) _(4) _(8) _(16) _(32)
#define FIELD(i) word w##i;
#define DECL(k) CORO_DECL(keep##k, (word key;), (word x; WORDS##k(FIELD)), ())
SIZES(DECL)

#if CO_PART_BODIES
#define START(i) my->w##i = my->key + i;
#define ADD(i) +my->w##i
#define CHANGE(i) my->w##i = cb_mix(my->w##i, my->x + i);

#define BODY(k)                                                                                    \
    CORO(keep##k) {                                                                                \
        CO_BEGIN(keep##k)                                                                          \
            my->x = 0;                                                                             \
            WORDS##k(START) while (my->x != STOP) {                                                \
                CO_YIELD(my->x, my->x + my->key WORDS##k(ADD));                                    \
                WORDS##k(CHANGE)                                                                   \
            }                                                                                      \
            CO_RETURN(my->key WORDS##k(ADD));                                                      \
        CO_END                                                                                     \
    }
SIZES(BODY)
#define CO_BODIES(_) _(keep0) _(keep4) _(keep8) _(keep16) _(keep32)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
// Bytes of stack: for the frame and what it calls, and for each word that it keeps. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_WORD 32

static struct cb_counts (*chosen)(uint64_t n);
static word kept;

// The coroutine is created anew in each run, so that its words do not depend on earlier runs.
#define RUN(k)                                                                                     \
    static struct cb_counts run##k(uint64_t n) {                                                   \
        static CO_VAR(keep##k) v;                                                                  \
        struct cb_counts done = {0, 0, 0};                                                         \
        word check = 0, i, out = 0;                                                                \
        if (CO_INIT_STACK(keep##k, &v, STACK_BASE + STACK_WORD * (k), KEY) < 0)                    \
            return done;                                                                           \
        for (i = 0; i < n; i++) {                                                                  \
            if (CO_RESUME(keep##k, &v, i, &out) != CO_YIELDED)                                     \
                break;                                                                             \
            check = cb_mix(check, out);                                                            \
        }                                                                                          \
        if (i > 0 && CO_RESUME(keep##k, &v, STOP, &out) == CO_RETURNED)                            \
            check = cb_mix(check, out);                                                            \
        CO_FINI(keep##k, &v);                                                                      \
        done.checksum = check;                                                                     \
        done.creations = 1;                                                                        \
        done.yields = i;                                                                           \
        return done;                                                                               \
    }
SIZES(RUN)

static int prepare(const struct cb_params *params) {
    kept = (word)cb_param(params, "k", 0);
#define CHOOSE(k)                                                                                  \
    if (kept == (k))                                                                               \
        chosen = run##k;
    SIZES(CHOOSE)
    return 0;
}

static struct cb_counts run(uint64_t n) {
    return chosen(n);
}

// The first word sent starts the body, which does not see it.
static struct cb_counts expect(uint64_t n) {
    word w[MOST], check = 0, x = 0;
    for (word k = 0; k < kept; k++)
        w[k] = KEY + k;
    for (word i = 0; i <= n && n > 0; i++) {
        word sum = KEY;
        if (i > 0) {
            x = i < n ? i : STOP;
            for (word k = 0; k < kept; k++)
                w[k] = cb_mix(w[k], x + k);
        }
        for (word k = 0; k < kept; k++)
            sum += w[k];
        check = cb_mix(check, i < n ? sum + x : sum);
    }
    struct cb_counts all = {check, 1, n};
    return all;
}

CB_SCENARIO(.id = "locals", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("k=8", "k=32"), .full = CB_LIST("k=0", "k=4", "k=16"),
            .prepare = prepare, .run = run, .expect = expect);
#endif
