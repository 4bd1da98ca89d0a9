// What the coroutines of `yield`, `treewalk` and `fold` do, written by hand: as a state machine in
// plain C, and as a function that calls back.
//
// No coroutine is used. Beside those scenarios' cells of the same bench program, instruction by
// instruction, this shows what it costs that a body is written once for all backends.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

#include "../treewalk/tree.h"

// Sent in, it ends what `yield` resumes. A loop that counts up never sends it.
#define STOP (~(word)0)

enum { ENDED, YIELDED, FAILED };
enum { SEND, THROW };
enum echo_state { FRESH, AT_YIELD, IN_CALLEE, DONE };
enum walk_state { ENTERED, IN_LEFT, AT_NODE, IN_RIGHT, LEFT };

// What a state machine answers: two words, which travel in registers.
struct answer {
    word value, status;
};

// Whom a function that calls back gives its values, and who says what comes next.
struct visitor {
    word (*take)(struct visitor *visitor, word value);
    bool stop; // nothing more is wanted
};

// yield: the innermost of `depth` frames answers x with x + key, the others only pass through.
struct echo {
    struct answer (*resume)(struct echo *echo, word in);
    struct answer (*proceed)(struct echo *echo, word in, word mode); // sends or throws
    word state, depth, key, x;
    struct echo *callee;
};

// treewalk: the levels that are entered, in one array, the innermost last.
struct level {
    const struct node *t;
    word sum, state;
};
enum { LEVELS = 16 };
struct walk {
    struct answer (*resume)(struct walk *walk, word in);
    struct level *top;
    struct level levels[LEVELS];
};

// fold: the elements of an array.
struct elements {
    const word *data;
    word n, i;
};

CO_BODY_LINKAGE struct answer CO_SYM(echo_resume)(struct echo *echo, word in);
CO_BODY_LINKAGE struct answer CO_SYM(echo_proceed)(struct echo *echo, word in, word mode);
CO_BODY_LINKAGE void CO_SYM(echo_each)(struct visitor *visitor, word key);
CO_BODY_LINKAGE struct answer CO_SYM(walk_resume)(struct walk *walk, word in);
CO_BODY_LINKAGE word CO_SYM(walk_each)(const struct node *t, struct visitor *visitor);
CO_BODY_LINKAGE bool CO_SYM(elements_next)(struct elements *elements, word *out);
CO_BODY_LINKAGE word CO_SYM(elements_each)(const word *data, word n, struct visitor *visitor);

#if CO_PART_BODIES
static inline struct answer give(word value, word status) {
    struct answer answer = {value, status};
    return answer;
}

static struct echo *call_echo(struct echo *caller) {
    struct echo *echo = (struct echo *)malloc(sizeof *echo);
    if (echo == NULL)
        return NULL;
    echo->state = FRESH;
    echo->depth = caller->depth - 1;
    echo->key = caller->key;
    return echo;
}

static inline struct answer end_echo(struct echo *echo, word value, word status) {
    echo->state = DONE;
    return give(value, status);
}

// One text for both: with errors, `mode` says whether `in` is sent or thrown, and a callee may
// fail.
#define ECHO(name, RESUME, STATUS, THROWN, ...)                                                    \
    CO_BODY_LINKAGE struct answer CO_SYM(name)(struct echo * echo, __VA_ARGS__) {                  \
        struct answer below;                                                                       \
        switch (echo->state) {                                                                     \
        case FRESH:                                                                                \
            echo->x = 0;                                                                           \
            if (echo->depth == 1)                                                                  \
                break;                                                                             \
            echo->callee = call_echo(echo);                                                        \
            if (echo->callee == NULL)                                                              \
                return end_echo(echo, 0, FAILED);                                                  \
            echo->state = IN_CALLEE;                                                               \
            in = 0;                                                                                \
            __attribute__((fallthrough));                                                          \
        case IN_CALLEE:                                                                            \
            below = RESUME(echo->callee);                                                          \
            if (below.status == YIELDED)                                                           \
                return below;                                                                      \
            free(echo->callee);                                                                    \
            echo->x = below.value;                                                                 \
            return end_echo(echo, cb_mix(echo->x, echo->key), STATUS);                             \
        case AT_YIELD:                                                                             \
            if (THROWN)                                                                            \
                return end_echo(echo, in, FAILED);                                                 \
            echo->x = in;                                                                          \
            break;                                                                                 \
        default:                                                                                   \
            return give(0, ENDED);                                                                 \
        }                                                                                          \
        if (echo->x == STOP)                                                                       \
            return end_echo(echo, cb_mix(echo->x, echo->key), ENDED);                              \
        echo->state = AT_YIELD;                                                                    \
        return give(echo->x + echo->key, YIELDED);                                                 \
    }
#define RESUME_CALLEE(callee) CO_SYM(echo_resume)(callee, in)
#define PROCEED_CALLEE(callee) CO_SYM(echo_proceed)(callee, in, mode)
ECHO(echo_resume, RESUME_CALLEE, ENDED, false, word in)
ECHO(echo_proceed, PROCEED_CALLEE, below.status, mode != SEND, word in, word mode)

