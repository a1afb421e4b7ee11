// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/ledger.h"

#include <algorithm>

namespace dyetrace::host {
namespace {

bool has_ended(const LedgerEntry& entry) {
    using session::State;
    switch (entry.state) {
        case State::Idle:
        case State::Requested:
        case State::Active:
        case State::Closing: return false;
        case State::Closed:
        case State::Rejected:
        case State::Expired:
        case State::PeerLost: return true;
    }
    return true;
}

}  // namespace

void PathTotals::add(const wire::PathRecord& record) {
    sent += record.sent;
    received += record.received;
    tracked_sent += record.tracked_sent;
    tracked_received += record.tracked_received;
    duplicates += record.duplicates;
    late += record.late;
    if ((record.flags & wire::PathRecord::kFlagOpen) != 0) ++open_paths;
    if ((record.flags & wire::PathRecord::kFlagExcess) != 0) ++excess_paths;
}

void PathTotals::add(const PathTotals& other) {
    sent += other.sent;
    received += other.received;
    tracked_sent += other.tracked_sent;
    tracked_received += other.tracked_received;
    duplicates += other.duplicates;
    late += other.late;
    open_paths += other.open_paths;
    excess_paths += other.excess_paths;
}

PathTotals LedgerEntry::totals() const {
    PathTotals sum;
    for (const auto& [path, record] : paths)
        sum.add(record);
    return sum;
}

LedgerEntry* Ledger::find(IpAddress peer, SessionId session) {
    // From the youngest: an id may come again after 2^32 sessions, and the last of a peer is the one that
    // lives.
    const auto it = std::find_if(entries_.rbegin(), entries_.rend(), [&](const LedgerEntry& e) {
        return e.peer == peer && e.session == session;
    });
    return it == entries_.rend() ? nullptr : &*it;
}

void Ledger::on(const eppc::SessionChanged& change) {
    if (change.role != session::Role::Requester)
        return;  // the requester is told everything; the acceptor is not
    LedgerEntry* entry = find(change.peer, change.session);
    if (entry == nullptr) {
        entry = &entries_.emplace_back();
        entry->peer = change.peer;
        entry->session = change.session;
    }
    entry->state = change.to;
    entry->reason = change.reason;
    if (has_ended(*entry)) fold();
}

void Ledger::on(const eppc::MetricsReported& metrics) {
    LedgerEntry* entry = find(metrics.peer, metrics.session);
    if (entry != nullptr) entry->paths[{metrics.record.path, metrics.record.generation}] = metrics.record;
}

void Ledger::fold() {
    auto ended = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), has_ended));
    for (auto it = entries_.begin(); ended > ended_most_ && it != entries_.end();) {
        if (!has_ended(*it)) {
            ++it;
            continue;
        }
        folded_.add(it->totals());
        ++folded_sessions_;
        it = entries_.erase(it);
        --ended;
    }
}

PathTotals Ledger::totals() const {
    PathTotals sum = folded_;
    for (const LedgerEntry& entry : entries_)
        sum.add(entry.totals());
    return sum;
}

}  // namespace dyetrace::host
