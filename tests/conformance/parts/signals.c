// Signals: handlers on a coroutine's own stack and on a signal stack, and storms of them.
#include <backend.h>
#include "../kit.h"

#include <signal.h>

CORO_DECL(c_raiser, (word(*raises)(word);), (word i; word x; word a; word b;), ())
CORO_DECL(raiser, (volatile word * handled_at;), (word i; word x; word a; word near_here;), ())
CORO_DECL(stirrer, (word seed;), (word x;), ())
CORO_DECL(mixer, (word seed;), (word x; word y; word a; word b; word c; word d; word e;),
          (SUB(stirrer)))

// Every word feeds another, so that one that is overwritten shows in all later values.
#define MIX(p, in)                                                                                 \
    ((p)->a = (p)->a * 3 + (in), (p)->b += (p)->a ^ 0x55, (p)->c = (p)->c * 5 + (p)->b,            \
     (p)->d ^= (p)->c + 7, (p)->e = (p)->e * 9 + (p)->d)

#define CO_BODIES(_) _(c_raiser) _(raiser) _(stirrer) _(mixer)

#if CO_PART_BODIES
CORO(c_raiser) {
    CO_BEGIN(c_raiser)
        my->a = 1;
        my->b = 2;
        for (my->i = 0; my->i < 4; my->i++) {
            my->a = my->a * 3 + CO_CCALL(my->raises, my->i);
            my->b += my->a;
            CO_YIELD(my->x, my->a ^ my->b);
            my->b += my->x;
        }
        CO_RETURN(my->a + my->b);
    CO_END
}

// How far from this body's frame the handler ran that it calls for.
CORO(raiser) {
    CO_BEGIN(raiser)
        my->a = 5;
        for (my->i = 0; my->i < 4; my->i++) {
            raise(SIGUSR1);
            my->near_here = (word)__builtin_frame_address(0) - *my->handled_at;
            my->a = my->a * 7 + my->i;
            CO_YIELD(my->x, my->near_here);
            my->a += my->x;
        }
        CO_RETURN(my->a);
    CO_END
}

CORO(stirrer) {
    CO_BEGIN(stirrer)
        CO_YIELD(my->x, my->seed);
        CO_RETURN(my->x ^ my->seed);
    CO_END
}

CORO(mixer) {
    CO_BEGIN(mixer)
        my->a = my->seed;
        my->b = my->c = my->d = my->e = 0;
        my->x = 1;
        for (;;) {
            CO_YIELD(my->x, MIX(my, my->x));
            CO_CALL(my->y, stirrer, my->a);
            MIX(my, my->y);
        }
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>

KIT_DRIVERS(CO_BODIES)

// Room for a signal frame (3.4 KiB with AVX-512, the AT_MINSIGSTKSZ of getauxval(3)) and a handler.
enum { HANDLER_ROOM = 16 << 10 };

static int handled, handled_on_signal_stack;
static volatile word handled_at;

// Uses as much stack as handlers do, and fills it, so that whatever was there is overwritten.
static void on_signal(int signal_number) {
    volatile unsigned char used[1024];
    for (unsigned i = 0; i < sizeof used; i++)
        used[i] = (unsigned char)(0xE1 + signal_number);
    stack_t now;
    sigaltstack(NULL, &now);
    handled_at = (word)__builtin_frame_address(0);
    __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
    if (now.ss_flags & SS_ONSTACK)
        __atomic_add_fetch(&handled_on_signal_stack, 1, __ATOMIC_SEQ_CST);
}

static int handled_so_far(void) {
    return __atomic_load_n(&handled, __ATOMIC_SEQ_CST);
}

// Without SA_RESTART: a system call that a backend waits in is interrupted, too.
static void handle(int signal_number, int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    if (sigaction(signal_number, &action, NULL) != 0)
        FAIL("no handler for signal %d", signal_number);
}

// For this thread, until it ends. Mapped, because AddressSanitizer unmaps a thread's signal stack.
static void give_signal_stack(void) {
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_size = 1 << 16;
    stack.ss_sp =
        mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
        FAIL("no signal stack");
}

static void give_signal_stacks(void) {
    struct co_config config;
    memset(&config, 0, sizeof config);
    config.guard = true;
    config.thread_started = give_signal_stack;
    WANT_STATUS(CO_RT(backend_configure)(&config), 0);
    give_signal_stack();
}

// A handler without a signal stack runs where the body runs. Who has stacks (and so yields from
// below a body) must let their size be stated; who has none runs on the resumer's.
static void want_room_for_handlers(void) {
    unsigned claims = (unsigned)(CO_BACKEND_CAPS);
    if ((claims & CO_CAP_DEEP_YIELD) && !(claims & CO_CAP_STACK_SIZE))
        kit_not_claimed("stacks of its own, and none can be asked to have room for a handler");
}

// ---- One at a time ------------------------------------------------------------------------------

static word raises(word n) {
    raise(SIGUSR1);
    return n + 1;
}

static void drive_c_raiser(void) {
    CO_VAR(c_raiser) v = {};
    word a = 1, b = 2;
    int before = handled_so_far();
    WANT_STATUS(CO_INIT_STACK(c_raiser, &v, HANDLER_ROOM, raises), 0);
    for (word i = 0; i < 4; i++) {
        a = a * 3 + i + 1;
        b += a;
        WANT_GO(c_raiser, &v, i == 0 ? 99 : i * 10, CO_YIELDED, a ^ b);
        b += (i + 1) * 10;
    }
    WANT_GO(c_raiser, &v, 40, CO_RETURNED, a + b);
    WANT(handled_so_far() - before, 4);
    WANT_FINI(c_raiser, &v);
}

KIT_CHECK(in_c_call, 0, KIT_ALWAYS,
          "a handler runs below CO_CCALL where 16 KiB were stated, and the body goes on") {
    handle(SIGUSR1, 0);
    drive_c_raiser();
    WANT(handled_on_signal_stack, 0);
}

KIT_CHECK(on_signal_stack, 0, KIT_ALWAYS,
          "a handler with a signal stack runs there, whichever stack was interrupted") {
    give_signal_stacks();
    handle(SIGUSR1, SA_ONSTACK);
    drive_c_raiser();
    WANT(handled_on_signal_stack, 4);
    raise(SIGUSR1);
    WANT(handled_on_signal_stack, 5);
}

KIT_CHECK(on_body_stack, 0, KIT_ALWAYS,
          "a handler without one runs on the body's own stack, of 16 KiB or more") {
    static const size_t sizes[] = {HANDLER_ROOM, 3 * HANDLER_ROOM, 1 << 20};
    want_room_for_handlers();
    handle(SIGUSR1, 0);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        CO_VAR(raiser) v = {};
        word a = 5;
        WANT_STATUS(CO_INIT_STACK(raiser, &v, sizes[k], &handled_at), 0);
        for (word i = 0; i < 4; i++) {
            word distance = 0;
            WANT_STATUS(GO(raiser, &v, i == 0 ? 99 : i, &distance), CO_YIELDED);
            if (distance > HANDLER_ROOM)
                FAIL("the handler ran %zd bytes from the body's frame", (ssize_t)distance);
            a = a * 7 + i + i + 1;
        }
        WANT_GO(raiser, &v, 4, CO_RETURNED, a);
        WANT_FINI(raiser, &v);
    }
    WANT(handled_so_far(), 4 * (int)(sizeof sizes / sizeof sizes[0]));
}

