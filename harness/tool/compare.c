// corobench compare: two runs side by side, with an exit status that CI can use.
#include "compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char *const kind_names[CB_COMPARE_KINDS] = {"slower", "faster", "any"};
enum { DIFFERENCES_SHOWN = 8 };

// ---- Limits -------------------------------------------------------------------------------------

static char *read_limit(const char *text, size_t length, double limits[CB_COMPARE_KINDS]) {
    size_t name = strcspn(text, "=,");
    int kind = 0;
    while (kind < CB_COMPARE_KINDS &&
           (strlen(kind_names[kind]) != name || strncmp(kind_names[kind], text, name) != 0))
        kind++;
    if (kind == CB_COMPARE_KINDS)
        return cb_format("'%.*s' is none of slower, faster, any", (int)name, text);
    const char *digits = text + name + 1;
    char *end = NULL;
    errno = 0;
    double percent = name < length ? strtod(digits, &end) : NAN;
    // strtod also reads "inf" and "0x5"; a limit is written in plain digits.
    if (name >= length || end == digits || *end != '%' || end + 1 != text + length || errno != 0 ||
        strspn(digits, "0123456789.") != (size_t)(end - digits) || !isfinite(percent))
        return cb_format("'%.*s' has no limit such as 5%%", (int)length, text);
    limits[kind] = percent / 100;
    return NULL;
}

char *cb_compare_read_limits(const char *text, double limits[CB_COMPARE_KINDS]) {
    for (;; text++) {
        size_t length = strcspn(text, ",");
        char *problem = read_limit(text, length, limits);
        text += length;
        if (problem != NULL || *text == '\0')
            return problem;
    }
}

// ---- Comparing ----------------------------------------------------------------------------------

static bool chosen(const struct cb_compare_request *request, const struct cb_compare_entry *entry) {
    return cb_globs_match(&request->backends, entry->backend) &&
           cb_globs_match(&request->scenarios, entry->scenario) &&
           cb_globs_match(&request->bindings, entry->binding) &&
           cb_globs_match(&request->compilers, entry->compiler);
}

// A glob that matches nothing is a mistake; the names are those of both runs.
static bool check_globs(const struct cb_compare_request *request,
                        struct cb_compare_run *const *runs) {
    struct cb_names names[4] = {{0}};
    for (int r = 0; r < 2; r++)
        for (size_t i = 0; i < runs[r]->count; i++) {
            const struct cb_compare_entry *entry = &runs[r]->entries[i];
            cb_names_add(&names[0], entry->backend);
            cb_names_add(&names[1], entry->scenario);
            cb_names_add(&names[2], entry->binding);
            cb_names_add(&names[3], entry->compiler);
        }
    bool good = cb_globs_check(&request->backends, "backend", &names[0]) &&
                cb_globs_check(&request->scenarios, "scenario", &names[1]) &&
                cb_globs_check(&request->bindings, "binding", &names[2]) &&
                cb_globs_check(&request->compilers, "compiler", &names[3]);
    for (int i = 0; i < 4; i++)
        cb_names_free(&names[i]);
    return good;
}

static void drop_others(const struct cb_compare_request *request, struct cb_compare_run *run) {
    size_t kept = 0;
    for (size_t i = 0; i < run->count; i++) {
        if (chosen(request, &run->entries[i]))
            run->entries[kept++] = run->entries[i];
        else
            free(run->entries[i].values);
    }
    run->count = kept;
}

static void pair_cells(struct cb_comparison *comparison) {
    struct cb_compare_run *a = comparison->a, *b = comparison->b;
    json_t *index = json_object();
    for (size_t i = 0; i < b->count; i++)
        json_object_set_new(index, b->entries[i].id, json_integer((json_int_t)i));
    comparison->cells = cb_allocate(a->count, sizeof *comparison->cells);
    comparison->broken = cb_allocate(a->count, sizeof *comparison->broken);
    for (size_t i = 0; i < a->count; i++) {
        json_t *found = json_object_get(index, a->entries[i].id);
        if (found == NULL)
            continue;
        struct cb_compare_entry *of_a = &a->entries[i];
        struct cb_compare_entry *of_b = &b->entries[json_integer_value(found)];
        of_a->paired = of_b->paired = true;
        bool value_a = !isnan(of_a->estimate.value), value_b = !isnan(of_b->estimate.value);
        struct cb_compare_cell cell = {.a = of_a, .b = of_b};
        if (value_a && value_b)
            comparison->cells[comparison->count++] = cell;
        else if (value_a || value_b)
            comparison->broken[comparison->broken_count++] = cell;
    }
    json_decref(index);
}

