// SPDX-License-Identifier: GPL-2.0-or-later
// The strip of the whole run; press or drag anywhere on it to scrub.
#pragma once

#include <QWidget>
#include <memory>

#include "gui/view/timeline_picture.h"

namespace dyetrace::viewer {

class TimelineWidget : public QWidget {
    Q_OBJECT
  public:
    explicit TimelineWidget(QWidget* parent = nullptr);

    void set_run(const SnapshotPtr& run, std::vector<RunEvent> events);
    void set_now(std::int64_t now_ns);
    void set_truth_shown(bool shown);
    [[nodiscard]] const TimelinePicture* picture() const { return picture_.get(); }

  Q_SIGNALS:
    void scrubbed(qint64 t_ns);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

  private:
    void scrub(QPointF to);

    std::unique_ptr<TimelinePicture> picture_;
    std::int64_t now_ns_ = 0;
    bool truth_ = true;
};

}  // namespace dyetrace::viewer
