// report.html: one file with everything inside, readable without a network, without a script, on a
// phone and on paper. report.css and report.js of the data files go into it: with the script tables
// can be sorted, backends hidden, and each cell's rounds looked at.
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "stats.h"

static void paragraph(struct cb_text *to, const char *text) {
    cb_text_add(to, "<p>");
    cb_rep_html(to, text);
    cb_text_add(to, "</p>\n");
}

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void add_table(struct cb_rep *rep, struct cb_text *to, const struct cb_rep_table *table) {
    bool folded = table->wide && table->row_count > 12 && !begins(table->id, "claims");
    cb_text_add(to, "%s", folded ? "<details><summary>" : "<h3>");
    cb_rep_html(to, table->title);
    cb_text_add(to, "%s\n", folded ? "</summary>" : "</h3>");
    if (table->row_count)
        cb_rep_table_html(rep, table, to);
    else
        paragraph(to, table->empty);
    if (folded)
        cb_text_add(to, "</details>\n");
}

static void add_tables(struct cb_rep *rep, struct cb_text *to, const char *prefix) {
    for (size_t i = 0; i < rep->table_count; i++)
        if (begins(rep->tables[i]->id, prefix))
            add_table(rep, to, rep->tables[i]);
}

// All that the cost model has made but its answer, which stands first.
static void add_predictions(struct cb_rep *rep, struct cb_text *to) {
    for (size_t i = 0; i < rep->table_count; i++)
        if (begins(rep->tables[i]->id, "choose") && !begins(rep->tables[i]->id, "choose-typical"))
            add_table(rep, to, rep->tables[i]);
}

// The drawing without its XML declaration; gnuplot's ids carry the plot's name already, and what
// they share is the same in all plots.
static int add_plot(struct cb_rep *rep, struct cb_text *to, size_t plot) {
    char *path = cb_format("%s/plots/%s.svg", rep->dir, rep->plot_ids[plot]), *bytes;
    int error = cb_file_read(path, &bytes, NULL);
    if (error) {
        cb_error(rep->messages,
                 "cannot read %s: %s\nreport.html is not made\n"
                 "run: corobench report %s",
                 path, strerror(-error), rep->dir);
        free(path);
        return CB_EXIT_USAGE;
    }
    const char *svg = strstr(bytes, "<svg"), *series = rep->plot_series[plot];
    cb_text_add(to, "<figure id=\"plot-%s\"", rep->plot_ids[plot]);
    if (*series)
        cb_text_add(to, " data-series=\"%s\" data-rows=\"%s\"", series,
                    rep->plot_rows[plot] ? "yes" : "no");
    cb_text_add(to, ">\n<div class=\"wideplot\">");
    if (svg)
        cb_text_add_bytes(to, svg, strlen(svg));
    cb_text_add(to, "</div>\n<figcaption class=\"note\">");
    cb_rep_html(to, rep->plot_notes[plot]);
    cb_text_add(to, "</figcaption></figure>\n");
    free(bytes);
    free(path);
    return 0;
}

// What scripts/factors left beside the run, if it did.
static void add_factors(struct cb_rep *rep, struct cb_text *to) {
    char *path = cb_format("%s/factors.svg", rep->dir), *bytes = NULL;
    const char *svg = cb_file_read(path, &bytes, NULL) == 0 ? strstr(bytes, "<svg") : NULL;
    if (svg) {
        cb_text_add(to, "<figure id=\"plot-factors\">\n<div class=\"wideplot\">");
        cb_text_add_bytes(to, svg, strlen(svg));
        cb_text_add(to, "</div>\n<figcaption class=\"note\">Where published ratios of fibers to "
                        "stackless coroutines come from: one choice of the switch after another; "
                        "factors.md has all 64 combinations. A run of its own, by scripts/factors."
                        "</figcaption></figure>\n");
    }
    free(bytes);
    free(path);
}

