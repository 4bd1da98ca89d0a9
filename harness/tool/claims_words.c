// From checks to a verdict and the words that explain it: which figures, and on what it depends.
#include "claims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"

#define MOST_NAMED 3 // checks that a sentence names; all of them stand in the command's output

// A unit as it is said: a count is a bare number, and a ratio one like those that are made here.
static const char *said_unit(const char *unit) {
    return strcmp(unit, "count") == 0 ? "" : strcmp(unit, "ratio") == 0 ? "x" : unit;
}

const char *cb_claim_figure(struct cb_rep *rep, double value, double low, double high,
                            const char *unit) {
    if (isnan(value))
        return "";
    unit = said_unit(unit);
    const char *number = cb_rep_number(rep, value, value, " ");
    if (isnan(low) || (low == value && high == value))
        return cb_rep_text(rep, "%s%s%s", number, *unit ? " " : "", unit);
    return cb_rep_text(rep, "%s [%s, %s]%s%s", number, cb_rep_number(rep, low, value, " "),
                       cb_rep_number(rep, high, value, " "), *unit ? " " : "", unit);
}

// ---- On what it depends -------------------------------------------------------------------------

enum { COMPILER, BINDING, CELL, BACKEND, AGAINST, DIMENSIONS };
static const char *const dimension_names[] = {"the compiler", "the binding", "the cell",
                                              "the backend", "what it is compared with"};

static const char *place_in(const struct cb_check *check, int dimension) {
    const char *const places[] = {check->compiler, check->binding, check->cell, check->backend,
                                  check->against};
    return places[dimension];
}

static bool decided(const struct cb_check *check) {
    return check->outcome == CB_HOLDS || check->outcome == CB_FAILS;
}

// Whether a place of a dimension is met first here, and whether all decided checks there say the
// same.
static bool first_there(const struct cb_claim *claim, size_t at, int dimension) {
    for (size_t i = 0; i < at; i++)
        if (decided(&claim->checks[i]) && strcmp(place_in(&claim->checks[i], dimension),
                                                 place_in(&claim->checks[at], dimension)) == 0)
            return false;
    return decided(&claim->checks[at]);
}

static bool unanimous(const struct cb_claim *claim, size_t at, int dimension) {
    for (size_t i = 0; i < claim->check_count; i++)
        if (decided(&claim->checks[i]) &&
            strcmp(place_in(&claim->checks[i], dimension),
                   place_in(&claim->checks[at], dimension)) == 0 &&
            claim->checks[i].outcome != claim->checks[at].outcome)
            return false;
    return true;
}

// The places of a dimension that all say `outcome`; those that say both where it is none.
static void list_places(const struct cb_claim *claim, int dimension, enum cb_outcome outcome,
                        bool one_voice, const char *title, struct cb_text *to) {
    size_t named = 0;
    for (size_t i = 0; i < claim->check_count; i++) {
        if (!first_there(claim, i, dimension) || unanimous(claim, i, dimension) != one_voice ||
            (one_voice && claim->checks[i].outcome != outcome))
            continue;
        const char *place = place_in(&claim->checks[i], dimension);
        if (named++)
            cb_text_add(to, ", %s", place);
        else
            cb_text_add(to, "%s %s %s", to->text[to->length - 1] == ':' ? "" : ";", title, place);
    }
}

static const char *name_check(struct cb_rep *rep, const struct cb_check *check) {
    return cb_rep_text(rep, "%s%s%s (%s, %s, %s)", check->backend, *check->against ? " to " : "",
                       check->against, check->cell, check->binding, check->compiler);
}

// The checks of the rarer outcome by name: where they are few.
static void list_checks(struct cb_rep *rep, const struct cb_claim *claim, enum cb_outcome rare,
                        struct cb_text *to) {
    const char *separator = "";
    cb_text_add(to, "it %s ", rare == CB_HOLDS ? "holds only for" : "fails for");
    for (size_t i = 0; i < claim->check_count; i++)
        if (claim->checks[i].outcome == rare) {
            cb_text_add(to, "%s%s", separator, name_check(rep, &claim->checks[i]));
            separator = ", ";
        }
}

// How many decided checks lie in places of a dimension that speak with one voice.
static size_t explained(const struct cb_claim *claim, int dimension) {
    size_t count = 0;
    for (size_t i = 0; i < claim->check_count; i++)
        count += decided(&claim->checks[i]) && unanimous(claim, i, dimension);
    return count;
}

