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
constexpr double kBinRatio = 1.5;
constexpr std::size_t kBins = 36;  // up to 1.5 million packets

// Chances f at which the likelihood is tabulated; in between it is interpolated.
constexpr std::size_t kChances = 33;

// Flows are shared out anew where a unit's rate moved by more than this, but no more often than that.
constexpr double kMoved = 5e-5;
constexpr int kMostTimes = 5;

// Powers of more than this are taken by way of logarithms.
constexpr double kManyLost = 24;

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

/// base^exponent; quick where that is a small whole number.
double power(double base, double exponent) {
    if (exponent > kManyLost || exponent != std::floor(exponent)) return std::pow(base, exponent);
    double result = 1;
    for (auto left = static_cast<unsigned>(exponent); left != 0; left >>= 1, base *= base) {
        if ((left & 1U) != 0) result *= base;
    }
    return result;
}

}  // namespace

void LogProduct::settle() {
    bool large = false;
    for (std::size_t r = 0; r < kRates; ++r)
        large |= !(product_[r] < kLarge) | !(product_[r] > 1 / kLarge);
    if (!large) return;
    for (std::size_t r = 0; r < kRates; ++r)
        sum_[r] += std::log(std::max(product_[r], kTiny));
    product_ = ones();
}

void LogProduct::multiply(const PerRate& rates, double per_rate, double power) {
    constexpr double kFewTimes = 8;
    if (power > kFewTimes || power != std::floor(power)) {
        for (std::size_t r = 0; r < kRates; ++r)
            sum_[r] += power * std::log(1 + rates[r] * per_rate);
        return;
    }
    PerRate factors;
    for (std::size_t r = 0; r < kRates; ++r)
        factors[r] = 1 + rates[r] * per_rate;
    for (double times = 0; times < power; times += 1)
        multiply(factors);
}

void LogProduct::add_to(PerRate& sum) {
    for (std::size_t r = 0; r < kRates; ++r)
        sum[r] += sum_[r] + std::log(std::max(product_[r], kTiny));
    product_ = ones();
    sum_ = {};
}

PathMixture::PathMixture(const Evidence& evidence, const RatePrior& prior)
    : evidence_(evidence), rates_(prior.rates()) {
    first_rate_.reserve(evidence.lossy.size());
    std::size_t rates = 0;
    for (const LossyPath& path : evidence.lossy) {
        first_rate_.push_back(static_cast<std::uint32_t>(rates));
        pass_row_.push_back(static_cast<std::uint32_t>(path_pass_.size()));
        if (path.set == kNoSet) continue;
        rates += evidence.sets[path.set].choice_count;
        PerRate& pass = path_pass_.emplace_back();
        for (std::size_t r = 0; r < kRates; ++r)
            pass[r] = std::exp(-path.sent * rates_[r]);
    }
    choice_rates_.resize(rates);
    chances_.resize(rates);
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
    std::array<bool, kBins> used{};
    for (const auto& [key, weight] : groups)
        used[key.second] = true;
    std::array<std::uint32_t, kBins> row{};
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
        row[bin] = static_cast<std::uint32_t>(bins_.size());
        if (used[bin]) bins_.push_back(bin);
    }
    groups_.reserve(groups.size());
    for (const auto& [key, weight] : groups)
        groups_.push_back({key.first, row[key.second], weight});
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
    table_.resize(bins_.size() * kChances * kRates);
    std::size_t place = 0;
    for (const std::uint32_t bin : bins_) {
        for (std::size_t c = 0; c < kChances; ++c) {
            const double chance = static_cast<double>(c) / (kChances - 1);
            for (std::size_t r = 0; r < kRates; ++r) {
                const double lost_some = -std::expm1(-bin_size(bin) * rates_[r]);
                // A flow is on the unit's choices for certain only in rounding.
                table_[place++] = static_cast<float>(std::log1p(-std::min(chance, 1 - 1e-9) * lost_some));
            }
        }
    }
    histogram_.resize(evidence_.units.size() * bins_.size() * kChances);
    pass_.resize(evidence_.units.size() * bins_.size());
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

