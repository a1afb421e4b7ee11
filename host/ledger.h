// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions that this host asked for, with the last that was heard of each: also of those that have ended,
// which the engine forgets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/eppc/output.h"

namespace dyetrace::host {

/// Sums over the paths of one or more sessions; see wire::PathRecord for what each counts.
struct PathTotals {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t tracked_sent = 0;
    std::uint64_t tracked_received = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t late = 0;
    std::uint64_t open_paths = 0;  ///< with a tail that is not settled
    std::uint64_t excess_paths = 0;

    void add(const wire::PathRecord& record);
    void add(const PathTotals& other);
    /// Net loss of all packets. Negative where more was received than sent: duplicated, or injected.
    [[nodiscard]] std::int64_t lost() const { return static_cast<std::int64_t>(sent - received); }
    [[nodiscard]] std::int64_t tracked_lost() const {
        return static_cast<std::int64_t>(tracked_sent - tracked_received);
    }
};

struct LedgerEntry {
    IpAddress peer;
    SessionId session;
    session::State state = session::State::Idle;
    std::string reason;  ///< of the last change of state
    /// Latest records. A path that was moved has one of each generation, with counts of its own.
    std::map<std::pair<PathIndex, PathGeneration>, wire::PathRecord> paths;

    [[nodiscard]] PathTotals totals() const;
};

class Ledger {
  public:
    Ledger() = default;
    /// Ended sessions beyond `ended_most` are folded into one sum, oldest first.
    explicit Ledger(std::size_t ended_most) : ended_most_(ended_most) {}

    void on(const eppc::SessionChanged& change);
    void on(const eppc::MetricsReported& metrics);

    /// In the order in which the sessions began.
    [[nodiscard]] const std::deque<LedgerEntry>& entries() const { return entries_; }
    [[nodiscard]] std::uint64_t folded_sessions() const { return folded_sessions_; }
    [[nodiscard]] PathTotals totals() const;  ///< of all sessions, the folded ones too

  private:
    LedgerEntry* find(IpAddress peer, SessionId session);
    void fold();

    std::size_t ended_most_ = 1024;
    std::deque<LedgerEntry> entries_;
    std::uint64_t folded_sessions_ = 0;
    PathTotals folded_;
};

}  // namespace dyetrace::host
