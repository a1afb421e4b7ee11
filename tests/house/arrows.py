#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails on every include and every link edge that the house's arrows do not allow.

    arrows.py [--root FOLDER] [--links BUILD/link-edges.txt]

docs/architecture.md draws the arrows; ALLOWED below is the same, in a form that a machine can hold against the tree.
"""

import argparse
import collections
import os
import re
import sys

import sources

CORE = ["core/" + room for room in "base wire auth tracking session eppc localise health".split()]
ANALYSIS = ["analysis/store", "analysis/planning", "analysis/report"]

# Room -> the rooms that it may use. What those may use, it may use too.
ALLOWED = {
    "core/base": [],
    "core/wire": ["core/base"],
    "core/auth": ["core/wire"],
    "core/tracking": ["core/wire"],
    "core/session": ["core/auth", "core/tracking"],
    "core/eppc": ["core/session"],
    "core/localise": ["core/base", "core/wire"],
    "core/health": ["core/base", "core/wire", "core/auth", "core/localise"],
    "ns3-module": CORE,
    "scenarios/reader": CORE,
    "scenarios/runner": ["ns3-module", "analysis/store", "scenarios/reader"],
    "analysis/store": [],
    "analysis/planning": ["analysis/store", "scenarios/reader"] + CORE,
    "analysis/report": ["analysis/store"] + CORE,
    "analysis/cli": ANALYSIS + ["scenarios/reader", "scenarios/runner", "host/lab"],
    "host/lab": ["analysis/store", "scenarios/reader"] + CORE,
    "host": ["analysis/store", "scenarios/reader", "host/lab"] + CORE,
    "gui/model": ["analysis/store", "scenarios/reader"] + CORE,
    "gui/live": ["analysis/store"] + CORE,
    "gui/view": ["gui/model", "gui/live"],
}
TESTS = "tests"
ROOMS = sorted(ALLOWED, key=len, reverse=True)

# Libraries that only some rooms may know: (name, its headers, its link targets, the rooms).
NS3_ROOMS = {"ns3-module", "scenarios/runner"}
QT_ROOMS = {"gui/model", "gui/live", "gui/view"}
KEPT_LIBRARIES = [
    ("ns-3", r"ns3/(?!dyetrace-).*", r"ns3::.*", NS3_ROOMS),
    ("Qt", r"Q[A-Z]\w*(/.*)?|Qt\w+/.*", r"Qt\d?::.*", QT_ROOMS),
    ("Qt's windows", r"Qt(Gui|Widgets)/.*|Q(Widget|Painter|Image|Pixmap|(Gui)?Application)", r"Qt\d?::(Gui|Widgets|OpenGL.*)", {"gui/view"}),
    ("Qt Network", r"QtNetwork/.*|Q(Tcp|Udp|Network|Local)\w+", r"Qt\d?::Network", {"gui/live", "gui/view"}),
    ("QCustomPlot", r"qcustomplot\.h", r"QCustomPlot.*", {"gui/view"}),
    ("SQLite", r"SQLiteCpp/.*|sqlite3\.h", r"SQLiteCpp|SQLite3?(::.*)?|sqlite3", {"analysis/store"}),
    ("toml++", r"toml\+\+/.*|toml\.hpp", r"tomlplusplus.*", {"scenarios/reader", "host"}),
    ("libxml2", r"libxml/.*", r"LibXml2::LibXml2|(PkgConfig::)?LIBXML2?.*", {"scenarios/reader"}),
]

# What core may include besides its own rooms; nothing here reaches a clock, a thread, a file or the system.
CORE_STANDARD_HEADERS = set(
    """algorithm any array bit bitset cassert cctype cerrno cfloat charconv cinttypes climits cmath compare complex concepts cstdarg
    cstddef cstdint cstdio cstdlib cstring deque exception forward_list functional initializer_list iomanip iterator limits list locale map
    memory memory_resource new numbers numeric optional ostream queue ranges ratio set source_location span sstream stack stdexcept
    string string_view system_error tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version""".split()
)
CORE_LIBRARY_HEADERS = {
    "core/auth": r"sodium(\.h|/.*)|cpuid\.h|immintrin\.h",
    "core/localise": r"boost/(graph|property_map|container|iterator|range)/.*",
    "core/health": r"boost/math/.*",
    "core/tracking": r"boost/math/.*",
}
CORE_LINK_TARGETS = r"dyetrace_.*|PkgConfig::SODIUM|Boost::(boost|headers|graph)"
CORE_FORBIDDEN_NAMES = [
    (r"(system|steady|high_resolution|utc|file)_clock", "reads a clock"),
    (r"clock_gettime|gettimeofday|localtime|gmtime|strftime", "reads a clock"),
    (r"random_device|s?rand(?=\s*\()|arc4random\w*|getrandom|randombytes\w*", "draws from the system's randomness"),
    (r"(secure_)?getenv|setenv|putenv", "reads the environment"),
    (r"thread_local|pthread_\w+|jthread|mutex|atomic\w*", "knows of threads"),
    (r"fopen|fread|fwrite|[iof]*fstream|v?f?printf(?=\s*\()|puts(?=\s*\()|cout|cerr|clog|cin", "does I/O"),
    (r"socket(?=\s*\()|recvfrom|sendto|ioctl", "does I/O"),
    (r"\w*[Tt]ruth\w*", "names what really happened"),
]

# The one place where core may speak for itself: (file, name).
CORE_EXCEPTIONS = {("core/base/result.h", "fprintf"): "the assertion that stays on says where it failed before it aborts"}

# What measures or decides must not know what only the simulator can know: which port the fabric's hash chooses, and what really
# happened. Those that may are few; of them, most may only tell.
HASH_NAMES = r"\w*Ecmp(?:Hash|Choice|Seed)\w*|\w*ecmpSeed\w*"
HASH_HEADER = r"(?:.*/)?dyetrace-ecmp-hash\.h"
HASH_FILES = r"ns3-module/(model/dyetrace-(ecmp-hash|forwarding)\.\w+|test/.*)"

TRUTH_NAMES = r"\w*[Tt]ruth\w*"
TRUTH_HEADER = r"(?:.*/)?(?:dyetrace-)?truth[\w-]*\.h"
# Rooms and files in which truth has no name at all, and the files of these rooms that are about it.
TRUTH_BLIND = r"scenarios/runner/.*|analysis/planning/.*|analysis/cli/locate.*"
TRUTH_OWN = r"(?:.*/)?truth[\w-]*\.\w+"
# Where the runner hands the one over to the other.
TRUTH_ASSEMBLY = {"scenarios/runner/runner.cpp": r"record_truth\w*|GetTruth"}
# Files of the ns-3 module that own or wire it; all others may tell it what happens (Note...), and never ask.
TRUTH_MODULE_OWN = r"ns3-module/(model/dyetrace-truth\.\w+|helper/.*|examples/.*|test/.*)"
TRUTH_ASKED = r"\w*[Tt]ruth\w*\s*(?:->|\.)\s*(?!Note)\w+|GetTruth"

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|([^\s"<].*))', re.MULTILINE)
GENERATED = re.compile(r"(moc_.*\.cpp|.*\.moc|ui_.*\.h|generated/.*)$")

Include = collections.namedtuple("Include", "line name quoted")


def room_of(path):
    """The room a file belongs to; 'tests' for all tests; None for what is in no room."""
    if path.startswith("tests/"):
        return TESTS
    for room in ROOMS:
        if path.startswith(room + "/"):
            return room
    return "gui/view" if path.startswith("gui/") else None


def closure(allowed):
    reach = {}

    def visit(room):
        if room not in reach:
            reach[room] = {room}
            for used in allowed[room]:
                reach[room] |= visit(used)
        return reach[room]

    for room in allowed:
        visit(room)
    return reach


REACH = closure(ALLOWED)


def may_use(room, used):
    return room == TESTS or used in REACH[room]


def includes(text):
    clean = sources.without_comments(text)
    for match in INCLUDE.finditer(clean):
        quoted, angled, computed = match.groups()
        yield Include(sources.line_of(clean, match.start()), quoted or angled or computed.strip(), bool(quoted))


class Tree:
    """The sources below one root, and how an include resolves there."""

    def __init__(self, root):
        self.root = root
        self.paths = sources.cpp_files(root)
        self.known = set(self.paths)
        self.module_headers = {os.path.basename(p): p for p in self.paths if p.startswith("ns3-module/") and p.endswith(".h")}

    def resolve(self, includer, name):
        """The path that an include means in this tree, or None if it is from outside."""
        name = os.path.normpath(name)
        if name in self.known:
            return name
        if name.startswith("ns3/"):
            return self.module_headers.get(name[len("ns3/"):])
        beside = os.path.normpath(os.path.join(os.path.dirname(includer), name))
        if beside in self.known:
            return beside
        return self.module_headers.get(name) if includer.startswith("ns3-module/") else None


def check_external(room, include):
    """What an include from outside the tree breaks."""
    name = include.name
    if room == TESTS:
        return None
    for library, headers, _, rooms in KEPT_LIBRARIES:
        if re.fullmatch(headers, name) and room not in rooms:
            return f"{room} must not know {library}: {name}"
    if room in CORE and name not in CORE_STANDARD_HEADERS:
        own = CORE_LIBRARY_HEADERS.get(room)
        if not (own and re.fullmatch(own, name)):
            return f"core includes only its own rooms and headers that reach nothing outside: {name}"
    return None


def check_include(tree, path, room, include):
    target = tree.resolve(path, include.name)
    if target is None:
        if include.quoted and not include.name.startswith("ns3/") and not GENERATED.fullmatch(include.name):
            return f'no such file in the tree (headers of libraries take <>): "{include.name}"'
        return check_external(room, include)
    used = room_of(target)
    if used is None:
        return f"{target} is in no room"
    if used == TESTS and room != TESTS:
        return f"{room} must not use the tests: {target}"
    if used != TESTS and not may_use(room, used):
        return f"no arrow from {room} to {used}: {target}"
    return None


def named(code, pattern):
    for match in re.finditer(rf"\b(?:{pattern})\b", code):
        yield sources.line_of(code, match.start()), match.group(0)


def check_hash(path, code, found):
    """The fabric's hash is known to the fabric alone."""
    if re.fullmatch(HASH_FILES, path):
        return []
    problems = [(i.line, f"only the fabric may know its hash: {i.name}") for i in found if re.fullmatch(HASH_HEADER, i.name)]
    return problems + [(line, f"only the fabric may know its hash: {name}") for line, name in named(code, HASH_NAMES)]


