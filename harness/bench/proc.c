// Small readers for /proc and /sys.
#define _GNU_SOURCE
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long read_some(int fd, char *text, size_t size) {
    ssize_t got;
    do
        got = read(fd, text, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : (long)got;
}

long cb_proc_read(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t used = 0;
    long got = 1;
    while (got > 0 && used < size - 1) {
        got = read_some(fd, text + used, size - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    text[used] = '\0';
    return got < 0 ? got : (long)used;
}

bool cb_proc_field(const char *text, const char *name, uint64_t *value) {
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *number = line + length;
        if (strncmp(line, name, length) != 0 || (*number != ' ' && *number != '\t'))
            continue;
        char *end = NULL;
        *value = strtoull(number, &end, 10);
        return end != number;
    }
    return false;
}

long cb_proc_lines(const char *path) {
    static char block[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    long lines = 0, got;
    while ((got = read_some(fd, block, sizeof block)) > 0)
        for (long i = 0; i < got; i++)
            lines += block[i] == '\n';
    close(fd);
    return got < 0 ? got : lines;
}
