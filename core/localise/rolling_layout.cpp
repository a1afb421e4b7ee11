// SPDX-License-Identifier: GPL-2.0-or-later
// What rolling evidence says when it is asked.
#include <algorithm>
#include <cmath>

#include "core/base/flat_table.h"
#include "core/base/random.h"
#include "core/localise/rate_prior.h"
#include "core/localise/rolling_evidence.h"

namespace dyetrace::localise {

template <class Visit>
void RollingEvidence::for_each_counted(Time since, Which which, Visit visit) const {
    const bool all = is_all(since);
    const auto walk = [&](Slot slot) {
        while (slot != kNoSlot) {
            const Kept& kept = slots_[slot];
            if (kept.route.is_known() && (all || kept.start_ns >= since.ns)) visit(kept);
            slot = kept.next;
        }
    };
    const auto ring = static_cast<std::int64_t>(epochs_.size());
    const std::int64_t last = std::min(newest_, oldest_ + ring - 1);
    for (std::int64_t number = all ? oldest_ : epoch_of(since.ns); number <= last; ++number) {
        walk(epoch(number).lossy);
        if (which == Which::All) walk(epoch(number).lossless);
    }
}

/// One laying out: what was lost, which links that concerns, and what those carried.
class RollingEvidence::Layout {
  public:
    Layout(const RollingEvidence& evidence, const LocaliserConfig& config, Time since)
        : evidence_(evidence),
          config_(config),
          prior_(config.healthy_rate_max, config.faulty_rate_min, config.faulty_share,
                 config.faulty_share_strength),
          since_(since),
          all_(evidence.is_all(since)),
          place_of_(evidence.links_.size(), kNotIncluded) {}

    LaidOut make() {
        set_clock();
        gather_losses();
        for (const Loss& loss : losses_)
            evidence_.routes_.for_each_link(loss.route, [&](LinkId link) { include(link); });
        if (included_.size() > evidence_.config_.judged_at_least) clear_links();
        include_devices();
        std::sort(included_.begin(), included_.end());
        for (std::uint32_t i = 0; i < included_.size(); ++i)
            place_of_[included_[i].value] = i;
        if (!all_) sum_up();
        make_units();
        list_losses();
        out_.evidence.last_onset = static_cast<std::int32_t>(epochs_ - 1 - steady_epochs());
        return std::move(out_);
    }

  private:
    static constexpr std::uint32_t kNotIncluded = std::numeric_limits<std::uint32_t>::max();
    struct Loss {
        std::int64_t epoch = 0;  ///< from the first
        RouteHalves route;
        std::uint64_t lost = 0;
        std::uint64_t sent = 0;
    };
    struct Hash {
        std::size_t operator()(std::uint64_t print) const { return table_hash(print); }
    };

    /// All that is remembered is summed up by epochs already; of less, epochs may be as short as a localiser
    /// makes them.
    void set_clock() {
        if (all_) {
            const auto ring = static_cast<std::int64_t>(evidence_.epochs_.size());
            std::int64_t last = std::min(evidence_.newest_, evidence_.oldest_ + ring - 1);
            first_ = evidence_.oldest_;
            while (first_ < last && evidence_.epoch(first_).counted == 0)
                ++first_;
            while (last > first_ && evidence_.epoch(last).counted == 0)
                --last;
            epoch_ns_ = evidence_.config_.epoch.ns;
            epochs_ = evidence_.epoch(last).counted == 0 ? 0 : last - first_ + 1;
            return;
        }
        std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = 0;
        evidence_.for_each_counted(since_, Which::All, [&](const Kept& kept) {
            begin = std::min(begin, kept.end_ns);
            end = std::max(end, kept.end_ns);
        });
        if (begin == std::numeric_limits<std::int64_t>::max()) return;
        const std::int64_t span = end - begin;
        origin_ns_ = begin;
        epoch_ns_ = std::max<std::int64_t>(
            {1, config_.epoch.ns, span / static_cast<std::int64_t>(config_.max_epochs) + 1});
        epochs_ = span / epoch_ns_ + 1;
    }

    [[nodiscard]] std::int64_t epoch_of(const Kept& kept) const {
        return all_ ? evidence_.epoch_of(kept.end_ns) - first_ : (kept.end_ns - origin_ns_) / epoch_ns_;
    }

    /// By epoch, then by route; of each once.
    void gather_losses() {
        evidence_.for_each_counted(since_, Which::Lossy, [&](const Kept& kept) {
            losses_.push_back({epoch_of(kept), kept.route, kept.lost, kept.sent});
        });
        const auto key = [](const Loss& loss) {
            return std::tuple(loss.epoch, loss.route.first, loss.route.second);
        };
        std::sort(losses_.begin(), losses_.end(),
                  [&](const Loss& a, const Loss& b) { return key(a) < key(b); });
        std::size_t kept = 0;
        for (const Loss& loss : losses_) {
            if (kept > 0 && key(losses_[kept - 1]) == key(loss)) {
                losses_[kept - 1].lost += loss.lost;
                losses_[kept - 1].sent += loss.sent;
            } else {
                losses_[kept++] = loss;
            }
        }
        losses_.resize(kept);
    }

