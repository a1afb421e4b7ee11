// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/path_mixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace dyetrace::localise {
namespace {

// Flows of about as many packets are taken together, as so many flows of the size of their bin; that keeps
// their packets, and so what a small rate does to them, exact.
constexpr double kBinRatio = 1.3;
constexpr std::size_t kBins = 56;  // up to 1.9 million packets

// Chances f at which the likelihood is tabulated; in between it is interpolated.
constexpr std::size_t kChances = 33;

// Choices whose rates differ by less than this (natural logarithm) are taken together.
constexpr double kAlike = 0.05;

// No rate is ruled out altogether.
constexpr double kTiny = 1e-300;

double bin_size(std::size_t bin) {
    return std::pow(kBinRatio, static_cast<double>(bin));
}

std::uint32_t bin_of(double sent) {
    const double place = std::log(std::max(sent, 1.0)) / std::log(kBinRatio);
    return static_cast<std::uint32_t>(std::clamp(std::round(place), 0.0, kBins - 1.0));
}

bool is_member(UnitIndex unit, std::span<const UnitIndex> members) {
    return members.size() == 1 ? unit == members[0]
                               : std::binary_search(members.begin(), members.end(), unit);
}

}  // namespace

PathMixture::PathMixture(const Evidence& evidence, const RatePrior& prior)
    : evidence_(evidence), rates_(prior.rates()) {
    first_rate_.reserve(evidence.lossy.size());
    std::size_t rates = 0;
    for (const LossyPath& path : evidence.lossy) {
        first_rate_.push_back(static_cast<std::uint32_t>(rates));
        if (path.set != kNoSet) rates += evidence.sets[path.set].choice_count;
    }
    choice_rates_.resize(rates);
    set_units_.resize(evidence.sets.size());
    for (SetIndex set = 0; set < evidence.sets.size(); ++set) {
        auto& units = set_units_[set];
        for (const PathChoice& choice : choices_of(set))
            units.insert(units.end(), units_of(choice).begin(), units_of(choice).end());
        std::sort(units.begin(), units.end());
        units.erase(std::unique(units.begin(), units.end()), units.end());
    }
    group_lossless();
    if (any_lossless()) tabulate();
}

std::span<double> PathMixture::choice_rates(std::uint32_t p) {
    return std::span(choice_rates_)
        .subspan(first_rate_[p], evidence_.sets[evidence_.lossy[p].set].choice_count);
}
std::span<const double> PathMixture::choice_rates(std::uint32_t p) const {
    return std::span(choice_rates_)
        .subspan(first_rate_[p], evidence_.sets[evidence_.lossy[p].set].choice_count);
}
std::span<const UnitIndex> PathMixture::units_of(const PathChoice& choice) const {
    return std::span(evidence_.choice_units).subspan(choice.first_unit, choice.unit_count);
}
std::span<const PathChoice> PathMixture::choices_of(SetIndex set) const {
    return std::span(evidence_.choices)
        .subspan(evidence_.sets[set].first_choice, evidence_.sets[set].choice_count);
}
std::span<const UnitIndex> PathMixture::units_of(SetIndex set) const {
    return set_units_[set];
}

// ---- flows without loss -------------------------------------------------------------------------------

void PathMixture::group_lossless() {
    std::map<std::pair<SetIndex, std::uint32_t>, double> groups;
    for (const LosslessOverSet& flows : evidence_.lossless) {
        if (flows.epoch != kNoEpoch) continue;
        const std::uint32_t bin = bin_of(flows.sent);
        groups[{flows.set, bin}] += flows.flows * flows.sent / bin_size(bin);
    }
    groups_.reserve(groups.size());
    for (const auto& [key, weight] : groups)
        groups_.push_back({key.first, key.second, weight});
    set_places_.resize(groups_.empty() ? 0 : evidence_.sets.size());
    for (SetIndex set = 0; set < set_places_.size(); ++set) {
        for (const PathChoice& choice : choices_of(set)) {
            for (const UnitIndex unit : units_of(choice)) {
                const auto place = std::lower_bound(set_units_[set].begin(), set_units_[set].end(), unit);
                set_places_[set].push_back(static_cast<std::uint16_t>(place - set_units_[set].begin()));
            }
        }
    }
}

