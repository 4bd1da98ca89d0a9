// A recursive generator walks a binary tree in order and yields each node's key.
//
// One walk after the other, each by a coroutine of its own. The resume that ends a walk counts as
// an operation, as those that give a node do; so walks of one node less than a power of two are a
// power of two each.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

#include "tree.h"

CORO_DECL(walk, (const struct node *t;), (word sum; word x;), (REC(walk)))

#if CO_PART_BODIES
CORO(walk) {
    CO_BEGIN(walk)
        my->sum = 0;
        if (my->t->left) {
            CO_CALLREC(my->x, walk, my->t->left);
            my->sum = cb_mix(my->sum, my->x);
        }
        CO_YIELD(my->x, my->t->key);
        my->sum = cb_mix(my->sum, my->x);
        if (my->t->right) {
            CO_CALLREC(my->x, walk, my->t->right);
            my->sum = cb_mix(my->sum, my->x);
        }
        CO_RETURN(my->sum);
    CO_END
}
#define CO_BODIES(_) _(walk)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Bytes of stack: for the first frame and what it calls, and for each further frame. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

static struct node *nodes;
static const struct node *root;
static size_t count, depth;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_RECURSION;
}

// A list: each node has a left child only, so that the last of them is the first in order.
static const struct node *degenerate(size_t size) {
    const struct node *t = NULL;
    for (size_t i = 0; i < size; i++) {
        nodes[i].left = t;
        nodes[i].right = NULL;
        t = &nodes[i];
    }
    return t;
}

static int prepare(const struct cb_params *params) {
    count = (size_t)cb_param(params, "nodes", 1);
    nodes = (struct node *)malloc(count * sizeof *nodes);
    if (nodes == NULL)
        return CO_E_NOMEM;
    give_keys(nodes, count);
    if (cb_param_is(params, "shape", "degenerate")) {
        root = degenerate(count);
        depth = count;
    } else {
        root = balanced(nodes, 0, count);
        depth = levels_of(count);
    }
    return 0;
}

// What is sent in is the number of resumes before. The last walk is closed where it stands.
static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    word check = 0, i = 0, ended = 0, out = 0;
    while (i < n) {
        CO_VAR(walk) v;
        int status;
        if (CO_INIT_STACK(walk, &v, STACK_BASE + STACK_FRAME * depth, root) < 0)
            break;
        done.creations++;
        do {
            status = CO_RESUME(walk, &v, i, &out);
            check = cb_mix(check, out);
            i++;
        } while (status == CO_YIELDED && i < n);
        if (CO_FINI(walk, &v) < 0 || (status != CO_YIELDED && status != CO_RETURNED))
            break;
        ended += status == CO_RETURNED;
    }
    done.checksum = check;
    done.yields = i - ended;
    return done;
}

struct progress {
    word check, i, n;
};

static word visit(const struct node *t, struct progress *p) {
    word sum = 0;
    if (t->left)
        sum = cb_mix(sum, visit(t->left, p));
    if (p->i == p->n)
        return 0;
    p->check = cb_mix(p->check, t->key);
    p->i++;
    sum = cb_mix(sum, p->i);
    if (t->right)
        sum = cb_mix(sum, visit(t->right, p));
    return sum;
}

static struct cb_counts expect(uint64_t n) {
    struct progress p = {0, 0, n};
    while (p.i < n) {
        word sum = visit(root, &p);
        if (p.i < n) {
            p.check = cb_mix(p.check, sum);
            p.i++;
        }
    }
    uint64_t walk = count + 1; // the last resume ends it
    struct cb_counts all = {p.check, (n + walk - 1) / walk, n - n / walk};
    return all;
}

static void finish(void) {
    free(nodes);
    nodes = NULL;
}

CB_SCENARIO(.id = "treewalk", .unit = "node", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("nodes=4095", "nodes=255;shape=degenerate"),
            .full = CB_LIST("nodes=1023;shape=degenerate"), .needs = needs, .prepare = prepare,
            .run = run, .expect = expect, .finish = finish);
#endif
