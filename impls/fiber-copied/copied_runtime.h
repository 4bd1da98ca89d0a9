// Running stacks, the buffers for what is copied out of them, and the exchange of two coroutines
// that want one place at a time.
//
// Copying goes on below the resumer's frames, on its stack. Where that is the very stack that is to
// be overwritten, it goes on on one more stack, made for that.
#ifndef CO_COPIED_RUNTIME_H
#define CO_COPIED_RUNTIME_H

#ifdef CO_RUNTIME
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if CO_STACK_ASAN
#include <sanitizer/lsan_interface.h>
#endif

// Buffers: a size each 64 bytes up to 1 KiB, from blocks that hold many; then powers of two, from
// malloc.
enum {
    CO_SAVED_STEP = 64,
    CO_SAVED_STEPS = 16,
    CO_SAVED_SMALL = CO_SAVED_STEP * CO_SAVED_STEPS,
    CO_SAVED_LARGE = 15, // 2 KiB to 32 MiB: a running stack and its shadow
    CO_BLOCK_BYTES = 32 << 10,
};

struct co_block {
    struct co_block *next;
    char buffers[] __attribute__((aligned(16)));
};

// One coroutine is where another one is running that waits for it. On the stack for copying.
struct co_exchange {
    struct co_exchange *outer;
    struct co_stackful *in, *out;
    word sent;
    void (*landing)(void *);
    struct co_result answer;
};

struct co_copied CO_RT(copied);

static struct {
    char *reserved; // address space of all running stacks and the one for copying
    struct co_running copier;
    char *copier_sp;               // below what exchanges have on it
    struct co_exchange *exchanges; // the innermost
    void *free_small[CO_SAVED_STEPS + 1], *free_large[CO_SAVED_LARGE];
    struct co_block *blocks; // the newest
    size_t carved;           // bytes of its buffers
    bool keep_none, no_guard;
    size_t held, limit; // bytes of stacks and buffers, and the most that may be (0: no limit)
} co_all_;
static const char *co_copied_reason_ = "no allocation has failed";

static bool co_may_hold_(size_t bytes) {
    if (co_all_.limit == 0 || co_all_.held + bytes <= co_all_.limit)
        return true;
    co_copied_reason_ = "the memory limit set for stacks is reached";
    return false;
}

// ---- Running stacks -----------------------------------------------------------------------------

static char *co_slot_(size_t number) {
    return co_all_.reserved + number * CO_RUNNING_BYTES;
}

static bool co_running_reserve_(void) {
    if (co_all_.reserved != NULL)
        return true;
    size_t bytes = (size_t)(CO_RUNNING_MOST + 1) * CO_RUNNING_BYTES;
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        co_copied_reason_ = "no address space for the running stacks";
        return false;
    }
    // One touched byte must cost a page, not a huge page. Not fatal: a kernel without huge pages
    // has no such advice.
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    co_all_.reserved = (char *)p;
    return true;
}

// Opens slot `number`; what stays closed at its lower end is the guard.
static bool co_running_make_(struct co_running *stack, size_t number) {
    if (!co_may_hold_(CO_RUNNING_BYTES) || !co_running_reserve_())
        return false;
    size_t guard = co_all_.no_guard ? 0 : CO_RUNNING_GUARD;
    char *low = co_slot_(number) + guard;
    if (mprotect(low, CO_RUNNING_BYTES - guard, PROT_READ | PROT_WRITE) != 0) {
        co_copied_reason_ = "mprotect does not open a running stack";
        return false;
    }
#if CO_STACK_ASAN
    __lsan_register_root_region(low, CO_RUNNING_BYTES - guard);
#endif
    co_all_.held += CO_RUNNING_BYTES;
    stack->low = low;
    stack->top = co_slot_(number + 1) - 64 - number % CO_RUNNING_STEPS * CO_RUNNING_STEP_BYTES;
    ((void **)(void *)stack->top)[-1] = NULL; // returned to by nobody: ends backtraces
    return true;
}

static void co_running_close_(struct co_running *stack) {
    if (stack->low == NULL)
        return;
#if CO_STACK_ASAN
    size_t guard = (size_t)(stack->low - co_all_.reserved) % CO_RUNNING_BYTES;
    __lsan_unregister_root_region(stack->low, CO_RUNNING_BYTES - guard);
    ASAN_UNPOISON_MEMORY_REGION(stack->low, CO_RUNNING_BYTES - guard);
#endif
    memset(stack, 0, sizeof *stack);
}

static bool co_is_on_(const void *p, const struct co_running *stack) {
    return (const char *)p >= stack->low && (const char *)p < stack->top;
}

