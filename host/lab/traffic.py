# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guests say to each other. Everything is bounded in time."""

import json
import os
import re
import select
import socket
import subprocess
import time

DISCARD_PORT = 9


class TrafficFailed(Exception):
    pass


class Chatter:
    """Sends single datagrams from many source ports, in both directions, so that every path is used: the daemons choose
    the path by the flow."""

    FLOWS = 100

    def __init__(self, hosts):
        self._senders = []
        self._sinks = []
        for host, other in zip(hosts, reversed(hosts)):
            with host.guest.entered():
                sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sink.bind((host.guest_address, DISCARD_PORT))
                self._sinks.append(sink)
                for _ in range(self.FLOWS):
                    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    sender.bind((host.guest_address, 0))
                    self._senders.append((sender, (other.guest_address, DISCARD_PORT)))

    def send(self):
        for sender, target in self._senders:
            sender.sendto(b"good morning", target)


def ping(host, other, count=50):
    """Round-trip times in microseconds, and how many answers came."""
    out = host.guest.run("ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", "2", other.guest_address, may_fail=True)
    received = re.search(r"(\d+) received", out)
    times = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)/", out)
    if not received or not times:
        raise TrafficFailed(f"ping: {out}")
    low, mean, high = (round(float(t) * 1000, 1) for t in times.groups())
    return {"sent": count, "received": int(received[1]), "rtt_us_min": low, "rtt_us_mean": mean, "rtt_us_max": high}


class Iperf:
    """One run of iperf3 from the guest of one host to that of another."""

    def __init__(self, host, other, seconds, *options):
        self._timeout_s = seconds + 40
        self._server = other.guest.popen(
            "iperf3", "--server", "--one-off", "--forceflush", "--bind", other.guest_address,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait_until_listening()
        self._client = host.guest.popen(
            "iperf3", "--client", other.guest_address, "--time", str(seconds), "--json", *options,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _wait_until_listening(self):
        said = b""
        while select.select([self._server.stdout], [], [], 10)[0]:
            chunk = os.read(self._server.stdout.fileno(), 4096)
            said += chunk
            if b"listening" in said:
                return
            if not chunk:
                break
        raise TrafficFailed(f"iperf3's server did not start: {said.decode()}")

    def result(self):
        """What the client says, once it has ended."""
        out, err = self._client.communicate(timeout=self._timeout_s)
        try:
            result = json.loads(out)
        except ValueError as error:
            raise TrafficFailed(f"iperf3: {err or out}") from error
        if "error" in result:
            raise TrafficFailed(f"iperf3: {result['error']}")
        self._server.communicate(timeout=10)
        return result["end"]


class Talk:
    """The lab's usual traffic: pings, UDP both ways, TCP."""

    # iperf3 gives up where the one datagram that opens a UDP stream is lost, so the fault begins after it.
    UDP_OPEN_S = 0.5

    def __init__(self, hosts, seconds, udp_rate):
        self._hosts, self._seconds, self._udp_rate = hosts, seconds, udp_rate
        self._chatter = Chatter(hosts)
        self._result = {}

    def use_every_path(self):
        self._chatter.send()

    def before_the_fault(self):
        self._result["ping"] = ping(*self._hosts)

    def run(self, begin_fault, in_the_middle):
        udp = Iperf(*self._hosts, self._seconds, "--udp", "--bidir", "--bitrate", self._udp_rate, "--length", "1400")
        time.sleep(self.UDP_OPEN_S)
        begin_fault()
        in_the_middle()
        self._result["udp_gbps"] = udp.result()["sum"]["bits_per_second"] / 1e9
        self._result["tcp_gbps"] = Iperf(*self._hosts, self._seconds).result()["sum_received"]["bits_per_second"] / 1e9

    def result(self):
        return self._result

    def failures(self, directions):
        del directions
        pinged = self._result["ping"]
        if pinged["received"] == pinged["sent"]:
            return []
        return [f"ping lost {pinged['sent'] - pinged['received']} of {pinged['sent']} before any fault"]

    def to_text(self):
        pinged = self._result["ping"]
        return (
            f"ping {pinged['received']}/{pinged['sent']}, {pinged['rtt_us_min']}/{pinged['rtt_us_mean']}/{pinged['rtt_us_max']} us; "
            f"TCP {self._result['tcp_gbps']:.2f} Gbps, UDP {self._result['udp_gbps']:.2f} Gbps each way (with the faults)"
        )
