// What the machine sees: registers, alignment, control words, room on the stack.
#include <backend.h>
#include "../kit.h"

#include <stdio.h>
#include <string.h>

typedef bool probe_function(word (*f)(void *), void *arg, const word *fill, word *seen);

CORO_DECL(keeper, (word rounds;),
          (word i; word x; word a; word b; word c; word d; word e; word f; word g; word h;), ())
CORO_DECL(deep_keeper, (probe_function * probe; word(*seen)[6];), (word i; word x;), ())
CORO_DECL(deep, (word depth; word n;), (word i; word x; word total;), ())
CORO_DECL(deep_caller, (word depth; word n;), (word x; word e;), (SUB(deep)))
CORO_DECL(aligned_callee, (word(*c)(word);), (word x;), ())
CORO_DECL(aligned, (word(*c)(word);), (word x; word y; word i;), (SUB(aligned_callee)))
CORO_DECL(rounding, (unsigned sse; unsigned x87; unsigned (*seen)[2];), (word x; word i;), ())
CORO_DECL(modes, (unsigned sse; unsigned x87;), (word x; word found;), ())
CORO_DECL(hungry, (size_t bytes;), (word x;), ())
CORO_DECL(c_caller, (word(*f)(word); word arg;), (word x; word y;), ())
CORO_DECL(pass, (word depth;), (word x;), (REC(pass)))

// Whether the stack pointer here is where the ABI has it: compilers rely on it for vector spills.
static inline __attribute__((always_inline)) word misaligned_here(void) {
    __attribute__((aligned(16))) char block[16];
    char *p = block;
    // Hides where p comes from, or the answer would be a constant.
    __asm__ volatile("" : "+r"(p)::"memory");
    word off = (word)p % 16;
#if defined(__x86_64__)
    if (off == 0)
        __asm__ volatile("movaps %%xmm0, %0" : "=m"(*(char(*)[16])p));
#endif
    return off;
}

#define CO_BODIES(_)                                                                               \
    _(keeper)                                                                                      \
    _(deep_keeper)                                                                                 \
    _(deep)                                                                                        \
    _(deep_caller)                                                                                 \
    _(aligned_callee) _(aligned) _(rounding) _(modes) _(hungry) _(c_caller) _(pass)

#if CO_PART_BODIES
// Leaves nothing of the resumer in the registers that a callee has to save. Not rbp: a build may
// need it as the frame pointer.
static inline void use_registers(void) {
#if defined(__x86_64__)
    __asm__ volatile("movq $-1, %%rbx\n\tmovq $-2, %%r12\n\tmovq $-3, %%r13\n\t"
                     "movq $-4, %%r14\n\tmovq $-5, %%r15"
                     :
                     :
                     : "rbx", "r12", "r13", "r14", "r15");
#endif
}

// More locals than callee-saved registers, all of them live across the yield.
CORO(keeper) {
    CO_BEGIN(keeper)
        my->a = 1;
        my->b = 2;
        my->c = 3;
        my->d = 4;
        my->e = 5;
        my->f = 6;
        my->g = 7;
        my->h = 8;
        for (my->i = 0; my->i < my->rounds; my->i++) {
            use_registers();
            CO_YIELD(my->x, my->a + my->b + my->c + my->d + my->e + my->f + my->g + my->h);
            my->a += my->x;
            my->b += my->a;
            my->c += my->b;
            my->d += my->c;
            my->e += my->d;
            my->f += my->e;
            my->g += my->f;
            my->h += my->g;
        }
        CO_RETURN(my->h);
    CO_END
}

struct deep_yield {
    co_handle self;
    word value;
};

static __attribute__((noinline)) word yield_once(void *arg) {
    struct deep_yield *d = (struct deep_yield *)arg;
    return CO_DEEP_YIELD(d->self, d->value);
}

// Fills the registers in assembly, yields from C called there, and shows what came back.
CORO(deep_keeper) {
    CO_BEGIN(deep_keeper)
        for (my->i = 0; my->i < 10; my->i++) {
            word fill[6];
            struct deep_yield d;
            d.self = CO_SELF;
            d.value = my->i;
            for (word r = 0; r < 6; r++)
                fill[r] = 0xB0D1E50000000000 + my->i * 16 + r;
            my->probe(yield_once, &d, fill, my->seen[my->i]);
        }
        CO_RETURN(99);
    CO_END
}

