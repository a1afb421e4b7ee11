#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of mpi.py and mpi_prefix.py that need neither MPI nor an ns-3: what they make of results, and when they refuse."""

import os
import stat
import tempfile
import unittest
from pathlib import Path

import mpi
import mpi_prefix
from steps import Failed, Report

# Stands for mpirun: runs the program once for each rank.
MPIRUN = '''#!/bin/sh
[ "$1" = --version ] && echo "a launcher" && exit
ranks=$2; shift 2
rank=0
while [ $rank -lt $ranks ]; do RANK=$rank RANKS=$ranks "$@"; rank=$((rank + 1)); done
'''
# Stands for dyetrace_mpi_check: two hosts, dealt out to the ranks.
PROGRAM = '''#!/bin/sh
for word; do case $word in --Results=*) results=${word#--Results=};; esac; done
host=0
while [ $host -lt 2 ]; do
    [ $((host % RANKS)) = $RANK ] && echo "host-$host saw SAW"
    host=$((host + 1))
done >"$results.$RANK"
echo "{\\"rank\\": $RANK, \\"ranks\\": $RANKS, \\"setup_s\\": 0.1, \\"wall_s\\": 0.$((4 / RANKS)), \\"hops\\": $((600 / RANKS))}"
'''
CASE = ('lean', 4, 1)


class MpiTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.results = self.root / 'results'
        self.report = Report(self.root / 'log')
        self.addCleanup(self.report.log.close)
        before = os.environ.get('MPIRUN')
        self.addCleanup(lambda: os.environ.pop('MPIRUN') if before is None else os.environ.update(MPIRUN=before))
        os.environ['MPIRUN'] = str(self.script('mpirun', MPIRUN))

    def script(self, name, text):
        path = self.root / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def compare(self, saw, ranks=(2,), case=CASE):
        return mpi.compare(self.script('program', PROGRAM.replace('SAW', saw)), [case], ranks, 1, self.results, self.report)

    def test_ranks_that_measure_the_same_pass(self):
        (one, two), strangers = self.compare('7 packets')[0]
        self.assertEqual({}, strangers)  # none are measured where no speed-up is wanted
        self.assertEqual(['host-0 saw 7 packets\n', 'host-1 saw 7 packets\n'], two.lines)
        self.assertEqual((600, 600), (one.hops, two.hops))

    def test_the_table_has_the_speed_up_beside_one_rank(self):
        rows = mpi.table(self.compare('7 packets')).splitlines()
        self.assertEqual(['1', '1.00'], [rows[1].split()[index] for index in (2, 7)])
        self.assertEqual(['2', '2.00'], [rows[2].split()[index] for index in (2, 7)])

    def test_the_table_has_what_two_strangers_reach_beside_a_wanted_speed_up(self):
        rows = mpi.table(self.compare('7 packets', case=('stock', 8, 1))).splitlines()
        self.assertEqual('strangers', rows[0].split()[-1])
        self.assertEqual(['2.00', '1.8', '2.00'], rows[2].split()[-3:])

    def test_a_line_that_differs_is_named(self):
        with self.assertRaisesRegex(Failed, 'lean, k=4, 2 ranks does not give what one rank gives') as caught:
            self.compare('$RANKS packets')
        self.assertIn('1: host-0 saw 1 packets\n  2: host-0 saw 2 packets', caught.exception.details)

    def test_a_host_that_no_rank_tells_of_is_named(self):
        one, two = (mpi.Run(CASE, ranks, lines, [dict(hops=1, setup_s=0, wall_s=1)])
                    for ranks, lines in ((1, ['a 1\n', 'b 2\n']), (2, ['a 1\n'])))
        self.assertIn('1: b 2\n  2: (nothing)', mpi.difference(one, two))

    def test_a_host_on_two_ranks_is_refused(self):
        for rank in (0, 1):
            (self.root / f'x.{rank}').write_text('host-0 saw 7\n')
        with self.assertRaisesRegex(Failed, 'more than one rank tells of host-0'):
            mpi.gather([self.root / 'x.0', self.root / 'x.1'])

    def test_a_rank_that_says_nothing_is_missed(self):
        with self.assertRaisesRegex(Failed, r'of 2 ranks, these told how they fared: \[0\]'):
            mpi.told_by_ranks('{"rank": 0, "ranks": 2}\n', 2)

    def test_a_folder_without_an_ns3_is_refused_by_what_it_lacks(self):
        with self.assertRaisesRegex(Failed, 'has no lib/cmake/ns3/ns3Targets.cmake'):
            mpi_prefix.check(self.root)
        with self.assertRaisesRegex(Failed, 'there is no such folder'):
            mpi_prefix.check(self.root / 'nowhere')

    def test_an_ns3_without_mpi_is_refused(self):
        targets = self.root / 'lib/x86_64-linux-gnu/cmake/ns3/ns3Targets.cmake'
        targets.parent.mkdir(parents=True)
        targets.write_text('foreach(target ns3::libcore ns3::libnetwork)')
        with self.assertRaisesRegex(Failed, 'without MPI'):
            mpi_prefix.check(self.root)
        targets.write_text('foreach(target ns3::libcore ns3::libmpi)')
        mpi_prefix.check(self.root)

    def test_what_was_built_by_another_recipe_is_built_anew(self):
        (self.root / 'dyetrace-recipe').write_text(mpi_prefix.RECIPE)
        self.assertTrue(mpi_prefix.is_built(self.root))
        (self.root / 'dyetrace-recipe').write_text('3.36 -DNS3_MPI=ON\n')
        self.assertFalse(mpi_prefix.is_built(self.root))


if __name__ == '__main__':
    unittest.main()