// The lowest running stack on which nobody runs.
static struct co_running *co_running_free_(void) {
    struct co_copied *all = &CO_RT(copied);
    size_t i = 0;
    while (i < all->count && all->stacks[i].busy)
        i++;
    if (i < all->count)
        return &all->stacks[i];
    if (i == CO_RUNNING_MOST) {
        co_copied_reason_ =
            "255 coroutines run, each resumed by the one before: no more running stacks";
        return NULL;
    }
    if (!co_running_make_(&all->stacks[i], i))
        return NULL;
    all->count++;
    return &all->stacks[i];
}

int CO_RT(copied_allow)(size_t bytes) {
    if (bytes > CO_RUNNING_ROOM) {
        co_copied_reason_ = "the stated need of stack is larger than a running stack, 16 MiB";
        return CO_E_NOMEM;
    }
    return CO_RT(copied).count > 0 || co_running_free_() != NULL ? 0 : CO_E_NOMEM;
}

// ---- Buffers ------------------------------------------------------------------------------------

// Where free buffers that serve `need` are listed; `need` becomes their size.
static void **co_saved_list_(size_t *need) {
    size_t steps = (*need + CO_SAVED_STEP - 1) / CO_SAVED_STEP;
    if (steps <= CO_SAVED_STEPS) {
        *need = steps * CO_SAVED_STEP;
        return &co_all_.free_small[steps];
    }
    size_t i = 0, size = 2 * CO_SAVED_SMALL;
    for (; size < *need; size *= 2)
        i++;
    *need = size;
    return &co_all_.free_large[i];
}

static void *co_saved_alloc_(size_t bytes) {
    if (!co_may_hold_(bytes))
        return NULL;
    void *p = malloc(bytes);
    if (p == NULL)
        co_copied_reason_ = "malloc has no memory for what a coroutine has on the stack";
    else
        co_all_.held += bytes;
    return p;
}

static char *co_saved_carve_(size_t bytes) {
    struct co_block *block = co_all_.blocks;
    if (block == NULL || co_all_.carved + bytes > CO_BLOCK_BYTES - sizeof *block) {
        block = (struct co_block *)co_saved_alloc_(CO_BLOCK_BYTES);
        if (block == NULL)
            return NULL;
        block->next = co_all_.blocks;
        co_all_.blocks = block;
        co_all_.carved = 0;
    }
    co_all_.carved += bytes;
    return block->buffers + co_all_.carved - bytes;
}

static char *co_saved_new_(size_t *need) {
    void **list = co_saved_list_(need), *first = *list;
    if (first != NULL) {
        memcpy(list, first, sizeof *list);
        return (char *)first;
    }
    if (*need <= CO_SAVED_SMALL && !co_all_.keep_none)
        return co_saved_carve_(*need);
    return (char *)co_saved_alloc_(*need);
}

static void co_saved_free_(char *saved, size_t room) {
    if (co_all_.keep_none) {
        co_all_.held -= room;
        free(saved);
        return;
    }
    void **list = co_saved_list_(&room);
    memcpy(saved, list, sizeof *list);
    *list = saved;
}

void CO_RT(copied_forget)(struct co_stackful *co) {
    co_saved_free_(co->saved, co->room);
    co->saved = NULL;
    co->room = 0;
}

// ---- Copying ------------------------------------------------------------------------------------

CO_INLINE void co_copy_(void *to, const void *from, size_t bytes) {
#if CO_STACK_ASAN
    // Not by memcpy, which the sanitizer replaces by one that does not copy what is marked.
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
#else
    memcpy(to, from, bytes);
#endif
}

// The sanitizer's marks of a piece of stack are part of it.
#if CO_STACK_ASAN
static size_t co_shadow_bytes_(size_t bytes) {
    return bytes / 8;
}
static void *co_shadow_(const void *p) {
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    return (void *)(((word)p >> scale) + offset);
}
#else
static size_t co_shadow_bytes_(size_t bytes) {
    (void)bytes;
    return 0;
}
#endif

// Room for `need` bytes, not much more. Where there is no smaller buffer the larger one stays.
static bool co_saved_fit_(struct co_stackful *co, size_t need) {
    if (CO_LIKELY(need <= co->room && co->room / 4 <= need))
        return true;
    size_t size = need;
    char *p = co_saved_new_(&size);
    if (p == NULL)
        return need <= co->room;
    if (co->saved != NULL)
        co_saved_free_(co->saved, co->room);
    co->saved = p;
    co->room = (unsigned)size;
    return true;
}

static const char *co_aligned_(const void *sp) {
    return (const char *)((word)sp & ~(word)15);
}

