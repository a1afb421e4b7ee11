// SPDX-License-Identifier: GPL-2.0-or-later
// Colours, line widths and fonts of everything the viewer draws.
//
// Loss is one hue after another from light to dark, so that its order survives every kind of colour blindness
// and a black-and-white printer. What was measured and concluded is blue, truth is black and hatched: neither
// depends on telling red from green.
#pragma once

#include <QColor>
#include <QFont>
#include <QPainterPath>
#include <QPalette>
#include <QPen>

#include "gui/model/loss_scale.h"

class QPainter;

namespace dyetrace::viewer::theme {

inline const QColor paper{0xff, 0xff, 0xff};
inline const QColor panel{0xf5, 0xf7, 0xf9};
inline const QColor rule{0xdd, 0xe3, 0xe9};
inline const QColor ink{0x1b, 0x25, 0x30};
inline const QColor muted{0x5f, 0x6e, 0x7d};
inline const QColor faint{0x9a, 0xa7, 0xb4};
inline const QColor suspect{0x00, 0x5f, 0xb8};
inline const QColor suspect_tint{0x00, 0x5f, 0xb8, 0x38};
inline const QColor truth{0x1b, 0x25, 0x30};
inline const QColor playhead{0xc2, 0x18, 0x5b};
inline const QColor session_bar{0xc9, 0xd8, 0xe6};

[[nodiscard]] QColor loss_color(LossClass c);
/// Of a link on the map: the worse, the wider.
[[nodiscard]] double link_width(LossClass c);

/// The pictures' own font, the same on every machine; `pixels` high.
[[nodiscard]] QFont font(int pixels, bool bold = false);
/// A light palette, whatever the desktop's.
[[nodiscard]] QPalette palette();

/// Truth's hatching over `shape`: diagonal strokes and a dashed border, crisp at every scale.
void hatch(QPainter& painter, const QPainterPath& shape);
/// A rounded label with `text` whose left centre is `at`; returns where it is. `number` > 0 goes before it in
/// a disc.
QRectF pill(QPainter& painter, const QRectF& bounds, QPointF at, const QString& text, const QColor& color,
            int number);
/// A white number in a disc.
void disc(QPainter& painter, QPointF centre, double radius, const QColor& color, int number);

}  // namespace dyetrace::viewer::theme
