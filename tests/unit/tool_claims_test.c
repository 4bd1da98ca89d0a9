// Claims tried on a made-up run whose truth is known: each kind of verdict, planted wrong ones,
// claims that are not well-formed, and the ledger that is shipped.
// Runs in: gcc asan ubsan
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/lib/file.h"
#include "harness/tool/claims.h"
#include "harness/tool/report_internal.h"
#include "tests/data/make_run.c"

static char root[] = "/tmp/corobench-claims-XXXXXX";

static const char methods[] =
    "{\"methods\": {"
    "\"thread\": {\"title\": \"t\", \"backends\": [\"thread-futex\"]},"
    "\"fiber\": {\"title\": \"f\", \"backends\": [\"fiber-full\", \"fiber-small\"]},"
    "\"full\": {\"title\": \"f\", \"backends\": [\"fiber-full\"]},"
    "\"small\": {\"title\": \"s\", \"backends\": [\"fiber-small\"]},"
    "\"chain\": {\"title\": \"c\", \"backends\": [\"stackless-chain\", \"nowhere\"]},"
    "\"leaf\": {\"title\": \"l\", \"backends\": [\"stackless-leaf\"]}}}";

static void put(const char *folder, const char *name, const char *bytes) {
    char *path = cb_format("%s/%s/%s", root, folder, name);
    assert_int_equal(cb_file_write(path, bytes, strlen(bytes)), 0);
    free(path);
}

static int make_root(void **state) {
    (void)state;
    if (!mkdtemp(root))
        return -1;
    if (!getenv("COROBENCH_SHARE")) {
        char *program = cb_program_folder(), *share = cb_format("%s/../../share", program);
        setenv("COROBENCH_SHARE", share, 1);
        free(share);
        free(program);
    }
    const char *modes[] = {"default", "quick"};
    for (int i = 0; i < 2; i++) {
        char *run = cb_format("%s/%s", root, modes[i]);
        int failed = make_run(run, modes[i], 0, 0);
        free(run);
        if (failed)
            return -1;
    }
    char *run = cb_format("%s/noisy", root), *claims = cb_format("%s/claims", root);
    int failed = make_run(run, "default", 0.5, 0) || cb_make_folders(claims);
    free(claims);
    free(run);
    return failed;
}

static int remove_root(void **state) {
    (void)state;
    char *command = cb_format("rm -r '%s'", root);
    int status = system(command); // NOLINT(cert-env33-c)
    free(command);
    return status;
}

// ---- Trying one claim ---------------------------------------------------------------------------

// The one claim that `text` (a claim's members but id, section, quote and says) makes on a run.
struct trial {
    struct cb_rep rep;
    struct cb_claims claims;
    char *said;
};

