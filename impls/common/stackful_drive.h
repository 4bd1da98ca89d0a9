// Driving a coroutine that has a stack, the same for every lowering: inline in the program, out of
// line in a library.
//
// The lowering has defined co_create_here_, co_resume_here_, co_throw_here_ and co_close_here_. In
// a library it also defines CO_RESUME_FAR_ and CO_YIELD_FAR_, the functions behind the table's
// resume and yield.
#ifndef CO_STACKFUL_DRIVE_H
#define CO_STACKFUL_DRIVE_H

#define CO_INIT(name, v, ...) co_init_##name((v), 0, CO_ARGS_(name, __VA_ARGS__))
#define CO_INIT_STACK(name, v, bytes, ...) co_init_##name((v), (bytes), CO_ARGS_(name, __VA_ARGS__))
#define CO_RESUME(name, v, in, out) co_resume(CO_HANDLE(v), (in), (out))
#define CO_THROW(name, v, error, out) co_throw(CO_HANDLE(v), (error), (out))
#define CO_FINI(name, v) co_close(CO_HANDLE(v))

// An operations table: how a user of the library binding drives coroutines, and how its bodies
// yield.
struct co_library {
    int (*create)(co_handle co, void (*entry)(void *), size_t bytes);
    struct co_result (*resume)(co_handle co, word in);
    int (*raise)(co_handle co, word error, word *out);
    int (*close)(co_handle co);
    word (*yield)(co_handle co, word v);
};

#ifdef __cplusplus
extern "C" {
#endif
extern CO_EXPORT const struct co_library co_library;
#ifdef __cplusplus
}
#endif

CO_INLINE int co_answer_(struct co_result r, word *out) {
    *out = r.v;
    return (int)r.st;
}

#if CO_BINDING == CO_BINDING_LIBRARY
#define CO_CREATE_(co, entry, bytes) co_library.create((co), (entry), (bytes))
#define CO_SWITCH_OUT_(co, v) co_library.yield((co), (v))
#define co_resume(co, in, out) co_answer_(co_library.resume((co), (in)), (out))
#define co_throw(co, error, out) co_library.raise((co), (error), (out))
#define co_close(co) co_library.close(co)
#else
#define CO_CREATE_(co, entry, bytes) co_create_here_((co), (entry), (bytes))
#define CO_SWITCH_OUT_(co, v) co_switch_out_((co), (v))
#define co_resume(co, in, out) co_answer_(co_resume_here_((co), (in)), (out))
#define co_throw(co, error, out) co_throw_here_((co), (error), (out))
#define co_close(co) co_close_here_(co)
#endif

// Passes on what `other` yields and what is sent to it, errors and close included; gives its
// result. Misuse of `other` is raised in the delegating body, as the error word of its code.
static __attribute__((noinline, unused)) word co_delegate_(co_handle self, co_handle other) {
    struct co_handler h;
    word out = 0;
    int status;
    co_handler_push_(self, &h, CO_CLEANS_UP_);
    if (CO_MARK_(h.at) == 0) {
        status = co_resume(other, 0, &out);
    } else {
        if (self->closing) {
            co_close(other);
            co_unwind_(self);
        }
        co_handler_push_(self, &h, CO_CLEANS_UP_);
        status = co_throw(other, self->error, &out);
    }
    while (status == CO_YIELDED)
        status = co_resume(other, CO_SWITCH_OUT_(self, out), &out);
    co_handler_pop_(&h);
    if (status != CO_RETURNED)
        co_raise_(self, status < 0 ? (word)status : out);
    return out;
}

#if defined(CO_RUNTIME) && CO_BINDING == CO_BINDING_LIBRARY
static int co_create_far_(co_handle co, void (*entry)(void *), size_t bytes) {
    return co_create_here_(co, entry, bytes);
}
static int co_throw_far_(co_handle co, word error, word *out) {
    return co_throw_here_(co, error, out);
}
static int co_close_far_(co_handle co) {
    return co_close_here_(co);
}
const struct co_library co_library = {co_create_far_, CO_RESUME_FAR_, co_throw_far_, co_close_far_,
                                      CO_YIELD_FAR_};
#endif

#endif
