// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/snapshot_builder.h"

#include <QFileInfo>
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "analysis/store/error.h"
#include "analysis/store/run_reader.h"
#include "analysis/store/truth_reader.h"
#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

using store::RowId;

// 16 bytes a cell: at most 64 MB.
constexpr std::size_t history_cells_max = std::size_t{4} << 20;
// Fine enough for any screen.
constexpr std::size_t fabric_history_cells_max = 20'000;
// How often a long table asks whether anybody still wants it.
constexpr std::int64_t records_between_questions = 65'536;

struct GivenUp {};

QString text(const std::string& s) {
    return QString::fromStdString(s);
}

std::optional<std::int64_t> number(const std::optional<std::string>& s) {
    if (!s) return std::nullopt;
    bool ok = false;
    const auto value = text(*s).toLongLong(&ok);
    return ok ? std::optional<std::int64_t>(value) : std::nullopt;
}

NodeKind node_kind(const std::string& kind) {
    if (kind == "host") return NodeKind::Host;
    if (kind == "edge") return NodeKind::Edge;
    if (kind == "agg") return NodeKind::Aggregation;
    if (kind == "core") return NodeKind::Core;
    return NodeKind::Switch;
}

/// Where a row of the database went.
class Indices {
  public:
    explicit Indices(std::string table) : table_(std::move(table)) {}
    void add(RowId id) { index_of_.emplace(id, static_cast<int>(index_of_.size())); }
    [[nodiscard]] int at(RowId id) const {
        const auto found = index_of_.find(id);
        if (found == index_of_.end())
            throw store::Error("a row refers to " + table_ + " " + std::to_string(id) +
                               ", which does not exist");
        return found->second;
    }
    [[nodiscard]] int at(const std::optional<RowId>& id) const { return id ? at(*id) : -1; }

  private:
    std::string table_;
    std::unordered_map<RowId, int> index_of_;
};

/// Session, path index and generation in one number, in that order.
std::uint64_t path_key(int session, std::uint16_t index, std::uint8_t generation) {
    return static_cast<std::uint64_t>(session) << 24 | static_cast<std::uint64_t>(index) << 8 | generation;
}

/// Turns the cumulative records of one path into windows.
class WindowMaker {
  public:
    /// A record that is older than one before it, or repeats it, says nothing new.
    void add(MeasuredPath& path, const store::PathRecordRow& row, std::int64_t begin_ns) {
        const auto sent = static_cast<std::int64_t>(row.sent);
        const auto lost = sent - static_cast<std::int64_t>(row.received);
        if (seen_ && (row.t_ns < t_ns_ || sent < total_.sent)) return;
        path.excess = path.excess || row.excess;
        path.tail_open = row.open;
        path.delay_ns_min = row.delay_ns_min;
        path.delay_ns_max = row.delay_ns_max;
        path.delay_count = static_cast<std::int64_t>(row.delay_count);
        if (row.delay_count > 0)
            path.delay_ns_mean = static_cast<double>(row.delay_ns_sum) / static_cast<double>(row.delay_count);
        const Loss total{sent, lost};
        if (total != total_)
            path.windows.push_back({std::min(seen_ ? t_ns_ : begin_ns, row.t_ns), row.t_ns, total});
        total_ = path.total = total;
        t_ns_ = row.t_ns;
        seen_ = true;
    }

  private:
    std::int64_t t_ns_ = 0;
    Loss total_;
    bool seen_ = false;
};

struct PathInMaking {
    std::uint64_t key = 0;
    MeasuredPath path;
    WindowMaker windows;
};

class Builder {
  public:
    Builder(const std::filesystem::path& file, LoadProgress progress)
        : reader_(file), progress_(std::move(progress)) {
        run_->file = text(file.string());
    }

    SnapshotPtr build() {
        read_provenance();
        read_fabric();
        read_sessions();
        read_decisions();
        read_truth();
        read_paths();
        read_records();
        run_->range = {0, std::max({reader_.last_time_ns(), simulated_ns_, std::int64_t{1}})};
        file_windows();
        return run_;
    }

