// SPDX-License-Identifier: GPL-2.0-or-later
// One turn of the daemon: receive -> handle -> poll -> send. What sleeps between two turns is somebody else.
//
// Order inside a turn: frames are received from all ports; those of the underlay are handled, each with the
// time at which it arrived; then those of the guests, with the time that it is now; then what is due is done;
// then everything is sent, on each port in the order in which it came to be: what the engine puts out is
// taken from it at once. So a marker neither overtakes the data that it counted, nor is overtaken by data
// that it did not. Sending comes last because it takes longest: what arrives meanwhile keeps its own arrival
// time in the next turn, for the engine's time has not moved on.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/eppc/eppc.h"
#include "core/wire/frame_buffer.h"
#include "host/clock.h"
#include "host/port.h"

namespace dyetrace::host {

/// What happened around the engine; the engine has counters of its own.
struct LoopCounters {
    std::uint64_t turns = 0;
    std::uint64_t not_ours = 0;          ///< underlay frames that are somebody else's
    std::uint64_t data_send_failed = 0;  ///< data packets that the engine counted as sent, and that were not
    std::uint64_t control_send_failed = 0;  ///< the same of control packets: they are sent again
};

class EventLoop {
  public:
    /// What the engine wants known; never a `Transmit`.
    using EventHandler = std::function<void(const eppc::Output&)>;

    /// Engine, ports and clock must outlive the loop.
    EventLoop(eppc::Eppc& engine, Port& underlay, Clock& clock, EventHandler on_event);
    void add_guest(GuestPort id, Port& port);

    /// Returns whether any frame was received: then more may wait, and it is too early to sleep.
    bool turn();
    [[nodiscard]] Time next_deadline() const { return engine_.next_deadline(); }
    /// The time of the last turn, for calls of the engine between two turns.
    [[nodiscard]] Time now() const { return now_; }
    /// Reads the clock.
    Time update_now();
    [[nodiscard]] const LoopCounters& counters() const { return counters_; }

  private:
    /// Frames on their way to one port, in order.
    struct Outgoing {
        std::array<Bytes, Port::kBatch> frames;
        std::size_t count = 0;
        std::uint64_t control = 0;  ///< bit i: frame i is the engine's own
    };
    struct Guest {
        GuestPort id;
        Port* port = nullptr;
        std::span<ReceivedFrame> received;
        Outgoing outgoing;
    };

    /// A batch as the engine is told of it before it gets it; good until the next one.
    std::span<const wire::FrameBuffer* const> views_of(std::span<const ReceivedFrame> frames);
    void handle_underlay(std::span<ReceivedFrame> frames);
    void handle_guest(Guest& guest);
    void poll_outputs();
    void put_on_underlay(Bytes frame, bool is_control);
    void flush_underlay();
    static void flush_guest(Guest& guest);

    eppc::Eppc& engine_;
    Port& underlay_;
    Clock& clock_;
    EventHandler on_event_;
    std::vector<Guest> guests_;
    std::array<const wire::FrameBuffer*, Port::kBatch> views_{};
    Outgoing to_underlay_;
    std::array<std::vector<std::uint8_t>, Port::kBatch> control_frames_;  ///< behind to_underlay_'s
    Time now_;
    LoopCounters counters_;
};

}  // namespace dyetrace::host