static const char columns[] =
    "\"yield\": {\"title\": \"y\", \"why\": \"w\", \"tolerance\": 1.1, \"beside\": "
    "\"instructions\","
    " \"cells\": [{\"scenario\": \"yield\", \"params\": \"depth=1\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"chain\"]}, {\"word\": \"high\", \"methods\":"
    " [\"thread\", \"fiber\"]}]},"
    "\"wrong\": {\"title\": \"y\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"yield\", \"params\": \"depth=1\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"thread\"]}, {\"word\": \"high\", \"methods\":"
    " [\"leaf\", \"full\"]}]},"
    "\"equal\": {\"title\": \"y\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"unwind\", \"params\": \"frames=16\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"leaf\"]}, {\"word\": \"high\", \"methods\":"
    " [\"full\"]}]},"
    "\"slight\": {\"title\": \"y\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"yield\", \"params\": \"depth=1\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"small\"]}, {\"word\": \"high\", \"methods\":"
    " [\"full\"]}]},"
    "\"call\": {\"title\": \"c\", \"why\": \"w\", \"tolerance\": 1.1, \"beside\": \"time\","
    " \"cells\": [{\"scenario\": \"call\", \"params\": \"yields=1\", \"binding\": \"opaque\","
    " \"metric\": \"attributed\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"full\"]}, {\"word\": \"high\", \"methods\":"
    " [\"leaf\"]}]},"
    "\"fold\": {\"title\": \"f\", \"why\": \"w\", \"tolerance\": 1.1, \"falling\": true,"
    " \"cells\": [{\"scenario\": \"fold\", \"params\": \"levels=1;reduce=serial\", \"binding\":"
    " \"visible\", \"metric\": \"ratio\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"fiber\"]}, {\"word\": \"high\", \"methods\":"
    " [\"chain\"]}]},"
    "\"lines\": {\"title\": \"s\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"source\", \"params\": \"\", \"binding\": \"opaque\","
    " \"metric\": \"lines\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"thread\"]}, {\"word\": \"high\", \"methods\":"
    " [\"chain\"]}]},"
    "\"near\": {\"title\": \"y\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"yield\", \"params\": \"depth=16\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"leaf\"]}, {\"word\": \"high\", \"methods\":"
    " [\"full\"]}]},"
    "\"thread\": {\"title\": \"c\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"call\", \"params\": \"yields=1\", \"binding\": \"opaque\","
    " \"metric\": \"attributed\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"thread\"]}, {\"word\": \"high\", \"methods\":"
    " [\"leaf\"]}]},"
    "\"absent\": {\"title\": \"a\", \"why\": \"w\", \"tolerance\": 1.1,"
    " \"cells\": [{\"scenario\": \"nothing\", \"params\": \"\", \"binding\": \"opaque\","
    " \"metric\": \"time\"}],"
    " \"words\": [{\"word\": \"low\", \"methods\": [\"thread\"]}, {\"word\": \"high\", \"methods\":"
    " [\"leaf\"]}]}";

static int load(struct trial *trial, const char *document) {
    size_t length = 0;
    FILE *messages = open_memstream(&trial->said, &length);
    char *folder = cb_format("%s/claims", root);
    put("claims", "methods.json", methods);
    put("claims", "doc.json", document);
    int status = cb_claims_load(&trial->claims, folder, messages);
    fclose(messages);
    free(folder);
    return status;
}

static void try(struct trial *trial, const char *run, const char *text) {
    memset(trial, 0, sizeof *trial);
    char *document =
        cb_format("{\"source\": \"Doc\", \"columns\": {%s}, \"claims\": [{\"id\": \"d-1\", "
                  "\"section\": \"s\", \"quote\": \"q\", \"says\": \"it is\", %s}]}",
                  columns, text);
    if (load(trial, document) != 0)
        fail_msg("%s: %s", text, trial->said);
    free(document);
    char *path = cb_format("%s/%s", root, run);
    assert_int_equal(cb_rep_load(&trial->rep, path, stderr), 0);
    free(path);
    cb_rep_estimate_all(&trial->rep);
    cb_claims_judge(&trial->claims, &trial->rep);
}

static void drop(struct trial *trial) {
    cb_claims_free(&trial->claims);
    cb_rep_free(&trial->rep);
    free(trial->said);
}

// Tries a claim on a run: the verdict, and texts that figures and reason must hold (NULL: any).
static void expect_on(const char *run, const char *text, enum cb_verdict verdict,
                      const char *figures, const char *why) {
    struct trial trial;
    try(&trial, run, text);
    const struct cb_claim *claim = &trial.claims.claims[0];
    if (claim->verdict != verdict)
        fail_msg("%s: %s instead of %s; %s; %s", text, cb_verdict_names[claim->verdict],
                 cb_verdict_names[verdict], claim->figures, claim->why);
    if (figures && !strstr(claim->figures, figures))
        fail_msg("%s: figures have no '%s': %s", text, figures, claim->figures);
    if (why && !strstr(claim->why, why))
        fail_msg("%s: the reason has no '%s': %s", text, why, claim->why);
    drop(&trial);
}

static void expect(const char *text, enum cb_verdict verdict, const char *figures,
                   const char *why) {
    expect_on("default", text, verdict, figures, why);
}

