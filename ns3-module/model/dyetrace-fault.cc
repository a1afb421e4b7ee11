// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-fault.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>
#include <ns3/boolean.h>
#include <ns3/string.h>
#include <ns3/uinteger.h>

#include "dyetrace-topology.h"

#include "core/base/name_pattern.h"
#include "core/base/random.h"

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceFault);
NS_OBJECT_ENSURE_REGISTERED(DyetraceLinkFault);
NS_OBJECT_ENSURE_REGISTERED(DyetraceNodeFault);

namespace {

/// `count` of the candidates by the seed, in their order; 0: all of them.
std::vector<uint32_t> Choose(std::vector<uint32_t> candidates, uint32_t count, uint64_t seed) {
    if (count == 0 || count >= candidates.size()) return candidates;
    dyetrace::Random random(seed);
    for (uint32_t i = 0; i < count; ++i) {
        const auto rest = static_cast<uint32_t>(candidates.size()) - i;
        std::swap(candidates[i], candidates[i + random.below(rest)]);
    }
    candidates.resize(count);
    std::sort(candidates.begin(), candidates.end());
    return candidates;
}

bool AnyNodeMatches(const DyetraceTopology& topology, const std::string& pattern) {
    for (uint32_t node = 0; node < topology.GetNNodes(); ++node) {
        if (dyetrace::matches_name_pattern(pattern, topology.GetNode(node).name)) return true;
    }
    return false;
}

}  // namespace

TypeId DyetraceFault::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFault")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddAttribute("At", "When the fault begins.", TimeValue(Seconds(0)),
                          MakeTimeAccessor(&DyetraceFault::m_at), MakeTimeChecker(Seconds(0)))
            .AddAttribute("Until", "When the fault ends; the default is never.", TimeValue(Time::Max()),
                          MakeTimeAccessor(&DyetraceFault::m_until), MakeTimeChecker(Seconds(0)));
    return tid;
}

DyetraceFault::DyetraceFault() = default;

DyetraceFault::~DyetraceFault() = default;

Time DyetraceFault::GetNextSwitch(Time, bool isActive) const {
    return isActive ? m_until : Time::Max();
}

TypeId DyetraceLinkFault::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceLinkFault")
            .SetParent<DyetraceFault>()
            .SetGroupName("Dyetrace")
            .AddAttribute("From", "Name or pattern of the node that the link starts at.", StringValue(""),
                          MakeStringAccessor(&DyetraceLinkFault::m_from), MakeStringChecker())
            .AddAttribute("To", "Name or pattern of the node that the link leads to.", StringValue(""),
                          MakeStringAccessor(&DyetraceLinkFault::m_to), MakeStringChecker())
            .AddAttribute("BothWays", "Whether the links back are struck too.", BooleanValue(false),
                          MakeBooleanAccessor(&DyetraceLinkFault::m_bothWays), MakeBooleanChecker())
            .AddAttribute("Count", "How many of the links that match are struck, chosen at random; 0: all.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceLinkFault::m_count),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("ChoiceSeed", "Of that choice.", UintegerValue(1),
                          MakeUintegerAccessor(&DyetraceLinkFault::m_choiceSeed),
                          MakeUintegerChecker<uint64_t>());
    return tid;
}

DyetraceLinkFault::DyetraceLinkFault() = default;

DyetraceLinkFault::~DyetraceLinkFault() = default;

std::string DyetraceLinkFault::Describe() const {
    return GetKind() + ' ' + m_from + " > " + m_to;
}

void DyetraceLinkFault::Place(const DyetraceTopology& topology) {
    for (const std::string& name : {m_from, m_to}) {
        NS_ABORT_MSG_UNLESS(AnyNodeMatches(topology, name),
                            "DyetraceFault " << Describe() << ": no node is called \"" << name << '"');
    }
    std::vector<uint32_t> candidates;
    for (uint32_t link = 0; link < topology.GetNLinks(); ++link) {
        if (dyetrace::matches_name_pattern(m_from, topology.GetNode(topology.GetFrom(link)).name) &&
            dyetrace::matches_name_pattern(m_to, topology.GetNode(topology.GetTo(link)).name)) {
            candidates.push_back(link);
        }
    }
    NS_ABORT_MSG_IF(candidates.empty(), "DyetraceFault " << Describe() << ": no such link");
    NS_ABORT_MSG_IF(m_count > candidates.size(), "DyetraceFault " << Describe() << ": only "
                                                                  << candidates.size() << " links match, not "
                                                                  << m_count);
    m_links = Choose(std::move(candidates), m_count, m_choiceSeed);
    if (!m_bothWays && !IsOfCable()) return;
    const std::vector<uint32_t> chosen = m_links;
    for (const uint32_t link : chosen)
        m_links.push_back(topology.GetReverse(link));
    std::sort(m_links.begin(), m_links.end());
    m_links.erase(std::unique(m_links.begin(), m_links.end()), m_links.end());
}

TypeId DyetraceNodeFault::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceNodeFault")
            .SetParent<DyetraceFault>()
            .SetGroupName("Dyetrace")
            .AddAttribute("Node", "Name or pattern of the node.", StringValue(""),
                          MakeStringAccessor(&DyetraceNodeFault::m_node), MakeStringChecker())
            .AddAttribute("Count", "How many of the nodes that match are struck, chosen at random; 0: all.",
                          UintegerValue(0), MakeUintegerAccessor(&DyetraceNodeFault::m_count),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("ChoiceSeed", "Of that choice.", UintegerValue(1),
                          MakeUintegerAccessor(&DyetraceNodeFault::m_choiceSeed),
                          MakeUintegerChecker<uint64_t>());
    return tid;
}

DyetraceNodeFault::DyetraceNodeFault() = default;

DyetraceNodeFault::~DyetraceNodeFault() = default;

std::string DyetraceNodeFault::Describe() const {
    return GetKind() + ' ' + m_node;
}

void DyetraceNodeFault::Place(const DyetraceTopology& topology) {
    NS_ABORT_MSG_UNLESS(AnyNodeMatches(topology, m_node),
                        "DyetraceFault " << Describe() << ": no node is called \"" << m_node << '"');
    const bool areHosts = GetWhich() == Which::Hosts;
    std::vector<uint32_t> candidates;
    for (uint32_t node = 0; node < topology.GetNNodes(); ++node) {
        const bool isHost = node < topology.GetNHosts();
        if (isHost == areHosts && dyetrace::matches_name_pattern(m_node, topology.GetNode(node).name))
            candidates.push_back(node);
    }
    NS_ABORT_MSG_IF(candidates.empty(), "DyetraceFault " << Describe() << ": strikes "
                                                         << (areHosts ? "hosts" : "switches")
                                                         << ", and none is meant");
    NS_ABORT_MSG_IF(m_count > candidates.size(), "DyetraceFault " << Describe() << ": only "
                                                                  << candidates.size() << " nodes match, not "
                                                                  << m_count);
    m_nodes = Choose(std::move(candidates), m_count, m_choiceSeed);
}

}  // namespace ns3
