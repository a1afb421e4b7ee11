#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What two engines measured across a bad network, beside what the reference computes from the captures of both ends.

    engine_test.py ENGINE_CAPTURES [--seeds A..B]

Every figure of every path has to be equal, but where TOLERANCE allows for rounding. VXLAN has no options, so there the counts of all
packets are all that is measured.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import pcap_reference

EXACT = [
    "sent", "received", "lost", "tracked_sent", "tracked_received", "tracked_lost", "duplicates", "late", "extent_max", "ce", "ecn_invalid",
    "ttl_changes", "corrupted", "delay_count", "jitter_ns", "ipdv_sum_ns",
]  # fmt: skip
TOLERANCE = {"delay_min_ns": 1, "delay_max_ns": 1, "delay_mean_ns": 1}
COUNTED = ("sent", "received", "lost")
NAMED = ("source", "destination", "session", "path", "generation")


def with_mean(figures):
    return figures | {"delay_mean_ns": figures["delay_sum_ns"] / figures["delay_count"] if figures["delay_count"] else None}


class Table:
    def __init__(self, metrics):
        self.rows = {name: [0, 0, 0, 0] for name in metrics}  # engine, reference, largest difference, paths
        self.failures = []

    def compare(self, where, engine, reference):
        for name, row in self.rows.items():
            ours, theirs = engine[name], reference[name]
            if theirs is None:
                if engine["delay_count"]:
                    self.failures.append(f"{where}: {name} {ours}, reference has none")
                continue
            difference = abs(ours - theirs)
            row[0] += ours
            row[1] += theirs
            row[2] = max(row[2], difference)
            row[3] += 1
            if difference > TOLERANCE.get(name, 0):
                self.failures.append(f"{where}: {name} {ours}, reference {theirs}")

    def show(self, title):
        print(f"{title + ': metric':18} {'engine':>20} {'reference':>20} {'largest difference':>20} {'paths':>6}")
        for name, (ours, theirs, difference, paths) in self.rows.items():
            if name in TOLERANCE:
                ours, theirs = (f"{value / paths if paths else 0:.3f}" for value in (ours, theirs))
            print(f"{name:18} {ours:>20} {theirs:>20} {difference:>20.6g} {paths:>6}")


def judge(folder, table, where):
    records = {tuple(record[name] for name in NAMED): record for record in json.loads((folder / "records.json").read_text())}
    for sender in (0, 1):
        captures = (folder / f"{sender}.sent.pcap", folder / f"{1 - sender}.arrived.pcap")
        for path in pcap_reference.judge(*(pcap_reference.Capture(one, 0xFFFFFF) for one in captures))["paths"]:
            key = tuple(path[name] for name in NAMED)
            name = f"{where}, {key}"
            if any(interval["state"] == "open" for interval in path["intervals"]):
                table.failures.append(f"{name}: an interval without an end")
            elif key not in records:
                table.failures.append(f"{name}: never reported")
            else:
                table.compare(name, with_mean(records.pop(key)), with_mean(path["total"]))
    for key in records:
        table.failures.append(f"{where}, {key}: reported, and the reference saw no interval")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seeds", default="1..6", help="first..last")
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("..")
    failures = []
    for underlay in ("ipv4", "ipv6", "vxlan"):
        table = Table(COUNTED if underlay == "vxlan" else EXACT + list(TOLERANCE))
        for seed in range(int(first), int(last or first) + 1):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([arguments.program, folder, str(seed), underlay], check=True)
                judge(pathlib.Path(folder), table, f"{underlay}, seed {seed}")
        table.show(underlay)
        failures += table.failures
        failures += [f"{underlay}, {name}: nothing happened that it counts" for name, row in table.rows.items() if not row[1]]
    for failure in failures[:20]:
        print(failure)
    print(f"seeds {arguments.seeds}: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
