// SPDX-License-Identifier: GPL-2.0-or-later
// The delay sketches of all sessions that an endpoint accepted, in one pool of bounded size.
//
// Only `open` allocates: the pool grows with the number of sketches, by what sketches usually take, until it
// has its bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/quantile_sketch.h"
#include "core/base/sketch_pool.h"
#include "core/base/time.h"

namespace dyetrace::tracking {

/// A value: a copy has sketches of its own.
class SketchTable {
  public:
    using Id = std::uint32_t;
    static constexpr Id kNone = 0xffffffff;
    /// The most that one sketch may hold, so that none takes all: delays over eight decades.
    static constexpr std::uint32_t kNodesMost = 96;
    /// What one usually takes, with room for its neighbours.
    static constexpr std::uint32_t kNodesUsual = 32;

    /// `nodes_most`: 64 bytes each.
    explicit SketchTable(std::size_t nodes_most);
    SketchTable(const SketchTable& other);
    SketchTable& operator=(const SketchTable& other) { return *this = SketchTable(other); }
    SketchTable(SketchTable&&) noexcept = default;
    SketchTable& operator=(SketchTable&& other) noexcept;
    ~SketchTable() = default;

    /// An empty sketch, until it is closed.
    Id open();
    void close(Id id);

    /// One delay: corrected, or raw where nothing is known of the clocks. A sketch is of one or the other:
    /// with the first corrected delay it begins anew, and takes no raw ones any more.
    void add(Id id, Duration raw, std::optional<Duration> corrected);

    [[nodiscard]] const QuantileSketch& operator[](Id id) const { return entries_[id].delays; }
    [[nodiscard]] bool is_corrected(Id id) const { return entries_[id].corrected; }
    [[nodiscard]] std::size_t nodes_free() const { return pool_->free(); }
    [[nodiscard]] std::size_t nodes() const { return pool_->capacity(); }
    [[nodiscard]] std::size_t count() const { return entries_.size() - free_.size(); }
    void digest_into(StateDigest& digest) const;
    /// Of a table with up to so many nodes and sketches.
    [[nodiscard]] static heap::Need memory_bound(std::size_t nodes_most, std::size_t sketches);

  private:
    struct Entry {
        explicit Entry(SketchPool& pool) : delays(pool) {}
        QuantileSketch delays;
        bool corrected = false;
    };

    std::uint32_t nodes_most_;
    std::unique_ptr<SketchPool> pool_;  ///< at a fixed place: the sketches point to it
    std::vector<Entry> entries_;
    std::vector<Id> free_;
};

inline void SketchTable::add(Id id, Duration raw, std::optional<Duration> corrected) {
    Entry& entry = entries_[id];
    if (corrected && !entry.corrected) {
        entry.delays.clear();
        entry.corrected = true;
    }
    if (corrected) {
        entry.delays.add(corrected->ns);
    } else if (!entry.corrected) {
        entry.delays.add(raw.ns);
    }
}

/// The encoded sketch of a peer as it is, or coarser where `room` asks for that; nothing where it is none.
std::optional<std::vector<std::uint8_t>> fitted_sketch(Bytes encoded, std::size_t room);

}  // namespace dyetrace::tracking
