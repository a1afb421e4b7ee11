// SPDX-License-Identifier: GPL-2.0-or-later
// How the viewer writes and reads times, counts and shares.
#pragma once

#include <QString>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dyetrace::viewer {

/// Reads "0.9s", "900ms", "12us", "500ns", and "0.9" as seconds; may be negative. What does not fit 64 bits
/// of nanoseconds is the nearest that does. Nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

/// "0.900000 s": fine enough to tell any two events of a run apart, and always of the same width.
[[nodiscard]] QString time_text(std::int64_t t_ns);
/// In seconds with the digits that a step of `step_ns` needs: 0.85 for 10 ms.
[[nodiscard]] QString tick_text(std::int64_t t_ns, std::int64_t step_ns);
/// A length of time in its best unit: "20 ms", "1.5 s", "850 us".
[[nodiscard]] QString duration_text(std::int64_t length_ns);
/// "1,234,567".
[[nodiscard]] QString count_text(std::int64_t count);
/// A share as people read it: 0.01 is "1%", 0.01234 is "1.23%".
[[nodiscard]] QString percent_text(double share);
/// "1 Gbps".
[[nodiscard]] QString rate_text(std::uint64_t rate_bps);

}  // namespace dyetrace::viewer
