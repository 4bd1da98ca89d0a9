// A small program with coroutines that is right, and the same with one mistake planted, for the
// checkers: AddressSanitizer, ThreadSanitizer, Valgrind, backtrace() and gdb.
//
//   program MODE      clean, or the mistake: race, heap, stack, uninitialised
//   program trace     prints the names that backtrace() finds in a running coroutine
//   program suspend   calls checkpoint() while a coroutine is suspended, for gdb
#ifndef _GNU_SOURCE // g++ defines it
#define _GNU_SOURCE
#endif
#include <backend.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a body and the loop share.
struct shared {
    int counter;           // of two threads; `race` adds without the lock
    pthread_mutex_t *lock; // NULL: the mistake
    char *block;           // of BLOCK bytes
    word reach;            // bytes of the block, or of an array on the stack, that are written
};
enum { BLOCK = 24, LOOPS = 200, THREADS = 2, EACH = 3 };

CORO_DECL(add, (struct shared * shared;), (word i; word x;), ())
CORO_DECL(write_heap, (struct shared * shared;), (word i; word x;), ())
CORO_DECL(deep, (struct shared * shared;), (word x;), ())

// Plain C below a body: what a trace has to show. Not inlined, no tail calls.
// By their plain names also where this is C++.
#ifdef __cplusplus
extern "C" {
#endif
word checkers_level1(word x);
word checkers_level2(word x);
word checkers_level3(word x);
#ifdef __cplusplus
}
#endif
word checkers_write_stack(word reach);
word checkers_branch(word which);
void checkers_checkpoint(void);

#if CO_PART_BODIES
CORO(add) {
    CO_BEGIN(add)
        for (my->i = 0; my->i < LOOPS; my->i++) {
            if (my->shared->lock != NULL)
                pthread_mutex_lock(my->shared->lock);
            my->shared->counter++;
            if (my->shared->lock != NULL)
                pthread_mutex_unlock(my->shared->lock);
            CO_YIELD(my->x, my->i);
        }
        CO_RETURN(my->i);
    CO_END
}

CORO(write_heap) {
    CO_BEGIN(write_heap)
        for (my->i = 0; my->i < my->shared->reach; my->i++) {
            my->shared->block[my->i] = (char)my->i;
            if (my->i == BLOCK / 2)
                CO_YIELD(my->x, my->i);
        }
        CO_RETURN((word)my->shared->block[0]);
    CO_END
}

CORO(deep) {
    CO_BEGIN(deep)
        CO_YIELD(my->x, 1);
        my->x = checkers_level1(my->x);
        CO_YIELD(my->x, my->x);
        my->x = CO_CCALL(checkers_write_stack, my->shared->reach);
        my->x += CO_CCALL(checkers_branch, my->shared->reach);
        CO_RETURN(my->x);
    CO_END
}
#define CO_BODIES(_) _(add) _(write_heap) _(deep)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEEP __attribute__((noipa, used))

static bool tracing;
co_handle checkers_suspended; // for gdb

// ---- Plain C below a body -----------------------------------------------------------------------

static void print_trace(void) {
    void *at[64];
    int n = backtrace(at, 64);
    for (int i = 0; i < n; i++) {
        Dl_info info;
        if (dladdr(at[i], &info) != 0 && info.dli_sname != NULL)
            puts(info.dli_sname);
    }
    puts(n < 64 ? "end" : "endless");
}

KEEP word checkers_level3(word x) {
    if (tracing)
        print_trace();
    return x + 1;
}
KEEP word checkers_level2(word x) {
    return checkers_level3(x + 1) + 1;
}
KEEP word checkers_level1(word x) {
    return checkers_level2(x + 1) + 1;
}
KEEP void checkers_checkpoint(void) {}

// Writes `reach` words of 8.
KEEP word checkers_write_stack(word reach) {
    volatile word array[8];
    for (word i = 0; i < reach; i++)
        array[i] = i;
    return array[0];
}

// Chooses by a word that is written only for which = 8. The array is larger than a red zone: what
// the stack pointer never passed is no news to Valgrind.
KEEP word checkers_branch(word which) {
    volatile word array[40];
    if (which == 8)
        array[3] = 1;
    return array[3] != 0 ? 1 : 2;
}

// ---- Driving ------------------------------------------------------------------------------------

static void fail(const char *what) {
    fprintf(stderr, "program: %s\n", what);
    exit(3);
}

// Resumes until it returns; the result.
static word finish(co_handle co) {
    word out;
    int status;
    while ((status = co_resume(co, 0, &out)) == CO_YIELDED)
        ;
    if (status != CO_RETURNED)
        fail("a coroutine did not return");
    return out;
}

// Two threads resume coroutines of their own; what the bodies share is locked, or not. Storage is
// the process's: one thread creates and closes.
static void *count(void *p) {
    CO_VAR(add) *v = (CO_VAR(add) *)p;
    for (int i = 0; i < EACH; i++)
        if (finish(CO_HANDLE(&v[i])) != LOOPS)
            fail("a wrong result");
    return NULL;
}

static void count_in_threads(bool locked) {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct shared shared = {0, locked ? &lock : NULL, NULL, 0};
    CO_VAR(add) v[THREADS][EACH];
    pthread_t threads[THREADS];
    memset(v, 0, sizeof v);
    for (int i = 0; i < THREADS * EACH; i++)
        if (CO_INIT(add, &v[i / EACH][i % EACH], &shared) != 0)
            fail("no coroutine");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, count, v[i]) != 0)
            fail("no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS * EACH; i++)
        CO_FINI(add, &v[i / EACH][i % EACH]);
    if (locked && shared.counter != THREADS * EACH * LOOPS)
        fail("a wrong count");
}

static void write_block(word reach) {
    struct shared shared = {0, NULL, (char *)malloc(BLOCK), reach};
    CO_VAR(write_heap) v = {};
    if (CO_INIT(write_heap, &v, &shared) != 0 || finish(CO_HANDLE(&v)) != 0)
        fail("no coroutine");
    CO_FINI(write_heap, &v);
    free(shared.block);
}

static void go_deep(word reach) {
    struct shared shared = {0, NULL, NULL, reach};
    word out;
    CO_VAR(deep) v = {};
    if (CO_INIT_STACK(deep, &v, 12000, &shared) != 0 || CO_RESUME(deep, &v, 0, &out) != CO_YIELDED)
        fail("no coroutine");
    if (CO_RESUME(deep, &v, 0, &out) != CO_YIELDED || out != 5)
        fail("a wrong value");
    checkers_suspended = CO_HANDLE(&v);
    checkers_checkpoint();
    if (finish(CO_HANDLE(&v)) > 2)
        fail("a wrong result");
    CO_FINI(deep, &v);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "clean";
    tracing = strcmp(mode, "trace") == 0;
    if (strcmp(mode, "race") == 0)
        count_in_threads(false);
    else if (strcmp(mode, "heap") == 0)
        write_block(BLOCK + 1);
    else if (strcmp(mode, "stack") == 0)
        go_deep(9);
    else if (strcmp(mode, "uninitialised") == 0)
        go_deep(7);
    else if (tracing || strcmp(mode, "suspend") == 0)
        go_deep(8);
    else {
        for (int i = 0; i < 40; i++) // stacks are reused
            write_block(BLOCK);
        go_deep(8);
        count_in_threads(true);
    }
    puts("done");
    return 0;
}
#endif
