// Predicts the time and bytes of a program on one technique: curves through measured cells, and
// what rules the technique out.
#define _GNU_SOURCE
#include "choose_internal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_rng.h>

#include "stats.h"

#define BEYOND 1.25 // times the last point: further than that, an answer says that it is a guess
#define VALUES (CB_CHOOSE_DRAWS + 1) // the estimate itself, then one a draw

// ---- Drawing rounds -----------------------------------------------------------------------------

// The same rounds are drawn for all cells: what they had in common in a round stays so.
void cb_choose_draw(struct cb_choose *choose) {
    struct cb_rep *rep = choose->rep;
    choose->group = cb_rep_memory(rep, rep->slots + 1, sizeof *choose->group);
    for (size_t i = 0; i < rep->slots; i++) {
        size_t same = 0;
        while (rep->clustered && same < i && rep->slot_build[same] != rep->slot_build[i])
            same++;
        bool old = rep->clustered && same < i;
        choose->group[i] = old ? choose->group[same] : (long)choose->groups++;
    }
    choose->draws = cb_rep_memory(rep, CB_CHOOSE_DRAWS * choose->groups + 1, sizeof(unsigned));
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, CB_BOOTSTRAP_SEED);
    for (size_t i = 0; i < CB_CHOOSE_DRAWS * choose->groups; i++)
        choose->draws[i] = (unsigned)gsl_rng_uniform_int(random, choose->groups);
    gsl_rng_free(random);
    for (choose->drawn_room = 1024; choose->drawn_room < 4 * rep->row_count;)
        choose->drawn_room *= 2;
    choose->drawn = cb_rep_memory(rep, choose->drawn_room, sizeof *choose->drawn);
}

// What a draw took: each group's values as often as the group was drawn.
static size_t take(const struct cb_choose *choose, const struct cb_rep_row *row, size_t draw,
                   double *into) {
    const unsigned *drawn = choose->draws + draw * choose->groups;
    size_t n = 0;
    for (size_t g = 0; g < choose->groups; g++)
        for (size_t slot = 0; slot < choose->rep->slots; slot++)
            if (choose->group[slot] == (long)drawn[g] && !isnan(row->values[slot]))
                into[n++] = row->values[slot];
    return n;
}

static void fill(const struct cb_choose *choose, const struct cb_rep_row *row, double *values) {
    const struct cb_rep *rep = choose->rep;
    double p = cb_rep_quantiles[cb_rep_estimator_of(rep, row->metric)];
    double *taken = cb_allocate(choose->groups * rep->slots + 1, sizeof *taken);
    values[0] = cb_rep_shown(rep, row)->value;
    for (size_t draw = 0; draw < CB_CHOOSE_DRAWS; draw++) {
        size_t n = row->exact || row->counted ? 0 : take(choose, row, draw, taken);
        values[draw + 1] = n ? cb_quantile(taken, n, p) : values[0];
    }
    free(taken);
}

static const double *values_of(struct cb_choose *choose, const struct cb_rep_row *row) {
    size_t at = ((uintptr_t)row / sizeof(void *)) * 0x9e3779b1u & (choose->drawn_room - 1);
    while (choose->drawn[at].row && choose->drawn[at].row != row)
        at = (at + 1) & (choose->drawn_room - 1);
    if (!choose->drawn[at].row) {
        choose->drawn[at].row = row;
        choose->drawn[at].values = cb_rep_memory(choose->rep, VALUES, sizeof(double));
        fill(choose, row, choose->drawn[at].values);
    }
    return choose->drawn[at].values;
}

// ---- One forecast at work -----------------------------------------------------------------------

struct work {
    struct cb_choose *choose;
    const struct cb_program *program;
    const char *backend, *compiler;
    double in[CB_INPUTS];
    struct cb_text out, unmeasured, beyond, lacking; // reasons
};

__attribute__((format(printf, 2, 3))) static void say(struct cb_text *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cb_vformat(format, arguments);
    va_end(arguments);
    if (!to->text || !strstr(to->text, text)) // once
        cb_text_add(to, "%s%s", to->length ? "; " : "", text);
    free(text);
}

