// Stacks in size classes: slots of equal size in chunks, found by two levels of bitmap.
//
//   micro    192 B: with the control block a coroutine takes at most 256 B. Packed, no guard
//   small    2 KiB and a line, so that tops do not share cache sets. Packed, no guard
//   medium   16 KiB, guard page, tops staggered
//   large    256 KiB of address space, guard page; pages come when they are touched, in place
//   huge     what was stated, a mapping of its own
//
// A chunk of up to 64 * 64 slots has one word whose bit w says that word w of the bitmap has a free
// slot: two counts of trailing zeros find the lowest free slot, however full the chunk is.
//
// A chunk belongs to the thread that made it, and only that thread touches its bitmap. A stack that
// another thread gives back goes into a second, atomic bitmap, from which any thread that has no
// free slot of its own may take it. What a thread leaves behind when it ends is adopted whole.
#ifndef CO_CLASSES_H
#define CO_CLASSES_H

#include "common/stack_guard.h"

#ifndef CO_CLASSES_PAINT
#define CO_CLASSES_PAINT 0 // 1: for the test that compares bounds with what stacks really used
#endif
#define CO_CLASSES_LOW_ (CO_CHECKED || CO_STACK_ASAN || CO_CLASSES_PAINT)

enum co_class {
    CO_CLASS_MICRO,
    CO_CLASS_SMALL,
    CO_CLASS_MEDIUM,
    CO_CLASS_LARGE,
    CO_CLASS_HUGE,
    CO_CLASSES,
};

// The record at the top of every stack; the stack pointer starts at its address and goes down.
struct co_stack {
    struct co_chunk *chunk;
    uint32_t slot;
    uint32_t need; // what its body was thought to use at most; 0: not known
#if CO_CLASSES_LOW_
    char *low;     // lowest usable byte
    word valgrind; // what Valgrind calls it
#endif
#if CO_CLASSES_PAINT
    const char *body; // the entry that runs on it
    size_t painted;   // how many bytes
#endif
};

enum {
    CO_CLASS_WORDS = 64,
    // Tops of page-aligned slots stand at 16 different places: else they share a few cache sets.
    CO_CLASS_STEPS = 16,
    CO_CLASS_STEP_BYTES = 192,
    // Checked builds have a longer record, a canary, and 128 bytes between it and what a body may
    // use: Valgrind takes those below a stack pointer for indeterminate.
    CO_CLASS_CANARY = CO_CHECKED ? 16 + 128 : 0,
    CO_CLASS_EXTRA = CO_CHECKED ? 192 : 0,
    CO_CLASS_MICRO_STRIDE = 192 + CO_CLASS_EXTRA,
    CO_CLASS_SMALL_STRIDE = 2048 + 64 + CO_CLASS_EXTRA,
    CO_CLASS_MEDIUM_BYTES = 16 << 10,
    CO_CLASS_LARGE_BYTES = 256 << 10,
    // What a body can't use of a slot: record and canary; of a guarded one also the stagger.
    CO_CLASS_LOST = sizeof(struct co_stack) + CO_CLASS_CANARY,
    CO_CLASS_LOST_GUARDED = CO_CLASS_STEPS * CO_CLASS_STEP_BYTES + 64,
    // The largest need that goes into each class. With the address sanitizer frames are larger than
    // anybody stated: no packed classes, and twice what was stated.
    CO_NEED_TIMES = CO_STACK_ASAN ? 2 : 1,
    CO_NEED_MICRO = CO_STACK_ASAN ? 0 : CO_CLASS_MICRO_STRIDE - CO_CLASS_LOST,
    CO_NEED_SMALL = CO_STACK_ASAN ? 0 : CO_CLASS_SMALL_STRIDE - CO_CLASS_LOST,
    CO_NEED_MEDIUM = CO_CLASS_MEDIUM_BYTES - CO_CLASS_LOST_GUARDED,
    CO_NEED_LARGE = CO_CLASS_LARGE_BYTES - CO_CLASS_LOST_GUARDED,
};

