// What leaves a run's folder: the README's headline, and the condensed run that is committed.
#define _GNU_SOURCE
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "file.h"
#include "report_internal.h"

#define BEGIN_MARK "<!-- headline:begin -->"
#define END_MARK "<!-- headline:end -->"
#define LARGEST_REFERENCE (10 << 20) // a default run of some dozen backends
#define REPEATS "aa"                 // the folder of the repeated-run set, in a machine's reference

// ---- README -------------------------------------------------------------------------------------

// The path from the README's folder to the run, or the run's own where one is not below the other.
static char *relative_path(const char *run_dir, const char *readme) {
    char *folder = cb_copy(readme), *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    char *base = realpath(slash ? (*folder ? folder : "/") : ".", NULL);
    char *run = realpath(run_dir, NULL), *result;
    size_t length = base ? strlen(base) : 0;
    if (base && run && strncmp(base, run, length) == 0 && run[length] == '/')
        result = cb_copy(run + length + 1);
    else
        result = cb_copy(run_dir);
    free(run);
    free(base);
    free(folder);
    return result;
}

// The plot that headline.json names, where this run has it.
static int add_plot_link(struct cb_text *to, const char *run_dir, const char *link_to,
                         FILE *messages) {
    char *data = cb_share_path("headline.json");
    json_error_t problem;
    json_t *headline = json_load_file(data, 0, &problem);
    if (!headline)
        cb_error(messages,
                 "cannot read %s: %s\nthe README stays as it is\n"
                 "it belongs to the program: build it again with cmake --build",
                 data, problem.text);
    free(data);
    if (!headline)
        return CB_EXIT_USAGE;
    const json_t *plot = json_object_get(headline, "readme_plot");
    const char *id = cb_rep_string(plot, "id", "");
    char *path = cb_format("%s/plots/%s.svg", run_dir, id);
    if (access(path, R_OK) == 0)
        cb_text_add(to, "![%s](%s/plots/%s.svg)\n\n%s\n\n", cb_rep_string(plot, "title", ""),
                    link_to, id, cb_rep_string(plot, "caption", ""));
    free(path);
    json_decref(headline);
    return 0;
}

// What to use for typical programs; references made before there was such a table have none.
static void add_typical(struct cb_text *to, const char *run_dir) {
    char *path = cb_format("%s/tables/choose-typical.md", run_dir), *table;
    if (cb_file_read(path, &table, NULL) == 0) {
        cb_text_add(to, "%s\n", table);
        free(table);
    }
    free(path);
}

int cb_report_readme_block(const char *run_dir, const char *readme, char **block, FILE *messages) {
    char *path = cb_format("%s/tables/headline.md", run_dir), *table;
    int error = cb_file_read(path, &table, NULL);
    if (error) {
        cb_error(messages,
                 "cannot read %s: %s\nthe README stays as it is\n"
                 "make the report first: corobench report %s",
                 path, strerror(-error), run_dir);
        free(path);
        return CB_EXIT_USAGE;
    }
    free(path);
    struct cb_text text = {0};
    char *to_run = relative_path(run_dir, readme);
    cb_text_add(&text, BEGIN_MARK "\n<!-- made by: corobench report %s --readme README.md -->\n\n",
                to_run);
    add_typical(&text, run_dir); // the answer first
    cb_text_add(&text, "%s\n", table);
    int status = add_plot_link(&text, run_dir, to_run, messages);
    cb_text_add(&text, END_MARK);
    *block = text.text;
    free(to_run);
    free(table);
    if (status) {
        free(*block);
        *block = NULL;
    }
    return status;
}

static int refuse_readme(FILE *messages, const char *readme, const char *what) {
    cb_error(messages,
             "%s: %s\nthe README stays as it is\n"
             "put the lines " BEGIN_MARK " and " END_MARK " where the headline shall stand",
             readme, what);
    return CB_EXIT_USAGE;
}

int cb_report_readme(const char *run_dir, const char *readme, FILE *messages) {
    char *old, *block;
    int error = cb_file_read(readme, &old, NULL);
    if (error)
        return refuse_readme(messages, readme, strerror(-error));
    char *begin = strstr(old, BEGIN_MARK), *end = begin ? strstr(begin, END_MARK) : NULL;
    int status = 0;
    if (!end)
        status = refuse_readme(messages, readme, "it has no headline marks");
    else if ((status = cb_report_readme_block(run_dir, readme, &block, messages)) == 0) {
        struct cb_text text = {0};
        cb_text_add_bytes(&text, old, (size_t)(begin - old));
        cb_text_add(&text, "%s%s", block, end + strlen(END_MARK));
        error = cb_file_write(readme, text.text, text.length);
        if (error) {
            cb_error(messages, "cannot write %s: %s\nit stays as it is\nallow writing it", readme,
                     strerror(-error));
            status = CB_EXIT_USAGE;
        }
        cb_text_clear(&text);
        free(block);
    }
    free(old);
    return status;
}

