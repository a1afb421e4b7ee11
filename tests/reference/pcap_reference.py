#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened to the packets of each measured interval, computed from the captures of both ends of an underlay and from nothing else.

    pcap_reference.py SENDER.pcap RECEIVER.pcap [--control-vni N]       JSON on standard output

SENDER holds the encapsulation packets as they leave their host, RECEIVER as they arrive at the other one, each with the times of
that host's own clock. An interval of a (session, path, generation) reaches from the START marker that arrived first to the END marker that
arrived first; the very same transmissions bound it in the sender's capture. The program knows no keys and shares no code with core:
a tracked packet counts as arrived where an option arrives that is, to the byte, one that was sent.

Of all data packets of the path's 5-tuple, between the markers in either capture
  sent, arrived    by counting;  received = arrived less the repeats of tracked packets;  lost = sent - received (net)
Of the tracked packets that were sent in the interval, by their first arrival, whenever it was
  tracked_sent, tracked_received, tracked_lost
  after_end        of tracked_received, those that came behind the END marker
  duplicates       further arrivals of the same option
  late             reordered packets (RFC 4737 section 3.3): a packet sent later arrived before
  extent_max       reordering extent (section 4.2.3): i - j, for the reordered arrival i and the earliest arrival j of one sent later
  ce               CE outside on arrival, and not when sent;  ecn_invalid: of all arrivals, CE outside and not-ECT inside
  ttl_changes      arrivals whose TTL differs from that of the arrival before
  corrupted        the guest's frame arrived with other bytes than it was sent
  delay_*          receiver's time less sender's, ns, nothing corrected
  jitter_ns        RFC 3550 section 6.4.1, over first arrivals in their order, by the integers of its section A.8
  ipdv_sum_ns      sum of |difference of the delays| of two tracked packets that were sent, and arrived, one after the other (RFC 3393
                   section 2.5);  ipdv_pairs: their number
