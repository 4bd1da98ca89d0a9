#!/bin/sh
# No file of the tree and no commit message names a folder of one person's machine.
set -eu
cd "${CB_SOURCE_DIR:-$(dirname "$0")/../..}"
failed=0
pattern='(^|[^A-Za-z0-9_.-])/(home|root|Users|work|mnt|media)/[A-Za-z0-9_.-]+'

# What an example may say.
example=/home'/me/'

# Proves that the pattern finds what it is for. ROOT keeps this file itself clean.
ROOT=/root
echo "see $ROOT/x" | grep -qE "$pattern" || { echo "the pattern finds nothing"; exit 1; }

if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard | xargs -0 grep -nHIE "$pattern" -- | grep -v "$example" &&
        failed=1
    git log --format='%h %B' | grep -nE "$pattern" | grep -v "$example" && { echo "in a commit message"; failed=1; }
else
    find . -path ./build -prune -o -type f -print0 | xargs -0 grep -nHIE "$pattern" -- | grep -v "$example" &&
        failed=1
fi
# Google Benchmark writes the machine's name into each file unless it is taken out.
if grep -rnI '"host_name"' results; then
    echo "a result names its machine"
    failed=1
fi
exit $failed
