// Do two trees of different shapes have the same leaves? A recursive generator walks each, and the
// two are resumed in turn.
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

// Compares until the trees end or differ or `most` leaves were the same; how many were. What is
// sent in is the number of leaves before.
static word compare(word most, word seen, word *check, bool *good) {
    word same = 0, sum = *check, x = 0, y = 0;
    int p = CO_RETURNED, q = CO_RETURNED;
    *good = false;
    if (CO_INIT_STACK(leaves, &a, STACK_BASE + STACK_FRAME * even.depth, even.root) < 0)
        return 0;
    if (CO_INIT_STACK(leaves, &b, STACK_BASE + STACK_FRAME * uneven.depth, uneven.root) < 0) {
        CO_FINI(leaves, &a);
        return 0;
    }
    while (same < most) {
        p = CO_RESUME(leaves, &a, seen + same, &x);
        q = CO_RESUME(leaves, &b, seen + same, &y);
        if (p != CO_YIELDED || q != CO_YIELDED || x != y)
            break;
        sum = cb_mix(sum, x);
        same++;
    }
    if (p == CO_RETURNED && q == CO_RETURNED)
        sum = cb_mix(cb_mix(sum, x), y);
    *check = sum;
    *good = p == q && (p == CO_YIELDED || p == CO_RETURNED);
    return CO_FINI(leaves, &a) < 0 || CO_FINI(leaves, &b) < 0 ? 0 : same;
}

static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    word check = 0, seen = 0;
    bool good = true;
    while (good && seen < n) {
        seen += compare(n - seen, seen, &check, &good);
        done.creations += 2;
    }
    done.checksum = check;
    done.yields = 2 * seen;
    return done;
}

// The result of a whole walk: what was sent into its leaves, `seen` and up, as the tree has them.
static word result(const struct node *t, word *seen) {
    if (t->left == NULL)
        return ++*seen;
    word left = result(t->left, seen);
    return cb_mix(left, result(t->right, seen));
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word seen = 0; seen < n; seen++) {
        if (seen > 0 && seen % count == 0) {
            word p = seen - count, q = p;
            word x = result(even.root, &p);
            check = cb_mix(cb_mix(check, x), result(uneven.root, &q));
        }
        check = cb_mix(check, key_of((size_t)(seen % count)));
    }
    struct cb_counts all = {check, 2 * ((n + count - 1) / count), 2 * n};
    return all;
}

CB_SCENARIO(.id = "samefringe", .unit = "leaf", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("leaves=1024"), .full = CB_LIST("leaves=16"), .needs = needs,
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
