// First segments: mapped many at a time and kept for reuse, together with what they grew.
//
// A segment has libgcc's header right below its lowest byte; the prologues that -fsplit-stack
// makes leave a reserve of some KiB above that, which libgcc itself and signals need. All further
// segments are libgcc's, mapped one by one when a prologue finds too little room. The first one is
// made here: libgcc's are never smaller than 16 KiB, and header and frames lie in pages of their
// own. Here the header stands in the page that holds the first frames of the segment below:
//
//   header k-1 || reserve ............ | room ... frames | record k-1 | header k || reserve ...
//              ^ low: page boundary      (limit)                                ^ low of k
//
// A page that only holds reserve is never touched, so a suspended coroutine takes one page.
#ifndef CO_SPLIT_SEGMENTS_H
#define CO_SPLIT_SEGMENTS_H

#include "corobench/coro.h"

// `struct stack_segment` of libgcc's generic-morestack.c. It is shared between a program and its
// shared objects, which may come from different versions of the compiler, so it stays what it is;
// co_segments_fit_ looks all the same.
struct co_segment {
    struct co_segment *prev, *next;
    size_t size;     // from the header's end to where the stack starts
    void *old_stack; // where the function ran that needed more
    struct co_dynamic *dynamic, *free_dynamic;
    void *extra;
};

// `struct dynamic_allocation_blocks`: what alloca took from malloc.
struct co_dynamic {
    struct co_dynamic *next;
    size_t size;
    void *block;
};

enum {
    CO_STACK_CLASSES = 16,
    CO_STACK_UNPOOLED = 16,    // added to the class of a stack that is given back when freed
    CO_STACK_STEPS = 16,       // tops stand at this many different places,
    CO_STACK_STEP_BYTES = 192, // this far from each other, as in impls/common/stack_pool.h
};

// The record at the top of every first segment; the stack pointer starts at its address.
struct co_stack {
    union {
        struct co_stack *next;      // while free
        struct co_mapping *mapping; // of one that is not kept for reuse: its own
    };
    char *low;     // lowest usable byte; libgcc's header is below
    void *limit;   // what a prologue compares the stack pointer with
    size_t class_; // its size class; CO_STACK_UNPOOLED and more: never kept
};

CO_INLINE struct co_segment *co_first_segment_(const struct co_stack *stack) {
    return (struct co_segment *)(void *)stack->low - 1;
}

struct co_stack_class {
    struct co_stack *free;
    char *fresh, *end; // the rest of the newest mapping
    size_t carved;     // first segments handed out of mappings so far, for the stagger
};

