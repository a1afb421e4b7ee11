#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each file, function and test that docs/rfc-map.md names exists, and each row of its tables has all three."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]


def tests_of(root):
    """Suite.Name of every GoogleTest; the fixture's name stands for parametrised ones too."""
    names = set()
    for source in (root / "tests").rglob("*_test.cpp"):
        for suite, name in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source.read_text()):
            names.add(f"{suite}.{name}")
    return names


def rows_of(page):
    """The cells of each row below a header that ends with "test"."""
    in_table = False
    for line in page.splitlines():
        if not line.startswith("|"):
            in_table = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1] == "test":
            in_table = True
        elif in_table and not set(line) <= set("|-"):
            yield cells


def problems(root):
    known = tests_of(root)
    rows = list(rows_of((root / "docs" / "rfc-map.md").read_text()))
    if len(rows) < 40:
        yield f"only {len(rows)} rows were found"
    for section, _, requirement, code, test in rows:
        where = f"{section}, {requirement[:40]}"
        if code == test == "see there":
            continue
        path, *names = re.findall(r"`([^`]+)`", code)
        source = root / path
        if not source.is_file():
            yield f"{where}: {path} does not exist"
            continue
        text = source.read_text()
        if not names:
            yield f"{where}: names nothing in {path}"
        for name in names:
            if not re.search(rf"\b{re.escape(name)}\b", text):
                yield f"{where}: {name} is not in {path}"
        named = re.findall(r"`([^`]+)`", test)
        if not named:
            yield f"{where}: has no test"
        for name in named:
            if name not in known:
                yield f"{where}: there is no test {name}"


found = list(problems(ROOT))
print("\n".join(found) if found else "every name on docs/rfc-map.md is in the tree")
sys.exit(1 if found else 0)
