// Writes a made-up run (run.json, samples.csv) whose medians, quartiles and ratios are known: what
// the tests of the report read. As a program: make_run DIR quick|default|full [jitter [backends]]
// makes a run to look at, with noise and as many backends as a crowded plot has.
//
// The time of a cell in a round is its truth times the round's factor. Twelve factors have median
// 1, lower quartile 0.9775 and x(3)..x(10) = 0.97..1.03. All cells share a round's factor, so
// paired ratios are exact. Repetitions are 0.9, 1 and 1.3 times that: their median is the truth.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#define MADE_CYCLE_NS 0.25

static const double made_factors[12] = {1.02, 0.95, 1.00, 0.98, 1.05, 0.96,
                                        1.01, 1.03, 0.99, 0.97, 1.04, 1.00};

// A backend's truth, in ns, bytes and lines.
struct made_backend {
    const char *name, *family;
    double setup, fresh, yield, level, call, rss, tables, kernel, fold, lines;
};

static const struct made_backend made_backends[] = {
    {"thread-futex", "thread", 15000, 18000, 3400, 0.02, 3402, 8500, 96, 13800, 14000, 120},
    {"fiber-full", "fiber", 3.4, 7700, 2.6, 0, 3.6, 4160, 4096, 0, 8.1, 310},
    {"fiber-small", "fiber", 3.1, 27, 2.5, 0, 3.5, 4096, 16, 0, 8.2, 340},
    {"stackless-chain", "stackless", 1.7, 8.0, 1.6, 1.1, 4.2, 64, 0.5, 0, 1.0, 210},
    {"stackless-leaf", "stackless", 3.0, 9.5, 2.0, 0.01, 5.0, 72, 0.5, 0, 7.9, 260},
};

// More of them, to see how a crowded plot looks: names and factors that differ.
static const char *const made_crowd[][2] = {
    {"copied-stack", "fiber"},      {"boost-fcontext", "peer"},
    {"minicoro", "peer"},           {"libaco", "peer"},
    {"ucontext", "peer"},           {"libdill", "peer"},
    {"state-threads", "peer"},      {"photon", "peer"},
    {"corosensei", "peer"},         {"lua-coroutine", "peer"},
    {"cxx20-gcc", "twin"},          {"cxx20-leaf", "twin"},
    {"hand-twin", "twin"},          {"poll-boxed", "poll"},
    {"poll-flat", "poll"},          {"stackless-embedded", "stackless"},
    {"stackless-tag", "stackless"}, {"fiber-split", "fiber"},
    {"fiber-micro", "fiber"},       {"thread-condvar", "thread"}};

struct made_run {
    FILE *samples;
    json_t *plan;
    unsigned rounds, links;
    double jitter;
    const char *mode;
};

// What make_run does not take as an argument: set before, used once. Shares of a value, all 0 by
// default.
static struct made_special {
    double twin_off; // what the twin is off its original
    double climb;    // what fiber-full's unwind climbs from the first round to the last
    double apart;    // what every second round of fiber-full's live n=1000 is higher
    double upper;    // what the upper half of all rounds is higher
    double late;     // what the upper half of fiber-full's rounds of set-up is higher
    double clock;    // what the clock is slower: times and cycles alike
    bool fastest;    // a process's value is its fastest repetition; no ratio is right but by these
    int disturbed;   // samples that stand disturbed, of 500; 2
    bool by_hand;    // whether stackless-chain's program has what is written by hand, and a twin of
                     // its fold
    const char *run; // its name; "made"
} made_special;

// A number between -1 and 1 that only depends on its arguments.
static double made_noise(const char *text, unsigned round) {
    unsigned long hash = 1469598103934665603UL + round * 7919UL;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211UL;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9UL;
    hash ^= hash >> 32;
    return (double)(hash % 20001) / 10000 - 1;
}

static void made_plan(struct made_run *run, const char *id, const char *kind, const char *status,
                      const char *note) {
    char copy[200], *part[5] = {copy};
    snprintf(copy, sizeof copy, "%s", id);
    for (int i = 1; i < 5; i++) {
        part[i] = strchr(part[i - 1], '/');
        *part[i]++ = '\0';
    }
    const char *family = "";
    for (size_t i = 0; i < sizeof made_backends / sizeof *made_backends; i++)
        if (strcmp(made_backends[i].name, part[0]) == 0)
            family = made_backends[i].family;
    for (size_t i = 0; i < sizeof made_crowd / sizeof *made_crowd; i++)
        if (strcmp(made_crowd[i][0], part[0]) == 0)
            family = made_crowd[i][1];
    json_array_append_new(run->plan,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}",
                                    "cell_id", id, "backend", part[0], "family", family, "scenario",
                                    part[1], "binding", part[2], "compiler", part[3], "params",
                                    part[4], "unit", "operation", "kind", kind, "iterations", 1000,
                                    "status", status, "note", note));
}

