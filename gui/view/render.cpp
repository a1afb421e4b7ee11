// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/render.h"

#include <QPainter>
#include <algorithm>

#include "gui/model/event_log.h"
#include "gui/model/fabric_state.h"
#include "gui/model/session_lanes_model.h"
#include "gui/model/time_text.h"
#include "gui/view/lanes_picture.h"
#include "gui/view/legend.h"
#include "gui/view/map_picture.h"
#include "gui/view/theme.h"
#include "gui/view/timeline_picture.h"

namespace dyetrace::viewer {
namespace {

constexpr std::int64_t window_ns_max = 100'000'000;

void paint_map(QPainter& painter, const QRectF& area, const SnapshotPtr& run, const FabricState& state,
               bool truth) {
    MapPicture map(run);
    map.place(area, {});
    map.paint(painter, state, {.truth = truth});
}

void paint_lanes(QPainter& painter, const QRectF& area, const SnapshotPtr& run, const FabricState& state,
                 bool truth) {
    SessionLanesModel lanes;
    lanes.set_run(run);
    LanesPicture picture(lanes);
    picture.place(area, run->range);
    picture.paint(painter, lane_rows(lanes, {}), 0, state, {.truth = truth});
}

}  // namespace

std::int64_t usual_window_ns(const RunSnapshot& run) {
    return std::min(window_ns_max, std::max<std::int64_t>(1, run.range.length_ns() / 5));
}

QImage render(const SnapshotPtr& run, const RenderRequest& request) {
    QImage image(request.size, QImage::Format_RGB32);
    image.setDevicePixelRatio(request.scale);
    image.fill(theme::paper);
    const QSizeF size = QSizeF(request.size) / request.scale;
    const auto window_ns = request.window_ns > 0 ? request.window_ns : usual_window_ns(*run);
    const FabricState state = fabric_state(*run, request.t_ns, window_ns);

    const std::vector<RunEvent> events = events_of(*run);
    const QString last_event = last_event_text(events, request.t_ns, request.truth);

    QPainter painter(&image);
    const QRectF all(QPointF(0, 0), size);
    const QRectF heading(0, 0, all.width(), heading_height);
    const QRectF strip(0, all.height() - TimelinePicture::height, all.width(), TimelinePicture::height);
    const QRectF legend(0, strip.top() - legend_height(all.width()), all.width(), legend_height(all.width()));
    const QRectF body(0, heading.bottom(), all.width(), std::max(0.0, legend.top() - heading.bottom()));
    if (request.view == View::Map) {
        const QString what =
            QStringLiteral("loss of all packets on the paths through each link, in reports of the last %1")
                .arg(duration_text(window_ns));
        paint_map(painter, body, run, state, request.truth);
        paint_heading(painter, heading, *run, state, what, last_event);
    } else {
        const QString what =
            QStringLiteral("loss of all packets of each session over time; figures up to the playhead");
        paint_lanes(painter, body, run, state, request.truth);
        paint_heading(painter, heading, *run, state, what, last_event);
    }
    paint_legend(painter, legend, request.view == View::Map ? LegendOf::Map : LegendOf::Lanes, request.truth);
    TimelinePicture timeline(run, events);
    timeline.place(strip);
    timeline.paint(painter, request.t_ns, request.truth);
    return image;
}

}  // namespace dyetrace::viewer
