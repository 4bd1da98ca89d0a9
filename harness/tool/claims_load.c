// Reads claims/*.json and refuses what is not well-formed: a claim that is misspelled must not pass
// as one that was not measured.
#define _GNU_SOURCE
#include "claims.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "report_internal.h"

#define METHODS "methods"

char *cb_claims_folder(void) {
    return cb_share_path("claims");
}

void cb_claims_free(struct cb_claims *claims) {
    for (size_t i = 0; i < claims->claim_count; i++)
        free(claims->claims[i].checks);
    for (size_t i = 0; i < claims->file_count; i++) {
        json_decref(claims->files[i].json);
        free((char *)claims->files[i].name);
    }
    free(claims->claims);
    free(claims->files);
    json_decref(claims->methods);
    memset(claims, 0, sizeof *claims);
}

// ---- What a claim must have ---------------------------------------------------------------------

// Where in the data something is wrong.
struct place {
    struct cb_claims *claims;
    const char *file, *id;
};

static int refuse(const struct place *at, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct place *at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *what = cb_vformat(format, arguments);
    va_end(arguments);
    cb_error(at->claims->messages,
             "claims/%s.json: %s%s%s\nno claim is tried\n"
             "correct the file; claims/README.md says what a claim has",
             at->file, at->id, *at->id ? ": " : "", what);
    free(what);
    return CB_EXIT_USAGE;
}

static bool listed(const char *name, const char *const *names) {
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int only_members(const struct place *at, const json_t *object, const char *what,
                        const char *const *names) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) if (!listed(key, names)) return refuse(
        at, "%s has a member that means nothing: %s", what, key);
    return 0;
}

static int need_texts(const struct place *at, const json_t *object, const char *const *names) {
    for (; *names; names++) {
        const char *text = cb_rep_string(object, *names, "");
        if (!*text)
            return refuse(at, "%s is missing, or is no text", *names);
    }
    return 0;
}

static int check_method(const struct place *at, const char *method) {
    if (!json_object_get(at->claims->methods, method))
        return refuse(at, "methods.json has no method %s", method);
    return 0;
}

// ---- Selectors ----------------------------------------------------------------------------------

static int check_cell(const struct place *at, const json_t *cell, const char *what) {
    static const char *const texts[] = {"scenario", "metric", NULL};
    if (!json_is_object(cell))
        return refuse(at, "%s is no object", what);
    if (!json_is_string(json_object_get(cell, "params")))
        return refuse(at, "%s: params is missing (\"\" for none)", what);
    return need_texts(at, cell, texts);
}

static int check_side(const struct place *at, const json_t *side, const char *what) {
    static const char *const members[] = {"backend",  "backends", "method",   "scenario",
                                          "params",   "binding",  "metric",   "terms",
                                          "constant", "unit",     "compiler", NULL};
    static const char *const term[] = {"times",   "scenario", "params",   "metric",
                                       "binding", "backend",  "compiler", NULL};
    if (!json_is_object(side))
        return refuse(at, "%s is missing, or is no object", what);
    int status = only_members(at, side, what, members);
    const char *method = cb_rep_string(side, "method", NULL);
    if (!status && method)
        status = check_method(at, method);
    if (status || json_is_number(json_object_get(side, "constant")))
        return status;
    const json_t *terms = json_object_get(side, "terms");
    if (!terms)
        return check_cell(at, side, what);
    size_t index;
    json_t *one;
    if (json_array_size(terms) == 0)
        return refuse(at, "%s: terms is no list with something in it", what);
    json_array_foreach(terms, index, one) {
        status = check_cell(at, one, "a term");
        if (!status)
            status = only_members(at, one, "a term", term);
        if (status)
            return status;
    }
    return 0;
}

// ---- Kinds --------------------------------------------------------------------------------------

static int check_column(const struct place *at, const json_t *column) {
    static const char *const members[] = {"title",  "cells",     "words", "falling",
                                          "beside", "tolerance", "why",   NULL};
    static const char *const texts[] = {"title", "why", NULL};
    size_t index, i;
    json_t *cell, *rank, *method;
    int status = only_members(at, column, "the column", members);
    if (!status)
        status = need_texts(at, column, texts);
    if (!status && json_array_size(json_object_get(column, "cells")) == 0)
        status = refuse(at, "the column has no cells");
    if (!status && json_array_size(json_object_get(column, "words")) < 2)
        status = refuse(at, "the column has fewer than two words to compare");
    if (!status && cb_claim_number(column, "tolerance", 0) < 1)
        status = refuse(at, "the column's tolerance is no number from 1 on");
    json_array_foreach(json_object_get(column, "cells"), index, cell) {
        if (!status)
            status = check_cell(at, cell, "a cell");
        if (!status && !*cb_rep_string(cell, "binding", ""))
            status = refuse(at, "a cell has no binding");
    }
    json_array_foreach(json_object_get(column, "words"), index, rank) {
        if (!status && (!*cb_rep_string(rank, "word", "") ||
                        json_array_size(json_object_get(rank, "methods")) == 0))
            status = refuse(at, "a word has no name, or no methods");
        json_array_foreach(json_object_get(rank, "methods"), i, method) if (!status) status =
            check_method(at, json_string_value(method) ? json_string_value(method) : "");
    }
    return status;
}

