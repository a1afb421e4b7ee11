// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/theme.h"

#include <QFontDatabase>
#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace dyetrace::viewer::theme {

QColor loss_color(LossClass c) {
    switch (c) {
        case LossClass::NotMeasured: return {0xe3, 0xe7, 0xeb};
        case LossClass::TooFew: return {0xd3, 0xda, 0xe1};
        case LossClass::None: return {0x9f, 0xb6, 0xca};
        case LossClass::Trace: return {0xf3, 0xcf, 0x7a};
        case LossClass::Low: return {0xf0, 0xa8, 0x3c};
        case LossClass::Medium: return {0xe5, 0x78, 0x26};
        case LossClass::High: return {0xcf, 0x3f, 0x1d};
        case LossClass::Severe: return {0x99, 0x15, 0x18};
        case LossClass::Extreme: return {0x50, 0x06, 0x12};
    }
    return {};
}

double link_width(LossClass c) {
    switch (c) {
        case LossClass::NotMeasured:
        case LossClass::TooFew:
        case LossClass::None: return 1.0;  // not more: Qt draws thousands of such lines quickly
        case LossClass::Trace: return 1.4;
        case LossClass::Low: return 1.7;
        case LossClass::Medium: return 2.0;
        case LossClass::High: return 2.8;
        case LossClass::Severe: return 3.2;
        case LossClass::Extreme: return 3.6;
    }
    return 1.0;
}

QFont font(int pixels, bool bold) {
    QFont f(QStringLiteral("DejaVu Sans"));
    f.setStyleHint(QFont::SansSerif);
    f.setPixelSize(pixels);
    f.setBold(bold);
    return f;
}

QPalette palette() {
    QPalette p;
    p.setColor(QPalette::Window, panel);
    p.setColor(QPalette::Base, paper);
    p.setColor(QPalette::AlternateBase, panel);
    p.setColor(QPalette::Button, panel);
    for (const auto role :
         {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText})
        p.setColor(role, ink);
    p.setColor(QPalette::ToolTipBase, paper);
    p.setColor(QPalette::PlaceholderText, muted);
    p.setColor(QPalette::Highlight, suspect);
    p.setColor(QPalette::HighlightedText, paper);
    p.setColor(QPalette::Mid, rule);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, faint);
    return p;
}

void hatch(QPainter& painter, const QPainterPath& shape) {
    constexpr double step = 4.5;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipPath(shape, Qt::IntersectClip);
    painter.setPen(QPen(truth, 1.0));
    const QRectF box = shape.boundingRect();
    const double first = std::floor((box.left() - box.height()) / step) * step;
    const int strokes = static_cast<int>(std::ceil((box.right() + step - first) / step));
    for (int i = 0; i < strokes; ++i) {
        const double x = first + i * step;
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x + box.height(), box.top()));
    }
    painter.restore();
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(truth, 1.2));
    painter.drawPath(shape);
    painter.restore();
}

void disc(QPainter& painter, QPointF centre, double radius, const QColor& color, int number) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(paper, 1.2));
    painter.setBrush(color);
    painter.drawEllipse(centre, radius, radius);
    painter.setPen(paper);
    painter.setFont(font(static_cast<int>(radius * 1.3), true));
    painter.drawText(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius),
                     Qt::AlignCenter, QString::number(number));
    painter.restore();
}

QRectF pill(QPainter& painter, const QRectF& bounds, QPointF at, const QString& text, const QColor& color,
            int number) {
    constexpr double height = 22;
    constexpr double padding = 8;
    const QFont f = font(12, true);
    const double lead = number > 0 ? height : padding;
    QRectF box(at.x(), at.y() - height / 2, lead + QFontMetricsF(f).horizontalAdvance(text) + padding,
               height);
    box.moveLeft(
        std::clamp(box.left(), bounds.left(), std::max(bounds.left(), bounds.right() - box.width())));
    box.moveTop(std::clamp(box.top(), bounds.top(), std::max(bounds.top(), bounds.bottom() - height)));
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1.3));
    painter.setBrush(paper);
    painter.drawRoundedRect(box, height / 2, height / 2);
    if (number > 0) disc(painter, {box.left() + height / 2, box.center().y()}, height / 2 - 3, color, number);
    painter.setFont(f);
    painter.setPen(color);
    painter.drawText(box.adjusted(lead, 0, -padding + 1, 0), Qt::AlignVCenter | Qt::AlignLeft, text);
    painter.restore();
    return box;
}

}  // namespace dyetrace::viewer::theme
