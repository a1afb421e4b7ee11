#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one fabric on one rank and on two, and holds the results against each other: make test-mpi [NS3_MPI=PREFIX]

Builds the module against an ns-3 with MPI (PREFIX, or one that mpi_prefix.py builds once), in a folder of its own, and there the program
dyetrace_mpi_check. That writes what every host measured, each rank of its own hosts; put together, this is the same to the byte however
many ranks there were, or the test fails. How long it took is told beside it, and decides nothing: the machine may be busy.
"""

import argparse
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import mpi_prefix
from steps import Failed, Report

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = 'dyetrace_mpi_check'
# Grade, K of the fat-tree, simulated milliseconds.
CASES = [('lean', 4, 20), ('stock', 4, 20), ('lean', 8, 10), ('stock', 8, 2), ('lean', 16, 4), ('stock', 16, 1)]
# What two ranks on two idle cores are to gain.
WANTED = {('stock', 8): 1.8, ('stock', 16): 1.8, ('lean', 16): 1.5}


class Run:
    """One case on a number of ranks: what its hosts measured, and how fast it was."""

    def __init__(self, case, ranks, lines, told):
        self.case, self.ranks, self.lines = case, ranks, lines
        self.hops = sum(rank['hops'] for rank in told)
        self.setup_s = max(rank['setup_s'] for rank in told)
        self.wall_s = max(rank['wall_s'] for rank in told)

    def name(self):
        grade, k, _ = self.case
        return f'{grade}, k={k}, {self.ranks} rank{"s" * (self.ranks > 1)}'


def launcher(ranks):
    """mpirun with what it needs to be told here."""
    mpirun = os.environ.get('MPIRUN', 'mpirun')
    if not shutil.which(mpirun):
        raise Failed(f'there is no {mpirun} (Debian: openmpi-bin)')
    said = subprocess.run([mpirun, '--version'], text=True, capture_output=True).stdout
    words = [mpirun, '-np', ranks]
    if 'Open MPI' in said or 'OpenRTE' in said:
        if ranks > len(os.sched_getaffinity(0)):
            words += ['--oversubscribe']  # waiting ranks yield then, which costs those that have cores
        if os.geteuid() == 0:
            words += ['--allow-run-as-root']  # in a container one is root
    return words


def gather(files):
    """The lines of all ranks in the order of their names. Each begins with the name of what it is about, which only one rank may own."""
    lines = [line for file in files for line in file.read_text().splitlines(keepends=True)]
    lines.sort()
    names = [line.split(maxsplit=1)[0] for line in lines]
    twice = [name for name, next_name in itertools.pairwise(names) if name == next_name]
    if twice:
        raise Failed(f'more than one rank tells of {twice[0]}')
    return lines


def told_by_ranks(said, ranks):
    """What each rank says of itself, a line of JSON on its standard output."""
    told = [json.loads(line) for line in said.splitlines() if line.startswith('{')]
    if sorted(rank['rank'] for rank in told) != list(range(ranks)) or any(rank['ranks'] != ranks for rank in told):
        raise Failed(f'of {ranks} ranks, these told how they fared: {[rank["rank"] for rank in told]}', said)
    return told


def command(program, case, ranks, stem):
    grade, k, milliseconds = case
    return [*launcher(ranks), program, f'--Grade={grade}', f'--K={k}', f'--Milliseconds={milliseconds}', f'--Ranks={ranks}',
            f'--Results={stem}']


def run(program, case, ranks, results, report):
    grade, k, milliseconds = case
    stem = results / f'{grade}-k{k}-of-{ranks}'
    for old in results.glob(f'{stem.name}.*'):
        old.unlink()
    said = report.run(f'{grade}, k={k}, {milliseconds} ms, {ranks} rank{"s" * (ranks > 1)}',
                      command(program, case, ranks, stem), results)
    files = [Path(f'{stem}.{rank}') for rank in range(ranks)]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise Failed(f'a rank wrote no results: {missing[0]} is missing in {results}', said)
    lines = gather(files)
    if not lines:
        raise Failed(f'no host of {grade}, k={k} measured anything')
    Path(f'{stem}.txt').write_text(''.join(lines))
    return Run(case, ranks, lines, told_by_ranks(said, ranks))


def apart(program, case, count, results):
    """Seconds until `count` runs of one rank each, begun together and strangers to each other, are all done: what they take longer
    than one alone is the machine's, and no ranks can be faster than that allows."""
    words = [[str(word) for word in command(program, case, 1, results / f'apart-{number}')] for number in range(count)]
    # Each would have the first core to itself, were it told nothing.
    unbound = {**os.environ, 'OMPI_MCA_hwloc_base_binding_policy': 'none'}
    running = [subprocess.Popen(one, cwd=results, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=unbound)
               for one in words]
    said = [process.communicate()[0] for process in running]
    for process, text in zip(running, said):
        if process.returncode != 0:
            raise Failed(f'a run beside others ended with {process.returncode}', text)
    return max(told_by_ranks(text, 1)[0]['wall_s'] for text in said)


def difference(one, other):
    """The first lines that differ, or '' where all are the same."""
    pairs = itertools.zip_longest(one.lines, other.lines, fillvalue='(nothing)\n')
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    shown = [f'  {one.ranks}: {a}  {other.ranks}: {b}' for a, b in differing[:5]]
    return f'{len(differing)} lines differ, the first:\n' + ''.join(shown) if differing else ''


