// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/service_score.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dyetrace::health {
namespace {

bool is_share(double value) {
    return std::isfinite(value) && value >= 0 && value <= 1;
}

/// 1 at nothing, 1/2 at `half`, towards 0.
double factor(const std::optional<double>& figure, double half) {
    return figure ? half / (half + std::max(*figure, 0.0)) : 1.0;
}

std::optional<std::string> wrong_field(const ServiceScoreConfig& config) {
    const auto is_half = [](double value) { return std::isfinite(value) && value > 0; };
    if (!is_half(config.loss_half)) return "loss_half: not above zero";
    if (!is_half(config.ce_half)) return "ce_half: not above zero";
    if (config.queueing_half.ns <= 0) return "queueing_half: not above zero";
    if (config.jitter_half.ns <= 0) return "jitter_half: not above zero";
    if (!is_share(config.unknown)) return "unknown: not from 0 to 1";
    if (!is_share(config.step)) return "step: not from 0 to 1";
    if (config.fall.ns < 0) return "fall: below zero";
    if (config.rise.ns < 0) return "rise: below zero";
    if (config.own_silence.ns <= 0) return "own_silence: not above zero";
    return std::nullopt;
}

}  // namespace

std::optional<double> network_quality(const ReachedPair& pair, const ServiceScoreConfig& config) {
    if (pair.health == Health::Failed) return 0.0;
    const Figures& figures = pair.figures;
    // A pair is measured by its packets; the other figures only lower what its loss leaves.
    if (!figures[Figure::Loss]) return std::nullopt;
    return factor(figures[Figure::Loss], config.loss_half) *
           factor(figures[Figure::Queueing], static_cast<double>(config.queueing_half.ns)) *
           factor(figures[Figure::Jitter], static_cast<double>(config.jitter_half.ns)) *
           factor(figures[Figure::Ce], config.ce_half);
}

Result<ServiceScores, std::string> ServiceScores::create(const ServiceScoreConfig& config) {
    if (auto wrong = wrong_field(config)) return Failure{std::move(*wrong)};
    return ServiceScores(config);
}

Result<Done, std::string> ServiceScores::add_instance(std::string_view service, std::string_view instance,
                                                      Time now) {
    const auto is_name = [this](std::string_view name) {
        return !name.empty() && name.size() <= config_.name_bytes;
    };
    if (!is_name(service)) return Failure{std::string("service: empty, or too long")};
    if (!is_name(instance)) return Failure{std::string("instance: empty, or too long")};
    if (find(service, instance) != nullptr) return Failure{std::string("instance: it is there already")};
    if (instances_.size() >= config_.instances) return Failure{std::string("instances: the table is full")};
    Instance& made = instances_[{std::string(service), std::string(instance)}];
    made.smooth = made.score = config_.unknown * config_.unknown;
    made.at = made.since = now;
    return Done{};
}

void ServiceScores::remove_instance(std::string_view service, std::string_view instance) {
    instances_.erase({std::string(service), std::string(instance)});
}

ServiceScores::Instance* ServiceScores::find(std::string_view service, std::string_view instance) {
    const auto it = instances_.find({std::string(service), std::string(instance)});
    return it == instances_.end() ? nullptr : &it->second;
}

bool ServiceScores::own_known(const Instance& instance, Time now) const {
    return instance.own && now - config_.own_silence < instance.own_at;
}

double ServiceScores::raw(const Instance& instance, Time now) const {
    return (own_known(instance, now) ? *instance.own : config_.unknown) *
           instance.network.value_or(config_.unknown);
}

void ServiceScores::publish(Instance& instance, Time now) const {
    const double smooth = instance.smooth;
    const double near = config_.step / 10;
    const bool at_end =
        (smooth <= near && instance.score > near) || (smooth >= 1 - near && instance.score < 1 - near);
    if (std::abs(smooth - instance.score) < config_.step && !at_end) return;
    if (smooth == instance.score) return;
    instance.score = smooth;
    instance.since = now;
}

void ServiceScores::move_on(Instance& instance, Time now) const {
    const auto approach = [&](double target, Duration dt) {
        if (dt.ns <= 0) return;
        const Duration constant = target < instance.smooth ? config_.fall : config_.rise;
        const double share =
            constant.ns == 0 ? 1.0 : 1.0 - std::exp(-dt.in_seconds() / constant.in_seconds());
        instance.smooth = std::clamp(instance.smooth + share * (target - instance.smooth), 0.0, 1.0);
    };
    // What it said of itself may have become too old on the way: in two steps, so that asking more often
    // leads to the same.
    if (instance.own) {
        const Time expires = instance.own_at + config_.own_silence;
        if (instance.at < expires && expires < now) {
            approach(raw(instance, instance.at), expires - instance.at);
            instance.at = expires;
        }
    }
    approach(raw(instance, instance.at), now - instance.at);
    instance.at = std::max(instance.at, now);
    publish(instance, now);
}

bool ServiceScores::set_own(std::string_view service, std::string_view name, double health, Time now) {
    Instance* const instance = find(service, name);
    if (instance == nullptr || !is_share(health)) {
        ++refused_;
        return false;
    }
    move_on(*instance, now);
    instance->own = health;
    instance->own_at = now;
    return true;
}

bool ServiceScores::set_network(std::string_view service, std::string_view name,
                                const std::vector<ReachedPair>& pairs, Time now) {
    Instance* const instance = find(service, name);
    if (instance == nullptr) {
        ++refused_;
        return false;
    }
    move_on(*instance, now);
    double sum = 0;
    instance->directions = 0;
    for (const ReachedPair& pair : pairs) {
        const auto quality = network_quality(pair, config_);
        if (!quality) continue;
        sum += *quality;
        ++instance->directions;
    }
    instance->network = instance->directions == 0
                            ? std::nullopt
                            : std::optional(sum / static_cast<double>(instance->directions));
    return true;
}

std::vector<InstanceScore> ServiceScores::scores(std::string_view service, Time now) {
    std::vector<InstanceScore> out;
    for (auto it = instances_.lower_bound({std::string(service), std::string()});
         it != instances_.end() && it->first.first == service; ++it) {
        Instance& instance = it->second;
        move_on(instance, now);
        InstanceScore score;
        score.service = it->first.first;
        score.instance = it->first.second;
        score.score = instance.score;
        score.own_measured = own_known(instance, now);
        score.own = score.own_measured ? *instance.own : config_.unknown;
        score.network_measured = instance.network.has_value();
        score.network = instance.network.value_or(config_.unknown);
        score.directions = instance.directions;
        score.since = instance.since;
        out.push_back(std::move(score));
    }
    return out;
}

std::vector<ReachedPair> pairs_of(const ClientView& view, TenantId tenant, std::string_view guest,
                                  std::size_t most, Time now) {
    std::vector<ReachedPair> out;
    for (const std::string& other : view.guests(tenant)) {
        for (const bool outward : {true, false}) {
            if (out.size() >= most) return out;
            const auto pair =
                outward ? view.pair(tenant, guest, other, now) : view.pair(tenant, other, guest, now);
            if (!pair || (pair->packets_at_least == 0 && pair->health == Health::NotMeasured)) continue;
            out.push_back({pair->health, pair->figures});
        }
    }
    return out;
}

}  // namespace dyetrace::health