#define YIELD(who) "{" who "\"scenario\": \"yield\", \"params\": \"depth=1\", \"metric\": \"time\"}"
#define DEEP(who) "{" who "\"scenario\": \"yield\", \"params\": \"depth=16\", \"metric\": \"time\"}"
#define BY(name) "\"backend\": \"" name "\", "
#define RATIO(top, bottom, rest)                                                                   \
    "\"kind\": \"ratio\", \"numerator\": " top ", \"denominator\": " bottom ", \"tolerance\": 1, " \
    "\"why\": \"w\", " rest
#define RANGE(value, rest)                                                                         \
    "\"kind\": \"range\", \"value\": " value ", \"tolerance\": 1, \"why\": \"w\", " rest

// ---- Verdicts -----------------------------------------------------------------------------------

static void orders(void **state) {
    (void)state;
    // 3400, 2.6 and 2.5 ns over 1.6, by two compilers; one backend of the method is not there.
    expect("\"kind\": \"order\", \"column\": \"yield\"", CB_SUPPORTED, "6 of 6 hold",
           "not tried: nowhere");
    expect("\"kind\": \"order\", \"column\": \"yield\"", CB_SUPPORTED, "1.56 to 2 125 x",
           "gcc: low|high 1.65..2.42 ns; ");
    expect("\"kind\": \"order\", \"column\": \"yield\", \"method\": \"thread\"", CB_SUPPORTED,
           "2 of 2 hold", NULL);
    // The same table with its words turned round: a planted wrong one.
    expect("\"kind\": \"order\", \"column\": \"wrong\"", CB_REFUTED, "0 of 4 hold, 4 fail",
           "low|high none");
    // Equal where a difference was promised: the interval is within the tolerance.
    expect("\"kind\": \"order\", \"column\": \"equal\"", CB_REFUTED, "1.00", NULL);
    // A difference that is there, 2.6 to 2.5 ns, but is below what the column counts as one.
    expect("\"kind\": \"order\", \"column\": \"slight\"", CB_REFUTED, "1.04", NULL);
    // 5.0 - 2.0 against 3.6 - 2.6 ns: differences, as an attributed time may be 0.
    expect("\"kind\": \"order\", \"column\": \"call\"", CB_SUPPORTED, "ns", NULL);
    // The larger word for the smaller figure.
    expect("\"kind\": \"order\", \"column\": \"fold\"", CB_SUPPORTED, "8.10 to 8.20 x", NULL);
    expect("\"kind\": \"order\", \"column\": \"lines\"", CB_SUPPORTED, "1.75", NULL);
    expect("\"kind\": \"order\", \"column\": \"absent\"", CB_MISSING, NULL,
           "leaf/nothing/opaque/gcc/: no time in this run");
}

static void a_plain_metric_beside(void **state) {
    (void)state;
    struct trial trial;
    try(&trial, "default", "\"kind\": \"order\", \"column\": \"call\"");
    assert_non_null(strstr(trial.claims.claims[0].checks[0].beside, "time 5.00 beside 3.60 ns"));
    drop(&trial);
}