struct co_chunk {
    uint64_t open;                  // bit w: words[w] is not 0
    uint64_t words[CO_CLASS_WORDS]; // bit b of words[w]: slot 64 * w + b is free
    char *top;                      // the record of slot 0
    char *low;                      // the lowest usable byte of slot 0
    size_t stride;                  // to the record of slot 1, but for the stagger
    size_t stagger;                 // CO_CLASS_STEPS - 1, or 0: none
    unsigned class_;
    bool alone;                   // one stack that is not kept
    struct co_chunk *next;        // of those with a free slot
    struct co_chunk *grows;       // of the owner's with a slot that was never used
    struct co_classes *owner;     // NULL: its thread has ended. Atomic
    size_t slots, carved;         // slots from `carved` on were never used
    char *at;                     // what is mapped; NULL: the caller's
    size_t bytes;                 //
    struct co_chunk **link, *all; // the list of all chunks
    uint64_t returned_open;       // as `open` and `words`, of what other threads gave back. Atomic
    uint64_t returned[CO_CLASS_WORDS];
};

// A thread's own chunks.
struct co_classes {
    struct co_chunk *open[CO_CLASSES];    // with a free slot
    struct co_chunk *growing[CO_CLASSES]; // with a slot that was never used, or not any more
    struct co_classes *others, **link;    // the list of all threads that have chunks
};

// What is known of NUMA, see numa.h; a test may say how many nodes there are.
struct co_numa {
    unsigned nodes; // 0: nobody looked yet
    size_t bound;   // chunks that were bound
    void *at;       // the last chunk that should be
    size_t bytes;
    const char *says;
};

// The initial-exec model: an offset from the thread pointer, no call. In the program even the
// offset is a constant.
#define CO_CLASSES_TLS __thread __attribute__((visibility("hidden"), tls_model("initial-exec")))

#ifdef __cplusplus
extern "C" {
#endif
extern CO_CLASSES_TLS struct co_classes CO_RT(classes);
extern __attribute__((visibility("hidden"))) struct co_numa CO_RT(classes_numa);
__attribute__((visibility("hidden"))) struct co_stack *CO_RT(classes_more)(size_t bytes);
__attribute__((visibility("hidden"))) void CO_RT(classes_less)(struct co_stack *stack);
__attribute__((visibility("hidden"), noreturn)) void CO_RT(classes_die)(const char *why);
#if CO_CLASSES_PAINT
extern CO_CLASSES_TLS const char *CO_RT(painted_body); // for which a stack is wanted
__attribute__((visibility("hidden"))) void CO_RT(classes_paint)(struct co_stack *stack,
                                                                size_t need);
__attribute__((visibility("hidden"))) void CO_RT(classes_look)(const struct co_stack *stack);
#endif

// A micro pool in the caller's storage, an array on its stack for example: `bytes` at `storage`
// (16-byte aligned) become a chunk of micro stacks that is used before all others. Returns how many
// stacks, 0 where there is no room for one. Only while no coroutine exists; the next trim or
// configure gives the storage back.
CO_EXPORT size_t CO_RT(classes_lend)(void *storage, size_t bytes);

// What became of the last new chunk: bound to a NUMA node, or why not.
CO_EXPORT const char *CO_RT(classes_numa_says)(void);
#ifdef __cplusplus
}
#endif

// The class for a body that needs `bytes`; 0: nobody knows how many.
CO_INLINE unsigned co_class_for_(size_t bytes) {
    if (bytes == 0)
        return CO_CLASS_LARGE;
    return bytes <= CO_NEED_MICRO    ? CO_CLASS_MICRO
           : bytes <= CO_NEED_SMALL  ? CO_CLASS_SMALL
           : bytes <= CO_NEED_MEDIUM ? CO_CLASS_MEDIUM
           : bytes <= CO_NEED_LARGE  ? CO_CLASS_LARGE
                                     : CO_CLASS_HUGE;
}

