// Finds bench programs and asks each for its description.
#define _GNU_SOURCE
#include "programs.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "message.h"
#include "process.h"

static const char unavailable_suffix[] = ".unavailable";
enum { DESCRIBE_LIMIT = 20 }; // seconds

const char *cb_program_text(const struct cb_program *program, const char *key) {
    const char *text = json_string_value(json_object_get(program->describe, key));
    return text ? text : "";
}

bool cb_program_is_measurable(const struct cb_program *program) {
    const char *type = cb_program_text(program, "build_type");
    return !json_is_true(json_object_get(program->describe, "checked")) &&
           (strcmp(type, "Release") == 0 || strcmp(type, "RelWithDebInfo") == 0);
}

static void fail(struct cb_program *program, char *note) {
    free(program->note);
    program->status = cb_copy("failed");
    program->note = note;
}

// The names in "<backend>-<compiler>[-link<N>]", for a program that could not say them itself.
static void name_from_file(struct cb_program *program, const char *file) {
    static const char mark[] = "-link";
    char *name = cb_format("%.*s", (int)strcspn(file, "."), file);
    char *dash = strrchr(name, '-'), *end;
    if (dash != NULL && strncmp(dash, mark, sizeof mark - 1) == 0) {
        long link = strtol(dash + sizeof mark - 1, &end, 10);
        if (*end == '\0' && link > 0 && link < 1000) {
            program->link = (int)link;
            *dash = '\0';
            dash = strrchr(name, '-');
        }
    }
    program->backend = cb_format("%.*s", (int)(dash ? dash - name : (long)strlen(name)), name);
    program->compiler = cb_copy(dash ? dash + 1 : "unknown");
    program->family = cb_copy("unknown");
    free(name);
}

// What a description lacks, or NULL.
static const char *description_problem(const json_t *describe) {
    static const char *const texts[] = {"backend", "family", "compiler"};
    if (!json_is_object(describe))
        return "the description is no JSON object";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (json_string_length(json_object_get(describe, texts[i])) == 0)
            return "the description lacks backend, family or compiler";
    if (json_integer_value(json_object_get(describe, "contract")) != CB_CONTRACT)
        return "it speaks another version of the protocol: build corobench and it together";
    const char *status = json_string_value(json_object_get(describe, "status"));
    bool unavailable = status != NULL && strcmp(status, "unavailable") == 0;
    if (!unavailable && !json_is_array(json_object_get(describe, "scenarios")))
        return "the description has no list of scenarios";
    return NULL;
}

static void take_description(struct cb_program *program, const char *name, const char *text,
                             size_t length) {
    json_error_t error;
    json_t *describe = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    const char *problem =
        describe ? description_problem(describe) : "the description is not valid JSON";
    if (problem != NULL) {
        name_from_file(program, name);
        fail(program, describe ? cb_copy(problem)
                               : cb_format("%s: line %d: %s", problem, error.line, error.text));
        json_decref(describe);
        return;
    }
    program->describe = describe;
    program->backend = cb_copy(cb_program_text(program, "backend"));
    program->family = cb_copy(cb_program_text(program, "family"));
    program->compiler = cb_copy(cb_program_text(program, "compiler"));
    program->link = (int)json_integer_value(json_object_get(describe, "link"));
    const char *status = cb_program_text(program, "status");
    program->status = cb_copy(*status ? status : "ok");
    program->note = cb_copy(cb_program_text(program, "note"));
}

static void describe_program(struct cb_program *program, const char *name) {
    struct cb_process process;
    char option[] = "--describe";
    char *argv[] = {program->path, option, NULL};
    cb_process_run(&process, argv, NULL, DESCRIBE_LIMIT);
    if (process.ending == CB_ENDED && process.code == 0) {
        take_description(program, name, process.out.text ? process.out.text : "",
                         process.out.length);
    } else {
        char *reason = cb_process_reason(&process, DESCRIBE_LIMIT);
        name_from_file(program, name);
        fail(program, cb_format("--describe: %s", reason));
        free(reason);
    }
    cb_process_free(&process);
}

