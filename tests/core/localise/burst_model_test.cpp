// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/localise/burst_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace dyetrace::localise {
namespace {

const RatePrior& prior() {
    static const RatePrior kPrior(1e-4, 3e-4, 0.01, 1000);
    return kPrior;
}

/// A history in the making.
class History {
  public:
    /// `lost` of `sent` packets, Poisson, beside other links that lose `others`.
    EpochEvidence& add(std::int32_t number, double sent, double lost, double others = 3e-4) {
        EpochEvidence& e = evidence_.epochs.emplace_back();
        e.epoch = number;
        e.sent = sent;
        e.first_loss = static_cast<std::uint32_t>(evidence_.losses.size());
        if (lost > 0) evidence_.losses.push_back({lost, 1 / others});
        e.loss_count = lost > 0 ? 1 : 0;
        return e;
    }
    /// More losses in the last epoch.
    void lose(double lost, double others) {
        evidence_.losses.push_back({lost, 1 / others});
        ++evidence_.epochs.back().loss_count;
    }
    /// Something else was seen in it that is likelier the more the link loses.
    void see_more(double weight) {
        evidence_.epochs.back().more = static_cast<std::uint32_t>(evidence_.more.size());
        PerRate& logs = evidence_.more.emplace_back();
        for (std::size_t r = 0; r < kRates; ++r)
            logs[r] = weight * std::log(1 + prior().rates()[r] * 1000);
    }
    [[nodiscard]] const HistoryEvidence& evidence() const { return evidence_; }
    [[nodiscard]] std::vector<EpochEvidence>& epochs() { return evidence_.epochs; }
    [[nodiscard]] const std::vector<EpochEvidence>& epochs() const { return evidence_.epochs; }
    [[nodiscard]] double log_likelihood(const EpochEvidence& e, std::size_t rate) const {
        const double r = prior().rates()[rate];
        double sum = -e.sent * r;
        for (std::uint32_t i = 0; i < e.loss_count; ++i) {
            const EpochLoss& loss = evidence_.losses[e.first_loss + i];
            sum += loss.lost * std::log(1 + r * loss.per_rate);
        }
        return sum + (e.more == EpochEvidence::kNothing ? 0 : evidence_.more[e.more][rate]);
    }