static const json_t *describe_of(const struct work *work) {
    const json_t *programs = json_object_get(work->choose->rep->run, "programs"), *program;
    size_t index;
    json_array_foreach(
        programs, index,
        program) if (strcmp(cb_rep_string(program, "backend", ""), work->backend) == 0 &&
                     strcmp(cb_rep_string(program, "compiler", ""), work->compiler) ==
                         0) return json_object_get(program, "describe");
    return NULL;
}

static bool has_text(const json_t *list, const char *text) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index,
                       entry) if (json_is_string(entry) &&
                                  strcmp(json_string_value(entry), text) == 0) return true;
    return false;
}

// A point of a curve in this run.
struct found {
    const struct cb_choose_point *point;
    const double *value, *less[CB_CHOOSE_LESS + 1]; // NULL: nothing
    const double *explained;                        // by the other terms; NULL: not asked
    double times[CB_CHOOSE_LESS + 2];               // of the value, and of what is taken off
    const char *status, *note; // of a missing one: the cell's; "" where it was not planned
    const char *cell;          // of a missing one: what is missing
};

static const double *find_cell(struct work *work, const json_t *selector, struct found *found) {
    const struct cb_rep_row *row =
        cb_rep_select(work->choose->rep, selector, work->backend, work->compiler);
    if (row && row->values)
        return values_of(work->choose, row);
    if (!found->cell || (row && !*found->status)) { // what was planned says why it is missing
        found->cell =
            cb_rep_text(work->choose->rep, "%s %s", cb_rep_string(selector, "scenario", ""),
                        cb_rep_string(selector, "params", ""));
        found->status = row ? row->status : "";
        found->note = row ? row->note : "";
    }
    return NULL;
}

// The first of a point's cells, or the lowest of them.
static void find_value(struct work *work, const struct cb_choose_point *point,
                       struct found *found) {
    double *lowest = NULL;
    for (size_t i = 0; i < point->count && (point->lowest || !found->value); i++) {
        const double *value = find_cell(work, point->cells[i].selector, found);
        if (value && !lowest && point->lowest) {
            lowest = cb_rep_memory(work->choose->rep, VALUES, sizeof *lowest);
            for (size_t draw = 0; draw < VALUES; draw++)
                lowest[draw] = INFINITY;
        }
        for (size_t draw = 0; value && lowest && draw < VALUES; draw++)
            lowest[draw] = fmin(lowest[draw], point->cells[i].times * value[draw]);
        if (value) {
            found->value = lowest ? lowest : value;
            found->times[0] = lowest ? 1 : point->cells[i].times;
        }
    }
}

static bool explain(struct work *work, const struct cb_program *program, struct found *found);

// Whether the run has the point.
static bool find_point(struct work *work, const struct cb_choose_part *part,
                       const struct cb_choose_point *point, struct found *found) {
    *found = (struct found){.point = point, .status = "", .note = ""};
    if (point->count == 0)
        return true;
    find_value(work, point, found);
    bool there = found->value != NULL;
    for (size_t i = 0; i <= point->less_count && there; i++) {
        const struct cb_choose_cell *less = i ? &point->less[i - 1] : &part->less;
        found->times[i + 1] = less->times;
        if (less->selector)
            there = (found->less[i] = find_cell(work, less->selector, found)) != NULL;
    }
    return there && (!point->as || explain(work, point->as, found));
}

static double point_value(const struct found *found, size_t draw) {
    double value = found->value ? found->times[0] * found->value[draw] : 0;
    for (size_t i = 0; i <= found->point->less_count; i++)
        value -= found->less[i] ? found->times[i + 1] * found->less[i][draw] : 0;
    value -= found->explained ? found->explained[draw] : 0;
    return value / found->point->per;
}

static void say_missing(struct work *work, const struct found *found) {
    if (*found->status)
        say(&work->out, "%s: %s%s%s", found->cell, found->status, *found->note ? ", " : "",
            found->note);
    else
        say(&work->unmeasured, "%s", found->cell);
}

