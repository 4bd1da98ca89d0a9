// Items go through four coroutines, a source and three filters; each pulls from the one before.
//
// A filter is a coroutine that resumes another one, through a handle, from inside its body. The
// pipeline is made anew for every `items` items.
#include <backend.h>
#include "corobench/scenario.h"

CORO_DECL(source, (word items; word first;), (word i; word in;), ())
CORO_DECL(filter, (co_handle from; word key;), (word in; word item;), ())

#if CO_PART_BODIES
CORO(source) {
    CO_BEGIN(source)
        my->in = 0;
        for (my->i = 0; my->i < my->items; my->i++)
            CO_YIELD(my->in, my->first + my->i + my->in);
        CO_RETURN(my->in);
    CO_END
}

// What is sent in goes upstream, what comes down is changed; the end comes down too.
CORO(filter) {
    CO_BEGIN(filter)
        my->in = 0;
        for (;;) {
            word got;
            if (co_resume(my->from, my->in, &got) != CO_YIELDED)
                CO_RETURN(got + my->key);
            my->item = cb_mix(got, my->key);
            CO_YIELD(my->in, my->item);
        }
    CO_END
}
#define CO_BODIES(_) _(source) _(filter)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define STAGES 4

static word items;

static int prepare(const struct cb_params *params) {
    items = (word)cb_param(params, "items", 1);
    return 0;
}

// Closes from the end that pulls to the source, as nobody may pull from what is closed.
static int close_all(CO_VAR(filter) filters[STAGES - 1], CO_VAR(source) * head) {
    int error = 0;
    for (int i = STAGES - 2; i >= 0; i--)
        if (CO_FINI(filter, &filters[i]) < 0)
            error = CO_E_INVALID;
    return CO_FINI(source, head) < 0 ? CO_E_INVALID : error;
}

// Takes at most `most` items through a new pipeline. Returns how many came out.
static word pump(word first, word most, struct cb_counts *done) {
    static CO_VAR(source) head;
    static CO_VAR(filter) filters[STAGES - 1];
    if (CO_INIT(source, &head, most, first) < 0)
        return 0;
    co_handle from = CO_HANDLE(&head);
    for (word i = 0; i < STAGES - 1; i++) {
        if (CO_INIT(filter, &filters[i], from, i) < 0)
            return 0;
        from = CO_HANDLE(&filters[i]);
    }
    word seen = 0, out = 0;
    int status;
    while ((status = CO_RESUME(filter, &filters[STAGES - 2], seen, &out)) == CO_YIELDED) {
        done->checksum = cb_mix(done->checksum, out);
        seen++;
    }
    if (close_all(filters, &head) < 0 || status != CO_RETURNED)
        return 0;
    done->checksum = cb_mix(done->checksum, out);
    done->creations += STAGES;
    done->yields += seen;
    return seen;
}

static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    for (word first = 0; first < n; first += items) {
        word most = n - first < items ? n - first : items;
        if (pump(first, most, &done) != most)
            break;
    }
    return done;
}

// What is sent in reaches the source one resume after it started.
static struct cb_counts expect(uint64_t n) {
    struct cb_counts all = {0, 0, n};
    for (word first = 0; first < n; first += items) {
        word most = n - first < items ? n - first : items;
        for (word i = 0; i <= most; i++) {
            word x = i == most ? i : first + i + i;
            for (word key = 0; key < STAGES - 1; key++)
                x = i == most ? x + key : cb_mix(x, key);
            all.checksum = cb_mix(all.checksum, x);
        }
        all.creations += STAGES;
    }
    return all;
}

CB_SCENARIO(.id = "pipeline", .unit = "item", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("items=16"), .full = CB_LIST("items=1", "items=1024"),
            .prepare = prepare, .run = run, .expect = expect);
#endif
