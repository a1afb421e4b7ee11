// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps observations in small, and lays them out for inference.
//
// Sums are of integers and lists are sorted before use, so that the result does not depend on the order in
// which observations came.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/localise/conclusion.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/laid_out.h"
#include "core/localise/localiser.h"

namespace dyetrace::localise {

class ObservationTable {
  public:
    /// Hosts at the ends of a path, whose word an observation is.
    struct Ends {
        std::uint32_t source = kNoReporter, target = kNoReporter;
    };
    /// `observation` is sound: 0 <= lost <= sent, sent > 0, its path of known links, and not empty unless
    /// there is a set.
    void add(const Observation& observation, Ends ends);
    void add_counter(LinkId link, std::uint64_t sent, std::uint64_t lost);
    /// `loss_rate`: 0 where it is not known.
    void conclude(LinkId link, double log_odds, double loss_rate);
    void conclude(NodeId device, double log_odds);
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] LaidOut lay_out(const LocaliserConfig& config, const PathSets* sets) const;

  private:
    struct Kept {
        std::uint32_t first_link = 0;  ///< into `links_`
        std::uint32_t link_count = 0;
        std::uint64_t sent = 0;
        std::uint64_t lost = 0;
        SetIndex set = kNoSet;
        Ends ends;
        Window window;
    };
    struct SetSent {
        SetIndex set = 0;
        std::uint64_t sent = 0;
        auto operator<=>(const SetSent&) const = default;
    };
    struct Carried {
        std::uint64_t sent = 0;         ///< by observations without a window
        std::uint64_t fingerprint = 0;  ///< sum over observations; equal where the observations are the same
        bool any = false;
        std::array<std::uint64_t, kReporterBuckets> by_source{}, by_target{};
    };
    struct Counter {
        LinkId link;
        std::uint64_t sent = 0, lost = 0;
    };
    struct Clock {
        std::int64_t origin_ns = 0;
        std::int64_t epoch_ns = 1;
        std::size_t epochs = 0;
        [[nodiscard]] std::int32_t epoch_of(const Window& window) const;
    };

    [[nodiscard]] std::span<const LinkId> path_of(const Kept& kept) const;
    [[nodiscard]] Carried& carried(LinkId link);
    [[nodiscard]] std::vector<UnitIndex> make_units(LaidOut& out, const PathSets* sets) const;
    void lay_out_sets(const PathSets& sets, const std::vector<UnitIndex>& unit_of, LaidOut& out) const;
    void list_lossless(const Clock& clock, LaidOut& out) const;
    [[nodiscard]] Clock make_clock(const LocaliserConfig& config) const;
    void load_epochs(const LocaliserConfig& config, const Clock& clock, const std::vector<UnitIndex>& unit_of,
                     LaidOut& out) const;
    void list_lossy(const Clock& clock, const std::vector<UnitIndex>& unit_of, LaidOut& out) const;

    std::size_t size_ = 0;
    std::vector<Carried> carried_;  ///< by link
    std::vector<LinkId> links_;     ///< paths of what is kept, end to end
    std::vector<Kept> lossy_any_time_;
    std::vector<Kept> windowed_;
    std::vector<SetSent> lossless_;          ///< of flows without loss whose path is not known
    std::vector<std::uint64_t> set_prints_;  ///< by set: sum of the fingerprints of what may have crossed it
    std::vector<Counter> counters_;
    std::map<LinkId, ConcludedOfLink> link_conclusions_;
    std::vector<double> device_conclusions_;
};

}  // namespace dyetrace::localise