static int check_metric(const struct cb_compare_request *request, const char *metric,
                        struct cb_compare_run *const *runs, FILE *messages) {
    if (cb_names_have(&runs[0]->metrics, metric) || cb_names_have(&runs[1]->metrics, metric))
        return CB_EXIT_OK;
    struct cb_names all = {0};
    for (int r = 0; r < 2; r++)
        for (size_t i = 0; i < runs[r]->metrics.count; i++)
            cb_names_add(&all, runs[r]->metrics.list[i]);
    char *names = cb_names_join(&all);
    cb_error(messages, "neither %s nor %s has a metric %s\nnothing is compared\ntheir metrics: %s",
             request->dir_a, request->dir_b, metric, names);
    free(names);
    cb_names_free(&all);
    return CB_EXIT_USAGE;
}

// ---- Warnings -----------------------------------------------------------------------------------

static void warn_differences(const struct cb_comparison *comparison, FILE *messages) {
    size_t count = json_array_size(comparison->differences), i;
    if (count == 0)
        return;
    struct cb_text list = {0};
    json_t *entry;
    json_array_foreach(comparison->differences, i, entry) {
        if (i == DIFFERENCES_SHOWN && count > DIFFERENCES_SHOWN + 1) {
            cb_text_add(&list, "\nand %zu more, which the comparison lists", count - i);
            break;
        }
        cb_text_add(&list, "\n%s: %.60s -> %.60s", cb_rep_string(entry, "what", ""),
                    cb_rep_string(entry, "a", ""), cb_rep_string(entry, "b", ""));
    }
    cb_warning(messages,
               "the runs differ in %zu things beside their numbers\n"
               "these may explain a difference as well as a change of the code does%s",
               count, list.text);
    cb_text_clear(&list);
}

static void warn_mde(const struct cb_comparison *comparison, FILE *messages) {
    if (!comparison->claims || comparison->no_mde.count == 0)
        return;
    char *names = cb_names_join(&comparison->no_mde);
    cb_warning(messages,
               "neither run knows a minimum detectable effect (MDE) of %s, %s: %s\n"
               "it is taken as 0: a difference is declared by interval and test alone, so that "
               "what moves between runs of the same program may be declared too\n"
               "measure runs with A/A cells, and make their reports",
               comparison->metric, comparison->estimator, names);
    free(names);
}

static bool limits_asked(const struct cb_compare_request *request) {
    for (int kind = 0; kind < CB_COMPARE_KINDS; kind++)
        if (!isnan(request->fail_on[kind]))
            return true;
    return false;
}

// Where --fail-on asks, a cell that had a value and has none now is worse than slower.
static int tell_broken(const struct cb_comparison *comparison, FILE *messages) {
    struct cb_text list = {0};
    size_t count = 0;
    for (size_t i = 0; i < comparison->broken_count; i++) {
        const struct cb_compare_cell *cell = &comparison->broken[i];
        if (isnan(cell->a->estimate.value))
            continue;
        count++;
        cb_text_add(&list, "\n%s: %s%s%s", cell->b->id, cell->b->status, *cell->b->note ? ": " : "",
                    cell->b->note);
    }
    bool asked = limits_asked(comparison->request);
    if (count > 0 && asked)
        cb_error(messages, "%zu cells have a value in A and none in B%s", count, list.text);
    cb_text_clear(&list);
    return count > 0 && asked ? CB_EXIT_FAILED : CB_EXIT_OK;
}

static int tell_result(const struct cb_comparison *comparison, FILE *messages) {
    const struct cb_compare_request *request = comparison->request;
    if (limits_asked(request) && !comparison->claims)
        cb_warning(messages, "--fail-on can't fail here: a quick run carries no claim\n"
                             "the exit status is 0\ncompare default or full runs");
    int status = tell_broken(comparison, messages);
    if (comparison->too_much == 0)
        return status;
    struct cb_text list = {0};
    for (size_t i = 0; i < comparison->count; i++) {
        const struct cb_compare_cell *cell = &comparison->cells[i];
        if (cell->too_much[CB_SLOWER] || cell->too_much[CB_FASTER] || cell->too_much[CB_ANY])
            cb_text_add(&list, "\n%s: %s, B/A %.3f", cell->a->id, cell->verdict,
                        cell->effect.ratio);
    }
    cb_error(messages, "%zu of %zu cells differ by more than --fail-on allows%s",
             comparison->too_much, comparison->count, list.text);
    cb_text_clear(&list);
    return CB_EXIT_FAILED;
}

// ---- The command --------------------------------------------------------------------------------

static int judge(struct cb_comparison *comparison, FILE *out, FILE *messages) {
    const struct cb_compare_request *request = comparison->request;
    struct cb_compare_run *a = comparison->a, *b = comparison->b;
    drop_others(request, a);
    drop_others(request, b);
    pair_cells(comparison);
    if (comparison->count + comparison->broken_count == 0) {
        cb_error(messages,
                 "no cell has a value of %s in %s and in %s\nnothing is compared\n"
                 "name two runs that measured the same cells, or other globs",
                 comparison->metric, request->dir_a, request->dir_b);
        return CB_EXIT_USAGE;
    }
    comparison->claims = !a->quick && !b->quick;
    comparison->by_intervals = a->intervals_only || b->intervals_only;
    comparison->differences = cb_fingerprint_differences(a->document, b->document);
    warn_differences(comparison, messages);
    if (comparison->by_intervals)
        cb_warning(messages,
                   "%s keeps no values of its rounds\n"
                   "the comparison rests on the intervals of cells.csv alone\n"
                   "compare runs that have samples.csv or samples-condensed.csv",
                   a->intervals_only ? request->dir_a : request->dir_b);
    cb_comparison_judge(comparison);
    warn_mde(comparison, messages);
    (request->json ? cb_comparison_json : cb_comparison_markdown)(comparison, out);
    return tell_result(comparison, messages);
}

