// Comma-separated values by RFC 4180, with a header line, UTF-8, lines ended by LF.
#ifndef CB_CSV_H
#define CB_CSV_H

#include <stddef.h>
#include <stdio.h>

#include "message.h"

// ---- Writing: rows are put together in a text, so that a caller can append a whole row at once.

struct cb_csv_row {
    struct cb_text *to;
    size_t fields; // written since the last end of row
};

void cb_csv_text(struct cb_csv_row *row, const char *field); // NULL is an empty field
void cb_csv_integer(struct cb_csv_row *row, long long field);
// The shortest decimal that reads back as the same double; not a number is an empty field.
void cb_csv_number(struct cb_csv_row *row, double field);
void cb_csv_end(struct cb_csv_row *row);

// ---- Reading: the whole file at once.

struct cb_csv {
    size_t columns, rows; // rows without the header
    char **header;        // columns names
    char **fields;        // rows x columns, never NULL
    char *bytes;          // what the above point into
};

// Reads a file. 0, or -1 with a one-line reason in *problem (free it). Lines may end in LF or CRLF;
// every row must have as many fields as the header; a last line without an end is refused, as it
// is what a killed writer leaves.
int cb_csv_read(struct cb_csv *csv, const char *path, char **problem);
void cb_csv_free(struct cb_csv *csv);

// The column of that name, or -1.
int cb_csv_column(const struct cb_csv *csv, const char *name);
const char *cb_csv_field(const struct cb_csv *csv, size_t row, int column);
// The field as a number; NAN where it is empty or no number.
double cb_csv_value(const struct cb_csv *csv, size_t row, int column);

#endif
