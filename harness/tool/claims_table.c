// The table "claims" of a report: every claim, its verdict and the figures that decide it.
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "report_internal.h"

static void add_row(struct cb_rep *rep, struct cb_rep_table *table, const struct cb_claim *claim) {
    struct cb_rep_entry *entries = cb_rep_table_row(rep, table, claim->file->source);
    const char *texts[] = {
        claim->id,        claim->section, claim->says, cb_verdict_names[claim->verdict],
        claim->predicted, claim->figures, claim->why};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        entries[i].text = texts[i];
}

int cb_rep_claims_table(struct cb_rep *rep) {
    struct cb_claims claims;
    char *folder = cb_claims_folder();
    int status = cb_claims_load(&claims, folder, rep->messages);
    if (!status) {
        struct cb_rep_table *table = cb_rep_table_new(
            rep, "claims", "Claims tried",
            cb_rep_text(
                rep,
                "What documents about coroutines say, tried on this run. Supported: every "
                "comparison that the claim stands for holds beyond its interval and the "
                "smallest detectable effect. Refuted: some fail and none holds. Depends: "
                "some hold and some fail. Undecided: none fails, but intervals do not tell. "
                "Tolerances were fixed with the claims, in claims/; %s.",
                cb_rep_ratio_words(rep)));
        table->lead = "source";
        table->wide = true;
        static const struct {
            const char *title;
            double share;
        } columns[] = {{"id", 0.12},        {"section", 0.1},   {"claim", 0.2}, {"verdict", 0.07},
                       {"predicted", 0.09}, {"measured", 0.12}, {"why", 0.2}};
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            cb_rep_table_column(rep, table, columns[i].title, "", false);
            table->columns[i].share = columns[i].share;
        }
        cb_claims_judge(&claims, rep);
        for (size_t i = 0; i < claims.claim_count; i++)
            add_row(rep, table, &claims.claims[i]);
    }
    rep->claims = cb_rep_memory(rep, 1, sizeof claims); // its texts are the table's
    *rep->claims = claims;
    free(folder);
    return status;
}
