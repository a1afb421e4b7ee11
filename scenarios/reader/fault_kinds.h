// SPDX-License-Identifier: GPL-2.0-or-later
// The kinds of faults: where each strikes, and which keys it has. ns3-module has an object for each, of the
// same name, with these keys as attributes: tests/scenarios/runner/attributes_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reader/scenario.h"

namespace dyetrace::scenario {

enum class FaultPlace : std::uint8_t { Links, Switches, Hosts };

struct FaultKindInfo {
    FaultKind kind;
    std::string name;
    FaultPlace place;
    std::string meaning;
    std::vector<std::string> keys;      ///< besides those of every fault and of its place
    std::vector<std::string> required;  ///< of `keys`, one at least
    std::string example;                ///< of a required key
};

/// All of them, in alphabetical order.
const std::vector<FaultKindInfo>& fault_kinds();
const FaultKindInfo& info_of(FaultKind kind);
/// Keys that a fault of this kind may have, `kind` and those of its place included.
std::vector<std::string> keys_of(const FaultKindInfo& info);
/// Whether `key` is one of these.
bool has_key(const FaultKindInfo& info, std::string_view key);

}  // namespace dyetrace::scenario
