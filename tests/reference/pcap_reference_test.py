#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference on captures whose figures a reader can count."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import pcap_file
import pcap_reference
from hand_made import COUNT, END, START, Story, geneve, guest, ipv4, ipv6, marker_message, option, udp, vxlan, write_pcap


class Reference(unittest.TestCase):
    def setUp(self):
        self.folder_ = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.folder_.name)
        self.addCleanup(self.folder_.cleanup)

    def judge(self, story, **how):
        captures = [pcap_reference.Capture(path, 0xFFFFFF) for path in story.write(self.folder, **how)]
        return pcap_reference.judge(*captures)

    def only_path(self, story, **how):
        paths = self.judge(story, **how)["paths"]
        self.assertEqual(len(paths), 1)
        return paths[0]

    def total(self, story, **how):
        return self.only_path(story, **how)["total"]

    def expect(self, figures, **expected):
        self.assertEqual({name: figures[name] for name in expected}, expected)


class Loss(Reference):
    def test_packets_between_the_markers_are_counted_and_no_others(self):
        for network in (ipv4, ipv6):
            story = Story(network)
            story.data(1, 101)
            story.marker(START, 2, 102)
            story.data(3, 103)
            story.data(4)
            story.data(5, 105)
            story.data(6, 106, port=49156)
            story.marker(END, 7, 107)
            story.data(8, 108)
            self.expect(self.total(story), sent=3, arrived=2, received=2, lost=1, tracked_sent=0, delay_min_ns=None)

    def test_the_markers_that_arrived_first_bound_the_interval(self):
        story = Story()
        story.marker(START, 1)
        story.data(2, 102)
        story.marker(START, 3, 103)
        story.data(4, 104)
        story.marker(START, 5, 105)
        story.data(6)
        story.marker(END, 7, 110)
        story.marker(END, 8, 108)
        story.data(9, 109)
        self.expect(self.total(story), sent=2, received=1, lost=1)

    def test_the_reverse_direction_is_judged_apart(self):
        story = Story()
        for source, destination in ((1, 2), (2, 1)):
            for number, what in enumerate([START, None, END]):
                payload = geneve(guest()) if what is None else geneve(marker_message(what), control=True, vni=0)
                frame = ipv4(udp(payload), source=source, destination=destination)
                story.carry(frame, number + 1, number + 101)
        paths = self.judge(story)["paths"]
        self.assertEqual([(path["source"], path["total"]["sent"]) for path in paths], [("10.0.0.1", 1), ("10.0.0.2", 1)])

    def test_intervals_are_told_apart_and_summed(self):
        story = Story()
        for interval, at in ((1, 0), (2, 10)):
            story.marker(START, at + 1, at + 101, interval=interval)
            story.data(at + 2, at + 102)
            story.data(at + 3)
            story.marker(END, at + 4, at + 104, interval=interval)
            story.data(at + 5, at + 105)
        path = self.only_path(story)
        self.assertEqual([(one["interval"], one["sent"], one["lost"]) for one in path["intervals"]], [(1, 2, 1), (2, 2, 1)])
        self.expect(path["total"], sent=4, received=2, lost=2)

    def test_an_interval_without_an_end_is_open_and_in_no_total(self):
        story = Story()
        story.marker(START, 1, 101)
        story.data(2, 102)
        story.marker(END, 3)
        path = self.only_path(story)
        self.assertEqual(path["intervals"][0]["state"], "open")
        self.assertIsNone(path["total"])

    def test_a_marker_that_nobody_sent_opens_nothing(self):
        story = Story()
        story.marker(START, None, 101)
        story.data(2, 102)
        self.assertEqual(self.judge(story)["paths"], [])

    def test_a_count_marker_shows_the_counts_so_far(self):
        story = Story()
        story.marker(START, 1, 101)
        story.data(2, 102)
        story.data(3)
        story.marker(COUNT, 4, 104)
        story.data(5, 105)
        story.marker(END, 6, 106)
        path = self.only_path(story)
        self.assertEqual(path["intervals"][0]["counts"], [{"sent": 2, "arrived": 1}])

    def test_vxlan_is_counted_by_its_control_vni(self):
        story = Story()
        for number, what in enumerate([START, None, None, END]):
            control = bytes(12) + b"\x88\xb5" + marker_message(what or 0)
            payload = vxlan(guest(), 1000) if what is None else vxlan(control, 0xFFFFFF)
            story.carry(ipv4(udp(payload, destination=4789)), number + 1, *([] if number == 1 else [number + 101]))
        self.expect(self.total(story), sent=2, received=1, lost=1)

    def test_a_packet_with_a_broken_header_did_not_arrive(self):
        story = Story()
        story.marker(START, 1, 101)
        good = story.untracked()
        broken = bytearray(good)
        broken[14 + 16] ^= 1
        story.carry(good, 2, (102, bytes(broken)))
        story.marker(END, 3, 103)
        verdict = self.judge(story)
        self.expect(verdict["paths"][0]["total"], sent=1, arrived=0, lost=1)
        self.assertEqual(verdict["receiver"]["refused"], {"IPv4 checksum": 1})