CO_INLINE struct co_stack *co_chunk_hand_out_(struct co_chunk *chunk, size_t slot) {
    struct co_stack *stack = (struct co_stack *)(chunk->top + slot * chunk->stride -
                                                 (slot & chunk->stagger) * CO_CLASS_STEP_BYTES);
    stack->chunk = chunk;
    stack->slot = (uint32_t)slot;
#if CO_CLASSES_LOW_
    stack->low = chunk->low + slot * chunk->stride;
#endif
#if CO_STACK_VALGRIND
    stack->valgrind = CO_VALGRIND_STACK_(stack->low, stack);
#endif
    return stack;
}

// Takes the lowest free slot of a chunk that has one and is the first of its list.
CO_INLINE struct co_stack *co_chunk_take_(struct co_chunk *chunk, unsigned class_) {
    unsigned w = (unsigned)__builtin_ctzll(chunk->open);
    uint64_t word_ = chunk->words[w];
    size_t slot = (size_t)w * 64 + (unsigned)__builtin_ctzll(word_);
    word_ &= word_ - 1;
    chunk->words[w] = word_;
    if (word_ == 0) {
        chunk->open &= chunk->open - 1;
        if (chunk->open == 0)
            CO_RT(classes).open[class_] = chunk->next;
    }
    return co_chunk_hand_out_(chunk, slot);
}

// A stack with at least `bytes` for the body (0: nobody knows how many), or NULL. Its contents are
// indeterminate.
CO_INLINE struct co_stack *co_stack_new(size_t bytes) {
    bytes *= CO_NEED_TIMES;
#if CO_CLASSES_PAINT
    struct co_stack *painted = CO_RT(classes_more)(bytes > CO_NEED_LARGE ? 2 * bytes : 0);
    if (painted != NULL)
        CO_RT(classes_paint)(painted, bytes);
    return painted;
#else
    unsigned class_ = co_class_for_(bytes);
    struct co_chunk *chunk = CO_RT(classes).open[class_];
    if (CO_LIKELY(chunk != NULL))
        return co_chunk_take_(chunk, class_);
    return CO_RT(classes_more)(bytes);
#endif
}

CO_INLINE void co_stack_free(struct co_stack *stack) {
    struct co_chunk *chunk = stack->chunk;
#if CO_CLASSES_PAINT
    CO_RT(classes_look)(stack);
#endif
#if CO_STACK_VALGRIND
    CO_VALGRIND_NO_STACK_(stack->valgrind);
#endif
    // Alone, without an owner, or another thread's.
    if (CO_UNLIKELY(__atomic_load_n(&chunk->owner, __ATOMIC_RELAXED) != &CO_RT(classes))) {
        CO_RT(classes_less)(stack);
        return;
    }
    uint64_t bit = (uint64_t)1 << stack->slot % 64;
    uint64_t *in = &chunk->words[stack->slot / 64];
#if CO_CHECKED
    if (*in & bit)
        CO_RT(classes_die)("a stack was given back twice");
#endif
    if (CO_UNLIKELY(chunk->open == 0)) {
        chunk->next = CO_RT(classes).open[chunk->class_];
        CO_RT(classes).open[chunk->class_] = chunk;
    }
    *in |= bit;
    chunk->open |= (uint64_t)1 << stack->slot / 64;
}

#ifdef CO_RUNTIME
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"

#if CO_STACK_ASAN
#include <sanitizer/lsan_interface.h>
#define CO_CHUNK_ROOT_(p, bytes) __lsan_register_root_region((p), (bytes))
#define CO_CHUNK_UNROOT_(p, bytes)                                                                 \
    (__lsan_unregister_root_region((p), (bytes)), ASAN_UNPOISON_MEMORY_REGION((p), (bytes)))
#else
#define CO_CHUNK_ROOT_(p, bytes) ((void)0)
#define CO_CHUNK_UNROOT_(p, bytes) ((void)0)
#endif

CO_CLASSES_TLS struct co_classes CO_RT(classes);

