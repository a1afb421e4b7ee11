#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles each public header of the ns-3 module alone, in the oldest and in a newer language that its users may have.

    public_headers.py --compiler g++ --include BUILD/include --module ns3-module

A program that uses the module sees the headers as they are laid out in FOLDER/ns3, and neither core nor the rest of this tree; it
may be C++17 (ns-3 up to 3.40). So a header that needs core, a newer language, or another header to be included before it, fails
here and not at a user's desk.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

STANDARDS = ("c++17", "c++20")


def compile_alone(compiler, include, standard, header):
    command = [compiler, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", include, "-x", "c++", "-"]
    source = f'#include "ns3/{header}"\n'
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else f"{header}: not usable alone as {standard}\n{run.stderr}"


def public_headers(include, module):
    """The headers laid out, less those whose origin has gone since."""
    origins = {name for folder in ("model", "helper") for name in os.listdir(os.path.join(module, folder))}
    return sorted(name for name in os.listdir(os.path.join(include, "ns3")) if name.endswith(".h") and name in origins)


def check(compiler, include, module):
    headers = public_headers(include, module)
    if not headers:
        return ["no public header is laid out"]
    jobs = [(standard, header) for standard in STANDARDS for header in headers]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for text in pool.map(lambda job: compile_alone(compiler, include, *job), jobs) if text]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", required=True)
    parser.add_argument("--module", required=True)
    arguments = parser.parse_args()
    problems = check(arguments.compiler, arguments.include, arguments.module)
    print("\n".join(problems + [f"public headers: {len(problems)} not usable"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
