#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries this repository inside an ns-3 source tree: make test-ns3 NS3_SRC=DIR

Links the repository to DIR/contrib/dyetrace, builds ns-3 with it, runs the test suite through ns-3's own test.py, runs an example, and
builds and runs a user's program in ns-3's language. Nothing else in the tree is edited: the build is in a folder of its own, and what
ns-3 writes beside its sources (the lock file that says where the build is) is put back afterwards.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from steps import Failed, Report

REPOSITORY = Path(__file__).resolve().parents[2]
USER_PROGRAM = Path(__file__).resolve().parent / 'user_program.cc'
EXAMPLE = 'dyetrace-first'
SICK_LINK = 'agg-1-0 > core-1'
# What ns-3 leaves at the top of its tree when it configures, builds or tests.
LEFTOVERS = ['.lock-ns3_*', '.lock-waf*', '.waf-*', '.waf3-*', 'testpy-output', '__pycache__']

CXX20_PROGRAM = '#include <compare>\n#include <concepts>\n#include <span>\nint main() { return 0; }\n'
BOOST_PROGRAM = ('#include <boost/graph/adjacency_list.hpp>\n#include <boost/version.hpp>\n'
                 '#if BOOST_VERSION < 107400\n#error\n#endif\nint main() { return 0; }\n')


class Tree:
    """An ns-3 source tree, as its files tell about it."""

    def __init__(self, path):
        self.path = path.resolve()
        for needed in ('VERSION', 'src/core', 'test.py'):
            if not (self.path / needed).exists():
                raise Failed(f'{path} is not an ns-3 source tree: it has no {needed}')
        self.version = (self.path / 'VERSION').read_text().split()[0]
        self.has_cmake = (self.path / 'CMakeLists.txt').exists()
        if not self.has_cmake and not (self.path / 'waf').exists():
            raise Failed(f'{path} (ns-3 {self.version}) has neither a CMakeLists.txt nor waf')

    def standard(self):
        """The C++ of its users' programs, e.g. 17."""
        where = self.path.glob('build-support/**/*.cmake') if self.has_cmake else [self.path / 'wscript']
        wanted = r'CMAKE_CXX_STANDARD_MINIMUM (\d\d)' if self.has_cmake else r'cxx_standard = "-std=c\+\+(\d\d)"'
        for file in where:
            found = re.search(wanted, file.read_text(errors='replace'))
            if found:
                return int(found[1])
        raise Failed(f'{self.path} does not say which C++ it is written in')

    def cmake_minimum(self):
        found = re.search(r'cmake_minimum_required\(VERSION (\d+)\.(\d+)', (self.path / 'CMakeLists.txt').read_text())
        return (int(found[1]), int(found[2])) if found else (0, 0)


class Link:
    """contrib/dyetrace for as long as it is needed; where it was already this repository, it stays."""

    def __init__(self, tree):
        self.at = tree.path / 'contrib' / 'dyetrace'
        self.made = False

    def __enter__(self):
        if self.at.is_symlink() or self.at.exists():
            if self.at.resolve() != REPOSITORY:
                raise Failed(f'{self.at} is there already and is not this repository; it was left as it is')
            return self
        if not self.at.parent.is_dir():
            raise Failed(f'{self.at.parent} does not exist')
        self.at.symlink_to(REPOSITORY)
        self.made = True
        return self

    def __exit__(self, *_):
        if self.made and self.at.is_symlink():
            self.at.unlink()


class Untouched:
    """Puts back what ns-3 writes at the top of its tree."""

    def __init__(self, tree):
        self.tree = tree

    def found(self):
        return {path for pattern in LEFTOVERS for path in self.tree.path.glob(pattern)}

    def __enter__(self):
        self.before = self.found()
        self.saved = {path: (path.read_bytes(), path.stat()) for path in self.before if path.is_file()}
        return self

    def __exit__(self, *_):
        for path in self.found() - self.before:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, (content, stat) in self.saved.items():
            path.write_bytes(content)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # or the user's next build would configure anew


def compiler():
    return os.environ.get('CXX', 'c++').split()


def compiles(program, *flags):
    return subprocess.run([*compiler(), *flags, '-x', 'c++', '-fsyntax-only', '-'], input=program, text=True,
                          capture_output=True).returncode == 0