  private:
    void say(const QString& what) {
        if (progress_ && !progress_(what)) throw GivenUp{};
    }

    void read_provenance() {
        for (const auto& [key, value] : reader_.provenance())
            run_->provenance.emplace_back(text(key), text(value));
        run_->complete = reader_.complete();
        simulated_ns_ = number(reader_.provenance("simulated_ns")).value_or(0);
        const auto scenario = reader_.provenance("scenario_path").value_or("");
        run_->title = QFileInfo(scenario.empty() ? run_->file : text(scenario)).completeBaseName();
    }

    void read_fabric() {
        say(QStringLiteral("fabric"));
        for (const auto& row : reader_.nodes()) {
            node_ids_.add(row.id);
            run_->nodes.push_back({text(row.name), node_kind(row.kind), text(row.address),
                                   static_cast<int>(row.pod.value_or(-1)),
                                   static_cast<int>(row.position.value_or(-1))});
        }
        for (const auto& row : reader_.links()) {
            const int from = node_ids_.at(row.from_node);
            const int to = node_ids_.at(row.to_node);
            const int index = static_cast<int>(run_->links.size());
            run_->links.push_back({from, to, -1, row.rate_bps, row.delay_ns});
            link_between_[{from, to}] = index;
            if (const auto back = link_between_.find({to, from}); back != link_between_.end()) {
                run_->links.back().reverse = back->second;
                run_->links[static_cast<std::size_t>(back->second)].reverse = index;
            }
        }
        run_->paths_of_link.resize(run_->links.size());
    }

    void read_sessions() {
        say(QStringLiteral("sessions"));
        for (const auto& row : reader_.sessions()) {
            session_ids_.add(row.id);
            Session session;
            session.requester = node_ids_.at(row.requester_node);
            session.acceptor = node_ids_.at(row.acceptor_node);
            session.session_id = row.session_id;
            session.label =
                node_name(session.requester) + QStringLiteral(" > ") + node_name(session.acceptor);
            session.state = text(row.state);
            session.reason = text(row.reason);
            session.requested_ns = row.requested_ns;
            session.active_ns = row.active_ns;
            session.closed_ns = row.closed_ns;
            session.sampling =
                text(row.sampling_kind) + QStringLiteral(", ") + percent_text(row.sampling_rate);
            session_of_label_.emplace(session.label, static_cast<int>(run_->sessions.size()));
            run_->sessions.push_back(std::move(session));
        }
        for (const auto& row : reader_.session_events()) {
            run_->sessions[static_cast<std::size_t>(session_ids_.at(row.session))].changes.push_back(
                {row.t_ns, text(row.to_state)});
        }
        for (auto& session : run_->sessions)
            settle_changes(session);
    }

    /// A writer that keeps no events still says when a session was requested, active and closed.
    static void settle_changes(Session& session) {
        auto& changes = session.changes;
        if (changes.empty()) {
            if (session.requested_ns) changes.push_back({*session.requested_ns, QStringLiteral("requested")});
            if (session.active_ns) changes.push_back({*session.active_ns, QStringLiteral("active")});
            if (session.closed_ns) changes.push_back({*session.closed_ns, session.state});
        }
        std::stable_sort(changes.begin(), changes.end(),
                         [](const auto& a, const auto& b) { return a.t_ns < b.t_ns; });
    }

