// SPDX-License-Identifier: GPL-2.0-or-later
// What the service holds of each session and of each of its paths, in flat tables: from a record to the
// window that it makes of it with one look-up, and none for what follows in the order of the time before.
//
//   host address -> host      (host, host, session id) -> session -> its paths, by (index, generation)
//
// Sessions, pairs and paths are numbered from 0 without gaps, so that others keep what they know of them in
// plain vectors. It is the only keeper of totals.
//
// Where a table is full, sessions that have long said nothing give way: whoever closes sessions, restarts or
// leaves the fabric does not say so for certain. Their numbers, and those of their paths and of pairs without
// a session, then stand for others, which is told (`take_restarted`).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/addresses.h"
#include "core/base/flat_table.h"
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/base/stable_vector.h"
#include "core/base/time.h"
#include "core/health/metrics_window.h"
#include "core/localise/fabric_graph.h"
#include "core/localise/rolling_evidence.h"
#include "core/wire/report.h"

namespace dyetrace::health {

using SessionIndex = StrongId<struct SessionIndexTag, std::uint32_t>;
using PairIndex = StrongId<struct PairIndexTag, std::uint32_t>;

struct SessionTableConfig {
    std::size_t hosts = 262'144;       ///< about 60 bytes each
    std::size_t sessions = 1'000'000;  ///< about 150 bytes each, with what detectors hold of them
    std::size_t paths = 1'000'000;     ///< of all sessions, about 140 bytes each, with evidence
    std::size_t paths_per_session = 2'048;
    /// A session of which nothing was said for so long is forgotten where there is no room for another. One
    /// that goes on after all begins anew with its next record.
    Duration forget_after = Duration::seconds(600);
    Duration first_window = Duration::milliseconds(20);  ///< how long before its first record a path began
    /// No host sends faster: 800 Gbit/s of the shortest frames (84 bytes with preamble and gap, IEEE 802.3).
    double packets_per_second_most = 1.2e9;
};

/// Records that made no window, by reason. Each is counted once.
struct RecordCounters {
    std::uint64_t repeated = 0;        ///< time and totals of the path's newest
    std::uint64_t late = 0;            ///< older than the path's newest: totals, so it says nothing new
    std::uint64_t conflicting = 0;     ///< time of the path's newest, other totals
    std::uint64_t ran_back = 0;        ///< totals below the path's newest, which were never reset
    std::uint64_t excess = 0;          ///< more received than sent
    std::uint64_t absurd = 0;          ///< more sent than a link could carry in that time
    std::uint64_t unknown_host = 0;    ///< sender or peer is not in the graph
    std::uint64_t old_generation = 0;  ///< of a generation of its path before the two newest
    std::uint64_t over_limit = 0;      ///< a table was full
    std::uint64_t whole_past =
        0;  ///< first of a path that has long been there: where windows begin, no window
    // These made one.
    std::uint64_t reboots = 0;             ///< a session's requester had restarted: its paths begin anew
    std::uint64_t sessions_forgotten = 0;  ///< of which nothing was said for long, to make room
};

/// What became of a record.
enum class RecordVerdict : std::uint8_t {
    Window,  ///< it made a window
    Begun,   ///< its totals are where windows begin
    Repeated,
    Late,
    Impossible,  ///< ran back, excess, absurd, or conflicting
    UnknownHost,
    OldGeneration,
    OverLimit,
};

struct TakenRecord {
    RecordVerdict verdict{};
    SessionIndex session;
    PairIndex pair;
    localise::PathId path;
    MetricsWindow window;  ///< where one was made; `excess` alone where counts were impossible that way
};

/// What is held of a path, for a store; taken back by a service that resumes.
struct RememberedPath {
    localise::PathKey key;
    BootId boot;                  ///< of the requester, as it told these
    wire::PathRecord record;      ///< totals; what is not a total is zero
    bool begun = false;           ///< there was a record
    std::vector<IpAddress> hops;  ///< host, switches, host, as traced; empty where that is not known
    Time traced;                  ///< when it was last
    bool delay_known = false;
    Duration delay_min;

