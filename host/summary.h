// SPDX-License-Identifier: GPL-2.0-or-later
// What eppcd prints of its work: at its end, and whenever SIGUSR1 asks.
#pragma once

#include <string>
#include <vector>

#include "core/eppc/eppc.h"
#include "host/event_loop.h"
#include "host/ledger.h"
#include "host/port.h"

namespace dyetrace::host {

struct PortSummary {
    std::string name;
    std::string role;  ///< "underlay" or "guest"
    PortCounters counters;
};

/// Everything known at one moment.
struct Summary {
    bool final = false;  ///< the last one: the sessions have been closed, or given up
    IpAddress address;
    std::vector<PortSummary> ports;
    eppc::EppcCounters counters;
    wire::DropCounters drops;
    LoopCounters loop;
    Ledger ledger;
    std::vector<eppc::SessionView> accepted;  ///< sessions that peers have with us, while they live
};

/// A table for people, several lines.
std::string to_text(const Summary& summary);
/// One line of JSON with its end. Keys carry their units; what was not measured is null. docs/host.md lists
/// them.
std::string to_json(const Summary& summary);

}  // namespace dyetrace::host