bool PathMixture::weigh_lossless(std::span<const double> unit_rates) {
    if (!weighed_at_.empty()) {
        bool moved = false;
        for (UnitIndex unit = 0; unit < unit_rates.size(); ++unit)
            moved = moved || std::abs(unit_rates[unit] - weighed_at_[unit]) > kMoved;
        if (!moved || times_weighed_ >= kMostTimes) return false;
    }
    weighed_at_.assign(unit_rates.begin(), unit_rates.end());
    ++times_weighed_;
    const std::size_t bins = bins_.size();
    for (std::size_t bin = 0; bin < bins; ++bin) {
        for (UnitIndex unit = 0; unit < unit_rates.size(); ++unit)
            pass_[unit * bins + bin] = std::max(std::exp(-bin_size(bins_[bin]) * unit_rates[unit]), 1e-30);
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
                chance *= pass_[evidence_.choice_units[choice.first_unit + i] * bins + group.bin];
            all += chance;
            for (std::uint32_t i = 0; i < choice.unit_count; ++i)
                through[unit_place[i]] += chance;
            unit_place += choice.unit_count;
        }
        for (std::size_t i = 0; i < units.size(); ++i) {
            const double with = through[i] / pass_[units[i] * bins + group.bin];
            const double without = std::max(all - through[i], 0.0);
            add_to(std::span(histogram_).subspan(units[i] * bins * kChances, bins * kChances), group.bin,
                   with / (with + without), group.weight);
        }
    }
    for (UnitIndex unit = 0; unit < unit_rates.size(); ++unit)
        lossless_[unit] = sum_up(std::span(histogram_).subspan(unit * bins * kChances, bins * kChances));
    return true;
}

PerRate PathMixture::lossless_of(std::span<const UnitIndex> members, std::optional<UnitIndex> spared) const {
    if (groups_.empty()) return {};
    const std::size_t bins = bins_.size();
    std::vector<float> histogram(bins * kChances);
    SetIndex last = kNoSet;
    std::vector<bool> crossing;  // by choice of the set
    bool any = false;
    for (const Group& group : groups_) {
        if (group.set != last) {
            last = group.set;
            crossing.clear();
            const auto& in_set = set_units_[group.set];
            any = std::any_of(members.begin(), members.end(), [&](UnitIndex unit) {
                return std::binary_search(in_set.begin(), in_set.end(), unit);
            });
            if (!any) continue;
            for (const PathChoice& choice : choices_of(group.set)) {
                const auto units = units_of(choice);
                crossing.push_back(std::any_of(units.begin(), units.end(),
                                               [&](UnitIndex unit) { return is_member(unit, members); }));
            }
        }
        if (!any) continue;
        double with = 0, without = 0;
        const auto choices = choices_of(group.set);
        for (std::size_t c = 0; c < choices.size(); ++c) {
            double chance = choices[c].weight;
            for (const UnitIndex unit : units_of(choices[c])) {
                if (!is_member(unit, members) && unit != spared) chance *= pass_[unit * bins + group.bin];
            }
            (crossing[c] ? with : without) += chance;
        }
        add_to(histogram, group.bin, with / (with + without), group.weight);
    }
    return sum_up(histogram);
}

// ---- flows with loss ----------------------------------------------------------------------------------

bool PathMixture::crosses(const PathChoice& choice, std::span<const UnitIndex> members) const {
    for (std::uint32_t i = 0; i < choice.unit_count; ++i) {
        if (is_member(evidence_.choice_units[choice.first_unit + i], members)) return true;
    }
    return false;
}

void PathMixture::rates_changed(std::uint32_t p) {
    const LossyPath& path = evidence_.lossy[p];
    const auto choices = choices_of(path.set);
    const auto rates = choice_rates(p);
    const double least = *std::min_element(rates.begin(), rates.end());
    for (std::size_t c = 0; c < choices.size(); ++c)
        chances_[first_rate_[p] + c] = choices[c].weight * std::exp(-path.sent * (rates[c] - least));
}

