// One table, rendered as Markdown, LaTeX (booktabs), CSV and HTML from the same entries.
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "file.h"

#define NO_BREAK_SPACE "\u00a0"

struct cb_rep_table *cb_rep_table_new(struct cb_rep *rep, const char *id, const char *title,
                                      const char *caption) {
    if (rep->table_count == rep->table_room) {
        rep->table_room = rep->table_room ? 2 * rep->table_room : 32;
        rep->tables = cb_resize(rep->tables, rep->table_room, sizeof(struct cb_rep_table *));
    }
    struct cb_rep_table *table = cb_rep_memory(rep, 1, sizeof *table);
    *table = (struct cb_rep_table){
        .id = id, .title = title, .caption = caption, .lead = "group", .empty = "None."};
    return rep->tables[rep->table_count++] = table;
}

// Arrays that grow are copied into new memory of the report; tables are small.
void cb_rep_table_column(struct cb_rep *rep, struct cb_rep_table *table, const char *title,
                         const char *unit, bool number) {
    struct cb_rep_column *columns = cb_rep_memory(rep, table->column_count + 1, sizeof *columns);
    for (size_t i = 0; i < table->column_count; i++)
        columns[i] = table->columns[i];
    columns[table->column_count++] = (struct cb_rep_column){title, unit, number, 0};
    table->columns = columns;
}

struct cb_rep_entry *cb_rep_table_row(struct cb_rep *rep, struct cb_rep_table *table,
                                      const char *group) {
    size_t width = table->column_count;
    if (table->row_count == table->row_room) {
        size_t room = table->row_room ? 2 * table->row_room : 16;
        struct cb_rep_entry *entries = cb_rep_memory(rep, room * width, sizeof *entries);
        const char **groups = cb_rep_memory(rep, room, sizeof *groups);
        for (size_t i = 0; i < table->row_count * width; i++)
            entries[i] = table->entries[i];
        for (size_t i = 0; i < table->row_count; i++)
            groups[i] = table->groups[i];
        table->entries = entries;
        table->groups = groups;
        table->row_room = room;
    }
    struct cb_rep_entry *row = table->entries + table->row_count * width;
    for (size_t i = 0; i < width; i++)
        row[i] = (struct cb_rep_entry){.text = "", .value = NAN, .low = NAN, .high = NAN};
    table->groups[table->row_count++] = group;
    return row;
}

// ---- What the renderers share -------------------------------------------------------------------

static bool opens_group(const struct cb_rep_table *table, size_t row) {
    return *table->groups[row] &&
           (row == 0 || strcmp(table->groups[row], table->groups[row - 1]) != 0);
}

// The footnotes of a table, each text once; an entry's number is its place from 1.
struct notes {
    const char **texts;
    size_t count;
};

static struct notes collect_notes(struct cb_rep *rep, const struct cb_rep_table *table) {
    struct notes notes = {0};
    size_t entries = table->row_count * table->column_count;
    notes.texts = cb_rep_memory(rep, entries, sizeof *notes.texts);
    for (size_t i = 0; i < entries; i++) {
        const char *note = table->entries[i].footnote;
        size_t at = 0;
        while (note && at < notes.count && strcmp(notes.texts[at], note) != 0)
            at++;
        if (note && at == notes.count)
            notes.texts[notes.count++] = note;
    }
    return notes;
}

static size_t note_number(const struct notes *notes, const char *note) {
    size_t at = 0;
    while (at < notes->count && strcmp(notes->texts[at], note) != 0)
        at++;
    return at + 1;
}

static bool has_range(const struct cb_rep_entry *entry) {
    return !isnan(entry->low) && !isnan(entry->high) && entry->low != entry->high;
}

// "2.41" and "[2.38, 2.47]", with thousands kept apart by `space`.
static const char *value_text(struct cb_rep *rep, const struct cb_rep_entry *entry,
                              const char *space) {
    return cb_rep_number(rep, entry->value, entry->value, space);
}

static const char *range_text(struct cb_rep *rep, const struct cb_rep_entry *entry,
                              const char *space) {
    if (!has_range(entry))
        return "";
    return cb_rep_text(rep, "[%s, %s]", cb_rep_number(rep, entry->low, entry->value, space),
                       cb_rep_number(rep, entry->high, entry->value, space));
}

