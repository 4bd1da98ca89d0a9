// Messages on a stream, and texts that grow.
#define _GNU_SOURCE
#include "message.h"

#include <stdlib.h>
#include <string.h>

static void no_memory(size_t bytes) {
    fprintf(stderr, "corobench: error: no memory for %zu bytes more\n", bytes);
    exit(CB_EXIT_USAGE);
}

static void print_indented(FILE *to, const char *kind, const char *text) {
    fprintf(to, "corobench: %s: ", kind);
    for (const char *c = text; *c != '\0'; c++) {
        fputc(*c, to);
        if (*c == '\n' && c[1] != '\0')
            fputs("  ", to);
    }
    size_t length = strlen(text);
    if (length == 0 || text[length - 1] != '\n')
        fputc('\n', to);
    fflush(to);
}

static void print_kind(FILE *to, const char *kind, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void print_kind(FILE *to, const char *kind, const char *format, va_list arguments) {
    char *text = cb_vformat(format, arguments);
    print_indented(to, kind, text);
    free(text);
}

void cb_error(FILE *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_kind(to, "error", format, arguments);
    va_end(arguments);
}

void cb_warning(FILE *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_kind(to, "warning", format, arguments);
    va_end(arguments);
}

char *cb_vformat(const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        no_memory(strlen(format));
    return text;
}

char *cb_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cb_vformat(format, arguments);
    va_end(arguments);
    return text;
}

char *cb_copy(const char *text) {
    return cb_format("%s", text ? text : "");
}

void *cb_allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (memory == NULL)
        no_memory(count * size);
    return memory;
}

void *cb_resize(void *memory, size_t count, size_t size) {
    memory = reallocarray(memory, count ? count : 1, size ? size : 1);
    if (memory == NULL)
        no_memory(count * size);
    return memory;
}

void cb_text_add_bytes(struct cb_text *text, const char *bytes, size_t length) {
    if (text->length + length + 1 > text->capacity) {
        size_t capacity = 2 * (text->length + length) + 64;
        text->text = cb_resize(text->text, capacity, 1);
        text->capacity = capacity;
    }
    memcpy(text->text + text->length, bytes, length);
    text->length += length;
    text->text[text->length] = '\0';
}

void cb_text_add(struct cb_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *piece = cb_vformat(format, arguments);
    va_end(arguments);
    cb_text_add_bytes(text, piece, strlen(piece));
    free(piece);
}

void cb_text_clear(struct cb_text *text) {
    free(text->text);
    *text = (struct cb_text){0};
}