CO_BODY_LINKAGE void CO_SYM(echo_each)(struct visitor *visitor, word key) {
    word x = 0;
    while (x != STOP)
        x = visitor->take(visitor, x + key);
}

static inline struct level *enter(struct level *level, const struct node *t) {
    level->t = t;
    level->state = ENTERED;
    return level;
}

CO_BODY_LINKAGE struct answer CO_SYM(walk_resume)(struct walk *walk, word in) {
    struct level *l = walk->top;
    word result = 0;
    for (;;) {
        switch (l->state) {
        case ENTERED:
            l->sum = 0;
            if (l->t->left) {
                l->state = IN_LEFT;
                l = enter(l + 1, l->t->left);
                continue;
            }
            l->state = AT_NODE;
            walk->top = l;
            return give(l->t->key, YIELDED);
        case IN_LEFT:
            l->sum = cb_mix(l->sum, result);
            l->state = AT_NODE;
            walk->top = l;
            return give(l->t->key, YIELDED);
        case AT_NODE:
            l->sum = cb_mix(l->sum, in);
            if (l->t->right) {
                l->state = IN_RIGHT;
                l = enter(l + 1, l->t->right);
                continue;
            }
            result = l->sum;
            break;
        case IN_RIGHT:
            result = cb_mix(l->sum, result);
            break;
        default:
            return give(0, ENDED);
        }
        l->state = LEFT;
        if (l == walk->levels) {
            walk->top = l;
            return give(result, ENDED);
        }
        l--;
    }
}

CO_BODY_LINKAGE word CO_SYM(walk_each)(const struct node *t, struct visitor *visitor) {
    word sum = 0;
    if (t->left)
        sum = cb_mix(sum, CO_SYM(walk_each)(t->left, visitor));
    if (visitor->stop)
        return 0;
    sum = cb_mix(sum, visitor->take(visitor, t->key));
    if (t->right && !visitor->stop)
        sum = cb_mix(sum, CO_SYM(walk_each)(t->right, visitor));
    return sum;
}

CO_BODY_LINKAGE bool CO_SYM(elements_next)(struct elements *elements, word *out) {
    if (elements->i == elements->n)
        return false;
    *out = elements->data[elements->i++];
    return true;
}

CO_BODY_LINKAGE word CO_SYM(elements_each)(const word *data, word n, struct visitor *visitor) {
    word i;
    for (i = 0; i < n; i++)
        visitor->take(visitor, data[i]);
    return i;
}
#define CO_BODIES(_)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
#define WORDS 4096

static struct cb_counts (*chosen)(uint64_t n);
static struct cb_counts (*expected)(uint64_t n);
static struct echo echo;
static struct node *nodes;
static const struct node *root;
static size_t count;
static word elements[WORDS];

// Of one run, for whom is called back: the sum so far, operations done and wanted.
struct progress {
    struct visitor visitor; // first, so that a pointer to it is one to the whole
    word check, i, n;
};

static struct cb_counts sum_only(word check) {
    struct cb_counts done = {check, 0, 0};
    return done;
}

static struct cb_counts echo_machine(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        struct answer answer = echo.resume(&echo, i);
        if (answer.status != YIELDED)
            break;
        check = cb_mix(check, answer.value);
    }
    return sum_only(check);
}

static struct cb_counts echo_errors(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        struct answer answer = echo.proceed(&echo, i, SEND);
        if (answer.status != YIELDED)
            break;
        check = cb_mix(check, answer.value);
    }
    return sum_only(check);
}

static word take_echo(struct visitor *visitor, word value) {
    struct progress *p = (struct progress *)visitor;
    p->check = cb_mix(p->check, value);
    return ++p->i < p->n ? p->i : STOP;
}

static struct cb_counts echo_callback(uint64_t n) {
    struct progress p = {{take_echo, false}, 0, 0, (word)n};
    if (n > 0)
        CO_SYM(echo_each)(&p.visitor, KEY);
    return sum_only(p.check);
}

static struct cb_counts expect_echo(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + KEY);
    return sum_only(check);
}

static struct cb_counts walk_machine(uint64_t n) {
    word check = 0, i = 0;
    while (i < n) {
        struct walk walk;
        walk.resume = CO_SYM(walk_resume);
        walk.top = walk.levels;
        walk.levels[0].t = root;
        walk.levels[0].state = ENTERED;
        struct answer answer;
        do {
            answer = walk.resume(&walk, i);
            check = cb_mix(check, answer.value);
            i++;
        } while (answer.status == YIELDED && i < n);
    }
    return sum_only(check);
}

static word take_node(struct visitor *visitor, word key) {
    struct progress *p = (struct progress *)visitor;
    p->check = cb_mix(p->check, key);
    p->visitor.stop = ++p->i == p->n;
    return p->i;
}