static void how_to_read(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<h2 id=\"read\">How to read this</h2>\n<ul>\n");
    const char *points[] = {
        cb_rep_text(rep,
                    "A round trip is one resume and one yield. Times are wall time an operation, "
                    "each in a process of its own, pinned to one processing unit; a process's "
                    "value is %s.",
                    rep->fastest ? "the fastest of its repetitions"
                                 : "the median of its repetitions"),
        rep->mode == CB_REP_QUICK
            ? "This is a quick run: brackets hold the range of all rounds. It shows orders of "
              "magnitude and claims no difference."
            : "Brackets hold 95 % intervals. Two cells differ where their paired ratio does "
              "(tables `How many times the cheapest`, ratios.csv), not where two brackets happen "
              "to touch or not.",
        "Bindings: opaque is what a scheduler sees (resumed through a handle, not inlined), "
        "visible "
        "what a generator beside its loop sees, library what a user of a packaged shared object "
        "sees. They are never mixed in one column.",
        "A difference within the smallest detectable effect of its scenario (table `Smallest "
        "detectable effects`) is no difference. That is what cells differ from themselves.",
        "n/c: the technique does not claim to do this. unavailable: this machine or build lacks "
        "something. folded: the loop with a coroutine is as fast as the empty loop. drift, "
        "bimodal: the rounds of this cell climb, fall, or fall into two groups; see the plot of "
        "sequences.",
        "Nothing is subtracted from any time; the cost of an empty loop, beside each cell, and "
        "the machine's own calls (Baseline) stand in the tables and in cells.csv."};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        cb_text_add(to, "<li>");
        cb_rep_html(to, points[i]);
        cb_text_add(to, "</li>\n");
    }
    cb_text_add(to, "</ul>\n<p>Statistics: order-statistic intervals of medians and quartiles; ");
    if (rep->clustered)
        cb_text_add(to, "ratios are medians over links of log ratios paired inside rounds, with "
                        "order-statistic intervals; p values by the sign test, and where all links "
                        "agree by Student's t");
    else
        cb_text_add(to,
                    "ratios are 20 %% trimmed means of log ratios paired inside rounds, with BCa "
                    "bootstrap intervals (%d resamples, seed %lu); p values by the same bootstrap, "
                    "and beyond its resamples by Yuen's test",
                    CB_BOOTSTRAP_RESAMPLES, CB_BOOTSTRAP_SEED);
    cb_text_add(to, "; Holm's correction over all pairs of a column.</p>\n");
}

// ---- Rounds of each cell ------------------------------------------------------------------------

// Of each cell the first row that was measured, as "cell id": place in rep->history.
static void index_history(struct cb_rep *rep) {
    rep->history = cb_rep_memory(rep, rep->row_count + 1, sizeof(struct cb_rep_row *));
    rep->history_index = json_object();
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (!row->values || row->exact || row->counted || row->aside ||
            json_object_get(rep->history_index, row->cell->id))
            continue;
        json_object_set_new(rep->history_index, row->cell->id,
                            json_integer((json_int_t)rep->history_count));
        rep->history[rep->history_count++] = row;
    }
}

long cb_rep_history_place(const struct cb_rep *rep, const struct cb_rep_cell *cell) {
    const json_t *place = json_object_get(rep->history_index, cell->id);
    return place ? (long)json_integer_value(place) : -1;
}

// Four digits tell two rounds apart that a drawing can.
static json_t *short_number(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.5g", value);
    return isnan(value) ? json_null() : json_real(strtod(text, NULL));
}

static json_t *history_json(const struct cb_rep *rep, const struct cb_rep_row *row) {
    json_t *values = json_array();
    for (size_t slot = 0; slot < rep->slots; slot++)
        json_array_append_new(values, short_number(row->values[slot]));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "id", row->cell->id, "metric", row->metric,
                     "unit", row->unit, "flags", row->flags, "estimate",
                     short_number(cb_rep_shown(rep, row)->value), "values", values);
}

// What report.js works on. A "</script>" in a text would end the element.
static void add_data(struct cb_rep *rep, struct cb_text *to) {
    json_t *backends = json_array(), *rounds = json_array(), *links = json_array();
    json_t *cells = json_array();
    for (size_t i = 0; i < rep->backend_count; i++)
        json_array_append_new(backends, json_string(rep->backends[i].name));
    for (size_t slot = 0; slot < rep->slots; slot++) {
        json_array_append_new(rounds, json_integer(rep->slot_round[slot]));
        json_array_append_new(links, json_integer(rep->slot_build[slot]));
    }
    for (size_t i = 0; i < rep->history_count; i++)
        json_array_append_new(cells, history_json(rep, rep->history[i]));
    json_t *data = json_pack("{s:o, s:o, s:o, s:o}", "backends", backends, "rounds", rounds,
                             "links", links, "cells", cells);
    char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(5));
    cb_text_add(to, "<script type=\"application/json\" id=\"data\">");
    for (const char *c = text; c && *c; c++)
        cb_text_add(to, c[0] == '<' ? "\\u003c" : "%c", *c);
    cb_text_add(to, "</script>\n");
    free(text);
    json_decref(data);
}