    bool operator==(const RememberedPath&) const = default;
};

class SessionTable final : public localise::PathNames {
  public:
    /// `graph` must outlive it. One without nodes knows every host.
    SessionTable(const localise::FabricGraph& graph, SessionTableConfig config);

    /// Says from whom the records come that follow, and when.
    void begin(IpAddress requester, BootId boot, Time now);
    /// Takes a record of its session with `peer`.
    TakenRecord take(IpAddress peer, SessionId session, const wire::PathRecord& record);
    /// The path of that session, made where it is not there; none where a table is full or a host unknown.
    std::optional<localise::PathId> path(IpAddress peer, SessionId session, PathIndex path,
                                         PathGeneration generation);
    /// Numbers that stand for nothing any more, or for another, since this was asked last.
    struct Restarted {
        std::vector<localise::PathId> paths;
        std::vector<PairIndex>
            pairs;  ///< for another: one without sessions keeps its number until it is needed
    };
    [[nodiscard]] Restarted take_restarted();
    [[nodiscard]] bool any_restarted() const {
        return !restarted_.paths.empty() || !restarted_.pairs.empty();
    }

    [[nodiscard]] localise::PathKey key(localise::PathId path) const override;
    [[nodiscard]] std::optional<localise::NodeId> node(IpAddress host) const;
    [[nodiscard]] localise::HostPair pair(PairIndex pair) const;
    [[nodiscard]] std::optional<PairIndex> find_pair(IpAddress requester, IpAddress acceptor) const;
    [[nodiscard]] std::size_t sessions() const { return sessions_.size() - free_sessions_.size(); }
    /// Numbers that were given, to pairs and to paths: all are below that.
    [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }
    [[nodiscard]] std::size_t paths() const { return rows_.size(); }
    /// Whether the number stands for a path now.
    [[nodiscard]] bool is_held(localise::PathId path) const { return rows_[path.value].session != kNone; }
    [[nodiscard]] const RecordCounters& counters() const { return counters_; }

    /// What is held of that path, without its route.
    [[nodiscard]] RememberedPath remember(localise::PathId path) const;
    /// Takes that back; none where that path is there already, or a table is full.
    std::optional<localise::PathId> resume(const RememberedPath& remembered, Time now);

  private:
    using Host = std::uint32_t;
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    struct SessionKey {
        Host requester = kNone;
        Host acceptor = kNone;
        std::uint32_t session = 0;
        bool operator==(const SessionKey&) const = default;
    };
    struct SessionHash {
        std::size_t operator()(const SessionKey& key) const {
            return table_hash(table_hash(std::uint64_t{key.requester} << 32 | key.acceptor) + key.session);
        }
    };
    struct AddressHash {
        std::size_t operator()(const IpAddress& a) const { return table_hash(a.low ^ mix64(a.high)); }
    };
    struct PairHash {
        std::size_t operator()(std::uint64_t pair) const { return table_hash(pair); }
    };
    struct HostRow {
        IpAddress address;
        std::uint32_t node = kNone;
    };
    struct PairRow {
        Host requester = kNone, acceptor = kNone;
        std::uint32_t sessions = 0;
    };
    /// Where a session's paths are: a piece of the arena, sorted by key.
    struct Entry {
        std::uint32_t key = 0;  ///< path index << 8 | generation
        std::uint32_t row = 0;
    };
    struct Session {
        SessionKey key;  ///< of nobody where the number is free
        std::uint32_t pair = 0;
        BootId boot;
        std::uint32_t first = 0;  ///< of its entries, in the arena
        std::uint16_t count = 0;  ///< of its entries
        std::uint16_t next = 0;   ///< that the next record is expected to be of
        std::uint8_t room_log2 = 0;
        std::uint8_t life = 0;      ///< counts the boots of its requester
        std::uint32_t heard_s = 0;  ///< when something was said of it last; wraps
    };
    /// Totals as of the newest record.
    struct Row {
        std::int64_t at_ns = 0;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::int64_t delay_sum_ns = 0;
        std::uint32_t tracked_sent = 0;
        std::uint32_t tracked_received = 0;
        std::uint32_t duplicates = 0;
        std::uint32_t late = 0;
        std::uint32_t ce = 0;
        std::uint32_t ecn_invalid = 0;
        std::uint32_t corrupted = 0;
        std::uint32_t delay_count = 0;
        std::uint32_t session = kNone;
        std::uint16_t path = 0;
        std::uint16_t ttl_changes = 0;
        std::uint8_t generation = 0;
        std::uint8_t life = 0;
        bool begun = false;
    };
    static_assert(sizeof(Row) <= 80);

