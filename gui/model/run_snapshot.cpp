// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/run_snapshot.h"

#include <algorithm>

namespace dyetrace::viewer {

QString RunSnapshot::link_name(int link) const {
    const Link& l = links[static_cast<std::size_t>(link)];
    return nodes[static_cast<std::size_t>(l.from)].name + QStringLiteral(" > ") +
           nodes[static_cast<std::size_t>(l.to)].name;
}

Loss loss_between(const MeasuredPath& path, std::int64_t after_ns, std::int64_t until_ns) {
    const auto total_at = [&](std::int64_t t_ns) {
        const auto next = std::upper_bound(path.windows.begin(), path.windows.end(), t_ns,
                                           [](std::int64_t t, const LossWindow& w) { return t < w.to_ns; });
        return next == path.windows.begin() ? Loss{} : std::prev(next)->total;
    };
    const Loss before = total_at(after_ns);
    const Loss until = total_at(until_ns);
    return {until.sent - before.sent, until.lost - before.lost};
}

QString state_at(const Session& session, std::int64_t t_ns) {
    QString state;
    for (const auto& change : session.changes) {
        if (change.t_ns > t_ns) break;
        state = change.state;
    }
    return state;
}

}  // namespace dyetrace::viewer
