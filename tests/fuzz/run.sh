#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh BUILD SECONDS: each fuzz target for so many seconds, from its recorded inputs on. A crash leaves its input in BUILD/crashes;
# fix the defect and keep the input in tests/data/fuzz/<target>/.
set -euo pipefail
build=$1
seconds=$2
root=$(cd "$(dirname "$0")/../.." && pwd)

for program in "$build"/fuzzers/fuzz_*; do
    name=$(basename "$program")
    mkdir -p "$build/corpus/$name" "$build/crashes"
    echo "== $name, $seconds s"
    "$program" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
        "$build/corpus/$name" "$root/tests/data/fuzz/$name" 2>&1 | grep -vE '^#[0-9]+\s+(NEW|REDUCE|pulse)' || exit 1
done