def best(runs):
    """The fastest of the same run; all have to say the same."""
    for again in runs[1:]:
        if again.lines != runs[0].lines:
            raise Failed(f'{runs[0].name()}: two runs do not give the same', difference(runs[0], again))
    return min(runs, key=lambda one: one.wall_s)


def table(done):
    rows = [('grade', 'k', 'ranks', 'set-up s', 'run s', 'packet-hops', 'hops/s', 'speed-up', 'wanted', 'strangers')]
    for runs, strangers_s in done:
        for one in runs:
            bound = one.ranks * runs[0].wall_s / strangers_s[one.ranks] if one.ranks in strangers_s else None
            grade, k, _ = one.case
            wanted = WANTED.get((grade, k)) if one.ranks > 1 else None
            rows.append((grade, str(k), str(one.ranks), f'{one.setup_s:.2f}', f'{one.wall_s:.3f}', str(one.hops),
                         f'{one.hops / max(one.wall_s, 1e-9):.3g}', f'{runs[0].wall_s / max(one.wall_s, 1e-9):.2f}',
                         f'{wanted}' if wanted else '', f'{bound:.2f}' if bound else ''))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return '\n'.join('  '.join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def compare(program, cases, ranks, repeat, results, report):
    """Runs all; an error where more ranks measure something else than one."""
    results.mkdir(parents=True, exist_ok=True)
    done = []
    for case in cases:
        counts = (1, *ranks)
        strangers = ranks if case[:2] in WANTED else ()
        # In turn, so that a busy moment hits all alike.
        rounds = [([run(program, case, count, results, report) for count in counts],
                   [apart(program, case, count, results) for count in strangers]) for _ in range(repeat)]
        runs = [best([one[place] for one, _ in rounds]) for place in range(len(counts))]
        for other in runs[1:]:
            differing = difference(runs[0], other)
            if differing:
                raise Failed(f'{other.name()} does not give what one rank gives; both are in {results}', differing)
        done.append((runs, {count: min(other[place] for _, other in rounds) for place, count in enumerate(strangers)}))
    return done


def build_program(prefix, folder, jobs, report):
    """The module and the program against the ns-3 in `prefix`."""
    generator = ['-G', 'Ninja'] if shutil.which('ninja') else []
    report.run('configure dyetrace', [
        'cmake', '-S', REPOSITORY, '-B', folder, *generator, '-DCMAKE_BUILD_TYPE=Release', f'-DCMAKE_PREFIX_PATH={prefix}',
        '-DDYETRACE_WITH_NS3=ON', '-DDYETRACE_WITH_GUI=OFF', '-DDYETRACE_WITH_HOST=OFF'], REPOSITORY)
    report.run('build dyetrace', ['cmake', '--build', folder, '-j', jobs, '--target', PROGRAM], REPOSITORY, counted=True)
    return folder / 'tests' / 'bin' / PROGRAM


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--prefix', type=Path, help='an installed ns-3 with MPI; without it one is built, once')
    parser.add_argument('--build', type=Path, default=REPOSITORY / 'build' / 'mpi', help='builds and writes results there')
    parser.add_argument('--program', type=Path, help=f'a {PROGRAM} that is built already')
    parser.add_argument('--grade', choices=['lean', 'stock'], help='only the cases of this grade')
    parser.add_argument('--k', type=int, help='only the cases of this size')
    parser.add_argument('--ranks', type=int, nargs='+', default=[2], help='beside one (default: 2)')
    parser.add_argument('--repeat', type=int, default=1, help='run each so often and tell of the fastest')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 2)
    return parser.parse_args()


def main():
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = arguments.build.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder / 'mpi.log')
    try:
        program = arguments.program and arguments.program.resolve()
        if not program:
            launcher(1)  # before minutes of building, not after it
            prefix = (arguments.prefix or mpi_prefix.usual_place()).resolve()
            if not arguments.prefix:
                mpi_prefix.build(prefix, arguments.jobs, report)
            mpi_prefix.check(prefix)
            program = build_program(prefix, folder, arguments.jobs, report)
        cases = [case for case in CASES if arguments.grade in (None, case[0]) and arguments.k in (None, case[1])]
        if not cases:
            raise Failed(f'there is no such case; these there are: {", ".join(f"{grade} k={k}" for grade, k, _ in CASES)}')
        done = compare(program, cases, arguments.ranks, arguments.repeat, folder / 'results', report)
    except Failed as failed:
        print(f'\ntest-mpi: {failed}', file=sys.stderr)
        if failed.details:
            print('\n' + failed.details.rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ntest-mpi: stopped; another run goes on from here', file=sys.stderr)
        return 130
    report.tell_times()
    print('\n' + table(done))
    print('\nStrangers: so many runs of one rank, begun together, do as much more than one alone; no ranks can do better here.')
    print(f'\nOn {" and ".join(map(str, arguments.ranks))} ranks every host measures what it does on one, in all {len(done)} cases.')
    cores = len(os.sched_getaffinity(0))
    if cores < max(arguments.ranks):
        print(f'There are {cores} cores for {max(arguments.ranks)} ranks here: the speed-up says nothing.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
