// CO_TRY ... CO_CATCH ... CO_END_TRY for bodies whose errors are values and whose ways out are
// labels.
//
// A lowering has defined CO_ERROR_, where an error is while it is on its way. CO_RAISE and a resume
// that raises jump to co_fail_.
#ifndef CO_TRY_H
#define CO_TRY_H

// The nearest co_fail_ in scope is the handler: no record, no test, nothing to undo on the way out.
#define CO_TRY                                                                                     \
    {                                                                                              \
        __label__ co_caught_, co_done_;                                                            \
        {                                                                                          \
            __label__ co_fail_;                                                                    \
            {
#define CO_CATCH(lv)                                                                               \
    }                                                                                              \
    goto co_done_;                                                                                 \
    co_fail_:                                                                                      \
    __attribute__((unused));                                                                       \
    goto co_caught_;                                                                               \
    }                                                                                              \
    co_caught_:                                                                                    \
    (lv) = (__typeof__(lv))CO_ERROR_;                                                              \
    {
#define CO_END_TRY                                                                                 \
    }                                                                                              \
    co_done_:;                                                                                     \
    }

#endif
