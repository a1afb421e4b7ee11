// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/session_lanes_model.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

// A path's index holds its session's row here; a session's holds this.
constexpr quintptr session_level = std::numeric_limits<quintptr>::max();

/// Links and devices of the last inference of each confirmed incident.
struct Confirmed {
    std::set<int> links;
    std::set<int> devices;
};

Confirmed confirmed_places(const RunSnapshot& run) {
    Confirmed places;
    for (const auto& incident : run.incidents) {
        const bool confirmed =
            std::any_of(incident.steps.begin(), incident.steps.end(),
                        [](const auto& step) { return step.kind == QLatin1String("confirmed"); });
        if (!confirmed || incident.inferences.empty()) continue;
        for (const auto& suspect : incident.inferences.back().suspects) {
            if (suspect.link >= 0) places.links.insert(suspect.link);
            if (suspect.device >= 0) places.devices.insert(suspect.device);
        }
    }
    return places;
}

}  // namespace

void SessionLanesModel::set_run(const SnapshotPtr& run) {
    beginResetModel();
    run_ = run;
    find_crossings();
    rebuild();
    endResetModel();
}

void SessionLanesModel::set_order(LaneOrder order) {
    if (order == order_) return;
    beginResetModel();
    order_ = order;
    rebuild();
    endResetModel();
}

void SessionLanesModel::set_filter(const QString& text) {
    if (text == filter_) return;
    beginResetModel();
    filter_ = text;
    rebuild();
    endResetModel();
}

void SessionLanesModel::find_crossings() {
    path_crosses_.clear();
    crossing_.clear();
    if (!run_) return;
    const Confirmed places = confirmed_places(*run_);
    crossing_.resize(run_->sessions.size());
    for (const auto& path : run_->paths) {
        const auto within = [](const std::set<int>& set) {
            return [&set](int i) { return set.contains(i); };
        };
        const bool crosses = std::any_of(path.links.begin(), path.links.end(), within(places.links)) ||
                             std::any_of(path.hops.begin(), path.hops.end(), within(places.devices));
        path_crosses_.push_back(crosses);
        if (crosses) crossing_[static_cast<std::size_t>(path.session)] += path.total;
    }
}

bool SessionLanesModel::session_crosses_suspect(int s) const {
    return crossing_[static_cast<std::size_t>(s)].sent > 0;
}

bool SessionLanesModel::before(int a, int b) const {
    const Loss& lost_a = crossing_[static_cast<std::size_t>(a)];
    const Loss& lost_b = crossing_[static_cast<std::size_t>(b)];
    const auto start = [&](int s) { return session(s).requested_ns.value_or(0); };
    switch (order_) {
        case LaneOrder::Relevance:
            return std::tuple(-lost_a.lost, -lost_a.sent, -session(a).total.lost) <
                   std::tuple(-lost_b.lost, -lost_b.sent, -session(b).total.lost);
        case LaneOrder::MostLost: return session(a).total.lost > session(b).total.lost;
        case LaneOrder::Name: return session(a).label < session(b).label;
        case LaneOrder::Start: return start(a) < start(b);
    }
    return false;
}

void SessionLanesModel::rebuild() {
    sessions_.clear();
    if (!run_) return;
    for (int s = 0; s < static_cast<int>(run_->sessions.size()); ++s) {
        if (filter_.isEmpty() || session(s).label.contains(filter_, Qt::CaseInsensitive))
            sessions_.push_back(s);
    }
    std::stable_sort(sessions_.begin(), sessions_.end(), [this](int a, int b) { return before(a, b); });
}

int SessionLanesModel::row_of_session(int s) const {
    const auto found = std::find(sessions_.begin(), sessions_.end(), s);
    return found == sessions_.end() ? -1 : static_cast<int>(found - sessions_.begin());
}

QModelIndex SessionLanesModel::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row()) : session_level);
}

QModelIndex SessionLanesModel::parent(const QModelIndex& child) const {
    if (!child.isValid() || child.internalId() == session_level) return {};
    return createIndex(static_cast<int>(child.internalId()), 0, session_level);
}

int SessionLanesModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return static_cast<int>(sessions_.size());
    if (parent.internalId() != session_level || parent.column() != 0) return 0;
    const Session& s = session(session_at(parent.row()));
    return s.paths_end - s.paths_begin;
}

int SessionLanesModel::columnCount(const QModelIndex&) const {
    return ColumnCount;
}

QString SessionLanesModel::text(int session_index, int path_index, int column) const {
    const Session& s = session(session_index);
    const MeasuredPath* path = path_index < 0 ? nullptr : &run_->paths[static_cast<std::size_t>(path_index)];
    const Loss& total = path ? path->total : s.total;
    switch (column) {
        case NameColumn:
            if (!path) return s.label;
            return path->generation == 0
                       ? QStringLiteral("path %1").arg(path->index)
                       : QStringLiteral("path %1.%2").arg(path->index).arg(path->generation);
        case StateColumn:
            if (!path) return s.state;
            return path->excess
                       ? QStringLiteral("excess")
                       : (path->tail_open ? QStringLiteral("tail unsettled") : QStringLiteral("settled"));
        case SentColumn: return count_text(total.sent);
        case LostColumn: return count_text(total.lost);
        case RateColumn: return total.sent > 0 ? percent_text(total.rate()) : QStringLiteral("not measured");
        default: return {};
    }
}

QVariant SessionLanesModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const bool is_session = index.internalId() == session_level;
    const int session_index = session_at(is_session ? index.row() : static_cast<int>(index.internalId()));
    const int path_index = is_session ? -1 : session(session_index).paths_begin + index.row();
    switch (role) {
        case SessionRole: return session_index;
        case PathRole: return path_index;
        case SuspectRole:
            return is_session ? session_crosses_suspect(session_index) : crosses_suspect(path_index);
        case Qt::DisplayRole: return text(session_index, path_index, index.column());
        case Qt::TextAlignmentRole:
            return QVariant::fromValue((index.column() >= SentColumn ? Qt::AlignRight : Qt::AlignLeft) |
                                       Qt::AlignVCenter);
        default: return {};
    }
}

QVariant SessionLanesModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    switch (section) {
        case NameColumn: return QStringLiteral("Session");
        case StateColumn: return QStringLiteral("State");
        case SentColumn: return QStringLiteral("Sent");
        case LostColumn: return QStringLiteral("Lost");
        case RateColumn: return QStringLiteral("Loss");
        default: return {};
    }
}

}  // namespace dyetrace::viewer
