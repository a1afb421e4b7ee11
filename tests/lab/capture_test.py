#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab makes of a capture: a good packet is good, and each kind of bad one is found."""

import os
import shutil
import socket
import struct
import sys
import tempfile
import unittest

from lab_program import SKIPPED

import capture

TRACK_OPTION = struct.pack("!HBB", 0xFF44, 1, 10) + bytes(40)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0) + addresses
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def udp(source, destination, ports, payload, error=0):
    length = 8 + len(payload)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", 17, length)
    header = struct.pack("!HHH", *ports, length)
    total = checksum(pseudo + header + b"\0\0" + payload)
    return ipv4(source, destination, 17, header + struct.pack("!H", (total + error) % 0x10000) + payload)


def guest_frame(error=0):
    return bytes(12) + b"\x08\0" + udp("192.168.77.1", "192.168.77.2", (5000, 5201), b"payload", error)


def packet(inner=None, options=b"", control=False, options_words=None):
    words = len(options) // 4 if options_words is None else options_words
    protocol = 0x88B5 if control else 0x6558
    geneve = struct.pack("!BBHI", words, 0x80 if control else 0, protocol, 1000 << 8) + options
    payload = geneve + (guest_frame() if inner is None else inner)
    outer = struct.pack("!HHHH", 50000, 6081, 8 + len(payload), 0) + payload
    return bytes(12) + b"\x08\0" + ipv4("192.0.2.1", "192.0.2.2", 17, outer)


def over_ipv6(data):
    """The same packet with an IPv6 header in place of its outer IPv4 header, and a UDP checksum."""
    source, destination = (socket.inet_pton(socket.AF_INET6, f"fd00::{number}") for number in (1, 2))
    datagram = data[34:40] + b"\0\0" + data[42:]
    pseudo = source + destination + struct.pack("!II", len(datagram), 17)
    datagram = datagram[:6] + struct.pack("!H", checksum(pseudo + datagram)) + datagram[8:]
    header = struct.pack("!IHBB", 6 << 28, len(datagram), 17, 64) + source + destination
    return bytes(12) + b"\x86\xdd" + header + datagram


def vxlan(vni, inner):
    payload = struct.pack("!II", 8 << 24, vni << 8) + inner
    outer = struct.pack("!HHHH", 50000, 4789, 8 + len(payload), 0) + payload
    return bytes(12) + b"\x08\0" + ipv4("192.0.2.1", "192.0.2.2", 17, outer)


class Judge(unittest.TestCase):
    def judge(self, *packets, encapsulation="geneve"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "capture.pcap")
            with open(path, "wb") as file:
                file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
                for number, data in enumerate(packets):
                    file.write(struct.pack("=IIII", number, 0, len(data), len(data)) + data)
            return capture.judge(path, encapsulation)

    def test_good_packets_are_told_apart_and_good(self):
        counts = self.judge(packet(), packet(options=TRACK_OPTION), packet(b"message", control=True))
        wanted = {"packets": 3, "data": 2, "tagged": 1, "control": 1, "other": 0, "inner_decoded": 2, "malformed": 0}
        self.assertEqual({key: counts[key] for key in wanted}, wanted)
        self.assertEqual((counts["bad_checksum"], counts["option_share"]), (0, 0.5))

    def test_bad_checksum_of_a_guest_is_found(self):
        self.assertEqual(self.judge(packet(guest_frame(error=1)))["bad_checksum"], 1)

    def test_bad_checksum_of_the_outer_header_is_found(self):
        spoiled = bytearray(packet())
        spoiled[22] ^= 1  # TTL
        self.assertEqual(self.judge(bytes(spoiled))["bad_checksum"], 1)

    def test_options_that_run_past_their_end_are_found(self):
        self.assertEqual(self.judge(packet(options=TRACK_OPTION, options_words=5))["malformed"], 1)

    def test_cut_packet_is_found(self):
        self.assertEqual(self.judge(packet(guest_frame()[:30]))["malformed"], 1)

    def test_option_of_another_class_is_no_tag(self):
        other = struct.pack("!HBB", 0xFF45, 1, 0)
        self.assertEqual(self.judge(packet(options=other))["tagged"], 0)

    def test_report_option_is_no_tag(self):
        report = struct.pack("!HBB", 0xFF44, 2, 30) + bytes(120)
        counts = self.judge(packet(options=report), packet(options=report + TRACK_OPTION))
        self.assertEqual((counts["data"], counts["tagged"], counts["malformed"]), (2, 1, 0))

    def test_packets_over_ipv6_are_told_apart(self):
        counts = self.judge(over_ipv6(packet()), over_ipv6(packet(options=TRACK_OPTION)), over_ipv6(packet(b"message", control=True)))
        wanted = {"data": 2, "tagged": 1, "control": 1, "other": 0, "inner_decoded": 2, "bad_checksum": 0}
        self.assertEqual({key: counts[key] for key in wanted}, wanted)

    def test_vxlan_packets_are_told_apart_by_their_vni(self):
        counts = self.judge(vxlan(1000, guest_frame()), vxlan(0xFFFFFF, bytes(60)), encapsulation="vxlan")
        wanted = {"data": 1, "tagged": 0, "control": 1, "other": 0, "inner_decoded": 1}
        self.assertEqual({key: counts[key] for key in wanted}, wanted)
        self.assertEqual(self.judge(packet(), encapsulation="vxlan")["other"], 1)

    def test_inner_vlan_tags_are_counted(self):
        plain = guest_frame()
        counts = self.judge(packet(plain[:12] + b"\x81\0\0\x07" + plain[12:]), packet())
        self.assertEqual((counts["inner_vlan"], counts["inner_decoded"]), (1, 2))

    def test_icmp_error_that_quotes_a_tunnel_packet_is_no_tunnel_packet(self):
        message = struct.pack("!BBHI", 3, 3, 0, 0) + packet()[14:]
        message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        data = bytes(12) + b"\x08\0" + ipv4("192.0.2.2", "192.0.2.1", 1, message)
        counts = self.judge(data)
        self.assertEqual((counts["other"], counts["data"]), (1, 0))

    def test_packet_without_geneve_is_told(self):
        data = bytes(12) + b"\x08\0" + udp("192.0.2.1", "192.0.2.2", (1, 2), b"x")
        self.assertEqual(self.judge(data)["other"], 1)


if __name__ == "__main__":
    if shutil.which("tshark") is None:
        print("skipped: not installed: tshark")
        sys.exit(SKIPPED)
    unittest.main()
