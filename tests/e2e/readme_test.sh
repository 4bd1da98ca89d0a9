#!/bin/sh
# The README's headline is that of a committed reference, to the last byte, and the reference's tables
# are those that its samples give: a figure edited by hand in either is found.
# Runs in: gcc
set -eu

build=${CB_BUILD_DIR:?is the build folder, set by ctest}
source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
corobench=$build/corobench
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

wrong() {
    printf 'README.md: %s\n' "$@"
    exit 1
}

# Whether the README in this folder is what its reference gives, and unless there is a second word
# the reference's table what its samples give. Says what differs.
holds() {
    folder=$1
    only_readme=${2:-}
    run=$(sed -n 's/^<!-- made by: corobench report \(.*\) --readme README.md -->$/\1/p' "$folder/README.md")
    if [ -z "$run" ]; then
        echo "there is no headline between its marks"
        return 1
    fi
    case $run in
    results/reference/*) ;;
    *)
        echo "its headline is of $run, which is not committed"
        return 1
        ;;
    esac
    if [ ! -e "$folder/$run/run.json" ]; then
        echo "its headline is of $run, which is not there"
        return 1
    fi
    if [ -z "$only_readme" ]; then
        cp "$folder/$run/tables/headline.md" "$folder/committed.md"
        "$corobench" report "$folder/$run" || return 1
        if ! diff "$folder/committed.md" "$folder/$run/tables/headline.md"; then
            echo "$run/tables/headline.md is not what its samples give; make it again: corobench report $run"
            return 1
        fi
    fi
    cp "$folder/README.md" "$folder/before.md"
    "$corobench" report "$folder/$run" --readme "$folder/README.md" || return 1
    if ! diff "$folder/before.md" "$folder/README.md"; then
        echo "it is not what $run gives; make it again: corobench report $run --readme README.md"
        return 1
    fi
}

set -- "$source"/results/reference/*/run.json
[ -e "$1" ] || wrong "no results/reference/<machine> is committed, so the README can show no figures." \
    "Measure and commit one: ./run-all.sh; corobench report results/latest --reference results/reference;" \
    "corobench report results/reference/<machine> --readme README.md"

mkdir -p "$tree/kept/results"
cp "$source/README.md" "$tree/kept/"
cp -r "$source/results/reference" "$tree/kept/results/"
holds "$tree/kept" || wrong "see above"

# A copy in which one figure of the README was edited must not hold.
mkdir -p "$tree/edited/results"
cp -r "$source/results/reference" "$tree/edited/results/"
awk '/headline:begin/ { inside = 1 }
    inside && !done && /^\|.*[0-9]\.[0-9]/ { done = sub(/[0-9]\.[0-9]/, "9.9") || done }
    { print }' "$source/README.md" >"$tree/edited/README.md"
cmp -s "$source/README.md" "$tree/edited/README.md" && wrong "its headline has no figure to edit"
holds "$tree/edited" only-readme >/dev/null 2>&1 && wrong "an edited figure was not found by this test"

echo "the headline is that of $run"

# ---- Every backend and every scenario has a page that its folder's README leads to ----------------

# Prints the folders that README.md beside them does not lead to, or that have no page.
without_page() {
    for folder in "$1"/*/; do
        name=$(basename "$folder")
        [ "$name" != common ] || continue
        [ -e "$folder/README.md" ] && grep -qF "]($name/README.md)" "$1/README.md" || echo "$name"
    done
}
for room in impls scenarios; do
    missing=$(without_page "$source/$room")
    [ -z "$missing" ] || wrong "$room/README.md does not lead to a page of: $missing"
    cp -r "$source/$room" "$tree/$room"
    mkdir "$tree/$room/zz-new"
    [ "$(without_page "$tree/$room")" = zz-new ] || wrong "a new folder of $room without a page goes unnoticed"
done