    void read_decisions() {
        say(QStringLiteral("incidents"));
        for (const auto& row : reader_.detections()) {
            const int session =
                row.session ? session_ids_.at(*row.session) : session_labelled(text(row.subject));
            run_->detections.push_back(
                {row.t_ns,
                 text(row.subject),
                 session,
                 text(row.kind),
                 text(row.state),
                 {static_cast<std::int64_t>(row.sent), static_cast<std::int64_t>(row.lost)},
                 text(row.reason)});
        }
        for (const auto& row : reader_.incidents()) {
            incident_ids_.add(row.id);
            run_->incidents.push_back({row.id,
                                       row.opened_ns,
                                       row.closed_ns,
                                       text(row.state),
                                       text(row.subject),
                                       link_named(text(row.subject)),
                                       text(row.reason),
                                       {},
                                       {}});
        }
        for (const auto& row : reader_.incident_events())
            incident(row.incident).steps.push_back({row.t_ns, text(row.kind), text(row.detail)});
        for (const auto& row : reader_.suspects())
            add_suspect(row);
        for (auto& incident : run_->incidents) {
            std::stable_sort(incident.steps.begin(), incident.steps.end(),
                             [](const auto& a, const auto& b) { return a.t_ns < b.t_ns; });
            for (auto& inference : incident.inferences)
                std::stable_sort(inference.suspects.begin(), inference.suspects.end(),
                                 [](const auto& a, const auto& b) { return a.rank < b.rank; });
        }
        for (const auto& row : reader_.directives()) {
            run_->directives.push_back({row.t_ns, row.incident, node_ids_.at(row.node), text(row.kind),
                                        text(row.detail), row.acked_ns});
        }
    }

    void add_suspect(const store::SuspectRow& row) {
        Suspect suspect;
        suspect.rank = static_cast<int>(row.rank);
        suspect.device = node_ids_.at(row.device_node);
        suspect.log_odds = row.log_odds;
        suspect.loss_rate = row.loss_rate;
        suspect.group = row.group_id;
        if (row.from_node && row.to_node) {
            const int from = node_ids_.at(*row.from_node);
            const int to = node_ids_.at(*row.to_node);
            suspect.link = link_between(from, to);
            suspect.name = node_name(from) + QStringLiteral(" > ") + node_name(to);
        } else if (suspect.device >= 0) {
            suspect.name = node_name(suspect.device);
        }
        // One inference is written at once, and times only grow within an incident.
        auto& inferences = incident(row.incident).inferences;
        if (inferences.empty() || inferences.back().t_ns != row.t_ns) inferences.push_back({row.t_ns, {}});
        inferences.back().suspects.push_back(std::move(suspect));
    }

    void read_truth() {
        for (const auto& row : store::TruthReader(reader_).faults()) {
            TruthFault fault;
            fault.t_ns = row.t_ns;
            fault.until_ns = row.until_ns;
            fault.kind = text(row.kind);
            fault.from = node_ids_.at(row.from_node);
            fault.to = node_ids_.at(row.to_node);
            fault.link = link_between(fault.from, fault.to);
            fault.probability = row.probability;
            const QString link = fault.from == fault.to
                                     ? node_name(fault.from)
                                     : node_name(fault.from) + QStringLiteral(" > ") + node_name(fault.to);
            fault.text =
                row.probability < 1
                    ? QStringLiteral("%1 of %2 on %3").arg(fault.kind, percent_text(row.probability), link)
                    : QStringLiteral("%1 of %2").arg(fault.kind, link);
            run_->truth_faults.push_back(std::move(fault));
        }
    }

    void read_paths() {
        say(QStringLiteral("paths"));
        for (const auto& row : reader_.paths()) {
            MeasuredPath& path = path_of(session_ids_.at(row.session), row.path_index, row.generation).path;
            path.udp_source_port = row.udp_source_port;
            path.learned_ns = row.learned_ns;
            path.complete = row.complete;
            for (const RowId hop : row.hops)
                path.hops.push_back(node_ids_.at(hop));
            for (std::size_t i = 1; i < path.hops.size(); ++i) {
                const int link = link_between(path.hops[i - 1], path.hops[i]);
                if (link >= 0) path.links.push_back(link);
            }
        }
    }

    void read_records() {
        say(QStringLiteral("path records"));
        reader_.for_each_path_record([&](const store::PathRecordRow& row) {
            if (++run_->record_count % records_between_questions == 0)
                say(QStringLiteral("%1 path records").arg(count_text(run_->record_count)));
            const int session = session_ids_.at(row.session);
            PathInMaking& making = path_of(session, row.path_index, row.generation);
            const auto begin_ns =
                run_->sessions[static_cast<std::size_t>(session)].active_ns.value_or(row.t_ns);
            making.windows.add(making.path, row, begin_ns);
        });
    }

