// What corobench tells its user, and the memory for texts.
//
// A message says what is wrong, what follows, and what to do, a line each. Nothing here returns
// NULL: a command that has no memory for a file name says so and ends with status 2.
#ifndef CB_MESSAGE_H
#define CB_MESSAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

// The exit statuses of every command.
enum cb_exit {
    CB_EXIT_OK = 0,
    CB_EXIT_FAILED = 1, // done, but something that was measured or compared did not pass
    CB_EXIT_USAGE = 2,  // could not be done as asked: wrong usage, or the surroundings forbid it
};

// Prints "corobench: error: " and the text; each further line of the text is indented.
void cb_error(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same with "corobench: warning: ": the work goes on.
void cb_warning(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A new text, as by asprintf. Free it.
char *cb_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *cb_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
// A copy of a text; NULL gives "". Free it.
char *cb_copy(const char *text);

// As calloc and reallocarray; both end the program with a message where there is no memory.
void *cb_allocate(size_t count, size_t size);
void *cb_resize(void *memory, size_t count, size_t size);

// A text that grows: names to list in a message, rows to write at once. {0} is empty.
struct cb_text {
    char *text; // NUL-terminated, NULL while empty
    size_t length, capacity;
};
void cb_text_add(struct cb_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cb_text_add_bytes(struct cb_text *text, const char *bytes, size_t length);
void cb_text_clear(struct cb_text *text); // frees; {0} again

#endif
