# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets for the dissector: messages and options of every kind, in all envelopes that the underlay knows, and captures of them."""
import dataclasses
import struct

import layouts

OUTER_MACS = bytes.fromhex("020000000002020000000001")
INNER_MACS = bytes.fromhex("020100000002020100000001")
OPTION_CLASS, CONTROL_ETHER_TYPE, CONTROL_VNI, GUEST_VNI = 0xFF44, 0x88B5, 0xFFFFFF, 1000
NHMS_PORT, MANAGEMENT_PORT = 46081, 46082
TYPES_OF_EPPCS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
TYPES_OF_NHMS = [32, 33, 34, 35, 36]


@dataclasses.dataclass
class Packet:
    """A frame, and what has to be found in it."""

    name: str
    frame: bytes
    fields: list  # (field, value), in order; none: anything
    whole: bool = True  # else the first ones of each field will do
    captured: int = 0  # bytes; zero: all


# Messages -------------------------------------------------------------------------------------------------------------------------


def fill(layout, rng, **given):
    """Random values, and the given ones: names with _ for the dot."""
    data = b""
    for name, kind, size, _ in layouts.lines(layout):
        if name == "reserved":
            data += bytes(size)
        elif name.replace(".", "_") in given:
            data += given[name.replace(".", "_")].to_bytes(size, "big")
        else:
            data += bytes(rng.randrange(256) for _ in range(size))
    return data


def leb128(value):
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def sketch(rng):
    """An encoded sketch, or an empty one, or bytes that are none."""
    buckets = rng.choice([0, 1, 5])
    if not buckets:
        return rng.choice([b"", bytes(3), b"\x00\x07\x00\x03\x02", rng.randbytes(12)])
    numbers = [rng.randrange(1 << 40), buckets, rng.randrange(1 << rng.choice([8, 40, 64])), rng.randrange(1 << 40)]
    for _ in range(buckets):
        numbers += [rng.randrange(300), 1 + rng.randrange(1 << 32)]
    return bytes([rng.randrange(4)]) + b"".join(map(leb128, numbers))


def entry(kind, rng):
    data = b""
    if kind == 1:
        data = fill(layouts.ENTRY_METRICS, rng)
    elif kind == 2:
        hops = rng.randrange(4)
        data = fill(layouts.ENTRY_PATH, rng, traced_hops=hops) + rng.randbytes(16 * hops)
    elif kind == 3:
        data = fill(layouts.ENTRY_SESSION, rng)
    elif kind == 4:
        encoding = sketch(rng)
        data = fill(layouts.ENTRY_TIMING, rng, timing_sketch_length=len(encoding)) + encoding
    else:
        data = rng.randbytes(rng.randrange(1, 20))
    return struct.pack(">BBH", kind, 0, len(data)) + data


def body(kind, rng):
    if kind in layouts.BODIES:
        return fill(layouts.BODIES[kind], rng)
    if kind == 6:
        records = rng.randrange(4)
        return fill(layouts.REPORT, rng, report_records=records) + b"".join(fill(layouts.RECORD, rng) for _ in range(records))
    if kind == 14:
        return fill(layouts.SKETCH, rng) + sketch(rng)
    kinds = [1, 2, 3, 4] if rng.randrange(2) else [rng.choice([1, 2, 3, 4])]
    return struct.pack(">HH", len(kinds), 0) + b"".join(entry(one, rng) for one in kinds)


def message(kind, rng, data=None):
    data = body(kind, rng) if data is None else data
    return fill(layouts.ENVELOPE, rng, version=1, type=kind, length=48 + len(data)) + data + rng.randbytes(16)


def track_option(rng):
    return fill(layouts.TRACK, rng)


def report_option(rng):
    return fill(layouts.RECORD, rng).join([rng.randbytes(8), rng.randbytes(8)])


# Envelopes ------------------------------------------------------------------------------------------------------------------------


def ones_sum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ipv4(payload):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, 17, 0) + bytes([10, 0, 0, 1, 10, 0, 1, 2])
    return OUTER_MACS + b"\x08\x00" + head[:10] + struct.pack(">H", ~ones_sum(head) & 0xFFFF) + head[12:] + payload


def ipv6(payload):
    addresses = bytes.fromhex("fd000000000000000000000000000001" "fd000000000000000000000000000002")
    return OUTER_MACS + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(payload), 17, 64) + addresses + payload


def udp(source, destination, payload):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def option(kind, data, option_class=OPTION_CLASS, words=None):
    return struct.pack(">HBB", option_class, kind, len(data) // 4 if words is None else words) + data


def geneve(protocol, payload, vni=0, options=b"", oam=False):
    return struct.pack(">BBHI", len(options) // 4, 0x80 if oam else 0, protocol, vni << 8) + options + payload


def vxlan(vni, payload):
    return struct.pack(">II", 0x08000000, vni << 8) + payload


def guest_frame():
    inside = udp(1000, 2000, bytes(range(32)))
    head = struct.pack(">BBHHHBBH", 0x45, 2, 20 + len(inside), 0, 0x4000, 64, 17, 0) + bytes([192, 168, 0, 1, 192, 168, 0, 2])
    return INNER_MACS + b"\x08\x00" + head[:10] + struct.pack(">H", ~ones_sum(head) & 0xFFFF) + head[12:] + inside


def carriers(kind):
    """(name, function from message to frame) of every way in which a message of this type travels."""
    if kind >= 32:
        ports = (NHMS_PORT, MANAGEMENT_PORT) if kind in (33, 34, 36) else (MANAGEMENT_PORT, NHMS_PORT)
        yield "UDP", lambda data: ipv4(udp(*ports, data))
        yield "UDP over IPv6", lambda data: ipv6(udp(*ports, data))
        return
    yield "Geneve", lambda data: ipv4(udp(49157, 6081, geneve(CONTROL_ETHER_TYPE, data, oam=True)))
    yield "Geneve over IPv6", lambda data: ipv6(udp(49157, 6081, geneve(CONTROL_ETHER_TYPE, data, oam=True)))
    yield "VXLAN", lambda data: ipv4(udp(49157, 4789, vxlan(CONTROL_VNI, INNER_MACS + b"\x88\xb5" + data)))


def data_packet(options, network=ipv4):
    return network(udp(49157, 6081, geneve(0x6558, guest_frame(), GUEST_VNI, options)))


# Captures -------------------------------------------------------------------------------------------------------------------------


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for number, packet in enumerate(packets):
            captured = packet.frame[: packet.captured] if packet.captured else packet.frame
            file.write(struct.pack("<IIII", number, 0, len(captured), len(packet.frame)) + captured)
