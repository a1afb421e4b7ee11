// SPDX-License-Identifier: GPL-2.0-or-later
// Time as the engine knows it: nanoseconds on the clock of whoever calls.
//
// The engine never reads a clock. A `Time` is a point on the caller's own local clock (the host's, or a
// simulated host's); two hosts' times are comparable only through a clock model.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace dyetrace {

/// A length of time in nanoseconds; may be negative (a difference of two clocks).
struct Duration {
    std::int64_t ns = 0;

    static constexpr Duration nanoseconds(std::int64_t n) { return {n}; }
    static constexpr Duration microseconds(std::int64_t n) { return {n * 1'000}; }
    static constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }
    static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }

    constexpr auto operator<=>(const Duration&) const = default;
    constexpr Duration operator+(Duration other) const { return {ns + other.ns}; }
    constexpr Duration operator-(Duration other) const { return {ns - other.ns}; }
    constexpr Duration operator*(std::int64_t factor) const { return {ns * factor}; }
    constexpr Duration operator/(std::int64_t divisor) const { return {ns / divisor}; }
    [[nodiscard]] constexpr double in_seconds() const { return static_cast<double>(ns) * 1e-9; }
};

/// A point on the caller's local clock, in nanoseconds since that clock's origin.
struct Time {
    std::int64_t ns = 0;

    static constexpr Time never() { return {std::numeric_limits<std::int64_t>::max()}; }
    /// Before every time that a clock shows, also one that starts below zero.
    static constexpr Time earliest() { return {std::numeric_limits<std::int64_t>::min()}; }

    constexpr auto operator<=>(const Time&) const = default;
    /// Saturates at `never()`, so that a deadline of "never" stays one.
    constexpr Time operator+(Duration d) const {
        if (d.ns > 0 && ns > std::numeric_limits<std::int64_t>::max() - d.ns) return never();
        return {ns + d.ns};
    }
    /// Saturates at `earliest()`.
    constexpr Time operator-(Duration d) const {
        if (d.ns > 0 && ns < std::numeric_limits<std::int64_t>::min() + d.ns) return earliest();
        return {ns - d.ns};
    }
    constexpr Duration operator-(Time other) const { return {ns - other.ns}; }
    [[nodiscard]] constexpr double in_seconds() const { return static_cast<double>(ns) * 1e-9; }
};

/// `one - other` where `other` is whatever a peer said: saturates instead of overflowing.
constexpr Duration clocks_difference(Time one, Time other) {
    std::int64_t ns = 0;
    if (!__builtin_sub_overflow(one.ns, other.ns, &ns)) return {ns};
    return {one.ns < other.ns ? std::numeric_limits<std::int64_t>::min()
                              : std::numeric_limits<std::int64_t>::max()};
}

}  // namespace dyetrace