static void add_history(struct cb_text *to) {
    cb_text_add(to, "<h2 id=\"history\">Rounds of one cell</h2>\n"
                    "<p class=\"note\">Every number in a table that is a link leads here.</p>\n"
                    "<div class=\"controls\" hidden><label>cell <input id=\"cell\" list=\"cells\" "
                    "autocomplete=\"off\"></label><datalist id=\"cells\"></datalist></div>\n"
                    "<div id=\"rounds\" class=\"wideplot\" aria-live=\"polite\"></div>\n"
                    "<noscript><p>This part needs a browser that runs scripts; samples.csv has all "
                    "rounds.</p></noscript>\n");
}

// ---- What the reader chooses --------------------------------------------------------------------

static void add_legend(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<details class=\"controls\" id=\"legend\" hidden><summary>Backends shown in "
                    "tables and plots</summary>\n<p><button type=\"button\" id=\"all\">show all"
                    "</button> <button type=\"button\" id=\"none\">hide all</button></p>\n");
    for (size_t i = 0; i < rep->backend_count; i++) {
        const struct cb_rep_backend *backend = &rep->backends[i];
        if (i == 0 || strcmp(backend->family, rep->backends[i - 1].family) != 0) {
            cb_text_add(to, "%s<fieldset><legend>", i ? "</fieldset>\n" : "");
            cb_rep_html(to, cb_rep_family_title(rep, backend->family));
            cb_text_add(to, "</legend>");
        }
        cb_text_add(to, "<label title=\"");
        cb_rep_html(to, backend->summary);
        cb_text_add(to, "\"><input type=\"checkbox\" value=\"%s\" checked> %s</label>\n",
                    backend->name, backend->name);
    }
    cb_text_add(to, "%s</details>\n", rep->backend_count ? "</fieldset>\n" : "");
}

// ---- The doctor ---------------------------------------------------------------------------------

// What was found on the machine before the run: what is so comes first, then what isn't known.
static void add_doctor(struct cb_rep *rep, struct cb_text *to) {
    json_t *findings = json_object_get(json_object_get(rep->run, "doctor"), "findings"), *finding;
    size_t i;
    cb_text_add(to, "<h2 id=\"doctor\">What disturbs numbers on this machine</h2>\n");
    if (json_array_size(findings) == 0) {
        paragraph(to, "The run has no findings of `corobench doctor`.");
        return;
    }
    cb_text_add(to,
                "<div class=\"scroll\"><table id=\"doctor-findings\"><thead><tr><th>question</th>"
                "<th>answer</th><th>seen</th><th>what follows</th><th>remedy</th></tr></thead>"
                "<tbody>\n");
    static const char *const order[] = {"yes", "unknown", "no"};
    for (size_t o = 0; o < sizeof order / sizeof *order; o++)
        json_array_foreach(findings, i, finding) {
            if (strcmp(cb_rep_string(finding, "state", ""), order[o]) != 0)
                continue;
            static const char *const keys[] = {"question", "state", "value", "consequence",
                                               "remedy"};
            cb_text_add(to, "<tr>");
            for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
                cb_text_add(to, k == 1 && o == 0 ? "<td class=\"yes\">" : "<td>");
                cb_rep_html(to, cb_rep_string(finding, keys[k], ""));
                cb_text_add(to, "</td>");
            }
            cb_text_add(to, "</tr>\n");
        }
    cb_text_add(to, "</tbody></table></div>\n");
}

// ---- The page -----------------------------------------------------------------------------------

// A file of the data folder, as it is.
static int add_file(struct cb_rep *rep, struct cb_text *to, const char *name) {
    char *path = cb_share_path(name), *bytes = NULL;
    int error = cb_file_read(path, &bytes, NULL);
    if (error)
        cb_error(rep->messages,
                 "cannot read %s: %s\nreport.html is not made\nbuild anew: "
                 "scripts/build release",
                 path, strerror(-error));
    else
        cb_text_add_bytes(to, bytes, strlen(bytes));
    free(bytes);
    free(path);
    return error ? CB_EXIT_USAGE : 0;
}