static void made_line(struct made_run *run, const char *id, unsigned round, int rep,
                      const char *metric, double value, int is_time, const char *flags) {
    fprintf(run->samples, "made,%s,%u,%u,%d,1,%s,%.10g,1000,", id, round, round % run->links, rep,
            metric, value);
    if (is_time)
        fprintf(run->samples, "%.10g,%.10g,%g,,0,0,0,0,%s\n", 1000 * value, 1000 * value,
                MADE_CYCLE_NS * (1 + made_special.clock), flags);
    else
        fprintf(run->samples, ",,,,,,,,%s\n", flags);
}

static double made_factor(const struct made_run *run, const char *id, unsigned round) {
    double factor = made_factors[(round - 1) % 12];
    bool upper = factor > 0.995;
    if (upper && strncmp(id, "fiber-full/setup", 16) == 0)
        factor *= 1 + made_special.late;
    if (upper)
        factor *= 1 + made_special.upper;
    if (strncmp(id, "fiber-full/unwind", 17) == 0)
        factor += made_special.climb * (round - 1) / (run->rounds - 1);
    if (strncmp(id, "fiber-full/live/opaque/gcc/n=1000;", 34) == 0)
        factor += made_special.apart * (round % 2);
    return factor * (1 + run->jitter * made_noise(id, round)) * (1 + made_special.clock);
}

// A cell of kind time that has a value; `hand` > 0 adds the hand loop and the ratio to it.
static void made_time(struct made_run *run, const char *id, double truth, double loop, double hand,
                      const char *flags) {
    static const double reps[] = {0.9, 1.3, 1.0};
    made_plan(run, id, "time", "ok", "");
    for (unsigned round = 1; round <= run->rounds; round++)
        for (int rep = 0; rep < 3; rep++) {
            double factor = made_factor(run, id, round) * reps[rep];
            made_line(run, id, round, rep + 1, "time", truth * factor, 1, flags);
            made_line(run, id, round, rep + 1, "loop", loop, 0, flags);
            if (hand > 0) {
                made_line(run, id, round, rep + 1, "hand", hand * factor, 0, flags);
                made_line(run, id, round, rep + 1, "ratio",
                          made_special.fastest ? 99 : truth / hand, 0, flags);
            }
        }
}

static void made_space(struct made_run *run, const char *id, const struct made_backend *b,
                       double more) {
    made_plan(run, id, "space", "ok", "");
    unsigned rounds = run->rounds < 6 ? 3 : 6;
    for (unsigned round = 1; round <= rounds; round++) {
        double shift = round == 3 ? 1 : 0; // one round sees a byte more
        made_line(run, id, round, 1, "rss", b->rss + more + shift, 0, "");
        made_line(run, id, round, 1, "page_tables", b->tables, 0, "");
        made_line(run, id, round, 1, "virtual", 4 * b->rss, 0, "");
        if (b->kernel > 0 || strcmp(b->family, "thread") != 0)
            made_line(run, id, round, 1, "kernel", b->kernel, 0, "");
        made_line(run, id, round, 1, "mappings", b->tables > 1000 ? 2 : 0, 0, "");
    }
}

static const char *made_id(const struct made_backend *b, const char *rest) {
    static char id[200];
    snprintf(id, sizeof id, "%s/%s", b->name, rest);
    return id;
}

static int made_is(const struct made_backend *b, const char *name) {
    return strcmp(b->name, name) == 0;
}

