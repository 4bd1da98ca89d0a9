// Moving between threads: values, errors and cleanups; errno and thread-local variables.
//
// Several threads take turns, so that never more than one of them drives a coroutine.
#include <backend.h>
#include "../kit.h"

#include <errno.h>
#include <unistd.h>

CORO_DECL(asker, (word n;), (word x;), ())
CORO_DECL(mover, (struct trace * t; word n;), (word i; word x; word e; word a; word b; word c;),
          (SUB(asker)))
CORO_DECL(errno_user, (word rounds;), (word i; word x; word wrong;), ())
CORO_DECL(local_user, (word rounds;), (word i; word x; word wrong;), ())

#define CO_BODIES(_) _(asker) _(mover) _(errno_user) _(local_user)

#if defined(__clang__)
#define NOT_SEEN_THROUGH static __attribute__((noinline))
#else
#define NOT_SEEN_THROUGH static __attribute__((noipa))
#endif

#if CO_PART_BODIES
CORO(asker) {
    CO_BEGIN(asker)
        CO_YIELD(my->x, my->n * 2);
        CO_RETURN(my->x ^ my->n);
    CO_END
}

// Calls, yields, and goes on after an error; its cleanup marks what it has.
CORO(mover) {
    CO_BEGIN(mover)
        my->a = my->n;
        my->b = ~my->n;
        my->c = my->n * 3;
        for (my->i = 0; my->i < 8; my->i++) {
            CO_CALL(my->x, asker, my->a);
            my->a += my->x;
            my->b ^= my->a;
            my->c = my->c * 31 + my->b;
            CO_TRY
                CO_YIELD(my->x, my->a ^ my->b ^ my->c);
                my->a += my->x;
                CO_CATCH(my->e)
                my->a += my->e * 1000;
            CO_END_TRY
        }
        CO_RETURN(my->a ^ my->b ^ my->c);
        CO_FINALLY
        mark(my->t, my->a);
    CO_END_FINALLY
}

static word fails_with_ebadf(word unused) {
    close(-1);
    return unused;
}

// What errno is straight after a call that failed. The compiler may have asked where this thread
// has its errno before the last yield.
CORO(errno_user) {
    CO_BEGIN(errno_user)
        my->wrong = 0;
        for (my->i = 0; my->i < my->rounds; my->i++) {
            errno = 0;
            my->x = CO_CCALL(fails_with_ebadf, 0);
            my->wrong += errno != EBADF;
            CO_YIELD(my->x, my->i);
        }
        CO_RETURN(my->wrong);
    CO_END
}

static __thread word table[8];

NOT_SEEN_THROUGH word is_table(word address) {
    word *here = table;
    __asm__ volatile("" : "+r"(here));
    return (word)here == address;
}

