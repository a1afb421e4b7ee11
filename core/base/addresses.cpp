// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/addresses.h"

#include <charconv>
#include <cstdio>

namespace dyetrace {
namespace {

/// One number of `text` up to the separator or the end; advances `text` past both.
std::optional<unsigned> take_number(std::string_view& text, char separator, int base, unsigned max,
                                    bool last) {
    const std::size_t end = last ? text.size() : text.find(separator);
    if (end == std::string_view::npos || end == 0 || end > 3) return std::nullopt;
    // Two digits an octet in one notation; no leading zero, which some read as octal, in the other.
    if (base == 16 ? end != 2 : end > 1 && text.front() == '0') return std::nullopt;
    unsigned number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + end, number, base);
    if (error != std::errc{} || stop != text.data() + end || number > max) return std::nullopt;
    text.remove_prefix(last ? end : end + 1);
    return number;
}

}  // namespace

std::string MacAddress::to_string() const {
    char text[18];
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2],
                  octets[3], octets[4], octets[5]);
    return text;
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    if (text.size() != 17) return std::nullopt;
    MacAddress mac;
    for (std::size_t i = 0; i < 6; ++i) {
        const auto octet = take_number(text, ':', 16, 255, i == 5);
        if (!octet) return std::nullopt;
        mac.octets[i] = static_cast<std::uint8_t>(*octet);
    }
    return mac;
}

std::string Ipv4Address::to_string() const {
    char text[16];
    std::snprintf(text, sizeof text, "%u.%u.%u.%u", value >> 24, value >> 16 & 255U, value >> 8 & 255U,
                  value & 255U);
    return text;
}

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        const auto octet = take_number(text, '.', 10, 255, i == 3);
        if (!octet) return std::nullopt;
        value = value << 8 | *octet;
    }
    return Ipv4Address{value};
}

std::string Endpoint::to_string() const {
    return address.to_string() + ":" + std::to_string(port);
}

}  // namespace dyetrace
