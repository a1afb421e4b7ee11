// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/reader/fault_kinds.h"

#include <algorithm>

#include "core/base/result.h"

namespace dyetrace::scenario {

const std::vector<FaultKindInfo>& fault_kinds() {
    using K = FaultKind;
    using P = FaultPlace;
    static const std::vector<std::string> chance{"probability"};
    static const std::string one_percent = "probability = 0.01 strikes one packet in a hundred";
    static const std::string lost = "probability = 0.01 loses one packet in a hundred";
    static const std::vector<FaultKindInfo> table{
        {K::AddedDelay,
         "added-delay",
         P::Links,
         "packets take longer, and stay in order",
         {"delay", "jitter"},
         {"delay", "jitter"},
         "delay = \"100us\" is added to every packet"},
        {K::ClockChange,
         "clock-change",
         P::Hosts,
         "the clock jumps, or runs faster",
         {"step", "drift"},
         {"step", "drift"},
         "step = \"1ms\" sets the clock forward"},
        {K::ControlLoss, "control-loss", P::Links, "control packets between EPPCs are lost", chance, chance,
         lost},
        {K::Corruption, "corruption", P::Links, "a bit is inverted, and no link's check sees it", chance,
         chance, one_percent},
        {K::Duplication, "duplication", P::Links, "packets come out twice", chance, chance, one_percent},
        {K::EcnBleaching, "ecn-bleaching", P::Links, "the ECN field is cleared", chance, chance, one_percent},
        {K::EcnMarking, "ecn-marking", P::Links, "packets are marked CE though no queue is long", chance,
         chance, one_percent},
        {K::EppcRestart, "eppc-restart", P::Hosts, "the EPPC begins anew at that time", {}, {}, ""},
        {K::FlowDrop,
         "flow-drop",
         P::Links,
         "some flows are lost whole: a share of them, or those that match",
         {"share", "match"},
         {"share", "match"},
         "share = 0.1 loses a tenth of all flows"},
        {K::FrameErrors, "frame-errors", P::Links,
         "packets arrive damaged; the port that finds it drops and counts them", chance, chance, one_percent},
        {K::HostCrash, "host-crash", P::Hosts, "the host is dead with its guests", {}, {}, ""},
        {K::LinkDown, "link-down", P::Links, "the cable carries nothing, in both directions", {}, {}, ""},
        {K::LinkFlap,
         "link-flap",
         P::Links,
         "the cable goes down and comes up again and again",
         {"down_time", "up_time"},
         {},
         ""},
        {K::MtuShrink,
         "mtu-shrink",
         P::Links,
         "longer packets are dropped",
         {"mtu"},
         {"mtu"},
         "mtu = 1400 drops what is longer"},
        {K::NhmsOutage,
         "nhms-outage",
         P::Hosts,
         "the health service on the host hears and says nothing",
         {},
         {},
         ""},
        {K::RateCut,
         "rate-cut",
         P::Links,
         "the link sends more slowly",
         {"rate"},
         {"rate"},
         "rate = \"100Mbps\" is what is left"},
        {K::Reordering,
         "reordering",
         P::Links,
         "packets are held back while others pass",
         {"probability", "delay"},
         chance,
         one_percent},
        {K::SilentDrop, "silent-drop", P::Links, "packets are lost at random, and nobody is told", chance,
         chance, lost},
        {K::SwitchDown, "switch-down", P::Switches, "the switch is dead, and all its cables", {}, {}, ""}};
    return table;
}

const FaultKindInfo& info_of(FaultKind kind) {
    for (const FaultKindInfo& info : fault_kinds()) {
        if (info.kind == kind) return info;
    }
    DYETRACE_ASSERT(false);
}

std::vector<std::string> keys_of(const FaultKindInfo& info) {
    std::vector<std::string> keys{"kind", "at", "until", "count", "choice_seed"};
    if (info.place == FaultPlace::Links) {
        keys.insert(keys.end(), {"from", "to", "both_ways"});
    } else {
        keys.emplace_back("node");
    }
    keys.insert(keys.end(), info.keys.begin(), info.keys.end());
    return keys;
}

bool has_key(const FaultKindInfo& info, std::string_view key) {
    const auto keys = keys_of(info);
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace dyetrace::scenario