static void made_headline_cells(struct made_run *run, const struct made_backend *b,
                                const char *compiler, double slower) {
    char rest[120];
    int depths[] = {1, 16};
    snprintf(rest, sizeof rest, "setup/opaque/%s/storage=reused", compiler);
    made_time(run, made_id(b, rest), b->setup * slower, 0.25, 0, "");
    for (int i = 0; i < 2; i++) {
        snprintf(rest, sizeof rest, "yield/opaque/%s/depth=%d", compiler, depths[i]);
        made_time(run, made_id(b, rest), slower * (b->yield + b->level * (depths[i] - 1)), 0.25, 0,
                  "");
    }
    snprintf(rest, sizeof rest, "call/opaque/%s/yields=1", compiler);
    made_time(run, made_id(b, rest), b->call * slower, 0.25, 0, "");
    snprintf(rest, sizeof rest, "memory/opaque/%s/live=32;n=10000;peak=0", compiler);
    made_space(run, made_id(b, rest), b, 0);
    snprintf(rest, sizeof rest, "fold/visible/%s/levels=1;reduce=serial", compiler);
    made_time(run, made_id(b, rest), 0.24 * b->fold * slower, 0.24, 0.24, "");
    snprintf(rest, sizeof rest, "baseline/opaque/%s/op=indirect-call", compiler);
    made_time(run, made_id(b, rest), 1.4, 0.25, 0, "");
    snprintf(rest, sizeof rest, "source/opaque/%s/", compiler);
    const char *id = made_id(b, rest);
    made_plan(run, id, "static", "ok", "");
    made_line(run, id, 0, 0, "lines", b->lines, 0, "");
    made_line(run, id, 0, 0, "asm_lines", b->lines / 10, 0, "");
    made_line(run, id, 0, 0, "text_bytes", b->lines * 3, 0, "");
}

static void made_other_cells(struct made_run *run, const struct made_backend *b) {
    char rest[120];
    static const int depths[] = {2, 4, 8, 24, 32, 48, 64}, ns[] = {1, 16, 1000, 10000, 100000};
    made_time(run, made_id(b, "setup/opaque/gcc/storage=fresh"), b->fresh, 0.25, 0, "");
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        double knee = depths[i] > 28 ? 2.5 * b->level * (depths[i] - 28) : 0;
        snprintf(rest, sizeof rest, "yield/opaque/gcc/depth=%d", depths[i]);
        made_time(run, made_id(b, rest), b->yield + b->level * (depths[i] - 1) + knee, 0.25, 0,
                  depths[i] == 8 ? "remeasured" : "");
    }
    made_time(run, made_id(b, "call/opaque/gcc/yields=0"), b->call - b->yield, 0.25, 0, "");
    made_time(run, made_id(b, "call/opaque/gcc/yields=16"), b->call + 15 * b->yield, 0.25, 0, "");
    made_time(run, made_id(b, "baseline/opaque/gcc/frames=16;op=calls"), 20, 0.25, 0, "");
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        for (int order = 0; order < 2; order++) {
            snprintf(rest, sizeof rest, "live/opaque/gcc/n=%d;order=%s", ns[i],
                     order ? "random" : "sequential");
            if (made_is(b, "thread-futex") && ns[i] == 100000) {
                made_plan(run, made_id(b, rest), "time", order ? "timeout" : "unavailable",
                          order ? "no answer within 60 s" : "pid_max=32768: one thread each");
                continue;
            }
            if (order && ns[i] < 1000)
                continue;
            double miss = pow(ns[i], order ? 0.28 : 0.14);
            made_time(run, made_id(b, rest), b->yield * (ns[i] == 1 ? 1 : miss), 0.25, 0, "");
        }
    made_time(run, made_id(b, "unwind/opaque/gcc/frames=16"), 24, 0.25, 0, "");
    made_time(run, made_id(b, "cold/opaque/gcc/evict=cache"), 1200 + 20 * b->yield, 0.25, 1200, "");
    if (strcmp(b->family, "thread") == 0)
        made_time(run, made_id(b, "yield/opaque/gcc/cpus=2;depth=1"), 21000, 0.25, 0, "");
    else
        made_plan(run, made_id(b, "yield/opaque/gcc/cpus=2;depth=1"), "time", "not-claimed",
                  "parallel");
}

