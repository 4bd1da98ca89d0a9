// How two runs differ in what can move numbers, read from both run.json.
#include "compare.h"

#include <stdlib.h>
#include <string.h>

static char *value_text(const json_t *value) {
    if (value == NULL || json_is_null(value))
        return cb_copy("(none)");
    if (json_is_string(value))
        return cb_copy(json_string_value(value));
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS |
                                       JSON_REAL_PRECISION(10));
    return text ? text : cb_copy("?");
}

static void add_texts(json_t *to, const char *what, const char *a, const char *b) {
    json_array_append_new(to, json_pack("{s:s, s:s, s:s}", "what", what, "a", a, "b", b));
}

// Objects are compared member by member, so that a message names the one that differs.
static void compare_values(json_t *to, const char *what, const json_t *a, const json_t *b) {
    if (a == NULL && b == NULL)
        return;
    if (json_is_object(a) && json_is_object(b)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)a, key, value) {
            char *name = cb_format("%s.%s", what, key);
            compare_values(to, name, value, json_object_get(b, key));
            free(name);
        }
        json_object_foreach((json_t *)b, key, value) {
            if (json_object_get(a, key) != NULL)
                continue;
            char *name = cb_format("%s.%s", what, key);
            compare_values(to, name, NULL, value);
            free(name);
        }
        return;
    }
    char *text_a = value_text(a), *text_b = value_text(b);
    if (strcmp(text_a, text_b) != 0) // 1 and 1.0 are one number
        add_texts(to, what, text_a, text_b);
    free(text_a);
    free(text_b);
}

// The options of a run as typed, without those that can't move a number.
static json_t *options_of(const json_t *run) {
    static const char *const aside[] = {"--name", "--seed", "--results", "--resume"};
    const json_t *command = json_object_get(run, "command");
    json_t *options = json_array(), *word;
    size_t i;
    bool skip = false;
    json_array_foreach(command, i, word) {
        const char *text = json_string_value(word);
        bool drop = skip || text == NULL;
        skip = false;
        for (size_t k = 0; text != NULL && !drop && k < sizeof aside / sizeof *aside; k++) {
            size_t length = strlen(aside[k]);
            if (strncmp(text, aside[k], length) != 0)
                continue;
            drop = text[length] == '\0' || text[length] == '=';
            skip = text[length] == '\0';
        }
        if (!drop)
            json_array_append(options, word);
    }
    if (json_is_string(command))
        json_array_append(options, (json_t *)command);
    return options;
}

// ---- Programs -----------------------------------------------------------------------------------

// "backend, compiler, link" -> what of a program can move a number.
static json_t *programs_of(const json_t *run) {
    json_t *programs = json_object(), *entry;
    size_t i;
    json_array_foreach(json_object_get(run, "programs"), i, entry) {
        static const char *const own[] = {"status", "sha256", "library_sha256"};
        static const char *const described[] = {"compiler_version", "flags",       "language",
                                                "build_type",       "environment", "padding"};
        json_t *facts = json_object(), *describe = json_object_get(entry, "describe");
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            json_object_set(facts, own[k], json_object_get(entry, own[k]));
        for (size_t k = 0; k < sizeof described / sizeof *described; k++)
            json_object_set(facts, described[k], json_object_get(describe, described[k]));
        json_int_t link = json_integer_value(json_object_get(entry, "link"));
        char *name = cb_format("program %s, %s", cb_rep_string(entry, "backend", "?"),
                               cb_rep_string(entry, "compiler", "?"));
        char *full = link ? cb_format("%s, link %lld", name, (long long)link) : cb_copy(name);
        json_object_set_new(programs, full, facts);
        free(name);
        free(full);
    }
    return programs;
}

static void compare_programs(json_t *to, const json_t *run_a, const json_t *run_b) {
    json_t *a = programs_of(run_a), *b = programs_of(run_b), *facts;
    const char *name;
    json_object_foreach(a, name, facts) {
        json_t *other = json_object_get(b, name);
        if (other == NULL)
            add_texts(to, name, "there", "not there");
        else
            compare_values(to, name, facts, other);
    }
    json_object_foreach(b, name, facts) if (json_object_get(a, name) == NULL)
        add_texts(to, name, "not there", "there");
    json_decref(a);
    json_decref(b);
}

json_t *cb_fingerprint_differences(const json_t *a, const json_t *b) {
    static const char *const members[] = {"mode",        "machine",  "compilers", "rounds",
                                          "repetitions", "settings", "cpus",      "complete"};
    json_t *to = json_array();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        compare_values(to, members[i], json_object_get(a, members[i]),
                       json_object_get(b, members[i]));
    json_t *options_a = options_of(a), *options_b = options_of(b);
    compare_values(to, "options", options_a, options_b);
    json_decref(options_a);
    json_decref(options_b);
    compare_programs(to, a, b);
    return to;
}