const json_t *cb_claim_column(const struct cb_claim *claim) {
    return json_object_get(json_object_get(claim->file->json, "columns"),
                           cb_rep_string(claim->json, "column", ""));
}

static bool rated(const json_t *column, const char *method) {
    size_t index, i;
    json_t *rank, *name;
    json_array_foreach(json_object_get(column, "words"), index, rank)
        json_array_foreach(json_object_get(rank, "methods"), i,
                           name) if (strcmp(json_string_value(name), method) == 0) return true;
    return false;
}

static int check_order(const struct place *at, const struct cb_claim *claim) {
    const json_t *column = cb_claim_column(claim);
    const char *method = cb_rep_string(claim->json, "method", NULL);
    if (!column)
        return refuse(at, "its column is not in this file's columns");
    if (method && !rated(column, method))
        return refuse(at, "its column rates no method %s", method);
    return 0;
}

static int check_range(const struct place *at, const json_t *json) {
    static const char *const reason[] = {"why", NULL};
    const json_t *min = json_object_get(json, "min"), *max = json_object_get(json, "max");
    bool ratio = strcmp(cb_rep_string(json, "kind", ""), "ratio") == 0;
    int status = need_texts(at, json, reason);
    if (!status && !min && !max)
        status = refuse(at, "it has neither min nor max");
    if (!status && ((min && !json_is_number(min)) || (max && !json_is_number(max))))
        status = refuse(at, "min or max is no number");
    if (!status && min && max && json_number_value(min) > json_number_value(max))
        status = refuse(at, "min is larger than max");
    if (!status && cb_claim_number(json, "tolerance", 0) < 1)
        status = refuse(at, "tolerance is no number from 1 on");
    if (!status)
        status = check_side(at, json_object_get(json, ratio ? "numerator" : "value"),
                            ratio ? "numerator" : "value");
    if (!status && ratio)
        status = check_side(at, json_object_get(json, "denominator"), "denominator");
    return status;
}

static int check_fact(const struct place *at, const json_t *json) {
    static const char *const verdicts[] = {"supported", "refuted", "depends", NULL};
    static const char *const texts[] = {"why", NULL}, *const text[] = {"text", NULL};
    static const char *const members[] = {"file", "claim", "text", "lines", NULL};
    size_t index;
    json_t *one;
    int status = need_texts(at, json, texts);
    if (!status && !listed(cb_rep_string(json, "verdict", ""), verdicts))
        status = refuse(at, "verdict is none of supported, refuted, depends");
    if (!status && json_array_size(json_object_get(json, "evidence")) == 0)
        status = refuse(at, "a fact has no evidence");
    json_array_foreach(json_object_get(json, "evidence"), index, one) {
        if (!status)
            status = only_members(at, one, "a piece of evidence", members);
        if (!status)
            status = need_texts(at, one, text);
        if (!status && !json_object_get(one, "file") == !json_object_get(one, "claim"))
            status = refuse(at, "a piece of evidence has not one of file and claim");
        const json_t *lines = json_object_get(one, "lines");
        if (!status && lines && json_array_size(lines) != 2)
            status = refuse(at, "lines is not [least, most]");
    }
    return status;
}

static int check_claim(const struct place *at, const struct cb_claim *claim) {
    static const char *const texts[] = {"id", "section", "quote", "says", "kind", NULL};
    static const char *const members[] = {
        "id",        "section",     "quote",     "says",      "kind", "column",
        "method",    "why",         "tolerance", "min",       "max",  "value",
        "numerator", "denominator", "bindings",  "compilers", "any",  "ceiling",
        "verdict",   "evidence",    "cite",      NULL};
    static const char *const reason[] = {"why", NULL};
    const json_t *json = claim->json, *ceiling = json_object_get(json, "ceiling");
    int status = need_texts(at, json, texts);
    if (!status)
        status = only_members(at, json, "the claim", members);
    if (!status && ceiling && strcmp(cb_rep_string(ceiling, "verdict", ""), "depends") != 0)
        status = refuse(at, "ceiling: its verdict is not depends");
    if (!status && ceiling)
        status = need_texts(at, ceiling, reason);
    if (status)
        return status;
    if (strcmp(claim->kind, "order") == 0)
        return check_order(at, claim);
    if (strcmp(claim->kind, "ratio") == 0 || strcmp(claim->kind, "range") == 0)
        return check_range(at, json);
    if (strcmp(claim->kind, "fact") == 0)
        return check_fact(at, json);
    if (strcmp(claim->kind, "untestable") == 0)
        return need_texts(at, json, reason);
    return refuse(at, "kind is none of order, ratio, range, fact, untestable");
}

