// SPDX-License-Identifier: GPL-2.0-or-later
// One number per instance of a service, for load balancers: how well it is, times how well the network
// reaches it.
//
//   q        = F / ((1 + loss / L) (1 + delay / D) (1 + jitter / J) (1 + CE / C))     one direction of one
//   pair
//              F: 0 where the pair has failed, else 1; a figure that is not measured counts as 0 there;
//              delay: queueing, which needs no common clock
//   network  = mean of q over the measured directions between the instance and others
//   raw      = own x network
//   smooth  += (1 - exp(-dt / T)) (raw - smooth)          T: `fall` where raw is below, `rise` where above
//   score    = smooth, as it was when it last differed from the score by `step` or more, or reached 0 or 1
//              within `step` / 10
//
// L, D, J and C are where a figure halves the score. Each factor lies in (0, 1] and falls as its figure
// grows, so q is in [0, 1] and monotone in each, and so are network, raw and smooth; score lags smooth by
// less than `step`.
//
// Not measured is neither good nor bad: an instance that no measured pair reaches, or that has not told of
// itself lately, has `unknown` in that factor's place. With the default of 0.5 a balancer sends it about half
// of what a healthy one gets. With 1 silence would pass as health; with 0 it would get no traffic, and
// dyetrace, which measures real traffic, would never learn better. The score says which factors were
// measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/health/client_view.h"

namespace dyetrace::health {

struct ServiceScoreConfig {
    double loss_half = 0.01;  ///< TCP's throughput halves well before that; shares
    Duration queueing_half = Duration::milliseconds(1);
    Duration jitter_half = Duration::milliseconds(1);
    double ce_half = 0.5;  ///< CE is how ECN should work; only a path that marks most of it is short of room
    double unknown = 0.5;
    Duration fall = Duration::seconds(1);   ///< quick to spare a sick one,
    Duration rise = Duration::seconds(10);  ///< slow to trust it again
    double step = 0.05;
    Duration own_silence = Duration::seconds(10);  ///< what an instance said of itself is good for so long
    std::size_t instances = 65536;
    std::size_t name_bytes = 64;
};

/// One direction of one pair, as far as a score looks at it.
struct ReachedPair {
    Health health = Health::NotMeasured;
    Figures figures;
};

/// q above; nothing where it is not measured.
std::optional<double> network_quality(const ReachedPair& pair, const ServiceScoreConfig& config);

struct InstanceScore {
    std::string service, instance;
    double score = 0;    ///< 0 to 1
    double own = 0;      ///< `unknown` where it is not measured
    double network = 0;  ///< the same
    bool own_measured = false;
    bool network_measured = false;
    std::uint32_t directions = 0;  ///< measured ones that `network` is of
    Time since;                    ///< when `score` changed last
};

class ServiceScores {
  public:
    static Result<ServiceScores, std::string> create(const ServiceScoreConfig& config);

    /// Errors in words. Its score is `unknown` squared until something is said of it.
    Result<Done, std::string> add_instance(std::string_view service, std::string_view instance, Time now);
    void remove_instance(std::string_view service, std::string_view instance);

    /// What the instance, or whoever checks it, says: 0 (cannot serve) to 1. False, and counted, where it is
    /// outside or no number, or where there is no such instance.
    bool set_own(std::string_view service, std::string_view instance, double health, Time now);
    /// How the network reaches it now: each measured direction between the instance and others.
    bool set_network(std::string_view service, std::string_view instance,
                     const std::vector<ReachedPair>& pairs, Time now);

    /// As of `now`, by service and instance. Smoothing moves on by it.
    std::vector<InstanceScore> scores(std::string_view service, Time now);
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

  private:
    struct Instance {
        std::optional<double> own;
        Time own_at;
        std::optional<double> network;
        std::uint32_t directions = 0;
        double smooth = 0;
        double score = 0;
        Time at;     ///< of `smooth`
        Time since;  ///< of `score`
    };
    using Key = std::pair<std::string, std::string>;

    explicit ServiceScores(const ServiceScoreConfig& config) : config_(config) {}
    [[nodiscard]] Instance* find(std::string_view service, std::string_view instance);
    [[nodiscard]] bool own_known(const Instance& instance, Time now) const;
    [[nodiscard]] double raw(const Instance& instance, Time now) const;
    void move_on(Instance& instance, Time now) const;
    void publish(Instance& instance, Time now) const;

    ServiceScoreConfig config_;
    std::map<Key, Instance> instances_;
    std::uint64_t refused_ = 0;
};

/// The directions between one guest of a tenant and the others, as a score looks at them: up to `most` that
/// were heard of, by name.
std::vector<ReachedPair> pairs_of(const ClientView& view, TenantId tenant, std::string_view guest,
                                  std::size_t most, Time now);

}  // namespace dyetrace::health
