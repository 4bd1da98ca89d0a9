// What the kit's bodies and its checks share: a log of events and a table of words.
//
// Everything here is inline: a body may live in a shared object that knows no symbol of the kit.
#ifndef KIT_TRACE_H
#define KIT_TRACE_H

#include "corobench/coro.h"

// What happened, in order. A body marks; the check compares afterwards, on its own stack.
struct trace {
    unsigned n;
    word event[62];
};

static inline void mark(struct trace *t, word event) {
    if (t->n < sizeof t->event / sizeof t->event[0])
        t->event[t->n] = event;
    t->n++;
}

// Words that a lowering might take for something else: statuses, error codes, null, signs, halves.
static inline word odd_word(unsigned i) {
    static const word words[] = {0,
                                 1,
                                 2,
                                 3,
                                 4,
                                 8,
                                 0x7F,
                                 0x80,
                                 0xFF,
                                 0x7FFFFFFF,
                                 0x80000000u,
                                 0xFFFFFFFFu,
                                 (word)-1,
                                 (word)-2,
                                 (word)-3,
                                 (word)-4,
                                 (word)-5,
                                 (word)-6,
                                 (word)1 << 63,
                                 ~(word)0 >> 1,
                                 (word)0x5555555555555555,
                                 (word)0xAAAAAAAAAAAAAAAA,
                                 (word)0x00000001FFFFFFFF,
                                 (word)0xFFFFFFFF00000000};
    return words[i % (sizeof words / sizeof words[0])];
}
enum { ODD_WORDS = 24 };

// Uses the C stack down to `bytes` below `top`, writing all of it; really recursive, so that it
// meets a guard page before it meets anything else. Gives 1 if it could read all that it wrote.
static __attribute__((noinline, unused)) word use_stack(const char *top, size_t bytes) {
    volatile unsigned char local[128];
    word deeper = 1, intact = 1;
    for (unsigned i = 0; i < sizeof local; i++)
        local[i] = (unsigned char)(i * 3);
    if ((size_t)(top - (const char *)__builtin_frame_address(0)) < bytes)
        deeper = use_stack(top, bytes);
    for (unsigned i = 0; i < sizeof local; i++)
        intact &= local[i] == (unsigned char)(i * 3);
    return deeper & intact;
}

#endif
