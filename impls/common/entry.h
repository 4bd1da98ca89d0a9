// What a resume, a throw and a close look at in a checked build before they enter a coroutine, and
// note: that it runs.
//
// The lowering has defined, where CO_CHECKED, co_misuse_ (0 or an enum co_error), and its control
// block has `running`. It defines CO_EXIT_, for what an exit notes differs.
#ifndef CO_ENTRY_H
#define CO_ENTRY_H

#if CO_CHECKED
// Returns from the function that it stands in where the call is misuse.
#define CO_ENTER_(co)                                                                              \
    int co_misuse_here_ = co_misuse_(co);                                                          \
    if (co_misuse_here_ < 0)                                                                       \
        return co_misuse_here_;                                                                    \
    (co)->running = 1
// A close of what has ended, or never was, is none.
#define CO_ENTER_TO_CLOSE_(co)                                                                     \
    if ((co)->running)                                                                             \
        return CO_E_RUNNING;                                                                       \
    (co)->running = 1
#else
#define CO_ENTER_(co) ((void)0)
#define CO_ENTER_TO_CLOSE_(co) ((void)0)
#endif

#endif
