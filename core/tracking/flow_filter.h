// SPDX-License-Identifier: GPL-2.0-or-later
// Property match filtering (RFC 5475 §6.1): which of the guests' packets sampling looks at.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/wire/inner_packet.h"

namespace dyetrace::tracking {

/// The addresses that agree with `address` in their first `length` bits of 128. An IPv4 prefix /n is /(96 +
/// n) of IPv4-mapped addresses; length 0 holds every address, of both versions.
struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 0;

    bool operator==(const IpPrefix&) const = default;
    [[nodiscard]] bool contains(const IpAddress& other) const;
};

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = std::numeric_limits<std::uint16_t>::max();

    bool operator==(const PortRange&) const = default;
    [[nodiscard]] bool contains(std::uint16_t port) const { return port >= first && port <= last; }
    [[nodiscard]] bool is_all() const { return *this == PortRange{}; }
};

/// All that is said must hold. A packet without IP header, or without ports, meets only rules that ask for
/// none.
struct FlowRule {
    IpPrefix source;
    IpPrefix destination;
    std::optional<std::uint8_t> protocol;
    PortRange source_ports;
    PortRange destination_ports;
    std::optional<Vni> vni;

    bool operator==(const FlowRule&) const = default;
    [[nodiscard]] bool matches(const wire::InnerPacket& packet, Vni vni) const;
    /// What is wrong with it, in words; empty where nothing is.
    [[nodiscard]] std::string_view fault() const;
};

/// A packet passes that meets one of the rules. At most kRulesMost of them: each costs a look a packet.
struct FlowFilter {
    static constexpr std::size_t kRulesMost = 16;

    std::vector<FlowRule> rules;

    bool operator==(const FlowFilter&) const = default;
    [[nodiscard]] bool matches(const wire::InnerPacket& packet, Vni vni) const;
};

}  // namespace dyetrace::tracking
