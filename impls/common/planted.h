// A slowdown of known size, for the tests that must find it.
//
// A build with -DCO_PLANTED_PERCENT=P and -DCO_PLANTED_ROUND_TRIP=I executes so many nops more at
// each resume that they are at least P percent of I, the instructions of a round trip; with P = 0
// none. Every other build sees no trace of this file. The percentage is worked out by the
// assembler, and `nop` is the same word on all architectures. With -DCO_PLANTED_NAME="..." the
// build goes by that name, so that one run can measure it beside the backend as it is.
#ifndef CO_PLANTED_H
#define CO_PLANTED_H

#ifdef CO_PLANTED_PERCENT
#define CO_PLANTED_STRING_(x) #x
#define CO_PLANTED_EXPANDED_(x) CO_PLANTED_STRING_(x)
// In assembly: CO_PLANTED_TEXT_, a string.
#define CO_PLANTED_TEXT_                                                                           \
    ".rept ((" CO_PLANTED_EXPANDED_(CO_PLANTED_PERCENT) ") * (" CO_PLANTED_EXPANDED_(              \
        CO_PLANTED_ROUND_TRIP) ") + 99) / 100\n\tnop\n\t.endr\n\t"
#define CO_PLANTED_() __asm__ volatile(CO_PLANTED_TEXT_)
#ifdef CO_PLANTED_NAME
#undef CO_BACKEND_NAME
#define CO_BACKEND_NAME CO_PLANTED_NAME
#endif
#else
#define CO_PLANTED_TEXT_ ""
#define CO_PLANTED_() ((void)0)
#endif

#endif
