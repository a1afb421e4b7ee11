// SPDX-License-Identifier: GPL-2.0-or-later
// Draws sessions as lanes over time: when each was there, and what it lost when.
#pragma once

#include <QRectF>
#include <vector>

#include "gui/model/fabric_state.h"
#include "gui/model/session_lanes_model.h"
#include "gui/model/time_mapping.h"

class QPainter;

namespace dyetrace::viewer {

/// One row on the screen: a session, or one path of a session that is unfolded.
struct LaneRow {
    int session = 0;
    int path = -1;
    bool unfolded = false;
    bool operator==(const LaneRow&) const = default;
};

struct LanesOptions {
    bool truth = true;
    int highlighted_row = -1;  ///< index into the rows given
};

class LanesPicture {
  public:
    static constexpr double row_height = 22;
    static constexpr double header_height = 24;
    static constexpr double label_width = 216;
    static constexpr double figures_width = 178;

    /// `lanes` and its run outlive this.
    explicit LanesPicture(const SessionLanesModel& lanes) : lanes_(lanes) {}

    /// `visible` is the time that the lanes show.
    void place(const QRectF& area, TimeRange visible);
    [[nodiscard]] const TimeMapping& mapping() const { return mapping_; }
    [[nodiscard]] QRectF rows_area() const { return rows_area_; }

    /// `rows` go from the top down, the first `scrolled` pixels of them out of sight.
    void paint(QPainter& painter, const std::vector<LaneRow>& rows, double scrolled, const FabricState& state,
               const LanesOptions& options) const;
    /// The index of the row at that height; -1: none.
    [[nodiscard]] int row_at(double y, double scrolled, std::size_t row_count) const;

  private:
    void paint_row(QPainter& painter, const LaneRow& row, double top, const FabricState& state) const;
    void paint_label(QPainter& painter, const LaneRow& row, const QRectF& box) const;
    void paint_figures(QPainter& painter, const LaneRow& row, const QRectF& box,
                       const FabricState& state) const;
    void paint_life(QPainter& painter, const Session& session, const QRectF& track) const;
    void paint_losses(QPainter& painter, const LaneRow& row, const QRectF& track) const;
    void paint_detections(QPainter& painter, int session, const QRectF& track) const;
    void paint_header(QPainter& painter, const FabricState& state) const;
    void paint_truth(QPainter& painter, const FabricState& state, double bottom) const;
    [[nodiscard]] std::vector<const MeasuredPath*> paths_of(const LaneRow& row) const;

    const SessionLanesModel& lanes_;
    QRectF area_;
    QRectF rows_area_;
    TimeMapping mapping_;
};

/// The sessions of the model as rows; those in `unfolded` (indices of sessions) with their paths.
[[nodiscard]] std::vector<LaneRow> lane_rows(const SessionLanesModel& lanes,
                                             const std::vector<int>& unfolded);

}  // namespace dyetrace::viewer
