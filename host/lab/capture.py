# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of the underlay, and what tshark thinks of it."""

import os
import signal
import subprocess
import time

# tshark checks none of these unless told to. TCP's sequence analysis costs time and is not what is asked here.
PREFERENCES = [
    "ip.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "tcp.analyze_sequence_numbers:FALSE",
]
CHECKSUMS = ["ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status"]
FIELDS = ["_ws.malformed", "geneve.flags.oam", "geneve.option.class", "geneve.option.length.invalid", "ip.dst", *CHECKSUMS]
BAD = "0"  # of a checksum's status; 1 is good, 2 not verified, 3 not there
TRACK_CLASS = 0xFF44


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


def judge(path):
    """Counts of packets: all, data, with a track option, control, malformed, with a bad checksum."""
    # A user's own preferences must not change the judgement.
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": os.path.dirname(path)}
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=;", "-E", "aggregator=,"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    counts = dict.fromkeys(["packets", "data", "tagged", "control", "other", "inner_decoded", "malformed", "bad_checksum"], 0)
    for line in process.stdout:
        _count(dict(zip(FIELDS, line.rstrip("\n").split(";"))), counts)
    if process.wait() != 0:
        raise CaptureFailed(f"tshark: {process.stderr.read()}")
    counts["option_share"] = counts["tagged"] / counts["data"] if counts["data"] else None
    return counts


def _count(packet, counts):
    counts["packets"] += 1
    if packet["_ws.malformed"] or packet["geneve.option.length.invalid"]:
        counts["malformed"] += 1
    if any(BAD in packet[field].split(",") for field in CHECKSUMS):
        counts["bad_checksum"] += 1
    if packet["geneve.flags.oam"] == "":
        counts["other"] += 1
    elif packet["geneve.flags.oam"] in ("1", "True"):
        counts["control"] += 1
    else:
        counts["data"] += 1
        if any(int(option, 0) == TRACK_CLASS for option in packet["geneve.option.class"].split(",") if option):
            counts["tagged"] += 1
        if "," in packet["ip.dst"]:  # the outer and the guest's
            counts["inner_decoded"] += 1
