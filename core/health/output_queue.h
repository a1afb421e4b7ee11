// SPDX-License-Identifier: GPL-2.0-or-later
// Outputs that wait to be polled: a ring that grows to what is needed and then asks the heap for nothing
// more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/health/events.h"

namespace dyetrace::health {

class OutputQueue {
  public:
    explicit OutputQueue(std::size_t most) : most_(most) {}

    [[nodiscard]] bool is_full() const { return size_ >= most_; }
    /// Precondition: !is_full(). An event may be made in place: what `output` becomes is its alternative.
    template <class Event>
    void push(Event&& event) {
        slot().output = std::forward<Event>(event);
    }
    /// A datagram whose bytes the caller writes into what is returned.
    std::vector<std::uint8_t>& push_datagram(const Endpoint& to) {
        Slot& last = slot();
        last.output = Datagram{to, {}};
        return last.bytes;
    }
    /// The oldest; the bytes of a datagram are good until the next call.
    std::optional<Output> pop() {
        if (size_ == 0) return std::nullopt;
        Slot& first = slots_[first_];
        first_ = (first_ + 1) & (slots_.size() - 1);
        --size_;
        if (auto* datagram = std::get_if<Datagram>(&first.output)) {
            std::swap(popped_, first.bytes);
            datagram->bytes = popped_;
        }
        return std::optional<Output>(std::move(first.output));
    }

  private:
    struct Slot {
        Output output;
        std::vector<std::uint8_t> bytes;  ///< of a datagram
    };
    Slot& slot() {
        if (size_ == slots_.size()) grow();
        return slots_[(first_ + size_++) & (slots_.size() - 1)];
    }
    void grow() {
        std::vector<Slot> larger(std::max<std::size_t>(64, 2 * slots_.size()));
        for (std::size_t i = 0; i < size_; ++i)
            larger[i] = std::move(slots_[(first_ + i) & (slots_.size() - 1)]);
        slots_ = std::move(larger);
        first_ = 0;
    }

    std::size_t most_;
    std::vector<Slot> slots_;  ///< a power of two of them
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    std::vector<std::uint8_t> popped_;
};

}  // namespace dyetrace::health