// Yields n times below `depth` C frames, each of which has something to keep.
static __attribute__((noinline)) word yield_below(co_handle self, word depth, word n) {
    word total = 0;
    if (depth > 0)
        return yield_below(self, depth - 1, n) * 3 + depth;
    for (word i = 0; i < n; i++)
        total = total * 7 + CO_DEEP_YIELD(self, i);
    return total;
}

CORO(deep) {
    CO_BEGIN(deep)
        my->total = 0;
        for (my->i = 0; my->i < 3; my->i++) {
            my->total += yield_below(CO_SELF, my->depth, my->n);
            CO_YIELD(my->x, 1000 + my->i);
            my->total += my->x;
        }
        CO_RETURN(my->total);
    CO_END
}

CORO(deep_caller) {
    CO_BEGIN(deep_caller)
        CO_TRY
            CO_CALL(my->x, deep, my->depth, my->n);
            CO_CATCH(my->e)
            CO_YIELD(my->x, 5000 + my->e);
        CO_END_TRY
        CO_RETURN(my->x);
    CO_END
}

static __attribute__((noinline)) word misaligned_in_function(void) {
    return misaligned_here();
}

// Each answer is or-ed of what a local in the body, in a function and in CO_CCALL's function found.
#define MISALIGNED(c) (misaligned_here() | misaligned_in_function() | CO_CCALL(c, 0))

CORO(aligned_callee) {
    CO_BEGIN(aligned_callee)
        CO_YIELD(my->x, MISALIGNED(my->c));
        CO_YIELD(my->x, MISALIGNED(my->c));
        CO_RETURN(MISALIGNED(my->c));
    CO_END
}

CORO(aligned) {
    CO_BEGIN(aligned)
        CO_YIELD(my->x, MISALIGNED(my->c));
        for (my->i = 0; my->i < 3; my->i++) {
            CO_YIELD(my->x, MISALIGNED(my->c));
            CO_CALL(my->y, aligned_callee, my->c);
            CO_YIELD(my->x, my->y | MISALIGNED(my->c));
        }
        CO_RETURN(MISALIGNED(my->c));
    CO_END
}

static inline unsigned sse_word(void) {
    unsigned w = 0;
#if defined(__x86_64__)
    __asm__ volatile("stmxcsr %0" : "=m"(w));
#endif
    return w & ~0x3Fu; // without the flags that arithmetic raises
}

static inline unsigned x87_word(void) {
    unsigned short w = 0;
#if defined(__x86_64__)
    __asm__ volatile("fnstcw %0" : "=m"(w));
#endif
    return w;
}

static inline void set_words(unsigned sse, unsigned x87) {
    unsigned short narrow = (unsigned short)x87;
#if defined(__x86_64__)
    __asm__ volatile("ldmxcsr %0" ::"m"(sse));
    __asm__ volatile("fldcw %0" ::"m"(narrow));
#endif
    (void)sse;
    (void)narrow;
}

CORO(rounding) {
    CO_BEGIN(rounding)
        set_words(my->sse, my->x87);
        for (my->i = 0; my->i < 4; my->i++) {
            CO_YIELD(my->x, my->i);
            my->seen[my->i][0] = sse_word();
            my->seen[my->i][1] = x87_word();
        }
        CO_RETURN(9);
    CO_END
}

// What it starts with; it ends with others.
CORO(modes) {
    CO_BEGIN(modes)
        my->found = (word)sse_word() << 16 | x87_word();
        CO_YIELD(my->x, my->found);
        set_words(my->sse, my->x87);
        CO_RETURN(1);
    CO_END
}

// Needs that much of its own stack, twice, with a yield between.
CORO(hungry) {
    CO_BEGIN(hungry)
        CO_YIELD(my->x, use_stack((const char *)__builtin_frame_address(0), my->bytes));
        CO_YIELD(my->x, use_stack((const char *)__builtin_frame_address(0), my->bytes));
        CO_RETURN(2);
    CO_END
}

