// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/lanes_picture.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "gui/model/time_text.h"
#include "gui/view/theme.h"
#include "gui/view/timeline_picture.h"

namespace dyetrace::viewer {
namespace {

constexpr double right_margin = 14;

/// What one path, or all paths of a session, lost up to a moment.
Loss loss_until(const std::vector<const MeasuredPath*>& paths, std::int64_t t_ns) {
    Loss sum;
    for (const auto* path : paths)
        sum += loss_between(*path, -1, t_ns);
    return sum;
}

}  // namespace

void LanesPicture::place(const QRectF& area, TimeRange visible) {
    area_ = area;
    rows_area_ = area.adjusted(0, header_height, 0, 0);
    mapping_ = {visible, area.left() + label_width,
                std::max(1.0, area.width() - label_width - figures_width - right_margin)};
}

int LanesPicture::row_at(double y, double scrolled, std::size_t row_count) const {
    if (y < rows_area_.top() || y >= rows_area_.bottom()) return -1;
    const auto row = static_cast<std::int64_t>(std::floor((y - rows_area_.top() + scrolled) / row_height));
    return row >= 0 && row < static_cast<std::int64_t>(row_count) ? static_cast<int>(row) : -1;
}

std::vector<const MeasuredPath*> LanesPicture::paths_of(const LaneRow& row) const {
    const RunSnapshot& run = *lanes_.run();
    if (row.path >= 0) return {&run.paths[static_cast<std::size_t>(row.path)]};
    std::vector<const MeasuredPath*> paths;
    for (const auto& path : run.paths_of(run.sessions[static_cast<std::size_t>(row.session)]))
        paths.push_back(&path);
    return paths;
}

void LanesPicture::paint(QPainter& painter, const std::vector<LaneRow>& rows, double scrolled,
                         const FabricState& state, const LanesOptions& options) const {
    painter.save();
    painter.setClipRect(area_, Qt::IntersectClip);
    painter.fillRect(area_, theme::paper);
    painter.save();
    painter.setClipRect(rows_area_, Qt::IntersectClip);
    const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(scrolled / row_height)));
    double top = rows_area_.top() + static_cast<double>(first) * row_height - scrolled;
    std::size_t i = first;
    for (; i < rows.size() && top < rows_area_.bottom(); ++i, top += row_height) {
        const QRectF box(area_.left(), top, area_.width(), row_height);
        if (static_cast<int>(i) == options.highlighted_row)
            painter.fillRect(box, QColor(0xe8, 0xee, 0xf4));
        else if (i % 2 == 1)
            painter.fillRect(box, theme::panel);
        paint_row(painter, rows[i], top, state);
    }
    painter.restore();
    const double bottom = std::min(top, rows_area_.bottom());
    if (options.truth) paint_truth(painter, state, bottom);
    paint_header(painter, state);
    paint_playhead(painter, mapping_,
                   QRectF(area_.left(), area_.top() + header_height - 8, area_.width(),
                          bottom - area_.top() - header_height + 8),
                   state.t_ns);
    painter.restore();
}

void LanesPicture::paint_row(QPainter& painter, const LaneRow& row, double top,
                             const FabricState& state) const {
    const Session& session = lanes_.run()->sessions[static_cast<std::size_t>(row.session)];
    paint_label(painter, row, {area_.left() + 8, top, label_width - 16, row_height});
    const double inset = row.path < 0 ? 4 : 6;
    const QRectF track(mapping_.left, top + inset, mapping_.width, row_height - 2 * inset);
    painter.save();
    painter.setClipRect(track.adjusted(0, -inset, 0, inset), Qt::IntersectClip);
    if (row.path < 0) paint_life(painter, session, track);
    paint_losses(painter, row, track);
    if (row.path < 0) paint_detections(painter, row.session, track);
    painter.restore();
    paint_figures(painter, row,
                  {mapping_.left + mapping_.width + right_margin, top, figures_width - 10, row_height},
                  state);
}

