// SPDX-License-Identifier: GPL-2.0-or-later
// The kinds of workloads, and which keys each has. ns3-module has a source for each, with these keys as
// attributes: tests/scenarios/runner/attributes_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

struct WorkloadKindInfo {
    WorkloadKind kind;
    std::string name;
    std::string meaning;
    std::vector<std::string> keys;  ///< besides those of every workload
};

/// All of them, in the order in which they are explained.
const std::vector<WorkloadKindInfo>& workload_kinds();
const WorkloadKindInfo& info_of(WorkloadKind kind);
/// Whether a workload of this kind may have the key.
bool has_key(const WorkloadKindInfo& info, std::string_view key);

/// What it comes to, in one line without its times.
[[nodiscard]] std::string workload_words(const WorkloadSettings& workload);

}  // namespace dyetrace::scenario
