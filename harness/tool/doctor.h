// What on this machine disturbs the numbers, limits the cells, or is missing. Only looks, never
// changes anything; scripts/tune changes what can be changed.
//
// Every finding is a question whose answer "yes" is the bad one: {"id": "governor", "question":
// "May the clock's frequency change with the load?", "state": "yes"}.
#ifndef CB_DOCTOR_H
#define CB_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

enum cb_doctor_kind {
    CB_DOCTOR_DISTURBS, // changes what is measured
    CB_DOCTOR_LIMITS,   // keeps some cells from being measured
    CB_DOCTOR_LACKS,    // a part of the tools cannot be used
};

enum cb_doctor_state { CB_DOCTOR_NO, CB_DOCTOR_YES, CB_DOCTOR_UNKNOWN };

struct cb_finding {
    const char *id;
    enum cb_doctor_kind kind;
    const char *question;
    const char *consequence; // for the numbers, where the answer is yes
    enum cb_doctor_state state;
    char *value;        // what was seen; for an unknown one, why it is unknown
    const char *remedy; // a command or what else can be done; NULL where nothing need be done
};

struct cb_findings {
    struct cb_finding *list;
    size_t count;
};

// What no file tells. Tests make it up; cb_doctor_ask asks the machine.
struct cb_doctor_facts {
    int units;        // processing units this process may run on, by hwloc; -1: unknown
    char *hypervisor; // its name, "none", or NULL where the processor does not tell
    int pmu; // an instruction counter: 0 it counts, CB_DOCTOR_PMU_STILL, or the errno of its
             // opening
    enum cb_doctor_state no_guards; // whether MADV_GUARD_INSTALL does not guard
    const char *path;               // where programs are: $PATH; NULL: not set
    long long most;                 // live coroutines in the largest cell of a default run
    void (*work)(void *context);    // keeps the processor busy while steal time is watched
    void *context;
};
#define CB_DOCTOR_PMU_STILL (-1) // it can be opened, but stays at 0

// Asks the machine, which takes some milliseconds. cb_doctor_facts_free frees what it holds.
void cb_doctor_ask(struct cb_doctor_facts *facts);
void cb_doctor_facts_free(struct cb_doctor_facts *facts);

// Looks at everything. `root` is put in front of every path that is read ("" for this machine's
// files), so that a made-up tree can be looked at. Never fails: what cannot be read is unknown.
void cb_doctor_look(struct cb_findings *findings, const char *root,
                    const struct cb_doctor_facts *facts);
void cb_findings_free(struct cb_findings *findings);

// "disturbs", "limits" or "lacks"; "yes", "no" or "unknown".
const char *cb_doctor_kind_name(enum cb_doctor_kind kind);
const char *cb_doctor_state_name(enum cb_doctor_state state);

// {"schema": 1, "findings": [{"id", "kind", "question", "state", "value", "consequence",
// "remedy"}]}; remedy is null where nothing need be done. A new object.
json_t *cb_findings_json(const struct cb_findings *findings);
void cb_findings_print(const struct cb_findings *findings, FILE *to);
// The exit status: 1 if strict and something disturbs, else 0. What limits or lacks, and what is
// unknown, is no reason to fail: it makes no number wrong that is printed.
int cb_findings_status(const struct cb_findings *findings, bool strict);

// This machine, now: cb_findings_json of all findings, for run.json. Takes about 0.3 s, as steal
// time is watched for a while. A new object.
json_t *cb_doctor_json(void);

#endif
