// SPDX-License-Identifier: GPL-2.0-or-later
// Deadlines of many things, earliest first; equal ones in the order of their keys, so that runs repeat.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"

namespace dyetrace {

/// One deadline per key 0, 1, 2, ... A binary heap with stale entries left in place and skipped: setting an
/// earlier deadline costs a push, setting a later one nothing until the old one is due.
class TimerQueue {
  public:
    /// Sets or moves the deadline of `key`; `Time::never()` clears it.
    void set(std::uint32_t key, Time deadline) {
        if (key >= wanted_.size())
            wanted_.resize(key + 1, Time::never()), queued_.resize(key + 1, Time::never());
        wanted_[key] = deadline;
        if (deadline < queued_[key]) push(key, deadline);
    }

    /// The deadline of `key` as it was last set.
    [[nodiscard]] Time wanted(std::uint32_t key) const {
        return key < wanted_.size() ? wanted_[key] : Time::never();
    }

    /// The earliest deadline. May be earlier than any that is still wanted, never later.
    [[nodiscard]] Time next() const { return heap_.empty() ? Time::never() : heap_.front().at; }

    /// Takes a key whose deadline is at or before `now`, and clears its deadline.
    std::optional<std::uint32_t> take_due(Time now) {
        while (!heap_.empty() && heap_.front().at <= now) {
            const Entry entry = heap_.front();
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
            if (queued_[entry.key] != entry.at) continue;  // an earlier entry of this key was taken
            queued_[entry.key] = Time::never();
            if (wanted_[entry.key] <= now) {
                wanted_[entry.key] = Time::never();
                return entry.key;
            }
            if (wanted_[entry.key] != Time::never()) push(entry.key, wanted_[entry.key]);
        }
        return std::nullopt;
    }

  private:
    struct Entry {
        Time at;
        std::uint32_t key;
        /// std::push_heap keeps the largest in front: the earliest is to be the largest.
        bool operator<(const Entry& other) const { return at != other.at ? at > other.at : key > other.key; }
    };

    void push(std::uint32_t key, Time at) {
        queued_[key] = at;
        heap_.push_back({at, key});
        std::push_heap(heap_.begin(), heap_.end());
    }

    std::vector<Entry> heap_;
    std::vector<Time> wanted_;  ///< by key
    std::vector<Time> queued_;  ///< by key: deadline of its valid entry in the heap
};

}  // namespace dyetrace
