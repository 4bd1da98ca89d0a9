#!/bin/sh
# The paper: its figures come from a run's files and nowhere else, the same ones each time; what a
# run does not have is "not measured"; words follow verdicts; and LaTeX makes a PDF of it where there
# is latexmk. Prints TAP.
# shellcheck disable=SC2016 # dollars of TeX
set -u

source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp -R "$source/paper" "$work/paper"
cd "$work" || exit 1
text=paper/paper.tex

# shellcheck source=tests/e2e/tap.sh
. "$source/tests/e2e/tap.sh"

# What the text quotes: the names in \val{...} and its like, in the part after \begin{document}.
quoted() {
    sed -n '/^\\begin{document}/,$p' "$text" |
        grep -oE '\\(val|unitval|ival|cmp|who)\{[A-Za-z]+\}' | sed 's/.*{//; s/}//' | sort -u
}
defined() { # FOLDER
    sed -n 's/^\\\(defnum\|nonum\){\([A-Za-z]*\)}.*/\2/p' "$1/numbers.tex" | sort
}
figure() { # FOLDER NAME
    grep -F "{$2}" "$1/numbers.tex" | head -n 1
}

# Lines with a figure that nobody measured here, nor published elsewhere, nor chose.
typed_by_hand() { # FILE
    sed -n '/^\\begin{document}/,$p' "$1" | awk '
        /\\begin\{(lstlisting|tikzpicture)\}/ { skip = 1 }
        /\\end\{(lstlisting|tikzpicture)\}/ { skip = 0; next }
        skip { next }
        {
            line = $0
            sub(/^%.*/, "", line)
            sub(/[^\\]%.*/, "", line)
            gsub(/\\(published|param)\{[^{}]*\}/, "", line)
            gsub(/[0-9.]+\\(textwidth|textheight|columnwidth|linewidth)/, "", line)
            gsub(/\{[0-9.]+(pt|mm|em)\}/, "", line)
            unit = "(ns|us|ms|cycles?|B|KiB|MiB|GiB|bytes?|\\\\%|times|x|-?fold)"
            if (line ~ ("[0-9]( |~|\\\\,)*" unit "([^A-Za-z]|$)") || line ~ /[0-9]\.[0-9]/) print $0
        }'
}
nothing_typed() {
    typed_by_hand "$1" >typed.txt
    if [ -s typed.txt ]; then
        cat typed.txt
        return 1
    fi
}
found_typed() { # SENTENCE: is it seen when it is added?
    sed '/^\\maketitle/q' "$text" >hand.tex
    printf '%s\n' "$1" >>hand.tex
    ! nothing_typed hand.tex
}

all_defined() { # FOLDER
    quoted >quoted.txt
    defined "$1" >defined.txt
    [ -s quoted.txt ] || return 1
    comm -23 quoted.txt defined.txt >missing.txt
    sed 's/^/quoted, but not in figures.spec: /' missing.txt
    [ ! -s missing.txt ]
}
all_quoted() {
    quoted >quoted.txt
    awk '/^(value|ratio|least|most|fact|count|mde|planted|factor|error|verdict) / { print $2 }' \
        paper/figures.spec | sort >named.txt
    sort named.txt | uniq -d | sed 's/^/there twice: /'
    comm -13 quoted.txt named.txt | sed 's/^/in figures.spec, but not quoted: /' >unused.txt
    cat unused.txt
    [ ! -s unused.txt ] && [ -z "$(uniq -d named.txt)" ]
}
all_cited() {
    grep -oE '\\citep?\{[^}]*\}' "$text" | sed 's/.*{//; s/}//' | tr ',' '\n' | sort -u >cited.txt
    sed -n 's/^@[a-z]*{\([^,]*\),.*/\1/p' paper/refs.bib | sort >known.txt
    diff cited.txt known.txt
}