  private:
    HistoryEvidence evidence_;
};

double log_bayes_factor(const History& history, const BurstConfig& config = {}) {
    const auto weight = BurstModel(prior(), config).weigh(history.evidence());
    PerRate weights{};
    for (std::size_t r = 0; r < kRates; ++r)
        weights[r] = weight.log_likelihood[r] + prior().log_mass()[r];
    const std::span<const double> all(weights);
    return log_sum_exp(all.subspan(kHealthyRates)) - log_sum_exp(all.first(kHealthyRates));
}

TEST(BurstModel, SteadyLossIsAFault) {
    History epochs;
    for (int i = 0; i < 50; ++i)
        epochs.add(i, 300, 3);
    EXPECT_GT(log_bayes_factor(epochs), 30);
}

TEST(BurstModel, OneHeavyBurstIsNone) {
    History epochs;
    for (int i = 0; i < 50; ++i)
        epochs.add(i, 300, i >= 20 && i < 24 ? 60 : 0);
    EXPECT_LT(log_bayes_factor(epochs), -1);
}

TEST(BurstModel, BurstsOfDifferentStrengthAreNoFaultHoweverMuchIsLost) {
    History epochs;
    for (int i = 0; i < 50; ++i)
        epochs.add(i, 300, i % 6 == 0 ? 10.0 * (1 + i % 5) : 0);
    EXPECT_LT(log_bayes_factor(epochs), 0);
}

TEST(BurstModel, FaultThatBeginsHalfWayIsFound) {
    History epochs;
    for (int i = 0; i < 60; ++i)
        epochs.add(i, 300, i < 30 ? 0 : 3);
    EXPECT_GT(log_bayes_factor(epochs), 20);
}

TEST(BurstModel, FaultMayNotBeginWhereOnsetIsRuledOut) {
    History epochs;
    for (int i = 0; i < 60; ++i) {
        epochs.add(i, 1000, i < 54 ? 0 : 100);
        epochs.epochs().back().onset = i < 50;
    }
    EXPECT_LT(log_bayes_factor(epochs), 0);
}

TEST(BurstModel, ShortQueuesMakeEveryLossCountMore) {
    History epochs;
    for (int i = 0; i < 20; ++i)
        epochs.add(i, 300, i % 3 == 0 ? 4 : 1);
    const double unknown = log_bayes_factor(epochs);
    for (auto& e : epochs.epochs())
        e.burst_factor = 0.02;
    EXPECT_GT(log_bayes_factor(epochs), unknown + 5);
}

TEST(BurstModel, EvidenceOfOneBurstIsBounded) {
    History mild, wild;
    for (int i = 0; i < 20; ++i) {
        mild.add(i, 300, i == 10 ? 30 : 0);
        wild.add(i, 300, i == 10 ? 290 : 0);
    }
    EXPECT_NEAR(log_bayes_factor(mild), log_bayes_factor(wild), 3);
}

TEST(BurstModel, ExpectedRateFollowsTheBurst) {
    History epochs;
    for (int i = 0; i < 30; ++i)
        epochs.add(i, 300, i == 12 ? 60 : 0);
    BurstModel model(prior(), {});
    static_cast<void>(model.weigh(epochs.evidence()));
    const std::vector<double> rates = model.healthy_rates(prior().healthy_mean());
    ASSERT_EQ(rates.size(), 30U);
    EXPECT_NEAR(rates[12], 0.2, 0.05);
    EXPECT_LT(rates[11], 1e-3);
    EXPECT_LT(rates[20], 1e-3);
}

TEST(BurstModel, ExpectedRateOfAFaultyLinkIsItsSteadyRateFromTheOnset) {
    History epochs;
    for (int i = 0; i < 60; ++i)
        epochs.add(i, 300, i < 30 ? 0 : 3);
    BurstModel model(prior(), {});
    const auto weight = model.weigh(epochs.evidence());
    const auto likely = std::max_element(weight.log_likelihood.begin(), weight.log_likelihood.end());
    const std::vector<double> rates = model.faulty_rates(
        static_cast<std::size_t>(likely - weight.log_likelihood.begin()), prior().healthy_mean());
    EXPECT_LT(rates[20], 1e-3);
    EXPECT_NEAR(rates[45], 0.01, 0.004);
}

/// The chain written down plainly: four states, one rate, logarithms taken at each step.
double plain_log_likelihood(const History& history, std::size_t rate, const BurstConfig& config) {
    const std::vector<EpochEvidence>& epochs = history.epochs();
    std::array<double, kFaultyRates> mass{};
    double sum = 0;
    for (std::size_t i = 0; i < kFaultyRates; ++i)
        sum += mass[i] = prior().rates()[kHealthyRates + i] >= config.rate_min ? 1 : 1e-3;
    for (double& m : mass)
        m /= sum;
    double onsets = 0;
    for (const auto& e : epochs)
        onsets += e.onset ? 1 : 0;

    std::array<double, 4> s{0.5, 0, 0.5, 0};  // healthy calm, healthy burst, faulty calm, faulty burst
    double log_sum = 0;
    for (const auto& e : epochs) {
        const double enter = config.enter * e.burst_factor;
        const double stay = std::max(enter, config.stay * std::min(1.0, e.burst_factor));
        const double onset = e.onset ? 1 / (onsets + 1) : 0;
        PerRate ll;
        for (std::size_t r = 0; r < kRates; ++r)
            ll[r] = history.log_likelihood(e, r);
        const double scale = *std::max_element(ll.begin(), ll.end());
        for (double& l : ll)
            l -= scale;
        double healthy_burst = 0, faulty_burst = 0;
        for (std::size_t i = 0; i < kFaultyRates; ++i) {
            healthy_burst += mass[i] * std::exp(ll[kHealthyRates + i]);
            faulty_burst += mass[i] * std::exp(ll[std::max(kHealthyRates + i, rate)]);
        }
        const double hc = s[0] * (1 - enter) + s[1] * (1 - stay), hb = s[0] * enter + s[1] * stay;
        const double fc = s[2] * (1 - enter) + s[3] * (1 - stay), fb = s[2] * enter + s[3] * stay;
        s = {hc * (1 - onset) * std::exp(ll[kHealthyRates / 2]), hb * (1 - onset) * healthy_burst,
             (fc + hc * onset) * std::exp(ll[rate]), (fb + hb * onset) * faulty_burst};
        const double total = s[0] + s[1] + s[2] + s[3];
        log_sum += std::log(total) + scale;
        for (double& x : s)
            x /= total;
    }
    return log_sum;
}

/// Any history: idle now and then or always busy, calm or not, losses on few paths or many; and what is not
/// Poisson.
History any_history(Random& random) {
    History history;
    const std::uint32_t busy = 20U << random.below(14);
    const std::uint32_t least = random.below(2) == 0 ? 0 : busy / 2;
    const bool more = random.below(3) == 0;
    for (int i = 0; i < 80; ++i) {
        const double sent = least + random.below(busy);
        const double share = random.below(4) == 0 ? random.below(300) / (i % 2 == 0 ? 1000.0 : 10'000.0)
                                                  : 0.01 * (random.below(3) == 0);
        EpochEvidence& e = history.add(i, sent, std::floor(sent * share), 1e-5 + random.below(100) * 1e-4);
        e.burst_factor = random.below(2) == 0 ? 1 : 0.05 * (1 + random.below(100));
        e.onset = i < 70;
        for (std::uint32_t left = random.below(3) * random.below(20); left > 0; --left)
            history.lose(1 + random.below(3), 1e-4 + random.below(100) * 1e-4);
        if (more && random.below(5) == 0) history.see_more(random.below(100) / 10.0);
    }
    return history;
}

/// A busy link, none of whose losses speak for a high rate.
History busy_history(Random& random) {
    History history;
    for (int i = 0; i < 80; ++i) {
        history.add(i, 12'000 + random.below(2000), random.below(4), 1e-4 + random.below(100) * 1e-4).onset =
            i < 70;
        for (std::uint32_t left = random.below(30); left > 0; --left)
            history.lose(1 + random.below(3), 1e-2 + random.below(100) * 1e-4);
    }
    return history;
}

void expect_plain(const History& history, const char* what, int trial) {
    const auto weight = BurstModel(prior(), {}).weigh(history.evidence());
    for (std::size_t r = kHealthyRates; r < kRates; ++r) {
        const double plain = plain_log_likelihood(history, r, {});
        EXPECT_NEAR(weight.log_likelihood[r], plain, 1e-9 * std::abs(plain) + 1e-6)
            << what << ", trial " << trial << " rate " << r;
    }
}

TEST(BurstModel, SideBySideChainsEqualThePlainOne) {
    Random random(7);
    for (int trial = 0; trial < 50; ++trial)
        expect_plain(any_history(random), "any", trial);
}

TEST(BurstModel, RatesOutOfTheQuestionAreWeighedAsIfLookedAt) {
    Random random(11);
    for (int trial = 0; trial < 50; ++trial)
        expect_plain(busy_history(random), "busy", trial);
}

TEST(BurstModel, CalmLinkIsWorthWhatItsEpochsAre) {
    Random random(8);
    for (int trial = 0; trial < 20; ++trial) {
        const History history = any_history(random);
        double plain = 0;
        for (const EpochEvidence& e : history.epochs())
            plain += history.log_likelihood(e, kHealthyRates / 2);
        EXPECT_NEAR(BurstModel(prior(), {}).weigh(history.evidence()).log_calm, plain,
                    1e-9 * std::abs(plain) + 1e-9);
    }
}

TEST(BurstModel, WidthOfVectorsChangesNothing) {
    if (!has_wide_vectors()) GTEST_SKIP() << "this processor has no vectors of four";
    Random random(9);
    for (int trial = 0; trial < 50; ++trial) {
        const History history = any_history(random);
        BurstModel plain(prior(), {}, false), wide(prior(), {}, true);
        EXPECT_EQ(plain.weigh(history.evidence()).log_likelihood,
                  wide.weigh(history.evidence()).log_likelihood);
        EXPECT_EQ(plain.faulty_rates(kRates - 8, 5e-5), wide.faulty_rates(kRates - 8, 5e-5));
    }
}

double exp_in_lane(double x) {
    std::array<double, 8> values;
    values.fill(x);
    exponentiate(values);
    return values[5];
}

TEST(RateLanes, ExponentialIsThatOfTheLibrary) {
    Random random(10);
    for (int i = 0; i < 100'000; ++i) {
        const double x = (i % 2 == 0 ? -500.0 : -1.0) * random.below(1U << 30) / (1U << 30);
        const double exact = std::exp(x);
        EXPECT_NEAR(exp_in_lane(x), exact, 4e-16 * exact) << x;
    }
    EXPECT_EQ(exp_in_lane(0), 1);
    EXPECT_EQ(exp_in_lane(-501), exp_in_lane(-500));
    EXPECT_EQ(exp_in_lane(-1e308), exp_in_lane(-500));
    EXPECT_NEAR(exp_in_lane(700), std::exp(700.0), 4e-16 * std::exp(700.0));
}

}  // namespace
}  // namespace dyetrace::localise
