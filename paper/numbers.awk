# Reads figures.spec and writes numbers.tex and table-*.tex; see make-numbers. The files of the run
# are read first. A figure is \defnum{name}{value}{low}{high}{unit}{words}, or \nonum{name}.

# Splits a line of CSV into f[1..n]; fields may be quoted.
function csv(line, f, n, c, i, quoted, field) {
    n = 1
    field = ""
    quoted = 0
    if (line !~ /"/) return split(line, f, ",")
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "\"") {
            if (quoted && substr(line, i + 1, 1) == "\"") { field = field c; i++ } else quoted = !quoted
        } else if (c == "," && !quoted) { f[n++] = field; field = "" } else field = field c
    }
    f[n] = field
    return n
}

# Fills column[] with the places of the titles in a file's first line; 0 where there is no file.
function open(file, line, f, n, i) {
    split("", column)
    if ((getline line < file) <= 0) return 0
    n = csv(line, f)
    for (i = 1; i <= n; i++) column[f[i]] = i
    return 1
}

function load_ratios(file, line, f, key) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        # The first timed comparison says what the run compares times by.
        if (f[3] == "cycles" || f[3] == "time") { timed = f[3]; estimator = f[column["estimator"]] }
        key = f[1] SUBSEP f[2] SUBSEP f[3]
        # Targets compare some pairs a second time, with other verdicts.
        if ((key in verdict) && f[9] !~ /larger|smaller|no difference/) continue
        ratio[key] = f[4]; ratio_low[key] = f[5]; ratio_high[key] = f[6]; verdict[key] = f[9]
    }
    close(file)
}

function load_cells(file, line, f, key) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        if (!(f[1] in family)) { family[f[1]] = f[2]; backend[++backends] = f[1] }
        if (f[6] !~ /(^|;)aa=/) {
            if (!(f[3] in scenario)) { scenario[f[3]] = 1; scenarios++ }
            if (!(f[15] in seen)) { seen[f[15]] = 1; if (f[13] == "ok") cells++ }
        }
        state[f[15]] = f[13]
        key = f[15] SUBSEP f[7] SUBSEP f[16]
        if (f[13] != "ok" || f[9] == "") continue
        value[key] = f[9]; low[key] = f[10]; high[key] = f[11]; unit[key] = f[8]
    }
    close(file)
}

# Backends in the order of the run's own tables.
function load_order(file, line, f, i, n, have, order) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        if ((f[column["backend"]] in family) && !(f[column["backend"]] in have)) {
            have[f[column["backend"]]] = 1
            order[++n] = f[column["backend"]]
        }
    }
    close(file)
    for (i = 1; i <= backends; i++) if (!(backend[i] in have)) order[++n] = backend[i]
    for (i = 1; i <= backends; i++) backend[i] = order[i]
}

function load_mde(file, line, f) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        mde[f[1], f[2], f[3]] = f[5]
    }
    close(file)
}

function load_environment(file, line, f) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        fact[f[1] "." f[2]] = f[3]
    }
    close(file)
}

function load_claims(file, line, f) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        claim_source[f[2]] = f[1]; claim_says[f[2]] = f[4]; claim_verdict[f[2]] = f[5]
        claim_measured[f[2]] = f[7]; claim_why[f[2]] = f[8]
        if (!(f[1] in by_source)) { by_source[f[1]] = 1; source[++sources] = f[1] }
        claims[f[5]]++; claims[f[1], f[5]]++; claims["all"]++; claims[f[1], "all"]++
    }
    close(file)
}

function load_planted(file, line, f) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        plants++
        planted[plants] = f[column["planted"]]
        planted_low[plants] = f[column["planted_low"]]
        planted_high[plants] = f[column["planted_high"]]
        found[plants] = f[column["found"]]
        found_low[plants] = f[column["found_low"]]
        found_high[plants] = f[column["found_high"]]
        found_verdict[plants] = f[column["verdict"]]
        is_same[plants] = f[column["program"]] ~ /-same-/
    }
    close(file)
}

function load_factors(file, line, f) {
    if (!open(file)) return
    while ((getline line < file) > 0) {
        csv(line, f)
        if (f[column["scenario"]] != "yield") continue
        factor[f[1]] = f[column["ratio"]]
        factor_low[f[1]] = f[column["ratio_low"]]
        factor_high[f[1]] = f[column["ratio_high"]]
    }
    close(file)
}

