// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of a run in the order in which one wants to see them, with their paths below.
#pragma once

#include <QAbstractItemModel>
#include <vector>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

enum class LaneOrder {
    Relevance,  ///< through a confirmed suspect first, then by packets lost
    MostLost,
    Name,
    Start,
};

/// Two levels: sessions, and the paths of each. Totals are those of the whole run.
class SessionLanesModel : public QAbstractItemModel {
    Q_OBJECT
  public:
    enum Column { NameColumn, StateColumn, SentColumn, LostColumn, RateColumn, ColumnCount };
    enum Role {
        SessionRole = Qt::UserRole,  ///< int: index into RunSnapshot::sessions
        PathRole,                    ///< int: index into RunSnapshot::paths; -1 of a session
        SuspectRole,                 ///< bool: it, or a path of it, runs through a confirmed suspect
    };

    explicit SessionLanesModel(QObject* parent = nullptr) : QAbstractItemModel(parent) {}

    void set_run(const SnapshotPtr& run);
    void set_order(LaneOrder order);
    [[nodiscard]] LaneOrder order() const { return order_; }
    /// Keeps the sessions whose label has `text` in it.
    void set_filter(const QString& text);

    [[nodiscard]] const SnapshotPtr& run() const { return run_; }
    [[nodiscard]] int session_at(int row) const { return sessions_[static_cast<std::size_t>(row)]; }
    /// The row of a session; -1 where the filter hides it.
    [[nodiscard]] int row_of_session(int session) const;
    [[nodiscard]] bool crosses_suspect(int path) const {
        return path_crosses_[static_cast<std::size_t>(path)];
    }
    [[nodiscard]] bool session_crosses_suspect(int session) const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    void rebuild();
    void find_crossings();
    [[nodiscard]] bool before(int a, int b) const;
    [[nodiscard]] const Session& session(int s) const { return run_->sessions[static_cast<std::size_t>(s)]; }
    [[nodiscard]] QString text(int session_index, int path_index, int column) const;

    SnapshotPtr run_;
    LaneOrder order_ = LaneOrder::Relevance;
    QString filter_;
    std::vector<int> sessions_;       ///< by row
    std::vector<bool> path_crosses_;  ///< by index into RunSnapshot::paths
    std::vector<Loss> crossing_;      ///< by session: total of its paths through suspects
};

}  // namespace dyetrace::viewer
