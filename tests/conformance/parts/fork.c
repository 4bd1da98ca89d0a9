// fork: the child has copies of all suspended coroutines, and they go on there.
#include <backend.h>
#include "../kit.h"

CORO_DECL(teller, (word n;), (word x; word a;), ())
CORO_DECL(asks, (struct trace * t; word depth;), (word x; word e; word a;), (REC(asks) SUB(teller)))
CORO_DECL(forker, (word(*splits)(word);), (word x; word a; word b;), ())

#define CO_BODIES(_) _(teller) _(asks) _(forker)

#if CO_PART_BODIES
CORO(teller) {
    CO_BEGIN(teller)
        my->a = my->n * 7;
        CO_YIELD(my->x, my->a);
        my->a += my->x;
        CO_YIELD(my->x, my->a);
        CO_RETURN(my->a ^ my->x);
    CO_END
}

// Suspended in a callee, `depth` calls down; each level takes one error and marks its cleanup.
CORO(asks) {
    CO_BEGIN(asks)
        my->a = my->depth * 3;
        CO_TRY
            if (my->depth > 1) {
                CO_CALLREC(my->x, asks, my->t, my->depth - 1);
            } else {
                CO_CALL(my->x, teller, 100);
            }
            my->a += my->x;
            CO_CATCH(my->e)
            my->a += my->e;
        CO_END_TRY
        CO_RETURN(my->a);
        CO_FINALLY
        mark(my->t, my->a);
    CO_END_FINALLY
}

// Two processes come back from the one call.
CORO(forker) {
    CO_BEGIN(forker)
        my->a = 11;
        CO_YIELD(my->x, my->a);
        my->b = CO_CCALL(my->splits, my->x);
        my->a += my->x;
        CO_YIELD(my->x, my->b);
        CO_RETURN(my->a + my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

KIT_DRIVERS(CO_BODIES)

// Whatever a coroutine has in this process's memory is in the child's too. Kernel threads are not.
static void want_memory_only(void) {
    if ((unsigned)(CO_BACKEND_CAPS)&CO_CAP_PARALLEL)
        kit_not_claimed("a kernel thread each, and only the one that forks lives on in the child");
}

static void want_good_end(pid_t child) {
    int status = 0;
    if (child < 0)
        FAIL("fork: %s", strerror(errno));
    if (waitpid(child, &status, 0) != child)
        FAIL("waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status))
        FAIL("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        FAIL("the child has failed");
}

struct family {
    CO_VAR(teller) flat, unstarted;
    CO_VAR(asks) returns, fails, closes;
    struct trace t[3];
};

static void suspend_all(struct family *f) {
    WANT_INIT(teller, &f->flat, 5);
    WANT_INIT(teller, &f->unstarted, 6);
    WANT_STATUS(CO_INIT_STACK(asks, &f->returns, 4 * KIT_LEVEL_BYTES, &f->t[0], 4), 0);
    WANT_STATUS(CO_INIT_STACK(asks, &f->fails, 4 * KIT_LEVEL_BYTES, &f->t[1], 4), 0);
    WANT_STATUS(CO_INIT_STACK(asks, &f->closes, 4 * KIT_LEVEL_BYTES, &f->t[2], 4), 0);
    WANT_GO(teller, &f->flat, 0, CO_YIELDED, 35);
    WANT_GO(asks, &f->returns, 0, CO_YIELDED, 700);
    WANT_GO(asks, &f->fails, 0, CO_YIELDED, 700);
    WANT_GO(asks, &f->closes, 0, CO_YIELDED, 700);
}

// Goes on with each of them, with other values in each process.
static void end_all(struct family *f, word own) {
    WANT_GO(teller, &f->flat, own, CO_YIELDED, 35 + own);
    WANT_GO(teller, &f->flat, own, CO_RETURNED, (35 + own) ^ own);
    WANT_GO(teller, &f->unstarted, 0, CO_YIELDED, 42);
    WANT_GO(asks, &f->returns, own, CO_YIELDED, 700 + own);
    WANT_GO(asks, &f->returns, 0, CO_RETURNED, 700 + own + 3 + 6 + 9 + 12);
    WANT_HURL(asks, &f->fails, own, CO_RETURNED, own + 3 + 6 + 9 + 12);
    WANT_FINI(asks, &f->closes);
    WANT_TRACE(&f->t[2], 3, 6, 9, 12);
    WANT_FINI(teller, &f->flat);
    WANT_FINI(teller, &f->unstarted);
    WANT_FINI(asks, &f->returns);
    WANT_FINI(asks, &f->fails);
    WANT(f->t[0].n, 4);
    WANT(f->t[0].event[3], 700 + own + 3 + 6 + 9 + 12);
    WANT(f->t[1].event[0], own + 3);
}

KIT_CHECK(suspended, 0, KIT_ALWAYS,
          "the child resumes, throws into and closes its copies; the parent's are as they were") {
    want_memory_only();
    static struct family f;
    for (word round = 1; round <= 3; round++) {
        memset((void *)&f, 0, sizeof f);
        suspend_all(&f);
        pid_t child = fork();
        if (child == 0) {
            end_all(&f, round * 1000);
            _exit(0);
        }
        want_good_end(child);
        end_all(&f, round * 3000);
    }
}

KIT_CHECK(new_ones, 0, KIT_ALWAYS,
          "the child makes new ones from what was kept for reuse, and trims it") {
    want_memory_only();
    static struct family f, g;
    suspend_all(&f);
    end_all(&f, 50);
    memset((void *)&f, 0, sizeof f);
    suspend_all(&g);
    pid_t child = fork();
    if (child == 0) {
        suspend_all(&f);
        end_all(&f, 60);
        end_all(&g, 70);
        CO_RT(backend_trim)();
        memset((void *)&f, 0, sizeof f);
        suspend_all(&f);
        end_all(&f, 80);
        _exit(0);
    }
    want_good_end(child);
    end_all(&g, 90);
    CO_RT(backend_trim)();
}

static word splits(word unused) {
    (void)unused;
    return (word)fork();
}

KIT_CHECK(within_body, 0, KIT_ALWAYS, "a body that forks goes on in both processes") {
    want_memory_only();
    CO_VAR(forker) v = {};
    word child = 0;
    WANT_STATUS(CO_INIT_STACK(forker, &v, 32768, splits), 0);
    WANT_GO(forker, &v, 0, CO_YIELDED, 11);
    WANT_STATUS(GO(forker, &v, 20, &child), CO_YIELDED);
    WANT_GO(forker, &v, child == 0 ? 5 : 6, CO_RETURNED, child == 0 ? 36 : 37);
    WANT_FINI(forker, &v);
    if (child == 0)
        _exit(0);
    want_good_end((pid_t)child);
}
#endif