# The share of predictions within the wanted error, and the errors themselves, sorted.
function load_choose(file, line, f, at, i, j, x) {
    if (!open(file)) return
    at = column["error (%)"]
    while (at && (getline line < file) > 0) {
        csv(line, f)
        if (f[at] == "") continue
        x = f[at] < 0 ? -f[at] : f[at] + 0
        for (i = ++errors; i > 1 && error[i - 1] > x; i--) error[i] = error[i - 1]
        error[i] = x
    }
    close(file)
}

function magnitude(x) { return x < 0 ? -x : x }

# Three digits, thousands apart, as the run's own tables.
function digits(x, s, sign) {
    if (x == "") return "?"
    sign = x < 0 ? "-" : ""
    x = magnitude(x)
    if (x < 9.995) return sprintf("$%s%.2f$", sign, x)
    if (x < 99.95) return sprintf("$%s%.1f$", sign, x)
    s = sprintf("%.0f", x)
    if (length(s) > 6) s = substr(s, 1, length(s) - 6) "\\," substr(s, length(s) - 5, 3) "\\," substr(s, length(s) - 2)
    else if (length(s) > 3) s = substr(s, 1, length(s) - 3) "\\," substr(s, length(s) - 2)
    return "$" sign s "$"
}

function tex(s) {
    gsub(/[\\]/, "", s)
    gsub(/[&%#_$]/, "\\\\&", s)
    return s
}

function define(name, v, l, h, u, words) {
    if (u == "ratio" || u == "count") u = "" # the text says of what
    printf "\\defnum{%s}{%s}{%s}{%s}{%s}{%s}\n", name, v, l, h, tex(u), words > numbers
}

function missing(name) { printf "\\nonum{%s}\n", name > numbers }

# "time" is what the run compares times by; facts and bytes have their medians.
function metric_of(m) {
    if (timed == "cycles" && m ~ /^(per_level|attributed)$/) return m "_cycles"
    return m == "time" ? timed : m
}
function estimator_of(m) { return m == "time" || m == "cycles" ? estimator : "median" }
function key_of(cell, m) { m = metric_of(m); return cell SUBSEP m SUBSEP estimator_of(m) }

function put_value(name, cell, m, key) {
    key = key_of(cell, m)
    if (!(key in value)) { missing(name); return }
    define(name, digits(value[key]), digits(low[key]), digits(high[key]), unit[key], tex(substr(cell, 1, index(cell, "/") - 1)))
}

function words_of(v) {
    if (v == "larger") return "dearer than"
    if (v == "smaller") return "cheaper than"
    return "not to be told apart from"
}

# A paired ratio where the run has it; else the quotient of two cells, with the widest interval
# that theirs allow.
function put_ratio(name, a, b, m, key, back, r, l, h, v, ka, kb, part, least) {
    key = a SUBSEP b SUBSEP metric_of(m)
    back = b SUBSEP a SUBSEP metric_of(m)
    v = ""
    if (key in verdict) {
        r = ratio[key]; l = ratio_low[key]; h = ratio_high[key]; v = verdict[key]
    } else if ((back in verdict) && ratio[back] > 0) {
        r = 1 / ratio[back]; l = 1 / ratio_high[back]; h = 1 / ratio_low[back]
        v = verdict[back] == "larger" ? "smaller" : verdict[back] == "smaller" ? "larger" : verdict[back]
    } else {
        ka = key_of(a, m); kb = key_of(b, m)
        if (!(ka in value) || !(kb in value) || low[kb] <= 0 || value[kb] <= 0) { missing(name); return }
        r = value[ka] / value[kb]; l = low[ka] / high[kb]; h = high[ka] / low[kb]
    }
    if (v !~ /larger|smaller|no difference/) {
        split(a, part, "/")
        least = mde[part[2], metric_of(m), estimator_of(metric_of(m))]
        v = l > 1 && r > 1 + least ? "larger" : h < 1 && r < 1 / (1 + least) ? "smaller" : "no difference"
    }
    if (fact["run.mode"] == "quick") v = "no difference"
    define(name, digits(r), digits(l), digits(h), "", words_of(v))
}

# The backend (of those that a pattern matches) with the least or most of a cell.
function put_extreme(name, most, pattern, rest, m, i, key, best, cell) {
    best = ""
    for (i = 1; i <= backends; i++) {
        key = key_of(backend[i] "/" rest, m)
        if (backend[i] !~ ("^(" pattern ")$") || !(key in value)) continue
        if (best == "" || (most ? value[key] > value[best] : value[key] < value[best])) { best = key; cell = backend[i] "/" rest }
    }
    if (best == "") missing(name)
    else put_value(name, cell, m)
}

function put_fact(name, what) {
    if (fact[what] == "") missing(name)
    else define(name, tex(fact[what]), "", "", "", "")
}

function put_count(name, what) {
    if (!(what in counted)) {
        if (!claims["all"]) { missing(name); return }
        counted[what] = claims[what]
    }
    define(name, sprintf("%d", counted[what]), "", "", "", "")
}

function put_verdict(name, id) {
    if (id in claim_verdict) define(name, claim_verdict[id], "", "", "", "")
    else missing(name)
}

function put_mde(name, s, m, key) {
    m = metric_of(m)
    if (!((s, m, estimator_of(m)) in mde)) { missing(name); return }
    define(name, sprintf("%.1f", 100 * mde[s, m, estimator_of(m)]), "", "", "\\%", "")
}

function size(x) { return x < 0 ? -x : x + 0 }

# The comparison of which the nearest to `percent` was planted; of those where nothing was, the one
# that found most.
function put_planted(name, percent, i, best, far, least) {
    for (i = 1; i <= plants; i++) {
        if (is_same[i] != (percent == 0)) continue
        far = percent == 0 ? -size(found[i]) : size(planted[i] - percent)
        if (!best || far < least) { best = i; least = far }
    }
    if (!best) { missing(name); missing(name "Is"); return }
    define(name, found[best], found_low[best], found_high[best], "\\%", tex(found_verdict[best]))
    define(name "Is", planted[best], planted_low[best], planted_high[best], "\\%", "")
}

function put_factor(name, combination) {
    if (!(combination in factor)) { missing(name); return }
    define(name, digits(factor[combination]), digits(factor_low[combination]), digits(factor_high[combination]), "", "")
}

function put_error(name, share) {
    if (!errors) { missing(name); return }
    define(name, sprintf("%.0f", error[int((errors - 1) * share) + 1]), "", "", "\\%", sprintf("%d", errors))
}

function cell_text(cell, m, key) {
    key = key_of(cell, m)
    if (key in value) return digits(value[key])
    if (state[cell] == "not-claimed") return "n/c"
    if (state[cell] == "unavailable" || state[cell] == "skipped") return "n/a"
    return "--"
}

# A table of figures.spec: a row for each backend that its pattern matches and that has any figure.
function write_table(t, file, i, j, row, any, rows, before, spec, title) {
    file = out "/table-" t ".tex"
    spec = ""
    for (j = 1; j <= columns[t]; j++) spec = spec "r"
    printf "%% Made by paper/make-numbers. Needs booktabs.\n" > file
    for (i = 1; i <= backends; i++) {
        if (backend[i] !~ ("^(" rows_of[t] ")$")) continue
        row = "\\texttt{" backend[i] "}"
        any = 0
        for (j = 1; j <= columns[t]; j++) {
            title = cell_text(backend[i] "/" cell_of[t, j], metric[t, j])
            if (title ~ /^\$/) any = 1
            row = row " & " title
        }
        if (!any) continue
        if (!rows++) {
            printf "\\begin{tabular}{@{}l%s@{}}\n\\toprule\n", spec > file
            for (j = 1; j <= columns[t]; j++) printf " & %s", title_of[t, j] > file
            printf " \\\\\n\\midrule\n" > file
        } else if (family[backend[i]] != before) printf "\\addlinespace\n" > file
        before = family[backend[i]]
        printf "%s \\\\\n", row > file
    }
    if (rows) printf "\\bottomrule\n\\end{tabular}\n" > file
    else printf "\\notmeasured\n" > file
    close(file)
}

function write_claims(file, i, v, n, order) {
    file = out "/table-claims-counts.tex"
    n = split("supported|refuted|depends|undecided|missing cell|not testable|all", order, "|")
    printf "%% Made by paper/make-numbers. Needs booktabs.\n" > file
    if (!sources) printf "\\notmeasured\n" > file
    else {
        printf "\\begin{tabular}{@{}lrrrrrrr@{}}\n\\toprule\nsource & supp. & ref. & dep. & und. & miss. & n/t & all \\\\\n\\midrule\n" > file
        for (i = 1; i <= sources; i++) {
            printf "%s", tex(source[i]) > file
            for (v = 1; v <= n; v++) printf " & %d", claims[source[i], order[v]] > file
            printf " \\\\\n" > file
        }
        printf "\\midrule\nall" > file
        for (v = 1; v <= n; v++) printf " & %d", claims[order[v]] > file
        printf " \\\\\n\\bottomrule\n\\end{tabular}\n" > file
    }
    close(file)
}

function write_shown(file, i, id, any, why) {
    file = out "/table-claims-shown.tex"
    printf "%% Made by paper/make-numbers. Needs booktabs and array.\n" > file
    for (i = 1; i <= shown; i++) {
        id = show[i]
        if (!(id in claim_verdict)) continue
        if (!any++) printf "\\begin{tabular}{@{}>{\\raggedright\\arraybackslash}p{0.50\\linewidth}l>{\\raggedright\\arraybackslash}p{0.33\\linewidth}@{}}\n\\toprule\nclaim & verdict & measured \\\\\n\\midrule\n" > file
        why = claim_why[id]
        sub(/;? *cut points.*/, "", why) # the run's own table has them
        printf "%s & %s & %s%s \\\\\n", tex(claim_says[id]), claim_verdict[id], tex(claim_measured[id]), why == "" || claim_verdict[id] !~ /depends|undecided/ ? "" : " (" tex(why) ")" > file
    }
    if (any) printf "\\bottomrule\n\\end{tabular}\n" > file
    else printf "\\notmeasured\n" > file
    close(file)
}

# The run's table of typical programs, in columns that wrap.
function write_choose(file, from, line, f, i, n, rows) {
    file = out "/table-choose.tex"
    from = run "/tables/choose-typical.csv"
    printf "%% Made by paper/make-numbers. Needs booktabs and array.\n" > file
    if ((getline line < from) <= 0) printf "\\notmeasured\n" > file
    else {
        printf "\\begin{tabular}{@{}" > file
        n = split("0.23 0.12 0.12 0.07 0.24 0.14", f, " ")
        for (i = 1; i <= n; i++) printf ">{\\raggedright\\arraybackslash}p{%s\\linewidth}", f[i] > file
        printf "@{}}\n\\toprule\n" > file
        do {
            n = csv(line, f)
            for (i = 1; i <= n; i++) printf "%s%s", (i == 1 ? "" : " & "), tex(f[i]) > file
            printf " \\\\\n%s", (rows++ ? "" : "\\midrule\n") > file
        } while ((getline line < from) > 0)
        printf "\\bottomrule\n\\end{tabular}\n" > file
    }
    close(from)
    close(file)
}

BEGIN {
    numbers = out "/numbers.tex"
    timed = "time"
    estimator = "median"
    printf "%% Made by paper/make-numbers from the files of one run.\n" > numbers
    load_ratios(run "/ratios.csv")
    load_cells(run "/cells.csv")
    load_order(run "/tables/headline.csv")
    load_mde(run "/mde.csv")
    load_environment(run "/tables/environment.csv")
    load_claims(run "/tables/claims.csv")
    load_planted(run "/planted.csv")
    load_factors(run "/factors.csv")
    load_choose(run "/tables/choose.csv")
    counted["backends"] = backends
    counted["scenarios"] = scenarios
    counted["cells"] = cells
    counted["repeats"] = repeats
    printf "\\newcommand{\\timeunit}{%s}\n", timed == "cycles" ? "cycles" : "ns" > numbers
    printf "\\newcommand{\\estimator}{%s}\n", estimator == "median" ? "median" : "lower quartile" > numbers
    printf "\\newcommand{\\bracketsare}{%s}\n", fact["run.mode"] == "quick" ? "ranges over the rounds of a quick run, which compares nothing" : "95\\,\\% intervals" > numbers
}

/^#/ || NF == 0 { next }
$1 == "value" { put_value($2, $3, $4); next }
$1 == "ratio" { put_ratio($2, $3, $4, $5 == "" ? "time" : $5); next }
$1 == "least" || $1 == "most" { put_extreme($2, $1 == "most", $3, $4, $5); next }
$1 == "fact" { put_fact($2, $3); next }
$1 == "count" { what = $3; for (i = 4; i <= NF; i++) what = what " " $i; put_count($2, what); next }
$1 == "verdict" { put_verdict($2, $3); next }
$1 == "mde" { put_mde($2, $3, $4); next }
$1 == "planted" { put_planted($2, $3); next }
$1 == "factor" { put_factor($2, $3); next }
$1 == "error" { put_error($2, $3); next }
$1 == "table" { rows_of[$2] = $3; table[++tables] = $2; next }
$1 == "column" {
    j = ++columns[$2]
    cell_of[$2, j] = $3
    metric[$2, j] = $4
    title = $5
    for (i = 6; i <= NF; i++) title = title " " $i
    title_of[$2, j] = title
    next
}
$1 == "claim" { show[++shown] = $2; next }
{
    printf "make-numbers: figures.spec, line %d: no kind of figure is called %s\n", NR, $1 > "/dev/stderr"
    failed = 2
    exit
}

END {
    if (failed) exit failed
    for (t = 1; t <= tables; t++) write_table(table[t])
    write_claims()
    write_shown()
    write_choose()
}
