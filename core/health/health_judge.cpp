// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/health_judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/result.h"

namespace dyetrace::health {
namespace {

/// Windows with delays before a path's floor is taken for one.
constexpr std::uint8_t kFloorSamples = 4;
/// Windows with delays before a path's jitter (a mean over 16 packets, RFC 3550 §6.4.1) says how steady it
/// is.
constexpr std::uint8_t kJitterSamples = 16;
/// A shift of delay by D moves the jitter by D/16 once, a queue moves it by about its own length.
constexpr std::int64_t kJitterShare = 16;
/// A queue is long where delay above the floor is so many times the usual one.
constexpr std::int64_t kQueueRatio = 6;
/// A constant loss rate above this share is rare, a burst mostly is above it.
constexpr double kBurstShare = 0.1;
/// A report finds evidence that an earlier one left, where the e-value is so many times that at rest.
constexpr double kArmed = 3;
/// Late, damaged, repeated packets or windows without which no share is called impaired.
constexpr std::uint16_t kHitsLeast = 3;
/// The impaired share is so many times the usual one, by odds.
constexpr double kOdds = 8;
/// Weight of what was before, per window, in the recent share of loss.
constexpr float kRecentKept = 0.875F;

std::uint32_t milliseconds(Time now) {
    return static_cast<std::uint32_t>(now.ns / 1'000'000);  // wraps
}

template <class Count>
void add_saturating(Count& count, std::uint64_t more) {
    constexpr std::uint64_t kMost = std::numeric_limits<Count>::max();
    count = static_cast<Count>(std::min<std::uint64_t>(kMost, std::min(more, kMost) + count));
}

std::int32_t clamped(std::int64_t ns) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(ns, INT32_MIN, INT32_MAX));
}

std::uint8_t bit(ShareTest test) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(test));
}

Metric metric_of(ShareTest test) {
    switch (test) {
        case ShareTest::Corruption: return Metric::Corruption;
        case ShareTest::Duplication: return Metric::Duplication;
        case ShareTest::Reordering: return Metric::Reordering;
        case ShareTest::Delay: return Metric::Delay;
        case ShareTest::Marking: return Metric::Marking;
        case ShareTest::Congestion: return Metric::Congestion;
    }
    DYETRACE_ASSERT(false);
    return Metric::None;
}

/// How bad: a worse state is taken at once, a better one after `hold`.
int severity(Health health, Metric metric) {
    if (health == Health::Failed) return 3;
    if (health == Health::Degraded) return is_fault(metric) ? 2 : 1;
    return 0;
}

double above_rest(const LossEvidence& evidence) {
    double sum = -1;  // at rest they sum up to 1
    for (const float one : evidence)
        sum += static_cast<double>(one);
    return sum;
}

}  // namespace

HealthJudge::HealthJudge(const DetectorConfig& config)
    : config_(config),
      loss_(config),
      congestion_(config.acceptors),
      discovery_(config.false_discovery_share, config.false_alarm) {}

void HealthJudge::enter(SessionDetector& session, IpAddress acceptor) {
    if (!session.entered_) {
        session.entered_ = true;
        session.pool_ = loss_.at_rest();
        session.bin_ = FalseDiscovery::bin_of(value(session));
        discovery_.enter(session.bin_);
    }
    if (!acceptor.is_unspecified()) session.group_ = congestion_.group_of(acceptor);
}

void HealthJudge::resume(SessionDetector& session, IpAddress acceptor) {
    session.entered_ = true;
    session.paths_evidence_ = 0;
    session.bin_ = FalseDiscovery::bin_of(value(session));
    discovery_.enter(session.bin_);
    count(session, 1);
    session.group_ = acceptor.is_unspecified() ? 0 : congestion_.group_of(acceptor);
}

void HealthJudge::count(const SessionDetector& session, int by) {
    const auto some = static_cast<std::size_t>(by);  // wraps as it has to
    if (session.is_faulty()) faulty_ += some;
    if (session.health() == Health::Degraded || session.health() == Health::Failed) impaired_ += some;
}

void HealthJudge::forget(SessionDetector& session) {
    if (!session.entered_) return;
    discovery_.leave(session.bin_);
    count(session, -1);
    session = {};
}

