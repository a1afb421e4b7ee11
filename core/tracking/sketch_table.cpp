// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tracking/sketch_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace dyetrace::tracking {
namespace {

std::uint32_t bounded(std::size_t nodes) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(nodes, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

SketchTable::SketchTable(std::size_t nodes_most)
    : nodes_most_(bounded(nodes_most)), pool_(std::make_unique<SketchPool>(0, kNodesMost)) {}

SketchTable::SketchTable(const SketchTable& other)
    : nodes_most_(other.nodes_most_),
      pool_(std::make_unique<SketchPool>(other.pool_->capacity(), kNodesMost)),
      free_(other.free_) {
    entries_.reserve(other.entries_.size());
    for (const Entry& entry : other.entries_) {
        entries_.emplace_back(*pool_);
        entries_.back().delays.merge(entry.delays);  // there is room for all: the other pool had it
        entries_.back().corrected = entry.corrected;
    }
}

SketchTable& SketchTable::operator=(SketchTable&& other) noexcept {
    // Sketches give their nodes back to the pool, so they go first.
    std::swap(nodes_most_, other.nodes_most_);
    std::swap(entries_, other.entries_);
    std::swap(free_, other.free_);
    std::swap(pool_, other.pool_);
    return *this;
}

SketchTable::Id SketchTable::open() {
    const std::size_t wanted = (count() + 1) * kNodesUsual;
    if (pool_->capacity() < wanted && pool_->capacity() < nodes_most_)
        pool_->grow(bounded(
            std::min<std::size_t>(nodes_most_, std::max<std::size_t>(wanted, 2UL * pool_->capacity()))));
    if (free_.empty()) {
        entries_.emplace_back(*pool_);
        return static_cast<Id>(entries_.size() - 1);
    }
    const Id id = free_.back();
    free_.pop_back();
    return id;
}

void SketchTable::close(Id id) {
    entries_[id].delays.clear();
    entries_[id].corrected = false;
    free_.push_back(id);
}

heap::Need SketchTable::memory_bound(std::size_t nodes_most, std::size_t sketches) {
    // `open` never grows the pool beyond twice what so many usually take.
    const std::size_t nodes = std::min(nodes_most, 2 * sketches * kNodesUsual);
    const heap::Need pool{heap::vector<SketchPool::Node>(nodes + 1).kept,
                          heap::vector<SketchPool::Node>(nodes).kept};
    return heap::object<SketchPool>() + pool + heap::grown_vector<Entry>(sketches) +
           heap::grown_vector<Id>(sketches);
}

std::optional<std::vector<std::uint8_t>> fitted_sketch(Bytes encoded, std::size_t room) {
    SketchPool pool(SketchPool::kNodesOfFullSketch);
    QuantileSketch sketch(pool);
    if (!QuantileSketch::parse(encoded, sketch).ok()) return std::nullopt;
    if (encoded.size() <= room) return std::vector<std::uint8_t>(encoded.begin(), encoded.end());
    std::vector<std::uint8_t> coarser(room);
    const auto size = sketch.encode_into(coarser);
    if (!size) return std::nullopt;
    coarser.resize(*size);
    return coarser;
}

}  // namespace dyetrace::tracking
