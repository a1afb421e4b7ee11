// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/session_lanes_widget.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "gui/model/explain.h"

namespace dyetrace::viewer {
namespace {

// A scroll bar counts in int; so many of its steps make the whole run.
constexpr int time_steps = 1'000'000;

}  // namespace

SessionLanesWidget::SessionLanesWidget(SessionLanesModel* lanes, QWidget* parent)
    : QAbstractScrollArea(parent), lanes_(lanes), picture_(*lanes) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    setMinimumHeight(120);
    verticalScrollBar()->setSingleStep(static_cast<int>(LanesPicture::row_height));
    connect(lanes, &QAbstractItemModel::modelAboutToBeReset, this, [this] { state_ = nullptr; });
    connect(lanes, &QAbstractItemModel::modelReset, this, &SessionLanesWidget::rebuild_rows);
}

TimeRange SessionLanesWidget::run_range() const {
    return lanes_->run() ? lanes_->run()->range : TimeRange{0, 1};
}

void SessionLanesWidget::set_state(const FabricState* state) {
    state_ = state;
    viewport()->update();
}

void SessionLanesWidget::set_truth_shown(bool shown) {
    options_.truth = shown;
    viewport()->update();
}

void SessionLanesWidget::show_all() {
    unfolded_.clear();
    visible_ = run_range();
    verticalScrollBar()->setValue(0);
    rebuild_rows();
}

void SessionLanesWidget::rebuild_rows() {
    rows_ = lane_rows(*lanes_, unfolded_);
    options_.highlighted_row = -1;
    place();
}

void SessionLanesWidget::place() {
    const QScopedValueRollback<bool> guard(placing_, true);
    const QRectF area(viewport()->rect());
    picture_.place(area, visible_);
    const double all = static_cast<double>(rows_.size()) * LanesPicture::row_height;
    const double page = std::max(1.0, area.height() - LanesPicture::header_height);
    verticalScrollBar()->setPageStep(static_cast<int>(page));
    verticalScrollBar()->setRange(0, static_cast<int>(std::max(0.0, std::ceil(all - page))));
    const TimeRange run = run_range();
    const double whole = static_cast<double>(std::max<std::int64_t>(1, run.length_ns()));
    const int steps =
        static_cast<int>(std::lround(static_cast<double>(visible_.length_ns()) / whole * time_steps));
    horizontalScrollBar()->setPageStep(steps);
    horizontalScrollBar()->setSingleStep(std::max(1, steps / 20));
    horizontalScrollBar()->setRange(0, std::max(0, time_steps - steps));
    horizontalScrollBar()->setValue(static_cast<int>(
        std::lround(static_cast<double>(visible_.begin_ns - run.begin_ns) / whole * time_steps)));
    viewport()->update();
}

void SessionLanesWidget::show_time(TimeRange range) {
    visible_ = range;
    place();
}

void SessionLanesWidget::zoom(double factor, double anchor_pixel) {
    show_time(picture_.mapping().zoomed(factor, anchor_pixel, run_range()).visible);
}

void SessionLanesWidget::scrollContentsBy(int dx, int) {
    if (dx != 0 && !placing_) {
        const TimeRange run = run_range();
        const double share = static_cast<double>(horizontalScrollBar()->value()) / time_steps;
        const auto begin = run.begin_ns + std::llround(share * static_cast<double>(run.length_ns()));
        visible_ = picture_.mapping().within({begin, begin + visible_.length_ns()}, run).visible;
        picture_.place(QRectF(viewport()->rect()), visible_);
    }
    viewport()->update();
}

double SessionLanesWidget::scrolled() const {
    return verticalScrollBar()->value();
}

bool SessionLanesWidget::over_lanes(QPointF point) const {
    const auto& mapping = picture_.mapping();
    return point.x() >= mapping.left - 6 && point.x() <= mapping.left + mapping.width + 6;
}

void SessionLanesWidget::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), Qt::white);
    if (lanes_->run() && state_ != nullptr) picture_.paint(painter, rows_, scrolled(), *state_, options_);
}

void SessionLanesWidget::resizeEvent(QResizeEvent*) {
    place();
}

void SessionLanesWidget::toggle_fold(int row) {
    const int session = rows_[static_cast<std::size_t>(row)].session;
    if (std::erase(unfolded_, session) == 0) unfolded_.push_back(session);
    rebuild_rows();
}

void SessionLanesWidget::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !lanes_->run()) return;
    if (over_lanes(event->position())) {
        Q_EMIT scrubbed(picture_.mapping().to_time(event->position().x()));
        return;
    }
    const int row = picture_.row_at(event->position().y(), scrolled(), rows_.size());
    if (row >= 0 && event->position().x() < picture_.mapping().left) toggle_fold(row);
}

void SessionLanesWidget::mouseMoveEvent(QMouseEvent* event) {
    if ((event->buttons() & Qt::LeftButton) != 0 && lanes_->run()) {
        if (over_lanes(event->position())) Q_EMIT scrubbed(picture_.mapping().to_time(event->position().x()));
        return;
    }
    const int row = picture_.row_at(event->position().y(), scrolled(), rows_.size());
    if (row == options_.highlighted_row) return;
    options_.highlighted_row = row;
    viewport()->update();
}

void SessionLanesWidget::wheelEvent(QWheelEvent* event) {
    if ((event->modifiers() & Qt::ControlModifier) == 0) {
        QAbstractScrollArea::wheelEvent(event);
        return;
    }
    zoom(std::pow(1.0015, event->angleDelta().y()), event->position().x());
    event->accept();
}

QString SessionLanesWidget::explanation_at(QPointF point) const {
    const int row = picture_.row_at(point.y(), scrolled(), rows_.size());
    if (row < 0 || !lanes_->run() || !over_lanes(point)) return {};
    const LaneRow& lane = rows_[static_cast<std::size_t>(row)];
    const auto slack_ns = std::llround(picture_.mapping().ns_per_pixel());
    return explain_lane(*lanes_->run(), lane.session, lane.path, picture_.mapping().to_time(point.x()),
                        slack_ns);
}

bool SessionLanesWidget::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Leave) {
        options_.highlighted_row = -1;
        viewport()->update();
    }
    if (event->type() != QEvent::ToolTip) return QAbstractScrollArea::viewportEvent(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString text = explanation_at(help->pos());
    if (text.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), text, viewport());
    return true;
}

}  // namespace dyetrace::viewer
