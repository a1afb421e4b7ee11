#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the benchmarks one after the other, each alone on the machine.

    tests/bench/run.py --build build [NAME...]

A benchmark is a script beside this one that takes `--program PATH` (of dyetrace), or a program of the tests whose name ends in
_bench. NAME picks those whose name contains it.
"""

import argparse
import glob
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def is_program(script):
    """Whether it can be run, and is not only imported by others."""
    with open(script, encoding="utf-8") as file:
        return "__main__" in file.read()


def benchmarks(build):
    """(name, command) of each."""
    program = os.path.join(build, "bin", "dyetrace")
    for script in sorted(glob.glob(os.path.join(HERE, "*.py"))):
        if os.path.basename(script) != os.path.basename(__file__) and is_program(script):
            yield os.path.basename(script), [sys.executable, script, "--program", program]
    for path in sorted(glob.glob(os.path.join(build, "tests", "bin", "*_bench"))):
        yield os.path.basename(path), [path]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()

    failed = []
    for name, command in benchmarks(arguments.build):
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        print(f"== {name}", flush=True)
        begin = time.monotonic()
        status = subprocess.run(command, cwd=os.path.join(HERE, "..", ".."), check=False).returncode
        print(f"== {name}: {'done' if status == 0 else f'exit {status}'} after {time.monotonic() - begin:.0f} s\n", flush=True)
        if status != 0:
            failed.append(name)
    if failed:
        print("failed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
