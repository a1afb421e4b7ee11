#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles each public header of the ns-3 module alone, in the oldest and in the newest language that its users may have.

    public_headers.py --compiler g++ --include FOLDER... HEADER...

A program that uses the module may be C++17 (ns-3 up to 3.40), so a header that needs more, or that needs another header to be
included before it, fails here and not at a user's desk.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile

STANDARDS = ("c++17", "c++20")


def compile_alone(compiler, include, standard, header):
    command = [compiler, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++"]
    command += [word for folder in include for word in ("-isystem", folder)] + ["-"]
    source = f'#include "{header}"\n'
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else f"{header}: not usable alone as {standard}\n{run.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", nargs="*", default=[])
    parser.add_argument("headers", nargs="+")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as flat:
        # As ns-3 installs them: all in one folder named ns3.
        os.mkdir(os.path.join(flat, "ns3"))
        for header in arguments.headers:
            os.symlink(os.path.abspath(header), os.path.join(flat, "ns3", os.path.basename(header)))
        jobs = [(standard, "ns3/" + os.path.basename(header)) for standard in STANDARDS for header in arguments.headers]
        include = [flat] + arguments.include
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [text for text in pool.map(lambda job: compile_alone(arguments.compiler, include, *job), jobs) if text]
    print("\n".join(problems + [f"public headers: {len(problems)} of {len(jobs)} compilations failed"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
