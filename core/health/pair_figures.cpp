// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/pair_figures.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace dyetrace::health {
namespace {

constexpr std::array<std::string_view, kFigureCount> kNames{
    "loss",  "ce",        "corrupted", "reordered", "duplicated", "jitter", "queueing",
    "delay", "delay_p50", "delay_p90", "delay_p99", "delay_max",  "packets"};

double number(std::uint64_t value) {
    return static_cast<double>(value);
}

double rounded(double value, int digits) {
    char text[32];
    const auto end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits - 1);
    std::from_chars(text, end.ptr, value);
    return value;
}

}  // namespace

std::string_view to_string(Figure figure) {
    return kNames[static_cast<std::size_t>(figure)];
}

std::span<const std::string_view> figure_names() {
    return kNames;
}

std::optional<Figure> figure_of(std::string_view name) {
    const auto* const it = std::find(kNames.begin(), kNames.end(), name);
    if (it == kNames.end()) return std::nullopt;
    return static_cast<Figure>(it - kNames.begin());
}

FigureUnit unit_of(Figure figure) {
    if (figure <= Figure::Duplicated) return FigureUnit::Share;
    return figure == Figure::Packets ? FigureUnit::Count : FigureUnit::Time;
}

void FigureSums::add(const MetricsWindow& window) {
    ++windows;
    sent += window.sent;
    // Counters of two hosts may say more than was sent; a share stays one.
    lost += std::min(window.lost, window.sent);
    received += window.tracked_received;
    ce += window.ce;
    corrupted += window.corrupted;
    late += window.late;
    duplicates += window.duplicates;
    excess = excess || window.excess;
    jitter_packets += static_cast<double>(window.jitter.ns) * window.tracked_received;
    if (window.delay_count == 0) return;
    delays += window.delay_count;
    delay_ns += static_cast<double>(window.delay_sum.ns);
    queueing_ns += static_cast<double>(window.delay_sum.ns) -
                   static_cast<double>(window.delay_min.ns) * window.delay_count;
}

void FigureSums::add(const FigureSums& other) {
    sent += other.sent;
    lost += other.lost;
    received += other.received;
    ce += other.ce;
    corrupted += other.corrupted;
    late += other.late;
    duplicates += other.duplicates;
    delays += other.delays;
    delay_ns += other.delay_ns;
    queueing_ns += other.queueing_ns;
    jitter_packets += other.jitter_packets;
    windows += other.windows;
    excess = excess || other.excess;
}

Figures FigureSums::figures(bool clocks_are_one, const DelayFigures& fed) const {
    Figures out;
    out[Figure::Packets] = number(sent);
    if (sent > 0 && !excess) out[Figure::Loss] = number(lost) / number(sent);
    if (received > 0) {
        const auto share = [this](std::uint64_t hits) {
            return std::min(number(hits) / number(received), 1.0);
        };
        out[Figure::Ce] = share(ce);
        out[Figure::Corrupted] = share(corrupted);
        out[Figure::Reordered] = share(late);
        out[Figure::Duplicated] = share(duplicates);
        out[Figure::Jitter] = std::max(jitter_packets, 0.0) / number(received);
    }
    if (delays > 0) {
        out[Figure::Queueing] = std::max(queueing_ns, 0.0) / number(delays);
        if (clocks_are_one) out[Figure::Delay] = delay_ns / number(delays);
    }
    if (fed.count > 0) {
        out[Figure::Delay] = static_cast<double>(fed.mean.ns);
        out[Figure::DelayP50] = static_cast<double>(fed.p50.ns);
        out[Figure::DelayP90] = static_cast<double>(fed.p90.ns);
        out[Figure::DelayP99] = static_cast<double>(fed.p99.ns);
        out[Figure::DelayMax] = static_cast<double>(fed.max.ns);
    }
    return out;
}

Figures FigureSums::coarse(const Figures& figures) const {
    constexpr int kDigits = 3;
    Figures out = figures;
    for (std::size_t i = 0; i < kFigureCount; ++i) {
        auto& value = out[static_cast<Figure>(i)];
        if (value) value = rounded(*value, kDigits);
    }
    for (const auto& [figure, hits] :
         {std::pair(Figure::Loss, lost), std::pair(Figure::Ce, ce), std::pair(Figure::Corrupted, corrupted),
          std::pair(Figure::Reordered, late), std::pair(Figure::Duplicated, duplicates)}) {
        if (out[figure] && hits < 100) out[figure] = rounded(*figures[figure], hits < 10 ? 1 : 2);
    }
    return out;
}

ShareInterval share_interval(std::uint64_t hits, std::uint64_t of) {
    return of == 0 ? ShareInterval{} : interval_of_share(number(hits) / number(of), of);
}

ShareInterval interval_of_share(double share, std::uint64_t of) {
    if (of == 0) return {};
    constexpr double z = 1.959964;  // two-sided 95% of the normal distribution
    const double n = number(of);
    const double p = std::min(share, 1.0);
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return {p == 0 ? 0.0 : std::max(middle - half, 0.0), p == 1 ? 1.0 : std::min(middle + half, 1.0)};
}

}  // namespace dyetrace::health
