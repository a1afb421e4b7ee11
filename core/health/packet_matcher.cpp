// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/packet_matcher.h"

namespace dyetrace::health {

void PacketMatcher::see(Point point, std::uint32_t packet, Time at, Time now, bool is_judged) {
    advance(now);
    const bool is_first = point == Point::First;
    const auto it = waiting_.find(packet);
    if (it == waiting_.end()) {
        if (waiting_.size() >= config_.waiting_most) {
            ++counts_.overflow;
            return;
        }
        ++(is_first ? counts_.first : counts_.second);
        waiting_[packet] = {point, at, false, is_judged};
        order_.push_back({now + config_.wait, packet});
        return;
    }
    ++(is_first ? counts_.first : counts_.second);
    Waiting& other = it->second;
    if (!other.is_settled && other.point != point) {
        other.is_settled = true;
        ++(is_judged && other.is_judged ? counts_.delivered : counts_.unjudged);
        delays_.add(is_first ? other.at - at : at - other.at);
        return;
    }
    // Which of two equal ones is which cannot be told. One that was matched before stays so.
    ++(is_first ? counts_.ambiguous : counts_.ambiguous_there);
    if (other.is_settled) return;
    other.is_settled = true;
    ++(other.point == Point::First ? counts_.ambiguous : counts_.ambiguous_there);
}

void PacketMatcher::advance(Time now) {
    for (; !order_.empty() && order_.front().until <= now; order_.pop_front()) {
        const auto it = waiting_.find(order_.front().packet);
        const Waiting& one = it->second;
        if (!one.is_settled)
            ++(one.point == Point::Second ? counts_.strays : one.is_judged ? counts_.lost : counts_.unjudged);
        waiting_.erase(it);
    }
}

void PacketMatcher::doubt() {
    for (auto& [packet, one] : waiting_)
        one.is_judged = one.is_judged && one.point == Point::Second;
}

Time PacketMatcher::next_deadline() const {
    return order_.empty() ? Time::never() : order_.front().until;
}

}  // namespace dyetrace::health
