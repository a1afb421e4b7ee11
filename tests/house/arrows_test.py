#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The test of arrows, seen to fail: each case plants one violation in a small house that is otherwise in order."""

import os
import tempfile
import unittest

import arrows

HOUSE = {
    "core/base/ids.h": "#pragma once\n#include <cstdint>\n",
    "core/wire/geneve.h": '#include "core/base/ids.h"\n',
    "core/auth/tag.cpp": '#include <sodium.h>\n#include "core/wire/geneve.h"\n',
    "core/localise/graph.h": '#include <boost/graph/adjacency_list.hpp>\n#include "core/base/ids.h"\n',
    "ns3-module/model/dyetrace-fabric.h": '#include "ns3/object.h"\n#include "ns3/dyetrace-packet.h"\n',
    "ns3-module/model/dyetrace-packet.h": "#include <vector>\n",
    "ns3-module/model/dyetrace-truth.h": '#include "ns3/object.h"\n',
    "ns3-module/model/dyetrace-fabric.cc": '#include "dyetrace-fabric.h"\n#include "core/eppc/eppc.h"\n',
    "core/eppc/eppc.h": '#include "core/auth/../base/ids.h"\n',
    "scenarios/reader/scenario.h": "#include <toml++/toml.h>\n",
    "scenarios/runner/run.cpp": '#include "ns3/dyetrace-fabric.h"\n#include "analysis/store/writer.h"\n#include "ns3/simulator.h"\n',
    "scenarios/runner/truth_rows.cpp": '#include "ns3/dyetrace-truth.h"\nDyetraceTruth truth;\n',
    "analysis/store/writer.h": "#include <string>\n",
    "gui/model/run.h": '#include <QAbstractItemModel>\n#include "analysis/store/writer.h"\n',
    "gui/view/map.h": '#include <QWidget>\n#include "gui/model/run.h"\n',
    "tests/core/wire/geneve_test.cpp": '#include <unistd.h>\n#include "core/wire/geneve.h"\n',
}

TARGETS = """\
dyetrace_base|STATIC_LIBRARY|core/base|ids.cpp|dyetrace_warnings
dyetrace_auth|STATIC_LIBRARY|core/auth|tag.cpp|dyetrace_base;PkgConfig::SODIUM
dyetrace_store|STATIC_LIBRARY|analysis/store|writer.cpp|SQLiteCpp
dyetrace_runner|STATIC_LIBRARY|scenarios/runner|run.cpp|ns3::libcore;dyetrace_store
dyetrace_viewer_model|STATIC_LIBRARY|gui|model/run.cpp|Qt6::Core;dyetrace_store
dyetrace-viewer|EXECUTABLE|gui|main.cpp|dyetrace_viewer_model;Qt6::Widgets
dyetrace_warnings|INTERFACE_LIBRARY|||dyetrace_warnings-NOTFOUND
wire_test|EXECUTABLE|tests/core/wire|geneve_test.cpp|dyetrace_base;dyetrace_store
"""


