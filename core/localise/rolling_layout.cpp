// SPDX-License-Identifier: GPL-2.0-or-later
// What rolling evidence says when it is asked.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/base/flat_table.h"
#include "core/base/random.h"
#include "core/localise/rate_prior.h"
#include "core/localise/rolling_evidence.h"

namespace dyetrace::localise {

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
        gather_flows();
        for (const Loss& loss : losses_)
            evidence_.routes_.for_each_link(loss.route, [&](LinkId link) { include(link); });
        for (const auto& [key, flow] : flows_)
            if (flow.lost > 0) for_each_possible(key.route(), [&](LinkId link) { include(link); });
        if (included_.size() > evidence_.config_.judged_at_least) clear_links();
        include_told();
        include_devices();
        std::sort(included_.begin(), included_.end());
        for (std::uint32_t i = 0; i < included_.size(); ++i)
            place_of_[included_[i].value] = i;
        if (!all_) sum_up();
        make_units();
        list_losses();
        list_flows();
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
    struct Flow {
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
            if (evidence_.set_of(kept.route)) return;
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

    /// Visits each link that a packet on this route crossed, or may have crossed, once or more often.
    template <class Visit>
    void for_each_possible(RouteHalves route, Visit visit) const {
        evidence_.routes_.for_each_link(route, visit);
        if (const auto set = evidence_.set_of(route)) {
            evidence_.for_each_maybe(
                *set, [&](LinkId link, std::size_t /*choice*/, std::uint64_t /*parts*/) { visit(link); });
        }
    }

