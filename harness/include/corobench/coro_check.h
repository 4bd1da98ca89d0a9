// Included last by every backend.h: refuses a backend that was written for another contract or
// forgot a part.
#ifndef COROBENCH_CORO_CHECK_H
#define COROBENCH_CORO_CHECK_H

#if !defined(CO_BACKEND_CONTRACT)
#error "backend.h must define CO_BACKEND_CONTRACT, the contract version it was written for"
#elif CO_BACKEND_CONTRACT != CO_CONTRACT_VERSION
#error "this backend was written for another CO_CONTRACT_VERSION; see CONTRIBUTING.md"
#endif
#if !defined(CO_BACKEND_NAME) || !defined(CO_BACKEND_FAMILY) || !defined(CO_BACKEND_SUMMARY) ||    \
    !defined(CO_BACKEND_CAPS)
#error "backend.h must define CO_BACKEND_NAME, _FAMILY, _SUMMARY and _CAPS"
#endif
#if !defined(CORO_DECL) || !defined(CORO) || !defined(CO_BEGIN) || !defined(CO_END) ||             \
    !defined(CO_FINALLY) || !defined(CO_END_FINALLY) || !defined(CO_DISPATCH)
#error                                                                                             \
    "backend.h must define CORO_DECL, CORO, CO_BEGIN, CO_END, CO_FINALLY, CO_END_FINALLY, CO_DISPATCH"
#endif
#if !defined(CO_YIELD) || !defined(CO_CALL) || !defined(CO_CALLREC) || !defined(CO_RETURN) ||      \
    !defined(CO_DELEGATE) || !defined(CO_CCALL) || !defined(CO_SELF) || !defined(CO_DEEP_YIELD)
#error                                                                                             \
    "backend.h must define CO_YIELD, CO_CALL, CO_CALLREC, CO_RETURN, CO_DELEGATE, CO_CCALL, CO_SELF, \
CO_DEEP_YIELD"
#endif
#if !defined(CO_RAISE) || !defined(CO_TRY) || !defined(CO_CATCH) || !defined(CO_END_TRY)
#error "backend.h must define CO_RAISE, CO_TRY, CO_CATCH and CO_END_TRY"
#endif
#if !defined(CO_VAR) || !defined(CO_INIT) || !defined(CO_INIT_STACK) || !defined(CO_RESUME) ||     \
    !defined(CO_THROW) || !defined(CO_FINI) || !defined(CO_HANDLE)
#error                                                                                             \
    "backend.h must define CO_VAR, CO_INIT, CO_INIT_STACK, CO_RESUME, CO_THROW, CO_FINI and CO_HANDLE"
#endif

// ---- Awaiting, for every backend that has no way of its own
// --------------------------------------------------

#ifndef CO_AWAIT
// While the answer is pending the body yields; the flag tells that from an item.
CO_INLINE bool co_await_asked_(struct co_awaitable *awaitable) {
    struct co_result answer = co_ask(awaitable);
    CO_RT(awaiting).answer = answer;
    CO_RT(awaiting).pending = answer.st == CO_PENDING;
    return answer.st != CO_PENDING;
}
// Whether a body is to be suspended before it asks.
#ifndef CO_AWAIT_LATER_
#define CO_AWAIT_LATER_() false
#endif
#define CO_AWAIT(lv, awaitable)                                                                    \
    do {                                                                                           \
        while (CO_AWAIT_LATER_() || !co_await_asked_(awaitable))                                   \
            CO_YIELD(CO_RT(awaiting).sent, 0);                                                     \
        if (CO_UNLIKELY(CO_RT(awaiting).answer.st != CO_RETURNED))                                 \
            CO_RAISE(CO_RT(awaiting).answer.v);                                                    \
        (lv) = (__typeof__(lv))CO_RT(awaiting).answer.v;                                           \
    } while (0)

// A co_poll may be part of another one: an awaitable may drive a coroutine.
CO_INLINE int co_poll(co_handle co, const struct co_waker *waker, word in, word *out) {
    const struct co_waker *outer = CO_RT(awaiting).waker;
    CO_RT(awaiting).waker = waker;
    CO_RT(awaiting).pending = false;
    int status = co_resume(co, in, out);
    if (CO_RT(awaiting).pending)
        status = CO_PENDING;
    CO_RT(awaiting).pending = false;
    CO_RT(awaiting).waker = outer;
    return status;
}
#endif

// A coroutine as a future: what runtime.h spawns, with its handle as the state.
__attribute__((unused)) static struct co_result co_task_poll(void *co,
                                                             const struct co_waker *waker) {
    struct co_result answer = {0, 0};
    answer.st = (word)co_poll((co_handle)co, waker, 0, &answer.v);
    return answer;
}

#ifdef CO_RUNTIME
struct co_awaiting CO_RT(awaiting);
#endif

#endif
