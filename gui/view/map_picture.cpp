// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/map_picture.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <array>
#include <cmath>

#include "gui/model/time_text.h"
#include "gui/view/theme.h"

namespace dyetrace::viewer {
namespace {

constexpr double tier_label_width = 98;
constexpr double host_label_height = 36;
constexpr double pod_label_height = 18;
constexpr double switch_height = 24;
constexpr double host_size_max = 16;
constexpr double between_directions = 3.4;  // of the two links of a cable
constexpr double reach = 5;                 // how near to a link the pointer has to be
constexpr double arrow_room = 40;           // a shorter line has no place for its arrow
constexpr std::size_t callouts_max = 3;

std::size_t at(int index) {
    return static_cast<std::size_t>(index);
}

QString tier_name(NodeKind kind) {
    switch (kind) {
        case NodeKind::Core: return QStringLiteral("core");
        case NodeKind::Aggregation: return QStringLiteral("aggregation");
        case NodeKind::Edge: return QStringLiteral("edge");
        case NodeKind::Switch: return QStringLiteral("switches");
        case NodeKind::Host: return QStringLiteral("hosts");
    }
    return {};
}

/// "host-0-1-2" as "0-1-2": the tier says the rest.
QString short_name(const QString& name) {
    const auto dash = name.indexOf(u'-');
    return dash < 0 ? name : name.mid(dash + 1);
}

/// A capsule around a line.
QPainterPath capsule(const QLineF& line, double half_width) {
    QPainterPath path;
    path.moveTo(line.p1());
    path.lineTo(line.p2());
    QPainterPathStroker stroker;
    stroker.setWidth(2 * half_width);
    stroker.setCapStyle(Qt::RoundCap);
    return stroker.createStroke(path).simplified();
}

void paint_arrow(QPainter& painter, const QLineF& line, double share, double size) {
    const QPointF tip = line.pointAt(share);
    const QPointF along = (line.p2() - line.p1()) / std::max(1.0, line.length());
    const QPointF across(-along.y(), along.x());
    const std::array<QPointF, 3> head{tip + along * size, tip - along * size * 0.6 + across * size * 0.75,
                                      tip - along * size * 0.6 - across * size * 0.75};
    painter.drawPolygon(head.data(), static_cast<int>(head.size()));
}

double distance_to(const QLineF& line, QPointF point) {
    const QPointF d = line.p2() - line.p1();
    const double length2 = d.x() * d.x() + d.y() * d.y();
    if (length2 == 0) return QLineF(line.p1(), point).length();
    const QPointF v = point - line.p1();
    const double share = std::clamp((v.x() * d.x() + v.y() * d.y()) / length2, 0.0, 1.0);
    return QLineF(line.pointAt(share), point).length();
}

}  // namespace

MapPicture::MapPicture(SnapshotPtr run) : run_(std::move(run)), layout_(lay_out(run_->nodes, run_->links)) {
    neighbours_.resize(run_->nodes.size());
    for (const auto& link : run_->links)
        neighbours_[at(link.from)].push_back(link.to);
    for (auto& around : neighbours_) {
        std::sort(around.begin(), around.end(),
                  [this](int a, int b) { return layout_.nodes[at(a)].x < layout_.nodes[at(b)].x; });
    }
}

void MapPicture::place(const QRectF& area, const MapView& view) {
    area_ = area;
    canvas_ = area.adjusted(tier_label_width, 14 + switch_height / 2, -16,
                            -host_label_height - pod_label_height - host_size_max);
    zoom_ = view.zoom;
    place_nodes(view);
    place_links();
}

void MapPicture::place_nodes(const MapView& view) {
    boxes_.clear();
    for (std::size_t n = 0; n < run_->nodes.size(); ++n) {
        const auto& unit = layout_.nodes[n];
        const QPointF centre(
            canvas_.center().x() + (unit.x - view.centre.x()) * canvas_.width() * view.zoom,
            canvas_.center().y() + (unit.y - view.centre.y()) * canvas_.height() * view.zoom);
        const double room = layout_.spacing[at(layout_.tier_of[n])] * canvas_.width() * view.zoom;
        const bool host = run_->nodes[n].kind == NodeKind::Host;
        const double width =
            host ? std::clamp(room * 0.62, 2.0, host_size_max) : std::clamp(room * 0.84, 4.0, 92.0);
        const double height = host ? std::max(width, 6.0) : switch_height;
        boxes_.emplace_back(centre.x() - width / 2, centre.y() - height / 2, width, height);
    }
}

/// Where the cable to `other` meets `node`: spread over its upper or lower side in the order of the other
/// ends.
QPointF MapPicture::port(int node, int other) const {
    const int tier = layout_.tier_of[at(node)];
    const bool below = layout_.tier_of[at(other)] > tier;
    int count = 0;
    int place = 0;
    for (const int candidate : neighbours_[at(node)]) {
        if ((layout_.tier_of[at(candidate)] > tier) != below) continue;
        if (candidate == other) place = count;
        ++count;
    }
    const QRectF& box = boxes_[at(node)];
    const double share = (place + 0.5) / std::max(1, count);
    const double x = box.center().x() + (share - 0.5) * box.width() * 0.86;
    return {x, below ? box.bottom() : box.top()};
}

void MapPicture::place_links() {
    lines_.clear();
    for (const auto& link : run_->links) {
        QLineF line(port(link.from, link.to), port(link.to, link.from));
        // Both directions keep to the right, as on a road.
        const QPointF along = (line.p2() - line.p1()) / std::max(1.0, line.length());
        const double aside = link.reverse >= 0 ? between_directions / 2 : 0;
        line.translate(-along.y() * aside, along.x() * aside);
        lines_.push_back(line);
    }
}

void MapPicture::paint(QPainter& painter, const FabricState& state, const MapOptions& options) const {
    painter.save();
    painter.setClipRect(area_, Qt::IntersectClip);
    painter.setRenderHint(QPainter::Antialiasing);
    paint_background(painter);
    paint_links(painter, state, options);
    paint_marks(painter, state, options.truth);
    paint_nodes(painter, state, options);
    paint_callouts(painter, state, options.truth);
    painter.restore();
}

void MapPicture::paint_background(QPainter& painter) const {
    painter.fillRect(area_, theme::paper);
    const auto node_of_tier = [this](int tier) {
        return static_cast<std::size_t>(std::find(layout_.tier_of.begin(), layout_.tier_of.end(), tier) -
                                        layout_.tier_of.begin());
    };
    // Pods: from above their highest switches down to the host labels.
    for (const auto& pod : layout_.pods) {
        QRectF box;
        for (std::size_t n = 0; n < run_->nodes.size(); ++n) {
            if (run_->nodes[n].pod == pod.pod) box = box.united(boxes_[n]);
        }
        box.adjust(-7, -14, 7, host_label_height + pod_label_height);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::panel);
        painter.drawRoundedRect(box, 8, 8);
        painter.setPen(theme::faint);
        painter.setFont(theme::font(11));
        painter.drawText(box.adjusted(0, 0, 0, -3), Qt::AlignHCenter | Qt::AlignBottom,
                         QStringLiteral("pod %1").arg(pod.pod));
    }
    painter.setFont(theme::font(12));
    painter.setPen(theme::muted);
    for (int tier = 0; tier < layout_.tier_count; ++tier) {
        const std::size_t n = node_of_tier(tier);
        const double y = boxes_[n].center().y();
        painter.drawText(QRectF(area_.left() + 10, y - 10, tier_label_width, 20),
                         Qt::AlignVCenter | Qt::AlignLeft, tier_name(run_->nodes[n].kind));
    }
}

