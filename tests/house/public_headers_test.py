#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The test of public headers, seen to fail."""

import os
import sys
import tempfile
import unittest

import public_headers

COMPILER = sys.argv.pop(1) if len(sys.argv) > 1 else "c++"


class PublicHeadersTest(unittest.TestCase):
    def problems_of(self, text):
        with tempfile.TemporaryDirectory() as root:
            include, module = os.path.join(root, "include"), os.path.join(root, "module")
            for folder in (os.path.join(include, "ns3"), os.path.join(module, "model"), os.path.join(module, "helper")):
                os.makedirs(folder)
            for folder in (os.path.join(include, "ns3"), os.path.join(module, "model")):
                with open(os.path.join(folder, "dyetrace-a.h"), "w", encoding="utf-8") as file:
                    file.write("#pragma once\n" + text)
            return public_headers.check(COMPILER, include, module)

    def test_a_header_that_stands_alone_passes(self):
        self.assertEqual(self.problems_of("#include <string>\ninline std::string A() { return {}; }\n"), [])

    def test_a_newer_language_is_found(self):
        problems = self.problems_of("template <class T> concept A = true;\n")
        self.assertEqual(len(problems), 1)
        self.assertIn("as c++17", problems[0])

    def test_a_header_of_core_is_found(self):
        self.assertEqual(len(self.problems_of('#include "core/base/ids.h"\n')), len(public_headers.STANDARDS))

    def test_a_forgotten_include_is_found(self):
        self.assertEqual(len(self.problems_of("inline std::string A() { return {}; }\n")), len(public_headers.STANDARDS))


if __name__ == "__main__":
    unittest.main()
