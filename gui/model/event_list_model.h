// SPDX-License-Identifier: GPL-2.0-or-later
// The events of a run as a table: time, kind, what.
#pragma once

#include <QAbstractTableModel>
#include <cstdint>
#include <vector>

#include "gui/model/event_log.h"
#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

class EventListModel : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { TimeColumn, KindColumn, TextColumn, ColumnCount };
    enum Role {
        TimeRole = Qt::UserRole,  ///< qint64, nanoseconds
        KindRole,                 ///< int, an EventKind
        TruthRole,                ///< bool
        PastRole,                 ///< bool: not later than the playhead
    };

    explicit EventListModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

    void set_run(const SnapshotPtr& run);
    void set_truth_shown(bool shown);
    /// What is later than it is greyed.
    void set_now(std::int64_t t_ns);

    [[nodiscard]] const std::vector<RunEvent>& events() const { return events_; }
    [[nodiscard]] const std::vector<std::int64_t>& moments() const { return moments_; }
    /// The last event not later than `t_ns`; -1 before the first.
    [[nodiscard]] int row_at(std::int64_t t_ns) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    void rebuild();

    SnapshotPtr run_;
    std::vector<RunEvent> all_;
    std::vector<RunEvent> events_;
    std::vector<std::int64_t> moments_;
    std::int64_t now_ns_ = 0;
    bool truth_shown_ = true;
};

}  // namespace dyetrace::viewer