    /// Puts the paths in their order, and what they lost into the histories.
    void file_windows() {
        say(QStringLiteral("history"));
        const auto end_ns = run_->range.end_ns;
        run_->link_history = LossHistory(run_->links.size(), end_ns, history_cells_max);
        run_->fabric_history = LossHistory(1, end_ns, fabric_history_cells_max);
        std::sort(paths_.begin(), paths_.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
        run_->paths.reserve(paths_.size());
        for (auto& making : paths_) {
            MeasuredPath& path = making.path;
            path.windows.shrink_to_fit();
            const int index = static_cast<int>(run_->paths.size());
            auto& session = run_->sessions[static_cast<std::size_t>(path.session)];
            if (session.paths_begin == session.paths_end) session.paths_begin = index;
            session.paths_end = index + 1;
            session.total += path.total;
            for (const int link : path.links)
                run_->paths_of_link[static_cast<std::size_t>(link)].push_back(index);
            for (const auto& window : path.windows) {
                const Loss loss = path.loss_in(window);
                for (const int link : path.links)
                    run_->link_history.add(static_cast<std::size_t>(link), window.to_ns, loss);
                run_->fabric_history.add(0, window.to_ns, loss);
            }
            run_->paths.push_back(std::move(path));
        }
        run_->link_history.seal();
        run_->fabric_history.seal();
    }

    PathInMaking& path_of(int session, std::uint16_t index, std::uint8_t generation) {
        const auto key = path_key(session, index, generation);
        const auto [found, fresh] = path_index_.try_emplace(key, paths_.size());
        if (!fresh) return paths_[found->second];
        PathInMaking& making = paths_.emplace_back();
        making.key = key;
        making.path.session = session;
        making.path.index = index;
        making.path.generation = generation;
        return making;
    }

    [[nodiscard]] const QString& node_name(int node) const {
        return run_->nodes[static_cast<std::size_t>(node)].name;
    }
    [[nodiscard]] int link_between(int from, int to) const {
        const auto found = link_between_.find({from, to});
        return found == link_between_.end() ? -1 : found->second;
    }
    [[nodiscard]] int node_named(const QString& name) const {
        const auto found = std::find_if(run_->nodes.begin(), run_->nodes.end(),
                                        [&](const Node& node) { return node.name == name; });
        return found == run_->nodes.end() ? -1 : static_cast<int>(found - run_->nodes.begin());
    }
    [[nodiscard]] int link_named(const QString& subject) const {
        const auto ends = subject.split(QStringLiteral(" > "));
        return ends.size() == 2 ? link_between(node_named(ends[0]), node_named(ends[1])) : -1;
    }
    /// The first session of the pair that the subject names.
    [[nodiscard]] int session_labelled(const QString& subject) const {
        const auto found = session_of_label_.find(subject);
        return found == session_of_label_.end() ? -1 : found->second;
    }
    Incident& incident(RowId id) { return run_->incidents[static_cast<std::size_t>(incident_ids_.at(id))]; }

    store::RunReader reader_;
    LoadProgress progress_;
    std::shared_ptr<RunSnapshot> run_ = std::make_shared<RunSnapshot>();
    std::int64_t simulated_ns_ = 0;
    Indices node_ids_{"node"}, session_ids_{"session"}, incident_ids_{"incident"};
    std::map<std::pair<int, int>, int> link_between_;
    std::map<QString, int> session_of_label_;
    std::vector<PathInMaking> paths_;
    std::unordered_map<std::uint64_t, std::size_t> path_index_;
};

}  // namespace

SnapshotPtr load_snapshot(const std::filesystem::path& file, const LoadProgress& progress) {
    try {
        return Builder(file, progress).build();
    } catch (const GivenUp&) {
        return nullptr;
    } catch (const store::Error& error) {
        const std::string message = error.what();
        if (message.find(file.string()) != std::string::npos) throw;
        throw store::Error(file.string() + ": " + message);
    }
}

}  // namespace dyetrace::viewer
