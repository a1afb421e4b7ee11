// SPDX-License-Identifier: GPL-2.0-or-later
// "Why is it red?": the figures behind what is drawn, as text for a tooltip (rich text, safe to show as it
// is).
#pragma once

#include <QString>
#include <cstdint>

#include "gui/model/event_log.h"
#include "gui/model/fabric_state.h"
#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

/// "1.02%: 182 of 17,800 packets".
[[nodiscard]] QString loss_text(const Loss& loss);

/// What the link's paths lost, and which of them most; who suspects it, and what truth says (where
/// `with_truth`).
[[nodiscard]] QString explain_link(const RunSnapshot& run, const FabricState& state, int link,
                                   bool with_truth);
/// How things stand: what happened last (`last` may be null), who is suspected, what truth says.
[[nodiscard]] QString explain_moment(const RunSnapshot& run, const FabricState& state, const RunEvent* last,
                                     bool with_truth);
[[nodiscard]] QString explain_node(const RunSnapshot& run, const FabricState& state, int node);
/// `path` -1: all of the session.
[[nodiscard]] QString explain_lane(const RunSnapshot& run, int session, int path, std::int64_t t_ns,
                                   std::int64_t slack_ns);

}  // namespace dyetrace::viewer
