#!/bin/sh
# All C and C++ files are laid out as .clang-format says.
set -eu
cd "${CB_SOURCE_DIR:-$(dirname "$0")/../..}"
scripts/format --check || { echo "Run scripts/format."; exit 1; }
