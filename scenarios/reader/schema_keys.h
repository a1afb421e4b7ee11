// SPDX-License-Identifier: GPL-2.0-or-later
// What tables of keys are written with. Internal to this folder.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "scenarios/reader/schema.h"
#include "scenarios/reader/types.h"

namespace dyetrace::scenario {

inline constexpr std::int64_t any_integer = std::numeric_limits<std::int64_t>::max();

/// EPPCs have the last one for themselves (EppcConfig::vxlan_control_vni).
inline constexpr std::int64_t vni_most = 0xff'fffe;

// A day of simulated time is more than any machine gets through, and leaves sums of times far from overflow.
inline constexpr Duration longest = Duration::seconds(86'400);
inline constexpr Duration shortest_interval = Duration::microseconds(100);
// Of what must not be nothing: one packet, or bit, in a million.
inline constexpr double least_share = 1e-6;
inline constexpr Duration longest_interval = Duration::seconds(60);

/// A key with the default of its struct.
template <class Section, class Member, class Type>
Key<Section> key(std::string name, Member Section::*member, Type type, std::string meaning) {
    KeyInfo info{std::move(name), type.name(), type.range(), type.show(Section{}.*member),
                 std::move(meaning)};
    return {std::move(info), [=](Section& section, const Node& node) -> std::optional<Problem> {
                auto value = type.read(node);
                if (!value) return value.error();
                section.*member = static_cast<Member>(*std::move(value));
                return std::nullopt;
            }};
}

/// A key that a scenario must have.
template <class Section>
Key<Section> required(Key<Section> made) {
    made.info.fallback.clear();
    return made;
}

/// A key whose default is no value of its own, but what `fallback` says.
template <class Section>
Key<Section> with_fallback(Key<Section> made, const std::string& fallback) {
    made.info.fallback = fallback;
    return made;
}

/// A key that may have no value: left out, or "-". `fallback` says in words what that means.
template <class Section, class Value, class Type>
Key<Section> optional_key(std::string name, std::optional<Value> Section::*member, Type type,
                          std::string fallback, std::string meaning) {
    KeyInfo info{std::move(name), type.name(), type.range(), std::move(fallback), std::move(meaning)};
    return {std::move(info), [=](Section& section, const Node& node) -> std::optional<Problem> {
                const auto* text = node.as<std::string>();
                const auto* raw = node.as<RawText>();
                if ((text != nullptr && *text == "-") || (raw != nullptr && raw->text == "-")) {
                    section.*member = std::nullopt;
                    return std::nullopt;
                }
                auto value = type.read(node);
                if (!value) return value.error();
                section.*member = *std::move(value);
                return std::nullopt;
            }};
}

}  // namespace dyetrace::scenario
