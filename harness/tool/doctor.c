// corobench doctor: what disturbs the numbers, limits the cells, or is missing.
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "doctor_internal.h"

static const struct cb_option options[] = {
    {"json", NULL, "for tools: all findings as JSON"},
    {"strict", NULL, "exit status 1 when something disturbs"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given);

const struct cb_command cb_command_doctor = {
    .name = "doctor",
    .summary = "what on this machine disturbs the numbers",
    .details =
        "\nLooks and changes nothing; scripts/tune changes what can be changed. Each finding "
        "answers a\nquestion: yes, no or unknown. What disturbs changes the numbers, what "
        "limits keeps cells from\nbeing measured, what is missing is said to be so. Only "
        "the first kind counts for --strict.",
    .options = options,
    .run = run};

const char *cb_doctor_kind_name(enum cb_doctor_kind kind) {
    static const char *const names[] = {[CB_DOCTOR_DISTURBS] = "disturbs",
                                        [CB_DOCTOR_LIMITS] = "limits",
                                        [CB_DOCTOR_LACKS] = "lacks"};
    return names[kind];
}

const char *cb_doctor_state_name(enum cb_doctor_state state) {
    static const char *const names[] = {
        [CB_DOCTOR_NO] = "no", [CB_DOCTOR_YES] = "yes", [CB_DOCTOR_UNKNOWN] = "unknown"};
    return names[state];
}

// ---- Looking

static void look_all(struct cb_findings *findings, const struct cb_doctor_place *place,
                     const struct cb_doctor_check *checks, size_t count) {
    findings->list = cb_resize(findings->list, findings->count + count, sizeof *findings->list);
    for (size_t i = 0; i < count; i++) {
        struct cb_finding *f = &findings->list[findings->count++];
        *f = (struct cb_finding){.id = checks[i].id,
                                 .kind = checks[i].kind,
                                 .question = checks[i].question,
                                 .consequence = checks[i].consequence,
                                 .state = CB_DOCTOR_UNKNOWN};
        checks[i].look(place, f);
    }
}

void cb_doctor_look(struct cb_findings *findings, const char *root,
                    const struct cb_doctor_facts *facts) {
    struct cb_doctor_place place = {root, facts};
    *findings = (struct cb_findings){0};
    look_all(findings, &place, cb_doctor_noise, cb_doctor_noise_count);
    look_all(findings, &place, cb_doctor_limits, cb_doctor_limits_count);
    look_all(findings, &place, cb_doctor_tools, cb_doctor_tools_count);
}

void cb_findings_free(struct cb_findings *findings) {
    for (size_t i = 0; i < findings->count; i++)
        free(findings->list[i].value);
    free(findings->list);
    *findings = (struct cb_findings){0};
}

static void look_here(struct cb_findings *findings) {
    struct cb_doctor_facts facts;
    cb_doctor_ask(&facts);
    cb_doctor_look(findings, "", &facts);
    cb_doctor_facts_free(&facts);
}

// ---- Saying

json_t *cb_findings_json(const struct cb_findings *findings) {
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct cb_finding *f = &findings->list[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?}", "id", f->id, "kind",
                                        cb_doctor_kind_name(f->kind), "question", f->question,
                                        "state", cb_doctor_state_name(f->state), "value", f->value,
                                        "consequence", f->consequence, "remedy", f->remedy));
    }
    return json_pack("{s:i, s:o}", "schema", 1, "findings", list);
}

#define COLUMNS 96

// `text` in lines of at most COLUMNS, the first after `label`, all from column `indent` on.
static void print_wrapped(FILE *to, int indent, const char *label, const char *text) {
    int column = fprintf(to, "%*s", indent, label);
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > COLUMNS) {
            column = fprintf(to, "\n%*s", indent, "") - 1;
        } else if (column > indent) {
            fputc(' ', to);
            column++;
        }
        column += fprintf(to, "%.*s", word, text);
        text += word + strspn(text + word, " ");
    }
    fputc('\n', to);
}

static void print_finding(const struct cb_finding *f, FILE *to) {
    fprintf(to, "  %-8s %-20s %s\n", cb_doctor_state_name(f->state), f->id, f->value);
    if (f->state == CB_DOCTOR_NO)
        return;
    print_wrapped(to, 18, "question: ", f->question);
    print_wrapped(to, 18, f->state == CB_DOCTOR_YES ? "then: " : "if yes: ", f->consequence);
    print_wrapped(to, 18, "remedy: ", f->remedy);
}

void cb_findings_print(const struct cb_findings *findings, FILE *to) {
    static const char *const titles[] = {[CB_DOCTOR_DISTURBS] = "What disturbs the numbers",
                                         [CB_DOCTOR_LIMITS] =
                                             "What limits how many coroutines can be measured",
                                         [CB_DOCTOR_LACKS] = "What is missing"};
    int counts[3][3] = {{0}}; // of a kind, in a state
    for (size_t i = 0; i < findings->count; i++) {
        const struct cb_finding *f = &findings->list[i];
        if (i == 0 || f->kind != findings->list[i - 1].kind)
            fprintf(to, "%s%s\n", i ? "\n" : "", titles[f->kind]);
        print_finding(f, to);
        counts[f->kind][f->state]++;
    }
    fprintf(to, "\n%d of %d disturb (%d unknown), %d limit (%d unknown), %d lack (%d unknown)\n",
            counts[CB_DOCTOR_DISTURBS][CB_DOCTOR_YES],
            counts[CB_DOCTOR_DISTURBS][CB_DOCTOR_NO] + counts[CB_DOCTOR_DISTURBS][CB_DOCTOR_YES] +
                counts[CB_DOCTOR_DISTURBS][CB_DOCTOR_UNKNOWN],
            counts[CB_DOCTOR_DISTURBS][CB_DOCTOR_UNKNOWN], counts[CB_DOCTOR_LIMITS][CB_DOCTOR_YES],
            counts[CB_DOCTOR_LIMITS][CB_DOCTOR_UNKNOWN], counts[CB_DOCTOR_LACKS][CB_DOCTOR_YES],
            counts[CB_DOCTOR_LACKS][CB_DOCTOR_UNKNOWN]);
}

int cb_findings_status(const struct cb_findings *findings, bool strict) {
    for (size_t i = 0; strict && i < findings->count; i++)
        if (findings->list[i].kind == CB_DOCTOR_DISTURBS &&
            findings->list[i].state == CB_DOCTOR_YES)
            return CB_EXIT_FAILED;
    return CB_EXIT_OK;
}

json_t *cb_doctor_json(void) {
    struct cb_findings findings;
    look_here(&findings);
    json_t *json = cb_findings_json(&findings);
    cb_findings_free(&findings);
    return json;
}

static int run(const struct cb_given *given) {
    struct cb_findings findings;
    look_here(&findings);
    if (cb_given_has(given, "json")) {
        json_t *json = cb_findings_json(&findings);
        json_dumpf(json, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(json);
    } else {
        cb_findings_print(&findings, stdout);
    }
    int status = cb_findings_status(&findings, cb_given_has(given, "strict"));
    cb_findings_free(&findings);
    return status;
}
