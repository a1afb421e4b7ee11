// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-calendar.h"

#include <algorithm>
#include <utility>

#include <ns3/abort.h>

namespace ns3 {

DyetraceCalendar::DyetraceCalendar() : m_ring(Slots) {}

void DyetraceCalendar::Insert(const Event& event) {
    ++m_size;
    const uint64_t slot = SlotOf(event);
    if (slot < m_slot) {
        m_soon.push_back(event);
        std::push_heap(m_soon.begin(), m_soon.end(), IsAfter);
    } else if (slot - m_slot < Slots) {
        PutIntoRing(event);
    } else {
        m_later.push_back(event);
        std::push_heap(m_later.begin(), m_later.end(), IsAfter);
    }
}

const DyetraceCalendar::Event& DyetraceCalendar::First() {
    if (m_run.size() - m_at < RunLeast) Refill();
    return IsSoonFirst() ? m_soon.front() : m_run[m_at];
}

DyetraceCalendar::Event DyetraceCalendar::TakeFirst() {
    const Event first = First();
    --m_size;
    if (IsSoonFirst()) {
        std::pop_heap(m_soon.begin(), m_soon.end(), IsAfter);
        m_soon.pop_back();
    } else {
        ++m_at;
        ++m_runCount;
    }
    return first;
}

bool DyetraceCalendar::IsSoonFirst() const {
    return !m_soon.empty() && (m_at == m_run.size() || m_soon.front().key < m_run[m_at].key);
}

// Only the very next event is fetched from far away: what comes in before it would all have to go through the
// heap.
void DyetraceCalendar::Refill() {
    while (m_run.size() - m_at < RunLeast && m_ringSize + m_later.size() != 0) {
        if (m_ringSize == 0) MoveRing(SlotOf(m_later.front()));
        const uint64_t slot = NextSlot();
        const bool isNext = m_at == m_run.size() && m_soon.empty();
        if (!isNext) {
            const uint64_t first = SlotOf(IsSoonFirst() ? m_soon.front() : m_run[m_at]);
            if (slot - first > Near) return;
        }
        AppendSlot(slot);
        MoveRing(slot + 1);
    }
}

uint64_t DyetraceCalendar::NextSlot() const {
    for (uint64_t slot = m_slot;; slot = (slot | 63) + 1) {
        const uint64_t rest = m_isTaken[slot % Slots / 64] >> slot % 64;
        if (rest != 0) return slot + static_cast<uint64_t>(__builtin_ctzll(rest));
    }
}

void DyetraceCalendar::AppendSlot(uint64_t slot) {
    std::vector<Event>& events = m_ring[slot % Slots];
    m_isTaken[slot % Slots / 64] &= ~(uint64_t{1} << slot % 64);
    m_ringSize -= events.size();
    m_run.erase(m_run.begin(), m_run.begin() + static_cast<std::ptrdiff_t>(m_at));
    m_at = 0;
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.key < b.key; });
    m_run.insert(m_run.end(), events.begin(), events.end());
    events.clear();
    m_spare.push_back(std::move(events));
}

void DyetraceCalendar::MoveRing(uint64_t slot) {
    m_slot = slot;
    while (!m_later.empty() && SlotOf(m_later.front()) - m_slot < Slots) {
        PutIntoRing(m_later.front());
        std::pop_heap(m_later.begin(), m_later.end(), IsAfter);
        m_later.pop_back();
    }
}

void DyetraceCalendar::PutIntoRing(const Event& event) {
    const uint64_t slot = SlotOf(event) % Slots;
    std::vector<Event>& events = m_ring[slot];
    if (events.empty()) {
        m_isTaken[slot / 64] |= uint64_t{1} << slot % 64;
        if (events.capacity() == 0 && !m_spare.empty()) {
            events = std::move(m_spare.back());
            m_spare.pop_back();
        }
    }
    events.push_back(event);
    ++m_ringSize;
}

bool DyetraceCalendar::Erase(std::vector<Event>& events, const Event& event) {
    const auto found = std::find_if(events.begin(), events.end(),
                                    [&event](const Event& other) { return other.key == event.key; });
    if (found == events.end()) return false;
    events.erase(found);
    return true;
}

// Rare: ns-3 cancels events where they stand.
void DyetraceCalendar::Remove(const Event& event) {
    --m_size;
    const uint64_t slot = SlotOf(event);
    if (slot >= m_slot && slot - m_slot < Slots) {
        std::vector<Event>& events = m_ring[slot % Slots];
        const bool isErased = Erase(events, event);
        NS_ABORT_MSG_UNLESS(isErased, "an event was removed that is not scheduled");
        if (events.empty()) m_isTaken[slot % Slots / 64] &= ~(uint64_t{1} << slot % 64);
        --m_ringSize;
        return;
    }
    m_run.erase(m_run.begin(), m_run.begin() + static_cast<std::ptrdiff_t>(m_at));
    m_at = 0;
    if (slot < m_slot && Erase(m_run, event)) return;
    std::vector<Event>& heap = slot < m_slot ? m_soon : m_later;
    const bool isErased = Erase(heap, event);
    NS_ABORT_MSG_UNLESS(isErased, "an event was removed that is not scheduled");
    std::make_heap(heap.begin(), heap.end(), IsAfter);
}

}  // namespace ns3
