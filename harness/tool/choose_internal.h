// The cost model in memory: what choose_model.c reads and choose_forecast.c computes with.
#ifndef CB_CHOOSE_INTERNAL_H
#define CB_CHOOSE_INTERNAL_H

#include "choose.h"

// Switches that a program must have, and must not have.
struct cb_choose_when {
    unsigned yes, no;
};
bool cb_choose_holds(const struct cb_choose_when *when, const struct cb_program *program);

#define CB_CHOOSE_LESS 4 // cells that a point takes off

// A cell's value, so many times.
struct cb_choose_cell {
    const json_t *selector;
    double times;
};

// The value at x: (the first of the cells that there is, or the lowest, - less) / per; without
// cells 0.
struct cb_choose_point {
    double x, per;
    bool optional; // that it is missing is nothing special
    bool lowest;   // of all its cells that there are, not the first of them
    // The cells measure this program: what the other terms say of it is taken off. NULL: nothing.
    const struct cb_program *as;
    struct cb_choose_cell *cells, less[CB_CHOOSE_LESS];
    size_t count, less_count;
};

struct cb_choose_part {
    int over;       // an enum cb_input; -1: a constant
    bool log, flat; // flat: beyond the last point it stays as it was
    double least;
    struct cb_choose_when when;
    bool several;    // only where more than one coroutine is alive
    bool shared;     // where a variant lacks the cells, those of what it is a variant of do
    bool optional;   // where the run lacks the cells, the answer goes without it, and says so
    const char *has; // only of techniques with this capability; NULL: of all
    struct cb_choose_cell less; // taken off at each point that has cells; without selector: none
    struct cb_choose_point *points;
    size_t count;
};

struct cb_choose_term {
    const char *id;
    struct cb_choose_when when;
    int *counts; // enum cb_input, multiplied
    size_t count_count, part_count;
    struct cb_choose_part *parts;
};

// A program that is so, or has more of an input than that, needs one of these capabilities; without
// any, no technique can do it.
struct cb_choose_rule {
    struct cb_choose_when when;
    int over;
    double above;
    const json_t *needs, *families; // families: of these only; NULL: of all
    const char *why;
};

struct cb_choose {
    struct cb_rep *rep;
    const char *problem; // the first that is wrong with choose.json; NULL: nothing
    struct cb_choose_term *terms, bytes;
    size_t term_count;
    struct cb_choose_rule *rules;
    size_t rule_count;
    const json_t *most_live;
    double within, wanted_median, wanted_p90;
    struct cb_named_program *typical, *validation;
    size_t typical_count, validation_count;

    // Rounds drawn with replacement; in a full run whole links are.
    size_t groups;   // that a draw takes: slots, or links
    long *group;     // slot -> group
    unsigned *draws; // CB_CHOOSE_DRAWS x groups
    // Estimates of rows, the run's own and then one a draw, found by the row's address.
    struct cb_choose_drawn {
        const struct cb_rep_row *row; // NULL: free
        double *values;               // CB_CHOOSE_DRAWS + 1
    } * drawn;
    size_t drawn_room; // a power of 2
};

// Fills groups, group and draws.
void cb_choose_draw(struct cb_choose *choose);

#endif
