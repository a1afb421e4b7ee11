// SPDX-License-Identifier: GPL-2.0-or-later
// The EPPC's side of health updates: at-least-once, in order of sequence numbers, bounded.
//
// Metrics of one (session, path) are totals, so a newer record replaces one that still waits. Updates are
// sent when the interval is over, kept until acknowledged, and sent again with back-off for as long as it
// takes. Each transmission carries a challenge of its own, and only an answer that repeats the newest one
// counts.
//
// While the health service has not said yet who it is, or has fallen silent, no new update is begun and only
// the oldest is repeated: what waits can still be replaced by newer totals, and a service that comes back
// isn't met by all that everybody has in flight.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/replay_window.h"
#include "core/base/time.h"
#include "core/session/outbox.h"
#include "core/wire/update.h"

namespace dyetrace::eppc {

struct UpdateSenderConfig {
    Duration interval;
    session::RetransmitPolicy retransmit;
    std::size_t entries_most = 16384;    ///< waiting
    std::size_t in_flight_most = 64;     ///< without acknowledgement; at most ReplayWindow::kWidth
    std::size_t body_bytes_most = 1300;  ///< of one update
};

class UpdateSender {
  public:
    /// `seed` feeds the challenges.
    UpdateSender(const UpdateSenderConfig& config, std::uint64_t seed) : config_(config), random_(seed) {}

    /// Queues an entry; false where it had to be dropped.
    bool add(const wire::UpdateEntry& entry, Time now);

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
    [[nodiscard]] bool is_empty() const { return metrics_.empty() && others_.empty() && in_flight_.empty(); }

  private:
    struct MetricsKey {
        IpAddress peer;
        SessionId session;
        PathIndex path;
        auto operator<=>(const MetricsKey&) const = default;
    };
    struct InFlight {
        std::uint32_t number = 0;
        std::uint32_t challenge = 0;
        int attempts = 0;
        Time retransmit_at;
        std::vector<std::uint8_t> body;
    };
    /// So many transmissions of one update without an answer, and the service counts as silent.
    static constexpr int kSilentAfter = 4;

    [[nodiscard]] bool may_begin() const;
    void heard(Time now);
    void transmit(InFlight& update, Time now, std::vector<Transmission>& out);

    [[nodiscard]] std::size_t waiting() const { return metrics_.size() + others_.size(); }
    /// Takes entries that fit one update, oldest kinds first.
    std::vector<std::uint8_t> next_body();

    UpdateSenderConfig config_;
    std::map<MetricsKey, wire::MetricsEntry> metrics_;
    std::deque<wire::UpdateEntry> others_;
    std::deque<InFlight> in_flight_;
    std::uint32_t next_number_ = 1;
    Random random_;
    bool answered_ = false;         ///< the service is known, and not silent
    bool window_was_full_ = false;  ///< entries wait for nothing but an acknowledgement
    Time flush_at_ = Time::never();
    Time retransmit_at_ = Time::never();  ///< no later than the earliest of those in flight
};

}  // namespace dyetrace::eppc
