// Do two trees of different shapes have the same leaves? A recursive generator walks each, and the
// two are resumed in turn. The time that both end counts as an operation, as a leaf does.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

// A leaf has no branches and a key, an inner node has two branches.
struct node {
    const struct node *left, *right;
    word key;
};

CORO_DECL(leaves, (const struct node *t;), (word a; word b;), (REC(leaves)))

#if CO_PART_BODIES
CORO(leaves) {
    CO_BEGIN(leaves)
        if (my->t->left) {
            CO_CALLREC(my->a, leaves, my->t->left);
            CO_CALLREC(my->b, leaves, my->t->right);
            CO_RETURN(cb_mix(my->a, my->b));
        }
        CO_YIELD(my->a, my->t->key);
        CO_RETURN(my->a);
    CO_END
}
#define CO_BODIES(_) _(leaves)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Bytes of stack: for the first frame and what it calls, and for each further frame. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

struct tree {
    struct node *nodes;
    const struct node *root;
    size_t used, depth;
};

static struct tree even, uneven;
static size_t count;
static CO_VAR(leaves) a, b;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_RECURSION;
}

// The key of the leaf at `index`; both trees have the same.
static word key_of(size_t index) {
    return (index + 1) * (word)2862933555777941757u;
}

// A tree of the leaves from `first` on, a share of them (one in `share`) on the left.
static const struct node *grow(struct tree *tree, size_t first, size_t size, size_t share,
                               size_t depth) {
    struct node *t = &tree->nodes[tree->used++];
    t->left = t->right = NULL;
    t->key = key_of(first);
    if (depth > tree->depth)
        tree->depth = depth;
    if (size > 1) {
        size_t before = size / share > 0 ? size / share : 1;
        t->left = grow(tree, first, before, share, depth + 1);
        t->right = grow(tree, first + before, size - before, share, depth + 1);
    }
    return t;
}

static int make(struct tree *tree, size_t share) {
    tree->nodes = (struct node *)malloc((2 * count - 1) * sizeof *tree->nodes);
    if (tree->nodes == NULL)
        return CO_E_NOMEM;
    tree->used = tree->depth = 0;
    tree->root = grow(tree, 0, count, share, 1);
    return 0;
}

static int prepare(const struct cb_params *params) {
    count = (size_t)cb_param(params, "leaves", 1);
    int error = make(&even, 2);
    return error < 0 ? error : make(&uneven, 4);
}

static void finish(void) {
    free(even.nodes);
    free(uneven.nodes);
    even.nodes = uneven.nodes = NULL;
}

// Resumes both until the trees end or differ, at most `most` times; how many times. What is sent in
// is the number of times before. 0: a coroutine failed, or they are not the same.
static word compare(word most, word before, word *check, bool *ended) {
    word i = 0, sum = *check, x = 0, y = 0;
    int p, q;
    if (CO_INIT_STACK(leaves, &a, STACK_BASE + STACK_FRAME * even.depth, even.root) < 0)
        return 0;
    if (CO_INIT_STACK(leaves, &b, STACK_BASE + STACK_FRAME * uneven.depth, uneven.root) < 0) {
        CO_FINI(leaves, &a);
        return 0;
    }
    do {
        p = CO_RESUME(leaves, &a, before + i, &x);
        q = CO_RESUME(leaves, &b, before + i, &y);
        sum = cb_mix(sum, x);
        i++;
    } while (p == CO_YIELDED && q == CO_YIELDED && x == y && i < most);
    *ended = p == CO_RETURNED;
    if (*ended)
        sum = cb_mix(sum, y); // the trees' shapes differ, and so do the results
    *check = sum;
    bool good = p == q && (*ended || (p == CO_YIELDED && x == y));
    return CO_FINI(leaves, &a) < 0 || CO_FINI(leaves, &b) < 0 || !good ? 0 : i;
}

static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    word check = 0, i = 0, ends = 0;
    while (i < n) {
        bool ended = false;
        word times = compare(n - i, i, &check, &ended);
        if (times == 0)
            break;
        i += times;
        ends += ended;
        done.creations += 2;
    }
    done.checksum = check;
    done.yields = 2 * (i - ends);
    return done;
}

// The result of a whole walk: what was sent into its leaves, `before` and up, as the tree has them.
static word result(const struct node *t, word *before) {
    if (t->left == NULL)
        return ++*before;
    word left = result(t->left, before);
    return cb_mix(left, result(t->right, before));
}

static struct cb_counts expect(uint64_t n) {
    word check = 0, walk = count + 1; // the last time ends it
    for (word i = 0; i < n; i++) {
        word leaf = i % walk;
        if (leaf < count) {
            check = cb_mix(check, key_of((size_t)leaf));
        } else {
            word p = i - count, q = p;
            check = cb_mix(check, result(even.root, &p));
            check = cb_mix(check, result(uneven.root, &q));
        }
    }
    struct cb_counts all = {check, 2 * ((n + walk - 1) / walk), 2 * (n - n / walk)};
    return all;
}

CB_SCENARIO(.id = "samefringe", .unit = "leaf", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("leaves=1023"), .full = CB_LIST("leaves=15"), .needs = needs,
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