struct co_stacks {
    struct co_stack_class of[CO_STACK_CLASSES];
    bool keep_none;
    size_t held, limit; // bytes mapped, and the most that may be (0: no limit)
    struct co_mapping *mappings;
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

// A stack whose first segment has at least `bytes` for the body (0: the smallest), or NULL.
CO_INLINE struct co_stack *co_stack_new(size_t bytes) {
    struct co_stack *stack = CO_RT(stacks).of[0].free;
    if (CO_LIKELY(bytes == 0 && stack != NULL)) {
        CO_RT(stacks).of[0].free = stack->next;
        return stack;
    }
    return CO_RT(stacks_more)(bytes);
}

// Segments that it grew stay with it, for its next user.
CO_INLINE void co_stack_free(struct co_stack *stack) {
    if (CO_UNLIKELY(stack->class_ != 0)) {
        CO_RT(stacks_less)(stack);
        return;
    }
    stack->next = CO_RT(stacks).of[0].free;
    CO_RT(stacks).of[0].free = stack;
}

#ifdef CO_RUNTIME
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// libgcc has no header for these.
#ifdef __cplusplus
extern "C" {
#endif
void *__splitstack_makecontext(size_t bytes, void *context[10], size_t *size);
void __splitstack_releasecontext(void *context[10]);
void __splitstack_block_signals(int *set, int *was);
#ifdef __cplusplus
}
#endif
enum { CO_SPLIT_SEGMENTS_ = 0, CO_SPLIT_CURRENT_ = 1, CO_SPLIT_LIMIT_ = 3 }; // words of a context

struct co_stacks CO_RT(stacks);
static const char *co_stacks_reason_ = "no allocation has failed";
static char co_stacks_text_[160];
static size_t co_stacks_reserve_; // bytes between a segment's low end and its limit; 0: not known

enum {
    CO_STACK_PAGE = 4096, // of x86-64
    CO_STACK_LINE = 64,
};

// A mapping that holds first segments, so that trim can give it back: at its start, in the page
// whose end is the first one's header.
struct co_mapping {
    struct co_mapping *next, **link; // link: what points here
    size_t bytes;
};

// The thread's own stack is an ordinary one, with the kernel's guard: a limit of 0 never splits it.
// (libgcc takes it for 16 000 bytes long.) Threads other than the first have this limit anyway.
// Signals that arrive while a segment is linked are not blocked: four system calls each time. A
// handler that runs on a coroutine's stack may therefore not be compiled with -fsplit-stack.
__attribute__((constructor, no_split_stack)) static void co_native_stack_(void) {
    int no = 0;
    __splitstack_block_signals(&no, NULL);
    __asm__ volatile("movq $0, %%fs:0x70" ::: "memory");
}

// Whether libgcc's segments are what this file takes them for; learns how large the reserve is.
static bool co_segments_fit_(void) {
    void *context[10];
    size_t size = 0;
    if (co_stacks_reserve_ != 0)
        return true;
    char *low = (char *)__splitstack_makecontext(1, context, &size);
    struct co_segment *first = (struct co_segment *)context[CO_SPLIT_SEGMENTS_];
    size_t reserve = (size_t)((char *)context[CO_SPLIT_LIMIT_] - low);
    bool fit = first == context[CO_SPLIT_CURRENT_] && (char *)(first + 1) == low &&
               first->prev == NULL && first->next == NULL && first->size == size &&
               first->dynamic == NULL && reserve > 0 && reserve < size;
    __splitstack_releasecontext(context);
    if (fit)
        co_stacks_reserve_ = reserve;
    else
        co_stacks_reason_ = "this libgcc lays out stack segments in another way";
    return fit;
}

static size_t co_class_bytes_(size_t class_) {
    return (size_t)CO_STACK_BYTES << class_ % CO_STACK_UNPOOLED;
}

static char *co_stacks_map_(size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    if (all->limit != 0 && all->held + bytes > all->limit) {
        co_stacks_reason_ = "the memory limit set for stacks is reached";
        return NULL;
    }
    char *p = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED) {
        snprintf(co_stacks_text_, sizeof co_stacks_text_, "mmap of %zu bytes for segments: %s",
                 bytes, strerror(errno));
        co_stacks_reason_ = co_stacks_text_;
        return NULL;
    }
    // One touched byte must cost a page, not a huge page. Not fatal: a kernel without huge pages
    // has no such advice.
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    struct co_mapping *m = (struct co_mapping *)(void *)p;
    m->bytes = bytes;
    m->next = all->mappings;
    m->link = &all->mappings;
    if (m->next != NULL)
        m->next->link = &m->next;
    all->mappings = m;
    all->held += bytes;
    return p;
}

static void co_stacks_unmap_(struct co_mapping *m) {
    *m->link = m->next;
    if (m->next != NULL)
        m->next->link = m->link;
    CO_RT(stacks).held -= m->bytes;
    munmap(m, m->bytes);
}

// Makes a first segment of the bytes from `low` on: its header below, its record above, staggered.
static struct co_stack *co_stack_at_(char *low, size_t class_, size_t number) {
    size_t lower = number % CO_STACK_STEPS * CO_STACK_STEP_BYTES + CO_STACK_LINE;
    char *top = low + co_class_bytes_(class_) - lower - sizeof(struct co_stack);
    struct co_stack *stack = (struct co_stack *)((uintptr_t)top & ~(uintptr_t)(CO_STACK_LINE - 1));
    stack->low = low;
    stack->limit = low + co_stacks_reserve_;
    stack->class_ = class_;
    ((void **)(void *)stack)[-1] = NULL; // returned to by nobody: ends backtraces
    struct co_segment *first = co_first_segment_(stack);
    memset(first, 0, sizeof *first);
    first->size = (size_t)((char *)stack - low);
    return stack;
}

