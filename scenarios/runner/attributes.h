// SPDX-License-Identifier: GPL-2.0-or-later
// Which keys of a scenario are attributes of ns-3's objects, and what they come to there.
//
// Key and attribute are one name, each in its own spelling: `link_rate` is LinkRate. A key's value says its
// unit, an attribute's name does: `queue` is QueueBytes. A key that is left out is an attribute that is not
// set: both have one default.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ns3/attribute.h>
#include <ns3/ptr.h>
#include <ns3/type-id.h>

#include "scenarios/reader/scenario.h"

namespace dyetrace::runner {

struct KeyAttribute {
    std::string table;
    std::string key;
    std::string attribute;
    std::function<ns3::Ptr<ns3::AttributeValue>(const scenario::Scenario&)> value;
};

/// The same of a fault, whose attributes are those of the object of its kind.
struct FaultKeyAttribute {
    std::string key;
    std::string attribute;
    std::function<ns3::Ptr<ns3::AttributeValue>(const scenario::Fault&)> value;
};

/// The same of a workload, whose attributes are those of the sources of its kind.
struct WorkloadKeyAttribute {
    std::string key;
    std::string attribute;
    std::function<ns3::Ptr<ns3::AttributeValue>(const scenario::WorkloadSettings&)> value;
};

/// The same of a clock, whose attributes are those of its hosts: `offset` is ClockOffset.
struct ClockKeyAttribute {
    std::string key;
    std::string attribute;
    std::function<ns3::Ptr<ns3::AttributeValue>(const scenario::Clock&)> value;
};

const std::vector<ClockKeyAttribute>& clock_attributes();  ///< of ns3::DyetraceHost
const std::vector<FaultKeyAttribute>& fault_attributes();
const std::vector<WorkloadKeyAttribute>& workload_attributes();
/// Of a kind's sources.
ns3::TypeId source_type(scenario::WorkloadKind kind);
const std::vector<KeyAttribute>& fabric_attributes();     ///< of ns3::DyetraceFabric
const std::vector<KeyAttribute>& host_attributes();       ///< of ns3::DyetraceHost
const std::vector<KeyAttribute>& nhms_attributes();       ///< of ns3::DyetraceNhms
const std::vector<KeyAttribute>& placement_attributes();  ///< of ns3::DyetracePlacement

}  // namespace dyetrace::runner
