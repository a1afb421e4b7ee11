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
    const auto& windows = path.windows;
    auto window = std::upper_bound(windows.begin(), windows.end(), after_ns,
                                   [](std::int64_t t, const LossWindow& w) { return t < w.to_ns; });
    Loss sum;
    for (; window != windows.end() && window->to_ns <= until_ns; ++window)
        sum += window->loss;
    return sum;
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
