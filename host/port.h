// SPDX-License-Identifier: GPL-2.0-or-later
// Where frames come from and go to: a socket, a TAP device, or what a test puts in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/wire/frame_buffer.h"

namespace dyetrace::host {

struct ReceivedFrame {
    wire::FrameBuffer frame;  ///< with at least Eppc::kHeadroom of headroom; all bytes are in the head
    Time at;                  ///< when it arrived, as exactly as the port knows
};

/// What a port did since it was opened. Frames in the last four were not handed on.
struct PortCounters {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t send_failed = 0;       ///< the kernel did not take them
    std::uint64_t ring_full = 0;         ///< arrived faster than they were taken (PACKET_STATISTICS)
    std::uint64_t truncated = 0;         ///< longer than a slot: as a rule segmentation offload of a guest
    std::uint64_t partial_checksum = 0;  ///< the checksum was left to a device that is not there
};

class Port {
  public:
    /// Frames in one batch; bounds the time that one port can keep the others waiting.
    static constexpr std::size_t kBatch = 64;

    Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    virtual ~Port() = default;

    /// Takes up to kBatch frames that wait; none when there are none. They, and the memory around them, are
    /// the caller's until `release`.
    virtual std::span<ReceivedFrame> receive() = 0;
    /// Gives back what `receive` lent.
    virtual void release() = 0;
    /// Sends up to kBatch frames in this order. Returns a bit for each that was not taken, frame 0 in bit 0.
    virtual std::uint64_t send(std::span<const Bytes> frames) = 0;
    /// Readable when `receive` would return something.
    [[nodiscard]] virtual int poll_fd() const = 0;
    [[nodiscard]] virtual PortCounters counters() = 0;
};

}  // namespace dyetrace::host