void HealthJudge::forget(SessionDetector& session, const PathDetector& path) {
    if (path.epoch == session.epoch_) session.paths_evidence_ -= above_rest(path.loss);
}

bool HealthJudge::add(SessionDetector& session, PathDetector& path, const MetricsWindow& window, Time now) {
    if (!session.entered_) enter(session, {});
    session.fresh_at_ = now;
    if (path.epoch != session.epoch_) {
        path.epoch = session.epoch_;
        path.loss = loss_.at_rest();
        path.clean = 0;
        path.sent = path.lost = 0;
    }
    const Signs signs = look(session, path, window);
    if (window.excess) {
        session.excess_ = true;
        session.lost_at_ms_ = milliseconds(now);
    } else if (window.sent > 0) {
        take_loss(session, path, window, signs, now);
    }
    settle_loss(session, path, now);
    take_shares(session, window, signs);
    return settle(session, path, now);
}

HealthJudge::Signs HealthJudge::look(SessionDetector& session, PathDetector& path,
                                     const MetricsWindow& window) const {
    Signs signs;
    if (window.delay_count > 0) {
        const std::int64_t mean = window.delay_sum.ns / window.delay_count;
        if (!session.has_delay_) {
            session.has_delay_ = true;
            session.delay_reference_ = mean;
        }
        const auto relative = [&](std::int64_t ns) {
            return clamped(clocks_difference({ns}, {session.delay_reference_}).ns);
        };
        if (path.samples == 0) {
            path.floor = std::min(relative(mean), relative(window.delay_min.ns));
        } else {
            const double seconds =
                std::clamp(clocks_difference(window.end, window.start).in_seconds(), 0.0, 60.0);
            const auto rise = static_cast<std::int64_t>(seconds * static_cast<double>(config_.floor_rise));
            path.floor = std::min(clamped(path.floor + rise), relative(mean));
        }
        const bool first = path.samples == 0 && session.floor_ == 0;
        session.floor_ = first ? path.floor : std::min(session.floor_, path.floor);
        // While a path's own floor is not known, that of the session's other paths stands in.
        const std::int32_t floor = path.samples < kFloorSamples ? session.floor_ : path.floor;
        add_saturating(path.samples, 1);
        signs.above_floor = {std::int64_t{relative(mean)} - floor};
        judge_delay(path, window, signs);
    }
    signs.marked = window.ce > 0 && window.ce >= config_.ce_share * window.tracked_received;
    return signs;
}

void HealthJudge::judge_delay(const PathDetector& path, const MetricsWindow& window, Signs& signs) const {
    const Duration usual = baselines_.delay(ClassBaselines::class_of(window.route_links));
    // A queue that loses packets is full: so a quarter to a half of the longest that the class saw is long,
    // and where it only ever met full ones, the usual is no measure.
    const Duration high = baselines_.high_delay(ClassBaselines::class_of(window.route_links));
    const Duration queue = std::clamp(std::min(std::max(usual * kQueueRatio, high / 4), high / 2),
                                      config_.queue_least, config_.queue_most);
    // One packet of several in a long queue moves their mean by less; the mean of several is as much
    // steadier.
    const Duration narrowed = {static_cast<std::int64_t>(static_cast<double>(queue.ns) /
                                                         std::min(4.0, std::sqrt(window.delay_count)))};
    signs.queued =
        signs.above_floor > (window.delay_count == 1 ? queue : std::min(queue, usual * 2 + narrowed));
    signs.sampled = path.samples >= kFloorSamples;
    signs.unqueued = signs.sampled && signs.above_floor <= std::max(usual, config_.queue_least);
    signs.shifted = signs.above_floor > queue + usual && path.samples >= kJitterSamples &&
                    window.jitter * kJitterShare < signs.above_floor;
}

