# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes an underlay frame apart: Ethernet, IPv4 or IPv6, UDP, Geneve (RFC 8926) or VXLAN (RFC 7348), and what dyetrace put there
(docs/wire.md). Written for the reference alone; it checks what a receiver has to check before it counts, but no tag."""
import dataclasses
import ipaddress
import struct

GENEVE_PORT, VXLAN_PORT = 6081, 4789
CONTROL_ETHER_TYPE, ETHERNET_IN_GENEVE = 0x88B5, 0x6558
OPTION_CLASS, TRACK_TYPE, TRACK_SIZE = 0xFF44, 1, 40
MARKER_TYPE, FROM_ACCEPTOR = 4, 0x01
CE, NOT_ECT = 3, 0


class NotCounted(Exception):
    """Why a frame is no encapsulation packet, or not one that a receiver counts."""


@dataclasses.dataclass(frozen=True)
class Marker:
    session: int
    path: int
    generation: int
    kind: int  # 1 START, 2 END, 3 COUNT
    interval: int
    count: int
    next_sequence: int


@dataclasses.dataclass
class Packet:
    time_ns: int
    tuple5: tuple  # source, destination, UDP source port: with protocol and destination port, the path's 5-tuple
    ttl: int
    ecn: int
    control: bool = False
    marker: Marker = None
    message: bytes = b""  # of a control packet
    option: bytes = b""  # data of the track option; none: not tracked
    inner: bytes = b""  # of a data packet: the guest's frame

    @property
    def track(self):
        """session, path index, generation"""
        return struct.unpack_from(">IHB", self.option)

    @property
    def inner_ecn(self):
        at = 12
        while self.inner[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        kind, ip = self.inner[at : at + 2], self.inner[at + 2 :]
        if kind == b"\x08\x00" and len(ip) >= 20:
            return ip[1] & 3
        if kind == b"\x86\xdd" and len(ip) >= 40:
            return ip[1] >> 4 & 3
        return NOT_ECT


def ones_sum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def need(condition, reason):
    if not condition:
        raise NotCounted(reason)


def network_layer(frame):
    """(source, destination, TTL, ECN, pseudo header, payload)"""
    need(len(frame) >= 14, "short frame")
    kind, ip = frame[12:14], frame[14:]
    if kind == b"\x08\x00":
        need(len(ip) >= 20 and ip[0] == 0x45, "IPv4 header")
        length = struct.unpack_from(">H", ip, 2)[0]
        need(20 <= length <= len(ip), "IPv4 length")
        need(ones_sum(ip[:20]) == 0xFFFF, "IPv4 checksum")
        need(struct.unpack_from(">H", ip, 6)[0] & 0x3FFF == 0, "fragment")
        need(ip[9] == 17, "not UDP")
        source, destination = ipaddress.IPv4Address(ip[12:16]), ipaddress.IPv4Address(ip[16:20])
        return source, destination, ip[8], ip[1] & 3, ip[12:20] + struct.pack(">H", 17), ip[20:length]
    need(kind == b"\x86\xdd" and len(ip) >= 40 and ip[0] >> 4 == 6, "neither IPv4 nor IPv6")
    length = struct.unpack_from(">H", ip, 4)[0]
    need(40 + length <= len(ip), "IPv6 length")
    need(ip[6] == 17, "not UDP")
    source, destination = ipaddress.IPv6Address(ip[8:24]), ipaddress.IPv6Address(ip[24:40])
    return source, destination, ip[7], ip[1] >> 4 & 3, ip[8:40] + struct.pack(">H", 17), ip[40 : 40 + length]


def parse_marker(message):
    if len(message) < 48 + 24 or message[0] != 1 or message[1] != MARKER_TYPE or message[3] & FROM_ACCEPTOR:
        return None
    path, generation, kind, interval, count, sequence = struct.unpack_from(">HBBHxxQI", message, 32)
    return Marker(struct.unpack_from(">I", message, 8)[0], path, generation, kind, interval, count, sequence)


def set_control(packet, message):
    packet.control, packet.message, packet.marker = True, message, parse_marker(message)


def read_geneve(packet, data):
    need(len(data) >= 8, "short Geneve header")
    need(data[0] >> 6 == 0, "Geneve version")
    end, protocol = 8 + 4 * (data[0] & 0x3F), struct.unpack_from(">H", data, 2)[0]
    need(end <= len(data), "Geneve options")
    at = 8
    while at < end:
        need(at + 4 <= end, "Geneve options")
        option_class, kind, length = struct.unpack_from(">HBB", data, at)
        after = at + 4 + 4 * (length & 0x1F)
        need(after <= end, "Geneve options")
        if option_class == OPTION_CLASS and kind == TRACK_TYPE and after - at - 4 == TRACK_SIZE and not packet.option:
            packet.option = data[at + 4 : after]
        at = after
    if data[1] & 0x80:
        need(protocol == CONTROL_ETHER_TYPE, "O bit, but no control message")
        set_control(packet, data[end:])
    else:
        need(protocol == ETHERNET_IN_GENEVE, "not Ethernet in Geneve")
        packet.inner = data[end:]


def read_vxlan(packet, data, control_vni):
    need(len(data) >= 8 + 14 and data[0] & 0x08, "VXLAN header")
    vni, inner = struct.unpack_from(">I", data, 4)[0] >> 8, data[8:]
    if vni == control_vni:
        need(struct.unpack_from(">H", inner, 12)[0] == CONTROL_ETHER_TYPE, "no control message in the control VNI")
        set_control(packet, inner[14:])
    else:
        packet.inner = inner


def parse(time_ns, frame, control_vni):
    """The packet; raises NotCounted where it is none of ours, or one that a receiver refuses."""
    source, destination, ttl, ecn, pseudo, datagram = network_layer(frame)
    need(len(datagram) >= 8, "short UDP header")
    source_port, destination_port, length, checksum = struct.unpack_from(">HHHH", datagram)
    need(8 <= length <= len(datagram), "UDP length")
    datagram = datagram[:length]
    if checksum:
        need(ones_sum(pseudo + struct.pack(">H", length) + datagram) == 0xFFFF, "UDP checksum")
    packet = Packet(time_ns, (str(source), str(destination), source_port), ttl, ecn)
    if destination_port == GENEVE_PORT:
        read_geneve(packet, datagram[8:])
    elif destination_port == VXLAN_PORT:
        read_vxlan(packet, datagram[8:], control_vni)
    else:
        raise NotCounted("another UDP port")
    return packet
