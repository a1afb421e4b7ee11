#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the vectors of this folder: a second encoder of every wire unit, made from docs/wire.md and the RFCs alone.

    make_vectors.py [FOLDER]     writes *.hex into FOLDER (default: beside this script)

It shares no line with core: integers by `struct`, HMAC by `hmac`, SipHash-2-4 from its paper (J.-P. Aumasson, D. J. Bernstein,
"SipHash: a fast short-input PRF", 2012), checked against the paper's own vector before anything is written.
"""
import hashlib
import hmac
import ipaddress
import os
import struct
import sys

MASK = (1 << 64) - 1


def rotate(value, count):
    return (value << count | value >> (64 - count)) & MASK


def siphash24(key, message):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    whole = len(message) - len(message) % 8
    last = message[whole:] + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for at in range(0, whole + 8, 8):
        word = struct.unpack("<Q", last if at == whole else message[at : at + 8])[0]
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


assert siphash24(bytes(range(16)), bytes(range(15))) == bytes.fromhex("e545be4961ca29a1")  # the paper's appendix A


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def internet_checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return ipaddress.ip_address(text).packed


def mapped(text):
    """An address as it travels inside messages and enters tags: 16 bytes (RFC 4291 §2.5.5.2)."""
    packed = address(text)
    return packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(destination, source, ether_type, payload):
    return mac(destination) + mac(source) + struct.pack(">H", ether_type) + payload


def ipv4(source, destination, protocol, payload, *, identification=0, ttl=64, tos=0, flags=0x4000):
    header = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(payload), identification, flags, ttl, protocol, 0)
    header += address(source) + address(destination)
    return header[:10] + struct.pack(">H", internet_checksum(header)) + header[12:] + payload


def ipv6(source, destination, next_header, payload, *, traffic_class=0, flow_label=0, hop_limit=64):
    first = 6 << 28 | traffic_class << 20 | flow_label
    return struct.pack(">IHBB", first, len(payload), next_header, hop_limit) + address(source) + address(destination) + payload


def pseudo_header(source, destination, protocol, length):
    """RFC 768 for IPv4, RFC 8200 §8.1 for IPv6."""
    ends = address(source) + address(destination)
    return ends + (struct.pack(">BBH", 0, protocol, length) if len(ends) == 8 else struct.pack(">IxxxB", length, protocol))


def udp(source, destination, source_port, destination_port, payload, *, checksum=True):
    header = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0)
    if not checksum:
        return header + payload
    pseudo = pseudo_header(source, destination, 17, 8 + len(payload))
    value = internet_checksum(pseudo + header + payload) or 0xFFFF
    return header[:6] + struct.pack(">H", value) + payload


def option(option_class, kind, data):
    assert len(data) % 4 == 0
    return struct.pack(">HBB", option_class, kind, len(data) // 4) + data


def geneve(vni, protocol, payload, *, options=b"", control=False, critical=False):
    flags = (0x80 if control else 0) | (0x40 if critical else 0)
    return struct.pack(">BBHI", len(options) // 4, flags, protocol, vni << 8) + options + payload


# The two hosts, the session and the keys of all vectors.
REQUESTER, ACCEPTOR, NHMS = "10.0.0.1", "10.0.1.2", "10.0.2.3"
REQUESTER_MAC, ACCEPTOR_MAC = "02:00:0a:00:00:01", "02:00:0a:00:01:02"
REQUESTER_BOOT, ACCEPTOR_BOOT = 0x1122334455667788, 0x99AABBCCDDEEFF01
REQUESTER_NONCE, ACCEPTOR_NONCE = 0x0102030405060708, 0x1112131415161718
REQUESTER_V6, ACCEPTOR_V6, ROUTER_V6 = "2001:db8::1", "2001:db8::1:2", "2001:db8:ff::7"
SESSION, VNI, SOURCE_PORT, GENEVE_PORT = 0xA1B2C3D4, 0x123456, 49157, 6081
SHARED_KEY = bytes(range(32))
PAIR_KEY = hmac_sha256(SHARED_KEY, b"dyetrace pair 1" + b"".join(sorted(map(mapped, (REQUESTER, ACCEPTOR)))))
SESSION_KEY = hmac_sha256(PAIR_KEY, b"dyetrace session 1" + mapped(REQUESTER) + mapped(ACCEPTOR) + struct.pack(
    ">QQQQQ", REQUESTER_BOOT, ACCEPTOR_BOOT, REQUESTER_NONCE, ACCEPTOR_NONCE, SESSION))
TRACK_KEY = hmac_sha256(SESSION_KEY, b"track")[:16]
RIDE_KEY = hmac_sha256(SESSION_KEY, b"ride")[:16]
EVERY_100TH = struct.pack(">BxxxI", 1, 100)
ONE_PERCENT = struct.pack(">BxxxI", 2, 42949673)


def track_fields():
    own_check = struct.pack(">HH", len(inner_frame()), internet_checksum(inner_frame()))
    return struct.pack(">IHBBIqQ", SESSION, 5, 2, 0, 0xFFFFFFFE, 1_700_000_000_123_456_789, (1 << 32) + 7) + own_check


def track_tag():
    return siphash24(TRACK_KEY, track_fields() + struct.pack(">II", SOURCE_PORT, VNI))


def track_option():
    return option(0xFF44, 0x01, track_fields() + track_tag())


def report_option():
    fields = struct.pack(">II", SESSION, 77) + record()
    return option(0xFF44, 0x02, fields + siphash24(RIDE_KEY, fields + struct.pack(">II", SOURCE_PORT, VNI)))


def control(kind, body, *, key, from_acceptor=False, number=0):
    """A message between the two EPPCs, from the sender's SOURCE_PORT to the other's GENEVE_PORT."""
    source, destination = (ACCEPTOR, REQUESTER) if from_acceptor else (REQUESTER, ACCEPTOR)
    sender, receiver = (ACCEPTOR_BOOT, REQUESTER_BOOT) if from_acceptor else (REQUESTER_BOOT, ACCEPTOR_BOOT)
    header = struct.pack(">BBBBHHIIQQ", 1, kind, 1, 1 if from_acceptor else 0, 32 + len(body) + 16, 0, SESSION, number, sender,
                         receiver)
    seen = mapped(source) + mapped(destination) + struct.pack(">HH", SOURCE_PORT, GENEVE_PORT)
    return header + body + hmac_sha256(key, seen + header + body)[:16]


def request():
    return struct.pack(">QQHHHBB", REQUESTER_NONCE, ACCEPTOR_NONCE, 49152, 64, 80, 1, 1) + EVERY_100TH + struct.pack(
        ">IIqqqQ", 0x1FF, 5000, 20_000_000, 1_000_000_000, 60_000_000_000, 1 << 33)


def accept():
    return struct.pack(">QQqqII", REQUESTER_NONCE, ACCEPTOR_NONCE, 20_000_000, 500_000_000, 0x0FF, 0)


def record():
    return struct.pack(">HBBHHQQIIIIqqqIIIIIIqq", 5, 2, 0x03, 7, 4, (1 << 33) + 5, (1 << 33) + 1, 1000, 997, 2, 1, -1500, 250_000,
                       12_345_678, 996, 11, 1, 3, 6, 1234, 345_678, 1_700_000_000_500_000_000)


def report():
    newest, best = (1_700_000_000_490_000_000, 9_500), (1_700_000_000_470_000_000, -1500)
    return struct.pack(">HHqqqqq", 1, 1, 1_700_000_000_500_100_000, *newest, *best) + record()


def metrics_entry():
    data = mapped(ACCEPTOR) + struct.pack(">I", SESSION) + record()
    return struct.pack(">BBH", 1, 0, len(data)) + data


def path_entry():
    data = mapped(ACCEPTOR) + struct.pack(">IHBBHHq", SESSION, 5, 2, 1, SOURCE_PORT, 3, 1_700_000_000_400_000_000)
    data += mapped("10.1.0.1") + mapped("10.1.2.1") + mapped("10.1.1.1")
    return struct.pack(">BBH", 2, 0, len(data)) + data


def session_entry():
    data = mapped(ACCEPTOR) + struct.pack(">IBBH", SESSION, 2, 0, 0) + ONE_PERCENT
    data += struct.pack(">QQq", (1 << 32) + 100, (1 << 32) // 100 + 1, 1_700_000_000_300_000_000)
    return struct.pack(">BBH", 3, 0, len(data)) + data


def timing_entry():
    sketch = bytes(range(0xA0, 0xAB))  # an entry carries it as it is; its own codec knows what it means
    data = mapped(ACCEPTOR) + struct.pack(">II", SESSION, 0x05)
    data += struct.pack(">qqiI", -1_000_000_007, 12_500, -98_765, 3)
    data += struct.pack(">qqq", 25_000, 26_001, 1_700_000_000_600_000_000)
    data += struct.pack(">HH", len(sketch), 0) + sketch
    return struct.pack(">BBH", 4, 0, len(data)) + data


def inner_frame():
    payload = udp("192.168.0.1", "192.168.0.2", 1000, 2000, bytes(range(32)))
    return ethernet("02:01:0a:00:01:02", "02:01:0a:00:00:01", 0x0800, ipv4("192.168.0.1", "192.168.0.2", 17, payload, tos=0x02))


def tracked_packet():
    encapsulated = geneve(VNI, 0x6558, inner_frame(), options=track_option())
    datagram = udp(REQUESTER, ACCEPTOR, SOURCE_PORT, 6081, encapsulated, checksum=False)
    return ethernet(ACCEPTOR_MAC, REQUESTER_MAC, 0x0800, ipv4(REQUESTER, ACCEPTOR, 17, datagram, identification=7, tos=0x02))


def control_packet():
    message = control(2, accept(), key=PAIR_KEY, from_acceptor=True)
    encapsulated = geneve(0, 0x88B5, message, control=True)
    datagram = udp(ACCEPTOR, REQUESTER, SOURCE_PORT, GENEVE_PORT, encapsulated, checksum=False)
    return ethernet(REQUESTER_MAC, ACCEPTOR_MAC, 0x0800, ipv4(ACCEPTOR, REQUESTER, 17, datagram, identification=1))


def time_exceeded():
    died = tracked_packet()[14:]
    died = died[:8] + b"\x00" + died[9:]  # the TTL ran out; the checksum is as the last hop left it
    message = struct.pack(">BBHI", 11, 0, 0, 0) + died[:28]
    return message[:2] + struct.pack(">H", internet_checksum(message)) + message[4:]


def ipv6_packet():
    """An untracked packet over IPv6, with the UDP checksum that is the rule there."""
    datagram = udp(REQUESTER_V6, ACCEPTOR_V6, SOURCE_PORT, 6081, geneve(VNI, 0x6558, inner_frame()))
    packet = ipv6(REQUESTER_V6, ACCEPTOR_V6, 17, datagram, traffic_class=0xBA, flow_label=0xBEEF5)
    return ethernet(ACCEPTOR_MAC, REQUESTER_MAC, 0x86DD, packet)


def vxlan(vni, frame):
    return struct.pack(">BxxxI", 0x08, vni << 8) + frame


def vxlan_packet():
    datagram = udp(REQUESTER, ACCEPTOR, SOURCE_PORT, 4789, vxlan(VNI, inner_frame()), checksum=False)
    return ethernet(ACCEPTOR_MAC, REQUESTER_MAC, 0x0800, ipv4(REQUESTER, ACCEPTOR, 17, datagram, identification=7, tos=0x02))


def time_exceeded_v6():
    died = ipv6_packet()[14:]
    died = died[:7] + b"\x00" + died[8:]
    message = struct.pack(">BBHI", 3, 0, 0, 0) + died
    checksum = internet_checksum(pseudo_header(ROUTER_V6, REQUESTER_V6, 58, len(message)) + message)
    return message[:2] + struct.pack(">H", checksum) + message[4:]


VECTORS = {
    "ethernet_header": ("IEEE 802.3 §3.2", mac("02:00:0a:00:01:02") + mac("02:00:0a:00:00:01") + b"\x08\x00"),
    "vlan_tag": ("IEEE 802.1Q-2018 §9.6: service tag, priority 5, drop eligible, VLAN 0x123", struct.pack(">HH", 0x88A8, 0xB123)),
    "ipv4_header": ("RFC 791 §3.1, header checksum included",
                    ipv4(REQUESTER, ACCEPTOR, 17, bytes(80), identification=0xBEEF, tos=0xBA, ttl=61)[:20]),
    "udp_datagram": ("RFC 768, checksum included", udp(REQUESTER, ACCEPTOR, 46082, 46081, b"dyetrace")),
    "ipv6_header": ("RFC 8200 §3", ipv6_packet()[14:54]),
    "ipv6_packet": ("RFC 8200, RFC 8926 §3.2: a whole untracked packet over IPv6, UDP checksum included", ipv6_packet()),
    "udp_datagram_ipv6": ("RFC 8200 §8.1, checksum included", udp(REQUESTER_V6, ACCEPTOR_V6, 46082, 46081, b"dyetrace!")),
    "icmpv6_time_exceeded": ("RFC 4443 §3.3: quotes ipv6_packet, from 2001:db8:ff::7 to 2001:db8::1", time_exceeded_v6()),
    "vxlan_header": ("RFC 7348 §5", vxlan(VNI, b"")),
    "vxlan_packet": ("RFC 7348 §5: a whole packet over IPv4, its inner frame without VLAN tag", vxlan_packet()),
    "geneve_header": ("RFC 8926 §3.4", geneve(VNI, 0x6558, b"", options=bytes(44))[:8]),
    "geneve_options": ("RFC 8926 §3.5: three options, the second one ours, the third empty",
                       option(0x0102, 0x07, b"abcd") + track_option() + option(0x0103, 0x00, b"")),
    "icmp_time_exceeded": ("RFC 792: quotes the IP header and 8 bytes of tracked_packet", time_exceeded()),
    "track_option": ("docs/wire.md, track option", track_option()),
    "report_option": ("docs/wire.md, report option: in a packet of the acceptor to the requester of tracked_packet", report_option()),
    "control_header": ("docs/wire.md, envelope", control(6, b"", key=SESSION_KEY, from_acceptor=True, number=77)[:32]),
    "control_message": ("docs/wire.md, envelope: a keep-alive with its tag", control(12, b"", key=SESSION_KEY, number=3)),
    "request": ("docs/wire.md, request", request()),
    "challenge": ("docs/wire.md, challenge", struct.pack(">QQ", REQUESTER_NONCE, ACCEPTOR_NONCE)),
    "accept": ("docs/wire.md, accept", accept()),
    "reject": ("docs/wire.md, reject", struct.pack(">QBxxxIq", REQUESTER_NONCE, 2, 0, 1_000_000_000)),
    "marker": ("docs/wire.md, marker", struct.pack(">HBBHHQII", 5, 2, 2, 7, 0, (1 << 32) + 9, 0xFFFFFFFF, 0)),
    "marker_ack": ("docs/wire.md, marker acknowledgement", struct.pack(">HBBHH", 5, 2, 1, 7, 0)),
    "close": ("docs/wire.md, close", struct.pack(">Bxxx", 2)),
    "path_trace": ("docs/wire.md, path trace", struct.pack(">HBBHH", 5, 2, 3, 0x155, 0)),
    "path_trace_reply": ("docs/wire.md, path trace reply", struct.pack(">HBBHBB", 5, 2, 6, 0x155, 2, 0)),
    "report": ("docs/wire.md, report with one record", report()),
    "report_ack": ("docs/wire.md, report acknowledgement",
                   struct.pack(">IIqqq", 77, 0, 1_700_000_000_500_120_000, 1_700_000_000_500_100_000, 8_250)),
    "delay_sketch": ("docs/wire.md, delay sketch: corrected delays of 5, 5 and 7 ns",
                     struct.pack(">Iq", 1, 1_700_000_000_500_000_000) + bytes.fromhex("00 00 02 0a 02 0a 02 01 01")),
    "update": ("docs/wire.md, update: session, path, metrics and timing entry",
               struct.pack(">HH", 4, 0) + session_entry() + path_entry() + metrics_entry() + timing_entry()),
    "directive": ("docs/wire.md, directive",
                  struct.pack(">Bxxx", 1) + mapped(ACCEPTOR) + struct.pack(">BxxxI", 1, 10) + struct.pack(">q", 500_000_000)),
    "directive_open_session": ("docs/wire.md, directive: open a session",
                               struct.pack(">Bxxx", 2) + mapped(ACCEPTOR) + struct.pack(">BxxxI", 1, 10) +
                               struct.pack(">qII", 500_000_000, 0x7, 0)),
    "directive_trace": ("docs/wire.md, directive: trace", struct.pack(">Bxxx", 3) + mapped(ACCEPTOR) + struct.pack(">HH", 0, 0)),
    "directive_repath": ("docs/wire.md, directive: move two paths",
                         struct.pack(">Bxxx", 4) + mapped(ACCEPTOR) + struct.pack(">HH", 2, 0) +
                         struct.pack(">HBx", 5, 2) + struct.pack(">HBx", 300, 255)),
    "directive_trace_flow": ("docs/wire.md, directive: follow a flow",
                             struct.pack(">Bxxx", 16) + mapped(ACCEPTOR) +
                             struct.pack(">IBBHIHHHH", 0x01020304, 0x0F, 17, 3, 1000, 10000, 2000, 100, 64) +
                             mapped("192.168.0.1") + mapped("192.168.0.2") +
                             struct.pack(">qI", 2_000_000_000, 0x40000000)),
    "flow_stage": ("docs/wire.md, entry of a followed flow, with five bytes of the packet",
                   struct.pack(">IBBHIHHqI", 0x01020304, 1, 2, 5, 0xCAFEF00D, 142, 5, 1_700_000_000_500_000_000, 0) +
                   bytes.fromhex("0a 0b 0c 0d 0e")),
    "directive_result": ("docs/wire.md, directive result", struct.pack(">BBHHH", 1, 0, 1, 12, 0)),
    "pair_key": ("docs/wire.md, keys: shared key 00 01 ... 1f, hosts 10.0.0.1 and 10.0.1.2", PAIR_KEY),
    "session_key": ("docs/wire.md, keys: control key of the session of tracked_packet", SESSION_KEY),
    "track_key": ("docs/wire.md, keys: of the session of tracked_packet", TRACK_KEY),
    "ride_key": ("docs/wire.md, keys: of the session of tracked_packet", RIDE_KEY),
    "tracked_packet": ("docs/wire.md: a whole tracked packet with the guest's frame", tracked_packet()),
    "control_packet": ("docs/wire.md: a whole control packet, the accept of the session of tracked_packet", control_packet()),
}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, (source, data) in VECTORS.items():
        with open(os.path.join(folder, name + ".hex"), "w", encoding="ascii") as file:
            file.write(f"# {source.replace('§', 'section ')}. By make_vectors.py.\n")
            for at in range(0, len(data), 16):
                file.write(" ".join(f"{byte:02x}" for byte in data[at : at + 16]) + "\n")


if __name__ == "__main__":
    main()