// ---- Files --------------------------------------------------------------------------------------

static int load_claim(struct cb_claims *claims, const struct cb_claim_file *file,
                      const json_t *json) {
    struct cb_claim claim = {.json = json,
                             .file = file,
                             .id = cb_rep_string(json, "id", ""),
                             .section = cb_rep_string(json, "section", ""),
                             .quote = cb_rep_string(json, "quote", ""),
                             .says = cb_rep_string(json, "says", ""),
                             .kind = cb_rep_string(json, "kind", ""),
                             .figures = "",
                             .why = "",
                             .predicted = ""};
    struct place at = {claims, file->name, claim.id};
    for (size_t i = 0; i < claims->claim_count; i++)
        if (strcmp(claims->claims[i].id, claim.id) == 0)
            return refuse(&at, "this id is there twice, also in claims/%s.json",
                          claims->claims[i].file->name);
    int status = check_claim(&at, &claim);
    claims->claims[claims->claim_count++] = claim;
    return status;
}

static int load_claims(struct cb_claims *claims, struct cb_claim_file *file) {
    struct place at = {claims, file->name, ""};
    json_t *list = json_object_get(file->json, "claims"), *json;
    const char *id;
    size_t index;
    file->source = cb_rep_string(file->json, "source", "");
    if (!*file->source)
        return refuse(&at, "source, the document's title, is missing");
    if (json_array_size(list) == 0)
        return refuse(&at, "it has no claims");
    json_object_foreach(json_object_get(file->json, "columns"), id, json) {
        struct place in = {claims, file->name, id};
        if (check_column(&in, json))
            return CB_EXIT_USAGE;
    }
    claims->claims = cb_resize(claims->claims, claims->claim_count + json_array_size(list),
                               sizeof *claims->claims);
    json_array_foreach(list, index, json) if (load_claim(claims, file, json)) return CB_EXIT_USAGE;
    return 0;
}

static json_t *read_json(struct cb_claims *claims, const char *folder, const char *name) {
    json_error_t problem;
    char *path = cb_format("%s/%s.json", folder, name);
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    struct place at = {claims, name, ""};
    if (!json)
        refuse(&at, "line %d: %s", problem.line, problem.text);
    free(path);
    return json;
}

static int load_methods(struct cb_claims *claims, const char *folder) {
    struct place at = {claims, METHODS, ""};
    json_t *document = read_json(claims, folder, METHODS), *method;
    const char *name;
    if (!document)
        return CB_EXIT_USAGE;
    claims->methods = json_incref(json_object_get(document, "methods"));
    json_decref(document);
    if (json_object_size(claims->methods) == 0)
        return refuse(&at, "it has no methods");
    json_object_foreach(claims->methods, name,
                        method) if (json_array_size(json_object_get(method, "backends")) ==
                                    0) return refuse(&at, "%s has no backends", name);
    return 0;
}

static int is_claims(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0 &&
           strcmp(entry->d_name, METHODS ".json") != 0;
}

int cb_claims_load(struct cb_claims *claims, const char *folder, FILE *messages) {
    memset(claims, 0, sizeof *claims);
    claims->messages = messages;
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_claims, alphasort), status = 0;
    if (count <= 0) {
        cb_error(messages,
                 "%s: %s\nno claim is tried\nit belongs to the program: build it again with "
                 "cmake --build",
                 folder, count < 0 ? strerror(errno) : "no claims are in it");
        status = CB_EXIT_USAGE;
    }
    if (!status)
        status = load_methods(claims, folder);
    if (!status)
        claims->files = cb_allocate((size_t)count, sizeof *claims->files);
    for (int i = 0; i < count; i++) {
        if (!status) {
            struct cb_claim_file *file = &claims->files[claims->file_count];
            char *name = cb_copy(names[i]->d_name);
            name[strlen(name) - 5] = '\0';
            file->name = name;
            claims->file_count++;
            file->json = read_json(claims, folder, name);
            status = file->json ? load_claims(claims, file) : CB_EXIT_USAGE;
        }
        free(names[i]);
    }
    free(names);
    return status;
}
