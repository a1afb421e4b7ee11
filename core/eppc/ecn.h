// SPDX-License-Identifier: GPL-2.0-or-later
// ECN through a tunnel (RFC 6040 §4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/wire/ipv4.h"

namespace dyetrace::eppc {

/// What the ingress writes (RFC 6040 §4.1).
enum class EcnMode : std::uint8_t {
    Normal,         ///< a copy of the inner codepoint
    Compatibility,  ///< not-ECT always: for an egress that would lose the marks (§4.3)
};

/// The outer codepoint at encapsulation (§4.1, figure 3).
constexpr wire::Ecn ecn_to_outer(wire::Ecn inner, EcnMode mode) {
    return mode == EcnMode::Normal ? inner : wire::Ecn::NotEct;
}

/// The inner codepoint after decapsulation (§4.2, figure 4); nothing where the packet must be dropped.
constexpr std::optional<wire::Ecn> ecn_after_decapsulation(wire::Ecn inner, wire::Ecn outer) {
    using wire::Ecn;
    switch (outer) {
        case Ecn::NotEct:
        case Ecn::Ect0: return inner;
        case Ecn::Ect1: return inner == Ecn::Ect0 ? Ecn::Ect1 : inner;
        case Ecn::Ce:
            if (inner == Ecn::NotEct) return std::nullopt;
            return Ecn::Ce;
    }
    return inner;
}

/// Combinations that no tunnel specification makes (§4.2, figure 4: the marked ones): something on the way,
/// or the ingress, does what it should not.
constexpr bool is_ecn_unused(wire::Ecn inner, wire::Ecn outer) {
    using wire::Ecn;
    switch (inner) {
        case Ecn::NotEct: return outer != Ecn::NotEct;
        case Ecn::Ect0: return false;
        case Ecn::Ect1: return outer == Ecn::Ect0;
        case Ecn::Ce: return outer == Ecn::Ect1;
    }
    return false;
}

/// Both of it, for every packet: a look into 16 entries.
struct EcnAtEgress {
    wire::Ecn inner = wire::Ecn::NotEct;  ///< what the guest gets
    bool is_invalid = false;              ///< no guest gets it
    bool is_unused = false;
};

constexpr auto kEcnAtEgress = [] {
    std::array<EcnAtEgress, 16> table;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto inner = static_cast<wire::Ecn>(i >> 2);
        const auto outer = static_cast<wire::Ecn>(i & 3);
        const auto after = ecn_after_decapsulation(inner, outer);
        table[i] = {after.value_or(inner), !after.has_value(), is_ecn_unused(inner, outer)};
    }
    return table;
}();
constexpr const EcnAtEgress& ecn_at_egress(wire::Ecn inner, wire::Ecn outer) {
    return kEcnAtEgress[static_cast<std::size_t>(inner) << 2 | static_cast<std::size_t>(outer)];
}

}  // namespace dyetrace::eppc
