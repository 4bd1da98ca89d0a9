// The repetitions of a cell under Google Benchmark, and the raw document.
#define _GNU_SOURCE
#include "run.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/message.h"
#include "counters.h"
#include "cycle.h"
#include "gbench.h"
#include "limit.h"
#include "memory.h"

struct measuring {
    struct cb_session *session;
    uint64_t n;
    int repetition;
    struct cb_counters counters;
    struct cb_counts counts; // what the timed run did
    double cycle_ns, width;  // before the batch
    double loop_ns;          // once a process: the machine's, not the cell's
    double hand_ns;
    uint64_t polls; // before the batch, where the scenario counts them
    struct cb_slopes slopes;
    uint64_t reached; // of kind limit
    bool pmu;
};

static bool going(const struct measuring *m) {
    return m->session->outcome.status == CB_OK;
}

static void time_hand(struct measuring *m) {
    const struct cb_scenario *scenario = m->session->entry->s;
    if (!scenario->hand || !going(m))
        return;
    uint64_t start = cb_now_ns();
    struct cb_counts counts = scenario->hand(m->n);
    m->hand_ns = (double)(cb_now_ns() - start);
    cb_session_check_hand(m->session, m->n, counts);
}

// The hand loop goes first in every other repetition: whatever going second means, both get it.
static void before_time(void *user) {
    struct measuring *m = user;
    if (m->repetition % 2 == 0)
        time_hand(m);
    if (m->session->entry->s->polls)
        m->polls = m->session->entry->s->polls();
    if (m->repetition == 0)
        m->loop_ns = cb_loop_ns(m->n);
    m->cycle_ns = cb_cycle_ns();
    m->width = cb_cycle_width(m->cycle_ns);
    cb_counters_begin(&m->counters);
}

static void batch_time(void *user) {
    struct measuring *m = user;
    if (going(m))
        m->counts = cb_session_run(m->session, m->n);
}

static void put_counted(struct cb_gbench_sink *sink, const struct cb_counted *counted) {
    cb_gbench_counter(sink, "faults", (double)counted->faults);
    cb_gbench_counter(sink, "nvcsw", (double)counted->nvcsw);
    cb_gbench_counter(sink, "nivcsw", (double)counted->nivcsw);
    if (counted->has_steal)
        cb_gbench_counter(sink, "steal", (double)counted->steal);
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        if (counted->has_pmu[e])
            cb_gbench_counter(sink, cb_pmu_name((enum cb_pmu_event)e), (double)counted->pmu[e]);
}

static bool after_time(void *user, struct cb_gbench_sink *sink) {
    struct measuring *m = user;
    struct cb_counted counted;
    cb_counters_end(&m->counters, &counted);
    double cycle_after = cb_cycle_ns(), cycle_ns = (m->cycle_ns + cycle_after) / 2;
    double width = fmin(m->width, cb_cycle_width(cycle_after));
    if (!going(m) || !cb_session_check(m->session, m->n, m->counts))
        return false;
    if (m->repetition % 2 == 1)
        time_hand(m);
    cb_gbench_counter(sink, "operations", (double)m->n);
    cb_gbench_counter(sink, "cycle_ns", cycle_ns);
    cb_gbench_counter(sink, "width", width);
    if (m->repetition == 0)
        cb_gbench_counter(sink, "loop_ns", m->loop_ns);
    m->repetition++;
    if (m->session->entry->s->hand)
        cb_gbench_counter(sink, "hand_ns", m->hand_ns);
    if (m->session->entry->s->polls)
        cb_gbench_counter(sink, "polls", (double)(m->session->entry->s->polls() - m->polls));
    put_counted(sink, &counted);
    return going(m);
}

// Of what is not timed.
static void before_nothing(void *user) {
    (void)user;
}

static void batch_space(void *user) {
    struct measuring *m = user;
    cb_space_measure(m->session->entry->s, m->n,
                     m->session->library && m->session->bench->backend.lib_reason
                         ? m->session->bench->backend.lib_reason
                         : m->session->bench->backend.reason,
                     &m->slopes, &m->session->outcome);
}

static bool after_space(void *user, struct cb_gbench_sink *sink) {
    struct measuring *m = user;
    if (!going(m))
        return false;
    cb_gbench_counter(sink, "operations", (double)m->n);
    cb_gbench_counter(sink, "rss", m->slopes.rss);
    cb_gbench_counter(sink, "page_tables", m->slopes.page_tables);
    cb_gbench_counter(sink, "virtual", m->slopes.virtual_size);
    cb_gbench_counter(sink, "mappings", m->slopes.mappings);
    if (m->slopes.has_kernel)
        cb_gbench_counter(sink, "kernel", m->slopes.kernel);
    return true;
}

static void batch_limit(void *user) {
    struct measuring *m = user;
    cb_limit_measure(m->session, &m->reached);
}

static bool after_limit(void *user, struct cb_gbench_sink *sink) {
    struct measuring *m = user;
    if (going(m))
        cb_gbench_counter(sink, "coroutines", (double)m->reached);
    return going(m);
}

