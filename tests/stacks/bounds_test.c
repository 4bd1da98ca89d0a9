// Bodies for bounds.sh: each has one thing that a bound must count, or that leaves a body without
// one. Prints the bound of each, 0 where there is none, and runs all of them on painted stacks.
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <backend.h>

#define BODY(name) CORO_DECL(name, (word a; word(*f)(word);), (word x;), ())
#define ALL(_)                                                                                     \
    _(flat)                                                                                        \
    _(tail)                                                                                        \
    _(cold) _(aligned) _(many) _(table) _(pointer) _(jumps) _(variable) _(unknown) _(recursive)
ALL(BODY)

#define OWN static __attribute__((noinline, unused)) word

#if CO_PART_BODIES
#define USES(buffer, a)                                                                            \
    memset((buffer), (int)(a), sizeof(buffer));                                                    \
    __asm__ volatile("" : : "r"(buffer) : "memory")

// No frame: what it uses is its return address, the lowest word of the stack.
OWN leaf(word a) {
    __asm__ volatile("" : "+r"(a));
    return a;
}
OWN deep(word a) {
    char buffer[300];
    USES(buffer, a);
    return leaf(a);
}
OWN ends_in_jump(word a) {
    return deep(a + 1);
}
// In another section.
__attribute__((cold)) OWN seldom(word a) {
    char buffer[200];
    USES(buffer, a);
    return leaf(a) + 1;
}
OWN on_a_line(word a) {
    _Alignas(64) char buffer[64];
    USES(buffer, a);
    return leaf(a) + 1;
}
// Arguments on the stack.
OWN of_nine(word a, word b, word c, word d, word e, word f, word g, word h, word i) {
    return leaf(a + b + c + d + e + f + g + h + i) + 1;
}
OWN nine(word a) {
    return of_nine(a, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8, a + 9) + 1;
}
OWN by_table(word a) {
    char buffer[100];
    USES(buffer, a);
    switch (a) {
    case 0:
        return leaf(a) + 3;
    case 1:
        return deep(a) * 5;
    case 2:
        return seldom(a) ^ 7;
    case 3:
        return on_a_line(a) - 9;
    case 4:
        return nine(a) | 11;
    case 5:
        return leaf(a + 2) & 13;
    }
    return a;
}
OWN jumps_through(word (*f)(word), word a) {
    return f(a + 1);
}
OWN as_large_as(word a) {
    char *buffer = (char *)alloca(100 * a);
    memset(buffer, 1, 100 * a);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    return leaf(a);
}
OWN once_more(word a) {
    return a == 0 ? 0 : leaf(once_more(leaf(a) - 1)) + 1;
}

#define CALLS(name, call)                                                                          \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            CO_YIELD(my->x, call);                                                                 \
            CO_RETURN(call);                                                                       \
        CO_END                                                                                     \
    }
CALLS(flat, leaf(my->a))
CALLS(tail, ends_in_jump(my->a))
CALLS(cold, seldom(my->a))
CALLS(aligned, on_a_line(my->a))
CALLS(many, nine(my->a))
CALLS(table, by_table(my->a))
CALLS(pointer, CO_CCALL(my->f, my->a))
CALLS(jumps, jumps_through(my->f, my->a))
CALLS(variable, as_large_as(my->a))
CALLS(unknown, (word)rand())
CALLS(recursive, once_more(my->a))
CO_DISPATCH(ALL)
#endif

#if CO_PART_LOOP
OWN larger(word a) {
    char buffer[700];
    memset(buffer, (int)a, sizeof buffer);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    return a;
}

#define RUN(name)                                                                                  \
    for (word a = 0; a < 7; a++) {                                                                 \
        CO_VAR(name) v;                                                                            \
        word out;                                                                                  \
        if (CO_INIT(name, &v, a, larger) != 0)                                                     \
            return 1;                                                                              \
        while (CO_RESUME(name, &v, 0, &out) == CO_YIELDED)                                         \
            ;                                                                                      \
        CO_FINI(name, &v);                                                                         \
    }                                                                                              \
    printf("%s %u\n", #name, (unsigned)CO_BOUND_OF_(name));

int main(void) {
    ALL(RUN)
    return 0;
}
#endif
