// SPDX-License-Identifier: GPL-2.0-or-later
// Quantities with units, as people write them: "1.5s", "10Gbps", "150kB", "0.1%". Every conversion is exact,
// or an error that says why it isn't.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"
#include "scenarios/reader/diagnostics.h"

namespace dyetrace::scenario {

/// "10us", "-1.5s": ns, us, ms, s, min or h. May be negative.
[[nodiscard]] Result<Duration, Problem> parse_duration(std::string_view text);
/// Bits a second, "10Gbps": bps, kbps, Mbps, Gbps, Tbps; powers of 1000.
[[nodiscard]] Result<std::int64_t, Problem> parse_rate(std::string_view text);
/// Bytes, "150kB", "64KiB": B, kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.
[[nodiscard]] Result<std::int64_t, Problem> parse_size(std::string_view text);
/// "0.01" or "1%"; both are the same double.
[[nodiscard]] Result<double, Problem> parse_fraction(std::string_view text);

/// The shortest text that reads back as the same: "1.5s", "20ms".
[[nodiscard]] std::string format_duration(Duration duration);
[[nodiscard]] std::string format_rate(std::uint64_t bits_per_second);
[[nodiscard]] std::string format_size(std::uint64_t bytes);
/// "0.01"
[[nodiscard]] std::string format_number(double number);

}  // namespace dyetrace::scenario
