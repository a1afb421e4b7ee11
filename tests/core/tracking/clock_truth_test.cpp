// SPDX-License-Identifier: GPL-2.0-or-later
// The clock model against clocks whose truth is known: 1,000 pairs drawn from seeds, each for half a minute.
// A failure names its seed; the same seed replays it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/tracking/clock_model.h"

namespace dyetrace::test {
namespace {

using tracking::ClockModel;

__extension__ using Wide = __int128;
constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::int64_t kLengthNs = 30 * kBillion;
constexpr std::int64_t kLongestDelayNs = 8'000'000;

double between(Random& random, double least, double most) {
    return least + (most - least) * random.uniform();
}
double log_between(Random& random, double least, double most) {
    return least * std::pow(most / least, random.uniform());
}
std::int64_t signed_of(Random& random, double magnitude) {
    return static_cast<std::int64_t>(random.below(2) == 0 ? magnitude : -magnitude);
}

/// A clock against true time, exact in 10^-9 ns, read in whole ns.
class TrueClock {
  public:
    TrueClock(std::int64_t at_zero_ns, std::int64_t ppb) : at_zero_ns_(at_zero_ns), ppb_(ppb) {}
    void step(std::int64_t at_ns, std::int64_t size_ns) { steps_.push_back({at_ns, size_ns}); }
    [[nodiscard]] Wide exact(std::int64_t true_ns) const {
        Wide shown = Wide{at_zero_ns_} + true_ns;
        for (const auto& [at_ns, size_ns] : steps_)
            shown += true_ns >= at_ns ? size_ns : 0;
        return shown * kBillion + Wide{true_ns} * ppb_;
    }
    [[nodiscard]] std::int64_t read(std::int64_t true_ns) const {
        const Wide shown = exact(true_ns);
        const Wide whole = shown / kBillion;
        return static_cast<std::int64_t>(whole * kBillion > shown ? whole - 1 : whole);
    }

  private:
    std::int64_t at_zero_ns_;
    std::int64_t ppb_;
    std::vector<std::array<std::int64_t, 2>> steps_;
};

/// One direction of the network: a base delay, and a queue that is empty now and then.
struct Line {
    std::int64_t base_ns;
    double empty;
    double queue_mean_ns;

    explicit Line(Random& random)
        : base_ns(static_cast<std::int64_t>(log_between(random, 5e3, 500e3))),
          empty(between(random, 0.02, 0.5)),
          queue_mean_ns(log_between(random, 5e3, 1e6)) {}
    [[nodiscard]] std::int64_t delay(Random& random) const {
        double queue = between(random, 0, 100);
        if (random.uniform() >= empty) queue += -queue_mean_ns * std::log(1 - random.uniform());
        return std::min(base_ns + static_cast<std::int64_t>(queue), kLongestDelayNs);
    }
};

/// What reaches us: a packet from them, or their word of one from us.
struct Delivery {
    std::int64_t at_ns;  ///< true time
    bool forward;
    std::int64_t sent_ns;  ///< the packet's, true time
    std::int64_t received_ns;
    std::int64_t stamp_ns;  ///< our clock: as we sent, or as we received
    std::int64_t raw_ns;
};

struct Step {
    std::int64_t at_ns;
    std::int64_t size_ns;  ///< of theta
};

class World {
  public:
    explicit World(std::uint64_t seed) : random_(seed), forward_(random_), reverse_(random_) {
        constexpr std::array<std::int64_t, 4> kEpochs = {0, -20 * kBillion, -1'700'000'000'000'000'000,
                                                         1'800'000'000'000'000'000};
        const std::int64_t epoch = kEpochs[seed % kEpochs.size()];
        const std::int64_t offset = static_cast<std::int64_t>(between(random_, -1e9, 1e9));
        ours_ppb = static_cast<std::int64_t>(between(random_, -20e3, 20e3));
        theirs_ppb = ours_ppb + static_cast<std::int64_t>(between(random_, -100e3, 100e3));
        ours.emplace(epoch, ours_ppb);
        theirs.emplace(epoch + offset, theirs_ppb);
        draw_steps();
        draw_reverse();
        random_.below(2) == 0 ? draw_echoes() : draw_reports();
        std::stable_sort(deliveries.begin(), deliveries.end(),
                         [](const Delivery& a, const Delivery& b) { return a.at_ns < b.at_ns; });
    }

    /// theta and a delay in 10^-9 ns.
    [[nodiscard]] Wide theta(std::int64_t true_ns) const {
        return theirs->exact(true_ns) - ours->exact(true_ns);
    }
    [[nodiscard]] Wide delay(const Delivery& d) const {
        return theirs->exact(d.received_ns) - theirs->exact(d.sent_ns);
    }
    [[nodiscard]] double half_round_trip_ns() const {
        return 0.5 * static_cast<double>(forward_.base_ns + reverse_.base_ns);
    }

    std::optional<TrueClock> ours;
    std::optional<TrueClock> theirs;
    std::int64_t ours_ppb = 0;
    std::int64_t theirs_ppb = 0;
    std::vector<Step> steps;
    std::vector<Delivery> deliveries;

