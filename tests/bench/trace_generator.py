# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces for fault localisation, in the text format that published tools read.

A k-ary fat-tree with 3k/2 hosts a rack. Of its directed switch links some lose packets at a rate drawn from a range,
every other link, a host's too, at a rate uniform in [0, 1e-4]. Flow sizes are Pareto (shape 1.05, mean 200 KiB, at most
100 MiB) in packets of 1500 bytes; each flow takes one ECMP path at random.
"""
import math
import random

PACKET_BYTES = 1500
BACKGROUND = 1e-4
SHAPE, MEAN, MOST = 1.05, 200 * 1024, 100 * 1024 * 1024
FIRST_HOST = 10000


class FatTree:
    """Switches by number: racks, then aggregation switches, then cores."""

    def __init__(self, k):
        self.k, self.half, self.racks = k, k // 2, k * (k // 2)
        self.hosts_per_rack = 3 * self.half
        self.hosts = self.racks * self.hosts_per_rack

    def aggregation(self, pod, i):
        return self.racks + pod * self.half + i

    def core(self, i, j):
        return 2 * self.racks + i * self.half + j

    def links(self):
        for pod in range(self.k):
            for i in range(self.half):
                up = self.aggregation(pod, i)
                for j in range(self.half):
                    for other in (pod * self.half + j, self.core(i, j)):
                        yield up, other
                        yield other, up

    def paths(self, source, target):
        if source == target:
            return [[source]]
        pods = source // self.half, target // self.half
        if pods[0] == pods[1]:
            return [[source, self.aggregation(pods[0], i), target] for i in range(self.half)]
        return [[source, self.aggregation(pods[0], i), self.core(i, j), self.aggregation(pods[1], i), target]
                for i in range(self.half) for j in range(self.half)]


def binomial(rng, trials, probability):
    """Counts successes by the gaps between them: quick where they are rare."""
    if probability <= 0:
        return 0
    count, position, scale = 0, 0, math.log1p(-probability)
    while True:
        position += int(math.log(1 - rng.random()) / scale) + 1
        if position > trials:
            return count
        count += 1


def flow_packets(rng):
    size = MOST + 1
    while size > MOST:
        size = MEAN * (SHAPE - 1) / SHAPE * (1 - rng.random()) ** (-1 / SHAPE)
    return math.ceil(size / PACKET_BYTES)


def write_trace(path, k, failed, loss_range, flows_per_host, seed):
    tree, rng = FatTree(k), random.Random(seed)
    links = list(tree.links())
    rng.shuffle(links)
    loss = {link: rng.uniform(*loss_range) if i < failed else rng.uniform(0, BACKGROUND)
            for i, link in enumerate(links)}
    up = [rng.uniform(0, BACKGROUND) for _ in range(tree.hosts)]
    down = [rng.uniform(0, BACKGROUND) for _ in range(tree.hosts)]
    choices = {(s, t): tree.paths(s, t) for s in range(tree.racks) for t in range(tree.racks)}
    with open(path, "w", encoding="ascii") as out:
        for u, v in links[:failed]:
            out.write(f"Failing_link {u} {v} {loss[u, v]:g}\n")
        for (source, target), paths in choices.items():
            if source != target:
                out.writelines("FP " + " ".join(map(str, hops)) + "\n" for hops in paths)
        for _ in range(flows_per_host * tree.hosts):
            a, b = rng.randrange(tree.hosts), rng.randrange(tree.hosts)
            if a == b:
                continue
            source, target = a // tree.hosts_per_rack, b // tree.hosts_per_rack
            hops = rng.choice(choices[source, target])
            through = (1 - up[a]) * (1 - down[b])
            for link in zip(hops, hops[1:]):
                through *= 1 - loss[link]
            packets = flow_packets(rng)
            out.write(f"FID {FIRST_HOST + a} {FIRST_HOST + b} {source} {target} {packets * PACKET_BYTES} 0.0\n"
                      f"FPT {' '.join(map(str, hops))}\n"
                      f"SS {1000 * rng.random():.3f} {packets} {binomial(rng, packets, 1 - through)} 0\n")