def check_truth(path, room, code, found):
    """What measures or decides does not know what really happened."""
    if re.fullmatch(TRUTH_OWN, path):
        return []
    if re.fullmatch(TRUTH_BLIND, path):
        allowed = TRUTH_ASSEMBLY.get(path)
        names = [(line, name) for line, name in named(code, TRUTH_NAMES) if not (allowed and re.fullmatch(allowed, name))]
        if not allowed:
            names += [(i.line, i.name) for i in found if re.fullmatch(TRUTH_HEADER, i.name)]
        return [(line, f"only files named truth* may know what really happened: {name}") for line, name in names]
    if room == "ns3-module" and not re.fullmatch(TRUTH_MODULE_OWN, path):
        return [(line, f"may tell the truth, and never ask it: {name}") for line, name in named(code, TRUTH_ASKED)]
    return []


def check_secrets(path, room, text, found):
    if room == TESTS:
        return []
    code = INCLUDE.sub("", sources.without_comments(text, keep_strings=False))
    return check_hash(path, code, found) + check_truth(path, room, code, found)


def check_core_names(path, room, text):
    if room not in CORE:
        return []
    code = INCLUDE.sub("", sources.without_comments(text, keep_strings=False))
    problems = []
    for pattern, what in CORE_FORBIDDEN_NAMES:
        for match in re.finditer(rf"\b(?:{pattern})\b", code):
            if (path, match.group(0)) not in CORE_EXCEPTIONS:
                problems.append((sources.line_of(code, match.start()), f"core {what}: {match.group(0)}"))
    return problems