int cb_compare(const struct cb_compare_request *request, FILE *out, FILE *messages) {
    struct cb_compare_run a = {0}, b = {0}, *const runs[] = {&a, &b};
    const char *metric = request->metric ? request->metric : "time";
    int status = cb_compare_load(&a, request->dir_a, metric, request->estimator, messages);
    if (status == CB_EXIT_OK)
        status = cb_compare_load(&b, request->dir_b, metric, cb_rep_estimator_names[a.estimator],
                                 messages);
    if (status == CB_EXIT_OK)
        status = check_metric(request, metric, runs, messages);
    if (status == CB_EXIT_OK && !check_globs(request, runs))
        status = CB_EXIT_USAGE;
    if (status == CB_EXIT_OK) {
        struct cb_comparison comparison = {.request = request,
                                           .a = &a,
                                           .b = &b,
                                           .metric = metric,
                                           .estimator = cb_rep_estimator_names[a.estimator]};
        status = judge(&comparison, out, messages);
        json_decref(comparison.differences);
        cb_names_free(&comparison.no_mde);
        free(comparison.cells);
        free(comparison.broken);
    }
    cb_compare_free(&a);
    cb_compare_free(&b);
    return status;
}

static const struct cb_option options[] = {
    {"metric", "M", "the metric to compare; time without it"},
    {"estimator", "E", "median or lower-quartile; without it, that of the tables"},
    {"backend", "GLOB", "only these backends; several globs joined by commas"},
    {"scenario", "GLOB", "only these scenarios"},
    {"binding", "GLOB", "only these bindings"},
    {"compiler", "GLOB", "only these compilers"},
    {"fail-on", "KIND=N%",
     "exit status 1 where a declared difference is larger, or a cell fails; KIND: slower, "
     "faster, any"},
    {"json", NULL, "print JSON instead of Markdown"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given) {
    struct cb_compare_request request = {.dir_a = given->words[0],
                                         .dir_b = given->words[1],
                                         .metric = cb_given_value(given, "metric"),
                                         .estimator = cb_given_value(given, "estimator"),
                                         .fail_on = {NAN, NAN, NAN},
                                         .json = cb_given_has(given, "json")};
    struct {
        const char *name;
        struct cb_globs *to;
    } globs[] = {{"backend", &request.backends},
                 {"scenario", &request.scenarios},
                 {"binding", &request.bindings},
                 {"compiler", &request.compilers}};
    int status = CB_EXIT_OK;
    for (size_t i = 0; i < given->count && status == CB_EXIT_OK; i++) {
        const struct cb_typed *typed = &given->typed[i];
        for (size_t k = 0; k < sizeof globs / sizeof *globs; k++)
            if (strcmp(typed->option->name, globs[k].name) == 0)
                cb_globs_add(globs[k].to, typed->value);
        if (strcmp(typed->option->name, "fail-on") != 0)
            continue;
        char *problem = cb_compare_read_limits(typed->value, request.fail_on);
        if (problem != NULL) {
            cb_error(stderr,
                     "--fail-on %s: %s\nnothing is compared\n"
                     "write it as --fail-on slower=5%%, several joined by commas",
                     typed->value, problem);
            status = CB_EXIT_USAGE;
        }
        free(problem);
    }
    if (status == CB_EXIT_OK)
        status = cb_compare(&request, stdout, stderr);
    for (size_t k = 0; k < sizeof globs / sizeof *globs; k++)
        cb_globs_free(globs[k].to);
    return status;
}

const struct cb_command cb_command_compare = {
    .name = "compare",
    .words = "A B",
    .least = 2,
    .most = 2,
    .summary = "say what is slower or faster in run B than in run A",
    .details =
        "\nA and B are folders of runs; B is judged against A. A difference is declared where the\n"
        "interval of the ratio leaves out 1, the ratio is beyond the minimum detectable effect of\n"
        "the scenario, and a test corrected over all cells agrees. Quick runs carry no claim.\n"
        "\n--fail-on slower=5% --fail-on faster=20%: exit status 1 where a declared difference is\n"
        "larger. A cell is slower by 5 % when B takes 1.05 times as long as A, and faster by 5 %\n"
        "when A takes 1.05 times as long as B. Where a metric is no time, slower means larger.\n"
        "A cell that has a value in A and failed in B is exit status 1 too.\n"
        "Exit status 2: wrong usage, or runs that can't be read or compared.",
    .options = options,
    .run = run};
