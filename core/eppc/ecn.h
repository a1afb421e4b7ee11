// SPDX-License-Identifier: GPL-2.0-or-later
// ECN through a tunnel (RFC 6040 §4).
#pragma once

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

}  // namespace dyetrace::eppc