// The two points that x lies between, or goes on from; *weight is the second one's share. False
// where the run cannot tell.
static bool bracket(struct work *work, const struct cb_choose_part *part, double x,
                    struct found pair[2], double *weight) {
    size_t known = 0; // the last two that lie before x, or the two around it
    struct found here = {.cell = "no cell", .status = ""}, missing = {.point = NULL};
    for (size_t i = 0; i < part->count; i++) {
        if (!find_point(work, part, &part->points[i], &here)) {
            bool matters = i == 0 || part->points[i].x <= x;
            // Refused on this technique, not only left out of this run.
            if (matters && (known == 0 || *here.status) && !missing.point)
                missing = here;
            continue;
        }
        if (known == 2)
            pair[0] = pair[1];
        pair[known < 2 ? known : 1] = here;
        known += known < 2;
        bool reached = part->over < 0 || here.point->x >= x;
        if (reached && (known == 2 || here.point->x <= x))
            missing.point = NULL; // measured on both sides of x, or there
        if (reached)
            break;
    }
    if (missing.point || known == 0) {
        say_missing(work, missing.point ? &missing : &here);
        return false;
    }
    *weight = 0;
    if (known == 1) {
        if (part->over >= 0 && part->count > 1 && x > pair[0].point->x && !part->flat) {
            say(&work->unmeasured, "%s beyond %g", cb_choose_inputs[part->over], pair[0].point->x);
            return false;
        }
        pair[1] = pair[0];
        return true;
    }
    double from = pair[0].point->x, to = pair[1].point->x;
    if (part->flat)
        x = fmin(x, to);
    if (x > to * BEYOND)
        say(&work->beyond, "%s beyond %g", cb_choose_inputs[part->over], to);
    if (x > from)
        *weight = part->log ? log(x / from) / log(to / from) : (x - from) / (to - from);
    return true;
}

// Adds `times` the part to all values; false where the run cannot tell.
static bool add_part(struct work *work, const struct cb_choose_part *part, double times,
                     double *values) {
    struct found pair[2];
    double weight, x = part->over < 0 ? 0 : work->in[part->over];
    if (!bracket(work, part, x, pair, &weight))
        return false;
    for (size_t draw = 0; draw < VALUES; draw++) {
        double low = point_value(&pair[0], draw), high = point_value(&pair[1], draw);
        values[draw] += times * fmax(part->least, low + weight * (high - low));
    }
    return true;
}

static void take_back(struct cb_text *text, size_t length) {
    if (text->length > length)
        text->text[text->length = length] = '\0';
}

// Where a variant was not measured on the cells of a part that it shares, those of the technique
// that it is a variant of do. An optional part that is nowhere measured is left out.
static bool add_shared(struct work *work, const struct cb_choose_part *part, double times,
                       double *values) {
    const char *own = work->backend, *of = cb_rep_string(describe_of(work), "variant_of", "");
    size_t refused = work->out.length, unmeasured = work->unmeasured.length;
    bool known = add_part(work, part, times, values);
    if (!known && part->shared && *of && work->out.length == refused) {
        take_back(&work->unmeasured, unmeasured);
        work->backend = of;
        known = add_part(work, part, times, values);
        work->backend = own;
    }
    if (!known && part->optional && work->out.length == refused &&
        work->unmeasured.length > unmeasured) {
        say(&work->lacking, "%s", work->unmeasured.text + unmeasured + (unmeasured ? 2 : 0));
        take_back(&work->unmeasured, unmeasured);
        known = true;
    }
    return known;
}

static bool applies(const struct work *work, const struct cb_choose_part *part) {
    return cb_choose_holds(&part->when, work->program) &&
           !(part->several && work->in[CB_LIVE] <= 1) &&
           (!part->has || has_text(json_object_get(describe_of(work), "capabilities"), part->has));
}

