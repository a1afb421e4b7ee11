#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What cmake/packages.sh does with a list, seen through stand-ins for dpkg-query and apt-get."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

LIST = "# a comment\n[build]\ncmake\nlibboost-dev\n\n[gui]\nqt6-base-dev\n"
DPKG_QUERY = """#!/bin/bash
for name; do
    case $name in --*) ;; *) grep -qx "$name" "$(dirname "$0")/installed" && echo "installed $name" || failed=1 ;; esac
done
exit ${failed:-0}
"""
APT_GET = """#!/bin/bash
echo "$*" >>"$(dirname "$0")/calls"
"""


class PackagesTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        os.mkdir(os.path.join(self.root, "cmake"))
        shutil.copy(os.path.join(ROOT, "cmake", "packages.sh"), os.path.join(self.root, "cmake"))
        self.write("packages.list", LIST)
        for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", '#!/bin/bash\nexec "$@"\n')):
            self.write("bin/" + name, text)
            os.chmod(os.path.join(self.root, "bin", name), 0o755)
        self.write("bin/calls", "")

    def write(self, path, text):
        os.makedirs(os.path.dirname(os.path.join(self.root, path)), exist_ok=True)
        with open(os.path.join(self.root, path), "w", encoding="utf-8") as file:
            file.write(text)

    def run_with(self, installed, *sections, **environment):
        self.write("bin/installed", "\n".join(installed) + "\n")
        path = os.path.join(self.root, "bin") + ":" + os.environ["PATH"]
        run = subprocess.run(
            [os.path.join(self.root, "cmake", "packages.sh"), *sections],
            env={**os.environ, "NO_INSTALL": "0", "PATH": path, **environment}, capture_output=True, text=True, check=False,
        )
        with open(os.path.join(self.root, "bin", "calls"), encoding="utf-8") as file:
            return run, file.read()

    def test_only_what_is_missing_of_the_sections_asked_for_is_installed(self):
        run, calls = self.run_with(["cmake"], "build")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("update", calls)
        self.assertRegex(calls, r"install .* libboost-dev\n$")
        self.assertNotIn("cmake", calls)
        self.assertNotIn("qt6", calls)

    def test_nothing_is_asked_of_apt_when_all_is_there(self):
        run, calls = self.run_with(["cmake", "libboost-dev"], "build")
        self.assertEqual((run.returncode, calls), (0, ""))

    def test_no_install_names_what_is_missing_and_fails(self):
        run, calls = self.run_with(["cmake"], "build", "gui", NO_INSTALL="1")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("libboost-dev qt6-base-dev", run.stderr)
        self.assertEqual(calls, "")

    def test_no_install_is_content_when_all_is_there(self):
        run, _ = self.run_with(["cmake", "libboost-dev"], "build", NO_INSTALL="1")
        self.assertEqual(run.returncode, 0)

    def test_a_section_that_does_not_exist_is_an_error(self):
        run, _ = self.run_with([], "biuld")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("no section [biuld]", run.stderr)

    def test_the_second_time_asks_nobody(self):
        self.run_with(["cmake", "libboost-dev"], "build")
        run, calls = self.run_with([], "build")
        self.assertEqual((run.returncode, calls), (0, ""))

    def test_a_changed_list_is_looked_at_again(self):
        self.run_with(["cmake", "libboost-dev"], "build")
        self.write("packages.list", LIST.replace("cmake\n", "cmake\nninja-build\n"))
        _, calls = self.run_with(["cmake", "libboost-dev"], "build")
        self.assertIn("ninja-build", calls)


if __name__ == "__main__":
    unittest.main()
