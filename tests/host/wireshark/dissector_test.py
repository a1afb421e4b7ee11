#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tshark with dyetrace.lua finds every field of every message and option with its value, and is never led into an error of Lua.

    dissector_test.py DISSECTOR [--seed N] [--mutations N]
"""
import argparse
import collections
import importlib.util
import ipaddress
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import layouts
import packets
from packets import Packet

BITS = ("version", "short", "long", "length", "cut", "unknown", "not_oam")
MARKS = ["_ws.lua.error", "_ws.malformed", "dyetrace"] + [f"dyetrace.expert.{name}" for name in BITS]


class Tshark:
    """Wireshark's own answers, with the dissector loaded."""

    def __init__(self, dissector, folder):
        self.script = ["-X", f"lua_script:{dissector}"]
        self.folder = folder
        # A home of its own: no profile, and no other plugin, of whoever runs this.
        self.environment = dict(os.environ, HOME=str(folder), XDG_CONFIG_HOME=str(folder))
        listing = self.run(["-G", "fields"] + self.script)
        self.fields = {line.split("\t")[2]: line.split("\t")[3] for line in listing.splitlines() if line.startswith("F\t")}
        self.fields = {name: kind for name, kind in self.fields.items() if name.startswith("dyetrace.")}

    def run(self, arguments):
        done = subprocess.run(["tshark"] + arguments, capture_output=True, text=True, env=self.environment, check=False)
        complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line and line]
        if done.returncode or complaints:
            raise SystemExit(f"tshark {' '.join(arguments[:6])} ...: status {done.returncode}: {complaints}")
        return done.stdout

    def read(self, capture):
        """Per packet, a dictionary from field to its values, in order."""
        path = self.folder / "capture.pcap"
        packets.write_pcap(path, capture)
        names = MARKS + sorted(self.fields.keys() - set(MARKS))
        arguments = ["-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
        for name in names:
            arguments += ["-e", name]
        rows = [line.split("\t") for line in self.run(arguments + self.script).splitlines()]
        if len(rows) != len(capture):
            raise SystemExit(f"{len(capture)} packets, {len(rows)} rows")
        return [{name: text.split(",") for name, text in zip(names, row) if text} for row in rows]


class Judge:
    def __init__(self, tshark):
        self.tshark, self.failures, self.values = tshark, [], 0
        self.seen = collections.Counter()  # values other than zero, by field

    def fail(self, packet, text):
        self.failures.append(f"{packet.name}: {text}")

    def value(self, name, text):
        kind = self.tshark.fields["dyetrace." + name]
        if kind == "FT_IPv6":
            return ipaddress.IPv6Address(text)
        if kind == "FT_BYTES":
            return text.replace(":", "")
        if kind == "FT_BOOLEAN":
            return int(text in ("1", "True"))
        return int(text, 0)

    def compare(self, packet, row):
        """All the values, or those that come before the cut, and nothing else."""
        expected = collections.defaultdict(list)
        for name, value in packet.fields:
            expected[name].append(value)
        for full in self.tshark.fields:
            name = full.removeprefix("dyetrace.")
            if name.startswith("expert."):
                continue
            found = [self.value(name, text) for text in row.get(full, [])]
            wanted = expected[name]
            if found != (wanted if packet.whole else wanted[: len(found)]):
                self.fail(packet, f"{full}: {found}, wanted {wanted}")
            self.values += len(found)
            self.seen[name] += sum(1 for value in found if value)

    def good(self, capture):
        for packet, row in zip(capture, self.tshark.read(capture)):
            for mark in MARKS:
                if mark in row and mark != "dyetrace":
                    self.fail(packet, f"{mark} in a good packet")
            self.compare(packet, row)

    def bad(self, capture, remark):
        """Each of the packets must be remarked upon."""
        for packet, row in zip(capture, self.tshark.read(capture)):
            if "_ws.lua.error" in row:
                self.fail(packet, "an error of Lua")
            if remark and not any(f"dyetrace.expert.{name}" in row for name in remark):
                self.fail(packet, f"no remark of {remark}, but {[name for name in row if 'expert' in name]}")
            if packet.fields is not None:
                self.compare(packet, row)

    def any(self, capture):
        for packet, row in zip(capture, self.tshark.read(capture)):
            if "_ws.lua.error" in row:
                self.fail(packet, f"an error of Lua: {packet.frame.hex()}")


# Good packets ---------------------------------------------------------------------------------------------------------------------


def messages(rng):
    for kind in packets.TYPES_OF_EPPCS + packets.TYPES_OF_NHMS:
        for number in range(6):
            yield f"type {kind}, {number}", packets.message(kind, rng)


def option_sets(rng):
    """(name, options, what is found in them)"""
    track, report = packets.track_option(rng), packets.report_option(rng)
    ours = [packets.option(1, track), packets.option(2, report)]
    found = [layouts.decode_option(1, track), layouts.decode_option(2, report)]
    foreign = packets.option(7, b"abcd", option_class=0x0102)
    yield "track option", ours[0], found[0]
    yield "report option", ours[1], found[1]
    yield "both options", ours[0] + ours[1], found[0] + found[1]
    yield "foreign options around", foreign + ours[1] + packets.option(0, b"", option_class=0x0103) + ours[0] + foreign, found[1] + found[0]
    yield "foreign option", foreign, []
    yield "a foreign class of our type", packets.option(1, track, option_class=0xFF45), []
    yield "no option", b"", []


def good_packets(rng):
    for name, data in messages(rng):
        found = layouts.decode_message(data)
        for carrier, wrap in packets.carriers(data[1]):
            yield Packet(f"{name} in {carrier}", wrap(data), found)
        wrap = next(packets.carriers(data[1]))[1]
        yield Packet(f"{name} with padding", wrap(data + b"\x01\x02\x03"), found + [("padding", "010203")])
    for _ in range(6):
        for name, options, found in option_sets(rng):
            yield Packet(name, packets.data_packet(options), found)
            yield Packet(name + " over IPv6", packets.data_packet(options, packets.ipv6), found)


def guests_packets(rng):
    """What looks like ours inside a guest's frame, and is not."""
    data = packets.INNER_MACS + b"\x88\xb5" + packets.message(4, rng)
    yield Packet("a guest's frame of our EtherType, Geneve", packets.ipv4(packets.udp(49152, 6081, packets.geneve(0x6558, data, 1000))), [])
    yield Packet("a guest's frame of our EtherType, VXLAN", packets.ipv4(packets.udp(49152, 4789, packets.vxlan(1000, data))), [])
    yield Packet("a host's frame of our EtherType", data, [])


def vector_packets(vectors):
    """The vectors of an encoder that shares nothing with these tables: bodies, and whole packets."""
    kinds = {
        "request": 1, "accept": 2, "reject": 3, "marker": 4, "marker_ack": 5, "report": 6, "report_ack": 7, "close": 8, "path_trace": 10,
        "path_trace_reply": 11, "challenge": 13, "delay_sketch": 14, "update": 32, "directive": 34, "directive_result": 35,
    }  # fmt: skip
    for name, (_, data) in vectors.items():
        if name in kinds:
            whole = struct.pack(">BBBBHHIIQQ", 1, kinds[name], 1, 0, 48 + len(data), 0, 0xA1B2C3D4, 7, 1, 2) + data + bytes(16)
            yield Packet(f"vector {name}", next(packets.carriers(kinds[name]))[1](whole), layouts.decode_message(whole))
        elif name == "control_message":
            yield Packet(f"vector {name}", next(packets.carriers(data[1]))[1](data), layouts.decode_message(data))
        elif name in ("track_option", "report_option"):
            kind = 1 if name == "track_option" else 2
            yield Packet(f"vector {name}", packets.data_packet(data), layouts.decode_option(kind, data[4:]))
        elif name == "tracked_packet":
            yield Packet(f"vector {name}", data, layouts.decode_option(1, data[54:94]))


# Bad packets ----------------------------------------------------------------------------------------------------------------------


def cut_messages(rng):
    """Every message of all types, cut after every byte, in outer headers that fit."""
    for kind in packets.TYPES_OF_EPPCS + packets.TYPES_OF_NHMS:
        data = packets.message(kind, rng)
        wrap = next(packets.carriers(kind))[1]
        for length in range(1, len(data)):
            there = data[:length]
            yield Packet(f"type {kind} cut to {length}", wrap(there), layouts.decode_message(there, cut=True))


def short_bodies(rng):
    """Bodies cut after every byte, in envelopes that agree, and bodies that are too long."""
    for kind in packets.TYPES_OF_EPPCS + packets.TYPES_OF_NHMS:
        data = packets.body(kind, rng)
        wrap = next(packets.carriers(kind))[1]
        lengths = range(len(data))
        if kind == 14:  # what follows its header is the sketch's, whatever its length
            lengths = range(layouts.size_of(layouts.SKETCH))
        for length in lengths:
            yield Packet(f"body of type {kind} cut to {length}", wrap(packets.message(kind, rng, data[:length])), None)
        if kind != 14:
            yield Packet(f"body of type {kind} too long", wrap(packets.message(kind, rng, data + b"\x07")), None)


def bad_options(rng):
    for kind, data in ((1, packets.track_option(rng)), (2, packets.report_option(rng))):
        for words in range(len(data) // 4):
            found = layouts.decode_option(kind, data[: 4 * words], cut=True)
            options = packets.option(kind, data[: 4 * words])
            yield Packet(f"option {kind} of {words} words", packets.data_packet(options), found)
            # It says its full length, but the options end before that.
            options = packets.option(kind, data[: 4 * words], words=len(data) // 4)
            yield Packet(f"option {kind}, {words} words there", packets.data_packet(options), found)
    yield Packet("track option too long", packets.data_packet(packets.option(1, packets.track_option(rng) + bytes(4))), None)
    yield Packet("option of an unknown type", packets.data_packet(packets.option(9, bytes(8))), None)


def odd_messages(rng):
    for kind in (0, 15, 31, 37, 255):
        yield Packet(f"unknown type {kind}", next(packets.carriers(1))[1](packets.message(kind, rng, b"abc")), None)
    data = packets.message(4, rng)
    for version in (0, 2, 255):
        yield Packet(f"version {version}", next(packets.carriers(4))[1](bytes([version]) + data[1:]), None)
    for length in (0, 1, 47, len(data) + 1, 65535):
        yield Packet(f"length {length}", next(packets.carriers(4))[1](data[:4] + struct.pack(">H", length) + data[6:]), None)
    newer = packets.message(32, rng, struct.pack(">HH", 2, 0) + packets.entry(9, rng) + packets.entry(3, rng))
    yield Packet("an entry of an unknown kind", next(packets.carriers(32))[1](newer), layouts.decode_message(newer))
    yield Packet("without the O bit", packets.ipv4(packets.udp(49152, 6081, packets.geneve(0x88B5, data))), None)


def snapped(rng, some):
    """Captured in part: whatever is shown is right."""
    for packet in some:
        for captured in rng.sample(range(1, len(packet.frame)), 12):
            yield Packet(f"{packet.name}, {captured} captured", packet.frame, packet.fields, whole=False, captured=captured)


def mutated(rng, some, count):
    for number in range(count):
        packet = rng.choice(some)
        frame = bytearray(packet.frame)
        for _ in range(rng.choice([1, 1, 2, 4, 16])):
            at = rng.randrange(34, len(frame))
            way = rng.randrange(4)
            if way == 0:
                frame[at] ^= 1 << rng.randrange(8)
            elif way == 1:
                frame[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
            elif way == 2 and len(frame) > 50:
                del frame[at : at + rng.randrange(1, 9)]
            else:
                frame[at:at] = rng.randbytes(rng.randrange(1, 9))
            if len(frame) < 40:
                break
        yield Packet(f"mutation {number} of {packet.name}", bytes(frame), None, captured=rng.choice([0, 0, 0, len(frame) - 1]))


def load_vectors():
    path = pathlib.Path(__file__).resolve().parents[2] / "data" / "wire" / "make_vectors.py"
    spec = importlib.util.spec_from_file_location("make_vectors", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VECTORS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dissector", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutations", type=int, default=4000)
    arguments = parser.parse_args()
    if shutil.which("tshark") is None:
        print("skipped: not installed: tshark")
        return 77
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Tshark(arguments.dissector.resolve(), pathlib.Path(folder)))
        good = list(good_packets(rng))
        vectors = list(vector_packets(load_vectors()))
        counts = {}

        def step(name, capture, how, *rest):
            capture = list(capture)
            counts[name] = len(capture)
            how(capture, *rest)

        step("good", good, judge.good)
        step("vectors", vectors, judge.good)
        step("guests'", guests_packets(rng), judge.good)
        step("cut", cut_messages(rng), judge.bad, ("short", "length"))
        step("bodies cut or long", short_bodies(rng), judge.bad, ("short", "long", "length"))
        step("bad options", bad_options(rng), judge.bad, ("short", "long", "length", "unknown"))
        step("odd", odd_messages(rng), judge.bad, BITS)
        step("captured in part", snapped(rng, good[:: len(good) // 60 or 1]), judge.bad, ())
        step("mutated", mutated(rng, good, arguments.mutations), judge.any)
    unseen = [name for name in judge.tshark.fields if ".expert." not in name and not judge.seen[name.removeprefix("dyetrace.")]]
    unseen = [name for name in unseen if name not in ("dyetrace.reserved", "dyetrace.option.data")]
    for name in unseen:
        judge.failures.append(f"{name} was never compared with a value other than zero")
    for failure in judge.failures[:20]:
        print(failure)
    print(f"seed {arguments.seed}; packets:", ", ".join(f"{count} {name}" for name, count in counts.items()))
    print(f"{len(judge.tshark.fields)} fields, {judge.values} values compared, {len(judge.failures)} failures")
    return 1 if judge.failures else 0


if __name__ == "__main__":
    sys.exit(main())
