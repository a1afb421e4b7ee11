#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How soon the health service notices a link that loses packets, beside the least that any sequential test needs, how
often it names that link first, and how often it says anything where nothing is broken.

    tests/bench/detection.py --program build/bin/dyetrace --seeds 1..40
    tests/bench/detection.py --part 1% --seeds 21..60 --results detection.jsonl   # goes on where it was stopped

Each seed draws another link of a fat-tree of k = 8 (scenarios/detection.toml). Of a session whose paths cross it, what
counts is the packets that were sent on those paths after the fault and that the service had a record of when it called
the session degraded; of the record that spans the fault, the part behind it (the senders keep a steady pace). Records
that were under way do not count. A report interval's packets on those paths are allowed for: evidence comes in reports.

Wald's expected sample (Annals of Mathematical Statistics 16, 1945) is what a test needs on average that begins at the
fault and knows the true rate, at the level that the service told with the state. Its overshoot is left out:

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
REPORT_NS = 20_000_000  # its report interval
K = 8
DELAY_MOST = 1.2   # of Wald's sample
FIRST_LEAST = 0.95  # of the seeds name the link first
NOTICED_LEAST = 0.95  # of the sessions, or the rest would hide how long it takes
RATES = {"1%": (0.01, "700ms"), "0.1%": (0.001, "4500ms")}  # loss of the link, and how long a run is
PARTS = [*RATES, "incast"]


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


def records(db, session, path):
    """(row, time, sent, received) of a path in the order in which the service got them; each holds totals."""
    return db.execute("SELECT id, t_ns, sent, received FROM path_records WHERE session = ? AND path_index = ? "
                      "AND generation = ? ORDER BY id", (session, *path)).fetchall()


def noticed(db, session):
    """(row of the record that decided, reason) where the session was called degraded after the fault, else None."""
    state = db.execute("""
        SELECT d.t_ns, d.reason FROM detections d JOIN sessions s ON s.id = ?
        JOIN nodes r ON r.id = s.requester_node JOIN nodes a ON a.id = s.acceptor_node
        WHERE d.subject = r.name || ' > ' || a.name AND d.kind = 'loss' AND d.state IN ('degraded', 'failed')
        AND d.t_ns > ? ORDER BY d.t_ns LIMIT 1""", (session, FAULT_NS)).fetchone()
    if state is None:
        return None
    # It was decided by the last window with a loss that the service took in at that moment.
    windows = db.execute("SELECT path_index, generation, sent, lost FROM evidence WHERE session = ? AND t_ns = ?",
                         (session, state[0])).fetchall()
    rows = []
    for path, generation, sent, lost in windows:
        known = [r for r in records(db, session, (path, generation)) if r[1] <= state[0]]
        rows += [b[0] for a, b in zip(known, known[1:])
                 if b[2] - a[2] == sent and (b[2] - b[3]) - (a[2] - a[3]) == lost]
    if not rows:  # whatever was measured by then, though some of it was still under way
        rows = [row[0] for row in db.execute("SELECT max(id) FROM path_records WHERE session = ? AND t_ns <= ?",
                                             (session, state[0]))]
    return max(rows), state[1]


def packets_after_fault(rows, last_row):
    """Sent after the fault by the records up to `last_row`, and in a report interval on the whole."""
    total = 0.0
    for before, now in zip(rows, rows[1:]):
        if now[1] <= FAULT_NS or (last_row is not None and now[0] > last_row):
            continue
        span = now[1] - before[1]
        total += (now[2] - before[2]) * min(1.0, (now[1] - FAULT_NS) / span if span > 0 else 1.0)
    span = rows[-1][1] - rows[0][1] if rows else 0
    return total, (rows[-1][2] - rows[0][2]) / span * REPORT_NS if span > 0 else 0.0


def level_of(reason):
    """The level that a state was taken at: what the e-value had to exceed is its reciprocal."""
    found = re.search(r"above 10\^([0-9.]+)", reason)
    if not found:
        sys.exit(f"this reason tells no level: {reason}")
    return 10 ** -float(found.group(1))


def sessions_across(database, link):
    """[packets until it was noticed or the run was over, packets in a report interval, level or None] of each."""
    found = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        for session, paths in sorted(paths_across(db, link).items()):
            state = noticed(db, session)
            counts = [packets_after_fault(records(db, session, path), state and state[0]) for path in paths]
            sample, interval = (sum(column) for column in zip(*counts))
            if sample > 0:
                found.append([sample, interval, level_of(state[1]) if state else None])
    return found