// What all threads share; under the lock.
static struct {
    pthread_mutex_t lock;
    struct co_chunk *chunks;
    struct co_classes *threads;
    pthread_key_t key; // its destructor runs when a thread with chunks ends
    bool has_key, keep_none, ready, guard;
    size_t held, limit;       // bytes mapped, and the most that may be (0: no limit)
    size_t spare[CO_CLASSES]; // slots given back by other threads, or left behind: a hint. Atomic
} co_shared_ = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *co_classes_reason_ = "no allocation has failed";
static char co_classes_text_[160];

void CO_RT(classes_die)(const char *why) {
    fprintf(stderr, "fiber-classes: %s\n", why);
    abort();
}

// ---- Chunks -------------------------------------------------------------------------------------

static bool co_class_guarded_(unsigned class_) {
    return class_ >= CO_CLASS_MEDIUM;
}

static size_t co_class_stride_(unsigned class_, size_t need) {
    size_t page = co_page_();
    switch (class_) {
    case CO_CLASS_MICRO:
        return CO_CLASS_MICRO_STRIDE;
    case CO_CLASS_SMALL:
        return CO_CLASS_SMALL_STRIDE;
    case CO_CLASS_MEDIUM:
        return page + CO_CLASS_MEDIUM_BYTES;
    case CO_CLASS_LARGE:
        return page + CO_CLASS_LARGE_BYTES;
    default:
        return page + ((need + CO_CLASS_LOST_GUARDED + page - 1) & ~(page - 1));
    }
}

static const size_t co_class_slots_[CO_CLASSES] = {4096, 1024, 1024, 64, 1};

static char *co_chunk_map_(size_t bytes) {
    if (co_shared_.limit != 0 && co_shared_.held + bytes > co_shared_.limit) {
        co_classes_reason_ = "the memory limit set for stacks is reached";
        return NULL;
    }
    char *p = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED) {
        snprintf(co_classes_text_, sizeof co_classes_text_, "mmap of %zu bytes for stacks: %s",
                 bytes, strerror(errno));
        co_classes_reason_ = co_classes_text_;
        return NULL;
    }
    // One touched byte must cost a page, not a huge page. Not fatal: a kernel without huge pages
    // has no such advice.
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    co_numa_bind_(p, bytes);
    co_shared_.held += bytes;
    CO_CHUNK_ROOT_(p, bytes);
    return p;
}

static void co_chunk_link_(struct co_chunk *chunk) {
    struct co_chunk **first = &co_shared_.chunks;
    chunk->all = *first;
    chunk->link = first;
    if (chunk->all != NULL)
        chunk->all->link = &chunk->all;
    *first = chunk;
}

static void co_chunk_unmap_(struct co_chunk *chunk) {
    *chunk->link = chunk->all;
    if (chunk->all != NULL)
        chunk->all->link = chunk->link;
    if (chunk->at == NULL)
        return;
    co_shared_.held -= chunk->bytes;
    CO_CHUNK_UNROOT_(chunk->at, chunk->bytes);
    munmap(chunk->at, chunk->bytes);
    free(chunk);
}

static void co_chunk_shape_(struct co_chunk *chunk, char *at, unsigned class_, size_t slots,
                            size_t stride) {
    chunk->class_ = class_;
    chunk->slots = slots;
    chunk->stride = stride;
    chunk->stagger = co_class_guarded_(class_) ? CO_CLASS_STEPS - 1 : 0;
    chunk->top = at + stride - sizeof(struct co_stack);
    chunk->low = at;
    if (co_class_guarded_(class_)) {
        chunk->top = (char *)((uintptr_t)chunk->top & ~(uintptr_t)63);
        chunk->low += co_page_();
    }
}

static struct co_chunk *co_chunk_new_(unsigned class_, size_t slots, size_t need) {
    struct co_chunk *chunk = (struct co_chunk *)calloc(1, sizeof *chunk);
    size_t stride = co_class_stride_(class_, need);
    size_t bytes = (slots * stride + co_page_() - 1) & ~(co_page_() - 1);
    char *at = chunk == NULL ? NULL : co_chunk_map_(bytes);
    if (at == NULL) {
        if (chunk == NULL)
            co_classes_reason_ = "malloc has no memory for a pool of stacks";
        free(chunk);
        return NULL;
    }
    co_chunk_shape_(chunk, at, class_, slots, stride);
    chunk->at = at;
    chunk->bytes = bytes;
    co_chunk_link_(chunk);
    return chunk;
}

