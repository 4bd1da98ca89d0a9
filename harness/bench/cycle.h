// The length of one core cycle, estimated without a cycle counter.
#ifndef CB_BENCH_CYCLE_H
#define CB_BENCH_CYCLE_H

#include <stdint.h>

// Nanoseconds of the monotonic clock; the clock that Google Benchmark times with.
uint64_t cb_now_ns(void);

// Nanoseconds of one cycle: a chain of dependent register-to-register additions, each of which
// takes one cycle on every core of interest, timed and divided. The quickest of a few short chains,
// because an interrupt can only lengthen one. Takes about 0.1 ms.
double cb_cycle_ns(void);

// How many independent additions the core makes in a cycle of this length. Another hardware thread
// of the same core, which a virtual machine may share with a stranger, takes a part of them, while
// a chain of dependent ones stays as quick as it is: cycle_ns does not show it. The better one of
// two tries, which take some 0.03 ms together.
double cb_cycle_width(double cycle_ns);

// How the chain was written: the architecture's name, or "portable" where the compiler chose the
// instruction, so that one cycle an addition is likely but not known.
const char *cb_cycle_chain(void);

// Nanoseconds that an empty counting loop of `n` rounds takes. Measured over a fixed number of
// rounds and scaled, so that it is neither lost in the clock's resolution nor long.
double cb_loop_ns(uint64_t n);

#endif
