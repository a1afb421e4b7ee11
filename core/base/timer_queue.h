// SPDX-License-Identifier: GPL-2.0-or-later
// Deadlines of many things, earliest first; equal ones in the order of their keys, so that runs repeat.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/time.h"

namespace dyetrace {

/// At most one deadline per key 0, 1, 2, ... A binary heap that knows where each key stands, so that its size
/// is bounded by the number of keys and moving a deadline allocates nothing.
class TimerQueue {
  public:
    /// Makes room for keys below `count`; below it `set` allocates nothing.
    void reserve(std::size_t count) {
        if (heap_.capacity() < count) heap_.reserve(std::max(count, 2 * heap_.capacity()));
        if (positions_.size() < count) positions_.resize(count, kAbsent);
    }

    /// Sets or moves the deadline of `key`; `Time::never()` clears it.
    void set(std::uint32_t key, Time deadline) {
        if (key >= positions_.size()) reserve(key + std::size_t{1});
        const std::uint32_t position = positions_[key];
        if (position == kAbsent) {
            if (deadline == Time::never()) return;
            heap_.push_back({deadline, key});
            positions_[key] = static_cast<std::uint32_t>(heap_.size() - 1);
            rise(heap_.size() - 1);
        } else if (deadline == Time::never()) {
            remove(position);
        } else if (heap_[position].at != deadline) {
            heap_[position].at = deadline;
            sink(rise(position));
        }
    }

    /// The deadline of `key` as it was last set.
    [[nodiscard]] Time wanted(std::uint32_t key) const {
        const bool known = key < positions_.size() && positions_[key] != kAbsent;
        return known ? heap_[positions_[key]].at : Time::never();
    }

    /// The earliest deadline.
    [[nodiscard]] Time next() const { return heap_.empty() ? Time::never() : heap_.front().at; }

    /// Takes a key whose deadline is at or before `now`, and clears its deadline.
    std::optional<std::uint32_t> take_due(Time now) {
        if (heap_.empty() || heap_.front().at > now) return std::nullopt;
        const std::uint32_t key = heap_.front().key;
        remove(0);
        return key;
    }

    /// Heap of a queue that was told of its keys one by one.
    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t keys) {
        return heap::grown_vector<Entry>(keys) + heap::grown_vector<std::uint32_t>(keys);
    }
    /// Heap of one that was told of all at once.
    [[nodiscard]] static constexpr heap::Need memory_reserved(std::size_t keys) {
        return heap::vector<Entry>(keys) + heap::vector<std::uint32_t>(keys);
    }

    static constexpr std::size_t kBytesPerKey = 16 + sizeof(std::uint32_t);

    void digest_into(StateDigest& digest) const {
        digest.add(std::uint64_t{heap_.size()});
        for (std::uint32_t key = 0; key < positions_.size(); ++key) {
            if (positions_[key] == kAbsent) continue;
            digest.add(key);
            digest.add(heap_[positions_[key]].at);
        }
    }

  private:
    static constexpr std::uint32_t kAbsent = 0xffffffff;

    struct Entry {
        Time at;
        std::uint32_t key;
        bool operator<(const Entry& other) const { return at != other.at ? at < other.at : key < other.key; }
    };

    void swap(std::size_t one, std::size_t other) {
        std::swap(heap_[one], heap_[other]);
        positions_[heap_[one].key] = static_cast<std::uint32_t>(one);
        positions_[heap_[other].key] = static_cast<std::uint32_t>(other);
    }

    std::size_t rise(std::size_t at) {
        while (at > 0 && heap_[at] < heap_[(at - 1) / 2]) {
            swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        return at;
    }

    void sink(std::size_t at) {
        while (true) {
            std::size_t least = at;
            for (const std::size_t child : {2 * at + 1, 2 * at + 2}) {
                if (child < heap_.size() && heap_[child] < heap_[least]) least = child;
            }
            if (least == at) return;
            swap(at, least);
            at = least;
        }
    }

    void remove(std::size_t at) {
        const std::size_t last = heap_.size() - 1;
        if (at != last) swap(at, last);
        positions_[heap_.back().key] = kAbsent;
        heap_.pop_back();
        if (at < heap_.size()) sink(rise(at));
    }

    static_assert(sizeof(Entry) + sizeof(std::uint32_t) == kBytesPerKey);

    std::vector<Entry> heap_;
    std::vector<std::uint32_t> positions_;  ///< by key: where in the heap
};

}  // namespace dyetrace
