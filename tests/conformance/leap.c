// A function whose frame is as large as it is told, and which touches only the far end of it. Built
// twice: with -fstack-clash-protection, when the compiler's own code touches each page, and
// without.
#include <alloca.h>
#include "kit.h"

__attribute__((noinline, no_sanitize_address)) word KIT_LEAP(word bytes) {
    volatile unsigned char *block = (volatile unsigned char *)alloca(bytes);
    block[0] = 0x1E;
    return block[0];
}