LossTest::Trust HealthJudge::trust(const SessionDetector& session, const MetricsWindow& window,
                                   const Signs& signs, std::uint32_t slice) const {
    // In that share of windows with loss, the loss is not what H1 says: by so much a likelihood ratio is to
    // be clipped (Huber 1965). Where some packets of this window met no queue the share is a square smaller.
    const double unlike =
        -std::log(congestion_.congested_share(session.group_, slice, std::exp(-config_.window_most)));
    const bool burst = static_cast<double>(window.lost) >
                       kBurstShare * static_cast<double>(window.sent) + config_.losses_least;
    if (signs.sampled && !burst) return {std::min(config_.quiet_window_most, 2 * unlike), 0};
    return {std::min(burst ? config_.window_most : config_.quiet_window_most, unlike),
            2 * congestion_.loss_of_others(session.group_, session.own_, slice)};
}

void HealthJudge::take_loss(SessionDetector& session, PathDetector& path, const MetricsWindow& window,
                            const Signs& signs, Time now) {
    const std::uint64_t sent = window.sent;
    const std::uint64_t lost = std::min(window.lost, sent);
    const std::uint32_t slice = slice_of(now);
    const bool longer = (session.active_ & bit(ShareTest::Delay)) != 0;
    const bool mismarked = (session.active_ & bit(ShareTest::Marking)) != 0;
    const bool congested = (signs.queued && !longer) || (signs.marked && !mismarked);
    add_recent(session.own_, slice, static_cast<double>(sent), static_cast<double>(lost));
    congestion_.add(session.group_, slice, static_cast<double>(sent), static_cast<double>(lost),
                    signs.sampled, congested);
    session.recent_sent_ = session.recent_sent_ * kRecentKept + static_cast<float>(sent);
    session.recent_lost_ = session.recent_lost_ * kRecentKept + static_cast<float>(lost);
    session.recent_congested_ =
        session.recent_congested_ * kRecentKept + (congested ? static_cast<float>(lost) : 0.0F);
    if (lost > 0 && congested) return;  // says nothing, neither of a fault nor of health

    const double before = above_rest(path.loss);
    LossTest::Trust how_much, how_much_pooled;
    if (lost > 0) {
        how_much = how_much_pooled = trust(session, window, signs, slice);
        // The windows of one report are of the same time, so one burst may be in all of them.
        if (session.lost_at_ms_ == milliseconds(now)) {
            how_much_pooled.most = 0;
        } else {
            session.armed_ = value(session) >= kArmed * loss_.boost();
        }
        session.lost_at_ms_ = milliseconds(now);
        if (before <= 0.5) path.sent = path.lost = 0;
        if (above_rest(session.pool_) <= 0.5 || lost + session.pool_lost_ > UINT16_MAX)
            session.pool_sent_ = session.pool_lost_ = 0;
    }
    add_saturating(path.sent, sent);
    add_saturating(path.lost, lost);
    add_saturating(session.pool_sent_, sent);
    add_saturating(session.pool_lost_, lost);
    const auto take = [&](LossEvidence& evidence, float& clean, LossTest::Trust trusted) {
        loss_.add(evidence, sent, lost, trusted);
        loss_.add_clean(clean, sent, lost);
        if (!loss_.accepts(clean)) return;
        for (std::size_t k = 0; k < kLossRates; ++k)
            evidence[k] = std::min(evidence[k], loss_.at_rest()[k]);
    };
    take(path.loss, path.clean, how_much);
    take(session.pool_, session.clean_, how_much_pooled);
    session.paths_evidence_ += above_rest(path.loss) - before;
}

double HealthJudge::value(const SessionDetector& session) const {
    const double above = session.paths_evidence_ + kPoolWeight * above_rest(session.pool_);
    return loss_.boost() * std::max(0.0, 1 + above);
}

void HealthJudge::settle_loss(SessionDetector& session, const PathDetector& path, Time now) {
    double evidence = value(session);
    const double needed = 1 / level();
    const auto quiet = Duration::milliseconds(milliseconds(now) - session.lost_at_ms_);
    const bool enough = std::max<std::uint32_t>(path.lost, session.pool_lost_) >= config_.losses_least;
    if (!session.lossy_ && evidence >= needed && enough && session.armed_) session.lossy_ = true;
    const bool over =
        loss_.accepts(session.clean_) && (evidence <= std::sqrt(needed) || quiet >= config_.clear_after);
    if (session.lossy_ && over && now - session.since_ >= config_.hold) {
        session.lossy_ = false;
        put_to_rest(session);
        evidence = value(session);
    }
    if (session.excess_ && quiet >= config_.clear_after) session.excess_ = false;
    const std::uint8_t bin = FalseDiscovery::bin_of(evidence);
    discovery_.move(session.bin_, bin);
    session.bin_ = bin;
}

