// The dependent-add calibration, and the empty loop.
#include "cycle.h"

#include <time.h>

#define ADDS_IN_BLOCK 128
#define BLOCKS 512
#define TRIES 4
#define LOOP_ROUNDS 200000

#if defined(__x86_64__)
#define CHAIN "x86-64"
#define ADD_TEXT "add %1, %0"
#elif defined(__aarch64__)
#define CHAIN "aarch64"
#define ADD_TEXT "add %0, %0, %1"
#elif defined(__riscv) && __riscv_xlen == 64
#define CHAIN "riscv64"
#define ADD_TEXT "add %0, %0, %1"
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
