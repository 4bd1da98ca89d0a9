// The report's memory, texts, parameter lists and files.
#include "report_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "file.h"

static void *keep(struct cb_rep *rep, void *memory) {
    if (rep->memory_count == rep->memory_room) {
        rep->memory_room = rep->memory_room ? 2 * rep->memory_room : 1024;
        rep->memory = cb_resize(rep->memory, rep->memory_room, sizeof *rep->memory);
    }
    return rep->memory[rep->memory_count++] = memory;
}

void *cb_rep_memory(struct cb_rep *rep, size_t count, size_t size) {
    return keep(rep, cb_allocate(count, size));
}

const char *cb_rep_text(struct cb_rep *rep, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cb_vformat(format, arguments);
    va_end(arguments);
    return keep(rep, text);
}

void cb_rep_free(struct cb_rep *rep) {
    json_t *documents[] = {rep->run,    rep->headline,  rep->derived, rep->targets,      rep->plots,
                           rep->choose, rep->row_index, rep->repeats, rep->history_index};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        json_decref(documents[i]);
    if (rep->claims)
        cb_claims_free(rep->claims);
    for (size_t i = 0; i < rep->memory_count; i++)
        free(rep->memory[i]);
    free(rep->memory);
    free(rep->rows);
    free(rep->ratios);
    free(rep->tables);
    memset(rep, 0, sizeof *rep);
}

const char *cb_rep_string(const json_t *object, const char *key, const char *absent) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : absent;
}

// Where "key=" starts in params, or NULL.
static const char *find_key(const char *params, const char *key) {
    size_t length = strlen(key);
    for (const char *at = params; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return at;
    return NULL;
}

const char *cb_rep_param(struct cb_rep *rep, const char *params, const char *key) {
    const char *at = find_key(params, key);
    if (!at)
        return NULL;
    at += strlen(key) + 1;
    return cb_rep_text(rep, "%.*s", (int)strcspn(at, ";"), at);
}

const char *cb_rep_param_drop(struct cb_rep *rep, const char *params, const char *key) {
    const char *at = find_key(params, key);
    if (!at)
        return params;
    const char *rest = at + strcspn(at, ";");
    if (*rest == ';')
        rest++;
    else if (at > params)
        at--; // the last of several: its own separator goes too
    return cb_rep_text(rep, "%.*s%s", (int)(at - params), params, rest);
}

const char *cb_rep_param_add(struct cb_rep *rep, const char *params, const char *key,
                             const char *value) {
    const char *at = params;
    while (*at && strncmp(at, key, strlen(key)) < 0)
        at = strchr(at, ';') ? strchr(at, ';') + 1 : at + strlen(at);
    if (*at)
        return cb_rep_text(rep, "%.*s%s=%s;%s", (int)(at - params), params, key, value, at);
    return cb_rep_text(rep, "%s%s%s=%s", params, *params ? ";" : "", key, value);
}

const char *cb_rep_flag(struct cb_rep *rep, const char *flags, const char *flag) {
    size_t length = strlen(flag);
    for (const char *at = flags; *at; at += strcspn(at, ";"), at += *at == ';')
        if (strcspn(at, ";") == length && strncmp(at, flag, length) == 0)
            return flags;
    return cb_rep_text(rep, "%s%s%s", flags, *flags ? ";" : "", flag);
}

int cb_rep_write(struct cb_rep *rep, const char *name, const struct cb_text *text) {
    char *path = cb_format("%s/%s", rep->dir, name);
    int error = cb_file_write(path, text->text ? text->text : "", text->length);
    if (error)
        cb_error(rep->messages,
                 "cannot write %s: %s\nthe report is not complete; an older file stays as it was\n"
                 "make room or allow writing there, then: corobench report %s",
                 path, strerror(-error), rep->dir);
    free(path);
    return error ? CB_EXIT_USAGE : 0;
}

// Decimals that leave three digits; whole numbers from 100 on.
static int decimals_for(double value) {
    double size = fabs(value);
    if (size >= 99.95 || size == 0)
        return 0;
    if (size >= 9.995)
        return 1;
    if (size >= 0.0995)
        return 2;
    return size >= 0.00995 ? 3 : 4;
}

const char *cb_rep_number(struct cb_rep *rep, double value, double like, const char *space) {
    if (isnan(value))
        return "";
    char plain[64];
    snprintf(plain, sizeof plain, "%.*f", decimals_for(like), value);
    const char *digits = plain + (*plain == '-');
    if (strtod(plain, NULL) == 0) // no "-0.00"
        return cb_rep_text(rep, "%s", digits);
    size_t whole = strcspn(digits, ".");
    struct cb_text text = {0};
    cb_text_add(&text, "%s", *plain == '-' ? "-" : "");
    for (size_t i = 0; i < whole; i++)
        cb_text_add(&text, "%c%s", digits[i], i + 1 < whole && (whole - i) % 3 == 1 ? space : "");
    cb_text_add(&text, "%s", digits + whole);
    return keep(rep, text.text);
}
