// Storage for the frames of coroutine calls: size classes of 16 bytes, a free list each, filled
// from an arena.
//
// A freed frame is the next one handed out, so a call that returns leaves its lines in the cache
// for the next call. The lists belong to the process and take no lock: one thread resumes, as in
// all stackless backends here.
#ifndef CO_FRAMES_ARENA_H
#define CO_FRAMES_ARENA_H

#include "common/frames_limit.h"

enum {
    CO_FRAME_GRAIN = 16,   // bytes; also the alignment of a frame
    CO_FRAME_CLASSES = 65, // the largest pooled frame has 64 grains; a larger one comes from malloc
    CO_FRAME_BLOCK = 64 << 10, // bytes asked of malloc at a time
};

// A body that asks for a frame would have to save the registers that a call may change, and both
// compilers save them where it is entered, at each resume. So the rare call saves them itself. It
// has no result: clang 14 restores the result's register too.
#if defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#define CO_KEEPS_REGISTERS_ __attribute__((preserve_most))
#else
#define CO_KEEPS_REGISTERS_
#endif

struct co_frames {
    void *free[CO_FRAME_CLASSES]; // first word of a free frame is the link
    char *bump, *end;             // the rest of the newest block
    void *blocks;                 // all blocks, linked by their first word
};

#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_frames CO_RT(frames);
// A frame that the lists do not have, or NULL.
__attribute__((visibility("hidden"))) void *CO_RT(frames_more)(size_t bytes);
// Puts a frame of that size on its list, if there is memory.
__attribute__((visibility("hidden"))) CO_KEEPS_REGISTERS_ void CO_RT(frames_fill)(size_t bytes);
#ifdef __cplusplus
}
#endif

// The bytes that a frame takes.
CO_INLINE size_t co_frame_size_(size_t bytes) {
    return (bytes + CO_FRAME_GRAIN - 1) / CO_FRAME_GRAIN * CO_FRAME_GRAIN;
}

// Under AddressSanitizer each frame is malloc's own, so that a use after return is seen.
#if defined(__SANITIZE_ADDRESS__)
#define CO_FRAMES_POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CO_FRAMES_POOLED 0
#endif
#endif
#ifndef CO_FRAMES_POOLED
#define CO_FRAMES_POOLED 1
#endif

// A frame of `bytes` (a constant, so the class folds), or NULL. Its contents are indeterminate.
CO_INLINE void *co_frame_new(size_t bytes) {
    size_t class_ = co_frame_size_(bytes) / CO_FRAME_GRAIN;
    if (CO_FRAMES_POOLED && class_ < CO_FRAME_CLASSES) {
        if (CO_UNLIKELY(CO_RT(frames).free[class_] == NULL))
            CO_RT(frames_fill)(bytes);
        void *frame = CO_RT(frames).free[class_];
        if (CO_LIKELY(frame != NULL))
            CO_RT(frames).free[class_] = *(void **)frame;
        return frame;
    }
    return CO_RT(frames_more)(bytes);
}

// Takes back a frame of co_frame_new with the same `bytes`.
CO_INLINE void co_frame_free(void *frame, size_t bytes) {
    size_t class_ = co_frame_size_(bytes) / CO_FRAME_GRAIN;
    if (CO_FRAMES_POOLED && class_ < CO_FRAME_CLASSES) {
        *(void **)frame = CO_RT(frames).free[class_];
        CO_RT(frames).free[class_] = frame;
    } else {
        CO_RT(frame_release)(frame, co_frame_size_(bytes));
    }
}

#ifdef CO_RUNTIME
#include <string.h>

struct co_frames CO_RT(frames);

// Carves a frame off the newest block; what is left of an older block is too small and stays
// unused.
void *CO_RT(frames_more)(size_t bytes) {
    struct co_frames *all = &CO_RT(frames);
    size_t size = co_frame_size_(bytes);
    if (!CO_FRAMES_POOLED || size / CO_FRAME_GRAIN >= CO_FRAME_CLASSES)
        return CO_RT(frame_malloc)(size);
    if ((size_t)(all->end - all->bump) < size) {
        char *block = (char *)CO_RT(frame_malloc)(CO_FRAME_BLOCK);
        if (block == NULL)
            return NULL;
        *(void **)block = all->blocks;
        all->blocks = block;
        all->bump = block + CO_FRAME_GRAIN;
        all->end = block + CO_FRAME_BLOCK;
    }
    void *frame = all->bump;
    all->bump += size;
    return frame;
}

void CO_RT(frames_fill)(size_t bytes) {
    void *frame = CO_RT(frames_more)(bytes);
    if (frame != NULL)
        co_frame_free(frame, bytes);
}

CO_EXPORT void CO_RT(backend_trim)(void) {
    struct co_frames *all = &CO_RT(frames);
    for (void *block = all->blocks, *next; block != NULL; block = next) {
        next = *(void **)block;
        CO_RT(frame_release)(block, CO_FRAME_BLOCK);
    }
    memset(all->free, 0, sizeof all->free);
    all->blocks = NULL;
    all->bump = all->end = NULL;
}
#endif // CO_RUNTIME

#endif
