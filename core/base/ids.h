// SPDX-License-Identifier: GPL-2.0-or-later
// Identifiers as types of their own, so that a VNI can't be passed where a session id is meant.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace dyetrace {

/// An integer that only means what its tag says. Compare and hash work; arithmetic does not.
template <class Tag, class Integer>
struct StrongId {
    using Value = Integer;
    Integer value{};

    constexpr StrongId() = default;
    constexpr explicit StrongId(Integer v) : value(v) {}
    constexpr auto operator<=>(const StrongId&) const = default;
};

using Vni = StrongId<struct VniTag, std::uint32_t>;              ///< 24 bits, RFC 8926 §3.4
using SessionId = StrongId<struct SessionIdTag, std::uint32_t>;  ///< chosen by the requester
using PathIndex = StrongId<struct PathIndexTag, std::uint16_t>;  ///< one outer UDP source port of a pair
using PathGeneration = StrongId<struct PathGenerationTag, std::uint8_t>;  ///< bumped by a repath
using BootId = StrongId<struct BootIdTag, std::uint64_t>;        ///< fresh at every start of an engine
using GuestPort = StrongId<struct GuestPortTag, std::uint32_t>;  ///< where a guest is plugged into its host
using KeyId = StrongId<struct KeyIdTag, std::uint8_t>;           ///< which of the pair's keys is in use

}  // namespace dyetrace

template <class Tag, class Integer>
struct std::hash<dyetrace::StrongId<Tag, Integer>> {
    std::size_t operator()(const dyetrace::StrongId<Tag, Integer>& id) const noexcept {
        return std::hash<Integer>{}(id.value);
    }
};
