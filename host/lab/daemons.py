# SPDX-License-Identifier: GPL-2.0-or-later
"""eppcd on a host of the lab."""

import json
import os
import secrets
import select
import signal
import subprocess
import time

import network

# Few paths, so that all are soon in use, and intervals that stay open until the end: then every packet that the fault
# drops falls between a START and an END marker. Sampling by chance: every 100th of the sender's against every 100th at
# the fault would hit each other always or never.
CONFIG = """
drain_timeout = "5s"

[underlay]
interface = "underlay0"
address = "{address}"
gateway_mac = "{peer_mac}"
ring = "64MiB"
vxlan_vlan = "keep"

[auth]
key_file = "{key_file}"

[tracking]
rate = "{rate}"
sampling = "probability"
path_count = {paths}
report_interval = "50ms"
path_idle = "1h"

[[guest]]
{guest_kind} = "guest0"
vni = {vni}
mac = "{guest_mac}"
ring = "32MiB"

[[peer]]
address = "{peer_address}"
encapsulation = "{encapsulation}"
paths = [{moved}]
guests = [{{ vni = {vni}, mac = "{peer_guest_mac}" }}]
"""


class DaemonFailed(Exception):
    pass


class Eppcd:
    """The daemon of one host; start, ask, stop."""

    def __init__(self, program, host, peer, scratch, **settings):
        """`settings`: key_file, rate, paths, guest_kind and encapsulation of the configuration."""
        self.host = host
        self.config = os.path.join(scratch, f"eppcd-{host.name}.toml")
        self.log = os.path.join(scratch, f"eppcd-{host.name}.log")
        self._settings = {
            "address": host.address, "peer_mac": peer.mac, "vni": network.VNI, "guest_mac": host.guest_mac,
            "peer_address": peer.address, "peer_guest_mac": peer.guest_mac, **settings,
        }  # fmt: skip
        self._write_config(moved="")
        ready_read, ready_write = os.pipe()
        with open(self.log, "w") as log:
            self._process = host.host.popen(
                program, "--json", "--ready-fd", str(ready_write), self.config,
                pass_fds=(ready_write,), stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        os.close(ready_write)
        with os.fdopen(ready_read, "rb", buffering=0) as ready:
            if not select.select([ready], [], [], 20)[0] or not ready.read(1):
                raise DaemonFailed(f"eppcd on host {host.name} did not start:\n{self.read_log()}")

    def _write_config(self, moved):
        with open(self.config, "w") as file:
            file.write(CONFIG.format(moved=moved, **self._settings))

    def move_path(self, path):
        """To another source port, while it is in use."""
        self._write_config(moved=f"{{ path = {path}, generation = 1 }}")
        self._process.send_signal(signal.SIGHUP)

    def read_log(self):
        with open(self.log) as file:
            return file.read()

    def summary(self):
        """What it has measured until now."""
        self._process.send_signal(signal.SIGUSR1)
        return self._read_line()

    def stop(self):
        """Begins an orderly end."""
        self._process.send_signal(signal.SIGTERM)

    def final_summary(self):
        """After `stop`: what it measured, to the end."""
        summary = self._read_line()
        if self._process.wait(timeout=20) != 0 or not summary["final"]:
            raise DaemonFailed(f"eppcd on host {self.host.name} did not end well:\n{self.read_log()}")
        return summary

    def _read_line(self):
        if not select.select([self._process.stdout], [], [], 20)[0]:
            raise DaemonFailed(f"eppcd on host {self.host.name} does not answer:\n{self.read_log()}")
        line = self._process.stdout.readline()
        if not line:
            raise DaemonFailed(f"eppcd on host {self.host.name} ended:\n{self.read_log()}")
        return json.loads(line)


def write_key(scratch):
    path = os.path.join(scratch, "key")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path


def session(summary):
    """The session that this host asked for; there is one, since there is one peer."""
    requested = [s for s in summary["sessions"] if s["role"] == "requester"]
    return requested[-1] if requested else None


def open_paths(summary):
    found = session(summary)
    return sum(path["open"] for path in found["paths"]) if found else 0


def wait_for_open_paths(daemons, paths, send_something):
    """Calls `send_something` until every path of both directions is between its START and its END."""

    def missing():
        counts = [open_paths(daemon.summary()) for daemon in daemons]
        return "" if all(count == paths for count in counts) else f"only {counts} of {paths} paths began"

    _wait_for(missing, send_something, daemons)


def wait_for_open_path(daemon, path, generation, send_something):
    """Calls `send_something` until that generation of a path is between its START and its END."""

    def missing():
        found = session(daemon.summary())
        paths = found["paths"] if found else []
        is_open = any(p["open"] for p in paths if (p["path"], p["generation"]) == (path, generation))
        return "" if is_open else f"generation {generation} of path {path} did not begin"

    _wait_for(missing, send_something, [daemon])


def _wait_for(missing, send_something, daemons, timeout_s=20.0):
    """Sends until `missing` has nothing to say."""
    deadline = time.monotonic() + timeout_s
    while True:
        send_something()
        time.sleep(0.1)
        what = missing()
        if not what:
            return
        if time.monotonic() > deadline:
            raise DaemonFailed(f"{what}\n" + "".join(daemon.read_log() for daemon in daemons))