def check_module_header(path):
    in_module = path.startswith(("ns3-module/model/", "ns3-module/helper/")) and path.endswith(".h")
    if in_module and not os.path.basename(path).startswith("dyetrace-"):
        return [(1, "headers of the ns-3 module are named dyetrace-*.h: ns-3 puts them all into one folder")]
    return []


def check_includes(root):
    tree = Tree(root)
    problems = []
    for path in tree.paths:
        room = room_of(path)
        if room is None:
            problems.append((path, 1, "is in no room of the house"))
            continue
        text = sources.read(root, path)
        found = list(includes(text))
        for include in found:
            problem = check_include(tree, path, room, include)
            if problem:
                problems.append((path, include.line, problem))
        for line, problem in (
            check_core_names(path, room, text) + check_secrets(path, room, text, found) + check_module_header(path)
        ):
            problems.append((path, line, problem))
    return problems


Target = collections.namedtuple("Target", "name type folder rooms linked")


def read_targets(root, links_file):
    """The targets of a configured build, from the file that cmake/LinkEdges.cmake wrote."""
    targets = {}
    with open(links_file, encoding="utf-8") as file:
        for line in file:
            name, kind, folder, *lists = line.rstrip("\n").split("|")
            listed, linked = ([item for item in each.split(";") if item and not item.endswith("-NOTFOUND")] for each in lists)
            paths = [os.path.relpath(os.path.join(root, folder, source), root) for source in listed if "$<" not in source]
            # What lies outside the tree was generated in the build folder.
            rooms = {room_of(path) for path in paths if not path.startswith(("..", "build"))}
            linked = [re.sub(r"^\$<LINK_ONLY:(.*)>$", r"\1", item) for item in linked]
            targets[name] = Target(name, kind, folder, rooms or {room_of(folder + "/CMakeLists.txt")}, linked)
    return targets


