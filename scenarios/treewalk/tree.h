// The balanced binary tree that is walked, by coroutines and by hand.
#pragma once

struct node {
    const struct node *left, *right;
    word key;
};

#if CO_PART_LOOP
static void give_keys(struct node *nodes, size_t count) {
    word key = 1;
    for (size_t i = 0; i < count; i++) {
        key = key * 2862933555777941757u + 3037000493u; // any odd numbers do
        nodes[i].key = key;
    }
}

// The tree of the nodes from `first` on, `size` of them, as balanced as can be.
static const struct node *balanced(struct node *nodes, size_t first, size_t size) {
    if (size == 0)
        return NULL;
    size_t before = size / 2;
    struct node *t = &nodes[first + before];
    t->left = balanced(nodes, first, before);
    t->right = balanced(nodes, first + before + 1, size - before - 1);
    return t;
}

// How many levels such a tree has.
static size_t levels_of(size_t count) {
    size_t levels = 0;
    while (count >> levels > 0)
        levels++;
    return levels;
}
#endif