// ---- Reference ----------------------------------------------------------------------------------

static int write_in(FILE *messages, const char *folder, const char *name, const char *bytes,
                    size_t length) {
    char *path = cb_format("%s/%s", folder, name);
    int error = cb_file_write(path, bytes, length);
    if (error)
        cb_error(messages,
                 "cannot write %s: %s\nthe reference is not complete\n"
                 "make room or allow writing there, and run the command again",
                 path, strerror(-error));
    free(path);
    return error ? CB_EXIT_USAGE : 0;
}

// All processes of a cell and metric in one line; the slots are named in the first.
static int write_condensed(struct cb_rep *rep, const char *folder) {
    struct cb_text text = {0}, values = {0};
    struct cb_csv_row to = {.to = &text};
    cb_text_add(&text, "cell_id,metric,flags,values\n");
    for (size_t slot = 0; slot < rep->slots; slot++)
        cb_text_add(&values, "%s%ld/%ld", slot ? " " : "", rep->slot_round[slot],
                    rep->slot_build[slot]);
    cb_csv_text(&to, "");
    cb_csv_text(&to, "round/build");
    cb_csv_text(&to, "");
    cb_csv_text(&to, values.text);
    cb_csv_end(&to);
    for (size_t i = 0; i < rep->row_count; i++) { // only what was loaded: nothing is derived yet
        const struct cb_rep_row *row = rep->rows[i];
        if (row->counted) // counts.csv is copied
            continue;
        cb_text_clear(&values);
        for (size_t slot = 0; slot < rep->slots; slot++)
            cb_text_add(&values, isnan(row->values[slot]) ? "%s-" : "%s%.6g", slot ? " " : "",
                        row->values[slot]);
        cb_csv_text(&to, row->cell->id);
        cb_csv_text(&to, row->metric);
        cb_csv_text(&to, row->cell->sample_flags);
        cb_csv_text(&to, values.text);
        cb_csv_end(&to);
    }
    int status = write_in(rep->messages, folder, "samples-condensed.csv", text.text, text.length);
    cb_text_clear(&values);
    cb_text_clear(&text);
    return status;
}

// What stands in a reference's folder beside the run: repeated runs, what scripts/planted found,
// what scripts/factors did and scripts/repeated-claims.
static const char *const beside[] = {REPEATS,       "planted.csv",        "planted.md",
                                     "factors.csv", "factors.md",         "factors.svg",
                                     "factors.pdf", "claims-repeated.md", NULL};

// Removes the files of a folder and of its folders, all `but` some names: what is made anew, or
// stood there before.
static void empty_folder(const char *path, const char *const *but) {
    static const char *const nothing[] = {NULL};
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        bool keep = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        for (size_t i = 0; but[i]; i++)
            keep |= strcmp(entry->d_name, but[i]) == 0;
        if (keep)
            continue;
        char *name = cb_format("%s/%s", path, entry->d_name);
        struct stat info;
        if (lstat(name, &info) == 0 && S_ISDIR(info.st_mode)) {
            empty_folder(name, nothing);
            rmdir(name);
        } else {
            unlink(name);
        }
        free(name);
    }
    if (folder)
        closedir(folder);
}

static long long folder_size(const char *path) {
    long long size = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (*entry->d_name == '.' || strcmp(entry->d_name, REPEATS) == 0)
            continue;
        char *name = cb_format("%s/%s", path, entry->d_name);
        struct stat info;
        if (lstat(name, &info) == 0)
            size += S_ISDIR(info.st_mode) ? folder_size(name) : (long long)info.st_size;
        free(name);
    }
    if (folder)
        closedir(folder);
    return size;
}

// A machine's name becomes a folder's: it must not lead elsewhere.
static bool good_name(const char *name) {
    return *name && *name != '.' && !strchr(name, '/');
}

// The folder root/<machine> of the loaded run, to be freed; NULL after a message.
static char *machine_folder(struct cb_rep *rep, const char *root) {
    const char *machine = cb_rep_string(json_object_get(rep->run, "machine"), "id", "");
    if (good_name(machine))
        return cb_format("%s/%s", root, machine);
    cb_error(rep->messages,
             "%s/run.json: machine.id is no folder name: '%s'\n"
             "no reference can be made\nmeasure again with this corobench",
             rep->dir, machine);
    return NULL;
}

