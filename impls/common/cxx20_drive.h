// Driving a C++20 coroutine, the same for every lowering: inline in the program, out of line in a
// library.
//
// The lowering has defined co_go_ (resumes and says how it ended) and co_destroy_ (all frames,
// innermost first).
#ifndef CO_CXX20_DRIVE_H
#define CO_CXX20_DRIVE_H

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_cxx20 *co) {
    return co->running        ? CO_E_RUNNING
           : co->finished     ? CO_E_FINISHED
           : co->root == NULL ? CO_E_INVALID
                              : 0;
}
#define CO_EXIT_(co, status) ((co)->running = 0, (co)->finished = (status) != CO_YIELDED)
#else
#define CO_EXIT_(co, status) ((void)0)
#endif
#include "common/entry.h"

CO_INLINE int co_create_here_(struct co_cxx20 *co, struct co_promise *root) {
    co->root = root;
#if CO_CHECKED
    co->running = co->finished = 0;
#endif
    return CO_UNLIKELY(root == NULL) ? CO_E_NOMEM : 0;
}

CO_INLINE int co_resume_here_(struct co_cxx20 *co, word in, word *out) {
    CO_ENTER_(co);
    CO_PLANTED_();
    int status = co_go_(co->root, in, 0, out);
    CO_EXIT_(co, status);
    return status;
}

CO_INLINE int co_throw_here_(struct co_cxx20 *co, word error, word *out) {
    CO_ENTER_(co);
    int status = co_go_(co->root, error, CO_RAISED_, out);
    CO_EXIT_(co, status);
    return status;
}

CO_INLINE int co_close_here_(struct co_cxx20 *co) {
    CO_ENTER_TO_CLOSE_(co);
    if (co->root != NULL)
        co_destroy_(co->root);
    co->root = NULL;
    CO_EXIT_(co, CO_RETURNED);
    return 0;
}

// What a library exports beside the bodies: out-of-line copies, called through a table.
struct co_library {
    int (*resume)(co_handle co, word in, word *out);
    int (*raise)(co_handle co, word error, word *out);
    int (*close)(co_handle co);
};
extern "C" {
extern CO_EXPORT const struct co_library co_library;
}

#if CO_BINDING == CO_BINDING_LIBRARY
#define co_resume(co, in, out) co_library.resume((co), (in), (out))
#define co_throw(co, error, out) co_library.raise((co), (error), (out))
#define co_close(co) co_library.close(co)
#else
#define co_resume(co, in, out) co_resume_here_((co), (in), (out))
#define co_throw(co, error, out) co_throw_here_((co), (error), (out))
#define co_close(co) co_close_here_(co)
#endif

#define CO_INIT(name, v, ...) co_init_##name((v), CO_ARGS_(name, __VA_ARGS__))
// There is no stack whose size could be chosen.
#define CO_INIT_STACK(name, v, bytes, ...) ((void)(bytes), CO_INIT(name, v, __VA_ARGS__))
#define CO_RESUME(name, v, in, out) co_resume(CO_HANDLE(v), (in), (out))
#define CO_THROW(name, v, error, out) co_throw(CO_HANDLE(v), (error), (out))
#define CO_FINI(name, v) co_close(CO_HANDLE(v))

template <class Handle> co_delegation_<Handle>::~co_delegation_() {
    if (!over)
        co_close(handle());
}

// One resume or throw of the other coroutine, whichever this body was asked for. Misuse is raised
// here, as the error word of its code. Afterwards `value` is what it yielded, or how it ended.
template <class Handle> bool co_delegation_<Handle>::go_on(struct co_promise *promise) {
    word out = 0;
    int status = co_raised_(promise) ? co_throw(handle(), promise->value, &out)
                                     : co_resume(handle(), promise->value, &out);
    promise->value = status < 0 ? (word)status : out;
    over = status != CO_YIELDED;
    if (status < 0 || status == CO_FAILED)
        promise->bits |= CO_RAISED_;
    return !over;
}

#if defined(CO_RUNTIME) && CO_BINDING == CO_BINDING_LIBRARY
static int co_resume_far_(co_handle co, word in, word *out) {
    return co_resume_here_(co, in, out);
}
static int co_throw_far_(co_handle co, word error, word *out) {
    return co_throw_here_(co, error, out);
}
static int co_close_far_(co_handle co) {
    return co_close_here_(co);
}
const struct co_library co_library = {co_resume_far_, co_throw_far_, co_close_far_};
#endif

#endif
