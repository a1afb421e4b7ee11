// SPDX-License-Identifier: GPL-2.0-or-later
// Session lanes in a window: a click on a name unfolds its paths, dragging over the lanes scrubs, the wheel
// scrolls, and with Ctrl held zooms in time.
#pragma once

#include <QAbstractScrollArea>
#include <vector>

#include "gui/view/lanes_picture.h"

namespace dyetrace::viewer {

class SessionLanesWidget : public QAbstractScrollArea {
    Q_OBJECT
  public:
    explicit SessionLanesWidget(SessionLanesModel* lanes, QWidget* parent = nullptr);

    /// Lives until the next call.
    void set_state(const FabricState* state);
    void set_truth_shown(bool shown);
    void show_all();
    void zoom(double factor, double anchor_pixel);

    [[nodiscard]] TimeRange visible_time() const { return visible_; }
    [[nodiscard]] const std::vector<LaneRow>& rows() const { return rows_; }
    [[nodiscard]] const LanesPicture& picture() const { return picture_; }
    [[nodiscard]] QString explanation_at(QPointF point) const;
    void toggle_fold(int row);

  Q_SIGNALS:
    void scrubbed(qint64 t_ns);

  protected:
    bool viewportEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;

  private:
    void rebuild_rows();
    void place();
    void show_time(TimeRange range);
    [[nodiscard]] bool over_lanes(QPointF point) const;
    [[nodiscard]] double scrolled() const;
    [[nodiscard]] TimeRange run_range() const;

    SessionLanesModel* lanes_;
    LanesPicture picture_;
    LanesOptions options_;
    std::vector<LaneRow> rows_;
    std::vector<int> unfolded_;  ///< sessions
    TimeRange visible_{0, 1};
    const FabricState* state_ = nullptr;
    bool placing_ = false;
};

}  // namespace dyetrace::viewer
