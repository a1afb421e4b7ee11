// SPDX-License-Identifier: GPL-2.0-or-later
// Follows single guest flows through one host for the health service: of each packet, when it was at which
// stage, and its first bytes where that may be. Off until somebody asks, and then for a bounded time, number
// of flows, packets and bytes; whatever is followed, packets fare as they would.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/flow_trace.h"

namespace dyetrace::eppc {

class FlowTap {
  public:
    static constexpr std::size_t kFlowsMost = 4;
    static constexpr std::size_t kWaitingMost = 256;  ///< entries between two calls of `take`

    /// `flows`: at a time, 0 (it refuses all) to kFlowsMost. `capture`: bytes of a packet that may be told.
    FlowTap(std::size_t flows, std::size_t capture) : flows_most_(flows), capture_most_(capture) {}

    /// Follows a flow from now on. False where there is no room for another, or it may not be: it is off, or
    /// bytes are wanted that may not be told. A trace that goes on already is not begun anew: true.
    bool start(const wire::FlowTraceSpec& spec, Time now);
    /// Ends those whose time is over.
    void expire(Time now);
    [[nodiscard]] bool is_busy() const { return active_ > 0; }
    /// When the next one ends.
    [[nodiscard]] Time next_deadline() const;

    /// A packet of a followed flow.
    struct Seen {
        std::size_t flow = 0;
        std::uint32_t packet = 0;
        std::uint16_t length = 0;
    };
    /// Of a guest's frame of `size` bytes, as far as it is held: what it is to the first trace from number
    /// `first` on that it is of. Nothing where there is none, so a packet of several is asked about again,
    /// from behind the one found.
    [[nodiscard]] std::optional<Seen> match(Bytes frame, Vni vni, std::size_t size, Time now,
                                            std::size_t first = 0) const;
    /// It was at that stage, if that is asked for. Allocates nothing.
    void note(const Seen& seen, wire::FlowStage stage, PathIndex path, PathGeneration generation, Bytes frame,
              Time at);

    [[nodiscard]] const std::vector<wire::FlowStageEntry>& waiting() const { return waiting_; }
    void clear_waiting() { waiting_.clear(); }
    /// Entries for which there was no room.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    [[nodiscard]] static heap::Need memory_bound(std::size_t flows) {
        return flows == 0 ? heap::Need{} : heap::vector<wire::FlowStageEntry>(kWaitingMost);
    }
    void digest_into(StateDigest& digest) const;

  private:
    struct Flow {
        bool is_active = false;
        wire::FlowTraceSpec spec;
        Time until;
        std::array<std::uint16_t, wire::kFlowStages> noted{};  ///< packets, by stage
    };

    std::size_t active_ = 0;  ///< first, as each packet asks for it
    std::size_t flows_most_;
    std::size_t capture_most_;
    std::array<Flow, kFlowsMost> flows_;
    std::vector<wire::FlowStageEntry> waiting_;
    std::uint64_t dropped_ = 0;
};

}  // namespace dyetrace::eppc