static void ratios(void **state) {
    (void)state;
    expect(RATIO(YIELD(BY("fiber-full")), YIELD(BY("stackless-chain")), "\"min\": 1.5, \"max\": 2"),
           CB_SUPPORTED, "2 of 2 hold; 1.62 x", NULL);
    expect(RATIO(YIELD(BY("fiber-full")), YIELD(BY("stackless-chain")), "\"min\": 2"), CB_REFUTED,
           "0 of 2 hold, 2 fail", NULL);
    expect(RATIO(YIELD(BY("fiber-full")), YIELD(BY("stackless-chain")), "\"max\": 1.5"), CB_REFUTED,
           NULL, NULL);
    // The same backend below, where the denominator names none: 1.6 + 15 x 1.1 over 1.6.
    expect(RATIO(DEEP(BY("stackless-chain")), YIELD(""), "\"min\": 11, \"max\": 12"), CB_SUPPORTED,
           "11.3", NULL);
    // One backend of a method holds and one fails.
    expect(RATIO(YIELD("\"method\": \"fiber\", "), YIELD(BY("stackless-leaf")), "\"min\": 1.295"),
           CB_DEPENDS, "2 of 4 hold", "the backend: holds for fiber-full; fails for fiber-small");
    // A sum of terms: 16.5 ns of 15 levels, 1.1 a level.
    expect(
        RATIO(
            "{" BY("stackless-chain") "\"terms\": [{\"times\": 1, \"scenario\": \"yield\", "
                                      "\"params\": \"depth=16\", \"metric\": \"time\"}, "
                                      "{\"times\": -1, \"scenario\": "
                                      "\"yield\", \"params\": \"depth=1\", \"metric\": \"time\"}]}",
            YIELD(""), "\"min\": 10.3, \"max\": 10.4"),
        CB_SUPPORTED, "10.3", NULL);
}

static void ranges(void **state) {
    (void)state;
    // 2.6 ns by gcc and 3.25 by clang, with 3 % on either side.
    expect(RANGE(YIELD(BY("fiber-full")), "\"max\": 2.8"), CB_DEPENDS, "1 of 2 hold",
           "the compiler: holds for gcc; fails for clang");
    expect(RANGE(YIELD(BY("fiber-full")), "\"max\": 2.8, \"compilers\": [\"gcc\"]"), CB_SUPPORTED,
           "2.60 [2.52, 2.68] ns", NULL);
    expect(RANGE(YIELD(BY("fiber-full")), "\"max\": 2.6, \"compilers\": [\"gcc\"]"), CB_UNDECIDED,
           NULL, "reaches over the end");
    expect("\"kind\": \"range\", \"value\": " YIELD(
               BY("fiber-full")) ", \"tolerance\": 1.5, \"why\": \"w\", \"max\": 2.3",
           CB_SUPPORTED, NULL, NULL);
    expect(RANGE("{" BY("stackless-chain") "\"scenario\": \"memory\", \"params\": "
                                           "\"live=32;n=10000;peak=0\", \"metric\": \"bytes\"}",
                 "\"min\": 65536"),
           CB_REFUTED, "B", NULL);
    // A cell of another binding is none of this one.
    expect(RANGE(YIELD(BY("fiber-full")), "\"max\": 3, \"bindings\": [\"library\"]"), CB_MISSING,
           NULL, "fiber-full/yield/library/gcc/depth=1: no time");
    // A cell without a value says why.
    expect(RANGE("{" BY("fiber-full") "\"scenario\": \"memory\", \"params\": "
                                      "\"live=32;n=100000;peak=0\", \"metric\": \"rss\"}",
                 "\"max\": 1"),
           CB_MISSING, NULL, "is unavailable: vm.max_map_count=65530");
}

static void expect_predicted(const char *text, const char *predicted) {
    struct trial trial;
    try(&trial, "default", text);
    assert_string_equal(trial.claims.claims[0].predicted, predicted);
    drop(&trial);
}

static void predictions_have_units(void **state) {
    (void)state;
    expect_predicted(RANGE(YIELD(BY("fiber-full")), "\"min\": 9, \"max\": 9"), "9 ns");
    expect_predicted(RANGE(YIELD(BY("nobody")), "\"max\": 1000000"), "at most 1000000 ns");
    expect_predicted(
        "\"kind\": \"range\", \"value\": " YIELD(
            BY("fiber-full")) ", \"tolerance\": 2, \"why\": \"w\", \"min\": 1, \"max\": 2",
        "1 to 2 ns (within a factor of 2)");
    expect_predicted(RATIO(YIELD(BY("fiber-full")), YIELD(BY("stackless-chain")), "\"min\": 1.5"),
                     "at least 1.5 x");
    expect_predicted(RANGE("{" BY("fiber-full") "\"terms\": [{\"times\": 0.5, \"scenario\": "
                                                "\"yield\", \"params\": \"depth=1\", \"metric\": "
                                                "\"cycles\"}]}",
                           "\"max\": 3"),
                     "at most 3 cycles");
    expect_predicted(RANGE("{" BY("fiber-full") "\"scenario\": \"limit\", \"params\": \"most=9\", "
                                                "\"metric\": \"coroutines\"}",
                           "\"min\": 9"),
                     "at least 9");
}