// Whether the body finds a thread-local where a function that it calls finds it, before and after
// each yield.
CORO(local_user) {
    CO_BEGIN(local_user)
        my->wrong = 0;
        for (my->i = 0; my->i < my->rounds; my->i++) {
            my->x = CO_CCALL(is_table, (word)table);
            my->wrong += !my->x;
            CO_YIELD(my->x, my->i);
            my->x = CO_CCALL(is_table, (word)table);
            my->wrong += !my->x;
        }
        CO_RETURN(my->wrong);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

KIT_DRIVERS(CO_BODIES)

// ---- Threads that do what they are asked --------------------------------------------------------

struct helper {
    pthread_t id;
    sem_t asked, done;
    void (*run)(void *);
    void *arg;
};

enum { HELPERS = 3 };
static struct helper helpers[HELPERS];

static void *help(void *arg) {
    struct helper *helper = (struct helper *)arg;
    for (;;) {
        sem_wait(&helper->asked);
        if (helper->run == NULL)
            return NULL;
        helper->run(helper->arg);
        sem_post(&helper->done);
    }
}

static void start_helpers(void) {
    for (int i = 0; i < HELPERS; i++) {
        sem_init(&helpers[i].asked, 0, 0);
        sem_init(&helpers[i].done, 0, 0);
        if (pthread_create(&helpers[i].id, NULL, help, &helpers[i]) != 0)
            FAIL("no thread");
    }
}

// Runs f(arg) on helper number `on`, or on this thread where there is none, and waits for its end.
static void run_on(unsigned on, void (*f)(void *), void *arg) {
    if (on >= HELPERS) {
        f(arg);
        return;
    }
    helpers[on].run = f;
    helpers[on].arg = arg;
    sem_post(&helpers[on].asked);
    sem_wait(&helpers[on].done);
}

static void end_helpers(void) {
    for (int i = 0; i < HELPERS; i++) {
        helpers[i].run = NULL;
        sem_post(&helpers[i].asked);
        pthread_join(helpers[i].id, NULL);
    }
}

// ---- Values -------------------------------------------------------------------------------------

// One mover, what it should hold, and the next thing to be done to it.
struct move {
    CO_VAR(mover) v;
    struct trace t;
    word a, b, c;
    word n, step;
};

static void create_mover(void *arg) {
    struct move *m = (struct move *)arg;
    memset((void *)&m->v, 0, sizeof m->v);
    memset(&m->t, 0, sizeof m->t);
    m->a = m->n;
    m->b = ~m->n;
    m->c = m->n * 3;
    m->step = 0;
    WANT_INIT(mover, &m->v, &m->t, m->n);
}

static word next_question(struct move *m, word added) {
    m->a += added;
    return m->a * 2;
}

static word next_answer(struct move *m, word sent) {
    m->a += sent ^ m->a;
    m->b ^= m->a;
    m->c = m->c * 31 + m->b;
    return m->a ^ m->b ^ m->c;
}

// In turn: what answers the callee's question, and what follows the body's own yield, which every
// third time is an error.
static void step_mover(void *arg) {
    struct move *m = (struct move *)arg;
    word step = m->step++, sent = step * 0x10001 + m->n;
    if (step % 2 == 1)
        WANT_GO(mover, &m->v, sent, CO_YIELDED, next_answer(m, sent));
    else if (step == 0)
        WANT_GO(mover, &m->v, sent, CO_YIELDED, next_question(m, 0));
    else if (step == 16)
        WANT_GO(mover, &m->v, sent, CO_RETURNED, (m->a + sent) ^ m->b ^ m->c);
    else if (step % 3 == 0)
        WANT_HURL(mover, &m->v, step, CO_YIELDED, next_question(m, step * 1000));
    else
        WANT_GO(mover, &m->v, sent, CO_YIELDED, next_question(m, sent));
}

static void finish_mover(void *arg) {
    struct move *m = (struct move *)arg;
    WANT_FINI(mover, &m->v);
}

KIT_CHECK(values_move, CO_CAP_MIGRATES, KIT_ALWAYS,
          "four threads resume in turn: values, calls, errors and cleanups come out right") {
    static struct move m;
    start_helpers();
    for (m.n = 0; m.n < 40; m.n++) {
        unsigned on = (unsigned)m.n;
        run_on(on++ % (HELPERS + 1), create_mover, &m);
        for (word step = 0; step <= 16; step++)
            run_on(on++ % (HELPERS + 1), step_mover, &m);
        run_on(on % (HELPERS + 1), finish_mover, &m);
        m.a += 16 * 0x10001 + m.n;
        WANT(m.t.n, 1);
        WANT(m.t.event[0], m.a);
    }
    end_helpers();
}

KIT_CHECK(closed_elsewhere, CO_CAP_MIGRATES, KIT_ALWAYS,
          "one thread creates and starts, another one closes: the cleanup runs, the memory serves "
          "the next") {
    static struct move m;
    start_helpers();
    for (m.n = 0; m.n < 40; m.n++) {
        run_on(0, create_mover, &m);
        for (word step = 0; step <= m.n % 16; step++)
            run_on(0, step_mover, &m);
        run_on(1, finish_mover, &m);
        WANT(m.t.n, 1);
        WANT(m.t.event[0], m.a);
    }
    end_helpers();
}

KIT_CHECK(many_move, CO_CAP_MIGRATES, KIT_ALWAYS,
          "64 coroutines, each step of each on another thread than the one before") {
    enum { N = 64 };
    static struct move m[N];
    start_helpers();
    for (word i = 0; i < N; i++) {
        m[i].n = i * 5;
        create_mover(&m[i]);
    }
    for (word step = 0; step <= 16; step++)
        for (word i = 0; i < N; i++)
            run_on((unsigned)(i + step) % (HELPERS + 1), step_mover, &m[i]);
    for (word i = 0; i < N; i++)
        run_on((unsigned)i % (HELPERS + 1), finish_mover, &m[i]);
    end_helpers();
}

static void *begin_mover(void *m) {
    create_mover(m);
    step_mover(m);
    return NULL;
}

KIT_CHECK(outlives_its_thread, CO_CAP_MIGRATES, KIT_ALWAYS,
          "the thread that created and suspended it has ended: another one goes on") {
    static struct move m;
    for (m.n = 0; m.n < 10; m.n++) {
        pthread_t first;
        if (pthread_create(&first, NULL, begin_mover, &m) != 0)
            FAIL("no thread");
        pthread_join(first, NULL);
        for (word step = 1; step <= 16; step++)
            step_mover(&m);
        finish_mover(&m);
    }
}

// ---- What belongs to a thread -------------------------------------------------------------------

static void resume_errno_user(void *v) {
    word out = 0;
    errno = 0; // what a body finds that still looks here after it has moved away
    WANT_STATUS(GO(errno_user, (CO_VAR(errno_user) *)v, 0, &out), CO_YIELDED);
    errno = 0;
}

KIT_CHECK(errno_of_its_thread, CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS, KIT_ALWAYS,
          "errno after a call that failed is that call's, whichever thread resumed the body") {
    enum { ROUNDS = 12 };
    static CO_VAR(errno_user) v;
    start_helpers();
    WANT_INIT(errno_user, &v, ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++)
        run_on(i % (HELPERS + 1), resume_errno_user, &v);
    word wrong = 0;
    WANT_STATUS(GO(errno_user, &v, 0, &wrong), CO_RETURNED);
    if (wrong != 0)
        FAIL("%zu of %d times it was another thread's errno", (size_t)wrong, (int)ROUNDS);
    WANT_FINI(errno_user, &v);
    end_helpers();
}

static void resume_local_user(void *v) {
    word out = 0;
    WANT_STATUS(GO(local_user, (CO_VAR(local_user) *)v, 0, &out), CO_YIELDED);
}

KIT_CHECK(thread_locals, CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS, KIT_ALWAYS,
          "a thread-local has the address, in the body, that it has in a function called there") {
    enum { ROUNDS = 12 };
    static CO_VAR(local_user) v;
    start_helpers();
    WANT_INIT(local_user, &v, ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++)
        run_on(i % (HELPERS + 1), resume_local_user, &v);
    word wrong = 0;
    WANT_STATUS(GO(local_user, &v, 0, &wrong), CO_RETURNED);
    if (wrong != 0)
        FAIL("%zu of %d times it was another thread's variable", (size_t)wrong, 2 * (int)ROUNDS);
    WANT_FINI(local_user, &v);
    end_helpers();
}
#endif
