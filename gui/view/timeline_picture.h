// SPDX-License-Identifier: GPL-2.0-or-later
// Draws the whole run as a strip: truth, detections, incidents, packets lost, and the playhead over them.
#pragma once

#include <QRectF>
#include <vector>

#include "gui/model/event_log.h"
#include "gui/model/run_snapshot.h"
#include "gui/model/time_mapping.h"

class QPainter;

namespace dyetrace::viewer {

class TimelinePicture {
  public:
    static constexpr int height = 124;

    TimelinePicture(SnapshotPtr run, std::vector<RunEvent> events);

    void place(const QRectF& area);
    [[nodiscard]] const TimeMapping& mapping() const { return mapping_; }
    void paint(QPainter& painter, std::int64_t now_ns, bool truth) const;

  private:
    [[nodiscard]] QRectF row(int index) const;
    [[nodiscard]] QRectF bar(int row_index, std::int64_t from_ns, std::int64_t to_ns) const;
    void paint_truth(QPainter& painter) const;
    void paint_detections(QPainter& painter) const;
    void paint_incidents(QPainter& painter) const;
    void paint_loss(QPainter& painter) const;
    void paint_axis(QPainter& painter) const;

    SnapshotPtr run_;
    std::vector<RunEvent> events_;
    QRectF area_;
    TimeMapping mapping_;
};

/// Ticks and labels of a time axis along the bottom of `area`, and its unit at the right end.
void paint_time_axis(QPainter& painter, const TimeMapping& mapping, const QRectF& area);
/// A vertical line with a handle at its top, and everything right of it faded: it has not happened yet.
void paint_playhead(QPainter& painter, const TimeMapping& mapping, const QRectF& area, std::int64_t now_ns);

}  // namespace dyetrace::viewer
