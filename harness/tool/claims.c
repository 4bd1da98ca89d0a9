// corobench claims: what documents about coroutines say, tried on a run, or on two.
#define _GNU_SOURCE
#include "claims.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "report_internal.h"

#define LATEST "results/latest"
// Two runs on one machine should agree in this share of the claims that cells decide.
#define WANTED_SHARE 0.95

static const struct cb_option options[] = {
    {"json", NULL, "print all of it as JSON"},
    {"id", "GLOB", "only claims whose id matches; each comparison is shown"},
    {"only", "VERDICT", "only claims with this verdict: supported, refuted, depends, ..."},
    {NULL, NULL, NULL}};

// A run and what it says of all claims.
struct tried {
    struct cb_rep rep;
    struct cb_claims claims;
};

static int try_run(struct tried *tried, const char *run) {
    memset(tried, 0, sizeof *tried);
    char *folder = cb_claims_folder();
    int status = cb_claims_load(&tried->claims, folder, stderr);
    free(folder);
    if (!status)
        status = cb_rep_load(&tried->rep, run, stderr);
    if (!status) {
        cb_rep_estimate_all(&tried->rep);
        cb_claims_judge(&tried->claims, &tried->rep);
    }
    return status;
}

static void drop(struct tried *tried) {
    cb_claims_free(&tried->claims);
    cb_rep_free(&tried->rep);
}

static bool wanted(const struct cb_given *given, const struct cb_claim *claim) {
    const char *glob = cb_given_value(given, "id"), *verdict = cb_given_value(given, "only");
    return (!glob || fnmatch(glob, claim->id, 0) == 0) &&
           (!verdict || strcmp(verdict, cb_verdict_names[claim->verdict]) == 0);
}

// A verdict that does not exist would look like one that no claim has.
static int check_verdict(const char *name) {
    struct cb_text names = {0};
    for (int i = 0; i < CB_VERDICTS; i++) {
        if (!name || strcmp(name, cb_verdict_names[i]) == 0) {
            cb_text_clear(&names);
            return 0;
        }
        cb_text_add(&names, "%s%s", i ? ", " : "", cb_verdict_names[i]);
    }
    cb_error(stderr, "no verdict %s\nnothing is shown\nverdicts are: %s", name, names.text);
    cb_text_clear(&names);
    return CB_EXIT_USAGE;
}

// ---- Words --------------------------------------------------------------------------------------

static void print_check(struct cb_rep *rep, const struct cb_check *check) {
    if (check->outcome == CB_ABSENT) {
        printf("      absent  %s\n", check->why);
        return;
    }
    printf("      %-6s  %s%s%s, %s, %s, %s: %s %s%s%s%s%s%s\n", cb_outcome_names[check->outcome],
           check->backend, *check->against ? " to " : "", check->against, check->cell,
           check->binding, check->compiler, check->metric,
           cb_claim_figure(rep, check->value, check->low, check->high, check->unit),
           *check->beside ? " (" : "", check->beside, *check->beside ? ")" : "",
           *check->why ? ": " : "", check->why);
}

static const char *tolerance_reason(const struct cb_claim *claim) {
    const json_t *column = cb_claim_column(claim);
    bool judged = strcmp(claim->kind, "ratio") == 0 || strcmp(claim->kind, "range") == 0;
    return column   ? cb_rep_string(column, "why", "")
           : judged ? cb_rep_string(claim->json, "why", "")
                    : "";
}

static void print_claim(struct cb_rep *rep, const struct cb_claim *claim, bool all) {
    printf("  %-12s  %s: %s\n", cb_verdict_names[claim->verdict], claim->id, claim->says);
    if (all)
        printf("      source  %s, %s: \"%s\"\n", claim->file->source, claim->section, claim->quote);
    if (*claim->predicted && (all || *claim->figures))
        printf("      wanted  %s%s%s\n", claim->predicted, all ? "; " : "",
               all ? tolerance_reason(claim) : "");
    if (*claim->figures)
        printf("      found   %s\n", claim->figures);
    if (*claim->why)
        printf("      %s\n", claim->why);
    size_t index;
    json_t *one;
    if (all)
        json_array_foreach(json_object_get(claim->json, "evidence"), index, one) printf(
            "      see     %s: %s\n", cb_rep_string(one, "file", cb_rep_string(one, "claim", "")),
            cb_rep_string(one, "text", ""));
    if (all && *cb_rep_string(claim->json, "cite", ""))
        printf("      cited   %s\n", cb_rep_string(claim->json, "cite", ""));
    for (size_t i = 0; all && i < claim->check_count; i++)
        print_check(rep, &claim->checks[i]);
}