void PathMixture::tabulate() {
    table_.resize(kBins * kChances * kRates);
    std::size_t place = 0;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        for (std::size_t c = 0; c < kChances; ++c) {
            const double chance = static_cast<double>(c) / (kChances - 1);
            for (std::size_t r = 0; r < kRates; ++r) {
                const double lost_some = -std::expm1(-bin_size(bin) * rates_[r]);
                // A flow is on the unit's choices for certain only in rounding.
                table_[place++] = static_cast<float>(std::log1p(-std::min(chance, 1 - 1e-9) * lost_some));
            }
        }
    }
    histogram_.resize(evidence_.units.size() * kBins * kChances);
    pass_.resize(evidence_.units.size() * kBins);
    lossless_.resize(evidence_.units.size());
}

PerRate PathMixture::sum_up(std::span<const float> histogram) const {
    PerRate sum{};
    for (std::size_t cell = 0; cell < histogram.size(); ++cell) {
        const double flows = histogram[cell];
        if (flows == 0) continue;
        const float* const row = &table_[cell * kRates];
        for (std::size_t r = 0; r < kRates; ++r)
            sum[r] += flows * static_cast<double>(row[r]);
    }
    return sum;
}

namespace {

void add_to(std::span<float> histogram, std::uint32_t bin, double chance, double flows) {
    const double place = std::clamp(chance, 0.0, 1.0) * (kChances - 1);
    const auto below = std::min(static_cast<std::size_t>(place), kChances - 2);
    const double above = place - static_cast<double>(below);
    float* const cell = &histogram[bin * kChances + below];
    cell[0] += static_cast<float>(flows * (1 - above));
    cell[1] += static_cast<float>(flows * above);
}

}  // namespace

void PathMixture::weigh_lossless(std::span<const double> unit_rates) {
    std::array<bool, kBins> used{};
    for (const Group& group : groups_)
        used[group.bin] = true;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        if (!used[bin]) continue;
        for (UnitIndex unit = 0; unit < unit_rates.size(); ++unit)
            pass_[unit * kBins + bin] = std::max(std::exp(-bin_size(bin) * unit_rates[unit]), 1e-30);
    }
    std::fill(histogram_.begin(), histogram_.end(), 0.0F);
    std::vector<double> through;  // chance of the choices with each unit of the set
    for (const Group& group : groups_) {
        const auto& units = set_units_[group.set];
        through.assign(units.size(), 0);
        double all = 0;
        const std::uint16_t* unit_place = set_places_[group.set].data();
        for (const PathChoice& choice : choices_of(group.set)) {
            double chance = choice.weight;
            for (std::uint32_t i = 0; i < choice.unit_count; ++i)
                chance *= pass_[evidence_.choice_units[choice.first_unit + i] * kBins + group.bin];
            all += chance;
            for (std::uint32_t i = 0; i < choice.unit_count; ++i)
                through[unit_place[i]] += chance;
            unit_place += choice.unit_count;
        }
        for (std::size_t i = 0; i < units.size(); ++i) {
            const double with = through[i] / pass_[units[i] * kBins + group.bin];
            const double without = std::max(all - through[i], 0.0);
            add_to(std::span(histogram_).subspan(units[i] * kBins * kChances, kBins * kChances), group.bin,
                   with / (with + without), group.weight);
        }
    }
    for (UnitIndex unit = 0; unit < unit_rates.size(); ++unit)
        lossless_[unit] = sum_up(std::span(histogram_).subspan(unit * kBins * kChances, kBins * kChances));
}

PerRate PathMixture::lossless_of(std::span<const UnitIndex> members) const {
    if (groups_.empty()) return {};
    std::vector<float> histogram(kBins * kChances);
    SetIndex last = kNoSet;
    std::vector<bool> crossing;  // by choice of the set
    bool any = false;
    for (const Group& group : groups_) {
        if (group.set != last) {
            last = group.set;
            crossing.clear();
            any = false;
            for (const PathChoice& choice : choices_of(group.set)) {
                const auto units = units_of(choice);
                crossing.push_back(std::any_of(units.begin(), units.end(),
                                               [&](UnitIndex unit) { return is_member(unit, members); }));
                any = any || crossing.back();
            }
        }
        if (!any) continue;
        double with = 0, without = 0;
        const auto choices = choices_of(group.set);
        for (std::size_t c = 0; c < choices.size(); ++c) {
            double chance = choices[c].weight;
            for (const UnitIndex unit : units_of(choices[c])) {
                if (!is_member(unit, members)) chance *= pass_[unit * kBins + group.bin];
            }
            (crossing[c] ? with : without) += chance;
        }
        add_to(histogram, group.bin, with / (with + without), group.weight);
    }
    return sum_up(histogram);
}

