// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/probe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/health/client_text.h"

namespace dyetrace::health {

Result<Done, std::string> LogicalProbes::add(const Tenant& tenant, const ProbeSpec& spec) {
    if (spec.name.empty() || spec.name.size() > bounds_.name_bytes)
        return Failure{std::string("name: empty, or too long")};
    if (!std::isfinite(spec.share) || spec.share < 0 || spec.share > 1)
        return Failure{std::string("share: not from 0 to 1")};
    const std::vector<GuestSpec>& guests = tenant.guests();
    const auto is_there = [&](const std::string& name) {
        if (name.empty())
            return std::any_of(guests.begin(), guests.end(),
                               [&](const auto& one) { return one.vni == spec.vni; });
        const auto index = tenant.find(name);
        return index && guests[*index].vni == spec.vni;
    };
    if (!is_there(spec.from)) return Failure{std::string("from: there is no such guest in that network")};
    if (!is_there(spec.to)) return Failure{std::string("to: there is no such guest in that network")};
    if (probes_.contains({spec.vni, spec.name})) return Failure{std::string("name: it is there already")};
    if (probes_.size() >= bounds_.probes) return Failure{std::string("probes: the table is full")};
    // A share of one picks the largest hash too.
    const auto below = static_cast<std::uint64_t>(std::llround(spec.share * 4294967296.0));
    probes_.emplace(std::pair(spec.vni, spec.name), Probe{spec, below, PacketMatcher(bounds_.matcher)});
    return Done{};
}

bool LogicalProbes::remove(Vni vni, std::string_view name) {
    return probes_.erase({vni, std::string(name)}) > 0;
}

void LogicalProbes::observe(const ProbeObservation& observation, Time now) {
    bool wanted = false;
    for (auto it = probes_.lower_bound({observation.vni, std::string()});
         it != probes_.end() && it->first.first == observation.vni; ++it) {
        wanted = see(it->second, observation, now) || wanted;
    }
    if (!wanted) ++unwanted_;
}

bool LogicalProbes::observe(std::string_view name, const ProbeObservation& observation, Time now) {
    const auto it = probes_.find({observation.vni, std::string(name)});
    const bool wanted = it != probes_.end() && see(it->second, observation, now);
    if (!wanted) ++unwanted_;
    return wanted;
}

bool LogicalProbes::see(Probe& probe, const ProbeObservation& observation, Time now) {
    if (!probe.spec.from.empty() && probe.spec.from != observation.from) return false;
    if (!probe.spec.to.empty() && probe.spec.to != observation.to) return false;
    if (observation.packet >= probe.below) return false;
    const bool leaves = observation.side == ProbeObservation::Side::Ingress;
    probe.matcher.see(leaves ? PacketMatcher::Point::First : PacketMatcher::Point::Second, observation.packet,
                      observation.at, now, observation.is_judged);
    return true;
}

void LogicalProbes::doubt(Vni vni, const std::string& name) {
    const auto it = probes_.find({vni, name});
    if (it != probes_.end()) it->second.matcher.doubt();
}

void LogicalProbes::advance(Time now) {
    for (auto& [key, probe] : probes_)
        probe.matcher.advance(now);
}

Time LogicalProbes::next_deadline() const {
    Time next = Time::never();
    for (const auto& [key, probe] : probes_)
        next = std::min(next, probe.matcher.next_deadline());
    return next;
}

std::vector<ProbeResult> LogicalProbes::results(Vni vni) const {
    std::vector<ProbeResult> out;
    for (auto it = probes_.lower_bound({vni, std::string()}); it != probes_.end() && it->first.first == vni;
         ++it) {
        const Probe& probe = it->second;
        ProbeResult result{probe.spec.name,
                           vni,
                           probe.spec.from,
                           probe.spec.to,
                           probe.spec.share,
                           probe.matcher.counts(),
                           {},
                           {},
                           0,
                           {},
                           {},
                           {},
                           {}};
        const std::uint64_t settled = result.counts.delivered + result.counts.lost;
        if (settled > 0) result.loss = static_cast<double>(result.counts.lost) / static_cast<double>(settled);
        result.loss_interval = share_interval(result.counts.lost, settled);
        const DelayHistogram& delays = probe.matcher.delays();
        result.delays = delays.count();
        result.delay_p50 = delays.quantile(0.5);
        result.delay_p90 = delays.quantile(0.9);
        result.delay_p99 = delays.quantile(0.99);
        result.delay_max = delays.max();
        out.push_back(std::move(result));
    }
    return out;
}

std::string to_string(const ProbeResult& result) {
    std::string text = result.name + " (VNI " + std::to_string(result.vni.value) + ", " +
                       (result.from.empty() ? "any" : result.from) + " -> " +
                       (result.to.empty() ? "any" : result.to) + ", " +
                       figure_text(Figure::Loss, result.share) + " of packets): ";
    if (result.loss) {
        text += "loss " + figure_text(Figure::Loss, *result.loss) + " of " +
                std::to_string(result.counts.delivered + result.counts.lost) + " packets (" +
                figure_text(Figure::Loss, result.loss_interval.low) + " to " +
                figure_text(Figure::Loss, result.loss_interval.high) + " with 95% confidence)";
    } else {
        text += result.counts.unjudged == 0 ? "no packet is settled yet"
                                            : "loss not measured, as not all that is sent to looks";
    }
    if (result.delay_p50) {
        const auto time = [](Duration delay) {
            return figure_text(Figure::Delay, static_cast<double>(delay.ns));
        };
        text += ", delay " + time(*result.delay_p50);
        if (result.delays >= kDelaysForP99) text += ", 99% below " + time(*result.delay_p99);
        text += ", at most " + time(*result.delay_max);
    }
    return text;
}

}  // namespace dyetrace::health
