// Storage for coroutine frames: the global operator new, as for every C++20 coroutine that says
// nothing else.
#ifndef CO_CXX20_NEW_H
#define CO_CXX20_NEW_H

#include "common/frames_limit.h"
#include <new>

// Counted only where a limit is set: it can be set only while there is no frame.
CO_INLINE void *co_frame_new(size_t bytes) {
    if (CO_UNLIKELY(CO_RT(frame_memory).limit != 0))
        return CO_RT(frame_malloc)(bytes);
    void *frame = ::operator new(bytes, std::nothrow);
    return CO_LIKELY(frame != NULL) ? frame : CO_RT(frame_refused)();
}

CO_INLINE void co_frame_free(void *frame, size_t bytes) {
    if (CO_UNLIKELY(CO_RT(frame_memory).limit != 0))
        CO_RT(frame_release)(frame, bytes);
    else
        ::operator delete(frame);
}

#ifdef CO_RUNTIME
CO_EXPORT void CO_RT(backend_trim)(void) {
    // Nothing is kept.
}
#endif

#endif
