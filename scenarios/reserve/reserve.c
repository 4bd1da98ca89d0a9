// A turn of a loop that keeps `words` words, compiled so that one register is never free for them.
//
// The hand loop is the same with all registers. No coroutine is used: this is what reserving a
// register, for a second stack pointer for example, costs the code of everybody.
#include <backend.h>
#include "corobench/scenario.h"

#if CO_PART_BODIES
#define CO_BODIES(_)
#endif

#if CO_PART_LOOP
#define WORDS8(_) _(0) _(1) _(2) _(3) _(4) _(5) _(6) _(7)
#define WORDS13(_) WORDS8(_) _(8) _(9) _(10) _(11) _(12)
#define WORDS16(_) WORDS13(_) _(13) _(14) _(15)
#define MOST 16
#define SIZES(_) _(8) _(13) _(16)

// Each word changes by what the loop counts, all are needed at the end. Between any two changes
// stands a statement that keeps all words where they are, and in one of the two loops that
// statement takes the register.
#define START(k) word w##k = (k);
#define FREE(k)                                                                                    \
    w##k = cb_mix(w##k, i);                                                                        \
    __asm__ volatile("");
#define TAKEN(k)                                                                                   \
    w##k = cb_mix(w##k, i);                                                                        \
    __asm__ volatile("" : : : CB_SPARE_REGISTER);
#define FOLD(k) check = cb_mix(check, w##k);

#define LOOP(name, words, CHANGE)                                                                  \
    static __attribute__((noinline)) word name##words(word n) {                                    \
        word check = 0;                                                                            \
        WORDS##words(START);                                                                       \
        for (word i = 0; i < n; i++) {                                                             \
            WORDS##words(CHANGE);                                                                  \
        }                                                                                          \
        WORDS##words(FOLD);                                                                        \
        return check;                                                                              \
    }
#define LOOPS(words)                                                                               \
    LOOP(reserved, words, TAKEN)                                                                   \
    LOOP(all, words, FREE)
SIZES(LOOPS)

static word (*reserved)(word), (*all)(word);
static word words;

static int prepare(const struct cb_params *params) {
    words = (word)cb_param(params, "words", 8);
    reserved = all = NULL;
#define CHOOSE(size)                                                                               \
    if (words == (size)) {                                                                         \
        reserved = reserved##size;                                                                 \
        all = all##size;                                                                           \
    }
    SIZES(CHOOSE)
    return reserved == NULL ? CO_E_INVALID : 0;
}

static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {reserved(n), 0, 0};
    return done;
}

static struct cb_counts hand(uint64_t n) {
    struct cb_counts done = {all(n), 0, 0};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word w[MOST], check = 0;
    for (word k = 0; k < words; k++) {
        w[k] = k;
        for (word i = 0; i < n; i++)
            w[k] = cb_mix(w[k], i);
        check = cb_mix(check, w[k]);
    }
    struct cb_counts counts = {check, 0, 0};
    return counts;
}

CB_SCENARIO(.id = "reserve", .unit = "turn", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST(NULL), .full = CB_LIST("words=8", "words=13", "words=16"),
            .prepare = prepare, .run = run, .hand = hand, .expect = expect);
#endif
