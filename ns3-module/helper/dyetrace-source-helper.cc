// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-source-helper.h"

#include <algorithm>
#include <map>

#include <ns3/abort.h>
#include <ns3/double.h>
#include <ns3/dyetrace-flow-sizes.h>
#include <ns3/dyetrace-flow-source.h>
#include <ns3/dyetrace-helper.h>
#include <ns3/dyetrace-incast-source.h>
#include <ns3/dyetrace-stream-sources.h>
#include <ns3/type-id.h>
#include <ns3/uinteger.h>

namespace ns3 {

namespace {

/// What an untracked packet needs on the wire beyond its guest's UDP payload: the guest's headers, the
/// encapsulation, and Ethernet's preamble, FCS and gap.
uint32_t OverheadBytes(bool isIpv6) {
    return DyetracePacketSource::HeaderBytes + (isIpv6 ? 70 : 50) + 24;
}

/// Whether the hosts encapsulate over IPv6: those that this rank has, and all are alike.
bool IsIpv6(const DyetraceHelper& dyetrace) {
    const auto& hosts = dyetrace.GetHosts();
    const auto here =
        std::find_if(hosts.begin(), hosts.end(), [](const auto& host) { return host != nullptr; });
    return here != hosts.end() && (*here)->IsIpv6();
}

/// Says each kind's name, since the linker of a program that has them from a static library leaves out what
/// is only looked up by name.
TypeId FindKind(const std::string& name) {
    for (const TypeId& kind : {DyetraceConstantSource::GetTypeId(), DyetraceFlowSource::GetTypeId(),
                               DyetraceIncastSource::GetTypeId(), DyetraceOnOffSource::GetTypeId(),
                               DyetracePoissonSource::GetTypeId()}) {
        if (kind.GetName() == name) return kind;
    }
    TypeId kind;  // of a user's own
    NS_ABORT_MSG_UNLESS(TypeId::LookupByNameFailSafe(name, &kind), "no source is called " << name);
    NS_ABORT_MSG_UNLESS(kind.IsChildOf(DyetracePacketSource::GetTypeId()) && kind.HasConstructor(),
                        name << " is no kind of DyetracePacketSource");
    return kind;
}

}  // namespace

DyetraceSourceHelper::DyetraceSourceHelper(const std::string& kind) : m_load(0) {
    m_factory.SetTypeId(FindKind(kind));
}

DyetraceSourceHelper::~DyetraceSourceHelper() = default;

void DyetraceSourceHelper::SetAttribute(const std::string& name, const AttributeValue& value) {
    m_factory.Set(name, value);
}

void DyetraceSourceHelper::SetFlows(const std::vector<std::pair<double, double>>& sizes, double load) {
    NS_ABORT_MSG_IF(load <= 0, "a load of " << load << " is not above 0");
    m_sizes = std::make_shared<const DyetraceFlowSizes>(sizes);
    m_load = load;
}

void DyetraceSourceHelper::Install(DyetraceHelper& dyetrace) {
    Install(dyetrace, dyetrace.GetHostGuests());
}

void DyetraceSourceHelper::Install(DyetraceHelper& dyetrace, const std::vector<uint32_t>& guests) {
    auto party = std::make_shared<DyetracePacketSource::Party>(guests);
    std::sort(party->begin(), party->end());
    Install(dyetrace, guests, party);
}

void DyetraceSourceHelper::Install(DyetraceHelper& dyetrace, const std::vector<uint32_t>& guests,
                                   const Party& party) {
    std::map<uint64_t, double> arrivalRates;  // by link rate: it takes long to work one out
    for (const uint32_t guest : guests) {
        Ptr<DyetracePacketSource> source = Make(dyetrace);
        if (auto flows = DynamicCast<DyetraceFlowSource>(source); flows && m_sizes) {
            const auto [rate, isNew] = arrivalRates.try_emplace(dyetrace.GetGuestRate(guest), 0);
            if (isNew) rate->second = ArrivalRate(rate->first, *source, OverheadBytes(IsIpv6(dyetrace)));
            flows->SetSizes(m_sizes);
            flows->SetAttribute("ArrivalRate", DoubleValue(rate->second));
        }
        dyetrace.Plug(source, guest, party);
        m_sources.push_back(source);
    }
}

Ptr<DyetracePacketSource> DyetraceSourceHelper::Make(const DyetraceHelper& dyetrace) const {
    auto source = m_factory.Create<DyetracePacketSource>();
    UintegerValue seed;
    source->GetAttribute("Seed", seed);
    if (seed.Get() == 0) source->SetAttribute("Seed", UintegerValue(dyetrace.GetFabric()->GetSeed()));
    return source;
}

double DyetraceSourceHelper::ArrivalRate(uint64_t linkRate, const DyetracePacketSource& source,
                                         uint32_t overheadBytes) const {
    UintegerValue packetBytes;
    source.GetAttribute("PacketBytes", packetBytes);
    return m_sizes->GetArrivalRate(m_load, static_cast<double>(linkRate),
                                   static_cast<uint32_t>(packetBytes.Get()), overheadBytes);
}

int64_t DyetraceSourceHelper::AssignStreams(int64_t stream) {
    int64_t used = 0;
    for (const auto& source : m_sources)
        used += source->AssignStreams(stream + used);
    return used;
}

}  // namespace ns3
