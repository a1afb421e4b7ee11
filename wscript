## -*- Mode: python; py-indent-offset: 4; indent-tabs-mode: nil; coding: utf-8; -*-
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dyetrace as the module `dyetrace` of an ns-3 that still builds with waf (up to 3.35), from contrib/dyetrace. Later releases build
# with CMake and read CMakeLists.txt. Needs a compiler with C++20, libsodium and the headers of Boost 1.74.

import re

CORE_ROOMS = ['base', 'wire', 'auth', 'tracking', 'session', 'eppc', 'localise', 'health']


def configure(conf):
    found = conf.check_cfg(package='libsodium', args=['--cflags', '--libs'], uselib_store='SODIUM', mandatory=False)
    compiles = conf.check_nonfatal(fragment='#include <compare>\n#include <span>\nint main() { return 0; }\n', features='cxx',
                                   cxxflags=['-std=c++20'], msg='Checking for C++20 (dyetrace)')
    # What is missing leaves this module out; ns-3 builds all the same.
    conf.env['ENABLE_DYETRACE'] = bool(found and compiles)
    conf.report_optional_feature('dyetrace', 'dyetrace', conf.env['ENABLE_DYETRACE'], 'libsodium or C++20 not found')
    if not conf.env['ENABLE_DYETRACE']:
        conf.env['MODULES_NOT_BUILT'].append('dyetrace')


def build(bld):
    if not bld.env['ENABLE_DYETRACE']:
        return

    def shows_core(header):
        return re.search(r'#include "core/', header.read()) is not None

    engine = bld(features='cxx cxxstlib', target='dyetrace-engine', name='dyetrace-engine')
    engine.source = [node for room in CORE_ROOMS for node in bld.path.ant_glob('core/%s/*.cpp' % room)]
    engine.includes = [bld.path]
    engine.cxxflags = ['-std=c++20', '-fPIC']
    engine.use = ['SODIUM']

    module = bld.create_ns3_module('dyetrace', ['core', 'network'])
    module.source = bld.path.ant_glob(['ns3-module/model/*.cc', 'ns3-module/helper/*.cc'])
    module.includes = [bld.path]
    module.use += ['dyetrace-engine', 'SODIUM']
    # The engine's headers are C++20; the public headers of the module need no more than ns-3 itself.
    module.env.append_value('CXXFLAGS', ['-std=c++20'])

    tests = bld.path.ant_glob('ns3-module/test/*.cc')
    if tests:
        module_test = bld.create_ns3_module_test_library('dyetrace')
        module_test.source = tests
        module_test.includes = [bld.path]
        module_test.env.append_value('CXXFLAGS', ['-std=c++20'])

    headers = bld(features='ns3header')
    headers.module = 'dyetrace'
    headers.source = [node.path_from(bld.path)
                      for node in bld.path.ant_glob(['ns3-module/model/*.h', 'ns3-module/helper/*.h'])
                      if not shows_core(node)]
