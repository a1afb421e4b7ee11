#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs clang-tidy over the project's sources and fails on any finding.

    tidy.py --build FOLDER [--jobs N] [PATH-PREFIX...]

FOLDER has a compile_commands.json made by clang. What was clean stays clean until its text, that of a header of ours that it
includes, its command or .clang-tidy changes: a second run looks only at what changed.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ROOMS = ("core/", "ns3-module/", "scenarios/", "analysis/", "host/", "gui/")
# Tests are read by people; GoogleTest's macros, and ns-3's, set off checks that are meant for other code.
TESTS = ("ns3-module/test/",)
# A file takes up to half a minute of processor time (ns-3's and Qt's headers), and longer on a busy machine.
ONE_FILE_TIMEOUT_S = 1200


def is_examined(path, prefixes):
    return path.startswith(prefixes) and not path.startswith(TESTS)


def own_dependencies(entry):
    """The file and the headers of ours that it includes."""
    command = [word for word in shlex.split(entry["command"]) if word not in ("-c",) and "ccache" not in os.path.basename(word)]
    output = command.index("-o")
    del command[output : output + 2]
    made = subprocess.run(command + ["-MM"], cwd=entry["directory"], check=True, capture_output=True, text=True).stdout
    paths = made.replace("\\\n", " ").split(":", 1)[1].split()
    absolute = [os.path.normpath(os.path.join(entry["directory"], path)) for path in paths]
    return sorted(path for path in absolute if path.startswith(ROOT + os.sep))


def fingerprint(entry):
    digest = hashlib.sha256(entry["command"].encode())
    for path in [os.path.join(ROOT, ".clang-tidy")] + own_dependencies(entry):
        with open(path, "rb") as file:
            digest.update(path.encode() + b"\0" + file.read())
    return digest.hexdigest()


def examine(build, entry):
    """The findings in one file ('' if there are none), and whether it had to be looked at."""
    try:
        clean = os.path.join(build, "tidy-clean", fingerprint(entry))
    except subprocess.CalledProcessError as error:
        return error.stderr, True
    if os.path.exists(clean):
        return "", False
    try:
        run = subprocess.run(
            ["clang-tidy", "-p", build, "--quiet", entry["file"]],
            cwd=ROOT, capture_output=True, text=True, timeout=ONE_FILE_TIMEOUT_S, check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{entry['file']}:1: clang-tidy took more than {ONE_FILE_TIMEOUT_S} s\n", True
    if run.returncode == 0 and "warning:" not in run.stdout:
        with open(clean, "w", encoding="utf-8"):
            pass
        return "", True
    errors = "\n".join(line for line in run.stderr.splitlines() if not re.match(r"\d+ warnings? generated|Suppressed|Use -", line))
    return run.stdout + errors, True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("prefixes", nargs="*", default=ROOMS)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)

    os.makedirs(os.path.join(build, "tidy-clean"), exist_ok=True)
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = [e for e in json.load(file) if is_examined(os.path.relpath(e["file"], ROOT), tuple(arguments.prefixes))]
    found = looked_at = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for entry, (text, looked) in zip(entries, pool.map(lambda e: examine(build, e), entries)):
            looked_at += looked
            if looked and sys.stdout.isatty():
                print(f"\r\033[Ktidy: {os.path.relpath(entry['file'], ROOT)}", end="", flush=True)
            if text:
                found += 1
                print(("\r\033[K" if sys.stdout.isatty() else "") + text.strip(), flush=True)
    print(("\r\033[K" if sys.stdout.isatty() else "") + f"tidy: {found} of {len(entries)} files with findings ({looked_at} looked at)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