// Those in place elsewhere whose control blocks lie on this stack leave as long as one can find
// them. 0 or CO_E_NOMEM.
static int co_save_(struct co_stackful *co, const void *sp);
static int co_save_owned_(const struct co_running *stack) {
    for (size_t i = 0; i < CO_RT(copied).count; i++) {
        struct co_running *other = &CO_RT(copied).stacks[i];
        struct co_stackful *co = other->in_place;
        if (other->busy || other == stack || !co_is_on_(co, stack))
            continue;
        if (co_save_(co, co->sw.body.sp) < 0)
            return CO_E_NOMEM;
        other->in_place = NULL;
    }
    return 0;
}

void CO_RT(copied_orphan)(const struct co_running *stack) {
    for (size_t i = 0; i < CO_RT(copied).count; i++) {
        struct co_running *other = &CO_RT(copied).stacks[i];
        if (!other->busy && other != stack && co_is_on_(other->in_place, stack))
            other->in_place = NULL;
    }
}

// Copies out what a coroutine has on its stack from `sp` up. 0 or CO_E_NOMEM.
static int co_save_(struct co_stackful *co, const void *sp) {
    if (CO_MUTATE(leave_owned, CO_RT(copied).count > 1, false) && co_save_owned_(co->home) < 0)
        return CO_E_NOMEM;
    const char *low = co_aligned_(sp);
    size_t bytes = (size_t)(co->home->top - low);
    if (!co_saved_fit_(co, bytes + co_shadow_bytes_(bytes)))
        return CO_E_NOMEM;
    size_t left_out = CO_MUTATE(copy_short, 0, bytes < 64 ? bytes : 64);
    co_copy_(co->saved + left_out, low + left_out, bytes - left_out);
#if CO_STACK_ASAN
    co_copy_(co->saved + bytes, co_shadow_(low), bytes / 8);
    ASAN_UNPOISON_MEMORY_REGION(low, bytes);
#endif
    return 0;
}

static void co_restore_(struct co_stackful *co, const void *sp) {
    char *low = (char *)co_aligned_(sp);
    size_t bytes = (size_t)(co->home->top - low);
    co->home->in_place = co;
    if (CO_MUTATE(skip_copy, false, true))
        return;
    co_copy_(low, co->saved, bytes);
#if CO_STACK_ASAN
    co_copy_(co_shadow_(low), co->saved + bytes, bytes / 8);
#endif
}

// Puts a coroutine where nobody is.
static void co_settle_(struct co_stackful *co, struct co_running *home) {
    if (co->home == home) {
        co_restore_(co, co->sw.body.sp);
        return;
    }
    co->home = home;
    home->in_place = co;
    co_arch_prepare(&co->sw, home->top, (void (*)(void *))co->sw.body.ip);
}

int CO_RT(copied_place)(struct co_stackful *co) {
    struct co_running *home = co->home;
    if (home == &CO_RT(copied).nowhere) {
        home = co_running_free_();
        if (home == NULL)
            return CO_E_NOMEM;
    }
    struct co_stackful *there = home->in_place;
    if (there != NULL) {
        if (home->busy)
            return CO_PLACE_TAKEN_;
        int error = co_save_(there, there->sw.body.sp);
        if (error < 0)
            return error;
    }
    co_settle_(co, home);
    return 0;
}

// ---- Exchange -----------------------------------------------------------------------------------

// The lowest byte that whoever is running on a stack needs, when the innermost one is at `sp`: it
// left off where it resumed another one. (Two that wait on one stack, exchanged, may be told too
// low a place: then more is copied than has to be.)
static const void *co_running_low_(const struct co_running *stack, const void *sp) {
    const char *low = co_is_on_(sp, stack) ? (const char *)sp : stack->top;
    const struct co_copied *all = &CO_RT(copied);
    for (size_t i = 0; i < all->count; i++) {
        const struct co_stackful *co = all->stacks[i].in_place;
        if (all->stacks[i].busy && co_is_on_(co->sw.resumer.sp, stack) &&
            (const char *)co->sw.resumer.sp < low)
            low = (const char *)co->sw.resumer.sp;
    }
    for (const struct co_exchange *x = co_all_.exchanges; x != NULL; x = x->outer)
        if (co_is_on_(x->out->sw.resumer.sp, stack) && (const char *)x->out->sw.resumer.sp < low)
            low = (const char *)x->out->sw.resumer.sp;
    return low;
}

// Whether the control block of a running one may be out of place itself, in the bytes of another
// one that waits exchanged.
static bool co_out_of_reach_(const struct co_stackful *co) {
    for (const struct co_exchange *x = co_all_.exchanges; x != NULL; x = x->outer)
        if (co_is_on_(co, x->out->home))
            return true;
    return false;
}

