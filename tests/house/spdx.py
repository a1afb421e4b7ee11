#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails where a source file does not say its licence in its first lines, or says another than the project's.

    spdx.py [--root FOLDER]
"""

import argparse
import os
import re
import sys

import sources

SUFFIXES = sources.CPP_SUFFIXES + (".py", ".sh", ".cmake", ".toml", ".nft", ".service", ".gp", ".in", ".lua")
NAMES = {"CMakeLists.txt", "Makefile", "wscript", "packages.list", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore"}
EXEMPT = {".gitignore"}
LICENCE = "GPL-2.0-or-later"
FIRST_LINES = 3


def must_say(root, path):
    name = os.path.basename(path)
    if name in EXEMPT or path.startswith("tests/data/"):
        return False
    if name in NAMES or name.endswith(SUFFIXES):
        return True
    # Scripts without a suffix.
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def check(root):
    problems = []
    for path in sources.files(root):
        if os.path.islink(os.path.join(root, path)) or not must_say(root, path):
            continue
        head = "\n".join(sources.read(root, path).splitlines()[:FIRST_LINES])
        said = re.search(r"SPDX-License-Identifier: (\S+)", head)
        if not said:
            problems.append(f"{path}:1: no SPDX-License-Identifier in the first {FIRST_LINES} lines")
        elif said.group(1) != LICENCE:
            problems.append(f"{path}:1: {said.group(1)}, but the project's own code is {LICENCE}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    problems = check(os.path.abspath(parser.parse_args().root))
    print("\n".join(problems + [f"licences: {len(problems)} files do not say theirs"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
