#!/bin/sh
# From a clone to a comparison: sets up, builds, measures, and makes tables, plots and the report.
set -eu

usage() {
    cat <<'END'
usage: ./run-all.sh [--quick | --full] [OPTION]...

Builds everything, measures every backend, and makes tables, plots and a report of it. A default
run takes about half an hour.

  --quick              a few minutes: the headline figures as a range, built by gcc only
  --full               everything, for hours
  --backend GLOB       only these backends; more than once, or globs joined by commas
  --scenario GLOB      only these scenarios; the same
  --compiler LIST      gcc, clang or gcc,clang (default; with --quick: gcc)
  --no-paper           leave out the paper, which is made where latexmk is installed
  --report-only [DIR]  measure nothing: make the report of DIR again (default: results/latest)
  --help               print this

Exit status: 0 done, 1 something measured failed (the report names it), 2 it could not be done.
END
}

complain() { # what, what follows and what to do, a line each
    printf 'run-all.sh: %s\n' "$1" >&2
    shift
    printf '%s\n' "$@" >&2
    exit 2
}

# The folders that hold a backend or a scenario; corobench knows the same names, but only once it
# is built, and a wrong name should not cost a build.
backend_names() {
    for header in impls/*/backend.h; do
        name=$(basename "$(dirname "$header")")
        case $name in common | _template | '*') ;; *) echo "$name" ;; esac
    done
}
scenario_names() {
    for folder in scenarios/*/; do
        name=$(basename "$folder")
        [ "$name" = '*' ] || echo "$name"
    done
}

# Prints the names (on standard input) that globs, joined by commas, match; separated by ';' for
# CMake. A glob that matches nothing is an error, like a wrong name.
matching() { # "backend" or "scenario", GLOBS
    names=$(cat)
    found=
    rest=$2,
    while [ -n "$rest" ]; do
        glob=${rest%%,*}
        rest=${rest#*,}
        before=$found
        for name in $names; do
            # shellcheck disable=SC2254 # it is a pattern
            case $name in $glob) found="$found$name;" ;; esac
        done
        [ "$found" != "$before" ] || complain "no $1 matches \"$glob\"" \
            "Nothing is done. The ${1}s are:" "$(echo "$names" | sed 's/^/  /')"
    done
    echo "$found"
}

need_value() { # OPTION, number of words left
    [ "$2" -gt 1 ] || complain "$1 needs a value" "Nothing is done. See ./run-all.sh --help"
}

size=
backends=
scenarios=
compilers=
paper=yes
report_only=
given= # what goes on to corobench, quoted for eval
quote() { printf " '%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

called_from=$PWD
cd "$(dirname "$0")"

while [ $# -gt 0 ]; do
    case $1 in
    --*=*) # --option=value is --option value
        option=${1%%=*}
        value=${1#*=}
        shift
        set -- "$option" "$value" "$@"
        ;;
    esac
    case $1 in
    --quick | --full)
        [ -z "$size" ] || [ "$size" = "$1" ] || complain "--quick and --full exclude each other" \
            "Nothing is done."
        size=$1
        ;;
    --backend)
        need_value "$1" $#
        found=$(backend_names | matching backend "$2")
        backends=$backends$found
        given="$given --backend$(quote "$2")"
        shift
        ;;
    --scenario)
        need_value "$1" $#
        found=$(scenario_names | matching scenario "$2")
        scenarios=$scenarios$found
        given="$given --scenario$(quote "$2")"
        shift
        ;;
    --compiler)
        need_value "$1" $#
        case $2 in
        gcc | clang | gcc,clang | clang,gcc) compilers=$2 ;;
        *) complain "no compiler $2" "Nothing is done. The compilers are: gcc, clang, gcc,clang" ;;
        esac
        shift
        ;;
    --no-paper) paper=no ;;
    --report-only)
        report_only=results/latest
        case ${2-} in
        '' | --*) ;;
        /*)
            report_only=$2
            shift
            ;;
        *)
            report_only=$called_from/$2
            shift
            ;;
        esac
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        complain "no option $1" "Nothing is done. The options are:" "$(usage | sed -n '/^  --/p')"
        ;;
    esac
    shift
done

if [ -n "$report_only" ]; then
    [ -z "$size$given$compilers" ] || complain "--report-only measures nothing" \
        "so --quick, --full, --backend, --scenario and --compiler say nothing with it." \
        "Leave them out, or leave out --report-only."
    [ -e "$report_only/run.json" ] || complain "$report_only is no run: there is no run.json in it" \
        "No report is made. Name a folder that a run made, or measure first: ./run-all.sh --quick"
fi

if [ -z "$compilers" ]; then
    compilers=gcc,clang
    [ "$size" != --quick ] || compilers=gcc
fi
preset_of() {
    case $1 in gcc) echo release ;; clang) echo clang ;; esac
}
first=$(preset_of "${compilers%%,*}")
corobench=build/$first/corobench

scripts/setup

# ---- Build --------------------------------------------------------------------------------------

if [ -n "$report_only" ]; then
    scripts/build "$first" -t corobench
else
    # Rounds take turns at programs that differ in padding only; a quick run makes no claim and needs one.
    case $size in --quick) links=1 ;; --full) links=6 ;; *) links=4 ;; esac
    built=${size#--}
    built=${built:-default}
    for compiler in $(echo "$compilers" | tr , ' '); do
        scripts/build "$(preset_of "$compiler")" "-DCB_BACKENDS=$backends" \
            "-DCB_SCENARIOS=$scenarios" "-DCB_SIZE=$built" "-DCB_LINKS=$links"
        # The second compiler of a default run measures headline cells only, as a quick run does.
        [ "$built" != default ] || built=quick
    done
fi

# ---- Measure and report -------------------------------------------------------------------------

status=0
if [ -n "$report_only" ]; then
    run=$report_only
    "$corobench" report "$run" || status=$?
else
    run=results/latest
    mkdir -p results
    eval "\"$corobench\" run $size --compiler $compilers $given" || status=$?
fi
# 1: something measured failed, or a plot could not be made; the rest is there.
[ "$status" -le 1 ] || exit "$status"

if [ "$paper" = yes ] && [ -x paper/build ]; then
    paper/build "$run" || status=1
fi

run=$(cd "$run" && pwd -P)
case $run in "$PWD"/*) run=${run#"$PWD"/} ;; esac
if [ -e "$run/tables/headline.md" ]; then
    echo
    cat "$run/tables/headline.md"
fi
echo
echo "Tables: $run/tables/"
echo "Plots:  $run/plots/"
echo "Report: $run/report.html"
[ "$paper" = no ] || [ ! -e "$run/paper.pdf" ] || echo "Paper:  $run/paper.pdf"
[ "$status" = 0 ] || echo "Something failed: the report and the messages above name it." >&2
exit "$status"
