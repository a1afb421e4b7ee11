// SPDX-License-Identifier: GPL-2.0-or-later
// Reads what a run measured. Truth has a reader of its own (truth_reader.h), so that an include shows who
// looks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/store/rows.h"

namespace dyetrace::store {

/// A run database, opened read-only; also one that was interrupted, or is being written at this moment.
///
/// Every list comes in the order of its ids, unless said otherwise. Every member throws `Error` where the
/// file turns out to be damaged. Not thread-safe; open one reader a thread.
class RunReader {
  public:
    /// Throws `Error` that names the file and what is wrong: not there, not a database, not a run of
    /// dyetrace, of a newer version, truncated, or with a table missing.
    explicit RunReader(const std::filesystem::path& path);
    RunReader(RunReader&&) noexcept;
    RunReader& operator=(RunReader&&) noexcept;
    ~RunReader();

    [[nodiscard]] const std::filesystem::path& path() const;

    [[nodiscard]] std::map<std::string, std::string> provenance() const;
    [[nodiscard]] std::optional<std::string> provenance(std::string_view key) const;
    /// Whether the run came to its end.
    [[nodiscard]] bool complete() const;

    [[nodiscard]] std::vector<NodeRow> nodes() const;
    [[nodiscard]] std::vector<LinkRow> links() const;
    [[nodiscard]] std::vector<SessionRow> sessions() const;
    [[nodiscard]] std::vector<SessionEventRow> session_events() const;
    [[nodiscard]] std::vector<PathRow> paths() const;  ///< with their hops
    [[nodiscard]] std::vector<UpdateRow> updates() const;
    [[nodiscard]] std::vector<EvidenceRow> evidence() const;
    [[nodiscard]] std::vector<DetectionRow> detections() const;
    [[nodiscard]] std::vector<IncidentRow> incidents() const;
    [[nodiscard]] std::vector<IncidentEventRow> incident_events() const;
    [[nodiscard]] std::vector<DirectiveRow> directives() const;
    [[nodiscard]] std::vector<SuspectRow> suspects() const;  ///< of every inference
    [[nodiscard]] std::vector<SuspectRow> final_suspects()
        const;                                               ///< last inference of each confirmed incident
    [[nodiscard]] std::vector<CounterRow> counters() const;  ///< by engine, name, node

    [[nodiscard]] std::vector<TenantRow> tenants() const;
    [[nodiscard]] std::vector<TenantGuestRow> tenant_guests() const;
    [[nodiscard]] std::vector<TenantStateRow> tenant_states() const;
    [[nodiscard]] std::vector<TenantPairRow> tenant_pairs() const;
    [[nodiscard]] std::vector<TenantPairStateRow> tenant_pair_states() const;
    [[nodiscard]] std::vector<TenantShareRow> tenant_shares() const;
    [[nodiscard]] std::vector<TenantNotificationRow> tenant_notifications() const;
    [[nodiscard]] std::vector<ServiceScoreRow> service_scores() const;
    [[nodiscard]] std::vector<ProbeResultRow> probe_results() const;
    [[nodiscard]] std::vector<FlowTraceRow> flow_traces() const;
    [[nodiscard]] std::vector<FlowTraceStretchRow> flow_trace_stretches() const;
    [[nodiscard]] std::vector<FlowTracePacketRow> flow_trace_packets() const;
    [[nodiscard]] std::vector<FlowTraceHopRow> flow_trace_hops() const;

    /// Calls `visit` for each path record in the order the health service received them (there are millions).
    void for_each_path_record(const std::function<void(const PathRecordRow&)>& visit) const;
    [[nodiscard]] std::vector<PathRecordRow> path_records(RowId session) const;  ///< in that order
    /// With from_ns <= t_ns < to_ns, in that order.
    [[nodiscard]] std::vector<PathRecordRow> path_records_between(std::int64_t from_ns,
                                                                  std::int64_t to_ns) const;
    /// The record of each (session, path index, generation) that was measured last, in that key's order.
    [[nodiscard]] std::vector<PathRecordRow> last_path_records() const;

    struct UpdateSummary {
        std::uint64_t count = 0;
        std::optional<std::int64_t> first_ns;
        std::optional<std::int64_t> last_ns;
    };
    [[nodiscard]] UpdateSummary update_summary() const;
    /// The greatest time in any measured table; 0 where all are empty.
    [[nodiscard]] std::int64_t last_time_ns() const;

  private:
    friend class TruthReader;
    friend class TableReader;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace dyetrace::store
