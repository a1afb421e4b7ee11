// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/workload_kinds.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/result.h"
#include "scenarios/reader/units.h"

namespace dyetrace::scenario {
namespace {

/// "1.67 MB": for reading, not for reckoning.
std::string rounded_bytes(double bytes) {
    if (bytes >= 1e6) return fmt::format("{:.3g} MB", bytes / 1e6);
    if (bytes >= 1e3) return fmt::format("{:.3g} kB", bytes / 1e3);
    return fmt::format("{:.3g} B", bytes);
}

std::string stream_words(const WorkloadSettings& workload) {
    std::string text = fmt::format("{} packets, {} of each host", info_of(workload.kind).name,
                                   format_rate(workload.rate_bps));
    if (workload.kind == WorkloadKind::OnOff) {
        text += fmt::format(" while on, {} on and {} off, {}", format_duration(workload.on_time),
                            format_duration(workload.off_time), workload.times);
    }
    if (workload.flows > 1) text += fmt::format(", in {} flows", workload.flows);
    return text + fmt::format(", to {} destinations", workload.destination);
}

std::string incast_words(const WorkloadSettings& workload) {
    const std::string to = workload.receiver        ? *workload.receiver
                           : workload.receivers > 1 ? fmt::format("each of {} hosts", workload.receivers)
                                                    : "one host";
    return fmt::format("incast: every {} {} hosts send {} each to {}, at {}",
                       format_duration(workload.interval), workload.fan_in,
                       format_size(workload.response_bytes), to, format_rate(workload.flow_rate_bps));
}

}  // namespace

const std::vector<WorkloadKindInfo>& workload_kinds() {
    using K = WorkloadKind;
    static const std::vector<WorkloadKindInfo> table{
        {K::Flows,
         "flows",
         "flows of many sizes begin at random (a Poisson process on each host), each to a guest in another "
         "rack",
         {"distribution", "load", "flow_rate"}},
        {K::Constant, "constant", "each guest sends at a constant rate", {"rate", "flows", "destination"}},
        {K::Poisson,
         "poisson",
         "each guest sends packets as a Poisson process",
         {"rate", "flows", "destination"}},
        {K::OnOff,
         "on-off",
         "each guest sends at a constant rate for a while, and nothing for another",
         {"rate", "flows", "destination", "on_time", "off_time", "times"}},
        {K::Incast,
         "incast",
         "in rounds, many guests answer one at the same time",
         {"interval", "fan_in", "receivers", "receiver", "response", "flow_rate", "jitter"}}};
    return table;
}

const WorkloadKindInfo& info_of(WorkloadKind kind) {
    for (const WorkloadKindInfo& info : workload_kinds()) {
        if (info.kind == kind) return info;
    }
    DYETRACE_ASSERT(false);
}

bool has_key(const WorkloadKindInfo& info, std::string_view key) {
    static const std::vector<std::string> of_all{"kind", "hosts", "vni", "packet", "start", "stop"};
    return std::find(of_all.begin(), of_all.end(), key) != of_all.end() ||
           std::find(info.keys.begin(), info.keys.end(), key) != info.keys.end();
}

std::string workload_words(const WorkloadSettings& workload) {
    std::string text;
    switch (workload.kind) {
        case WorkloadKind::Flows:
            text = fmt::format("{} flows of {} on average, each at {}, {:g}% of each host's link",
                               workload.distribution, rounded_bytes(workload.flow_sizes.mean_bytes()),
                               format_rate(workload.flow_rate_bps), workload.load * 100);
            break;
        case WorkloadKind::Constant:
        case WorkloadKind::Poisson:
        case WorkloadKind::OnOff: text = stream_words(workload); break;
        case WorkloadKind::Incast: text = incast_words(workload); break;
    }
    if (workload.hosts != "*") text += fmt::format(", among {}", workload.hosts);
    return text;
}

}  // namespace dyetrace::scenario
