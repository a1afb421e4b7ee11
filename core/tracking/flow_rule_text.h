// SPDX-License-Identifier: GPL-2.0-or-later
// Flow rules as people write them: `source=10.1.0.0/16 protocol=udp destination_ports=80-443 vni=1000`. Each
// part is said at most once, in any order; a rule says one at least.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/tracking/flow_filter.h"

namespace dyetrace::tracking {

/// "source", "destination": an address, of either version, with or without "/length". "protocol": "tcp",
/// "udp", "icmp", "icmpv6" or a number. "source_ports", "destination_ports": a port, or "first-last". "vni".
std::span<const std::string_view> flow_rule_keys();

/// Errors quote what is wrong.
Result<FlowRule, std::string> parse_flow_rule(std::string_view text);
/// Reads back as the same rule.
std::string to_string(const FlowRule& rule);

/// Rules with commas between them; an empty text is a filter without rules, which asks for nothing.
Result<FlowFilter, std::string> parse_flow_filter(std::string_view text);
std::string to_string(const FlowFilter& filter);

}  // namespace dyetrace::tracking
