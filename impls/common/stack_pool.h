// Stacks: mapped, guarded, kept for reuse. One pool for each size class, a class is twice as large
// as the one before.
//
// CO_STACK_BYTES is the usable size of the smallest class, CO_STACK_BATCH how many stacks are
// mapped at a time (fewer where the kernel refuses so many). The free-list link stands at the top
// of a stack, on the line that its next user touches first. Tops are staggered: page-aligned ones
// share a handful of L1 sets, and sixteen live coroutines then evict each other.
//
// CO_STACK_TRIM, where defined: what a stack touched more than so many bytes below its top goes
// back to the kernel after it was freed. Only the kernel knows what was touched, and asking it
// costs more than all else in the life of a coroutine. So each CO_STACK_SWEEP times that a stack is
// freed, those freed since are asked about, all at once: each at most once, a stack in steady use
// once in so many lives. At most that many stacks wait for it.
#ifndef CO_STACK_POOL_H
#define CO_STACK_POOL_H

#include "corobench/coro.h"
#include "common/annotate.h"
#include "common/stack_guard.h"

#ifndef CO_STACK_TRIM
#define CO_STACK_TRIM 0 // never
#endif

#ifndef CO_STACK_STEPS
#define CO_STACK_STEPS 16 // tops of stacks stand at this many different places
#endif

enum {
    CO_STACK_CLASSES = 16,
    CO_STACK_UNPOOLED = 16,    // added to the class of a stack that is given back when freed
    CO_STACK_STEP_BYTES = 192, // from one place of tops to the next: 2.8 KiB of a page at most
    CO_STACK_SWEEP = 256,
};

#define CO_STACK_HAS_HANDLERS 1

// The record at the top of every stack; the stack pointer starts at its address and goes down.
struct co_stack {
    union {
        struct co_stack *next;      // while free
        struct co_mapping *mapping; // of a stack that is not kept for reuse: its own
    };
    char *low;                   // lowest usable byte; the guard page is below
    size_t class_;               // its size class; CO_STACK_UNPOOLED and more: never kept
    struct co_handler *handlers; // of the body that runs on it; NULL while it is free
#if CO_STACK_TRIM
    bool swept; // while free: its pages were looked at
#endif
#if CO_STACK_VALGRIND
    unsigned valgrind; // what Valgrind calls it
    struct co_stack *older;
#endif
};

struct co_stack_class {
    struct co_stack *free;
    char *fresh, *end; // the rest of the newest mapping
    size_t carved;     // stacks handed out of mappings so far, for the stagger
};

struct co_stacks {
    struct co_stack_class of[CO_STACK_CLASSES];
    bool keep_none, ready, guard;
    size_t held, limit; // bytes mapped, and the most that may be (0: no limit)
    size_t freed;       // stacks since the last sweep
    struct co_mapping *mappings;
#if CO_STACK_VALGRIND
    struct co_stack *known; // to Valgrind; those that are kept for reuse
#endif
};

#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_stacks CO_RT(stacks);
__attribute__((visibility("hidden"))) struct co_stack *CO_RT(stacks_more)(size_t bytes);
__attribute__((visibility("hidden"))) void CO_RT(stacks_less)(struct co_stack *stack);
__attribute__((visibility("hidden"))) void CO_RT(stacks_sweep)(void);
#ifdef __cplusplus
}
#endif

// Puts a stack on the list that it came from. One that is freed when the list is as it was when it
// was taken has its link already.
CO_INLINE void co_stack_put_(struct co_stack_class *of, struct co_stack *stack) {
    if (CO_UNLIKELY(stack->next != of->free))
        stack->next = of->free;
    of->free = stack;
#if CO_STACK_TRIM
    stack->swept = false;
    if (CO_UNLIKELY(++CO_RT(stacks).freed == CO_STACK_SWEEP))
        CO_RT(stacks_sweep)();
#endif
}

