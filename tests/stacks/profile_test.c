// Three bodies for profile.sh: two without a static bound, one with. Prints the class of each; with
// the argument "run" the second one stays out of the profile.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <backend.h>

CORO_DECL(seen, (word(*f)(word);), (word x;), ())
CORO_DECL(unseen, (word(*f)(word);), (word x;), ())
CORO_DECL(flat, (word a;), (word x;), ())

#if CO_PART_BODIES
CORO(seen) {
    CO_BEGIN(seen)
        CO_YIELD(my->x, CO_CCALL(my->f, 1));
        CO_RETURN(my->x);
    CO_END
}
CORO(unseen) {
    CO_BEGIN(unseen)
        CO_YIELD(my->x, CO_CCALL(my->f, 1));
        CO_RETURN(my->x);
    CO_END
}
CORO(flat) {
    CO_BEGIN(flat)
        CO_YIELD(my->x, my->a);
        CO_RETURN(my->x);
    CO_END
}
#define CO_BODIES(_) _(seen) _(unseen) _(flat)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static word deep(word a) {
    char buffer[700];
    memset(buffer, (int)a, sizeof buffer);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    return a;
}

int main(int argc, char **argv) {
    CO_VAR(seen) s;
    CO_VAR(unseen) u;
    CO_VAR(flat) f;
    word out;
    if (CO_INIT(seen, &s, deep) != 0 || CO_INIT(unseen, &u, deep) != 0 || CO_INIT(flat, &f, 1) != 0)
        return 1;
    printf("%u %u %u\n", s.co_.stack->chunk->class_, u.co_.stack->chunk->class_,
           f.co_.stack->chunk->class_);
    if (CO_RESUME(seen, &s, 0, &out) != CO_YIELDED || CO_RESUME(flat, &f, 0, &out) != CO_YIELDED)
        return 1;
    CO_FINI(seen, &s);
    CO_FINI(flat, &f);
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return 0;
    CO_FINI(unseen, &u);
    return 0;
}
#endif
