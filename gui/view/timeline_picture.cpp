// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/timeline_picture.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "gui/model/fabric_state.h"
#include "gui/model/time_text.h"
#include "gui/view/theme.h"

namespace dyetrace::viewer {
namespace {

constexpr double label_width = 84;
constexpr double right_margin = 24;
constexpr double top_margin = 10;
constexpr double axis_height = 22;
constexpr double row_height = 18;
constexpr int truth_row = 0, detection_row = 1, incident_row = 2;  // the loss has what is left

}  // namespace

TimelinePicture::TimelinePicture(SnapshotPtr run, std::vector<RunEvent> events)
    : run_(std::move(run)), events_(std::move(events)) {}

void TimelinePicture::place(const QRectF& area) {
    area_ = area;
    mapping_ = {run_->range, area.left() + label_width,
                std::max(1.0, area.width() - label_width - right_margin)};
}

QRectF TimelinePicture::row(int index) const {
    return {mapping_.left, area_.top() + top_margin + index * row_height, mapping_.width, row_height};
}

QRectF TimelinePicture::bar(int row_index, std::int64_t from_ns, std::int64_t to_ns) const {
    const QRectF r = row(row_index);
    const double left = mapping_.to_pixel(from_ns);
    return {left, r.top() + 4, std::max(2.0, mapping_.to_pixel(to_ns) - left), r.height() - 7};
}

void TimelinePicture::paint(QPainter& painter, std::int64_t now_ns, bool truth) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(area_, theme::paper);
    painter.setPen(QPen(theme::rule, 1));
    painter.drawLine(QPointF(area_.left(), area_.top() + 0.5), QPointF(area_.right(), area_.top() + 0.5));
    if (truth) paint_truth(painter);
    paint_detections(painter);
    paint_incidents(painter);
    paint_loss(painter);
    paint_axis(painter);
    paint_playhead(painter, mapping_, area_.adjusted(0, 2, 0, -axis_height), now_ns);
    painter.restore();
}

void TimelinePicture::paint_truth(QPainter& painter) const {
    for (const auto& fault : run_->truth_faults) {
        QPainterPath shape;
        shape.addRect(bar(truth_row, fault.t_ns, fault.until_ns.value_or(run_->range.end_ns)));
        theme::hatch(painter, shape);
    }
}

void TimelinePicture::paint_detections(QPainter& painter) const {
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::suspect);
    for (const auto& event : events_) {
        if (event.kind != EventKind::Detection) continue;
        const double x = mapping_.to_pixel(event.t_ns);
        const QRectF r = row(detection_row);
        QPainterPath flag;
        flag.moveTo(x, r.top() + 4);
        flag.lineTo(x + 5, r.bottom() - 4);
        flag.lineTo(x - 5, r.bottom() - 4);
        flag.closeSubpath();
        painter.drawPath(flag);
    }
}

void TimelinePicture::paint_incidents(QPainter& painter) const {
    const auto paint_one = [&](const Incident& incident, bool confirmed) {
        std::int64_t decided_ns = incident.closed_ns.value_or(run_->range.end_ns);
        for (const auto& step : incident.steps) {
            const bool verdict =
                step.kind == QLatin1String("confirmed") || step.kind == QLatin1String("refuted");
            if (verdict) decided_ns = step.t_ns;
        }
        painter.setPen(QPen(theme::suspect, 1, Qt::DashLine));
        painter.setBrush(theme::suspect_tint);
        painter.drawRect(bar(incident_row, incident.opened_ns, decided_ns));
        if (!confirmed) return;
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::suspect);
        painter.drawRect(bar(incident_row, decided_ns, incident.closed_ns.value_or(run_->range.end_ns)));
    };
    for (const bool confirmed : {false, true}) {
        for (const auto& incident : run_->incidents) {
            const bool is_confirmed = status_at(incident, run_->range.end_ns) == VerdictStatus::Confirmed;
            if (is_confirmed == confirmed) paint_one(incident, confirmed);
        }
    }
}