    void include(LinkId link) {
        if (place_of_[link.value] != kNotIncluded) return;
        place_of_[link.value] = 0;
        included_.push_back(link);
    }

    /// Packets that crossed `link` since the latest time at which a fault may have begun.
    [[nodiscard]] double sent_lately(LinkId link) const {
        double sent = 0;
        for (std::int64_t epoch = std::max<std::int64_t>(epochs_ - 1 - steady_epochs(), 0); epoch < epochs_;
             ++epoch)
            sent += static_cast<double>(evidence_.cell(link, first_ + epoch).sent);
        return sent;
    }

    /// Most that the evidence can say for a fault, as a log Bayes factor: all losses are its own, and it
    /// began so late that it explains no more of the traffic than it must. A burst explains losses too, so
    /// what the evidence says is less still.
    [[nodiscard]] double most_for_fault(double sent, double lost) const {
        if (sent <= 0) return std::numeric_limits<double>::infinity();
        const double best = prior_.rates()[0];  // of any link; a path has another one
        const double rate = std::clamp(lost / sent - best, config_.faulty_rate_min, 1.0);
        return lost * std::log1p(rate / best) - sent * (rate - best) + kHealthyGrid;
    }

    /// Where many links are on paths that lost something, those are left out whose traffic shows that they
    /// are well. What healthy links lose, they lose too.
    void clear_links() {
        if (!all_) return;
        lost_.assign(evidence_.links_.size(), 0);
        for (const Loss& loss : losses_) {
            evidence_.routes_.for_each_link(
                loss.route, [&](LinkId link) { lost_[link.value] += static_cast<double>(loss.lost); });
        }
        std::vector<LinkId> doubtful;
        for (const LinkId link : included_) {
            place_of_[link.value] = kNotIncluded;
            if (most_for_fault(sent_lately(link), lost_[link.value]) > kClear) doubtful.push_back(link);
        }
        included_.clear();
        for (const LinkId link : doubtful)
            include(link);
    }

    /// Whether a fault of the device explains more than one of any of its links.
    [[nodiscard]] bool may_be_to_blame(NodeId node) const {
        if (lost_.empty()) return true;
        const FabricGraph& graph = *evidence_.graph_;
        double sent = 0, lost = 0, most_of_link = 0;
        for (const LinkId link : graph.links_of(node)) {
            const double link_sent = sent_lately(link);
            if (link_sent > 0)
                most_of_link = std::max(most_of_link, most_for_fault(link_sent, lost_[link.value]));
            if (graph.to(link) != node && graph.kind(node) == NodeKind::Switch) continue;
            sent += link_sent;
            lost += lost_[link.value];
        }
        return most_for_fault(sent, lost) > most_of_link;
    }

    [[nodiscard]] std::int64_t steady_epochs() const {
        return config_.steady_min.ns / std::max<std::int64_t>(epoch_ns_, 1);
    }

    /// A device is judged where several of its links may be faulty; then what its other links carried counts.
    void include_devices() {
        const FabricGraph& graph = *evidence_.graph_;
        std::vector<std::uint32_t> suspicious(graph.node_count());
        const std::size_t on_lossy_paths = included_.size();
        for (std::size_t i = 0; i < on_lossy_paths; ++i) {
            const LinkId link = included_[i];
            if (evidence_.links_[link.value].lost < kSuspiciousLosses) continue;
            ++suspicious[graph.from(link).value];
            ++suspicious[graph.to(link).value];
        }
        for (std::uint32_t node = 0; node < suspicious.size(); ++node) {
            if (suspicious[node] < 2 || !may_be_to_blame(NodeId{node})) continue;
            for (const LinkId link : graph.links_of(NodeId{node})) {
                if (evidence_.links_[link.value].sent > 0) include(link);
            }
        }
    }

    /// What the included links carried since then, window by window.
    void sum_up() {
        cells_.resize(included_.size() * static_cast<std::size_t>(epochs_));
        prints_.resize(included_.size());
        evidence_.for_each_counted(since_, Which::All, [&](const Kept& kept) {
            const auto epoch = static_cast<std::size_t>(epoch_of(kept));
            const std::uint64_t print = evidence_.fingerprint_of(kept);
            evidence_.routes_.for_each_link(kept.route, [&](LinkId link) {
                const std::uint32_t place = place_of_[link.value];
                if (place == kNotIncluded) return;
                Cell& sum = cells_[place * static_cast<std::size_t>(epochs_) + epoch];
                sum.sent += kept.sent;
                (kept.waited_shortly ? sum.waited_shortly : sum.waited_long) += kept.delay_count;
                prints_[place] += print;
            });
        });
    }

