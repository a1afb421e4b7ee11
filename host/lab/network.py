# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts and a guest on each, as network namespaces without names:

    guest a                     host a                         host b                     guest b
    eth0  -------- veth -------- guest0   underlay0 -- veth -- underlay0   guest0 ---------- eth0
    192.168.77.1                 eppcd 192.0.2.1               eppcd 192.0.2.2               192.168.77.2

or, with a TAP, a device that eppcd makes on the host and whose kernel side is then moved into the guest.

A namespace is held by a file descriptor of this process alone. The hosts' kernels have no address on the underlay: only
the daemons have, so no kernel answers their packets with "port unreachable".
"""

import contextlib
import json
import os
import subprocess

import isolation

# Room for a guest's packet, its VLAN tag, the tunnel over this version of IP, and the track option.
UNDERLAY_MTU = {"ipv4": 1600, "ipv6": 1620}
GUEST_MTU = 1500
VNI = 1000


class CommandFailed(Exception):
    pass


class Namespace:
    """A network namespace of its own."""

    def __init__(self):
        isolation.unshare(isolation.CLONE_NEWNET)
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.run("ip", "link", "set", "lo", "up")
        for scope in ("all", "default"):  # no router solicitations and the like: only what the experiment sends
            self.run("sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1", may_fail=True)

    @property
    def path(self):
        """For `ip link ... netns`, in a process that was given our descriptor."""
        return f"/proc/self/fd/{self.fd}"

    def popen(self, *command, pass_fds=(), **options):
        return subprocess.Popen(
            command, pass_fds=pass_fds, preexec_fn=lambda: isolation.setns(self.fd, isolation.CLONE_NEWNET), **options
        )

    def run(self, *command, stdin=None, pass_fds=(), may_fail=False):
        """Runs a command to its end and returns what it printed."""
        process = self.popen(
            *command, pass_fds=pass_fds, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        out, err = process.communicate(stdin, timeout=30)
        if process.returncode != 0 and not may_fail:
            raise CommandFailed(f"{' '.join(command)}: {err.strip() or 'exit status ' + str(process.returncode)}")
        return out

    @contextlib.contextmanager
    def entered(self):
        """Sockets made inside belong to the namespace for good."""
        before = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        isolation.setns(self.fd, isolation.CLONE_NEWNET)
        try:
            yield
        finally:
            isolation.setns(before, isolation.CLONE_NEWNET)
            os.close(before)


class Host:
    """A host and its guest."""

    def __init__(self, name, number, underlay):
        self.name = name
        self.address = {"ipv4": f"192.0.2.{number}", "ipv6": f"fd00::{number}"}[underlay]
        self.mac = f"02:00:c0:00:02:{number:02x}"
        self.guest_address = f"192.168.77.{number}"
        self.guest_mac = f"02:01:c0:a8:4d:{number:02x}"
        self.host = Namespace()
        self.guest = Namespace()


class Fault:
    """Drops every Nth data packet that arrives at a host's underlay, and counts. The counters are the only truth about
    drops that the lab knows.

    A data packet has Geneve's O bit clear (bit 72 behind the start of the UDP header); what a tagged one has of options
    (bits 66 to 71, in words) is the track option, 11, or that behind a report option, 42. Over VXLAN it is one in any VNI (bits 96 to 119) but that of control messages, and none is tagged.
    """

    DATA = {"geneve": "udp dport 6081 @th,72,1 0", "vxlan": "udp dport 4789 @th,96,24 != 0xffffff"}
    TAGGED = {"geneve": "@th,66,6 11 counter name dropped_tagged\n@th,66,6 42 counter name dropped_tagged", "vxlan": ""}

    TABLE = """
table netdev lab {
    counter arrived {}
    counter dropped {}
    counter dropped_tagged {}
    chain drop_this {
        TAGGED
        counter name dropped drop
    }
    chain fault {
    }
    chain ingress {
        type filter hook ingress device underlay0 priority -100; policy accept;
        DATA counter name arrived jump fault
    }
}
"""

    def __init__(self, host, encapsulation):
        self._namespace = host.host
        table = self.TABLE.replace("DATA", self.DATA[encapsulation]).replace("TAGGED", self.TAGGED[encapsulation])
        self._namespace.run("nft", "-f", "-", stdin=table)

    def begin(self, every):
        self._namespace.run("nft", "-f", "-", stdin=f"add rule netdev lab fault numgen inc mod {every} == 0 jump drop_this\n")

    def end(self):
        self._namespace.run("nft", "flush", "chain", "netdev", "lab", "fault")

    def counters(self):
        """Packets by name of counter."""
        listed = json.loads(self._namespace.run("nft", "-j", "list", "counters", "netdev"))
        return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed["nftables"] if "counter" in entry}


def build(underlay):
    """The two hosts, connected; the guests are not yet."""
    a, b = Host("a", 1, underlay), Host("b", 2, underlay)
    _veth(("underlay0", a.host, a.mac), ("underlay0", b.host, b.mac), UNDERLAY_MTU[underlay])
    return a, b


def plug_in_veth(host):
    """Before the daemon starts, which is then told of `guest0`."""
    _veth(("eth0", host.guest, host.guest_mac), ("guest0", host.host, None), GUEST_MTU)


def move_tap(host):
    """After the daemon has made `guest0`: its kernel side becomes the guest's interface."""
    host.host.run("ip", "link", "set", "guest0", "netns", host.guest.path, "name", "eth0", pass_fds=(host.guest.fd,))
    host.guest.run("ip", "link", "set", "eth0", "address", host.guest_mac, "mtu", str(GUEST_MTU), "up")


def introduce(host, other):
    """Gives the guest of `host` its address, and tells it that of `other`."""
    host.guest.run("ip", "address", "add", f"{host.guest_address}/24", "dev", "eth0")
    # Broadcast is not carried, so ARP would find nobody.
    host.guest.run(
        "ip", "neighbour", "add", other.guest_address, "lladdr", other.guest_mac, "dev", "eth0", "nud", "permanent"
    )


def _veth(one, other, mtu):
    command = ["ip", "link", "add"]
    for keywords, (name, namespace, mac) in (((), one), (("type", "veth", "peer"), other)):
        command += [*keywords, "name", name, "netns", namespace.path, "mtu", str(mtu)]
        if mac:
            command += ["address", mac]
    one[1].run(*command, pass_fds=(one[1].fd, other[1].fd))
    for name, namespace, _ in (one, other):
        # Every frame a packet of its own with its checksum in it: one hit on a superframe would drop many packets, and
        # a checksum left to the device would look bad in a capture.
        namespace.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        namespace.run("ip", "link", "set", name, "up")