def check_needs(tree):
    """An error that names all that is missing here."""
    missing = []
    if not shutil.which(compiler()[-1]):
        raise Failed(f'there is no C++ compiler {" ".join(compiler())} (Debian: g++)')
    if not compiles(CXX20_PROGRAM, '-std=c++20'):
        missing.append(f'a compiler with C++20: {" ".join(compiler())} has no <compare>, <concepts> or <span> (g++ 10 has)')
    elif not compiles(BOOST_PROGRAM, '-std=c++20'):
        missing.append('the headers of Boost 1.74 or later (Debian: libboost-dev libboost-graph-dev)')
    if tree.standard() > 20 and not compiles('int main() {}', f'-std=c++{tree.standard()}'):
        missing.append(f'a compiler with C++{tree.standard()}, which ns-3 {tree.version} is written in')
    if not shutil.which('pkg-config'):
        missing.append('pkg-config')
    elif subprocess.run(['pkg-config', '--exists', 'libsodium']).returncode:
        missing.append('libsodium (Debian: libsodium-dev)')
    if tree.has_cmake:
        if not shutil.which('cmake'):
            missing.append('cmake')
        else:
            has = re.search(r'(\d+)\.(\d+)', subprocess.run(['cmake', '--version'], text=True, capture_output=True).stdout)
            if (int(has[1]), int(has[2])) < tree.cmake_minimum():
                missing.append(f'CMake {".".join(map(str, tree.cmake_minimum()))} or later: this is {has[0]}')
    elif not waf_python():
        missing.append('a Python below 3.12 (python3.11 or older in PATH): waf uses the module imp, which later ones lack')
    if missing:
        raise Failed(f'ns-3 {tree.version} with dyetrace needs, and does not find here:\n  - ' + '\n  - '.join(missing))


def waf_python():
    if sys.version_info < (3, 12):
        return sys.executable
    return next((found for minor in range(11, 5, -1) if (found := shutil.which(f'python3.{minor}'))), None)


class CMakeBuild:
    """ns-3.36 and later. Has a build and an output folder of its own, so that the tree's own build/ and cmake-cache/ stay."""

    def __init__(self, tree, folder, jobs, report):
        self.tree, self.folder, self.jobs, self.report = tree, folder, jobs, report
        self.output = folder / 'out'
        self.python = sys.executable

    def build(self):
        generator = ['-G', 'Ninja'] if shutil.which('ninja') else []
        # What a plain `./ns3 configure --enable-tests --enable-examples --enable-modules=dyetrace` sets, with warnings as errors,
        # and the tests and examples of ns-3's other modules left out.
        said = self.report.run('configure', [
            'cmake', '-S', self.tree.path, '-B', self.folder, *generator, '-DCMAKE_BUILD_TYPE=default', '-DNS3_ASSERT=ON', '-DNS3_LOG=ON',
            '-DNS3_NATIVE_OPTIMIZATIONS=OFF', '-DNS3_WARNINGS_AS_ERRORS=ON', '-DNS3_PYTHON_BINDINGS=OFF', '-DNS3_TESTS=ON',
            '-DNS3_EXAMPLES=ON', '-DNS3_ENABLED_MODULES=dyetrace', '-DNS3_FILTER_MODULE_EXAMPLES_AND_TESTS=dyetrace',
            f'-DNS3_OUTPUT_DIRECTORY={self.output}'], self.tree.path)
        left_out = re.search(r'dyetrace: left out.*', said)
        if left_out:
            raise Failed(left_out[0])
        self.report.run('build', ['cmake', '--build', self.folder, '-j', self.jobs, '--target', 'test-runner', EXAMPLE], self.tree.path,
                        counted=True)

    def environment(self):
        return {}


class WafBuild:
    """ns-3.35 and earlier. waf takes an output folder and a lock file of our own; test.py reads only the usual lock file, which is put
    back afterwards."""

    def __init__(self, tree, folder, jobs, report):
        self.tree, self.folder, self.jobs, self.report = tree, folder, jobs, report
        self.output = folder
        self.python = waf_python()

    def build(self):
        lock = {'WAFLOCK': '.lock-waf-dyetrace'}
        # ns-3.35's own sources have warnings with a compiler younger than it.
        said = self.report.run('configure', [
            self.python, 'waf', 'configure', '-o', self.output, '--disable-python', '--disable-werror', '--enable-tests',
            '--enable-examples', '--enable-modules=dyetrace'], self.tree.path, lock)
        left_out = re.search(r'^dyetrace +: not enabled.*', said, re.MULTILINE)
        if left_out:
            raise Failed(left_out[0])
        self.report.run('build', [self.python, 'waf', 'build', '-j', self.jobs], self.tree.path, lock, counted=True)
        shutil.copy(self.tree.path / lock['WAFLOCK'], self.tree.path / f'.lock-waf_{sys.platform}_build')

    def environment(self):
        return {'LD_LIBRARY_PATH': str(self.output / 'lib')}