CORO(c_caller) {
    CO_BEGIN(c_caller)
        my->x = CO_CCALL(my->f, my->arg);
        CO_YIELD(my->y, my->x);
        my->x = CO_CCALL(my->f, my->arg + my->y);
        CO_RETURN(my->x);
    CO_END
}

CORO(pass) {
    CO_BEGIN(pass)
        if (my->depth > 1) {
            CO_CALLREC(my->x, pass, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1);
            CO_YIELD(my->x, 2);
        }
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

KIT_DRIVERS(CO_BODIES)

// ---- Callee-saved registers ---------------------------------------------------------------------

struct step {
    co_handle co;
    word in, out;
    int status;
};

static word resume_step(void *arg) {
    struct step *step = (struct step *)arg;
    step->status = co_resume(step->co, step->in, &step->out);
    return 0;
}

static word throw_step(void *arg) {
    struct step *step = (struct step *)arg;
    step->status = co_throw(step->co, step->in, &step->out);
    return 0;
}

static word close_step(void *arg) {
    struct step *step = (struct step *)arg;
    step->status = co_close(step->co);
    return 0;
}

// Calls f with the registers full of a pattern and fails unless they come back with it.
static void probed(word (*f)(void *), struct step *step, word pattern) {
    word fill[KIT_REGISTERS], seen[KIT_REGISTERS];
    for (unsigned i = 0; i < KIT_REGISTERS; i++)
        fill[i] = pattern * 0x0101010101010101 + i;
    if (!kit_probe(f, step, fill, seen))
        kit_not_claimed("no register probe is written for this architecture");
    for (unsigned i = 0; i < KIT_REGISTERS; i++)
        if (seen[i] != fill[i])
            FAIL("the resumer's %s is %#zx, not %#zx", kit_register(i), (size_t)seen[i],
                 (size_t)fill[i]);
}

KIT_CHECK(registers_of_resumer, 0, KIT_ALWAYS,
          "the resumer's callee-saved registers survive resume, throw, end and close") {
    CO_VAR(keeper) v = {};
    struct step step = {};
    for (int end = 0; end < 3; end++) {
        WANT_INIT(keeper, &v, 20);
        step.co = CO_HANDLE(&v);
        for (word i = 0; i < (end == 0 ? 21 : 5); i++)
            probed(resume_step, &step, 0x10 + i);
        if (end == 1) {
            probed(throw_step, &step, 0x77);
            WANT_STATUS(step.status, CO_FAILED);
        } else if (end == 2) {
            probed(close_step, &step, 0x78);
            WANT_STATUS(step.status, 0);
        } else {
            WANT_STATUS(step.status, CO_RETURNED);
        }
        WANT_FINI(keeper, &v);
    }
}

KIT_CHECK(locals_against_registers, 0, KIT_ALWAYS,
          "a body's locals survive a resumer that has filled every register with other things") {
    CO_VAR(keeper) v = {};
    word t[8] = {1, 2, 3, 4, 5, 6, 7, 8}, total;
    struct step step = {};
    WANT_INIT(keeper, &v, 50);
    step.co = CO_HANDLE(&v);
    for (word i = 0; i < 50; i++) {
        step.in = i * 3;
        probed(resume_step, &step, i);
        if (i > 0) {
            t[0] += step.in;
            for (int k = 1; k < 8; k++)
                t[k] += t[k - 1];
        }
        total = 0;
        for (int k = 0; k < 8; k++)
            total += t[k];
        WANT_STATUS(step.status, CO_YIELDED);
        WANT(step.out, total);
    }
    WANT_FINI(keeper, &v);
}

KIT_CHECK(registers_of_body, CO_CAP_CALLEE_SAVED | CO_CAP_DEEP_YIELD, KIT_ALWAYS,
          "the body's callee-saved registers survive a yield") {
    word seen[10][6] = {};
    CO_VAR(deep_keeper) v = {};
    struct step step = {};
    WANT_INIT(deep_keeper, &v, kit_probe, seen);
    step.co = CO_HANDLE(&v);
    for (word i = 0; i < 10; i++) {
        probed(resume_step, &step, 0xE0 + i);
        WANT_STATUS(step.status, CO_YIELDED);
        WANT(step.out, i);
    }
    probed(resume_step, &step, 0xF0);
    WANT_STATUS(step.status, CO_RETURNED);
    for (word i = 0; i < 10; i++)
        for (unsigned r = 0; r < KIT_REGISTERS; r++)
            if (seen[i][r] != 0xB0D1E50000000000 + i * 16 + r)
                FAIL("the body's %s after yield %zu is %#zx", kit_register(r), (size_t)i,
                     (size_t)seen[i][r]);
    WANT_FINI(deep_keeper, &v);
}

// ---- Deep yield ---------------------------------------------------------------------------------

KIT_CHECK(deep_yield, CO_CAP_DEEP_YIELD, KIT_ALWAYS,
          "C functions below a body yield and get what is sent") {
    for (word depth = 0; depth < 20; depth += 4) {
        CO_VAR(deep) v = {};
        WANT_INIT(deep, &v, depth, 5);
        word total = 0, sent = 0;
        for (word round = 0; round < 3; round++) {
            word sum = 0;
            for (word i = 0; i < 5; i++) {
                WANT_GO(deep, &v, sent, CO_YIELDED, i);
                sent = round * 10 + i;
                sum = sum * 7 + sent;
            }
            for (word d = 1; d <= depth; d++)
                sum = sum * 3 + d;
            WANT_GO(deep, &v, sent, CO_YIELDED, 1000 + round);
            sent = 4;
            total += sum + sent;
        }
        WANT_GO(deep, &v, sent, CO_RETURNED, total);
        WANT_FINI(deep, &v);
    }
}

KIT_CHECK(deep_yield_in_callee, CO_CAP_DEEP_YIELD, KIT_ALWAYS,
          "so they do below a callee; a throw there is caught by the caller, a close ends all") {
    CO_VAR(deep_caller) v = {};
    WANT_INIT(deep_caller, &v, 6, 3);
    WANT_GO(deep_caller, &v, 0, CO_YIELDED, 0);
    WANT_GO(deep_caller, &v, 1, CO_YIELDED, 1);
    WANT_HURL(deep_caller, &v, 77, CO_YIELDED, 5077);
    WANT_GO(deep_caller, &v, 8, CO_RETURNED, 8);
    WANT_FINI(deep_caller, &v);
    WANT_INIT(deep_caller, &v, 6, 3);
    WANT_GO(deep_caller, &v, 0, CO_YIELDED, 0);
    WANT_FINI(deep_caller, &v);
}

// ---- Alignment ----------------------------------------------------------------------------------

static word misaligned_in_c(word unused) {
    // Vector instructions of a real library function, if the ABI is kept.
    char text[64];
    snprintf(text, sizeof text, "%.3f", 1.5 + (double)unused);
    return misaligned_here() | (strcmp(text, "1.500") != 0);
}

KIT_CHECK(alignment, 0, KIT_ALWAYS,
          "the stack is aligned at a body's entry, after yields, in callees and in C calls") {
    for (int n = 0; n < 4; n++) {
        CO_VAR(aligned) v = {};
        WANT_STATUS(CO_INIT_STACK(aligned, &v, 16384 + n * 24, misaligned_in_c), 0);
        for (int i = 0; i < 1 + 3 * 4; i++)
            WANT_GO(aligned, &v, 0, CO_YIELDED, 0);
        WANT_GO(aligned, &v, 0, CO_RETURNED, 0);
        WANT_FINI(aligned, &v);
    }
}

// ---- Floating-point control words ---------------------------------------------------------------

#if defined(__x86_64__)
enum { SSE_DEFAULT = 0x1F80, X87_DEFAULT = 0x37F };

static unsigned sse_now(void) {
    unsigned w;
    __asm__ volatile("stmxcsr %0" : "=m"(w));
    return w & ~0x3Fu;
}

static unsigned x87_now(void) {
    unsigned short w;
    __asm__ volatile("fnstcw %0" : "=m"(w));
    return w;
}

static void set_now(unsigned sse, unsigned short x87) {
    __asm__ volatile("ldmxcsr %0" ::"m"(sse));
    __asm__ volatile("fldcw %0" ::"m"(x87));
}
#endif

KIT_CHECK(control_words, CO_CAP_FP_CONTROL, KIT_ALWAYS,
          "mxcsr and the x87 control word belong to the coroutine, and the resumer keeps its own") {
#if defined(__x86_64__)
    unsigned seen[2][4][2] = {};
    CO_VAR(rounding) v[2] = {};
    static const unsigned sse[2] = {0x3F80, 0x5F80}, x87[2] = {0x77F, 0xB7F};
    for (int j = 0; j < 2; j++)
        WANT_INIT(rounding, &v[j], sse[j], x87[j], seen[j]);
    for (word i = 0; i < 5; i++)
        for (int j = 0; j < 2; j++) {
            unsigned own = i % 2 ? 0x7F80 : SSE_DEFAULT;
            unsigned short own87 = i % 2 ? 0xF7F : X87_DEFAULT;
            set_now(own, own87);
            WANT_GO(rounding, &v[j], 0, i < 4 ? CO_YIELDED : CO_RETURNED, i < 4 ? i : 9);
            unsigned sse_after = sse_now(), x87_after = x87_now();
            set_now(SSE_DEFAULT, X87_DEFAULT);
            WANT(sse_after, own);
            WANT(x87_after, own87);
        }
    for (int j = 0; j < 2; j++) {
        for (int i = 0; i < 4; i++) {
            WANT(seen[j][i][0], sse[j]);
            WANT(seen[j][i][1], x87[j]);
        }
        WANT_FINI(rounding, &v[j]);
    }
#else
    kit_not_claimed("no control words are known to the kit on this architecture");
#endif
}

KIT_CHECK(control_words_at_start, CO_CAP_FP_CONTROL, KIT_ALWAYS,
          "a coroutine does not start with the control words that an earlier one ended with") {
#if defined(__x86_64__)
    for (int i = 0; i < 3; i++) {
        CO_VAR(modes) v = {};
        WANT_INIT(modes, &v, 0x5F80, 0xB7F);
        WANT_GO(modes, &v, 0, CO_YIELDED, (word)SSE_DEFAULT << 16 | X87_DEFAULT);
        WANT_GO(modes, &v, 0, CO_RETURNED, 1);
        WANT(sse_now(), SSE_DEFAULT);
        WANT(x87_now(), X87_DEFAULT);
        WANT_FINI(modes, &v);
    }
#else
    kit_not_claimed("no control words are known to the kit on this architecture");
#endif
}

// ---- Stacks -------------------------------------------------------------------------------------

KIT_CHECK(stated_need, CO_CAP_STACK_SIZE, KIT_ALWAYS,
          "the stack asked of CO_INIT_STACK is there to the last byte") {
    static const size_t needs[] = {1 << 12, 1 << 14, 1 << 15, 100000, 1 << 18, 1 << 20, 3 << 20};
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        CO_VAR(hungry) v = {}, w = {};
        // A frame's own bytes, twice: use_stack ends with one frame beyond what it was asked for.
        size_t use = needs[i] - 1024;
        WANT_STATUS(CO_INIT_STACK(hungry, &v, needs[i], use), 0);
        WANT_STATUS(CO_INIT_STACK(hungry, &w, needs[i], use), 0);
        for (int k = 0; k < 2; k++) {
            WANT_GO(hungry, &v, 0, CO_YIELDED, 1);
            WANT_GO(hungry, &w, 0, CO_YIELDED, 1);
        }
        WANT_GO(hungry, &v, 0, CO_RETURNED, 2);
        WANT_FINI(hungry, &v);
        WANT_FINI(hungry, &w);
    }
}