# The amount nearest to a quarter, as planted.csv has it.
planted_is_quoted() { # REFERENCE, FOLDER
    nearest=$(awk -F , 'NR > 1 && $1 !~ /-same-/ { d = $4 > 25 ? $4 - 25 : 25 - $4
        if (best == "" || d < least) { best = $4; least = d } } END { print best }' "$1/planted.csv")
    grep -F "\\defnum{PlantedLargeIs}{$nearest}" "$2/numbers.tex" && return 0
    echo "not $nearest:" && grep PlantedLargeIs "$2/numbers.tex"
    return 1
}

for reference in "$source"/results/reference/*-*-kvm; do
    machine=$(basename "$reference")
    check "$machine: figures are made" paper/make-numbers "$reference" one
    paper/make-numbers "$reference" two
    check "$machine: the same bytes again" diff -r one two
    check "$machine: every figure in the text is defined" all_defined one
    [ ! -e "$reference/planted.csv" ] ||
        check "$machine: planted slowdowns are quoted" planted_is_quoted "$reference" one
    check "$machine: something is measured" grep -q '^\\defnum{YieldSmall}{\$[0-9]' one/numbers.tex
done
check "every figure of figures.spec is quoted" all_quoted
check "every citation has an entry, and the other way round" all_cited

check "no figure is typed by hand" nothing_typed "$text"
for sentence in 'A switch costs 2\,ns.' 'It is 30 times as dear.' 'About $12$ is 12~cycles.' \
    'It takes 4096 bytes.' 'The ratio is 1.3 here.' 'A share of 7\,\%.'; do
    check "typed by hand is seen: $sentence" found_typed "$sentence"
done

# A run with nothing in it: all figures are missing, and no table fails.
mkdir empty
head -n 1 "$reference/cells.csv" >empty/cells.csv
nothing_measured() {
    paper/make-numbers empty none || return 1
    all_defined none || return 1
    grep -E '^\\defnum\{(Yield|Setup|Call|Bytes|Fold|Claims)' none/numbers.tex && return 1
    [ "$(grep -c '^\\nonum' none/numbers.tex)" -gt 50 ] || return 1
    for table in none/table-*.tex; do
        grep -q notmeasured "$table" || {
            echo "$table says nothing of it"
            return 1
        }
    done
}
check "what a run does not have is not measured" nothing_measured

# A run of two backends, made up: figures are those of its files, words those of its verdicts.
mkdir -p made/tables
cat >made/cells.csv <<'CSV'
backend,family,scenario,binding,compiler,params,metric,unit,estimate,ci_low,ci_high,rounds,status,note,cell_id,estimator,flags
fiber-small,fiber,yield,opaque,gcc,depth=1,time,ns,7.5,7.25,7.75,12,ok,,fiber-small/yield/opaque/gcc/depth=1,median,
fiber-ret,fiber,yield,opaque,gcc,depth=1,time,ns,75,74,76,12,ok,"a note, with a comma",fiber-ret/yield/opaque/gcc/depth=1,median,
fiber-fp,fiber,yield,opaque,gcc,depth=1,time,ns,7.6,7.3,7.9,12,ok,,fiber-fp/yield/opaque/gcc/depth=1,median,
stackless-leaf,stackless,yield,opaque,gcc,depth=1,time,ns,9,8,10,12,ok,,stackless-leaf/yield/opaque/gcc/depth=1,median,
fiber-small,fiber,yield,opaque,gcc,depth=16,time,ns,,,,0,not-claimed,no,fiber-small/yield/opaque/gcc/depth=16,median,
CSV
cat >made/ratios.csv <<'CSV'
cell_a,cell_b,metric,ratio,ci_low,ci_high,p_holm,mde,verdict,estimator
fiber-ret/yield/opaque/gcc/depth=1,fiber-small/yield/opaque/gcc/depth=1,time,10,9.8,10.2,0,0.02,larger,median
fiber-fp/yield/opaque/gcc/depth=1,fiber-small/yield/opaque/gcc/depth=1,time,1.01,0.97,1.05,1,0.02,no difference,median
stackless-leaf/yield/opaque/gcc/depth=1,fiber-small/yield/opaque/gcc/depth=1,time,1.25,1.2,1.3,0,0.02,larger,median
CSV
cat >made/tables/claims.csv <<'CSV'
source,id,section,claim,verdict,predicted,measured,why
"A source, with a comma",s003-yield,here,It costs 5 % & more.,refuted,,0 of 2 hold,
CSV
says() { # NAME TEXT
    figure told "$1" | grep -qF -- "$2" || {
        figure told "$1"
        echo "does not say $2"
        return 1
    }
}
check "a made-up run" paper/make-numbers made told
check "a value with its interval and unit" says YieldSmall '{$7.50$}{$7.25$}{$7.75$}{ns}'
check "a ratio that is larger" says RetSmall '{$10.0$}{$9.80$}{$10.2$}{}{dearer than}'
check "no difference" says FpSmall '{not to be told apart from}'
check "a ratio the other way round" says SmallLeaf '{$0.80$}{$0.77$}{$0.83$}{}{cheaper than}'
check "the least, and whose it is" says YieldBest '{ns}{fiber-small}'
check "what is not claimed is not measured" says SmallDeep '\nonum'
check "a table says so too" grep -q 'fiber-small} .* n/c' told/table-headline.tex
check "a verdict" says SurveyYield '{refuted}'
check "claims are counted" says ClaimsRefuted '{1}'
check "TeX's own characters are quoted" grep -qF 'It costs 5 \% \& more.' told/table-claims-shown.tex
sed '2s/7.5,7.25/8.5,7.25/' made/cells.csv >changed && mv changed made/cells.csv
paper/make-numbers made told
check "another cell, another figure" says YieldSmall '{$8.50$}'

refused() { # status, text, command...
    wanted=$1
    said=$2
    shift 2
    status=0
    "$@" >out.txt 2>&1 || status=$?
    cat out.txt
    [ "$status" = "$wanted" ] && grep -qF -- "$said" out.txt
}
mkdir nothing
check "a folder that is no run" refused 2 "this is no run" paper/make-numbers nothing x
check "no folder" refused 2 "usage:" paper/make-numbers
check "no folder to build of" refused 2 "no folder" paper/build nowhere
cp -R paper spoilt
echo "guess Something fiber-small" >>spoilt/figures.spec
check "a kind of figure that there is not" refused 2 "is called guess" spoilt/make-numbers made x

# ---- The PDF ------------------------------------------------------------------------------------

makes_pdf() { # RUN OUT
    CB_PAPER_LOG=$work/log paper/build "$1" "$2" || return 1
    [ "$(head -c 4 "$2")" = %PDF ] || return 1
    ! grep -E 'undefined (references|citations)|Citation .* undefined|Reference .* undefined' log
}
no_overfull() {
    # A point or two can't be seen.
    ! grep -E 'Overfull \\hbox \(([5-9]|[0-9]{2,})\.' log
}
if command -v latexmk >/dev/null; then
    check "a paper about $machine" makes_pdf "$reference" one.pdf
    check "nothing sticks out of its column" no_overfull
    paper/build "$reference" two.pdf
    check "the same bytes again" cmp one.pdf two.pdf
    check "a paper about a run of which nothing is measured" makes_pdf empty empty.pdf
    sed 's/\\val{Backends}/\\val{Nobody}/' "$text" >spoilt/paper.tex
    cp paper/figures.spec spoilt/
    check "a figure that is not defined is an error" refused 1 "no figure Nobody" \
        spoilt/build "$reference" x.pdf
else
    skip "the PDF" "no latexmk"
fi
without_latex() {
    mkdir -p bin
    for program in sh dirname cat; do
        ln -sf "$(command -v "$program")" bin/
    done
    refused 0 "The paper is skipped: latexmk is missing" env PATH="$work/bin" paper/build made y.pdf
}
check "without latexmk one line says so" without_latex

tap_end
