// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/time_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace dyetrace::viewer {
namespace {

using Unit = std::pair<std::string_view, double>;
constexpr std::array<Unit, 5> units{{{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1.0}}};

std::int64_t saturated(double ns) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    if (ns >= static_cast<double>(most)) return most;
    if (ns <= static_cast<double>(least)) return least;
    return std::llround(ns);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
    text = trimmed(text);
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) {
        // Only its sign is left of it.
        value = text.starts_with('-') ? -1e300 : 1e300;
    } else if (error != std::errc() || !std::isfinite(value)) {
        return std::nullopt;
    }
    const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(rest - text.data())));
    for (const auto& [name, factor] : units) {
        if (unit == name) return saturated(value * factor);
    }
    return std::nullopt;
}

QString time_text(std::int64_t t_ns) {
    return QString::number(static_cast<double>(t_ns) * 1e-9, 'f', 6) + QStringLiteral(" s");
}

QString tick_text(std::int64_t t_ns, std::int64_t step_ns) {
    int digits = 9;
    while (digits > 0 && step_ns % 10 == 0) {
        step_ns /= 10;
        --digits;
    }
    return QString::number(static_cast<double>(t_ns) * 1e-9, 'f', digits);
}

QString duration_text(std::int64_t length_ns) {
    const double ns = static_cast<double>(length_ns);
    const double size = std::abs(ns);
    if (size >= 1e9) return QString::number(ns * 1e-9, 'g', 4) + QStringLiteral(" s");
    if (size >= 1e6) return QString::number(ns * 1e-6, 'g', 4) + QStringLiteral(" ms");
    if (size >= 1e3) return QString::number(ns * 1e-3, 'g', 4) + QStringLiteral(" us");
    return QString::number(length_ns) + QStringLiteral(" ns");
}

QString count_text(std::int64_t count) {
    QString text = QString::number(count);
    const qsizetype first = count < 0 ? 1 : 0;
    for (qsizetype i = text.size() - 3; i > first; i -= 3)
        text.insert(i, u',');
    return text;
}

QString percent_text(double share) {
    return QString::number(share * 100, 'g', 3) + QStringLiteral("%");
}

QString rate_text(std::uint64_t rate_bps) {
    const double bps = static_cast<double>(rate_bps);
    if (bps >= 1e9) return QString::number(bps * 1e-9, 'g', 4) + QStringLiteral(" Gbps");
    if (bps >= 1e6) return QString::number(bps * 1e-6, 'g', 4) + QStringLiteral(" Mbps");
    return QString::number(bps * 1e-3, 'g', 4) + QStringLiteral(" kbps");
}

}  // namespace dyetrace::viewer
