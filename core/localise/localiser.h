// SPDX-License-Identifier: GPL-2.0-or-later
// Which links, and which devices, lose packets: Bayesian inference from what paths sent and lost.
//
// Use: `add` observations in any order, then `infer`. The verdict is a function of the set of observations
// and of the configuration, not of the order of adding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/time.h"
#include "core/localise/burst_model.h"
#include "core/localise/candidate_paths.h"
#include "core/localise/decision.h"
#include "core/localise/fabric_graph.h"

namespace dyetrace::localise {

/// When an observation was made, and how its surviving packets fared.
struct Window {
    Time start;                     ///< packets were sent after this ..
    Time end;                       ///< .. and up to this
    std::uint64_t delay_count = 0;  ///< packets whose delay is known; 0: queueing delay not measured
    Duration queueing_mean;         ///< their mean delay above the smallest delay ever seen on the path
};

/// What one path sent and lost. Observations of whole flows, whose time says nothing, have no window.
struct Observation {
    std::span<const LinkId> path;  ///< read by `add`, not kept
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;  ///< at most `sent`
    std::optional<Window> window = std::nullopt;
    /// Where the path is not known: `path` then is only what was crossed for certain, in any order (it may be
    /// empty), and one choice of this set was crossed besides. Of a flow, all packets took the same choice.
    std::optional<PathSetId> set = std::nullopt;
};

/// A link or a device, with the posterior log-odds (natural logarithm) that it loses packets by a fault.
struct Suspect {
    enum class Kind { Link, Device };
    Kind kind = Kind::Link;
    NodeId from, to;  ///< of a link
    NodeId device;    ///< of a device
    double log_odds = 0;
    int group = -1;  ///< entries that the evidence cannot tell apart share it, and the odds that one of them
                     ///< is; -1: alone
    double loss_rate = 0;  ///< most likely probability of losing a packet
};

struct Verdict {
    std::vector<Suspect> suspects;    ///< passed the decision threshold, best first
    std::vector<Suspect> candidates;  ///< the next best, which did not
};

/// One setting serves all fabrics: what differs between them (how many faults, how bad) is learned.
struct LocaliserConfig {
    // What a healthy link and a faulty one are.
    double healthy_rate_max = 1e-4;  ///< cables and optics in service lose up to this; above is worth a look
    double faulty_rate_min = 3e-4;   ///< three times that: weaker faults look like the worst healthy links
    double faulty_share = 0.014;     ///< of links, before looking; published studies plant 0.5 to 2 in 100 ..
    double faulty_share_strength = 1000;  ///< .. and it yields to the evidence of about so many links
    double host_link_log_odds =
        -4;  ///< added for a link to a host: what looks like its fault is mostly the host's
    double device_log_odds =
        -7;  ///< before looking, that a host or switch as a whole is faulty: one in a thousand
    double rival_log_odds =
        1;  ///< links whose evidence differs by less cannot be told apart: odds below e to 1

    std::uint64_t sent_min =
        200;  ///< packets without which a link is not judged: three lost of three are no evidence

    // Congestion (burst_model.h); only observations with a window can tell.
    Duration epoch = Duration::milliseconds(20);  ///< shortest epoch; a window belongs to the one it ends in
    std::size_t max_epochs = 256;                 ///< a longer history gets longer epochs
    BurstConfig burst;
    double windowed_log_odds =
        -5;  ///< added where a link's losses have a window: real congestion is odder than the model
    Duration steady_min = Duration::milliseconds(200);  ///< a loss that began later is not called steady yet
    Duration short_queue =
        Duration::microseconds(50);  ///< mean wait on a path none of whose queues overflowed
    double short_wait_log_factor =
        -1;  ///< each packet known to have waited less makes a burst less likely ..
    double long_wait_log_factor = 0.3;  ///< .. each that waited longer more likely ..
    double burst_factor_min = 0.02;     ///< .. within
    double burst_factor_max = 20;       ///< these bounds

    // Evidence from elsewhere.
    double counter_trust = 0.99;         ///< chance that a loss that a switch counted was one, and was all
    double counter_silence_trust = 0.5;  ///< chance that a switch that counted no loss would have seen one
    double conclusion_trust = 0.8;       ///< what others concluded counts as much as this share of it ..
    double conclusion_log_odds_max =
        12;  ///< .. and no more than this: one that is sure names a link that nothing else speaks for

    // Whose word is doubted.
    double liar_log_odds = -7;  ///< before looking, that a host's EPPC reports nonsense: one in a thousand
    std::size_t max_liars = 8;  ///< hosts whose word is set aside

    // What is named (decision.h).
    DecisionConfig decision;
    std::size_t max_candidates = 16;  ///< longest list of entries that did not pass

    std::size_t max_observations = 8'000'000;  ///< more are refused and counted
};

/// Observations that were not taken, by reason.
struct LocaliserCounters {
    std::uint64_t observations_over_limit = 0;  ///< `max_observations` was reached
    std::uint64_t impossible_counts = 0;        ///< lost > sent
    std::uint64_t empty = 0;                    ///< nothing sent, or a path of no link
    std::uint64_t unknown_sets = 0;             ///< a set that `use_sets` did not bring
    std::uint64_t impossible_conclusions = 0;   ///< no finite number, or no rate
};

/// Log odds that a link whose losses have a time is faulty, before looking.
[[nodiscard]] double log_odds_before(const FabricGraph& graph, const LocaliserConfig& config, NodeId from,
                                     NodeId to);

struct Conclusion;
struct LaidOut;

/// Judges evidence that was laid out by whoever keeps it. What the graph and the configuration say (priors,
/// devices) is filled in here; `prior_log_odds` of units and `devices` need not be set.
[[nodiscard]] Verdict verdict_of(const FabricGraph& graph, const LocaliserConfig& config, LaidOut laid_out);

class Localiser {
  public:
    explicit Localiser(const FabricGraph& graph,
                       LocaliserConfig config = {});  ///< `graph` must outlive it, and may grow
    ~Localiser();
    Localiser(Localiser&&) noexcept;
    Localiser& operator=(Localiser&&) noexcept;

    /// Where observations' sets are from; `sets` must outlive this, and may grow.
    void use_sets(const PathSets& sets);
    void add(const Observation& observation);
    /// What a switch counted at a link over the time that the observations are of. A loss that it counted is
    /// strong evidence; that it counted none is weak, since many drops are counted nowhere. Give packets lost
    /// by errors, not what a full queue discarded.
    void add_counter(LinkId link, std::uint64_t sent, std::uint64_t lost);
    /// What another health service concluded from observations that are not among these; its word counts as
    /// `LocaliserConfig` says.
    void add_conclusion(const Conclusion& conclusion);
    [[nodiscard]] Verdict infer() const;
    [[nodiscard]] std::size_t observations() const;
    [[nodiscard]] const LocaliserCounters& counters() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dyetrace::localise