// Gives back what a stack grew beyond its first segment.
static void co_stack_shrink_(struct co_stack *stack) {
    struct co_segment *first = co_first_segment_(stack);
    struct co_dynamic **lists[] = {&first->dynamic, &first->free_dynamic};
    void *context[10] = {first->next};
    __splitstack_releasecontext(context);
    first->next = NULL;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        while (*lists[i] != NULL) {
            struct co_dynamic *d = *lists[i];
            *lists[i] = d->next;
            free(d->block);
            free(d);
        }
}

static size_t co_class_for_(size_t bytes) {
    // What a body can't use: reserve, stagger, header, record and red zone.
    size_t overhead = co_stacks_reserve_ + CO_STACK_STEPS * CO_STACK_STEP_BYTES +
                      2 * CO_STACK_LINE + sizeof(struct co_stack) + 128;
    size_t class_ = bytes <= PTRDIFF_MAX ? 0 : CO_STACK_CLASSES; // the sum below must not wrap
    while (class_ < CO_STACK_CLASSES && bytes != 0 && co_class_bytes_(class_) < bytes + overhead)
        class_++;
    return class_;
}

// The slow path: another class than the smallest, an empty pool, or nothing is kept.
struct co_stack *CO_RT(stacks_more)(size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    if (!co_segments_fit_())
        return NULL;
    size_t class_ = co_class_for_(bytes);
    if (class_ == CO_STACK_CLASSES) {
        co_stacks_reason_ = "the stated need of stack is larger than the largest class";
        return NULL;
    }
    struct co_stack_class *of = &all->of[class_];
    struct co_stack *stack = of->free;
    if (stack != NULL) {
        of->free = stack->next;
        return stack;
    }
    size_t stride = co_class_bytes_(class_);
    if (of->fresh == of->end) {
        // One page more, for the mapping's record and the first one's header.
        size_t batch = all->keep_none || class_ != 0 ? 1 : CO_STACK_BATCH;
        char *p = co_stacks_map_(CO_STACK_PAGE + batch * stride);
        of->fresh = p == NULL ? NULL : p + CO_STACK_PAGE;
        of->end = p == NULL ? NULL : of->fresh + batch * stride;
        if (p == NULL)
            return NULL;
    }
    if (all->keep_none)
        class_ += CO_STACK_UNPOOLED;
    stack = co_stack_at_(of->fresh, class_, of->carved++);
    stack->mapping = all->mappings; // of use to a stack alone in its mapping, the newest one
    of->fresh += stride;
    return stack;
}

void CO_RT(stacks_less)(struct co_stack *stack) {
    if (stack->class_ >= CO_STACK_UNPOOLED) {
        co_stack_shrink_(stack);
        co_stacks_unmap_(stack->mapping);
        return;
    }
    struct co_stack_class *of = &CO_RT(stacks).of[stack->class_];
    stack->next = of->free;
    of->free = stack;
}

CO_EXPORT void CO_RT(backend_trim)(void) {
    struct co_stacks *all = &CO_RT(stacks);
    for (size_t i = 0; i < CO_STACK_CLASSES; i++)
        for (struct co_stack *stack = all->of[i].free; stack != NULL; stack = stack->next)
            co_stack_shrink_(stack);
    while (all->mappings != NULL)
        co_stacks_unmap_(all->mappings);
    memset(all->of, 0, sizeof all->of);
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    struct co_stacks *all = &CO_RT(stacks);
    CO_RT(backend_trim)();
    all->keep_none = config->fresh;
    all->limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_stacks_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
// Segments need no guard page each, and the kernel merges neighbouring mappings.
struct co_limit co_backend_limit(void) {
    return (struct co_limit){SIZE_MAX, "memory"};
}
#endif
#endif // CO_RUNTIME

#endif
