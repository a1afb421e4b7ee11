#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What in_tree.py does to somebody's ns-3 tree: nothing that it does not take back, and nothing where something else is in its way.

The builds themselves need ns-3's sources: make test-ns3 NS3_SRC=DIR."""
import pathlib
import sys
import tempfile
import unittest

import in_tree


class InTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for directory in ('src/core', 'contrib', 'build-support/custom-modules'):
            (self.root / directory).mkdir(parents=True)
        self.write('VERSION', '3.48\n')
        self.write('test.py', '')
        self.write('CMakeLists.txt', 'cmake_minimum_required(VERSION 3.25..3.25)\n')
        self.write('build-support/custom-modules/x.cmake', 'set(CMAKE_CXX_STANDARD_MINIMUM 23)\n')
        self.tree = in_tree.Tree(self.root)
        self.at = self.root / 'contrib' / 'dyetrace'

    def write(self, name, text):
        (self.root / name).write_text(text)

    def test_a_tree_tells_what_it_is(self):
        self.assertEqual(('3.48', True, 23, (3, 25)),
                         (self.tree.version, self.tree.has_cmake, self.tree.standard(), self.tree.cmake_minimum()))

    def test_a_tree_of_waf_tells_what_it_is(self):
        (self.root / 'CMakeLists.txt').unlink()
        self.write('waf', '')
        self.write('wscript', 'cxx_standard = "-std=c++17"\n')
        tree = in_tree.Tree(self.root)
        self.assertEqual((False, 17), (tree.has_cmake, tree.standard()))

    def test_what_is_no_tree_is_refused_by_what_it_lacks(self):
        (self.root / 'test.py').unlink()
        with self.assertRaisesRegex(in_tree.Failed, 'not an ns-3 source tree: it has no test.py'):
            in_tree.Tree(self.root)

    def test_the_link_is_there_while_needed_and_gone_afterwards(self):
        with in_tree.Link(self.tree):
            self.assertEqual(in_tree.REPOSITORY, self.at.resolve())
        self.assertFalse(self.at.is_symlink())

    def test_the_link_is_gone_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), in_tree.Link(self.tree):
            raise ZeroDivisionError
        self.assertFalse(self.at.is_symlink())

    def test_a_link_to_this_repository_stays(self):
        self.at.symlink_to(in_tree.REPOSITORY)
        with in_tree.Link(self.tree):
            pass
        self.assertTrue(self.at.is_symlink())

    def test_something_else_in_its_place_is_refused_and_stays(self):
        self.at.mkdir()
        (self.at / 'mine').write_text('precious')
        with self.assertRaisesRegex(in_tree.Failed, 'is not this repository; it was left as it is'), in_tree.Link(self.tree):
            pass
        self.assertEqual('precious', (self.at / 'mine').read_text())

    def test_a_link_that_leads_nowhere_is_refused_and_stays(self):
        self.at.symlink_to('/nowhere')
        with self.assertRaisesRegex(in_tree.Failed, 'left as it is'), in_tree.Link(self.tree):
            pass
        self.assertTrue(self.at.is_symlink())

    def test_the_users_lock_file_is_put_back_with_its_time(self):
        lock = self.root / '.lock-ns3_linux_build'
        lock.write_text('theirs')
        before = lock.stat().st_mtime_ns
        with in_tree.Untouched(self.tree):
            lock.write_text('ours')
        self.assertEqual(('theirs', before), (lock.read_text(), lock.stat().st_mtime_ns))

    def test_what_ns3_left_behind_is_removed_and_what_was_there_stays(self):
        (self.root / 'testpy-output').mkdir()
        with in_tree.Untouched(self.tree):
            (self.root / 'testpy-output' / 'x').write_text('')
            (self.root / '.waf3-2.0.22').mkdir()
            self.write('.lock-ns3_linux_build', 'ours')
        self.assertEqual(['testpy-output'], [path.name for path in in_tree.Untouched(self.tree).found()])

    def test_a_command_that_fails_is_told_by_its_errors(self):
        report = in_tree.Report(self.root / 'log')
        self.addCleanup(report.log.close)
        with self.assertRaisesRegex(in_tree.Failed, 'build: failed with status 3') as caught:
            report.run('build', [sys.executable, '-c', 'print("a\\nx.cc:1: error: b\\nc"); exit(3)'], self.root)
        self.assertEqual('x.cc:1: error: b\n', caught.exception.details)


if __name__ == '__main__':
    unittest.main()