// ---- Storms -------------------------------------------------------------------------------------

// What a mixer should hold, worked out here.
struct twin {
    word a, b, c, d, e;
};

// Enough that some hit every instruction of a switch: each comes where the timer happens to find
// the program. The timer only starts them; what ends the storm is their number.
enum { STORM = 1500, EACH_MICROSECONDS = 20, MIXERS = 4 };

static void storm(bool runs) {
    struct itimerval timer;
    memset(&timer, 0, sizeof timer);
    timer.it_interval.tv_usec = timer.it_value.tv_usec = runs ? EACH_MICROSECONDS : 0;
    if (setitimer(ITIMER_REAL, &timer, NULL) != 0)
        FAIL("no timer");
}

// One round of a mixer: its yield, and the one of its callee.
static void stir(CO_VAR(mixer) * v, struct twin *twin, word sent) {
    word in = sent * 0x0123456789ABCDEF | 1;
    WANT_GO(mixer, v, in, CO_YIELDED, twin->a);
    MIX(twin, ~in ^ twin->a);
    MIX(twin, in);
    WANT_GO(mixer, v, ~in, CO_YIELDED, twin->e);
}

// room: stated as the need; 0: none is stated.
static void weather_storm(size_t room) {
    CO_VAR(mixer) v[MIXERS] = {};
    struct twin twin[MIXERS];
    for (word k = 0; k < MIXERS; k++) {
        const struct twin start = {k + 1, 0, 0, 0, 0};
        WANT_STATUS(
            room == 0 ? CO_INIT(mixer, &v[k], k + 1) : CO_INIT_STACK(mixer, &v[k], room, k + 1), 0);
        twin[k] = start;
        WANT_GO(mixer, &v[k], 0, CO_YIELDED, MIX(&twin[k], 1));
    }
    storm(true);
    for (word round = 1; handled_so_far() < STORM; round++) {
        for (word k = 0; k < MIXERS; k++)
            stir(&v[k], &twin[k], round * MIXERS + k);
        if (room == 0 && round % 64 == 0) { // creation and close are interrupted as well
            CO_VAR(stirrer) other = {};
            WANT_INIT(stirrer, &other, round);
            WANT_GO(stirrer, &other, 0, CO_YIELDED, round);
            WANT_FINI(stirrer, &other);
        }
    }
    storm(false);
    for (word k = 0; k < MIXERS; k++)
        WANT_FINI(mixer, &v[k]);
}

KIT_CHECK(storm_on_signal_stack, 0, KIT_ALWAYS,
          "values stay right while 1500 signals interrupt switches, handlers on a signal stack") {
    give_signal_stacks();
    handle(SIGALRM, SA_ONSTACK);
    weather_storm(0);
    // A kernel thread that starts or ends meanwhile has no signal stack yet or any more.
    if (((unsigned)(CO_BACKEND_CAPS)&CO_CAP_PARALLEL) == 0)
        WANT(handled_on_signal_stack, handled_so_far());
}

KIT_CHECK(storm_on_body_stack, 0, KIT_ALWAYS,
          "so they do while handlers run on the stack that they interrupt") {
    want_room_for_handlers();
    handle(SIGALRM, 0);
    weather_storm(2 * HANDLER_ROOM);
    WANT(handled_on_signal_stack, 0);
}
#endif
