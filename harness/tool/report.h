// From a run's samples to its tables, plots and report: the seam between measuring and reporting.
#ifndef CB_REPORT_H
#define CB_REPORT_H

#include <stdio.h>

// Makes cells.csv, ratios.csv, tables/, plots/ and report.html in `run_dir`, from its run.json and
// samples.csv only; never measures. Says on `messages` what could not be made and why. Returns 0,
// or an exit status (enum cb_exit) when something is missing or could not be written.
int cb_report_run(const char *run_dir, FILE *messages);

#endif
