// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/event_loop.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

namespace dyetrace::host {

EventLoop::EventLoop(eppc::Eppc& engine, Port& underlay, Clock& clock, EventHandler on_event)
    : engine_(engine),
      underlay_(underlay),
      clock_(clock),
      on_event_(std::move(on_event)),
      now_(clock.now()) {}

void EventLoop::add_guest(GuestPort id, Port& port) {
    guests_.push_back({id, &port, {}, {}});
}

Time EventLoop::update_now() {
    return now_ = std::max(now_, clock_.now());
}

bool EventLoop::turn() {
    ++counters_.turns;
    bool received = false;
    for (Guest& guest : guests_) {
        guest.received = guest.port->receive();
        received |= !guest.received.empty();
    }
    const auto from_underlay = underlay_.receive();
    received |= !from_underlay.empty();

    poll_outputs();  // of verbs since the last turn
    handle_underlay(from_underlay);
    update_now();
    for (Guest& guest : guests_)
        handle_guest(guest);
    if (engine_.next_deadline() <= now_) engine_.advance(now_);
    poll_outputs();

    flush_underlay();
    for (Guest& guest : guests_) {
        flush_guest(guest);
        guest.port->release();
    }
    underlay_.release();
    return received;
}

std::span<const wire::FrameBuffer* const> EventLoop::views_of(std::span<const ReceivedFrame> frames) {
    DYETRACE_ASSERT(frames.size() <= views_.size());
    for (std::size_t i = 0; i < frames.size(); ++i)
        views_[i] = &frames[i].frame;
    return std::span(views_).first(frames.size());
}

void EventLoop::handle_underlay(std::span<ReceivedFrame> frames) {
    if (frames.empty()) return;
    engine_.expect_from_underlay(views_of(frames));
    // No frame has arrived later than this: what is stamped so was stamped before the time of day was set
    // back.
    const Time latest = clock_.now();
    for (ReceivedFrame& received : frames) {
        // Stamps of one port are in order, but the last turn may have read the clock after this frame
        // arrived.
        now_ = std::max(now_, std::min(received.at, latest));
        const eppc::Decapsulated result = engine_.decapsulate(received.frame, now_);
        poll_outputs();
        switch (result.kind) {
            case eppc::Decapsulated::Kind::Deliver: {
                const auto guest = std::find_if(guests_.begin(), guests_.end(),
                                                [&](const Guest& g) { return g.id == result.port; });
                DYETRACE_ASSERT(guest != guests_.end());
                // At most one batch of the underlay a turn: the guest's has room.
                guest->outgoing.frames[guest->outgoing.count++] = received.frame.head();
                break;
            }
            case eppc::Decapsulated::Kind::Relay: put_on_underlay(received.frame.head(), false); break;
            case eppc::Decapsulated::Kind::NotOurs: ++counters_.not_ours; break;
            case eppc::Decapsulated::Kind::Consumed:
            case eppc::Decapsulated::Kind::Dropped: break;
        }
    }
}

void EventLoop::handle_guest(Guest& guest) {
    engine_.expect_from_guest(guest.id, views_of(guest.received));
    for (ReceivedFrame& received : guest.received) {
        if (!engine_.encapsulate(guest.id, received.frame, now_))
            put_on_underlay(received.frame.head(), false);
    }
}

void EventLoop::poll_outputs() {
    while (const auto output = engine_.poll()) {
        if (const auto* transmit = std::get_if<eppc::Transmit>(&*output)) {
            // Valid until the next poll only, so it is copied; control packets are few.
            if (to_underlay_.count == Port::kBatch) flush_underlay();
            auto& copy = control_frames_[to_underlay_.count];
            copy.assign(transmit->bytes.begin(), transmit->bytes.end());
            put_on_underlay(copy, true);
        } else {
            on_event_(*output);
        }
    }
}

void EventLoop::put_on_underlay(Bytes frame, bool is_control) {
    if (to_underlay_.count == Port::kBatch) flush_underlay();
    if (is_control) to_underlay_.control |= std::uint64_t{1} << to_underlay_.count;
    to_underlay_.frames[to_underlay_.count++] = frame;
}

void EventLoop::flush_underlay() {
    if (to_underlay_.count == 0) return;
    const std::uint64_t failed = underlay_.send({to_underlay_.frames.data(), to_underlay_.count});
    counters_.control_send_failed += static_cast<unsigned>(std::popcount(failed & to_underlay_.control));
    counters_.data_send_failed += static_cast<unsigned>(std::popcount(failed & ~to_underlay_.control));
    to_underlay_.count = 0;
    to_underlay_.control = 0;
}

void EventLoop::flush_guest(Guest& guest) {
    if (guest.outgoing.count == 0) return;
    guest.port->send({guest.outgoing.frames.data(), guest.outgoing.count});
    guest.outgoing.count = 0;
}

}  // namespace dyetrace::host