static int add_head(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<title>corobench: what coroutines cost</title>\n<style>\n");
    int status = add_file(rep, to, "report.css");
    cb_text_add(to,
                "</style></head><body>\n<nav aria-label=\"parts\"><a href=\"#answer\">Answer</a>"
                "<a href=\"#figures\">Figures</a><a href=\"#plots\">Plots</a>"
                "<a href=\"#claims-tried\">Claims</a><a href=\"#read\">How to read</a>"
                "<a href=\"#trust\">Trust</a><a href=\"#scenarios\">Scenarios</a>"
                "<a href=\"#history\">Rounds</a><a href=\"#doctor\">Machine</a></nav>\n"
                "<h1>What coroutines cost</h1>\n");
    return status;
}

static bool has_table(const struct cb_rep *rep, const char *prefix) {
    for (size_t i = 0; i < rep->table_count; i++)
        if (begins(rep->tables[i]->id, prefix))
            return true;
    return false;
}

static void add_claims(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<h2 id=\"claims-tried\">Claims tried</h2>\n");
    if (!has_table(rep, "claims")) {
        paragraph(to, "This run tries no claims.");
        return;
    }
    cb_text_add(to, "<div class=\"controls\" hidden><label>verdict <select id=\"verdict\"><option "
                    "value=\"\">all</option></select></label></div>\n");
    add_tables(rep, to, "claims");
}

static void add_trust(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<h2 id=\"trust\">How far to trust this</h2>\n");
    add_tables(rep, to, "estimator");
    add_tables(rep, to, "mde");
    add_tables(rep, to, "flagged");
    cb_text_add(to, "<h2>Failures</h2>\n");
    add_tables(rep, to, "failures");
}

int cb_rep_make_html(struct cb_rep *rep) {
    struct cb_text text = {0};
    index_history(rep);
    int status = add_head(rep, &text);
    cb_text_add(&text, "<section class=\"answer\" id=\"answer\">\n");
    if (has_table(rep, "choose-typical"))
        add_tables(rep, &text, "choose-typical");
    else
        paragraph(&text, "This run has not measured enough to say which implementation fits which "
                         "program; a default run of all backends has.");
    cb_text_add(&text, "</section>\n<h2 id=\"figures\">Figures</h2>\n");
    paragraph(&text, rep->caption);
    paragraph(&text, cb_rep_text(rep, "Headline figures: %s. %s", rep->candidate[rep->chosen].title,
                                 rep->chosen_why));
    add_legend(rep, &text);
    add_tables(rep, &text, "headline");
    cb_text_add(&text, "<h2 id=\"plots\">Plots</h2>\n");
    if (!rep->plot_count)
        paragraph(&text, "There are no plots: gnuplot was missing when this report was made.");
    for (size_t i = 0; !status && i < rep->plot_count; i++)
        status = add_plot(rep, &text, i);
    add_factors(rep, &text);
    add_claims(rep, &text);
    how_to_read(rep, &text);
    if (cb_rep_claims(rep))
        cb_text_add(&text, "<h2>Comparisons</h2>\n");
    add_tables(rep, &text, "compare-headline");
    cb_text_add(&text, "<h2>What the cost model predicts</h2>\n");
    add_predictions(rep, &text);
    cb_text_add(&text, "<h2>Targets</h2>\n");
    add_tables(rep, &text, "targets");
    add_trust(rep, &text);
    cb_text_add(&text, "<h2 id=\"scenarios\">Scenarios</h2>\n");
    add_tables(rep, &text, "scenario-");
    if (rep->loops_id)
        add_tables(rep, &text, rep->loops_id);
    add_history(&text);
    add_doctor(rep, &text);
    cb_text_add(&text, "<h2>Environment</h2>\n");
    add_tables(rep, &text, "environment");
    add_data(rep, &text);
    cb_text_add(&text, "<script>\n");
    if (!status)
        status = add_file(rep, &text, "report.js");
    cb_text_add(&text, "</script>\n</body></html>\n");
    if (!status)
        status = cb_rep_write(rep, "report.html", &text);
    cb_text_clear(&text);
    return status;
}