// A stack with at least `bytes` for the body (0: the smallest class), or NULL. Its contents are
// indeterminate.
CO_INLINE struct co_stack *co_stack_new(size_t bytes) {
    struct co_stack *stack = CO_RT(stacks).of[0].free;
    if (CO_LIKELY(bytes == 0 && stack != NULL)) {
        CO_RT(stacks).of[0].free = stack->next;
        return stack;
    }
    return CO_RT(stacks_more)(bytes);
}

CO_INLINE void co_stack_free(struct co_stack *stack) {
    if (CO_UNLIKELY(stack->class_ != 0)) {
        CO_RT(stacks_less)(stack);
        return;
    }
    co_stack_put_(&CO_RT(stacks).of[0], stack);
}

#ifdef CO_RUNTIME
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if CO_STACK_ASAN
#include <sanitizer/lsan_interface.h>
#define CO_STACK_ROOT_(p, bytes) __lsan_register_root_region((p), (bytes))
#define CO_STACK_UNROOT_(p, bytes) __lsan_unregister_root_region((p), (bytes))
#define CO_STACK_CLEAN_(p, bytes) ASAN_UNPOISON_MEMORY_REGION((p), (bytes))
#else
#define CO_STACK_ROOT_(p, bytes) ((void)0)
#define CO_STACK_UNROOT_(p, bytes) ((void)0)
#define CO_STACK_CLEAN_(p, bytes) ((void)0)
#endif

struct co_stacks CO_RT(stacks);
static const char *co_stacks_reason_ = "no allocation has failed";
static char co_stacks_text_[160];

// A mapping that holds stacks, so that trim can give it back.
struct co_mapping {
    struct co_mapping *next, **link; // link: what points here
    char *at;
    size_t bytes;
};

static size_t co_class_bytes_(size_t class_) {
    return (size_t)CO_STACK_BYTES << class_ % CO_STACK_UNPOOLED;
}

// From the start of one stack to the start of the next: guard page and stack.
static size_t co_class_stride_(size_t class_) {
    return co_class_bytes_(class_) + co_page_();
}

// ---- Mapping ----

static char *co_stacks_map_(size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    if (all->limit != 0 && all->held + bytes > all->limit) {
        co_stacks_reason_ = "the memory limit set for stacks is reached";
        return NULL;
    }
    struct co_mapping *m = (struct co_mapping *)malloc(sizeof *m);
    char *p = m == NULL
                  ? (char *)MAP_FAILED
                  : (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED) {
        snprintf(co_stacks_text_, sizeof co_stacks_text_, "mmap of %zu bytes for stacks: %s", bytes,
                 strerror(errno));
        co_stacks_reason_ = co_stacks_text_;
        if (CO_MUTATE(leak_on_failure, true, false))
            free(m);
        return NULL;
    }
    // One touched byte must cost a page, not a huge page. Not fatal: a kernel without huge pages
    // has no such advice.
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    if (CO_MUTATE(lost_in_fork, false, true))
        (void)madvise(p, bytes, MADV_DONTFORK);
    m->at = p;
    m->bytes = bytes;
    m->next = all->mappings;
    m->link = &all->mappings;
    if (m->next != NULL)
        m->next->link = &m->next;
    all->mappings = m;
    all->held += bytes;
    CO_STACK_ROOT_(p, bytes);
    return p;
}

static void co_stacks_unmap_(struct co_mapping *m) {
    *m->link = m->next;
    if (m->next != NULL)
        m->next->link = m->link;
    CO_RT(stacks).held -= m->bytes;
    CO_STACK_UNROOT_(m->at, m->bytes);
    CO_STACK_CLEAN_(m->at, m->bytes);
    munmap(m->at, m->bytes);
    free(m);
}

