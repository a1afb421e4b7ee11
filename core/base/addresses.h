// SPDX-License-Identifier: GPL-2.0-or-later
// Link-layer and network addresses, held in network byte order.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

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
        return static_cast<std::uint64_t>(load_u32(&octets[0])) << 16 | load_u16(&octets[4]);
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

/// An address of the underlay: IPv6, or IPv4 in its IPv4-mapped form (RFC 4291 §2.5.5.2), which is also how
/// it travels inside control messages and enters every tag: 16 bytes, whatever the version.
struct IpAddress {
    static constexpr std::size_t kSize = 16;

    std::uint64_t high = 0;  ///< the first 8 bytes, host byte order
    std::uint64_t low = 0;   ///< the last 8

    constexpr IpAddress() = default;  ///< unspecified
    constexpr IpAddress(std::uint64_t high_half, std::uint64_t low_half) : high(high_half), low(low_half) {}
    // NOLINTNEXTLINE(google-explicit-constructor): every IPv4 address is one of these
    constexpr IpAddress(Ipv4Address v4) : low(kMappedPrefix | v4.value) {}
    constexpr auto operator<=>(const IpAddress&) const = default;

    [[nodiscard]] constexpr bool is_ipv4() const { return high == 0 && low >> 32 == kMappedPrefix >> 32; }
    /// Precondition: is_ipv4().
    [[nodiscard]] constexpr Ipv4Address ipv4() const { return Ipv4Address{static_cast<std::uint32_t>(low)}; }
    /// `::` or 0.0.0.0.
    [[nodiscard]] constexpr bool is_unspecified() const {
        return high == 0 && (low == 0 || low == kMappedPrefix);
    }
    [[nodiscard]] constexpr bool is_multicast() const {
        return is_ipv4() ? (low >> 28 & 0xf) == 0xe : high >> 56 == 0xff;
    }
    [[nodiscard]] std::string to_string() const;  ///< "10.0.0.1", "2001:db8::1" (RFC 5952)
    /// Reads dotted decimal, or IPv6 text as in RFC 4291 §2.2; nothing else: no scope, no brackets.
    static std::optional<IpAddress> parse(std::string_view text);

  private:
    static constexpr std::uint64_t kMappedPrefix = 0xffff'0000'0000ULL;
};

/// A UDP endpoint of the underlay.
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    constexpr auto operator<=>(const Endpoint&) const = default;
    [[nodiscard]] std::string to_string() const;  ///< "10.0.0.1:6081", "[2001:db8::1]:6081"
};

/// An address as it travels: 16 bytes.
inline IpAddress load_ip(const std::uint8_t* p) {
    return {load_u64(p), load_u64(p + 8)};
}
inline void store_ip(std::uint8_t* p, const IpAddress& address) {
    store_u64(p, address.high);
    store_u64(p + 8, address.low);
}
inline IpAddress read_ip(ByteReader& in) {
    return load_ip(in.bytes(IpAddress::kSize).data());
}
inline void write_ip(ByteWriter& out, const IpAddress& address) {
    out.u64(address.high);
    out.u64(address.low);
}

}  // namespace dyetrace

template <>
struct std::hash<dyetrace::Ipv4Address> {
    std::size_t operator()(dyetrace::Ipv4Address a) const noexcept {
        return a.value * 0x9e3779b97f4a7c15ULL >> 16;
    }
};

template <>
struct std::hash<dyetrace::IpAddress> {
    std::size_t operator()(const dyetrace::IpAddress& a) const noexcept {
        return (a.low ^ a.high * 0xbf58476d1ce4e5b9ULL) * 0x9e3779b97f4a7c15ULL >> 16;
    }
};