void HealthJudge::put_to_rest(SessionDetector& session) const {
    session.epoch_ = static_cast<std::uint8_t>(session.epoch_ % 255 + 1);
    session.paths_evidence_ = 0;
    session.pool_ = loss_.at_rest();
}

const ShareLimits& HealthJudge::limits(ShareTest test) const {
    switch (test) {
        case ShareTest::Corruption: return config_.corruption;
        case ShareTest::Duplication: return config_.duplication;
        case ShareTest::Reordering: return config_.reordering;
        case ShareTest::Delay: return config_.delay;
        case ShareTest::Marking: return config_.marking;
        case ShareTest::Congestion: return config_.congestion;
    }
    DYETRACE_ASSERT(false);
    return config_.corruption;
}

double HealthJudge::share_threshold() const {
    return std::log(kShareTests / level());  // Bonferroni's, for so many tests of one session
}

void HealthJudge::take_shares(SessionDetector& session, const MetricsWindow& window, const Signs& signs) {
    const std::size_t path_class = ClassBaselines::class_of(window.route_links);
    if (signs.sampled && !signs.shifted && severity(session.health_, session.metric_) < 2)
        baselines_.learn_delay(path_class, std::min(signs.above_floor, config_.queue_most * 2));
    if (const std::uint32_t tracked = window.tracked_received; tracked > 0) {
        take_share(session, ShareTest::Corruption, path_class, window.corrupted, tracked);
        take_share(session, ShareTest::Duplication, path_class, window.duplicates, tracked);
        take_share(session, ShareTest::Reordering, path_class, window.late, tracked);
    }
    if (!signs.sampled) return;
    take_share(session, ShareTest::Delay, path_class,
               signs.shifted && !signs.marked && window.lost == 0 ? 1 : 0, 1);
    take_share(session, ShareTest::Marking, path_class, signs.marked && signs.unqueued ? 1 : 0, 1);
    take_share(session, ShareTest::Congestion, path_class, signs.queued && !signs.shifted ? 1 : 0, 1);
}

void HealthJudge::take_share(SessionDetector& session, ShareTest test, std::size_t path_class,
                             std::uint32_t hits, std::uint32_t trials) {
    hits = std::min(hits, trials);  // a packet may be repeated more than once
    if (severity(session.health_, session.metric_) < 2)
        baselines_.learn_share(path_class, test, hits, trials);
    ShareState& state = session.shares_[static_cast<std::size_t>(test)];
    const std::uint8_t mask = bit(test);
    const bool active = (session.active_ & mask) != 0;
    if (hits == 0 && state.up == 0 && !active) return;  // as nearly always
    const double usual = baselines_.share(path_class, test, limits(test));
    const double odds = kOdds * usual / (1 - usual);
    const double impaired = std::max(limits(test).impaired, odds / (1 + odds));
    const double gain =
        std::min(config_.window_most, hits * std::log(impaired / usual) +
                                          (trials - hits) * (std::log1p(-impaired) - std::log1p(-usual)));
    if (state.up == 0) state.hits = state.trials = 0;
    add_saturating(state.hits, hits);
    add_saturating(state.trials, trials);
    const double most = 2 * share_threshold();
    state.up = static_cast<float>(std::clamp(state.up + gain, 0.0, most));
    if (!active) {
        if (state.up >= share_threshold() && state.hits >= kHitsLeast) {
            session.active_ |= mask;
            state.down = 0;
        }
        return;
    }
    state.down = static_cast<float>(std::max(0.0, state.down - gain));
    if (state.down < -std::log(config_.miss)) return;
    session.active_ &= static_cast<std::uint8_t>(~mask);
    state = {};
}