// Makes slots of a chunk that were never used free: one with a guard, or a word of packed ones.
static bool co_chunk_carve_(struct co_chunk *chunk) {
    size_t slot = chunk->carved, n = 1;
    if (!co_class_guarded_(chunk->class_)) {
        n = chunk->slots - slot < 64 ? chunk->slots - slot : 64;
    } else if (co_shared_.guard && !co_guard_set_(chunk->at + slot * chunk->stride)) {
        snprintf(co_classes_text_, sizeof co_classes_text_,
                 "a guard page was refused (%s): vm.max_map_count=%ld mappings, one or two a guard",
                 strerror(errno), co_read_number_("/proc/sys/vm/max_map_count"));
        co_classes_reason_ = co_classes_text_;
        return false;
    }
    for (size_t i = slot; i < slot + n; i++)
        chunk->words[i / 64] |= (uint64_t)1 << i % 64;
    chunk->open |= (uint64_t)1 << slot / 64;
    chunk->carved += n;
    return true;
}

static void co_chunk_offer_(struct co_chunk *chunk) {
    chunk->next = CO_RT(classes).open[chunk->class_];
    CO_RT(classes).open[chunk->class_] = chunk;
}

// ---- Taking and giving back ---------------------------------------------------------------------

static struct co_stack *co_class_alone_(unsigned class_, size_t bytes) {
    struct co_chunk *chunk = co_chunk_new_(class_, 1, bytes);
    if (chunk == NULL)
        return NULL;
    chunk->alone = true;
    if (!co_chunk_carve_(chunk)) {
        co_chunk_unmap_(chunk);
        return NULL;
    }
    chunk->open = 0;
    return co_chunk_hand_out_(chunk, 0);
}

// ---- Threads ------------------------------------------------------------------------------------

// A thread ends: its chunks belong to nobody until somebody needs them.
static void co_thread_ends_(void *p) {
    struct co_classes *mine = (struct co_classes *)p;
    pthread_mutex_lock(&co_shared_.lock);
    for (struct co_chunk *chunk = co_shared_.chunks, *after; chunk != NULL; chunk = after) {
        after = chunk->all;
        if (chunk->owner != mine)
            continue;
        if (chunk->at == NULL) {
            co_chunk_unmap_(chunk); // lent, and the caller's storage may end with the thread
            continue;
        }
        __atomic_store_n(&chunk->owner, NULL, __ATOMIC_RELAXED);
        __atomic_fetch_add(&co_shared_.spare[chunk->class_], chunk->slots, __ATOMIC_RELAXED);
    }
    *mine->link = mine->others;
    if (mine->others != NULL)
        mine->others->link = mine->link;
    memset(mine, 0, sizeof *mine);
    pthread_mutex_unlock(&co_shared_.lock);
}

// Before a thread's first chunk; under the lock.
static bool co_thread_begins_(void) {
    struct co_classes *mine = &CO_RT(classes);
    if (mine->link != NULL)
        return true;
    if (!co_shared_.has_key)
        co_shared_.has_key = pthread_key_create(&co_shared_.key, co_thread_ends_) == 0;
    if (!co_shared_.has_key || pthread_setspecific(co_shared_.key, mine) != 0) {
        co_classes_reason_ = "pthread has no key, or no memory, to see the end of a thread";
        return false;
    }
    mine->others = co_shared_.threads;
    mine->link = &co_shared_.threads;
    if (mine->others != NULL)
        mine->others->link = &mine->others;
    co_shared_.threads = mine;
    return true;
}

// A word of slots that other threads gave back, or 0. The flag goes first: who gives back sets it
// last.
static uint64_t co_chunk_collect_(struct co_chunk *chunk, unsigned w) {
    __atomic_fetch_and(&chunk->returned_open, ~((uint64_t)1 << w), __ATOMIC_ACQ_REL);
    return __atomic_exchange_n(&chunk->returned[w], 0, __ATOMIC_ACQ_REL);
}

