// SPDX-License-Identifier: GPL-2.0-or-later
// The events of a simulation, in the order in which ns-3 takes them: by time, and those of one time in the
// order in which they were scheduled. Not installed.
//
//   taken | run, sorted ........ | ring: a list for each slot of 64 ns, in no order | later: a heap
//         | soon: a heap of what came for the run's time when that was sorted already
//
// A slot is sorted when the run becomes short. Events are mostly scheduled for less than the ring's time
// ahead, and are then written once at the end of a list, and moved once: a heap of all would be looked
// through from top to bottom for each. And the run says which events come next, so that the memory can be
// asked for what they will look at.
#ifndef DYETRACE_CALENDAR_H
#define DYETRACE_CALENDAR_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <ns3/scheduler.h>

namespace ns3 {

class DyetraceCalendar {
  public:
    using Event = Scheduler::Event;

    DyetraceCalendar();

    bool IsEmpty() const { return m_size == 0; }
    void Insert(const Event& event);
    /// The first; there must be one. Valid until the next call.
    const Event& First();
    Event TakeFirst();
    /// An event that is here.
    void Remove(const Event& event);

    /// The event that is taken after `ahead` others, as far as can be said by now; null: nobody knows.
    const Event* Foresee(std::size_t ahead) const {
        return m_at + ahead < m_run.size() ? &m_run[m_at + ahead] : nullptr;
    }
    /// How many were taken from the run: what Foresee tells is new only when this has grown.
    uint64_t GetRunCount() const { return m_runCount; }

  private:
    static constexpr unsigned SlotBits = 6;  ///< of nanoseconds
    static constexpr std::size_t Slots = 4096;
    static constexpr std::size_t RunLeast = 32;  ///< events that the run has, if they are near
    static constexpr uint64_t Near = 64;         ///< slots from the next event that are sorted ahead

    static uint64_t SlotOf(const Event& event) { return event.key.m_ts >> SlotBits; }
    /// Whether `a` is taken after `b`.
    static bool IsAfter(const Event& a, const Event& b) { return b.key < a.key; }

    void Refill();
    /// The first slot that has events, from m_slot on; there must be one.
    uint64_t NextSlot() const;
    void AppendSlot(uint64_t slot);
    void MoveRing(uint64_t slot);
    void PutIntoRing(const Event& event);
    bool IsSoonFirst() const;
    static bool Erase(std::vector<Event>& events, const Event& event);

    std::vector<Event> m_run;  ///< from m_at on
    std::size_t m_at = 0;
    uint64_t m_runCount = 0;
    std::vector<Event> m_soon;
    uint64_t m_slot = 0;                           ///< the first that is not in the run
    std::vector<std::vector<Event>> m_ring;        ///< by slot, modulo their number
    std::array<uint64_t, Slots / 64> m_isTaken{};  ///< a bit for each slot of the ring: it has events
    std::vector<std::vector<Event>> m_spare;       ///< lists without events: the memory of few serves all
    std::size_t m_ringSize = 0;
    std::vector<Event> m_later;
    std::size_t m_size = 0;
};

}  // namespace ns3

#endif  // DYETRACE_CALENDAR_H