    [[nodiscard]] const Cell& cell(std::uint32_t place, std::int64_t epoch) const {
        if (all_) return evidence_.cell(included_[place], first_ + epoch);
        return cells_[place * static_cast<std::size_t>(epochs_) + static_cast<std::size_t>(epoch)];
    }

    /// A queue that overflows holds up whatever passes through it. So a path that waited shortly speaks
    /// against each of its links; one that waited long may have done so at any of them, and says less.
    [[nodiscard]] double burst_factor(const Cell& cell) const {
        const double log_factor = config_.long_wait_log_factor * static_cast<double>(cell.waited_long) +
                                  config_.short_wait_log_factor * static_cast<double>(cell.waited_shortly);
        if (log_factor <= log_factor_min_) return config_.burst_factor_min;
        if (log_factor >= log_factor_max_) return config_.burst_factor_max;
        return std::exp(log_factor);
    }

    void make_units() {
        unit_of_.resize(included_.size());
        FlatTable<std::uint64_t, UnitIndex, Hash> unit_of_print;
        for (std::uint32_t place = 0; place < included_.size(); ++place) {
            const LinkId link = included_[place];
            const std::uint64_t print = all_ ? evidence_.links_[link.value].fingerprint : prints_[place];
            const UnitIndex* const held = unit_of_print.find(print);
            if (held == nullptr && !carried_any(place)) continue;
            const auto unit = held == nullptr ? static_cast<UnitIndex>(out_.unit_links.size()) : *held;
            if (held == nullptr) {
                unit_of_print[print] = unit;
                out_.unit_links.emplace_back();
                load(place, out_.evidence.units.emplace_back());
            }
            unit_of_[place] = unit;
            out_.unit_links[unit].push_back(link);
        }
    }

    [[nodiscard]] bool carried_any(std::uint32_t place) const {
        for (std::int64_t epoch = 0; epoch < epochs_; ++epoch) {
            if (cell(place, epoch).sent > 0) return true;
        }
        return false;
    }

    void load(std::uint32_t place, UnitEvidence& unit) const {
        for (std::int64_t epoch = 0; epoch < epochs_; ++epoch) {
            const Cell& sum = cell(place, epoch);
            if (sum.sent == 0) continue;
            unit.epochs.push_back(
                {static_cast<std::int32_t>(epoch), static_cast<double>(sum.sent), burst_factor(sum)});
        }
    }

    void list_losses() {
        std::vector<UnitIndex>& units = out_.evidence.path_units;
        for (const Loss& loss : losses_) {
            LossyPath path;
            path.first_unit = static_cast<std::uint32_t>(units.size());
            std::optional<LinkId> first, last;
            evidence_.routes_.for_each_link(loss.route, [&](LinkId link) {
                const std::uint32_t place = place_of_[link.value];
                if (place == kNotIncluded) {
                    path.others_rate += healthy_rate(link);
                } else {
                    units.push_back(unit_of_[place]);
                }
                if (!first) first = link;
                last = link;
            });
            const auto begin = units.begin() + path.first_unit;
            std::sort(begin, units.end());
            units.erase(std::unique(begin, units.end()), units.end());
            path.unit_count = static_cast<std::uint32_t>(units.size()) - path.first_unit;
            if (path.unit_count == 0) continue;
            path.epoch = static_cast<std::int32_t>(loss.epoch);
            path.lost = static_cast<double>(loss.lost);
            path.sent = static_cast<double>(loss.sent);
            path.source = evidence_.graph_->from(*first).value;
            path.target = evidence_.graph_->to(*last).value;
            out_.evidence.lossy.push_back(path);
        }
    }

    /// Expected of a link that is well and has lost next to nothing of what it carried.
    [[nodiscard]] double healthy_rate(LinkId link) const {
        const auto sent = static_cast<double>(evidence_.links_[link.value].sent);
        double weights = 0, sum = 0;
        for (std::size_t i = 0; i < kHealthyRates; ++i) {
            const double rate = prior_.rates()[i];
            const double weight = std::exp(-sent * (rate - prior_.rates()[0]));
            weights += weight;
            sum += weight * rate;
        }
        return sum / weights;
    }

    /// Of a link that is well the weight of the best rate is a sixth.
    static constexpr double kHealthyGrid = 1.8;
    /// Log Bayes factor below which nobody looks at a link any closer: with the prior, one in ten thousand.
    static constexpr double kClear = 0;
    /// Fewer do not make a link likely to be faulty, whatever it carried (at least `sent_min` packets).
    static constexpr std::uint64_t kSuspiciousLosses = 3;