def linked_closure(targets, name):
    seen, todo = set(), [name]
    while todo:
        target = targets.get(todo.pop())
        fresh = [item for item in target.linked if item not in seen] if target else []
        seen.update(fresh)
        todo += fresh
    return seen


def check_target(targets, target):
    problems = []
    if target.folder.startswith(TESTS):
        # A test may be made of other rooms' sources, such as the module's TestSuite.
        return problems
    if len(target.rooms) > 1:
        names = ", ".join(sorted(str(room) for room in target.rooms))
        return [f"is made of sources of more than one room: {names}"]
    (room,) = target.rooms
    if room is None:
        # Flags that all rooms share are no room; code is.
        return [] if target.type == "INTERFACE_LIBRARY" else ["is in no room"]
    for item in target.linked:
        if item in targets:
            used = next(iter(targets[item].rooms))
            if used == TESTS:
                problems.append(f"{room} must not link the tests: {item}")
            elif used is not None and not may_use(room, used):
                problems.append(f"no arrow from {room} to {used}: links {item}")
            continue
        if room in CORE and not re.fullmatch(CORE_LINK_TARGETS, item):
            problems.append(f"core links nothing but libsodium and Boost: {item}")
        for library, _, link_targets, rooms in KEPT_LIBRARIES:
            if re.fullmatch(link_targets, item) and room not in rooms:
                problems.append(f"{room} must not link {library}: {item}")
    return problems


def check_links(root, links_file):
    targets = read_targets(root, links_file)
    problems = []
    for target in targets.values():
        problems += [(f"{target.folder}/CMakeLists.txt", target.name, problem) for problem in check_target(targets, target)]
        everything = linked_closure(targets, target.name)
        gpl2_only = [item for item in everything if re.fullmatch(r"ns3::.*|ns3\.?\d*-.*", item)]
        lgpl3 = [item for item in everything if re.fullmatch(r"Qt\d?::.*|QCustomPlot.*", item)]
        if gpl2_only and lgpl3:
            licences = f"links ns-3 (GPL-2.0-only) and {lgpl3[0]} (version 3 of its licence): these do not mix"
            problems.append((f"{target.folder}/CMakeLists.txt", target.name, licences))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--links", help="link-edges.txt of a configured build")
    arguments = parser.parse_args()

    root = os.path.abspath(arguments.root)
    problems = check_includes(root)
    if arguments.links:
        problems += check_links(root, arguments.links)
    for path, place, problem in problems:
        print(f"{path}:{place}: {problem}")
    print(f"arrows: {len(problems)} broken")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