static word doubles(word arg) {
    return arg * 2;
}

// What a formatted print of the C library takes, and some more.
static word needs_room(word arg) {
    return use_stack((const char *)__builtin_frame_address(0), 8192) + arg;
}

static word needs_much_room(word arg) {
    return use_stack((const char *)__builtin_frame_address(0), 200000) + arg;
}

KIT_CHECK(c_call, 0, KIT_ALWAYS,
          "CO_CCALL gives the function its argument and the body its value") {
    CO_VAR(c_caller) v = {};
    WANT_INIT(c_caller, &v, doubles, 21);
    WANT_GO(c_caller, &v, 0, CO_YIELDED, 42);
    WANT_GO(c_caller, &v, 79, CO_RETURNED, 200);
    WANT_FINI(c_caller, &v);
}

KIT_CHECK(c_call_room, 0, KIT_ALWAYS,
          "CO_CCALL's function has a real stack: 8 KiB of it at least") {
    CO_VAR(c_caller) v = {};
    WANT_INIT(c_caller, &v, needs_room, 3);
    WANT_GO(c_caller, &v, 0, CO_YIELDED, 1 + 3);
    WANT_GO(c_caller, &v, 4, CO_RETURNED, 1 + 7);
    WANT_FINI(c_caller, &v);
}