void PathMixture::set_all_choice_rates(std::vector<double> rates) {
    choice_rates_ = std::move(rates);
    for (std::uint32_t p = 0; p < evidence_.lossy.size(); ++p) {
        if (evidence_.lossy[p].set != kNoSet) rates_changed(p);
    }
}

void PathMixture::add_lossy(std::uint32_t p, double certain, double own, bool among_certain,
                            std::span<const UnitIndex> members, LogProduct& log_likelihood) const {
    const LossyPath& path = evidence_.lossy[p];
    if (path.lost != 1) {
        add_many_lost(p, certain, own, among_certain, members, log_likelihood);
        return;
    }
    // Most of them: the sum is a straight line in the rate.
    const auto choices = choices_of(path.set);
    const auto rates = choice_rates(p);
    double without = 0, with = 0, slope = 0;
    for (std::size_t c = 0; c < choices.size(); ++c) {
        const double chance = chances_[first_rate_[p] + c];
        if (among_certain || crosses(choices[c], members)) {
            with += chance * std::max(certain + rates[c] - own, kRateFloor);
            slope += chance;
        } else {
            without += chance * std::max(certain + rates[c], kRateFloor);
        }
    }
    if (!among_certain && own > 0) {
        constexpr double kMost = 300;
        const double unburden = std::exp(std::min(path.sent * own, kMost));
        with *= unburden;
        slope *= unburden;
    }
    const double per_zero = 1 / std::max(with + without, kTiny);
    PerRate factors;
    const PerRate& pass = path_pass_[pass_row_[p]];
    for (std::size_t r = 0; r < kRates; ++r) {
        // What is crossed for certain counts its packets with all others that it carries.
        const double through = among_certain ? 1 : pass[r];
        factors[r] = (without + through * (with + slope * rates_[r])) * per_zero + kTiny;
    }
    log_likelihood.multiply(factors);
}

void PathMixture::add_many_lost(std::uint32_t p, double certain, double own, bool among_certain,
                                std::span<const UnitIndex> members, LogProduct& log_likelihood) const {
    const LossyPath& path = evidence_.lossy[p];
    const auto choices = choices_of(path.set);
    const auto rates = choice_rates(p);
    double without = 0, at_zero = 0;
    double highest = kRateFloor;
    for (const double rate : rates)
        highest = std::max(highest, certain + rate);
    PerRate with{};
    // Powers in units of the highest; and where that would still be too large, of the rate itself.
    const double unburden = among_certain ? 1 : std::exp(std::min(path.sent * own, 300.0));
    PerRate scale{};
    for (std::size_t r = 0; r < kRates; ++r)
        scale[r] = 1 / (highest + rates_[r]);
    for (std::size_t c = 0; c < choices.size(); ++c) {
        const double chance = chances_[first_rate_[p] + c];
        if (!among_certain && !crosses(choices[c], members)) {
            without += chance * std::pow(std::max(certain + rates[c], kRateFloor) / highest, path.lost);
            continue;
        }
        const double others = std::max(certain + rates[c] - own, kRateFloor);
        at_zero += chance * unburden * std::pow(others / highest, path.lost);
        for (std::size_t r = 0; r < kRates; ++r) {
            const double share = (others + rates_[r]) * scale[r];
            with[r] += chance * unburden * power(share, path.lost);
        }
    }
    at_zero = std::max(at_zero + without, kTiny);
    PerRate logs{};
    for (std::size_t r = 0; r < kRates; ++r) {
        const double log_scale = path.lost * std::log((highest + rates_[r]) / highest);
        const double log_with =
            std::log(std::max(with[r], kTiny)) + log_scale - (among_certain ? 0 : path.sent * rates_[r]);
        const double log_without = without > 0 ? std::log(without) : -std::numeric_limits<double>::infinity();
        const double top = std::max(log_with, log_without);
        logs[r] = top + std::log(std::exp(log_with - top) + std::exp(log_without - top)) - std::log(at_zero);
    }
    log_likelihood.add(logs);
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
