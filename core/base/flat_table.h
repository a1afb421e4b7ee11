// SPDX-License-Identifier: GPL-2.0-or-later
// A hash table for look-ups on the data path, whose memory only grows: open addressing, so that most look-ups
// touch one cache line where a node-based table touches three.
//
//   slots   | key value | -- | key value | key value | -- | ...      a power of two of them, at most two
//   thirds taken
//
// A key stands in the first free slot behind the one that its hash names; a look-up ends at the key, or at a
// free slot. Where a key is taken out, those behind it that its slot kept from theirs move up: so no slot is
// ever marked as once taken, and look-ups are as short as if the key had never been there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/heap.h"
#include "core/base/prefetch.h"
#include "core/base/result.h"

namespace dyetrace {

/// `Hash` gives 64 bits of which the low ones are well mixed. Nothing is ever listed, so the order of the
/// slots never shows; pointers to values are good until the next insertion or removal.
template <class Key, class Value, class Hash>
class FlatTable {
  public:
    /// Heap of a table with up to so many entries: three times an entry right after it has grown.
    [[nodiscard]] static constexpr heap::Need memory_bound(std::size_t entries) {
        if (entries == 0) return {};
        std::size_t slots = kSlotsLeast;
        while (3 * entries > 2 * slots)
            slots *= 2;
        return {heap::vector<Slot>(slots).kept,
                slots == kSlotsLeast ? 0 : heap::vector<Slot>(slots / 2).kept};
    }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] const Value* find(const Key& key) const {
        if (slots_.empty()) return nullptr;
        for (std::size_t at = Hash{}(key)&mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (!slot.taken) return nullptr;
            if (slot.key == key) return &slot.value;
        }
    }
    [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }

    /// The value of `key`, made anew where it was not there.
    Value& operator[](const Key& key) {
        if (3 * (size_ + 1) > 2 * slots_.size()) grow();
        Slot& slot = slot_of(key);
        if (!slot.taken) {
            slot.taken = true;
            slot.key = key;
            ++size_;
        }
        return slot.value;
    }

    /// Takes a key out; whether it was there. Allocates nothing.
    bool erase(const Key& key) {
        if (slots_.empty()) return false;
        std::size_t hole = index_of(key);
        if (!slots_[hole].taken) return false;
        for (std::size_t at = (hole + 1) & mask_; slots_[at].taken; at = (at + 1) & mask_) {
            const std::size_t home = Hash{}(slots_[at].key) & mask_;
            // A look-up from its home would end at the hole.
            const bool is_cut_off = ((at - home) & mask_) >= ((at - hole) & mask_);
            if (!is_cut_off) continue;
            slots_[hole] = std::move(slots_[at]);
            hole = at;
        }
        slots_[hole] = Slot{};
        --size_;
        return true;
    }

    /// Asks the memory for the slot where a look-up of `key` begins.
    void prefetch(const Key& key) const {
        if (!slots_.empty()) prefetch_line(&slots_[Hash{}(key)&mask_]);
    }

  private:
    static constexpr std::size_t kSlotsLeast = 8;
    struct Slot {
        Key key{};
        Value value{};
        bool taken = false;
    };

    /// That of `key`, or the free one that it would take.
    Slot& slot_of(const Key& key) { return slots_[index_of(key)]; }
    std::size_t index_of(const Key& key) const {
        std::size_t at = Hash{}(key)&mask_;
        while (slots_[at].taken && !(slots_[at].key == key))
            at = (at + 1) & mask_;
        return at;
    }
    void grow() {
        std::vector<Slot> before =
            std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kSlotsLeast : 2 * slots_.size()));
        mask_ = slots_.size() - 1;
        for (Slot& slot : before) {
            if (slot.taken) slot_of(slot.key) = std::move(slot);
        }
    }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;  ///< one below their number
    std::size_t size_ = 0;
};

}  // namespace dyetrace
