// One container of coroutines of three kinds, resumed in a random order: through a handle that
// looks the same for all, or by the kind's name after a look at a tag.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

// Sent in, it makes the coroutine return. A loop that counts up never sends it.
#define STOP (~(word)0)

// Three kinds, which keep 32 bytes, 1 KiB and 8 KiB. All answer x with x + key + what they keep.
CORO_DECL(light, (word key;), (word x; word data[2];), ())
CORO_DECL(middle, (word key;), (word x; word data[126];), ())
CORO_DECL(heavy, (word key;), (word x; word data[1022];), ())

#if CO_PART_BODIES
// Out of line, so that the array has to be in memory.
static __attribute__((noinline)) void fill(word *data, size_t words, word seed) {
    for (size_t i = 0; i < words; i++)
        data[i] = seed + i;
}

#define ANSWER(name)                                                                               \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            fill(my->data, sizeof my->data / sizeof my->data[0], my->key);                         \
            my->x = 0;                                                                             \
            while (my->x != STOP)                                                                  \
                CO_YIELD(my->x, my->x + my->data[0] +                                              \
                                    my->data[sizeof my->data / sizeof my->data[0] - 1]);           \
            CO_RETURN(0);                                                                          \
        CO_END                                                                                     \
    }
ANSWER(light)
ANSWER(middle)
ANSWER(heavy)
#define CO_BODIES(_) _(light) _(middle) _(heavy)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
enum kind { LIGHT, MIDDLE, HEAVY, KINDS };

// What CORO_DECL says of each: the index of the last word that a kind keeps.
static const word last_index[KINDS] = {1, 125, 1021};

struct element {
    enum kind kind;
    union {
        CO_VAR(light) light;
        CO_VAR(middle) middle;
        CO_VAR(heavy) heavy;
    };
};

static struct element *all;
static co_handle *handles;
static uint32_t *order;
static size_t live, next;
static bool by_tag;

static void finish(void) {
    for (size_t i = 0; all != NULL && handles != NULL && i < live; i++)
        if (handles[i] != NULL)
            co_close(handles[i]);
    free(all);
    free(handles);
    free(order);
    all = NULL;
    handles = NULL;
    order = NULL;
    live = next = 0;
}

static uint64_t random_word(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u; // Steele, Lea and Flood (2014), as in `live`
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// The answer of the coroutine at `which` to x, less x.
static word kept_by(size_t which) {
    return 2 * which + last_index[all[which].kind];
}

static int start(size_t which, enum kind kind) {
    struct element *e = &all[which];
    word out = 0;
    int status;
    e->kind = kind;
    if (kind == LIGHT)
        status = CO_INIT(light, &e->light, which);
    else if (kind == MIDDLE)
        status = CO_INIT_STACK(middle, &e->middle, 1024 + 1024, which);
    else
        status = CO_INIT_STACK(heavy, &e->heavy, 8192 + 2048, which);
    if (status < 0)
        return status;
    handles[which] = kind == LIGHT    ? CO_HANDLE(&e->light)
                     : kind == MIDDLE ? CO_HANDLE(&e->middle)
                                      : CO_HANDLE(&e->heavy);
    status = co_resume(handles[which], 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == kept_by(which) ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    uint64_t state = 5;
    live = (size_t)cb_param(params, "n", 1);
    next = 0;
    by_tag = cb_param_is(params, "dispatch", "tag");
    all = (struct element *)calloc(live, sizeof *all);
    handles = (co_handle *)calloc(live, sizeof *handles);
    order = (uint32_t *)malloc(live * sizeof *order);
    int error = all == NULL || handles == NULL || order == NULL ? CO_E_NOMEM : 0;
    for (size_t i = 0; i < live && error == 0; i++) {
        order[i] = (uint32_t)i;
        error = start(i, (enum kind)(random_word(&state) % KINDS));
    }
    if (error < 0) {
        finish();
        return error;
    }
    for (size_t i = live; i > 1; i--) { // Fisher and Yates
        size_t j = (size_t)(random_word(&state) % i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    return 0;
}

static int resume_by_tag(struct element *e, word in, word *out) {
    switch (e->kind) {
    case LIGHT:
        return CO_RESUME(light, &e->light, in, out);
    case MIDDLE:
        return CO_RESUME(middle, &e->middle, in, out);
    default:
        return CO_RESUME(heavy, &e->heavy, in, out);
    }
}

// A run goes on where the last one stopped, so that short runs reach all coroutines too.
static struct cb_counts run_tag(uint64_t n) {
    word check = 0, i, out;
    for (i = 0; i < n; i++) {
        size_t which = order[next];
        if (resume_by_tag(&all[which], i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out - kept_by(which));
        if (++next == live)
            next = 0;
    }
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts run_handle(uint64_t n) {
    word check = 0, i, out;
    for (i = 0; i < n; i++) {
        size_t which = order[next];
        if (co_resume(handles[which], i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out - kept_by(which));
        if (++next == live)
            next = 0;
    }
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts run(uint64_t n) {
    return by_tag ? run_tag(n) : run_handle(n);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i);
    struct cb_counts sum = {check, 0, n};
    return sum;
}

CB_SCENARIO(.id = "mixed", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("dispatch=handle;n=1000", "dispatch=tag;n=1000"),
            .full = CB_LIST("dispatch=handle;n=10000", "dispatch=tag;n=10000"), .prepare = prepare,
            .run = run, .expect = expect, .finish = finish);
#endif
