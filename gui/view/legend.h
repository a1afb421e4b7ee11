// SPDX-License-Identifier: GPL-2.0-or-later
// The line above a picture, which says what it shows of which moment, and the one below, which says what its
// marks mean.
#pragma once

#include <QRectF>

#include "gui/model/fabric_state.h"
#include "gui/model/run_snapshot.h"

class QPainter;

namespace dyetrace::viewer {

inline constexpr double heading_height = 58;
/// Of a legend that is so wide: what does not fit into one line goes into a second.
[[nodiscard]] double legend_height(double width);

/// The run, the moment, how things stand at it, and what happened last.
void paint_heading(QPainter& painter, const QRectF& area, const RunSnapshot& run, const FabricState& state,
                   const QString& what, const QString& last_event);

enum class LegendOf {
    Map,
    Lanes,
    LaneMarks,  ///< of the lanes, where the map with the colours is in sight
};
void paint_legend(QPainter& painter, const QRectF& area, LegendOf what, bool truth);

}  // namespace dyetrace::viewer
