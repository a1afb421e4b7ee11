// SPDX-License-Identifier: GPL-2.0-or-later
// The memory of all quantile sketches of an engine: one block of nodes, reserved at construction, from which
// each sketch takes what its values need. A node is 64 bytes, and holds 16 neighbouring buckets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"

namespace dyetrace {

/// Outlives its sketches. Not for several threads.
class SketchPool {
  public:
    using NodeId = std::uint32_t;
    static constexpr NodeId kNoNode = 0;
    static constexpr std::size_t kFan = 16;
    /// Counts of 16 buckets, or the ids of 16 nodes below.
    struct alignas(64) Node {
        std::array<std::uint32_t, kFan> words{};
    };
    /// What a sketch of every bucket there is needs: two signs of 1 + 9 + 129 nodes.
    static constexpr std::uint32_t kNodesOfFullSketch = 278;

    /// `nodes_per_sketch`: the most that one sketch may hold, so that none can take all.
    explicit SketchPool(std::uint32_t nodes, std::uint32_t nodes_per_sketch = kNodesOfFullSketch)
        : nodes_(std::size_t{nodes} + 1), free_(nodes), nodes_per_sketch_(nodes_per_sketch) {}
    SketchPool(const SketchPool&) = delete;
    SketchPool& operator=(const SketchPool&) = delete;

    [[nodiscard]] std::uint32_t capacity() const { return static_cast<std::uint32_t>(nodes_.size() - 1); }
    [[nodiscard]] std::uint32_t free() const { return free_; }
    [[nodiscard]] std::uint32_t nodes_per_sketch() const { return nodes_per_sketch_; }
    [[nodiscard]] std::size_t memory() const { return nodes_.capacity() * sizeof(Node); }

    /// More nodes, `nodes` in all. Sketches keep theirs.
    void grow(std::uint32_t nodes) {
        if (nodes <= capacity()) return;
        free_ += nodes - capacity();
        nodes_.reserve(std::size_t{nodes} + 1);
        nodes_.resize(std::size_t{nodes} + 1);
    }

    // For QuantileSketch

    /// A node of zeros. Precondition: free() > 0.
    NodeId allocate() {
        DYETRACE_ASSERT(free_ > 0);
        --free_;
        NodeId id = first_free_;
        if (id == kNoNode) return ++used_;  // never used before
        first_free_ = nodes_[id].words[0];
        nodes_[id] = {};
        return id;
    }
    void release(NodeId id) {
        nodes_[id].words[0] = first_free_;
        first_free_ = id;
        ++free_;
    }
    Node& operator[](NodeId id) { return nodes_[id]; }
    const Node& operator[](NodeId id) const { return nodes_[id]; }

  private:
    std::vector<Node> nodes_;  ///< the one at kNoNode is nobody's
    NodeId first_free_ = kNoNode;
    NodeId used_ = 0;  ///< ids above it are as they were made
    std::uint32_t free_;
    std::uint32_t nodes_per_sketch_;
};

}  // namespace dyetrace
