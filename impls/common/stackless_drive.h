// Driving a stackless coroutine, the same for every lowering: inline in the program, out of line in
// a library.
//
// The lowering has defined co_create_here_, co_resume_here_, co_throw_here_ and co_close_here_
// (inline functions over its co_handle), and co_step. A library exports one table of their
// out-of-line copies, and its users call through it.
#ifndef CO_STACKLESS_DRIVE_H
#define CO_STACKLESS_DRIVE_H

struct co_library {
    void (*create)(co_handle co, co_step step);
    int (*resume)(co_handle co, word in, word *out);
    int (*raise)(co_handle co, word error, word *out);
    int (*close)(co_handle co);
};

#ifdef __cplusplus
extern "C" {
#endif
extern CO_EXPORT const struct co_library co_library;
#ifdef __cplusplus
}
#endif

#if CO_BINDING == CO_BINDING_LIBRARY
#define CO_CREATE_(co, step) co_library.create((co), (step))
#define co_resume(co, in, out) co_library.resume((co), (in), (out))
#define co_throw(co, error, out) co_library.raise((co), (error), (out))
#define co_close(co) co_library.close(co)
#else
#define CO_CREATE_(co, step) co_create_here_((co), (step))
#define co_resume(co, in, out) co_resume_here_((co), (in), (out))
#define co_throw(co, error, out) co_throw_here_((co), (error), (out))
#define co_close(co) co_close_here_(co)
#endif

#define CO_INIT(name, v, ...) co_init_##name((v), CO_ARGS_(name, __VA_ARGS__))
// There is no stack whose size could be chosen.
#define CO_INIT_STACK(name, v, bytes, ...) ((void)(bytes), CO_INIT(name, v, __VA_ARGS__))

// One resume, throw or close of another coroutine on behalf of a body that delegates to it. Misuse
// of the handle is raised in that body, as the error word of its code.
static __attribute__((noinline, unused)) struct co_result co_delegate_(co_handle co, word in,
                                                                       unsigned mode) {
    word out = 0;
    int status;
    if (mode == 2) { // closing: the other is closed first, innermost cleanups first
        status = co_close(co);
        return co_result_((word)status, status < 0 ? (word)CO_FAILED : (word)CO_CLOSED_);
    }
    status = mode == 0 ? co_resume(co, in, &out) : co_throw(co, in, &out);
    return status < 0 ? co_result_((word)status, CO_FAILED) : co_result_(out, (word)status);
}

#if defined(CO_RUNTIME) && CO_BINDING == CO_BINDING_LIBRARY
static void co_create_far_(co_handle co, co_step step) {
    co_create_here_(co, step);
}
static int co_resume_far_(co_handle co, word in, word *out) {
    return co_resume_here_(co, in, out);
}
static int co_throw_far_(co_handle co, word error, word *out) {
    return co_throw_here_(co, error, out);
}
static int co_close_far_(co_handle co) {
    return co_close_here_(co);
}
const struct co_library co_library = {co_create_far_, co_resume_far_, co_throw_far_, co_close_far_};
#endif

#endif
