# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the classic capture format: draft-ietf-opsawg-pcap, both byte orders, times in microseconds or nanoseconds."""
import struct

ETHERNET = 1
NANOSECONDS_A_TICK = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}


class BadCapture(Exception):
    pass


def frames(path):
    """Yields (time in ns, frame). Only whole frames of Ethernet: a judge does not guess."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24:
            raise BadCapture(f"{path}: shorter than the header of a capture")
        for order in "<>":
            tick_ns = NANOSECONDS_A_TICK.get(struct.unpack(order + "I", head[:4])[0])
            if tick_ns:
                break
        else:
            raise BadCapture(f"{path}: magic {head[:4].hex()} is not of a pcap file")
        link_type = struct.unpack(order + "I", head[20:])[0] & 0xFFFF
        if link_type != ETHERNET:
            raise BadCapture(f"{path}: link type {link_type}, not Ethernet")
        number = 0
        while record := file.read(16):
            number += 1
            if len(record) < 16:
                raise BadCapture(f"{path}: ends in the header of packet {number}")
            seconds, ticks, captured, length = struct.unpack(order + "IIII", record)
            if captured != length:
                raise BadCapture(f"{path}: packet {number} holds {captured} of {length} bytes")
            frame = file.read(captured)
            if len(frame) < captured:
                raise BadCapture(f"{path}: ends in packet {number}")
            yield seconds * 1_000_000_000 + ticks * tick_ns, frame
