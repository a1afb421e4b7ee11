// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/probe_turn.h"

#include <algorithm>
#include <utility>

namespace dyetrace::health {

ProbeTurn::ProbeTurn(std::uint32_t trace, const Places& places, Time now)
    : trace_(trace), until_(now + kLength), over_at_(until_ + kEndsLate) {
    move(places, now);
}

bool ProbeTurn::move(const Places& places, Time now) {
    std::map<IpAddress, End> ends;
    for (const auto& [eppc, stages] : places) {
        End& end = ends[eppc];
        if (const End* const before = find(eppc)) {
            if (before->asked != 0 && (stages & ~before->asked) != 0) return false;
            end = *before;
        } else {
            end.ask_at = now;
        }
        end.stages = stages;
    }
    for (const auto& [eppc, before] : ends_) {
        // Guests may come back to it.
        if (const auto [it, is_left] = ends.try_emplace(eppc, before); is_left) it->second.stages = 0;
    }
    ends_ = std::move(ends);
    blind_ = static_cast<std::size_t>(std::count_if(ends_.begin(), ends_.end(), [](const auto& one) {
        return one.second.is_far() && !one.second.looks;
    }));
    return true;
}

ProbeTurn::End* ProbeTurn::find(IpAddress eppc) {
    const auto it = ends_.find(eppc);
    return it == ends_.end() ? nullptr : &it->second;
}

Time ProbeTurn::ask_at(IpAddress eppc, Time now) const {
    const auto it = ends_.find(eppc);
    return it == ends_.end() || it->second.stages == 0 || std::max(now, it->second.ask_at) >= until_
               ? Time::never()
               : it->second.ask_at;
}

std::uint8_t ProbeTurn::ask(IpAddress eppc) {
    End* const end = find(eppc);
    if (end == nullptr) return 0;
    end->ask_at = Time::never();
    return end->asked = end->stages;
}

void ProbeTurn::on_answer(IpAddress eppc, bool follows, Time now) {
    End* const end = find(eppc);
    if (end == nullptr || end->looks) return;
    if (!follows) {
        end->ask_at = now + end->pause;
        end->pause = end->pause * 2;
        return;
    }
    end->looks = true;
    if (!end->is_far()) return;
    --blind_;
    all_look_since_ = std::max(all_look_since_, now);
}

void ProbeTurn::on_not_asked(IpAddress eppc, Time now) {
    if (End* const end = find(eppc)) end->ask_at = now + kPause;
}

bool ProbeTurn::on_restart(IpAddress eppc, Time now) {
    End* const end = find(eppc);
    if (end == nullptr) return false;
    const bool was_seen = end->is_far() && end->looks;
    if (was_seen) ++blind_;
    *end = {end->stages, 0, false, now, kPause, {}};
    return was_seen;
}

bool ProbeTurn::is_at(IpAddress eppc, wire::FlowStage stage) const {
    const auto it = ends_.find(eppc);
    return it != ends_.end() && (it->second.stages & bit(stage)) != 0;
}

void ProbeTurn::count(IpAddress eppc, wire::FlowStage stage, Time now) {
    End* const end = find(eppc);
    if (end != nullptr && ++end->told[static_cast<std::size_t>(stage)] == kPackets / 2)
        over_at_ = std::min(over_at_, now);
}

}  // namespace dyetrace::health