static const char *heading(struct cb_rep *rep, const struct cb_rep_column *column) {
    return *column->unit ? cb_rep_text(rep, "%s (%s)", column->title, column->unit) : column->title;
}

// ---- Markdown -----------------------------------------------------------------------------------

static void markdown_text(struct cb_text *to, const char *text) {
    for (; *text; text++)
        cb_text_add(to, *text == '|' || *text == '<' ? "\\%c" : "%c", *text);
}

static void markdown(struct cb_rep *rep, const struct cb_rep_table *table, struct cb_text *to) {
    struct notes notes = collect_notes(rep, table);
    cb_text_add(to, "### %s\n\n", table->title);
    if (table->row_count == 0) {
        cb_text_add(to, "%s\n", table->empty);
        return;
    }
    for (size_t c = 0; c < table->column_count; c++) {
        cb_text_add(to, "| ");
        markdown_text(to, heading(rep, &table->columns[c]));
        cb_text_add(to, " ");
    }
    cb_text_add(to, "|\n");
    for (size_t c = 0; c < table->column_count; c++)
        cb_text_add(to, table->columns[c].number ? "|---:" : "|---");
    cb_text_add(to, "|\n");
    for (size_t r = 0; r < table->row_count; r++) {
        if (opens_group(table, r)) {
            cb_text_add(to, "| **");
            markdown_text(to, table->groups[r]);
            cb_text_add(to, "** ");
            for (size_t c = 1; c < table->column_count; c++)
                cb_text_add(to, "| ");
            cb_text_add(to, "|\n");
        }
        for (size_t c = 0; c < table->column_count; c++) {
            const struct cb_rep_entry *entry = &table->entries[r * table->column_count + c];
            cb_text_add(to, "| ");
            if (entry->text) {
                markdown_text(to, entry->text);
            } else {
                const char *range = range_text(rep, entry, NO_BREAK_SPACE);
                cb_text_add(to, "%s%s%s", value_text(rep, entry, NO_BREAK_SPACE), *range ? " " : "",
                            range);
            }
            if (entry->mark && *entry->mark)
                cb_text_add(to, " %s", entry->mark);
            if (entry->footnote)
                cb_text_add(to, " (%zu)", note_number(&notes, entry->footnote));
            cb_text_add(to, " ");
        }
        cb_text_add(to, "|\n");
    }
    if (*table->caption) {
        cb_text_add(to, "\n");
        markdown_text(to, table->caption);
        cb_text_add(to, "\n");
    }
    for (size_t i = 0; i < notes.count; i++) {
        cb_text_add(to, "%s(%zu) ", i ? "  \n" : "\n", i + 1);
        markdown_text(to, notes.texts[i]);
    }
    if (notes.count)
        cb_text_add(to, "\n");
}

// ---- LaTeX --------------------------------------------------------------------------------------

static void latex_text(struct cb_text *to, const char *text) {
    static const char special[] = "&%$#_{}";
    for (; *text; text++) {
        if (*text == '\\' || *text == '~' || *text == '^')
            cb_text_add(to, *text == '\\'  ? "\\textbackslash{}"
                            : *text == '~' ? "\\textasciitilde{}"
                                           : "\\textasciicircum{}");
        else if (*text == '<' || *text == '>' || *text == '|')
            cb_text_add(to, "$%s$", *text == '<' ? "<" : *text == '>' ? ">" : "\\vert");
        else
            cb_text_add(to, strchr(special, *text) ? "\\%c" : "%c", *text);
    }
}

static void latex_row(struct cb_rep *rep, const struct cb_rep_table *table, size_t r,
                      const struct notes *notes, struct cb_text *to) {
    if (opens_group(table, r)) {
        cb_text_add(to, "%s\\multicolumn{%zu}{l}{\\emph{", r ? "\\addlinespace\n" : "",
                    table->column_count);
        latex_text(to, table->groups[r]);
        cb_text_add(to, "}} \\\\\n");
    }
    for (size_t c = 0; c < table->column_count; c++) {
        const struct cb_rep_entry *entry = &table->entries[r * table->column_count + c];
        cb_text_add(to, "%s", c ? " & " : "");
        if (entry->text) {
            latex_text(to, entry->text);
        } else {
            const char *range = range_text(rep, entry, "\\,");
            cb_text_add(to, "$%s$", value_text(rep, entry, "\\,"));
            if (*range)
                cb_text_add(to, " {\\scriptsize $%s$}", range);
        }
        if (entry->mark && *entry->mark) {
            cb_text_add(to, " ");
            latex_text(to, entry->mark);
        }
        if (entry->footnote)
            cb_text_add(to, "$^{%zu}$", note_number(notes, entry->footnote));
    }
    cb_text_add(to, " \\\\\n");
}