void MapPicture::paint_links(QPainter& painter, const FabricState& state, const MapOptions& options) const {
    // The worst on top.
    std::array<std::vector<QLineF>, loss_class_count> by_class;
    for (std::size_t link = 0; link < lines_.size(); ++link) {
        const QLineF& line = lines_[link];
        const QRectF box = QRectF(line.p1(), line.p2()).normalized();
        if (!box.adjusted(-4, -4, 4, 4).intersects(area_)) continue;
        by_class[static_cast<std::size_t>(loss_class(state.links[link]))].push_back(line);
    }
    if (options.highlighted_link >= 0) {
        painter.setPen(QPen(theme::playhead, 9, Qt::SolidLine, Qt::RoundCap));
        painter.setOpacity(0.25);
        painter.drawLine(line_of(options.highlighted_link));
        painter.setOpacity(1);
    }
    for (std::size_t c = 0; c < by_class.size(); ++c) {
        const auto level = static_cast<LossClass>(c);
        QColor color = theme::loss_color(level);
        // Thousands of sound links would make one dark carpet in which the lossy ones drown.
        const double crowd = static_cast<double>(by_class[c].size()) / std::max(1.0, area_.width());
        if (level <= LossClass::None) color.setAlphaF(static_cast<float>(std::clamp(0.8 / crowd, 0.16, 1.0)));
        painter.setPen(QPen(color, theme::link_width(level), Qt::SolidLine, Qt::FlatCap));
        painter.drawLines(by_class[c].data(), static_cast<int>(by_class[c].size()));
        if (level < LossClass::Medium) continue;
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        for (const auto& line : by_class[c]) {
            if (line.length() > arrow_room) paint_arrow(painter, line, 0.55, 2 + theme::link_width(level));
        }
    }
}

void MapPicture::paint_marks(QPainter& painter, const FabricState& state, bool truth) const {
    if (truth) {
        for (const auto* fault : state.truth_faults) {
            if (fault->link >= 0) theme::hatch(painter, capsule(line_of(fault->link), 9));
        }
    }
    for (const auto& active : state.suspects) {
        if (active.suspect.link < 0) continue;
        const bool sure = active.status == VerdictStatus::Confirmed;
        const QLineF line = line_of(active.suspect.link);
        const QPainterPath shape = capsule(line, 5);
        painter.fillPath(shape, theme::paper);
        painter.setBrush(theme::suspect_tint);
        painter.setPen(QPen(theme::suspect, sure ? 2.0 : 1.6, sure ? Qt::SolidLine : Qt::DashLine));
        painter.drawPath(shape);
        const LossClass level = loss_class(state.links[at(active.suspect.link)]);
        painter.setPen(QPen(theme::loss_color(level), theme::link_width(level)));
        painter.drawLine(line);
        if (level < LossClass::Trace) continue;
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::loss_color(level));
        paint_arrow(painter, line, 0.55, 2.5 + theme::link_width(level));
    }
}