void LanesPicture::paint_label(QPainter& painter, const LaneRow& row, const QRectF& box) const {
    const RunSnapshot& run = *lanes_.run();
    const bool crosses =
        row.path < 0 ? lanes_.session_crosses_suspect(row.session) : lanes_.crosses_suspect(row.path);
    const double indent = row.path < 0 ? 14 : 30;
    painter.setRenderHint(QPainter::Antialiasing);
    if (row.path < 0) {
        // The triangle that folds and unfolds.
        QPainterPath fold;
        const QPointF c(box.left() + 5, box.center().y());
        fold.moveTo(c + (row.unfolded ? QPointF(-4, -2) : QPointF(-2, -4)));
        fold.lineTo(c + (row.unfolded ? QPointF(4, -2) : QPointF(-2, 4)));
        fold.lineTo(c + (row.unfolded ? QPointF(0, 4) : QPointF(4, 0)));
        fold.closeSubpath();
        painter.fillPath(fold, theme::faint);
    }
    QString text = run.sessions[static_cast<std::size_t>(row.session)].label;
    if (row.path >= 0) {
        const auto& path = run.paths[static_cast<std::size_t>(row.path)];
        text = QStringLiteral("path %1").arg(path.index);
        if (path.udp_source_port > 0) text += QStringLiteral(", port %1").arg(path.udp_source_port);
    }
    painter.setPen(crosses ? theme::suspect : (row.path < 0 ? theme::ink : theme::muted));
    painter.setFont(theme::font(11, crosses));
    const QRectF space = box.adjusted(indent, 0, crosses ? -12 : 0, 0);
    painter.drawText(space, Qt::AlignVCenter | Qt::AlignLeft,
                     QFontMetricsF(painter.font()).elidedText(text, Qt::ElideMiddle, space.width()));
    if (crosses) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::suspect);
        painter.drawEllipse(QPointF(box.right() - 4, box.center().y()), 3.5, 3.5);
    }
}

/// Sent, lost and their share up to the playhead.
void LanesPicture::paint_figures(QPainter& painter, const LaneRow& row, const QRectF& box,
                                 const FabricState& state) const {
    const Loss loss = loss_until(paths_of(row), state.t_ns);
    painter.setFont(theme::font(11));
    painter.setPen(loss.sent > 0 ? theme::ink : theme::faint);
    if (loss.sent <= 0) {
        painter.drawText(box, Qt::AlignVCenter | Qt::AlignRight, QStringLiteral("not measured"));
        return;
    }
    const double third = box.width() / 3;
    const auto cell = [&](int i, const QString& text) {
        painter.drawText(QRectF(box.left() + i * third, box.top(), third, box.height()),
                         Qt::AlignVCenter | Qt::AlignRight, text);
    };
    cell(0, count_text(loss.sent));
    cell(1, count_text(loss.lost));
    cell(2, percent_text(loss.rate()));
}

/// From the request on a thin line, while active a broad one.
void LanesPicture::paint_life(QPainter& painter, const Session& session, const QRectF& track) const {
    const std::int64_t end_ns = session.closed_ns.value_or(lanes_.run()->range.end_ns);
    const auto line = [&](std::int64_t from_ns, std::int64_t to_ns, double thick) {
        const double left = mapping_.to_pixel(from_ns);
        const double right = mapping_.to_pixel(to_ns);
        painter.fillRect(QRectF(left, track.center().y() - thick / 2, std::max(1.0, right - left), thick),
                         theme::session_bar);
    };
    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto begin_ns = session.requested_ns ? session.requested_ns : session.active_ns;
    if (begin_ns) line(*begin_ns, session.active_ns.value_or(end_ns), 1);
    if (session.active_ns) line(*session.active_ns, end_ns, 3);
}

