// corobench count: exact instructions an operation, from the difference of two counted runs.
//
// Valgrind executes a program on a processor of its own making and knows how many instructions it
// executed. Two runs of a bench program's --count differ in the operations only, so the difference
// of their totals is that of the operations, exactly; a third run proves that it is a line. Where
// an operation's work hangs on what the ones before it left behind (a search in a pool), the line
// is one to four digits, and no more are given.
#ifndef CB_COUNT_H
#define CB_COUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "programs.h"

enum { CB_TALLY_RUNS = 3 };

// What was counted of a cell. Kept without pointers: it travels through a pipe.
struct cb_tally {
    enum cb_cell_status status;
    uint64_t n[CB_TALLY_RUNS];     // operations of each run
    uint64_t total[CB_TALLY_RUNS]; // instructions of each run; 0: it was not counted
    double instructions;           // an operation; where status is ok
    char note[512];                // why it is not ok
};

// The program that counts.
struct cb_counter {
    char *path; // of valgrind
    char *tool; // "cachegrind-3.19.0": what counted, for files
};

// ---- Counting one cell (count_cell.c)

// Looks for valgrind. 0, or CB_EXIT_USAGE after a message. Free by cb_counter_free.
int cb_counter_find(struct cb_counter *counter);
void cb_counter_free(struct cb_counter *counter);

// Counts a cell that is planned ok; logs go to a file of `folder` with this number, and are removed
// again. tally->status is ok, failed (not linear to four digits, too), timeout, or what the program
// says.
void cb_tally_cell(struct cb_tally *tally, const struct cb_counter *counter,
                   const struct cb_program *program, const struct cb_cell *cell, const char *folder,
                   unsigned number);

// The total in a log of cachegrind. False where there is none.
bool cb_tally_read_total(const char *log, uint64_t *total);
// The smallest number of operations after which a cell may be expected to repeat itself: the least
// common multiple of 4096 (scenarios work on arrays of such a length) and all numbers in its
// params. 0 where that is more than four millions.
uint64_t cb_tally_period(const char *params);
// Works out instructions or, where the three totals are not on a line, what is wrong.
void cb_tally_finish(struct cb_tally *tally);

// ---- Counting many (count_jobs.c)

// Counts the cells whose tally is ok, `jobs` at a time, each by the program that stands at the same
// place in `programs`. Returns the signal that asked to stop, or 0.
int cb_tally_all(struct cb_tally *tallies, const struct cb_counter *counter,
                 const struct cb_program *const *programs, const struct cb_plan *plan,
                 unsigned jobs);

// ---- Which cells (count_choice.c)

struct cb_tally_choice {
    struct cb_globs backends, scenarios, bindings, compilers, params;
};

// The cells of kind time that match; where neither a scenario nor a binding nor params are asked
// for, only those of headline.json. 0, or CB_EXIT_USAGE after a message.
int cb_tally_plan(struct cb_plan *plan, const struct cb_programs *programs,
                  const struct cb_tally_choice *choice);
// Leaves only the cells that run.json (`record`) has.
void cb_tally_plan_of_run(struct cb_plan *plan, const json_t *record);
// The program that measures a cell, or NULL.
const struct cb_program *cb_tally_program(const struct cb_programs *programs,
                                          const struct cb_cell *cell);
// What is known without counting: a cell that is not planned ok, and a program whose threads
// Valgrind would not run as they are.
void cb_tally_begin(struct cb_tally *tally, const struct cb_cell *cell,
                    const struct cb_program *program);

// ---- What comes out (count_output.c)

void cb_tally_print(const struct cb_tally *tallies, const struct cb_counter *counter,
                    const struct cb_plan *plan);
// The same as JSON, with all totals. 0, or CB_EXIT_USAGE after a message.
int cb_tally_print_json(const struct cb_tally *tallies, const struct cb_counter *counter,
                        const struct cb_plan *plan);
// Puts what was counted into DIR/counts.csv: cell_id,instructions,n1,n2,tool. Rows of other cells
// that are there stay. 0, or CB_EXIT_USAGE after a message.
int cb_tally_write_csv(const char *folder, const struct cb_tally *tallies,
                       const struct cb_counter *counter, const struct cb_plan *plan);

#endif
