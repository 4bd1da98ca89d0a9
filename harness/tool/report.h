// From a run's samples to its tables, plots and report: the seam between measuring and reporting.
#ifndef CB_REPORT_H
#define CB_REPORT_H

#include <stdio.h>

// Makes cells.csv, ratios.csv, mde.csv, tables/, plots/ and report.html in `run_dir`, from its
// run.json, samples.csv (or samples-condensed.csv, see below), counts.csv where it is there, and
// the repeated-run set of this machine (see cb_report_repeat); never measures. The same input gives
// the same bytes. Says on `messages` what could not be made and why. Returns 0, or an exit status
// (enum cb_exit): 1 where all but the plots could be made (no gnuplot), 2 where there is no report.
int cb_report_run(const char *run_dir, FILE *messages);

// `corobench report DIR --readme FILE`: replaces what stands between the lines
//   <!-- headline:begin -->  and  <!-- headline:end -->
// of `readme` by the headline table and plot of `run_dir`, whose report must have been made. Links
// to the run's files are relative to the README's folder. Returns 0 or CB_EXIT_USAGE.
int cb_report_readme(const char *run_dir, const char *readme, FILE *messages);

// The text that cb_report_readme puts in, for a test that holds a README against its run. Free
// *block. Returns 0 or CB_EXIT_USAGE.
int cb_report_readme_block(const char *run_dir, const char *readme, char **block, FILE *messages);

// `corobench report DIR --reference results/reference`: writes the run in condensed form to
// root/<machine>/, <machine> being machine.id of run.json: run.json without line breaks,
// samples-condensed.csv (one value a process, all processes of a cell and metric in one line),
// counts.csv, cells.csv, ratios.csv, mde.csv, tables and plots. cb_report_run on that folder gives
// the same estimates. Replaces what stood there, but for the repeated-run set. Returns 0 or an exit
// status (enum cb_exit).
int cb_report_reference(const char *run_dir, const char *root, FILE *messages);

// `corobench report DIR --aa results/reference`: condenses a default run to estimates only and puts
// them into root/<machine>/aa/<run>.csv, the repeated-run set. A report reads the set in its own
// folder, or in ../reference/<machine>/aa: runs of the same programs on the same machine, so what
// differs between them is chance. Returns 0 or CB_EXIT_USAGE.
int cb_report_repeat(const char *run_dir, const char *root, FILE *messages);

#endif
