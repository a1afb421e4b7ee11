#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the closed loop is worth: TCP between full guests while a link to a core switch drops 5% of its packets, with the paths
moved off it (repath automatic) and without (off), side by side.

    tests/bench/closed_loop.py --program build/bin/dyetrace --seeds 1..8

A flow is bounded by its window, and the fabric has room for all, so that nobody takes what others lose. "Before" is the mean of
the half second before the fault. The limit: within 2 s of the detection goodput is back to 95% of that, and stays so on average.
"""
import argparse
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys

from gray_link import seed_range

BACK = 0.95
WITHIN_MS = 2000
SETTLED_MS = 1200  # after the detection, from when on the means of both are taken


def run(options, seed, repath):
    example = os.path.join(os.path.dirname(os.path.dirname(options.program)), "examples", "dyetrace-closed-loop")
    done = subprocess.run([example, f"--seed={seed}", f"--repath={repath}", f"--stop={options.stop}s"],
                          capture_output=True, text=True, check=True)
    goodput = {int(ms): float(rate) for ms, rate in re.findall(r"^goodput (\d+) ([0-9.e+-]+)$", done.stdout, re.MULTILINE)}
    steps = {}
    for step, at in re.findall(r"^([a-z-]+) (\d+) ", done.stdout, re.MULTILINE):
        steps.setdefault(step, int(at))
    return goodput, steps


def mean(goodput, first_ms, last_ms):
    return statistics.fmean(rate for ms, rate in goodput.items() if first_ms < ms <= last_ms)


def back_after(goodput, before, detected):
    """Milliseconds from the detection to the end of the first tenth of a second from which on the mean is back."""
    last = max(goodput)
    for ms in sorted(goodput):
        if ms > detected and goodput[ms] >= BACK * before and mean(goodput, ms - 100, last) >= BACK * before:
            return ms - detected
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/dyetrace")
    parser.add_argument("--seeds", type=seed_range, default=range(1, 9))
    parser.add_argument("--stop", type=float, default=3.0,
                        help="simulated seconds; from 3 s on these flows go faster than before, with the fault or without")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--bins", action="store_true", help="print every tenth of a second too")
    options = parser.parse_args()

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        asked = [(seed, repath) for seed in options.seeds for repath in ("automatic", "off")]
        runs = dict(zip(asked, pool.map(lambda one: run(options, *one), asked)))
    print(f"{'seed':>4} {'before':>8} {'detected':>9} {'confirmed':>9} {'verified':>9} {'back after':>10} "
          f"{'repath on':>10} {'repath off':>10}")
    missed = 0
    for seed in options.seeds:
        goodput, steps = runs[seed, "automatic"]
        off, _ = runs[seed, "off"]
        fault, last = steps["fault"], max(goodput)
        before = mean(goodput, fault - 500, fault)
        detected = steps.get("detected")
        after = back_after(goodput, before, detected) if detected else None
        since = (detected or fault) + SETTLED_MS
        on_share, off_share = mean(goodput, since, last) / before, mean(off, since, last) / before
        good = after is not None and after <= WITHIN_MS
        missed += not good

        def ms(step):
            return f"{steps[step] - fault} ms" if step in steps else "never"
        print(f"{seed:>4} {before:>6.0f} M {ms('detected'):>9} {ms('confirmed'):>9} {ms('verified'):>9} "
              f"{f'{after} ms' if after is not None else 'never':>10} {on_share:>10.1%} {off_share:>10.1%}"
              f"{'' if good else '   MISSED'}", flush=True)
        if options.bins:
            print("     on  " + " ".join(f"{goodput[ms_] / before:.2f}" for ms_ in sorted(goodput)))
            print("     off " + " ".join(f"{off[ms_] / before:.2f}" for ms_ in sorted(off)))
    print(f"\nback to {BACK:.0%} within {WITHIN_MS / 1000:.0f} s of detection: {len(options.seeds) - missed} of "
          f"{len(options.seeds)} seeds (limit: all)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
