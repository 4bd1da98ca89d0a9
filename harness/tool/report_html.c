// report.html: one file with tables and plots inside, readable without a network.
#include "report_internal.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "stats.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:72rem;"
    "margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.7rem}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem}"
    "th,td{padding:.2rem .6rem;text-align:left;vertical-align:baseline}"
    "thead th{border-bottom:2px solid #555}tbody tr{border-bottom:1px solid #eee}"
    "tr.g th{padding-top:.8rem;color:#555}.n{text-align:right;white-space:nowrap}"
    "small{color:#666}.note{font-size:.86rem;color:#444}figure{margin:1.5rem 0}"
    "figure svg{max-width:100%;height:auto}details{margin:1rem 0}"
    "summary{cursor:pointer;font-weight:600}code{background:#f3f3f3;padding:0 .2rem}";

static void paragraph(struct cb_text *to, const char *text) {
    cb_text_add(to, "<p>");
    cb_rep_html(to, text);
    cb_text_add(to, "</p>\n");
}

static void add_tables(struct cb_rep *rep, struct cb_text *to, const char *prefix) {
    for (size_t i = 0; i < rep->table_count; i++) {
        const struct cb_rep_table *table = rep->tables[i];
        if (strncmp(table->id, prefix, strlen(prefix)) != 0)
            continue;
        bool folded = table->wide && table->row_count > 12;
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
    const char *svg = strstr(bytes, "<svg");
    cb_text_add(to, "<figure>\n");
    if (svg)
        cb_text_add_bytes(to, svg, strlen(svg));
    cb_text_add(to, "<figcaption class=\"note\">");
    cb_rep_html(to, rep->plot_notes[plot]);
    cb_text_add(to, "</figcaption></figure>\n");
    free(bytes);
    free(path);
    return 0;
}

static void how_to_read(struct cb_rep *rep, struct cb_text *to) {
    cb_text_add(to, "<h2>How to read this</h2>\n<ul>\n");
    const char *points[] = {
        "A round trip is one resume and one yield. Times are wall time an operation, each in a "
        "process of its own, pinned to one processing unit; a process's value is the median of its "
        "repetitions.",
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

int cb_rep_make_html(struct cb_rep *rep) {
    struct cb_text text = {0};
    cb_text_add(&text,
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width\">\n"
                "<title>corobench: what coroutines cost</title>\n<style>%s</style></head><body>\n"
                "<h1>What coroutines cost</h1>\n",
                style);
    paragraph(&text, rep->caption);
    paragraph(&text, cb_rep_text(rep, "Headline figures: %s. %s", rep->candidate[rep->chosen].title,
                                 rep->chosen_why));
    add_tables(rep, &text, "headline");
    add_tables(rep, &text, "choose");
    int status = 0;
    if (rep->plot_count)
        cb_text_add(&text, "<h2>Plots</h2>\n");
    else
        paragraph(&text, "There are no plots: gnuplot was missing when this report was made.");
    for (size_t i = 0; !status && i < rep->plot_count; i++)
        status = add_plot(rep, &text, i);
    how_to_read(rep, &text);
    if (cb_rep_claims(rep))
        cb_text_add(&text, "<h2>Comparisons</h2>\n");
    add_tables(rep, &text, "compare-headline");
    cb_text_add(&text, "<h2>Targets</h2>\n");
    add_tables(rep, &text, "targets");
    cb_text_add(&text, "<h2>How far to trust this</h2>\n");
    add_tables(rep, &text, "estimator");
    add_tables(rep, &text, "mde");
    add_tables(rep, &text, "flagged");
    cb_text_add(&text, "<h2>Failures</h2>\n");
    add_tables(rep, &text, "failures");
    cb_text_add(&text, "<h2>Scenarios</h2>\n");
    add_tables(rep, &text, "scenario-");
    if (rep->loops_id)
        add_tables(rep, &text, rep->loops_id);
    cb_text_add(&text, "<h2>Environment</h2>\n");
    add_tables(rep, &text, "environment");
    cb_text_add(&text, "</body></html>\n");
    if (!status)
        status = cb_rep_write(rep, "report.html", &text);
    cb_text_clear(&text);
    return status;
}
