// The numbers of a run: from plan.json, to run.json, and back.
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "message.h"
#include "run.h"

json_t *cb_load_share(const char *name) {
    char *path = cb_share_path(name);
    json_error_t where;
    json_t *data = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (data == NULL)
        cb_error(stderr,
                 "%s, line %d: %s\nnothing can be planned without it\nbuild corobench again: the "
                 "build puts it into share/ beside the program",
                 path, where.line, where.text);
    free(path);
    return data;
}

int cb_settings_read(struct cb_settings *settings, const json_t *data, const char *mode) {
    *settings = (struct cb_settings){0};
    json_t *statics = NULL;
    const char *process = "median";
    int rounds, space_rounds, repetitions, budget, tries, padding;
    json_error_t where;
    // json_unpack_ex takes no const, but changes nothing.
    if (json_unpack_ex((json_t *)data, &where, 0,
                       "{s:{s:{s:i, s:{s:i, s:i}, s:i, s:F}}, s:{s:F, s:F, s:F}, "
                       "s:{s:i, s:F, s:F, s:F, s:F, s:F, s:F, s?F, s?F, s?F}, s:i, s:o, s?s}",
                       "sizes", mode, "budget", &budget, "rounds", "time", &rounds, "space",
                       &space_rounds, "repetitions", &repetitions, "batch_ms", &settings->batch_ms,
                       "limits_s", "pilot", &settings->pilot_limit, "time", &settings->time_limit,
                       "space", &settings->space_limit, "again", "tries", &tries, "share",
                       &settings->again.share, "involuntary", &settings->again.involuntary, "lost",
                       &settings->again.lost, "hit", &settings->again.hit, "steal",
                       &settings->again.steal, "steal_per_s", &settings->again.steal_per_s,
                       "crowded", &settings->again.crowded, "width", &settings->again.width,
                       "wait_ms", &settings->again.wait_ms, "padding_bytes", &padding, "static",
                       &statics, "process", &process) < 0 ||
        (strcmp(process, "fastest") != 0 && strcmp(process, "median") != 0) || rounds < 1 ||
        space_rounds < 1 || repetitions < 1 || budget < 0 || tries < 0 || padding < 0) {
        cb_error(stderr,
                 "share/plan.json, size %s: %s\nnothing can be planned\nbuild corobench "
                 "again, or correct the file",
                 mode,
                 *where.text ? where.text
                             : "a number is too small, or process neither fastest nor median");
        return CB_EXIT_USAGE;
    }
    settings->fastest = strcmp(process, "fastest") == 0;
    settings->rounds = (unsigned)rounds;
    settings->space_rounds = (unsigned)space_rounds;
    settings->repetitions = (unsigned)repetitions;
    settings->budget = (size_t)budget;
    settings->padding_bytes = (unsigned)padding;
    settings->again.tries = tries;
    settings->statics = json_incref(statics);
    return CB_EXIT_OK;
}

json_t *cb_settings_to_json(const struct cb_settings *s) {
    return json_pack(
        "{s:{s:i, s:i}, s:i, s:f, s:{s:f, s:f, s:f}, s:{s:i, s:f, s:f, s:f, s:f, s:f, "
        "s:f, s:f, s:f, s:f}, s:i, s:I, "
        "s:O, s:O?, s:s}",
        "rounds", "time", (int)s->rounds, "space", (int)s->space_rounds, "repetitions",
        (int)s->repetitions, "batch_ms", s->batch_ms, "limits_s", "pilot", s->pilot_limit, "time",
        s->time_limit, "space", s->space_limit, "again", "tries", s->again.tries, "share",
        s->again.share, "involuntary", s->again.involuntary, "lost", s->again.lost, "hit",
        s->again.hit, "steal", s->again.steal, "steal_per_s", s->again.steal_per_s, "crowded",
        s->again.crowded, "width", s->again.width, "wait_ms", s->again.wait_ms, "padding_bytes",
        (int)s->padding_bytes, "budget", (json_int_t)s->budget, "static", s->statics, "links",
        s->links, "process", s->fastest ? "fastest" : "median");
}

bool cb_settings_from_json(struct cb_settings *settings, const json_t *object) {
    json_t *data =
        json_pack("{s:{s:O}, s:O*, s:O*, s:O*, s:O*, s:O*}", "sizes", "run", object, "limits_s",
                  json_object_get(object, "limits_s"), "again", json_object_get(object, "again"),
                  "padding_bytes", json_object_get(object, "padding_bytes"), "static",
                  json_object_get(object, "static"), "process", json_object_get(object, "process"));
    bool good = data != NULL && cb_settings_read(settings, data, "run") == CB_EXIT_OK;
    json_decref(data);
    json_t *links = json_object_get(object, "links");
    settings->links = json_incref(links);
    return good && json_is_object(links);
}

void cb_settings_free(struct cb_settings *settings) {
    json_decref(settings->statics);
    json_decref(settings->links);
    *settings = (struct cb_settings){0};
}
