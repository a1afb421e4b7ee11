#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills the lab in the middle of its traffic, in every way, and looks for what is left: processes, network namespaces,
interfaces, files.

    leaves_nothing_test.py EPPCD
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

from lab_program import RUN_LAB, SKIPPED

MID_RUN = b"dropping"  # the last thing that it says before the traffic
PATIENCE_S = 20


def processes():
    """(pid, start time) -> (parent's pid, network namespace) of every process that we may look at."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            found[int(name), fields[19]] = (int(fields[1]), os.readlink(f"/proc/{name}/ns/net"))
        except OSError:
            continue  # it ended while we looked
    return found


def descendants(root):
    """Of the process `root`, with what `processes` knows of each."""
    everyone = processes()
    pids, found = {root}, {}
    grown = True
    while grown:
        new = {key: value for key, value in everyone.items() if value[0] in pids and key not in found}
        found.update(new)
        pids |= {pid for pid, _ in new}
        grown = bool(new)
    return found


def namespaces_in_use():
    """Network namespaces that some process is in, or holds open."""
    used = {namespace for _, namespace in processes().values()}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{name}/fd"):
                target = os.readlink(f"/proc/{name}/fd/{fd}")
                if target.startswith("net:["):
                    used.add(target)
        except OSError:
            continue
    return used


def surroundings():
    """What else a lab could leave behind."""
    named = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    with open("/proc/self/mountinfo") as file:
        mounts = {line.split()[4] for line in file}
    return {"interfaces": set(os.listdir("/sys/class/net")), "named namespaces": set(named), "mounts": mounts}


def start(eppcd, scratch):
    """The lab's process, in the middle of its traffic."""
    lab = subprocess.Popen(
        [sys.executable, RUN_LAB, "--seconds", "20", "--eppcd", eppcd],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": scratch},
    )  # fmt: skip
    said = b""
    while MID_RUN not in said:
        line = lab.stderr.readline()
        said += line
        if not line:
            status = lab.wait()
            print(said.decode(), file=sys.stderr)
            sys.exit(SKIPPED if status == SKIPPED else 1)
    time.sleep(1)
    return lab


def check(eppcd, number):
    """What is wrong after this signal, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        before = surroundings()
        lab = start(eppcd, scratch)
        children = descendants(lab.pid)
        own = os.readlink("/proc/self/ns/net")
        namespaces = {namespace for _, namespace in children.values()} - {own}
        if len(children) < 4 or len(namespaces) < 3:
            return [f"the lab had only {len(children)} processes in {len(namespaces)} namespaces: nothing is tested"]
        lab.send_signal(number)
        lab.wait(timeout=PATIENCE_S)
        problems = []
        # The kernel ends them at once, but not before our wait returns.
        deadline = time.monotonic() + PATIENCE_S
        while (left := children.keys() & processes().keys()) and time.monotonic() < deadline:
            time.sleep(0.05)
        if left:
            problems.append(f"processes {sorted(pid for pid, _ in left)} live on")
        if namespaces & namespaces_in_use():
            problems.append(f"namespaces {namespaces & namespaces_in_use()} are in use")
        after = surroundings()
        problems += [f"{what} {after[what] - before[what]}" for what in before if after[what] - before[what]]
        if os.listdir(scratch):
            problems.append(f"files {os.listdir(scratch)}")
        return problems


def main():
    failures = 0
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        problems = check(sys.argv[1], number)
        print(f"{number.name}: {'; '.join(problems) or 'nothing left'}")
        failures += bool(problems)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
