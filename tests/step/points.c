// A body with enough resume points for a jump table.
#define CO_UNIT points
#include <backend.h>

CORO_DECL(points, (word n;), (word x;), ())
CORO(points) {
    CO_BEGIN(points)
        CO_YIELD(my->x, my->n);
        CO_YIELD(my->x, my->x - 3);
        CO_YIELD(my->x, my->x ^ my->n);
        CO_YIELD(my->x, my->x + 7);
        CO_YIELD(my->x, my->x - my->n);
        CO_YIELD(my->x, my->x | 1);
        CO_YIELD(my->x, my->x ^ 5);
        CO_YIELD(my->x, ~my->x);
        CO_RETURN(my->x);
    CO_END
}
