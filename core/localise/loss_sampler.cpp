// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/loss_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dyetrace::localise {
namespace {

// Faulty rates are at most so much likelier than healthy ones, as a logarithm: within what a double holds.
constexpr double kMostRatio = 600;
// No likelihood is 0.
constexpr double kTiny = 1e-300;
// A product this small is taken the logarithm of, before it underflows.
constexpr double kSmall = 1e-30;
// What is less likely than a healthy link by more than e to this is no rate of it.
constexpr double kOutOfQuestion = -40;
// What happens once in a thousand sweeps teaches nothing of rates.
constexpr double kRare = 1e-3;

std::uint64_t losses(const LossyPath& path) {
    return static_cast<std::uint64_t>(std::llround(path.lost));
}

}  // namespace

bool LossSampler::takes(const Evidence& evidence, const InferenceConfig& config) {
    std::uint64_t sum = 0;
    for (const LossyPath& path : evidence.lossy) {
        if (path.epoch != kNoEpoch || path.set != kNoSet) return false;
        sum += losses(path);
        if (sum > config.sampler.max_losses) return false;
    }
    return sum > 0;
}

LossSampler::LossSampler(const Evidence& evidence, const InferenceConfig& config,
                         std::vector<PerRate> carried, const RatePrior& prior)
    : evidence_(evidence),
      config_(config),
      carried_(std::move(carried)),
      prior_(prior),
      random_(config.sampler.seed),
      prior_chance_(evidence.units.size()),
      given_(evidence.units.size()),
      next_rate_(evidence.units.size()),
      faulty_(evidence.units.size()),
      healthy_(evidence.units.size()),
      faulty_rates_(evidence.units.size()) {
    for (std::size_t r = 0; r < kRates; ++r)
        log_rates_[r] = std::log(prior_.rates()[r]);
    std::vector<std::uint32_t> most(evidence.units.size());
    std::size_t longest = 0;
    for (std::uint32_t p = 0; p < evidence.lossy.size(); ++p) {
        const LossyPath& path = evidence.lossy[p];
        const auto lost = static_cast<std::uint32_t>(losses(path));
        path_of_.insert(path_of_.end(), lost, p);
        for (std::uint32_t i = 0; i < path.unit_count; ++i)
            most[evidence.path_units[path.first_unit + i]] += lost;
        longest = std::max<std::size_t>(longest, path.unit_count);
    }
    given_to_.resize(path_of_.size());
    cumulated_.resize(longest + 1);
    std::uint32_t place = 0;
    for (const std::uint32_t losses : most) {
        first_place_.push_back(place);
        place += losses + 2;  // from none to all, and one that is asked for as the next
    }
    places_.resize(place);
    row_of_.assign(place, kNoRow);
    rows_.reserve(3 * evidence.units.size());
    take_prior();
}

/// Index of the row of a place of `unit`, which is made if need be.
std::uint32_t LossSampler::row_at(UnitIndex unit, std::uint32_t place) {
    if (row_of_[place] != kNoRow) return row_of_[place];
    row_of_[place] = static_cast<std::uint32_t>(rows_.size());
    Row& row = rows_.emplace_back();
    row.place = place;
    row.unit = unit;
    const double given = place - first_place_[unit];
    PerRate logs{};
    for (std::size_t r = 0; r < kRates; ++r)
        logs[r] = carried_[unit][r] + given * log_rates_[r];
    const double healthy_top = *std::max_element(logs.begin(), logs.begin() + kHealthyRates);
    const double faulty_top = *std::max_element(logs.begin() + kHealthyRates, logs.end());
    row.log_scale = std::max(healthy_top, faulty_top - kMostRatio);
    row.healthy = kTiny;
    for (std::size_t r = 0; r < kHealthyRates; ++r)
        row.healthy += std::exp(logs[r] - row.log_scale) / kHealthyRates;
    for (std::size_t r = 0; r < kFaultyRates; ++r) {
        const double log_ratio = logs[kHealthyRates + r] - row.log_scale;
        row.faulty[r] = log_ratio > kOutOfQuestion ? std::exp(log_ratio) : 0;
    }
    weigh(row);
    return row_of_[place];
}

