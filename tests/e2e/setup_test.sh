#!/bin/sh
# scripts/setup: what it installs, and how. Nothing is installed: the commands that it calls are
# replaced by scripts that write down how they were called.
set -eu

source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
failed=0
status=0

mkdir "$box/bin"
for tool in sh awk cat tail mktemp rm tr; do
    ln -s "$(command -v $tool)" "$box/bin/"
done
stub() { # NAME, its script
    printf '#!/bin/sh\n%s\n' "$2" >"$box/bin/$1"
    chmod +x "$box/bin/$1"
}
# As if nothing was installed, and apt-get worked.
clean() {
    rm -f "$box/bin/sudo"
    # shellcheck disable=SC2016 # it is for the stub to expand
    stub dpkg-query 'grep -qx "$4" "$BOX/installed" 2>/dev/null && echo installed'
    ln -sf "$(command -v grep)" "$box/bin/grep"
    # shellcheck disable=SC2016
    stub apt-get 'echo "apt-get $*" >>"$BOX/calls"; [ ! -e "$BOX/$1-fails" ]'
    stub id 'echo 0'
    rm -f "$box"/*-fails "$box/installed"
}
run() {
    : >"$box/calls"
    status=0
    BOX=$box PATH=$box/bin "$source/scripts/setup" "$@" >"$box/out" 2>&1 || status=$?
    what="setup $*"
}
wrong() {
    echo "$what: $1 (exit status $status)"
    sed 's/^/    /' "$box/calls" "$box/out"
    failed=1
}
exits() { [ "$status" = "$1" ] || wrong "expected exit status $1"; }
says() { grep -qF -- "$1" "$box/out" || wrong "does not say: $1"; }
calls() { grep -qE -- "$1" "$box/calls" || wrong "does not call: $1"; }
calls_nothing() { [ ! -s "$box/calls" ] || wrong "calls something"; }

# Root: everything that is missing, by one apt-get.
clean
run
exits 0
calls '^apt-get update$'
calls '^apt-get install -y --no-install-recommends gcc .*libhwloc-dev'
if grep -q cmocka "$box/calls"; then wrong "installs what only tests need"; fi
run --tests
calls 'libcmocka-dev'
run --paper
calls 'latexmk'

# A command that is there counts, whoever brought it; a library counts by its package.
stub cmake ''
run --list
"$source/scripts/setup" --list >"$box/installed"
run
exits 0 && calls_nothing
grep -vx libjansson-dev "$box/installed" >"$box/fewer"
mv "$box/fewer" "$box/installed"
run
exits 0
calls 'install -y --no-install-recommends libjansson-dev$'

# Stale package lists are no reason to stop, a failing installation is.
clean
touch "$box/update-fails"
run
exits 0
touch "$box/install-fails"
run
exits 2 && says "apt-get failed" && says "libjansson-dev"

# Not root: through sudo if that asks no password, else the command to type.
clean
stub id 'echo 1000'
run
exits 2 && calls_nothing && says "sudo apt-get update && sudo apt-get install -y" && says libpfm4-dev
# shellcheck disable=SC2016
stub sudo 'echo "sudo $*" >>"$BOX/calls"; [ "$2" = true ]'
run
calls '^sudo -n .*apt-get install'
stub sudo 'exit 1'
run
exits 2 && calls_nothing && says "sudo apt-get update"

run --bogus
exits 2 && says "no option --bogus" && says "--paper"

exit $failed
