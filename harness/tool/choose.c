// `corobench choose`: which technique to use for a program that is described by a few counts.
#include "choose.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct cb_option options[] = {
    {"live", "N", "coroutines alive at once; 1 without it"},
    {"yields", "N", "yields in a life; 1 without it"},
    {"depth", "N", "live frames at a yield; 1: the body itself yields"},
    {"calls", "N", "coroutine calls in a life; one for each frame below the first without it"},
    {"frame", "BYTES", "alive across a yield in each frame; 32 without it"},
    {"peak", "BYTES", "of stack used and no longer needed at a yield, also by C code; 0"},
    {"c-calls", "N", "plain C calls that a body makes for each yield; 0"},
    {"updates", "N", "times for each yield that a body changes another variable of its frame; 0"},
    {"crossed", "N", "returns in a life into what another coroutine's run came between; 0"},
    {"random", NULL, "coroutines are resumed in any order, not that of memory"},
    {"nested", NULL, "a coroutine resumes the next one, that one the next, as in a pipeline"},
    {"irregular", NULL,
     "at each yield other frames are alive, at other places: hardly twice alike"},
    {"foldable", NULL, "a generator beside its loop: the compiler may see both"},
    {"recursion", NULL, "a body calls itself, to a depth not known beforehand"},
    {"deep-yield", NULL, "plain C called by a body yields"},
    {"no-alloc", NULL, "no allocation: a coroutine lives in its user's storage"},
    {"threads", NULL, "a coroutine may be resumed by another thread than before"},
    {"run", "DIR", "the run that is asked; results/latest without it"},
    {"compiler", "NAME", "of this compiler's cells; the one that measured most without it"},
    {"json", NULL, "print JSON"},
    {"markdown", NULL, "print Markdown"},
    {NULL, NULL, NULL}};

// The option of an input: "c-calls" for "c_calls".
static int read_input(const struct cb_given *given, const char *option, double least,
                      double *value) {
    const char *text = cb_given_value(given, option);
    if (!text)
        return 0;
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(number) || number < least || number > 1e12) {
        cb_error(stderr, "--%s %s: not a number from %g to 1e12\nnothing is predicted", option,
                 text, least);
        return CB_EXIT_USAGE;
    }
    *value = number;
    return 0;
}

static int read_program(const struct cb_given *given, struct cb_program *program) {
    static const struct {
        const char *option;
        enum cb_input input;
        double least;
    } inputs[] = {
        {"live", CB_LIVE, 1},       {"yields", CB_YIELDS, 0},   {"depth", CB_DEPTH, 1},
        {"calls", CB_CALLS, 0},     {"frame", CB_FRAME, 0},     {"peak", CB_PEAK, 0},
        {"c-calls", CB_C_CALLS, 0}, {"updates", CB_UPDATES, 0}, {"crossed", CB_CROSSED, 0}};
    int status = 0;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs && status == 0; i++)
        status =
            read_input(given, inputs[i].option, inputs[i].least, &program->in[inputs[i].input]);
    for (unsigned i = 0; cb_choose_switches[i]; i++)
        if (cb_given_has(given, cb_choose_switches[i]))
            program->switches |= 1U << i;
    cb_program_complete(program, cb_given_has(given, "calls"));
    return status;
}

static int run(const struct cb_given *given) {
    struct cb_program program = cb_program_plain();
    const char *dir = cb_given_value(given, "run");
    bool json = cb_given_has(given, "json"), markdown = cb_given_has(given, "markdown");
    if (json && markdown) {
        cb_error(stderr, "choose: --json and --markdown do not go together\n"
                         "nothing is predicted\nask for one of them");
        return CB_EXIT_USAGE;
    }
    int status = read_program(given, &program);
    if (status)
        return status;
    return cb_choose_print(dir ? dir : "results/latest", &program,
                           cb_given_value(given, "compiler"),
                           json       ? CB_CHOOSE_JSON
                           : markdown ? CB_CHOOSE_MARKDOWN
                                      : CB_CHOOSE_TEXT,
                           stdout, stderr);
}

const struct cb_command cb_command_choose = {
    .name = "choose",
    .words = NULL,
    .least = 0,
    .most = 0,
    .summary = "say which technique a program should use, and what it will cost",
    .details =
        "\nPredicts the time and the memory of one life of a coroutine, and of all that are "
        "alive,\n"
        "from the cells of a run: set-up, yields by depth and by how many are alive, calls, "
        "bytes.\n"
        "A technique that cannot do what is asked is named with the reason. Of a program's own\n"
        "work only --updates and --c-calls are counted. `corobench report` tries the model on\n"
        "programs that were measured, in tables/choose.md.\n\n"
        "Exit status 1: no technique that was measured is known to do this.\n\n"
        "  corobench choose --live 100000 --yields 20 --frame 512 --random\n"
        "  corobench choose --yields 1000 --foldable\n"
        "  corobench choose --depth 16 --calls 1000 --yields 1000 --recursion",
    .options = options,
    .run = run};
