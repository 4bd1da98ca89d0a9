// Small stacks, packed: no guard, no page of its own for each. One range of addresses for each
// size, all ranges in one, so that a glance at an address tells whether it is on such a stack.
//
// A stack is an odd number of cache lines long, so that tops do not share a few sets of the cache.
// Nothing here needs more than some hundred bytes of stack, because a body may create coroutines.
#ifndef CO_SEPARATE_STACKS_H
#define CO_SEPARATE_STACKS_H

#include "corobench/coro.h"
#include "common/annotate.h"
#include "common/mutant.h"

// Usable bytes of the smallest class. Frames that a sanitizer or a build without optimisation makes
// are some times as large.
#if CO_STACK_ASAN || !defined(__OPTIMIZE__)
#define CO_STACK_BYTES 16384
#else
#define CO_STACK_BYTES 2048
#endif

enum {
    CO_STACK_CLASSES = 14, // each twice as large as the one before
    CO_STACK_LINE = 64,
    CO_STACK_BATCH = 256 << 10,   // bytes that become usable at a time, if not more are needed
    CO_STACK_RANGE_BITS = 32,     // 4 GiB of addresses for each class
    CO_STACK_OVERHEAD = 64 + 128, // what a body can't use: record, red zone
};
#define CO_STACK_RANGE ((size_t)1 << CO_STACK_RANGE_BITS)

// The record at the top of every stack; the stack pointer starts at its address and goes down.
struct co_stack {
    union {
        struct co_stack *next;     // while free
        struct co_stackful *owner; // who runs on it
    };
    char *low; // lowest usable byte
    size_t class_;
    size_t unused;
};

struct co_stacks {
    char *ranges; // of all classes; NULL until the first stack
    struct co_stack *free[CO_STACK_CLASSES];
    size_t carved[CO_STACK_CLASSES], usable[CO_STACK_CLASSES]; // bytes of each range
    bool keep_none;
    size_t held, limit; // bytes made usable, and the most that may be (0: no limit)
};

#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_stacks CO_RT(stacks);
__attribute__((visibility("hidden"))) struct co_stack *CO_RT(stacks_more)(size_t bytes);
__attribute__((visibility("hidden"))) void CO_RT(stacks_less)(struct co_stack *stack);
#ifdef __cplusplus
}
#endif

CO_INLINE bool co_stack_is_ours_(const void *p) {
    return (word)p - (word)CO_RT(stacks).ranges < CO_STACK_CLASSES * CO_STACK_RANGE;
}

// A stack with at least `bytes` for the body (0: the smallest class), or NULL. Its contents are
// indeterminate.
CO_INLINE struct co_stack *co_stack_new(size_t bytes) {
    struct co_stack *stack = CO_RT(stacks).free[0];
    if (CO_LIKELY(bytes == 0 && stack != NULL)) {
        CO_RT(stacks).free[0] = stack->next;
        return stack;
    }
    return CO_RT(stacks_more)(bytes);
}

CO_INLINE void co_stack_free(struct co_stack *stack) {
    if (CO_UNLIKELY(CO_RT(stacks).keep_none)) {
        CO_RT(stacks_less)(stack);
        return;
    }
    size_t class_ = stack->class_;
    stack->next = CO_RT(stacks).free[class_];
    CO_RT(stacks).free[class_] = stack;
}

#ifdef CO_RUNTIME
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if CO_STACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

struct co_stacks CO_RT(stacks);
static const char *co_stacks_reason_ = "no allocation has failed";

// With storage=fresh each stack has pages of its own, and what is free is a hole in its range.
struct co_holes {
    size_t *at; // offsets, the last one is the next to be filled
    size_t count, room;
};
static struct co_holes co_holes_[CO_STACK_CLASSES];

static size_t co_page_(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

static size_t co_stride_(size_t class_) {
    size_t bytes = ((size_t)CO_STACK_BYTES << class_) + CO_STACK_LINE;
    return CO_RT(stacks).keep_none ? co_page_(bytes) : bytes;
}

static char *co_range_(size_t class_) {
    return CO_RT(stacks).ranges + class_ * CO_STACK_RANGE;
}

// The record of the stack that holds `p`.
static __attribute__((unused)) struct co_stack *co_stack_around_(const void *p) {
    size_t off = (size_t)((word)p - (word)CO_RT(stacks).ranges);
    size_t class_ = off >> CO_STACK_RANGE_BITS, stride = co_stride_(class_);
    size_t slot = off % CO_STACK_RANGE / stride;
    return (struct co_stack *)(co_range_(class_) + (slot + 1) * stride) - 1;
}

static bool co_ranges_reserve_(void) {
    if (CO_RT(stacks).ranges != NULL)
        return true;
    size_t bytes = CO_STACK_CLASSES * CO_STACK_RANGE;
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        co_stacks_reason_ = "no address space: 4 GiB for each of 14 sizes of stack";
        return false;
    }
    // One touched byte must cost a page, not a huge page. Not fatal: a kernel without huge pages
    // has no such advice.
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    CO_RT(stacks).ranges = (char *)p;
    return true;
}