def run_suite(build):
    """Returns the number of cases; an error where one failed or none ran."""
    # test.py of waf's time puts .txt behind any name, later ones where it is not there.
    text = build.folder / 'dyetrace-suite'
    written = Path(f'{text}.txt')
    written.unlink(missing_ok=True)
    build.report.run('test.py -s dyetrace', [build.python, 'test.py', '--no' + ('-build' if build.tree.has_cmake else 'waf'), '-s',
                                             'dyetrace', f'--text={text}'], build.tree.path)
    if not written.exists():
        raise Failed(f'test.py wrote no results to {written}')
    result = written.read_text()
    failed = re.findall(r'^ *(?:FAIL|CRASH).*', result, re.MULTILINE)
    suites = re.findall(r'^PASS: Test Suite "(.*?)"', result, re.MULTILINE)
    cases = len(re.findall(r'^ *PASS: Test Case', result, re.MULTILINE))
    if failed or suites != ['dyetrace'] or not cases:
        raise Failed('the suite dyetrace did not pass', '\n'.join(failed) or result)
    return cases


def run_example(build):
    found = [path for path in build.output.glob(f'**/*-{EXAMPLE}*') if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise Failed(f'the example {EXAMPLE} was not built')
    said = build.report.run(f'the example {EXAMPLE}', [found[0]], build.output, build.environment())
    if SICK_LINK not in said:
        raise Failed(f'the example {EXAMPLE} does not name {SICK_LINK}', said)


def run_user_program(build):
    standard = build.tree.standard()
    program = build.output / 'dyetrace-user'
    include = build.output / 'include' if build.tree.has_cmake else build.output
    library_folder = build.output / 'lib'
    libraries = [path for path in sorted(library_folder.glob('libns3*.so')) if not re.search(r'-test[-.]', path.name)]
    build.report.run(f"a user's program in C++{standard}", [
        *compiler(), f'-std=c++{standard}', '-Wall', '-Wextra', '-isystem', include, USER_PROGRAM, '-o', program, *libraries,
        f'-Wl,-rpath,{library_folder}'], build.output)
    said = build.report.run("the user's program runs", [program], build.output, build.environment())
    if f'C++ {2000 + standard}' not in said and standard < 23:  # compilers before C++23 was done have other numbers
        raise Failed(f"the user's program was not built as C++{standard}", said)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('tree', type=Path, help='an ns-3 source tree, 3.35 or later')
    parser.add_argument('--build', type=Path, default=REPOSITORY / 'build', help='builds below it, in ns3/VERSION')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that link and lock file are put back
    try:
        tree = Tree(arguments.tree)
        check_needs(tree)
        folder = arguments.build.resolve() / 'ns3' / tree.version
        folder.mkdir(parents=True, exist_ok=True)
        report = Report(folder / 'in_tree.log')
        build = (CMakeBuild if tree.has_cmake else WafBuild)(tree, folder, arguments.jobs, report)
        print(f'ns-3 {tree.version} ({"CMake" if tree.has_cmake else "waf"}, C++{tree.standard()}) in {tree.path}; builds in {folder}')
        with Link(tree), Untouched(tree):
            build.build()
            cases = run_suite(build)
            run_example(build)
            run_user_program(build)
    except Failed as failed:
        print(f'\ntest-ns3: {failed}', file=sys.stderr)
        if failed.details:
            print('\n' + failed.details.rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ntest-ns3: stopped; the tree is as it was', file=sys.stderr)
        return 130
    report.tell_times()
    print(f'\nns-3 {tree.version}: the suite dyetrace passes ({cases} cases), and so do {EXAMPLE} and a C++{tree.standard()} program')
    return 0


if __name__ == '__main__':
    sys.exit(main())
