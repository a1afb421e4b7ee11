#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails where clang-format would change a source; with --fix it changes them.

    format.py [--fix]
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys

import sources

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Versions differ in taste; this is Debian 12's.
VERSION = "14"


def formatted(program, path):
    return subprocess.run([program, "--style=file", path], cwd=ROOT, check=True, capture_output=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true")
    fix = parser.parse_args().fix

    program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
    if not program:
        print(f"format: clang-format {VERSION} is not installed")
        return 1
    paths = sources.cpp_files(ROOT)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda path: formatted(program, path), paths))
    changed = []
    for path, result in zip(paths, results):
        full = os.path.join(ROOT, path)
        with open(full, "rb") as file:
            if file.read() == result:
                continue
        changed.append(path)
        if fix:
            with open(full, "wb") as file:
                file.write(result)
    for path in changed:
        print(f"{path}:1: {'formatted' if fix else 'not in the format (make format)'}")
    print(f"format: {len(changed)} of {len(paths)} files {'changed' if fix else 'differ'}")
    return 1 if changed and not fix else 0


if __name__ == "__main__":
    sys.exit(main())