// Makes `bytes` at `at` memory, all zero.
static bool co_stacks_open_(char *at, size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    if (all->limit != 0 && all->held + bytes > all->limit) {
        co_stacks_reason_ = "the memory limit set for stacks is reached";
        return false;
    }
    if (mprotect(at, bytes, PROT_READ | PROT_WRITE) != 0) {
        co_stacks_reason_ = "mprotect gives no memory for stacks";
        return false;
    }
    all->held += bytes;
#if CO_STACK_ASAN
    __lsan_register_root_region(at, bytes);
#endif
    return true;
}

static void co_stacks_shut_(__attribute__((unused)) char *at, size_t bytes) {
#if CO_STACK_ASAN
    __lsan_unregister_root_region(at, bytes);
    ASAN_UNPOISON_MEMORY_REGION(at, bytes);
#endif
    CO_RT(stacks).held -= bytes;
}

// Bytes that are opened at a time.
static size_t co_batch_(size_t class_) {
    size_t stride = co_stride_(class_);
    return CO_RT(stacks).keep_none   ? stride
           : stride < CO_STACK_BATCH ? (size_t)CO_STACK_BATCH
                                     : co_page_(stride);
}

// A place for one stack of this class, or NULL.
static char *co_stack_carve_(size_t class_) {
    struct co_stacks *all = &CO_RT(stacks);
    struct co_holes *holes = &co_holes_[class_];
    size_t stride = co_stride_(class_);
    if (holes->count > 0) {
        char *at = co_range_(class_) + holes->at[holes->count - 1];
        if (!co_stacks_open_(at, stride))
            return NULL;
        holes->count--;
        return at;
    }
    while (all->carved[class_] + stride > all->usable[class_]) {
        size_t batch = co_batch_(class_);
        if (all->usable[class_] + batch > CO_STACK_RANGE) {
            co_stacks_reason_ = "4 GiB of stacks of one size are in use";
            return NULL;
        }
        if (!co_stacks_open_(co_range_(class_) + all->usable[class_], batch))
            return NULL;
        all->usable[class_] += batch;
    }
    all->carved[class_] += stride;
    return co_range_(class_) + all->carved[class_] - stride;
}

// The slow path: another class than the smallest, none is free, or nothing is kept.
struct co_stack *CO_RT(stacks_more)(size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    size_t class_ = bytes <= PTRDIFF_MAX ? 0 : CO_STACK_CLASSES; // the sum below must not wrap
    while (class_ < CO_STACK_CLASSES && bytes != 0 &&
           ((size_t)CO_STACK_BYTES << class_) + CO_STACK_LINE < bytes + CO_STACK_OVERHEAD)
        class_++;
    if (class_ == CO_STACK_CLASSES) {
        co_stacks_reason_ = "the stated need of stack is larger than the largest class";
        return NULL;
    }
    struct co_stack *stack = all->free[class_];
    if (stack != NULL) {
        all->free[class_] = stack->next;
        return stack;
    }
    char *at = co_ranges_reserve_() ? co_stack_carve_(class_) : NULL;
    if (at == NULL)
        return NULL;
    stack = (struct co_stack *)(at + co_stride_(class_)) - 1;
    stack->low = at;
    stack->class_ = class_;
    ((void **)(void *)stack)[-1] = NULL; // returned to by nobody: ends backtraces
    return stack;
}

// Gives the pages of a stack back; where its place can't be noted it stays a hole until trim.
void CO_RT(stacks_less)(struct co_stack *stack) {
    size_t class_ = stack->class_, stride = co_stride_(class_);
    char *at = stack->low;
    struct co_holes *holes = &co_holes_[class_];
    co_stacks_shut_(at, stride);
    if (mmap(at, stride, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
             0) == MAP_FAILED)
        return;
    if (holes->count == holes->room) {
        size_t room = holes->room == 0 ? 64 : 2 * holes->room;
        size_t *more = (size_t *)realloc(holes->at, room * sizeof *more);
        if (more == NULL)
            return;
        holes->at = more;
        holes->room = room;
    }
    holes->at[holes->count++] = (size_t)(at - co_range_(class_));
}

CO_EXPORT void CO_RT(backend_trim)(void) {
    struct co_stacks *all = &CO_RT(stacks);
    if (all->ranges == NULL)
        return;
    for (size_t i = 0; i < CO_STACK_CLASSES; i++) {
        size_t batch = co_batch_(i);
        for (size_t at = 0; !all->keep_none && at < all->usable[i]; at += batch)
            co_stacks_shut_(co_range_(i) + at, batch);
        free(co_holes_[i].at);
        memset(&co_holes_[i], 0, sizeof co_holes_[i]);
    }
    munmap(all->ranges, CO_STACK_CLASSES * CO_STACK_RANGE);
    bool keep_none = all->keep_none;
    size_t limit = all->limit;
    memset(all, 0, sizeof *all);
    all->keep_none = keep_none;
    all->limit = limit;
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    CO_RT(backend_trim)();
    CO_RT(stacks).keep_none = config->fresh;
    CO_RT(stacks).limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_stacks_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
struct co_limit co_backend_limit(void) {
    struct co_limit limit = {CO_STACK_RANGE / (CO_STACK_BYTES + CO_STACK_LINE),
                             "4 GiB of address space for stacks of one size"};
    return limit;
}
#endif
#endif // CO_RUNTIME

#endif
