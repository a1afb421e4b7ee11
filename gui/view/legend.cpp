// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/legend.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>
#include <array>

#include "gui/model/time_text.h"
#include "gui/view/theme.h"

namespace dyetrace::viewer {
namespace {

constexpr double margin = 14;
constexpr double line_height = 34;
constexpr double second_line_height = 24;
// The longest legend in DejaVu Sans at 11 pixels.
constexpr double legend_width = 1240;

QString status_text(const FabricState& state) {
    QString text = QStringLiteral("%1 sessions active").arg(count_text(state.sessions_active));
    if (state.incidents_confirmed > 0)
        text += QStringLiteral("  \u00b7  %1 confirmed").arg(state.incidents_confirmed);
    if (state.incidents_open > 0)
        text += QStringLiteral("  \u00b7  %1 under investigation").arg(state.incidents_open);
    if (state.incidents_refuted > 0)
        text += QStringLiteral("  \u00b7  %1 refuted").arg(state.incidents_refuted);
    return text;
}

/// Puts marks and their meanings side by side.
class LegendLine {
  public:
    LegendLine(QPainter& painter, const QRectF& area)
        : painter_(painter), area_(area), x_(area.left() + margin), y_(area.top() + line_height / 2) {
        painter_.setFont(theme::font(11));
    }

    /// A mark that is `width` wide, drawn by `draw` into the box that it is given.
    template <class Draw>
    void add(double width, const QString& meaning, Draw draw) {
        const double end = x_ + width + 6 + QFontMetricsF(painter_.font()).horizontalAdvance(meaning);
        if (end > area_.right() && area_.height() > line_height) {
            x_ = area_.left() + margin;
            y_ = area_.top() + line_height + second_line_height / 2 - 4;
            area_.setHeight(0);  // there is no third
        }
        painter_.save();
        draw(QRectF(x_, y_ - 7, width, 14));
        painter_.restore();
        x_ += width + 6;
        say(meaning, theme::ink);
        x_ += 16;
    }

    void say(const QString& text, const QColor& color) {
        painter_.setPen(color);
        painter_.drawText(QPointF(x_, y_ + 4), text);
        x_ += QFontMetricsF(painter_.font()).horizontalAdvance(text);
    }
    void gap(double width) { x_ += width; }

    void loss_scale() {
        say(QStringLiteral("packets lost"), theme::muted);
        gap(10);
        for (int c = static_cast<int>(LossClass::None); c <= static_cast<int>(LossClass::Extreme); ++c) {
            const auto level = static_cast<LossClass>(c);
            painter_.fillRect(QRectF(x_, y_ - 6, 18, 12), theme::loss_color(level));
            x_ += 23;
            say(to_text(level), theme::ink);
            gap(11);
        }
        painter_.fillRect(QRectF(x_, y_ - 6, 18, 12), theme::loss_color(LossClass::NotMeasured));
        x_ += 23;
        say(QStringLiteral("not measured, or < %1 packets").arg(packets_min), theme::ink);
        gap(22);
    }

  private:
    QPainter& painter_;
    QRectF area_;
    double x_;
    double y_;
};

void paint_suspect_mark(QPainter& painter, const QRectF& box, bool sure) {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(theme::suspect_tint);
    painter.setPen(QPen(theme::suspect, sure ? 2.0 : 1.6, sure ? Qt::SolidLine : Qt::DashLine));
    painter.drawRoundedRect(box.adjusted(1, 2, -1, -2), 5, 5);
}

void paint_truth_mark(QPainter& painter, const QRectF& box) {
    QPainterPath shape;
    shape.addRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6);
    theme::hatch(painter, shape);
}

void paint_flag(QPainter& painter, const QRectF& box) {
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath flag;
    flag.moveTo(box.center().x(), box.top() + 1);
    flag.lineTo(box.right(), box.bottom() - 1);
    flag.lineTo(box.left(), box.bottom() - 1);
    flag.closeSubpath();
    painter.fillPath(flag, theme::suspect);
}

void paint_crossing(QPainter& painter, const QRectF& box) {
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::suspect);
    painter.drawEllipse(box.center(), 3.5, 3.5);
}

}  // namespace

double legend_height(double width) {
    return width >= legend_width ? line_height : line_height + second_line_height;
}

void paint_heading(QPainter& painter, const QRectF& area, const RunSnapshot& run, const FabricState& state,
                   const QString& what, const QString& last_event) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(area, theme::paper);
    const QRectF inner = area.adjusted(margin, 8, -margin, -4);
    painter.setPen(theme::ink);
    painter.setFont(theme::font(18, true));
    const QString title = run.title + (run.complete ? QString() : QStringLiteral(" (interrupted)"));
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignTop, title);
    const double width = QFontMetricsF(painter.font()).horizontalAdvance(title);
    painter.setPen(theme::playhead);
    painter.drawText(inner.adjusted(width + 18, 0, 0, 0), Qt::AlignLeft | Qt::AlignTop,
                     time_text(state.t_ns));
    painter.setFont(theme::font(12));
    painter.setPen(theme::muted);
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignBottom, what);
    const double room = inner.width() - QFontMetricsF(painter.font()).horizontalAdvance(what) - 40;
    painter.drawText(inner, Qt::AlignRight | Qt::AlignBottom,
                     QFontMetricsF(painter.font()).elidedText(last_event, Qt::ElideRight, room));
    painter.setPen(theme::ink);
    painter.drawText(inner, Qt::AlignRight | Qt::AlignTop, status_text(state));
    painter.restore();
}

void paint_legend(QPainter& painter, const QRectF& area, LegendOf what, bool truth) {
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    LegendLine line(painter, area);
    if (what != LegendOf::LaneMarks) {
        painter.fillRect(area, theme::paper);
        line.loss_scale();
    }
    if (what == LegendOf::Map) {
        line.add(30, QStringLiteral("under investigation"),
                 [&](const QRectF& box) { paint_suspect_mark(painter, box, false); });
        line.add(30, QStringLiteral("confirmed suspect"),
                 [&](const QRectF& box) { paint_suspect_mark(painter, box, true); });
    } else {
        line.add(12, QStringLiteral("detection"), [&](const QRectF& box) { paint_flag(painter, box); });
        line.add(8, QStringLiteral("through a confirmed suspect"),
                 [&](const QRectF& box) { paint_crossing(painter, box); });
    }
    if (truth)
        line.add(30, QStringLiteral("truth: injected fault"),
                 [&](const QRectF& box) { paint_truth_mark(painter, box); });
    painter.restore();
}

}  // namespace dyetrace::viewer
