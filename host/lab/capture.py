# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of the underlay, and what tshark thinks of it."""

import os
import signal
import subprocess
import time

# tshark checks none of the sums unless told to. What iperf3 fills its packets with is random, so nothing in there, nor in
# their stream, is to be taken for a protocol.
OPTIONS = [
    *("-o", "ip.check_checksum:TRUE"),
    *("-o", "udp.check_checksum:TRUE"),
    *("-o", "tcp.check_checksum:TRUE"),
    *("-o", "tcp.analyze_sequence_numbers:FALSE"),
    *("-o", "tcp.desegment_tcp_streams:FALSE"),
    *("-d", "tcp.port==5201,data"),
    *("-d", "udp.port==5201,data"),
    *("-d", "udp.port==9,data"),
]
CHECKSUMS = ["ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status"]
FIELDS = [
    *("_ws.malformed", "geneve.flags.oam", "geneve.option.class", "geneve.option.type", "geneve.option.length.invalid"),
    *("vxlan.vni", "ipv6.nxt", "ip.proto", "udp.dstport", "vlan.id"),
    *("tcp.checksum", "tcp.checksum_calculated", *CHECKSUMS),
]
BAD = "0"  # of a checksum's status; 1 is good, 2 not verified, 3 not there
TRACK_OPTION = (0xFF44, 1)  # class and type; a report option is of type 2
UDP = "17"
PORTS = {"geneve": "6081", "vxlan": "4789"}
VXLAN_CONTROL = "16777215"


class CaptureFailed(Exception):
    pass


class Capture:
    """Every frame that host's underlay sends or receives, up to `packets_most`. Incoming frames are seen before a fault
    there drops them."""

    def __init__(self, host, scratch, packets_most):
        self.path = os.path.join(scratch, "underlay.pcapng")
        self._log_path = os.path.join(scratch, "dumpcap.log")
        with open(self._log_path, "w") as log:
            self._process = host.host.popen(
                "dumpcap", "-q", "-i", "underlay0", "-w", self.path, "-B", "64", "-c", str(packets_most),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 10
        while "File:" not in self._log():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise CaptureFailed(f"dumpcap did not start: {self._log()}")
            time.sleep(0.02)

    def _log(self):
        with open(self._log_path) as file:
            return file.read()

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=20)


def judge(path, encapsulation="geneve"):
    """Counts of packets: all, data, with a track option, control, malformed, with a bad checksum, with a VLAN tag."""
    # A user's own preferences must not change the judgement.
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": os.path.dirname(path)}
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=;", "-E", "aggregator=,", *OPTIONS]
    for field in FIELDS:
        command += ["-e", field]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        counts = _count_all(process.stdout, encapsulation)
        errors = process.stderr.read()
    if process.returncode != 0:
        raise CaptureFailed(f"tshark: {errors}")
    counts["option_share"] = counts["tagged"] / counts["data"] if counts["data"] else None
    return counts


def _count_all(lines, encapsulation):
    names = ["packets", "data", "tagged", "control", "other", "inner_decoded", "inner_vlan", "malformed", "bad_checksum"]
    counts = dict.fromkeys(names, 0)
    for line in lines:
        _count(dict(zip(FIELDS, line.rstrip("\n").split(";"))), encapsulation, counts)
    return counts


def _is_control(packet, encapsulation):
    """None where it is no packet of the tunnel at all."""
    if encapsulation == "vxlan":
        return packet["vxlan.vni"] == VXLAN_CONTROL if packet["vxlan.vni"] else None
    return packet["geneve.flags.oam"] in ("1", "True") if packet["geneve.flags.oam"] else None


def _count(packet, encapsulation, counts):
    counts["packets"] += 1
    if packet["_ws.malformed"] or packet["geneve.option.length.invalid"]:
        counts["malformed"] += 1
    if _has_bad_checksum(packet):
        counts["bad_checksum"] += 1
    # The outermost header comes first in each field; an ICMP error quotes a whole tunnel packet, and is none.
    # The underlay's version of IP is the guests' too, or it is IPv6.
    protocols = [p for field in ("ipv6.nxt", "ip.proto") for p in packet[field].split(",") if p]
    ports = packet["udp.dstport"].split(",")
    is_control = _is_control(packet, encapsulation)
    if protocols[:1] != [UDP] or ports[0] != PORTS[encapsulation] or is_control is None:
        counts["other"] += 1
    elif is_control:
        counts["control"] += 1
    else:
        counts["data"] += 1
        classes, types = (packet[f"geneve.option.{field}"].split(",") for field in ("class", "type"))
        if TRACK_OPTION in [(int(c, 0), int(t, 0)) for c, t in zip(classes, types) if c]:
            counts["tagged"] += 1
        if len(protocols) > 1:  # the guest's, too
            counts["inner_decoded"] += 1
        if packet["vlan.id"]:
            counts["inner_vlan"] += 1


def _has_bad_checksum(packet):
    # Both zeros of one's complement mean the same, and Linux writes TCP's as 0xffff; tshark would have the other.
    if (packet["tcp.checksum"], packet["tcp.checksum_calculated"]) == ("0xffff", "0x0000"):
        packet["tcp.checksum.status"] = ""
    return any(BAD in packet[field].split(",") for field in CHECKSUMS)
