#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the module's examples as a user would, and reads what they write: examples_test.py DIRECTORY-OF-PROGRAMS"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

PROGRAMS = Path()
SOURCES = Path(__file__).resolve().parents[2] / 'ns3-module' / 'examples'


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix='dyetrace-examples-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_example(self, name, *arguments, status=0):
        program = PROGRAMS / name
        if not program.exists():
            self.skipTest(f'{name} was not built: ns-3 lacks a module that it needs')
        done = subprocess.run([program, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def test_every_example_is_tried_here(self):
        tried = set(re.findall(r"run_example\('([a-z-]+)'", Path(__file__).read_text()))
        self.assertEqual(tried, {source.stem for source in SOURCES.glob('*.cc')})

    def test_first_names_the_sick_link(self):
        self.assertRegex(self.run_example('dyetrace-first'), r'incident \d+ opened: agg-1-0 > core-1 ')

    def test_faults_tells_what_is_struck_and_finds_it(self):
        told = self.run_example('dyetrace-faults', '--from=spine-1', '--to=leaf-2', '--count=0', '--probability=0.05')
        self.assertIn('to be struck: spine-1 > leaf-2\n', told)
        self.assertRegex(told, r'incident \d+ confirmed: spine-1 > leaf-2 ')

    def test_faults_refuses_an_attribute_that_the_kind_has_not(self):
        self.run_example('dyetrace-faults', '--kind=link-down', '--probability=0.05', status=2)

    def test_tcp_is_slowed_by_the_fault_and_no_more_after_the_repath(self):
        told = self.run_example('dyetrace-tcp')
        before, lossy, after = (float(rate) for rate in re.findall(r': ([0-9.]+) Mbit/s', told))
        self.assertLess(lossy, 0.7 * before)
        self.assertGreater(after, 0.9 * before)
        self.assertRegex(told, r'after the repath: \S+ Mbit/s, 0 segments sent again')

    def test_closed_loop_moves_the_paths_and_verifies(self):
        told = self.run_example('dyetrace-closed-loop', '--stop=2500ms')
        self.assertRegex(told, r'remedy \d+ incident \d+ agg-0-1 > core-2')
        self.assertRegex(told, r'verified \d+ incident \d+ agg-0-1 > core-2')
        goodput = {int(ms): float(rate) for ms, rate in re.findall(r'^goodput (\d+) ([0-9.]+)$', told, re.MULTILINE)}
        before = [rate for ms, rate in goodput.items() if 500 < ms <= 1000]
        after = [rate for ms, rate in goodput.items() if ms > 2000]
        self.assertGreater(sum(after) / len(after), 0.95 * sum(before) / len(before))

    def test_animation_is_what_netanim_reads_with_the_named_link_in_red(self):
        told = self.run_example('dyetrace-animation', '--file=fabric.xml')
        named = re.search(r'incident \d+: (\S+) > (\S+)$', told, re.MULTILINE)
        self.assertIsNotNone(named, told)
        tree = ET.parse(self.folder / 'fabric.xml').getroot()
        self.assertEqual(tree.tag, 'anim')
        places = {(node.get('locX'), node.get('locY')) for node in tree.iter('node')}
        self.assertEqual(len(places), 36, 'each node of a fat-tree of k=4 stands in a place of its own')
        names = {update.get('id'): update.get('descr') for update in tree.iter('nu') if update.get('p') == 'd'}
        red = {names[update.get('id')] for update in tree.iter('nu') if update.get('p') == 'c' and update.get('r') == '220'}
        self.assertEqual(red, set(named.groups()))
        packets = list(tree.iter('p'))
        self.assertGreater(len(packets), 1000)
        self.assertTrue(all(float(packet.get('lbRx')) > float(packet.get('fbTx')) for packet in packets))

    def test_outputs_plots_loss_that_ends_with_the_move(self):
        told = self.run_example('dyetrace-outputs', '--prefix=plot', '--terminal=svg')
        moved = re.findall(r'\+([0-9.]+)ms  path (\d+) loses [0-9.]+%: moved', told)
        self.assertTrue(moved, told)
        paths = self.plotted(self.folder / 'plot-loss.plt')
        self.assertEqual(len(paths), 8)
        for at, number in moved:
            points = paths[int(number)]
            self.assertGreater(max(loss for time, loss in points if time < float(at)), 1, 'the path lost')
            self.assertLess(points[-1][1], 1, 'and loses nothing any more')
        if shutil.which('gnuplot'):
            for plot in ('plot-loss', 'plot-truth'):
                subprocess.run(['gnuplot', f'{plot}.plt'], cwd=self.folder, check=True)
                self.assertEqual(ET.parse(self.folder / f'{plot}.svg').getroot().tag, '{http://www.w3.org/2000/svg}svg')

    def test_outputs_reports_what_the_fabric_dropped(self):
        self.run_example('dyetrace-outputs', '--prefix=plot')
        points = re.findall(r'^([0-9.]+) ([0-9.]+)$', (self.folder / 'plot-truth.plt').read_text(), re.MULTILINE)
        self.assertGreater(len(points), 150)
        self.assertGreater(len([truth for truth, _ in points if float(truth) > 2]), 10)
        for truth, reported in points:
            self.assertEqual(reported, truth)

    @staticmethod
    def plotted(file):
        """The points of each path in a gnuplot file, whose commands they follow."""
        commands, data = file.read_text().split('\nplot ')
        titles = [int(number) for number in re.findall(r'title "path (\d+)"', data)]
        blocks = data.split('\n', 1)[1].split('\ne\n')
        assert 'set ylabel "lost, %"' in commands
        return {title: [tuple(map(float, line.split())) for line in block.splitlines() if line]
                for title, block in zip(titles, blocks)}

    def test_outputs_saved_settings_are_loaded_again(self):
        def store(mode, file, *more):
            return self.run_example('dyetrace-outputs', f'--ns3::ConfigStore::Mode={mode}', f'--ns3::ConfigStore::Filename={file}', *more)
        told = store('Save', 'saved.txt')
        saved = (self.folder / 'saved.txt').read_text()
        self.assertIn('default ns3::DyetraceHost::PathCount "8"\n', saved)
        self.assertEqual(store('Load', 'saved.txt'), told, 'what was saved is what the run had')
        (self.folder / 'other.txt').write_text(saved.replace('DyetraceHost::PathCount "8"', 'DyetraceHost::PathCount "3"'))
        self.assertIn('3 paths are in', store('Load', 'other.txt'))


if __name__ == '__main__':
    PROGRAMS = Path(sys.argv.pop(1)).resolve()
    unittest.main()