/// A place's chances under the prior as it stands.
void LossSampler::weigh(Row& row) {
    double sum = 0;
    for (std::size_t r = 0; r < kFaultyRates; ++r)
        sum += mass_[r] * row.faulty[r];
    const double faulty = prior_chance_[row.unit] * sum;
    const double healthy = (1 - prior_chance_[row.unit]) * row.healthy;
    row.weight = faulty + healthy;
    Place& place = places_[row.place];
    place.faulty = faulty / row.weight;
    place.healthy = healthy / row.weight;
}

void LossSampler::set_next_rate(std::uint32_t place) {
    const Row& row = rows_[row_of_[place]];
    const Row& next = rows_[row_of_[place + 1]];
    places_[place].next_rate = next.weight / row.weight * std::exp(next.log_scale - row.log_scale);
}

void LossSampler::fill(UnitIndex unit, std::uint32_t place) {
    row_at(unit, place);
    row_at(unit, place + 1);
    set_next_rate(place);
}

/// A unit has been given one more or one less.
void LossSampler::moved(UnitIndex unit) {
    const std::uint32_t place = place_of(unit);
    if (places_[place].next_rate < 0) fill(unit, place);
    next_rate_[unit] = places_[place].next_rate;
}

/// Draws the unit that lost a packet, in proportion to `rates`; its place on the path.
std::uint32_t LossSampler::draw(const LossyPath& path, std::span<const double> rates) {
    const UnitIndex* const units = &evidence_.path_units[path.first_unit];
    double sum = 0;
    for (std::uint32_t i = 0; i < path.unit_count; ++i)
        cumulated_[i] = sum += rates[units[i]];
    const double drawn = random_.uniform() * (sum + path.others_rate);
    std::uint32_t i = 0;
    while (i < path.unit_count && cumulated_[i] < drawn)
        ++i;
    return i == path.unit_count && path.others_rate <= 0 ? i - 1 : i;  // by rounding
}

/// Gives every loss to a unit as sweeps believe.
void LossSampler::begin(std::span<const Belief> beliefs) {
    std::vector<double> rates;
    rates.reserve(beliefs.size());
    for (const Belief& belief : beliefs) {
        const double faulty = probability(belief.log_odds);
        rates.push_back(faulty * belief.loss_rate + (1 - faulty) * prior_.healthy_mean());
    }
    for (std::uint32_t loss = 0; loss < path_of_.size(); ++loss) {
        const LossyPath& path = evidence_.lossy[path_of_[loss]];
        given_to_[loss] = draw(path, rates);
        if (given_to_[loss] < path.unit_count)
            ++given_[evidence_.path_units[path.first_unit + given_to_[loss]]];
    }
    for (UnitIndex unit = 0; unit < given_.size(); ++unit)
        moved(unit);
}

void LossSampler::sweep() {
    for (std::uint32_t loss = 0; loss < path_of_.size(); ++loss) {
        const LossyPath& path = evidence_.lossy[path_of_[loss]];
        const UnitIndex* const units = &evidence_.path_units[path.first_unit];
        std::uint32_t& place = given_to_[loss];
        if (place < path.unit_count) {
            --given_[units[place]];
            moved(units[place]);
        }
        place = draw(path, next_rate_);
        if (place == path.unit_count) continue;
        ++given_[units[place]];
        moved(units[place]);
    }
}

void LossSampler::take_prior() {
    for (std::size_t r = 0; r < kFaultyRates; ++r)
        mass_[r] = std::exp(prior_.log_mass()[kHealthyRates + r]);
    prior_none_ = 0;
    for (UnitIndex unit = 0; unit < prior_chance_.size(); ++unit) {
        const double log_odds = prior_.log_odds() + evidence_.units[unit].prior_log_odds;
        prior_chance_[unit] = probability(log_odds);
        prior_none_ += std::log1p(-prior_chance_[unit]);
    }
    for (Row& row : rows_)
        weigh(row);
    for (const Row& row : rows_) {
        if (places_[row.place].next_rate >= 0) set_next_rate(row.place);
    }
    for (UnitIndex unit = 0; !rows_.empty() && unit < given_.size(); ++unit)
        next_rate_[unit] = places_[place_of(unit)].next_rate;
}

