# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that speak through a VLAN tag: whole Ethernet frames through packet sockets, since not every kernel has VLAN devices."""

import select
import socket
import struct
import time

SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3
DISCARD_PORT = 9
FLOWS = 100
BATCH = 20  # frames of each guest at a time
PAUSE_S = 0.002
# The longest is an IP packet of 1500 bytes, which with its tag is 1518 of Ethernet.
PAYLOADS = [64, 512, 1472]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(host, other, vlan, source_port, payload_size):
    """A datagram from the guest of `host` to that of `other`. Without UDP checksum, as IPv4 allows."""

    def mac(text):
        return bytes.fromhex(text.replace(":", ""))

    udp = struct.pack("!HHHH", source_port, DISCARD_PORT, 8 + payload_size, 0) + bytes(payload_size)
    addresses = socket.inet_aton(host.guest_address) + socket.inet_aton(other.guest_address)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, socket.IPPROTO_UDP, 0) + addresses
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return mac(other.guest_mac) + mac(host.guest_mac) + struct.pack("!HHH", 0x8100, vlan, 0x0800) + ip + udp


class Talk:
    """What the lab wants of its guests, as traffic.Talk: each path used, some traffic, and what became of it."""

    def __init__(self, hosts, vlan, seconds):
        self._vlan, self._seconds = vlan, seconds
        self._sockets, self._frames = [], []
        self.sent, self.received = [0, 0], [0, 0]
        for host, other in zip(hosts, reversed(hosts)):
            with host.guest.entered():
                link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
                link.bind(("eth0", ETH_P_ALL))
                link.setblocking(False)
            self._sockets.append(link)
            self._frames.append(
                [frame(host, other, vlan, 20000 + flow, PAYLOADS[flow % len(PAYLOADS)]) for flow in range(FLOWS)]
            )

    def use_every_path(self):
        self._send(FLOWS)

    def before_the_fault(self):
        pass

    def run(self, begin_fault, in_the_middle):
        begin_fault()
        end = time.monotonic() + self._seconds
        middle = end - self._seconds / 2
        while (now := time.monotonic()) < end:
            if now >= middle:
                in_the_middle()
                middle = end + 1
            self._send(BATCH)
            time.sleep(PAUSE_S)
        self._take(0.5)

    def _send(self, count):
        """So many frames of each guest, in turn over its flows."""
        for guest, link in enumerate(self._sockets):
            for _ in range(count):
                select.select([], [link], [], 1)
                link.send(self._frames[guest][self.sent[guest] % FLOWS])
                self.sent[guest] += 1
        self._take(0)

    def _take(self, patience_s):
        """Counts what arrived with the tag, until nothing has come for so long."""
        while ready := select.select(self._sockets, [], [], patience_s)[0]:
            for link in ready:
                _, ancillary, _, sender = link.recvmsg(64, socket.CMSG_SPACE(20))
                if sender[2] == socket.PACKET_OUTGOING:
                    continue
                for level, kind, data in ancillary:
                    if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                        continue
                    status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data)
                    if status & TP_STATUS_VLAN_VALID and tci & 0xFFF == self._vlan:
                        self.received[self._sockets.index(link)] += 1

    def result(self):
        return {"vlan": self._vlan, "sent": self.sent, "received": self.received}

    def failures(self, directions):
        """Each frame that a guest sent was carried, and all that were not dropped came out with their tag."""
        found = []
        for guest, direction in enumerate(directions):
            if direction["encapsulated"] != self.sent[guest]:
                found.append(f"a guest sent {self.sent[guest]} tagged frames, {direction['encapsulated']} were carried")
            arrived = self.received[1 - guest]
            if arrived != self.sent[guest] - direction["dropped"]:
                found.append(f"{self.sent[guest]} tagged frames less {direction['dropped']} dropped, but {arrived} came")
        return found

    def to_text(self):
        sent, received = sum(self.sent), sum(self.received)
        return f"VLAN {self._vlan}: the guests sent {sent} tagged frames, {received} arrived with their tag"
