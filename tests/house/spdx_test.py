#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The test of licences, seen to fail."""

import os
import tempfile
import unittest

import spdx

SAID = "SPDX-License-Identifier: GPL-2.0-or-later\n"


class SpdxTest(unittest.TestCase):
    def problems_of(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full) or root, exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
            return spdx.check(root)

    def test_a_file_that_says_its_licence_passes(self):
        self.assertEqual(self.problems_of("core/a.h", "// " + SAID), [])
        self.assertEqual(self.problems_of("lab/run", "#!/bin/bash\n# " + SAID), [])

    def test_a_file_without_is_found(self):
        for path in ("core/a.h", "a.py", "core/CMakeLists.txt", "scenarios/a.toml"):
            with self.subTest(path=path):
                self.assertEqual(len(self.problems_of(path, "\n")), 1)
        self.assertEqual(len(self.problems_of("lab/run", "#!/bin/bash\n")), 1)

    def test_a_licence_said_too_late_or_another_one_is_found(self):
        self.assertEqual(len(self.problems_of("core/a.h", "\n\n\n\n// " + SAID)), 1)
        self.assertEqual(len(self.problems_of("core/a.h", "// SPDX-License-Identifier: GPL-3.0-only\n")), 1)

    def test_data_and_prose_need_not_say(self):
        self.assertEqual(self.problems_of("tests/data/a.toml", "\n"), [])
        self.assertEqual(self.problems_of("docs/a.md", "\n"), [])


if __name__ == "__main__":
    unittest.main()
