// SPDX-License-Identifier: GPL-2.0-or-later
// What is told of links and devices beside what EPPCs measured: counters that switches keep, and what other
// health services concluded. All of it has a time, so that fresh evidence can be told from old.
//
// Counters are totals, read now and then; the difference of two neighbouring readings is a window, as it is
// of an EPPC's records. Of each service only its newest conclusions count: they are about a stretch of time
// that the ones before may overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/localise/conclusion.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/laid_out.h"

namespace dyetrace::localise {

struct ToldConfig {
    std::size_t services_most = 64;           ///< that conclude; of more nothing is taken
    std::size_t conclusions_most = 4096;      ///< of one service at a time
    std::size_t windows_most_of_a_link = 64;  ///< the oldest give way
};

class ToldEvidence {
  public:
    enum class Reading : std::uint8_t {
        Window,  ///< one in which nothing was lost
        LossyWindow,
        Begun,       ///< the first of its link: no window yet
        RanBack,     ///< totals below those before: the switch restarted, and all begins anew
        Late,        ///< not after the one before: not taken
        Impossible,  ///< more lost than sent since the one before: not taken
    };

    explicit ToldEvidence(ToldConfig config = {}) : config_(config) {}

    /// Totals of a link as of `at`: packets put on it, and those of them that were lost by errors (not what a
    /// full queue discarded; RFC 2863 ifInErrors at its far end).
    Reading counted(LinkId link, Time at, std::uint64_t sent, std::uint64_t lost);
    /// All that `service` concluded from what was measured since then, in place of what it said before. False
    /// where there is no room, or one that began later was told already: nothing is changed then.
    bool concluded(std::string_view service, Time since, std::vector<Conclusion> conclusions);
    void forget_before(Time since);

    [[nodiscard]] bool empty() const { return counted_.empty() && services_.empty(); }
    /// Whether a service, from nothing older, holds the link (or, where there is none, the device) for well,
    /// and none for faulty.
    [[nodiscard]] bool is_acquitted(std::optional<LinkId> link, NodeId device, Time since) const;

    /// What is known of one link from times at or after `since`.
    struct OfLink : ConcludedOfLink {
        CounterReading counter;
        [[nodiscard]] bool accuses() const { return counter.lost > 0 || conclusion > 0; }
    };
    /// By link; those of which nothing is known are not in it.
    [[nodiscard]] std::map<LinkId, OfLink> links(const LocaliserConfig& config, Time since) const;
    /// By device, weighed.
    [[nodiscard]] std::map<NodeId, double> devices(const LocaliserConfig& config, Time since) const;

  private:
    struct Window {
        Time start;
        CounterReading counter;
    };
    struct Counted {
        Time at;
        std::uint64_t sent = 0, lost = 0;
        std::deque<Window> windows;  ///< by time
    };
    struct Told {
        Time since;
        std::vector<Conclusion> conclusions;
    };
    /// Visits all that was concluded from nothing older.
    template <class Visit>
    void for_each_word(Time since, Visit visit) const {
        for (const auto& [name, told] : services_) {
            if (told.since < since) continue;
            for (const Conclusion& conclusion : told.conclusions)
                visit(conclusion);
        }
    }

    ToldConfig config_;
    std::map<LinkId, Counted> counted_;
    std::map<std::string, Told, std::less<>> services_;
};

}  // namespace dyetrace::localise