// Lets x->in run in the place of x->out, which is running and gets its place back. Only the stacks
// of others are touched from here.
static void co_exchange_(struct co_exchange *x, const void *sp) {
    struct co_running *home = x->in->home;
    const void *low = co_running_low_(home, sp);
    if (co_save_(x->out, low) < 0)
        return;
    x->outer = co_all_.exchanges;
    co_all_.exchanges = x;
    co_restore_(x->in, x->in->sw.body.sp);
    x->answer = co_go_(x->in, x->sent, x->landing);
    // One that has no memory to wait in learns that at its yield, as at a call that has none.
    while (x->answer.st == CO_YIELDED && co_save_(x->in, x->in->sw.body.sp) < 0) {
        x->in->error = CO_NOMEM;
        x->in->closing = false;
        x->answer = co_go_(x->in, 0, co_landing_);
    }
    co_all_.exchanges = x->outer;
    co_restore_(x->out, low);
    home->busy = true;
}

#if CO_STACK_ASAN
// The same, as the sanitizer has to hear of a change of stacks.
static void co_exchange_told_(struct co_exchange *x, const void *sp) {
    const void *low;
    size_t bytes;
    __sanitizer_finish_switch_fiber(NULL, &low, &bytes);
    co_exchange_(x, sp);
    __sanitizer_start_switch_fiber(NULL, low, bytes);
}
#define CO_EXCHANGE_ co_exchange_told_
#else
#define CO_EXCHANGE_ co_exchange_
#endif

// Exchanges nest as resumes do, so the stack for copying is a stack of exchanges.
struct co_result CO_RT(copied_exchange)(struct co_stackful *co, word in, void (*landing)(void *)) {
    struct co_result refused = {0, (word)CO_E_NOMEM};
    if (co_all_.copier.low == NULL) {
        if (!co_running_make_(&co_all_.copier, CO_RUNNING_MOST))
            return refused;
        co_all_.copier_sp = co_all_.copier.top;
    }
    char *const kept_sp = co_all_.copier_sp;
    if (kept_sp - co_all_.copier.low < 65536) {
        co_copied_reason_ = "too many coroutines wait for one that wants their place";
        return refused;
    }
    if (co_out_of_reach_(co->home->in_place)) {
        co_copied_reason_ =
            "who runs there was made by one that waits, copied out, for another one";
        return refused;
    }
    struct co_exchange *x = (struct co_exchange *)kept_sp - 1;
    x->in = co;
    x->out = co->home->in_place;
    x->sent = in;
    x->landing = landing;
    x->answer = refused;
    char *sp = (char *)co_aligned_(x);
    co_all_.copier_sp = sp - 4096; // more than the functions above take
#if CO_STACK_ASAN
    void *fake;
    __sanitizer_start_switch_fiber(&fake, co_all_.copier.low,
                                   (size_t)(co_all_.copier.top - co_all_.copier.low));
#endif
    void (*f)(struct co_exchange *, const void *) = CO_EXCHANGE_;
    struct co_exchange *argument = x;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %%rsp, %%rsi\n\tmovq %[sp], %%rsp\n\t"
                     "call *%[f]\n\tmovq %%rbx, %%rsp"
                     : "+D"(argument)
                     : [sp] "r"(sp), [f] "r"(f)
                     : "rax", "rbx", "rdx", "rsi", CO_CALL_CLOBBERS_);
#if CO_STACK_ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    co_all_.copier_sp = kept_sp;
    return x->answer;
}

// ---- Settings -----------------------------------------------------------------------------------

CO_EXPORT void CO_RT(backend_trim)(void) {
    struct co_copied *all = &CO_RT(copied);
    for (size_t i = 0; i < CO_SAVED_LARGE; i++)
        for (void *first; (first = co_all_.free_large[i]) != NULL; free(first))
            memcpy(&co_all_.free_large[i], first, sizeof first);
    for (struct co_block *first; (first = co_all_.blocks) != NULL; free(first))
        co_all_.blocks = first->next;
    memset(co_all_.free_small, 0, sizeof co_all_.free_small);
    for (size_t i = 0; i < all->count; i++)
        co_running_close_(&all->stacks[i]);
    co_running_close_(&co_all_.copier);
    all->count = 0;
    if (co_all_.reserved != NULL)
        munmap(co_all_.reserved, (size_t)(CO_RUNNING_MOST + 1) * CO_RUNNING_BYTES);
    co_all_.reserved = NULL;
    co_all_.held = 0;
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    CO_RT(backend_trim)();
    co_all_.keep_none = config->fresh;
    co_all_.no_guard = !config->guard;
    co_all_.limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_copied_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
struct co_limit co_backend_limit(void) {
    struct co_limit limit = {SIZE_MAX, "memory"};
    return limit;
}
#endif
#endif // CO_RUNTIME

#endif
