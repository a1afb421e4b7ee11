// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/client_text.h"

#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "core/health/client_view.h"
#include "core/health/percent.h"

namespace dyetrace::health {
namespace {

std::string three_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

std::string seconds(Time at) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", at.in_seconds());
    return text;
}

}  // namespace

std::string figure_text(Figure figure, double value) {
    switch (unit_of(figure)) {
        case FigureUnit::Share: return percent(value);
        case FigureUnit::Count: return three_digits(value);
        case FigureUnit::Time: break;
    }
    const double size = std::abs(value);
    if (size >= 999.5e6) return three_digits(value / 1e9) + 's';
    if (size >= 999.5e3) return three_digits(value / 1e6) + "ms";
    if (size >= 999.5) return three_digits(value / 1e3) + "us";
    return three_digits(value) + "ns";
}

std::string health_text(Health health, const FigureSums& sums, const Figures& figures, std::uint64_t delays) {
    if (sums.sent == 0 && sums.received == 0) {
        return health == Health::NotMeasured ? "no packets were measured lately"
                                             : "no packets were measured lately; the state is of before";
    }
    std::string text;
    const auto say = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (const auto& loss = figures[Figure::Loss]; loss && !sums.excess) {
        const ShareInterval interval = interval_of_share(*loss, at_least(sums.sent));
        say("loss " + percent(*loss) + " (" + percent(interval.low) + " to " + percent(interval.high) +
            " with 95% confidence)");
    }
    if (sums.excess) say("more packets arrived than were sent, so loss is not known");
    const bool many = delays >= kDelaysForP99;
    const std::pair<Figure, std::string_view> others[] = {
        {Figure::Delay, "delay "},
        many ? std::pair<Figure, std::string_view>(Figure::DelayP99, "99% below ")
             : std::pair<Figure, std::string_view>(Figure::DelayMax, "at most "),
        {Figure::Queueing, "queueing "},
        {Figure::Jitter, "jitter "},
        {Figure::Ce, "CE "},
        {Figure::Corrupted, "corrupted "},
        {Figure::Reordered, "reordered "},
        {Figure::Duplicated, "duplicated "}};
    for (const auto& [figure, name] : others) {
        const auto& value = figures[figure];
        // A share of nothing is not worth a tenant's line.
        if (value && (*value != 0 || unit_of(figure) == FigureUnit::Time))
            say(std::string(name) + figure_text(figure, *value));
    }
    say("at least " + std::to_string(at_least(sums.sent)) + " packets");
    return text;
}

std::string to_string(const PairView& pair) {
    std::string text = pair.from + " -> " + pair.to + " (VNI " + std::to_string(pair.vni.value) +
                       "): " + std::string(to_string(pair.health));
    if (pair.health != Health::NotMeasured)
        text += " since " + seconds(pair.since) + " s, confidence " + percent(pair.confidence);
    text += ": " + pair.reason;
    for (const PairView::State& state : pair.states)
        text += "; " + state.name + ": " + std::string(to_string(state.standing));
    return text;
}

std::string to_string(const ClientEvent& event) {
    return seconds(event.at) + " s " + event.from + " -> " + event.to + ": " + event.state + ": " +
           event.before + " to " + event.after + ": " + event.reason;
}

std::uint64_t at_least(std::uint64_t count) {
    std::uint64_t best = 0;
    for (std::uint64_t power = 1; power <= count; power *= 10) {
        for (const std::uint64_t digit : {1U, 2U, 5U}) {
            if (digit * power <= count && digit <= count / power) best = digit * power;
        }
        if (power > count / 10) break;
    }
    return best;
}

}  // namespace dyetrace::health