  private:
    void draw_steps() {
        const ClockModel model;
        std::int64_t at_ns = 0;
        for (std::uint32_t left = random_.below(3); left > 0; --left) {
            at_ns += static_cast<std::int64_t>(between(random_, 3e9, 4e9));
            const std::int64_t size_ns = signed_of(random_, log_between(random_, 100, 1e9));
            const bool of_ours = random_.below(3) == 0;
            (of_ours ? *ours : *theirs).step(at_ns, of_ours ? -size_ns : size_ns);
            steps.push_back({at_ns, size_ns});
            at_ns += model.settling_time().ns;  // what a step not noticed did is over before the next
        }
    }
    std::int64_t pause() {
        return static_cast<std::int64_t>(-pause_mean_ns_ * std::log(1 - random_.uniform()));
    }
    void receive(std::int64_t sent_ns) {
        const std::int64_t received_ns = sent_ns + reverse_.delay(random_);
        const std::int64_t stamp_ns = ours->read(received_ns);
        deliveries.push_back(
            {received_ns, false, sent_ns, received_ns, stamp_ns, stamp_ns - theirs->read(sent_ns)});
    }
    /// A packet of ours of which they will tell us at `told_ns`.
    [[nodiscard]] Delivery send(std::int64_t sent_ns) {
        const std::int64_t received_ns = sent_ns + forward_.delay(random_);
        const std::int64_t stamp_ns = ours->read(sent_ns);
        return {0, true, sent_ns, received_ns, stamp_ns, theirs->read(received_ns) - stamp_ns};
    }
    void draw_reverse() {
        for (std::int64_t t = pause(); t < kLengthNs; t += pause())
            receive(t);
    }
    /// They tell us of each packet at once.
    void draw_echoes() {
        for (std::int64_t t = pause(); t < kLengthNs; t += pause()) {
            Delivery packet = send(t);
            packet.at_ns = packet.received_ns + reverse_.delay(random_);
            deliveries.push_back(packet);
        }
    }
    /// Every 100 ms they tell us of the newest packet and of that with the least raw delay since the last
    /// report.
    void draw_reports() {
        constexpr std::int64_t kIntervalNs = 100'000'000;
        std::int64_t report_ns = kIntervalNs;
        std::optional<Delivery> newest;
        std::optional<Delivery> best;
        for (std::int64_t t = pause(); t < kLengthNs; t += pause()) {
            const Delivery packet = send(t);
            for (; report_ns < packet.received_ns; report_ns += kIntervalNs) {
                const std::int64_t told_ns = report_ns + reverse_.delay(random_);
                for (std::optional<Delivery>* word : {&newest, &best}) {
                    if (!*word) continue;
                    (*word)->at_ns = told_ns;
                    deliveries.push_back(**word);
                    word->reset();
                }
            }
            newest = packet;
            if (!best || packet.raw_ns < best->raw_ns) best = packet;
        }
    }

    Random random_;
    Line forward_;
    Line reverse_;
    double pause_mean_ns_ = log_between(random_, 4e6, 60e6);
};

struct Tally {
    std::vector<double> ratios;       ///< bound / half of the base round trip, at the end of each world
    std::vector<double> noticed_ms;   ///< from each step to its notice
    std::uint64_t checked = 0;        ///< estimates held against the truth
    std::uint64_t without = 0;        ///< deliveries at which there was none
    std::uint64_t excused = 0;        ///< between a step and its notice or settling
    std::uint64_t excused_wrong = 0;  ///< of these, outside the bound
    int steps = 0;
    int settled = 0;  ///< steps that were never noticed
};

std::string text(Wide scaled) {
    return std::to_string(static_cast<double>(scaled) / 1e9) + " ns";
}

/// Runs one world; says what is wrong with it.
class Trial {
  public:
    Trial(std::uint64_t seed, Tally& tally) : world_(seed), tally_(tally) {}

    std::string run() {
        for (const Delivery& d : world_.deliveries) {
            const Time now{world_.ours->read(d.at_ns)};
            if (d.forward)
                model_.on_forward(Time{d.stamp_ns}, Duration{d.raw_ns}, now);
            else
                model_.on_reverse(Time{d.stamp_ns}, Duration{d.raw_ns}, now);
            if (std::string wrong = follow_steps(d.at_ns); !wrong.empty()) return wrong;
            last_ns_ = d.at_ns;
            if (std::string wrong = check(d, now); !wrong.empty())
                return wrong + " at " + std::to_string(d.at_ns) + " ns of true time";
        }
        const Time end{world_.ours->read(kLengthNs)};
        if (const auto estimate = model_.estimate(end))
            tally_.ratios.push_back(static_cast<double>(estimate->bound.ns) / world_.half_round_trip_ns());
        return {};
    }

