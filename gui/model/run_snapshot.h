// SPDX-License-Identifier: GPL-2.0-or-later
// A run as the viewer holds it: read once, never changed, shared by every view.
//
// Rows refer to each other by their index in the vectors here (`session`, `link`, ...; -1: none), not by the
// ids of the database. Times are nanoseconds since the run began.
#pragma once

#include <QString>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gui/model/loss_history.h"
#include "gui/model/time_mapping.h"

namespace dyetrace::viewer {

enum class NodeKind { Core, Aggregation, Edge, Switch, Host };

struct Node {
    QString name;
    NodeKind kind = NodeKind::Switch;
    QString address;
    int pod = -1;
    int position = -1;  ///< from left to right within kind and pod
};

struct Link {  ///< one direction
    int from = 0;
    int to = 0;
    int reverse = -1;  ///< the link of the other direction
    std::uint64_t rate_bps = 0;
    std::int64_t delay_ns = 0;
};

/// What one path lost between two of its records, as the health service received them.
struct LossWindow {
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    Loss total;  ///< of the path until `to_ns`, so that any stretch of windows is a difference
};

struct MeasuredPath {
    int session = 0;
    int index = 0;
    int generation = 0;
    int udp_source_port = 0;
    std::optional<std::int64_t> learned_ns;
    bool complete = false;
    std::vector<int> hops;            ///< nodes, as learned; empty: not known
    std::vector<int> links;           ///< between the hops; empty: not known
    std::vector<LossWindow> windows;  ///< by time
    Loss total;
    std::int64_t delay_ns_min = 0;  ///< of its tracked packets, one way; meaningless without any
    std::int64_t delay_ns_max = 0;
    double delay_ns_mean = 0;
    std::int64_t delay_count = 0;
    bool tail_open = true;  ///< no END marker arrived
    bool excess = false;    ///< received > sent at some moment

    /// What was lost in one of its windows.
    [[nodiscard]] Loss loss_in(const LossWindow& window) const {
        const Loss before = &window == windows.data() ? Loss{} : (&window - 1)->total;
        return {window.total.sent - before.sent, window.total.lost - before.lost};
    }
};

struct StateChange {
    std::int64_t t_ns = 0;
    QString state;
};

struct Session {
    int requester = 0;
    int acceptor = 0;
    std::uint32_t session_id = 0;
    QString label;  ///< "host-0-0-0 > host-3-1-2"
    QString state;  ///< in the end
    QString reason;
    std::optional<std::int64_t> requested_ns;
    std::optional<std::int64_t> active_ns;
    std::optional<std::int64_t> closed_ns;
    QString sampling;  ///< "every-nth, 1%"
    std::vector<StateChange> changes;
    int paths_begin = 0;  ///< its paths are paths[paths_begin .. paths_end)
    int paths_end = 0;
    Loss total;
};

struct Detection {
    std::int64_t t_ns = 0;
    QString subject;
    int session = -1;
    QString kind;
    QString state;
    Loss loss;
    QString reason;
};

struct Suspect {
    int rank = 0;  ///< 1 is the best
    int link = -1;
    int device = -1;
    QString name;
    double log_odds = 0;
    double loss_rate = 0;
    std::optional<std::int64_t> group;  ///< links that the evidence cannot tell apart share it
};

struct Inference {
    std::int64_t t_ns = 0;
    std::vector<Suspect> suspects;  ///< by rank
};

struct IncidentStep {
    std::int64_t t_ns = 0;
    QString
        kind;  ///< "opened", "directive", "directive-result", "evidence", "confirmed", "refuted", "closed"
    QString detail;
};

struct Incident {
    std::int64_t id = 0;
    std::int64_t opened_ns = 0;
    std::optional<std::int64_t> closed_ns;
    QString state;  ///< in the end
    QString subject;
    int link = -1;  ///< that the subject names, if it names one
    QString reason;
    std::vector<IncidentStep> steps;    ///< by time
    std::vector<Inference> inferences;  ///< by time
};

struct Directive {
    std::int64_t t_ns = 0;
    std::int64_t incident = 0;  ///< `Incident::id`
    int node = -1;
    QString kind;
    QString detail;
    std::optional<std::int64_t> acked_ns;
};

/// Truth: what was really done to the fabric. Shown beside what was measured, never mixed with it.
struct TruthFault {
    std::int64_t t_ns = 0;
    std::optional<std::int64_t> until_ns;
    QString kind;
    int from = 0;
    int to = 0;
    int link = -1;
    double probability = 0;
    QString text;  ///< "silent-drop of 1% on agg-0-1 > core-3"

    [[nodiscard]] bool active_at(std::int64_t now_ns) const {
        return t_ns <= now_ns && (!until_ns || now_ns < *until_ns);
    }
};

struct RunSnapshot {
    QString file;
    QString title;  ///< the scenario's name, else the file's
    bool complete = true;
    TimeRange range;  ///< from 0 to the end of the run
    std::vector<std::pair<QString, QString>> provenance;

    std::vector<Node> nodes;
    std::vector<Link> links;
    std::vector<Session> sessions;
    std::vector<MeasuredPath> paths;  ///< by session, path index, generation
    std::vector<std::vector<int>> paths_of_link;
    std::vector<Detection> detections;
    std::vector<Incident> incidents;
    std::vector<Directive> directives;
    std::vector<TruthFault> truth_faults;

    LossHistory link_history{1, 1, 1};    ///< row: link; each packet counts on every link of its path
    LossHistory fabric_history{1, 1, 1};  ///< one row: each packet once
    std::int64_t record_count = 0;

    [[nodiscard]] std::span<const MeasuredPath> paths_of(const Session& session) const {
        return std::span(paths).subspan(static_cast<std::size_t>(session.paths_begin),
                                        static_cast<std::size_t>(session.paths_end - session.paths_begin));
    }
    /// "agg-0-1 > core-3".
    [[nodiscard]] QString link_name(int link) const;
};

using SnapshotPtr = std::shared_ptr<const RunSnapshot>;

/// What `path` lost in windows that ended in (after_ns, until_ns].
[[nodiscard]] Loss loss_between(const MeasuredPath& path, std::int64_t after_ns, std::int64_t until_ns);
/// The state that the session had at `t_ns`: "requested", "active", ...; empty before it was requested.
[[nodiscard]] QString state_at(const Session& session, std::int64_t t_ns);

}  // namespace dyetrace::viewer
