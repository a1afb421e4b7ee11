# SPDX-License-Identifier: GPL-2.0-or-later
"""Small captures of both ends, made by hand: a test says what left when, and what of it arrived when."""
import struct

import underlay_packet

SESSION, PATH, GENERATION, PORT = 7, 3, 1, 49155
START, END, COUNT = 1, 2, 3


def checksum(data):
    return ~underlay_packet.ones_sum(data) & 0xFFFF


def ipv4(payload, *, ttl=64, tos=0, source=1, destination=2):
    head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(payload), 0, 0x4000, ttl, 17, 0)
    head += bytes([10, 0, 0, source, 10, 0, 0, destination])
    return bytes(12) + b"\x08\x00" + head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(payload, *, ttl=64, tos=0, source=1, destination=2):
    head = struct.pack(">IHBB", 6 << 28 | tos << 20, len(payload), 17, ttl)
    return bytes(12) + b"\x86\xdd" + head + bytes([0xFD] + [0] * 14 + [source]) + bytes([0xFD] + [0] * 14 + [destination]) + payload


def udp(payload, port=PORT, destination=6081):
    return struct.pack(">HHHH", port, destination, 8 + len(payload), 0) + payload


def geneve(payload, *, options=b"", control=False, vni=1000):
    kind = (0x80, 0x88B5) if control else (0, 0x6558)
    return struct.pack(">BBHI", len(options) // 4, *kind, vni << 8) + options + payload


def vxlan(payload, vni):
    return struct.pack(">II", 0x08000000, vni << 8) + payload


def guest(text=b"guest", ecn=0):
    head = struct.pack(">BBHHHBBH", 0x45, ecn, 20 + len(text), 0, 0, 64, 253, 0) + bytes(8)
    return bytes(12) + b"\x08\x00" + head + text


def option(sequence, *, session=SESSION, path=PATH, generation=GENERATION):
    data = struct.pack(">IHBBIqQHHQ", session, path, generation, 0, sequence, 0, 0, 0, 0, sequence * 7919)
    return struct.pack(">HBB", 0xFF44, 1, len(data) // 4) + data


def marker_message(kind, *, interval=1, number=0, session=SESSION, path=PATH, generation=GENERATION):
    body = struct.pack(">HBBHHQII", path, generation, kind, interval, 0, 0, 0, 0)
    return struct.pack(">BBBBHHIIQQ", 1, 4, 1, 0, 48 + len(body), 0, session, number, 1, 2) + body + bytes(16)


class Story:
    """Both captures as a list of (time in ns, frame) each; markers and packets are numbered so that no two are the same."""

    def __init__(self, network=ipv4):
        self.network, self.sent, self.arrived, self.number = network, [], [], 0

    def carry(self, frame, sent_ns, *arrivals):
        """An arrival is a time, or a time and the frame as it then looks."""
        if sent_ns is not None:
            self.sent.append((sent_ns, frame))
        for arrival in arrivals:
            self.arrived.append(arrival if isinstance(arrival, tuple) else (arrival, frame))

    def marker(self, kind, sent_ns, *arrivals, port=PORT, **fields):
        self.number += 1
        message = marker_message(kind, number=self.number, **fields)
        self.carry(self.network(udp(geneve(message, control=True, vni=0), port)), sent_ns, *arrivals)

    def data(self, sent_ns, *arrivals, port=PORT, **outer):
        self.carry(self.untracked(port, **outer), sent_ns, *arrivals)

    def tracked(self, sequence, sent_ns, *arrivals, **outer):
        self.carry(self.tagged(sequence, **outer), sent_ns, *arrivals)

    def untracked(self, port=PORT, **outer):
        return self.network(udp(geneve(guest()), port), **outer)

    def tagged(self, sequence, inner=None, **outer):
        return self.network(udp(geneve(inner or guest(), options=option(sequence))), **outer)

    def write(self, folder, magic=0xA1B23C4D, order="<"):
        """(sender's file, receiver's file)"""
        paths = []
        for name, packets in (("sender.pcap", self.sent), ("receiver.pcap", self.arrived)):
            paths.append(folder / name)
            write_pcap(paths[-1], sorted(packets, key=lambda packet: packet[0]), magic, order)
        return paths


def write_pcap(path, packets, magic=0xA1B23C4D, order="<"):
    tick_ns = 1 if magic == 0xA1B23C4D else 1000
    with open(path, "wb") as file:
        file.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1))
        for time_ns, frame in packets:
            seconds, rest = divmod(time_ns, 1_000_000_000)
            file.write(struct.pack(order + "IIII", seconds, rest // tick_ns, len(frame), len(frame)) + frame)
