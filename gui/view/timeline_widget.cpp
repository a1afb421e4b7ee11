// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/timeline_widget.h"

#include <QMouseEvent>
#include <QPainter>

namespace dyetrace::viewer {

TimelineWidget::TimelineWidget(QWidget* parent) : QWidget(parent) {
    setFixedHeight(TimelinePicture::height);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setCursor(Qt::IBeamCursor);
}

void TimelineWidget::set_run(const SnapshotPtr& run, std::vector<RunEvent> events) {
    picture_ = run ? std::make_unique<TimelinePicture>(run, std::move(events)) : nullptr;
    if (picture_) picture_->place(rect());
    update();
}

void TimelineWidget::set_now(std::int64_t now_ns) {
    now_ns_ = now_ns;
    update();
}

void TimelineWidget::set_truth_shown(bool shown) {
    truth_ = shown;
    update();
}

void TimelineWidget::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), Qt::white);
    if (picture_) picture_->paint(painter, now_ns_, truth_);
}

void TimelineWidget::resizeEvent(QResizeEvent*) {
    if (picture_) picture_->place(rect());
}

void TimelineWidget::scrub(QPointF to) {
    if (picture_) Q_EMIT scrubbed(picture_->mapping().to_time(to.x()));
}

void TimelineWidget::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) scrub(event->position());
}

void TimelineWidget::mouseMoveEvent(QMouseEvent* event) {
    if ((event->buttons() & Qt::LeftButton) != 0) scrub(event->position());
}

}  // namespace dyetrace::viewer
