// Storage for the frames of coroutine calls: malloc and free for each.
//
// What a compiler does whose programs do not say otherwise: C++20's operator new, a boxed future.
#ifndef CO_FRAMES_MALLOC_H
#define CO_FRAMES_MALLOC_H

#include "common/frames_limit.h"

#include <stdlib.h>

// A frame of `bytes`, or NULL. Its contents are indeterminate. Counted only where a limit is set:
// it can be set only while there is no frame.
CO_INLINE void *co_frame_new(size_t bytes) {
    if (CO_UNLIKELY(CO_RT(frame_memory).limit != 0))
        return CO_RT(frame_malloc)(bytes);
    void *frame = malloc(bytes);
    return CO_LIKELY(frame != NULL) ? frame : CO_RT(frame_refused)();
}

// Takes back a frame of co_frame_new with the same `bytes`.
CO_INLINE void co_frame_free(void *frame, size_t bytes) {
    if (CO_UNLIKELY(CO_RT(frame_memory).limit != 0))
        CO_RT(frame_release)(frame, bytes);
    else
        free(frame);
}

#ifdef CO_RUNTIME
CO_EXPORT void CO_RT(backend_trim)(void) {
    // Nothing is kept.
}
#endif

#endif