static void print_words(struct tried *tried, const struct cb_given *given) {
    size_t verdicts[CB_VERDICTS] = {0}, count = 0;
    const char *source = NULL;
    for (size_t i = 0; i < tried->claims.claim_count; i++) {
        const struct cb_claim *claim = &tried->claims.claims[i];
        if (!wanted(given, claim))
            continue;
        if (claim->file->source != source)
            printf("%s%s\n", source ? "\n" : "", claim->file->source);
        source = claim->file->source;
        print_claim(&tried->rep, claim, cb_given_has(given, "id"));
        verdicts[claim->verdict]++;
        count++;
    }
    printf("%s%zu claims", count ? "\n" : "", count);
    for (int v = 0; v < CB_VERDICTS; v++)
        if (verdicts[v])
            printf(", %zu %s", verdicts[v], cb_verdict_names[v]);
    printf("\n");
}

// ---- JSON ---------------------------------------------------------------------------------------

static void set_number(json_t *to, const char *key, double value) {
    json_object_set_new(to, key, isnan(value) ? json_null() : json_real(value));
}

static json_t *check_json(const struct cb_check *check) {
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "outcome",
                             cb_outcome_names[check->outcome], "backend", check->backend, "against",
                             check->against, "cell", check->cell, "binding", check->binding,
                             "compiler", check->compiler, "metric", check->metric, "unit",
                             check->unit, "beside", check->beside, "why", check->why);
    set_number(json, "value", check->value);
    set_number(json, "ci_low", check->low);
    set_number(json, "ci_high", check->high);
    return json;
}