static void co_chunk_return_(struct co_chunk *chunk, unsigned w, uint64_t bits) {
    __atomic_fetch_or(&chunk->returned[w], bits, __ATOMIC_RELEASE);
    __atomic_fetch_or(&chunk->returned_open, (uint64_t)1 << w, __ATOMIC_RELEASE);
}

// All that was given back to a chunk of this thread becomes free.
static bool co_chunk_reclaim_(struct co_chunk *chunk) {
    bool was_open = chunk->open != 0;
    uint64_t words = __atomic_load_n(&chunk->returned_open, __ATOMIC_ACQUIRE);
    for (; words != 0; words &= words - 1) {
        unsigned w = (unsigned)__builtin_ctzll(words);
        uint64_t bits = co_chunk_collect_(chunk, w);
        chunk->words[w] |= bits;
        chunk->open |= (uint64_t)(bits != 0) << w;
    }
    if (!was_open && chunk->open != 0)
        co_chunk_offer_(chunk);
    return chunk->open != 0;
}

// One slot of a chunk that stays another thread's, or NULL.
static struct co_stack *co_chunk_steal_(struct co_chunk *chunk) {
    uint64_t words = __atomic_load_n(&chunk->returned_open, __ATOMIC_ACQUIRE);
    for (; words != 0; words &= words - 1) {
        unsigned w = (unsigned)__builtin_ctzll(words);
        uint64_t bits = co_chunk_collect_(chunk, w);
        if (bits == 0)
            continue;
        if ((bits & (bits - 1)) != 0)
            co_chunk_return_(chunk, w, bits & (bits - 1));
        return co_chunk_hand_out_(chunk, (size_t)w * 64 + (unsigned)__builtin_ctzll(bits));
    }
    return NULL;
}

// Its owner will use its other slots, unless all were used once.
static void co_chunk_grows_(struct co_chunk *chunk) {
    struct co_chunk **growing = &chunk->owner->growing[chunk->class_];
    if (chunk->carved == chunk->slots)
        return;
    chunk->grows = *growing;
    *growing = chunk;
}

// A stack that no thread uses: given back from elsewhere, left by a thread that ended, or stolen.
static struct co_stack *co_class_spare_(unsigned class_) {
    struct co_classes *mine = &CO_RT(classes);
    struct co_stack *found = NULL;
    // Before looking: what is given back while this looks must not be forgotten.
    __atomic_store_n(&co_shared_.spare[class_], 0, __ATOMIC_RELAXED);
    for (struct co_chunk *chunk = co_shared_.chunks; chunk != NULL && found == NULL;
         chunk = chunk->all) {
        if (chunk->class_ != class_ || chunk->alone)
            continue;
        if (chunk->owner == NULL) {
            __atomic_store_n(&chunk->owner, mine, __ATOMIC_RELAXED);
            if (chunk->open != 0)
                co_chunk_offer_(chunk);
            else if (chunk->carved < chunk->slots && co_chunk_carve_(chunk))
                co_chunk_offer_(chunk);
            co_chunk_grows_(chunk);
        }
        if (chunk->owner != mine)
            found = co_chunk_steal_(chunk);
        else if (co_chunk_reclaim_(chunk))
            found = co_chunk_take_(mine->open[class_], class_);
    }
    if (found != NULL) // there may be more
        __atomic_fetch_add(&co_shared_.spare[class_], 1, __ATOMIC_RELAXED);
    return found;
}

// ---- The slow path: no slot of this class is free here, or nothing is kept ----------------------

