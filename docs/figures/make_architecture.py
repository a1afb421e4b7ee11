#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws docs/figures/architecture.svg: the rooms, who may depend on whom, and one packet's way."""
import pathlib

ROOMS = {  # name: (x, y, w, h, lines, colour)
    "core": (250, 60, 460, 250, [], "#eef4fb"),
    "base": (270, 100, 90, 40, ["base"], "#ffffff"),
    "wire": (380, 100, 90, 40, ["wire"], "#ffffff"),
    "auth": (490, 126, 90, 36, ["auth"], "#ffffff"),
    "tracking": (490, 76, 90, 36, ["tracking"], "#ffffff"),
    "session": (600, 100, 90, 40, ["session"], "#ffffff"),
    "eppc": (600, 170, 90, 44, ["eppc"], "#d7e8fa"),
    "localise": (380, 220, 90, 40, ["localise"], "#ffffff"),
    "health": (490, 220, 90, 44, ["health"], "#d7e8fa"),
    "ns3-module": (30, 350, 200, 56, ["ns3-module", "fabric, hosts, truth"], "#fdf3e3"),
    "runner": (250, 350, 200, 56, ["scenarios/runner", "dyetrace run"], "#fdf3e3"),
    "host": (730, 350, 200, 56, ["host", "eppcd, lab"], "#fdf3e3"),
    "reader": (30, 450, 200, 56, ["scenarios/reader", "TOML, distributions"], "#eef7ee"),
    "store": (250, 450, 200, 56, ["analysis/store", "SQLite, schema 1"], "#eef7ee"),
    "report": (490, 450, 200, 56, ["analysis", "planning, report, cli"], "#eef7ee"),
    "gui": (490, 350, 200, 56, ["gui/model, gui/view", "dyetrace-viewer"], "#eef7ee"),
}
ARROWS = [  # from uses to
    ("wire", "base"), ("auth", "wire"), ("tracking", "wire"), ("session", "auth"), ("session", "tracking"),
    ("eppc", "session"), ("localise", "wire"), ("health", "localise"), ("health", "auth"),
    ("ns3-module", "core"), ("runner", "ns3-module"), ("runner", "store"), ("runner", "reader"), ("host", "core"),
    ("report", "store"), ("gui", "store"),
]


def edge_point(box, towards):
    x, y, w, h = box[:4]
    cx, cy = x + w / 2, y + h / 2
    tx, ty = towards[0] + towards[2] / 2, towards[1] + towards[3] / 2
    dx, dy = tx - cx, ty - cy
    scale = min(w / 2 / abs(dx) if dx else 1e9, h / 2 / abs(dy) if dy else 1e9)
    return cx + dx * scale, cy + dy * scale


def draw():
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 540" font-family="sans-serif" font-size="14">',
           '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
           'orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#555"/></marker></defs>',
           '<rect width="960" height="540" fill="white"/>',
           '<text x="30" y="34" font-size="18" font-weight="bold">dyetrace: rooms and arrows (from user to used)</text>']
    for name, (x, y, w, h, lines, colour) in ROOMS.items():
        out.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="{colour}" stroke="#8aa"/>')
        if name == "core":
            out.append(f'<text x="{x + 12}" y="{y + h - 14}" fill="#456">core: sans-I/O, no ns-3, no Qt, no clock</text>')
        for i, line in enumerate(lines):
            weight = "bold" if i == 0 else "normal"
            size = 14 if i == 0 else 12
            offset = 5 if len(lines) == 1 else -3 + 18 * i
            out.append(f'<text x="{x + w / 2}" y="{y + h / 2 + offset}" text-anchor="middle" font-size="{size}" '
                       f'font-weight="{weight}">{line}</text>')
    for user, used in ARROWS:
        x1, y1 = edge_point(ROOMS[user], ROOMS[used])
        x2, y2 = edge_point(ROOMS[used], ROOMS[user])
        out.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#555" '
                   'marker-end="url(#a)"/>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    pathlib.Path(__file__).with_name("architecture.svg").write_text(draw(), encoding="utf-8")
