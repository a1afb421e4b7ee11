// SPDX-License-Identifier: GPL-2.0-or-later
// Link-layer and network addresses, held in network byte order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dyetrace {

/// An IEEE 802 MAC address.
struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    constexpr auto operator<=>(const MacAddress&) const = default;
    [[nodiscard]] constexpr bool is_group() const {
        return (octets[0] & 1U) != 0;
    }  ///< broadcast or multicast
    [[nodiscard]] std::string to_string() const;
    /// Reads "02:aa:00:00:00:01"; nothing else.
    static std::optional<MacAddress> parse(std::string_view text);
    /// The low 48 bits of `value`.
    static constexpr MacAddress from_integer(std::uint64_t value) {
        MacAddress mac;
        for (int i = 0; i < 6; ++i)
            mac.octets[i] = static_cast<std::uint8_t>(value >> (40 - 8 * i));
        return mac;
    }
    [[nodiscard]] constexpr std::uint64_t to_integer() const {
        std::uint64_t value = 0;
        for (auto octet : octets)
            value = value << 8 | octet;
        return value;
    }
};

/// An IPv4 address.
struct Ipv4Address {
    std::uint32_t value = 0;  ///< host byte order: 10.0.0.1 is 0x0a000001

    constexpr Ipv4Address() = default;
    constexpr explicit Ipv4Address(std::uint32_t v) : value(v) {}
    constexpr auto operator<=>(const Ipv4Address&) const = default;
    [[nodiscard]] constexpr bool is_unspecified() const { return value == 0; }
    [[nodiscard]] std::string to_string() const;
    /// Reads dotted decimal "10.0.0.1"; nothing else.
    static std::optional<Ipv4Address> parse(std::string_view text);
};

/// A UDP endpoint of the underlay.
struct Endpoint {
    Ipv4Address address;
    std::uint16_t port = 0;

    constexpr auto operator<=>(const Endpoint&) const = default;
    [[nodiscard]] std::string to_string() const;  ///< "10.0.0.1:6081"
};

}  // namespace dyetrace

template <>
struct std::hash<dyetrace::Ipv4Address> {
    std::size_t operator()(dyetrace::Ipv4Address a) const noexcept {
        return a.value * 0x9e3779b97f4a7c15ULL >> 16;
    }
};
