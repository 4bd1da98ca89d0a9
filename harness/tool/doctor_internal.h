// Shared by the files of the doctor: reading below a root, and saying what was found.
#ifndef CB_DOCTOR_INTERNAL_H
#define CB_DOCTOR_INTERNAL_H

#include "doctor.h"
#include "message.h"

#define CB_DOCTOR_NOTHING "nothing can be done here"

struct cb_doctor_place {
    const char *root;
    const struct cb_doctor_facts *facts;
};

// A question, and how it is answered: `look` sets state, value and remedy by cb_doctor_say.
struct cb_doctor_check {
    const char *id;
    enum cb_doctor_kind kind;
    const char *question, *consequence;
    void (*look)(const struct cb_doctor_place *place, struct cb_finding *finding);
};

extern const struct cb_doctor_check cb_doctor_noise[], cb_doctor_limits[], cb_doctor_tools[];
extern const size_t cb_doctor_noise_count, cb_doctor_limits_count, cb_doctor_tools_count;

// The path below the root. Free it. Every look at a file goes through here.
char *cb_doctor_path(const struct cb_doctor_place *place, const char *path);
// A file's text without white space at its end. NULL where it cannot be read: then errno tells
// why. Free it.
char *cb_doctor_read(const struct cb_doctor_place *place, const char *path);
// The number a file begins with. False where it does not, or cannot be read.
bool cb_doctor_number(const struct cb_doctor_place *place, const char *path, long long *number);
// The rest of the line that begins with `key`, in a file of such lines. NULL without one. Free it.
char *cb_doctor_field(const struct cb_doctor_place *place, const char *path, const char *key);
// The different first words of all files that the glob matches, "a, b". NULL without one. Free it.
char *cb_doctor_values(const struct cb_doctor_place *place, const char *glob);

// What was found. A remedy that belongs to "no" is dropped.
void cb_doctor_say(struct cb_finding *finding, enum cb_doctor_state state, const char *remedy,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
// Unknown, as this file does not tell.
void cb_doctor_say_unread(struct cb_finding *finding, const char *path, const char *remedy);

// The smallest of a value over a control group and those above it. `controller` and the file's
// name under cgroup v1 and v2; `read` takes a file's text and gives a value, below 0 for no limit.
// A state of unknown where the groups cannot be seen; no without a limit; else yes and *least.
enum cb_doctor_state cb_doctor_cgroup(const struct cb_doctor_place *place, const char *controller,
                                      const char *v1, const char *v2, double (*read)(const char *),
                                      double *least);

#endif