    /// By epoch, then by route; of each route that is known once.
    void gather_losses() {
        evidence_.for_each_counted(since_, Which::Lossy, [&](const Kept& kept) {
            if (evidence_.set_of(kept.route)) {
                set_losses_.push_back(&kept);
            } else {
                losses_.push_back({epoch_of(kept), kept.route, kept.lost, kept.sent});
            }
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

    /// Without epochs nothing tells a queue that overflows from a steady loss: so what was lost while queues
    /// were long on the way is nobody's.
    [[nodiscard]] bool may_be_congestion(const Kept& kept) const {
        if (kept.delay_count > 0) return !kept.waited_shortly;
        bool waited = false;
        const std::int64_t ends = evidence_.epoch_of(kept.end_ns);
        for_each_possible(kept.route, [&](LinkId link) {
            waited = waited || burst_factor(evidence_.cell(link, ends)) > 1;
        });
        return waited;
    }

    /// What each path of which a set is known sent and lost.
    void gather_flows() {
        for (const Kept* const kept : set_losses_) {
            if (may_be_congestion(*kept)) continue;
            Flow& flow = flows_[flow_key(*kept)];
            flow.lost += kept->lost;
            flow.sent += kept->sent;
        }
        if (all_) {
            for (const auto& [key, flow] : evidence_.flows_)
                flows_[key].sent += flow.sent;
        } else if (!evidence_.flows_.empty()) {
            evidence_.for_each_counted(since_, Which::All, [&](const Kept& kept) {
                if (kept.lost == 0 && evidence_.set_of(kept.route)) flows_[flow_key(kept)].sent += kept.sent;
            });
        }
        if (flows_.empty()) return;
        certain_.resize(evidence_.links_.size());
        for (const auto& [key, flow] : flows_) {
            evidence_.routes_.for_each_link(
                key.route(), [&, sent = flow.sent](LinkId link) { certain_[link.value] += sent; });
        }
    }

    /// Sent across it for certain by paths of which only a set is known.
    [[nodiscard]] double sent_certainly(LinkId link) const {
        return certain_.empty() ? 0 : static_cast<double>(certain_[link.value]);
    }

    void include(LinkId link) {
        if (place_of_[link.value] != kNotIncluded) return;
        place_of_[link.value] = 0;
        included_.push_back(link);
    }

    /// Packets that crossed `link` since the latest time at which a fault may have begun.
    [[nodiscard]] double sent_lately(LinkId link) const {
        double sent = sent_certainly(link);
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
        for (const auto& [key, flow] : flows_) {
            for_each_possible(key.route(), [&, lost = flow.lost](LinkId link) {
                lost_[link.value] += static_cast<double>(lost);
            });
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

    /// What switches or other services hold something against is judged, whoever crosses it.
    void include_told() {
        if (evidence_.told_.empty()) return;
        told_ = evidence_.told_.links(config_, since_);
        for (const auto& [link, told] : told_)
            if (told.accuses()) include(link);
        for (const auto& [device, conclusion] : evidence_.told_.devices(config_, since_)) {
            out_.device_conclusions.resize(evidence_.graph_->node_count());
            out_.device_conclusions[device.value] = conclusion;
            for (const LinkId link : evidence_.graph_->links_of(device))
                if (is_crossed(link)) include(link);
        }
    }

    [[nodiscard]] bool is_crossed(LinkId link) const {
        return evidence_.links_[link.value].sent > 0 || evidence_.over_sets(link).sent_parts > 0;
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
            const std::uint64_t lost = evidence_.links_[link.value].lost + evidence_.over_sets(link).lost;
            if (lost < kSuspiciousLosses) continue;
            ++suspicious[graph.from(link).value];
            ++suspicious[graph.to(link).value];
        }
        for (std::uint32_t node = 0; node < suspicious.size(); ++node) {
            if (suspicious[node] < 2 || !may_be_to_blame(NodeId{node})) continue;
            for (const LinkId link : graph.links_of(NodeId{node})) {
                if (is_crossed(link)) include(link);
            }
        }
    }

    /// What the included links carried since then, window by window.
    void sum_up() {
        cells_.resize(included_.size() * static_cast<std::size_t>(epochs_));
        prints_.resize(included_.size());
        words_.resize(included_.size());
        evidence_.for_each_counted(since_, Which::All, [&](const Kept& kept) {
            const std::uint64_t print = evidence_.fingerprint_of(kept);
            const auto set = evidence_.set_of(kept.route);
            const auto epoch = set ? 0 : static_cast<std::size_t>(epoch_of(kept));
            const Ends ends = evidence_.ends_of(kept.route);
            evidence_.routes_.for_each_link(kept.route, [&](LinkId link) {
                const std::uint32_t place = place_of_[link.value];
                if (place == kNotIncluded) return;
                prints_[place] += print;
                add_word(words_[place], ends, kept.sent);
                if (set) return;
                Cell& sum = cells_[place * static_cast<std::size_t>(epochs_) + epoch];
                sum.sent += kept.sent;
                (kept.waited_shortly ? sum.waited_shortly : sum.waited_long) += kept.delay_count;
            });
            if (!set) return;
            evidence_.for_each_maybe(*set, [&](LinkId link, std::size_t c, std::uint64_t /*parts*/) {
                const std::uint32_t place = place_of_[link.value];
                if (place != kNotIncluded) prints_[place] += choice_print(print, c);
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
            std::uint64_t print = all_ ? evidence_.links_[link.value].fingerprint : prints_[place];
            // What is told of one link alone tells it from all others.
            if (told_.contains(link)) print += mix64(link.value ^ kToldPrint);
            const UnitIndex* const held = unit_of_print.find(print);
            if (print == 0) continue;  // nothing, not even perhaps
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

    void load(std::uint32_t place, UnitEvidence& unit) const {
        const LinkId link = included_[place];
        unit.sent_any_time = sent_certainly(link);
        if (const auto told = told_.find(link); told != told_.end()) {
            if (told->second.counter.sent > 0) unit.counters.push_back(told->second.counter);
            unit.conclusion = told->second.conclusion;
            unit.conclusion_rate = told->second.loss_rate;
            unit.windowed_conclusion = unit.conclusion != 0;
        }
        const WordSum& words = all_ ? evidence_.words_[link.value] : words_[place];
        std::copy(words.by_source.begin(), words.by_source.end(), unit.sent_by_source.begin());
        std::copy(words.by_target.begin(), words.by_target.end(), unit.sent_by_target.begin());
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
            evidence_.routes_.for_each_link(loss.route, [&](LinkId link) {
                const std::uint32_t place = place_of_[link.value];
                if (place == kNotIncluded) {
                    path.others_rate += healthy_rate(link);
                } else {
                    units.push_back(unit_of_[place]);
                }
            });
            keep_once(units, path.first_unit);
            path.unit_count = static_cast<std::uint32_t>(units.size()) - path.first_unit;
            if (path.unit_count == 0) continue;
            path.epoch = static_cast<std::int32_t>(loss.epoch);
            path.lost = static_cast<double>(loss.lost);
            path.sent = static_cast<double>(loss.sent);
            name_ends(path, loss.route);
            out_.evidence.lossy.push_back(path);
        }
    }

    void name_ends(LossyPath& path, RouteHalves route) const {
        const Ends ends = evidence_.ends_of(route);
        path.source = ends.source;
        path.target = ends.target;
    }

    /// Each with the set of which all its packets took one choice.
    void list_flows() {
        for (const auto& [key, flow] : flows_) {
            const PathSetId set = *evidence_.set_of(key.route());
            if (flow.lost > 0) {
                list_lossy(key.route(), set, flow);
            } else if (is_any_included(set)) {
                out_.evidence.lossless.push_back(
                    {set_index(set), kNoEpoch, static_cast<double>(flow.sent), 1});
            }
        }
    }

    [[nodiscard]] bool is_any_included(PathSetId set) const {
        bool any = false;
        evidence_.for_each_maybe(set, [&](LinkId link, std::size_t /*choice*/, std::uint64_t /*parts*/) {
            any = any || place_of_[link.value] != kNotIncluded;
        });
        return any;
    }

    void list_lossy(RouteHalves route, PathSetId set, const Flow& flow) {
        std::vector<UnitIndex>& units = out_.evidence.path_units;
        LossyPath path;
        path.first_unit = static_cast<std::uint32_t>(units.size());
        evidence_.routes_.for_each_link(route, [&](LinkId link) {
            const std::uint32_t place = place_of_[link.value];
            if (place == kNotIncluded) {
                path.others_rate += healthy_rate(link);
            } else {
                units.push_back(unit_of_[place]);
            }
        });
        keep_once(units, path.first_unit);
        path.unit_count = static_cast<std::uint32_t>(units.size()) - path.first_unit;
        path.lost = static_cast<double>(flow.lost);
        path.sent = static_cast<double>(flow.sent);
        path.set = set_index(set);
        name_ends(path, route);
        path.others_rate += set_others_[path.set];
        if (path.unit_count > 0 || has_units(path.set)) out_.evidence.lossy.push_back(path);
    }

    [[nodiscard]] bool has_units(SetIndex index) const {
        const Evidence& evidence = out_.evidence;
        const PathSet& set = evidence.sets[index];
        const auto first = evidence.choices.begin() + set.first_choice;
        return std::any_of(first, first + set.choice_count,
                           [](const PathChoice& choice) { return choice.unit_count > 0; });
    }

    /// Of the set in the evidence, where it is entered when first asked for.
    SetIndex set_index(PathSetId set) {
        Evidence& evidence = out_.evidence;
        const auto [found, is_new] = set_index_.try_emplace(set, evidence.sets.size());
        if (!is_new) return found->second;
        const std::size_t count = evidence_.sets_.choice_count(set);
        evidence.sets.push_back(
            {static_cast<std::uint32_t>(evidence.choices.size()), static_cast<std::uint32_t>(count)});
        double others = 0;  // what cleared links lose, be it on one choice or another
        for (std::size_t c = 0; c < count; ++c) {
            const Choice choice = evidence_.sets_.choice(set, c);
            const auto first = static_cast<std::uint32_t>(evidence.choice_units.size());
            for (const LinkId link : choice.links) {
                const std::uint32_t place = place_of_[link.value];
                if (place == kNotIncluded) {
                    others += choice.weight * healthy_rate(link);
                } else {
                    evidence.choice_units.push_back(unit_of_[place]);
                }
            }
            keep_once(evidence.choice_units, first);
            evidence.choices.push_back(
                {first, static_cast<std::uint32_t>(evidence.choice_units.size()) - first, choice.weight});
        }
        set_others_.push_back(others);
        return found->second;
    }

    /// From `first` on.
    static void keep_once(std::vector<UnitIndex>& units, std::uint32_t first) {
        const auto begin = units.begin() + first;
        std::sort(begin, units.end());
        units.erase(std::unique(begin, units.end()), units.end());
    }

    /// Expected of a link that is well and has lost next to nothing of what it carried.
    [[nodiscard]] double healthy_rate(LinkId link) const {
        const double sent = static_cast<double>(evidence_.links_[link.value].sent) +
                            packets(evidence_.over_sets(link).sent_parts);
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
    static constexpr std::uint64_t kToldPrint = 0x701d000000000000;

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
    std::vector<const Kept*> set_losses_;      ///< windows over sets
    std::map<FlowKey, Flow> flows_;            ///< paths of which a set is known
    std::vector<std::uint64_t> certain_;       ///< by link, of these; empty where there are none
    std::map<PathSetId, SetIndex> set_index_;  ///< of sets that are in the evidence
    std::vector<double> set_others_;           ///< by set in the evidence: lost by links that are no units
    std::vector<double> lost_;                 ///< by link, on paths across it; where links were cleared
    std::map<LinkId, ToldEvidence::OfLink> told_;
    std::vector<std::uint32_t> place_of_;  ///< of each link among the included ones
    std::vector<LinkId> included_;
    std::vector<UnitIndex> unit_of_;     ///< by place
    std::vector<Cell> cells_;            ///< by place and epoch; where not `all_`
    std::vector<std::uint64_t> prints_;  ///< by place; where not `all_`
    std::vector<WordSum> words_;         ///< by place; where not `all_`
    LaidOut out_;
};

LaidOut RollingEvidence::lay_out(const LocaliserConfig& config, Time since) const {
    return Layout(*this, config, since).make();
}

Verdict RollingEvidence::infer(const LocaliserConfig& config, Time since) const {
    return verdict_of(*graph_, config, lay_out(config, since));
}

}  // namespace dyetrace::localise