  private:
    std::string follow_steps(std::int64_t at_ns) {
        while (stepped_ < world_.steps.size() && at_ns >= world_.steps[stepped_].at_ns) {
            ++stepped_;
            ++tally_.steps;
            open_ = true;
        }
        if (model_.steps() > stepped_) return "a step was noticed where there was none";
        if (!open_) return {};
        const Step& step = world_.steps[stepped_ - 1];
        const std::int64_t since_ns = at_ns - step.at_ns;
        if (model_.steps() > noticed_) {
            noticed_ = model_.steps();
            open_ = false;
            tally_.noticed_ms.push_back(static_cast<double>(since_ns) * 1e-6);
            // Too high or too low by the queues, by what drift was not known yet, and by how long ago we
            // looked.
            const std::int64_t error_ns = model_.last_step()->size.ns - step.size_ns;
            if (std::abs(error_ns) > 2 * kLongestDelayNs + at_ns - last_ns_)
                return "a step of " + std::to_string(step.size_ns) + " ns was told as " +
                       std::to_string(model_.last_step()->size.ns);
        } else if (since_ns > model_.settling_time().ns) {
            open_ = false;
            ++tally_.settled;
        } else if (std::abs(step.size_ns) > 2 * kLongestDelayNs + 4'000'000 && since_ns > kBillion) {
            return "a step of " + std::to_string(step.size_ns) + " ns was not noticed in a second";
        }
        return {};
    }

    std::string check(const Delivery& d, Time now) {
        const auto estimate = model_.estimate(now);
        if (!estimate) {
            ++tally_.without;
            return {};
        }
        const Wide error = Wide{estimate->offset.ns} * kBillion - world_.theta(d.at_ns);
        const bool inside =
            std::abs(static_cast<double>(error)) <= static_cast<double>(estimate->bound.ns) * 1e9;
        if (open_) {
            ++tally_.excused;
            tally_.excused_wrong += inside ? 0 : 1;
            return {};
        }
        ++tally_.checked;
        if (!inside)
            return "offset is off by " + text(error) + ", bound " + std::to_string(estimate->bound.ns);
        const double slope_ppb = static_cast<double>(world_.theirs_ppb - world_.ours_ppb) /
                                 (1 + 1e-9 * static_cast<double>(world_.ours_ppb));
        if (std::abs(slope_ppb - static_cast<double>(estimate->drift_ppb)) >
            static_cast<double>(estimate->drift_bound_ppb))
            return "drift is " + std::to_string(slope_ppb) + " ppb, told as " +
                   std::to_string(estimate->drift_ppb) + " within " +
                   std::to_string(estimate->drift_bound_ppb);
        if (Time{d.stamp_ns} > now) return {};  // of before our own clock went back
        const auto corrected = d.forward ? model_.corrected_forward(Duration{d.raw_ns}, Time{d.stamp_ns})
                                         : model_.corrected_reverse(Duration{d.raw_ns}, Time{d.stamp_ns});
        if (!corrected) return {};
        const Wide delay_error = Wide{corrected->delay.ns} * kBillion - world_.delay(d);
        if (std::abs(static_cast<double>(delay_error)) > static_cast<double>(corrected->bound.ns) * 1e9)
            return "corrected delay is off by " + text(delay_error) + ", bound " +
                   std::to_string(corrected->bound.ns);
        return {};
    }

    World world_;
    Tally& tally_;
    ClockModel model_;
    std::size_t stepped_ = 0;
    std::uint32_t noticed_ = 0;
    std::int64_t last_ns_ = 0;  ///< true time of the last delivery
    bool open_ = false;         ///< a step was neither noticed nor has it settled
};

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values.empty() ? std::nan("")
                          : values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

TEST(ClockTruth, OffsetDriftAndDelayAreInsideTheirBoundsInAThousandClockModels) {
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed)
        EXPECT_EQ(Trial(seed, tally).run(), "") << "seed " << seed;
    std::printf(
        "checked %llu estimates; none at %llu deliveries; after steps %llu, of which outside %llu\n",
        static_cast<unsigned long long>(tally.checked), static_cast<unsigned long long>(tally.without),
        static_cast<unsigned long long>(tally.excused), static_cast<unsigned long long>(tally.excused_wrong));
    std::printf("bound / half base round trip: median %.3f, 90%% %.3f, greatest %.3f\n",
                quantile(tally.ratios, 0.5), quantile(tally.ratios, 0.9), quantile(tally.ratios, 1));
    std::printf(
        "%d steps: %zu noticed, after %.1f ms (median), %.1f ms (99%%), %.1f ms (longest); %d settled "
        "unnoticed\n",
        tally.steps, tally.noticed_ms.size(), quantile(tally.noticed_ms, 0.5),
        quantile(tally.noticed_ms, 0.99), quantile(tally.noticed_ms, 1), tally.settled);
    EXPECT_LT(quantile(tally.ratios, 0.5), 1.2);
    EXPECT_GT(quantile(tally.ratios, 0.0), 0.9) << "narrower than any exchange of packets can tell";
    EXPECT_GT(tally.ratios.size(), 990U);
    EXPECT_GT(tally.noticed_ms.size(), 500U);
    EXPECT_GT(tally.excused_wrong, 0U) << "no step has ever mattered";
}

}  // namespace
}  // namespace dyetrace::test