/// Takes down what is believed after this sweep.
void LossSampler::count() {
    double log_none = -prior_none_, none = 1;
    for (UnitIndex unit = 0; unit < given_.size(); ++unit) {
        const std::uint32_t index = place_of(unit);
        const Place& place = places_[index];
        faulty_[unit] += place.faulty;
        healthy_[unit] += place.healthy;
        none *= place.healthy;
        if (none < kSmall) log_none += std::log(std::max(std::exchange(none, 1), kTiny));
        if (place.faulty < kRare) continue;
        const Row& row = rows_[row_of_[index]];
        double sum = 0;
        for (std::size_t r = 0; r < kFaultyRates; ++r)
            sum += mass_[r] * row.faulty[r];
        const double scale = place.faulty / sum;
        for (std::size_t r = 0; r < kFaultyRates; ++r)
            faulty_rates_[unit][r] += scale * mass_[r] * row.faulty[r];
    }
    log_none += std::log(none);
    log_none_ = counted_ == 0 ? log_none : log_sum_exp(std::array{log_none_, log_none});
    ++counted_;
}

void LossSampler::learn() {
    std::array<double, kFaultyRates> faulty{};
    double units = 0;
    for (UnitIndex unit = 0; unit < given_.size(); ++unit) {
        if (evidence_.units[unit].prior_log_odds < 0) continue;  // another population
        units += 1;
        for (std::size_t r = 0; r < kFaultyRates; ++r)
            faulty[r] += faulty_rates_[unit][r] / static_cast<double>(counted_);
    }
    prior_.learn(faulty, units);
    take_prior();
}

void LossSampler::run(std::span<const Belief> beliefs) {
    const SamplerConfig& config = config_.sampler;
    const auto affordable = static_cast<int>(config.draws / std::max<std::size_t>(path_of_.size(), 1));
    const int sweeps = std::clamp(affordable, config.min_sweeps, config.max_sweeps);
    const int warm_up = static_cast<int>(config.warm_up * sweeps);
    begin(beliefs);
    for (int done = 1; done <= sweeps; ++done) {
        sweep();
        if (done % config.count_every == 0) count();
        if (done % config.learn_every != 0 || done == sweeps) continue;
        learn();
        if (done > warm_up) continue;
        counted_ = 0;
        std::fill(faulty_.begin(), faulty_.end(), 0);
        std::fill(healthy_.begin(), healthy_.end(), 0);
        std::fill(faulty_rates_.begin(), faulty_rates_.end(), std::array<double, kFaultyRates>{});
    }
}

void LossSampler::update(std::vector<Belief>& beliefs) const {
    for (UnitIndex unit = 0; unit < beliefs.size(); ++unit) {
        // Beyond what sums hold, sweeps know better.
        if (faulty_[unit] < kTiny || healthy_[unit] < std::exp(-kMostRatio)) continue;
        Belief& belief = beliefs[unit];
        belief.log_odds = std::log(faulty_[unit] / healthy_[unit]);
        belief.log_bayes_factor = belief.log_odds - prior_.log_odds() - evidence_.units[unit].prior_log_odds;
        std::array<double, kFaultyRates> logs{};
        double sum = 0;
        for (std::size_t r = 0; r < kFaultyRates; ++r) {
            logs[r] = std::log(std::max(faulty_rates_[unit][r], kTiny));
            sum += faulty_rates_[unit][r];
        }
        if (sum > 0)
            belief.loss_rate = most_likely_rate(logs, std::span(prior_.rates()).subspan(kHealthyRates));
    }
}

double LossSampler::log_evidence_of_faults() const {
    return counted_ == 0 ? 0 : std::log(static_cast<double>(counted_)) - log_none_;
}

}  // namespace dyetrace::localise