KIT_CHECK(c_call_stated_room, 0, KIT_ALWAYS,
          "where a need was stated, CO_CCALL's function has that much") {
    CO_VAR(c_caller) v = {};
    WANT_STATUS(CO_INIT_STACK(c_caller, &v, 220000, needs_much_room, 3), 0);
    WANT_GO(c_caller, &v, 0, CO_YIELDED, 1 + 3);
    WANT_GO(c_caller, &v, 4, CO_RETURNED, 1 + 7);
    WANT_FINI(c_caller, &v);
}

// Drives a coroutine that makes C calls itself, inside a C call.
static word drives_another(word arg) {
    CO_VAR(c_caller) v = {};
    word out = 0, total = 0;
    WANT_INIT(c_caller, &v, needs_room, arg);
    WANT_STATUS(co_resume(CO_HANDLE(&v), 0, &out), CO_YIELDED);
    total += out;
    WANT_STATUS(co_resume(CO_HANDLE(&v), 1, &out), CO_RETURNED);
    WANT_FINI(c_caller, &v);
    return total + out;
}

KIT_CHECK(c_call_resumes, 0, KIT_ALWAYS,
          "a function run by CO_CCALL may drive coroutines that use CO_CCALL") {
    CO_VAR(c_caller) v = {};
    WANT_INIT(c_caller, &v, drives_another, 10);
    WANT_GO(c_caller, &v, 0, CO_YIELDED, 2 + 21);
    WANT_GO(c_caller, &v, 5, CO_RETURNED, 2 * 1 + 31);
    WANT_FINI(c_caller, &v);
}

