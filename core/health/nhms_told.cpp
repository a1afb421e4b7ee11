// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service is told by operators and by other services, and what it tells those.
#include <algorithm>
#include <set>
#include <utility>

#include "core/health/crossings.h"
#include "core/health/nhms_engine.h"
#include "core/localise/conclusion.h"

namespace dyetrace::health {

using localise::LinkId;
using localise::ToldEvidence;

std::optional<LinkId> Nhms::Engine::link_between(std::string_view from, std::string_view to) const {
    const auto one = graph.find(from), other = graph.find(to);
    return one && other ? graph.link(*one, *other) : std::nullopt;
}

void Nhms::Engine::take_counters(std::span<const LinkReading> readings, Time now) {
    bool any_lost = false;
    for (const LinkReading& reading : readings) {
        const auto link = link_between(reading.from, reading.to);
        if (!link) {
            ++counters.readings_unknown_link;
            continue;
        }
        switch (evidence_.told().counted(*link, now, reading.sent, reading.lost)) {
            case ToldEvidence::Reading::LossyWindow: any_lost = true; [[fallthrough]];
            case ToldEvidence::Reading::Window:
            case ToldEvidence::Reading::Begun: ++counters.readings; break;
            case ToldEvidence::Reading::RanBack: ++counters.readings_ran_back; break;
            case ToldEvidence::Reading::Late: ++counters.readings_late; break;
            case ToldEvidence::Reading::Impossible: ++counters.readings_impossible; break;
        }
    }
    if (any_lost) look_soon(now);
}

void Nhms::Engine::take_conclusions(std::string_view service, const Concluded& concluded, Time now) {
    std::vector<localise::Conclusion> known;
    bool any_accused = false;
    for (const NamedConclusion& named : concluded.conclusions) {
        localise::Conclusion& conclusion = known.emplace_back();
        conclusion.log_bayes_factor = named.log_bayes_factor;
        conclusion.loss_rate = named.loss_rate;
        const bool is_link = named.device.empty();
        const auto device = is_link ? std::nullopt : graph.find(std::string_view(named.device));
        if (is_link) conclusion.link = link_between(named.from, named.to);
        if (device) conclusion.device = *device;
        if (!conclusion.link && !device) {
            ++counters.conclusions_unknown;
            known.pop_back();
        } else if (!is_possible(conclusion)) {
            ++counters.conclusions_refused;
            known.pop_back();
        } else {
            any_accused = any_accused || named.log_bayes_factor > 0;
        }
    }
    const std::size_t count = known.size();
    // Whose clock is ahead does not have the last word for ever.
    if (!evidence_.told().concluded(service, std::min(concluded.since, now), std::move(known))) {
        counters.conclusions_refused += std::max<std::size_t>(count, 1);
        return;
    }
    counters.conclusions += count;
    if (any_accused) look_soon(now);
}

/// There is news of a loss that no window of an EPPC's tells of.
void Nhms::Engine::look_soon(Time now) {
    was_told_ = true;
    evaluate_at_ = std::min(evaluate_at_, now + config.evaluate_interval);
}

void Nhms::Engine::conclude(Time now) {
    Concluded concluded{now, now + config.conclude_interval * -1, {}};
    const auto verdict = evidence_.infer(config.localiser, concluded.since);
    auto conclusions = localise::conclusions_of(verdict, graph, config.localiser);
    acquit(concluded.since, conclusions, now);
    for (const localise::Conclusion& conclusion : conclusions) {
        NamedConclusion& named = concluded.conclusions.emplace_back();
        named.log_bayes_factor = conclusion.log_bayes_factor;
        named.loss_rate = conclusion.loss_rate;
        if (conclusion.link) {
            named.from = graph.name(graph.from(*conclusion.link));
            named.to = graph.name(graph.to(*conclusion.link));
        } else {
            named.device = graph.name(conclusion.device);
        }
    }
    const bool goes_on = now - updated_at_ < config.conclude_interval;
    conclude_at_ = goes_on ? now + config.conclude_interval : Time::never();
    if (!concluded.conclusions.empty()) emit(std::move(concluded));
}

/// Adds those that were accused before and are not spoken of now, where enough crossed them to say that they
/// are well. Keeps in mind whom it accuses.
void Nhms::Engine::acquit(Time since, std::vector<localise::Conclusion>& conclusions, Time now) {
    constexpr double kAccusing = 5;  ///< that somebody may have acted upon
    constexpr std::int64_t kMemories = 6;
    std::erase_if(accused_,
                  [&](const auto& accused) { return now - accused.second > config.memory * kMemories; });
    std::set<Subject> spoken_of;
    for (const localise::Conclusion& conclusion : conclusions) {
        const auto subject = conclusion.link
                                 ? Subject::link(graph.from(*conclusion.link), graph.to(*conclusion.link))
                                 : Subject::of_device(conclusion.device);
        spoken_of.insert(subject);
        if (conclusion.log_bayes_factor >= kAccusing) {
            accused_[subject] = now;
        } else if (conclusion.log_bayes_factor < 0) {
            accused_.erase(subject);
        }
    }
    const Crossings crossings(graph, evidence_);
    std::erase_if(accused_, [&](const auto& accused) {
        const Subject& subject = accused.first;
        if (spoken_of.contains(subject)) return false;
        localise::Conclusion well;
        if (subject.is_link()) well.link = graph.link(subject.from, subject.to);
        well.device = subject.device;
        const std::uint64_t crossed = crossings.sum(subject, since).sent;
        if (crossed < config.fresh_packets_least) return false;
        // None lost that is its own: what the weakest fault would have lost of these.
        well.log_bayes_factor = -static_cast<double>(crossed) * config.localiser.faulty_rate_min;
        conclusions.push_back(well);
        return true;
    });
}

}  // namespace dyetrace::health