    /// Pieces of 2^n entries each, given back by size.
    class Arena {
      public:
        [[nodiscard]] Entry* at(std::uint32_t place) { return &blocks_[place / kBlock][place % kBlock]; }
        [[nodiscard]] const Entry* at(std::uint32_t place) const {
            return &blocks_[place / kBlock][place % kBlock];
        }
        std::uint32_t take(std::uint8_t size_log2);
        void give_back(std::uint32_t place, std::uint8_t size_log2);

      private:
        static constexpr std::uint32_t kBlock = 1U << 16;
        std::vector<std::unique_ptr<Entry[]>> blocks_;
        std::uint32_t used_ = kBlock;  ///< of the last block
        std::array<std::vector<std::uint32_t>, 17> free_;
    };

    Host find_or_add_host(IpAddress address);
    [[nodiscard]] Host find_host(IpAddress address) const;
    Session* find_or_add_session(IpAddress peer, SessionId session, RecordVerdict& why_not);
    /// None where there is no room.
    std::optional<std::uint32_t> add_session(const SessionKey& key);
    std::uint32_t find_or_add_pair(Host requester, Host acceptor);
    /// Makes room of a session that has long said nothing; whether one was met.
    bool forget_one();
    void forget(std::uint32_t session);
    Row* find_or_add_row(Session& session, std::uint32_t index, PathIndex path, PathGeneration generation,
                         std::uint32_t& number, RecordVerdict& why_not);
    Row* add_row(Session& session, std::uint32_t index, std::uint32_t key, std::size_t place,
                 std::uint32_t& number, RecordVerdict& why_not);
    template <class T>
    static std::uint32_t take_number(std::vector<std::uint32_t>& free, StableVector<T>& all);
    bool grow(Session& session);
    [[nodiscard]] RecordVerdict judge(const Row& row, const wire::PathRecord& record, Time start,
                                      MetricsWindow& window);
    static void fill(const Row& row, const wire::PathRecord& record, MetricsWindow& window);
    static void hold(Row& row, const wire::PathRecord& record);

    const localise::FabricGraph* graph_;
    SessionTableConfig config_;
    RecordCounters counters_;
    FlatTable<IpAddress, Host, AddressHash> host_of_;
    std::vector<HostRow> hosts_;
    FlatTable<SessionKey, std::uint32_t, SessionHash> session_of_;
    StableVector<Session> sessions_;
    FlatTable<std::uint64_t, std::uint32_t, PairHash> pair_of_;
    StableVector<PairRow> pairs_;
    StableVector<Row> rows_;
    Arena arena_;
    std::vector<std::uint32_t> free_sessions_, free_pairs_, free_rows_;
    std::size_t next_to_forget_ = 0;  ///< session
    Restarted restarted_;

    Host requester_ = kNone;
    BootId boot_;
    std::uint32_t now_s_ = 0;
    IpAddress last_peer_;  ///< of the record before
    SessionId last_id_;
    std::uint32_t last_session_ = kNone;
};

}  // namespace dyetrace::health