class Tracked(Reference):
    def story(self, *packets):
        """Between START and END: each packet a (sequence, time sent, arrivals...)."""
        story = Story()
        story.marker(START, 1, 1001)
        for packet in packets:
            story.tracked(*packet)
        story.marker(END, 900, 1900)
        return story

    def test_a_lost_tracked_packet_is_lost_in_both_ways(self):
        self.expect(self.total(self.story((1, 10, 1010), (2, 20), (3, 30, 1030))), sent=3, lost=1, tracked_sent=3, tracked_lost=1)

    def test_a_packet_of_another_session_counts_but_is_not_of_this_one(self):
        story = self.story((1, 10, 1010))
        story.carry(ipv4(udp(geneve(guest(), options=option(1, session=8)))), 20, 1020)
        self.expect(self.total(story), sent=2, received=2, tracked_sent=1)

    def test_an_option_that_was_not_sent_is_no_arrival(self):
        story = self.story((1, 10))
        story.carry(story.tagged(2), None, 1010)
        self.expect(self.total(story), tracked_sent=1, tracked_received=0, tracked_lost=1, arrived=1)

    def test_a_duplicate_is_taken_out_of_received(self):
        self.expect(self.total(self.story((1, 10, 1010, 1011, 1012), (2, 20))),
                    sent=2, arrived=3, received=1, lost=1, tracked_received=1, duplicates=2, delay_count=1)  # fmt: skip

    def test_the_first_arrival_decides_the_delay(self):
        self.expect(self.total(self.story((1, 10, 1500, 1010))), delay_min_ns=1000, delay_max_ns=1000, late=0)

    def test_reordering_is_counted_with_its_extent(self):
        # In order of arrival: 2 3 4 1 5. Packet 1 is reordered; the earliest that overtook it is 3 places before.
        story = self.story((1, 10, 1045), (2, 20, 1020), (3, 30, 1030), (4, 40, 1040), (5, 50, 1050))
        self.expect(self.total(story), late=1, extent_max=3, tracked_lost=0)

    def test_extent_is_the_largest_of_several(self):
        # 3 1 2: both 1 and 2 were overtaken by 3, two places before 2.
        self.expect(self.total(self.story((1, 10, 1031), (2, 20, 1032), (3, 30, 1030))), late=2, extent_max=2)

    def test_a_wrapping_sequence_is_in_order(self):
        self.expect(self.total(self.story((0xFFFFFFFF, 10, 1010), (0, 20, 1020))), late=0, tracked_received=2)

    def test_a_tracked_packet_behind_the_end_arrived_and_the_count_missed_it(self):
        self.expect(self.total(self.story((1, 10, 1950), (2, 20, 1020))), lost=1, tracked_lost=0, after_end=1)

    def test_delays_are_of_the_two_clocks(self):
        # The receiver's clock is behind: delays are negative and stay so.
        story = Story()
        story.marker(START, 100_000, 1)
        story.tracked(1, 100_010, 30)
        story.tracked(2, 100_020, 10)
        story.marker(END, 100_030, 50)
        self.expect(self.total(story), delay_count=2, delay_min_ns=-100_010, delay_max_ns=-99_980, delay_sum_ns=-199_990, late=1)

    def test_delay_variation_is_of_packets_that_follow_each_other_in_both_places(self):
        # Delays 1000, 1160, 1000, -, 1080; then 8 overtakes 7, so neither follows the one before.
        story = self.story((1, 10, 1010), (2, 20, 1180), (3, 200, 1200), (4, 210), (5, 220, 1300), (6, 300, 1301), (7, 310, 1400), (8, 320, 1390))
        self.expect(self.total(story), ipdv_sum_ns=160 + 160 + 79, ipdv_pairs=3)

    def test_jitter_is_a_sixteenth_of_each_difference(self):
        # RFC 3550 A.8 by hand: 160; then 160 + 160 - 10 = 310; 310 + 80 - 19 = 371; (371 + 8) / 16 = 23.
        self.expect(self.total(self.story((1, 10, 1010), (2, 20, 1180), (3, 200, 1200), (4, 220, 1300))), jitter_ns=23)

    def test_marks_of_congestion_are_those_of_the_network(self):
        story = self.story()
        for sequence, sent_tos, arrived_tos, inner in ((1, 2, 3, 2), (2, 3, 3, 3), (3, 2, 2, 2), (4, 0, 3, 0)):
            frames = [story.tagged(sequence, inner=guest(ecn=inner), tos=tos) for tos in (sent_tos, arrived_tos)]
            story.carry(frames[0], 10 * sequence, (1000 + 10 * sequence, frames[1]))
        self.expect(self.total(story), ce=2, ecn_invalid=1, tracked_received=4)

    def test_a_change_of_ttl_is_seen_once_each_time(self):
        story = self.story()
        for sequence, ttl in enumerate((60, 60, 59, 59, 60)):
            frames = [story.tagged(sequence, ttl=one) for one in (64, ttl)]
            story.carry(frames[0], 10 + sequence, (1010 + sequence, frames[1]))
        self.expect(self.total(story), ttl_changes=2)

    def test_a_changed_frame_of_a_guest_is_corrupted_and_not_lost(self):
        story = self.story((1, 10, 1010))
        story.carry(story.tagged(2, inner=guest(b"dyetrace")), 20, (1020, story.tagged(2, inner=guest(b"dyetracf"))))
        self.expect(self.total(story), corrupted=1, tracked_lost=0)

    def test_generations_of_a_path_are_told_apart(self):
        story = Story()
        for generation, port in ((1, 49155), (2, 49160)):
            story.marker(START, generation * 10, generation * 10 + 1000, generation=generation, port=port)
            story.data(generation * 10 + 1, generation * 10 + 1001, port=port)
            story.marker(END, generation * 10 + 2, generation * 10 + 1002, generation=generation, port=port)
        paths = self.judge(story)["paths"]
        self.assertEqual([(p["generation"], p["source_port"], p["total"]["sent"]) for p in paths], [(1, 49155, 1), (2, 49160, 1)])