// Cells that have no value, each for another reason.
static void made_losses(struct made_run *run) {
    static const char crash[] = "ended by signal 11 in round 7 | <stack> overflow";
    made_plan(run, "stackless-leaf/fold/opaque/gcc/levels=8;reduce=serial", "time", "failed",
              crash);
    made_line(run, "stackless-leaf/fold/opaque/gcc/levels=8;reduce=serial", 1, 1, "time", 5, 1, "");
    made_plan(run, "fiber-full/memory/opaque/gcc/live=32;n=100000;peak=0", "space", "unavailable",
              "vm.max_map_count=65530: one mapping a guard");
    made_plan(run, "fiber-small/fold/opaque/gcc/levels=8;reduce=serial", "time", "skipped",
              "not asked for");
    made_plan(run, "fiber-full/fold/opaque/gcc/levels=8;reduce=serial", "time", "ok", "");
    if (made_special.by_hand) {
        made_time(run, "stackless-chain/twin/opaque/gcc/of=yield;way=machine", 2, 0.25, 0, "");
        made_time(run, "stackless-chain/twin/opaque/gcc/of=yield;way=callback", 2, 0.25, 0, "");
        made_time(run, "stackless-chain/twin/visible/gcc/of=fold;way=loop", 0.24, 0.24, 0, "");
        made_time(run, "stackless-chain/fold/visible/gcc/aa=1;levels=1;reduce=serial", 0.36, 0.24,
                  0.24, "");
        json_object_set_new(json_array_get(run->plan, json_array_size(run->plan) - 1), "twin_of",
                            json_string("stackless-chain/fold/visible/gcc/levels=1;reduce=serial"));
    }
    static const char twin[] = "fiber-small/yield/opaque/gcc/aa=1;depth=1";
    made_time(run, twin, 2.5 * (1 + made_special.twin_off), 0.25, 0, "");
    json_object_set_new(json_array_get(run->plan, json_array_size(run->plan) - 1), "twin_of",
                        json_string("fiber-small/yield/opaque/gcc/depth=1"));
    static const char *const missing[] = {"setup/opaque/gcc/storage=reused",
                                          "yield/opaque/gcc/depth=1", "yield/opaque/gcc/depth=16",
                                          "call/opaque/gcc/yields=1"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        char id[200];
        snprintf(id, sizeof id, "copied-stack/%s", missing[i]);
        made_plan(run, id, "time", "unavailable", "needs libfoo 2");
    }
}

static json_t *made_loop(int instructions, int elements, int calls, int indirect, int stores) {
    return json_pack("{s:i, s:i, s:i, s:i, s:i}", "instructions", instructions, "elements",
                     elements, "calls", calls, "indirect", indirect, "stores", stores);
}

// What a build saw of the loops: a hand loop unrolled twice, a generator that folds, one that calls
// and stores, and one without a loop that could be seen. The fibers' programs say nothing.
static json_t *made_loops(const char *backend, const char *family) {
    json_t *loops = json_object();
    if (strcmp(family, "stackless") != 0 && strcmp(family, "thread") != 0)
        return loops;
    bool folds = strcmp(backend, "stackless-chain") == 0;
    json_t *loop = folds                           ? made_loop(7, 1, 0, 0, 0)
                   : strcmp(family, "thread") == 0 ? made_loop(0, 0, 0, 0, 0)
                                                   : made_loop(21, 1, 1, 2, 3);
    json_object_set_new(loops, "fold/visible/levels=1;reduce=serial",
                        json_pack("{s:o, s:o}", "loop", loop, "hand", made_loop(9, 2, 0, 0, 0)));
    return loops;
}

static json_t *made_program(const char *backend, const char *family, const char *compiler,
                            const char *status, const char *note) {
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:{s:s, s:s, s:o}}", "backend", backend,
                     "compiler", compiler, "link", 0, "status", status, "note", note, "sha256",
                     *note ? "" : "00112233445566778899aabbccddeeff", "describe", "family", family,
                     "summary", "made up", "loops", made_loops(backend, family));
}

static json_t *made_finding(const char *id, const char *kind, const char *question,
                            const char *state, const char *value, const char *consequence) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:n}", "id", id, "kind", kind, "question",
                     question, "state", state, "value", value, "consequence", consequence,
                     "remedy");
}

