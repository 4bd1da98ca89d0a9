// Parameters of a cell: reading "key=value;key=value" strictly, so that one cell has one spelling.
#include "params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_key_char(char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_value_char(char c) {
    return is_key_char(c) || (c >= 'A' && c <= 'Z') || c == '.';
}

// Cuts one pair at the '=' and checks both sides. `pair` is zero-ended.
static bool cut_pair(char *pair, char **value, char *why, size_t why_size) {
    char *equals = strchr(pair, '=');
    if (!equals) {
        snprintf(why, why_size, "\"%s\" is not key=value", pair);
        return false;
    }
    *equals = '\0';
    *value = equals + 1;
    bool key_good = is_lower(pair[0]);
    for (const char *c = pair; *c; c++)
        key_good = key_good && is_key_char(*c);
    if (!key_good) {
        snprintf(why, why_size,
                 "the key \"%s\" is not a lower-case letter and then lower-case letters, digits, "
                 "'_' or '-'",
                 pair);
        return false;
    }
    bool value_good = **value != '\0';
    for (const char *c = *value; *c; c++)
        value_good = value_good && is_value_char(*c);
    if (!value_good)
        snprintf(why, why_size,
                 "the value \"%s\" of \"%s\" is not one or more letters, digits, '_', '-' or '.'",
                 *value, pair);
    return value_good;
}

static bool add_pair(struct cb_params *params, char *pair, char *why, size_t why_size) {
    char *value = NULL;
    if (!cut_pair(pair, &value, why, why_size))
        return false;
    if (params->count == CB_PARAMS_KEYS) {
        snprintf(why, why_size, "more than %d keys", CB_PARAMS_KEYS);
        return false;
    }
    if (params->count > 0) {
        const char *last = params->key[params->count - 1];
        int order = strcmp(last, pair);
        if (order == 0)
            snprintf(why, why_size, "the key \"%s\" occurs twice", last);
        else if (order > 0)
            snprintf(why, why_size, "the keys are not sorted: \"%s\" is before \"%s\"", last, pair);
        if (order >= 0)
            return false;
    }
    params->key[params->count] = pair;
    params->value[params->count] = value;
    params->count++;
    return true;
}

bool cb_params_parse(struct cb_params *params, const char *text, char *why, size_t why_size) {
    memset(params, 0, sizeof *params);
    if (strlen(text) >= sizeof params->text) {
        snprintf(why, why_size, "longer than %d characters", CB_PARAMS_TEXT - 1);
        return false;
    }
    strcpy(params->text, text);
    strcpy(params->cut, text);
    if (!*text)
        return true;
    for (char *pair = params->cut, *next; pair; pair = next) {
        next = strchr(pair, ';');
        if (next)
            *next++ = '\0';
        if (!add_pair(params, pair, why, why_size))
            return false;
    }
    return true;
}

const char *cb_param_text(const struct cb_params *params, const char *key, const char *absent) {
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->key[i], key) == 0)
            return params->value[i];
    return absent;
}

// A value that is not a number where a scenario asks for one is a mistake in the scenario's own
// list of cells. Going on with a default would measure something else under this cell's name.
long cb_param(const struct cb_params *params, const char *key, long absent) {
    const char *value = cb_param_text(params, key, NULL);
    if (!value)
        return absent;
    char *end = NULL;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno || end == value || *end) {
        fprintf(stderr,
                "corobench: the scenario asks for the number %s, but the cell \"%s\" has \"%s\"; "
                "correct the scenario's list of cells\n",
                key, params->text, value);
        abort();
    }
    return number;
}

bool cb_param_is(const struct cb_params *params, const char *key, const char *value) {
    return strcmp(cb_param_text(params, key, ""), value) == 0;
}
