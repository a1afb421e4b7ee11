#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's verdict: it fails on everything that makes its figures untrue."""

import unittest

import lab_program  # noqa: F401 - the path to the lab
import verdict


def sender(**totals):
    totals = {"sent": 1000, "received": 990, "lost": 10, "tracked_lost": 2, "open_paths": 0, "excess_paths": 0, **totals}
    return {
        "address": "192.0.2.1",
        "counters": {"encapsulated": 1010, "tagged": 100, "data_send_failed": 0},
        "sessions": [{"role": "acceptor"}, {"role": "requester", "state": "closed", "totals": totals}],
    }


def receiver(ring_full=0):
    ports = [{"role": "guest", "ring_full": 5}, {"role": "underlay", "ring_full": ring_full}]
    return {"address": "192.0.2.2", "ports": ports}


def fault(**counters):
    return {"arrived": 1010, "dropped": 10, "dropped_tagged": 2, **counters}


def failures(sent=None, received=None, dropped=None, every=100):
    return verdict.direction(sent or sender(), received or receiver(), dropped or fault(), every)["failures"]


class Direction(unittest.TestCase):
    def test_equal_counts_pass(self):
        self.assertEqual(failures(), [])

    def test_loss_by_counts_that_differs_by_one_fails(self):
        for lost in (9, 11):
            self.assertIn("lost by counts", failures(sender(lost=lost))[0])

    def test_loss_by_sequence_that_differs_by_one_fails(self):
        for lost in (1, 3):
            self.assertIn("lost by sequence", failures(sender(tracked_lost=lost))[0])

    def test_full_ring_fails_and_is_accounted_for(self):
        found = failures(sender(lost=13), receiver(ring_full=3))
        self.assertEqual(found, ["the receiver's ring was full for 3 packets"])

    def test_data_that_was_not_sent_fails(self):
        unsent = sender(lost=14)
        unsent["counters"]["data_send_failed"] = 4
        self.assertEqual(failures(unsent, dropped=fault(arrived=1006)), ["the sender's interface did not take 4 data packets"])

    def test_packets_that_vanish_before_the_fault_fail(self):
        self.assertIn("came to the fault", failures(dropped=fault(arrived=1009))[0])

    def test_unsettled_tail_fails(self):
        self.assertIn("unsettled", failures(sender(open_paths=1))[0])

    def test_excess_fails(self):
        self.assertIn("received more", failures(sender(excess_paths=1))[0])

    def test_session_that_was_not_closed_fails(self):
        lost_peer = sender()
        lost_peer["sessions"][1]["state"] = "peer-lost"
        self.assertIn("peer-lost", failures(lost_peer)[0])

    def test_no_session_fails(self):
        silent = sender()
        silent["sessions"] = []
        self.assertEqual(failures(silent), ["no session was measured"])

    def test_fault_without_effect_fails_unless_none_was_asked_for(self):
        nothing = fault(dropped=0, dropped_tagged=0)
        unharmed = sender(lost=0, tracked_lost=0)
        self.assertIn("dropped nothing", failures(unharmed, dropped=nothing)[0])
        self.assertEqual(failures(unharmed, dropped=nothing, every=0), [])


class Capture(unittest.TestCase):
    GOOD = {"malformed": 0, "bad_checksum": 0, "other": 0, "data": 100, "inner_decoded": 100, "inner_vlan": 0, "tagged": 1, "option_share": 0.01}

    def test_clean_capture_passes(self):
        self.assertEqual(verdict.capture_failures(self.GOOD), [])

    def test_each_fault_fails(self):
        bad = {"malformed": 1, "bad_checksum": 1, "other": 1, "inner_decoded": 99, "option_share": 0.04}
        for key, value in bad.items():
            self.assertEqual(len(verdict.capture_failures({**self.GOOD, key: value})), 1, key)
        self.assertEqual(len(verdict.capture_failures({**self.GOOD, "option_share": None})), 1)


class OtherTunnels(unittest.TestCase):
    def test_vxlan_has_no_options(self):
        bare = {**Capture.GOOD, "tagged": 0, "option_share": 0}
        self.assertEqual(verdict.capture_failures(bare, "vxlan"), [])
        self.assertIn("have an option", verdict.capture_failures(Capture.GOOD, "vxlan")[0])

    def test_every_inner_frame_has_the_guests_tag_or_none_has(self):
        tagged = {**Capture.GOOD, "inner_vlan": 100}
        self.assertEqual(verdict.capture_failures(tagged, has_vlan=True), [])
        self.assertIn("have a VLAN tag", verdict.capture_failures(tagged)[0])
        self.assertIn("have a VLAN tag", verdict.capture_failures({**tagged, "inner_vlan": 99}, has_vlan=True)[0])


class MovedPath(unittest.TestCase):
    @staticmethod
    def final(repaths=1, generations=(0, 1)):
        moved = sender()
        moved["counters"]["repaths"] = repaths
        moved["sessions"][1]["paths"] = [{"path": 3, "generation": g, "sent": 5} for g in generations]
        return moved

    def test_a_move_that_was_measured_before_and_after_passes(self):
        self.assertEqual(verdict.moved_failures(self.final(), 3), [])

    def test_a_move_that_was_not_made_fails(self):
        self.assertIn("0 paths", verdict.moved_failures(self.final(repaths=0), 3)[0])

    def test_a_generation_that_was_not_measured_fails(self):
        self.assertIn("was measured as", verdict.moved_failures(self.final(generations=(0,)), 3)[0])
        self.assertIn("was measured as", verdict.moved_failures(self.final(), 4)[0])


if __name__ == "__main__":
    unittest.main()
