// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/told_evidence.h"

#include <algorithm>
#include <utility>

namespace dyetrace::localise {

ToldEvidence::Reading ToldEvidence::counted(LinkId link, Time at, std::uint64_t sent, std::uint64_t lost) {
    if (lost > sent) return Reading::Impossible;
    const auto [it, is_new] = counted_.try_emplace(link, Counted{at, sent, lost, {}});
    if (is_new) return Reading::Begun;
    Counted& before = it->second;
    if (at <= before.at) return Reading::Late;
    if (sent < before.sent || lost < before.lost) {
        before.at = at;
        before.sent = sent;
        before.lost = lost;
        return Reading::RanBack;
    }
    const std::uint64_t sent_since = sent - before.sent, lost_since = lost - before.lost;
    if (lost_since > sent_since) return Reading::Impossible;
    if (before.windows.size() >= config_.windows_most_of_a_link) before.windows.pop_front();
    before.windows.push_back({before.at, {static_cast<double>(sent_since), static_cast<double>(lost_since)}});
    before.at = at;
    before.sent = sent;
    before.lost = lost;
    return lost_since > 0 ? Reading::LossyWindow : Reading::Window;
}

bool ToldEvidence::concluded(std::string_view service, Time since, std::vector<Conclusion> conclusions) {
    if (conclusions.size() > config_.conclusions_most) return false;
    const auto it = services_.find(service);
    if (it == services_.end()) {
        if (services_.size() >= config_.services_most) return false;
        services_.emplace(std::string(service), Told{since, std::move(conclusions)});
        return true;
    }
    if (since < it->second.since) return false;
    it->second = {since, std::move(conclusions)};
    return true;
}

void ToldEvidence::forget_before(Time since) {
    for (auto& [link, counted] : counted_) {
        while (!counted.windows.empty() && counted.windows.front().start < since)
            counted.windows.pop_front();
    }
    std::erase_if(services_, [&](const auto& service) { return service.second.since < since; });
}

bool ToldEvidence::is_acquitted(std::optional<LinkId> link, NodeId device, Time since) const {
    bool is_well = false, is_accused = false;
    for_each_word(since, [&](const Conclusion& conclusion) {
        if (conclusion.link != link || (!link && conclusion.device != device)) return;
        (conclusion.log_bayes_factor > 0 ? is_accused : is_well) = true;
    });
    return is_well && !is_accused;
}

std::map<LinkId, ToldEvidence::OfLink> ToldEvidence::links(const LocaliserConfig& config, Time since) const {
    std::map<LinkId, OfLink> links;
    for (const auto& [link, counted] : counted_) {
        CounterReading sum;
        for (auto window = counted.windows.rbegin(); window != counted.windows.rend(); ++window) {
            if (window->start < since) break;
            sum.sent += window->counter.sent;
            sum.lost += window->counter.lost;
        }
        if (sum.sent > 0) links[link].counter = sum;
    }
    for_each_word(since, [&](const Conclusion& conclusion) {
        if (conclusion.link) links[*conclusion.link].add(weighed(conclusion, config), conclusion.loss_rate);
    });
    return links;
}

std::map<NodeId, double> ToldEvidence::devices(const LocaliserConfig& config, Time since) const {
    std::map<NodeId, double> devices;
    for_each_word(since, [&](const Conclusion& conclusion) {
        if (!conclusion.link) devices[conclusion.device] += weighed(conclusion, config);
    });
    return devices;
}

}  // namespace dyetrace::localise