// The links of one program list the same cells and loops: the first one's list is enough.
static void drop_repeated(json_t *run) {
    json_t *program;
    size_t i;
    json_array_foreach(json_object_get(run, "programs"), i, program) {
        json_t *describe = json_object_get(program, "describe");
        if (json_integer_value(json_object_get(program, "link")) == 0 || !describe)
            continue;
        json_object_del(describe, "scenarios");
        json_object_del(describe, "loops");
    }
}

static int copy_counts(struct cb_rep *rep, const char *folder) {
    char *path = cb_format("%s/counts.csv", rep->dir), *bytes = NULL;
    size_t length = 0;
    int status = 0;
    if (access(path, F_OK) == 0) {
        int error = cb_file_read(path, &bytes, &length);
        if (error)
            cb_error(rep->messages,
                     "cannot read %s: %s\nthe reference is not complete\n"
                     "allow reading it, and run the command again",
                     path, strerror(-error));
        status =
            error ? CB_EXIT_USAGE : write_in(rep->messages, folder, "counts.csv", bytes, length);
    }
    free(bytes);
    free(path);
    return status;
}

int cb_report_reference(const char *run_dir, const char *root, FILE *messages) {
    struct cb_rep rep;
    int status = cb_rep_load(&rep, run_dir, messages);
    char *folder = status ? NULL : machine_folder(&rep, root);
    status = folder ? status : CB_EXIT_USAGE;
    int error = status ? 0 : cb_make_folders(folder);
    if (error) {
        cb_error(messages, "cannot make %s: %s\nno reference is made\nallow writing there", folder,
                 strerror(-error));
        status = CB_EXIT_USAGE;
    }
    char *run = status ? NULL : realpath(run_dir, NULL);
    char *there = status ? NULL : realpath(folder, NULL);
    if (!status && run && there && strcmp(run, there) == 0) {
        cb_error(messages,
                 "%s is that reference already\nnothing is done\n"
                 "name a run that was measured, such as results/latest",
                 run_dir);
        status = CB_EXIT_USAGE;
    }
    free(run);
    free(there);
    if (!status) {
        empty_folder(folder, beside);
        drop_repeated(rep.run);
        char *json = json_dumps(rep.run, JSON_COMPACT);
        status = write_in(messages, folder, "run.json", json, strlen(json));
        free(json);
    }
    if (!status)
        status = write_condensed(&rep, folder);
    if (!status)
        status = copy_counts(&rep, folder);
    if (!status)
        status = cb_report_run(folder, messages);
    if (status != CB_EXIT_USAGE) {
        // report.html repeats what stands beside it; `corobench report` makes it any time.
        char *page = cb_format("%s/report.html", folder);
        unlink(page);
        free(page);
        long long size = folder_size(folder);
        if (size > LARGEST_REFERENCE)
            cb_warning(messages,
                       "%s has %lld KB\nthat is much for a file that is committed\n"
                       "take a default run, not a full one, as reference",
                       folder, size / 1024);
    }
    free(folder);
    cb_rep_free(&rep);
    return status;
}

// ---- The repeated-run set -----------------------------------------------------------------------

int cb_report_repeat(const char *run_dir, const char *root, FILE *messages) {
    struct cb_rep rep;
    int status = cb_rep_load(&rep, run_dir, messages);
    const char *wrong = NULL;
    if (!status && rep.mode != CB_REP_DEFAULT)
        wrong = "it is no default run";
    else if (!status && json_is_false(json_object_get(rep.run, "complete")))
        wrong = "it is not complete";
    else if (!status && !good_name(rep.run_id))
        wrong = "its name is no file name";
    if (wrong) {
        cb_error(messages,
                 "%s: %s\nit is not put into the set of repeated runs\n"
                 "take whole default runs, each with a name of its own: corobench run",
                 run_dir, wrong);
        status = CB_EXIT_USAGE;
    }
    char *machine = status ? NULL : machine_folder(&rep, root);
    if (machine) {
        char *folder = cb_format("%s/" REPEATS, machine);
        cb_rep_estimate_all(&rep);
        status = cb_rep_write_repeat(&rep, folder);
        free(folder);
    } else {
        status = CB_EXIT_USAGE;
    }
    free(machine);
    cb_rep_free(&rep);
    return status;
}
