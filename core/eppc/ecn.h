// SPDX-License-Identifier: GPL-2.0-or-later
// ECN through a tunnel, normal mode (RFC 6040 §4).
#pragma once

#include <optional>

#include "core/wire/ipv4.h"

namespace dyetrace::eppc {

/// The outer codepoint at encapsulation (§4.1, normal mode): a copy of the inner one.
constexpr wire::Ecn ecn_to_outer(wire::Ecn inner) {
    return inner;
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

}  // namespace dyetrace::eppc
