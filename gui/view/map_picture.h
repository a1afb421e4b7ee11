// SPDX-License-Identifier: GPL-2.0-or-later
// Draws the fabric as a map, and knows what is where on it.
#pragma once

#include <QLineF>
#include <QPointF>
#include <QRectF>
#include <vector>

#include "gui/model/fabric_layout.h"
#include "gui/model/fabric_state.h"
#include "gui/model/run_snapshot.h"

class QPainter;

namespace dyetrace::viewer {

/// Which part of the map fills the area; `centre` in the layout's units.
struct MapView {
    double zoom = 1;
    QPointF centre{0.5, 0.5};
    bool operator==(const MapView&) const = default;
};

struct MapOptions {
    bool truth = true;
    int highlighted_link = -1;
    int highlighted_node = -1;
};

class MapPicture {
  public:
    explicit MapPicture(SnapshotPtr run);

    /// Where things go from now on.
    void place(const QRectF& area, const MapView& view);
    /// `state` is of the same run.
    void paint(QPainter& painter, const FabricState& state, const MapOptions& options) const;

    /// What is under the pointer, or nearly; -1: nothing.
    [[nodiscard]] int link_at(QPointF point) const;
    [[nodiscard]] int node_at(QPointF point) const;
    [[nodiscard]] QLineF line_of(int link) const { return lines_[static_cast<std::size_t>(link)]; }
    [[nodiscard]] QRectF box_of(int node) const { return boxes_[static_cast<std::size_t>(node)]; }

  private:
    void place_nodes(const MapView& view);
    void place_links();
    [[nodiscard]] QPointF port(int node, int other) const;

    void paint_background(QPainter& painter) const;
    void paint_links(QPainter& painter, const FabricState& state, const MapOptions& options) const;
    void paint_marks(QPainter& painter, const FabricState& state, bool truth) const;
    void paint_nodes(QPainter& painter, const FabricState& state, const MapOptions& options) const;
    void paint_node_label(QPainter& painter, int node) const;
    void paint_callouts(QPainter& painter, const FabricState& state, bool truth) const;

    SnapshotPtr run_;
    FabricLayout layout_;
    std::vector<std::vector<int>> neighbours_;  ///< of each node, from left to right
    QRectF area_;                               ///< all of it
    QRectF canvas_;                             ///< what the layout's 0..1 is mapped to, at zoom 1
    std::vector<QRectF> boxes_;
    std::vector<QLineF> lines_;
    double zoom_ = 1;
};

}  // namespace dyetrace::viewer
