#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds an ns-3 that runs on more than one rank: make test-mpi does so once, where no NS3_MPI=PREFIX is given

Debian's package of ns-3 is built without MPI. This takes the same source from Debian (apt-get source), configures it as the package is
but with MPI and with only the modules that dyetrace needs, and installs it outside every source tree. Lists and downloads of apt are
in a folder of their own, so nothing of the system's changes. What was interrupted goes on where it was; what is there is not built anew.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from steps import Failed

VERSION = '3.37'
MODULES = ['core', 'network', 'internet', 'applications', 'point-to-point', 'mpi']
# As Debian's package: optimised for no machine in particular, logs on, assertions off. Nothing that happens to be installed here joins in.
OPTIONS = ['-DCMAKE_BUILD_TYPE=release', '-DNS3_MPI=ON', '-DNS3_LOG=ON', '-DNS3_ASSERT=OFF', '-DNS3_NATIVE_OPTIMIZATIONS=OFF',
           '-DNS3_WARNINGS_AS_ERRORS=OFF', '-DNS3_PYTHON_BINDINGS=OFF', '-DNS3_TESTS=OFF', '-DNS3_EXAMPLES=OFF', '-DNS3_GTK3=OFF',
           '-DNS3_GSL=OFF', '-DNS3_SQLITE=OFF', f'-DNS3_ENABLED_MODULES={";".join(MODULES)}', '-DCMAKE_INSTALL_LIBDIR=lib']
RECIPE = ' '.join([VERSION, *OPTIONS]) + '\n'


def usual_place():
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(cache) / 'dyetrace' / f'ns3-{VERSION}-mpi'


def check(prefix):
    """An error unless an ns-3 with MPI is installed there."""
    if not prefix.is_dir():
        raise Failed(f'NS3_MPI={prefix}: there is no such folder')
    exported = [path.read_text() for path in prefix.glob('lib*/**/cmake/ns3/ns3Targets.cmake')]
    if not exported:
        raise Failed(f'NS3_MPI={prefix} is no folder that an ns-3 was installed to: it has no lib/cmake/ns3/ns3Targets.cmake')
    if not any(re.search(r'ns3::(lib)?mpi\b', targets) for targets in exported):
        raise Failed(f'NS3_MPI={prefix} has an ns-3, but one without MPI (./ns3 configure --enable-mpi)')


def is_built(prefix):
    stamp = prefix / 'dyetrace-recipe'
    return stamp.exists() and stamp.read_text() == RECIPE


def source_lists():
    """apt's lines for sources, from where Debian's packages come from here; or else from Debian's own mirrors."""
    known = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages',
                            'Origin: Debian'], text=True, capture_output=True).stdout.split('\n')
    lines = [f'deb-src {line}' for line in dict.fromkeys(known) if line]
    return '\n'.join(lines or ['deb-src http://deb.debian.org/debian bookworm main']) + '\n'


def fetch(work, report):
    """The source tree, unpacked below `work`."""
    unpacked, arriving = work / 'source', work / 'source.part'
    if unpacked.exists():
        return next(unpacked.glob('ns3-*/ns-3.*/VERSION')).parent
    if not shutil.which('apt-get') or not shutil.which('dpkg-source'):
        raise Failed('ns-3 would be built from the source package of Debian, and there is no apt-get or no dpkg-source (dpkg-dev) here. '
                     'Build one as docs/mpi.md tells, and give it: make test-mpi NS3_MPI=PREFIX')
    apt = work / 'apt'
    for folder in ('lists/partial', 'cache/archives/partial'):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / 'sources.list').write_text(source_lists())
    own = [f'Dir::Etc::SourceList={apt}/sources.list', 'Dir::Etc::SourceParts=/dev/null', f'Dir::State::Lists={apt}/lists',
           f'Dir::Cache={apt}/cache', 'APT::Sandbox::User=root']  # apt's own user may not read this folder
    command = ['apt-get', '-q', *(word for option in own for word in ('-o', option))]
    report.run("ask Debian for its sources' lists", [*command, 'update'], work)
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir()
    report.run('fetch and unpack ns-3 (40 MB)', [*command, 'source', 'ns3'], arriving)
    found = [path.read_text().strip() for path in arriving.glob('ns3-*/ns-3.*/VERSION')]
    if found != [VERSION]:
        raise Failed(f'the ns-3 of this Debian is {found or "packaged in an unknown way"}; this builds {VERSION}, that of Debian 12 '
                     '(docs/mpi.md)')
    arriving.rename(unpacked)
    return fetch(work, report)


def build(prefix, jobs, report):
    """Makes `prefix` unless it is there."""
    if is_built(prefix):
        print(f'ns-3 {VERSION} with MPI is in {prefix}')
        return
    work = Path(f'{prefix}.build')
    work.mkdir(parents=True, exist_ok=True)
    print(f'There is no ns-3 {VERSION} with MPI in {prefix} yet: it is built there now, once: 40 MB to fetch and 360 steps to build, '
          f'16 minutes of one core of a busy machine. Remove the folder to be rid of it; NS3_MPI=PREFIX takes one that you have.', flush=True)
    source = fetch(work, report)
    generator = ['-G', 'Ninja'] if shutil.which('ninja') else []
    # Else programs would find ns-3's modules that they do not name themselves in Debian's package, under the same names.
    run_path = f'-DCMAKE_INSTALL_RPATH={prefix}/lib'
    report.run('configure ns-3', ['cmake', '-S', source, '-B', work / 'build', *generator, *OPTIONS, run_path,
                                  f'-DNS3_OUTPUT_DIRECTORY={work}/out', f'-DCMAKE_INSTALL_PREFIX={prefix}'], work)
    # Not all: ns-3's own tests and tools take as long as a module.
    report.run('build ns-3', ['cmake', '--build', work / 'build', '-j', jobs, '--target', *(f'lib{module}' for module in MODULES)], work,
               counted=True)
    report.run('install ns-3', ['cmake', '--install', work / 'build'], work)
    check(prefix)
    (prefix / 'dyetrace-recipe').write_text(RECIPE)
    shutil.rmtree(work)