HealthJudge::Verdict HealthJudge::verdict(const SessionDetector& session) const {
    if (session.excess_) return {Health::Degraded, Metric::Excess};
    const double share = config_.failed_share * (session.health_ == Health::Failed ? 0.5 : 1);
    const auto unusable = [&](float lost) {
        return session.recent_sent_ >= config_.failed_packets_least && lost >= share * session.recent_sent_;
    };
    if (session.lossy_) {
        const bool failed = unusable(session.recent_lost_ - session.recent_congested_);
        return {failed ? Health::Failed : Health::Degraded, Metric::Loss};
    }
    for (std::size_t i = 0; i < kShareTests; ++i) {
        const auto test = static_cast<ShareTest>(i);
        if ((session.active_ & bit(test)) == 0) continue;
        const bool failed = test == ShareTest::Congestion && unusable(session.recent_lost_);
        return {failed ? Health::Failed : Health::Degraded, metric_of(test)};
    }
    if (loss_.accepts(session.clean_)) return {Health::Healthy, Metric::Loss};
    // Not accepted, yet nothing found: what it was stays, but for an impairment that is over.
    if (session.health_ == Health::Healthy) return {Health::Healthy, Metric::Loss};
    return {Health::NotMeasured, Metric::None};
}

bool HealthJudge::settle(SessionDetector& session, const PathDetector& path, Time now) {
    const Verdict next = verdict(session);
    if (next == Verdict{session.health_, session.metric_}) return false;
    const int before = severity(session.health_, session.metric_);
    const int after = severity(next.health, next.metric);
    if (after <= before && before > 0) {
        if (now - session.since_ < config_.hold) return false;
        if (after == 0 && next.health != Health::Healthy) return false;  // until health is shown
    }
    if (next.metric == Metric::Loss && next.health != Health::Healthy) {
        const bool one_path = above_rest(path.loss) * 2 >= session.paths_evidence_ && path.lost > 0;
        session.sample_ = one_path ? path.sent : session.pool_sent_;
        session.hits_ = one_path ? path.lost : session.pool_lost_;
        session.statistic_ = static_cast<float>(std::log(value(session)));
        session.threshold_ = static_cast<float>(-std::log(level()));
    } else if (next.health == Health::Healthy) {
        session.sample_ = session.pool_sent_;
        session.hits_ = session.pool_lost_;
        session.statistic_ = session.clean_;
        session.threshold_ = static_cast<float>(loss_.accept());
    }
    return take_state(session, next, now);
}

bool HealthJudge::take_state(SessionDetector& session, Verdict next, Time now) {
    for (std::size_t i = 0; i < kShareTests; ++i) {
        if (metric_of(static_cast<ShareTest>(i)) != next.metric) continue;
        const ShareState& state = session.shares_[i];
        session.sample_ = state.trials;
        session.hits_ = state.hits;
        session.statistic_ = state.up;
        session.threshold_ = static_cast<float>(share_threshold());
        if (next.health == Health::Failed) {
            session.sample_ = static_cast<std::uint32_t>(session.recent_sent_);
            session.hits_ = static_cast<std::uint32_t>(session.recent_lost_);
        }
    }
    if (next.metric == Metric::Excess) {  // a fact, not a test
        session.sample_ = session.hits_ = 0;
        session.statistic_ = 0;
        session.threshold_ = std::numeric_limits<float>::infinity();
    }
    count(session, -1);
    session.health_ = next.health;
    session.metric_ = next.metric;
    session.since_ = now;
    count(session, 1);
    return true;
}

bool HealthJudge::expire(SessionDetector& session, Time now) {
    if (session.health_ == Health::NotMeasured || now - session.fresh_at_ < config_.stale_after) return false;
    put_to_rest(session);
    session.clean_ = 0;
    session.pool_sent_ = session.pool_lost_ = 0;
    session.recent_sent_ = session.recent_lost_ = session.recent_congested_ = 0;
    session.shares_ = {};
    session.active_ = 0;
    session.lossy_ = session.excess_ = false;
    session.sample_ = session.hits_ = 0;
    session.statistic_ = session.threshold_ = 0;
    const std::uint8_t bin = FalseDiscovery::bin_of(value(session));
    discovery_.move(session.bin_, bin);
    session.bin_ = bin;
    return take_state(session, {Health::NotMeasured, Metric::Silence}, now);
}

}  // namespace dyetrace::health