static void describe_unavailable(struct cb_program *program, const char *name) {
    char *text = NULL;
    size_t length = 0;
    int error = cb_file_read(program->path, &text, &length);
    if (error < 0) {
        name_from_file(program, name);
        fail(program, cb_format("cannot read its description: %s", strerror(-error)));
    } else {
        take_description(program, name, text, length);
    }
    free(text);
    free(program->path);
    program->path = NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_program(const char *path) {
    struct stat status;
    const char *name = strrchr(path, '/') + 1;
    return *name != '.' && !ends_with(name, ".so") && stat(path, &status) == 0 &&
           S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static void free_program(struct cb_program *program) {
    free(program->path);
    free(program->backend);
    free(program->family);
    free(program->compiler);
    free(program->status);
    free(program->note);
    free(program->sha256);
    free(program->library_sha256);
    json_decref(program->describe);
}

static void add_program(struct cb_programs *programs, const char *folder, const char *name) {
    char *path = cb_format("%s/%s", folder, name);
    bool unavailable = ends_with(name, unavailable_suffix);
    if (!unavailable && !is_program(path)) {
        free(path);
        return;
    }
    struct cb_program program = {.path = path};
    if (unavailable)
        describe_unavailable(&program, name);
    else
        describe_program(&program, name);
    programs->list = cb_resize(programs->list, programs->count + 1, sizeof *programs->list);
    programs->list[programs->count++] = program;
}

// Adds what a folder has. 0 or -errno.
static int scan_folder(struct cb_programs *programs, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        add_program(programs, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int compare_programs(const void *a, const void *b) {
    const struct cb_program *p = a, *q = b;
    int order = strcmp(p->backend, q->backend);
    if (order == 0)
        order = strcmp(p->compiler, q->compiler);
    return order ? order : (p->link > q->link) - (p->link < q->link);
}

// Other presets bring the compilers that the own one lacks; their debug builds are left alone.
static void scan_siblings(struct cb_programs *programs, const char *own) {
    struct cb_names have = {0};
    cb_programs_compilers(programs, &have);
    char *pattern = cb_format("%s/../*/bench", own), *real = realpath(own, NULL);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            struct cb_programs more = {0};
            char *preset = cb_format("%s/..", found.gl_pathv[i]), *at = realpath(preset, NULL);
            if (at != NULL && real != NULL && strcmp(at, real) != 0)
                scan_folder(&more, found.gl_pathv[i]);
            for (size_t k = 0; k < more.count; k++) {
                struct cb_program *p = &more.list[k];
                bool usable = strcmp(p->status, "ok") != 0 || cb_program_is_measurable(p);
                if (!usable || cb_names_have(&have, p->compiler)) {
                    free_program(p);
                    continue;
                }
                programs->list =
                    cb_resize(programs->list, programs->count + 1, sizeof *programs->list);
                programs->list[programs->count++] = *p;
            }
            free(more.list);
            cb_programs_compilers(programs, &have);
            free(preset);
            free(at);
        }
        globfree(&found);
    }
    free(pattern);
    free(real);
    cb_names_free(&have);
}

static int complain_none(const char *where) {
    cb_error(stderr,
             "no bench program in %s\nthere is nothing to measure or list\n"
             "build them (cmake --build build/release), or name their folder with --programs DIR",
             where);
    return CB_EXIT_USAGE;
}

static int complain_double(const struct cb_program *p) {
    cb_error(stderr,
             "two bench programs call themselves %s, compiler %s, link %d\n"
             "nothing is done: it would not be known which of them was measured\n"
             "remove the stale one, or name one folder with --programs DIR",
             p->backend, p->compiler, p->link);
    return CB_EXIT_USAGE;
}

int cb_programs_find(struct cb_programs *programs, const char *const *folders, size_t count) {
    *programs = (struct cb_programs){0};
    char *own = cb_program_folder(), *bench = cb_format("%s/bench", own);
    const char *where = count > 0 ? folders[0] : "bench/ beside corobench";
    int status = CB_EXIT_OK;
    for (size_t i = 0; i < count && status == CB_EXIT_OK; i++) {
        int error = scan_folder(programs, folders[i]);
        if (error < 0) {
            cb_error(stderr,
                     "--programs %s: %s\nnothing is done\nname a folder that holds bench "
                     "programs",
                     folders[i], strerror(-error));
            status = CB_EXIT_USAGE;
        }
    }
    if (count == 0) {
        scan_folder(programs, bench);
        scan_siblings(programs, own);
    }
    free(own);
    free(bench);
    if (status == CB_EXIT_OK && programs->count == 0)
        status = complain_none(where);
    if (status == CB_EXIT_OK)
        qsort(programs->list, programs->count, sizeof *programs->list, compare_programs);
    for (size_t i = 1; i < programs->count && status == CB_EXIT_OK; i++)
        if (compare_programs(&programs->list[i - 1], &programs->list[i]) == 0)
            status = complain_double(&programs->list[i]);
    if (status != CB_EXIT_OK)
        cb_programs_free(programs);
    return status;
}

void cb_programs_free(struct cb_programs *programs) {
    for (size_t i = 0; i < programs->count; i++)
        free_program(&programs->list[i]);
    free(programs->list);
    *programs = (struct cb_programs){0};
}

// ---- Hashes: sha256sum is part of every Linux system and needs no library.

// The shared object that a program bench/X uses: bench/libX.so, or NULL where it has none.
static char *library_of(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    char *library = cb_format("%.*slib%s.so", (int)(name - path), path, name);
    if (access(library, R_OK) == 0)
        return library;
    free(library);
    return NULL;
}

// Takes the 64 digits of the next line of sha256sum's output; NULL at its end.
static char *next_hash(const char **at) {
    if (*at == NULL || strcspn(*at, " ") < 64)
        return NULL;
    // A name with a backslash or a line feed makes sha256sum put a backslash before the digits.
    char *hash = cb_format("%.64s", **at == '\\' ? *at + 1 : *at);
    const char *end = strchr(*at, '\n');
    *at = end ? end + 1 : NULL;
    return hash;
}

int cb_programs_hash(struct cb_programs *programs) {
    char **argv = cb_allocate(2 * programs->count + 4, sizeof *argv);
    size_t n = 0;
    argv[n++] = cb_copy("/usr/bin/env");
    argv[n++] = cb_copy("sha256sum");
    argv[n++] = cb_copy("--");
    for (size_t i = 0; i < programs->count; i++) {
        const char *path = programs->list[i].path;
        char *library = path ? library_of(path) : NULL;
        if (path != NULL)
            argv[n++] = cb_copy(path);
        if (library != NULL)
            argv[n++] = library;
    }
    struct cb_process process;
    cb_process_run(&process, argv, NULL, 300);
    bool good = process.ending == CB_ENDED && process.code == 0;
    const char *at = process.out.text;
    for (size_t i = 0; i < programs->count && good; i++) {
        struct cb_program *p = &programs->list[i];
        char *library = p->path ? library_of(p->path) : NULL;
        if (p->path != NULL)
            good = (p->sha256 = next_hash(&at)) != NULL;
        if (library != NULL)
            good = good && (p->library_sha256 = next_hash(&at)) != NULL;
        free(library);
    }
    if (!good) {
        char *reason = cb_process_reason(&process, 300);
        cb_error(stderr,
                 "sha256sum of the bench programs: %s\nnothing is measured: the run could not say "
                 "what it measured\ninstall coreutils",
                 reason);
        free(reason);
    }
    cb_process_free(&process);
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    free(argv);
    return good ? CB_EXIT_OK : CB_EXIT_USAGE;
}

// ---- Names

size_t cb_program_environment(const struct cb_program *program, const char *params, char **list,
                              size_t most) {
    size_t n = 0;
    const char *pair, *name;
    json_t *variables, *value;
    char *all = cb_format(";%s;", params);
    json_object_foreach(json_object_get(program->describe, "environment"), pair, variables) {
        char *token = cb_format(";%s;", pair);
        bool wanted = strstr(all, token) != NULL;
        json_object_foreach(variables, name, value) if (wanted && n < most) list[n++] =
            cb_format("%s=%s", name, json_string_value(value) ? json_string_value(value) : "");
        free(token);
    }
    free(all);
    return n;
}

void cb_programs_backends(const struct cb_programs *programs, struct cb_names *names) {
    for (size_t i = 0; i < programs->count; i++)
        cb_names_add(names, programs->list[i].backend);
}

void cb_programs_compilers(const struct cb_programs *programs, struct cb_names *names) {
    for (size_t i = 0; i < programs->count; i++)
        cb_names_add(names, programs->list[i].compiler);
}

void cb_programs_scenarios(const struct cb_programs *programs, struct cb_names *names) {
    for (size_t i = 0; i < programs->count; i++) {
        size_t k;
        json_t *scenario;
        json_array_foreach(json_object_get(programs->list[i].describe, "scenarios"), k, scenario) {
            const char *id = json_string_value(json_object_get(scenario, "id"));
            if (id != NULL)
                cb_names_add(names, id);
        }
    }
}

// ---- Links

static bool is_link_of(const struct cb_program *p, const char *backend, const char *compiler) {
    return strcmp(p->backend, backend) == 0 && strcmp(p->compiler, compiler) == 0 &&
           strcmp(p->status, "ok") == 0;
}

size_t cb_programs_count_links(const struct cb_programs *programs, const char *backend,
                               const char *compiler) {
    size_t count = 0;
    for (size_t i = 0; i < programs->count; i++)
        count += is_link_of(&programs->list[i], backend, compiler);
    return count;
}

const struct cb_program *cb_programs_link(const struct cb_programs *programs, const char *backend,
                                          const char *compiler, size_t n) {
    size_t count = cb_programs_count_links(programs, backend, compiler);
    size_t left = count > 0 ? n % count : 0;
    for (size_t i = 0; i < programs->count; i++)
        if (is_link_of(&programs->list[i], backend, compiler) && left-- == 0)
            return &programs->list[i];
    return NULL;
}

bool cb_program_claims(const struct cb_program *program, const char *capability) {
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(program->describe, "capabilities"), i, name) {
        const char *text = json_string_value(name);
        if (text != NULL && strcmp(text, capability) == 0)
            return true;
    }
    return false;
}
