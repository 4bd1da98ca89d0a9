#!/bin/sh
# report.html in a browser without a window: what its script does, that it needs no network, and that
# it says something without a script. Prints TAP. CB_BUILD_DIR is the build folder.
# Runs in: gcc
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
source_dir=${CB_SOURCE_DIR:?the source folder}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# shellcheck source=tests/e2e/tap.sh
. "$here/tap.sh"

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
    echo "Bail out! no chromium; install it: scripts/setup --tests"
    exit 1
fi

# The page as it is after its script has run, opened at an address after #.
page() { # NAME, ADDRESS, OPTION...
    page_to=$work/$1 page_at=$2
    shift 2
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --disable-dev-shm-usage --user-data-dir="$work/profile" --window-size=1200,900 \
        --virtual-time-budget=10000 "$@" --dump-dom "file://$run/report.html#$page_at" \
        >"$page_to" 2>"$work/said"
}
# One tag a line.
lines() { sed 's/></>\n</g' "$work/$1"; }
has() { lines "$1" | grep -q -- "$2" || { echo "not there: $2"; head -c 300 "$work/said"; return 1; }; }
has_not() { ! lines "$1" | grep -- "$2"; }

run=$work/run
reference=$(find "$source_dir/results/reference" -mindepth 2 -maxdepth 2 -name run.json | sort | tail -n 1)
cp -r "$(dirname "$reference")" "$run"
check "the reference's report is made" "$build/corobench" report "$run"
backend=fiber-small
cell="$backend/yield/opaque/gcc/depth=1"
coded=$(echo "$cell" | sed 's,/,%2F,g; s,=,%3D,g')

check "the page opens" page plain ""
check "a script shows what can be chosen" has plain '<select id="verdict">'
check "nothing that can be chosen stays hidden" has_not plain 'class="controls"[^>]* hidden'
check "the legend has the backend" has plain "type=\"checkbox\" value=\"$backend\""
check "columns can be sorted by a button" has plain '<button type="button" title="sort">'
check "no round is drawn unasked" has_not plain 'aria-label="rounds of'

check "a view opens by its address" page view "hide=$backend&sort=headline:1&cell=$coded&verdict=refuted"
check "a hidden backend's rows are hidden" has view "<tr data-b=\"$backend\" hidden"
check "other backends' are not" has view '<tr data-b="fiber-full">'
check "its line in a plot is hidden" has view '_plot_[0-9]*" style="display: none;"'
check "the table is sorted" has view 'aria-sort="ascending"'
sorted() {
    # The values of the sorted column, of the table headline, as the page has them.
    awk '/<table id="headline"/ { on = 1 } /<\/table>/ { on = 0 }
        on && /<tr/ { column = 0 } on && /<td/ { column++ }
        on && column == 2 && /data-v=/ { v = $0; sub(/.*data-v="/, "", v); sub(/".*/, "", v); print v
            column = 99 }' "$work/view.lines" >"$work/values"
    [ "$(wc -l <"$work/values")" -gt 5 ] && sort -g -c "$work/values"
}
lines view >"$work/view.lines"
check "from the least to the largest" sorted
check "a cell's rounds are drawn" has view "aria-label=\"rounds of $cell\""
check "with a dot for each round" has view '<circle cx='
check "a cell that is not there is said" page gone "cell=nobody%2Fyield"
check "by its name" has gone 'There is no measured cell nobody/yield'
claims_shown() {
    awk -v wanted="$1" '/<table id="claims"/ { on = 1 } /<\/table>/ { on = 0 }
        on && /<tr/ { shown = !/hidden/ && !/class="g"/ } on && /<td/ && shown { text = $0
            sub(/<\/td>.*/, "", text); sub(/.*>/, "", text)
            if (text == "supported" || text == "refuted" || text == "depends" || text == "not testable") {
                n++; if (text != wanted) { print "shown: " text; bad = 1 } } }
        END { exit bad || n == 0 }' "$work/view.lines"
}
check "only claims of the chosen verdict are shown" claims_shown refuted

# Without a script the file is what is seen.
cp "$run/report.html" "$work/still"
check "without scripts it has the figures" has still '<table id="headline">'
offers_nothing() { ! grep -o 'class="controls"[^>]*>' "$work/still" | grep -v hidden; }
check "and offers nothing that would not work" offers_nothing

# What a browser would fetch: there must be nothing.
fetches() {
    grep -noE '(src|href|data|action)="[a-z]+:[^"]*|url\([^)]*|@import[^;]*|fetch\(|XMLHttpRequest|import\(' \
        "$run/report.html" | grep -v 'http://www.w3.org/' | grep -v 'url(#'
}
nothing_fetched() { ! fetches; }
check "nothing is fetched" nothing_fetched
check "a phone gets its width" grep -q 'name="viewport" content="width=device-width' "$run/report.html"

print() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-sync \
        --disable-background-networking --user-data-dir="$work/profile" --no-pdf-header-footer \
        --virtual-time-budget=10000 --print-to-pdf="$work/page.pdf" "file://$run/report.html"
    [ "$(head -c 4 "$work/page.pdf")" = %PDF ]
}
check "it can be printed" print

cp "$run/report.html" "$work/before.html"
check "the report is made again" "$build/corobench" report "$run"
check "with the same bytes" cmp "$work/before.html" "$run/report.html"

tap_end