static void latex(struct cb_rep *rep, const struct cb_rep_table *table, struct cb_text *to) {
    struct notes notes = collect_notes(rep, table);
    const char *environment = table->wide ? "longtable" : "tabular";
    bool wraps = false;
    for (size_t c = 0; c < table->column_count; c++)
        wraps |= table->columns[c].share > 0;
    cb_text_add(to, "%% %s. Needs booktabs%s%s.\n\\begin{%s}{@{}", table->title,
                wraps ? ", array" : "", table->wide ? " and longtable" : "", environment);
    for (size_t c = 0; c < table->column_count; c++) {
        if (table->columns[c].share > 0)
            cb_text_add(to, ">{\\raggedright\\arraybackslash}p{%.2f\\linewidth}",
                        table->columns[c].share);
        else
            cb_text_add(to, table->columns[c].number ? "r" : "l");
    }
    cb_text_add(to, "@{}}\n\\toprule\n");
    for (size_t c = 0; c < table->column_count; c++) {
        cb_text_add(to, "%s", c ? " & " : "");
        latex_text(to, heading(rep, &table->columns[c]));
    }
    cb_text_add(to, " \\\\\n\\midrule\n%s", table->wide ? "\\endhead\n" : "");
    for (size_t r = 0; r < table->row_count; r++)
        latex_row(rep, table, r, &notes, to);
    cb_text_add(to, "\\bottomrule\n");
    for (size_t i = 0; i < notes.count; i++) {
        cb_text_add(to, "\\multicolumn{%zu}{@{}l}{\\footnotesize $^{%zu}$ ", table->column_count,
                    i + 1);
        latex_text(to, notes.texts[i]);
        cb_text_add(to, "} \\\\\n");
    }
    cb_text_add(to, "\\end{%s}\n", environment);
}

// ---- CSV ----------------------------------------------------------------------------------------

static void csv_number(struct cb_csv_row *to, double value) {
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    cb_csv_text(to, isnan(value) ? NULL : text);
}

static void csv(struct cb_rep *rep, const struct cb_rep_table *table, struct cb_text *text) {
    struct cb_csv_row to = {.to = text};
    bool grouped = table->row_count && *table->groups[0];
    if (grouped)
        cb_csv_text(&to, table->lead);
    for (size_t c = 0; c < table->column_count; c++) {
        const struct cb_rep_column *column = &table->columns[c];
        cb_csv_text(&to, heading(rep, column));
        if (column->number) {
            cb_csv_text(&to, cb_rep_text(rep, "%s low", column->title));
            cb_csv_text(&to, cb_rep_text(rep, "%s high", column->title));
            cb_csv_text(&to, cb_rep_text(rep, "%s note", column->title));
        }
    }
    cb_csv_end(&to);
    for (size_t r = 0; r < table->row_count; r++) {
        if (grouped)
            cb_csv_text(&to, table->groups[r]);
        for (size_t c = 0; c < table->column_count; c++) {
            const struct cb_rep_entry *entry = &table->entries[r * table->column_count + c];
            if (!table->columns[c].number) {
                cb_csv_text(&to, entry->text);
                continue;
            }
            csv_number(&to, entry->value);
            csv_number(&to, entry->low);
            csv_number(&to, entry->high);
            const char *parts[] = {entry->text, entry->mark, entry->footnote};
            struct cb_text note = {0};
            for (int i = 0; i < 3; i++)
                if (parts[i] && *parts[i])
                    cb_text_add(&note, "%s%s", note.length ? ": " : "", parts[i]);
            cb_csv_text(&to, note.text);
            cb_text_clear(&note);
        }
        cb_csv_end(&to);
    }
}

