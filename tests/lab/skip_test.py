#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab skips with the reason where it cannot run, and fails there with LAB=require.

    skip_test.py EPPCD
"""

import os
import shutil
import subprocess
import sys

from lab_program import RUN_LAB, SKIPPED

# Root without the capability that makes namespaces.
WITHOUT_NAMESPACES = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]


def run(command, lab, **environment):
    done = subprocess.run(
        command, env={**os.environ, "LAB": lab, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60
    )
    return done.returncode, done.stderr


def expect(what, result, status, words):
    ok = result[0] == status and words in result[1]
    print(f"{'ok' if ok else 'FAILED'}: {what}: status {result[0]}, {result[1].strip()!r}")
    return ok


def main():
    lab = [sys.executable, RUN_LAB, "--eppcd", sys.argv[1]]
    without_tools = {"PATH": "/nonexistent"}
    ok = expect("a tool is missing", run(lab, "", **without_tools), SKIPPED, "skipped: not installed: ")
    ok &= expect("the same, required", run(lab, "require", **without_tools), 1, "failed: not installed: ")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        forbidden = WITHOUT_NAMESPACES + lab
        ok &= expect("no namespaces", run(forbidden, ""), SKIPPED, "skipped: this machine forbids namespaces")
        ok &= expect("the same, required", run(forbidden, "require"), 1, "failed: this machine forbids namespaces")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
