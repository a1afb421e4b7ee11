// SPDX-License-Identifier: GPL-2.0-or-later
// The fabric map in a window: wheel zooms, dragging pans, a double click shows all, resting explains.
#pragma once

#include <QWidget>
#include <memory>

#include "gui/view/map_picture.h"

namespace dyetrace::viewer {

class FabricMapWidget : public QWidget {
    Q_OBJECT
  public:
    explicit FabricMapWidget(QWidget* parent = nullptr);

    void set_run(const SnapshotPtr& run);
    /// `state` is of the run, and lives until the next call; `window_ns` is what it looks back.
    void set_state(const FabricState* state, std::int64_t window_ns, const QString& last_event);
    void set_truth_shown(bool shown);
    void show_all();

    [[nodiscard]] const MapView& map_view() const { return view_; }
    [[nodiscard]] const MapPicture* picture() const { return picture_.get(); }
    /// What the pointer resting there would be told; empty: nothing.
    [[nodiscard]] QString explanation_at(QPointF point) const;

  protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

  private:
    void place();
    void set_view(MapView view);
    [[nodiscard]] QRectF map_area() const;

    SnapshotPtr run_;
    std::unique_ptr<MapPicture> picture_;
    const FabricState* state_ = nullptr;
    std::int64_t window_ns_ = 0;
    QString last_event_;
    MapView view_;
    MapOptions options_;
    QPointF grabbed_;
};

}  // namespace dyetrace::viewer