/// One bar a few pixels wide: its height is the loss rate (a square root, so that 0.1% shows beside 10%).
void TimelinePicture::paint_loss(QPainter& painter) const {
    const QRectF space(mapping_.left, row(incident_row).bottom() + 2, mapping_.width,
                       area_.bottom() - axis_height - row(incident_row).bottom() - 2);
    const LossHistory& history = run_->fabric_history;
    const double bin_pixels = static_cast<double>(history.bin_ns()) / mapping_.ns_per_pixel();
    const auto bins = static_cast<std::int64_t>(std::max(1.0, std::ceil(3.0 / bin_pixels)));
    const std::int64_t step_ns = bins * history.bin_ns();
    constexpr double rate_of_full_height = 0.05;
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::int64_t t = 0; t <= run_->range.end_ns; t += step_ns) {
        const Loss loss = history.over(0, {t, t + step_ns});
        if (loss.rate() == 0) continue;
        const double left = std::round(mapping_.to_pixel(t));
        const double right = std::round(std::min(mapping_.to_pixel(t + step_ns), space.right()));
        const double tall = space.height() * std::min(1.0, std::sqrt(loss.rate() / rate_of_full_height));
        painter.fillRect(QRectF(left, space.bottom() - tall, std::max(1.0, right - left - 1), tall),
                         theme::loss_color(loss_class(loss)));
    }
    painter.setRenderHint(QPainter::Antialiasing);
}

void TimelinePicture::paint_axis(QPainter& painter) const {
    painter.setFont(theme::font(11));
    painter.setPen(theme::muted);
    const auto label = [&](double top, double tall, const QString& text) {
        painter.drawText(QRectF(area_.left() + 10, top, label_width - 10, tall),
                         Qt::AlignVCenter | Qt::AlignLeft, text);
    };
    label(row(truth_row).top(), row_height, QStringLiteral("truth"));
    label(row(detection_row).top(), row_height, QStringLiteral("detections"));
    label(row(incident_row).top(), row_height, QStringLiteral("incidents"));
    const double top = row(incident_row).bottom();
    label(top, area_.bottom() - axis_height - top, QStringLiteral("loss"));
    paint_time_axis(painter, mapping_,
                    QRectF(area_.left(), area_.bottom() - axis_height, area_.width(), axis_height));
}

void paint_time_axis(QPainter& painter, const TimeMapping& mapping, const QRectF& area) {
    const auto ticks = time_ticks(mapping, 90);
    painter.setFont(theme::font(11));
    painter.setPen(QPen(theme::rule, 1));
    painter.drawLine(QPointF(mapping.left, area.top() + 0.5),
                     QPointF(mapping.left + mapping.width, area.top() + 0.5));
    for (const auto t : ticks.at_ns) {
        const double x = std::round(mapping.to_pixel(t)) + 0.5;
        painter.setPen(QPen(theme::faint, 1));
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.top() + 4));
        painter.setPen(theme::muted);
        painter.drawText(QRectF(x - 45, area.top() + 4, 90, area.height() - 4),
                         Qt::AlignHCenter | Qt::AlignTop, tick_text(t, ticks.step_ns) + QStringLiteral(" s"));
    }
}

void paint_playhead(QPainter& painter, const TimeMapping& mapping, const QRectF& area, std::int64_t now_ns) {
    const double x = std::round(mapping.to_pixel(now_ns)) + 0.5;
    const double right = mapping.left + mapping.width;
    if (x < right) {
        QColor veil = theme::paper;
        veil.setAlphaF(0.62F);
        const double left = std::max(x, mapping.left);
        painter.fillRect(QRectF(left, area.top(), right - left, area.height()), veil);
    }
    if (x < mapping.left - 1 || x > right + 1) return;
    painter.setPen(QPen(theme::playhead, 1.6));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    QPainterPath handle;
    handle.moveTo(x - 6, area.top());
    handle.lineTo(x + 6, area.top());
    handle.lineTo(x, area.top() + 8);
    handle.closeSubpath();
    painter.fillPath(handle, theme::playhead);
}

}  // namespace dyetrace::viewer
