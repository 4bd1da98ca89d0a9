// Sorted lists of names; globs by fnmatch.
#include "names.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

void cb_names_add(struct cb_names *names, const char *name) {
    size_t at = 0;
    while (at < names->count && strcmp(names->list[at], name) < 0)
        at++;
    if (at < names->count && strcmp(names->list[at], name) == 0)
        return;
    names->list = cb_resize(names->list, names->count + 1, sizeof *names->list);
    memmove(names->list + at + 1, names->list + at, (names->count - at) * sizeof *names->list);
    names->list[at] = cb_copy(name);
    names->count++;
}

bool cb_names_have(const struct cb_names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return true;
    return false;
}

char *cb_names_join(const struct cb_names *names) {
    struct cb_text text = {0};
    for (size_t i = 0; i < names->count; i++)
        cb_text_add(&text, "%s%s", i ? ", " : "", names->list[i]);
    return text.text ? text.text : cb_copy("(none)");
}

void cb_names_free(struct cb_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct cb_names){0};
}

// The end of a bracket expression that begins at `c`, or NULL where it has none. A ']' right
// after the opening stands for itself, and so do the brackets of [:class:].
static const char *bracket_end(const char *c) {
    c++;
    if (*c == '!' || *c == '^')
        c++;
    if (*c == ']')
        c++;
    for (; *c != '\0'; c++) {
        if (*c == ']')
            return c;
        if (*c == '\\' && c[1] != '\0')
            c++;
        else if (*c == '[' && c[1] == ':') {
            const char *end = strstr(c + 2, ":]");
            if (end == NULL)
                return NULL;
            c = end + 1;
        }
    }
    return NULL;
}

const char *cb_glob_problem(const char *glob) {
    if (*glob == '\0')
        return "it is empty";
    for (const char *c = glob; *c != '\0'; c++) {
        if (*c == '\\') {
            if (*++c == '\0')
                return "it ends in a backslash, which quotes nothing";
        } else if (*c == '[') {
            c = bracket_end(c);
            if (c == NULL)
                return "a [ has no ]";
        }
    }
    return NULL;
}

// Where the first of several globs ends: a comma that is quoted or inside brackets is part of it.
static const char *glob_end(const char *c) {
    for (; *c != '\0' && *c != ','; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        else if (*c == '[' && bracket_end(c) != NULL)
            c = bracket_end(c);
    }
    return c;
}

void cb_globs_add(struct cb_globs *globs, const char *text) {
    for (;; text++) {
        const char *end = glob_end(text);
        globs->list = cb_resize(globs->list, globs->count + 1, sizeof *globs->list);
        globs->list[globs->count++] = cb_format("%.*s", (int)(end - text), text);
        if (*end == '\0')
            return;
        text = end;
    }
}

bool cb_globs_match(const struct cb_globs *globs, const char *name) {
    for (size_t i = 0; i < globs->count; i++)
        if (fnmatch(globs->list[i], name, 0) == 0)
            return true;
    return globs->count == 0;
}

void cb_globs_free(struct cb_globs *globs) {
    for (size_t i = 0; i < globs->count; i++)
        free(globs->list[i]);
    free(globs->list);
    *globs = (struct cb_globs){0};
}

static bool glob_matches_one(const char *glob, const struct cb_names *names) {
    for (size_t i = 0; i < names->count; i++)
        if (fnmatch(glob, names->list[i], 0) == 0)
            return true;
    return false;
}

bool cb_globs_check(const struct cb_globs *globs, const char *kind, const struct cb_names *names) {
    for (size_t i = 0; i < globs->count; i++) {
        const char *glob = globs->list[i];
        const char *problem = cb_glob_problem(glob);
        if (problem == NULL && glob_matches_one(glob, names))
            continue;
        char *list = cb_names_join(names);
        if (problem != NULL)
            cb_error(stderr,
                     "--%s '%s' is no well-formed glob: %s\nnothing is done\n"
                     "a glob has * for any text, ? for a character, [abc] for one of these; "
                     "valid names: %s",
                     kind, glob, problem, list);
        else
            cb_error(stderr, "--%s '%s' matches nothing\nnothing is done\nvalid names: %s", kind,
                     glob, list);
        free(list);
        return false;
    }
    return true;
}
