// What all storage for the frames of coroutine calls shares: malloc under a limit that can be set,
// and the reason when a frame was refused.
#ifndef CO_FRAMES_LIMIT_H
#define CO_FRAMES_LIMIT_H

#include "corobench/coro.h"
#include "common/mutant.h"

struct co_frame_memory {
    size_t held, limit; // bytes from malloc, and the most that may be held (0: no limit)
};

#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_frame_memory CO_RT(frame_memory);
// malloc that counts; NULL, with a reason, where the limit or memory ends.
__attribute__((visibility("hidden"))) void *CO_RT(frame_malloc)(size_t bytes);
// Takes back what frame_malloc gave for the same `bytes`.
__attribute__((visibility("hidden"))) void CO_RT(frame_release)(void *memory, size_t bytes);
// For who called malloc itself: notes that it found nothing. Gives NULL.
__attribute__((visibility("hidden"))) void *CO_RT(frame_refused)(void);
#ifdef __cplusplus
}
#endif

#ifdef CO_RUNTIME
#include <stdlib.h>

struct co_frame_memory CO_RT(frame_memory);

static const char *co_frame_reason_ = "no allocation has failed";

void *CO_RT(frame_refused)(void) {
    if (CO_MUTATE(silent_failure, true, false))
        co_frame_reason_ = "malloc found no memory for a frame";
    return NULL;
}

void *CO_RT(frame_malloc)(size_t bytes) {
    struct co_frame_memory *all = &CO_RT(frame_memory);
    if (all->limit != 0 && all->held + bytes > all->limit) {
        co_frame_reason_ = "the memory limit set for frames is reached";
        return NULL;
    }
    void *p = malloc(bytes);
    if (p == NULL)
        return CO_RT(frame_refused)();
    all->held += bytes;
    return p;
}

void CO_RT(frame_release)(void *memory, size_t bytes) {
    CO_RT(frame_memory).held -= bytes;
    free(memory);
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    CO_RT(frame_memory).limit = config->memory_limit;
    return 0;
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_frame_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
struct co_limit co_backend_limit(void) {
    return (struct co_limit){SIZE_MAX, "memory"};
}
#endif
#endif // CO_RUNTIME

#endif