static struct cb_counts walk_callback(uint64_t n) {
    struct progress p = {{take_node, false}, 0, 0, (word)n};
    while (p.i < n) {
        word sum = CO_SYM(walk_each)(root, &p.visitor);
        if (p.i < n) {
            p.check = cb_mix(p.check, sum);
            p.i++;
        }
    }
    return sum_only(p.check);
}

// What a walk gives, of which `p` says how far it is.
static word walk_sum(const struct node *t, struct progress *p) {
    word sum = t->left ? cb_mix(0, walk_sum(t->left, p)) : 0;
    if (p->i == p->n)
        return 0;
    p->check = cb_mix(p->check, t->key);
    sum = cb_mix(sum, ++p->i);
    return t->right ? cb_mix(sum, walk_sum(t->right, p)) : sum;
}

static struct cb_counts expect_walk(uint64_t n) {
    struct progress p = {{NULL, false}, 0, 0, (word)n};
    while (p.i < n) {
        word sum = walk_sum(root, &p);
        if (p.i < n) {
            p.check = cb_mix(p.check, sum);
            p.i++;
        }
    }
    return sum_only(p.check);
}

// The elements from the array's start, as often as it takes; the last time maybe not all.
#define PASSES(name, ...)                                                                          \
    static struct cb_counts name(uint64_t n) {                                                     \
        word sum = 0;                                                                              \
        for (uint64_t taken = 0; taken < n;) {                                                     \
            word length = n - taken < WORDS ? (word)(n - taken) : WORDS;                           \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        return sum_only(sum);                                                                      \
    }

// clang-format off
PASSES(fold_machine,
    struct elements each = {elements, length, 0};
    word out = 0;
    while (CO_SYM(elements_next)(&each, &out))
        sum = cb_mix(sum, out);
    taken += each.i;)
PASSES(fold_loop,
    for (word i = 0; i < length; i++)
        sum = cb_mix(sum, elements[i]);
    taken += length;)
// clang-format on

static word take_element(struct visitor *visitor, word value) {
    struct progress *p = (struct progress *)visitor;
    p->check = cb_mix(p->check, value);
    return 0;
}

static struct cb_counts fold_callback(uint64_t n) {
    struct progress p = {{take_element, false}, 0, 0, (word)n};
    for (uint64_t taken = 0; taken < n;) {
        word length = n - taken < WORDS ? (word)(n - taken) : WORDS;
        taken += CO_SYM(elements_each)(elements, length, &p.visitor);
    }
    return sum_only(p.check);
}

static struct cb_counts expect_fold(uint64_t n) {
    word sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum = cb_mix(sum, elements[i % WORDS]);
    return sum_only(sum);
}

static const struct way {
    const char *of, *way;
    struct cb_counts (*run)(uint64_t n);
    struct cb_counts (*expect)(uint64_t n);
} ways[] = {
    {"yield", "machine", echo_machine, expect_echo},
    {"yield", "machine-errors", echo_errors, expect_echo},
    {"yield", "callback", echo_callback, expect_echo},
    {"treewalk", "machine", walk_machine, expect_walk},
    {"treewalk", "callback", walk_callback, expect_walk},
    {"fold", "machine", fold_machine, expect_fold},
    {"fold", "callback", fold_callback, expect_fold},
    {"fold", "loop", fold_loop, expect_fold},
};

static int prepare_tree(void) {
    nodes = (struct node *)malloc(count * sizeof *nodes);
    if (nodes == NULL)
        return CO_E_NOMEM;
    give_keys(nodes, count);
    root = balanced(nodes, 0, count);
    return levels_of(count) <= LEVELS ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    chosen = expected = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (cb_param_is(params, "of", ways[i].of) && cb_param_is(params, "way", ways[i].way)) {
            chosen = ways[i].run;
            expected = ways[i].expect;
        }
    }
    if (chosen == NULL)
        return CO_E_INVALID;
    word x = 1;
    for (word i = 0; i < WORDS; i++) {
        x = x * 2862933555777941757u + 3037000493u;
        elements[i] = x;
    }
    echo.resume = CO_SYM(echo_resume);
    echo.proceed = CO_SYM(echo_proceed);
    echo.state = FRESH;
    echo.depth = 1;
    echo.key = KEY;
    if (echo.resume(&echo, 0).value != KEY)
        return CO_E_INVALID;
    count = (size_t)cb_param(params, "nodes", 1);
    return prepare_tree();
}

static struct cb_counts run(uint64_t n) {
    return chosen(n);
}

static struct cb_counts expect(uint64_t n) {
    return expected(n);
}

static void finish(void) {
    free(nodes);
    nodes = NULL;
}

CB_SCENARIO(.id = "twin", .unit = "operation", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST(NULL),
            .full = CB_LIST("of=yield;way=machine", "of=yield;way=machine-errors",
                            "of=yield;way=callback", "nodes=4095;of=treewalk;way=machine",
                            "nodes=4095;of=treewalk;way=callback", "of=fold;way=machine",
                            "of=fold;way=callback", "of=fold;way=loop"),
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