static bool add_term(struct work *work, const struct cb_choose_term *term, double *values) {
    bool known = true;
    double times = 1;
    for (size_t i = 0; i < term->count_count; i++)
        times *= work->in[term->counts[i]];
    for (size_t i = 0; times > 0 && i < term->part_count; i++)
        if (applies(work, &term->parts[i]))
            known &= add_shared(work, &term->parts[i], times, values);
    return known;
}

// All that hold for the program; each one's share into `shares` where that is wanted.
static bool add_terms(struct work *work, double *values, double *shares) {
    bool known = true;
    for (size_t i = 0; i < work->choose->term_count; i++) {
        double before = values[0];
        if (cb_choose_holds(&work->choose->terms[i].when, work->program))
            known &= add_term(work, &work->choose->terms[i], values);
        if (shares)
            shares[i] = values[0] - before;
    }
    return known;
}

static void forget(struct work *work) {
    cb_text_clear(&work->out);
    cb_text_clear(&work->unmeasured);
    cb_text_clear(&work->beyond);
    cb_text_clear(&work->lacking);
}

// What the model says of a program that was measured, without the terms that come from it.
static bool explain(struct work *work, const struct cb_program *program, struct found *found) {
    struct cb_rep *rep = work->choose->rep;
    struct work inner = {.choose = work->choose,
                         .program = program,
                         .backend = work->backend,
                         .compiler = work->compiler};
    double *values = cb_rep_memory(rep, VALUES, sizeof *values);
    memcpy(inner.in, program->in, sizeof inner.in);
    bool known = add_terms(&inner, values, NULL);
    const char *why = inner.out.length ? inner.out.text : inner.unmeasured.text;
    found->explained = values;
    if (!known) {
        found->cell = cb_rep_text(rep, "%s", why ? why : "");
        found->status = inner.out.length ? "no value" : "";
    }
    forget(&inner);
    return known;
}

// ---- Bytes --------------------------------------------------------------------------------------

// Of one coroutine; NaN where the run does not have them.
static double bytes_of(struct work *work, const struct cb_program *program) {
    struct work inner = *work;
    double *values = cb_allocate(VALUES, sizeof *values);
    inner.program = program;
    inner.out = inner.unmeasured = inner.beyond = inner.lacking = (struct cb_text){0};
    memcpy(inner.in, program->in, sizeof inner.in);
    bool known = add_term(&inner, &work->choose->bytes, values);
    double bytes = known ? values[0] : NAN;
    if (inner.beyond.length)
        say(&work->beyond, "%s", inner.beyond.text);
    forget(&inner);
    free(values);
    return bytes;
}

// What a round over all coroutines touches grows with what each keeps alive; one alone stays near.
static void set_spread(struct work *work) {
    struct cb_program keeps = *work->program, least = cb_program_plain();
    keeps.in[CB_PEAK] = 0;
    size_t said = work->beyond.length;
    double share = bytes_of(work, &keeps) / bytes_of(work, &least);
    if (work->beyond.text && !said) // of the bytes that are asked for, not of these
        cb_text_clear(&work->beyond);
    work->in[CB_SPREAD] = 1 + (work->program->in[CB_LIVE] - 1) * (share > 1 ? share : 1);
}

// ---- What rules a technique out -----------------------------------------------------------------

static void apply_rules(struct work *work, const json_t *describe, const char *family) {
    const json_t *claimed = json_object_get(describe, "capabilities");
    for (size_t i = 0; i < work->choose->rule_count; i++) {
        const struct cb_choose_rule *rule = &work->choose->rules[i];
        if (!cb_choose_holds(&rule->when, work->program) ||
            (rule->over >= 0 && !(work->in[rule->over] > rule->above)) ||
            (rule->families && !has_text(rule->families, family)))
            continue;
        bool good = false;
        size_t index;
        json_t *need;
        json_array_foreach(rule->needs, index, need) good |=
            has_text(claimed, json_string_value(need));
        if (!good)
            say(&work->out, "%s", rule->why);
    }
}