static void one_that_holds_is_enough(void **state) {
    (void)state;
    expect(RATIO(YIELD("\"method\": \"fiber\", "), YIELD(BY("stackless-leaf")),
                 "\"min\": 1.295, \"any\": true"),
           CB_SUPPORTED, "2 of 4 hold (one is enough)", NULL);
    expect(RATIO(YIELD("\"method\": \"fiber\", "), YIELD(BY("stackless-leaf")),
                 "\"min\": 9, \"any\": true"),
           CB_REFUTED, NULL, NULL);
}

static void a_proxy_has_a_ceiling(void **state) {
    (void)state;
#define CEILING "\"ceiling\": {\"verdict\": \"depends\", \"why\": \"lines are a proxy\"}"
    expect("\"kind\": \"order\", \"column\": \"lines\", " CEILING, CB_DEPENDS, NULL,
           "by these figures it is supported, but lines are a proxy");
    expect(RATIO(YIELD(BY("fiber-full")), YIELD(BY("stackless-chain")), "\"min\": 9, " CEILING),
           CB_DEPENDS, NULL, "it is refuted, but");
}

static void noise_decides_nothing(void **state) {
    (void)state;
    expect_on("noisy", RATIO(YIELD(BY("fiber-full")), YIELD(BY("fiber-small")), "\"min\": 1.02"),
              CB_UNDECIDED, NULL, "open: ");
    expect_on("noisy", "\"kind\": \"order\", \"column\": \"near\"", CB_UNDECIDED, "1 open",
              "spans what tells them apart");
    expect_on("noisy", "\"kind\": \"order\", \"column\": \"call\"", CB_UNDECIDED, "2 open", NULL);
    expect_on("noisy", "\"kind\": \"order\", \"column\": \"thread\"", CB_UNDECIDED, NULL,
              "unresolved");
    expect_on("quick", RATIO(YIELD(BY("thread-futex")), YIELD(BY("fiber-small")), "\"min\": 2"),
              CB_UNDECIDED, NULL, "quick run claims nothing");
}

static void what_no_cell_decides(void **state) {
    (void)state;
    expect("\"kind\": \"untestable\", \"why\": \"no Python here\"", CB_NOT_TESTABLE, NULL,
           "no Python here");
    expect("\"kind\": \"fact\", \"verdict\": \"refuted\", \"why\": \"900 is not 800\", "
           "\"evidence\": [{\"file\": \"f\", \"text\": \"t\"}]",
           CB_REFUTED, NULL, "900 is not 800");
    expect_on("quick",
              "\"kind\": \"fact\", \"verdict\": \"supported\", \"why\": \"w\", "
              "\"evidence\": [{\"file\": \"f\", \"text\": \"t\"}]",
              CB_SUPPORTED, NULL, NULL);
}

// ---- Claims that are not well-formed ------------------------------------------------------------

static void refused(const char *document, const char *what) {
    struct trial trial = {0};
    if (load(&trial, document) == 0)
        fail_msg("this was read: %s", document);
    if (!strstr(trial.said, "claims/doc.json: ") || !strstr(trial.said, what))
        fail_msg("of %s it is said: %s", document, trial.said);
    drop(&trial);
}

static void refused_claim(const char *text, const char *what) {
    char *document =
        cb_format("{\"source\": \"Doc\", \"columns\": {%s}, \"claims\": [%s]}", columns, text);
    refused(document, what);
    free(document);
}

#define HEAD "{\"id\": \"d-1\", \"section\": \"s\", \"quote\": \"q\", \"says\": \"x\", "

