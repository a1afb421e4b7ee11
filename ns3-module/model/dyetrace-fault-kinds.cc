// SPDX-License-Identifier: GPL-2.0-or-later
// All kinds of faults there are, and how to make one by its name.

#include <algorithm>
#include <array>

#include <ns3/abort.h>
#include <ns3/object-factory.h>

#include "dyetrace-link-faults.h"
#include "dyetrace-node-faults.h"

namespace ns3 {

namespace {

using TypeIdOf = TypeId (*)();

constexpr std::array<TypeIdOf, 19> kKinds{
    DyetraceAddedDelay::GetTypeId,  DyetraceClockChange::GetTypeId, DyetraceControlLoss::GetTypeId,
    DyetraceCorruption::GetTypeId,  DyetraceDuplication::GetTypeId, DyetraceEcnBleaching::GetTypeId,
    DyetraceEcnMarking::GetTypeId,  DyetraceEppcRestart::GetTypeId, DyetraceFlowDrop::GetTypeId,
    DyetraceFrameErrors::GetTypeId, DyetraceHostCrash::GetTypeId,   DyetraceLinkDown::GetTypeId,
    DyetraceLinkFlap::GetTypeId,    DyetraceMtuShrink::GetTypeId,   DyetraceNhmsOutage::GetTypeId,
    DyetraceRateCut::GetTypeId,     DyetraceReordering::GetTypeId,  DyetraceSilentDrop::GetTypeId,
    DyetraceSwitchDown::GetTypeId};

Ptr<DyetraceFault> Make(TypeIdOf kind) {
    ObjectFactory factory;
    factory.SetTypeId(kind());
    return factory.Create<DyetraceFault>();
}

}  // namespace

std::vector<std::string> DyetraceFault::GetKinds() {
    std::vector<std::string> kinds;
    kinds.reserve(kKinds.size());
    for (const TypeIdOf kind : kKinds)
        kinds.push_back(Make(kind)->GetKind());
    std::sort(kinds.begin(), kinds.end());
    return kinds;
}

Ptr<DyetraceFault> DyetraceFault::Create(const std::string& kind) {
    for (const TypeIdOf known : kKinds) {
        Ptr<DyetraceFault> fault = Make(known);
        if (fault->GetKind() == kind) return fault;
    }
    std::string known;
    for (const std::string& name : GetKinds())
        known += (known.empty() ? "" : ", ") + name;
    NS_ABORT_MSG("DyetraceFault: no kind is called \"" << kind << "\"; there are " << known);
}

}  // namespace ns3
