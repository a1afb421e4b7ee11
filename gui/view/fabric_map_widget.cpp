// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/fabric_map_widget.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "gui/model/explain.h"
#include "gui/model/time_text.h"
#include "gui/view/legend.h"

namespace dyetrace::viewer {
namespace {

constexpr double zoom_max = 40;

}  // namespace

FabricMapWidget::FabricMapWidget(QWidget* parent) : QWidget(parent) {
    setMouseTracking(true);
    setMinimumSize(320, 240);
    setAttribute(Qt::WA_OpaquePaintEvent);
}

void FabricMapWidget::set_run(const SnapshotPtr& run) {
    run_ = run;
    state_ = nullptr;
    picture_ = run ? std::make_unique<MapPicture>(run) : nullptr;
    options_.highlighted_link = options_.highlighted_node = -1;
    show_all();
}

void FabricMapWidget::set_state(const FabricState* state, std::int64_t window_ns, const QString& last_event) {
    state_ = state;
    last_event_ = last_event;
    window_ns_ = window_ns;
    update();
}

void FabricMapWidget::set_truth_shown(bool shown) {
    options_.truth = shown;
    update();
}

void FabricMapWidget::show_all() {
    set_view({});
}

QRectF FabricMapWidget::map_area() const {
    return QRectF(rect()).adjusted(0, heading_height, 0, -legend_height(width()));
}

void FabricMapWidget::place() {
    if (picture_) picture_->place(map_area(), view_);
    update();
}

void FabricMapWidget::set_view(MapView view) {
    view.zoom = std::clamp(view.zoom, 1.0, zoom_max);
    // Half of what is visible on either side of the centre has to be map.
    const double half = 0.5 / view.zoom;
    view.centre.setX(std::clamp(view.centre.x(), half, 1 - half));
    view.centre.setY(std::clamp(view.centre.y(), half, 1 - half));
    view_ = view;
    place();
}

void FabricMapWidget::resizeEvent(QResizeEvent*) {
    place();
}

void FabricMapWidget::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), Qt::white);
    if (!picture_ || state_ == nullptr) return;
    picture_->paint(painter, *state_, options_);
    const QString what =
        QStringLiteral("loss of all packets on the paths through each link, in reports of the last %1")
            .arg(duration_text(window_ns_));
    paint_heading(painter, QRectF(0, 0, width(), heading_height), *run_, *state_, what, last_event_);
    paint_legend(painter, QRectF(0, height() - legend_height(width()), width(), legend_height(width())),
                 LegendOf::Map, options_.truth);
}

QString FabricMapWidget::explanation_at(QPointF point) const {
    if (!picture_ || state_ == nullptr || !map_area().contains(point)) return {};
    if (const int node = picture_->node_at(point); node >= 0) return explain_node(*run_, *state_, node);
    if (const int link = picture_->link_at(point); link >= 0)
        return explain_link(*run_, *state_, link, options_.truth);
    return {};
}

bool FabricMapWidget::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString text = explanation_at(help->pos());
    if (text.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), text, this);
    return true;
}

void FabricMapWidget::wheelEvent(QWheelEvent* event) {
    const double factor = std::pow(1.0015, event->angleDelta().y());
    const double zoom = std::clamp(view_.zoom * factor, 1.0, zoom_max);
    const QRectF area = map_area();
    // The spot under the pointer stays there.
    const QPointF off((event->position().x() - area.center().x()) / area.width(),
                      (event->position().y() - area.center().y()) / area.height());
    set_view({zoom, view_.centre + off / view_.zoom - off / zoom});
    event->accept();
}

void FabricMapWidget::mousePressEvent(QMouseEvent* event) {
    grabbed_ = event->position();
}

void FabricMapWidget::mouseMoveEvent(QMouseEvent* event) {
    if (!picture_) return;
    if ((event->buttons() & Qt::LeftButton) != 0) {
        const QPointF by = event->position() - grabbed_;
        grabbed_ = event->position();
        const QRectF area = map_area();
        set_view(
            {view_.zoom, view_.centre - QPointF(by.x() / area.width(), by.y() / area.height()) / view_.zoom});
        return;
    }
    const bool inside = map_area().contains(event->position());
    const int node = inside ? picture_->node_at(event->position()) : -1;
    const int link = inside && node < 0 ? picture_->link_at(event->position()) : -1;
    if (node == options_.highlighted_node && link == options_.highlighted_link) return;
    options_.highlighted_node = node;
    options_.highlighted_link = link;
    update();
}

void FabricMapWidget::mouseDoubleClickEvent(QMouseEvent*) {
    show_all();
}

void FabricMapWidget::leaveEvent(QEvent*) {
    options_.highlighted_link = options_.highlighted_node = -1;
    update();
}

}  // namespace dyetrace::viewer
