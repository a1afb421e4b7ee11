// SPDX-License-Identifier: GPL-2.0-or-later
// A network as GraphML (graphml.graphdrawing.org), as the Internet Topology Zoo has them. The one file that
// knows libxml2 is xml_reader.cpp.
//
// Of a node: `label` is its name, else its id; `Latitude` and `Longitude` are its place; `hosts` how many
// hosts it has. Of an edge: `rate` ("10Gbps"), else `LinkSpeedRaw` (bits a second), else `LinkSpeed` with
// `LinkSpeedUnits` ("10", "G"); `delay` ("5ms"), else what light in fibre needs between the two places.
// Letters of either case are the same. Whatever else is there means nothing here.
#pragma once

#include "scenarios/reader/network.h"

namespace dyetrace::scenario {

/// Reads a whole file; tells everything that is wrong in it, up to the first error of XML.
[[nodiscard]] Network read_graphml(FileReport& report);

}  // namespace dyetrace::scenario
