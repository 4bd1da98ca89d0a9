// A writer of rows and a reader of whole files, after RFC 4180.
#include "csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

static void separate(struct cb_csv_row *row) {
    if (row->fields++ > 0)
        cb_text_add_bytes(row->to, ",", 1);
}

void cb_csv_text(struct cb_csv_row *row, const char *field) {
    separate(row);
    if (field == NULL)
        return;
    if (strpbrk(field, ",\"\r\n") == NULL) {
        cb_text_add_bytes(row->to, field, strlen(field));
        return;
    }
    cb_text_add_bytes(row->to, "\"", 1);
    for (const char *c = field; *c != '\0'; c++) {
        if (*c == '"')
            cb_text_add_bytes(row->to, "\"", 1);
        cb_text_add_bytes(row->to, c, 1);
    }
    cb_text_add_bytes(row->to, "\"", 1);
}

void cb_csv_integer(struct cb_csv_row *row, long long field) {
    separate(row);
    cb_text_add(row->to, "%lld", field);
}

void cb_csv_number(struct cb_csv_row *row, double field) {
    separate(row);
    if (!isfinite(field))
        return;
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, field);
        if (strtod(text, NULL) == field)
            break;
    }
    cb_text_add_bytes(row->to, text, strlen(text));
}

void cb_csv_end(struct cb_csv_row *row) {
    cb_text_add_bytes(row->to, "\n", 1);
    row->fields = 0;
}

// Where the reader is. Fields are unquoted in place: they never grow.
struct reader {
    char *at;
    size_t line;
    const char *problem; // NULL while all is well
};

static char *quoted_field(struct reader *r) {
    char *field = r->at, *to = field;
    for (char *c = field + 1;; c++) {
        if (*c == '\0') {
            r->problem = "a quoted field has no end";
            return field;
        }
        r->line += *c == '\n';
        if (*c == '"' && c[1] == '"') {
            *to++ = '"';
            c++;
        } else if (*c == '"') {
            r->at = c + 1;
            break;
        } else {
            *to++ = *c;
        }
    }
    // The end mark may fall on the field's last byte or its closing quote, both already read.
    *to = '\0';
    if (*r->at != ',' && *r->at != '\n' && *r->at != '\r')
        r->problem = *r->at ? "text follows a closing quote" : "the last line is cut off";
    return field;
}

static char *plain_field(struct reader *r) {
    char *field = r->at;
    size_t length = strcspn(field, ",\"\r\n");
    r->at += length;
    if (*r->at == '"')
        r->problem = "a quote stands inside a plain field";
    else if (*r->at == '\0')
        r->problem = "the last line is cut off";
    return field;
}

// Reads one field and its separator. Returns the separator: ',' or '\n'.
static char next_field(struct reader *r, char **field) {
    *field = *r->at == '"' ? quoted_field(r) : plain_field(r);
    if (r->problem != NULL)
        return '\0';
    char separator = *r->at;
    *r->at++ = '\0';
    if (separator == '\r') {
        if (*r->at != '\n') {
            r->problem = "a carriage return stands without a line feed";
            return '\0';
        }
        r->at++;
        separator = '\n';
    }
    r->line += separator == '\n';
    return separator;
}

struct fields {
    char **list;
    size_t count, capacity;
};

static void add_field(struct fields *fields, char *field) {
    if (fields->count == fields->capacity) {
        fields->capacity = fields->capacity ? 2 * fields->capacity : 1024;
        fields->list = cb_resize(fields->list, fields->capacity, sizeof *fields->list);
    }
    fields->list[fields->count++] = field;
}

// Reads one row; returns how many fields it has.
static size_t next_row(struct reader *r, struct fields *fields) {
    size_t before = fields->count;
    char separator;
    do {
        char *field = NULL;
        separator = next_field(r, &field);
        add_field(fields, field);
    } while (separator == ',');
    return fields->count - before;
}

int cb_csv_read(struct cb_csv *csv, const char *path, char **problem) {
    *csv = (struct cb_csv){0};
    size_t length;
    int error = cb_file_read(path, &csv->bytes, &length);
    if (error < 0) {
        *problem = cb_format("%s: %s", path, strerror(-error));
        return -1;
    }
    struct reader r = {.at = csv->bytes, .line = 1};
    struct fields header = {0}, fields = {0};
    if (strlen(csv->bytes) != length)
        r.problem = "it holds a NUL byte";
    else if (length == 0)
        r.problem = "it has no header";
    size_t line = 1;
    if (r.problem == NULL)
        csv->columns = next_row(&r, &header);
    while (r.problem == NULL && *r.at != '\0') {
        line = r.line;
        if (next_row(&r, &fields) != csv->columns && r.problem == NULL)
            r.problem = "the row has more or fewer fields than the header";
        csv->rows++;
    }
    csv->header = header.list;
    csv->fields = fields.list;
    if (r.problem == NULL)
        return 0;
    *problem = cb_format("%s, line %zu: %s", path, line, r.problem);
    cb_csv_free(csv);
    return -1;
}

void cb_csv_free(struct cb_csv *csv) {
    free(csv->header);
    free(csv->fields);
    free(csv->bytes);
    *csv = (struct cb_csv){0};
}

int cb_csv_column(const struct cb_csv *csv, const char *name) {
    for (size_t i = 0; i < csv->columns; i++)
        if (strcmp(csv->header[i], name) == 0)
            return (int)i;
    return -1;
}

const char *cb_csv_field(const struct cb_csv *csv, size_t row, int column) {
    return csv->fields[row * csv->columns + (size_t)column];
}

double cb_csv_value(const struct cb_csv *csv, size_t row, int column) {
    const char *field = cb_csv_field(csv, row, column);
    char *end;
    double value = strtod(field, &end);
    return end == field || *end != '\0' ? (double)NAN : value;
}