static json_t *claim_json(const struct cb_claim *claim) {
    json_t *checks = json_array();
    for (size_t i = 0; i < claim->check_count; i++)
        json_array_append_new(checks, check_json(&claim->checks[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id", claim->id,
                     "source", claim->file->source, "section", claim->section, "quote",
                     claim->quote, "claim", claim->says, "verdict",
                     cb_verdict_names[claim->verdict], "predicted", claim->predicted, "measured",
                     claim->figures, "why", claim->why, "checks", checks);
}

static void print_json(json_t *json) {
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(json);
}

static json_t *all_json(const struct tried *tried, const struct cb_given *given) {
    json_t *claims = json_array();
    for (size_t i = 0; i < tried->claims.claim_count; i++)
        if (wanted(given, &tried->claims.claims[i]))
            json_array_append_new(claims, claim_json(&tried->claims.claims[i]));
    return json_pack("{s:s, s:o}", "run", tried->rep.run_id, "claims", claims);
}

// ---- Two runs -----------------------------------------------------------------------------------

// Facts and what can't be tested are the same in any run, and say nothing of how it agrees.
static bool from_cells(const struct cb_claim *claim) {
    return strcmp(claim->kind, "fact") != 0 && claim->verdict != CB_NOT_TESTABLE;
}

static bool same_check(const struct cb_check *a, const struct cb_check *b) {
    return strcmp(a->backend, b->backend) == 0 && strcmp(a->against, b->against) == 0 &&
           strcmp(a->cell, b->cell) == 0 && strcmp(a->binding, b->binding) == 0 &&
           strcmp(a->compiler, b->compiler) == 0;
}

// Comparisons that both runs have: how many there are, and how many end alike. Where one run has
// more backends than the other, this says more than the verdicts.
static void compare_checks(const struct cb_claim *a, const struct cb_claim *b, size_t *both,
                           size_t *same) {
    for (size_t i = 0; i < a->check_count; i++)
        for (size_t k = 0; k < b->check_count; k++)
            if (a->checks[i].outcome != CB_ABSENT && b->checks[k].outcome != CB_ABSENT &&
                same_check(&a->checks[i], &b->checks[k])) {
                ++*both;
                *same += a->checks[i].outcome == b->checks[k].outcome;
                break;
            }
}

static int compare(const struct cb_given *given, struct tried *a, struct tried *b) {
    size_t same = 0, both = 0, alone = 0, checks = 0, alike = 0;
    json_t *differ = json_array();
    bool json = cb_given_has(given, "json");
    for (size_t i = 0; i < a->claims.claim_count; i++) {
        const struct cb_claim *x = &a->claims.claims[i], *y = &b->claims.claims[i];
        if (!from_cells(x) || (!wanted(given, x) && !wanted(given, y)))
            continue;
        if ((x->verdict == CB_MISSING) != (y->verdict == CB_MISSING))
            alone++;
        if (x->verdict == CB_MISSING || y->verdict == CB_MISSING)
            continue;
        both++;
        same += x->verdict == y->verdict;
        compare_checks(x, y, &checks, &alike);
        if (x->verdict == y->verdict)
            continue;
        json_array_append_new(differ, json_pack("{s:s, s:s, s:s}", "id", x->id, "first",
                                                cb_verdict_names[x->verdict], "second",
                                                cb_verdict_names[y->verdict]));
        if (!json)
            printf("  %s: %s, then %s\n      %s\n      %s\n", x->id, cb_verdict_names[x->verdict],
                   cb_verdict_names[y->verdict], *x->figures ? x->figures : "no figures",
                   *y->figures ? y->figures : "no figures");
    }
    double share = both ? (double)same / (double)both : NAN;
    if (json) {
        json_t *all =
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "first", a->rep.run_id, "second",
                      b->rep.run_id, "compared", (json_int_t)both, "same", (json_int_t)same,
                      "in_one_run_only", (json_int_t)alone, "checks", (json_int_t)checks,
                      "checks_alike", (json_int_t)alike, "differ", differ);
        set_number(all, "share", share);
        print_json(all);
    } else {
        printf("%zu of %zu verdicts are the same", same, both);
        if (both)
            printf(" (%.1f %%; wanted: %g %%)", 100 * share, 100 * WANTED_SHARE);
        printf("; %zu claims have cells in one run only\n", alone);
        printf("%zu of %zu comparisons that both runs have end alike\n", alike, checks);
        json_decref(differ);
    }
    return share >= WANTED_SHARE ? CB_EXIT_OK : CB_EXIT_FAILED;
}

static int run(const struct cb_given *given) {
    const char *first = given->word_count > 0 ? given->words[0] : LATEST;
    struct tried tried[2] = {0};
    int status = check_verdict(cb_given_value(given, "only"));
    if (!status)
        status = try_run(&tried[0], first);
    if (!status && given->word_count > 1) {
        status = try_run(&tried[1], given->words[1]);
        status = status ? status : compare(given, &tried[0], &tried[1]);
    } else if (!status) {
        if (cb_given_has(given, "json"))
            print_json(all_json(&tried[0], given));
        else
            print_words(&tried[0], given);
    }
    drop(&tried[1]);
    drop(&tried[0]);
    return status;
}

const struct cb_command cb_command_claims = {
    .name = "claims",
    .words = "[RUN [OTHER]]",
    .least = 0,
    .most = 2,
    .summary = "try what documents about coroutines say on a run",
    .details =
        "\nEach claim of claims/*.json, with its verdict: supported, refuted, depends (and on "
        "what),\n"
        "undecided, not testable (and why), or missing cell (and which). RUN is a run's folder, or "
        "a\n"
        "reference's; without it " LATEST
        ". With a second run: which verdicts differ, and the share\n"
        "that is the same; status 1 where that is below 95 %. `corobench report` writes the same "
        "as\n"
        "tables/claims.*.",
    .options = options,
    .run = run};