    const RollingEvidence& evidence_;
    const LocaliserConfig& config_;
    const RatePrior prior_;  ///< for its rates
    const double log_factor_min_ = std::log(config_.burst_factor_min);
    const double log_factor_max_ = std::log(config_.burst_factor_max);
    Time since_;
    bool all_;
    std::int64_t first_ = 0;      ///< epoch of the evidence that is epoch 0 here; where `all_`
    std::int64_t origin_ns_ = 0;  ///< else when that begins
    std::int64_t epoch_ns_ = 1;
    std::int64_t epochs_ = 0;
    std::vector<Loss> losses_;
    std::vector<double> lost_;             ///< by link, on paths across it; where links were cleared
    std::vector<std::uint32_t> place_of_;  ///< of each link among the included ones
    std::vector<LinkId> included_;
    std::vector<UnitIndex> unit_of_;     ///< by place
    std::vector<Cell> cells_;            ///< by place and epoch; where not `all_`
    std::vector<std::uint64_t> prints_;  ///< by place; where not `all_`
    LaidOut out_;
};

LaidOut RollingEvidence::lay_out(const LocaliserConfig& config, Time since) const {
    return Layout(*this, config, since).make();
}

Verdict RollingEvidence::infer(const LocaliserConfig& config, Time since) const {
    return verdict_of(*graph_, config, lay_out(config, since));
}

/// By half: whether `link` is of it.
std::vector<bool> RollingEvidence::halves_across(LinkId link) const {
    std::vector<bool> across(routes_.half_count());
    for (std::uint32_t i = 0; i < across.size(); ++i) {
        const auto links = routes_.half(i);
        across[i] = std::find(links.begin(), links.end(), link) != links.end();
    }
    return across;
}

Crossing RollingEvidence::crossing(LinkId link, Time since) const {
    if (is_all(since)) return {links_[link.value].sent, links_[link.value].lost};
    const auto across = halves_across(link);
    Crossing sum;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (!across[kept.route.first] && !across[kept.route.second]) return;
        sum.sent += kept.sent;
        sum.lost += kept.lost;
    });
    return sum;
}

namespace {

/// The keys with the most traffic first, then by key; at most `most`.
template <class Key>
std::vector<Key> most_first(std::vector<std::pair<Key, std::uint64_t>> sent, std::size_t most) {
    std::sort(sent.begin(), sent.end());
    std::size_t kept = 0;
    for (const auto& entry : sent) {
        if (kept > 0 && sent[kept - 1].first == entry.first) {
            sent[kept - 1].second += entry.second;
        } else {
            sent[kept++] = entry;
        }
    }
    sent.resize(kept);
    std::stable_sort(sent.begin(), sent.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    sent.resize(std::min(sent.size(), most));
    std::vector<Key> keys;
    for (const auto& [key, packets] : sent)
        keys.push_back(key);
    return keys;
}

}  // namespace

std::vector<HostPair> RollingEvidence::pairs_across(LinkId link, Time since, std::size_t most) const {
    const auto across = halves_across(link);
    std::vector<std::pair<HostPair, std::uint64_t>> sent;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (kept.path == kNoPath || (!across[kept.route.first] && !across[kept.route.second])) return;
        const PathKey key = names_->key(PathId{kept.path});
        sent.push_back({{key.requester, key.acceptor}, kept.sent});
    });
    return most_first(std::move(sent), most);
}

std::vector<PathKey> RollingEvidence::paths_across(LinkId link, Time since, std::size_t most) const {
    const auto across = halves_across(link);
    std::vector<std::pair<PathKey, std::uint64_t>> sent;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (kept.path == kNoPath || (!across[kept.route.first] && !across[kept.route.second])) return;
        sent.push_back({names_->key(PathId{kept.path}), kept.sent});
    });
    return most_first(std::move(sent), most);
}

Crossing RollingEvidence::carried(std::span<const PairPath> paths, Time since) const {
    Crossing sum;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (kept.path == kNoPath) return;
        const PathKey key = names_->key(PathId{kept.path});
        if (!std::binary_search(paths.begin(), paths.end(), PairPath{key.requester, key.acceptor, key.path}))
            return;
        sum.sent += kept.sent;
        sum.lost += kept.lost;
    });
    return sum;
}

Crossing RollingEvidence::carried_between(std::span<const HostPair> pairs, Time since) const {
    Crossing sum;
    for_each_counted(since, Which::All, [&](const Kept& kept) {
        if (kept.path == kNoPath) return;
        const PathKey key = names_->key(PathId{kept.path});
        if (!std::binary_search(pairs.begin(), pairs.end(), HostPair{key.requester, key.acceptor})) return;
        sum.sent += kept.sent;
        sum.lost += kept.lost;
    });
    return sum;
}

}  // namespace dyetrace::localise