def faulty_run(options, part, seed):
    rate, duration = RATES[part]
    link = random.Random(seed).choice(list(links_between_aggregation_and_core(K)))
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "run.db")
        shown = run(options, "scenarios/detection.toml", database, seed,
                    {"fault.0.from": link[0], "fault.0.to": link[1], "fault.0.probability": rate,
                     "run.duration": duration})
        return {"first": first_link(shown["suspects"]) == link, "sessions": sessions_across(database, link)}


def sound_run(options, _part, seed):
    """Sessions that were called faulty, incidents opened, suspects named, where there are only incasts."""
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "run.db")
        shown = run(options, "scenarios/incast.toml", database, seed,
                    {"fabric.k": K, "workload.1.fan_in": 16, "workload.1.receivers": 4})
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            lost = db.execute("SELECT sum(data_packets) FROM truth_drops").fetchone()[0] or 0
            ill = db.execute("SELECT count(*) FROM detections WHERE state IN ('degraded', 'failed') "
                             "AND kind <> 'congestion'").fetchone()[0]
            incidents = db.execute("SELECT count(*) FROM incidents").fetchone()[0]
        return {"lost": lost, "ill": ill, "incidents": incidents, "suspects": len(shown["suspects"])}


def results_of(options, pool, part):
    """Of each seed; what the results file holds already is not run again."""
    known = {}
    if options.results and os.path.exists(options.results):
        with open(options.results, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        known = {row["seed"]: row for row in rows if row["part"] == part}

    def one(seed):
        if seed not in known:
            known[seed] = {"part": part, "seed": seed, **(faulty_run if part in RATES else sound_run)(options, part, seed)}
            if options.results:
                with open(options.results, "a", encoding="utf-8") as file:
                    file.write(json.dumps(known[seed]) + "\n")
        return known[seed]

    return list(pool.map(one, options.seeds))


def judge_rate(part, runs):
    """Prints a row; returns whether its limits hold."""
    rate = RATES[part][0]
    first = sum(one["first"] for one in runs)
    sessions = [session for one in runs for session in one["sessions"]]
    levels = [level for _, _, level in sessions if level is not None]
    if not levels:
        print(f"{part:>6}  no session was called degraded")
        return False
    sample, interval = (statistics.mean(column) for column in list(zip(*sessions))[:2])
    limit = statistics.mean(wald_sample(level, rate) for level in levels)
    ratio = (sample - interval) / limit
    error = statistics.pstdev(s - i for s, i, _ in sessions) / math.sqrt(len(sessions)) / limit
    holds = ratio <= DELAY_MOST and first >= FIRST_LEAST * len(runs) and len(levels) >= NOTICED_LEAST * len(sessions)
    print(f"{part:>6}  {len(sessions):>8}  {len(levels):>7}  {sample:>8.0f}  {interval:>8.0f}  {limit:>6.0f}  "
          f"{sample / limit:>6.2f}  {ratio:>6.2f} +- {error:.2f}  {first:>5} of {len(runs)}  "
          f"{'holds' if holds else 'MISSED'}", flush=True)
    return holds


def judge_sound(runs):
    lost, ill, incidents, suspects = (sum(one[key] for one in runs) for key in ("lost", "ill", "incidents", "suspects"))
    print(f"nothing broken, incasts lose {lost} packets in {len(runs)} runs: {ill} sessions called faulty, {incidents} "
          f"incidents opened, {suspects} suspects named", flush=True)
    return ill + suspects == 0 and lost > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/dyetrace")
    parser.add_argument("--seeds", type=seed_range, default=range(1, 41))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; may be repeated")
    parser.add_argument("--results", help="file that gets each seed's result, and is not run again")
    options = parser.parse_args()

    held = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        print(f"{'loss':>6}  {'sessions':>8}  {'noticed':>7}  {'packets':>8}  {'interval':>8}  {'Wald':>6}  {'all':>6}  "
              f"{'ratio':>14}  {'first':>5}   (ratio: packets less those of a report interval, at most {DELAY_MOST})")
        for part in options.part or PARTS:
            runs = results_of(options, pool, part)
            held.append(judge_rate(part, runs) if part in RATES else judge_sound(runs))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