// ---- flows with loss ----------------------------------------------------------------------------------

std::vector<PathMixture::Term> PathMixture::terms_of(std::uint32_t p, double certain, double own,
                                                     bool among_certain,
                                                     std::span<const UnitIndex> members) const {
    const LossyPath& path = evidence_.lossy[p];
    const auto choices = choices_of(path.set);
    const auto rates = choice_rates(p);
    std::vector<Term> terms;
    for (std::size_t c = 0; c < choices.size(); ++c) {
        const auto units = units_of(choices[c]);
        const bool with = !among_certain && std::any_of(units.begin(), units.end(), [&](UnitIndex unit) {
            return is_member(unit, members);
        });
        const double rate = rates[c] - (with ? own : 0);
        const double others = std::max(certain - (among_certain ? own : 0) + rate, kRateFloor);
        const double log_weight =
            std::log(choices[c].weight) - path.sent * std::max(rate, 0.0) + path.lost * std::log(others);
        const auto alike = std::find_if(terms.begin(), terms.end(), [&](const Term& term) {
            return term.with == with && others < term.others * (1 + kAlike) &&
                   term.others < others * (1 + kAlike);
        });
        if (alike == terms.end()) {
            terms.push_back({log_weight, others, with});
        } else {
            const double top = std::max(alike->log_weight, log_weight);
            alike->log_weight = top + std::log1p(std::exp(-std::abs(alike->log_weight - log_weight)));
        }
    }
    return terms;
}

void PathMixture::add_lossy(std::uint32_t p, double certain, double own, bool among_certain,
                            std::span<const UnitIndex> members, PerRate& log_likelihood) const {
    const LossyPath& path = evidence_.lossy[p];
    const auto terms = terms_of(p, certain, own, among_certain, members);
    double top = terms.front().log_weight;
    for (const Term& term : terms)
        top = std::max(top, term.log_weight);
    double at_zero = 0;
    for (const Term& term : terms)
        at_zero += std::exp(term.log_weight - top);
    if (path.lost == 1) {  // most of them: the sum is a straight line in the rate
        double without = 0, with = 0, slope = 0;
        for (const Term& term : terms) {
            const double weight = std::exp(term.log_weight - top);
            (term.with || among_certain ? with : without) += weight;
            if (term.with || among_certain) slope += weight / term.others;
        }
        for (std::size_t r = 0; r < kRates; ++r) {
            // What is crossed for certain counts its packets with all others that it carries.
            const double pass = among_certain ? 1 : std::exp(-path.sent * rates_[r]);
            log_likelihood[r] += std::log((without + pass * (with + slope * rates_[r])) / at_zero + kTiny);
        }
        return;
    }
    for (std::size_t r = 0; r < kRates; ++r) {
        double highest = -std::numeric_limits<double>::infinity();
        const auto log_term = [&](const Term& term) {
            if (!term.with && !among_certain) return term.log_weight - top;
            return term.log_weight - top + path.lost * std::log1p(rates_[r] / term.others) -
                   (among_certain ? 0 : path.sent * rates_[r]);
        };
        for (const Term& term : terms)
            highest = std::max(highest, log_term(term));
        double sum = 0;
        for (const Term& term : terms)
            sum += std::exp(log_term(term) - highest);
        log_likelihood[r] += highest + std::log(sum / at_zero);
    }
}

std::vector<double> PathMixture::responsibilities(std::uint32_t p, double certain) const {
    const LossyPath& path = evidence_.lossy[p];
    const auto choices = choices_of(path.set);
    const auto rates = choice_rates(p);
    std::vector<double> chances;
    for (std::size_t c = 0; c < choices.size(); ++c) {
        chances.push_back(std::log(choices[c].weight) - path.sent * rates[c] +
                          path.lost * std::log(std::max(certain + rates[c], kRateFloor)));
    }
    const double all = log_sum_exp(chances);
    for (double& chance : chances)
        chance = std::exp(chance - all);
    return chances;
}

}  // namespace dyetrace::localise