// Makes a stack of the `stride` bytes at `p`: its guard below, its record above, staggered.
static struct co_stack *co_stack_at_(char *p, size_t class_, size_t number) {
    size_t page = co_page_();
    bool guarded = CO_RT(stacks).guard && CO_MUTATE(guards_run_out, true, number < 32750);
    if (guarded && !co_guard_set_(p) && CO_MUTATE(guard_optional, true, false)) {
        snprintf(co_stacks_text_, sizeof co_stacks_text_,
                 "a guard page was refused (%s): vm.max_map_count=%ld mappings, one or two a guard",
                 strerror(errno), co_read_number_("/proc/sys/vm/max_map_count"));
        co_stacks_reason_ = co_stacks_text_;
        return NULL;
    }
    size_t lower = number % CO_STACK_STEPS * CO_STACK_STEP_BYTES + sizeof(struct co_stack);
    char *top = p + co_class_stride_(class_) - lower;
    struct co_stack *stack = (struct co_stack *)((uintptr_t)top & ~(uintptr_t)63);
    stack->low = p + page;
    stack->class_ = class_;
    stack->handlers = NULL;
    ((void **)(void *)stack)[-1] = NULL; // returned to by nobody: ends backtraces
    return stack;
}

// Valgrind has to know each stack until its mapping goes.
static void co_stack_announce_(struct co_stack *stack) {
#if CO_STACK_VALGRIND
    stack->valgrind = CO_VALGRIND_STACK_(stack->low, stack);
    if (stack->class_ < CO_STACK_UNPOOLED) {
        stack->older = CO_RT(stacks).known;
        CO_RT(stacks).known = stack;
    }
#else
    (void)stack;
#endif
}

static void co_stack_forget_(struct co_stack *stack) {
#if CO_STACK_VALGRIND
    CO_VALGRIND_NO_STACK_(stack->valgrind);
#else
    (void)stack;
#endif
}

static void co_stacks_forget_(void) {
#if CO_STACK_VALGRIND
    for (struct co_stack *stack = CO_RT(stacks).known; stack != NULL; stack = stack->older)
        co_stack_forget_(stack);
    CO_RT(stacks).known = NULL;
#endif
}

static void co_stacks_ready_(void) {
    if (!CO_RT(stacks).ready) {
        CO_RT(stacks).ready = true;
        CO_RT(stacks).guard = true;
    }
}

// What a body can't use of a class: record, stagger and red zone.
enum { CO_STACK_OVERHEAD = CO_STACK_STEPS * CO_STACK_STEP_BYTES + 64 + 128 };

static size_t co_class_for_(size_t bytes) {
    size_t class_ = bytes <= PTRDIFF_MAX ? 0 : CO_STACK_CLASSES; // the sum below must not wrap
    while (class_ < CO_STACK_CLASSES && bytes != 0 &&
           co_class_bytes_(class_) < bytes + CO_STACK_OVERHEAD)
        class_++;
    return class_;
}

// The slow path: another class than the smallest, an empty pool, or nothing is kept.
struct co_stack *CO_RT(stacks_more)(size_t bytes) {
    struct co_stacks *all = &CO_RT(stacks);
    co_stacks_ready_();
    size_t class_ = co_class_for_(bytes);
    if (class_ == CO_STACK_CLASSES) {
        co_stacks_reason_ = "the stated need of stack is larger than the largest class";
        return NULL;
    }
    struct co_stack_class *of = &all->of[class_];
    struct co_stack *stack = of->free;
    if (stack != NULL) {
        of->free = stack->next;
        CO_STACK_CLEAN_(stack->low, (size_t)((char *)stack - stack->low));
        return stack;
    }
    size_t stride = co_class_stride_(class_);
    if (of->fresh == of->end) {
        size_t batch = all->keep_none || class_ != 0 ? 1 : CO_STACK_BATCH;
        do // so that the last ones fit in what is left of a limit
            of->fresh = co_stacks_map_(batch * stride);
        while (of->fresh == NULL && (batch /= 2) > 0);
        of->end = of->fresh == NULL ? NULL : of->fresh + batch * stride;
        if (of->fresh == NULL)
            return NULL;
    }
    if (all->keep_none)
        class_ += CO_STACK_UNPOOLED;
    stack = co_stack_at_(of->fresh, class_, of->carved++);
    if (stack != NULL) {
        of->fresh += stride;
        stack->mapping = all->mappings; // of use to a stack alone in its mapping, the newest one
        co_stack_announce_(stack);
    } else if (all->keep_none) {
        co_stacks_unmap_(all->mappings); // or another stack would take its place as the newest
        of->fresh = of->end = NULL;
    }
    return stack;
}

