// Storage inside the caller: the frames of a body's callees lie in one union in its own frame.
//
// One callee runs at a time, so a frame needs room for the largest of them, not for all. The size
// of a whole tree of calls is known to the compiler: it is one object, allocated by whoever owns
// the root. A body that calls itself would contain itself; such callees (REC) are boxed, each in a
// frame of its own from the arena, and the union holds the pointer.
//
// Included before a resume (resume_chain.h, resume_leaf.h), which makes the calls.
#ifndef CO_FRAMES_EMBEDDED_H
#define CO_FRAMES_EMBEDDED_H

#include "common/frames_arena.h"

#define SUB(name) struct co_frame_##name co_sub_##name;
#define REC(name) struct co_frame_##name *co_rec_##name;
#define CO_CALLEES_(callees)                                                                       \
    union {                                                                                        \
        char co_no_callee_[0]; /* C++ wants a member where there are none */                       \
        CO_STRIP callees                                                                           \
    };

#define CO_CALLEE_LINK_
#define CO_CALL_AT_(id, lv, name, ...) CO_CALL_HERE_(id, lv, &my->co_sub_##name, name, __VA_ARGS__)
#define CO_CALLREC_AT_(id, lv, name, ...) CO_CALL_NEW_(id, lv, my->co_rec_##name, name, __VA_ARGS__)

#endif