static struct co_stack *co_class_more_(size_t bytes) {
    struct co_classes *mine = &CO_RT(classes);
    unsigned class_ = co_class_for_(bytes);
    if (!co_shared_.ready)
        co_shared_.ready = co_shared_.guard = true;
    if (bytes > PTRDIFF_MAX / 2) {
        co_classes_reason_ = "the stated need of stack is larger than an address space";
        return NULL;
    }
    if (co_shared_.keep_none || class_ == CO_CLASS_HUGE)
        return co_class_alone_(class_, bytes);
    if (!co_thread_begins_())
        return NULL;
    if (__atomic_load_n(&co_shared_.spare[class_], __ATOMIC_RELAXED) != 0) {
        struct co_stack *stack = co_class_spare_(class_);
        if (stack != NULL)
            return stack;
    }
    if (mine->open[class_] == NULL) {
        struct co_chunk *chunk = mine->growing[class_];
        while (chunk != NULL && chunk->carved == chunk->slots)
            chunk = mine->growing[class_] = chunk->grows;
        if (chunk == NULL) {
            chunk = co_chunk_new_(class_, co_class_slots_[class_], bytes);
            if (chunk == NULL)
                return NULL;
            chunk->owner = mine;
            co_chunk_grows_(chunk);
        }
        if (!co_chunk_carve_(chunk))
            return NULL;
        co_chunk_offer_(chunk);
    }
    return co_chunk_take_(mine->open[class_], class_);
}

struct co_stack *CO_RT(classes_more)(size_t bytes) {
    pthread_mutex_lock(&co_shared_.lock);
    struct co_stack *stack = co_class_more_(bytes);
    pthread_mutex_unlock(&co_shared_.lock);
    return stack;
}

void CO_RT(classes_less)(struct co_stack *stack) {
    struct co_chunk *chunk = stack->chunk;
    if (chunk->alone) {
        pthread_mutex_lock(&co_shared_.lock);
        co_chunk_unmap_(chunk);
        pthread_mutex_unlock(&co_shared_.lock);
        return;
    }
    // Nothing of the chunk may be touched after its slot is given back, but its class is needed.
    unsigned class_ = chunk->class_;
    co_chunk_return_(chunk, stack->slot / 64, (uint64_t)1 << stack->slot % 64);
    __atomic_fetch_add(&co_shared_.spare[class_], 1, __ATOMIC_RELAXED);
}

CO_EXPORT size_t CO_RT(classes_lend)(void *storage, size_t bytes) {
    struct co_chunk *chunk = (struct co_chunk *)storage;
    size_t head = (sizeof *chunk + 15) & ~(size_t)15;
    if (bytes < head + CO_CLASS_MICRO_STRIDE)
        return 0;
    size_t slots = (bytes - head) / CO_CLASS_MICRO_STRIDE;
    size_t most = (size_t)CO_CLASS_WORDS * 64;
    memset(chunk, 0, sizeof *chunk);
    co_chunk_shape_(chunk, (char *)storage + head, CO_CLASS_MICRO, slots < most ? slots : most,
                    CO_CLASS_MICRO_STRIDE);
    while (chunk->carved < chunk->slots)
        co_chunk_carve_(chunk);
    pthread_mutex_lock(&co_shared_.lock);
    bool begun = co_thread_begins_();
    if (begun) {
        chunk->owner = &CO_RT(classes);
        co_chunk_link_(chunk);
        co_chunk_offer_(chunk);
    }
    pthread_mutex_unlock(&co_shared_.lock);
    return begun ? chunk->slots : 0;
}

#if CO_CLASSES_PAINT
// ---- Painted stacks -----------------------------------------------------------------------------

// Every stack is a large one, so that a body may use more than its bound and be told.
enum { CO_PAINT_ = 0xA7 };
static size_t co_painted_stacks_, co_painted_most_, co_painted_bound_;

// The most that each body without a bound used, for CO_STACK_PROFILE: a file of the environment.
// What used all that is painted is not in it.
enum { CO_PROFILED_MOST_ = 16 << 10, CO_PROFILED_BODIES_ = 512 };
CO_CLASSES_TLS const char *CO_RT(painted_body);
static const char *co_profile_;
static pid_t co_profile_of_;
static struct {
    const char *body;
    size_t used;
} co_profiled_[CO_PROFILED_BODIES_];

// How far down a stack is painted: beyond its bound.
static size_t co_painted_(size_t need) {
    if (need == 0)
        return co_profile_ == NULL ? 0 : CO_PROFILED_MOST_;
    return need > CO_NEED_LARGE / 2 ? 0 : need + 4096;
}

