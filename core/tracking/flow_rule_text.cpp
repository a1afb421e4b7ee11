// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/flow_rule_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace dyetrace::tracking {
namespace {

constexpr std::array<std::string_view, 6> kKeys{"source",       "destination",       "protocol",
                                                "source_ports", "destination_ports", "vni"};
constexpr std::pair<std::string_view, std::uint8_t> kProtocols[] = {
    {"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}};
constexpr std::uint8_t kIpv4Bits = 96;  ///< in front of an IPv4 address in its mapped form

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

/// Decimal digits and nothing else, 0 to `most`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > most)
        return std::nullopt;
    return value;
}

std::optional<IpPrefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const std::uint8_t before = address->is_ipv4() ? kIpv4Bits : 0;
    if (slash == std::string_view::npos) return IpPrefix{*address, 128};
    const auto length = parse_number(text.substr(slash + 1), 128U - before);
    if (!length) return std::nullopt;
    return IpPrefix{*address, static_cast<std::uint8_t>(before + *length)};
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    for (const auto& [name, number] : kProtocols) {
        if (name == text) return number;
    }
    const auto number = parse_number(text, 255);
    return number ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
}

std::optional<PortRange> parse_ports(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash), 65535);
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1), 65535);
    if (!first || !last || *first > *last) return std::nullopt;
    return PortRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

/// Takes over a part that could be read.
template <class Value, class Field>
bool set(const std::optional<Value>& value, Field& field) {
    if (value) field = *value;
    return value.has_value();
}

bool set_part(std::string_view key, std::string_view value, FlowRule& rule) {
    if (key == "source") return set(parse_prefix(value), rule.source);
    if (key == "destination") return set(parse_prefix(value), rule.destination);
    if (key == "protocol") return set(parse_protocol(value), rule.protocol);
    if (key == "source_ports") return set(parse_ports(value), rule.source_ports);
    if (key == "destination_ports") return set(parse_ports(value), rule.destination_ports);
    const auto vni = parse_number(value, 0xffffff);
    if (vni) rule.vni = Vni{*vni};
    return vni.has_value();
}

/// Takes the next word off the front of `text`; empty at its end.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

std::string to_text(const IpPrefix& prefix) {
    const std::uint8_t before = prefix.address.is_ipv4() && prefix.length >= kIpv4Bits ? kIpv4Bits : 0;
    return prefix.address.to_string() + '/' + std::to_string(prefix.length - before);
}

std::string to_text(const PortRange& ports) {
    const std::string first = std::to_string(ports.first);
    return ports.first == ports.last ? first : first + '-' + std::to_string(ports.last);
}

}  // namespace

std::span<const std::string_view> flow_rule_keys() {
    return kKeys;
}

Result<FlowRule, std::string> parse_flow_rule(std::string_view text) {
    FlowRule rule;
    std::array<bool, kKeys.size()> said{};
    for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) return Failure{quoted(word) + " is no key=value"};
        const std::string_view key = word.substr(0, equals);
        const auto known = std::find(kKeys.begin(), kKeys.end(), key);
        if (known == kKeys.end()) return Failure{quoted(key) + " is no part of a flow rule"};
        if (std::exchange(said[static_cast<std::size_t>(known - kKeys.begin())], true))
            return Failure{quoted(key) + " is said twice"};
        if (!set_part(key, word.substr(equals + 1), rule))
            return Failure{quoted(word) + " cannot be read, or is out of range"};
    }
    if (std::find(said.begin(), said.end(), true) == said.end())
        return Failure{std::string("a flow rule says something")};
    return rule;
}

std::string to_string(const FlowRule& rule) {
    std::string text;
    const auto say = [&text](std::string_view key, const std::string& value) {
        if (!text.empty()) text += ' ';
        text += std::string(key) + '=' + value;
    };
    if (rule.source.length > 0) say("source", to_text(rule.source));
    if (rule.destination.length > 0) say("destination", to_text(rule.destination));
    if (rule.protocol) {
        const auto* named = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                         [&](const auto& one) { return one.second == *rule.protocol; });
        say("protocol",
            named != std::end(kProtocols) ? std::string(named->first) : std::to_string(*rule.protocol));
    }
    if (!rule.source_ports.is_all()) say("source_ports", to_text(rule.source_ports));
    if (!rule.destination_ports.is_all()) say("destination_ports", to_text(rule.destination_ports));
    if (rule.vni) say("vni", std::to_string(rule.vni->value));
    return text.empty() ? "source=::/0" : text;
}

Result<FlowFilter, std::string> parse_flow_filter(std::string_view text) {
    FlowFilter filter;
    if (text.empty()) return filter;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        auto rule = parse_flow_rule(text.substr(at, comma - at));
        if (!rule) return Failure{rule.error()};
        filter.rules.push_back(*rule);
        at = comma + 1;
    }
    return filter;
}

std::string to_string(const FlowFilter& filter) {
    std::string text;
    for (const FlowRule& rule : filter.rules) {
        if (!text.empty()) text += ',';
        text += to_string(rule);
    }
    return text;
}

}  // namespace dyetrace::tracking
