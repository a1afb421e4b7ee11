// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/event_list_model.h"

#include <algorithm>

#include "gui/model/time_text.h"

namespace dyetrace::viewer {

void EventListModel::set_run(const SnapshotPtr& run) {
    run_ = run;
    all_ = run ? events_of(*run) : std::vector<RunEvent>();
    rebuild();
}

void EventListModel::set_truth_shown(bool shown) {
    if (truth_shown_ == shown) return;
    truth_shown_ = shown;
    rebuild();
}

void EventListModel::rebuild() {
    beginResetModel();
    events_ = all_;
    if (!truth_shown_) std::erase_if(events_, [](const RunEvent& event) { return is_truth(event.kind); });
    moments_ = moments_of(events_);
    endResetModel();
}

void EventListModel::set_now(std::int64_t t_ns) {
    const int before = row_at(now_ns_);
    now_ns_ = t_ns;
    const int after = row_at(now_ns_);
    if (before == after) return;
    const auto [first, last] = std::minmax(before, after);
    Q_EMIT dataChanged(index(std::max(first, 0), 0), index(last, ColumnCount - 1), {PastRole});
}

int EventListModel::row_at(std::int64_t t_ns) const {
    const auto after = std::upper_bound(events_.begin(), events_.end(), t_ns,
                                        [](std::int64_t t, const RunEvent& event) { return t < event.t_ns; });
    return static_cast<int>(after - events_.begin()) - 1;
}

int EventListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(events_.size());
}

int EventListModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant EventListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const RunEvent& event = events_[static_cast<std::size_t>(index.row())];
    switch (role) {
        case TimeRole: return QVariant::fromValue<qint64>(event.t_ns);
        case KindRole: return static_cast<int>(event.kind);
        case TruthRole: return is_truth(event.kind);
        case PastRole: return event.t_ns <= now_ns_;
        case Qt::ToolTipRole: return event.text;
        case Qt::TextAlignmentRole:
            return QVariant::fromValue((index.column() == TimeColumn ? Qt::AlignRight : Qt::AlignLeft) |
                                       Qt::AlignVCenter);
        case Qt::DisplayRole: break;
        default: return {};
    }
    switch (index.column()) {
        case TimeColumn: return time_text(event.t_ns);
        case KindColumn: return to_text(event.kind);
        case TextColumn: return event.text;
        default: return {};
    }
}

QVariant EventListModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    switch (section) {
        case TimeColumn: return QStringLiteral("Time");
        case KindColumn: return QStringLiteral("Kind");
        case TextColumn: return QStringLiteral("What happened");
        default: return {};
    }
}

}  // namespace dyetrace::viewer