"""
import argparse
import collections
import dataclasses
import json
import sys

import pcap_file
import underlay_packet
from underlay_packet import CE, NOT_ECT

START, END, COUNT = 1, 2, 3


class Capture:
    """One end: its packets in order, by 5-tuple, and where each control message is."""

    def __init__(self, path, control_vni):
        self.packets, self.refused = [], collections.Counter()
        for time_ns, frame in pcap_file.frames(path):
            try:
                self.packets.append(underlay_packet.parse(time_ns, frame, control_vni))
            except underlay_packet.NotCounted as reason:
                self.refused[str(reason)] += 1
        self.of_tuple = collections.defaultdict(list)
        self.first_of_message = {}
        for index, packet in enumerate(self.packets):
            self.of_tuple[packet.tuple5].append(index)
            if packet.control:
                self.first_of_message.setdefault((packet.tuple5, packet.message), index)

    def data_between(self, tuple5, first, last):
        """Positions of data packets of a 5-tuple between two positions; without an end, to the last."""
        return [index for index in self.of_tuple[tuple5] if first < index and (last is None or index < last) and not self.packets[index].control]


@dataclasses.dataclass
class Interval:
    """Positions of the markers that bound an interval, in both captures."""

    tuple5: tuple
    number: int
    sent_start: int
    arrived_start: int
    sent_end: int = None
    arrived_end: int = None
    counts: list = dataclasses.field(default_factory=list)  # COUNT markers that arrived: (position sent, position arrived)


def find_intervals(sender, receiver):
    """{(5-tuple's hosts, session, path, generation): intervals by number}, of the markers that arrived."""
    found = collections.defaultdict(dict)
    for arrived, packet in enumerate(receiver.packets):
        marker = packet.marker
        if not marker:
            continue
        sent = sender.first_of_message.get((packet.tuple5, packet.message))
        if sent is None:
            continue  # nobody's marker: forged, or of the other direction's capture
        intervals = found[packet.tuple5[:2] + (marker.session, marker.path, marker.generation)]
        if marker.kind == START:
            intervals.setdefault(marker.interval, Interval(packet.tuple5, marker.interval, sent, arrived))
        elif marker.interval in intervals:
            interval = intervals[marker.interval]
            if marker.kind == END and interval.sent_end is None:
                interval.sent_end, interval.arrived_end = sent, arrived
            elif marker.kind == COUNT and interval.sent_end is None:
                interval.counts.append((sent, arrived))
    return found


def repeats(receiver, tuple5):
    """Positions of tracked packets whose option arrived before on this 5-tuple."""
    seen, again = set(), set()
    for index in receiver.of_tuple[tuple5]:
        option = receiver.packets[index].option
        if option and option in seen:
            again.add(index)
        seen.add(option)
    return again


def reordering(order):
    """(late, largest extent) of sending positions in order of arrival, each once (RFC 4737 sections 3.3 and 4.2.3)."""
    late = extent_max = 0
    newest = -1
    for i, sent in enumerate(order):
        if sent < newest:
            late += 1
            earliest = next(j for j in range(i) if order[j] > sent)
            extent_max = max(extent_max, i - earliest)
        newest = max(newest, sent)
    return late, extent_max


def jitter(delays):
    sixteenths = 0
    for before, delay in zip(delays, delays[1:]):
        sixteenths += abs(delay - before) - ((sixteenths + 8) >> 4)
    return (sixteenths + 8) >> 4


def tracked_figures(sender, receiver, tuple5, sent, end_of):
    """Figures of the tracked packets at positions `sent` of the sender's capture; `end_of`: where the END marker of each arrived."""
    order_of = {sender.packets[index].option: place for place, index in enumerate(sent)}
    arrivals = collections.defaultdict(list)
    for index in receiver.of_tuple[tuple5]:
        option = receiver.packets[index].option
        if option in order_of:
            arrivals[option].append(index)
    firsts = sorted(indexes[0] for indexes in arrivals.values())
    order = [order_of[receiver.packets[index].option] for index in firsts]
    came = [receiver.packets[index] for index in firsts]
    went = [sender.packets[sent[place]] for place in order]
    delays = [arrived.time_ns - left.time_ns for left, arrived in zip(went, came)]
    variations = [abs(delays[i] - delays[i - 1]) for i in range(1, len(order)) if order[i] == order[i - 1] + 1]
    late, extent_max = reordering(order)
    all_arrivals = [receiver.packets[index] for indexes in arrivals.values() for index in indexes]
    ends = [end_of[sent[place]] for place in order]
    return {
        "tracked_sent": len(sent),
        "tracked_received": len(came),
        "tracked_lost": len(sent) - len(came),
        "after_end": sum(end is not None and index > end for index, end in zip(firsts, ends)),
        "duplicates": len(all_arrivals) - len(came),
        "late": late,
        "extent_max": extent_max,
        "ce": sum(arrived.ecn == CE and left.ecn != CE for left, arrived in zip(went, came)),
        "ecn_invalid": sum(packet.ecn == CE and packet.inner_ecn == NOT_ECT for packet in all_arrivals),
        "ttl_changes": sum(one.ttl != other.ttl for one, other in zip(came, came[1:])),
        "corrupted": sum(left.inner != arrived.inner for left, arrived in zip(went, came)),
        "delay_count": len(delays),
        "delay_min_ns": min(delays, default=None),
        "delay_max_ns": max(delays, default=None),
        "delay_sum_ns": sum(delays),
        "jitter_ns": jitter(delays),
        "ipdv_sum_ns": sum(variations),
        "ipdv_pairs": len(variations),
    }


def figures(sender, receiver, key, intervals):
    """Of several intervals of one path together."""
    tuple5 = intervals[0].tuple5
    again = repeats(receiver, tuple5)
    sent, end_of, arrived, repeated = [], {}, 0, 0
    for one in intervals:
        left = sender.data_between(tuple5, one.sent_start, one.sent_end)
        inside = receiver.data_between(tuple5, one.arrived_start, one.arrived_end)
        sent += left
        end_of.update((index, one.arrived_end) for index in left)
        arrived += len(inside)
        repeated += sum(index in again for index in inside)
    received = arrived - repeated
    counts = {"sent": len(sent), "arrived": arrived, "received": received, "lost": len(sent) - received}
    tracked = [index for index in sent if sender.packets[index].option and sender.packets[index].track == key[2:]]
    return counts | tracked_figures(sender, receiver, tuple5, tracked, end_of)


def judge_path(sender, receiver, key, intervals):
    intervals = sorted(intervals, key=lambda one: one.number)
    result = dict(zip(("source", "destination", "session", "path", "generation"), key))
    result["source_port"] = intervals[0].tuple5[2]
    result["intervals"] = []
    for one in intervals:
        counts = [
            {"sent": len(sender.data_between(one.tuple5, one.sent_start, sent)),
             "arrived": len(receiver.data_between(one.tuple5, one.arrived_start, arrived))}
            for sent, arrived in one.counts
        ]  # fmt: skip
        state = {"interval": one.number, "state": "open" if one.sent_end is None else "ended", "counts": counts}
        result["intervals"].append(state | figures(sender, receiver, key, [one]))
    ended = [one for one in intervals if one.sent_end is not None]
    result["total"] = figures(sender, receiver, key, ended) if ended else None
    return result


def judge(sender, receiver):
    intervals = find_intervals(sender, receiver)
    return {
        "paths": [judge_path(sender, receiver, key, intervals[key].values()) for key in sorted(intervals)],
        "sender": {"packets": len(sender.packets), "refused": dict(sorted(sender.refused.items()))},
        "receiver": {"packets": len(receiver.packets), "refused": dict(sorted(receiver.refused.items()))},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sender")
    parser.add_argument("receiver")
    parser.add_argument("--control-vni", type=lambda text: int(text, 0), default=0xFFFFFF)
    arguments = parser.parse_args()
    try:
        sender, receiver = (Capture(path, arguments.control_vni) for path in (arguments.sender, arguments.receiver))
    except (OSError, pcap_file.BadCapture) as error:
        print(error, file=sys.stderr)
        return 1
    json.dump(judge(sender, receiver), sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
