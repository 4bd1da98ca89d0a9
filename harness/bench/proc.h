// Reading files under /proc and /sys without allocating, so that a reading does not change what it
// reads.
#ifndef CB_BENCH_PROC_H
#define CB_BENCH_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads at most size - 1 bytes and ends them with a zero byte. The length, or a negative errno.
long cb_proc_read(const char *path, char *text, size_t size);

// The number that follows `name` at the start of a line, e.g. "Rss:" or "slab". Units are the
// caller's business.
bool cb_proc_field(const char *text, const char *name, uint64_t *value);

// The number of lines of a file of any length, or a negative errno.
long cb_proc_lines(const char *path);

#endif
