// SPDX-License-Identifier: GPL-2.0-or-later
// Draws a view of a run into a PNG, without a window.
#pragma once

#include <QImage>
#include <QSize>
#include <cstdint>
#include <optional>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

enum class View { Map, Lanes };

struct RenderRequest {
    View view = View::Map;
    std::int64_t t_ns = 0;
    QSize size{1600, 1000};      ///< of the picture in pixels
    double scale = 1;            ///< pixels per unit of drawing: 2 draws everything twice as large
    std::int64_t window_ns = 0;  ///< how far back the map looks; 0: the usual
    bool truth = true;
};

/// How far back the map looks when nobody says: 100 ms, or less where the whole run is short.
[[nodiscard]] std::int64_t usual_window_ns(const RunSnapshot& run);

/// `t_ns` must be within the run.
[[nodiscard]] QImage render(const SnapshotPtr& run, const RenderRequest& request);

}  // namespace dyetrace::viewer
