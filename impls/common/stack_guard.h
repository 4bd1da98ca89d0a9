// Guard pages below stacks, and how many of them the kernel allows. For whoever maps stacks.
#ifndef CO_STACK_GUARD_H
#define CO_STACK_GUARD_H

#include "corobench/coro.h"
#include "common/annotate.h"
#include "common/mutant.h"

#ifdef CO_RUNTIME
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // Linux 6.13
#endif

static size_t co_page_(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static long co_read_number_(const char *path) {
    long n = -1;
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        if (fscanf(f, "%ld", &n) != 1)
            n = -1;
        fclose(f);
    }
    return n;
}

enum co_guard_way { CO_GUARD_UNKNOWN_, CO_GUARD_MADVISE_, CO_GUARD_MPROTECT_ };
static enum co_guard_way co_guard_way_;

// Asks the kernel to read the page for us: a real guard is an error code there, where a touch would
// be a crash. Needed because under emulation MADV_GUARD_INSTALL may succeed and guard nothing.
static bool co_guard_holds_(const char *page) {
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    bool holds = write(ends[1], page, 1) < 0 && errno == EFAULT;
    close(ends[0]);
    close(ends[1]);
    return holds;
}

static enum co_guard_way co_guard_find_way_(void) {
    size_t page = co_page_();
    enum co_guard_way way = CO_GUARD_MPROTECT_;
    if (CO_STACK_ASAN)
        return way; // LeakSanitizer reads what /proc/self/maps calls readable, which such a guard
                    // page is
    char *probe =
        (char *)mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return way;
    if (madvise(probe, page, MADV_GUARD_INSTALL) == 0 &&
        (co_guard_holds_(probe) || CO_MUTATE(guard_believed, false, true)))
        way = CO_GUARD_MADVISE_;
    munmap(probe, page);
    return way;
}

static bool co_guard_set_(char *page) {
    if (CO_MUTATE(no_guard, false, true))
        return true;
    if (co_guard_way_ == CO_GUARD_UNKNOWN_)
        co_guard_way_ = co_guard_find_way_();
    if (co_guard_way_ == CO_GUARD_MADVISE_)
        return madvise(page, co_page_(), MADV_GUARD_INSTALL) == 0;
    return mprotect(page, co_page_(), PROT_NONE) == 0;
}
#endif // CO_RUNTIME

#endif
