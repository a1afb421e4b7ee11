// SPDX-License-Identifier: GPL-2.0-or-later
// The metrics that a session is asked for, by name: "counts", "tracked", "delay", "jitter", "reordering",
// "ecn", "ttl", "corruption", "quantiles"; "all" is all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace dyetrace::wire {

/// "all", then the others by their bit.
std::span<const std::string_view> metric_names();
/// Of wire::Metric; nothing where no metric has that name.
std::optional<std::uint32_t> metric_named(std::string_view name);

/// Names with commas between them, one at least. The error quotes what is none.
Result<std::uint32_t, std::string> parse_metrics(std::string_view text);
/// Reads back as the same; bits without a name are left out.
std::string metrics_to_string(std::uint32_t metrics);

}  // namespace dyetrace::wire
