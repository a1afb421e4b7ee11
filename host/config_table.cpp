// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/config_table.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "scenarios/reader/spelling.h"

namespace dyetrace::host {

using scenario::Node;
using scenario::Place;
using scenario::Problem;
using scenario::Severity;

namespace {

const scenario::Table kNoTable;

Problem wrong_type(const Node& node, std::string_view wanted) {
    return {fmt::format("this is {}, where {} belongs", node.type_name(), wanted), ""};
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    // Without brackets the last part of an IPv6 address would pass for a port (RFC 3986 §3.2.2).
    const bool has_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (has_brackets) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (address && address->is_ipv4() == has_brackets) return std::nullopt;
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (!address || error != std::errc{} || end != digits.data() + digits.size() || port == 0)
        return std::nullopt;
    return Endpoint{*address, port};
}

bool is_of_one_host(const IpAddress& address) {
    // RFC 4291 §2.5.2, §2.5.3, §2.7: unspecified, loopback, multicast.
    constexpr IpAddress kLoopback{0, 1};
    if (!address.is_ipv4())
        return !address.is_unspecified() && address != kLoopback && !address.is_multicast();
    // RFC 1122 §3.2.1.3: 0/8 is this network, 127/8 loopback, 224/4 multicast, 240/4 reserved and broadcast.
    const std::uint32_t first = address.ipv4().value >> 24;
    return first != 0 && first != 127 && first < 224;
}

}  // namespace

Result<MacAddress, Problem> MacType::read(const Node& node) const {
    const auto* text = node.as<std::string>();
    if (text == nullptr) return Failure{wrong_type(node, "a MAC address")};
    const auto mac = MacAddress::parse(*text);
    if (!mac) {
        return Failure{Problem{fmt::format("\"{}\" is no MAC address", *text),
                               "six pairs of hexadecimal digits, \"02:aa:00:00:00:01\""}};
    }
    if (mac->is_group() || *mac == MacAddress{}) {
        return Failure{Problem{fmt::format("\"{}\" is not the address of one station", *text), ""}};
    }
    return *mac;
}

Result<IpAddress, Problem> IpType::read(const Node& node) const {
    const auto* text = node.as<std::string>();
    if (text == nullptr) return Failure{wrong_type(node, "an IP address")};
    const auto address = IpAddress::parse(*text);
    if (!address) {
        return Failure{Problem{fmt::format("\"{}\" is no IP address", *text),
                               "\"192.0.2.1\" or \"2001:db8::1\", without prefix length"}};
    }
    if (!is_of_one_host(*address)) {
        return Failure{Problem{fmt::format("\"{}\" is not the address of one host", *text), ""}};
    }
    return *address;
}

Result<Endpoint, Problem> EndpointType::read(const Node& node) const {
    const auto* text = node.as<std::string>();
    if (text == nullptr) return Failure{wrong_type(node, "an address with a UDP port")};
    const auto endpoint = parse_endpoint(*text);
    if (!endpoint) {
        return Failure{Problem{fmt::format("\"{}\" is no address with a UDP port", *text),
                               "\"192.0.2.10:46081\" or \"[2001:db8::10]:46081\""}};
    }
    return *endpoint;
}

std::string ConfigTable::full(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

const Place& ConfigTable::place_of(std::string_view key) const {
    const scenario::Entry* entry = table_.get().find(key);
    return entry != nullptr ? entry->node.place : place_;
}

void ConfigTable::tell(const Place& place, Severity severity, Problem problem) {
    ConfigInput& input = input_.get();
    const Place at = problem.place.value_or(place);
    input.diagnostics.add(input.source.at(at, severity, std::move(problem)));
}

void ConfigTable::error(std::string_view key, Problem problem) {
    tell(place_of(key), Severity::Error, std::move(problem));
}

void ConfigTable::warning(std::string_view key, Problem problem) {
    tell(place_of(key), Severity::Warning, std::move(problem));
}

void ConfigTable::missing(std::string_view key) {
    if (input_.get().whole) tell(place_, Severity::Error, {fmt::format("{} is missing", full(key)), ""});
}

const Node* ConfigTable::find(std::string_view key) {
    asked_.emplace_back(key);
    const scenario::Entry* entry = table_.get().find(key);
    if (entry == nullptr || entry->node.as<scenario::Unreadable>() != nullptr) return nullptr;
    return &entry->node;
}

ConfigTable ConfigTable::table(std::string_view key) {
    const Node* node = find(key);
    const auto* found = node != nullptr ? node->as<scenario::Table>() : nullptr;
    if (node != nullptr && found == nullptr) error(key, wrong_type(*node, "a table"));
    return {found != nullptr ? *found : kNoTable, full(key), place_of(key), input_};
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) {
    std::vector<ConfigTable> found;
    const Node* node = find(key);
    if (node == nullptr) return found;
    const auto* array = node->as<scenario::Array>();
    if (array == nullptr) {
        error(key, wrong_type(*node, "an array of tables"));
        return found;
    }
    for (const Node& element : *array) {
        if (element.as<scenario::Unreadable>() != nullptr) continue;
        if (const auto* table = element.as<scenario::Table>()) {
            found.emplace_back(*table, full(key), element.place, input_);
        } else {
            tell(element.place, Severity::Error, wrong_type(element, "a table"));
        }
    }
    return found;
}

void ConfigTable::finish() {
    for (const scenario::Entry& entry : table_.get().entries) {
        if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
        tell(entry.key_place, Severity::Error,
             {fmt::format("unknown key {}", full(entry.key)), scenario::did_you_mean(entry.key, asked_)});
    }
    for (const std::string& key : asked_)
        input_.get().known.push_back(full(key));
}

}  // namespace dyetrace::host
