## -*- Mode: python; py-indent-offset: 4; indent-tabs-mode: nil; coding: utf-8; -*-
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dyetrace as the module `dyetrace` of an ns-3 that still builds with waf (up to 3.35), from contrib/dyetrace. Later releases build
# with CMake and read CMakeLists.txt. Needs a compiler with C++20, libsodium and the headers of Boost 1.74.

import re

CORE_ROOMS = ['base', 'wire', 'auth', 'tracking', 'session', 'eppc', 'localise', 'health']
NS3_MODULES = ['core', 'network', 'internet', 'applications']

CXX20_PROGRAM = '#include <compare>\n#include <span>\nint main() { return 0; }\n'
BOOST_PROGRAM = '''#include <boost/graph/adjacency_list.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION < 107400
#error too old
#endif
int main() { return 0; }
'''


def configure(conf):
    # Without a global define, which would compile all of ns-3 anew when this module comes.
    sodium = conf.check_cfg(package='libsodium', args=['--cflags', '--libs'], uselib_store='SODIUM', global_define=0, mandatory=False)
    cxx20 = conf.check_nonfatal(fragment=CXX20_PROGRAM, features='cxx', cxxflags=['-std=c++20'], msg='Checking for C++20 (dyetrace)')
    boost = conf.check_nonfatal(fragment=BOOST_PROGRAM, features='cxx', cxxflags=['-std=c++20'],
                                msg="Checking for Boost's headers, 1.74 or later (dyetrace)")
    # What is missing leaves this module out, in words; ns-3 builds all the same.
    missing = [what for what, found in (('libsodium (libsodium-dev pkg-config)', sodium), ('a compiler with C++20', cxx20),
                                        ('Boost 1.74 (libboost-dev libboost-graph-dev)', boost)) if not found]
    conf.env['ENABLE_DYETRACE'] = not missing
    conf.report_optional_feature('dyetrace', 'dyetrace', not missing, 'needs ' + ', '.join(missing))
    if missing:
        conf.env['MODULES_NOT_BUILT'].append('dyetrace')


def public_headers(bld):
    """Those that show nothing of core, themselves or by what they include; all others are the module's own."""
    headers = bld.path.ant_glob(['ns3-module/model/*.h', 'ns3-module/helper/*.h'])
    shows_core = ['core/']
    while True:
        shown = re.compile('#include [<"](ns3/)?(%s)' % '|'.join(shows_core))
        own = [header for header in headers if shown.search(header.read())]
        if not own:
            return headers
        shows_core += [header.name for header in own]
        headers = [header for header in headers if header not in own]


def build(bld):
    if not bld.env['ENABLE_DYETRACE']:
        return

    engine = bld(features='cxx cxxstlib', target='dyetrace-engine', name='dyetrace-engine')
    engine.source = [node for room in CORE_ROOMS for node in bld.path.ant_glob('core/%s/*.cpp' % room)]
    engine.includes = [bld.path]
    engine.cxxflags = ['-std=c++20', '-fPIC']
    engine.use = ['SODIUM']

    # More than one rank only where ns-3 has its engine for that (./waf configure --enable-mpi).
    mpi = bool(bld.env['ENABLE_MPI'])
    module = bld.create_ns3_module('dyetrace', NS3_MODULES + (['mpi'] if mpi else []))
    module.source = bld.path.ant_glob(['ns3-module/model/*.cc', 'ns3-module/helper/*.cc'])
    module.includes = [bld.path]
    module.use += ['dyetrace-engine', 'SODIUM']
    # The engine's headers are C++20; the public headers of the module need no more than ns-3 itself.
    module.env.append_value('CXXFLAGS', ['-std=c++20'] + (['-DDYETRACE_HAVE_MPI'] if mpi else []))
    if mpi:
        module.use.append('MPI')

    tests = bld.path.ant_glob('ns3-module/test/*.cc')
    if tests:
        module_test = bld.create_ns3_module_test_library('dyetrace')
        module_test.source = tests
        module_test.includes = [bld.path]
        # Tests look at what is inside packets, also by functions that the module has no use for.
        module_test.use += ['dyetrace-engine', 'SODIUM']
        module_test.env.append_value('CXXFLAGS', ['-std=c++20'])

    headers = bld(features='ns3header')
    headers.module = 'dyetrace'
    headers.source = [node.path_from(bld.path) for node in public_headers(bld)]

    # Examples are a user's programs: in ns-3's own language, and nothing of core in sight.
    if bld.env['ENABLE_EXAMPLES']:
        for source in bld.path.ant_glob('ns3-module/examples/*.cc'):
            # Some need modules that ours does not, and name them in their second line.
            needed = re.search('^// ns-3 modules: (.*)$', source.read(), re.MULTILINE)
            needed = needed[1].split() if needed else []
            missing = [name for name in needed if 'ns3-' + name not in bld.env['NS3_ENABLED_MODULES']]
            if missing:
                print("dyetrace: without the example %s, which needs ns-3's modules %s enabled too" % (source.name[:-len('.cc')],
                                                                                                  ', '.join(missing)))
                continue
            example = bld.create_ns3_program(source.name[:-len('.cc')], ['dyetrace'] + NS3_MODULES + needed)
            example.source = [source]