static bool single(const struct cb_claim *claim, int dimension) {
    size_t places = 0;
    for (size_t i = 0; i < claim->check_count; i++)
        places += first_there(claim, i, dimension);
    return places < 2;
}

// The dimension that explains most, and of these the first: with it the fewest words say on what a
// verdict depends.
static void depends_on(struct cb_rep *rep, const struct cb_claim *claim, struct cb_text *to) {
    size_t holds = claim->outcomes[CB_HOLDS], fails = claim->outcomes[CB_FAILS], most = 0;
    int best = -1;
    for (int d = 0; d < DIMENSIONS; d++)
        if (!single(claim, d) && explained(claim, d) > most) {
            best = d;
            most = explained(claim, d);
        }
    if (best < 0 || (most < holds + fails && (holds <= MOST_NAMED || fails <= MOST_NAMED))) {
        list_checks(rep, claim, holds < fails ? CB_HOLDS : CB_FAILS, to);
        return;
    }
    cb_text_add(to, "on %s:", dimension_names[best]);
    list_places(claim, best, CB_HOLDS, true, "holds for", to);
    list_places(claim, best, CB_FAILS, true, "fails for", to);
    list_places(claim, best, CB_OUTCOMES, false, "some hold and some fail for", to);
}

// ---- Figures and reasons ------------------------------------------------------------------------

static void add_spread(struct cb_rep *rep, const struct cb_claim *claim, struct cb_text *to) {
    double low = INFINITY, high = -INFINITY;
    const char *unit = NULL;
    for (size_t i = 0; i < claim->check_count; i++) {
        const struct cb_check *check = &claim->checks[i];
        if (isnan(check->value))
            continue;
        if (unit && strcmp(unit, check->unit) != 0)
            return;
        unit = check->unit;
        low = fmin(low, check->value);
        high = fmax(high, check->value);
    }
    if (!unit)
        return;
    unit = said_unit(unit);
    const char *from = cb_rep_number(rep, low, low, " "),
               *until = cb_rep_number(rep, high, high, " ");
    cb_text_add(to, "; %s", from);
    if (strcmp(from, until) != 0)
        cb_text_add(to, " to %s", until);
    cb_text_add(to, "%s%s", *unit ? " " : "", unit);
}

static bool one_is_enough(const struct cb_claim *claim) {
    return json_is_true(json_object_get(claim->json, "any"));
}

static const char *figures(struct cb_rep *rep, const struct cb_claim *claim) {
    size_t there = claim->check_count - claim->outcomes[CB_ABSENT];
    if (!there)
        return "";
    if (there == 1)
        for (size_t i = 0; i < claim->check_count; i++) {
            const struct cb_check *check = &claim->checks[i];
            if (check->outcome != CB_ABSENT)
                return cb_claim_figure(rep, check->value, check->low, check->high, check->unit);
        }
    struct cb_text text = {0};
    cb_text_add(&text, "%zu of %zu hold%s", claim->outcomes[CB_HOLDS], there,
                one_is_enough(claim) ? " (one is enough)" : "");
    if (claim->outcomes[CB_FAILS])
        cb_text_add(&text, ", %zu fail", claim->outcomes[CB_FAILS]);
    if (claim->outcomes[CB_OPEN])
        cb_text_add(&text, ", %zu open", claim->outcomes[CB_OPEN]);
    add_spread(rep, claim, &text);
    const char *result = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    return result;
}

// The reasons of checks of one outcome, each once.
static void add_reasons(const struct cb_claim *claim, enum cb_outcome outcome, struct cb_text *to) {
    size_t named = 0, more = 0;
    for (size_t i = 0; i < claim->check_count; i++) {
        const struct cb_check *check = &claim->checks[i];
        bool seen = check->outcome != outcome || !*check->why;
        for (size_t k = 0; k < i && !seen; k++)
            seen = claim->checks[k].outcome == outcome &&
                   strcmp(claim->checks[k].why, check->why) == 0;
        if (seen)
            continue;
        if (named < MOST_NAMED)
            cb_text_add(to, "%s%s", named ? ", " : "", check->why);
        named < MOST_NAMED ? named++ : more++;
    }
    if (more)
        cb_text_add(to, " and %zu more", more);
}