static void misspelled_claims_are_refused(void **state) {
    (void)state;
    refused("{", "line ");
    refused("{\"claims\": []}", "source, the document's title, is missing");
    refused("{\"source\": \"Doc\"}", "it has no claims");
    refused_claim("{\"id\": \"d-1\"}", "d-1: section is missing");
    refused_claim(HEAD "\"kind\": \"rumour\", \"why\": \"w\"}", "d-1: kind is none of order");
    refused_claim(HEAD "\"kind\": \"untestable\"}", "d-1: why is missing");
    refused_claim(HEAD "\"kind\": \"untestable\", \"why\": \"w\", \"whi\": \"w\"}",
                  "a member that means nothing: whi");
    refused_claim(HEAD "\"kind\": \"order\", \"column\": \"none\"}", "its column is not in");
    refused_claim(HEAD "\"kind\": \"order\", \"column\": \"yield\", \"method\": \"leaf\"}",
                  "rates no method leaf");
    refused_claim(HEAD RANGE(YIELD(BY("x")), "\"mox\": 1") "}", "means nothing: mox");
    refused_claim(HEAD RANGE(YIELD(BY("x")), "\"any\": false") "}", "neither min nor max");
    refused_claim(HEAD RANGE(YIELD(BY("x")), "\"min\": 2, \"max\": 1") "}", "min is larger");
    refused_claim(HEAD RANGE(YIELD(BY("x")), "\"min\": \"2\"") "}", "is no number");
    refused_claim(HEAD "\"kind\": \"range\", \"value\": " YIELD(BY("x")) ", \"why\": \"w\", "
                                                                         "\"min\": 1}",
                  "tolerance is no number");
    refused_claim(HEAD RANGE(YIELD("\"method\": \"magic\", "), "\"min\": 1") "}",
                  "methods.json has no method magic");
    refused_claim(HEAD RANGE("{\"scenario\": \"yield\", \"metric\": \"time\"}", "\"min\": 1") "}",
                  "params is missing");
    refused_claim(HEAD RANGE("{\"terms\": []}", "\"min\": 1") "}", "terms is no list");
    refused_claim(HEAD RATIO(YIELD(BY("x")), "3", "\"min\": 1") "}", "denominator is missing");
    refused_claim(HEAD "\"kind\": \"fact\", \"verdict\": \"true\", \"why\": \"w\"}",
                  "verdict is none of");
    refused_claim(HEAD "\"kind\": \"fact\", \"verdict\": \"refuted\", \"why\": \"w\"}",
                  "a fact has no evidence");
    refused_claim(HEAD "\"kind\": \"fact\", \"verdict\": \"refuted\", \"why\": \"w\", "
                       "\"evidence\": [{\"text\": \"t\"}]}",
                  "has not one of file and claim");
    refused_claim(HEAD "\"kind\": \"untestable\", \"why\": \"w\"}, " HEAD
                       "\"kind\": \"untestable\", \"why\": \"w\"}",
                  "d-1: this id is there twice");
    refused("{\"source\": \"Doc\", \"columns\": {\"c\": {\"title\": \"t\", \"why\": \"w\"}}, "
            "\"claims\": [{}]}",
            "c: the column has no cells");
}

static void an_empty_folder_is_refused(void **state) {
    (void)state;
    struct cb_claims claims;
    char *text = NULL, *folder = cb_format("%s/nothing", root);
    size_t length = 0;
    FILE *messages = open_memstream(&text, &length);
    assert_int_equal(cb_claims_load(&claims, folder, messages), CB_EXIT_USAGE);
    fclose(messages);
    assert_non_null(strstr(text, "nothing: No such file"));
    cb_claims_free(&claims);
    free(folder);
    free(text);
}

// ---- The ledger that is shipped -----------------------------------------------------------------

static const struct cb_claim *find(const struct cb_claims *claims, const char *id) {
    for (size_t i = 0; i < claims->claim_count; i++)
        if (strcmp(claims->claims[i].id, id) == 0)
            return &claims->claims[i];
    return NULL;
}