// What a thread with a painted stack used of it, in bytes.
enum { PAINTED = 4 << 20 };

static void *run_passes(void *depth) {
    CO_VAR(pass) v = {};
    word n = *(word *)depth;
    WANT_STATUS(CO_INIT_STACK(pass, &v, n * KIT_LEVEL_BYTES + 65536, n), 0);
    word out = 0;
    WANT_STATUS(co_resume(CO_HANDLE(&v), 0, &out), CO_YIELDED);
    WANT_STATUS(co_resume(CO_HANDLE(&v), 0, &out), CO_YIELDED);
    WANT_STATUS(co_resume(CO_HANDLE(&v), 5, &out), CO_RETURNED);
    WANT(out, 5);
    WANT_FINI(pass, &v);
    return NULL;
}

static size_t native_stack_used(word depth) {
    unsigned char *stack = (unsigned char *)mmap(NULL, PAINTED, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        FAIL("no memory for a stack to paint");
    memset(stack, 0xA7, PAINTED);
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, PAINTED);
    if (pthread_create(&thread, &attributes, run_passes, &depth) != 0)
        FAIL("no thread");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    size_t clean = 0;
    while (clean < PAINTED && stack[clean] == 0xA7)
        clean++;
    munmap(stack, PAINTED);
    return PAINTED - clean;
}

KIT_CHECK(flat_stack, CO_CAP_FLAT_STACK | CO_CAP_RECURSION, KIT_ALWAYS,
          "the resumer's native stack is used no more at depth 1000 than at depth 1") {
    native_stack_used(1000); // what is needed once only: symbols, malloc's first block
    size_t shallow = native_stack_used(1), deep = native_stack_used(1000);
    if (deep > shallow + 4096)
        FAIL("%zu bytes at depth 1, %zu at depth 1000", shallow, deep);
}
#endif
