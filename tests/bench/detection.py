#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How soon the health service notices a link that loses packets, beside the least that any sequential test needs, how
often it names that link first, and how often it says anything where nothing is broken.

    tests/bench/detection.py --program build/bin/dyetrace --seeds 1..40

Each seed draws another link of a fat-tree of k = 8 (scenarios/detection.toml). Of a session whose paths cross it, what
counts is the packets of those paths that the service had records of between the fault and the state `degraded`.
Wald's expected sample (Annals of Mathematical Statistics 16, 1945) is what a test needs on average that knows the
true rate, at the level that the service told with the state:

    E[N] = ln((1 - miss) / level) / (p ln(p / p0) - (p - p0))

Where nothing is broken, hosts answer one another in incasts (scenarios/incast.toml at k = 8): queues overflow.
"""
import argparse
import concurrent.futures
import json
import math
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile

from gray_link import first_link, links_between_aggregation_and_core, seed_range

BASELINE = 1e-5  # loss rate of a sound path, as the service assumes it
MISS = 1e-2
FAULT_NS = 200_000_000  # when scenarios/detection.toml breaks the link
FOREVER_NS = 1 << 62
K = 8
DELAY_MOST = 1.2   # of Wald's sample
FIRST_LEAST = 0.95  # of the seeds name the link first
NOTICED_LEAST = 0.95  # of the sessions, or the rest would hide how long it takes


def run(options, scenario, database, seed, settings):
    arguments = [options.program, "-j", "run", scenario, "-o", database, "--seed", str(seed)]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def wald_sample(level, rate):
    """Packets that a test of that level needs on average at that rate."""
    return math.log((1 - MISS) / level) / (rate * math.log(rate / BASELINE) - (rate - BASELINE))


def paths_across(db, link):
    """{session: [(path index, generation), ...]} of the learned paths that cross the link."""
    found = {}
    rows = db.execute("""
        SELECT p.session, p.path_index, p.generation FROM paths p
        JOIN path_hops a ON a.path = p.id JOIN path_hops b ON b.path = p.id AND b.hop = a.hop + 1
        JOIN nodes na ON na.id = a.node JOIN nodes nb ON nb.id = b.node
        WHERE na.name = ? AND nb.name = ?""", link)
    for session, path, generation in rows:
        found.setdefault(session, []).append((path, generation))
    return found


def packets(db, session, paths, until_ns):
    """Sent on these paths by the records up to then, and the most that one record added."""
    total = step = 0
    for path, generation in paths:
        sent = [row[0] for row in db.execute(
            "SELECT sent FROM path_records WHERE session = ? AND path_index = ? AND generation = ? AND t_ns <= ? ORDER BY t_ns",
            (session, path, generation, until_ns))]
        total += sent[-1] if sent else 0
        step = max([step] + [b - a for a, b in zip(sent, sent[1:])])
    return total, step


def level_of(reason):
    """The level that a state was taken at: what the e-value had to exceed is its reciprocal."""
    found = re.search(r"above 10\^([0-9.]+)", reason)
    if not found:
        sys.exit(f"this reason tells no level: {reason}")
    return 10 ** -float(found.group(1))


class Crossing:
    """A session whose paths cross the link: the packets on them until it was noticed, or until the run was over."""

    def __init__(self, sample, window, level):
        self.sample, self.window, self.level = sample, window, level


def sessions_across(database, link):
    """A `Crossing` of each; its level is None where nobody noticed."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        for session, paths in paths_across(db, link).items():
            row = db.execute("""
                SELECT d.t_ns, d.reason FROM detections d JOIN sessions s ON s.id = ?
                JOIN nodes r ON r.id = s.requester_node JOIN nodes a ON a.id = s.acceptor_node
                WHERE d.subject = r.name || ' > ' || a.name AND d.kind = 'loss' AND d.state IN ('degraded', 'failed')
                AND d.t_ns > ? ORDER BY d.t_ns LIMIT 1""", (session, FAULT_NS)).fetchone()
            before, _ = packets(db, session, paths, FAULT_NS)
            after, window = packets(db, session, paths, row[0] if row else FOREVER_NS)
            if after > before:
                yield Crossing(after - before, window, level_of(row[1]) if row else None)


def faulty_run(options, seed, rate, duration):
    link = random.Random(seed).choice(list(links_between_aggregation_and_core(K)))
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "run.db")
        shown = run(options, "scenarios/detection.toml", database, seed,
                    {"fault.0.from": link[0], "fault.0.to": link[1], "fault.0.probability": rate,
                     "run.duration": duration})
        return first_link(shown["suspects"]) == link, list(sessions_across(database, link))


def sound_run(options, seed):
    """(sessions that were called faulty, incidents opened, suspects named) where there are only incasts."""
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "run.db")
        shown = run(options, "scenarios/incast.toml", database, seed,
                    {"fabric.k": K, "workload.1.fan_in": 16, "workload.1.receivers": 4})
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            lost = db.execute("SELECT sum(data_packets) FROM truth_drops").fetchone()[0] or 0
            ill = db.execute("SELECT count(*) FROM detections WHERE state IN ('degraded', 'failed') "
                             "AND kind <> 'congestion'").fetchone()[0]
            incidents = db.execute("SELECT count(*) FROM incidents").fetchone()[0]
        return lost, ill, incidents, len(shown["suspects"])


def judge_rate(options, pool, rate, duration):
    """Prints a row; returns whether its limits hold."""
    runs = list(pool.map(lambda seed: faulty_run(options, seed, rate, duration), options.seeds))
    first = sum(named for named, _ in runs)
    sessions = [session for _, crossing in runs for session in crossing]
    noticed = [session for session in sessions if session.level is not None]
    if not noticed:
        print(f"{rate:>8.2%}  no session was called degraded")
        return False
    sample = statistics.mean(session.sample for session in sessions)
    window = statistics.mean(session.window for session in sessions)
    limit = statistics.mean(wald_sample(session.level, rate) for session in noticed)
    ratio = (sample - window) / limit
    holds = ratio <= DELAY_MOST and first >= FIRST_LEAST * len(runs) and len(noticed) >= NOTICED_LEAST * len(sessions)
    print(f"{rate:>8.2%}  {len(sessions):>8}  {len(noticed):>7}  {sample:>9.0f}  {window:>8.0f}  {limit:>7.0f}  {ratio:>9.2f}  "
          f"{first:>5} of {len(runs)}  {'holds' if holds else 'MISSED'}", flush=True)
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/dyetrace")
    parser.add_argument("--seeds", type=seed_range, default=range(1, 41))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        print(f"{'loss':>8}  {'sessions':>8}  {'noticed':>7}  {'packets':>9}  {'a record':>8}  {'Wald':>7}  {'ratio':>9}  "
              f"{'first':>5}")
        held = [judge_rate(options, pool, 0.01, "700ms"), judge_rate(options, pool, 0.001, "4500ms")]
        sound = list(pool.map(lambda seed: sound_run(options, seed), options.seeds))
    lost, ill, incidents, suspects = (sum(column) for column in zip(*sound))
    print(f"packets are those of the sick paths, from the fault to the state; ratio is without one record's, at most {DELAY_MOST}")
    print(f"nothing broken, incasts lose {lost} packets in {len(sound)} runs: {ill} sessions called faulty, {incidents} incidents "
          f"opened, {suspects} suspects named")
    held.append(ill + suspects == 0 and lost > 0)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
