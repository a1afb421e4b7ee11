// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's counters by name, once for all who show them: ns-3, a run's database, eppcd.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/named_counter.h"
#include "core/eppc/eppc.h"

namespace dyetrace::eppc {

using NamedCounter = dyetrace::NamedCounter<EppcCounters>;

/// In the order of the fields.
inline constexpr std::array kCounters{
    NamedCounter{"encapsulated", &EppcCounters::encapsulated},
    NamedCounter{"decapsulated", &EppcCounters::decapsulated},
    NamedCounter{"relayed", &EppcCounters::relayed},
    NamedCounter{"tagged", &EppcCounters::tagged},
    NamedCounter{"tracked-received", &EppcCounters::tracked_received},
    NamedCounter{"ecn-unused", &EppcCounters::ecn_unused},
    NamedCounter{"control-sent", &EppcCounters::control_sent},
    NamedCounter{"control-received", &EppcCounters::control_received},
    NamedCounter{"sessions-refused", &EppcCounters::sessions_refused},
    NamedCounter{"challenges-sent", &EppcCounters::challenges_sent},
    NamedCounter{"reports-sent", &EppcCounters::reports_sent},
    NamedCounter{"reports-received", &EppcCounters::reports_received},
    NamedCounter{"reports-ridden", &EppcCounters::reports_ridden},
    NamedCounter{"rides-received", &EppcCounters::rides_received},
    NamedCounter{"updates-sent", &EppcCounters::updates_sent},
    NamedCounter{"updates-acked", &EppcCounters::updates_acked},
    NamedCounter{"update-entries-dropped", &EppcCounters::update_entries_dropped},
    NamedCounter{"updates-dropped-healthy", &EppcCounters::updates_dropped_healthy},
    NamedCounter{"updates-dropped-troubled", &EppcCounters::updates_dropped_troubled},
    NamedCounter{"updates-dropped-sessions", &EppcCounters::updates_dropped_sessions},
    NamedCounter{"updates-dropped-paths", &EppcCounters::updates_dropped_paths},
    NamedCounter{"updates-dropped-timings", &EppcCounters::updates_dropped_timings},
    NamedCounter{"updates-dropped-flows", &EppcCounters::updates_dropped_flows},
    NamedCounter{"repaths", &EppcCounters::repaths},
    NamedCounter{"traces-sent", &EppcCounters::traces_sent},
    NamedCounter{"traces-dropped", &EppcCounters::traces_dropped},
    NamedCounter{"traces-disagreed", &EppcCounters::traces_disagreed},
    NamedCounter{"flow-stages", &EppcCounters::flow_stages},
    NamedCounter{"flow-stages-dropped", &EppcCounters::flow_stages_dropped},
    NamedCounter{"guests-moved", &EppcCounters::guests_moved},
};
static_assert(sizeof(EppcCounters) == kCounters.size() * sizeof(std::uint64_t), "a counter has no name");

}  // namespace dyetrace::eppc
