// The dependent-add calibration, and the empty loop.
#include "cycle.h"

#include <time.h>

#define ADDS_IN_BLOCK 128
#define BLOCKS 256
#define TRIES 4
#define LOOP_ROUNDS 100000
#define WIDE_ROUNDS 1024
#define WIDE_TRIES 2

#if defined(__x86_64__)
#define CHAIN "x86-64"
#define ADD_TEXT "add %1, %0"
#define WIDE_TEXT "add %5, %0\n\tadd %5, %1\n\tadd %5, %2\n\tadd %5, %3"
#define WIDE_NEXT "dec %4\n\tjnz 1b"
#elif defined(__aarch64__)
#define CHAIN "aarch64"
#define ADD_TEXT "add %0, %0, %1"
#define WIDE_TEXT "add %0, %0, %5\n\tadd %1, %1, %5\n\tadd %2, %2, %5\n\tadd %3, %3, %5"
#define WIDE_NEXT "subs %4, %4, #1\n\tb.ne 1b"
#elif defined(__riscv) && __riscv_xlen == 64
#define CHAIN "riscv64"
#define ADD_TEXT "add %0, %0, %1"
#define WIDE_TEXT "add %0, %0, %5\n\tadd %1, %1, %5\n\tadd %2, %2, %5\n\tadd %3, %3, %5"
#define WIDE_NEXT "addi %4, %4, -1\n\tbnez %4, 1b"
#else
#define CHAIN "portable"
#endif

uint64_t cb_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Both operands are registers: some cores add an immediate for nothing while renaming registers.
static inline __attribute__((always_inline)) uint64_t add_block(uint64_t sum, uint64_t step) {
#ifdef ADD_TEXT
    __asm__ volatile(".rept 128\n\t" ADD_TEXT "\n\t.endr" : "+r"(sum) : "r"(step) : "cc");
#else
    for (int i = 0; i < ADDS_IN_BLOCK; i += 8) {
#define ADD                                                                                        \
    sum += step;                                                                                   \
    __asm__ volatile("" : "+r"(sum));
        ADD ADD ADD ADD ADD ADD ADD ADD
#undef ADD
    }
#endif
    return sum;
}

double cb_cycle_ns(void) {
    uint64_t best = UINT64_MAX;
    uint64_t sum = 0, step = 1;
    __asm__ volatile("" : "+r"(step));
    for (int try = 0; try < TRIES; try++) {
        uint64_t start = cb_now_ns();
        for (int block = 0; block < BLOCKS; block++)
            sum = add_block(sum, step);
        uint64_t took = cb_now_ns() - start;
        best = took < best ? took : best;
    }
    __asm__ volatile("" : : "r"(sum));
    return (double)best / ((double)ADDS_IN_BLOCK * BLOCKS);
}

// WIDE_ROUNDS times 128 additions to four sums in turn. The loop begins with a cache line: where it
// lies would matter as much as who shares the core.
static void add_wide(uint64_t sums[4], uint64_t step) {
    uint64_t rounds = WIDE_ROUNDS;
#ifdef WIDE_TEXT
    __asm__ volatile(".p2align 6\n1:\n\t.rept 32\n\t" WIDE_TEXT "\n\t.endr\n\t" WIDE_NEXT
                     : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3]), "+r"(rounds)
                     : "r"(step)
                     : "cc");
#else
    for (; rounds > 0; rounds--)
        for (int i = 0; i < ADDS_IN_BLOCK; i++) {
            sums[i % 4] += step;
            __asm__ volatile("" : "+r"(sums[i % 4]));
        }
#endif
}

double cb_cycle_width(double cycle_ns) {
    uint64_t best = UINT64_MAX;
    uint64_t sums[4] = {0, 1, 2, 3}, step = 1;
    __asm__ volatile("" : "+r"(step));
    for (int try = 0; try < WIDE_TRIES; try++) {
        uint64_t start = cb_now_ns();
        add_wide(sums, step);
        uint64_t took = cb_now_ns() - start;
        best = took < best ? took : best;
    }
    __asm__ volatile("" : : "r"(sums[0] + sums[1] + sums[2] + sums[3]));
    return (double)ADDS_IN_BLOCK * WIDE_ROUNDS * cycle_ns / (double)(best > 0 ? best : 1);
}

const char *cb_cycle_chain(void) {
    return CHAIN;
}

static __attribute__((noinline)) void empty_loop(uint64_t rounds) {
    for (uint64_t i = 0; i < rounds; i++)
        __asm__ volatile("" : "+r"(i));
}

double cb_loop_ns(uint64_t n) {
    uint64_t best = UINT64_MAX;
    for (int try = 0; try < 3; try++) {
        uint64_t start = cb_now_ns();
        empty_loop(LOOP_ROUNDS);
        uint64_t took = cb_now_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best * ((double)n / LOOP_ROUNDS);
}