void CO_RT(stacks_less)(struct co_stack *stack) {
    if (stack->class_ >= CO_STACK_UNPOOLED) {
        co_stack_forget_(stack);
        co_stacks_unmap_(stack->mapping);
        return;
    }
    co_stack_put_(&CO_RT(stacks).of[stack->class_], stack);
}

#if CO_STACK_TRIM
// Whether any of these pages takes memory. Where the kernel doesn't answer, they may all.
static bool co_pages_there_(char *at, const char *end) {
    size_t page = co_page_();
    unsigned char there[512]; // whoever frees a stack may stand on a small one
    while (at < end) {
        size_t bytes = (size_t)(end - at);
        bytes = bytes < sizeof there * page ? bytes : sizeof there * page;
        if (mincore(at, bytes, there) != 0)
            return true;
        for (size_t i = 0; i < bytes / page; i++)
            if (there[i] & 1)
                return true;
        at += bytes;
    }
    return false;
}

static void co_stack_sweep_(struct co_stack *stack) {
    char *keep = (char *)(((uintptr_t)stack - CO_STACK_TRIM) & ~(uintptr_t)(co_page_() - 1));
    stack->swept = true;
    // Can only fail for memory that is locked, which then stays.
    if (keep > stack->low && co_pages_there_(stack->low, keep) &&
        CO_MUTATE(keep_pages, true, false))
        (void)madvise(stack->low, (size_t)(keep - stack->low), MADV_DONTNEED);
}

// The last freed is the first reused, so those freed since the last sweep head their lists.
void CO_RT(stacks_sweep)(void) {
    struct co_stacks *all = &CO_RT(stacks);
    all->freed = 0;
    for (size_t i = 0; i < CO_STACK_CLASSES; i++)
        for (struct co_stack *s = all->of[i].free; s != NULL && !s->swept; s = s->next)
            co_stack_sweep_(s);
}
#endif

CO_EXPORT void CO_RT(backend_trim)(void) {
    struct co_stacks *all = &CO_RT(stacks);
    co_stacks_forget_();
    while (all->mappings != NULL)
        co_stacks_unmap_(all->mappings);
    memset(all->of, 0, sizeof all->of);
    all->freed = 0;
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    struct co_stacks *all = &CO_RT(stacks);
    CO_RT(backend_trim)();
    all->ready = true;
    all->keep_none = config->fresh;
    all->guard = config->guard;
    all->limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_stacks_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
// Guards by mprotect split mappings, and the kernel limits those; guards by madvise don't.
struct co_limit co_backend_limit(void) {
    static char reason[96];
    if (co_guard_way_ == CO_GUARD_UNKNOWN_)
        co_guard_way_ = co_guard_find_way_();
    long maps = co_read_number_("/proc/sys/vm/max_map_count");
    if (co_guard_way_ == CO_GUARD_MADVISE_ || maps <= 0)
        return (struct co_limit){SIZE_MAX, "memory"};
    snprintf(reason, sizeof reason, "vm.max_map_count=%ld: two mappings a guarded stack", maps);
    return (struct co_limit){(size_t)(maps > 200 ? (maps - 200) / 2 : 0), reason};
}
#endif
#endif // CO_RUNTIME

#endif