static json_t *made_document(struct made_run *run, size_t crowd) {
    json_t *programs = json_array();
    for (size_t i = 0; i < sizeof made_backends / sizeof *made_backends; i++)
        for (int c = 0; c < 2; c++)
            json_array_append_new(programs,
                                  made_program(made_backends[i].name, made_backends[i].family,
                                               c ? "clang" : "gcc", "ok", ""));
    for (size_t i = 1; i < crowd; i++)
        json_array_append_new(programs,
                              made_program(made_crowd[i][0], made_crowd[i][1], "gcc", "ok", ""));
    if (!crowd)
        json_array_append_new(programs, made_program("copied-stack", "fiber", "gcc", "unavailable",
                                                     "needs libfoo 2"));
    json_array_append_new(programs, made_program("peer-gone", "peer", "gcc", "unavailable",
                                                 "libbar is not installed"));
    return json_pack(
        "{s:i, s:s, s:s, s:i, s:s, s:i, s:i, s:{s:s, s:s, s:s, s:i, s:s, s:b, s:b}, s:{s:s, s:s}, "
        "s:{s:i, s:i, s:i, s:i, s:{s:i, s:i, s:i}}, s:{s:i, s:[o, o]}, s:o, s:o}",
        "schema", 1, "run", made_special.run ? made_special.run : "made", "mode", run->mode, "seed",
        42, "command", "corobench run --made-up", "rounds", (int)run->rounds, "repetitions", 3,
        "machine", "id", "made-up-processor-2c-kvm", "vendor", "Made", "model",
        "Made-up Processor 1000", "cores", 2, "hypervisor", "kvm", "virtualised", 1, "pmu", 0,
        "compilers", "gcc", "12.2.0", "clang", "14.0.6", "samples", "planned", 500, "taken", 500,
        "taken_again", 7, "disturbed", made_special.disturbed ? made_special.disturbed : 2,
        "retakes", "migration", 0, "steal", 5, "involuntary", 3, "doctor", "schema", 1, "findings",
        made_finding("governor", "disturbs", "May the clock's frequency change?", "yes",
                     "powersave", "slow first samples"),
        made_finding("threads", "limits", "Are there few thread numbers?", "no", "4194304", ""),
        "programs", programs, "plan", run->plan);
}

// Makes the folder and both files. Returns 0, or -1 where it can't write.
static int make_run(const char *folder, const char *mode, double jitter, size_t crowd) {
    char path[4096];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/samples.csv", folder);
    struct made_run run = {
        .samples = fopen(path, "w"), .plan = json_array(), .mode = mode, .jitter = jitter};
    if (!run.samples)
        return -1;
    run.rounds = strcmp(mode, "quick") == 0 ? 5 : strcmp(mode, "full") == 0 ? 36 : 12;
    run.links = strcmp(mode, "full") == 0 ? 6 : 4;
    fprintf(run.samples, "run,cell_id,round,build,rep,position,metric,value,iterations,wall_ns,"
                         "cpu_ns,cycle_ns,instructions,faults,nvcsw,nivcsw,steal,flags\n");
    for (size_t i = 0; i < sizeof made_backends / sizeof *made_backends; i++) {
        made_headline_cells(&run, &made_backends[i], "gcc", 1);
        made_other_cells(&run, &made_backends[i]);
        if (strcmp(mode, "quick") != 0)
            made_headline_cells(&run, &made_backends[i], "clang", 1.25);
    }
    for (size_t i = 0; i < crowd; i++) {
        struct made_backend b = made_backends[i % 5];
        double factor = exp(1.1 * made_noise(made_crowd[i][0], 0));
        b.name = made_crowd[i][0];
        b.family = made_crowd[i][1];
        double *truths[] = {&b.setup, &b.fresh, &b.yield, &b.level, &b.call, &b.rss, &b.lines};
        for (size_t k = 0; k < sizeof truths / sizeof *truths; k++)
            *truths[k] *= factor;
        made_headline_cells(&run, &b, "gcc", 1);
        made_other_cells(&run, &b);
    }
    if (!crowd)
        made_losses(&run);
    json_t *document = made_document(&run, crowd);
    if (made_special.fastest)
        json_object_set_new(document, "settings", json_pack("{s:s}", "process", "fastest"));
    snprintf(path, sizeof path, "%s/run.json", folder);
    int status = json_dump_file(document, path, JSON_INDENT(1));
    json_decref(document);
    memset(&made_special, 0, sizeof made_special);
    return fclose(run.samples) == 0 && status == 0 ? 0 : -1;
}

#ifdef MAKE_RUN_MAIN
int main(int count, char **words) {
    if (count < 3) {
        fprintf(stderr, "usage: make_run DIR quick|default|full [jitter [backends]]\n");
        return 2;
    }
    double jitter = count > 3 ? strtod(words[3], NULL) : 0;
    size_t crowd = count > 4 ? (size_t)atoi(words[4]) : 0, most = sizeof made_crowd / 16;
    return make_run(words[1], words[2], jitter, crowd < most ? crowd : most) ? 1 : 0;
}
#endif