static void co_profile_add_(const char *body, size_t used) {
    size_t i = 0;
    pthread_mutex_lock(&co_shared_.lock);
    while (i < CO_PROFILED_BODIES_ && co_profiled_[i].body != NULL &&
           strcmp(co_profiled_[i].body, body) != 0)
        i++;
    if (i == CO_PROFILED_BODIES_)
        CO_RT(classes_die)("a profile has no room for so many bodies");
    co_profiled_[i].body = body;
    if (used > co_profiled_[i].used)
        co_profiled_[i].used = used;
    pthread_mutex_unlock(&co_shared_.lock);
}

static void co_profile_write_(void) {
    FILE *file = co_profile_of_ == getpid() ? fopen(co_profile_, "w") : NULL;
    if (file == NULL)
        return;
    for (size_t i = 0; i < CO_PROFILED_BODIES_ && co_profiled_[i].body != NULL; i++)
        if (co_profiled_[i].used < CO_PROFILED_MOST_)
            fprintf(file, "%s %zu\n", co_profiled_[i].body, co_profiled_[i].used);
    fclose(file);
}

static void co_paint_report_(void) {
    fprintf(stderr, "painted: %zu stacks with a bound, the nearest used %zu of %zu\n",
            co_painted_stacks_, co_painted_most_, co_painted_bound_);
    if (co_profile_ != NULL)
        co_profile_write_();
}

void CO_RT(classes_paint)(struct co_stack *stack, size_t need) {
    static bool reports;
    if (!reports) {
        reports = atexit(co_paint_report_) == 0;
        co_profile_ = getenv("CO_STACK_PROFILE");
        co_profile_of_ = getpid();
    }
    stack->body = CO_RT(painted_body);
    stack->painted = co_painted_(need);
    stack->need = (uint32_t)need;
    co_painted_stacks_ += need != 0 && stack->painted != 0;
    memset((char *)stack - stack->painted, CO_PAINT_, stack->painted);
}

void CO_RT(classes_look)(const struct co_stack *stack) {
    const unsigned char *top = (const unsigned char *)stack, *p = top - stack->painted;
    // What the first resume loads stands on the stack too, whatever the body needs.
    size_t bound = stack->need < 48 ? 48 : stack->need;
    if (p == top)
        return;
    while (p < top && *p == CO_PAINT_)
        p++;
    size_t used = (size_t)(top - p);
    if (stack->need == 0) {
        co_profile_add_(stack->body, used);
        return;
    }
    if (used > bound) {
        fprintf(stderr, "painted: %zu bytes were used, the bound is %zu\n", used, bound);
        abort();
    }
    if (co_painted_bound_ == 0 || used * co_painted_bound_ > co_painted_most_ * bound) {
        co_painted_most_ = used;
        co_painted_bound_ = bound;
    }
}
#endif

// ---- Settings -----------------------------------------------------------------------------------

CO_EXPORT void CO_RT(backend_trim)(void) {
    pthread_mutex_lock(&co_shared_.lock);
    while (co_shared_.chunks != NULL)
        co_chunk_unmap_(co_shared_.chunks);
    for (struct co_classes *t = co_shared_.threads; t != NULL; t = t->others) {
        memset(t->open, 0, sizeof t->open);
        memset(t->growing, 0, sizeof t->growing);
    }
    memset(co_shared_.spare, 0, sizeof co_shared_.spare);
    pthread_mutex_unlock(&co_shared_.lock);
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    CO_RT(backend_trim)();
    co_shared_.ready = true;
    co_shared_.keep_none = config->fresh;
    co_shared_.guard = config->guard;
    co_shared_.limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_classes_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
// Most stacks are packed without guards. Where guards are limited, a guarded stack is refused when
// it is wanted, with the reason.
struct co_limit co_backend_limit(void) {
    return (struct co_limit){SIZE_MAX, "memory"};
}
#endif

#endif // CO_RUNTIME

#endif