class ArrowsTest(unittest.TestCase):
    def problems_of_house(self, changes):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**HOUSE, **changes}.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return arrows.check_includes(root)

    def problems_of_links(self, targets):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, "link-edges.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write(targets)
            return arrows.check_links(root, path)

    def assert_one_problem(self, changes, said, at=None):
        problems = self.problems_of_house(changes)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(said, problems[0][2])
        if at:
            self.assertEqual(problems[0][:2], at)

    def assert_one_link_problem(self, line, said):
        problems = self.problems_of_links(TARGETS + line + "\n")
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(said, problems[0][2])

    def test_a_house_in_order_has_no_problem(self):
        self.assertEqual(self.problems_of_house({}), [])
        self.assertEqual(self.problems_of_links(TARGETS), [])

    def test_an_include_against_the_arrow_is_found_with_its_line(self):
        changes = {"core/base/ids.h": '#pragma once\n\n#include "core/wire/geneve.h"\n'}
        self.assert_one_problem(changes, "no arrow from core/base to core/wire", ("core/base/ids.h", 3))

    def test_rooms_beside_each_other_have_no_arrow(self):
        self.assert_one_problem({"core/tracking/path.h": '#include "core/auth/tag.h"\n', "core/auth/tag.h": ""}, "no arrow from core/tracking")
        self.assert_one_problem({"core/health/nhms.h": '#include "core/eppc/eppc.h"\n'}, "no arrow from core/health to core/eppc")

    def test_a_way_round_by_a_relative_path_is_found(self):
        self.assert_one_problem({"core/base/ids.h": '#include "../wire/geneve.h"\n'}, "no arrow from core/base to core/wire")

    def test_spaces_around_the_directive_do_not_hide_it(self):
        self.assert_one_problem({"core/base/ids.h": '  #  include"core/wire/geneve.h"\n'}, "no arrow from core/base")

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(self.problems_of_house({"core/base/ids.h": '/*\n#include "core/wire/geneve.h"\n*/\n'}), [])

    def test_the_simulator_is_known_to_its_module_and_the_runner_only(self):
        self.assert_one_problem({"core/eppc/eppc.h": '#include "ns3/packet.h"\n'}, "must not know ns-3")
        self.assert_one_problem({"analysis/cli/run.cpp": '#include "ns3/simulator.h"\n'}, "must not know ns-3")
        self.assert_one_problem({"analysis/report/a.cpp": '#include "ns3/dyetrace-fabric.h"\n'}, "no arrow from analysis/report to ns3-module")

    def test_core_reaches_nothing_of_the_system(self):
        for header in ("unistd.h", "sys/socket.h", "chrono", "thread", "mutex", "random", "fstream", "iostream", "filesystem"):
            with self.subTest(header=header):
                self.assert_one_problem({"core/wire/geneve.h": f"#include <{header}>\n"}, "core includes only")
        self.assert_one_problem({"core/wire/geneve.h": "#include <QString>\n"}, "must not know Qt")
        self.assert_one_problem({"core/wire/geneve.h": "#include <SQLiteCpp/SQLiteCpp.h>\n"}, "must not know SQLite")
        self.assert_one_problem({"core/wire/geneve.h": "#include <sodium.h>\n"}, "core includes only")

    def test_core_calls_nothing_of_the_system(self):
        for code in ('getenv("HOME")', "std::rand()", "std::chrono::steady_clock::now()", "randombytes_buf(x, 8)", 'std::printf("x")',
                     "static thread_local int x", "extern int truth"):
            with self.subTest(code=code):
                self.assert_one_problem({"core/wire/geneve.cpp": f"// std::rand() is fine here\nauto a = {code};\n"}, "core ",
                                        ("core/wire/geneve.cpp", 2))

    def test_what_only_a_comment_or_a_string_names_is_no_call(self):
        code = 'const char* a = "getenv"; /* steady_clock */ // rand()\nauto b = R"(cout)"; int c = 1\'000; int operand(int);\n'
        self.assertEqual(self.problems_of_house({"core/wire/geneve.cpp": code}), [])

    def test_the_measuring_side_of_the_runner_does_not_know_the_truth(self):
        for code in ('#include "ns3/dyetrace-truth.h"', "class DyetraceTruth;", "store::TruthDropRow row;", "auto t = helper.GetTruth();",
                     '#include "scenarios/runner/truth_rows.h"'):
            with self.subTest(code=code):
                self.assert_one_problem({"scenarios/runner/record.cpp": code + "\n", "scenarios/runner/truth_rows.h": ""}, "only files named truth*")

    def test_the_runner_hands_the_truth_to_its_recorder_and_does_nothing_else_with_it(self):
        handed = '#include "scenarios/runner/truth_rows.h"\nvoid f() { record_truth(*helper.GetTruth()); }\n'
        changes = {"scenarios/runner/truth_rows.h": "", "scenarios/runner/runner.cpp": handed}
        self.assertEqual(self.problems_of_house(changes), [])
        self.assert_one_problem({**changes, "scenarios/runner/runner.cpp": handed + "DyetraceTruth* t;\n"}, "only files named truth*")

    def test_what_decides_from_a_database_does_not_read_the_truth(self):
        self.assert_one_problem({"analysis/cli/locate.cpp": "auto a = reader.truth_faults();\n"}, "only files named truth*")
        self.assertEqual(self.problems_of_house({"analysis/cli/show.cpp": "auto a = reader.truth_faults();\n"}), [])

    def test_hosts_tell_the_truth_and_never_ask_it(self):
        path = "ns3-module/model/dyetrace-host-port.cc"
        self.assertEqual(self.problems_of_house({path: "void f() { m_truth->NoteSent(1); }\n"}), [])
        self.assert_one_problem({path: "int f() { return m_truth->GetDrops(); }\n"}, "never ask it")

    def test_the_hash_is_known_to_the_fabric_alone(self):
        header = {"ns3-module/model/dyetrace-ecmp-hash.h": "int DyetraceEcmpHash();\n"}
        include = '#include "ns3-module/model/dyetrace-ecmp-hash.h"\n'
        self.assertEqual(self.problems_of_house({**header, "ns3-module/model/dyetrace-forwarding.cc": include}), [])
        for path in ("ns3-module/model/dyetrace-host.cc", "scenarios/runner/truth_rows.cpp", "scenarios/runner/runner.cpp"):
            with self.subTest(path=path):
                self.assert_one_problem({**header, path: include}, "only the fabric may know its hash")
        self.assert_one_problem({"core/localise/guess.cpp": "extern int DyetraceEcmpHash();\n"}, "only the fabric may know its hash")

    def test_headers_of_the_module_have_names_that_no_other_module_takes(self):
        self.assert_one_problem({"ns3-module/helper/fabric-helper.h": ""}, "are named dyetrace-*.h")

    def test_windows_stay_out_of_the_models(self):
        self.assert_one_problem({"gui/model/run.h": "#include <QWidget>\n"}, "must not know Qt's windows")
        self.assert_one_problem({"gui/view/map.h": '#include "scenarios/runner/run.h"\n', "scenarios/runner/run.h": ""}, "no arrow from gui/view")

    def test_nobody_uses_the_tests(self):
        changes = {"core/wire/geneve.h": '#include "tests/core/wire/help.h"\n', "tests/core/wire/help.h": ""}
        self.assert_one_problem(changes, "must not use the tests")

    def test_a_file_in_no_room_is_found(self):
        self.assert_one_problem({"core/misc.h": ""}, "is in no room")

    def test_an_include_that_resolves_to_nothing_is_found(self):
        self.assert_one_problem({"core/wire/geneve.h": '#include "base/ids.h"\n'}, "no such file in the tree")

    def test_a_link_against_the_arrow_is_found(self):
        self.assert_one_link_problem("dyetrace_wire|STATIC_LIBRARY|core/wire|a.cpp|dyetrace_store", "no arrow from core/wire")
        self.assert_one_link_problem("a|STATIC_LIBRARY|analysis/report|a.cpp|$<LINK_ONLY:dyetrace_runner>", "no arrow from analysis/report")
        self.assert_one_link_problem("a|STATIC_LIBRARY|core/wire|a.cpp|wire_test", "must not link the tests")

    def test_core_links_nothing_of_the_system(self):
        self.assert_one_link_problem("dyetrace_wire|STATIC_LIBRARY|core/wire|a.cpp|Threads::Threads", "core links nothing but")

    def test_a_target_of_two_rooms_is_found(self):
        self.assert_one_link_problem("a|STATIC_LIBRARY|core|wire/a.cpp;auth/b.cpp|", "more than one room")

    def test_a_library_kept_to_a_room_is_linked_by_no_other(self):
        self.assert_one_link_problem("a|STATIC_LIBRARY|analysis/report|a.cpp|SQLiteCpp", "must not link SQLite")
        self.assert_one_link_problem("a|STATIC_LIBRARY|gui/model|a.cpp|Qt6::Widgets", "must not link Qt's windows")

    def test_licences_that_do_not_mix_are_found_also_through_others(self):
        self.assert_one_link_problem("both|EXECUTABLE|tests/gui|a.cpp|dyetrace_runner;dyetrace_viewer_model", "do not mix")


if __name__ == "__main__":
    unittest.main()
