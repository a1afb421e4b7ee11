// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of a fabric beside what a run or a trace measured: counters of its switches, and what was
// concluded elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/localise/fabric_graph.h"
#include "core/localise/localiser.h"

namespace dyetrace::cli {

class OtherEvidence {
  public:
    /// Reads {"counters": [{"from", "to", "sent", "lost"}, ..]}: packets at a link, and those of them lost by
    /// errors. Throws `store::Error`, which names the file and the place in it.
    void read_counters(const std::filesystem::path& file);
    /// Reads what `dyetrace -j locate` prints. Throws likewise.
    void read_conclusions(const std::filesystem::path& file);
    [[nodiscard]] bool empty() const { return counters_.empty() && conclusions_.empty(); }

    /// Gives all of it to the localiser, whose graph that is. Returns a line on each entry that cannot be
    /// used, by file and place; the others are. `timed`: the localiser's observations have a time.
    std::vector<std::string> add_to(localise::Localiser& localiser, const localise::FabricGraph& graph,
                                    bool timed) const;

  private:
    struct Counter {
        std::string place;  ///< file and entry
        std::string from, to;
        std::uint64_t sent = 0, lost = 0;
    };
    struct Conclusion {
        std::string place;
        std::string from, to;  ///< of a link
        std::string device;    ///< empty: a link
        double log_odds = 0;   ///< posterior
        double loss_rate = 0;  ///< 0: not known
        std::size_t group_size = 1;
    };

    std::vector<Counter> counters_;
    std::vector<Conclusion> conclusions_;
};

}  // namespace dyetrace::cli