static void the_ledger_is_whole(void **state) {
    (void)state;
    static const char *const names[] = {"setup", "static",   "yield",
                                        "call",  "optimize", "implementation"};
    static const char *const rows[] = {"thread", "fiber-full", "fiber-small", "chain", "leaf"};
    struct cb_claims claims;
    char *folder = cb_claims_folder();
    assert_int_equal(cb_claims_load(&claims, folder, stderr), 0);
    for (int c = 0; c < 6; c++) {
        char *id = cb_format("s003-%s", names[c]);
        assert_non_null(find(&claims, id));
        free(id);
        for (int r = 0; r < 5; r++) { // all 30 cells of the table
            id = cb_format("s003-%s-%s", names[c], rows[r]);
            const struct cb_claim *claim = find(&claims, id);
            if (!claim)
                fail_msg("there is no claim %s", id);
            assert_string_equal(cb_rep_string(claim->json, "method", ""), rows[r]);
            assert_string_equal(cb_rep_string(claim->json, "column", ""), names[c]);
            free(id);
        }
    }
    for (size_t i = 0; i < claims.claim_count; i++) { // seed-003 -> s003-, published -> pub-
        const char *id = claims.claims[i].id, *file = claims.claims[i].file->name;
        bool seed = strncmp(file, "seed-", 5) == 0;
        if (seed ? *id != 's' || strncmp(id + 1, file + 5, 3) != 0 : strncmp(id, file, 3) != 0)
            fail_msg("claims/%s.json has %s", file, id);
    }
    cb_claims_free(&claims);
    free(folder);
}

// A file of the source tree; the tests' own folder may not be there.
static char *in_tree(const char *name) {
    static const char tail[] = "/tests/unit/data";
    return cb_format("%.*s/%s", (int)(strlen(CB_TEST_DATA) - strlen(tail)), CB_TEST_DATA, name);
}

static char *source(const char *name) {
    char *path = in_tree(name), *bytes = NULL;
    if (cb_file_read(path, &bytes, NULL) != 0)
        fail_msg("%s is not there", path);
    free(path);
    return bytes;
}

// Facts are not computed: what they rest on must be there.
static void evidence_is_there(void **state) {
    (void)state;
    struct cb_claims claims;
    char *folder = cb_claims_folder();
    assert_int_equal(cb_claims_load(&claims, folder, stderr), 0);
    for (size_t i = 0; i < claims.claim_count; i++) {
        size_t index;
        json_t *one;
        json_array_foreach(json_object_get(claims.claims[i].json, "evidence"), index, one) {
            const char *file = cb_rep_string(one, "file", NULL);
            const char *text = cb_rep_string(one, "text", "");
            const struct cb_claim *other = find(&claims, cb_rep_string(one, "claim", ""));
            char *bytes = file ? source(file) : cb_copy(other ? other->quote : "");
            if (!strstr(bytes, text))
                fail_msg("%s: its evidence is not there: %s", claims.claims[i].id, text);
            const json_t *range = json_object_get(one, "lines");
            json_int_t lines = 0;
            for (const char *at = bytes; range && (at = strchr(at, '\n')); at++)
                lines++;
            if (range && (lines < json_integer_value(json_array_get(range, 0)) ||
                          lines > json_integer_value(json_array_get(range, 1))))
                fail_msg("%s: %s has %lld lines", claims.claims[i].id, file, (long long)lines);
            free(bytes);
        }
    }
    cb_claims_free(&claims);
    free(folder);
}

