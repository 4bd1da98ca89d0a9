// Lets one allocation of the program fail, the n-th: for the check that a backend survives each.
// And plays the kernels that have no guards without mappings of their own.
//
// These functions stand before those of the C library for the whole program, its shared objects and
// the library itself. Under a sanitizer that owns malloc they are left alone.
#define _GNU_SOURCE
#include "kit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // Linux 6.13
#endif

static bool armed, all_later;
static long left; // allocations up to the one that fails
static unsigned failed;

void kit_fail_allocation(unsigned n, bool and_all_later) {
    left = (long)n;
    all_later = and_all_later;
    failed = 0;
    __atomic_store_n(&armed, n != 0, __ATOMIC_SEQ_CST);
}

unsigned kit_allocations_failed(void) {
    return __atomic_load_n(&failed, __ATOMIC_SEQ_CST);
}

bool kit_can_fail_allocations(void) {
    return !kit_sanitized;
}

#if !defined(KIT_ASAN)
static bool must_fail(void) {
    if (!__atomic_load_n(&armed, __ATOMIC_SEQ_CST))
        return false;
    long n = __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
    if (n > 0 || (n < 0 && !all_later))
        return false;
    __atomic_add_fetch(&failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return true;
}

// glibc's own, under the names by which it exports them.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes) {
    return must_fail() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    return must_fail() ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *p, size_t bytes) {
    return must_fail() ? NULL : __libc_realloc(p, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return must_fail() ? NULL : __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return must_fail() ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t bytes) {
    void *is = must_fail() ? NULL : __libc_memalign(alignment, bytes);
    if (is == NULL)
        return ENOMEM;
    *p = is;
    return 0;
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    if (must_fail())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t bytes, int protection, int flags, int fd, off64_t offset) {
    return mmap(at, bytes, protection, flags, fd, offset);
}

// A guard splits a mapping, and the kernel limits how many there may be.
int mprotect(void *at, size_t bytes, int protection) {
    return must_fail() ? -1 : (int)syscall(SYS_mprotect, at, bytes, protection);
}

static enum kit_kernel kernel;

void kit_play_kernel(enum kit_kernel which) {
    kernel = which;
}

int madvise(void *at, size_t bytes, int advice) {
    if (advice == MADV_GUARD_INSTALL && must_fail())
        return -1;
    if (advice == MADV_GUARD_INSTALL && kernel == KIT_KERNEL_THAT_LIES)
        return 0;
    if (advice == MADV_GUARD_INSTALL && kernel == KIT_KERNEL_OLD) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_madvise, at, bytes, advice);
}

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*f)(void *),
                   void *arg) {
    static create_function *create;
    if (create == NULL)
        create = (create_function *)dlsym(RTLD_NEXT, "pthread_create");
    return must_fail() ? EAGAIN : create(thread, attributes, f, arg);
}
#else
void kit_play_kernel(enum kit_kernel which) {
    (void)which; // under AddressSanitizer no backend asks for MADV_GUARD_INSTALL
}
#endif
