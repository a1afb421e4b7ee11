// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service is made of: internal to core/health/nhms*.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/auth/key_ring.h"
#include "core/base/stable_vector.h"
#include "core/health/coverage.h"
#include "core/health/eppc_table.h"
#include "core/health/health_judge.h"
#include "core/health/investigation.h"
#include "core/health/nhms.h"
#include "core/health/output_queue.h"
#include "core/health/session_table.h"
#include "core/localise/candidate_paths.h"
#include "core/localise/conclusion.h"
#include "core/localise/rolling_evidence.h"
#include "core/wire/control.h"
#include "core/wire/directive.h"
#include "core/wire/update.h"

namespace dyetrace::health {

class Nhms::Engine {
  public:
    /// Requester, acceptor, and the requester's number of a session between them.
    using SessionKey = std::tuple<IpAddress, IpAddress, SessionId>;

    Engine(const NhmsConfig& given, auth::KeyRing keys, localise::FabricGraph fabric, std::uint64_t seed,
           Time now);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void handle(const Endpoint& from, Bytes datagram, Time now);
    void set_keys(auth::KeyRing keys);
    void advance(Time now);
    Result<FlowTraceId, std::string> trace_flow(const FlowTraceRequest& request, Time now);
    [[nodiscard]] std::optional<FlowTraceResult> flow_trace(FlowTraceId id, Time now) const;
    [[nodiscard]] const FlowTraces& flow_traces() const { return flow_traces_; }
    Result<Done, std::string> serve(const ClientConfig& clients, Time now);
    [[nodiscard]] ClientDesk* desk() { return desk_ ? &*desk_ : nullptr; }
    bool move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now);
    bool guests_moved(const GuestsMoved& report, Time now);
    void take_counters(std::span<const LinkReading> readings, Time now);
    void take_conclusions(std::string_view service, const Concluded& concluded, Time now);
    void settle_clients(Time now);
    void emit_told();
    [[nodiscard]] Time next_deadline() const;
    std::optional<Output> poll();
    [[nodiscard]] Memory remember() const;
    Result<Done, std::string> resume(const Memory& memory, Time now);
    const NhmsCounters& all_counters();

    [[nodiscard]] const wire::TimingEntry* timing(const SessionKey& session) const {
        const auto it = timings_.find(session);
        return it == timings_.end() ? nullptr : &it->second.entry;
    }

    NhmsConfig config;
    localise::FabricGraph graph;
    NhmsCounters counters;
    wire::DropCounters drops;

  private:
    /// The key of messages to and from an EPPC.
    struct EppcKey {
        KeyId id;
        auth::PairKey key{};
    };
    /// What detection made of a path, and of whose.
    struct PathState {
        PathDetector detector;
        PairIndex pair{std::numeric_limits<std::uint32_t>::max()};
    };
    /// The newest of a session.
    struct KnownTiming {
        wire::TimingEntry entry;
        Time heard;
    };
    struct PendingDirective {
        DirectiveId id;
        std::uint32_t number = 0;  ///< among those of its EPPC
        WantedDirective wanted;
        int attempts = 0;
        Time retry_at;
    };
    [[nodiscard]] std::optional<EppcKey> key_of(IpAddress eppc, KeyId id) const;

    // nhms_told.cpp
    [[nodiscard]] std::optional<localise::LinkId> link_between(std::string_view from,
                                                               std::string_view to) const;
    void look_soon(Time now);
    void conclude(Time now);
    void acquit(Time since, std::vector<localise::Conclusion>& conclusions, Time now);

    // nhms_intake.cpp
    void take_update(const Endpoint& from, const wire::ControlMessage& message, const EppcKey& key, Time now);
    void take(const KnownEppc& eppc, const wire::MetricsEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::PathEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::SessionEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::TimingEntry& entry, Time now);
    void take(const KnownEppc& eppc, const wire::TrafficEntry& entry, Time now);
    [[nodiscard]] std::vector<localise::NewChoice> ways_along(const KnownEppc& eppc,
                                                              const wire::PathEntry& entry);
    void restart_forgotten();
    void take_window(TakenRecord& taken, Time now);
    void detect(const TakenRecord& taken, Time now);
    void tell_health(PairIndex pair, const SessionDetector& detector, Time now);
    void expire(Time now);
    [[nodiscard]] bool many_new_losses() const;
    SessionDetector* detector_of(PairIndex pair);
    void resume_paths(const std::vector<RememberedPath>& paths, Time now);
    void resume_pairs(const std::vector<RememberedPair>& pairs);
    void take(const KnownEppc& eppc, const wire::FlowStageEntry& entry, Time now);
    void take_directive_result(const wire::ControlMessage& message, IpAddress from, Time now);
    void evaluate(Time now);
    void look_at_cover(Time now);
    /// Asks an EPPC for what tenants' probes need of it, where that is due.
    void ask_for_probes(const KnownEppc& eppc, Time now);
    void ask_all_for_probes(Time now);
    void tell_desk_of_health(PairIndex pair, Time now);
    void tell_traced(FlowTraceId id, Time now);
    void put(IncidentOutputs outputs, Time now);
    void issue(const WantedDirective& wanted, Time now);
    /// Nobody is asked: the incident's record says why.
    void refuse(const WantedDirective& wanted, const std::string& why, bool for_good, Time now);
    /// Nobody answered, or was asked; not `for_good` where it was for want of room.
    void on_no_answer(const WantedDirective& wanted, bool for_good, Time now);
    void send_directive(PendingDirective& directive, Time now);
    void retry_directives(Time now);
    void answer(const Endpoint& to, const wire::ControlMessage& update, wire::ControlType type,
                BootId own_boot, const EppcKey& key);
    void send(const Endpoint& to, wire::ControlHeader header, Bytes body, const EppcKey& key);
    template <class Event>
    void emit(Event&& event);

    auth::KeyRing keys_;
    EppcTable eppcs_;
    SessionTable table_;
    localise::RollingEvidence evidence_;
    localise::CandidatePaths candidates_;
    Investigation investigation_;
    Coverage coverage_;
    FlowTraces flow_traces_;
    TraceNumbers probe_numbers_;  ///< of the first desk; each goes on where the one before was
    std::optional<ClientDesk> desk_;
    std::map<SessionKey, KnownTiming> timings_;
    SessionKey timing_looked_at_;  ///< last, for one to forget
    HealthJudge judge_;
    StableVector<SessionDetector> detectors_;  ///< by pair
    StableVector<PathState> path_states_;      ///< by path
    std::uint32_t next_to_expire_ = 0;         ///< pair
    Time updated_at_;                          ///< when the newest update came
    std::size_t lossy_since_look_ = 0;         ///< windows in which something was lost
    std::vector<PendingDirective> directives_;
    std::uint32_t next_directive_ = 1;
    Time evaluate_at_ = Time::never();
    Time conclude_at_ = Time::never();
    Time cover_at_ = Time::never();
    bool was_told_ = false;            ///< of a loss, by others, since it was looked at what there is
    std::map<Subject, Time> accused_;  ///< to others, and when last

    std::vector<wire::UpdateEntry> entries_;  ///< reused
    OutputQueue outputs_;
};

template <class Event>
void Nhms::Engine::emit(Event&& event) {
    if (outputs_.is_full()) return drops.add(wire::DropReason::QueueFull);
    outputs_.push(std::forward<Event>(event));
}

}  // namespace dyetrace::health
