#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws docs/figures/topology-*.svg from what `dyetrace run` records of a fabric: names, tiers, places, links.

    make_topologies.py [build/bin/dyetrace]
"""
import math
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDTH, HEIGHT, MARGIN = 760, 300, 30
COLOURS = {"host": "#9db4c0", "edge": "#5c8ca6", "agg": "#3e6c8f", "core": "#1f4068"}
FIGURES = {  # name: what to set
    "fat-tree": ["k=4"],
    "leaf-spine": ["kind=leaf-spine", "leaves=6", "spines=3", "hosts_per_rack=4", "uplink_rate=2Gbps"],
    "clos": ["kind=clos", "pods=3", "edges=3", "planes=2", "spines=3", "hosts_per_rack=3", "core_rate=10Gbps"],
    "jellyfish": ["kind=jellyfish", "switches=14", "degree=4", "hosts_per_rack=1"],
    "alps": ["kind=graphml", "file=alps", "hosts_per_node=2"],
    "campus": ["kind=edge-list", "file=campus"],
}


def recorded(program, settings):
    """Nodes and cables of a fabric, from the database of a run that is over as soon as it begins."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/run.db"
        words = [program, "run", f"{ROOT}/scenarios/quiet.toml", "-o", database]
        for one in ["run.duration=1ms", "run.drain=0s"] + ["fabric." + setting for setting in settings]:
            words += ["--set", one]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with sqlite3.connect(database) as run:
            nodes = run.execute("SELECT id, name, kind, pod, position FROM nodes ORDER BY id").fetchall()
            links = run.execute("SELECT from_node, to_node, rate_bps FROM links WHERE from_node < to_node").fetchall()
    return nodes, links


def rows(nodes):
    """Tier by tier from the top, pods side by side, each in the order of its positions."""
    tiers = [tier for tier in ("core", "agg", "edge", "host") if any(node[2] == tier for node in nodes)]
    places = {}
    for row, tier in enumerate(tiers):
        members = sorted((node for node in nodes if node[2] == tier), key=lambda n: (n[3] is None, n[3], n[4]))
        for i, node in enumerate(members):
            x = MARGIN + (WIDTH - 2 * MARGIN) * (i + 0.5) / len(members)
            places[node[0]] = (x, MARGIN + (HEIGHT - 2 * MARGIN) * row / (len(tiers) - 1))
    return places


def ring(nodes, links):
    """Switches on an ellipse, each host outside of its switch."""
    switches = [node[0] for node in nodes if node[2] != "host"]
    order = {node[0]: node[4] for node in nodes}
    switches.sort(key=lambda node: order[node])
    hosts = {switch: [] for switch in switches}
    for a, b, _ in links:
        if a not in hosts:
            hosts[b].append(a)
    places = {}
    for i, switch in enumerate(switches):
        # From the left over the top to the right, and back below.
        angle = math.pi + 2 * math.pi * i / len(switches)
        places[switch] = (WIDTH / 2 + 270 * math.cos(angle), HEIGHT / 2 + 95 * math.sin(angle))
        for n, host in enumerate(hosts[switch]):
            turn = angle + (n - (len(hosts[switch]) - 1) / 2) * 0.12
            places[host] = (WIDTH / 2 + 320 * math.cos(turn), HEIGHT / 2 + 130 * math.sin(turn))
    return places


def draw(nodes, links):
    tiers = {node[0]: node[2] for node in nodes}
    is_flat = any(tiers[a] == tiers[b] for a, b, _ in links)
    places = ring(nodes, links) if is_flat else rows(nodes)
    slowest = min(rate for _, _, rate in links)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="10">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for a, b, rate in links:
        (x1, y1), (x2, y2) = places[a], places[b]
        out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#8a9ba8" '
                   f'stroke-width="{0.7 + 0.8 * math.log10(rate / slowest):.2f}"/>')
    for node, name, kind, _, _ in nodes:
        x, y = places[node]
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3.5 if kind == "host" else 6}" fill="{COLOURS[kind]}"/>')
        if kind != "host":
            out.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle" fill="#223">{name}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else f"{ROOT}/build/bin/dyetrace"
    for name, settings in FIGURES.items():
        (HERE / f"topology-{name}.svg").write_text(draw(*recorded(program, settings)), encoding="utf-8")


if __name__ == "__main__":
    main()
