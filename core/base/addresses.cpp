// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/base/addresses.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <utility>

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

/// An IPv6 address as its text has it: eight groups of 16 bits (RFC 4291 §2.2).
using Groups = std::array<std::uint16_t, 8>;

Groups groups_of(const IpAddress& address) {
    Groups groups;
    for (unsigned i = 0; i < 4; ++i) {
        groups[i] = static_cast<std::uint16_t>(address.high >> (48 - 16 * i));
        groups[i + 4] = static_cast<std::uint16_t>(address.low >> (48 - 16 * i));
    }
    return groups;
}

IpAddress from_groups(const Groups& groups) {
    IpAddress address;
    for (unsigned i = 0; i < 4; ++i) {
        address.high = address.high << 16 | groups[i];
        address.low = address.low << 16 | groups[i + 4];
    }
    return address;
}

/// The run that "::" shortens: the longest of at least two groups, the first of equals (RFC 5952 §4.2).
std::pair<std::size_t, std::size_t> longest_zero_run(const Groups& groups) {
    std::size_t best = 0;
    std::size_t best_length = 1;
    std::size_t length = 0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        length = groups[i] == 0 ? length + 1 : 0;
        if (length > best_length) {
            best = i + 1 - length;
            best_length = length;
        }
    }
    return best_length > 1 ? std::pair{best, best + best_length} : std::pair<std::size_t, std::size_t>{0, 0};
}

/// Reads "a:b:c" into `groups` and returns how many there were; the last may be dotted decimal where
/// `may_end_v4`.
std::optional<std::size_t> read_groups(std::string_view text, Groups& groups, bool may_end_v4) {
    std::size_t count = 0;
    while (true) {
        const std::size_t end = std::min(text.find(':'), text.size());
        const std::string_view word = text.substr(0, end);
        if (may_end_v4 && end == text.size() && word.find('.') != std::string_view::npos) {
            const auto v4 = Ipv4Address::parse(word);
            if (!v4 || count + 2 > groups.size()) return std::nullopt;
            groups[count++] = static_cast<std::uint16_t>(v4->value >> 16);
            groups[count++] = static_cast<std::uint16_t>(v4->value);
            return count;
        }
        unsigned group = 0;
        const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), group, 16);
        const bool read = error == std::errc{} && stop == word.data() + word.size();
        if (!read || word.size() > 4 || count == groups.size()) return std::nullopt;
        groups[count++] = static_cast<std::uint16_t>(group);
        if (end == text.size()) return count;
        text.remove_prefix(end + 1);
    }
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

std::string IpAddress::to_string() const {
    if (is_ipv4()) return ipv4().to_string();
    const Groups groups = groups_of(*this);
    const auto [begin, end] = longest_zero_run(groups);
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (i == begin && begin != end) {
            text += "::";
            i = end - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        char group[5];
        std::snprintf(group, sizeof group, "%x", unsigned{groups[i]});
        text += group;
    }
    return text;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find(':') == std::string_view::npos) {
        const auto v4 = Ipv4Address::parse(text);
        return v4 ? std::optional<IpAddress>{*v4} : std::nullopt;
    }
    const std::size_t gap = text.find("::");
    Groups groups{};
    if (gap == std::string_view::npos) {
        if (read_groups(text, groups, true) != groups.size()) return std::nullopt;
        return from_groups(groups);
    }
    Groups tail{};
    const std::string_view after = text.substr(gap + 2);
    const auto head_count =
        gap == 0 ? std::optional<std::size_t>{0} : read_groups(text.substr(0, gap), groups, false);
    const auto tail_count = after.empty() ? std::optional<std::size_t>{0} : read_groups(after, tail, true);
    // "::" stands for at least one group of zeros (RFC 4291 §2.2).
    if (!head_count || !tail_count || *head_count + *tail_count >= groups.size()) return std::nullopt;
    std::copy_n(tail.begin(), *tail_count, groups.end() - static_cast<std::ptrdiff_t>(*tail_count));
    return from_groups(groups);
}

std::string Endpoint::to_string() const {
    const std::string host = address.is_ipv4() ? address.to_string() : "[" + address.to_string() + "]";
    return host + ":" + std::to_string(port);
}

}  // namespace dyetrace
