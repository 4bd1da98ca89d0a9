// Reading below a root: single values, lines of a table, many files at once, control groups.
#include "doctor_internal.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "names.h"

char *cb_doctor_path(const struct cb_doctor_place *place, const char *path) {
    return cb_format("%s%s", place->root, path);
}

// Reads a path that has its root already.
static char *read_whole(const char *path) {
    char *text = NULL;
    size_t length = 0;
    int error = cb_file_read(path, &text, &length);
    if (error < 0) {
        errno = -error;
        return NULL;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

char *cb_doctor_read(const struct cb_doctor_place *place, const char *path) {
    char *whole = cb_doctor_path(place, path);
    char *text = read_whole(whole);
    int error = errno;
    free(whole);
    errno = error;
    return text;
}

bool cb_doctor_number(const struct cb_doctor_place *place, const char *path, long long *number) {
    char *text = cb_doctor_read(place, path), *end = text;
    if (text == NULL)
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    bool good = end != text && errno == 0;
    free(text);
    errno = good ? 0 : EINVAL;
    return good;
}

char *cb_doctor_field(const struct cb_doctor_place *place, const char *path, const char *key) {
    char *text = cb_doctor_read(place, path), *value = NULL;
    size_t length = strlen(key);
    if (text == NULL)
        return NULL;
    for (const char *line = text; line != NULL && value == NULL;) {
        const char *next = strchr(line, '\n');
        if (strncmp(line, key, length) == 0) {
            const char *start = line + length + strspn(line + length, " \t");
            value = cb_format("%.*s", (int)strcspn(start, "\n"), start);
        }
        line = next != NULL ? next + 1 : NULL;
    }
    free(text);
    if (value == NULL)
        errno = EINVAL;
    return value;
}

char *cb_doctor_values(const struct cb_doctor_place *place, const char *pattern) {
    char *whole = cb_doctor_path(place, pattern);
    glob_t found;
    struct cb_names names = {0};
    int error = glob(whole, 0, NULL, &found);
    free(whole);
    if (error != 0)
        return NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = read_whole(found.gl_pathv[i]);
        if (text != NULL && *text != '\0') {
            text[strcspn(text, " \t\n")] = '\0';
            cb_names_add(&names, text);
        }
        free(text);
    }
    globfree(&found);
    char *list = names.count > 0 ? cb_names_join(&names) : NULL;
    cb_names_free(&names);
    return list;
}

void cb_doctor_say(struct cb_finding *finding, enum cb_doctor_state state, const char *remedy,
                   const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    free(finding->value);
    finding->value = cb_vformat(format, arguments);
    va_end(arguments);
    finding->state = state;
    finding->remedy = state == CB_DOCTOR_NO ? NULL : remedy;
}

void cb_doctor_say_unread(struct cb_finding *finding, const char *path, const char *remedy) {
    // EINVAL is ours too: there, but not as expected.
    cb_doctor_say(finding, CB_DOCTOR_UNKNOWN, remedy, "%s %s", path,
                  errno == ENOENT   ? "is not there"
                  : errno == EINVAL ? "says something unexpected"
                                    : strerror(errno));
}

// ---- Control groups

static bool lists_controller(const char *list, size_t length, const char *controller) {
    size_t wanted = strlen(controller);
    for (const char *end = list + length; list < end;) {
        size_t one = strcspn(list, ",:");
        if (one == wanted && strncmp(list, controller, one) == 0)
            return true;
        list += one + 1;
    }
    return false;
}

// The folder of this process's group for a controller: /sys/fs/cgroup/<controller>/<group> under
// version 1, /sys/fs/cgroup/<group> under 2. A line is "number:controllers:group"; version 2's is
// "0::group" and counts only where no line of version 1 has the controller.
static char *group_folder(const char *lines, const char *controller, bool *is_v1) {
    char *folder = NULL;
    *is_v1 = false;
    for (const char *line = lines; line != NULL && !*is_v1;) {
        const char *next = strchr(line, '\n'), *list = strchr(line, ':');
        const char *group = list != NULL ? strchr(list + 1, ':') : NULL;
        if (group != NULL && (next == NULL || group < next)) {
            size_t list_length = (size_t)(group - list - 1);
            int length = (int)strcspn(group + 1, "\n");
            bool v1 = lists_controller(list + 1, list_length, controller);
            if (v1 || list_length == 0) {
                free(folder);
                folder = cb_format("/sys/fs/cgroup%s%s%.*s", v1 ? "/" : "", v1 ? controller : "",
                                   length, group + 1);
                *is_v1 = v1;
            }
        }
        line = next != NULL ? next + 1 : NULL;
    }
    return folder;
}

// The smallest over `folder` and those above it, down to "/sys/fs/cgroup[/controller]".
static double least_upwards(const struct cb_doctor_place *place, char *folder, size_t shortest,
                            const char *name, double (*read)(const char *)) {
    double least = -1;
    for (;;) {
        char *path = cb_format("%s/%s", folder, name);
        char *text = cb_doctor_read(place, path);
        double value = text != NULL ? read(text) : -1;
        if (value >= 0 && (least < 0 || value < least))
            least = value;
        free(text);
        free(path);
        char *slash = strrchr(folder, '/');
        if (slash == NULL || (size_t)(slash - folder) < shortest)
            return least;
        *slash = '\0';
    }
}

enum cb_doctor_state cb_doctor_cgroup(const struct cb_doctor_place *place, const char *controller,
                                      const char *v1, const char *v2, double (*read)(const char *),
                                      double *least) {
    char *lines = cb_doctor_read(place, "/proc/self/cgroup");
    if (lines == NULL)
        return CB_DOCTOR_UNKNOWN;
    bool is_v1;
    char *folder = group_folder(lines, controller, &is_v1);
    free(lines);
    if (folder == NULL)
        return CB_DOCTOR_UNKNOWN;
    // A container may be told of a group whose folder it cannot see.
    char *members = cb_format("%s/cgroup.procs", folder);
    char *text = cb_doctor_read(place, members);
    bool seen = text != NULL;
    free(text);
    free(members);
    size_t shortest = strlen("/sys/fs/cgroup") + (is_v1 ? 1 + strlen(controller) : 0);
    *least = seen ? least_upwards(place, folder, shortest, is_v1 ? v1 : v2, read) : -1;
    free(folder);
    return !seen ? CB_DOCTOR_UNKNOWN : *least < 0 ? CB_DOCTOR_NO : CB_DOCTOR_YES;
}