// The backends that some cell is missing of, each once.
static void add_untried(const struct cb_claim *claim, struct cb_text *to) {
    const char *separator = to->length ? "; not tried: " : "not tried: ";
    for (size_t i = 0; i < claim->check_count; i++) {
        bool seen = claim->checks[i].outcome != CB_ABSENT;
        for (size_t k = 0; k < i && !seen; k++)
            seen = claim->checks[k].outcome == CB_ABSENT &&
                   strcmp(claim->checks[k].backend, claim->checks[i].backend) == 0;
        if (!seen) {
            cb_text_add(to, "%s%s", separator, claim->checks[i].backend);
            separator = ", ";
        }
    }
}

static enum cb_verdict verdict_of(const struct cb_claim *claim) {
    bool any = one_is_enough(claim);
    size_t holds = claim->outcomes[CB_HOLDS], fails = claim->outcomes[CB_FAILS];
    size_t open = claim->outcomes[CB_OPEN];
    if (holds + fails + open == 0)
        return CB_MISSING;
    if (any)
        return holds ? CB_SUPPORTED : open ? CB_UNDECIDED : CB_REFUTED;
    if (holds && fails)
        return CB_DEPENDS;
    if (fails)
        return CB_REFUTED;
    return open ? CB_UNDECIDED : CB_SUPPORTED;
}

// The unit of what a claim predicts, also where the run has none of its cells.
static const char *unit_of(struct cb_rep *rep, const struct cb_claim *claim) {
    const json_t *value = json_object_get(claim->json, "value");
    if (!value)
        return "x";
    const json_t *terms = json_object_get(value, "terms");
    const char *metric = cb_rep_string(terms ? json_array_get(terms, 0) : value, "metric", "");
    const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    return said_unit(cb_rep_string(entry, "unit", ""));
}

static const char *predicted(struct cb_rep *rep, const struct cb_claim *claim) {
    const json_t *json = claim->json;
    double min = cb_claim_number(json, "min", NAN), max = cb_claim_number(json, "max", NAN);
    double tolerance = cb_claim_number(json, "tolerance", 1);
    if (isnan(min) && isnan(max))
        return strcmp(claim->kind, "order") == 0 ? "ordered" : "";
    struct cb_text text = {0};
    if (min == max)
        cb_text_add(&text, "%.10g", min);
    else if (isnan(max))
        cb_text_add(&text, "at least %.10g", min);
    else if (isnan(min))
        cb_text_add(&text, "at most %.10g", max);
    else
        cb_text_add(&text, "%.10g to %.10g", min, max);
    const char *unit = unit_of(rep, claim);
    cb_text_add(&text, "%s%s", *unit ? " " : "", unit);
    if (tolerance > 1)
        cb_text_add(&text, " (within a factor of %g)", tolerance);
    const char *result = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    return result;
}

void cb_claim_conclude(struct cb_rep *rep, struct cb_claim *claim) {
    struct cb_text why = {0};
    for (size_t i = 0; i < claim->check_count; i++)
        claim->outcomes[claim->checks[i].outcome]++;
    claim->verdict = verdict_of(claim);
    claim->predicted = predicted(rep, claim);
    claim->figures = figures(rep, claim);
    if (claim->verdict == CB_MISSING) {
        add_reasons(claim, CB_ABSENT, &why);
    } else if (claim->verdict == CB_DEPENDS) {
        depends_on(rep, claim, &why);
    } else if (claim->outcomes[CB_OPEN] && claim->verdict != CB_SUPPORTED) {
        cb_text_add(&why, "open: ");
        add_reasons(claim, CB_OPEN, &why);
    }
    if (claim->verdict != CB_MISSING && claim->outcomes[CB_ABSENT])
        add_untried(claim, &why);
    const json_t *ceiling = json_object_get(claim->json, "ceiling");
    if (ceiling && (claim->verdict == CB_SUPPORTED || claim->verdict == CB_REFUTED)) {
        const char *found = cb_verdict_names[claim->verdict];
        claim->verdict = CB_DEPENDS;
        cb_text_add(&why, "%sby these figures it is %s, but %s", why.length ? "; " : "", found,
                    cb_rep_string(ceiling, "why", ""));
    }
    claim->why = cb_rep_text(rep, "%s", why.text ? why.text : "");
    cb_text_clear(&why);
}