/// Each pixel shows all windows that touch it, together.
void LanesPicture::paint_losses(QPainter& painter, const LaneRow& row, const QRectF& track) const {
    const auto pixels = static_cast<int>(std::ceil(mapping_.width));
    std::vector<Loss> losses(static_cast<std::size_t>(pixels));
    for (const auto* path : paths_of(row)) {
        auto window = std::lower_bound(path->windows.begin(), path->windows.end(), mapping_.visible.begin_ns,
                                       [](const LossWindow& w, std::int64_t t) { return w.to_ns < t; });
        for (; window != path->windows.end() && window->from_ns <= mapping_.visible.end_ns; ++window) {
            const Loss loss = path->loss_in(*window);
            const double left = mapping_.to_pixel(window->from_ns) - mapping_.left;
            const double right = mapping_.to_pixel(window->to_ns) - mapping_.left;
            const int from = std::clamp(static_cast<int>(std::floor(left)), 0, pixels - 1);
            const int to = std::clamp(static_cast<int>(std::ceil(right)) - 1, from, pixels - 1);
            for (int x = from; x <= to; ++x)
                losses[static_cast<std::size_t>(x)] += loss;
        }
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (int begin = 0; begin < pixels;) {
        const LossClass level = loss_class(losses[static_cast<std::size_t>(begin)]);
        int end = begin + 1;
        while (end < pixels && loss_class(losses[static_cast<std::size_t>(end)]) == level)
            ++end;
        if (level != LossClass::NotMeasured)
            painter.fillRect(QRectF(track.left() + begin, track.top(), end - begin, track.height()),
                             theme::loss_color(level));
        begin = end;
    }
}

void LanesPicture::paint_detections(QPainter& painter, int session, const QRectF& track) const {
    painter.setRenderHint(QPainter::Antialiasing);
    for (const auto& detection : lanes_.run()->detections) {
        if (detection.session != session || detection.state == QLatin1String("healthy")) continue;
        const double x = mapping_.to_pixel(detection.t_ns);
        QPainterPath flag;
        flag.moveTo(x, track.top() - 1);
        flag.lineTo(x + 6, track.bottom() + 2);
        flag.lineTo(x - 6, track.bottom() + 2);
        flag.closeSubpath();
        painter.setPen(QPen(theme::paper, 1.2));
        painter.setBrush(theme::suspect);
        painter.drawPath(flag);
    }
}

void LanesPicture::paint_truth(QPainter& painter, const FabricState&, double bottom) const {
    for (const auto& fault : lanes_.run()->truth_faults) {
        const double left = std::max(mapping_.left, mapping_.to_pixel(fault.t_ns));
        const double right = std::min(mapping_.left + mapping_.width,
                                      mapping_.to_pixel(fault.until_ns.value_or(lanes_.run()->range.end_ns)));
        if (right <= left) continue;
        QPainterPath shape;
        shape.addRect(QRectF(left, area_.top() + header_height - 5, right - left, 5));
        theme::hatch(painter, shape);
        painter.setPen(QPen(theme::truth, 1.2, Qt::DashLine));
        if (mapping_.to_pixel(fault.t_ns) >= mapping_.left)
            painter.drawLine(QPointF(left, area_.top() + header_height), QPointF(left, bottom));
    }
}

void LanesPicture::paint_header(QPainter& painter, const FabricState&) const {
    const auto ticks = time_ticks(mapping_, 90);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme::font(11));
    painter.setPen(theme::muted);
    const double y = area_.top();
    for (const auto t : ticks.at_ns) {
        const double x = mapping_.to_pixel(t);
        painter.drawText(QRectF(x - 45, y, 90, header_height - 7), Qt::AlignHCenter | Qt::AlignVCenter,
                         tick_text(t, ticks.step_ns) + QStringLiteral(" s"));
    }
    painter.drawText(QRectF(area_.left() + 22, y, label_width, header_height - 7),
                     Qt::AlignVCenter | Qt::AlignLeft, QStringLiteral("session"));
    const double left = mapping_.left + mapping_.width + right_margin;
    const double third = (figures_width - 10) / 3;
    int column = 0;
    for (const auto& title : {QStringLiteral("sent"), QStringLiteral("lost"), QStringLiteral("loss")}) {
        painter.drawText(QRectF(left + column * third, y, third, header_height - 7),
                         Qt::AlignVCenter | Qt::AlignRight, title);
        ++column;
    }
    painter.setPen(QPen(theme::rule, 1));
    painter.drawLine(QPointF(area_.left(), y + header_height - 0.5),
                     QPointF(area_.right(), y + header_height - 0.5));
}

std::vector<LaneRow> lane_rows(const SessionLanesModel& lanes, const std::vector<int>& unfolded) {
    std::vector<LaneRow> rows;
    if (!lanes.run()) return rows;
    for (int row = 0; row < lanes.rowCount(); ++row) {
        const int session = lanes.session_at(row);
        const bool open = std::find(unfolded.begin(), unfolded.end(), session) != unfolded.end();
        rows.push_back({session, -1, open});
        if (!open) continue;
        const auto& s = lanes.run()->sessions[static_cast<std::size_t>(session)];
        for (int path = s.paths_begin; path < s.paths_end; ++path)
            rows.push_back({session, path, false});
    }
    return rows;
}

}  // namespace dyetrace::viewer