class Files(Reference):
    def story(self):
        story = Story()
        story.marker(START, 1_000_001_000, 5_000_001_000)
        story.tracked(1, 1_000_002_000, 5_000_003_000)
        story.marker(END, 1_000_004_000, 5_000_004_000)
        return story

    def test_both_byte_orders_and_both_units_of_time_are_read(self):
        for magic in (0xA1B23C4D, 0xA1B2C3D4):
            for order in "<>":
                self.expect(self.total(self.story(), magic=magic, order=order), delay_min_ns=4_000_001_000)

    def test_a_broken_file_is_refused_in_words(self):
        path = self.folder / "broken.pcap"
        write_pcap(path, [(1, bytes(60))])
        whole = path.read_bytes()
        for data, words in (
            (b"", "shorter than the header"),
            (b"\x0a\x0d\x0d\x0a" + whole[4:], "not of a pcap file"),
            (whole[:20] + b"\x71" + whole[21:], "not Ethernet"),
            (whole[:30], "ends in the header of packet 1"),
            (whole[:-1], "ends in packet 1"),
            (whole[:32] + b"\x3b" + whole[33:], "holds 59 of 60 bytes"),
        ):
            path.write_bytes(data)
            with self.assertRaisesRegex(pcap_file.BadCapture, words):
                list(pcap_file.frames(path))

    def test_the_program_prints_json_and_its_status(self):
        program = [sys.executable, str(pathlib.Path(pcap_reference.__file__))]
        paths = [str(path) for path in self.story().write(self.folder)]
        done = subprocess.run(program + paths, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(done.stdout)["paths"][0]["total"]["tracked_received"], 1)
        done = subprocess.run(program + [paths[0], "/nowhere.pcap"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/nowhere.pcap", done.stderr)


if __name__ == "__main__":
    unittest.main()
