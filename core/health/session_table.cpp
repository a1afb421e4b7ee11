// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/session_table.h"

#include <algorithm>
#include <utility>

#include "core/base/prefetch.h"
#include "core/base/result.h"
#include "core/health/give_way.h"

namespace dyetrace::health {

using localise::PathId;
using localise::PathKey;

std::uint32_t SessionTable::Arena::take(std::uint8_t size_log2) {
    std::vector<std::uint32_t>& free = free_[size_log2];
    if (!free.empty()) {
        const std::uint32_t place = free.back();
        free.pop_back();
        return place;
    }
    const std::uint32_t size = 1U << size_log2;
    if (used_ + size > kBlock) {
        blocks_.push_back(std::make_unique<Entry[]>(kBlock));
        used_ = 0;
    }
    const auto place = static_cast<std::uint32_t>(blocks_.size() - 1) * kBlock + used_;
    used_ += size;
    return place;
}

/// A free number, or the next one of all.
template <class T>
std::uint32_t SessionTable::take_number(std::vector<std::uint32_t>& free, StableVector<T>& all) {
    if (free.empty()) {
        all.emplace_back();
        return static_cast<std::uint32_t>(all.size() - 1);
    }
    const std::uint32_t number = free.back();
    free.pop_back();
    return number;
}

void SessionTable::Arena::give_back(std::uint32_t place, std::uint8_t size_log2) {
    free_[size_log2].push_back(place);
}

SessionTable::SessionTable(const localise::FabricGraph& graph, SessionTableConfig config)
    : graph_(&graph), config_(config) {
    config_.paths_per_session = std::min<std::size_t>(config_.paths_per_session, 1U << 15);
}

SessionTable::Host SessionTable::find_host(IpAddress address) const {
    const Host* const found = host_of_.find(address);
    return found == nullptr ? kNone : *found;
}

SessionTable::Host SessionTable::find_or_add_host(IpAddress address) {
    if (const Host* const found = host_of_.find(address)) return *found;
    const auto node = graph_->find(address);
    if (!node && graph_->node_count() > 0) return kNone;
    if (hosts_.size() >= config_.hosts) return kNone;
    const auto host = static_cast<Host>(hosts_.size());
    hosts_.push_back({address, node ? node->value : kNone});
    host_of_[address] = host;
    return host;
}

void SessionTable::begin(IpAddress requester, BootId boot, Time now) {
    requester_ = find_or_add_host(requester);
    boot_ = boot;
    now_s_ = static_cast<std::uint32_t>(now.ns / 1'000'000'000);
    last_session_ = kNone;
}

std::optional<std::uint32_t> SessionTable::add_session(const SessionKey& key) {
    if (free_sessions_.empty() && sessions_.size() >= config_.sessions && !forget_one()) return std::nullopt;
    const std::uint32_t index = take_number(free_sessions_, sessions_);
    session_of_[key] = index;
    Session& added = sessions_[index];
    added.key = key;
    added.pair = find_or_add_pair(key.requester, key.acceptor);
    added.boot = boot_;
    added.first = arena_.take(0);
    ++pairs_[added.pair].sessions;
    return index;
}

std::uint32_t SessionTable::find_or_add_pair(Host requester, Host acceptor) {
    const std::uint64_t key = std::uint64_t{requester} << 32 | acceptor;
    if (const std::uint32_t* const known = pair_of_.find(key)) return *known;
    const bool was_anothers = !free_pairs_.empty();
    const std::uint32_t pair = take_number(free_pairs_, pairs_);
    if (was_anothers) restarted_.pairs.push_back(PairIndex{pair});
    pairs_[pair] = {requester, acceptor};
    pair_of_[key] = pair;
    return pair;
}

bool SessionTable::forget_one() {
    const std::size_t looks = std::min(sessions_.size(), kStaleLooksMost);
    const auto forget_after = static_cast<std::int32_t>(config_.forget_after.in_seconds());
    for (std::size_t i = 0; i < looks; ++i) {
        if (next_to_forget_ >= sessions_.size()) next_to_forget_ = 0;
        const auto index = static_cast<std::uint32_t>(next_to_forget_++);
        const Session& session = sessions_[index];
        if (session.key.requester == kNone || index == last_session_) continue;
        // Clocks are set back, too.
        if (static_cast<std::int32_t>(now_s_ - session.heard_s) < forget_after) continue;
        forget(index);
        return true;
    }
    return false;
}

void SessionTable::forget(std::uint32_t index) {
    Session& session = sessions_[index];
    const Entry* const entries = arena_.at(session.first);
    for (std::size_t i = 0; i < session.count; ++i) {
        rows_[entries[i].row] = {};
        free_rows_.push_back(entries[i].row);
        restarted_.paths.push_back(PathId{entries[i].row});
    }
    arena_.give_back(session.first, session.room_log2);
    session_of_.erase(session.key);
    PairRow& pair = pairs_[session.pair];
    if (--pair.sessions == 0) {
        pair_of_.erase(std::uint64_t{pair.requester} << 32 | pair.acceptor);
        free_pairs_.push_back(session.pair);
    }
    session = {};
    free_sessions_.push_back(index);
    ++counters_.sessions_forgotten;
}

SessionTable::Session* SessionTable::find_or_add_session(IpAddress peer, SessionId id,
                                                         RecordVerdict& why_not) {
    if (last_session_ != kNone && last_id_ == id && last_peer_ == peer) return &sessions_[last_session_];
    const Host acceptor = requester_ == kNone ? kNone : find_or_add_host(peer);
    if (acceptor == kNone) {
        const bool is_full = hosts_.size() >= config_.hosts;
        why_not = is_full ? RecordVerdict::OverLimit : RecordVerdict::UnknownHost;
        return nullptr;
    }
    const SessionKey key{requester_, acceptor, id.value};
    const std::uint32_t* const found = session_of_.find(key);
    const auto index = found == nullptr ? add_session(key) : *found;
    if (!index) {
        why_not = RecordVerdict::OverLimit;
        return nullptr;
    }
    last_peer_ = peer;
    last_id_ = id;
    last_session_ = *index;
    Session& session = sessions_[*index];
    session.next = 0;
    session.heard_s = now_s_;
    if (session.boot != boot_) {
        // Whoever numbers its sessions anew may come upon an old number; what that counted is no more.
        session.boot = boot_;
        ++session.life;
        ++counters_.reboots;
    }
    return &session;
}

bool SessionTable::grow(Session& session) {
    if (session.count >= config_.paths_per_session) return false;
    const auto log2 = static_cast<std::uint8_t>(session.room_log2 + 1);
    const std::uint32_t place = arena_.take(log2);
    std::copy_n(arena_.at(session.first), session.count, arena_.at(place));
    arena_.give_back(session.first, session.room_log2);
    session.first = place;
    session.room_log2 = log2;
    return true;
}

SessionTable::Row* SessionTable::find_or_add_row(Session& session, std::uint32_t index, PathIndex path,
                                                 PathGeneration generation, std::uint32_t& number,
                                                 RecordVerdict& why_not) {
    const std::uint32_t key = std::uint32_t{path.value} << 8 | generation.value;
    const Entry* const entries = arena_.at(session.first);
    std::size_t place = session.next;
    if (place >= session.count || entries[place].key != key) {
        place = static_cast<std::size_t>(
            std::lower_bound(entries, entries + session.count, key,
                             [](const Entry& entry, std::uint32_t k) { return entry.key < k; }) -
            entries);
    }
    if (place == session.count || entries[place].key != key)
        return add_row(session, index, key, place, number, why_not);
    session.next = static_cast<std::uint16_t>(place + 1);
    if (session.next < session.count) prefetch_line(&rows_[entries[session.next].row]);
    number = entries[place].row;
    return &rows_[number];
}

/// `place`: where its entry belongs. Of a path the two newest generations are held: what the one before last
/// left unsaid is told beside what the last one begins with.
SessionTable::Row* SessionTable::add_row(Session& session, std::uint32_t index, std::uint32_t key,
                                         std::size_t place, std::uint32_t& number, RecordVerdict& why_not) {
    Entry* entries = arena_.at(session.first);
    std::size_t begin = place;
    while (begin > 0 && entries[begin - 1].key >> 8 == key >> 8)
        --begin;
    std::size_t end = place;
    while (end < session.count && entries[end].key >> 8 == key >> 8)
        ++end;
    const auto generation = static_cast<std::uint8_t>(key);
    if (end - begin >= 2) {
        const auto behind = [&](const Entry& entry) {  // they wrap, RFC 1982 §3.2
            return static_cast<std::int8_t>(generation - static_cast<std::uint8_t>(entry.key));
        };
        Entry* const oldest =
            std::max_element(entries + begin, entries + end,
                             [&](const Entry& a, const Entry& b) { return behind(a) < behind(b); });
        const bool is_older = std::all_of(entries + begin, entries + end,
                                          [&](const Entry& entry) { return behind(entry) < 0; });
        if (is_older) {
            why_not = RecordVerdict::OldGeneration;
            return nullptr;
        }
        oldest->key = key;
        number = oldest->row;
        std::sort(entries + begin, entries + end,
                  [](const Entry& a, const Entry& b) { return a.key < b.key; });
        restarted_.paths.push_back(PathId{number});
    } else {
        const auto no_row = [this] { return free_rows_.empty() && rows_.size() >= config_.paths; };
        while (no_row() && forget_one())
            continue;
        const bool full = session.count == 1U << session.room_log2;
        if (no_row() || (full && !grow(session))) {
            why_not = RecordVerdict::OverLimit;
            return nullptr;
        }
        entries = arena_.at(session.first);
        number = take_number(free_rows_, rows_);
        std::copy_backward(entries + place, entries + session.count, entries + session.count + 1);
        entries[place] = {key, number};
        ++session.count;
    }
    session.next = static_cast<std::uint16_t>(place + 1);
    Row& row = rows_[number];
    row = {};
    row.session = index;
    row.path = static_cast<std::uint16_t>(key >> 8);
    row.generation = generation;
    row.life = session.life;
    return &row;
}

/// Whether the record can be, after what is held of its path. Nothing of it is believed where it cannot.
RecordVerdict SessionTable::judge(const Row& row, const wire::PathRecord& record, Time start,
                                  MetricsWindow& window) {
    constexpr Duration kSlack = Duration::milliseconds(1);  // counts may be taken a little beside the clock
    if (row.begun && record.measured_ns <= row.at_ns) {
        if (record.measured_ns < row.at_ns) {
            ++counters_.late;
            return RecordVerdict::Late;
        }
        const bool same = record.sent == row.sent && record.received == row.received;
        ++(same ? counters_.repeated : counters_.conflicting);
        return same ? RecordVerdict::Repeated : RecordVerdict::Impossible;
    }
    if (record.sent < row.sent || record.received < row.received) {
        ++counters_.ran_back;
        return RecordVerdict::Impossible;
    }
    if (record.received > record.sent || record.received - row.received > record.sent - row.sent) {
        ++counters_.excess;
        window.excess = true;
        return RecordVerdict::Impossible;
    }
    const Duration length = clocks_difference(Time{record.measured_ns}, start);
    const double most = (length.in_seconds() + kSlack.in_seconds()) * config_.packets_per_second_most;
    if (static_cast<double>(record.sent - row.sent) <= most) return RecordVerdict::Window;
    if (!row.begun) {
        ++counters_.whole_past;
        return RecordVerdict::Begun;
    }
    ++counters_.absurd;
    return RecordVerdict::Impossible;
}

void SessionTable::fill(const Row& row, const wire::PathRecord& record, MetricsWindow& window) {
    window.sent = record.sent - row.sent;
    window.lost = window.sent - (record.received - row.received);
    // Modulo 2^32, as they are counted.
    window.tracked_sent = record.tracked_sent - row.tracked_sent;
    window.tracked_received = record.tracked_received - row.tracked_received;
    window.duplicates = record.duplicates - row.duplicates;
    window.late = record.late - row.late;
    window.ce = record.ce - row.ce;
    window.ecn_invalid = record.ecn_invalid - row.ecn_invalid;
    window.corrupted = record.corrupted - row.corrupted;
    window.delay_count = record.delay_count - row.delay_count;
    std::int64_t sum = 0;
    if (__builtin_sub_overflow(record.delay_ns_sum, row.delay_sum_ns, &sum)) window.delay_count = 0;
    window.delay_sum = {window.delay_count == 0 ? 0 : sum};
    window.delay_min = {record.delay_ns_min};
    window.jitter = {record.jitter_ns};
    window.ttl_changes = static_cast<std::uint16_t>(record.ttl_changes - row.ttl_changes);
    window.open = (record.flags & wire::PathRecord::kFlagOpen) != 0;
}

void SessionTable::hold(Row& row, const wire::PathRecord& record) {
    row.at_ns = record.measured_ns;
    row.sent = record.sent;
    row.received = record.received;
    row.delay_sum_ns = record.delay_ns_sum;
    row.tracked_sent = record.tracked_sent;
    row.tracked_received = record.tracked_received;
    row.duplicates = record.duplicates;
    row.late = record.late;
    row.ce = record.ce;
    row.ecn_invalid = record.ecn_invalid;
    row.corrupted = record.corrupted;
    row.delay_count = record.delay_count;
    row.ttl_changes = record.ttl_changes;
    row.begun = true;
}

TakenRecord SessionTable::take(IpAddress peer, SessionId id, const wire::PathRecord& record) {
    TakenRecord taken;
    Session* const session = find_or_add_session(peer, id, taken.verdict);
    std::uint32_t number = kNone;
    Row* const row = session == nullptr ? nullptr
                                        : find_or_add_row(*session, last_session_, record.path,
                                                          record.generation, number, taken.verdict);
    if (row == nullptr) {
        switch (taken.verdict) {
            case RecordVerdict::UnknownHost: ++counters_.unknown_host; break;
            case RecordVerdict::OldGeneration: ++counters_.old_generation; break;
            default: ++counters_.over_limit; break;
        }
        return taken;
    }
    if (row->life != session->life) {
        *row = {};
        row->session = last_session_;
        row->path = record.path.value;
        row->generation = record.generation.value;
        row->life = session->life;
    }
    taken.session = SessionIndex{last_session_};
    taken.pair = PairIndex{session->pair};
    taken.path = PathId{number};
    const Time start = row->begun ? Time{row->at_ns} : Time{record.measured_ns} - config_.first_window;
    taken.verdict = judge(*row, record, start, taken.window);
    if (taken.verdict != RecordVerdict::Window && taken.verdict != RecordVerdict::Begun) return taken;
    if (taken.verdict == RecordVerdict::Window) {
        fill(*row, record, taken.window);
        taken.window.start = start;
        taken.window.end = Time{record.measured_ns};
    }
    hold(*row, record);
    return taken;
}

std::optional<PathId> SessionTable::path(IpAddress peer, SessionId id, PathIndex path,
                                         PathGeneration generation) {
    RecordVerdict why_not{};
    Session* const session = find_or_add_session(peer, id, why_not);
    if (session == nullptr) return std::nullopt;
    std::uint32_t number = kNone;
    if (find_or_add_row(*session, last_session_, path, generation, number, why_not) == nullptr)
        return std::nullopt;
    return PathId{number};
}

SessionTable::Restarted SessionTable::take_restarted() {
    return std::exchange(restarted_, {});
}

PathKey SessionTable::key(PathId path) const {
    if (!is_held(path)) return {};
    const Row& row = rows_[path.value];
    const Session& session = sessions_[row.session];
    return {hosts_[session.key.requester].address, hosts_[session.key.acceptor].address,
            SessionId{session.key.session}, PathIndex{row.path}, PathGeneration{row.generation}};
}

std::optional<localise::NodeId> SessionTable::node(IpAddress address) const {
    const Host host = find_host(address);
    if (host == kNone || hosts_[host].node == kNone) return graph_->find(address);
    return localise::NodeId{hosts_[host].node};
}

localise::HostPair SessionTable::pair(PairIndex pair) const {
    const PairRow& row = pairs_[pair.value];
    return {hosts_[row.requester].address, hosts_[row.acceptor].address};
}

std::optional<PairIndex> SessionTable::find_pair(IpAddress requester, IpAddress acceptor) const {
    const Host from = find_host(requester), to = find_host(acceptor);
    if (from == kNone || to == kNone) return std::nullopt;
    const std::uint32_t* const found = pair_of_.find(std::uint64_t{from} << 32 | to);
    if (found == nullptr) return std::nullopt;
    return PairIndex{*found};
}

RememberedPath SessionTable::remember(PathId path) const {
    const Row& row = rows_[path.value];
    const Session& session = sessions_[row.session];
    RememberedPath remembered;
    remembered.key = key(path);
    remembered.boot = session.boot;
    remembered.begun = row.begun && row.life == session.life;
    wire::PathRecord& record = remembered.record;
    record.path = PathIndex{row.path};
    record.generation = PathGeneration{row.generation};
    if (!remembered.begun) return remembered;
    record.measured_ns = row.at_ns;
    record.sent = row.sent;
    record.received = row.received;
    record.delay_ns_sum = row.delay_sum_ns;
    record.tracked_sent = row.tracked_sent;
    record.tracked_received = row.tracked_received;
    record.duplicates = row.duplicates;
    record.late = row.late;
    record.ce = row.ce;
    record.ecn_invalid = row.ecn_invalid;
    record.corrupted = row.corrupted;
    record.delay_count = row.delay_count;
    record.ttl_changes = row.ttl_changes;
    return remembered;
}

std::optional<PathId> SessionTable::resume(const RememberedPath& remembered, Time now) {
    const PathKey& key = remembered.key;
    begin(key.requester, remembered.boot, now);
    const auto path = this->path(key.acceptor, key.session, key.path, key.generation);
    if (!path) return std::nullopt;
    Row& row = rows_[path->value];
    if (row.begun) return std::nullopt;
    if (remembered.begun) hold(row, remembered.record);
    return path;
}

}  // namespace dyetrace::health