static char *cell_id(const struct cb_session *session) {
    const struct cb_backend_facts *facts = session->bench->facts;
    return cb_format("%s/%s/%s/%s/%s", facts->name, session->entry->scenario,
                     session->entry->binding, facts->compiler, session->params->text);
}

// Runs the job; the parsed document, or NULL after a message.
static json_t *run_job(const struct cb_gbench_job *job) {
    char *problem = NULL;
    char *text = cb_gbench_run(job, &problem);
    json_error_t where;
    json_t *document = text ? json_loads(text, 0, &where) : NULL;
    if (!text)
        cb_error(stderr, "Google Benchmark failed: %s\nnothing was measured",
                 problem ? problem : "no memory");
    else if (!document && *text)
        cb_error(stderr,
                 "Google Benchmark wrote what is not JSON: %s (line %d)\n"
                 "nothing was measured",
                 where.text, where.line);
    free(problem);
    free(text);
    return document;
}

// Times every repetition of a cell of kind time.
static json_t *measure_time(struct measuring *m, struct cb_gbench_job *job) {
    struct cb_session *session = m->session;
    bool parallel = session->bench->facts->capabilities & CO_CAP_PARALLEL;
    cb_counters_open(&m->counters, session->pins.cpus, session->pins.count, !parallel);
    m->pmu = cb_counters_have_pmu(&m->counters);
    // The warm-up, which is checked like any batch.
    json_t *document = json_object();
    if (cb_session_check(session, m->n, cb_session_run(session, m->n))) {
        json_decref(document);
        job->before = before_time;
        job->batch = batch_time;
        job->after = after_time;
        document = run_job(job);
    }
    cb_counters_close(&m->counters);
    return document;
}

static json_t *measure_space(struct measuring *m, struct cb_gbench_job *job) {
    long n = cb_param(m->session->params, "n", 0);
    if (n < 1) {
        cb_outcome_set(&m->session->outcome, CB_FAILED,
                       "a cell of kind space must have the parameter n, 1 or more");
        return json_object();
    }
    m->n = (uint64_t)n;
    cb_space_open();
    job->repetitions = 1;
    job->before = before_nothing;
    job->batch = batch_space;
    job->after = after_space;
    return run_job(job);
}

static json_t *measure_limit(struct measuring *m, struct cb_gbench_job *job) {
    (void)m;
    job->repetitions = 1;
    job->before = before_nothing;
    job->batch = batch_limit;
    job->after = after_limit;
    return run_job(job);
}

static char *describe_outcome(const struct measuring *m, bool migrated) {
    const struct cb_session *session = m->session;
    const struct cb_backend_facts *facts = session->bench->facts;
    json_t *cpus = json_array();
    for (int i = 0; i < session->pins.count; i++)
        json_array_append_new(cpus, json_integer(session->pins.cpus[i]));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:b, s:b, s:b, s:s}", "status",
        cb_status_name(session->outcome.status), "note", session->outcome.note, "backend",
        facts->name, "scenario", session->entry->scenario, "binding", session->entry->binding,
        "params", session->params->text, "compiler", facts->compiler, "link", facts->link, "cpus",
        cpus, "pinned", session->pins.pinned, "migrated", migrated, "pmu", m->pmu, "cycle_chain",
        cb_cycle_chain());
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

// Puts our context in, and takes out what tells whose machine this is. A cell that did not succeed
// keeps no repetition: half a sample must not be taken for one.
static char *finish_document(json_t *document, const struct measuring *m, bool migrated) {
    char *outcome = describe_outcome(m, migrated);
    json_t *context = json_object_get(document, "context");
    if (!context) {
        context = json_object();
        json_object_set_new(document, "context", context);
    }
    json_object_del(context, "host_name");
    json_object_del(context, "executable");
    json_object_set_new(context, "corobench", json_string(outcome ? outcome : ""));
    if (!going(m) || !json_object_get(document, "benchmarks"))
        json_object_set_new(document, "benchmarks", json_array());
    char *text = outcome ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    if (!text)
        cb_error(stderr, "the raw document could not be made: no memory, or a note that is not "
                         "UTF-8\nnothing is written");
    free(outcome);
    return text;
}

char *cb_run_cell(struct cb_session *session, const struct cb_run_options *options) {
    struct measuring m = {.session = session, .n = options->iterations};
    static json_t *(*const measure[])(struct measuring *, struct cb_gbench_job *) = {
        [CB_KIND_TIME] = measure_time,
        [CB_KIND_SPACE] = measure_space,
        [CB_KIND_LIMIT] = measure_limit,
    };
    json_t *document = NULL;
    bool migrated = false;
    if (session->outcome.status == CB_OK) {
        char *name = cell_id(session);
        struct cb_gbench_job job = {.name = name, .repetitions = options->repetitions, .user = &m};
        document = measure[session->entry->s->kind](&m, &job);
        migrated = cb_pin_moved(&session->pins);
        free(name);
    }
    bool lost = session->outcome.status == CB_OK && !document;
    cb_session_close(session);
    if (!document)
        document = json_object();
    char *text = lost ? NULL : finish_document(document, &m, migrated);
    json_decref(document);
    return text;
}
