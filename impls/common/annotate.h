// What checkers are told of stacks and switches: AddressSanitizer, ThreadSanitizer and Valgrind
// take a stack pointer that jumps for a mistake.
//
// Nothing of it is in a timed build. ASan and TSan are known by the compiler's flags; Valgrind
// looks at the program from outside, so checked builds always tell it (a few no-op instructions
// without it). Sources: sanitizer/common_interface_defs.h, sanitizer/tsan_interface.h, and the
// Valgrind manual, 2.4 "The Client Request mechanism".
#ifndef CO_ANNOTATE_H
#define CO_ANNOTATE_H

#include "corobench/coro.h"

#if defined(__has_feature)
#define CO_HAS_FEATURE_(x) __has_feature(x)
#else
#define CO_HAS_FEATURE_(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || CO_HAS_FEATURE_(address_sanitizer)
#define CO_STACK_ASAN 1
#else
#define CO_STACK_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || CO_HAS_FEATURE_(thread_sanitizer)
#define CO_STACK_TSAN 1
#else
#define CO_STACK_TSAN 0
#endif
#if CO_CHECKED && defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#define CO_STACK_VALGRIND 1
#endif
#endif
#ifndef CO_STACK_VALGRIND
#define CO_STACK_VALGRIND 0
#endif
#define CO_ANNOTATED (CO_STACK_ASAN || CO_STACK_TSAN)

#if CO_STACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if CO_STACK_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if CO_STACK_VALGRIND
#include <valgrind/valgrind.h>
#define CO_VALGRIND_STACK_(low, high) VALGRIND_STACK_REGISTER((low), (high))
#define CO_VALGRIND_NO_STACK_(id) VALGRIND_STACK_DEREGISTER(id)
#endif

#if CO_ANNOTATED
// In the control block of a coroutine with a stack of its own.
struct co_notes {
#if CO_STACK_ASAN
    void *body_fake, *resumer_fake;
    const void *resumer_low;
    size_t resumer_bytes;
#endif
#if CO_STACK_TSAN
    void *body_fiber, *resumer_fiber;
#endif
};
#endif

// Each of these stands directly beside the switch that it announces, in the function that switches:
// TSan keeps a stack of calls for each fiber. `notes` is not evaluated where nothing is annotated.

#if CO_STACK_ASAN
#define CO_ASAN_(statement) statement
#else
#define CO_ASAN_(statement)
#endif
#if CO_STACK_TSAN
#define CO_TSAN_(statement) statement
#else
#define CO_TSAN_(statement)
#endif

// A coroutine has got the stack [low, high).
#define CO_NOTE_CREATED_(notes, low, high)                                                         \
    do {                                                                                           \
        CO_ASAN_(ASAN_UNPOISON_MEMORY_REGION((low), (size_t)((high) - (low)));)                    \
        CO_TSAN_((notes)->body_fiber = __tsan_create_fiber(0);)                                    \
    } while (0)
// It will never run again.
#define CO_NOTE_CLOSED_(notes)                                                                     \
    do {                                                                                           \
        CO_TSAN_(__tsan_destroy_fiber((notes)->body_fiber);)                                       \
    } while (0)
// The resumer goes to the coroutine's stack [low, high), and is back.
#define CO_NOTE_ENTERING_(notes, low, high)                                                        \
    do {                                                                                           \
        CO_ASAN_(__sanitizer_start_switch_fiber(&(notes)->resumer_fake, (low),                     \
                                                (size_t)((high) - (low)));)                        \
        CO_TSAN_((notes)->resumer_fiber = __tsan_get_current_fiber();)                             \
        CO_TSAN_(__tsan_switch_to_fiber((notes)->body_fiber, 0);)                                  \
    } while (0)
#define CO_NOTE_BACK_(notes)                                                                       \
    do {                                                                                           \
        CO_ASAN_(__sanitizer_finish_switch_fiber((notes)->resumer_fake, NULL, NULL);)              \
    } while (0)
// The body starts on its stack; leaves it for a while; arrives on it again; leaves it for good.
#define CO_NOTE_STARTED_(notes)                                                                    \
    do {                                                                                           \
        CO_ASAN_(__sanitizer_finish_switch_fiber(NULL, &(notes)->resumer_low,                      \
                                                 &(notes)->resumer_bytes);)                        \
    } while (0)
#define CO_NOTE_LEAVING_(notes)                                                                    \
    do {                                                                                           \
        CO_ASAN_(__sanitizer_start_switch_fiber(&(notes)->body_fake, (notes)->resumer_low,         \
                                                (notes)->resumer_bytes);)                          \
        CO_TSAN_(__tsan_switch_to_fiber((notes)->resumer_fiber, 0);)                               \
    } while (0)
#define CO_NOTE_ARRIVED_(notes)                                                                    \
    do {                                                                                           \
        CO_ASAN_(__sanitizer_finish_switch_fiber((notes)->body_fake, &(notes)->resumer_low,        \
                                                 &(notes)->resumer_bytes);)                        \
    } while (0)
#define CO_NOTE_LAST_(notes) /* NULL: its fake frames may go */                                    \
    do {                                                                                           \
        CO_ASAN_(                                                                                  \
            __sanitizer_start_switch_fiber(NULL, (notes)->resumer_low, (notes)->resumer_bytes);)   \
        CO_TSAN_(__tsan_switch_to_fiber((notes)->resumer_fiber, 0);)                               \
    } while (0)

#endif
