// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/wire/metric_names.h"

#include <algorithm>
#include <array>

#include "core/wire/session_messages.h"

namespace dyetrace::wire {
namespace {

constexpr std::array<std::string_view, 10> kNames{
    "all", "counts", "tracked", "delay", "jitter", "reordering", "ecn", "ttl", "corruption", "quantiles"};
static_assert(kMetricsAll == (1U << (kNames.size() - 1)) - 1, "a metric has no name");

}  // namespace

std::span<const std::string_view> metric_names() {
    return kNames;
}

std::optional<std::uint32_t> metric_named(std::string_view name) {
    if (name == kNames[0]) return kMetricsAll;
    for (std::size_t bit = 0; bit + 1 < kNames.size(); ++bit) {
        if (name == kNames[bit + 1]) return 1U << bit;
    }
    return std::nullopt;
}

Result<std::uint32_t, std::string> parse_metrics(std::string_view text) {
    std::uint32_t metrics = 0;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string_view name = text.substr(at, comma - at);
        const auto metric = metric_named(name);
        if (!metric) return Failure{'"' + std::string(name) + "\" is no metric"};
        metrics |= *metric;
        at = comma + 1;
    }
    return metrics;
}

std::string metrics_to_string(std::uint32_t metrics) {
    if (metrics == kMetricsAll) return std::string(kNames[0]);
    std::string text;
    for (std::size_t bit = 0; bit + 1 < kNames.size(); ++bit) {
        if ((metrics >> bit & 1) == 0) continue;
        if (!text.empty()) text += ',';
        text += kNames[bit + 1];
    }
    return text;
}

}  // namespace dyetrace::wire