// How many can be alive: what the technique says, and what was tried.
static void apply_limits(struct work *work, const json_t *describe) {
    struct cb_rep *rep = work->choose->rep;
    const json_t *limit = json_object_get(describe, "limit"), *selector;
    const json_t *most = json_object_get(limit, "live");
    double live = work->in[CB_LIVE];
    size_t index;
    if (json_is_number(most) && live > json_number_value(most)) {
        say(&work->out, "at most %s can be alive: %s",
            cb_rep_number(rep, json_number_value(most), 1000, " "),
            cb_rep_string(limit, "reason", ""));
        return;
    }
    json_array_foreach(work->choose->most_live, index, selector) {
        const struct cb_rep_row *row = cb_rep_select(rep, selector, work->backend, work->compiler);
        const char *asked = cb_rep_param(rep, cb_rep_string(selector, "params", ""), "most");
        if (!row || !row->values || !asked)
            continue;
        double reached = cb_rep_shown(rep, row)->value;
        if (live > reached && reached < strtod(asked, NULL))
            say(&work->out, "only %s were reached: %s", cb_rep_number(rep, reached, 1000, " "),
                row->note);
    }
}

static void apply_memory(struct work *work, double bytes) {
    struct cb_rep *rep = work->choose->rep;
    const json_t *machine = json_object_get(rep->run, "machine");
    double there = json_number_value(json_object_get(machine, "memory_bytes"));
    double needed = bytes * work->in[CB_LIVE];
    if (there > 0 && needed > there)
        say(&work->out, "all need %s, the machine has %s", cb_choose_bytes(rep, needed),
            cb_choose_bytes(rep, there));
}

// ---- All together -------------------------------------------------------------------------------

static void set_interval(const struct cb_choose *choose, const double *values,
                         struct cb_forecast *forecast) {
    // A quick run's few rounds have a range, not an interval.
    double tail = cb_rep_claims(choose->rep) ? (1 - CB_LEVEL) / 2 : 0;
    forecast->time = values[0];
    forecast->low = fmin(values[0], cb_quantile(values + 1, CB_CHOOSE_DRAWS, tail));
    forecast->high = fmax(values[0], cb_quantile(values + 1, CB_CHOOSE_DRAWS, 1 - tail));
}

static void predict(struct work *work, struct cb_forecast *forecast) {
    struct cb_choose *choose = work->choose;
    double *values = cb_allocate(VALUES, sizeof *values);
    if (add_terms(work, values, forecast->terms))
        set_interval(choose, values, forecast);
    free(values);
}

void cb_choose_forecast(struct cb_choose *choose, const struct cb_program *program,
                        const struct cb_rep_backend *backend, const char *compiler,
                        struct cb_forecast *forecast) {
    struct cb_rep *rep = choose->rep;
    struct work work = {
        .choose = choose, .program = program, .backend = backend->name, .compiler = compiler};
    memcpy(work.in, program->in, sizeof work.in);
    *forecast = (struct cb_forecast){
        .backend = backend, .time = NAN, .low = NAN, .high = NAN, .bytes = NAN};
    forecast->terms = cb_rep_memory(rep, choose->term_count, sizeof *forecast->terms);
    const json_t *describe = describe_of(&work);
    if (strcmp(backend->status, "ok") != 0) {
        say(&work.out, "%s: %s", backend->status, backend->note);
    } else {
        apply_rules(&work, describe, backend->family);
        apply_limits(&work, describe);
        set_spread(&work);
        forecast->bytes = bytes_of(&work, program);
        apply_memory(&work, forecast->bytes);
        predict(&work, forecast);
    }
    forecast->status = work.out.length          ? CB_FORECAST_OUT
                       : work.unmeasured.length ? CB_FORECAST_UNMEASURED
                                                : CB_FORECAST_OK;
    const struct cb_text *why = work.out.length ? &work.out : &work.unmeasured;
    forecast->why = cb_rep_text(rep, "%s", why->text ? why->text : "");
    forecast->beyond = cb_rep_text(rep, "%s", work.beyond.text ? work.beyond.text : "");
    forecast->lacking = cb_rep_text(rep, "%s", work.lacking.text ? work.lacking.text : "");
    forget(&work);
}