// A name that is misspelled would look like a cell that was not measured.
static void check_names(const json_t *json, const char *id) {
    const char *key;
    json_t *value;
    size_t index;
    if (json_is_array(json))
        json_array_foreach((json_t *)json, index, value) check_names(value, id);
    const char *scenario = cb_rep_string(json, "scenario", NULL);
    char *name = cb_format("scenarios/%s", scenario ? scenario : ""), *path = in_tree(name);
    if (scenario && !cb_is_folder(path))
        fail_msg("%s: there is no scenario %s", id, scenario);
    free(path);
    free(name);
    const char *params = cb_rep_string(json, "params", "");
    if (*params) { // a list of cells has them just so
        char *file = cb_format("scenarios/%s/%s.c", scenario, scenario), *bytes = source(file);
        char *quoted = cb_format("\"%s\"", params);
        if (!strstr(bytes, quoted))
            fail_msg("%s: %s has no cell %s", id, scenario, params);
        free(quoted);
        free(bytes);
        free(file);
    }
    if (json_is_object(json))
        json_object_foreach((json_t *)json, key, value) check_names(value, id);
}

static void check_backend(const char *backend, const char *id) {
    char *name = cb_format("impls/%s", backend), *path = in_tree(name);
    if (!cb_is_folder(path))
        fail_msg("%s: there is no backend %s", id, backend);
    free(path);
    free(name);
}

static void check_backends(const json_t *json, const char *id) {
    const char *key;
    json_t *value;
    size_t index;
    json_array_foreach(json_object_get(json, "backends"), index, value)
        check_backend(json_string_value(value), id);
    if (json_object_get(json, "backend"))
        check_backend(cb_rep_string(json, "backend", ""), id);
    if (json_is_array(json))
        json_array_foreach((json_t *)json, index, value) check_backends(value, id);
    if (json_is_object(json))
        json_object_foreach((json_t *)json, key, value) check_backends(value, id);
}

static void names_exist(void **state) {
    (void)state;
    struct cb_claims claims;
    char *folder = cb_claims_folder();
    assert_int_equal(cb_claims_load(&claims, folder, stderr), 0);
    for (size_t i = 0; i < claims.file_count; i++) {
        check_names(claims.files[i].json, claims.files[i].name);
        check_backends(claims.files[i].json, claims.files[i].name);
    }
    check_backends(claims.methods, "methods");
    cb_claims_free(&claims);
    free(folder);
}

// What is true of the made-up run is said of it by the shipped claims too.
static void the_ledger_judges(void **state) {
    (void)state;
    struct trial trial = {0};
    char *folder = cb_claims_folder(), *path = cb_format("%s/default", root);
    assert_int_equal(cb_claims_load(&trial.claims, folder, stderr), 0);
    assert_int_equal(cb_rep_load(&trial.rep, path, stderr), 0);
    cb_rep_estimate_all(&trial.rep);
    cb_claims_judge(&trial.claims, &trial.rep);
    assert_int_equal(find(&trial.claims, "s003-yield-thread")->verdict, CB_SUPPORTED);
    assert_int_equal(find(&trial.claims, "s003-optimize-chain")->verdict, CB_SUPPORTED);
    assert_int_equal(find(&trial.claims, "s001-frame-64k")->verdict, CB_REFUTED);
    assert_int_equal(find(&trial.claims, "s000-10-50")->verdict, CB_MISSING);
    assert_int_equal(find(&trial.claims, "s003-implementation-thread")->verdict, CB_DEPENDS);
    free(path);
    free(folder);
    drop(&trial);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),
        cmocka_unit_test(a_plain_metric_beside),
        cmocka_unit_test(ratios),
        cmocka_unit_test(ranges),
        cmocka_unit_test(predictions_have_units),
        cmocka_unit_test(one_that_holds_is_enough),
        cmocka_unit_test(a_proxy_has_a_ceiling),
        cmocka_unit_test(noise_decides_nothing),
        cmocka_unit_test(what_no_cell_decides),
        cmocka_unit_test(misspelled_claims_are_refused),
        cmocka_unit_test(an_empty_folder_is_refused),
        cmocka_unit_test(the_ledger_is_whole),
        cmocka_unit_test(evidence_is_there),
        cmocka_unit_test(names_exist),
        cmocka_unit_test(the_ledger_judges),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