void MapPicture::paint_nodes(QPainter& painter, const FabricState& state, const MapOptions& options) const {
    for (int n = 0; n < static_cast<int>(boxes_.size()); ++n) {
        const QRectF& box = boxes_[at(n)];
        const auto suspect = std::find_if(state.suspects.begin(), state.suspects.end(),
                                          [n](const auto& active) { return active.suspect.device == n; });
        const bool suspected = suspect != state.suspects.end();
        const bool highlighted = n == options.highlighted_node;
        painter.setPen(
            QPen(suspected ? theme::suspect : (highlighted ? theme::playhead : theme::muted),
                 suspected || highlighted ? 2.2 : 1.0,
                 suspected && suspect->status != VerdictStatus::Confirmed ? Qt::DashLine : Qt::SolidLine));
        painter.setBrush(suspected ? QColor(0xdd, 0xea, 0xf6) : theme::paper);
        const double radius = run_->nodes[at(n)].kind == NodeKind::Host ? 2 : 5;
        painter.drawRoundedRect(box, radius, radius);
        paint_node_label(painter, n);
        if (suspected) theme::disc(painter, box.topRight(), 8, theme::suspect, suspect->number);
    }
}

void MapPicture::paint_node_label(QPainter& painter, int n) const {
    const Node& node = run_->nodes[at(n)];
    const QRectF& box = boxes_[at(n)];
    painter.setPen(theme::ink);
    if (node.kind != NodeKind::Host) {
        const QFont font = theme::font(11);
        const QFontMetricsF metrics(font);
        const QString fitting =
            metrics.horizontalAdvance(node.name) < box.width() - 4 ? node.name : short_name(node.name);
        if (metrics.horizontalAdvance(fitting) > box.width() - 2) return;
        painter.setFont(font);
        painter.drawText(box, Qt::AlignCenter, fitting);
        return;
    }
    const double room = layout_.spacing[at(layout_.tier_of[at(n)])] * canvas_.width() * zoom_;
    if (room < 11) return;
    painter.save();
    painter.setPen(theme::muted);
    painter.setFont(theme::font(10));
    painter.translate(box.center().x(), box.bottom() + 3);
    painter.rotate(90);
    painter.drawText(QRectF(0, -8, host_label_height, 16), Qt::AlignLeft | Qt::AlignVCenter,
                     short_name(node.name));
    painter.restore();
}

void MapPicture::paint_callouts(QPainter& painter, const FabricState& state, bool truth) const {
    std::vector<QRectF> taken;
    const auto callout = [&](const QLineF& line, double share, const QString& text, const QColor& color,
                             int number) {
        const QPointF point = line.pointAt(share);
        QPointF place = point + QPointF(16, 0);
        for (int tries = 0; tries < 8; ++tries) {
            const QRectF probe(place.x(), place.y() - 11, 260, 24);
            const auto hit =
                std::find_if(taken.begin(), taken.end(), [&](const auto& t) { return t.intersects(probe); });
            if (hit == taken.end()) break;
            place.setY(hit->bottom() + 14);
        }
        painter.setPen(QPen(color, 1.2));
        painter.drawLine(point, place + QPointF(4, 0));
        taken.push_back(theme::pill(painter, area_.adjusted(6, 6, -6, -6), place, text, color, number));
    };
    std::size_t shown = 0;
    for (const auto& active : state.suspects) {
        if (active.suspect.link < 0 || ++shown > callouts_max) continue;
        QString text = active.suspect.name + QStringLiteral("  ") + to_text(active.status);
        if (active.suspect.loss_rate > 0)
            text += QStringLiteral(", ") + percent_text(active.suspect.loss_rate) + QStringLiteral(" loss");
        callout(line_of(active.suspect.link), 0.36, text, theme::suspect, active.number);
    }
    if (!truth) return;
    for (const auto* fault : state.truth_faults) {
        if (fault->link < 0) continue;
        callout(line_of(fault->link), 0.66, QStringLiteral("truth: ") + fault->text, theme::truth, 0);
    }
}

int MapPicture::link_at(QPointF point) const {
    int nearest = -1;
    double least = reach;
    for (std::size_t link = 0; link < lines_.size(); ++link) {
        const double distance = distance_to(lines_[link], point);
        if (distance < least) {
            least = distance;
            nearest = static_cast<int>(link);
        }
    }
    return nearest;
}

int MapPicture::node_at(QPointF point) const {
    for (std::size_t n = 0; n < boxes_.size(); ++n) {
        if (boxes_[n].adjusted(-2, -2, 2, 2).contains(point)) return static_cast<int>(n);
    }
    return -1;
}

}  // namespace dyetrace::viewer
