// SPDX-License-Identifier: GPL-2.0-or-later
// The EPPC's side of health updates: at-least-once, in order of sequence numbers, bounded.
//
// Updates are made of what waits (update_queue.h) when the interval is over, kept until acknowledged, and
// sent again with back-off for as long as it takes. Each transmission carries a challenge of its own, and
// only an answer that repeats the newest one counts.
//
// While the health service has not said yet who it is, or has fallen silent, no new update is begun and only
// the oldest is repeated: what waits can still be replaced by newer totals, and a service that comes back
// isn't met by all that everybody has in flight.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/digest.h"
#include "core/base/heap.h"
#include "core/base/random.h"
#include "core/base/replay_window.h"
#include "core/base/time.h"
#include "core/eppc/update_queue.h"
#include "core/session/outbox.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

struct UpdateSenderConfig {
    Duration interval;
    session::RetransmitPolicy retransmit;
    std::size_t entries_most = 16384;    ///< waiting: metrics, routers and states
    std::size_t timings_most = 1024;     ///< waiting
    std::size_t flows_most = 0;          ///< waiting: packets of followed flows
    std::size_t in_flight_most = 64;     ///< without acknowledgement; at most ReplayWindow::kWidth
    std::size_t body_bytes_most = 1300;  ///< of one update
};

class UpdateSender {
  public:
    /// `seed` feeds the challenges.
    UpdateSender(const UpdateSenderConfig& config, std::uint64_t seed)
        : config_(config),
          waiting_(config.entries_most, config.timings_most, config.flows_most),
          random_(seed) {}

    /// Queues an entry, as `UpdateQueue::add`. Precondition: it fits an update, which all do but timing whose
    /// sketch is longer than `sketch_room`.
    std::optional<GivenUp> add(const wire::UpdateEntry& entry, bool troubled, Time now);
    [[nodiscard]] std::size_t sketch_room() const;
    /// What waits tells of a loss: it goes once a part of the interval, 1 / `kHurryShare`, is over.
    void hurry(Time now);

    /// Whether an answer that repeats `challenge` answers the newest transmission of update `number`.
    [[nodiscard]] bool is_newest(std::uint32_t number, std::uint32_t challenge) const;
    /// Update `number` has arrived.
    void on_ack(std::uint32_t number, Time now);
    /// The health service is another one than the updates in flight were meant for: all are due again.
    void on_hello(Time now);

    /// An update to transmit, first time or again.
    struct Transmission {
        std::uint32_t number = 0;
        std::uint32_t challenge = 0;
        bool first = true;
        const std::vector<std::uint8_t>* body = nullptr;  ///< valid until the next call
    };
    void service(Time now, std::vector<Transmission>& out);
    [[nodiscard]] Time next_deadline() const { return std::min(flush_at_, retransmit_at_); }
    [[nodiscard]] bool is_empty() const { return waiting_.is_empty() && in_flight_.empty(); }
    void digest_into(StateDigest& digest) const;

    [[nodiscard]] static heap::Need memory_bound(const UpdateSenderConfig& config);

  private:
    struct InFlight {
        std::uint32_t number = 0;
        std::uint32_t challenge = 0;
        int attempts = 0;
        Time retransmit_at;
        std::vector<std::uint8_t> body;
    };
    /// So many transmissions of one update without an answer, and the service counts as silent.
    static constexpr int kSilentAfter = 4;
    static constexpr std::int64_t kHurryShare = 4;

    [[nodiscard]] bool may_begin() const;
    void heard(Time now);
    void transmit(InFlight& update, Time now, std::vector<Transmission>& out);

    std::vector<std::uint8_t> next_body();

    UpdateSenderConfig config_;
    UpdateQueue waiting_;
    std::deque<InFlight> in_flight_;
    std::uint32_t next_number_ = 1;
    Random random_;
    bool answered_ = false;         ///< the service is known, and not silent
    bool window_was_full_ = false;  ///< entries wait for nothing but an acknowledgement
    Time flush_at_ = Time::never();
    Time flushed_at_ = Time::earliest();
    Time retransmit_at_ = Time::never();  ///< no later than the earliest of those in flight
};

}  // namespace dyetrace::eppc
