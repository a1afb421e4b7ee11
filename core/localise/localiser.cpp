// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/localiser.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/base/result.h"
#include "core/localise/conclusion.h"
#include "core/localise/inference.h"
#include "core/localise/observation_table.h"

namespace dyetrace::localise {

struct Localiser::State {
    const FabricGraph* graph;
    LocaliserConfig config;
    LocaliserCounters counters;
    ObservationTable table = {};
    const PathSets* sets = nullptr;
};

Localiser::Localiser(const FabricGraph& graph, LocaliserConfig config)
    : state_(new State{&graph, config, {}}) {}
Localiser::~Localiser() = default;
Localiser::Localiser(Localiser&&) noexcept = default;
Localiser& Localiser::operator=(Localiser&&) noexcept = default;

void Localiser::use_sets(const PathSets& sets) {
    state_->sets = &sets;
}

void Localiser::add(const Observation& observation) {
    LocaliserCounters& counters = state_->counters;
    if (observation.sent == 0 || (observation.path.empty() && !observation.set)) {
        ++counters.empty;
    } else if (observation.lost > observation.sent) {
        ++counters.impossible_counts;
    } else if (observation.set &&
               (state_->sets == nullptr || observation.set->value >= state_->sets->size())) {
        ++counters.unknown_sets;
    } else if (state_->table.size() >= state_->config.max_observations) {
        ++counters.observations_over_limit;
    } else {
        const FabricGraph& graph = *state_->graph;
        ObservationTable::Ends ends;
        for (const LinkId link : observation.path) {
            DYETRACE_ASSERT(link.value < graph.link_count());
            const NodeId from = graph.from(link), to = graph.to(link);
            if (graph.kind(from) == NodeKind::Host) ends.source = from.value;
            if (graph.kind(to) == NodeKind::Host) ends.target = to.value;
        }
        state_->table.add(observation, ends);
    }
}

void Localiser::add_counter(LinkId link, std::uint64_t sent, std::uint64_t lost) {
    DYETRACE_ASSERT(link.value < state_->graph->link_count());
    if (sent == 0) {
        ++state_->counters.empty;
    } else if (lost > sent) {
        ++state_->counters.impossible_counts;
    } else {
        state_->table.add_counter(link, sent, lost);
    }
}

void Localiser::add_conclusion(const Conclusion& conclusion) {
    if (!is_possible(conclusion)) {
        ++state_->counters.impossible_conclusions;
        return;
    }
    const double counts = weighed(conclusion, state_->config);
    if (conclusion.link) {
        DYETRACE_ASSERT(conclusion.link->value < state_->graph->link_count());
        state_->table.conclude(*conclusion.link, counts, conclusion.loss_rate);
    } else {
        DYETRACE_ASSERT(conclusion.device.value < state_->graph->node_count());
        state_->table.conclude(conclusion.device, counts);
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
    inference.device_log_odds = config.device_log_odds;
    inference.rival_log_odds = config.rival_log_odds;
    inference.counter_trust = config.counter_trust;
    inference.counter_silence_trust = config.counter_silence_trust;
    inference.liar_log_odds = config.liar_log_odds;
    inference.max_liars = config.max_liars;
    return inference;
}

// Added to the prior log odds of what carried too little to be judged.
constexpr double kNotJudged = -1000;

bool is_host(const FabricGraph& graph, NodeId node) {
    return graph.kind(node) == NodeKind::Host;
}

/// What each unit carried in all likelihood, of packets whose path is not known. Where they have an epoch,
/// too few fall into one for their mixture to matter: they become loads of their units.
std::vector<double> spread_over_sets(Evidence& evidence) {
    std::vector<double> any_time(evidence.units.size());
    std::map<std::pair<UnitIndex, std::int32_t>, double> timed;
    const auto spread = [&](SetIndex index, std::int32_t epoch, double sent, bool counts) {
        const PathSet& set = evidence.sets[index];
        for (std::uint32_t c = 0; c < set.choice_count; ++c) {
            const PathChoice& choice = evidence.choices[set.first_choice + c];
            for (std::uint32_t i = 0; i < choice.unit_count; ++i) {
                const UnitIndex unit = evidence.choice_units[choice.first_unit + i];
                if (epoch == kNoEpoch) {
                    any_time[unit] += sent * choice.weight;
                } else {
                    timed[{unit, epoch}] += counts ? sent * choice.weight : 0;
                }
            }
        }
    };
    for (const LosslessOverSet& flows : evidence.lossless)
        spread(flows.set, flows.epoch, flows.flows * flows.sent, true);
    for (const LossyPath& path : evidence.lossy) {
        // Its own likelihood says what it sent; but its units need an epoch in which it lost.
        if (path.set != kNoSet) spread(path.set, path.epoch, path.sent, false);
    }
    for (const auto& [key, sent] : timed) {
        auto& epochs = evidence.units[key.first].epochs;
        const auto place =
            std::lower_bound(epochs.begin(), epochs.end(), key.second,
                             [](const EpochLoad& load, std::int32_t epoch) { return load.epoch < epoch; });
        if (place != epochs.end() && place->epoch == key.second) {
            place->sent += sent;
        } else {
            epochs.insert(place, {key.second, sent, 1});
        }
    }
    return any_time;
}

/// Added for a link, by where it is.
double place_log_odds(const FabricGraph& graph, const LocaliserConfig& config, NodeId from, NodeId to) {
    return is_host(graph, from) || is_host(graph, to) ? config.host_link_log_odds : 0;
}

/// A unit of several links is as likely faulty as any of them.
void set_priors(const FabricGraph& graph, const LocaliserConfig& config, LaidOut& laid_out) {
    const std::vector<double> over_sets = spread_over_sets(laid_out.evidence);
    for (std::size_t u = 0; u < laid_out.unit_links.size(); ++u) {
        double odds = 0;
        for (const LinkId link : laid_out.unit_links[u])
            odds += std::exp(place_log_odds(graph, config, graph.from(link), graph.to(link)));
        UnitEvidence& unit = laid_out.evidence.units[u];
        unit.prior_log_odds = std::log(odds);
        if (!unit.epochs.empty() || unit.windowed_conclusion) unit.prior_log_odds += config.windowed_log_odds;
        double sent = unit.sent_any_time + over_sets[u];
        for (const EpochLoad& load : unit.epochs)
            sent += load.sent;
        for (const CounterReading& counter : unit.counters)
            sent += counter.sent;
        // Whoever concluded something of it has counted packets there.
        const bool is_judged = sent >= static_cast<double>(config.sent_min) || unit.conclusion != 0;
        if (!is_judged) unit.prior_log_odds += kNotJudged;
    }
}

void sort_and_unique(std::vector<UnitIndex>& units) {
    std::sort(units.begin(), units.end());
    units.erase(std::unique(units.begin(), units.end()), units.end());
}

/// A switch handles what enters it; a host what it sends and what it receives.
void add_devices(const FabricGraph& graph, LaidOut& laid_out) {
    std::vector<std::optional<UnitIndex>> unit_of(graph.link_count());
    for (UnitIndex u = 0; u < laid_out.unit_links.size(); ++u) {
        for (const LinkId link : laid_out.unit_links[u])
            unit_of[link.value] = u;
    }
    for (std::uint32_t n = 0; n < graph.node_count(); ++n) {
        const NodeId node{n};
        DeviceEvidence device;
        device.device = n;
        for (const LinkId link : graph.links_of(node)) {
            if (!unit_of[link.value]) continue;
            device.units.push_back(*unit_of[link.value]);
            if (is_host(graph, node) || graph.to(link) == node)
                device.entered_by.push_back(*unit_of[link.value]);
        }
        sort_and_unique(device.units);
        sort_and_unique(device.entered_by);
        if (n < laid_out.device_conclusions.size()) device.conclusion = laid_out.device_conclusions[n];
        if (device.units.size() > 1) laid_out.evidence.devices.push_back(std::move(device));
    }
}

/// Writes units and devices down as suspects and candidates.
class VerdictWriter {
  public:
    VerdictWriter(const FabricGraph& graph, const LaidOut& laid_out, const Beliefs& beliefs)
        : graph_(graph), laid_out_(laid_out), beliefs_(beliefs) {}

    Verdict write(const Decision& decision, std::size_t max_candidates) {
        for (std::size_t rank = 0; rank < decision.ranked.size(); ++rank) {
            const bool named = rank < decision.named;
            if (!named && verdict_.candidates.size() >= max_candidates) break;
            add_unit(decision.ranked[rank], named ? verdict_.suspects : verdict_.candidates);
        }
        for (const DeviceBelief& device : beliefs_.devices) {
            const bool named = decision.named > 0 && device.log_odds > 0;
            add_device(device, named ? verdict_.suspects : verdict_.candidates);
        }
        for (const LiarBelief& liar : beliefs_.liars)
            add_device({liar.host, liar.log_odds, liar.loss_rate}, verdict_.suspects);
        for (auto* list : {&verdict_.suspects, &verdict_.candidates}) {
            std::stable_sort(list->begin(), list->end(),
                             [](const Suspect& a, const Suspect& b) { return a.log_odds > b.log_odds; });
        }
        if (verdict_.candidates.size() > max_candidates) verdict_.candidates.resize(max_candidates);
        return std::move(verdict_);
    }

  private:
    void add_unit(UnitIndex unit, std::vector<Suspect>& list) {
        if (!written_.insert(unit).second) return;
        const Belief& belief = beliefs_.units[unit];
        std::vector<Rival> rivals;
        for (const Rival& rival : beliefs_.rivals) {
            if (rival.unit == unit && written_.insert(rival.rival).second) rivals.push_back(rival);
        }
        const bool alone = laid_out_.unit_links[unit].size() == 1 && rivals.empty();
        const int group = alone ? -1 : groups_++;
        add_links(unit, belief.log_odds, belief.loss_rate, group, list);
        for (const Rival& rival : rivals) {
            add_links(rival.rival, belief.log_odds - std::max(rival.behind, 0.0), rival.loss_rate, group,
                      list);
        }
    }

    void add_links(UnitIndex unit, double log_odds, double loss_rate, int group, std::vector<Suspect>& list) {
        for (const LinkId link : laid_out_.unit_links[unit]) {
            Suspect suspect;
            suspect.from = graph_.from(link);
            suspect.to = graph_.to(link);
            suspect.log_odds = log_odds;
            suspect.loss_rate = loss_rate;
            suspect.group = group;
            list.push_back(suspect);
        }
    }

    static void add_device(const DeviceBelief& belief, std::vector<Suspect>& list) {
        Suspect suspect;
        suspect.kind = Suspect::Kind::Device;
        suspect.device = NodeId{belief.device};
        suspect.log_odds = belief.log_odds;
        suspect.loss_rate = belief.loss_rate;
        list.push_back(suspect);
    }

    const FabricGraph& graph_;
    const LaidOut& laid_out_;
    const Beliefs& beliefs_;
    Verdict verdict_;
    std::set<UnitIndex> written_;
    int groups_ = 0;
};

}  // namespace

double log_odds_before(const FabricGraph& graph, const LocaliserConfig& config, NodeId from, NodeId to) {
    return log_odds(config.faulty_share) + config.windowed_log_odds + place_log_odds(graph, config, from, to);
}

Verdict verdict_of(const FabricGraph& graph, const LocaliserConfig& config, LaidOut laid_out) {
    set_priors(graph, config, laid_out);
    add_devices(graph, laid_out);
    const Beliefs beliefs = infer_units(laid_out.evidence, inference_config(config));
    const Decision decision = decide(beliefs, config.decision);
    return VerdictWriter(graph, laid_out, beliefs).write(decision, config.max_candidates);
}

Verdict Localiser::infer() const {
    return verdict_of(*state_->graph, state_->config, state_->table.lay_out(state_->config, state_->sets));
}

}  // namespace dyetrace::localise
