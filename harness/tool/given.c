// Looks up what the user typed after a command's name.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

bool cb_given_has(const struct cb_given *given, const char *name) {
    for (size_t i = 0; i < given->count; i++)
        if (strcmp(given->typed[i].option->name, name) == 0)
            return true;
    return false;
}

const char *cb_given_value(const struct cb_given *given, const char *name) {
    for (size_t i = given->count; i-- > 0;)
        if (strcmp(given->typed[i].option->name, name) == 0)
            return given->typed[i].value;
    return NULL;
}

int cb_given_number(const struct cb_given *given, const char *name, long long least, long long most,
                    long long *value) {
    const char *text = cb_given_value(given, name);
    if (text == NULL)
        return 0;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < least || number > most) {
        cb_error(stderr, "--%s %s: not a whole number from %lld to %lld\nnothing is done", name,
                 text, least, most);
        return CB_EXIT_USAGE;
    }
    *value = number;
    return 0;
}
