#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scores `dyetrace locate --trace` on the levels of published comparisons, and prints the result beside theirs.

    tests/bench/localisation.py --program build/bin/dyetrace --seeds 1..6 [--generator PROGRAM]

A generator is called as PROGRAM K FAILED LOSS_MIN LOSS_MAX FLOWS_PER_HOST SEED OUT; without one, trace_generator.py
makes the traces. The score is F1 over directed links, averaged over the seeds.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time

import trace_generator
from gray_link import seed_range

# title, failed links, loss range
LEVELS = [("16 at .05%", 16, (0.0005, 0.0005)), ("16 at .1%", 16, (0.001, 0.001)),
          ("16 at .2%", 16, (0.002, 0.002)), ("8 at .2-2%", 8, (0.002, 0.02))]
# Mean F1 of six seeds, measured with their authors' programs on such traces.
PUBLISHED = {"known": [("Flock, paths known, tuned per level", (.44, .80, 1.00, 1.00), ".2-.7 s"),
                       ("Flock, one setting for all", (.46, .87, .97, .94), ".2-.7 s"),
                       ("007 votes, better of two thresholds", (.27, .57, .95, 1.00), ""),
                       ("additive Poisson, threshold by hindsight", (.49, .85, 1.00, 1.00), "< .01 s")],
             "lossy": [("Flock, paths of lossless flows unknown", (.00, .34, .90, 1.00), "4-12 s")],
             "unknown": []}
# Least F1 a level, most seconds of inference. With `lossy`, half of what Flock loses against known paths.
LIMITS = {"known": ((.47, .87, .99, .98), .05), "lossy": ((.24, .61, .95, 1.00), 1.0), "unknown": (None, None)}
LARGE_SECONDS, LARGE_MEGABYTES = 3, 400  # k = 20, 600,000 flows, the whole command


def make_trace(options, level, seed, path):
    _, failed, (low, high) = level
    if options.generator:
        subprocess.run([options.generator, str(options.k), str(failed), str(low), str(high), "100", str(seed), path],
                       check=True)
    else:
        trace_generator.write_trace(path, options.k, failed, (low, high), 100, seed)


def truth(path):
    """Only the score reads this; the program under test skips these lines."""
    links = set()
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] == "Failing_link":
                links.add((int(words[1]), int(words[2])))
            elif words[0] == "FID":
                return links
    return links


def f1(found, real):
    if not found and not real:
        return 1.0
    return 2 * len(found & real) / (len(found) + len(real))


def score(options, level, seed, paths):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        make_trace(options, level, seed, path)
        begin = time.monotonic()
        out = subprocess.run([options.program, "-j", "locate", "--time", "--paths", paths,
                              "--trace", path], check=True,
                             capture_output=True, text=True)
        seconds = time.monotonic() - begin
        suspects = json.loads(out.stdout)["suspects"]
        inference = float(re.search(r"inference ([0-9.]+) s", out.stderr).group(1))
        return f1({(s["from"], s["to"]) for s in suspects if s["kind"] == "link"}, truth(path)), inference, seconds


def silent(options, seed, paths):
    """Whether nothing is named where nothing is faulty."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        make_trace(options, ("no fault", 0, (0, 0)), seed, path)
        out = subprocess.run([options.program, "-j", "locate", "--paths", paths, "--trace", path], check=True,
                             capture_output=True, text=True)
        return not json.loads(out.stdout)["suspects"]


def large(options):
    """Seconds and megabytes of the whole command on a fabric of 500 switches."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        subprocess.run([options.generator, "20", "8", "0.002", "0.02", "100", "1", path], check=True)
        begin = time.monotonic()
        child = subprocess.Popen([options.program, "locate", "--trace", path], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise subprocess.CalledProcessError(child.returncode, child.args)
        return time.monotonic() - begin, usage.ru_maxrss / 1024


def holds(value):
    return "holds" if value else "MISSED"


def row(title, figures, more=""):
    print(f"{title:42}" + "".join(f"{figure:>12}" for figure in figures) + more)


def table(options, paths):
    least, most = LIMITS[paths]
    row(f"mean F1, k={options.k}, paths {paths}", [level[0] for level in LEVELS], "   inference  whole command")
    means, inference, whole = [], 0.0, 0.0
    for level in LEVELS:
        scores, inferences, seconds = zip(*(score(options, level, seed, paths) for seed in options.seeds))
        means.append(statistics.mean(scores))
        inference = max(inference, statistics.median(inferences))
        whole = max(whole, statistics.median(seconds))
    row("dyetrace, one setting for all", [f"{mean:.3f}" for mean in means],
        f"   {inference * 1000:6.1f} ms  {whole:.2f} s")
    if least:
        row("  limit", [f"{limit:.2f} {holds(mean >= limit)}" for mean, limit in zip(means, least)],
            f"   {most * 1000:6.1f} ms {holds(inference <= most)}")
    for title, figures, seconds in PUBLISHED[paths]:
        row(title, [f"{figure:.2f}" for figure in figures], f"   {seconds}")
    seeds = options.quiet_seeds or options.seeds
    quiet = sum(silent(options, seed, paths) for seed in seeds)
    print(f"no fault: no suspect in {quiet} of {len(seeds)} seeds (limit 99 of 100: "
          f"{holds(100 * quiet >= 99 * len(seeds))})\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/dyetrace")
    parser.add_argument("--seeds", type=seed_range, default=range(1, 7))
    parser.add_argument("--generator")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--paths", default="known,lossy,unknown", help="which tables, with commas between")
    parser.add_argument("--quiet-seeds", type=seed_range, help="seeds without a fault; those of --seeds if left out")
    parser.add_argument("--large", action="store_true", help="also k = 20; needs --generator")
    options = parser.parse_args()
    if options.large and not options.generator:
        parser.error("--large needs --generator")
    for paths in options.paths.split(","):
        table(options, paths)
    if options.large:
        seconds, megabytes = large(options)
        print(f"k=20, 600,000 flows, whole command: {seconds:.2f} s (limit {LARGE_SECONDS}: "
              f"{holds(seconds <= LARGE_SECONDS)}), {megabytes:.0f} MB (limit {LARGE_MEGABYTES}: "
              f"{holds(megabytes <= LARGE_MEGABYTES)})")


if __name__ == "__main__":
    main()
