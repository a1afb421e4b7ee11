#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How often the demo names the faulty link, over seeds with the link drawn anew each time, and how often it names
anything where nothing is wrong.

    tests/bench/gray_link.py --program build/bin/dyetrace --seeds 1..20
"""
import argparse
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile


def links_between_aggregation_and_core(k):
    """All of them, each in both directions, by the naming of the fat-tree."""
    half = k // 2
    for pod in range(k):
        for aggregation in range(half):
            for core in range(aggregation * half, (aggregation + 1) * half):
                yield f"agg-{pod}-{aggregation}", f"core-{core}"
                yield f"core-{core}", f"agg-{pod}-{aggregation}"


def command(arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def first_link(suspects):
    return next(((s["from"], s["to"]) for s in suspects if s["kind"] == "link"), None)


def one_run(options, seed, probability):
    source, target = random.Random(seed).choice(list(links_between_aggregation_and_core(options.k)))
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "run.db")
        shown = command([options.program, "-j", "run", options.scenario, "-o", database, "--seed", str(seed),
                         "--set", f"fabric.k={options.k}", "--set", f"fault.0.from={source}",
                         "--set", f"fault.0.to={target}", "--set", f"fault.0.probability={probability}"])
        located = command([options.program, "-j", "locate", database])
    return seed, (source, target), shown["suspects"], located["suspects"]


def runs(options, probability):
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        yield from pool.map(lambda seed: one_run(options, seed, probability), options.seeds)


def seed_range(text):
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/dyetrace")
    parser.add_argument("--scenario", default="scenarios/gray-link.toml")
    parser.add_argument("--seeds", type=seed_range, default="1..20")
    parser.add_argument("--probability", default="0.01", help="of the fault that is to be found")
    parser.add_argument("--k", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if isinstance(options.seeds, str):
        options.seeds = seed_range(options.seeds)

    online = offline = 0
    print(f"{'seed':>4}  {'faulty link':24}  {'health service':28}  {'locate on the record':28}")
    for seed, fault, shown, located in runs(options, options.probability):
        online += first_link(shown) == fault
        offline += first_link(located) == fault
        told = [" > ".join(first_link(s) or ("nobody", "")).strip(" >") for s in (shown, located)]
        print(f"{seed:>4}  {' > '.join(fault):24}  {told[0]:28}  {told[1]:28}", flush=True)
    false_online = false_offline = 0
    for seed, _, shown, located in runs(options, 0):
        false_online += bool(shown)
        false_offline += bool(located)
    count = len(options.seeds)
    print(f"\nloss {options.probability}: named first in {online} of {count} by the health service, "
          f"{offline} of {count} by locate")
    print(f"no fault: a suspect in {false_online} of {count} by the health service, "
          f"{false_offline} of {count} by locate")


if __name__ == "__main__":
    main()