// ---- HTML ---------------------------------------------------------------------------------------

void cb_rep_html(struct cb_text *to, const char *text) {
    for (; *text; text++) {
        const char *escaped = *text == '<'   ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '&' ? "&amp;"
                              : *text == '"' ? "&quot;"
                                             : NULL;
        if (escaped)
            cb_text_add(to, "%s", escaped);
        else
            cb_text_add_bytes(to, text, 1);
    }
}

static void html_entry(struct cb_rep *rep, const struct cb_rep_entry *entry,
                       const struct notes *notes, struct cb_text *to) {
    if (entry->text) {
        cb_rep_html(to, entry->text);
    } else {
        const char *range = range_text(rep, entry, NO_BREAK_SPACE);
        long cell = entry->cell ? cb_rep_history_place(rep, entry->cell) : -1;
        const char *value = value_text(rep, entry, NO_BREAK_SPACE);
        if (cell >= 0)
            cb_text_add(to, "<a href=\"#history\" data-c=\"%ld\">%s</a>", cell, value);
        else
            cb_text_add(to, "%s", value);
        if (*range)
            cb_text_add(to, " <small>%s</small>", range);
    }
    if (entry->mark && *entry->mark) {
        cb_text_add(to, " <em>");
        cb_rep_html(to, entry->mark);
        cb_text_add(to, "</em>");
    }
    if (entry->footnote)
        cb_text_add(to, "<sup>%zu</sup>", note_number(notes, entry->footnote));
}

void cb_rep_table_html(struct cb_rep *rep, const struct cb_rep_table *table, struct cb_text *to) {
    struct notes notes = collect_notes(rep, table);
    cb_text_add(to, "<div class=\"scroll\"><table id=\"%s\">\n<thead><tr>", table->id);
    for (size_t c = 0; c < table->column_count; c++) {
        cb_text_add(to, "<th%s>", table->columns[c].number ? " class=\"n\"" : "");
        cb_rep_html(to, heading(rep, &table->columns[c]));
        cb_text_add(to, "</th>");
    }
    cb_text_add(to, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < table->row_count; r++) {
        if (opens_group(table, r)) {
            cb_text_add(to, "<tr class=\"g\"><th colspan=\"%zu\">", table->column_count);
            cb_rep_html(to, table->groups[r]);
            cb_text_add(to, "</th></tr>\n");
        }
        cb_text_add(to, "<tr>");
        for (size_t c = 0; c < table->column_count; c++) {
            const struct cb_rep_entry *entry = &table->entries[r * table->column_count + c];
            cb_text_add(to, "<td%s", table->columns[c].number ? " class=\"n\"" : "");
            if (!entry->text && !isnan(entry->value))
                cb_text_add(to, " data-v=\"%.9g\"", entry->value);
            cb_text_add(to, ">");
            html_entry(rep, entry, &notes, to);
            cb_text_add(to, "</td>");
        }
        cb_text_add(to, "</tr>\n");
    }
    cb_text_add(to, "</tbody></table></div>\n");
    if (*table->caption) {
        cb_text_add(to, "<p class=\"note\">");
        cb_rep_html(to, table->caption);
        cb_text_add(to, "</p>\n");
    }
    if (notes.count)
        cb_text_add(to, "<ol class=\"note\">\n");
    for (size_t i = 0; i < notes.count; i++) {
        cb_text_add(to, "<li>");
        cb_rep_html(to, notes.texts[i]);
        cb_text_add(to, "</li>\n");
    }
    if (notes.count)
        cb_text_add(to, "</ol>\n");
}

// ---- Files --------------------------------------------------------------------------------------

int cb_rep_table_write(struct cb_rep *rep, const struct cb_rep_table *table) {
    static const struct {
        const char *ending;
        void (*render)(struct cb_rep *, const struct cb_rep_table *, struct cb_text *);
    } formats[] = {{"md", markdown}, {"tex", latex}, {"csv", csv}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct cb_text text = {0};
        formats[i].render(rep, table, &text);
        int status = cb_rep_write(
            rep, cb_rep_text(rep, "tables/%s.%s", table->id, formats[i].ending), &text);
        cb_text_clear(&text);
        if (status)
            return status;
    }
    return 0;
}
