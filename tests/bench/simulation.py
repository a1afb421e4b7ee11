#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the simulated fabric is, beside ns-3's own models on the same fat-tree and traffic, in one run.

    tests/bench/simulation.py --program build/bin/dyetrace [--repeat 3] [--quick]

Runs each a few times in turn, takes medians of packet-hops a second of processor time, prints the table, and fails where a limit is
missed. The limits that depend on nothing but the machine's speed are ratios; --quick runs k = 8 only.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

# (k, simulated ms of the fabric, of ns-3's own models): long enough for sessions to be open most of the time.
SIZES = [(8, 60, 1.0), (16, 20, 0.5)]
LARGE = (32, 4)

RATIO_LEAST = {8: 25, 16: 50}  # packet-hops a second, tracked and with a fault, to ns-3's static routes
TRACKING_MOST = 1.10  # time a packet-hop, tracked to untracked
GROWTH_MOST = 2.0  # time a packet-hop, k = 32 to k = 8
SETUP_MOST = {16: (1.0, 100), 32: (10.0, 2000)}  # seconds, MB
RECONVERGENCE_MOST_MS = 10


def run(program, *words):
    result = subprocess.run([program, *words], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(result.stdout)


def median(rows, key):
    return statistics.median(row[key] for row in rows)


class Table:
    """Lines of the table, and what was missed."""

    def __init__(self):
        self.missed = []

    def row(self, name, rows):
        hops = sorted(row["hops_per_s"] for row in rows)
        print(
            f"{name:34} {statistics.median(hops) / 1e6:8.3f} M/s  ({hops[0] / 1e6:.3f} to {hops[-1] / 1e6:.3f})"
            f"  set-up {median(rows, 'setup_s'):.3f} s, peak {median(rows, 'peak_mb'):.0f} MB",
            flush=True,
        )

    def limit(self, name, value, most=None, least=None):
        good = value <= most if most is not None else value >= least
        bound = f"at most {most}" if most is not None else f"at least {least}"
        print(f"  {'ok    ' if good else 'MISSED'} {name}: {value:.3g}, {bound}", flush=True)
        if not good:
            self.missed.append(name)


def compare(table, bench, peer, size, repeat):
    k, milliseconds, peer_milliseconds = size
    kinds = {"bare": ["bare"], "untracked": ["untracked"], "tracked": ["tracked", "--fault"]}
    rows = {name: [] for name in [*kinds, "peer"]}
    for _ in range(repeat):  # in turn, so that a busy moment hits all alike
        for name, (mode, *more) in kinds.items():
            rows[name].append(run(bench, "--json", "--k", str(k), "--ms", str(milliseconds), "--mode", mode, *more))
        rows["peer"].append(run(peer, "--k", str(k), "--ms", str(peer_milliseconds)))
    table.row(f"k={k} ns-3, static routes", rows["peer"])
    table.row(f"k={k} lean, bare", rows["bare"])
    table.row(f"k={k} lean, encapsulated", rows["untracked"])
    table.row(f"k={k} lean, tracked 1%, a fault", rows["tracked"])
    speed = {name: median(of, "hops_per_s") for name, of in rows.items()}
    table.limit(f"k={k} tracked to ns-3's static routes", speed["tracked"] / speed["peer"], least=RATIO_LEAST[k])
    table.limit(f"k={k} cost of tracking", speed["untracked"] / speed["tracked"], most=TRACKING_MOST)
    table.limit(f"k={k} reconvergence, ms", median(rows["tracked"], "reconvergence_ms"), most=RECONVERGENCE_MOST_MS)
    check_setup(table, k, rows["tracked"])


def grow(table, bench, repeat):
    """The largest fabric and the smallest in turn: what a packet-hop costs more in memory that is far away."""
    sizes = [SIZES[0][:2], LARGE]
    rows = {k: [] for k, _ in sizes}
    for _ in range(repeat):
        for k, milliseconds in sizes:
            rows[k].append(run(bench, "--json", "--k", str(k), "--ms", str(milliseconds), "--mode", "tracked", "--fault"))
    small, large = rows
    table.row(f"k={large} lean, tracked 1%, a fault", rows[large])
    check_setup(table, large, rows[large])
    table.limit(f"k={large} reconvergence, ms", median(rows[large], "reconvergence_ms"), most=RECONVERGENCE_MOST_MS)
    growth = median(rows[small], "hops_per_s") / median(rows[large], "hops_per_s")
    table.limit(f"cost of a packet-hop, k={large} to k={small}", growth, most=GROWTH_MOST)


def check_setup(table, k, rows):
    if k not in SETUP_MOST:
        return
    seconds, megabytes = SETUP_MOST[k]
    table.limit(f"k={k} set-up, s", median(rows, "setup_s"), most=seconds)
    table.limit(f"k={k} set-up, MB", median(rows, "setup_mb"), most=megabytes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="dyetrace; the benchmark's programs are looked for beside its build")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    programs = os.path.join(os.path.dirname(arguments.program), "..", "tests", "bin")
    bench = os.path.join(programs, "dyetrace_fabric_bench")
    peer = os.path.join(programs, "dyetrace_static_routes_peer")

    table = Table()
    for size in SIZES[:1] if arguments.quick else SIZES:
        compare(table, bench, peer, size, arguments.repeat)
    if not arguments.quick:
        grow(table, bench, arguments.repeat)
    if table.missed:
        print("missed: " + ", ".join(table.missed))
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
