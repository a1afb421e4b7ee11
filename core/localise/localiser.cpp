// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/localiser.h"

#include <algorithm>
#include <cmath>

#include "core/base/result.h"
#include "core/localise/inference.h"
#include "core/localise/observation_table.h"

namespace dyetrace::localise {

struct Localiser::State {
    const FabricGraph* graph;
    LocaliserConfig config;
    LocaliserCounters counters;
    ObservationTable table = {};
};

Localiser::Localiser(const FabricGraph& graph, LocaliserConfig config)
    : state_(new State{&graph, config, {}}) {}
Localiser::~Localiser() = default;
Localiser::Localiser(Localiser&&) noexcept = default;
Localiser& Localiser::operator=(Localiser&&) noexcept = default;

void Localiser::add(const Observation& observation) {
    LocaliserCounters& counters = state_->counters;
    if (observation.sent == 0 || observation.path.empty()) {
        ++counters.empty;
    } else if (observation.lost > observation.sent) {
        ++counters.impossible_counts;
    } else if (state_->table.size() >= state_->config.max_observations) {
        ++counters.observations_over_limit;
    } else {
        for (const LinkId link : observation.path)
            DYETRACE_ASSERT(link.value < state_->graph->link_count());
        state_->table.add(observation);
    }
}

std::size_t Localiser::observations() const {
    return state_->table.size();
}

const LocaliserCounters& Localiser::counters() const {
    return state_->counters;
}

namespace {

InferenceConfig inference_config(const LocaliserConfig& config) {
    InferenceConfig inference;
    inference.healthy_rate_max = config.healthy_rate_max;
    inference.faulty_rate_min = config.faulty_rate_min;
    inference.faulty_share = config.faulty_share;
    inference.faulty_share_strength = config.faulty_share_strength;
    inference.burst = config.burst;
    return inference;
}

/// A unit is as likely faulty as its likeliest kind of link; more links in it make it likelier.
double unit_prior(const FabricGraph& graph, const std::vector<LinkId>& links, const LocaliserConfig& config) {
    double odds = 0;
    for (const LinkId link : links) {
        const bool at_host =
            graph.kind(graph.from(link)) == NodeKind::Host || graph.kind(graph.to(link)) == NodeKind::Host;
        odds += std::exp(at_host ? config.host_link_log_odds : 0);
    }
    return std::log(odds);
}

}  // namespace

Verdict Localiser::infer() const {
    const LocaliserConfig& config = state_->config;
    const FabricGraph& graph = *state_->graph;
    LaidOut laid_out = state_->table.lay_out(config);
    for (std::size_t u = 0; u < laid_out.unit_links.size(); ++u) {
        UnitEvidence& unit = laid_out.evidence.units[u];
        unit.prior_log_odds = unit_prior(graph, laid_out.unit_links[u], config);
        if (!unit.epochs.empty()) unit.prior_log_odds += config.windowed_log_odds;
    }
    const Beliefs beliefs = infer_units(laid_out.evidence, inference_config(config));
    const Decision decision = decide(beliefs, config.decision);

    Verdict verdict;
    int groups = 0;
    for (std::size_t rank = 0; rank < decision.ranked.size(); ++rank) {
        const UnitIndex unit = decision.ranked[rank];
        const auto& links = laid_out.unit_links[unit];
        auto& list = rank < decision.named ? verdict.suspects : verdict.candidates;
        if (rank >= decision.named && list.size() + links.size() > config.max_candidates) break;
        const int group = links.size() > 1 ? groups++ : -1;
        for (const LinkId link : links) {
            Suspect suspect;
            suspect.from = graph.from(link);
            suspect.to = graph.to(link);
            suspect.log_odds = beliefs.units[unit].log_odds;
            suspect.loss_rate = beliefs.units[unit].loss_rate;
            suspect.group = group;
            list.push_back(suspect);
        }
    }
    return verdict;
}

}  // namespace dyetrace::localise
